-- review: what is shown.

-- the score item by item ------------------------------------------------------

CREATE FUNCTION shown_items(review bigint)
  RETURNS TABLE ("position" integer, indicator_id bigint, value numeric, attainment numeric, missed boolean)
  STABLE SECURITY DEFINER SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT i.item_no, i.indicator_id, i.value, i.attainment, CASE WHEN s.whole THEN i.indicator_id = ANY (r.missed) END
    FROM review r
    CROSS JOIN LATERAL (SELECT knows_whole(r.status, r.anonymous) AS whole) s
    CROSS JOIN LATERAL item_values(r.review_id, r.template_id, r.segmented, NOT s.whole) i
   WHERE r.review_id = shown_items.review
     AND CASE WHEN actor() = r.employee_id THEN disclosed(r.review_id)
              ELSE hrloop.visible('book'::regclass, r.employee_id) OR actor() = r.manager_id END;
END;
COMMENT ON FUNCTION shown_items(bigint) IS
  'Value, attainment and missed flag of the indicators of a review as who acts may see them: until the lock without '
  'the scores of anonymous raters, and then the flag is null; the employee once disclosed (REV-07, REV-08).';

-- other weights ---------------------------------------------------------------

CREATE FUNCTION weights_asked(template text, weights jsonb, cycle text) RETURNS bigint STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('22023', format('template "%s" of cycle "%s" does not have indicator "%s"', template, cycle,
                                     k.key))
    FROM jsonb_object_keys(weights) AS k (key)
   WHERE NOT EXISTS (SELECT FROM cycle_template ct JOIN review_template t USING (template_id)
                     JOIN template_item i USING (template_id) JOIN indicator n USING (indicator_id)
                      WHERE ct.cycle_id = (SELECT find_cycle(cycle)) AND t.code = template AND n.code = k.key);
  SELECT hrloop.fail('23514', format('weights sum to %s, not 100', trim_scale(p.total)),
                     format('Part: %s.', coalesce('group ' || p.part, 'the whole template')),
                     'What is not named keeps its weight.')
    FROM (SELECT t.template_id, g.code AS part, sum(coalesce((weights ->> n.code)::numeric, i.weight))
                 + CASE WHEN g.code IS NULL
                   THEN coalesce((SELECT sum(x.weight) FROM template_group x WHERE x.template_id = t.template_id), 0)
                     ELSE 0 END AS total
            FROM review_template t JOIN template_item i USING (template_id) JOIN indicator n USING (indicator_id)
            LEFT JOIN template_group g ON g.template_group_id = i.template_group_id
           WHERE t.code = template AND EXISTS (SELECT FROM cycle_template ct
                                               WHERE ct.cycle_id = (SELECT find_cycle(cycle))
                                                 AND ct.template_id = t.template_id)
           GROUP BY t.template_id, g.code) p
   WHERE p.total <> 100;
  SELECT 0::bigint;
END;
COMMENT ON FUNCTION weights_asked(text, jsonb, text) IS
  'First step of what_if(): whether a template can have these weights. Errors: 23514 they do not sum to 100, 22023 '
  'unknown.';

