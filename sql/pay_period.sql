-- pay: months that are paid stand, what becomes known later is arrears, once; parts of a month (PAY-05, PAY-07, PAY-16; the figures are worked out by hand beside them).
\set books period_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT count(hire(e, '员工' || e, 'SH', 'SALES', d::date, manager => 'E003')) AS hired, count(set_salary(e, a, d::date)) AS paid
  FROM (VALUES ('M1', 8000, '2023-01-01'), ('M2', 10000, '2023-01-01'), ('M3', 9000, '2023-01-01'), ('M4', 8000, '2023-01-01'), ('M5', 8000, '2024-02-10')) AS p (e, a, d);
SELECT create_cycle('Q' || q, d::date, (d + interval '3 months' - interval '1 day')::date, 'ONE') > 0 AS made
  FROM (VALUES (1, '2024-01-01'::timestamp), (2, '2024-04-01')) AS c (q, d);
SELECT open_cycle(c) > 0 AS opened FROM unnest(ARRAY['Q1', 'Q2']) AS c;
CREATE FUNCTION pg_temp.score(cycle text, who text, value numeric) RETURNS numeric LANGUAGE sql AS $$
  SELECT period_test.submit_score(cycle, who, '总评', value, '按事实评分,' || who);
  SELECT period_test.lock_review(cycle, who, '2024-06-05');
  SELECT composite FROM period_test.review_result x WHERE x.review_id = period_test.find_review(cycle, who) AND x.reopened_by IS NULL;
$$;
CREATE FUNCTION pg_temp.pay(cycle text, who text) RETURNS numeric LANGUAGE sql AS $$
  SELECT period_test.approve_adjustment(cycle, who);
  SELECT period_test.apply_adjustment(cycle, who);
$$;
CREATE TEMP VIEW slip AS
  SELECT e.employee_no AS who, m.month::date, p.label, p.amount, p.total
    FROM employee e CROSS JOIN generate_series('2024-02-01'::timestamp, '2024-09-01', '1 month') AS m (month)
   CROSS JOIN LATERAL payslip(e.employee_no, m.month::date) p WHERE e.employee_no LIKE 'M%' ORDER BY 1, 2, p.line_no;
CREATE TEMP VIEW paid AS
  SELECT e.employee_no AS who, l.month, l.for_month, l.component, l.amount FROM payslip_line l JOIN employee e USING (employee_id) WHERE e.employee_no LIKE 'M%' ORDER BY 1, 2, 3, 4;
SELECT certify('M3', '初级销售', '2024-03-10') > 0 AS certified;

-- PAY-16 February has 29 days: hired on the 10th, 8000 × 20 / 29 = 5517.24
SELECT 'PAY-16' AS id, close_period('2024-02-29') AS people;
SELECT who, for_month, amount FROM paid WHERE month = '2024-02-01' AND who IN ('M1', 'M5');
SELECT close_period('2024-03-01') > 0 AS march, close_period('2024-04-15') > 0 AS april, close_period('2024-05-01') > 0 AS may;
-- PAY-05 a raise from April is paid in June: April and May stay what was paid, June has 8800 and 800 × 2, once
SELECT pg_temp.score('Q1', 'M1', 92), pg_temp.pay('Q1', 'M1');
SELECT 'PAY-05' AS id, month, label, amount, total FROM slip WHERE who = 'M1' AND month BETWEEN '2024-03-01' AND '2024-07-01';
SELECT explanation FROM payslip('M1', '2024-06-01') WHERE kind = 'arrears';
SELECT explanation FROM payslip('M1', '2024-06-01', 'en') WHERE kind = 'arrears';
SELECT f.kind, f.entry, f.amount, f.effective_on, f.effective_until, f.period FROM payroll_feed f WHERE f.employee_id = find_employee('M1') AND f.kind = 'salary' ORDER BY f.feed_id;
SELECT close_period('2024-06-30') > 0 AS june, close_period('2024-07-31') > 0 AS july;
SELECT * FROM paid WHERE who = 'M1' AND month >= '2024-05-01';
SELECT month, total FROM slip WHERE who = 'M1' AND month >= '2024-05-01' GROUP BY month, total ORDER BY month;
-- the later quarter first: 11000 from July; then the earlier one: 500 for each of April, May and June, and 11550 - 11000 for July
SELECT pg_temp.score('Q1', 'M2', 84), pg_temp.score('Q2', 'M2', 92), pg_temp.pay('Q2', 'M2');
SELECT label, amount FROM slip WHERE who = 'M2' AND month = '2024-08-01';
SELECT pg_temp.pay('Q1', 'M2');
SELECT for_month, kind, component, due, paid FROM arrears(find_employee('M2'), '2024-01-01');
SELECT label, amount, total FROM slip WHERE who = 'M2' AND month = '2024-08-01';

