-- develop: what people and applications call.

CREATE FUNCTION find_resource(code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN CASE WHEN code IS NOT NULL THEN coalesce(
    (SELECT r.resource_id FROM resource r WHERE r.code = find_resource.code), unknown_code('resource', code)) END;
COMMENT ON FUNCTION find_resource(text) IS 'Key of a resource code; null for null. Error 22023: unknown.';

CREATE FUNCTION archive_follow(source text, ids bigint[], due jsonb) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO growth_archive (employee_id, occurred_on, kind, title, detail, source_table, source_id, decision_id,
                              entry, withdraws)
  SELECT CASE WHEN v.gone THEN h.employee_id ELSE d.employee_id END, CASE WHEN v.gone THEN h.occurred_on
    ELSE d.occurred_on END,
         coalesce(d.kind, h.kind), CASE WHEN v.gone THEN h.title ELSE d.title END, CASE WHEN v.gone THEN h.detail
           ELSE coalesce(d.detail, '{}') END,
         archive_follow.source, coalesce(d.source_id, h.source_id), d.decision_id,
         CASE WHEN v.gone THEN 'withdraw' WHEN h.growth_archive_id IS NULL THEN 'post'
           ELSE 'correct' END, h.growth_archive_id
    FROM jsonb_to_recordset(due) AS d (source_id bigint, kind text, employee_id bigint, occurred_on date, title text,
                                       detail jsonb, decision_id bigint, gone boolean)
    FULL JOIN (SELECT a.* FROM growth_archive a
                WHERE a.source_id = ANY (ids) AND a.source_table = archive_follow.source
                  AND NOT EXISTS (SELECT FROM growth_archive w WHERE w.withdraws = a.growth_archive_id)) h
      ON h.source_id = d.source_id AND h.kind = d.kind
    CROSS JOIN LATERAL (SELECT d.source_id IS NULL OR coalesce(d.gone, false) AS gone) v
   WHERE CASE WHEN v.gone THEN h.entry <> 'withdraw'
              WHEN h.growth_archive_id IS NULL OR h.entry = 'withdraw' THEN true
              ELSE (h.employee_id, h.occurred_on, h.title, h.detail)
                IS DISTINCT FROM (d.employee_id, d.occurred_on, d.title, coalesce(d.detail, '{}')) END
   ORDER BY coalesce(d.occurred_on, h.occurred_on), coalesce(d.source_id, h.source_id), coalesce(d.kind, h.kind);
END;
COMMENT ON FUNCTION archive_follow(text, bigint[], jsonb) IS
  'Make the archive say of these rows of a table what is due: [{source_id, kind, employee_id, occurred_on, title, '
  'detail, decision_id, gone}]. New lines are posted, changed ones corrected, missing or gone ones withdrawn, each by '
  'a line of its own; again: nothing (ORG-06).';

-- what a plan should say ------------------------------------------------------

CREATE FUNCTION plan_item_key(item bigint)
  RETURNS TABLE (review_id bigint, resource_id bigint, indicator_id bigint, own integer) STABLE ROWS 1 LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.review_id, i.resource_id,
         CASE WHEN i.resource_id IS NULL
           AND d.own IS NULL THEN (SELECT n.indicator_id FROM indicator n WHERE n.code = i.topic) END, d.own
    FROM plan_item i JOIN development_plan p USING (plan_id)
    CROSS JOIN LATERAL (SELECT (p.document -> 'items' -> (i.position - 1) ->> 'own')::integer AS own) d
   WHERE i.plan_item_id = item;
END;
COMMENT ON FUNCTION plan_item_key(bigint) IS
  'What makes an item the same in the next plan of the review: its resource, the indicator of a placeholder, or the '
  'number of the manager''s own item.';

CREATE FUNCTION plan_item_change(item bigint) RETURNS bigint STABLE LANGUAGE SQL
  RETURN (SELECT c.plan_change_id FROM plan_item_key(item) k JOIN plan_change c USING (review_id)
           WHERE c.resource_id = k.resource_id OR c.indicator_id = k.indicator_id OR c.own = k.own);
COMMENT ON FUNCTION plan_item_change(bigint) IS 'What the manager made of an item; null: nothing.';

-- writing and following -------------------------------------------------------

CREATE FUNCTION plan_withdraw(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome)
    SELECT 'plan.withdraw', p.employee_id, 'review', p.review_id,
           jsonb_build_object('score', coalesce(r.calibrated, r.composite), 'plan_reason', to_jsonb(r.plan_reason),
                              'was', p.status, 'decision', p.decision_id),
           jsonb_build_object('plan', p.plan_id)
      FROM development_plan p JOIN review r USING (review_id)
     WHERE p.review_id = ANY (reviews) AND p.status <> 'withdrawn'
     ORDER BY p.review_id
    RETURNING decision_id, (outcome ->> 'plan')::bigint AS plan_id, inputs ->> 'was' AS was,
              (inputs ->> 'decision')::bigint AS old_decision
  ), p AS (
    UPDATE development_plan p SET status = 'withdrawn', decision_id = d.decision_id, written_for = d.decision_id
      FROM d WHERE p.plan_id = d.plan_id
    RETURNING p.plan_id, p.review_id, p.manager_id, p.employee_id, p.decision_id, d.was, d.old_decision
  ), told AS (
    UPDATE notification n SET withdrawn_at = now()
      FROM p WHERE n.decision_id = p.old_decision AND n.withdrawn_at IS NULL
    RETURNING n.event_key
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT n.recipient_id, n.role, 'plan.withdrawn', 'plan:' || p.plan_id, jsonb_build_object('employee', e.name),
         p.decision_id
    FROM p JOIN employee e USING (employee_id) JOIN review r USING (review_id)
    CROSS JOIN LATERAL (VALUES (p.manager_id, 'manager', true), (p.employee_id, 'employee', p.was <> 'draft'))
      AS n (recipient_id, role, concerned)
   -- the employee never heard of a draft; a plan that replaces another announces itself
   WHERE n.recipient_id IS NOT NULL AND n.concerned AND r.plan_reason IS NULL
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION plan_withdraw(bigint[]) IS 'Withdraw the open plans of these reviews: decision, status, notices.';

-- A plan is written in three steps: the decision with the document, what the document says as rows, and who is told. 
-- Until
-- the end written_for names the decision before, so that each step knows which plans it is about.

CREATE FUNCTION plan_decided(reviews bigint[], standing boolean) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- a plan whose content differs from what it should be, or that has to stand now
  WITH want AS (
    SELECT r.review_id, r.employee_id, r.cycle_id, r.manager_id, r.plan_reason, doc.document, p.plan_id,
           CASE WHEN standing THEN coalesce(r.locked_on, today()) ELSE today() END AS planned_on
      FROM plan_document(reviews) doc
      JOIN review r USING (review_id)
      LEFT JOIN development_plan p ON p.review_id = r.review_id AND p.status <> 'withdrawn'
     WHERE p.plan_id IS NULL OR p.document <> doc.document OR standing AND p.status = 'draft'
     ORDER BY r.review_id
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT CASE WHEN standing THEN 'plan.stand'
      ELSE 'plan.draft' END, w.employee_id, 'review', w.review_id, 'setting:plan',
           jsonb_build_object('score', coalesce(r.calibrated, r.composite), 'threshold',
                              (SELECT setting_number('plan.score_threshold')), 'missed', w.document -> 'gaps')
           -- by this decision the manager's changes go into the plan
           || coalesce((SELECT jsonb_build_object('manager', jsonb_agg(c.decision_id ORDER BY c.plan_change_id))
                        FROM plan_change c
                         WHERE c.review_id = w.review_id HAVING count(*) > 0), '{}'),
           w.document
      FROM want w JOIN review r USING (review_id)
    RETURNING decision_id, cause_id
  )
  INSERT INTO development_plan AS p (employee_id, cycle_id, review_id, manager_id, kind, status, reasons, planned_on,
                                     document, decision_id)
  SELECT w.employee_id, w.cycle_id, w.review_id, w.manager_id, w.document ->> 'kind', CASE
    WHEN standing THEN 'proposed' ELSE 'draft' END,
         w.plan_reason, w.planned_on, w.document, d.decision_id
    FROM want w JOIN d ON d.cause_id = w.review_id
  ON CONFLICT (review_id) WHERE status <> 'withdrawn' DO UPDATE
     SET kind = excluded.kind, status = excluded.status, reasons = excluded.reasons, planned_on = excluded.planned_on,
         document = excluded.document,
         decision_id = excluded.decision_id, employee_confirmed_at = NULL, manager_confirmed_at = NULL;
END;
COMMENT ON FUNCTION plan_decided(bigint[], boolean) IS
  'Decision and document of the plans of these reviews that are missing, differ from what they should be, or have to '
  'stand; the first step of plan_write().';

CREATE FUNCTION plan_filled(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  DELETE FROM plan_gap g USING development_plan p
   WHERE g.plan_id = p.plan_id AND p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id;
  DELETE FROM plan_item i USING development_plan p
   WHERE i.plan_id = p.plan_id AND p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id;
  INSERT INTO plan_gap (plan_id, indicator_id, skill_id, reason, rating, required, gap)
  SELECT p.plan_id, i.indicator_id, s.skill_id, g.g ->> 'reason', (g.g ->> 'rating')::numeric,
         (g.g ->> 'required')::numeric, (g.g ->> 'gap')::numeric
    FROM development_plan p
    CROSS JOIN LATERAL jsonb_array_elements(p.document -> 'gaps') WITH ORDINALITY AS g (g, n)
    JOIN indicator i ON i.indicator_id = (g.g ->> 'id')::bigint
    LEFT JOIN skill s ON s.code = g.g ->> 'skill'
   WHERE p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id
   ORDER BY p.plan_id, g.n;
  INSERT INTO plan_item (plan_id, position, origins, kind, resource_id, title, quantity, topic, due_on)
  SELECT p.plan_id, t.n, ARRAY(SELECT jsonb_array_elements_text(t.i -> 'origins')), t.i ->> 'kind', o.resource_id,
         t.i ->> 'title',
         (t.i ->> 'quantity')::numeric, t.i ->> 'topic',
         coalesce((t.i ->> 'due_on')::date, (p.planned_on + coalesce(o.duration, '1 month'))::date)
    FROM development_plan p
    CROSS JOIN LATERAL jsonb_array_elements(p.document -> 'items') WITH ORDINALITY AS t (i, n)
    LEFT JOIN resource o ON o.code = t.i ->> 'resource'
   WHERE p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id
   ORDER BY p.plan_id, t.n;
  INSERT INTO plan_session (plan_item_id, session_on)
  SELECT i.plan_item_id, day::date
    FROM development_plan p
    JOIN plan_item i USING (plan_id)
    JOIN resource o USING (resource_id)
    CROSS JOIN LATERAL generate_series(p.planned_on + o.every, i.due_on::timestamp, o.every) AS day
   WHERE p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id AND o.every IS NOT NULL;
  -- the versions of a text go with it from the plan before
  INSERT INTO plan_item_version (plan_item_id, version, title, decision_id)
  SELECT i.plan_item_id, v.version, v.title, v.decision_id
    FROM plan_change c
    JOIN development_plan p ON p.review_id = c.review_id AND p.written_for IS DISTINCT FROM p.decision_id
      AND p.status <> 'withdrawn'
    JOIN plan_item i ON i.plan_id = p.plan_id AND plan_item_change(i.plan_item_id) = c.plan_change_id
    CROSS JOIN LATERAL (SELECT b.plan_item_id FROM development_plan q JOIN plan_item b ON b.plan_id = q.plan_id
                         WHERE q.review_id = c.review_id AND q.plan_id < p.plan_id
                           AND plan_item_change(b.plan_item_id) = c.plan_change_id
                         ORDER BY q.plan_id DESC LIMIT 1) before
    JOIN plan_item_version v ON v.plan_item_id = before.plan_item_id
   WHERE c.review_id = ANY (reviews);
END;
COMMENT ON FUNCTION plan_filled(bigint[]) IS
  'Gaps, items, sessions and versions of plans that were decided anew, from their documents; the second step of '
  'plan_write().';

CREATE FUNCTION plan_told(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- what was said of an earlier draft no longer holds
  UPDATE notification n SET withdrawn_at = now()
    FROM development_plan p
   WHERE p.review_id = ANY (reviews) AND p.written_for <> p.decision_id
     AND n.decision_id = p.written_for AND n.kind IN ('plan.draft', 'plan.draft_improvement')
       AND n.withdrawn_at IS NULL;
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT n.recipient_id, n.role, n.kind, 'plan:' || p.plan_id || CASE p.status WHEN 'draft' THEN ':' || p.decision_id
    ELSE '' END, n.args, p.decision_id
    FROM development_plan p
    JOIN employee e ON e.employee_id = p.employee_id
    JOIN review r ON r.review_id = p.review_id
    CROSS JOIN LATERAL (
      SELECT p.manager_id, 'manager', CASE p.kind WHEN 'improvement' THEN 'plan.draft_improvement'
        ELSE 'plan.draft' END, jsonb_build_object('employee', e.name, 'score', coalesce(r.calibrated, r.composite))
       WHERE p.status = 'draft' AND p.manager_id IS NOT NULL
      UNION ALL
      SELECT p.employee_id, 'employee', 'plan.updated', '{}'::jsonb WHERE p.status = 'proposed'
      UNION ALL
      SELECT p.manager_id, 'manager', 'plan.confirm', '{}'::jsonb
        WHERE p.status = 'proposed' AND p.manager_id IS NOT NULL
    ) AS n (recipient_id, role, kind, args)
   WHERE p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id
  ON CONFLICT DO NOTHING;
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'plan.no_resource', 'plan:' || p.plan_id || ':' || i.topic,
         jsonb_build_object('employee', e.name, 'gap', i.topic), p.decision_id
    FROM development_plan p
    JOIN plan_item i USING (plan_id)
    JOIN employee e ON e.employee_id = p.employee_id
   WHERE p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id
     AND p.status = 'proposed' AND i.kind = 'placeholder'
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION plan_told(bigint[]) IS
  'Notices of plans that were decided anew: to managers, employees, and HR where nothing fits a gap; the third step of '
  'plan_write().';

CREATE FUNCTION plan_write(reviews bigint[], standing boolean) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT plan_decided(reviews, standing);
  SELECT plan_filled(reviews);
  SELECT plan_told(reviews);
  UPDATE development_plan p SET written_for = p.decision_id
   WHERE p.review_id = ANY (reviews) AND p.written_for IS DISTINCT FROM p.decision_id;
END;
COMMENT ON FUNCTION plan_write(bigint[], boolean) IS
  'Make the plans of these reviews what they should be, as drafts or standing: decision, gaps, items, sessions, '
  'notices, archive. Changes nothing where nothing changed.';

-- confirmation and progress ---------------------------------------------------

CREATE FUNCTION confirm_plan(cycle text, employee text) RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT hrloop.fail('55000', format('employee %s has no plan of cycle %s to confirm', employee, cycle),
                     'Only a plan that stands can be confirmed, a draft or a withdrawn one cannot.',
                     'Lock the review first.')
   WHERE NOT EXISTS (SELECT FROM development_plan p WHERE p.review_id = (SELECT find_review(cycle, employee))
                       AND p.status NOT IN ('draft', 'withdrawn'));
  SELECT hrloop.fail('42501', format('%s cannot confirm the plan of employee %s', who(), employee), NULL,
                     'The employee and the manager confirm, each for themselves; applications call act_as() first.')
    FROM development_plan p
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
     AND (actor() IS NULL OR actor() <> p.employee_id
          AND coalesce(actor() NOT IN (p.manager_id, manager_of(p.employee_id)), true));
  UPDATE development_plan p
     SET employee_confirmed_at = CASE WHEN actor() = p.employee_id THEN coalesce(p.employee_confirmed_at, now())
       ELSE p.employee_confirmed_at END,
         manager_confirmed_at = CASE WHEN actor() IN (p.manager_id, manager_of(p.employee_id))
           THEN coalesce(p.manager_confirmed_at, now()) ELSE p.manager_confirmed_at END,
         status = CASE WHEN p.status = 'proposed'
                        AND (p.employee_confirmed_at IS NOT NULL OR actor() = p.employee_id)
                        AND (p.manager_confirmed_at IS NOT NULL OR actor() IN (p.manager_id, manager_of(p.employee_id))
                             OR p.manager_id IS NULL)
                       THEN 'effective' ELSE p.status END
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
     -- who waited here confirms what they read, not what it became meanwhile: the subquery still sees that
     AND p.decision_id = (SELECT o.decision_id FROM development_plan o WHERE o.plan_id = p.plan_id);
  SELECT hrloop.fail('55000', format('the plan of employee %s in cycle %s was changed meanwhile', employee, cycle),
                     NULL, 'Read it, then confirm it.')
   WHERE NOT EXISTS (SELECT FROM development_plan p
                      WHERE p.review_id = (SELECT find_review(cycle, employee))
                        AND p.status NOT IN ('draft', 'withdrawn')
                        AND CASE WHEN actor() = p.employee_id THEN p.employee_confirmed_at
                          ELSE p.manager_confirmed_at END IS NOT NULL);
  -- everything may be done before the second confirmation
  UPDATE development_plan p SET status = 'completed'
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status = 'effective'
     AND NOT EXISTS (SELECT FROM plan_item i WHERE i.plan_id = p.plan_id AND i.progress < 100);
  SELECT p.status FROM development_plan p
    WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn');
END;
COMMENT ON FUNCTION confirm_plan(text, text) IS
  'Confirm a plan as its employee or manager, the one of the review or today''s (act_as); effective when both have, in '
  'any order, or completed if everything is done (DEV-07). Returns the status. Errors: 42501 somebody else, 55000 '
  'nothing to confirm, or changed meanwhile.';

CREATE FUNCTION hold_plans(reviews bigint[]) RETURNS SETOF bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.plan_id FROM development_plan p WHERE p.review_id = ANY (reviews) AND p.status <> 'withdrawn'
   ORDER BY p.plan_id FOR NO KEY UPDATE;
END;
COMMENT ON FUNCTION hold_plans(bigint[]) IS
  'Until the transaction ends, the plans of these reviews do not change: for a verb that is about their items. Returns '
  'their keys, without those that were made anew while this waited.';

CREATE FUNCTION record_progress(cycle text, employee text, item integer, progress numeric, reason text DEFAULT NULL)
  RETURNS numeric VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT unknown_code('plan item', item::text)
   WHERE NOT EXISTS (SELECT FROM development_plan p JOIN plan_item i USING (plan_id)
                      WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn'
                        AND i.position = item);
  -- the plan before its item: who removes that one has the plan
  SELECT hrloop.fail('55000', format('the plan of employee %s in cycle %s was made anew meanwhile', employee, cycle),
                     NULL,
                     'Read it, then record what is done.')
   WHERE NOT EXISTS (SELECT FROM hold_plans(ARRAY[(SELECT find_review(cycle, employee))]));
  -- said at once, as scores that come in rewrite a draft
  SELECT hrloop.fail('55000', format('the plan of item "%s" is %s', i.title, p.status), NULL,
                     'Progress is recorded on plans that stand.', 'plan_progress', 'plan_item_id',
                     'plan_progress_standing')
    FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status = 'draft' AND i.position = item;
  INSERT INTO plan_progress (plan_item_id, progress, reason)
  SELECT i.plan_item_id, record_progress.progress, record_progress.reason
    FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn' AND i.position = item;
  SELECT round(avg(i.progress), 2) FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn';
END;
COMMENT ON FUNCTION record_progress(text, text, integer, numeric, text) IS
  'Report progress of the n-th item of a plan, 0-100; going back needs a reason. Returns the plan''s progress. '
  'Errors: 22023 no such item, 23514 range or no reason, 55000 a draft, or made anew meanwhile, 42501 unseen.';

-- mentor sessions that took place (NOT-03) ------------------------------------

CREATE FUNCTION record_session(cycle text, employee text, session_on date, note text DEFAULT NULL,
                               held_on date DEFAULT NULL,
                               item integer DEFAULT NULL,
                               held boolean DEFAULT true) RETURNS date VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT hrloop.fail('55000', format('employee %s has no plan of cycle %s that stands', employee, cycle), NULL,
                     'Lock the review first.')
   WHERE NOT EXISTS (SELECT FROM development_plan p
                     WHERE p.review_id = (SELECT find_review(cycle, employee))
                       AND p.status NOT IN ('draft', 'withdrawn'));
  SELECT hrloop.fail('42501', format('%s cannot record the sessions of employee %s', who(), employee), NULL,
                     'The employee, the manager or HR does.')
    FROM development_plan p
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
     AND actor() IS NOT NULL AND NOT holds_role('hr', actor())
     AND coalesce(actor() NOT IN (p.employee_id, p.manager_id, manager_of(p.employee_id)), true);
  SELECT hrloop.fail('22023', format('the plan of employee %s in cycle %s has %s session on %s', employee, cycle,
                                     CASE WHEN s.n = 0 THEN 'no'
                                       ELSE 'more than one' END, coalesce(record_session.session_on::text, 'null')),
                                       NULL,
                     CASE WHEN s.n = 0 THEN 'See plan_session for the days.' ELSE 'Name the item, too.' END)
    FROM (SELECT count(*) AS n FROM development_plan p JOIN plan_item i USING (plan_id)
          JOIN plan_session s USING (plan_item_id)
           WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
             AND s.session_on = record_session.session_on AND i.position = coalesce(record_session.item, i.position)) s
   WHERE s.n <> 1;
  SELECT hrloop.fail('23502', 'a session is not recorded without a note', NULL, 'Say what was talked about.',
                     'plan_session', 'note', 'plan_session_held')
   WHERE record_session.held IS NOT FALSE AND hrloop.meaningful_chars(coalesce(record_session.note, '')) = 0;
  SELECT hrloop.fail('23514', format('the session of %s cannot have been held on %s', record_session.session_on,
                                     day.held_on),
                     format('The plan is of %s.', p.planned_on),
                     'Give held_on the day on which it really was; not one in the future.', 'plan_session', 'held_on')
    FROM development_plan p CROSS JOIN LATERAL (SELECT coalesce(record_session.held_on,
                                                                record_session.session_on) AS held_on) day
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
     AND record_session.held IS NOT FALSE
     AND (day.held_on < p.planned_on OR day.held_on > today());
  UPDATE plan_session s
     SET held_on = CASE WHEN record_session.held IS NOT FALSE THEN coalesce(record_session.held_on, s.session_on) END,
         note = CASE WHEN record_session.held IS NOT FALSE THEN record_session.note END,
         recorded_by = CASE WHEN record_session.held IS NOT FALSE THEN who() END
    FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
     AND s.plan_item_id = i.plan_item_id AND s.session_on = record_session.session_on
       AND i.position = coalesce(record_session.item, i.position)
  RETURNING s.held_on;
END;
COMMENT ON FUNCTION record_session(text, text, date, text, date, integer, boolean) IS
  'Record that the mentor session planned for a day was held, with a note; held_on when it was on another day. Again: '
  'the later record counts; held => false takes it back. Name the item when two have a session on that day. Returns '
  'the day on which it was held. Errors: 23502 no note, 23514 held before the plan or in the future, 42501 neither '
  'employee, manager nor HR, 55000 no plan that stands, 22023 no such session (NOT-03).';

-- needs improvement: HR talks with the employee (REV-14) ----------------------

CREATE FUNCTION close_talk(cycle text, employee text, record text, talked_on date DEFAULT today()) RETURNS text
  VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot close the talk with employee %s', who(), employee), NULL,
                     'HR does; not about oneself.')
   WHERE actor() IS NOT NULL AND (NOT holds_role('hr', actor()) OR actor() = (SELECT find_employee(employee)));
  SELECT hrloop.fail('55000', format('no talk with employee %s about cycle %s is open', employee, cycle))
   WHERE NOT EXISTS (SELECT FROM hr_task t
                     WHERE t.source_id = (SELECT find_review(cycle, employee)) AND t.source_table = 'review'
                       AND t.kind = 'talk' AND t.status = 'open');
  SELECT hrloop.fail('23502', 'a talk is not done without a record and a day', NULL,
                     'Write down what was said and agreed.', 'hr_task', 'record', 'hr_task_record')
   WHERE hrloop.meaningful_chars(coalesce(record, '')) = 0 OR talked_on IS NULL;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'task.done', t.employee_id, 'hr_task', t.hr_task_id, jsonb_build_object('talked_on', close_talk.talked_on),
           '{"status": "done"}', close_talk.record
      FROM hr_task t WHERE t.source_id = (SELECT find_review(cycle, employee)) AND t.source_table = 'review'
        AND t.kind = 'talk' AND t.status = 'open'
    RETURNING decision_id, cause_id)
  UPDATE hr_task t SET status = 'done', record = close_talk.record, done_on = close_talk.talked_on,
  closed_by = d.decision_id
    FROM d WHERE t.hr_task_id = d.cause_id RETURNING t.status;
END;
COMMENT ON FUNCTION close_talk(text, text, text, date) IS
  'HR has talked with the employee: record and day close the task, a decision keeps them. Errors: 23502 no record, '
  '42501 not HR, 55000 nothing open, 22023 unknown (REV-14).';

-- a goal is changed after the review (REV-11) ---------------------------------

CREATE FUNCTION plan_to_change(cycle text, employee text) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('55000', format('employee %s has no plan of cycle %s that stands', employee, cycle), NULL,
                     'Lock the review first.')
   WHERE NOT EXISTS (SELECT FROM development_plan p
                     WHERE p.review_id = (SELECT find_review(cycle, employee))
                       AND p.status NOT IN ('draft', 'withdrawn'));
  SELECT hrloop.fail('42501', format('%s cannot change the plan of employee %s', who(), employee), NULL,
                     'The manager does; applications call act_as() first.')
    FROM development_plan p
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
     AND (actor() IS NULL OR coalesce(actor() NOT IN (p.manager_id, manager_of(p.employee_id)), true));
  SELECT coalesce((SELECT p.plan_id FROM development_plan p
                    WHERE p.review_id = (SELECT find_review(cycle, employee))
                      AND p.status NOT IN ('draft', 'withdrawn') FOR NO KEY UPDATE),
                  hrloop.fail('55000', format('the plan of employee %s in cycle %s was made anew meanwhile', employee,
                                              cycle), NULL, 'Read it, then change it.')::int::bigint);
END;
COMMENT ON FUNCTION plan_to_change(text, text) IS
  'Plan that stands, locked for a change by its manager. Errors: 42501 not the manager, 55000 no plan that stands, or '
  'made anew meanwhile; 22023 unknown.';

CREATE FUNCTION update_plan_item(cycle text, employee text, item integer, title text, reason text DEFAULT NULL)
  RETURNS integer VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT hrloop.fail('23502', 'a plan item needs a text', NULL, 'Say what is to be done.', 'plan_item', 'title')
   WHERE hrloop.meaningful_chars(coalesce(update_plan_item.title, '')) = 0;
  SELECT plan_to_change(cycle, employee);
  SELECT unknown_code('plan item', coalesce(item::text, 'null'))
   WHERE NOT EXISTS (SELECT FROM development_plan p JOIN plan_item i USING (plan_id)
                      WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn'
                        AND i.position = item);
  WITH old AS (
    SELECT p.plan_id, p.employee_id, i.plan_item_id, i.title AS was, p.decision_id AS made_by,
           jsonb_set(p.document, ARRAY['items', (i.position - 1)::text, 'title'], to_jsonb(update_plan_item.title))
             AS document,
           (SELECT max(v.version) FROM plan_item_version v WHERE v.plan_item_id = i.plan_item_id) AS version,
           k.*, plan_item_change(i.plan_item_id) AS plan_change_id
      FROM development_plan p JOIN plan_item i USING (plan_id) CROSS JOIN LATERAL plan_item_key(i.plan_item_id) k
     WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
       AND i.position = item
       AND i.title <> update_plan_item.title
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'plan.item', o.employee_id, 'plan_item', o.plan_item_id,
           jsonb_build_object('old', o.was, 'new', update_plan_item.title, 'version', coalesce(o.version, 1) + 1),
           o.document, update_plan_item.reason FROM old o
    RETURNING decision_id
  ), first AS (
    INSERT INTO plan_item_version (plan_item_id, version, title, decision_id)
    SELECT o.plan_item_id, v.version, v.title, v.decision_id
      FROM old o CROSS JOIN d
      CROSS JOIN LATERAL (VALUES (1, o.was, o.made_by, o.version IS NULL),
                          (coalesce(o.version, 1) + 1, update_plan_item.title, d.decision_id, true))
                            AS v (version, title, decision_id, due)
     WHERE v.due
  ), again AS (
    UPDATE plan_change c SET title = update_plan_item.title, decision_id = d.decision_id FROM old o CROSS JOIN d
      WHERE c.plan_change_id = o.plan_change_id
  ), kept AS (
    INSERT INTO plan_change (review_id, resource_id, indicator_id, own, title, decision_id)
    SELECT o.review_id, o.resource_id, o.indicator_id, o.own, update_plan_item.title, d.decision_id FROM old o
      CROSS JOIN d WHERE o.plan_change_id IS NULL
  ), changed AS (
    UPDATE plan_item i SET title = update_plan_item.title FROM old o WHERE i.plan_item_id = o.plan_item_id
  ), plan AS (
    -- the employee confirms anew, the manager has just said so
    UPDATE development_plan p
       SET document = o.document, decision_id = d.decision_id, written_for = d.decision_id, status = 'proposed',
           employee_confirmed_at = NULL, manager_confirmed_at = now()
      FROM old o CROSS JOIN d WHERE p.plan_id = o.plan_id
  ), archive AS (
    INSERT INTO growth_archive (employee_id, occurred_on, kind, title, source_table, source_id, decision_id)
    SELECT o.employee_id, today(), 'plan', o.was || ' → ' || update_plan_item.title, 'decision', d.decision_id,
           d.decision_id FROM old o CROSS JOIN d
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT o.employee_id, 'employee', 'plan.item', 'decision:' || d.decision_id,
         jsonb_build_object('old', o.was, 'new', update_plan_item.title), d.decision_id
    FROM old o CROSS JOIN d;
  SELECT coalesce((SELECT max(v.version) FROM plan_item_version v WHERE v.plan_item_id = i.plan_item_id), 1)
    FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn' AND i.position = item;
END;
COMMENT ON FUNCTION update_plan_item(text, text, integer, text, text) IS
  'The manager changes the text of the n-th item of a plan that stands: versions and an archive line are kept, the '
  'employee is told and confirms anew. Returns the version; the same text again changes nothing. Errors: 42501 not the '
  'manager, 55000 no plan that stands, 23502 no text, 22023 no such item (REV-11).';

CREATE FUNCTION plan_item_asked(cycle text, employee text, title text, kind text, resource text, due_on date,
                                on_date date) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('23502', 'a plan item needs a text', NULL, 'Say what is to be done, or name a resource.',
                     'plan_item', 'title')
   WHERE CASE WHEN plan_item_asked.title IS NULL THEN resource IS NULL
     ELSE hrloop.meaningful_chars(plan_item_asked.title) = 0 END;
  SELECT unknown_code('kind of plan item', plan_item_asked.kind)
    WHERE plan_item_asked.kind NOT IN ('course', 'project', 'mentor');
  SELECT hrloop.fail('22023', format('resource "%s" is %s', o.code, CASE
                                     WHEN o.active THEN 'a ' || o.kind || ', not a ' || plan_item_asked.kind
                                       ELSE 'not active' END), NULL,
                     'Leave the kind out, or take another resource.')
    FROM resource o WHERE o.resource_id = (SELECT find_resource(resource))
      AND (NOT o.active OR o.kind <> plan_item_asked.kind);
  SELECT plan_to_change(cycle, employee);
  SELECT hrloop.fail('23505', format('the plan of employee %s in cycle %s has the item "%s" already', employee, cycle,
                                     i.title),
                     format('It is item %s.', i.position), 'Change it with update_plan_item().', 'plan_item', 'title',
                     'plan_item_twice')
    FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn'
     AND (i.resource_id = (SELECT find_resource(resource)) OR i.title = plan_item_asked.title);
  SELECT hrloop.fail('23514', format('a plan item of %s is due on %s, before it begins', employee, due_on),
                     format('It begins on %s.', coalesce(on_date::text, 'null')), NULL,
                     'plan_item', 'due_on')
   WHERE on_date IS NULL OR NOT isfinite(on_date) OR due_on < on_date OR NOT isfinite(due_on);
  SELECT p.plan_id FROM development_plan p
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn');
END;
COMMENT ON FUNCTION plan_item_asked(text, text, text, text, text, date, date) IS
  'First step of add_plan_item(): the plan, locked, if the manager may add this item to it; else its errors.';

CREATE FUNCTION add_plan_item(cycle text, employee text, title text DEFAULT NULL, kind text DEFAULT NULL,
                              resource text DEFAULT NULL,
                              due_on date DEFAULT NULL, reason text DEFAULT NULL,
                              on_date date DEFAULT today()) RETURNS integer VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT plan_item_asked(cycle, employee, title, kind, resource, due_on, on_date);
  -- what was removed before comes back as what it is now
  DELETE FROM plan_change c WHERE c.review_id = (SELECT find_review(cycle, employee)) AND c.removed
    AND c.resource_id = (SELECT find_resource(resource));
  WITH new AS (
    SELECT p.plan_id, p.employee_id, p.review_id, p.document, o.resource_id, o.every, o.quantity, o.topic,
           coalesce(o.kind, add_plan_item.kind, 'project') AS kind, coalesce(add_plan_item.title, o.name) AS title,
           coalesce(add_plan_item.due_on, (add_plan_item.on_date + coalesce(o.duration, '1 month'))::date) AS due_on,
           CASE WHEN o.resource_id IS NULL
                THEN 1 + (SELECT coalesce(max(c.own), 0) FROM plan_change c WHERE c.review_id = p.review_id) END AS own,
           1 + (SELECT max(i.position) FROM plan_item i WHERE i.plan_id = p.plan_id) AS position
      FROM development_plan p LEFT JOIN resource o ON o.resource_id = (SELECT find_resource(add_plan_item.resource))
     WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'plan.item_added', n.employee_id, 'development_plan', n.plan_id,
           jsonb_build_object('new', n.title, 'due', n.due_on, 'item', n.position),
           jsonb_set(n.document, '{items}',
                     (n.document -> 'items') || plan_added_item(n.kind, n.resource_id, n.title, n.due_on, n.own)),
                     add_plan_item.reason
      FROM new n
    RETURNING decision_id, outcome
  ), kept AS (
    INSERT INTO plan_change (review_id, resource_id, own, added, kind, title, due_on, decision_id)
    SELECT n.review_id, n.resource_id, n.own, true, n.kind, n.title, n.due_on, d.decision_id FROM new n CROSS JOIN d
  ), i AS (
    INSERT INTO plan_item (plan_id, position, origins, kind, resource_id, title, quantity, topic, due_on)
    SELECT n.plan_id, n.position, '{manager}', n.kind, n.resource_id, n.title, n.quantity, n.topic, n.due_on FROM new n
    RETURNING plan_item_id
  ), s AS (
    INSERT INTO plan_session (plan_item_id, session_on)
    SELECT i.plan_item_id, day::date FROM new n CROSS JOIN i
      CROSS JOIN LATERAL generate_series(add_plan_item.on_date + n.every, n.due_on::timestamp, n.every) AS day
     WHERE n.every IS NOT NULL
  ), v AS (
    INSERT INTO plan_item_version (plan_item_id, version, title, decision_id)
    SELECT i.plan_item_id, 1, n.title, d.decision_id FROM new n CROSS JOIN i CROSS JOIN d
  ), plan AS (
    -- the employee confirms anew, the manager has just said so
    UPDATE development_plan p
       SET document = d.outcome, decision_id = d.decision_id, written_for = d.decision_id, status = 'proposed',
           employee_confirmed_at = NULL, manager_confirmed_at = now()
      FROM new n CROSS JOIN d WHERE p.plan_id = n.plan_id
  ), archive AS (
    INSERT INTO growth_archive (employee_id, occurred_on, kind, title, source_table, source_id, decision_id)
    SELECT n.employee_id, add_plan_item.on_date, 'plan', '新增:' || n.title, 'decision', d.decision_id, d.decision_id
      FROM new n CROSS JOIN d
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT n.employee_id, 'employee', 'plan.item_added', 'decision:' || d.decision_id,
         jsonb_build_object('new', n.title, 'due', n.due_on), d.decision_id
    FROM new n CROSS JOIN d;
  SELECT max(i.position) FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn';
END;
COMMENT ON FUNCTION add_plan_item(text, text, text, text, text, date, text, date) IS
  'The manager adds an item to a plan that stands, in own words (kind: course, project, which is the default, or '
  'mentor) or by a resource; without due_on it is due when its resource says, else in a month. Version 1 and an '
  'archive line are kept, the employee is told and confirms anew; plans of later locks have it too. Returns its '
  'number; remove_plan_item() takes it out. Errors: 42501 not the manager, 55000 no plan that stands, 23502 no text, '
  '23505 there already, 23514 due before it begins, 22023 unknown kind or resource (REV-11).';

CREATE FUNCTION remove_plan_item(cycle text, employee text, item integer, reason text) RETURNS bigint VOLATILE
  SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT hrloop.fail('23502', 'removing a plan item needs a reason', NULL, 'Say why it is not to be done.', 'decision',
                     'reason')
   WHERE hrloop.meaningful_chars(coalesce(remove_plan_item.reason, '')) = 0;
  SELECT plan_to_change(cycle, employee);
  SELECT unknown_code('plan item', coalesce(item::text, 'null'))
   WHERE NOT EXISTS (SELECT FROM development_plan p JOIN plan_item i USING (plan_id)
                      WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn'
                        AND i.position = item);
  SELECT hrloop.fail('55000', format('item "%s" in the plan of employee %s cannot be removed', i.title, employee),
                     CASE WHEN rest.n = 0 THEN 'It is the only one.' ELSE 'Work on it was recorded.' END,
                     CASE WHEN rest.n = 0 THEN 'Add another one first.'
                       ELSE 'Change its text with update_plan_item().' END, 'plan_item', 'plan_item_id',
                       'plan_item_kept')
    FROM development_plan p JOIN plan_item i USING (plan_id)
    CROSS JOIN LATERAL (SELECT count(*) AS n FROM plan_item x
                        WHERE x.plan_id = p.plan_id AND x.plan_item_id <> i.plan_item_id) rest
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn' AND i.position = item
     AND (rest.n = 0 OR EXISTS (SELECT FROM plan_progress g WHERE g.plan_item_id = i.plan_item_id)
          OR EXISTS (SELECT FROM plan_session s WHERE s.plan_item_id = i.plan_item_id AND s.held_on IS NOT NULL));
  WITH old AS (
    SELECT p.plan_id, p.employee_id, i.plan_item_id, i.title,
           p.document #- ARRAY['items', (item - 1)::text] AS document,
           k.*, plan_item_change(i.plan_item_id) AS plan_change_id
      FROM development_plan p JOIN plan_item i USING (plan_id) CROSS JOIN LATERAL plan_item_key(i.plan_item_id) k
     WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status NOT IN ('draft', 'withdrawn')
       AND i.position = item
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'plan.item_removed', o.employee_id, 'development_plan', o.plan_id,
           jsonb_build_object('old', o.title, 'item', item), o.document, remove_plan_item.reason
      FROM old o
    RETURNING decision_id
  ), again AS (
    UPDATE plan_change c SET removed = true, decision_id = d.decision_id FROM old o CROSS JOIN d
      WHERE c.plan_change_id = o.plan_change_id
  ), kept AS (
    INSERT INTO plan_change (review_id, resource_id, indicator_id, own, removed, decision_id)
    SELECT o.review_id, o.resource_id, o.indicator_id, o.own, true, d.decision_id FROM old o CROSS JOIN d
      WHERE o.plan_change_id IS NULL
  ), gone AS (
    DELETE FROM plan_item i USING old o WHERE i.plan_item_id = o.plan_item_id
  ), plan AS (
    UPDATE development_plan p
       SET document = o.document, decision_id = d.decision_id, written_for = d.decision_id, status = 'proposed',
           employee_confirmed_at = NULL, manager_confirmed_at = now()
      FROM old o CROSS JOIN d WHERE p.plan_id = o.plan_id
  ), archive AS (
    INSERT INTO growth_archive (employee_id, occurred_on, kind, title, source_table, source_id, decision_id)
    SELECT o.employee_id, today(), 'plan', '取消:' || o.title, 'decision', d.decision_id, d.decision_id FROM old o
      CROSS JOIN d
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT o.employee_id, 'employee', 'plan.item_removed', 'decision:' || d.decision_id,
         jsonb_build_object('old', o.title, 'reason', remove_plan_item.reason), d.decision_id
    FROM old o CROSS JOIN d;
  -- those behind it move up, in two steps: no two may have the same number in between
  UPDATE plan_item i SET position = -i.position
    FROM development_plan p WHERE p.plan_id = i.plan_id AND p.review_id = (SELECT find_review(cycle, employee))
      AND p.status <> 'withdrawn' AND i.position > item;
  UPDATE plan_item i SET position = -i.position - 1
    FROM development_plan p WHERE p.plan_id = i.plan_id AND p.review_id = (SELECT find_review(cycle, employee))
      AND p.status <> 'withdrawn' AND i.position < 0;
  SELECT count(*) FROM development_plan p JOIN plan_item i USING (plan_id)
   WHERE p.review_id = (SELECT find_review(cycle, employee)) AND p.status <> 'withdrawn';
END;
COMMENT ON FUNCTION remove_plan_item(text, text, integer, text) IS
  'The manager takes the n-th item out of a plan that stands, with a reason; those behind it move up, the employee is '
  'told and confirms anew; plans of later locks do not have it either. Returns how many are left. Errors: 42501 not '
  'the manager, 55000 no plan that stands, work was recorded, or the only item; 23502 no reason, 22023 no such item '
  '(REV-11).';
