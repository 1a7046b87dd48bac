-- calibrate: distributions, sessions, calibrated scores.
\set books calibrate_test
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

-- nothing is there yet
SELECT calibrate('A', 'E010', 80, '无此会'); \echo :LAST_ERROR_SQLSTATE
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
SELECT * FROM distribution_seats('标准', -1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM distribution_seats('标准', NULL);
SELECT * FROM distribution_seats('没有', 1);
SELECT * FROM distribution_seats(NULL, 1);
-- what is no distribution
SELECT create_distribution('坏', '{"优秀": 10, "良好": 80}'); \echo :LAST_ERROR_SQLSTATE
SELECT create_distribution('坏', '{"优秀": 10.00001, "良好": 90}');
SELECT create_distribution('坏', '{"优秀": -10, "良好": 110}');
SELECT create_distribution('坏', '{"优秀": "10", "良好": 90}');
SELECT create_distribution('坏', '{"优秀": null, "良好": 100}');
SELECT create_distribution('坏', '{"卓越": 10, "良好": 90}'); \echo :LAST_ERROR_SQLSTATE
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
SELECT open_calibration('A', '2023Q1'); \echo :LAST_ERROR_SQLSTATE
SELECT open_cycle('2023Q1') AS reviews;
SELECT e AS who, submit_score('2023Q1', e, '总评', v, '按事实评分,' || e, rater => CASE e WHEN 'E001' THEN 'E090' END) AS composite
  FROM (VALUES ('E001', 88), ('E002', 92), ('E003', 91), ('E010', 91), ('E011', 66), ('E020', 85), ('E021', 85), ('E030', 74), ('E031', 74), ('E091', 78)) AS p (e, v);
SELECT open_calibration('A', '2023Q1', mode => 'hard'); \echo :LAST_ERROR_SQLSTATE
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
BEGIN; SELECT act_as('E020') > 0 AS acts, open_calibration('A', '2023Q1', 'SH'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acts, open_calibration('A', '2023Q1', 'EAST'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts, open_calibration('A', '2023Q1'); ROLLBACK;
BEGIN; SELECT act_as('E002') > 0 AS acts, open_calibration('A', '2023Q1', 'SH') > 0 AS head_above; ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS acts, open_calibration('A', '2023Q1') > 0 AS executive; ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, open_calibration('A', '2023Q1', 'EAST') > 0 AS opened; COMMIT;
-- one at a time for the same people, above, below or beside
SELECT open_calibration('B', '2023Q1', 'SH'); \echo :LAST_ERROR_SQLSTATE
SELECT open_calibration('B', '2023Q1');
SELECT open_calibration('A', '2023Q1', 'TECH');
BEGIN; SELECT open_calibration('B', '2023Q1', 'TECH') > 0 AS beside; ROLLBACK;
SELECT kind, decided_by, inputs, outcome FROM decision WHERE kind LIKE 'calibration.%';
SELECT * FROM calibration_report('A');
-- a score that is missing stays out
SELECT * FROM calibration_excluded('A');

-- calibrate ---------------------------------------------------------------------------
BEGIN; SELECT act_as('E090') > 0 AS acts, calibrate('A', 'E010', 84.5, '与同店相比,客户较易') AS final; COMMIT;
SELECT * FROM finals WHERE who = 'E010';
-- the original stays, the newest supersedes, NULL withdraws
BEGIN; SELECT act_as('E002') > 0 AS acts, calibrate('A', 'E010', 79.99995, '复议') AS final; COMMIT;
BEGIN; SELECT act_as('E001') > 0 AS acts, calibrate('A', 'E010', NULL, '撤回') AS final; COMMIT;
SELECT * FROM calibrations;
SELECT calibrate('A', 'E010', NULL, '再撤回'); \echo :LAST_ERROR_SQLSTATE
SELECT kind, decided_by, inputs, outcome, reason FROM decision WHERE employee_id = find_employee('E010') AND kind LIKE 'calibration.%' ORDER BY decision_id;
-- who may not: oneself, somebody else's head, the manager who is no head, nobody's friend
BEGIN; SELECT act_as('E002') > 0 AS acts, calibrate('A', 'E002', 99, '自评'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acts, calibrate('A', 'E010', 80, '外部门'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS acts, calibrate('A', 'E010', 80, '同事'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts, calibrate('A', 'E010', 80, '店长') AS head; ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM suggest_calibration('A'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM calibration_report('A'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM calibration_excluded('A'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM close_calibration('A'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- reasons and values
SELECT calibrate('A', 'E010', 80, NULL); \echo :LAST_ERROR_SQLSTATE
SELECT calibrate('A', 'E010', 80, E'\u3000……');
SELECT calibrate('A', 'E010', 101, '过高'); \echo :LAST_ERROR_SQLSTATE
SELECT calibrate('A', 'E010', -1, '过低');
SELECT calibrate('A', 'E010', 'NaN', '不是数');
SELECT calibrate('A', 'E010', 'Infinity', '无穷');
SELECT calibrate('A', NULL, 80, '无人');
SELECT calibrate('A', 'E999', 80, '无此人');
SELECT calibrate('Z', 'E010', 80, '无此会'); \echo :LAST_ERROR_SQLSTATE
SELECT calibrate(NULL, 'E010', 80, '无此会');
SELECT calibrate('A', 'E020', 80, '不在会中'); \echo :LAST_ERROR_SQLSTATE
-- nothing but a session writes it
\set VERBOSITY sqlstate
UPDATE review SET calibrated = 100 WHERE review_id = find_review('2023Q1', 'E010');
\set VERBOSITY default
UPDATE review SET calibrated = 100, calibrated_by = (SELECT max(decision_id) FROM decision) WHERE review_id = find_review('2023Q1', 'E010'); \echo :LAST_ERROR_SQLSTATE
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
DELETE FROM calibration_session; \echo :LAST_ERROR_SQLSTATE
UPDATE calibration_session SET org_unit_id = NULL;
UPDATE calibration_session SET mode = 'hard', distribution_id = find_distribution('标准'); \echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO calibration (calibration_session_id, review_id, original, calibrated, reason)
SELECT find_calibration('A'), r.review_id, r.composite, 70, '成批' FROM review r WHERE r.cycle_id = find_cycle('2023Q1') AND r.org_unit_id = find_unit('SH') ORDER BY 2;
SELECT * FROM finals WHERE who IN ('E003', 'E010', 'E011');
SELECT * FROM verify();
ROLLBACK;

SELECT * FROM verify();
DROP SCHEMA calibrate_test CASCADE;
