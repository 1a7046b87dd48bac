-- health: what a DBA and HR look after, one row per check (SEC-06), and how the connection is encrypted (SEC-04).

CREATE TABLE health_report (
  month       date PRIMARY KEY CHECK (extract(day FROM month) = 1),
  reported_at timestamptz NOT NULL DEFAULT now(),
  checks      integer     NOT NULL,
  warnings    integer     NOT NULL,
  report      jsonb       NOT NULL,
  sizes       jsonb       NOT NULL
);
COMMENT ON TABLE health_report IS 'What health() found, kept once a month by run_due() (SEC-06).';
COMMENT ON COLUMN health_report.month IS 'First day of the month.';
COMMENT ON COLUMN health_report.reported_at IS 'When it was made.';
COMMENT ON COLUMN health_report.checks IS 'Checks.';
COMMENT ON COLUMN health_report.warnings IS 'Checks that warned.';
COMMENT ON COLUMN health_report.report IS 'The rows of health().';
COMMENT ON COLUMN health_report.sizes IS 'Bytes of each table with its indexes, to see what grows.';
SELECT register_table('health_report', kind => 'log', verb => 'run_due');

-- code ------------------------------------------------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('health.overdue_items',    'integer', '0',
   'Plan items past their day that are not a warning yet; null: any number (SEC-06)'),
  ('health.feed_days',        'integer', '3',
   'Days after which payroll should have acknowledged a row of the feed; null: any (SEC-06)'),
  ('health.review_days',      'integer', '30',
   'Days after the end of a cycle by which its reviews should be locked; null: any (SEC-06)'),
  ('health.plan_days',        'integer', '30',    'Days by which a plan should be confirmed; null: any (SEC-06)'),
  ('health.notice_days',      'integer', '90',    'Days by which a notice should be read; null: any (SEC-06)'),
  ('health.clock_days',       'integer', '35',
   'Days without anything that run_due() did; it does something every month; null: any (SEC-06)'),
  ('health.index_rows',       'integer', '10000',
   'Rows from which on a table is a warning that has no index for a foreign key to rows about people; null: never '
   '(SEC-06)'),
  ('health.verify_days',      'integer', '35',
   'Days within which verify_for() should have checked every row; null: any (SEC-06)'),
  ('health.quarantine',       'integer', '0',
   'Rows in quarantine that are not a warning yet; null: any number (SEC-06)'),
  ('health.stale_rows',       'integer', '10000',
   'Rows changed since a table was analysed, and at the same time more than a fifth of it, that call for ANALYZE; '
   'null: any number (SEC-06)')
) AS d (s, k, v, c);
UPDATE setting SET least = 0 WHERE setting IN ('health.overdue_items', 'health.feed_days', 'health.review_days',
                                               'health.plan_days',
                                              'health.notice_days', 'health.clock_days', 'health.index_rows',
                                              'health.verify_days', 'health.quarantine', 'health.stale_rows');

SELECT register_notice('health.report', '{hr}',
  zh => '{month}系统健康检查:{checks}项检查,{warnings}项需要关注{list}',
  en => 'Health check of {month}: {checks} checks, {warnings} of them need attention{list}');

