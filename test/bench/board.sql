-- The board and the clock of a large company: what managers, heads, directors and HR read,
-- under row policies and as the owner of the books, and what the clock does with nothing
-- due and with one plan of twenty due.  In an empty database of a superuser:
--   psql -X -f test/bench/board.sql                200,000 people, 1,600,000 scores: half an hour
--   psql -X -v people=10000 -f test/bench/board.sql
--
-- Twenty people have a manager, five of these a unit of a hundred, a hundred units a
-- division.  People are generated; one cycle is scored and locked by the real path, with all
-- its results, plans, sessions and raises, the next one is open, scored and measured.
-- Figures are CPU time of the backend, medians of five, the whole of it single-threaded.
\set ON_ERROR_STOP on
\if :{?people} \else \set people 200000 \endif
\set QUIET on
\pset footer off
\pset pager off
\timing off
SET client_min_messages = warning;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('board') \g /dev/null
SET search_path = board, pg_catalog;

CREATE SCHEMA bench;
-- CPU time of this backend in milliseconds, or where the system does not tell it, the time
CREATE FUNCTION bench.cpu() RETURNS numeric SECURITY DEFINER LANGUAGE SQL AS $$
  SELECT coalesce(split_part(pg_read_file('/proc/self/schedstat', 0, 100, true), ' ', 1)::numeric / 1000000, extract(epoch FROM clock_timestamp()) * 1000) $$;
\o /dev/null

-- the company ------------------------------------------------------------------------

SET session_replication_role = replica;
INSERT INTO org_unit (org_unit_id, code, name, kind, unit_kind) VALUES (1, 'U0', 'company', 'company', 'functional');
INSERT INTO org_unit (org_unit_id, code, name, kind, unit_kind, parent_id)
SELECT 1000000 + n, 'D' || n, 'division ' || n, 'branch', 'production', 1 FROM generate_series(1, (:people - 1) / 10000 + 1) n;
INSERT INTO org_unit (org_unit_id, code, name, kind, unit_kind, parent_id)
SELECT 1 + n, 'U' || n, 'unit ' || n, 'department', 'production', 1000001 + (n - 1) / 100 FROM generate_series(1, (:people - 1) / 100 + 1) n;
INSERT INTO job (job_id, code, name, job_family) VALUES (1, 'J1', 'head', 'management'), (2, 'J2', 'worker', 'production');
-- 1 leads the company, the first of each ten thousand a division, of each hundred a unit, of each twenty a team
INSERT INTO employee (employee_id, employee_no, name, hired_on) SELECT n, 'P' || n, 'Person ' || n, '2020-01-01' FROM generate_series(1, :people) n;
INSERT INTO employee_status (employee_id, status, valid) SELECT n, 'active', daterange('2020-01-01', NULL) FROM generate_series(1, :people) n;
INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, valid)
SELECT n, 2 + (n - 1) / 100, CASE WHEN n % 20 = 1 THEN 1 ELSE 2 END,
       CASE WHEN n = 1 THEN NULL WHEN n % 10000 = 1 THEN 1 WHEN n % 100 = 1 THEN n - (n - 1) % 10000 WHEN n % 20 = 1 THEN n - (n - 1) % 100
            ELSE n - (n - 1) % 20 END, daterange('2020-01-01', NULL)
  FROM generate_series(1, :people) n;
INSERT INTO unit_head (org_unit_id, employee_id, valid)
SELECT 2 + (n - 1) / 100, n, daterange('2020-01-01', NULL) FROM generate_series(1, :people, 100) n
UNION ALL SELECT 1000001 + (n - 1) / 10000, n, daterange('2020-01-01', NULL) FROM generate_series(1, :people, 10000) n
UNION ALL SELECT 1, 1, daterange('2020-01-01', NULL);
INSERT INTO role_holder (role, employee_id) VALUES ('hr', :people), ('executive', 1);
INSERT INTO salary (employee_id, amount, valid) SELECT n, 5000 + n % 500 * 10, daterange('2020-01-01', NULL) FROM generate_series(1, :people) n;
SET session_replication_role = origin;
INSERT INTO skill (code, name) VALUES ('S', 'skill');
ANALYZE;

SELECT create_indicator('I1', definition => 'indicator 1', standard => 'attainment', kind => 'quantitative');
SELECT create_indicator('I' || n, definition => 'indicator ' || n, standard => '0-100', pass => 60) FROM generate_series(2, 8) n;
INSERT INTO indicator_skill (indicator_id, skill_id, required) VALUES (find_indicator('I2'), find_skill('S'), 75);
INSERT INTO resource (code, name, kind, every, topic) VALUES ('R1', 'a course', 'course', NULL, NULL), ('R2', 'a mentor', 'mentor', '14 days', 'work');
INSERT INTO resource_tag (resource_id, indicator_id) SELECT find_resource('R' || r), find_indicator('I' || n) FROM generate_series(1, 8) n, generate_series(1, 2) r;
SELECT create_template('T', (SELECT jsonb_agg(jsonb_build_object('indicator', 'I' || n, 'weight', 12.5) || CASE WHEN n = 1 THEN '{"facts": {"target": 100}}'::jsonb ELSE '{}' END)
                               FROM generate_series(1, 8) n)), activate_template('T');

