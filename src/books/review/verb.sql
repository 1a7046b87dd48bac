-- review: what people and applications call.

-- the score item by item ------------------------------------------------------

-- Runs as the owner of the books: the total may be shown to whom the scores behind it may not.
CREATE FUNCTION disclosed(review bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN coalesce((SELECT x.disclosed_on IS NOT NULL FROM review_result x
                   WHERE x.review_id = review AND x.reopened_by IS NULL),
                  setting_text('review.disclose') = 'lock');
COMMENT ON FUNCTION disclosed(bigint) IS
  'Whether the employee may read the manager''s scores of a review: its standing result is disclosed, or there is none '
  'yet and setting review.disclose does not wait for people (REV-08).';

-- The one place that says so: while scores come in, the whole is known to whom all scores are, and to others where no
-- anonymous score could be found in it by subtraction.  Who else asks gets the figures without them.
CREATE FUNCTION knows_whole(status text, anonymous boolean) RETURNS boolean STABLE LANGUAGE SQL
  RETURN status = 'locked' OR NOT anonymous OR sees_all_scores();
COMMENT ON FUNCTION knows_whole(text, boolean) IS
  'Whether the figures of a review with all of its scores may be known by now to who acts, as far as anonymous raters '
  'are concerned: HR, everybody else from the lock on or if no such score is in them (REV-07).';

-- of its own: what is planned in place of its call is started with it, and few ask for this
CREATE FUNCTION named_composite(review bigint) RETURNS numeric STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT CASE WHEN count(i.value) = 0 OR t.missing_policy = 'block' AND count(i.value) < count(*) THEN NULL
              ELSE LEAST(hrloop.rounded(CASE t.missing_policy
                                        WHEN 'renormalise' THEN 100 * sum(i.product) / sum(i.weight)
                                          FILTER (WHERE i.value IS NOT NULL)
                                                              ELSE sum(i.product) END),
                         min(i.veto_cap) FILTER (WHERE i.value <= i.veto_at)) END
    FROM review r JOIN review_template t USING (template_id)
   CROSS JOIN LATERAL item_values(r.review_id, r.template_id, r.segmented, true) i
   WHERE r.review_id = named_composite.review
   GROUP BY t.missing_policy;
END;
COMMENT ON FUNCTION named_composite(bigint) IS 'Composite of a review without the scores of anonymous raters.';
CREATE FUNCTION shown_composite(review bigint) RETURNS numeric STABLE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT CASE WHEN actor() = r.employee_id AND NOT disclosed(r.review_id) THEN NULL
              WHEN sees_all_scores() THEN r.composite
              WHEN actor() NOT IN (r.employee_id, coalesce(r.manager_id, r.employee_id)) OR actor() IS NULL THEN NULL
              WHEN knows_whole(r.status, r.anonymous) THEN r.composite
              ELSE named_composite(r.review_id) END
    FROM review r WHERE r.review_id = shown_composite.review;
END;
COMMENT ON FUNCTION shown_composite(bigint) IS
  'Composite of a review as who acts may see it: HR, and the owner when nobody acts, as it is; the employee (once '
  'disclosed) and the manager until the lock without the scores of anonymous raters; nobody else (REV-07, REV-08).';

-- the status of a review ------------------------------------------------------

CREATE FUNCTION hold_reviews(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.hold_reviews('book'::regclass, reviews);
END;
COMMENT ON FUNCTION hold_reviews(bigint[]) IS
  'Until the transaction ends, these reviews and their scores from facts do not change. Whoever corrects a score has '
  'it first, and then its review: so does this, and whatever values scores anew calls it first.';

-- cycles, reviews and scores --------------------------------------------------

CREATE FUNCTION find_cycle(code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN coalesce((SELECT c.cycle_id FROM review_cycle c WHERE c.code = find_cycle.code),
                  unknown_code('review_cycle', code));
COMMENT ON FUNCTION find_cycle(text) IS 'Key of a cycle code. Error 22023: unknown, or null.';
CREATE FUNCTION find_review(cycle text, employee text) RETURNS bigint STABLE LANGUAGE SQL
  -- null is told from unknown here; which of the two codes is unknown they say themselves
  RETURN coalesce((SELECT r.review_id FROM review r
                    WHERE r.cycle_id = (SELECT c.cycle_id FROM review_cycle c WHERE c.code = cycle)
                      AND r.employee_id = (SELECT e.employee_id FROM employee e WHERE e.employee_no = employee)),
                  CASE WHEN cycle IS NOT NULL AND employee IS NOT NULL
                       THEN (SELECT NULL::bigint
                             FROM (SELECT find_cycle(cycle) AS c, find_employee(employee) AS e OFFSET 0) f
                               WHERE f.c + f.e < 0) END,
                  hrloop.fail('22023', format('employee "%s" has no review in cycle "%s"', coalesce(employee, 'null'),
                                              coalesce(cycle, 'null')), NULL,
                              'open_cycle() makes one for everybody who is employed in the period and whom a template '
                              'is for.')::int::bigint);
COMMENT ON FUNCTION find_review(text, text) IS
  'Key of the review of an employee in a cycle. Error 22023: unknown, or no such review.';

CREATE FUNCTION create_cycle(code text, from_date date, until_date date, template text DEFAULT NULL,
                             kind text DEFAULT 'quarterly',
                             name text DEFAULT NULL, pay_effective boolean DEFAULT true,
                             pay_effective_on date DEFAULT NULL)
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('22023', format('cycle "%s" must have a first and a last day in order', create_cycle.code),
                     format('Given: %s to %s.', coalesce(from_date::text, 'null'), coalesce(until_date::text, 'null')),
                     'Both days belong to the period.')
   WHERE from_date IS NULL OR until_date IS NULL OR from_date > until_date;
  INSERT INTO review_cycle (code, name, kind, period, grade_scale_id, pay_effective, pay_effective_on)
  VALUES (create_cycle.code, coalesce(create_cycle.name, create_cycle.code), create_cycle.kind,
          daterange(from_date, until_date, '[]'), find_scale('grade'), create_cycle.pay_effective,
          create_cycle.pay_effective_on);
  INSERT INTO cycle_template (cycle_id, template_id)
  SELECT find_cycle(create_cycle.code), assign.template_id
    FROM (SELECT t.template_id FROM review_template t
          WHERE t.code = create_cycle.template AND t.activated_at IS NOT NULL
           ORDER BY t.version DESC LIMIT 1) assign;
  SELECT unknown_code('active template', create_cycle.template)
   WHERE create_cycle.template IS NOT NULL
     AND NOT EXISTS (SELECT FROM cycle_template ct WHERE ct.cycle_id = (SELECT find_cycle(create_cycle.code)));
  SELECT find_cycle(create_cycle.code);
END;
COMMENT ON FUNCTION create_cycle(text, date, date, text, text, text, boolean, date) IS
  'Make a draft cycle; both days belong to it. With a template: its newest active version is for everybody; '
  'assign_template() says who else gets which. Errors: 22023 dates out of order, unknown template; 23505 code taken.';

CREATE FUNCTION assign_template(cycle text, template text, unit_kind text DEFAULT NULL, job_family text DEFAULT NULL,
                                job text DEFAULT NULL)
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('active template', template)
   WHERE NOT EXISTS (SELECT FROM review_template t WHERE t.code = template AND t.activated_at IS NOT NULL);
  INSERT INTO cycle_template (cycle_id, template_id, unit_kind, job_family, job_id)
  SELECT find_cycle(cycle), t.template_id, assign_template.unit_kind, assign_template.job_family, find_job(job)
    FROM review_template t WHERE t.code = template AND t.activated_at IS NOT NULL ORDER BY t.version DESC LIMIT 1
  RETURNING cycle_template_id;
END;
COMMENT ON FUNCTION assign_template(text, text, text, text, text) IS
  'Use the newest active version of a template in a draft cycle for a kind of unit, a job family or a job; the most '
  'specific wins. Errors: 22023 unknown, 55000 the cycle is open.';

CREATE FUNCTION set_target(cycle text, employee text, indicator text, facts jsonb) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO target (cycle_id, employee_id, indicator_id, facts)
  VALUES (find_cycle(cycle), find_employee(employee), find_indicator(indicator), set_target.facts)
  ON CONFLICT (cycle_id, employee_id, indicator_id) DO UPDATE
    SET facts = excluded.facts, decision_id = NULL, given = NULL
  RETURNING target_id;
END;
COMMENT ON FUNCTION set_target(text, text, text, jsonb) IS
  'Targets of one person, e.g. {"target": 10}, before the cycle opens. Errors: 22023 a target is zero or null, 55000 '
  'the cycle is open.';

-- What row policies ask of who reads a review, for verbs that run as the owner of the books.
CREATE FUNCTION require_sight(cycle text, employee text) RETURNS bigint STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s does not see the review of employee %s in cycle %s', who(), employee, cycle),
                     NULL, 'Who is reviewed, the manager, who is above them, HR and executives do; applications call '
                     'act_as() first.')
    FROM review r
   WHERE r.review_id = (SELECT find_review(cycle, employee))
     AND NOT (hrloop.visible('book'::regclass, r.employee_id)
              OR coalesce(r.manager_id = actor() AND NOT has_left(actor(), today()), false));
  SELECT find_review(cycle, employee);
END;
COMMENT ON FUNCTION require_sight(text, text) IS
  'Key of a review that who acts sees: first step of verbs about it. Errors: 42501 they do not, 22023 unknown.';
CREATE FUNCTION require_review(cycle text, employee text, what text) RETURNS bigint STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_sight(cycle, employee);
  SELECT hrloop.fail('42501', format('%s cannot %s their own review', who(), what), NULL,
                     'The manager, who is above them, or HR does.')
   WHERE actor() = (SELECT find_employee(employee));
  SELECT find_review(cycle, employee);
END;
COMMENT ON FUNCTION require_review(text, text, text) IS
  'Key of a review of somebody else that who acts sees: first step of verbs that decide about it. Errors: 42501 one''s '
  'own, or unseen; 22023 unknown.';

CREATE FUNCTION open_cycle(cycle text) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr,executive}', format('open cycle "%s"', cycle));
  -- one at a time for whatever makes, locks or opens reviews of a cycle
  SELECT FROM review_cycle c WHERE c.cycle_id = (SELECT find_cycle(cycle)) FOR NO KEY UPDATE;
  UPDATE review_cycle SET status = 'open' WHERE cycle_id = (SELECT find_cycle(cycle)) AND status = 'draft';
  SELECT open_reviews(ARRAY[find_cycle(cycle)]);
  SELECT count(*) FROM review r WHERE r.cycle_id = (SELECT find_cycle(cycle));
END;
COMMENT ON FUNCTION open_cycle(text) IS
  'Open a cycle: its rules are frozen and everybody employed in it gets a review; again: only who came since. '
  'Returns the number of reviews (REV-01). Errors: 55000 no template, or a draft; 22023 unknown, 42501 neither HR '
  'nor executive.';

CREATE FUNCTION submit_score(cycle text, employee text, indicator text, value numeric DEFAULT NULL,
                             rationale text DEFAULT NULL,
                             rater text DEFAULT NULL, rater_group text DEFAULT 'manager', scale_max numeric DEFAULT 100,
                             facts jsonb DEFAULT NULL) RETURNS numeric VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('employee %s cannot submit scores of rater %s', who(), rater), NULL,
                     'Leave rater out: it is who acts.')
   WHERE actor() IS NOT NULL AND rater IS NOT NULL AND (SELECT find_employee(rater)) <> actor();
  SELECT unknown_code('rater_group', coalesce(submit_score.rater_group, 'null'))
   WHERE NOT EXISTS (SELECT FROM rater_group g WHERE g.rater_group = submit_score.rater_group);
  SELECT hrloop.fail('23502', format('nobody is named who rates %s in %s as %s', employee, cycle,
                                     submit_score.rater_group), NULL,
                     'Name the rater.', 'score', 'rater_id')
    FROM review r
   WHERE r.review_id = (SELECT find_review(cycle, employee)) AND rater IS NULL AND actor() IS NULL
     AND submit_score.rater_group <> 'self'
     AND (r.manager_id IS NULL OR submit_score.rater_group <> 'manager');
  INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, scale_max, facts, rationale)
  SELECT r.review_id, find_indicator(indicator), submit_score.rater_group,
         coalesce(find_employee(rater), actor(), CASE submit_score.rater_group WHEN 'self' THEN r.employee_id
                  WHEN 'manager' THEN r.manager_id END),
         submit_score.value, submit_score.scale_max, submit_score.facts, submit_score.rationale
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
  ON CONFLICT ON CONSTRAINT score_once DO UPDATE
     SET raw_value = excluded.raw_value, scale_max = excluded.scale_max, facts = excluded.facts,
         rationale = excluded.rationale, scored_at = excluded.scored_at;
  -- the employee does not learn here what the manager gave
  SELECT CASE WHEN actor() IS DISTINCT FROM r.employee_id THEN shown_composite(r.review_id) END
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION submit_score(text, text, text, numeric, text, text, text, numeric, jsonb) IS
  'Give or correct a score: value 0 to scale_max, or facts such as {"actual": 8}; rater: who acts, else the review''s '
  'manager (self: the employee). Returns the composite to the manager, HR and the owner (see shown_composite), null to '
  'other raters and while incomplete. Errors: 23502 no rationale or no value, 23514 out of range or too short, 55000 '
  'locked or blocked, 22023 unknown code or facts without result, 42501 another''s score.';

