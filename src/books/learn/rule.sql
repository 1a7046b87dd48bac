-- learn: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('skill.level',         'person', 'A certification gives or takes a skill level'),
  ('review.gate',         'person', 'A review waits for required courses (TRN-03)'),
  ('review.gate_cleared', 'person', 'The courses are finished: the review goes on (TRN-03)'),
  ('review.gate_waived',  'person', 'HR lets somebody into a review without the courses, and why (TRN-03)');

-- the months after a course (TRN-06) ------------------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('training.window_months', 'integer', '3', '3',
   'Months before and after a finished course whose readings of its indicators are compared, 1-60; null: never '
   '(TRN-06)');
UPDATE setting SET least = 1, most = 60 WHERE setting = 'training.window_months';

INSERT INTO message_text (kind, locale, body) VALUES
  ('window.tracking', 'zh', '跟踪中'),
  ('window.tracking', 'en', 'tracking'),
  ('window.ended',    'zh', '可评估'),
  ('window.ended',    'en', 'can be judged'),
  ('window.unknown',  'zh', '缺少数据,无法评估'),
  ('window.unknown',  'en', 'readings are missing');

-- skill levels ----------------------------------------------------------------

CREATE TRIGGER certification_result_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certification_result
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Use reverse_certification(); it keeps what was.');
CREATE TRIGGER certification_reversal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certification_reversal
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Certify again instead.');

INSERT INTO message_text (kind, locale, body, source) VALUES
  ('certification.corrected', 'zh', '培训记录已更正', NULL),
  ('certification.corrected', 'en', 'The training record was corrected', NULL);

-- courses before the review: who has not learned how it works does not take part (TRN-02, TRN-03) --

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('exam.pass_mark', 'number', '60', '60',
   'Exam score from which an exam is passed, 0-100, also where it gives an allowance or a certification; null: what '
   'the record says (AMB-36, TRN-02)');

INSERT INTO message_text (kind, locale, body, source) VALUES
  ('course.progress',          'zh', '已完成{percent}%课程,考试得分{score}分', 'TXT-12'),
  ('course.progress',          'en', '{percent} % of the courses finished, exam score {score}', NULL),
  ('course.progress.untested', 'zh', '已完成{percent}%课程,尚未参加考试', NULL),
  ('course.progress.untested', 'en', '{percent} % of the courses finished, exam not taken yet', NULL),
  ('course.progress.plain',    'zh', '已完成{percent}%课程', NULL),
  ('course.progress.plain',    'en', '{percent} % of the courses finished', NULL),
  ('course.gate',              'zh', '未完成必修课程或考试:{courses}', NULL),
  ('course.gate',              'en', 'Required courses or exams are missing: {courses}', NULL);
SELECT register_follow('cycle_course', '{insert,update,delete}', 200, 'cycle_frozen', key => 'cycle_id');

SELECT register_notice('course.cleared', '{employee}',
  zh => '您已完成必修课程和考试,可以参加{cycle}考核',
  en => 'You have finished the required courses and exams and can take part in {cycle}');
SELECT register_notice('course.remind', '{employee}',
  zh => '请尽快完成{cycle}考核的必修课程:{courses}',
  en => 'Please finish the courses required for {cycle}: {courses}');

-- the question corner (TRN-04) ------------------------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('qa.sla_hours', 'integer', '24', '24',
   'Hours within which a question about the appraisal is answered; later is overdue; null: no limit (AMB-37, TRN-04)');

CREATE FUNCTION heads_above(employee bigint, on_date date) RETURNS TABLE (employee_id bigint, depth integer) STABLE
  LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE up (unit_id, depth) AS (
    SELECT a.org_unit_id, 0 FROM assignment a WHERE a.employee_id = employee AND a.is_primary AND a.valid @> on_date
    UNION ALL
    SELECT u.parent_id, up.depth + 1 FROM up JOIN org_unit u ON u.org_unit_id = up.unit_id
      WHERE u.parent_id IS NOT NULL)
  SELECT h.employee_id, min(up.depth) FROM up JOIN unit_head h ON h.org_unit_id = up.unit_id AND h.valid @> on_date
   WHERE h.employee_id <> employee
     AND NOT EXISTS (SELECT FROM employee_status s
                     WHERE s.employee_id = h.employee_id AND s.status = 'left' AND s.valid @> on_date)
   GROUP BY h.employee_id ORDER BY 2;
END;
COMMENT ON FUNCTION heads_above(bigint, date) IS
  'Heads of an employee''s unit and of the units above it on a day, nearest first; not the employee.';

CREATE FUNCTION question_rules(questions bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '42501', format('%s cannot answer question %s', a.employee_no, q.question_id),
         format('It is a question of employee %s.', e.employee_no),
         'HR answers, or a head of the unit or of a unit above.', 'question', 'answered_by', 'question_answerer'
    FROM question q JOIN employee a ON a.employee_id = q.answered_by JOIN employee e ON e.employee_id = q.employee_id
   WHERE q.question_id = ANY (questions)
     AND (q.answered_by = q.employee_id
          OR NOT holds_role('hr', q.answered_by)
             AND q.answered_by NOT IN (SELECT h.employee_id FROM heads_above(q.employee_id, day_of(q.answered_at)) h));
END;
COMMENT ON FUNCTION question_rules(bigint[]) IS 'Rule: only HR or a head answers, nobody themselves (TRN-04).';
SELECT register_follow('question', '{insert,update}', 200, 'question_rules', key => 'question_id',
                       changed => '{answered_by,answer,answered_at,employee_id}');

SELECT register_notice('question.asked', '{department_manager,hr}',
  zh => '{employee}的考核疑问待回复:{question}',
  en => '{employee} asks about the appraisal: {question}');
SELECT register_notice('question.answered', '{employee}',
  zh => '您的考核疑问“{question}”已回复:{answer}',
  en => 'Your question "{question}" was answered: {answer}');
SELECT register_notice('question.overdue', '{supervisor,hr}',
  zh => '{employee}的考核疑问已超过{hours}小时未回复:{question}',
  en => 'The question of {employee} has waited for more than {hours} hours: {question}');

-- courses pushed by position (TRN-01) -----------------------------------------

SELECT register_notice('course.pushed', '{employee}',
  zh => '为您推送课程‘{course}’,请安排学习',
  en => 'A course for you: "{course}"');
