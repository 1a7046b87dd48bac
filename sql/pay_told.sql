-- pay: every sentence about money is true, what has no rule is not 0 %, and the feed adds up after a reversal (PAY-01, PAY-03, PAY-05 to PAY-09).
\set books told_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT count(hire(e, '员工' || e, 'SH', 'SALES', '2023-01-01', manager => 'E003')) AS hired, count(set_salary(e, 10000, '2023-01-01')) AS paid FROM unnest(ARRAY['S1', 'S2', 'S3']) AS e;
SELECT create_cycle('Q1', '2024-01-01', '2024-03-31', 'ONE') > 0 AS made, open_cycle('Q1') > 0 AS opened;
CREATE FUNCTION pg_temp.score(cycle text, who text, value numeric) RETURNS numeric LANGUAGE sql AS $$
  SELECT told_test.unlock_review(cycle, who, '更正') FROM told_test.review r WHERE r.review_id = told_test.find_review(cycle, who) AND r.status = 'locked';
  SELECT told_test.submit_score(cycle, who, '总评', value, '按事实评分,' || who);
  SELECT told_test.lock_review(cycle, who, '2024-04-01');
  SELECT composite FROM told_test.review_result x WHERE x.review_id = told_test.find_review(cycle, who) AND x.reopened_by IS NULL;
$$;

-- PAY-03 proposed, approved, rejected, applied ------------------------------------
SELECT pg_temp.score('Q1', 'S1', 85), pg_temp.score('Q1', 'S2', 85);
SELECT 'PAY-03' AS id, status, line FROM explain_pay('S1');
SELECT reject_adjustment('Q1', 'S2', '预算不足') AS status;
SELECT 'PAY-03' AS id, status, line FROM explain_pay('S2');
SELECT approve_adjustment('Q1', 'S1') AS status;
SELECT 'PAY-03' AS id, status, line FROM explain_pay('S1');
SELECT apply_adjustment('Q1', 'S1') AS pay;
SELECT 'PAY-03' AS id, line, line = '您的季度绩效得分85分,符合加薪5%的条件,加薪后月薪从10000元调整为10500元' AS to_the_letter FROM explain_pay('S1');
SELECT pg_temp.score('Q1', 'S1', 92);
SELECT status, line FROM explain_pay('S1') OFFSET 1;
SELECT line FROM explain_pay('S1', locale => 'en') OFFSET 1;
SELECT reject_adjustment('Q1', 'S1', '证据不足') AS status;
SELECT status, line FROM explain_pay('S1') OFFSET 1;

-- a raise that is paid, and its result gone: it is listed
SELECT unlock_review('Q1', 'S1', '重审') AS open;
SELECT problem, employee_no, cycle_code FROM data_quality WHERE problem = 'raise_without_result';

-- PAY-01 no rule is not 0 %: HR is told when the cycle opens, nothing is proposed, and it is listed
BEGIN;
UPDATE raise_rule SET valid = daterange(NULL, '2024-04-01');
SELECT create_cycle('Q2', '2024-04-01', '2024-06-30', 'ONE') > 0 AS made, open_cycle('Q2') > 0 AS opened;
SELECT 'PAY-01' AS id, recipient_role, body FROM notification WHERE kind = 'pay.no_rule';
SELECT pg_temp.score('Q2', 'S3', 95);
SELECT 'PAY-01' AS id, (SELECT count(*) FROM salary_adjustment a WHERE a.cycle_id = find_cycle('Q2')) AS proposals, (SELECT count(*) FROM explain_pay('S3')) AS sentences;
SELECT * FROM apply_left('Q2');
SELECT problem, employee_no FROM data_quality WHERE problem = 'result_without_raise_rule';
SELECT problem FROM verify();
ROLLBACK;

