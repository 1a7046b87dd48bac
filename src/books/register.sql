-- register: what each table is, who reads and writes it, what is audited, erased and handed out (SEC-01 to SEC-05).
--
-- Beside each CREATE TABLE stands register_table().  What it writes is all that policies,
-- grants, audit triggers, erasures and exports are made from, and what tests go through.

CREATE TABLE table_rule (
  table_name text PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('fact', 'rule', 'consequence', 'log', 'guard')),
  about      text,
  sees       text NOT NULL DEFAULT 'hr' CHECK (sees IN ('public', 'known', 'person', 'pay', 'score', 'hr')),
  reads      text,
  changes    text,
  writes     jsonb   NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(writes) = 'object'),
  hides      text[]  NOT NULL DEFAULT '{}',
  analysed   boolean NOT NULL DEFAULT true,
  audit      text[]  CHECK (audit <@ '{insert,update,delete}'),
  ignored    text[]  NOT NULL DEFAULT '{}',
  digest     text[]  CHECK (digest <> '{}'),
  because    text    CHECK (hrloop.meaningful_chars(because) > 0),
  hands_out  text    CHECK (hands_out <> ''),
  held_back  text    CHECK (hrloop.meaningful_chars(held_back) > 0),
  verb       text    CHECK (verb <> ''),
  entered    text[]  NOT NULL DEFAULT '{}',
  CONSTRAINT table_rule_verb CHECK (entered = '{}' OR verb IS NOT NULL),
  CONSTRAINT table_rule_public CHECK (sees <> 'public' OR num_nonnulls(reads, changes) = 0),
  CONSTRAINT table_rule_audit CHECK (num_nulls(audit, because) IN (0, 2)),
  CONSTRAINT table_rule_export CHECK (num_nulls(hands_out, held_back) IN (0, 2))
);
COMMENT ON TABLE table_rule IS
  'What each table of these books is: who sees and writes its rows, what of it is audited, and what a person gets of '
  'it. It holds SQL, so the owner of the books alone writes it. After a change: apply_visibility(), '
  'hrloop.audit_attach() (SEC-01, SEC-02, SEC-03, SEC-05).';
COMMENT ON COLUMN table_rule.table_name IS 'Table of these books.';
COMMENT ON COLUMN table_rule.kind IS
  'fact: people or other systems say so; rule: by which people are judged or paid; consequence: what the engine made '
  'of facts by rules; log: what was done; guard: who may do and see what, which the owner of the books alone writes.';
COMMENT ON COLUMN table_rule.about IS
  'Column that holds the employee a row is about, or the way there: review_id/review.employee_id; null: nobody in '
  'particular.';
COMMENT ON COLUMN table_rule.sees IS
  'Who sees a row. public: everybody, no person is in it; known: whoever is somebody; person: see hrloop.visible(); '
  'pay: the person, HR, finance; score: by rater group or kind of decision; hr: HR alone, which is the default.';
COMMENT ON COLUMN table_rule.reads IS
  'Condition on a row, in SQL, in place of the one that sees stands for, by column employee_id; null: that one.';
COMMENT ON COLUMN table_rule.changes IS 'Condition on rows to write, in SQL; null: the same.';
COMMENT ON COLUMN table_rule.writes IS
  'What roles other than HR write by default: {"roles": "actions"}, as {"manager executive": "INSERT UPDATE", '
  '"employee": "UPDATE(progress)"}. HR writes facts and rules, and of other tables what is entered. role_right has '
  'what is in force.';
COMMENT ON COLUMN table_rule.hides IS 'Columns that HR alone reads as they are.';
COMMENT ON COLUMN table_rule.analysed IS
  'Whether the role bi reads it, if it is public; of other tables it reads the views that are made for it.';
COMMENT ON COLUMN table_rule.audit IS
  'What is audited: insert, update, delete; none: the table is not. A table that is audited has an entry for a '
  'truncate, too. Null: not, and nothing had to be said.';
COMMENT ON COLUMN table_rule.ignored IS 'Derived columns: a change of these alone is no entry.';
COMMENT ON COLUMN table_rule.digest IS
  'Columns of which the sha256 is entered in place of an inserted row that itself never changes: of their names and '
  'values, nulls left out. A column that is added to the table and not named here does not count; one may be named '
  'later if it is null in the rows that are there. Null: the row is entered.';
