-- verify calibrate: calibrated scores, and closed hard sessions, again from their source rows.

CREATE FUNCTION verify_calibrated()
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH newest AS (
    SELECT DISTINCT ON (k.review_id) k.review_id, k.original,
           CASE WHEN NOT EXISTS (SELECT FROM decision v
                                 WHERE v.cause = 'calibration' AND v.cause_id = k.calibration_id
                                   AND v.kind = 'calibration.void')
                THEN k.calibrated END AS calibrated
      FROM calibration k ORDER BY k.review_id, k.calibration_id DESC
  )
  SELECT 'calibrated', 'review', r.review_id, n.calibrated::text, r.calibrated::text
    FROM review r LEFT JOIN newest n USING (review_id) WHERE r.calibrated IS DISTINCT FROM n.calibrated
  UNION ALL
  SELECT 'calibration_void', 'review', r.review_id, 'void, composite ' || coalesce(r.composite::text, 'none'),
         'calibrated from ' || n.original
    FROM review r JOIN newest n USING (review_id)
      WHERE r.calibrated IS NOT NULL AND r.composite IS DISTINCT FROM n.original
  UNION ALL
  SELECT 'calibration_result', 'review_result', x.result_id,
         concat_ws(' from ', coalesce(n.calibrated, r.composite), CASE
                   WHEN n.calibrated IS NOT NULL THEN r.composite END), concat_ws(' from ', x.composite, x.original)
    FROM review_result x JOIN review r USING (review_id) JOIN newest n USING (review_id)
   WHERE x.reopened_by IS NULL
     AND (x.composite, x.original) IS DISTINCT FROM (coalesce(n.calibrated, r.composite), CASE
                                                     WHEN n.calibrated IS NOT NULL THEN r.composite END)
  UNION ALL
  -- what every lock wrote, also those that were reopened
  SELECT 'calibration_kept', 'review_result', x.result_id, concat_ws(' from ', d.calibrated, d.original),
         concat_ws(' from ', CASE WHEN x.original IS NOT NULL THEN x.composite END, x.original)
    FROM review_result x
    -- the two figures alone are joined, not the documents
    JOIN (SELECT k.decision_id, k.inputs #>> '{calibration,calibrated}' AS calibrated,
          k.inputs #>> '{calibration,original}' AS original
            FROM decision k OFFSET 0) d USING (decision_id)
   WHERE (d.calibrated::numeric, d.original::numeric)
         IS DISTINCT FROM (CASE WHEN x.original IS NOT NULL THEN x.composite END, x.original)
  UNION ALL
  SELECT 'calibration_decision', 'calibration', k.calibration_id,
         concat_ws(' ', k.original, '→', k.calibrated, k.reason),
         concat_ws(' ', d.inputs ->> 'score', '→', d.outcome ->> 'calibrated', d.reason)
    FROM calibration k LEFT JOIN decision d ON d.cause = 'calibration' AND d.cause_id = k.calibration_id
      AND d.kind IN ('calibration.set', 'calibration.withdraw')
   WHERE ((d.inputs ->> 'score')::numeric, (d.outcome ->> 'calibrated')::numeric, d.reason)
     IS DISTINCT FROM (k.original, k.calibrated, k.reason)
  UNION ALL
  SELECT 'calibration_own', 'calibration', k.calibration_id, 'another person', e.employee_no
    FROM calibration k JOIN review r USING (review_id) JOIN employee e ON e.employee_id = r.employee_id
      WHERE k.decided_by = r.employee_id
  UNION ALL
  SELECT 'calibration_closed', 'calibration_session', s.calibration_session_id, s.status,
         count(d.*)::text || ' decisions to close it'
    FROM calibration_session s LEFT JOIN decision d ON d.cause = 'calibration_session'
      AND d.cause_id = s.calibration_session_id AND d.kind = 'calibration.close'
   GROUP BY s.calibration_session_id, s.status HAVING (s.status = 'closed') <> (count(d.*) = 1);
END;
COMMENT ON FUNCTION verify_calibrated() IS
  'Calibrated scores and results that differ from calibrations and voids.';

