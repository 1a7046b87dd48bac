-- review: cycles, scores with rationale, composites, locks, grades (REV-01, REV-03, REV-05, REV-06, REV-07, REV-09).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SET datestyle = 'ISO, YMD';
SET timezone = 'Asia/Shanghai';
\set SHOW_CONTEXT never
SELECT hrloop.install('review_test');
\getenv abs_srcdir PG_ABS_SRCDIR
\set fixture :abs_srcdir '/test/fixtures/company.sql'
\set books review_test
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all

-- how reviews stand
CREATE VIEW standing AS
  SELECT c.code AS cycle, e.employee_no AS employee, r.status, r.items_scored AS scored, r.complete, r.composite, r.self_composite AS self,
         ARRAY(SELECT i.code FROM indicator i WHERE i.indicator_id = ANY (r.missed) ORDER BY i.indicator_id) AS missed,
         (SELECT i.code FROM indicator i WHERE i.indicator_id = r.lowest_indicator_id) AS lowest, r.plan_reason
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY c.cycle_id, e.employee_no;
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分') > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;

-- REV-01: 20 employed, one of them behind a gate, and one who has left
SELECT count(hire('E1' || n, '员工' || n, 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired FROM generate_series(1, 9) n;
SELECT count(hire('E20', '未过准入', 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired;
SELECT count(hire('E21', '已离职', 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired, leave('E21', '2023-01-01') > 0 AS left;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'SALES', name => '2023年第一季度') > 0 AS made;
INSERT INTO review_gate (cycle_id, employee_id, reason) VALUES (find_cycle('2023Q1'), find_employee('E20'), '岗前培训未完成');
SELECT 'REV-01' AS id, open_cycle('2023Q1') AS first, open_cycle('2023Q1') AS second;
SELECT 'REV-01' AS id, count(*) AS reviews, count(*) FILTER (WHERE r.status = 'open') AS scorable, count(*) FILTER (WHERE r.status = 'blocked') AS blocked,
       count(*) FILTER (WHERE e.employee_no = 'E21') AS of_who_left
  FROM review r JOIN employee e USING (employee_id);
SELECT employee, status FROM standing WHERE status <> 'open';
-- who comes later gets a review at the next call; who joins or leaves inside the period has one, with the assignment of the last day
SELECT hire('E22', '新人', 'TECH', 'TECHNICIAN', '2023-03-31', manager => 'E020') > 0 AS hired, hire('E23', '次日入职', 'TECH', 'TECHNICIAN', '2023-04-01') > 0 AS hired;
SELECT transfer('E19', '2023-02-01', unit => 'TECH', job => 'TECHNICIAN') > 0 AS moved, leave('E18', '2023-02-01') > 0 AS left;
SELECT open_cycle('2023Q1') AS reviews;
SELECT create_cycle('2023M2', '2023-02-01', '2023-02-28', 'SALES', kind => 'monthly') > 0 AS made, open_cycle('2023M2') AS reviews;
SELECT c.code AS cycle, e.employee_no, m.employee_no AS manager, u.code AS unit, j.code AS job
  FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) LEFT JOIN employee m ON m.employee_id = r.manager_id
  JOIN org_unit u ON u.org_unit_id = r.org_unit_id JOIN job j ON j.job_id = r.job_id
 WHERE e.employee_no IN ('E001', 'E18', 'E19', 'E22', 'E23') ORDER BY c.cycle_id, e.employee_no;

-- errors around cycles
SELECT create_cycle('bad', '2023-03-31', '2023-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT create_cycle('bad', NULL, '2023-01-01');
SELECT create_cycle('bad', '2023-01-01', '2023-03-31', 'unknown');
SELECT create_cycle('bad', '2023-01-01', '2023-03-31', kind => 'sometimes');
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31');
\echo :LAST_ERROR_SQLSTATE
SELECT create_cycle(NULL, '2023-01-01', '2023-03-31');
SELECT open_cycle('unknown');
SELECT open_cycle(NULL);
SELECT create_cycle('bare', '2023-01-01', '2023-03-31') > 0 AS made;
SELECT open_cycle('bare');
\echo :LAST_ERROR_SQLSTATE
SELECT assign_template('bare', 'unknown');
SELECT assign_template('unknown', 'SALES');
SELECT assign_template('bare', 'SALES', job => 'unknown');
SELECT assign_template('bare', NULL);
SELECT assign_template('bare', 'SALES', job_family => 'sales') > 0 AS assigned;
SELECT assign_template('bare', 'MAKE', job_family => 'sales');
SELECT create_template('DRAFT', '[{"indicator": "总评", "weight": 100}]') > 0 AS made;
SELECT assign_template('bare', 'DRAFT');
INSERT INTO cycle_template (cycle_id, template_id) SELECT find_cycle('bare'), template_id FROM review_template WHERE code = 'DRAFT';
SELECT open_cycle('bare');
DELETE FROM cycle_template ct USING review_template t WHERE t.template_id = ct.template_id AND t.code = 'DRAFT';
-- only those whom a template is for
SELECT open_cycle('bare') AS reviews;
-- targets: numbers, not zero, before the cycle opens
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, set_target('2023Q2', 'E010', '客户拓展', '{"target": 8}') > 0 AS set;
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": 0}');
\echo :LAST_ERROR_SQLSTATE
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": null}');
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": "ten"}');
SELECT set_target('2023Q2', 'E010', '客户拓展', NULL);
SELECT set_target('2023Q2', 'E010', '客户拓展', '[8]');
SELECT set_target('2023Q2', 'E010', 'unknown', '{"target": 8}');
SELECT set_target('unknown', 'E010', '客户拓展', '{"target": 8}');
SELECT set_target('2023Q2', 'E999', '客户拓展', '{"target": 8}');
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": 16}') > 0 AS corrected;
SELECT open_cycle('2023Q2') AS reviews;
SELECT submit_score('2023Q2', e, '客户拓展', facts => '{"actual": 8}', rationale => '新签8家') FROM unnest(ARRAY['E010', 'E011']) AS e;
SELECT e.employee_no, s.attainment, s.value FROM score s JOIN review r USING (review_id) JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('2023Q2') ORDER BY 1;
-- an open cycle is frozen
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT set_target('2023Q2', 'E011', '客户拓展', '{"target": 1}');
UPDATE target SET facts = '{"target": 1}';
DELETE FROM target;
SELECT assign_template('2023Q2', 'MAKE', unit_kind => 'production');
DELETE FROM cycle_template WHERE cycle_id = find_cycle('2023Q2');
UPDATE review_cycle SET period = '[2023-01-01,2023-02-01)' WHERE code = '2023Q2';
UPDATE review_cycle SET pay_effective = false WHERE code = '2023Q2';
UPDATE review_cycle SET status = 'draft' WHERE code = '2023Q2';
UPDATE review_cycle SET status = 'locked' WHERE code = '2023Q2';
UPDATE review_cycle SET name = '2023年第二季度' WHERE code = '2023Q2';
UPDATE review SET manager_id = find_employee('E001') WHERE cycle_id = find_cycle('2023Q2') AND employee_id = find_employee('E010');
\echo :LAST_ERROR_SQLSTATE
UPDATE review SET template_id = (SELECT template_id FROM review_template WHERE code = 'ONE') WHERE cycle_id = find_cycle('2023Q2') AND employee_id = find_employee('E010');

-- REV-05: no score without a rationale
\set VERBOSITY default
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, '');
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, '   ');
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, U&'\3000');
SELECT 'REV-05.1' AS id, count(*) AS stored FROM score WHERE review_id = find_review('2023Q1', 'E010');
-- ... nor with one that says nothing: blanks of all widths, punctuation, symbols
CREATE FUNCTION accepts(rationale text) RETURNS integer LANGUAGE SQL RETURN hrloop.meaningful_chars(rationale);
SELECT what, accepts(t) AS letters FROM (VALUES (1, 'blanks, tab, line', E' \t\r\n'), (2, 'no-break, narrow, full-width, zero-width', U&'\00A0\2009\3000\200B\FEFF'), (3, 'half width', '...,;:!?-_()[]{}"''/\|@#$%^&*+=<>~`'),
  (4, 'full width', U&'\3002\FF0C\3001\FF1B\FF1A\FF01\FF1F\FF08\FF09\3010\3011\300A\300B\201C\201D\2018\2019\2014\2026\00B7\FF5E\FFE5'), (5, 'emoji', U&'\+01F44D\+01F600\2764\FE0F'), (6, 'symbols', U&'\2192\2605\221A\00D7\00F7\00B0\00A9\00AE\20AC\00A3'), (7, 'one digit', '5'), (8, 'one letter', 'a'), (9, 'one character', '好'),
  (10, 'full-width letter and digit', U&'\FF21\FF11'), (11, 'accents', 'é ü ñ'), (12, 'kana, hangul, cyrillic, arabic', 'あ 한 Ж ع'), (13, 'with emoji', U&'\+01F44D好'), (14, 'rare characters', U&'\+020000\3400')) AS v (n, what, t) ORDER BY n;
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, '...!?');
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, U&'\3002\FF0C\FF01\2014\2014');
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, U&'\+01F44D\+01F44D');
-- REV-05.2: stored with a rationale, and it cannot be taken away
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, '成功完成项目A,为公司带来100万收入') AS composite;
UPDATE score SET rationale = '' WHERE review_id = find_review('2023Q1', 'E010');
\echo :LAST_ERROR_SQLSTATE
UPDATE score SET rationale = NULL WHERE review_id = find_review('2023Q1', 'E010');
SELECT submit_score('2023Q1', 'E010', '销售执行', 86, U&'\3000\3000');
SELECT 'REV-05.2' AS id, value, rationale FROM score WHERE review_id = find_review('2023Q1', 'E010');
-- the minimum by setting; a rationale given before stays until the score is touched
SELECT set_setting('rationale.min_chars', '5') AS min_chars;
SELECT submit_score('2023Q1', 'E010', '客户满意度', 80, '做得好!!!');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '客户满意度', 80, '做得非常好') AS composite;
SELECT set_setting('rationale.min_chars', '0') AS min_chars;
SELECT submit_score('2023Q1', 'E010', '客户满意度', 80, '');
SELECT set_setting('rationale.min_chars', '1') AS min_chars;
-- the same text for many, by setting: at most two people here
SELECT set_setting('rationale.max_same', '2') AS max_same;
SELECT submit_score('2023Q1', e, '销售执行', 85, '表现良好') FROM unnest(ARRAY['E11', 'E12']) AS e;
SELECT submit_score('2023Q1', 'E13', '销售执行', 85, '表现良好');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT review_id, find_indicator('销售执行'), manager_id, 80, '同上' FROM review WHERE cycle_id = find_cycle('2023Q1') AND employee_id IN (find_employee('E13'), find_employee('E14'), find_employee('E15'));
SELECT submit_score('2023Q1', 'E13', '销售执行', 85, '表现良好', rater => 'E002') AS by_another_rater;
SELECT set_setting('rationale.max_same', '0') AS max_same;
-- groups that need none
SELECT submit_score('2023Q1', 'E11', '销售执行', 85, rater_group => 'self') AS composite;
SELECT submit_score('2023Q1', 'E010', '销售执行', 90, rater_group => 'self') AS composite;

