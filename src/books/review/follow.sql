-- review: what follows from what.

CREATE TRIGGER score_hold BEFORE INSERT OR UPDATE OR DELETE ON score
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.score_hold();
CREATE TRIGGER score_check BEFORE INSERT OR UPDATE ON score
  FOR EACH ROW EXECUTE FUNCTION hrloop.score_check();
CREATE TRIGGER score_apply_insert AFTER INSERT ON score REFERENCING NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.score_apply();
CREATE TRIGGER score_apply_update AFTER UPDATE ON score REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.score_apply();
CREATE TRIGGER score_apply_delete AFTER DELETE ON score REFERENCING OLD TABLE AS old_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.score_apply();

-- the status of a review ------------------------------------------------------

CREATE FUNCTION free_facts(reviews bigint[]) RETURNS TABLE (score_id bigint) VOLATILE ROWS 20 LANGUAGE SQL
BEGIN ATOMIC
  SELECT s.score_id FROM score s WHERE s.review_id = ANY (reviews) AND s.facts IS NOT NULL
    ORDER BY s.score_id FOR NO KEY UPDATE SKIP LOCKED;
END;
COMMENT ON FUNCTION free_facts(bigint[]) IS
  'Scores from facts of reviews that are locked, without those that somebody corrects meanwhile: who waits for the '
  'review values them by what holds then.';
