-- hrloop: what CREATE EXTENSION runs.  Code only: a company's tables are made
-- by hrloop.install() and belong to whoever calls it.
\echo Use "CREATE EXTENSION hrloop CASCADE" to load this file. \quit

-- who made the schema ----------------------------------------------------------

CREATE FUNCTION hrloop.fail(sqlstate text, message text, detail text DEFAULT NULL, hint text DEFAULT NULL,
                     table_name text DEFAULT NULL, column_name text DEFAULT NULL, constraint_name text DEFAULT NULL)
  RETURNS boolean LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_fail';
COMMENT ON FUNCTION hrloop.fail(text, text, text, text, text, text, text) IS
  'Raise an error from SQL: five-character SQLSTATE, message, detail, hint, and the table, column and constraint it is '
  'about.';

-- A schema that stood here before is not trusted if it is, or holds something that is, of somebody
-- who is not trusted with the whole database: they could put functions beside the engine's.  A restore
-- (which switches row_security off) brings the schema with its owner, and empty.
SELECT hrloop.fail('42501', pg_catalog.format('schema "hrloop" is there already, and %s', w.why), NULL,
                   'Drop or rename that schema, or ALTER SCHEMA hrloop OWNER TO who creates the extension; then create '
                   'the extension again.')
  FROM pg_catalog.pg_namespace n
  JOIN pg_catalog.pg_extension e ON e.extnamespace OPERATOR(pg_catalog.=) n.oid
  CROSS JOIN LATERAL (
    SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r
     WHERE NOT r.rolsuper AND r.oid OPERATOR(pg_catalog.<>) e.extowner
       AND r.oid OPERATOR(pg_catalog.<>) (SELECT d.datdba FROM pg_catalog.pg_database d
                                           WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
       AND NOT (pg_catalog.pg_has_role(e.extowner, r.oid, 'USAGE')
                AND NOT (SELECT o.rolsuper FROM pg_catalog.pg_roles o WHERE o.oid OPERATOR(pg_catalog.=) e.extowner)))
                  AS s
  CROSS JOIN LATERAL (
    SELECT 1 AS n, pg_catalog.format('belongs to "%s"', s.rolname) AS why
     WHERE s.oid OPERATOR(pg_catalog.=) n.nspowner
       AND (pg_catalog.current_setting('row_security') OPERATOR(pg_catalog.<>) 'off'
            OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                          AND d.refobjid OPERATOR(pg_catalog.=) n.oid
                          AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass
                          AND NOT (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
                                   AND d.objid OPERATOR(pg_catalog.=) 'hrloop.fail'::pg_catalog.regproc)))
    UNION ALL
    SELECT 2, pg_catalog.format('holds something that belongs to "%s"', s.rolname)
     WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d
                     JOIN pg_catalog.pg_shdepend o ON o.classid OPERATOR(pg_catalog.=) d.classid
                      AND o.objid OPERATOR(pg_catalog.=) d.objid
                      AND o.refobjid OPERATOR(pg_catalog.=) s.oid
                      AND o.deptype OPERATOR(pg_catalog.=) 'o'
                      AND o.dbid OPERATOR(pg_catalog.=) (
                            SELECT b.oid FROM pg_catalog.pg_database b
                             WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                    WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                      AND d.refobjid OPERATOR(pg_catalog.=) n.oid)
    UNION ALL
    SELECT 3, pg_catalog.format('"%s" may create in it', s.rolname)
     WHERE s.oid OPERATOR(pg_catalog.<>) n.nspowner AND pg_catalog.has_schema_privilege(s.oid, n.oid, 'CREATE')
       AND NOT pg_catalog.pg_has_role(s.oid, n.nspowner, 'USAGE')) AS w
 WHERE e.extname OPERATOR(pg_catalog.=) 'hrloop'
 ORDER BY w.n, s.rolname LIMIT 1;

CREATE TYPE hrloop.problem AS (
  sqlstate text, message text, detail text, hint text,
  table_name text, column_name text, constraint_name text);
COMMENT ON TYPE hrloop.problem IS
  'What a rule of the books refuses: a trigger raises the first row that its rule function returns.';

-- books ----------------------------------------------------------------------