-- a bulk load with one bad row stores nothing and says which
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT r.review_id, find_indicator('客户满意度'), r.manager_id, 80, CASE WHEN e.employee_no = 'E17' THEN '   ' ELSE '回访记录良好' END
  FROM review r JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('2023M2') AND r.manager_id IS NOT NULL ORDER BY r.review_id;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT r.review_id, find_indicator(CASE WHEN e.employee_no = 'E17' THEN '产量' ELSE '客户满意度' END), r.manager_id, 80, '回访记录良好'
  FROM review r JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('2023M2') AND r.manager_id IS NOT NULL ORDER BY r.review_id;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS stored FROM score s JOIN review r USING (review_id) WHERE r.cycle_id = find_cycle('2023M2');

-- every other way in which a score is refused
SELECT submit_score('2023Q1', 'E010', '产量', 80, '不在模板里');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '产量', facts => '{"score": 80}', rationale => '不在模板里');
SELECT submit_score('2023Q1', 'E010', '客户拓展', NULL, '没有分数');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '客户拓展', 101, '超出');
SELECT submit_score('2023Q1', 'E010', '客户拓展', -1, '超出');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 'NaN', '超出');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 1, '超出', scale_max => 0);
SELECT submit_score('unknown', 'E010', '客户拓展', 80, 'x');
SELECT submit_score('2023Q1', 'E999', '客户拓展', 80, 'x');
SELECT submit_score('2023Q1', 'E010', 'unknown', 80, 'x');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E999');
SELECT submit_score('2023Q1', 'E21', '客户拓展', 80, 'x');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater_group => 'crowd');
SELECT submit_score('2023Q1', 'E001', '客户拓展', 80, 'x');
SELECT submit_score(NULL, 'E010', '客户拓展', 80, 'x');
SELECT submit_score('2023Q1', NULL, '客户拓展', 80, 'x');
\set VERBOSITY terse
SELECT submit_score('2023Q1', 'E010', NULL, 80, 'x');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater_group => NULL);
\set VERBOSITY default
-- self means self, and nobody else is; REV-07.3: not as one's own peer
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E003', rater_group => 'self');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E010');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E010', rater_group => 'peer');
-- who has left does not rate, but what was scored before may still be entered
SELECT leave('E011', '2023-03-15') > 0 AS left;
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, scored_at)
VALUES (find_review('2023Q1', 'E16'), find_indicator('销售执行'), 'peer', find_employee('E011'), 80, '2023-03-15 09:00+08');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, scored_at)
VALUES (find_review('2023Q1', 'E16'), find_indicator('销售执行'), 'peer', find_employee('E011'), 80, '2023-03-14 09:00+08');
-- a blocked review has no scores, and no gate is passed by hand
SELECT submit_score('2023Q1', 'E20', '客户拓展', 80, '试试');
\echo :LAST_ERROR_SQLSTATE
SELECT lock_review('2023Q1', 'E20');
UPDATE review SET status = 'open' WHERE review_id = find_review('2023Q1', 'E20');
\echo :LAST_ERROR_SQLSTATE
SELECT unblock_reviews('2023Q1') AS opened;
UPDATE review_gate SET waived_because = ' ' WHERE employee_id = find_employee('E20');
UPDATE review_gate SET waived_because = '总经理批准' WHERE employee_id = find_employee('E20');
SELECT unblock_reviews('2023Q1') AS opened, unblock_reviews('2023Q1') AS again;
SELECT submit_score('2023Q1', 'E20', '客户拓展', 80, '现在可以') IS NULL AS incomplete;
SELECT unblock_reviews('unknown');
SELECT unblock_reviews(NULL);

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
-- a correction: a judgement beside the figure wins, the attainment stays
SELECT submit_score('SINGLE', 'E010', '客户拓展', 95, '新签8家,均为大客户', facts => '{"actual": 8}') AS composite;
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
UPDATE template_rater_group SET weight = 80 WHERE rater_group = 'peer';
\echo :LAST_ERROR_SQLSTATE
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
SELECT lock_review('M-block', 'E010', '2023-04-01');
\echo :LAST_ERROR_SQLSTATE
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

