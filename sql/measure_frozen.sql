-- measure: readings that a locked result stands on (LIV-01): they stay; what comes later is kept, or refused by setting.
\set books frozen_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW readings AS
  SELECT m.external_id AS key, e.employee_no AS who, i.code AS indicator, m.measured_on, m.facts FROM measurement m JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id);
SELECT create_indicator('出勤', definition => '不在模板里', standard => '记录', facts => '{"actual": "actual", "checked": "actual"}') > 0 AS of_no_template;
SELECT declare_fact('客户拓展', 'score'), declare_fact('客户拓展', 'checked'), declare_fact('创新提案', 'actual');
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'SALES') > 0 AS made, open_cycle('2023Q1') AS reviews;
SELECT count(record_measurement(e, i, d::date, f::jsonb, 'crm', k)) AS stored FROM (VALUES
  ('E010', '客户拓展', '2023-01-31', '{"actual": 3}', 'in-1'), ('E010', '客户拓展', '2023-03-31', '{"actual": 7}', 'in-2'),
  ('E010', '客户拓展', '2023-04-01', '{"actual": 1}', 'after'), ('E010', '出勤', '2023-02-01', '{"score": 90}', 'other'),
  ('E011', '客户拓展', '2023-01-31', '{"actual": 5}', 'open')) AS m (e, i, d, f, k);
SELECT count(submit_score('2023Q1', 'E010', i, v, '按事实评分')) AS scores FROM (VALUES ('客户拓展', 100), ('客户满意度', 90), ('销售执行', 90)) AS s (i, v);
SELECT lock_review('2023Q1', 'E010', '2023-04-03') AS locked;

-- neither changed, nor deleted, nor moved, by whatever way; the error says whose, of what and of which day
UPDATE measurement SET facts = '{"actual": 8}' WHERE external_id = 'in-2'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM measurement WHERE external_id = 'in-1'; \echo :LAST_ERROR_SQLSTATE
UPDATE measurement SET measured_on = '2023-05-01' WHERE external_id = 'in-1';
UPDATE measurement SET measured_on = '2023-03-01' WHERE external_id = 'after';
UPDATE measurement SET recorded_at = 'infinity' WHERE external_id = 'in-1'; \echo :LAST_ERROR_SQLSTATE
SELECT * FROM readings WHERE who = 'E010' ORDER BY key;
-- what the result does not stand on is free: another day, another indicator, somebody whose review is open, where it came from
BEGIN;
UPDATE measurement SET facts = '{"actual": 2}' WHERE external_id IN ('after', 'other', 'open');
UPDATE measurement SET measured_on = '2023-06-01' WHERE external_id = 'after';
UPDATE measurement SET facts = facts, source = 'crm2' WHERE external_id = 'in-1';
DELETE FROM measurement WHERE external_id IN ('after', 'other', 'open');
SELECT count(*) AS left FROM measurement;
ROLLBACK;

-- LIV-01.3 a reading for a locked review is kept, the score stays; being late it may be corrected, moved and deleted
SELECT record_measurement('E010', '客户拓展', '2023-03-30', '{"actual": 2}', 'crm', 'late') > 0 AS kept;
UPDATE measurement SET facts = '{"actual": 3}' WHERE external_id = 'late';
UPDATE measurement SET measured_on = '2023-03-29' WHERE external_id = 'late';
SELECT 'LIV-01.3' AS id, cycle_code, employee_no, indicator_code, measured_on, facts FROM late_measurement;
SELECT 'LIV-01.3' AS id, s.facts, x.composite FROM initial_score s JOIN review_result x USING (review_id) WHERE s.indicator_id = find_indicator('客户拓展') AND x.review_id = find_review('2023Q1', 'E010');
BEGIN; DELETE FROM measurement WHERE external_id = 'late'; SELECT count(*) AS late FROM late_measurement; ROLLBACK;
-- from the next lock on it counts too, and stays
SELECT unlock_review('2023Q1', 'E010', '合同补录') AS open;
UPDATE measurement SET facts = '{"actual": 4}' WHERE external_id = 'in-1';
SELECT facts FROM initial_score WHERE review_id = find_review('2023Q1', 'E010') AND indicator_id = find_indicator('客户拓展');
SELECT lock_review('2023Q1', 'E010', '2023-04-05') AS locked, (SELECT count(*) FROM late_measurement) AS late;
DELETE FROM measurement WHERE external_id = 'late'; \echo :LAST_ERROR_SQLSTATE

-- an accepted suggestion is a reading as well
SELECT create_template('IDEA', '[{"indicator": "创新提案", "weight": 100}]') > 0 AS made, activate_template('IDEA') > 0 AS active,
       create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'IDEA') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT accept_suggestion(suggest('E031', '改进夹具', '2023-05-05')) AS status, submit_score('2023Q2', 'E031', '创新提案', 80, '一项提案'), lock_review('2023Q2', 'E031', '2023-07-01') AS locked;
SELECT reject_suggestion(max(suggestion_id), '重复提案') FROM suggestion; \echo :LAST_ERROR_SQLSTATE
SELECT status FROM suggestion;

-- a hundred thousand in one statement, one of them frozen: nothing changes, the error names that one
-- (the looking for declines is not what is tested here)
UPDATE follow SET events = '{update}' WHERE table_name = 'measurement' AND function IN ('measurement_arrived', 'warnings_follow');
SELECT apply_follows('measurement') AS statements;
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT find_employee('E021'), find_indicator('出勤'), date '2000-01-01' + n % 3000, '{"score": 1}', 'bulk', n FROM generate_series(1, 99999) AS n;
UPDATE follow SET events = '{insert,update}' WHERE table_name = 'measurement' AND function IN ('measurement_arrived', 'warnings_follow');
SELECT apply_follows('measurement') AS statements;
UPDATE measurement SET facts = facts || '{"checked": 1}' WHERE source = 'bulk' OR external_id = 'in-2'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM measurement WHERE source = 'bulk' OR external_id = 'in-2'; \echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS kept, count(*) FILTER (WHERE facts ? 'checked') AS changed FROM measurement WHERE source = 'bulk';
DELETE FROM measurement WHERE source = 'bulk';

-- by setting nothing late comes in at all: one or a hundred thousand at once
SELECT set_setting('measure.late', 'refuse');
SELECT record_measurement('E010', '客户拓展', '2023-02-28', '{"actual": 1}'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT find_employee('E010'), find_indicator(CASE n WHEN 77777 THEN '客户拓展' ELSE '出勤' END), date '2023-01-01' + n % 90, '{"score": 1}', 'bulk', n FROM generate_series(1, 100000) AS n; \echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS stored FROM measurement WHERE source = 'bulk';
SELECT record_measurement('E010', '客户拓展', '2023-04-02', '{"actual": 1}') > 0 AS of_no_cycle, record_measurement('E011', '客户拓展', '2023-02-28', '{"actual": 1}') > 0 AS open;
UPDATE measurement SET measured_on = '2023-03-31' WHERE external_id = 'after';
\set VERBOSITY terse
SELECT set_setting('measure.late', 'perhaps'); \echo :LAST_ERROR_SQLSTATE
SELECT set_setting('measure.late', NULL);
SELECT * FROM verify();
DROP SCHEMA frozen_test CASCADE;
