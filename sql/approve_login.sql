-- approve: another login of somebody is what two people want (SEC-01).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SELECT hrloop.install('approve_login_test') IS NOT NULL AS installed;
\getenv abs_srcdir PG_ABS_SRCDIR
\set fixture :abs_srcdir '/test/fixtures/company.sql'
\set books approve_login_test
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all
\set SHOW_CONTEXT never
SELECT hire('E091', '马人事', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS hr, hire('E092', '财务', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS finance;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E091')), ('finance', find_employee('E092'));
CREATE TEMP VIEW decisions AS
  SELECT d.kind, e.employee_no AS whose, d.inputs, d.outcome, d.reason, d.decided_by FROM decision d LEFT JOIN employee e USING (employee_id);
-- SEC-01: another login is another person: two people, and neither is the one -----------------
CREATE ROLE approve_new_a LOGIN;
CREATE ROLE approve_new_b LOGIN;
CREATE ROLE approve_no_login;
BEGIN; SELECT act_as('E090') > 0 AS hr; UPDATE employee SET db_role = 'approve_new_a' WHERE employee_no = 'E090'; ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS hr; INSERT INTO employee (employee_no, name, hired_on, db_role) VALUES ('E099', '新人', '2023-01-01', 'approve_new_a'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS an_employee; SELECT request_login('E011', 'approve_new_a', '新账号'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E011', 'no_such_login', '新账号'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E011', 'approve_no_login', '新账号'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E011', session_user::text, '新账号') > 0; ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E011', 'approve_new_a', ' '); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E092', 'approve_new_a', '新账号') > 0 AS asked; COMMIT;
BEGIN; SELECT act_as('E091') > 0 AS hr; SELECT request_login('E092', 'approve_new_b', '新账号'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
-- who asked does not confirm; nor is it confirmed in somebody's name, or changed on the way
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT confirm_login('E092'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS hr; UPDATE change_request SET confirmed_by = find_employee('E091'), confirmed_at = now(); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS hr; UPDATE change_request SET value = 'approve_new_b', confirmed_by = actor(), confirmed_at = now(); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS hr; UPDATE change_request SET confirmed_by = actor(), confirmed_at = '2023-01-01'; ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS hr; UPDATE change_request SET confirmed_at = now(); ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS hr; INSERT INTO change_request (employee_id, what, value, reason, requested_by, confirmed_by, confirmed_at) VALUES (find_employee('E011'), 'db_role', 'approve_new_b', '新账号', find_employee('E090'), actor(), now()); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS hr; DELETE FROM change_request; ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS an_employee; SELECT confirm_login('E092'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
-- nor does who stands in for who asked
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT delegate_role('E010', 'hr', current_date, current_date + 1, '休假') > 0 AS given; SELECT act_as('E010') > 0 AS stand_in; SELECT confirm_login('E092'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
SELECT recipient_role, body FROM notification WHERE kind = 'change.requested';
BEGIN; SELECT act_as('E091') > 0 AS hr; SELECT confirm_login('E092') AS login; COMMIT;
SELECT db_role FROM employee WHERE employee_no = 'E092';
SELECT kind, whose, inputs, outcome, reason, decided_by FROM decisions WHERE kind = 'login.change';
-- whom it is about does not confirm
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E091', 'approve_new_b', '新账号') > 0 AS asked; COMMIT;
BEGIN; SELECT act_as('E091') > 0 AS the_person; SELECT confirm_login('E091'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT withdraw_login('E091') > 0 AS withdrawn; COMMIT;
BEGIN; SELECT act_as('E091') > 0 AS hr; SELECT confirm_login('E091'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
-- one login, one employee; and it is taken as it is given
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT request_login('E011', 'approve_new_a', '新账号'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS hr; UPDATE employee SET db_role = NULL WHERE employee_no = 'E092'; ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS hr; SELECT request_login('E092', NULL, '停用') > 0 AS asked; COMMIT;
-- the owner of the books is the second person for one, and enters logins alone
SELECT confirm_login('E092') IS NULL AS gone;
SELECT db_role IS NULL AS gone FROM employee WHERE employee_no = 'E092';
UPDATE employee SET db_role = 'approve_new_a' WHERE employee_no = 'E011';
UPDATE employee SET db_role = NULL WHERE employee_no = 'E011';
SELECT * FROM verify();
DROP SCHEMA approve_login_test CASCADE;
DROP ROLE approve_new_a, approve_new_b, approve_no_login;
