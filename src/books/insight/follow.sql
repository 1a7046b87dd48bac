-- insight: what follows from what.

-- what goes into the archive, table by table ----------------------------------

CREATE FUNCTION archive_results(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'review_result'::text, results,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT x.result_id AS source_id, 'result' AS kind, r.employee_id, x.locked_on AS occurred_on, c.name AS title,
           jsonb_build_object('cycle', c.code, 'score', trim_scale(x.composite), 'grade', coalesce(x.grade, '-'),
                              'version', x.version) AS detail,
           coalesce(x.reopened_by, x.decision_id) AS decision_id, x.reopened_by IS NOT NULL AS gone
      FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
        WHERE x.result_id = ANY (results)) l));
END;
COMMENT ON FUNCTION archive_results(bigint[]) IS
  'Results in the archive: a lock writes a line, an unlock withdraws it (ORG-06).';
SELECT register_follow('review_result', '{insert,update}', 550, 'archive_results', key => 'result_id',
                       changed => '{reopened_by}');

CREATE FUNCTION archive_trainings(records bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'training_record'::text, records,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT t.training_record_id AS source_id, 'training' AS kind, t.employee_id, t.completed_on AS occurred_on,
           o.name AS title,
           jsonb_strip_nulls(jsonb_build_object('course', o.code, 'score', trim_scale(t.score), 'passed', t.passed))
             AS detail
      FROM training_record t JOIN resource o USING (resource_id) WHERE t.training_record_id = ANY (records)) l));
END;
COMMENT ON FUNCTION archive_trainings(bigint[]) IS
  'Finished trainings in the archive, with their exam score; a correction is a new line (ORG-06).';
SELECT register_follow('training_record', '{insert,update,delete}', 550, 'archive_trainings',
                       key => 'training_record_id',
  changed => '{employee_id,resource_id,completed_on,score,passed}');

CREATE FUNCTION archive_certifications(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'certification_result'::text, results,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT c.certification_result_id AS source_id, 'certification' AS kind, c.employee_id,
           c.achieved_on AS occurred_on, k.name AS title,
           jsonb_build_object('certification', k.code) AS detail, NULL::bigint AS decision_id
      FROM certification_result c JOIN certification k USING (certification_id)
     WHERE c.certification_result_id = ANY (results) AND c.passed
    UNION ALL
    SELECT c.certification_result_id, 'certification.reversed', c.employee_id, v.reversed_on, k.name,
           jsonb_build_object('certification', k.code, 'reason', v.reason), NULL::bigint AS decision_id
      FROM certification_reversal v JOIN certification_result c USING (certification_result_id)
        JOIN certification k USING (certification_id)
     WHERE v.certification_result_id = ANY (results)
    UNION ALL
    -- a level that the result gives, from its first day on; rows that come in closed stand in the next moment
    SELECT c.certification_result_id, 'level', c.employee_id, min(lower(h.valid)), s.name || ' ' || l.name,
           jsonb_build_object('skill', s.code, 'level', l.code, 'rank', l.rank), max(h.decision_id)
      FROM unnest(results) AS r (result_id)
      CROSS JOIN LATERAL (SELECT x.* FROM employee_skill_level x
                           WHERE x.certification_result_id = r.result_id
                             AND (x.superseded_by IS NULL OR x.superseded_by = x.decision_id) OFFSET 0) h
      JOIN certification_result c USING (certification_result_id) JOIN skill_level l USING (skill_level_id)
        JOIN skill s ON s.skill_id = l.skill_id
     GROUP BY c.certification_result_id, c.employee_id, s.code, s.name, l.code, l.name, l.rank) l));
END;
COMMENT ON FUNCTION archive_certifications(bigint[]) IS
  'Passed certifications, their reversals, and the levels they give in the archive (ORG-06).';
SELECT register_follow('certification_result', '{insert}', 550, 'archive_certifications',
                       key => 'certification_result_id');