CREATE FUNCTION what_if(template text, weights jsonb, cycle text)
  RETURNS TABLE (employee_no text, before numeric, after numeric, grade_before text, grade_after text) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  SELECT weights_asked(template, weights, cycle);
  WITH item AS (
    SELECT r.review_id, t.missing_policy,
           p.load * coalesce(CASE WHEN o.code = what_if.template THEN (weights ->> n.code)::numeric END,
                             i.weight) * coalesce(g.weight, 100) / 100 AS weight,
           v.value, i.indicator_id, i.veto_at, i.veto_cap
      FROM review r
      CROSS JOIN LATERAL (SELECT r.template_id, NULL::bigint AS manager_id, 1 AS load WHERE NOT r.segmented
                          UNION ALL
                          SELECT s.template_id, s.manager_id, s.load FROM review_segment s
                            WHERE s.review_id = r.review_id AND r.segmented) p
      JOIN template_item i ON i.template_id = p.template_id
      JOIN indicator n USING (indicator_id)
      JOIN review_template t ON t.template_id = r.template_id
      JOIN review_template o ON o.template_id = p.template_id
      LEFT JOIN template_group g ON g.template_group_id = i.template_group_id
      -- what who asks may know before the lock, and no more
      LEFT JOIN LATERAL part_value(r.review_id, r.template_id, i.indicator_id, r.segmented, p.manager_id,
                                   NOT knows_whole(r.status, r.anonymous)) v ON true
     WHERE r.cycle_id = (SELECT find_cycle(cycle))
       AND (t.code = template OR r.segmented
            AND EXISTS (SELECT FROM review_segment s JOIN review_template x USING (template_id)
                                                           WHERE s.review_id = r.review_id AND x.code = template))
       AND (holds_role('hr', actor()) OR holds_role('executive', actor()) OR actor() IS NULL AND owns_books())
  ), cap AS (
    SELECT c.review_id, min(c.veto_cap) AS cap
      FROM (SELECT i.review_id, min(i.veto_cap) AS veto_cap FROM item i WHERE i.value IS NOT NULL
             GROUP BY i.review_id, i.indicator_id
            HAVING hrloop.rounded(sum(i.weight * i.value) / sum(i.weight)) <= min(i.veto_at)) c
     GROUP BY c.review_id
  ), fresh AS (
    SELECT i.review_id, round(LEAST(i.composite, cap.cap), 4) AS composite
      FROM (SELECT i.review_id,
                   hrloop.rounded(CASE WHEN count(i.value) = count(*)
                                  OR i.missing_policy = 'zero' THEN sum(i.weight * i.value) / sum(i.weight)
                                       WHEN i.missing_policy = 'renormalise'
                                         THEN sum(i.weight * i.value) / NULLIF(sum(i.weight)
                                                                               FILTER (WHERE i.value IS NOT NULL), 0)
                                  END) AS composite
              FROM item i GROUP BY i.review_id, i.missing_policy HAVING count(i.value) > 0) i
      LEFT JOIN cap USING (review_id)
     WHERE i.composite IS NOT NULL
  )
  SELECT e.employee_no, k.composite, f.composite, (band_of(c.grade_scale_id, k.composite)).label,
         (band_of(c.grade_scale_id, f.composite)).label
    FROM fresh f JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
      JOIN employee e USING (employee_id)
    CROSS JOIN LATERAL (SELECT CASE WHEN knows_whole(r.status, r.anonymous) THEN r.composite
                                    ELSE named_composite(r.review_id) END AS composite) k
   WHERE f.composite IS NOT NULL OR k.composite IS NOT NULL
   ORDER BY e.employee_no;
END;
COMMENT ON FUNCTION what_if(text, jsonb, text) IS
  'What other weights {"indicator": percent within its part} would make of the composites of a cycle, without writing '
  'anything; for HR, executives and the owner, no rows for anybody else. Errors: 23514 weights do not sum to 100, '
  '22023 unknown (IND-12).';

CREATE FUNCTION what_if_summary(template text, weights jsonb, cycle text)
  RETURNS TABLE (side text, reviews bigint, mean numeric, lowest numeric, highest numeric, grades jsonb) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  WITH side AS (
    SELECT s.n, s.side, s.composite, coalesce(s.grade, '-') AS grade
      FROM what_if(template, weights, cycle) w
      CROSS JOIN LATERAL (VALUES (1, 'before', w.before, w.grade_before), (2, 'after', w.after, w.grade_after))
        AS s (n, side, composite, grade)
     WHERE s.composite IS NOT NULL
  )
  SELECT s.side, count(*), round(avg(s.composite), 2), min(s.composite), max(s.composite),
         (SELECT jsonb_object_agg(g.grade, g.count)
          FROM (SELECT x.grade, count(*) FROM side x WHERE x.side = s.side GROUP BY x.grade) g)
    FROM side s GROUP BY s.n, s.side ORDER BY s.n;
