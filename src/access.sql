-- access: who sees which rows, and what roles may do (SEC-01, SEC-02).

-- Whom somebody sees is kept in each backend until one of these changes.
CREATE TRIGGER employee_forget AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF employee_no, db_role ON employee
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER assignment_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON assignment
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER unit_head_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON unit_head
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER org_unit_forget AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF parent_id ON org_unit
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();
CREATE TRIGGER role_holder_forget AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role_holder
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.forget();

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('pay.manager_reads', 'boolean', 'false', 'false', 'Whether managers may read the pay of the people below them, and so decide their raises (SEC-02)');

-- what one row of another table opens ---------------------------------------------

CREATE FUNCTION score_shown(review bigint, rater_group text) RETURNS boolean STABLE SECURITY DEFINER SET search_path FROM CURRENT LANGUAGE SQL
  RETURN coalesce((
    SELECT CASE WHEN g.minimum > 0 OR NOT (hrloop.visible('book'::regclass, r.employee_id) OR r.manager_id = actor()) THEN false
                WHEN k.relation = 'self' THEN actor() = r.employee_id OR s.both_in
                WHEN actor() = r.employee_id THEN s.both_in AND disclosed(r.review_id) AND NOT has_anonymous(r.review_id)
                ELSE true END
      FROM review r
      JOIN rater_group k ON k.rater_group = score_shown.rater_group
      JOIN template_rater_group g ON g.template_id = r.template_id AND g.rater_group = k.rater_group
      CROSS JOIN LATERAL (SELECT r.status = 'locked' OR r.composite IS NOT NULL AND r.self_composite IS NOT NULL AS both_in) s
     WHERE r.review_id = score_shown.review), false);
COMMENT ON FUNCTION score_shown(bigint, text) IS
  'Whether who acts may read the scores of a rater group in a review: never those of anonymous groups; superiors the employee''s own once both sides are in; the employee those of superiors then, once disclosed, and where no anonymous score could be found by subtraction (REV-03, REV-07, SEC-02).';

CREATE FUNCTION result_told(cause text, cause_id bigint) RETURNS boolean STABLE SECURITY DEFINER SET search_path FROM CURRENT LANGUAGE SQL
  RETURN coalesce((
    SELECT CASE WHEN hrloop.acts_for('book'::regclass, 'hr') THEN true
                WHEN actor() = r.employee_id THEN r.status = 'locked' AND disclosed(r.review_id)
                ELSE r.status = 'locked' OR NOT has_anonymous(r.review_id) END
      FROM review r
     WHERE r.review_id = CASE result_told.cause
             WHEN 'review' THEN result_told.cause_id
             WHEN 'review_result' THEN (SELECT x.review_id FROM review_result x WHERE x.result_id = result_told.cause_id)
             WHEN 'calibration' THEN (SELECT k.review_id FROM calibration k WHERE k.calibration_id = result_told.cause_id)
             WHEN 'salary_adjustment' THEN (SELECT x.review_id FROM salary_adjustment a JOIN review_result x USING (result_id)
                                             WHERE a.adjustment_id = result_told.cause_id) END), true);
COMMENT ON FUNCTION result_told(text, bigint) IS
  'Whether the figures of a review behind a row may be known to who acts: the employee once they are locked and disclosed; others once they are locked, or if no anonymous scores are in them; HR always (REV-07, REV-08).';

-- who sees which rows --------------------------------------------------------------

CREATE TABLE visibility (
  table_name text PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('public', 'known', 'person', 'pay', 'score', 'hr')),
  reads      text,
  writes     text,
  CONSTRAINT visibility_public CHECK (kind <> 'public' OR num_nonnulls(reads, writes) = 0)
);
COMMENT ON TABLE visibility IS 'Who sees which rows of each table: the row policies are made from it by apply_visibility() (SEC-02).';
COMMENT ON COLUMN visibility.table_name IS 'Table of these books.';
COMMENT ON COLUMN visibility.kind IS 'public: no person in it, no policy; known: everybody who is somebody; person: see hrloop.visible(); pay: the person, HR, finance; score: by rater group; hr: HR alone.';
COMMENT ON COLUMN visibility.reads IS 'Condition on a row, in SQL; null: that of the kind, by column employee_id.';
COMMENT ON COLUMN visibility.writes IS 'Condition on rows to write, in SQL; null: the same.';

