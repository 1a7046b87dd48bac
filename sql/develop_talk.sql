-- Needs improvement: HR talks with the employee (REV-14); a goal is changed after the review (REV-11).
\set books talk_test
\set by_hand '{development_plan,hr_task}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

SELECT create_indicator('综合表现', definition => '一切', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('PLAIN', '[{"indicator": "综合表现", "weight": 100}]') > 0 AS template, activate_template('PLAIN') > 0 AS active;
CREATE TEMP VIEW tasks AS
  SELECT e.employee_no AS who, t.kind, t.status, x.version, t.done_on, t.record FROM hr_task t JOIN employee e USING (employee_id) JOIN decision d USING (decision_id) JOIN review_result x ON x.result_id = d.cause_id ORDER BY t.hr_task_id;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'PLAIN') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT e AS who, submit_score('2023Q2', e, '综合表现', v, '按事实评分') AS score FROM (VALUES ('E010', 70.00), ('E011', 70.01), ('E031', 85)) AS s (e, v);
SELECT count(lock_review('2023Q2', e, '2023-07-01')) AS locked FROM unnest(ARRAY['E010', 'E011', 'E031']) AS e;
-- REV-14 at 70.00 one task and one plan, at 70.01 no task
SELECT 'REV-14' AS id, e.employee_no AS who, x.composite, x.grade, (SELECT count(*) FROM hr_task t WHERE t.source_id = x.review_id) AS tasks,
       (SELECT count(*) FROM development_plan p WHERE p.review_id = x.review_id AND p.status = 'proposed') AS plans
  FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) ORDER BY e.employee_no;
