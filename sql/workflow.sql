-- workflow: HR, business and finance sign a cycle stage by stage (REV-12).
\set books workflow_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- E090 is of HR, E020 (head of a unit) of finance, E031 of finance and HR, E001 an executive
INSERT INTO role_holder (role, employee_id) VALUES ('finance', find_employee('E020')), ('finance', find_employee('E031')), ('hr', find_employee('E031')), ('executive', find_employee('E001'));
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active,
       create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'ONE') > 0 AS made;
CREATE TEMP VIEW flow AS
  SELECT cycle_code AS cycle, cycle_status AS status, position AS n, stage_code AS stage, stage_name AS name, roles, needs, state, signed_by, signed_as, remark
    FROM cycle_workflow ORDER BY cycle_code, position;
CREATE TEMP VIEW log AS
  SELECT c.code AS cycle, w.position AS n, w.code AS stage, e.employee_no AS signed_by, g.signed_as, g.signed_at = d.decided_at AND d.decided_by = e.employee_no AS decision_agrees, v.kind AS void_by
    FROM cycle_signature g JOIN review_cycle c USING (cycle_id) JOIN workflow_stage w USING (workflow_stage_id) JOIN employee e ON e.employee_id = g.signed_by
    JOIN decision d ON d.decision_id = g.decision_id LEFT JOIN decision v ON v.decision_id = g.voided_by ORDER BY g.cycle_signature_id;
SELECT position, code, name, name_en, roles, needs FROM workflow_stage ORDER BY position;

