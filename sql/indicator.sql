-- indicator: scales, templates and their weights, versions (IND-01, IND-02, IND-09, IND-12).
\set books indicator_test
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

-- IND-02: weights
SELECT create_indicator('T' || n, definition => 'd', standard => 's') > 0 AS made FROM generate_series(1, 5) n;
CREATE FUNCTION weigh(template text, VARIADIC weights numeric[]) RETURNS bigint LANGUAGE SQL
  RETURN create_template(template, (SELECT jsonb_agg(jsonb_build_object('indicator', 'T' || n, 'weight', w)) FROM unnest(weights) WITH ORDINALITY AS x (w, n)));
SELECT weigh('W100', 15, 20, 30, 25, 10) > 0 AS made, weigh('W95', 15, 20, 30, 25, 5) > 0 AS made, weigh('W1', 0.15, 0.20, 0.30, 0.25, 0.10) > 0 AS made;
SELECT 'IND-02.1' AS id, activate_template('W100') > 0 AS accepted;
-- IND-02.2
SELECT activate_template('W95'); \echo :LAST_ERROR_SQLSTATE
SELECT 'IND-02.3' AS id, activate_template('W1') > 0 AS accepted;
SELECT t.code, t.status, array_agg(trim_scale(i.weight) ORDER BY i.position) AS weights, array_agg(trim_scale(i.effective_weight) ORDER BY i.position) AS of_the_whole
  FROM review_template t JOIN template_item i USING (template_id) WHERE t.code LIKE 'W%' GROUP BY t.template_id ORDER BY t.code;
-- other numbers: exact thirds by decimals, almost 100, almost 1, above 100, a single indicator
SELECT weigh('A1', 33.33, 33.33, 33.34) > 0 AS made, weigh('A2', 33.33, 33.33, 33.33) > 0 AS made, weigh('A3', 0.3, 0.3, 0.3) > 0 AS made,
       weigh('A4', 60, 50) > 0 AS made, weigh('A5', 1) > 0 AS made, weigh('A6', 50, 0.5) > 0 AS made, weigh('A7', 99.9999999999, 0.0000000001) > 0 AS made;
SELECT activate_template('A1') > 0 AS accepted, activate_template('A5') > 0 AS accepted, activate_template('A7') > 0 AS accepted;
SELECT activate_template('A2');
SELECT activate_template('A3');
SELECT activate_template('A4');
SELECT activate_template('A6');
SELECT weigh('A8', 100, 0);
SELECT weigh('A8', 110, -10);
SELECT weigh('A8', 'NaN');
SELECT weigh('A8', 50, NULL);
-- with groups: the groups and what stands beside them sum to 100, and so does each group; fractions at either level
SELECT create_template('G1', '[{"indicator": "T1", "weight": 40, "group": "a"}, {"indicator": "T2", "weight": 60, "group": "a"}, {"indicator": "T3", "weight": 100, "group": "b"}, {"indicator": "T4", "weight": 10}]',
                       groups => '{"a": 70, "b": 20}') > 0 AS made,
       create_template('G2', '[{"indicator": "T1", "weight": 0.4, "group": "a"}, {"indicator": "T2", "weight": 0.6, "group": "a"}, {"indicator": "T3", "weight": 1, "group": "b"}, {"indicator": "T4", "weight": 0.1}]',
                       groups => '{"a": 0.7, "b": 0.2}') > 0 AS made,
       create_template('G3', '[{"indicator": "T1", "weight": 40, "group": "a"}, {"indicator": "T2", "weight": 50, "group": "a"}]', groups => '{"a": 100}') > 0 AS made,
       create_template('G4', '[{"indicator": "T1", "weight": 100, "group": "a"}, {"indicator": "T2", "weight": 100, "group": "b"}]', groups => '{"a": 60, "b": 30}') > 0 AS made,
       create_template('G5', '[{"indicator": "T1", "weight": 100, "group": "a"}]', groups => '{"a": 60, "b": 40}') > 0 AS made;
SELECT activate_template('G1') > 0 AS accepted, activate_template('G2') > 0 AS accepted;
SELECT t.code, n.code AS indicator, g.code AS "group", trim_scale(g.weight) AS group_weight, trim_scale(i.weight) AS weight, trim_scale(i.effective_weight) AS of_the_whole
  FROM review_template t JOIN template_item i USING (template_id) JOIN indicator n USING (indicator_id) LEFT JOIN template_group g USING (template_group_id)
 WHERE t.code IN ('G1', 'G2') ORDER BY t.code, i.position;