CREATE FUNCTION lock_as_of(reviews bigint[], on_date date, reason text) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('23502', format('a lock as of %s needs a reason', on_date), NULL,
                     'Say why it is not today, or leave on_date out.', 'decision', 'reason')
   WHERE on_date <> today() AND actor() IS NOT NULL AND holds_role('hr', actor())
     AND hrloop.meaningful_chars(coalesce(lock_as_of.reason, '')) = 0;
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'review.backdate', r.employee_id, 'review', r.review_id, jsonb_build_object('today', today()),
         jsonb_build_object('locked_on', on_date), lock_as_of.reason
    FROM review r
   WHERE on_date <> today() AND r.review_id = ANY (reviews) AND r.status = 'open'
     AND holds_role('hr', actor()) AND hrloop.meaningful_chars(coalesce(lock_as_of.reason, '')) > 0
   ORDER BY r.review_id;
END;
COMMENT ON FUNCTION lock_as_of(bigint[], date, text) IS
  'Before reviews are locked as of another day than today: HR says why, and a decision keeps it (REV-06).';

CREATE FUNCTION lock_review(cycle text, employee text, on_date date DEFAULT today(), reason text DEFAULT NULL)
  RETURNS boolean VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_review(cycle, employee, 'lock');
  SELECT hrloop.fail('55000', format('review of %s in %s is %s', employee, cycle, replace(r.status, '_', ' ')),
                     format('Reason: %s', r.block_reason),
                     CASE r.status WHEN 'blocked' THEN 'Clear the review_gate and unblock_reviews(cycle) first.'
                                   ELSE 'HR can have it rated with rate_review(cycle, employee, reason).' END)
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status IN ('blocked', 'not_rated');
  SELECT lock_as_of(ARRAY[find_review(cycle, employee)], on_date, reason) WHERE on_date <> today();
  UPDATE review r SET status = 'locked', locked_on = on_date, reopen_reason = NULL
   WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status = 'open';
  SELECT r.status = 'locked' FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION lock_review(text, text, date, text) IS
  'Fix the score: result, plan and raise proposal come of it, once; again: nothing. As of today; the owner, and HR '
  'with '
  'a reason, as of another day of the cycle or since. Errors: 55000 incomplete or blocked, 23514 a deviation without a '
  'reason, or a day before the cycle or in the future; 42501 another day, 23502 no reason, 22023 unknown (REV-06).';

