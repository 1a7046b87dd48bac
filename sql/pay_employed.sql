-- pay: who is not employed is not paid, and one person stops nobody (PAY-02, PAY-05, PAY-07).
\set books employed_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\i :abs_srcdir/test/fixtures/quarters.sql

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
