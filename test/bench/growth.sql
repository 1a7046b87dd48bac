-- Growth: does the work of one call grow with what it is not about?
--
--   make growth                          1,000 people, 2 cycles, then 20, then 5,000 people
--   make growth PEOPLE=20000 CYCLES=2 MORE_CYCLES=40 MORE_PEOPLE=200000     as large as you like
--
-- A company is made and goes through its cycles by the real path; then each call of
-- the list below is made three times: with little history, with much of it, and with many
-- more people.  What is compared is how many buffers the call touches and how many rows it
-- reads, in all that its functions and triggers do: no clock, so no noise.  A call about one person, one manager
-- or one cycle may grow with its own history alone; one about everybody grows with
-- everybody, but not faster.  t/170_growth runs this at a small size.
--
-- Variables: people, cycles (2 at least), more_cycles, more_people, limit (by which factor a call may
-- grow beyond what it is allowed to), slack (buffers that are not counted, and five times as many
-- rows: a tree that is one level higher, a list of units), verify (whether verify() is among the calls),
-- seqscan (off: an index is taken wherever there is one, so that a small company shows what a large one
-- lacks; what triggers do is left as it is).
\set ON_ERROR_STOP 1
\if :{?people} \else \set people 1000 \endif
\if :{?cycles} \else \set cycles 2 \endif
\if :{?more_cycles} \else \set more_cycles 20 \endif
\if :{?more_people} \else \set more_people 5000 \endif
\if :{?limit} \else \set limit 1.7 \endif
\if :{?slack} \else \set slack 150 \endif
\if :{?verify} \else \set verify true \endif
\if :{?seqscan} \else \set seqscan on \endif
\pset pager off
\pset footer off
SET client_min_messages = warning;
\o /dev/null
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('growth');
SET search_path = growth, pg_catalog;
CREATE ROLE growth_app LOGIN;
SELECT create_roles();
GRANT growth_employee, growth_manager, growth_hr TO growth_app;
GRANT EXECUTE ON FUNCTION act_as TO growth_app;
SELECT set_setting('pay.auto_apply', 'true'), set_setting('signal.locale', 'en');

CREATE SCHEMA bench;
CREATE TABLE bench.size AS SELECT 0 AS people, 0 AS cycles, :more_cycles + 1 AS all_cycles;

-- the company --------------------------------------------------------------------

INSERT INTO job (code, name, job_family) VALUES ('MANAGER', 'Manager', 'management'), ('SALES', 'Sales', 'sales');
SELECT add_unit('U0', 'The company', 'company', 'functional');
SELECT hire('TOP', 'The top', 'U0', 'MANAGER', '2000-01-01'), hire('HR', 'The HR', 'U0', 'MANAGER', '2000-01-01', manager => 'TOP');
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('HR'));
INSERT INTO unit_head (org_unit_id, employee_id, valid) VALUES (find_unit('U0'), find_employee('TOP'), '[2000-01-01,)');
INSERT INTO salary (employee_id, amount, valid) SELECT employee_id, 30000, '[2000-01-01,)' FROM employee;
SELECT create_indicator('sold', definition => 'sold', standard => 'attainment', kind => 'quantitative'),
       create_indicator('service', definition => 'service', standard => '0-100', pass => 60),
       create_indicator('team', definition => 'team', standard => '0-100', pass => 60);
SELECT create_template('T', '[{"indicator": "sold", "weight": 40, "facts": {"target": 100}}, {"indicator": "service", "weight": 30}, {"indicator": "team", "weight": 30}]');
SELECT activate_template('T');
INSERT INTO skill (code, name) VALUES ('SELLING', 'Selling');
INSERT INTO indicator_skill (indicator_id, skill_id, required) VALUES (find_indicator('sold'), find_skill('SELLING'), 75);
INSERT INTO resource (code, name, kind, every, quantity, topic) VALUES ('C', 'Course', 'course', NULL, NULL, NULL), ('M', 'Mentor', 'mentor', '14 days', NULL, 'selling');
INSERT INTO resource_tag (resource_id, indicator_id) SELECT resource_id, find_indicator('sold') FROM resource;
INSERT INTO skill_level (skill_id, rank, code, name) SELECT find_skill('SELLING'), 1, 'CERT', 'Certified';
INSERT INTO certification (code, name, skill_level_id) SELECT code, name, skill_level_id FROM skill_level;
INSERT INTO allowance_rule (skill_level_id, amount) SELECT skill_level_id, 300 FROM skill_level;

