-- pay: what dated facts come to, in whatever order they became known (PAY-02, PAY-05; the figures are worked out by hand beside them).
\set books timeline_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\i :abs_srcdir/test/fixtures/quarters.sql

-- PAY-02 the later quarter is paid first: 10000 × 10 % = 1000 from July; then the earlier one, 10000 × 5 % = 500 from April,
-- and 10500 × 10 % = 1050 from July, which nobody decided again
SELECT pg_temp.score('Q1', 'T1', 84), pg_temp.score('Q2', 'T1', 92), pg_temp.pay('Q2', 'T1');
SELECT 'PAY-02' AS id, pg_temp.pay('Q1', 'T1') AS from_april;
SELECT * FROM pay WHERE who = 'T1';
SELECT * FROM raises WHERE who = 'T1';
SELECT 'PAY-05' AS id, day, kind, amount FROM fed WHERE who = 'T1';
SELECT 'PAY-03' AS id, status, line FROM explain_pay('T1');
SELECT line FROM explain_pay('T1', 'Q2', 'en') OFFSET 1;
SELECT n.kind, n.body FROM notification n WHERE n.recipient_id = find_employee('T1') AND n.kind LIKE 'pay.%' ORDER BY n.notification_id;
SELECT d.kind, d.cause, d.inputs, d.outcome -> 'rows' -> 1 ->> 'amount' AS second FROM decision d WHERE d.employee_id = find_employee('T1') AND d.kind = 'pay.fold';

-- 12000 from August is known first: April's raise holds from 1 April to 31 July, 8000 × 10 % = 800
SELECT set_salary('T2', 12000, '2024-08-01', '调岗') > 0 AS set, pg_temp.score('Q1', 'T2', 91), pg_temp.pay('Q1', 'T2');
SELECT * FROM pay WHERE who = 'T2';
SELECT 'PAY-05' AS id, day, kind, amount FROM fed WHERE who = 'T2';

-- a salary that becomes known after the lock: the raise is proposed then; a rejected one is not proposed again
SELECT pg_temp.score('Q1', 'T3', 91);
SELECT count(*) AS proposals FROM raises WHERE who = 'T3';
SELECT problem FROM data_quality WHERE employee_no = 'T3' AND problem = 'result_without_base_pay';
SELECT set_salary('T3', 7000, '2023-01-01') > 0 AS set;
SELECT * FROM raises WHERE who = 'T3';
SELECT reject_adjustment('Q1', 'T3', '预算不足') AS status, set_salary('T3', 7100, '2023-06-01', '转正') > 0 AS set;
SELECT * FROM raises WHERE who = 'T3';
-- and one that waits follows pay that is set for a day before it, though it was approved
SELECT pg_temp.score('Q2', 'T3', 84), approve_adjustment('Q2', 'T3') AS status, set_salary('T3', 7200, '2024-02-01', '补录') > 0 AS set;
SELECT * FROM raises WHERE who = 'T3';
SELECT n.recipient_role, n.body FROM notification n WHERE n.kind = 'pay.void' AND n.args ->> 'employee' = '员工T3';

-- a year and a quarter with one effective day: 10000 × 5 % = 10500 and × 10 % = 11550, whichever is paid first
SELECT cycle, pg_temp.score(cycle, who, CASE cycle WHEN 'Q3' THEN 84 ELSE 92 END) FROM unnest(ARRAY['T4', 'T5']) AS who, unnest(ARRAY['Q3', 'Y']) AS cycle;
SELECT pg_temp.pay('Q3', 'T4') AS quarter, pg_temp.pay('Y', 'T4') AS both_;
SELECT pg_temp.pay('Y', 'T5') AS year, pg_temp.pay('Q3', 'T5') AS both_;
SELECT * FROM pay WHERE who IN ('T4', 'T5');
SELECT * FROM raises WHERE who IN ('T4', 'T5');
-- and corrected in either order: the year to 5 %, the quarter to 10 %: 10000 × 10 % = 11000, × 5 % = 11550; or both to 0 and 5 %: 10500
SELECT pg_temp.score('Y', 'T4', 82), pg_temp.score('Q3', 'T4', 95), pg_temp.pay('Y', 'T4'), pg_temp.pay('Q3', 'T4');
SELECT pg_temp.score('Q3', 'T5', 95), pg_temp.pay('Q3', 'T5'), pg_temp.score('Y', 'T5', 82), pg_temp.pay('Y', 'T5');
SELECT * FROM pay WHERE who IN ('T4', 'T5');
SELECT pg_temp.score('Q3', 'T4', 60), pg_temp.pay('Q3', 'T4');
SELECT * FROM pay WHERE who = 'T4';
-- pay that is set afterwards for a day before them: 9000 × 5 % = 9450 and nothing on top
SELECT set_salary('T4', 9000, '2024-09-01', '更正') > 0 AS set;
SELECT * FROM pay WHERE who = 'T4';
-- and taken back
SELECT withdraw_salary('T4', '2024-09-01', '录入错误') AS pay_of_september;
SELECT * FROM pay WHERE who = 'T4';
SELECT withdraw_salary('T4', '2024-09-01', '再来一次');
SELECT withdraw_salary('T4', '2023-01-01', ' ');
-- what was set twice for one day: the latest counts, and without it the one before
SELECT set_salary('T4', 9500, '2023-01-01', '更正') > 0 AS set;
SELECT * FROM pay WHERE who = 'T4';
SELECT withdraw_salary('T4', '2023-01-01', '原数无误') AS pay;
SELECT * FROM pay WHERE who = 'T4';
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
DROP SCHEMA timeline_test CASCADE;