CREATE VIEW right_object WITH (security_invoker) AS
  SELECT c.relname::text AS object, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind, c.oid, a.action
    FROM pg_class b
    JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relkind IN ('r', 'p', 'v')
    CROSS JOIN LATERAL unnest(CASE c.relkind WHEN 'v' THEN ARRAY['SELECT']
                              ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END) AS a (action)
   WHERE b.oid = 'book'::regclass
  UNION ALL
  -- types of the books by their bare name, whatever search_path asks
  SELECT format('%s(%s)', p.proname,
                (SELECT string_agg(CASE WHEN coalesce(e.typnamespace, t.typnamespace)
                                             NOT IN (b.relnamespace, 'hrloop'::regnamespace)
                                               THEN format_type(t.oid, NULL)
                                        WHEN e.oid IS NULL THEN quote_ident(t.typname)
                                        ELSE quote_ident(e.typname) || '[]' END, ', ' ORDER BY a.n)
                   FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, n)
                   JOIN pg_type t ON t.oid = a.type LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A')),
         'function', p.oid, 'EXECUTE'
    FROM pg_class b JOIN pg_proc p ON p.pronamespace = b.relnamespace AND p.prokind <> 'p'
   WHERE b.oid = 'book'::regclass;
COMMENT ON VIEW right_object IS 'Everything in these books that a right can be about, with the actions on it (SEC-01).';
COMMENT ON COLUMN right_object.object IS 'Name as in role_right.';
COMMENT ON COLUMN right_object.kind IS 'table, view or function.';
COMMENT ON COLUMN right_object.oid IS 'Its oid.';
COMMENT ON COLUMN right_object.action IS 'Action.';

-- Rights on a whole table open its system columns as well: where a row lies, and who changed or locked it last,
-- which tells whether a rule was used.  The transaction of a decision is a column of its own, so xmin says nothing
-- more.
CREATE FUNCTION read_columns(relation oid) RETURNS text[] STABLE LANGUAGE SQL
  RETURN (SELECT array_agg(a.attname::text ORDER BY a.attnum)
            FROM pg_attribute a
           WHERE a.attrelid = relation AND NOT a.attisdropped
             AND (a.attnum > 0 OR a.attname = 'xmin' AND relation = 'decision'::regclass));
COMMENT ON FUNCTION read_columns(oid) IS
  'The columns of a table that a role reads which may read all of it: none of the system''s (SEC-01).';

CREATE FUNCTION permission_report()
  RETURNS TABLE (role text, object text, kind text, action text, declared text, effective text, difference boolean)
    STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT x.role, x.object, x.kind, x.action, x.declared, x.effective, x.declared <> x.effective
    FROM (SELECT m.role, o.object, o.kind, o.action,
                 CASE WHEN r.role IS NULL THEN 'no' WHEN r.columns IS NULL THEN 'yes'
                      ELSE (SELECT string_agg(c, ', ' ORDER BY c) FROM unnest(r.columns) AS c) END AS declared,
                 CASE WHEN o.kind = 'function' THEN CASE
                   WHEN has_function_privilege(d.oid, o.oid, 'EXECUTE') THEN 'yes' ELSE 'no' END
                      WHEN has_table_privilege(d.oid, o.oid, o.action) THEN 'yes'
                      WHEN o.action = 'DELETE' THEN 'no'
                      WHEN o.action = 'SELECT' AND o.kind = 'table'
                           AND (SELECT bool_and(has_column_privilege(d.oid, o.oid, c, 'SELECT'))
                                  FROM unnest(read_columns(o.oid)) AS c) THEN 'yes'
                      ELSE coalesce((SELECT string_agg(a.attname::text, ', ' ORDER BY a.attname::text)
                                     FROM pg_attribute a
                                      WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
                                        AND has_column_privilege(d.oid, o.oid, a.attnum, o.action)),
                                        'no') END AS effective
            FROM role_mapping m
            JOIN pg_roles d ON d.rolname = m.db_role
            CROSS JOIN right_object o
            LEFT JOIN role_right r ON r.role = m.role AND r.object = o.object AND r.action = o.action) x
   ORDER BY x.role, x.kind, x.object, x.action;
END;
COMMENT ON FUNCTION permission_report() IS
  'The permission matrix (权限矩阵测试) as declared in role_right and as it is in effect: one row for each mapped role, '
  'object and action; yes, no, or the columns (SEC-01).';

-- What was written by hand and means nothing, or what was meant and is not so.
CREATE VIEW guard_problem WITH (security_invoker) AS
  SELECT 'public_functions' AS code, p.proname::text AS name, 'everybody may call it: apply_rights()' AS problem
    FROM pg_proc p JOIN pg_class b ON b.oid = 'book'::regclass AND b.relnamespace = p.pronamespace
   WHERE EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)
  UNION ALL
  SELECT 'rights', format('%s %s %s', r.role, r.action, r.object),
         format('declared %s, effective %s: apply_rights()', r.declared, r.effective)
    FROM permission_report() r WHERE r.difference
  UNION ALL
  SELECT 'rights', format('%s CREATE', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END),
         'may make objects in the schema of the books'
    FROM pg_class b JOIN pg_namespace n ON n.oid = b.relnamespace
    CROSS JOIN LATERAL aclexplode(n.nspacl) a
   WHERE b.oid = 'book'::regclass AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
  UNION ALL
  SELECT 'logins', e.employee_no, 'the login of this employee does not exist any more: request_login()'
    FROM employee e WHERE e.db_role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = e.db_role)
  UNION ALL
  SELECT 'logins', e.employee_no,
         'the login of this employee has the rights of the owner of the books, or of a superuser'
    FROM employee e JOIN pg_roles r ON r.rolname = e.db_role
   WHERE r.rolsuper OR pg_has_role(r.oid, (SELECT b.relowner FROM pg_class b WHERE b.oid = 'book'::regclass), 'USAGE')
  UNION ALL
  SELECT 'logins', m.role, 'the database role of this role does not exist any more: map_role()'
    FROM role_mapping m WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = m.db_role)
  UNION ALL
  SELECT 'register', r.object, format('a right of %s on what is not there', r.role)
    FROM role_right r WHERE NOT EXISTS (SELECT FROM right_object o WHERE (o.object, o.action) = (r.object, r.action))
  UNION ALL
  SELECT 'register', f.table_name, format('%s() follows it, and is not there', f.function)
    FROM follow f JOIN pg_class b ON b.oid = 'book'::regclass
   WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = b.relnamespace AND p.proname = f.function)
  UNION ALL
  SELECT 'register', t.table_name, 'there is no such table'
    FROM (SELECT table_name FROM table_rule UNION SELECT table_name FROM follow UNION
          SELECT table_name FROM personal_reference UNION SELECT table_name FROM erasure_rule) t
    JOIN pg_class b ON b.oid = 'book'::regclass
   WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = b.relnamespace AND c.relkind IN ('r', 'p')
                     AND c.relname = t.table_name)
  UNION ALL
  SELECT 'register', t.table_name, format('it has no column %s', k.name)
    FROM table_rule t JOIN pg_class b ON b.oid = 'book'::regclass
    JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relname = t.table_name AND c.relkind IN ('r', 'p')
    CROSS JOIN LATERAL unnest(t.hides || t.ignored || coalesce(t.digest, '{}') || split_part(t.about, '/', 1))
      AS k (name)
   WHERE k.name IS NOT NULL
     AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = k.name AND NOT a.attisdropped);