CREATE FUNCTION lock_reviews(reviews bigint[], on_date date) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- in key order, reviews before their employees, as everybody locks them
  SELECT count(*) FROM (SELECT FROM review r WHERE r.review_id = ANY (reviews)
                        ORDER BY r.review_id FOR NO KEY UPDATE) l;
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r WHERE r.review_id = ANY (reviews)));
  WITH done AS (UPDATE review r SET status = 'locked', locked_on = on_date, reopen_reason = NULL
                 WHERE r.review_id = ANY (reviews) AND r.status = 'open' AND r.complete RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION lock_reviews(bigint[], date) IS
  'Lock those of these reviews that are open and complete, they and their employees held first; returns how many.';
CREATE FUNCTION lock_cycle(cycle text, on_date date DEFAULT today(), skip_incomplete boolean DEFAULT false,
                           reason text DEFAULT NULL)
  RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr,executive}', format('lock cycle "%s"', cycle));
  SELECT FROM review_cycle c WHERE c.cycle_id = (SELECT find_cycle(cycle)) FOR NO KEY UPDATE;
  SELECT hrloop.fail('55000', format('%s reviews of cycle "%s" are not complete', count(*), cycle),
                     format('The first employees: %s.',
                            array_to_string((array_agg(e.employee_no ORDER BY e.employee_no))[1:10], ', ')),
                     'Score them, or lock the others with skip_incomplete => true.')
    FROM review r JOIN employee e USING (employee_id)
   WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND NOT skip_incomplete
     AND (r.status = 'blocked' OR r.status = 'open' AND NOT r.complete)
  HAVING count(*) > 0;
  SELECT lock_as_of(ARRAY(SELECT r.review_id FROM review r
                           WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status = 'open' AND r.complete), on_date,
                    reason)
   WHERE on_date <> today();
  -- what is completed meanwhile is left: it is not held
  SELECT lock_reviews(ARRAY(SELECT r.review_id FROM review r
                            WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status = 'open'
                              AND r.complete), on_date);
  UPDATE review_cycle c SET status = 'locked'
   WHERE c.cycle_id = (SELECT find_cycle(cycle)) AND c.status = 'open'
     AND NOT EXISTS (SELECT FROM review r WHERE r.cycle_id = c.cycle_id AND r.status NOT IN ('locked', 'not_rated'));
  SELECT count(*) FROM review r WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status = 'locked';
