-- calibrate: what follows from what.

-- sessions --------------------------------------------------------------------

CREATE FUNCTION calibration_opened(sessions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
  SELECT 'calibration.open', 'calibration_session', s.calibration_session_id, CASE
    WHEN d.code IS NOT NULL THEN 'grade_distribution' END, d.distribution_id, d.version,
         jsonb_build_object('session', s.code, 'cycle', c.code, 'unit', u.code, 'distribution', d.code),
         jsonb_build_object('mode', s.mode, 'tie_rule', s.tie_rule)
    FROM calibration_session s JOIN review_cycle c USING (cycle_id) LEFT JOIN org_unit u USING (org_unit_id)
      LEFT JOIN grade_distribution d USING (distribution_id)
   WHERE s.calibration_session_id = ANY (sessions) ORDER BY s.calibration_session_id;
END;
COMMENT ON FUNCTION calibration_opened(bigint[]) IS 'Consequence of a new session: its decision.';
SELECT register_follow('calibration_session', '{insert}', 500, 'calibration_opened', key => 'calibration_session_id');
CREATE FUNCTION calibration_closed(sessions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
  SELECT 'calibration.close', 'calibration_session', s.calibration_session_id, CASE
    WHEN d.code IS NOT NULL THEN 'grade_distribution' END, d.distribution_id, d.version,
         jsonb_build_object('session', s.code, 'cycle', c.code, 'mode', s.mode, 'tie_rule', s.tie_rule, 'small_unit',
                            (SELECT setting_number('calibration.small_unit')),
           -- composite and final score of each
           'people', coalesce((SELECT jsonb_object_agg(m.employee_no, jsonb_build_array(m.original, m.score))
                               FROM calibration_member(s.calibration_session_id) m), '{}'),
           'excluded', coalesce((SELECT jsonb_object_agg(o.employee_no, o.why)
                                 FROM calibration_outside(s.calibration_session_id) o), '{}')),
         jsonb_build_object('grades', (SELECT jsonb_agg(to_jsonb(n) ORDER BY n.place)
                                       FROM calibration_count(s.calibration_session_id) n))
    FROM calibration_session s JOIN review_cycle c USING (cycle_id)
      LEFT JOIN grade_distribution d USING (distribution_id)
   WHERE s.calibration_session_id = ANY (sessions) ORDER BY s.calibration_session_id;
END;
COMMENT ON FUNCTION calibration_closed(bigint[]) IS
  'Consequence of closing a session: a decision that keeps everybody''s scores and the counts.';
SELECT register_follow('calibration_session', '{update}', 500, 'calibration_closed', key => 'calibration_session_id',
                       changed => '{status}');

-- calibrations ----------------------------------------------------------------

CREATE FUNCTION calibration_follow(calibrations bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT CASE WHEN k.calibrated IS NULL THEN 'calibration.withdraw'
      ELSE 'calibration.set' END, r.employee_id, 'calibration', k.calibration_id,
           jsonb_build_object('session', s.code, 'score', k.original, 'was', r.calibrated),
           jsonb_build_object('calibrated', k.calibrated), k.reason
      FROM calibration k JOIN calibration_session s USING (calibration_session_id) JOIN review r USING (review_id)
     WHERE k.calibration_id = ANY (calibrations) ORDER BY k.calibration_id
    RETURNING decision_id, cause_id
  )
  UPDATE review r SET calibrated = k.calibrated, calibrated_by = CASE
    WHEN k.calibrated IS NOT NULL THEN d.decision_id END
    FROM d JOIN calibration k ON k.calibration_id = d.cause_id
   WHERE r.review_id = k.review_id
     AND NOT EXISTS (SELECT FROM calibration later
                     WHERE later.review_id = k.review_id AND later.calibration_id > k.calibration_id);
END;
COMMENT ON FUNCTION calibration_follow(bigint[]) IS
  'Consequences of a calibration: decision, and the final score of the review.';
SELECT register_follow('calibration', '{insert}', 500, 'calibration_follow', key => 'calibration_id');

-- the review ------------------------------------------------------------------

CREATE FUNCTION review_calibrated(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.recompute('book'::regclass,
                          ARRAY(SELECT r.review_id FROM review r
                                WHERE r.review_id = ANY (reviews) AND r.status = 'open'));
END;
COMMENT ON FUNCTION review_calibrated(bigint[]) IS 'Consequence of another final score: whether a plan is due.';
SELECT register_follow('review', '{update}', 500, 'review_calibrated', key => 'review_id', changed => '{calibrated}');

CREATE FUNCTION calibration_voided(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'calibration.void', r.employee_id, 'calibration', k.calibration_id,
           jsonb_build_object('session', s.code, 'original', k.original, 'calibrated', k.calibrated),
           jsonb_build_object('score', r.composite)
      FROM review r
      JOIN decision b ON b.decision_id = r.calibrated_by
      JOIN calibration k ON k.calibration_id = b.cause_id
      JOIN calibration_session s USING (calibration_session_id)
     WHERE r.review_id = ANY (reviews) AND r.status <> 'locked' AND r.composite IS DISTINCT FROM k.original
     ORDER BY r.review_id
    RETURNING decision_id, employee_id, cause_id, inputs, outcome
  ), r AS (
    UPDATE review r SET calibrated = NULL, calibrated_by = NULL
      FROM d JOIN calibration k ON k.calibration_id = d.cause_id WHERE r.review_id = k.review_id
    RETURNING r.cycle_id, d.decision_id
  )
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'calibration.void', 'calibration:' || d.cause_id,
         jsonb_build_object('employee', e.name, 'cycle', c.name, 'session', d.inputs -> 'session', 'original',
                            d.inputs -> 'original',
                            'calibrated', d.inputs -> 'calibrated', 'score', CASE
                              WHEN d.outcome ->> 'score' IS NULL THEN '"-"'
                                ELSE d.outcome -> 'score' END), d.decision_id
    FROM d JOIN r USING (decision_id) JOIN review_cycle c ON c.cycle_id = r.cycle_id
      JOIN employee e ON e.employee_id = d.employee_id
   ORDER BY d.decision_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION calibration_voided(bigint[]) IS
  'Consequence of a score that changes after its calibration: the calibration is void, by a decision, and HR is told; '
  'it was about another composite.';
SELECT register_follow('review', '{update}', 510, 'calibration_voided', key => 'review_id', changed => '{composite}',
                       present => 'calibrated');
