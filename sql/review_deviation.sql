-- review: composite and self composite compared; a deviation needs a reason (REV-04).
\set books deviation_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, open_cycle('2023Q1') AS reviews;
CREATE TEMP VIEW locked AS
  SELECT e.employee_no AS who, r.status, x.version, x.composite, x.grade, d.inputs -> 'self' AS self, d.inputs -> 'deviation' AS deviation,
         d.inputs -> 'tolerance' AS tolerance, d.inputs ->> 'deviation_reason' AS reason
    FROM review r JOIN employee e USING (employee_id) LEFT JOIN review_result x ON x.review_id = r.review_id
    LEFT JOIN decision d USING (decision_id) ORDER BY 1, x.version;

-- REV-04.1 manager 85, self 95: a deviation of 10, tolerance 5
SELECT submit_score('2023Q1', 'E010', '总评', 85, '三家新客户,两次投诉') AS composite, submit_score('2023Q1', 'E010', '总评', 95, rater_group => 'self') AS same;
SELECT lock_review('2023Q1', 'E010', '2023-04-03'); \echo :LAST_ERROR_SQLSTATE
SELECT 'REV-04.1' AS id, who, status, composite FROM locked WHERE who = 'E010';
-- nor by the cycle, nor by the table
SELECT lock_cycle('2023Q1', '2023-04-03', skip_incomplete => true);
UPDATE review SET status = 'locked' WHERE review_id = find_review('2023Q1', 'E010');
SELECT count(*) AS proposals FROM salary_adjustment;
-- a reason is one, and is given by the manager or HR
SELECT explain_deviation('2023Q1', 'E010', ' 。!'); \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
UPDATE review SET deviation_reason = '--' WHERE review_id = find_review('2023Q1', 'E010');
\set VERBOSITY default
BEGIN; SELECT act_as('E010') > 0 AS acts, explain_deviation('2023Q1', 'E010', '我觉得没问题'); ROLLBACK;
BEGIN; SELECT act_as('E002') > 0 AS acts, explain_deviation('2023Q1', 'E010', '隔级'); ROLLBACK;
SELECT explain_deviation('2023Q1', 'E011', '无评分');
SELECT explain_deviation('2023Q1', 'E999', '无此人');
-- no self score, no comparison
SELECT submit_score('2023Q1', 'E011', '总评', 70.5, '按事实') AS composite, lock_review('2023Q1', 'E011', '2023-04-03') AS locked;
SELECT who, composite, self, deviation, reason FROM locked WHERE who = 'E011';
BEGIN;
SELECT act_as('E003') > 0 AS acts;
SELECT 'REV-04.1' AS id, explain_deviation('2023Q1', 'E010', '自评未计入两次投诉') AS deviation;
SELECT cycle_code, employee_no, manager_score, self_score, deviation, tolerance, reason_required, deviation_reason FROM score_deviation;
COMMIT;
SELECT 'REV-04.1' AS id, lock_review('2023Q1', 'E010', '2023-04-03') AS locked;
SELECT 'REV-04.1' AS id, * FROM locked WHERE who = 'E010';
SELECT decided_by, inputs, reason FROM decision WHERE kind = 'review.deviation';
-- and stays as the lock kept it
SELECT explain_deviation('2023Q1', 'E010', '换一个理由'); \echo :LAST_ERROR_SQLSTATE

-- REV-04.2 85 and 90: 5 is not more than 5; with tolerance 0 the same pair is refused, either way round
SELECT submit_score('2023Q1', e, '总评', m, '按事实评分,' || e) AS composite, submit_score('2023Q1', e, '总评', s, rater_group => 'self') AS same
  FROM (VALUES ('E020', 85, 90), ('E021', 90, 85), ('E030', 85, 90.0001), ('E031', 85, 85)) AS p (e, m, s);
