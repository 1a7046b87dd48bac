-- access: the same half a year, whoever writes it: by the owner and by a login; each view as its readers see it (SEC-02).
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
CREATE ROLE access_writer_liu LOGIN;

-- what the engine computes does not depend on who writes: half a year of the sample company, done by the owner and by HR's own login
SELECT hrloop.install('access_owner') IS NOT NULL AS installed, hrloop.install('access_hr') IS NOT NULL AS installed;
\set ECHO none
\o /dev/null
\set books access_owner
\i :company
\i :history
\set books access_hr
\i :company
UPDATE employee SET db_role = CASE employee_no WHEN 'E090' THEN 'access_writer_liu' END;
-- the head of the company decides the raise of HR: managers may read pay here
SELECT set_setting('pay.manager_reads', 'true');
-- and whoever unlocked a review decides what comes of it: one login does it all
SELECT set_setting('four_eyes.pay', 'false');
GRANT USAGE ON SCHEMA access_hr TO access_writer_liu;
GRANT ALL ON ALL TABLES IN SCHEMA access_hr TO access_writer_liu;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access_hr TO access_writer_liu;
SET SESSION AUTHORIZATION access_writer_liu;
\i :history
RESET SESSION AUTHORIZATION;
\o
\set ECHO all
SET search_path = access_hr, pg_catalog;
SELECT count(*) AS differences FROM verify();
CREATE FUNCTION pg_temp.same(name text, columns text) RETURNS TABLE (rows bigint, differences bigint) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE format('WITH a AS (SELECT %2$s FROM access_owner.%1$I), b AS (SELECT %2$s FROM access_hr.%1$I)
  SELECT (SELECT count(*) FROM b), (SELECT count(*) FROM (TABLE a EXCEPT ALL TABLE b) x) + (SELECT count(*) FROM (TABLE b EXCEPT ALL TABLE a) x)', name, columns); END $$;
SELECT t.name, s.* FROM (VALUES
  ('review', 'employee_id, cycle_id, status, composite, self_composite, calibrated, items_scored, missed'), ('review_result', 'review_id, version, composite, grade'),
  ('salary', 'employee_id, amount, valid'), ('salary_adjustment', 'employee_id, cycle_id, status, raise_amount, new_amount'), ('skill_allowance', 'employee_id, component, amount, valid'),
  ('payroll_feed', 'employee_id, kind, entry, amount, effective_on'), ('development_plan', 'employee_id, cycle_id, kind, status, reasons'), ('plan_item', 'plan_id, position, title, progress'),
  ('notification', 'recipient_id, recipient_role, kind, event_key, body'), ('decision', 'kind, employee_id, cause, cause_id, outcome'), ('growth_archive', 'employee_id, occurred_on, kind, title')) AS t (name, columns)
  CROSS JOIN LATERAL pg_temp.same(t.name, t.columns) s;
-- (HR says why a lock is not of today: 20 decisions more, and so other keys of decisions in notices)
-- each view as the owner, HR, a manager and an employee see it, and somebody who is nobody
UPDATE employee SET db_role = NULL;
CREATE FUNCTION pg_temp.rows(who text) RETURNS TABLE (name text, n text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM access_hr.act_as(who);
  FOR name IN SELECT object FROM access_hr.right_object WHERE kind = 'view' AND object NOT IN ('right_object', 'visibility_problem', 'writes_as_caller', 'audit_trail', 'personal_table', 'privacy_gap', 'table_size') LOOP
    EXECUTE format('SELECT count(*) FROM (SELECT * FROM access_hr.%I OFFSET 0) x', name) INTO n;
    RETURN NEXT;
  END LOOP;
END $$;
CREATE TEMP TABLE of_owner AS SELECT * FROM pg_temp.rows(NULL);
GRANT SELECT ON of_owner TO PUBLIC;
SET SESSION AUTHORIZATION access_writer_liu;
BEGIN;
CREATE TEMP TABLE of_hr ON COMMIT DROP AS SELECT * FROM pg_temp.rows('E090');
CREATE TEMP TABLE of_manager ON COMMIT DROP AS SELECT * FROM pg_temp.rows('E003');
CREATE TEMP TABLE of_employee ON COMMIT DROP AS SELECT * FROM pg_temp.rows('E010');
CREATE TEMP TABLE of_nobody ON COMMIT DROP AS SELECT * FROM pg_temp.rows(NULL);
SELECT o.name, o.n AS owner, h.n AS hr, m.n AS manager, e.n AS employee, x.n AS nobody
  FROM of_owner o JOIN of_hr h USING (name) JOIN of_manager m USING (name) JOIN of_employee e USING (name) JOIN of_nobody x USING (name)
 WHERE o.n <> '0' ORDER BY 1;
COMMIT;
RESET SESSION AUTHORIZATION;

SET client_min_messages = error;
DROP SCHEMA access_owner CASCADE;
DROP SCHEMA access_hr CASCADE;
DROP ROLE access_writer_liu;
