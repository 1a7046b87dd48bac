-- insight: what is shown.

-- who reads what of whom ------------------------------------------------------

CREATE FUNCTION may_read_profile(employee bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN coalesce(actor() = employee, false) OR may_handle(employee);
COMMENT ON FUNCTION may_read_profile(bigint) IS
  'Whether who is acting may read this person''s profile and archive: the person, the manager of today, HR; the owner '
  'of the books when nobody is acting (ORG-04).';

-- What a line speaks of may be hidden from the person until it is disclosed (REV-08),
-- raises from whoever may not read pay (SEC-02).
CREATE FUNCTION membership_disclosed(membership bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN EXISTS (SELECT FROM pool_evidence v JOIN review_result x USING (result_id)
                 WHERE v.pool_membership_id = membership AND x.disclosed_on IS NOT NULL);
COMMENT ON FUNCTION membership_disclosed(bigint) IS
  'Whether a result that led into a pool is disclosed: before that the membership would tell the grade (REV-08).';

CREATE FUNCTION archive_told(employee bigint, source_table text, source_id bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE archive_told.source_table
    WHEN 'review_result' THEN actor() IS DISTINCT FROM employee
      OR EXISTS (SELECT FROM review_result x WHERE x.result_id = archive_told.source_id AND x.disclosed_on IS NOT NULL)
    WHEN 'salary_adjustment' THEN may_read_pay(employee)
      AND (actor() IS DISTINCT FROM employee
           OR EXISTS (SELECT FROM salary_adjustment a JOIN review_result x USING (result_id)
                       WHERE a.adjustment_id = archive_told.source_id
                         AND (x.disclosed_on IS NOT NULL OR disclosed(x.review_id))))
    WHEN 'pool_membership' THEN actor() IS DISTINCT FROM employee OR membership_disclosed(archive_told.source_id)
    WHEN 'promotion_case' THEN actor() IS DISTINCT FROM employee
      OR EXISTS (SELECT FROM promotion_case p JOIN review_result x USING (result_id)
                 WHERE p.promotion_case_id = archive_told.source_id AND x.disclosed_on IS NOT NULL)
    ELSE true END;
COMMENT ON FUNCTION archive_told(bigint, text, bigint) IS
  'What archive_shown() asks of one''s own lines, and of raises.';
-- Of somebody else nothing but raises is held back: this much is planned with the query that asks.
CREATE FUNCTION archive_shown(employee bigint, source_table text, source_id bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN actor() IS DISTINCT FROM employee AND archive_shown.source_table <> 'salary_adjustment' THEN true
              ELSE archive_told(employee, archive_shown.source_table, archive_shown.source_id) END;
COMMENT ON FUNCTION archive_shown(bigint, text, bigint) IS
  'Whether a line of the archive may be shown to who is acting, if they may read the archive at all: results and what '
  'followed from them to the person once disclosed, raises to who may read pay.';

CREATE FUNCTION archive_sentence(kind text, title text, detail jsonb, locale text DEFAULT NULL) RETURNS text STABLE
  LANGUAGE SQL
  RETURN sentence('growth.' || archive_sentence.kind ||
                  CASE WHEN archive_sentence.kind = 'training'
                    AND archive_sentence.detail @> '{"passed": false}' THEN '.failed'
                       WHEN archive_sentence.kind = 'training' AND archive_sentence.detail ? 'score' THEN '.score'
                       WHEN archive_sentence.kind = 'project' AND archive_sentence.detail ? 'role' THEN '.role'
                       WHEN archive_sentence.kind IN ('feedback', 'help')
                         AND archive_sentence.detail ? 'quantity' THEN '.figure'
                       ELSE '' END,
                  '{"unit": ""}' || archive_sentence.detail || jsonb_build_object('title', archive_sentence.title),
                  archive_sentence.locale);
COMMENT ON FUNCTION archive_sentence(text, text, jsonb, text) IS 'A line of the archive in words (DEV-12).';

CREATE VIEW growth_record WITH (security_invoker) AS
  SELECT g.growth_archive_id, e.employee_no, g.occurred_on, g.kind,
         CASE WHEN g.kind IN ('training', 'certification', 'certification.reversed', 'level') THEN 'training'
              WHEN g.kind = 'plan' THEN 'development'
              WHEN g.kind IN ('case', 'citation', 'help', 'suggestion') THEN 'contribution'
              WHEN g.kind IN ('result', 'key_event', 'project', 'feedback') THEN 'performance'
                ELSE 'career' END AS category,
         g.title, g.detail, archive_sentence(g.kind, g.title, g.detail) AS line, g.entry,
         g.entry <> 'withdraw' AND w.growth_archive_id IS NULL AS standing,
         g.source_table, g.source_id, g.decision_id, g.withdraws, g.recorded_at
    FROM growth_archive g
    JOIN employee e ON e.employee_id = g.employee_id
    LEFT JOIN growth_archive w ON w.withdraws = g.growth_archive_id
   WHERE may_read_profile(g.employee_id) AND archive_shown(g.employee_id, g.source_table, g.source_id);
COMMENT ON VIEW growth_record IS
  'The growth archive (成长档案) in words, for the person, the manager and HR: every line with source table, row and '
  'decision; WHERE standing: what holds (ORG-06, DEV-12).';
COMMENT ON COLUMN growth_record.growth_archive_id IS 'Line.';
COMMENT ON COLUMN growth_record.employee_no IS 'Whose.';
COMMENT ON COLUMN growth_record.occurred_on IS 'Day.';
COMMENT ON COLUMN growth_record.kind IS 'Kind, as in growth_archive.';
COMMENT ON COLUMN growth_record.category IS
  'training 培训记录, performance 绩效记录, contribution 团队贡献, development 发展, career 薪酬与晋升.';
COMMENT ON COLUMN growth_record.title IS 'What it is about.';
COMMENT ON COLUMN growth_record.detail IS 'Figures of the day.';
COMMENT ON COLUMN growth_record.line IS 'The same in words, in the language of who is acting.';
COMMENT ON COLUMN growth_record.entry IS 'post, correct or withdraw.';
COMMENT ON COLUMN growth_record.standing IS 'Whether it holds: not withdrawn, nor corrected by a later line.';
COMMENT ON COLUMN growth_record.source_table IS 'Table of the source row.';
COMMENT ON COLUMN growth_record.source_id IS 'Key of the source row.';
COMMENT ON COLUMN growth_record.decision_id IS 'Decision; null: a fact that nobody decided.';
COMMENT ON COLUMN growth_record.withdraws IS 'Line that this one takes the place of, or takes back.';
COMMENT ON COLUMN growth_record.recorded_at IS 'When it was written.';

CREATE VIEW development_record WITH (security_invoker) AS
  SELECT g.* FROM growth_record g WHERE g.standing AND g.category IN ('training', 'development');
COMMENT ON VIEW development_record IS
  'The development archive (发展档案): plans, changed goals, trainings, certifications and levels that stand; a part of '
  'growth_record (DEV-06).';
COMMENT ON COLUMN development_record.growth_archive_id IS 'Line.';
COMMENT ON COLUMN development_record.employee_no IS 'Whose.';
COMMENT ON COLUMN development_record.occurred_on IS 'Day.';
COMMENT ON COLUMN development_record.kind IS 'Kind, as in growth_archive.';
COMMENT ON COLUMN development_record.category IS
  'training 培训记录, performance 绩效记录, contribution 团队贡献, development 发展, career 薪酬与晋升.';
COMMENT ON COLUMN development_record.title IS 'What it is about.';
COMMENT ON COLUMN development_record.detail IS 'Figures of the day.';
COMMENT ON COLUMN development_record.line IS 'The same in words, in the language of who is acting.';
COMMENT ON COLUMN development_record.entry IS 'post, correct or withdraw.';
COMMENT ON COLUMN development_record.standing IS 'Whether it holds: not withdrawn, nor corrected by a later line.';
COMMENT ON COLUMN development_record.source_table IS 'Table of the source row.';
COMMENT ON COLUMN development_record.source_id IS 'Key of the source row.';
COMMENT ON COLUMN development_record.decision_id IS 'Decision; null: a fact that nobody decided.';
COMMENT ON COLUMN development_record.withdraws IS 'Line that this one takes the place of, or takes back.';
COMMENT ON COLUMN development_record.recorded_at IS 'When it was written.';

-- strengths, weaknesses, growth track (ORG-05) --------------------------------

CREATE FUNCTION skill_verdict(employee bigint, on_date date)
  RETURNS TABLE (skill_code text, skill_name text, rating numeric, rated_on date, source text, verdict text) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  SELECT s.code, s.name, r.rating, r.rated_on, r.source,
         CASE WHEN r.rating >= (SELECT setting_number('profile.strength_at')) THEN 'strength'
           WHEN r.rating <= (SELECT setting_number('profile.weakness_at')) THEN 'weakness' END
    FROM (SELECT DISTINCT ON (x.skill_id) x.* FROM skill_rating x
           WHERE x.employee_id = employee AND x.rated_on <= on_date
           ORDER BY x.skill_id, x.rated_on DESC, x.skill_rating_id DESC) r
    JOIN skill s USING (skill_id)
   ORDER BY r.rating DESC, s.code COLLATE "C";
END;
COMMENT ON FUNCTION skill_verdict(bigint, date) IS
  'Latest rating of every skill of an employee up to a day, and whether it is a strength or a weakness; unguarded, for '
  'rules and for strengths_weaknesses() (ORG-05).';

CREATE FUNCTION course_completion(employee bigint, on_date date)
  RETURNS TABLE (course_code text, course_name text, completion numeric, completed_on date, score numeric) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  WITH asked AS (
    SELECT i.resource_id, i.title, i.progress
      FROM development_plan p JOIN plan_item i USING (plan_id)
     WHERE p.employee_id = employee AND p.status IN ('proposed', 'effective', 'completed') AND p.planned_on <= on_date
       AND i.kind = 'course'
    UNION ALL
    SELECT x.resource_id, NULL::text, 0 FROM enrolment x
      WHERE x.employee_id = employee AND day_of(x.enrolled_at) <= on_date
    UNION ALL
    SELECT t.resource_id, NULL::text, CASE WHEN t.passed THEN 100 ELSE 0 END FROM training_record t
      WHERE t.employee_id = employee AND t.completed_on <= on_date
  )
  SELECT o.code, coalesce(o.name, min(a.title)), trim_scale(max(a.progress)), t.completed_on, trim_scale(t.score)
    FROM asked a
    LEFT JOIN resource o USING (resource_id)
    LEFT JOIN LATERAL (SELECT x.completed_on, x.score FROM training_record x
                        WHERE x.employee_id = employee AND x.resource_id = a.resource_id AND x.passed
                          AND x.completed_on <= on_date
                        ORDER BY x.completed_on DESC, x.training_record_id DESC LIMIT 1) t ON true
   -- an item in the manager's own words has no resource
   GROUP BY o.code, o.name, CASE WHEN o.code IS NULL THEN a.title END, t.completed_on, t.score
   ORDER BY t.completed_on NULLS FIRST, o.code COLLATE "C", min(a.title) COLLATE "C";
END;
COMMENT ON FUNCTION course_completion(bigint, date) IS
  'Courses of an employee: planned, pushed or finished up to a day, and how much is done in percent; a passed record '
  'is 100, else progress of the plan as it is now; unguarded (ORG-04).';

CREATE FUNCTION track_flag(employee bigint, on_date date)
  RETURNS TABLE (flag text, figure numeric, threshold numeric, courses bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT 'participation_low', round(avg(c.completion), 2), (SELECT setting_number('profile.participation_low')),
         count(*)
    FROM course_completion(employee, on_date) c
  HAVING round(avg(c.completion), 2) < (SELECT setting_number('profile.participation_low'));
END;
COMMENT ON FUNCTION track_flag(bigint, date) IS
  'Flags of an employee''s growth track: participation_low; nobody without courses is flagged; unguarded (ORG-05).';

CREATE FUNCTION strengths_weaknesses(employee text, on_date date DEFAULT today())
  RETURNS TABLE (skill_code text, skill_name text, rating numeric, rated_on date, source text, verdict text) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  SELECT v.* FROM (SELECT find_employee(employee) AS id OFFSET 0) e CROSS JOIN LATERAL skill_verdict(e.id, on_date) v
   WHERE v.verdict IS NOT NULL AND may_read_profile(e.id);
END;
COMMENT ON FUNCTION strengths_weaknesses(text, date) IS
  'Skills that are strengths (优势) or weaknesses (短板) by their latest rating, for the person, the manager and HR; '
  'settings profile.strength_at and profile.weakness_at; no rows for anybody else. Error 22023: unknown (ORG-05).';

CREATE FUNCTION growth_track(employee text, on_date date DEFAULT today(), locale text DEFAULT NULL)
  RETURNS TABLE (flag text, line text, figure numeric, threshold numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT f.flag, sentence('track.' || f.flag, '{}', growth_track.locale), f.figure, f.threshold
    FROM (SELECT find_employee(employee) AS id OFFSET 0) e CROSS JOIN LATERAL track_flag(e.id, on_date) f
   WHERE may_read_profile(e.id);
END;
COMMENT ON FUNCTION growth_track(text, date, text) IS
  'Flags of the growth track (成长轨迹) with figure and threshold, for the person, the manager and HR; no rows: none, or '
  'not yours to read. Error 22023: unknown (ORG-05).';

-- the profile (ORG-04) --------------------------------------------------------

CREATE FUNCTION item_completion(items jsonb) RETURNS numeric IMMUTABLE PARALLEL SAFE LANGUAGE SQL
  RETURN (SELECT round(sum((i ->> 'weight')::numeric * (i ->> 'attainment')::numeric)
                       / NULLIF(sum((i ->> 'weight')::numeric), 0), 2)
            FROM jsonb_array_elements(items) AS i WHERE i ->> 'attainment' IS NOT NULL);
COMMENT ON FUNCTION item_completion(jsonb) IS
  'Target completion (目标完成率) of items {"weight", "attainment"}: mean attainment, weighted, 2 decimals; null: none has '
  'one.';

CREATE FUNCTION profile_results(employee bigint, on_date date, own boolean DEFAULT false) RETURNS jsonb STABLE
  LANGUAGE SQL
  RETURN (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
             'cycle', c.code, 'name', c.name, 'kind', c.kind, 'from', lower(c.period), 'until', upper(c.period) - 1,
             'score', trim_scale(x.composite), 'grade', x.grade, 'version', x.version, 'locked_on', x.locked_on,
             'target_completion', trim_scale(item_completion(d.inputs -> 'items')),
             'missed', (SELECT coalesce(jsonb_agg(i -> 'indicator'), '[]')
                        FROM jsonb_array_elements(d.inputs -> 'items') AS i WHERE i -> 'missed' = 'true'),
             'items', (SELECT jsonb_agg(i - 'points') FROM jsonb_array_elements(d.inputs -> 'items') AS i)))
             ORDER BY upper(c.period) DESC, c.cycle_id DESC), '[]')
            FROM review r
            JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
            JOIN decision d ON d.decision_id = x.decision_id
            JOIN review_cycle c ON c.cycle_id = r.cycle_id
           WHERE r.employee_id = employee AND x.locked_on <= on_date AND (NOT own OR x.disclosed_on <= on_date));
COMMENT ON FUNCTION profile_results(bigint, date, boolean) IS
  'Locked results of an employee up to a day, newest first, as the profile shows them; own: only what is disclosed; '
  'unguarded.';

CREATE FUNCTION profile_live(employee bigint, on_date date) RETURNS jsonb STABLE LANGUAGE SQL
  RETURN (SELECT jsonb_strip_nulls(jsonb_build_object('cycle', l.code, 'score', trim_scale(l.score),
                   'target_completion', trim_scale(item_completion(l.items)), 'items', l.items))
            FROM (SELECT c.code, c.period,
                  round(sum(i.weight * s.value) / NULLIF(sum(i.weight) FILTER (WHERE s.value IS NOT NULL), 0), 4)
                    AS score,
                         jsonb_agg(jsonb_strip_nulls(jsonb_build_object('indicator', n.code, 'name', n.name, 'weight',
                                                                        trim_scale(round(i.weight, 4)),
                                     'attainment', trim_scale(round(s.attainment, 4)), 'value', trim_scale(s.value)))
                                       ORDER BY i.position) AS items
                    FROM review r
                    JOIN review_cycle c ON c.cycle_id = r.cycle_id
                    JOIN initial_score s ON s.review_id = r.review_id
                    JOIN review_standard i ON i.review_id = s.review_id AND i.indicator_id = s.indicator_id
                    JOIN indicator n ON n.indicator_id = s.indicator_id
                   WHERE r.employee_id = employee AND r.status IN ('open', 'blocked') AND lower(c.period) <= on_date
                   GROUP BY c.cycle_id, c.code, c.period ORDER BY upper(c.period) DESC, c.cycle_id DESC LIMIT 1) l
           WHERE l.score IS NOT NULL);
COMMENT ON FUNCTION profile_live(bigint, date) IS
  'Live score and completion of indicators in the newest cycle that is open, from the readings; null: there is none; '
  'unguarded.';

-- What is put in place of its call stays a part of the query that asks for many people.

CREATE FUNCTION profile_development(employee bigint, on_date date) RETURNS TABLE (document jsonb) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT jsonb_build_object(
      'course_completion', course.mean, 'courses', course.list, 'courses_passed', course.passed,
      'projects', (SELECT coalesce(jsonb_agg(p.doc ORDER BY p.day DESC, p.n DESC), '[]')
                     FROM (SELECT c.occurred_on AS day, c.contribution_id AS n,
                                  jsonb_build_object('name', c.title, 'role', c.role, 'quantity',
                                                     trim_scale(c.quantity), 'unit', c.unit, 'on',
                                                     c.occurred_on) AS doc
                             FROM contribution c
                               WHERE c.employee_id = employee AND c.kind = 'project' AND c.withdrawn_by IS NULL
                                 AND c.occurred_on <= on_date
                           UNION ALL
                           SELECT p.planned_on, i.plan_item_id,
                                  jsonb_build_object('name', i.title, 'quantity', trim_scale(i.quantity),
                                                     'completion', trim_scale(i.progress), 'due_on', i.due_on,
                                                     'plan', c.code)
                             FROM development_plan p JOIN plan_item i USING (plan_id)
                               JOIN review_cycle c ON c.cycle_id = p.cycle_id
                            WHERE p.employee_id = employee
                              AND p.status IN ('proposed', 'effective', 'completed')
                                AND p.planned_on <= on_date AND i.kind = 'project') p),
      'contributions', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'title', c.title, 'quantity',
                                                                     trim_scale(c.quantity), 'unit', c.unit, 'on',
                                                                     c.occurred_on,
                                   'citations', CASE
                                     WHEN c.kind = 'case'
                                       THEN (SELECT count(*) FROM contribution_citation z
                                             WHERE z.contribution_id = c.contribution_id) END)
                                 ORDER BY c.occurred_on DESC, c.contribution_id DESC), '[]')
                          FROM contribution c
                            WHERE c.employee_id = employee AND c.kind <> 'project' AND c.withdrawn_by IS NULL
                              AND c.occurred_on <= on_date),
      'mentor_comments', (SELECT coalesce(jsonb_agg(jsonb_build_object('on', v.advised_on, 'comment', v.advice,
                                                                       'skill', s.code,
                                     'mentor', (SELECT m.name FROM employee m WHERE m.employee_id = v.mentor_id))
                                       ORDER BY v.advised_on DESC, v.mentor_advice_id DESC), '[]')
                            FROM mentor_advice v JOIN skill s USING (skill_id)
                              WHERE v.employee_id = employee AND v.advised_on <= on_date),
      'plans', (SELECT coalesce(jsonb_agg(jsonb_build_object('cycle', c.code, 'kind', p.kind, 'status', p.status,
                                                             'planned_on', p.planned_on, 'items', i.items,
                                                             'progress', i.progress, 'due_on', i.due_on)
                                                               ORDER BY p.planned_on DESC, p.plan_id DESC), '[]')
                  FROM development_plan p JOIN review_cycle c USING (cycle_id)
                  CROSS JOIN LATERAL (SELECT count(*) AS items, round(avg(i.progress), 2) AS progress,
                                      max(i.due_on) AS due_on FROM plan_item i WHERE i.plan_id = p.plan_id) i
                 WHERE p.employee_id = employee AND p.status IN ('proposed', 'effective', 'completed')
                   AND p.planned_on <= on_date))
    FROM (SELECT round(avg(c.completion), 2) AS mean, count(*) FILTER (WHERE c.completed_on IS NOT NULL) AS passed,
                 coalesce(jsonb_agg(jsonb_build_object('course', c.course_code, 'name', c.course_name, 'completion',
                                                       c.completion, 'completed_on', c.completed_on, 'score',
                                                       c.score)), '[]') AS list
            FROM course_completion(employee, on_date) c) course;