COMMENT ON COLUMN table_rule.because IS 'Why it is audited so.';
COMMENT ON COLUMN table_rule.hands_out IS
  'Rows that a person gets of those about them: SQL in which t is the row, @ the schema of the books and $1 the key of '
  'the employee; null: all. HR gets all.';
COMMENT ON COLUMN table_rule.held_back IS
  'Why not the others: what is not disclosed yet, and what would betray an anonymous rater (GDPR 15 (4)).';
COMMENT ON COLUMN table_rule.verb IS
  'Verb that people call for what the engine alone writes here: with it hrloop.guard() refuses everybody else, the '
  'owner too, and names it; a fact may be entered, and stands. Null: rows are written by whoever has the right. '
  'After a change: apply_guards().';
COMMENT ON COLUMN table_rule.entered IS
  'Columns of such a table that people enter all the same: of a fact with a new row, of others at any time.';

CREATE TABLE personal_reference (
  table_name  text    NOT NULL,
  column_name text    NOT NULL,
  is_subject  boolean NOT NULL,
  reason      text    NOT NULL CHECK (hrloop.meaningful_chars(reason) > 0),
  PRIMARY KEY (table_name, column_name)
);
COMMENT ON TABLE personal_reference IS
  'References that make a row somebody''s or do not. A column employee_id that refers to employee does without being '
  'listed; view privacy_gap finds references that are missing here (SEC-05).';
COMMENT ON COLUMN personal_reference.table_name IS 'Table.';
COMMENT ON COLUMN personal_reference.column_name IS 'Column that refers to a person, or to a row about one.';
COMMENT ON COLUMN personal_reference.is_subject IS
  'Whether the row is about that person; false: the person only acted.';
COMMENT ON COLUMN personal_reference.reason IS 'Why.';

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
  CONSTRAINT erasure_rule_keys CHECK (keys IS NULL OR action IN ('pseudonym', 'name')
                                      OR action = 'blank' AND leaves IS NOT NULL)
);
COMMENT ON TABLE erasure_rule IS
  'What becomes of each text about a person that is erased, column by column, against what must be kept; figures are '
  'not listed, they stay; an entry of the audit log follows the rules of its table (SEC-05, AMB-41). Every text of a '
  'personal table needs a rule: see privacy_gap.';
COMMENT ON COLUMN erasure_rule.table_name IS 'Table.';
COMMENT ON COLUMN erasure_rule.column_name IS 'Column.';
COMMENT ON COLUMN erasure_rule.action IS
  'blank: in the person''s rows it is replaced; pseudonym: where it holds the person''s number or, in a document under '
  'one '
  'of the keys, number or name; name: a text to others is filled anew without the name, or replaced; keep: it stays.';
COMMENT ON COLUMN erasure_rule.leaves IS 'What blank leaves behind; null: nothing.';
COMMENT ON COLUMN erasure_rule.keys IS
  'Of a document only the texts under these keys (key, or parent.key); null: all of it. For pseudonym and name: '
  'where it says who somebody is; the same text elsewhere is something else.';
COMMENT ON COLUMN erasure_rule.beside IS 'For name: column of the document that says who is named in the text.';
COMMENT ON COLUMN erasure_rule.keep_months IS 'Months after leaving for which it has to be kept first; null: none.';
COMMENT ON COLUMN erasure_rule.reason IS 'Why so.';

