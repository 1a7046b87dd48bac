-- calibrate: what follows a calibrated score: plan, grade, raise, unlock, appeal.
\set books calibrated_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
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

-- a session with three decisions about one person
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, open_cycle('2023Q1') AS reviews;
SELECT e AS who, submit_score('2023Q1', e, '总评', v, '按事实评分,' || e, rater => CASE e WHEN 'E001' THEN 'E090' END) AS composite
  FROM (VALUES ('E001', 88), ('E002', 92), ('E003', 91), ('E010', 91), ('E011', 66), ('E020', 85), ('E021', 85), ('E030', 74), ('E031', 74), ('E091', 78)) AS p (e, v);
BEGIN; SELECT act_as('E090') > 0 AS acts, open_calibration('A', '2023Q1', 'EAST') > 0 AS opened, calibrate('A', 'E010', 84.5, '与同店相比,客户较易') AS final; COMMIT;
BEGIN; SELECT act_as('E002') > 0 AS acts, calibrate('A', 'E010', 79.99995, '复议') AS final; COMMIT;
BEGIN; SELECT act_as('E001') > 0 AS acts, calibrate('A', 'E010', NULL, '撤回') AS final; COMMIT;

-- what follows: plan, grade, raise, talk --------------------------------------------------
SELECT * FROM finals WHERE who IN ('E010', 'E011');
SELECT count(*) AS drafts FROM development_plan p WHERE p.status = 'draft' AND p.employee_id = find_employee('E011');
-- 66 becomes 72: no plan is due; 91 becomes 68: one is; 92 becomes 89
SELECT calibrate('A', 'E011', 72, '区域困难') AS final, calibrate('A', 'E010', 68, '业绩靠老客户') AS final;
BEGIN; SELECT act_as('E090') > 0 AS acts, calibrate('A', 'E002', 89, '与其他分公司相比') AS final; COMMIT;
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
SELECT calibrate('A', 'E010', 80, '会后'); \echo :LAST_ERROR_SQLSTATE
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
SELECT calibrate('A2', 'E010', 80, '锁定后'); \echo :LAST_ERROR_SQLSTATE
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
SELECT calibrate('A2', 'E011', 80, '无评分'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();

-- an appeal: rejected, the calibrated score stands; upheld, it is void
BEGIN; SELECT act_as('E002') > 0 AS acts, file_appeal('2023Q1', 'E002', '不认可校准', '2023-04-05') > 0 AS filed; COMMIT;
-- the only one of HR calibrated it
SELECT set_setting('four_eyes.appeal', 'false') AS four_eyes;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E002', false, '维持', on_date => '2023-04-06') AS final; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E002', true, '更正原分', '{"总评": 94}', '2023-04-06') AS final; COMMIT;
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

SELECT s.code, o.employee_no AS opened_by, c.employee_no AS closed_by FROM calibration_session s LEFT JOIN employee o ON o.employee_id = s.opened_by
  LEFT JOIN employee c ON c.employee_id = s.closed_by ORDER BY 1;
DROP SCHEMA calibrated_test CASCADE;
