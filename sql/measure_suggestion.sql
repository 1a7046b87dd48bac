-- measure: suggestions that count for an indicator (LIV-07).
\set books suggestion_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- the indicator counts: target 5, 15 % of the whole
SELECT create_indicator('提案数', definition => '采纳的提案数', standard => '按完成率', kind => 'quantitative') > 0 AS made, set_setting('suggestion.indicator', '提案数') AS code;
SELECT create_template('NEW', '[{"indicator": "提案数", "weight": 15, "facts": {"target": 5}}, {"indicator": "产量", "weight": 85}]') > 0 AS made, activate_template('NEW') > 0 AS active,
       create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'NEW') > 0 AS made, open_cycle('2023Q1') AS reviews;
CREATE TEMP VIEW counted AS
  SELECT s.facts ->> 'actual' AS actual, round(s.value, 2) AS value, round(s.points, 2) AS points FROM initial_score s
   WHERE s.review_id = find_review('2023Q1', 'E031') AND s.indicator_id = find_indicator('提案数');
SELECT suggest('E031', '建议' || n, '2023-02-01') > 0 AS submitted FROM generate_series(1, 7) AS n;
SELECT count(*) AS counted FROM counted;
-- LIV-07: 4 accepted and 3 rejected against 5: 80.00, and 12.00 points
BEGIN; SELECT act_as('E030') > 0 AS acting;
SELECT accept_suggestion(suggestion_id) AS status FROM suggestion WHERE suggestion <= '建议4' ORDER BY suggestion_id;
SELECT reject_suggestion(suggestion_id, '成本过高') AS status FROM suggestion WHERE suggestion > '建议4' ORDER BY suggestion_id;
COMMIT;
SELECT 'LIV-07' AS id, * FROM counted;
SELECT d.kind, d.inputs, d.outcome, d.reason, d.decided_by, count(*) FROM decision d WHERE d.cause = 'suggestion' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1;
-- again: nothing; another mind: it counts no more; one of the next cycle does not count in this
SELECT suggestion_id AS s FROM suggestion ORDER BY 1 LIMIT 1 \gset
SELECT accept_suggestion(:s) AS again, (SELECT count(*) FROM decision WHERE kind = 'suggestion.accepted') AS decisions;
SELECT reject_suggestion(:s, '重复') AS status, (SELECT count(*) FROM measurement) AS readings;
SELECT * FROM counted;
SELECT accept_suggestion(:s) AS status;
SELECT accept_suggestion(suggest('E031', '下季度', '2023-04-01')) AS status;
SELECT * FROM counted;
SELECT * FROM verify();
-- all that are submitted, by setting
BEGIN; SELECT set_setting('suggestion.counted', 'submitted'); SELECT suggest('E031', '再一条', '2023-03-31') > 0 AS submitted; SELECT * FROM counted; ROLLBACK;
-- nowhere to count
BEGIN; SELECT set_setting('suggestion.indicator', NULL) IS NULL AS off; SELECT accept_suggestion(suggest('E031', '再一条', '2023-03-31')) AS status; SELECT * FROM counted; SELECT count(*) AS differences FROM verify(); ROLLBACK;
-- deleted
BEGIN; DELETE FROM suggestion WHERE suggestion_id = :s; SELECT * FROM counted; ROLLBACK;
-- who may: the manager and HR; for oneself only
BEGIN; SELECT act_as('E031') > 0 AS acting, accept_suggestion(:s); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acting, reject_suggestion(:s, '不是我的部门'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acting, reject_suggestion(:s, '重复') AS by_hr; ROLLBACK;
BEGIN; SELECT act_as('E031') > 0 AS acting, suggest('E031', '自己的') > 0 AS own; SELECT suggest('E030', '别人的'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT reject_suggestion(:s, ' '); \echo :LAST_ERROR_SQLSTATE
SELECT accept_suggestion(999999); \echo :LAST_ERROR_SQLSTATE
SELECT suggest('E999', 'x');
\set VERBOSITY terse
SELECT suggest('E031', '。。。'); \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
BEGIN; SET LOCAL session_replication_role = replica; UPDATE suggestion SET status = 'accepted', decision_id = NULL WHERE suggestion_id = :s; SELECT problem, expected, found FROM verify(); ROLLBACK;
BEGIN; INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id) VALUES (find_employee('E030'), find_indicator('提案数'), '2023-01-01', '{"actual": 1}', 'suggestion', 'x'); SELECT problem, expected, found FROM verify(); ROLLBACK;
DROP SCHEMA suggestion_test CASCADE;
