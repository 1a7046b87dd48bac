-- pay: corrections after pay was applied: new rows, never edits (REV-08; the figures are worked out by hand beside them).
\set books correction_test
\set by_hand '{salary_adjustment}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\i :abs_srcdir/test/fixtures/corrected.sql

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