CREATE FUNCTION hrloop.version() RETURNS text
  LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_version';
COMMENT ON FUNCTION hrloop.version() IS 'Version of the loaded library.';

CREATE FUNCTION hrloop.install(schema name DEFAULT 'hr', roles text DEFAULT NULL) RETURNS text
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_install';
COMMENT ON FUNCTION hrloop.install(name, text) IS
  'Make a company''s books in a schema: tables, views, functions and triggers, owned by the caller, closed to '
  'everybody else. With roles also its group roles, named with that prefix, as create_roles() of the books makes them. '
  'Errors: 42P06 the schema already holds books; 42501 no right to create schemas, or roles.';

CREATE FUNCTION hrloop.migrate(schema name DEFAULT 'hr') RETURNS text
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_migrate';
COMMENT ON FUNCTION hrloop.migrate(name) IS
  'Bring books to the installed version; does nothing if they are. Errors: 42P01 no books there; 0A000 no script leads '
  'from their version to this one.';

CREATE FUNCTION hrloop.list_books(OUT schema text, OUT version text, OUT needs_migration boolean, OUT owner text)
  RETURNS SETOF record LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'hrloop_list_books';
COMMENT ON FUNCTION hrloop.list_books() IS 'Every schema of this database that holds books. See view hrloop.books.';

CREATE VIEW hrloop.books AS SELECT schema, version, needs_migration, owner FROM hrloop.list_books();
COMMENT ON VIEW hrloop.books IS 'The companies of this database: one row per schema that holds books.';
COMMENT ON COLUMN hrloop.books.schema IS 'Schema that holds the books.';
COMMENT ON COLUMN hrloop.books.version IS 'Version that the books were made for.';
COMMENT ON COLUMN hrloop.books.needs_migration IS
  'True if hrloop.migrate(schema) has to be run before the books can be used.';
COMMENT ON COLUMN hrloop.books.owner IS 'Role that owns the schema.';
GRANT SELECT ON hrloop.books TO PUBLIC;

CREATE FUNCTION hrloop.pre_restore(schema name DEFAULT 'hr') RETURNS void
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_pre_restore';
COMMENT ON FUNCTION hrloop.pre_restore(name) IS
  'Before a data-only restore into freshly installed books: empties what install() put there and switches the '
  'engine''s triggers off. Needs ownership. Error: 55000 the books already hold employees.';

CREATE FUNCTION hrloop.post_restore(schema name DEFAULT 'hr') RETURNS bigint
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_post_restore';
COMMENT ON FUNCTION hrloop.post_restore(name) IS
  'After a data-only restore: switches the engine''s triggers on and returns the number of differences that verify() '
  'finds (0 in a healthy restore).';

-- triggers -------------------------------------------------------------------

CREATE FUNCTION hrloop.consequence() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_consequence';
COMMENT ON FUNCTION hrloop.consequence() IS
  'Statement trigger: hands the keys of the rows that matter to a function of the same books, run as their owner. '
  'Arguments: function, key=column or rows=old, changed=columns, present=column.';
CREATE FUNCTION hrloop.refuse() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_refuse';
COMMENT ON FUNCTION hrloop.refuse() IS
  'Statement trigger of append-only tables: every change is an error 55000. Argument: a hint.';
CREATE FUNCTION hrloop.guard() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_guard';
COMMENT ON FUNCTION hrloop.guard() IS
  'Statement trigger of what the engine alone writes: error 42501 for whoever writes it in their own name, the owner '
  'too. Argument: the verb to call.';
CREATE FUNCTION hrloop.forget() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_forget';
COMMENT ON FUNCTION hrloop.forget() IS
  'Trigger of rule tables, for a statement or, on a subscriber, a row: every backend drops what it remembers of them.';
CREATE FUNCTION hrloop.truncated() RETURNS trigger LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_truncated';
COMMENT ON FUNCTION hrloop.truncated() IS
  'BEFORE TRUNCATE: deletes the rows first, so that what follows a DELETE, or refuses it, holds for a TRUNCATE.';
CREATE FUNCTION hrloop.score_check() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_score_check';
COMMENT ON FUNCTION hrloop.score_check() IS
  'Row trigger of score: value on the scale 0-100, compulsory rationale (REV-05, IND-15).';
