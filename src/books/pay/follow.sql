-- pay: what follows from what.

-- One salary change per employee, from a day on; the earlier part of the row it cuts stays.
CREATE FUNCTION salary_change(employees bigint[], amounts numeric[], days date[], decisions bigint[],
                              bounded boolean DEFAULT false)
  RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(*) FROM (SELECT FROM employee e WHERE e.employee_id = ANY (employees)
                        ORDER BY e.employee_id FOR NO KEY UPDATE) l;
  SELECT hrloop.fail('55000', format('a salary of employee %s from %s is already known', e.employee_no, lower(s.valid)),
                     format('The change is from %s.', c.day), 'Change that one, or choose a later day.', 'salary',
                     'valid', 'salary_later')
    FROM unnest(employees, days) AS c (employee_id, day)
    JOIN salary s ON s.employee_id = c.employee_id AND s.superseded_by IS NULL AND lower(s.valid) > c.day
    JOIN employee e ON e.employee_id = c.employee_id
   WHERE NOT bounded LIMIT 1;
  UPDATE salary s SET superseded_by = c.decision_id
    FROM unnest(employees, days, decisions) AS c (employee_id, day, decision_id)
   WHERE s.employee_id = c.employee_id AND s.superseded_by IS NULL AND s.valid @> c.day;
  INSERT INTO salary (employee_id, amount, valid, decision_id)
  SELECT s.employee_id, s.amount, daterange(lower(s.valid), c.day), c.decision_id
    FROM unnest(employees, days, decisions) AS c (employee_id, day, decision_id)
    JOIN salary s ON s.employee_id = c.employee_id AND s.superseded_by = c.decision_id AND lower(s.valid) < c.day
   ORDER BY s.employee_id;
  INSERT INTO salary (employee_id, amount, valid, decision_id)
  SELECT c.employee_id, c.amount,
         daterange(c.day, CASE WHEN bounded THEN (SELECT upper(s.valid) FROM salary s
                                                   WHERE s.employee_id = c.employee_id
                                                     AND s.superseded_by = c.decision_id) END),
         c.decision_id
    FROM unnest(employees, amounts, days, decisions) AS c (employee_id, amount, day, decision_id)
   ORDER BY c.employee_id;
END;
COMMENT ON FUNCTION salary_change(bigint[], numeric[], date[], bigint[], boolean) IS
  'Set base pay from a day on, for many: employees, amounts, days and decisions of equal length; bounded: no longer '
  'than the pay that is replaced, so that a later salary stands. Error 55000: a later salary is known.';

-- raise rules -----------------------------------------------------------------