CREATE FUNCTION value_facts(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE score s SET facts = s.facts WHERE s.score_id IN (SELECT f.score_id FROM free_facts(reviews) f);
END;
COMMENT ON FUNCTION value_facts(bigint[]) IS 'Values scores from facts anew, by the formulas and targets of now.';
CREATE FUNCTION review_reweighted(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- facts go through the new version's formulas
  SELECT value_facts(reviews);
  SELECT hrloop.recompute('book'::regclass, ARRAY(SELECT r.review_id FROM review r
                                                   WHERE r.review_id = ANY (reviews) AND r.status = 'open'
                                                      AND EXISTS (SELECT FROM score s
                                                                  WHERE s.review_id = r.review_id
                                                                    AND s.facts IS NOT NULL)));
END;
COMMENT ON FUNCTION review_reweighted(bigint[]) IS
  'Consequences of another template version where scores are computed from facts: they and their composites anew; the '
  'others come with theirs (IND-12).';
SELECT register_follow('review', '{update}', 750, 'review_reweighted', key => 'review_id', changed => '{template_id}');

CREATE FUNCTION calibration_figures(decision bigint) RETURNS jsonb STABLE LANGUAGE SQL
  RETURN (SELECT jsonb_build_object('calibration',
                                    jsonb_build_object('original', d.inputs -> 'score', 'calibrated',
                                                       d.outcome -> 'calibrated',
                                    'session', d.inputs -> 'session', 'reason', d.reason, 'by', d.decided_by))
            FROM decision d WHERE d.decision_id = calibration_figures.decision);
COMMENT ON FUNCTION calibration_figures(bigint) IS
  'What the lock keeps of a calibration: original, calibrated, session, reason, by whom.';

-- Rules that are settings hold for all open reviews at once.  Whoever scores shares
-- them, so that what is not committed yet is waited for.
CREATE FUNCTION hold_rules() RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.hold_rules('book'::regclass);
END;
COMMENT ON FUNCTION hold_rules() IS
  'Until the transaction ends, settings by which open reviews are judged do not change: they wait.';

CREATE FUNCTION review_status_changed(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_rules() WHERE EXISTS (SELECT FROM review r WHERE r.review_id = ANY (reviews) AND r.status = 'open');
  -- their employees all at once, before one consequence locks some of them and the next one others
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r WHERE r.review_id = ANY (reviews)));
  -- unlocked: the standing version is closed by a decision with the reason
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'review.unlock', r.employee_id, 'review', r.review_id,
           jsonb_build_object('version', x.version, 'score', x.composite), jsonb_build_object('status', r.status),
           r.reopen_reason
      FROM review r JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
     WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'
    RETURNING decision_id, cause_id
  )
  UPDATE review_result x SET reopened_by = d.decision_id
    FROM d WHERE x.review_id = d.cause_id AND x.reopened_by IS NULL;
  -- locked: the breakdown is kept as it is now
  WITH item AS (
    SELECT i.review_id, jsonb_agg(jsonb_build_object('id', i.indicator_id, 'indicator', i.indicator_code,
             'name', i.indicator_name, 'weight', i.weight, 'value', i.value, 'attainment', i.attainment,
             'missed', i.missed, 'points', i.points) ORDER BY i.position) AS items,
           count(*) FILTER (WHERE i.value IS NULL) AS missing
      FROM review_item i WHERE i.review_id = ANY (reviews) GROUP BY i.review_id
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
    SELECT 'review.lock', r.employee_id, 'review', r.review_id, 'review_template', t.template_id, t.version,
           jsonb_build_object('items', i.items, 'missing_policy', t.missing_policy, 'missing', i.missing)
           || CASE WHEN r.vetoed = '{}' THEN '{}' ELSE jsonb_build_object('vetoed',
                     (SELECT jsonb_agg(n.code ORDER BY n.code) FROM indicator n
                      WHERE n.indicator_id = ANY (r.vetoed))) END
           || CASE WHEN NOT r.segmented THEN '{}' ELSE jsonb_build_object('segments',
                     (SELECT jsonb_agg(jsonb_build_object('from', g.from_date, 'until', g.until_date, 'fte', g.fte,
                                                          'load', g.load) ORDER BY g.segment_no)
                        FROM review_segment g WHERE g.review_id = r.review_id)) END
           || CASE WHEN NOT r.anonymous THEN '{}' ELSE jsonb_build_object('raters',
                     (SELECT jsonb_object_agg(a.rater_group, a.n)
                        FROM (SELECT x.rater_group, count(*) AS n FROM score x
                                JOIN template_rater_group g ON g.template_id = r.template_id
                                  AND g.rater_group = x.rater_group AND g.minimum > 0
                               WHERE x.review_id = r.review_id GROUP BY x.rater_group) a)) END
           || CASE WHEN r.self_composite IS NULL OR r.composite IS NULL THEN '{}'
                   ELSE jsonb_build_object('self', r.self_composite, 'deviation', r.composite - r.self_composite,
                                           'tolerance', (SELECT setting_number('review.tolerance')),
                                           'deviation_reason',
                                           CASE WHEN r.deviation_explained = r.composite - r.self_composite
                                                THEN r.deviation_reason END) END
           || CASE WHEN r.calibrated IS NULL THEN '{}' ELSE calibration_figures(r.calibrated_by) END,
           jsonb_build_object('score', coalesce(r.calibrated, r.composite), 'grade',
                              (band_of(c.grade_scale_id, coalesce(r.calibrated, r.composite))).label,
                              'plan_reason', to_jsonb(r.plan_reason))
      FROM review r
      JOIN item i ON i.review_id = r.review_id
      JOIN review_cycle c ON c.cycle_id = r.cycle_id
      JOIN review_template t ON t.template_id = r.template_id
     WHERE r.review_id = ANY (reviews) AND r.status = 'locked'
       AND NOT EXISTS (SELECT FROM review_result x WHERE x.review_id = r.review_id AND x.reopened_by IS NULL)
     ORDER BY r.review_id
    RETURNING decision_id, cause_id, outcome
  )
  INSERT INTO review_result (review_id, version, composite, original, grade, locked_on, decision_id, disclosed_on)
  SELECT r.review_id, 1 + (SELECT count(*) FROM review_result x WHERE x.review_id = r.review_id),
         coalesce(r.calibrated, r.composite), CASE WHEN r.calibrated IS NOT NULL THEN r.composite END,
         d.outcome ->> 'grade', coalesce(r.locked_on, today()), d.decision_id,
         CASE WHEN (SELECT setting_text('review.disclose')) = 'lock' THEN coalesce(r.locked_on, today()) END
    FROM d JOIN review r ON r.review_id = d.cause_id
   ORDER BY r.review_id;
END;
COMMENT ON FUNCTION review_status_changed(bigint[]) IS
  'Consequences of a lock (result with decision) and of an unlock (result closed by a decision) (REV-06).';
SELECT register_follow('review', '{update}', 800, 'review_status_changed', key => 'review_id', changed => '{status}');