-- PAY-07, PAY-08 a change is told in sum: 1000 → 1300; what is reversed counts in no trail (PAY-09)
SELECT certify('S1', '中级销售', '2024-01-10') > 0 AS middle, record_training('S1', '数据分析', '2024-02-10', 90, external_id => 's-1') AS passed;
SELECT 'PAY-08' AS id, body FROM notification WHERE recipient_id = find_employee('S1') AND kind = 'pay.allowance' ORDER BY notification_id;
SELECT 'PAY-09' AS id, trail, total_increase FROM allowance_trail('S1');
SELECT reverse_certification('S1', '中级销售', '证书有误', '2024-05-20') > 0 AS reversed;
SELECT 'PAY-07' AS id, body FROM notification WHERE recipient_id = find_employee('S1') AND kind = 'pay.allowance' ORDER BY notification_id DESC LIMIT 1;
SELECT 'PAY-09' AS id, trail, total_increase FROM allowance_trail('S1');

-- PAY-05 two levels, taken by payroll, and both reversed: what the feed adds up to is what is due, on every day
SELECT certify('S2', '初级销售', '2024-01-10') > 0 AS low, certify('S2', '中级销售', '2024-02-10') > 0 AS middle;
SELECT acknowledge_feed(ARRAY(SELECT feed_id FROM payroll_feed WHERE employee_id = find_employee('S2') AND kind = 'allowance')) AS taken;
SELECT day, due.amount AS fed, allowance_on('S2', day) AS due FROM unnest(ARRAY['2024-02-01', '2024-03-01', '2024-07-01']::date[]) AS day LEFT JOIN LATERAL (SELECT d.amount FROM payroll_due(day) d WHERE d.employee_no = 'S2' AND d.kind = 'allowance') due ON true;
SELECT reverse_certification('S2', '中级销售', '证书有误', '2024-05-20') > 0 AS middle, reverse_certification('S2', '初级销售', '证书有误', '2024-05-20') > 0 AS low;
SELECT 'PAY-05' AS id, day, due.amount AS fed, allowance_on('S2', day) AS due FROM unnest(ARRAY['2024-02-01', '2024-03-01', '2024-07-01']::date[]) AS day LEFT JOIN LATERAL (SELECT d.amount FROM payroll_due(day) d WHERE d.employee_no = 'S2' AND d.kind = 'allowance') due ON true;
SELECT kind, entry, amount, effective_on, effective_until FROM payroll_pending WHERE employee_no = 'S2' AND kind = 'allowance' ORDER BY feed_id;
SELECT kind, from_date, fed, due FROM feed_days(find_employee('S2'));

-- which of two results is reversed (PAY-07)
SELECT certify('S3', '初级销售', '2024-01-10') > 0 AS first, certify('S3', '初级销售', '2024-03-10', source => 'exam', external_id => 'x-2') > 0 AS again;
SELECT reverse_certification('S3', '初级销售', '第一次有误', '2024-06-01', achieved_on => '2024-01-10') > 0 AS reversed;
SELECT c.achieved_on, v.reversed_on FROM certification_result c LEFT JOIN certification_reversal v USING (certification_result_id) WHERE c.employee_id = find_employee('S3') ORDER BY 1;
SELECT reverse_certification('S3', '初级销售', '再次', achieved_on => '2024-01-10');

-- PAY-06 money has the digits of its currency: dinars have three
UPDATE allowance_rule SET amount = 12.345; \echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT set_setting('pay.minor_digits', '3') IS NOT NULL AS dinar;
UPDATE allowance_rule SET amount = 500.125 WHERE skill_level_id = (SELECT skill_level_id FROM skill_level WHERE code = '初级销售');
SELECT 'PAY-06' AS id, allowance_on('S3', '2024-05-01') AS allowance, set_salary('S3', 10000.005, '2024-02-01', '第纳尔') > 0 AS set;
-- 10000.005 × 5 % = 500.00025: 10500.005
SELECT pg_temp.score('Q1', 'S3', 84), approve_adjustment('Q1', 'S3') AS status, apply_adjustment('Q1', 'S3') AS pay;
ROLLBACK;
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
DROP SCHEMA told_test CASCADE;
