-- learn: what people and applications call.

CREATE FUNCTION record_training(employee text, course text, completed_on date, score numeric DEFAULT NULL,
                                passed boolean DEFAULT NULL,
                                source text DEFAULT 'platform', external_id text DEFAULT NULL,
                                reason text DEFAULT NULL) RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO quarantine (source, external_id, payload, problem)
  SELECT record_training.source, record_training.external_id,
         jsonb_build_object('employee', employee, 'course', course, 'completed_on', record_training.completed_on,
                            'score', record_training.score, 'passed', record_training.passed),
         concat_ws('; ', CASE WHEN NOT EXISTS (SELECT FROM employee e WHERE e.employee_no = record_training.employee)
                   THEN 'unknown employee' END,
                         CASE WHEN NOT EXISTS (SELECT FROM resource r
                                               WHERE r.code = record_training.course
                                                 AND r.kind = 'course') THEN 'unknown course' END)
   WHERE NOT EXISTS (SELECT FROM employee e WHERE e.employee_no = record_training.employee)
      OR NOT EXISTS (SELECT FROM resource r WHERE r.code = record_training.course AND r.kind = 'course')
  ON CONFLICT ON CONSTRAINT quarantine_once DO NOTHING;
  INSERT INTO training_record (employee_id, resource_id, completed_on, score, passed, source, external_id, reason)
  SELECT e.employee_id, r.resource_id, record_training.completed_on, record_training.score,
         coalesce(record_training.passed, record_training.score >= (SELECT setting_number('exam.pass_mark')), true),
         record_training.source, record_training.external_id, record_training.reason
    FROM employee e, resource r
   WHERE e.employee_no = record_training.employee AND r.code = record_training.course AND r.kind = 'course'
  ON CONFLICT ON CONSTRAINT training_record_once DO NOTHING;
  UPDATE quarantine q SET resolved_at = now()
   WHERE q.source = record_training.source AND q.external_id = record_training.external_id AND q.resolved_at IS NULL
     AND EXISTS (SELECT FROM training_record t WHERE t.source = q.source AND t.external_id = q.external_id);
  SELECT CASE WHEN EXISTS (SELECT FROM employee e WHERE e.employee_no = record_training.employee)
               AND EXISTS (SELECT FROM resource r WHERE r.code = record_training.course AND r.kind = 'course')
              THEN 'recorded' ELSE 'quarantined' END;
END;
COMMENT ON FUNCTION record_training(text, text, date, numeric, boolean, text, text, text) IS
  'Store a finished training; the same source and external id once. passed, if nobody says it: whether the score '
  'reaches setting exam.pass_mark; without a score or a mark it is. Returns recorded, or quarantined if employee or '
  'course is unknown. Error 23514: score out of range, manual entry without reason.';

-- skill levels ----------------------------------------------------------------

