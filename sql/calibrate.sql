-- calibrate: distributions, sessions, calibrated scores and what follows them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SELECT hrloop.install('calibrate_test') IS NOT NULL AS installed;
\getenv abs_srcdir PG_ABS_SRCDIR
\set fixture :abs_srcdir '/test/fixtures/company.sql'
\set books calibrate_test
\set ECHO none
\o /dev/null
\i :fixture
\o
\set ECHO all
\set SHOW_CONTEXT never
SET datestyle = ISO;
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
INSERT INTO role_holder (role, employee_id) VALUES ('executive', find_employee('E001'));
-- a second person of HR
SELECT hire('E091', '何人事', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS hired;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E091'));
CREATE TEMP VIEW finals AS
  SELECT c.code AS cycle, e.employee_no AS who, r.status, r.composite, r.calibrated, r.plan_reason, x.version, x.composite AS final, x.original, x.grade
    FROM review r JOIN employee e USING (employee_id) JOIN review_cycle c USING (cycle_id)
    LEFT JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL ORDER BY 1, 2;
CREATE TEMP VIEW calibrations AS
  SELECT session_code AS session, employee_no AS who, original, calibrated, reason,
         CASE decided_by WHEN session_user THEN 'login' ELSE decided_by END AS by, voided_by IS NOT NULL AS void, stands
    FROM calibration_history ORDER BY calibration_id;

-- nothing is there yet
SELECT calibrate('A', 'E010', 80, '无此会');
\echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('A', '无此会');
SELECT * FROM close_calibration('A');
SELECT * FROM suggest_calibration('A');
SELECT * FROM calibration_report('A');
SELECT * FROM calibration_excluded('A');

-- distributions ------------------------------------------------------------------
SELECT create_distribution('标准', '{"待改进": 10, "合格": 50, "优秀": 10, "良好": 30}', '四级分布') > 0 AS made;
SELECT d.code, d.version, d.name, s.position, s.grade, s.percent FROM grade_distribution d JOIN grade_share s USING (distribution_id) ORDER BY 2, 4;
-- floor(10 % of 7) would be nobody: the largest remainder; the higher grade first
SELECT * FROM distribution_seats('标准', 7);
SELECT n, array_agg(s.seats) AS seats FROM unnest(ARRAY[0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 15, 99, 1000, 10001]) n, distribution_seats('标准', n) s GROUP BY n ORDER BY n;
-- two remainders of a half: the higher grade
SELECT create_distribution('对半', '{"优秀": 50, "良好": 50}') > 0 AS made;
SELECT * FROM distribution_seats('对半', 3);
SELECT create_distribution('细分', '{"优秀": 33.333, "良好": 33.333, "合格": 33.334, "待改进": 0}') > 0 AS made;
-- for every group up to 2000: the sum is the group, and nobody is more than one from the exact share
SELECT count(*) AS groups, count(*) FILTER (WHERE x.total <> n) AS wrong_sum, count(*) FILTER (WHERE x.off) AS wrong_share
  FROM unnest(ARRAY['标准', '对半', '细分']) d, generate_series(0, 2000) n,
       LATERAL (SELECT sum(s.seats) AS total, bool_or(abs(s.seats - s.percent * n / 100) >= 1) AS off FROM distribution_seats(d, n) s) x;
SELECT * FROM distribution_seats('标准', -1);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM distribution_seats('标准', NULL);
SELECT * FROM distribution_seats('没有', 1);
SELECT * FROM distribution_seats(NULL, 1);
-- what is no distribution
SELECT create_distribution('坏', '{"优秀": 10, "良好": 80}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_distribution('坏', '{"优秀": 10.00001, "良好": 90}');
SELECT create_distribution('坏', '{"优秀": -10, "良好": 110}');
SELECT create_distribution('坏', '{"优秀": "10", "良好": 90}');
SELECT create_distribution('坏', '{"优秀": null, "良好": 100}');
SELECT create_distribution('坏', '{"卓越": 10, "良好": 90}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_distribution('坏', '{}');
SELECT create_distribution('坏', '[10, 90]');
SELECT create_distribution('坏', NULL);
\set VERBOSITY sqlstate
SELECT create_distribution(NULL, '{"优秀": 100}');
SELECT create_distribution(' ', '{"优秀": 100}');
-- nor by the table, and nothing of it changes
INSERT INTO grade_share (distribution_id, position, grade, percent) VALUES (find_distribution('对半'), 3, '合格', 10);
INSERT INTO grade_share (distribution_id, position, grade, percent) VALUES (find_distribution('对半'), 3, '合格', 'NaN');
INSERT INTO grade_share (distribution_id, position, grade, percent) VALUES (find_distribution('对半'), 3, '不知道', 0);
UPDATE grade_share SET percent = 20 WHERE grade = '优秀';
DELETE FROM grade_share;
DELETE FROM grade_distribution;
\set VERBOSITY default
SELECT create_distribution('对半', '{"优秀": 40, "良好": 60}', reason => '收紧') > 0 AS made;
SELECT d.version, d.name, d.reason, array_agg(s.grade || s.percent ORDER BY s.position) AS shares FROM grade_distribution d JOIN grade_share s USING (distribution_id)
 WHERE d.code = '对半' GROUP BY 1, 2, 3 ORDER BY 1;
SELECT s.seats FROM distribution_seats('对半', 10) s;
-- the scores at the edges of the bands, open and closed
SELECT * FROM band_edge(find_scale('grade')) ORDER BY lowest;

-- a session ------------------------------------------------------------------------
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made;
SELECT open_calibration('A', '2023Q1');
\echo :LAST_ERROR_SQLSTATE
SELECT open_cycle('2023Q1') AS reviews;
SELECT e AS who, submit_score('2023Q1', e, '总评', v, '按事实评分,' || e, rater => CASE e WHEN 'E001' THEN 'E090' END) AS composite
  FROM (VALUES ('E001', 88), ('E002', 92), ('E003', 91), ('E010', 91), ('E011', 66), ('E020', 85), ('E021', 85), ('E030', 74), ('E031', 74), ('E091', 78)) AS p (e, v);
SELECT open_calibration('A', '2023Q1', mode => 'hard');
\echo :LAST_ERROR_SQLSTATE
SELECT open_calibration('A', '2023Q1', distribution => '没有');
SELECT open_calibration('A', '2023Q9');
SELECT open_calibration('A', NULL);
SELECT open_calibration('A', '2023Q1', '没有');
\set VERBOSITY sqlstate
SELECT open_calibration(NULL, '2023Q1');
SELECT open_calibration(' ', '2023Q1');
SELECT open_calibration('A', '2023Q1', mode => 'firm');
SELECT open_calibration('A', '2023Q1', tie_rule => 'left');
SELECT open_calibration('A', '2023Q1', mode => NULL);
\set VERBOSITY default
-- whose it is: heads for their own units, HR and executives for all
BEGIN; SELECT act_as('E020') > 0 AS acts; SELECT open_calibration('A', '2023Q1', 'SH'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT open_calibration('A', '2023Q1', 'EAST'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT open_calibration('A', '2023Q1'); ROLLBACK;
BEGIN; SELECT act_as('E002') > 0 AS acts; SELECT open_calibration('A', '2023Q1', 'SH') > 0 AS head_above; ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS acts; SELECT open_calibration('A', '2023Q1') > 0 AS executive; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT open_calibration('A', '2023Q1', 'EAST') > 0 AS opened; COMMIT;
-- one at a time for the same people, above, below or beside
SELECT open_calibration('B', '2023Q1', 'SH');
\echo :LAST_ERROR_SQLSTATE
SELECT open_calibration('B', '2023Q1');
SELECT open_calibration('A', '2023Q1', 'TECH');
BEGIN; SELECT open_calibration('B', '2023Q1', 'TECH') > 0 AS beside; ROLLBACK;
SELECT kind, decided_by, inputs, outcome FROM decision WHERE kind LIKE 'calibration.%';
SELECT * FROM calibration_report('A');
-- a score that is missing stays out
SELECT * FROM calibration_excluded('A');

-- calibrate ---------------------------------------------------------------------------
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT calibrate('A', 'E010', 84.5, '与同店相比,客户较易') AS final; COMMIT;
SELECT * FROM finals WHERE who = 'E010';
-- the original stays, the newest supersedes, NULL withdraws
BEGIN; SELECT act_as('E002') > 0 AS acts; SELECT calibrate('A', 'E010', 79.99995, '复议') AS final; COMMIT;
BEGIN; SELECT act_as('E001') > 0 AS acts; SELECT calibrate('A', 'E010', NULL, '撤回') AS final; COMMIT;
SELECT * FROM calibrations;
SELECT calibrate('A', 'E010', NULL, '再撤回');
\echo :LAST_ERROR_SQLSTATE
SELECT kind, decided_by, inputs, outcome, reason FROM decision WHERE employee_id = find_employee('E010') AND kind LIKE 'calibration.%' ORDER BY decision_id;
-- who may not: oneself, somebody else's head, the manager who is no head, nobody's friend
BEGIN; SELECT act_as('E002') > 0 AS acts; SELECT calibrate('A', 'E002', 99, '自评'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acts; SELECT calibrate('A', 'E010', 80, '外部门'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT calibrate('A', 'E010', 80, '同事'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT calibrate('A', 'E010', 80, '店长') AS head; ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM suggest_calibration('A'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM calibration_report('A'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM calibration_excluded('A'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM close_calibration('A'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
-- reasons and values
SELECT calibrate('A', 'E010', 80, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT calibrate('A', 'E010', 80, E'\u3000……');
SELECT calibrate('A', 'E010', 101, '过高');
\echo :LAST_ERROR_SQLSTATE
SELECT calibrate('A', 'E010', -1, '过低');
SELECT calibrate('A', 'E010', 'NaN', '不是数');
SELECT calibrate('A', 'E010', 'Infinity', '无穷');
SELECT calibrate('A', NULL, 80, '无人');
SELECT calibrate('A', 'E999', 80, '无此人');
SELECT calibrate('Z', 'E010', 80, '无此会');
\echo :LAST_ERROR_SQLSTATE
SELECT calibrate(NULL, 'E010', 80, '无此会');
SELECT calibrate('A', 'E020', 80, '不在会中');
\echo :LAST_ERROR_SQLSTATE
-- nothing but a session writes it
\set VERBOSITY sqlstate
UPDATE review SET calibrated = 100 WHERE review_id = find_review('2023Q1', 'E010');
\set VERBOSITY default
UPDATE review SET calibrated = 100, calibrated_by = (SELECT max(decision_id) FROM decision) WHERE review_id = find_review('2023Q1', 'E010');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason) VALUES (find_calibration('A'), find_review('2023Q1', 'E010'), 90, 80, '原分不符');
INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason, decided_by) VALUES (find_calibration('A'), find_review('2023Q1', 'E010'), 91, 80, '冒名', find_employee('E090'));
INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason) VALUES (find_calibration('A'), find_review('2023Q1', 'E010'), 91, 'NaN', '不是数');
INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason) VALUES (find_calibration('A'), find_review('2023Q1', 'E010'), 91, 80, '--');
UPDATE calibration SET calibrated = 99;
DELETE FROM calibration;
TRUNCATE calibration CASCADE;
\set VERBOSITY default
-- deleting a session never reverts anything
DELETE FROM calibration_session;
\echo :LAST_ERROR_SQLSTATE
UPDATE calibration_session SET org_unit_id = NULL;
UPDATE calibration_session SET mode = 'hard', distribution_id = find_distribution('标准');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason)
SELECT find_calibration('A'), r.review_id, r.composite, 70, '成批' FROM review r WHERE r.cycle_id = find_cycle('2023Q1') AND r.org_unit_id = find_unit('SH') ORDER BY 2;
SELECT * FROM finals WHERE who IN ('E003', 'E010', 'E011');
SELECT * FROM verify();
ROLLBACK;

-- what follows: plan, grade, raise, talk --------------------------------------------------
SELECT * FROM finals WHERE who IN ('E010', 'E011');
SELECT count(*) AS drafts FROM development_plan p WHERE p.status = 'draft' AND p.employee_id = find_employee('E011');
-- 66 becomes 72: no plan is due; 91 becomes 68: one is; 92 becomes 89
SELECT calibrate('A', 'E011', 72, '区域困难') AS final, calibrate('A', 'E010', 68, '业绩靠老客户') AS final;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT calibrate('A', 'E002', 89, '与其他分公司相比') AS final; COMMIT;
SELECT * FROM finals WHERE who IN ('E002', 'E010', 'E011');
SELECT e.employee_no AS who, p.status, d.inputs -> 'score' AS score FROM development_plan p JOIN employee e USING (employee_id) JOIN decision d USING (decision_id) ORDER BY 1;
SELECT * FROM verify();
-- the threshold is for the final score, 68
BEGIN;
SELECT set_setting('plan.score_threshold', '67') AS threshold;
SELECT who, plan_reason FROM finals WHERE who IN ('E010', 'E011');
SELECT set_setting('plan.score_threshold', '68') AS threshold;
SELECT who, plan_reason FROM finals WHERE who IN ('E010', 'E011');
ROLLBACK;
SELECT line FROM explain_score('2023Q1', 'E010');
SELECT * FROM calibration_report('A');
SELECT * FROM close_calibration('A');
SELECT * FROM close_calibration('A');
SELECT code, status, closed_at IS NOT NULL AS closed FROM calibration_session;
SELECT inputs, outcome -> 'grades' -> 0 AS top FROM decision WHERE kind = 'calibration.close';
SELECT calibrate('A', 'E010', 80, '会后');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM suggest_calibration('A');
SELECT apply_calibration('A', '会后');
UPDATE calibration_session SET status = 'open', closed_at = NULL, closed_by = NULL;
UPDATE calibration_session SET closed_at = now() + interval '1 day';
SELECT lock_review('2023Q1', e, '2023-04-03') AS locked FROM unnest(ARRAY['E002', 'E010', 'E011']) e;
SELECT * FROM finals WHERE who IN ('E002', 'E010', 'E011');
SELECT e.employee_no AS who, a.composite, a.percent FROM salary_adjustment a JOIN employee e USING (employee_id) ORDER BY 1;
SELECT e.employee_no AS who, t.kind, t.status FROM hr_task t JOIN employee e USING (employee_id) ORDER BY 1;
SELECT d.inputs -> 'calibration' AS calibration, d.outcome FROM review_result x JOIN decision d USING (decision_id) WHERE x.review_id = find_review('2023Q1', 'E010');
SELECT line FROM explain_score('2023Q1', 'E010');
SELECT line FROM explain_score('2023Q1', 'E010', 'en');
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT line FROM explain_score('2023Q1', 'E010'); ROLLBACK;
SELECT composite, grade FROM score_history('E010');
-- locked: not calibrated
SELECT open_calibration('A2', '2023Q1', 'EAST') > 0 AS opened;
SELECT calibrate('A2', 'E010', 80, '锁定后');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM calibration_excluded('A2');
SELECT * FROM verify();

-- unlock keeps it, the next lock uses it again -----------------------------------------------
SELECT unlock_review('2023Q1', 'E010', '核对') AS open;
SELECT * FROM finals WHERE who = 'E010';
SELECT lock_review('2023Q1', 'E010', '2023-04-04') AS locked;
SELECT version, composite, original, grade, reopened_by IS NULL AS stands FROM review_result WHERE review_id = find_review('2023Q1', 'E010') ORDER BY version;
-- a score that changes voids it, with a decision and a notice
SELECT unlock_review('2023Q1', 'E010', '评分有误') AS open;
SELECT submit_score('2023Q1', 'E010', '总评', 91, '分数不变') AS composite;
SELECT who, composite, calibrated FROM finals WHERE who = 'E010';
SELECT submit_score('2023Q1', 'E010', '总评', 93, '漏算一家') AS composite;
SELECT * FROM finals WHERE who = 'E010';
SELECT d.kind, d.cause, d.inputs, d.outcome FROM decision d WHERE d.kind = 'calibration.void';
SELECT recipient_role, body FROM notification WHERE kind = 'calibration.void';
SELECT * FROM calibrations WHERE who = 'E010';
-- back to 91 it stays void
SELECT submit_score('2023Q1', 'E010', '总评', 91, '改回') AS composite;
UPDATE review SET calibrated = 68, calibrated_by = (SELECT max(decision_id) FROM decision WHERE kind = 'calibration.set' AND employee_id = find_employee('E010'))
 WHERE review_id = find_review('2023Q1', 'E010');
SELECT lock_review('2023Q1', 'E010', '2023-04-05') AS locked;
SELECT * FROM finals WHERE who = 'E010';
-- so does a score that goes away
SELECT unlock_review('2023Q1', 'E011', '重评') AS open;
DELETE FROM score WHERE review_id = find_review('2023Q1', 'E011');
SELECT who, composite, calibrated FROM finals WHERE who = 'E011';
SELECT body FROM notification WHERE kind = 'calibration.void' ORDER BY notification_id DESC LIMIT 1;
SELECT calibrate('A2', 'E011', 80, '无评分');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();

-- an appeal: rejected, the calibrated score stands; upheld, it is void
BEGIN; SELECT act_as('E002') > 0 AS acts; SELECT file_appeal('2023Q1', 'E002', '不认可校准', '2023-04-05') > 0 AS filed; COMMIT;
-- the only one of HR calibrated it
SELECT set_setting('four_eyes.appeal', 'false') AS four_eyes;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT decide_appeal('2023Q1', 'E002', false, '维持', on_date => '2023-04-06') AS final; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT decide_appeal('2023Q1', 'E002', true, '更正原分', '{"总评": 94}', '2023-04-06') AS final; COMMIT;
SELECT * FROM finals WHERE who = 'E002';
SELECT version, composite, original, grade FROM review_result WHERE review_id = find_review('2023Q1', 'E002') ORDER BY version;
SELECT calibrated, void, stands FROM calibrations WHERE who = 'E002';
SELECT * FROM close_calibration('A2');
SELECT * FROM verify();

-- the ceiling for missed indicators as well
SELECT create_template('TWO', '[{"indicator": "总评", "weight": 50}, {"indicator": "质量", "weight": 50}]') > 0 AS made, activate_template('TWO') > 0 AS active;
SELECT create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'TWO') > 0 AS made;
INSERT INTO review_gate (cycle_id, employee_id, reason) VALUES (find_cycle('2023Q3'), find_employee('E003'), '课程未完成');
SELECT open_cycle('2023Q3') AS reviews;
SELECT submit_score('2023Q3', 'E010', '总评', 100, '很好') AS composite, submit_score('2023Q3', 'E010', '质量', 50, '退货偏多') AS same;
SELECT open_calibration('M', '2023Q3', 'SH') > 0 AS opened;
SELECT * FROM calibration_excluded('M');
SELECT set_setting('plan.missed_max_score', '80') AS ceiling;
SELECT who, composite, calibrated, plan_reason FROM finals WHERE cycle = '2023Q3' AND who = 'E010';
SELECT calibrate('M', 'E010', 80, '对比') AS final;
SELECT who, composite, calibrated, plan_reason FROM finals WHERE cycle = '2023Q3' AND who = 'E010';
-- the employee learns of it at the lock, the manager before
SELECT submit_score('2023Q3', 'E010', i, 75, rater_group => 'self') AS composite FROM unnest(ARRAY['总评', '质量']) i;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT line FROM explain_score('2023Q3', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT line FROM explain_score('2023Q3', 'E010'); ROLLBACK;
SELECT calibrate('M', 'E010', 70, '再对比') AS final;
SELECT who, composite, calibrated, plan_reason FROM finals WHERE cycle = '2023Q3' AND who = 'E010';
-- other scores of the same composite leave it, others void it, and the plan follows at once
UPDATE score s SET raw_value = CASE i.code WHEN '总评' THEN 90 ELSE 60 END FROM indicator i WHERE i.indicator_id = s.indicator_id AND s.review_id = find_review('2023Q3', 'E010');
SELECT who, composite, calibrated, plan_reason FROM finals WHERE cycle = '2023Q3' AND who = 'E010';
UPDATE score s SET raw_value = 88 FROM indicator i WHERE i.indicator_id = s.indicator_id AND s.review_id = find_review('2023Q3', 'E010') AND i.code = '总评';
SELECT who, composite, calibrated, plan_reason FROM finals WHERE cycle = '2023Q3' AND who = 'E010';
SELECT status, count(*) FROM development_plan WHERE review_id = find_review('2023Q3', 'E010') GROUP BY 1 ORDER BY 1;
SELECT set_setting('plan.missed_max_score', NULL) IS NULL AS off;
SELECT * FROM verify();

-- a distribution --------------------------------------------------------------------------------
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'ONE') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT count(*) AS scored FROM (SELECT submit_score('2023Q2', e, '总评', v, '按事实评分,' || e, rater => CASE e WHEN 'E001' THEN 'E090' END)
  FROM (VALUES ('E001', 95), ('E002', 95), ('E003', 94), ('E010', 88), ('E011', 88), ('E020', 88), ('E021', 84), ('E030', 80), ('E031', 76), ('E090', 72)) AS p (e, v)) s;
-- soft: who is not scored stays out; ten people are 1, 3, 5 and 1.  Ties at both cuts, up:
BEGIN;
SELECT open_calibration('U', '2023Q2', distribution => '标准') > 0 AS opened;
SELECT * FROM calibration_excluded('U');
SELECT * FROM suggest_calibration('U');
SELECT apply_calibration('U', '按分布') AS moved, apply_calibration('U', '按分布') AS again;
SELECT * FROM calibration_report('U');
SELECT * FROM verify();
ROLLBACK;
-- down:
BEGIN;
SELECT open_calibration('D', '2023Q2', distribution => '标准', tie_rule => 'down') > 0 AS opened;
SELECT * FROM suggest_calibration('D');
SELECT apply_calibration('D', '按分布') AS moved, apply_calibration('D', '按分布') AS again;
SELECT * FROM close_calibration('D');
SELECT * FROM verify();
ROLLBACK;
-- a scale of other grades, or in another order
BEGIN;
SELECT create_scale('字母', 'grade', '[{"range": "[60,)", "label": "A"}, {"range": "(,60)", "label": "优秀"}]') > 0 AS made, create_distribution('字母', '{"A": 50, "优秀": 50}') > 0 AS made;
SELECT open_calibration('L', '2023Q2', distribution => '字母');
ROLLBACK;
BEGIN;
INSERT INTO grade_distribution (code, name) VALUES ('倒序', '倒序'), ('空', '空');
INSERT INTO grade_share (distribution_id, position, grade, percent) VALUES (find_distribution('倒序'), 1, '良好', 60), (find_distribution('倒序'), 2, '优秀', 40);
SAVEPOINT s;
SELECT open_calibration('L', '2023Q2', distribution => '倒序');
ROLLBACK TO s;
SELECT open_calibration('L', '2023Q2', distribution => '空');
ROLLBACK;

-- hard: everybody is scored, or it does not close
SELECT open_calibration('H', '2023Q2', distribution => '标准', mode => 'hard', tie_rule => 'refuse') > 0 AS opened;
SELECT * FROM suggest_calibration('H');
\echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('H', '按分布');
SELECT * FROM close_calibration('H');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q2', 'E091', '总评', 71, '评分') AS composite;
-- eleven people are 1, 3, 6 and 1; ties that are refused name who shares them
SELECT * FROM distribution_seats('标准', 11);
SELECT * FROM suggest_calibration('H');
\echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('H', '按分布');
SELECT * FROM close_calibration('H');
SELECT count(*) AS calibrated FROM review WHERE calibrated IS NOT NULL AND cycle_id = find_cycle('2023Q2');
-- people decide
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT calibrate('H', 'E002', 94.5, '难度略低') AS final, calibrate('H', 'E010', 88.5, '贡献略大') AS final; COMMIT;
SELECT * FROM close_calibration('H');
\echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('H', '  ');
\echo :LAST_ERROR_SQLSTATE
-- nobody is locked meanwhile, by no way
SELECT lock_review('2023Q2', 'E010');
\echo :LAST_ERROR_SQLSTATE
SELECT lock_cycle('2023Q2');
UPDATE review SET status = 'locked' WHERE review_id = find_review('2023Q2', 'E031');
-- all at once, not by one whom it moves
BEGIN; SELECT act_as('E091') > 0 AS acts; SELECT apply_calibration('H', '按分布'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acts; SELECT apply_calibration('H', '按分布'); ROLLBACK;
SELECT * FROM suggest_calibration('H');
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT apply_calibration('H', '按分布') AS moved, apply_calibration('H', '按分布') AS again; COMMIT;
SELECT count(DISTINCT transaction_id) AS transactions, count(*) FROM decision WHERE kind = 'calibration.set' AND reason = '按分布';
SELECT * FROM calibration_report('H');
BEGIN; SELECT act_as('E001') > 0 AS acts; SELECT * FROM close_calibration('H'); COMMIT;
SELECT s.code, o.employee_no AS opened_by, c.employee_no AS closed_by FROM calibration_session s LEFT JOIN employee o ON o.employee_id = s.opened_by
  LEFT JOIN employee c ON c.employee_id = s.closed_by ORDER BY 1;
-- the report of a closed session stays as it was
SELECT submit_score('2023Q2', 'E031', '总评', 99, '漏算产量') AS composite;
SELECT * FROM calibration_report('H');
SELECT lock_cycle('2023Q2', '2023-07-03') AS locked;
SELECT who, composite, calibrated, final, original, grade FROM finals WHERE cycle = '2023Q2' ORDER BY final DESC, who;
SELECT * FROM verify();

-- small groups: at most one top grade, free otherwise --------------------------------------------
SELECT create_cycle('2023Q4', '2023-10-01', '2023-12-31', 'ONE') > 0 AS made, open_cycle('2023Q4') AS reviews;
SELECT e AS who, submit_score('2023Q4', e, '总评', v, '按事实评分,' || e) AS composite FROM (VALUES ('E002', 95), ('E003', 92), ('E010', 91), ('E011', 60)) AS p (e, v);
SELECT open_calibration('S', '2023Q4', 'EAST', '标准', 'hard', 'refuse') > 0 AS opened;
SELECT * FROM calibration_report('S');
SELECT * FROM suggest_calibration('S');
SELECT * FROM close_calibration('S');
\echo :LAST_ERROR_SQLSTATE
-- four are small below five; not below four: 0.4, 1.2, 2 and 0.4
BEGIN; SELECT set_setting('calibration.small_unit', '4'); SELECT * FROM suggest_calibration('S'); ROLLBACK;
BEGIN; SELECT set_setting('calibration.small_unit', NULL); SELECT seats FROM calibration_report('S'); ROLLBACK;
\set VERBOSITY sqlstate
SELECT set_setting('calibration.small_unit', '-1');
\set VERBOSITY default
-- two best ones: refused, or neither, whatever the rule
BEGIN; SELECT calibrate('S', 'E003', 95, '并列') AS final; SELECT * FROM suggest_calibration('S'); ROLLBACK;
BEGIN; SELECT calibrate('S', 'E003', 95, '并列') AS final; SELECT * FROM close_calibration('S'); ROLLBACK;
BEGIN;
SELECT open_calibration('P', '2023Q4', 'PROD', '标准', 'hard', 'up') > 0 AS opened;
SELECT submit_score('2023Q4', e, '总评', 95, '并列,' || e) AS composite FROM unnest(ARRAY['E030', 'E031']) e;
SELECT * FROM suggest_calibration('P');
SELECT apply_calibration('P', '并列不取') AS moved;
SELECT * FROM close_calibration('P');
SELECT * FROM verify();
ROLLBACK;
SELECT apply_calibration('S', '小团队') AS moved;
SELECT * FROM close_calibration('S');
SELECT * FROM verify();
-- nobody at all
SELECT open_calibration('N', '2023Q4', 'TECH', '标准') > 0 AS opened;
SELECT * FROM calibration_excluded('N');
SELECT * FROM suggest_calibration('N');
SELECT * FROM close_calibration('N');
SELECT open_calibration('W', '2023Q4', 'PROD') > 0 AS opened;
SELECT * FROM suggest_calibration('W');
\echo :LAST_ERROR_SQLSTATE

-- REV-07 anonymous scores stay so: only HR sees what they come to, before the lock
SELECT submit_score('2023Q4', 'E031', '总评', 80, '产量达标') AS composite, submit_score('2023Q4', 'E031', '总评', 90, rater => 'E021', rater_group => 'peer') IS NOT NULL AS peer;
BEGIN; SELECT act_as('E030') > 0 AS acts; SELECT * FROM calibration_report('W'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E030') > 0 AS acts; SELECT * FROM close_calibration('W'); ROLLBACK;
BEGIN; SELECT act_as('E030') > 0 AS acts; SELECT calibrate('W', 'E031', 85, '旺季支援') AS final; SELECT line FROM explain_score('2023Q4', 'E031');
SELECT calibrate('W', 'E031', NULL, '撤回') AS without_peers; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT calibrate('W', 'E031', 85, '旺季支援') AS final; SELECT line FROM explain_score('2023Q4', 'E031');
SELECT calibrate('W', 'E031', NULL, '撤回') AS with_peers; SELECT before, after FROM calibration_report('W'); ROLLBACK;
-- who is not rated does not take part
SELECT exempt_review('2023Q4', 'E030', '长期病假') AS status;
SELECT * FROM calibration_excluded('W');
SELECT calibrate('W', 'E030', 85, '不参加');
SELECT * FROM verify();

-- verify() finds what went round the rules
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE review SET calibrated = 99 WHERE review_id = find_review('2023Q2', 'E010');
UPDATE review SET calibrated = NULL, calibrated_by = NULL WHERE review_id = find_review('2023Q2', 'E020');
UPDATE review_result SET original = NULL WHERE review_id = find_review('2023Q2', 'E002') AND reopened_by IS NULL;
UPDATE calibration SET reason = '改写' WHERE review_id = find_review('2023Q2', 'E021');
UPDATE calibration SET decided_by = find_employee('E030') WHERE review_id = find_review('2023Q2', 'E030');
UPDATE decision SET inputs = jsonb_set(inputs, '{people,E010}', '[88, 99]') WHERE kind = 'calibration.close' AND inputs ->> 'session' = 'H';
UPDATE decision SET inputs = jsonb_set(inputs, '{people,E010}', '[91, 94]') WHERE kind = 'calibration.close' AND inputs ->> 'session' = 'S';
UPDATE calibration_session SET status = 'closed', closed_at = now() WHERE code = 'W';
UPDATE review SET composite = 93 WHERE review_id = find_review('2023Q4', 'E003');
SELECT problem, table_name, expected, found FROM verify() ORDER BY 1, 2, 3, 4;
ROLLBACK;
DELETE FROM review WHERE review_id = find_review('2023Q4', 'E010');
\echo :LAST_ERROR_SQLSTATE
DROP SCHEMA calibrate_test CASCADE;
