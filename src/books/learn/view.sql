-- learn: what is shown.

-- the months after a course (TRN-06) ------------------------------------------

CREATE FUNCTION training_figures(record bigint)
  RETURNS TABLE (indicator_id bigint, until_on date, before numeric, n_before bigint, after numeric, n_after bigint)
    STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT b.indicator_id, w.until_on,
         round(avg(r.attainment) FILTER (WHERE r.measured_on <= t.completed_on), 4),
         count(r.attainment) FILTER (WHERE r.measured_on <= t.completed_on),
         round(avg(r.attainment) FILTER (WHERE r.measured_on > t.completed_on), 4),
         count(r.attainment) FILTER (WHERE r.measured_on > t.completed_on)
    FROM training_record t
    CROSS JOIN LATERAL (SELECT (t.completed_on - m.months)::date AS after_day,
                        (t.completed_on + m.months)::date AS until_on
                          FROM (SELECT make_interval(months => setting_number('training.window_months')::integer)
                                         AS months) m) w
    JOIN resource_tag b ON b.resource_id = t.resource_id AND b.indicator_id IS NOT NULL
    LEFT JOIN reading r ON r.employee_id = t.employee_id AND r.indicator_id = b.indicator_id
                       AND r.measured_on > w.after_day AND r.measured_on <= w.until_on
   WHERE t.training_record_id = record
   GROUP BY b.indicator_id, w.until_on;
END;
COMMENT ON FUNCTION training_figures(bigint) IS
  'Mean attainment, and number of readings, of the indicators that a finished course is bound to, in the months up to '
  'its last day and in those after it; null: no reading (TRN-06).';

CREATE FUNCTION training_window(employee text, course text, on_date date DEFAULT today())
  RETURNS TABLE (indicator_code text, completed_on date, until_on date, before numeric, n_before bigint, after numeric,
                 n_after bigint, growth_pct numeric, verdict text)
  STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT i.code, t.completed_on, f.until_on, f.before, f.n_before, f.after, f.n_after,
         CASE WHEN f.until_on <= on_date THEN round((f.after - f.before) / NULLIF(abs(f.before), 0) * 100, 2) END,
         sentence(CASE WHEN f.until_on > on_date THEN 'window.tracking' WHEN f.before IS NULL
                  OR f.after IS NULL THEN 'window.unknown' ELSE 'window.ended' END, '{}')
    FROM (SELECT x.* FROM training_record x
           WHERE x.employee_id = (SELECT find_employee(training_window.employee))
             AND x.resource_id = (SELECT find_resource(course)) AND x.passed AND x.completed_on <= on_date
             AND (actor() = x.employee_id OR may_handle(x.employee_id))
           ORDER BY x.completed_on DESC, x.training_record_id DESC LIMIT 1) t
    CROSS JOIN LATERAL training_figures(t.training_record_id) f
    JOIN indicator i USING (indicator_id)
   ORDER BY i.code COLLATE "C";
END;
COMMENT ON FUNCTION training_window(text, text, date) IS
  'The indicators of a course before and after its latest completion: mean attainments, numbers of readings, relative '
  'growth once the window has ended, until then 跟踪中. An association, not an effect: there is no comparison group. For '
  'the employee, the manager, HR and the owner of the books; no row: not finished, or bound to no indicator. Error '
  '22023: unknown (TRN-06).';

-- skill levels ----------------------------------------------------------------