CREATE FUNCTION pin_raise_rules(cycles bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO cycle_raise_rule (cycle_id, raise_rule_id, scale_id, unit_kind, job_family, job_id)
  SELECT c.cycle_id, r.raise_rule_id, r.scale_id, r.unit_kind, r.job_family, r.job_id
    FROM review_cycle c JOIN raise_rule r ON r.valid @> lower(c.period)
   WHERE c.cycle_id = ANY (cycles) AND c.status = 'open'
     AND NOT EXISTS (SELECT FROM cycle_raise_rule p WHERE p.cycle_id = c.cycle_id);
END;
COMMENT ON FUNCTION pin_raise_rules(bigint[]) IS 'An opened cycle keeps the raise rules of its first day.';
SELECT register_follow('review_cycle', '{update}', 600, 'pin_raise_rules', key => 'cycle_id', changed => '{status}');

-- proposals -------------------------------------------------------------------

CREATE TRIGGER payroll_feed_announce AFTER INSERT ON payroll_feed REFERENCING NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.signal_announce('feed_id');

CREATE FUNCTION adjustment_base(adjustment bigint) RETURNS numeric STABLE LANGUAGE SQL
  RETURN (SELECT CASE WHEN a.base_on < a.effective_on OR a.corrects IS NULL AND a.status <> 'applied'
                      THEN coalesce(salary_on(a.employee_id, a.base_on), a.base_amount) ELSE a.base_amount END
            FROM salary_adjustment a WHERE a.adjustment_id = adjustment);
COMMENT ON FUNCTION adjustment_base(bigint) IS
  'Base of a raise as its day''s pay is known now: a correction of an earlier cycle may have moved it (REV-08).';

-- Planned only when it is called: most locks have nothing to correct.
CREATE FUNCTION correct_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH head AS (
    SELECT DISTINCT ON (r.review_id) x.result_id AS standing_id, x.composite AS score, a.*,
           bool_or(a.raise_amount <> 0) OVER (PARTITION BY r.review_id) AS moved
      FROM review r
      JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
      JOIN salary_adjustment a ON a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id AND a.status = 'applied'
     WHERE r.review_id = ANY (reviews)
       AND NOT EXISTS (SELECT FROM salary_adjustment p WHERE p.employee_id = r.employee_id AND p.cycle_id = r.cycle_id
                          AND p.status IN ('proposed', 'held', 'approved'))
     ORDER BY r.review_id, a.adjustment_id DESC
  ), due AS (
    SELECT h.*, p.scale_id, n.band_id AS due_band, n.range, n.label, coalesce(n.value, 0) AS due_percent, b.base,
           CASE WHEN h.moved THEN h.new_amount ELSE b.base END AS stands,
           b.base + hrloop.round_money(b.base * coalesce(n.value, 0) / 100,
                                       (SELECT setting_number('pay.minor_digits')::int)) AS due_amount
      FROM head h
      LEFT JOIN cycle_raise_rule p ON p.cycle_id = h.cycle_id AND p.raise_rule_id = h.raise_rule_id
      LEFT JOIN band n ON n.scale_id = p.scale_id AND n.range @> h.score
      CROSS JOIN LATERAL (SELECT adjustment_base(h.adjustment_id) AS base) b
  ), d AS (
    -- a correction without a difference is none
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
    SELECT 'pay.correct', z.employee_id, 'review_result', z.standing_id, 'raise_rule', z.raise_rule_id,
           (SELECT s.version FROM scale s WHERE s.scale_id = z.scale_id),
           jsonb_build_object('score', z.score, 'old', z.stands, 'scale',
                              (SELECT s.code FROM scale s WHERE s.scale_id = z.scale_id),
                              'band', coalesce(z.range::text, 'gap'), 'label', z.label, 'corrects', z.adjustment_id,
                              'base', z.base,
                              'was', jsonb_build_object('score', z.composite, 'percent', z.percent, 'base',
                                                        z.base_amount)),
           jsonb_build_object('percent', z.due_percent, 'raise', z.due_amount - z.stands, 'new', z.due_amount,
                              'effective_on', z.effective_on)
      FROM due z WHERE z.due_amount <> z.stands ORDER BY z.employee_id
    RETURNING decision_id, cause_id
  ), a AS (
    INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount,
                                   base_on, old_amount, percent,
                                   raise_amount, new_amount, effective_on, corrects, decision_id)
    SELECT z.cycle_id, z.employee_id, z.standing_id, z.raise_rule_id, z.due_band, z.score, z.base, z.base_on, z.stands,
           z.due_percent,
           z.due_amount - z.stands, z.due_amount, z.effective_on, z.adjustment_id, d.decision_id
      FROM due z JOIN d ON d.cause_id = z.standing_id
     ORDER BY z.employee_id
    RETURNING adjustment_id, employee_id, raise_amount, effective_on, decision_id
  )
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, a.raise_amount, a.effective_on, a.decision_id
    FROM a;
END;
COMMENT ON FUNCTION correct_raise(bigint[]) IS
  'Where the raise of a cycle is applied and another pay is due by the standing result: a correction, computed from '
  'the same base by the same pinned rule, for people to decide; what is applied stays (REV-08).';

