-- review: locks, grades, what explains a score, what a program sees of an error (REV-06, REV-09).
\set books lock_test
\set by_hand '{review,review_result}'
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
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'SALES', name => '2023年第一季度') > 0 AS made, open_cycle('2023Q1') AS reviews;
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, set_target('2023Q2', 'E010', '客户拓展', '{"target": 16}') > 0 AS set;
SELECT submit_score('2023Q1', 'E010', '销售执行', 85, '成功完成项目A,为公司带来100万收入') AS composite, submit_score('2023Q1', 'E010', '客户满意度', 80, '做得非常好') AS composite, leave('E011', '2023-03-15') > 0 AS left;

-- REV-06: lock, payroll and pay proposal
SELECT create_cycle('REV-06', '2023-07-01', '2023-09-30', 'ONE') > 0 AS made, open_cycle('REV-06') AS reviews;
SELECT submit_score('REV-06', 'E010', '总评', 85, '目标达成') AS composite;
-- REV-06.3: rolled back, nothing is left
BEGIN;
SELECT lock_review('REV-06', 'E010', '2023-10-01') AS locked;
SELECT count(*) AS proposals FROM salary_adjustment;
ROLLBACK;
SELECT 'REV-06.3' AS id, (SELECT count(*) FROM salary_adjustment) AS proposals, (SELECT count(*) FROM payroll_feed WHERE kind = 'raise') AS feed, (SELECT count(*) FROM review_result WHERE review_id = find_review('REV-06', 'E010')) AS results;
-- REV-06.2: one lock, one of each; again, nothing more
SELECT lock_review('REV-06', 'E010', '2023-10-01') AS locked;
SELECT 'REV-06.2' AS id, a.composite, a.old_amount, a.percent, a.new_amount, a.effective_on, a.status, f.kind, f.entry, f.amount
  FROM salary_adjustment a JOIN payroll_feed f ON f.source_table = 'salary_adjustment' AND f.source_id = a.adjustment_id;
SELECT lock_review('REV-06', 'E010', '2023-10-02') AS locked;
SELECT 'REV-06.2' AS id, (SELECT count(*) FROM salary_adjustment) AS proposals, (SELECT count(*) FROM payroll_feed WHERE kind = 'raise') AS feed, count(*) AS results, min(locked_on) AS locked_on, min(composite) AS composite, min(grade) AS grade
  FROM review_result WHERE review_id = find_review('REV-06', 'E010');
-- REV-06.1: a locked review does not change
SELECT submit_score('REV-06', 'E010', '总评', 95, '改分'); \echo :LAST_ERROR_SQLSTATE
UPDATE score SET raw_value = 95 WHERE review_id = find_review('REV-06', 'E010');
UPDATE score SET rationale = '改依据' WHERE review_id = find_review('REV-06', 'E010');
DELETE FROM score WHERE review_id = find_review('REV-06', 'E010');
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value) VALUES (find_review('REV-06', 'E010'), find_indicator('总评'), 'self', find_employee('E010'), 100);
UPDATE template_item SET weight = 50 WHERE indicator_id = find_indicator('总评');
SELECT hrloop.recompute('book', ARRAY[find_review('REV-06', 'E010')]);
UPDATE review_cycle SET pay_effective_on = '2030-01-01' WHERE code = 'REV-06';
SELECT 'REV-06.1' AS id, composite, status FROM standing WHERE cycle = 'REV-06' AND employee = 'E010';
-- unlock: with a reason only; the proposal is withdrawn, the old version stays readable
SELECT unlock_review('REV-06', 'E010', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT unlock_review('REV-06', 'E010', '。。。');
UPDATE review SET status = 'open' WHERE review_id = find_review('REV-06', 'E010'); \echo :LAST_ERROR_SQLSTATE
SELECT unlock_review('REV-06', 'unknown', '申诉成立');
SELECT unlock_review(NULL, NULL, '申诉成立');
SELECT unlock_review('REV-06', 'E010', '申诉成立') AS open;
SELECT submit_score('REV-06', 'E010', '总评', 92, '复核后') AS composite;
SELECT lock_review('REV-06', 'E010', '2023-10-09') AS locked;
SELECT x.version, x.composite, x.grade, x.locked_on, u.reason AS reopened_because FROM review_result x LEFT JOIN decision u ON u.decision_id = x.reopened_by
 WHERE x.review_id = find_review('REV-06', 'E010') ORDER BY x.version;
SELECT composite, percent, old_amount, new_amount, status FROM salary_adjustment ORDER BY adjustment_id;
SELECT f.entry, f.amount FROM payroll_feed f WHERE f.kind = 'raise' ORDER BY feed_id;
SELECT kind, outcome ->> 'score' AS score, inputs ->> 'version' AS version, reason FROM decision
 WHERE cause = 'review' AND cause_id = find_review('REV-06', 'E010') AND kind LIKE 'review.%' ORDER BY decision_id;
-- errors of lock_review and lock_cycle
SELECT lock_review('REV-06', 'E11'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('REV-06', 'E999');
SELECT lock_review('unknown', 'E010');
SELECT lock_review(NULL, NULL);
SELECT lock_cycle('unknown');
SELECT lock_cycle(NULL);
SELECT lock_cycle('REV-06', '2023-10-10'); \echo :LAST_ERROR_SQLSTATE
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
SELECT lock_test.submit_score('2023Q1', 'E15', '客户拓展', facts => '{"actual": 9}', rationale => '新签9家'), lock_test.submit_score('2023Q1', 'E15', '客户满意度', 85, '回访'),
       lock_test.submit_score('2023Q1', 'E15', '销售执行', 90, '跟进');
SELECT lock_test.lock_review('2023Q1', 'E15', '2023-04-01') AS locked;
SELECT * FROM lock_test.explain_score('2023Q1', 'E15');
SELECT count(*) AS differences FROM lock_test.verify();
SET search_path = lock_test, pg_catalog;

-- somebody who missed all three
SELECT submit_score('2023Q1', 'E12', i, v, '依据') AS composite FROM (VALUES ('客户拓展', 30), ('客户满意度', 40), ('销售执行', 50)) AS s (i, v);

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
DROP SCHEMA lock_test CASCADE;
