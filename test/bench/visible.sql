-- What row policies cost: 200,000 employees and reviews, counted and joined by one who
-- sees one, a hundred, a third or all of them, against the owner of the books, whom no
-- policy holds up.  In an empty database of a superuser:
--   psql -X -f test/bench/visible.sql
-- Medians of seven runs, the whole of it single-threaded.  "first" is the first query after
-- a change of the organisation: it gathers whom the actor sees.  Then what one manager
-- reads of their own people, and the clock over all with nothing due: its time, the rows
-- it wrote, and the tables that it read as a whole.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('bench') AS books \gset
SET search_path = bench, pg_catalog;
SET max_parallel_workers_per_gather = 0;
SET jit = off;

-- generated, not entered: no consequences
SET session_replication_role = replica;
INSERT INTO org_unit (org_unit_id, code, name, kind) VALUES (1, 'U', 'company', 'company');
INSERT INTO job (job_id, code, name) VALUES (1, 'J', 'job');
INSERT INTO employee (employee_id, employee_no, name, hired_on) SELECT n, 'N' || n, 'Employee ' || n, '2020-01-01' FROM generate_series(1, 200000) n;
-- 1 head; 2 to 4: below the first of them a third of all, a hundred managers to each hundred people
INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, valid)
SELECT n, 1, 1, CASE WHEN n = 1 THEN NULL WHEN n <= 4 THEN 1 WHEN n <= 2000 THEN 2 + (CASE WHEN n <= 705 THEN 0 ELSE 1 + n % 2 END)
                     ELSE 5 + (n - 2001) / 100 % 1996 END, daterange('2020-01-01', NULL) FROM generate_series(1, 200000) n;
INSERT INTO employee_status (employee_id, status, valid) SELECT n, 'active', daterange('2020-01-01', NULL) FROM generate_series(1, 200000) n;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', 200000);
INSERT INTO review_template (template_id, code, version, name) VALUES (1, 'T', 1, 'T');
INSERT INTO review_cycle (cycle_id, code, name, period, status) VALUES (1, 'C', 'C', '[2023-01-01,2023-04-01)', 'open');
INSERT INTO review (cycle_id, employee_id, template_id, manager_id, org_unit_id, job_id, status, composite, complete)
SELECT 1, a.employee_id, 1, a.manager_id, 1, 1, 'open', 50 + a.employee_id % 50, true FROM assignment a ORDER BY a.employee_id;
SET session_replication_role = origin;
VACUUM ANALYZE;
CREATE ROLE bench_app;
GRANT USAGE ON SCHEMA bench TO bench_app;
GRANT SELECT ON ALL TABLES IN SCHEMA bench TO bench_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bench TO bench_app;

CREATE FUNCTION pg_temp.once(query text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE started timestamptz := clock_timestamp(); n bigint;
BEGIN EXECUTE query INTO n; RETURN extract(epoch FROM clock_timestamp() - started) * 1000; END $$;
CREATE FUNCTION pg_temp.median(query text) RETURNS numeric LANGUAGE SQL AS
  $$ SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t)::numeric, 2) FROM (SELECT pg_temp.once(query) AS t FROM generate_series(1, 7)) r $$;
CREATE TEMP TABLE query (n int, name text, text text);
INSERT INTO query VALUES (1, 'count(review)', 'SELECT count(*) FROM bench.review'), (2, 'count(employee)', 'SELECT count(*) FROM bench.employee'),
  (3, 'review, employee', 'SELECT count(*) FROM bench.review r JOIN bench.employee e USING (employee_id) WHERE r.composite > 60 AND e.hired_on < ''2021-01-01''');
CREATE TEMP TABLE run (n int, actor text, ms numeric, seen bigint);
GRANT ALL ON query, run TO bench_app;
INSERT INTO run (n, ms) SELECT n, pg_temp.median(text) FROM query ORDER BY n;
SET ROLE bench_app;
CREATE FUNCTION pg_temp.measure(who text, label text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE q record; seen bigint;
BEGIN
  PERFORM bench.act_as(who);
  INSERT INTO run VALUES (0, label, round(pg_temp.once('SELECT count(*) FROM bench.review WHERE review_id = 1')::numeric, 2));
  FOR q IN SELECT * FROM query ORDER BY n LOOP
    EXECUTE q.text INTO seen;
    INSERT INTO run VALUES (q.n, label, pg_temp.median(q.text), seen);
  END LOOP;
END $$;
SELECT pg_temp.measure('N150000', 'leaf'), pg_temp.measure('N10', 'manager'), pg_temp.measure('N2', 'vice-president'), pg_temp.measure('N200000', 'HR') \g /dev/null
SELECT r.actor, coalesce(q.name, 'first') AS query, r.seen, r.ms AS with_policy, o.ms AS without, round(r.ms / o.ms, 3) AS ratio
  FROM run r LEFT JOIN query q USING (n) LEFT JOIN run o ON o.n = r.n AND o.actor IS NULL
 WHERE r.actor IS NOT NULL ORDER BY array_position(ARRAY['leaf', 'manager', 'vice-president', 'HR'], r.actor), r.n;
CREATE TEMP TABLE board (name text);
INSERT INTO board VALUES ('assessment'), ('plan_overview'), ('growth_record'), ('profile_overview');
BEGIN;
SELECT bench.act_as('N10') \g /dev/null
SELECT b.name AS of_one_manager, (pg_temp.median(format('SELECT count(*) FROM bench.%I', b.name))) AS ms FROM board b;
COMMIT;
RESET ROLE;
SELECT pg_temp.once('SELECT sum(done) FROM bench.run_due()') \g /dev/null
SELECT pg_stat_force_next_flush() \g /dev/null
CREATE TEMP TABLE before AS SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS written, seq_tup_read FROM pg_stat_all_tables WHERE schemaname = 'bench';
SELECT round(pg_temp.once('SELECT sum(done) FROM bench.run_due()')::numeric, 1) AS ms_of_nothing_due;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT s.relname AS the_clock_touches, s.n_tup_ins + s.n_tup_upd + s.n_tup_del - b.written AS written, s.seq_tup_read - b.seq_tup_read AS read_in_scans
  FROM pg_stat_all_tables s JOIN before b USING (relname)
 WHERE s.schemaname = 'bench' AND (s.n_tup_ins + s.n_tup_upd + s.n_tup_del, s.seq_tup_read) IS DISTINCT FROM (b.written, b.seq_tup_read) ORDER BY 1;
DROP OWNED BY bench_app;
DROP ROLE bench_app;
