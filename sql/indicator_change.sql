-- indicator: weights change by versions; before the lock by an explicit act; tried without writing (IND-12).
\set books change_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
CREATE TEMP VIEW standing AS
  SELECT c.code AS cycle, e.employee_no AS who, r.status, t.code AS template, t.version, round(r.composite, 2) AS composite
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) JOIN review_template t USING (template_id)
   WHERE r.items_scored > 0 ORDER BY c.code, e.employee_no;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'MAKE') > 0 AS made, open_cycle('2023Q1') AS reviews;
CREATE FUNCTION pg_temp.score(cycle text, who text, VARIADIC v numeric[]) RETURNS numeric LANGUAGE SQL AS $$
  SELECT change_test.submit_score(cycle, who, i, v[n], '依据:' || i) FROM unnest(ARRAY['创新提案', '客户反馈', '产量', '质量', '团队协作']) WITH ORDINALITY AS i (i, n) ORDER BY n;
  SELECT composite FROM change_test.review WHERE review_id = change_test.find_review(cycle, who) $$;
SELECT pg_temp.score('2023Q1', 'E030', 80, 90, 95, 88, 70) AS e030, pg_temp.score('2023Q1', 'E031', 90, 60, 50, 60, 60) AS e031, pg_temp.score('2023Q1', 'E010', 60, 95, 95, 95, 95) AS e010;

-- IND-12.1 the same figures: 87.50 with version 1, 86.75 with version 2 from 2023Q2 on
SELECT revise_template('MAKE', '{"创新提案": 20, "产量": 25}', '第二季度起重视创新') AS version;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'MAKE') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT pg_temp.score('2023Q2', 'E030', 80, 90, 95, 88, 70) AS e030;
SELECT 'IND-12.1' AS id, * FROM standing WHERE who = 'E030';