-- a whole number from 0 to below n, the same at every run
CREATE FUNCTION bench.chance(n integer, VARIADIC of integer[]) RETURNS integer IMMUTABLE LANGUAGE SQL
  RETURN abs(hashint8extended(array_to_string(of, '0')::numeric::bigint % 1000000007, 4711) % n);

-- Ten people under a manager in a unit, a hundred units under each branch.
CREATE PROCEDURE bench.hire_until(people integer) LANGUAGE plpgsql AS $$
DECLARE had integer := (SELECT s.people FROM bench.size s);
BEGIN
  INSERT INTO org_unit (code, name, unit_kind, parent_id)
  SELECT 'B' || g, 'Branch ' || g, 'marketing', find_unit('U0') FROM generate_series(1 + had / 1000, (people - 1) / 1000 + 1) g
  ON CONFLICT DO NOTHING;
  INSERT INTO org_unit (code, name, unit_kind, parent_id)
  SELECT 'U' || g, 'Unit ' || g, 'marketing', b.org_unit_id FROM generate_series(1 + had / 10, people / 10) g JOIN org_unit b ON b.code = 'B' || (g - 1) / 100 + 1 ORDER BY g;
  INSERT INTO employee (employee_no, name, hired_on)
  SELECT 'E' || g, 'Employee ' || g, '2001-01-01' FROM generate_series(had + 1, people) g ORDER BY g;
  INSERT INTO employee_status (employee_id, status, valid)
  SELECT e.employee_id, 'active', '[2001-01-01,)' FROM generate_series(had + 1, people) g JOIN employee e ON e.employee_no = 'E' || g ORDER BY 1;
  INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, valid)
  SELECT e.employee_id, u.org_unit_id, (SELECT j.job_id FROM job j WHERE j.code = CASE WHEN g % 10 = 1 THEN 'MANAGER' ELSE 'SALES' END),
         coalesce(m.employee_id, (SELECT t.employee_id FROM employee t WHERE t.employee_no = 'TOP')), '[2001-01-01,)'
    FROM generate_series(had + 1, people) g
    JOIN employee e ON e.employee_no = 'E' || g JOIN org_unit u ON u.code = 'U' || (g - 1) / 10 + 1
    LEFT JOIN employee m ON m.employee_no = 'E' || (g - 1) / 10 * 10 + 1 AND g % 10 <> 1
   ORDER BY 1;
  INSERT INTO unit_head (org_unit_id, employee_id, valid)
  SELECT u.org_unit_id, e.employee_id, '[2001-01-01,)' FROM generate_series(had + 1, people, 10) g
    JOIN employee e ON e.employee_no = 'E' || g JOIN org_unit u ON u.code = 'U' || (g - 1) / 10 + 1 ORDER BY 1;
  INSERT INTO salary (employee_id, amount, valid)
  SELECT e.employee_id, 5000 + bench.chance(5000, g), '[2001-01-01,)' FROM generate_series(had + 1, people) g JOIN employee e ON e.employee_no = 'E' || g ORDER BY 1;
  UPDATE bench.size s SET people = hire_until.people;
END $$;

-- The cycle of a quarter, the last of all that will be is today's.  It is opened and scored; the one before is locked.
CREATE PROCEDURE bench.next_cycle() LANGUAGE plpgsql AS $$
DECLARE
  k integer := (SELECT s.cycles + 1 FROM bench.size s);
  from_date date := date_trunc('quarter', current_date) - make_interval(months => 3 * (SELECT s.all_cycles - k FROM bench.size s));
