-- verify approve: approvals and delegations, again from their source rows.

CREATE FUNCTION verify_approvals() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                  found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT 'approval_decision', 'salary_adjustment', a.adjustment_id,
         coalesce(d.inputs ->> 'decided_by', 'not approved'), a.decided_by
    FROM salary_adjustment a
    LEFT JOIN LATERAL (SELECT k.inputs FROM decision k
                       WHERE k.cause_id = a.adjustment_id AND k.cause = 'salary_adjustment' AND k.kind = 'pay.approve'
                        ORDER BY k.decision_id DESC LIMIT 1) d ON true
   WHERE a.status IN ('approved', 'applied') AND d.inputs ->> 'decided_by' IS DISTINCT FROM a.decided_by
  UNION ALL
  SELECT 'approval_own', 'salary_adjustment', a.adjustment_id, 'another person', e.employee_no
    FROM salary_adjustment a JOIN employee e ON e.employee_no = a.decided_by WHERE e.employee_id = a.employee_id
  UNION ALL
  SELECT 'delegation_decision', 'delegation', g.delegation_id,
         concat_ws(' ', d.inputs ->> 'role', 'to', d.inputs ->> 'delegate', d.outcome ->> 'from',
                   d.outcome ->> 'until'),
         concat_ws(' ', g.role, 'to', e.employee_no, lower(g.valid), upper(g.valid) - 1)
    FROM delegation g JOIN employee e ON e.employee_id = g.delegate_id JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.employee_id, d.inputs ->> 'role', d.inputs ->> 'delegate',
          (d.outcome ->> 'from')::date, (d.outcome ->> 'until')::date)
         IS DISTINCT FROM ('delegation.give', g.delegation_id, g.delegator_id, g.role, e.employee_no, lower(g.valid),
                           upper(g.valid) - 1);
END;
COMMENT ON FUNCTION verify_approvals() IS
  'Raises that are approved or paid without a decision of who approved them, or by whose they are; delegations that '
  'differ from their decision.';