END;
COMMENT ON FUNCTION what_if_summary(text, jsonb, text) IS
  'The same in two lines, before and after: count, mean (2 decimals), lowest, highest and grade counts (IND-12).';

-- what people read ------------------------------------------------------------

CREATE FUNCTION own_side(review bigint) RETURNS TABLE (self_composite numeric, both_in boolean) STABLE ROWS 1
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT CASE WHEN b.both_in OR actor() = r.employee_id THEN r.self_composite END, b.both_in
    FROM review r
    CROSS JOIN LATERAL (SELECT r.status = 'locked'
                        OR (r.composite IS NOT NULL AND r.self_composite IS NOT NULL) AS both_in) b
   WHERE r.review_id = own_side.review
     AND (actor() = r.employee_id OR actor() = r.manager_id OR holds_role('hr', actor()) OR actor() IS NULL
          AND owns_books());
END;
COMMENT ON FUNCTION own_side(bigint) IS
  'The employee''s own score, to others once both sides are in, and whether they are; for the employee, the manager, '
  'HR and the owner (REV-03).';

CREATE VIEW assessment WITH (security_invoker) AS
  SELECT r.review_id, c.code AS cycle_code, e.employee_no, m.employee_no AS manager_no,
         seen.self_composite AS self_score,
         CASE WHEN seen.both_in OR actor() = r.manager_id THEN shown_composite(r.review_id) END AS manager_score,
         seen.both_in
    FROM review r
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
    LEFT JOIN employee m ON m.employee_id = r.manager_id
    CROSS JOIN LATERAL own_side(r.review_id) seen
   WHERE actor() = r.employee_id OR actor() = r.manager_id OR holds_role('hr', actor()) OR actor() IS NULL
     AND owns_books();
COMMENT ON VIEW assessment IS
  'Self and manager score side by side; neither side sees the other''s before both are in, nor the employee the '
  'manager''s before it is disclosed (REV-03, REV-08).';
COMMENT ON COLUMN assessment.review_id IS 'Review.';
COMMENT ON COLUMN assessment.cycle_code IS 'Cycle.';
COMMENT ON COLUMN assessment.employee_no IS 'Employee.';
COMMENT ON COLUMN assessment.manager_no IS 'Manager.';
COMMENT ON COLUMN assessment.self_score IS 'The employee''s own composite, if you may see it yet.';
COMMENT ON COLUMN assessment.manager_score IS 'The manager''s composite, if you may see it yet.';
COMMENT ON COLUMN assessment.both_in IS 'Whether both are in.';

-- Runs as the owner of the books: both composites are hidden as they are.
CREATE FUNCTION deviation_holds(review bigint) RETURNS boolean STABLE SECURITY DEFINER SET search_path FROM CURRENT
  LANGUAGE SQL
  RETURN (SELECT r.deviation_explained = r.composite - r.self_composite FROM review r WHERE r.review_id = review);
COMMENT ON FUNCTION deviation_holds(bigint) IS
  'Whether the reason of a deviation was given for the difference that there is now; null: there is no reason.';

CREATE VIEW score_deviation WITH (security_invoker) AS
  SELECT a.review_id, a.cycle_code, a.employee_no, a.manager_no, a.manager_score, a.self_score,
         a.manager_score - a.self_score AS deviation, t.tolerance,
         coalesce(abs(a.manager_score - a.self_score) > t.tolerance, false) AS reason_required,
         CASE WHEN deviation_holds(r.review_id) THEN r.deviation_reason END AS deviation_reason
    FROM assessment a
    JOIN review r USING (review_id)
    CROSS JOIN LATERAL (SELECT CASE WHEN r.status = 'locked' THEN
                                 (SELECT (d.inputs ->> 'tolerance')::numeric FROM review_result x
                                  JOIN decision d USING (decision_id)
                                   WHERE x.review_id = r.review_id AND x.reopened_by IS NULL)
                               ELSE setting_number('review.tolerance') END AS tolerance) t
   WHERE a.manager_score IS NOT NULL AND a.self_score IS NOT NULL;
