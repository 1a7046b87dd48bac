-- verify: every derived figure again from its source rows, in plain SQL written
-- independently of the code that made it (law 9).  Healthy books: no rows.
-- What reads whole tables has thousands of expressions and, without statistics, estimates that
-- call for JIT: compiling them takes longer than running them, so it is off in here.

-- A slice needs some 25 MB, which is more than work_mem usually is.
CREATE FUNCTION verify_reviews(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off SET work_mem = '64MB'
BEGIN ATOMIC
  WITH slice AS NOT MATERIALIZED (
    SELECT * FROM review r WHERE r.review_id BETWEEN from_id AND until_id
  ), result AS NOT MATERIALIZED (
    SELECT * FROM review_result x WHERE x.review_id BETWEEN from_id AND until_id
  ), part AS (
    -- a part is an item of the template, or of the template of one segment
    SELECT r.review_id, r.template_id AS groups_of, 0::bigint AS superior, i.indicator_id, i.position, i.effective_weight AS weight, i.pass_pct, i.veto_at, i.veto_cap
      FROM slice r JOIN template_item i USING (template_id) WHERE NOT r.segmented
    UNION ALL
    SELECT r.review_id, r.template_id, coalesce(g.manager_id, 0), i.indicator_id, g.segment_no * 1000 + i.position,
           g.days * g.fte * i.effective_weight, i.pass_pct, i.veto_at, i.veto_cap
      FROM slice r JOIN review_segment g USING (review_id) JOIN template_item i ON i.template_id = g.template_id WHERE r.segmented
  ), heard AS (
    -- whose superior's score it is: of a segment, or of all of them
    SELECT s.*, CASE WHEN s.rater_group IN (SELECT k.rater_group FROM rater_group k WHERE k.relation = 'superior')
                      AND (s.review_id, s.rater_id) IN (SELECT g.review_id, g.manager_id FROM review_segment g WHERE g.review_id BETWEEN from_id AND until_id)
                     THEN s.rater_id END AS only_for
      FROM score s WHERE s.review_id BETWEEN from_id AND until_id
  ), mean AS (
    SELECT p.review_id, p.indicator_id, p.superior, s.rater_group, avg(round(s.value, 30)) AS value, avg(round(s.attainment, 30)) AS attainment, count(*) AS raters
      FROM (SELECT DISTINCT review_id, indicator_id, superior FROM part) p JOIN heard s ON s.review_id = p.review_id AND s.indicator_id = p.indicator_id AND coalesce(s.only_for = p.superior, true)
     GROUP BY p.review_id, p.indicator_id, p.superior, s.rater_group
  ), rule AS (
    -- what a group of raters counts in a template, and how many groups there must be
    SELECT q.*, q.weight > 0 AND q.below_minimum = 'block' AS blocks, q.weight > 0 AND q.required AS needed
      FROM template_rater_group q
  ), demand AS (
    SELECT q.template_id, count(*) FILTER (WHERE q.blocks AND q.minimum > 0) AS blocking, count(*) FILTER (WHERE q.needed) AS needed
      FROM rule q GROUP BY q.template_id
  ), counted AS (
    -- from what was said: a group that said nothing is missed by the number of groups
    SELECT p.review_id, p.indicator_id, p.superior, p.position, p.weight, p.pass_pct, p.veto_at, p.veto_cap, k.blocking, k.needed,
           m.raters, m.value, m.attainment, m.rater_group, q.weight AS share, q.needed AS is_needed,
           q.blocks AND q.minimum > 0 AND m.raters >= q.minimum AS unblocks, NOT (q.below_minimum = 'drop' AND m.raters < q.minimum) AS counts
      FROM part p
      JOIN demand k ON k.template_id = p.groups_of
      LEFT JOIN mean m USING (review_id, indicator_id, superior)
      LEFT JOIN rule q ON q.template_id = p.groups_of AND q.rater_group = m.rater_group
  ), valued AS (
    SELECT c.review_id, c.indicator_id, c.superior, c.position, c.weight, c.pass_pct, c.veto_at, c.veto_cap,
           max(c.value) FILTER (WHERE c.rater_group = 'self') AS own,
           count(*) FILTER (WHERE c.unblocks) < c.blocking AS short,
           CASE WHEN count(*) FILTER (WHERE c.is_needed AND c.counts) = c.needed
                THEN sum(c.share * c.value) FILTER (WHERE c.share > 0 AND c.counts) / NULLIF(sum(c.share) FILTER (WHERE c.counts), 0) END AS value,
           sum(c.share * c.attainment) FILTER (WHERE c.counts) / NULLIF(sum(c.share) FILTER (WHERE c.attainment IS NOT NULL AND c.counts), 0) AS attainment
      FROM counted c
     GROUP BY c.review_id, c.indicator_id, c.superior, c.position, c.weight, c.pass_pct, c.veto_at, c.veto_cap, c.blocking, c.needed
  ), item AS (
    SELECT v.review_id, v.indicator_id, min(v.position) AS position, min(v.pass_pct) AS pass_pct, min(v.veto_at) AS veto_at, min(v.veto_cap) AS veto_cap,
           hrloop.rounded(sum(v.weight * v.value) / sum(v.weight) FILTER (WHERE v.value IS NOT NULL)) AS value,
           hrloop.rounded(sum(v.weight * v.attainment) FILTER (WHERE v.value IS NOT NULL)
                          / sum(v.weight) FILTER (WHERE v.value IS NOT NULL AND v.attainment IS NOT NULL)) AS attainment
      FROM valued v GROUP BY v.review_id, v.indicator_id
  ), judged AS (
    SELECT i.review_id, count(i.value) AS scored,
           (array_agg(i.indicator_id ORDER BY i.value, i.position, i.indicator_id) FILTER (WHERE i.value IS NOT NULL))[1] AS lowest,
           min(i.veto_cap) FILTER (WHERE i.value <= i.veto_at) AS cap,
           coalesce(array_agg(i.indicator_id ORDER BY i.indicator_id) FILTER (WHERE i.value <= i.veto_at), '{}') AS vetoed,
           coalesce(array_agg(i.indicator_id ORDER BY i.indicator_id) FILTER (WHERE i.value IS NOT NULL AND
             CASE WHEN i.attainment IS NOT NULL THEN i.attainment < coalesce(i.pass_pct, 100)
                  WHEN i.pass_pct IS NOT NULL THEN i.value < i.pass_pct
                  ELSE i.value <= (SELECT setting_number('indicator.qualitative_missed')) END), '{}') AS missed
      FROM item i GROUP BY i.review_id
  ), summed AS (
    SELECT v.review_id, count(v.value) = count(*) AS whole, count(v.value) > 0 AS begun, bool_or(v.short) AS short, sum(v.weight) AS weight,
           sum(v.weight * v.value) AS points, sum(v.weight) FILTER (WHERE v.value IS NOT NULL) AS weight_scored,
           count(v.own) = count(*) AS own_whole, count(v.own) > 0 AS own_begun,
           sum(v.weight * v.own) AS own_points, sum(v.weight) FILTER (WHERE v.own IS NOT NULL) AS own_weight
      FROM valued v GROUP BY v.review_id
  ), fresh AS (
    SELECT s.review_id, s.scored, s.lowest, s.missed, s.vetoed,
           hrloop.rounded(CASE WHEN s.own_whole OR t.missing_policy = 'zero' AND s.own_begun THEN s.own_points / s.weight
                               WHEN t.missing_policy = 'renormalise' AND s.own_begun THEN s.own_points / s.own_weight END) AS self_composite,
           CASE WHEN NOT s.short AND c.composite IS NOT NULL THEN LEAST(c.composite, s.cap) END AS composite,
           NOT s.short AND (s.whole OR s.begun AND t.missing_policy <> 'block') AS complete,
           CASE WHEN NOT s.whole THEN t.missing_policy END AS missing_used
      -- the two first, both are in this order: nothing is known of how many there are
      FROM (SELECT * FROM summed JOIN judged USING (review_id) OFFSET 0) s
      JOIN review r USING (review_id)
      JOIN review_template t USING (template_id)
      CROSS JOIN LATERAL (
        SELECT hrloop.rounded(CASE WHEN s.whole OR t.missing_policy = 'zero' AND s.begun THEN s.points / s.weight
                                   WHEN t.missing_policy = 'renormalise' AND s.begun THEN s.points / s.weight_scored END) AS composite) c
     -- who is not rated has no figures to speak of; rate_review() computes them anew
     WHERE r.status <> 'not_rated'
  )
  SELECT v.problem, 'review', r.review_id, v.expected, v.found
    FROM fresh f JOIN slice r USING (review_id)
    CROSS JOIN LATERAL (
      SELECT 'composite', f.composite::text, r.composite::text WHERE r.composite IS DISTINCT FROM f.composite
      UNION ALL SELECT 'self_composite', f.self_composite::text, r.self_composite::text WHERE r.self_composite IS DISTINCT FROM f.self_composite
      UNION ALL SELECT 'complete', f.complete::text, r.complete::text WHERE r.complete <> f.complete
      UNION ALL SELECT 'missing_used', f.missing_used, r.missing_used
                 WHERE r.missing_used IS DISTINCT FROM f.missing_used AND (r.items_scored > 0 OR r.missing_used IS NOT NULL)
      UNION ALL SELECT 'vetoed', f.vetoed::text, r.vetoed::text WHERE f.vetoed <> coalesce((SELECT array_agg(m ORDER BY m) FROM unnest(r.vetoed) m), '{}')
      UNION ALL SELECT 'lowest', f.lowest::text, r.lowest_indicator_id::text WHERE r.lowest_indicator_id IS DISTINCT FROM f.lowest
      UNION ALL SELECT 'items_scored', f.scored::text, r.items_scored::text WHERE r.items_scored <> f.scored
      UNION ALL SELECT 'missed', f.missed::text, r.missed::text
                 WHERE f.missed <> coalesce((SELECT array_agg(m ORDER BY m) FROM unnest(r.missed) m), '{}') AND r.status = 'open') v (problem, expected, found)
  UNION ALL
  -- a score from facts, by the indicator as the template of its review or segment pins it
  SELECT 'score_value', 'score', s.score_id, concat_ws(' = ', w.attainment, w.value), concat_ws(' = ', s.attainment, s.value)
    FROM slice r
    JOIN score s USING (review_id)
    CROSS JOIN LATERAL (
      SELECT a.attainment, round(CASE WHEN a.attainment > a.cap_pct THEN a.cap_pct WHEN a.attainment < a.floor_pct THEN a.floor_pct ELSE a.attainment END, 4) AS value
        FROM (SELECT i.cap_pct, i.floor_pct,
                     round(hrloop.evaluate(i.formula, i.facts || coalesce((SELECT t.facts FROM target t WHERE (t.cycle_id, t.employee_id, t.indicator_id)
                                                                             = (r.cycle_id, r.employee_id, s.indicator_id)), '{}') || s.facts), 4) AS attainment
                FROM (SELECT r.template_id, 0 AS n WHERE NOT r.segmented
                      UNION ALL
                      SELECT g.template_id, g.segment_no + CASE WHEN g.manager_id = s.rater_id THEN 0 ELSE 1000000 END
                        FROM review_segment g WHERE g.review_id = r.review_id AND r.segmented) p
                JOIN template_item i ON i.template_id = p.template_id AND i.indicator_id = s.indicator_id
               ORDER BY p.n LIMIT 1) a) w
   WHERE r.status = 'open' AND s.facts IS NOT NULL
     AND (s.attainment IS DISTINCT FROM w.attainment OR s.raw_value IS NULL AND s.value IS DISTINCT FROM w.value)
  UNION ALL
  -- the segments of an open review are assignments of its employee; who manages is pinned, the organisation may have changed since
  SELECT 'segment', 'review_segment', g.review_segment_id, coalesce(a.days, 0) || ' days × ' || g.fte, g.days || ' days × ' || g.fte || ' = ' || g.load
    FROM review_segment g JOIN slice r USING (review_id) JOIN review_cycle c USING (cycle_id)
    CROSS JOIN LATERAL (SELECT sum(worked_days(r.employee_id, a.valid * c.period)) AS days FROM assignment a
                         WHERE a.employee_id = r.employee_id AND (a.org_unit_id, a.job_id, a.fte) = (g.org_unit_id, g.job_id, g.fte)
                           AND a.valid * c.period <@ daterange(g.from_date, g.until_date, '[]')) a
   WHERE r.status = 'open' AND (g.days > coalesce(a.days, 0) OR g.load <> g.days * g.fte)
  UNION ALL
  SELECT 'anonymous', 'review', r.review_id, w.counts::text, r.anonymous::text
    FROM slice r
    CROSS JOIN LATERAL (
      SELECT EXISTS (SELECT FROM score s
                       JOIN template_rater_group q ON q.template_id = r.template_id AND q.rater_group = s.rater_group AND q.minimum > 0 AND q.weight > 0
                       JOIN template_item i ON i.indicator_id = s.indicator_id
                      WHERE s.review_id = r.review_id
                        AND (NOT r.segmented AND i.template_id = r.template_id
                             OR r.segmented AND i.template_id IN (SELECT g.template_id FROM review_segment g WHERE g.review_id = r.review_id))) AS counts) w
   WHERE r.anonymous <> w.counts
  UNION ALL
  -- settings may have changed since the lock: its decision says what was missed
  SELECT 'missed', 'review', r.review_id, want.codes::text, have.codes::text
    FROM slice r
    JOIN result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
    JOIN decision d USING (decision_id)
    CROSS JOIN LATERAL (SELECT array_agg(i ->> 'indicator' ORDER BY i ->> 'indicator') AS codes
                          FROM jsonb_array_elements(d.inputs -> 'items') i WHERE (i ->> 'missed')::boolean) want
    CROSS JOIN LATERAL (SELECT array_agg(n.code ORDER BY n.code) AS codes FROM indicator n WHERE n.indicator_id = ANY (r.missed)) have
   WHERE r.status = 'locked' AND want.codes IS DISTINCT FROM have.codes
  UNION ALL
  SELECT 'result_missing', 'review', r.review_id, r.status, count(x.result_id)::text || ' standing results'
    FROM slice r LEFT JOIN result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   GROUP BY r.review_id, r.status HAVING (r.status = 'locked') <> (count(x.result_id) = 1)
  UNION ALL
  SELECT 'result_score', 'review_result', x.result_id, r.composite::text, x.composite::text
    FROM result x JOIN slice r USING (review_id) WHERE x.reopened_by IS NULL AND coalesce(x.original, x.composite) <> r.composite
  UNION ALL
  SELECT 'result_grade', 'review_result', x.result_id, b.label, x.grade
    FROM result x JOIN slice r USING (review_id) JOIN review_cycle c USING (cycle_id)
    LEFT JOIN band b ON b.scale_id = c.grade_scale_id AND b.range @> x.composite
   WHERE x.grade IS DISTINCT FROM b.label
  UNION ALL
  SELECT 'result_decision', 'review_result', x.result_id, x.composite::text, d.outcome ->> 'score'
    FROM result x JOIN decision d USING (decision_id)
   WHERE d.kind <> 'review.lock' OR (d.outcome ->> 'score')::numeric IS DISTINCT FROM x.composite
  UNION ALL
  SELECT 'breakdown', 'decision', d.decision_id, d.outcome ->> 'score', p.points::text
    FROM decision d
    CROSS JOIN LATERAL (SELECT sum((i ->> 'points')::numeric) AS points, count(*) AS items FROM jsonb_array_elements(d.inputs -> 'items') i) p
   WHERE d.kind = 'review.lock' AND d.cause = 'review' AND d.cause_id BETWEEN from_id AND until_id AND (d.inputs ->> 'missing')::int = 0 AND NOT d.inputs ? 'vetoed'
     AND abs(p.points - coalesce(d.inputs #>> '{calibration,original}', d.outcome ->> 'score')::numeric) > 0.0001 * p.items;
END;
COMMENT ON FUNCTION verify_reviews(bigint, bigint) IS 'Composites, missed indicators, results and grades that differ from what their source rows come to.';

-- Calibrations against their rows; closed hard sessions place by place.
CREATE FUNCTION verify_calibrations() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH newest AS (
    SELECT DISTINCT ON (k.review_id) k.review_id, k.original,
           CASE WHEN NOT EXISTS (SELECT FROM decision v WHERE v.cause = 'calibration' AND v.cause_id = k.calibration_id AND v.kind = 'calibration.void')
                THEN k.calibrated END AS calibrated
      FROM calibration k ORDER BY k.review_id, k.calibration_id DESC
  ), session AS MATERIALIZED (
    -- the figures are taken out of the document once, not person by person
    SELECT s.calibration_session_id, s.distribution_id, s.tie_rule, c.grade_scale_id, d.inputs -> 'people' AS list, n.people,
           coalesce(n.people < (d.inputs ->> 'small_unit')::numeric, false) AS small
      FROM calibration_session s
      JOIN review_cycle c USING (cycle_id)
      JOIN decision d ON d.cause = 'calibration_session' AND d.cause_id = s.calibration_session_id AND d.kind = 'calibration.close'
      CROSS JOIN LATERAL (SELECT count(*) AS people FROM jsonb_object_keys(d.inputs -> 'people')) n
     WHERE s.status = 'closed' AND s.mode = 'hard'
  ), person AS (
    SELECT s.calibration_session_id, s.tie_rule, s.small, p.key AS employee_no, (p.value ->> 1)::numeric AS score, b.label AS grade
      FROM session s
      CROSS JOIN LATERAL jsonb_each(s.list) p
      LEFT JOIN band b ON b.scale_id = s.grade_scale_id AND b.range @> (p.value ->> 1)::numeric
  ), quota AS (
    SELECT s.calibration_session_id, s.people, g.position, g.grade, g.percent * s.people / 100 AS exact, floor(g.percent * s.people / 100) AS whole
      FROM session s JOIN grade_share g USING (distribution_id)
  ), seat AS (
    -- a seat more for those whose remainder fewer others beat than are left
    SELECT q.calibration_session_id, q.position, q.grade, q.whole
           + CASE WHEN (SELECT count(*) FROM quota o WHERE o.calibration_session_id = q.calibration_session_id
                           AND (o.exact - o.whole, -o.position) > (q.exact - q.whole, -q.position))
                       < q.people - (SELECT sum(o.whole) FROM quota o WHERE o.calibration_session_id = q.calibration_session_id) THEN 1 ELSE 0 END AS seats
      FROM quota q
  ), edge AS (
    SELECT t.*, sum(t.seats) OVER (PARTITION BY t.calibration_session_id ORDER BY t.position) AS until FROM seat t
  ), ranked AS (
    SELECT p.*, row_number() OVER (PARTITION BY p.calibration_session_id ORDER BY p.score DESC, p.employee_no) AS n FROM person p
  ), placed AS (
    SELECT r.*, CASE r.tie_rule WHEN 'up' THEN min(r.n) OVER same WHEN 'down' THEN max(r.n) OVER same ELSE r.n END AS place
      FROM ranked r WINDOW same AS (PARTITION BY r.calibration_session_id, r.score)
  )
  SELECT 'calibrated', 'review', r.review_id, n.calibrated::text, r.calibrated::text
    FROM review r LEFT JOIN newest n USING (review_id) WHERE r.calibrated IS DISTINCT FROM n.calibrated
  UNION ALL
  SELECT 'calibration_void', 'review', r.review_id, 'void, composite ' || coalesce(r.composite::text, 'none'), 'calibrated from ' || n.original
    FROM review r JOIN newest n USING (review_id) WHERE r.calibrated IS NOT NULL AND r.composite IS DISTINCT FROM n.original
  UNION ALL
  SELECT 'calibration_result', 'review_result', x.result_id,
         concat_ws(' from ', coalesce(n.calibrated, r.composite), CASE WHEN n.calibrated IS NOT NULL THEN r.composite END), concat_ws(' from ', x.composite, x.original)
    FROM review_result x JOIN review r USING (review_id) JOIN newest n USING (review_id)
   WHERE x.reopened_by IS NULL
     AND (x.composite, x.original) IS DISTINCT FROM (coalesce(n.calibrated, r.composite), CASE WHEN n.calibrated IS NOT NULL THEN r.composite END)
  UNION ALL
  -- what every lock wrote, also those that were reopened
  SELECT 'calibration_kept', 'review_result', x.result_id, concat_ws(' from ', d.calibrated, d.original),
         concat_ws(' from ', CASE WHEN x.original IS NOT NULL THEN x.composite END, x.original)
    FROM review_result x
    -- the two figures alone are joined, not the documents
    JOIN (SELECT k.decision_id, k.inputs #>> '{calibration,calibrated}' AS calibrated, k.inputs #>> '{calibration,original}' AS original
            FROM decision k OFFSET 0) d USING (decision_id)
   WHERE (d.calibrated::numeric, d.original::numeric)
         IS DISTINCT FROM (CASE WHEN x.original IS NOT NULL THEN x.composite END, x.original)
  UNION ALL
  SELECT 'calibration_decision', 'calibration', k.calibration_id, concat_ws(' ', k.original, '→', k.calibrated, k.reason),
         concat_ws(' ', d.inputs ->> 'score', '→', d.outcome ->> 'calibrated', d.reason)
    FROM calibration k LEFT JOIN decision d ON d.cause = 'calibration' AND d.cause_id = k.calibration_id AND d.kind IN ('calibration.set', 'calibration.withdraw')
   WHERE ((d.inputs ->> 'score')::numeric, (d.outcome ->> 'calibrated')::numeric, d.reason) IS DISTINCT FROM (k.original, k.calibrated, k.reason)
  UNION ALL
  SELECT 'calibration_own', 'calibration', k.calibration_id, 'another person', e.employee_no
    FROM calibration k JOIN review r USING (review_id) JOIN employee e ON e.employee_id = r.employee_id WHERE k.decided_by = r.employee_id
  UNION ALL
  SELECT 'calibration_closed', 'calibration_session', s.calibration_session_id, s.status, count(d.*)::text || ' decisions to close it'
    FROM calibration_session s LEFT JOIN decision d ON d.cause = 'calibration_session' AND d.cause_id = s.calibration_session_id AND d.kind = 'calibration.close'
   GROUP BY s.calibration_session_id, s.status HAVING (s.status = 'closed') <> (count(d.*) = 1)
  UNION ALL
  SELECT 'calibration_seats', 'calibration_session', p.calibration_session_id, p.employee_no || ' ' || t.grade, coalesce(p.grade, '-')
    FROM placed p JOIN edge t ON t.calibration_session_id = p.calibration_session_id AND p.place > t.until - t.seats AND p.place <= t.until
   WHERE NOT p.small AND p.grade IS DISTINCT FROM t.grade
  UNION ALL
  SELECT 'calibration_top', 'calibration_session', p.calibration_session_id, 'at most one ' || t.grade, count(*)::text
    FROM placed p JOIN edge t ON t.calibration_session_id = p.calibration_session_id AND t.grade = p.grade AND t.position = 1
   WHERE p.small AND EXISTS (SELECT FROM edge o WHERE o.calibration_session_id = p.calibration_session_id AND o.position > 1)
   GROUP BY p.calibration_session_id, t.grade HAVING count(*) > 1;
END;
COMMENT ON FUNCTION verify_calibrations() IS 'Calibrated scores, results and closed hard sessions that differ from calibrations, voids and distributions.';

-- Live scores: fact by fact from the readings of the cycle.
CREATE FUNCTION verify_live() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH number AS (
    SELECT r.review_id, m.indicator_id, f.key, (f.value #>> '{}')::numeric AS v,
           row_number() OVER (PARTITION BY r.review_id, m.indicator_id, f.key ORDER BY m.measured_on DESC, m.measurement_id DESC) AS newest
      FROM review r
      JOIN review_cycle c USING (cycle_id)
      JOIN measurement m ON m.employee_id = r.employee_id AND m.measured_on <@ c.period
      JOIN template_item i ON i.template_id = r.template_id AND i.indicator_id = m.indicator_id
      CROSS JOIN LATERAL jsonb_each(m.facts) f
     WHERE r.status <> 'locked' AND jsonb_typeof(f.value) = 'number'
  ), fact AS (
    SELECT d.review_id, d.indicator_id,
           jsonb_object_agg(d.key, CASE n.aggregation WHEN 'sum' THEN d.total WHEN 'mean' THEN d.total / d.rows ELSE d.last END) AS facts
      FROM (SELECT review_id, indicator_id, key, sum(v) AS total, count(*) AS rows, max(v) FILTER (WHERE newest = 1) AS last
              FROM number GROUP BY review_id, indicator_id, key) d
      JOIN indicator n USING (indicator_id)
     GROUP BY d.review_id, d.indicator_id
  ), want AS (
    SELECT r.review_id, i.indicator_id, i.effective_weight AS weight, i.cap_pct, i.floor_pct, f.facts IS NOT NULL AS measured,
           round(hrloop.evaluate(i.formula, i.facts || coalesce(t.facts, '{}') || coalesce(f.facts, '{}')), 4) AS attainment
      FROM review r
      JOIN template_item i USING (template_id)
      LEFT JOIN target t ON (t.cycle_id, t.employee_id, t.indicator_id) = (r.cycle_id, r.employee_id, i.indicator_id)
      LEFT JOIN fact f ON f.review_id = r.review_id AND f.indicator_id = i.indicator_id
     WHERE r.status <> 'locked'
  )
  SELECT 'live_score', 'initial_score', s.initial_score_id,
         CASE WHEN w.attainment > w.cap_pct THEN w.cap_pct WHEN w.attainment < w.floor_pct THEN w.floor_pct ELSE w.attainment END::text, s.value::text
    FROM initial_score s JOIN want w USING (review_id, indicator_id)
   WHERE (s.attainment, s.value) IS DISTINCT FROM
         (w.attainment, CASE WHEN w.attainment > w.cap_pct THEN w.cap_pct WHEN w.attainment < w.floor_pct THEN w.floor_pct ELSE w.attainment END)
  UNION ALL
  SELECT 'live_missing', 'review', w.review_id, 'a live score of ' || n.code, 'none'
    FROM want w JOIN indicator n USING (indicator_id)
   WHERE w.measured AND NOT EXISTS (SELECT FROM initial_score s WHERE s.review_id = w.review_id AND s.indicator_id = w.indicator_id)
  UNION ALL
  SELECT 'live_points', 'initial_score', s.initial_score_id, round(s.value * i.effective_weight / 100, 4)::text, s.points::text
    FROM initial_score s JOIN review r USING (review_id) JOIN template_item i USING (template_id, indicator_id)
   WHERE s.points IS DISTINCT FROM round(s.value * i.effective_weight / 100, 4);
END;
COMMENT ON FUNCTION verify_live() IS 'Live scores of open reviews that differ from what their readings come to.';

-- Warnings against the series of readings, by position in it.
CREATE FUNCTION verify_warnings() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH watched AS (
    SELECT r.* FROM reading r
     WHERE (r.employee_id, r.indicator_id) IN (SELECT w.employee_id, w.indicator_id FROM warning w WHERE w.withdrawn_by IS NULL)
  ), crossing AS (
    SELECT r.measurement_id, r.attainment, lag(r.attainment) OVER (PARTITION BY r.employee_id, r.indicator_id ORDER BY r.measured_on, r.measurement_id) AS before
      FROM watched r WHERE r.attainment IS NOT NULL
  ), series AS (
    SELECT r.*, row_number() OVER (PARTITION BY r.employee_id, r.indicator_id, r.lower_better ORDER BY r.measured_on, r.measurement_id) AS n
      FROM watched r WHERE r.value IS NOT NULL
  ), decline AS (
    SELECT w.warning_id, s.value, avg(round(p.value, 30)) AS mean, count(p.value) AS n, s.lower_better,
           (d.inputs ->> 'periods')::bigint AS periods, (d.inputs ->> 'limit')::numeric AS pct
      FROM warning w
      JOIN decision d USING (decision_id)
      JOIN series s ON s.measurement_id = w.measurement_id
      LEFT JOIN series p ON (p.employee_id, p.indicator_id, p.lower_better) = (s.employee_id, s.indicator_id, s.lower_better)
                        AND p.n BETWEEN s.n - (d.inputs ->> 'periods')::bigint AND s.n - 1
     WHERE w.kind = 'decline' AND w.withdrawn_by IS NULL
     GROUP BY w.warning_id, s.value, s.lower_better, d.inputs
  )
  SELECT 'warning_groundless', 'warning', w.warning_id, concat_ws(' ', c.before, '→', c.attainment), w.attainment || ' below ' || w.threshold
    FROM warning w LEFT JOIN crossing c USING (measurement_id)
   WHERE w.kind = 'threshold' AND w.withdrawn_by IS NULL
     AND (c.attainment IS DISTINCT FROM w.attainment OR c.attainment >= w.threshold OR c.before < w.threshold)
  UNION ALL
  SELECT 'warning_groundless', 'warning', w.warning_id, concat_ws(' ', round(d.mean, 4), '→', d.value), w.threshold || ' → ' || w.attainment
    FROM warning w LEFT JOIN decline d USING (warning_id)
   WHERE w.kind = 'decline' AND w.withdrawn_by IS NULL
     AND (d.value IS DISTINCT FROM w.attainment OR d.n <> d.periods
          OR hrloop.rounded((d.value - d.mean) * CASE WHEN d.lower_better THEN 100 ELSE -100 END / NULLIF(abs(d.mean), 0)) >= d.pct IS NOT TRUE)
  UNION ALL
  SELECT 'warning_lost', 'decision', d.decision_id, 'a warning', 'none'
    FROM decision d
   WHERE d.kind IN ('warning.threshold', 'warning.decline') AND NOT EXISTS (SELECT FROM warning w WHERE w.decision_id = d.decision_id)
  UNION ALL
  SELECT 'warning_handled', 'warning', w.warning_id, d.reason, w.handling
    FROM warning w
    LEFT JOIN decision d ON d.cause = 'warning' AND d.cause_id = w.warning_id AND d.kind = 'warning.handle'
   WHERE (w.handling, w.handled_by) IS DISTINCT FROM (d.reason, d.decided_by);
END;
COMMENT ON FUNCTION verify_warnings() IS 'Warnings that stand without a reading that gives cause, that went, or that differ from their decision.';

CREATE FUNCTION verify_causes() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT 'cause_streak', 'cause_analysis', a.cause_analysis_id, d.inputs ->> 'months', count(b.*)::text
    FROM cause_analysis a
    JOIN decision d USING (decision_id)
    JOIN department_month m USING (department_month_id)
    LEFT JOIN department_month b ON (b.org_unit_id, b.indicator_id) = (m.org_unit_id, m.indicator_id) AND b.missed
     AND (extract(year FROM m.month) - extract(year FROM b.month)) * 12 + extract(month FROM m.month) - extract(month FROM b.month)
         BETWEEN 0 AND (d.inputs ->> 'months')::int - 1
   GROUP BY a.cause_analysis_id, d.inputs HAVING count(b.*) <> (d.inputs ->> 'months')::int
  UNION ALL
  SELECT 'cause_decision', 'cause_analysis', a.cause_analysis_id, d.outcome ->> 'cause', a.cause
    FROM cause_analysis a JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.outcome ->> 'cause', d.outcome ->> 'action') IS DISTINCT FROM ('cause.analysis', a.department_month_id, a.cause, a.action);
END;
COMMENT ON FUNCTION verify_causes() IS 'Cause analyses without missed months in a row, or that differ from their decision.';

CREATE FUNCTION verify_suggestions() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT 'suggestion_status', 'suggestion', s.suggestion_id, coalesce(d.outcome ->> 'status', 'submitted'), s.status
    FROM suggestion s LEFT JOIN decision d USING (decision_id) WHERE s.status <> coalesce(d.outcome ->> 'status', 'submitted')
  UNION ALL
  SELECT 'suggestion_reading', 'measurement', m.measurement_id, 'a suggestion of this employee', m.external_id
    FROM measurement m
   WHERE m.source = 'suggestion'
     AND NOT EXISTS (SELECT FROM suggestion s WHERE s.suggestion_id::text = m.external_id AND s.employee_id = m.employee_id AND s.suggested_on = m.measured_on);
END;
COMMENT ON FUNCTION verify_suggestions() IS 'Suggestions that differ from their decision, and readings without one.';

CREATE FUNCTION verify_plans(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH slice AS NOT MATERIALIZED (
    SELECT * FROM review r WHERE r.review_id BETWEEN from_id AND until_id
  ), plan AS NOT MATERIALIZED (
    SELECT * FROM development_plan p WHERE p.review_id BETWEEN from_id AND until_id
  )
  SELECT 'plan_missing', 'review', r.review_id, 'a plan for ' || array_to_string(r.plan_reason, ', '), 'none'
    FROM slice r
   WHERE r.plan_reason IS NOT NULL
     AND NOT EXISTS (SELECT FROM development_plan p WHERE p.review_id = r.review_id AND p.status <> 'withdrawn')
     -- anonymous scores make no draft
     AND (r.status = 'locked' OR NOT r.anonymous)
  UNION ALL
  SELECT 'plan_without_cause', 'development_plan', p.plan_id, 'no plan', p.status
    FROM plan p JOIN slice r USING (review_id)
   WHERE r.plan_reason IS NULL AND (p.status = 'draft' AND NOT r.anonymous OR p.status <> 'withdrawn' AND r.status = 'locked')
      OR p.status = 'draft' AND r.status = 'not_rated'
  UNION ALL
  SELECT 'plan_reason', 'review', r.review_id, want.reason::text, r.plan_reason::text
    FROM slice r
    CROSS JOIN LATERAL (
      SELECT array_remove(ARRAY[
        CASE WHEN coalesce(r.calibrated, r.composite) <= (SELECT setting_number('plan.score_threshold')) THEN 'score' END,
        CASE WHEN (SELECT setting_on('plan.on_missed')) AND r.missed <> '{}'
              AND ((SELECT setting_number('plan.missed_max_score')) IS NULL
                   OR coalesce(r.calibrated, r.composite) < (SELECT setting_number('plan.missed_max_score'))) THEN 'missed' END], NULL) AS reason) want
   WHERE r.status = 'open' AND r.complete AND coalesce(r.plan_reason, '{}') <> want.reason
  UNION ALL
  SELECT 'draft_after_lock', 'development_plan', p.plan_id, 'proposed', p.status
    FROM plan p JOIN slice r USING (review_id) WHERE r.status = 'locked' AND p.status = 'draft'
  UNION ALL
  SELECT 'plan_items', 'development_plan', p.plan_id, jsonb_array_length(p.document -> 'items')::text, count(i.*)::text
    FROM plan p LEFT JOIN plan_item i USING (plan_id)
   GROUP BY p.plan_id, p.document HAVING jsonb_array_length(p.document -> 'items') <> count(i.*)
  UNION ALL
  SELECT 'plan_item', 'plan_item', i.plan_item_id, concat_ws(' ', w.i ->> 'kind', w.i ->> 'title'), concat_ws(' ', i.kind, i.title)
    FROM plan p
    CROSS JOIN LATERAL jsonb_array_elements(p.document -> 'items') WITH ORDINALITY AS w (i, n)
    JOIN plan_item i ON i.plan_id = p.plan_id AND i.position = w.n
    LEFT JOIN resource o USING (resource_id)
   WHERE (i.kind, i.title, i.topic, i.quantity, o.code, to_jsonb(i.origins))
         IS DISTINCT FROM (w.i ->> 'kind', w.i ->> 'title', w.i ->> 'topic', (w.i ->> 'quantity')::numeric, w.i ->> 'resource', w.i -> 'origins')
  UNION ALL
  SELECT 'plan_gaps', 'development_plan', p.plan_id, want.gaps, have.gaps
    FROM plan p
    CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', w ->> 'indicator', w ->> 'skill', (w ->> 'gap')::numeric), ', ' ORDER BY w ->> 'indicator') AS gaps
                          FROM jsonb_array_elements(p.document -> 'gaps') w) want
    CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', n.code, s.code, g.gap), ', ' ORDER BY n.code) AS gaps
                          FROM plan_gap g JOIN indicator n USING (indicator_id) LEFT JOIN skill s USING (skill_id) WHERE g.plan_id = p.plan_id) have
   WHERE want.gaps IS DISTINCT FROM have.gaps
  UNION ALL
  SELECT 'plan_reasons', 'development_plan', p.plan_id, p.document ->> 'reasons', to_jsonb(p.reasons)::text
    FROM plan p WHERE to_jsonb(p.reasons) <> p.document -> 'reasons'
  UNION ALL
  SELECT 'plan_kind', 'development_plan', p.plan_id, p.document ->> 'kind', p.kind
    FROM plan p WHERE p.kind IS DISTINCT FROM p.document ->> 'kind'
  UNION ALL
  SELECT 'plan_change', 'plan_change', c.plan_change_id, CASE WHEN c.removed THEN 'not there' ELSE c.title END, coalesce(have.title, 'not there')
    FROM plan_change c
    JOIN plan p ON p.review_id = c.review_id AND p.status <> 'withdrawn'
    LEFT JOIN resource o USING (resource_id)
    LEFT JOIN LATERAL (SELECT i.title FROM plan_item i
                         LEFT JOIN LATERAL jsonb_array_elements(p.document -> 'items') WITH ORDINALITY AS j (i, n) ON j.n = i.position
                        WHERE i.plan_id = p.plan_id AND (i.resource_id = o.resource_id OR (j.i ->> 'own')::integer = c.own)) have ON true
   WHERE c.indicator_id IS NULL AND CASE WHEN c.removed THEN have.title IS NOT NULL ELSE have.title IS DISTINCT FROM c.title END
  UNION ALL
  SELECT 'plan_completion', 'development_plan', p.plan_id, CASE WHEN bool_and(i.progress = 100) THEN 'completed' ELSE 'effective' END, p.status
    FROM plan p JOIN plan_item i USING (plan_id) WHERE p.status IN ('effective', 'completed')
   GROUP BY p.plan_id, p.status HAVING bool_and(i.progress = 100) <> (p.status = 'completed')
  UNION ALL
  SELECT 'plan_decision', 'development_plan', p.plan_id, p.document::text, d.outcome::text
    FROM plan p JOIN decision d USING (decision_id) WHERE p.status <> 'withdrawn' AND d.outcome <> p.document
  UNION ALL
  SELECT 'progress', 'plan_item', i.plan_item_id, coalesce(g.progress, 0)::text, i.progress::text
    FROM plan p JOIN plan_item i USING (plan_id)
    LEFT JOIN LATERAL (SELECT g.progress FROM plan_progress g WHERE g.plan_item_id = i.plan_item_id ORDER BY g.plan_progress_id DESC LIMIT 1) g ON true
   WHERE i.progress <> coalesce(g.progress, 0);
END;
COMMENT ON FUNCTION verify_plans(bigint, bigint) IS 'Plans that are missing, groundless, or differ from their decision.';

CREATE FUNCTION verify_pay(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT 'raise_figures', 'salary_adjustment', a.adjustment_id,
         a.base_amount + round(a.base_amount * coalesce(b.value, 0) / 100, (SELECT setting_number('pay.minor_digits')::int)) || '', a.new_amount::text
    FROM salary_adjustment a LEFT JOIN band b USING (band_id)
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND (a.percent <> coalesce(b.value, 0)
      OR a.new_amount <> a.base_amount + round(a.base_amount * coalesce(b.value, 0) / 100, (SELECT setting_number('pay.minor_digits')::int))
      OR b.band_id IS NOT NULL AND NOT b.range @> a.composite)
  UNION ALL
  SELECT 'raise_decision', 'salary_adjustment', a.adjustment_id,
         concat_ws(' ', d.inputs ->> 'old', '+', d.outcome ->> 'percent', '% =', d.outcome ->> 'new'),
         concat_ws(' ', a.old_amount, '+', a.percent, '% =', a.new_amount)
    FROM salary_adjustment a JOIN decision d USING (decision_id)
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND ((a.old_amount, a.percent, a.raise_amount, a.new_amount)
         IS DISTINCT FROM ((d.inputs ->> 'old')::numeric, (d.outcome ->> 'percent')::numeric, (d.outcome ->> 'raise')::numeric, (d.outcome ->> 'new')::numeric)
      OR a.base_amount <> coalesce(d.inputs ->> 'base', d.inputs ->> 'old')::numeric
      OR a.corrects IS DISTINCT FROM (d.inputs ->> 'corrects')::bigint)
  UNION ALL
  SELECT 'raise_rule', 'salary_adjustment', a.adjustment_id, want.raise_rule_id::text, a.raise_rule_id::text
    FROM salary_adjustment a
    JOIN review_result x USING (result_id)
    JOIN review r USING (review_id)
    LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id
    LEFT JOIN job j ON j.job_id = r.job_id
    LEFT JOIN LATERAL (
      SELECT p.raise_rule_id FROM cycle_raise_rule p
       WHERE p.cycle_id = a.cycle_id AND coalesce(p.job_id = r.job_id, p.job_id IS NULL)
         AND coalesce(p.job_family = j.job_family, p.job_family IS NULL) AND coalesce(p.unit_kind = u.unit_kind, p.unit_kind IS NULL)
       ORDER BY (p.job_id IS NOT NULL) DESC, (p.job_family IS NOT NULL) DESC, (p.unit_kind IS NOT NULL) DESC LIMIT 1) want ON true
   WHERE a.employee_id BETWEEN from_id AND until_id AND a.raise_rule_id IS DISTINCT FROM want.raise_rule_id
  UNION ALL
  SELECT 'raise_score', 'salary_adjustment', a.adjustment_id, x.composite::text, a.composite::text
    FROM salary_adjustment a JOIN review_result x USING (result_id)
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND (a.composite <> x.composite OR x.reopened_by IS NOT NULL AND a.status IN ('proposed', 'held', 'approved'))
  UNION ALL
  SELECT 'raise_held', 'salary_adjustment', a.adjustment_id, CASE WHEN p.appeal_id IS NULL THEN 'not held' ELSE 'held' END, a.status
    FROM salary_adjustment a LEFT JOIN appeal p ON p.result_id = a.result_id AND p.status = 'open'
   WHERE a.employee_id BETWEEN from_id AND until_id AND (a.status = 'held') <> (p.appeal_id IS NOT NULL) AND a.status IN ('proposed', 'held', 'approved')
  UNION ALL
  SELECT 'appeal_upheld', 'appeal', p.appeal_id, 'a reopened result', 'version ' || x.version || ' stands'
    FROM appeal p JOIN review_result x USING (result_id) JOIN review r ON r.review_id = x.review_id
   WHERE r.employee_id BETWEEN from_id AND until_id AND p.status = 'upheld' AND x.reopened_by IS NULL
  UNION ALL
  SELECT 'raise_missing', 'review_result', x.result_id, 'one proposal', 'none'
    FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
   WHERE r.employee_id BETWEEN from_id AND until_id AND x.reopened_by IS NULL AND c.pay_effective
     AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id)
     AND EXISTS (SELECT FROM salary s WHERE s.employee_id = r.employee_id AND s.superseded_by IS NULL AND s.decision_id IS NULL
                    AND s.valid @> coalesce(c.pay_effective_on, upper(c.period)))
  UNION ALL
  -- link by link: a correction starts from what the one before set, and only one follows it
  SELECT 'correction_chain', 'salary_adjustment', a.adjustment_id, concat_ws(' ', 'from', f.new_amount, 'of an applied raise'), concat_ws(' ', 'from', a.old_amount, f.status)
    FROM salary_adjustment a JOIN salary_adjustment f ON f.adjustment_id = a.corrects
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND ((f.cycle_id, f.employee_id, f.effective_on, f.status) IS DISTINCT FROM (a.cycle_id, a.employee_id, a.effective_on, 'applied')
      OR a.old_amount <> f.new_amount
         AND (a.old_amount <> a.base_amount OR EXISTS (SELECT FROM salary_adjustment m WHERE m.cycle_id = a.cycle_id AND m.employee_id = a.employee_id
                                                          AND m.adjustment_id < a.adjustment_id AND m.status = 'applied' AND m.raise_amount <> 0)))
  UNION ALL
  -- what is paid for the standing result, unless a correction waits or people rejected it
  SELECT 'correction_missing', 'review_result', x.result_id, want.amount::text, head.new_amount::text
    FROM review_result x
    JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id)
    CROSS JOIN LATERAL (SELECT a.* FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id AND a.status = 'applied'
                         ORDER BY a.adjustment_id DESC LIMIT 1) head
    LEFT JOIN cycle_raise_rule p ON p.cycle_id = r.cycle_id AND p.raise_rule_id = head.raise_rule_id
    LEFT JOIN band b ON b.scale_id = p.scale_id AND b.range @> x.composite
    CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN head.base_on < head.effective_on THEN salary_on(r.employee_id, head.base_on) END, head.base_amount) AS base) s
    CROSS JOIN LATERAL (SELECT s.base + round(s.base * coalesce(b.value, 0) / 100, (SELECT setting_number('pay.minor_digits')::int)) AS amount) want
   WHERE r.employee_id BETWEEN from_id AND until_id AND x.reopened_by IS NULL AND c.pay_effective AND want.amount <> head.new_amount
     -- pay that no raise of the cycle ever moved runs on from the day of its base
     AND (want.amount <> s.base OR EXISTS (SELECT FROM salary_adjustment m WHERE m.cycle_id = r.cycle_id AND m.employee_id = r.employee_id
                                              AND m.status = 'applied' AND m.raise_amount <> 0))
     AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id
                        AND (a.status IN ('proposed', 'held', 'approved') OR a.status = 'rejected' AND a.result_id = x.result_id AND a.corrects = head.adjustment_id))
  UNION ALL
  SELECT 'raise_not_paid', 'salary_adjustment', a.adjustment_id, a.new_amount::text,
         (SELECT string_agg(s.amount::text, ', ') FROM salary s WHERE s.employee_id = a.employee_id AND s.valid @> a.effective_on)
    FROM salary_adjustment a
   WHERE a.employee_id BETWEEN from_id AND until_id AND a.status = 'applied' AND a.raise_amount <> 0
     AND NOT EXISTS (SELECT FROM salary s WHERE s.employee_id = a.employee_id AND lower(s.valid) = a.effective_on AND s.amount = a.new_amount)
  UNION ALL
  SELECT 'salary_minor_unit', 'salary', s.salary_id, round(s.amount, (SELECT setting_number('pay.minor_digits')::int))::text, s.amount::text
    FROM salary s WHERE s.employee_id BETWEEN from_id AND until_id AND s.amount <> round(s.amount, (SELECT setting_number('pay.minor_digits')::int))
  UNION ALL
  -- the feed row by row: one post for each source row, one reversal for each that no longer stands
  SELECT 'feed_row', w.source_table, w.source_id, w.entry || ' ' || w.amount, coalesce(f.amount::text, 'none')
    FROM (SELECT 'salary_adjustment' AS source_table, a.adjustment_id AS source_id, 'post' AS entry, a.raise_amount AS amount
             FROM salary_adjustment a WHERE a.employee_id BETWEEN from_id AND until_id
          UNION ALL SELECT 'salary_adjustment', a.adjustment_id, 'reverse', -a.raise_amount
             FROM salary_adjustment a WHERE a.employee_id BETWEEN from_id AND until_id AND a.status IN ('rejected', 'withdrawn')
          UNION ALL SELECT 'salary_adjustment:applied', a.adjustment_id, 'post', a.new_amount
             FROM salary_adjustment a WHERE a.employee_id BETWEEN from_id AND until_id AND a.status = 'applied'
          UNION ALL SELECT 'skill_allowance', s.skill_allowance_id, 'post', s.amount
             FROM skill_allowance s WHERE s.employee_id BETWEEN from_id AND until_id
          UNION ALL SELECT 'skill_allowance', s.skill_allowance_id, 'reverse', -s.amount
             FROM skill_allowance s WHERE s.employee_id BETWEEN from_id AND until_id AND s.superseded_by IS NOT NULL) w
    LEFT JOIN payroll_feed f ON f.source_table = w.source_table AND f.source_id = w.source_id AND f.entry = w.entry
   WHERE f.amount IS DISTINCT FROM w.amount;
