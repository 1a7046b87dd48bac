-- review: composites of scores, raters and missing parts, who sees them when, who may write them (REV-03, REV-07).
\set books composite_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- how reviews stand
CREATE VIEW standing AS
  SELECT c.code AS cycle, e.employee_no AS employee, r.status, r.items_scored AS scored, r.complete, r.composite, r.self_composite AS self,
         ARRAY(SELECT i.code FROM indicator i WHERE i.indicator_id = ANY (r.missed) ORDER BY i.indicator_id) AS missed,
         (SELECT i.code FROM indicator i WHERE i.indicator_id = r.lowest_indicator_id) AS lowest, r.plan_reason
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY c.cycle_id, e.employee_no;
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分') > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT count(hire('E1' || n, '员工' || n, 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired FROM generate_series(1, 9) n;
SELECT hire('E20', '员工20', 'SH', 'SALES', '2022-01-01', manager => 'E003') > 0 AS hired, hire('E22', '新人', 'TECH', 'TECHNICIAN', '2023-03-31', manager => 'E020') > 0 AS hired;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'SALES') > 0 AS made, open_cycle('2023Q1') AS reviews, submit_score('2023Q1', 'E12', '销售执行', 85, '表现良好') AS composite;

-- superiors, peers and subordinates count 50/30/20 in templates activated from now on; older ones keep what they have
UPDATE rater_group SET weight = CASE rater_group WHEN 'manager' THEN 50 WHEN 'peer' THEN 30 WHEN 'subordinate' THEN 20 ELSE 0 END;
SELECT create_template('ONE360', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE360') > 0 AS active,
       create_template('SALES360', '[{"indicator": "客户拓展", "weight": 40, "facts": {"target": 10}}, {"indicator": "客户满意度", "weight": 20}, {"indicator": "销售执行", "weight": 40}]') > 0 AS made, activate_template('SALES360') > 0 AS active,
       create_template('OWN360', '[{"indicator": "总评", "weight": 100}]') > 0 AS made;
-- a draft may have weights of its own, and a revision keeps those of the version before
INSERT INTO template_rater_group (template_id, rater_group, weight) SELECT template_id, 'manager', 0 FROM review_template WHERE code = 'OWN360';
SELECT activate_template('OWN360') > 0 AS active, revise_template('ONE', '{}', '只为测试') AS version;
SELECT t.code, t.version, string_agg(g.rater_group || ' ' || g.weight, ', ' ORDER BY g.weight DESC, g.rater_group COLLATE "C") AS weights
  FROM review_template t JOIN template_rater_group g USING (template_id) WHERE t.code IN ('ONE', 'ONE360', 'OWN360') GROUP BY t.template_id ORDER BY t.code COLLATE "C", t.version;

-- the composite follows each insert, update, correction and delete
SELECT create_cycle(c, '2023-01-01', '2023-03-31', 'SALES360', pay_effective => false) > 0 AS made, open_cycle(c) AS reviews FROM unnest(ARRAY['SINGLE', 'MULTI']) AS c;
SELECT submit_score('SINGLE', 'E010', '客户拓展', facts => '{"actual": 8}', rationale => '新签8家') AS composite;
SELECT submit_score('SINGLE', 'E010', '客户满意度', 90, '回访') AS composite;
SELECT submit_score('SINGLE', 'E010', '销售执行', 77.7777, '跟进') AS composite;
SELECT employee, scored, complete, composite, missed, lowest, plan_reason FROM standing WHERE cycle = 'SINGLE' AND scored > 0;
-- a correction: a judgement in place of the figure; beside it one of the two is wrong
SELECT submit_score('SINGLE', 'E010', '客户拓展', 95, '新签8家,均为大客户', facts => '{"actual": 8}') AS composite;
SELECT submit_score('SINGLE', 'E010', '客户拓展', 80, '新签8家', facts => '{"actual": 8}') AS composite;
SELECT submit_score('SINGLE', 'E010', '客户拓展', 95, '新签8家,均为大客户') AS composite;
SELECT i.code, s.attainment, s.value FROM score s JOIN indicator i USING (indicator_id) WHERE s.review_id = find_review('SINGLE', 'E010') ORDER BY i.code COLLATE "C";
UPDATE score SET raw_value = 60 WHERE review_id = find_review('SINGLE', 'E010') AND indicator_id = find_indicator('客户满意度');
SELECT employee, scored, complete, composite, missed, lowest, plan_reason FROM standing WHERE cycle = 'SINGLE' AND scored > 0;
DELETE FROM score WHERE review_id = find_review('SINGLE', 'E010') AND indicator_id = find_indicator('客户满意度');
SELECT employee, scored, complete, composite, missed, lowest, plan_reason FROM standing WHERE cycle = 'SINGLE' AND scored > 0;
-- what is derived cannot be given
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, attainment, value, rationale)
VALUES (find_review('SINGLE', 'E010'), find_indicator('客户满意度'), find_employee('E003'), 4, 1000, 1000, '满意度4分') RETURNING attainment, value;
-- a score that moves to another review counts there
UPDATE score SET review_id = find_review('SINGLE', 'E11') WHERE review_id = find_review('SINGLE', 'E010') AND indicator_id = find_indicator('客户满意度');
SELECT employee, scored, complete, composite, missed, lowest, plan_reason FROM standing WHERE cycle = 'SINGLE' AND scored > 0;
DELETE FROM score WHERE review_id IN (SELECT review_id FROM review WHERE cycle_id = find_cycle('SINGLE'));
SELECT count(*) AS touched FROM standing WHERE cycle = 'SINGLE' AND (scored > 0 OR composite IS NOT NULL OR lowest IS NOT NULL OR missed <> '{}');

