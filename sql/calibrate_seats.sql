-- calibrate: a session by a distribution: seats, ties, small groups, anonymous scores.
\set books seats_test
\set by_hand '{review,review_result,decision}'
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

SELECT create_distribution('标准', '{"待改进": 10, "合格": 50, "优秀": 10, "良好": 30}', '四级分布') > 0 AS made;

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
SELECT * FROM suggest_calibration('H'); \echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('H', '按分布');
SELECT * FROM close_calibration('H'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q2', 'E091', '总评', 71, '评分') AS composite;
-- eleven people are 1, 3, 6 and 1; ties that are refused name who shares them
SELECT * FROM distribution_seats('标准', 11);
SELECT * FROM suggest_calibration('H'); \echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('H', '按分布');
SELECT * FROM close_calibration('H');
SELECT count(*) AS calibrated FROM review WHERE calibrated IS NOT NULL AND cycle_id = find_cycle('2023Q2');
-- people decide
BEGIN; SELECT act_as('E090') > 0 AS acts, calibrate('H', 'E002', 94.5, '难度略低') AS final, calibrate('H', 'E010', 88.5, '贡献略大') AS final; COMMIT;
SELECT * FROM close_calibration('H'); \echo :LAST_ERROR_SQLSTATE
SELECT apply_calibration('H', '  '); \echo :LAST_ERROR_SQLSTATE
-- nobody is locked meanwhile, by no way
SELECT lock_review('2023Q2', 'E010'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_cycle('2023Q2');
UPDATE review SET status = 'locked' WHERE review_id = find_review('2023Q2', 'E031');
-- all at once, not by one whom it moves
BEGIN; SELECT act_as('E091') > 0 AS acts, apply_calibration('H', '按分布'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acts, apply_calibration('H', '按分布'); ROLLBACK;
SELECT * FROM suggest_calibration('H');
BEGIN; SELECT act_as('E090') > 0 AS acts, apply_calibration('H', '按分布') AS moved, apply_calibration('H', '按分布') AS again; COMMIT;
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
SELECT * FROM close_calibration('S'); \echo :LAST_ERROR_SQLSTATE
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
SELECT * FROM suggest_calibration('W'); \echo :LAST_ERROR_SQLSTATE

-- REV-07 anonymous scores stay so: only HR sees what they come to, before the lock
SELECT submit_score('2023Q4', 'E031', '总评', 80, '产量达标') AS composite, submit_score('2023Q4', 'E031', '总评', 90, rater => 'E021', rater_group => 'peer') IS NOT NULL AS peer;
BEGIN; SELECT act_as('E030') > 0 AS acts; SELECT * FROM calibration_report('W'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E030') > 0 AS acts; SELECT * FROM close_calibration('W'); ROLLBACK;
BEGIN; SELECT act_as('E030') > 0 AS acts, calibrate('W', 'E031', 85, '旺季支援') AS final; SELECT line FROM explain_score('2023Q4', 'E031');
SELECT calibrate('W', 'E031', NULL, '撤回') AS without_peers; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, calibrate('W', 'E031', 85, '旺季支援') AS final; SELECT line FROM explain_score('2023Q4', 'E031');
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
DELETE FROM review WHERE review_id = find_review('2023Q4', 'E010'); \echo :LAST_ERROR_SQLSTATE
DROP SCHEMA seats_test CASCADE;