END;
COMMENT ON FUNCTION verify_pay(bigint, bigint) IS 'Raises, salaries and feed rows that differ from score, rule and base pay.';

-- Levels and allowances day by day at every day on which something could change.
CREATE FUNCTION verify_skills(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH held AS (
    SELECT c.employee_id, l.skill_id, l.rank, daterange(c.achieved_on, CASE WHEN v.reversed_on < coalesce(c.expires_on, 'infinity') THEN v.reversed_on ELSE c.expires_on END) AS span
      FROM certification_result c
      JOIN certification k USING (certification_id)
      JOIN skill_level l USING (skill_level_id)
      LEFT JOIN certification_reversal v USING (certification_result_id)
     WHERE c.employee_id BETWEEN from_id AND until_id AND c.passed AND coalesce(v.reversed_on > c.achieved_on, true)
  ), day AS (
    SELECT employee_id, skill_id, lower(span) AS d FROM held
    UNION SELECT employee_id, skill_id, upper(span) FROM held WHERE NOT upper_inf(span)
    UNION SELECT x.employee_id, x.skill_id, lower(x.valid) FROM employee_skill_level x
     WHERE x.employee_id BETWEEN from_id AND until_id AND x.superseded_by IS NULL
  ), level AS (
    -- joined, not looked up: a table of what is held is read once and not once a day
    SELECT day.employee_id, day.skill_id, day.d, max(h.rank) AS want,
           (SELECT l.rank FROM employee_skill_level x JOIN skill_level l USING (skill_level_id)
             WHERE x.employee_id = day.employee_id AND x.skill_id = day.skill_id AND x.superseded_by IS NULL AND x.valid @> day.d) AS have
      FROM day LEFT JOIN held h ON h.employee_id = day.employee_id AND h.skill_id = day.skill_id AND h.span @> day.d
     GROUP BY day.employee_id, day.skill_id, day.d
  ), payday AS (
    SELECT x.employee_id, e.d FROM employee_skill_level x
      CROSS JOIN LATERAL (VALUES (allowance_day(lower(x.valid), (SELECT setting_text('allowance.effective')))), (allowance_day(upper(x.valid), (SELECT setting_text('allowance.effective'))))) AS e (d)
     WHERE x.employee_id BETWEEN from_id AND until_id AND x.superseded_by IS NULL AND e.d IS NOT NULL
    UNION SELECT t.employee_id, allowance_day(t.completed_on, (SELECT setting_text('allowance.effective'))) FROM training_record t
     WHERE t.employee_id BETWEEN from_id AND until_id AND t.passed
    UNION SELECT a.employee_id, e.d FROM skill_allowance a CROSS JOIN LATERAL (VALUES (lower(a.valid)), (upper(a.valid))) AS e (d)
     WHERE a.employee_id BETWEEN from_id AND until_id AND a.superseded_by IS NULL AND e.d IS NOT NULL
    UNION SELECT x.employee_id, lower(r.valid) FROM employee_skill_level x JOIN allowance_rule r USING (skill_level_id)
     WHERE x.employee_id BETWEEN from_id AND until_id AND x.superseded_by IS NULL AND NOT lower_inf(r.valid)
    UNION SELECT t.employee_id, lower(r.valid) FROM training_record t JOIN allowance_rule r USING (resource_id)
     WHERE t.employee_id BETWEEN from_id AND until_id AND NOT lower_inf(r.valid)
  ), amount AS (
    SELECT p.employee_id, p.d,
           coalesce((SELECT sum(r.amount) FROM employee_skill_level x JOIN allowance_rule r USING (skill_level_id)
                      WHERE x.employee_id = p.employee_id AND x.superseded_by IS NULL AND r.valid @> p.d
                        AND allowance_day(lower(x.valid), (SELECT setting_text('allowance.effective'))) <= p.d AND coalesce(allowance_day(upper(x.valid), (SELECT setting_text('allowance.effective'))) > p.d, true)), 0)
           + coalesce((SELECT sum(r.amount) FROM allowance_rule r
                        WHERE r.valid @> p.d AND r.resource_id IN (SELECT t.resource_id FROM training_record t
                               WHERE t.employee_id = p.employee_id AND t.passed AND allowance_day(t.completed_on, (SELECT setting_text('allowance.effective'))) <= p.d)), 0) AS want,
           coalesce((SELECT sum(a.amount) FROM skill_allowance a
                      WHERE a.employee_id = p.employee_id AND a.superseded_by IS NULL AND a.valid @> p.d), 0) AS have
      FROM payday p
  )
  SELECT 'skill_level', 'employee', employee_id, d || ' rank ' || coalesce(want::text, 'none'), coalesce(have::text, 'none')
    FROM level WHERE want IS DISTINCT FROM have
  UNION ALL
  SELECT 'allowance', 'employee', employee_id, d || ' ' || want, have::text FROM amount WHERE want <> have;
END;
COMMENT ON FUNCTION verify_skills(bigint, bigint) IS 'Skill levels and allowances that differ from certifications, trainings and rules.';

CREATE FUNCTION verify_disclosure() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT 'disclosed_on', 'review_result', x.result_id, coalesce(d.outcome ->> 'disclosed_on', x.locked_on::text), x.disclosed_on::text
    FROM review_result x LEFT JOIN decision d ON d.cause_id = x.result_id AND d.cause = 'review_result' AND d.kind = 'review.disclose'
   WHERE x.disclosed_on <> coalesce((d.outcome ->> 'disclosed_on')::date, x.locked_on) OR d.decision_id IS NOT NULL AND x.disclosed_on IS NULL
  UNION ALL
  SELECT 'answer_early', 'acknowledgement', k.acknowledgement_id, 'a result that is disclosed', 'version ' || x.version || ' is not'
    FROM acknowledgement k JOIN review_result x USING (result_id) WHERE x.disclosed_on IS NULL
  UNION ALL
  SELECT 'answer_decision', 'acknowledgement', k.acknowledgement_id, k.answer, coalesce(d.outcome ->> 'answer', 'none')
    FROM acknowledgement k LEFT JOIN decision d ON d.cause_id = k.acknowledgement_id AND d.cause = 'acknowledgement'
   WHERE k.answer IS DISTINCT FROM d.outcome ->> 'answer' OR k.remark IS DISTINCT FROM d.reason
  UNION ALL
  SELECT 'appeal_window', 'appeal', a.appeal_id, 'from ' || coalesce(x.disclosed_on::text, 'the disclosure') || ' on', a.filed_on::text
    FROM appeal a JOIN review_result x USING (result_id) WHERE coalesce(a.filed_on < x.disclosed_on, true);
END;
COMMENT ON FUNCTION verify_disclosure() IS 'Disclosures, answers and appeals that do not follow each other.';

CREATE FUNCTION verify_talent() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH due AS (
    SELECT x.result_id, r.review_id, r.employee_id, p.talent_pool_id, p.recommends, p.promotes
      FROM review_result x JOIN review r USING (review_id) JOIN pool_rule p ON p.grade = x.grade AND x.locked_on <@ p.valid
     WHERE x.reopened_by IS NULL
       AND coalesce((SELECT s.status FROM employee_status s WHERE s.employee_id = r.employee_id AND s.valid @> x.locked_on), '') <> 'left'
  )
  SELECT 'pool_missing', 'review_result', d.result_id, 'one membership', count(m.*)::text
    FROM due d
    LEFT JOIN pool_evidence v ON v.result_id = d.result_id AND v.withdrawn_by IS NULL
    LEFT JOIN pool_membership m ON m.pool_membership_id = v.pool_membership_id AND m.employee_id = d.employee_id AND m.talent_pool_id = d.talent_pool_id
   GROUP BY d.result_id, d.talent_pool_id HAVING count(m.*) <> 1
  UNION ALL
  SELECT 'course_missing', 'review_result', d.result_id, 'one course', 'none'
    FROM due d
   WHERE d.recommends AND NOT EXISTS (SELECT FROM recommendation n WHERE n.result_id = d.result_id AND n.withdrawn_by IS NULL)
     AND NOT EXISTS (SELECT FROM decision k WHERE k.cause_id = d.result_id AND k.cause = 'review_result' AND k.kind = 'talent.no_course')
  UNION ALL
  SELECT 'promotion_missing', 'review_result', d.result_id, 'one case', 'none'
    FROM due d WHERE d.promotes AND NOT EXISTS (SELECT FROM promotion_case p WHERE p.result_id = d.result_id AND p.status <> 'withdrawn')
  UNION ALL
  SELECT 'pool_groundless', 'pool_evidence', v.pool_evidence_id, 'withdrawn', 'stands for a result that was reopened'
    FROM pool_evidence v JOIN review_result x USING (result_id) WHERE v.withdrawn_by IS NULL AND x.reopened_by IS NOT NULL
  UNION ALL
  SELECT 'pool_groundless', 'pool_evidence', v.pool_evidence_id, e.employee_no, m.employee_no
    FROM pool_evidence v JOIN pool_membership b USING (pool_membership_id) JOIN review_result x USING (result_id) JOIN review r USING (review_id)
    JOIN employee e ON e.employee_id = r.employee_id JOIN employee m ON m.employee_id = b.employee_id
   WHERE r.employee_id <> b.employee_id
  UNION ALL
  SELECT 'pool_groundless', 'pool_membership', m.pool_membership_id, 'ended', 'no result keeps it'
    FROM pool_membership m
   WHERE m.left_on IS NULL AND 0 = (SELECT count(*) FROM pool_evidence v WHERE v.pool_membership_id = m.pool_membership_id AND v.withdrawn_by IS NULL)
  UNION ALL
  SELECT 'course_groundless', 'recommendation', n.recommendation_id, 'withdrawn', 'stands for a result that was reopened'
    FROM recommendation n JOIN review_result x USING (result_id) WHERE n.withdrawn_by IS NULL AND x.reopened_by IS NOT NULL
  UNION ALL
  SELECT 'course_decision', 'recommendation', n.recommendation_id, concat_ws(' ', d.inputs ->> 'why', d.outcome ->> 'resource'), concat_ws(' ', n.why, o.code)
    FROM recommendation n JOIN resource o USING (resource_id) JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.inputs ->> 'why', d.outcome ->> 'resource') IS DISTINCT FROM ('talent.recommend', n.result_id, n.why, o.code)
  UNION ALL
  SELECT 'promotion_groundless', 'promotion_case', p.promotion_case_id, 'withdrawn', p.status
    FROM promotion_case p JOIN review_result x USING (result_id) WHERE p.status IN ('proposed', 'approved') AND x.reopened_by IS NOT NULL
  UNION ALL
  SELECT 'promotion_decision', 'promotion_case', p.promotion_case_id, coalesce(d.outcome ->> 'status', 'none'), p.status
    FROM promotion_case p
    LEFT JOIN LATERAL (SELECT k.outcome FROM decision k WHERE k.cause = 'promotion_case' AND k.cause_id = p.promotion_case_id
                        ORDER BY k.decision_id DESC LIMIT 1) d ON true
   WHERE coalesce(d.outcome ->> 'status', 'proposed') <> p.status;
