-- pay: what people and applications call.

-- A fact of its day; whether and how long it stands follows from all of them.  Without an amount the latest one that
-- was
-- set from that day is taken back.
CREATE FUNCTION pay_entered(employee bigint, amount numeric, from_date date, reason text,
                            requested_by bigint DEFAULT NULL)
  RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO salary (employee_id, amount, valid, decision_id, superseded_by)
  SELECT d.employee_id, pay_entered.amount, daterange(from_date, NULL), d.decision_id, d.decision_id
    FROM new_decision('salary.set', employee, 'employee', employee,
                      jsonb_strip_nulls(jsonb_build_object('from', from_date, 'requested_by',
                                                           (SELECT e.employee_no FROM employee e
                                                            WHERE e.employee_id = requested_by))),
                      jsonb_build_object('amount', pay_entered.amount), reason) d
   WHERE pay_entered.amount IS NOT NULL;
  UPDATE salary s SET withdrawn_by = d.decision_id, superseded_by = coalesce(s.superseded_by, d.decision_id)
    FROM (SELECT f.salary_id, f.employee_id, f.amount FROM salary f
           WHERE f.employee_id = pay_entered.employee AND f.source = 'set' AND f.withdrawn_by IS NULL
             AND lower(f.valid) = from_date AND pay_entered.amount IS NULL
           ORDER BY f.salary_id DESC LIMIT 1) l
   CROSS JOIN LATERAL new_decision('salary.withdraw', l.employee_id, 'salary', l.salary_id,
                                   jsonb_strip_nulls(jsonb_build_object('from', from_date, 'amount', l.amount,
                                                                        'requested_by',
                                                                        (SELECT e.employee_no FROM employee e
                                                                         WHERE e.employee_id = requested_by))),
                                   '{}', reason) d
   WHERE s.salary_id = l.salary_id;
END;
COMMENT ON FUNCTION pay_entered(bigint, numeric, date, text, bigint) IS
  'Step of set_salary() and withdraw_salary(): enters base pay, or takes it back, by a decision.';

-- Two people say the same: the first one asks, the second one confirms.
CREATE FUNCTION pay_by_two(employee bigint, amount numeric, from_date date, reason text) RETURNS boolean
  VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('55000', format('other pay of employee %s waits for a second person', e.employee_no),
                     format('It is request %s.', q.change_request_id),
                     'Somebody else calls the same with the same figures; or withdraw_request() first.',
                     'change_request', NULL, 'change_request_once')
    FROM change_request q JOIN employee e USING (employee_id)
   WHERE q.employee_id = employee AND q.what = 'salary' AND q.confirmed_at IS NULL AND q.withdrawn_at IS NULL
     AND (q.requested_by IS NOT DISTINCT FROM actor()
          OR (q.amount, q.from_date) IS DISTINCT FROM (pay_by_two.amount, pay_by_two.from_date));
  WITH confirmed AS (
    UPDATE change_request q SET confirmed_by = actor(), confirmed_at = now()
     WHERE q.employee_id = employee AND q.what = 'salary' AND q.confirmed_at IS NULL AND q.withdrawn_at IS NULL
    RETURNING 1
  )
  INSERT INTO change_request (employee_id, what, amount, from_date, reason)
  SELECT employee, 'salary', pay_by_two.amount, pay_by_two.from_date, pay_by_two.reason
   WHERE NOT EXISTS (SELECT FROM confirmed);
  SELECT NOT EXISTS (SELECT FROM change_request q WHERE q.employee_id = employee AND q.what = 'salary'
                        AND q.confirmed_at IS NULL AND q.withdrawn_at IS NULL);
END;
COMMENT ON FUNCTION pay_by_two(bigint, numeric, date, text) IS
  'Step of set_salary() and withdraw_salary(): the first person asks, the second one confirms, and it is done; false: '
  'it waits. Error 55000: another request waits.';

CREATE FUNCTION set_salary(employee text, amount numeric, from_date date, reason text DEFAULT '入职定薪') RETURNS bigint
  VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_pay_right(find_employee(employee), 'set', 'pay');
  SELECT hrloop.fail('23502', 'a salary needs an amount, a day and a reason', NULL, NULL, 'salary')
   WHERE set_salary.amount IS NULL OR from_date IS NULL OR hrloop.meaningful_chars(coalesce(set_salary.reason, '')) = 0;
  SELECT hrloop.fail('23514', format('salary %s of employee %s has more than %s decimals', set_salary.amount, employee,
                                     setting_number('pay.minor_digits')),
                     NULL, 'Round the amount to the minor unit of the currency first.', 'salary', 'amount',
                     'salary_minor_unit')
   WHERE set_salary.amount <> hrloop.round_money(set_salary.amount, setting_number('pay.minor_digits')::int);
  SELECT hold_employees(ARRAY[find_employee(employee)]);
  SELECT CASE WHEN actor() IS NULL OR NOT setting_on('four_eyes.pay')
              THEN pay_entered(find_employee(employee), set_salary.amount, from_date, set_salary.reason)::text
              ELSE pay_by_two(find_employee(employee), set_salary.amount, from_date, set_salary.reason)::text END;
  SELECT s.salary_id FROM salary s JOIN decision d USING (decision_id)
   WHERE s.employee_id = (SELECT find_employee(employee)) AND s.source = 'set' AND lower(s.valid) = from_date
     AND s.amount = set_salary.amount AND hrloop.of_this_transaction(d.xmin, d.decided_at)
   ORDER BY s.salary_id DESC LIMIT 1;