INSERT INTO visibility (table_name, kind)
SELECT t, k FROM (VALUES
  ('public', ARRAY['allowance_rule', 'band', 'book', 'cause_rule', 'certification', 'course_push', 'cycle_course', 'cycle_raise_rule',
                   'cycle_template', 'due_rule', 'grade_distribution', 'grade_share', 'indicator', 'indicator_pair', 'indicator_skill', 'job',
                   'job_skill', 'message_text', 'org_unit', 'org_unit_import', 'pool_rule', 'raise_rule', 'rater_group', 'resource', 'resource_tag',
                   'review_cycle', 'review_template', 'scale', 'setting', 'skill', 'skill_level', 'talent_pool', 'template_group', 'template_item',
                   'template_rater_group', 'visibility', 'workflow_stage']),
  ('known',  ARRAY['calibration_session', 'cause_analysis', 'cycle_signature', 'department_input', 'department_month', 'role_holder', 'unit_head']),
  ('person', ARRAY['assignment', 'certification_result', 'certification_reversal', 'development_request', 'employee_skill_level', 'employee_status',
                   'enrolment', 'growth_archive', 'hr_task', 'key_event', 'measurement', 'pool_membership', 'promotion_case', 'recommendation',
                   'review_gate', 'skill_rating', 'suggestion', 'target', 'training_record', 'warning']),
  ('pay',    ARRAY['payroll_feed', 'salary', 'skill_allowance']),
  ('hr',     ARRAY['due_event', 'quarantine'])) AS v (k, ts) CROSS JOIN unnest(v.ts) AS t;

