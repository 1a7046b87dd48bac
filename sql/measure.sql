-- measure: readings, warnings, initial scores (IND-08, LIV-03, REV-02).
\set books measure_test
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE VIEW warned AS
  SELECT e.employee_no AS employee, i.code AS indicator, m.measured_on, round(w.attainment, 2) AS attainment, w.threshold, d.kind, n.recipient_role AS told, n.body
    FROM warning w JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) JOIN measurement m USING (measurement_id)
    JOIN decision d USING (decision_id) LEFT JOIN notification n ON n.decision_id = w.decision_id AND n.recipient_id = w.employee_id
   WHERE w.kind = 'threshold' AND w.withdrawn_by IS NULL
   ORDER BY e.employee_no, i.indicator_id, m.measured_on, m.measurement_id;
SELECT create_indicator('良品率', definition => '半成品经检验合格的比例', standard => '合格半成品数量/总半成品数量×100%', formula => '$.good / $.total * 100', warn_below => 90) > 0 AS made;

-- IND-08.1, LIV-03.1: 900 of 1,000 and no alert; 899 and one, in these words
SELECT record_measurement('E031', '良品率', '2023-01-10', '{"good": 900, "total": 1000}') > 0 AS stored;
SELECT 'IND-08.1' AS id, round(r.attainment, 2) AS yield, r.missing_input, (SELECT count(*) FROM warned) AS warnings FROM reading r;
SELECT record_measurement('E031', '良品率', '2023-01-11', '{"good": 899, "total": 1000}') > 0 AS stored;
SELECT 'IND-08.1' AS id, round(r.attainment, 2) AS yield, (SELECT count(*) FROM warned) AS warnings FROM reading r WHERE measured_on = '2023-01-11';
SELECT 'LIV-03.1' AS id, * FROM warned;
SELECT body = '您的良品率指标未达标,请查看生产记录调整流程' AS to_the_letter FROM warned;
SELECT d.cause, d.inputs, d.outcome FROM decision d WHERE d.kind = 'warning.threshold';
-- IND-08.2: counts of finished goods are no input; nothing produced gives no rate, and no alert
SELECT declare_fact('良品率', 'finished_good'), declare_fact('良品率', 'finished_total');
SELECT record_measurement('E030', '良品率', '2023-01-10', '{"finished_good": 800, "finished_total": 1000}') > 0 AS stored,
       record_measurement('E030', '良品率', '2023-01-11', '{"good": 0, "total": 0}') > 0 AS stored;
SELECT 'IND-08.2' AS id, r.measured_on, r.attainment AS yield, r.missing_input FROM reading r WHERE r.employee_id = find_employee('E030') ORDER BY r.measured_on;
SELECT count(*) AS warnings FROM warned WHERE employee = 'E030';

-- LIV-03.2: 89, 88, 91, 89: two crossings, one by one (E010) and in one statement (E011)
SELECT count(record_measurement('E010', '良品率', d::date, jsonb_build_object('good', g, 'total', 100))) AS stored
  FROM (VALUES ('2023-02-01', 89), ('2023-02-02', 88), ('2023-02-03', 91), ('2023-02-04', 89)) AS m (d, g);
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts)
SELECT find_employee('E011'), find_indicator('良品率'), d::date, jsonb_build_object('good', g, 'total', 100)
  FROM (VALUES ('2023-02-04', 89), ('2023-02-02', 88), ('2023-02-01', 89), ('2023-02-03', 91)) AS m (d, g);
SELECT 'LIV-03.2' AS id, employee, measured_on, attainment, body FROM warned WHERE employee IN ('E010', 'E011');
-- other series: just at the threshold, without recovery, several on one day, a gap in between, English
SELECT count(record_measurement(e, '良品率', d::date, f::jsonb)) AS stored FROM (VALUES
  ('E020', '2023-02-01', '{"good": 90, "total": 100}'), ('E020', '2023-02-02', '{"good": 8999999, "total": 10000000}'), ('E020', '2023-02-03', '{"good": 90, "total": 100}'), ('E020', '2023-02-04', '{"good": 0, "total": 100}'),
  ('E021', '2023-02-01', '{"good": 10, "total": 100}'), ('E021', '2023-02-01', '{"good": 95, "total": 100}'), ('E021', '2023-02-01', '{"good": 20, "total": 100}'), ('E021', '2023-02-02', '{"good": 30, "total": 100}'),
  ('E003', '2023-02-01', '{"good": 89, "total": 100}'), ('E003', '2023-02-02', '{"finished_good": 99}'), ('E003', '2023-02-03', '{"good": 88, "total": 100}'), ('E003', '2023-02-04', '{"good": 0, "total": 0}'), ('E003', '2023-02-05', '{"good": 87, "total": 100}')) AS m (e, d, f);