COMMENT ON VIEW guard_problem IS
  'What stands between people and books and is not as it should be: functions that everybody may call, rights edited '
  'by hand, logins that are gone or too much, rows of the register that contradict what is there; no rows in healthy '
  'books (SEC-01, SEC-06).';
COMMENT ON COLUMN guard_problem.code IS 'Check of health(): public_functions, rights, logins or register.';
COMMENT ON COLUMN guard_problem.name IS 'Function, right, employee, role or table.';
COMMENT ON COLUMN guard_problem.problem IS 'What is wrong, and what mends it.';

CREATE VIEW table_size WITH (security_invoker) AS
  SELECT c.relname::text AS table_name, s.bytes, s.bytes - (l.sizes ->> c.relname)::bigint AS growth,
         greatest(c.reltuples, 0)::bigint AS estimated_rows
    FROM pg_class c
    CROSS JOIN LATERAL (SELECT pg_total_relation_size(c.oid) AS bytes) s
    LEFT JOIN (SELECT h.sizes FROM health_report h ORDER BY h.month DESC LIMIT 1) l ON true
   WHERE c.relnamespace = books_schema() AND c.relkind IN ('r', 'm');
COMMENT ON VIEW table_size IS 'Tables by size, and what they grew since the last monthly report (SEC-06).';
COMMENT ON COLUMN table_size.table_name IS 'Table.';
COMMENT ON COLUMN table_size.bytes IS 'Bytes with indexes and long values.';
COMMENT ON COLUMN table_size.growth IS 'Bytes more than in the last health_report; null: there is none.';
COMMENT ON COLUMN table_size.estimated_rows IS 'Rows as of the last ANALYZE.';

