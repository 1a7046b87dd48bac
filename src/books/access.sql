-- access: who sees which rows, and what roles may do (SEC-01, SEC-02).

-- Whom somebody sees is kept in each backend until one of these changes.

-- roles ------------------------------------------------------------------------------

CREATE TABLE role_mapping (
  role    text PRIMARY KEY CHECK (role IN ('employee', 'mentor', 'manager', 'hr', 'finance', 'executive', 'bi')),
  db_role text NOT NULL UNIQUE
);
COMMENT ON TABLE role_mapping IS
  'Which database role has the rights of which role of the company; see create_roles() and map_role() (SEC-01).';
COMMENT ON COLUMN role_mapping.role IS 'employee, mentor, manager, hr, finance, executive or bi.';
COMMENT ON COLUMN role_mapping.db_role IS 'Role of the database.';
SELECT register_table('role_mapping', kind => 'guard', sees => 'public', audit => '{insert,update,delete}',
                      analysed => false);

CREATE TABLE role_right (
  role    text NOT NULL CHECK (role IN ('employee', 'mentor', 'manager', 'hr', 'finance', 'executive', 'bi')),
  object  text NOT NULL,
  action  text NOT NULL CHECK (action IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'EXECUTE')),
  columns text[] CHECK (columns IS NULL OR cardinality(columns) > 0 AND action IN ('SELECT', 'INSERT', 'UPDATE')),
  PRIMARY KEY (role, object, action)
);
COMMENT ON TABLE role_right IS
  'The permission matrix (权限矩阵): what each role may do with each table, view and function. What is not here is not '
  'allowed; which rows is said in table_rule (SEC-01).';
COMMENT ON COLUMN role_right.role IS 'Role of the company.';
COMMENT ON COLUMN role_right.object IS 'Table, view, or function with its argument types.';
COMMENT ON COLUMN role_right.action IS 'SELECT, INSERT, UPDATE, DELETE; EXECUTE for functions.';
COMMENT ON COLUMN role_right.columns IS 'Only these columns; null: all.';
SELECT register_table('role_right', kind => 'guard', sees => 'public', audit => '{insert,update,delete}');

-- code ------------------------------------------------------------------------

CREATE TRIGGER employee_forget AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF employee_no, db_role ON employee
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER assignment_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON assignment
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER unit_head_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON unit_head
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER org_unit_forget AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF parent_id ON org_unit
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER employee_status_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON employee_status
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER role_holder_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role_holder
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER delegation_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON delegation
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('pay.manager_reads', 'boolean', 'false', 'false',
   'Whether managers may read the pay of the people below them, and so decide their raises (SEC-02)');

-- what one row of another table opens ---------------------------------------------

CREATE FUNCTION score_shown(review bigint, rater_group text) RETURNS boolean STABLE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
  RETURN coalesce((
    -- nobody is told nothing: what is unknown is not true
    SELECT CASE WHEN g.minimum > 0
                     OR (hrloop.visible('book'::regclass, r.employee_id) OR r.manager_id = actor()) IS NOT TRUE
                       THEN false
                WHEN k.relation = 'self' THEN actor() = r.employee_id OR s.both_in
                WHEN actor() = r.employee_id THEN s.both_in AND disclosed(r.review_id) AND NOT r.anonymous
                ELSE true END
      FROM review r
      JOIN rater_group k ON k.rater_group = score_shown.rater_group
      JOIN template_rater_group g ON g.template_id = r.template_id AND g.rater_group = k.rater_group
      CROSS JOIN LATERAL (SELECT r.status = 'locked' OR r.composite IS NOT NULL
                          AND r.self_composite IS NOT NULL AS both_in) s
     WHERE r.review_id = score_shown.review), false);
COMMENT ON FUNCTION score_shown(bigint, text) IS
  'Whether who acts may read the scores of a rater group in a review: never those of anonymous groups; superiors the '
  'employee''s own once both sides are in; the employee those of superiors then, once disclosed, and where no '
  'anonymous score could be found by subtraction (REV-03, REV-07, SEC-02).';

-- who sees which rows --------------------------------------------------------------

