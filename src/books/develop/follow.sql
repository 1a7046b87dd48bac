-- develop: what follows from what.

CREATE FUNCTION plan_added_item(kind text, resource bigint, title text, due_on date, own integer) RETURNS jsonb STABLE
  LANGUAGE SQL
  RETURN (SELECT jsonb_build_object('kind', plan_added_item.kind, 'resource', o.code, 'title', plan_added_item.title,
                                    'quantity', o.quantity,
                                    'topic', o.topic, 'origins', '["manager"]'::jsonb, 'due_on', plan_added_item.due_on)
                 || CASE WHEN plan_added_item.own IS NULL THEN '{}'
                   ELSE jsonb_build_object('own', plan_added_item.own) END
            FROM (VALUES (1)) AS one (n) LEFT JOIN resource o ON o.resource_id = plan_added_item.resource);
COMMENT ON FUNCTION plan_added_item(text, bigint, text, date, integer) IS
  'An item that the manager added, as the document of a plan has it.';

-- what a plan should say ------------------------------------------------------

CREATE FUNCTION plan_gaps(reviews bigint[])
  RETURNS TABLE (review_id bigint, reason text, indicator_id bigint, skill_id bigint, rating numeric, required numeric,
                 n bigint)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT r.review_id, g.reason, g.indicator_id, s.skill_id, s.rating, s.required,
         row_number() OVER (PARTITION BY r.review_id ORDER BY i.position, g.indicator_id)
    FROM review r
    CROSS JOIN LATERAL (
      SELECT 'missed' AS reason, m.indicator_id FROM unnest(r.missed) AS m (indicator_id)
        WHERE 'missed' = ANY (r.plan_reason)
      UNION ALL
      SELECT 'score', r.lowest_indicator_id WHERE r.plan_reason = '{score}') g
    JOIN review_standard i ON i.review_id = r.review_id AND i.indicator_id = g.indicator_id
    LEFT JOIN LATERAL (
      SELECT x.skill_id, latest.rating, x.required
        FROM indicator_skill x
        CROSS JOIN LATERAL (SELECT k.rating FROM skill_rating k
                             WHERE k.employee_id = r.employee_id AND k.skill_id = x.skill_id
                             ORDER BY k.rated_on DESC, k.skill_rating_id DESC LIMIT 1) latest
       WHERE x.indicator_id = g.indicator_id AND latest.rating < x.required
       ORDER BY latest.rating, x.skill_id LIMIT 1) s ON true
   WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NOT NULL;
END;
COMMENT ON FUNCTION plan_gaps(bigint[]) IS
  'Gaps of reviews that call for a plan: the missed indicators, or the lowest when only the score does; each with the '
  'skill of the lowest rating below what is required (DEV-02).';