END;
COMMENT ON FUNCTION verify_talent() IS 'Memberships, recommended courses and promotions that are missing, groundless, or differ from their decision.';

CREATE FUNCTION verify_workflow() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH said AS (
    SELECT DISTINCT ON (d.cause_id) d.cause_id AS cycle_id, d.kind, d.inputs -> 'signatures' AS signatures
      FROM decision d WHERE d.cause = 'review_cycle' AND d.kind IN ('cycle.close', 'cycle.reopen') ORDER BY d.cause_id, d.decision_id DESC
  )
  SELECT 'cycle_closed', 'review_cycle', c.cycle_id, coalesce(s.kind, 'never closed'), c.status
    FROM review_cycle c LEFT JOIN said s USING (cycle_id) WHERE (c.status = 'closed') <> (coalesce(s.kind, '') = 'cycle.close')
  UNION ALL
  SELECT 'cycle_signature', 'review_cycle', c.cycle_id, x.sig ->> 'stage' || ' by ' || (x.sig ->> 'by'), 'not signed so'
    FROM review_cycle c JOIN said s USING (cycle_id) CROSS JOIN LATERAL jsonb_array_elements(s.signatures) AS x (sig)
   WHERE c.status = 'closed' AND s.kind = 'cycle.close'
     AND NOT EXISTS (SELECT FROM cycle_signature g JOIN workflow_stage w USING (workflow_stage_id) JOIN employee e ON e.employee_id = g.signed_by
                      WHERE g.cycle_id = c.cycle_id AND g.voided_by IS NULL AND w.code = x.sig ->> 'stage' AND e.employee_no = x.sig ->> 'by')
  UNION ALL
  SELECT 'signature_order', 'cycle_signature', g.cycle_signature_id, 'stage ' || b.code || ' signed before', 'not signed'
    FROM cycle_signature g JOIN review_cycle c USING (cycle_id) JOIN workflow_stage w USING (workflow_stage_id) JOIN workflow_stage b ON b.position < w.position
    LEFT JOIN cycle_signature o ON o.cycle_id = g.cycle_id AND o.workflow_stage_id = b.workflow_stage_id AND o.voided_by IS NULL
   WHERE g.voided_by IS NULL AND o.cycle_signature_id IS NULL AND c.status <> 'closed'
  UNION ALL
  SELECT 'signature_decision', 'cycle_signature', g.cycle_signature_id, d.inputs ->> 'stage' || ' by ' || d.decided_by, w.code || ' by ' || e.employee_no
    FROM cycle_signature g JOIN workflow_stage w USING (workflow_stage_id) JOIN employee e ON e.employee_id = g.signed_by JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.inputs ->> 'stage', d.decided_by) IS DISTINCT FROM ('cycle.sign', g.cycle_id, w.code, e.employee_no);