END;
COMMENT ON FUNCTION set_salary(text, numeric, date, text) IS
  'Set base pay, yuan a month, from a day on, in advance or afterwards: it holds up to the next amount that is set, '
  'and '
  'raises from that day on are on top of it. Two people: the first one asks (null), another one calls the same and '
  'confirms; the owner of the books, and anybody without setting four_eyes.pay, does it alone. Returns the key of the '
  'row. Errors: 23514 not positive, too many decimals, or not employed on that day, 23502 no reason, 22023 unknown, '
  '42501 one''s own, or no right to it, 55000 another request waits (PAY-02).';

CREATE FUNCTION withdraw_salary(employee text, from_date date, reason text) RETURNS numeric VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_pay_right(find_employee(employee), 'set', 'pay');
  SELECT hrloop.fail('23502', 'taking a salary back needs a reason', NULL, 'Say why; the decision keeps it.', 'salary')
   WHERE hrloop.meaningful_chars(coalesce(withdraw_salary.reason, '')) = 0;
  SELECT hold_employees(ARRAY[find_employee(employee)]);
  SELECT hrloop.fail('22023', format('nothing is set for employee %s from %s', employee,
                                     coalesce(from_date::text, 'null')), NULL,
                     'Give the first day of an amount that was set or loaded.', 'salary', 'valid')
   WHERE NOT EXISTS (SELECT FROM salary s WHERE s.employee_id = (SELECT find_employee(employee)) AND s.source = 'set'
                        AND s.withdrawn_by IS NULL AND lower(s.valid) = from_date);
  SELECT CASE WHEN actor() IS NULL OR NOT setting_on('four_eyes.pay')
              THEN pay_entered(find_employee(employee), NULL, from_date, withdraw_salary.reason)::text
              ELSE pay_by_two(find_employee(employee), NULL, from_date, withdraw_salary.reason)::text END;
  SELECT salary_on(e.employee_id, from_date) FROM employee e
   WHERE e.employee_id = (SELECT find_employee(employee)) AND may_read_pay(e.employee_id);
END;
COMMENT ON FUNCTION withdraw_salary(text, date, text) IS
  'Take back what was set or loaded from a day on, the latest of it: pay is what the other facts come to. By two '
  'people '
  'as set_salary(). Returns the base pay of that day now, to who may read it; null: none. Errors: 22023 nothing is set '
  'from that day, 23502 no reason, 42501 one''s own, or no right to it, 55000 another request waits (PAY-02).';

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

CREATE FUNCTION approve_adjustment(cycle text, employee text) RETURNS text VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_pay_right(find_employee(employee), 'decide on', 'raise');
  -- what is proposed when this is called: who has to wait does not approve what took its place meanwhile. The employee
  -- first, as every change of pay: an unlock has the employee, and then wants the raise
  WITH seen AS MATERIALIZED (
    SELECT (SELECT find_adjustment(cycle, employee)) AS adjustment_id
  ), held AS MATERIALIZED (
    SELECT hold_employees(ARRAY[(SELECT find_employee(employee))])
  )
  UPDATE salary_adjustment a SET status = 'approved', decided_by = who() FROM seen CROSS JOIN held
   WHERE a.adjustment_id = seen.adjustment_id AND a.status = 'proposed';
  SELECT hrloop.fail('55000', format('raise of employee %s is held: an appeal is open', employee), NULL,
                     'HR decides it first, with decide_appeal().',
                     'salary_adjustment', 'status', 'salary_adjustment_held')
    FROM salary_adjustment a WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status = 'held';
  SELECT a.status FROM salary_adjustment a WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee));
END;
COMMENT ON FUNCTION approve_adjustment(text, text) IS
  'Approve a raise as who acts; not one''s own. Returns the status; proposed: another one took its place meanwhile. '
  'Errors: 22023 none, 42501 one''s own, no right, or '
  'part of what led to it; 55000 held by an appeal, base pay changed.';
