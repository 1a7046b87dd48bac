-- pay: what is shown.

-- skill allowances ------------------------------------------------------------

CREATE FUNCTION reads_pay(employee bigint, what text) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN setting_on('audit.log_reads')
    THEN hrloop.log_read('book'::regclass, employee, what, may_read_pay(employee))
              ELSE may_read_pay(employee) END;
COMMENT ON FUNCTION reads_pay(bigint, text) IS
  'may_read_pay(), noted in the server log with what was asked for, whether or not one may (SEC-03).';

CREATE FUNCTION allowance_on(employee text, on_date date DEFAULT current_date) RETURNS numeric STABLE LANGUAGE SQL
  RETURN CASE WHEN reads_pay(find_employee(employee), 'allowance_on') THEN
    (SELECT round(coalesce(sum(a.amount), 0), 2) FROM skill_allowance a
      WHERE a.employee_id = (SELECT find_employee(employee)) AND a.superseded_by IS NULL AND a.valid @> on_date) END;
COMMENT ON FUNCTION allowance_on(text, date) IS
  'Skill allowances of an employee on a day, yuan a month; null if you may not read it. Error 22023: unknown.';

-- what people read ------------------------------------------------------------

CREATE FUNCTION explain_pay(employee text, cycle text DEFAULT NULL, locale text DEFAULT NULL)
  RETURNS TABLE (cycle_code text, status text, line text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT c.code, a.status,
         sentence(CASE WHEN a.corrects IS NOT NULL THEN 'pay.corrected'
                  WHEN (d.outcome ->> 'raise')::numeric > 0 THEN 'pay.raise' ELSE 'pay.no_raise' END,
                  d.inputs || d.outcome, explain_pay.locale)
    FROM salary_adjustment a
    JOIN review_cycle c USING (cycle_id)
    JOIN decision d USING (decision_id)
    JOIN review_result x USING (result_id)
   WHERE a.employee_id = (SELECT find_employee(employee)) AND (SELECT reads_pay(find_employee(employee), 'explain_pay'))
     AND (actor() IS DISTINCT FROM a.employee_id OR x.disclosed_on IS NOT NULL OR disclosed(x.review_id))
     AND (explain_pay.cycle IS NULL OR c.code = explain_pay.cycle)
     AND a.status IN ('proposed', 'held', 'approved', 'applied')
   ORDER BY lower(c.period), a.adjustment_id;
END;
COMMENT ON FUNCTION explain_pay(text, text, text) IS
  'How score became raise, in a sentence per cycle and one for each correction, rendered from the decision; for the '
  'person (once the result is disclosed), HR and finance, no rows for anybody else (PAY-03). Error 22023: unknown '
  'employee.';

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
     -- what a new rule added is nobody's achievement
     WHERE s.increase > 0 AND s.achieved AND c.source IS DISTINCT FROM 'initial'
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
  SELECT f.feed_id, e.employee_no, f.kind, f.entry, f.amount, f.effective_on, f.source_table, f.source_id, f.created_at
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

CREATE VIEW payroll_reconciliation WITH (security_invoker) AS
  SELECT k.kind, count(f.feed_id) AS feed_rows, coalesce(sum(f.amount), 0) AS feed_total, s.total AS source_total,
         coalesce(sum(f.amount), 0) - s.total AS difference
    FROM (VALUES ('raise'), ('salary'), ('allowance')) AS k (kind)
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(CASE k.kind WHEN 'raise' THEN a.raise_amount ELSE a.new_amount END), 0) AS total
        FROM salary_adjustment a
       WHERE k.kind = 'raise' AND a.status IN ('proposed', 'held', 'approved', 'applied') OR k.kind = 'salary'
         AND a.status = 'applied'
      HAVING k.kind <> 'allowance'
      UNION ALL
      SELECT coalesce(sum(a.amount), 0) FROM skill_allowance a WHERE a.superseded_by IS NULL
        HAVING k.kind = 'allowance') s
    LEFT JOIN payroll_feed f ON f.kind = k.kind
   GROUP BY k.kind, s.total;
COMMENT ON VIEW payroll_reconciliation IS
  'Totals of the feed against their sources, yuan; the difference is 0 in healthy books (PAY-05).';
COMMENT ON COLUMN payroll_reconciliation.kind IS 'raise, salary or allowance.';
COMMENT ON COLUMN payroll_reconciliation.feed_rows IS 'Rows of the feed.';
COMMENT ON COLUMN payroll_reconciliation.feed_total IS 'Their sum.';
COMMENT ON COLUMN payroll_reconciliation.source_total IS 'Sum of the standing source rows.';
COMMENT ON COLUMN payroll_reconciliation.difference IS 'feed_total - source_total.';

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
  'What HR should look after: locked reviews without key events, results without base pay, people without a review, '
  'excellent people for whom no course fits, gaps in raise scales, templates of figures without value (ORG-07, DQ-03, '
  'REV-15, IND-16).';
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