CREATE FUNCTION verify_seats()
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH session AS MATERIALIZED (
    -- the figures are taken out of the document once, not person by person
    SELECT s.calibration_session_id, s.distribution_id, s.tie_rule, c.grade_scale_id, d.inputs -> 'people' AS list,
           n.people,
           coalesce(n.people < (d.inputs ->> 'small_unit')::numeric, false) AS small
      FROM calibration_session s
      JOIN review_cycle c USING (cycle_id)
      JOIN decision d ON d.cause = 'calibration_session' AND d.cause_id = s.calibration_session_id
        AND d.kind = 'calibration.close'
      CROSS JOIN LATERAL (SELECT count(*) AS people FROM jsonb_object_keys(d.inputs -> 'people')) n
     WHERE s.status = 'closed' AND s.mode = 'hard'
  ), person AS (
    SELECT s.calibration_session_id, s.tie_rule, s.small, p.key AS employee_no, (p.value ->> 1)::numeric AS score,
           b.label AS grade
      FROM session s
      CROSS JOIN LATERAL jsonb_each(s.list) p
      LEFT JOIN band b ON b.scale_id = s.grade_scale_id AND b.range @> (p.value ->> 1)::numeric
  ), quota AS (
    SELECT s.calibration_session_id, s.people, g.position, g.grade, g.percent * s.people / 100 AS exact,
           floor(g.percent * s.people / 100) AS whole
      FROM session s JOIN grade_share g USING (distribution_id)
  ), seat AS (
    -- a seat more for those whose remainder fewer others beat than are left
    SELECT q.calibration_session_id, q.position, q.grade, q.whole
           + CASE WHEN (SELECT count(*) FROM quota o WHERE o.calibration_session_id = q.calibration_session_id
                           AND (o.exact - o.whole, -o.position) > (q.exact - q.whole, -q.position))
                       < q.people - (SELECT sum(o.whole) FROM quota o
                                     WHERE o.calibration_session_id = q.calibration_session_id) THEN 1
                                       ELSE 0 END AS seats
      FROM quota q
  ), edge AS (
    SELECT t.*, sum(t.seats) OVER (PARTITION BY t.calibration_session_id ORDER BY t.position) AS until FROM seat t
  ), ranked AS (
    SELECT p.*, row_number() OVER (PARTITION BY p.calibration_session_id ORDER BY p.score DESC, p.employee_no) AS n
      FROM person p
  ), placed AS (
    SELECT r.*, CASE r.tie_rule WHEN 'up' THEN min(r.n) OVER same WHEN 'down' THEN max(r.n) OVER same
      ELSE r.n END AS place
      FROM ranked r WINDOW same AS (PARTITION BY r.calibration_session_id, r.score)
  )
  SELECT 'calibration_seats', 'calibration_session', p.calibration_session_id, p.employee_no || ' ' || t.grade,
         coalesce(p.grade, '-')
    FROM placed p JOIN edge t ON t.calibration_session_id = p.calibration_session_id AND p.place > t.until - t.seats
      AND p.place <= t.until
   WHERE NOT p.small AND p.grade IS DISTINCT FROM t.grade
  UNION ALL
  SELECT 'calibration_top', 'calibration_session', p.calibration_session_id, 'at most one ' || t.grade, count(*)::text
    FROM placed p JOIN edge t ON t.calibration_session_id = p.calibration_session_id AND t.grade = p.grade
      AND t.position = 1
   WHERE p.small AND EXISTS (SELECT FROM edge o
                             WHERE o.calibration_session_id = p.calibration_session_id AND o.position > 1)
   GROUP BY p.calibration_session_id, t.grade HAVING count(*) > 1;
END;
COMMENT ON FUNCTION verify_seats() IS
  'Grades of closed hard sessions that differ from the seats that their distribution gives, place by place.';

CREATE FUNCTION verify_calibrations() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                     found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT v.* FROM verify_calibrated() v
  UNION ALL SELECT v.* FROM verify_seats() v;
END;
COMMENT ON FUNCTION verify_calibrations() IS
  'Calibrated scores, results and closed hard sessions that differ from calibrations, voids and distributions.';
