-- measure: declines, corrections, warnings that managers deal with (LIV-03 to LIV-05).
\set books warning_test
\set by_hand '{warning}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW warned AS
  SELECT w.kind, e.employee_no AS who, i.code AS indicator, m.measured_on, w.attainment, round(w.threshold, 2) AS threshold, w.worse_pct,
         w.withdrawn_by IS NOT NULL AS withdrawn, b.employee_no AS told, n.body, n.withdrawn_at IS NOT NULL AS notice_withdrawn
    FROM warning w JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) LEFT JOIN measurement m USING (measurement_id)
    LEFT JOIN notification n ON n.decision_id = w.decision_id LEFT JOIN employee b ON b.employee_id = n.recipient_id ORDER BY w.warning_id;
SELECT create_indicator('客户响应时间', definition => '平均响应小时数', standard => '越短越好', kind => 'quantitative', direction => 'lower', aggregation => 'mean') > 0 AS made,
       create_indicator('良品率', definition => '合格比例', standard => '合格÷总数', formula => '$.good / $.total * 100', warn_below => 90) > 0 AS made;

-- LIV-04.1: 1 h, 1 h, 1 h, then 3 h: 200.00 % worse, and one notice to the manager
SELECT count(record_measurement(e, '客户响应时间', d::date, jsonb_build_object('actual', 1))) AS stored
  FROM unnest(ARRAY['E010', 'E011', 'E021', 'E031']) AS e, unnest(ARRAY['2023-01-31', '2023-02-28', '2023-03-31']) AS d;
SELECT count(*) AS warnings FROM warned;
SELECT record_measurement('E010', '客户响应时间', '2023-04-30', '{"actual": 3}') > 0 AS stored;
SELECT 'LIV-04.1' AS id, kind, who, attainment, threshold, worse_pct, told FROM warned;
SELECT body FROM warned;
SELECT d.cause, d.rule, d.inputs - 'indicator' AS inputs, d.outcome FROM decision d WHERE d.kind = 'warning.decline';
-- 1.1 h is 10 % worse: none; 1.2 h is 20 %: one; LIV-04.2: 0.5 h is better: none
SELECT record_measurement('E011', '客户响应时间', '2023-04-30', '{"actual": 1.1}') > 0 AS ten, record_measurement('E021', '客户响应时间', '2023-04-30', '{"actual": 1.2}') > 0 AS twenty,
       record_measurement('E031', '客户响应时间', '2023-04-30', '{"actual": 0.5}') > 0 AS better;
SELECT 'LIV-04.1' AS id, who, attainment, worse_pct, told FROM warned WHERE who <> 'E010';
SELECT 'LIV-04.2' AS id, w.* FROM measurement m CROSS JOIN LATERAL worsening(m.measurement_id, 3) w WHERE m.measured_on = '2023-04-30' AND m.employee_id = find_employee('E031');
-- where more is better it is the other way round; judged scores and rates have no "actual"; the third before does not count twice
SELECT count(record_measurement('E003', '客户满意度', d::date, jsonb_build_object('score', v))) AS stored
  FROM (VALUES ('2023-01-31', 10), ('2023-02-28', 80), ('2023-03-31', 90), ('2023-04-30', 100), ('2023-05-31', 72), ('2023-06-30', 60), ('2023-07-31', 100)) AS m (d, v);