END;
COMMENT ON FUNCTION verify_workflow() IS 'Closed cycles and signatures that differ from their decisions, or stand out of order.';

CREATE FUNCTION verify_archive() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH due (source_table, source_id, kind, employee_id, day) AS (
    SELECT 'review_result', x.result_id, 'result', r.employee_id, x.locked_on FROM review_result x JOIN review r USING (review_id) WHERE x.reopened_by IS NULL
    UNION ALL SELECT 'training_record', t.training_record_id, 'training', t.employee_id, t.completed_on FROM training_record t
    UNION ALL SELECT 'certification_result', c.certification_result_id, 'certification', c.employee_id, c.achieved_on FROM certification_result c WHERE c.passed
    UNION ALL SELECT 'certification_result', v.certification_result_id, 'certification.reversed', v.employee_id, v.reversed_on FROM certification_reversal v
    UNION ALL SELECT 'certification_result', t.certification_result_id, 'level', t.employee_id, min(t.valid_from) FROM skill_timeline t
               WHERE t.skill_level_id IS NOT NULL GROUP BY t.certification_result_id, t.employee_id
    UNION ALL SELECT 'development_plan', p.plan_id, 'plan', p.employee_id, p.planned_on FROM development_plan p WHERE p.status IN ('proposed', 'effective', 'completed')
    UNION ALL SELECT 'salary_adjustment', a.adjustment_id, 'raise', a.employee_id, a.effective_on FROM salary_adjustment a WHERE a.status = 'applied' AND a.new_amount <> a.old_amount
    UNION ALL SELECT 'pool_membership', m.pool_membership_id, 'pool', m.employee_id, m.joined_on FROM pool_membership m
    UNION ALL SELECT 'pool_membership', m.pool_membership_id, 'pool.left', m.employee_id, m.left_on FROM pool_membership m WHERE m.left_on IS NOT NULL
    UNION ALL SELECT 'promotion_case', p.promotion_case_id, 'promotion', p.employee_id, p.decided_on FROM promotion_case p WHERE p.status = 'approved'
    UNION ALL SELECT 'key_event', k.key_event_id, 'key_event', k.employee_id, k.occurred_on FROM key_event k
    UNION ALL SELECT 'suggestion', s.suggestion_id, 'suggestion', s.employee_id, s.suggested_on FROM suggestion s WHERE s.status = 'accepted'
    UNION ALL SELECT 'contribution', c.contribution_id, c.kind, c.employee_id, c.occurred_on FROM contribution c WHERE c.withdrawn_by IS NULL
    UNION ALL SELECT 'contribution_citation', x.contribution_citation_id, 'citation', x.employee_id, x.cited_on FROM contribution_citation x JOIN contribution c USING (contribution_id)
               WHERE c.withdrawn_by IS NULL
    UNION ALL SELECT 'decision', d.decision_id, 'plan', d.employee_id, NULL::date FROM decision d WHERE d.kind IN ('plan.item', 'plan.item_added', 'plan.item_removed')
  ), standing AS (
    SELECT g.* FROM growth_archive g LEFT JOIN growth_archive w ON w.withdraws = g.growth_archive_id
     WHERE w.growth_archive_id IS NULL AND g.entry <> 'withdraw'
  )
  SELECT CASE WHEN s.growth_archive_id IS NULL THEN 'archive_missing' WHEN d.source_id IS NULL THEN 'archive_groundless' ELSE 'archive_line' END,
         coalesce(d.source_table, 'growth_archive'), coalesce(d.source_id, s.growth_archive_id),
         coalesce(NULLIF(concat_ws(' ', d.kind, de.employee_no, d.day), ''), 'no line'), coalesce(NULLIF(concat_ws(' ', s.kind, se.employee_no, s.occurred_on), ''), 'no line')
    FROM due d FULL JOIN standing s ON s.source_table = d.source_table AND s.source_id = d.source_id AND s.kind = d.kind
    LEFT JOIN employee de ON de.employee_id = d.employee_id
    LEFT JOIN employee se ON se.employee_id = s.employee_id
   WHERE d.source_id IS NULL OR s.growth_archive_id IS NULL OR s.employee_id <> d.employee_id OR s.occurred_on <> d.day;
