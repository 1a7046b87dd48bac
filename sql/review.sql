-- review: cycles, scores with rationale (REV-01, REV-05).
\set books review_test
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
SELECT create_cycle('bad', '2023-03-31', '2023-01-01'); \echo :LAST_ERROR_SQLSTATE
SELECT create_cycle('bad', NULL, '2023-01-01');
SELECT create_cycle('bad', '2023-01-01', '2023-03-31', 'unknown');
SELECT create_cycle('bad', '2023-01-01', '2023-03-31', kind => 'sometimes');
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31'); \echo :LAST_ERROR_SQLSTATE
SELECT create_cycle(NULL, '2023-01-01', '2023-03-31');
SELECT open_cycle('unknown');
SELECT open_cycle(NULL);
SELECT create_cycle('bare', '2023-01-01', '2023-03-31') > 0 AS made;
SELECT open_cycle('bare'); \echo :LAST_ERROR_SQLSTATE
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
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": 0}'); \echo :LAST_ERROR_SQLSTATE
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
SELECT set_target('2023Q2', 'E010', '客户拓展', '{"target": 1}'); \echo :LAST_ERROR_SQLSTATE
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
UPDATE review SET manager_id = find_employee('E001') WHERE cycle_id = find_cycle('2023Q2') AND employee_id = find_employee('E010'); \echo :LAST_ERROR_SQLSTATE
UPDATE review SET template_id = (SELECT template_id FROM review_template WHERE code = 'ONE') WHERE cycle_id = find_cycle('2023Q2') AND employee_id = find_employee('E010');

-- REV-05: no score without a rationale
\set VERBOSITY default
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, NULL); \echo :LAST_ERROR_SQLSTATE
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
UPDATE score SET rationale = '' WHERE review_id = find_review('2023Q1', 'E010'); \echo :LAST_ERROR_SQLSTATE
UPDATE score SET rationale = NULL WHERE review_id = find_review('2023Q1', 'E010');
SELECT submit_score('2023Q1', 'E010', '销售执行', 86, U&'\3000\3000');
SELECT 'REV-05.2' AS id, value, rationale FROM score WHERE review_id = find_review('2023Q1', 'E010');
-- the minimum by setting; a rationale given before stays until the score is touched
SELECT set_setting('rationale.min_chars', '5') AS min_chars;
SELECT submit_score('2023Q1', 'E010', '客户满意度', 80, '做得好!!!'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '客户满意度', 80, '做得非常好') AS composite;
SELECT set_setting('rationale.min_chars', '0') AS min_chars;
SELECT submit_score('2023Q1', 'E010', '客户满意度', 80, '');
SELECT set_setting('rationale.min_chars', '1') AS min_chars;
-- the same text for many, by setting: at most two people here
SELECT set_setting('rationale.max_same', '2') AS max_same;
SELECT submit_score('2023Q1', e, '销售执行', 85, '表现良好') FROM unnest(ARRAY['E11', 'E12']) AS e;
SELECT submit_score('2023Q1', 'E13', '销售执行', 85, '表现良好'); \echo :LAST_ERROR_SQLSTATE
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
  FROM review r JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('2023M2') AND r.manager_id IS NOT NULL ORDER BY r.review_id; \echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS stored FROM score s JOIN review r USING (review_id) WHERE r.cycle_id = find_cycle('2023M2');

-- every other way in which a score is refused
SELECT submit_score('2023Q1', 'E010', '产量', 80, '不在模板里'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '产量', facts => '{"score": 80}', rationale => '不在模板里');
SELECT submit_score('2023Q1', 'E010', '客户拓展', NULL, '没有分数'); \echo :LAST_ERROR_SQLSTATE
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
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E003', rater_group => 'self'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E010');
SELECT submit_score('2023Q1', 'E010', '客户拓展', 80, 'x', rater => 'E010', rater_group => 'peer');
-- who has left does not rate, but what was scored before may still be entered
SELECT leave('E011', '2023-03-15') > 0 AS left;
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, scored_at)
VALUES (find_review('2023Q1', 'E16'), find_indicator('销售执行'), 'peer', find_employee('E011'), 80, '2023-03-15 09:00+08'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, scored_at)
VALUES (find_review('2023Q1', 'E16'), find_indicator('销售执行'), 'peer', find_employee('E011'), 80, '2023-03-14 09:00+08');
-- a blocked review has no scores, and no gate is passed by hand
SELECT submit_score('2023Q1', 'E20', '客户拓展', 80, '试试'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('2023Q1', 'E20');
UPDATE review SET status = 'open' WHERE review_id = find_review('2023Q1', 'E20'); \echo :LAST_ERROR_SQLSTATE
SELECT unblock_reviews('2023Q1') AS opened;
UPDATE review_gate SET waived_because = ' ' WHERE employee_id = find_employee('E20');
UPDATE review_gate SET waived_because = '总经理批准' WHERE employee_id = find_employee('E20');
SELECT unblock_reviews('2023Q1') AS opened, unblock_reviews('2023Q1') AS again;
SELECT submit_score('2023Q1', 'E20', '客户拓展', 80, '现在可以') IS NULL AS incomplete;
SELECT unblock_reviews('unknown');
SELECT unblock_reviews(NULL);

SELECT count(*) AS differences FROM verify();
DROP SCHEMA review_test CASCADE;