SELECT register_follow('certification_reversal', '{insert}', 550, 'archive_certifications',
                       key => 'certification_result_id');
SELECT register_follow('employee_skill_level', '{update}', 550, 'archive_certifications',
                       key => 'certification_result_id', changed => '{superseded_by}');

CREATE FUNCTION archive_plans(plans bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'development_plan'::text, plans,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT p.plan_id AS source_id, 'plan' AS kind, p.employee_id, p.planned_on AS occurred_on,
           CASE p.kind WHEN 'improvement' THEN '改进计划 ' ELSE '发展计划 ' END || c.code AS title,
           jsonb_build_object('cycle', c.code, 'kind', p.kind) AS detail, p.decision_id, p.status = 'withdrawn' AS gone
      FROM development_plan p JOIN review_cycle c USING (cycle_id)
        WHERE p.plan_id = ANY (plans) AND p.status <> 'draft') l));
END;
COMMENT ON FUNCTION archive_plans(bigint[]) IS
  'Plans that stand in the archive; a withdrawn one is said to be (DEV-06, ORG-06).';
SELECT register_follow('development_plan', '{insert,update}', 550, 'archive_plans', key => 'plan_id',
                       changed => '{status,kind,planned_on}');

CREATE FUNCTION archive_raises(adjustments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'salary_adjustment'::text, adjustments,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT a.adjustment_id AS source_id, 'raise' AS kind, a.employee_id, a.effective_on AS occurred_on, c.name AS title,
           jsonb_build_object('cycle', c.code) || CASE WHEN a.corrects IS NULL THEN '{}'
             ELSE jsonb_build_object('corrects', a.corrects) END AS detail, a.decision_id
      FROM salary_adjustment a JOIN review_cycle c USING (cycle_id)
     WHERE a.adjustment_id = ANY (adjustments) AND a.status = 'applied' AND a.raise_amount <> 0) l));
END;
COMMENT ON FUNCTION archive_raises(bigint[]) IS
  'Applied raises and corrections in the archive, without their figures (ORG-06).';
SELECT register_follow('salary_adjustment', '{update}', 550, 'archive_raises', key => 'adjustment_id',
                       changed => '{status}');

CREATE FUNCTION archive_memberships(memberships bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'pool_membership'::text, memberships,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT m.pool_membership_id AS source_id, k.kind, m.employee_id, k.day AS occurred_on, p.name AS title,
           jsonb_build_object('pool', p.code, 'reason', m.reason) AS detail, k.decision_id
      FROM pool_membership m JOIN talent_pool p USING (talent_pool_id)
      CROSS JOIN LATERAL (VALUES ('pool', m.joined_on, m.decision_id), ('pool.left', m.left_on, m.ended_by))
        AS k (kind, day, decision_id)
     WHERE m.pool_membership_id = ANY (memberships) AND k.day IS NOT NULL) l));
END;
COMMENT ON FUNCTION archive_memberships(bigint[]) IS 'Pools in the archive: who enters and who leaves (ORG-06).';
SELECT register_follow('pool_membership', '{insert,update}', 550, 'archive_memberships', key => 'pool_membership_id',
                       changed => '{left_on,joined_on,reason}');

CREATE FUNCTION archive_promotions(cases bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'promotion_case'::text, cases,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT p.promotion_case_id AS source_id, 'promotion' AS kind, p.employee_id, p.decided_on AS occurred_on,
           c.name AS title,
           jsonb_build_object('cycle', c.code, 'kind', p.kind) AS detail,
           (SELECT max(d.decision_id) FROM decision d
            WHERE d.cause_id = p.promotion_case_id AND d.cause = 'promotion_case') AS decision_id,
           p.status = 'withdrawn' AS gone
      FROM promotion_case p JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
     WHERE p.promotion_case_id = ANY (cases) AND p.status IN ('approved', 'withdrawn')) l));