END;
COMMENT ON FUNCTION profile_development(bigint, date) IS
  'Part of the profile document: courses, projects, contributions, comments of mentors and plans on a day; unguarded.';

CREATE FUNCTION profile_skills(employee bigint, on_date date) RETURNS TABLE (document jsonb) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT (SELECT jsonb_build_object(
           'strengths', coalesce(jsonb_agg(v.skill_code ORDER BY v.rating DESC, v.skill_code COLLATE "C")
                                 FILTER (WHERE v.verdict = 'strength'), '[]'),
           'weaknesses', coalesce(jsonb_agg(v.skill_code ORDER BY v.rating, v.skill_code COLLATE "C")
                                  FILTER (WHERE v.verdict = 'weakness'), '[]'),
           'ratings', coalesce(jsonb_agg(jsonb_build_object('skill', v.skill_code, 'name', v.skill_name,
                                                            'rating', trim_scale(v.rating), 'rated_on',
                                                            v.rated_on, 'source', v.source)
                                         ORDER BY v.rating DESC, v.skill_code COLLATE "C"), '[]'))
           FROM skill_verdict(employee, on_date) v)
        || jsonb_build_object('levels',
                              (SELECT coalesce(jsonb_agg(jsonb_build_object('skill', s.code, 'level', l.code,
                                  'name', l.name, 'rank', l.rank, 'since', lower(h.valid))
                                                                   ORDER BY s.code COLLATE "C"), '[]')
                                           FROM employee_skill_level h
                                             JOIN skill_level l USING (skill_level_id)
                                               JOIN skill s ON s.skill_id = h.skill_id
                                          WHERE h.employee_id = employee AND h.superseded_by IS NULL
                                            AND h.valid @> on_date));
