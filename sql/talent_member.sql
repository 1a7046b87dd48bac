-- talent: what later results, appeals and other rules make of it; what verify() finds (REV-15).
\set books member_test
\set by_hand '{pool_evidence,pool_membership,promotion_case,recommendation,review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

\i :abs_srcdir/test/fixtures/pool.sql
SELECT e AS who, submit_score('2023Q1', e, '业绩', v, '按事实评分,' || e) IS NULL AS first, submit_score('2023Q1', e, '协作', w, '按事实评分,' || e) AS composite
  FROM (VALUES ('E010', 91, 93), ('E011', 90, 89.98), ('E021', 92, 88), ('E030', 95, 95)) AS s (e, v, w);
SELECT count(lock_review('2023Q1', e, '2023-04-03')) AS locked FROM unnest(ARRAY['E010', 'E011', 'E021', 'E030']) AS e;
SELECT unlock_review('2023Q1', 'E021', '复核数据') AS open, submit_score('2023Q1', 'E021', '协作', 87.98, '复核') AS composite, lock_review('2023Q1', 'E021', current_date) AS locked;

-- an appeal: no promotion is decided meanwhile; upheld, version 1 is withdrawn on the day of the verdict, 92 brings one of each
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算一项', '2023-04-04') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('2023Q1', 'E010', true, '同意'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '确有遗漏', '{"业绩": 95}', '2023-04-07') AS composite; COMMIT;
SELECT 'REV-15' AS id, * FROM four WHERE who = 'E010';
SELECT 'REV-15' AS id, * FROM members WHERE who = 'E010';
SELECT 'REV-15' AS id, * FROM courses WHERE who = 'E010';
SELECT 'REV-15' AS id, version, status FROM promotion_overview WHERE employee_no = 'E010' ORDER BY version;
-- an appeal lifts 89.99 to 90: all four
BEGIN; SELECT act_as('E011') > 0 AS acts, file_appeal('2023Q1', 'E011', '差一分', '2023-04-04') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E020') > 0 AS acts, decide_appeal('2023Q1', 'E011', true, '更正', '{"协作": 90}', '2023-04-07') AS composite; COMMIT;
SELECT 'REV-15' AS id, * FROM four WHERE who = 'E011';
SELECT * FROM verify();

-- the next cycle: who is a member keeps the one membership and has one more result for it
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'TWO') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT e AS who, submit_score('2023Q2', e, '业绩', v, '按事实评分,' || e) IS NULL AS first, submit_score('2023Q2', e, '协作', w, '按事实评分,' || e) AS composite
  FROM (VALUES ('E010', 91, 93), ('E011', 94, 92), ('E031', 90, 99)) AS s (e, v, w);
-- one course is passed, one is in a plan: the next that fits is recommended
SELECT record_training('E010', '业绩提升', '2023-05-01', 90, external_id => 't-1') AS passed, lock_review('2023Q2', 'E010', '2023-07-03') AS locked, lock_review('2023Q2', 'E011', '2023-07-03') AS locked;
SELECT 'REV-15' AS id, * FROM members WHERE who IN ('E010', 'E011');
SELECT 'REV-15' AS id, * FROM courses WHERE stands AND who IN ('E010', 'E011');
SELECT n.body FROM notification n WHERE n.kind = 'talent.confirmed' ORDER BY n.notification_id;
SELECT cycle_code, line FROM explain_talent('E010');
-- the older result goes: the newer one keeps the membership
SELECT unlock_review('2023Q1', 'E010', '数据有误') AS open;
SELECT 'REV-15' AS id, * FROM members WHERE who = 'E010';
SELECT lock_review('2023Q1', 'E010', '2023-07-04') AS locked;
SELECT 'REV-15' AS id, * FROM members WHERE who = 'E010';
SELECT * FROM verify();

