-- pay: what dated facts come to, in whatever order they became known (PAY-02, PAY-05; the figures are worked out by hand beside them).
\set books timeline_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT hire(e, '员工' || e, 'SH', 'SALES', '2023-01-01', manager => 'E003') > 0 AS hired
  FROM unnest(ARRAY['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8', 'T9']) AS e;
SELECT count(set_salary(e, a, '2023-01-01')) AS paid
  FROM (VALUES ('T1', 10000), ('T2', 8000), ('T4', 10000), ('T5', 10000), ('T6', 8000), ('T7', 8000), ('T8', 9000), ('T9', 999999999999)) AS p (e, a);
-- three quarters, and a year that pays from the day of the third one
SELECT create_cycle('Q' || q, d::date, (d + interval '3 months' - interval '1 day')::date, 'ONE') > 0 AS made
  FROM (VALUES (1, '2024-01-01'::timestamp), (2, '2024-04-01'), (3, '2024-07-01')) AS c (q, d);
SELECT create_cycle('Y', '2023-10-01', '2024-09-30', 'ONE', kind => 'yearly') > 0 AS made;
SELECT open_cycle(c) > 0 AS opened FROM unnest(ARRAY['Q1', 'Q2', 'Q3', 'Y']) AS c;
CREATE TEMP VIEW raises AS
  SELECT e.employee_no AS who, c.code AS cycle, a.base_amount AS base, a.old_amount AS old, a.percent AS pct, a.raise_amount AS raise, a.new_amount AS new, a.status
    FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY e.employee_no, a.adjustment_id;
CREATE TEMP VIEW pay AS
  SELECT e.employee_no AS who, s.amount, lower(s.valid) AS from_day, upper(s.valid) AS until_day
    FROM salary s JOIN employee e USING (employee_id) WHERE s.superseded_by IS NULL ORDER BY e.employee_no, lower(s.valid);
-- what payroll comes to on some days, from the feed alone
CREATE TEMP VIEW fed AS
  SELECT d.employee_no AS who, day::date, d.kind, d.amount
    FROM unnest(ARRAY['2024-03-31', '2024-04-01', '2024-06-13', '2024-06-14', '2024-07-01', '2024-07-31', '2024-08-01', '2024-10-01', '2025-03-01']::date[]) AS day
   CROSS JOIN LATERAL payroll_due(day) d ORDER BY 1, 2, 3 DESC;
CREATE FUNCTION pg_temp.score(cycle text, who text, value numeric) RETURNS numeric LANGUAGE sql AS $$
  SELECT timeline_test.unlock_review(cycle, who, '更正') FROM timeline_test.review r WHERE r.review_id = timeline_test.find_review(cycle, who) AND r.status = 'locked';
  SELECT timeline_test.submit_score(cycle, who, '总评', value, '按事实评分,' || who);
  SELECT timeline_test.lock_review(cycle, who, '2024-10-01');
  SELECT composite FROM timeline_test.review_result x WHERE x.review_id = timeline_test.find_review(cycle, who) AND x.reopened_by IS NULL;
$$;
CREATE FUNCTION pg_temp.pay(cycle text, who text) RETURNS numeric LANGUAGE sql AS $$
  SELECT timeline_test.approve_adjustment(cycle, who);
  SELECT timeline_test.apply_adjustment(cycle, who);
$$;

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