-- REV-06: lock, payroll and pay proposal
SELECT create_cycle('REV-06', '2023-07-01', '2023-09-30', 'ONE') > 0 AS made, open_cycle('REV-06') AS reviews;
SELECT submit_score('REV-06', 'E010', '总评', 85, '目标达成') AS composite;
-- REV-06.3: rolled back, nothing is left
BEGIN;
SELECT lock_review('REV-06', 'E010', '2023-10-01') AS locked;
SELECT count(*) AS proposals FROM salary_adjustment;
ROLLBACK;
SELECT 'REV-06.3' AS id, (SELECT count(*) FROM salary_adjustment) AS proposals, (SELECT count(*) FROM payroll_feed) AS feed, (SELECT count(*) FROM review_result WHERE review_id = find_review('REV-06', 'E010')) AS results;
-- REV-06.2: one lock, one of each; again, nothing more
SELECT lock_review('REV-06', 'E010', '2023-10-01') AS locked;
SELECT 'REV-06.2' AS id, a.composite, a.old_amount, a.percent, a.new_amount, a.effective_on, a.status, f.kind, f.entry, f.amount
  FROM salary_adjustment a JOIN payroll_feed f ON f.source_table = 'salary_adjustment' AND f.source_id = a.adjustment_id;
SELECT lock_review('REV-06', 'E010', '2023-10-02') AS locked;
SELECT 'REV-06.2' AS id, (SELECT count(*) FROM salary_adjustment) AS proposals, (SELECT count(*) FROM payroll_feed) AS feed, count(*) AS results, min(locked_on) AS locked_on, min(composite) AS composite, min(grade) AS grade
  FROM review_result WHERE review_id = find_review('REV-06', 'E010');
