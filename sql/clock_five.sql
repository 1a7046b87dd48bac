-- clock: one overdue of each of the five kinds (NOT-03): review node, plan confirmation, mentor tasks, 24-h answers, 3-month windows.
\set books five_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- what is done once a month whatever happens has tests of its own
UPDATE due_rule SET active = false WHERE code IN ('erasure', 'health_report');
\set SHOW_CONTEXT never
SET datestyle = ISO;

-- a cycle of one team; its node is 2023-06-30, one review is locked and has a plan with mentor sessions from 2023-07-08 on
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30') > 0 AS made, assign_template('2023Q2', 'SALES', job => 'SALES') > 0 AS sales, open_cycle('2023Q2') AS reviews;
SELECT count(submit_score('2023Q2', 'E010', i, v, '按事实评分')) AS scores FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS locked;
SELECT s.session_on FROM plan_session s ORDER BY s.session_on;
-- the head of a branch asks; nobody is above who would answer
SELECT ask_question('‘客户满意度’如何评分?', 'E002', '2023-07-07 09:00') > 0 AS asked;
-- the window of a course finished on 2023-04-09 ends on 2023-07-09
SELECT create_cycle(c, f::date, u::date) > 0 AS made, set_target(c, 'E010', '客户拓展', '{"target": 10}') > 0 AS set
  FROM (VALUES ('2023Q1', '2023-01-01', '2023-03-31'), ('2023Q3', '2023-07-01', '2023-09-30')) AS c (c, f, u);
SELECT count(record_measurement('E010', '客户拓展', d::date, f::jsonb)) AS readings FROM (VALUES
  ('2023-01-09', '{"actual": 1}'), ('2023-01-10', '{"actual": 4}'), ('2023-04-09', '{"actual": 6}'),
  ('2023-04-10', '{"actual": 8}'), ('2023-07-09', '{"actual": 7}'), ('2023-07-10', '{"actual": 1}')) AS m (d, f);
SELECT record_training('E010', '客户拓展技巧', '2023-04-09', 88, external_id => 'T-1') AS stored;
-- not passed, bound to no indicator, finished a day later
SELECT record_training('E010', '客户拓展技巧', '2023-04-01', 20, external_id => 'T-2') AS failed, record_training('E010', '客户谈判', '2023-04-01', 88, external_id => 'T-3') AS unbound,
       record_training('E011', '客户拓展技巧', '2023-04-10', 88, external_id => 'T-4') AS later;

-- NOT-03 with that moment 5 notices, again 0, in the past 0
CREATE TEMP TABLE before AS SELECT max(notification_id) AS id FROM notification;
CREATE TEMP VIEW sent AS
  SELECT n.kind, n.recipient_role AS role, e.employee_no AS who, n.body FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id
   WHERE n.notification_id > (SELECT id FROM before) ORDER BY n.notification_id;
BEGIN;
SELECT 'NOT-03' AS id, rule, done FROM run_due('2023-07-09 09:00') WHERE done > 0;
SELECT 'NOT-03' AS id, count(*) AS notices FROM sent;
SELECT 'NOT-03' AS id, 'again' AS call, sum(done) AS done, (SELECT count(*) FROM sent) AS notices FROM run_due('2023-07-09 09:00');
SELECT 'NOT-03' AS id, 'past' AS call, sum(done) AS done, (SELECT count(*) FROM sent) AS notices FROM run_due('2023-07-08 09:00');
SELECT 'NOT-03' AS id, 'past' AS call, sum(done) AS done, (SELECT count(*) FROM sent) AS notices FROM run_due('2000-01-01');
SELECT 'NOT-03' AS id, 'later that day' AS call, sum(done) AS done, (SELECT count(*) FROM sent) AS notices FROM run_due('2023-07-09 23:59:59');
SELECT * FROM sent;
SELECT * FROM verify();
-- unanswered ones go one level up: once each; that course of the other one ends its window
SELECT rule, done FROM run_due('2023-07-16 09:00') WHERE done > 0;
SELECT rule, done FROM run_due('2023-07-23 09:00') WHERE done > 0;
SELECT kind, role, who, body FROM sent WHERE kind LIKE '%escalated' ORDER BY kind COLLATE "C", body COLLATE "C";
SELECT sum(done) AS again FROM run_due('2023-07-23 09:00');
ROLLBACK;

