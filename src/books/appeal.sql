-- appeal: results are disclosed, employees acknowledge or refuse them, and dispute them; HR decides (REV-08).

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('review.disclose',     'result', 'A result is disclosed (REV-08)'),
  ('review.acknowledged', 'person', 'The employee acknowledges a result that was disclosed (REV-08)'),
  ('review.refused',      'person', 'The employee refuses a result that was disclosed (REV-08)'),
  ('appeal.file',         'person', 'The employee appeals against a result that was disclosed (REV-08)'),
  ('appeal.upheld',       'person', 'An appeal is upheld: with the scores as they were (REV-08)'),
  ('appeal.rejected',     'person', 'An appeal is rejected (REV-08)');

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('appeal.days', 'integer', '7', '7',
   'Days after the disclosure, which by default is the lock, on which an employee may still appeal; null: without '
   'limit (REV-08, AMB-25)'),
  ('review.disclose', 'text', 'lock', 'lock',
   'When the employee may read a result: lock (on the day of the lock) or manual (when the manager or HR discloses it) '
   '(REV-08)');
ALTER TABLE setting ADD CONSTRAINT setting_appeal_range
  CHECK (CASE setting WHEN 'appeal.days' THEN value::numeric >= 0
         WHEN 'review.disclose' THEN coalesce(value, '') IN ('lock', 'manual') ELSE true END);

SELECT register_notice('review.disclosed', '{employee}',
  zh => '你的绩效反馈已生成,请及时查看',
  en => 'Your performance feedback is ready, please have a look',
  source => 'TXT-23');
SELECT register_notice('review.refused', '{hr}',
  zh => '员工{employee}不认可{cycle}考核结果:{remark}',
  en => '{employee} refuses the result of {cycle}: {remark}');

-- disclosure ----------------------------------------------------------------------

CREATE FUNCTION tell_result(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT r.employee_id, 'employee', 'review.disclosed', 'result:' || x.result_id, jsonb_build_object('cycle', c.name),
         coalesce((SELECT max(d.decision_id) FROM decision d
                   WHERE d.cause_id = x.result_id AND d.cause = 'review_result' AND d.kind = 'review.disclose'),
                  x.decision_id)
    FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id)
   WHERE x.result_id = ANY (results) AND x.disclosed_on IS NOT NULL
   ORDER BY x.result_id
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION tell_result(bigint[]) IS 'Notices of results that are disclosed (REV-08).';
SELECT register_follow('review_result', '{insert}', 500, 'tell_result', key => 'result_id', present => 'disclosed_on');

CREATE FUNCTION may_disclose(employee bigint, manager bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN actor() IS NULL THEN owns_books()
              ELSE actor() <> employee AND (coalesce(actor() = manager, false) OR holds_role('hr', actor())) END;
COMMENT ON FUNCTION may_disclose(bigint, bigint) IS
  'Whether who is acting may disclose a result: the manager who rates, HR, never the employee; the owner of the books '
  'when nobody is acting.';

CREATE FUNCTION disclosure_problem(results bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '42501', format('%s cannot disclose the result of employee %s in cycle %s', who(), e.employee_no, c.code),
         NULL,
         'The manager who rates or HR discloses it.', 'review_result', 'disclosed_on', 'review_result_disclosed_by'
    FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE x.result_id = ANY (results) AND NOT may_disclose(r.employee_id, r.manager_id)
  UNION ALL
  SELECT '55000', format('the result is disclosed already: review of employee %s, cycle %s', e.employee_no, c.code),
         NULL,
         'What was read cannot be taken back; unlock_review() makes a new version.', 'review_result', 'disclosed_on',
         'review_result_disclosed_once'
    FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE x.result_id = ANY (results)
     AND (x.disclosed_on IS NULL OR EXISTS (SELECT FROM decision d
                                            WHERE d.cause_id = x.result_id AND d.cause = 'review_result'
                                              AND d.kind = 'review.disclose')
          OR EXISTS (SELECT FROM notification n
                     WHERE n.recipient_id = r.employee_id AND n.kind = 'review.disclosed'
                       AND n.event_key = 'result:' || x.result_id))
  UNION ALL
  SELECT '55000', format('version %s was reopened: review of employee %s, cycle %s', x.version, e.employee_no, c.code),
         NULL,
         'Lock the review; then disclose the new version.', 'review_result', 'disclosed_on',
         'review_result_disclosed_standing'
    FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE x.result_id = ANY (results) AND x.reopened_by IS NOT NULL;
END;
COMMENT ON FUNCTION disclosure_problem(bigint[]) IS
  'Rule: results that stand are disclosed, once, by the manager or HR (REV-08).';
CREATE FUNCTION result_disclosed(results bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome)
  SELECT 'review.disclose', r.employee_id, 'review_result', x.result_id, 'setting:review.disclose',
         jsonb_build_object('version', x.version, 'score', x.composite, 'locked_on', x.locked_on),
         jsonb_build_object('disclosed_on', x.disclosed_on)
    FROM review_result x JOIN review r USING (review_id)
   WHERE x.result_id = ANY (results) AND x.disclosed_on IS NOT NULL ORDER BY x.result_id;
  SELECT tell_result(results);
END;
COMMENT ON FUNCTION result_disclosed(bigint[]) IS
  'Consequences of disclosing a result by hand: decision, and notice to the employee (REV-08).';
SELECT register_follow('review_result', '{update}', 200, 'disclosure_problem', key => 'result_id',
                       changed => '{disclosed_on}');
SELECT register_follow('review_result', '{update}', 500, 'result_disclosed', key => 'result_id',
                       changed => '{disclosed_on}');

CREATE FUNCTION disclose_result(cycle text, employee text, on_date date DEFAULT current_date) RETURNS date VOLATILE
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot disclose the result of employee %s in cycle %s', who(), employee,
                                     cycle), NULL,
                     'The manager who rates or HR discloses it; applications call act_as() first.')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
      AND NOT may_disclose(r.employee_id, r.manager_id);
  SELECT hrloop.fail('23502', 'a disclosure needs a day', NULL, NULL, 'review_result', 'disclosed_on')
    WHERE on_date IS NULL;
  SELECT hrloop.fail('55000', format('nothing to disclose: review of employee %s, cycle %s', employee, cycle),
                     'It is not locked.', 'Wait for the lock.')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
     AND NOT EXISTS (SELECT FROM review_result x WHERE x.review_id = r.review_id AND x.reopened_by IS NULL);
  SELECT hrloop.fail('23514', format('a result cannot be disclosed before its lock: review of employee %s, cycle %s',
                                     employee, cycle),
                     format('Locked on %s, disclosed on %s.', x.locked_on, on_date), NULL, 'review_result',
                     'disclosed_on', 'review_result_disclosed')
    FROM review_result x WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL
      AND x.disclosed_on IS NULL AND x.locked_on > on_date;
  UPDATE review_result x SET disclosed_on = on_date
   WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL AND x.disclosed_on IS NULL;
  SELECT x.disclosed_on FROM review_result x
    WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL;
