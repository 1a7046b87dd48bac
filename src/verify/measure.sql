-- verify measure: live scores, warnings, cause analyses, again from their source rows.

-- Live scores: fact by fact from the readings of the cycle.
CREATE FUNCTION verify_live() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  WITH line AS MATERIALIZED (
    -- of the segments that have an indicator the first says how it is computed, all of them what it weighs
    SELECT r.review_id, r.cycle_id, r.employee_id, i.indicator_id, i.template_item_id, i.effective_weight AS weight
      FROM review r JOIN template_item i USING (template_id) WHERE r.status <> 'locked' AND NOT r.segmented
    UNION ALL
    SELECT x.review_id, x.cycle_id, x.employee_id, x.indicator_id, x.template_item_id, x.share / x.load
      FROM (SELECT r.review_id, r.cycle_id, r.employee_id, i.indicator_id, i.template_item_id,
                   row_number() OVER (PARTITION BY r.review_id, i.indicator_id ORDER BY g.segment_no) AS n,
                   sum(g.days * g.fte * i.effective_weight) OVER (PARTITION BY r.review_id, i.indicator_id) AS share,
                   (SELECT sum(o.days * o.fte) FROM review_segment o WHERE o.review_id = r.review_id) AS load
              FROM review r JOIN review_segment g USING (review_id)
                JOIN template_item i ON i.template_id = g.template_id
             WHERE r.status <> 'locked' AND r.segmented) x
     WHERE x.n = 1
  ), number AS (
    SELECT r.review_id, m.indicator_id, f.key, (f.value #>> '{}')::numeric AS v,
           row_number() OVER (PARTITION BY r.review_id, m.indicator_id, f.key
                              ORDER BY m.measured_on DESC, m.measurement_id DESC) AS newest
      FROM line r
      JOIN review_cycle c USING (cycle_id)
      JOIN measurement m ON m.employee_id = r.employee_id AND m.indicator_id = r.indicator_id
        AND m.measured_on <@ c.period
      CROSS JOIN LATERAL jsonb_each(m.facts) f
     WHERE jsonb_typeof(f.value) = 'number'
  ), fact AS (
    SELECT d.review_id, d.indicator_id,
           jsonb_object_agg(d.key, CASE n.aggregation WHEN 'sum' THEN d.total WHEN 'mean' THEN d.total / d.rows
                            ELSE d.last END) AS facts
      FROM (SELECT review_id, indicator_id, key, sum(v) AS total, count(*) AS rows,
            max(v) FILTER (WHERE newest = 1) AS last
              FROM number GROUP BY review_id, indicator_id, key) d
      JOIN indicator n USING (indicator_id)
     GROUP BY d.review_id, d.indicator_id
  ), want AS (
    SELECT r.review_id, r.indicator_id, r.weight, i.cap_pct, i.floor_pct,
           f.facts IS NOT NULL AS measured,
           round(hrloop.attainment(i.formula, coalesce(f.facts, '{}') || i.facts || coalesce(t.facts, '{}'),
                                   i.direction, i.cap_pct), 4) AS attainment
      FROM line r
      JOIN template_item i USING (template_item_id)
      LEFT JOIN target t ON (t.cycle_id, t.employee_id, t.indicator_id) = (r.cycle_id, r.employee_id, r.indicator_id)
      LEFT JOIN fact f ON f.review_id = r.review_id AND f.indicator_id = r.indicator_id
  )
  SELECT 'live_score', 'initial_score', s.initial_score_id,
         CASE WHEN w.attainment > w.cap_pct THEN w.cap_pct WHEN w.attainment < w.floor_pct THEN w.floor_pct
           ELSE w.attainment END::text, s.value::text
    FROM initial_score s JOIN want w USING (review_id, indicator_id)
   WHERE (s.attainment, s.value) IS DISTINCT FROM
         (w.attainment, CASE WHEN w.attainment > w.cap_pct THEN w.cap_pct
          WHEN w.attainment < w.floor_pct THEN w.floor_pct ELSE w.attainment END)
  UNION ALL
  SELECT 'live_missing', 'review', w.review_id, 'a live score of ' || n.code, 'none'
    FROM want w JOIN indicator n USING (indicator_id)
   WHERE w.measured AND NOT EXISTS (SELECT FROM initial_score s
                                    WHERE s.review_id = w.review_id AND s.indicator_id = w.indicator_id)
  UNION ALL
  SELECT 'live_points', 'initial_score', s.initial_score_id, hrloop.rounded(s.value * w.weight / 100)::text,
         s.points::text
    FROM initial_score s JOIN want w USING (review_id, indicator_id)
   WHERE s.points IS DISTINCT FROM hrloop.rounded(s.value * w.weight / 100)
  UNION ALL
  SELECT 'live_score', 'initial_score', s.initial_score_id, 'none', s.value::text
    FROM initial_score s JOIN review r USING (review_id)
   WHERE r.status <> 'locked'
     AND NOT EXISTS (SELECT FROM want w WHERE w.review_id = s.review_id AND w.indicator_id = s.indicator_id);
END;
COMMENT ON FUNCTION verify_live() IS 'Live scores of open reviews that differ from what their readings come to.';

-- Warnings against the series of readings, by position in it.
CREATE FUNCTION verify_warnings() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                 found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  WITH watched AS (
    SELECT r.* FROM reading r
     WHERE (r.employee_id, r.indicator_id) IN (SELECT w.employee_id, w.indicator_id FROM warning w
                                               WHERE w.withdrawn_by IS NULL)
  ), crossing AS (
    SELECT r.measurement_id, r.attainment,
           lag(r.attainment) OVER (PARTITION BY r.employee_id, r.indicator_id ORDER BY r.measured_on, r.measurement_id)
             AS before
      FROM watched r WHERE r.attainment IS NOT NULL
  ), series AS (
    SELECT r.*, row_number() OVER (PARTITION BY r.employee_id, r.indicator_id, r.lower_better
                                   ORDER BY r.measured_on, r.measurement_id) AS n
      FROM watched r WHERE r.value IS NOT NULL
  ), decline AS (
    SELECT w.warning_id, s.value, avg(round(p.value, 30)) AS mean, count(p.value) AS n, s.lower_better,
           (d.inputs ->> 'periods')::bigint AS periods, (d.inputs ->> 'limit')::numeric AS pct
      FROM warning w
      JOIN decision d USING (decision_id)
      JOIN series s ON s.measurement_id = w.measurement_id
      LEFT JOIN series p ON (p.employee_id, p.indicator_id, p.lower_better) = (s.employee_id, s.indicator_id,
                                                                               s.lower_better)
                        AND p.n BETWEEN s.n - (d.inputs ->> 'periods')::bigint AND s.n - 1
     WHERE w.kind = 'decline' AND w.withdrawn_by IS NULL
     GROUP BY w.warning_id, s.value, s.lower_better, d.inputs
  )
  SELECT 'warning_groundless', 'warning', w.warning_id, concat_ws(' ', c.before, '→', c.attainment),
         w.attainment || ' below ' || w.threshold
    FROM warning w LEFT JOIN crossing c USING (measurement_id)
   WHERE w.kind = 'threshold' AND w.withdrawn_by IS NULL
     AND (c.attainment IS DISTINCT FROM w.attainment OR c.attainment >= w.threshold OR c.before < w.threshold)
  UNION ALL
  SELECT 'warning_groundless', 'warning', w.warning_id, concat_ws(' ', round(d.mean, 4), '→', d.value),
         w.threshold || ' → ' || w.attainment
    FROM warning w LEFT JOIN decline d USING (warning_id)
   WHERE w.kind = 'decline' AND w.withdrawn_by IS NULL
     AND (d.value IS DISTINCT FROM w.attainment OR d.n <> d.periods
          OR hrloop.rounded((d.value - d.mean) * CASE WHEN d.lower_better THEN 100
                            ELSE -100 END / NULLIF(GREATEST(abs(d.mean),
                                                            CASE d.mean WHEN 0 THEN abs(d.value) ELSE 0 END), 0))
             >= d.pct IS NOT TRUE)
  UNION ALL
  SELECT 'warning_lost', 'decision', d.decision_id, 'a warning', 'none'
    FROM decision d
   WHERE d.kind IN ('warning.threshold', 'warning.decline')
     AND NOT EXISTS (SELECT FROM warning w WHERE w.decision_id = d.decision_id)
  UNION ALL
  SELECT 'warning_handled', 'warning', w.warning_id, d.reason, w.handling
    FROM warning w
    LEFT JOIN decision d ON d.cause = 'warning' AND d.cause_id = w.warning_id AND d.kind = 'warning.handle'
   WHERE (w.handling, w.handled_by) IS DISTINCT FROM (d.reason, d.decided_by);
END;
COMMENT ON FUNCTION verify_warnings() IS
  'Warnings that stand without a reading that gives cause, that went, or that differ from their decision.';

CREATE FUNCTION verify_causes() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT 'cause_streak', 'cause_analysis', a.cause_analysis_id, d.inputs ->> 'months', count(b.*)::text
    FROM cause_analysis a
    JOIN decision d USING (decision_id)
    JOIN department_month m USING (department_month_id)
    LEFT JOIN department_month b ON (b.org_unit_id, b.indicator_id) = (m.org_unit_id, m.indicator_id) AND b.missed
     AND (extract(year FROM m.month) - extract(year FROM b.month)) * 12 + extract(month FROM m.month) - extract(month
         FROM b.month)
         BETWEEN 0 AND (d.inputs ->> 'months')::int - 1
   GROUP BY a.cause_analysis_id, d.inputs HAVING count(b.*) <> (d.inputs ->> 'months')::int
  UNION ALL
  SELECT 'cause_decision', 'cause_analysis', a.cause_analysis_id, d.outcome ->> 'cause', a.cause
    FROM cause_analysis a JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.outcome ->> 'cause', d.outcome ->> 'action')
     IS DISTINCT FROM ('cause.analysis', a.department_month_id, a.cause, a.action);
END;
COMMENT ON FUNCTION verify_causes() IS
  'Cause analyses without missed months in a row, or that differ from their decision.';
