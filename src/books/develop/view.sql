-- develop: what is shown.

CREATE FUNCTION find_skill(code text) RETURNS bigint STABLE LANGUAGE SQL
  RETURN CASE WHEN code IS NOT NULL THEN coalesce(
    (SELECT s.skill_id FROM skill s WHERE s.code = find_skill.code), unknown_code('skill', code)) END;
COMMENT ON FUNCTION find_skill(text) IS 'Key of a skill code; null for null. Error 22023: unknown.';

-- confirmation and progress ---------------------------------------------------

CREATE VIEW plan_overview WITH (security_invoker) AS
  SELECT p.plan_id, c.code AS cycle_code, e.employee_no, e.name AS employee_name, m.employee_no AS manager_no,
         p.status, p.reasons,
         p.planned_on, max(i.due_on) AS due_on, count(i.plan_item_id) AS items,
         round(avg(i.progress), 2) AS progress_pct,
         p.employee_confirmed_at, p.manager_confirmed_at, p.decision_id, p.kind
    FROM development_plan p
    JOIN review_cycle c USING (cycle_id)
    JOIN employee e ON e.employee_id = p.employee_id
    LEFT JOIN employee m ON m.employee_id = p.manager_id
    LEFT JOIN plan_item i ON i.plan_id = p.plan_id
   GROUP BY p.plan_id, c.code, e.employee_no, e.name, m.employee_no, p.status, p.reasons, p.planned_on,
            p.employee_confirmed_at, p.manager_confirmed_at, p.decision_id, p.kind;
COMMENT ON VIEW plan_overview IS 'Plans with their progress: the mean of their items (DEV-08).';
COMMENT ON COLUMN plan_overview.plan_id IS 'Plan.';
COMMENT ON COLUMN plan_overview.cycle_code IS 'Cycle.';
COMMENT ON COLUMN plan_overview.employee_no IS 'Employee.';
COMMENT ON COLUMN plan_overview.employee_name IS 'Name.';
COMMENT ON COLUMN plan_overview.manager_no IS 'Manager.';
COMMENT ON COLUMN plan_overview.status IS 'draft, proposed, effective, completed or withdrawn.';
COMMENT ON COLUMN plan_overview.reasons IS 'score, missed or both.';
COMMENT ON COLUMN plan_overview.planned_on IS 'Day of the plan.';
COMMENT ON COLUMN plan_overview.due_on IS 'Day on which the last item is due.';
COMMENT ON COLUMN plan_overview.items IS 'Number of items.';
COMMENT ON COLUMN plan_overview.progress_pct IS 'Mean progress of the items, percent.';
COMMENT ON COLUMN plan_overview.employee_confirmed_at IS 'When the employee confirmed.';
COMMENT ON COLUMN plan_overview.manager_confirmed_at IS 'When the manager confirmed.';
COMMENT ON COLUMN plan_overview.decision_id IS 'Decision behind it.';
COMMENT ON COLUMN plan_overview.kind IS 'development 发展计划, or improvement 改进计划.';

CREATE FUNCTION team_plan_completion(on_date date DEFAULT today())
  RETURNS TABLE (manager_no text, due bigint, completed bigint, completion_pct numeric) STABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT o.manager_no, count(*), count(*) FILTER (WHERE o.status = 'completed'),
         round(100.0 * count(*) FILTER (WHERE o.status = 'completed') / count(*), 2)
    FROM plan_overview o
   WHERE o.due_on <= on_date AND o.status IN ('proposed', 'effective', 'completed')
     AND NOT EXISTS (SELECT FROM employee e WHERE e.employee_no = o.employee_no AND has_left(e.employee_id, on_date))
   GROUP BY o.manager_no ORDER BY o.manager_no;
END;
COMMENT ON FUNCTION team_plan_completion(date) IS
  'Completed plans of each manager''s team in percent of those due by a day, without those of people who have left '
  'by then (AMB-56).';

