-- The books themselves: version, settings, and the decisions behind every figure.

CREATE TABLE book (
  only_row     boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_row),
  version      text        NOT NULL,
  company      text,
  installed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO book (version) VALUES (hrloop.version());
COMMENT ON TABLE book IS 'One row: the version these books were made for.';
COMMENT ON COLUMN book.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN book.version IS 'Version of hrloop that these tables match; hrloop.migrate() changes it.';
COMMENT ON COLUMN book.company IS 'Name of the company, for people.';
COMMENT ON COLUMN book.installed_at IS 'When the books were made.';

-- The library handles the books through this table: its oid stands for them.
CREATE FUNCTION actor() RETURNS bigint STABLE LANGUAGE SQL
  RETURN hrloop.actor('book'::regclass);
COMMENT ON FUNCTION actor() IS 'Id of the employee who is acting (act_as), or null.';
CREATE FUNCTION who() RETURNS text STABLE LANGUAGE SQL
  RETURN hrloop.who('book'::regclass);
COMMENT ON FUNCTION who() IS 'Who is acting: employee number, or the name of the database login.';
CREATE FUNCTION act_as(employee_no text) RETURNS bigint VOLATILE LANGUAGE SQL
  RETURN hrloop.act_as('book'::regclass, act_as.employee_no);
COMMENT ON FUNCTION act_as(text) IS
  'Act for an employee until the transaction ends (null: for nobody). Grant it to application roles only. Errors: 42501 no right, 22023 no such employee.';
CREATE FUNCTION owns_books() RETURNS boolean STABLE LANGUAGE SQL
  RETURN pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'book'::regclass), 'USAGE');
COMMENT ON FUNCTION owns_books() IS 'Whether the current role has the rights of the owner of the books.';

CREATE FUNCTION unknown_code(what text, code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN hrloop.fail('22023', format('unknown %s "%s"', what, code), NULL,
                     'Check the spelling; codes are case-sensitive.')::int::bigint;
COMMENT ON FUNCTION unknown_code(text, text) IS 'Raises error 22023 for a code that nobody knows.';

-- settings -------------------------------------------------------------------

CREATE TABLE setting (
  setting       text PRIMARY KEY,
  kind          text NOT NULL CHECK (kind IN ('integer', 'number', 'boolean', 'text')),
  value         text,
  default_value text,
  comment       text NOT NULL,
  CONSTRAINT setting_value CHECK (CASE kind
    WHEN 'integer' THEN value ~ '^-?[0-9]{1,9}$'
    WHEN 'number'  THEN value ~ '^-?[0-9]{1,12}(\.[0-9]{1,6})?$'
    WHEN 'boolean' THEN value IN ('true', 'false')
    ELSE true END),
  CONSTRAINT setting_value_range CHECK (CASE setting
    WHEN 'signal.locale'       THEN coalesce(value, '') IN ('zh', 'en')
    WHEN 'allowance.effective' THEN coalesce(value, '') IN ('next_month', 'same_day')
    WHEN 'pay.minor_digits'    THEN coalesce(value, '') IN ('0', '1', '2', '3', '4')
    WHEN 'plan.max_items'      THEN coalesce(value::integer, 0) > 0
    ELSE true END)
);
COMMENT ON TABLE setting IS 'Every number and switch that is not a rule table of its own. Change with set_setting().';
COMMENT ON COLUMN setting.setting IS 'Name, room first: plan.score_threshold.';
COMMENT ON COLUMN setting.kind IS 'integer, number, boolean or text.';
COMMENT ON COLUMN setting.value IS 'Value in force; null: off or without limit.';
COMMENT ON COLUMN setting.default_value IS 'Value that install() gave.';
COMMENT ON COLUMN setting.comment IS 'What it does, its unit and its source.';
CREATE TRIGGER setting_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON setting
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('signal.locale',                'text',    'zh',   'Language of notices to roles and to employees without one of their own: zh or en (NOT-01)'),
  ('rationale.min_chars',          'integer', '1',    'Letters or digits that a rationale must have at least (REV-05)'),
  ('rationale.max_same',           'integer', '0',    'Reviews of one rater and cycle that may carry the same rationale; 0: any number (REV-05)'),
  ('indicator.qualitative_missed', 'number',  '70',   'A score without attainment is missed at or below this, 0-100, unless the indicator has a pass line (AMB-06)'),
  ('plan.score_threshold',         'number',  '70',   'A development plan is due at or below this composite, 0-100; null: never for the score alone (DEV-01)'),
  ('plan.on_missed',               'boolean', 'true', 'A development plan is due when an indicator is missed (AMB-05)'),
  ('plan.missed_max_score',        'number',  NULL,   'Missed indicators count only below this composite; null: always (AMB-05)'),
  ('plan.max_items',               'integer', '8',    'Items that a generated plan has at most'),
  ('allowance.effective',          'text',    'next_month', 'When a skill allowance changes: next_month (first day) or same_day (AMB-12)'),
  ('pay.auto_apply',               'boolean', 'false', 'Apply raises at the lock without approval (AMB-04)'),
  ('pay.minor_digits',             'integer', '2',    'Digits of the currency''s minor unit: 2 for yuan, 0 for yen')
) AS d (s, k, v, c);

