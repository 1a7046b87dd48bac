-- verify: what checking costs, part by part, beside what reading its tables costs.
--
--   make bench-verify                    1,000 people, 8 indicators, 4 cycles locked and paid
--   make bench-verify PEOPLE=20000       as large as you like
--
-- Each part runs slice by slice, with jit on and off; temporary files are those of the
-- database's statistics.  Build once with KEEP=1 and measure again by verify_measure.sql.
\set ON_ERROR_STOP on
\pset pager off
\ir company.sql
\o /dev/null
SELECT set_setting('pay.auto_apply', 'true'), set_setting('signal.locale', 'en');
-- nobody is above the first one: somebody on the list rates in every cycle
CREATE PROCEDURE bench.score_and_lock(cycle text) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO review_rater (review_id, rater_group, rater_id)
  SELECT r.review_id, 'manager', 2 FROM review r WHERE r.cycle_id = find_cycle(cycle) AND r.manager_id IS NULL ON CONFLICT DO NOTHING;
  INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale, scored_at)
  SELECT r.review_id, i.indicator_id, coalesce(r.manager_id, 2),
         CASE WHEN r.employee_id % 10 = 3 AND i.position = 1 + r.employee_id / 10 % 8 THEN 50
              ELSE 80 + hashint8(r.review_id * 8 + i.position) % 1000 * 0.01 END, 'as agreed in the talk', c.until
    FROM review r JOIN template_item i USING (template_id)
    JOIN (SELECT k.cycle_id, upper(k.period) - 1 AS until FROM review_cycle k) c USING (cycle_id)
   WHERE r.cycle_id = find_cycle(cycle) AND NOT EXISTS (SELECT FROM score s WHERE s.review_id = r.review_id) ORDER BY 1, 2;
  COMMIT;
  PERFORM lock_cycle(cycle, (SELECT upper(k.period) FROM review_cycle k WHERE k.code = cycle));
  COMMIT;
END $$;
CALL bench.score_and_lock('B');
CALL bench.score_and_lock('C');
SELECT create_cycle('D', '2023-04-01', '2023-06-30', 'T'), open_cycle('D');
CALL bench.score_and_lock('D');
SELECT create_cycle('E', '2023-07-01', '2023-09-30', 'T'), open_cycle('E');
CALL bench.score_and_lock('E');
INSERT INTO certification_result (employee_id, certification_id, achieved_on, passed)
SELECT c.employee_id, c.certification_id, date '2023-02-01' + (c.n % 90)::integer, true FROM bench.certificate c ORDER BY c.n;
\o
\ir verify_measure.sql