-- whoever was pinned as the manager of a review or plan stays so after a transfer
INSERT INTO visibility (table_name, kind, reads, writes) VALUES
  ('employee',          'person', $$hrloop.visible('book'::regclass, employee_id, 'name')$$, $$hrloop.visible('book'::regclass, employee_id)$$),
  ('review',            'person', $$hrloop.visible('book'::regclass, employee_id) OR manager_id = hrloop.actor('book'::regclass)$$, NULL),
  ('development_plan',  'person', $$hrloop.visible('book'::regclass, employee_id) OR manager_id = hrloop.actor('book'::regclass)$$, NULL),
  ('mentor_advice',     'person', $$hrloop.visible('book'::regclass, employee_id) OR mentor_id = hrloop.actor('book'::regclass)$$, NULL),
  ('question',          'person', $$hrloop.visible('book'::regclass, employee_id) OR hrloop.actor('book'::regclass) IN (replier_id, answered_by)$$, NULL),
  ('review_segment',    'person', $$manager_id = hrloop.actor('book'::regclass) OR EXISTS (SELECT FROM review r WHERE r.review_id = review_segment.review_id)$$, NULL),
  ('review_rater',      'person', $$rater_id = hrloop.actor('book'::regclass) OR EXISTS (SELECT FROM review r WHERE r.review_id = review_rater.review_id
                                      AND r.employee_id <> hrloop.actor('book'::regclass))$$, NULL),
  ('review_result',     'person', $$EXISTS (SELECT FROM review r WHERE r.review_id = review_result.review_id
                                      AND (r.employee_id <> hrloop.actor('book'::regclass) OR review_result.disclosed_on IS NOT NULL))$$, NULL),
  ('initial_score',     'person', $$EXISTS (SELECT FROM review r WHERE r.review_id = initial_score.review_id)$$, NULL),
  ('plan_change',       'person', $$EXISTS (SELECT FROM review r WHERE r.review_id = plan_change.review_id)$$, NULL),
  ('appeal',            'person', $$decided_by = hrloop.actor('book'::regclass) OR EXISTS (SELECT FROM review r WHERE r.review_id = appeal.review_id)$$, NULL),
  ('acknowledgement',   'person', $$EXISTS (SELECT FROM review_result x WHERE x.result_id = acknowledgement.result_id)$$, NULL),
  ('plan_gap',          'person', $$EXISTS (SELECT FROM development_plan p WHERE p.plan_id = plan_gap.plan_id)$$, NULL),
  ('plan_item',         'person', $$EXISTS (SELECT FROM development_plan p WHERE p.plan_id = plan_item.plan_id)$$, NULL),
  ('plan_item_version', 'person', $$EXISTS (SELECT FROM plan_item i WHERE i.plan_item_id = plan_item_version.plan_item_id)$$, NULL),
  ('plan_progress',     'person', $$EXISTS (SELECT FROM plan_item i WHERE i.plan_item_id = plan_progress.plan_item_id)$$, NULL),
  ('plan_session',      'person', $$EXISTS (SELECT FROM plan_item i WHERE i.plan_item_id = plan_session.plan_item_id)$$, NULL),
  ('pool_evidence',     'person', $$EXISTS (SELECT FROM pool_membership m WHERE m.pool_membership_id = pool_evidence.pool_membership_id)$$, NULL),
  ('notification',      'person', $$recipient_id = hrloop.actor('book'::regclass) OR recipient_id IS NULL AND hrloop.acts_for('book'::regclass, recipient_role)$$,
                                  $$hrloop.actor('book'::regclass) IS NOT NULL$$),
  ('salary_adjustment', 'pay',    $$hrloop.visible('book'::regclass, employee_id, 'pay')
                                      AND (employee_id <> hrloop.actor('book'::regclass) OR EXISTS (SELECT FROM review_result x WHERE x.result_id = salary_adjustment.result_id))$$, NULL),
  ('calibration',       'score',  $$decided_by = hrloop.actor('book'::regclass)
                                      OR EXISTS (SELECT FROM review r WHERE r.review_id = calibration.review_id) AND result_told('review', review_id)$$, NULL),
  ('score',             'score',  $$rater_id = hrloop.actor('book'::regclass) OR (SELECT hrloop.acts_for('book'::regclass, 'hr')) OR score_shown(review_id, rater_group)$$,
                                  $$rater_id = hrloop.actor('book'::regclass) OR (SELECT hrloop.acts_for('book'::regclass, 'hr'))$$),
  ('decision',          'score',  $$CASE WHEN employee_id IS NULL THEN hrloop.actor('book'::regclass) IS NOT NULL
                                      WHEN kind ~ '^(pay\.|salary\.|allowance)'
                                      THEN hrloop.visible('book'::regclass, employee_id, 'pay') AND (employee_id <> hrloop.actor('book'::regclass) OR result_told(cause, cause_id))
                                      WHEN kind ~ '^(review|calibration)\.' THEN hrloop.visible('book'::regclass, employee_id) AND result_told(cause, cause_id)
                                      ELSE hrloop.visible('book'::regclass, employee_id) END$$,
                                  $$hrloop.actor('book'::regclass) IS NOT NULL$$);

CREATE FUNCTION visibility_statement() RETURNS SETOF text STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH t AS (
    SELECT c.oid, c.relname, v.kind, v.writes,
           coalesce(v.reads, CASE v.kind WHEN 'known' THEN $$hrloop.actor('book'::regclass) IS NOT NULL$$
                                         WHEN 'hr'    THEN $$hrloop.acts_for('book'::regclass, 'hr')$$
                                         WHEN 'pay'   THEN $$hrloop.visible('book'::regclass, employee_id, 'pay')$$
                                         ELSE $$hrloop.visible('book'::regclass, employee_id)$$ END) AS reads
      FROM visibility v
      JOIN pg_class b ON b.oid = 'book'::regclass
      JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relname = v.table_name AND c.relkind IN ('r', 'p')
  )
  SELECT s.statement
    FROM (SELECT 1 AS n, t.relname::text AS relname, p.polname::text AS polname, format('DROP POLICY %I ON %I', p.polname, t.relname) AS statement
            FROM t JOIN pg_policy p ON p.polrelid = t.oid AND p.polname LIKE 'hrloop\_%'
          UNION ALL
          SELECT 2, t.relname::text, '', format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.relname) FROM t WHERE t.kind <> 'public'
          UNION ALL
          SELECT 3, t.relname::text, k.name, format('CREATE POLICY %I ON %I FOR %s %s', k.name, t.relname, k.command, k.condition)
            FROM t CROSS JOIN LATERAL (VALUES
              ('hrloop_rows',   'ALL',    'USING (' || t.reads || ')', t.writes IS NULL),
              ('hrloop_read',   'SELECT', 'USING (' || t.reads || ')', t.writes IS NOT NULL),
              ('hrloop_insert', 'INSERT', 'WITH CHECK (' || t.writes || ')', t.writes IS NOT NULL),
              ('hrloop_update', 'UPDATE', 'USING (' || t.writes || ')', t.writes IS NOT NULL),
              ('hrloop_delete', 'DELETE', 'USING (' || t.writes || ')', t.writes IS NOT NULL)) AS k (name, command, condition, wanted)
           WHERE k.wanted AND t.kind <> 'public') s
   ORDER BY s.n, s.relname, s.polname;