CREATE FUNCTION find_certification(code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN CASE WHEN code IS NOT NULL THEN coalesce(
    (SELECT c.certification_id FROM certification c WHERE c.code = find_certification.code),
    unknown_code('certification', code)) END;
COMMENT ON FUNCTION find_certification(text) IS 'Key of a certification code; null for null. Error 22023: unknown.';

CREATE FUNCTION certify(employee text, certification text, achieved_on date, passed boolean DEFAULT true,
                        expires_on date DEFAULT NULL,
                        source text DEFAULT 'manual',
                        external_id text DEFAULT NULL) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO certification_result (employee_id, certification_id, passed, achieved_on, expires_on, source, external_id)
  VALUES (find_employee(employee), find_certification(certification), certify.passed, certify.achieved_on,
          certify.expires_on,
          certify.source, certify.external_id)
  ON CONFLICT ON CONSTRAINT certification_result_once DO NOTHING;
  SELECT max(c.certification_result_id) FROM certification_result c
   WHERE c.employee_id = (SELECT find_employee(employee))
     AND c.certification_id = (SELECT find_certification(certification))
     AND c.source = certify.source AND (certify.external_id IS NULL OR c.external_id = certify.external_id);
END;
COMMENT ON FUNCTION certify(text, text, date, boolean, date, text, text) IS
  'Enter the result of a certification: skill level and allowance follow by themselves (TRN-14, PAY-07). Source '
  'initial: the level somebody starts with. The same source and external id counts once. Errors: 22023 unknown code, '
  '23514 expires before it begins.';

CREATE FUNCTION reverse_certification(employee text, certification text, reason text,
                                      reversed_on date DEFAULT today(), achieved_on date DEFAULT NULL)
  RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr}', format('reverse a certification of employee %s', employee));
  -- who comes second finds it reversed; held in the order of skill_follow
  SELECT hold_allowances();
  SELECT hold_employees(ARRAY[find_employee(employee)]);
  SELECT hrloop.fail('55000', format('employee %s has no certification "%s" that could be reversed', employee,
                                     certification), NULL,
                     'It must have been passed, and not reversed before.')
   WHERE NOT EXISTS (SELECT FROM certification_result c
                     LEFT JOIN certification_reversal v USING (certification_result_id)
                      WHERE c.employee_id = (SELECT find_employee(employee))
                        AND c.certification_id = (SELECT find_certification(certification))
                        AND (reverse_certification.achieved_on IS NULL
                             OR c.achieved_on = reverse_certification.achieved_on)
                        AND c.passed AND v.certification_result_id IS NULL);
  INSERT INTO certification_reversal (certification_result_id, employee_id, reversed_on, reason)
  SELECT c.certification_result_id, c.employee_id, reverse_certification.reversed_on, reverse_certification.reason
    FROM certification_result c LEFT JOIN certification_reversal v USING (certification_result_id)
   WHERE c.employee_id = (SELECT find_employee(employee))
     AND c.certification_id = (SELECT find_certification(certification))
     AND (reverse_certification.achieved_on IS NULL OR c.achieved_on = reverse_certification.achieved_on)
     AND c.passed AND v.certification_result_id IS NULL
  -- or with the snapshot of an earlier transaction does not see it: 40001
  ON CONFLICT DO NOTHING
  RETURNING certification_result_id;
END;
COMMENT ON FUNCTION reverse_certification(text, text, text, date, date) IS
  'Take a certification back from a day on: level and allowance follow, what was paid stays. Errors: 55000 nothing to '
  'reverse, 23514 no reason, 22023 unknown code, 42501 not HR.';

CREATE FUNCTION require_course(cycle text, course text, exam boolean DEFAULT false, unit_kind text DEFAULT NULL,
                               job_family text DEFAULT NULL, job text DEFAULT NULL,
                               since date DEFAULT NULL) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('course', course)
   WHERE NOT EXISTS (SELECT FROM resource r WHERE r.code = course AND r.kind = 'course');
  INSERT INTO cycle_course (cycle_id, resource_id, exam, unit_kind, job_family, job_id, since)
  VALUES (find_cycle(cycle), find_resource(course), coalesce(require_course.exam, false), require_course.unit_kind,
          require_course.job_family,
          find_job(job), require_course.since)
  RETURNING cycle_course_id;
END;
COMMENT ON FUNCTION require_course(text, text, boolean, text, text, text, date) IS
  'A course, or with exam => true an exam, without which nobody takes part in a cycle: for everybody, a kind of unit, '
  'a job family or a job (TRN-02). Errors: 22023 unknown, 55000 the cycle is open, 23505 required already.';

