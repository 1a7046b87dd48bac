-- pay: raises by rule, the feed to payroll (PAY-01 to PAY-05).
\set books pay_test
\set by_hand '{salary_adjustment}'
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

-- PAY-01.1 the rule that install() brings -----------------------------------------
SELECT 'PAY-01.1' AS id, s AS score, (band_of(find_scale('raise'), s)).value AS percent, (band_of(find_scale('raise'), s)).label AS label
  FROM unnest(ARRAY[100, 90, 89.99, 89.5, 85, 80, 79.99, 75, 70.01, 70, 0, 120, 89.9999, 79.9999, 70.0001]) AS s;
-- PAY-01.2 typed literally as integers: the gaps are reported, an overlap is refused
SELECT create_scale('raise_typed', 'raise', '[{"range": "[90,100]", "value": 10}, {"range": "[80,89]", "value": 5}, {"range": "[0,70]", "value": 0}]') > 0 AS made;
SELECT 'PAY-01.2' AS id, gap_text FROM scale_gap WHERE code = 'raise_typed' ORDER BY gap_text;
SELECT 'PAY-01.2' AS id, problem, cycle_code AS gap FROM data_quality WHERE problem = 'raise_scale_gap' ORDER BY cycle_code;
SELECT 'PAY-01.2' AS id, create_scale('raise_overlap', 'raise', '[{"range": "[90,100]", "value": 10}, {"range": "[80,90]", "value": 5}]'); \echo :LAST_ERROR_SQLSTATE