CREATE FUNCTION propose_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH base AS (
    SELECT x.result_id, x.composite, r.review_id, r.cycle_id, r.employee_id, s.amount, lower(s.valid) AS paid_from,
           coalesce(c.pay_effective_on, upper(c.period)) AS effective_on, rule.raise_rule_id, rule.scale_id
      FROM review_result x
      JOIN review r USING (review_id)
      JOIN review_cycle c USING (cycle_id)
      JOIN salary s ON s.employee_id = r.employee_id AND s.superseded_by IS NULL
        AND s.valid @> coalesce(c.pay_effective_on, upper(c.period))
      LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id
      LEFT JOIN job j ON j.job_id = r.job_id
      LEFT JOIN LATERAL (SELECT p.raise_rule_id, p.scale_id FROM cycle_raise_rule p
                          WHERE p.cycle_id = r.cycle_id
                            AND (p.unit_kind IS NULL OR p.unit_kind = u.unit_kind)
                            AND (p.job_family IS NULL OR p.job_family = j.job_family)
                            AND (p.job_id IS NULL OR p.job_id = r.job_id)
                          ORDER BY specificity(p.unit_kind, p.job_family, p.job_id) DESC LIMIT 1) rule ON true
     WHERE x.review_id = ANY (reviews) AND x.reopened_by IS NULL AND c.pay_effective
       AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.cycle_id = r.cycle_id AND a.employee_id = r.employee_id
                          AND a.status IN ('proposed', 'held', 'approved', 'applied'))
  ), raise AS (
    -- numbered here, as the planner would look up each decision among all
    SELECT b.*, n.band_id, n.range, coalesce(n.value, 0) AS percent, n.label,
           hrloop.round_money(b.amount * coalesce(n.value, 0) / 100, (SELECT setting_number('pay.minor_digits')::int))
             AS raise_amount,
           nextval('decision_decision_id_seq') AS decision_id
      FROM base b LEFT JOIN band n ON n.scale_id = b.scale_id AND n.range @> b.composite
     ORDER BY b.employee_id
  ), d AS (
    INSERT INTO decision (decision_id, kind, employee_id, cause, cause_id, rule, rule_id, rule_version, inputs, outcome)
    SELECT z.decision_id, 'pay.propose', z.employee_id, 'review_result', z.result_id, 'raise_rule', z.raise_rule_id,
           (SELECT s.version FROM scale s WHERE s.scale_id = z.scale_id),
           jsonb_build_object('score', z.composite, 'old', z.amount, 'scale',
                              (SELECT s.code FROM scale s WHERE s.scale_id = z.scale_id),
                              'band', coalesce(z.range::text, 'gap'), 'label', z.label),
           jsonb_build_object('percent', z.percent, 'raise', z.raise_amount, 'new', z.amount + z.raise_amount,
                              'effective_on', z.effective_on)
      FROM raise z
  ), a AS (
    INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount,
                                   base_on, old_amount, percent,
                                   raise_amount, new_amount, effective_on, decision_id)
    SELECT z.cycle_id, z.employee_id, z.result_id, z.raise_rule_id, z.band_id, z.composite,
           z.amount, z.effective_on - (z.paid_from < z.effective_on)::int, z.amount, z.percent,
           z.raise_amount, z.amount + z.raise_amount, z.effective_on, z.decision_id
      FROM raise z
    RETURNING adjustment_id, employee_id, raise_amount, effective_on, decision_id
  )
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, a.raise_amount, a.effective_on, a.decision_id
    FROM a;
  SELECT correct_raise(l.reviews)
    FROM (SELECT array_agg(r.review_id) AS reviews FROM review r
           WHERE r.review_id = ANY (reviews)
             AND EXISTS (SELECT FROM salary_adjustment a
                         WHERE a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id AND a.status = 'applied')) l
   WHERE l.reviews IS NOT NULL;
  -- what lowers pay waits for people
  UPDATE salary_adjustment a SET status = 'approved', decided_by = 'pay.auto_apply'
    FROM review_result x WHERE x.result_id = a.result_id AND x.review_id = ANY (reviews)
     AND a.status = 'proposed' AND a.raise_amount >= 0 AND (SELECT setting_on('pay.auto_apply'));
  UPDATE salary_adjustment a SET status = 'applied'
    FROM review_result x WHERE x.result_id = a.result_id AND x.review_id = ANY (reviews)
     AND a.status = 'approved' AND a.decided_by = 'pay.auto_apply' AND (SELECT setting_on('pay.auto_apply'));
END;
COMMENT ON FUNCTION propose_raise(bigint[]) IS
  'Consequences of a lock on pay: one proposal per employee and cycle from score, base pay and the pinned rule, with '
  'its decision and feed row; never a second one. Where a raise is applied already, a correction of it (PAY-02, '
  'REV-08).';
SELECT register_follow('review_result', '{insert}', 700, 'propose_raise', key => 'review_id');

CREATE FUNCTION withdraw_adjustments(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'pay.withdraw', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('percent', a.percent, 'raise', a.raise_amount, 'was', a.status)
           || CASE WHEN u.decision_id IS NULL
             THEN jsonb_build_object('base', a.base_amount, 'base_now', adjustment_base(a.adjustment_id)) ELSE '{}' END,
           jsonb_build_object('status', 'withdrawn'), u.reason
      FROM salary_adjustment a JOIN review_result x USING (result_id)
        LEFT JOIN decision u ON u.decision_id = x.reopened_by
     WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('proposed', 'held', 'approved')
     ORDER BY a.employee_id
    RETURNING decision_id, cause_id
  ), a AS (
    UPDATE salary_adjustment a SET status = 'withdrawn' FROM d WHERE a.adjustment_id = d.cause_id
    RETURNING a.adjustment_id, a.employee_id, a.raise_amount, a.effective_on, d.decision_id
  )
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, 'reverse', -a.raise_amount, a.effective_on,
         a.decision_id FROM a;
END;
COMMENT ON FUNCTION withdraw_adjustments(bigint[]) IS
  'Withdraw raises and corrections that are not applied: decision with the reason of the unlock, or with the base that '
  'moved; the feed row is reversed.';
CREATE FUNCTION withdraw_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who applies it at the same time goes first: then there is nothing to withdraw, and the next lock corrects it
  SELECT count(*) FROM (SELECT FROM employee e
                        WHERE e.employee_id IN (SELECT r.employee_id FROM review r WHERE r.review_id = ANY (reviews))
                         ORDER BY e.employee_id FOR NO KEY UPDATE) l;
  SELECT count(*) FROM (SELECT FROM salary_adjustment a JOIN review_result x USING (result_id)
                         WHERE x.review_id = ANY (reviews) AND a.status IN ('proposed', 'held', 'approved')
                         ORDER BY a.adjustment_id FOR NO KEY UPDATE OF a) l;
  SELECT withdraw_adjustments(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                                    JOIN review_result x USING (result_id)
                                     WHERE x.review_id = ANY (reviews) AND x.reopened_by IS NOT NULL
                                       AND a.status IN ('proposed', 'held', 'approved')));
