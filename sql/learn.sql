-- learn: training records, certifications and skill levels (TRN-05, TRN-14).
\set books learn_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW levels AS
  SELECT e.employee_no AS who, l.code AS level, lower(h.valid) AS from_day, upper(h.valid) AS until_day, h.superseded_by IS NOT NULL AS superseded
    FROM employee_skill_level h JOIN employee e USING (employee_id) JOIN skill_level l USING (skill_level_id)
   ORDER BY e.employee_no, h.superseded_by IS NOT NULL, lower(h.valid), h.employee_skill_level_id;
CREATE TEMP VIEW records AS
  SELECT e.employee_no AS who, r.code AS course, t.completed_on, t.score, t.passed, t.source, t.external_id
    FROM training_record t JOIN employee e USING (employee_id) JOIN resource r USING (resource_id) ORDER BY t.training_record_id;
INSERT INTO resource (code, name, kind) VALUES ('客户关系管理', '客户关系管理', 'course');

-- TRN-05 one event sent twice; what nobody knows goes to quarantine ------------------
SELECT 'TRN-05' AS id, record_training('E010', '客户关系管理', '2023-05-10', 90, external_id => 'ev-1') AS first,
       record_training('E010', '客户关系管理', '2023-05-10', 90, external_id => 'ev-1') AS second;
SELECT 'TRN-05' AS id, count(*) OVER () AS records, score, source, passed FROM records;
SELECT 'TRN-05' AS id, record_training('E010', '量子力学', '2023-05-11', 75, external_id => 'ev-2') AS course,
       record_training('E999', '客户关系管理', '2023-05-11', 75, external_id => 'ev-3') AS employee,
       record_training('E999', '资深销售', '2023-05-11', external_id => 'ev-4') AS both;
SELECT record_training('E999', '客户关系管理', '2023-05-11', 75, external_id => 'ev-3') AS again;
SELECT 'TRN-05' AS id, source, external_id, problem, payload, resolved_at IS NOT NULL AS resolved FROM quarantine ORDER BY quarantine_id;
-- once somebody mended the cause, the event sent again is stored
INSERT INTO resource (code, name, kind) VALUES ('量子力学', '量子力学', 'course');
SELECT record_training('E010', '量子力学', '2023-05-11', 75, external_id => 'ev-2');
SELECT external_id, resolved_at IS NOT NULL AS resolved FROM quarantine ORDER BY quarantine_id;
-- one pass mark, that of setting exam.pass_mark; the platform's own word wins
SELECT record_training('E011', '客户关系管理', '2023-05-12', 59.99, external_id => 'ev-5'), record_training('E011', '客户关系管理', '2023-05-13', 60, external_id => 'ev-6'),
       record_training('E011', '客户关系管理', '2023-05-15', 95, passed => false, external_id => 'ev-8'),
       record_training('E011', '客户关系管理', '2023-05-16', external_id => 'ev-9');
BEGIN; SELECT set_setting('exam.pass_mark', '80') AS mark; SELECT record_training('E011', '客户关系管理', '2023-05-14', 79, external_id => 'ev-7'); COMMIT;
-- a corrected score takes it along, what somebody said stays
BEGIN;
UPDATE training_record SET score = CASE external_id WHEN 'ev-7' THEN 80 ELSE 70 END WHERE external_id IN ('ev-7', 'ev-8');
SELECT external_id, score, passed FROM training_record WHERE external_id IN ('ev-7', 'ev-8') ORDER BY 1;
UPDATE training_record SET score = 79.5 WHERE external_id = 'ev-7'; UPDATE training_record SET score = 99, passed = false WHERE external_id = 'ev-9';
SELECT external_id, score, passed FROM training_record WHERE external_id IN ('ev-7', 'ev-9') ORDER BY 1;
ROLLBACK;
SELECT set_setting('exam.pass_mark', '60') AS mark;
-- the same key from another source is another event; without a key every call is one
SELECT record_training('E011', '客户关系管理', '2023-05-17', 61, source => 'other', external_id => 'ev-9');
-- by hand only with a reason
SELECT record_training('E011', '客户关系管理', '2023-05-18', 80, source => 'manual'); \echo :LAST_ERROR_SQLSTATE
SELECT record_training('E011', '客户关系管理', '2023-05-18', 80, source => 'manual', reason => '纸质试卷补录');
\set VERBOSITY terse
SELECT record_training('E011', '客户关系管理', '2023-05-18', 101, external_id => 'ev-10');
SELECT record_training('E011', '客户关系管理', NULL, 90, external_id => 'ev-11');
\set VERBOSITY default
SELECT record_training(NULL, NULL, NULL);
SELECT * FROM records;
SELECT 'TRN-05' AS id, occurred_on, kind, title FROM growth_archive g WHERE g.employee_id = find_employee('E010') ORDER BY growth_archive_id;