CREATE FUNCTION reject_adjustment(cycle text, employee text, reason text) RETURNS text VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_pay_right(find_employee(employee), 'decide on', 'raise');
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
CREATE FUNCTION apply_adjustment(cycle text, employee text) RETURNS numeric VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_pay_right(find_employee(employee), 'apply', 'raise');
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
  SELECT CASE WHEN may_read_pay(a.employee_id) THEN salary_on(a.employee_id, a.effective_on) END
    FROM salary_adjustment a
    WHERE a.adjustment_id = (SELECT find_adjustment(cycle, employee)) AND a.status = 'applied';
END;
COMMENT ON FUNCTION apply_adjustment(text, text) IS
  'Make an approved raise or correction the base pay; again: nothing. It holds up to the next amount that is set; '
  'raises that come after it are on top: those that wait are proposed anew, those that are applied follow (decision '
  'pay.fold). Returns the base pay from its day on, yuan, to who may read it; null: or it is no longer what was '
  'approved, so that the approval is void and the raise proposed again. Errors: 55000 not approved, held by an '
  'appeal, not employed; 22023 none, 42501 one''s own, or no right to it.';
CREATE FUNCTION apply_raises(adjustments bigint[]) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_employees(ARRAY(SELECT a.employee_id FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments)));
  SELECT count(*) FROM (SELECT FROM salary_adjustment a
                        WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved'
                         ORDER BY a.adjustment_id FOR NO KEY UPDATE) l;
  SELECT void_approvals(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                              WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved'));
  -- one person stops nobody: apply_left() says who is left, and why
  WITH free AS MATERIALIZED (
    SELECT o.adjustment_id FROM adjustment_obstacles(adjustments) o WHERE o.why IS NULL
  ), done AS (
    UPDATE salary_adjustment a SET status = 'applied' FROM free
     WHERE a.adjustment_id = free.adjustment_id AND a.status = 'approved' RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION apply_raises(bigint[]) IS
  'Apply those of these raises that are approved and can be paid, their employees locked first; returns how many.';
CREATE FUNCTION apply_cycle(cycle text) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr,finance,executive}', format('apply the raises of cycle "%s"', cycle));
  -- what is approved meanwhile is left: its employee is not locked
  SELECT apply_raises(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                            WHERE a.cycle_id = (SELECT find_cycle(cycle)) AND a.status = 'approved'));
END;
COMMENT ON FUNCTION apply_cycle(text) IS
  'Apply all approved raises of a cycle in one statement, but those that are no longer what was approved (their '
  'approval is void) and those that cannot be paid: apply_left(cycle) lists both. Returns how many. Error 42501: '
  'neither HR, finance nor '
  'executive.';
CREATE FUNCTION apply_left(cycle text) RETURNS TABLE (employee_no text, raise_amount numeric, status text, why text)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT e.employee_no, a.raise_amount, a.status,
         CASE WHEN o.why IS NOT NULL THEN o.why WHEN a.status = 'approved' THEN 'apply_cycle'
              WHEN EXISTS (SELECT FROM decision d JOIN salary_adjustment v ON v.adjustment_id = d.cause_id
                            WHERE d.employee_id = a.employee_id AND d.kind = 'pay.void'
                              AND d.cause = 'salary_adjustment'
                              AND v.cycle_id = a.cycle_id) THEN 'approval void'
              ELSE 'not approved' END
    FROM adjustment_obstacles(ARRAY(SELECT k.adjustment_id FROM salary_adjustment k
                                    WHERE k.cycle_id = (SELECT find_cycle(cycle))
                                      AND k.status IN ('proposed', 'held', 'approved'))) o
    JOIN salary_adjustment a USING (adjustment_id) JOIN employee e USING (employee_id)
   WHERE may_read_pay(a.employee_id)
  UNION ALL
  SELECT e.employee_no, NULL, NULL,
         CASE WHEN has_left(r.employee_id, coalesce(c.pay_effective_on, upper(c.period))) THEN 'has left'
              WHEN NOT has_raise_rule(r.review_id) THEN 'no rule'
              ELSE 'no pay' END
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND c.pay_effective AND may_read_pay(r.employee_id)
     AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id
                        AND a.status <> 'withdrawn')
   ORDER BY 1, 3;
END;
COMMENT ON FUNCTION apply_left(text) IS
  'Who of a pay-effective cycle has a locked result and is not paid by it yet, and why: has left, no pay on its day, '
  'no rule, held, base changed, too much, approval void, not approved; apply_cycle: nothing is in the way. Of people '
  'whose pay one may read. Error 22023: unknown.';

-- what people read ------------------------------------------------------------

CREATE FUNCTION acknowledge_feed(feeds bigint[]) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr,finance}', 'acknowledge rows of the payroll feed');
  WITH done AS (UPDATE payroll_feed f SET acknowledged_at = now()
                WHERE f.feed_id = ANY (feeds) AND f.acknowledged_at IS NULL RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION acknowledge_feed(bigint[]) IS
  'Payroll took these rows; returns how many were pending. Error 42501: neither HR nor finance (PAY-05).';
