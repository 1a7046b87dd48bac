-- measure: what follows from what.

CREATE VIEW reading WITH (security_invoker) AS
  SELECT m.measurement_id, m.employee_id, m.indicator_id, m.measured_on,
         round(hrloop.attainment(s.formula, f.facts, s.direction, s.cap_pct), 4) AS attainment,
         i.warn_below IS NOT NULL AND hrloop.attainment(s.formula, f.facts, s.direction, s.cap_pct) IS NULL
           AS missing_input,
         CASE WHEN jsonb_typeof(m.facts -> 'actual') = 'number' THEN (m.facts ->> 'actual')::numeric
              ELSE round(hrloop.attainment(s.formula, f.facts, s.direction, s.cap_pct), 4) END AS value,
         s.direction = 'lower' AND coalesce(jsonb_typeof(m.facts -> 'actual') = 'number', false) AS lower_better
    FROM measurement m
    JOIN indicator i USING (indicator_id)
    CROSS JOIN LATERAL standard_on(m.employee_id, m.indicator_id, m.measured_on) s
    CROSS JOIN LATERAL (SELECT m.facts || s.facts AS facts) f;
COMMENT ON VIEW reading IS
  'What each reading comes to, as the indicator is computed for its employee on its day (IND-08).';
COMMENT ON COLUMN reading.measurement_id IS 'Reading.';
COMMENT ON COLUMN reading.employee_id IS 'Whose.';
COMMENT ON COLUMN reading.indicator_id IS 'Indicator.';
COMMENT ON COLUMN reading.measured_on IS 'Day.';
COMMENT ON COLUMN reading.attainment IS
  'Result in percent, 4 decimals; null if a fact is missing or a divisor is zero.';
COMMENT ON COLUMN reading.missing_input IS 'True if a watched indicator''s reading lacks what its formula needs.';
COMMENT ON COLUMN reading.value IS
  'What readings are compared by over time: the fact "actual" as it was sent, else the attainment (LIV-04).';
COMMENT ON COLUMN reading.lower_better IS
  'Whether less of that value is better: an "actual" of an indicator whose direction is lower.';

CREATE FUNCTION attainment_before(measurement bigint) RETURNS numeric STABLE LANGUAGE SQL
  -- a reading without result is no recovery
  RETURN (SELECT b.attainment FROM measurement m JOIN reading b
              ON b.employee_id = m.employee_id AND b.indicator_id = m.indicator_id AND b.attainment IS NOT NULL
             AND (b.measured_on, b.measurement_id) < (m.measured_on, m.measurement_id)
           WHERE m.measurement_id = attainment_before.measurement
           ORDER BY b.measured_on DESC, b.measurement_id DESC LIMIT 1);
COMMENT ON FUNCTION attainment_before(bigint) IS 'Result of the reading before this one; null if there is none.';

CREATE FUNCTION worsening(measurement bigint, periods integer)
  RETURNS TABLE (value numeric, baseline numeric, worse_pct numeric) STABLE ROWS 1 LANGUAGE SQL
BEGIN ATOMIC
  SELECT r.value, round(b.mean, 4),
         hrloop.rounded(CASE WHEN r.lower_better THEN r.value - b.mean
                        ELSE b.mean - r.value END
                        -- from nothing to anything worse is all of it
                        / NULLIF(CASE b.mean WHEN 0 THEN abs(r.value) ELSE abs(b.mean) END, 0) * 100)
    FROM reading r
    CROSS JOIN LATERAL (
      SELECT avg(round(p.value, 30)) AS mean, count(*) AS n
        FROM (SELECT x.value FROM reading x
               WHERE x.employee_id = r.employee_id AND x.indicator_id = r.indicator_id AND x.value IS NOT NULL
                 AND x.lower_better = r.lower_better
                 AND (x.measured_on, x.measurement_id) < (r.measured_on, r.measurement_id)
               ORDER BY x.measured_on DESC, x.measurement_id DESC LIMIT worsening.periods) p) b
   WHERE r.measurement_id = worsening.measurement AND b.n = worsening.periods;