-- Whoever was pinned as the manager of a review or plan stays so after a transfer: their table_rule says it.
-- (SELECT …) is asked once in a query, not for each row.  visible() of nobody is true for who
-- sees everybody, and so every row above: their rows below need no look at it.
CREATE FUNCTION visibility_statement() RETURNS SETOF text STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH t AS (
    SELECT c.oid, c.relname, v.sees,
           -- what all may read is written by who acts in a role that may, today
           coalesce(v.changes, CASE WHEN v.sees IN ('public', 'known') THEN
             (SELECT string_agg(CASE WHEN w.role IN ('hr', 'finance', 'executive')
                                     THEN format($$(SELECT hrloop.acts_for('book'::regclass, %L))$$, w.role)
                                     ELSE $$(SELECT hrloop.actor('book'::regclass)) IS NOT NULL$$ END, ' OR '
                                ORDER BY w.role)
                FROM (SELECT 'hr' AS role
                      UNION SELECT unnest(string_to_array(k, ' ')) FROM jsonb_object_keys(v.writes) k) w) END)
             AS changes,
           coalesce(v.reads, CASE v.sees WHEN 'public' THEN 'true'
                    WHEN 'known' THEN $$(SELECT hrloop.actor('book'::regclass)) IS NOT NULL$$
                                         WHEN 'hr'    THEN $$hrloop.acts_for('book'::regclass, 'hr')$$
                                         WHEN 'pay'   THEN $$(SELECT require_tls())
                                                             AND hrloop.visible('book'::regclass, employee_id, 'pay')$$
                                         ELSE $$hrloop.visible('book'::regclass, employee_id)$$ END) AS reads
      FROM table_rule v
      JOIN pg_class b ON b.oid = 'book'::regclass
      JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relname = v.table_name AND c.relkind IN ('r', 'p')
     -- guards are the owner's alone, by their rights
     WHERE v.sees <> 'public' OR v.kind <> 'guard'
  )
  SELECT s.statement
    FROM (SELECT 1 AS n, t.relname::text AS relname, p.polname::text AS polname,
          format('DROP POLICY %I ON %I', p.polname, t.relname) AS statement
            FROM t JOIN pg_policy p ON p.polrelid = t.oid
              AND p.polname IN ('hrloop_rows', 'hrloop_read', 'hrloop_insert', 'hrloop_update', 'hrloop_delete')
          UNION ALL
          SELECT 2, t.relname::text, '', format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.relname) FROM t
          UNION ALL
          SELECT 3, t.relname::text, k.name,
                 format('CREATE POLICY %I ON %I FOR %s %s', k.name, t.relname, k.command, k.condition)
            FROM t CROSS JOIN LATERAL (VALUES
              ('hrloop_rows',   'ALL',    'USING (' || t.reads || ')', t.changes IS NULL),
              ('hrloop_read',   'SELECT', 'USING (' || t.reads || ')', t.changes IS NOT NULL),
              ('hrloop_insert', 'INSERT', 'WITH CHECK (' || t.changes || ')', t.changes IS NOT NULL),
              ('hrloop_update', 'UPDATE', 'USING (' || t.changes || ')', t.changes IS NOT NULL),
              ('hrloop_delete', 'DELETE', 'USING (' || t.changes || ')', t.changes IS NOT NULL))
                AS k (name, command, condition, wanted)
           WHERE k.wanted) s
   ORDER BY s.n, s.relname, s.polname;
END;
COMMENT ON FUNCTION visibility_statement() IS
  'The statements that make the row policies which table_rule describes; policies with other names are left alone.';

CREATE FUNCTION apply_visibility() RETURNS integer VOLATILE LANGUAGE SQL
  RETURN hrloop.define('book'::regclass, ARRAY(SELECT s FROM visibility_statement() AS s));
COMMENT ON FUNCTION apply_visibility() IS
  'Make the row policies anew as table_rule says, after a change of it; returns how many statements that took. For the '
  'owner of the books. Error 42501: somebody else (SEC-02).';
CREATE VIEW visibility_problem WITH (security_invoker) AS
  SELECT c.relname::text AS table_name,
         CASE WHEN v.table_name IS NULL THEN 'not registered'
              WHEN v.sees = 'public' THEN 'public, but a person is in it'
              WHEN NOT c.relrowsecurity THEN 'row security is off'
              ELSE 'no policy of apply_visibility()' END AS problem
    FROM pg_class b
    JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relkind IN ('r', 'p')
    LEFT JOIN table_rule v ON v.table_name = c.relname
   WHERE b.oid = 'book'::regclass
     AND CASE WHEN v.sees = 'public'
              -- a key of a person, or of a row that is itself about one
              THEN EXISTS (SELECT FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
                           JOIN table_rule w ON w.table_name = p.relname
                            WHERE f.conrelid = c.oid AND f.contype = 'f' AND w.sees IN ('person', 'pay', 'score'))
              ELSE v.table_name IS NULL OR NOT c.relrowsecurity
                   OR NOT EXISTS (SELECT FROM pg_policy p
                                  WHERE p.polrelid = c.oid AND p.polname IN ('hrloop_rows', 'hrloop_read')) END;