-- REV-06.1: a locked review does not change
SELECT submit_score('REV-06', 'E010', '总评', 95, '改分');
\echo :LAST_ERROR_SQLSTATE
UPDATE score SET raw_value = 95 WHERE review_id = find_review('REV-06', 'E010');
UPDATE score SET rationale = '改依据' WHERE review_id = find_review('REV-06', 'E010');
DELETE FROM score WHERE review_id = find_review('REV-06', 'E010');
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value) VALUES (find_review('REV-06', 'E010'), find_indicator('总评'), 'self', find_employee('E010'), 100);
UPDATE template_item SET weight = 50 WHERE indicator_id = find_indicator('总评');
SELECT hrloop.recompute('book', ARRAY[find_review('REV-06', 'E010')]);
UPDATE review_cycle SET pay_effective_on = '2030-01-01' WHERE code = 'REV-06';
SELECT 'REV-06.1' AS id, composite, status FROM standing WHERE cycle = 'REV-06' AND employee = 'E010';
-- unlock: with a reason only; the proposal is withdrawn, the old version stays readable
SELECT unlock_review('REV-06', 'E010', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT unlock_review('REV-06', 'E010', '。。。');
UPDATE review SET status = 'open' WHERE review_id = find_review('REV-06', 'E010');
\echo :LAST_ERROR_SQLSTATE
SELECT unlock_review('REV-06', 'unknown', '申诉成立');
SELECT unlock_review(NULL, NULL, '申诉成立');
SELECT unlock_review('REV-06', 'E010', '申诉成立') AS open;
SELECT submit_score('REV-06', 'E010', '总评', 92, '复核后') AS composite;
SELECT lock_review('REV-06', 'E010', '2023-10-09') AS locked;
SELECT x.version, x.composite, x.grade, x.locked_on, u.reason AS reopened_because FROM review_result x LEFT JOIN decision u ON u.decision_id = x.reopened_by
 WHERE x.review_id = find_review('REV-06', 'E010') ORDER BY x.version;
SELECT composite, percent, old_amount, new_amount, status FROM salary_adjustment ORDER BY adjustment_id;
SELECT f.entry, f.amount FROM payroll_feed f ORDER BY feed_id;
SELECT kind, outcome ->> 'score' AS score, inputs ->> 'version' AS version, reason FROM decision
 WHERE cause = 'review' AND cause_id = find_review('REV-06', 'E010') AND kind LIKE 'review.%' ORDER BY decision_id;
-- errors of lock_review and lock_cycle
SELECT lock_review('REV-06', 'E11');
\echo :LAST_ERROR_SQLSTATE
SELECT lock_review('REV-06', 'E999');
SELECT lock_review('unknown', 'E010');
SELECT lock_review(NULL, NULL);
SELECT lock_cycle('unknown');
SELECT lock_cycle(NULL);
SELECT lock_cycle('REV-06', '2023-10-10');
\echo :LAST_ERROR_SQLSTATE
SELECT lock_cycle('REV-06', '2023-10-10', skip_incomplete => true) AS locked;
SELECT code, status FROM review_cycle WHERE code = 'REV-06';

-- REV-09: grades, at their edges
SELECT create_cycle('REV-09', '2023-01-01', '2023-03-31', 'ONE', pay_effective => false) > 0 AS made, open_cycle('REV-09') AS reviews;
SELECT count(submit_score('REV-09', e, '总评', v, '评语', scale_max => m, rater => 'E001')) AS scored FROM (VALUES
  ('E010', 90.00, 100), ('E11', 89.99, 100), ('E12', 80.00, 100), ('E13', 79.99, 100), ('E14', 70.01, 100), ('E15', 70.00, 100), ('E16', 4.5, 5),
  ('E17', 100, 100), ('E18', 0, 100), ('E19', 89.99994, 100), ('E20', 89.99996, 100), ('E22', 70.00004, 100), ('E002', 2.69997, 3)) AS s (e, v, m);
SELECT lock_cycle('REV-09', '2023-04-01', skip_incomplete => true) AS locked;
SELECT 'REV-09' AS id, e.employee_no, s.raw_value, s.scale_max, x.composite, x.grade
  FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) JOIN score s USING (review_id) WHERE r.cycle_id = find_cycle('REV-09') ORDER BY x.composite DESC, e.employee_no;