END;
COMMENT ON FUNCTION verify_archive() IS 'Lines of the growth archive that are missing, stand for nothing, or name another person or day than their source (ORG-06).';
CREATE FUNCTION verify_approvals() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT 'approval_decision', 'salary_adjustment', a.adjustment_id, coalesce(d.inputs ->> 'decided_by', 'not approved'), a.decided_by
    FROM salary_adjustment a
    LEFT JOIN LATERAL (SELECT k.inputs FROM decision k WHERE k.cause_id = a.adjustment_id AND k.cause = 'salary_adjustment' AND k.kind = 'pay.approve'
                        ORDER BY k.decision_id DESC LIMIT 1) d ON true
   WHERE a.status IN ('approved', 'applied') AND d.inputs ->> 'decided_by' IS DISTINCT FROM a.decided_by
  UNION ALL
  SELECT 'approval_own', 'salary_adjustment', a.adjustment_id, 'another person', e.employee_no
    FROM salary_adjustment a JOIN employee e ON e.employee_no = a.decided_by WHERE e.employee_id = a.employee_id
  UNION ALL
  SELECT 'delegation_decision', 'delegation', g.delegation_id, concat_ws(' ', d.inputs ->> 'role', 'to', d.inputs ->> 'delegate', d.outcome ->> 'from', d.outcome ->> 'until'),
         concat_ws(' ', g.role, 'to', e.employee_no, lower(g.valid), upper(g.valid) - 1)
    FROM delegation g JOIN employee e ON e.employee_id = g.delegate_id JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.employee_id, d.inputs ->> 'role', d.inputs ->> 'delegate', (d.outcome ->> 'from')::date, (d.outcome ->> 'until')::date)
         IS DISTINCT FROM ('delegation.give', g.delegation_id, g.delegator_id, g.role, e.employee_no, lower(g.valid), upper(g.valid) - 1);