SELECT employee, measured_on, attainment, body FROM warned WHERE employee IN ('E003', 'E020', 'E021');
-- what comes late for an earlier day is judged by the day before it
SELECT record_measurement('E020', '良品率', '2023-01-31', '{"good": 80, "total": 100}') > 0 AS stored;
SELECT record_measurement('E020', '良品率', '2023-01-30', '{"good": 99, "total": 100}') > 0 AS stored;
SELECT measured_on, attainment FROM warned WHERE employee = 'E020';
-- another indicator has its own threshold, and the target of the cycle counts
SELECT create_indicator('产能', definition => 'd', standard => 's', kind => 'quantitative', warn_below => 75) > 0 AS made;
SELECT create_cycle('T1', '2023-01-01', '2023-03-31') > 0 AS made, set_target('T1', 'E031', '产能', '{"target": 200}') > 0 AS set;
SELECT record_measurement('E031', '产能', '2023-03-31', '{"actual": 149}') > 0 AS below, record_measurement('E031', '产能', '2023-04-01', '{"actual": 149}') > 0 AS without_target,
       record_measurement('E031', '客户满意度', '2023-03-31', '{"score": 1}') > 0 AS not_watched;
SELECT i.code, r.measured_on, r.attainment, r.missing_input FROM reading r JOIN indicator i USING (indicator_id) WHERE i.code IN ('产能', '客户满意度') ORDER BY i.code COLLATE "C", r.measured_on;
SELECT indicator, measured_on, attainment, threshold, body FROM warned WHERE indicator <> '良品率';
-- the same reading of a system is stored once and warns once
SELECT record_measurement('E090', '良品率', '2023-02-01', '{"good": 1, "total": 2}', source => 'qc', external_id => 'A1')
     = record_measurement('E090', '良品率', '2023-02-01', '{"good": 1, "total": 2}', source => 'qc', external_id => 'A1') AS same_key;
SELECT count(*) AS readings, (SELECT count(*) FROM warned WHERE employee = 'E090') AS warnings FROM measurement WHERE source = 'qc';
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id) VALUES (find_employee('E090'), find_indicator('良品率'), '2023-02-01', '{"good": 1}', 'qc', 'A1'); \echo :LAST_ERROR_SQLSTATE

-- errors of record_measurement (terse: the details show the time)
\set VERBOSITY terse
SELECT record_measurement('E999', '良品率', '2023-02-01', '{"good": 1, "total": 2}'); \echo :LAST_ERROR_SQLSTATE
SELECT record_measurement('E031', 'unknown', '2023-02-01', '{"good": 1, "total": 2}');
SELECT record_measurement('E031', '良品率', '2023-02-01', '{}'); \echo :LAST_ERROR_SQLSTATE
SELECT record_measurement('E031', '良品率', '2023-02-01', '[900, 1000]');
SELECT record_measurement('E031', '良品率', '2023-02-01', NULL);
SELECT record_measurement('E031', '良品率', NULL, '{"good": 1, "total": 2}');
SELECT record_measurement(NULL, '良品率', '2023-02-01', '{"good": 1, "total": 2}');
SELECT record_measurement('E031', NULL, '2023-02-01', '{"good": 1, "total": 2}');
SELECT record_measurement('E031', '良品率', '2023-02-01', '{"good": 1, "total": 2}', source => NULL);
\set VERBOSITY default

-- REV-02.1: the readings of a cycle become the initial score: 80/90/95/88/70 are 87.50, in five lines that sum to it
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'MAKE') > 0 AS made, open_cycle('2023Q1') AS reviews;
SELECT count(record_measurement('E031', i, '2023-03-31', jsonb_build_object('score', v))) AS stored
  FROM (VALUES ('创新提案', 80), ('客户反馈', 90), ('产量', 95), ('质量', 88), ('团队协作', 70)) AS m (i, v);
