-- verify pay: raises, salaries, the payroll feed, again from their source rows.

-- Day by day, not span by span: for each day on which anything begins or ends, the amount set last, then raise by
-- raise.
CREATE FUNCTION verify_fold(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE gone AS (
    SELECT s.employee_id, s.valid FROM employee_status s
     WHERE s.employee_id BETWEEN from_id AND until_id AND s.status = 'left'
  ), began AS (
    SELECT s.employee_id, min(lower(s.valid)) AS day FROM employee_status s
     WHERE s.employee_id BETWEEN from_id AND until_id AND s.status <> 'left' GROUP BY s.employee_id
  ), fact AS (
    SELECT s.employee_id, s.salary_id, s.amount, s.valid, GREATEST(lower(s.valid), b.day) AS day
      FROM salary s LEFT JOIN began b USING (employee_id)
     WHERE s.employee_id BETWEEN from_id AND until_id AND s.source = 'set' AND s.withdrawn_by IS NULL
  ), head AS (
    SELECT a.* FROM salary_adjustment a
     WHERE a.employee_id BETWEEN from_id AND until_id AND a.status = 'applied'
       AND NOT EXISTS (SELECT FROM salary_adjustment l WHERE l.employee_id = a.employee_id AND l.cycle_id = a.cycle_id
                          AND l.status = 'applied' AND l.adjustment_id > a.adjustment_id)
       AND NOT EXISTS (SELECT FROM gone g WHERE g.employee_id = a.employee_id AND g.valid @> a.effective_on)
  ), day AS (
    SELECT f.employee_id, f.day FROM fact f
    UNION SELECT f.employee_id, upper(f.valid) FROM fact f WHERE NOT upper_inf(f.valid)
    UNION SELECT h.employee_id, h.effective_on FROM head h
    UNION SELECT g.employee_id, lower(g.valid) FROM gone g
    UNION SELECT g.employee_id, upper(g.valid) FROM gone g WHERE NOT upper_inf(g.valid)
    UNION SELECT s.employee_id, lower(s.valid) FROM salary s
           WHERE s.employee_id BETWEEN from_id AND until_id AND s.superseded_by IS NULL
    UNION SELECT s.employee_id, upper(s.valid) FROM salary s
           WHERE s.employee_id BETWEEN from_id AND until_id AND s.superseded_by IS NULL AND NOT upper_inf(s.valid)
  ), start AS (
    SELECT DISTINCT ON (d.employee_id, d.day) d.employee_id, d.day, f.amount, lower(f.valid) AS since, f.day AS begins
      FROM day d JOIN fact f ON f.employee_id = d.employee_id AND f.valid @> d.day AND f.day <= d.day
     WHERE NOT EXISTS (SELECT FROM gone g WHERE g.employee_id = d.employee_id
                          AND g.valid && daterange(f.day, d.day, '[]'))
     ORDER BY d.employee_id, d.day, lower(f.valid) DESC, f.salary_id DESC
  ), step AS (
    SELECT s.employee_id, s.day, h.percent,
           row_number() OVER (PARTITION BY s.employee_id, s.day ORDER BY h.effective_on, h.cycle_id) AS n
      FROM start s JOIN head h ON h.employee_id = s.employee_id AND h.effective_on BETWEEN s.begins AND s.day
  ), fold AS (
    SELECT s.employee_id, s.day, s.amount, 0::bigint AS n FROM start s
    UNION ALL
    SELECT f.employee_id, f.day,
           f.amount + round(f.amount * p.percent / 100, (SELECT setting_number('pay.minor_digits')::int)), p.n
      FROM fold f JOIN step p ON p.employee_id = f.employee_id AND p.day = f.day AND p.n = f.n + 1
  ), due AS (
    SELECT DISTINCT ON (f.employee_id, f.day) f.employee_id, f.day, f.amount FROM fold f
     ORDER BY f.employee_id, f.day, f.n DESC
  )
  SELECT 'pay_of_day', 'salary', d.employee_id, concat_ws(' ', coalesce(w.amount::text, 'nothing'), 'on', d.day),
         coalesce(s.amount::text, 'nothing')
    FROM day d
    LEFT JOIN due w ON w.employee_id = d.employee_id AND w.day = d.day
    LEFT JOIN salary s ON s.employee_id = d.employee_id AND s.superseded_by IS NULL AND s.valid @> d.day
   WHERE s.amount IS DISTINCT FROM w.amount;
END;
COMMENT ON FUNCTION verify_fold(bigint, bigint) IS
  'Days on which base pay is not what the dated facts come to; for verify_pay().';

CREATE FUNCTION verify_raises(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT 'raise_figures', 'salary_adjustment', a.adjustment_id,
         a.base_amount + round(a.base_amount * coalesce(b.value, 0) / 100,
                               (SELECT setting_number('pay.minor_digits')::int)) || '', a.new_amount::text
    FROM salary_adjustment a LEFT JOIN band b USING (band_id)
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND (a.percent <> coalesce(b.value, 0)
      OR a.new_amount <> a.base_amount + round(a.base_amount * coalesce(b.value, 0) / 100,
                                               (SELECT setting_number('pay.minor_digits')::int))
      OR b.band_id IS NOT NULL AND NOT b.range @> a.composite)
  UNION ALL
  SELECT 'raise_decision', 'salary_adjustment', a.adjustment_id,
         concat_ws(' ', d.inputs ->> 'old', '+', d.outcome ->> 'percent', '% =', d.outcome ->> 'new'),
         concat_ws(' ', a.old_amount, '+', a.percent, '% =', a.new_amount)
    FROM salary_adjustment a JOIN decision d USING (decision_id)
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND ((a.old_amount, a.percent, a.raise_amount, a.new_amount)
         IS DISTINCT FROM ((d.inputs ->> 'old')::numeric, (d.outcome ->> 'percent')::numeric,
                           (d.outcome ->> 'raise')::numeric, (d.outcome ->> 'new')::numeric)
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
         AND coalesce(p.job_family = j.job_family, p.job_family IS NULL)
           AND coalesce(p.unit_kind = u.unit_kind, p.unit_kind IS NULL)
       ORDER BY (p.job_id IS NOT NULL) DESC, (p.job_family IS NOT NULL) DESC, (p.unit_kind IS NOT NULL) DESC
         LIMIT 1) want ON true
   WHERE a.employee_id BETWEEN from_id AND until_id AND a.raise_rule_id IS DISTINCT FROM want.raise_rule_id
  UNION ALL
  SELECT 'raise_score', 'salary_adjustment', a.adjustment_id, x.composite::text, a.composite::text
    FROM salary_adjustment a JOIN review_result x USING (result_id)
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND (a.composite <> x.composite OR x.reopened_by IS NOT NULL AND a.status IN ('proposed', 'held', 'approved'))
  UNION ALL
  SELECT 'raise_held', 'salary_adjustment', a.adjustment_id, CASE WHEN p.appeal_id IS NULL THEN 'not held'
    ELSE 'held' END, a.status
    FROM salary_adjustment a LEFT JOIN appeal p ON p.result_id = a.result_id AND p.status = 'open'
   WHERE a.employee_id BETWEEN from_id AND until_id AND (a.status = 'held') <> (p.appeal_id IS NOT NULL)
     AND a.status IN ('proposed', 'held', 'approved')
  UNION ALL
  SELECT 'appeal_upheld', 'appeal', p.appeal_id, 'a reopened result', 'version ' || x.version || ' stands'
    FROM appeal p JOIN review_result x USING (result_id) JOIN review r ON r.review_id = x.review_id
   WHERE r.employee_id BETWEEN from_id AND until_id AND p.status = 'upheld' AND x.reopened_by IS NULL
  UNION ALL
  SELECT 'raise_missing', 'review_result', x.result_id, 'one proposal', 'none'
    FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
   WHERE r.employee_id BETWEEN from_id AND until_id AND x.reopened_by IS NULL AND c.pay_effective
     AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id)
     AND EXISTS (SELECT FROM cycle_raise_rule k WHERE k.cycle_id = r.cycle_id AND k.unit_kind IS NULL
                    AND k.job_family IS NULL AND k.job_id IS NULL)
     AND EXISTS (SELECT FROM salary s WHERE s.employee_id = r.employee_id AND s.superseded_by IS NULL
                 AND s.decision_id IS NULL
                    AND s.valid @> coalesce(c.pay_effective_on, upper(c.period)));
END;
COMMENT ON FUNCTION verify_raises(bigint, bigint) IS
  'Raises that differ from score, rule, base pay and appeal, and those that are missing.';

CREATE FUNCTION verify_corrections(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  -- link by link: a correction changes what the one before gave, and only one follows it
  SELECT 'correction_chain', 'salary_adjustment', a.adjustment_id,
         concat_ws(' ', 'from', want.amount, 'of an applied raise'), concat_ws(' ', 'from', a.old_amount, f.status)
    FROM salary_adjustment a JOIN salary_adjustment f ON f.adjustment_id = a.corrects
   CROSS JOIN LATERAL (SELECT a.base_amount + round(a.base_amount * f.percent / 100,
                                                    (SELECT setting_number('pay.minor_digits')::int)) AS amount) want
   WHERE a.employee_id BETWEEN from_id AND until_id
     AND ((f.cycle_id, f.employee_id, f.effective_on, f.status)
          IS DISTINCT FROM (a.cycle_id, a.employee_id, a.effective_on, 'applied') OR a.old_amount <> want.amount)
  UNION ALL
  -- what is paid is the percentage of the standing result, unless a correction waits or people rejected it
  SELECT 'correction_missing', 'review_result', x.result_id, coalesce(b.value, 0) || ' %', head.percent || ' %'
    FROM review_result x
    JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id)
    CROSS JOIN LATERAL (SELECT a.* FROM salary_adjustment a
                        WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id AND a.status = 'applied'
                         ORDER BY a.adjustment_id DESC LIMIT 1) head
    LEFT JOIN cycle_raise_rule p ON p.cycle_id = r.cycle_id AND p.raise_rule_id = head.raise_rule_id
    LEFT JOIN band b ON b.scale_id = p.scale_id AND b.range @> x.composite
   WHERE r.employee_id BETWEEN from_id AND until_id AND x.reopened_by IS NULL AND c.pay_effective
     AND round(head.base_amount * coalesce(b.value, 0) / 100, (SELECT setting_number('pay.minor_digits')::int))
         <> round(head.base_amount * head.percent / 100, (SELECT setting_number('pay.minor_digits')::int))
     AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id
                        AND (a.status IN ('proposed', 'held', 'approved') OR a.status = 'rejected'
                             AND a.result_id = x.result_id AND a.corrects = head.adjustment_id));
