-- clock: what falls due, found by one function (NOT-02, NOT-03).
\set books clock_test
\set by_hand '{notification,due_event}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- what is done once a month whatever happens has tests of its own
UPDATE due_rule SET active = false WHERE code IN ('erasure', 'health_report');
\set SHOW_CONTEXT never
SET datestyle = ISO;

CREATE TEMP VIEW notices AS
  SELECT n.recipient_role AS role, e.employee_no AS who, n.kind, n.body, n.args ->> 'deadline' AS deadline
    FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id
   WHERE n.kind IN (SELECT k FROM unnest(ARRAY['plan.unconfirmed', 'plan.unmanaged', 'plan.escalated', 'plan.session']) k) ORDER BY n.notification_id;
-- three plans in the team of E003, none elsewhere
SELECT hire('E012', '王五', 'SH', 'SALES', '2022-01-01', manager => 'E003') > 0 AS hired;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT count(submit_score('2023Q2', e, i, v, '按事实评分 ' || e)) AS scores
  FROM unnest(ARRAY['E010', 'E011', 'E012']) e, (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
-- nothing stands yet: nothing is due, only the clock has moved, of every rule that has its setting
SELECT 'NOT-02' AS id, * FROM run_due('2023-06-29 09:00');
SELECT 'NOT-02' AS id, count(*) AS ran FROM due_rule WHERE ran_at IS NOT NULL;
SELECT count(lock_review('2023Q2', e, '2023-07-01')) AS locked FROM unnest(ARRAY['E010', 'E011', 'E012']) e;

-- NOT-02 Wednesday: one reminder with the count, deadline Sunday, to the letter
BEGIN;
-- before the plans stood
SELECT 'NOT-02' AS id, 'before' AS day, done FROM run_due('2023-06-30 23:59:59') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, 'Wednesday' AS day, done FROM run_due('2023-07-05 09:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, role, who, deadline, body, body = '您的团队中有3名员工的发展计划未确认,请于本周内完成' AS to_the_letter FROM notices WHERE kind = 'plan.unconfirmed';
SELECT 'NOT-02' AS id, 'Wednesday again' AS day, done FROM run_due('2023-07-05 09:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, 'Thursday' AS day, done FROM run_due('2023-07-06 09:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, 'Sunday' AS day, done FROM run_due('2023-07-09 23:59:59') WHERE rule = 'plan_unconfirmed';
-- one is confirmed by both sides, one by one side only: two are left
SAVEPOINT s;
SELECT act_as('E010') > 0 AS acting, confirm_plan('2023Q2', 'E010'), confirm_plan('2023Q2', 'E010') AS again;
SELECT act_as('E003') > 0 AS acting, confirm_plan('2023Q2', 'E010'), confirm_plan('2023Q2', 'E011') AS other, act_as(NULL) AS nobody;
SELECT 'NOT-02' AS id, 'Monday' AS day, done FROM run_due('2023-07-10 00:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, role, who, deadline, body FROM notices WHERE kind = 'plan.unconfirmed';
-- a moment in the past, even of a week without a reminder: nothing
SELECT 'NOT-03' AS id, 'past' AS day, done FROM run_due('2023-07-03 09:00') WHERE rule = 'plan_unconfirmed';
DELETE FROM notification WHERE kind = 'plan.unconfirmed';
SELECT 'NOT-03' AS id, 'past' AS day, done FROM run_due('2023-07-05 09:00') WHERE rule = 'plan_unconfirmed';
-- the rest is confirmed: none
SELECT act_as('E011') > 0 AS acting, confirm_plan('2023Q2', 'E011'), act_as('E012') > 0 AS acting, confirm_plan('2023Q2', 'E012'),
       act_as('E003') > 0 AS acting, confirm_plan('2023Q2', 'E012'), act_as(NULL) AS nobody;
SELECT 'NOT-02' AS id, '0 unconfirmed' AS day, done FROM run_due('2023-07-17 09:00') WHERE rule = 'plan_unconfirmed';
ROLLBACK TO s;
-- nobody confirmed: next Monday 1 again
SELECT 'NOT-02' AS id, 'Monday' AS day, done FROM run_due('2023-07-10 00:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, count(*) AS reminders, max(deadline) AS deadline FROM notices WHERE kind = 'plan.unconfirmed';
-- the ISO week at a change of the year: Sunday 2024-01-07 is the deadline of Monday 2024-01-01, and 2023-12-31 still of the week before
SELECT 'NOT-02' AS id, 'year' AS day, done FROM run_due('2023-12-31 09:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, 'year' AS day, done FROM run_due('2024-01-01 09:00') WHERE rule = 'plan_unconfirmed';
SELECT 'NOT-02' AS id, deadline FROM notices WHERE kind = 'plan.unconfirmed' AND deadline > '2023-12-01';
ROLLBACK;

-- a manager who has left: today's manager is reminded; plans of people who have left count for nobody
BEGIN;
SELECT leave('E003', '2023-07-03') > 0 AS gone, leave('E012', '2023-07-03') > 0 AS gone;
SELECT done FROM run_due('2023-07-05 09:00') WHERE rule = 'plan_unconfirmed';
SELECT role, who, body FROM notices WHERE kind = 'plan.unconfirmed';
ROLLBACK;

-- nobody is left to manage them: HR is reminded, once in a week
BEGIN;
SELECT count(leave(e, '2023-07-03')) AS gone FROM unnest(ARRAY['E001', 'E002', 'E003']) e;
SELECT done FROM run_due('2023-07-05 09:00') WHERE rule = 'plan_unconfirmed';
SELECT done FROM run_due('2023-07-06 09:00') WHERE rule = 'plan_unconfirmed';
SELECT done FROM run_due('2023-07-10 09:00') WHERE rule = 'plan_unconfirmed';
SELECT role, who, body FROM notices WHERE kind LIKE 'plan.un%';
ROLLBACK;

-- NOT-03 one level up after 14 days, once per plan; the days are a setting
BEGIN;
SELECT 'NOT-03' AS id, done FROM run_due('2023-07-14 09:00') WHERE rule = 'plan_escalation';
SELECT 'NOT-03' AS id, done FROM run_due('2023-07-15 09:00') WHERE rule = 'plan_escalation';
SELECT 'NOT-03' AS id, done FROM run_due('2023-07-25 09:00') WHERE rule = 'plan_escalation';
SELECT 'NOT-03' AS id, role, who, body FROM notices WHERE kind = 'plan.escalated';
ROLLBACK;
BEGIN;
SELECT set_setting('due.plan_escalation_days', '3');
SELECT 'NOT-03' AS id, done FROM run_due('2023-07-04 09:00') WHERE rule = 'plan_escalation';
ROLLBACK;
BEGIN;
SELECT set_setting('due.plan_escalation_days', NULL);
SELECT 'NOT-03' AS id, done FROM run_due('2023-12-04 09:00') WHERE rule = 'plan_escalation';
ROLLBACK;

-- NOT-03 a mentor session is announced five days ahead, once
BEGIN;
SELECT 'NOT-03' AS id, min(s.session_on) AS first FROM plan_session s;
SELECT 'NOT-03' AS id, day, done FROM unnest(ARRAY['2023-07-02 23:59', '2023-07-03 00:00', '2023-07-03 00:00', '2023-07-07 12:00', '2023-07-10 00:00']) WITH ORDINALITY AS d (day, n),
       LATERAL run_due(day::timestamptz) WHERE rule = 'mentor_session' ORDER BY n;
SELECT 'NOT-03' AS id, role, who, body FROM notices WHERE kind = 'plan.session' AND who = 'E010';
-- on the day itself it is too late
SELECT 'NOT-03' AS id, done FROM run_due('2023-07-15 08:00') WHERE rule = 'mentor_session';
ROLLBACK;

-- REV-10 the review node: three managers, three reminders to the letter, once --------
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30') > 0 AS made, assign_template('2023Q3', 'SALES', job => 'SALES') > 0 AS sales,
       assign_template('2023Q3', 'MAKE', job => 'WORKER') > 0 AS make, assign_template('2023Q3', 'SALES', job => 'TECHNICIAN') > 0 AS tech;
-- before it is opened nobody is asked
SELECT 'REV-10' AS id, done FROM run_due('2023-09-30 09:00') WHERE rule = 'review_node';
BEGIN;
SELECT open_cycle('2023Q3') AS reviews;
UPDATE due_rule SET active = code = 'review_node';
UPDATE review_cycle SET status = 'open' WHERE code = '2023Q2';
DELETE FROM due_event;
INSERT INTO due_event (code, source_id, happened_at) VALUES ('review_node', find_cycle('2023Q2'), '2023-06-30');
SELECT 'REV-10' AS id, day, done FROM unnest(ARRAY['2023-09-29 23:59', '2023-09-30 00:00', '2023-09-30 18:00', '2023-10-01 09:00']) WITH ORDINALITY AS d (day, n),
       LATERAL run_due(day::timestamptz) WHERE rule = 'review_node' ORDER BY n;
SELECT 'REV-10' AS id, n.recipient_role AS role, e.employee_no AS who, n.body, n.body = '请完成团队绩效回顾' AS to_the_letter
  FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind = 'review.node' AND n.args ->> 'cycle' = '2023Q3' ORDER BY e.employee_no;
ROLLBACK;
-- the days are a setting; a cycle that is locked has had its review
BEGIN;
SELECT open_cycle('2023Q3') AS reviews, set_setting('due.review_node_days', '10');
SELECT 'REV-10' AS id, day, done FROM unnest(ARRAY['2023-10-09 23:59', '2023-10-10 00:00']) WITH ORDINALITY AS d (day, n),
       LATERAL run_due(day::timestamptz) WHERE rule = 'review_node' ORDER BY n;
ROLLBACK;

-- a rule that is switched off
BEGIN; UPDATE due_rule SET ran_at = NULL;
UPDATE due_rule SET active = false WHERE code = 'plan_unconfirmed';
SELECT rule, done FROM run_due('2023-07-05 09:00') WHERE done > 0;
ROLLBACK;
SELECT run_due(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT run_due('infinity');

-- NOT-03 who was told is not looked up again, however many plans wait
BEGIN; UPDATE due_rule SET ran_at = NULL;
SELECT count(*) AS told FROM run_due('2023-07-25 09:00') WHERE done > 0;
SELECT sum(seq_scan + idx_scan) AS scans FROM pg_stat_xact_user_tables WHERE relid = 'assignment'::regclass \gset
SELECT 'NOT-03' AS id, sum(done) AS done, (SELECT count(*) FROM unconfirmed_plan('2023-07-11')) AS waiting FROM run_due('2023-07-25 10:00');
SELECT 'NOT-03' AS id, sum(seq_scan + idx_scan) - :scans AS lookups FROM pg_stat_xact_user_tables WHERE relid = 'assignment'::regclass;
ROLLBACK;

-- NOT-03 nothing due reads no table of plans from end to end
BEGIN;
SET LOCAL enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT p.plan_id FROM development_plan p WHERE p.status = 'proposed' AND p.planned_on <= '2023-07-05';
ROLLBACK;

SELECT * FROM verify();
DROP SCHEMA clock_test CASCADE;
