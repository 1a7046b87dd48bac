-- segment: transfers within a cycle, several assignments, short service and leave.

-- code ------------------------------------------------------------------------

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('review.segment',   'result', 'Who rates which part of a cycle, after a transfer'),
  ('target.prorate',   'person', 'A target is cut to the days that were worked'),
  ('review.not_rated', 'result', 'A review is left out for a service that is too short'),
  ('review.rated',     'result', 'It is not: the days of service changed'),
  ('review.exempt',    'result', 'Somebody leaves a review out, and why'),
  ('review.rate',      'result', 'Somebody takes it in again, and why');

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('review.segment_min_days', 'integer', '1',
   'Days that an assignment must have in a cycle to be rated as a segment of its own'),
  ('review.min_service_days', 'integer', NULL,
   'Days that somebody must have worked in a cycle to be rated (say 90); fewer: not_rated; null: no minimum'),
  ('review.prorate_targets',  'text', 'protected',
   'Summed targets, of everybody and one''s own, shrink with the days that somebody was away: protected (protected '
   'leave), all (and days before the first or after the last); null: never. See indicator_fact')
) AS d (s, k, v, c);
UPDATE setting SET least = 1, needed = true WHERE setting = 'review.segment_min_days';
UPDATE setting SET least = 1 WHERE setting = 'review.min_service_days';
UPDATE setting SET choices = '{protected,all}' WHERE setting = 'review.prorate_targets';

CREATE FUNCTION worked_days(employee bigint, period daterange) RETURNS integer STABLE LANGUAGE SQL
  RETURN (SELECT coalesce(sum(upper(s.valid * period) - lower(s.valid * period)), 0)::integer FROM employee_status s
           WHERE s.employee_id = employee AND s.status IN ('probation', 'active') AND s.valid && period);
COMMENT ON FUNCTION worked_days(bigint, daterange) IS
  'Days of a bounded period on which somebody is employed and not on leave.';

-- segments ---------------------------------------------------------------------

CREATE FUNCTION wanted_segment(reviews bigint[], min_days numeric)
  RETURNS TABLE (review_id bigint, segment_no integer, template_id bigint, manager_id bigint, org_unit_id bigint,
                 job_id bigint,
                 fte numeric, days integer, from_date date, until_date date) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH span AS (
    SELECT r.review_id, r.cycle_id, r.employee_id, a.org_unit_id, a.job_id, a.fte, a.manager_id, a.is_primary,
           a.valid * c.period AS valid, worked_days(r.employee_id, a.valid * c.period) AS days
      FROM review r
      JOIN review_cycle c USING (cycle_id)
      -- review by review, by OFFSET 0: the planner takes few of all assignments to overlap, and would begin with these
     CROSS JOIN LATERAL (SELECT x.* FROM assignment x
                         WHERE x.employee_id = r.employee_id AND x.valid && c.period OFFSET 0) a
     WHERE r.review_id = ANY (reviews)
       AND EXISTS (SELECT FROM assignment o
                   WHERE o.employee_id = r.employee_id AND o.valid && c.period
                     AND o.assignment_id <> a.assignment_id OFFSET 0)
  ), part AS (
    SELECT s.review_id, t.template_id, CASE WHEN s.is_primary THEN manager_of(s.employee_id, upper(s.valid) - 1)
      ELSE s.manager_id END AS manager_id,
           s.org_unit_id, s.job_id, s.fte, s.days, lower(s.valid) AS from_date, upper(s.valid) - 1 AS until_date
      FROM span s
      CROSS JOIN LATERAL template_for(s.cycle_id, s.org_unit_id, s.job_id) t
     WHERE s.days >= min_days
  ), whole AS (
    SELECT p.review_id, p.template_id, p.manager_id, p.org_unit_id, p.job_id, p.fte, sum(p.days)::integer AS days,
           min(p.from_date) AS from_date, max(p.until_date) AS until_date
      FROM part p GROUP BY p.review_id, p.template_id, p.manager_id, p.org_unit_id, p.job_id, p.fte
  )
  SELECT w.review_id, (row_number() OVER (PARTITION BY w.review_id
                                          ORDER BY w.from_date, w.until_date, w.org_unit_id, w.job_id, w.fte,
                                                   w.manager_id))::integer,
         w.template_id, w.manager_id, w.org_unit_id, w.job_id, w.fte, w.days, w.from_date, w.until_date
    FROM whole w
   -- one manager and one template throughout: nothing to divide
   WHERE EXISTS (SELECT FROM whole o WHERE o.review_id = w.review_id
                 AND (o.template_id, o.manager_id) IS DISTINCT FROM (w.template_id, w.manager_id));