CREATE FUNCTION setting_followed(settings bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.hold_rules('book'::regclass, true)
   WHERE EXISTS (SELECT FROM setting s WHERE s.setting_id = ANY (settings)
                    AND s.setting IN ('indicator.qualitative_missed', 'plan.score_threshold', 'plan.on_missed',
                                      'plan.missed_max_score', 'plan.max_items'));
  SELECT hrloop.recompute('book'::regclass,
                          ARRAY(SELECT r.review_id FROM review r WHERE r.status = 'open' AND r.items_scored > 0))
   WHERE EXISTS (SELECT FROM setting s WHERE s.setting_id = ANY (settings)
                    AND s.setting IN ('indicator.qualitative_missed', 'plan.score_threshold', 'plan.on_missed',
                                      'plan.missed_max_score', 'plan.max_items'));
END;
COMMENT ON FUNCTION setting_followed(bigint[]) IS
  'Consequences of a setting about missed indicators or plans: open reviews are judged anew.';
SELECT register_follow('setting', '{update}', 500, 'setting_followed', key => 'setting_id', changed => '{value}');

-- What is opened again meets the rules of today.
CREATE FUNCTION review_judged(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT value_facts(l.open)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS open FROM review r
           WHERE r.review_id = ANY (reviews) AND r.status = 'open'
             AND EXISTS (SELECT FROM score s WHERE s.review_id = r.review_id AND s.facts IS NOT NULL)) l
   WHERE l.open IS NOT NULL;
  SELECT hrloop.recompute('book'::regclass,
                          ARRAY(SELECT r.review_id FROM review r
                                WHERE r.review_id = ANY (reviews) AND r.status = 'open' AND r.items_scored > 0));
END;
COMMENT ON FUNCTION review_judged(bigint[]) IS
  'Consequence of a review that opens again on what hangs on settings and targets: they may have changed in the '
  'meantime.';
SELECT register_follow('review', '{update}', 860, 'review_judged', key => 'review_id', changed => '{status}');

-- cycles, reviews and scores --------------------------------------------------

CREATE FUNCTION review_to_move(cycles bigint[]) RETURNS TABLE (review_id bigint, template_id bigint, at_once boolean)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT r.review_id, n.template_id, r.status = 'open'
    AND NOT EXISTS (SELECT FROM score s WHERE s.review_id = r.review_id AND s.facts IS NOT NULL)
    FROM review r
    JOIN review_template o ON o.template_id = r.template_id
    JOIN review_template n ON n.code = o.code AND n.version > o.version
   WHERE r.cycle_id = ANY (cycles) AND (r.status = 'open' OR r.status = 'blocked' AND r.items_scored = 0)
     AND EXISTS (SELECT FROM cycle_template ct WHERE ct.cycle_id = r.cycle_id AND ct.template_id = n.template_id);
END;
COMMENT ON FUNCTION review_to_move(bigint[]) IS
  'Reviews on another version of a template than their cycle uses by now; at once: no score of them is computed from '
  'facts.';
CREATE FUNCTION cycle_reviews_follow(cycles bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- live scores follow person by person, and the reviews come in two lots: all people first, in key order
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r
                               WHERE r.cycle_id = ANY (cycles) AND r.status <> 'locked'));
  -- scores from facts are computed by the version that their review is on
  UPDATE review r SET template_id = o.template_id FROM review_to_move(cycles) o
    WHERE r.review_id = o.review_id AND NOT o.at_once;
  -- the others by one update, composite and all
  SELECT hrloop.recompute('book'::regclass, array_agg(o.review_id), o.template_id) FROM review_to_move(cycles) o
    WHERE o.at_once GROUP BY o.template_id;
END;
COMMENT ON FUNCTION cycle_reviews_follow(bigint[]) IS
  'Consequence of another template version in a cycle: its reviews that are not locked go over to it (IND-12).';
SELECT register_follow('cycle_template', '{update}', 600, 'cycle_reviews_follow', key => 'cycle_id',
                       changed => '{template_id}');

CREATE FUNCTION specificity(unit_kind text, job_family text, job bigint) RETURNS integer IMMUTABLE PARALLEL SAFE
  LANGUAGE SQL
  RETURN CASE WHEN job IS NOT NULL THEN 3 WHEN job_family IS NOT NULL THEN 2 WHEN unit_kind IS NOT NULL THEN 1
    ELSE 0 END;
COMMENT ON FUNCTION specificity(text, text, bigint) IS
  'Rank of a scope: job 3, job family 2, kind of unit 1, everybody 0; the highest wins (AMB-02).';

CREATE FUNCTION template_for(cycle bigint, unit bigint, job bigint) RETURNS TABLE (template_id bigint) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT ct.template_id
    FROM cycle_template ct
    LEFT JOIN org_unit u ON u.org_unit_id = template_for.unit
    LEFT JOIN job j ON j.job_id = template_for.job
   WHERE ct.cycle_id = template_for.cycle
     AND (ct.unit_kind IS NULL OR ct.unit_kind = u.unit_kind)
     AND (ct.job_family IS NULL OR ct.job_family = j.job_family)
     AND (ct.job_id IS NULL OR ct.job_id = j.job_id)
   ORDER BY specificity(ct.unit_kind, ct.job_family, ct.job_id) DESC LIMIT 1;
