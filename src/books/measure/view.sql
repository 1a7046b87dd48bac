-- measure: what is shown.

-- initial scores --------------------------------------------------------------

CREATE VIEW late_measurement WITH (security_invoker) AS
  SELECT m.measurement_id, r.review_id, c.code AS cycle_code, e.employee_no, i.code AS indicator_code, m.measured_on,
         m.facts,
         m.source, m.external_id, m.recorded_at, d.decided_at AS locked_at
    FROM measurement m
    JOIN indicator i ON i.indicator_id = m.indicator_id
    JOIN employee e ON e.employee_id = m.employee_id
    JOIN review r ON r.employee_id = m.employee_id AND r.status = 'locked'
    JOIN review_cycle c ON c.cycle_id = r.cycle_id AND c.period @> m.measured_on
    JOIN review_standard t ON t.review_id = r.review_id AND t.indicator_id = m.indicator_id
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
    JOIN decision d ON d.decision_id = x.decision_id
   WHERE came_late(m.measurement_id, m.recorded_at, d.decided_at, d.decision_id);
COMMENT ON VIEW late_measurement IS
  'Readings that arrived when the score of their cycle was locked: kept, but the locked score stays; unlock_review() '
  'lets them count (LIV-01).';
COMMENT ON COLUMN late_measurement.measurement_id IS 'Reading.';
COMMENT ON COLUMN late_measurement.review_id IS 'Locked review.';
COMMENT ON COLUMN late_measurement.cycle_code IS 'Its cycle.';
COMMENT ON COLUMN late_measurement.employee_no IS 'Its employee.';
COMMENT ON COLUMN late_measurement.indicator_code IS 'Indicator.';
COMMENT ON COLUMN late_measurement.measured_on IS 'Day of the reading.';
COMMENT ON COLUMN late_measurement.facts IS 'Its facts.';
COMMENT ON COLUMN late_measurement.source IS 'Where it came from.';
COMMENT ON COLUMN late_measurement.external_id IS 'Key there.';
COMMENT ON COLUMN late_measurement.recorded_at IS 'When it arrived.';
COMMENT ON COLUMN late_measurement.locked_at IS 'When the review was locked.';

CREATE VIEW initial_total WITH (security_invoker) AS
  SELECT s.review_id, c.code AS cycle_code, e.employee_no,
         CASE WHEN bool_and(s.value IS NOT NULL) THEN round(sum(i.weight * s.value) / 100, 4) END
           AS initial_score,
         count(*) FILTER (WHERE s.value IS NULL) AS missing_inputs
    FROM initial_score s
    JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
    JOIN review_standard i ON i.review_id = s.review_id AND i.indicator_id = s.indicator_id
   GROUP BY s.review_id, c.code, e.employee_no;
COMMENT ON VIEW initial_total IS
  'Initial score per review; null while an input is missing, never silently lower (AMB-48).';
COMMENT ON COLUMN initial_total.review_id IS 'Review.';
COMMENT ON COLUMN initial_total.cycle_code IS 'Cycle.';
COMMENT ON COLUMN initial_total.employee_no IS 'Employee.';
COMMENT ON COLUMN initial_total.initial_score IS 'Weighted sum, 4 decimals.';
COMMENT ON COLUMN initial_total.missing_inputs IS 'Indicators without a result.';

CREATE VIEW missing_input WITH (security_invoker) AS
  SELECT s.review_id, c.code AS cycle_code, e.employee_no, i.code AS indicator_code, i.formula::text AS formula, s.facts
    FROM initial_score s
    JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
    JOIN indicator i ON i.indicator_id = s.indicator_id
   WHERE s.value IS NULL;
COMMENT ON VIEW missing_input IS 'What keeps an initial score from being computed (REV-02).';
COMMENT ON COLUMN missing_input.review_id IS 'Review.';
COMMENT ON COLUMN missing_input.cycle_code IS 'Cycle.';
COMMENT ON COLUMN missing_input.employee_no IS 'Employee.';
COMMENT ON COLUMN missing_input.indicator_code IS 'Indicator.';
COMMENT ON COLUMN missing_input.formula IS 'What it needs.';
COMMENT ON COLUMN missing_input.facts IS 'What is there.';

-- live ------------------------------------------------------------------------