-- nothing fits any more: HR is told and finds it in data_quality; a new course, results applied again, and it is gone
SELECT record_training('E031', c, '2023-05-01', 90, external_id => 't-' || c) AS passed FROM unnest(ARRAY['业绩提升', '高效协作']) AS c;
SELECT lock_review('2023Q2', 'E031', '2023-07-03') AS locked;
SELECT 'REV-15' AS id, * FROM four WHERE who = 'E031';
SELECT problem, table_name, employee_no AS who, cycle_code AS cycle FROM data_quality WHERE problem = 'excellent_without_course';
SELECT n.recipient_role, n.body FROM notification n WHERE n.kind = 'talent.no_course';
SELECT apply_results('2023Q2') AS nothing_new;
-- a resource that is no course is none
INSERT INTO resource (code, name, kind) VALUES ('资深导师', '资深导师', 'mentor');
INSERT INTO resource_tag (resource_id, indicator_id) VALUES (find_resource('资深导师'), find_indicator('业绩'));
SELECT apply_results('2023Q2') AS nothing_new;
-- the ladder: the position asks for sales skills, the first level has a course
INSERT INTO resource (code, name, kind) VALUES ('销售入门', '销售入门', 'course'), ('销售进阶', '销售进阶', 'course');
UPDATE certification SET resource_id = find_resource(CASE code WHEN '初级销售' THEN '销售入门' ELSE '销售进阶' END) WHERE code IN ('初级销售', '中级销售');
INSERT INTO job_skill (job_id, skill_id, required) VALUES (find_job('WORKER'), find_skill('销售'), 50);
BEGIN; SELECT act_as('E003') > 0 AS acts, apply_results('2023Q2'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, apply_results('2023Q2') AS decisions; COMMIT;
SELECT apply_results('2023Q2') AS nothing_new;
SELECT 'REV-15' AS id, * FROM courses WHERE who = 'E031';
SELECT n.body FROM notification n WHERE n.kind = 'talent.course.ladder';
SELECT count(*) AS problems FROM data_quality WHERE problem = 'excellent_without_course';
-- who stands on a level is shown the next one; what is in a plan is not recommended
SELECT certify('E031', '初级销售', '2023-06-01') > 0 AS certified;
SELECT unlock_review('2023Q2', 'E031', '复核') AS open, submit_score('2023Q2', 'E031', '业绩', 89, '复核') AS composite, lock_review('2023Q2', 'E031', current_date) AS locked;
SELECT * FROM courses WHERE who = 'E031';
SELECT set_setting('plan.score_threshold', '95') AS threshold;
SELECT unlock_review('2023Q2', 'E011', '复核') AS open, submit_score('2023Q2', 'E011', '业绩', 90, '复核') AS composite, lock_review('2023Q2', 'E011', current_date) AS locked;
SELECT i.title FROM development_plan p JOIN plan_item i USING (plan_id) WHERE p.review_id = find_review('2023Q2', 'E011') AND p.status = 'proposed' AND i.kind = 'course' ORDER BY i.position;
SELECT * FROM courses WHERE who = 'E011' AND stands;
SELECT set_setting('plan.score_threshold', '70') AS threshold;
SELECT * FROM verify();

-- rules are rows: another grade, another pool, without course, promotion or priority, from a day on
BEGIN;
INSERT INTO talent_pool (code, name, training_priority) VALUES ('reserve', '后备人才库', false);
INSERT INTO pool_rule (talent_pool_id, reason, grade, recommends, promotes, valid)
SELECT p.talent_pool_id, '考核良好', '良好', false, false, daterange('2023-07-01', NULL) FROM talent_pool p WHERE p.code = 'reserve';
SELECT submit_score('2023Q2', 'E021', '业绩', 85, '按事实评分') IS NULL AS first, submit_score('2023Q2', 'E021', '协作', 85, '按事实评分') AS composite, lock_review('2023Q2', 'E021', '2023-07-03') AS locked;
SELECT pool_code, reason, joined_on, training_priority FROM pool_member WHERE employee_no = 'E021' AND left_on IS NULL;
SELECT line FROM explain_talent('E021');
SELECT count(*) AS courses FROM courses WHERE who = 'E021' AND stands;
-- and the rule for 优秀 ends
UPDATE pool_rule SET valid = daterange(NULL, '2023-07-01') WHERE grade = '优秀';
SELECT submit_score('2023Q2', 'E030', '业绩', 95, '按事实评分') IS NULL AS first, submit_score('2023Q2', 'E030', '协作', 95, '按事实评分') AS composite, lock_review('2023Q2', 'E030', '2023-07-03') AS locked;
SELECT * FROM four WHERE who = 'E030' AND version = 1 AND stands;
INSERT INTO pool_rule (talent_pool_id, reason, grade) SELECT p.talent_pool_id, '重复', '优秀' FROM talent_pool p WHERE p.code = 'core'; \echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- who has left gets nothing
SELECT submit_score('2023Q2', 'E002', '业绩', 95, '按事实评分') IS NULL AS first, submit_score('2023Q2', 'E002', '协作', 95, '按事实评分') AS composite, leave('E002', '2023-07-01') > 0 AS left, lock_review('2023Q2', 'E002', '2023-07-03') AS locked;
SELECT * FROM four WHERE who = 'E002';
-- many at once, in two cycles of one statement
SELECT create_cycle(c, d, (d + interval '2 months')::date, 'TWO', kind => 'monthly') > 0 AS made, open_cycle(c) > 0 AS opened FROM (VALUES ('2023-07', date '2023-07-01'), ('2023-08', date '2023-08-01')) AS s (c, d);
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT r.review_id, i.indicator_id, find_employee('E001'), 95, '按事实评分' FROM review r JOIN template_item i USING (template_id)
 WHERE r.cycle_id IN (find_cycle('2023-07'), find_cycle('2023-08')) AND r.employee_id IN (find_employee('E020'), find_employee('E003'));
UPDATE review SET status = 'locked', locked_on = '2023-09-01' WHERE cycle_id IN (find_cycle('2023-07'), find_cycle('2023-08')) AND complete;
SELECT * FROM members WHERE who IN ('E003', 'E020');
UPDATE review SET status = 'open', locked_on = NULL, reopen_reason = '一并重开' WHERE cycle_id IN (find_cycle('2023-07'), find_cycle('2023-08')) AND status = 'locked';
SELECT * FROM members WHERE who IN ('E003', 'E020');
SELECT * FROM verify();
-- verify() names what is spoilt with the triggers off
ALTER TABLE pool_membership DISABLE TRIGGER USER; ALTER TABLE pool_evidence DISABLE TRIGGER USER; ALTER TABLE recommendation DISABLE TRIGGER USER; ALTER TABLE promotion_case DISABLE TRIGGER USER;
CREATE TEMP VIEW spoilt AS SELECT problem, table_name, replace(expected, current_date::text, 'today') AS expected, replace(found, current_date::text, 'today') AS found FROM verify() ORDER BY problem COLLATE "C", table_name COLLATE "C";
CREATE TEMP VIEW of_e031 AS SELECT x.result_id FROM review_result x WHERE x.review_id = find_review('2023Q2', 'E031') AND x.reopened_by IS NULL;
BEGIN; DELETE FROM pool_evidence WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE pool_evidence v SET withdrawn_by = decision_id WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE pool_evidence v SET withdrawn_by = NULL WHERE result_id IN (SELECT result_id FROM review_result WHERE review_id = find_review('2023Q2', 'E031') AND reopened_by IS NOT NULL); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE pool_membership SET employee_id = find_employee('E002') WHERE employee_id = find_employee('E031') AND left_on IS NULL; SELECT * FROM spoilt; ROLLBACK;
BEGIN; DELETE FROM recommendation WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE recommendation SET resource_id = find_resource('客户谈判') WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE recommendation n SET result_id = x.result_id FROM review_result x WHERE n.result_id IN (TABLE of_e031) AND x.review_id = n.review_id AND x.reopened_by IS NOT NULL; SELECT * FROM spoilt; ROLLBACK;
BEGIN; DELETE FROM promotion_case WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE promotion_case SET status = 'withdrawn' WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
BEGIN; UPDATE promotion_case SET status = 'rejected', decided_by = find_employee('E090'), decided_on = '2023-07-05', reason = '直接写表' WHERE result_id IN (TABLE of_e031); SELECT * FROM spoilt; ROLLBACK;
DROP VIEW spoilt, of_e031;
DROP SCHEMA member_test CASCADE;