COMMENT ON VIEW visibility_problem IS
  'Tables whose rows nobody guards: not registered, public although a person is in it, or without their policy; no '
  'rows in healthy books (SEC-02).';
COMMENT ON COLUMN visibility_problem.table_name IS 'Table.';
COMMENT ON COLUMN visibility_problem.problem IS 'What is wrong.';

-- steps of verbs and consequences ----------------------------------------------------

-- Such a function works inside a verb or a consequence, or not at all.
CREATE VIEW writes_as_caller WITH (security_invoker) AS
  WITH RECURSIVE own AS MATERIALIZED (
    SELECT p.oid, p.proname, format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)) AS function,
           coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) AS body
      FROM pg_class b JOIN pg_proc p ON p.pronamespace = b.relnamespace
     WHERE b.oid = 'book'::regclass AND p.provolatile = 'v' AND NOT p.prosecdef
  ), direct AS (
    SELECT DISTINCT o.oid, c.relname::text AS table_name
      FROM own o JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = o.oid
       AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class c ON c.oid = d.refobjid JOIN table_rule r ON r.table_name = c.relname AND r.verb IS NOT NULL
     WHERE o.body ~ format('(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO) (ONLY )?([^ ]+\.)?%s\M', c.relname)
  ), through (oid, table_name) AS (
    SELECT d.oid, d.table_name FROM direct d
    UNION
    SELECT o.oid, t.table_name
      FROM through t JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = t.oid
       AND d.classid = 'pg_proc'::regclass
      JOIN own o ON o.oid = d.objid
  )
  SELECT o.function, array_agg(t.table_name ORDER BY t.table_name) AS tables
    FROM through t JOIN own o USING (oid) GROUP BY o.function;
COMMENT ON VIEW writes_as_caller IS
  'Functions that write what the engine alone writes, themselves or through others, in the rights of who calls them: '
  'they do so inside a verb that is SECURITY DEFINER, or as a consequence, and nobody has EXECUTE on them (SEC-01).';
COMMENT ON COLUMN writes_as_caller.function IS 'Function with its argument types, as in role_right.';
COMMENT ON COLUMN writes_as_caller.tables IS 'Tables that it writes.';

-- what runs as the owner of the books ------------------------------------------------

