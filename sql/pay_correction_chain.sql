-- pay: corrections where later raises, salaries that people set and appeals stand on what is corrected (REV-08).
\set books chain_test
\set by_hand '{payroll_feed,salary_adjustment,salary}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\i :abs_srcdir/test/fixtures/corrected.sql

-- what was paid and corrected before (pay_correction)
SELECT pg_temp.score('2024Q1', 'E011', 82), pg_temp.pay('2024Q1', 'E011'), pg_temp.score('2024Q1', 'E011', 86), pg_temp.pay('2024Q1', 'E011'), pg_temp.score('2024Q1', 'E011', 91), pg_temp.pay('2024Q1', 'E011'),
       pg_temp.score('2024Q1', 'E011', 82), pg_temp.pay('2024Q1', 'E011'), pg_temp.score('2024Q1', 'E011', 84);
SELECT pg_temp.score('2024Q1', 'C6', 82), pg_temp.score('2024Q1', 'C5', 82), reject_adjustment('2024Q1', 'C6', '预算不足') AS status;
SELECT pg_temp.score('2024Q1', 'C1', 80), pg_temp.pay('2024Q1', 'C1'), pg_temp.score('2024Q1', 'C1', 85), pg_temp.pay('2024Q1', 'C1');
SELECT pg_temp.score('2024Q1', 'C2', 70), pg_temp.pay('2024Q1', 'C2'), pg_temp.score('2024Q1', 'C2', 90), pg_temp.pay('2024Q1', 'C2'), pg_temp.score('2024Q1', 'C2', 79.9999), pg_temp.pay('2024Q1', 'C2');
SELECT pg_temp.score('2024Q1', 'C3', 82), pg_temp.pay('2024Q1', 'C3'), pg_temp.score('2024Q1', 'C3', 86), pg_temp.pay('2024Q1', 'C3'), pg_temp.score('2024Q1', 'C3', 95), pg_temp.pay('2024Q1', 'C3');

-- a later raise was computed from the corrected pay: its percentage was decided and stays, the amount follows by arithmetic.
-- 9999.99 × 5 % = 499.9995: 10499.99; × 5 % = 524.9995: 11024.99; × 5 % = 551.2495: 11576.24
SELECT q, pg_temp.score('2024Q' || q, 'C4', 82), pg_temp.pay('2024Q' || q, 'C4') FROM generate_series(1, 3) AS q;
SELECT pg_temp.score('2024Q1', 'C4', 90);
SELECT * FROM raises WHERE who = 'C4';
-- 9999.99 × 10 % = 999.999: 10999.99, from April to June; 10999.99 × 5 % = 549.9995: 11549.99 from July; 11549.99 × 5 % = 577.4995:
-- 12127.49 from October. Nobody decides these again
SELECT pg_temp.pay('2024Q1', 'C4');
SELECT * FROM pay WHERE who = 'C4';
SELECT count(*) AS proposed FROM raises WHERE who = 'C4' AND status = 'proposed';
SELECT cycle_code, line FROM explain_pay('C4') WHERE line LIKE '薪资重算%';
SELECT n.body FROM notification n WHERE n.recipient_id = find_employee('C4') AND n.kind = 'pay.folded';
SELECT * FROM raises WHERE who = 'C4';
SELECT * FROM verify();
-- one that was not applied yet is proposed anew, though it was approved: 10499.99 became 9999.99
SELECT pg_temp.score('2024Q1', 'C5', 82), pg_temp.pay('2024Q1', 'C5'), pg_temp.score('2024Q2', 'C5', 90), approve_adjustment('2024Q2', 'C5');
SELECT pg_temp.score('2024Q1', 'C5', 60), pg_temp.pay('2024Q1', 'C5');
SELECT * FROM raises WHERE who = 'C5';
SELECT d.inputs, d.reason FROM decision d WHERE d.employee_id = find_employee('C5') AND d.kind = 'pay.withdraw' ORDER BY d.decision_id DESC LIMIT 1;
SELECT pg_temp.pay('2024Q2', 'C5');
SELECT * FROM pay WHERE who = 'C5';
-- and so is what waits while the raise of an earlier cycle is paid late: 9000 × 5 % = 450, then 9450 × 10 % = 945
SELECT pg_temp.score('2024Q2', 'C7', 90), approve_adjustment('2024Q2', 'C7'), pg_temp.score('2024Q3', 'C7', 82), pg_temp.score('2024Q1', 'C7', 82);
SELECT pg_temp.pay('2024Q1', 'C7');
SELECT * FROM raises WHERE who = 'C7';
SELECT n.recipient_role, n.args FROM notification n WHERE n.kind = 'pay.void' AND n.args ->> 'employee' = '员工C7';
SELECT apply_adjustment('2024Q2', 'C7'); \echo :LAST_ERROR_SQLSTATE
-- 10395 × 5 % = 519.75
SELECT pg_temp.pay('2024Q2', 'C7'), pg_temp.pay('2024Q3', 'C7');
SELECT * FROM pay WHERE who = 'C7';
-- a raise of nothing is paid on whatever pay there is
SELECT pg_temp.score('2024Q3', 'C6', 60), pg_temp.pay('2024Q3', 'C6'), pg_temp.score('2024Q1', 'C6', 82), pg_temp.pay('2024Q1', 'C6');
SELECT * FROM raises WHERE who = 'C6';
SELECT * FROM pay WHERE who = 'C6';
SELECT * FROM verify();

