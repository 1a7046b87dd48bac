-- pay: what is shown.

-- skill allowances ------------------------------------------------------------

CREATE FUNCTION reads_pay(employee bigint, what text) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN setting_on('audit.log_reads')
    THEN hrloop.log_read('book'::regclass, employee, what, may_read_pay(employee))
              ELSE may_read_pay(employee) END;
COMMENT ON FUNCTION reads_pay(bigint, text) IS
  'may_read_pay(), noted in the server log with what was asked for, whether or not one may (SEC-03).';

CREATE FUNCTION allowance_on(employee text, on_date date DEFAULT today()) RETURNS numeric STABLE LANGUAGE SQL
  RETURN CASE WHEN reads_pay(find_employee(employee), 'allowance_on') THEN
    (SELECT round(coalesce(sum(a.amount), 0), (SELECT setting_number('pay.minor_digits')::integer))
     FROM skill_allowance a
      WHERE a.employee_id = (SELECT find_employee(employee)) AND a.superseded_by IS NULL AND a.valid @> on_date) END;
COMMENT ON FUNCTION allowance_on(text, date) IS
  'Skill allowances of an employee on a day, yuan a month; null if you may not read it. Error 22023: unknown.';

-- what people read ------------------------------------------------------------

CREATE FUNCTION explain_pay(employee text, cycle text DEFAULT NULL, locale text DEFAULT NULL)
  RETURNS TABLE (cycle_code text, status text, line text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT l.code, l.status, l.line FROM (
  SELECT c.code, a.status, lower(c.period) AS began, a.decision_id AS n,
         sentence(CASE WHEN (d.outcome ->> 'raise')::numeric = 0 AND a.corrects IS NULL THEN 'pay.no_raise'
                       ELSE CASE WHEN a.corrects IS NULL THEN 'pay.raise' ELSE 'pay.corrected' END
                            || CASE a.status WHEN 'applied' THEN '' WHEN 'approved' THEN '.approved'
                                             WHEN 'rejected' THEN '.rejected' ELSE '.proposed' END END,
                  d.inputs || d.outcome || jsonb_build_object('reason', a.reason, 'cycle', c.name),
                  explain_pay.locale) AS line
    FROM salary_adjustment a
    JOIN review_cycle c USING (cycle_id)
    JOIN decision d USING (decision_id)
    JOIN review_result x USING (result_id)
   WHERE a.employee_id = (SELECT find_employee(employee)) AND (SELECT reads_pay(find_employee(employee), 'explain_pay'))
     AND (actor() IS DISTINCT FROM a.employee_id OR x.disclosed_on IS NOT NULL OR disclosed(x.review_id))
     AND (explain_pay.cycle IS NULL OR c.code = explain_pay.cycle)
     AND a.status <> 'withdrawn'
  UNION ALL
  SELECT c.code, 'applied', lower(c.period), d.decision_id,
         sentence('pay.folded', r.row || jsonb_build_object('cycle', c.name), explain_pay.locale)
    FROM decision d CROSS JOIN LATERAL jsonb_array_elements(nullif(d.outcome -> 'rows', 'null')) AS r (row)
    JOIN review_cycle c ON c.cycle_id = (r.row ->> 'cycle')::bigint
   WHERE d.employee_id = (SELECT find_employee(employee)) AND d.kind = 'pay.fold'
     AND (SELECT reads_pay(find_employee(employee), 'explain_pay'))
     AND (actor() IS DISTINCT FROM d.employee_id OR raises_told(d.employee_id, (r.row ->> 'from')::date))
     AND (r.row ->> 'was')::numeric <> (r.row ->> 'amount')::numeric
     AND (explain_pay.cycle IS NULL OR c.code = explain_pay.cycle)) l
   ORDER BY l.began, l.n;
END;
COMMENT ON FUNCTION explain_pay(text, text, text) IS
  'How score became raise, in a sentence per cycle, one for each correction and one where a raise came to another '
  'figure as something before it changed, rendered from the decision; for the person (once the result is disclosed), '
  'HR and finance, no rows for anybody else (PAY-03). Error 22023: unknown employee.';

CREATE FUNCTION allowance_trail(employee text, locale text DEFAULT NULL)
  RETURNS TABLE (trail text, total_increase numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH step AS (
    SELECT a.component, lower(a.valid) AS from_day, a.cause, a.cause_id,
           a.amount - CASE WHEN lag(upper(a.valid)) OVER w = lower(a.valid) THEN lag(a.amount) OVER w
             ELSE 0 END AS increase,
           (lag(a.cause) OVER w, lag(a.cause_id) OVER w) IS DISTINCT FROM (a.cause, a.cause_id) AS achieved
      FROM skill_allowance a
     WHERE a.employee_id = (SELECT find_employee(employee)) AND a.superseded_by IS NULL
       AND (SELECT reads_pay(find_employee(employee), 'allowance_trail'))
    WINDOW w AS (PARTITION BY a.component ORDER BY a.valid)
  ), event AS (
    SELECT s.increase, s.cause, coalesce(c.achieved_on, t.completed_on) AS on_day, coalesce(k.name, o.name) AS name,
           s.cause_id
      FROM step s
      LEFT JOIN certification_result c ON s.cause = 'certification_result' AND c.certification_result_id = s.cause_id
      LEFT JOIN certification k ON k.certification_id = c.certification_id
      LEFT JOIN training_record t ON s.cause = 'training_record' AND t.training_record_id = s.cause_id
      LEFT JOIN resource o ON o.resource_id = t.resource_id
     -- what a new rule added is nobody's achievement, and what was reversed was none
     WHERE s.increase > 0 AND s.achieved AND c.source IS DISTINCT FROM 'initial'
       AND NOT EXISTS (SELECT FROM certification_reversal v
                       WHERE v.certification_result_id = c.certification_result_id)
  ), told AS (
    SELECT e.*, lag(extract(year FROM e.on_day)) OVER (ORDER BY e.on_day, e.cause_id)
      IS DISTINCT FROM extract(year FROM e.on_day) AS new_year
      FROM event e
  )
  SELECT string_agg(sentence('trail.' || CASE t.cause WHEN 'training_record' THEN 'course' ELSE 'certification' END,
           jsonb_build_object('when', sentence(CASE WHEN t.new_year THEN 'trail.when' ELSE 'trail.same_year' END,
                                jsonb_build_object('year', extract(year FROM t.on_day), 'quarter',
                                                   extract(quarter FROM t.on_day)), allowance_trail.locale),
                              'name', t.name, 'amount', t.increase), allowance_trail.locale),
           sentence('trail.separator', '{}', allowance_trail.locale) ORDER BY t.on_day, t.cause_id), sum(t.increase)
    FROM told t HAVING count(*) > 0;
END;
COMMENT ON FUNCTION allowance_trail(text, text) IS
  'Skill up, pay up: the sentence of all increases and their sum in yuan a month (PAY-09); no rows if there are none '
  'or you may not read them. Error 22023: unknown.';

CREATE VIEW payroll_pending WITH (security_invoker) AS
  SELECT f.feed_id, e.employee_no, f.kind, f.entry, f.amount, f.effective_on, f.source_table, f.source_id, f.created_at,
         f.effective_until
    FROM payroll_feed f JOIN employee e USING (employee_id) WHERE f.acknowledged_at IS NULL AND (SELECT require_tls())
      ORDER BY f.feed_id;
COMMENT ON VIEW payroll_pending IS 'What payroll has not acknowledged yet (PAY-05).';
COMMENT ON COLUMN payroll_pending.feed_id IS 'Key to acknowledge.';
COMMENT ON COLUMN payroll_pending.employee_no IS 'Whose.';
COMMENT ON COLUMN payroll_pending.kind IS 'raise, salary or allowance.';
COMMENT ON COLUMN payroll_pending.entry IS 'post or reverse.';
COMMENT ON COLUMN payroll_pending.amount IS 'Yuan.';
COMMENT ON COLUMN payroll_pending.effective_on IS 'From this day.';
COMMENT ON COLUMN payroll_pending.source_table IS 'Source.';
COMMENT ON COLUMN payroll_pending.source_id IS 'Its key.';
COMMENT ON COLUMN payroll_pending.created_at IS 'When it was written.';
COMMENT ON COLUMN payroll_pending.effective_until IS 'Day after the last; null: until another row says otherwise.';

CREATE FUNCTION payroll_due(on_date date DEFAULT today())
  RETURNS TABLE (employee_no text, kind text, amount numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT e.employee_no, f.kind, sum(f.amount)
    FROM payroll_feed f JOIN employee e USING (employee_id)
   WHERE f.kind IN ('salary', 'allowance') AND f.effective_on <= on_date
     AND (f.effective_until IS NULL OR f.effective_until > on_date) AND (SELECT require_tls())
   GROUP BY e.employee_no, f.kind HAVING sum(f.amount) <> 0
   ORDER BY e.employee_no, f.kind DESC;
END;
COMMENT ON FUNCTION payroll_due(date) IS
  'What is due on a day by the feed alone, yuan a month: the sum of its rows that hold on that day, as payroll adds '
  'them up (PAY-05).';

CREATE FUNCTION feed_days(employee bigint)
  RETURNS TABLE (kind text, from_date date, fed numeric, due numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH due AS (
    SELECT 'salary' AS kind, s.valid, s.amount FROM salary s WHERE s.employee_id = employee AND s.superseded_by IS NULL
    UNION ALL
    SELECT 'allowance', a.valid, a.amount FROM skill_allowance a
     WHERE a.employee_id = employee AND a.superseded_by IS NULL
  ), fed AS (
    SELECT f.kind, daterange(f.effective_on, f.effective_until) AS valid, f.amount FROM payroll_feed f
     WHERE f.employee_id = employee AND f.kind IN ('salary', 'allowance')
  ), day AS (
    SELECT u.kind, d.day FROM (SELECT * FROM due UNION ALL SELECT * FROM fed) u
     CROSS JOIN LATERAL (VALUES (lower(u.valid)), (upper(u.valid))) AS d (day) WHERE d.day IS NOT NULL
     GROUP BY u.kind, d.day
  )
  SELECT d.kind, d.day, (SELECT coalesce(sum(f.amount), 0) FROM fed f WHERE f.kind = d.kind AND f.valid @> d.day),
         (SELECT coalesce(sum(p.amount), 0) FROM due p WHERE p.kind = d.kind AND p.valid @> d.day)
    FROM day d ORDER BY d.kind DESC, d.day;
END;
COMMENT ON FUNCTION feed_days(bigint) IS
  'For every day on which something begins or ends: what payroll comes to by adding up the feed, and what is due by '
  'base pay and allowances (PAY-05).';

CREATE VIEW payroll_reconciliation WITH (security_invoker) AS
  SELECT k.kind, count(f.feed_id) AS feed_rows, coalesce(sum(f.amount), 0) AS feed_total, s.total AS source_total,
         coalesce(sum(f.amount), 0) - s.total AS difference,
         (SELECT count(DISTINCT e.employee_id) FROM employee e CROSS JOIN LATERAL feed_days(e.employee_id) d
           WHERE d.kind = k.kind AND d.fed <> d.due) AS people_differing
    FROM (VALUES ('raise'), ('salary'), ('allowance')) AS k (kind)
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(a.raise_amount), 0) AS total FROM salary_adjustment a
       WHERE a.status IN ('proposed', 'held', 'approved', 'applied') HAVING k.kind = 'raise'
      UNION ALL
      SELECT coalesce(sum(p.amount), 0) FROM salary p WHERE p.superseded_by IS NULL HAVING k.kind = 'salary'
      UNION ALL
      SELECT coalesce(sum(a.amount), 0) FROM skill_allowance a WHERE a.superseded_by IS NULL
        HAVING k.kind = 'allowance') s
    LEFT JOIN payroll_feed f ON f.kind = k.kind
   GROUP BY k.kind, s.total;
COMMENT ON VIEW payroll_reconciliation IS
  'Totals of the feed against their sources, yuan, and person by person, day by day; difference and people_differing '
  'are 0 in healthy books (PAY-05).';
COMMENT ON COLUMN payroll_reconciliation.kind IS 'raise, salary or allowance.';
COMMENT ON COLUMN payroll_reconciliation.feed_rows IS 'Rows of the feed.';
COMMENT ON COLUMN payroll_reconciliation.feed_total IS 'Their sum.';
COMMENT ON COLUMN payroll_reconciliation.source_total IS 'Sum of the standing source rows.';
COMMENT ON COLUMN payroll_reconciliation.difference IS 'feed_total - source_total.';
COMMENT ON COLUMN payroll_reconciliation.people_differing IS
  'People for whom the rows of the feed that hold on some day are not what is due on that day; feed_days() says which '
  'days. Raises are no pay yet: 0.';

CREATE VIEW data_quality WITH (security_invoker) AS
  SELECT 'review_without_key_event' AS problem, 'review' AS table_name, r.review_id AS row_id, e.employee_no,
         c.code AS cycle_code
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e ON e.employee_id = r.employee_id
   WHERE r.status = 'locked'
     AND NOT EXISTS (SELECT FROM key_event k WHERE k.employee_id = r.employee_id AND c.period @> k.occurred_on)
  UNION ALL
  SELECT 'result_without_base_pay', 'review_result', x.result_id, e.employee_no, c.code
    FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
      JOIN employee e ON e.employee_id = r.employee_id
   WHERE x.reopened_by IS NULL AND c.pay_effective
     AND salary_on(r.employee_id, coalesce(c.pay_effective_on, upper(c.period))) IS NULL
     AND NOT has_left(r.employee_id, coalesce(c.pay_effective_on, upper(c.period)))
  UNION ALL
  SELECT 'result_without_raise_rule', 'review_result', x.result_id, e.employee_no, c.code
    FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
      JOIN employee e ON e.employee_id = r.employee_id
   WHERE x.reopened_by IS NULL AND c.pay_effective AND NOT has_raise_rule(r.review_id)
  UNION ALL
  SELECT 'raise_without_result', 'salary_adjustment', a.adjustment_id, e.employee_no, c.code
    FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE a.status = 'applied' AND a.percent <> 0
     AND NOT EXISTS (SELECT FROM salary_adjustment l WHERE l.corrects = a.adjustment_id AND l.status = 'applied')
     AND NOT EXISTS (SELECT FROM review r JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
                      WHERE r.cycle_id = a.cycle_id AND r.employee_id = a.employee_id)
  UNION ALL
  SELECT 'paid_without_employment', p.table_name, p.row_id, e.employee_no, NULL
    FROM (SELECT 'salary' AS table_name, s.salary_id AS row_id, s.employee_id, s.valid FROM salary s
           WHERE s.superseded_by IS NULL
          UNION ALL
          SELECT 'skill_allowance', a.skill_allowance_id, a.employee_id, a.valid FROM skill_allowance a
           WHERE a.superseded_by IS NULL
          UNION ALL
          SELECT 'salary_adjustment', a.adjustment_id, a.employee_id, daterange(a.effective_on, a.effective_on, '[]')
            FROM salary_adjustment a WHERE a.status IN ('proposed', 'held', 'approved')) p
    JOIN employee e USING (employee_id)
    JOIN employee_status l ON l.employee_id = p.employee_id AND l.status = 'left' AND l.valid && p.valid
  UNION ALL
  SELECT 'employee_without_review', 'employee', e.employee_id, e.employee_no, c.code
    FROM review_cycle c CROSS JOIN employee e
   WHERE c.status <> 'draft'
     AND EXISTS (SELECT FROM employee_status s
                 WHERE s.employee_id = e.employee_id AND s.status <> 'left' AND s.valid && c.period)
     AND NOT EXISTS (SELECT FROM review r WHERE r.cycle_id = c.cycle_id AND r.employee_id = e.employee_id)
  UNION ALL
  SELECT 'excellent_without_course', 'review_result', x.result_id, e.employee_no, c.code
    FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
      JOIN employee e ON e.employee_id = r.employee_id
   WHERE x.reopened_by IS NULL
     AND EXISTS (SELECT FROM decision d WHERE d.cause_id = x.result_id AND d.cause = 'review_result'
                 AND d.kind = 'talent.no_course')
     AND NOT EXISTS (SELECT FROM decision d
                     WHERE d.cause_id = x.result_id AND d.cause = 'review_result' AND d.kind = 'talent.recommend')
  UNION ALL
  SELECT 'raise_scale_gap', 'scale', g.scale_id, NULL, g.code || ' ' || g.gap_text FROM scale_gap g
    WHERE g.kind = 'raise'
  UNION ALL
  SELECT 'template_without_value', 'review_template', w.template_id, NULL, w.template_code || ': ' || w.indicator_code
    FROM template_warning w
   WHERE w.status = 'active'
     AND w.version = (SELECT max(t.version) FROM review_template t
                      WHERE t.code = w.template_code AND t.status = 'active');
COMMENT ON VIEW data_quality IS
  'What HR should look after: locked reviews without key events, results without base pay, raises that are paid '
  'without a result, pay of people who have left, people without a review, excellent people for whom no course fits, '
  'gaps in raise scales, templates of figures without value (ORG-07, DQ-03, REV-15, IND-16).';
COMMENT ON COLUMN data_quality.problem IS 'Kind of problem.';
COMMENT ON COLUMN data_quality.table_name IS 'Table of the row.';
COMMENT ON COLUMN data_quality.row_id IS 'Key of the row.';
COMMENT ON COLUMN data_quality.employee_no IS 'Whom it concerns.';
COMMENT ON COLUMN data_quality.cycle_code IS 'Cycle, or the gap, or the template and its figure.';

-- what install() brings: the raise table that the sources name ----------------

SELECT create_scale('raise', 'raise', '[
  {"range": "[90,)",   "value": 10, "label": "绩效优秀"}, {"range": "[80,90)", "value": 5, "label": "绩效良好"},
  {"range": "(70,80)", "value": 0,  "label": "未定义区间,默认不加薪"}, {"range": "(,70]", "value": 0, "label": "不加薪"}]',
  '薪资调整规则', reason => 'AMB-01');
SELECT add_raise_rule('raise');
