-- books: whatever the library offers, called in every wrong way; what kept plans notice.
\set books call_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- a table that is called book but is none
CREATE SCHEMA call_fake;
CREATE TABLE call_fake.book (title text);

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
CREATE TABLE call_fake.strange (id bigint, review_id bigint, body text, kind text, locale text, args jsonb, recipient_id bigint);
CREATE TEMP TABLE outcome (t text, f text, w text, arg text, result text);
DO $$
DECLARE f text; w text; t text; arg text; res text;
BEGIN
  FOREACH t IN ARRAY ARRAY['call_test.strange', 'call_fake.strange'] LOOP
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
  FOR f IN SELECT p.oid, p.proname, p.proargtypes::oid[] AS types FROM pg_proc p WHERE p.pronamespace = 'call_test'::regnamespace AND p.prokind = 'f' ORDER BY p.proname, p.oid LOOP
    FOREACH word IN ARRAY ARRAY['NULL', 'odd'] LOOP
      SELECT format('SELECT * FROM call_test.%I(%s)', f.proname, string_agg(
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
SELECT hrloop.recompute('call_fake.book', '{1}');
SELECT hrloop.recompute(0, '{1}');
SELECT hrloop.act_as('employee', 'E010');
SELECT hrloop.act_as('call_fake.book', 'E010');
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
SELECT hrloop.actor('call_fake.book');
SELECT hrloop.who(NULL);
SELECT hrloop.who('pg_class');
SELECT hrloop.render(NULL, '{}') AS text, hrloop.render('x', NULL) AS args, hrloop.render('', '{}') AS empty, hrloop.render('{', '{}') AS open, hrloop.render('}', '{}') AS close;
SELECT hrloop.render('{a}分,{b},{c}', '{"a": 85.0000, "b": "文", "c": 1e3}');
SELECT hrloop.render('{a}', '{"a": null}'); \echo :LAST_ERROR_SQLSTATE
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
SELECT hrloop.pre_restore('call_test'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.post_restore(NULL);
SELECT hrloop.post_restore('call_fake');
SELECT hrloop.pre_restore('call_fake');

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
ALTER SCHEMA call_test RENAME TO call_moved;
SET search_path = call_moved, pg_catalog;
INSERT INTO kept_more (kept_id) VALUES (6);
-- plans for few keys and for many, made anew as they are used; a rule in the words of another function
INSERT INTO kept_more (kept_id) SELECT n FROM generate_series(100, 1400) n;
DO $$ BEGIN FOR n IN 7..40 LOOP INSERT INTO call_moved.kept_more (kept_id) VALUES (n); END LOOP; END $$;
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
CREATE OR REPLACE FUNCTION kept_told(ids bigint[]) RETURNS void VOLATILE LANGUAGE plpgsql AS $$ BEGIN UPDATE call_moved.kept_more k SET told = 'in PL/pgSQL' WHERE k.kept_id = ANY (ids); END $$;
INSERT INTO kept_more (kept_id) VALUES (42);
SELECT told, note, count(*), min(kept_id), max(kept_id) FROM kept_more GROUP BY told, note ORDER BY min(kept_id);
DROP TABLE kept_more CASCADE;
DROP FUNCTION kept_told(bigint[]);
ALTER SCHEMA call_moved RENAME TO call_test;
SET search_path = call_test, pg_catalog;

DROP SCHEMA call_fake CASCADE;
SELECT * FROM verify();
DROP SCHEMA call_test CASCADE;
