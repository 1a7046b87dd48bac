-- pay: allowances by level and course, base pay, one path for one row and for many (PAY-06 to PAY-09).
\set books allowance_test
\set by_hand '{salary}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- One indicator that cannot be missed, so that a score is a score.
SELECT create_indicator('综合表现', definition => '一切', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('PLAIN', '[{"indicator": "综合表现", "weight": 100}]') > 0 AS template,
       activate_template('PLAIN') > 0 AS active;
CREATE TEMP VIEW raises AS
  SELECT c.code AS cycle, e.employee_no AS who, a.composite AS score, a.old_amount AS old, a.percent AS pct, a.raise_amount AS raise,
         a.new_amount AS new, a.effective_on, a.status, a.decided_by
    FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY c.code, e.employee_no, a.adjustment_id;
CREATE TEMP VIEW pay AS
  SELECT e.employee_no AS who, s.amount, lower(s.valid) AS from_day, upper(s.valid) AS until_day, s.superseded_by IS NOT NULL AS superseded
    FROM salary s JOIN employee e USING (employee_id) ORDER BY e.employee_no, s.superseded_by IS NOT NULL, lower(s.valid), s.salary_id;
CREATE TEMP VIEW feed AS
  SELECT e.employee_no AS who, f.kind, f.entry, f.amount, f.effective_on, f.acknowledged_at IS NOT NULL AS taken
    FROM payroll_feed f JOIN employee e USING (employee_id) ORDER BY f.feed_id;
SELECT count(hire(e, '员工' || e, 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired, count(set_salary(e, 10000.00, '2022-01-01')) AS paid FROM unnest(ARRAY['P85', 'P88', 'P75']) AS e;

-- PAY-06 the level table ------------------------------------------------------------------------
SELECT 'PAY-06' AS id, 'no level' AS level, allowance_on('P85', '2023-01-01') AS allowance;
SELECT certify('P85', '初级销售', '2022-06-10') > 0 AS low, certify('P85', '中级销售', '2022-07-10') > 0 AS middle, certify('P85', '高级销售', '2022-08-10') > 0 AS high;
SELECT 'PAY-06' AS id, level, allowance_on('P85', day::date) AS allowance, allowance_on('P85', day::date) - allowance_on('P85', '2022-07-15') AS from_low, allowance_on('P85', day::date) - allowance_on('P85', (day::date - 31)) AS difference
  FROM (VALUES ('初级', '2022-07-15'), ('中级', '2022-08-15'), ('高级', '2022-09-15')) AS d (level, day);

-- PAY-07 certification changes the allowance from the next month on --------------------------------
SELECT certify('E010', '初级销售', '2022-12-15', source => 'initial') > 0 AS low, certify('E010', '中级销售', '2023-03-15') > 0 AS middle;
SELECT 'PAY-07' AS id, day, allowance_on('E010', day::date) AS allowance
  FROM unnest(ARRAY['2022-12-31', '2023-01-01', '2023-03-01', '2023-03-15', '2023-03-31', '2023-04-01', '2024-01-01']) AS day;
SELECT a.amount, lower(a.valid) AS from_day, upper(a.valid) AS until_day, a.superseded_by IS NOT NULL AS superseded FROM skill_allowance a WHERE a.employee_id = find_employee('E010') ORDER BY a.skill_allowance_id;
SELECT body FROM notification n WHERE n.recipient_id = find_employee('E010') AND n.kind = 'pay.allowance' ORDER BY n.notification_id;
SELECT who, kind, entry, amount, effective_on FROM feed WHERE who = 'E010' AND kind = 'allowance';
-- 高级销售 instead: the amount follows the level reached
SELECT certify('E011', '初级销售', '2022-12-15', source => 'initial') > 0 AS low, certify('E011', '高级销售', '2023-03-15') > 0 AS high;
SELECT 'PAY-07' AS id, day, allowance_on('E011', day::date) AS allowance FROM unnest(ARRAY['2023-03-31', '2023-04-01']) AS day;
-- the reversal restores 500.00 by a new row; what was paid stays
SELECT reverse_certification('E010', '中级销售', '证书有误', '2023-06-20') > 0 AS reversed;
SELECT 'PAY-07' AS id, day, allowance_on('E010', day::date) AS allowance FROM unnest(ARRAY['2023-04-01', '2023-06-30', '2023-07-01']) AS day;
SELECT 'PAY-07' AS id, a.amount, lower(a.valid) AS from_day, upper(a.valid) AS until_day, a.superseded_by IS NOT NULL AS superseded FROM skill_allowance a WHERE a.employee_id = find_employee('E010') ORDER BY a.skill_allowance_id;
SELECT 'PAY-07' AS id, d.kind, d.cause, d.inputs, d.outcome FROM decision d WHERE d.kind = 'allowance' AND d.employee_id = find_employee('E010') ORDER BY d.decision_id;
-- by setting the same day
BEGIN;
SELECT set_setting('allowance.effective', 'same_day');
SELECT certify('E021', '初级销售', '2023-03-15') > 0 AS low;
SELECT day, allowance_on('E021', day::date) AS allowance FROM unnest(ARRAY['2023-03-14', '2023-03-15']) AS day;
ROLLBACK;
-- two levels in one month: only the last is ever paid
SELECT certify('E021', '初级销售', '2023-03-05') > 0 AS low, certify('E021', '中级销售', '2023-03-25') > 0 AS middle;
SELECT a.amount, lower(a.valid) AS from_day, upper(a.valid) AS until_day FROM skill_allowance a WHERE a.employee_id = find_employee('E021') AND a.superseded_by IS NULL;
-- expiry ends it
SELECT certify('E031', '高级销售', '2023-01-31', expires_on => '2023-06-30') > 0 AS high;
SELECT a.amount, lower(a.valid) AS from_day, upper(a.valid) AS until_day FROM skill_allowance a WHERE a.employee_id = find_employee('E031') AND a.superseded_by IS NULL;

-- PAY-08 a course on top, once -----------------------------------------------------------------------
SELECT certify('P75', '中级销售', '2023-02-20') > 0 AS middle, record_training('P75', '数据分析', '2023-08-09', 55, external_id => 'a-0') AS failed;
SELECT 'PAY-08' AS id, 'exam failed' AS after, allowance_on('P75', '2023-09-01') AS allowance;
SELECT record_training('P75', '数据分析', '2023-08-10', 90, external_id => 'a-1') AS passed;
SELECT 'PAY-08' AS id, 'passed' AS after, allowance_on('P75', '2023-08-31') AS august, allowance_on('P75', '2023-09-01') AS september;
SELECT record_training('P75', '数据分析', '2023-10-10', 95, external_id => 'a-2') AS again;
SELECT 'PAY-08' AS id, 'passed twice' AS after, allowance_on('P75', '2023-12-01') AS allowance;
-- the first pass was an error: the second counts, from its own day
BEGIN;
UPDATE training_record SET passed = false WHERE external_id = 'a-1';
SELECT allowance_on('P75', '2023-09-01') AS september, allowance_on('P75', '2023-11-01') AS november;
DELETE FROM training_record WHERE external_id = 'a-2';
SELECT allowance_on('P75', '2023-11-01') AS november;
ROLLBACK;

-- PAY-09, TXT-07 the trail --------------------------------------------------------------------------------
SELECT certify('P88', '初级销售', '2022-03-01', source => 'initial') > 0 AS low, certify('P88', '中级销售', '2023-02-20') > 0 AS middle, record_training('P88', '数据分析', '2023-08-10', 90, external_id => 'b-1') AS passed;
SELECT 'PAY-09' AS id, t.*, t.trail = '2023年Q1完成‘中级销售’认证,技能津贴增加500元;Q3完成‘数据分析’培训,技能津贴增加300元' AS to_the_letter FROM allowance_trail('P88') t;
SELECT t.* FROM allowance_trail('P88', 'en') t;
-- another year is named again
SELECT certify('P88', '高级销售', '2024-05-20') > 0 AS high;
SELECT t.* FROM allowance_trail('P88') t;
BEGIN; SELECT act_as('P88') > 0 AS acting; SELECT 'PAY-09' AS id, 'own' AS whose, t.total_increase FROM allowance_trail('P88') t; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acting; SELECT 'PAY-09' AS id, 'HR reads' AS whose, t.total_increase FROM allowance_trail('P88') t; COMMIT;
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT 'PAY-09' AS id, 'the manager' AS whose, count(*) AS rows FROM allowance_trail('P88') t; SELECT allowance_on('P88', '2023-12-01') AS hidden; COMMIT;
SELECT count(*) FROM allowance_trail('E090');
-- a level that expired and was reached again is told again
SELECT certify('E090', '中级销售', '2023-01-10', expires_on => '2023-06-10') > 0 AS first, certify('E090', '中级销售', '2023-10-10') > 0 AS again;
SELECT t.* FROM allowance_trail('E090') t;
-- a new amount for a level reaches those who have it, from its day on
UPDATE allowance_rule SET valid = daterange(NULL, '2025-01-01') WHERE skill_level_id = (SELECT skill_level_id FROM skill_level WHERE code = '高级销售');
INSERT INTO allowance_rule (skill_level_id, amount, valid) SELECT skill_level_id, 1650.50, '[2025-01-01,)' FROM skill_level WHERE code = '高级销售';
SELECT allowance_on('P88', '2024-12-31') AS december, allowance_on('P88', '2025-01-01') AS january;
-- which is no achievement of theirs, and not in the trail
SELECT t.total_increase FROM allowance_trail('P88') t;
INSERT INTO allowance_rule (skill_level_id, amount) SELECT skill_level_id, 1 FROM skill_level WHERE code = '高级销售';

-- base pay ------------------------------------------------------------------------------------------------
INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E003'), 16000, '[2023-06-01,2023-07-01)'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E001'), 100.005, '[2023-06-01,)');
UPDATE salary SET amount = 15000.001 WHERE employee_id = find_employee('E003');
\set VERBOSITY terse
INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E001'), 0, '[2023-06-01,)');
INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E001'), -5, '[2023-06-01,)');
INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E001'), 'NaN', '[2023-06-01,)');
INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E001'), 5, 'empty');
\set VERBOSITY default
SELECT set_salary('E001', 50000.125, '2023-01-01');
SELECT set_salary('E001', NULL, '2023-01-01');
SELECT set_salary('E001', 50000, '2023-01-01', ' ');
SELECT set_salary('E003', 16000, '2022-01-01', '追溯') > 0 AS set;
SELECT amount, from_day, until_day FROM pay WHERE who = 'E003' AND NOT superseded;
SELECT set_salary('E999', 16000, '2022-01-01');
-- twice on the same day: the later decision counts
SELECT set_salary('E001', 50000, '2023-01-01') > 0 AS first, set_salary('E001', 51000, '2023-01-01', '更正') > 0 AS second;
SELECT * FROM pay WHERE who = 'E001';

-- a currency without fractions: 10,005 × 5 % = 500.25 → 500; 10,010 → 500.5 → 501 ----------------------------
BEGIN;
SELECT set_setting('pay.minor_digits', '0');
SELECT set_salary('E001', 10005, '2026-01-01', '日元'), set_salary('E001', 10005.5, '2026-02-01', '日元');
ROLLBACK;
BEGIN;
SELECT set_setting('pay.minor_digits', '0');
SELECT count(hire(e, e, 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired, count(set_salary(e, a, '2022-01-01', '日元')) AS paid FROM (VALUES ('J1', 10005), ('J2', 10010)) AS j (e, a);
SELECT create_cycle('YEN', '2022-07-01', '2022-09-30', 'PLAIN') > 0 AS made, open_cycle('YEN') > 0 AS opened;
SELECT e, submit_score('YEN', e, '综合表现', 85, '按事实评分') AS score, lock_review('YEN', e, '2022-10-01') AS locked FROM unnest(ARRAY['J1', 'J2']) AS e;
SELECT who, old, pct, raise, new FROM raises WHERE cycle = 'YEN';
SELECT count(*) AS problems FROM verify() v JOIN salary_adjustment a ON v.table_name = 'salary_adjustment' AND v.row_id = a.adjustment_id WHERE a.cycle_id = find_cycle('YEN');
ROLLBACK;

-- pay.auto_apply: the lock pays ------------------------------------------------------------------------------
SELECT set_setting('pay.auto_apply', 'true'), create_scale('raise', 'raise', '[{"range": "[80,)", "value": 20}, {"range": "(,80)", "value": 1}]', reason => '调整') > 0 AS version_2,
       add_raise_rule('raise', from_date => '2024-10-01') > 0 AS rule;
SELECT create_cycle('AUTO', '2025-10-01', '2025-12-31', 'PLAIN') > 0 AS made, open_cycle('AUTO') > 0 AS opened;
SELECT submit_score('AUTO', 'E031', '综合表现', 90, '按事实评分') AS score, lock_review('AUTO', 'E031', '2026-01-01') AS locked;
SELECT who, old, pct, new, status, decided_by FROM raises WHERE cycle = 'AUTO';
SELECT who, amount, from_day, until_day FROM pay WHERE who = 'E031' AND NOT superseded;
SELECT body FROM notification n WHERE n.recipient_id = find_employee('E031') AND n.kind = 'pay.raise';
SELECT set_setting('pay.auto_apply', 'false');

-- one path for one row and for many ----------------------------------------------------------------------------
-- 300 people with scores and pay all over the place: locked at once (B) and one by one (A), and computed by hand
SELECT count(hire(g || lpad(n::text, 3, '0'), g || n, 'SH', 'SALES', '2020-01-01', manager => 'E003')) AS hired,
       count(set_salary(g || lpad(n::text, 3, '0'), 3000 + n * 77.77, '2020-01-01')) AS paid FROM unnest(ARRAY['A', 'B']) AS g, generate_series(1, 150) AS n;
SELECT create_cycle('BULK', '2020-04-01', '2020-06-30', 'PLAIN') > 0 AS made, open_cycle('BULK') > 300 AS opened;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('BULK', e.employee_no), find_indicator('综合表现'), find_employee('E003'), 6500 / 100.0 + substr(e.employee_no, 2)::numeric * 37 % 3501 / 100, '按事实评分'
  FROM employee e WHERE e.employee_no ~ '^[AB]\d\d\d$';
SELECT count(*) FILTER (WHERE lock_review('BULK', 'A' || lpad(n::text, 3, '0'), '2020-07-01')) AS one_by_one FROM generate_series(1, 150) AS n;
SELECT lock_cycle('BULK', '2020-07-01', skip_incomplete => true) AS all;
SELECT count(*) AS pairs, count(*) FILTER (WHERE (a.score, a.old, a.pct, a.raise, a.new, a.status) = (b.score, b.old, b.pct, b.raise, b.new, b.status)) AS same,
       count(*) FILTER (WHERE b.new = b.old + round(b.old * CASE WHEN b.score >= 90 THEN 10 WHEN b.score >= 80 THEN 5 ELSE 0 END / 100, 2)) AS by_hand, sum(b.raise) AS total
  FROM raises a JOIN raises b ON b.cycle = 'BULK' AND b.who = replace(a.who, 'A', 'B') WHERE a.cycle = 'BULK' AND a.who LIKE 'A%';
-- 40 people with six certifications each: all in one statement (B), and one by one from the last to the first (A)
CREATE TEMP TABLE event AS
  SELECT lpad(n::text, 3, '0') AS who, k, (ARRAY['初级销售', '中级销售', '高级销售'])[1 + (n * 7 + k * 5 + n * k) % 3] AS cert, day,
         CASE WHEN (n + k) % 3 = 0 THEN day + 40 + n * k * 13 % 300 END AS expires, (n + 2 * k) % 7 > 0 AS passed
    FROM generate_series(1, 40) AS n, generate_series(1, 6) AS k, LATERAL (SELECT date '2020-01-01' + (n * 53 + k * k * 97) % 900 AS day) d;
INSERT INTO certification_result (employee_id, certification_id, passed, achieved_on, expires_on)
SELECT find_employee('B' || who), find_certification(cert), passed, day, expires FROM event ORDER BY k, who;
SELECT count(certify('A' || who, cert, day, passed, expires)) AS one_by_one FROM (SELECT * FROM event ORDER BY day DESC, who, k) e;
CREATE TEMP VIEW levels AS
  SELECT left(e.employee_no, 1) AS g, substr(e.employee_no, 2) AS who, h.skill_level_id, h.valid FROM employee_skill_level h JOIN employee e USING (employee_id)
   WHERE h.superseded_by IS NULL AND e.employee_no ~ '^[AB]\d\d\d$';
CREATE TEMP VIEW allowances AS
  SELECT left(e.employee_no, 1) AS g, substr(e.employee_no, 2) AS who, h.amount, h.valid FROM skill_allowance h JOIN employee e USING (employee_id)
   WHERE h.superseded_by IS NULL AND e.employee_no ~ '^[AB]\d\d\d$';
SELECT count(*) FILTER (WHERE g = 'A') > 60 AS many, count(*) FILTER (WHERE g = 'A') = count(*) FILTER (WHERE g = 'B') AS as_many,
       (SELECT count(*) FROM (SELECT who, skill_level_id, valid FROM levels WHERE g = 'A' EXCEPT SELECT who, skill_level_id, valid FROM levels WHERE g = 'B') x) AS differ FROM levels;
SELECT count(*) FILTER (WHERE g = 'A') > 50 AS many, count(*) FILTER (WHERE g = 'A') = count(*) FILTER (WHERE g = 'B') AS as_many,
       (SELECT count(*) FROM (SELECT who, amount, valid FROM allowances WHERE g = 'A' EXCEPT SELECT who, amount, valid FROM allowances WHERE g = 'B') x) AS differ FROM allowances;
-- and taken back: for A one by one, for B by the table
SELECT count(reverse_certification('A' || who, '高级销售', '复核', '2021-06-15')) > 5 AS reversed
  FROM (SELECT DISTINCT who FROM event WHERE cert = '高级销售' AND passed AND who < '020' ORDER BY who) e;
INSERT INTO certification_reversal (certification_result_id, employee_id, reversed_on, reason)
SELECT c.certification_result_id, c.employee_id, '2021-06-15', '复核' FROM certification_result c JOIN employee e USING (employee_id)
 WHERE e.employee_no LIKE 'B0%' AND substr(e.employee_no, 2) < '020' AND c.certification_id = find_certification('高级销售') AND c.passed;
SELECT (SELECT count(*) FROM (SELECT who, skill_level_id, valid FROM levels WHERE g = 'A' EXCEPT SELECT who, skill_level_id, valid FROM levels WHERE g = 'B') x) AS levels_differ,
       (SELECT count(*) FROM (SELECT who, amount, valid FROM allowances WHERE g = 'A' EXCEPT SELECT who, amount, valid FROM allowances WHERE g = 'B') x) AS allowances_differ;

SELECT 'PAY-05' AS id, kind, difference FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
DROP SCHEMA allowance_test CASCADE;