-- mentor tasks -------------------------------------------------------------------
-- MEN-09's days: on the day itself nothing, on the next one, then no more
BEGIN;
SELECT day, done FROM unnest(ARRAY['2023-07-08 23:59', '2023-07-09 00:00', '2023-07-10 00:00']) WITH ORDINALITY AS d (day, n), LATERAL run_due(day::timestamptz)
 WHERE rule = 'session_overdue' ORDER BY n;
ROLLBACK;
-- several at once are one notice; those of the plan that went, or are done, none
BEGIN;
SELECT done FROM run_due('2023-07-23 09:00') WHERE rule = 'session_overdue';
SELECT who, body FROM sent WHERE kind = 'session.overdue';
SELECT count(*) AS left_to_look_at FROM plan_session WHERE held_on IS NULL AND overdue_at IS NULL;
ROLLBACK;
BEGIN;
SELECT record_progress('2023Q2', 'E010', 3, 100) > 0 AS done, (SELECT done FROM run_due('2023-07-23 09:00') WHERE rule = 'session_overdue') AS notices,
       (SELECT count(*) FROM plan_session WHERE overdue_at IS NOT NULL AND escalated_at IS NULL) AS to_escalate;
ROLLBACK;
BEGIN; SELECT leave('E010', '2023-07-05') > 0 AS gone, (SELECT done FROM run_due('2023-07-23 09:00') WHERE rule = 'session_overdue') AS notices; ROLLBACK;
-- the manager has left: the one above is told, and HR when there is nobody
BEGIN;
SELECT leave('E003', '2023-07-03') > 0 AS gone, (SELECT done FROM run_due('2023-07-09 09:00') WHERE rule = 'session_overdue') AS notices;
SELECT role, who, body FROM sent WHERE kind = 'session.overdue';
ROLLBACK;
-- what was recorded as held is not overdue; later, earlier, another day
BEGIN; SELECT act_as('E003') > 0 AS acting, record_session('2023Q2', 'E010', '2023-07-08', '复盘两次客户拜访') AS held_on; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acting, record_session('2023Q2', 'E010', '2023-07-15', '谈判策略演练', held_on => '2023-07-13', item => 3) AS held_on; COMMIT;
SELECT s.session_on, s.held_on, s.note, s.recorded_by FROM plan_session s ORDER BY s.session_on;
BEGIN;
SELECT done FROM run_due('2023-07-22 09:00') WHERE rule = 'session_overdue';
-- told, then recorded: it goes no further
SELECT done FROM run_due('2023-07-23 09:00') WHERE rule = 'session_overdue';
SELECT record_session('2023Q2', 'E010', '2023-07-22', '补记') AS held_on;
SELECT done FROM run_due('2023-08-20 09:00') WHERE rule = 'session_escalation';
SELECT body FROM sent WHERE kind LIKE 'session.%';
ROLLBACK;
-- taken back: a mistake
SELECT record_session('2023Q2', 'E010', '2023-07-15', held => false) IS NULL AS taken_back;
SELECT s.session_on, s.held_on, s.note, s.recorded_by FROM plan_session s WHERE s.session_on = '2023-07-15';
BEGIN; SELECT act_as('E011') > 0 AS acting, record_session('2023Q2', 'E010', '2023-07-22', '谈过'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT record_session('2023Q2', 'E010', '2023-07-09', '谈过'); \echo :LAST_ERROR_SQLSTATE
SELECT record_session('2023Q2', 'E010', NULL, '谈过');
SELECT record_session('2023Q2', 'E010', '2023-07-22', E'\u3000 …'); \echo :LAST_ERROR_SQLSTATE
SELECT record_session('2023Q2', 'E010', '2023-07-22', '谈过', held_on => '2023-06-30'); \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT record_session('2023Q2', 'E010', '2023-07-22', '谈过', held_on => 'infinity');
\set VERBOSITY default
SELECT record_session('2023Q2', 'E011', '2023-07-22', '谈过'); \echo :LAST_ERROR_SQLSTATE
-- two mentors on one day: which one?
BEGIN;
INSERT INTO resource (code, name, kind, every) VALUES ('M2', '内训师', 'mentor', '7 days');
SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q2', 'E010', resource => 'M2', on_date => '2023-07-01') AS n;
SELECT record_session('2023Q2', 'E010', '2023-07-22', '谈过', item => 4) AS held_on;
SELECT record_session('2023Q2', 'E010', '2023-07-22', '谈过');
ROLLBACK; \echo :LAST_ERROR_SQLSTATE

-- TRN-06 three months before and after; until they have passed 跟踪中 ----------------
SELECT * FROM training_window('E010', '客户拓展技巧', '2023-07-08');
SELECT * FROM training_window('E010', '客户拓展技巧', '2023-07-09');
SELECT * FROM training_window('E011', '客户拓展技巧', '2023-07-10');
SELECT * FROM training_window('E010', '客户谈判');
SELECT * FROM training_window('E010', '无');
BEGIN; SELECT act_as('E011') > 0 AS acting; SELECT count(*) AS of_others FROM training_window('E010', '客户拓展技巧'); SELECT verdict FROM training_window('E011', '客户拓展技巧'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT count(*) AS of_the_team FROM training_window('E010', '客户拓展技巧'); ROLLBACK;
-- the figures of the catalogue, and the last day of a month
SELECT create_indicator(i, definition => i, standard => '按完成率') > 0 AS made FROM unnest(ARRAY['销售额', '客户留存率']) AS i;
UPDATE indicator SET formula = CASE code WHEN '销售额' THEN '$.actual / 10000' ELSE '$.actual' END::jsonpath WHERE code IN ('销售额', '客户留存率');
INSERT INTO resource (code, name, kind) VALUES ('客户谈判技巧', '客户谈判技巧', 'course');
INSERT INTO resource_tag (resource_id, indicator_id) SELECT find_resource('客户谈判技巧'), find_indicator(i) FROM unnest(ARRAY['销售额', '客户留存率']) AS i;
SELECT count(record_measurement('E021', i, d::date, jsonb_build_object('actual', a))) AS readings FROM (VALUES
  ('销售额', '2023-03-31', 1000000), ('客户留存率', '2023-03-31', 70), ('销售额', '2023-06-30', 1160000), ('客户留存率', '2023-06-30', 77)) AS m (i, d, a);
SELECT record_training('E021', '客户谈判技巧', '2023-03-31', 90, external_id => 'T-5') AS stored;
SELECT 'TRN-06' AS id, w.indicator_code, w.until_on, w.growth_pct, w.verdict FROM training_window('E021', '客户谈判技巧', '2023-06-29') w;
SELECT 'TRN-06' AS id, w.indicator_code, w.until_on, w.before, w.after, w.growth_pct, w.verdict FROM training_window('E021', '客户谈判技巧', '2023-06-30') w;
BEGIN;
SELECT 'TRN-06' AS id, day, done FROM unnest(ARRAY['2023-06-29 23:59', '2023-06-30 00:00', '2023-06-30 12:00']) WITH ORDINALITY AS d (day, n), LATERAL run_due(day::timestamptz)
 WHERE rule = 'training_window' ORDER BY n;
SELECT 'TRN-06' AS id, role, who, body FROM sent WHERE kind = 'training.window';
SELECT 'TRN-06' AS id, d.kind, d.rule, d.inputs, d.outcome FROM decision d WHERE d.kind = 'training.window';
ROLLBACK;
-- other months; never; what an import marks as past
BEGIN; SELECT set_setting('training.window_months', '1'), (SELECT done FROM run_due('2023-04-30') WHERE rule = 'training_window') AS done; ROLLBACK;
BEGIN; SELECT set_setting('training.window_months', NULL), (SELECT done FROM run_due('2024-04-30') WHERE rule = 'training_window') AS done; ROLLBACK;
BEGIN; UPDATE training_record SET window_ended_at = now(); SELECT done FROM run_due('2024-04-30') WHERE rule = 'training_window'; ROLLBACK;
\set VERBOSITY terse
SELECT set_setting('training.window_months', '0');
SELECT set_setting('due.session_escalation_days', '-1');
\set VERBOSITY default

-- NOT-03 the rules read by index, and only what they were not through with
BEGIN;
SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT FROM plan_session s WHERE s.held_on IS NULL AND s.overdue_at IS NULL AND s.session_on < '2023-07-09';
EXPLAIN (COSTS OFF) SELECT FROM plan_session s WHERE s.held_on IS NULL AND s.escalated_at IS NULL AND s.overdue_at <= '2023-07-09';
EXPLAIN (COSTS OFF) SELECT FROM training_record t WHERE t.passed AND t.window_ended_at IS NULL AND t.completed_on <= '2023-04-12';
ROLLBACK;
SELECT * FROM verify();
DROP SCHEMA five_test CASCADE;