-- the whole cycle at once; then it is locked, and an unlock opens it again
SELECT count(submit_score('REV-09', e.employee_no, '总评', 66, '评语', rater => CASE e.employee_no WHEN 'E001' THEN 'E090' ELSE 'E001' END)) AS scored FROM review r JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('REV-09') AND r.status = 'open';
SELECT lock_cycle('REV-09', '2023-04-02') AS locked, lock_cycle('REV-09', '2023-04-03') AS again;
SELECT status, (SELECT count(*) FROM review_result x JOIN review r USING (review_id) WHERE r.cycle_id = c.cycle_id) AS results FROM review_cycle c WHERE code = 'REV-09';
SELECT unlock_review('REV-09', 'E010', '复核') AS open, (SELECT status FROM review_cycle WHERE code = 'REV-09') AS cycle_before;
SELECT status FROM review_cycle WHERE code = 'REV-09';
SELECT lock_cycle('REV-09', '2023-04-04') AS locked;
-- for the one who was unlocked: nobody who was recorded since gets a review
BEGIN;
SELECT hire('E99', '补录', 'SH', 'SALES', '2022-01-01', manager => 'E003') > 0 AS hired;
SELECT unlock_review('REV-09', 'E010', '复核') AS open;
SELECT count(*) AS reviews FROM review WHERE employee_id = find_employee('E99');
ROLLBACK;