SELECT measured_on, attainment, threshold, worse_pct, told FROM warned WHERE who = 'E003';
-- the settings: another limit, another number of readings, off
BEGIN;
SELECT set_setting('decline.pct', '10') AS pct, record_measurement('E011', '客户响应时间', '2023-05-31', '{"actual": 1.2}') > 0 AS stored;
SELECT attainment, threshold, worse_pct FROM warned WHERE who = 'E011';
ROLLBACK;
BEGIN;
SELECT set_setting('decline.periods', '1') AS periods, record_measurement('E090', '客户响应时间', '2023-04-30', '{"actual": 1}') > 0 AS stored, record_measurement('E090', '客户响应时间', '2023-05-31', '{"actual": 2}') > 0 AS stored;
SELECT attainment, threshold, worse_pct, told FROM warned WHERE who = 'E090';
ROLLBACK;
BEGIN;
SELECT set_setting('decline.pct', NULL) IS NULL AS off, record_measurement('E011', '客户响应时间', '2023-05-31', '{"actual": 9}') > 0 AS stored;
SELECT count(*) AS warnings FROM warned WHERE who = 'E011';
ROLLBACK;
-- from nothing to anything worse is all of it: 100 %
SELECT count(record_measurement('E020', '客户响应时间', d::date, jsonb_build_object('actual', v))) AS stored
  FROM (VALUES ('2023-01-31', 0), ('2023-02-28', 0), ('2023-03-31', 0), ('2023-04-30', 5)) AS m (d, v);
SELECT count(*) AS warnings FROM warned WHERE who = 'E020';
-- one notice per reading, whatever is written to it
UPDATE measurement SET facts = facts WHERE measured_on = '2023-04-30';
UPDATE measurement SET source = 'crm' WHERE measured_on = '2023-04-30' AND employee_id = find_employee('E010');
SELECT count(*) AS warnings, count(DISTINCT body) AS notices FROM warned WHERE who = 'E010';
BEGIN; SELECT sentence('warning.decline', args, 'en') FROM notification WHERE kind = 'warning.decline' ORDER BY notification_id LIMIT 1; ROLLBACK;
SELECT * FROM verify();

-- LIV-03 a correction: the warning no longer has a cause, and is withdrawn by a decision
SELECT record_measurement('E031', '良品率', '2023-02-01', '{"good": 89, "total": 100}') > 0 AS below;
SELECT kind, attainment, withdrawn, told, body, notice_withdrawn FROM warned WHERE indicator = '良品率';
UPDATE measurement SET facts = '{"good": 95, "total": 100}' WHERE indicator_id = find_indicator('良品率');
SELECT 'LIV-03' AS id, kind, attainment, withdrawn, notice_withdrawn FROM warned WHERE indicator = '良品率';
SELECT d.kind, d.cause, d.inputs - 'measurement' AS inputs, d.outcome ? 'withdraws' AS withdraws FROM decision d WHERE d.kind = 'warning.withdraw';
SELECT count(*) AS open FROM open_warning WHERE indicator_code = '良品率';
-- back below: a new warning with a notice of its own; corrected to another figure below: the old one gives way to a new one
UPDATE measurement SET facts = '{"good": 88, "total": 100}' WHERE indicator_id = find_indicator('良品率');
UPDATE measurement SET facts = '{"good": 87, "total": 100}' WHERE indicator_id = find_indicator('良品率');
SELECT attainment, withdrawn, told, notice_withdrawn FROM warned WHERE indicator = '良品率';
-- a reading of the day before that came late and was below already: the crossing was there, not here
SELECT record_measurement('E031', '良品率', '2023-01-31', '{"good": 80, "total": 100}') > 0 AS late;
SELECT measured_on, attainment, withdrawn FROM warned WHERE indicator = '良品率' AND NOT withdrawn;
-- a deletion
DELETE FROM measurement WHERE indicator_id = find_indicator('良品率') AND measured_on = '2023-01-31';
SELECT count(*) AS standing FROM warned WHERE indicator = '良品率' AND NOT withdrawn;
-- and of declines: the reading, or one of those it was compared with
UPDATE measurement SET facts = '{"actual": 2}' WHERE employee_id = find_employee('E010') AND measured_on = '2023-04-30';
SELECT attainment, worse_pct, withdrawn, notice_withdrawn FROM warned WHERE who = 'E010';
UPDATE measurement SET facts = '{"actual": 4}' WHERE employee_id = find_employee('E010') AND measured_on = '2023-01-31';
SELECT attainment, worse_pct, withdrawn, notice_withdrawn FROM warned WHERE who = 'E010';
UPDATE measurement SET facts = '{"actual": 3}' WHERE employee_id = find_employee('E010') AND measured_on = '2023-04-30';
SELECT attainment, threshold, worse_pct, withdrawn, notice_withdrawn FROM warned WHERE who = 'E010';
-- another formula: what was 60 of 100 is no longer known to be bad
SELECT count(*) AS standing FROM warned WHERE who = 'E003' AND NOT withdrawn;
UPDATE indicator SET formula = '$.none' WHERE code = '客户满意度';
SELECT count(*) AS standing FROM warned WHERE who = 'E003' AND NOT withdrawn;
SELECT * FROM verify();

