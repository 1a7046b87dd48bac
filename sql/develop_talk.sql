-- Needs improvement: HR talks with the employee (REV-14); a goal is changed after the review (REV-11).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SELECT hrloop.install('talk_test') IS NOT NULL AS installed;
\getenv abs_srcdir PG_ABS_SRCDIR
\set fixture :abs_srcdir '/test/fixtures/company.sql'
\set books talk_test
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all
\set SHOW_CONTEXT never
SET datestyle = ISO;

SELECT create_indicator('综合表现', definition => '一切', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('PLAIN', '[{"indicator": "综合表现", "weight": 100}]') > 0 AS template, activate_template('PLAIN') > 0 AS active;
CREATE TEMP VIEW tasks AS
  SELECT e.employee_no AS who, t.kind, t.status, x.version, t.talked_on, t.record FROM hr_task t JOIN employee e USING (employee_id) JOIN review_result x USING (result_id) ORDER BY t.hr_task_id;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'PLAIN') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT e AS who, submit_score('2023Q2', e, '综合表现', v, '按事实评分') AS score FROM (VALUES ('E010', 70.00), ('E011', 70.01), ('E031', 85)) AS s (e, v);
SELECT count(lock_review('2023Q2', e, '2023-07-01')) AS locked FROM unnest(ARRAY['E010', 'E011', 'E031']) AS e;
-- REV-14 at 70.00 one task and one plan, at 70.01 no task
SELECT 'REV-14' AS id, e.employee_no AS who, x.composite, x.grade, (SELECT count(*) FROM hr_task t WHERE t.result_id = x.result_id) AS tasks,
       (SELECT count(*) FROM development_plan p WHERE p.review_id = x.review_id AND p.status = 'proposed') AS plans
  FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) ORDER BY e.employee_no;
SELECT 'REV-14' AS id, n.recipient_role AS role, n.body, d.kind, d.inputs FROM notification n JOIN decision d USING (decision_id) WHERE n.kind = 'task.talk';
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS again, count(*) AS tasks FROM hr_task;
-- REV-14 not closed without a record, nor by anybody but HR
SELECT close_talk('2023Q2', 'E010', ' …');
\echo :LAST_ERROR_SQLSTATE
SELECT close_talk('2023Q2', 'E010', NULL);
\set VERBOSITY terse
UPDATE hr_task SET status = 'done', closed_by = decision_id;
\set VERBOSITY default
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT close_talk('2023Q2', 'E010', '谈过了'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
SELECT close_talk('2023Q2', 'E011', '谈过了');
\echo :LAST_ERROR_SQLSTATE
-- an unlock takes an open task back; the lock that follows decides anew
BEGIN;
SELECT unlock_review('2023Q2', 'E010', '申诉') AS open, submit_score('2023Q2', 'E010', '综合表现', 72, '复核') AS score, lock_review('2023Q2', 'E010', '2023-07-02') AS locked;
SELECT * FROM tasks;
SELECT withdrawn_at IS NOT NULL AS withdrawn FROM notification WHERE kind = 'task.talk';
SELECT unlock_review('2023Q2', 'E010', '申诉') AS open, submit_score('2023Q2', 'E010', '综合表现', 60, '复核') AS score, lock_review('2023Q2', 'E010', '2023-07-03') AS locked;
SELECT * FROM tasks;
ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acting; SELECT 'REV-14' AS id, close_talk('2023Q2', 'E010', '约定每两周辅导一次', '2023-07-05') AS status; COMMIT;
SELECT 'REV-14' AS id, * FROM tasks;
SELECT 'REV-14' AS id, d.kind, d.reason, d.decided_by FROM decision d WHERE d.kind = 'task.done';
-- once talked, not again for the same review
SELECT unlock_review('2023Q2', 'E010', '申诉') AS open, submit_score('2023Q2', 'E010', '综合表现', 60, '复核') AS score, lock_review('2023Q2', 'E010', '2023-07-08') AS locked;
SELECT * FROM tasks;

-- REV-11 the manager changes a goal: version 2, version 1 kept, one archive line, one reminder -----
INSERT INTO resource (code, name, kind) VALUES ('拓展', '完成客户拓展培训', 'course');
INSERT INTO resource_tag (resource_id, indicator_id) VALUES (find_resource('拓展'), find_indicator('综合表现'));
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'PLAIN') > 0 AS made, open_cycle('2023Q3') AS reviews;
SELECT submit_score('2023Q3', 'E011', '综合表现', 65, '按事实评分') AS score, lock_review('2023Q3', 'E011', '2023-10-01') AS locked;
BEGIN; SELECT act_as('E011') > 0 AS acting, confirm_plan('2023Q3', 'E011'); SELECT act_as('E003') > 0 AS acting, confirm_plan('2023Q3', 'E011'); COMMIT;
-- nobody but the manager, not even the employee or HR
BEGIN; SELECT act_as('E011') > 0 AS acting; SELECT update_plan_item('2023Q3', 'E011', 1, '休息'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting; SELECT update_plan_item('2023Q3', 'E011', 1, '休息'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT update_plan_item('2023Q3', 'E011', 9, '休息'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT update_plan_item('2023Q3', 'E011', 1, ' '); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT act_as('E003') > 0 AS acting;
SELECT 'REV-11' AS id, update_plan_item('2023Q3', 'E011', 1, '完成客户拓展培训并提交1篇心得', '回顾会议') AS version, update_plan_item('2023Q3', 'E011', 1, '完成客户拓展培训并提交1篇心得') AS again;
COMMIT;
SELECT 'REV-11' AS id, i.title, v.version, v.title AS version_title, d.kind, d.reason
  FROM plan_item i JOIN plan_item_version v USING (plan_item_id) JOIN decision d USING (decision_id) ORDER BY v.version;
SELECT 'REV-11' AS id, g.kind, g.title FROM growth_archive g WHERE g.employee_id = find_employee('E011') AND g.source_table = 'decision';
SELECT 'REV-11' AS id, e.employee_no AS who, n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind = 'plan.item';
-- the employee confirms anew
SELECT 'REV-11' AS id, status, employee_confirmed_at IS NULL AS employee_waits, manager_confirmed_at IS NOT NULL AS manager FROM plan_overview WHERE cycle_code = '2023Q3';
BEGIN; SELECT act_as('E011') > 0 AS acting; SELECT 'REV-11' AS id, confirm_plan('2023Q3', 'E011') AS status; COMMIT;
SELECT * FROM verify();
DROP SCHEMA talk_test CASCADE;