SELECT score_initial('2023Q1') AS without_gaps;
SELECT 'REV-02.1' AS id, t.employee_no, t.initial_score, t.missing_inputs, count(*) AS lines, sum(s.points) AS sum_of_points
  FROM initial_total t JOIN initial_score s USING (review_id) WHERE t.initial_score IS NOT NULL GROUP BY t.employee_no, t.initial_score, t.missing_inputs;
SELECT i.code, s.facts, s.attainment, s.value, s.points FROM initial_score s JOIN indicator i USING (indicator_id)
 WHERE s.review_id = find_review('2023Q1', 'E031') ORDER BY i.indicator_id;
-- REV-02.2: one reading is absent: no score, one missing input; it is not a zero
SELECT count(record_measurement('E030', i, '2023-01-01', jsonb_build_object('score', v))) AS stored
  FROM (VALUES ('创新提案', 80), ('客户反馈', 90), ('产量', 95), ('团队协作', 70)) AS m (i, v);
SELECT score_initial('2023Q1') AS without_gaps;
SELECT 'REV-02.2' AS id, t.initial_score, t.missing_inputs FROM initial_total t WHERE t.employee_no = 'E030' AND t.cycle_code = '2023Q1';
SELECT 'REV-02.2' AS id, m.employee_no, m.indicator_code, m.formula, m.facts FROM missing_input m WHERE m.employee_no = 'E030';
-- outside the cycle does not count, inside does; then it is complete
SELECT record_measurement('E030', '质量', '2022-12-31', '{"score": 50}') > 0 AS the_day_before, record_measurement('E030', '质量', '2023-04-01', '{"score": 50}') > 0 AS the_day_after;
SELECT score_initial('2023Q1') AS without_gaps;
SELECT record_measurement('E030', '质量', '2023-01-01', '{"score": "eighty"}') > 0 AS no_number;
SELECT score_initial('2023Q1') AS without_gaps;
SELECT record_measurement('E030', '质量', '2023-03-31', '{"score": 88}') > 0 AS the_last_day;
SELECT score_initial('2023Q1') AS without_gaps;
SELECT initial_score FROM initial_total WHERE employee_no = 'E030' AND cycle_code = '2023Q1';
-- again: nothing changes
SELECT score_initial('2023Q1') AS without_gaps, (SELECT count(*) FROM initial_score) AS rows;
-- it is evidence for the raters, no score
SELECT count(*) AS scores FROM score;

-- how readings become one fact; cap, floor and targets as in a score
SELECT create_indicator('合计', definition => 'd', standard => 's', formula => '$.good / $.total * 100') > 0 AS made,
       create_indicator('平均', definition => 'd', standard => 's', formula => '$.v', aggregation => 'mean') > 0 AS made,
       create_indicator('最近', definition => 'd', standard => 's', formula => '$.v + $.w', aggregation => 'last') > 0 AS made,
       create_indicator('达成', definition => 'd', standard => 's', kind => 'quantitative', cap => 120) > 0 AS made,
       create_indicator('成本', definition => 'd', standard => 's', formula => '($.target - $.actual) / $.target * 100') > 0 AS made;
SELECT create_template('AGG', '[{"indicator": "合计", "weight": 20}, {"indicator": "平均", "weight": 20}, {"indicator": "最近", "weight": 20}, {"indicator": "达成", "weight": 20, "facts": {"target": 10}}, {"indicator": "成本", "weight": 20, "facts": {"target": 100}}]') > 0 AS made,
       activate_template('AGG') > 0 AS active, create_cycle('AGG', '2023-07-01', '2023-09-30', 'AGG') > 0 AS made, set_target('AGG', 'E011', '达成', '{"target": 5}') > 0 AS set, open_cycle('AGG') AS reviews;
