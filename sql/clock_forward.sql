-- clock: it goes forward only, and nobody can put it ahead for others (NOT-03).
\set books forward_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30') > 0 AS made, assign_template('2023Q2', 'SALES', job => 'SALES') IS NOT NULL AS assigned;
-- a later moment comes first and finds nothing to do: no cycle is open; the earlier one does nothing any more
SELECT done FROM run_due('2023-07-10 09:00') WHERE rule = 'review_node';
SELECT open_cycle('2023Q2') > 0 AS opened;
SELECT 'NOT-03' AS id, done FROM run_due('2023-07-05 09:00') WHERE rule = 'review_node';
SELECT 'NOT-03' AS id, done > 0 AS done FROM run_due('2023-07-11 09:00') WHERE rule = 'review_node';
-- what lies ahead is refused, unless the owner says why, and then silences nothing
\set VERBOSITY sqlstate
SELECT run_due(now() + interval '200 years');
SELECT run_due(now() + interval '1 day', ' ');
\set VERBOSITY default
SELECT count(*) AS rules FROM run_due(now() + interval '200 years', '演练');
SELECT count(*) AS ahead FROM due_rule WHERE ran_at > now();
SELECT count(*) AS rules FROM run_due();
DROP SCHEMA forward_test CASCADE;