BEGIN
  PERFORM bench.close_cycle();
  PERFORM create_cycle('C' || k, from_date, (from_date + interval '3 months')::date - 1, 'T'), open_cycle('C' || k);
  INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
  SELECT r.employee_id, i.indicator_id, from_date + 20 * n, jsonb_build_object('actual', 85 + bench.chance(40, r.employee_id::integer, n)), 'till', format('%s %s %s', r.employee_id, k, n)
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN indicator i ON i.code = 'sold' CROSS JOIN generate_series(1, 3) n
   WHERE c.code = 'C' || k ORDER BY 1, 3;
  INSERT INTO score (review_id, indicator_id, rater_id, raw_value, facts, rationale)
  SELECT r.review_id, i.indicator_id, r.manager_id, CASE WHEN i.code <> 'sold' THEN 55 + bench.chance(45, r.employee_id::integer, i.indicator_id::integer) END,
         CASE WHEN i.code = 'sold' THEN jsonb_build_object('actual', 85 + bench.chance(40, r.employee_id::integer)) END, 'as seen'
    FROM review r JOIN review_cycle c USING (cycle_id) CROSS JOIN indicator i
   WHERE c.code = 'C' || k AND r.manager_id IS NOT NULL ORDER BY 1, 2;
  INSERT INTO training_record (employee_id, resource_id, completed_on, score, passed, source, external_id)
  SELECT r.employee_id, find_resource('C'), from_date + 30, 80, true, 'school', format('%s %s', r.employee_id, k)
    FROM review r JOIN review_cycle c USING (cycle_id) WHERE c.code = 'C' || k AND r.employee_id % 5 = 0 ORDER BY 1;
  UPDATE bench.size s SET cycles = k;
END $$;
-- everybody confirms and works in one statement
SELECT lift_guards('{development_plan,plan_session}');
CREATE FUNCTION bench.close_cycle() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  code text := (SELECT c.code FROM review_cycle c WHERE c.status = 'open');
  last_day date := (SELECT upper(c.period) - 1 FROM review_cycle c WHERE c.status = 'open');
BEGIN
  IF code IS NULL THEN RETURN; END IF;
  PERFORM exempt_review(code, 'TOP', 'nobody is above');
  PERFORM lock_cycle(code, last_day);
  -- everybody confirms, works the plan off and is through with it
  UPDATE development_plan p SET employee_confirmed_at = now(), manager_confirmed_at = now(), status = 'effective' WHERE p.status = 'proposed';
  UPDATE plan_session s SET held_on = s.session_on, note = 'held', recorded_by = 'HR' WHERE s.held_on IS NULL;
  INSERT INTO plan_progress (plan_item_id, progress, reason, recorded_by)
  SELECT i.plan_item_id, 100, 'done', 'HR' FROM plan_item i JOIN development_plan p USING (plan_id) WHERE p.status = 'effective' AND i.progress < 100 ORDER BY 1;
  PERFORM run_due(last_day + interval '2 days');
END $$;

-- what is measured -----------------------------------------------------------------