-- explain_score: from the scores while it is open, from the lock's decision afterwards
SELECT submit_score('2023Q1', 'E010', '客户拓展', facts => '{"actual": 8}', rationale => '新签8家,目标10家') AS composite;
DELETE FROM score WHERE review_id = find_review('2023Q1', 'E010') AND indicator_id = find_indicator('客户满意度');
SELECT * FROM explain_score('2023Q1', 'E010');
SELECT * FROM explain_score('2023Q1', 'E010', 'en');
SELECT submit_score('2023Q1', 'E010', '客户满意度', 90, '回访平均4.5') AS composite;
SELECT lock_review('2023Q1', 'E010', '2023-04-01') AS locked;
SELECT * FROM explain_score('2023Q1', 'E010', 'zh');
SELECT * FROM explain_score('2023Q1', 'E010', 'en');
BEGIN;
SELECT act_as('E010') IS NOT NULL AS acting;
SELECT count(*) AS lines FROM explain_score('2023Q1', 'E010');
SELECT act_as('E003') IS NOT NULL AS acting;
SELECT count(*) AS lines FROM explain_score('2023Q1', 'E010');
SELECT act_as('E090') IS NOT NULL AS acting;
SELECT count(*) AS lines FROM explain_score('2023Q1', 'E010');
SELECT act_as('E021') IS NOT NULL AS acting;
SELECT count(*) AS lines FROM explain_score('2023Q1', 'E010');
COMMIT;
SELECT * FROM explain_score('2023Q1', 'E999');
SELECT * FROM explain_score(NULL, NULL);
-- what became of the parts without a score
SELECT * FROM explain_score('M-zero', 'E010');
SELECT * FROM explain_score('M-renormalise', 'E010');
SELECT * FROM explain_score('M-renormalise', 'E010', 'en') ORDER BY line_no DESC LIMIT 1;
SELECT * FROM explain_score('M-block', 'E010', 'en');
SELECT * FROM explain_score('M-renormalise', 'E12');