-- IND-12.2 no change without a reason, in no way
SELECT revise_template('MAKE', '{"创新提案": 15, "产量": 30}', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT create_template('MAKE', '[{"indicator": "产量", "weight": 100}]') > 0 AS draft;
SELECT activate_template('MAKE'); \echo :LAST_ERROR_SQLSTATE
UPDATE review_template SET reason = ' …… ' WHERE code = 'MAKE' AND version = 3;
UPDATE review_template SET status = 'active' WHERE code = 'MAKE' AND version = 3; \echo :LAST_ERROR_SQLSTATE
SELECT reweight_cycle('2023Q1', 'MAKE', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT reweight_cycle('2023Q1', 'MAKE', '——');
DELETE FROM review_template WHERE code = 'MAKE' AND version = 3;

-- tried without writing: before and after for each review, and the distribution
SELECT * FROM what_if('MAKE', '{"创新提案": 20, "产量": 25}', '2023Q1');
SELECT * FROM what_if_summary('MAKE', '{"创新提案": 20, "产量": 25}', '2023Q1');
-- the weights that stand change nothing
SELECT count(*) FILTER (WHERE before = after) AS same, count(*) AS reviews FROM what_if('MAKE', '{}', '2023Q1');
SELECT who, version, composite FROM standing WHERE cycle = '2023Q1';
SELECT count(*) AS decisions FROM decision WHERE kind = 'cycle.reweight';
SELECT * FROM what_if('MAKE', '{"创新提案": 20}', '2023Q1'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM what_if('MAKE', '{"客户拓展": 20}', '2023Q1');
SELECT * FROM what_if('MAKE', '{}', 'none');
BEGIN; SELECT act_as('E002') > 0 AS acts; SELECT count(*) AS rows_for_a_manager FROM what_if('MAKE', '{}', '2023Q1'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT count(*) AS rows_for_hr FROM what_if('MAKE', '{}', '2023Q1'); ROLLBACK;

-- nobody puts a review on another version, or the cycle
UPDATE review SET template_id = (SELECT template_id FROM review_template WHERE code = 'MAKE' AND version = 2) WHERE review_id = find_review('2023Q1', 'E030'); \echo :LAST_ERROR_SQLSTATE
UPDATE cycle_template SET template_id = (SELECT template_id FROM review_template WHERE code = 'MAKE' AND version = 2) WHERE cycle_id = find_cycle('2023Q1'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E002') > 0 AS acts, reweight_cycle('2023Q1', 'MAKE', '我来改'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- but the explicit act: what is locked stays, what is open is computed anew, as what_if said
SELECT lock_review('2023Q1', 'E010', '2023-04-03') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acts, reweight_cycle('2023Q1', 'MAKE', '管理层看过分布,第一季度即重视创新') AS reviews; COMMIT;
SELECT * FROM standing WHERE cycle = '2023Q1';
SELECT d.kind, d.decided_by, d.rule, d.rule_version, d.inputs, d.outcome, d.reason FROM decision d WHERE d.kind = 'cycle.reweight';
SELECT t.version AS for_whom_comes_later FROM cycle_template ct JOIN review_template t USING (template_id) WHERE ct.cycle_id = find_cycle('2023Q1');
-- this act, and nothing else in its transaction or later
UPDATE review SET template_id = (SELECT template_id FROM review_template WHERE code = 'MAKE' AND version = 1) WHERE review_id = find_review('2023Q1', 'E030');
BEGIN;
SELECT revise_template('MAKE', '{"质量": 20, "团队协作": 15}', '试行') AS version;
SELECT reweight_cycle('2023Q2', 'MAKE', '试行') AS reviews;
SELECT * FROM standing WHERE cycle = '2023Q2';
SAVEPOINT s;
UPDATE review SET template_id = (SELECT template_id FROM review_template WHERE code = 'MAKE' AND version = 3) WHERE review_id = find_review('2023Q1', 'E030');
ROLLBACK TO s;
UPDATE review SET manager_id = NULL WHERE review_id = find_review('2023Q2', 'E030');
ROLLBACK;
SELECT reweight_cycle('2023Q1', 'MAKE', '再来一次'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('2023Q1', 'E031', '2023-04-03') AS locked, lock_review('2023Q1', 'E030', '2023-04-03') AS other;
SELECT x.version, x.composite, d.rule_version AS template_version FROM review_result x JOIN decision d USING (decision_id) ORDER BY result_id;
SELECT * FROM verify();

-- facts go through the formula and the targets of the new version; a part without a score stays one
SELECT create_cycle('2023H1', '2023-01-01', '2023-06-30', 'SALES', kind => 'half-yearly') > 0 AS made, open_cycle('2023H1') AS reviews;
SELECT submit_score('2023H1', 'E010', '客户拓展', facts => '{"actual": 9}', rationale => '新签9家') AS composite;
SELECT submit_score('2023H1', 'E010', '客户满意度', 80, '回访') AS composite;
UPDATE indicator SET cap_pct = 150 WHERE code = '客户拓展';
SELECT create_template('SALES', '[{"indicator": "客户拓展", "weight": 50, "facts": {"target": 6}}, {"indicator": "客户满意度", "weight": 30}, {"indicator": "销售执行", "weight": 20}]',
                       reason => '目标按市场下调') > 0 AS draft, activate_template('SALES') > 0 AS active;
SELECT reweight_cycle('2023H1', 'SALES', '市场下滑,目标下调') AS reviews;
SELECT indicator_code, weight, value, attainment, missed FROM review_item WHERE review_id = find_review('2023H1', 'E010') ORDER BY position;
SELECT submit_score('2023H1', 'E010', '销售执行', 70, '跟进') AS composite;
-- a version that drops an indicator with scores is for the next cycle
SELECT create_template('SALES', '[{"indicator": "客户拓展", "weight": 50}, {"indicator": "客户满意度", "weight": 50}]', reason => '只看结果') > 0 AS draft, activate_template('SALES') > 0 AS active;
SELECT reweight_cycle('2023H1', 'SALES', '只看结果'); \echo :LAST_ERROR_SQLSTATE
-- a draft cycle takes the newest version as well; a locked one does not
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'MAKE') > 0 AS made;
SELECT revise_template('MAKE', '{"质量": 20, "团队协作": 15}', '下半年重视协作') AS version, reweight_cycle('2023Q3', 'MAKE', '下半年重视协作') AS reviews;
SELECT t.version FROM cycle_template ct JOIN review_template t USING (template_id) WHERE ct.cycle_id = find_cycle('2023Q3');
-- one behind a gate goes with the others
INSERT INTO review_gate (cycle_id, employee_id, reason) VALUES (find_cycle('2023Q3'), find_employee('E031'), '岗前培训未完成');
SELECT open_cycle('2023Q3') AS reviews;
SELECT pg_temp.score('2023Q3', 'E030', 80, 90, 95, 88, 70) AS e030;
SELECT revise_template('MAKE', '{"质量": 25, "团队协作": 10}', '改回') AS version, reweight_cycle('2023Q3', 'MAKE', '改回') AS reviews;
SELECT r.status, t.version, count(*) AS reviews, max(r.composite) AS e030 FROM review r JOIN review_template t USING (template_id)
 WHERE r.cycle_id = find_cycle('2023Q3') GROUP BY r.status, t.version ORDER BY r.status;
SELECT create_cycle('2022Q4', '2022-10-01', '2022-12-31', 'SALES') > 0 AS made, open_cycle('2022Q4') AS reviews;
DELETE FROM review WHERE cycle_id = find_cycle('2022Q4');
UPDATE review_cycle SET status = 'locked' WHERE code = '2022Q4';
SELECT reweight_cycle('2022Q4', 'SALES', '已锁定'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();
DROP SCHEMA change_test CASCADE;
