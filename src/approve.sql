-- approve: four eyes on pay, promotions and appeals: who proposed, who approves and who gains are different people.

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('four_eyes.pay',    'boolean', 'true', 'true', 'Raises and promotions are approved by HR, finance, executives or superiors, and by nobody who had part in the result behind them; false: only one''s own is refused'),
  ('four_eyes.appeal', 'boolean', 'true', 'true', 'Who calibrated a score does not decide the appeal against it');

-- Whose hand is in a result: the employee, who calibrated it, who upheld an appeal, who opened it again.
CREATE FUNCTION result_hands(result bigint) RETURNS bigint[] STABLE LANGUAGE SQL
  RETURN (SELECT array_agg(DISTINCT h.employee_id) FROM (
    SELECT r.employee_id FROM review_result x JOIN review r USING (review_id) WHERE x.result_id = result
    UNION ALL
    SELECT e.employee_id FROM review_result x JOIN review r USING (review_id) JOIN decision d ON d.decision_id = r.calibrated_by JOIN employee e ON e.employee_no = d.decided_by
     WHERE x.result_id = result AND setting_on('four_eyes.pay')
    UNION ALL
    SELECT a.decided_by FROM review_result x JOIN appeal a USING (review_id) WHERE x.result_id = result AND a.status = 'upheld' AND setting_on('four_eyes.pay')
    UNION ALL
    SELECT e.employee_id FROM review_result x JOIN review_result o ON o.review_id = x.review_id JOIN decision d ON d.decision_id = o.reopened_by JOIN employee e ON e.employee_no = d.decided_by
     WHERE x.result_id = result AND o.version < x.version AND setting_on('four_eyes.pay')) h);
COMMENT ON FUNCTION result_hands(bigint) IS
  'Employees who do not approve what follows from a result: whose it is, who calibrated it, upheld an appeal against it, or opened it again; without four_eyes.pay only whose it is.';

CREATE FUNCTION superior_of(superior bigint, employee bigint) RETURNS boolean STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE up AS (
    SELECT manager_of(superior_of.employee, current_date) AS employee_id
    UNION
    SELECT manager_of(u.employee_id, current_date) FROM up u WHERE u.employee_id IS NOT NULL
  )
  SELECT EXISTS (SELECT FROM up u WHERE u.employee_id = superior_of.superior);
END;
COMMENT ON FUNCTION superior_of(bigint, bigint) IS 'Whether somebody is today the manager of an employee, or the manager''s manager, up to the top.';

CREATE FUNCTION adjustment_hands(adjustment bigint) RETURNS bigint[] STABLE LANGUAGE SQL
  RETURN (SELECT result_hands(a.result_id)
                 || ARRAY(SELECT p.decided_by FROM promotion_case p WHERE p.result_id = a.result_id AND p.status = 'approved' AND setting_on('four_eyes.pay'))
                 || ARRAY(SELECT e.employee_id FROM decision d JOIN employee e ON e.employee_no = d.decided_by WHERE d.decision_id = a.decision_id AND d.kind = 'pay.correct' AND setting_on('four_eyes.pay'))
            FROM salary_adjustment a WHERE a.adjustment_id = adjustment);
COMMENT ON FUNCTION adjustment_hands(bigint) IS 'Employees who do not approve a raise: those of its result, who approved a promotion for it, and who brought about a correction.';

CREATE FUNCTION approval_obstacle(adjustment bigint, decider bigint) RETURNS text STABLE LANGUAGE SQL
  RETURN (SELECT CASE
      WHEN decider IS NULL THEN CASE WHEN NOT owns_books() THEN 'no right' END
      WHEN decider = a.employee_id THEN 'own'
      WHEN NOT setting_on('four_eyes.pay') THEN NULL
      WHEN decider = ANY (adjustment_hands(a.adjustment_id)) THEN 'part in it'
      WHEN superior_of(decider, a.employee_id) OR EXISTS (SELECT FROM authority(decider, '{hr,finance,executive}', adjustment_hands(a.adjustment_id))) THEN NULL
      WHEN EXISTS (SELECT FROM authority(decider, '{hr,finance,executive}')) THEN 'part in it'
      ELSE 'no right' END
    FROM salary_adjustment a WHERE a.adjustment_id = adjustment);