END;
COMMENT ON FUNCTION verify_approvals() IS 'Raises that are approved or paid without a decision of who approved them, or by whose they are; delegations that differ from their decision.';

CREATE FUNCTION verify_totals() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT 'feed_total', 'payroll_feed', NULL::bigint, k.source_total::text, k.feed_total::text
    FROM payroll_reconciliation k WHERE k.difference <> 0
  UNION ALL
  SELECT 'notice_text', 'notification', n.notification_id, 'no placeholder', n.body FROM notification n WHERE n.body ~ '[{}]'
  UNION ALL
  SELECT 'template_weights', 'review_template', t.template_id, '100', sum(i.effective_weight)::text
    FROM review_template t JOIN template_item i USING (template_id)
   WHERE t.activated_at IS NOT NULL GROUP BY t.template_id HAVING sum(i.effective_weight) <> 100;
END;
COMMENT ON FUNCTION verify_totals() IS 'Sums of the payroll feed, texts with a hole, weights that are not 100.';

-- Memory and temporary files must not grow with the books: the parts that read much go by slices of their keys.
CREATE FUNCTION verify_slices() RETURNS TABLE (part text, from_id bigint, until_id bigint) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  WITH sliced (place, part, size, low, high) AS (
    SELECT 1, 'reviews', 2000, min(r.review_id), max(r.review_id) FROM review r
    UNION ALL SELECT 7, 'plans', 1000, min(r.review_id), max(r.review_id) FROM review r
    UNION ALL SELECT 9, 'pay', 1000, min(e.employee_id), max(e.employee_id) FROM employee e
    UNION ALL SELECT 10, 'skills', 1000, min(e.employee_id), max(e.employee_id) FROM employee e
    UNION ALL SELECT 15, 'audit', 5000, min(a.audit_id), max(a.audit_id) FROM audit_entry a
  ), cut AS (
    -- keys may have been given by hand, far apart: never more than ten thousand slices
    SELECT s.place, s.part, g.id, lead(g.id) OVER (PARTITION BY s.part ORDER BY g.id) AS next,
           row_number() OVER (PARTITION BY s.part ORDER BY g.id) AS n
      FROM sliced s
      CROSS JOIN LATERAL (SELECT coalesce(s.low, 0)::numeric AS low, coalesce(s.high, 0)::numeric AS high) k
      CROSS JOIN LATERAL generate_series(k.low, k.high, greatest(s.size, ceil((k.high - k.low) / 10000))) AS g (id)
  )
  -- the ends are open: every row is in one slice, whatever its key
  SELECT w.part, w.from_id, w.until_id
    FROM (SELECT c.place, c.part, CASE WHEN c.n = 1 THEN -9223372036854775808 ELSE c.id END::bigint AS from_id,
                 coalesce(c.next - 1, 9223372036854775807)::bigint AS until_id FROM cut c
          UNION ALL
          SELECT o.place, o.part, -9223372036854775808, 9223372036854775807
            FROM (VALUES (2, 'calibrations'), (3, 'live'), (4, 'warnings'), (5, 'causes'), (6, 'suggestions'), (8, 'disclosure'), (11, 'talent'),
                         (12, 'workflow'), (13, 'archive'), (14, 'approvals'), (16, 'audit_ends'), (17, 'totals')) AS o (place, part)) w
   ORDER BY w.place, w.from_id;
