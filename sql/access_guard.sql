-- access: nobody is nobody, whoever asks; what stands between people and books, and who finds it edited by hand (SEC-01, SEC-02, SEC-06).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SELECT hrloop.install('access_guard_test') IS NOT NULL AS installed;
\getenv abs_srcdir PG_ABS_SRCDIR
\set company :abs_srcdir '/test/fixtures/company.sql'
\set history :abs_srcdir '/test/fixtures/history.sql'
\set busy :abs_srcdir '/test/fixtures/busy.sql'
\set books access_guard_test
\set ECHO none
\o /dev/null
\i :company
\i :history
\i :busy
SELECT * FROM create_roles('access_guard');
\o
\set ECHO all
\set SHOW_CONTEXT never
CREATE TABLE public.access_guard_seen (role text, object text, rows bigint, error text);
GRANT INSERT ON public.access_guard_seen TO PUBLIC;

-- a login that is nobody, in every role: no row of any table or view but those that are everybody's
SELECT format('CREATE ROLE %I LOGIN IN ROLE %I', 'access_guard_nobody_' || role, db_role) FROM role_mapping ORDER BY role \gexec
CREATE FUNCTION public.access_guard_look() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE o record; n bigint; e text;
BEGIN
  TRUNCATE public.access_guard_seen;
  FOR o IN SELECT m.role, x.object, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
             FROM role_mapping m CROSS JOIN right_object x
             JOIN pg_attribute a ON a.attrelid = x.oid AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(m.db_role, x.oid, a.attnum, 'SELECT')
            WHERE x.action = 'SELECT' GROUP BY m.role, x.object LOOP
    EXECUTE format('SET SESSION AUTHORIZATION %I', 'access_guard_nobody_' || o.role);
    BEGIN
      n := NULL; e := NULL;
      EXECUTE format('SELECT count(*) FROM (SELECT %s FROM access_guard_test.%I OFFSET 0) t', o.columns, o.object) INTO n;
    EXCEPTION WHEN OTHERS THEN e := SQLERRM;
    END;
    RESET SESSION AUTHORIZATION;
    INSERT INTO public.access_guard_seen VALUES (o.role, o.object, n, e);
  END LOOP;
  RETURN (SELECT count(DISTINCT object) FROM public.access_guard_seen);
END $$;
SELECT public.access_guard_look() > 150 AS objects;
SELECT s.object, string_agg(s.role, ' ' ORDER BY s.role) AS roles, min(s.error) AS error
  FROM public.access_guard_seen s LEFT JOIN table_rule t ON t.table_name = s.object
 WHERE (s.rows > 0 OR s.error IS NOT NULL) AND t.sees IS DISTINCT FROM 'public' GROUP BY s.object ORDER BY 1;
-- there is something to see: the same in the eyes of HR
UPDATE employee SET db_role = 'access_guard_nobody_hr' WHERE employee_no = 'E090';
SELECT public.access_guard_look() > 150 AS objects;
SELECT count(*) > 30 AS tables_with_rows FROM public.access_guard_seen s JOIN table_rule t ON t.table_name = s.object WHERE s.role = 'hr' AND s.rows > 0 AND t.sees <> 'public';
UPDATE employee SET db_role = NULL WHERE employee_no = 'E090';
-- what row policies ask, asked by nobody about every row; a function that a policy asks and that is not here has not been thought of
SELECT DISTINCT p.oid::regproc::text COLLATE "C" AS asked FROM pg_policy l JOIN pg_class c ON c.oid = l.polrelid
  JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = l.oid AND d.refclassid = 'pg_proc'::regclass JOIN pg_proc p ON p.oid = d.refobjid
 WHERE c.relnamespace = 'access_guard_test'::regnamespace ORDER BY 1;
CREATE TEMP TABLE asked AS SELECT r.review_id, g.rater_group FROM review r CROSS JOIN rater_group g;
CREATE TEMP TABLE caused AS SELECT DISTINCT cause, cause_id FROM decision;
GRANT SELECT ON asked, caused TO PUBLIC;
SET SESSION AUTHORIZATION access_guard_nobody_manager;
SELECT count(*) > 100 AS asked, count(*) FILTER (WHERE score_shown(review_id, rater_group) IS DISTINCT FROM false) AS shown FROM asked;
SELECT count(*) > 50 AS asked, count(*) FILTER (WHERE result_told(cause, cause_id) IS DISTINCT FROM false) AS told FROM caused;
SELECT actor(), hrloop.visible('access_guard_test.book', NULL) AS visible, hrloop.visible_ids('access_guard_test.book') AS ids, hrloop.acts_for('access_guard_test.book', 'hr') AS hr, setting_on('sec.require_tls') AS on;
RESET SESSION AUTHORIZATION;

-- what only the owner needs, only the owner may call: whatever makes policies, rights or triggers, or writes what these are made of
WITH RECURSIVE making AS (
  SELECT unnest(ARRAY['hrloop.define'::regproc::oid, 'hrloop.audit_attach'::regproc, 'hrloop.erase'::regproc]) AS oid
  UNION
  SELECT d.objid FROM making m JOIN pg_depend d ON d.refobjid = m.oid AND d.refclassid = 'pg_proc'::regclass AND d.classid = 'pg_proc'::regclass
), writing AS (
  SELECT p.oid FROM pg_proc p JOIN pg_class c ON c.relnamespace = p.pronamespace JOIN table_rule t ON t.table_name = c.relname AND t.kind = 'guard'
   WHERE p.pronamespace = 'access_guard_test'::regnamespace AND pg_get_function_sqlbody(p.oid) ~ format('(INSERT INTO|UPDATE|DELETE FROM) (access_guard_test\.)?%s\M', c.relname)
)
SELECT p.oid::regproc AS owners, bool_or(has_function_privilege(m.db_role, p.oid, 'EXECUTE')) AS callable
  FROM (SELECT * FROM making UNION SELECT * FROM writing) x JOIN pg_proc p USING (oid) CROSS JOIN role_mapping m
 WHERE p.pronamespace = 'access_guard_test'::regnamespace GROUP BY p.oid ORDER BY 1;

