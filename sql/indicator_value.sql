-- indicator: what is measured of me, and templates that measure figures without value (IND-14, IND-16).
\set books value_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- IND-14 a template with two indicators, one of them with a task
SELECT create_indicator('新客户数量', definition => '季度内新签客户数', standard => '按完成率计分', kind => 'quantitative') > 0 AS made,
       create_template('TWO', '[{"indicator": "新客户数量", "weight": 60, "facts": {"target": 5}, "task": "完成3个新客户开发"}, {"indicator": "客户满意度", "weight": 40}]') > 0 AS made,
       activate_template('TWO') > 0 AS active;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31') > 0 AS made, assign_template('2023Q1', 'TWO', job_family => 'sales') > 0 AS sales, assign_template('2023Q1', 'MAKE') > 0 AS others;
SELECT set_target('2023Q1', 'E010', '新客户数量', '{"target": 3}') > 0 AS own_target;
INSERT INTO review_gate (cycle_id, employee_id, reason) VALUES (find_cycle('2023Q1'), find_employee('E031'), '岗前培训未完成');
SELECT open_cycle('2023Q1') AS reviews;
BEGIN; SELECT act_as('E010') > 0 AS acts;
SELECT 'IND-14' AS id, cycle_code, status, indicator_code, weight, definition, formula, standard, task, facts FROM my_checklist ORDER BY position;
-- nobody else's, whatever is asked for
SELECT 'IND-14' AS id, count(*) AS of_others FROM my_checklist m JOIN review r USING (review_id) WHERE r.employee_id <> actor();
ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT indicator_code, task, facts FROM my_checklist ORDER BY position; ROLLBACK;
BEGIN; SELECT act_as('E031') > 0 AS acts; SELECT status, count(*) AS indicators, sum(weight) AS weight FROM my_checklist GROUP BY status; ROLLBACK;
-- HR reads its own, and who does not act reads nothing
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT count(*) AS indicators, count(DISTINCT review_id) AS reviews FROM my_checklist; ROLLBACK;
SELECT count(*) AS of_nobody FROM my_checklist;
-- locked is over
SELECT submit_score('2023Q1', 'E010', '新客户数量', facts => '{"actual": 3}', rationale => '新签3家') AS composite, submit_score('2023Q1', 'E010', '客户满意度', 90, '回访') AS both, lock_review('2023Q1', 'E010', '2023-04-01') AS locked;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT count(*) AS after_the_lock FROM my_checklist; ROLLBACK;

-- IND-16 sales judged by their amount alone: accepted, with a warning
SELECT count(create_indicator(i, definition => i, standard => '0-100分')) AS made FROM unnest(ARRAY['销售额', '回款率', '客户留存率', '新市场拓展', '代码量', '缺陷率']) AS i;
SELECT pair_indicator('销售额', ARRAY['回款率', '客户留存率', '新市场拓展']) AS pairs, pair_indicator('销售额', ARRAY['回款率']) AS again, pair_indicator('代码量', ARRAY['缺陷率']) AS code;
SELECT create_template('AMOUNT', '[{"indicator": "销售额", "weight": 100}]') > 0 AS made, activate_template('AMOUNT') > 0 AS active;
SELECT 'IND-16' AS id, template_code, version, status, indicator_code, weight, missing FROM template_warning ORDER BY template_code, version, indicator_code;
SELECT 'IND-16' AS id, problem, table_name, employee_no, cycle_code FROM data_quality WHERE problem = 'template_without_value';
-- with the money received beside it: none
SELECT create_template('VALUE', '[{"indicator": "销售额", "weight": 60}, {"indicator": "回款率", "weight": 40}]') > 0 AS made, activate_template('VALUE') > 0 AS active;
SELECT 'IND-16' AS id, count(*) AS warnings FROM template_warning WHERE template_code = 'VALUE';
-- each figure for itself; a draft is warned of before anybody activates it, and in data_quality afterwards
SELECT create_template('BOTH', '[{"indicator": "销售额", "weight": 50}, {"indicator": "代码量", "weight": 30}, {"indicator": "回款率", "weight": 20}]') > 0 AS made;
SELECT template_code, version, status, indicator_code, weight, missing FROM template_warning ORDER BY template_code, version, indicator_code;
SELECT problem, cycle_code FROM data_quality WHERE problem = 'template_without_value';
SELECT activate_template('BOTH') > 0 AS active;
SELECT problem, cycle_code FROM data_quality WHERE problem = 'template_without_value' ORDER BY cycle_code;
-- the next version heals it: the older one stays as it was, and is no matter for HR any more
SELECT create_template('AMOUNT', '[{"indicator": "销售额", "weight": 70}, {"indicator": "新市场拓展", "weight": 30}]', reason => '避免只看销售额') > 0 AS made, activate_template('AMOUNT') > 0 AS active;
SELECT template_code, version, indicator_code FROM template_warning WHERE status = 'active' ORDER BY template_code, version;
SELECT cycle_code AS for_hr FROM data_quality WHERE problem = 'template_without_value';
SELECT pair_indicator('销售额', ARRAY['销售额']); \echo :LAST_ERROR_SQLSTATE
SELECT pair_indicator('销售额', ARRAY['没有']); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();
DROP SCHEMA value_test CASCADE;