-- what a person set later stands: only the days before are corrected
SELECT pg_temp.score('2024Q1', 'E010', 82), pg_temp.pay('2024Q1', 'E010'), set_salary('E010', 12000, '2024-05-16', '调岗') > 0 AS set;
SELECT pg_temp.score('2024Q1', 'E010', 90), pg_temp.pay('2024Q1', 'E010');
SELECT * FROM pay WHERE who = 'E010';
-- what a person set from the same day is the base of the raise of that day: 13000 × 5 % = 650; a correction of it may be rejected
SELECT pg_temp.score('2024Q2', 'E010', 82), pg_temp.pay('2024Q2', 'E010'), set_salary('E010', 13000, '2024-07-01', '特批') > 0 AS set;
SELECT pg_temp.score('2024Q2', 'E010', 86), approve_adjustment('2024Q2', 'E010') AS status, reject_adjustment('2024Q2', 'E010', '特批已包含') AS after_all;
SELECT * FROM pay WHERE who = 'E010';
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();

-- REV-08.2 an appeal against what is paid holds nothing; upheld it proposes a correction, and the next appeal holds that one
SELECT pg_temp.score('2024Q2', 'E011', 82), pg_temp.pay('2024Q2', 'E011');
BEGIN; SELECT act_as('E011') > 0 AS acts, file_appeal('2024Q2', 'E011', '漏算一家', '2024-10-02') > 0 AS filed; COMMIT;
SELECT cycle, base, old, pct, raise, new, status FROM raises WHERE who = 'E011' AND cycle = '2024Q2';
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2024Q2', 'E011', true, '属实', '{"总评": 86}', '2024-10-03') AS composite; COMMIT;
BEGIN; SELECT act_as('E011') > 0 AS acts, file_appeal('2024Q2', 'E011', '还差一家', '2024-10-04') > 0 AS filed; COMMIT;
-- 12962.95 × 5 % = 648.1475: 13611.10; × 8 % = 1037.036: 13999.99, difference 388.89
SELECT cycle, base, old, pct, raise, new, status FROM raises WHERE who = 'E011' AND cycle = '2024Q2';
SELECT approve_adjustment('2024Q2', 'E011');
-- while it is held its base changes: it is not moved before the appeal is decided, then proposed from the new base
SELECT pg_temp.score('2024Q1', 'E011', 90), pg_temp.pay('2024Q1', 'E011');
SELECT cycle, base, old, pct, raise, new, status FROM raises WHERE who = 'E011' AND cycle = '2024Q2';
BEGIN; SELECT act_as('E002') > 0 AS acts, decide_appeal('2024Q2', 'E011', false, '证据不足', on_date => '2024-10-05') AS composite; COMMIT;
-- 13580.24 × 5 % = 679.012: 14259.25 is what is paid by now; × 8 % = 1086.4192: 14666.66, difference 407.41
SELECT cycle, base, old, pct, raise, new, status FROM raises WHERE who = 'E011' AND cycle = '2024Q2';
SELECT pg_temp.pay('2024Q2', 'E011');
SELECT * FROM pay WHERE who = 'E011';
-- what is only arithmetic waits for no appeal: 3405.49 × 5 % = 170.2745: 3575.76; the percentage that is appealed against stays
SELECT pg_temp.score('2024Q2', 'C1', 82), pg_temp.pay('2024Q2', 'C1');
BEGIN; SELECT act_as('C1') > 0 AS acts, file_appeal('2024Q2', 'C1', '漏算', '2024-10-02') > 0 AS filed; COMMIT;
SELECT pg_temp.score('2024Q1', 'C1', 90), pg_temp.pay('2024Q1', 'C1');
SELECT cycle, base, old, pct, raise, new, status FROM raises WHERE who = 'C1';
SELECT * FROM pay WHERE who = 'C1';
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();

-- verify() sees a chain that was tampered with
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE salary SET amount = 7350 WHERE employee_id = find_employee('C5') AND superseded_by IS NULL AND lower(valid) = '2024-07-01';
SELECT DISTINCT problem FROM verify() ORDER BY 1; ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE salary_adjustment SET old_amount = old_amount + 1, raise_amount = raise_amount - 1 WHERE employee_id = find_employee('C1') AND composite = 85;
SELECT DISTINCT problem FROM verify() ORDER BY 1; ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica;
DELETE FROM payroll_feed f USING salary_adjustment a WHERE a.adjustment_id = f.source_id AND f.source_table LIKE 'salary_adjustment%' AND a.employee_id = find_employee('C3') AND a.composite = 95;
DELETE FROM salary_adjustment WHERE employee_id = find_employee('C3') AND composite = 95;
SELECT DISTINCT problem FROM verify() ORDER BY 1; ROLLBACK;
DROP SCHEMA chain_test CASCADE;
