-- approve: four eyes on pay, promotions and appeals: who proposed, who approves and who gains are different people.

-- code ------------------------------------------------------------------------

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('delegation.use', 'person', 'A decision about somebody was taken in the name of another');

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('four_eyes.pay',    'boolean', 'true', 'true',
   'Raises and promotions are approved by HR, finance, executives or superiors, and by nobody who had part in the '
   'result behind them; false: only one''s own is refused'),
  ('four_eyes.appeal', 'boolean', 'true', 'true', 'Who calibrated a score does not decide the appeal against it');

-- Sets, not a call for each: a function inside a function is planned at every call.
CREATE FUNCTION result_hands(results bigint[]) RETURNS TABLE (result_id bigint, employee_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT x.result_id, r.employee_id FROM review_result x JOIN review r USING (review_id)
    WHERE x.result_id = ANY (results)
  UNION ALL
  SELECT x.result_id, e.employee_id FROM review_result x JOIN review r USING (review_id)
    JOIN decision d ON d.decision_id = r.calibrated_by JOIN employee e ON e.employee_no = d.decided_by
   WHERE x.result_id = ANY (results) AND (SELECT setting_on('four_eyes.pay'))
  UNION ALL
  SELECT x.result_id, a.decided_by FROM review_result x JOIN appeal a USING (review_id)
   WHERE x.result_id = ANY (results) AND a.status = 'upheld' AND (SELECT setting_on('four_eyes.pay'))
  UNION ALL
  SELECT x.result_id, e.employee_id
    FROM review_result x JOIN review_result o ON o.review_id = x.review_id AND o.version < x.version
    JOIN decision d ON d.decision_id = o.reopened_by JOIN employee e ON e.employee_no = d.decided_by
   WHERE x.result_id = ANY (results) AND (SELECT setting_on('four_eyes.pay'));
END;
COMMENT ON FUNCTION result_hands(bigint[]) IS
  'Employees who do not approve what follows from results: whose it is, who calibrated it, upheld an appeal against '
  'it, or opened it again; without four_eyes.pay only whose it is.';

CREATE FUNCTION adjustment_hands(adjustments bigint[]) RETURNS TABLE (adjustment_id bigint, employee_id bigint) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT a.adjustment_id, h.employee_id
    FROM salary_adjustment a JOIN result_hands(ARRAY(SELECT k.result_id FROM salary_adjustment k
                                                     WHERE k.adjustment_id = ANY (adjustments))) h USING (result_id)
   WHERE a.adjustment_id = ANY (adjustments)
  UNION ALL
  SELECT a.adjustment_id, p.decided_by FROM salary_adjustment a JOIN promotion_case p USING (result_id)
   WHERE a.adjustment_id = ANY (adjustments) AND p.status = 'approved' AND (SELECT setting_on('four_eyes.pay'))
  UNION ALL
  SELECT a.adjustment_id, e.employee_id FROM salary_adjustment a JOIN decision d USING (decision_id)
    JOIN employee e ON e.employee_no = d.decided_by
   WHERE a.adjustment_id = ANY (adjustments) AND d.kind = 'pay.correct' AND (SELECT setting_on('four_eyes.pay'));
END;
COMMENT ON FUNCTION adjustment_hands(bigint[]) IS
  'Employees who do not approve raises: those of the result, who approved a promotion for it, and who brought about a '
  'correction.';

CREATE FUNCTION approval_obstacles(adjustments bigint[], decider bigint)
  RETURNS TABLE (adjustment_id bigint, why text, delegation_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE way AS MATERIALIZED (
    SELECT w.delegation_id, w.principal_id FROM authority(decider, '{hr,finance,executive}') w
  ), hand AS MATERIALIZED (
    SELECT h.adjustment_id, array_agg(h.employee_id) AS ids FROM adjustment_hands(adjustments) h
      GROUP BY h.adjustment_id
  ), direct AS MATERIALIZED (
    -- who has a role of their own need not be anybody's superior
    SELECT e.employee_id, manager_of(e.employee_id, current_date) AS manager_id
      FROM (SELECT DISTINCT a.employee_id FROM salary_adjustment a WHERE a.adjustment_id = ANY (adjustments)) e
     WHERE decider IS NOT NULL AND NOT EXISTS (SELECT FROM way w WHERE w.delegation_id IS NULL)
  ), up AS (
    SELECT DISTINCT d.manager_id AS below, d.manager_id AS boss FROM direct d WHERE d.manager_id IS NOT NULL
    UNION
    SELECT u.below, manager_of(u.boss, current_date) FROM up u WHERE u.boss IS NOT NULL
  ), led AS (
    SELECT DISTINCT d.employee_id FROM direct d JOIN up u ON u.below = d.manager_id WHERE u.boss = decider
  )
  SELECT a.adjustment_id,
         CASE WHEN decider IS NULL THEN CASE WHEN NOT (SELECT owns_books()) THEN 'no right' END
              WHEN decider = a.employee_id THEN 'own'
              WHEN NOT (SELECT setting_on('four_eyes.pay')) THEN NULL
              WHEN decider = ANY (h.ids) THEN 'part in it'
              WHEN led.employee_id IS NOT NULL
                OR EXISTS (SELECT FROM way w WHERE w.principal_id <> ALL (h.ids)) THEN NULL
              WHEN EXISTS (SELECT FROM way w) THEN 'part in it'
              ELSE 'no right' END,
         CASE WHEN led.employee_id IS NULL THEN
           (SELECT w.delegation_id FROM way w WHERE w.principal_id <> ALL (h.ids) ORDER BY w.delegation_id NULLS FIRST
            LIMIT 1) END
    FROM salary_adjustment a LEFT JOIN hand h USING (adjustment_id) LEFT JOIN led ON led.employee_id = a.employee_id
   WHERE a.adjustment_id = ANY (adjustments);
END;
COMMENT ON FUNCTION approval_obstacles(bigint[], bigint) IS
  'Why somebody cannot decide on raises: own, part in it (they, or who they stand for, had a hand in the result), no '
  'right; null: they can, by the delegation named or their own right. No decider: the owner of the books.';

-- A decision under a delegation says so, by a decision of its own.
CREATE FUNCTION used_delegation(decider bigint, roles text[], barred bigint[], subject bigint, about text,
                                about_id bigint, status text) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'delegation.use', subject, 'delegation', w.delegation_id,
         jsonb_build_object('for', p.employee_no, 'role', g.role),
         jsonb_build_object('table', about, 'id', about_id, 'status', used_delegation.status), g.reason
    FROM (SELECT a.delegation_id, a.principal_id FROM authority(decider, roles, barred) a
          ORDER BY a.delegation_id NULLS FIRST LIMIT 1) w
    JOIN delegation g ON g.delegation_id = w.delegation_id JOIN employee p ON p.employee_id = w.principal_id;
END;
COMMENT ON FUNCTION used_delegation(bigint, text[], bigint[], bigint, text, bigint, text) IS
  'Writes the decision delegation.use if somebody decided something by delegation alone: for whom, what, and the '
  'reason of the delegation.';

CREATE FUNCTION adjustment_approved(adjustments bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'delegation.use', a.employee_id, 'delegation', g.delegation_id,
         jsonb_build_object('for', p.employee_no, 'role', g.role),
         jsonb_build_object('table', 'salary_adjustment', 'id', a.adjustment_id, 'status', a.status), g.reason
    FROM approval_obstacles(adjustments, actor()) o JOIN salary_adjustment a USING (adjustment_id)
    JOIN delegation g ON g.delegation_id = o.delegation_id JOIN employee p ON p.employee_id = g.delegator_id
   WHERE a.status IN ('approved', 'rejected') AND o.why IS NULL
   ORDER BY a.adjustment_id;
  SELECT '42501', format('%s cannot decide on the raise of employee %s', who(), e.employee_no),
         CASE o.why WHEN 'part in it' THEN 'They, or those they stand for, had a part in what led to it: calibration, '
                                           'appeal, promotion, correction, or the unlock before it.'
                    WHEN 'no right' THEN 'They are neither HR, finance, an executive nor a superior, and stand for '
                                         'none of these.'
                    ELSE format('Deciding: %s.', a.decided_by) END,
         CASE o.why WHEN 'part in it' THEN 'Somebody else has to decide, also not by delegation from them; setting '
                                           'four_eyes.pay.'
                    ELSE 'Applications call act_as() first; a role is handed on with delegate_role().' END,
         'salary_adjustment', 'decided_by', CASE o.why WHEN 'part in it' THEN 'salary_adjustment_hands'
           ELSE 'salary_adjustment_decider' END
    FROM (SELECT b.adjustment_id, CASE WHEN k.decided_by IS DISTINCT FROM who() THEN 'other' ELSE b.why END AS why
            FROM approval_obstacles(adjustments, actor()) b JOIN salary_adjustment k USING (adjustment_id)) o
    JOIN salary_adjustment a USING (adjustment_id) JOIN employee e USING (employee_id)
   WHERE a.status IN ('approved', 'rejected') AND o.why <> 'own'
     AND NOT (a.decided_by = 'pay.auto_apply' AND setting_on('pay.auto_apply'))
   ORDER BY a.adjustment_id LIMIT 1;
END;
COMMENT ON FUNCTION adjustment_approved(bigint[]) IS
  'Rule: a raise is decided by somebody with the right, as themselves, who had no part in it; a delegate''s decision '
  'says for whom.';
SELECT register_follow('salary_adjustment', '{update}', 300, 'adjustment_approved', key => 'adjustment_id',
                       changed => '{status}');

CREATE FUNCTION promotion_approved(cases bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT used_delegation(p.decided_by, '{hr,executive}',
                         ARRAY(SELECT h.employee_id FROM result_hands(ARRAY[p.result_id]) h), p.employee_id,
                         'promotion_case', p.promotion_case_id, p.status)
    FROM promotion_case p WHERE p.promotion_case_id = ANY (cases) AND p.status IN ('approved', 'rejected')
      ORDER BY p.promotion_case_id;
  SELECT '42501', format('%s cannot decide the promotion of employee %s', who(), e.employee_no),
         'They, or those they stand for, had a part in what led to it: calibration, appeal, or the unlock before it.',
         'Somebody else of HR or an executive has to decide; setting four_eyes.pay.', 'promotion_case', 'decided_by',
         'promotion_case_hands'
    FROM promotion_case p JOIN employee e USING (employee_id)
   WHERE p.promotion_case_id = ANY (cases) AND p.status IN ('approved', 'rejected')
     AND NOT EXISTS (SELECT FROM authority(p.decided_by, '{hr,executive}',
                                           ARRAY(SELECT h.employee_id FROM result_hands(ARRAY[p.result_id]) h)));
END;
COMMENT ON FUNCTION promotion_approved(bigint[]) IS
  'Rule: a promotion is decided by somebody who had no part in its result; a delegate''s decision says for whom.';
SELECT register_follow('promotion_case', '{update}', 300, 'promotion_approved', key => 'promotion_case_id',
                       changed => '{status}');

CREATE FUNCTION appeal_hands(appeal bigint) RETURNS bigint[] STABLE LANGUAGE SQL
  RETURN (SELECT ARRAY[r.employee_id, coalesce(r.manager_id, r.employee_id)]
                 || ARRAY(SELECT s.rater_id FROM score s WHERE s.review_id = a.review_id)
                 || ARRAY(SELECT e.employee_id FROM decision d JOIN employee e ON e.employee_no = d.decided_by
                           WHERE d.decision_id = r.calibrated_by AND setting_on('four_eyes.appeal'))
            FROM appeal a JOIN review r USING (review_id) WHERE a.appeal_id = appeal);
COMMENT ON FUNCTION appeal_hands(bigint) IS
  'Employees who do not decide an appeal: whose it is, the manager, the raters, who calibrated.';
CREATE FUNCTION appeal_independent(appeals bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT used_delegation(a.decided_by, '{hr}', appeal_hands(a.appeal_id), r.employee_id, 'appeal', a.appeal_id,
                         a.status)
    FROM appeal a JOIN review r USING (review_id)
      WHERE a.appeal_id = ANY (appeals) AND a.status IN ('rejected', 'upheld') ORDER BY a.appeal_id;
  SELECT '42501', format('%s cannot decide the appeal of employee %s', who(), e.employee_no),
         'They, or those they stand for, had a part in what it is against.', 'Somebody else of HR has to decide.',
         'appeal', 'decided_by', 'appeal_hands'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
   WHERE a.appeal_id = ANY (appeals) AND a.status IN ('rejected', 'upheld')
     AND NOT EXISTS (SELECT FROM authority(a.decided_by, '{hr}', appeal_hands(a.appeal_id)));
END;
COMMENT ON FUNCTION appeal_independent(bigint[]) IS
  'Rule: an appeal is decided by somebody of HR who had no part in what it is against, nor stands for one who had '
  '(REV-08).';
SELECT register_follow('appeal', '{update}', 300, 'appeal_independent', key => 'appeal_id', changed => '{status}');

CREATE FUNCTION approvals_left(cycle text) RETURNS TABLE (employee_no text, raise_amount numeric, why text) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT e.employee_no, a.raise_amount,
         CASE WHEN a.status = 'held' THEN 'held'
              WHEN s.amount IS DISTINCT FROM a.old_amount THEN 'base changed'
              WHEN a.raise_amount < 0 THEN 'lowers pay'
              ELSE o.why END
    FROM approval_obstacles(ARRAY(SELECT k.adjustment_id FROM salary_adjustment k
                                  WHERE k.cycle_id = (SELECT find_cycle(cycle))
                                    AND k.status IN ('proposed', 'held')), actor()) o
    JOIN salary_adjustment a USING (adjustment_id) JOIN employee e USING (employee_id)
    LEFT JOIN salary s ON s.employee_id = a.employee_id AND s.valid @> a.effective_on AND s.superseded_by IS NULL
   WHERE may_read_pay(a.employee_id)
   ORDER BY e.employee_no;
END;
COMMENT ON FUNCTION approvals_left(text) IS
  'Raises of a cycle that wait, and why approve_cycle() leaves them when called by who acts: own, part in it, no '
  'right, lowers pay, base changed, held; null: it approves them. Of people whose pay one may read. Error 22023: '
  'unknown.';

CREATE FUNCTION approve_raises(adjustments bigint[]) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- in key order, employees before their raises, as everybody locks them
  SELECT hold_employees(ARRAY(SELECT k.employee_id FROM salary_adjustment k WHERE k.adjustment_id = ANY (adjustments)));
  SELECT count(*) FROM (SELECT FROM salary_adjustment k
                        WHERE k.adjustment_id = ANY (adjustments) AND k.status = 'proposed'
                         ORDER BY k.adjustment_id FOR NO KEY UPDATE) l;
  WITH free AS MATERIALIZED (
    SELECT o.adjustment_id
      FROM approval_obstacles(ARRAY(SELECT k.adjustment_id FROM salary_adjustment k
                                    WHERE k.adjustment_id = ANY (adjustments) AND k.status = 'proposed'
                                      AND k.raise_amount >= 0), actor()) o
      JOIN salary_adjustment a USING (adjustment_id)
      JOIN salary s ON s.employee_id = a.employee_id AND s.valid @> a.effective_on AND s.superseded_by IS NULL
     WHERE o.why IS NULL AND s.amount = a.old_amount
  ), done AS (
    UPDATE salary_adjustment a SET status = 'approved', decided_by = who() FROM free
     WHERE a.adjustment_id = free.adjustment_id AND a.status = 'proposed' RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION approve_raises(bigint[]) IS
  'Approve those of these raises that wait and that who acts may approve, their employees locked first; returns how '
  'many.';
CREATE FUNCTION approve_cycle(cycle text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- what is proposed meanwhile is left: its employee is not locked
  SELECT approve_raises(ARRAY(SELECT k.adjustment_id FROM salary_adjustment k
                              WHERE k.cycle_id = (SELECT find_cycle(cycle)) AND k.status = 'proposed'));
END;
COMMENT ON FUNCTION approve_cycle(text) IS
  'Approve the proposed raises of a cycle, but one''s own, those that one had a part in or no right to, corrections '
  'that lower pay and raises whose base changed: approvals_left(cycle) lists these. Returns how many were approved.';