CREATE FUNCTION hrloop.score_hold() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_score_hold';
COMMENT ON FUNCTION hrloop.score_hold() IS
  'Statement trigger of score: the rules by which scores are judged do not change until the transaction ends.';
CREATE FUNCTION hrloop.score_apply() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_score_apply';
COMMENT ON FUNCTION hrloop.score_apply() IS
  'Statement trigger of score: locks the reviews in key order and writes their composites.';
CREATE FUNCTION hrloop.decision_known() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_decision_known';
COMMENT ON FUNCTION hrloop.decision_known() IS
  'Statement trigger of decision: error 23503 for a kind that decision_kind does not list (SEC-02).';
CREATE FUNCTION hrloop.signal_render() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_signal_render';
COMMENT ON FUNCTION hrloop.signal_render() IS
  'Row trigger of notification: the text in the recipient''s language (NOT-01).';
CREATE FUNCTION hrloop.signal_announce() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_signal_announce';
COMMENT ON FUNCTION hrloop.signal_announce() IS
  'Statement trigger: NOTIFY on the channel named like the schema, payload "table ids", ids only. Argument: the key '
  'column.';

CREATE FUNCTION hrloop.audit() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_audit';
COMMENT ON FUNCTION hrloop.audit() IS
  'Statement trigger: an entry of the audit log for each row that a statement changed. Arguments: subject=column, '
  'via=table.column/..., reason=column, ignore=columns, digest=columns (SEC-03).';
CREATE FUNCTION hrloop.audit_guard() RETURNS trigger
  LANGUAGE C AS 'MODULE_PATHNAME', 'hrloop_audit_guard';
COMMENT ON FUNCTION hrloop.audit_guard() IS
  'Statement trigger of the audit log: nobody but audit() writes it; error 42501.';
CREATE FUNCTION hrloop.audit_attach(book regclass) RETURNS bigint
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_audit_attach';
COMMENT ON FUNCTION hrloop.audit_attach(regclass) IS
  'Make the triggers that table_rule of the books asks for and that are missing; returns how many. Needs ownership.';
CREATE FUNCTION hrloop.fields(VARIADIC "any") RETURNS bytea
  LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_fields';
COMMENT ON FUNCTION hrloop.fields("any") IS
  'Values one after the other, as a digest of the audit log is made of them: each as its length in bytes of UTF-8, a '
  'colon, its text and a comma; null is a hyphen (SEC-03).';

-- for functions of the books -------------------------------------------------

CREATE FUNCTION hrloop.render(body text, args jsonb) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_render';
COMMENT ON FUNCTION hrloop.render(text, jsonb) IS
  'Fill the {placeholders} of a text; numbers lose trailing zeros. Error 22023: a placeholder has no value.';

CREATE FUNCTION hrloop.meaningful_chars(text) RETURNS integer
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_meaningful_chars';
COMMENT ON FUNCTION hrloop.meaningful_chars(text) IS
  'Letters and digits of a text in any script: blanks, punctuation and symbols of any width do not count (REV-05).';

CREATE FUNCTION hrloop.is_visible(text) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_is_visible';
COMMENT ON FUNCTION hrloop.is_visible(text) IS
  'Whether a text shows anything: not if it is empty, or all blanks of any width, controls and marks without a letter.';

