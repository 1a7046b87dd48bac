-- privacy: what the books hold about a person, handed out and erased (SEC-05), and small cells.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('person.erase', 'person', 'The data of somebody who has left were erased (SEC-05)');

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('privacy.min_cell', 'integer', '5', '5', 'People that an average in a view for BI must stand for at least; below it the figures are null (SEC-05)');
ALTER TABLE setting ADD CONSTRAINT setting_privacy_range
  CHECK (CASE WHEN setting = 'privacy.min_cell' THEN coalesce(value::integer, 0) > 0 ELSE true END);

SELECT register_notice('erasure.requested', '{hr}',
  zh => '个人信息删除申请{erasure}待另一人确认',
  en => 'Erasure {erasure} of personal data waits for somebody else to confirm it');

-- what is about whom -------------------------------------------------------------------

CREATE TABLE personal_reference (
  table_name  text    NOT NULL,
  column_name text    NOT NULL,
  is_subject  boolean NOT NULL,
  reason      text    NOT NULL CHECK (hrloop.meaningful_chars(reason) > 0),
  PRIMARY KEY (table_name, column_name)
);
COMMENT ON TABLE personal_reference IS 'References that make a row somebody''s or do not. A column employee_id that refers to employee does without being listed; view privacy_gap finds references that are missing here (SEC-05).';
COMMENT ON COLUMN personal_reference.table_name IS 'Table.';
COMMENT ON COLUMN personal_reference.column_name IS 'Column that refers to a person, or to a row about one.';
COMMENT ON COLUMN personal_reference.is_subject IS 'Whether the row is about that person; false: the person only acted.';
COMMENT ON COLUMN personal_reference.reason IS 'Why.';
INSERT INTO personal_reference (table_name, column_name, is_subject, reason)
SELECT t, c, s, r FROM (VALUES
  ('notification',        'recipient_id', true,  'what somebody was told'),
  ('cycle_signature',     'signed_by',    true,  'a signature is its signer''s'),
  ('delegation',          'delegator_id', true,  'a delegation is its giver''s'),
  ('delegation',          'delegate_id',  false, 'about who gives it'),
  ('assignment',          'manager_id',   false, 'about who is managed'),
  ('review',              'manager_id',   false, 'about who is reviewed'),
  ('review_segment',      'manager_id',   false, 'about who is reviewed'),
  ('review_rater',        'rater_id',     false, 'about who is reviewed'),
  ('score',               'rater_id',     false, 'about who is scored'),
  ('appeal',              'decided_by',   false, 'about who appeals'),
  ('calibration',         'decided_by',   false, 'about whose score it is'),
  ('calibration_session', 'opened_by',    false, 'an office, not about a person'),
  ('calibration_session', 'closed_by',    false, 'an office, not about a person'),
  ('development_request', 'decided_by',   false, 'about who asks'),
  ('development_plan',    'manager_id',   false, 'about whose plan it is'),
  ('mentor_advice',       'mentor_id',    false, 'about who is advised'),
  ('mentorship',          'mentee_id',    true,  'whom it is for'),
  ('mentorship',          'mentor_id',    false, 'about the mentee'),
  ('question',            'answered_by',  false, 'about who asks'),
  ('question',            'replier_id',   false, 'about who asks'),
  ('promotion_case',      'decided_by',   false, 'about who is promoted'),
  ('cause_analysis',      'decision_id',  false, 'about a unit')) AS d (t, c, s, r);

CREATE FUNCTION books_schema() RETURNS oid STABLE LANGUAGE SQL
  RETURN (SELECT c.relnamespace FROM pg_class c WHERE c.oid = 'book'::regclass);
COMMENT ON FUNCTION books_schema() IS 'Schema of these books, for questions to the catalog.';

CREATE VIEW personal_table WITH (security_invoker) AS
  WITH RECURSIVE link AS (
    SELECT k.conrelid, l.attname, l.list, k.confrelid, l.referred, l.attnotnull, l.is_subject
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      CROSS JOIN LATERAL (
        SELECT min(a.attname::text) AS attname, bool_and(a.attnotnull) AS attnotnull, bool_and(p.is_subject) AS is_subject,
               string_agg(quote_ident(a.attname), ', ' ORDER BY u.n) AS list, string_agg(quote_ident(f.attname), ', ' ORDER BY u.n) AS referred
          FROM unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (mine, theirs, n)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.mine
          JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = u.theirs
          LEFT JOIN personal_reference p ON p.table_name = c.relname AND p.column_name = a.attname) l
     WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND c.relnamespace = books_schema()
  ), direct AS (
    SELECT 'employee'::regclass::oid AS relid, 'employee_id = $1' AS condition
    UNION ALL
    SELECT l.conrelid, string_agg(format('%I = $1', l.attname), ' OR ' ORDER BY l.attname)
      FROM link l WHERE l.confrelid = 'employee'::regclass AND coalesce(l.is_subject, l.attname = 'employee_id')
     GROUP BY l.conrelid
  ), walk (relid, condition, depth, sure, by_decision) AS (
    SELECT d.relid, d.condition, 0, true, false FROM direct d
    UNION ALL
    SELECT l.conrelid, format('(%s) IN (SELECT %s FROM %I.%I WHERE %s)', l.list, l.referred, n.nspname, c.relname, w.condition), w.depth + 1, l.attnotnull,
           w.by_decision OR l.confrelid = 'decision'::regclass
      FROM walk w
      JOIN link l ON l.confrelid = w.relid AND coalesce(l.is_subject, true)
      JOIN pg_class c ON c.oid = w.relid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE w.depth < 4 AND w.relid <> 'employee'::regclass AND NOT EXISTS (SELECT FROM direct d WHERE d.relid = l.conrelid)
  ), ranked AS (
    -- one way that no row can miss is enough, the shortest, not by a decision if there is
    -- another, as that may be about nobody; else all of them together
    SELECT w.*, row_number() OVER (PARTITION BY w.relid ORDER BY w.sure DESC, w.by_decision, w.depth, w.condition) AS place,
           bool_or(w.sure) OVER (PARTITION BY w.relid) AS some_sure
      FROM walk w
  )
  SELECT c.relname::text AS table_name, c.oid AS relid, format('%I.%I', n.nspname, c.relname) AS qualified,
         min(r.depth) AS depth, string_agg(r.condition, ' OR ' ORDER BY r.place) AS condition
    FROM ranked r JOIN pg_class c ON c.oid = r.relid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE r.place = 1 OR NOT r.some_sure
   GROUP BY c.relname, c.oid, n.nspname;