-- LIV-05: the manager records what was done; it leaves the open list
SELECT kind, employee_no, employee_name, indicator_code, measured_on, attainment, worse_pct FROM open_warning ORDER BY warning_id;
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT employee_no, indicator_code, worse_pct FROM open_warning; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acting; SELECT count(*) AS own_team FROM open_warning; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acting; SELECT employee_no FROM open_warning ORDER BY employee_no; COMMIT;
SELECT warning_id AS w FROM open_warning WHERE employee_no = 'E010' \gset
SELECT warning_id AS gone FROM warning WHERE withdrawn_by IS NOT NULL ORDER BY warning_id LIMIT 1 \gset
BEGIN; SELECT act_as('E020') > 0 AS acting, handle_warning(:w, '调整工作安排'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E010') > 0 AS acting, handle_warning(:w, '我没事'); ROLLBACK;
SELECT handle_warning(:w, ' 。 '); \echo :LAST_ERROR_SQLSTATE
SELECT handle_warning(:w, NULL);
SELECT handle_warning(999999, 'x'); \echo :LAST_ERROR_SQLSTATE
SELECT handle_warning(NULL, 'x');
SELECT handle_warning(:gone, '调整工作安排'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, handle_warning(:w, '调整工作安排') = now() AS handled; COMMIT;
SELECT 'LIV-05' AS id, handled_by, handled_at IS NOT NULL AS handled, handling, (SELECT count(*) FROM open_warning WHERE warning_id = :w) AS in_open_list FROM warning WHERE warning_id = :w;
SELECT d.kind, d.reason, d.decided_by, d.outcome FROM decision d WHERE d.kind = 'warning.handle';
\set VERBOSITY terse
SELECT handle_warning(:w, '再来一次');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();

-- verify(): a warning without cause, one that went, a figure that differs, a handling nobody decided
CREATE TEMP TABLE w AS SELECT max(warning_id) FILTER (WHERE kind = 'decline') AS decline, max(warning_id) FILTER (WHERE kind = 'threshold') AS threshold FROM warning WHERE withdrawn_by IS NULL;
BEGIN; UPDATE warning SET attainment = 89.5 WHERE warning_id = (SELECT threshold FROM w); SELECT problem, expected, found FROM verify(); ROLLBACK;
BEGIN; UPDATE warning SET withdrawn_by = NULL WHERE warning_id = (SELECT min(warning_id) FROM warning WHERE employee_id = find_employee('E003')); SELECT problem, found FROM verify(); ROLLBACK;
BEGIN; UPDATE warning SET attainment = 2.9 WHERE warning_id = (SELECT decline FROM w); SELECT problem, expected, found FROM verify(); ROLLBACK;
BEGIN; DELETE FROM warning WHERE warning_id = (SELECT decline FROM w); SELECT problem, expected, found FROM verify(); ROLLBACK;
BEGIN; UPDATE warning SET handled_at = now(), handled_by = 'x', handling = 'y' WHERE warning_id = (SELECT threshold FROM w); SELECT problem, expected, found FROM verify(); ROLLBACK;
DROP SCHEMA warning_test CASCADE;
