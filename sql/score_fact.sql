-- an indicator says which facts raters and readings give, and which are targets (IND-03, LIV-01).
\set books score_fact
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- what a formula asks for is declared with it
SELECT create_indicator('计划完成', definition => 'd', standard => 's', formula => '$.done / $.plan * 100', facts => '{"plan": "target"}') > 0 AS made,
       create_indicator('人均', definition => 'd', standard => 's', formula => '$.sold / $.heads / $.target * 100', aggregation => 'mean') > 0 AS made;
SELECT i.code, f.fact, f.role, f.summed FROM indicator_fact f JOIN indicator i USING (indicator_id) WHERE i.code IN ('计划完成', '人均', '客户拓展', '客户满意度') ORDER BY i.code COLLATE "C", 2;
SELECT create_template('PLAN', '[{"indicator": "计划完成", "weight": 50, "facts": {"plan": 91}}, {"indicator": "人均", "weight": 50, "facts": {"target": 10}}]') > 0 AS made, activate_template('PLAN') > 0 AS active;
SELECT create_cycle('Q1', '2024-01-01', '2024-03-31', 'PLAN') > 0 AS made;
-- neither a rater nor a feed says what the target is, or something that nobody asked for
SELECT set_target('Q1', 'E011', '计划完成', '{"plan": 45.5}') > 0 AS own, open_cycle('Q1') AS reviews;
SELECT submit_score('Q1', 'E010', '计划完成', rationale => '按事实评分', facts => '{"done": 45.5, "plan": 45.5}');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('Q1', 'E010', '计划完成', rationale => '按事实评分', facts => '{"done": 45.5, "bonus": 1}');
SELECT submit_score('Q1', 'E010', '计划完成', rationale => '按事实评分', facts => '{"done": 1e15}');
SELECT submit_score('Q1', 'E010', '计划完成', rationale => '按事实评分', facts => '{"done": 0.12345678901}');
SELECT submit_score('Q1', 'E010', '计划完成', rationale => '按事实评分', facts => '{"done": null}');
SELECT record_measurement('E010', '计划完成', '2024-01-31', '{"done": 45.5, "plan": 45.5}');
\echo :LAST_ERROR_SQLSTATE
SELECT record_measurement('E010', '计划完成', '2024-01-31', '{"Done": 45.5}');
SELECT record_measurement('E010', '计划完成', '2024-01-31', '{"done": "45.5"}');
SELECT record_measurement('E010', '计划完成', '2024-01-31', '{"done": 1e1000}');
SELECT set_target('Q1', 'E010', '计划完成', '{"target": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('Q1', e, '计划完成', rationale => '按事实评分', facts => '{"done": 45.5}') IS NULL AS blocked, record_measurement(e, '计划完成', '2024-01-31', '{"done": 45.5}') > 0 AS stored FROM unnest(ARRAY['E010', 'E011']) e;
SELECT e.employee_no, s.facts AS given, s.attainment, n.facts AS live_of, n.attainment AS live, round(r.attainment, 4) AS reading
  FROM score s JOIN review v USING (review_id) JOIN employee e USING (employee_id) JOIN initial_score n ON n.review_id = v.review_id AND n.indicator_id = s.indicator_id JOIN reading r ON r.employee_id = e.employee_id ORDER BY 1;
-- what was given as one does not become the other; what is named anew is declared as it is named
SELECT declare_fact('计划完成', 'done', 'target');
\echo :LAST_ERROR_SQLSTATE
SELECT declare_fact('计划完成', 'plan', 'actual');
DELETE FROM indicator_fact WHERE fact = 'done';
SELECT declare_fact('计划完成', 'note', 'target'), declare_fact('计划完成', 'note'), declare_fact('计划完成', 'other', 'judge');
SELECT declare_fact('没有', 'done');
SELECT declare_fact('计划完成', '  ');
UPDATE indicator SET formula = '$.done / $.base_target * 100' WHERE code = '计划完成';
SELECT f.fact, f.role FROM indicator_fact f WHERE f.indicator_id = find_indicator('计划完成') ORDER BY 1;
-- leave makes a summed target smaller, whatever it is called, of everybody's and one's own; a mean stays
SELECT take_leave(e, '2024-01-01', '2024-02-15') > 0 AS away FROM unnest(ARRAY['E010', 'E011']) e;
SELECT e.employee_no, i.code, t.facts, t.given FROM target t JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) ORDER BY 1, i.code COLLATE "C";
SELECT e.employee_no, s.attainment FROM score s JOIN review v USING (review_id) JOIN employee e USING (employee_id) ORDER BY 1;
SELECT declare_fact('人均', 'target', 'target', true) AS is_summed_now;
-- it was none after all
UPDATE employee_status SET status = 'active', protected = false WHERE status = 'on_leave' AND employee_id = find_employee('E011');
SELECT e.employee_no, i.code, t.facts, t.given FROM target t JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) ORDER BY 1, i.code COLLATE "C";
SELECT e.employee_no, s.attainment FROM score s JOIN review v USING (review_id) JOIN employee e USING (employee_id) ORDER BY 1;
SELECT * FROM verify();
DROP SCHEMA score_fact CASCADE;