END;
COMMENT ON FUNCTION disclose_result(text, text, date) IS
  'Let the employee read the result, as the manager who rates or HR; the employee is told, and the days to appeal run '
  'from then; again: nothing. Returns the day. Errors: 42501 somebody else, 55000 not locked, 23514 before the lock, '
  '23502 no day, 22023 unknown (REV-08).';

CREATE FUNCTION disclose_cycle(cycle text, on_date date DEFAULT current_date) RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot disclose results of cycle %s', who(), cycle), NULL,
                     'HR discloses them, and managers those of the people whom they rate; applications call act_as() '
                     'first.')
   WHERE NOT EXISTS (SELECT FROM review r
                     WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND may_disclose(r.employee_id, r.manager_id));
  SELECT hrloop.fail('23502', 'a disclosure needs a day', NULL, NULL, 'review_result', 'disclosed_on')
    WHERE on_date IS NULL;
  SELECT hrloop.fail('23514', format('%s results of cycle %s were locked later than %s', count(*), cycle, on_date),
                     NULL,
                     'A result cannot be disclosed before its lock.', 'review_result', 'disclosed_on',
                     'review_result_disclosed')
    FROM review r JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
   WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND x.disclosed_on IS NULL AND x.locked_on > on_date
     AND may_disclose(r.employee_id, r.manager_id)
  HAVING count(*) > 0;
  -- in key order
  WITH held AS MATERIALIZED (
    SELECT x.result_id FROM review r JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
     WHERE r.cycle_id = (SELECT find_cycle(cycle)) AND x.disclosed_on IS NULL
       AND may_disclose(r.employee_id, r.manager_id)
     ORDER BY x.result_id FOR NO KEY UPDATE OF x
  ), done AS (
    UPDATE review_result x SET disclosed_on = on_date FROM held WHERE x.result_id = held.result_id
    RETURNING 1)
  SELECT count(*) FROM done;
END;
COMMENT ON FUNCTION disclose_cycle(text, date) IS
  'Disclose all locked results of a cycle that are not yet: HR all but their own, managers those of whom they rate. '
  'Returns how many. Errors: 42501 neither, 23514 before a lock, 23502 no day, 22023 unknown (REV-08).';

-- the answer ----------------------------------------------------------------------

CREATE TABLE acknowledgement (
  acknowledgement_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  result_id   bigint NOT NULL REFERENCES review_result,
  answer      text   NOT NULL CHECK (answer IN ('acknowledged', 'refused')),
  remark      text   CHECK (hrloop.meaningful_chars(remark) > 0),
  answered_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT acknowledgement_once UNIQUE (result_id)
);
COMMENT ON TABLE acknowledgement IS
  'What the employee answers to a disclosed result: acknowledged (确认) or refused (不认可), once for each version; '
  'append-only. A refusal is not an appeal (REV-08).';
