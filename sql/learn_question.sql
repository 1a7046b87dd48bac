-- The question corner: an answer within 24 hours, or it goes one level up (TRN-04).
\set books question_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW told AS
  SELECT n.kind, n.recipient_role AS role, e.employee_no AS who, n.body FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id ORDER BY n.notification_id;
BEGIN;
SELECT act_as('E010') > 0 AS acting, ask_question('‘客户满意度’如何评分?', asked_at => '2023-05-01 09:00') AS question;
COMMIT;
SELECT ask_question('权重怎么定?', 'E011', '2023-05-01 09:00') AS question;
SELECT kind, role, who, body FROM told;
-- TRN-04 answered after 24 hours to the second: in time; nobody but HR and heads
BEGIN; SELECT act_as('E011') > 0 AS acting, 'TRN-04' AS id, answer_question(1, '按回访平均分', answered_at => '2023-05-02 09:00'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- nor the head of another department, nor in the name of HR
BEGIN; SELECT act_as('E020') > 0 AS acting, answer_question(1, '按回访平均分', answered_at => '2023-05-02 09:00'); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acting, answer_question(1, '按回访平均分', answered_by => 'E090', answered_at => '2023-05-02 09:00'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
UPDATE question SET answer = '按回访平均分', answered_by = find_employee('E011'), answered_at = '2023-05-02 09:00' WHERE question_id = 1;
SELECT answer_question(1, '按回访平均分', answered_at => '2023-05-02 09:00'); \echo :LAST_ERROR_SQLSTATE
SELECT answer_question(1, ' ?', 'E003');
SELECT answer_question(99, '按回访平均分', 'E003');
\set VERBOSITY terse
SELECT answer_question(1, '按回访平均分', 'E003', '2023-05-01 08:59');
SELECT ask_question('…', 'E010');
\set VERBOSITY default
BEGIN; SELECT act_as('E011') > 0 AS acting, ask_question('我的分数?', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, 'TRN-04' AS id, answer_question(1, '按回访平均分', answered_at => '2023-05-02 09:00') AS in_time; COMMIT;
-- the second answer changes nothing
SELECT answer_question(1, '另一个答案', 'E090', '2023-05-03 09:00') AS in_time;
SELECT 'TRN-04' AS id, question_id, employee_no, status, overdue, answered_by, due_at FROM question_status ORDER BY question_id;
SELECT kind, role, who, body FROM told WHERE kind = 'question.answered';
-- TRN-04 the other: at 24 hours not yet, a second later overdue, one escalation however often the clock runs
SELECT 'TRN-04' AS id, at, done FROM unnest(ARRAY['2023-05-02 09:00:00', '2023-05-02 09:00:01', '2023-05-02 09:00:01', '2023-05-02 10:00', '2023-05-02 09:00:00', '2023-06-02 09:00']) WITH ORDINALITY AS d (at, n),
       LATERAL run_due(at::timestamptz) WHERE rule = 'question_overdue' ORDER BY n;
SELECT 'TRN-04' AS id, role, who, body FROM told WHERE kind = 'question.overdue';
SELECT 'TRN-04' AS id, question_id, escalated_at FROM question WHERE escalated_at IS NOT NULL;
-- HR answers late
SELECT 'TRN-04' AS id, answer_question(2, '由岗位决定', 'E090', '2023-05-02 11:00') AS in_time;
SELECT 'TRN-04' AS id, question_id, status, overdue FROM question_status ORDER BY question_id;
-- the hours are a setting
SELECT ask_question('何时开始?', 'E031', '2023-05-03 09:00') AS question, set_setting('qa.sla_hours', '48');
SELECT sum(done) AS done FROM run_due('2023-06-03 09:00') WHERE rule = 'question_overdue';
SELECT ask_question('何时结束?', 'E031', '2023-06-03 09:00') AS question, set_setting('qa.sla_hours', NULL);
SELECT sum(done) AS done FROM run_due('2023-07-03 09:00') WHERE rule = 'question_overdue';
SELECT * FROM verify();
DROP SCHEMA question_test CASCADE;
