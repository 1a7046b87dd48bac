-- calibrate: what is shown.

-- distributions ---------------------------------------------------------------

CREATE FUNCTION distribution_seats(distribution text, people bigint)
  RETURNS TABLE (grade text, percent numeric, seats bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('22023', 'a group has a number of people', format('Given: %s.', coalesce(people::text, 'null')),
                     'Zero or more.')
   WHERE people IS NULL OR people < 0;
  SELECT unknown_code('grade_distribution', 'null') WHERE distribution IS NULL;
  SELECT s.grade, s.percent, s.seats FROM seats_of((SELECT find_distribution(distribution)), people) s ORDER BY s.place;
END;
COMMENT ON FUNCTION distribution_seats(text, bigint) IS
  'How many of a group of people get each grade: largest remainder, equal remainders to the higher grade first; the '
  'sum is the group. The rule for small groups is the session''s, not this one''s. Error 22023: unknown, or not a '
  'number of people.';

-- sessions and what was decided in them ---------------------------------------

CREATE VIEW calibration_history WITH (security_invoker) AS
  SELECT k.calibration_id, s.code AS session_code, c.code AS cycle_code, e.employee_no, k.original, k.calibrated,
         k.reason,
         d.decided_by, d.decided_at, v.decision_id AS voided_by,
         r.calibrated_by IS NOT DISTINCT FROM d.decision_id AS stands
    FROM calibration k
    JOIN calibration_session s USING (calibration_session_id)
    JOIN review r ON r.review_id = k.review_id
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN employee e ON e.employee_id = r.employee_id
    JOIN decision d ON d.cause = 'calibration' AND d.cause_id = k.calibration_id
      AND d.kind IN ('calibration.set', 'calibration.withdraw')
    LEFT JOIN decision v ON v.cause = 'calibration' AND v.cause_id = k.calibration_id AND v.kind = 'calibration.void';
COMMENT ON VIEW calibration_history IS 'Every calibration with its session, who, why and what became of it.';
COMMENT ON COLUMN calibration_history.calibration_id IS 'Key, rising.';
COMMENT ON COLUMN calibration_history.session_code IS 'Session.';
COMMENT ON COLUMN calibration_history.cycle_code IS 'Cycle.';
COMMENT ON COLUMN calibration_history.employee_no IS 'Employee.';
COMMENT ON COLUMN calibration_history.original IS 'Composite that was calibrated.';
COMMENT ON COLUMN calibration_history.calibrated IS 'Score in its place; null: a withdrawal.';
COMMENT ON COLUMN calibration_history.reason IS 'Why.';
COMMENT ON COLUMN calibration_history.decided_by IS 'Employee number of who did, or database login.';
COMMENT ON COLUMN calibration_history.decided_at IS 'When.';
COMMENT ON COLUMN calibration_history.voided_by IS 'Decision calibration.void, if the score changed afterwards.';
COMMENT ON COLUMN calibration_history.stands IS 'Whether it is the review''s final score now.';

-- sessions and calibrations ---------------------------------------------------

CREATE FUNCTION calibration_excluded(session text) RETURNS TABLE (employee_no text, why text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail(p.sqlstate, p.message, p.detail, p.hint, p.table_name, p.column_name, p.constraint_name)
    FROM calibration_refused((SELECT find_calibration(session))) p LIMIT 1;
  SELECT x.employee_no, x.why
    FROM (SELECT o.employee_no, o.why FROM calibration_session s
          CROSS JOIN LATERAL calibration_outside(s.calibration_session_id) o
           WHERE s.code = session AND s.status = 'open'
          UNION ALL
          SELECT o.key, o.value FROM calibration_session s
            JOIN decision d ON d.cause = 'calibration_session' AND d.cause_id = s.calibration_session_id
              AND d.kind = 'calibration.close'
            CROSS JOIN LATERAL jsonb_each_text(d.inputs -> 'excluded') o
           WHERE s.code = session AND s.status = 'closed') x
   ORDER BY x.employee_no;
END;
COMMENT ON FUNCTION calibration_excluded(text) IS
  'Who belongs to the units of a session but does not take part: incomplete, blocked, not_rated or locked. Errors: '
  '42501 not yours, 22023 unknown.';
