-- verify develop: development plans, again from their source rows.

CREATE FUNCTION verify_plan_causes(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH slice AS NOT MATERIALIZED (
    SELECT * FROM review r WHERE r.review_id BETWEEN from_id AND until_id
  ), plan AS NOT MATERIALIZED (
    SELECT * FROM development_plan p WHERE p.review_id BETWEEN from_id AND until_id
  )
  SELECT 'plan_missing', 'review', r.review_id, 'a plan for ' || array_to_string(r.plan_reason, ', '), 'none'
    FROM slice r
   WHERE r.plan_reason IS NOT NULL
     AND NOT EXISTS (SELECT FROM development_plan p WHERE p.review_id = r.review_id AND p.status <> 'withdrawn')
     -- anonymous scores make no draft
     AND (r.status = 'locked' OR NOT r.anonymous)
  UNION ALL
  SELECT 'plan_without_cause', 'development_plan', p.plan_id, 'no plan', p.status
    FROM plan p JOIN slice r USING (review_id)
   WHERE r.plan_reason IS NULL AND (p.status = 'draft' AND NOT r.anonymous OR p.status <> 'withdrawn'
                                    AND r.status = 'locked')
      OR p.status = 'draft' AND r.status = 'not_rated'
  UNION ALL
  SELECT 'plan_reason', 'review', r.review_id, want.reason::text, r.plan_reason::text
    FROM slice r
    CROSS JOIN LATERAL (
      SELECT array_remove(ARRAY[
        CASE WHEN coalesce(r.calibrated, r.composite) <= (SELECT setting_number('plan.score_threshold'))
          THEN 'score' END,
        CASE WHEN (SELECT setting_on('plan.on_missed')) AND r.missed <> '{}'
              AND ((SELECT setting_number('plan.missed_max_score')) IS NULL
                   OR coalesce(r.calibrated, r.composite) < (SELECT setting_number('plan.missed_max_score')))
                     THEN 'missed' END], NULL) AS reason) want
   WHERE r.status = 'open' AND r.complete AND coalesce(r.plan_reason, '{}') <> want.reason
  UNION ALL
  SELECT 'draft_after_lock', 'development_plan', p.plan_id, 'proposed', p.status
    FROM plan p JOIN slice r USING (review_id) WHERE r.status = 'locked' AND p.status = 'draft';
END;
COMMENT ON FUNCTION verify_plan_causes(bigint, bigint) IS
  'Plans that are missing or groundless.';

CREATE FUNCTION verify_plan_contents(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH plan AS NOT MATERIALIZED (
    SELECT * FROM development_plan p WHERE p.review_id BETWEEN from_id AND until_id
  )
  SELECT 'plan_items', 'development_plan', p.plan_id, jsonb_array_length(p.document -> 'items')::text, count(i.*)::text
    FROM plan p LEFT JOIN plan_item i USING (plan_id)
   GROUP BY p.plan_id, p.document HAVING jsonb_array_length(p.document -> 'items') <> count(i.*)
  UNION ALL
  SELECT 'plan_item', 'plan_item', i.plan_item_id, concat_ws(' ', w.i ->> 'kind', w.i ->> 'title'),
         concat_ws(' ', i.kind, i.title)
    FROM plan p
    CROSS JOIN LATERAL jsonb_array_elements(p.document -> 'items') WITH ORDINALITY AS w (i, n)
    JOIN plan_item i ON i.plan_id = p.plan_id AND i.position = w.n
    LEFT JOIN resource o USING (resource_id)
   WHERE (i.kind, i.title, i.topic, i.quantity, o.code, to_jsonb(i.origins))
         IS DISTINCT FROM (w.i ->> 'kind', w.i ->> 'title', w.i ->> 'topic', (w.i ->> 'quantity')::numeric,
                           w.i ->> 'resource', w.i -> 'origins')
  UNION ALL
  SELECT 'plan_gaps', 'development_plan', p.plan_id, want.gaps, have.gaps
    FROM plan p
    CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', n.code, w ->> 'skill', (w ->> 'gap')::numeric),
                                          ', ' ORDER BY n.code) AS gaps
                          FROM jsonb_array_elements(p.document -> 'gaps') w
                          JOIN indicator n ON n.indicator_id = (w ->> 'id')::bigint) want
    CROSS JOIN LATERAL (SELECT string_agg(concat_ws(' ', n.code, s.code, g.gap), ', ' ORDER BY n.code) AS gaps
                          FROM plan_gap g JOIN indicator n USING (indicator_id) LEFT JOIN skill s USING (skill_id)
                            WHERE g.plan_id = p.plan_id) have
   WHERE want.gaps IS DISTINCT FROM have.gaps
  UNION ALL
  SELECT 'plan_reasons', 'development_plan', p.plan_id, p.document ->> 'reasons', to_jsonb(p.reasons)::text
    FROM plan p WHERE to_jsonb(p.reasons) <> p.document -> 'reasons'
  UNION ALL
  SELECT 'plan_kind', 'development_plan', p.plan_id, p.document ->> 'kind', p.kind
    FROM plan p WHERE p.kind IS DISTINCT FROM p.document ->> 'kind'
  UNION ALL
  SELECT 'plan_change', 'plan_change', c.plan_change_id, CASE WHEN c.removed THEN 'not there'
    ELSE c.title END, coalesce(have.title, 'not there')
    FROM plan_change c
    JOIN plan p ON p.review_id = c.review_id AND p.status <> 'withdrawn'
    LEFT JOIN resource o USING (resource_id)
    LEFT JOIN LATERAL (SELECT i.title FROM plan_item i
                         LEFT JOIN LATERAL jsonb_array_elements(p.document -> 'items') WITH ORDINALITY AS j (i, n)
                           ON j.n = i.position
                        WHERE i.plan_id = p.plan_id
                          AND (i.resource_id = o.resource_id OR (j.i ->> 'own')::integer = c.own)) have ON true
   WHERE c.indicator_id IS NULL AND CASE WHEN c.removed THEN have.title IS NOT NULL
     ELSE have.title IS DISTINCT FROM c.title END;