END;
COMMENT ON FUNCTION archive_promotions(bigint[]) IS
  'Approved promotions in the archive; one that is withdrawn later is said to be (ORG-06).';
SELECT register_follow('promotion_case', '{update}', 550, 'archive_promotions', key => 'promotion_case_id',
                       changed => '{status}');

CREATE FUNCTION archive_key_events(events bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'key_event'::text, events, (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT k.key_event_id AS source_id, 'key_event' AS kind, k.employee_id, k.occurred_on, k.event AS title,
           jsonb_strip_nulls(jsonb_build_object('amount', trim_scale(k.amount), 'evidence', k.evidence)) AS detail
      FROM key_event k WHERE k.key_event_id = ANY (events)) l));
END;
COMMENT ON FUNCTION archive_key_events(bigint[]) IS 'Key events in the archive (ORG-06, ORG-07).';
SELECT register_follow('key_event', '{insert,update,delete}', 550, 'archive_key_events', key => 'key_event_id',
  changed => '{employee_id,occurred_on,event,amount,evidence}');

CREATE FUNCTION archive_suggestions(suggestions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'suggestion'::text, suggestions,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT s.suggestion_id AS source_id, 'suggestion' AS kind, s.employee_id, s.suggested_on AS occurred_on,
           s.suggestion AS title, s.decision_id
      FROM suggestion s WHERE s.suggestion_id = ANY (suggestions) AND s.status = 'accepted') l));
END;
COMMENT ON FUNCTION archive_suggestions(bigint[]) IS 'Accepted suggestions in the archive (LIV-07, ORG-06).';
SELECT register_follow('suggestion', '{insert,update,delete}', 550, 'archive_suggestions', key => 'suggestion_id',
                       changed => '{status,suggestion,suggested_on}');

CREATE FUNCTION archive_citations(citations bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'contribution_citation'::text, citations,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT x.contribution_citation_id AS source_id, 'citation' AS kind, x.employee_id, x.cited_on AS occurred_on,
           c.title,
           jsonb_build_object('unit', u.name, 'case', c.contribution_id) AS detail, c.withdrawn_by AS decision_id,
           c.withdrawn_by IS NOT NULL AS gone
      FROM contribution_citation x JOIN contribution c USING (contribution_id) JOIN org_unit u USING (org_unit_id)
     WHERE x.contribution_citation_id = ANY (citations)) l));
END;
COMMENT ON FUNCTION archive_citations(bigint[]) IS 'Departments that cite a case in the archive (ORG-06).';
SELECT register_follow('contribution_citation', '{insert,update,delete}', 550, 'archive_citations',
                       key => 'contribution_citation_id',
  changed => '{cited_on,org_unit_id}');

CREATE FUNCTION archive_contributions(contributions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'archive_follow', 'contribution'::text, contributions,
                    (SELECT jsonb_agg(to_jsonb(l)) FROM (
    SELECT c.contribution_id AS source_id, c.kind, c.employee_id, c.occurred_on, c.title,
           jsonb_strip_nulls(jsonb_build_object('role', c.role, 'quantity', trim_scale(c.quantity), 'unit', c.unit,
                                                'evidence', c.evidence)) AS detail,
           c.withdrawn_by AS decision_id, c.withdrawn_by IS NOT NULL AS gone
      FROM contribution c WHERE c.contribution_id = ANY (contributions)) l));
  SELECT archive_citations(x.ids)
    FROM (SELECT array_agg(x.contribution_citation_id) AS ids FROM contribution_citation x
          WHERE x.contribution_id = ANY (contributions)) x WHERE x.ids IS NOT NULL;
END;
COMMENT ON FUNCTION archive_contributions(bigint[]) IS
  'Contributions in the archive; with a case go those who cite it (ORG-06).';
SELECT register_follow('contribution', '{insert,update,delete}', 550, 'archive_contributions', key => 'contribution_id',
  changed => '{employee_id,kind,title,role,quantity,unit,occurred_on,evidence,withdrawn_by}');
