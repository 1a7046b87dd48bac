-- calibrate: what people and applications call.

-- distributions ---------------------------------------------------------------

CREATE FUNCTION create_distribution(code text, shares jsonb, name text DEFAULT NULL, reason text DEFAULT NULL)
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('22023', 'a distribution needs grades with their percent',
                     format('Given: %s.', coalesce(shares::text, 'null')),
                     'For example {"优秀": 10, "良好": 30, "合格": 50, "待改进": 10}.')
   WHERE coalesce(jsonb_typeof(shares), '') <> 'object' OR shares = '{}';
  SELECT hrloop.fail('22023', format('percent of grade "%s" is not a number from 0 to 100', s.key),
                     format('Given: %s.', s.value), NULL,
                     'grade_share', 'percent')
    FROM jsonb_each(shares) s
   WHERE CASE jsonb_typeof(s.value) WHEN 'number' THEN (s.value #>> '{}')::numeric NOT BETWEEN 0 AND 100 ELSE true END;
  SELECT hrloop.fail('22023', format('no active grade scale has a grade "%s"', k.key), NULL,
                     'Check the spelling; grades are labels of the bands of a scale of kind grade.',
                     'grade_share', 'grade', 'grade_share_known')
    FROM jsonb_object_keys(shares) AS k (key)
   WHERE NOT EXISTS (SELECT FROM band b JOIN scale s USING (scale_id)
                     WHERE b.label = k.key AND s.kind = 'grade' AND s.status = 'active');
  INSERT INTO grade_distribution (code, version, name, reason)
  SELECT create_distribution.code, coalesce(max(d.version), 0) + 1,
         coalesce(create_distribution.name, (array_agg(d.name ORDER BY d.version DESC))[1], create_distribution.code),
         create_distribution.reason
    FROM grade_distribution d WHERE d.code = create_distribution.code;
  -- in the order of the newest scale that has them all
  INSERT INTO grade_share (distribution_id, position, grade, percent)
  SELECT (SELECT d.distribution_id FROM grade_distribution d WHERE d.code = create_distribution.code
          ORDER BY d.version DESC LIMIT 1),
         row_number() OVER (ORDER BY b.from_score DESC NULLS LAST, k.key), k.key, k.value::numeric
    FROM jsonb_each_text(shares) k
    LEFT JOIN (SELECT x.label, max(coalesce(lower(x.range), '-Infinity')) AS from_score FROM band x
                WHERE x.scale_id = (SELECT s.scale_id FROM scale s
                                     WHERE s.kind = 'grade' AND s.status = 'active'
                                       AND NOT EXISTS (SELECT FROM jsonb_object_keys(shares) AS g (key)
                                                        WHERE NOT EXISTS (SELECT FROM band y
                                                                          WHERE y.scale_id = s.scale_id
                                                                            AND y.label = g.key))
                                     ORDER BY s.scale_id DESC LIMIT 1)
                GROUP BY x.label) b ON b.label = k.key;
  SELECT max(d.distribution_id) FROM grade_distribution d WHERE d.code = create_distribution.code;
END;
COMMENT ON FUNCTION create_distribution(text, jsonb, text, text) IS
  'Make a distribution, or the next version of one, from {"grade": percent}. Returns the key. Errors: 22023 no grades, '
  'an unknown grade, or not a percentage; 23514 the sum is not 100.';

CREATE FUNCTION find_distribution(code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN CASE WHEN code IS NOT NULL THEN coalesce(
    (SELECT d.distribution_id FROM grade_distribution d WHERE d.code = find_distribution.code ORDER BY d.version DESC
     LIMIT 1),
    unknown_code('grade_distribution', code)) END;
COMMENT ON FUNCTION find_distribution(text) IS
  'Key of the newest version of a distribution; null for null. Error 22023: unknown.';

-- sessions and what was decided in them ---------------------------------------

CREATE FUNCTION find_calibration(code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN coalesce((SELECT s.calibration_session_id FROM calibration_session s WHERE s.code = find_calibration.code),
                  unknown_code('calibration_session', coalesce(code, 'null')));
COMMENT ON FUNCTION find_calibration(text) IS 'Key of a calibration session. Error 22023: unknown, or null.';

-- sessions and calibrations ---------------------------------------------------

CREATE FUNCTION open_calibration(code text, cycle text, unit text DEFAULT NULL, distribution text DEFAULT NULL,
                                 mode text DEFAULT 'soft', tie_rule text DEFAULT 'up')
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('22023', 'a hard session needs a distribution', NULL, 'See create_distribution().',
                     'calibration_session', 'distribution_id', 'calibration_session_hard')
   WHERE open_calibration.mode = 'hard' AND distribution IS NULL;
  INSERT INTO calibration_session (code, cycle_id, org_unit_id, distribution_id, mode, tie_rule, opened_by)
  VALUES (open_calibration.code, find_cycle(cycle), find_unit(unit), find_distribution(distribution),
          open_calibration.mode, open_calibration.tie_rule, actor())
  RETURNING calibration_session_id;
END;
COMMENT ON FUNCTION open_calibration(text, text, text, text, text, text) IS
  'Open a session for a cycle, or a unit of it with all below, with the newest version of a distribution or none. '
  'mode: soft, it only reports; hard, nobody in it is locked before it is closed, and it closes only when the '
  'distribution is met. tie_rule for equal scores at a cut: up, down, refuse. Returns the key. Errors: 42501 not HR, '
  'executive or head; 55000 the cycle is not open, or another session is; 22023 unknown, or a grade without a band; '
  '23505 code taken, 23514 unknown mode or tie rule.';

CREATE FUNCTION find_calibrated(session text, employee text) RETURNS bigint STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT find_calibration(session);
  SELECT find_review(c.code, employee) FROM calibration_session s JOIN review_cycle c USING (cycle_id)
    WHERE s.code = session;
END;
COMMENT ON FUNCTION find_calibrated(text, text) IS
  'Key of the review of an employee in the cycle of a session. Error 22023: unknown, or no such review.';

CREATE FUNCTION calibrate(session text, employee text, value numeric, reason text) RETURNS numeric VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('23502', 'a calibration needs a reason', NULL, 'Say what the comparison showed.', 'calibration',
                     'reason')
   WHERE hrloop.meaningful_chars(coalesce(calibrate.reason, '')) = 0;
  SELECT hrloop.fail('23514', 'a calibrated score is a number from 0 to 100', format('Given: %s.', calibrate.value),
                     'NULL withdraws a calibration.',
                     'calibration', 'calibrated', 'calibration_calibrated_check')
   WHERE calibrate.value NOT BETWEEN 0 AND 100;
  SELECT hrloop.fail('22023', 'nobody is named to calibrate', NULL, 'Name the employee.')
    WHERE calibrate.employee IS NULL;
  SELECT find_calibrated(session, employee);
  -- the session before the review, as everybody locks them
  SELECT s.status FROM calibration_session s WHERE s.code = session FOR SHARE;
  SELECT r.status FROM review r WHERE r.review_id = (SELECT find_calibrated(session, employee)) FOR NO KEY UPDATE;
  INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason, decided_by)
  SELECT find_calibration(session), r.review_id, coalesce(r.composite, 0), calibrate.value, calibrate.reason, actor()
    FROM review r WHERE r.review_id = (SELECT find_calibrated(session, employee));
  SELECT coalesce(r.calibrated, shown_composite(r.review_id)) FROM review r
    WHERE r.review_id = (SELECT find_calibrated(session, employee));
END;
COMMENT ON FUNCTION calibrate(text, text, numeric, text) IS
  'Set, in an open session, the final score of a complete review that is not locked, 0 to 100; again: the new one '
  'supersedes; NULL: back to the composite. Grade, plan and raise follow it. Returns the final score. Errors: 42501 '
  'not HR, executive or head of the line, or one''s own; 23502 no reason, 23514 out of range, 55000 closed, locked, '
  'not complete, or nothing to withdraw; 22023 unknown, or not in the session.';

CREATE FUNCTION suggest_calibration(session text)
  RETURNS TABLE (place bigint, employee_no text, score numeric, grade text, suggested_grade text,
                 suggested_score numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail(p.sqlstate, p.message, p.detail, p.hint, p.table_name, p.column_name, p.constraint_name)
    FROM calibration_refused((SELECT find_calibration(session))) p LIMIT 1;
  SELECT hrloop.fail('55000', format('calibration session "%s" is closed', s.code), NULL,
                     'See calibration_report(session).')
    FROM calibration_session s WHERE s.code = session AND s.status <> 'open';
  SELECT hrloop.fail('55000', format('calibration session "%s" has no distribution to suggest by', s.code))
    FROM calibration_session s WHERE s.code = session AND s.distribution_id IS NULL;
  SELECT hrloop.fail(p.sqlstate, p.message, p.detail, p.hint, p.table_name, p.column_name, p.constraint_name)
    FROM calibration_unmet((SELECT find_calibration(session))) p LIMIT 1;
  SELECT k.place, k.employee_no, k.score, k.grade, k.due, k.due_score
    FROM calibration_ranking((SELECT find_calibration(session))) k ORDER BY k.place, k.employee_no;
END;
COMMENT ON FUNCTION suggest_calibration(text) IS
  'Who takes part in an open session by final score, the grade that the distribution gives, and the nearest score in '
  'its band where it is another. A group smaller than setting calibration.small_unit: only a single best one keeps the '
  'top grade, all else is free. Errors: 42501 not yours; 23514 a tie that is refused; 55000 closed, without '
  'distribution, or, in a hard session, people who are not scored; 22023 unknown.';

CREATE FUNCTION apply_calibration(session text, reason text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('23502', 'a calibration needs a reason', NULL, 'Say what the session decided.', 'calibration',
                     'reason')
   WHERE hrloop.meaningful_chars(coalesce(apply_calibration.reason, '')) = 0;
  SELECT s.status FROM calibration_session s WHERE s.code = session FOR SHARE;
  -- open or not: one that opens meanwhile is held as well
  SELECT count(*) FROM (SELECT FROM review r
                        WHERE r.review_id IN (SELECT calibration_scope((SELECT find_calibration(session))))
                         ORDER BY r.review_id FOR NO KEY UPDATE) l;
  WITH done AS (
    INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason, decided_by)
    SELECT find_calibration(session), r.review_id, r.composite, k.suggested_score, apply_calibration.reason, actor()
      FROM suggest_calibration(session) k
      JOIN employee e USING (employee_no)
      JOIN review r ON r.employee_id = e.employee_id
      JOIN calibration_session s ON s.cycle_id = r.cycle_id AND s.code = session
     WHERE k.suggested_score <> k.score
     ORDER BY r.review_id
    RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION apply_calibration(text, text) IS
  'Calibrate everybody as suggest_calibration() says, in one statement; returns how many changed, a second call '
  'changes nobody. Errors: as suggest_calibration() and calibrate().';

CREATE FUNCTION calibration_report(session text)
  RETURNS TABLE (grade text, percent numeric, seats bigint, before bigint, after bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail(p.sqlstate, p.message, p.detail, p.hint, p.table_name, p.column_name, p.constraint_name)
    FROM calibration_refused((SELECT find_calibration(session))) p LIMIT 1;
  SELECT x.grade, x.percent, x.seats, x.before, x.after
    FROM (SELECT n.* FROM calibration_session s CROSS JOIN LATERAL calibration_count(s.calibration_session_id) n
          WHERE s.code = session AND s.status = 'open'
          UNION ALL
          SELECT g.* FROM calibration_session s
            JOIN decision d ON d.cause = 'calibration_session' AND d.cause_id = s.calibration_session_id
              AND d.kind = 'calibration.close'
            CROSS JOIN LATERAL jsonb_to_recordset(d.outcome -> 'grades')
              AS g (place bigint, grade text, percent numeric, seats bigint, before bigint, after bigint)
           WHERE s.code = session AND s.status = 'closed') x
   ORDER BY x.place;
END;
COMMENT ON FUNCTION calibration_report(text) IS
  'Grade by grade: percent and seats of the distribution, people by composite (before) and by final score (after); -: '
  'in a gap of the grade scale. Ties may move a cut by rule. Of a small group seats is 1 for the top grade, at most, '
  'and null for the rest. A closed session: as it was closed. Errors: 42501 not yours, 22023 unknown.';

CREATE FUNCTION close_calibration(session text)
  RETURNS TABLE (grade text, percent numeric, seats bigint, before bigint, after bigint) VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  UPDATE calibration_session s SET status = 'closed', closed_by = actor(), closed_at = now()
   WHERE s.calibration_session_id = (SELECT find_calibration(session)) AND s.status = 'open';
  SELECT n.grade, n.percent, n.seats, n.before, n.after FROM calibration_report(session) n;
END;
COMMENT ON FUNCTION close_calibration(text) IS
  'Close a session; again: nothing. Its decision keeps everybody''s scores and the counts. Returns '
  'calibration_report(session). Errors: 23514 a hard session whose distribution is not met, or a tie that is refused; '
  '55000 people of a hard session who are not scored, 42501 not yours, 22023 unknown.';