END;
COMMENT ON FUNCTION withdraw_raise(bigint[]) IS
  'Consequences of an unlock on pay: raises and corrections that were not applied are withdrawn; what is applied '
  'stays.';
SELECT register_follow('review_result', '{update}', 750, 'withdraw_raise', key => 'review_id',
                       changed => '{reopened_by}');

CREATE FUNCTION tell_raise(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT a.employee_id, 'employee',
         CASE WHEN a.corrects IS NOT NULL THEN 'pay.corrected' WHEN a.raise_amount > 0 THEN 'pay.raise'
           ELSE 'pay.no_raise' END,
         'adjustment:' || a.adjustment_id,
         jsonb_build_object('score', a.composite, 'percent', a.percent, 'old', a.old_amount, 'new', a.new_amount)
         || CASE WHEN a.corrects IS NULL THEN '{}'
                 ELSE jsonb_build_object('base', a.base_amount, 'raise', a.raise_amount, 'effective_on',
                                         a.effective_on) END, a.decision_id
    FROM salary_adjustment a JOIN review_result x USING (result_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied'
     AND (x.disclosed_on IS NOT NULL OR disclosed(x.review_id))
   ORDER BY a.adjustment_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION tell_raise(bigint[]) IS
  'Notices of raises and corrections that are applied, once their result is disclosed.';
CREATE FUNCTION result_tells_raise(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT tell_raise(ARRAY(SELECT a.adjustment_id FROM review_result x JOIN review r USING (review_id)
                            JOIN salary_adjustment a ON a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id
                              AND a.status = 'applied'
                           WHERE x.result_id = ANY (results)));
END;
COMMENT ON FUNCTION result_tells_raise(bigint[]) IS
  'Consequence of a disclosure on pay: what was applied before it is told now (REV-08).';
SELECT register_follow('review_result', '{update}', 700, 'result_tells_raise', key => 'result_id',
                       changed => '{disclosed_on}');

CREATE FUNCTION adjustment_changed(adjustments bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, reason, inputs, outcome)
    SELECT 'pay.' || CASE a.status WHEN 'applied' THEN 'apply' WHEN 'approved' THEN 'approve' ELSE 'reject' END,
           a.employee_id, 'salary_adjustment', a.adjustment_id, CASE a.status WHEN 'rejected' THEN a.reason END,
           jsonb_build_object('old', a.old_amount, 'decided_by', a.decided_by)
           || CASE WHEN a.status = 'approved' THEN jsonb_build_object('hash', h.hash) ELSE '{}' END
           || CASE WHEN a.corrects IS NULL THEN '{}'
             ELSE jsonb_build_object('corrects', a.corrects, 'base', a.base_amount) END,
           jsonb_build_object('percent', a.percent, 'new', a.new_amount, 'effective_on', a.effective_on)
      FROM salary_adjustment a CROSS JOIN LATERAL adjustment_hash(ARRAY[a.adjustment_id]) h
     WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'applied', 'rejected')
     ORDER BY a.employee_id
    RETURNING decision_id, kind, cause_id, employee_id
  ), changed AS (
    SELECT d.*, a.new_amount, a.effective_on, a.corrects IS NOT NULL AS correction FROM d
      JOIN salary_adjustment a ON a.adjustment_id = d.cause_id
     WHERE d.kind = 'pay.apply' AND a.raise_amount <> 0
  ), done AS (
    SELECT salary_change(array_agg(c.employee_id ORDER BY c.employee_id),
                         array_agg(c.new_amount ORDER BY c.employee_id),
                         array_agg(c.effective_on ORDER BY c.employee_id),
                         array_agg(c.decision_id ORDER BY c.employee_id), c.correction)
      FROM changed c GROUP BY c.correction
  )
  SELECT count(*) FROM done;
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, amount, effective_on, decision_id)
  SELECT a.employee_id, 'salary', 'salary_adjustment:applied', a.adjustment_id, a.new_amount, a.effective_on,
         a.decision_id
    FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied'
  ON CONFLICT DO NOTHING;
  INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, decision_id)
  SELECT a.employee_id, 'raise', 'salary_adjustment', a.adjustment_id, 'reverse', -a.raise_amount, a.effective_on,
         a.decision_id
    FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'rejected'
  ON CONFLICT DO NOTHING;
  SELECT tell_raise(adjustments);
  SELECT '42501', format('%s cannot decide on their own raise', a.decided_by), NULL, 'Somebody else has to approve it.',
         'salary_adjustment', 'decided_by', 'salary_adjustment_four_eyes'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.decided_by = e.employee_no
  UNION ALL
  SELECT '55000', format('raise of employee %s was not approved', e.employee_no), NULL,
         'Use approve_adjustment() first.',
         'salary_adjustment', 'status', 'salary_adjustment_approved'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'applied', 'rejected')
     AND a.decided_by IS NULL
  UNION ALL
  SELECT '55000', format('raise of employee %s was reopened after it was applied', e.employee_no), NULL,
         'What was paid stands; unlock the review, correct the score and lock it again: that proposes a correction.',
         'salary_adjustment', 'status', 'salary_adjustment_final'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status <> 'applied'
     AND EXISTS (SELECT FROM payroll_feed f
                 WHERE f.source_table = 'salary_adjustment:applied' AND f.source_id = a.adjustment_id OFFSET 0)
  UNION ALL
  SELECT '55000', format('raise of employee %s is closed', e.employee_no), 'It was rejected or withdrawn before.',
         'Unlock and lock the review again to get a new proposal.', 'salary_adjustment', 'status',
         'salary_adjustment_closed'
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('proposed', 'held', 'approved', 'applied')
     AND EXISTS (SELECT FROM payroll_feed f
                 WHERE f.source_table = 'salary_adjustment' AND f.source_id = a.adjustment_id
                   AND f.entry = 'reverse' OFFSET 0);
