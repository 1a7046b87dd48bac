-- review: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('review.lock',      'result', 'A review is locked: its score with all that made it (REV-06)'),
  ('review.backdate',  'result', 'HR locks a review as of another day than today, and why (REV-06)'),
  ('review.unlock',    'result', 'A locked review is opened again, and why (REV-06)'),
  ('review.deviation', 'result', 'A deviation between the two sides is explained (REV-07)'),
  ('cycle.reweight',   'nothing', 'A cycle goes over to other weights (IND-12)');

CREATE FUNCTION hold_employees(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.hold_employees('book'::regclass, employees);
END;
COMMENT ON FUNCTION hold_employees(bigint[]) IS
  'Until the transaction ends, what follows from these people''s reviews, levels, readings and pay waits: for who '
  'goes through many of them, before having any.';

CREATE FUNCTION score_rater_problem(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('rater %s had left when scoring employee %s in cycle %s', r.employee_no, e.employee_no,
                         c.code),
         format('Left since %s, scored at %s.', lower(s.valid), x.scored_at),
         'Let somebody score who is employed, or give scored_at the day on which it was really scored.',
         'score', 'rater_id', 'score_rater_left'
    FROM score x
    JOIN employee_status s ON s.employee_id = x.rater_id AND s.status = 'left' AND s.valid @> day_of(x.scored_at)
    JOIN employee r ON r.employee_id = x.rater_id
    JOIN review v ON v.review_id = x.review_id
    JOIN employee e ON e.employee_id = v.employee_id
    JOIN review_cycle c ON c.cycle_id = v.cycle_id
   WHERE x.review_id = ANY (reviews) ORDER BY x.score_id LIMIT 1;
END;
COMMENT ON FUNCTION score_rater_problem(bigint[]) IS 'Rule: who has left does not rate.';

CREATE FUNCTION score_rationale_problem(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('rater %s gives %s people the same rationale in cycle %s', e.employee_no,
                         count(DISTINCT a.review_id), c.code),
         format('Text: %s', x.rationale),
         'Say for each person what was observed. Setting rationale.max_same holds the limit.',
         'score', 'rationale', 'score_rationale_same'
    FROM score x
    JOIN review v ON v.review_id = x.review_id
    JOIN review_cycle c ON c.cycle_id = v.cycle_id
    JOIN employee e ON e.employee_id = x.rater_id
    JOIN score a ON a.rater_id = x.rater_id AND a.rationale = x.rationale
    JOIN review w ON w.review_id = a.review_id AND w.cycle_id = v.cycle_id
   WHERE x.review_id = ANY (reviews)
     AND EXISTS (SELECT FROM rater_group g WHERE g.rater_group = x.rater_group AND g.rationale_required)
   GROUP BY e.employee_no, c.code, x.rationale
  HAVING count(DISTINCT a.review_id) > setting_number('rationale.max_same') LIMIT 1;
END;
COMMENT ON FUNCTION score_rationale_problem(bigint[]) IS
  'Rule, by setting: one text is not pasted for many people (REV-05).';

-- what holds for whom ----------------------------------------------------------

-- One answer for live figures, warnings, months, causes, the checklist and what a lock freezes.
CREATE VIEW review_standard WITH (security_invoker) AS
  SELECT r.review_id, r.cycle_id, r.employee_id, i.indicator_id, i.template_item_id, i.position,
         i.effective_weight AS weight
    FROM review r JOIN template_item i USING (template_id) WHERE NOT r.segmented
  UNION ALL
  SELECT r.review_id, r.cycle_id, r.employee_id, s.indicator_id, s.template_item_id, s.position, s.weight
    FROM review r
    CROSS JOIN LATERAL (
      SELECT i.indicator_id, (array_agg(i.template_item_id ORDER BY g.segment_no))[1] AS template_item_id,
             min(g.segment_no * 1000 + i.position) AS position,
             sum(g.load * i.effective_weight) / (SELECT sum(o.load) FROM review_segment o
                                                 WHERE o.review_id = r.review_id)
               AS weight
        FROM review_segment g JOIN template_item i ON i.template_id = g.template_id
       WHERE g.review_id = r.review_id GROUP BY i.indicator_id) s
   WHERE r.segmented;
COMMENT ON VIEW review_standard IS
  'Indicators of each review, by its template or those of its segments: of several the first that has it says how it '
  'is computed.';
COMMENT ON COLUMN review_standard.review_id IS 'Review.';
COMMENT ON COLUMN review_standard.cycle_id IS 'Its cycle.';
COMMENT ON COLUMN review_standard.employee_id IS 'Its employee.';
COMMENT ON COLUMN review_standard.indicator_id IS 'Indicator.';
COMMENT ON COLUMN review_standard.template_item_id IS 'Item of the template that says how it is computed.';
COMMENT ON COLUMN review_standard.position IS 'Order.';
COMMENT ON COLUMN review_standard.weight IS 'Percent of the whole.';

CREATE FUNCTION standard_on(employee bigint, indicator bigint, on_date date)
  RETURNS TABLE (formula jsonpath, direction text, cap_pct numeric, facts jsonb) STABLE ROWS 1 LANGUAGE SQL
BEGIN ATOMIC
  SELECT coalesce(p.formula, n.formula), coalesce(p.direction, n.direction), coalesce(p.cap_pct, n.cap_pct),
         coalesce(p.facts, '{}')
    FROM indicator n
    LEFT JOIN LATERAL (
      SELECT i.formula, i.direction, i.cap_pct, coalesce(i.facts, '{}') || coalesce(t.facts, '{}') AS facts
        FROM review_cycle c
        LEFT JOIN review r ON r.cycle_id = c.cycle_id AND r.employee_id = standard_on.employee
        LEFT JOIN LATERAL (
          SELECT x.* FROM template_item x
           WHERE NOT r.segmented AND x.template_id = r.template_id AND x.indicator_id = standard_on.indicator
          UNION ALL
          (SELECT x.* FROM review_segment g JOIN template_item x ON x.template_id = g.template_id
            WHERE r.segmented AND g.review_id = r.review_id AND x.indicator_id = standard_on.indicator
            ORDER BY on_date BETWEEN g.from_date AND g.until_date DESC, g.segment_no LIMIT 1)) i ON true
        LEFT JOIN target t ON t.cycle_id = c.cycle_id AND t.employee_id = standard_on.employee
                          AND t.indicator_id = standard_on.indicator
       WHERE c.period @> on_date AND (i.template_item_id IS NOT NULL OR t.target_id IS NOT NULL)
       ORDER BY c.cycle_id DESC LIMIT 1) p ON true
   WHERE n.indicator_id = standard_on.indicator;
END;
COMMENT ON FUNCTION standard_on(bigint, bigint, date) IS
  'How an indicator is computed for somebody on a day: as the cycle of that day pinned it, in the segment of that day, '
  'with targets of one''s own before those of everybody; where no cycle measures it, as the indicator says now.';

-- the score item by item ------------------------------------------------------

-- Value and attainment of an indicator from the groups that count; in a segment
-- from its own superior, or from one who is above all segments.
CREATE FUNCTION part_value(review bigint, template bigint, indicator bigint, segmented boolean, superior bigint,
                           named boolean)
  RETURNS TABLE (value numeric, attainment numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT sum(g.weight * m.value) / sum(g.weight),
         sum(g.weight * m.attainment) / sum(g.weight) FILTER (WHERE m.attainment IS NOT NULL)
    FROM (SELECT x.rater_group, avg(round(x.value, 30)) AS value, avg(round(x.attainment, 30)) AS attainment,
          count(*) AS raters
            FROM score x
           WHERE x.review_id = part_value.review AND x.indicator_id = part_value.indicator
             AND (NOT part_value.segmented OR x.rater_id = part_value.superior
                  OR NOT EXISTS (SELECT FROM rater_group k
                                 WHERE k.rater_group = x.rater_group AND k.relation = 'superior')
                  OR NOT EXISTS (SELECT FROM review_segment h
                                 WHERE h.review_id = part_value.review AND h.manager_id = x.rater_id))
           GROUP BY x.rater_group) m
    JOIN template_rater_group g ON g.template_id = part_value.template AND g.rater_group = m.rater_group
      AND g.weight > 0
                               AND (g.below_minimum <> 'drop' OR m.raters >= g.minimum)
                                 AND (g.minimum = 0 OR NOT part_value.named)
  HAVING count(*) FILTER (WHERE g.required) = (SELECT count(*) FROM template_rater_group q
                                                WHERE q.template_id = part_value.template AND q.required
                                                  AND q.weight > 0);
END;
COMMENT ON FUNCTION part_value(bigint, bigint, bigint, boolean, bigint, boolean) IS
  'Value (0-100) and attainment (percent) of an indicator in a review, or in one segment of it, not rounded; no row '
  'while a required group is missing (REV-07).';

CREATE FUNCTION item_values(review bigint, template bigint, segmented boolean, named boolean DEFAULT false)
  RETURNS TABLE (item_no integer, indicator_id bigint, weight numeric, value numeric, attainment numeric,
                 product numeric,
                 tier_scale_id bigint, veto_at numeric, veto_cap numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT t.position, t.indicator_id, t.effective_weight, hrloop.rounded(v.value), hrloop.rounded(v.attainment),
         t.effective_weight * v.value / 100,
         t.tier_scale_id, t.veto_at, t.veto_cap
    FROM template_item t
    LEFT JOIN LATERAL part_value(item_values.review, item_values.template, t.indicator_id, false, NULL::bigint,
                                 item_values.named) v ON true
   WHERE t.template_id = item_values.template AND NOT item_values.segmented
  UNION ALL
  SELECT min(s.segment_no * 1000 + t.position), t.indicator_id,
         trim_scale(round(100 * sum(s.load * t.effective_weight) / min(w.total), 4)),
         hrloop.rounded(sum(s.load * t.effective_weight * v.value) / sum(s.load * t.effective_weight)
                        FILTER (WHERE v.value IS NOT NULL)),
         hrloop.rounded(sum(s.load * t.effective_weight * v.attainment) / sum(s.load * t.effective_weight)
                        FILTER (WHERE v.attainment IS NOT NULL)),
         sum(s.load * t.effective_weight * v.value) / min(w.total), min(t.tier_scale_id), min(t.veto_at),
         min(t.veto_cap)
    FROM review_segment s
    JOIN template_item t ON t.template_id = s.template_id
    CROSS JOIN LATERAL (SELECT 100 * sum(o.load) AS total FROM review_segment o WHERE o.review_id = s.review_id) w
    LEFT JOIN LATERAL part_value(s.review_id, item_values.template, t.indicator_id, true, s.manager_id,
                                 item_values.named) v ON true
   WHERE s.review_id = item_values.review AND item_values.segmented
   GROUP BY t.indicator_id;
END;
COMMENT ON FUNCTION item_values(bigint, bigint, boolean, boolean) IS
  'Indicators of a review with percent of the whole, value and attainment (4 decimals), product (points, not rounded) '
  'and veto; named: only from groups whose raters are named.';

CREATE VIEW review_item WITH (security_invoker) AS
  SELECT r.review_id, r.cycle_id, r.employee_id, i.item_no AS position, i.indicator_id, n.code AS indicator_code,
         n.name AS indicator_name,
         i.weight, i.value, i.attainment,
         (SELECT b.label FROM band b WHERE b.scale_id = i.tier_scale_id AND b.range @> i.attainment) AS tier,
         i.indicator_id = ANY (r.missed) AS missed, hrloop.rounded(i.product) AS points
    FROM review r
    CROSS JOIN LATERAL item_values(r.review_id, r.template_id, r.segmented) i
    JOIN indicator n ON n.indicator_id = i.indicator_id;
COMMENT ON VIEW review_item IS
  'Every indicator of every review: value, attainment, missed flag and the points it brings (IND-03, IND-11).';
COMMENT ON COLUMN review_item.review_id IS 'Review.';
COMMENT ON COLUMN review_item.cycle_id IS 'Its cycle.';
COMMENT ON COLUMN review_item.employee_id IS 'Its employee.';
COMMENT ON COLUMN review_item.position IS 'Order.';
COMMENT ON COLUMN review_item.indicator_id IS 'Indicator.';
COMMENT ON COLUMN review_item.indicator_code IS 'Its code.';
COMMENT ON COLUMN review_item.indicator_name IS 'Its name.';
COMMENT ON COLUMN review_item.weight IS 'Percent of the whole.';
COMMENT ON COLUMN review_item.value IS 'Score 0-100 from the groups that count; null: not scored.';
COMMENT ON COLUMN review_item.attainment IS 'Attainment in percent; null: judged, or not scored.';
COMMENT ON COLUMN review_item.tier IS 'Level of attainment, if the indicator has tiers.';
COMMENT ON COLUMN review_item.missed IS 'Whether it counts as missed (未达标).';
COMMENT ON COLUMN review_item.points IS 'Points of the composite: weight × value / 100.';

-- While a review is open nobody may watch anonymous scores come in: whoever is
-- not HR sees the composite without them until the lock (REV-07).
CREATE FUNCTION sees_all_scores() RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN actor() IS NULL THEN owns_books() ELSE holds_role('hr', actor()) END;
COMMENT ON FUNCTION sees_all_scores() IS
  'Whether who acts may see composites of open reviews with the anonymous scores in them: HR, and the owner of the '
  'books when nobody acts.';

-- the status of a review ------------------------------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('review.tolerance', 'number', '5', '5',
   'A review whose composite and self composite differ by more points than this needs a reason to be locked; 0: any '
   'difference; null: never (REV-04, AMB-23)');
UPDATE setting SET least = 0 WHERE setting = 'review.tolerance';

CREATE FUNCTION review_pinned(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('pinned when the cycle opened: review of employee %s, cycle %s', e.employee_no, c.code),
         'Employee, cycle, template, manager, unit and job of a review do not change.', NULL,
         'review', 'template_id', 'review_pinned'
    FROM review r JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
   WHERE r.review_id = ANY (reviews) ORDER BY r.review_id LIMIT 1;
END;
COMMENT ON FUNCTION review_pinned(bigint[]) IS 'Rule: what the opening of a cycle pinned stays.';
-- The one act that the rules about templates let through, in its own transaction.
CREATE FUNCTION reweighted_now(cycle bigint, template bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN EXISTS (SELECT FROM decision d WHERE d.cause = 'review_cycle' AND d.cause_id = cycle
                 AND d.kind = 'cycle.reweight'
                    AND d.rule_id = template AND hrloop.of_this_transaction(d.xmin, d.decided_at));
COMMENT ON FUNCTION reweighted_now(bigint, bigint) IS
  'Whether reweight_cycle() has put a cycle on a template in this transaction.';
CREATE FUNCTION review_template_pinned(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH version AS MATERIALIZED (
    SELECT u.cycle_id, u.template_id, reweighted_now(u.cycle_id, u.template_id) AS decided
      FROM (SELECT DISTINCT r.cycle_id, r.template_id FROM review r WHERE r.review_id = ANY (reviews)) u
  )
  SELECT p.* FROM review_pinned(ARRAY(
    SELECT r.review_id FROM review r JOIN version v USING (cycle_id, template_id)
     WHERE r.review_id = ANY (reviews) AND (r.status = 'locked' OR NOT v.decided))) p;
END;
COMMENT ON FUNCTION review_template_pinned(bigint[]) IS
  'Rule: so does the template, but for reweight_cycle() and reviews that are not locked (IND-12).';
SELECT register_follow('review', '{update}', 100, 'review_pinned', key => 'review_id',
                       changed => '{cycle_id,employee_id,manager_id,org_unit_id,job_id}');
SELECT register_follow('review', '{update}', 110, 'review_template_pinned', key => 'review_id',
                       changed => '{template_id}');

CREATE FUNCTION review_status_problem(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('not complete: review of employee %s, cycle %s', e.employee_no, c.code),
         coalesce((SELECT format('Not scored: %s.', string_agg(i.indicator_code, ', ' ORDER BY i.position))
                   FROM review_item i
                    WHERE i.review_id = r.review_id AND i.value IS NULL HAVING count(*) > 0),
                  (SELECT format('Segments not scored by their managers: %s.',
                                 string_agg(DISTINCT coalesce(m.employee_no, '-'), ', '))
                     FROM review_segment g JOIN template_item i USING (template_id)
                       LEFT JOIN employee m ON m.employee_id = g.manager_id
                    WHERE g.review_id = r.review_id
                      AND NOT EXISTS (SELECT
                                      FROM part_value(r.review_id, r.template_id, i.indicator_id, true, g.manager_id,
                                                      false) v WHERE v.value IS NOT NULL)
                   HAVING count(*) > 0), 'A rater group has fewer raters than its minimum.'),
         'Score what is missing, or use a template whose missing_policy is renormalise or zero.', 'review', 'status',
         'review_complete'
    FROM review r JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
   WHERE r.review_id = ANY (reviews) AND r.status = 'locked' AND (NOT r.complete OR r.composite IS NULL)
  UNION ALL
  SELECT '23502', format('an unlock needs a reason: review of employee %s, cycle %s', e.employee_no, c.code), NULL,
         'Use unlock_review(cycle, employee, reason).', 'review', 'reopen_reason', 'review_reopen_reason'
    FROM review r JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'
     AND hrloop.meaningful_chars(coalesce(r.reopen_reason, '')) = 0
  UNION ALL
  SELECT '55000', format('blocked: review of employee %s, cycle %s', e.employee_no, c.code),
         format('Reason: %s', g.reason),
         'Clear or waive the employee''s review_gate, then call unblock_reviews(cycle).', 'review', 'status',
         'review_gate'
    FROM review r JOIN review_gate g USING (cycle_id, employee_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE r.review_id = ANY (reviews) AND r.status NOT IN ('blocked', 'not_rated') AND g.waived_because IS NULL
  UNION ALL
  SELECT '23514', format('a deviation%s needs a reason: review of employee %s, cycle %s',
                         CASE WHEN sees_all_scores() OR NOT r.anonymous
                              THEN ' of ' || trim_scale(abs(r.composite - r.self_composite)) END, e.employee_no,
                              c.code),
         CASE WHEN sees_all_scores() OR NOT r.anonymous
              THEN format('Composite %s, self composite %s, tolerance %s.', trim_scale(r.composite),
                          trim_scale(r.self_composite), trim_scale(tolerance))
                   || coalesce(' The reason that is there was given for a difference of '
                               || trim_scale(r.deviation_explained) || '.', '') END,
         'Give it with explain_deviation(cycle, employee, reason). Setting review.tolerance holds the limit.',
         'review', 'deviation_reason', 'review_deviation_reason'
    FROM (SELECT setting_number('review.tolerance') AS tolerance) t
    JOIN review r ON abs(r.composite - r.self_composite) > t.tolerance
    JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
   WHERE r.review_id = ANY (reviews) AND r.status = 'locked'
     AND r.deviation_explained IS DISTINCT FROM r.composite - r.self_composite;
END;
COMMENT ON FUNCTION review_status_problem(bigint[]) IS
  'Rules: only complete reviews lock, an unlock has a reason, a gate holds, a deviation from the self composite is '
  'explained (REV-04).';
SELECT register_follow('review', '{update}', 250, 'review_status_problem', key => 'review_id', changed => '{status}');

CREATE FUNCTION deviation_problem(reviews bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- a reason is for the difference that there is when it is given
  UPDATE review r SET deviation_explained = CASE WHEN r.deviation_reason IS NOT NULL
                                                 THEN r.composite - r.self_composite END
   WHERE r.review_id = ANY (reviews) AND num_nonnulls(r.deviation_reason, r.deviation_explained) > 0;
  SELECT '55000', format('locked: review of employee %s, cycle %s', e.employee_no, c.code),
         'The decision of the lock keeps the reason of its deviation.',
         'Use unlock_review(cycle, employee, reason) first.',
         'review', 'deviation_reason', 'review_deviation_locked'
    FROM review r JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   WHERE r.review_id = ANY (reviews) AND r.status = 'locked' ORDER BY r.review_id LIMIT 1;
END;
COMMENT ON FUNCTION deviation_problem(bigint[]) IS
  'Rule: the reason of a deviation is given before the lock, for the difference that there is then (REV-04).';
SELECT register_follow('review', '{update}', 210, 'deviation_problem', key => 'review_id',
                       changed => '{deviation_reason}');

-- cycles, reviews and scores --------------------------------------------------

-- The day of a lock opens windows (appeals, pay), so the parties do not choose it.
CREATE FUNCTION lock_day_problem(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('a review of cycle "%s" cannot be locked as of %s: employee %s', c.code, r.locked_on,
                         e.employee_no),
         format('The cycle begins on %s; today is %s.', lower(c.period), today()),
         'Give a day of the cycle or after it, not in the future.', 'review', 'locked_on', 'review_lock_day'
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE r.review_id = ANY (reviews) AND r.status = 'locked'
     AND (r.locked_on < lower(c.period) OR r.locked_on > today())
  UNION ALL
  SELECT '42501', format('%s locks as of today, not as of %s: review of employee %s, cycle %s', who(), r.locked_on,
                         e.employee_no, c.code), NULL,
         'HR can lock as of another day with a reason: lock_review(cycle, employee, on_date, reason).', 'review',
         'locked_on', 'review_lock_today'
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE r.review_id = ANY (reviews) AND r.status = 'locked' AND r.locked_on <> today() AND actor() IS NOT NULL
     AND NOT EXISTS (SELECT FROM decision d
                      WHERE d.employee_id = r.employee_id AND d.kind IN ('review.backdate', 'appeal.upheld')
                        AND hrloop.of_this_transaction(d.xmin, d.decided_at))
  LIMIT 1;
END;
COMMENT ON FUNCTION lock_day_problem(bigint[]) IS
  'Rules: no review is locked as of a day before its cycle or in the future, and who acts locks as of today, but for '
  'HR with a reason (REV-06).';
SELECT register_follow('review', '{update}', 255, 'lock_day_problem', key => 'review_id', changed => '{status}');

CREATE FUNCTION target_problem(targets bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '22023', format('target of indicator "%s" for employee %s: %s', i.code, e.employee_no,
                         target_fault(i.indicator_id, t.facts)),
         format('Given: %s; its targets: %s.', t.facts, fact_names(i.indicator_id, 'target')),
         'Leave the row out if there is none; declare_fact(indicator, fact, ''target'') says what is a target.',
         'target', 'facts', 'target_fault'
    FROM target t JOIN indicator i USING (indicator_id) JOIN employee e USING (employee_id)
   WHERE t.target_id = ANY (targets) AND target_fault(i.indicator_id, t.facts) IS NOT NULL
   ORDER BY t.target_id LIMIT 1;
END;
COMMENT ON FUNCTION target_problem(bigint[]) IS
  'Rule: targets are those that the indicator has, and its formula comes to something with them (IND-03).';
SELECT register_follow('target', '{insert,update}', 100, 'target_problem', key => 'target_id');

CREATE FUNCTION fact_problem(indicators bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('fact "%s" of indicator "%s" was given as %s', u.fact, i.code, u.role), NULL,
         'Make another indicator; what was scored stands on the facts as they were.', 'indicator_fact', 'role',
         'indicator_fact_given'
    FROM indicator i
    CROSS JOIN LATERAL (
      SELECT 'actual' AS role, k AS fact
        FROM score s CROSS JOIN LATERAL jsonb_object_keys(s.facts) AS k WHERE s.indicator_id = i.indicator_id
      UNION ALL
      SELECT 'actual', k FROM measurement m CROSS JOIN LATERAL jsonb_object_keys(m.facts) AS k
       WHERE m.indicator_id = i.indicator_id
      UNION ALL
      SELECT 'target', k FROM target t CROSS JOIN LATERAL jsonb_object_keys(t.facts) AS k
       WHERE t.indicator_id = i.indicator_id
      UNION ALL
      SELECT 'target', k
        FROM template_item t JOIN review_template v USING (template_id)
          CROSS JOIN LATERAL jsonb_object_keys(t.facts) AS k
       WHERE t.indicator_id = i.indicator_id AND v.activated_at IS NOT NULL) u
   WHERE i.indicator_id = ANY (indicators)
     AND NOT EXISTS (SELECT FROM indicator_fact f
                      WHERE f.indicator_id = i.indicator_id AND f.fact = u.fact AND f.role = u.role)
   ORDER BY i.code, u.fact, u.role LIMIT 1;
END;
COMMENT ON FUNCTION fact_problem(bigint[]) IS
  'Rule: what was given as an actual does not become a target, nor the other way round.';
SELECT register_follow('indicator_fact', '{update,delete}', 200, 'fact_problem', key => 'indicator_id',
                       changed => '{fact,role}');

-- Frozen with the cycle: targets and the assignment of templates.
CREATE FUNCTION cycle_frozen(cycles bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who opens it at the same time goes first, or waits
  SELECT count(*) FROM (SELECT FROM review_cycle c WHERE c.cycle_id = ANY (cycles) ORDER BY c.cycle_id FOR SHARE) l;
  SELECT '55000', format('cycle "%s" is %s: its templates and targets are frozen', c.code, c.status), NULL,
         'Set them before open_cycle(), or in the next cycle.', 'review_cycle', 'status', 'cycle_frozen'
    FROM review_cycle c WHERE c.cycle_id = ANY (cycles) AND c.status <> 'draft';
END;
COMMENT ON FUNCTION cycle_frozen(bigint[]) IS 'Rule: an open cycle keeps templates, weights and targets (AMB-19).';
CREATE FUNCTION target_frozen(targets bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.* FROM cycle_frozen(ARRAY(SELECT t.cycle_id FROM target t WHERE t.target_id = ANY (targets)
    AND NOT EXISTS (SELECT FROM decision d
                    WHERE d.decision_id = t.decision_id AND hrloop.of_this_transaction(d.xmin, d.decided_at)))) p;
END;
COMMENT ON FUNCTION target_frozen(bigint[]) IS
  'Rule: an open cycle keeps its targets, but for absence that is known later.';
SELECT register_follow('target', '{insert,update}', 200, 'target_frozen', key => 'target_id');
SELECT register_follow('target', '{delete}', 200, 'cycle_frozen', key => 'cycle_id');
SELECT register_follow('cycle_template', '{insert,update,delete}', 200, 'cycle_frozen', key => 'cycle_id',
  changed => '{cycle_template_id,cycle_id,unit_kind,job_family,job_id}');
CREATE FUNCTION cycle_template_frozen(assignments bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.* FROM cycle_frozen(ARRAY(SELECT t.cycle_id FROM cycle_template t
                                     WHERE t.cycle_template_id = ANY (assignments)
                                        AND NOT reweighted_now(t.cycle_id, t.template_id))) p;
END;
COMMENT ON FUNCTION cycle_template_frozen(bigint[]) IS
  'Rule: an open cycle keeps its templates, but for reweight_cycle() (IND-12).';
SELECT register_follow('cycle_template', '{update}', 100, 'cycle_template_frozen', key => 'cycle_template_id',
                       changed => '{template_id}');
SELECT register_follow('review_cycle', '{insert,update}', 200, 'cycle_frozen', key => 'cycle_id',
  changed => '{code,period,grade_scale_id,pay_effective,pay_effective_on}');

-- what people read ------------------------------------------------------------

INSERT INTO message_text (kind, locale, body) VALUES
  ('score.calibrated',          'zh', '校准:原得分{original}分,校准为{calibrated}分({session}):{reason}'),
  ('score.calibrated',          'en', 'Calibrated from {original} to {calibrated} ({session}): {reason}'),
  ('score.segment',             'zh', '{from}至{until}任职段权重{weight}%'),
  ('score.segment',             'en', 'Assignment from {from} to {until} weighs {weight} %'),
  ('score.veto',                'zh', '一票否决:{indicators},综合得分以{score}分为上限'),
  ('score.veto',                'en', 'Veto by {indicators}: the composite is at most {score}'),
  ('score.missing.block',       'zh', '未评:{indicators}'),
  ('score.missing.block',       'en', 'Not scored: {indicators}'),
  ('score.missing.zero',        'zh', '未评,按0分计:{indicators}'),
  ('score.missing.zero',        'en', 'Not scored, counted as 0: {indicators}'),
  ('score.missing.renormalise', 'zh', '未评:{indicators};按已评权重{weight}%折算:{points}÷{weight}%={score}分'),
  ('score.missing.renormalise', 'en',
   'Not scored: {indicators}; the rest counts in full: {points} ÷ {weight} % = {score}');
