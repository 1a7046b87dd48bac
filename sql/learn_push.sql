-- Courses pushed by position (TRN-01).
\set books push_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

INSERT INTO resource (code, name, kind) SELECT c, c, 'course' FROM unnest(ARRAY['考核指标解读', '如何提升团队协作', '良品率指标的计算逻辑', '回款率与业绩的关联']) AS c;
SELECT add_course_push('考核指标解读') > 0 AS everybody, add_course_push('如何提升团队协作') > 0 AS everybody,
       add_course_push('良品率指标的计算逻辑', unit_kind => 'production') > 0 AS production, add_course_push('回款率与业绩的关联', job => 'SALES') > 0 AS sales;
SELECT add_course_push('资深销售'); \echo :LAST_ERROR_SQLSTATE
CREATE TEMP VIEW sent AS
  SELECT e.employee_no AS who, array_agg(o.code ORDER BY o.resource_id) AS courses FROM enrolment x JOIN employee e USING (employee_id) JOIN resource o USING (resource_id)
   GROUP BY e.employee_no ORDER BY e.employee_no;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made;
SELECT 'TRN-01' AS id, count(*) AS before FROM enrolment;
SELECT open_cycle('2023Q2') AS reviews;
SELECT 'TRN-01' AS id, * FROM sent WHERE who IN ('E010', 'E031', 'E090');
-- one notice for each, and a second run adds 0
SELECT 'TRN-01' AS id, e.employee_no AS who, n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id
 WHERE n.kind = 'course.pushed' AND e.employee_no IN ('E010', 'E021') ORDER BY n.notification_id;
SELECT 'TRN-01' AS id, (SELECT count(*) FROM enrolment) AS enrolments, count(*) AS notices FROM notification n WHERE n.kind = 'course.pushed';
SELECT 'TRN-01' AS id, open_cycle('2023Q2') AS reviews, push_courses('2023-04-01') AS added;
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'SALES') > 0 AS made, open_cycle('2023Q3') AS reviews;
SELECT 'TRN-01' AS id, (SELECT count(*) FROM enrolment) AS enrolments, count(*) AS notices FROM notification n WHERE n.kind = 'course.pushed';
-- who joins, and who changes position
SELECT hire('E012', '王五', 'SH', 'SALES', '2023-05-01', manager => 'E003') > 0 AS hired, transfer('E031', '2023-06-01', unit => 'SH', job => 'SALES') > 0 AS moved;
SELECT 'TRN-01' AS id, * FROM sent WHERE who IN ('E012', 'E031');
-- not what somebody has passed already, and no course that is off; who has left gets none
SELECT record_training('E021', '客户谈判', '2023-05-02', 80, external_id => 'g-1');
SELECT add_course_push('客户谈判', job_family => 'technology') > 0 AS passed, add_course_push('高效协作') > 0 AS off, add_course_push('数据分析', unit_kind => 'technology') > 0 AS new,
       add_course_push('数据分析', job => 'TECHNICIAN') > 0 AS twice, leave('E020', '2023-06-15') > 0 AS gone;
UPDATE resource SET active = false WHERE code = '高效协作';
SELECT push_courses('2023-06-20') AS added, push_courses('2023-06-20') AS again;
SELECT * FROM sent WHERE who IN ('E020', 'E021');
SELECT * FROM verify();
DROP SCHEMA push_test CASCADE;
