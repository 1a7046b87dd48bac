-- indicator: formulas, attainment, groups of indicators, other scales than 100 (IND-03 to IND-08, IND-10, IND-11, IND-13, IND-15).
\set books formula_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- what was scored, one line per indicator
CREATE VIEW scored AS
  SELECT c.code AS cycle, e.employee_no AS employee, i.indicator_code AS indicator, trim_scale(i.weight) AS weight, round(i.attainment, 2) AS attainment,
         round(i.value, 2) AS value, round(i.points, 2) AS points, i.missed, round(r.composite, 2) AS composite
    FROM review_item i JOIN review r USING (review_id) JOIN review_cycle c ON c.cycle_id = r.cycle_id JOIN employee e ON e.employee_id = r.employee_id
   WHERE i.value IS NOT NULL ORDER BY c.cycle_id, e.employee_no, i.position;
-- a cycle with one template for everybody
CREATE FUNCTION start(code text, template text) RETURNS bigint LANGUAGE SQL
BEGIN ATOMIC
  SELECT create_cycle(code, '2023-01-01', '2023-03-31', template);
  SELECT open_cycle(code);
END;
SELECT create_indicator('T' || n, definition => 'd', standard => 's') > 0 AS made FROM generate_series(1, 5) n;

-- IND-03: attainment, direction, cap and missed
SELECT create_indicator('新客户', definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made,
       create_indicator('新客户120', definition => 'd', standard => 's', kind => 'quantitative', cap => 120) > 0 AS made,
       create_indicator('响应时间', definition => 'd', standard => 's', kind => 'quantitative', direction => 'lower') > 0 AS made,
       create_indicator('有及格线', definition => 'd', standard => 's', kind => 'quantitative', pass => 75) > 0 AS made,
       create_indicator('态度', definition => 'd', standard => 's') > 0 AS made;
SELECT create_template('IND-03', '[{"indicator": "新客户", "weight": 20, "facts": {"target": 10}}, {"indicator": "新客户120", "weight": 20, "facts": {"target": 10}},
  {"indicator": "响应时间", "weight": 20, "facts": {"target": 1}}, {"indicator": "有及格线", "weight": 20, "facts": {"target": 10}}, {"indicator": "态度", "weight": 20}]',
  missing_policy => 'renormalise') > 0 AS made, activate_template('IND-03') > 0 AS active;
SELECT start('IND-03', 'IND-03') AS reviews;
-- IND-03.1 (E010: 8, E011: 10 of 10), IND-03.2 (E010: 3 h for 1 h), IND-03.3 (E011: 12 of 10 with cap 120)
SELECT count(submit_score('IND-03', e, i, facts => jsonb_build_object('actual', a), rationale => 'as measured')) AS composites FROM (VALUES
  ('E010', '新客户', 8), ('E011', '新客户', 10), ('E020', '新客户', 12), ('E021', '新客户', 9.9999999), ('E030', '新客户', 0), ('E031', '新客户', -3),
  ('E010', '响应时间', 3), ('E011', '响应时间', 1), ('E020', '响应时间', 0.5), ('E021', '响应时间', 0.7),
  ('E010', '新客户120', 8), ('E011', '新客户120', 12), ('E020', '新客户120', 13),
  ('E010', '有及格线', 7.5), ('E011', '有及格线', 7.4)) AS m (e, i, a);
SELECT count(submit_score('IND-03', e, '态度', v, 'as seen')) AS composites FROM (VALUES ('E010', 70), ('E011', 70.0001), ('E020', 0), ('E021', 100)) AS m (e, v);
SELECT CASE WHEN indicator = '新客户' AND employee IN ('E010', 'E011') THEN 'IND-03.1' WHEN indicator = '响应时间' AND employee = 'E010' THEN 'IND-03.2'
            WHEN indicator LIKE '新客户%' AND attainment = 120 THEN 'IND-03.3' END AS id,
       indicator, employee, attainment, value, points, missed FROM scored WHERE cycle = 'IND-03' ORDER BY indicator COLLATE "C", employee;