-- The checks by what they look at; each row is one of health(), which asks who calls.

CREATE FUNCTION health_late() RETURNS TABLE (code text, warns boolean, value text, threshold text, hint text) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  WITH late (code, found, days) AS (
    SELECT 'unsent_feed', count(*), setting_text('health.feed_days') FROM payroll_feed f
     WHERE f.acknowledged_at IS NULL AND f.created_at < now()
       - make_interval(days => setting_number('health.feed_days')::integer)
    UNION ALL
    SELECT 'open_reviews', count(*), setting_text('health.review_days') FROM review r
      JOIN review_cycle c USING (cycle_id)
     WHERE r.status IN ('open', 'blocked')
       AND upper(c.period) + setting_number('health.review_days')::integer < today()
    UNION ALL
    SELECT 'unconfirmed_plans', count(*), setting_text('health.plan_days') FROM development_plan p
     WHERE p.status = 'proposed' AND p.planned_on + setting_number('health.plan_days')::integer < today()
    UNION ALL
    SELECT 'unread_notices', count(*), setting_text('health.notice_days') FROM notification n
     WHERE n.read_at IS NULL AND n.withdrawn_at IS NULL
       AND n.created_at < now() - make_interval(days => setting_number('health.notice_days')::integer)
  )
  SELECT l.code, l.found > 0, l.found::text, 'older than ' || l.days || ' days',
         CASE l.code WHEN 'unsent_feed' THEN 'View payroll_pending: does the payroll system fetch the feed?'
                     WHEN 'open_reviews' THEN 'Lock or exempt them: view assessment.'
                     WHEN 'unconfirmed_plans' THEN 'View plan_overview.'
                     ELSE 'Do the notices reach anybody? An application listens on the channel of the books.' END
    FROM late l;
END;
COMMENT ON FUNCTION health_late() IS
  'What waits longer than settings allow: the payroll feed, reviews, plans and notices; for health().';