COMMENT ON COLUMN acknowledgement.acknowledgement_id IS 'Key.';
COMMENT ON COLUMN acknowledgement.result_id IS 'Version of the result.';
COMMENT ON COLUMN acknowledgement.answer IS 'acknowledged or refused.';
COMMENT ON COLUMN acknowledgement.remark IS 'What the employee says to it; a refusal needs it.';
COMMENT ON COLUMN acknowledgement.answered_at IS 'When.';
SELECT register_table('acknowledgement', kind => 'fact', sees => 'person',
                      about => 'result_id/review_result.review_id/review.employee_id',
                      audit => '{insert,update,delete}',
  reads => $$EXISTS (SELECT FROM review_result x WHERE x.result_id = acknowledgement.result_id)$$,
  writes => '{"employee mentor manager finance executive": "INSERT"}',
  texts => '{"remark": "blank free text"}');

CREATE FUNCTION result_answered(acknowledgements bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'review.' || k.answer, r.employee_id, 'acknowledgement', k.acknowledgement_id,
         jsonb_build_object('version', x.version, 'score', x.composite, 'disclosed_on', x.disclosed_on),
         jsonb_build_object('answer', k.answer), k.remark
    FROM acknowledgement k JOIN review_result x USING (result_id) JOIN review r USING (review_id)
   WHERE k.acknowledgement_id = ANY (acknowledgements) ORDER BY k.acknowledgement_id;
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'review.refused', 'acknowledgement:' || k.acknowledgement_id,
         jsonb_build_object('employee', e.name, 'cycle', c.name, 'remark', coalesce(k.remark, '')), d.decision_id
    FROM acknowledgement k JOIN review_result x USING (result_id) JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
    JOIN decision d ON d.cause = 'acknowledgement' AND d.cause_id = k.acknowledgement_id
   WHERE k.acknowledgement_id = ANY (acknowledgements) AND k.answer = 'refused'
   ORDER BY k.acknowledgement_id
  ON CONFLICT DO NOTHING;
  SELECT '42501', format('%s cannot answer for employee %s', who(), e.employee_no), NULL,
         'The employee answers; applications call act_as() first.', 'acknowledgement', 'result_id',
         'acknowledgement_by_employee'
    FROM acknowledgement k JOIN review_result x USING (result_id) JOIN review r USING (review_id)
      JOIN employee e USING (employee_id)
   WHERE k.acknowledgement_id = ANY (acknowledgements) AND actor() IS DISTINCT FROM r.employee_id
  UNION ALL
  SELECT '55000', format('no disclosed result to answer to: review of employee %s, cycle %s', e.employee_no, c.code),
         NULL,
         'Answer to the newest version of the result, once it is disclosed.', 'acknowledgement', 'result_id',
         'acknowledgement_disclosed'
    FROM acknowledgement k JOIN review_result x USING (result_id) JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE k.acknowledgement_id = ANY (acknowledgements) AND (x.disclosed_on IS NULL OR x.reopened_by IS NOT NULL)
  UNION ALL
  SELECT '23502', format('a refusal needs a remark: review of employee %s, cycle %s', e.employee_no, c.code), NULL,
         'Say what is not right; HR reads it.', 'acknowledgement', 'remark', 'acknowledgement_refusal'
    FROM acknowledgement k JOIN review_result x USING (result_id) JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
   WHERE k.acknowledgement_id = ANY (acknowledgements) AND k.answer = 'refused' AND k.remark IS NULL;
END;
COMMENT ON FUNCTION result_answered(bigint[]) IS
  'Rules and consequences of an answer: by the employee, to what is disclosed; decision, and a refusal is told to HR '
  '(REV-08).';
SELECT register_follow('acknowledgement', '{insert}', 500, 'result_answered', key => 'acknowledgement_id');
CREATE TRIGGER acknowledgement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acknowledgement
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('An answer stands; file_appeal() disputes the result, and a new '
                                                    'version is answered anew.');

CREATE FUNCTION acknowledge_result(cycle text, employee text, accepted boolean DEFAULT true, remark text DEFAULT NULL)
  RETURNS text VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot answer for employee %s', who(), employee), NULL,
                     'The employee answers; applications call act_as() first.')
   WHERE actor() IS DISTINCT FROM (SELECT find_employee(employee));
  SELECT hrloop.fail('23502', 'an answer is either accepted or not', NULL, NULL, 'acknowledgement', 'answer')
    WHERE accepted IS NULL;
  SELECT hrloop.fail('55000', format('no disclosed result to answer to: review of employee %s, cycle %s', employee,
                                     cycle), NULL, 'Wait for the disclosure.')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
     AND NOT EXISTS (SELECT FROM review_result x
                     WHERE x.review_id = r.review_id AND x.reopened_by IS NULL AND x.disclosed_on IS NOT NULL);
  SELECT hrloop.fail('23502', 'a refusal needs a remark', NULL, 'Say what is not right; HR reads it.',
                     'acknowledgement', 'remark', 'acknowledgement_refusal')
   WHERE NOT accepted AND hrloop.meaningful_chars(coalesce(acknowledge_result.remark, '')) = 0;
  SELECT hrloop.fail('23505', format('the result is answered already: review of employee %s, cycle %s', employee,
                                     cycle), format('Answer: %s.', k.answer),
                     'One answer for each version of a result; file_appeal() disputes it.', 'acknowledgement',
                     'result_id', 'acknowledgement_once')
    FROM acknowledgement k JOIN review_result x USING (result_id)
      WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL;
  INSERT INTO acknowledgement (result_id, answer, remark)
  SELECT x.result_id, CASE WHEN accepted THEN 'acknowledged' ELSE 'refused' END,
         CASE WHEN hrloop.meaningful_chars(coalesce(acknowledge_result.remark, '')) > 0
           THEN acknowledge_result.remark END
    FROM review_result x WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL
  RETURNING answer;
