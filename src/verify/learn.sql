-- verify learn: skill levels and allowances, again from their source rows.

-- Levels and allowances day by day at every day on which something could change.
CREATE FUNCTION verify_employed(employee bigint, day date) RETURNS boolean STABLE LANGUAGE SQL
  RETURN (SELECT count(*) = 0 OR bool_or(s.status <> 'left' AND lower(s.valid) <= day)
                               AND NOT bool_or(s.status = 'left' AND s.valid @> day)
            FROM employee_status s WHERE s.employee_id = employee);
COMMENT ON FUNCTION verify_employed(bigint, date) IS
  'Whether somebody is employed on a day, for verify(): they have begun, and have not left; always, if nothing is '
  'entered.';

CREATE FUNCTION verify_skills(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
    SET jit = off
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  WITH held AS (
    SELECT c.employee_id, l.skill_id, l.rank,
           daterange(c.achieved_on, CASE WHEN v.reversed_on < coalesce(c.expires_on, 'infinity') THEN v.reversed_on
                     ELSE c.expires_on END) AS span
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
             WHERE x.employee_id = day.employee_id AND x.skill_id = day.skill_id AND x.superseded_by IS NULL
               AND x.valid @> day.d) AS have
      FROM day LEFT JOIN held h ON h.employee_id = day.employee_id AND h.skill_id = day.skill_id AND h.span @> day.d
     GROUP BY day.employee_id, day.skill_id, day.d
  ), payday AS (
    SELECT x.employee_id, e.d FROM employee_skill_level x
      CROSS JOIN LATERAL (VALUES (allowance_day(lower(x.valid), (SELECT setting_text('allowance.effective')))),
                          (allowance_day(upper(x.valid), (SELECT setting_text('allowance.effective'))))) AS e (d)
     WHERE x.employee_id BETWEEN from_id AND until_id AND x.superseded_by IS NULL AND e.d IS NOT NULL
    UNION SELECT t.employee_id, allowance_day(t.completed_on, (SELECT setting_text('allowance.effective')))
      FROM training_record t
     WHERE t.employee_id BETWEEN from_id AND until_id AND t.passed
    UNION SELECT a.employee_id, e.d FROM skill_allowance a
      CROSS JOIN LATERAL (VALUES (lower(a.valid)), (upper(a.valid))) AS e (d)
     WHERE a.employee_id BETWEEN from_id AND until_id AND a.superseded_by IS NULL AND e.d IS NOT NULL
    UNION SELECT x.employee_id, lower(r.valid) FROM employee_skill_level x JOIN allowance_rule r USING (skill_level_id)
     WHERE x.employee_id BETWEEN from_id AND until_id AND x.superseded_by IS NULL AND NOT lower_inf(r.valid)
    UNION SELECT t.employee_id, lower(r.valid) FROM training_record t JOIN allowance_rule r USING (resource_id)
     WHERE t.employee_id BETWEEN from_id AND until_id AND NOT lower_inf(r.valid)
    UNION SELECT s.employee_id, lower(s.valid) FROM employee_status s WHERE s.employee_id BETWEEN from_id AND until_id
  ), amount AS (
    SELECT p.employee_id, p.d, CASE WHEN NOT verify_employed(p.employee_id, p.d) THEN 0 ELSE
           coalesce((SELECT sum(r.amount) FROM employee_skill_level x JOIN allowance_rule r USING (skill_level_id)
                      WHERE x.employee_id = p.employee_id AND x.superseded_by IS NULL AND r.valid @> p.d
                        AND allowance_day(lower(x.valid), (SELECT setting_text('allowance.effective'))) <= p.d
                          AND coalesce(allowance_day(upper(x.valid),
                                                     (SELECT setting_text('allowance.effective'))) > p.d, true)), 0)
           + coalesce((SELECT sum(r.amount) FROM allowance_rule r
                        WHERE r.valid @> p.d AND r.resource_id IN (SELECT t.resource_id FROM training_record t
                               WHERE t.employee_id = p.employee_id AND t.passed
                                 AND allowance_day(t.completed_on,
                                                   (SELECT setting_text('allowance.effective'))) <= p.d)),
                                                   0) END AS want,
           coalesce((SELECT sum(a.amount) FROM skill_allowance a
                      WHERE a.employee_id = p.employee_id AND a.superseded_by IS NULL AND a.valid @> p.d), 0) AS have
      FROM payday p
  )
  SELECT 'skill_level', 'employee', employee_id, d || ' rank ' || coalesce(want::text, 'none'),
         coalesce(have::text, 'none')
    FROM level WHERE want IS DISTINCT FROM have
  UNION ALL
  SELECT 'allowance', 'employee', employee_id, d || ' ' || want, have::text FROM amount WHERE want <> have;
END;
COMMENT ON FUNCTION verify_skills(bigint, bigint) IS
  'Skill levels and allowances that differ from certifications, trainings and rules.';