CREATE FUNCTION hrloop.evaluate(formula jsonpath, facts jsonb) RETURNS numeric
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE
  RETURN (SELECT CASE WHEN pg_catalog.jsonb_typeof(v.value) OPERATOR(pg_catalog.=) 'number'
                      THEN (v.value OPERATOR(pg_catalog.#>>) '{}')::numeric END
            FROM (SELECT pg_catalog.jsonb_path_query_first(facts, formula, '{}', true) AS value) v);
COMMENT ON FUNCTION hrloop.evaluate(jsonpath, jsonb) IS
  'Value of a jsonpath formula over facts, e.g. $.actual / $.target * 100; null if a fact is missing, a divisor is '
  'zero or the result is no number.';

CREATE FUNCTION hrloop.figure(value numeric) RETURNS boolean
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE
  RETURN pg_catalog.abs(value) OPERATOR(pg_catalog.<) 1000000000000000
     AND pg_catalog.scale(pg_catalog.trim_scale(value)) OPERATOR(pg_catalog.<=) 10;
COMMENT ON FUNCTION hrloop.figure(numeric) IS
  'Whether a number is one that people deal in: no NaN, no infinity, at most 15 digits before and 10 behind '
  'the point; null for null.';

CREATE FUNCTION hrloop.figures(facts jsonb) RETURNS boolean
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE
  RETURN NOT EXISTS (SELECT FROM pg_catalog.jsonb_each(facts) f
                      WHERE CASE WHEN pg_catalog.jsonb_typeof(f.value) OPERATOR(pg_catalog.=) 'number'
                                 THEN NOT hrloop.figure((f.value OPERATOR(pg_catalog.#>>) '{}')::numeric)
                                 ELSE true END);
COMMENT ON FUNCTION hrloop.figures(jsonb) IS
  'Whether all values of a document are figures: numbers, none too large, none with too many digits.';

CREATE FUNCTION hrloop.facts_of(formula jsonpath) RETURNS text[]
  LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  RETURN ARRAY(SELECT DISTINCT m[1] FROM pg_catalog.regexp_matches(formula::text, '[$][.]"([^"]+)"', 'g') AS m
               ORDER BY 1);
COMMENT ON FUNCTION hrloop.facts_of(jsonpath) IS 'Names of the facts that a formula asks for, in order.';

CREATE FUNCTION hrloop.ratio_part(formula jsonpath, part integer) RETURNS text
  LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  RETURN (pg_catalog.regexp_match(formula::text, '^[(][(][$][.]"([^"]+)" / [$][.]"([^"]+)"[)] [*] 100[)]$'))[part];
COMMENT ON FUNCTION hrloop.ratio_part(jsonpath, integer) IS
  'The fact above (1) or below (2) in a formula of two facts, $.one / $.other * 100; null: it is another.';

CREATE FUNCTION hrloop.is_none(target jsonb, actual jsonb) RETURNS boolean
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE
  RETURN pg_catalog.jsonb_typeof(target) OPERATOR(pg_catalog.=) 'number' AND target OPERATOR(pg_catalog.>=) '0'
     AND pg_catalog.jsonb_typeof(actual) OPERATOR(pg_catalog.=) 'number' AND actual OPERATOR(pg_catalog.<=) '0';
COMMENT ON FUNCTION hrloop.is_none(jsonb, jsonb) IS
  'Whether an actual of which less is better is zero or below, of a target that is not below zero.';

-- no subselect in it: it is put into the query that calls it
CREATE FUNCTION hrloop.attainment(formula jsonpath, facts jsonb, direction text, cap numeric) RETURNS numeric
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN direction OPERATOR(pg_catalog.=) 'lower' AND pg_catalog.jsonb_path_exists(facts, '$.* ? (@ <= 0)')
                   AND hrloop.is_none(facts OPERATOR(pg_catalog.->) hrloop.ratio_part(formula, 1),
                                      facts OPERATOR(pg_catalog.->) hrloop.ratio_part(formula, 2))
              THEN cap ELSE hrloop.evaluate(formula, facts) END;
COMMENT ON FUNCTION hrloop.attainment(jsonpath, jsonb, text, numeric) IS
  'What evaluate() says, but where less is better and the formula is $.target / $.actual * 100, with whatever facts: '
  'an actual of zero or below, of a target of zero or above, is the best there can be, the cap (IND-03).';

CREATE FUNCTION hrloop.holds(rule jsonpath, facts jsonb) RETURNS boolean
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE
  RETURN coalesce(pg_catalog.jsonb_path_match(facts, rule, '{}', true), false);
COMMENT ON FUNCTION hrloop.holds(jsonpath, jsonb) IS
  'Whether a jsonpath predicate holds for a document, e.g. $.score >= 90; false if it cannot be decided.';

CREATE FUNCTION hrloop.rounded(value numeric, digits integer DEFAULT 4) RETURNS numeric
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE RETURN pg_catalog.round(pg_catalog.round(value, 20), digits);
COMMENT ON FUNCTION hrloop.rounded(numeric, integer) IS
  'Half up, for a mean of means: with avg(round(value, 30)) inside, 91.20544999..., which would be 91.20545 without a '
  'division on the way, is 91.2055 as in the composite.';

CREATE FUNCTION hrloop.round_money(amount numeric, minor_digits integer DEFAULT 2) RETURNS numeric
  LANGUAGE SQL IMMUTABLE PARALLEL SAFE RETURN pg_catalog.round(amount, minor_digits);
COMMENT ON FUNCTION hrloop.round_money(numeric, integer) IS
  'Half up to the minor unit of a currency (2 digits; 0 for yen). Used once per component, at the end.';

CREATE FUNCTION hrloop.raised(amount numeric, percents numeric[], minor_digits integer DEFAULT 2) RETURNS numeric
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_raised';
COMMENT ON FUNCTION hrloop.raised(numeric, numeric[], integer) IS
  'An amount after raises by these percentages, one on the other in their order, each raise rounded half up to the '
  'minor unit; null if one of them is.';

CREATE FUNCTION hrloop.recompute(book regclass, reviews bigint[], template bigint DEFAULT NULL) RETURNS integer
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_recompute';
COMMENT ON FUNCTION hrloop.recompute(regclass, bigint[], bigint) IS
  'Composites of open reviews anew from their scores, by their template or by another one that they go over to; '
  'reviews that are not open are left out. Returns how many reviews. Error 42501: not the owner of the books.';

CREATE FUNCTION hrloop.hold_rules(book regclass, change boolean DEFAULT false) RETURNS void
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_hold_rules';
COMMENT ON FUNCTION hrloop.hold_rules(regclass, boolean) IS
  'For the owner of books, until the transaction ends: share the rules by which open reviews are judged, so that they '
  'do not change; change: have them alone, and wait for who shares them. Error 42501: not the owner.';
CREATE FUNCTION hrloop.hold_reviews(book regclass, reviews bigint[]) RETURNS void
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_hold_reviews';
COMMENT ON FUNCTION hrloop.hold_reviews(regclass, bigint[]) IS
  'Locks reviews until the transaction ends, and before them their scores from facts, all of them, in the order in '
  'which who corrects a score locks. Error 42501: not the owner of the books.';
CREATE FUNCTION hrloop.hold_employees(book regclass, employees bigint[]) RETURNS void
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_hold_employees';
COMMENT ON FUNCTION hrloop.hold_employees(regclass, bigint[]) IS
  'Locks employees until the transaction ends, in key order, and before them their readings that were warned of. '
  'Error 42501: not the owner of the books.';

CREATE FUNCTION hrloop.run(book regclass, function text, VARIADIC arguments "any") RETURNS void
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_run';
COMMENT ON FUNCTION hrloop.run(regclass, text, "any") IS
  'Run a function of the books by kept plans, as triggers do: how one consequence calls another. At most 4 arguments, '
  'of the very types of the function. Error 42501: not the owner of the books.';

-- rights of a person ----------------------------------------------------------

CREATE FUNCTION hrloop.query_rows(query text) RETURNS jsonb
  LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'hrloop_query_rows';
COMMENT ON FUNCTION hrloop.query_rows(text) IS
  'Rows of a query as a jsonb array, run as the caller, read only: for tables that are only known from the catalog.';
CREATE FUNCTION hrloop.scrub(document jsonb, keys text[], mark text) RETURNS jsonb
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_scrub';
COMMENT ON FUNCTION hrloop.scrub(jsonb, text[], text) IS
  'A document in which every text under one of these keys (key, or parent.key), at any depth, is replaced by the mark.';
CREATE FUNCTION hrloop.replace_text(document jsonb, keys text[], was text, becomes text) RETURNS jsonb
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_replace_text';
COMMENT ON FUNCTION hrloop.replace_text(jsonb, text[], text, text) IS
  'A document in which every text under one of these keys (key, or parent.key), at any depth, that is the one is '
  'replaced by the other, and under parent.* a key that is it; the same text elsewhere stays.';
CREATE FUNCTION hrloop.erase(book regclass, erasure bigint) RETURNS bigint
  LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'hrloop_erase';
COMMENT ON FUNCTION hrloop.erase(regclass, bigint) IS
  'Carry out a confirmed erasure by the rules of the books, in append-only tables too; returns how many rows changed. '
  'Error 42501: not the owner of the books.';
CREATE FUNCTION hrloop.tls(OUT version text, OUT cipher text, OUT bits integer) RETURNS record
  LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'hrloop_tls';
COMMENT ON FUNCTION hrloop.tls() IS
  'How the connection of this session is encrypted: TLS version, cipher and its bits; nulls if it is not, as through a '
  'local socket.';

-- what belongs to this transaction -------------------------------------------

CREATE FUNCTION hrloop.transaction_number(book regclass) RETURNS bigint
  LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'hrloop_transaction_number';
COMMENT ON FUNCTION hrloop.transaction_number(regclass) IS
  'Number of this transaction in these books, from their sequence transaction_number_seq: the same until it ends, '
  'never used again, carried on by a dump. Errors: 42P01 not books, 25006 read only.';
CREATE FUNCTION hrloop.of_this_transaction(row_xmin xid, at timestamptz) RETURNS boolean
  LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_of_this_transaction';
COMMENT ON FUNCTION hrloop.of_this_transaction(xid, timestamptz) IS
  'Whether a row was made in this transaction: by its system column xmin and the time of its transaction, for example '
  '(d.xmin, d.decided_at). Not a number that a dump carries on.';

-- who is asking --------------------------------------------------------------

CREATE FUNCTION hrloop.act_as(book regclass, employee_no text) RETURNS bigint
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_act_as';
COMMENT ON FUNCTION hrloop.act_as(regclass, text) IS
  'Act for an employee until the transaction ends; null: for nobody. Needs EXECUTE on act_as(text) of the books. '
  'Errors: 42501 no right, 22023 no such employee.';
CREATE FUNCTION hrloop.day_of(book regclass, moment timestamptz) RETURNS date
  LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_day_of';
COMMENT ON FUNCTION hrloop.day_of(regclass, timestamptz) IS
  'Day of a moment as these books count them: by their setting book.timezone. Errors: 42P01 not books.';
CREATE FUNCTION hrloop.today(book regclass) RETURNS date
  LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_today';
COMMENT ON FUNCTION hrloop.today(regclass) IS
  'Day on which the transaction began, as these books count days. Errors: 42P01 not books.';
CREATE FUNCTION hrloop.actor(book regclass) RETURNS bigint
  LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_actor';
COMMENT ON FUNCTION hrloop.actor(regclass) IS
  'Id of the employee that act_as() named in these books, else the one whose db_role is the login; null: nobody. '
  'Errors: 22004 null, 42P01 not books.';
CREATE FUNCTION hrloop.who(book regclass) RETURNS text
  LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_who';
COMMENT ON FUNCTION hrloop.who(regclass) IS 'Number of the acting employee, or the name of the database login.';
CREATE FUNCTION hrloop.owns(book regclass) RETURNS boolean
  LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_owns';
COMMENT ON FUNCTION hrloop.owns(regclass) IS
  'Whether the role that asks (SET ROLE, else the login) has the rights of the owner of the books. Errors: 22004 null, '
  '42P01 not books.';
CREATE FUNCTION hrloop.log_read(book regclass, employee bigint, what text, allowed boolean) RETURNS boolean
  LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'hrloop_log_read';
COMMENT ON FUNCTION hrloop.log_read(regclass, bigint, text, boolean) IS
  'Note in the server log, once for each statement, that who acts asked for somebody''s data: a line "hrloop audit: '
  '{json}", event read or denied. Returns allowed.';

CREATE FUNCTION hrloop.visible_support(internal) RETURNS internal
  LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_visible_support';
COMMENT ON FUNCTION hrloop.visible_support(internal) IS
  'Tells the planner how many rows visible() leaves, and how an index finds them.';
CREATE FUNCTION hrloop.visible(book regclass, employee_id bigint, kind text DEFAULT 'work') RETURNS boolean
  LANGUAGE C STABLE PARALLEL SAFE SUPPORT hrloop.visible_support AS 'MODULE_PATHNAME', 'hrloop_visible';
COMMENT ON FUNCTION hrloop.visible(regclass, bigint, text) IS
  'Whether who is asking may see an employee: work (oneself, everybody below, HR and executives everybody), pay '
  '(oneself, HR and finance) or name; the basis of all row policies. Nobody: false, the owner of the books: true '
  '(SEC-02). Errors: 22004 null, 22023 unknown kind, 42P01 not books.';
CREATE FUNCTION hrloop.visible_ids(book regclass, kind text DEFAULT 'work') RETURNS bigint[]
  LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_visible_ids';
COMMENT ON FUNCTION hrloop.visible_ids(regclass, text) IS
  'Keys of the employees for whom visible() is true; what an index looks for.';
CREATE FUNCTION hrloop.acts_for(book regclass, role text) RETURNS boolean
  LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_acts_for';
COMMENT ON FUNCTION hrloop.acts_for(regclass, text) IS
  'Whether who is asking holds a role of role_holder today; the owner of the books, acting for nobody, holds them all. '
  'Errors: 22004 null, 42P01 not books.';
CREATE FUNCTION hrloop.define(book regclass, statements text[]) RETURNS integer
  LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'hrloop_define';
COMMENT ON FUNCTION hrloop.define(regclass, text[]) IS
  'Run statements as the caller, with the books on the search_path: how the books make policies and grants from their '
  'tables. Returns how many. Errors: 42501 not the owner of the books, 22004 null.';

-- Said, as default privileges of who makes extensions may keep from PUBLIC what it has otherwise.
-- A new function is added here, and granted in the script that leads here from before (t/013 finds who forgot).
GRANT USAGE ON SCHEMA hrloop TO PUBLIC;
GRANT USAGE ON TYPE hrloop.problem TO PUBLIC;
GRANT EXECUTE ON FUNCTION
  hrloop.version(), hrloop.install(name, text), hrloop.migrate(name), hrloop.list_books(), hrloop.pre_restore(name),
  hrloop.post_restore(name), hrloop.consequence(), hrloop.guard(), hrloop.refuse(), hrloop.forget(), hrloop.truncated(),
  hrloop.score_check(),
  hrloop.score_hold(),
  hrloop.score_apply(), hrloop.decision_known(), hrloop.signal_render(), hrloop.signal_announce(), hrloop.audit(),
  hrloop.audit_guard(),
  hrloop.audit_attach(regclass), hrloop.fields("any"), hrloop.fail(text, text, text, text, text, text, text),
  hrloop.render(text, jsonb),
  hrloop.meaningful_chars(text), hrloop.evaluate(jsonpath, jsonb), hrloop.attainment(jsonpath, jsonb, text, numeric),
  hrloop.ratio_part(jsonpath, integer), hrloop.is_none(jsonb, jsonb), hrloop.figure(numeric), hrloop.figures(jsonb),
  hrloop.facts_of(jsonpath), hrloop.is_visible(text), hrloop.holds(jsonpath, jsonb),
  hrloop.rounded(numeric, integer), hrloop.round_money(numeric, integer), hrloop.raised(numeric, numeric[], integer),
  hrloop.recompute(regclass, bigint[], bigint),
  hrloop.hold_rules(regclass, boolean), hrloop.hold_reviews(regclass, bigint[]),
  hrloop.hold_employees(regclass, bigint[]), hrloop.run(regclass, text, "any"),
  hrloop.query_rows(text), hrloop.scrub(jsonb, text[], text), hrloop.replace_text(jsonb, text[], text, text),
  hrloop.erase(regclass, bigint), hrloop.tls(),
  hrloop.transaction_number(regclass), hrloop.of_this_transaction(xid, timestamptz), hrloop.act_as(regclass, text),
  hrloop.day_of(regclass, timestamptz), hrloop.today(regclass),
  hrloop.actor(regclass), hrloop.who(regclass), hrloop.owns(regclass), hrloop.log_read(regclass, bigint, text, boolean),
  hrloop.visible_support(internal), hrloop.visible(regclass, bigint, text), hrloop.visible_ids(regclass, text),
  hrloop.acts_for(regclass, text), hrloop.define(regclass, text[]) TO PUBLIC;
