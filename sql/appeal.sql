-- review: appeals against a locked result and what they do to pay (REV-08).
\set books appeal_test
\set by_hand '{review,salary_adjustment}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
-- a second person of HR, who also manages, and rates
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E003'));
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, open_cycle('2023Q1') AS reviews;
CREATE TEMP VIEW results AS
  SELECT e.employee_no AS who, r.status, x.version, x.composite, x.grade, x.locked_on, x.reopened_by IS NULL AS stands
    FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) ORDER BY 1, x.version;
CREATE TEMP VIEW raises AS
  SELECT e.employee_no AS who, a.composite AS score, a.old_amount AS old, a.percent AS pct, a.raise_amount AS raise,
         a.new_amount AS new, a.status, CASE a.decided_by WHEN session_user THEN 'login' ELSE a.decided_by END AS decided_by
    FROM salary_adjustment a JOIN employee e USING (employee_id) ORDER BY e.employee_no, a.adjustment_id;
CREATE TEMP VIEW appeals AS
  SELECT e.employee_no AS who, x.version, a.reason, a.filed_on, a.status, a.rationale, d.employee_no AS decided_by, a.decided_on
    FROM appeal a JOIN review_result x USING (result_id) JOIN review r ON r.review_id = a.review_id JOIN employee e ON e.employee_id = r.employee_id
    LEFT JOIN employee d ON d.employee_id = a.decided_by ORDER BY a.appeal_id;
SELECT e AS who, submit_score('2023Q1', e, '总评', v, '按事实评分,' || e) AS composite
  FROM (VALUES ('E010', 78), ('E011', 78), ('E020', 85), ('E021', 85), ('E030', 85), ('E031', 85), ('E003', 60), ('E002', 88), ('E090', 85)) AS p (e, v);
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '还没锁定', '2023-04-03'); ROLLBACK;
SELECT lock_cycle('2023Q1', '2023-04-03', skip_incomplete => true) AS locked;
SELECT unlock_review('2023Q1', 'E090', '先不锁定') AS open;

