-- pay: corrections after pay was applied: new rows, never edits (REV-08; the figures are worked out by hand beside them).
\set books correction_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
-- from 80: 5 %, from 85: 8 %, from 90: 10 %
SELECT create_scale('steps', 'raise', '[{"range": "[90,)", "value": 10}, {"range": "[85,90)", "value": 8}, {"range": "[80,85)", "value": 5}, {"range": "(,80)", "value": 0}]') > 0 AS made,
       add_raise_rule('steps', from_date => '2024-01-01') > 0 AS rule;
SELECT hire(e, '员工' || e, 'SH', 'SALES', '2023-01-01', manager => 'E003') > 0 AS hired, set_salary(e, a, '2023-01-01') > 0 AS paid
  FROM (VALUES ('C1', 3095.90), ('C2', 10000.25), ('C3', 8000), ('C4', 9999.99), ('C5', 7000), ('C6', 6000), ('C7', 9000)) AS c (e, a);
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E002'));
SELECT create_cycle('2024Q' || q, d::date, (d + interval '3 months' - interval '1 day')::date, 'ONE') > 0 AS made
  FROM (VALUES (1, '2024-01-01'::timestamp), (2, '2024-04-01'), (3, '2024-07-01')) AS c (q, d);
SELECT open_cycle('2024Q' || q) > 0 AS opened FROM generate_series(1, 3) AS q;
CREATE TEMP VIEW raises AS
  SELECT c.code AS cycle, e.employee_no AS who, a.composite AS score, a.base_amount AS base, a.old_amount AS old, a.percent AS pct, a.raise_amount AS raise,
         a.new_amount AS new, a.status, f.raise_amount AS corrects_raise_of, CASE a.decided_by WHEN session_user THEN 'login' ELSE a.decided_by END AS decided_by
    FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
    LEFT JOIN salary_adjustment f ON f.adjustment_id = a.corrects ORDER BY e.employee_no, c.code, a.adjustment_id;
CREATE TEMP VIEW pay AS
  SELECT e.employee_no AS who, s.amount, lower(s.valid) AS from_day, upper(s.valid) AS until_day
    FROM salary s JOIN employee e USING (employee_id) WHERE s.superseded_by IS NULL ORDER BY e.employee_no, lower(s.valid);
CREATE TEMP VIEW feed AS
  SELECT e.employee_no AS who, f.kind, f.entry, f.amount, f.effective_on FROM payroll_feed f JOIN employee e USING (employee_id) ORDER BY f.feed_id;
-- score and lock; and the same again after an unlock
CREATE FUNCTION pg_temp.score(cycle text, who text, value numeric) RETURNS numeric LANGUAGE sql AS $$
  SELECT correction_test.unlock_review(cycle, who, '复核:更正得分') FROM correction_test.review r
   WHERE r.review_id = correction_test.find_review(cycle, who) AND r.status = 'locked';
  SELECT correction_test.submit_score(cycle, who, '总评', value, '按事实评分,' || who);
  SELECT correction_test.lock_review(cycle, who, '2024-10-01');
  SELECT composite FROM correction_test.review_result x WHERE x.review_id = correction_test.find_review(cycle, who) AND x.reopened_by IS NULL;
$$;
CREATE FUNCTION pg_temp.pay(cycle text, who text) RETURNS numeric LANGUAGE sql AS $$
  SELECT correction_test.approve_adjustment(cycle, who);
  SELECT correction_test.apply_adjustment(cycle, who);
$$;