-- One person of twenty falls short, by one indicator.
CREATE PROCEDURE bench.score(cycle text) LANGUAGE SQL AS $$
  INSERT INTO score (review_id, indicator_id, rater_id, raw_value, facts, rationale, scored_at)
  SELECT r.review_id, i.indicator_id, coalesce(r.manager_id, 2), CASE WHEN i.position > 1 THEN CASE WHEN s.low THEN 50 ELSE s.value END END,
         CASE WHEN i.position = 1 THEN jsonb_build_object('actual', CASE WHEN s.low THEN 50 ELSE s.value + 25 END) END, 'agreed in the talk', '2023-04-01'
    FROM review r JOIN template_item i USING (template_id)
    CROSS JOIN LATERAL (SELECT r.employee_id % 20 = 3 AND i.position = 1 + r.employee_id / 20 % 8 AS low, 80 + abs(hashint8(r.review_id * 8 + i.position) % 1000) * 0.01 AS value) s
   WHERE r.cycle_id = find_cycle(cycle) ORDER BY 1, 2 $$;
CREATE TABLE bench.took (what text, ms numeric);
SELECT create_cycle('A', '2023-01-01', '2023-03-31', 'T'), open_cycle('A');
ANALYZE;
SELECT bench.cpu() AS at \gset
CALL bench.score('A');
INSERT INTO bench.took SELECT 'all scores in one statement', bench.cpu() - :at;
ANALYZE;
SELECT bench.cpu() AS at \gset
SELECT lock_cycle('A', '2023-04-05');
INSERT INTO bench.took SELECT 'lock of all reviews in one statement', bench.cpu() - :at;
ANALYZE;
SELECT create_cycle('B', '2023-04-01', '2023-06-30', 'T'), open_cycle('B');
CALL bench.score('B');
SELECT bench.cpu() AS at \gset
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT n, find_indicator('I1'), '2023-04-20', jsonb_build_object('actual', 85 + n % 40), 'till', n FROM generate_series(1, :people) n;
INSERT INTO bench.took SELECT 'a reading of each person in one statement', bench.cpu() - :at;
VACUUM ANALYZE;
\o
SELECT what, round(ms) AS ms, round(ms * 1000 / :people, 1) AS us_per_person FROM bench.took;

-- what people read ----------------------------------------------------------------------

CREATE ROLE board_app;
GRANT USAGE ON SCHEMA board, bench TO board_app;
GRANT SELECT ON ALL TABLES IN SCHEMA board TO board_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA board TO board_app;
-- A query again and again, for half a second at least: how many rows, and the CPU time of one run.
CREATE FUNCTION bench.run(query text, OUT people_rows bigint, OUT ms numeric) LANGUAGE plpgsql AS $$
DECLARE start numeric; times integer := 0;
BEGIN
  start := bench.cpu();
  LOOP
    EXECUTE query;
    GET DIAGNOSTICS people_rows = ROW_COUNT;
    times := times + 1;
    ms := bench.cpu() - start;
    EXIT WHEN ms > 500 OR times >= 500;
  END LOOP;
  ms := round(ms / times, 2);
END $$;
CREATE TABLE bench.query (n integer GENERATED ALWAYS AS IDENTITY, who text[], name text, query text);
-- a manager reads all that there is of the team, the others a cycle of all whom they see
INSERT INTO bench.query (who, name, query)
SELECT ARRAY['manager'], v, format('SELECT * FROM board.%I', v)
  FROM unnest(ARRAY['assessment', 'score_deviation', 'below_average', 'goal_vs_actual', 'live_board', 'open_warning', 'initial_total', 'missing_input', 'late_measurement', 'review_key_event',
                    'plan_overview', 'plan_vs_execution', 'course_progress', 'training_priority', 'skill_timeline', 'growth_record', 'profile_overview', 'profile_line',
                    'result_response', 'calibration_history', 'pool_member', 'promotion_overview', 'question_status', 'cycle_workflow', 'unit_result']) v
UNION ALL
SELECT ARRAY['manager', 'unit head', 'director', 'HR'], f, format('SELECT * FROM board.%s', f)
  FROM unnest(ARRAY[$f$cycle_report('A')$f$, $f$team_plan_completion('2023-12-31')$f$, 'employee_on()']) f
UNION ALL
SELECT CASE WHEN v IN ('assessment', 'below_average', 'live_board') THEN ARRAY['unit head', 'director'] ELSE ARRAY['unit head', 'director', 'HR'] END, v, format('SELECT * FROM board.%I', v) || CASE WHEN v LIKE 'plan_%' THEN '' WHEN v IN ('below_average', 'live_board') THEN ' WHERE cycle_code = ''B''' ELSE ' WHERE cycle_code = ''A''' END
  FROM unnest(ARRAY['assessment', 'below_average', 'live_board', 'plan_overview', 'plan_vs_execution', 'result_response', 'unit_result']) v
