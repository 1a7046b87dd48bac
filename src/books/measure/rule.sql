-- measure: what is set, and what is refused.

INSERT INTO decision_kind (kind, reveals, comment) VALUES
  ('warning.threshold',   'person', 'A reading is below the threshold of its indicator (LIV-03)'),
  ('warning.decline',     'person', 'Readings of an indicator got worse (LIV-04)'),
  ('warning.withdraw',    'person', 'A warning is withdrawn: its reading was corrected'),
  ('warning.handle',      'person', 'What was done about a warning'),
  ('measurement.late',    'person', 'A reading arrived for a day whose review is locked (LIV-01)'),
  ('cause.analysis',      'nothing', 'Why a department missed a target (LIV-06)'),
  ('suggestion.accepted', 'person', 'A suggestion is accepted (LIV-07)'),
  ('suggestion.rejected', 'person', 'A suggestion is rejected (LIV-07)');

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('decline.pct',     'number',  '20',
   'A reading that is worse than those before it by this many percent or more warns the manager; null: never (LIV-04)'),
  ('decline.periods', 'integer', '3',  'Readings before it whose mean is compared; with fewer nothing is (LIV-04)')
) AS d (s, k, v, c);
SELECT register_notice('warning.decline', '{manager}',
  zh => '员工{employee}的{indicator}指标下滑:本期{value},前{periods}期平均{baseline},变差{percent}%,请了解原因',
  en => '{indicator} of {employee} got worse: {value} after {baseline} on average of the last {periods}, {percent} % '
        'worse, please find out why');

-- initial scores --------------------------------------------------------------