-- REV-08 5 % becomes 8 % after it was paid: 12345.67 × 5 % = 617.2835, so 12962.95 was paid;
-- 12345.67 × 8 % = 987.6536 of the same base, so 13333.32 is due, and the difference is 370.37
SELECT pg_temp.score('2024Q1', 'E011', 82), pg_temp.pay('2024Q1', 'E011');
SELECT 'REV-08' AS id, pg_temp.score('2024Q1', 'E011', 86) AS score;
SELECT 'REV-08' AS id, * FROM raises WHERE who = 'E011';
-- a proposal is no pay: people decide, and not on their own
SELECT * FROM pay WHERE who = 'E011';
SELECT apply_adjustment('2024Q1', 'E011'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS acts, approve_adjustment('2024Q1', 'E011'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, approve_adjustment('2024Q1', 'E011') AS approved, apply_adjustment('2024Q1', 'E011') AS pay, apply_adjustment('2024Q1', 'E011') AS again; COMMIT;
SELECT 'REV-08' AS id, * FROM raises WHERE who = 'E011';
SELECT * FROM pay WHERE who = 'E011';
SELECT * FROM feed WHERE who = 'E011';
SELECT cycle_code, status, line FROM explain_pay('E011', '2024Q1');
SELECT line FROM explain_pay('E011', '2024Q1', 'en') OFFSET 1;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT count(*) AS for_a_colleague FROM explain_pay('E011', '2024Q1'); ROLLBACK;
SELECT n.kind, n.body FROM notification n WHERE n.recipient_id = find_employee('E011') AND n.kind LIKE 'pay.%' ORDER BY n.notification_id;
SELECT d.kind, d.cause, d.rule, d.inputs - 'corrects' AS inputs, d.outcome FROM decision d
 WHERE d.employee_id = find_employee('E011') AND d.kind LIKE 'pay.%' AND (d.kind = 'pay.correct' OR d.inputs ? 'corrects') ORDER BY d.decision_id;
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();

-- a correction is corrected: 12345.67 × 10 % = 1234.567, so 13580.24, difference 246.92
SELECT pg_temp.score('2024Q1', 'E011', 91), pg_temp.pay('2024Q1', 'E011');
-- and back to the first figure: 12962.95, difference -617.29. A pay cut is never automatic, nor approved with all the others
SELECT set_setting('pay.auto_apply', 'true');
SELECT pg_temp.score('2024Q1', 'E011', 82);
SELECT set_setting('pay.auto_apply', 'false');
SELECT approve_cycle('2024Q1') AS approved, apply_cycle('2024Q1') AS applied;
SELECT * FROM raises WHERE who = 'E011';
SELECT pg_temp.pay('2024Q1', 'E011');
SELECT * FROM raises WHERE who = 'E011';
SELECT * FROM pay WHERE who = 'E011';
SELECT * FROM feed WHERE who = 'E011';
SELECT line FROM explain_pay('E011', '2024Q1') OFFSET 3;
-- what is applied is not edited; there is one chain, and one that waits
UPDATE salary_adjustment SET status = 'withdrawn' WHERE employee_id = find_employee('E011') AND corrects IS NULL;
UPDATE salary_adjustment SET base_amount = base_amount - 1 WHERE adjustment_id = find_adjustment('2024Q1', 'E011');
SELECT reject_adjustment('2024Q1', 'E011', '不同意');
-- another score with the same raise: nothing to correct
SELECT pg_temp.score('2024Q1', 'E011', 84);
SELECT count(*) AS adjustments FROM raises WHERE who = 'E011';
SELECT * FROM verify();
-- nor by the table: a second correction of the same one, one of a raise that is not applied, one of somebody else's
SELECT pg_temp.score('2024Q1', 'C6', 82), pg_temp.score('2024Q1', 'C5', 82);
INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount, base_on, old_amount, percent, raise_amount, new_amount, effective_on, corrects, decision_id)
SELECT cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount, base_on, new_amount, percent, 0, new_amount, effective_on, adjustment_id, decision_id
  FROM salary_adjustment WHERE employee_id = find_employee('E011') AND corrects IS NULL; \echo :LAST_ERROR_SQLSTATE
SELECT reject_adjustment('2024Q1', 'C6', '预算不足') AS status;
INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount, base_on, old_amount, percent, raise_amount, new_amount, effective_on, corrects, decision_id)
SELECT cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount, base_on, new_amount, percent, 0, new_amount, effective_on, adjustment_id, decision_id
  FROM salary_adjustment WHERE employee_id = find_employee('C6'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, raise_rule_id, band_id, composite, base_amount, base_on, old_amount, percent, raise_amount, new_amount, effective_on, corrects, decision_id)