-- the line for judged scores is a setting
SELECT submit_score('IND-03', 'E030', '态度', 65, 'as seen') AS composite;
SELECT missed FROM scored WHERE cycle = 'IND-03' AND employee = 'E030' AND indicator = '态度';
BEGIN;
SELECT set_setting('indicator.qualitative_missed', '64.9999');
SELECT submit_score('IND-03', 'E030', '态度', 65, 'as seen again') AS composite;
SELECT missed FROM scored WHERE cycle = 'IND-03' AND employee = 'E030' AND indicator = '态度';
ROLLBACK;
SELECT submit_score('IND-03', 'E030', '态度', 65, 'as seen a third time') AS composite;
SELECT missed FROM scored WHERE cycle = 'IND-03' AND employee = 'E030' AND indicator = '态度';
-- IND-03.4: no target, no division by it
SELECT count(create_template('NO-' || n, jsonb_build_array(jsonb_build_object('indicator', '新客户', 'weight', 100, 'facts', f::jsonb)))) AS made
  FROM (VALUES (1, '{"target": 0}'), (2, '{"target": null}'), (3, '{"target": -10}'), (4, '{"actual": 1}'), (5, '{"target": 1e20}')) AS t (n, f);
SELECT activate_template('NO-1');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT activate_template('NO-2');
SELECT activate_template('NO-3');
SELECT activate_template('NO-4');
SELECT activate_template('NO-5');
\set VERBOSITY default
SELECT create_template('IND-03.4', '[{"indicator": "新客户", "weight": 50}, {"indicator": "新客户120", "weight": 25}, {"indicator": "响应时间", "weight": 25}]') > 0 AS made,
       activate_template('IND-03.4') > 0 AS active, start('IND-03.4', 'IND-03.4') AS reviews;