CREATE FUNCTION health_faults() RETURNS TABLE (code text, warns boolean, value text, threshold text, hint text) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  WITH fault (code, list) AS (
    SELECT 'rule_gaps', array_agg(format('%s %s', g.code, g.gap) ORDER BY g.code, g.gap) FROM scale_gap g
    UNION ALL
    SELECT 'missing_indexes', array_agg(format('%s.%s', c.relname, k.conname) ORDER BY c.relname, k.conname)
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
     WHERE k.contype = 'f' AND c.relnamespace = books_schema() AND c.reltuples >= setting_number('health.index_rows')
       -- decisions stay, and rules are few and hardly ever deleted
       AND p.relname <> 'decision' AND p.oid IN (SELECT t.relid FROM personal_table t)
       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid
                          AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey)
    UNION ALL
    SELECT 'invalid_indexes', array_agg(c.relname::text ORDER BY c.relname) FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
     WHERE c.relnamespace = books_schema() AND NOT (i.indisvalid AND i.indisready)
    UNION ALL
    SELECT 'disabled_triggers', array_agg(format('%s.%s', c.relname, t.tgname) ORDER BY c.relname, t.tgname)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = books_schema() AND t.tgenabled = 'D' AND t.tgname <> 'a_guard'
    UNION ALL
    SELECT 'guards', array_agg(s.table_name ORDER BY s.table_name)
      FROM (SELECT g.table_name FROM guard_statement() g
            UNION SELECT r.table_name FROM table_rule r WHERE r.kind IN ('consequence', 'log') AND r.verb IS NULL) s
    UNION ALL
    SELECT 'follows', array_agg(DISTINCT s.table_name ORDER BY s.table_name) FROM follow_statement() s
    UNION ALL
    SELECT 'privacy_gaps', array_agg(format('%s.%s', g.table_name, g.column_name) ORDER BY g.table_name, g.column_name)
      FROM privacy_gap g
    UNION ALL
    SELECT 'stale_statistics', array_agg(s.relname::text ORDER BY s.relname) FROM pg_stat_user_tables s
     WHERE s.schemaname = (SELECT n.nspname FROM pg_namespace n WHERE n.oid = books_schema())
       AND s.n_mod_since_analyze > setting_number('health.stale_rows') AND s.n_mod_since_analyze > s.n_live_tup / 5
    UNION ALL
    SELECT k.code, (SELECT array_agg(g.name ORDER BY g.name) FROM guard_problem g WHERE g.code = k.code)
      FROM unnest(ARRAY['public_functions', 'rights', 'logins', 'register']) AS k (code)
  )
  SELECT f.code, f.list IS NOT NULL,
         coalesce(array_to_string(f.list[1:5], ', ') || CASE WHEN cardinality(f.list) > 5 THEN ' …'
                  ELSE '' END, 'none'),
         'none',
         CASE f.code WHEN 'rule_gaps' THEN 'View scale_gap: figures in a gap have no consequence.'
                     WHEN 'missing_indexes' THEN 'Create an index that begins with the columns of the foreign key.'
                     WHEN 'invalid_indexes' THEN 'REINDEX INDEX CONCURRENTLY.'
                     WHEN 'disabled_triggers' THEN 'Consequences do not happen: hrloop.post_restore(), or ALTER '
                                                   'TABLE … ENABLE TRIGGER.'
                     WHEN 'guards' THEN 'What the engine alone writes can be written by hand: apply_guards(), or '
                                        'table_rule.verb.'
                     WHEN 'follows' THEN 'Their triggers are not what table follow says: apply_follows().'
                     WHEN 'public_functions' THEN 'View guard_problem: everybody may call them; apply_rights().'
                     WHEN 'rights' THEN 'View guard_problem: edited by hand; apply_rights(), or correct role_right.'
                     WHEN 'logins' THEN 'View guard_problem: nobody can come in by them; request_login(), map_role().'
                     WHEN 'register' THEN 'View guard_problem: rows that contradict what is there.'
                     WHEN 'privacy_gaps' THEN 'View privacy_gap: what an export or an erasure would miss.'
                     ELSE 'ANALYZE these tables; is autovacuum on?' END
    FROM fault f;
END;
COMMENT ON FUNCTION health_faults() IS
  'What is wrong with rules, indexes, triggers, privacy and statistics, by name, the first five; for health().';