END;
COMMENT ON FUNCTION verify_slices() IS 'All that verify() checks, part by part in slices of keys: of reviews for reviews and plans, of employees for pay and skills, of entries for audit.';

CREATE FUNCTION verify_part(
  part text, from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT hrloop.fail('22023', format('unknown part "%s" of verify()', part), NULL, 'SELECT DISTINCT part FROM verify_slices() lists them.')
   WHERE coalesce(part, '') NOT IN ('reviews', 'calibrations', 'live', 'warnings', 'causes', 'suggestions', 'plans',
                                   'disclosure', 'pay', 'skills', 'talent', 'workflow', 'archive', 'approvals', 'audit', 'audit_ends', 'totals');
  SELECT v.* FROM verify_reviews(from_id, until_id) v WHERE part = 'reviews'
  UNION ALL SELECT v.* FROM verify_calibrations() v WHERE part = 'calibrations'
  UNION ALL SELECT v.* FROM verify_live() v WHERE part = 'live'
  UNION ALL SELECT v.* FROM verify_warnings() v WHERE part = 'warnings'
  UNION ALL SELECT v.* FROM verify_causes() v WHERE part = 'causes'
  UNION ALL SELECT v.* FROM verify_suggestions() v WHERE part = 'suggestions'
  UNION ALL SELECT v.* FROM verify_plans(from_id, until_id) v WHERE part = 'plans'
  UNION ALL SELECT v.* FROM verify_disclosure() v WHERE part = 'disclosure'
  UNION ALL SELECT v.* FROM verify_pay(from_id, until_id) v WHERE part = 'pay'
  UNION ALL SELECT v.* FROM verify_skills(from_id, until_id) v WHERE part = 'skills'
  UNION ALL SELECT v.* FROM verify_talent() v WHERE part = 'talent'
  UNION ALL SELECT v.* FROM verify_workflow() v WHERE part = 'workflow'
  UNION ALL SELECT v.* FROM verify_archive() v WHERE part = 'archive'
  UNION ALL SELECT v.* FROM verify_approvals() v WHERE part = 'approvals'
  UNION ALL SELECT v.* FROM verify_entries(from_id, until_id) v WHERE part = 'audit'
  UNION ALL SELECT v.* FROM verify_audit_ends() v WHERE part = 'audit_ends'
  UNION ALL SELECT v.* FROM verify_totals() v WHERE part = 'totals';
END;
COMMENT ON FUNCTION verify_part(text, bigint, bigint) IS
  'One part of verify(), of the rows whose keys lie in a slice as verify_slices() lists them; left out: all of it. Error 22023: unknown part.';

CREATE FUNCTION verify() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT v.* FROM verify_slices() s CROSS JOIN LATERAL verify_part(s.part, s.from_id, s.until_id) v;
END;
COMMENT ON FUNCTION verify() IS
  'Recompute every derived figure from its source rows, independently, and return what differs: problem, table, row, expected, found. Healthy books return no rows. Goes slice by slice; verify_for() does some minutes of it at a time.';

-- a round of checking, some minutes at a time ------------------------------------------

CREATE TABLE verify_slice (
  part        text    NOT NULL,
  from_id     bigint  NOT NULL,
  until_id    bigint  NOT NULL,
  began_at    timestamptz NOT NULL,
  checked_at  timestamptz,
  differences bigint,
  broken      bigint,
  PRIMARY KEY (part, from_id)
);
COMMENT ON TABLE verify_slice IS 'The round of verify_for() that goes on, or the last one: what is checked, and what it found.';
COMMENT ON COLUMN verify_slice.part IS 'Part of verify(), as in verify_part().';
COMMENT ON COLUMN verify_slice.from_id IS 'First key of the slice.';
COMMENT ON COLUMN verify_slice.until_id IS 'Last key of the slice.';
COMMENT ON COLUMN verify_slice.began_at IS 'When the round began.';
COMMENT ON COLUMN verify_slice.checked_at IS 'When the slice was checked; null: it waits.';
COMMENT ON COLUMN verify_slice.differences IS 'How many rows verify_part() returned.';
COMMENT ON COLUMN verify_slice.broken IS 'How many of them are about the audit log or decisions that were changed.';

INSERT INTO message_text (kind, locale, body, source) VALUES
  ('verify.found', 'zh', '核对发现{count}处差异:{parts}', NULL),
  ('verify.found', 'en', 'Checking the books found differences: {count} ({parts})', NULL);

CREATE FUNCTION verify_for(duration interval DEFAULT '5 minutes')
  RETURNS TABLE (part text, slices bigint, checked bigint, differences bigint) VOLATILE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT hrloop.fail('22023', 'verify_for() needs a time that is not negative', NULL, 'For example verify_for(duration => ''5 minutes'').')
   WHERE coalesce(duration < interval '0', true);
  -- one at a time: the second one goes on where the first one stopped
  SELECT pg_advisory_xact_lock('verify_slice'::regclass::oid::int, 0);
  DELETE FROM verify_slice WHERE NOT EXISTS (SELECT FROM verify_slice s WHERE s.checked_at IS NULL);
  INSERT INTO verify_slice (part, from_id, until_id, began_at)
  SELECT s.part, s.from_id, s.until_id, now() FROM verify_slices() s WHERE NOT EXISTS (SELECT FROM verify_slice);
  WITH checked AS MATERIALIZED (
    SELECT s.part, s.from_id, v.differences, v.broken
      -- the clock is asked before each slice; at least one is done
      FROM (SELECT w.*, row_number() OVER (ORDER BY w.part, w.from_id) AS n FROM verify_slice w WHERE w.checked_at IS NULL ORDER BY w.part, w.from_id OFFSET 0) s
      CROSS JOIN LATERAL (
        SELECT count(*) AS differences, count(*) FILTER (WHERE y.problem LIKE 'audit\_%' OR y.problem = 'decision_changed') AS broken
          FROM verify_part(s.part, s.from_id, s.until_id) y) v
     WHERE s.n = 1 OR clock_timestamp() < statement_timestamp() + duration
  )
  UPDATE verify_slice s SET checked_at = clock_timestamp(), differences = c.differences, broken = c.broken
    FROM checked c WHERE c.part = s.part AND c.from_id = s.from_id;
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
  SELECT NULL::bigint, 'hr', 'verify.found', 'verify:' || extract(epoch FROM f.began_at), jsonb_build_object('count', f.differences, 'parts', f.parts)
    FROM (SELECT s.began_at, sum(s.differences) AS differences, string_agg(DISTINCT s.part, ', ') AS parts
            FROM verify_slice s WHERE s.differences > 0 GROUP BY s.began_at) f
  ON CONFLICT DO NOTHING;
  SELECT s.part, count(*), count(s.checked_at), coalesce(sum(s.differences), 0)::bigint FROM verify_slice s GROUP BY s.part ORDER BY s.part;
END;
COMMENT ON FUNCTION verify_for(interval) IS
  'Some minutes of verify(), for a scheduler: goes on with the slices of the round where the last call stopped, begins a round when the one before is through, tells HR when something differs, and returns how far each part is. Which rows differ: verify_part(). Each call is one transaction. Error 22023: no time.';