SELECT count(record_measurement(e, i, d::date, f::jsonb)) AS stored FROM (VALUES ('E010'), ('E011')) AS e (e), (VALUES
  ('合计', '2023-07-31', '{"good": 450, "total": 500}'), ('合计', '2023-08-31', '{"good": 449, "total": 500}'),
  ('平均', '2023-07-31', '{"v": 80}'), ('平均', '2023-08-31', '{"v": 85}'), ('平均', '2023-09-30', '{"v": 95}'),
  ('最近', '2023-09-01', '{"v": 40, "w": 30}'), ('最近', '2023-08-01', '{"v": 1, "w": 2}'), ('最近', '2023-09-02', '{"v": 45}'),
  ('达成', '2023-07-01', '{"actual": 6}'), ('达成', '2023-08-01', '{"actual": 7.5}'),
  ('成本', '2023-09-30', '{"actual": 108}')) AS m (i, d, f);
SELECT score_initial('AGG') AS without_gaps;
SELECT e.employee_no, i.code, s.facts, s.attainment, s.value, s.points FROM initial_score s JOIN indicator i USING (indicator_id) JOIN review r USING (review_id) JOIN employee e USING (employee_id)
 WHERE r.cycle_id = find_cycle('AGG') AND s.value IS NOT NULL ORDER BY e.employee_no, i.indicator_id;
SELECT employee_no, initial_score, missing_inputs FROM initial_total WHERE cycle_code = 'AGG' AND (initial_score IS NOT NULL OR employee_no = 'E020') ORDER BY employee_no;
-- a locked review keeps its evidence
SELECT count(submit_score('AGG', 'E010', i, 80, '看过实绩')) AS composites FROM unnest(ARRAY['合计', '平均', '最近', '达成', '成本']) AS i;
SELECT lock_review('AGG', 'E010', '2023-10-01') AS locked;
SELECT count(record_measurement(e, '合计', '2023-09-30', '{"good": 0, "total": 1000}')) AS stored FROM unnest(ARRAY['E010', 'E011']) AS e;
SELECT score_initial('AGG') AS without_gaps;
SELECT employee_no, initial_score FROM initial_total WHERE cycle_code = 'AGG' AND initial_score IS NOT NULL ORDER BY employee_no;
-- errors of score_initial
SELECT score_initial('unknown'); \echo :LAST_ERROR_SQLSTATE
SELECT score_initial(NULL);

-- who may: a machine that delivers readings; the warning is made for it
CREATE ROLE regress_measure_feed;
SET ROLE regress_measure_feed;
SELECT measure_test.record_measurement('E002', '良品率', '2023-02-01', '{"good": 50, "total": 100}'); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON SCHEMA measure_test TO regress_measure_feed;
SET ROLE regress_measure_feed;
SELECT record_measurement('E002', '良品率', '2023-02-01', '{"good": 50, "total": 100}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION record_measurement, find_employee, find_indicator, unknown_code TO regress_measure_feed;
GRANT SELECT, INSERT ON measurement TO regress_measure_feed;
GRANT SELECT ON indicator TO regress_measure_feed;
SET SESSION AUTHORIZATION regress_measure_feed;
SELECT record_measurement('E002', '良品率', '2023-02-01', '{"good": 50, "total": 100}'); \echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
-- row policies ask who delivers: the login belongs to somebody of HR
UPDATE employee SET db_role = 'regress_measure_feed' WHERE employee_no = 'E090';
SET SESSION AUTHORIZATION regress_measure_feed;
SELECT record_measurement('E002', '良品率', '2023-02-01', '{"good": 50, "total": 100}') > 0 AS stored;
SELECT count(*) FROM warning;
DELETE FROM measurement;
RESET SESSION AUTHORIZATION;
UPDATE employee SET db_role = NULL WHERE employee_no = 'E090';
SELECT employee, attainment, body FROM warned WHERE employee = 'E002';
REVOKE ALL ON ALL TABLES IN SCHEMA measure_test FROM regress_measure_feed;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA measure_test FROM regress_measure_feed;
REVOKE ALL ON SCHEMA measure_test FROM regress_measure_feed;
DROP ROLE regress_measure_feed;

SELECT count(*) AS differences FROM verify();
BEGIN;
UPDATE review SET composite = 81 WHERE review_id = find_review('AGG', 'E010');
SELECT problem, expected, found FROM verify() ORDER BY problem;
ROLLBACK;
DROP SCHEMA measure_test CASCADE;