END;
COMMENT ON FUNCTION lock_cycle(text, date, boolean, text) IS
  'Lock all reviews of a cycle that are complete when it begins, in one statement; returns how many are locked. A '
  'second call adds nothing but what was completed since. Errors: 55000 reviews are incomplete or blocked (unless '
  'skipped), 23514 a deviation without a reason, 22023 unknown; days and reasons as for lock_review() (REV-06).';

CREATE FUNCTION unlock_review(cycle text, employee text, reason text) RETURNS boolean VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_review(cycle, employee, 'open');
  SELECT hrloop.fail('23502', 'an unlock needs a reason', NULL, 'Say why the score has to be changed.', 'review',
                     'reopen_reason', 'review_reopen_reason')
   WHERE hrloop.meaningful_chars(coalesce(reason, '')) = 0;
  SELECT FROM review_cycle c WHERE c.cycle_id = (SELECT r.cycle_id FROM review r
                                                 WHERE r.review_id = (SELECT find_review(cycle, employee)))
                                                   FOR NO KEY UPDATE;
  SELECT hold_rules();
  SELECT hold_reviews(ARRAY[find_review(cycle, employee)]);
  UPDATE review r SET status = 'open', locked_on = NULL, reopen_reason = reason, deviation_reason = NULL
   WHERE r.review_id = (SELECT find_review(cycle, employee)) AND r.status = 'locked';
  UPDATE review_cycle c SET status = 'open' WHERE c.cycle_id = (SELECT find_cycle(cycle)) AND c.status = 'locked';
  SELECT r.status = 'open' FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION unlock_review(text, text, text) IS
  'Open a locked review again; a decision keeps the reason, a raise that was not applied is withdrawn. Errors: '
  '23502 no reason, 22023 unknown, 42501 one''s own, or unseen.';

