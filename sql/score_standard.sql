-- what holds for whom on which day is one answer: for warnings, months, live scores, the freeze and the checklist (LIV-01, LIV-03, LIV-06).
\set books score_standard
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- a target in the template is as good as one of one's own: readings of 1 against 13, in three months, of two departments
SELECT create_indicator('q', definition => 'd', standard => 's', kind => 'quantitative', warn_below => 50, aggregation => 'last') > 0 AS made;
SELECT create_template('T', '[{"indicator": "q", "weight": 60, "facts": {"target": 13}}, {"indicator": "客户满意度", "weight": 40}]') > 0 AS made,
       create_template('O', '[{"indicator": "q", "weight": 60}, {"indicator": "客户满意度", "weight": 40}]') > 0 AS made;
SELECT activate_template('T') > 0 AS active, activate_template('O') > 0 AS active;
SELECT create_cycle('T', '2024-01-01', '2024-03-31') > 0 AS made, assign_template('T', 'T', unit_kind => 'production') > 0 AS made, assign_template('T', 'O', unit_kind => 'technology') > 0 AS made;
SELECT set_target('T', 'E021', 'q', '{"target": 13}') > 0 AS own, open_cycle('T') AS reviews;
SELECT count(record_measurement(e, 'q', d::date, '{"actual": 1}')) AS stored FROM unnest(ARRAY['E021', 'E031']) e, unnest(ARRAY['2024-01-31', '2024-02-29', '2024-03-31']) d;
SELECT count(close_month(NULL, d::date)) AS closed FROM unnest(ARRAY['2024-01-31', '2024-02-29', '2024-03-31']) d;
SELECT e.employee_no, n.value AS live, (SELECT count(*) FROM warning w WHERE w.employee_id = e.employee_id) AS warnings,
       (SELECT count(*) FROM department_month m WHERE m.org_unit_id = v.org_unit_id AND m.missed) AS missed_months,
       (SELECT count(*) FROM cause_analysis a JOIN department_month m USING (department_month_id) WHERE m.org_unit_id = v.org_unit_id) AS causes,
       (SELECT bool_or(r.missing_input) FROM reading r WHERE r.employee_id = e.employee_id) AS missing_input
  FROM initial_score n JOIN review v USING (review_id) JOIN employee e USING (employee_id) WHERE n.indicator_id = find_indicator('q') ORDER BY 1;
-- one's own comes before everybody's
SELECT create_cycle('U', '2024-04-01', '2024-06-30', 'T') > 0 AS made, set_target('U', 'E031', 'q', '{"target": 1}') > 0 AS own, open_cycle('U') AS reviews;
SELECT count(record_measurement(e, 'q', '2024-04-30', '{"actual": 1}')) AS stored FROM unnest(ARRAY['E030', 'E031']) e;
SELECT e.employee_no, round(r.attainment, 2) AS reading, n.value AS live FROM reading r JOIN employee e USING (employee_id) JOIN review v ON v.employee_id = e.employee_id AND v.cycle_id = find_cycle('U')
  JOIN initial_score n ON n.review_id = v.review_id AND n.indicator_id = r.indicator_id WHERE r.measured_on = '2024-04-30' ORDER BY 1;
-- a cycle keeps how its indicator is computed: readings of its days as well
UPDATE indicator SET formula = '$.actual / $.target * 50' WHERE code = 'q';
SELECT e.employee_no, r.measured_on, round(r.attainment, 2) AS reading FROM reading r JOIN employee e USING (employee_id) WHERE e.employee_no = 'E031' ORDER BY 2;
SELECT record_measurement('E031', 'q', '2024-07-01', '{"actual": 1}') > 0 AS of_no_cycle;
SELECT r.attainment, r.missing_input FROM reading r WHERE r.measured_on = '2024-07-01';
UPDATE indicator SET formula = '$.actual / $.target * 100' WHERE code = 'q';