-- the matrix is the same whatever search_path asks
SELECT count(*) FILTER (WHERE difference) AS differences FROM permission_report();
SET search_path = pg_catalog;
SELECT count(*) FILTER (WHERE difference) AS differences, count(*) > 5000 AS rows FROM access_guard_test.permission_report();
SET search_path = hrloop, access_guard_test;
SELECT count(*) FILTER (WHERE difference) AS differences FROM access_guard_test.permission_report();
SET search_path = access_guard_test, pg_catalog;

-- healthy, and then by hand: what a restore without privileges leaves, and what somebody does
SELECT * FROM guard_problem;
SELECT code, status, value FROM health() WHERE code IN ('public_functions', 'rights', 'logins', 'register') ORDER BY code;
BEGIN;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access_guard_test TO PUBLIC;
SELECT status, value FROM health() WHERE code = 'public_functions';
SELECT apply_rights() > 0 AS statements;
SELECT count(*) FROM guard_problem;
ROLLBACK;
BEGIN;
-- functions that were never granted or taken have no list of rights at all
UPDATE pg_proc SET proacl = NULL WHERE pronamespace = 'access_guard_test'::regnamespace;
SELECT count(*) > 400 AS functions FROM guard_problem WHERE code = 'public_functions';
SELECT apply_rights() > 0 AS statements;
SELECT count(*) FROM guard_problem;
ROLLBACK;
BEGIN;
GRANT UPDATE ON salary TO access_guard_employee;
REVOKE EXECUTE ON FUNCTION act_as(text) FROM PUBLIC;
GRANT CREATE ON SCHEMA access_guard_test TO access_guard_hr;
SELECT * FROM guard_problem ORDER BY 1, 2;
ROLLBACK;
BEGIN;
CREATE ROLE access_guard_gone LOGIN;
UPDATE employee SET db_role = 'access_guard_gone' WHERE employee_no = 'E010';
DROP ROLE access_guard_gone;
UPDATE role_mapping SET db_role = 'access_guard_gone' WHERE role = 'bi';
SELECT code, name, problem FROM guard_problem WHERE code = 'logins' ORDER BY 1, 2, 3;
SELECT status, value FROM health() WHERE code = 'logins';
UPDATE employee SET db_role = session_user WHERE employee_no = 'E011';
SELECT code, name, problem FROM guard_problem WHERE name = 'E011';
ROLLBACK;
-- a login is one employee's
UPDATE employee SET db_role = 'access_guard_nobody_hr' WHERE employee_no IN ('E010', 'E011');
\echo :LAST_ERROR_SQLSTATE
-- rows of the register that contradict what is there
BEGIN;
INSERT INTO role_right (role, object, action) VALUES ('hr', 'no_such_verb(text)', 'EXECUTE'), ('bi', 'employees', 'SELECT');
UPDATE table_rule SET hides = '{salary}' WHERE table_name = 'employee';
UPDATE table_rule SET about = 'whom/review.employee_id' WHERE table_name = 'score';
INSERT INTO follow (table_name, place, function, events, key) VALUES ('score', 999, 'no_such_function', '{insert}', 'score_id');
INSERT INTO personal_reference (table_name, column_name, is_subject, reason) VALUES ('nowhere', 'employee_id', true, 'somebody');
SELECT name, problem FROM guard_problem WHERE code = 'register' ORDER BY 1, 2;
ROLLBACK;
INSERT INTO role_right (role, object, action) VALUES ('boss', 'employee', 'SELECT');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO role_right (role, object, action) VALUES ('hr', 'employee', 'REFERENCES');
\echo :LAST_ERROR_SQLSTATE
UPDATE table_rule SET sees = 'public' WHERE table_name = 'salary' AND (reads IS NOT NULL OR changes IS NOT NULL) OR table_name = 'review';
\echo :LAST_ERROR_SQLSTATE
-- who looks after the books sees it, and nobody else
SELECT format('CREATE ROLE %I LOGIN IN ROLE %I', 'access_guard_login_' || r, 'access_guard_' || r) FROM unnest(ARRAY['executive', 'employee']) r \gexec
UPDATE employee SET db_role = 'access_guard_login_executive' WHERE employee_no = 'E001';
UPDATE employee SET db_role = 'access_guard_login_employee' WHERE employee_no = 'E010';
SET SESSION AUTHORIZATION access_guard_login_executive;
SELECT code, status FROM health() WHERE code IN ('public_functions', 'rights', 'logins', 'register') ORDER BY code;
SET SESSION AUTHORIZATION access_guard_login_employee;
SELECT count(*) FROM health();
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM guard_problem;
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;

DROP SCHEMA access_guard_test CASCADE;
DROP TABLE public.access_guard_seen;
DROP FUNCTION public.access_guard_look();
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname LIKE 'access\_guard\_%' ORDER BY rolname \gexec