COMMENT ON VIEW score_deviation IS
  'Composite against self composite once both are in, and whether a reason is required; for those who may read both '
  '(REV-04).';
COMMENT ON COLUMN score_deviation.review_id IS 'Review.';
COMMENT ON COLUMN score_deviation.cycle_code IS 'Cycle.';
COMMENT ON COLUMN score_deviation.employee_no IS 'Employee.';
COMMENT ON COLUMN score_deviation.manager_no IS 'Manager.';
COMMENT ON COLUMN score_deviation.manager_score IS 'The manager''s composite.';
COMMENT ON COLUMN score_deviation.self_score IS 'The employee''s own composite.';
COMMENT ON COLUMN score_deviation.deviation IS 'manager_score - self_score.';
COMMENT ON COLUMN score_deviation.tolerance IS
  'Setting review.tolerance, of a locked review as it was at the lock; null: off.';
COMMENT ON COLUMN score_deviation.reason_required IS 'Whether the deviation is greater than that, either way.';
COMMENT ON COLUMN score_deviation.deviation_reason IS 'The reason given for this difference; null: none yet.';

CREATE VIEW my_checklist WITH (security_invoker) AS
  SELECT r.review_id, c.code AS cycle_code, r.status, s.position, n.code AS indicator_code, n.name AS indicator_name,
         trim_scale(round(s.weight, 4)) AS weight, i.definition, i.formula::text AS formula, i.standard, i.task,
         i.facts || coalesce(g.facts, '{}') AS facts
    FROM review r
    JOIN review_cycle c USING (cycle_id)
    JOIN review_standard s ON s.review_id = r.review_id
    JOIN template_item i USING (template_item_id)
    JOIN indicator n ON n.indicator_id = s.indicator_id
    LEFT JOIN target g ON g.cycle_id = r.cycle_id AND g.employee_id = r.employee_id AND g.indicator_id = i.indicator_id
   WHERE r.employee_id = actor() AND r.status <> 'locked';
COMMENT ON VIEW my_checklist IS
  'What the reviews of who is acting, as long as they are not locked, measure: definition, weight, standard, task and '
  'own targets; nobody else''s (IND-14).';
COMMENT ON COLUMN my_checklist.review_id IS 'Review.';
COMMENT ON COLUMN my_checklist.cycle_code IS 'Cycle.';
COMMENT ON COLUMN my_checklist.status IS 'open or blocked.';
COMMENT ON COLUMN my_checklist.position IS 'Order.';
COMMENT ON COLUMN my_checklist.indicator_code IS 'Indicator.';
COMMENT ON COLUMN my_checklist.indicator_name IS 'Its name.';
COMMENT ON COLUMN my_checklist.weight IS 'Percent of the whole.';
COMMENT ON COLUMN my_checklist.definition IS 'What is meant.';
COMMENT ON COLUMN my_checklist.formula IS 'How it is computed.';
COMMENT ON COLUMN my_checklist.standard IS 'How it is scored.';
COMMENT ON COLUMN my_checklist.task IS 'Work task linked to it.';
COMMENT ON COLUMN my_checklist.facts IS 'Facts such as the target: one''s own, else everybody''s.';

CREATE FUNCTION score_history(employee text)
  RETURNS TABLE (cycle_code text, kind text, from_date date, until_date date, version integer, composite numeric,
                 grade text, change numeric, mean numeric)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT c.code, c.kind, lower(c.period), upper(c.period) - 1, x.version, x.composite::numeric, x.grade,
         x.composite - lag(x.composite) OVER (PARTITION BY c.kind ORDER BY c.period, c.cycle_id),
         round(avg(x.composite) OVER (PARTITION BY c.kind), 2)
    FROM review r
    JOIN review_cycle c USING (cycle_id)
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   WHERE r.employee_id = (SELECT find_employee(employee))
     AND (actor() IS DISTINCT FROM r.employee_id OR x.disclosed_on IS NOT NULL)
     AND (actor() = r.employee_id OR actor() = r.manager_id OR holds_role('hr', actor()) OR actor() IS NULL
          AND owns_books())
   ORDER BY c.period, c.cycle_id;