END;
COMMENT ON FUNCTION wanted_segment(bigint[], numeric) IS
  'Segments that reviews should have by assignments of so many days, status and templates as they are now; none for '
  'reviews of one manager and one template.';

CREATE FUNCTION segments_set(reviews bigint[], decisions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- composites and live scores follow: the people first, then their plans
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r WHERE r.review_id = ANY (reviews)));
  DELETE FROM review_segment g WHERE g.review_id = ANY (reviews);
  INSERT INTO review_segment (review_id, segment_no, template_id, manager_id, org_unit_id, job_id, fte, days, load,
                              from_date, until_date, decision_id)
  SELECT d.cause_id, s.n, (s.part ->> 'template')::bigint, (s.part ->> 'manager')::bigint, (s.part ->> 'unit')::bigint,
         (s.part ->> 'job')::bigint,
         (s.part ->> 'fte')::numeric, (s.part ->> 'days')::integer,
         (s.part ->> 'days')::integer * (s.part ->> 'fte')::numeric,
         (s.part ->> 'from')::date, (s.part ->> 'until')::date, d.decision_id
    FROM decision d CROSS JOIN LATERAL jsonb_array_elements(d.outcome -> 'segments') WITH ORDINALITY AS s (part, n)
   WHERE d.decision_id = ANY (decisions) ORDER BY d.decision_id, s.n;
  UPDATE review r SET segmented = EXISTS (SELECT FROM review_segment g WHERE g.review_id = r.review_id)
    WHERE r.review_id = ANY (reviews);
  SELECT hrloop.recompute('book'::regclass,
                          ARRAY(SELECT r.review_id FROM review r
                                WHERE r.review_id = ANY (reviews) AND r.status = 'open'));
  SELECT hrloop.run('book'::regclass, 'live_followed', reviews);
END;
COMMENT ON FUNCTION segments_set(bigint[], bigint[]) IS
  'Write the segments that decisions name, and the composites and live scores that follow.';