COMMENT ON VIEW personal_table IS 'Tables that hold something about a person, found in the catalog by foreign keys to employee, directly or through another such table; tables that a DBA adds are found as well (SEC-05).';
COMMENT ON COLUMN personal_table.table_name IS 'Table.';
COMMENT ON COLUMN personal_table.relid IS 'Its oid.';
COMMENT ON COLUMN personal_table.qualified IS 'Its name with the schema, quoted.';
COMMENT ON COLUMN personal_table.depth IS '0: it refers to the person itself; else how many tables lie between.';
COMMENT ON COLUMN personal_table.condition IS 'Which of its rows are a person''s; $1 stands for the key of the employee.';

-- erasure ------------------------------------------------------------------------------

CREATE TABLE erasure_rule (
  table_name  text NOT NULL,
  column_name text NOT NULL,
  action      text NOT NULL CHECK (action IN ('blank', 'pseudonym', 'name', 'keep')),
  leaves      text DEFAULT '已删除',
  keys        text[],
  beside      text,
  keep_months integer CHECK (keep_months > 0),
  reason      text NOT NULL CHECK (hrloop.meaningful_chars(reason) > 0),
  PRIMARY KEY (table_name, column_name, action),
  CONSTRAINT erasure_rule_beside CHECK ((action = 'name') = (beside IS NOT NULL)),
  CONSTRAINT erasure_rule_keys CHECK (keys IS NULL OR action = 'blank' AND leaves IS NOT NULL)
);
COMMENT ON TABLE erasure_rule IS 'What becomes of each text about a person that is erased, column by column, against what must be kept; figures are not listed, they stay; an entry of the audit log follows the rules of its table (SEC-05, AMB-41). Every text of a personal table needs a rule: see privacy_gap.';
COMMENT ON COLUMN erasure_rule.table_name IS 'Table.';
COMMENT ON COLUMN erasure_rule.column_name IS 'Column.';
COMMENT ON COLUMN erasure_rule.action IS 'blank: in the person''s rows it is replaced; pseudonym: wherever it holds the person''s number or, in a document, number or name; name: the name is taken out of texts to others; keep: it stays.';
COMMENT ON COLUMN erasure_rule.leaves IS 'What blank leaves behind; null: nothing.';
COMMENT ON COLUMN erasure_rule.keys IS 'Of a document only the texts under these keys (key, or parent.key); null: all of it.';
COMMENT ON COLUMN erasure_rule.beside IS 'For name: column of the document that says who is named in the text.';
COMMENT ON COLUMN erasure_rule.keep_months IS 'Months after leaving for which it has to be kept first; null: none.';
COMMENT ON COLUMN erasure_rule.reason IS 'Why so.';