COMMENT ON FUNCTION approval_obstacle(bigint, bigint) IS
  'Why somebody cannot decide on a raise: own, part in it (they, or who they stand for, had a hand in the result), no right; null: they can. No decider: the owner of the books.';

-- A decision under a delegation says so, by a decision of its own.
CREATE FUNCTION used_delegation(decider bigint, roles text[], barred bigint[], subject bigint, about text, about_id bigint, status text) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'delegation.use', subject, 'delegation', w.delegation_id,
         jsonb_build_object('for', p.employee_no, 'role', g.role), jsonb_build_object('table', about, 'id', about_id, 'status', used_delegation.status), g.reason
    FROM (SELECT a.delegation_id, a.principal_id FROM authority(decider, roles, barred) a ORDER BY a.delegation_id NULLS FIRST LIMIT 1) w
    JOIN delegation g ON g.delegation_id = w.delegation_id JOIN employee p ON p.employee_id = w.principal_id;
END;
COMMENT ON FUNCTION used_delegation(bigint, text[], bigint[], bigint, text, bigint, text) IS
  'Writes the decision delegation.use if somebody decided something by delegation alone: for whom, what, and the reason of the delegation.';

CREATE FUNCTION adjustment_approved(adjustments bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT used_delegation(e.employee_id, '{hr,finance,executive}', adjustment_hands(a.adjustment_id), a.employee_id, 'salary_adjustment', a.adjustment_id, a.status)
    FROM salary_adjustment a JOIN employee e ON e.employee_no = a.decided_by
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'rejected') AND NOT superior_of(e.employee_id, a.employee_id)
   ORDER BY a.adjustment_id;
  SELECT '42501', format('%s cannot decide on the raise of employee %s', who(), e.employee_no),
         CASE o.why WHEN 'part in it' THEN 'They, or those they stand for, had a part in what led to it: calibration, appeal, promotion, correction, or the unlock before it.'
                    WHEN 'no right' THEN 'They are neither HR, finance, an executive nor a superior, and stand for none of these.'
                    ELSE format('Deciding: %s.', a.decided_by) END,
         CASE o.why WHEN 'part in it' THEN 'Somebody else has to decide, also not by delegation from them; setting four_eyes.pay.'
                    ELSE 'Applications call act_as() first; a role is handed on with delegate_role().' END,
         'salary_adjustment', 'decided_by', CASE o.why WHEN 'part in it' THEN 'salary_adjustment_hands' ELSE 'salary_adjustment_decider' END
    FROM salary_adjustment a JOIN employee e USING (employee_id)
    CROSS JOIN LATERAL (SELECT CASE WHEN a.decided_by IS DISTINCT FROM who() THEN 'other' ELSE approval_obstacle(a.adjustment_id, actor()) END AS why) o
   WHERE a.adjustment_id = ANY (adjustments) AND a.status IN ('approved', 'rejected') AND o.why <> 'own'
     AND NOT (a.decided_by = 'pay.auto_apply' AND setting_on('pay.auto_apply'));
END;
COMMENT ON FUNCTION adjustment_approved(bigint[]) IS 'Rule: a raise is decided by somebody with the right, as themselves, who had no part in it; a delegate''s decision says for whom.';
CREATE TRIGGER salary_adjustment_2_hands AFTER UPDATE ON salary_adjustment REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('adjustment_approved', 'key=adjustment_id', 'changed=status');