-- PAY-07 what moves allowances of closed months is arrears, too: another amount of the rule, a certification that comes late, its reversal
UPDATE allowance_rule SET amount = 600 WHERE skill_level_id = (SELECT skill_level_id FROM skill_level WHERE code = '初级销售');
SELECT certify('M3', '中级销售', '2024-05-20') > 0 AS late;
SELECT for_month, component, due, paid FROM arrears(find_employee('M3'), '2024-01-01');
SELECT close_period('2024-08-01') > 0 AS august;
SELECT month, for_month, component, amount FROM paid WHERE who = 'M3' AND month >= '2024-07-01';
SELECT reverse_certification('M3', '中级销售', '证书有误', '2024-05-20') > 0 AS reversed;
SELECT for_month, component, due, paid FROM arrears(find_employee('M3'), '2024-01-01');
SELECT month, label, amount FROM slip WHERE who = 'M3' AND month >= '2024-08-01';

-- PAY-16 leave without pay, known after the month was paid: 15 of the 31 days of May, 8000 × 16 / 31 = 4129.03
SELECT take_leave('M4', '2024-05-01', '2024-05-15', false, 0) > 0 AS unpaid;
SELECT for_month, due, paid FROM arrears(find_employee('M4'), '2024-05-01');
-- by working days: 12 of 23, 4173.91; each of the 11 at 1/21.75, 8000 × 10.75 / 21.75 = 3954.02
SELECT proration, sum(p.amount) AS may FROM unnest(ARRAY['calendar', 'working', '21.75']) WITH ORDINALITY AS b (proration, n), LATERAL pay_part(find_employee('M4'), '2024-05-01', proration, false) p GROUP BY n, proration ORDER BY n;
-- three days of May are holidays, and people work on a Saturday instead: 12 of 21, 8000 × 12 / 21 = 4571.43; 9 at 1/21.75 = 4689.66
INSERT INTO work_day (day, is_working, note) VALUES ('2024-05-01', false, '劳动节'), ('2024-05-02', false, '劳动节'), ('2024-05-03', false, '劳动节'), ('2024-05-11', true, '调休');
SELECT work_days('[2024-05-01,2024-06-01)') AS of_may, work_days('[2024-05-01,2024-05-16)') AS of_the_leave;
SELECT proration, sum(p.amount) AS may FROM unnest(ARRAY['calendar', 'working', '21.75']) WITH ORDINALITY AS b (proration, n), LATERAL pay_part(find_employee('M4'), '2024-05-01', proration, false) p GROUP BY n, proration ORDER BY n;
-- paid with 60 %: 8000 × 60 % × 10 / 30 = 1600 of September, and 8000 × 20 / 30 = 5333.33 for the rest
SELECT take_leave('M4', '2024-09-01', '2024-09-10', true, 60) > 0 AS ill;
SELECT part_no, from_date, until_date, days, month_days, monthly, amount, explanation FROM payslip_detail('M4', '2024-09-01');
SELECT take_leave('M4', '2024-10-01', '2024-10-02', true, 101); \echo :LAST_ERROR_SQLSTATE
-- the setting holds for months that are closed from now on, their arrears included
SELECT set_setting('pay.proration', 'working') IS NOT NULL AS set, close_period('2024-09-01') > 0 AS september;
SELECT month, for_month, amount FROM paid WHERE who = 'M4' AND month = '2024-09-01';

-- what is closed stands, and months come one after the other
SELECT close_period('2024-09-15');
SELECT close_period('2024-11-01'); \echo :LAST_ERROR_SQLSTATE
SELECT close_period(NULL);
SELECT * FROM paid WHERE amount < 0;
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
-- verify() sees a line that was changed
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE payslip_line SET amount = amount + 1 WHERE employee_id = find_employee('M1') AND month = '2024-05-01';
DELETE FROM pay_period WHERE month = '2024-03-01';
SELECT problem, count(*), min(expected) AS expected, min(found) AS found FROM verify() GROUP BY problem, table_name ORDER BY problem; ROLLBACK;
DROP SCHEMA period_test CASCADE;