-- a finished course is progress of the plan that asks for it
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT submit_score('2023Q2', 'E010', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS locked;
-- finished before the plan, and failed: no progress
SELECT record_training('E010', '客户拓展技巧', '2023-06-30', 80, external_id => 'p-1'), record_training('E010', '客户拓展技巧', '2023-07-15', 50, external_id => 'p-2');
SELECT progress_pct FROM plan_overview WHERE employee_no = 'E010';
SELECT record_training('E010', '客户拓展技巧', '2023-07-20', 80, external_id => 'p-3'), record_training('E010', '客户拓展技巧', '2023-07-21', 85, external_id => 'p-4');
SELECT i.title, i.progress FROM plan_item i ORDER BY i.position;

-- TRN-14 levels follow certifications ------------------------------------------------
SELECT certify('E010', '初级销售', '2023-01-01', source => 'initial') > 0 AS certified;
SELECT certify('E010', '中级销售', '2023-03-15') > 0 AS certified;
SELECT 'TRN-14' AS id, * FROM levels WHERE who = 'E010' AND NOT superseded;
-- passing a lower one again, or failing a higher one, changes nothing
SELECT certify('E010', '初级销售', '2023-04-01') > 0 AS again, certify('E010', '高级销售', '2023-05-01', passed => false) > 0 AS failed;
SELECT 'TRN-14' AS id, * FROM levels WHERE who = 'E010' AND NOT superseded;
SELECT 'TRN-14' AS id, d.kind, d.inputs, d.outcome FROM decision d WHERE d.kind = 'skill.level' AND d.employee_id = find_employee('E010') ORDER BY d.decision_id;
-- what was known before stays readable
SELECT * FROM levels WHERE who = 'E010';

-- a course with its exam gives the certification that hangs on it
INSERT INTO skill_level (skill_id, rank, code, name) VALUES (find_skill('数据分析'), 1, '数据分析师', '数据分析师');
INSERT INTO certification (code, name, skill_level_id, resource_id)
SELECT '数据分析师', '数据分析师', skill_level_id, find_resource('数据分析') FROM skill_level WHERE code = '数据分析师';
SELECT record_training('E010', '数据分析', '2023-08-09', 40, external_id => 'c-1') AS failed;
SELECT count(*) FROM levels WHERE level = '数据分析师';
SELECT record_training('E010', '数据分析', '2023-08-10', 90, external_id => 'c-2') AS passed, record_training('E010', '数据分析', '2023-08-20', 95, external_id => 'c-3') AS again;
SELECT 'TRN-14' AS id, * FROM levels WHERE level = '数据分析师';

-- results that come out of order: the past is corrected, nothing is edited -------------
SELECT certify('E011', '高级销售', '2023-06-01') > 0 AS high;
SELECT * FROM levels WHERE who = 'E011';
SELECT certify('E011', '初级销售', '2023-02-01') > 0 AS low;
SELECT * FROM levels WHERE who = 'E011';
SELECT certify('E011', '中级销售', '2023-04-01') > 0 AS middle;
SELECT * FROM levels WHERE who = 'E011' AND NOT superseded;
-- a lower one from a day on which a higher one is held: nothing
SELECT certify('E011', '中级销售', '2023-07-01') > 0 AS later;
SELECT count(*) FILTER (WHERE NOT superseded) AS standing, count(*) AS all FROM levels WHERE who = 'E011';

-- an end by expiry: the level below holds again, or none
SELECT certify('E021', '初级销售', '2023-01-01') > 0 AS low, certify('E021', '高级销售', '2023-02-01', expires_on => '2023-05-01') > 0 AS high;
SELECT * FROM levels WHERE who = 'E021' AND NOT superseded;
SELECT certify('E031', '中级销售', '2023-01-01', expires_on => '2023-12-31') > 0 AS middle;
SELECT * FROM levels WHERE who = 'E031' AND NOT superseded;
-- renewed in time it never ends, renewed late there is a gap
SELECT certify('E031', '中级销售', '2023-12-01', expires_on => '2024-12-31') > 0 AS renewed, certify('E031', '中级销售', '2025-02-01') > 0 AS late;
SELECT * FROM levels WHERE who = 'E031' AND NOT superseded;

-- a reversal: from a day on, never for the past; from its first day: as if it had never been
SELECT reverse_certification('E010', '中级销售', '证书有误', '2023-06-01') > 0 AS reversed;
SELECT * FROM levels WHERE who = 'E010' AND level LIKE '%销售' AND NOT superseded;
SELECT reverse_certification('E011', '中级销售', '证书有误', '2023-03-01') > 0 AS reversed;
SELECT * FROM levels WHERE who = 'E011' AND NOT superseded;
SELECT reverse_certification('E010', '中级销售', '再次'); \echo :LAST_ERROR_SQLSTATE
SELECT reverse_certification('E010', '高级销售', '从未通过');
\set VERBOSITY terse
SELECT reverse_certification('E010', '初级销售', ' 。');
\set VERBOSITY default
SELECT reverse_certification('E010', '无', '无'), reverse_certification(NULL, NULL, NULL);
-- certified again after a reversal
SELECT certify('E010', '中级销售', '2023-09-01') > 0 AS certified;
SELECT * FROM levels WHERE who = 'E010' AND level LIKE '%销售' AND NOT superseded;

-- keys, order, append-only
SELECT certify('E090', '初级销售', '2023-01-01', source => 'platform', external_id => 'k1') = certify('E090', '初级销售', '2023-01-01', source => 'platform', external_id => 'k1') AS once;
SELECT count(*) FROM certification_result WHERE source = 'platform';
SELECT certify('E090', '初级销售', '2023-01-01', expires_on => '2023-01-01');
SELECT certify('E090', '专家', '2023-01-01');
SELECT certify('E090', NULL, '2023-01-01'); \echo :LAST_ERROR_SQLSTATE
UPDATE certification_result SET passed = false;
DELETE FROM certification_reversal;
TRUNCATE certification_result CASCADE;
-- a whole class in one statement of the table
INSERT INTO certification_result (employee_id, certification_id, achieved_on)
SELECT e.employee_id, find_certification('初级销售'), '2024-01-01' FROM employee e WHERE e.employee_no IN ('E001', 'E002', 'E003');
SELECT * FROM levels WHERE who IN ('E001', 'E002', 'E003');
SELECT 'certification', count(*) FROM growth_archive WHERE kind = 'certification';
-- the level that stays is that of another result: the archive says so
SELECT certify('E020', '高级销售', '2023-09-22') > 0 AS high, certify('E020', '高级销售', '2023-09-18') > 0 AS earlier, reverse_certification('E020', '高级销售', '复核未通过', '2023-12-20') > 0 AS reversed,
       certify('E020', '初级销售', '2023-09-02') > 0 AS low, certify('E020', '初级销售', '2023-08-22') > 0 AS earlier;
SELECT * FROM levels WHERE who = 'E020';

SELECT * FROM verify();
DROP SCHEMA learn_test CASCADE;
