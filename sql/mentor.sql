-- mentor: mentoring projects, their schedule, and who sees them (MOB-01).
\set books mentor_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT e.employee_no, e.name, m.employee_no AS manager, holds_role('hr', e.employee_id) AS hr FROM employee e LEFT JOIN employee m ON m.employee_id = manager_of(e.employee_id) ORDER BY 1;
UPDATE employee SET contact = '021-5555-0031' WHERE employee_no = 'E031';
UPDATE employee SET contact = 'zhangsan@example.com' WHERE employee_no = 'E010';
-- the mentor is somebody from elsewhere, whom the mentee otherwise may not see
BEGIN;
SELECT act_as('E003') > 0 AS acting;
SELECT start_mentoring('E010', 'E031', '提升客户拓展能力', ARRAY['客户开发方法', '谈判技巧'], current_date - 40, current_date + 140,
                       ARRAY[current_date + 60, current_date + 30, current_date - 10, current_date + 30]) AS mentorship \gset
COMMIT;
SELECT kind, e.employee_no, n.recipient_role,
       replace(replace(n.body, (current_date - 40)::text, '<from>'), (current_date + 140)::text, '<until>') AS body
  FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE kind LIKE 'mentoring%' ORDER BY kind;
SELECT kind, e.employee_no, decided_by, inputs FROM decision d JOIN employee e USING (employee_id) WHERE kind LIKE 'mentoring%';

-- MOB-01 goal, content, schedule and the mentor's contact, in the document and the view
BEGIN;
SELECT act_as('E010') > 0 AS acting;
SELECT 'MOB-01' AS id, own_role, goal, content, valid_from - current_date AS starts, valid_until - current_date AS ends,
       ARRAY(SELECT s - current_date FROM unnest(sessions) AS s) AS sessions, next_session_on - current_date AS next, partner_no, partner_name, partner_contact FROM my_mentoring;
SELECT 'MOB-01' AS id, s #>> '{mentoring,0,goal}' AS goal, s #>> '{mentoring,0,content}' AS content, jsonb_array_length(s #> '{mentoring,0,sessions}') AS sessions,
       s #>> '{mentoring,0,partner_contact}' AS contact, jsonb_array_length(s -> 'mentoring') AS projects FROM self_service() AS s;
ROLLBACK;
-- the mentor sees the mentee and sets the days; a colleague sees nothing, as the mentee's superior does what concerns them
BEGIN;
SELECT act_as('E031') > 0 AS acting;
SELECT own_role, goal, partner_no, partner_contact FROM my_mentoring;
SELECT schedule_mentoring(:mentorship, ARRAY[current_date + 30, current_date + 90]) AS sessions;
SELECT schedule_mentoring(:mentorship, ARRAY[current_date + 30, current_date + 90]) AS again;
COMMIT;
BEGIN;
SELECT act_as('E011') > 0 AS acting;
SELECT (SELECT count(*) FROM my_mentoring) AS mine, (SELECT count(*) FROM mentoring_partner(:mentorship)) AS partner;
COMMIT;
SELECT (SELECT count(*) FROM my_mentoring) AS nobody, (SELECT count(*) FROM mentoring_partner(:mentorship)) AS partner;

-- wrong calls change nothing
\set VERBOSITY terse
BEGIN; SELECT act_as('E011') > 0 AS acting, schedule_mentoring(:mentorship, '{}'); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acting, end_mentoring(:mentorship, current_date, '不再需要'); ROLLBACK;
BEGIN; SELECT act_as('E031') > 0 AS acting, end_mentoring(:mentorship, current_date, '太忙'); ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acting, start_mentoring('E010', 'E020', '目标', '{要点}', '2023-01-01', '2023-06-30'); ROLLBACK;
SELECT start_mentoring('E010', 'E010', '目标', '{要点}', '2023-01-01', '2023-06-30');
SELECT start_mentoring('E011', 'E020', '目标', '{要点}', '2023-01-01', '2023-06-30', '{2023-02-01,2023-06-30}') AS former \gset
SELECT start_mentoring('E011', 'E020', '目标', '{要点}', '2023-06-30', '2023-12-31');
SELECT start_mentoring('E010', 'E020', '　 。', '{要点}', '2023-01-01', '2023-06-30');
SELECT start_mentoring('E010', 'E020', '目标', '{}', '2023-01-01', '2023-06-30');
SELECT start_mentoring('E010', 'E020', '目标', '{要点,NULL}', '2023-01-01', '2023-06-30');
SELECT start_mentoring('E010', 'E020', '目标', '{要点}', '2023-06-30', '2023-01-01');
SELECT start_mentoring('E010', 'E020', '目标', '{要点}', '1990-01-01', '1990-06-30');
SELECT start_mentoring('E010', 'nobody', '目标', '{要点}', '2023-01-01', '2023-06-30');
SELECT start_mentoring(NULL, NULL, NULL, NULL, NULL, NULL);
SELECT start_mentoring('E010', 'E020', '目标', '{要点}', '2023-01-01', '2023-06-30', '{2023-07-01}');
SELECT schedule_mentoring(:former, '{1999-01-01}');
SELECT schedule_mentoring(:mentorship, NULL);
SELECT schedule_mentoring(:mentorship, '{NULL}');
SELECT schedule_mentoring(-1, '{}');
SELECT end_mentoring(NULL, current_date, '结束');
SELECT end_mentoring(:mentorship, current_date, '');
SELECT end_mentoring(:former, '2023-07-01', '结束');
INSERT INTO mentoring_session (mentorship_id, due_on) VALUES (:former, '1999-01-01');
UPDATE mentorship SET valid = '[2023-01-01,2023-06-30)' WHERE mentorship_id = :former;
DELETE FROM mentorship;
\set VERBOSITY default
SELECT count(*) AS mentorships, (SELECT count(*) FROM mentoring_session) AS sessions FROM mentorship;

-- an end before its time, by HR: later days fall away; the same pair may begin anew
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SELECT end_mentoring(:mentorship, current_date + 30, '学员转岗') AS ended, end_mentoring(:mentorship, current_date + 30, '学员转岗') AS again;
SELECT start_mentoring('E010', 'E031', '巩固谈判技巧', '{谈判技巧}', current_date + 31, current_date + 60) > 0 AS anew;
COMMIT;
SELECT upper(m.valid) - current_date AS days_left, (SELECT count(*) FROM mentoring_session s WHERE s.mentorship_id = m.mentorship_id) AS sessions, m.ended_by IS NOT NULL AS ended
  FROM mentorship m WHERE m.mentee_id = find_employee('E010') ORDER BY m.mentorship_id;
SELECT kind, reason FROM decision WHERE kind LIKE 'mentoring%' ORDER BY decision_id;
SELECT * FROM verify();
SELECT * FROM verify_audit();