-- keys of codes, and who is above whom: facts of the organisation, without the rows behind them
ALTER FUNCTION find_employee(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION find_review(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION manager_of(bigint, date) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION heads_above(bigint, date) SECURITY DEFINER SET search_path FROM CURRENT;
-- whether scores are there that one may not read
ALTER FUNCTION archive_told(bigint, text, bigint) SECURITY DEFINER SET search_path FROM CURRENT;
-- raters may not read the review that they rate
ALTER FUNCTION submit_score(text, text, text, numeric, text, text, text, numeric, jsonb) SECURITY DEFINER
  SET search_path FROM CURRENT;
-- name and contact of one's mentor or mentee, who may work elsewhere
ALTER FUNCTION mentoring_partner(bigint) SECURITY DEFINER SET search_path FROM CURRENT;
-- figures of a review that nobody but HR may read as they are; each of them asks who is acting
ALTER FUNCTION own_side(bigint) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION explain_score(text, text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION explain_deviation(text, text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION what_if(text, jsonb, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION calibrate(text, text, numeric, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION suggest_calibration(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION apply_calibration(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION calibration_report(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION calibration_excluded(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION close_calibration(text) SECURITY DEFINER SET search_path FROM CURRENT;
-- what HR alone may read, as counts and names, for executives too
ALTER FUNCTION health(boolean) SECURITY DEFINER SET search_path FROM CURRENT;
-- one's own pay, for people without rights on the tables; each asks may_read_pay()
ALTER FUNCTION explain_pay(text, text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION allowance_on(text, date) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION allowance_trail(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION payslip_detail(text, date, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION profile(text, date) SECURITY DEFINER SET search_path FROM CURRENT;
-- who is asked whether they may, and reads no more than that
ALTER FUNCTION confirm_plan(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
-- a person's own rows, as table_rule hands them out, of tables on which people have no rights
ALTER FUNCTION export_person(text) SECURITY DEFINER SET search_path FROM CURRENT;

-- roles ------------------------------------------------------------------------------

-- small cells -------------------------------------------------------------------------------

-- A reader is a login, not an employee: nobody acts, and the login has the rights of bi.
CREATE FUNCTION is_reader() RETURNS boolean STABLE SECURITY DEFINER SET search_path FROM CURRENT LANGUAGE SQL
  RETURN actor() IS NULL AND coalesce((SELECT bool_or(pg_has_role(session_user, d.oid, 'USAGE')) FROM role_mapping m
                                         JOIN pg_roles d ON d.rolname = m.db_role WHERE m.role = 'bi'), false);
COMMENT ON FUNCTION is_reader() IS
  'Whether who asks is a login with the rights of bi and nobody acts: it reads figures of many, of nobody alone '
  '(SEC-05).';

-- Runs as the owner of the books, and counts the people whom who is asking sees, all of them for a reader.  A reader
-- gets no mean while results of the unit are outstanding: from two means, before a lock and after it, follows the one.
CREATE VIEW unit_result AS
  SELECT s.cycle_code, u.code AS unit_code, u.name AS unit_name, s.people, s.held OR s.people < m.people AS suppressed,
         CASE WHEN s.people >= m.people AND NOT s.held THEN round(s.total / s.people, 2) END AS mean,
         CASE WHEN s.people >= m.people AND NOT s.held THEN s.spread END AS deviation
    -- by the cycle's code, so that a condition on it holds before people are counted
    FROM (SELECT c.code AS cycle_code, r.org_unit_id, count(x.result_id) AS people, sum(x.composite) AS total,
          round(stddev_samp(x.composite), 2) AS spread,
          (SELECT is_reader()) AND bool_or(x.result_id IS NULL AND r.status <> 'not_rated') AS held
            FROM review_cycle c JOIN review r USING (cycle_id)
            LEFT JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
              AND (x.disclosed_on IS NOT NULL OR actor() IS DISTINCT FROM r.employee_id)
           WHERE (SELECT is_reader()) OR hrloop.visible('book'::regclass, r.employee_id)
              OR r.manager_id = (SELECT actor())
           GROUP BY c.code, r.org_unit_id HAVING count(x.result_id) > 0) s
    LEFT JOIN org_unit u USING (org_unit_id)
    CROSS JOIN (SELECT setting_number('privacy.min_cell') AS people) m;
COMMENT ON VIEW unit_result IS
  'Locked results by cycle and unit for BI; units of fewer people than setting privacy.min_cell show none, to a reader '
  'none before all of the unit are locked. There are no totals, by which one could subtract (SEC-05).';
COMMENT ON COLUMN unit_result.cycle_code IS 'Cycle.';
COMMENT ON COLUMN unit_result.unit_code IS 'Unit.';
COMMENT ON COLUMN unit_result.unit_name IS 'Its name.';
COMMENT ON COLUMN unit_result.people IS 'Locked reviews.';
COMMENT ON COLUMN unit_result.suppressed IS 'Whether the figures are held back as too few people stand behind them.';
COMMENT ON COLUMN unit_result.mean IS 'Mean of the final scores, 2 decimals.';
COMMENT ON COLUMN unit_result.deviation IS 'Their standard deviation, 2 decimals.';

CREATE VIEW unit_pay AS
  SELECT u.code AS unit_code, u.name AS unit_name, s.people, s.people < m.people AS suppressed,
         CASE WHEN s.people >= m.people THEN round(s.total / s.people, 2) END AS mean
    FROM (SELECT a.org_unit_id, count(*) AS people, sum(p.amount) AS total
            FROM salary p JOIN assignment a ON a.employee_id = p.employee_id AND a.is_primary
              AND a.valid @> today()
           WHERE p.superseded_by IS NULL AND p.valid @> today()
             AND NOT EXISTS (SELECT FROM employee_status l WHERE l.employee_id = p.employee_id AND l.status = 'left'
                                AND l.valid @> today())
             AND (SELECT require_tls())
             AND ((SELECT is_reader()) OR hrloop.visible('book'::regclass, p.employee_id, 'pay'))
           GROUP BY a.org_unit_id) s
    JOIN org_unit u USING (org_unit_id)
    CROSS JOIN (SELECT setting_number('privacy.min_cell') AS people) m;
COMMENT ON VIEW unit_pay IS
  'Base pay today by unit for BI, yuan a month; units of fewer people than setting privacy.min_cell show none '
  '(SEC-05).';
COMMENT ON COLUMN unit_pay.unit_code IS 'Unit.';
COMMENT ON COLUMN unit_pay.unit_name IS 'Its name.';
COMMENT ON COLUMN unit_pay.people IS 'People with base pay who have not left.';
COMMENT ON COLUMN unit_pay.suppressed IS 'Whether the mean is held back as too few people stand behind it.';
COMMENT ON COLUMN unit_pay.mean IS 'Mean base pay, 2 decimals.';

-- What table_rule says of tables.  A role reads what table_rule.sees opens, HR all; bi what is in nobody's table, and
-- the rest by views.
CREATE FUNCTION table_right(table_name text) RETURNS SETOF role_right STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH t AS (
    SELECT r.*, (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      FROM table_rule r JOIN pg_class b ON b.oid = 'book'::regclass
      JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relname = r.table_name AND c.relkind IN ('r', 'p')
     WHERE r.table_name = table_right.table_name
  ), people (role) AS (VALUES ('employee'), ('mentor'), ('manager'), ('finance'), ('executive'))
  SELECT 'hr', t.table_name, a.action,
         CASE WHEN t.verb IS NOT NULL AND a.action <> 'SELECT' THEN nullif(t.entered, '{}') END
    FROM t CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS a (action)
      WHERE a.action = 'SELECT' OR t.kind <> 'guard'
        AND CASE WHEN t.verb IS NULL THEN true WHEN t.kind = 'fact' THEN a.action = 'INSERT'
                 ELSE a.action = 'UPDATE' AND t.entered <> '{}' END
  UNION ALL
  SELECT p.role, t.table_name, 'SELECT', CASE
    WHEN t.hides <> '{}' THEN ARRAY(SELECT c FROM unnest(t.columns) WITH ORDINALITY AS c (c, n)
                                    WHERE c.c <> ALL (t.hides) ORDER BY c.n) END
    FROM t CROSS JOIN people p WHERE t.sees IN ('public', 'known', 'person', 'score') OR t.sees = 'pay'
      AND p.role = 'finance'
  UNION ALL
  SELECT 'bi', t.table_name, 'SELECT', NULL FROM t WHERE t.analysed AND t.sees = 'public'
  UNION ALL
  SELECT r.role, t.table_name, split_part(a.action, '(', 1), string_to_array(substring(a.action FROM '\((.*)\)'), ',')
    FROM t CROSS JOIN jsonb_each_text(t.writes) AS w (roles, actions)
    CROSS JOIN string_to_table(w.roles, ' ') AS r (role) CROSS JOIN string_to_table(w.actions, ' ') AS a (action);
END;
COMMENT ON FUNCTION table_right(text) IS 'The rights on a table that its table_rule describes, as rows of role_right.';

-- Functions run as who calls them, or ask who is acting, so that everybody may call them.  Not
-- act_as(), which is for application servers, nor what is the owner's (policies, rights, triggers), nor rules and
-- consequences and steps of verbs: what would
-- write as its caller, and what makes others wait.  Verbs of a department are its role's.
INSERT INTO role_right (role, object, action, columns)
SELECT t.* FROM table_rule r CROSS JOIN LATERAL table_right(r.table_name) t
UNION ALL
SELECT p.role, o.object, o.action, NULL
  FROM unnest(ARRAY['employee', 'mentor', 'manager', 'hr', 'finance', 'executive']) AS p (role)
    CROSS JOIN right_object o
    LEFT JOIN (VALUES
      ('open_cycle', '{executive}'), ('lock_cycle', '{executive}'), ('reweight_cycle', '{executive}'),
      ('reopen_cycle', '{executive}'), ('close_month', '{}'), ('decide_promotion', '{executive}'),
      ('verify_for', '{}'), ('unblock_reviews', '{}'), ('unlock_review', '{}'), ('exempt_review', '{}'),
      ('rate_review', '{}'), ('waive_gate', '{}'), ('decide_appeal', '{}'), ('score_initial', '{}'),
      ('close_talk', '{}'),
      ('reverse_certification', '{}'),
      ('remind_unfinished', '{}'), ('apply_results', '{}'), ('run_due', '{}'),
      ('lock_review', '{manager,executive}'), ('disclose_result', '{manager,executive}'),
      ('disclose_cycle', '{manager,executive}'), ('handle_warning', '{manager,executive}'),
      ('start_mentoring', '{manager,executive}'), ('end_mentoring', '{manager,executive}'),
      ('update_plan_item', '{manager,executive}'), ('add_plan_item', '{manager,executive}'),
      ('remove_plan_item', '{manager,executive}'), ('approve_adjustment', '{finance}'),
      ('reject_adjustment', '{finance}'), ('approve_cycle', '{finance}'),
      ('apply_adjustment', '{finance}'), ('apply_cycle', '{finance}'), ('set_salary', '{finance}'),
      ('withdraw_salary', '{finance}'), ('close_period', '{finance}'),
      ('acknowledge_feed', '{finance}')) AS v (verb, roles) ON v.verb = split_part(o.object, '(', 1)
 WHERE o.kind = 'function' AND left(o.object, 5) <> 'hold_'
       AND split_part(o.object, '(', 1) <> ALL (ARRAY['act_as', 'register_table', 'register_notice', 'register_follow',
         'apply_follows', 'apply_guards', 'lift_guards', 'apply_visibility', 'apply_sense',
         'apply_rights', 'apply_tables', 'map_role',
         'create_roles', 'take_over', 'erase_again', 'due_erasures', 'reapply_erasures'])
       AND o.object NOT IN (SELECT w.function FROM writes_as_caller w)
       AND split_part(o.object, '(', 1) NOT IN (SELECT f.function FROM follow f)
       AND (v.verb IS NULL OR p.role = 'hr' OR p.role = ANY (v.roles::text[]))
    OR o.kind = 'view' AND (p.role = 'hr'
                            OR o.object NOT IN ('review_item', 'data_quality', 'audit_trail', 'personal_table',
                                                'privacy_gap', 'table_size', 'unit_pay', 'right_object',
                                                'guard_problem',
                                                'visibility_problem', 'writes_as_caller', 'allowance_timeline',
                                                'payroll_pending',
                                                'payroll_reconciliation', 'profile_line')
                            OR p.role = 'finance'
                              AND o.object IN ('allowance_timeline', 'payroll_pending', 'payroll_reconciliation',
                                               'profile_line'))
UNION ALL
SELECT 'bi', o.object, CASE o.kind WHEN 'view' THEN 'SELECT' ELSE 'EXECUTE' END, NULL FROM right_object o
 WHERE o.object IN ('unit_result', 'unit_pay', 'actor()', 'who()', 'today()', 'setting_text(text)',
                    'setting_number(text)', 'setting_on(text)', 'require_tls()', 'is_reader()');


CREATE FUNCTION right_statement() RETURNS SETOF text STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH m AS (
    SELECT r.role, r.db_role, n.nspname FROM role_mapping r, pg_class b JOIN pg_namespace n ON n.oid = b.relnamespace
      WHERE b.oid = 'book'::regclass
  )
  SELECT s.statement
    FROM (SELECT 1 AS n, m.role, format(k.statement, m.nspname, m.db_role) AS statement
            FROM m CROSS JOIN (VALUES ('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I'),
                               ('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %I'),
                                      ('GRANT USAGE ON SCHEMA %I TO %I')) AS k (statement)
          UNION ALL
          -- what a restore without privileges, or somebody by hand, gave to everybody
          SELECT 0, '', format('REVOKE ALL ON ALL ROUTINES IN SCHEMA %I FROM PUBLIC', n.nspname)
            FROM pg_class b JOIN pg_namespace n ON n.oid = b.relnamespace WHERE b.oid = 'book'::regclass
          UNION ALL
          SELECT 2, m.role, format('GRANT %s%s ON %s %s TO %I', r.action,
                   (SELECT format(' (%s)', string_agg(quote_ident(c.name), ', ' ORDER BY c.n))
                    FROM unnest(l.columns) WITH ORDINALITY AS c (name, n) HAVING count(*) > 0),
                   CASE r.action WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END,
                   string_agg(CASE o.kind WHEN 'function' THEN format('%I.%s', m.nspname, r.object)
                              ELSE format('%I.%I', m.nspname, r.object) END, ', ' ORDER BY r.object),
                   m.db_role)
            FROM m JOIN role_right r USING (role) JOIN right_object o ON o.object = r.object AND o.action = r.action
            CROSS JOIN LATERAL (
              SELECT coalesce(r.columns, CASE WHEN r.role <> 'hr' AND r.action = 'SELECT' AND o.kind = 'table'
                                              THEN read_columns(o.oid) END) AS columns) l
           GROUP BY m.role, m.db_role, m.nspname, r.action, l.columns) s
   ORDER BY s.n, s.role, s.statement;
END;
COMMENT ON FUNCTION right_statement() IS
  'The statements that give each mapped role what role_right says, and take everything else, and from PUBLIC the '
  'functions.';

CREATE FUNCTION apply_rights() RETURNS integer VOLATILE LANGUAGE SQL
  RETURN hrloop.define('book'::regclass, ARRAY(SELECT s FROM right_statement() AS s));
COMMENT ON FUNCTION apply_rights() IS
  'Give each mapped role exactly what role_right says, and to PUBLIC no function; returns how many statements that '
  'took. For the owner of the books, after a change of role_right, a migration, or a restore without privileges. Error '
  '42501: somebody else (SEC-01).';

CREATE FUNCTION map_role(role text, db_role text) RETURNS integer VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('database role', coalesce(map_role.db_role, 'null'))
    WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = map_role.db_role);
  SELECT hrloop.fail('23514', format('role "%s" owns the books', map_role.db_role), NULL,
                     'It has every right, and would lose those that the role of the company does not have.',
                     'role_mapping', 'db_role', 'role_mapping_no_owner')
    FROM pg_class b JOIN pg_roles r ON r.rolname = map_role.db_role
   WHERE b.oid = 'book'::regclass AND (r.oid = b.relowner OR r.rolsuper);
  INSERT INTO role_mapping (role, db_role)
    VALUES (map_role.role, map_role.db_role) ON CONFLICT ON CONSTRAINT role_mapping_pkey DO UPDATE
      SET db_role = excluded.db_role;
  SELECT apply_rights();
END;
COMMENT ON FUNCTION map_role(text, text) IS
  'Let a database role have the rights of a role of the company: employee, mentor, manager, hr, finance, executive or '
  'bi. What it had in these books is replaced. Errors: 22023 no such database role, 23514 no such role, or it owns the '
  'books, 23505 it is mapped already, 42501 not the owner (SEC-01).';

CREATE FUNCTION create_roles(prefix text DEFAULT NULL) RETURNS SETOF text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO role_mapping (role, db_role)
  SELECT r.role, coalesce(create_roles.prefix, n.nspname::text) || '_' || r.role
    FROM pg_class b JOIN pg_namespace n ON n.oid = b.relnamespace,
         unnest(ARRAY['employee', 'mentor', 'manager', 'hr', 'finance', 'executive', 'bi']) AS r (role)
   WHERE b.oid = 'book'::regclass
  ON CONFLICT ON CONSTRAINT role_mapping_pkey DO NOTHING;
  SELECT hrloop.define('book'::regclass, ARRAY(SELECT format('CREATE ROLE %I', m.db_role) FROM role_mapping m
                                                WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = m.db_role)
                                                  ORDER BY m.role));
  SELECT apply_rights();
  SELECT m.db_role FROM role_mapping m ORDER BY m.role;
END;
COMMENT ON FUNCTION create_roles(text) IS
  'Make a group role of the database for each role of the company that has none (name: prefix, by default that of the '
  'schema, and role) and give it its rights; grant them to logins. Returns their names. Errors: 42501 no right to '
  'create roles, or not the owner of the books (SEC-01).';

-- figures, days and texts that say something ------------------------------------------

-- What people and other systems enter, and what they judge and pay by: no NaN, no infinity, no
-- blank.  What comes in to be looked at is taken as it is, and score_check() looks at figures itself.
CREATE FUNCTION sense_wanted() RETURNS TABLE (table_name text, name text, condition text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT r.table_name, format('%s_%s_%s', c.relname, a.attname, s.what), format(s.condition, a.attname)
    FROM table_rule r
    JOIN pg_class b ON b.oid = 'book'::regclass
    JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relname = r.table_name
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    JOIN (VALUES ('numeric', 'figure', 'hrloop.figure(%I)'), ('date', 'day', 'isfinite(%I)'),
                 ('timestamp with time zone', 'day', 'isfinite(%I)'), ('text', 'text', 'hrloop.is_visible(%I)'),
                 ('numrange', 'figure',
                  'hrloop.figure(lower(%1$I)) IS NOT FALSE AND hrloop.figure(upper(%1$I)) IS NOT FALSE'),
                 ('daterange', 'day', 'isfinite(lower(%1$I)) IS NOT FALSE AND isfinite(upper(%1$I)) IS NOT FALSE'))
         AS s (type, what, condition) ON s.type = format_type(a.atttypid, NULL)
   WHERE r.kind IN ('fact', 'rule') AND r.table_name NOT IN ('org_unit_import', 'quarantine')
     AND (r.table_name <> 'score' OR a.attname = 'scored_at')
     AND (r.table_name, a.attname) NOT IN (('setting', 'value'), ('setting', 'default_value'));
END;
COMMENT ON FUNCTION sense_wanted() IS
  'Constraints by which tables of facts and rules refuse what says nothing: NaN, infinities, figures of more than 15 '
  'digits before or 10 behind the point, days without end, texts in which nothing is seen.';
CREATE FUNCTION apply_sense() RETURNS integer VOLATILE LANGUAGE SQL
  RETURN hrloop.define('book'::regclass, ARRAY(
    SELECT format('ALTER TABLE %I %s', w.table_name,
                  string_agg(format('ADD CONSTRAINT %I CHECK (%s)', w.name, w.condition), ', ' ORDER BY w.name))
      FROM sense_wanted() w
     WHERE NOT EXISTS (SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                         JOIN pg_class b ON b.relnamespace = c.relnamespace AND b.oid = 'book'::regclass
                        WHERE c.relname = w.table_name AND k.conname = w.name)
     GROUP BY w.table_name ORDER BY w.table_name));
COMMENT ON FUNCTION apply_sense() IS
  'Make the constraints of sense_wanted() that are missing; returns of how many tables. For the owner of the books. '
  'Errors: 23514 a row is there that says nothing, 42501 somebody else.';

CREATE FUNCTION apply_tables() RETURNS integer VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO role_right (role, object, action, columns)
  SELECT t.* FROM table_rule r CROSS JOIN LATERAL table_right(r.table_name) t
    WHERE NOT EXISTS (SELECT FROM role_right o WHERE o.object = r.table_name);
  SELECT hrloop.audit_attach('book'::regclass);
  SELECT apply_visibility();
  SELECT apply_sense();
  SELECT apply_guards();
  SELECT apply_rights();
END;
COMMENT ON FUNCTION apply_tables() IS
  'After register_table(): policies, audit triggers, guards, constraints, and rights of tables that had none, as '
  'their table_rule says; returns how many statements the rights took. For the owner of the books, after a change of '
  'table_rule, and at the end of a migration. Error 42501: somebody else (SEC-01, SEC-02, SEC-03).';

-- what the rooms fill in their texts, and so all that texts in their place may name
INSERT INTO message_kind (kind, args)
SELECT m.kind, coalesce(array_agg(DISTINCT p.name ORDER BY p.name) FILTER (WHERE p.name IS NOT NULL), '{}')
  FROM (SELECT kind, body FROM message_text) m LEFT JOIN unnest(message_placeholders(m.body)) AS p (name) ON true
 WHERE NOT EXISTS (SELECT FROM message_kind k WHERE k.kind = m.kind) GROUP BY m.kind;

SELECT apply_visibility();
SELECT apply_sense();

-- Logical replication fires none of the triggers above, and must compute nothing
-- again; but what backends of the subscriber remember is as old as anywhere.
SELECT hrloop.define('book'::regclass, ARRAY(
  SELECT format(k.statement, t.tgrelid::regclass, left(t.tgname, -length('forget')) || 'follow')
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_class b ON b.relnamespace = c.relnamespace AND b.oid = 'book'::regclass
    CROSS JOIN (VALUES (1,
                        'CREATE TRIGGER %2$I AFTER INSERT OR UPDATE OR DELETE ON %1$s FOR EACH ROW EXECUTE FUNCTION '
                        'hrloop.forget()'),
                       (2, 'ALTER TABLE %1$s ENABLE REPLICA TRIGGER %2$I')) AS k (n, statement)
   WHERE t.tgfoid = 'hrloop.forget()'::regprocedure
   ORDER BY c.relname, k.n));

SELECT apply_guards();

-- the last statement of all: from here on changes are audited
SELECT hrloop.audit_attach('book'::regclass);