END;
COMMENT ON FUNCTION worsening(bigint, integer) IS
  'How a reading compares with the mean of those before it: percent worse, 4 decimals, negative: better, 100 where the '
  'mean is zero and it is worse; no row while there are fewer (LIV-04).';

CREATE FUNCTION warning_event(measurement bigint, kind text) RETURNS text STABLE LANGUAGE SQL
  RETURN 'measurement:' || measurement
         || coalesce((SELECT '/' || NULLIF(count(*), 0) FROM decision d
                      WHERE d.cause = 'measurement' AND d.cause_id = warning_event.measurement
                         AND d.kind = 'warning.' || warning_event.kind), '');
COMMENT ON FUNCTION warning_event(bigint, text) IS
  'Key of the event of a warning: one per reading and kind, another one after each withdrawal.';

CREATE FUNCTION measurement_arrived(measurements bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, inputs, outcome)
    SELECT 'warning.threshold', r.employee_id, 'measurement', r.measurement_id, 'indicator', i.indicator_id,
           jsonb_build_object('attainment', r.attainment, 'before', b.before),
           jsonb_build_object('threshold', i.warn_below)
      FROM reading r
      JOIN indicator i USING (indicator_id)
      CROSS JOIN LATERAL (SELECT CASE WHEN r.attainment < i.warn_below
                          THEN attainment_before(r.measurement_id) END AS before) b
     WHERE r.measurement_id = ANY (measurements) AND r.attainment < i.warn_below
       AND coalesce(b.before >= i.warn_below, true)
       AND NOT EXISTS (SELECT FROM warning w
                       WHERE w.measurement_id = r.measurement_id AND w.kind = 'threshold' AND w.withdrawn_by IS NULL)
     ORDER BY r.measurement_id
    RETURNING decision_id, employee_id, cause_id, rule_id, inputs, outcome
  ), w AS (
    INSERT INTO warning (kind, employee_id, indicator_id, measurement_id, attainment, threshold, decision_id)
    SELECT 'threshold', d.employee_id, d.rule_id, d.cause_id, (d.inputs ->> 'attainment')::numeric,
           (d.outcome ->> 'threshold')::numeric, d.decision_id
      FROM d
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT d.employee_id, 'employee', i.warn_kind, warning_event(d.cause_id, 'threshold'),
         jsonb_build_object('indicator', i.name), d.decision_id
    FROM d JOIN indicator i ON i.indicator_id = d.rule_id
  ON CONFLICT DO NOTHING;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'warning.decline', m.employee_id, 'measurement', m.measurement_id, 'setting:decline.pct',
           jsonb_build_object('value', x.value, 'baseline', x.baseline, 'periods', s.periods, 'limit', s.pct,
                              'indicator', m.indicator_id),
           jsonb_build_object('worse_pct', round(x.worse_pct, 2))
      FROM (SELECT setting_number('decline.pct') AS pct, setting_number('decline.periods')::integer AS periods) s
      JOIN measurement m ON m.measurement_id = ANY (measurements)
      CROSS JOIN LATERAL worsening(m.measurement_id, s.periods) x
     WHERE x.worse_pct >= s.pct
       AND NOT EXISTS (SELECT FROM warning w
                       WHERE w.measurement_id = m.measurement_id AND w.kind = 'decline' AND w.withdrawn_by IS NULL)
     ORDER BY m.measurement_id
    RETURNING decision_id, employee_id, cause_id, inputs, outcome
  ), w AS (
    INSERT INTO warning (kind, employee_id, indicator_id, measurement_id, attainment, threshold, worse_pct, decision_id)
    SELECT 'decline', d.employee_id, (d.inputs ->> 'indicator')::bigint, d.cause_id, (d.inputs ->> 'value')::numeric,
           (d.inputs ->> 'baseline')::numeric, (d.outcome ->> 'worse_pct')::numeric, d.decision_id
      FROM d
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT boss.id, 'manager', 'warning.decline', warning_event(d.cause_id, 'decline'),
         jsonb_build_object('employee', e.name, 'indicator', i.name, 'value', d.inputs -> 'value', 'baseline',
                            d.inputs -> 'baseline',
                            'periods', d.inputs -> 'periods', 'percent', d.outcome -> 'worse_pct'), d.decision_id
    FROM d
    JOIN measurement m ON m.measurement_id = d.cause_id
    JOIN employee e ON e.employee_id = d.employee_id
    JOIN indicator i ON i.indicator_id = m.indicator_id
    CROSS JOIN LATERAL (SELECT manager_of(d.employee_id, m.measured_on) AS id) boss
   WHERE boss.id IS NOT NULL
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION measurement_arrived(bigint[]) IS
  'Consequences of readings: a warning and a notice to the employee for each crossing below the threshold (LIV-03), to '
  'the manager for each decline (LIV-04).';
SELECT register_follow('measurement', '{insert,update}', 800, 'measurement_arrived', key => 'measurement_id',
                       changed => '{facts,measured_on}');

-- What comes late, is corrected or goes is what the readings after it are compared with.
CREATE FUNCTION readings_after(employee bigint, indicator bigint, on_date date, measurement bigint)
  RETURNS TABLE (measurement_id bigint) STABLE ROWS 3 LANGUAGE SQL
BEGIN ATOMIC
  -- the next that has an attainment may be a crossing now; of the next with a value some are compared with a mean
  (SELECT r.measurement_id FROM reading r
    WHERE r.employee_id = readings_after.employee AND r.indicator_id = readings_after.indicator
      AND (r.measured_on, r.measurement_id) > (readings_after.on_date, readings_after.measurement)
      AND r.attainment IS NOT NULL
    ORDER BY r.measured_on, r.measurement_id LIMIT 1)
  UNION
  (SELECT r.measurement_id FROM reading r
    WHERE r.employee_id = readings_after.employee AND r.indicator_id = readings_after.indicator
      AND (r.measured_on, r.measurement_id) > (readings_after.on_date, readings_after.measurement)
      AND r.value IS NOT NULL
    ORDER BY r.measured_on, r.measurement_id LIMIT (SELECT setting_number('decline.periods')::integer));
END;
COMMENT ON FUNCTION readings_after(bigint, bigint, date, bigint) IS
  'Readings that are judged by what was read at this place of the series.';

CREATE FUNCTION warnings_again(readings measurement[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- of many that went from one series all that is left behind the first, by one look at the series
  WITH gone AS MATERIALIZED (
    SELECT m.employee_id, m.indicator_id, m.measured_on, m.measurement_id,
           count(*) OVER series > 20 AS many, row_number() OVER (series ORDER BY m.measured_on, m.measurement_id) AS n
      FROM unnest(readings) AS m WINDOW series AS (PARTITION BY m.employee_id, m.indicator_id)
  )
  SELECT measurement_arrived(l.after)
    FROM (SELECT array_agg(DISTINCT a.measurement_id) AS after
            FROM (SELECT f.measurement_id
                    FROM gone g CROSS JOIN LATERAL readings_after(g.employee_id, g.indicator_id, g.measured_on,
                                                                  g.measurement_id) f
                   WHERE NOT g.many
                  UNION ALL
                  SELECT m.measurement_id
                    FROM gone g JOIN measurement m ON m.employee_id = g.employee_id AND m.indicator_id = g.indicator_id
                      AND (m.measured_on, m.measurement_id) > (g.measured_on, g.measurement_id)
                   WHERE g.many AND g.n = 1) a) l
   WHERE l.after IS NOT NULL;
END;
COMMENT ON FUNCTION warnings_again(measurement[]) IS
  'Consequence of a reading that went, or was where it is no more: the readings after it are judged anew (LIV-03, '
  'LIV-04).';
CREATE FUNCTION warnings_follow(measurements bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- what this statement wrote has been judged: what matters comes directly behind the last of it in a row
  WITH last AS MATERIALIZED (
    SELECT m.employee_id, m.indicator_id, m.measured_on, m.measurement_id, n.measurement_id AS next_id
      FROM measurement m
      CROSS JOIN LATERAL (SELECT x.measurement_id FROM measurement x
                           WHERE x.employee_id = m.employee_id AND x.indicator_id = m.indicator_id
                             AND (x.measured_on, x.measurement_id) > (m.measured_on, m.measurement_id)
                           ORDER BY x.measured_on, x.measurement_id LIMIT 1) n
     WHERE m.measurement_id = ANY (measurements)
  )
  SELECT measurement_arrived(l.after)
    FROM (SELECT array_agg(DISTINCT f.measurement_id) AS after
            FROM (SELECT a.* FROM last a LEFT JOIN unnest(measurements) AS w (id) ON w.id = a.next_id
                   WHERE w.id IS NULL OFFSET 0) a
            CROSS JOIN LATERAL readings_after(a.employee_id, a.indicator_id, a.measured_on, a.measurement_id) f) l
   WHERE l.after IS NOT NULL;
END;
COMMENT ON FUNCTION warnings_follow(bigint[]) IS
  'Consequence of a reading that came late or was corrected: the readings after it are judged anew (LIV-03, LIV-04).';
-- after warnings_settle, which withdraws what gives no cause any more
SELECT register_follow('measurement', '{update,delete}', 810, 'warnings_again', changed => '{facts,measured_on}');
SELECT register_follow('measurement', '{insert,update}', 820, 'warnings_follow', key => 'measurement_id',
                       changed => '{facts,measured_on}');
-- what a target makes of the readings of its cycle
CREATE FUNCTION warnings_of_target(targets bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT measurement_arrived(l.touched)
    FROM (SELECT array_agg(m.measurement_id ORDER BY m.measurement_id) AS touched
            FROM target t JOIN review_cycle c USING (cycle_id)
            JOIN measurement m ON m.employee_id = t.employee_id AND m.indicator_id = t.indicator_id
              AND m.measured_on >= lower(c.period) AND m.measured_on < upper(c.period)
           WHERE t.target_id = ANY (targets)) l
   WHERE l.touched IS NOT NULL;
END;
COMMENT ON FUNCTION warnings_of_target(bigint[]) IS
  'Consequence of a target: readings of its cycle that are below the threshold by it are warned of (LIV-03).';
SELECT register_follow('target', '{insert,update}', 810, 'warnings_of_target', key => 'target_id',
                       changed => '{facts}');

-- A warning stands as long as its reading gives cause for it.
CREATE FUNCTION warnings_settle(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'warning.withdraw', w.employee_id, 'warning', w.warning_id,
           jsonb_build_object('measurement', w.measurement_id, 'was', w.attainment, 'now', CASE w.kind
                              WHEN 'decline' THEN r.value ELSE r.attainment END),
           jsonb_build_object('withdraws', w.decision_id)
      FROM warning w
      JOIN decision o ON o.decision_id = w.decision_id
      LEFT JOIN reading r ON r.measurement_id = w.measurement_id
     WHERE w.employee_id = ANY (employees) AND w.withdrawn_by IS NULL
       AND NOT coalesce(CASE w.kind
             WHEN 'threshold' THEN r.attainment = w.attainment AND r.attainment < w.threshold
                                   AND coalesce(attainment_before(w.measurement_id) >= w.threshold, true)
             ELSE r.value = w.attainment
                  -- of another mean it is another warning, unless somebody has dealt with it
                  AND (SELECT x.worse_pct >= (o.inputs ->> 'limit')::numeric
                              AND (x.baseline = w.threshold OR w.handled_at IS NOT NULL)
                         FROM worsening(w.measurement_id, (o.inputs ->> 'periods')::integer) x) END, false)
     ORDER BY w.warning_id
    RETURNING decision_id, cause_id, outcome
  ), w AS (
    -- the last rows that are locked: their readings are held by who writes these, and by nobody else
    UPDATE warning w SET withdrawn_by = d.decision_id FROM d WHERE w.warning_id = d.cause_id
  )
  UPDATE notification n SET withdrawn_at = now()
    FROM d WHERE n.decision_id = (d.outcome ->> 'withdraws')::bigint AND n.withdrawn_at IS NULL;
  -- what was withdrawn before may have its cause again
  SELECT measurement_arrived(l.again)
    FROM (SELECT array_agg(DISTINCT w.measurement_id) AS again FROM warning w
           WHERE w.employee_id = ANY (employees) AND w.withdrawn_by IS NOT NULL AND w.measurement_id IS NOT NULL) l
   WHERE l.again IS NOT NULL;
END;
COMMENT ON FUNCTION warnings_settle(bigint[]) IS
  'Consequences of a correction, a deletion, or a reading that came late: warnings and notices whose reading no longer '
  'gives cause are withdrawn by a decision, and raised anew when it does again (LIV-03).';
SELECT register_follow('measurement', '{insert,update,delete}', 700, 'warnings_settle', key => 'employee_id',
                       changed => '{facts,measured_on}');
-- What a reading comes to also hangs on targets and formula.
SELECT register_follow('target', '{insert,update,delete}', 700, 'warnings_settle', key => 'employee_id');
CREATE FUNCTION formula_followed(indicators bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT warnings_settle(l.touched)
    FROM (SELECT array_agg(DISTINCT w.employee_id) AS touched FROM warning w
           WHERE w.indicator_id = ANY (indicators) AND w.withdrawn_by IS NULL) l
   WHERE l.touched IS NOT NULL;
END;
COMMENT ON FUNCTION formula_followed(bigint[]) IS
  'Consequences of another formula or direction of an indicator: warnings without cause are withdrawn.';
SELECT register_follow('indicator', '{update}', 600, 'formula_followed', key => 'indicator_id',
                       changed => '{formula,direction}');

-- initial scores --------------------------------------------------------------

CREATE FUNCTION live_followed(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r
                               WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'));
  SELECT hrloop.run('book'::regclass, 'live_refresh', l.touched)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS touched
            FROM review r JOIN review_cycle c ON c.cycle_id = r.cycle_id
           WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'
             AND (EXISTS (SELECT FROM initial_score s WHERE s.review_id = r.review_id)
                  OR EXISTS (SELECT FROM measurement m
                              WHERE m.employee_id = r.employee_id AND m.measured_on >= lower(c.period)
                                AND m.measured_on < upper(c.period)
                                AND EXISTS (SELECT FROM review_standard i
                                             WHERE i.review_id = r.review_id AND i.indicator_id = m.indicator_id)))) l
   WHERE l.touched IS NOT NULL;
END;
COMMENT ON FUNCTION live_followed(bigint[]) IS
  'Consequences of a review that opens, or opens again: what was measured in the meantime counts (LIV-01).';
SELECT register_follow('review', '{insert,update}', 660, 'live_followed', key => 'review_id',
                       changed => '{status,template_id}');

CREATE FUNCTION measurement_live(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_employees(employees);
  SELECT hrloop.run('book'::regclass, 'live_followed', l.open)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS open
            FROM review r WHERE r.employee_id = ANY (employees) AND r.status <> 'locked') l
   WHERE l.open IS NOT NULL;
END;
COMMENT ON FUNCTION measurement_live(bigint[]) IS
  'Consequences of readings: the live scores of these employees, in the same transaction (LIV-01, LIV-02).';
SELECT register_follow('target', '{insert,update}', 600, 'measurement_live', key => 'employee_id',
                       changed => '{facts}');
SELECT register_follow('measurement', '{insert,update,delete}', 600, 'measurement_live', key => 'employee_id',
                       changed => '{facts,measured_on}');

CREATE FUNCTION measurement_late(measurements bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_measured(array_agg(DISTINCT m.indicator_id), array_agg(DISTINCT m.employee_id)) FROM measurement m
    WHERE m.measurement_id = ANY (measurements);
  -- overtaken by the lock: by the clock it would seem to have been there
  INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, inputs, outcome)
  SELECT 'measurement.late', m.employee_id, 'measurement', m.measurement_id, 'review.lock', f.locked_by,
         jsonb_build_object('recorded_at', m.recorded_at, 'locked_at', f.locked_at, 'cycle', f.cycle),
         '{"counts": false}'
    FROM measurement m CROSS JOIN LATERAL frozen_for(m.employee_id, m.indicator_id, m.measured_on) f
   WHERE m.measurement_id = ANY (measurements) AND m.recorded_at <= f.locked_at AND m.recorded_at = now()
   ORDER BY m.measurement_id;
  SELECT p.* FROM (
    SELECT m.employee_id, m.indicator_id, m.measured_on, f.cycle
      FROM measurement m CROSS JOIN LATERAL frozen_for(m.employee_id, m.indicator_id, m.measured_on) f
     WHERE m.measurement_id = ANY (measurements) AND setting_text('measure.late') = 'refuse'
     ORDER BY m.measurement_id LIMIT 1) b
    CROSS JOIN LATERAL frozen_problem(b.employee_id, b.indicator_id, b.measured_on, b.cycle) p;
END;
COMMENT ON FUNCTION measurement_late(bigint[]) IS
  'Rule, by setting measure.late: no new readings for a review that is locked; where they are kept, a decision says so '
  'of one that a lock overtook (LIV-01).';
SELECT register_follow('measurement', '{insert}', 500, 'measurement_late', key => 'measurement_id');

-- What an indicator gathers is no part of a template: it holds for open reviews at once.
CREATE FUNCTION aggregation_followed(indicators bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'live_refresh', l.touched)
    FROM (SELECT array_agg(DISTINCT s.review_id) AS touched FROM initial_score s JOIN review r USING (review_id)
           WHERE s.indicator_id = ANY (indicators) AND r.status <> 'locked') l
   WHERE l.touched IS NOT NULL;
END;
COMMENT ON FUNCTION aggregation_followed(bigint[]) IS
  'Consequences of another aggregation of an indicator: live scores of open reviews anew (LIV-01).';
SELECT register_follow('indicator', '{update}', 500, 'aggregation_followed', key => 'indicator_id',
                       changed => '{aggregation}');

-- suggestions -----------------------------------------------------------------

CREATE FUNCTION suggestion_reading(suggestions bigint[])
  RETURNS TABLE (suggestion_id bigint, employee_id bigint, indicator_id bigint, suggested_on date) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT s.suggestion_id, s.employee_id, i.indicator_id, s.suggested_on
    FROM suggestion s
    JOIN indicator i ON i.code = setting_text('suggestion.indicator')
    JOIN indicator_fact f ON f.indicator_id = i.indicator_id AND f.fact = 'actual' AND f.role = 'actual'
   WHERE s.suggestion_id = ANY (suggestions)
     AND (s.status = 'accepted' OR setting_text('suggestion.counted') = 'submitted');
END;
COMMENT ON FUNCTION suggestion_reading(bigint[]) IS
  'Readings that suggestions should be: whose, of what, of which day.';
CREATE FUNCTION suggestion_counts(suggestions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- a reading stays with its employee: of somebody else, or of another day, it is another
  DELETE FROM measurement m
   WHERE m.source = 'suggestion' AND m.external_id = ANY (suggestions::text[])
     AND NOT EXISTS (SELECT FROM suggestion_reading(suggestions) w
                      WHERE w.suggestion_id::text = m.external_id AND w.employee_id = m.employee_id
                        AND w.suggested_on = m.measured_on);
  INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
  SELECT w.employee_id, w.indicator_id, w.suggested_on, '{"actual": 1}', 'suggestion', w.suggestion_id
    FROM suggestion_reading(suggestions) w
    ORDER BY w.suggestion_id
  ON CONFLICT ON CONSTRAINT measurement_once DO NOTHING;
END;
COMMENT ON FUNCTION suggestion_counts(bigint[]) IS
  'Consequences of suggestions: each that counts is a reading of the indicator, and none is left when it counts no '
  'more (LIV-07).';
SELECT register_follow('suggestion', '{insert,update,delete}', 500, 'suggestion_counts', key => 'suggestion_id',
                       changed => '{status,employee_id,suggested_on}');
