-- pay: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('salary.set',   'pay', 'Base pay is set'),
  ('allowance',    'pay', 'A skill allowance changes (PAY-06)'),
  ('pay.propose',  'raise', 'A raise is proposed for a locked score (PAY-02)'),
  ('pay.correct',  'raise', 'A raise is corrected after another score was locked'),
  ('pay.withdraw', 'raise', 'A raise is withdrawn: its review was opened again'),
  ('pay.approve',  'raise', 'A raise is approved'),
  ('pay.reject',   'raise', 'A raise is rejected'),
  ('pay.apply',    'raise', 'A raise is paid'),
  ('pay.hold',     'raise', 'A raise waits: an appeal goes on'),
  ('pay.release',  'raise', 'It waits no longer'),
  ('pay.void',     'raise', 'An approval is void: its figures changed since');

CREATE FUNCTION salary_problem(salaries bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('salary of employee %s has more than %s decimals', e.employee_no,
                         setting_number('pay.minor_digits')),
         NULL, 'Round the amount to the minor unit of the currency first; setting pay.minor_digits holds its digits.',
         'salary', 'amount', 'salary_minor_unit'
    FROM salary s JOIN employee e USING (employee_id)
   WHERE s.salary_id = ANY (salaries) AND s.amount
         <> hrloop.round_money(s.amount, (SELECT setting_number('pay.minor_digits')::int));
END;
COMMENT ON FUNCTION salary_problem(bigint[]) IS 'Rule: money has the digits of its currency.';
SELECT register_follow('salary', '{insert,update}', 200, 'salary_problem', key => 'salary_id', changed => '{amount}');

CREATE FUNCTION salary_on(employee bigint, on_date date) RETURNS numeric STABLE LANGUAGE SQL
  RETURN (SELECT s.amount FROM salary s WHERE s.employee_id = employee AND s.valid @> on_date
          AND s.superseded_by IS NULL);
COMMENT ON FUNCTION salary_on(bigint, date) IS 'Base pay on a day; null if there is none.';

-- raise rules -----------------------------------------------------------------

CREATE FUNCTION raise_rule_problem(rules bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '22023', format('scale "%s" version %s cannot give raises', s.code, s.version), NULL,
         'Use an active scale of kind raise whose bands all have a value.', 'raise_rule', 'scale_id', 'raise_rule_scale'
    FROM raise_rule r JOIN scale s USING (scale_id)
   WHERE r.raise_rule_id = ANY (rules)
     AND (s.kind <> 'raise' OR s.status <> 'active'
          OR EXISTS (SELECT FROM band b WHERE b.scale_id = s.scale_id AND b.value IS NULL));
END;
COMMENT ON FUNCTION raise_rule_problem(bigint[]) IS 'Rule: raises come from active scales of percentages.';
SELECT register_follow('raise_rule', '{insert}', 200, 'raise_rule_problem', key => 'raise_rule_id');

-- proposals -------------------------------------------------------------------

CREATE FUNCTION adjustment_hash(adjustments bigint[]) RETURNS TABLE (adjustment_id bigint, hash text, approved boolean)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT h.adjustment_id, h.hash,
         coalesce((SELECT d.inputs ->> 'hash' FROM decision d
                   WHERE d.cause_id = h.adjustment_id AND d.cause = 'salary_adjustment' AND d.kind = 'pay.approve'
                    ORDER BY d.decision_id DESC LIMIT 1) = h.hash, false)
    FROM (SELECT a.adjustment_id,
                 encode(sha256(convert_to(concat_ws('|', e.employee_no, c.code, x.version, trim_scale(a.composite),
                                                    trim_scale(a.base_amount), to_char(a.base_on, 'YYYY-MM-DD'),
                   trim_scale(a.old_amount), trim_scale(a.percent), trim_scale(a.raise_amount),
                   trim_scale(a.new_amount), to_char(a.effective_on, 'YYYY-MM-DD'),
                   coalesce(trim_scale(s.amount)::text, '-')), 'UTF8')), 'hex') AS hash
            FROM salary_adjustment a JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
              JOIN review_result x USING (result_id)
            LEFT JOIN salary s ON s.employee_id = a.employee_id AND s.valid @> a.effective_on
              AND s.superseded_by IS NULL
           WHERE a.adjustment_id = ANY (adjustments)) h;
END;
COMMENT ON FUNCTION adjustment_hash(bigint[]) IS
  'sha256 of what an approval of raises is about (whose, from which result and figures, on which pay), and whether it '
  'is that of their last approval.';
CREATE FUNCTION adjustment_base_problem(adjustments bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('base pay of employee %s changed since the raise was proposed', e.employee_no),
         format('It was computed for %s, %s stands on %s.', trim_scale(a.old_amount),
                coalesce(trim_scale(salary_on(a.employee_id, a.effective_on))::text, 'nothing'), a.effective_on),
         CASE WHEN a.corrects IS NULL THEN 'Unlock and lock the review again to get a new proposal.'
              ELSE 'Somebody set another pay from that day: reject the correction, and set what should stand with '
                   'set_salary().' END,
         'salary_adjustment', 'old_amount', 'salary_adjustment_base'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'applied')
     AND NOT EXISTS (SELECT FROM payroll_feed f
                     WHERE f.source_table = 'salary_adjustment:applied' AND f.source_id = a.adjustment_id OFFSET 0)
     AND salary_on(a.employee_id, a.effective_on) IS DISTINCT FROM a.old_amount
  UNION ALL
  SELECT '55000', format('what was approved for employee %s is not what would be paid', e.employee_no), NULL,
         'Use apply_adjustment(): the approval is void, and the raise proposed again.', 'salary_adjustment', 'status',
         'salary_adjustment_as_approved'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
      CROSS JOIN LATERAL adjustment_hash(ARRAY[a.adjustment_id]) h
   WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied' AND a.decided_by IS NOT NULL
     AND NOT EXISTS (SELECT FROM payroll_feed f
                     WHERE f.source_table = 'salary_adjustment:applied' AND f.source_id = a.adjustment_id OFFSET 0)
     AND NOT h.approved;
END;
COMMENT ON FUNCTION adjustment_base_problem(bigint[]) IS
  'Rule: a raise is approved and applied on the pay it was computed from, and paid as it was approved.';
CREATE FUNCTION adjustment_fixed(adjustments bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('the figures of raise %s cannot change', a.adjustment_id), NULL,
         'Unlock the review, correct the score and lock it again.', 'salary_adjustment', 'new_amount',
         'salary_adjustment_fixed'
    FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments) LIMIT 1;
END;
COMMENT ON FUNCTION adjustment_fixed(bigint[]) IS 'Rule: figures of a proposal never change.';
CREATE FUNCTION adjustment_new_problem(adjustments bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('raise of employee %s begins as %s', e.employee_no, a.status), NULL,
         'A raise is proposed first; approve_adjustment() and apply_adjustment() follow.', 'salary_adjustment',
         'status', 'salary_adjustment_begins'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND (a.status <> 'proposed' OR a.decided_by IS NOT NULL)
  UNION ALL
  SELECT '55000', format('adjustment %s is not a correction of an applied raise of employee %s in this cycle',
                         a.adjustment_id, e.employee_no),
         format('It says that it corrects adjustment %s.', a.corrects),
         'Unlock the review, correct the score and lock it again.',
         'salary_adjustment', 'corrects', 'salary_adjustment_corrects_applied'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
      JOIN salary_adjustment f ON f.adjustment_id = a.corrects
   WHERE a.adjustment_id = ANY (adjustments)
     AND (f.cycle_id, f.employee_id, f.effective_on, f.status)
       IS DISTINCT FROM (a.cycle_id, a.employee_id, a.effective_on, 'applied');
END;
COMMENT ON FUNCTION adjustment_new_problem(bigint[]) IS
  'Rule: no raise is born approved, and what is corrected is what is applied (REV-08).';
SELECT register_follow('salary_adjustment', '{insert}', 200, 'adjustment_new_problem', key => 'adjustment_id');
SELECT register_follow('salary_adjustment', '{update}', 100, 'adjustment_fixed', key => 'adjustment_id',
  changed => '{cycle_id,employee_id,result_id,composite,base_amount,base_on,old_amount,percent,raise_amount,new_amount,'
             'effective_on,corrects}');
SELECT register_follow('salary_adjustment', '{update}', 200, 'adjustment_base_problem', key => 'adjustment_id',
                       changed => '{status}');

-- Held while an appeal against the result is open.
CREATE FUNCTION hold_problem(adjustments bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('raise of employee %s is held: an appeal is open', e.employee_no), NULL,
         'HR decides it first, with decide_appeal().', 'salary_adjustment', 'status', 'salary_adjustment_held'
    FROM salary_adjustment a JOIN appeal p ON p.result_id = a.result_id AND p.status = 'open'
      JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status <> 'held'
  UNION ALL
  SELECT '55000', format('raise of employee %s cannot be held: no appeal is open', e.employee_no), NULL,
         'file_appeal() holds it.', 'salary_adjustment', 'status', 'salary_adjustment_hold'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'held'
     AND NOT EXISTS (SELECT FROM appeal p WHERE p.result_id = a.result_id AND p.status = 'open');
END;
COMMENT ON FUNCTION hold_problem(bigint[]) IS
  'Rule: a raise is held as long as an appeal is open, and then only (REV-08).';
SELECT register_follow('salary_adjustment', '{update}', 350, 'hold_problem', key => 'adjustment_id',
                       changed => '{status}');
SELECT register_notice('pay.void', '{hr}', is_pay => true,
  zh => '员工{employee}{cycle}的调薪审批已失效:审批后薪资数据有变动,请重新审批',
  en => 'The approval of {employee}''s raise of {cycle} is void: the pay it was for has changed since, please decide '
        'again');