SELECT 'REV-14' AS id, n.recipient_role AS role, n.body, d.kind, d.inputs FROM notification n JOIN decision d USING (decision_id) WHERE n.kind = 'task.talk';
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS again, count(*) AS tasks FROM hr_task;
-- REV-14 not closed without a record, nor by anybody but HR
SELECT close_talk('2023Q2', 'E010', ' …'); \echo :LAST_ERROR_SQLSTATE
SELECT close_talk('2023Q2', 'E010', NULL);
\set VERBOSITY terse
UPDATE hr_task SET status = 'done', closed_by = decision_id;
\set VERBOSITY default
BEGIN; SELECT act_as('E003') > 0 AS acting, close_talk('2023Q2', 'E010', '谈过了'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT close_talk('2023Q2', 'E011', '谈过了'); \echo :LAST_ERROR_SQLSTATE
-- an unlock takes an open task back; the lock that follows decides anew
BEGIN;
SELECT unlock_review('2023Q2', 'E010', '申诉') AS open, submit_score('2023Q2', 'E010', '综合表现', 72, '复核') AS score, lock_review('2023Q2', 'E010', '2023-07-02') AS locked;
SELECT * FROM tasks;
SELECT withdrawn_at IS NOT NULL AS withdrawn FROM notification WHERE kind = 'task.talk';
SELECT unlock_review('2023Q2', 'E010', '申诉') AS open, submit_score('2023Q2', 'E010', '综合表现', 60, '复核') AS score, lock_review('2023Q2', 'E010', '2023-07-03') AS locked;
SELECT * FROM tasks;
ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acting, 'REV-14' AS id, close_talk('2023Q2', 'E010', '约定每两周辅导一次', '2023-07-05') AS status; COMMIT;
SELECT 'REV-14' AS id, * FROM tasks;
SELECT 'REV-14' AS id, d.kind, d.reason, d.decided_by FROM decision d WHERE d.kind = 'task.done';
-- what is behind a task is checked
BEGIN;
UPDATE hr_task SET source_id = find_review('2023Q2', 'E011'), done_on = done_on + 1;
SELECT problem, table_name, replace(expected, find_review('2023Q2', 'E010')::text, '…') AS expected FROM verify_part('tasks') ORDER BY 1;
ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica;
DELETE FROM hr_task;
SELECT problem, table_name, expected, found FROM verify_part('tasks');
ROLLBACK;
INSERT INTO hr_task (kind, employee_id, source_table, source_id, decision_id) SELECT 'dance', employee_id, 'review', source_id, decision_id FROM hr_task; \echo :LAST_ERROR_SQLSTATE
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
BEGIN; SELECT act_as('E011') > 0 AS acting, update_plan_item('2023Q3', 'E011', 1, '休息'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting, update_plan_item('2023Q3', 'E011', 1, '休息'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting, update_plan_item('2023Q3', 'E011', 9, '休息'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, update_plan_item('2023Q3', 'E011', 1, ' '); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
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
BEGIN; SELECT act_as('E011') > 0 AS acting, 'REV-11' AS id, confirm_plan('2023Q3', 'E011') AS status; COMMIT;

-- REV-11 the manager adds an item: version 1, one archive line, one reminder, the employee confirms anew -----
CREATE TEMP VIEW items AS
  SELECT c.code AS cycle, e.employee_no AS who, p.kind AS plan, p.status, i.position AS n, i.kind, i.title, array_to_string(i.origins, '+') AS origins, i.due_on,
         (SELECT max(v.version) FROM plan_item_version v WHERE v.plan_item_id = i.plan_item_id) AS version
    FROM plan_item i JOIN development_plan p USING (plan_id) JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE p.status <> 'withdrawn' ORDER BY c.code, e.employee_no, i.position;
BEGIN; SELECT act_as('E011') > 0 AS acting, add_plan_item('2023Q3', 'E011', '休息'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting, add_plan_item('2023Q3', 'E011', '休息'); ROLLBACK;
\set VERBOSITY sqlstate
SELECT add_plan_item('2023Q3', 'E011', '休息');
SELECT remove_plan_item('2023Q3', 'E011', 1, '不需要');
\set VERBOSITY default
BEGIN;
SELECT act_as('E003') > 0 AS acting;
SELECT 'REV-11' AS id, add_plan_item('2023Q3', 'E011', '客户拜访模拟演练', due_on => '2023-10-31', reason => '回顾会议', on_date => '2023-10-10') AS n;
COMMIT;
SELECT 'REV-11' AS id, n, kind, title, origins, due_on, version, status FROM items;
SELECT 'REV-11' AS id, v.version, v.title, d.kind, d.inputs, d.reason, d.decided_by FROM plan_item_version v JOIN decision d USING (decision_id) WHERE v.title = '客户拜访模拟演练';
SELECT 'REV-11' AS id, g.occurred_on, g.kind, g.title FROM growth_archive g JOIN decision d USING (decision_id) WHERE d.kind = 'plan.item_added';
SELECT 'REV-11' AS id, e.employee_no AS who, n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind = 'plan.item_added';
BEGIN; SELECT act_as('E011') > 0 AS acting, 'REV-11' AS id, confirm_plan('2023Q3', 'E011') AS status; COMMIT;
-- by a resource, with its sessions; without a day it is due when its resource says
BEGIN;
SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', resource => '资深销售', on_date => '2023-10-10') AS n;
SELECT n, kind, title, due_on, version FROM items WHERE kind = 'mentor';
SELECT s.session_on FROM plan_session s ORDER BY s.session_on;
SELECT add_plan_item('2023Q3', 'E011', '另一个名字', resource => '资深销售');
ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- what makes no sense
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', '客户拜访模拟演练'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', E'\u3000…', resource => '数据分析'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', '演练', kind => 'game'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', kind => 'mentor', resource => '数据分析'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', resource => '无'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E011', '演练', due_on => '2023-10-09', on_date => '2023-10-10'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q3', 'E010', '演练'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- locked again for the same cause: the same plan stands, as far as it was confirmed and done
SELECT record_progress('2023Q3', 'E011', 2, 30) AS progress;
SELECT unlock_review('2023Q3', 'E011', '复核') AS open, lock_review('2023Q3', 'E011', '2023-10-12') AS locked;
SELECT 'REV-11' AS id, n, title, version, status FROM items;

-- REV-14 70.00 makes an improvement plan, 70.01 with a missed indicator a development plan -----
SELECT create_cycle('2023Q4', '2023-10-01', '2023-12-31', 'SALES') > 0 AS made, open_cycle('2023Q4') AS reviews;
SELECT e AS who, submit_score('2023Q4', e, i, v, '按事实评分') AS score
  FROM (VALUES ('E010', '客户拓展', 60), ('E010', '客户满意度', 90), ('E010', '销售执行', 70.025),
               ('E011', '客户拓展', 60), ('E011', '客户满意度', 90), ('E011', '销售执行', 70)) AS s (e, i, v);
SELECT 'REV-14' AS id, e.employee_no AS who, n.kind, n.body FROM notification n JOIN decision d USING (decision_id) JOIN employee e ON e.employee_id = d.employee_id
 WHERE n.kind LIKE 'plan.draft%' AND d.cause_id IN (find_review('2023Q4', 'E010'), find_review('2023Q4', 'E011')) ORDER BY n.notification_id;
SELECT count(lock_review('2023Q4', e, '2024-01-02')) AS locked FROM unnest(ARRAY['E010', 'E011']) e;
SELECT 'REV-14' AS id, o.employee_no AS who, x.composite, x.grade, o.kind, o.status, array_to_string(o.reasons, '+') AS reasons, g.title AS archived,
       (SELECT count(*) FROM hr_task t WHERE t.source_id = x.review_id) AS tasks
  FROM plan_overview o JOIN development_plan p USING (plan_id) JOIN review_result x USING (review_id) JOIN growth_archive g ON g.decision_id = p.decision_id
 WHERE o.cycle_code = '2023Q4' ORDER BY o.employee_no;
SELECT sentence('plan.draft_improvement', '{"employee": "Li", "score": 70}', 'en') AS english;
-- the grade is a setting; null: no plan is one of improvement
BEGIN;
SELECT set_setting('task.talk_grade', NULL), unlock_review('2023Q4', 'E011', '复核') AS open, lock_review('2023Q4', 'E011', '2024-01-03') AS locked;
SELECT kind, status FROM plan_overview WHERE cycle_code = '2023Q4' AND employee_no = 'E011' ORDER BY plan_id;
SELECT * FROM verify();
ROLLBACK;

-- REV-11 changed, added and removed items outlive the plan: a relock that plans anew has them, once -----
SELECT 'before' AS at, n, kind, title, origins, due_on, version FROM items WHERE cycle = '2023Q4' AND who = 'E010';
BEGIN; SELECT act_as('E003') > 0 AS acting, remove_plan_item('2023Q4', 'E010', 2, ' '); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT act_as('E003') > 0 AS acting;
SELECT update_plan_item('2023Q4', 'E010', 1, '完成客户拓展培训并提交1篇心得') AS version, update_plan_item('2023Q4', 'E010', 1, '完成客户拓展培训并提交2篇心得') AS version,
       add_plan_item('2023Q4', 'E010', '客户拜访模拟演练', on_date => '2024-01-10') AS own, add_plan_item('2023Q4', 'E010', resource => '高效协作', on_date => '2024-01-10') AS resource,
       update_plan_item('2023Q4', 'E010', 4, '客户拜访模拟演练3次') AS version, remove_plan_item('2023Q4', 'E010', 2, '项目已取消') AS left;
COMMIT;
SELECT 'REV-11' AS id, plan, status, n, kind, title, origins, due_on, version FROM items WHERE cycle = '2023Q4' AND who = 'E010';
SELECT n.kind, n.body FROM notification n WHERE n.kind IN ('plan.item_added', 'plan.item_removed') AND n.recipient_id = find_employee('E010') ORDER BY n.notification_id;
SELECT g.title FROM growth_archive g WHERE g.employee_id = find_employee('E010') AND g.source_table = 'decision' ORDER BY g.growth_archive_id;
SELECT * FROM verify();
-- what the rules would plan now has the resource that the manager added, too
INSERT INTO resource_tag (resource_id, indicator_id) VALUES (find_resource('高效协作'), find_indicator('客户拓展'));
UPDATE resource SET duration = '10 days' WHERE code = '高效协作';
SELECT unlock_review('2023Q4', 'E010', '执行复核') AS open, submit_score('2023Q4', 'E010', '销售执行', 55, '回款记录缺失') AS score, lock_review('2023Q4', 'E010', '2024-01-20') AS locked;
SELECT 'REV-11' AS id, plan, status, n, kind, title, origins, due_on, version FROM items WHERE cycle = '2023Q4' AND who = 'E010';
SELECT 'REV-11' AS id, i.position AS n, v.version, v.title FROM plan_item_version v JOIN plan_item i USING (plan_item_id) JOIN development_plan p USING (plan_id)
 WHERE p.review_id = find_review('2023Q4', 'E010') AND p.status <> 'withdrawn' ORDER BY i.position, v.version;
SELECT 'REV-11' AS id, d.kind, (SELECT jsonb_agg(c.kind ORDER BY c.decision_id) FROM decision c WHERE c.decision_id IN (SELECT jsonb_array_elements(d.inputs -> 'manager')::bigint)) AS carries
  FROM development_plan p JOIN decision d USING (decision_id) WHERE p.review_id = find_review('2023Q4', 'E010') AND p.status <> 'withdrawn';
SELECT * FROM verify();
-- and after an upheld appeal
BEGIN; SELECT act_as('E010') > 0 AS acting, file_appeal('2023Q4', 'E010', '回款记录在案', '2024-01-21') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acting, decide_appeal('2023Q4', 'E010', true, '记录属实', '{"销售执行": 90}', '2024-01-25') AS composite; COMMIT;
SELECT 'REV-11' AS id, plan, status, n, kind, title, origins, due_on, version FROM items WHERE cycle = '2023Q4' AND who = 'E010';
SELECT 'REV-11' AS id, kind, status FROM plan_overview WHERE cycle_code = '2023Q4' AND employee_no = 'E010' ORDER BY plan_id;
-- what was removed can be added again, by its resource
BEGIN; SELECT act_as('E003') > 0 AS acting, add_plan_item('2023Q4', 'E010', resource => 'Q3新客户开发项目', on_date => '2024-02-01') AS n; COMMIT;
-- neither what has been worked on nor the last one can be removed
SELECT record_progress('2023Q4', 'E010', 1, 10) > 0 AS progress;
BEGIN; SELECT act_as('E003') > 0 AS acting, remove_plan_item('2023Q4', 'E010', 1, '取消'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, remove_plan_item('2023Q4', 'E010', 9, '取消'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, remove_plan_item('2023Q4', 'E010', 5, '取消'), remove_plan_item('2023Q4', 'E010', 4, '取消'), remove_plan_item('2023Q4', 'E010', 3, '取消'), remove_plan_item('2023Q4', 'E010', 2, '取消'); SELECT n, title FROM items WHERE cycle = '2023Q4' AND who = 'E010'; SELECT * FROM verify(); SELECT remove_plan_item('2023Q4', 'E010', 1, '取消'); ROLLBACK;
-- verify() sees a change that the plan does not have
BEGIN;
UPDATE plan_change SET title = '别的' WHERE title = '客户拜访模拟演练3次';
UPDATE development_plan SET kind = 'improvement' WHERE review_id = find_review('2023Q4', 'E010') AND status <> 'withdrawn';
SELECT problem, table_name, expected, found FROM verify();
ROLLBACK;
SELECT * FROM verify();
DROP SCHEMA talk_test CASCADE;
