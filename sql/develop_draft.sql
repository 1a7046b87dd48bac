-- develop: a team of plans (DEV-08), drafts that follow the scores, settings, goals against facts (REV-10).
\set books draft_test
\set by_hand '{growth_archive}'
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

-- what a plan is made of, beside missed indicators; somebody who reads another language has a plan
INSERT INTO job_skill SELECT find_job('SALES'), find_skill('客户谈判能力'), 70;
INSERT INTO mentor_advice (employee_id, skill_id, mentor_id, advice) VALUES (find_employee('E011'), find_skill('团队协作'), find_employee('E003'), '需要提升团队协作');
INSERT INTO development_request (employee_id, resource_id, requested_on, status, decided_by) VALUES
  (find_employee('E011'), find_resource('数据分析'), '2023-08-01', 'approved', find_employee('E003')),
  (find_employee('E011'), find_resource('高效协作'), '2023-08-02', 'approved', find_employee('E003')),
  (find_employee('E011'), find_resource('客户谈判'), '2023-08-03', 'rejected', find_employee('E003'));
INSERT INTO skill_rating (employee_id, skill_id, rating, rated_on) VALUES (find_employee('E010'), find_skill('客户谈判能力'), 70, '2023-08-01');
SELECT create_cycle('2022Q3', '2022-07-01', '2022-09-30', 'PLAIN') > 0 AS made, open_cycle('2022Q3') AS reviews, submit_score('2022Q3', 'E021', '综合表现', 70.0000, '按事实评分') AS score;

-- DEV-08.2 a team of 20 plans, 15 of them completed
SELECT hire('E040', '郑主管', 'PROD', 'MANAGER', '2019-01-01', manager => 'E001') > 0 AS hired;
SELECT count(hire('P' || lpad(n::text, 2, '0'), '员工' || n, 'PROD', 'WORKER', '2020-01-01', manager => 'E040')) AS hired FROM generate_series(1, 20) AS n;
SELECT create_cycle('2023Q4', '2023-10-01', '2023-12-31', 'PLAIN') > 0 AS made, open_cycle('2023Q4') AS reviews;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT r.review_id, find_indicator('综合表现'), find_employee('E040'), 65, '按事实评分'
  FROM review r JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('2023Q4') AND e.employee_no LIKE 'P%';
SELECT lock_cycle('2023Q4', '2024-01-01', skip_incomplete => true) AS locked;
BEGIN;
SELECT act_as('E040') > 0 AS acting;
SELECT count(confirm_plan('2023Q4', 'P' || lpad(n::text, 2, '0'))) AS confirmed FROM generate_series(1, 20) AS n;
COMMIT;
SELECT format('BEGIN; SELECT act_as(%L) > 0 AS acting; SELECT confirm_plan(''2023Q4'', %1$L) AS status; COMMIT', 'P' || lpad(n::text, 2, '0')) FROM generate_series(1, 20) AS n
\set ECHO none
\o /dev/null
\gexec
\o
\set ECHO all
SELECT status, count(*) FROM plan_overview WHERE cycle_code = '2023Q4' GROUP BY status;
-- reported by the table itself, in one statement
INSERT INTO plan_progress (plan_item_id, progress)
SELECT i.plan_item_id, 100 FROM plan_item i JOIN development_plan p USING (plan_id) JOIN employee e USING (employee_id)
 WHERE p.cycle_id = find_cycle('2023Q4') AND e.employee_no <= 'P15';
SELECT 'DEV-08.2' AS id, t.* FROM team_plan_completion('2024-02-01') t WHERE t.manager_no = 'E040';
SELECT 'DEV-08.2' AS id, t.* FROM team_plan_completion('2024-01-31') t WHERE t.manager_no = 'E040';