END;
COMMENT ON FUNCTION profile_skills(bigint, date) IS
  'Part of the profile document: strengths, weaknesses, ratings and levels on a day; unguarded.';

-- Many at a time: what this calls is planned once for all of them.
CREATE FUNCTION profile_documents(employees bigint[], on_date date DEFAULT today(), own boolean DEFAULT false,
                                  pay boolean DEFAULT true)
  RETURNS TABLE (employee_id bigint, document jsonb) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT e.employee_id, jsonb_strip_nulls(jsonb_build_object(
      'employee_no', e.employee_no, 'name', e.name, 'on_date', profile_documents.on_date,
      'basic', jsonb_build_object(
        'status', (SELECT s.status FROM employee_status s
                   WHERE s.employee_id = e.employee_id AND s.valid @> profile_documents.on_date),
        'unit', jsonb_build_object('code', u.code, 'name', u.name, 'kind', u.unit_kind),
        'job', jsonb_build_object('code', j.code, 'name', j.name, 'family', j.job_family, 'since', lower(a.valid)),
        'manager', (SELECT jsonb_build_object('employee_no', m.employee_no, 'name', m.name) FROM employee m
                    WHERE m.employee_id = manager_of(e.employee_id, profile_documents.on_date)),
        'hired_on', e.hired_on, 'service_years', service_years(e.hired_on, profile_documents.on_date),
        'education', e.education, 'population', e.population),
      'performance', jsonb_build_object(
        'score', results.list #> '{0,score}', 'grade', results.list #> '{0,grade}',
        'mean_score', (SELECT round(avg((x ->> 'score')::numeric), 2) FROM jsonb_array_elements(results.list) AS x),
        -- the quarter under way, if it is measured, else the one that was locked last
        'target_completion', coalesce(live.doc -> 'target_completion', results.list #> '{0,target_completion}'),
        'results', results.list, 'live', live.doc,
        'key_events', (SELECT coalesce(jsonb_agg(jsonb_build_object('on', k.occurred_on, 'event', k.event, 'evidence',
                                                                    k.evidence, 'amount', trim_scale(k.amount))
                                                 ORDER BY k.occurred_on DESC, k.key_event_id DESC), '[]')
                         FROM key_event k
                           WHERE k.employee_id = e.employee_id AND k.occurred_on <= profile_documents.on_date)),
      'development', development.document, 'skills', skills.document,
      'track', (SELECT coalesce(jsonb_agg(jsonb_build_object('flag', f.flag, 'figure', f.figure, 'threshold',
                                                             f.threshold)), '[]')
                                                               FROM track_flag(e.employee_id,
                                                                               profile_documents.on_date) f),
      'talent', (SELECT jsonb_build_object('training_priority', coalesce(bool_or(t.training_priority), false),
                          'pools', coalesce(jsonb_agg(jsonb_build_object('pool', t.code, 'name', t.name, 'since',
                                                                         m.joined_on, 'reason', m.reason)
                                                                           ORDER BY t.code COLLATE "C"), '[]'))
                   FROM pool_membership m JOIN talent_pool t USING (talent_pool_id)
                     WHERE m.employee_id = e.employee_id AND m.valid @> profile_documents.on_date
                       AND (NOT profile_documents.own OR membership_disclosed(m.pool_membership_id))),
      'pay', CASE WHEN profile_documents.pay THEN (
        SELECT jsonb_build_object('base', trim_scale(s.amount), 'since', lower(s.valid),
                 'allowance', (SELECT trim_scale(coalesce(sum(w.amount), 0)) FROM skill_allowance w
                                WHERE w.employee_id = e.employee_id AND w.superseded_by IS NULL
                                  AND w.valid @> profile_documents.on_date))
          FROM (SELECT 1) o LEFT JOIN salary s ON s.employee_id = e.employee_id AND s.superseded_by IS NULL
            AND s.valid @> profile_documents.on_date) END))
    FROM employee e
    LEFT JOIN assignment a ON a.employee_id = e.employee_id AND a.is_primary AND a.valid @> profile_documents.on_date
    LEFT JOIN org_unit u ON u.org_unit_id = a.org_unit_id
    LEFT JOIN job j ON j.job_id = a.job_id
    CROSS JOIN LATERAL (SELECT profile_results(e.employee_id, profile_documents.on_date,
                                               profile_documents.own) AS list OFFSET 0) results
    CROSS JOIN LATERAL (SELECT profile_live(e.employee_id, profile_documents.on_date) AS doc OFFSET 0) live
    CROSS JOIN LATERAL profile_development(e.employee_id, profile_documents.on_date) development
    CROSS JOIN LATERAL profile_skills(e.employee_id, profile_documents.on_date) skills
   WHERE e.employee_id = ANY (profile_documents.employees);
END;
COMMENT ON FUNCTION profile_documents(bigint[], date, boolean, boolean) IS
  'Profile documents of employees on a day, for rules (jsonpath predicates) and for profile(): basic, performance, '
  'development, skills, track, talent, pay. Keys are absent where nothing is known, lists are empty; numbers are '
  'numbers, dates ISO. Call it for some hundred at a time. Unguarded; own: only what is disclosed to the person; pay: '
  'whether with pay (ORG-04).';
CREATE FUNCTION profile_facts(employee bigint, on_date date DEFAULT today(), own boolean DEFAULT false,
                              pay boolean DEFAULT true) RETURNS jsonb STABLE LANGUAGE SQL
  RETURN (SELECT d.document FROM profile_documents(ARRAY[employee], on_date, own, pay) d);
COMMENT ON FUNCTION profile_facts(bigint, date, boolean, boolean) IS
  'The profile document of one employee; see profile_documents(). Unguarded (ORG-04).';

CREATE FUNCTION profile(employee text, on_date date DEFAULT today()) RETURNS jsonb STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT jsonb_set(d.doc, '{performance,feedback}', (
           SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('cycle', x.cycle, 'group', f.rater_group,
                                                                          'name', f.name, 'indicator', f.indicator_code,
                                       'raters', f.raters, 'value', trim_scale(f.value), 'comments',
                                       to_jsonb(f.comments)))
                                         ORDER BY x.n, f.indicator_code COLLATE "C", f.rater_group), '[]')
             FROM (SELECT y.r ->> 'cycle' AS cycle, y.n
                   FROM jsonb_array_elements(d.doc #> '{performance,results}') WITH ORDINALITY AS y (r, n)
                    WHERE y.n <= coalesce((SELECT setting_number('profile.feedback_cycles')), y.n)) x
             CROSS JOIN LATERAL feedback(x.cycle, profile.employee) f))
    FROM (SELECT profile_facts(e.id, coalesce(profile.on_date, today()), actor() IS NOT DISTINCT FROM e.id,
                               may_read_pay(e.id)) AS doc
            FROM (SELECT find_employee(profile.employee) AS id OFFSET 0) e WHERE may_read_profile(e.id) OFFSET 0) d;