CREATE FUNCTION health_figures()
  RETURNS TABLE (overdue bigint, quarantine bigint, different numeric, broken numeric, unverified boolean,
                 version text, ran_at timestamptz, erasures bigint, biggest text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT (SELECT count(*) FROM plan_item i JOIN development_plan p USING (plan_id)
           WHERE p.status = 'effective' AND i.progress < 100 AND i.due_on < today()) AS overdue,
         (SELECT count(*) FROM quarantine) AS quarantine,
         k.different, k.broken,
         coalesce(k.since < now() - make_interval(days => setting_number('health.verify_days')::integer),
                  setting_number('health.verify_days') IS NOT NULL AND k.since IS NULL) AS unverified,
         (SELECT b.version FROM book b) AS version,
         greatest((SELECT max(d.ran_at) FROM due_rule d), (SELECT max(v.happened_at) FROM due_event v)) AS ran_at,
         (SELECT count(*) FROM erasure_log g WHERE g.confirmed_at IS NULL AND g.withdrawn_at IS NULL) AS erasures,
         (SELECT string_agg(format('%s %s%s', t.table_name, pg_size_pretty(t.bytes),
                                   ' (+' || pg_size_pretty(t.growth) || ')'), ', '
                                     ORDER BY t.bytes DESC, t.table_name)
            FROM (SELECT * FROM table_size z ORDER BY z.bytes DESC, z.table_name LIMIT 5) t) AS biggest
    -- what the round of verify_for() found so far, and how long its first slice is ago or has waited
    FROM (SELECT sum(s.differences) AS different, sum(s.broken) AS broken,
                 min(coalesce(s.checked_at, s.began_at)) AS since FROM verify_slice s) k;
END;
COMMENT ON FUNCTION health_figures() IS 'Figures of the books as a whole, one row, for health().';

CREATE FUNCTION health(differences boolean DEFAULT false)
  RETURNS TABLE (code text, status text, value text, threshold text, hint text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT hrloop.fail('42501', 'the health of the books is for their owner, HR and executives', NULL,
                     'Act as one of them by act_as().')
   WHERE NOT CASE WHEN actor() IS NULL THEN owns_books() ELSE holds_role('hr', actor())
     OR holds_role('executive', actor()) END;
  WITH other AS (
    SELECT f.overdue, f.quarantine, f.version, f.ran_at, f.erasures, f.biggest,
           CASE WHEN differences THEN v.different ELSE f.different END AS different,
           CASE WHEN differences THEN v.broken ELSE f.broken END AS broken,
           NOT differences AND f.unverified AS unverified
      FROM health_figures() f
      -- verify() includes verify_audit()
      CROSS JOIN (SELECT count(*) AS different,
                         count(*) FILTER (WHERE y.table_name IN ('audit_entry', 'audit_lane')
                                             OR y.problem = 'decision_changed') AS broken
                    FROM verify() y WHERE differences) v
  ), result (place, code, warns, value, threshold, hint) AS (
    SELECT 1, 'overdue_items', o.overdue > setting_number('health.overdue_items'), o.overdue::text,
           setting_text('health.overdue_items'), 'View plan_overview: talk to the managers.' FROM other o
    UNION ALL
    SELECT 2, l.* FROM health_late() l
    UNION ALL
    SELECT 3, f.* FROM health_faults() f
    UNION ALL
    SELECT 4, 'quarantine', o.quarantine > setting_number('health.quarantine'), o.quarantine::text,
           setting_text('health.quarantine'), 'Correct and release what was held back.' FROM other o
    UNION ALL
    SELECT 5, 'erasures', o.erasures > 0, o.erasures::text, '0',
           'Table erasure_log: somebody else confirms by confirm_erasure(), or withdraw_erasure().' FROM other o
    UNION ALL
    SELECT 6, 'differences', coalesce(o.different > 0, false)
      OR o.unverified, coalesce(o.different::text, 'not asked for'), '0',
           'Let an outside scheduler call verify_for() every night; health(true) counts them now, verify() shows '
           'them.' FROM other o
    UNION ALL
    SELECT 7, 'audit_chain', coalesce(o.broken > 0, false), coalesce(o.broken::text, 'not asked for'), '0',
           'health(true) counts, verify_audit() shows what does not fit.' FROM other o
    UNION ALL
    SELECT 8, 'version', o.version <> hrloop.version(), o.version, hrloop.version(), 'SELECT hrloop.migrate(…).'
      FROM other o
    UNION ALL
    SELECT 9, 'clock', coalesce(o.ran_at < now() - make_interval(days => setting_number('health.clock_days')::integer),
                                o.ran_at IS NULL),
           coalesce(o.ran_at::timestamptz(0)::text, 'never'), setting_text('health.clock_days') || ' days',
           'Let an outside scheduler such as pg_cron call run_due() every hour.' FROM other o
    UNION ALL
    SELECT 10, 'tls', setting_on('sec.require_tls') AND coalesce(t.bits, 0) < setting_number('sec.tls_bits'), CASE
      WHEN t.bits IS NULL THEN 'none' ELSE format('%s %s %s', t.version, t.cipher, t.bits) END,
           setting_text('sec.tls_bits') || ' bits' || CASE WHEN setting_on('sec.require_tls') THEN ', required'
             ELSE '' END,
           'This session''s own connection; a local socket has none. Setting sec.require_tls shows pay to encrypted '
           'ones only.' FROM hrloop.tls() t
    UNION ALL
    SELECT 11, 'biggest_tables', false, o.biggest, NULL, 'View table_size.' FROM other o
  )
  SELECT r.code, CASE WHEN coalesce(r.warns, false) THEN 'warn' ELSE 'ok' END, r.value, r.threshold, r.hint
    FROM result r ORDER BY r.place, r.code;
END;
COMMENT ON FUNCTION health(boolean) IS
  'Health of the books, one row per check: ok or warn, what was found, what is normal, what to do; differences are '
  'those that verify_for() found, true counts those of verify() now, which takes its time. Only reads, so a standby '
  'answers too. For the owner, HR and executives: error 42501 (SEC-04, SEC-06).';

INSERT INTO due_rule (code, what, setting) VALUES
  ('health_report', 'What health() finds is kept, and HR is told, once a month (SEC-06)', NULL);
CREATE FUNCTION due_health_report(events bigint[]) RETURNS void VOLATILE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH made AS MATERIALIZED (
    SELECT count(*)::integer AS checks, count(*) FILTER (WHERE h.status = 'warn')::integer AS warnings,
           jsonb_agg(to_jsonb(h)) AS report,
           coalesce(': ' || string_agg(h.code, ', ') FILTER (WHERE h.status = 'warn'), '') AS list
      FROM health() h
     -- health() costs its time: only for this event
     WHERE EXISTS (SELECT FROM due_event d WHERE d.due_event_id = ANY (events) AND d.code = 'health_report')
  ), kept AS (
    INSERT INTO health_report (month, reported_at, checks, warnings, report, sizes)
    SELECT to_date(d.source_id::text, 'YYYYMM'), d.happened_at, m.checks, m.warnings, m.report,
           (SELECT jsonb_object_agg(t.table_name, t.bytes) FROM table_size t)
      FROM due_event d CROSS JOIN made m WHERE d.due_event_id = ANY (events) AND d.code = 'health_report'
        ORDER BY d.due_event_id
    ON CONFLICT DO NOTHING RETURNING month, checks, warnings
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
  SELECT NULL::bigint, 'hr', 'health.report', 'health:' || to_char(k.month, 'YYYY-MM-DD'),
         jsonb_build_object('month', to_char(k.month, 'YYYY-MM'), 'checks', k.checks, 'warnings', k.warnings, 'list',
                            m.list)
    FROM kept k CROSS JOIN made m
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION due_health_report(bigint[]) IS
  'Consequence of the monthly event of rule health_report: keeps what health() finds and tells HR.';
SELECT register_follow('due_event', '{insert}', 600, 'due_health_report', key => 'due_event_id');

-- Logical replication brings rows, but not where their sequences stand.
CREATE FUNCTION take_over() RETURNS integer VOLATILE LANGUAGE SQL
  RETURN hrloop.define('book'::regclass, ARRAY(
    SELECT format('SELECT setval(%L, max(%I)) FROM %s HAVING max(%2$I) >= (SELECT last_value FROM %1$s)',
                  q.sequence, q.attname, q.attrelid::regclass)
      FROM (SELECT a.attrelid, a.attname,
            pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) AS sequence
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relnamespace = books_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            -- the audit log has numbers of the same transactions, and of others
            SELECT 'audit_entry'::regclass, 'transaction_id'::name AS attname,
                   pg_get_serial_sequence('decision'::regclass::text, 'transaction_id')) q
     WHERE q.sequence IS NOT NULL
     ORDER BY q.sequence));
COMMENT ON FUNCTION take_over() IS
  'Make books that logical replication filled ready to be written: their sequences go on behind the highest keys. Once '
  'the subscription is dropped; harmless otherwise. Returns how many sequences there are. Error 42501: not the owner '
  'of the books.';