-- One word for what becomes of a text, then why: "blank free text".  What cannot be said so is an
-- object {action, leaves, keys, beside, months, because}; several of them are an array.
CREATE FUNCTION erasure_rules(table_name text, texts jsonb) RETURNS SETOF erasure_rule STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT erasure_rules.table_name, t.key, r.action,
         CASE WHEN r.rule ? 'leaves' THEN r.rule ->> 'leaves' WHEN r.action IN ('blank', 'name') THEN '已删除' END,
         CASE WHEN r.rule ? 'keys' THEN ARRAY(SELECT jsonb_array_elements_text(r.rule -> 'keys'))
              -- where documents of the rooms say who somebody is
              WHEN r.action IN ('pseudonym', 'name')
                THEN ARRAY['employee', 'employee_no', 'manager', 'mentor', 'mentee', 'rater', 'delegate', 'delegator',
                           'for',
                           'by', 'hr', 'finance', 'executive', 'decided_by', 'approved_by', 'requested_by',
                           'confirmed_by',
                           'recorded_by', 'reversed_by', 'handled_by', 'proposed', 'approved', 'rejected', 'held',
                           'people.*'] END,
         r.rule ->> 'beside', (r.rule ->> 'months')::integer, r.because
    FROM jsonb_each(texts) AS t (key, value)
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(t.value) WHEN 'array' THEN t.value
                                            ELSE jsonb_build_array(t.value) END) AS e (value)
    CROSS JOIN LATERAL (
      SELECT CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END AS rule,
             CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ->> 'action'
               ELSE split_part(e.value #>> '{}', ' ', 1) END AS action,
             CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ->> 'because'
               ELSE substr(e.value #>> '{}', strpos(e.value #>> '{}', ' ') + 1) END AS because) r;
END;
COMMENT ON FUNCTION erasure_rules(text, jsonb) IS
  'Rows of erasure_rule out of the short form in which register_table() takes them.';

CREATE FUNCTION register_table(
  table_name text, kind text, sees text DEFAULT 'hr', about text DEFAULT NULL, reads text DEFAULT NULL,
  changes text DEFAULT NULL,
  writes jsonb DEFAULT '{}', hides text[] DEFAULT '{}', analysed boolean DEFAULT true,
  audit text[] DEFAULT NULL, ignored text[] DEFAULT '{}', digest text[] DEFAULT NULL, because text DEFAULT NULL,
  hands_out text DEFAULT NULL, held_back text DEFAULT NULL,
  subjects jsonb DEFAULT '{}', others jsonb DEFAULT '{}', texts jsonb DEFAULT '{}', verb text DEFAULT NULL,
  entered text[] DEFAULT '{}') RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO personal_reference (table_name, column_name, is_subject, reason)
  SELECT register_table.table_name, s.key, true, s.value FROM jsonb_each_text(subjects) AS s (key, value)
  UNION ALL
  SELECT register_table.table_name, o.key, false, o.value FROM jsonb_each_text(others) AS o (key, value);
  INSERT INTO erasure_rule SELECT r.* FROM erasure_rules(register_table.table_name, texts) r;
  INSERT INTO table_rule (table_name, kind, about, sees, reads, changes, writes, hides, analysed, audit, ignored,
                          digest, because, hands_out, held_back, verb, entered)
  VALUES (register_table.table_name, register_table.kind, register_table.about, register_table.sees,
          register_table.reads, register_table.changes, register_table.writes,
          register_table.hides, register_table.analysed, register_table.audit, register_table.ignored,
          register_table.digest,
          coalesce(register_table.because, CASE WHEN register_table.audit IS NOT NULL THEN
            CASE register_table.kind WHEN 'fact' THEN 'entered by people or other systems'
              WHEN 'rule' THEN 'a rule by which people are judged or paid'
                                     WHEN 'guard' THEN 'who may see and do what'
                                       WHEN 'consequence' THEN 'its decision says where it comes from' END END),
          register_table.hands_out, register_table.held_back, register_table.verb, register_table.entered)
  RETURNING table_name;
END;
COMMENT ON FUNCTION register_table(text, text, text, text, text, text, jsonb, text[], boolean, text[], text[], text[],
                                   text, text, text, jsonb, jsonb, jsonb, text, text[]) IS
  'Say what a table is: a row of table_rule with these columns, rows of personal_reference (subjects: {"column": "why '
  'the row is about that person"}, others: {"column": "whom it is about instead"}) and of erasure_rule (texts: '
  '{"column": "blank free text", "other": "keep code"}, or {action, leaves, keys, beside, months, because}). '
  'apply_tables() makes policies, rights and audit triggers of it. Error 23505: it is registered, change its rows; '
  '23514: a word that is none (SEC-01 to SEC-05).';

SELECT register_table('table_rule', kind => 'guard', sees => 'public', audit => '{insert,update,delete}');
SELECT register_table('personal_reference', kind => 'rule', sees => 'public');
SELECT register_table('erasure_rule', kind => 'rule', sees => 'public');
