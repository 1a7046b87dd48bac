-- develop: plans that come of scores, as drafts and standing (DEV-01 to DEV-08).
\set books develop_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- One indicator that cannot be missed, so that a score is a score alone.
SELECT create_indicator('综合表现', definition => '一切', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('PLAIN', '[{"indicator": "综合表现", "weight": 100}]') > 0 AS template,
       activate_template('PLAIN') > 0 AS active;
-- What a reader wants to see of plans: one line each.
CREATE TEMP VIEW plans AS
  SELECT o.cycle_code AS cycle, o.employee_no AS who, o.status, array_to_string(o.reasons, '+') AS reasons, o.items, o.progress_pct AS pct
    FROM plan_overview o ORDER BY o.cycle_code, o.employee_no, o.plan_id;
CREATE TEMP VIEW items AS
  SELECT c.code AS cycle, e.employee_no AS who, i.position AS n, i.kind, i.title, array_to_string(i.origins, '+') AS origins,
         i.quantity AS q, i.topic, i.due_on
    FROM plan_item i JOIN development_plan p USING (plan_id) JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE p.status <> 'withdrawn' ORDER BY c.code, e.employee_no, i.position;
CREATE TEMP VIEW notices AS
  SELECT split_part(n.event_key, ':', 2)::bigint AS plan, n.recipient_role AS role, e.employee_no AS who, n.kind, n.body, n.withdrawn_at IS NOT NULL AS withdrawn
    FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id
   WHERE n.kind LIKE 'plan.%' ORDER BY n.notification_id;

-- DEV-01.1 only the score: at or below 70 ---------------------------------------
SELECT create_cycle('2022Q3', '2022-07-01', '2022-09-30', 'PLAIN') > 0 AS made, open_cycle('2022Q3') AS reviews;
SELECT e AS who, submit_score('2022Q3', e, '综合表现', v, '按事实评分') AS score
  FROM (VALUES ('E003', 70.00), ('E010', 70.01), ('E011', 92), ('E021', 70.0000), ('E031', 69.9999), ('E090', 0)) AS s (e, v) ORDER BY e;
SELECT lock_cycle('2022Q3', '2022-10-01', skip_incomplete => true) AS locked;
SELECT 'DEV-01.1' AS id, e.employee_no AS who, r.composite, count(p.plan_id) AS plans, max(array_to_string(p.reasons, '+')) AS reasons
  FROM review r JOIN employee e USING (employee_id)
  LEFT JOIN development_plan p ON p.review_id = r.review_id AND p.status <> 'withdrawn'
 WHERE r.cycle_id = find_cycle('2022Q3') AND r.status = 'locked' GROUP BY e.employee_no, r.composite ORDER BY e.employee_no;

-- DEV-01.2 one indicator missed: 75 by that alone, 69 by both --------------------
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, assign_template('2023Q2', 'MAKE', unit_kind => 'production') > 0 AS assigned,
       open_cycle('2023Q2') AS reviews;
SELECT e AS who, submit_score('2023Q2', e, i, v, '按事实评分', facts => f::jsonb) AS score
  FROM (VALUES ('E010', '客户拓展', NULL, '{"actual": 6}'), ('E010', '客户满意度', 85, NULL), ('E010', '销售执行', 85, NULL),
               ('E011', '客户拓展', NULL, '{"actual": 6}'), ('E011', '客户满意度', 75, NULL), ('E011', '销售执行', 75, NULL),
               ('E003', '客户拓展', NULL, '{"actual": 10}'), ('E003', '客户满意度', 71, NULL), ('E003', '销售执行', 71, NULL)) AS s (e, i, v, f);
-- drafts now, standing from the lock on
SELECT * FROM plans WHERE cycle = '2023Q2';

-- DEV-06 in the same transaction: a rollback takes all of it
BEGIN;
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS locked;
SELECT 'DEV-06' AS id, (SELECT count(*) FROM development_plan p WHERE p.employee_id = find_employee('E010') AND p.status = 'proposed') AS plans,
       (SELECT count(*) FROM notices WHERE who IN ('E010', 'E003') AND kind IN ('plan.updated', 'plan.confirm')) AS notices,
       (SELECT count(*) FROM growth_archive g WHERE g.employee_id = find_employee('E010') AND g.kind = 'plan') AS archived;
ROLLBACK;
SELECT 'DEV-06' AS id, (SELECT count(*) FROM development_plan p WHERE p.employee_id = find_employee('E010') AND p.status = 'proposed') AS plans,
       (SELECT count(*) FROM notices WHERE who = 'E010') AS notices,
       (SELECT count(*) FROM growth_archive g WHERE g.employee_id = find_employee('E010') AND g.kind = 'plan') AS archived;
SELECT lock_review('2023Q2', e, '2023-07-01') AS locked FROM unnest(ARRAY['E003', 'E010', 'E011']) AS e;
SELECT 'DEV-01.2' AS id, e.employee_no AS who, r.composite, count(p.plan_id) AS plans, max(array_to_string(p.reasons, '+')) AS reasons
  FROM review r JOIN employee e USING (employee_id)
  LEFT JOIN development_plan p ON p.review_id = r.review_id AND p.status <> 'withdrawn'
 WHERE r.cycle_id = find_cycle('2023Q2') AND r.status = 'locked' GROUP BY e.employee_no, r.composite ORDER BY e.employee_no;
-- DEV-06, TXT-01, TXT-02: exactly one notice to each side, to the letter, and one line in the archive
SELECT 'DEV-06' AS id, n.role, n.who, n.body, n.body = t.body AS to_the_letter
  FROM notices n JOIN (VALUES ('plan.updated', '您的季度发展计划已更新,请查看'), ('plan.confirm', '请确认员工的发展计划')) AS t (kind, body) USING (kind)
 WHERE n.plan = (SELECT p.plan_id FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010')) ORDER BY n.role;
SELECT 'DEV-06' AS id, g.occurred_on, g.kind, g.title FROM growth_archive g WHERE g.employee_id = find_employee('E010') AND g.kind = 'plan';
SELECT 'DEV-06' AS id, count(DISTINCT x) AS transactions FROM (
  SELECT p.xmin::text FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010')
  UNION ALL SELECT n.xmin::text FROM notification n WHERE n.kind IN ('plan.updated', 'plan.confirm') AND n.event_key = (SELECT 'plan:' || p.plan_id FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010'))
  UNION ALL SELECT g.xmin::text FROM growth_archive g WHERE g.employee_id = find_employee('E010') AND g.kind = 'plan') AS t (x);

-- DEV-02.1 the skill behind the missed indicator: one gap, 20 points
SELECT 'DEV-02.1' AS id, e.employee_no AS who, i.code AS indicator, s.code AS skill, g.reason, g.rating, g.required, g.gap
  FROM plan_gap g JOIN development_plan p USING (plan_id) JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) LEFT JOIN skill s USING (skill_id)
 WHERE p.review_id = find_review('2023Q2', 'E010');
-- the other employee's skills were never rated: the indicator stays, no skill is invented
SELECT e.employee_no AS who, i.code AS indicator, g.skill_id, g.reason, g.gap
  FROM plan_gap g JOIN development_plan p USING (plan_id) JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id)
 WHERE p.review_id = find_review('2023Q2', 'E011');
-- DEV-03, DEV-05 one item of each kind; due dates, quantity, weekly sessions
SELECT 'DEV-03' AS id, n, kind, title, origins FROM items WHERE cycle = '2023Q2' AND who = 'E010';
SELECT 'DEV-05' AS id, n, kind, title, q, topic, due_on FROM items WHERE cycle = '2023Q2' AND who = 'E010';
SELECT 'DEV-05' AS id, s.session_on FROM plan_session s JOIN plan_item i USING (plan_item_id) JOIN development_plan p USING (plan_id)
 WHERE p.review_id = find_review('2023Q2', 'E010') ORDER BY s.session_on;
-- other numbers: every 10 days for 40 days from 2023-07-01, and a leap year below
UPDATE resource SET every = '10 days', duration = '40 days' WHERE code = '资深销售';

-- DEV-02.2, DEV-03 nothing missed and 68: the lowest indicator; nobody has a resource for it
SELECT submit_score('2023Q2', 'E031', i, v, '按事实评分') AS score
  FROM (VALUES ('创新提案', 70), ('客户反馈', 70), ('产量', 62), ('质量', 72), ('团队协作', 69)) AS s (i, v);
SELECT lock_review('2023Q2', 'E031', '2023-07-01') AS locked;
SELECT 'DEV-02.2' AS id, r.composite, cardinality(r.missed) AS missed, array_to_string(p.reasons, '+') AS reasons, i.code AS indicator, g.reason, g.skill_id
  FROM review r JOIN development_plan p USING (review_id) JOIN plan_gap g USING (plan_id) JOIN indicator i USING (indicator_id)
 WHERE r.review_id = find_review('2023Q2', 'E031');
SELECT 'DEV-03' AS id, n, kind, title, topic, origins, due_on FROM items WHERE cycle = '2023Q2' AND who = 'E031';
SELECT 'DEV-03' AS id, role, who, body FROM notices WHERE kind = 'plan.no_resource' AND body LIKE '%产量%';

-- DEV-05 the last day of January; DEV-05 with other numbers: 40 days, every 10
SELECT create_cycle('2022Q4', '2022-10-01', '2022-12-31', 'SALES') > 0 AS made, open_cycle('2022Q4') AS reviews;
SELECT submit_score('2022Q4', 'E010', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT lock_review('2022Q4', 'E010', '2023-01-31') AS locked;
SELECT 'DEV-05' AS id, n, kind, due_on FROM items WHERE cycle = '2022Q4';
SELECT s.session_on FROM plan_session s JOIN plan_item i USING (plan_item_id) JOIN development_plan p USING (plan_id)
 WHERE p.review_id = find_review('2022Q4', 'E010') ORDER BY s.session_on;
SELECT unlock_review('2022Q4', 'E010', '评分有误') AS open, lock_review('2022Q4', 'E010', '2024-01-31') AS locked;
-- the same cause: the plan that stood stays as it was, with its days
SELECT n, kind, due_on FROM items WHERE cycle = '2022Q4';

-- DEV-01.3 the lock twice, and a relock after an appeal ---------------------------
SELECT lock_review('2023Q2', 'E010', '2023-07-02') AS locked;
SELECT 'DEV-01.3' AS id, 'locked twice' AS after, count(*) FILTER (WHERE p.status <> 'withdrawn') AS open, count(*) AS all FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010');
SELECT unlock_review('2023Q2', 'E010', '申诉:满意度应为90分') AS open;
SELECT submit_score('2023Q2', 'E010', '客户满意度', 90, '复核回访记录') AS score;
-- while it is open, the plan that stands waits for the next lock
SELECT * FROM plans WHERE cycle = '2023Q2' AND who = 'E010';
SELECT lock_review('2023Q2', 'E010', '2023-07-10') AS locked;
SELECT 'DEV-01.3' AS id, 'relocked at 76' AS after, count(*) FILTER (WHERE p.status <> 'withdrawn') AS open, count(*) AS all FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010');
-- a changed cause: the old plan is withdrawn, a new one made (now by score as well)
SELECT unlock_review('2023Q2', 'E010', '申诉:执行复核') AS open;
SELECT submit_score('2023Q2', 'E010', '销售执行', 55, '回款记录缺失') AS score;
SELECT lock_review('2023Q2', 'E010', '2023-07-20') AS locked;
SELECT * FROM plans WHERE cycle = '2023Q2' AND who = 'E010';
SELECT 'DEV-01.3' AS id, count(*) FILTER (WHERE p.status <> 'withdrawn') AS open, count(*) AS all FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010');
SELECT role, who, kind, withdrawn FROM notices
 WHERE plan IN (SELECT p.plan_id FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010')) ORDER BY plan, kind, withdrawn, body;
-- a cause that is gone: withdrawn for good at the relock
SELECT unlock_review('2023Q2', 'E010', '申诉:客户数以合同为准') AS open;
SELECT submit_score('2023Q2', 'E010', '客户拓展', NULL, '合同12份', facts => '{"actual": 12}'), submit_score('2023Q2', 'E010', '销售执行', 88, '复核回款记录') AS score;
SELECT lock_review('2023Q2', 'E010', '2023-07-30') AS locked;
SELECT 'DEV-01.3' AS id, count(*) FILTER (WHERE p.status <> 'withdrawn') AS open, count(*) AS all FROM development_plan p WHERE p.review_id = find_review('2023Q2', 'E010');
SELECT d.kind, d.inputs -> 'score' AS score, d.outcome -> 'reasons' AS reasons FROM decision d
 WHERE d.cause = 'review' AND d.cause_id = find_review('2023Q2', 'E010') AND d.kind LIKE 'plan.%' ORDER BY d.decision_id;

-- DEV-04 four origins in their order; what two of them name comes once -----------
INSERT INTO job_skill SELECT find_job('SALES'), find_skill('客户谈判能力'), 70;
INSERT INTO mentor_advice (employee_id, skill_id, mentor_id, advice) VALUES (find_employee('E011'), find_skill('团队协作'), find_employee('E003'), '需要提升团队协作');
INSERT INTO development_request (employee_id, resource_id, requested_on, status, decided_by) VALUES
  (find_employee('E011'), find_resource('数据分析'), '2023-08-01', 'approved', find_employee('E003')),
  (find_employee('E011'), find_resource('高效协作'), '2023-08-02', 'approved', find_employee('E003')),
  (find_employee('E011'), find_resource('客户谈判'), '2023-08-03', 'rejected', find_employee('E003'));
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'SALES') > 0 AS made, assign_template('2023Q3', 'PLAIN', unit_kind => 'production') > 0 AS plain, open_cycle('2023Q3') AS reviews;
SELECT submit_score('2023Q3', 'E011', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT lock_review('2023Q3', 'E011', '2023-10-01') AS locked;
SELECT 'DEV-04' AS id, n, kind, title, origins FROM items WHERE cycle = '2023Q3' AND who = 'E011';
-- nobody decides on a request of their own
INSERT INTO development_request (employee_id, resource_id, requested_on, status, decided_by) VALUES (find_employee('E010'), find_resource('数据分析'), '2023-08-01', 'approved', find_employee('E010'));
-- who already has what the position needs gets nothing for it; a resource that is off is not used
INSERT INTO skill_rating (employee_id, skill_id, rating, rated_on) VALUES (find_employee('E010'), find_skill('客户谈判能力'), 70, '2023-08-01');
UPDATE resource SET active = false WHERE code = 'Q3新客户开发项目';
SELECT submit_score('2023Q3', 'E010', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT n, kind, title, origins FROM items WHERE cycle = '2023Q3' AND who = 'E010';
-- plan.max_items cuts from the end
SELECT set_setting('plan.max_items', '2');
SELECT unlock_review('2023Q3', 'E011', '计划过长') AS open, lock_review('2023Q3', 'E011', '2023-10-01') AS locked;
SELECT n, title, origins FROM items WHERE cycle = '2023Q3' AND who = 'E011';
SELECT set_setting('plan.max_items', '8');
UPDATE resource SET active = true WHERE code = 'Q3新客户开发项目';

-- DEV-07 two sides confirm ---------------------------------------------------------
-- nobody is acting (the message would name the login)
\set VERBOSITY sqlstate
SELECT confirm_plan('2023Q3', 'E011');
\set VERBOSITY default
-- a third person, even HR
BEGIN; SELECT act_as('E090') > 0 AS acting, confirm_plan('2023Q3', 'E011'); ROLLBACK;
-- a draft
BEGIN; SELECT act_as('E010') > 0 AS acting, confirm_plan('2023Q3', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, 'DEV-07' AS id, 'manager only' AS after, confirm_plan('2023Q3', 'E011') AS status; COMMIT;
BEGIN; SELECT act_as('E003') > 0 AS acting, 'DEV-07' AS id, 'manager again' AS after, confirm_plan('2023Q3', 'E011') AS status; COMMIT;
SELECT 'DEV-07' AS id, status, employee_confirmed_at IS NOT NULL AS employee, manager_confirmed_at IS NOT NULL AS manager FROM plan_overview WHERE cycle_code = '2023Q3' AND employee_no = 'E011' AND status <> 'withdrawn';
BEGIN; SELECT act_as('E011') > 0 AS acting, 'DEV-07' AS id, 'employee too' AS after, confirm_plan('2023Q3', 'E011') AS status; COMMIT;
SELECT 'DEV-07' AS id, status, employee_confirmed_at IS NOT NULL AS employee, manager_confirmed_at IS NOT NULL AS manager FROM plan_overview WHERE cycle_code = '2023Q3' AND employee_no = 'E011' AND status <> 'withdrawn';
-- the other order
BEGIN; SELECT act_as('E031') > 0 AS acting, confirm_plan('2023Q2', 'E031') AS status; COMMIT;
BEGIN; SELECT act_as('E030') > 0 AS acting, confirm_plan('2023Q2', 'E031') AS status; COMMIT;
SELECT confirm_plan('2023Q9', 'E011');
SELECT confirm_plan(NULL, NULL);

-- a plan made anew has to be confirmed anew
SELECT unlock_review('2023Q3', 'E011', '恢复') AS open, lock_review('2023Q3', 'E011', '2023-10-01') AS locked;
SELECT status, items, manager_confirmed_at FROM plan_overview WHERE cycle_code = '2023Q3' AND employee_no = 'E011' AND status <> 'withdrawn';
-- a manager who left leaves nobody stuck: today's manager confirms
BEGIN;
SELECT leave('E003', '2024-12-01') > 0 AS gone, act_as('E011') > 0 AS acting, confirm_plan('2023Q3', 'E011') AS status;
SELECT act_as('E002') > 0 AS acting, confirm_plan('2023Q3', 'E011') AS status;
ROLLBACK;
-- DEV-08 progress --------------------------------------------------------------------
SELECT n, title FROM items WHERE cycle = '2023Q2' AND who = 'E011';
SELECT record_progress('2023Q2', 'E011', 1, 100), record_progress('2023Q2', 'E011', 2, 50), record_progress('2023Q2', 'E011', 3, 0) AS plan;
SELECT 'DEV-08.1' AS id, progress_pct FROM plan_overview WHERE cycle_code = '2023Q2' AND employee_no = 'E011';
-- other numbers: (100 + 33.5 + 0) / 3
SELECT record_progress('2023Q2', 'E011', 2, 33.5);
SELECT record_progress('2023Q2', 'E011', 2, 33.5, '重新核算') AS plan;
-- DEV-08.3 back only with a reason; punctuation is none
SELECT 'DEV-08.3' AS id, record_progress('2023Q2', 'E011', 1, 80); \echo :LAST_ERROR_SQLSTATE
SELECT 'DEV-08.3' AS id, record_progress('2023Q2', 'E011', 1, 80, ' ……!');
SELECT 'DEV-08.3' AS id, record_progress('2023Q2', 'E011', 1, 80, '补考后更正') AS plan;
INSERT INTO plan_progress (plan_item_id, progress) SELECT i.plan_item_id, 10 FROM plan_item i JOIN development_plan p USING (plan_id) WHERE p.review_id = find_review('2023Q2', 'E011') AND i.position = 1;
\set VERBOSITY terse
SELECT record_progress('2023Q2', 'E011', 1, 100.01);
SELECT record_progress('2023Q2', 'E011', 1, -1);
\set VERBOSITY default
SELECT record_progress('2023Q2', 'E011', 9, 10);
SELECT record_progress('2023Q3', 'E010', 1, 10);
-- done before it was confirmed: completed by the second confirmation
SELECT record_progress('2023Q2', 'E011', n, 100) AS plan FROM generate_series(1, 3) AS n;
SELECT status FROM plan_overview WHERE cycle_code = '2023Q2' AND employee_no = 'E011';
BEGIN; SELECT act_as('E003') > 0 AS acting, confirm_plan('2023Q2', 'E011') AS status; COMMIT;
BEGIN; SELECT act_as('E011') > 0 AS acting, confirm_plan('2023Q2', 'E011') AS status; COMMIT;
-- and back again
SELECT record_progress('2023Q2', 'E011', 3, 40, '项目延期') AS plan;
SELECT status, progress_pct FROM plan_overview WHERE cycle_code = '2023Q2' AND employee_no = 'E011';

SELECT * FROM verify();
SET client_min_messages = warning;
DROP SCHEMA develop_test CASCADE;
