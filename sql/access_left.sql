-- access: who has left, or is nobody, has no rights any more, by whatever path (SEC-01, SEC-02).
\set books left_test
\set past yes
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT count(*) AS roles FROM create_roles('regress_left');
SELECT create_cycle('2024Q1', '2024-01-01', '2024-03-31', 'SALES') > 0 AS made, open_cycle('2024Q1') AS reviews;
SELECT submit_score('2024Q1', 'E010', i, CASE WHEN i <> '客户拓展' THEN 80 END, '按事实评分', facts => CASE i WHEN '客户拓展' THEN '{"actual": 8}'::jsonb END) FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) i;
-- HR at work: enters facts and rules, and what others scored
BEGIN; SELECT act_as('E090') > 0 AS acting; SET LOCAL ROLE regress_left_hr;
INSERT INTO job (code, name) VALUES ('NEW', '新岗'); UPDATE job SET name = '新岗位' WHERE code = 'NEW' RETURNING name;
UPDATE score SET rationale = '按记录补充' WHERE review_id = find_review('2024Q1', 'E010') AND indicator_id = find_indicator('销售执行') RETURNING rationale;
ROLLBACK;
-- the same role, acting for nobody
BEGIN; SET LOCAL ROLE regress_left_hr; SELECT actor() IS NULL AS nobody; INSERT INTO job (code, name) VALUES ('NEW', '新岗'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SET LOCAL ROLE regress_left_hr; WITH u AS (UPDATE setting SET value = 'true' WHERE setting = 'pay.auto_apply' RETURNING 1) SELECT count(*) AS changed FROM u; ROLLBACK;
-- they leave, and keep their login
SELECT leave('E090', today()) IS NOT NULL AS hr, leave('E003', today()) IS NOT NULL AS manager;
BEGIN; SELECT act_as('E090') > 0 AS acting; SET LOCAL ROLE regress_left_hr; INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E002')); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting; SET LOCAL ROLE regress_left_hr; INSERT INTO job (code, name) VALUES ('NEW', '新岗'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting; SET LOCAL ROLE regress_left_hr;
WITH u AS (UPDATE setting SET value = 'false' WHERE setting = 'four_eyes.pay' RETURNING 1) SELECT count(*) AS changed FROM u;
WITH u AS (DELETE FROM role_holder RETURNING 1) SELECT count(*) AS removed FROM u;
SELECT count(*) AS seen FROM employee; ROLLBACK;
-- a manager who has left sees themselves, and decides about nobody
BEGIN; SELECT act_as('E003') > 0 AS acting; SET LOCAL ROLE regress_left_manager; SELECT string_agg(employee_no, ' ') AS reviewed FROM review r JOIN employee e USING (employee_id) WHERE hrloop.visible('book'::regclass, r.employee_id) AND e.employee_no <> 'E003';
SELECT lock_review('2024Q1', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- base pay that two people set is set by HR and finance: an executive neither reads the request nor confirms it
SELECT hire('E091', '马人事', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS hr;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E091')), ('executive', find_employee('E002'));
BEGIN; SELECT act_as('E091') > 0 AS acting, set_salary('E011', 15000, '2024-01-01', '调岗') AS row; COMMIT;
BEGIN; SELECT act_as('E002') > 0 AS acting; SET LOCAL ROLE regress_left_executive; SELECT count(*) AS requests FROM change_request; ROLLBACK;
BEGIN; SELECT act_as('E002') > 0 AS acting; UPDATE change_request SET confirmed_by = find_employee('E002'), confirmed_at = now() WHERE what = 'salary'; ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- nor does HR alone enter pay in the table
BEGIN; SELECT act_as('E091') > 0 AS acting; SET LOCAL ROLE regress_left_hr; INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E002'), 99999, '[2024-01-01,)'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- who owns the books has every right, and is no role of the company
\set VERBOSITY sqlstate
SELECT map_role('hr', current_user::text);
SELECT * FROM verify();
DROP SCHEMA left_test CASCADE;
SELECT format('DROP ROLE regress_left_%s', r) FROM unnest(ARRAY['employee', 'mentor', 'manager', 'hr', 'finance', 'executive', 'bi']) r \gexec