END;
COMMENT ON FUNCTION score_history(text) IS
  'Final scores of an employee in order, with the change since the one before and the mean (2 decimals) of all cycles '
  'of the same kind; for the employee (what is disclosed), HR and the manager of each review. Error 22023: unknown '
  '(REV-13).';

CREATE FUNCTION cycle_report(cycle text)
  RETURNS TABLE (unit_code text, unit_name text, reviews bigint, not_locked bigint, mean numeric, lowest numeric,
                 highest numeric, grades jsonb)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT u.code, u.name, sum(g.locked)::bigint, sum(g.reviews - g.locked)::bigint,
         round(sum(g.total) / NULLIF(sum(g.locked), 0), 2), min(g.lowest), max(g.highest),
         coalesce(jsonb_object_agg(g.grade, g.locked) FILTER (WHERE g.locked > 0), '{}')
    FROM (SELECT v.org_unit_id, coalesce(x.grade, '-') AS grade, count(*) AS reviews, count(x.result_id) AS locked,
                 sum(x.composite) AS total, min(x.composite) AS lowest, max(x.composite) AS highest
            FROM review v LEFT JOIN review_result x ON x.review_id = v.review_id AND x.reopened_by IS NULL
                  -- nobody learns their own result from a total before it is disclosed
                  AND (v.employee_id IS DISTINCT FROM actor() OR x.disclosed_on IS NOT NULL)
           WHERE v.cycle_id = (SELECT find_cycle(cycle))
             AND (holds_role('hr', actor()) OR holds_role('executive', actor()) OR actor() IS NULL AND owns_books()
                  OR EXISTS (SELECT FROM unit_head h
                             WHERE h.org_unit_id = v.org_unit_id AND h.employee_id = actor()
                               AND h.valid @> today()))
           GROUP BY v.org_unit_id, 2) g
    LEFT JOIN org_unit u USING (org_unit_id)
   GROUP BY g.org_unit_id, u.code, u.name
   ORDER BY u.code;
END;
COMMENT ON FUNCTION cycle_report(text) IS
  'Locked reviews of a cycle by unit: count, how many are not locked yet, mean (2 decimals), lowest, highest and grade '
  'counts (-: no grade); for HR, executives and the owner, and heads for their own unit, all of whom may read each of '
  'these results; one''s own counts once it is disclosed. Error 22023: unknown (REV-13).';

CREATE VIEW review_key_event WITH (security_invoker) AS
  SELECT r.review_id, c.code AS cycle_code, e.employee_no, k.key_event_id, k.occurred_on, k.event, k.evidence,
         k.amount, i.code AS indicator_code
    FROM review r
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
    JOIN key_event k ON k.employee_id = r.employee_id AND c.period @> k.occurred_on
    LEFT JOIN indicator i ON i.indicator_id = k.indicator_id;
COMMENT ON VIEW review_key_event IS 'Key events that fall into a review''s cycle (ORG-07).';
COMMENT ON COLUMN review_key_event.review_id IS 'Review.';
COMMENT ON COLUMN review_key_event.cycle_code IS 'Cycle.';
COMMENT ON COLUMN review_key_event.employee_no IS 'Employee.';
COMMENT ON COLUMN review_key_event.key_event_id IS 'Event.';
COMMENT ON COLUMN review_key_event.occurred_on IS 'Day.';
COMMENT ON COLUMN review_key_event.event IS 'What happened.';
COMMENT ON COLUMN review_key_event.evidence IS 'Where it can be checked.';
COMMENT ON COLUMN review_key_event.amount IS 'Money, yuan.';
COMMENT ON COLUMN review_key_event.indicator_code IS 'Indicator it speaks for.';

