-- access: who is acting and who sees which rows (SEC-02).
\set books access_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- SEC-02: departments A (5 people, its manager among them) and B (4), HR outside both
SELECT add_unit('A', 'Department A', parent => 'GROUP') > 0 AS a, add_unit('B', 'Department B', parent => 'GROUP') > 0 AS b;
SELECT count(hire('A' || n, 'A ' || n, 'A', 'SALES', '2022-01-01', manager => CASE WHEN n > 1 THEN 'A1' END)) AS a FROM generate_series(1, 5) n;
SELECT count(hire('B' || n, 'B ' || n, 'B', 'SALES', '2022-01-01', manager => CASE WHEN n > 1 THEN 'B1' END)) AS b FROM generate_series(1, 4) n;
INSERT INTO unit_head (org_unit_id, employee_id, valid) SELECT find_unit(u), find_employee(u || '1'), daterange('2022-01-01', NULL) FROM unnest(ARRAY['A', 'B']) u;
INSERT INTO salary (employee_id, amount, valid) SELECT employee_id, 8000, daterange('2022-01-01', NULL) FROM employee WHERE employee_no ~ '^[AB]';
SELECT create_template('ONE', '[{"indicator": "质量", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active,
       create_cycle('S', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, open_cycle('S') > 0 AS opened;
-- the acceptance counts nine people: the rest of the sample company is not rated
SET session_replication_role = replica;
DELETE FROM review r USING employee e WHERE e.employee_id = r.employee_id AND e.employee_no !~ '^[AB]';
RESET session_replication_role;
-- an application that may read and call everything: rights are not what holds the line here
CREATE ROLE access_app LOGIN;
CREATE ROLE access_login LOGIN;
GRANT USAGE ON SCHEMA access_test TO access_app, access_login;
GRANT ALL ON ALL TABLES IN SCHEMA access_test TO access_app, access_login;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access_test TO access_app, access_login;
GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA access_test TO access_app, access_login;
CREATE FUNCTION pg_temp.seen(who text, OUT reviews bigint, OUT of_a bigint, OUT of_b bigint, OUT salaries bigint, OUT employees bigint) LANGUAGE SQL AS $$
  SELECT act_as(who);
  SELECT (SELECT count(*) FROM review), (SELECT count(*) FROM review JOIN employee USING (employee_id) WHERE employee_no LIKE 'A%'),
         (SELECT count(*) FROM review JOIN employee USING (employee_id) WHERE employee_no LIKE 'B%'), (SELECT count(*) FROM salary), (SELECT count(*) FROM employee) $$;

-- every table is registered and guarded as table_rule says
SELECT * FROM visibility_problem ORDER BY 1;

SET ROLE access_app;
BEGIN;
SELECT who AS "SEC-02", s.* FROM (VALUES (1, 'manager of A', 'A1'), (2, 'employee', 'A3'), (3, 'HR', 'E090'), (4, 'manager of B', 'B1'), (5, 'head of the company', 'E001'), (6, 'somebody else''s manager', 'E030'), (7, 'nobody', NULL)) AS v (n, who, no), LATERAL pg_temp.seen(no) AS s ORDER BY n;
COMMIT;
SELECT (SELECT count(*) FROM review) AS "unknown identity", (SELECT count(*) FROM unit_head) AS "unknown identity";
RESET ROLE;
-- pay for managers, if it is granted
SELECT set_setting('pay.manager_reads', 'true') AS granted;
SET ROLE access_app;
BEGIN;
SELECT who AS "SEC-02", s.* FROM (VALUES (1, 'manager of A', 'A1'), (2, 'employee', 'A3')) AS v (n, who, no), LATERAL pg_temp.seen(no) AS s ORDER BY n;
COMMIT;
RESET ROLE;
SELECT set_setting('pay.manager_reads', 'false') AS taken;
-- finance reads all pay and the names to it, executives all but pay
INSERT INTO role_holder (role, employee_id) VALUES ('finance', find_employee('E031')), ('executive', find_employee('E020'));
SET ROLE access_app;
BEGIN;
SELECT who AS "SEC-02", s.* FROM (VALUES (1, 'finance', 'E031'), (2, 'executive', 'E020')) AS v (n, who, no), LATERAL pg_temp.seen(no) AS s ORDER BY n;
COMMIT;
RESET ROLE;
-- the owner of the books bypasses row security: pg_dump must be complete
SELECT count(*) = (SELECT count(*) FROM ONLY review WHERE hrloop.visible('book'::regclass, employee_id)) AS owner_sees_all FROM review;
SELECT count(*) AS forced FROM pg_class WHERE relnamespace = 'access_test'::regnamespace AND relforcerowsecurity;

-- who is below: whoever works in a unit that one heads, or in one below it; nobody above, in whatever unit they work besides
BEGIN;
INSERT INTO assignment (employee_id, org_unit_id, job_id, is_primary, valid) VALUES (find_employee('E001'), find_unit('A'), find_job('SALES'), false, daterange('2022-01-01', NULL));
SELECT act_as('A1') AS acting \gset
SELECT hrloop.visible('book'::regclass, find_employee('E001')) AS head_of_all, hrloop.visible('book'::regclass, find_employee('A5')) AS own,
       hrloop.visible('book'::regclass, find_employee('E001'), 'name') AS name_of_head, hrloop.visible('book'::regclass, find_employee('B1'), 'name') AS name_of_another;
-- what changes is seen by the next statement of the same transaction, and back again after ROLLBACK TO
SAVEPOINT s;
SELECT transfer('B3', '2022-06-01', manager => 'A2', unit => 'B') > 0 AS moved;
SELECT hrloop.visible('book'::regclass, find_employee('B3')) AS moved;
ROLLBACK TO s;
SELECT hrloop.visible('book'::regclass, find_employee('B3')) AS moved;
SAVEPOINT s;
UPDATE org_unit SET parent_id = find_unit('A') WHERE code = 'TECH';
SELECT hrloop.visible('book'::regclass, find_employee('E021')) AS below_now;
ROLLBACK TO s;
SELECT act_as(NULL) AS nobody; INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('A1')); SELECT act_as('A1') > 0 AS acting;
SELECT hrloop.visible('book'::regclass, find_employee('E021')) AS hr_now;
ROLLBACK;
-- two who are each other's manager do not hang
BEGIN;
UPDATE assignment SET manager_id = find_employee('A2') WHERE employee_id = find_employee('A1');
SELECT act_as('A1') AS acting \gset
SELECT hrloop.visible('book'::regclass, find_employee('A2')) AS each_other, hrloop.visible('book'::regclass, find_employee('A1')) AS oneself;
ROLLBACK;

-- identity: a direct login is the employee whose db_role it is; unmapped is nobody
SET SESSION AUTHORIZATION access_login;
SELECT actor(), who(), (SELECT count(*) FROM review) AS reviews;
RESET SESSION AUTHORIZATION;
UPDATE employee SET db_role = 'access_login' WHERE employee_no = 'A1';
SET SESSION AUTHORIZATION access_login;
SELECT actor() = find_employee('A1') AS mapped, who(), (SELECT count(*) FROM review) AS reviews, (SELECT count(*) FROM salary) AS salaries;
-- act_as wins over it, until the transaction ends
BEGIN;
SELECT act_as('A3') AS acting \gset
SELECT who(), (SELECT count(*) FROM review) AS reviews;
SELECT act_as(NULL) AS acting;
SELECT who(), (SELECT count(*) FROM review) AS reviews;
COMMIT;
-- another role changes rights, not who it is
SET ROLE access_login;
SELECT who(), (SELECT count(*) FROM review) AS reviews;
RESET SESSION AUTHORIZATION;
BEGIN;
UPDATE employee SET db_role = NULL WHERE employee_no = 'A1';
UPDATE employee SET db_role = 'access_login' WHERE employee_no = 'B2';
SET LOCAL SESSION AUTHORIZATION access_login;
SELECT who(), (SELECT count(*) FROM review) AS reviews;
ROLLBACK;
SET SESSION AUTHORIZATION access_login;
SELECT who(), (SELECT count(*) FROM review) AS reviews;
RESET SESSION AUTHORIZATION;
UPDATE employee SET db_role = NULL WHERE employee_no = 'A1';
SET SESSION AUTHORIZATION access_login;
SELECT actor(), (SELECT count(*) FROM review) AS reviews;
-- nobody can say who they are in any other way
SET hrloop.actor = '1:1:A1'; \echo :LAST_ERROR_SQLSTATE
SELECT set_config('hrloop.actor', '1:1:A1', true); \echo :LAST_ERROR_SQLSTATE
ALTER ROLE access_login SET hrloop.actor = '1:1:A1'; \echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT act_as('A1') AS acting \gset
SAVEPOINT s;
SELECT act_as('E090') AS acting \gset
SELECT count(*) AS reviews FROM review;
ROLLBACK TO s;
SELECT who(), count(*) AS reviews FROM review;
RESET hrloop.actor;
SELECT who(), (SELECT count(*) FROM review) AS reviews;
ROLLBACK;
BEGIN;
SELECT act_as('A1') AS acting \gset
RESET ALL;
DISCARD PLANS;
SELECT access_test.who();
COMMIT;
SELECT access_test.actor();
RESET SESSION AUTHORIZATION;
SET search_path = access_test, pg_catalog;
SET client_min_messages = warning;

-- parallel workers see what their leader sees
CREATE TABLE parallel_review AS SELECT review_id, employee_id FROM review CROSS JOIN generate_series(1, 2000);
ALTER TABLE parallel_review ENABLE ROW LEVEL SECURITY;
CREATE POLICY rows ON parallel_review USING (hrloop.visible('access_test.book'::regclass, employee_id));
GRANT SELECT ON parallel_review TO access_app, access_login;
ANALYZE parallel_review;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
UPDATE employee SET db_role = 'access_login' WHERE employee_no = 'A3';
CREATE FUNCTION pg_temp.workers(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan; RETURN plan -> 0 -> 'Plan' -> 'Plans' -> 0 -> 'Workers Launched'; END $$;
SET ROLE access_app;
BEGIN;
SELECT act_as('A1') AS acting \gset
SELECT count(*) / 2000 AS of_a FROM parallel_review;
SELECT pg_temp.workers('SELECT count(*) FROM parallel_review') > 0 AS parallel;
COMMIT;
SELECT count(*) AS nobody FROM parallel_review;
RESET ROLE;
SET SESSION AUTHORIZATION access_login;
SELECT count(*) / 2000 AS one FROM parallel_review;
RESET SESSION AUTHORIZATION;
UPDATE employee SET db_role = NULL WHERE employee_no = 'A3';
DROP TABLE parallel_review;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- a prepared statement follows the actor, also where its plan was made for one who sees few
SET ROLE access_app;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
BEGIN;
SELECT act_as('A3') AS acting \gset
PREPARE mine AS SELECT count(*) FROM review;
EXECUTE mine;
SELECT act_as('A1') AS acting \gset
EXECUTE mine;
SELECT act_as('E090') AS acting \gset
EXECUTE mine;
SELECT act_as(NULL) AS acting;
EXECUTE mine;
COMMIT;
DEALLOCATE mine;
RESET plan_cache_mode;
RESET enable_seqscan;
RESET ROLE;

-- another company in the same database: an actor of one is nobody in the next
SELECT hrloop.install('access_next') IS NOT NULL AS installed;
SELECT access_next.add_unit('U', 'U', 'company') > 0 AS unit;
INSERT INTO access_next.job (code, name) VALUES ('J', 'J');
SELECT access_next.hire('A1', 'namesake', 'U', 'J', '2020-01-01') > 0 AS hired, access_next.hire('N1', 'next', 'U', 'J', '2020-01-01', manager => 'A1') > 0 AS hired;
GRANT USAGE ON SCHEMA access_next TO access_app;
GRANT ALL ON ALL TABLES IN SCHEMA access_next TO access_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access_next TO access_app;
SET ROLE access_app;
BEGIN;
SELECT access_test.act_as('A1') > 0 AS acting;
SELECT access_next.actor(), (SELECT count(*) FROM access_next.employee) AS next, (SELECT count(*) FROM access_test.review) AS here;
SELECT access_next.act_as('A1') > 0 AS acting;
SELECT access_test.actor(), (SELECT count(*) FROM access_next.assignment) AS next, (SELECT count(*) FROM access_test.review) AS here;
COMMIT;
RESET ROLE;
DROP SCHEMA access_next CASCADE;

-- called in a way they were not made for
SELECT hrloop.visible(NULL, 1); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.visible('book'::regclass, 1, NULL); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.visible('book'::regclass, 1, 'salary'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.visible('employee'::regclass, 1); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.visible(0, 1); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.visible_ids(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.acts_for(NULL, 'hr'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.who('job'::regclass); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.define('book'::regclass, NULL); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.visible('book'::regclass, NULL) AS owner, hrloop.visible('book'::regclass, -1) AS owner, hrloop.acts_for('book'::regclass, NULL) AS owner;
SET ROLE access_app;
SELECT hrloop.visible('book'::regclass, NULL) AS nobody, hrloop.acts_for('book'::regclass, NULL) AS nobody, hrloop.acts_for('book'::regclass, 'hr') AS nobody, hrloop.visible_ids('book'::regclass) AS nobody;
SELECT apply_visibility(); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.define('book'::regclass, ARRAY['ALTER TABLE review DISABLE ROW LEVEL SECURITY']); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- namesakes of functions and operators change nothing
CREATE SCHEMA access_trap;
GRANT ALL ON SCHEMA access_trap TO access_app;
SET ROLE access_app;
CREATE FUNCTION access_trap.visible(regclass, bigint, text DEFAULT 'work') RETURNS boolean LANGUAGE SQL AS 'SELECT true';
CREATE FUNCTION access_trap.actor(regclass) RETURNS bigint LANGUAGE SQL AS 'SELECT 1::bigint';
CREATE FUNCTION access_trap.yes(bigint, bigint) RETURNS boolean LANGUAGE SQL AS 'SELECT true';
CREATE FUNCTION access_trap.contains(daterange, date) RETURNS boolean LANGUAGE SQL AS 'SELECT true';
CREATE OPERATOR access_trap.= (FUNCTION = access_trap.yes, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR access_trap.@> (FUNCTION = access_trap.contains, LEFTARG = daterange, RIGHTARG = date);
CREATE TABLE access_trap.role_holder AS SELECT 'hr'::text AS role, 1::bigint AS employee_id, daterange(NULL, NULL) AS valid;
SET search_path = access_trap, access_test, pg_catalog;
BEGIN;
SELECT access_test.act_as('A3') > 0 AS acting;
SELECT (SELECT count(*) FROM access_test.review) AS reviews, (SELECT count(*) FROM access_test.salary) AS salaries;
COMMIT;
SELECT count(*) AS reviews FROM access_test.review;
RESET ROLE;
SET search_path = access_test, pg_catalog;
DROP SCHEMA access_trap CASCADE;

-- a table that is added later is missed until somebody says who sees it
CREATE TABLE note (note_id bigint PRIMARY KEY, employee_id bigint REFERENCES employee);
SELECT * FROM visibility_problem;
SELECT register_table('note', kind => 'fact', sees => 'public', about => 'employee_id', audit => '{insert}', writes => '{"manager executive": "INSERT DELETE", "employee": "UPDATE(note_id)"}', hides => '{employee_id}');
SELECT * FROM visibility_problem;
UPDATE table_rule SET sees = 'person' WHERE table_name = 'note';
SELECT * FROM visibility_problem;
CREATE POLICY own_addition ON job USING (true);
SELECT apply_tables() AS grants;
SELECT * FROM visibility_problem;
SELECT polname FROM pg_policy WHERE polrelid IN ('note'::regclass, 'job'::regclass) ORDER BY 1;
SELECT role, string_agg(action || coalesce(' of ' || columns::text, ''), ', ' ORDER BY action) AS may FROM role_right WHERE object = 'note' GROUP BY 1 ORDER BY 1;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'note'::regclass AND NOT tgisinternal ORDER BY 1;
-- once, in words that there are, and what is left out is closed
SELECT register_table('note', kind => 'fact'); \echo :LAST_ERROR_SQLSTATE
SELECT register_table('nothing', kind => 'thing'); \echo :LAST_ERROR_SQLSTATE
SELECT register_table('nothing', kind => 'rule', sees => 'public', reads => 'true'); \echo :LAST_ERROR_SQLSTATE
SELECT register_table('nothing', kind => 'log', audit => '{}'); \echo :LAST_ERROR_SQLSTATE
SELECT register_table('nothing', kind => 'fact', texts => '{"a": "hide free text"}'); \echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT register_table('nothing', kind => 'fact', subjects => '{"whose": "whose it is"}', others => '{"by_id": "about whose it is"}',
  texts => '{"a": "blank free text", "b": ["keep code", {"action": "blank", "leaves": "-", "keys": ["x", "y.z"], "months": 24, "because": "evidence"}]}');
SELECT sees, audit, writes FROM table_rule WHERE table_name = 'nothing';
SELECT column_name, is_subject, reason FROM personal_reference WHERE table_name = 'nothing' ORDER BY 1;
SELECT column_name, action, leaves, keys, keep_months, reason FROM erasure_rule WHERE table_name = 'nothing' ORDER BY 1, 2;
ROLLBACK;
-- what is registered is what is: a right, a policy, a trigger that somebody adds or takes is seen elsewhere (permission_report, visibility_problem, audit_command);
-- here that no table is written by a role of people if the engine alone makes its rows, but where it is said
SELECT w.table_name, string_agg(w.role || ' ' || w.writes, ', ' ORDER BY w.role) AS writes
  FROM (SELECT r.table_name, t.role, string_agg(t.action || coalesce('(' || array_to_string(t.columns, ',') || ')', ''), ' ' ORDER BY t.action) AS writes
          FROM table_rule r JOIN role_right t ON t.object = r.table_name
         WHERE r.kind IN ('consequence', 'log') AND t.role <> 'hr' AND t.action <> 'SELECT' GROUP BY 1, 2) AS w GROUP BY 1 ORDER BY 1;
SELECT t.object, t.role, t.action FROM table_rule r JOIN role_right t ON t.object = r.table_name WHERE r.kind = 'guard' AND t.action <> 'SELECT';

SELECT v FROM verify() v;
RESET search_path;
DROP SCHEMA access_test CASCADE;
DROP ROLE access_app;
DROP ROLE access_login;