-- the same scores row by row and in one statement; who may rate whom is the matter of sql/rater.sql
SELECT set_setting('rater.relation', 'false');
CREATE TABLE sheet AS
  SELECT e AS employee, i AS indicator, g AS rater_group, r AS rater, (row_number() OVER (ORDER BY e COLLATE "C", i COLLATE "C", r COLLATE "C") * 7919 % 10001) * 0.01 AS value
    FROM unnest(ARRAY['E010', 'E11', 'E12', 'E13', 'E14', 'E20', 'E021', 'E031']) AS e, unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i,
         (VALUES ('manager', 'E001'), ('manager', 'E002'), ('peer', 'E15'), ('peer', 'E16'), ('subordinate', 'E17')) AS w (g, r)
   WHERE (e, g) NOT IN (('E11', 'peer'), ('E12', 'subordinate'), ('E13', 'manager')) AND (e, i) <> ('E14', '客户拓展');
SELECT count(*) AS scores, count(submit_score('SINGLE', employee, indicator, value, '行' || rater, rater => rater, rater_group => rater_group)) AS complete_since FROM sheet;
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, rationale)
SELECT find_review('MULTI', employee), find_indicator(indicator), rater_group, find_employee(rater), value, '表' || rater FROM sheet;
SELECT m.employee, m.scored, m.complete, m.composite, m.missed, m.plan_reason,
       (s.scored, s.complete, s.composite, s.missed, s.lowest, s.plan_reason) IS NOT DISTINCT FROM (m.scored, m.complete, m.composite, m.missed, m.lowest, m.plan_reason) AS same
  FROM standing s JOIN standing m USING (employee) WHERE s.cycle = 'SINGLE' AND m.cycle = 'MULTI' AND m.scored > 0 ORDER BY m.employee;
UPDATE score SET raw_value = 100 - raw_value WHERE review_id IN (SELECT review_id FROM review WHERE cycle_id IN (find_cycle('SINGLE'), find_cycle('MULTI')));
SELECT m.employee, m.composite, (s.composite, s.missed, s.lowest) IS NOT DISTINCT FROM (m.composite, m.missed, m.lowest) AS same
  FROM standing s JOIN standing m USING (employee) WHERE s.cycle = 'SINGLE' AND m.cycle = 'MULTI' AND m.scored > 0 ORDER BY m.employee;
SELECT count(*) AS differences FROM verify();

-- several raters: the mean of each group, the groups by weight (REV-07.1, REV-07.2)
SELECT create_cycle('360', '2023-01-01', '2023-03-31', 'ONE360', pay_effective => false) > 0 AS made, open_cycle('360') AS reviews;
SELECT e, submit_score('360', e, '总评', v, '观察', rater => r, rater_group => g) AS composite FROM (VALUES
  (1, 'E010', 80, 'E003', 'manager'), (2, 'E010', 90, 'E11', 'peer'), (3, 'E010', 84, 'E12', 'peer'), (4, 'E010', 76, 'E13', 'subordinate'),
  (5, 'E11', 80, 'E003', 'manager'), (6, 'E11', 90, 'E010', 'peer'), (7, 'E11', 84, 'E12', 'peer'),
  (8, 'E12', 70, 'E003', 'manager'), (9, 'E12', 71, 'E002', 'manager'), (10, 'E12', 73, 'E001', 'manager'),
  (11, 'E13', 0.0001, 'E010', 'subordinate'), (12, 'E14', 99, 'E14', 'self')) AS s (n, e, v, r, g) ORDER BY n;