CREATE FUNCTION promotion_approved(cases bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT used_delegation(p.decided_by, '{hr,executive}', result_hands(p.result_id), p.employee_id, 'promotion_case', p.promotion_case_id, p.status)
    FROM promotion_case p WHERE p.promotion_case_id = ANY (cases) AND p.status IN ('approved', 'rejected') ORDER BY p.promotion_case_id;
  SELECT '42501', format('%s cannot decide the promotion of employee %s', who(), e.employee_no),
         'They, or those they stand for, had a part in what led to it: calibration, appeal, or the unlock before it.',
         'Somebody else of HR or an executive has to decide; setting four_eyes.pay.', 'promotion_case', 'decided_by', 'promotion_case_hands'
    FROM promotion_case p JOIN employee e USING (employee_id)
   WHERE p.promotion_case_id = ANY (cases) AND p.status IN ('approved', 'rejected')
     AND NOT EXISTS (SELECT FROM authority(p.decided_by, '{hr,executive}', result_hands(p.result_id)));
END;
COMMENT ON FUNCTION promotion_approved(bigint[]) IS 'Rule: a promotion is decided by somebody who had no part in its result; a delegate''s decision says for whom.';
CREATE TRIGGER promotion_case_2_zhands AFTER UPDATE ON promotion_case REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('promotion_approved', 'key=promotion_case_id', 'changed=status');

CREATE FUNCTION appeal_hands(appeal bigint) RETURNS bigint[] STABLE LANGUAGE SQL
  RETURN (SELECT ARRAY[r.employee_id, coalesce(r.manager_id, r.employee_id)]
                 || ARRAY(SELECT s.rater_id FROM score s WHERE s.review_id = a.review_id)
                 || ARRAY(SELECT e.employee_id FROM decision d JOIN employee e ON e.employee_no = d.decided_by
                           WHERE d.decision_id = r.calibrated_by AND setting_on('four_eyes.appeal'))
            FROM appeal a JOIN review r USING (review_id) WHERE a.appeal_id = appeal);
COMMENT ON FUNCTION appeal_hands(bigint) IS 'Employees who do not decide an appeal: whose it is, the manager, the raters, who calibrated.';
CREATE FUNCTION appeal_independent(appeals bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT used_delegation(a.decided_by, '{hr}', appeal_hands(a.appeal_id), r.employee_id, 'appeal', a.appeal_id, a.status)
    FROM appeal a JOIN review r USING (review_id) WHERE a.appeal_id = ANY (appeals) AND a.status IN ('rejected', 'upheld') ORDER BY a.appeal_id;
  SELECT '42501', format('%s cannot decide the appeal of employee %s', who(), e.employee_no),
         'They, or those they stand for, had a part in what it is against.', 'Somebody else of HR has to decide.', 'appeal', 'decided_by', 'appeal_hands'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
   WHERE a.appeal_id = ANY (appeals) AND a.status IN ('rejected', 'upheld')
     AND NOT EXISTS (SELECT FROM authority(a.decided_by, '{hr}', appeal_hands(a.appeal_id)));
END;
COMMENT ON FUNCTION appeal_independent(bigint[]) IS 'Rule: an appeal is decided by somebody of HR who had no part in what it is against, nor stands for one who had (REV-08).';
CREATE TRIGGER appeal_2_zhands AFTER UPDATE ON appeal REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.consequence('appeal_independent', 'key=appeal_id', 'changed=status');

CREATE FUNCTION approvals_left(cycle text) RETURNS TABLE (employee_no text, raise_amount numeric, why text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT e.employee_no, a.raise_amount,
         CASE WHEN a.status = 'held' THEN 'held'
              WHEN salary_on(a.employee_id, a.effective_on) IS DISTINCT FROM a.old_amount THEN 'base changed'
              WHEN a.raise_amount < 0 THEN 'lowers pay'
              ELSE approval_obstacle(a.adjustment_id, actor()) END
    FROM salary_adjustment a JOIN employee e USING (employee_id)
   WHERE a.cycle_id = find_cycle(cycle) AND a.status IN ('proposed', 'held') AND may_read_pay(a.employee_id)
   ORDER BY e.employee_no;
END;
COMMENT ON FUNCTION approvals_left(text) IS
  'Raises of a cycle that wait, and why approve_cycle() leaves them when called by who acts: own, part in it, no right, lowers pay, base changed, held; null: it approves them. Of people whose pay one may read. Error 22023: unknown.';

CREATE FUNCTION approve_cycle(cycle text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH done AS (UPDATE salary_adjustment a SET status = 'approved', decided_by = who()
                 WHERE a.cycle_id = find_cycle(cycle) AND a.status = 'proposed' AND a.raise_amount >= 0
                   AND salary_on(a.employee_id, a.effective_on) IS NOT DISTINCT FROM a.old_amount
                   AND approval_obstacle(a.adjustment_id, actor()) IS NULL RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION approve_cycle(text) IS
  'Approve the proposed raises of a cycle, but one''s own, those that one had a part in or no right to, corrections that lower pay and raises whose base changed: approvals_left(cycle) lists these. Returns how many were approved.';
