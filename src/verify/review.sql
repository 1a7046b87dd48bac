-- verify review: composites, missed indicators, results and grades, again from their source rows.

-- What a review should come to, in two steps: each of its parts, then the whole.  Both are written without looking at
-- the engine's C, and put in place of their call, so that a slice of keys reads that slice alone.

CREATE FUNCTION scored_parts(from_id bigint, until_id bigint)
  RETURNS TABLE (review_id bigint, indicator_id bigint, superior bigint, place integer, weight numeric,
                 pass_pct numeric, veto_at numeric, veto_cap numeric, own numeric, short boolean, value numeric,
                 attainment numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH slice AS NOT MATERIALIZED (
    SELECT * FROM review r WHERE r.review_id BETWEEN from_id AND until_id
  ), part AS (
    -- a part is an item of the template, or of the template of one segment
    SELECT r.review_id, r.template_id AS groups_of, 0::bigint AS superior, i.indicator_id, i.position,
           i.effective_weight AS weight, i.pass_pct, i.veto_at, i.veto_cap
      FROM slice r JOIN template_item i USING (template_id) WHERE NOT r.segmented
    UNION ALL
    SELECT r.review_id, r.template_id, coalesce(g.manager_id, 0), i.indicator_id, g.segment_no * 1000 + i.position,
           g.days * g.fte * i.effective_weight, i.pass_pct, i.veto_at, i.veto_cap
      FROM slice r JOIN review_segment g USING (review_id) JOIN template_item i ON i.template_id = g.template_id
        WHERE r.segmented
  ), heard AS (
    -- whose superior's score it is: of a segment, or of all of them
    SELECT s.*, CASE WHEN s.rater_group IN (SELECT k.rater_group FROM rater_group k WHERE k.relation = 'superior')
                      AND (s.review_id, s.rater_id) IN (SELECT g.review_id, g.manager_id FROM review_segment g
                                                        WHERE g.review_id BETWEEN from_id AND until_id)
                     THEN s.rater_id END AS only_for
      FROM score s WHERE s.review_id BETWEEN from_id AND until_id
  ), mean AS (
    SELECT p.review_id, p.indicator_id, p.superior, s.rater_group, avg(round(s.value, 30)) AS value,
           avg(round(s.attainment, 30)) AS attainment, count(*) AS raters
      FROM (SELECT DISTINCT review_id, indicator_id, superior FROM part) p
        JOIN heard s ON s.review_id = p.review_id AND s.indicator_id = p.indicator_id
          AND coalesce(s.only_for = p.superior, true)
     GROUP BY p.review_id, p.indicator_id, p.superior, s.rater_group
  ), rule AS (
    -- what a group of raters counts in a template, and how many groups there must be
    SELECT q.*, q.weight > 0 AND q.below_minimum = 'block' AS blocks, q.weight > 0 AND q.required AS needed
      FROM template_rater_group q
  ), demand AS (
    SELECT q.template_id, count(*) FILTER (WHERE q.blocks AND q.minimum > 0) AS blocking,
           count(*) FILTER (WHERE q.needed) AS needed
      FROM rule q GROUP BY q.template_id
  ), counted AS (
    -- from what was said: a group that said nothing is missed by the number of groups
    SELECT p.review_id, p.indicator_id, p.superior, p.position, p.weight, p.pass_pct, p.veto_at, p.veto_cap,
           k.blocking, k.needed,
           m.raters, m.value, m.attainment, m.rater_group, q.weight AS share, q.needed AS is_needed,
           q.blocks AND q.minimum > 0 AND m.raters >= q.minimum AS unblocks,
           NOT (q.below_minimum = 'drop' AND m.raters < q.minimum) AS counts
      FROM part p
      JOIN demand k ON k.template_id = p.groups_of
      LEFT JOIN mean m USING (review_id, indicator_id, superior)
      LEFT JOIN rule q ON q.template_id = p.groups_of AND q.rater_group = m.rater_group
  )
  SELECT c.review_id, c.indicator_id, c.superior, c.position, c.weight, c.pass_pct, c.veto_at, c.veto_cap,
         max(c.value) FILTER (WHERE c.rater_group = 'self') AS own,
         count(*) FILTER (WHERE c.unblocks) < c.blocking AS short,
         CASE WHEN count(*) FILTER (WHERE c.is_needed AND c.counts) = c.needed
              THEN sum(c.share * c.value)
                FILTER (WHERE c.share > 0 AND c.counts) / NULLIF(sum(c.share) FILTER (WHERE c.counts), 0) END
                  AS value,
         sum(c.share * c.attainment) FILTER (WHERE c.counts) / NULLIF(sum(c.share)
                                                                      FILTER (WHERE c.attainment IS NOT NULL
                                                                              AND c.counts), 0) AS attainment
    FROM counted c
   GROUP BY c.review_id, c.indicator_id, c.superior, c.position, c.weight, c.pass_pct, c.veto_at, c.veto_cap,
            c.blocking, c.needed;
END;
COMMENT ON FUNCTION scored_parts(bigint, bigint) IS
  'Value of each indicator in each part of these reviews, for verify(): superior manages the segment, 0: the part is '
  'the whole review or nobody does; own: what the employee gave; short: a group has too few raters.';

CREATE FUNCTION scored_reviews(from_id bigint, until_id bigint)
  RETURNS TABLE (review_id bigint, scored bigint, lowest bigint, missed bigint[], vetoed bigint[],
                 self_composite numeric, composite numeric, complete boolean, missing_used text)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH valued AS (
    SELECT * FROM scored_parts(from_id, until_id) v
  ), item AS (
    SELECT v.review_id, v.indicator_id, min(v.place) AS position, min(v.pass_pct) AS pass_pct,
           min(v.veto_at) AS veto_at, min(v.veto_cap) AS veto_cap,
           hrloop.rounded(sum(v.weight * v.value) / sum(v.weight) FILTER (WHERE v.value IS NOT NULL)) AS value,
           hrloop.rounded(sum(v.weight * v.attainment) FILTER (WHERE v.value IS NOT NULL)
                          / sum(v.weight) FILTER (WHERE v.value IS NOT NULL AND v.attainment IS NOT NULL)) AS attainment
      FROM valued v GROUP BY v.review_id, v.indicator_id
  ), judged AS (
    SELECT i.review_id, count(i.value) AS scored,
           (array_agg(i.indicator_id ORDER BY i.value, i.position, i.indicator_id)
            FILTER (WHERE i.value IS NOT NULL))[1] AS lowest,
           min(i.veto_cap) FILTER (WHERE i.value <= i.veto_at) AS cap,
           coalesce(array_agg(i.indicator_id ORDER BY i.indicator_id) FILTER (WHERE i.value <= i.veto_at), '{}')
             AS vetoed,
           coalesce(array_agg(i.indicator_id ORDER BY i.indicator_id) FILTER (WHERE i.value IS NOT NULL AND
             CASE WHEN i.attainment IS NOT NULL THEN i.attainment < coalesce(i.pass_pct, 100)
                  WHEN i.pass_pct IS NOT NULL THEN i.value < i.pass_pct
                  ELSE i.value <= (SELECT setting_number('indicator.qualitative_missed')) END), '{}') AS missed
      FROM item i GROUP BY i.review_id
  ), summed AS (
    SELECT v.review_id, count(v.value) = count(*) AS whole, count(v.value) > 0 AS begun, bool_or(v.short) AS short,
           sum(v.weight) AS weight,
           sum(v.weight * v.value) AS points, sum(v.weight) FILTER (WHERE v.value IS NOT NULL) AS weight_scored,
           count(v.own) = count(*) AS own_whole, count(v.own) > 0 AS own_begun,
           sum(v.weight * v.own) AS own_points, sum(v.weight) FILTER (WHERE v.own IS NOT NULL) AS own_weight
      FROM valued v GROUP BY v.review_id
  )
  SELECT s.review_id, s.scored, s.lowest, s.missed, s.vetoed,
         hrloop.rounded(CASE WHEN s.own_whole OR t.missing_policy = 'zero'
                        AND s.own_begun THEN s.own_points / s.weight
                             WHEN t.missing_policy = 'renormalise'
                               AND s.own_begun THEN s.own_points / s.own_weight END) AS self_composite,
         CASE WHEN NOT s.short AND c.composite IS NOT NULL THEN LEAST(c.composite, s.cap) END AS composite,
         NOT s.short AND (s.whole OR s.begun AND t.missing_policy <> 'block') AS complete,
         CASE WHEN NOT s.whole THEN t.missing_policy END AS missing_used
    -- the two first, both are in this order: nothing is known of how many there are
    FROM (SELECT * FROM summed JOIN judged USING (review_id) OFFSET 0) s
    JOIN review r USING (review_id)
    JOIN review_template t USING (template_id)
    CROSS JOIN LATERAL (
      SELECT hrloop.rounded(CASE WHEN s.whole OR t.missing_policy = 'zero' AND s.begun THEN s.points / s.weight
                                 WHEN t.missing_policy = 'renormalise'
                                   AND s.begun THEN s.points / s.weight_scored END) AS composite) c
   -- who is not rated has no figures to speak of; rate_review() computes them anew
   WHERE r.status <> 'not_rated';
END;
COMMENT ON FUNCTION scored_reviews(bigint, bigint) IS
  'What these reviews come to from what was scored: composites, missed, vetoed and lowest indicators. For verify().';

CREATE FUNCTION verify_composites(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT v.problem, 'review', r.review_id, v.expected, v.found
    FROM scored_reviews(from_id, until_id) f JOIN review r USING (review_id)
    CROSS JOIN LATERAL (
      SELECT 'composite', f.composite::text, r.composite::text WHERE r.composite IS DISTINCT FROM f.composite
      UNION ALL SELECT 'self_composite', f.self_composite::text, r.self_composite::text
        WHERE r.self_composite IS DISTINCT FROM f.self_composite
      UNION ALL SELECT 'complete', f.complete::text, r.complete::text WHERE r.complete <> f.complete
      UNION ALL SELECT 'missing_used', f.missing_used, r.missing_used
                 WHERE r.missing_used IS DISTINCT FROM f.missing_used
                   AND (r.items_scored > 0 OR r.missing_used IS NOT NULL)
      UNION ALL SELECT 'vetoed', f.vetoed::text, r.vetoed::text
        WHERE f.vetoed <> coalesce((SELECT array_agg(m ORDER BY m) FROM unnest(r.vetoed) m), '{}')
      UNION ALL SELECT 'lowest', f.lowest::text, r.lowest_indicator_id::text
        WHERE r.lowest_indicator_id IS DISTINCT FROM f.lowest
      UNION ALL SELECT 'items_scored', f.scored::text, r.items_scored::text WHERE r.items_scored <> f.scored
      UNION ALL SELECT 'missed', f.missed::text, r.missed::text
                 WHERE f.missed <> coalesce((SELECT array_agg(m ORDER BY m) FROM unnest(r.missed) m), '{}')
                   AND r.status = 'open') v (problem, expected, found);
END;
COMMENT ON FUNCTION verify_composites(bigint, bigint) IS
  'Figures of reviews that differ from what their scores come to.';

CREATE FUNCTION verify_scores(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH slice AS NOT MATERIALIZED (
    SELECT * FROM review r WHERE r.review_id BETWEEN from_id AND until_id
  )
  -- a score from facts, by the indicator as the template of its review or segment pins it
  SELECT 'score_value', 'score', s.score_id, concat_ws(' = ', w.attainment, w.value),
         concat_ws(' = ', s.attainment, s.value)
    FROM slice r
    JOIN score s USING (review_id)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN a.kind <> 'qualitative' THEN a.attainment END AS attainment,
             round(CASE WHEN a.attainment > a.cap_pct THEN a.cap_pct
                                 WHEN a.attainment < a.floor_pct THEN a.floor_pct ELSE a.attainment END, 4) AS value
        FROM (SELECT i.kind, i.cap_pct, i.floor_pct,
                     round(hrloop.attainment(i.formula,
                                             s.facts || i.facts
                                             || coalesce((SELECT t.facts FROM target t
                                                           WHERE (t.cycle_id, t.employee_id, t.indicator_id)
                                                                 = (r.cycle_id, r.employee_id, s.indicator_id)), '{}'),
                                             i.direction, i.cap_pct), 4) AS attainment
                FROM (SELECT r.template_id, 0 AS n WHERE NOT r.segmented
                      UNION ALL
                      SELECT g.template_id, g.segment_no + CASE WHEN g.manager_id = s.rater_id THEN 0 ELSE 1000000 END
                        FROM review_segment g WHERE g.review_id = r.review_id AND r.segmented) p
                JOIN template_item i ON i.template_id = p.template_id AND i.indicator_id = s.indicator_id
               ORDER BY p.n LIMIT 1) a) w
   WHERE r.status = 'open' AND s.facts IS NOT NULL
     AND (s.attainment IS DISTINCT FROM w.attainment OR s.raw_value IS NULL AND s.value IS DISTINCT FROM w.value)
  UNION ALL
  -- the segments of an open review are assignments of its employee; who manages is pinned, the organisation may have
  -- changed since
  SELECT 'segment', 'review_segment', g.review_segment_id, coalesce(a.days, 0) || ' days × ' || g.fte,
         g.days || ' days × ' || g.fte || ' = ' || g.load
    FROM review_segment g JOIN slice r USING (review_id) JOIN review_cycle c USING (cycle_id)
    CROSS JOIN LATERAL (SELECT sum(worked_days(r.employee_id, a.valid * c.period)) AS days FROM assignment a
                         WHERE a.employee_id = r.employee_id
                           AND (a.org_unit_id, a.job_id, a.fte) = (g.org_unit_id, g.job_id, g.fte)
                           AND a.valid * c.period <@ daterange(g.from_date, g.until_date, '[]')) a
   WHERE r.status = 'open' AND (g.days > coalesce(a.days, 0) OR g.load <> g.days * g.fte)
  UNION ALL
  SELECT 'anonymous', 'review', r.review_id, w.counts::text, r.anonymous::text
    FROM slice r
    CROSS JOIN LATERAL (
      SELECT EXISTS (SELECT FROM score s
                       JOIN template_rater_group q ON q.template_id = r.template_id AND q.rater_group = s.rater_group
                         AND q.minimum > 0 AND q.weight > 0
                       JOIN template_item i ON i.indicator_id = s.indicator_id
                      WHERE s.review_id = r.review_id
                        AND (NOT r.segmented AND i.template_id = r.template_id
                             OR r.segmented
                               AND i.template_id IN (SELECT g.template_id FROM review_segment g
                                                     WHERE g.review_id = r.review_id))) AS counts) w
   WHERE r.anonymous <> w.counts;
END;
COMMENT ON FUNCTION verify_scores(bigint, bigint) IS
  'Scores, segments and anonymity that differ from the facts, assignments and raters behind them.';

CREATE FUNCTION verify_results(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH slice AS NOT MATERIALIZED (
    SELECT * FROM review r WHERE r.review_id BETWEEN from_id AND until_id
  ), result AS NOT MATERIALIZED (
    SELECT * FROM review_result x WHERE x.review_id BETWEEN from_id AND until_id
  )
  -- settings may have changed since the lock: its decision says what was missed
  SELECT 'missed', 'review', r.review_id, want.codes::text, have.codes::text
    FROM slice r
    JOIN result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
    JOIN decision d USING (decision_id)
    CROSS JOIN LATERAL (SELECT array_agg(n.code ORDER BY n.code) AS codes
                          FROM jsonb_array_elements(d.inputs -> 'items') i
                          JOIN indicator n ON n.indicator_id = (i ->> 'id')::bigint
                         WHERE (i ->> 'missed')::boolean) want
    CROSS JOIN LATERAL (SELECT array_agg(n.code ORDER BY n.code) AS codes FROM indicator n
                        WHERE n.indicator_id = ANY (r.missed)) have
   WHERE r.status = 'locked' AND want.codes IS DISTINCT FROM have.codes
  UNION ALL
  SELECT 'result_missing', 'review', r.review_id, r.status, count(x.result_id)::text || ' standing results'
    FROM slice r LEFT JOIN result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   GROUP BY r.review_id, r.status HAVING (r.status = 'locked') <> (count(x.result_id) = 1)
  UNION ALL
  SELECT 'result_score', 'review_result', x.result_id, r.composite::text, x.composite::text
    FROM result x JOIN slice r USING (review_id)
      WHERE x.reopened_by IS NULL AND coalesce(x.original, x.composite) <> r.composite
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
    CROSS JOIN LATERAL (SELECT sum((i ->> 'points')::numeric) AS points, count(*) AS items
                        FROM jsonb_array_elements(d.inputs -> 'items') i) p
   WHERE d.kind = 'review.lock' AND d.cause = 'review' AND d.cause_id BETWEEN from_id AND until_id
     AND (d.inputs ->> 'missing')::int = 0 AND NOT d.inputs ? 'vetoed'
     AND abs(p.points - coalesce(d.inputs #>> '{calibration,original}',
                                 d.outcome ->> 'score')::numeric) > 0.0001 * p.items;
END;
COMMENT ON FUNCTION verify_results(bigint, bigint) IS
  'Results, their grades and their decisions that differ from the reviews that were locked.';

-- What the rules about facts let in, found by those who went past them.
CREATE FUNCTION verify_given(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT 'score_value', 'score', s.score_id, hrloop.rounded(s.raw_value * 100 / s.scale_max)::text, s.value::text
    FROM score s
   WHERE s.review_id BETWEEN from_id AND until_id AND s.raw_value IS NOT NULL
     AND s.value IS DISTINCT FROM hrloop.rounded(s.raw_value * 100 / s.scale_max)
  UNION ALL
  SELECT 'score_rationale', 'score', s.score_id, 'a reason', coalesce(s.rationale, 'none')
    FROM score s JOIN rater_group g USING (rater_group)
   WHERE s.review_id BETWEEN from_id AND until_id AND g.rationale_required
     AND hrloop.meaningful_chars(coalesce(s.rationale, '')) = 0
  UNION ALL
  SELECT 'score_rater', 'score', s.score_id, CASE s.rater_group WHEN 'self' THEN 'the employee'
    ELSE 'somebody else' END,
         b.employee_no
    FROM score s JOIN review r USING (review_id) JOIN employee b ON b.employee_id = s.rater_id
   WHERE s.review_id BETWEEN from_id AND until_id AND (s.rater_group = 'self') <> (s.rater_id = r.employee_id)
  UNION ALL
  -- of any version of a template that the cycle uses: after a transfer that was undone scores may be left
  SELECT 'score_item', 'score', s.score_id, 'an indicator of the cycle', n.code
    FROM score s JOIN review r USING (review_id) JOIN indicator n USING (indicator_id)
   WHERE s.review_id BETWEEN from_id AND until_id
     AND NOT EXISTS (SELECT FROM cycle_template c JOIN review_template t USING (template_id)
                       JOIN review_template v ON v.code = t.code
                       JOIN template_item i ON i.template_id = v.template_id
                      WHERE c.cycle_id = r.cycle_id AND i.indicator_id = s.indicator_id)
  UNION ALL
  SELECT 'result_version', 'review_result', x.result_id, x.n::text, x.version::text
    FROM (SELECT o.result_id, o.version, row_number() OVER (PARTITION BY o.review_id ORDER BY o.result_id) AS n
            FROM review_result o WHERE o.review_id BETWEEN from_id AND until_id) x
   WHERE x.version <> x.n
  UNION ALL
  SELECT 'template_weight', 'template_item', i.template_item_id,
         trim_scale(i.weight * coalesce(g.weight, 100) / 100)::text, i.effective_weight::text
    FROM template_item i LEFT JOIN template_group g USING (template_group_id)
   WHERE i.template_id IN (SELECT r.template_id FROM review r WHERE r.review_id BETWEEN from_id AND until_id)
     AND i.effective_weight IS DISTINCT FROM i.weight * coalesce(g.weight, 100) / 100
  UNION ALL
  SELECT 'template_weights', 'review_template', i.template_id, '100', trim_scale(sum(i.effective_weight))::text
    FROM template_item i
   WHERE i.template_id IN (SELECT r.template_id FROM review r WHERE r.review_id BETWEEN from_id AND until_id)
   GROUP BY i.template_id HAVING sum(i.effective_weight) <> 100;
END;
COMMENT ON FUNCTION verify_given(bigint, bigint) IS
  'Scores, results and weights that no rule would have let in: a value that is not what was given, no reason, somebody '
  'who may not, an indicator of another template, a version that is left out, weights that are not 100.';

-- A slice needs some 25 MB, which is more than work_mem usually is.
CREATE FUNCTION verify_reviews(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
    SET jit = off SET work_mem = '64MB'
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  SELECT v.* FROM verify_composites(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_scores(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_results(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_given(from_id, until_id) v;
END;
COMMENT ON FUNCTION verify_reviews(bigint, bigint) IS
  'Composites, missed indicators, results and grades that differ from what their source rows come to.';
