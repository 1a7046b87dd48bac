-- hostile: an owner of books who wants to be more than that.  Whatever the books
-- do runs as their owner, also when a superuser is the one who causes it.
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
CREATE ROLE regress_hostile;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_hostile;
SET ROLE regress_hostile;
SELECT hrloop.install('hostile_test') IS NOT NULL AS installed;
SET search_path = hostile_test, pg_catalog;
SELECT add_unit('U', 'U', 'company') > 0 AS made;
INSERT INTO job (code, name) VALUES ('J', 'J');
SELECT hire('M', 'Boss', 'U', 'J', '2020-01-01') > 0 AS hired, hire('E', 'Worker', 'U', 'J', '2020-01-01', manager => 'M') > 0 AS hired;
SELECT create_indicator('I', definition => 'i', standard => 's') > 0 AS made, create_template('T', '[{"indicator": "I", "weight": 100}]') > 0 AS made, activate_template('T') > 0 AS active;
SELECT create_cycle('C', '2023-01-01', '2023-03-31', 'T', pay_effective => false) > 0 AS made, open_cycle('C') AS reviews;
-- what the owner plants: a trigger, a rule and verify() that reach for more
CREATE FUNCTION reach() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'CREATE ROLE regress_hostile_made';
  RETURN 'reached, as ' || current_user;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN 'refused, as ' || current_user;
END $$;
CREATE TABLE caught (n int GENERATED ALWAYS AS IDENTITY, through text, what text);
CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile_test.caught (through, what) SELECT 'trigger of ' || TG_TABLE_NAME, hostile_test.reach(); RETURN NULL; END $$;
CREATE TRIGGER zz_planted AFTER UPDATE ON review FOR EACH STATEMENT EXECUTE FUNCTION planted();
CREATE OR REPLACE FUNCTION score_outsider_problem(scores bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile_test.caught (through, what) SELECT 'rule', hostile_test.reach(); RETURN; END $$;
CREATE OR REPLACE FUNCTION verify() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile_test.caught (through, what) SELECT 'verify', hostile_test.reach(); RETURN; END $$;
RESET ROLE;
-- a consequence that causes itself and has its plan made anew meanwhile: the one that runs is left alone
SET ROLE regress_hostile;
CREATE TABLE ring (ring_id bigint, n int);
CREATE FUNCTION turn(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER FUNCTION hostile_test.turn(bigint[]) COST %s', (SELECT 10 + max(n) FROM hostile_test.ring));
  UPDATE hostile_test.ring SET n = n - 1 WHERE n > 0;
END $$;
CREATE TRIGGER turn AFTER UPDATE ON ring REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('turn', 'key=ring_id');
INSERT INTO ring VALUES (1, 20), (2, 20);
UPDATE ring SET n = 10;
SELECT * FROM ring ORDER BY ring_id;
-- who sees whom is read through a view that asks who sees whom
ALTER TABLE assignment RENAME TO assignment_table;
CREATE TABLE depth (n int);
INSERT INTO depth VALUES (0);
CREATE FUNCTION echo(employee bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hostile_test.depth SET n = n + 1;
  RETURN (SELECT n FROM hostile_test.depth) > 20 OR hrloop.visible('hostile_test.book', employee) IS NOT NULL;
END $$;
CREATE VIEW assignment AS SELECT * FROM assignment_table WHERE echo(employee_id);
BEGIN;
SELECT act_as('M') > 0 AS acting, hrloop.visible('book', (SELECT employee_id FROM employee WHERE employee_no = 'E')) AS seen;
COMMIT;
DROP VIEW assignment;
ALTER TABLE assignment_table RENAME TO assignment;
RESET ROLE;
-- a superuser scores, has composites computed, and restores
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value) SELECT find_review('C', 'M'), find_indicator('I'), 'peer', find_employee('E'), 80;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale) SELECT find_review('C', 'E'), find_indicator('I'), find_employee('M'), 80, 'well done';
SELECT hrloop.recompute('hostile_test.book', ARRAY[1, 2]) AS recomputed;
SELECT hrloop.pre_restore('hostile_test') IS NOT NULL AS guarded, hrloop.post_restore('hostile_test') IS NOT NULL AS verified;
SELECT count(*) AS listed FROM hrloop.books WHERE books::text LIKE '%hostile_test%';
SELECT through, what, count(*) > 0 AS came FROM caught GROUP BY through, what ORDER BY 1, 2;
SELECT count(*) AS made FROM pg_roles WHERE rolname = 'regress_hostile_made';
-- books that are no books, and somebody else's
CREATE SCHEMA not_books;
CREATE TABLE not_books.book (version text);
SELECT hrloop.actor('not_books.book'), hrloop.recompute('not_books.book', ARRAY[1]);
SET ROLE regress_hostile;
SELECT hrloop.recompute('not_books.book', ARRAY[1]);
SELECT hrloop.pre_restore('not_books');
RESET ROLE;
DROP SCHEMA not_books CASCADE;
DROP SCHEMA hostile_test CASCADE;
REVOKE CREATE ON DATABASE :"db" FROM regress_hostile;
DROP ROLE regress_hostile;
