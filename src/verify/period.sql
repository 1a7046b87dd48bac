-- verify period: what was paid in closed months, again day by day.

CREATE FUNCTION verify_period(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
    SET jit = off
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  WITH day AS (
    SELECT p.month, p.proration, d.day::date AS day,
           p.proration = 'calendar' OR coalesce(w.is_working, extract(isodow FROM d.day) < 6) AS counts
      FROM pay_period p
     CROSS JOIN generate_series(p.month::timestamp, p.month + interval '1 month' - interval '1 day', '1 day') AS d (day)
      LEFT JOIN work_day w ON w.day = d.day::date
  ), there AS (
    SELECT s.employee_id, d.month, d.day, d.proration, s.paid_percent / 100 AS share,
           (SELECT count(*) FROM day x WHERE x.month = d.month AND x.counts) AS days
      FROM employee_status s JOIN day d ON s.valid @> d.day AND d.counts
     WHERE s.employee_id BETWEEN from_id AND until_id AND s.status <> 'left'
  ), factor AS (
    SELECT t.employee_id, t.month,
           CASE WHEN t.proration <> '21.75' THEN 1.0 / t.days
                WHEN sum(t.share) = 0 THEN 0
                ELSE GREATEST(21.75 - t.days + sum(t.share), 0) / (21.75 * sum(t.share)) END AS each
      FROM there t GROUP BY t.employee_id, t.month, t.proration, t.days
  ), due AS (
    SELECT k.employee_id, k.month, k.component,
           round(round(sum(k.amount * k.share) * f.each, 12), (SELECT setting_number('pay.minor_digits')::int))
             AS amount
      FROM (SELECT t.employee_id, t.month, 'base' AS component, p.amount, t.share
              FROM there t JOIN salary p ON p.employee_id = t.employee_id AND p.superseded_by IS NULL
                AND p.valid @> t.day
            UNION ALL
            SELECT t.employee_id, t.month, a.component, a.amount, t.share
              FROM there t JOIN skill_allowance a ON a.employee_id = t.employee_id AND a.superseded_by IS NULL
               AND a.valid @> t.day) k
      JOIN factor f USING (employee_id, month)
     GROUP BY k.employee_id, k.month, k.component, f.each
  ), paid AS (
    SELECT l.employee_id, l.for_month AS month, l.component, sum(l.amount) AS amount FROM payslip_line l
     WHERE l.employee_id BETWEEN from_id AND until_id GROUP BY l.employee_id, l.for_month, l.component
  )
  SELECT 'payslip_month', 'employee', employee_id, concat_ws(' ', month, component, coalesce(d.amount, 0)),
         coalesce(p.amount, 0)::text
    FROM due d FULL JOIN paid p USING (employee_id, month, component)
   WHERE coalesce(d.amount, 0) <> coalesce(p.amount, 0)
     -- what waits for the next month to be closed
     AND NOT EXISTS (SELECT FROM arrears_due w WHERE w.employee_id = coalesce(d.employee_id, p.employee_id)
                        AND w.since < month + 31)
  UNION ALL
  SELECT 'period_gap', 'pay_period', NULL, 'one month after the other', p.month::text FROM pay_period p
   WHERE p.month <> (SELECT min(f.month) FROM pay_period f)
     AND NOT EXISTS (SELECT FROM pay_period b WHERE b.month = (p.month - interval '1 month')::date);
END;
COMMENT ON FUNCTION verify_period(bigint, bigint) IS
  'Closed months for which another amount was paid, arrears included, than what is due day by day.';
