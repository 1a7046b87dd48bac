-- verify workflow: closed cycles and signatures, again from their source rows.

CREATE FUNCTION verify_workflow() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                 found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  WITH said AS (
    SELECT DISTINCT ON (d.cause_id) d.cause_id AS cycle_id, d.kind, d.inputs -> 'signatures' AS signatures
      FROM decision d WHERE d.cause = 'review_cycle' AND d.kind IN ('cycle.close', 'cycle.reopen')
        ORDER BY d.cause_id, d.decision_id DESC
  )
  SELECT 'cycle_closed', 'review_cycle', c.cycle_id, coalesce(s.kind, 'never closed'), c.status
    FROM review_cycle c LEFT JOIN said s USING (cycle_id)
      WHERE (c.status = 'closed') <> (coalesce(s.kind, '') = 'cycle.close')
  UNION ALL
  SELECT 'cycle_signature', 'review_cycle', c.cycle_id, x.sig ->> 'stage' || ' by ' || (x.sig ->> 'by'), 'not signed so'
    FROM review_cycle c JOIN said s USING (cycle_id) CROSS JOIN LATERAL jsonb_array_elements(s.signatures) AS x (sig)
   WHERE c.status = 'closed' AND s.kind = 'cycle.close'
     AND NOT EXISTS (SELECT FROM cycle_signature g JOIN workflow_stage w USING (workflow_stage_id)
                     JOIN employee e ON e.employee_id = g.signed_by
                      WHERE g.cycle_id = c.cycle_id AND g.voided_by IS NULL AND w.code = x.sig ->> 'stage'
                        AND e.employee_no = x.sig ->> 'by')
  UNION ALL
  SELECT 'signature_order', 'cycle_signature', g.cycle_signature_id, 'stage ' || b.code || ' signed before',
         'not signed'
    FROM cycle_signature g JOIN review_cycle c USING (cycle_id) JOIN workflow_stage w USING (workflow_stage_id)
      JOIN workflow_stage b ON b.position < w.position
    LEFT JOIN cycle_signature o ON o.cycle_id = g.cycle_id AND o.workflow_stage_id = b.workflow_stage_id
      AND o.voided_by IS NULL
   WHERE g.voided_by IS NULL AND o.cycle_signature_id IS NULL AND c.status <> 'closed'
  UNION ALL
  SELECT 'signature_decision', 'cycle_signature', g.cycle_signature_id, d.inputs ->> 'stage' || ' by ' || d.decided_by,
         w.code || ' by ' || e.employee_no
    FROM cycle_signature g JOIN workflow_stage w USING (workflow_stage_id)
      JOIN employee e ON e.employee_id = g.signed_by JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.inputs ->> 'stage', d.decided_by)
     IS DISTINCT FROM ('cycle.sign', g.cycle_id, w.code, e.employee_no);
END;
COMMENT ON FUNCTION verify_workflow() IS
  'Closed cycles and signatures that differ from their decisions, or stand out of order.';