END;
COMMENT ON FUNCTION verify_plan_contents(bigint, bigint) IS
  'Items, gaps, reasons and changes by managers that differ from the document of their plan.';

CREATE FUNCTION verify_plan_progress(from_id bigint, until_id bigint)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH plan AS NOT MATERIALIZED (
    SELECT * FROM development_plan p WHERE p.review_id BETWEEN from_id AND until_id
  )
  SELECT 'plan_completion', 'development_plan', p.plan_id, CASE WHEN bool_and(i.progress = 100) THEN 'completed'
    ELSE 'effective' END, p.status
    FROM plan p JOIN plan_item i USING (plan_id) WHERE p.status IN ('effective', 'completed')
   GROUP BY p.plan_id, p.status HAVING bool_and(i.progress = 100) <> (p.status = 'completed')
  UNION ALL
  SELECT 'plan_decision', 'development_plan', p.plan_id, p.document::text, d.outcome::text
    FROM plan p JOIN decision d USING (decision_id) WHERE p.status <> 'withdrawn' AND d.outcome <> p.document
  UNION ALL
  SELECT 'progress', 'plan_item', i.plan_item_id, coalesce(g.progress, 0)::text, i.progress::text
    FROM plan p JOIN plan_item i USING (plan_id)
    LEFT JOIN LATERAL (SELECT g.progress FROM plan_progress g WHERE g.plan_item_id = i.plan_item_id
                       ORDER BY g.plan_progress_id DESC LIMIT 1) g ON true
   WHERE i.progress <> coalesce(g.progress, 0);
END;
COMMENT ON FUNCTION verify_plan_progress(bigint, bigint) IS
  'Completion, progress and decisions of plans that differ from what was reported and decided.';

CREATE FUNCTION verify_plans(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
    SET jit = off
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  SELECT v.* FROM verify_plan_causes(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_plan_contents(from_id, until_id) v
  UNION ALL SELECT v.* FROM verify_plan_progress(from_id, until_id) v;
END;
COMMENT ON FUNCTION verify_plans(bigint, bigint) IS
  'Plans that are missing, groundless, or differ from their decision.';

CREATE FUNCTION verify_tasks() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT 'task_decision', 'hr_task', t.hr_task_id,
         format('employee %s, %s %s', d.employee_id, t.source_table, d.outcome ->> t.source_table),
         format('employee %s, %s %s', t.employee_id, t.source_table, t.source_id)
    FROM hr_task t JOIN decision d USING (decision_id)
   WHERE (d.employee_id, d.outcome ->> t.source_table) IS DISTINCT FROM (t.employee_id, t.source_id::text)
  UNION ALL
  SELECT 'task_closed', 'hr_task', t.hr_task_id, CASE c.kind
    WHEN 'task.done' THEN 'done ' || (c.inputs ->> 'talked_on') WHEN 'task.withdraw' THEN 'withdrawn '
      ELSE 'open ' END, concat(t.status, ' ', t.done_on)
    FROM hr_task t LEFT JOIN decision c ON c.decision_id = t.closed_by AND CASE c.kind WHEN 'task.done' THEN c.cause_id
      WHEN 'task.withdraw' THEN (c.outcome ->> 'task')::bigint END = t.hr_task_id
   WHERE t.kind = 'talk'
     AND CASE c.kind WHEN 'task.done' THEN 'done ' || (c.inputs ->> 'talked_on') WHEN 'task.withdraw' THEN 'withdrawn '
       ELSE 'open ' END <> concat(t.status, ' ', t.done_on)
  UNION ALL
  SELECT 'task_missing', 'decision', d.decision_id, 'a task', 'none'
    FROM decision d WHERE d.kind = 'task.talk'
      AND NOT EXISTS (SELECT FROM hr_task t WHERE t.decision_id = d.decision_id)
  UNION ALL
  SELECT 'task_groundless', 'hr_task', t.hr_task_id, 'withdrawn with its result', t.status
    FROM hr_task t JOIN decision d USING (decision_id) JOIN review_result x ON x.result_id = d.cause_id
   WHERE t.kind = 'talk' AND t.status = 'open'
     AND (x.reopened_by IS NOT NULL OR (x.review_id, x.grade) IS DISTINCT FROM (t.source_id, d.inputs ->> 'grade'));
END;
COMMENT ON FUNCTION verify_tasks() IS
  'Tasks of HR that are not as the decisions that made and closed them, and talks about a result that no longer '
  'stands.';
