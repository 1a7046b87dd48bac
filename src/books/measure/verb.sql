-- measure: what people and applications call.

CREATE FUNCTION record_measurement(employee text, indicator text, measured_on date, facts jsonb,
                                   source text DEFAULT 'manual', external_id text DEFAULT NULL)
  RETURNS bigint VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
  VALUES (find_employee(employee), find_indicator(indicator), record_measurement.measured_on, record_measurement.facts,
          record_measurement.source, record_measurement.external_id)
  ON CONFLICT ON CONSTRAINT measurement_once DO NOTHING;
  SELECT max(m.measurement_id) FROM measurement m
   WHERE m.source = record_measurement.source
     AND (m.external_id = record_measurement.external_id
          OR record_measurement.external_id IS NULL AND m.employee_id = (SELECT find_employee(employee))
            AND m.indicator_id = (SELECT find_indicator(indicator)));
END;
COMMENT ON FUNCTION record_measurement(text, text, date, jsonb, text, text) IS
  'Store a reading; the same source and external id once. Returns its key. Error 22023: unknown employee or indicator.';

-- initial scores --------------------------------------------------------------

CREATE FUNCTION live_refresh(reviews bigint[]) RETURNS void VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  -- one after the other for the same employee: who waits here sees what the other wrote
  SELECT hold_employees(ARRAY(SELECT r.employee_id FROM review r WHERE r.review_id = ANY (reviews)));
  WITH fact AS (
    SELECT r.review_id, i.indicator_id, f.key,
           CASE n.aggregation WHEN 'sum' THEN sum((f.value #>> '{}')::numeric)
                              WHEN 'mean' THEN avg((f.value #>> '{}')::numeric)
                              ELSE (array_agg((f.value #>> '{}')::numeric
                                              ORDER BY m.measured_on DESC, m.measurement_id DESC))[1] END AS value
      FROM review r
      JOIN review_cycle c ON c.cycle_id = r.cycle_id
      JOIN review_standard i ON i.review_id = r.review_id
      JOIN indicator n ON n.indicator_id = i.indicator_id
      JOIN measurement m ON m.employee_id = r.employee_id AND m.indicator_id = i.indicator_id
                        AND m.measured_on >= lower(c.period) AND m.measured_on < upper(c.period)
      CROSS JOIN LATERAL jsonb_each(m.facts) f
     WHERE r.review_id = ANY (reviews) AND r.status <> 'locked' AND jsonb_typeof(f.value) = 'number'
     GROUP BY r.review_id, i.indicator_id, f.key, n.aggregation
  ), gathered AS (
    SELECT review_id, indicator_id, jsonb_object_agg(key, value) AS facts FROM fact GROUP BY review_id, indicator_id
  ), computed AS (
    SELECT r.review_id, i.indicator_id, s.weight, i.cap_pct, i.floor_pct, f.facts,
           round(hrloop.attainment(i.formula, f.facts, i.direction, i.cap_pct), 4) AS attainment
      FROM review r
      JOIN review_standard s ON s.review_id = r.review_id
      JOIN template_item i ON i.template_item_id = s.template_item_id
      LEFT JOIN target t ON t.cycle_id = r.cycle_id AND t.employee_id = r.employee_id
        AND t.indicator_id = i.indicator_id
      LEFT JOIN gathered g ON g.review_id = r.review_id AND g.indicator_id = i.indicator_id
      CROSS JOIN LATERAL (SELECT coalesce(g.facts, '{}') || i.facts || coalesce(t.facts, '{}') AS facts) f
     WHERE r.review_id = ANY (reviews) AND r.status <> 'locked'
  ), gone AS (
    -- of a segment that is none any more
    DELETE FROM initial_score o
     WHERE o.review_id IN (SELECT r.review_id FROM review r WHERE r.review_id = ANY (reviews) AND r.status <> 'locked')
       AND NOT EXISTS (SELECT FROM review_standard s
                        WHERE s.review_id = o.review_id AND s.indicator_id = o.indicator_id)
  )
  INSERT INTO initial_score (review_id, indicator_id, facts, attainment, value, points)
  SELECT c.review_id, c.indicator_id, c.facts, c.attainment, v.value, hrloop.rounded(c.weight * v.value / 100)
    FROM computed c
    -- LEAST and GREATEST pass over a null: missing would become the floor
    CROSS JOIN LATERAL (SELECT CASE WHEN c.attainment IS NOT NULL
                                    THEN LEAST(GREATEST(c.attainment, c.floor_pct), c.cap_pct) END AS value) v
   ORDER BY c.review_id, c.indicator_id
  ON CONFLICT (review_id, indicator_id) DO UPDATE
     SET facts = excluded.facts, attainment = excluded.attainment, value = excluded.value, points = excluded.points,
         computed_at = now()
   WHERE (initial_score.facts, initial_score.attainment, initial_score.value, initial_score.points)
     IS DISTINCT FROM (excluded.facts, excluded.attainment, excluded.value, excluded.points);
END;
COMMENT ON FUNCTION live_refresh(bigint[]) IS
  'Live scores of reviews anew from the readings of their cycles: facts gathered as the indicator says (sum, mean, '
  'last), formula, cap and floor as the cycle pinned them. Locked reviews stay (LIV-01).';

CREATE FUNCTION score_initial(cycle text) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr}', format('compute the initial scores of cycle "%s"', cycle));
  SELECT live_refresh(ARRAY(SELECT r.review_id FROM review r
                             WHERE r.cycle_id = (SELECT find_cycle(score_initial.cycle)) AND r.status <> 'locked'
                               ORDER BY r.review_id));
  SELECT count(*) FROM review r
   WHERE r.cycle_id = (SELECT find_cycle(cycle))
     AND NOT EXISTS (SELECT FROM initial_score s WHERE s.review_id = r.review_id AND s.value IS NULL)
     AND EXISTS (SELECT FROM initial_score s WHERE s.review_id = r.review_id);
END;
COMMENT ON FUNCTION score_initial(text) IS
  'Initial scores of all open reviews of a cycle, also of those without any reading; the others follow their '
  'readings by themselves. Returns how many reviews have one without gaps (REV-02). Errors: 22023 unknown cycle, '
  '42501 not HR.';

-- what managers deal with -----------------------------------------------------

CREATE FUNCTION may_handle(employee bigint) RETURNS boolean STABLE LANGUAGE SQL
  RETURN CASE WHEN actor() IS NULL THEN owns_books()
              ELSE holds_role('hr', actor())
                OR coalesce(manager_of(employee) = actor() AND NOT has_left(actor(), today()), false) END;
COMMENT ON FUNCTION may_handle(bigint) IS
  'Whether who is acting looks after this employee: the manager of today, HR; the owner of the books when nobody is '
  'acting.';

CREATE FUNCTION handle_warning(warning bigint, handling text) RETURNS timestamptz VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('23502', 'a warning is handled by saying what was done', NULL, 'For example: 调整工作安排.', 'warning',
                     'handling', 'warning_handling')
   WHERE hrloop.meaningful_chars(coalesce(handle_warning.handling, '')) = 0;
  SELECT hrloop.fail('22023', format('there is no warning %s', coalesce(handle_warning.warning::text, 'null')), NULL,
                     'See open_warning.')
   WHERE NOT EXISTS (SELECT FROM warning w WHERE w.warning_id = handle_warning.warning
                       AND hrloop.visible('book'::regclass, w.employee_id));
  SELECT hrloop.fail('42501', format('%s does not look after the employee of warning %s', who(), w.warning_id), NULL,
                     'The manager of the employee handles it, or HR.')
    FROM warning w WHERE w.warning_id = handle_warning.warning AND NOT may_handle(w.employee_id);
  -- two at once: the second waits here and is refused
  SELECT count(*) FROM (SELECT FROM warning w WHERE w.warning_id = handle_warning.warning FOR UPDATE) l;
  SELECT hrloop.fail('55000', format('warning %s is no longer open', w.warning_id),
                     CASE WHEN w.handled_at IS NOT NULL
                       THEN format('Handled by %s at %s: %s', w.handled_by, w.handled_at, w.handling)
                          ELSE 'It was withdrawn: its reading was corrected or deleted.' END, 'See open_warning.')
    FROM warning w WHERE w.warning_id = handle_warning.warning
      AND (w.handled_at IS NOT NULL OR w.withdrawn_by IS NOT NULL);
  SELECT count(new_decision('warning.handle', w.employee_id, 'warning', w.warning_id,
                      jsonb_build_object('kind', w.kind, 'measurement', w.measurement_id),
                      jsonb_build_object('status', 'handled'), handle_warning.handling))
    FROM warning w WHERE w.warning_id = handle_warning.warning;
  UPDATE warning w SET handled_at = now(), handled_by = who(), handling = handle_warning.handling
   WHERE w.warning_id = handle_warning.warning RETURNING w.handled_at;
END;
COMMENT ON FUNCTION handle_warning(bigint, text) IS
  'Record what was done about a warning; it leaves open_warning. Returns when. Errors: 23502 nothing said, 22023 '
  'unknown, 42501 not of one''s team, 55000 handled or withdrawn already (LIV-05).';

-- departments month by month --------------------------------------------------

CREATE FUNCTION person_month(month date)
  RETURNS TABLE (employee_id bigint, indicator_id bigint, last_on date, facts jsonb, formula jsonpath, direction text,
                 cap_pct numeric, attainment numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH fact AS (
    SELECT m.employee_id, m.indicator_id, f.key, max(m.measured_on) AS last_on,
           CASE i.aggregation WHEN 'sum' THEN sum((f.value #>> '{}')::numeric)
                              WHEN 'mean' THEN avg((f.value #>> '{}')::numeric)
                              ELSE (array_agg((f.value #>> '{}')::numeric
                                              ORDER BY m.measured_on DESC, m.measurement_id DESC))[1] END AS value
      FROM measurement m
      JOIN indicator i USING (indicator_id)
      CROSS JOIN LATERAL jsonb_each(m.facts) f
     WHERE m.measured_on >= date_trunc('month', person_month.month)::date
       AND m.measured_on < (date_trunc('month', person_month.month) + interval '1 month')::date
       AND jsonb_typeof(f.value) = 'number'
     GROUP BY m.employee_id, m.indicator_id, f.key, i.aggregation
  )
  SELECT g.employee_id, g.indicator_id, g.last_on, w.facts, s.formula, s.direction, s.cap_pct,
         hrloop.attainment(s.formula, w.facts, s.direction, s.cap_pct)
    FROM (SELECT employee_id, indicator_id, max(last_on) AS last_on, jsonb_object_agg(key, value) AS facts FROM fact
          GROUP BY employee_id, indicator_id) g
    CROSS JOIN LATERAL standard_on(g.employee_id, g.indicator_id, g.last_on) s
    CROSS JOIN LATERAL (SELECT g.facts || s.facts AS facts) w;
END;
COMMENT ON FUNCTION person_month(date) IS
  'What the readings of the month of a day come to, by person and indicator, with the facts and the targets behind it.';

CREATE FUNCTION unit_month(month date)
  RETURNS TABLE (org_unit_id bigint, indicator_id bigint, attainment numeric, people integer, missed boolean) STABLE
    LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE above (unit_id, at_id) AS (
    SELECT u.org_unit_id, u.org_unit_id FROM org_unit u
    UNION
    SELECT above.unit_id, u.parent_id FROM above JOIN org_unit u ON u.org_unit_id = above.at_id
      WHERE u.parent_id IS NOT NULL
  ), member AS (
    SELECT above.at_id, p.*
      FROM person_month(unit_month.month) p
      JOIN assignment a ON a.employee_id = p.employee_id AND a.is_primary AND a.valid @> p.last_on
      JOIN above ON above.unit_id = a.org_unit_id
     WHERE p.attainment IS NOT NULL
  ), total AS (
    SELECT s.at_id, s.indicator_id, jsonb_object_agg(s.key, s.value) AS facts
      FROM (SELECT m.at_id, m.indicator_id, f.key, sum((f.value #>> '{}')::numeric) AS value
              FROM member m CROSS JOIN LATERAL jsonb_each(m.facts) f
             WHERE jsonb_typeof(f.value) = 'number' AND (SELECT setting_text('month.by')) = 'totals'
             GROUP BY m.at_id, m.indicator_id, f.key) s
     GROUP BY s.at_id, s.indicator_id
  ), unit AS (
    SELECT m.at_id, m.indicator_id, count(*)::integer AS people,
           avg(CASE WHEN (SELECT setting_on('month.capped')) THEN LEAST(m.attainment, m.cap_pct)
                    ELSE m.attainment END) AS mean, max(m.cap_pct) AS cap_pct,
           (array_agg(m.formula ORDER BY m.last_on DESC, m.employee_id))[1] AS formula,
           (array_agg(m.direction ORDER BY m.last_on DESC, m.employee_id))[1] AS direction
      FROM member m GROUP BY m.at_id, m.indicator_id
  )
  SELECT u.at_id, u.indicator_id, w.attainment, u.people,
         CASE WHEN l.line IS NOT NULL THEN w.attainment < l.line
              WHEN i.kind = 'quantitative' THEN w.attainment < 100
              ELSE w.attainment <= setting_number('indicator.qualitative_missed') END
    FROM unit u JOIN indicator i USING (indicator_id) LEFT JOIN total t USING (at_id, indicator_id)
    CROSS JOIN LATERAL (SELECT pass_line(u.indicator_id) AS line) l
    CROSS JOIN LATERAL (SELECT round(coalesce(hrloop.attainment(u.formula, t.facts, u.direction, u.cap_pct), u.mean), 4)
                                 AS attainment) w;
END;
COMMENT ON FUNCTION unit_month(date) IS
  'Attainment of each unit, with all units below, in the month of a day, whatever the cycle: by setting month.by the '
  'mean over its people, each up to the cap if month.capped says so, or what all their facts and targets come to '
  '(LIV-06, AMB-45).';

CREATE FUNCTION unit_month_peers(month date)
  RETURNS TABLE (org_unit_id bigint, indicator_id bigint, attainment numeric, people integer, missed boolean,
                 peers bigint, peers_missed bigint) STABLE LANGUAGE SQL
BEGIN ATOMIC
  WITH RECURSIVE above (unit_id, at_id) AS (
    SELECT u.org_unit_id, u.org_unit_id FROM org_unit u
    UNION
    SELECT above.unit_id, u.parent_id FROM above JOIN org_unit u ON u.org_unit_id = above.at_id
      WHERE u.parent_id IS NOT NULL
  ), line AS (
    SELECT above.unit_id, above.at_id FROM above
    UNION
    SELECT above.at_id, above.unit_id FROM above
  ), f AS MATERIALIZED (
    SELECT x.*, u.kind FROM unit_month(unit_month_peers.month) x JOIN org_unit u USING (org_unit_id)
  ), alike AS (
    SELECT f.indicator_id, f.kind, count(*) AS units, count(*) FILTER (WHERE f.missed) AS missed FROM f
      GROUP BY f.indicator_id, f.kind
  ), kin AS (
    -- of these oneself, and who is above or below: their figures are not another's
    SELECT f.org_unit_id, f.indicator_id, count(*) AS units, count(*) FILTER (WHERE o.missed) AS missed
      FROM f JOIN line ON line.unit_id = f.org_unit_id
      JOIN f o ON o.org_unit_id = line.at_id AND o.indicator_id = f.indicator_id AND o.kind = f.kind
     GROUP BY f.org_unit_id, f.indicator_id
  )
  SELECT f.org_unit_id, f.indicator_id, f.attainment, f.people, f.missed, a.units - k.units, a.missed - k.missed
    FROM f JOIN alike a USING (indicator_id, kind) JOIN kin k USING (org_unit_id, indicator_id);
END;
COMMENT ON FUNCTION unit_month_peers(date) IS
  'unit_month(), and how many other units of the kind have the indicator and how many of them missed it, without those '
  'above and below (LIV-06).';

CREATE FUNCTION close_month(unit text, month date) RETURNS bigint VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT require_role('{hr,executive}', 'close a month');
  SELECT hrloop.fail('22023', 'close_month() needs a month', NULL, 'Any day of it will do.')
    WHERE close_month.month IS NULL;
  -- two at once: the second finds it closed
  SELECT pg_advisory_xact_lock('department_month'::regclass::oid::int, 0);
  INSERT INTO department_month (org_unit_id, indicator_id, month, attainment, people, missed, peers, peers_missed)
  SELECT f.org_unit_id, f.indicator_id, date_trunc('month', close_month.month)::date, f.attainment, f.people, f.missed,
         f.peers, f.peers_missed
    FROM unit_month_peers(close_month.month) f
   WHERE close_month.unit IS NULL OR f.org_unit_id = (SELECT find_unit(close_month.unit))
   ORDER BY f.org_unit_id, f.indicator_id
  ON CONFLICT (org_unit_id, indicator_id, month) DO NOTHING;
  WITH due AS (
    SELECT m.*, jsonb_strip_nulls(jsonb_build_object('attainment', m.attainment, 'peers', m.peers, 'peers_missed',
                                                     m.peers_missed,
             'peers_missed_pct', round(100.0 * m.peers_missed / NULLIF(m.peers, 0), 2), 'months', s.months,
             'resource', d.resource_pct, 'market', d.market_index, 'capability', d.capability)) AS figures
      FROM department_month m
      CROSS JOIN (SELECT setting_number('rootcause.months')::integer AS months) s
      LEFT JOIN department_input d ON d.org_unit_id = m.org_unit_id AND d.month = m.month
     WHERE m.month = date_trunc('month', close_month.month)::date AND m.missed
       AND (close_month.unit IS NULL OR m.org_unit_id = (SELECT find_unit(close_month.unit)))
       -- each month of the row was missed, and none of them has an analysis already
       AND s.months = (SELECT count(*) FROM department_month b
                        WHERE b.org_unit_id = m.org_unit_id AND b.indicator_id = m.indicator_id AND b.missed
                          AND b.month <= m.month AND b.month > m.month - make_interval(months => s.months)
                          AND NOT EXISTS (SELECT FROM cause_analysis a
                                          WHERE a.department_month_id = b.department_month_id))
  ), d AS (
    INSERT INTO decision (kind, cause, cause_id, rule, rule_id, inputs, outcome)
    SELECT 'cause.analysis', 'department_month', due.department_month_id, 'cause_rule', r.cause_rule_id, due.figures,
           jsonb_build_object('cause', r.cause, 'action', r.action)
      FROM due
      CROSS JOIN LATERAL (SELECT c.* FROM cause_rule c WHERE hrloop.holds(c.rule, due.figures) ORDER BY c.position
                          LIMIT 1) r
     ORDER BY due.department_month_id
    RETURNING decision_id, cause_id, rule_id, inputs, outcome
  ), a AS (
    INSERT INTO cause_analysis (department_month_id, cause, action, cause_rule_id, decision_id)
    SELECT d.cause_id, d.outcome ->> 'cause', d.outcome ->> 'action', d.rule_id, d.decision_id FROM d
  )
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
  SELECT h.employee_id, 'department_manager', 'cause.analysis', 'department_month:' || m.department_month_id,
         d.outcome || jsonb_build_object('unit', u.name, 'indicator', i.name, 'months', d.inputs -> 'months'),
         d.decision_id
    FROM d
    JOIN department_month m ON m.department_month_id = d.cause_id
    JOIN org_unit u ON u.org_unit_id = m.org_unit_id
    JOIN indicator i ON i.indicator_id = m.indicator_id
    JOIN unit_head h ON h.org_unit_id = m.org_unit_id
      AND h.valid @> (m.month + interval '1 month' - interval '1 day')::date
  ON CONFLICT DO NOTHING;
  SELECT count(*) FROM cause_analysis a JOIN department_month m USING (department_month_id)
   WHERE m.month = date_trunc('month', close_month.month)::date
     AND (close_month.unit IS NULL OR m.org_unit_id = (SELECT find_unit(close_month.unit)));
END;
COMMENT ON FUNCTION close_month(text, date) IS
  'Fix the month''s attainments of a unit (null: of all) and analyse what was missed for the third month in a row; '
  'closed months stay, a second call adds nothing. Months are closed in order. Returns how many analyses the month '
  'has. Errors: 22023 unknown unit, no month, 42501 neither HR nor executive (LIV-06).';

-- suggestions -----------------------------------------------------------------

CREATE FUNCTION suggest(employee text, suggestion text, on_date date DEFAULT today()) RETURNS bigint VOLATILE
  LANGUAGE SQL
BEGIN ATOMIC
  SELECT hrloop.fail('42501', format('%s cannot suggest for %s', who(), suggest.employee), NULL,
                     'Everybody suggests for themselves.')
   WHERE actor() IS NOT NULL AND (SELECT find_employee(suggest.employee)) IS DISTINCT FROM actor();
  INSERT INTO suggestion (employee_id, suggestion, suggested_on)
  VALUES (find_employee(suggest.employee), suggest.suggestion, suggest.on_date) RETURNING suggestion_id;
END;
COMMENT ON FUNCTION suggest(text, text, date) IS
  'Submit a suggestion; returns its key. Errors: 22023 unknown employee, 23514 no text, 42501 for somebody else '
  '(LIV-07).';

CREATE FUNCTION decide_suggestion(suggestion bigint, status text, reason text) RETURNS text VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL
BEGIN ATOMIC
  SELECT somebody_acts();
  SELECT hrloop.fail('22023', format('there is no suggestion %s',
                                     coalesce(decide_suggestion.suggestion::text, 'null')), NULL,
                                     'See table suggestion.')
   WHERE NOT EXISTS (SELECT FROM suggestion s WHERE s.suggestion_id = decide_suggestion.suggestion
                       AND hrloop.visible('book'::regclass, s.employee_id));
  SELECT hrloop.fail('42501', format('%s may not decide about suggestion %s', who(), s.suggestion_id), NULL,
                     'The manager of the employee decides, or HR; nobody about their own.')
    FROM suggestion s
   WHERE s.suggestion_id = decide_suggestion.suggestion AND (NOT may_handle(s.employee_id) OR s.employee_id = actor());
  SELECT hrloop.fail('23502', 'a rejection needs a reason', NULL, 'Tell the employee why.', 'suggestion', 'reason',
                     'suggestion_rejected')
   WHERE decide_suggestion.status = 'rejected' AND hrloop.meaningful_chars(coalesce(decide_suggestion.reason, '')) = 0;
  SELECT count(*) FROM (SELECT FROM suggestion s WHERE s.suggestion_id = decide_suggestion.suggestion FOR UPDATE) l;
  WITH d AS (
    INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome, reason)
    SELECT 'suggestion.' || decide_suggestion.status, s.employee_id, 'suggestion', s.suggestion_id,
           jsonb_build_object('was', s.status), jsonb_build_object('status', decide_suggestion.status),
           decide_suggestion.reason
      FROM suggestion s WHERE s.suggestion_id = decide_suggestion.suggestion AND s.status <> decide_suggestion.status
    RETURNING decision_id, cause_id
  )
  UPDATE suggestion s SET status = decide_suggestion.status, reason = decide_suggestion.reason,
  decision_id = d.decision_id
    FROM d WHERE s.suggestion_id = d.cause_id;
  SELECT s.status FROM suggestion s WHERE s.suggestion_id = decide_suggestion.suggestion;
END;
COMMENT ON FUNCTION decide_suggestion(bigint, text, text) IS 'What accept_suggestion() and reject_suggestion() share.';
CREATE FUNCTION accept_suggestion(suggestion bigint, reason text DEFAULT NULL) RETURNS text VOLATILE LANGUAGE SQL
  RETURN decide_suggestion(suggestion, 'accepted', reason);
COMMENT ON FUNCTION accept_suggestion(bigint, text) IS
  'Accept a suggestion; it counts for the indicator at once; again: nothing. Returns the status. Errors: 22023 '
  'unknown, 42501 not of one''s team, or one''s own (LIV-07).';
CREATE FUNCTION reject_suggestion(suggestion bigint, reason text) RETURNS text VOLATILE LANGUAGE SQL
  RETURN decide_suggestion(suggestion, 'rejected', reason);
COMMENT ON FUNCTION reject_suggestion(bigint, text) IS
  'Reject a suggestion with a reason; one that was accepted counts no more. Returns the status. Errors: 23502 no '
  'reason, 22023 unknown, 42501 not of one''s team, or one''s own (LIV-07).';
