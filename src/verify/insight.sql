-- verify insight: suggestions, and the growth archive, again from their source rows.

CREATE FUNCTION verify_suggestions() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                    found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT 'suggestion_status', 'suggestion', s.suggestion_id, coalesce(d.outcome ->> 'status', 'submitted'), s.status
    FROM suggestion s LEFT JOIN decision d USING (decision_id)
      WHERE s.status <> coalesce(d.outcome ->> 'status', 'submitted')
  UNION ALL
  SELECT 'suggestion_reading', 'measurement', m.measurement_id, 'a suggestion of this employee', m.external_id
    FROM measurement m
   WHERE m.source = 'suggestion'
     AND NOT EXISTS (SELECT FROM suggestion s
                     WHERE s.suggestion_id::text = m.external_id AND s.employee_id = m.employee_id
                       AND s.suggested_on = m.measured_on);
END;
COMMENT ON FUNCTION verify_suggestions() IS 'Suggestions that differ from their decision, and readings without one.';

CREATE FUNCTION verify_archive() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text,
                                                found text) STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  WITH due (source_table, source_id, kind, employee_id, day) AS (
    SELECT 'review_result', x.result_id, 'result', r.employee_id, x.locked_on FROM review_result x
      JOIN review r USING (review_id) WHERE x.reopened_by IS NULL
    UNION ALL SELECT 'training_record', t.training_record_id, 'training', t.employee_id, t.completed_on
      FROM training_record t
    UNION ALL SELECT 'certification_result', c.certification_result_id, 'certification', c.employee_id, c.achieved_on
      FROM certification_result c WHERE c.passed
    UNION ALL SELECT 'certification_result', v.certification_result_id, 'certification.reversed', v.employee_id,
                     v.reversed_on FROM certification_reversal v
    UNION ALL SELECT 'certification_result', t.certification_result_id, 'level', t.employee_id, min(t.valid_from)
      FROM skill_timeline t
               WHERE t.skill_level_id IS NOT NULL GROUP BY t.certification_result_id, t.employee_id
    UNION ALL SELECT 'development_plan', p.plan_id, 'plan', p.employee_id, p.planned_on FROM development_plan p
      WHERE p.status IN ('proposed', 'effective', 'completed')
    UNION ALL SELECT 'salary_adjustment', a.adjustment_id, 'raise', a.employee_id, a.effective_on
      FROM salary_adjustment a WHERE a.status = 'applied' AND a.new_amount <> a.old_amount
    UNION ALL SELECT 'pool_membership', m.pool_membership_id, 'pool', m.employee_id, m.joined_on FROM pool_membership m
    UNION ALL SELECT 'pool_membership', m.pool_membership_id, 'pool.left', m.employee_id, m.left_on
      FROM pool_membership m WHERE m.left_on IS NOT NULL
    UNION ALL SELECT 'promotion_case', p.promotion_case_id, 'promotion', p.employee_id, p.decided_on
      FROM promotion_case p WHERE p.status = 'approved'
    UNION ALL SELECT 'key_event', k.key_event_id, 'key_event', k.employee_id, k.occurred_on FROM key_event k
    UNION ALL SELECT 'suggestion', s.suggestion_id, 'suggestion', s.employee_id, s.suggested_on FROM suggestion s
      WHERE s.status = 'accepted'
    UNION ALL SELECT 'contribution', c.contribution_id, c.kind, c.employee_id, c.occurred_on FROM contribution c
      WHERE c.withdrawn_by IS NULL
    UNION ALL SELECT 'contribution_citation', x.contribution_citation_id, 'citation', x.employee_id, x.cited_on
      FROM contribution_citation x JOIN contribution c USING (contribution_id)
               WHERE c.withdrawn_by IS NULL
    UNION ALL SELECT 'decision', d.decision_id, k.archive, d.employee_id, NULL::date FROM decision d
      JOIN decision_kind k USING (kind) WHERE k.archive IS NOT NULL
  ), standing AS (
    SELECT g.* FROM growth_archive g LEFT JOIN growth_archive w ON w.withdraws = g.growth_archive_id
     WHERE w.growth_archive_id IS NULL AND g.entry <> 'withdraw'
  )
  SELECT CASE WHEN s.growth_archive_id IS NULL THEN 'archive_missing'
    WHEN d.source_id IS NULL THEN 'archive_groundless' ELSE 'archive_line' END,
         coalesce(d.source_table, 'growth_archive'), coalesce(d.source_id, s.growth_archive_id),
         coalesce(NULLIF(concat_ws(' ', d.kind, de.employee_no, d.day), ''), 'no line'),
         coalesce(NULLIF(concat_ws(' ', s.kind, se.employee_no, s.occurred_on), ''), 'no line')
    FROM due d FULL JOIN standing s ON s.source_table = d.source_table AND s.source_id = d.source_id AND s.kind = d.kind
    LEFT JOIN employee de ON de.employee_id = d.employee_id
    LEFT JOIN employee se ON se.employee_id = s.employee_id
   WHERE d.source_id IS NULL OR s.growth_archive_id IS NULL OR s.employee_id <> d.employee_id OR s.occurred_on <> d.day;
END;
COMMENT ON FUNCTION verify_archive() IS
  'Lines of the growth archive that are missing, stand for nothing, or name another person or day than their source '
  '(ORG-06).';
