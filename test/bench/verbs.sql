-- What applications call, one at a time: CPU of the backend, in microseconds.  "make bench-verbs".
--
-- First as prepared statements, a transaction each, against the INSERT of the same score and
-- against an application that does it by itself on tables without triggers: it reads the
-- template and what was scored, computes, and saves (what it computes costs the server
-- nothing).  Then call by call in a warm session: the median, one of a hundred, the worst,
-- and how many took more than 5 ms.  Then the memory of a backend that does both.
\if :{?people} \else \set people 500 \endif
\ir company.sql
CREATE FUNCTION bench.cpu_time() RETURNS bigint LANGUAGE C AS 'cpu_time', 'cpu_time';
CREATE TABLE bench.todo AS
SELECT row_number() OVER (ORDER BY n) - 1 AS i, r.review_id, i.indicator_id, b.rater_id, b.raw, b.rationale, 'P' || r.employee_id AS employee, i.code AS indicator
  FROM bench.input b JOIN hr.review r USING (review_id) JOIN hr.indicator i USING (indicator_id) ORDER BY n;
CREATE UNIQUE INDEX ON bench.todo (i);
CREATE SCHEMA app;
CREATE TABLE app.score (LIKE hr.score INCLUDING ALL);
CREATE TABLE app.review (LIKE hr.review INCLUDING ALL);
INSERT INTO app.review SELECT * FROM hr.review;
CREATE TABLE bench.took (call text, n bigint, us numeric);
VACUUM ANALYZE;

-- a backend that has done nothing yet
\connect
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = hr, pg_catalog;
SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+) kB') AS kb \gset fresh_
SELECT hrloop.version() IS NOT NULL AS loaded, current_setting('hrloop.keep_plans') AS keeps \gset
PREPARE insert_score (bigint, bigint, bigint, numeric, text) AS INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale) VALUES ($1, $2, $3, $4, $5);
PREPARE submit (text, text, numeric, text) AS SELECT submit_score('C', $1, $2, $3, $4);
PREPARE lock (text) AS SELECT lock_review('C', $1);
PREPARE lock_row (bigint) AS UPDATE review SET status = 'locked', locked_on = current_date WHERE review_id = $1;
PREPARE app_review (bigint) AS SELECT r.status, r.template_id, t.missing_policy FROM app.review r JOIN review_template t USING (template_id) WHERE r.review_id = $1 FOR NO KEY UPDATE OF r;
PREPARE app_items (bigint) AS SELECT i.indicator_id, i.effective_weight FROM app.review r JOIN template_item i USING (template_id) WHERE r.review_id = $1;
PREPARE app_scores (bigint) AS SELECT s.indicator_id, s.rater_group, s.value FROM app.score s WHERE s.review_id = $1;
PREPARE app_insert (bigint, bigint, bigint, numeric, text) AS INSERT INTO app.score (review_id, indicator_id, rater_id, raw_value, value, rationale) VALUES ($1, $2, $3, $4, $4, $5);
PREPARE app_save (bigint, numeric) AS UPDATE app.review SET composite = $2 WHERE review_id = $1;

-- eight in sixteen of the scores that are to be given, by reviews: warmed up, then counted
CREATE PROCEDURE pg_temp.begin_of(call text) LANGUAGE SQL AS $$ INSERT INTO bench.took VALUES (call, 0, bench.cpu_time()) $$;
CREATE PROCEDURE pg_temp.end_of(named text, times numeric) LANGUAGE SQL AS $$
  UPDATE bench.took SET us = round((bench.cpu_time() - us) / 1000 / times, 1), n = times WHERE call = named AND n = 0 $$;
