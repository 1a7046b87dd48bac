-- pay: what people and applications call.

CREATE FUNCTION set_salary(employee text, amount numeric, from_date date, reason text DEFAULT '入职定薪') RETURNS bigint
  VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('23502', 'a salary needs an amount, a day and a reason', NULL, NULL, 'salary')
   WHERE set_salary.amount IS NULL OR from_date IS NULL OR hrloop.meaningful_chars(coalesce(set_salary.reason, '')) = 0;
  SELECT hrloop.fail('23514', format('salary %s of employee %s has more than %s decimals', set_salary.amount, employee,
                                     setting_number('pay.minor_digits')),
                     NULL, 'Round the amount to the minor unit of the currency first.', 'salary', 'amount',
                     'salary_minor_unit')
   WHERE set_salary.amount <> hrloop.round_money(set_salary.amount, setting_number('pay.minor_digits')::int);
  SELECT salary_change(ARRAY[d.employee_id], ARRAY[set_salary.amount], ARRAY[from_date], ARRAY[d.decision_id])
    FROM new_decision('salary.set', (SELECT find_employee(employee)), 'employee', (SELECT find_employee(employee)),
                      jsonb_build_object('from', from_date), jsonb_build_object('amount', set_salary.amount),
                      set_salary.reason) d;
  SELECT s.salary_id FROM salary s
   WHERE s.employee_id = (SELECT find_employee(employee)) AND s.superseded_by IS NULL AND lower(s.valid) = from_date;
END;
COMMENT ON FUNCTION set_salary(text, numeric, date, text) IS
  'Set base pay, yuan a month, from a day on, by a person''s decision. Errors: 23514 not positive or too many '
  'decimals, 23502 no reason, 55000 a later salary is known, 22023 unknown.';

-- raise rules -----------------------------------------------------------------

CREATE FUNCTION add_raise_rule(scale text, unit_kind text DEFAULT NULL, job_family text DEFAULT NULL,
                               job text DEFAULT NULL,
                               from_date date DEFAULT NULL,
                               until_date date DEFAULT NULL) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the same scope for everybody or so: the older rule ends where the new one begins
  UPDATE raise_rule r SET valid = daterange(lower(r.valid), from_date)
   WHERE from_date IS NOT NULL AND r.valid @> from_date AND upper_inf(r.valid)
     AND (lower_inf(r.valid) OR lower(r.valid) < from_date)
     AND r.unit_kind IS NOT DISTINCT FROM add_raise_rule.unit_kind
       AND r.job_family IS NOT DISTINCT FROM add_raise_rule.job_family
     AND r.job_id IS NOT DISTINCT FROM (SELECT find_job(job));
  INSERT INTO raise_rule (scale_id, unit_kind, job_family, job_id, valid)
  VALUES (find_scale(scale), add_raise_rule.unit_kind, add_raise_rule.job_family, find_job(job),
          daterange(from_date, until_date, '[]'))
  RETURNING raise_rule_id;
END;
COMMENT ON FUNCTION add_raise_rule(text, text, text, text, date, date) IS
  'Use a scale for raises of a scope in cycles that begin between two days (both included; null: open); an open older '
  'rule of the same scope ends the day before. Errors: 23P01 overlap, 22023 unknown or unfit scale.';

-- proposals -------------------------------------------------------------------

CREATE FUNCTION find_adjustment(cycle text, employee text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN coalesce((SELECT a.adjustment_id FROM salary_adjustment a
                    WHERE a.cycle_id = (SELECT find_cycle(cycle)) AND a.employee_id = (SELECT find_employee(employee))
                      AND a.status IN ('proposed', 'held', 'approved', 'applied')
                    ORDER BY a.adjustment_id DESC LIMIT 1),
                  unknown_code('raise of ' || coalesce(employee, 'null') || ' in', coalesce(cycle, 'null')));
COMMENT ON FUNCTION find_adjustment(text, text) IS
  'Key of the newest live raise or correction of an employee in a cycle. Error 22023: none.';

CREATE FUNCTION approve_adjustment(cycle text, employee text) RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the employee first, as every change of pay: an unlock has the employee, and then wants the raise
  SELECT hold_employees(ARRAY[(SELECT find_employee(employee))]);
  SELECT hrloop.fail('55000', format('raise of employee %s is held: an appeal is open', employee), NULL,
                     'HR decides it first, with decide_appeal().',
                     'salary_adjustment', 'status', 'salary_adjustment_held')
    FROM salary_adjustment a WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status = 'held';
  UPDATE salary_adjustment a SET status = 'approved', decided_by = who()
   WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status = 'proposed';
  SELECT a.status FROM salary_adjustment a WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee));