END;
COMMENT ON FUNCTION acknowledge_result(text, text, boolean, text) IS
  'Acknowledge, as the employee, a disclosed result, or refuse it with a remark, which HR is told; neither is an '
  'appeal nor bars one. Returns acknowledged or refused. Errors: 42501 somebody else, 55000 not disclosed, 23502 a '
  'refusal without remark, 23505 answered already, 22023 unknown (REV-08).';

-- the appeal ----------------------------------------------------------------------

CREATE TABLE appeal (
  appeal_id   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  review_id   bigint NOT NULL REFERENCES review,
  result_id   bigint NOT NULL REFERENCES review_result,
  reason      text   NOT NULL CHECK (hrloop.meaningful_chars(reason) > 0),
  filed_on    date   NOT NULL DEFAULT current_date,
  status      text   NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'rejected', 'upheld')),
  rationale   text   CHECK (hrloop.meaningful_chars(rationale) > 0),
  decided_by  bigint REFERENCES employee,
  decided_on  date,
  CONSTRAINT appeal_once UNIQUE (result_id),
  CONSTRAINT appeal_decided CHECK (CASE status WHEN 'open' THEN num_nonnulls(rationale, decided_by, decided_on) = 0
                                               ELSE num_nulls(rationale, decided_by, decided_on) = 0 END)
);
CREATE INDEX appeal_review ON appeal (review_id);
CREATE INDEX appeal_decider ON appeal (decided_by);
COMMENT ON TABLE appeal IS
  'Appeals (绩效异议) of employees against a locked result, decided by HR; while one is open the raise is held (REV-08). '
  'One for each result.';
COMMENT ON COLUMN appeal.appeal_id IS 'Key.';
COMMENT ON COLUMN appeal.review_id IS 'Review.';
COMMENT ON COLUMN appeal.result_id IS 'Version of the result that is disputed.';
COMMENT ON COLUMN appeal.reason IS 'Why the employee disputes it.';
COMMENT ON COLUMN appeal.filed_on IS 'Day; within setting appeal.days of the disclosure.';
COMMENT ON COLUMN appeal.status IS 'open, rejected, or upheld: then the review has a new version of its result.';
COMMENT ON COLUMN appeal.rationale IS 'Why it was decided so.';
COMMENT ON COLUMN appeal.decided_by IS 'Who decided, of HR; never the employee, the manager or a rater.';
COMMENT ON COLUMN appeal.decided_on IS 'Day of the decision.';
SELECT register_table('appeal', kind => 'fact', sees => 'person', about => 'review_id/review.employee_id',
                      audit => '{insert,update,delete}',
  reads => $$hrloop.visible('book'::regclass, NULL) OR decided_by = (SELECT hrloop.actor('book'::regclass)) OR EXISTS (SELECT FROM review r WHERE r.review_id = appeal.review_id)$$,
  writes => '{"employee mentor manager finance executive": "INSERT"}',
  others => '{"decided_by": "about who appeals"}',
  texts => '{"reason": "blank free text", "rationale": "blank free text"}');