-- what a program sees of an error: state, table, column and constraint tell one rule from another
CREATE FUNCTION raised(statement text, OUT state text, OUT table_name text, OUT column_name text, OUT constraint_name text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  state = 'none';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, table_name = TABLE_NAME, column_name = COLUMN_NAME, constraint_name = CONSTRAINT_NAME;
END $$;
SELECT what, r.* FROM (VALUES
  (1, 'no rationale', $$SELECT submit_score('2023Q1', 'E13', '客户拓展', 80, ' ')$$),
  (2, 'no value', $$SELECT submit_score('2023Q1', 'E13', '客户拓展', NULL, 'x')$$),
  (3, 'out of range', $$SELECT submit_score('2023Q1', 'E13', '客户拓展', 101, 'x')$$),
  (4, 'no attainment', $$SELECT submit_score('2023Q1', 'E13', '客户拓展', facts => '{}', rationale => 'x')$$),
  (5, 'not in the template', $$SELECT submit_score('2023Q1', 'E13', '产量', 80, 'x')$$),
  (6, 'self by another', $$SELECT submit_score('2023Q1', 'E13', '客户拓展', 80, 'x', rater => 'E14', rater_group => 'self')$$),
  (7, 'rater has left', $$SELECT submit_score('2023Q1', 'E13', '客户拓展', 80, 'x', rater => 'E011')$$),
  (8, 'locked', $$SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x')$$),
  (9, 'not complete', $$SELECT lock_review('2023Q1', 'E13')$$),
  (10, 'unlock without reason', $$SELECT unlock_review('2023Q1', 'E010', '')$$),
  (11, 'pinned', $$UPDATE review SET manager_id = NULL WHERE review_id = find_review('2023Q1', 'E13')$$),
  (12, 'frozen cycle', $$SELECT set_target('2023Q1', 'E13', '客户拓展', '{"target": 1}')$$),
  (13, 'target is zero', $$UPDATE target SET facts = '{"target": 0}'$$),
  (14, 'frozen template', $$UPDATE template_item SET weight = 1$$),
  (15, 'frozen scale', $$UPDATE band SET value = 1$$),
  (16, 'weights', $$SELECT activate_template(t) FROM (SELECT 'W' AS t, create_template('W', '[{"indicator": "产量", "weight": 95}]') OFFSET 0) w$$),
  (17, 'bands overlap', $$SELECT create_scale('o', 'grade', '[{"range": "[0,2)"}, {"range": "[1,3)"}]')$$),
  (18, 'circle of units', $$UPDATE org_unit SET parent_id = find_unit('SH') WHERE code = 'GROUP'$$),
  (19, 'unknown code', $$SELECT lock_review('unknown', 'E13')$$),
  (20, 'fine', $$SELECT lock_review('2023Q1', 'E010')$$)) AS v (n, what, statement), raised(statement) AS r ORDER BY n;

-- nothing depends on the caller's search_path
SET search_path = '';
SELECT review_test.submit_score('2023Q1', 'E15', '客户拓展', facts => '{"actual": 9}', rationale => '新签9家'), review_test.submit_score('2023Q1', 'E15', '客户满意度', 85, '回访'),
       review_test.submit_score('2023Q1', 'E15', '销售执行', 90, '跟进');
SELECT review_test.lock_review('2023Q1', 'E15', '2023-04-01') AS locked;
SELECT * FROM review_test.explain_score('2023Q1', 'E15');
SELECT count(*) AS differences FROM review_test.verify();
SET search_path = review_test, pg_catalog;

-- who may: an application that submits scores, and no more; what follows is done for it
CREATE ROLE regress_review_app;
SET SESSION AUTHORIZATION regress_review_app;
SELECT review_test.submit_score('2023Q1', 'E12', '客户拓展', 80, '新签8家');
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA review_test TO regress_review_app;
SET SESSION AUTHORIZATION regress_review_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 80, '新签8家');
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION submit_score, find_review, find_cycle, find_employee, find_indicator, unknown_code, actor, who, shown_composite TO regress_review_app;
GRANT SELECT ON review, review_cycle, employee, indicator, rater_group TO regress_review_app;
SET SESSION AUTHORIZATION regress_review_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 80, '新签8家');
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
-- the login of nobody; then that of the manager
SET SESSION AUTHORIZATION regress_review_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 30, '新签3家');
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
UPDATE employee SET db_role = 'regress_review_app' WHERE employee_id = (SELECT manager_id FROM review WHERE review_id = find_review('2023Q1', 'E12'));
GRANT SELECT, INSERT, UPDATE ON score TO regress_review_app;
SET SESSION AUTHORIZATION regress_review_app;
SELECT submit_score('2023Q1', 'E12', '客户拓展', 30, '新签3家') AS composite;
SELECT submit_score('2023Q1', 'E12', '客户满意度', 40, '投诉2次') AS composite;
SELECT submit_score('2023Q1', 'E12', '销售执行', 50, '计划未完成') AS composite;
SELECT submit_score('2023Q1', 'E12', '销售执行', 50, '');
UPDATE review SET composite = 100 WHERE review_id = find_review('2023Q1', 'E12');
\echo :LAST_ERROR_SQLSTATE
SELECT lock_review('2023Q1', 'E12');
SELECT count(*) FROM development_plan;
SELECT hrloop.recompute('book', ARRAY[find_review('2023Q1', 'E12')]);
SELECT act_as('E12');
RESET SESSION AUTHORIZATION;
SELECT p.status, p.reasons FROM development_plan p WHERE p.review_id = find_review('2023Q1', 'E12');
SELECT decided_by, kind FROM decision WHERE employee_id = find_employee('E12') ORDER BY decision_id DESC LIMIT 1;
UPDATE employee SET db_role = NULL WHERE db_role IS NOT NULL;
REVOKE ALL ON ALL TABLES IN SCHEMA review_test FROM regress_review_app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA review_test FROM regress_review_app;
REVOKE ALL ON SCHEMA review_test FROM regress_review_app;
DROP ROLE regress_review_app;