SELECT submit_score('IND-03.4', 'E010', '新客户', facts => '{"actual": 8}', rationale => 'x'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('IND-03.4', 'E010', '新客户120', facts => '{"actual": 8}', rationale => 'x');
SELECT submit_score('IND-03.4', 'E010', '响应时间', facts => '{"actual": 8}', rationale => 'x');
SELECT submit_score('IND-03.4', 'E010', '响应时间', facts => '{"actual": 0, "target": 1}', rationale => 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('IND-03.4', 'E010', '响应时间', facts => '{"actual": 1e15}', rationale => 'x');
SELECT submit_score('IND-03.4', 'E010', '响应时间', facts => '{"actual": "eight"}', rationale => 'x');
SELECT submit_score('IND-03.4', 'E010', '响应时间', facts => '[1]', rationale => 'x');
SELECT hrloop.evaluate('$.actual / $.target * 100', '{"actual": 8, "target": 0}') AS zero_target, hrloop.evaluate('$.actual / $.target * 100', '{"actual": 8, "target": null}') AS null_target,
       hrloop.evaluate('$.actual / $.target * 100', '{"actual": 8}') AS no_target, hrloop.evaluate('$.actual / $.target * 100', NULL) AS no_facts, hrloop.evaluate('$.actual / $.target * 100', '{"actual": 8, "target": 10}') AS fine;
SELECT count(*) AS stored FROM scored WHERE cycle = 'IND-03.4';

-- IND-04 and IND-05: the two formulas for sales; as two indicators, and the first as one formula
SELECT create_indicator(i, definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made FROM unnest(ARRAY['回款', '新客户数', '新客户净利润']) AS i;
SELECT create_indicator('销售业绩', definition => 'd', standard => 's', formula => '$.collected / $.collected_target * 60 + $.customers / $.customers_target * 40') > 0 AS made;
SELECT create_template('IND-04', '[{"indicator": "回款", "weight": 60, "facts": {"target": 1000000}}, {"indicator": "新客户数", "weight": 40, "facts": {"target": 5}}]') > 0 AS made,
       create_template('IND-04a', '[{"indicator": "销售业绩", "weight": 100, "facts": {"collected_target": 1000000, "customers_target": 5}}]') > 0 AS made,
       create_template('IND-05', '[{"indicator": "回款", "weight": 60, "facts": {"target": 1000000}}, {"indicator": "新客户净利润", "weight": 40, "facts": {"target": 200000}}]') > 0 AS made;
SELECT count(activate_template(t)) AS active FROM unnest(ARRAY['IND-04', 'IND-04a', 'IND-05']) AS t;
SELECT t, start(t, t) AS reviews FROM unnest(ARRAY['IND-04', 'IND-04a', 'IND-05']) AS t;
SELECT count(submit_score(c, e, i, facts => f::jsonb, rationale => 'books')) AS composites FROM (VALUES
  ('IND-04', 'E010', '回款', '{"actual": 900000}'), ('IND-04', 'E010', '新客户数', '{"actual": 4}'),
  ('IND-04', 'E011', '回款', '{"actual": 1234567.89}'), ('IND-04', 'E011', '新客户数', '{"actual": 1}'),
  ('IND-04a', 'E010', '销售业绩', '{"collected": 900000, "customers": 4}'), ('IND-04a', 'E011', '销售业绩', '{"collected": 1234567.89, "customers": 1}'),
  ('IND-05', 'E010', '回款', '{"actual": 900000}'), ('IND-05', 'E010', '新客户净利润', '{"actual": 150000}'),
  ('IND-05', 'E011', '回款', '{"actual": 900000}'), ('IND-05', 'E011', '新客户净利润', '{"actual": -10000}')) AS s (c, e, i, f);
-- IND-04 (E010), IND-05.1 (E010), IND-05.2 (E011: a loss)
SELECT * FROM scored WHERE cycle LIKE 'IND-04%' OR cycle = 'IND-05';

-- IND-06: 0.4 and 0.6
SELECT create_indicator(i, definition => 'd', standard => 's') > 0 AS made FROM unnest(ARRAY['项目进度达标率', '技术创新贡献']) AS i;
SELECT create_template('IND-06', '[{"indicator": "项目进度达标率", "weight": 0.4}, {"indicator": "技术创新贡献", "weight": 0.6}]') > 0 AS made,
       activate_template('IND-06') > 0 AS active, start('IND-06', 'IND-06') AS reviews;
SELECT count(submit_score('IND-06', e, i, v, 'seen')) AS composites FROM (VALUES ('E021', '项目进度达标率', 95), ('E021', '技术创新贡献', 80),
  ('E020', '项目进度达标率', 33.33), ('E020', '技术创新贡献', 66.67)) AS s (e, i, v);
SELECT * FROM scored WHERE cycle = 'IND-06';

-- IND-07: the literal cost formula, points of 20; literal and with the floor
SELECT create_indicator('成本控制', definition => 'd', standard => 's', formula => '($.target - $.actual) / $.target * 100', floor => -1000) > 0 AS made,
       create_indicator('成本控制0', definition => 'd', standard => 's', formula => '($.target - $.actual) / $.target * 100') > 0 AS made;
SELECT create_template('IND-07', '[{"indicator": "成本控制", "weight": 20, "facts": {"target": 100000}}, {"indicator": "成本控制0", "weight": 20, "facts": {"target": 100000}}, {"indicator": "态度", "weight": 60}]', missing_policy => 'zero') > 0 AS made,
       activate_template('IND-07') > 0 AS active, start('IND-07', 'IND-07') AS reviews;
SELECT count(submit_score('IND-07', e, i, facts => jsonb_build_object('actual', a), rationale => 'books')) AS composites
  FROM (VALUES ('E030', 92000), ('E031', 110000), ('E010', 100000), ('E011', 0), ('E020', 87654.32)) AS s (e, a), (VALUES ('成本控制'), ('成本控制0')) AS i (i);
SELECT CASE employee WHEN 'E030' THEN 'IND-07.1' WHEN 'E031' THEN 'IND-07.2' END AS id, * FROM scored WHERE cycle = 'IND-07';

-- IND-08: yield of semi-finished goods (its warning: measure.sql)
SELECT create_indicator('良品率', definition => '半成品经检验合格的比例', standard => '合格半成品数量/总半成品数量×100%', formula => '$.good / $.total * 100', pass => 90) > 0 AS made;
SELECT create_template('IND-08', '[{"indicator": "良品率", "weight": 100}]') > 0 AS made, activate_template('IND-08') > 0 AS active, start('IND-08', 'IND-08') AS reviews;
SELECT count(submit_score('IND-08', e, '良品率', facts => f::jsonb, rationale => 'QC')) AS composites FROM (VALUES ('E031', '{"good": 900, "total": 1000}'), ('E030', '{"good": 899, "total": 1000}')) AS s (e, f);
SELECT 'IND-08.1' AS id, employee, attainment, missed FROM scored WHERE cycle = 'IND-08';
-- IND-08.2: finished goods are no input, and nothing produced gives no rate
SELECT declare_fact('良品率', 'finished_good'), declare_fact('良品率', 'finished_total');
SELECT submit_score('IND-08', 'E020', '良品率', facts => '{"finished_good": 950, "finished_total": 1000}', rationale => 'QC');
SELECT submit_score('IND-08', 'E020', '良品率', facts => '{"good": 0, "total": 0}', rationale => 'QC');

-- IND-10: 30/25/20/25, with sub-scores of equal weight
SELECT create_indicator('代码质量', definition => 'd', standard => 's', formula => '($.bug + $.reuse) / 2', pass => 60) > 0 AS made,
       create_indicator('项目进度', definition => 'd', standard => 's', pass => 60) > 0 AS made;
SELECT create_template('IND-10', '[{"indicator": "代码质量", "weight": 30}, {"indicator": "项目进度", "weight": 25}, {"indicator": "团队协作", "weight": 20}, {"indicator": "客户反馈", "weight": 25}]') > 0 AS made,
       activate_template('IND-10') > 0 AS active, start('IND-10', 'IND-10') AS reviews;
SELECT submit_score('IND-10', 'E021', '代码质量', facts => '{"bug": 96, "reuse": 84}', rationale => 'repository') AS composite;
SELECT i, submit_score('IND-10', 'E021', i, v, 'seen') AS composite FROM (VALUES (1, '项目进度', 80), (2, '团队协作', 85), (3, '客户反馈', 92)) AS s (n, i, v) ORDER BY n;
-- IND-10.1 the sum, IND-10.2 the first line
SELECT 'IND-10' AS id, indicator, weight, attainment, value, points, composite FROM scored WHERE cycle = 'IND-10';

-- IND-11: levels; 8 of 10 is missed without tiers, and is not with the pass line 基础
SELECT create_indicator('分级', definition => 'd', standard => 's', kind => 'quantitative', tiers => 'tier', pass_tier => '基础') > 0 AS made,
       create_indicator('分级优秀', definition => 'd', standard => 's', kind => 'quantitative', tiers => 'tier', pass_tier => '优秀') > 0 AS made;
SELECT create_template('IND-11', '[{"indicator": "分级", "weight": 40, "facts": {"target": 100}}, {"indicator": "分级优秀", "weight": 40, "facts": {"target": 100}}, {"indicator": "新客户", "weight": 20, "facts": {"target": 100}}]', missing_policy => 'renormalise') > 0 AS made,
       activate_template('IND-11') > 0 AS active, start('IND-11', 'IND-11') AS reviews;
INSERT INTO score (review_id, indicator_id, rater_id, facts, rationale)
SELECT r.review_id, find_indicator(i), r.manager_id, jsonb_build_object('actual', a), 'as measured'
  FROM (VALUES ('E002', 59.99), ('E003', 60), ('E010', 79.99), ('E011', 80), ('E020', 99.99), ('E021', 100), ('E030', 115), ('E031', 59.99996)) AS s (e, a)
  CROSS JOIN (VALUES ('分级'), ('分级优秀'), ('新客户')) AS i (i)
  JOIN review r ON r.cycle_id = find_cycle('IND-11') AND r.employee_id = find_employee(e);
SELECT 'IND-11' AS id, i.indicator_code, trim_scale(i.attainment) AS attainment, trim_scale(i.value) AS value, i.tier, i.missed
  FROM review_item i WHERE i.cycle_id = find_cycle('IND-11') AND i.value IS NOT NULL ORDER BY i.indicator_code COLLATE "C", i.attainment;
SELECT create_indicator('分级?', definition => 'd', standard => 's', kind => 'quantitative', pass_tier => '基础');
SELECT create_indicator('分级?', definition => 'd', standard => 's', kind => 'quantitative', tiers => 'tier', pass_tier => '传奇') > 0 AS made,
       create_template('IND-11?', '[{"indicator": "分级?", "weight": 100}]') > 0 AS made;
SELECT activate_template('IND-11?');

-- IND-13: groups of indicators with weights of their own
SELECT create_indicator(i, definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made FROM unnest(ARRAY['合同', '回款率', '产值']) AS i;
SELECT create_template('MARKETING', '[{"indicator": "T1", "weight": 100, "group": "经济"}, {"indicator": "T2", "weight": 100, "group": "责任"}]', groups => '{"经济": 70, "责任": 30}') > 0 AS made,
       create_template('FUNCTIONAL', '[{"indicator": "T1", "weight": 100, "group": "KPI"}, {"indicator": "T2", "weight": 100, "group": "KCI"}]', groups => '{"KPI": 60, "KCI": 40}') > 0 AS made,
       create_template('ECONOMIC', '[{"indicator": "合同", "weight": 40, "facts": {"target": 100}}, {"indicator": "回款率", "weight": 40, "facts": {"target": 100}}, {"indicator": "产值", "weight": 20, "facts": {"target": 100}}]') > 0 AS made,
       create_template('ALL', '[{"indicator": "合同", "weight": 40, "group": "经济", "facts": {"target": 100}}, {"indicator": "回款率", "weight": 40, "group": "经济", "facts": {"target": 100}}, {"indicator": "产值", "weight": 20, "group": "经济", "facts": {"target": 100}},
                               {"indicator": "T1", "weight": 50, "group": "责任"}, {"indicator": "T2", "weight": 50, "group": "责任"}]', groups => '{"经济": 70, "责任": 30}') > 0 AS made;
SELECT count(activate_template(t)) AS active FROM unnest(ARRAY['MARKETING', 'FUNCTIONAL', 'ECONOMIC', 'ALL']) AS t;
-- the departments' own templates in one cycle
SELECT create_cycle('IND-13', '2023-01-01', '2023-03-31', 'ECONOMIC') > 0 AS made, assign_template('IND-13', 'MARKETING', unit_kind => 'marketing') > 0 AS assigned,
       assign_template('IND-13', 'FUNCTIONAL', unit_kind => 'functional') > 0 AS assigned, assign_template('IND-13', 'ALL', job => 'WORKER') > 0 AS assigned;
SELECT open_cycle('IND-13') AS reviews;
SELECT count(submit_score('IND-13', e, i, v, 'seen')) AS composites FROM (VALUES ('E010', 'T1', 72), ('E010', 'T2', 90), ('E090', 'T1', 92), ('E090', 'T2', 75), ('E031', 'T1', 80), ('E031', 'T2', 71)) AS s (e, i, v);
SELECT count(submit_score('IND-13', e, i, facts => jsonb_build_object('actual', a), rationale => 'books')) AS composites
  FROM (VALUES ('合同', 80), ('回款率', 90), ('产值', 100)) AS s (i, a), (VALUES ('E021'), ('E031')) AS e (e);
SELECT CASE employee WHEN 'E010' THEN 'IND-13.1' WHEN 'E090' THEN 'IND-13.2' WHEN 'E021' THEN 'IND-13.3' END AS id, employee, indicator, weight, value, points, composite
  FROM scored WHERE cycle = 'IND-13';

-- IND-15: other scales than 100
SELECT start('IND-15', 'ALL') AS reviews;
SELECT count(submit_score('IND-15', e, 'T1', v, 'seen', scale_max => m)) AS composites FROM (VALUES ('E010', 4.5, 5), ('E011', 3.5, 5), ('E020', 4.2, 5), ('E021', 0, 5), ('E030', 5, 5), ('E031', 2, 3), ('E090', 7.5, 10)) AS s (e, v, m);
SELECT 'IND-15.1' AS id, e.employee_no, s.raw_value, s.scale_max, trim_scale(s.value) AS value, round(s.value, 2) AS rounded
  FROM score s JOIN review r USING (review_id) JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('IND-15') ORDER BY e.employee_no;
SELECT round((b.raw_value / a.raw_value - 1) * 100, 2) AS growth_of_5, round((b.value / a.value - 1) * 100, 2) AS growth_of_100
  FROM score a JOIN score b ON a.raw_value = 3.5 AND b.raw_value = 4.2 JOIN review r ON r.review_id = a.review_id AND r.cycle_id = find_cycle('IND-15');
-- IND-15.2
SELECT submit_score('IND-15', 'E002', 'T1', 5.01, 'x', scale_max => 5); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('IND-15', 'E002', 'T1', -0.01, 'x', scale_max => 5);
SELECT submit_score('IND-15', 'E002', 'T1', 101, 'x');
SELECT submit_score('IND-15', 'E002', 'T1', -1, 'x');
SELECT submit_score('IND-15', 'E002', 'T1', 'NaN', 'x');
SELECT submit_score('IND-15', 'E002', 'T1', 'Infinity', 'x');
SELECT submit_score('IND-15', 'E002', 'T1', 1, 'x', scale_max => 0);
SELECT submit_score('IND-15', 'E002', 'T1', 0, 'x', scale_max => 0);
SELECT submit_score('IND-15', 'E002', 'T1', 1, 'x', scale_max => -5);
SELECT submit_score('IND-15', 'E002', 'T1', 1, 'x', scale_max => 'NaN');
\set VERBOSITY terse
SELECT submit_score('IND-15', 'E002', 'T1', 1, 'x', scale_max => 'Infinity');
\set VERBOSITY default
SELECT submit_score('IND-15', 'E002', 'T1', 1, 'x', scale_max => NULL);

-- errors of indicators
SELECT create_indicator('T1'); \echo :LAST_ERROR_SQLSTATE
SELECT create_indicator(NULL);
SELECT create_indicator('bad', tiers => 'unknown');
SELECT create_indicator('bad', cap => 50, floor => 60);
SELECT create_indicator('bad', cap => 0);
SELECT create_indicator('bad', cap => 'NaN');
SELECT create_indicator('bad', pass => -1);
SELECT create_indicator('bad', direction => 'sideways');
SELECT create_indicator('bad', kind => 'vague');
SELECT create_indicator('bad', aggregation => 'guess');
SELECT create_indicator('bad', formula => '$.actual /');
SELECT find_indicator('bad');

SELECT count(*) AS differences FROM verify();
DROP SCHEMA formula_test CASCADE;
