-- calibrate: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('calibration.open',     'nothing', 'A session of calibration is opened'),
  ('calibration.close',    'secret', 'A session is closed: with everybodys scores'),
  ('calibration.set',      'result', 'A score is calibrated'),
  ('calibration.withdraw', 'result', 'A calibration is taken back'),
  ('calibration.void',     'result', 'The score under a calibration changed: it is void');

INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('calibration.small_unit', 'integer', '5', '5',
   'A calibration session of fewer people than this has at most one of them in the top grade and is otherwise free of '
   'the distribution; null: no group is small');
UPDATE setting SET least = 0 WHERE setting = 'calibration.small_unit';

-- distributions ---------------------------------------------------------------

CREATE FUNCTION distribution_problem(distributions bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '22023', format('no grade scale has all grades of distribution "%s"', d.code), format('Grades: %s.', g.list),
         'Grades are labels of the bands of one scale of kind grade.', 'grade_share', 'grade', 'grade_share_known'
    FROM grade_distribution d
    CROSS JOIN LATERAL (SELECT string_agg(x.grade, ', ' ORDER BY x.position) AS list FROM grade_share x
                        WHERE x.distribution_id = d.distribution_id) g
   WHERE d.distribution_id = ANY (distributions)
     AND NOT EXISTS (SELECT FROM scale s WHERE s.kind = 'grade' AND s.status = 'active'
                        AND NOT EXISTS (SELECT FROM grade_share x WHERE x.distribution_id = d.distribution_id
                                           AND x.grade NOT IN (SELECT b.label FROM band b
                                                               WHERE b.scale_id = s.scale_id AND b.label IS NOT NULL)))
  UNION ALL
  SELECT '23514', format('shares of distribution "%s" sum to %s, not 100', d.code, trim_scale(g.total)), NULL,
         'Name every grade with its percent.', 'grade_share', 'percent', 'grade_share_sum'
    FROM grade_distribution d
    CROSS JOIN LATERAL (SELECT sum(x.percent) AS total FROM grade_share x WHERE x.distribution_id = d.distribution_id) g
   WHERE d.distribution_id = ANY (distributions) AND g.total <> 100;
END;
COMMENT ON FUNCTION distribution_problem(bigint[]) IS
  'Rules: the shares of a distribution sum to 100, its grades belong to one grade scale.';
SELECT register_follow('grade_share', '{insert}', 200, 'distribution_problem', key => 'distribution_id');
CREATE TRIGGER grade_share_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON grade_share
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Make a new version with create_distribution().');
CREATE TRIGGER grade_distribution_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON grade_distribution
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Make a new version with create_distribution().');

CREATE FUNCTION seats_of(distribution bigint, people bigint)
  RETURNS TABLE (place integer, grade text, percent numeric, seats bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  -- in hundredths of a seat, so that nothing is rounded
  SELECT s.position, s.grade, s.percent,
         (div(s.percent * people, 100) + CASE
          WHEN row_number() OVER (ORDER BY mod(s.percent * people, 100) DESC, s.position)
                                                   <= people - sum(div(s.percent * people, 100)) OVER () THEN 1
                                                     ELSE 0 END)::bigint
    FROM grade_share s WHERE s.distribution_id = distribution
   ORDER BY s.position;
END;
COMMENT ON FUNCTION seats_of(bigint, bigint) IS
  'Seats of each grade in a group: whole seats, then one each to the largest remainders, among equal ones to the '
  'higher grade. They sum to the group.';

CREATE FUNCTION band_edge(scale bigint) RETURNS TABLE (grade text, lowest numeric, highest numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT b.label,
         CASE WHEN r.range @> e.first THEN e.first WHEN r.range @> e.first + 0.0001 THEN e.first + 0.0001 END,
         CASE WHEN r.range @> e.last THEN e.last WHEN r.range @> e.last - 0.0001 THEN e.last - 0.0001 END
    FROM band b
    CROSS JOIN LATERAL (SELECT b.range * '[0,100]' AS range) r
    CROSS JOIN LATERAL (SELECT round(ceil(lower(r.range) * 10000) / 10000, 4) AS first,
                        round(floor(upper(r.range) * 10000) / 10000, 4) AS last) e
   WHERE b.scale_id = scale AND b.label IS NOT NULL;
END;
COMMENT ON FUNCTION band_edge(bigint) IS
  'Lowest and highest score of four decimals, 0 to 100, in each labelled band of a scale; null: it has none.';

-- sessions and what was decided in them ---------------------------------------

CREATE TRIGGER calibration_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calibration
  FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Calibrate again; NULL withdraws a calibration.');
CREATE TRIGGER calibration_session_kept BEFORE DELETE OR TRUNCATE ON calibration_session
  FOR EACH STATEMENT
    EXECUTE FUNCTION hrloop.refuse('Close it with close_calibration(); what was calibrated in it stays.');

CREATE FUNCTION unit_line(unit bigint) RETURNS SETOF bigint STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE up AS (
    SELECT u.org_unit_id, u.parent_id FROM org_unit u WHERE u.org_unit_id = unit
    UNION
    SELECT u.org_unit_id, u.parent_id FROM up JOIN org_unit u ON u.org_unit_id = up.parent_id
  )
  SELECT up.org_unit_id FROM up;
END;
COMMENT ON FUNCTION unit_line(bigint) IS 'A unit and all units above it.';
CREATE FUNCTION may_calibrate(unit bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN actor() IS NULL AND owns_books() OR holds_role('hr', actor()) OR holds_role('executive', actor())
      OR EXISTS (SELECT FROM unit_head h WHERE h.employee_id = actor() AND h.valid @> today()
                    AND h.org_unit_id IN (SELECT unit_line(unit)));
COMMENT ON FUNCTION may_calibrate(bigint) IS
  'Whether who is acting may calibrate people of a unit (null: the whole company): HR, executives, heads of the unit '
  'or of one above it; the owner of the books, acting for nobody.';

-- who takes part, and what the distribution comes to --------------------------

CREATE FUNCTION calibration_scope(session bigint) RETURNS SETOF bigint STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE tree AS (
    SELECT s.cycle_id, s.org_unit_id FROM calibration_session s
      WHERE s.calibration_session_id = session AND s.org_unit_id IS NOT NULL
    UNION
    SELECT t.cycle_id, u.org_unit_id FROM tree t JOIN org_unit u ON u.parent_id = t.org_unit_id
  )
  SELECT r.review_id FROM calibration_session s JOIN review r USING (cycle_id)
    WHERE s.calibration_session_id = session AND s.org_unit_id IS NULL
  UNION ALL
  SELECT r.review_id FROM tree t JOIN review r ON r.org_unit_id = t.org_unit_id AND r.cycle_id = t.cycle_id;
END;
COMMENT ON FUNCTION calibration_scope(bigint) IS
  'Reviews of the cycle and the units of a session, whether they take part or not.';

CREATE FUNCTION calibration_member(session bigint)
  RETURNS TABLE (review_id bigint, employee_no text, original numeric, score numeric, grade_before text, grade text)
    STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT r.review_id, e.employee_no, r.composite, f.score,
         (SELECT b.label FROM band b WHERE b.scale_id = c.grade_scale_id AND b.range @> r.composite),
         (SELECT b.label FROM band b WHERE b.scale_id = c.grade_scale_id AND b.range @> f.score)
    FROM calibration_scope(session) AS m (review_id)
    JOIN review r ON r.review_id = m.review_id
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN employee e ON e.employee_id = r.employee_id
    CROSS JOIN LATERAL (SELECT coalesce(r.calibrated, r.composite) AS score) f
   WHERE r.status = 'open' AND r.complete AND r.composite IS NOT NULL;
END;
COMMENT ON FUNCTION calibration_member(bigint) IS
  'Who takes part in a session now: open, complete reviews, with composite, final score and grades.';

CREATE FUNCTION calibration_refused(session bigint) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '42501', format('%s cannot see or decide calibration session "%s"', who(), s.code), NULL,
         'HR, executives and the heads of its unit or of one above can.', 'calibration_session', NULL,
         'calibration_role'
    FROM calibration_session s WHERE s.calibration_session_id = session AND NOT may_calibrate(s.org_unit_id)
  UNION ALL
  SELECT '42501', format('%s cannot see or decide calibration session "%s": anonymous scores count in it', who(),
                         s.code), NULL,
         'Until the lock only HR knows composites with anonymous scores in them; others can still calibrate(), person '
         'by person.',
         'calibration_session', NULL, 'calibration_anonymous'
    FROM calibration_session s
   WHERE s.calibration_session_id = session AND actor() IS NOT NULL AND NOT sees_all_scores()
     AND EXISTS (SELECT FROM calibration_member(session) m JOIN review r USING (review_id) WHERE r.anonymous);
END;
COMMENT ON FUNCTION calibration_refused(bigint) IS
  'Rule: whose session it is not, or who would learn of anonymous scores by it (REV-07).';

CREATE FUNCTION calibration_outside(session bigint) RETURNS TABLE (employee_no text, why text) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT e.employee_no, CASE WHEN r.status = 'open' THEN 'incomplete' ELSE r.status END
    FROM calibration_scope(session) AS m (review_id) JOIN review r ON r.review_id = m.review_id
      JOIN employee e ON e.employee_id = r.employee_id
   WHERE NOT (r.status = 'open' AND r.complete AND r.composite IS NOT NULL);
END;
COMMENT ON FUNCTION calibration_outside(bigint) IS
  'Who belongs to the units of a session and does not take part, and why: incomplete, blocked, not_rated or locked.';

CREATE FUNCTION calibration_ranking(session bigint)
  RETURNS TABLE (review_id bigint, employee_no text, score numeric, grade text, place bigint, due text,
                 due_score numeric, tied boolean) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH m AS (
    -- from the first to the last place that equal scores share
    SELECT x.*, rank() OVER (ORDER BY x.score DESC) AS first_place,
           count(*) OVER (ORDER BY x.score DESC) AS last_place, count(*) OVER () AS people
      FROM calibration_member(session) x
  ), s AS (
    SELECT v.tie_rule, v.distribution_id, c.grade_scale_id FROM calibration_session v
      JOIN review_cycle c USING (cycle_id)
     WHERE v.calibration_session_id = session
  ), seat AS (
    SELECT g.place, g.grade, sum(g.seats) OVER (ORDER BY g.place) AS until
      FROM s CROSS JOIN LATERAL seats_of(s.distribution_id, (SELECT count(*) FROM m)) g
  ), cut AS (
    SELECT m.review_id, m.employee_no, m.score, m.grade, m.first_place, s.tie_rule, s.grade_scale_id,
           CASE WHEN NOT z.small THEN (SELECT t.grade FROM seat t WHERE t.until >= m.first_place ORDER BY t.place
                                       LIMIT 1)
                -- a small group: nobody but a single first may have the top grade
                WHEN z.top = m.grade AND m.first_place > 1 THEN z.second
                ELSE m.grade END AS high,
           CASE WHEN NOT z.small THEN (SELECT t.grade FROM seat t WHERE t.until >= m.last_place ORDER BY t.place
                                       LIMIT 1)
                WHEN z.top = m.grade AND m.last_place > 1 THEN z.second
                ELSE m.grade END AS low, z.small
      FROM m CROSS JOIN s
      CROSS JOIN LATERAL (SELECT coalesce(m.people < (SELECT setting_number('calibration.small_unit')), false) AS small,
                                 (SELECT t.grade FROM seat t WHERE t.place = 1) AS top,
                                 coalesce((SELECT t.grade FROM seat t WHERE t.place = 2), m.grade) AS second) z
  ), due AS (
    SELECT c.*, c.tie_rule = 'refuse' AND c.high <> c.low AS tied, CASE WHEN c.tie_rule = 'up'
      AND NOT c.small THEN c.high ELSE c.low END AS due FROM cut c
  )
  SELECT d.review_id, d.employee_no, d.score, d.grade, d.first_place, d.due,
         CASE WHEN d.due = d.grade OR d.due IS NULL THEN d.score WHEN d.score < e.lowest THEN e.lowest
           ELSE e.highest END, d.tied
    FROM due d LEFT JOIN band_edge((SELECT s.grade_scale_id FROM s)) e ON e.grade = d.due;
END;
COMMENT ON FUNCTION calibration_ranking(bigint) IS
  'Everybody who takes part by final score, the grade the distribution gives and the nearest score that has it; tied: '
  'equal scores lie on both sides of a cut and the session refuses ties.';

CREATE FUNCTION calibration_count(session bigint)
  RETURNS TABLE (place bigint, grade text, percent numeric, seats bigint, before bigint, after bigint) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  WITH m AS (
    SELECT coalesce(x.grade_before, '-') AS grade_before, coalesce(x.grade, '-') AS grade
      FROM calibration_member(session) x
  ), s AS (
    SELECT v.distribution_id, c.grade_scale_id,
           coalesce((SELECT count(*) FROM m) < (SELECT setting_number('calibration.small_unit')), false) AS small
      FROM calibration_session v JOIN review_cycle c USING (cycle_id) WHERE v.calibration_session_id = session
  ), label AS (
    SELECT b.label AS grade, max(coalesce(lower(b.range), '-Infinity')) AS from_score
      FROM s JOIN band b ON b.scale_id = s.grade_scale_id WHERE b.label IS NOT NULL GROUP BY b.label
    UNION ALL
    SELECT '-', NULL::numeric WHERE EXISTS (SELECT FROM m WHERE m.grade = '-' OR m.grade_before = '-')
  )
  SELECT row_number() OVER (ORDER BY l.from_score DESC NULLS LAST), l.grade, d.percent,
         CASE WHEN NOT s.small THEN coalesce(d.seats, CASE WHEN s.distribution_id IS NOT NULL THEN 0 END)
              WHEN d.place = 1 THEN 1 END,
         (SELECT count(*) FROM m WHERE m.grade_before = l.grade), (SELECT count(*) FROM m WHERE m.grade = l.grade)
    FROM s CROSS JOIN label l LEFT JOIN seats_of(s.distribution_id, (SELECT count(*) FROM m)) d ON d.grade = l.grade;
END;
COMMENT ON FUNCTION calibration_count(bigint) IS
  'Grade by grade: seats (of a small group: at most one in the top grade), people before and after calibration; -: in '
  'a gap of the scale.';

CREATE FUNCTION calibration_unmet(session bigint) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('session "%s" is hard, and %s of its people are not scored completely', s.code, count(*)),
         format('Employees: %s.', string_agg(o.employee_no, ', ' ORDER BY o.employee_no)),
         'Score them first; a distribution is of everybody.',
         'review', 'complete', 'calibration_complete'
    FROM calibration_session s CROSS JOIN LATERAL calibration_outside(s.calibration_session_id) o
   WHERE s.calibration_session_id = session AND s.mode = 'hard' AND o.why = 'incomplete' GROUP BY s.code
  UNION ALL
  SELECT '23514', format('equal scores on both sides of a cut in session "%s"', t.code),
         string_agg(t.line, ' ' ORDER BY t.score DESC),
         'Calibrate one of them with a reason, or open a session with tie_rule up or down.', 'calibration_session',
         'tie_rule', 'calibration_tie'
    FROM (SELECT s.code, k.score, format('%s: %s.', trim_scale(k.score),
                                         string_agg(k.employee_no, ', ' ORDER BY k.employee_no)) AS line
            FROM calibration_session s CROSS JOIN LATERAL calibration_ranking(s.calibration_session_id) k
           WHERE s.calibration_session_id = session AND s.distribution_id IS NOT NULL AND s.tie_rule = 'refuse'
             AND k.tied GROUP BY s.code, k.score) t
   GROUP BY t.code;
END;
COMMENT ON FUNCTION calibration_unmet(bigint) IS
  'Why the distribution of a session cannot be met as things are, and by whom.';

-- sessions --------------------------------------------------------------------

CREATE FUNCTION calibration_opened_problem(sessions bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- two that open overlapping sessions at once: one after the other
  SELECT count(*) FROM (SELECT FROM review_cycle c
                        WHERE c.cycle_id IN (SELECT s.cycle_id FROM calibration_session s
                                             WHERE s.calibration_session_id = ANY (sessions))
                         ORDER BY c.cycle_id FOR NO KEY UPDATE) l;
  SELECT '42501', format('%s cannot open calibration session "%s"', who(), s.code), NULL,
         'HR and executives can, and heads for their own units; opened_by is who acts.', 'calibration_session',
         'opened_by', 'calibration_role'
    FROM calibration_session s
   WHERE s.calibration_session_id = ANY (sessions)
     AND (s.opened_by IS DISTINCT FROM actor() OR NOT may_calibrate(s.org_unit_id))
  UNION ALL
  SELECT '55000', format('a calibration session begins as open: "%s"', s.code), NULL, 'close_calibration() closes it.',
         'calibration_session', 'status', 'calibration_begins'
    FROM calibration_session s WHERE s.calibration_session_id = ANY (sessions) AND s.status <> 'open'
  UNION ALL
  SELECT '55000', format('cycle "%s" is %s: nothing to calibrate', c.code, c.status), NULL,
         'Calibrate between open_cycle() and the lock.',
         'calibration_session', 'cycle_id', 'calibration_cycle'
    FROM calibration_session s JOIN review_cycle c USING (cycle_id)
      WHERE s.calibration_session_id = ANY (sessions) AND c.status <> 'open'
  UNION ALL
  SELECT '22023', format('grade "%s" of distribution "%s" has no band in the grade scale of cycle "%s"', g.grade,
                         d.code, c.code), NULL,
         'Each grade has one band, which scores from 0 to 100 can reach.', 'calibration_session', 'distribution_id',
         'calibration_band'
    FROM calibration_session s JOIN review_cycle c USING (cycle_id) JOIN grade_distribution d USING (distribution_id)
      JOIN grade_share g USING (distribution_id)
   WHERE s.calibration_session_id = ANY (sessions)
     AND (SELECT count(e.lowest + e.highest) FROM band_edge(c.grade_scale_id) e WHERE e.grade = g.grade) <> 1
  UNION ALL
  SELECT '22023', format('distribution "%s" has no grades, or not in the order of the grade scale of cycle "%s"',
                         d.code, c.code), NULL,
         'Make its next version with create_distribution().', 'calibration_session', 'distribution_id',
         'calibration_order'
    FROM calibration_session s JOIN review_cycle c USING (cycle_id) JOIN grade_distribution d USING (distribution_id)
    CROSS JOIN LATERAL (SELECT array_agg(g.grade ORDER BY g.position) AS given,
                        array_agg(g.grade ORDER BY lower(b.range) DESC NULLS LAST) AS by_scale
                          FROM grade_share g LEFT JOIN band b ON b.scale_id = c.grade_scale_id AND b.label = g.grade
                         WHERE g.distribution_id = d.distribution_id) o
   WHERE s.calibration_session_id = ANY (sessions) AND (o.given IS NULL OR o.given <> o.by_scale)
  UNION ALL
  SELECT '55000', format('calibration session "%s" overlaps "%s", which is open', s.code, o.code), NULL,
         'Close that one first.',
         'calibration_session', 'org_unit_id', 'calibration_overlap'
    FROM calibration_session s JOIN calibration_session o ON o.cycle_id = s.cycle_id
      AND o.calibration_session_id <> s.calibration_session_id
   WHERE s.calibration_session_id = ANY (sessions) AND o.status = 'open'
     AND (s.org_unit_id IS NULL OR o.org_unit_id IS NULL OR o.org_unit_id IN (SELECT unit_line(s.org_unit_id))
          OR s.org_unit_id IN (SELECT unit_line(o.org_unit_id)));
END;
COMMENT ON FUNCTION calibration_opened_problem(bigint[]) IS
  'Rules of a new session: by whom, in an open cycle, with a distribution that fits its grade scale, of people who are '
  'in no other open session.';
SELECT register_follow('calibration_session', '{insert}', 200, 'calibration_opened_problem',
                       key => 'calibration_session_id');

CREATE FUNCTION calibration_closed_problem(sessions bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.* FROM unnest(sessions) AS s (id) CROSS JOIN LATERAL calibration_refused(s.id) p
  UNION ALL
  SELECT '42501', format('%s closes calibration session "%s" in another''s name', who(), s.code), NULL,
         'closed_by is who acts.',
         'calibration_session', 'closed_by', 'calibration_role'
    FROM calibration_session s WHERE s.calibration_session_id = ANY (sessions) AND s.closed_by IS DISTINCT FROM actor()
      AND s.status = 'closed'
  UNION ALL
  SELECT '55000', format('calibration session "%s" is closed', s.code), NULL, 'Open a new one.', 'calibration_session',
         'status', 'calibration_final'
    FROM calibration_session s WHERE s.calibration_session_id = ANY (sessions) AND s.status <> 'closed'
  UNION ALL
  SELECT p.* FROM calibration_session s CROSS JOIN LATERAL calibration_unmet(s.calibration_session_id) p
   WHERE s.calibration_session_id = ANY (sessions) AND s.mode = 'hard'
  UNION ALL
  SELECT '23514', format('session "%s" does not meet its distribution', s.code),
         string_agg(format('%s: %s of %s.', c.grade, c.after, coalesce(d.people, 0)), ' ' ORDER BY c.place),
         'See suggest_calibration(session); apply_calibration(session, reason) does what it says.',
         'calibration_session', 'status', 'calibration_seats'
    FROM calibration_session s
    CROSS JOIN LATERAL calibration_count(s.calibration_session_id) c
    LEFT JOIN LATERAL (SELECT coalesce(k.due, '-') AS grade, count(*) AS people
                       FROM calibration_ranking(s.calibration_session_id) k GROUP BY 1) d ON d.grade = c.grade
   WHERE s.calibration_session_id = ANY (sessions) AND s.mode = 'hard'
   GROUP BY s.calibration_session_id, s.code HAVING bool_or(c.after <> coalesce(d.people, 0));
END;
COMMENT ON FUNCTION calibration_closed_problem(bigint[]) IS
  'Rules of closing: by whom, once; a hard session meets its distribution under the rules for ties and small groups.';
CREATE FUNCTION calibration_session_fixed(sessions bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('what calibration session "%s" is for cannot change', s.code), NULL,
         'Close it and open another.', 'calibration_session', NULL, 'calibration_session_fixed'
    FROM calibration_session s WHERE s.calibration_session_id = ANY (sessions) LIMIT 1;
END;
COMMENT ON FUNCTION calibration_session_fixed(bigint[]) IS 'Rule: a session is not edited.';
CREATE FUNCTION calibration_session_reworded(sessions bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.* FROM calibration_session_fixed(ARRAY(SELECT d.cause_id FROM decision d
    WHERE d.cause_id = ANY (sessions) AND d.cause = 'calibration_session' AND d.kind = 'calibration.close')) p;
END;
COMMENT ON FUNCTION calibration_session_reworded(bigint[]) IS 'Rule: nor is a session that is closed.';
SELECT register_follow('calibration_session', '{update}', 100, 'calibration_session_fixed',
                       key => 'calibration_session_id',
  changed => '{code,cycle_id,org_unit_id,distribution_id,mode,tie_rule,opened_by,opened_at}');
SELECT register_follow('calibration_session', '{update}', 150, 'calibration_session_reworded',
                       key => 'calibration_session_id',
  changed => '{status,closed_by,closed_at}');
SELECT register_follow('calibration_session', '{update}', 200, 'calibration_closed_problem',
                       key => 'calibration_session_id', changed => '{status}');

-- calibrations ----------------------------------------------------------------

CREATE FUNCTION calibration_problem(calibrations bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- neither does the session close, nor do the reviews lock or change their scores meanwhile
  SELECT count(*) FROM (SELECT FROM calibration_session s
                         WHERE s.calibration_session_id IN (SELECT k.calibration_session_id FROM calibration k
                                                            WHERE k.calibration_id = ANY (calibrations))
                         ORDER BY s.calibration_session_id FOR SHARE) l;
  SELECT count(*) FROM (SELECT FROM review r
                        WHERE r.review_id IN (SELECT k.review_id FROM calibration k
                                              WHERE k.calibration_id = ANY (calibrations))
                         ORDER BY r.review_id FOR NO KEY UPDATE) l;
  WITH k AS (
    SELECT x.*, s.code AS session, s.status AS session_status, r.status, r.complete, r.composite, r.calibrated AS was,
           r.employee_id, r.org_unit_id,
           e.employee_no, format('review of employee %s, cycle %s', e.employee_no, c.code) AS title
      FROM calibration x
      JOIN calibration_session s USING (calibration_session_id)
      JOIN review r ON r.review_id = x.review_id
      JOIN employee e ON e.employee_id = r.employee_id
      JOIN review_cycle c ON c.cycle_id = r.cycle_id
     WHERE x.calibration_id = ANY (calibrations)
  )
  SELECT '42501', format('%s cannot calibrate their own score', k.employee_no), NULL,
         'Somebody else in the session decides it.',
         'calibration', 'decided_by', 'calibration_role'
    FROM k WHERE k.employee_id = actor()
  UNION ALL
  SELECT '42501', format('%s cannot calibrate: %s', who(), k.title), NULL,
         'HR, executives and the heads of the employee''s unit or of one above can; decided_by is who acts.',
         'calibration', 'decided_by', 'calibration_role'
    FROM k, (SELECT actor() IS NULL OR holds_role('hr', actor()) OR holds_role('executive', actor()) AS anybody) a
   WHERE k.decided_by IS DISTINCT FROM actor() OR NOT CASE WHEN a.anybody THEN true
     ELSE may_calibrate(k.org_unit_id) END
  UNION ALL
  SELECT '55000', format('calibration session "%s" is closed', k.session), NULL, 'Open a new one.', 'calibration',
         'calibration_session_id', 'calibration_open'
    FROM k WHERE k.session_status <> 'open'
  UNION ALL
  SELECT '22023', format('not in calibration session "%s": %s', k.session, k.title), NULL,
         'The session is about another cycle or unit.',
         'calibration', 'review_id', 'calibration_scope'
    FROM k LEFT JOIN (SELECT i.id, x.review_id FROM (SELECT DISTINCT k.calibration_session_id FROM k) AS i (id)
                       CROSS JOIN LATERAL calibration_scope(i.id) AS x (review_id)) t
                         ON t.id = k.calibration_session_id AND t.review_id = k.review_id
   WHERE t.review_id IS NULL
  UNION ALL
  SELECT '55000', format('%s, it cannot be calibrated: %s', CASE WHEN k.status = 'open' THEN 'not complete'
                         ELSE k.status END, k.title), NULL,
         CASE k.status WHEN 'locked' THEN 'Use unlock_review(cycle, employee, reason) first.'
           ELSE 'Only complete reviews take part.' END,
         'calibration', 'review_id', 'calibration_review'
    FROM k WHERE k.status <> 'open' OR NOT k.complete OR k.composite IS NULL
  UNION ALL
  SELECT '23514', format('original is not the composite: %s', k.title), NULL,
         'A calibration keeps the composite that it replaces.', 'calibration', 'original', 'calibration_original'
    FROM k WHERE k.original <> k.composite
  UNION ALL
  SELECT '55000', format('there is no calibration to withdraw: %s', k.title), NULL, NULL, 'calibration', 'calibrated',
         'calibration_withdraw'
    FROM k WHERE k.calibrated IS NULL AND k.was IS NULL;
END;
COMMENT ON FUNCTION calibration_problem(bigint[]) IS
  'Rules of a calibration: by HR, executives or heads, never of oneself, in an open session, of a complete review that '
  'is not locked and has the composite it names.';
SELECT register_follow('calibration', '{insert}', 200, 'calibration_problem', key => 'calibration_id');

-- the review ------------------------------------------------------------------

CREATE FUNCTION review_calibrated_problem(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('the calibrated score is not what its newest calibration says: review of employee %s, cycle '
                         '%s', e.employee_no, c.code), NULL,
         'Use calibrate(session, employee, value, reason).', 'review', 'calibrated', 'review_calibration'
    FROM review r JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
    LEFT JOIN LATERAL (SELECT k.calibration_id, k.calibrated FROM calibration k WHERE k.review_id = r.review_id
                       ORDER BY k.calibration_id DESC LIMIT 1) k ON true
    LEFT JOIN decision v ON v.cause = 'calibration' AND v.cause_id = k.calibration_id AND v.kind = 'calibration.void'
    LEFT JOIN decision d ON d.cause = 'calibration' AND d.cause_id = k.calibration_id AND d.kind = 'calibration.set'
      AND v.decision_id IS NULL
   WHERE r.review_id = ANY (reviews)
     AND (r.status = 'locked' OR (r.calibrated, r.calibrated_by)
          IS DISTINCT FROM (CASE WHEN d.decision_id IS NOT NULL THEN k.calibrated END, d.decision_id));
END;
COMMENT ON FUNCTION review_calibrated_problem(bigint[]) IS
  'Rule: the calibrated score of a review is that of its newest calibration, and does not change while it is locked.';
SELECT register_follow('review', '{insert,update}', 200, 'review_calibrated_problem', key => 'review_id',
                       changed => '{calibrated,calibrated_by}', present => 'calibrated');

CREATE FUNCTION calibration_lock_problem(reviews bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('calibration session "%s" is open: review of employee %s, cycle %s', s.code, e.employee_no,
                         c.code), NULL,
         'Close it first, with close_calibration().', 'review', 'status', 'review_calibration_open'
    FROM calibration_session s
    JOIN review_cycle c USING (cycle_id)
    JOIN review r USING (cycle_id)
    JOIN employee e ON e.employee_id = r.employee_id
   WHERE s.status = 'open' AND s.mode = 'hard' AND r.review_id = ANY (reviews) AND r.status = 'locked'
     AND (s.org_unit_id IS NULL OR s.org_unit_id IN (SELECT unit_line(r.org_unit_id)))
   ORDER BY r.review_id LIMIT 1;
END;
COMMENT ON FUNCTION calibration_lock_problem(bigint[]) IS 'Rule: nobody in an open hard session is locked.';
SELECT register_follow('review', '{update}', 240, 'calibration_lock_problem', key => 'review_id',
                       changed => '{status}');

SELECT register_notice('calibration.void', '{hr}',
  zh => '员工{employee}的{cycle}考核得分由{original}分变为{score}分,{session}中校准的{calibrated}分失效',
  en => 'The score of {employee} in {cycle} went from {original} to {score}: the {calibrated} calibrated in {session} '
        'is void');