-- verify finds what was falsified
SELECT count(*) AS differences FROM verify();
BEGIN;
UPDATE review SET composite = 99.9 WHERE review_id = find_review('2023Q1', 'E12');
UPDATE review SET composite = 99.9 WHERE review_id = find_review('2023Q1', 'E010');
UPDATE review SET missed = missed[1:1], items_scored = 2 WHERE review_id = find_review('2023Q1', 'E12');
UPDATE review SET self_composite = 1, lowest_indicator_id = NULL, complete = false WHERE review_id = find_review('2023Q1', 'E15');
UPDATE review_result SET grade = '优秀' WHERE review_id = find_review('REV-09', 'E15');
UPDATE review_result SET composite = 12.5 WHERE review_id = find_review('REV-09', 'E14');
SELECT problem, table_name, expected, found FROM verify() ORDER BY problem, table_name, expected, found;
-- an open review is brought in order by recompute
SELECT hrloop.recompute('book', ARRAY[find_review('2023Q1', 'E12')]) AS reviews;
SELECT composite, scored, missed FROM standing WHERE cycle = '2023Q1' AND employee = 'E12';
-- also where a trigger before each row has it written by SQL
CREATE TRIGGER redundant BEFORE UPDATE ON review FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
UPDATE review SET composite = 50, missed = '{}', lowest_indicator_id = NULL WHERE review_id = find_review('2023Q1', 'E12');
SELECT hrloop.recompute('book', ARRAY[find_review('2023Q1', 'E12')]) AS reviews;
SELECT composite, scored, missed FROM standing WHERE cycle = '2023Q1' AND employee = 'E12';
ROLLBACK;
SELECT count(*) AS differences FROM verify();
DROP SCHEMA review_test CASCADE;