CREATE FUNCTION review_appeal_problem(reviews bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- who decides an appeal at the same time goes first
  SELECT count(*) FROM (SELECT FROM employee e
    WHERE e.employee_id IN (SELECT r.employee_id FROM review r
                            WHERE r.review_id = ANY (reviews) AND r.status <> 'locked')
    ORDER BY e.employee_id FOR NO KEY UPDATE) l;
  SELECT '55000', format('an appeal is open: review of employee %s, cycle %s', e.employee_no, c.code), NULL,
         'HR decides it first, with decide_appeal().', 'review', 'status', 'review_appeal'
    FROM review r JOIN appeal a USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE r.review_id = ANY (reviews) AND r.status <> 'locked' AND a.status = 'open';
END;
COMMENT ON FUNCTION review_appeal_problem(bigint[]) IS 'Rule: no unlock while an appeal is open (REV-08).';
-- after review_unsettles, which locks cycles
SELECT register_follow('review', '{update}', 230, 'review_appeal_problem', key => 'review_id', changed => '{status}');

SELECT register_notice('appeal.filed', '{hr}',
  zh => '员工{employee}对{cycle}考核得分{score}分提出异议,请复核:{reason}',
  en => '{employee} appeals against the score {score} of {cycle}, please review it: {reason}');
SELECT register_notice('appeal.rejected', '{employee}',
  zh => '您对{cycle}考核得分的异议未获支持,得分保持{score}分:{rationale}',
  en => 'Your appeal against the score of {cycle} was rejected, it stays {score}: {rationale}');
SELECT register_notice('appeal.upheld', '{employee}',
  zh => '您对{cycle}考核得分的异议成立,原得分{score}分将更正:{rationale}',
  en => 'Your appeal against the score of {cycle} was upheld, {score} will be corrected: {rationale}');

CREATE FUNCTION appeal_filed(appeals bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO decision (kind, employee_id, cause, cause_id, rule, inputs, outcome, reason)
  SELECT 'appeal.file', r.employee_id, 'appeal', a.appeal_id, 'setting:appeal.days',
         jsonb_build_object('version', x.version, 'score', x.composite, 'disclosed_on', x.disclosed_on, 'filed_on',
                            a.filed_on,
                            'days', setting_number('appeal.days')), jsonb_build_object('status', a.status), a.reason
    FROM appeal a JOIN review_result x USING (result_id) JOIN review r ON r.review_id = a.review_id
   WHERE a.appeal_id = ANY (appeals) ORDER BY a.appeal_id;
  INSERT INTO notification (recipient_role, kind, event_key, args, decision_id)
  SELECT 'hr', 'appeal.filed', 'appeal:' || a.appeal_id,
         jsonb_build_object('employee', e.name, 'cycle', c.name, 'score', trim_scale(x.composite), 'reason', a.reason),
         d.decision_id
    FROM appeal a JOIN review_result x USING (result_id) JOIN review r ON r.review_id = a.review_id
    JOIN review_cycle c USING (cycle_id) JOIN employee e ON e.employee_id = r.employee_id
    JOIN decision d ON d.cause = 'appeal' AND d.cause_id = a.appeal_id AND d.kind = 'appeal.file'
   WHERE a.appeal_id = ANY (appeals)
  ON CONFLICT DO NOTHING;
  SELECT '42501', format('%s cannot appeal for employee %s', who(), e.employee_no), NULL,
         'The employee appeals; applications call act_as() first.', 'appeal', 'review_id', 'appeal_by_employee'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
   WHERE a.appeal_id = ANY (appeals) AND actor() IS DISTINCT FROM r.employee_id
  UNION ALL
  SELECT '55000', format('an appeal begins as open: review of employee %s, cycle %s', e.employee_no, c.code), NULL,
         'decide_appeal() decides it.', 'appeal', 'status', 'appeal_begins'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE a.appeal_id = ANY (appeals) AND a.status <> 'open'
  UNION ALL
  SELECT '55000', format('the appeal is not against a standing result: review of employee %s, cycle %s', e.employee_no,
                         c.code), NULL,
         'Wait for the lock; an appeal is about the newest version of the result.', 'appeal', 'result_id',
         'appeal_result'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
    JOIN review_result x ON x.result_id = a.result_id
   WHERE a.appeal_id = ANY (appeals) AND (r.status <> 'locked' OR x.review_id <> a.review_id
                                          OR x.reopened_by IS NOT NULL)
  UNION ALL
  SELECT '55000', format('the result is not disclosed: review of employee %s, cycle %s', e.employee_no, c.code), NULL,
         'Wait for disclose_result(); the days to appeal run from then.', 'appeal', 'result_id', 'appeal_disclosed'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
    JOIN review_result x ON x.result_id = a.result_id
   WHERE a.appeal_id = ANY (appeals) AND x.disclosed_on IS NULL
  UNION ALL
  SELECT '55000', format('too late or too early to appeal: review of employee %s, cycle %s', e.employee_no, c.code),
         format('Disclosed on %s, filed on %s, day %s; days: %s.', x.disclosed_on, a.filed_on,
                a.filed_on - x.disclosed_on, setting_number('appeal.days')),
         'Setting appeal.days holds the number of days; HR can still use unlock_review() with a reason.', 'appeal',
         'filed_on', 'appeal_window'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
    JOIN review_result x ON x.result_id = a.result_id
   WHERE a.appeal_id = ANY (appeals)
     AND (a.filed_on < x.disclosed_on OR a.filed_on - x.disclosed_on > (SELECT setting_number('appeal.days')));
END;
COMMENT ON FUNCTION appeal_filed(bigint[]) IS
  'Rules and consequences of an appeal: by the employee, in time, against what stands and is disclosed; decision, '
  'notice to HR (REV-08).';
SELECT register_follow('appeal', '{insert}', 500, 'appeal_filed', key => 'appeal_id');

CREATE FUNCTION appeal_decided_problem(appeals bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('the appeal of employee %s in cycle %s is %s already', e.employee_no, c.code, CASE d.kind
                         WHEN 'appeal.upheld' THEN 'upheld' ELSE 'rejected' END), NULL,
         'A new result can be appealed against anew.', 'appeal', 'status', 'appeal_final'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
    JOIN decision d ON d.cause = 'appeal' AND d.cause_id = a.appeal_id
      AND d.kind IN ('appeal.rejected', 'appeal.upheld')
   WHERE a.appeal_id = ANY (appeals)
  UNION ALL
  SELECT '42501', format('%s cannot decide the appeal of employee %s in cycle %s', who(), e.employee_no, c.code),
         format('Deciding: %s.', coalesce((SELECT b.employee_no FROM employee b WHERE b.employee_id = a.decided_by),
                                          'nobody')),
         'Somebody who holds the role hr decides as themselves, who is not the employee, the manager or a rater.',
         'appeal', 'decided_by', 'appeal_decider'
    FROM appeal a JOIN review r USING (review_id) JOIN employee e USING (employee_id)
      JOIN review_cycle c USING (cycle_id)
   WHERE a.appeal_id = ANY (appeals) AND a.status <> 'open'
     AND (a.decided_by IS DISTINCT FROM actor() OR NOT coalesce(holds_role('hr', a.decided_by), false)
          OR a.decided_by IN (r.employee_id, r.manager_id)
          OR EXISTS (SELECT FROM score s WHERE s.review_id = a.review_id AND s.rater_id = a.decided_by));
END;
COMMENT ON FUNCTION appeal_decided_problem(bigint[]) IS
  'Rule: an appeal is decided once, by HR, never by who rated (REV-08).';
CREATE FUNCTION appeal_decided(appeals bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- in the order in which everybody locks; the rules for a rejected one as well: the statements of its verdict about
  -- scores take them, though they find none
  SELECT count(*) FROM (SELECT FROM review_cycle c
    WHERE c.cycle_id IN (SELECT r.cycle_id FROM appeal a JOIN review r USING (review_id)
                         WHERE a.appeal_id = ANY (appeals) AND a.status = 'upheld')
    ORDER BY c.cycle_id FOR NO KEY UPDATE) l;
  SELECT hold_rules();
  SELECT count(*) FROM (SELECT FROM score s
    WHERE s.review_id IN (SELECT a.review_id FROM appeal a WHERE a.appeal_id = ANY (appeals) AND a.status = 'upheld')
    ORDER BY s.score_id FOR NO KEY UPDATE) l;
  SELECT count(*) FROM (SELECT FROM review r
    WHERE r.review_id IN (SELECT a.review_id FROM appeal a WHERE a.appeal_id = ANY (appeals) AND a.status = 'upheld')
    ORDER BY r.review_id FOR NO KEY UPDATE) l;
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
  SELECT 'appeal.' || a.status, r.employee_id, 'appeal', a.appeal_id,
         jsonb_build_object('version', x.version, 'score', x.composite, 'scores',
           (SELECT jsonb_agg(jsonb_build_object('indicator', i.code, 'group', s.rater_group, 'rater', b.employee_no,
                                                'value', s.value,
                                                'attainment', s.attainment, 'rationale', s.rationale)
                                                  ORDER BY s.score_id)
              FROM score s JOIN indicator i USING (indicator_id) JOIN employee b ON b.employee_id = s.rater_id
             WHERE s.review_id = a.review_id AND s.rater_group = 'manager')),
         jsonb_build_object('status', a.status), a.rationale
    FROM appeal a JOIN review_result x USING (result_id) JOIN review r ON r.review_id = a.review_id
   WHERE a.appeal_id = ANY (appeals) AND a.status <> 'open' ORDER BY a.appeal_id;
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT r.employee_id, 'employee', 'appeal.' || a.status, 'appeal:' || a.appeal_id,
         jsonb_build_object('cycle', c.name, 'score', trim_scale(x.composite), 'rationale', a.rationale), d.decision_id
    FROM appeal a JOIN review_result x USING (result_id) JOIN review r ON r.review_id = a.review_id
      JOIN review_cycle c USING (cycle_id)
    JOIN decision d ON d.cause = 'appeal' AND d.cause_id = a.appeal_id AND d.kind = 'appeal.' || a.status
   WHERE a.appeal_id = ANY (appeals) AND a.status <> 'open'
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION appeal_decided(bigint[]) IS
  'Consequences of deciding an appeal: decision with the scores as they were, notice to the employee (REV-08).';
CREATE FUNCTION appeal_fixed(appeals bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('what appeal %s says cannot change', a.appeal_id), NULL, 'Decide it with decide_appeal().',
         'appeal', NULL, 'appeal_fixed'
    FROM appeal a WHERE a.appeal_id = ANY (appeals) LIMIT 1;
END;
COMMENT ON FUNCTION appeal_fixed(bigint[]) IS 'Rule: an appeal is not edited.';
CREATE FUNCTION appeal_reworded(appeals bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.* FROM appeal_fixed(ARRAY(SELECT d.cause_id FROM decision d
    WHERE d.cause = 'appeal' AND d.cause_id = ANY (appeals) AND d.kind IN ('appeal.rejected', 'appeal.upheld'))) p;
END;
COMMENT ON FUNCTION appeal_reworded(bigint[]) IS 'Rule: nor is its decision.';
SELECT register_follow('appeal', '{update}', 100, 'appeal_fixed', key => 'appeal_id',
                       changed => '{review_id,result_id,reason,filed_on}');
SELECT register_follow('appeal', '{update}', 200, 'appeal_decided_problem', key => 'appeal_id', changed => '{status}');
SELECT register_follow('appeal', '{update}', 400, 'appeal_reworded', key => 'appeal_id',
                       changed => '{rationale,decided_by,decided_on}');
SELECT register_follow('appeal', '{update}', 500, 'appeal_decided', key => 'appeal_id', changed => '{status}');
CREATE TRIGGER appeal_kept BEFORE DELETE OR TRUNCATE ON appeal
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('An appeal is decided with decide_appeal(), never removed.');

CREATE FUNCTION file_appeal(cycle text, employee text, reason text, on_date date DEFAULT current_date) RETURNS bigint
  VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot appeal for employee %s', who(), employee), NULL,
                     'The employee appeals; applications call act_as() first.')
   WHERE actor() IS DISTINCT FROM (SELECT find_employee(employee));
  SELECT hrloop.fail('23502', 'an appeal needs a reason', NULL, 'Say what is wrong with the score.', 'appeal', 'reason')
   WHERE hrloop.meaningful_chars(coalesce(file_appeal.reason, '')) = 0;
  SELECT hrloop.fail('55000', format('nothing to appeal against: review of employee %s, cycle %s', employee, cycle),
                     'It is not locked.', 'Wait for the lock.')
    FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee))
     AND NOT EXISTS (SELECT FROM review_result x WHERE x.review_id = r.review_id AND x.reopened_by IS NULL);
  SELECT hrloop.fail('23505', format('there is an appeal already: review of employee %s, cycle %s', employee, cycle),
                     format('Status: %s.', a.status), 'One appeal for each version of a result.', 'appeal',
                     'result_id', 'appeal_once')
    FROM appeal a JOIN review_result x USING (result_id)
      WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL;
  INSERT INTO appeal (review_id, result_id, reason, filed_on)
  SELECT x.review_id, x.result_id, file_appeal.reason, on_date
    FROM review_result x WHERE x.review_id = (SELECT find_review(cycle, employee)) AND x.reopened_by IS NULL
  RETURNING appeal_id;
END;
COMMENT ON FUNCTION file_appeal(text, text, text, date) IS
  'Appeal, as the employee, against a result within setting appeal.days of its disclosure; a raise that is not applied '
  'is held until HR has decided. Returns the key. Errors: 42501 somebody else, 55000 too late, not locked, or not '
  'disclosed; 23502 no reason, 23505 appealed already, 22023 unknown (REV-08).';

CREATE FUNCTION decide_appeal(cycle text, employee text, upheld boolean, rationale text, scores jsonb DEFAULT NULL,
                              on_date date DEFAULT current_date) RETURNS numeric VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- two at once: the second waits here and is refused
  SELECT count(*) FROM (SELECT FROM appeal a
                        WHERE a.review_id = (SELECT find_review(cycle, employee))
                          AND a.status = 'open' FOR NO KEY UPDATE) l;
  SELECT hrloop.fail('55000', format('there is no open appeal: review of employee %s, cycle %s', employee, cycle))
   WHERE NOT EXISTS (SELECT FROM appeal a
                     WHERE a.review_id = (SELECT find_review(cycle, employee)) AND a.status = 'open');
  SELECT hrloop.fail('42501', format('%s cannot decide the appeal of employee %s in cycle %s', who(), employee, cycle),
                     NULL,
                     'Somebody who holds the role hr decides as themselves; applications call act_as() first.')
   WHERE actor() IS NULL OR NOT holds_role('hr', actor());
  SELECT hrloop.fail('23502', 'deciding an appeal needs a verdict, a day and a rationale', NULL, 'Say why.', 'appeal',
                     'rationale')
   WHERE decide_appeal.upheld IS NULL OR on_date IS NULL
     OR hrloop.meaningful_chars(coalesce(decide_appeal.rationale, '')) = 0;
  SELECT hrloop.fail('22023', CASE WHEN decide_appeal.upheld THEN 'an upheld appeal needs the corrected scores'
                     ELSE 'a rejected appeal corrects no scores' END,
                     format('Given: %s.', coalesce(scores::text, 'null')),
                     'For example {"客户拓展": 82}, or facts: {"客户拓展": {"actual": 9}}.')
   WHERE decide_appeal.upheld <> (coalesce(jsonb_typeof(scores), '') = 'object' AND scores <> '{}')
      OR NOT decide_appeal.upheld AND scores IS NOT NULL;
  SELECT hrloop.fail('22023', format('corrected score of indicator "%s" is neither a number nor facts', s.key),
                     format('Given: %s.', s.value))
    FROM jsonb_each(CASE WHEN decide_appeal.upheld THEN scores ELSE '{}' END) s
      WHERE jsonb_typeof(s.value) NOT IN ('number', 'object');
  UPDATE appeal a SET status = CASE WHEN decide_appeal.upheld THEN 'upheld'
    ELSE 'rejected' END, rationale = decide_appeal.rationale,
         decided_by = actor(), decided_on = on_date
   WHERE a.review_id = (SELECT find_review(cycle, employee)) AND a.status = 'open';
  -- upheld: open, correct, lock; the cycle itself stays as it is
  UPDATE review r SET status = 'open', locked_on = NULL, reopen_reason = decide_appeal.rationale,
  deviation_reason = NULL
   WHERE decide_appeal.upheld AND r.review_id = (SELECT find_review(cycle, employee));
  DELETE FROM score s
   WHERE decide_appeal.upheld AND s.review_id = (SELECT find_review(cycle, employee)) AND s.rater_group = 'manager'
     AND s.indicator_id IN (SELECT find_indicator(k) FROM jsonb_object_keys(scores) k)
     AND EXISTS (SELECT FROM score o WHERE o.review_id = s.review_id AND o.indicator_id = s.indicator_id
                 AND o.rater_group = 'manager'
                    AND o.score_id < s.score_id);
  UPDATE score s SET rater_id = actor(), rationale = decide_appeal.rationale, scale_max = 100, scored_at = now(),
         raw_value = CASE WHEN jsonb_typeof(n.value) = 'number' THEN (n.value #>> '{}')::numeric END,
         facts = CASE WHEN jsonb_typeof(n.value) = 'object' THEN n.value END
    FROM jsonb_each(CASE WHEN decide_appeal.upheld THEN scores ELSE '{}' END) n
   WHERE s.review_id = (SELECT find_review(cycle, employee)) AND s.rater_group = 'manager'
     AND s.indicator_id = find_indicator(n.key);
  INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, facts, rationale)
  SELECT find_review(cycle, employee), find_indicator(n.key), 'manager', actor(),
         CASE WHEN jsonb_typeof(n.value) = 'number' THEN (n.value #>> '{}')::numeric END,
         CASE WHEN jsonb_typeof(n.value) = 'object' THEN n.value END, decide_appeal.rationale
    FROM jsonb_each(CASE WHEN decide_appeal.upheld THEN scores ELSE '{}' END) n
   WHERE NOT EXISTS (SELECT FROM score s
                     WHERE s.review_id = (SELECT find_review(cycle, employee)) AND s.rater_group = 'manager'
                        AND s.indicator_id = find_indicator(n.key));
  UPDATE review r SET status = 'locked', locked_on = on_date, reopen_reason = NULL,
         deviation_reason = CASE WHEN abs(r.composite - r.self_composite) > setting_number('review.tolerance')
           THEN decide_appeal.rationale END
   WHERE decide_appeal.upheld AND r.review_id = (SELECT find_review(cycle, employee));
  SELECT coalesce(r.calibrated, r.composite) FROM review r WHERE r.review_id = (SELECT find_review(cycle, employee));
END;
COMMENT ON FUNCTION decide_appeal(text, text, boolean, text, jsonb, date) IS
  'Decide an appeal as HR. Upheld: the corrected scores {"indicator": value or facts} take the place of the '
  'manager''s, the review is locked again as the next version and a new raise is proposed, or a correction of one that '
  'is applied. Rejected: the raise is proposed again. A calibration that these scores overtake is void. Returns the '
  'final score that stands. Errors: 42501 not HR, or who rated; 23502 no rationale, 22023 no scores or unknown, 55000 '
  'none open (REV-08).';

CREATE VIEW result_response WITH (security_invoker) AS
  SELECT x.result_id, c.code AS cycle_code, e.employee_no, e.name AS employee_name, m.employee_no AS manager_no,
         x.version, x.locked_on, x.disclosed_on,
         coalesce(k.answer, CASE WHEN x.disclosed_on IS NULL THEN 'not disclosed' ELSE 'waiting' END) AS response,
         k.remark, k.answered_at,
         x.disclosed_on + setting_number('appeal.days')::integer AS appeal_until, a.status AS appeal_status
    FROM review_result x
    JOIN review r USING (review_id)
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
    LEFT JOIN employee m ON m.employee_id = r.manager_id
    LEFT JOIN acknowledgement k ON k.result_id = x.result_id
    LEFT JOIN appeal a ON a.result_id = x.result_id
   WHERE x.reopened_by IS NULL
     AND (actor() = r.employee_id AND x.disclosed_on IS NOT NULL OR may_disclose(r.employee_id, r.manager_id));
COMMENT ON VIEW result_response IS
  'Standing results: disclosed or not, answered or not, appealed against or not; for the manager, HR, and the employee '
  'once it is disclosed (REV-08).';
COMMENT ON COLUMN result_response.result_id IS 'Result.';
COMMENT ON COLUMN result_response.cycle_code IS 'Cycle.';
COMMENT ON COLUMN result_response.employee_no IS 'Employee.';
COMMENT ON COLUMN result_response.employee_name IS 'Name.';
COMMENT ON COLUMN result_response.manager_no IS 'Manager who rated.';
COMMENT ON COLUMN result_response.version IS 'Version of the result.';
COMMENT ON COLUMN result_response.locked_on IS 'Day of the lock.';
COMMENT ON COLUMN result_response.disclosed_on IS 'Day of the disclosure; null: not yet.';
COMMENT ON COLUMN result_response.response IS
  'not disclosed, waiting (for the employee''s answer), acknowledged or refused.';
COMMENT ON COLUMN result_response.remark IS 'What the employee said to it.';
COMMENT ON COLUMN result_response.answered_at IS 'When.';
COMMENT ON COLUMN result_response.appeal_until IS 'Last day to appeal; null: not disclosed, or without limit.';
COMMENT ON COLUMN result_response.appeal_status IS 'open, rejected or upheld; null: no appeal.';