CREATE VIEW course_progress WITH (security_invoker) AS
  SELECT r.review_id, c.code AS cycle_code, e.employee_no, e.name AS employee_name, m.employee_no AS manager_no,
         k.courses, k.completed,
         CASE WHEN k.courses > 0 THEN round(100.0 * k.completed / k.courses, 2) END AS completed_pct,
         k.exams, k.exam_score, k.eligible, g.waived_because IS NOT NULL AS waived, k.missing,
         sentence(CASE WHEN k.exams = 0 THEN 'course.progress.plain'
                  WHEN k.exam_score IS NULL THEN 'course.progress.untested' ELSE 'course.progress' END,
                  jsonb_build_object('percent', CASE WHEN k.courses > 0 THEN round(100.0 * k.completed / k.courses, 2)
                                     ELSE 100 END,
                                     'score', coalesce(k.exam_score, 0))) AS progress
    FROM review r
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
    LEFT JOIN employee m ON m.employee_id = r.manager_id
    LEFT JOIN review_gate g ON g.cycle_id = r.cycle_id AND g.employee_id = r.employee_id
    CROSS JOIN LATERAL course_state(r.review_id) k
   WHERE actor() = r.employee_id OR actor() = r.manager_id OR holds_role('hr', actor()) OR actor() IS NULL
     AND owns_books();
COMMENT ON VIEW course_progress IS
  'How far people are with the courses of a cycle, for themselves, their manager and HR; WHERE NOT eligible is the '
  'list of who has not finished (TRN-03).';
COMMENT ON COLUMN course_progress.review_id IS 'Review.';
COMMENT ON COLUMN course_progress.cycle_code IS 'Cycle.';
COMMENT ON COLUMN course_progress.employee_no IS 'Employee.';
COMMENT ON COLUMN course_progress.employee_name IS 'Name.';
COMMENT ON COLUMN course_progress.manager_no IS 'Manager of the review.';
COMMENT ON COLUMN course_progress.courses IS 'Courses required.';
COMMENT ON COLUMN course_progress.completed IS 'Courses finished.';
COMMENT ON COLUMN course_progress.completed_pct IS 'The same in percent, 2 decimals; null: only an exam is required.';
COMMENT ON COLUMN course_progress.exams IS 'Exams required.';
COMMENT ON COLUMN course_progress.exam_score IS 'Exam score, the best one; null: not taken.';
COMMENT ON COLUMN course_progress.eligible IS 'Whether all is finished and passed.';
COMMENT ON COLUMN course_progress.waived IS 'Whether HR waived it.';
COMMENT ON COLUMN course_progress.missing IS 'Courses and exams that are missing.';
COMMENT ON COLUMN course_progress.progress IS 'In words, in the language of who is acting.';

-- the question corner (TRN-04) ------------------------------------------------

CREATE VIEW question_status WITH (security_invoker) AS
  SELECT q.question_id, e.employee_no, q.body, q.asked_at, x.due_at, a.employee_no AS answered_by, q.answered_at,
         CASE WHEN q.answer IS NOT NULL THEN 'answered' ELSE 'waiting' END AS status,
         coalesce(coalesce(q.answered_at, now()) > x.due_at, false) AS overdue, q.escalated_at
    FROM question q
    JOIN employee e ON e.employee_id = q.employee_id
    LEFT JOIN employee a ON a.employee_id = q.answered_by
    CROSS JOIN LATERAL (SELECT q.asked_at
                        + make_interval(hours => setting_number('qa.sla_hours')::integer) AS due_at) x;
COMMENT ON VIEW question_status IS 'Questions with the end of their time (TRN-04).';
COMMENT ON COLUMN question_status.question_id IS 'Question.';
COMMENT ON COLUMN question_status.employee_no IS 'Who asks.';
COMMENT ON COLUMN question_status.body IS 'Question.';
COMMENT ON COLUMN question_status.asked_at IS 'When.';
COMMENT ON COLUMN question_status.due_at IS 'Last moment in time; null: no limit.';
COMMENT ON COLUMN question_status.answered_by IS 'Who answered.';
COMMENT ON COLUMN question_status.answered_at IS 'When.';
COMMENT ON COLUMN question_status.status IS 'waiting or answered.';
COMMENT ON COLUMN question_status.overdue IS 'Whether the answer came, or is still missing, after that moment.';
COMMENT ON COLUMN question_status.escalated_at IS 'When it was passed up.';