END;
COMMENT ON FUNCTION verify_corrections(bigint, bigint) IS
  'Corrections of applied raises that do not follow each other, or are missing.';

CREATE FUNCTION verify_paid(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT v.* FROM verify_fold(from_id, until_id) v
  UNION ALL
  SELECT 'salary_minor_unit', 'salary', s.salary_id,
         round(s.amount, (SELECT setting_number('pay.minor_digits')::int))::text, s.amount::text
    FROM salary s WHERE s.employee_id BETWEEN from_id AND until_id
      AND s.amount <> round(s.amount, (SELECT setting_number('pay.minor_digits')::int))
  UNION ALL
  -- the feed row by row: one post for each source row, one reversal for each that no longer stands
  SELECT 'feed_row', w.source_table, w.source_id, w.entry || ' ' || w.amount, coalesce(f.amount::text, 'none')
    FROM (SELECT 'salary_adjustment' AS source_table, a.adjustment_id AS source_id, 'post' AS entry,
          a.raise_amount AS amount
             FROM salary_adjustment a WHERE a.employee_id BETWEEN from_id AND until_id
          UNION ALL SELECT 'salary_adjustment', a.adjustment_id, 'reverse', -a.raise_amount
             FROM salary_adjustment a WHERE a.employee_id BETWEEN from_id AND until_id
               AND a.status IN ('rejected', 'withdrawn')
          UNION ALL SELECT 'salary', s.salary_id, 'post', s.amount
             FROM salary s WHERE s.employee_id BETWEEN from_id AND until_id
              AND (s.superseded_by IS NULL OR s.source = 'fold')
          UNION ALL SELECT 'salary', s.salary_id, 'reverse', -s.amount
             FROM salary s WHERE s.employee_id BETWEEN from_id AND until_id AND s.superseded_by IS NOT NULL
              AND s.source = 'fold'
          UNION ALL SELECT 'skill_allowance', s.skill_allowance_id, 'post', s.amount
             FROM skill_allowance s WHERE s.employee_id BETWEEN from_id AND until_id
          UNION ALL SELECT 'skill_allowance', s.skill_allowance_id, 'reverse', -s.amount
             FROM skill_allowance s WHERE s.employee_id BETWEEN from_id AND until_id AND s.superseded_by IS NOT NULL) w
    LEFT JOIN payroll_feed f ON f.source_table = w.source_table AND f.source_id = w.source_id AND f.entry = w.entry
   WHERE f.amount IS DISTINCT FROM w.amount
  UNION ALL
  -- and added up, as payroll does
  SELECT 'feed_day', 'payroll_feed', e.employee_id, d.due || ' ' || d.kind || ' from ' || d.from_date, d.fed::text
    FROM employee e CROSS JOIN LATERAL feed_days(e.employee_id) d
   WHERE e.employee_id BETWEEN from_id AND until_id AND d.fed <> d.due;
END;
COMMENT ON FUNCTION verify_paid(bigint, bigint) IS
  'Salaries and rows of the payroll feed that differ from what was applied.';

CREATE FUNCTION verify_pay(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
    SET jit = off
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  SELECT v.* FROM verify_raises(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_corrections(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_paid(from_id, until_id) v;
END;
COMMENT ON FUNCTION verify_pay(bigint, bigint) IS
  'Raises, salaries and feed rows that differ from score, rule and base pay.';