END;
COMMENT ON FUNCTION profile(text, date) IS
  'The panoramic digital profile (全景数字档案) as of a day, one document: see profile_documents(); performance.feedback has '
  'what the rater groups said in the newest cycles (setting profile.feedback_cycles), as far as feedback() shows it. '
  'For the person (what is disclosed, own pay), the manager (without pay) and HR; null for anybody else. Progress of '
  'plans is as it is now. Error 22023: unknown (ORG-04).';

CREATE VIEW profile_reader WITH (security_invoker) AS
  SELECT e.employee_id, e.employee_no, e.name, e.hired_on, e.education, e.population,
         actor() IS NOT DISTINCT FROM e.employee_id AS own
    FROM employee e WHERE may_read_profile(e.employee_id);
COMMENT ON VIEW profile_reader IS 'Employees whose profile who is acting may read; other views of this room join it.';
COMMENT ON COLUMN profile_reader.employee_id IS 'Key.';
COMMENT ON COLUMN profile_reader.employee_no IS 'Number.';
COMMENT ON COLUMN profile_reader.name IS 'Name.';
COMMENT ON COLUMN profile_reader.hired_on IS 'First day.';
COMMENT ON COLUMN profile_reader.education IS 'Highest education.';
COMMENT ON COLUMN profile_reader.population IS 'Role that rules ask for.';
COMMENT ON COLUMN profile_reader.own IS 'Whether it is who is acting.';

CREATE VIEW profile_line WITH (security_invoker) AS
  SELECT p.employee_no, 'basic' AS section, 'service_years' AS code, NULL::text AS name,
         service_years(p.hired_on, today())::numeric AS value, 'year' AS unit,
         NULL::text AS text_value, today() AS on_date, 'employee' AS source_table, p.employee_id AS source_id
    FROM profile_reader p
  UNION ALL
  SELECT p.employee_no, 'performance', 'score', c.code, x.composite::numeric, 'point', x.grade, x.locked_on,
         'review_result', x.result_id
    FROM profile_reader p JOIN review r ON r.employee_id = p.employee_id JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
      WHERE NOT p.own OR x.disclosed_on IS NOT NULL
  UNION ALL
  SELECT p.employee_no, 'performance', 'target_completion', c.code, item_completion(d.inputs -> 'items'), '%',
         NULL::text, x.locked_on, 'review_result', x.result_id
    FROM profile_reader p JOIN review r ON r.employee_id = p.employee_id JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
      JOIN decision d ON d.decision_id = x.decision_id
   WHERE (NOT p.own OR x.disclosed_on IS NOT NULL) AND item_completion(d.inputs -> 'items') IS NOT NULL
  UNION ALL
  SELECT p.employee_no, 'performance', 'key_event', k.event, trim_scale(k.amount), CASE
    WHEN k.amount IS NOT NULL THEN 'yuan' END, k.evidence, k.occurred_on, 'key_event', k.key_event_id
    FROM profile_reader p JOIN key_event k ON k.employee_id = p.employee_id
  UNION ALL
  SELECT p.employee_no, 'development', 'course', coalesce(c.course_code, c.course_name), c.completion, '%', NULL::text,
         c.completed_on, 'resource',
         (SELECT o.resource_id FROM resource o WHERE o.code = c.course_code)
    FROM profile_reader p CROSS JOIN LATERAL course_completion(p.employee_id, today()) c
  UNION ALL
  SELECT p.employee_no, CASE c.kind WHEN 'project' THEN 'development'
    ELSE 'contribution' END, c.kind, c.title, trim_scale(c.quantity), c.unit, c.role, c.occurred_on, 'contribution',
    c.contribution_id
    FROM profile_reader p JOIN contribution c ON c.employee_id = p.employee_id WHERE c.withdrawn_by IS NULL
  UNION ALL
  SELECT p.employee_no, 'development', 'mentor_comment', s.code, NULL::numeric, NULL::text, v.advice, v.advised_on,
         'mentor_advice', v.mentor_advice_id
    FROM profile_reader p JOIN mentor_advice v ON v.employee_id = p.employee_id JOIN skill s USING (skill_id)
  UNION ALL
  SELECT p.employee_no, 'skill', 'rating', v.skill_code, trim_scale(v.rating), 'point', v.verdict, v.rated_on,
         'skill_rating',
         (SELECT x.skill_rating_id FROM skill_rating x JOIN skill s USING (skill_id)
           WHERE x.employee_id = p.employee_id AND s.code = v.skill_code AND x.rated_on = v.rated_on
             ORDER BY x.skill_rating_id DESC LIMIT 1)
    FROM profile_reader p CROSS JOIN LATERAL skill_verdict(p.employee_id, today()) v
  UNION ALL
  SELECT p.employee_no, 'skill', 'level', s.code, l.rank::numeric, 'rank', l.code, lower(h.valid),
         'employee_skill_level', h.employee_skill_level_id
    FROM profile_reader p JOIN employee_skill_level h ON h.employee_id = p.employee_id AND h.superseded_by IS NULL
      AND h.valid @> today()
    JOIN skill_level l USING (skill_level_id) JOIN skill s ON s.skill_id = h.skill_id
  UNION ALL
  SELECT p.employee_no, 'talent', 'pool', t.code, NULL::numeric, NULL::text, m.reason, m.joined_on, 'pool_membership',
         m.pool_membership_id
    FROM profile_reader p JOIN pool_membership m ON m.employee_id = p.employee_id AND m.valid @> today()
      JOIN talent_pool t USING (talent_pool_id)
   WHERE NOT p.own OR membership_disclosed(m.pool_membership_id)
  UNION ALL
  SELECT p.employee_no, 'pay', 'base', NULL::text, trim_scale(s.amount), 'yuan/month', NULL::text, lower(s.valid),
         'salary', s.salary_id
    FROM profile_reader p JOIN salary s ON s.employee_id = p.employee_id AND s.superseded_by IS NULL
      AND s.valid @> today() WHERE may_read_pay(p.employee_id);
COMMENT ON VIEW profile_line IS
  'The profile line by line, as it is today, for BI: section, code, value with unit, source; of whom who is acting may '
  'read, results of oneself once disclosed, pay for who may read it (ORG-04).';
COMMENT ON COLUMN profile_line.employee_no IS 'Whose.';
COMMENT ON COLUMN profile_line.section IS 'basic, performance, development, contribution, skill, talent or pay.';
COMMENT ON COLUMN profile_line.code IS
  'What: service_years, score, target_completion, key_event, course, project, case, feedback, help, mentor_comment, '
  'rating, level, pool, base.';
COMMENT ON COLUMN profile_line.name IS 'Of what: cycle, course, project, skill, pool …';
COMMENT ON COLUMN profile_line.value IS 'Figure.';
COMMENT ON COLUMN profile_line.unit IS 'Its unit: year, point, %, yuan, yuan/month, rank, or that of the contribution.';
COMMENT ON COLUMN profile_line.text_value IS 'Grade, role, comment, verdict, level …';
COMMENT ON COLUMN profile_line.on_date IS 'Day.';
COMMENT ON COLUMN profile_line.source_table IS 'Table of the source row.';
COMMENT ON COLUMN profile_line.source_id IS 'Its key.';

CREATE VIEW profile_overview WITH (security_invoker) AS
  SELECT p.employee_no, p.name, u.name AS unit_name, j.name AS job_name,
         service_years(p.hired_on, today()) AS service_years, p.education,
         last.composite AS score, last.grade, last.cycle_code, last.target_completion,
         (SELECT count(*) FROM key_event k WHERE k.employee_id = p.employee_id) AS key_events,
         course.courses, course.course_completion,
         (SELECT count(*) FROM contribution c
          WHERE c.employee_id = p.employee_id AND c.kind = 'project' AND c.withdrawn_by IS NULL) AS projects,
         skill.strengths, skill.weaknesses,
         (SELECT string_agg(sentence('track.' || f.flag, '{}'), ', ') FROM track_flag(p.employee_id, today()) f)
           AS track
    FROM profile_reader p
    LEFT JOIN assignment a ON a.employee_id = p.employee_id AND a.is_primary AND a.valid @> today()
    LEFT JOIN org_unit u ON u.org_unit_id = a.org_unit_id
    LEFT JOIN job j ON j.job_id = a.job_id
    LEFT JOIN LATERAL (SELECT x.composite::numeric AS composite, x.grade, c.code AS cycle_code,
                       item_completion(d.inputs -> 'items') AS target_completion
                         FROM review r JOIN review_cycle c ON c.cycle_id = r.cycle_id
                         JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
                           JOIN decision d ON d.decision_id = x.decision_id
                        WHERE r.employee_id = p.employee_id AND (NOT p.own OR x.disclosed_on IS NOT NULL)
                        ORDER BY upper(c.period) DESC, c.cycle_id DESC LIMIT 1) last ON true
    LEFT JOIN LATERAL (SELECT count(*) AS courses, round(avg(c.completion), 2) AS course_completion
                       FROM course_completion(p.employee_id, today()) c) course ON true
    LEFT JOIN LATERAL (SELECT array_agg(v.skill_code) FILTER (WHERE v.verdict = 'strength') AS strengths,
                       array_agg(v.skill_code) FILTER (WHERE v.verdict = 'weakness') AS weaknesses
                         FROM skill_verdict(p.employee_id, today()) v) skill ON true;
COMMENT ON VIEW profile_overview IS
  'The profile in one row per employee, as it is today, of whom who is acting may read; details in profile_line and '
  'growth_record (ORG-04).';
COMMENT ON COLUMN profile_overview.employee_no IS 'Number.';
COMMENT ON COLUMN profile_overview.name IS 'Name.';
COMMENT ON COLUMN profile_overview.unit_name IS 'Unit.';
COMMENT ON COLUMN profile_overview.job_name IS 'Position (岗位).';
COMMENT ON COLUMN profile_overview.service_years IS 'Length of service (工龄), completed years.';
COMMENT ON COLUMN profile_overview.education IS 'Education (学历).';
COMMENT ON COLUMN profile_overview.score IS 'Final score of the newest locked cycle; one''s own once disclosed.';
COMMENT ON COLUMN profile_overview.grade IS 'Its grade.';
COMMENT ON COLUMN profile_overview.cycle_code IS 'Its cycle.';
COMMENT ON COLUMN profile_overview.target_completion IS
  'Its target completion (目标完成率): mean attainment, weighted, percent.';