END;
COMMENT ON FUNCTION adjustment_changed(bigint[]) IS
  'Consequences of deciding on raises: decision, salary, feed and notice when applied; nobody decides on their own '
  '(PAY-02).';
SELECT register_follow('salary_adjustment', '{update}', 500, 'adjustment_changed', key => 'adjustment_id',
                       changed => '{status}');

CREATE FUNCTION hold_raise(appeals bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who applies it at the same time goes first, or comes too late
  SELECT count(*) FROM (SELECT FROM employee e
                        WHERE e.employee_id IN (SELECT r.employee_id FROM appeal p JOIN review r USING (review_id)
                                                WHERE p.appeal_id = ANY (appeals))
                         ORDER BY e.employee_id FOR NO KEY UPDATE) l;
  SELECT count(*) FROM (SELECT FROM salary_adjustment a JOIN appeal p USING (result_id)
                        WHERE p.appeal_id = ANY (appeals)
                         ORDER BY a.adjustment_id FOR NO KEY UPDATE OF a) l;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'pay.hold', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('appeal', p.appeal_id, 'was', a.status, 'decided_by', a.decided_by),
           jsonb_build_object('status', 'held'), p.reason
      FROM appeal p JOIN salary_adjustment a USING (result_id)
     WHERE p.appeal_id = ANY (appeals) AND p.status = 'open' AND a.status IN ('proposed', 'approved')
     ORDER BY a.adjustment_id
    RETURNING cause_id
  )
  UPDATE salary_adjustment a SET status = 'held', decided_by = NULL FROM d WHERE a.adjustment_id = d.cause_id;
END;
COMMENT ON FUNCTION hold_raise(bigint[]) IS
  'Consequence of an appeal on pay: a raise that was not applied is held, an approval is void; what is applied stays '
  '(REV-08).';
SELECT register_follow('appeal', '{insert}', 600, 'hold_raise', key => 'appeal_id');