CREATE FUNCTION waive_gate(cycle text, employee text, reason text) RETURNS text VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot waive the gate of employee %s', who(), employee), NULL,
                     'HR does; not for oneself.')
   WHERE actor() IS NOT NULL AND (NOT holds_role('hr', actor()) OR actor() = (SELECT find_employee(employee)));
  SELECT hrloop.fail('23502', 'a waiver needs a reason', NULL, 'Say why the employee may take part all the same.',
                     'review_gate', 'waived_because')
   WHERE hrloop.meaningful_chars(coalesce(reason, '')) = 0;
  SELECT hrloop.fail('55000', format('nothing keeps employee %s from cycle %s', employee, cycle), NULL,
                     'There is no review_gate, or it is waived.')
   WHERE NOT EXISTS (SELECT FROM review_gate g
                     WHERE g.cycle_id = (SELECT find_cycle(cycle)) AND g.employee_id = (SELECT find_employee(employee))
                       AND g.waived_because IS NULL);
  SELECT hold_rules();
  SELECT hold_reviews(ARRAY(SELECT r.review_id FROM review r
                             WHERE r.cycle_id = (SELECT find_cycle(cycle))
                               AND r.employee_id = (SELECT find_employee(employee))));
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'review.gate_waived', g.employee_id, 'review_gate', g.review_gate_id, jsonb_build_object('gate', g.reason),
         '{"status": "open"}', waive_gate.reason
    FROM review_gate g WHERE g.cycle_id = (SELECT find_cycle(cycle))
      AND g.employee_id = (SELECT find_employee(employee)) AND g.waived_because IS NULL;
  UPDATE review_gate g SET waived_because = waive_gate.reason
   WHERE g.cycle_id = (SELECT find_cycle(cycle)) AND g.employee_id = (SELECT find_employee(employee))
     AND g.waived_because IS NULL;
  UPDATE review r SET status = 'open', block_reason = NULL
   WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.employee_id = (SELECT find_employee(employee))
     AND r.status = 'blocked';
  SELECT max(r.status) FROM review r WHERE r.cycle_id = (SELECT find_cycle(cycle))
    AND r.employee_id = (SELECT find_employee(employee));
END;
COMMENT ON FUNCTION waive_gate(text, text, text) IS
  'HR lets somebody take part in a cycle all the same, with a reason; a decision keeps it, the review opens at once. '
  'Returns the review''s status, null while there is none (TRN-02). Errors: 42501 not HR, or for oneself; 23502 no '
  'reason; 55000 nothing to waive; 22023 unknown.';

CREATE FUNCTION remind_unfinished(cycle text, on_date date DEFAULT today()) RETURNS bigint VOLATILE
  SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('42501', format('%s cannot remind the staff of cycle %s', who(), cycle), NULL, 'HR does.')
   WHERE actor() IS NOT NULL AND NOT holds_role('hr', actor());
  WITH sent AS (
    INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
    SELECT r.employee_id, 'employee', 'course.remind', 'cycle:' || r.cycle_id || ':' || to_char(on_date, 'YYYY-MM-DD'),
           jsonb_build_object('cycle', c.code, 'courses', k.missing)
      FROM review r JOIN review_cycle c USING (cycle_id) CROSS JOIN LATERAL course_state(r.review_id) k
     WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND r.status = 'blocked' AND NOT k.eligible
     ORDER BY r.employee_id
    ON CONFLICT DO NOTHING RETURNING 1)
  SELECT count(*) FROM sent;
END;
COMMENT ON FUNCTION remind_unfinished(text, date) IS
  'HR reminds everybody who is kept from a cycle by missing courses, once a day; returns the number of notices '
  '(TRN-03). Errors: 42501 not HR, 22023 unknown.';

-- courses pushed by position (TRN-01) -----------------------------------------

CREATE FUNCTION add_course_push(course text, unit_kind text DEFAULT NULL, job_family text DEFAULT NULL,
                                job text DEFAULT NULL)
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('course', course)
   WHERE NOT EXISTS (SELECT FROM resource r WHERE r.code = course AND r.kind = 'course');
  INSERT INTO course_push (resource_id, unit_kind, job_family, job_id)
  VALUES (find_resource(course), add_course_push.unit_kind, add_course_push.job_family, find_job(job))
    RETURNING course_push_id;
END;
COMMENT ON FUNCTION add_course_push(text, text, text, text) IS
  'Push a course to everybody, a kind of unit, a job family or a job, whenever a cycle opens or somebody takes a '
  'position; push_courses() does it now (TRN-01). Errors: 22023 unknown, 23505 there already.';

