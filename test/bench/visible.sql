-- What row policies cost: 200,000 employees and reviews, counted and joined by one who
-- sees one, a hundred, a third or all of them, against the owner of the books, whom no
-- policy holds up.  In an empty database of a superuser:
--   psql -X -f test/bench/visible.sql
-- CPU time of one run, of half a second of runs, the whole of it single-threaded.  "first" is
-- the first query after a change of the organisation: it gathers whom the actor sees.  A bare
-- count is the one query for which the owner need not look at the rows at all: where rows are
-- looked at, a policy costs little.  What people read of the views is in board.sql.
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

-- CPU time of this backend in milliseconds, or where the system does not tell it, the time
CREATE FUNCTION pg_temp.cpu() RETURNS numeric SECURITY DEFINER LANGUAGE SQL AS $$
  SELECT coalesce(split_part(pg_read_file('/proc/self/schedstat', 0, 100, true), ' ', 1)::numeric / 1000000, extract(epoch FROM clock_timestamp()) * 1000) $$;
CREATE FUNCTION pg_temp.run(query text, ms numeric DEFAULT 500) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE started numeric := pg_temp.cpu(); times integer := 0;
BEGIN
  LOOP
    EXECUTE query;
    times := times + 1;
    EXIT WHEN pg_temp.cpu() - started >= ms OR times = 1000;
  END LOOP;
  RETURN round((pg_temp.cpu() - started) / times, 3);
END $$;
CREATE TEMP TABLE query (n int, name text, text text);
INSERT INTO query VALUES (1, 'count(review)', 'SELECT count(*) FROM bench.review'), (2, 'count(employee)', 'SELECT count(*) FROM bench.employee'),
  (3, 'count(composite)', 'SELECT count(composite) FROM bench.review'), (4, 'review, employee', 'SELECT count(*) FROM bench.review r JOIN bench.employee e USING (employee_id) WHERE r.composite > 60 AND e.hired_on < ''2021-01-01''');
CREATE TEMP TABLE run (n int, actor text, ms numeric, seen bigint);
GRANT ALL ON query, run TO bench_app;
INSERT INTO run (n, ms) SELECT n, pg_temp.run(text) FROM query ORDER BY n;
SET ROLE bench_app;
CREATE FUNCTION pg_temp.measure(who text, label text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE q record; seen bigint;
BEGIN
  PERFORM bench.act_as(who);
  INSERT INTO run VALUES (0, label, pg_temp.run('SELECT count(*) FROM bench.review WHERE review_id = 1', 0));
  FOR q IN SELECT * FROM query ORDER BY n LOOP
    EXECUTE q.text INTO seen;
    INSERT INTO run VALUES (q.n, label, pg_temp.run(q.text), seen);
  END LOOP;
END $$;
SELECT pg_temp.measure('N150000', 'leaf'), pg_temp.measure('N10', 'manager'), pg_temp.measure('N2', 'vice-president'), pg_temp.measure('N200000', 'HR') \g /dev/null
SELECT r.actor, coalesce(q.name, 'first') AS query, r.seen, r.ms AS with_policy, o.ms AS without, round(r.ms / o.ms, 3) AS ratio
  FROM run r LEFT JOIN query q USING (n) LEFT JOIN run o ON o.n = r.n AND o.actor IS NULL
 WHERE r.actor IS NOT NULL ORDER BY array_position(ARRAY['leaf', 'manager', 'vice-president', 'HR'], r.actor), r.n;
RESET ROLE;
DROP OWNED BY bench_app;
DROP ROLE bench_app;
