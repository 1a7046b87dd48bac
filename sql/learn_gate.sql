-- Courses before the review (TRN-02, TRN-03).
\set books gate_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

INSERT INTO resource (code, name, kind) SELECT c, c, 'course' FROM unnest(ARRAY['课程1', '课程2', '课程3', '课程4', '课程5', '考核方案知识测试', '良品率解读']) AS c;
-- Courses are finished, exams sat: one line each.
CREATE TEMP VIEW progress AS
  SELECT p.employee_no AS who, r.status, p.completed || '/' || p.courses AS done, p.completed_pct AS pct, p.exam_score AS exam, p.eligible, p.waived, p.progress
    FROM course_progress p JOIN review r USING (review_id) ORDER BY p.employee_no;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made;
SELECT count(require_course('2023Q2', c)) AS courses FROM unnest(ARRAY['课程1', '课程2', '课程3', '课程4', '课程5']) AS c;
SELECT require_course('2023Q2', '考核方案知识测试', exam => true) > 0 AS exam, require_course('2023Q2', '良品率解读', job => 'WORKER') > 0 AS worker;
SELECT require_course('2023Q2', '资深销售'); \echo :LAST_ERROR_SQLSTATE
-- seven have finished before the cycle opens, three have not: E010 80 % and 92, E011 100 % and 59, E031 all but the course of the job
INSERT INTO training_record (employee_id, resource_id, completed_on, score, passed, source, external_id)
SELECT e.employee_id, r.resource_id, '2023-03-20', CASE WHEN r.code <> '考核方案知识测试' THEN NULL WHEN e.employee_no = 'E010' THEN 92 WHEN e.employee_no = 'E011' THEN 59 ELSE 75 END,
       NOT (r.code = '考核方案知识测试' AND e.employee_no = 'E011'), 'platform', e.employee_no || r.code
  FROM employee e, resource r
 WHERE (r.code LIKE '课程%' OR r.code = '考核方案知识测试') AND NOT (e.employee_no = 'E010' AND r.code = '课程5');
SELECT open_cycle('2023Q2') AS reviews;
-- after that the list is frozen
SELECT require_course('2023Q2', '良品率解读'); \echo :LAST_ERROR_SQLSTATE

-- TRN-03 TXT-12 to the letter; ten staff, the list has exactly the three
SELECT 'TRN-03' AS id, who, done, pct, exam, progress, progress = '已完成80%课程,考试得分92分' AS to_the_letter FROM progress WHERE who = 'E010';
SELECT 'TRN-03' AS id, who, status, done, exam, eligible FROM progress;
SELECT 'TRN-03' AS id, p.employee_no, p.employee_name, p.missing FROM course_progress p WHERE NOT eligible ORDER BY p.employee_no;
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SELECT 'TRN-03' AS id, count(*) AS listed FROM course_progress WHERE NOT eligible;
SELECT 'TRN-03' AS id, remind_unfinished('2023Q2', '2023-04-10') AS reminders, remind_unfinished('2023Q2', '2023-04-10') AS again, remind_unfinished('2023Q2', '2023-04-11') AS next_day;
SELECT 'TRN-03' AS id, e.employee_no AS who, n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id
 WHERE n.kind = 'course.remind' AND n.event_key LIKE '%2023-04-10' ORDER BY e.employee_no;