-- REV-12 stage 1 unsigned: stage 2 is rejected
BEGIN; SELECT act_as('E003') > 0 AS acts, 'REV-12' AS id, sign_stage('2023Q1', 'alignment'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- by whom: not by nobody, not by another role, not for somebody else
SELECT sign_stage('2023Q1', 'scheme'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acts, sign_stage('2023Q1', 'scheme'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'party'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('1999Q1', 'scheme'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage(NULL, 'scheme'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', NULL); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, 'REV-12' AS id, sign_stage('2023Q1', 'scheme', '方案沿用上季度') AS status; COMMIT;
BEGIN; SELECT act_as('E031') > 0 AS acts, sign_stage('2023Q1', 'scheme'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- business: the head of a unit, or an executive; not any employee, nor HR
BEGIN; SELECT act_as('E010') > 0 AS acts, sign_stage('2023Q1', 'alignment'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'alignment'); ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS acts, sign_stage('2023Q1', 'alignment') AS by_an_executive; ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts, 'REV-12' AS id, sign_stage('2023Q1', 'alignment') AS status; COMMIT;
SELECT * FROM flow WHERE cycle = '2023Q1';
-- stage 3 needs the cycle locked
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'recheck'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT open_cycle('2023Q1') AS reviews;
SELECT count(submit_score('2023Q1', e.employee_no, '总评', 80, '按事实评分', rater => CASE e.employee_no WHEN 'E001' THEN 'E002' ELSE 'E001' END)) AS scored FROM employee e;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'recheck'); ROLLBACK;
SELECT lock_cycle('2023Q1', '2023-04-03') AS locked;
BEGIN; SELECT act_as('E031') > 0 AS acts, 'REV-12' AS id, sign_stage('2023Q1', 'recheck', '与财务数据一致') AS status; COMMIT;
-- nobody signs twice in a row, unless the setting says so
BEGIN; SELECT act_as('E031') > 0 AS acts, sign_stage('2023Q1', 'reward'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT set_setting('workflow.distinct_signers', 'false'); SELECT act_as('E031') > 0 AS acts; SELECT sign_stage('2023Q1', 'reward') AS status; ROLLBACK;
-- stage 4 waits for an appeal
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算一家', '2023-04-05') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E020') > 0 AS acts, sign_stage('2023Q1', 'reward'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- upheld, the result is another one: who re-checked signs anew
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '确有遗漏', '{"总评": 85}', '2023-04-06') AS composite; COMMIT;
SELECT * FROM log;
SELECT kind, cause, rule, inputs, outcome, reason, decided_by FROM decision WHERE kind = 'cycle.unsign';
BEGIN; SELECT act_as('E020') > 0 AS acts, sign_stage('2023Q1', 'reward'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'recheck') AS status; COMMIT;
-- nor by the table: no role, no order, no closing, no edit, no removal
\set VERBOSITY terse
INSERT INTO cycle_signature (cycle_id, workflow_stage_id, signed_by, signed_as, decision_id) SELECT find_cycle('2023Q1'), find_stage('reward'), find_employee('E020'), 'finance', max(decision_id) FROM decision;
BEGIN; SELECT act_as('E010') > 0 AS acts;
INSERT INTO cycle_signature (cycle_id, workflow_stage_id, signed_by, signed_as, decision_id) SELECT find_cycle('2023Q1'), find_stage('reward'), actor(), 'finance', max(decision_id) FROM decision; ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts;
INSERT INTO cycle_signature (cycle_id, workflow_stage_id, signed_by, signed_as, decision_id) SELECT find_cycle('2023Q2'), find_stage('reward'), actor(), 'employee', max(decision_id) FROM decision; ROLLBACK;
UPDATE review_cycle SET status = 'closed' WHERE code = '2023Q1';
UPDATE cycle_signature SET remark = '改写';
UPDATE cycle_signature SET voided_by = decision_id WHERE voided_by IS NULL;
UPDATE cycle_signature SET voided_by = NULL WHERE voided_by IS NOT NULL;
DELETE FROM cycle_signature; TRUNCATE cycle_signature;
DELETE FROM workflow_stage WHERE code = 'scheme';
INSERT INTO workflow_stage (position, code, name, name_en, roles) VALUES (5, 'x', '额外', 'extra', '{worker}');
\set VERBOSITY default
-- REV-12 all 4 signed in order: the cycle is closed, the log has 4 rows with actor and time
BEGIN; SELECT act_as('E020') > 0 AS acts, 'REV-12' AS id, sign_stage('2023Q1', 'reward', '按方案发放') AS status; COMMIT;
SELECT 'REV-12' AS id, * FROM log WHERE void_by IS NULL;
SELECT 'REV-12' AS id, * FROM flow WHERE cycle = '2023Q1';
SELECT 'REV-12' AS id, count(*) AS rows, count(signed_by) AS actors, count(signed_at) AS times FROM cycle_workflow WHERE cycle_code = '2023Q1' AND state = 'signed';
SELECT kind, cause, inputs, outcome, reason, decided_by FROM decision WHERE kind IN ('cycle.sign', 'cycle.close') ORDER BY decision_id;
-- the other cycle is untouched
SELECT cycle, status, n, state, signed_by FROM flow WHERE cycle = '2023Q2';
SELECT * FROM verify();

-- closed: no unlock, no appeal, no reweighting, no other status; what reads or repeats still works
SELECT unlock_review('2023Q1', 'E011', '想改'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS acts, file_appeal('2023Q1', 'E011', '我也漏算', '2023-04-05'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
UPDATE review SET status = 'open', reopen_reason = '直接写表' WHERE review_id = find_review('2023Q1', 'E011');
UPDATE review_cycle SET status = 'locked' WHERE code = '2023Q1';
UPDATE review_cycle SET status = 'open' WHERE code = '2023Q1';
SELECT reweight_cycle('2023Q1', 'ONE', '换权重');
SELECT declare_fact('总评', 'target', 'target');
SELECT set_target('2023Q1', 'E010', '总评', '{"target": 1}');
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'scheme'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT lock_cycle('2023Q1') AS locked, open_cycle('2023Q1') AS reviews, lock_review('2023Q1', 'E011') AS locked;
SELECT sum(reviews) AS reviews FROM cycle_report('2023Q1');
BEGIN; SELECT act_as('E001') > 0 AS acts, approve_adjustment('2023Q1', 'E010') AS approved, apply_adjustment('2023Q1', 'E010') AS pay; ROLLBACK;
-- a stage that is added later does not reach closed cycles
BEGIN;
INSERT INTO workflow_stage (position, code, name, name_en, roles) VALUES (5, 'archive', '归档', 'archive', '{hr}');
SELECT cycle, count(*) AS stages FROM flow GROUP BY cycle ORDER BY cycle;
UPDATE review_cycle SET status = 'locked' WHERE code = '2023Q1';
ROLLBACK;

-- reopened, by HR or an executive, with a reason: locked, and stages 3 and 4 are signed anew
BEGIN; SELECT act_as('E020') > 0 AS acts, reopen_cycle('2023Q1', '数据有误'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT reopen_cycle('2023Q1', ' …'); \echo :LAST_ERROR_SQLSTATE
SELECT reopen_cycle('2023Q2', '没有关闭'); \echo :LAST_ERROR_SQLSTATE
SELECT reopen_cycle('1999Q1', '没有'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, reopen_cycle('2023Q1', '数据有误') AS status; COMMIT;
SELECT * FROM log;
SELECT cycle, status, n, state, signed_by FROM flow WHERE cycle = '2023Q1';
SELECT kind, inputs, outcome, reason, decided_by FROM decision WHERE kind = 'cycle.reopen';
SELECT * FROM verify();
SELECT unlock_review('2023Q1', 'E011', '更正') AS open, submit_score('2023Q1', 'E011', '总评', 82, '更正', rater => 'E001') AS composite;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'recheck'); ROLLBACK;
SELECT lock_cycle('2023Q1', '2023-04-10') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'recheck') AS status; COMMIT;
-- an unlock after the re-check makes it void
SELECT unlock_review('2023Q1', 'E011', '再更正') AS open;
SELECT cycle, status, n, state FROM flow WHERE cycle = '2023Q1';
SELECT lock_cycle('2023Q1', '2023-04-11') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q1', 'recheck') AS status; SELECT act_as('E031') > 0 AS acts; SELECT sign_stage('2023Q1', 'reward') AS status; COMMIT;
SELECT n, stage, signed_by, void_by FROM log;
SELECT * FROM verify();
-- verify() names what is spoilt with the triggers off
ALTER TABLE review_cycle DISABLE TRIGGER USER; ALTER TABLE cycle_signature DISABLE TRIGGER USER;
BEGIN; UPDATE review_cycle SET status = 'closed' WHERE code = '2023Q2'; SELECT problem, table_name, expected, found FROM verify(); ROLLBACK;
BEGIN; UPDATE review_cycle SET status = 'locked' WHERE code = '2023Q1'; SELECT problem, table_name, expected, found FROM verify(); ROLLBACK;
BEGIN; UPDATE cycle_signature SET signed_by = find_employee('E010') WHERE signed_as = 'business'; SELECT problem, table_name, expected, found FROM verify() ORDER BY 1; ROLLBACK;
BEGIN; DELETE FROM cycle_signature WHERE signed_as = 'business'; SELECT problem, table_name, expected, found FROM verify(); ROLLBACK;
BEGIN; UPDATE cycle_signature SET cycle_id = find_cycle('2023Q2') WHERE signed_as = 'business'; SELECT problem, table_name, expected, found FROM verify() ORDER BY 1; ROLLBACK;
ALTER TABLE review_cycle ENABLE TRIGGER USER; ALTER TABLE cycle_signature ENABLE TRIGGER USER;
-- a role that has ended is no role
UPDATE role_holder SET valid = daterange(NULL, current_date) WHERE role = 'hr' AND employee_id = find_employee('E090');
BEGIN; SELECT act_as('E090') > 0 AS acts, sign_stage('2023Q2', 'scheme'); ROLLBACK;
DROP SCHEMA workflow_test CASCADE;