CREATE VIEW goal_vs_actual WITH (security_invoker) AS
  SELECT r.review_id, c.code AS cycle_code, e.employee_no, m.employee_no AS manager_no, i.position,
         n.code AS indicator_code,
         CASE jsonb_typeof(goal.target) WHEN 'number' THEN (goal.target #>> '{}')::numeric END AS target,
         CASE jsonb_typeof(s.actual) WHEN 'number' THEN (s.actual #>> '{}')::numeric END AS actual,
         round(i.attainment, 2) AS attainment_pct, i.value, i.missed,
         -- two texts, not one for each row
         CASE WHEN i.missed THEN (SELECT sentence('goal.missed', '{}'))
           WHEN NOT i.missed THEN (SELECT sentence('goal.met', '{}')) END AS verdict
    FROM review r
    CROSS JOIN LATERAL shown_items(r.review_id) i
    JOIN indicator n ON n.indicator_id = i.indicator_id
    JOIN review_cycle c ON c.cycle_id = r.cycle_id
    JOIN employee e ON e.employee_id = r.employee_id
    LEFT JOIN employee m ON m.employee_id = r.manager_id
    -- review by review, by OFFSET 0: in a join the planner would begin with all reviews
    CROSS JOIN LATERAL (SELECT t.facts FROM review_standard d JOIN template_item t USING (template_item_id)
                         WHERE d.review_id = r.review_id AND d.indicator_id = i.indicator_id OFFSET 0) t
    LEFT JOIN target own ON own.cycle_id = r.cycle_id AND own.employee_id = r.employee_id
      AND own.indicator_id = i.indicator_id
    CROSS JOIN LATERAL (SELECT coalesce(own.facts -> 'target', t.facts -> 'target') AS target) goal
    LEFT JOIN LATERAL (SELECT x.facts -> 'actual' AS actual
                         FROM score x JOIN template_rater_group g ON g.template_id = r.template_id
                           AND g.rater_group = x.rater_group AND g.weight > 0
                        WHERE x.review_id = r.review_id AND x.indicator_id = i.indicator_id AND x.facts ? 'actual'
                        ORDER BY x.scored_at DESC, x.score_id DESC LIMIT 1) s ON true
   WHERE i.value IS NOT NULL;
COMMENT ON VIEW goal_vs_actual IS
  'Goals against facts (绩效目标 vs 实际完成), indicator by indicator, of what was scored (REV-10).';
COMMENT ON COLUMN goal_vs_actual.review_id IS 'Review.';
COMMENT ON COLUMN goal_vs_actual.cycle_code IS 'Cycle.';
COMMENT ON COLUMN goal_vs_actual.employee_no IS 'Employee.';
COMMENT ON COLUMN goal_vs_actual.manager_no IS 'Manager of the review.';
COMMENT ON COLUMN goal_vs_actual.position IS 'Order.';
COMMENT ON COLUMN goal_vs_actual.indicator_code IS 'Indicator.';
COMMENT ON COLUMN goal_vs_actual.target IS 'Fact "target": the person''s own, else the template''s; null: it has none.';
COMMENT ON COLUMN goal_vs_actual.actual IS 'Fact "actual" of the latest score that counts; null: judged without.';
COMMENT ON COLUMN goal_vs_actual.attainment_pct IS 'Attainment in percent, 2 decimals; null: judged.';
COMMENT ON COLUMN goal_vs_actual.value IS 'Score 0-100.';
COMMENT ON COLUMN goal_vs_actual.missed IS 'Whether it counts as missed.';
COMMENT ON COLUMN goal_vs_actual.verdict IS 'The same in words, in the language of who is acting: 达标 or 未达标.';

CREATE VIEW plan_vs_execution WITH (security_invoker) AS
  SELECT p.plan_id, c.code AS cycle_code, e.employee_no, m.employee_no AS manager_no, i.position, i.kind, i.title,
         i.due_on,
         round(i.progress, 2) AS progress_pct, p.status
    FROM development_plan p
    JOIN plan_item i USING (plan_id)
    JOIN review_cycle c ON c.cycle_id = p.cycle_id
    -- plan by plan, by OFFSET 0: the planner takes a manager's plans for many, and would read all employees
    CROSS JOIN LATERAL (SELECT x.employee_no FROM employee x WHERE x.employee_id = p.employee_id OFFSET 0) e
    LEFT JOIN LATERAL (SELECT x.employee_no FROM employee x WHERE x.employee_id = p.manager_id OFFSET 0) m ON true
   WHERE p.status IN ('proposed', 'effective', 'completed');
COMMENT ON VIEW plan_vs_execution IS
  'Plans against what was done (发展计划 vs 执行情况), item by item, of plans that stand (REV-10).';
COMMENT ON COLUMN plan_vs_execution.plan_id IS 'Plan.';
COMMENT ON COLUMN plan_vs_execution.cycle_code IS 'Cycle that caused it.';
COMMENT ON COLUMN plan_vs_execution.employee_no IS 'Employee.';
COMMENT ON COLUMN plan_vs_execution.manager_no IS 'Manager of the plan.';
COMMENT ON COLUMN plan_vs_execution.position IS 'Order.';
COMMENT ON COLUMN plan_vs_execution.kind IS 'course, project, mentor or placeholder.';
COMMENT ON COLUMN plan_vs_execution.title IS 'What is to be done.';
COMMENT ON COLUMN plan_vs_execution.due_on IS 'Due day.';
COMMENT ON COLUMN plan_vs_execution.progress_pct IS 'Percent done, 2 decimals.';
COMMENT ON COLUMN plan_vs_execution.status IS 'Of the plan: proposed, effective or completed.';