SELECT a.cycle_id, a.employee_id, a.result_id, a.raise_rule_id, a.band_id, a.composite, a.base_amount, a.base_on, a.new_amount, a.percent, 0, a.new_amount, a.effective_on, find_adjustment('2024Q1', 'E011'), a.decision_id
  FROM salary_adjustment a WHERE a.employee_id = find_employee('C6');
\set VERBOSITY sqlstate
INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, composite, base_amount, base_on, old_amount, percent, raise_amount, new_amount, effective_on, decision_id)
SELECT cycle_id, employee_id, result_id, composite, base_amount - 1, base_on, old_amount, percent, raise_amount, new_amount, effective_on, decision_id FROM salary_adjustment WHERE employee_id = find_employee('C6');
INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, composite, base_amount, base_on, old_amount, percent, raise_amount, new_amount, effective_on, decision_id)
SELECT cycle_id, employee_id, result_id, composite, base_amount, base_on - 1, old_amount, percent, raise_amount, new_amount, effective_on, decision_id FROM salary_adjustment WHERE employee_id = find_employee('C6');
\set VERBOSITY default

-- half a fen goes up: 3095.90 × 5 % = 154.795, so 3250.70; 8 % = 247.672, so 3343.57, difference 92.87
SELECT pg_temp.score('2024Q1', 'C1', 80), pg_temp.pay('2024Q1', 'C1'), pg_temp.score('2024Q1', 'C1', 85), pg_temp.pay('2024Q1', 'C1');
-- no raise at first, and none again: 0 % leaves the pay alone; then 10000.25 × 10 % = 1000.025, so 11000.28
SELECT pg_temp.score('2024Q1', 'C2', 70), pg_temp.pay('2024Q1', 'C2'), pg_temp.score('2024Q1', 'C2', 90), pg_temp.pay('2024Q1', 'C2');
SELECT pg_temp.score('2024Q1', 'C2', 79.9999), pg_temp.pay('2024Q1', 'C2');
SELECT * FROM raises WHERE who IN ('C1', 'C2');
SELECT * FROM pay WHERE who IN ('C1', 'C2');
SELECT line FROM explain_pay('C2') ;

-- an unlock withdraws a correction that waits, proposed or approved; what is applied stays
SELECT pg_temp.score('2024Q1', 'C3', 82), pg_temp.pay('2024Q1', 'C3'), pg_temp.score('2024Q1', 'C3', 86);
SELECT unlock_review('2024Q1', 'C3', '再查') AS open;
SELECT * FROM raises WHERE who = 'C3';
SELECT lock_review('2024Q1', 'C3', '2024-10-02') AS locked, approve_adjustment('2024Q1', 'C3') AS approved;
SELECT unlock_review('2024Q1', 'C3', '又查') AS open, apply_adjustment('2024Q1', 'C3') AS what_stands;
-- rejected: the next lock proposes again; then paid, and again nothing
SELECT lock_review('2024Q1', 'C3', '2024-10-03') AS locked, reject_adjustment('2024Q1', 'C3', '证据不足') AS status;
SELECT * FROM verify();
SELECT pg_temp.score('2024Q1', 'C3', 86), pg_temp.pay('2024Q1', 'C3'), pg_temp.score('2024Q1', 'C3', 86);
SELECT * FROM raises WHERE who = 'C3';
SELECT * FROM feed WHERE who = 'C3';
SELECT d.inputs, d.reason FROM decision d WHERE d.employee_id = find_employee('C3') AND d.kind = 'pay.withdraw' ORDER BY d.decision_id;
-- by setting a correction that gives more is applied at the lock: 8000 × 10 % = 800
SELECT set_setting('pay.auto_apply', 'true');
SELECT pg_temp.score('2024Q1', 'C3', 95);
SELECT * FROM pay WHERE who = 'C3';
SELECT set_setting('pay.auto_apply', 'false');

SELECT * FROM verify();
DROP SCHEMA correction_test CASCADE;