CREATE FUNCTION explain_deviation(cycle text, employee text, reason text) RETURNS numeric VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot explain the deviation in the review of employee %s', who(), employee),
                     NULL,
                     'The manager who rates or HR explains it.')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
     AND actor() IS NOT NULL AND actor() IS DISTINCT FROM r.manager_id AND NOT holds_role('hr', actor());
  SELECT hrloop.fail('23502', 'a deviation needs a reason', NULL, 'Say why the two scores differ.', 'review',
                     'deviation_reason')
   WHERE hrloop.meaningful_chars(coalesce(explain_deviation.reason, '')) = 0;
  SELECT hrloop.fail('55000', format('there is no deviation to explain: review of employee %s, cycle %s', employee,
                                     cycle),
                     'The composite or the self composite is missing.', 'Both sides score first.', 'review',
                     'self_composite')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
      AND (r.composite IS NULL OR r.self_composite IS NULL);
  UPDATE review r SET deviation_reason = explain_deviation.reason
    WHERE r.review_id = (SELECT find_review(cycle, employee));
  SELECT (d.inputs ->> 'deviation')::numeric
    FROM review r
    CROSS JOIN LATERAL new_decision('review.deviation', r.employee_id, 'review', r.review_id,
      jsonb_build_object('score', shown_composite(r.review_id), 'self', r.self_composite, 'deviation',
                         shown_composite(r.review_id) - r.self_composite,
                         'tolerance', setting_number('review.tolerance')), '{}', explain_deviation.reason) d
   WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION explain_deviation(text, text, text) IS
  'Say, as the manager or HR, why the composite and the self composite differ; the lock needs it beyond setting '
  'review.tolerance. Returns composite minus self composite. Errors: 23502 no reason, 42501 somebody else, 55000 '
  'locked or not scored by both, 22023 unknown (REV-04).';