CREATE FUNCTION may_read_live(employee bigint, manager bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN actor() IS NULL THEN owns_books()
              ELSE actor() = employee OR coalesce(actor() = manager, false) OR holds_role('hr', actor()) END;
COMMENT ON FUNCTION may_read_live(bigint, bigint) IS
  'Whether who is acting may read this person''s live figures: the person, the manager, HR; the owner of the books '
  'when nobody is acting.';

CREATE VIEW live_board WITH (security_invoker) AS
  SELECT r.review_id, c.code AS cycle_code, e.employee_no, m.employee_no AS manager_no, u.code AS unit_code, r.status,
         l.score, l.measured_weight, l.missing_inputs, GREATEST(setting_number('live.target') - l.score, 0) AS gap,
         sentence(CASE WHEN l.score < setting_number('live.target') THEN 'live.gap' ELSE 'live.reached' END,
                  jsonb_build_object('score', round(l.score, 2), 'gap',
                                     round(setting_number('live.target') - l.score, 2))) AS line
    FROM review r
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN employee e ON e.employee_id = r.employee_id
    LEFT JOIN employee m ON m.employee_id = r.manager_id
    LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id
    CROSS JOIN LATERAL (
      SELECT round(sum(i.weight * s.value) / NULLIF(sum(i.weight) FILTER (WHERE s.value IS NOT NULL), 0), 4) AS score,
             trim_scale(round(sum(i.weight) FILTER (WHERE s.value IS NOT NULL), 4)) AS measured_weight,
             count(*) FILTER (WHERE s.value IS NULL) AS missing_inputs
        FROM initial_score s JOIN review_standard i ON i.review_id = s.review_id AND i.indicator_id = s.indicator_id
       WHERE s.review_id = r.review_id) l
   WHERE l.score IS NOT NULL AND may_read_live(r.employee_id, r.manager_id);
COMMENT ON VIEW live_board IS
  'Live scores from the readings so far, gap to the target and the sentence for the employee; own, own team, or all '
  'for HR (LIV-02).';
COMMENT ON COLUMN live_board.review_id IS 'Review.';
COMMENT ON COLUMN live_board.cycle_code IS 'Cycle.';
COMMENT ON COLUMN live_board.employee_no IS 'Employee.';
COMMENT ON COLUMN live_board.manager_no IS 'Manager who rates.';
COMMENT ON COLUMN live_board.unit_code IS 'Unit.';
COMMENT ON COLUMN live_board.status IS 'blocked, open or locked; a locked one moves no more.';
COMMENT ON COLUMN live_board.score IS
  'Weighted mean of what is measured so far, 4 decimals; what has no reading yet does not count.';
COMMENT ON COLUMN live_board.measured_weight IS 'Percent of the whole that has a reading.';
COMMENT ON COLUMN live_board.missing_inputs IS 'Indicators without one.';
COMMENT ON COLUMN live_board.gap IS 'Points short of setting live.target; 0: reached.';
COMMENT ON COLUMN live_board.line IS 'In words.';

CREATE VIEW below_average WITH (security_invoker) AS
  SELECT p.review_id, p.cycle_code, e.employee_no, u.code AS unit_code, n.code AS indicator_code,
         p.value, round(p.mean, 4) AS unit_mean, p.people,
         sentence('live.below_average', jsonb_build_object('indicator', n.name)) AS line
    -- the means of all units in one pass; a condition on the cycle holds before
    FROM (SELECT r.review_id, r.employee_id, r.manager_id, r.org_unit_id, c.code AS cycle_code, s.indicator_id, s.value,
                 avg(s.value) OVER peers AS mean, count(s.value) OVER peers AS people
            FROM review_cycle c
            JOIN review r ON r.cycle_id = c.cycle_id
            JOIN initial_score s ON s.review_id = r.review_id
           WHERE r.org_unit_id IS NOT NULL
          WINDOW peers AS (PARTITION BY c.code, r.org_unit_id, s.indicator_id)) p
    JOIN employee e ON e.employee_id = p.employee_id
    JOIN org_unit u ON u.org_unit_id = p.org_unit_id
    JOIN indicator n ON n.indicator_id = p.indicator_id
   WHERE p.value < p.mean AND may_read_live(p.employee_id, p.manager_id);
COMMENT ON VIEW below_average IS
  'Where somebody is strictly below the mean of the unit, oneself included, with the hint; own, own team, or all for '
  'HR (LIV-02).';
COMMENT ON COLUMN below_average.review_id IS 'Review.';
COMMENT ON COLUMN below_average.cycle_code IS 'Cycle.';
COMMENT ON COLUMN below_average.employee_no IS 'Employee.';
COMMENT ON COLUMN below_average.unit_code IS 'Unit whose mean it is.';
COMMENT ON COLUMN below_average.indicator_code IS 'Indicator.';
COMMENT ON COLUMN below_average.value IS 'Own live value.';
COMMENT ON COLUMN below_average.unit_mean IS 'Mean of the unit in this cycle, 4 decimals.';
COMMENT ON COLUMN below_average.people IS 'How many have a value.';
COMMENT ON COLUMN below_average.line IS 'In words.';

-- what managers deal with -----------------------------------------------------

CREATE VIEW open_warning WITH (security_invoker) AS
  SELECT w.warning_id, w.kind, e.employee_no, e.name AS employee_name, i.code AS indicator_code, m.measured_on,
         w.attainment, w.threshold, w.worse_pct, d.decided_at AS warned_at
    FROM warning w
    JOIN employee e ON e.employee_id = w.employee_id
    JOIN indicator i ON i.indicator_id = w.indicator_id
    JOIN measurement m ON m.measurement_id = w.measurement_id
    JOIN decision d ON d.decision_id = w.decision_id
   WHERE w.withdrawn_by IS NULL AND w.handled_at IS NULL AND may_handle(w.employee_id);
COMMENT ON VIEW open_warning IS
  'Warnings that nobody dealt with yet: of one''s own team, for HR of all; see handle_warning() (LIV-05).';
COMMENT ON COLUMN open_warning.warning_id IS 'Key, for handle_warning().';
COMMENT ON COLUMN open_warning.kind IS 'threshold or decline.';
COMMENT ON COLUMN open_warning.employee_no IS 'Whose.';
COMMENT ON COLUMN open_warning.employee_name IS 'Name.';
COMMENT ON COLUMN open_warning.indicator_code IS 'Indicator.';
COMMENT ON COLUMN open_warning.measured_on IS 'Day of the reading.';
COMMENT ON COLUMN open_warning.attainment IS 'Its result, percent; of a decline its value.';
COMMENT ON COLUMN open_warning.threshold IS 'The threshold; of a decline the mean before.';
COMMENT ON COLUMN open_warning.worse_pct IS 'Of a decline: percent worse.';
COMMENT ON COLUMN open_warning.warned_at IS 'When it was raised.';