-- drafts follow the scores -----------------------------------------------------------
SELECT create_cycle('2024Q1', '2024-01-01', '2024-03-31', 'SALES') > 0 AS made, open_cycle('2024Q1') AS reviews;
-- not before the scores are complete
SELECT submit_score('2024Q1', 'E010', '客户拓展', 60, '按事实评分'), submit_score('2024Q1', 'E010', '客户满意度', 85, '按事实评分') AS score;
SELECT * FROM plans WHERE cycle = '2024Q1';
SELECT submit_score('2024Q1', 'E010', '销售执行', 85, '按事实评分') AS score;
SELECT * FROM plans WHERE cycle = '2024Q1';
-- another reason is added, the draft follows
SELECT submit_score('2024Q1', 'E010', '销售执行', 60, '更正') AS score;
SELECT * FROM plans WHERE cycle = '2024Q1';
SELECT i.code AS indicator, s.code AS skill, g.gap FROM plan_gap g JOIN development_plan p USING (plan_id) JOIN indicator i USING (indicator_id) LEFT JOIN skill s USING (skill_id)
 WHERE p.review_id = find_review('2024Q1', 'E010') AND p.status = 'draft' ORDER BY g.plan_gap_id;
-- the cause goes: the draft is withdrawn, and so is its notice
SELECT submit_score('2024Q1', 'E010', '销售执行', 85, '更正'), submit_score('2024Q1', 'E010', '客户拓展', 75, '更正') AS score;
SELECT * FROM plans WHERE cycle = '2024Q1';
SELECT role, who, kind, body, withdrawn FROM notices WHERE plan IN (SELECT p.plan_id FROM development_plan p WHERE p.review_id = find_review('2024Q1', 'E010')) ORDER BY kind, body, withdrawn;
-- the employee was told nothing of drafts, and the archive has none
SELECT count(*) FROM notification n WHERE n.recipient_id = find_employee('E010') AND split_part(n.event_key, ':', 2)::bigint IN (SELECT p.plan_id FROM development_plan p WHERE p.review_id = find_review('2024Q1', 'E010')) AND n.kind LIKE 'plan.%';
SELECT count(*) FROM growth_archive g WHERE g.source_id IN (SELECT p.plan_id FROM development_plan p WHERE p.review_id = find_review('2024Q1', 'E010')) AND g.kind = 'plan';
-- a score taken back: the review is incomplete, the draft goes
SELECT submit_score('2024Q1', 'E010', '客户拓展', 50, '更正') AS score;
DELETE FROM score WHERE review_id = find_review('2024Q1', 'E010') AND indicator_id = find_indicator('客户拓展');
SELECT * FROM plans WHERE cycle = '2024Q1';

-- settings -------------------------------------------------------------------------------
SELECT create_cycle('2024Q2', '2024-04-01', '2024-06-30', 'SALES') > 0 AS made, open_cycle('2024Q2') AS reviews;
SELECT set_setting('plan.score_threshold', '60'), set_setting('plan.on_missed', 'false');
SELECT e AS who, submit_score('2024Q2', e, i, v, '按事实评分') AS score
  FROM (VALUES ('E003', '客户拓展', 60), ('E003', '客户满意度', 60), ('E003', '销售执行', 60),
               ('E010', '客户拓展', 60), ('E010', '客户满意度', 61), ('E010', '销售执行', 60)) AS s (e, i, v);
SELECT * FROM plans WHERE cycle = '2024Q2';
-- missed, but only below 65
SELECT set_setting('plan.score_threshold', NULL), set_setting('plan.on_missed', 'true'), set_setting('plan.missed_max_score', '65');
SELECT e AS who, submit_score('2024Q2', e, i, v, '按事实评分') AS score
  FROM (VALUES ('E011', '客户拓展', 65), ('E011', '客户满意度', 65), ('E011', '销售执行', 65),
               ('E021', '客户拓展', 65), ('E021', '客户满意度', 64.99), ('E021', '销售执行', 65)) AS s (e, i, v);