-- PAY-02.1, PAY-02.2 and other figures: what a lock proposes ------------------------
-- ten people with pay and score of their own; half up to the fen, once
SELECT count(hire(e, '员工' || e, 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS hired,
       count(set_salary(e, a, '2022-01-01')) AS paid
  FROM (VALUES ('P85', 10000.00), ('P88', 10000.00), ('P90', 10000.00), ('P75', 10000.00), ('P70', 10000.00),
               ('Q85', 12345.67), ('Q80', 3095.90), ('Q81', 3095.70), ('Q89', 0.01), ('Q91', 0.05), ('Q92', 99999999.99)) AS p (e, a);
SELECT create_cycle('2022Q4', '2022-10-01', '2022-12-31', 'PLAIN') > 0 AS made, open_cycle('2022Q4') AS reviews;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('2022Q4', e.employee_no), find_indicator('综合表现'), find_employee('E003'), right(e.employee_no, 2)::numeric, '按事实评分'
  FROM employee e WHERE e.employee_no ~ '^[PQ]';
SELECT lock_cycle('2022Q4', '2023-01-05', skip_incomplete => true) AS locked;
SELECT 'PAY-02.1' AS id, who, score, old, pct, raise, new, effective_on, status FROM raises WHERE who LIKE 'P%';
SELECT 'PAY-02.2' AS id, who, score, old, pct, raise, new FROM raises WHERE who LIKE 'Q%';
-- a proposal is no pay yet
SELECT who, amount, from_day, until_day FROM pay WHERE who IN ('P85', 'Q85');
-- PAY-02.4 the lock again proposes nothing again
SELECT lock_cycle('2022Q4', '2023-01-06', skip_incomplete => true) AS locked, lock_review('2022Q4', 'P85') AS one;
SELECT 'PAY-02.4' AS id, count(*) AS proposals, count(DISTINCT who) AS people FROM raises WHERE cycle = '2022Q4';

-- ORG-07: a review locked without key events is reported, until HR has entered one ------
INSERT INTO key_event (employee_id, occurred_on, event) VALUES
  (find_employee('P85'), '2022-11-11', '挽回1个流失客户'), (find_employee('P88'), '2023-01-01', '周期之外');
SELECT 'ORG-07' AS id, employee_no, problem FROM data_quality
 WHERE problem = 'review_without_key_event' AND cycle_code = '2022Q4' AND employee_no LIKE 'P%' ORDER BY employee_no;
-- people decide: approve, then apply, once -------------------------------------------
SELECT apply_adjustment('2022Q4', 'P85'); \echo :LAST_ERROR_SQLSTATE
-- nobody decides on their own
BEGIN; SELECT act_as('P85') > 0 AS acting, approve_adjustment('2022Q4', 'P85'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('P85') > 0 AS acting, reject_adjustment('2022Q4', 'P85', '预算不足'); ROLLBACK;
BEGIN; INSERT INTO role_holder (role, employee_id) VALUES ('finance', find_employee('P85')); SELECT act_as('P85') > 0 AS acting; SELECT approve_cycle('2022Q4') AS all_but_own; SELECT who, status, decided_by FROM raises WHERE who IN ('P85', 'P88'); ROLLBACK;
-- nor by the table itself
BEGIN; SELECT act_as('P85') > 0 AS acting; UPDATE salary_adjustment SET status = 'approved', decided_by = who() WHERE employee_id = actor(); ROLLBACK;
INSERT INTO salary_adjustment (cycle_id, employee_id, result_id, composite, base_amount, base_on, old_amount, percent, raise_amount, new_amount, effective_on, status, decided_by, decision_id)
SELECT find_cycle('2022Q4'), find_employee('E010'), a.result_id, 100, 10000, '2022-12-31', 10000, 50, 5000, 15000, '2023-01-01', 'approved', 'E001', a.decision_id FROM salary_adjustment a WHERE a.employee_id = find_employee('P85');
UPDATE salary_adjustment SET new_amount = new_amount + 1, raise_amount = raise_amount + 1 WHERE employee_id = find_employee('P85');
UPDATE salary_adjustment SET percent = 50 WHERE employee_id = find_employee('P85');
BEGIN; SELECT act_as('E090') > 0 AS acting, approve_adjustment('2022Q4', 'P85') AS once, approve_adjustment('2022Q4', 'P85') AS twice, apply_adjustment('2022Q4', 'P85') AS once, apply_adjustment('2022Q4', 'P85') AS twice; COMMIT;
SELECT who, old, new, status, decided_by FROM raises WHERE who = 'P85';
SELECT * FROM pay WHERE who = 'P85';
SELECT who, kind, entry, amount, effective_on FROM feed WHERE who = 'P85';
SELECT d.kind, d.cause, d.inputs, d.outcome, CASE WHEN d.kind ~ 'appr|apply' THEN d.decided_by END AS decided_by
  FROM decision d WHERE d.employee_id = find_employee('P85') AND d.kind LIKE 'pay.%' ORDER BY d.decision_id;
SELECT body FROM notification n WHERE n.recipient_id = find_employee('P85') AND n.kind LIKE 'pay.%' ORDER BY n.notification_id;
-- what is paid stands
SELECT reject_adjustment('2022Q4', 'P85', '预算不足');
UPDATE salary_adjustment SET status = 'proposed' WHERE employee_id = find_employee('P85');
-- rejected: no pay, the feed row reversed, and nothing live any more
SELECT reject_adjustment('2022Q4', 'P88', ' 。'); \echo :LAST_ERROR_SQLSTATE
SELECT reject_adjustment('2022Q4', 'P88', '预算不足') AS status;
SELECT who, kind, entry, amount FROM feed WHERE who = 'P88' AND kind = 'raise';
SELECT apply_adjustment('2022Q4', 'P88');
UPDATE salary_adjustment SET status = 'approved', decided_by = who() WHERE employee_id = find_employee('P88');
SELECT approve_adjustment('2022Q4', 'E010');
SELECT approve_adjustment(NULL, NULL);
-- base pay that changed meanwhile: the approval is void at once, and the raise proposed anew
SELECT approve_adjustment('2022Q4', 'P90') AS status, set_salary('P90', 10100, '2022-06-01', '转正') > 0 AS changed;
SELECT who, old, pct, raise, new, status, decided_by FROM raises WHERE who = 'P90';
-- a later salary is known already: the raise holds up to it
SELECT set_salary('Q85', 13000, '2023-06-01', '调岗') > 0 AS changed, approve_adjustment('2022Q4', 'Q85') AS status;
SELECT apply_adjustment('2022Q4', 'Q85');

-- an unlock withdraws what was not applied, with its reason; a relock proposes anew -----
SELECT unlock_review('2022Q4', 'P90', '申诉:补记业绩') AS open;
SELECT who, score, old, new, status FROM raises WHERE who = 'P90';
SELECT d.kind, d.inputs, d.outcome, d.reason FROM decision d WHERE d.employee_id = find_employee('P90') AND d.kind = 'pay.withdraw';
SELECT who, kind, entry, amount FROM feed WHERE who = 'P90' AND kind = 'raise';
SELECT submit_score('2022Q4', 'P90', '综合表现', 85, '复核') AS score, lock_review('2022Q4', 'P90', '2023-01-20') AS locked;
SELECT who, score, old, pct, new, status FROM raises WHERE who = 'P90';
-- what was applied stays through unlock and relock; the difference is proposed as a correction (pay_correction)
SELECT unlock_review('2022Q4', 'P85', '申诉') AS open, submit_score('2022Q4', 'P85', '综合表现', 95, '复核') AS score, lock_review('2022Q4', 'P85', '2023-01-20') AS locked;
SELECT who, score, old, pct, new, status FROM raises WHERE who = 'P85';
SELECT who, amount, from_day, until_day FROM pay WHERE who = 'P85' AND NOT superseded;
SELECT who, kind, entry, amount FROM feed WHERE who = 'P85' AND kind = 'raise';

-- PAY-02.3 four quarters at 85, each applied: rounding at each step ---------------------
SELECT count(*) FILTER (WHERE create_cycle('Y' || q, day::date, (day + interval '3 months' - interval '1 day')::date, 'PLAIN') > 0) AS made
  FROM generate_series(1, 4) AS q, LATERAL (SELECT '2023-01-01'::timestamp + (q - 1) * interval '3 months' AS day) d;
SELECT open_cycle('Y' || q) > 0 AS opened FROM generate_series(1, 4) AS q;
SELECT q AS quarter, submit_score('Y' || q, 'E010', '综合表现', 85, '按事实评分') AS score, lock_review('Y' || q, 'E010', '2024-01-05') AS locked,
       approve_adjustment('Y' || q, 'E010') AS approved, apply_adjustment('Y' || q, 'E010') AS new
  FROM generate_series(1, 4) AS q;
SELECT 'PAY-02.3' AS id, cycle, old, raise, new, effective_on, status FROM raises WHERE who = 'E010' AND cycle LIKE 'Y%';
SELECT * FROM pay WHERE who = 'E010' AND NOT superseded;

-- PAY-03, TXT-06 the sentence, to the letter, and who may read it ------------------------
SELECT 'PAY-03' AS id, x.line, x.line = '您的季度绩效得分85分,符合加薪5%的条件,加薪后月薪从10000元调整为10500元' AS to_the_letter
  FROM explain_pay('E010', 'Y1') x;
SELECT 'PAY-03' AS id, x.* FROM explain_pay('P75') x UNION ALL SELECT 'other', x.* FROM explain_pay('Q85') x;
SELECT x.line FROM explain_pay('Q80', locale => 'en') x UNION ALL SELECT x.line FROM explain_pay('P70', '2022Q4', 'en') x;
BEGIN; SELECT act_as('E010') > 0 AS acting; SELECT 'PAY-03' AS id, 'own' AS whose, x.line FROM explain_pay('E010', 'Y1') x; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acting; SELECT 'PAY-03' AS id, 'HR reads' AS whose, x.line FROM explain_pay('E010', 'Y1') x; COMMIT;
BEGIN; SELECT act_as('E011') > 0 AS acting; SELECT 'PAY-03' AS id, 'a colleague' AS whose, count(*) AS rows FROM explain_pay('E010'); COMMIT;
BEGIN; SELECT act_as('E003') > 0 AS acting; SELECT 'PAY-03' AS id, 'the manager' AS whose, count(*) AS rows FROM explain_pay('E010'); COMMIT;
SELECT count(*) FROM explain_pay('E999');
SELECT count(*) FROM explain_pay(NULL);

-- PAY-04 rules by scope ---------------------------------------------------------------------
SELECT set_salary('E011', 20000, '2023-02-01', '统一口径') > 0 AS same_base, create_cycle('2023M6', '2023-06-01', '2023-06-30', 'PLAIN', kind => 'monthly') > 0 AS made, open_cycle('2023M6') AS reviews;
SELECT e, submit_score('2023M6', e, '综合表现', 85, '按事实评分', rater => 'E001') AS score, lock_review('2023M6', e, '2023-07-01') AS locked FROM unnest(ARRAY['E011', 'E021']) AS e;
SELECT 'PAY-04' AS id, who, old, pct, new FROM raises WHERE cycle = '2023M6';
SELECT 'PAY-04' AS id, e.employee_no, d.rule, r.unit_kind, d.rule_version, d.inputs ->> 'scale' AS scale, d.inputs ->> 'band' AS band
  FROM decision d JOIN employee e USING (employee_id) JOIN raise_rule r ON r.raise_rule_id = d.rule_id
 WHERE d.kind = 'pay.propose' AND d.cause_id IN (SELECT x.result_id FROM review_result x JOIN review v USING (review_id) WHERE v.cycle_id = find_cycle('2023M6')) ORDER BY e.employee_no;
-- after the technology set's last day (2023-12-31) its people are like everybody
SELECT create_cycle('2023M12', '2023-12-31', '2024-01-30', 'PLAIN', kind => 'monthly') > 0 AS last_day, create_cycle('2024M1', '2024-01-01', '2024-01-31', 'PLAIN', kind => 'monthly') > 0 AS after;
SELECT c, open_cycle(c) > 0 AS opened, submit_score(c, 'E021', '综合表现', 85, '按事实评分') AS score, lock_review(c, 'E021', '2024-02-01') AS locked FROM unnest(ARRAY['2023M12', '2024M1']) AS c;
SELECT 'PAY-04' AS id, cycle, who, old, pct, new FROM raises WHERE who = 'E021';
-- job before job family before kind of unit before everybody
SELECT create_scale('r_' || v, 'raise', format('[{"range": "(,)", "value": %s}]', v)::jsonb) > 0 AS made FROM generate_series(1, 3) AS v;
SELECT add_raise_rule('r_1', unit_kind => 'technology', from_date => '2024-01-01') > 0 AS unit, add_raise_rule('r_2', job_family => 'technology', from_date => '2024-04-01') > 0 AS family,
       add_raise_rule('r_3', job => 'TECHNICIAN', from_date => '2024-07-01') > 0 AS job;
SELECT create_cycle('Z' || q, day::date, (day + interval '1 month' - interval '1 day')::date, 'PLAIN', kind => 'monthly') > 0 AS made
  FROM (VALUES (1, '2024-01-01'::timestamp), (2, '2024-04-01'), (3, '2024-07-01')) AS z (q, day);
SELECT open_cycle('Z' || q) > 0 AS opened, submit_score('Z' || q, 'E021', '综合表现', 85, '按事实评分') AS score, lock_review('Z' || q, 'E021', '2024-08-01') AS locked FROM generate_series(1, 3) AS q;
SELECT 'PAY-04' AS id, cycle, who, pct, new FROM raises WHERE cycle LIKE 'Z%';
-- somebody in sales is in none of these scopes
SELECT submit_score('Z3', 'E011', '综合表现', 85, '按事实评分') AS score, lock_review('Z3', 'E011', '2024-08-01') AS locked;
SELECT cycle, who, pct FROM raises WHERE cycle = 'Z3';
-- a new rule in the middle of a cycle does not move it
SELECT create_cycle('2024Q4', '2024-10-01', '2024-12-31', 'PLAIN') > 0 AS made, open_cycle('2024Q4') > 0 AS opened;
SELECT create_scale('raise', 'raise', '[{"range": "[80,)", "value": 20}, {"range": "(,80)", "value": 1}]', reason => '调整') > 0 AS version_2,
       add_raise_rule('raise', from_date => '2024-10-01') > 0 AS rule;
SELECT submit_score('2024Q4', 'E011', '综合表现', 85, '按事实评分') AS score, lock_review('2024Q4', 'E011', '2025-01-01') AS locked;
SELECT create_cycle('2025Q1', '2025-01-01', '2025-03-31', 'PLAIN') > 0 AS made, open_cycle('2025Q1') > 0 AS opened,
       submit_score('2025Q1', 'E011', '综合表现', 85, '按事实评分') AS score, lock_review('2025Q1', 'E011', '2025-04-01') AS locked;
SELECT cycle, who, pct, new FROM raises WHERE cycle IN ('2024Q4', '2025Q1');
-- two rules for the same people and time, or a scale that gives no percentages
SELECT add_raise_rule('r_1', unit_kind => 'technology', from_date => '2023-06-01', until_date => '2023-07-01'); \echo :LAST_ERROR_SQLSTATE
SELECT add_raise_rule('grade', unit_kind => 'production');
SELECT add_raise_rule('nowhere');
-- in a gap of the scale: no raise, and the decision says so
SELECT add_raise_rule('raise_typed', job_family => 'functional') > 0 AS rule, create_cycle('GAP', '2025-04-01', '2025-04-30', 'PLAIN', kind => 'monthly') > 0 AS made, open_cycle('GAP') > 0 AS opened;
SELECT submit_score('GAP', 'E090', '综合表现', 89.5, '按事实评分') AS score, lock_review('GAP', 'E090', '2025-05-01') AS locked;
SELECT a.percent, a.new_amount, a.band_id, d.inputs FROM salary_adjustment a JOIN decision d USING (decision_id) WHERE a.cycle_id = find_cycle('GAP');
-- a cycle without effect on pay, and somebody without base pay: no proposal; the second is reported
SELECT create_cycle('NOPAY', '2025-05-01', '2025-05-31', 'PLAIN', kind => 'monthly', pay_effective => false) > 0 AS made, open_cycle('NOPAY') > 0 AS opened;
SELECT submit_score('NOPAY', 'E010', '综合表现', 95, '按事实评分') AS score, lock_review('NOPAY', 'E010', '2025-06-01') AS locked, submit_score('GAP', 'E002', '综合表现', 95, '按事实评分') AS unpaid, lock_review('GAP', 'E002', '2025-05-01') AS locked;
SELECT (SELECT count(*) FROM raises WHERE cycle = 'NOPAY' OR who = 'E002'), problem, employee_no, cycle_code FROM data_quality WHERE problem = 'result_without_base_pay';

-- PAY-05 the feed: 20 locks, 20 rows, 18 taken, 2 pending --------------------------------------
SELECT count(hire('F' || lpad(n::text, 2, '0'), '员工F' || n, 'SH', 'SALES', '2024-06-01', manager => 'E003')) AS hired,
       count(set_salary('F' || lpad(n::text, 2, '0'), 5000 + n * 37.13, '2024-06-01')) AS paid FROM generate_series(1, 20) AS n;
SELECT create_cycle('FEED', '2025-07-01', '2025-09-30', 'PLAIN') > 0 AS made, open_cycle('FEED') > 0 AS opened;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('FEED', 'F' || lpad(n::text, 2, '0')), find_indicator('综合表现'), find_employee('E003'), 60 + 2 * n, '按事实评分' FROM generate_series(1, 20) AS n;
SELECT max(feed_id) AS before FROM payroll_feed \gset
SELECT lock_cycle('FEED', '2025-10-01', skip_incomplete => true) AS locked;
SELECT 'PAY-05' AS id, count(*) AS rows, sum(f.amount) AS feed,
       (SELECT sum(a.raise_amount) FROM salary_adjustment a WHERE a.cycle_id = find_cycle('FEED')) AS source FROM payroll_feed f WHERE f.feed_id > :before;
SELECT 'PAY-05' AS id, acknowledge_feed(ARRAY(SELECT f.feed_id FROM payroll_feed f WHERE f.feed_id > :before ORDER BY f.feed_id LIMIT 18)) AS taken;
SELECT 'PAY-05' AS id, p.employee_no, p.kind, p.entry, p.amount, p.effective_on FROM payroll_pending p WHERE p.feed_id > :before;
SELECT acknowledge_feed(ARRAY(SELECT f.feed_id FROM payroll_feed f WHERE f.feed_id > :before ORDER BY f.feed_id LIMIT 18)) AS again, acknowledge_feed(NULL) AS none;
SELECT 'PAY-05' AS id, * FROM payroll_reconciliation ORDER BY kind;
SELECT approve_cycle('FEED') AS approved, apply_cycle('FEED') AS applied, approve_cycle('FEED') + apply_cycle('FEED') AS again;
SELECT 'PAY-05' AS id, * FROM payroll_reconciliation ORDER BY kind;

SELECT 'PAY-05' AS id, kind, difference FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
DROP SCHEMA pay_test CASCADE;
