-- verify talent: memberships, courses, promotions, again from their source rows.

CREATE FUNCTION verify_talent() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  WITH due AS (
    SELECT x.result_id, r.review_id, r.employee_id, p.talent_pool_id, p.recommends, p.promotes
      FROM review_result x JOIN review r USING (review_id)
        JOIN pool_rule p ON p.grade = x.grade AND x.locked_on <@ p.valid
     WHERE x.reopened_by IS NULL
       AND coalesce((SELECT s.status FROM employee_status s
                     WHERE s.employee_id = r.employee_id AND s.valid @> x.locked_on), '') <> 'left'
  )
  SELECT 'pool_missing', 'review_result', d.result_id, 'one membership', count(m.*)::text
    FROM due d
    LEFT JOIN pool_evidence v ON v.result_id = d.result_id AND v.withdrawn_by IS NULL
    LEFT JOIN pool_membership m ON m.pool_membership_id = v.pool_membership_id AND m.employee_id = d.employee_id
      AND m.talent_pool_id = d.talent_pool_id
   GROUP BY d.result_id, d.talent_pool_id HAVING count(m.*) <> 1
  UNION ALL
  SELECT 'course_missing', 'review_result', d.result_id, 'one course', 'none'
    FROM due d
   WHERE d.recommends AND NOT EXISTS (SELECT FROM recommendation n
                                      WHERE n.result_id = d.result_id AND n.withdrawn_by IS NULL)
     AND NOT EXISTS (SELECT FROM decision k
                     WHERE k.cause_id = d.result_id AND k.cause = 'review_result' AND k.kind = 'talent.no_course')
  UNION ALL
  SELECT 'promotion_missing', 'review_result', d.result_id, 'one case', 'none'
    FROM due d WHERE d.promotes AND NOT EXISTS (SELECT FROM promotion_case p
                                                WHERE p.result_id = d.result_id AND p.status <> 'withdrawn')
  UNION ALL
  SELECT 'pool_groundless', 'pool_evidence', v.pool_evidence_id, 'withdrawn', 'stands for a result that was reopened'
    FROM pool_evidence v JOIN review_result x USING (result_id)
      WHERE v.withdrawn_by IS NULL AND x.reopened_by IS NOT NULL
  UNION ALL
  SELECT 'pool_groundless', 'pool_evidence', v.pool_evidence_id, e.employee_no, m.employee_no
    FROM pool_evidence v JOIN pool_membership b USING (pool_membership_id) JOIN review_result x USING (result_id)
      JOIN review r USING (review_id)
    JOIN employee e ON e.employee_id = r.employee_id JOIN employee m ON m.employee_id = b.employee_id
   WHERE r.employee_id <> b.employee_id
  UNION ALL
  SELECT 'pool_groundless', 'pool_membership', m.pool_membership_id, 'ended', 'no result keeps it'
    FROM pool_membership m
   WHERE m.left_on IS NULL AND 0 = (SELECT count(*) FROM pool_evidence v
                                    WHERE v.pool_membership_id = m.pool_membership_id AND v.withdrawn_by IS NULL)
  UNION ALL
  SELECT 'course_groundless', 'recommendation', n.recommendation_id, 'withdrawn',
         'stands for a result that was reopened'
    FROM recommendation n JOIN review_result x USING (result_id)
      WHERE n.withdrawn_by IS NULL AND x.reopened_by IS NOT NULL
  UNION ALL
  SELECT 'course_decision', 'recommendation', n.recommendation_id,
         concat_ws(' ', d.inputs ->> 'why', d.outcome ->> 'resource'), concat_ws(' ', n.why, o.code)
    FROM recommendation n JOIN resource o USING (resource_id) JOIN decision d USING (decision_id)
   WHERE (d.kind, d.cause_id, d.inputs ->> 'why', d.outcome ->> 'resource')
     IS DISTINCT FROM ('talent.recommend', n.result_id, n.why, o.code)
  UNION ALL
  SELECT 'promotion_groundless', 'promotion_case', p.promotion_case_id, 'withdrawn', p.status
    FROM promotion_case p JOIN review_result x USING (result_id)
      WHERE p.status IN ('proposed', 'approved') AND x.reopened_by IS NOT NULL
  UNION ALL
  SELECT 'promotion_decision', 'promotion_case', p.promotion_case_id, coalesce(d.outcome ->> 'status', 'none'), p.status
    FROM promotion_case p
    LEFT JOIN LATERAL (SELECT k.outcome FROM decision k
                       WHERE k.cause = 'promotion_case' AND k.cause_id = p.promotion_case_id
                        ORDER BY k.decision_id DESC LIMIT 1) d ON true
   WHERE coalesce(d.outcome ->> 'status', 'proposed') <> p.status;
END;
COMMENT ON FUNCTION verify_talent() IS
  'Memberships, recommended courses and promotions that are missing, groundless, or differ from their decision.';