END;
COMMENT ON FUNCTION template_for(bigint, bigint, bigint) IS
  'Template version that a cycle has for a unit and a job, the most specific one; no row: none.';

CREATE FUNCTION open_reviews(cycles bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO review (cycle_id, employee_id, template_id, manager_id, org_unit_id, job_id, status, block_reason)
  SELECT c.cycle_id, e.employee_id, t.template_id, manager_of(e.employee_id, day.on_date), a.org_unit_id, a.job_id,
         CASE WHEN g.cycle_id IS NULL THEN 'open' ELSE 'blocked' END, g.reason
    FROM review_cycle c
    CROSS JOIN employee e
    -- whoever is employed on some day of the period
    CROSS JOIN LATERAL (SELECT max(LEAST(upper(s.valid * c.period) - 1, upper(c.period) - 1)) AS on_date
                          FROM employee_status s
                         WHERE s.employee_id = e.employee_id AND s.status <> 'left' AND s.valid && c.period) day
    LEFT JOIN assignment a ON a.employee_id = e.employee_id AND a.is_primary AND a.valid @> day.on_date
    CROSS JOIN LATERAL template_for(c.cycle_id, a.org_unit_id, a.job_id) t
    LEFT JOIN review_gate g ON g.cycle_id = c.cycle_id AND g.employee_id = e.employee_id AND g.waived_because IS NULL
   WHERE c.cycle_id = ANY (cycles) AND c.status = 'open' AND day.on_date IS NOT NULL
     AND NOT EXISTS (SELECT FROM review r WHERE r.cycle_id = c.cycle_id AND r.employee_id = e.employee_id)
   ORDER BY c.cycle_id, e.employee_id
  ON CONFLICT (cycle_id, employee_id) DO NOTHING;
END;
COMMENT ON FUNCTION open_reviews(bigint[]) IS
  'One review for everybody who is employed on some day of an open cycle and has none; idempotent (REV-01).';

CREATE FUNCTION cycle_opened(cycles bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- once: an unlock opens the cycle again for one review, not for people who came later
  SELECT open_reviews(ARRAY(SELECT c.cycle_id FROM review_cycle c
                            WHERE c.cycle_id = ANY (cycles) AND c.status = 'open' AND c.opened_at IS NULL));
  UPDATE review_cycle c SET opened_at = now()
    WHERE c.cycle_id = ANY (cycles) AND c.status = 'open' AND c.opened_at IS NULL;
  SELECT '55000', format('cycle "%s" has no template', c.code), NULL, 'Use assign_template(cycle, template) first.',
         'review_cycle', 'status', 'cycle_has_template'
    FROM review_cycle c
   WHERE c.cycle_id = ANY (cycles) AND c.status = 'open'
     AND NOT EXISTS (SELECT FROM cycle_template t WHERE t.cycle_id = c.cycle_id)
  UNION ALL
  SELECT '55000', format('template "%s" version %s of cycle "%s" is a draft', t.code, t.version, c.code), NULL,
         'Use activate_template() first.', 'cycle_template', 'template_id', 'cycle_template_active'
    FROM review_cycle c JOIN cycle_template ct USING (cycle_id) JOIN review_template t USING (template_id)
   WHERE c.cycle_id = ANY (cycles) AND c.status = 'open' AND t.activated_at IS NULL
  UNION ALL
  SELECT '55000', format('cycle "%s" cannot become a draft again', c.code), NULL, 'Its reviews exist.',
         'review_cycle', 'status', 'cycle_reopen'
    FROM review_cycle c WHERE c.cycle_id = ANY (cycles) AND c.status = 'draft' AND c.opened_at IS NOT NULL
  UNION ALL
  SELECT '55000', format('cycle "%s" has reviews that are not locked', c.code), NULL, 'Use lock_cycle().',
         'review_cycle', 'status', 'cycle_lock'
    FROM review_cycle c WHERE c.cycle_id = ANY (cycles) AND c.status = 'locked'
     AND (c.opened_at IS NULL OR EXISTS (SELECT FROM review r
                                         WHERE r.cycle_id = c.cycle_id AND r.status NOT IN ('locked', 'not_rated')));
END;
COMMENT ON FUNCTION cycle_opened(bigint[]) IS
  'Consequences of opening a cycle: rules are frozen, reviews are made (REV-01).';
SELECT register_follow('review_cycle', '{update}', 500, 'cycle_opened', key => 'cycle_id', changed => '{status}');
