-- measure: live scores, gap to the target, who is below the department's mean (LIV-01, LIV-02).
\set books live_test
\set by_hand '{initial_score}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW live AS
  SELECT c.code AS cycle, e.employee_no AS who, i.code AS indicator, s.facts, s.attainment, s.value, s.points
    FROM initial_score s JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
    JOIN indicator i ON i.indicator_id = s.indicator_id ORDER BY c.code, e.employee_no, i.indicator_id;

-- LIV-01.1: what one system sends, added up: 300,000 and 200,000 are 500,000
SELECT create_indicator('合同金额', definition => '签约金额', standard => '按完成率', kind => 'quantitative') > 0 AS made,
       create_indicator('响应时间', definition => '平均响应', standard => '越短越好', kind => 'quantitative', direction => 'lower', aggregation => 'mean') > 0 AS made,
       create_indicator('在手订单', definition => '期末', standard => '按完成率', kind => 'quantitative', aggregation => 'last') > 0 AS made;
SELECT create_template('LIVE', '[{"indicator": "合同金额", "weight": 40, "facts": {"target": 1000000}}, {"indicator": "响应时间", "weight": 30, "facts": {"target": 2}},
                                 {"indicator": "在手订单", "weight": 20, "facts": {"target": 8}}, {"indicator": "客户满意度", "weight": 10}]') > 0 AS made, activate_template('LIVE') > 0 AS active;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'LIVE') > 0 AS made;
SELECT record_measurement('E010', '合同金额', '2023-01-05', '{"actual": 300000}', 'crm', 'c-1') > 0 AS before_the_cycle_is_open;
SELECT count(*) AS nothing_live_yet FROM live;
SELECT open_cycle('2023Q1') AS reviews;
SELECT 'LIV-01.1' AS id, who, indicator, facts, value FROM live;
SELECT record_measurement('E010', '合同金额', '2023-02-05', '{"actual": 200000}', 'crm', 'c-2') > 0 AS stored;
SELECT 'LIV-01.1' AS id, who, indicator, facts, value, points FROM live WHERE indicator = '合同金额';
-- LIV-01.2: the same source and key twice is one row, and counts once
SELECT record_measurement('E010', '合同金额', '2023-02-05', '{"actual": 200000}', 'crm', 'c-2') = measurement_id AS same_key FROM measurement WHERE external_id = 'c-2';
SELECT 'LIV-01.2' AS id, (SELECT count(*) FROM measurement WHERE external_id = 'c-2') AS rows, facts ->> 'actual' AS actual FROM live WHERE indicator = '合同金额';
-- mean and last; what comes late for an earlier day is not the last
SELECT count(record_measurement('E010', i, d::date, jsonb_build_object('actual', a))) AS stored FROM (VALUES
  ('响应时间', '2023-01-10', 1), ('响应时间', '2023-02-10', 4), ('在手订单', '2023-03-01', 6), ('在手订单', '2023-02-01', 9)) AS m (i, d, a);
SELECT indicator, facts, value, points FROM live WHERE who = 'E010';
SELECT score, gap, measured_weight, missing_inputs, line FROM live_board;
-- a correction and a deletion move it too; a reading does not change hands
UPDATE measurement SET facts = '{"actual": 500000}' WHERE external_id = 'c-2';
SELECT facts, value FROM live WHERE indicator = '合同金额';
UPDATE measurement SET measured_on = '2023-04-01' WHERE external_id = 'c-2';
SELECT facts, value FROM live WHERE indicator = '合同金额';
UPDATE measurement SET measured_on = '2023-03-31' WHERE external_id = 'c-2';
UPDATE measurement SET employee_id = find_employee('E011') WHERE external_id = 'c-2'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM measurement WHERE external_id = 'c-2';
SELECT facts, value FROM live WHERE indicator = '合同金额';
-- another way of gathering holds for open reviews at once
UPDATE indicator SET aggregation = 'sum' WHERE code = '在手订单';
SELECT facts, value FROM live WHERE indicator = '在手订单';
SELECT * FROM verify();

-- LIV-01.3: the score is locked: a reading is kept and listed, the score stays; an unlock lets it count
SELECT count(submit_score('2023Q1', 'E010', i, v, '看过实绩', facts => f::jsonb)) AS scored FROM (VALUES ('客户满意度', 80, NULL), ('合同金额', NULL, '{"actual": 300000}'), ('响应时间', NULL, '{"actual": 2.5}'), ('在手订单', NULL, '{"actual": 15}')) AS s (i, v, f);
SELECT lock_review('2023Q1', 'E010', '2023-04-01') AS locked;
SELECT value AS before FROM live WHERE indicator = '合同金额';
SELECT record_measurement('E010', '合同金额', '2023-03-30', '{"actual": 700000}', 'crm', 'c-9') > 0 AS kept;
SELECT 'LIV-01.3' AS id, (SELECT count(*) FROM measurement WHERE external_id = 'c-9') AS kept, l.value, x.composite AS locked_score
  FROM live l, review_result x WHERE l.indicator = '合同金额' AND x.review_id = find_review('2023Q1', 'E010') AND x.reopened_by IS NULL;