CREATE FUNCTION score_to_explain(review bigint)
  RETURNS TABLE (review_id bigint, template_id bigint, segmented boolean, whole boolean, items_scored integer,
                 vetoed bigint[], inputs jsonb, outcome jsonb, calibration jsonb, missing_policy text)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT v.review_id, v.template_id, v.segmented, k.whole, v.items_scored,
         CASE WHEN d.decision_id IS NOT NULL OR k.whole THEN v.vetoed ELSE '{}' END, d.inputs, d.outcome,
         -- the employee learns of it at the lock, and so does whoever must not know the composite before
         CASE WHEN d.decision_id IS NOT NULL THEN d.inputs
              WHEN actor() IS DISTINCT FROM v.employee_id AND k.whole THEN calibration_figures(v.calibrated_by)
         END -> 'calibration',
         CASE WHEN v.composite IS NULL THEN 'block'
              ELSE coalesce(d.inputs ->> 'missing_policy',
                            (SELECT t.missing_policy FROM review_template t WHERE t.template_id = v.template_id)) END
    FROM review v
    CROSS JOIN LATERAL (SELECT knows_whole(v.status, v.anonymous) AS whole) k
    LEFT JOIN review_result x ON x.review_id = v.review_id AND x.reopened_by IS NULL
    LEFT JOIN decision d ON d.decision_id = x.decision_id
   WHERE v.review_id = review
     AND (actor() = v.employee_id OR actor() = v.manager_id OR holds_role('hr', actor()) OR actor() IS NULL
          AND owns_books())
     AND (v.status = 'locked' OR actor() IS DISTINCT FROM v.employee_id OR v.self_composite IS NOT NULL)
     AND (actor() IS DISTINCT FROM v.employee_id OR disclosed(v.review_id));
END;
COMMENT ON FUNCTION score_to_explain(bigint) IS
  'A review and the decision of its lock, if there is one, for whom its score is explained to: the employee once it is '
  'disclosed, the manager, HR and the owner.';

CREATE FUNCTION explained_items(review bigint, template bigint, segmented boolean, named boolean, inputs jsonb)
  RETURNS TABLE (n bigint, item jsonb) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT t.n * 100, t.i FROM jsonb_array_elements(inputs -> 'items') WITH ORDINALITY AS t (i, n)
  UNION ALL
  SELECT row_number() OVER (ORDER BY i.item_no) * 100,
         jsonb_build_object('id', n.indicator_id, 'indicator', n.code, 'name', n.name, 'weight', i.weight,
                            'value', i.value, 'points', hrloop.rounded(i.product))
    FROM item_values(review, template, segmented, named) i JOIN indicator n USING (indicator_id)
   WHERE inputs IS NULL;
END;
COMMENT ON FUNCTION explained_items(bigint, bigint, boolean, boolean, jsonb) IS
  'Items of a review with weight, value and points: as the inputs of its lock''s decision have them, or, before the '
  'lock, as the scores come to; named: only from groups whose raters are named.';