SELECT employee, composite, round(composite, 2) AS rounded, self FROM standing WHERE cycle = '360' AND (composite IS NOT NULL OR self IS NOT NULL);
-- weights of groups changed while a review is open: its template keeps its own
UPDATE rater_group SET weight = 80 WHERE rater_group = 'peer';
SELECT submit_score('360', 'E010', '总评', 76, '再次观察', rater => 'E13', rater_group => 'subordinate') AS composite;
UPDATE template_rater_group SET weight = 80 WHERE rater_group = 'peer'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM template_rater_group;
UPDATE rater_group SET weight = -1 WHERE rater_group = 'peer';
UPDATE rater_group SET weight = 30 WHERE rater_group = 'peer';
-- a template in which the manager does not count: nothing without the others
SELECT create_cycle('OWN', '2023-01-01', '2023-03-31', 'OWN360', pay_effective => false) > 0 AS made, open_cycle('OWN') AS reviews;
SELECT submit_score('OWN', 'E010', '总评', 99, '观察') AS manager_only, submit_score('OWN', 'E010', '总评', 70.5, '观察', rater => 'E11', rater_group => 'peer') AS with_a_peer;
SELECT count(*) AS differences FROM verify();
SELECT set_setting('rater.relation', 'true');

-- what a missing part does: block, renormalise, zero
SELECT create_template('M-' || p, '[{"indicator": "客户拓展", "weight": 50, "facts": {"target": 10}}, {"indicator": "客户满意度", "weight": 30}, {"indicator": "销售执行", "weight": 20}]', missing_policy => p) > 0 AS made,
       activate_template('M-' || p) > 0 AS active FROM unnest(ARRAY['block', 'renormalise', 'zero']) AS p;
SELECT create_cycle('M-' || p, '2023-01-01', '2023-03-31', 'M-' || p, pay_effective => false) > 0 AS made, open_cycle('M-' || p) AS reviews FROM unnest(ARRAY['block', 'renormalise', 'zero']) AS p;
SELECT p, submit_score('M-' || p, 'E010', '客户拓展', 90, '实绩') AS one_of_three, submit_score('M-' || p, 'E010', '客户满意度', 75, '回访') AS two_of_three,
       submit_score('M-' || p, 'E11', '销售执行', 61, '只有这一项') AS another FROM unnest(ARRAY['block', 'renormalise', 'zero']) AS p;
SELECT cycle, employee, scored, complete, composite FROM standing WHERE cycle LIKE 'M-%' AND scored > 0;
SELECT lock_review('M-renormalise', 'E010', '2023-04-01') AS locked, lock_review('M-zero', 'E010', '2023-04-01') AS locked;
SELECT lock_review('M-block', 'E010', '2023-04-01'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('M-zero', 'E12', '2023-04-01');
UPDATE review SET status = 'locked' WHERE review_id = find_review('M-block', 'E010');
-- the lock keeps which part was missing, and by which rule
SELECT c.code, x.composite, d.inputs ->> 'missing_policy' AS policy, d.inputs ->> 'missing' AS missing, i ->> 'indicator' AS indicator, i ->> 'value' AS value, i ->> 'points' AS points
  FROM review_result x JOIN decision d USING (decision_id) JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id), jsonb_array_elements(d.inputs -> 'items') AS i
 WHERE c.code LIKE 'M-%' ORDER BY c.cycle_id, (i ->> 'weight')::numeric DESC;