BEGIN;
SELECT set_setting('review.tolerance', '0');
SELECT lock_review('2023Q1', 'E020', '2023-04-03');
ROLLBACK;
BEGIN;
SELECT set_setting('review.tolerance', '0');
SELECT lock_review('2023Q1', 'E021', '2023-04-03');
ROLLBACK;
BEGIN;
SELECT set_setting('review.tolerance', '0');
SELECT 'no deviation' AS pair, lock_review('2023Q1', 'E031', '2023-04-03') AS locked;
ROLLBACK;
SELECT 'REV-04.2' AS id, lock_review('2023Q1', 'E020', '2023-04-03') AS locked, lock_review('2023Q1', 'E021', '2023-04-03') AS other;
SELECT 'REV-04.2' AS id, * FROM locked WHERE who IN ('E020', 'E021');
-- a ten-thousandth more is more
SELECT lock_review('2023Q1', 'E030', '2023-04-03');
SELECT employee_no, deviation, reason_required, deviation_reason IS NULL AS none_given FROM score_deviation ORDER BY 1;
-- off: nothing is asked; and no tolerance is below zero
BEGIN;
SELECT set_setting('review.tolerance', NULL);
SELECT lock_review('2023Q1', 'E030', '2023-04-03') AS locked;
SELECT tolerance, reason_required FROM score_deviation WHERE employee_no = 'E030';
ROLLBACK;
SELECT set_setting('review.tolerance', '-1'); \echo :LAST_ERROR_SQLSTATE
-- a later tolerance does not judge what is locked
BEGIN;
SELECT set_setting('review.tolerance', '50');
SELECT tolerance, reason_required FROM score_deviation WHERE employee_no = 'E010';
ROLLBACK;

-- an unlock asks anew: the reason was for another pair
SELECT unlock_review('2023Q1', 'E010', '重新核对投诉') AS open;
SELECT lock_review('2023Q1', 'E010', '2023-04-10');
SELECT submit_score('2023Q1', 'E010', '总评', 92, '投诉不成立') AS composite, lock_review('2023Q1', 'E010', '2023-04-10') AS locked;
SELECT version, composite, deviation, reason FROM locked WHERE who = 'E010';

-- a reason holds for the difference that it was given for: 6 points are explained, 56 are not, nor is the other way round
SELECT submit_score('2023Q1', 'E030', '总评', 80, '按事实评分') AS composite, submit_score('2023Q1', 'E030', '总评', 86, rater_group => 'self') AS same;
SELECT explain_deviation('2023Q1', 'E030', '两项延期') AS deviation, submit_score('2023Q1', 'E030', '总评', 30, '重大失误') AS composite;
SELECT deviation, reason_required, deviation_reason FROM score_deviation WHERE employee_no = 'E030';
SELECT 'REV-04' AS id, lock_review('2023Q1', 'E030', '2023-04-10') AS locked;
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('2023Q1', 'E030', '总评', 92, '按事实评分') AS composite;
SELECT 'REV-04' AS id, lock_review('2023Q1', 'E030', '2023-04-10') AS locked;
-- back at the old difference it holds again; within the tolerance none is needed, and the lock keeps none that was for another
BEGIN; SELECT submit_score('2023Q1', 'E030', '总评', 80, '按事实评分') AS composite; SELECT lock_review('2023Q1', 'E030', '2023-04-10') AS locked; SELECT composite, deviation, reason FROM locked WHERE who = 'E030'; ROLLBACK;
BEGIN; SELECT submit_score('2023Q1', 'E030', '总评', 84, '按事实评分') AS composite; SELECT lock_review('2023Q1', 'E030', '2023-04-10') AS locked; SELECT composite, deviation, reason FROM locked WHERE who = 'E030'; ROLLBACK;
SELECT explain_deviation('2023Q1', 'E030', '自评漏报三个项目') AS deviation, lock_review('2023Q1', 'E030', '2023-04-10') AS locked;
SELECT composite, deviation, reason FROM locked WHERE who = 'E030';

-- who may not read both scores does not read the deviation
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT count(*) AS deviations FROM score_deviation; ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT employee_no, deviation FROM score_deviation; ROLLBACK;
SELECT * FROM verify();
DROP SCHEMA deviation_test CASCADE;