-- REV-08.2 day 8 is too late, day 7 is not; nobody else appeals
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-11'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-02'); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acts, file_appeal('2023Q1', 'E010', '替他申诉', '2023-04-04'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
SELECT file_appeal('2023Q1', 'E010', '无人代理', '2023-04-04');
-- nor by the table
INSERT INTO appeal (review_id, result_id, reason, filed_on)
SELECT r.review_id, x.result_id, '直接写表', '2023-04-04' FROM review r JOIN review_result x USING (review_id) WHERE r.review_id = find_review('2023Q1', 'E010');
\set VERBOSITY default
BEGIN; SELECT act_as('E010') > 0 AS acts;
INSERT INTO appeal (review_id, result_id, reason, filed_on)
SELECT r.review_id, x.result_id, '直接写表', '2023-04-11' FROM review r JOIN review_result x USING (review_id) WHERE r.review_id = find_review('2023Q1', 'E010');
ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts;
INSERT INTO appeal (review_id, result_id, reason, filed_on)
SELECT r.review_id, x.result_id, '别人的结果', '2023-04-04' FROM review r, review_result x
 WHERE r.review_id = find_review('2023Q1', 'E010') AND x.review_id = find_review('2023Q1', 'E011');
ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '……', '2023-04-04'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, file_appeal('2023Q1', 'E090', '还没锁定', '2023-04-04'); ROLLBACK;
-- another window
BEGIN; SELECT set_setting('appeal.days', '8'); SELECT act_as('E010') > 0 AS acts; SELECT file_appeal('2023Q1', 'E010', '第八天', '2023-04-11') > 0 AS filed; ROLLBACK;
BEGIN; SELECT set_setting('appeal.days', NULL); SELECT act_as('E010') > 0 AS acts; SELECT file_appeal('2023Q1', 'E010', '不限期', '2023-12-31') > 0 AS filed; ROLLBACK;
\set VERBOSITY sqlstate
SELECT set_setting('appeal.days', '-1');
\set VERBOSITY default
SELECT count(*) AS appeals FROM appeal;
SELECT 'REV-08.1' AS id, * FROM raises WHERE who = 'E010';
BEGIN; SELECT act_as('E010') > 0 AS acts, 'REV-08.2' AS id, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-10') > 0 AS filed; COMMIT;
SELECT 'REV-08.2' AS id, * FROM raises WHERE who = 'E010';
SELECT recipient_id IS NULL AS to_hr, recipient_role, kind, body FROM notification WHERE kind LIKE 'appeal.%';
SELECT kind, decided_by, inputs - 'appeal' AS inputs, outcome, reason FROM decision WHERE kind IN ('appeal.file', 'pay.hold') ORDER BY decision_id;
-- once for each result
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '再来一次', '2023-04-10'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE

-- held is neither approved nor rejected nor applied, in no way; nor is the review unlocked beside it
SELECT approve_adjustment('2023Q1', 'E010'); \echo :LAST_ERROR_SQLSTATE
SELECT reject_adjustment('2023Q1', 'E010', '不同意');
SELECT apply_adjustment('2023Q1', 'E010');
UPDATE salary_adjustment SET status = 'approved', decided_by = who() WHERE adjustment_id = find_adjustment('2023Q1', 'E010');
UPDATE salary_adjustment SET status = 'proposed' WHERE adjustment_id = find_adjustment('2023Q1', 'E010');
UPDATE salary_adjustment SET status = 'held' WHERE adjustment_id = find_adjustment('2023Q1', 'E011');
SELECT unlock_review('2023Q1', 'E010', '绕过异议');
-- one that was approved is held as well
SELECT approve_adjustment('2023Q1', 'E021') AS approved;
BEGIN; SELECT act_as('E021') > 0 AS acts, file_appeal('2023Q1', 'E021', 'Two projects are missing', '2023-04-05') > 0 AS filed; COMMIT;
SELECT approve_cycle('2023Q1') AS approved, apply_cycle('2023Q1') AS applied;
SELECT * FROM raises;
SELECT cycle_code, status, line FROM explain_pay('E010');
SELECT lock_cycle('2023Q1', '2023-04-10', skip_incomplete => true) AS again;
SELECT count(*) AS of_e010 FROM raises WHERE who = 'E010';
SELECT * FROM verify();

-- decided by HR, as themselves, never by who rated: E003 is of HR, and is the manager
BEGIN; SELECT act_as('E003') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '改判', '{"总评": 99}'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E002') > 0 AS acts, decide_appeal('2023Q1', 'E010', false, '维持'); ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '自己改', '{"总评": 99}'); ROLLBACK;
\set VERBOSITY sqlstate
SELECT decide_appeal('2023Q1', 'E010', false, '无人代理');
UPDATE appeal SET status = 'rejected', rationale = '直接写表', decided_by = find_employee('E090'), decided_on = '2023-04-12';
\set VERBOSITY default
UPDATE appeal SET reason = '改写理由';
DELETE FROM appeal;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, ' ', '{"总评": 82}'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '成立', NULL); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '成立', '{"总评": "82"}'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '成立', '{"没有": 82}'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '成立', '{"总评": 101}'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', false, '不成立', '{"总评": 82}'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E011', false, '没有异议'); ROLLBACK;

-- REV-08.1 upheld: 78 becomes 82 as version 2, 0 % becomes 5 %: 10,000.00 to 10,500.00; version 1 stays
SELECT 'REV-08.1' AS id, * FROM results WHERE who = 'E010';
BEGIN; SELECT act_as('E090') > 0 AS acts, 'REV-08.1' AS id, decide_appeal('2023Q1', 'E010', true, '核对合同,两家客户漏算', '{"总评": 82}', '2023-04-12') AS composite; COMMIT;
SELECT 'REV-08.1' AS id, * FROM results WHERE who = 'E010';
SELECT 'REV-08.1' AS id, * FROM raises WHERE who = 'E010';
SELECT * FROM appeals;
SELECT line FROM explain_score('2023Q1', 'E010');
-- version 1 is readable with its breakdown, and the scores that stood
SELECT x.version, d.inputs -> 'items' -> 0 -> 'value' AS value, d.outcome ->> 'grade' AS grade
  FROM review_result x JOIN decision d USING (decision_id) WHERE x.review_id = find_review('2023Q1', 'E010') ORDER BY x.version;
SELECT kind, cause, decided_by, inputs - 'appeal' AS inputs, reason FROM decision
 WHERE employee_id = find_employee('E010') AND kind IN ('appeal.upheld', 'review.unlock', 'pay.withdraw', 'pay.release') ORDER BY decision_id;