CREATE FUNCTION setting_text(setting text) RETURNS text STABLE LANGUAGE SQL
  RETURN (SELECT s.value FROM setting s WHERE s.setting = setting_text.setting);
COMMENT ON FUNCTION setting_text(text) IS 'Value of a setting as text; null if it is off.';
CREATE FUNCTION setting_number(setting text) RETURNS numeric STABLE LANGUAGE SQL
  RETURN setting_text(setting)::numeric;
COMMENT ON FUNCTION setting_number(text) IS 'Value of a setting as a number; null if it is off.';
CREATE FUNCTION setting_on(setting text) RETURNS boolean STABLE LANGUAGE SQL
  RETURN coalesce(setting_text(setting)::boolean, false);
COMMENT ON FUNCTION setting_on(text) IS 'Whether a switch is on.';

CREATE FUNCTION set_setting(setting text, value text) RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('setting', set_setting.setting)
   WHERE NOT EXISTS (SELECT FROM setting s WHERE s.setting = set_setting.setting);
  UPDATE setting s SET value = set_setting.value WHERE s.setting = set_setting.setting
  RETURNING s.value;
END;
COMMENT ON FUNCTION set_setting(text, text) IS
  'Change a setting; null switches it off. Errors: 22023 unknown setting, 23514 not a value of its kind, or out of range.';

-- decisions ------------------------------------------------------------------

CREATE TABLE decision (
  decision_id    bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  kind           text        NOT NULL,
  employee_id    bigint,
  cause          text        NOT NULL,
  cause_id       bigint      NOT NULL,
  rule           text,
  rule_id        bigint,
  rule_version   integer,
  inputs         jsonb       NOT NULL DEFAULT '{}',
  outcome        jsonb       NOT NULL DEFAULT '{}',
  reason         text,
  decided_by     text        NOT NULL DEFAULT who(),
  decided_at     timestamptz NOT NULL DEFAULT now(),
  transaction_id xid8        NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX decision_cause ON decision (cause, cause_id);
CREATE INDEX decision_employee ON decision (employee_id, decided_at);
COMMENT ON TABLE decision IS
  'Every automatic consequence and every human decision about it: cause, rule, inputs and outcome. Append-only; explanations are rendered from here alone.';
COMMENT ON COLUMN decision.decision_id IS 'Key.';
COMMENT ON COLUMN decision.kind IS 'What was decided: review.lock, review.unlock, plan.draft, plan.stand, plan.withdraw, skill.level, allowance, pay.propose, pay.withdraw, pay.apply, warning.threshold …';
COMMENT ON COLUMN decision.employee_id IS 'Whom it is about.';
COMMENT ON COLUMN decision.cause IS 'Table of the row that caused it.';
COMMENT ON COLUMN decision.cause_id IS 'Key of the row that caused it.';
COMMENT ON COLUMN decision.rule IS 'Table of the rule that made it, or setting:name.';
COMMENT ON COLUMN decision.rule_id IS 'Key of that rule.';
COMMENT ON COLUMN decision.rule_version IS 'Version of that rule.';
COMMENT ON COLUMN decision.inputs IS 'The figures it was made from.';
COMMENT ON COLUMN decision.outcome IS 'The figures it came to.';
COMMENT ON COLUMN decision.reason IS 'Reason that a person gave.';
COMMENT ON COLUMN decision.decided_by IS 'Employee number of who acted, or database login.';
COMMENT ON COLUMN decision.decided_at IS 'Time of the transaction.';
COMMENT ON COLUMN decision.transaction_id IS 'The transaction: rows with the same number were decided together.';
CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('A correction is a new decision; see unlock_review() and the withdraw functions.');

CREATE FUNCTION new_decision(kind text, employee bigint, cause text, cause_id bigint, inputs jsonb, outcome jsonb, reason text DEFAULT NULL)
  RETURNS decision VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  VALUES (new_decision.kind, employee, new_decision.cause, new_decision.cause_id, new_decision.inputs, new_decision.outcome, new_decision.reason)
  RETURNING *;
END;
COMMENT ON FUNCTION new_decision(text, bigint, text, bigint, jsonb, jsonb, text) IS 'Write down a single decision that a person took.';