CREATE FUNCTION explain_score(cycle text, employee text, locale text DEFAULT NULL)
  RETURNS TABLE (line_no integer, line text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH r AS (
    SELECT x.* FROM score_to_explain((SELECT find_review(cycle, employee))) x
  ), item AS (
    SELECT t.n, t.item AS i, r.review_id
      FROM r CROSS JOIN LATERAL explained_items(r.review_id, r.template_id, r.segmented, NOT r.whole, r.inputs) t
  ), line AS (
    SELECT 0 AS n, CASE WHEN r.outcome IS NOT NULL
             THEN sentence('score.total',
                           jsonb_build_object('score', r.outcome -> 'score', 'grade',
                                              coalesce(r.outcome ->> 'grade', '-')), explain_score.locale)
             ELSE sentence('score.open',
                           jsonb_build_object('scored', r.items_scored, 'items', (SELECT count(*) FROM item),
                           'score', coalesce(r.calibration ->> 'calibrated', shown_composite(r.review_id)::text, '-')),
                           explain_score.locale) END AS line
      FROM r
    UNION ALL
    SELECT 1, sentence('score.calibrated', r.calibration, explain_score.locale) FROM r WHERE r.calibration IS NOT NULL
    UNION ALL
    SELECT 2 + g.n, sentence('score.segment',
                             g.segment || jsonb_build_object('weight', round(100 * (g.segment ->> 'load')::numeric
                             / sum((g.segment ->> 'load')::numeric) OVER (), 2)), explain_score.locale)
      FROM r CROSS JOIN LATERAL jsonb_array_elements(r.inputs -> 'segments') WITH ORDINALITY AS g (segment, n)
    UNION ALL
    SELECT max(item.n) + 98, sentence('score.veto',
                                      jsonb_build_object('indicators',
                                                         (SELECT string_agg(n.name, ', ' ORDER BY n.code)
                                                          FROM indicator n WHERE n.indicator_id = ANY (r.vetoed)),
                                                     'score', shown_composite(r.review_id)), explain_score.locale)
      FROM r JOIN item USING (review_id)
        WHERE r.vetoed <> '{}'
     GROUP BY r.review_id, r.vetoed
    UNION ALL
    SELECT item.n, sentence('score.item', jsonb_build_object('indicator', item.i ->> 'name', 'value', item.i -> 'value',
                            'weight', item.i -> 'weight', 'points', item.i -> 'points'), explain_score.locale)
      FROM item WHERE item.i ->> 'value' IS NOT NULL
    UNION ALL
    SELECT max(item.n) + 99, sentence('score.missing.' || r.missing_policy,
             jsonb_build_object('indicators',
                                string_agg(item.i ->> 'name', ', ' ORDER BY item.n)
                                  FILTER (WHERE item.i ->> 'value' IS NULL),
                                'weight',
                                trim_scale(sum((item.i ->> 'weight')::numeric)
                                           FILTER (WHERE item.i ->> 'value' IS NOT NULL)),
                                'points', trim_scale(sum((item.i ->> 'points')::numeric)), 'score',
                                shown_composite(r.review_id)), explain_score.locale)
      FROM r JOIN item USING (review_id) GROUP BY r.review_id, r.missing_policy
    HAVING count(*) FILTER (WHERE item.i ->> 'value' IS NULL) > 0
    UNION ALL
    SELECT item.n + row_number() OVER (PARTITION BY item.n ORDER BY s.score_id),
           sentence('score.rationale', jsonb_build_object('rater', CASE reader_locale(explain_score.locale)
                                                          WHEN 'en' THEN g.rater_group
                                                            ELSE g.name END, 'rationale', s.rationale),
                                                            explain_score.locale)
      FROM item
      JOIN score s ON s.review_id = item.review_id AND s.indicator_id = (item.i ->> 'id')::bigint
        AND s.rationale IS NOT NULL
      JOIN review v ON v.review_id = s.review_id
      JOIN template_rater_group w ON w.template_id = v.template_id AND w.rater_group = s.rater_group AND w.weight > 0
      -- who need not give reasons (peers, subordinates) may count on not being quoted
      JOIN rater_group g ON g.rater_group = s.rater_group AND g.rationale_required
  )
  SELECT row_number() OVER (ORDER BY n)::integer, line FROM line ORDER BY n;
END;
COMMENT ON FUNCTION explain_score(text, text, text) IS
  'Why this score: total, its calibration, every indicator with weight and points, the rationale of the groups that '
  'must give one, and what became of parts without a score, for the employee (once disclosed), the manager and HR; '
  'rendered from the lock''s decision, or from the scores while the review is open. No rows for anybody else. Error '
  '22023: unknown.';
