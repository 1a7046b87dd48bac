-- What people may not know of each other, on top of company.sql, history.sql and busy.sql: anonymous peers who scored, results that are
-- locked and not disclosed, people that HR hears of only.  Then a login for each of those who ask.
SET search_path = :"books", pg_catalog;

-- somebody else of HR; people who left; people whom nobody of those who ask has to do with
SELECT hire('E091', '何人事', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS hired;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E091'));
SELECT hire('X4', '前员工4', 'SH', 'SALES', '2020-01-01', manager => 'E003') > 0 AS hired;
SELECT leave('X4', '2023-02-01');

-- peers of two people: three and more, so that the score of each counts
SELECT assign_raters('SCORED', 'L' || n, 'peer', ARRAY['L6', 'L7', 'L8', 'L9']) AS raters FROM unnest(ARRAY[1, 3, 4, 5]) n;
SELECT count(submit_score('SCORED', p.ratee, i, p.value, '互评' || p.rater || i, rater => p.rater, rater_group => 'peer')) AS scored
  FROM (VALUES ('L1', 'L6', 70), ('L1', 'L7', 80), ('L1', 'L8', 75), ('L4', 'L6', 71), ('L4', 'L7', 81), ('L4', 'L8', 76),
               ('L3', 'L6', 72), ('L3', 'L8', 77)) AS p (ratee, rater, value),
       unnest(ARRAY['客户满意度', '销售执行']) i;

-- results that nobody disclosed yet, of a cycle in which a few points are another raise
SELECT create_scale('raise_shop', 'raise', '[{"range": "[94,)", "value": 11}, {"range": "[90,94)", "value": 10}, {"range": "[83,90)", "value": 6},
                    {"range": "[80,83)", "value": 5}, {"range": "(,80)", "value": 0}]', '门店加薪') > 0 AS made;
SELECT add_raise_rule('raise_shop', unit_kind => 'marketing') > 0 AS made;
SELECT create_cycle('HIDDEN', '2022-04-01', '2022-06-30', 'SALES', pay_effective_on => '2024-02-01') > 0 AS made, open_cycle('HIDDEN') AS reviews;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, facts, rationale)
SELECT r.review_id, i.indicator_id, coalesce(r.manager_id, find_employee('E090')), CASE WHEN n.code <> '客户拓展' THEN 82 END,
       CASE WHEN n.code = '客户拓展' THEN jsonb_build_object('actual', 8) END, '按事实评分 ' || r.review_id
  FROM review r JOIN template_item i USING (template_id) JOIN indicator n USING (indicator_id)
 WHERE r.cycle_id = find_cycle('HIDDEN') AND r.status = 'open' ORDER BY r.review_id;

-- somebody whom those who ask have nothing to do with, and about whom everything is there
BEGIN; SELECT act_as('L5') > 0 AS acting; SELECT acknowledge_result('LOCKED', 'L5', false, '有意见') AS answered;
SELECT file_appeal('LOCKED', 'L5', '评分偏低', '2023-10-10') > 0 AS filed;
SELECT confirm_plan('LOCKED', 'L5') AS status; SELECT suggest('L5', '排班改进', '2023-11-01') > 0 AS suggested; SELECT ask_question('津贴如何计算', 'L5') > 0 AS asked;
INSERT INTO development_request (employee_id, resource_id, requested_on, reason) VALUES (find_employee('L5'), find_resource('客户谈判'), '2023-11-01', '想学谈判'); COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acting; SELECT calibrate('K1', 'L5', 84, '横向比较') AS calibrated; COMMIT;
SELECT record_training('L5', '数据分析', '2023-10-20', 80, external_id => 'T5') AS trained;
SELECT start_mentoring('L5', 'E010', '提升', ARRAY['方法'], '2023-11-01', '2024-04-30', '{2023-12-01}') > 0 AS started;

-- each asks by a login of their own; an application acts for an employee, a login is nobody's
SELECT count(*) AS roles FROM create_roles('world');
SELECT format('CREATE ROLE world_%s_login LOGIN IN ROLE world_%s', login, role)
  FROM (VALUES ('employee', 'employee'), ('colleague', 'employee'), ('rater', 'employee'), ('mentor', 'mentor'), ('manager', 'manager'), ('hr', 'hr'),
               ('finance', 'finance'), ('executive', 'executive'), ('application', 'employee'), ('bi', 'bi'), ('nobody', 'employee')) AS l (login, role) \gexec
UPDATE employee SET db_role = 'world_' || l.login || '_login'
  FROM (VALUES ('employee', 'L1'), ('colleague', 'L2'), ('rater', 'L8'), ('mentor', 'L4'), ('manager', 'E003'), ('hr', 'E090'), ('finance', 'E030'), ('executive', 'E001'))
       AS l (login, employee_no) WHERE l.employee_no = employee.employee_no;
SELECT format('GRANT EXECUTE ON FUNCTION act_as(text) TO world_application_login') \gexec