CREATE FUNCTION segments_follow(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(*) FROM (SELECT FROM review r WHERE r.review_id = ANY (reviews)
                        ORDER BY r.review_id FOR NO KEY UPDATE) l;
  WITH want AS (
    SELECT w.* FROM wanted_segment(ARRAY(SELECT r.review_id FROM review r
                                         WHERE r.review_id = ANY (reviews)
                                           AND r.status <> 'locked'),
                                           (SELECT setting_number('review.segment_min_days'))) w
  ), listed AS (
    SELECT r.review_id, r.employee_id,
           (SELECT jsonb_agg(jsonb_build_array(w.template_id, w.manager_id, w.org_unit_id, w.job_id, trim_scale(w.fte),
                                               w.days, w.from_date, w.until_date) ORDER BY w.segment_no)
              FROM want w WHERE w.review_id = r.review_id) AS new,
           (SELECT jsonb_agg(jsonb_build_array(g.template_id, g.manager_id, g.org_unit_id, g.job_id, trim_scale(g.fte),
                                               g.days, g.from_date, g.until_date) ORDER BY g.segment_no)
              FROM review_segment g WHERE g.review_id = r.review_id) AS old
      FROM review r WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'review.segment', l.employee_id, 'review', l.review_id, 'setting:review.segment_min_days',
           jsonb_build_object('segments', coalesce(l.old, '[]')),
           jsonb_build_object('segments',
                              coalesce((SELECT jsonb_agg(jsonb_build_object('template', w.template_id, 'manager',
                                                                            w.manager_id, 'unit', w.org_unit_id,
             'job', w.job_id, 'fte', w.fte, 'days', w.days, 'from', w.from_date, 'until', w.until_date)
               ORDER BY w.segment_no)
             FROM want w WHERE w.review_id = l.review_id), '[]'))
      FROM listed l WHERE l.new IS DISTINCT FROM l.old ORDER BY l.review_id
    RETURNING cause_id AS review_id, decision_id, outcome
  )
  SELECT segments_set(array_agg(d.review_id ORDER BY d.review_id), array_agg(d.decision_id ORDER BY d.review_id))
    FROM d HAVING count(*) > 0;
END;
COMMENT ON FUNCTION segments_follow(bigint[]) IS
  'Consequences of assignments and status on reviews that are not locked: their segments, with a decision where they '
  'change.';

-- service and targets ------------------------------------------------------------

CREATE FUNCTION targets_follow(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH absence AS (
    SELECT r.review_id, r.cycle_id, r.employee_id, upper(c.period) - lower(c.period) AS days,
           (SELECT coalesce(sum(upper(s.valid * c.period) - lower(s.valid * c.period)), 0) FROM employee_status s
             WHERE s.employee_id = r.employee_id AND s.valid && c.period
               AND (s.protected OR (SELECT setting_text('review.prorate_targets')) = 'all' AND s.status = 'left'))
           + CASE WHEN (SELECT setting_text('review.prorate_targets')) = 'all'
                  THEN GREATEST((SELECT min(lower(s.valid)) FROM employee_status s
                                 WHERE s.employee_id = r.employee_id) - lower(c.period), 0) ELSE 0 END AS gone
      FROM review r JOIN review_cycle c USING (cycle_id)
     WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'
       AND (SELECT setting_text('review.prorate_targets')) IS NOT NULL
  ), away AS MATERIALIZED (
    SELECT a.* FROM absence a
     WHERE a.gone > 0 OR EXISTS (SELECT FROM target t
                                 WHERE t.cycle_id = a.cycle_id AND t.employee_id = a.employee_id
                                   AND t.decision_id IS NOT NULL)
  ), want AS (
    SELECT a.review_id, a.cycle_id, a.employee_id, i.indicator_id, a.days, a.gone, t.target_id, t.decision_id,
           t.facts AS old, set_by.facts AS given,
           (SELECT jsonb_object_agg(f.key, CASE WHEN coalesce(d.summed, n.aggregation = 'sum') THEN
                     to_jsonb(trim_scale(round((f.value #>> '{}')::numeric * (a.days - a.gone) / a.days, 4)))
                     ELSE f.value END)
              FROM jsonb_each(i.facts || coalesce(set_by.facts, '{}')) f
              JOIN indicator_fact d ON d.indicator_id = i.indicator_id AND d.fact = f.key
             WHERE coalesce(d.summed, n.aggregation = 'sum') OR set_by.facts ? f.key
            HAVING bool_or(coalesce(d.summed, n.aggregation = 'sum'))) AS facts
      FROM away a
      JOIN review_standard s USING (review_id)
      JOIN template_item i ON i.template_item_id = s.template_item_id
      JOIN indicator n ON n.indicator_id = i.indicator_id AND n.kind = 'quantitative'
      LEFT JOIN target t ON t.cycle_id = a.cycle_id AND t.employee_id = a.employee_id
        AND t.indicator_id = i.indicator_id
      CROSS JOIN LATERAL (SELECT CASE WHEN t.decision_id IS NULL THEN t.facts ELSE t.given END AS facts) set_by
     WHERE a.gone < a.days
  ), changed AS (
    SELECT w.* FROM want w WHERE w.facts IS NOT NULL AND w.facts IS DISTINCT FROM w.old
      AND (w.gone > 0 OR w.decision_id IS NOT NULL)
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, inputs, outcome)
    SELECT 'target.prorate', c.employee_id, 'review', c.review_id, 'setting:review.prorate_targets', c.indicator_id,
           jsonb_build_object('days', c.days, 'away', c.gone), c.facts
      FROM changed c ORDER BY c.review_id, c.indicator_id
    RETURNING decision_id, cause_id, rule_id
  )
  INSERT INTO target (cycle_id, employee_id, indicator_id, facts, decision_id, given)
  SELECT c.cycle_id, c.employee_id, c.indicator_id, c.facts, d.decision_id, c.given
    FROM changed c JOIN d ON d.cause_id = c.review_id AND d.rule_id = c.indicator_id
   ORDER BY c.review_id, c.indicator_id
  ON CONFLICT (cycle_id, employee_id, indicator_id) DO UPDATE
    SET facts = excluded.facts, decision_id = excluded.decision_id, given = excluded.given;
  -- facts that were scored meet the new target
  UPDATE score s SET facts = s.facts
   WHERE s.score_id IN (SELECT f.score_id FROM free_facts(reviews) f)
     -- score by score, by OFFSET 0: in a join the planner would begin with all reviews
     AND EXISTS (SELECT FROM review r
                   JOIN target t ON t.cycle_id = r.cycle_id AND t.employee_id = r.employee_id
                     AND t.indicator_id = s.indicator_id
                   JOIN decision d ON d.decision_id = t.decision_id AND hrloop.of_this_transaction(d.xmin, d.decided_at)
                  WHERE r.review_id = s.review_id AND r.status = 'open' OFFSET 0);
END;
COMMENT ON FUNCTION targets_follow(bigint[]) IS
  'Consequences of absence on targets of reviews that are not locked: summed targets shrink by the days away, those of '
  'the template and those of one''s own.';

-- Which targets are sums is no part of a template: it holds for open reviews at once.
CREATE FUNCTION summed_followed(indicators bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_rules();
  SELECT hold_reviews(t.reviews), targets_follow(t.reviews)
    FROM (SELECT array_agg(s.review_id ORDER BY s.review_id) AS reviews
            FROM review_standard s JOIN review r USING (review_id)
           WHERE s.indicator_id = ANY (indicators) AND r.status <> 'locked') t
   WHERE t.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION summed_followed(bigint[]) IS
  'Consequence of what an indicator''s targets are: those of open reviews with days of leave anew.';
SELECT register_follow('indicator_fact', '{insert,update,delete}', 600, 'summed_followed', key => 'indicator_id',
                       changed => '{role,summed}');

CREATE FUNCTION service_follow(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH service AS (
    SELECT r.review_id, r.employee_id, r.status, worked_days(r.employee_id, c.period) AS days,
           (SELECT setting_number('review.min_service_days')::integer) AS minimum
      FROM review r JOIN review_cycle c USING (cycle_id)
     WHERE r.review_id = ANY (reviews) AND r.items_scored = 0
       AND (r.status = 'not_rated' OR r.status = 'open'
            AND (SELECT setting_number('review.min_service_days')) IS NOT NULL)
       -- what a person decided stands
       AND NOT EXISTS (SELECT FROM decision d
                       WHERE d.cause_id = r.review_id AND d.cause = 'review'
                         AND d.kind IN ('review.rate', 'review.exempt'))
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT CASE s.status WHEN 'open' THEN 'review.not_rated'
      ELSE 'review.rated' END, s.employee_id, 'review', s.review_id, 'setting:review.min_service_days',
           jsonb_build_object('days', s.days, 'minimum', s.minimum),
           jsonb_build_object('status', CASE s.status WHEN 'open' THEN 'not_rated' ELSE 'open' END)
      FROM service s WHERE (s.status = 'open') = coalesce(s.days < s.minimum, false) ORDER BY s.review_id
    RETURNING cause_id, inputs, outcome
  )
  UPDATE review r SET status = d.outcome ->> 'status',
         block_reason = CASE d.outcome ->> 'status'
           WHEN 'not_rated' THEN format('%s of %s days of service', d.inputs ->> 'days', d.inputs ->> 'minimum') END
    FROM d WHERE r.review_id = d.cause_id;
END;
COMMENT ON FUNCTION service_follow(bigint[]) IS
  'Consequences of short service on reviews without scores: not rated below setting review.min_service_days, rated '
  'again above it, unless somebody decided.';

CREATE FUNCTION review_opened(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT segments_follow(reviews);
  SELECT targets_follow(reviews);
  SELECT service_follow(reviews);
END;
COMMENT ON FUNCTION review_opened(bigint[]) IS 'Consequences of a new review: segments, targets, service.';
SELECT register_follow('review', '{insert}', 500, 'review_opened', key => 'review_id');

CREATE FUNCTION employment_followed(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who opens a cycle at the same time goes first, or sees it
  SELECT count(*) FROM (SELECT FROM review_cycle c
                         WHERE c.status IN ('draft', 'open')
                           OR c.cycle_id IN (SELECT r.cycle_id FROM review r WHERE r.employee_id = ANY (employees))
                         ORDER BY c.cycle_id FOR SHARE) l;
  SELECT hold_rules();
  -- also those that are locked now: they may not be when the next statement of a transfer comes here
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r WHERE r.employee_id = ANY (employees)));
  SELECT review_opened(t.reviews)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS reviews FROM review r
           WHERE r.employee_id = ANY (employees) AND r.status <> 'locked') t
   WHERE t.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION employment_followed(bigint[]) IS
  'Consequences of a transfer, another assignment or a leave on reviews that are not locked.';
SELECT register_follow('assignment', '{insert,update,delete}', 600, 'employment_followed', key => 'employee_id');
SELECT register_follow('employee_status', '{insert,update,delete}', 600, 'employment_followed', key => 'employee_id');

-- What was entered while a review was locked is followed when it opens again.  Segments
-- of the same employment stay: who manages them is pinned.
CREATE FUNCTION reopened_followed(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT segments_follow(t.reviews)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS reviews FROM review r
           WHERE r.review_id = ANY (reopened_followed.reviews) AND r.status = 'open'
             AND (SELECT jsonb_agg(jsonb_build_array(w.org_unit_id, w.job_id, trim_scale(w.fte), w.days, w.from_date,
                                                     w.until_date) ORDER BY w.segment_no)
                    FROM wanted_segment(ARRAY[r.review_id], (SELECT setting_number('review.segment_min_days'))) w)
                 IS DISTINCT FROM
                 (SELECT jsonb_agg(jsonb_build_array(g.org_unit_id, g.job_id, trim_scale(g.fte), g.days, g.from_date,
                                                     g.until_date) ORDER BY g.segment_no)
                    FROM review_segment g WHERE g.review_id = r.review_id)) t
   WHERE t.reviews IS NOT NULL;
  SELECT hrloop.run('book'::regclass, 'targets_follow', t.reviews),
         hrloop.run('book'::regclass, 'service_follow', t.reviews)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS reviews FROM review r
           WHERE r.review_id = ANY (reopened_followed.reviews) AND r.status = 'open') t
   WHERE t.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION reopened_followed(bigint[]) IS
  'Consequences of a review that opens again: a transfer, a leave or an assignment that was entered while it was '
  'locked is followed now.';
-- before review_judged: facts meet the segments and targets of the day
SELECT register_follow('review', '{update}', 850, 'reopened_followed', key => 'review_id', changed => '{status}');

-- a reweighted cycle takes its segments along
CREATE FUNCTION cycle_segments_follow(cycles bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_rules();
  -- all that are to follow, in key order, before those in segments do
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r WHERE r.cycle_id = ANY (cycles) AND r.status <> 'locked'));
  -- and all of their people: slice by slice they would not be in order
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r
                               WHERE r.cycle_id = ANY (cycles) AND r.status <> 'locked'));
  SELECT segments_follow(t.reviews)
    -- slices in key order: SQL for many keys at once is planned for few
    FROM (SELECT array_agg(n.review_id ORDER BY n.review_id) AS reviews
            FROM (SELECT r.review_id, (row_number() OVER (ORDER BY r.review_id) - 1) / 500 AS slice FROM review r
                   WHERE r.cycle_id = ANY (cycles) AND r.segmented AND r.status <> 'locked') n
           GROUP BY n.slice ORDER BY n.slice) t;
END;
COMMENT ON FUNCTION cycle_segments_follow(bigint[]) IS
  'Consequence of another template version in a cycle: segments use it as well (IND-12).';
SELECT register_follow('cycle_template', '{update}', 500, 'cycle_segments_follow', key => 'cycle_id',
                       changed => '{template_id}');

-- verbs --------------------------------------------------------------------------

CREATE FUNCTION exempt_review(cycle text, employee text, reason text) RETURNS text VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot exempt employee %s', who(), employee), NULL,
                     'HR does; not for oneself.')
   WHERE actor() IS NOT NULL AND (NOT holds_role('hr', actor()) OR actor() = (SELECT find_employee(employee)));
  SELECT hrloop.fail('23502', 'exempting somebody needs a reason', NULL, 'Say why there is no score in this cycle.',
                     'decision', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(exempt_review.reason, '')) = 0;
  SELECT hrloop.fail('55000', format('locked: review of employee %s, cycle %s', employee, cycle), NULL,
                     'Use unlock_review(cycle, employee, reason) first.', 'review', 'status')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status = 'locked';
  SELECT d.decision_id FROM review r
   CROSS JOIN LATERAL new_decision('review.exempt', r.employee_id, 'review', r.review_id,
                                   jsonb_build_object('status', r.status), '{"status": "not_rated"}',
                                   exempt_review.reason) d
   WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status <> 'not_rated';
  UPDATE review r SET status = 'not_rated', block_reason = exempt_review.reason, plan_reason = NULL
   WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status <> 'not_rated';
  SELECT r.status FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION exempt_review(text, text, text) IS
  'HR decides that somebody has no score in a cycle (long leave, late hire, gone): the review is not_rated and does '
  'not hold up the lock of the cycle. Undo: rate_review(). Errors: 42501 not HR, or oneself; 23502 no reason, 55000 '
  'locked, 22023 unknown.';

CREATE FUNCTION rate_review(cycle text, employee text, reason text) RETURNS text VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot have employee %s rated', who(), employee), NULL,
                     'HR does; not for oneself.')
   WHERE actor() IS NOT NULL AND (NOT holds_role('hr', actor()) OR actor() = (SELECT find_employee(employee)));
  SELECT hrloop.fail('23502', 'rating somebody all the same needs a reason', NULL, 'Say why.', 'decision', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(rate_review.reason, '')) = 0;
  SELECT hold_rules();
  SELECT hold_reviews(ARRAY[find_review(cycle, employee)]);
  SELECT d.decision_id FROM review r
   CROSS JOIN LATERAL new_decision('review.rate', r.employee_id, 'review', r.review_id,
                                   jsonb_build_object('status', r.status, 'because', r.block_reason),
                                   '{"status": "open"}', rate_review.reason) d
   WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status = 'not_rated';
  UPDATE review r SET status = 'open', block_reason = NULL
    WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status = 'not_rated';
  SELECT hrloop.recompute('book'::regclass,
                          ARRAY(SELECT r.review_id FROM review r
                                WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status = 'open'));
  SELECT r.status FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION rate_review(text, text, text) IS
  'HR has somebody rated who was not_rated; returns the status. Errors: 42501 not HR, or oneself; 23502 no reason, '
  '55000 a review_gate holds, 22023 unknown.';