-- REV-03: neither side sees the other's score before both are in
SELECT create_cycle('REV-03', '2023-01-01', '2023-03-31', 'ONE', pay_effective => false) > 0 AS made, open_cycle('REV-03') AS reviews;
BEGIN;
SELECT act_as('E010') IS NOT NULL AS acting;
SELECT submit_score('REV-03', 'E010', '总评', 88, rater_group => 'self') AS composite;
SELECT 'REV-03' AS id, who() AS reader, employee_no, self_score, manager_score, both_in FROM assessment WHERE cycle_code = 'REV-03' AND employee_no = 'E010';
-- nobody scores for another
SELECT submit_score('REV-03', 'E010', '总评', 100, '我的经理会这样说', rater => 'E003');
ROLLBACK;
BEGIN;
SELECT act_as('E010') IS NOT NULL AS acting;
SELECT submit_score('REV-03', 'E010', '总评', 88, rater_group => 'self') AS composite;
COMMIT;
BEGIN;
SELECT act_as('E003') IS NOT NULL AS acting;
SELECT 'REV-03' AS id, who() AS reader, employee_no, self_score, manager_score, both_in FROM assessment WHERE cycle_code = 'REV-03' AND employee_no = 'E010';
SELECT submit_score('REV-03', 'E010', '总评', 85, '全年目标达成') AS composite;
SELECT 'REV-03' AS id, who() AS reader, employee_no, self_score, manager_score, both_in FROM assessment WHERE cycle_code = 'REV-03' AND employee_no = 'E010';
COMMIT;
BEGIN;
SELECT act_as('E010') IS NOT NULL AS acting;
SELECT 'REV-03' AS id, who() AS reader, employee_no, self_score, manager_score, both_in FROM assessment WHERE cycle_code = 'REV-03';
COMMIT;
-- the other way round: the manager first; somebody else sees no row at all
BEGIN;
SELECT act_as('E003') IS NOT NULL AS acting;
SELECT submit_score('REV-03', 'E11', '总评', 75, '平稳') AS composite;
SELECT act_as('E11') IS NOT NULL AS acting;
SELECT who() AS reader, self_score, manager_score, both_in FROM assessment WHERE cycle_code = 'REV-03' AND employee_no = 'E11';
SELECT * FROM explain_score('REV-03', 'E11');
SELECT act_as('E12') IS NOT NULL AS acting;
SELECT count(*) AS of_others FROM assessment WHERE cycle_code = 'REV-03' AND employee_no <> 'E12';
SELECT * FROM explain_score('REV-03', 'E010');
COMMIT;
SELECT employee, composite, self FROM standing WHERE cycle = 'REV-03' AND scored > 0;

-- what became of the parts without a score
SELECT * FROM explain_score('M-zero', 'E010');
SELECT * FROM explain_score('M-renormalise', 'E010');
SELECT * FROM explain_score('M-renormalise', 'E010', 'en') ORDER BY line_no DESC LIMIT 1;
SELECT * FROM explain_score('M-block', 'E010', 'en');
SELECT * FROM explain_score('M-renormalise', 'E12');

-- who may: an application that submits scores, and no more; what follows is done for it
CREATE ROLE regress_composite_app;
SET SESSION AUTHORIZATION regress_composite_app;
SELECT composite_test.submit_score('2023Q1', 'E12', '客户拓展', 80, '新签8家');
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA composite_test TO regress_composite_app;
SET SESSION AUTHORIZATION regress_composite_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 80, '新签8家'); \echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION submit_score, find_review, find_cycle, find_employee, find_indicator, unknown_code, actor, who, shown_composite TO regress_composite_app;
GRANT SELECT ON review, review_cycle, employee, indicator, rater_group TO regress_composite_app;
SET SESSION AUTHORIZATION regress_composite_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 80, '新签8家'); \echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
-- the login of nobody; then that of the manager
SET SESSION AUTHORIZATION regress_composite_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 30, '新签3家'); \echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
UPDATE employee SET db_role = 'regress_composite_app' WHERE employee_id = (SELECT manager_id FROM review WHERE review_id = find_review('2023Q1', 'E12'));
GRANT SELECT, INSERT, UPDATE ON score TO regress_composite_app;
SET SESSION AUTHORIZATION regress_composite_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 30, '新签3家') AS composite;
SELECT submit_score('2023Q1', 'E12', '客户满意度', 40, '投诉2次') AS composite;
SELECT submit_score('2023Q1', 'E12', '销售执行', 50, '计划未完成') AS composite;
SELECT submit_score('2023Q1', 'E12', '销售执行', 50, '');
UPDATE review SET composite = 100 WHERE review_id = find_review('2023Q1', 'E12'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('2023Q1', 'E12');
SELECT count(*) FROM development_plan;
SELECT hrloop.recompute('book', ARRAY[find_review('2023Q1', 'E12')]);
SELECT act_as('E12');
RESET SESSION AUTHORIZATION;
SELECT p.status, p.reasons FROM development_plan p WHERE p.review_id = find_review('2023Q1', 'E12');
SELECT decided_by, kind FROM decision WHERE employee_id = find_employee('E12') ORDER BY decision_id DESC LIMIT 1;
UPDATE employee SET db_role = NULL WHERE db_role IS NOT NULL;
REVOKE ALL ON ALL TABLES IN SCHEMA composite_test FROM regress_composite_app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA composite_test FROM regress_composite_app;
REVOKE ALL ON SCHEMA composite_test FROM regress_composite_app;
DROP ROLE regress_composite_app;

SELECT count(*) AS differences FROM verify();
DROP SCHEMA composite_test CASCADE;