CREATE FUNCTION push_courses(on_date date DEFAULT today()) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  WITH sent AS (
    INSERT INTO enrolment (employee_id, resource_id, course_push_id)
    SELECT DISTINCT ON (a.employee_id, p.resource_id) a.employee_id, p.resource_id, p.course_push_id
      FROM assignment a
      JOIN employee_status s ON s.employee_id = a.employee_id AND s.valid @> on_date AND s.status <> 'left'
      JOIN org_unit u ON u.org_unit_id = a.org_unit_id
      JOIN job j ON j.job_id = a.job_id
      JOIN course_push p ON (p.unit_kind IS NULL OR p.unit_kind = u.unit_kind)
        AND (p.job_family IS NULL OR p.job_family = j.job_family)
                        AND (p.job_id IS NULL OR p.job_id = a.job_id)
      JOIN resource o ON o.resource_id = p.resource_id AND o.active
     WHERE a.valid @> on_date AND a.is_primary
       AND NOT EXISTS (SELECT FROM enrolment x WHERE x.employee_id = a.employee_id AND x.resource_id = p.resource_id)
       AND NOT EXISTS (SELECT FROM training_record t
                       WHERE t.employee_id = a.employee_id AND t.resource_id = p.resource_id AND t.passed)
     ORDER BY a.employee_id, p.resource_id, specificity(p.unit_kind, p.job_family, p.job_id), p.course_push_id
    ON CONFLICT (employee_id, resource_id) DO NOTHING
    RETURNING 1)
  SELECT count(*) FROM sent;
END;
COMMENT ON FUNCTION push_courses(date) IS
  'Push courses to everybody who is employed on a day, as a cycle that opens does; returns the number of new '
  'enrolments, again: 0 (TRN-01).';

-- the question corner (TRN-04) ------------------------------------------------

CREATE FUNCTION ask_question(question text, employee text DEFAULT NULL, asked_at timestamptz DEFAULT now())
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot ask for employee %s', who(), employee), NULL,
                     'Leave the employee out: it is who acts.')
   WHERE actor() IS NOT NULL AND employee IS NOT NULL AND (SELECT find_employee(employee)) <> actor();
  INSERT INTO question (employee_id, asked_at, body, replier_id)
  SELECT x.employee_id, ask_question.asked_at, ask_question.question,
         (SELECT h.employee_id FROM heads_above(x.employee_id, day_of(ask_question.asked_at)) h ORDER BY h.depth
          LIMIT 1)
    FROM (SELECT coalesce((SELECT find_employee(employee)), actor()) AS employee_id) x
  RETURNING question_id;
END;
COMMENT ON FUNCTION ask_question(text, text, timestamptz) IS
  'Ask about the appraisal; the nearest head and HR are told. Returns the key. Errors: 42501 for somebody else, 23502 '
  'nobody asks, 23514 no words, 22023 unknown (TRN-04).';

CREATE FUNCTION answer_question(question bigint, answer text, answered_by text DEFAULT NULL,
                                answered_at timestamptz DEFAULT now())
  RETURNS boolean VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT unknown_code('question', coalesce(question::text, 'null'))
   WHERE NOT EXISTS (SELECT FROM question q WHERE q.question_id = answer_question.question);
  SELECT hrloop.fail('42501', format('%s cannot answer for %s', who(), answer_question.answered_by), NULL,
                     'Leave answered_by out: it is who acts.')
   WHERE actor() IS NOT NULL AND answer_question.answered_by IS NOT NULL
     AND (SELECT find_employee(answer_question.answered_by)) <> actor();
  SELECT hrloop.fail('23502', 'an answer needs words and somebody who gives it', NULL,
                     'Applications call act_as() first.', 'question', 'answer')
   WHERE hrloop.meaningful_chars(coalesce(answer_question.answer, '')) = 0
     OR coalesce((SELECT find_employee(answer_question.answered_by)), actor()) IS NULL;
  UPDATE question q
     SET answer = answer_question.answer, answered_by = coalesce(find_employee(answer_question.answered_by), actor()),
         answered_at = coalesce(answer_question.answered_at, now())
   WHERE q.question_id = answer_question.question AND q.answer IS NULL;
  SELECT coalesce(q.answered_at <= q.asked_at + make_interval(hours => setting_number('qa.sla_hours')::integer), true)
    FROM question q WHERE q.question_id = answer_question.question;
END;
COMMENT ON FUNCTION answer_question(bigint, text, text, timestamptz) IS
  'Answer a question, once; returns whether the answer came in time. Errors: 42501 neither HR nor a head, 23502 no '
  'words or nobody, 23514 before it was asked, 22023 unknown (TRN-04).';