CREATE FUNCTION rebase_raise(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT withdraw_adjustments(ARRAY(SELECT a.adjustment_id FROM salary_adjustment a
                                    JOIN review_result x USING (result_id)
                                     WHERE x.review_id = ANY (reviews) AND a.status IN ('proposed', 'approved')
                                       AND adjustment_base(a.adjustment_id) <> a.base_amount));
  SELECT propose_raise(reviews);
  SELECT hold_raise(ARRAY(SELECT p.appeal_id FROM appeal p WHERE p.review_id = ANY (reviews) AND p.status = 'open'));
END;
COMMENT ON FUNCTION rebase_raise(bigint[]) IS
  'Raises whose base is another now: withdrawn and proposed anew, or where they are applied, corrected in their turn; '
  'each is to be approved, and held while an appeal is open (REV-08).';

CREATE FUNCTION release_raise(appeals bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the employee first, as every change of pay
  SELECT count(*) FROM (SELECT FROM employee e
                        WHERE e.employee_id IN (SELECT r.employee_id FROM appeal p JOIN review r USING (review_id)
                                                WHERE p.appeal_id = ANY (appeals))
                         ORDER BY e.employee_id FOR NO KEY UPDATE) l;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'pay.release', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('appeal', p.appeal_id, 'was', a.status), jsonb_build_object('status', 'proposed'),
           p.rationale
      FROM appeal p JOIN salary_adjustment a USING (result_id)
     WHERE p.appeal_id = ANY (appeals) AND p.status = 'rejected' AND a.status = 'held'
     ORDER BY a.adjustment_id
    RETURNING cause_id
  )
  UPDATE salary_adjustment a SET status = 'proposed' FROM d WHERE a.adjustment_id = d.cause_id;
  -- while it was held its base may have been corrected
  SELECT rebase_raise(l.reviews)
    FROM (SELECT array_agg(p.review_id ORDER BY p.review_id) AS reviews FROM appeal p
          WHERE p.appeal_id = ANY (appeals) AND p.status = 'rejected') l
   WHERE l.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION release_raise(bigint[]) IS
  'Consequence of a rejected appeal on pay: the raise is proposed again (REV-08).';
SELECT register_follow('appeal', '{update}', 600, 'release_raise', key => 'appeal_id', changed => '{status}');

-- An approval is of these figures and this pay; when they are others, it is void.
CREATE FUNCTION void_approvals(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'pay.void', a.employee_id, 'salary_adjustment', a.adjustment_id,
           jsonb_build_object('approved_by', a.decided_by, 'old', a.old_amount, 'pay',
                              salary_on(a.employee_id, a.effective_on), 'hash', h.hash),
           '{"status": "proposed"}'
      FROM salary_adjustment a CROSS JOIN LATERAL adjustment_hash(ARRAY[a.adjustment_id]) h
     WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'approved' AND NOT h.approved
     ORDER BY a.adjustment_id
    RETURNING decision_id, cause_id
  ), a AS (
    UPDATE salary_adjustment a SET status = 'proposed', decided_by = NULL FROM d WHERE a.adjustment_id = d.cause_id
    RETURNING a.employee_id, a.cycle_id, a.old_amount, a.effective_on, d.decision_id
  )
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'pay.void', 'decision:' || a.decision_id, jsonb_build_object('employee', e.name, 'cycle', c.name),
         a.decision_id
    FROM a JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
   ORDER BY a.decision_id
  ON CONFLICT DO NOTHING;
  -- from another pay another raise follows
  SELECT rebase_raise(l.reviews)
    FROM (SELECT array_agg(DISTINCT x.review_id) AS reviews FROM salary_adjustment a
          JOIN review_result x USING (result_id)
           WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'proposed'
             AND adjustment_base(a.adjustment_id) <> a.base_amount) l
   WHERE l.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION void_approvals(bigint[]) IS
  'Approved raises whose figures or pay are no longer those that were approved: proposed again, by a decision and with '
  'a notice to HR; on another base with other figures.';

-- What is paid is the base of later raises, though it is paid late or corrected.
CREATE FUNCTION carry_raise(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- the first forgets the approvals, the second has new figures proposed
  SELECT void_approvals(l.waiting), rebase_raise(l.reviews)
    FROM (SELECT array_agg(n.adjustment_id ORDER BY n.adjustment_id) FILTER (WHERE n.status = 'approved') AS waiting,
          array_agg(DISTINCT x.review_id) AS reviews
            FROM salary_adjustment a
            JOIN salary_adjustment n ON n.employee_id = a.employee_id AND n.cycle_id <> a.cycle_id
              AND n.base_on >= a.effective_on
            JOIN review_result x ON x.result_id = n.result_id
           WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied'
             AND n.status IN ('proposed', 'approved', 'applied')) l
   WHERE l.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION carry_raise(bigint[]) IS
  'Consequence of an applied raise or correction on later cycles: what was computed from the pay that it changed '
  'follows; approvals of it are void (REV-08).';
SELECT register_follow('salary_adjustment', '{update}', 600, 'carry_raise', key => 'adjustment_id',
                       changed => '{status}');

-- skill allowances ------------------------------------------------------------

CREATE FUNCTION allowance_day(day date, effective text) RETURNS date IMMUTABLE PARALLEL SAFE LANGUAGE SQL
  RETURN CASE WHEN effective = 'same_day' THEN day
              ELSE (date_trunc('month', day::timestamp) + interval '1 month')::date END;
COMMENT ON FUNCTION allowance_day(date, text) IS
  'Day on which an allowance follows a change of skill: the first of the next month, or with effective (setting '
  'allowance.effective) same_day that very day (AMB-12).';

CREATE FUNCTION allowance_day(day date) RETURNS date STABLE LANGUAGE SQL
  RETURN allowance_day(day, setting_text('allowance.effective'));
COMMENT ON FUNCTION allowance_day(date) IS
  'The same by the setting as it is; who asks for many days reads the setting once and hands it over.';

CREATE VIEW allowance_timeline WITH (security_invoker) AS
  SELECT l.employee_id, 'skill ' || l.skill_id AS component, r.amount, span.valid * r.valid AS valid,
         r.allowance_rule_id,
         'certification_result' AS cause, l.certification_result_id AS cause_id
    FROM employee_skill_level l
    JOIN allowance_rule r USING (skill_level_id)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN allowance_day(lower(l.valid), (SELECT setting_text('allowance.effective')))
                       < coalesce(allowance_day(upper(l.valid), (SELECT setting_text('allowance.effective'))),
                                  'infinity')
                  THEN daterange(allowance_day(lower(l.valid), (SELECT setting_text('allowance.effective'))),
                                 allowance_day(upper(l.valid), (SELECT setting_text('allowance.effective'))))
                  ELSE 'empty' END AS valid) span
   WHERE l.superseded_by IS NULL AND NOT isempty(span.valid * r.valid)
  UNION ALL
  SELECT t.employee_id, 'course ' || t.resource_id, r.amount,
         daterange(allowance_day(t.completed_on, (SELECT setting_text('allowance.effective'))), NULL) * r.valid,
         r.allowance_rule_id,
         'training_record', t.training_record_id
    FROM (SELECT DISTINCT ON (employee_id, resource_id) employee_id, resource_id, completed_on, training_record_id
            FROM training_record WHERE passed
           ORDER BY employee_id, resource_id, completed_on, training_record_id) t
    JOIN allowance_rule r USING (resource_id)
   WHERE NOT isempty(daterange(allowance_day(t.completed_on, (SELECT setting_text('allowance.effective'))),
                               NULL) * r.valid);
COMMENT ON VIEW allowance_timeline IS
  'Allowances that levels and courses come to; a course counts once, from its first pass.';
COMMENT ON COLUMN allowance_timeline.employee_id IS 'Whose.';
COMMENT ON COLUMN allowance_timeline.component IS 'Ladder or course.';
COMMENT ON COLUMN allowance_timeline.amount IS 'Yuan a month.';
COMMENT ON COLUMN allowance_timeline.valid IS 'Days.';
COMMENT ON COLUMN allowance_timeline.allowance_rule_id IS 'Rule.';
COMMENT ON COLUMN allowance_timeline.cause IS 'Table of the cause.';
COMMENT ON COLUMN allowance_timeline.cause_id IS 'Key of the cause.';

CREATE FUNCTION allowance_difference(employees bigint[])
  RETURNS TABLE (employee_id bigint, component text, valid daterange, before numeric, after numeric,
                 skill_allowance_id bigint, allowance_rule_id bigint, cause text, cause_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT coalesce(w.employee_id, h.employee_id), coalesce(w.component, h.component), coalesce(w.valid, h.valid),
         h.amount, w.amount, h.skill_allowance_id, coalesce(w.allowance_rule_id, h.allowance_rule_id),
         coalesce(w.cause, h.cause), coalesce(w.cause_id, h.cause_id)
    -- person by person, as in skill_follow
    FROM (SELECT t.* FROM unnest(employees) AS k (employee_id)
           CROSS JOIN LATERAL (SELECT l.* FROM allowance_timeline l WHERE l.employee_id = k.employee_id OFFSET 0) t) w
    FULL JOIN (SELECT s.* FROM unnest(employees) AS k (employee_id)
                CROSS JOIN LATERAL (SELECT l.* FROM skill_allowance l
                                     WHERE l.employee_id = k.employee_id AND l.superseded_by IS NULL OFFSET 0) s) h
      ON w.employee_id = h.employee_id AND w.component = h.component AND w.amount = h.amount AND w.valid = h.valid;
END;
COMMENT ON FUNCTION allowance_difference(bigint[]) IS
  'What stands as allowance and what levels, courses and rules come to: before is null for what is missing, after for '
  'what is to go; both where nothing changes.';

CREATE FUNCTION allowance_follow(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_allowances();
  SELECT count(*) FROM (SELECT FROM employee e WHERE e.employee_id = ANY (employees)
                        ORDER BY e.employee_id FOR NO KEY UPDATE) l;
  WITH entry AS (
    SELECT a.* FROM allowance_difference(employees) a
  ), moved AS (
    SELECT u.employee_id, u.component,
           (array_agg(u.cause ORDER BY u.valid DESC) FILTER (WHERE u.before IS NULL))[1] AS new_cause,
           (array_agg(u.cause_id ORDER BY u.valid DESC) FILTER (WHERE u.before IS NULL))[1] AS new_cause_id,
           (array_agg(u.cause ORDER BY u.valid DESC) FILTER (WHERE u.after IS NULL))[1] AS old_cause,
           (array_agg(u.cause_id ORDER BY u.valid DESC) FILTER (WHERE u.after IS NULL))[1] AS old_cause_id,
           max(u.before) FILTER (WHERE upper_inf(u.valid)) AS before,
           max(u.after) FILTER (WHERE upper_inf(u.valid)) AS after,
           coalesce(max(lower(u.valid)) FILTER (WHERE u.after IS NOT NULL AND upper_inf(u.valid)),
                    max(upper(u.valid)) FILTER (WHERE u.after IS NOT NULL)) AS from_day,
           max(lower(u.valid)) FILTER (WHERE u.after IS NULL) AS old_day,
           jsonb_agg(jsonb_build_object('amount', u.after, 'from', lower(u.valid), 'until', upper(u.valid))
                     ORDER BY u.valid) FILTER (WHERE u.before IS NULL) AS entries
      FROM entry u
     GROUP BY u.employee_id, u.component HAVING bool_or(u.before IS NULL OR u.after IS NULL)
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'allowance', m.employee_id, coalesce(m.new_cause, m.old_cause), coalesce(m.new_cause_id, m.old_cause_id),
           'allowance_rule',
           jsonb_build_object('component', m.component, 'before', coalesce(m.before, 0)),
           jsonb_build_object('after', coalesce(m.after, 0), 'from', coalesce(m.from_day, m.old_day), 'rows', m.entries)
      FROM moved m ORDER BY m.employee_id, m.component
    RETURNING decision_id, employee_id, inputs, outcome
  ), gone AS (
    UPDATE skill_allowance h SET superseded_by = d.decision_id
      FROM entry o JOIN d ON d.employee_id = o.employee_id AND d.inputs ->> 'component' = o.component
     WHERE h.skill_allowance_id = o.skill_allowance_id AND o.after IS NULL
    RETURNING h.employee_id, h.skill_allowance_id, h.amount, h.valid, d.decision_id
  ), come AS (
    -- the new rows come in closed: parts of one statement run in no stated order, and old and new may not overlap
    INSERT INTO skill_allowance (employee_id, component, amount, valid, allowance_rule_id, cause, cause_id,
                                 decision_id, superseded_by)
    SELECT n.employee_id, n.component, n.after, n.valid, n.allowance_rule_id, n.cause, n.cause_id, d.decision_id,
           d.decision_id
      FROM entry n JOIN d ON d.employee_id = n.employee_id AND d.inputs ->> 'component' = n.component
     WHERE n.before IS NULL
     ORDER BY n.employee_id, n.component, n.valid
    RETURNING employee_id, skill_allowance_id, amount, valid, decision_id
  ), fed AS (
    INSERT INTO payroll_feed (employee_id, kind, source_table, source_id, entry, amount, effective_on, decision_id)
    SELECT employee_id, 'allowance', 'skill_allowance', skill_allowance_id, 'reverse', -amount, lower(valid),
           decision_id FROM gone
    UNION ALL
    SELECT employee_id, 'allowance', 'skill_allowance', skill_allowance_id, 'post', amount, lower(valid), decision_id
      FROM come
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT d.employee_id, 'employee', 'pay.allowance', 'allowance:' || d.decision_id,
         jsonb_build_object('from', d.outcome -> 'from', 'old', d.inputs -> 'before', 'new', d.outcome -> 'after'),
         d.decision_id
    FROM d WHERE d.inputs -> 'before' <> d.outcome -> 'after'
  ON CONFLICT DO NOTHING;
  UPDATE skill_allowance h SET superseded_by = NULL
   WHERE h.employee_id = ANY (employees) AND h.superseded_by = h.decision_id;
END;
COMMENT ON FUNCTION allowance_follow(bigint[]) IS
  'Consequences of levels, courses and rules on allowances: rows that differ are superseded, missing ones added, with '
  'decision, feed and notice (PAY-07, PAY-08).';
-- after skill_follow, when the level is what it should be
SELECT register_follow('certification_result', '{insert}', 600, 'allowance_follow', key => 'employee_id');
SELECT register_follow('certification_reversal', '{insert}', 600, 'allowance_follow', key => 'employee_id');
SELECT register_follow('training_record', '{insert,update,delete}', 600, 'allowance_follow', key => 'employee_id',
                       changed => '{resource_id,completed_on,passed}');

CREATE FUNCTION allowance_rule_changed(rules bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_allowances(true);
  SELECT allowance_follow(who.ids) FROM (
    SELECT array_agg(DISTINCT e.employee_id) AS ids FROM (
      SELECT l.employee_id FROM employee_skill_level l JOIN allowance_rule r USING (skill_level_id)
       WHERE r.allowance_rule_id = ANY (rules) AND l.superseded_by IS NULL
      UNION SELECT t.employee_id FROM training_record t JOIN allowance_rule r USING (resource_id)
        WHERE r.allowance_rule_id = ANY (rules)
      UNION SELECT h.employee_id FROM skill_allowance h
        WHERE h.allowance_rule_id = ANY (rules) AND h.superseded_by IS NULL) e) who
   WHERE who.ids IS NOT NULL;
END;
COMMENT ON FUNCTION allowance_rule_changed(bigint[]) IS
  'Consequences of a new or changed allowance rule for those it concerns.';
SELECT register_follow('allowance_rule', '{insert,update}', 500, 'allowance_rule_changed', key => 'allowance_rule_id');