CREATE FUNCTION measurement_fact_problem(measurements bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '23514', format(CASE WHEN g.unknown
                         THEN '"%s" is not a fact that readings give: indicator "%s", employee %s, %s'
                              ELSE 'fact "%s" of a reading is no figure: indicator "%s", employee %s, %s' END, g.key,
                              i.code,
                         e.employee_no, g.measured_on),
         format('Its actuals: %s.', fact_names(i.indicator_id, 'actual')),
         CASE WHEN g.unknown
              THEN 'Targets are set before the cycle opens; declare_fact(indicator, fact) says what else is measured.'
              ELSE 'Give a number, of at most 15 digits before the point and 10 behind it, or leave the fact out.' END,
         'measurement', 'facts', 'measurement_fact_given'
    FROM (SELECT m.measurement_id, m.indicator_id, m.employee_id, m.measured_on, k.key, u.unknown
            FROM measurement m CROSS JOIN LATERAL jsonb_each(m.facts) AS k (key, value)
            CROSS JOIN LATERAL (SELECT NOT EXISTS (SELECT FROM indicator_fact f
                                                    WHERE f.indicator_id = m.indicator_id AND f.fact = k.key
                                                      AND f.role = 'actual') AS unknown) u
           WHERE m.measurement_id = ANY (measurements)
             AND (u.unknown OR NOT hrloop.figures(jsonb_build_object(k.key, k.value)))
           ORDER BY m.measurement_id, k.key LIMIT 1) g
    JOIN indicator i USING (indicator_id) JOIN employee e USING (employee_id);
END;
COMMENT ON FUNCTION measurement_fact_problem(bigint[]) IS
  'Rule: readings give actuals of their indicator, and nothing else (LIV-01).';
SELECT register_follow('measurement', '{insert,update}', 150, 'measurement_fact_problem', key => 'measurement_id',
                       changed => '{facts}');

CREATE FUNCTION measurement_pinned(measurements bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT '55000', format('reading %s cannot become one of indicator "%s" for employee %s', m.measurement_id, i.code,
                         e.employee_no),
         'A correction changes the facts or the day of a reading, not whose or of what it is.',
         'Delete it and store it again.', 'measurement', 'employee_id', 'measurement_pinned'
    FROM measurement m JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id)
   WHERE m.measurement_id = ANY (measurements) ORDER BY m.measurement_id LIMIT 1;
END;
COMMENT ON FUNCTION measurement_pinned(bigint[]) IS 'Rule: a reading stays with its employee and indicator.';
SELECT register_follow('measurement', '{update}', 100, 'measurement_pinned', key => 'measurement_id',
                       changed => '{measurement_id,employee_id,indicator_id}');

-- What a locked result was computed from stays as it was; what comes after the lock is kept beside it (LIV-01).
INSERT INTO setting (setting, kind, value, default_value, comment) VALUES
  ('measure.late', 'text', 'keep', 'keep',
   'New readings for a day whose review is locked: keep, and list them in late_measurement, or refuse (LIV-01)');
UPDATE setting SET choices = '{keep,refuse}', needed = true WHERE setting = 'measure.late';

CREATE FUNCTION frozen_for(employee bigint, indicator bigint, on_date date)
  RETURNS TABLE (cycle text, locked_at timestamptz, locked_by bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT c.code, d.decided_at, d.decision_id
    FROM review r
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN review_standard t ON t.review_id = r.review_id AND t.indicator_id = frozen_for.indicator
    JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL
    JOIN decision d ON d.decision_id = x.decision_id
   WHERE r.employee_id = frozen_for.employee AND r.status = 'locked' AND c.period @> on_date
   ORDER BY r.review_id;
END;
COMMENT ON FUNCTION frozen_for(bigint, bigint, date) IS
  'Cycles that contain a day and in which the employee''s review with this indicator is locked, with the moment of the '
  'lock.';

CREATE FUNCTION frozen_problem(employee bigint, indicator bigint, on_date date, cycle text) RETURNS hrloop.problem
  STABLE LANGUAGE SQL
  RETURN (SELECT ROW('55000', format('the review of employee %s in cycle "%s" is locked: reading of indicator "%s" on '
                                     '%s', e.employee_no, frozen_problem.cycle, i.code, on_date),
                     'The locked result stands on the readings that were there.',
                     CASE WHEN setting_text('measure.late') = 'refuse'
                       THEN 'Use unlock_review(cycle, employee, reason) first.'
                          ELSE 'Use unlock_review(cycle, employee, reason) first, or record the correction as a new '
                               'reading: late_measurement lists it.' END,
                     'measurement', 'measured_on', 'measurement_frozen')::hrloop.problem
            FROM employee e, indicator i
              WHERE e.employee_id = frozen_problem.employee AND i.indicator_id = frozen_problem.indicator);
COMMENT ON FUNCTION frozen_problem(bigint, bigint, date, text) IS
  'What is said to who touches a reading of a locked review.';

CREATE FUNCTION came_late(measurement bigint, recorded_at timestamptz, locked_at timestamptz, locked_by bigint)
  RETURNS boolean STABLE LANGUAGE SQL
  RETURN recorded_at > locked_at OR EXISTS (SELECT FROM decision d
                                            WHERE d.cause = 'measurement' AND d.cause_id = measurement
                                               AND d.kind = 'measurement.late' AND d.rule_id = locked_by);
COMMENT ON FUNCTION came_late(bigint, timestamptz, timestamptz, bigint) IS
  'Whether a lock did not count a reading: it was recorded later, or in a transaction that began earlier and was '
  'overtaken.';

CREATE FUNCTION hold_measured(indicators bigint[], employees bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(*) FROM (SELECT FROM indicator i WHERE i.indicator_id = ANY (indicators)
                        ORDER BY i.indicator_id FOR SHARE) l;
  SELECT hold_employees(employees);
END;
COMMENT ON FUNCTION hold_measured(bigint[], bigint[]) IS
  'Before readings have consequences: who changes their indicators, or locks a review of these employees, at the same '
  'time goes first, or waits.';

-- warnings and live scores follow: all people first
SELECT register_follow('target', '{insert,update,delete}', 590, 'hold_employees', key => 'employee_id');

CREATE FUNCTION measurement_frozen(readings measurement[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT hold_measured(array_agg(DISTINCT m.indicator_id), array_agg(DISTINCT m.employee_id))
    FROM unnest(readings) AS m;
  -- what arrived after the lock never counted: it may be corrected
  SELECT p.* FROM (
    SELECT m.employee_id, m.indicator_id, m.measured_on, f.cycle
      FROM unnest(readings) AS m CROSS JOIN LATERAL frozen_for(m.employee_id, m.indicator_id, m.measured_on) f
     WHERE NOT came_late(m.measurement_id, m.recorded_at, f.locked_at, f.locked_by) ORDER BY m.measurement_id LIMIT 1) b
    CROSS JOIN LATERAL frozen_problem(b.employee_id, b.indicator_id, b.measured_on, b.cycle) p;
END;
COMMENT ON FUNCTION measurement_frozen(measurement[]) IS
  'Rule: readings that were there at the lock of a review are neither changed nor deleted (LIV-01).';
SELECT register_follow('measurement', '{update,delete}', 200, 'measurement_frozen',
                       changed => '{facts,measured_on,recorded_at}');

CREATE FUNCTION measurement_moved(measurements bigint[]) RETURNS SETOF hrloop.problem VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT p.* FROM measurement_frozen(ARRAY(SELECT m FROM measurement m WHERE m.measurement_id = ANY (measurements)
                                           ORDER BY m.measurement_id)) p;
END;
COMMENT ON FUNCTION measurement_moved(bigint[]) IS 'Rule: nor does a reading of another day become one of theirs.';
SELECT register_follow('measurement', '{update}', 250, 'measurement_moved', key => 'measurement_id',
                       changed => '{measured_on,recorded_at}');

-- live ------------------------------------------------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('live.target', 'number', '100', 'Score that the live board measures the gap to, 0-100 (LIV-02)')
) AS d (s, k, v, c);
INSERT INTO message_text (kind, locale, body, source) VALUES
  ('live.gap',           'zh', '当前业绩得分{score}分,距离目标还差{gap}分', 'TXT-13'),
  ('live.gap',           'en', 'Your score is {score} at present, {gap} short of the target', NULL),
  ('live.reached',       'zh', '当前业绩得分{score}分,已达到目标', NULL),
  ('live.reached',       'en', 'Your score is {score} at present, the target is reached', NULL),
  ('live.below_average', 'zh', '{indicator}评分低于部门平均,需加强客户跟进', 'TXT-14'),
  ('live.below_average', 'en',
   'Your {indicator} is below the department''s mean, follow up with your customers more closely', NULL);

-- departments month by month --------------------------------------------------

INSERT INTO cause_rule (position, rule, cause, action) VALUES
  (1, '$.resource < 80', '资源支持不足', '补充资源投入'),
  (2, '$.market < 90 || $.peers_missed_pct >= 50', '指标设置过高', '下一周期重新评估目标'),
  (3, '$.capability < 70', '团队能力不足', '安排团队培训'),
  (4, '1 == 1', '待人工判断', '由人力资源与部门负责人分析');

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('rootcause.months', 'integer', '3',
   'Months in a row that a department misses an indicator before the cause is analysed; null: never (LIV-06)'),
  ('month.by', 'text', 'people',
   'What a department''s month is: people, the mean of what each of them comes to, or totals, what their facts and '
   'targets come to together (LIV-06)'),
  ('month.capped', 'boolean', 'true',
   'Whether what somebody comes to counts up to the cap of the indicator: what one has too much makes up for nobody '
   'else (LIV-06)')
) AS d (s, k, v, c);
UPDATE setting SET choices = '{people,totals}', needed = true WHERE setting = 'month.by';
UPDATE setting SET needed = true WHERE setting = 'month.capped';

SELECT register_notice('cause.analysis', '{department_manager}',
  zh => '{unit}的{indicator}指标连续{months}个月未达标,原因分析:{cause};建议:{action}',
  en => '{unit} missed {indicator} {months} months in a row; cause: {cause}; suggested: {action}');

-- suggestions -----------------------------------------------------------------

INSERT INTO setting (setting, kind, value, default_value, comment)
SELECT s, k, v, v, c FROM (VALUES
  ('suggestion.indicator', 'text', '创新提案',
   'Code of the indicator that suggestions count for, one each as the fact "actual"; null or unknown: none (LIV-07)'),
  ('suggestion.counted',   'text', 'accepted',
   'Which suggestions count: accepted or submitted, which is all of them (LIV-07)')
) AS d (s, k, v, c);