END;
COMMENT ON FUNCTION approve_adjustment(text, text) IS
  'Approve a raise as who acts; not one''s own. Returns the status. Errors: 22023 none, 42501 one''s own, no right, or '
  'part of what led to it; 55000 held by an appeal, base pay changed.';
CREATE FUNCTION reject_adjustment(cycle text, employee text, reason text) RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('23502', format('rejecting the raise of employee %s needs a reason', employee), NULL,
                     'Say why; the decision keeps it.', 'salary_adjustment', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(reject_adjustment.reason, '')) = 0;
  SELECT hold_employees(ARRAY[(SELECT find_employee(employee))]);
  SELECT hrloop.fail('55000', format('raise of employee %s is applied', employee), NULL, 'What was paid stands.')
    FROM salary_adjustment a WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status = 'applied';
  UPDATE salary_adjustment a SET status = 'rejected', decided_by = who(), reason = reject_adjustment.reason
   WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee))
  RETURNING a.status;
END;
COMMENT ON FUNCTION reject_adjustment(text, text, text) IS
  'Reject a raise or correction that was not applied, with the reason; what is applied stands. Errors: 22023 none, '
  '23502 no reason, 55000 applied, or held by an appeal; 42501 own.';
CREATE FUNCTION apply_adjustment(cycle text, employee text) RETURNS numeric VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the employee first, as every change of pay: a correction goes on to other cycles
  SELECT hold_employees(ARRAY[(SELECT find_employee(employee))]);
  SELECT void_approvals(ARRAY[find_adjustment(cycle, employee)]);
  UPDATE salary_adjustment a SET status = 'applied'
   WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status <> 'applied'
     AND NOT (a.status = 'proposed' AND EXISTS (SELECT FROM decision d
                                                JOIN salary_adjustment v ON v.adjustment_id = d.cause_id
                                                 WHERE d.employee_id = a.employee_id AND d.kind = 'pay.void'
                                                   AND hrloop.of_this_transaction(d.xmin, d.decided_at)
                                                   AND v.cycle_id = a.cycle_id));
  SELECT a.new_amount FROM salary_adjustment a
    WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status = 'applied';
END;
COMMENT ON FUNCTION apply_adjustment(text, text) IS
  'Make an approved raise or correction the base pay; again: nothing. A correction holds up to a later salary, which '
  'stands; raises of later cycles follow: proposed anew, or where they are applied, corrected. Returns the new base '
  'pay, yuan; null: it is no longer what was approved, so that the approval is void and the raise proposed again. '
  'Errors: 55000 not approved, held by an appeal, a later salary is known (first raise only); 22023 none.';
CREATE FUNCTION apply_raises(adjustments bigint[]) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_employees(ARRAY(SELECT a.employee_id FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments)));
  SELECT count(*) FROM (SELECT FROM salary_adjustment a
                        WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved'
                         ORDER BY a.adjustment_id FOR NO KEY UPDATE) l;
  SELECT void_approvals(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                              WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved'));
  WITH done AS (UPDATE salary_adjustment a SET status = 'applied'
                 WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved' RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION apply_raises(bigint[]) IS
  'Apply those of these raises that are approved, their employees locked first; returns how many.';
CREATE FUNCTION apply_cycle(cycle text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- what is approved meanwhile is left: its employee is not locked
  SELECT apply_raises(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                            WHERE a.cycle_id = (SELECT find_cycle(cycle)) AND a.status = 'approved'));
END;
COMMENT ON FUNCTION apply_cycle(text) IS
  'Apply all approved raises of a cycle in one statement, but those that are no longer what was approved: their '
  'approval is void. Returns how many.';

-- what people read ------------------------------------------------------------

CREATE FUNCTION acknowledge_feed(feeds bigint[]) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH done AS (UPDATE payroll_feed f SET acknowledged_at = now()
                WHERE f.feed_id = ANY (feeds) AND f.acknowledged_at IS NULL RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION acknowledge_feed(bigint[]) IS 'Payroll took these rows; returns how many were pending (PAY-05).';