-- LIV-01: a transfer to another template: what was measured before it is live, on the checklist, and fixed by the lock
SELECT create_indicator('旧', definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made, create_indicator('新', definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made;
SELECT create_template('A', '[{"indicator": "旧", "weight": 100, "facts": {"target": 10}, "task": "旧任务"}]') > 0 AS made, create_template('B', '[{"indicator": "新", "weight": 100, "facts": {"target": 4}}]') > 0 AS made;
SELECT activate_template('A') > 0 AS active, activate_template('B') > 0 AS active;
SELECT create_cycle('S', '2025-01-01', '2025-01-31') > 0 AS made, assign_template('S', 'A', unit_kind => 'production') > 0 AS made, assign_template('S', 'B', unit_kind => 'technology') > 0 AS made, open_cycle('S') AS reviews;
SELECT record_measurement('E031', '旧', '2025-01-10', '{"actual": 8}', 'mes', 'before') > 0 AS stored;
SELECT transfer('E031', '2025-01-11', 'TECH', manager => 'E020') > 0 AS moved;
SELECT record_measurement('E031', '新', '2025-01-20', '{"actual": 1}', 'mes', 'since') > 0 AS stored;
SELECT i.code, n.facts, n.value, n.points, round(s.weight, 4) AS weight FROM initial_score n JOIN indicator i USING (indicator_id) JOIN review_standard s USING (review_id, indicator_id)
 WHERE n.review_id = find_review('S', 'E031') ORDER BY s.position;
SELECT b.score, b.measured_weight, b.missing_inputs FROM live_board b WHERE b.review_id = find_review('S', 'E031');
SELECT i.code, round(r.attainment, 2) AS reading FROM reading r JOIN indicator i USING (indicator_id) WHERE r.measured_on >= '2025-01-01' ORDER BY r.measured_on;
BEGIN; SELECT act_as('E031') > 0 AS acts; SELECT cycle_code, indicator_code, weight, task, facts FROM my_checklist WHERE cycle_code = 'S' ORDER BY position; ROLLBACK;
SELECT submit_score('S', 'E031', '旧', rationale => '按事实评分', facts => '{"actual": 8}', rater => 'E030') IS NULL AS half, submit_score('S', 'E031', '新', rationale => '按事实评分', facts => '{"actual": 1}', rater => 'E020') AS composite;
SELECT g.indicator_code, g.target, g.actual, g.attainment_pct FROM goal_vs_actual g WHERE g.cycle_code = 'S' ORDER BY g.position;
SELECT lock_review('S', 'E031', '2025-02-01') AS locked;
SELECT p.indicator_id = find_indicator('旧') AS about_what_was, p.reason FROM plan_gap p JOIN development_plan d USING (plan_id) WHERE d.review_id = find_review('S', 'E031') ORDER BY 1 DESC;
UPDATE measurement SET facts = '{"actual": 10}' WHERE external_id = 'before';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM measurement WHERE external_id = 'before';
UPDATE measurement SET facts = '{"actual": 4}' WHERE external_id = 'since';
SELECT record_measurement('E031', '旧', '2025-01-09', '{"actual": 1}', 'mes', 'late') > 0 AS kept;
SELECT cycle_code, indicator_code, measured_on FROM late_measurement;
-- the transfer did not happen after all: nothing is left of what it measured
SELECT unlock_review('S', 'E031', '调动撤销') AS open;
DELETE FROM score WHERE review_id = find_review('S', 'E031');
DELETE FROM assignment WHERE employee_id = find_employee('E031') AND lower(valid) = '2025-01-11';
UPDATE assignment SET valid = daterange(lower(valid), NULL) WHERE employee_id = find_employee('E031');
SELECT i.code, n.facts, n.value FROM initial_score n JOIN indicator i USING (indicator_id) WHERE n.review_id = find_review('S', 'E031');
SELECT * FROM verify();
DROP SCHEMA score_standard CASCADE;
