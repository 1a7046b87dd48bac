-- pay: who is not employed is not paid, and one person stops nobody (PAY-02, PAY-05, PAY-07).
\set books employed_test
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
  SELECT employed_test.unlock_review(cycle, who, '更正') FROM employed_test.review r WHERE r.review_id = employed_test.find_review(cycle, who) AND r.status = 'locked';
  SELECT employed_test.submit_score(cycle, who, '总评', value, '按事实评分,' || who);
  SELECT employed_test.lock_review(cycle, who, '2024-10-01');
  SELECT composite FROM employed_test.review_result x WHERE x.review_id = employed_test.find_review(cycle, who) AND x.reopened_by IS NULL;
$$;
CREATE FUNCTION pg_temp.pay(cycle text, who text) RETURNS numeric LANGUAGE sql AS $$
  SELECT employed_test.approve_adjustment(cycle, who);
  SELECT employed_test.apply_adjustment(cycle, who);
$$;

-- PAY-02, PAY-07 who is not employed is not paid -----------------------------------------------------
INSERT INTO allowance_rule (skill_level_id, amount) SELECT skill_level_id, 1000 FROM skill_level WHERE code = '中级销售' AND NOT EXISTS (SELECT FROM allowance_rule r WHERE r.skill_level_id = skill_level.skill_level_id);
SELECT pg_temp.score('Q1', 'T6', 92), pg_temp.pay('Q1', 'T6'), pg_temp.score('Q2', 'T6', 92), approve_adjustment('Q2', 'T6') AS second, pg_temp.score('Q1', 'T7', 92);
SELECT certify('T6', '中级销售', '2024-01-10') > 0 AS certified;
SELECT leave('T6', '2024-06-14') > 0 AS gone, leave('T7', '2024-01-13') > 0 AS gone;
SELECT * FROM pay WHERE who IN ('T6', 'T7');
SELECT * FROM raises WHERE who IN ('T6', 'T7');
SELECT d.kind, d.inputs - 'raise', d.outcome FROM decision d WHERE d.employee_id = find_employee('T7') AND d.kind = 'pay.withdraw';
SELECT day, allowance_on('T6', day) AS allowance FROM unnest(ARRAY['2024-06-13', '2024-06-14']::date[]) AS day;
SELECT who, day, kind, amount FROM fed WHERE who IN ('T6', 'T7');
-- nothing begins after the last day: neither a raise of a lock that comes later, nor an allowance, nor pay that is set
SELECT pg_temp.score('Q3', 'T6', 84), certify('T6', '高级销售', '2024-06-20') > 0 AS certified;
SELECT count(*) AS raises_of_q3 FROM raises WHERE who = 'T6' AND cycle = 'Q3';
SELECT allowance_on('T6', '2024-08-01') AS allowance;
SELECT set_salary('T6', 9000, '2024-07-01', '返聘');
\echo :LAST_ERROR_SQLSTATE
SELECT approve_adjustment('Q2', 'T6');
SELECT count(*) AS contradictions FROM data_quality WHERE problem = 'paid_without_employment';
-- the leave was entered by mistake: all is as if it had never been
BEGIN;
DELETE FROM employee_status s WHERE s.employee_id = find_employee('T7') AND s.status = 'left';
UPDATE employee_status s SET valid = daterange(lower(s.valid), NULL) WHERE s.employee_id = find_employee('T7');
SELECT * FROM pay WHERE who = 'T7';
SELECT * FROM raises WHERE who = 'T7';
ROLLBACK;
-- who returns begins anew: pay is set again; what they can they still can
UPDATE employee_status s SET valid = daterange(lower(s.valid), '2024-09-01') WHERE s.employee_id = find_employee('T6') AND s.status = 'left';
INSERT INTO employee_status (employee_id, status, valid) VALUES (find_employee('T6'), 'active', '[2024-09-01,)');
SELECT * FROM pay WHERE who = 'T6';
SELECT allowance_on('T6', '2024-10-01') AS allowance;
SELECT set_salary('T6', 9000, '2024-09-01', '返聘') > 0 AS set;
SELECT * FROM pay WHERE who = 'T6';
-- the quarter that ended while nobody was employed pays on the day after the return
SELECT * FROM raises WHERE who = 'T6' AND cycle = 'Q3';
-- somebody leaves before the day of a raise that is paid already
SELECT pg_temp.score('Q3', 'T8', 84), pg_temp.pay('Q3', 'T8'), leave('T8', '2024-09-15') > 0 AS gone;
SELECT * FROM pay WHERE who = 'T8';
SELECT who, day, kind, amount FROM fed WHERE who = 'T8' AND day > '2024-08-01';

-- one person stops nobody: who cannot be paid is left and listed. 999999999999 × 5 % is above what can be paid
SELECT pg_temp.score('Q1', e, 84) FROM unnest(ARRAY['T8', 'T9', 'E011']) AS e;
SELECT leave('E011', '2024-02-01') > 0 AS gone;
SELECT * FROM approvals_left('Q1') ORDER BY employee_no;
SELECT approve_cycle('Q1') AS approved, apply_cycle('Q1') AS applied;
SELECT approve_adjustment('Q1', 'T9');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM apply_left('Q1') ORDER BY employee_no;
-- nor a whole lock, where raises are applied by themselves
SELECT set_setting('pay.auto_apply', 'true') IS NOT NULL AS set;
SELECT pg_temp.score('Q2', e, 84) FROM unnest(ARRAY['T8', 'T9']) AS e;
SELECT set_setting('pay.auto_apply', 'false') IS NOT NULL AS set;
SELECT * FROM apply_left('Q2') ORDER BY employee_no;
SELECT * FROM pay WHERE who IN ('T8', 'T9');
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
DROP SCHEMA employed_test CASCADE;