SELECT activate_template('G3');
SELECT activate_template('G4');
SELECT activate_template('G5');
-- other errors of templates
SELECT create_template('X', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT create_template('X', '{"indicator": "T1"}');
SELECT create_template('X', '[{"indicator": "unknown", "weight": 100}]');
SELECT create_template('X', '[{"indicator": "T1", "weight": 100, "group": "unknown"}]');
SELECT create_template('X', '[{"indicator": "T1", "weight": 50}, {"indicator": "T1", "weight": 50}]');
SELECT create_template('X', '[{"weight": 100}]');
SELECT create_template('X', '[{"indicator": "T1", "weight": 100}]', missing_policy => 'guess');
SELECT create_template(NULL, '[{"indicator": "T1", "weight": 100}]');
SELECT count(*) AS stored FROM review_template WHERE code = 'X' OR code = 'A8';
SELECT activate_template('unknown');
SELECT activate_template('W100', 7);
SELECT activate_template(NULL);
SELECT create_template('EMPTY', '[]') > 0 AS made;
SELECT activate_template('EMPTY');

-- IND-01.2: definition, formula and standard
SELECT create_indicator('D0', standard => 's') > 0 AS made, create_indicator('D1', definition => ' 。', standard => 's') > 0 AS made,
       create_indicator('D2', definition => 'd') > 0 AS made, create_indicator('D3', definition => 'd', standard => 's') > 0 AS made;
UPDATE indicator SET formula = NULL WHERE code = 'D3';
SELECT count(create_template(code, jsonb_build_array(jsonb_build_object('indicator', code, 'weight', 100)))) AS made FROM indicator WHERE code LIKE 'D_';
SELECT 'IND-01.2' AS id, 'the next four fail' AS note;
SELECT activate_template('D0');
SELECT activate_template('D1');
SELECT activate_template('D2');
SELECT activate_template('D3'); \echo :LAST_ERROR_SQLSTATE
SELECT code, status, activated_at IS NOT NULL AS activated FROM review_template WHERE code LIKE 'D_' ORDER BY code;

-- IND-01.1: the cycle was opened with version 1 and stays with it
SELECT start('2023Q1', 'MAKE') AS reviews;
SELECT i, submit_score('2023Q1', 'E031', i, v, '考核依据') AS composite
  FROM (VALUES (1, '创新提案', 80), (2, '客户反馈', 90), (3, '产量', 95), (4, '质量', 88), (5, '团队协作', 70)) AS s (n, i, v) ORDER BY n;
SELECT revise_template('MAKE', '{"创新提案": 20, "客户反馈": 20, "产量": 25}', '第二季度起重视创新') AS version;
SELECT submit_score('2023Q1', 'E031', '团队协作', 70, '又看了一遍') AS composite;
SELECT submit_score('2023Q1', 'E030', i, v, '考核依据') AS composite
  FROM (VALUES (1, '创新提案', 80), (2, '客户反馈', 90), (3, '产量', 95), (4, '质量', 88), (5, '团队协作', 70)) AS s (n, i, v) ORDER BY n;
SELECT start('2023Q2', 'MAKE') AS reviews;
SELECT submit_score('2023Q2', 'E031', i, v, '考核依据') AS composite
  FROM (VALUES (1, '创新提案', 80), (2, '客户反馈', 90), (3, '产量', 95), (4, '质量', 88), (5, '团队协作', 70)) AS s (n, i, v) ORDER BY n;
SELECT 'IND-01.1' AS id, c.code AS cycle, t.version, e.employee_no, round(r.composite, 2) AS composite
  FROM review r JOIN review_cycle c USING (cycle_id) JOIN review_template t USING (template_id) JOIN employee e USING (employee_id)
 WHERE r.composite IS NOT NULL ORDER BY c.cycle_id, e.employee_no;
-- IND-12.1 is the same figures: 87.50 in 2023Q1, 86.75 in 2023Q2; IND-12.2: not without a reason
SELECT revise_template('MAKE', '{"创新提案": 15, "产量": 30}', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT revise_template('MAKE', '{"创新提案": 15, "产量": 30}', ' —— ');
SELECT revise_template('MAKE', '{"创新提案": 15}', '试试');
SELECT revise_template('MAKE', '{"客户拓展": 15}', '试试');
SELECT revise_template('unknown', '{}', '试试');
SELECT code, version, status, reason FROM review_template WHERE code = 'MAKE' ORDER BY version;
-- an active template does not change, by no table
UPDATE template_item SET weight = 50 WHERE indicator_id = find_indicator('产量'); \echo :LAST_ERROR_SQLSTATE
DELETE FROM template_item WHERE indicator_id = find_indicator('产量');
INSERT INTO template_item (template_id, indicator_id, weight) SELECT template_id, find_indicator('客户拓展'), 10 FROM review_template WHERE code = 'MAKE';
UPDATE template_group SET weight = 50 WHERE code = 'a';
UPDATE review_template SET missing_policy = 'zero' WHERE code = 'MAKE';
UPDATE review_template SET status = 'draft' WHERE code = 'W100';
UPDATE review_template SET activated_at = NULL WHERE code = 'W100';
UPDATE review_template SET activated_at = '2023-01-01' WHERE code = 'W95';
UPDATE template_item i SET effective_weight = 1 FROM review_template t WHERE t.template_id = i.template_id AND t.code = 'W100';
DELETE FROM review_template WHERE code = 'MAKE';
-- a change of the indicator's definition, formula or cap reaches the next version only
UPDATE indicator SET definition = '新定义', cap_pct = 150, formula = '$.score / 2' WHERE code = '产量';
SELECT template_code, version, indicator_code, weight, definition, formula, standard FROM template_checklist
 WHERE indicator_code = '产量' ORDER BY template_code, version;
SELECT revise_template('MAKE', '{}', '定义变更') AS version;
SELECT template_code, version, definition, formula FROM template_checklist WHERE indicator_code = '产量' ORDER BY template_code, version;

-- IND-09: 15/20/30/25/10
SELECT 'IND-09' AS id, indicator, weight, value, points, composite FROM scored WHERE cycle = '2023Q1' AND employee = 'E031';

-- scales: versions, gaps, errors
SELECT create_scale('test', 'coefficient', '[{"range": "[90,100]", "value": 1.2, "label": "A"}, {"range": "[60,80)", "value": 1, "label": "B"}]', '测试') > 0 AS made;
SELECT code, version, gap_text FROM scale_gap WHERE code = 'test' ORDER BY gap;
SELECT f AS figure, (band_of(find_scale('test'), f)).label, (band_of(find_scale('test'), f)).value
  FROM unnest(ARRAY[59.9999, 60, 79.9999, 80, 89.9999, 90, 100, 100.0001, NULL]::numeric[]) AS f;
SELECT create_scale('test', 'coefficient', '[{"range": "[0,)", "value": 1}]', reason => 'flat') > 0 AS made;
SELECT code, version, name, status, reason FROM scale WHERE code = 'test' ORDER BY version;
SELECT count(*) AS gaps FROM scale_gap WHERE code = 'test' AND version = 2;
SELECT create_scale('bad', 'raise', '[{"range": "[80,90]", "value": 5}, {"range": "[90,)", "value": 10}]'); \echo :LAST_ERROR_SQLSTATE
SELECT create_scale('bad', 'raise', '[]'); \echo :LAST_ERROR_SQLSTATE
SELECT create_scale('bad', 'raise', NULL);
SELECT create_scale('bad', 'raise', '{"range": "[80,90)"}');
SELECT create_scale('bad', 'raise', '[{"range": "80 to 90", "value": 5}]');
SELECT create_scale('bad', 'raise', '[{"range": "[80,80)", "value": 5}]');
SELECT create_scale('bad', 'raise', '[{"value": 5}]');
SELECT create_scale('bad', 'raise', '[{"range": "[80,90)", "value": -5}]');
SELECT create_scale('bad', 'raise', '[{"range": "[80,90)", "value": "NaN"}]');
SELECT create_scale('bad', 'mood', '[{"range": "[80,90)", "value": 5}]');
SELECT create_scale(NULL, 'raise', '[{"range": "[80,90)", "value": 5}]');
SELECT find_scale('bad');
-- an active scale does not change
INSERT INTO band (scale_id, range, value) VALUES (find_scale('test'), '(,0)', 1); \echo :LAST_ERROR_SQLSTATE
UPDATE band SET range = '[85,90)' WHERE scale_id = find_scale('grade') AND label = '良好';
DELETE FROM band WHERE scale_id = find_scale('grade');
UPDATE scale SET status = 'draft' WHERE code = 'grade'; \echo :LAST_ERROR_SQLSTATE
UPDATE scale SET domain = '[0,50]' WHERE code = 'grade';
SELECT create_indicator('分级', definition => 'd', standard => 's', kind => 'quantitative', tiers => 'tier') > 0 AS made;
DELETE FROM scale WHERE code = 'tier';
-- a draft may, and its bands cannot overlap either
INSERT INTO scale (code, kind, name) VALUES ('draft', 'raise', 'draft');
INSERT INTO band (scale_id, range, value) SELECT scale_id, '[0,60)', 1 FROM scale WHERE code = 'draft';
INSERT INTO band (scale_id, range, value) SELECT scale_id, '[59.9999,80)', 1 FROM scale WHERE code = 'draft'; \echo :LAST_ERROR_SQLSTATE

-- who may
CREATE ROLE regress_indicator_user;
GRANT USAGE ON SCHEMA indicator_test TO regress_indicator_user;
SET ROLE regress_indicator_user;
SELECT create_indicator('bad'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM template_checklist;
RESET ROLE;
GRANT SELECT ON template_checklist, review_template, template_item, indicator TO regress_indicator_user;
SET ROLE regress_indicator_user;
SELECT indicator_code, weight FROM template_checklist WHERE template_code = 'SALES' ORDER BY position;
UPDATE indicator SET name = 'x';
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA indicator_test FROM regress_indicator_user;
REVOKE ALL ON SCHEMA indicator_test FROM regress_indicator_user;
DROP ROLE regress_indicator_user;

SELECT count(*) AS differences FROM verify();
DROP SCHEMA indicator_test CASCADE;
