-- books: made, listed, closed to others; who is acting; settings; decisions; and
-- whatever the library offers, called in every wrong way.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SELECT hrloop.install('books_test') IS NOT NULL AS installed;
\getenv abs_srcdir PG_ABS_SRCDIR
\set fixture :abs_srcdir '/test/fixtures/company.sql'
\set books books_test
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all
\set SHOW_CONTEXT never
SET datestyle = ISO;

-- install -----------------------------------------------------------------------
SELECT hrloop.install('books_test');
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.install(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.install('');
SELECT hrloop.install('pg_mine');
SELECT hrloop.install('information_schema');
SELECT hrloop.install('hrloop');
SELECT hrloop.install('Lohn "薪"; DROP TABLE x') ~ 'are ready' AS installed;
SELECT count(*) AS problems FROM "Lohn ""薪""; DROP TABLE x".verify();
-- into a schema that is there already, as long as it holds no books
CREATE SCHEMA books_there;
SELECT hrloop.install('books_there') ~ 'are ready' AS installed;
-- an install that fails leaves nothing behind
CREATE SCHEMA books_half;
CREATE TABLE books_half.setting (mine integer);
SELECT hrloop.install('books_half');
\echo :LAST_ERROR_SQLSTATE
SELECT relname FROM pg_class WHERE relnamespace = 'books_half'::regnamespace ORDER BY relname;
DROP SCHEMA books_half CASCADE;
SELECT b.schema, b.version = hrloop.version() AS current, b.needs_migration, b.owner = current_user AS mine
  FROM hrloop.books b WHERE b.schema ~ '^(books_|Lohn)' ORDER BY b.schema;
-- a table that is called book but is none
CREATE SCHEMA books_fake;
CREATE TABLE books_fake.book (title text);
SELECT count(*) FROM hrloop.books b WHERE b.schema = 'books_fake';
SELECT hrloop.migrate('books_fake');
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.migrate('books_nowhere');
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.migrate(NULL);
SELECT hrloop.migrate('books_test') ~ '^books "books_test" are of version' AS up_to_date;
-- books of another version are not touched
BEGIN;
UPDATE books_there.book SET version = '0.0.1';
SELECT b.schema, b.version, b.needs_migration FROM hrloop.books b WHERE b.schema = 'books_there';
\set VERBOSITY sqlstate
INSERT INTO books_there.org_unit (code, name, kind) VALUES ('X', 'X', 'company');
ROLLBACK;
BEGIN;
UPDATE books_there.book SET version = '0.0.1';
SELECT hrloop.migrate('books_there');
ROLLBACK;
\set VERBOSITY default
DROP SCHEMA books_there CASCADE;
DROP SCHEMA "Lohn ""薪""; DROP TABLE x" CASCADE;

-- what the books are made of -------------------------------------------------------
-- everything has a comment
WITH here AS (SELECT unnest(ARRAY['hrloop', 'books_test']::regnamespace[]) AS n)
SELECT 'table or view' AS kind, c.oid::regclass::text AS object
  FROM pg_class c JOIN here ON n = relnamespace WHERE relkind IN ('r', 'v', 'm', 'p') AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column', c.oid::regclass || '.' || attname
  FROM pg_class c JOIN here ON n = relnamespace JOIN pg_attribute a ON attrelid = c.oid
 WHERE relkind IN ('r', 'v', 'm', 'p') AND attnum > 0 AND NOT attisdropped AND col_description(c.oid, attnum) IS NULL
UNION ALL
SELECT 'function', p.oid::regprocedure::text FROM pg_proc p JOIN here ON n = pronamespace WHERE obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT 'type', t.oid::regtype::text FROM pg_type t JOIN here ON n = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
 WHERE typelem = 0 AND relkind IS DISTINCT FROM 'r' AND relkind IS DISTINCT FROM 'v' AND obj_description(t.oid, 'pg_type') IS NULL AND typtype <> 'm'
 ORDER BY 1, 2;
-- every table has a primary key
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'books_test'::regnamespace AND c.relkind = 'r'
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p') ORDER BY 1;
-- PUBLIC may do nothing
SELECT 'function' AS kind, p.oid::regprocedure::text AS object FROM pg_proc p
 WHERE p.pronamespace = 'books_test'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
UNION ALL
SELECT 'relation', c.oid::regclass::text FROM pg_class c
 WHERE c.relnamespace = 'books_test'::regnamespace AND c.relkind IN ('r', 'v', 'S')
   AND (CASE WHEN c.relkind <> 'S' THEN has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
             ELSE has_sequence_privilege('public', c.oid, 'USAGE, SELECT, UPDATE') END)
UNION ALL
SELECT 'schema', 'books_test' WHERE has_schema_privilege('public', 'books_test', 'USAGE, CREATE')
 ORDER BY 1, 2;
-- views ask with the rights of who reads them but those that count for readers; functions fix no foreign rights without a path
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'books_test'::regnamespace AND c.relkind = 'v'
   AND NOT coalesce('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions), false) ORDER BY 1;
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN ('books_test'::regnamespace, 'hrloop'::regnamespace)
   AND p.prosecdef AND NOT coalesce(p.proconfig::text ~ 'search_path', false) ORDER BY 1;

-- who is acting -----------------------------------------------------------------------
SELECT actor() IS NULL AS nobody, who() = session_user AS login;
BEGIN;
SELECT act_as('E010') = find_employee('E010') AS acting, actor() = find_employee('E010') AS actor, who();
SAVEPOINT s;
SELECT act_as('E011') > 0 AS acting, who();
ROLLBACK TO s;
SELECT who();
SELECT act_as(NULL) AS nobody, actor() AS actor;
SELECT act_as('E090') > 0 AS acting, who();
COMMIT;
SELECT actor() AS after_commit;
BEGIN; SELECT act_as('E010') > 0 AS acting; ROLLBACK;
SELECT actor() AS after_rollback;
-- outside a transaction block it lasts one statement
SELECT act_as('E010') > 0 AS acting;
SELECT actor() AS after_statement;
SELECT act_as('E999');
\echo :LAST_ERROR_SQLSTATE
-- an actor of these books is nobody in others
SELECT hrloop.install('books_other') ~ 'ready' AS installed;
BEGIN; SELECT act_as('E010') > 0 AS acting, who(), books_other.actor() AS elsewhere; COMMIT;
DROP SCHEMA books_other CASCADE;
-- no other way to say it
SET hrloop.actor = '1:1:E001';
\echo :LAST_ERROR_SQLSTATE
SET LOCAL hrloop.actor = 'E001';
SELECT set_config('hrloop.actor', '1:1:E001', false);
SELECT set_config('hrloop.actor', current_setting('hrloop.actor'), true) AS nothing_is_nobody;
ALTER ROLE CURRENT_USER SET hrloop.actor = '1:1:E001';
BEGIN; SELECT act_as('E010') > 0 AS acting; SET LOCAL hrloop.actor = '1:1:E001'; ROLLBACK;
-- and what was said is not carried over by hand
BEGIN; SELECT act_as('E010') > 0 AS acting; SET hrloop.actor FROM CURRENT; ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acting; RESET hrloop.actor; SELECT actor() AS reset; RESET ALL; ROLLBACK;
SET search_path = books_test;
SET datestyle = ISO;
SET hrloop.anything = 1;
-- nor before the library is loaded: the value is dropped when it is
SELECT format('%s:%s:E010', 'books_test'::regnamespace::oid, find_employee('E010')) AS forged \gset
\c -
SET client_min_messages = error;
SET hrloop.actor = :'forged';
SET search_path = books_test;
SELECT actor() AS forged, who() = session_user AS login, current_setting('hrloop.actor') AS setting;
SET client_min_messages = warning;
SET datestyle = ISO;
-- by right of EXECUTE on act_as(text) alone
CREATE ROLE regress_hrloop_app;
SET ROLE regress_hrloop_app;
SELECT act_as('E010');
RESET ROLE;
GRANT USAGE ON SCHEMA books_test TO regress_hrloop_app;
SELECT 'books_test.book'::regclass::oid AS book \gset
SET ROLE regress_hrloop_app;
SELECT act_as('E010');
-- not by the engine's function either
SELECT hrloop.act_as(:book::oid::regclass, 'E010');
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.act_as(:book::oid::regclass, NULL);
-- nor may it recompute, see, or change anything
SELECT hrloop.recompute(:book::oid::regclass, '{1}');
SELECT * FROM setting;
RESET ROLE;
GRANT EXECUTE ON FUNCTION act_as(text), actor(), who() TO regress_hrloop_app;
SET ROLE regress_hrloop_app;
BEGIN; SELECT act_as('E010') > 0 AS acting, who(), actor() > 0 AS actor; COMMIT;
RESET ROLE;
DROP OWNED BY regress_hrloop_app;
DROP ROLE regress_hrloop_app;
-- decisions are signed by who acts
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SELECT decision_id AS d FROM new_decision('cycle.sign', find_employee('E010'), 'employee', find_employee('E010'), '{"a": 1}', '{"b": 2}', '因为') \gset
SELECT kind, decided_by, hrloop.of_this_transaction(xmin, decided_at) AS this_transaction, decided_at = now() AS now FROM decision WHERE decision_id = :d;
-- an older row that this transaction writes anew is not of it, as after an erasure; nor is what a dump brings from elsewhere
SELECT hrloop.of_this_transaction(xmin, decided_at - interval '1 us') AS written_anew, hrloop.of_this_transaction('3', decided_at) AS from_elsewhere,
       transaction_id = hrloop.transaction_number('book') AS same_number
  FROM decision WHERE decision_id = :d;
ROLLBACK;

-- settings -----------------------------------------------------------------------------
SELECT s.setting, s.kind, s.value, s.default_value FROM setting s WHERE s.setting ~ '^(pay|plan|rationale)' ORDER BY s.setting;
SELECT set_setting('no.such', '1');
\echo :LAST_ERROR_SQLSTATE
SELECT set_setting(NULL, '1');
\set VERBOSITY terse
SELECT set_setting('plan.max_items', 'eight');
\echo :LAST_ERROR_SQLSTATE
SELECT set_setting('plan.max_items', '0');
SELECT set_setting('plan.max_items', '8.5');
SELECT set_setting('plan.score_threshold', '70,5');
SELECT set_setting('plan.score_threshold', 'NaN');
SELECT set_setting('plan.on_missed', 'yes');
SELECT set_setting('signal.locale', 'fr');
SELECT set_setting('allowance.effective', 'whenever');
SELECT set_setting('pay.minor_digits', NULL);
SELECT set_setting('pay.minor_digits', '-2');
\set VERBOSITY default
SELECT set_setting('plan.score_threshold', '70.5'), setting_number('plan.score_threshold') + 1 AS number, setting_on('plan.on_missed') AS on, setting_text('no.such') AS none, setting_on('no.such') AS off;
SELECT set_setting('plan.score_threshold', NULL) AS off;
SELECT setting_number('plan.score_threshold') AS number;

-- decisions are never changed ------------------------------------------------------------
UPDATE decision SET reason = 'x';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM decision;
TRUNCATE decision CASCADE;
DELETE FROM decision WHERE false;

-- the library, called in wrong ways -------------------------------------------------------
-- trigger functions are none without a trigger
SELECT hrloop.consequence();
DO $$
DECLARE f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['consequence', 'refuse', 'forget', 'score_check', 'score_apply', 'signal_render', 'signal_announce'] LOOP
    EXECUTE format('CREATE FUNCTION pg_temp.direct_%s() RETURNS integer LANGUAGE C AS %L, %L', f, '$libdir/hrloop', 'hrloop_' || f);
    BEGIN
      EXECUTE format('SELECT pg_temp.direct_%s()', f);
      RAISE WARNING '%: no error', f;
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING '%: % %', f, SQLSTATE, SQLERRM;
    END;
  END LOOP;
END $$;
-- on any table, in a schema with books and in one without, at any time, with and without columns
CREATE TABLE strange (id bigint, kind integer, note text);
CREATE TABLE books_fake.strange (id bigint, review_id bigint, body text, kind text, locale text, args jsonb, recipient_id bigint);
CREATE TEMP TABLE outcome (t text, f text, w text, arg text, result text);
DO $$
DECLARE f text; w text; t text; arg text; res text;
BEGIN
  FOREACH t IN ARRAY ARRAY['books_test.strange', 'books_fake.strange'] LOOP
  FOREACH f IN ARRAY ARRAY['consequence', 'refuse', 'forget', 'score_check', 'score_apply', 'signal_render', 'signal_announce'] LOOP
  FOREACH w IN ARRAY ARRAY['BEFORE INSERT ON %s FOR EACH ROW', 'AFTER INSERT ON %s FOR EACH ROW', 'BEFORE INSERT ON %s FOR EACH STATEMENT',
                           'AFTER INSERT ON %s FOR EACH STATEMENT', 'AFTER INSERT ON %s REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT'] LOOP
  FOREACH arg IN ARRAY ARRAY['', '''id''', '''nothing'', ''key=id''', '''setting_text'', ''key=kind''', '''setting_text'', ''key=nowhere''', '''verify'', ''key=id'', ''odd'''] LOOP
    EXECUTE format('CREATE TRIGGER odd ' || w || ' EXECUTE FUNCTION hrloop.%s(%s)', t, f, arg);
    BEGIN
      EXECUTE format('INSERT INTO %s (id) VALUES (1), (NULL)', t);
      res := 'no error';
    EXCEPTION WHEN OTHERS THEN
      res := SQLSTATE || ' ' || SQLERRM;
    END;
    EXECUTE format('DROP TRIGGER odd ON %s', t);
    INSERT INTO pg_temp.outcome VALUES (t, f, w, arg, res);
  END LOOP; END LOOP; END LOOP; END LOOP;
END $$;
SELECT t AS on, f AS function, result, count(*) AS ways FROM outcome GROUP BY t, f, result ORDER BY t DESC, f, result;
-- the rows of a strange table change nothing in the books
SELECT count(*) FROM strange;
DROP TABLE strange;

-- every function of the books with nothing but nulls, and with keys that nobody has:
-- an answer or an error that says something, never one of the inside
CREATE TEMP TABLE outcome_null (f text, call text, result text);
DO $$
DECLARE f record; call text; res text; word text;
BEGIN
  FOR f IN SELECT p.oid, p.proname, p.proargtypes::oid[] AS types FROM pg_proc p WHERE p.pronamespace = 'books_test'::regnamespace AND p.prokind = 'f' ORDER BY p.proname, p.oid LOOP
    FOREACH word IN ARRAY ARRAY['NULL', 'odd'] LOOP
      SELECT format('SELECT * FROM books_test.%I(%s)', f.proname, string_agg(
               CASE WHEN word = 'NULL' THEN 'NULL'
                    ELSE quote_literal(CASE WHEN t.type = 'bigint[]'::regtype THEN '{NULL,-1}' WHEN t.type::regtype::text ~ '\[\]$' THEN '{NULL}'
                                            WHEN t.type = 'text'::regtype THEN '‘' WHEN t.type = 'jsonb'::regtype THEN '[{}]' WHEN t.type IN ('date'::regtype, 'timestamptz'::regtype) THEN 'infinity'
                                            WHEN t.type = 'numeric'::regtype THEN 'NaN' WHEN t.type = 'boolean'::regtype THEN 'false' WHEN t.type = 'jsonpath'::regtype THEN '$' ELSE '-1' END) END
               || '::' || t.type::regtype, ', ' ORDER BY t.n))
        INTO call FROM unnest(f.types) WITH ORDINALITY AS t (type, n);
      BEGIN
        EXECUTE call;
        res := 'fine';
        RAISE EXCEPTION USING ERRCODE = 'PX001';
      EXCEPTION WHEN SQLSTATE 'PX001' THEN NULL;
                WHEN OTHERS THEN res := SQLSTATE || ' ' || SQLERRM;
      END;
      INSERT INTO pg_temp.outcome_null VALUES (f.proname, call, res);
    END LOOP;
  END LOOP;
END $$;
SELECT f, call, result FROM outcome_null WHERE result !~ '^(fine|22023|22P02|22004|22003|23\d\d\d|42501|55000)' ORDER BY f, call;
SELECT count(DISTINCT f) > 100 AS many, count(*) FILTER (WHERE result = 'fine') > 50 AS answers, count(*) FILTER (WHERE result <> 'fine') > 20 AS errors FROM outcome_null;

-- arguments that make no sense
SELECT hrloop.recompute(NULL, '{1}');
SELECT hrloop.recompute('book', NULL);
SELECT hrloop.recompute('book', '{}') AS none, hrloop.recompute('book', '{-1,0,9223372036854775807}') AS unknown;
SELECT hrloop.recompute('book', '{NULL}');
SELECT hrloop.recompute('book', '{{1,2},{3,4}}');
SELECT hrloop.recompute('pg_class', '{1}');
\set VERBOSITY sqlstate
SELECT hrloop.recompute('employee', '{1}');
SELECT hrloop.recompute('books_fake.book', '{1}');
SELECT hrloop.recompute(0, '{1}');
SELECT hrloop.act_as('employee', 'E010');
SELECT hrloop.act_as('books_fake.book', 'E010');
SELECT hrloop.act_as(0, 'E010');
\set VERBOSITY default
SELECT hrloop.run(NULL, 'f', 1);
SELECT hrloop.run('book', NULL, 1);
SELECT hrloop.run('book', 'no_such_function', 1);
SELECT hrloop.run('book', 'setting_text', 1, 2, 3, 4, 5);
SELECT hrloop.run('book', 'setting_text', VARIADIC ARRAY['a']);
SELECT hrloop.run('book', 'setting_text', 'review.tolerance'::text);
SELECT hrloop.act_as(NULL, 'E010');
SELECT hrloop.actor(NULL);
SELECT hrloop.actor(0);
SELECT hrloop.actor('pg_class');
SELECT hrloop.actor('books_fake.book');
SELECT hrloop.who(NULL);
SELECT hrloop.who('pg_class');
SELECT hrloop.render(NULL, '{}') AS text, hrloop.render('x', NULL) AS args, hrloop.render('', '{}') AS empty, hrloop.render('{', '{}') AS open, hrloop.render('}', '{}') AS close;
SELECT hrloop.render('{a}分,{b},{c}', '{"a": 85.0000, "b": "文", "c": 1e3}');
SELECT hrloop.render('{a}', '{"a": null}');
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.render('{a}', '{"a": [1]}');
SELECT hrloop.render('{a}', '[]');
SELECT hrloop.render('{}', '{}');
SELECT hrloop.render('{a}', '"a"');
SELECT hrloop.fail(NULL, NULL);
SELECT hrloop.fail('22023', 'message', 'Detail.', 'Hint.', 't', 'c', 'k');
SELECT hrloop.fail('1', 'a state of one character');
SELECT hrloop.meaningful_chars(NULL) AS null, hrloop.meaningful_chars('') AS empty, hrloop.meaningful_chars(' ,。、…!-_ ') AS blank, hrloop.meaningful_chars('按时 OK 3') AS some;
SELECT hrloop.evaluate(NULL, '{}') AS null, hrloop.evaluate('$.a / $.b', '{"a": 1, "b": 0}') AS zero, hrloop.evaluate('$.a / $.b * 100', '{"a": 8, "b": 10}') AS eighty;
SELECT hrloop.holds(NULL, NULL) AS null, hrloop.holds('$.a > 1', '{"a": 2}') AS yes, hrloop.holds('$.a > 1', '{}') AS unknown, hrloop.holds('$.a', '{"a": 5}') AS no_predicate;
SELECT hrloop.round_money(2.345), hrloop.round_money(-2.345), hrloop.round_money(2.5, 0), hrloop.round_money(NULL);
SELECT hrloop.pre_restore('books_nowhere');
SELECT hrloop.pre_restore('books_test');
\echo :LAST_ERROR_SQLSTATE
SELECT hrloop.post_restore(NULL);
SELECT hrloop.post_restore('books_fake');
SELECT hrloop.pre_restore('books_fake');

-- What consequences call is run by kept plans.  Another body, column, table or schema is noticed
-- by the session that keeps them.
CREATE TABLE kept (kept_id bigint PRIMARY KEY, told text);
CREATE FUNCTION kept_told(ids bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE kept k SET told = 'first' WHERE k.kept_id = ANY (ids);
  UPDATE kept k SET told = k.told || ' of ' || cardinality(ids) WHERE k.kept_id = ANY (kept_told.ids);
END;
CREATE TRIGGER kept_told AFTER INSERT ON kept REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('kept_told', 'key=kept_id');
INSERT INTO kept (kept_id) VALUES (1);
INSERT INTO kept (kept_id) VALUES (2), (3);
CREATE OR REPLACE FUNCTION kept_told(ids bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE kept k SET told = 'second' WHERE k.kept_id = ANY (ids);
END;
INSERT INTO kept (kept_id) VALUES (4);
ALTER TABLE kept RENAME TO kept_more;
ALTER TABLE kept_more ADD COLUMN note text DEFAULT 'new';
INSERT INTO kept_more (kept_id) VALUES (5);
ALTER SCHEMA books_test RENAME TO books_moved;
SET search_path = books_moved, pg_catalog;
INSERT INTO kept_more (kept_id) VALUES (6);
-- plans for few keys and for many, made anew as they are used; a rule in the words of another function
INSERT INTO kept_more (kept_id) SELECT n FROM generate_series(100, 1400) n;
DO $$ BEGIN FOR n IN 7..40 LOOP INSERT INTO books_moved.kept_more (kept_id) VALUES (n); END LOOP; END $$;
CREATE FUNCTION kept_problem(ids bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('%s is too many', k.kept_id), NULL, 'Take fewer.', 'kept', 'kept_id', 'kept_few' FROM kept_more k WHERE k.kept_id = ANY (ids) AND k.kept_id > 9000 ORDER BY k.kept_id;
END;
CREATE TRIGGER kept_problem AFTER INSERT ON kept_more REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('kept_problem', 'key=kept_id');
INSERT INTO kept_more (kept_id) VALUES (9001);
INSERT INTO kept_more (kept_id) SELECT n FROM generate_series(8990, 9010) n;
-- a function that is not in SQL, or has settings of its own, is called
CREATE OR REPLACE FUNCTION kept_told(ids bigint[]) RETURNS void VOLATILE LANGUAGE SQL SET search_path FROM CURRENT
BEGIN ATOMIC
  UPDATE kept_more k SET told = 'called' WHERE k.kept_id = ANY (ids);
END;
INSERT INTO kept_more (kept_id) VALUES (41);
CREATE OR REPLACE FUNCTION kept_told(ids bigint[]) RETURNS void VOLATILE LANGUAGE plpgsql AS $$ BEGIN UPDATE books_moved.kept_more k SET told = 'in PL/pgSQL' WHERE k.kept_id = ANY (ids); END $$;
INSERT INTO kept_more (kept_id) VALUES (42);
SELECT told, note, count(*), min(kept_id), max(kept_id) FROM kept_more GROUP BY told, note ORDER BY min(kept_id);
DROP TABLE kept_more CASCADE;
DROP FUNCTION kept_told(bigint[]);
ALTER SCHEMA books_moved RENAME TO books_test;
SET search_path = books_test, pg_catalog;

DROP SCHEMA books_fake CASCADE;
SELECT * FROM verify();
DROP SCHEMA books_test CASCADE;