UNION ALL
-- by indicator: how many fall short, from what the lock stored
SELECT ARRAY['unit head', 'director', 'HR'], 'shortfall by indicator',
       'SELECT i.code, count(*) FROM board.development_plan p JOIN board.plan_gap g USING (plan_id) JOIN board.indicator i USING (indicator_id) JOIN board.review_cycle c USING (cycle_id) WHERE c.code = ''A'' GROUP BY i.code'
UNION ALL
SELECT ARRAY['unit head', 'director'], v, format('SELECT * FROM board.%I', v) FROM unnest(ARRAY['profile_overview', 'growth_record']) v;
GRANT SELECT ON bench.query TO board_app;
CREATE TABLE bench.read (who text, n integer, people_rows bigint, ms numeric);
GRANT INSERT ON bench.read TO board_app;
CREATE TABLE bench.reader (who text, employee_no text);
INSERT INTO bench.reader VALUES ('manager', 'P21'), ('unit head', 'P101'), ('director', CASE WHEN :people > 10000 THEN 'P10001' ELSE 'P1' END), ('HR', 'P' || :people), ('owner', NULL);
GRANT SELECT ON bench.reader TO board_app;

CREATE PROCEDURE bench.read_as(reader text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM act_as(r.employee_no) FROM bench.reader r WHERE r.who = reader AND r.employee_no IS NOT NULL;
  INSERT INTO bench.read SELECT reader, q.n, r.* FROM bench.query q CROSS JOIN LATERAL bench.run(q.query) r
   WHERE CASE reader WHEN 'owner' THEN 'HR' ELSE reader END = ANY (q.who) ORDER BY q.n;
END $$;
SET ROLE board_app;
CALL bench.read_as('manager');
CALL bench.read_as('unit head');
CALL bench.read_as('director');
CALL bench.read_as('HR');
RESET ROLE;
CALL bench.read_as('owner');
\echo 'What a manager of twenty reads, under row policies, of all cycles'
SELECT q.name, r.people_rows AS rows, r.ms FROM bench.read r JOIN bench.query q USING (n) WHERE r.who = 'manager' ORDER BY r.ms DESC, q.n;
\echo 'The head of a unit of a hundred, the director of a division, HR of everybody; the owner reads what HR reads, without policies'
SELECT q.name, u.people_rows AS unit_rows, u.ms AS unit_ms, d.people_rows AS director_rows, d.ms AS director_ms, h.people_rows AS hr_rows, h.ms AS hr_ms, o.ms AS owner_ms, round(h.ms / o.ms, 2) AS ratio
  FROM bench.query q
  LEFT JOIN bench.read u ON u.n = q.n AND u.who = 'unit head' LEFT JOIN bench.read d ON d.n = q.n AND d.who = 'director'
  LEFT JOIN bench.read h ON h.n = q.n AND h.who = 'HR' LEFT JOIN bench.read o ON o.n = q.n AND o.who = 'owner'
 WHERE 'unit head' = ANY (q.who) ORDER BY q.n;

-- the clock ------------------------------------------------------------------------------

\o /dev/null
\o
CREATE FUNCTION bench.due(title text, moment timestamptz) RETURNS TABLE (at text, ms numeric, done text, written text, scanned text) LANGUAGE plpgsql AS $$
DECLARE start numeric;
BEGIN
  DROP TABLE IF EXISTS before;
  CREATE TEMP TABLE before AS SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS written, seq_tup_read AS scanned FROM pg_stat_xact_user_tables WHERE schemaname = 'board';
  at := title;
  start := bench.cpu();
  SELECT string_agg(r.rule || ' ' || r.done, ', ') FILTER (WHERE r.done > 0) INTO done FROM run_due(moment) r;
  ms := round(bench.cpu() - start, 1);
  SELECT string_agg(t.relname || ' ' || t.n_tup_ins + t.n_tup_upd + t.n_tup_del - b.written, ', ') FILTER (WHERE t.n_tup_ins + t.n_tup_upd + t.n_tup_del > b.written),
         string_agg(t.relname || ' ' || t.seq_tup_read - b.scanned, ', ') FILTER (WHERE t.seq_tup_read - b.scanned > 1000)
    INTO written, scanned FROM pg_stat_xact_user_tables t JOIN before b USING (relname) WHERE t.schemaname = 'board';
  RETURN NEXT;
END $$;
\echo 'The clock: what it did, which rows it wrote, and which tables it read as a whole'
SELECT * FROM bench.due('no plan is there yet', '2023-04-04 12:00');
SELECT * FROM bench.due('the same again', '2023-04-04 12:01');
SELECT * FROM bench.due('one plan of twenty', '2023-04-12 12:00');
SELECT * FROM bench.due('and escalations', '2023-04-24 12:00');
SELECT * FROM bench.due('all were told', '2023-04-24 13:00');
SELECT * FROM bench.due('end of the cycle', '2023-07-01 12:00');
SELECT * FROM bench.due('reviews late', '2023-07-17 12:00');
SELECT * FROM bench.due('all were told', '2023-07-17 13:00');