END;
COMMENT ON FUNCTION visibility_statement() IS 'The statements that make the row policies which visibility describes; policies with other names are left alone.';

CREATE FUNCTION apply_visibility() RETURNS integer VOLATILE LANGUAGE SQL
  RETURN hrloop.define('book'::regclass, ARRAY(SELECT s FROM visibility_statement() AS s));
COMMENT ON FUNCTION apply_visibility() IS
  'Make the row policies anew as visibility says, after a change of it; returns how many statements that took. For the owner of the books. Error 42501: somebody else (SEC-02).';
SELECT apply_visibility();

CREATE VIEW visibility_problem WITH (security_invoker) AS
  SELECT c.relname::text AS table_name,
         CASE WHEN v.table_name IS NULL THEN 'not in visibility'
              WHEN v.kind = 'public' THEN 'public, but a person is in it'
              WHEN NOT c.relrowsecurity THEN 'row security is off'
              ELSE 'no policy of apply_visibility()' END AS problem
    FROM pg_class b
    JOIN pg_class c ON c.relnamespace = b.relnamespace AND c.relkind IN ('r', 'p')
    LEFT JOIN visibility v ON v.table_name = c.relname
   WHERE b.oid = 'book'::regclass
     AND CASE WHEN v.kind = 'public'
              -- a key of a person, or of a row that is itself about one
              THEN EXISTS (SELECT FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid JOIN visibility w ON w.table_name = p.relname
                            WHERE f.conrelid = c.oid AND f.contype = 'f' AND w.kind IN ('person', 'pay', 'score'))
              ELSE v.table_name IS NULL OR NOT c.relrowsecurity
                   OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname LIKE 'hrloop\_%') END;
COMMENT ON VIEW visibility_problem IS 'Tables whose rows nobody guards: not named in visibility, public although a person is in it, or without their policy; no rows in healthy books (SEC-02).';
COMMENT ON COLUMN visibility_problem.table_name IS 'Table.';
COMMENT ON COLUMN visibility_problem.problem IS 'What is wrong.';

-- what runs as the owner of the books ------------------------------------------------

-- keys of codes, and who is above whom: facts of the organisation, without the rows behind them
ALTER FUNCTION find_employee(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION find_review(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION manager_of(bigint, date) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION heads_above(bigint, date) SECURITY DEFINER SET search_path FROM CURRENT;
-- whether scores are there that one may not read
ALTER FUNCTION has_anonymous(bigint) SECURITY DEFINER SET search_path FROM CURRENT;
-- raters may not read the review that they rate
ALTER FUNCTION submit_score(text, text, text, numeric, text, text, text, numeric, jsonb) SECURITY DEFINER SET search_path FROM CURRENT;
-- figures of a review that nobody but HR may read as they are; each of them asks who is acting
ALTER FUNCTION own_side(bigint) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION explain_score(text, text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION explain_deviation(text, text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION what_if(text, jsonb, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION calibrate(text, text, numeric, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION suggest_calibration(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION apply_calibration(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION calibration_report(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION calibration_excluded(text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION close_calibration(text) SECURITY DEFINER SET search_path FROM CURRENT;
-- one's own pay, for people without rights on the tables; each asks may_read_pay()
ALTER FUNCTION explain_pay(text, text, text) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION allowance_on(text, date) SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION allowance_trail(text, text) SECURITY DEFINER SET search_path FROM CURRENT;