ROLLBACK;
-- a colleague sees nothing of it and reminds nobody; the manager sees the team
BEGIN; SELECT act_as('E021') > 0 AS acting; SELECT who FROM progress; SELECT remind_unfinished('2023Q2'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT who FROM progress; ROLLBACK;

-- TRN-02 80 % and 92: blocked; 100 % and 59: blocked
SELECT 'TRN-02' AS id, submit_score('2023Q2', 'E010', '客户满意度', 85, '回访平均85'); \echo :LAST_ERROR_SQLSTATE
SELECT 'TRN-02' AS id, submit_score('2023Q2', 'E011', '客户满意度', 85, '回访平均85');
SELECT 'TRN-02' AS id, submit_score('2023Q2', 'E010', '客户满意度', 85, '自评', rater_group => 'self'); \echo :LAST_ERROR_SQLSTATE
SELECT e.employee_no AS who, r.status, r.block_reason FROM review r JOIN employee e USING (employee_id) WHERE r.status = 'blocked' ORDER BY 1;
SELECT d.kind, e.employee_no AS who, d.inputs, d.outcome FROM decision d JOIN employee e USING (employee_id) WHERE d.kind LIKE 'review.gate%' ORDER BY e.employee_no;
-- 100 % and 92: allowed, in the same transaction, without another call
SELECT record_training('E010', '课程5', '2023-04-12', external_id => 'e-1') AS recorded, submit_score('2023Q2', 'E010', '客户满意度', 85, '回访平均85') IS NULL AS scored;
-- 100 % and 59.99, failed once more; then 60: allowed
SELECT record_training('E011', '考核方案知识测试', '2023-04-12', 59.99, external_id => 'e-2') AS recorded;
SELECT 'TRN-02' AS id, submit_score('2023Q2', 'E011', '客户满意度', 85, '回访平均85');
SELECT record_training('E011', '考核方案知识测试', '2023-04-13', 60, external_id => 'e-3') AS recorded;
SELECT 'TRN-02' AS id, submit_score('2023Q2', 'E011', '客户满意度', 85, '回访平均85') IS NULL AS scored;
SELECT 'TRN-02' AS id, who, status, done, exam, eligible FROM progress WHERE who IN ('E010', 'E011', 'E031');
SELECT 'TRN-02' AS id, e.employee_no AS who, n.body, n.decision_id IS NOT NULL AS decided FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind = 'course.cleared' ORDER BY 2;
SELECT 'TRN-02' AS id, count(*) AS gates FROM review_gate;
-- a later failure takes nothing back
SELECT record_training('E011', '考核方案知识测试', '2023-04-20', 20, external_id => 'e-4') AS recorded;
SELECT who, status, eligible FROM progress WHERE who = 'E011';

-- HR waives, with a reason, not for itself
SELECT waive_gate('2023Q2', 'E031', ' '); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E030') > 0 AS acting, waive_gate('2023Q2', 'E031', '产线停工'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT waive_gate('2023Q2', 'E021', '没有必要'); \echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SELECT 'TRN-02' AS id, waive_gate('2023Q2', 'E031', '产线停工,下季度补课') AS status;
COMMIT;
SELECT 'TRN-02' AS id, who, status, eligible, waived FROM progress WHERE who = 'E031';
SELECT 'TRN-02' AS id, d.kind, d.inputs, d.reason, d.decided_by FROM decision d WHERE d.kind = 'review.gate_waived';
SELECT 'TRN-02' AS id, submit_score('2023Q2', 'E031', '客户满意度', 85, '回访平均85') IS NULL AS scored;

-- who comes later has to learn too, and a record that is corrected counts
SELECT hire('E012', '王五', 'SH', 'SALES', '2023-05-01', manager => 'E003') > 0 AS hired, open_cycle('2023Q2') AS reviews;
SELECT who, status, done, exam, progress FROM progress WHERE who = 'E012';
INSERT INTO training_record (employee_id, resource_id, completed_on, score, passed, source, external_id)
SELECT find_employee('E012'), r.resource_id, '2023-05-20', CASE r.code WHEN '考核方案知识测试' THEN 40 END, r.code <> '考核方案知识测试', 'platform', 'E012' || r.code
  FROM resource r WHERE r.code LIKE '课程%' OR r.code = '考核方案知识测试';
SELECT who, status, done, exam, progress FROM progress WHERE who = 'E012';
UPDATE training_record SET score = 80, passed = true WHERE external_id = 'E012考核方案知识测试';
SELECT who, status, done, exam, progress FROM progress WHERE who = 'E012';

-- a gate that people put up is not opened by a course; only trainings since a day; another pass mark
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'SALES') > 0 AS made, set_setting('exam.pass_mark', '80'),
       require_course('2023Q3', '考核方案知识测试', exam => true, job_family => 'sales') > 0 AS exam, require_course('2023Q3', '课程1', unit_kind => 'technology', since => '2023-07-01') > 0 AS since;
INSERT INTO review_gate (cycle_id, employee_id, reason) VALUES (find_cycle('2023Q3'), find_employee('E011'), '长期病假');
SELECT open_cycle('2023Q3') AS reviews;
SELECT p.employee_no, r.status, p.completed, p.courses, p.exam_score, p.eligible, p.progress, r.block_reason FROM course_progress p JOIN review r USING (review_id) WHERE p.cycle_code = '2023Q3' ORDER BY 1;
SELECT record_training('E011', '考核方案知识测试', '2023-07-13', 100, external_id => 'f-1'), record_training('E021', '课程1', '2023-07-13', external_id => 'f-2');
SELECT p.employee_no, r.status, p.eligible, r.block_reason FROM course_progress p JOIN review r USING (review_id) WHERE p.cycle_code = '2023Q3' ORDER BY 1;
SELECT * FROM verify();
DROP SCHEMA gate_test CASCADE;