CREATE TABLE bench.call (
  call    text PRIMARY KEY,
  actor   text,             -- who makes it, through the application's role; null: the owner
  history boolean NOT NULL, -- does it grow with the history of what it is about?
  people  boolean NOT NULL, -- with the number of people?
  query   text NOT NULL
);
CREATE TABLE bench.work (stage text, call text, buffers bigint, rows_read bigint, writes boolean, tables text, ms numeric, PRIMARY KEY (stage, call));
-- nothing here is about more than the employee E15, whose manager is E11, or the cycle that is open
INSERT INTO bench.call (actor, history, people, call, query)
SELECT a, h, p, coalesce(n, replace(replace(q, 'SELECT * FROM ', ''), 'SELECT ', '')), q FROM (VALUES
  -- oneself: everything that was
  ('E15', true,  false, NULL, 'SELECT self_service()'),
  ('E15', true,  false, NULL, $$SELECT profile('E15')$$),
  ('E15', true,  false, NULL, 'SELECT * FROM my_home'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_reviews'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_indicators'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_feedback'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_plan'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_mentoring'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_pay'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_payslip'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_notices'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_growth'),
  ('E15', true,  false, NULL, 'SELECT * FROM my_checklist'),
  ('E15', true,  false, NULL, $$SELECT * FROM explain_pay('E15')$$),
  ('E15', true,  false, NULL, $$SELECT * FROM explain_talent('E15')$$),
  ('E15', true,  false, NULL, $$SELECT * FROM score_history('E15')$$),
  ('E15', true,  false, NULL, $$SELECT * FROM allowance_trail('E15')$$),
  ('E15', true,  false, NULL, $$SELECT * FROM growth_track('E15')$$),
  ('E15', true,  false, NULL, $$SELECT * FROM strengths_weaknesses('E15')$$),
  (NULL,  true,  false, NULL, $$SELECT export_person('E15')$$),
  -- one cycle, or one day, of one person
  ('E15', false, false, NULL, $$SELECT * FROM explain_score('C1', 'E15')$$),
  ('E15', false, false, NULL, $$SELECT * FROM explain_score('{cycle}', 'E15')$$),
  ('E15', false, false, NULL, $$SELECT * FROM explain_pay('E15', 'C1')$$),
  ('E15', false, false, NULL, $$SELECT * FROM payslip_detail('E15', (SELECT upper(period) - 1 FROM review_cycle WHERE code = 'C1'))$$),
  ('E15', false, false, NULL, $$SELECT * FROM allowance_on('E15', current_date)$$),
  ('E11', false, false, NULL, $$SELECT * FROM feedback('C1', 'E15')$$),
  -- a manager: the team
  ('E11', false, false, NULL, $$SELECT * FROM assessment WHERE cycle_code = '{cycle}'$$),
  ('E11', false, false, NULL, $$SELECT * FROM score_deviation WHERE cycle_code = '{cycle}'$$),
  ('E11', false, false, NULL, $$SELECT * FROM live_board WHERE cycle_code = '{cycle}'$$),
  ('E11', false, false, NULL, $$SELECT * FROM below_average WHERE cycle_code = '{cycle}'$$),
  ('E11', false, false, NULL, $$SELECT * FROM goal_vs_actual WHERE cycle_code = '{cycle}'$$),
  ('E11', false, false, NULL, $$SELECT * FROM result_response WHERE cycle_code = 'C1'$$),
  ('E11', true,  false, NULL, 'SELECT * FROM assessment'),
  ('E11', true,  false, NULL, 'SELECT * FROM open_warning'),
  ('E11', true,  false, NULL, 'SELECT * FROM plan_overview'),
  ('E11', true,  false, NULL, 'SELECT * FROM plan_vs_execution'),
  ('E11', true,  false, NULL, 'SELECT * FROM course_progress'),
  ('E11', true,  false, NULL, 'SELECT * FROM profile_overview'),
  ('E11', true,  false, NULL, 'SELECT * FROM growth_record'),
  ('E11', true,  false, NULL, 'SELECT count(*) FROM review'),
  -- HR: one cycle, everybody
  ('HR',  false, true,  NULL, $$SELECT * FROM cycle_report('{cycle}')$$),
  ('HR',  false, true,  NULL, $$SELECT * FROM unit_result WHERE cycle_code = '{cycle}'$$),
  ('HR',  false, true,  'below_average of all', $$SELECT * FROM below_average WHERE cycle_code = '{cycle}'$$),
  ('HR',  false, true,  'live_board of all', $$SELECT * FROM live_board WHERE cycle_code = '{cycle}'$$),
  ('HR',  false, true,  NULL, $$SELECT * FROM employee_on(current_date)$$),
  ('HR',  true,  true,  NULL, 'SELECT * FROM pool_member'),
  (NULL,  false, true,  'lock_cycle()', $$SELECT exempt_review('{cycle}', 'TOP', 'nobody is above'), lock_cycle('{cycle}', (SELECT LEAST(upper(period) - 1, current_date) FROM review_cycle WHERE code = '{cycle}'))$$),
  (NULL,  false, true,  'reweight_cycle()', $$SELECT revise_template('T', '{"service": 25, "team": 35}', 'a test'), activate_template('T'), reweight_cycle('{cycle}', 'T', 'a test')$$),
  -- what is done for one person in a cycle
  ('E11', false, false, NULL, $$SELECT submit_score('{cycle}', 'E15', 'service', 71, 'seen again')$$),
  ('E11', false, false, NULL, $$SELECT lock_review('{cycle}', 'E15')$$),
  ('HR',  false, false, NULL, $$SELECT unlock_review('C1', 'E15', 'a mistake')$$),
  (NULL,  true,  false, NULL, $$SELECT record_measurement('E15', 'sold', (SELECT LEAST(upper(period) - 2, current_date) FROM review_cycle WHERE code = '{cycle}'), '{"actual": 80}')$$),
  (NULL,  true,  false, NULL, $$SELECT certify('E15', 'CERT', current_date)$$),
  (NULL,  true,  false, NULL, $$SELECT record_training('E15', 'C', current_date, 90, true)$$),
  (NULL,  true,  false, NULL, $$SELECT set_salary('E15', 20000, current_date + 40, 'a test')$$),
  (NULL,  false, false, NULL, $$SELECT set_setting('live.target', '90')$$),
  -- the clock, with nothing due
  (NULL,  false, false, 'run_due(), nothing due', $$SELECT * FROM run_due((SELECT upper(period) + 1 FROM review_cycle WHERE code = '{before}'))$$),
  (NULL,  true,  true,  'verify()', 'SELECT count(*) FROM verify()')
) AS c (a, h, p, n, q);

-- Rows that the transaction has read from each table so far.
CREATE FUNCTION bench.rows_read() RETURNS jsonb VOLATILE LANGUAGE SQL
  RETURN (SELECT jsonb_object_agg(t.relname, coalesce(t.seq_tup_read, 0) + coalesce(t.idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables t WHERE t.schemaname = 'growth');
CREATE FUNCTION bench.rows_written() RETURNS bigint VOLATILE LANGUAGE SQL
  RETURN (SELECT sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del) FROM pg_stat_xact_user_tables t WHERE t.schemaname = 'growth');
GRANT USAGE ON SCHEMA bench TO growth_app;

-- What a call touches; whatever it does is undone.
CREATE FUNCTION bench.measure(stage text, what bench.call) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  cycle text := (SELECT c.code FROM review_cycle c WHERE c.status = 'open');
  query text := replace(replace(what.query, '{cycle}', cycle), '{before}', 'C' || substr(cycle, 2)::integer - 1);
  said json; before jsonb; rows_read bigint; tables text; written bigint;
BEGIN
  BEGIN
    IF what.actor IS NOT NULL THEN
      SET LOCAL ROLE growth_app;
      PERFORM act_as(what.actor);
    END IF;
    -- the first call fills the caches of the session
    BEGIN
      EXECUTE query;
      RAISE EXCEPTION 'done' USING ERRCODE = 'ZZZZZ';
    EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN NULL;
    END;
    before := bench.rows_read();
    written := bench.rows_written();
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO said;
    SELECT sum(r.n), string_agg(format('%s %s', r.relname, r.n), ', ' ORDER BY r.n DESC) FILTER (WHERE r.place <= 4) INTO rows_read, tables
      FROM (SELECT a.key AS relname, a.value::bigint - coalesce((before ->> a.key)::bigint, 0) AS n,
                   row_number() OVER (ORDER BY a.value::bigint - coalesce((before ->> a.key)::bigint, 0) DESC) AS place
              FROM jsonb_each_text(bench.rows_read()) a) r;
    written := bench.rows_written() - written;
    RAISE EXCEPTION 'done' USING ERRCODE = 'ZZZZZ';
  EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN NULL;
  END;
  INSERT INTO bench.work VALUES (measure.stage, what.call, (said -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (said -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint,
                                 rows_read, written > 0, tables, round((said -> 0 ->> 'Execution Time')::numeric, 1));
END $$;
CREATE PROCEDURE bench.measure_all(stage text) LANGUAGE plpgsql AS $$
DECLARE what bench.call;
BEGIN
  FOR what IN SELECT c.* FROM bench.call c ORDER BY c.call LOOP
    PERFORM bench.measure(stage, what);
    COMMIT;
  END LOOP;
END $$;
\if :verify \else
DELETE FROM bench.call WHERE call = 'verify()';
\endif

-- the three sizes ----------------------------------------------------------------------

CREATE PROCEDURE bench.cycles_until(n integer) LANGUAGE plpgsql AS $$
BEGIN
  WHILE (SELECT s.cycles FROM bench.size s) < n LOOP
    CALL bench.next_cycle();
    COMMIT;
    ANALYZE;
  END LOOP;
END $$;
CALL bench.hire_until(:people);
ANALYZE;
CALL bench.cycles_until(:cycles);
VACUUM ANALYZE;
SET enable_seqscan = :seqscan;
CALL bench.measure_all('small');
RESET enable_seqscan;
CALL bench.cycles_until(:more_cycles);
VACUUM ANALYZE;
SET enable_seqscan = :seqscan;
CALL bench.measure_all('history');
RESET enable_seqscan;
CALL bench.hire_until(:more_people);
-- they are in the next cycle, as everybody
CALL bench.cycles_until(:more_cycles + 1);
VACUUM ANALYZE;
SET enable_seqscan = :seqscan;
CALL bench.measure_all('people');
RESET enable_seqscan;
\o

-- the answer -------------------------------------------------------------------------

CREATE VIEW bench.growth AS
  WITH compared AS (
    SELECT c.call, c.actor, a.buffers AS small, b.buffers AS history, p.buffers AS people, p.rows_read AS rows, p.ms,
           greatest(b.buffers - :slack, 0)::numeric / greatest(a.buffers, 1) AS buffers_by_history,
           greatest(p.buffers - :slack, 0)::numeric / greatest(b.buffers, 1) AS buffers_by_people,
           CASE WHEN NOT b.writes THEN greatest(b.rows_read - :slack * 5, 0)::numeric / greatest(a.rows_read, 1) END AS rows_by_history,
           CASE WHEN NOT p.writes THEN greatest(p.rows_read - :slack * 5, 0)::numeric / greatest(b.rows_read, 1) END AS rows_by_people,
           CASE WHEN c.history THEN :more_cycles::numeric / :cycles ELSE 1 END AS own_history,
           CASE WHEN c.people THEN :more_people::numeric / :people ELSE 1 END * CASE WHEN c.history THEN (:more_cycles + 1)::numeric / :more_cycles ELSE 1 END AS own_people,
           b.tables AS read_with_history, p.tables AS read_with_people
      FROM bench.call c JOIN bench.work a USING (call) JOIN bench.work b USING (call) JOIN bench.work p USING (call)
     WHERE a.stage = 'small' AND b.stage = 'history' AND p.stage = 'people'
  )
  SELECT d.*, round(greatest(d.buffers_by_history, d.rows_by_history) / d.own_history, 2) AS by_history, round(greatest(d.buffers_by_people, d.rows_by_people) / d.own_people, 2) AS by_people
    FROM compared d;
\echo 'What one call touches: buffers with' :people 'people and' :cycles 'cycles, with' :more_cycles 'cycles, and with' :more_people 'people; rows and ms of the last.'
\echo 'by_history, by_people: growth of buffers or rows, whichever is more, beyond what the call is about; 1 is none, 0 stays below what is not counted.'
SELECT call, actor, small, history, people, rows, ms, by_history, by_people FROM bench.growth ORDER BY call;
SELECT count(*) AS calls, count(*) FILTER (WHERE by_history > :limit OR by_people > :limit) AS growing, (SELECT count(*) FROM growth.score) AS scores,
       (SELECT count(*) FROM growth.verify()) AS differences FROM bench.growth;
\echo 'Calls that grow with what they are not about:'
SELECT call, actor, by_history, by_people, CASE WHEN by_history > :limit THEN read_with_history ELSE read_with_people END AS rows_read
  FROM bench.growth WHERE by_history > :limit OR by_people > :limit ORDER BY call;