CREATE FUNCTION fitting_resource(indicator bigint, skills bigint[])
  RETURNS TABLE (resource_id bigint, kind text, rank bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT o.resource_id, o.kind, row_number() OVER (PARTITION BY o.kind ORDER BY count(*) DESC, o.duration, o.code)
    FROM resource o JOIN resource_tag t USING (resource_id)
   WHERE o.active AND (t.indicator_id = fitting_resource.indicator OR t.skill_id = ANY (fitting_resource.skills))
   GROUP BY o.resource_id, o.kind, o.duration, o.code;
END;
COMMENT ON FUNCTION fitting_resource(bigint, bigint[]) IS
  'Resources for an indicator or skills, ranked within their kind: what fits more of them first, then the shorter one, '
  'then by code (DEV-03).';

CREATE FUNCTION plan_resources(reviews bigint[])
  RETURNS TABLE (review_id bigint, resource_id bigint, origin text, rank integer, n bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  -- a gap: the best resource of each kind; the one that fits both indicator and skill first
  SELECT g.review_id, best.resource_id, g.reason, 1, g.n * 10 + best.kind_rank
    FROM plan_gaps(reviews) g
    CROSS JOIN LATERAL (
      SELECT f.resource_id, CASE f.kind WHEN 'course' THEN 1 WHEN 'project' THEN 2 ELSE 3 END AS kind_rank
        FROM fitting_resource(g.indicator_id, ARRAY[g.skill_id]) f WHERE f.rank = 1) best
  UNION ALL
  SELECT r.review_id, best.resource_id, 'mentor', 2, a.mentor_advice_id
    FROM review r
    JOIN mentor_advice a ON a.employee_id = r.employee_id
    CROSS JOIN LATERAL (SELECT o.resource_id FROM resource o JOIN resource_tag t USING (resource_id)
                         WHERE o.active AND t.skill_id = a.skill_id
                         ORDER BY o.kind <> 'course', o.duration, o.code LIMIT 1) best
   WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NOT NULL
  UNION ALL
  SELECT r.review_id, best.resource_id, 'position', 3, j.skill_id
    FROM review r
    JOIN job_skill j ON j.job_id = r.job_id
    CROSS JOIN LATERAL (SELECT o.resource_id FROM resource o JOIN resource_tag t USING (resource_id)
                         WHERE o.active AND t.skill_id = j.skill_id
                         ORDER BY o.kind <> 'course', o.duration, o.code LIMIT 1) best
   WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NOT NULL
     AND j.required > coalesce((SELECT k.rating FROM skill_rating k
                                 WHERE k.employee_id = r.employee_id AND k.skill_id = j.skill_id
                                 ORDER BY k.rated_on DESC, k.skill_rating_id DESC LIMIT 1), 0)
  UNION ALL
  SELECT r.review_id, q.resource_id, 'interest', 4, q.development_request_id
    FROM review r JOIN development_request q ON q.employee_id = r.employee_id AND q.status = 'approved'
   WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NOT NULL;
END;
COMMENT ON FUNCTION plan_resources(bigint[]) IS
  'Resources for those reviews by origin: missed (or score), mentor, position, interest, in this order (DEV-03, '
  'DEV-04).';

CREATE FUNCTION plan_document(reviews bigint[]) RETURNS TABLE (review_id bigint, document jsonb) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH gap AS (
    SELECT g.*, i.code AS indicator_code, s.code AS skill_code
      FROM plan_gaps(reviews) g JOIN indicator i USING (indicator_id) LEFT JOIN skill s USING (skill_id)
  ), picked AS (
    SELECT p.review_id, p.resource_id, array_agg(DISTINCT p.rank || p.origin ORDER BY p.rank || p.origin) AS ranked,
           min(p.rank) AS rank, min(p.n) FILTER (WHERE p.rank = 1) AS n1, min(p.n) AS n
      FROM plan_resources(reviews) p GROUP BY p.review_id, p.resource_id
  ), item AS (
    SELECT p.review_id, p.rank, coalesce(p.n1, p.n) AS n, o.resource_id, NULL::bigint AS indicator_id,
           jsonb_build_object('kind', o.kind, 'resource', o.code, 'title', o.name, 'quantity', o.quantity, 'topic',
                              o.topic,
             'origins', (SELECT jsonb_agg(substr(x, 2) ORDER BY x) FROM unnest(p.ranked) x)) AS item
      FROM picked p JOIN resource o USING (resource_id)
    UNION ALL
    SELECT g.review_id, 1, g.n * 10, NULL::bigint, g.indicator_id,
           jsonb_build_object('kind', 'placeholder', 'title', '待HR补充资源', 'topic', g.indicator_code, 'origins',
                              jsonb_build_array(g.reason))
      FROM gap g
     WHERE NOT EXISTS (SELECT FROM resource o JOIN resource_tag t USING (resource_id)
                        WHERE o.active AND (t.indicator_id = g.indicator_id OR t.skill_id = g.skill_id))
  ), numbered AS (
    SELECT i.*, row_number() OVER (PARTITION BY i.review_id ORDER BY i.rank, i.n, i.resource_id) AS position FROM item i
  ), changed AS (
    -- the manager's word goes before the rules, in every plan of the review: what was added stands at the end, and only
    -- there;
    -- what was changed stays also when the rules would now take another resource (a placeholder goes with its gap)
    SELECT n.review_id, false AS added, n.position, n.item || CASE WHEN c.title IS NULL THEN '{}'
      ELSE jsonb_build_object('title', c.title) END AS item
      FROM numbered n
      LEFT JOIN plan_change c ON c.review_id = n.review_id
        AND (c.resource_id = n.resource_id OR c.indicator_id = n.indicator_id)
     WHERE n.position <= (SELECT setting_number('plan.max_items')) AND NOT coalesce(c.added OR c.removed, false)
    UNION ALL
    SELECT c.review_id, true, c.plan_change_id,
           plan_added_item(coalesce(c.kind, o.kind), c.resource_id, c.title, c.due_on, c.own)
      FROM plan_change c LEFT JOIN resource o USING (resource_id)
     WHERE c.review_id = ANY (reviews) AND NOT c.removed
       AND (c.added OR c.resource_id IS NOT NULL
                       AND NOT EXISTS (SELECT FROM numbered n
                                       WHERE n.review_id = c.review_id AND n.resource_id = c.resource_id
                                          AND n.position <= (SELECT setting_number('plan.max_items'))))
  ), gaps AS (
    SELECT g.review_id, jsonb_agg(jsonb_build_object('id', g.indicator_id, 'indicator', g.indicator_code, 'skill',
                                                     g.skill_code, 'reason',
                                                     g.reason,
             'rating', g.rating, 'required', g.required, 'gap', g.required - g.rating) ORDER BY g.n) AS list
      FROM gap g GROUP BY g.review_id
  ), items AS (
    SELECT c.review_id, jsonb_agg(c.item ORDER BY c.added, c.position) AS list FROM changed c GROUP BY c.review_id
  )
  SELECT r.review_id, jsonb_build_object('kind',
                                         CASE (band_of(c.grade_scale_id, coalesce(r.calibrated, r.composite))).label
                                           WHEN (SELECT setting_text('task.talk_grade')) THEN 'improvement'
                                             ELSE 'development' END,
                                         'reasons', to_jsonb(r.plan_reason), 'gaps', coalesce(gaps.list, '[]'),
                                         'items', coalesce(items.list, '[]'))
    FROM review r JOIN review_cycle c USING (cycle_id) LEFT JOIN gaps USING (review_id)
      LEFT JOIN items USING (review_id)
   WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NOT NULL;
END;
COMMENT ON FUNCTION plan_document(bigint[]) IS
  'Kind, gaps and items that the plans of these reviews should have now: by the rules, then by what the manager '
  'changed (REV-11, REV-14).';

-- writing and following -------------------------------------------------------

CREATE FUNCTION plan_follow(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- a draft whose cause went; plans that stand wait for the next lock
  SELECT hrloop.run('book'::regclass, 'plan_withdraw', gone.ids) FROM (
    SELECT array_agg(r.review_id) AS ids
      FROM review r JOIN development_plan p ON p.review_id = r.review_id AND p.status = 'draft'
     WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NULL
       AND (r.status = 'open' AND NOT r.anonymous OR r.status = 'not_rated')) gone
   WHERE gone.ids IS NOT NULL;
  -- a draft that came or went would tell the manager of a score that is anonymous
  SELECT hrloop.run('book'::regclass, 'plan_write', due.ids, false) FROM (
    SELECT array_agg(r.review_id ORDER BY r.review_id) AS ids
      FROM review r
     WHERE r.review_id = ANY (reviews) AND r.status = 'open' AND r.plan_reason IS NOT NULL AND NOT r.anonymous
       AND NOT EXISTS (SELECT FROM development_plan p
                       WHERE p.review_id = r.review_id AND p.status NOT IN ('draft', 'withdrawn'))) due
   WHERE due.ids IS NOT NULL;
END;
COMMENT ON FUNCTION plan_follow(bigint[]) IS
  'Consequences of scores on drafts: made, changed or withdrawn (DEV-01); once anonymous scores count, drafts wait for '
  'the lock (REV-07).';
SELECT register_follow('review', '{update}', 710, 'plan_follow', key => 'review_id',
  changed => '{plan_reason,composite,missed,lowest_indicator_id}', present => 'plan_reason');
-- a draft that waited, and is due no more once they count no more, or nothing does
SELECT register_follow('review', '{update}', 720, 'plan_follow', key => 'review_id', changed => '{anonymous}');
SELECT register_follow('review', '{update}', 700, 'plan_follow', key => 'review_id', changed => '{status}',
                       present => 'block_reason');

CREATE FUNCTION plan_stand(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.run('book'::regclass, 'plan_withdraw', gone.ids) FROM (
    SELECT array_agg(r.review_id) AS ids
      FROM review r JOIN development_plan p ON p.review_id = r.review_id AND p.status <> 'withdrawn'
     WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NULL) gone
   WHERE gone.ids IS NOT NULL;
  -- after an unlock: a plan that stood and says something else now makes room for a new one
  SELECT hrloop.run('book'::regclass, 'plan_withdraw', old.ids) FROM (
    SELECT array_agg(p.review_id) AS ids
      FROM development_plan p
      JOIN plan_document(ARRAY(SELECT q.review_id FROM development_plan q
                                WHERE q.review_id = ANY (reviews) AND q.status NOT IN ('draft', 'withdrawn'))) doc
        ON doc.review_id = p.review_id
     WHERE p.status NOT IN ('draft', 'withdrawn') AND p.document <> doc.document) old
   WHERE old.ids IS NOT NULL;
  SELECT hrloop.run('book'::regclass, 'plan_write', due.ids, true) FROM (
    SELECT array_agg(r.review_id ORDER BY r.review_id) AS ids
      FROM review r WHERE r.review_id = ANY (reviews) AND r.plan_reason IS NOT NULL) due
   WHERE due.ids IS NOT NULL;
END;
COMMENT ON FUNCTION plan_stand(bigint[]) IS
  'Consequences of a lock on plans: from now on they stand, or they are withdrawn (DEV-01).';
SELECT register_follow('review_result', '{insert}', 600, 'plan_stand', key => 'review_id');

-- confirmation and progress ---------------------------------------------------

CREATE FUNCTION plan_progressed(items bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(*) FROM (SELECT FROM development_plan p
    WHERE p.plan_id IN (SELECT i.plan_id FROM plan_item i WHERE i.plan_item_id = ANY (items))
    ORDER BY p.plan_id FOR NO KEY UPDATE) l;
  UPDATE plan_item i SET progress = latest.progress
    FROM (SELECT k.plan_item_id, coalesce((SELECT g.progress FROM plan_progress g WHERE g.plan_item_id = k.plan_item_id
                                           ORDER BY g.plan_progress_id DESC LIMIT 1), 0) AS progress
            FROM unnest(items) AS k (plan_item_id)) latest
   WHERE i.plan_item_id = latest.plan_item_id AND i.progress <> latest.progress;
  UPDATE development_plan p
     SET status = CASE WHEN done.all_done THEN 'completed' ELSE 'effective' END
    FROM (SELECT i.plan_id, bool_and(i.progress = 100) AS all_done FROM plan_item i
           WHERE i.plan_id IN (SELECT x.plan_id FROM plan_item x WHERE x.plan_item_id = ANY (items))
           GROUP BY i.plan_id) done
   WHERE p.plan_id = done.plan_id
     AND (p.status = 'effective' AND done.all_done OR p.status = 'completed' AND NOT done.all_done);
END;
COMMENT ON FUNCTION plan_progressed(bigint[]) IS
  'Consequence of progress, or of one entry less: the item and whether its plan is complete (DEV-08).';
SELECT register_follow('plan_progress', '{insert,update,delete}', 500, 'plan_progressed', key => 'plan_item_id',
                       changed => '{progress}');

-- needs improvement: HR talks with the employee (REV-14) ----------------------

CREATE FUNCTION talk_due(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'task.talk', r.employee_id, 'review_result', x.result_id, 'setting:task.talk_grade',
           jsonb_build_object('score', x.composite, 'grade', x.grade, 'cycle', c.code),
           jsonb_build_object('review', x.review_id)
      FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
     WHERE x.result_id = ANY (results) AND x.grade = (SELECT setting_text('task.talk_grade'))
       AND NOT EXISTS (SELECT FROM hr_task t
                       WHERE t.source_id = x.review_id AND t.source_table = 'review' AND t.kind = 'talk'
                         AND t.status <> 'withdrawn')
     ORDER BY x.result_id
    RETURNING decision_id, employee_id, cause_id, inputs, outcome
  ), t AS (
    INSERT INTO hr_task (kind, employee_id, source_table, source_id, decision_id)
    SELECT 'talk', d.employee_id, 'review', (d.outcome ->> 'review')::bigint, d.decision_id FROM d
      ORDER BY d.decision_id
    RETURNING hr_task_id, decision_id
  )
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'task.talk', 'task:' || t.hr_task_id,
         jsonb_build_object('employee', e.name, 'grade', d.inputs -> 'grade', 'cycle', d.inputs -> 'cycle'),
         d.decision_id
    FROM t JOIN d USING (decision_id) JOIN employee e ON e.employee_id = d.employee_id ORDER BY t.hr_task_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION talk_due(bigint[]) IS
  'Consequence of a lock: HR gets the task to talk when the grade calls for it, once per review (REV-14).';
SELECT register_follow('review_result', '{insert}', 850, 'talk_due', key => 'result_id');

CREATE FUNCTION talk_withdrawn(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'task.withdraw', t.employee_id, 'review_result', x.result_id, jsonb_build_object('decision', t.decision_id),
           jsonb_build_object('task', t.hr_task_id)
      FROM review_result x
      JOIN hr_task t ON t.source_id = x.review_id AND t.source_table = 'review' AND t.kind = 'talk'
        AND t.status = 'open'
      JOIN decision m ON m.decision_id = t.decision_id AND m.cause_id = x.result_id
     WHERE x.result_id = ANY (results) AND x.reopened_by IS NOT NULL ORDER BY t.hr_task_id
    RETURNING decision_id, (outcome ->> 'task')::bigint AS hr_task_id, (inputs ->> 'decision')::bigint AS made_by
  ), told AS (
    UPDATE notification n SET withdrawn_at = now() FROM d WHERE n.decision_id = d.made_by AND n.withdrawn_at IS NULL
  )
  UPDATE hr_task t SET status = 'withdrawn', closed_by = d.decision_id FROM d WHERE t.hr_task_id = d.hr_task_id;
END;
COMMENT ON FUNCTION talk_withdrawn(bigint[]) IS
  'Consequence of an unlock: an open talk goes with the result that called for it (REV-14).';
SELECT register_follow('review_result', '{update}', 650, 'talk_withdrawn', key => 'result_id',
                       changed => '{reopened_by}');
