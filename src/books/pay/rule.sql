-- pay: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('salary.set',      'pay', 'Base pay is set'),
  ('salary.withdraw', 'pay', 'A base pay that was set is taken back'),
  ('pay.fold',        'secret', 'Base pay follows from another fact, maybe one that is not disclosed: arithmetic'),
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

CREATE FUNCTION has_pay_right(employee bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN actor() IS NULL THEN owns_books()
              ELSE actor() <> employee
               AND (holds_role('hr', actor()) OR holds_role('finance', actor()) OR holds_role('executive', actor())
                    OR is_superior(actor(), employee, today()) AND NOT has_left(actor(), today())) END;
COMMENT ON FUNCTION has_pay_right(bigint) IS
  'Whether who acts may do something about this person''s pay: HR, finance, executives, superiors, never the person; '
  'the owner of the books when nobody is acting.';

CREATE FUNCTION require_pay_right(employee bigint, what text, thing text) RETURNS boolean STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot %s their own %s', who(), what, thing), NULL, 'Somebody else has to.')
   WHERE actor() = employee;
  SELECT hrloop.fail('42501', format('%s cannot %s the %s of employee %s', who(), what, thing, e.employee_no),
                     'They are neither HR, finance, an executive nor a superior, and stand for none of these.',
                     'Applications call act_as() first; a role is handed on with delegate_role().')
    FROM employee e WHERE e.employee_id = require_pay_right.employee AND NOT has_pay_right(e.employee_id);
  SELECT true;
END;
COMMENT ON FUNCTION require_pay_right(bigint, text, text) IS
  'True if has_pay_right(). Error 42501: somebody else cannot do that with that thing.';

CREATE FUNCTION salary_problem(salaries bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('salary of employee %s has more than %s decimals', e.employee_no,
                         setting_number('pay.minor_digits')),
         NULL, 'Round the amount to the minor unit of the currency first; setting pay.minor_digits holds its digits.',
         'salary', 'amount', 'salary_minor_unit'
    FROM salary s JOIN employee e USING (employee_id)
   WHERE s.salary_id = ANY (salaries) AND s.amount
         <> hrloop.round_money(s.amount, (SELECT setting_number('pay.minor_digits')::int))
  UNION ALL
  SELECT '23514', format('employee %s has left on %s', e.employee_no, lower(s.valid)),
         'No pay begins after the last day.', 'Correct the day, or enter the return in employee_status first.',
         'salary', 'valid', 'salary_employed'
    FROM salary s JOIN employee e USING (employee_id)
   WHERE s.salary_id = ANY (salaries) AND s.source = 'set' AND s.withdrawn_by IS NULL
     AND has_left(s.employee_id, lower(s.valid));
END;
COMMENT ON FUNCTION salary_problem(bigint[]) IS
  'Rule: money has the digits of its currency, and nobody''s pay begins after they have left.';
SELECT register_follow('salary', '{insert,update}', 200, 'salary_problem', key => 'salary_id',
                       changed => '{amount,valid}');

CREATE FUNCTION salary_fixed(was salary[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('base pay of employee %s is not edited', e.employee_no),
         'What was set is a fact of its day, and what stands follows from all facts.',
         'Use set_salary() for that day, or withdraw_salary().', 'salary', 'amount', 'salary_fixed'
    FROM unnest(was) o JOIN employee e USING (employee_id) LEFT JOIN salary s USING (salary_id)
   WHERE (s.employee_id, s.amount, s.valid, s.source, s.decision_id)
         IS DISTINCT FROM (o.employee_id, o.amount, o.valid, o.source, o.decision_id)
      -- it gives way to a decision of now, or stands that was written now
      OR s.superseded_by IS DISTINCT FROM o.superseded_by
         AND NOT EXISTS (SELECT FROM decision d WHERE d.decision_id = coalesce(s.superseded_by, o.superseded_by)
                            AND hrloop.of_this_transaction(d.xmin, d.decided_at))
   ORDER BY o.salary_id;
END;
COMMENT ON FUNCTION salary_fixed(salary[]) IS
  'Rule: nobody edits or deletes base pay; other pay is another row, by a decision (PAY-02).';
SELECT register_follow('salary', '{update,delete}', 100, 'salary_fixed');

CREATE FUNCTION salary_entered(salaries bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '42501', format('%s cannot set the pay of employee %s', who(), e.employee_no), NULL::text,
         'Nobody sets their own.', 'salary', 'employee_id', 'salary_own'
    FROM salary s JOIN employee e USING (employee_id)
   WHERE s.salary_id = ANY (salaries) AND s.employee_id = actor() AND s.source = 'set' AND s.decision_id IS NULL
  UNION ALL
  SELECT '42501', format('pay of employee %s changes by a decision', e.employee_no),
         'Pay without a decision is what somebody begins with, loaded from outside; a decision belongs to who it is '
         'about, and to the transaction that took it.', 'Call set_salary().', 'salary', 'decision_id', 'salary_decided'
    FROM salary s JOIN employee e USING (employee_id)
   WHERE s.salary_id = ANY (salaries)
     -- what facts come to has the decision of its fact
     AND s.source = 'set'
     AND CASE WHEN s.decision_id IS NULL
           -- the owner loads what was before these books; one person alone only where one is enough
           THEN actor() IS NOT NULL AND (SELECT setting_on('four_eyes.pay'))
                OR EXISTS (SELECT FROM salary o WHERE o.employee_id = s.employee_id
                              AND (o.decision_id IS NOT NULL OR actor() IS NOT NULL AND o.salary_id <> s.salary_id))
           ELSE NOT EXISTS (SELECT FROM decision d
                             WHERE d.decision_id = s.decision_id AND d.employee_id = s.employee_id
                               AND hrloop.of_this_transaction(d.xmin, d.decided_at)) END;
END;
COMMENT ON FUNCTION salary_entered(bigint[]) IS
  'Rule: pay is set by a decision, but for what somebody begins with; not by who gets it.';
SELECT register_follow('salary', '{insert}', 300, 'salary_entered', key => 'salary_id');

CREATE FUNCTION salary_on(employee bigint, on_date date) RETURNS numeric STABLE LANGUAGE SQL
  RETURN (SELECT s.amount FROM salary s WHERE s.employee_id = employee AND s.valid @> on_date
          AND s.superseded_by IS NULL);
COMMENT ON FUNCTION salary_on(bigint, date) IS 'Base pay on a day; null if there is none.';

-- The fold: what the facts of somebody come to, day by day.
CREATE FUNCTION pay_timeline(employee bigint)
  RETURNS TABLE (amount numeric, valid daterange, salary_id bigint, adjustment_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH spell AS MATERIALIZED (
    SELECT s.spell, s.first FROM employment(employee) s
  ), fact AS MATERIALIZED (
    -- of the employment in which it begins: who returns begins anew
    SELECT f.salary_id, f.amount, lower(f.valid) AS from_day, f.valid * s.spell AS valid
      FROM (SELECT * FROM salary f WHERE f.employee_id = employee AND f.source = 'set' AND f.withdrawn_by IS NULL) f
      JOIN spell s ON f.valid && s.spell
        AND (s.spell @> lower(f.valid) OR s.first AND lower(f.valid) < lower(s.spell))
  ), raise AS MATERIALIZED (
    SELECT a.adjustment_id, a.cycle_id, a.effective_on, a.percent
      FROM (SELECT DISTINCT ON (h.cycle_id) h.* FROM salary_adjustment h
             WHERE h.employee_id = employee AND h.status = 'applied'
             ORDER BY h.cycle_id, h.adjustment_id DESC) a
     WHERE a.percent <> 0 AND EXISTS (SELECT FROM spell s WHERE s.spell @> a.effective_on)
  ), day AS (
    SELECT lower(f.valid) AS day FROM fact f
    UNION SELECT upper(f.valid) FROM fact f WHERE NOT upper_inf(f.valid)
    UNION SELECT r.effective_on FROM raise r
  ), step AS (
    SELECT d.day, f.salary_id, f.amount, r.percents, r.last_id,
           (lag(f.salary_id) OVER w, lag(r.last_id) OVER w) IS DISTINCT FROM (f.salary_id, r.last_id) AS changed
      FROM day d
      LEFT JOIN LATERAL (SELECT x.* FROM fact x WHERE x.valid @> d.day
                          ORDER BY x.from_day DESC, x.salary_id DESC LIMIT 1) f ON true
      LEFT JOIN LATERAL (SELECT array_agg(x.percent ORDER BY x.effective_on, x.cycle_id) AS percents,
                                (array_agg(x.adjustment_id ORDER BY x.effective_on DESC, x.cycle_id DESC))[1] AS last_id
                           FROM raise x WHERE x.effective_on BETWEEN f.from_day AND d.day) r ON true
    WINDOW w AS (ORDER BY d.day)
  ), span AS (
    SELECT s.*, lead(s.day) OVER (ORDER BY s.day) AS until FROM step s WHERE s.changed
  )
  SELECT hrloop.raised(s.amount, coalesce(s.percents, '{}'), (SELECT setting_number('pay.minor_digits')::int)),
         daterange(s.day, s.until), s.salary_id, s.last_id
    FROM span s WHERE s.salary_id IS NOT NULL;
END;
COMMENT ON FUNCTION pay_timeline(bigint) IS
  'What somebody''s base pay comes to by the dated facts, in whatever order they became known: on each day the amount '
  'set last, then the applied raises since in order of effective day and cycle, each rounded once; nothing outside '
  'employment. With the fact and the last raise behind each span.';

CREATE FUNCTION raise_base(employee bigint, cycle bigint, day date) RETURNS numeric STABLE LANGUAGE SQL
  RETURN (
    SELECT hrloop.raised(f.amount,
             ARRAY(SELECT r.percent
                     FROM (SELECT DISTINCT ON (h.cycle_id) h.* FROM salary_adjustment h
                            WHERE h.employee_id = raise_base.employee AND h.status = 'applied'
                            ORDER BY h.cycle_id, h.adjustment_id DESC) r
                    WHERE r.effective_on >= lower(f.valid) AND f.spell @> r.effective_on
                      AND (r.effective_on, r.cycle_id) < (day, raise_base.cycle)
                    ORDER BY r.effective_on, r.cycle_id),
             (SELECT setting_number('pay.minor_digits')::int))
      FROM (SELECT x.amount, x.valid, s.spell FROM employment(raise_base.employee) s
              JOIN salary x ON x.employee_id = raise_base.employee AND x.source = 'set' AND x.withdrawn_by IS NULL
               AND (s.spell @> lower(x.valid) OR s.first AND lower(x.valid) < lower(s.spell))
             WHERE s.spell @> day AND x.valid @> day
             ORDER BY lower(x.valid) DESC, x.salary_id DESC LIMIT 1) f);
COMMENT ON FUNCTION raise_base(bigint, bigint, date) IS
  'Pay that the raise of a cycle is of: what the facts before it in the order of the fold come to on its day; null: '
  'nobody is paid then.';

CREATE FUNCTION hidden_raise(employee bigint) RETURNS SETOF date STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT a.effective_on FROM salary_adjustment a JOIN review_result x USING (result_id)
   WHERE a.employee_id = employee AND a.status = 'applied' AND (a.raise_amount <> 0 OR a.percent <> 0)
     AND x.disclosed_on IS NULL AND NOT disclosed(x.review_id)
     AND NOT EXISTS (SELECT FROM salary_adjustment l WHERE l.employee_id = a.employee_id AND l.cycle_id = a.cycle_id
                        AND l.status = 'applied' AND l.adjustment_id > a.adjustment_id);
END;
COMMENT ON FUNCTION hidden_raise(bigint) IS
  'First days of applied raises whose result is not disclosed to the person yet; unguarded (REV-08).';

CREATE FUNCTION raises_told(employee bigint, day date) RETURNS boolean STABLE LANGUAGE SQL
  RETURN NOT EXISTS (
    SELECT FROM hidden_raise(employee) AS h (day)
     WHERE h.day <= raises_told.day
       -- what is set for a day stands without the raises before it
       AND h.day >= coalesce((SELECT max(lower(f.valid)) FROM salary f
                               WHERE f.employee_id = raises_told.employee AND f.source = 'set'
                                 AND f.withdrawn_by IS NULL AND f.valid @> raises_told.day), '-infinity'));
COMMENT ON FUNCTION raises_told(bigint, date) IS
  'Whether the person may know base pay of a day: each raise in it comes from a result that is disclosed (REV-08).';

CREATE FUNCTION allowance_rule_problem(rules bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format('allowance %s has more than %s decimals', r.amount, setting_number('pay.minor_digits')), NULL,
         'Round the amount to the minor unit of the currency first; setting pay.minor_digits holds its digits.',
         'allowance_rule', 'amount', 'allowance_rule_minor_unit'
    FROM allowance_rule r
   WHERE r.allowance_rule_id = ANY (rules)
     AND r.amount <> hrloop.round_money(r.amount, (SELECT setting_number('pay.minor_digits')::int))
   ORDER BY r.allowance_rule_id;
END;
COMMENT ON FUNCTION allowance_rule_problem(bigint[]) IS 'Rule: allowances have the digits of their currency (PAY-06).';
SELECT register_follow('allowance_rule', '{insert,update}', 200, 'allowance_rule_problem', key => 'allowance_rule_id',
                       changed => '{amount}');

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
                   coalesce(trim_scale(raise_base(a.employee_id, a.cycle_id, a.effective_on))::text, '-')), 'UTF8')),
                        'hex') AS hash
            FROM salary_adjustment a JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
              JOIN review_result x USING (result_id)
           WHERE a.adjustment_id = ANY (adjustments)) h;
END;
COMMENT ON FUNCTION adjustment_hash(bigint[]) IS
  'sha256 of what an approval of raises is about (whose, from which result and figures, on which pay), and whether it '
  'is that of their last approval.';
CREATE FUNCTION payable(amount numeric) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE SQL
  RETURN amount > 0 AND amount < 1000000000000;
COMMENT ON FUNCTION payable(numeric) IS 'Whether an amount can be a base pay, as the table says.';

CREATE FUNCTION adjustment_obstacles(adjustments bigint[]) RETURNS TABLE (adjustment_id bigint, why text) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT a.adjustment_id,
         CASE WHEN a.status = 'held' THEN 'held'
              WHEN b.base IS NULL AND has_left(a.employee_id, a.effective_on) THEN 'has left'
              WHEN b.base IS NULL THEN 'no pay'
              WHEN b.base <> a.base_amount THEN 'base changed'
              WHEN NOT payable(a.new_amount) THEN 'too much' END
    FROM salary_adjustment a
   CROSS JOIN LATERAL (SELECT raise_base(a.employee_id, a.cycle_id, a.effective_on) AS base OFFSET 0) b
   WHERE a.adjustment_id = ANY (adjustments);
END;
COMMENT ON FUNCTION adjustment_obstacles(bigint[]) IS
  'Why raises can be neither approved nor applied, whoever does it: held, has left, no pay on its day, base changed, '
  'too much; null: nothing is in the way.';

CREATE FUNCTION adjustment_base_problem(adjustments bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH waits AS (
    SELECT a.*, e.employee_no, raise_base(a.employee_id, a.cycle_id, a.effective_on) AS base
      FROM salary_adjustment a JOIN employee e USING (employee_id)
     WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'applied')
       AND NOT EXISTS (SELECT FROM decision d WHERE d.cause_id = a.adjustment_id AND d.cause = 'salary_adjustment'
                          AND d.kind = 'pay.apply' OFFSET 0)
  )
  SELECT '55000', format('nobody pays employee %s on %s', w.employee_no, w.effective_on),
         'They have left, or no salary is known for that day.',
         'Reject the raise; or correct the employment or the salary, and it is proposed again.', 'salary_adjustment',
         'effective_on', 'salary_adjustment_employed'
    FROM waits w WHERE w.base IS NULL
  UNION ALL
  SELECT '55000', format('base pay of employee %s changed since the raise was proposed', w.employee_no),
         format('It was computed from %s, it would be of %s now.', trim_scale(w.base_amount), trim_scale(w.base)),
         'Use apply_adjustment(): the approval is void, and the raise proposed again.',
         'salary_adjustment', 'base_amount', 'salary_adjustment_base'
    FROM waits w WHERE w.base <> w.base_amount
  UNION ALL
  SELECT '23514', format('the raise of employee %s leads to %s, above what can be paid', w.employee_no,
                         trim_scale(w.new_amount)), NULL,
         'Reject it, and correct the salary or the scale.', 'salary_adjustment', 'new_amount', 'salary_adjustment_most'
    FROM waits w WHERE NOT payable(w.new_amount)
  UNION ALL
  SELECT '55000', format('what was approved for employee %s is not what would be paid', w.employee_no), NULL,
         'Use apply_adjustment(): the approval is void, and the raise proposed again.', 'salary_adjustment', 'status',
         'salary_adjustment_as_approved'
    FROM waits w CROSS JOIN LATERAL adjustment_hash(ARRAY[w.adjustment_id]) h
   WHERE w.status = 'applied' AND w.decided_by IS NOT NULL AND NOT h.approved;
END;
COMMENT ON FUNCTION adjustment_base_problem(bigint[]) IS
  'Rule: a raise is approved and applied for somebody who is employed, on the pay it was computed from, within what '
  'can be paid, and as it was approved.';
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