COMMENT ON COLUMN profile_overview.key_events IS 'Key events.';
COMMENT ON COLUMN profile_overview.courses IS 'Courses planned, pushed or finished.';
COMMENT ON COLUMN profile_overview.course_completion IS 'Their mean completion, percent, 2 decimals; null: no course.';
COMMENT ON COLUMN profile_overview.projects IS 'Projects contributed to.';
COMMENT ON COLUMN profile_overview.strengths IS 'Skills that are strengths; null: none.';
COMMENT ON COLUMN profile_overview.weaknesses IS 'Skills that are weaknesses; null: none.';
COMMENT ON COLUMN profile_overview.track IS 'Flags of the growth track in words; null: none.';

-- the payslip (PAY-16) --------------------------------------------------------

CREATE FUNCTION base_pay(employee bigint)
  RETURNS TABLE (salary_id bigint, valid daterange, amount numeric, decision_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH written AS (
    SELECT s.*, lag(s.amount) OVER since IS DISTINCT FROM s.amount AS changed
      FROM salary s WHERE s.employee_id = employee
    WINDOW since AS (PARTITION BY lower(s.valid) ORDER BY s.salary_id)
  ), origin AS (
    -- a later change cuts a row and writes it anew: the first one since the amount became this says why
    SELECT w.*, max(w.salary_id) FILTER (WHERE w.changed)
                  OVER (PARTITION BY lower(w.valid) ORDER BY w.salary_id) AS first
      FROM written w
  )
  SELECT s.salary_id, s.valid, s.amount, o.decision_id
    FROM origin s JOIN origin o ON o.salary_id = s.first
   WHERE s.superseded_by IS NULL;
END;
COMMENT ON FUNCTION base_pay(bigint) IS
  'Base pay over time and the decision that set each amount, also when a later change cut its row short; decision_id '
  'null: loaded from outside. Unguarded (PAY-16).';

-- A raise that follows from a result which the person may not know yet is not told by the amount either: until then the
-- pay before goes on.
CREATE FUNCTION told_salary(employee bigint)
  RETURNS TABLE (salary_id bigint, valid daterange, amount numeric, decision_id bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH hides AS MATERIALIZED (
    SELECT actor() IS NOT DISTINCT FROM employee AND EXISTS (SELECT FROM hidden_raise(employee)) AS any
  ), line AS (
    SELECT b.*, NOT h.any OR raises_told(employee, lower(b.valid)) AS told FROM base_pay(employee) b CROSS JOIN hides h
  ), span AS (
    SELECT l.*, max(lower(l.valid)) FILTER (WHERE l.told) OVER (ORDER BY lower(l.valid)) AS since FROM line l
  )
  SELECT min(s.salary_id) FILTER (WHERE s.told), v.valid, min(s.amount) FILTER (WHERE s.told),
         min(s.decision_id) FILTER (WHERE s.told)
    FROM (SELECT p.since, range_agg(p.valid) AS spans FROM span p WHERE p.since IS NOT NULL GROUP BY p.since) m
    CROSS JOIN LATERAL unnest(m.spans) AS v (valid)
    JOIN span s ON s.since = m.since
   GROUP BY m.since, v.valid;
END;
COMMENT ON FUNCTION told_salary(bigint) IS
  'Base pay over time as who acts may know it: the person without raises whose result is not disclosed to them; '
  'unguarded (REV-08).';

CREATE FUNCTION work_days(days daterange) RETURNS integer STABLE LANGUAGE SQL
  RETURN (SELECT count(*)::integer
            FROM generate_series(lower(days)::timestamp, upper(days)::timestamp - interval '1 day', '1 day') AS d (day)
            LEFT JOIN work_day w ON w.day = d.day::date
           WHERE coalesce(w.is_working, extract(isodow FROM d.day) < 6));
COMMENT ON FUNCTION work_days(daterange) IS
  'Working days among bounded days: Mondays to Fridays, and what work_day says otherwise.';

CREATE FUNCTION pay_part(employee bigint, month date, proration text, told boolean)
  RETURNS TABLE (kind text, place integer, component text, from_date date, until_date date, days integer,
                 month_days integer, monthly numeric, amount numeric,
                 source_table text, source_id bigint, decision_id bigint, since date) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH span AS (
    SELECT daterange(date_trunc('month', month::timestamp)::date,
                     (date_trunc('month', month::timestamp) + interval '1 month')::date) AS month
  ), piece AS (
    SELECT 'base' AS kind, 1 AS place, 'base' AS component, s.valid, s.amount, 'salary' AS source_table,
           s.salary_id AS source_id, s.decision_id
      FROM told_salary(employee) s CROSS JOIN span WHERE told AND s.valid && span.month
    UNION ALL
    SELECT 'base', 1, 'base', b.valid, b.amount, 'salary', b.salary_id, b.decision_id
      FROM base_pay(employee) b CROSS JOIN span WHERE NOT told AND b.valid && span.month
    UNION ALL
    SELECT 'allowance', 2, a.component, a.valid, a.amount, 'skill_allowance', a.skill_allowance_id, a.decision_id
      FROM skill_allowance a CROSS JOIN span
        WHERE a.employee_id = employee AND a.superseded_by IS NULL AND a.valid && span.month
  ), there AS (
    -- days on which somebody is employed and paid
    SELECT e.valid * span.month AS valid, e.paid_percent
      FROM employee_status e CROSS JOIN span
     WHERE e.employee_id = employee AND e.status <> 'left' AND e.paid_percent > 0 AND e.valid && span.month
  ), basis AS (
    SELECT CASE proration WHEN 'calendar' THEN upper(span.month) - lower(span.month) ELSE work_days(span.month) END
             AS month_days,
           CASE proration WHEN '21.75'
                THEN (SELECT sum(work_days(t.valid) * t.paid_percent) / 100 FROM there t) END AS there_days
      FROM span
  ), paid AS (
    SELECT p.*, t.paid_percent, min(lower(v.valid)) AS from_date, max(upper(v.valid)) - 1 AS until_date,
           sum(CASE proration WHEN 'calendar' THEN upper(v.valid) - lower(v.valid) ELSE work_days(v.valid) END)::integer
             AS days
      FROM piece p CROSS JOIN there t CROSS JOIN LATERAL (SELECT p.valid * t.valid AS valid) v
     WHERE NOT isempty(v.valid)
     GROUP BY p.kind, p.place, p.component, p.valid, p.amount, p.source_table, p.source_id, p.decision_id,
              t.paid_percent
  ), run AS (
    -- rounded on the running sum: what a component comes to in the month is rounded once
    SELECT p.*, b.month_days,
           hrloop.round_money(sum(p.amount * p.paid_percent * p.days)
                                OVER (PARTITION BY p.kind, p.component ORDER BY p.from_date, p.paid_percent)
                              * CASE proration WHEN '21.75' THEN GREATEST(21.75 - b.month_days + b.there_days, 0)
                                ELSE 1 END
                              / (100 * CASE proration WHEN '21.75' THEN nullif(21.75 * b.there_days, 0)
                                            ELSE nullif(b.month_days, 0) END),
                              (SELECT setting_number('pay.minor_digits')::integer)) AS sum
      FROM paid p CROSS JOIN basis b
  )
  SELECT r.kind, r.place, r.component, r.from_date, r.until_date, r.days, r.month_days,
         CASE WHEN r.paid_percent = 100 THEN r.amount ELSE trim_scale(r.amount * r.paid_percent / 100) END,
         r.sum - coalesce(lag(r.sum) OVER (PARTITION BY r.kind, r.component ORDER BY r.from_date, r.paid_percent), 0),
         r.source_table, r.source_id, r.decision_id, lower(r.valid)
    FROM run r WHERE r.amount <> 0 ORDER BY r.place, r.component, r.from_date;
END;
COMMENT ON FUNCTION pay_part(bigint, date, text, boolean) IS
  'What pay of a month comes to by what is known now, by source row: base pay and skill allowances, by a proration '
  '(setting pay.proration); a leave counts with the percentage that it is paid with; the running sum of a component is '
  'rounded. told: only what who acts may know. Unguarded (PAY-16).';

CREATE FUNCTION arrears(employee bigint, since date)
  RETURNS TABLE (for_month date, kind text, component text, due numeric, paid numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.month, k.kind, k.component, sum(k.due), sum(k.paid)
    FROM pay_period p
   CROSS JOIN LATERAL (
     SELECT d.kind, d.component, d.amount AS due, 0 AS paid FROM pay_part(employee, p.month, p.proration, false) d
     UNION ALL
     SELECT l.kind, l.component, 0, l.amount FROM payslip_line l
      WHERE l.employee_id = employee AND l.for_month = p.month) k
   WHERE p.month + 31 > since
   GROUP BY p.month, k.kind, k.component HAVING sum(k.due) <> sum(k.paid)
   ORDER BY p.month, k.kind, k.component;
END;
COMMENT ON FUNCTION arrears(bigint, date) IS
  'Closed months, from a day on, in which another amount was paid than is due by what is known now; unguarded '
  '(PAY-16).';

CREATE FUNCTION payslip_part(employee bigint, month date)
  RETURNS TABLE (kind text, place integer, component text, from_date date, until_date date, days integer,
                 month_days integer, monthly numeric, amount numeric,
                 source_table text, source_id bigint, decision_id bigint, since date) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH m AS (
    SELECT date_trunc('month', month::timestamp)::date AS month,
           actor() IS DISTINCT FROM employee
           OR raises_told(employee, (date_trunc('month', month::timestamp) + interval '1 month')::date - 1) AS told
  ), line AS (
    -- what was paid
    SELECT CASE WHEN l.for_month < l.month THEN 'arrears' ELSE l.kind END AS kind,
           CASE WHEN l.for_month < l.month THEN 3 WHEN l.kind = 'base' THEN 1 ELSE 2 END AS place,
           CASE WHEN l.for_month < l.month THEN l.for_month || ' ' || l.component ELSE l.component END AS component,
           l.from_date, l.until_date, l.days, l.month_days, l.monthly, l.amount, l.source_table, l.source_id,
           l.decision_id, coalesce(l.since, l.for_month) AS since
      FROM payslip_line l JOIN m ON l.month = m.month WHERE l.employee_id = employee AND m.told
    UNION ALL
    -- what is due by now
    SELECT p.* FROM m LEFT JOIN pay_period c ON c.month = m.month
     CROSS JOIN LATERAL pay_part(employee, m.month, coalesce(c.proration, setting_text('pay.proration')), true) p
     WHERE c.month IS NULL OR NOT m.told
    UNION ALL
    SELECT 'arrears', 3, a.for_month || ' ' || a.component, NULL, NULL, NULL, NULL, NULL, a.due - a.paid, NULL, NULL,
           NULL,
           a.for_month
      FROM m JOIN arrears_due d ON d.employee_id = employee CROSS JOIN LATERAL arrears(employee, d.since) a
     WHERE m.month = (SELECT (max(c.month) + interval '1 month')::date FROM pay_period c) AND m.told
  )
  SELECT l.* FROM line l ORDER BY l.place, l.component, l.from_date;
END;
COMMENT ON FUNCTION payslip_part(bigint, date) IS
  'What pay of a month is made of, by source row: of a closed month what was paid, else what is due by what is known '
  'now; arrears of closed months in the one that is closed next. Variable pay, bonuses and spot awards come with '
  'their tables; unguarded (PAY-16).';

CREATE FUNCTION payslip_detail(employee text, month date DEFAULT today(), locale text DEFAULT NULL)
  RETURNS TABLE (part_no integer, kind text, label text, from_date date, until_date date, days integer,
                 month_days integer, monthly numeric, amount numeric,
                 rule text, source_table text, source_id bigint, decision_id bigint,
                 explanation text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH part AS (
    SELECT p.*, row_number() OVER (ORDER BY p.place, p.component, p.from_date)::integer AS n, d.kind AS decided,
           d.reason,
           -- the raise behind a salary: its own decision has the figures; the person learns of it once its result is
           -- disclosed
           r.kind AS raised, r.inputs || r.outcome AS figures, r.rule_version, s.told,
           CASE WHEN p.kind = 'allowance' THEN w.cause END AS cause, coalesce(k.name, o.name) AS name,
           w.allowance_rule_id
      FROM (SELECT find_employee(employee) AS id OFFSET 0) e
      CROSS JOIN LATERAL payslip_part(e.id, coalesce(payslip_detail.month, today())) p
      LEFT JOIN decision d ON d.decision_id = p.decision_id
      LEFT JOIN salary_adjustment a ON p.kind = 'base' AND d.cause = 'salary_adjustment'
        AND a.adjustment_id = d.cause_id
      LEFT JOIN decision r ON r.decision_id = a.decision_id
      LEFT JOIN LATERAL (SELECT actor() IS DISTINCT FROM e.id OR x.disclosed_on IS NOT NULL
                         OR disclosed(x.review_id) AS told
                           FROM review_result x WHERE x.result_id = a.result_id) s ON true
      LEFT JOIN skill_allowance w ON p.kind = 'allowance' AND w.skill_allowance_id = p.source_id
      LEFT JOIN certification_result c ON w.cause = 'certification_result' AND c.certification_result_id = w.cause_id
      LEFT JOIN certification k ON k.certification_id = c.certification_id
      LEFT JOIN training_record t ON w.cause = 'training_record' AND t.training_record_id = w.cause_id
      LEFT JOIN resource o ON o.resource_id = t.resource_id
     WHERE may_read_pay(e.id)
  ), said AS (
    SELECT p.*, CASE WHEN p.kind = 'allowance'
      THEN sentence(CASE p.cause WHEN 'training_record' THEN 'payslip.course' ELSE 'payslip.certification' END,
                                                             jsonb_build_object('name', p.name, 'monthly', p.monthly,
                                                                                'from', p.since), payslip_detail.locale)
                     WHEN p.kind = 'arrears'
                     THEN sentence('payslip.owed', jsonb_build_object('month', to_char(p.since, 'YYYY-MM'), 'amount',
                                                                      p.amount), payslip_detail.locale)
                     WHEN p.told THEN sentence(CASE WHEN p.raised = 'pay.correct' THEN 'pay.corrected'
                                               ELSE 'pay.raise' END, p.figures, payslip_detail.locale)
                     ELSE sentence(CASE WHEN p.decided = 'salary.set' THEN 'payslip.set' ELSE 'payslip.loaded' END,
                                   jsonb_build_object('monthly', p.monthly, 'from', p.since, 'reason',
                                                      coalesce(p.reason, '')), payslip_detail.locale) END AS line
      FROM part p
  )
  SELECT s.n, s.kind, sentence('payslip.' || s.kind, '{}', payslip_detail.locale), s.from_date, s.until_date, s.days,
         s.month_days, s.monthly, s.amount,
         CASE WHEN s.kind = 'allowance' THEN 'allowance_rule ' || s.allowance_rule_id
              WHEN s.kind = 'arrears' THEN 'arrears'
              WHEN s.told THEN format('%s v%s %s', s.figures ->> 'scale', s.rule_version, s.figures ->> 'band')
              WHEN s.decided = 'salary.set' THEN 'salary.set' ELSE 'salary' END,
         s.source_table, s.source_id, s.decision_id,
         CASE WHEN s.days <> s.month_days
              THEN sentence('payslip.prorated',
                            jsonb_build_object('line', s.line, 'days', s.days, 'month_days', s.month_days, 'amount',
                                               s.amount), payslip_detail.locale)
              ELSE s.line END
    FROM said s ORDER BY s.n;
END;
COMMENT ON FUNCTION payslip_detail(text, date, text) IS
  'Parts of the pay of a month, each with its days, rule, source row, decision and a sentence that explains it; for '
  'the person (raises once the result is disclosed), HR and finance, no rows for anybody else. Error 22023: unknown '
  '(PAY-16).';

CREATE FUNCTION payslip(employee text, month date DEFAULT today(), locale text DEFAULT NULL)
  RETURNS TABLE (line_no integer, kind text, label text, amount numeric, total numeric, rule text, source_table text,
                 source_ids bigint[], explanation text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT row_number() OVER (ORDER BY min(d.part_no))::integer, d.kind, d.label, sum(d.amount),
         sum(sum(d.amount)) OVER (),
         string_agg(d.rule, ', ' ORDER BY d.part_no), d.source_table, array_agg(d.source_id ORDER BY d.part_no),
         string_agg(d.explanation, sentence('payslip.separator', '{}', payslip.locale) ORDER BY d.part_no)
    FROM payslip_detail(employee, month, payslip.locale) d
   GROUP BY d.kind, d.label, d.source_table
   ORDER BY 1;
END;
COMMENT ON FUNCTION payslip(text, date, text) IS
  'How the pay of a month was worked out: base pay and skill allowances, each line with rule, source rows and '
  'explanation; total is the sum of the lines. For the person, HR and finance; no rows for anybody else. Variable pay, '
  'bonuses and spot awards are not in it before they have tables. Error 22023: unknown (PAY-16).';

-- everybody's own pages (MOB-01) ----------------------------------------------

CREATE VIEW my_reviews WITH (security_invoker) AS
  SELECT a.review_id, a.cycle_code, c.name AS cycle_name, lower(c.period) AS from_date,
         upper(c.period) - 1 AS until_date, r.status, a.manager_no,
         a.self_score, a.manager_score, x.composite AS final_score, x.grade, x.version, x.locked_on, x.disclosed_on,
         k.answer
    FROM assessment a
    JOIN review r ON r.review_id = a.review_id
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    LEFT JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL AND x.disclosed_on IS NOT NULL
    LEFT JOIN acknowledgement k ON k.result_id = x.result_id
   WHERE r.employee_id = actor();
COMMENT ON VIEW my_reviews IS
  'Own reviews: own score, the manager''s once both are in and disclosed, the final one once disclosed (MOB-01, '
  'REV-03, REV-08).';
COMMENT ON COLUMN my_reviews.review_id IS 'Review.';
COMMENT ON COLUMN my_reviews.cycle_code IS 'Cycle.';
COMMENT ON COLUMN my_reviews.cycle_name IS 'Its name.';
COMMENT ON COLUMN my_reviews.from_date IS 'First day.';
COMMENT ON COLUMN my_reviews.until_date IS 'Last day.';
COMMENT ON COLUMN my_reviews.status IS 'blocked, open, locked or not_rated.';
COMMENT ON COLUMN my_reviews.manager_no IS 'Manager who rates.';
COMMENT ON COLUMN my_reviews.self_score IS 'Own composite.';
COMMENT ON COLUMN my_reviews.manager_score IS 'The manager''s composite; null: not yet, or not to be seen yet.';
COMMENT ON COLUMN my_reviews.final_score IS 'Final score; null: not disclosed.';
COMMENT ON COLUMN my_reviews.grade IS 'Its grade.';
COMMENT ON COLUMN my_reviews.version IS 'Its version.';
COMMENT ON COLUMN my_reviews.locked_on IS 'Day of the lock; null: not disclosed.';
COMMENT ON COLUMN my_reviews.disclosed_on IS 'Day of the disclosure.';
COMMENT ON COLUMN my_reviews.answer IS 'acknowledged or refused; null: not answered.';

CREATE VIEW my_indicators WITH (security_invoker) AS
  SELECT c.code AS cycle_code, 'live' AS origin, n.code AS indicator_code, n.name AS indicator_name,
         trim_scale(round(i.weight, 4)) AS weight,
         round(s.attainment, 2) AS completion_pct, s.value::numeric AS value, NULL::boolean AS missed
    FROM review r
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN initial_score s ON s.review_id = r.review_id
    JOIN review_standard i ON i.review_id = s.review_id AND i.indicator_id = s.indicator_id
    JOIN indicator n ON n.indicator_id = s.indicator_id
   WHERE r.employee_id = actor() AND r.status IN ('open', 'blocked')
  UNION ALL
  SELECT c.code, 'result', t.i ->> 'indicator', t.i ->> 'name', (t.i ->> 'weight')::numeric,
         round((t.i ->> 'attainment')::numeric, 2), (t.i ->> 'value')::numeric, (t.i ->> 'missed')::boolean
    FROM review r
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL AND x.disclosed_on IS NOT NULL
    JOIN decision d ON d.decision_id = x.decision_id
    CROSS JOIN LATERAL jsonb_array_elements(d.inputs -> 'items') AS t (i)
   WHERE r.employee_id = actor();
COMMENT ON VIEW my_indicators IS
  'Completion of own indicators: live from the readings while a review is open, from the result once disclosed '
  '(MOB-01).';
COMMENT ON COLUMN my_indicators.cycle_code IS 'Cycle.';
COMMENT ON COLUMN my_indicators.origin IS 'live or result.';
COMMENT ON COLUMN my_indicators.indicator_code IS 'Indicator.';
COMMENT ON COLUMN my_indicators.indicator_name IS 'Its name.';
COMMENT ON COLUMN my_indicators.weight IS 'Percent of the whole.';
COMMENT ON COLUMN my_indicators.completion_pct IS 'Attainment in percent, 2 decimals; null: judged, or no reading yet.';
COMMENT ON COLUMN my_indicators.value IS 'Score 0-100.';
COMMENT ON COLUMN my_indicators.missed IS 'Whether it counts as missed; null: still open.';

CREATE VIEW my_feedback WITH (security_invoker) AS
  SELECT c.code AS cycle_code, f.rater_group, f.name, f.indicator_code, f.raters, f.value, f.comments
    FROM review r
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN employee e ON e.employee_id = r.employee_id
    CROSS JOIN LATERAL feedback(c.code, e.employee_no) f
   WHERE r.employee_id = actor();
COMMENT ON VIEW my_feedback IS
  'What the rater groups said of who is acting, once disclosed, as feedback() shows it (MOB-01, REV-07).';
COMMENT ON COLUMN my_feedback.cycle_code IS 'Cycle.';
COMMENT ON COLUMN my_feedback.rater_group IS 'Group, others or total.';
COMMENT ON COLUMN my_feedback.name IS 'Its name.';
COMMENT ON COLUMN my_feedback.indicator_code IS 'Indicator.';
COMMENT ON COLUMN my_feedback.raters IS 'How many.';
COMMENT ON COLUMN my_feedback.value IS 'Mean value, 2 decimals.';
COMMENT ON COLUMN my_feedback.comments IS 'Comments, without author or order.';

CREATE VIEW my_plan WITH (security_invoker) AS
  SELECT c.code AS cycle_code, p.plan_id, p.kind AS plan_kind, p.status, p.employee_confirmed_at,
         p.manager_confirmed_at, i.position, i.kind, i.title, i.topic, i.quantity,
         i.due_on, round(i.progress, 2) AS progress_pct, s.sessions, s.next_session_on
    FROM development_plan p
    JOIN review_cycle c ON c.cycle_id = p.cycle_id
    JOIN plan_item i ON i.plan_id = p.plan_id
    CROSS JOIN LATERAL (SELECT array_agg(x.session_on ORDER BY x.session_on) AS sessions,
                        min(x.session_on) FILTER (WHERE x.held_on IS NULL AND x.session_on >= today())
                          AS next_session_on
                          FROM plan_session x WHERE x.plan_item_id = i.plan_item_id) s
   WHERE p.employee_id = actor() AND p.status IN ('proposed', 'effective', 'completed');
COMMENT ON VIEW my_plan IS 'Items of own plans that stand, with the days of mentor sessions (MOB-01).';
COMMENT ON COLUMN my_plan.cycle_code IS 'Cycle that caused the plan.';
COMMENT ON COLUMN my_plan.plan_id IS 'Plan.';
COMMENT ON COLUMN my_plan.plan_kind IS 'development or improvement.';
COMMENT ON COLUMN my_plan.status IS 'proposed, effective or completed.';
COMMENT ON COLUMN my_plan.employee_confirmed_at IS 'When oneself confirmed.';
COMMENT ON COLUMN my_plan.manager_confirmed_at IS 'When the manager confirmed.';
COMMENT ON COLUMN my_plan.position IS 'Order.';
COMMENT ON COLUMN my_plan.kind IS 'course, project, mentor or placeholder.';
COMMENT ON COLUMN my_plan.title IS 'What is to be done, or the mentor.';
COMMENT ON COLUMN my_plan.topic IS 'Topic of the sessions.';
COMMENT ON COLUMN my_plan.quantity IS 'How much.';
COMMENT ON COLUMN my_plan.due_on IS 'Due day.';
COMMENT ON COLUMN my_plan.progress_pct IS 'Percent done.';
COMMENT ON COLUMN my_plan.sessions IS 'Days of all sessions; null: none.';
COMMENT ON COLUMN my_plan.next_session_on IS 'Day of the next one.';

CREATE VIEW my_mentoring WITH (security_invoker) AS
  SELECT m.mentorship_id, p.own_role, m.goal, m.content, lower(m.valid) AS valid_from,
         upper(m.valid) - 1 AS valid_until, s.sessions, s.next_session_on,
         p.employee_no AS partner_no, p.name AS partner_name, p.contact AS partner_contact
    FROM mentorship m
    CROSS JOIN LATERAL mentoring_partner(m.mentorship_id) p
    CROSS JOIN LATERAL (SELECT array_agg(x.due_on ORDER BY x.due_on) AS sessions,
                        min(x.due_on) FILTER (WHERE x.due_on >= today()) AS next_session_on
                          FROM mentoring_session x WHERE x.mentorship_id = m.mentorship_id) s
   WHERE (m.mentee_id = actor() OR m.mentor_id = actor());
COMMENT ON VIEW my_mentoring IS
  'Mentorships of who is acting, as mentee or mentor: goal, content, schedule, and how to reach the other (MOB-01).';
COMMENT ON COLUMN my_mentoring.mentorship_id IS 'Mentorship.';
COMMENT ON COLUMN my_mentoring.own_role IS 'mentee or mentor.';
COMMENT ON COLUMN my_mentoring.goal IS 'Goal.';
COMMENT ON COLUMN my_mentoring.content IS 'Core points.';
COMMENT ON COLUMN my_mentoring.valid_from IS 'First day.';
COMMENT ON COLUMN my_mentoring.valid_until IS 'Last day.';
COMMENT ON COLUMN my_mentoring.sessions IS 'Days of all sessions; null: none yet.';
COMMENT ON COLUMN my_mentoring.next_session_on IS 'Day of the next one.';
COMMENT ON COLUMN my_mentoring.partner_no IS 'Number of the mentor, or of the mentee.';
COMMENT ON COLUMN my_mentoring.partner_name IS 'Name.';
COMMENT ON COLUMN my_mentoring.partner_contact IS 'Telephone, mail or the like.';

CREATE VIEW my_pay WITH (security_invoker) AS
  SELECT x.cycle_code, x.status, x.line
    FROM employee e CROSS JOIN LATERAL explain_pay(e.employee_no) x WHERE e.employee_id = actor();
COMMENT ON VIEW my_pay IS
  'How own scores became raises, in a sentence each, once the result is disclosed (MOB-01, PAY-03).';
COMMENT ON COLUMN my_pay.cycle_code IS 'Cycle.';
COMMENT ON COLUMN my_pay.status IS 'proposed, held, approved or applied.';
COMMENT ON COLUMN my_pay.line IS 'The sentence.';

CREATE VIEW my_payslip WITH (security_invoker) AS
  SELECT date_trunc('month', today()::timestamp)::date AS month, s.line_no, s.kind, s.label, s.amount, s.total,
         s.rule, s.source_table, s.source_ids, s.explanation
    FROM employee e CROSS JOIN LATERAL payslip(e.employee_no, today()) s WHERE e.employee_id = actor();
COMMENT ON VIEW my_payslip IS 'Own payslip of this month; payslip(employee, month) has the others (MOB-01, PAY-16).';
COMMENT ON COLUMN my_payslip.month IS 'First day of the month.';
COMMENT ON COLUMN my_payslip.line_no IS 'Line.';
COMMENT ON COLUMN my_payslip.kind IS 'base or allowance.';
COMMENT ON COLUMN my_payslip.label IS 'Its name.';
COMMENT ON COLUMN my_payslip.amount IS 'Yuan.';
COMMENT ON COLUMN my_payslip.total IS 'Sum of all lines, yuan.';
COMMENT ON COLUMN my_payslip.rule IS 'Rule.';
COMMENT ON COLUMN my_payslip.source_table IS 'Table of the source rows.';
COMMENT ON COLUMN my_payslip.source_ids IS 'Their keys.';
COMMENT ON COLUMN my_payslip.explanation IS 'How it was worked out.';

-- what may be known by now of a result, a decision that follows from it, and a notice of that

CREATE FUNCTION result_told(cause text, cause_id bigint) RETURNS boolean STABLE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
  RETURN hrloop.acts_for('book'::regclass, 'hr') OR coalesce((
    SELECT CASE WHEN actor() IS NULL THEN false
                WHEN actor() = r.employee_id THEN r.status = 'locked' AND disclosed(r.review_id)
                ELSE r.status = 'locked' OR NOT r.anonymous END
      FROM review r
     WHERE r.review_id = CASE result_told.cause
             WHEN 'review' THEN result_told.cause_id
             WHEN 'calibration' THEN (SELECT k.review_id FROM calibration k
                                      WHERE k.calibration_id = result_told.cause_id)
             WHEN 'hr_task' THEN (SELECT t.source_id FROM hr_task t
                                  WHERE t.hr_task_id = result_told.cause_id AND t.source_table = 'review')
             ELSE (SELECT x.review_id FROM review_result x WHERE x.result_id = CASE result_told.cause
                     WHEN 'review_result' THEN result_told.cause_id
                     WHEN 'salary_adjustment'
                       THEN (SELECT a.result_id FROM salary_adjustment a WHERE a.adjustment_id = result_told.cause_id)
                     WHEN 'pool_evidence'
                       THEN (SELECT v.result_id FROM pool_evidence v WHERE v.pool_evidence_id = result_told.cause_id)
                     WHEN 'recommendation'
                       THEN (SELECT n.result_id FROM recommendation n WHERE n.recommendation_id = result_told.cause_id)
                     WHEN 'promotion_case'
                       THEN (SELECT p.result_id FROM promotion_case p
                             WHERE p.promotion_case_id = result_told.cause_id) END) END), false);
COMMENT ON FUNCTION result_told(text, bigint) IS
  'Whether the figures of the review behind a row may be known to who acts: the employee once they are locked and '
  'disclosed; others once they are locked, or if no anonymous scores are in them; HR always, and HR alone where no '
  'review is found (REV-07, REV-08).';

CREATE FUNCTION decision_told(kind text, cause text, cause_id bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN coalesce((SELECT CASE WHEN k.reveals IN ('nothing', 'person', 'pay') THEN true
                   WHEN k.reveals IN ('result', 'raise') THEN result_told(cause, cause_id) END
                     FROM decision_kind k WHERE k.kind = decision_told.kind), false);
COMMENT ON FUNCTION decision_told(text, text, bigint) IS
  'Whether a decision about who acts may be known to them by now, as decision_kind says.';

CREATE FUNCTION notice_told(decision bigint) RETURNS boolean STABLE SECURITY DEFINER SET search_path FROM CURRENT
  LANGUAGE SQL
  RETURN coalesce((SELECT d.employee_id IS DISTINCT FROM actor() OR decision_told(d.kind, d.cause, d.cause_id)
                     FROM decision d WHERE d.decision_id = notice_told.decision), true);
COMMENT ON FUNCTION notice_told(bigint) IS
  'Whether a notice to who acts may be read by now: one of a decision about them when they may know that decision '
  '(REV-08).';

-- Fenced: it runs as the owner of the books, and OFFSET 0 keeps conditions of who reads it outside, so that neither
-- the order in which PostgreSQL asks them nor the rows that it expects tells of notices to others.
CREATE VIEW my_notices AS
  SELECT n.notification_id, n.created_at, n.kind, n.recipient_role, n.body, n.read_at
    FROM notification n
   WHERE n.recipient_id = (SELECT actor()) AND n.withdrawn_at IS NULL AND notice_told(n.decision_id)
     AND ((SELECT NOT setting_on('sec.require_tls')) OR (SELECT require_tls())
          OR n.kind IN (SELECT k.kind FROM notice k WHERE NOT k.is_pay))
  OFFSET 0;
COMMENT ON VIEW my_notices IS
  'Own notices that were not withdrawn, those of what followed from an own result once it is disclosed; mark_read() '
  'marks one read (MOB-01, REV-08).';
COMMENT ON COLUMN my_notices.notification_id IS 'Notice.';
COMMENT ON COLUMN my_notices.created_at IS 'When it was written.';
COMMENT ON COLUMN my_notices.kind IS 'Kind, as in message_text.';
COMMENT ON COLUMN my_notices.recipient_role IS 'As what one gets it.';
COMMENT ON COLUMN my_notices.body IS 'The text.';
COMMENT ON COLUMN my_notices.read_at IS 'When it was read; null: unread.';

CREATE VIEW my_growth WITH (security_invoker) AS
  SELECT g.occurred_on, g.category, g.kind, g.line, g.source_table, g.source_id, g.growth_archive_id
    FROM growth_record g JOIN employee e ON e.employee_no = g.employee_no WHERE e.employee_id = actor() AND g.standing;
COMMENT ON VIEW my_growth IS
  'Own growth archive, what stands, in words; ORDER BY occurred_on DESC, growth_archive_id DESC: newest first (MOB-01, '
  'DEV-12).';
COMMENT ON COLUMN my_growth.occurred_on IS 'Day.';
COMMENT ON COLUMN my_growth.category IS 'training, performance, contribution, development or career.';
COMMENT ON COLUMN my_growth.kind IS 'Kind, as in growth_archive.';
COMMENT ON COLUMN my_growth.line IS 'In words.';
COMMENT ON COLUMN my_growth.source_table IS 'Table of the source row.';
COMMENT ON COLUMN my_growth.source_id IS 'Its key.';
COMMENT ON COLUMN my_growth.growth_archive_id IS 'Line.';

CREATE VIEW my_home WITH (security_invoker) AS
  SELECT e.employee_no, e.name, u.name AS unit_name, j.name AS job_name, m.name AS manager_name,
         live.cycle_code AS live_cycle_code, live.score AS live_score, live.line AS live_line,
         last.cycle_code, last.final_score, last.grade,
         (SELECT count(DISTINCT p.plan_id) FROM my_plan p WHERE p.status <> 'completed') AS open_plans,
         (SELECT round(avg(p.progress_pct), 2) FROM my_plan p WHERE p.status <> 'completed') AS plan_progress_pct,
         (SELECT count(*) FROM my_plan p
          WHERE p.status = 'proposed' AND p.employee_confirmed_at IS NULL AND p.position = 1) AS plans_to_confirm,
         (SELECT count(*) FROM my_reviews r WHERE r.disclosed_on IS NOT NULL AND r.answer IS NULL) AS results_to_answer,
         (SELECT count(*) FROM my_notices n WHERE n.read_at IS NULL) AS unread_notices
    FROM employee e
    LEFT JOIN assignment a ON a.employee_id = e.employee_id AND a.is_primary AND a.valid @> today()
    LEFT JOIN org_unit u ON u.org_unit_id = a.org_unit_id
    LEFT JOIN job j ON j.job_id = a.job_id
    LEFT JOIN employee m ON m.employee_id = manager_of(e.employee_id)
    LEFT JOIN LATERAL (SELECT b.cycle_code, b.score, b.line FROM live_board b
                       JOIN review r ON r.review_id = b.review_id JOIN review_cycle c ON c.cycle_id = r.cycle_id
                        WHERE r.employee_id = e.employee_id AND r.status IN ('open', 'blocked')
                          ORDER BY upper(c.period) DESC, c.cycle_id DESC LIMIT 1) live ON true
    LEFT JOIN LATERAL (SELECT r.cycle_code, r.final_score, r.grade FROM my_reviews r WHERE r.disclosed_on IS NOT NULL
                       ORDER BY r.until_date DESC, r.review_id DESC LIMIT 1) last ON true
   WHERE e.employee_id = actor();
COMMENT ON VIEW my_home IS
  'First page of who is acting, one row: live score, last result, plans, what waits for an answer; no row when nobody '
  'is acting (MOB-01).';
COMMENT ON COLUMN my_home.employee_no IS 'Number.';
COMMENT ON COLUMN my_home.name IS 'Name.';
COMMENT ON COLUMN my_home.unit_name IS 'Unit.';
COMMENT ON COLUMN my_home.job_name IS 'Position.';
COMMENT ON COLUMN my_home.manager_name IS 'Manager of today.';
COMMENT ON COLUMN my_home.live_cycle_code IS 'Newest open cycle with readings.';
COMMENT ON COLUMN my_home.live_score IS 'Live score in it.';
COMMENT ON COLUMN my_home.live_line IS 'The same in words, with the gap to the target.';
COMMENT ON COLUMN my_home.cycle_code IS 'Newest cycle whose result is disclosed.';
COMMENT ON COLUMN my_home.final_score IS 'Its final score.';
COMMENT ON COLUMN my_home.grade IS 'Its grade.';
COMMENT ON COLUMN my_home.open_plans IS 'Plans that are not completed.';
COMMENT ON COLUMN my_home.plan_progress_pct IS 'Mean progress of their items, percent; null: none.';
COMMENT ON COLUMN my_home.plans_to_confirm IS 'Plans that wait for one''s own confirmation.';
COMMENT ON COLUMN my_home.results_to_answer IS 'Disclosed results that were not answered.';
COMMENT ON COLUMN my_home.unread_notices IS 'Unread notices.';

CREATE FUNCTION self_service() RETURNS jsonb STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT to_jsonb(h) || jsonb_build_object(
      'reviews',    (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.until_date DESC, r.review_id DESC), '[]')
                     FROM my_reviews r),
      'indicators', (SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.cycle_code DESC, i.indicator_code COLLATE "C"),
                                     '[]') FROM my_indicators i),
      'feedback',   (SELECT coalesce(jsonb_agg(to_jsonb(f)
                                               ORDER BY f.cycle_code DESC, f.indicator_code COLLATE "C",
                                                        f.rater_group), '[]') FROM my_feedback f),
      'plan',       (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.plan_id DESC, p.position), '[]') FROM my_plan p),
      'mentoring',  (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.valid_from DESC, m.mentorship_id DESC), '[]')
                     FROM my_mentoring m),
      'pay',        (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM my_pay x),
      'payslip',    (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.line_no), '[]') FROM my_payslip s),
      'growth',     (SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.occurred_on DESC, g.growth_archive_id DESC),
                                     '[]') FROM my_growth g),
      'notices',    (SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.notification_id DESC), '[]') FROM my_notices n
                     WHERE n.read_at IS NULL))
    FROM my_home h;
END;
COMMENT ON FUNCTION self_service() IS
  'Everything concerning who is acting in one document, for the phone: the row of my_home with reviews, indicators, '
  'feedback, plan, mentoring, pay, payslip, growth and unread notices; nothing of others; null when nobody is acting '
  '(MOB-01).';
