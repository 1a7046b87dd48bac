-- learn: what follows from what.

CREATE FUNCTION training_recorded(records bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- a finished course is progress of the plans that ask for it; their manager may be about to remove that item
  SELECT count(*) FROM (SELECT FROM development_plan p
    WHERE p.employee_id IN (SELECT t.employee_id FROM training_record t WHERE t.training_record_id = ANY (records))
      AND p.status IN ('proposed', 'effective')
    ORDER BY p.plan_id FOR NO KEY UPDATE) l;
  INSERT INTO plan_progress (plan_item_id, progress, training_record_id)
  SELECT DISTINCT ON (i.plan_item_id) i.plan_item_id, 100, t.training_record_id
    FROM training_record t
    JOIN development_plan p ON p.employee_id = t.employee_id AND p.status IN ('proposed', 'effective')
    JOIN plan_item i ON i.plan_id = p.plan_id AND i.resource_id = t.resource_id AND i.progress < 100
   WHERE t.training_record_id = ANY (records) AND t.passed AND t.completed_on >= p.planned_on
     -- once: what somebody has set back since, stays
     AND NOT EXISTS (SELECT FROM plan_progress g
                     WHERE g.plan_item_id = i.plan_item_id AND g.training_record_id = t.training_record_id)
   ORDER BY i.plan_item_id, t.training_record_id;
END;
COMMENT ON FUNCTION training_recorded(bigint[]) IS 'Consequences of a finished training: progress of plan items.';
SELECT register_follow('training_record', '{insert,update}', 800, 'training_recorded', key => 'training_record_id',
                       changed => '{employee_id,resource_id,completed_on,passed}');

CREATE FUNCTION training_unrecorded(was training_record[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(*) FROM (SELECT FROM development_plan p
    WHERE p.employee_id IN (SELECT w.employee_id FROM unnest(was) w)
      AND EXISTS (SELECT FROM plan_item i JOIN plan_progress g USING (plan_item_id)
                   WHERE i.plan_id = p.plan_id
                     AND g.training_record_id IN (SELECT w.training_record_id FROM unnest(was) w))
    ORDER BY p.plan_id FOR NO KEY UPDATE) l;
  WITH gone AS (
    DELETE FROM plan_progress g USING plan_item i, development_plan p, unnest(was) w
     WHERE p.employee_id = w.employee_id AND i.plan_id = p.plan_id AND g.plan_item_id = i.plan_item_id
       AND g.training_record_id = w.training_record_id
       AND NOT EXISTS (SELECT FROM training_record t
                       WHERE t.training_record_id = w.training_record_id AND t.employee_id = p.employee_id
                          AND t.resource_id = i.resource_id AND t.passed AND t.completed_on >= p.planned_on)
    RETURNING g.plan_item_id
  )
  -- the same course at another time is as good
  INSERT INTO plan_progress (plan_item_id, progress, training_record_id)
  SELECT DISTINCT ON (i.plan_item_id) i.plan_item_id, 100, t.training_record_id
    FROM gone
    JOIN plan_item i USING (plan_item_id)
    JOIN development_plan p USING (plan_id)
    JOIN training_record t ON t.employee_id = p.employee_id AND t.resource_id = i.resource_id AND t.passed
      AND t.completed_on >= p.planned_on
   ORDER BY i.plan_item_id, t.training_record_id;
END;
COMMENT ON FUNCTION training_unrecorded(training_record[]) IS
  'Consequence of a training that is corrected or deleted: it is no progress any more.';
SELECT register_follow('training_record', '{update,delete}', 790, 'training_unrecorded',
                       changed => '{employee_id,resource_id,completed_on,passed}');

CREATE FUNCTION training_rescored(records training_record[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  UPDATE training_record t SET passed = t.score >= m.mark
    FROM unnest(records) o CROSS JOIN (SELECT setting_number('exam.pass_mark') AS mark) m
   WHERE t.training_record_id = o.training_record_id AND t.passed = o.passed AND o.passed = (o.score >= m.mark)
     AND t.passed <> (t.score >= m.mark);
END;
COMMENT ON FUNCTION training_rescored(training_record[]) IS
  'Consequence of another score: whether the exam was passed follows it, unless somebody said so otherwise, then or '
  'now (TRN-02).';
SELECT register_follow('training_record', '{update}', 500, 'training_rescored', changed => '{score}');

-- skill levels ----------------------------------------------------------------

CREATE VIEW skill_timeline WITH (security_invoker) AS
  WITH held AS NOT MATERIALIZED (
    SELECT c.employee_id, l.skill_id, l.rank, c.certification_result_id, c.achieved_on AS from_date,
           LEAST(c.expires_on, v.reversed_on) AS until_date
      FROM certification_result c
      JOIN certification k USING (certification_id)
      JOIN skill_level l USING (skill_level_id)
      LEFT JOIN certification_reversal v USING (certification_result_id)
     WHERE c.passed AND (v.reversed_on IS NULL OR v.reversed_on > c.achieved_on)
  ), change AS NOT MATERIALIZED (
    SELECT employee_id, skill_id, from_date AS on_date FROM held
    UNION SELECT employee_id, skill_id, until_date FROM held WHERE until_date IS NOT NULL
  ), best AS (
    SELECT c.employee_id, c.skill_id, c.on_date, h.rank, h.certification_result_id,
           lag(h.rank) OVER w IS DISTINCT FROM h.rank AS changed
      FROM change c
      LEFT JOIN LATERAL (SELECT h.rank, h.certification_result_id FROM held h
                          WHERE h.employee_id = c.employee_id AND h.skill_id = c.skill_id
                            AND h.from_date <= c.on_date AND (h.until_date IS NULL OR h.until_date > c.on_date)
                          ORDER BY h.rank DESC, h.from_date, h.certification_result_id LIMIT 1) h ON true
    WINDOW w AS (PARTITION BY c.employee_id, c.skill_id ORDER BY c.on_date)
  ), step AS (
    SELECT b.*, lead(b.on_date) OVER (PARTITION BY b.employee_id, b.skill_id ORDER BY b.on_date) AS until_date
      FROM best b WHERE b.changed
  )
  SELECT s.employee_id, s.skill_id, l.skill_level_id, s.rank, s.on_date AS valid_from, s.until_date AS valid_until,
         s.certification_result_id
    FROM step s LEFT JOIN skill_level l ON l.skill_id = s.skill_id AND l.rank = s.rank;
COMMENT ON VIEW skill_timeline IS
  'Levels that the results come to: at every moment the highest one that is held. A level never drops by itself, only '
  'by expiry or reversal.';
COMMENT ON COLUMN skill_timeline.employee_id IS 'Whose.';
COMMENT ON COLUMN skill_timeline.skill_id IS 'Skill.';
COMMENT ON COLUMN skill_timeline.skill_level_id IS 'Level; null: none any more.';
COMMENT ON COLUMN skill_timeline.rank IS 'Its rung.';
COMMENT ON COLUMN skill_timeline.valid_from IS 'First day.';
COMMENT ON COLUMN skill_timeline.valid_until IS 'Day after the last; null: open.';
COMMENT ON COLUMN skill_timeline.certification_result_id IS 'Result that gives it.';

-- What a level is worth can change, for everybody who has it, while somebody reaches
-- it: who changes that waits for them, and they for it, before they wait for each other.
CREATE FUNCTION hold_allowances(changed boolean DEFAULT false) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT CASE WHEN changed THEN pg_advisory_xact_lock('certification'::regclass::oid::int, 0)
              ELSE pg_advisory_xact_lock_shared('certification'::regclass::oid::int, 0) END;
END;
COMMENT ON FUNCTION hold_allowances(boolean) IS
  'Until the transaction ends the rules of allowances do not change; changed: nobody else is certified or trained. '
  'Comes before the lock of an employee.';

CREATE FUNCTION skill_follow(employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_allowances();
  -- one after the other per person, in key order
  SELECT hold_employees(employees);
  WITH want AS (
    -- person by person: before anybody has counted how many levels stand, the planner takes these for few and reads
    -- them all
    SELECT t.employee_id, t.skill_id, t.skill_level_id, daterange(t.valid_from, t.valid_until) AS valid,
           t.certification_result_id
      FROM unnest(employees) AS k (employee_id)
      CROSS JOIN LATERAL (SELECT l.* FROM skill_timeline l
                          WHERE l.employee_id = k.employee_id AND l.skill_level_id IS NOT NULL OFFSET 0) t
  ), have AS (
    SELECT h.* FROM unnest(employees) AS k (employee_id)
     CROSS JOIN LATERAL (SELECT l.* FROM employee_skill_level l
                         WHERE l.employee_id = k.employee_id AND l.superseded_by IS NULL OFFSET 0) h
  ), old AS (
    SELECT h.* FROM have h WHERE NOT EXISTS (SELECT FROM want w
                                             WHERE w.employee_id = h.employee_id AND w.skill_id = h.skill_id
                                                AND w.skill_level_id = h.skill_level_id AND w.valid = h.valid
                                                  AND w.certification_result_id = h.certification_result_id)
  ), new AS (
    SELECT w.* FROM want w WHERE NOT EXISTS (SELECT FROM have h
                                             WHERE w.employee_id = h.employee_id AND w.skill_id = h.skill_id
                                                AND w.skill_level_id = h.skill_level_id AND w.valid = h.valid
                                                  AND w.certification_result_id = h.certification_result_id)
  ), d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, rule_id, inputs, outcome)
    SELECT 'skill.level', u.employee_id, 'certification_result',
           coalesce(max(u.certification_result_id) FILTER (WHERE u.fresh), max(u.certification_result_id)), 'skill',
           u.skill_id,
           jsonb_build_object('before', jsonb_agg(jsonb_build_object('level', l.code, 'from', lower(u.valid), 'until',
                                                                     upper(u.valid))
                                                                       ORDER BY u.valid) FILTER (WHERE NOT u.fresh)),
           jsonb_build_object('after', jsonb_agg(jsonb_build_object('level', l.code, 'from', lower(u.valid), 'until',
                                                                    upper(u.valid))
                                                                      ORDER BY u.valid) FILTER (WHERE u.fresh))
      FROM (SELECT o.employee_id, o.skill_id, o.skill_level_id, o.valid, o.certification_result_id, false AS fresh
            FROM old o
            UNION ALL
            SELECT n.employee_id, n.skill_id, n.skill_level_id, n.valid, n.certification_result_id, true FROM new n) u
      JOIN skill_level l USING (skill_level_id)
     GROUP BY u.employee_id, u.skill_id ORDER BY u.employee_id, u.skill_id
    RETURNING decision_id, employee_id, rule_id AS skill_id
  ), gone AS (
    UPDATE employee_skill_level h SET superseded_by = d.decision_id
      FROM old o JOIN d USING (employee_id, skill_id) WHERE h.employee_skill_level_id = o.employee_skill_level_id
    RETURNING 1
  )
  -- the new rows come in closed: parts of one statement run in no stated order, and old and new may not overlap
  INSERT INTO employee_skill_level (employee_id, skill_id, skill_level_id, valid, certification_result_id, decision_id,
                                    superseded_by)
  SELECT n.employee_id, n.skill_id, n.skill_level_id, n.valid, n.certification_result_id, d.decision_id, d.decision_id
    FROM new n JOIN d USING (employee_id, skill_id)
   ORDER BY n.employee_id, n.skill_id, n.valid;
  UPDATE employee_skill_level h SET superseded_by = NULL
   WHERE h.employee_id = ANY (employees) AND h.superseded_by = h.decision_id;
END;
COMMENT ON FUNCTION skill_follow(bigint[]) IS
  'Consequences of certifications: the level rows that differ from the timeline are superseded, what is missing is '
  'added, with one decision per person and skill (TRN-14).';
SELECT register_follow('certification_result', '{insert}', 500, 'skill_follow', key => 'employee_id');
SELECT register_follow('certification_reversal', '{insert}', 500, 'skill_follow', key => 'employee_id');

CREATE FUNCTION training_result(employee bigint, record bigint)
  RETURNS TABLE (result_id bigint, certification_id bigint, achieved_on date) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT c.certification_result_id, c.certification_id, c.achieved_on FROM certification_result c
   WHERE c.employee_id = employee AND c.source = 'training' AND split_part(c.external_id, ':', 1) = record::text;
END;
COMMENT ON FUNCTION training_result(bigint, bigint) IS 'Certifications that a training gave somebody.';

CREATE FUNCTION training_certifies(records bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO certification_result (employee_id, certification_id, achieved_on, source, external_id)
  SELECT t.employee_id, k.certification_id, t.completed_on, 'training',
         n.key || CASE WHEN EXISTS (SELECT FROM certification_result c
                                    WHERE c.source = 'training' AND c.external_id = n.key)
                       THEN format('/%s/%s', t.employee_id,
                                   (SELECT count(*) FROM training_result(t.employee_id, t.training_record_id) c))
                                     ELSE '' END
    FROM training_record t JOIN certification k USING (resource_id)
    CROSS JOIN LATERAL (SELECT t.training_record_id || ':' || k.certification_id AS key) n
   WHERE t.training_record_id = ANY (records) AND t.passed
     AND NOT EXISTS (SELECT FROM training_result(t.employee_id, t.training_record_id) c
                     WHERE c.certification_id = k.certification_id AND c.achieved_on = t.completed_on
                        AND NOT EXISTS (SELECT FROM certification_reversal v
                                        WHERE v.certification_result_id = c.result_id))
  ON CONFLICT ON CONSTRAINT certification_result_once DO NOTHING;
END;
COMMENT ON FUNCTION training_certifies(bigint[]) IS
  'A course with its exam passed gives the certification that hangs on it (TRN-14).';
SELECT register_follow('training_record', '{insert,update}', 700, 'training_certifies', key => 'training_record_id',
                       changed => '{employee_id,resource_id,completed_on,passed}');

CREATE FUNCTION training_decertifies(was training_record[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO certification_reversal (certification_result_id, employee_id, reversed_on, reason)
  SELECT c.result_id, w.employee_id, c.achieved_on,
         sentence('certification.corrected', '{}', setting_text('signal.locale'))
    FROM unnest(was) w
    CROSS JOIN LATERAL training_result(w.employee_id, w.training_record_id) c
   WHERE NOT EXISTS (SELECT FROM certification_reversal v WHERE v.certification_result_id = c.result_id)
     AND NOT EXISTS (SELECT FROM training_record t
                     WHERE t.training_record_id = w.training_record_id AND t.employee_id = w.employee_id
                        AND t.resource_id = w.resource_id AND t.passed AND t.completed_on = c.achieved_on)
   ORDER BY c.result_id;
END;
COMMENT ON FUNCTION training_decertifies(training_record[]) IS
  'A training that is corrected or deleted takes the certification along that it gave, as of the day it was given '
  '(TRN-14).';
SELECT register_follow('training_record', '{update,delete}', 570, 'training_decertifies',
                       changed => '{employee_id,resource_id,completed_on,passed}');

CREATE FUNCTION course_state(review bigint)
  RETURNS TABLE (courses bigint, completed bigint, exams bigint, exam_score numeric, missing text, eligible boolean)
    STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(*) FILTER (WHERE NOT k.exam), count(*) FILTER (WHERE NOT k.exam AND k.done),
         count(*) FILTER (WHERE k.exam),
         CASE WHEN bool_and(k.best IS NOT NULL) FILTER (WHERE k.exam) THEN min(k.best) FILTER (WHERE k.exam) END,
         string_agg(k.name, ', ' ORDER BY k.cycle_course_id) FILTER (WHERE NOT k.done), bool_and(k.done)
    FROM (SELECT cc.cycle_course_id, cc.exam, o.name, t.best,
                 CASE WHEN cc.exam THEN coalesce(t.best >= setting_number('exam.pass_mark'), t.passed, false)
                      ELSE coalesce(t.passed, false) END AS done
            FROM review r
            JOIN cycle_course cc ON cc.cycle_id = r.cycle_id
            JOIN resource o ON o.resource_id = cc.resource_id
            LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id
            LEFT JOIN job j ON j.job_id = r.job_id
            CROSS JOIN LATERAL (SELECT max(t.score) AS best, bool_or(t.passed) AS passed FROM training_record t
                                 WHERE t.employee_id = r.employee_id AND t.resource_id = cc.resource_id
                                   AND (cc.since IS NULL OR t.completed_on >= cc.since)) t
           WHERE r.review_id = course_state.review
             AND (cc.unit_kind IS NULL OR cc.unit_kind = u.unit_kind)
             AND (cc.job_family IS NULL OR cc.job_family = j.job_family)
             AND (cc.job_id IS NULL OR cc.job_id = r.job_id)) k
  HAVING count(*) > 0;
END;
COMMENT ON FUNCTION course_state(bigint) IS
  'Required courses and exams of a review and how many are done; exam_score: the lowest of the best scores, null while '
  'an exam was not taken. No row: nothing is required (TRN-02).';

CREATE FUNCTION course_gate(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who finishes a course at the same time goes first, or finds the gate
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r JOIN cycle_course cc USING (cycle_id)
                               WHERE r.review_id = ANY (reviews) AND r.status = 'open'));
  WITH g AS (
    INSERT INTO review_gate (cycle_id, employee_id, reason)
    SELECT r.cycle_id, r.employee_id, sentence('course.gate', jsonb_build_object('courses', k.missing),
                                               setting_text('signal.locale'))
      FROM review r CROSS JOIN LATERAL course_state(r.review_id) k
     WHERE r.review_id = ANY (reviews) AND r.status = 'open' AND NOT k.eligible
       AND EXISTS (SELECT FROM cycle_course cc WHERE cc.cycle_id = r.cycle_id)
     ORDER BY r.review_id
    ON CONFLICT (cycle_id, employee_id) DO NOTHING
    RETURNING review_gate_id, cycle_id, employee_id, reason
  )
  INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
  SELECT 'review.gate', g.employee_id, 'review_gate', g.review_gate_id, 'cycle_course',
         jsonb_build_object('cycle', c.code, 'courses', k.courses, 'completed', k.completed, 'exam_score', k.exam_score,
                            'pass_mark', setting_number('exam.pass_mark'), 'missing', k.missing),
         jsonb_build_object('status', 'blocked')
    FROM g JOIN review_cycle c USING (cycle_id) JOIN review r USING (cycle_id, employee_id)
      CROSS JOIN LATERAL course_state(r.review_id) k
   ORDER BY r.review_id;
  UPDATE review r SET status = 'blocked', block_reason = g.reason
    FROM review_gate g
   WHERE r.review_id = ANY (reviews) AND r.status = 'open'
     AND g.cycle_id = r.cycle_id AND g.employee_id = r.employee_id AND g.waived_because IS NULL;
END;
COMMENT ON FUNCTION course_gate(bigint[]) IS
  'Consequence of a new review: it is blocked while required courses or exams are missing, with a decision (TRN-02).';
SELECT register_follow('review', '{insert}', 600, 'course_gate', key => 'review_id');

CREATE FUNCTION course_regate(was training_record[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_rules() WHERE EXISTS (SELECT FROM cycle_course);
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r
                            WHERE r.employee_id IN (SELECT w.employee_id FROM unnest(was) w)
                               AND (r.status = 'blocked' OR r.status = 'open'
                                    AND EXISTS (SELECT FROM cycle_course cc WHERE cc.cycle_id = r.cycle_id))));
  SELECT hold_allowances();
  SELECT hold_employees(ARRAY(SELECT w.employee_id FROM unnest(was) w));
  -- what is being scored goes on, as what is locked stands
  SELECT course_gate(t.reviews)
    FROM (SELECT array_agg(r.review_id ORDER BY r.review_id) AS reviews FROM review r
           WHERE r.employee_id IN (SELECT w.employee_id FROM unnest(was) w) AND r.status = 'open' AND r.items_scored = 0
             AND EXISTS (SELECT FROM cycle_course cc WHERE cc.cycle_id = r.cycle_id)
             AND NOT EXISTS (SELECT FROM review_gate g WHERE g.cycle_id = r.cycle_id AND g.employee_id = r.employee_id)
             AND EXISTS (SELECT FROM decision d
                         WHERE d.employee_id = r.employee_id AND d.kind = 'review.gate_cleared'
                           AND d.outcome -> 'review' = to_jsonb(r.review_id))) t
   WHERE t.reviews IS NOT NULL;
END;
COMMENT ON FUNCTION course_regate(training_record[]) IS
  'Consequence of a training that is corrected or deleted: a review that it opened and that nobody has scored yet is '
  'blocked again (TRN-02).';
SELECT register_follow('training_record', '{update,delete}', 505, 'course_regate',
                       changed => '{employee_id,resource_id,completed_on,passed,score}');

CREATE FUNCTION course_ungate(records bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- a review that opens again meets the rules; who opens a cycle at the same time goes first, or finds the course
  SELECT hold_rules() WHERE EXISTS (SELECT FROM cycle_course);
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r
                             WHERE r.employee_id IN (SELECT t.employee_id FROM training_record t
                                                      WHERE t.training_record_id = ANY (records))
                               AND r.status = 'blocked'));
  SELECT hold_allowances();
  SELECT hold_employees(ARRAY(SELECT t.employee_id FROM training_record t
                               WHERE t.training_record_id = ANY (records)));
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
    SELECT 'review.gate_cleared', r.employee_id, 'review_gate', g.review_gate_id, 'cycle_course',
           jsonb_build_object('cycle', c.code, 'courses', k.courses, 'completed', k.completed, 'exam_score',
                              k.exam_score,
                              'pass_mark', setting_number('exam.pass_mark')),
           jsonb_build_object('status', 'open', 'review', r.review_id)
      FROM review r
      JOIN review_cycle c USING (cycle_id)
      JOIN review_gate g USING (cycle_id, employee_id)
      CROSS JOIN LATERAL course_state(r.review_id) k
     WHERE r.employee_id IN (SELECT t.employee_id FROM training_record t WHERE t.training_record_id = ANY (records))
       AND r.status = 'blocked' AND k.eligible AND g.waived_because IS NULL
       -- a gate that somebody else put up is not ours to open
       AND EXISTS (SELECT FROM decision x
                   WHERE x.cause_id = g.review_gate_id AND x.cause = 'review_gate' AND x.kind = 'review.gate')
     ORDER BY r.review_id
    RETURNING decision_id, employee_id, cause_id, inputs ->> 'cycle' AS cycle
  ), gone AS (
    DELETE FROM review_gate g USING d WHERE g.review_gate_id = d.cause_id
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT d.employee_id, 'employee', 'course.cleared', 'gate:' || d.cause_id, jsonb_build_object('cycle', d.cycle),
         d.decision_id FROM d
  ON CONFLICT DO NOTHING;
  UPDATE review r SET status = 'open', block_reason = NULL
   WHERE r.employee_id IN (SELECT t.employee_id FROM training_record t WHERE t.training_record_id = ANY (records))
     AND r.status = 'blocked'
     AND EXISTS (SELECT FROM decision x WHERE x.employee_id = r.employee_id AND x.kind = 'review.gate_cleared'
                    AND x.outcome -> 'review' = to_jsonb(r.review_id)
                      AND hrloop.of_this_transaction(x.xmin, x.decided_at))
     AND NOT EXISTS (SELECT FROM review_gate g
                     WHERE g.cycle_id = r.cycle_id AND g.employee_id = r.employee_id AND g.waived_because IS NULL);
END;
COMMENT ON FUNCTION course_ungate(bigint[]) IS
  'Consequence of a training record: who has finished all that is required takes part from now on, with a decision; '
  'gates put up by people stay (TRN-02).';
-- before allowance_follow, which locks employees: the rules come before them
SELECT register_follow('training_record', '{insert,update}', 510, 'course_ungate', key => 'training_record_id',
                       changed => '{employee_id,resource_id,passed,score,completed_on}');

-- courses pushed by position (TRN-01) -----------------------------------------

CREATE FUNCTION push_to_assignments(assignments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO enrolment (employee_id, resource_id, course_push_id)
  SELECT DISTINCT ON (a.employee_id, p.resource_id) a.employee_id, p.resource_id, p.course_push_id
    FROM assignment a
    JOIN org_unit u ON u.org_unit_id = a.org_unit_id
    JOIN job j ON j.job_id = a.job_id
    JOIN course_push p ON (p.unit_kind IS NULL OR p.unit_kind = u.unit_kind)
      AND (p.job_family IS NULL OR p.job_family = j.job_family)
                      AND (p.job_id IS NULL OR p.job_id = a.job_id)
    JOIN resource o ON o.resource_id = p.resource_id AND o.active
   WHERE a.assignment_id = ANY (assignments) AND a.is_primary
     -- not what somebody was sent, or has passed
     AND NOT EXISTS (SELECT FROM enrolment x WHERE x.employee_id = a.employee_id AND x.resource_id = p.resource_id)
     AND NOT EXISTS (SELECT FROM training_record t
                     WHERE t.employee_id = a.employee_id AND t.resource_id = p.resource_id AND t.passed)
   ORDER BY a.employee_id, p.resource_id, specificity(p.unit_kind, p.job_family, p.job_id), p.course_push_id
  ON CONFLICT (employee_id, resource_id) DO NOTHING;
END;
COMMENT ON FUNCTION push_to_assignments(bigint[]) IS
  'Consequence of a new position: courses for it, once per person and course (TRN-01).';
SELECT register_follow('assignment', '{insert,update}', 510, 'push_to_assignments', key => 'assignment_id',
                       changed => '{employee_id,org_unit_id,job_id,is_primary}');

CREATE FUNCTION push_taken_back(was assignment[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  DELETE FROM enrolment x USING course_push p
   WHERE x.employee_id IN (SELECT w.employee_id FROM unnest(was) w) AND p.course_push_id = x.course_push_id
     AND NOT EXISTS (SELECT FROM training_record t
                     WHERE t.employee_id = x.employee_id AND t.resource_id = x.resource_id)
     AND NOT EXISTS (SELECT FROM assignment a JOIN org_unit u USING (org_unit_id) JOIN job j USING (job_id)
                      WHERE a.employee_id = x.employee_id AND a.is_primary
                        AND (p.unit_kind IS NULL OR p.unit_kind = u.unit_kind)
                        AND (p.job_family IS NULL OR p.job_family = j.job_family)
                          AND (p.job_id IS NULL OR p.job_id = a.job_id));
END;
COMMENT ON FUNCTION push_taken_back(assignment[]) IS
  'Consequence of a position that was entered by mistake: courses that were pushed for no other one, and not begun, '
  'are taken back (TRN-01).';
SELECT register_follow('assignment', '{update,delete}', 500, 'push_taken_back',
                       changed => '{employee_id,org_unit_id,job_id,is_primary}');

CREATE FUNCTION push_to_reviews(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT push_to_assignments(due.ids) FROM (
    SELECT array_agg(a.assignment_id ORDER BY a.assignment_id) AS ids
      FROM review r JOIN review_cycle c USING (cycle_id)
      JOIN assignment a ON a.employee_id = r.employee_id AND a.is_primary AND a.org_unit_id = r.org_unit_id
        AND a.job_id = r.job_id AND a.valid && c.period
     WHERE r.review_id = ANY (reviews) AND EXISTS (SELECT FROM course_push)) due
   WHERE due.ids IS NOT NULL;
END;
COMMENT ON FUNCTION push_to_reviews(bigint[]) IS
  'Consequence of a cycle that opens: courses for everybody in it by position (TRN-01).';
SELECT register_follow('review', '{insert}', 650, 'push_to_reviews', key => 'review_id');

CREATE FUNCTION enrolment_told(enrolments bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
  SELECT x.employee_id, 'employee', 'course.pushed', 'enrolment:' || x.enrolment_id,
         jsonb_build_object('course', o.name)
    FROM enrolment x JOIN resource o USING (resource_id) WHERE x.enrolment_id = ANY (enrolments) ORDER BY x.enrolment_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION enrolment_told(bigint[]) IS 'Who is enrolled is told (TRN-01).';
SELECT register_follow('enrolment', '{insert}', 800, 'enrolment_told', key => 'enrolment_id');

-- the question corner (TRN-04) ------------------------------------------------

CREATE FUNCTION question_told(questions bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
  SELECT n.recipient_id, n.role, n.kind, 'question:' || q.question_id,
         jsonb_build_object('employee', e.name, 'question', q.body, 'answer', coalesce(q.answer, '-'))
    FROM question q JOIN employee e USING (employee_id)
    CROSS JOIN LATERAL (VALUES (NULL::bigint, 'hr', 'question.asked', q.answer IS NULL),
                               (q.replier_id, 'department_manager', 'question.asked', q.answer IS NULL
                                AND q.replier_id IS NOT NULL),
                               (q.employee_id, 'employee', 'question.answered', q.answer IS NOT NULL))
                                 AS n (recipient_id, role, kind, due)
   WHERE q.question_id = ANY (questions) AND n.due
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION question_told(bigint[]) IS
  'Head and HR are told of a question, the employee of the answer (TRN-04).';
SELECT register_follow('question', '{insert,update}', 800, 'question_told', key => 'question_id',
                       changed => '{answer}');