SELECT * FROM plans WHERE cycle = '2024Q2';
SELECT set_setting('plan.score_threshold', '70'), set_setting('plan.missed_max_score', NULL);
-- a setting holds for open reviews at once: recompute finds nothing left to do
SELECT count(*) AS plans FROM plans WHERE cycle = '2024Q2';
SELECT hrloop.recompute('book', ARRAY(SELECT r.review_id FROM review r WHERE r.cycle_id = find_cycle('2024Q2'))) AS recomputed;
SELECT * FROM plans WHERE cycle = '2024Q2';
-- every reader in their own language
SELECT role, who, kind, body FROM notices WHERE who = 'E020' AND kind LIKE 'plan.draft%' ORDER BY body COLLATE "C";
SELECT lock_review('2024Q2', 'E021', '2024-07-01') AS locked;
SELECT role, who, body FROM notices WHERE who = 'E021' AND kind = 'plan.updated' AND plan = (SELECT p.plan_id FROM development_plan p WHERE p.review_id = find_review('2024Q2', 'E021'));

-- tables refuse what makes no sense ------------------------------------------------------
\set VERBOSITY terse
INSERT INTO resource (code, name, kind) VALUES ('X', 'X', 'video');
INSERT INTO resource (code, name, kind, every) VALUES ('X', 'X', 'mentor', '1 hour');
\set VERBOSITY default
INSERT INTO resource_tag (resource_id) VALUES (find_resource('数据分析'));
INSERT INTO resource_tag (resource_id, skill_id) VALUES (find_resource('数据分析'), find_skill('数据分析'));
INSERT INTO skill_rating (employee_id, skill_id, rating, rated_on) VALUES (find_employee('E010'), find_skill('销售'), 100.5, '2024-01-01');
INSERT INTO mentor_advice (employee_id, skill_id, advice, advised_on) VALUES (find_employee('E010'), find_skill('销售'), ' ,。', '2024-01-01');
UPDATE growth_archive SET title = '';
DELETE FROM growth_archive;
TRUNCATE growth_archive; \echo :LAST_ERROR_SQLSTATE
SELECT find_skill('无'), find_resource(NULL);

-- every derived row is what its source rows come to
-- REV-10 goals against facts, plans against what was done ----------------------------
SELECT create_cycle('2025Q1', '2025-01-01', '2025-03-31', 'SALES') > 0 AS made, set_target('2025Q1', 'E011', '客户拓展', '{"target": 5}') > 0 AS own, open_cycle('2025Q1') AS reviews;
SELECT submit_score('2025Q1', e, i, v, '按事实评分 ' || e, facts => f::jsonb) AS score
  FROM (VALUES ('E010', '客户拓展', NULL, '{"actual": 8}'), ('E010', '客户满意度', 85, NULL), ('E010', '销售执行', 85, NULL),
               ('E011', '客户拓展', NULL, '{"actual": 6}'), ('E021', '客户拓展', 72, NULL)) AS s (e, i, v, f);
SELECT lock_review('2025Q1', 'E010', '2025-04-01') AS locked;
SELECT record_progress('2025Q1', 'E010', i.position, 50) > 0 AS progress FROM plan_item i JOIN development_plan p USING (plan_id)
 WHERE p.review_id = find_review('2025Q1', 'E010') AND i.kind = 'course';
SELECT 'REV-10' AS id, employee_no, manager_no, indicator_code, target, actual, attainment_pct, missed, verdict FROM goal_vs_actual WHERE cycle_code = '2025Q1' ORDER BY employee_no, position;
SELECT 'REV-10' AS id, employee_no, kind, title, progress_pct, status FROM plan_vs_execution WHERE cycle_code = '2025Q1' ORDER BY employee_no, position;
BEGIN; SELECT act_as('E021') > 0 AS acting; SELECT DISTINCT verdict FROM goal_vs_actual WHERE cycle_code = '2025Q1' ORDER BY verdict; ROLLBACK;

SELECT * FROM verify();
SET client_min_messages = warning;
DROP SCHEMA draft_test CASCADE;
