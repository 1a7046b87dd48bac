-- books: made, listed, closed to others; who is acting; settings; decisions.
\set books books_test
\set by_hand '{decision}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- install -----------------------------------------------------------------------
SELECT hrloop.install('books_test'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.install(NULL); \echo :LAST_ERROR_SQLSTATE
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
SELECT hrloop.install('books_half'); \echo :LAST_ERROR_SQLSTATE
SELECT relname FROM pg_class WHERE relnamespace = 'books_half'::regnamespace ORDER BY relname;
DROP SCHEMA books_half CASCADE;
SELECT b.schema, b.version = hrloop.version() AS current, b.needs_migration, b.owner = current_user AS mine
  FROM hrloop.books b WHERE b.schema ~ '^(books_|Lohn)' ORDER BY b.schema;
-- a table that is called book but is none
CREATE SCHEMA books_fake;
CREATE TABLE books_fake.book (title text);
SELECT count(*) FROM hrloop.books b WHERE b.schema = 'books_fake';
SELECT hrloop.migrate('books_fake'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.migrate('books_nowhere'); \echo :LAST_ERROR_SQLSTATE
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
-- views ask with the rights of who reads them but those that count for readers or let no condition in; functions fix no foreign rights without a path
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
SELECT act_as('E999'); \echo :LAST_ERROR_SQLSTATE
-- an actor of these books is nobody in others
BEGIN; SELECT act_as('E010') > 0 AS acting, who(), books_there.actor() AS elsewhere; COMMIT;
DROP SCHEMA books_there CASCADE;
-- no other way to say it
SET hrloop.actor = '1:1:E001'; \echo :LAST_ERROR_SQLSTATE
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
SELECT hrloop.act_as(:book::oid::regclass, 'E010'); \echo :LAST_ERROR_SQLSTATE
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
SELECT set_setting('no.such', '1'); \echo :LAST_ERROR_SQLSTATE
SELECT set_setting(NULL, '1');
\set VERBOSITY terse
SELECT set_setting('plan.max_items', 'eight'); \echo :LAST_ERROR_SQLSTATE
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
UPDATE decision SET reason = 'x'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM decision;
TRUNCATE decision CASCADE;
DELETE FROM decision WHERE false;

DROP SCHEMA books_fake CASCADE;
SELECT * FROM verify();
DROP SCHEMA books_test CASCADE;