\set quarter 'least(1000, (SELECT count(*) / 16 * 2 FROM bench.todo))'
SELECT :quarter AS q \gset
\o /dev/null
SELECT format('EXECUTE submit (%L, %L, %s, %L)', employee, indicator, raw, rationale) FROM bench.todo WHERE i < 80 ORDER BY i \gexec
CALL pg_temp.begin_of('submit_score()');
SELECT format('EXECUTE submit (%L, %L, %s, %L)', employee, indicator, raw, rationale) FROM bench.todo WHERE i >= 80 AND i < :q ORDER BY i \gexec
CALL pg_temp.end_of('submit_score()', :q - 80);
CALL pg_temp.begin_of('INSERT INTO score');
SELECT format('EXECUTE insert_score (%s, %s, %s, %s, %L)', review_id, indicator_id, rater_id, raw, rationale) FROM bench.todo WHERE i >= :q AND i < 2 * :q ORDER BY i \gexec
CALL pg_temp.end_of('INSERT INTO score', :q);
CALL pg_temp.begin_of('an application scores');
SELECT unnest(ARRAY['BEGIN', format('EXECUTE app_review (%s)', review_id), format('EXECUTE app_items (%s)', review_id), format('EXECUTE app_scores (%s)', review_id),
       format('EXECUTE app_insert (%s, %s, %s, %s, %L)', review_id, indicator_id, rater_id, raw, rationale), format('EXECUTE app_save (%s, %s)', review_id, raw), 'COMMIT'])
  FROM (SELECT * FROM bench.todo WHERE i >= :q AND i < 2 * :q ORDER BY i) t \gexec
CALL pg_temp.end_of('an application scores', :q);
SELECT format('EXECUTE lock (%L)', employee) FROM bench.todo WHERE i < 80 AND i % 8 = 0 ORDER BY i \gexec
CALL pg_temp.begin_of('lock_review()');
SELECT format('EXECUTE lock (%L)', employee) FROM bench.todo WHERE i >= 80 AND i < :q AND i % 8 = 0 ORDER BY i \gexec
CALL pg_temp.end_of('lock_review()', :q / 8 - 10);
SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+) kB') AS kb \gset warm_
CALL pg_temp.begin_of('UPDATE review');
SELECT format('EXECUTE lock_row (%s)', review_id) FROM bench.todo WHERE i >= :q AND i < 2 * :q AND i % 8 = 0 ORDER BY i \gexec
CALL pg_temp.end_of('UPDATE review', :q / 8);
\o
\echo 'prepared statements, µs CPU of a call (hrloop.keep_plans = ':keeps')'
SELECT call, n AS calls, us, round(us / (SELECT us FROM bench.took WHERE call = 'INSERT INTO score'), 2) AS of_insert FROM bench.took ORDER BY call;

-- in a procedure, as the time of one call is shorter than what a client sees of it
CREATE PROCEDURE pg_temp.go(verb text, first bigint, beyond bigint) LANGUAGE plpgsql AS $$
DECLARE t record; began bigint;
BEGIN
  FOR t IN SELECT * FROM bench.todo WHERE i >= first AND i < beyond AND review_id IN (SELECT review_id FROM review WHERE manager_id IS NOT NULL) AND (verb = 'submit_score()' OR i % 8 = 0) ORDER BY i LOOP
    began := bench.cpu_time();
    IF verb = 'submit_score()' THEN PERFORM submit_score('C', t.employee, t.indicator, t.raw, t.rationale);
    ELSE PERFORM lock_review('C', t.employee); END IF;
    INSERT INTO bench.took VALUES (verb, t.i, (bench.cpu_time() - began) / 1000.0);
    COMMIT;
  END LOOP;
END $$;
DELETE FROM bench.took;
SELECT count(*) / 8 * 8 AS all FROM bench.todo \gset
CALL pg_temp.go('submit_score()', 2 * :q, :all);
CALL pg_temp.go('lock_review()', 2 * :q, :all);
\echo 'call by call in the same session, µs CPU'
SELECT call, count(*) AS calls, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric) AS median, round(percentile_cont(0.99) WITHIN GROUP (ORDER BY us)::numeric) AS one_of_100,
       round(max(us)) AS worst, count(*) FILTER (WHERE us > 5000) AS above_5_ms
  FROM bench.took GROUP BY call ORDER BY call;
\echo 'memory of its own, in MB'
SELECT round(:fresh_kb / 1024.0, 1) AS fresh, round(:warm_kb / 1024.0, 1) AS both_warm,
       round(substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+) kB')::numeric / 1024, 1) AS in_the_end,
       (SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hrloop kept function') AS kept_functions,
       (SELECT round(sum(total_bytes) / 1048576, 1) FROM pg_backend_memory_contexts WHERE name IN ('hrloop kept function', 'CachedPlanSource', 'CachedPlanQuery', 'CachedPlan')) AS all_plans;