SELECT e.employee_no AS to, n.kind, n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind LIKE 'appeal.%';
SELECT f.kind, f.entry, f.amount FROM payroll_feed f WHERE f.employee_id = find_employee('E010') ORDER BY feed_id;
SELECT * FROM payroll_reconciliation ORDER BY kind;
-- decided is decided; and the new proposal goes its way
BEGIN; SELECT act_as('E090') > 0 AS acts; UPDATE appeal SET status = 'open', rationale = NULL, decided_by = NULL, decided_on = NULL; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; UPDATE appeal SET rationale = '改写'; ROLLBACK;
SELECT approve_adjustment('2023Q1', 'E010') AS approved, apply_adjustment('2023Q1', 'E010') AS pay;
SELECT * FROM verify();

-- rejected: proposed again, and to be approved anew, though it was approved before
SELECT * FROM raises WHERE who = 'E021';
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E021', false, 'They belong to the next quarter', on_date => '2023-04-13') AS composite; COMMIT;
SELECT * FROM raises WHERE who = 'E021';
SELECT * FROM results WHERE who = 'E021';
SELECT n.body FROM notification n WHERE n.kind = 'appeal.rejected';
SELECT kind, decided_by, inputs - 'appeal' - 'decided_by' AS inputs, reason FROM decision
 WHERE employee_id = find_employee('E021') AND kind IN ('pay.hold', 'appeal.rejected', 'pay.release') ORDER BY decision_id;
SELECT apply_adjustment('2023Q1', 'E021');
SELECT approve_adjustment('2023Q1', 'E021') AS approved, apply_adjustment('2023Q1', 'E021') AS pay;

-- a raise that is applied is not held, what is paid is paid; upheld, the new result proposes a correction: 10 % of 14,000.00
BEGIN; SELECT act_as('E030') > 0 AS acts, file_appeal('2023Q1', 'E030', '产量统计有误', '2023-04-05') > 0 AS filed; COMMIT;
SELECT 'REV-08' AS id, * FROM raises WHERE who = 'E030';
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E030', true, '统计有误', '{"总评": 91}', '2023-04-12') AS composite; COMMIT;
SELECT 'REV-08' AS id, * FROM raises WHERE who = 'E030';
SELECT approve_adjustment('2023Q1', 'E030') AS approved, apply_adjustment('2023Q1', 'E030') AS pay;

-- facts, several raters, a deviation from the self score, and a cycle that stays locked
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made;
INSERT INTO review_gate (cycle_id, employee_id, reason) SELECT find_cycle('2023Q2'), employee_id, '只考核一人' FROM employee WHERE employee_no <> 'E010';
SELECT open_cycle('2023Q2') AS reviews;
DELETE FROM review WHERE cycle_id = find_cycle('2023Q2') AND status = 'blocked';
SELECT submit_score('2023Q2', 'E010', i, v, i || '说明', rater => r) AS composite
  FROM (VALUES (1, '客户满意度', 80, 'E003'), (2, '销售执行', 80, 'E003'), (3, '销售执行', 60, 'E002')) AS s (n, i, v, r) ORDER BY n;
SELECT submit_score('2023Q2', 'E010', '客户拓展', facts => '{"actual": 8}', rationale => '新签8家') AS composite;
SELECT submit_score('2023Q2', 'E010', i, 80, rater_group => 'self') AS composite FROM unnest(ARRAY['客户满意度', '销售执行', '客户拓展']) AS i;
SELECT lock_cycle('2023Q2', '2023-07-01') AS locked;
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q2', 'E010', '漏算两家', '2023-07-02') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acts;
SELECT decide_appeal('2023Q2', 'E010', true, '复核合同', '{"客户拓展": {"actual": 10}, "销售执行": 90}', '2023-07-03') AS composite; COMMIT;
SELECT i.code, s.rater_group, e.employee_no AS rater, s.value, s.attainment, s.rationale
  FROM score s JOIN indicator i USING (indicator_id) JOIN employee e ON e.employee_id = s.rater_id
 WHERE s.review_id = find_review('2023Q2', 'E010') AND s.rater_group = 'manager' ORDER BY i.code;
SELECT d.inputs -> 'scores' AS before FROM decision d WHERE d.kind = 'appeal.upheld' ORDER BY decision_id DESC LIMIT 1;
SELECT deviation, reason_required, deviation_reason FROM score_deviation WHERE cycle_code = '2023Q2';
SELECT code, status FROM review_cycle ORDER BY code;
-- version 2 may be disputed as well, in its own days
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q2', 'E010', '还差一家', '2023-07-10') > 0 AS filed; ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q2', 'E010', '还差一家', '2023-07-11') > 0 AS filed; ROLLBACK;
SELECT * FROM verify();
DROP SCHEMA appeal_test CASCADE;