INSERT INTO erasure_rule (table_name, column_name, action, leaves, keys, beside, keep_months, reason)
SELECT t, c, a, l, k::text[], b, m, r FROM (VALUES
  -- who it was
  ('employee', 'name',        'blank',     '已删除', NULL, NULL, NULL::integer, 'name'),
  ('employee', 'employee_no', 'pseudonym', NULL, NULL, NULL, NULL, 'figures stay under a pseudonym'),
  ('employee', 'education',   'blank',     NULL, NULL, NULL, NULL, 'personal'),
  ('employee', 'contact',     'blank',     NULL, NULL, NULL, NULL, 'personal'),
  ('employee', 'db_role',     'blank',     NULL, NULL, NULL, NULL, 'login'),
  -- who it was, as others wrote it down
  ('decision',               'decided_by',  'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('decision',               'inputs',      'pseudonym', NULL, NULL, NULL, NULL, 'figures stay under a pseudonym'),
  ('decision',               'outcome',     'pseudonym', NULL, NULL, NULL, NULL, 'figures stay under a pseudonym'),
  ('salary_adjustment',      'decided_by',  'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('contribution',           'recorded_by', 'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('contribution_citation',  'recorded_by', 'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('certification_reversal', 'reversed_by', 'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('plan_progress',          'recorded_by', 'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('plan_session',           'recorded_by', 'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('warning',                'handled_by',  'pseudonym', NULL, NULL, NULL, NULL, 'acts stay under a pseudonym'),
  ('quarantine',             'payload',     'pseudonym', NULL, NULL, NULL, NULL, 'events that wait to be mended'),
  ('notification',           'body',        'name', '已删除', NULL, 'args', NULL, 'named in what others were told'),
  ('notification',           'args',        'pseudonym', NULL, NULL, NULL, NULL, 'named in what others were told'),
  -- free texts
  ('decision',       'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('decision',       'inputs',           'blank', '已删除', '{rationale,remark,note,record,answer,evidence,handling,deviation_reason,calibration.reason}', NULL, NULL, 'free texts; the figures stay'),
  ('decision',       'outcome',          'blank', '已删除', '{rationale,remark,note,record,answer,evidence,handling}', NULL, NULL, 'free texts; the figures stay'),
  ('notification',   'body',             'blank', '已删除', NULL, NULL, NULL, 'what somebody was told'),
  ('notification',   'args',             'blank', '{}', NULL, NULL, NULL, 'what somebody was told'),
  ('score',          'rationale',        'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('score',          'facts',            'keep',  NULL, NULL, NULL, NULL, 'figures of the score'),
  ('initial_score',  'facts',            'keep',  NULL, NULL, NULL, NULL, 'figures of the score'),
  ('target',         'facts',            'keep',  NULL, NULL, NULL, NULL, 'figures of the score'),
  ('measurement',    'facts',            'keep',  NULL, NULL, NULL, NULL, 'figures of the score'),
  ('measurement',    'source',           'keep',  NULL, NULL, NULL, NULL, 'name of a system'),
  ('measurement',    'external_id',      'keep',  NULL, NULL, NULL, NULL, 'a repeated delivery must be recognised'),
  ('review',         'block_reason',     'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('review',         'deviation_reason', 'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('review',         'reopen_reason',    'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('review',         'missing_used',     'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('review_gate',    'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('review_gate',    'waived_because',   'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('review_rater',   'barred_because',   'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('review_result',  'grade',            'keep',  NULL, NULL, NULL, NULL, 'figure'),
  ('calibration',    'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('acknowledgement', 'remark',          'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('appeal',         'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('appeal',         'rationale',        'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('key_event',      'event',            'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('key_event',      'evidence',         'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('key_event',      'source',           'keep',  NULL, NULL, NULL, NULL, 'name of a system'),
  ('key_event',      'external_id',      'keep',  NULL, NULL, NULL, NULL, 'a repeated delivery must be recognised'),
  ('warning',        'handling',         'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('suggestion',     'suggestion',       'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('suggestion',     'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('skill_rating',   'source',           'keep',  NULL, NULL, NULL, NULL, 'name of a system'),
  ('development_request', 'reason',      'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('mentor_advice',  'advice',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('mentorship',     'goal',             'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('mentorship',     'content',          'blank', '{已删除}', NULL, NULL, NULL, 'free texts'),
  ('development_plan', 'document',       'keep',  NULL, NULL, NULL, NULL, 'what the rules proposed: names of resources'),
  ('plan_item',      'title',            'keep',  NULL, NULL, NULL, NULL, 'name of a resource, or as plan_change says'),
  ('plan_item',      'topic',            'keep',  NULL, NULL, NULL, NULL, 'name of an indicator or skill'),
  ('plan_change',    'title',            'keep',  NULL, NULL, NULL, NULL, 'a goal; plans are made from it'),
  ('plan_item_version', 'title',         'keep',  NULL, NULL, NULL, NULL, 'a goal; plans are made from it'),
  ('plan_progress',  'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('plan_session',   'note',             'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('growth_archive', 'title',            'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('growth_archive', 'detail',           'blank', '已删除', '{role,evidence,reason}', NULL, NULL, 'free texts; the figures stay'),
  ('contribution',   'title',            'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('contribution',   'role',             'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('contribution',   'evidence',         'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('contribution',   'unit',             'keep',  NULL, NULL, NULL, NULL, 'unit of the figure'),
  ('contribution',   'source',           'keep',  NULL, NULL, NULL, NULL, 'name of a system'),
  ('contribution',   'external_id',      'keep',  NULL, NULL, NULL, NULL, 'a repeated delivery must be recognised'),
  ('growth_archive', 'kind',             'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('growth_archive', 'source_table',     'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('hr_task',        'record',           'blank', '已删除', NULL, NULL, NULL, 'what was talked about'),
  ('training_record', 'reason',          'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('training_record', 'source',          'keep',  NULL, NULL, NULL, NULL, 'name of a system'),
  ('training_record', 'external_id',     'keep',  NULL, NULL, NULL, NULL, 'a repeated delivery must be recognised'),
  ('certification_result', 'source',     'keep',  NULL, NULL, NULL, NULL, 'name of a system'),
  ('certification_result', 'external_id', 'keep', NULL, NULL, NULL, NULL, 'a repeated delivery must be recognised'),
  ('certification_reversal', 'reason',   'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('question',       'body',             'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('question',       'answer',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('pool_membership', 'reason',          'keep',  NULL, NULL, NULL, NULL, 'reason that the rule gives'),
  ('promotion_case', 'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('promotion_case', 'kind',             'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('hr_task',        'kind',             'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('delegation',     'reason',           'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('cycle_signature', 'remark',          'blank', '已删除', NULL, NULL, NULL, 'free text'),
  ('cycle_signature', 'signed_as',       'keep',  NULL, NULL, NULL, NULL, 'code'),
  -- evidence of what was paid: records of pay are kept for two years at least (工资支付暂行规定 §6)
  ('salary_adjustment', 'reason',        'blank', '已删除', NULL, NULL, 24, 'evidence of pay for two years, then a free text'),
  ('payroll_feed',   'source_table',     'keep',  NULL, NULL, NULL, NULL, 'evidence of pay'),
  ('skill_allowance', 'component',       'keep',  NULL, NULL, NULL, NULL, 'evidence of pay'),
  -- codes
  ('decision',       'kind',             'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('decision',       'cause',            'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('decision',       'rule',             'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('notification',   'kind',             'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('notification',   'event_key',        'keep',  NULL, NULL, NULL, NULL, 'code'),
  ('notification',   'locale',           'keep',  NULL, NULL, NULL, NULL, 'code')
) AS d (t, c, a, l, k, b, m, r);

CREATE TABLE erasure_log (
  erasure_id   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  employee_id  bigint      NOT NULL,
  pseudonym    text        NOT NULL UNIQUE DEFAULT 'P' || upper(left(replace(gen_random_uuid()::text, '-', ''), 12)),
  reason       text        NOT NULL CHECK (hrloop.meaningful_chars(reason) > 0),
  requested_by text        NOT NULL DEFAULT who(),
  requested_at timestamptz NOT NULL DEFAULT now(),
  confirmed_by text,
  confirmed_at timestamptz,
  withdrawn_at timestamptz,
  CONSTRAINT erasure_log_confirmed CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
  CONSTRAINT erasure_log_withdrawn CHECK (withdrawn_at IS NULL OR confirmed_at IS NULL)
);
CREATE UNIQUE INDEX erasure_log_once ON erasure_log (employee_id) WHERE withdrawn_at IS NULL;
COMMENT ON TABLE erasure_log IS 'Erasures: asked for by HR, confirmed by somebody else, then carried out. It refers to nothing, so that it can be dumped by itself and loaded over an older state; reapply_erasures() then erases again what a restore brought back (SEC-05).';
COMMENT ON COLUMN erasure_log.erasure_id IS 'Key.';
COMMENT ON COLUMN erasure_log.employee_id IS 'Whose.';
COMMENT ON COLUMN erasure_log.pseudonym IS 'Number under which the figures stay.';
COMMENT ON COLUMN erasure_log.reason IS 'Why; do not name the person.';
COMMENT ON COLUMN erasure_log.requested_by IS 'Who asked for it.';
COMMENT ON COLUMN erasure_log.requested_at IS 'When.';
COMMENT ON COLUMN erasure_log.confirmed_by IS 'Who confirmed it; null: nobody yet.';
COMMENT ON COLUMN erasure_log.confirmed_at IS 'When it was confirmed and carried out.';
COMMENT ON COLUMN erasure_log.withdrawn_at IS 'When the request was withdrawn.';
INSERT INTO personal_reference (table_name, column_name, is_subject, reason) VALUES
  ('erasure_log', 'employee_id',  false, 'what an erasure leaves'),
  ('erasure_log', 'requested_by', false, 'who answers for an erasure'),
  ('erasure_log', 'confirmed_by', false, 'who answers for an erasure');

CREATE FUNCTION erasure_statement(erasure bigint) RETURNS TABLE (statement text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH person AS (
    SELECT g.employee_id, g.pseudonym, e.employee_no, e.name, e.db_role, coalesce(mark.leaves, '') AS mark,
           (SELECT max(lower(s.valid)) FROM employee_status s WHERE s.employee_id = g.employee_id AND s.status = 'left') AS left_on
      FROM erasure_log g
      JOIN employee e USING (employee_id)
      LEFT JOIN erasure_rule mark ON (mark.table_name, mark.column_name, mark.action) = ('employee', 'name', 'blank')
     WHERE g.erasure_id = erasure AND g.confirmed_at IS NOT NULL
  ), rule AS (
    SELECT r.*, p.*, c.oid AS relid, format('%I.%I', n.nspname, c.relname) AS target, quote_ident(r.column_name) AS col, t.condition, format_type(a.atttypid, a.atttypmod) AS type,
           CASE WHEN r.keys IS NOT NULL THEN format('hrloop.scrub(%I, %L, %L)', r.column_name, r.keys, r.leaves)
                ELSE format('%L::%s', r.leaves, format_type(a.atttypid, a.atttypmod)) END AS blanked
      FROM person p
      JOIN erasure_rule r ON r.action <> 'keep'
                         AND (r.keep_months IS NULL OR (p.left_on + make_interval(months => r.keep_months))::date <= current_date)
      JOIN pg_class c ON c.relname = r.table_name AND c.relnamespace = books_schema() AND c.relkind IN ('r', 'p')
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = r.column_name AND NOT a.attisdropped
      LEFT JOIN personal_table t ON t.relid = c.oid
  ), made AS (
    SELECT r.*, CASE r.action
           WHEN 'blank' THEN format('UPDATE %s SET %s = %s WHERE (%s) AND %s IS NOT NULL AND %s IS DISTINCT FROM %s', r.target, r.col, r.blanked,
                                    replace(r.condition, '$1', format('%s::bigint', r.employee_id)), r.col, r.col, r.blanked)
           WHEN 'name' THEN format('UPDATE %s SET %s = replace(%s, %L, %L) WHERE strpos(%I::text, %L) > 0 AND strpos(%s, %L) > 0', r.target, r.col, r.col, r.name, r.mark,
                                   r.beside, to_jsonb(r.name), r.col, r.name)
           WHEN 'pseudonym' THEN
             CASE r.type WHEN 'jsonb' THEN
                  format('UPDATE %s SET %s = replace(replace(%s::text, %L, %L), %L, %L)::jsonb WHERE strpos(%s::text, %L) > 0 OR strpos(%s::text, %L) > 0', r.target, r.col, r.col,
                         to_jsonb(r.employee_no), to_jsonb(r.pseudonym), to_jsonb(r.name), to_jsonb(r.mark), r.col, to_jsonb(r.employee_no), r.col, to_jsonb(r.name))
             ELSE format('UPDATE %s SET %s = %L WHERE %s = %L', r.target, r.col, r.pseudonym, r.col, r.employee_no) END
           END AS statement
      FROM rule r
     WHERE CASE r.action WHEN 'blank' THEN r.condition IS NOT NULL
                         WHEN 'name' THEN r.name <> r.mark
                         ELSE r.employee_no <> r.pseudonym END
  ), logged AS (
    -- the audit log holds what the columns held
    SELECT r.table_name, array_agg(DISTINCT k.key ORDER BY k.key) AS keys, r.mark, r.employee_id,
           bool_or(r.column_name = (SELECT min(a.attname::text) FROM pg_attribute a WHERE a.attrelid = r.relid AND a.attname IN ('rationale', 'reason') AND NOT a.attisdropped)) AS has_reason
      FROM rule r CROSS JOIN LATERAL unnest(coalesce(r.keys, ARRAY[r.column_name])) AS k (key) WHERE r.action = 'blank'
     GROUP BY r.table_name, r.mark, r.employee_id
    UNION ALL
    SELECT 'employee', '{employee_no}', p.pseudonym, p.employee_id, false FROM person p
  ), log AS (
    SELECT format('%I.audit_entry', n.nspname) AS target FROM pg_namespace n WHERE n.oid = books_schema()
  )
  SELECT s.statement
    FROM (SELECT array_position('{name,pseudonym,blank}', m.action) AS place, m.table_name, m.column_name, m.statement FROM made m
          UNION ALL
          SELECT 4, l.table_name, l.keys[1],
                 format('UPDATE %s SET before = hrloop.scrub(before, %L, %L), after = hrloop.scrub(after, %L, %L)%s WHERE employee_id = %s AND table_name = %L'
                        ' AND (before, after, reason) IS DISTINCT FROM (hrloop.scrub(before, %L, %L), hrloop.scrub(after, %L, %L), %s)',
                        log.target, l.keys, l.mark, l.keys, l.mark, CASE WHEN l.has_reason THEN format(', reason = CASE WHEN reason IS NOT NULL THEN %L END', l.mark) END,
                        l.employee_id, l.table_name, l.keys, l.mark, l.keys, l.mark,
                        CASE WHEN l.has_reason THEN format('CASE WHEN reason IS NOT NULL THEN %L END', l.mark) ELSE 'reason' END)
            FROM logged l CROSS JOIN log
          UNION ALL
          SELECT 5, 'audit_entry', 'db_user', format('UPDATE %s SET db_user = CASE db_user WHEN %L THEN %L ELSE db_user END, db_role = CASE db_role WHEN %L THEN %L ELSE db_role END'
                 ' WHERE %L IN (db_user, db_role)', log.target, p.db_role, p.pseudonym, p.db_role, p.pseudonym, p.db_role)
            FROM person p CROSS JOIN log WHERE p.db_role <> '') s
   ORDER BY s.place, s.table_name, s.column_name;
END;
COMMENT ON FUNCTION erasure_statement(bigint) IS
  'The updates of a confirmed erasure that erasure_rule asks for today, of the tables and of what the audit log holds of them; hrloop.erase() executes them. None for one that is not confirmed.';

-- who may, and what follows ---------------------------------------------------------------

CREATE FUNCTION erasure_requested(erasures bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
  SELECT NULL::bigint, 'hr', 'erasure.requested', 'erasure:' || g.erasure_id, jsonb_build_object('erasure', g.erasure_id)
    FROM erasure_log g WHERE g.erasure_id = ANY (erasures) ORDER BY g.erasure_id
  ON CONFLICT DO NOTHING;
  SELECT '42501', 'only HR asks for the erasure of personal data', NULL, 'Act as somebody who holds the role hr.', 'erasure_log', 'requested_by', 'erasure_log_role'
   WHERE NOT CASE WHEN actor() IS NULL THEN owns_books() ELSE holds_role('hr', actor()) END
  UNION ALL
  SELECT '42501', format('an erasure cannot be asked for in the name of %s', g.requested_by), NULL, 'Leave requested_by out.', 'erasure_log', 'requested_by', 'erasure_log_requester'
    FROM erasure_log g WHERE g.erasure_id = ANY (erasures) AND g.requested_by <> who()
  UNION ALL
  SELECT '23514', 'an erasure is confirmed after it was asked for, by somebody else', NULL, 'Use confirm_erasure().', 'erasure_log', 'confirmed_by', 'erasure_log_born_confirmed'
    FROM erasure_log g WHERE g.erasure_id = ANY (erasures) AND (g.confirmed_at IS NOT NULL OR g.withdrawn_at IS NOT NULL)
  UNION ALL
  SELECT '23503', format('there is no employee with key %s', g.employee_id), NULL, NULL, 'erasure_log', 'employee_id', 'erasure_log_employee'
    FROM erasure_log g WHERE g.erasure_id = ANY (erasures) AND NOT EXISTS (SELECT FROM employee e WHERE e.employee_id = g.employee_id)
  UNION ALL
  SELECT '55000', format('employee %s has not left', e.employee_no), 'The data of somebody who is employed are needed for the employment.',
         'Correct wrong data instead; leave() ends an employment.', 'erasure_log', 'employee_id', 'erasure_log_left'
    FROM erasure_log g JOIN employee e USING (employee_id) WHERE g.erasure_id = ANY (erasures) AND NOT has_left(g.employee_id, current_date);
END;
COMMENT ON FUNCTION erasure_requested(bigint[]) IS 'Rule: HR asks for the erasure of somebody who has left; HR is told that it waits for a second person.';
CREATE TRIGGER erasure_log_requested AFTER INSERT ON erasure_log REFERENCING NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('erasure_requested', 'key=erasure_id');

CREATE FUNCTION erasure_confirmed(erasures bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '42501', 'only HR or an executive confirms the erasure of personal data', NULL, 'Act as somebody who holds one of these roles.', 'erasure_log', 'confirmed_by', 'erasure_log_role'
   WHERE NOT CASE WHEN actor() IS NULL THEN owns_books() ELSE holds_role('hr', actor()) OR holds_role('executive', actor()) END
  UNION ALL
  SELECT '42501', format('an erasure cannot be confirmed in the name of %s', g.confirmed_by), NULL, 'Use confirm_erasure().', 'erasure_log', 'confirmed_by', 'erasure_log_confirmer'
    FROM erasure_log g WHERE g.erasure_id = ANY (erasures) AND g.confirmed_by <> who()
  UNION ALL
  SELECT '42501', format('%s cannot confirm an erasure that they asked for', g.confirmed_by), NULL, 'Somebody else of HR, or an executive, has to confirm it.', 'erasure_log', 'confirmed_by', 'erasure_log_four_eyes'
    FROM erasure_log g WHERE g.erasure_id = ANY (erasures) AND g.confirmed_by = g.requested_by
  UNION ALL
  SELECT '55000', format('employee %s has not left', e.employee_no), NULL, 'Withdraw the request.', 'erasure_log', 'employee_id', 'erasure_log_left'
    FROM erasure_log g JOIN employee e USING (employee_id)
   WHERE g.erasure_id = ANY (erasures) AND g.confirmed_at IS NOT NULL AND NOT has_left(g.employee_id, current_date);
END;
COMMENT ON FUNCTION erasure_confirmed(bigint[]) IS 'Rule: another person of HR or an executive confirms, and the employee has not come back.';

CREATE FUNCTION erasure_fixed(erasures erasure_log[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('erasure %s can no longer be changed', o.erasure_id), 'It was confirmed or withdrawn.', NULL, 'erasure_log', NULL, 'erasure_log_fixed'
    FROM unnest(erasures) o WHERE o.confirmed_at IS NOT NULL OR o.withdrawn_at IS NOT NULL
  UNION ALL
  SELECT '55000', format('whose and which erasure %s is cannot be changed', o.erasure_id), NULL, 'Withdraw it and ask for another one.', 'erasure_log', NULL, 'erasure_log_same'
    FROM unnest(erasures) o JOIN erasure_log g USING (erasure_id)
   WHERE (g.employee_id, g.pseudonym, g.reason, g.requested_by, g.requested_at) IS DISTINCT FROM (o.employee_id, o.pseudonym, o.reason, o.requested_by, o.requested_at);
END;
COMMENT ON FUNCTION erasure_fixed(erasure_log[]) IS 'Rule: what was asked for does not change, and what was confirmed or withdrawn stays so.';

CREATE FUNCTION erase_again(erasures bigint[]) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH done AS MATERIALIZED (
    SELECT g.erasure_id, g.employee_id, hrloop.erase('book'::regclass, g.erasure_id) AS changed
      FROM (SELECT * FROM erasure_log l WHERE l.erasure_id = ANY (erasures) AND l.confirmed_at IS NOT NULL ORDER BY l.erasure_id) g
      JOIN employee e USING (employee_id)
  ), told AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'person.erase', d.employee_id, 'erasure_log', d.erasure_id, 'erasure_rule', '{}'::jsonb, jsonb_build_object('rows', d.changed)
      FROM done d WHERE d.changed > 0 ORDER BY d.erasure_id
    RETURNING 1
  )
  SELECT count(*) FROM told;
END;
COMMENT ON FUNCTION erase_again(bigint[]) IS 'Carry out confirmed erasures; what they still find is one decision each. Returns how many found something.';

CREATE TRIGGER erasure_log_1_fixed AFTER UPDATE ON erasure_log REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('erasure_fixed', 'rows=old');
CREATE TRIGGER erasure_log_2_confirmed AFTER UPDATE ON erasure_log REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('erasure_confirmed', 'key=erasure_id');
CREATE TRIGGER erasure_log_3_erase AFTER UPDATE ON erasure_log REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('erase_again', 'key=erasure_id', 'changed=confirmed_at', 'present=confirmed_at');
CREATE TRIGGER erasure_log_stays BEFORE DELETE OR TRUNCATE ON erasure_log
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('A request that is not confirmed can be withdrawn by withdraw_erasure().');

-- verbs -----------------------------------------------------------------------------------

CREATE FUNCTION request_erasure(employee text, reason text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('23502', 'an erasure needs a reason', NULL, 'For example the letter by which it was asked for; do not name the person.', 'erasure_log', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(request_erasure.reason, '')) = 0;
  SELECT hrloop.fail('55000', format('the erasure of employee %s was already %s', employee, CASE WHEN g.confirmed_at IS NULL THEN 'asked for' ELSE 'carried out' END),
                     format('It is erasure %s.', g.erasure_id), CASE WHEN g.confirmed_at IS NULL THEN 'Somebody else confirms it by confirm_erasure().' END, 'erasure_log', NULL, 'erasure_log_once')
    FROM erasure_log g WHERE g.employee_id = (SELECT find_employee(employee)) AND g.withdrawn_at IS NULL;
  INSERT INTO erasure_log (employee_id, reason) VALUES (find_employee(employee), request_erasure.reason) RETURNING erasure_id;
END;
COMMENT ON FUNCTION request_erasure(text, text) IS
  'HR asks for the erasure of the personal data of somebody who has left; somebody else confirms it. Returns its key. Errors: 55000 still employed, or asked for already; 42501 not HR; 23502 no reason; 22023 unknown (SEC-05).';

CREATE FUNCTION waiting_erasure(employee text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN coalesce((SELECT g.erasure_id FROM erasure_log g WHERE g.employee_id = (SELECT find_employee(employee)) AND g.confirmed_at IS NULL AND g.withdrawn_at IS NULL),
                  hrloop.fail('55000', format('no erasure of employee %s waits for confirmation', employee), NULL, 'HR asks for it by request_erasure().', 'erasure_log')::int::bigint);
COMMENT ON FUNCTION waiting_erasure(text) IS 'Key of the erasure of a person that waits for confirmation; error 55000 if there is none.';

CREATE FUNCTION confirm_erasure(employee text) RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE erasure_log g SET confirmed_by = who(), confirmed_at = now() WHERE g.erasure_id = (SELECT waiting_erasure(employee))
  RETURNING g.pseudonym;
END;
COMMENT ON FUNCTION confirm_erasure(text) IS
  'Somebody else of HR, or an executive, confirms an erasure: names and free texts are blanked as erasure_rule says, in append-only tables too, figures stay under the pseudonym that is returned, and a decision says so. Cannot be undone. Errors: 42501 same person or wrong role; 55000 nothing waits, or employed again; 22023 unknown (SEC-05).';

CREATE FUNCTION withdraw_erasure(employee text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE erasure_log g SET withdrawn_at = now() WHERE g.erasure_id = (SELECT waiting_erasure(employee)) RETURNING g.erasure_id;
END;
COMMENT ON FUNCTION withdraw_erasure(text) IS 'Withdraw an erasure that is not confirmed yet, as HR or an executive; returns its key. Errors: 42501 wrong role, 55000 nothing waits, 22023 unknown.';

CREATE FUNCTION reapply_erasures() RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', 'erasures are carried out again by the owner of the books', NULL, 'run_due() does it once a month; after a restore the DBA does it.') WHERE NOT owns_books();
  SELECT erase_again(ARRAY(SELECT g.erasure_id FROM erasure_log g WHERE g.confirmed_at IS NOT NULL ORDER BY g.erasure_id));
END;
COMMENT ON FUNCTION reapply_erasures() IS
  'Erase again what a restore brought back, and what its retention has released meanwhile; returns how many erasures found something. Error 42501: not the owner of the books (SEC-05).';

-- once a month the clock does it, too
INSERT INTO due_rule (code, what, setting) VALUES
  ('erasure', 'What retention releases of people who were erased, and what a restore brought back: erased, once a month (SEC-05)', NULL);
CREATE FUNCTION due_erasures(events bigint[]) RETURNS bigint VOLATILE LANGUAGE SQL
  RETURN (SELECT erase_again(ARRAY(SELECT g.erasure_id FROM erasure_log g WHERE g.confirmed_at IS NOT NULL ORDER BY g.erasure_id))
           WHERE EXISTS (SELECT FROM due_event d WHERE d.due_event_id = ANY (events) AND d.code = 'erasure'));
COMMENT ON FUNCTION due_erasures(bigint[]) IS 'Consequence of the monthly event of rule erasure: confirmed erasures are carried out again.';
CREATE TRIGGER due_event_erases AFTER INSERT ON due_event REFERENCING NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('due_erasures', 'key=due_event_id');

-- export ----------------------------------------------------------------------------------

CREATE TABLE export_limit (
  table_name text PRIMARY KEY,
  condition  text NOT NULL CHECK (condition <> ''),
  reason     text NOT NULL CHECK (hrloop.meaningful_chars(reason) > 0)
);
COMMENT ON TABLE export_limit IS 'Rows about a person that HR sees and the person does not: what is not disclosed yet, and what would betray an anonymous rater (GDPR 15 (4)). It holds SQL: let nobody but the owner of the books write it.';
COMMENT ON COLUMN export_limit.table_name IS 'Table.';
COMMENT ON COLUMN export_limit.condition IS 'Rows that the person gets: SQL in which t is the row, @ the schema of the books and $1 the key of the employee.';
COMMENT ON COLUMN export_limit.reason IS 'Why.';
INSERT INTO export_limit (table_name, condition, reason) VALUES
  ('review',        '@disclosed(t.review_id)', 'not disclosed yet'),
  ('review_result', 't.disclosed_on IS NOT NULL', 'not disclosed yet'),
  ('calibration',   '@disclosed(t.review_id)', 'not disclosed yet'),
  ('score',         '(t.rater_id = $1 OR @disclosed(t.review_id) AND NOT EXISTS (SELECT FROM @review r JOIN @template_rater_group g USING (template_id) WHERE r.review_id = t.review_id AND g.rater_group = t.rater_group AND g.minimum > 0))',
                    'not disclosed yet, or of a group whose raters are anonymous'),
  ('review_rater',  'false', 'who rates is not told'),
  ('salary_adjustment', 'EXISTS (SELECT FROM @review_result x WHERE x.result_id = t.result_id AND x.disclosed_on IS NOT NULL)', 'not disclosed yet'),
  ('decision',      '@decision_told(t.kind, t.cause, t.cause_id)', 'not disclosed yet');

CREATE FUNCTION export_person(employee text) RETURNS jsonb STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('22004', 'an export needs an employee') WHERE employee IS NULL;
  SELECT hrloop.fail('42501', format('the data of employee %s are for themselves and HR', employee), NULL, 'Act as one of them by act_as().')
   WHERE NOT CASE WHEN actor() IS NULL THEN owns_books() ELSE actor() = (SELECT find_employee(employee)) OR holds_role('hr', actor()) END;
  SELECT require_tls();
  SELECT jsonb_object_agg(q.table_name, hrloop.query_rows(q.query))
    FROM (SELECT t.table_name,
                 format('SELECT %s FROM %s t WHERE (%s)%s ORDER BY 1', c.list, t.qualified, replace(t.condition, '$1', k.key),
                        CASE WHEN NOT w.everything THEN ' AND ' || replace(replace(l.condition, '@', quote_ident(n.nspname) || '.'), '$1', k.key) END) AS query
            FROM personal_table t
            JOIN pg_namespace n ON n.oid = books_schema()
            -- a bare number would be an integer, which the indexes of exclusion constraints do not compare with
            CROSS JOIN (SELECT format('%s::bigint', (SELECT find_employee(employee))) AS key) k
            CROSS JOIN (SELECT CASE WHEN actor() IS NULL THEN owns_books() ELSE holds_role('hr', actor()) END AS everything) w
            LEFT JOIN export_limit l USING (table_name)
            CROSS JOIN LATERAL (
              -- the person is not told who rated or managed, by key
              SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum) AS list
                FROM pg_attribute a LEFT JOIN personal_reference p ON p.table_name = t.table_name AND p.column_name = a.attname AND NOT p.is_subject
               WHERE a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped AND (w.everything OR p.table_name IS NULL)) c) q;
END;
COMMENT ON FUNCTION export_person(text) IS
  'Everything that the books hold about a person, as one document: for every table of personal_table its rows. For HR all; for the person without what export_limit holds back and without the keys of who acted. Errors: 42501 neither HR nor the person; 28000 connection not encrypted as required; 22023 unknown, 22004 nobody (SEC-05).';

-- what nobody thought of --------------------------------------------------------------------

CREATE VIEW privacy_gap WITH (security_invoker) AS
  WITH col AS (
    SELECT c.oid AS relid, c.relname::text AS table_name, a.attname::text AS column_name, a.attnum, a.atttypid, a.attgenerated, t.relid IS NOT NULL AS personal
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN personal_table t ON t.relid = c.oid
     WHERE c.relnamespace = books_schema() AND c.relkind IN ('r', 'p')
  ), ref AS (
    SELECT k.conrelid AS relid, unnest(k.conkey) AS attnum, k.confrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = books_schema()
  )
  SELECT 'reference' AS gap, c.table_name, c.column_name, 'List in personal_reference whether a row is about this person.' AS hint
    FROM col c
   WHERE c.column_name <> 'employee_id' AND EXISTS (SELECT FROM ref r WHERE r.relid = c.relid AND r.attnum = c.attnum AND r.confrelid = 'employee'::regclass)
     AND NOT EXISTS (SELECT FROM personal_reference p WHERE (p.table_name, p.column_name) = (c.table_name, c.column_name))
  UNION ALL
  SELECT 'person', c.table_name, c.column_name, 'This looks like a person: make it a foreign key to employee, give it an erasure_rule, or list it in personal_reference.'
    FROM col c
   WHERE c.column_name ~ '(^|_)(employee|person|recipient|rater|mentor|mentee|manager|actor|user)_(id|no)$|_by$' AND c.table_name <> 'employee'
     AND NOT EXISTS (SELECT FROM ref r WHERE r.relid = c.relid AND r.attnum = c.attnum)
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'p' AND k.conrelid = c.relid AND k.conkey = ARRAY[c.attnum])
     AND NOT EXISTS (SELECT FROM personal_reference p WHERE (p.table_name, p.column_name) = (c.table_name, c.column_name))
     AND NOT EXISTS (SELECT FROM erasure_rule e WHERE (e.table_name, e.column_name) = (c.table_name, c.column_name))
  UNION ALL
  SELECT 'text', c.table_name, c.column_name, 'Add an erasure_rule: blank a free text, keep a code.'
    FROM col c
   WHERE c.personal AND c.attgenerated = '' AND c.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'json'::regtype, 'bytea'::regtype, 'xml'::regtype)
     AND NOT EXISTS (SELECT FROM ref r WHERE r.relid = c.relid AND r.attnum = c.attnum)
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid = c.relid AND k.conkey = ARRAY[c.attnum]
                        AND strpos(pg_get_constraintdef(k.oid), format('((%I = ANY (ARRAY[', c.column_name)) > 0)
     AND NOT EXISTS (SELECT FROM erasure_rule e WHERE (e.table_name, e.column_name) = (c.table_name, c.column_name))
  UNION ALL
  SELECT 'rule', e.table_name, e.column_name, 'This erasure_rule names nothing, or blanks a table that is nobody''s.'
    FROM erasure_rule e
   WHERE NOT EXISTS (SELECT FROM col c WHERE (c.table_name, c.column_name) = (e.table_name, e.column_name) AND (c.personal OR e.action <> 'blank'));
COMMENT ON VIEW privacy_gap IS 'Where the data of people may lie that neither an export nor an erasure would reach; empty in books that were thought through (SEC-05).';
COMMENT ON COLUMN privacy_gap.gap IS 'reference, person, text or rule.';
COMMENT ON COLUMN privacy_gap.table_name IS 'Table.';
COMMENT ON COLUMN privacy_gap.column_name IS 'Column.';
COMMENT ON COLUMN privacy_gap.hint IS 'What to do.';

-- small cells -------------------------------------------------------------------------------

CREATE VIEW unit_result WITH (security_invoker) AS
  SELECT s.cycle_code, u.code AS unit_code, u.name AS unit_name, s.people, s.people < m.people AS suppressed,
         CASE WHEN s.people >= m.people THEN round(s.total / s.people, 2) END AS mean,
         CASE WHEN s.people >= m.people THEN s.spread END AS deviation
    -- by the cycle's code, so that a condition on it holds before people are counted
    FROM (SELECT c.code AS cycle_code, r.org_unit_id, count(*) AS people, sum(x.composite) AS total, round(stddev_samp(x.composite), 2) AS spread
            FROM review_cycle c JOIN review r USING (cycle_id) JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
           GROUP BY c.code, r.org_unit_id) s
    LEFT JOIN org_unit u USING (org_unit_id)
    CROSS JOIN (SELECT setting_number('privacy.min_cell') AS people) m;
COMMENT ON VIEW unit_result IS 'Locked results by cycle and unit for BI; units of fewer people than setting privacy.min_cell show none. There are no totals, by which one could subtract (SEC-05).';
COMMENT ON COLUMN unit_result.cycle_code IS 'Cycle.';
COMMENT ON COLUMN unit_result.unit_code IS 'Unit.';
COMMENT ON COLUMN unit_result.unit_name IS 'Its name.';
COMMENT ON COLUMN unit_result.people IS 'Locked reviews.';
COMMENT ON COLUMN unit_result.suppressed IS 'Whether the figures are held back as too few people stand behind them.';
COMMENT ON COLUMN unit_result.mean IS 'Mean of the final scores, 2 decimals.';
COMMENT ON COLUMN unit_result.deviation IS 'Their standard deviation, 2 decimals.';

CREATE VIEW unit_pay WITH (security_invoker) AS
  SELECT u.code AS unit_code, u.name AS unit_name, s.people, s.people < m.people AS suppressed,
         CASE WHEN s.people >= m.people THEN round(s.total / s.people, 2) END AS mean
    FROM (SELECT a.org_unit_id, count(*) AS people, sum(p.amount) AS total
            FROM salary p JOIN assignment a ON a.employee_id = p.employee_id AND a.is_primary AND a.valid @> current_date
           WHERE p.superseded_by IS NULL AND p.valid @> current_date AND NOT has_left(p.employee_id, current_date) AND (SELECT require_tls())
           GROUP BY a.org_unit_id) s
    JOIN org_unit u USING (org_unit_id)
    CROSS JOIN (SELECT setting_number('privacy.min_cell') AS people) m;
COMMENT ON VIEW unit_pay IS 'Base pay today by unit for BI, yuan a month; units of fewer people than setting privacy.min_cell show none (SEC-05).';
COMMENT ON COLUMN unit_pay.unit_code IS 'Unit.';
COMMENT ON COLUMN unit_pay.unit_name IS 'Its name.';
COMMENT ON COLUMN unit_pay.people IS 'People with base pay who have not left.';
COMMENT ON COLUMN unit_pay.suppressed IS 'Whether the mean is held back as too few people stand behind it.';
COMMENT ON COLUMN unit_pay.mean IS 'Mean base pay, 2 decimals.';