SELECT 'LIV-01.3' AS id, cycle_code, employee_no, indicator_code, measured_on, facts, source, external_id, recorded_at > locked_at AS late FROM late_measurement;
SELECT record_measurement('E010', '合同金额', '2023-04-02', '{"actual": 1}') > 0 AS of_no_cycle, (SELECT count(*) FROM late_measurement) AS late;
SELECT * FROM verify();
SELECT unlock_review('2023Q1', 'E010', '合同补录') AS open;
SELECT value FROM live WHERE indicator = '合同金额';
SELECT count(*) AS late FROM late_measurement;
SELECT * FROM verify();

-- LIV-02.1: 85 of 100 are 15 short, in these words
SELECT create_template('ONE', '[{"indicator": "客户满意度", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active,
       create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'ONE') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT record_measurement('E021', '客户满意度', '2023-04-30', '{"score": 85}') > 0 AS stored;
SELECT 'LIV-02.1' AS id, employee_no, score, gap, line FROM live_board WHERE cycle_code = '2023Q2';
SELECT line = '当前业绩得分85分,距离目标还差15分' AS to_the_letter FROM live_board WHERE cycle_code = '2023Q2';
BEGIN; SELECT act_as('E021') > 0 AS acting; SELECT employee_no, line FROM live_board; COMMIT;
BEGIN; SELECT act_as('E020') > 0 AS acting; SELECT employee_no, gap FROM live_board; COMMIT;
BEGIN; SELECT act_as('E031') > 0 AS acting; SELECT count(*) AS of_others FROM live_board; COMMIT;
-- the target is a setting; at it nothing is missing
BEGIN; SELECT set_setting('live.target', '85'); SELECT gap, line FROM live_board WHERE cycle_code = '2023Q2'; ROLLBACK;
BEGIN; SELECT set_setting('live.target', '85.01'); SELECT gap, line FROM live_board WHERE cycle_code = '2023Q2'; ROLLBACK;
-- the same transaction sees it, a rollback takes it back
BEGIN;
UPDATE measurement SET facts = '{"score": 60.5}' WHERE employee_id = find_employee('E021');
SELECT score, gap, line FROM live_board WHERE cycle_code = '2023Q2';
ROLLBACK;
SELECT score, gap FROM live_board WHERE cycle_code = '2023Q2';
-- LIV-02.2: 78, 84, 90 in one department: the mean is 84, and only 78 is below it
SELECT record_measurement('E003', '客户满意度', '2023-05-01', '{"score": 84}') > 0 AS a, record_measurement('E010', '客户满意度', '2023-05-01', '{"score": 78}') > 0 AS b,
       record_measurement('E011', '客户满意度', '2023-05-01', '{"score": 90}') > 0 AS c;
SELECT 'LIV-02.2' AS id, employee_no, unit_code, value, round(unit_mean, 2) AS mean, people, line FROM below_average;
SELECT line = '客户满意度评分低于部门平均,需加强客户跟进' AS to_the_letter FROM below_average;
BEGIN; SELECT act_as('E011') > 0 AS acting; SELECT count(*) AS of_others FROM below_average; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acting; SELECT line FROM below_average; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acting, sentence('live.below_average', '{"indicator": "Service"}', 'en') AS english, sentence('live.gap', '{"score": 85.50, "gap": 14.50}', 'en') AS english; COMMIT;
-- one more arrives: now the mean is 82.5
SELECT record_measurement('E031', '客户满意度', '2023-05-01', '{"score": 10}') > 0 AS another_department, (SELECT count(*) FROM below_average) AS still_one;
UPDATE measurement SET facts = '{"score": 100}' WHERE employee_id = find_employee('E011') AND measured_on = '2023-05-01';
SELECT employee_no, value, unit_mean FROM below_average ORDER BY employee_no;

-- many readings in one statement are what they are one by one
SELECT create_template('TWO', '[{"indicator": "合同金额", "weight": 60, "facts": {"target": 100000}}, {"indicator": "响应时间", "weight": 40, "facts": {"target": 5}}]') > 0 AS made, activate_template('TWO') > 0 AS active,
       create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'TWO') > 0 AS made, open_cycle('2023Q3') AS reviews;
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT e.employee_id, find_indicator(i), date '2023-07-01' + n % 92, jsonb_build_object('actual', 1 + n % 10), 'bulk', e.employee_no || i || n
  FROM employee e, unnest(ARRAY['合同金额', '响应时间']) AS i, generate_series(1, 100) AS n;
SELECT count(*) AS people, min(score) AS least, max(score) AS most, sum(missing_inputs) AS missing FROM live_board WHERE cycle_code = '2023Q3';
SELECT facts, attainment, value, points FROM live WHERE cycle = '2023Q3' AND who = 'E010';
SELECT score_initial('2023Q3') AS without_gaps;
DELETE FROM measurement WHERE source = 'bulk' AND measured_on >= '2023-08-01';
SELECT facts, attainment, value, points FROM live WHERE cycle = '2023Q3' AND who = 'E010';
SELECT * FROM verify();
-- verify() sees a live score that its readings do not come to, and one that went
BEGIN;
UPDATE initial_score SET value = 79, points = 79 WHERE review_id = find_review('2023Q2', 'E010');
SELECT problem, table_name, expected, found FROM verify();
ROLLBACK;
BEGIN;
DELETE FROM initial_score WHERE review_id = find_review('2023Q2', 'E010');
SELECT problem, table_name, expected, found FROM verify();
ROLLBACK;
BEGIN;
UPDATE initial_score SET points = points + 1 WHERE review_id = find_review('2023Q2', 'E011');
SELECT problem, table_name, expected, found FROM verify();
ROLLBACK;
DROP SCHEMA live_test CASCADE;