CREATE FUNCTION unblock_reviews(cycle text) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr}', format('unblock the reviews of cycle "%s"', cycle));
  -- what opens is judged by the rules of today
  SELECT hold_rules();
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r
                             WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status = 'blocked'));
  WITH freed AS (
    UPDATE review r SET status = 'open', block_reason = NULL
     WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status = 'blocked'
       AND NOT EXISTS (SELECT FROM review_gate g WHERE g.cycle_id = r.cycle_id AND g.employee_id = r.employee_id
                          AND g.waived_because IS NULL)
    RETURNING 1)
  SELECT count(*) FROM freed;
END;
COMMENT ON FUNCTION unblock_reviews(text) IS
  'Open the blocked reviews of a cycle whose gate was cleared or waived; returns how many. Error 42501: not HR '
  '(TRN-02).';

-- other weights ---------------------------------------------------------------

CREATE FUNCTION reweight_cycle(cycle text, template text, reason text) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot reweight a cycle', who()), NULL, 'HR and executives can.')
   WHERE actor() IS NOT NULL AND NOT holds_role('hr', actor()) AND NOT holds_role('executive', actor());
  SELECT hrloop.fail('23502', 'reweighting a cycle needs a reason', NULL, 'Say why the rules change before the lock.',
                     'decision', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(reweight_cycle.reason, '')) = 0;
  SELECT FROM review_cycle c WHERE c.cycle_id = (SELECT find_cycle(cycle)) FOR NO KEY UPDATE;
  SELECT hrloop.fail('55000', format('cycle "%s" is %s', cycle, c.status), NULL,
                     'A new version belongs to the next cycle.', 'review_cycle', 'status')
    FROM review_cycle c WHERE c.cycle_id = (SELECT find_cycle(cycle)) AND c.status IN ('locked', 'closed');
  SELECT hrloop.fail('22023', format('cycle "%s" uses no older version of template "%s"', cycle, template), NULL,
                     'Make one with revise_template(code, weights, reason).')
   WHERE NOT EXISTS (SELECT FROM cycle_template ct JOIN review_template o USING (template_id)
                       JOIN review_template n ON n.code = o.code AND n.version > o.version
                         AND n.activated_at IS NOT NULL
                      WHERE ct.cycle_id = (SELECT find_cycle(cycle)) AND o.code = template);
  SELECT hrloop.fail('55000', format('%s scores of cycle "%s" are for indicators that the newest version of template '
                                     '"%s" does not have', count(*), cycle, template),
                     format('Indicators: %s.', string_agg(DISTINCT i.code, ', ' ORDER BY i.code)),
                     'Use the new version in the next cycle.')
    FROM review r JOIN review_template o USING (template_id) JOIN score s USING (review_id)
      JOIN indicator i USING (indicator_id)
   WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND o.code = template AND r.status <> 'locked'
     AND NOT EXISTS (SELECT FROM template_item t WHERE t.indicator_id = s.indicator_id
                        AND t.template_id = (SELECT n.template_id FROM review_template n
                                             WHERE n.code = template AND n.activated_at IS NOT NULL
                                              ORDER BY n.version DESC LIMIT 1))
  HAVING count(*) > 0;
  -- what is counted here is what follows: as cycle_segments_follow holds them
  SELECT hold_rules();
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r
                            WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status <> 'locked'));
  INSERT INTO decision (kind, cause, cause_id, rule, rule_id, rule_version, inputs, outcome, reason)
  SELECT 'cycle.reweight', 'review_cycle', c.cycle_id, 'review_template', n.template_id, n.version,
         jsonb_build_object('template', o.code, 'version', o.version, 'weights',
           (SELECT jsonb_object_agg(i.code, t.effective_weight) FROM template_item t
            JOIN indicator i USING (indicator_id) WHERE t.template_id = o.template_id)),
         jsonb_build_object('version', n.version, 'weights',
           (SELECT jsonb_object_agg(i.code, t.effective_weight) FROM template_item t
            JOIN indicator i USING (indicator_id) WHERE t.template_id = n.template_id),
           'reviews', (SELECT count(*) FROM review r WHERE r.cycle_id = c.cycle_id AND r.template_id = o.template_id
                                   AND (r.status = 'open' OR r.status = 'blocked' AND r.items_scored = 0))),
         reweight_cycle.reason
    FROM review_cycle c
    JOIN (SELECT DISTINCT ct.cycle_id, ct.template_id FROM cycle_template ct) ct USING (cycle_id)
    JOIN review_template o ON o.template_id = ct.template_id AND o.code = template
    CROSS JOIN LATERAL (SELECT v.template_id, v.version FROM review_template v
                        WHERE v.code = template AND v.activated_at IS NOT NULL
                         ORDER BY v.version DESC LIMIT 1) n
   WHERE c.cycle_id = (SELECT find_cycle(cycle)) AND n.version > o.version
   ORDER BY o.version;
  UPDATE cycle_template ct SET template_id = n.template_id
    FROM review_template o,
         (SELECT v.template_id, v.version FROM review_template v WHERE v.code = template AND v.activated_at IS NOT NULL
          ORDER BY v.version DESC LIMIT 1) n
   WHERE ct.cycle_id = (SELECT find_cycle(cycle)) AND o.template_id = ct.template_id AND o.code = template
     AND o.version < n.version;
  SELECT coalesce(sum((d.outcome ->> 'reviews')::bigint), 0)::bigint
    FROM decision d
   WHERE d.cause = 'review_cycle' AND d.cause_id = (SELECT find_cycle(cycle)) AND d.kind = 'cycle.reweight'
     AND hrloop.of_this_transaction(d.xmin, d.decided_at)
     AND d.rule_id = (SELECT v.template_id FROM review_template v
                      WHERE v.code = template AND v.activated_at IS NOT NULL ORDER BY v.version DESC LIMIT 1);
END;
COMMENT ON FUNCTION reweight_cycle(text, text, text) IS
  'Put a draft or open cycle and its reviews that are not locked on the newest active version of their template, by an '
  'explicit decision with a reason; scores from facts and composites are computed anew. Returns how many reviews '
  'changed. Errors: 23502 no reason, 55000 the cycle is locked, or scores would lose their indicator; 22023 no newer '
  'version, 42501 not HR or executive (IND-12).';
