-- insight: growth archive, profile (ORG-04 to 06, DEV-12).
\set books insight_test
\set by_hand '{growth_archive}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\i :abs_srcdir/test/fixtures/example.sql
SELECT 'ORG-04' AS id, p #>> '{performance,target_completion}' AS target_completion, jsonb_array_length(p #> '{performance,key_events}') AS key_events,
       p #>> '{performance,key_events,0,event}' AS event, p @? '$.performance.feedback[*].comments[*] ? (@ == "沟通能力强,但策略性不足")' AS comment_360,
       p #> '{development,courses}' AS courses
  FROM profile('E010', '2023-03-31') p;
SELECT 'ORG-04' AS id, p #> '{development,projects}' AS projects, p #> '{development,mentor_comments}' AS mentor FROM profile('E010', '2023-03-31') p;
SELECT 'ORG-04' AS id, p #>> '{basic,job,name}' AS job, p #> '{basic,service_years}' AS years, p #>> '{basic,education}' AS education FROM profile('E010', '2023-03-31') p;
-- ORG-02.1 completed years as of the day: the day before the second one there is one
SELECT 'ORG-02.1' AS id, d, profile('E010', d) #> '{basic,service_years}' AS years FROM unnest(ARRAY['2021-02-28', '2023-02-28', '2023-03-01', '2023-03-31']::date[]) AS d;
-- as it was known for the day before: nothing yet
SELECT p #> '{performance,results}' AS results, p #> '{performance,key_events}' AS events, p -> 'development' AS development, p #> '{pay}' AS pay FROM profile('E010', '2023-01-31') p;
-- every committed change at once
INSERT INTO key_event (employee_id, occurred_on, event, amount) VALUES (find_employee('E010'), '2023-03-30', '项目A 带来 100 万收入', 1000000);
SELECT jsonb_array_length(profile('E010', '2023-03-31') #> '{performance,key_events}') AS key_events;
-- the whole document
SELECT key, value FROM jsonb_each(profile_facts(find_employee('E010'), '2023-03-31')) ORDER BY key COLLATE "C";
-- as rules will ask it: numbers are numbers, dates are ISO, what is not there does not match
SELECT r, profile_facts(find_employee('E010'), '2023-03-31') @@ r::jsonpath AS holds
  FROM unnest(ARRAY['$.performance.score >= 85 && $.performance.grade == "良好"', '$.performance.results[0].target_completion < 85',
                    'exists($.performance.results[*].items[*] ? (@.indicator == "客户拓展" && @.missed == true))',
                    '$.basic.hired_on < "2022-01-01"', '$.development.course_completion >= 80', '$.pay.base == 10000', '$.talent.training_priority == true']) AS r;
-- who reads it: a colleague nothing, the manager no pay, HR all
BEGIN;
SELECT act_as('E011') > 0 AS acting, profile('E010') IS NULL AS nothing;
SELECT act_as('E003') > 0 AS acting, profile('E010') ? 'pay' AS pay, profile('E010') #>> '{performance,score}' AS score;
SELECT act_as('E090') > 0 AS acting, profile('E010') ? 'pay' AS pay;
SELECT act_as('E010') > 0 AS acting;
SELECT profile('E010') ? 'pay' AS pay, profile('E003') IS NULL AS nothing, count(DISTINCT employee_no) AS people, min(employee_no) AS who FROM profile_line;
SELECT act_as('E021') > 0 AS finance, profile('E010') IS NULL AS nothing;
COMMIT;
SELECT profile('E999'); \echo :LAST_ERROR_SQLSTATE
SELECT profile(NULL) IS NULL AS nobody, profile('E010', NULL) ->> 'on_date' = current_date::text AS today;

-- ORG-05 strengths, weaknesses, track ------------------------------------------------------
INSERT INTO skill_rating (employee_id, skill_id, rating, rated_on, source) VALUES
  (find_employee('E010'), find_skill('沟通能力'), 60, '2022-12-01', 'manager'),
  (find_employee('E010'), find_skill('沟通能力'), 90, '2023-03-25', '360'), (find_employee('E010'), find_skill('策略性'), 60, '2023-03-25', '360'),
  (find_employee('E010'), find_skill('产品知识'), 78, '2023-03-25', 'manager');
SELECT 'ORG-05' AS id, * FROM strengths_weaknesses('E010', '2023-03-31');
SELECT 'ORG-05' AS id, * FROM growth_track('E010', '2023-03-31');
SELECT 'ORG-05' AS id, p #> '{skills,strengths}' AS strengths, p #> '{skills,weaknesses}' AS weaknesses, p -> 'track' AS track FROM profile('E010', '2023-03-31') p;
SELECT line FROM growth_track('E010', '2023-03-31', 'en');
-- before the new rating the old one counts
SELECT skill_code, rating, verdict FROM strengths_weaknesses('E010', '2023-03-24');
-- the borders belong to both; nobody without courses is flagged
INSERT INTO skill_rating (employee_id, skill_id, rating, rated_on)
SELECT find_employee('E011'), find_skill(s), r, '2023-01-01' FROM (VALUES ('沟通能力', 85), ('策略性', 84.99), ('产品知识', 70), ('销售', 70.01)) AS v (s, r);
SELECT skill_code, rating, verdict FROM strengths_weaknesses('E011', '2023-03-31');
SELECT count(*) AS flags FROM growth_track('E011', '2023-03-31');
BEGIN;
SELECT record_progress('2023Q1', 'E010', 1, 80) AS progress, count(*) AS flags FROM growth_track('E010', '2023-03-31');
SELECT count(*) AS flags FROM growth_track('E010', '2023-03-31');
SELECT set_setting('profile.strength_at', NULL), set_setting('profile.participation_low', '80.01');
SELECT skill_code, verdict FROM strengths_weaknesses('E010', '2023-03-31');
SELECT figure, threshold FROM growth_track('E010', '2023-03-31');
ROLLBACK;
\set VERBOSITY terse
SELECT set_setting('profile.weakness_at', '101');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT act_as('E011') > 0 AS acting;
SELECT count(*) AS nothing FROM strengths_weaknesses('E010');
SELECT count(*) AS nothing FROM growth_track('E010', '2023-03-31');
ROLLBACK;
SELECT employee_no, job_name, education, score, grade, target_completion, key_events, courses, course_completion, projects, strengths, weaknesses, track FROM profile_overview WHERE employee_no IN ('E010', 'E011') ORDER BY 1;
SELECT section, code, name, value, unit, text_value, on_date, source_table, source_id IS NOT NULL AS source FROM profile_line WHERE employee_no = 'E010' AND code <> 'service_years' ORDER BY section, code, name COLLATE "C";

-- ORG-06 the archive: A, B and C of the text ---------------------------------------------------
INSERT INTO resource (code, name, kind) SELECT 'K' || lpad(i::text, 2, '0'), '核心课程' || i, 'course' FROM generate_series(1, 12) AS i;
SELECT count(record_training('E011', 'K' || lpad(i::text, 2, '0'), ('2023-01-01'::date + i * 7), 80 + i, external_id => 'A' || i)) AS courses FROM generate_series(1, 12) AS i;
SELECT count(record_training('E021', 'K' || lpad(i::text, 2, '0'), ('2023-01-01'::date + i * 7), 75, external_id => 'B' || i)) AS courses FROM generate_series(1, 8) AS i;
SELECT record_contribution('E011', 'case', '客户投诉快速响应', '2023-04-20', external_id => 'case-1') AS case_id \gset
SELECT cite_contribution(:case_id, 'EAST', '2023-05-01') AS cited, cite_contribution(:case_id, 'TECH', '2023-05-02') AS cited, cite_contribution(:case_id, 'PROD', '2023-05-03') AS cited;
SELECT record_contribution('E011', 'feedback', '客户投诉率', '2023-06-01', quantity => -20, unit => '%') > 0 AS recorded;
SELECT record_contribution('E031', 'help', '分享‘高效办公技巧’,团队效率', '2023-06-02', quantity => 15, unit => '%') > 0 AS recorded;
SELECT 'ORG-06.1' AS id, kind, count(*), min(line) AS first_line, count(source_table) AS source_tables, count(DISTINCT source_id) AS rows
  FROM growth_record WHERE employee_no = 'E011' AND standing GROUP BY kind ORDER BY kind;
SELECT 'ORG-06.1' AS id, line, detail, source_table, source_id IS NOT NULL AS row_id FROM growth_record WHERE employee_no = 'E011' AND category IN ('contribution', 'performance') ORDER BY occurred_on, growth_archive_id;
SELECT 'ORG-06.1' AS id, line, detail FROM growth_record WHERE employee_no = 'E031' ORDER BY occurred_on, growth_archive_id;
SELECT count(*) FILTER (WHERE kind = 'training') AS courses, count(*) FILTER (WHERE kind IN ('case', 'citation', 'feedback', 'help')) AS use FROM growth_record WHERE employee_no = 'E021';
-- ORG-06.2 append-only
UPDATE growth_archive SET title = 'x' WHERE kind = 'training'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM growth_archive;
TRUNCATE growth_archive CASCADE;
-- corrections and withdrawals are lines of their own
UPDATE training_record SET score = 95 WHERE external_id = 'A1';
UPDATE training_record SET reason = '无关' WHERE external_id = 'A1';
UPDATE training_record SET passed = false, score = 40 WHERE external_id = 'A1';
DELETE FROM training_record WHERE external_id = 'A2';
SELECT kind, title, detail, entry, again, standing FROM archive WHERE who = 'E011' AND title IN ('核心课程1', '核心课程2');
SELECT withdraw_contribution(:case_id, '案例数据有误') > 0 AS withdrawn, withdraw_contribution(:case_id, '案例数据有误') > 0 AS again;
SELECT kind, title, entry, standing FROM archive WHERE who = 'E011' AND kind IN ('case', 'citation');
SELECT d.kind, d.inputs, d.reason FROM growth_archive g JOIN decision d USING (decision_id) WHERE g.kind = 'case' AND g.entry = 'withdraw';
SELECT cite_contribution(:case_id, 'SH'); \echo :LAST_ERROR_SQLSTATE
-- again: nothing
SELECT count(*) AS before FROM growth_archive \gset
SELECT archive_trainings(array_agg(training_record_id)) FROM training_record;
SELECT archive_results(array_agg(result_id)) FROM review_result;
SELECT count(*) - :before AS new_lines FROM growth_archive;
-- a result, the raise after it, the pool, the promotion; then it is opened again
BEGIN; SELECT act_as('E090') > 0 AS acting, approve_adjustment('2023Q1', 'E010') AS status; COMMIT;
SELECT apply_adjustment('2023Q1', 'E010') AS pay;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('2023Q1', 'E020'), find_indicator(i), find_employee('E001'), 95, '交付准时' FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
SELECT lock_review('2023Q1', 'E020', '2023-04-01') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acting, decide_promotion('2023Q1', 'E020', true, '连续优秀', '2023-04-10') AS promotion; COMMIT;
SELECT kind, title, detail, source_table, entry, standing FROM archive WHERE who = 'E020';
SELECT unlock_review('2023Q1', 'E020', '重复统计') AS open;
SELECT kind, source_table, entry, standing FROM archive WHERE who = 'E020';
-- levels: a lower one that comes later says nothing new, a reversal says what happened
SELECT certify('E010', '初级销售', '2022-12-15', source => 'initial') > 0 AS low, certify('E010', '中级销售', '2023-03-15') > 0 AS middle;
SELECT certify('E030', '中级销售', '2023-02-01') > 0 AS middle, certify('E030', '高级销售', '2023-03-01', expires_on => '2023-09-01') > 0 AS high, certify('E030', '高级销售', '2023-08-01') > 0 AS renewed;
SELECT reverse_certification('E030', '中级销售', '证书有误', '2023-02-15') > 0 AS reversed;
SELECT kind, title, detail, entry, standing FROM archive WHERE who = 'E030';
SELECT suggest('E031', '更换模具排程', '2023-03-05') AS suggestion \gset
BEGIN; SELECT act_as('E090') > 0 AS acting, accept_suggestion(:suggestion) AS status; COMMIT;
UPDATE key_event SET amount = 1200000 WHERE amount = 1000000;
DELETE FROM key_event WHERE event = '挽回1个流失客户';
SELECT who, kind, title, detail, entry, standing FROM archive WHERE kind IN ('suggestion', 'key_event', 'raise');
SELECT count(*) AS lines, count(*) FILTER (WHERE source_table = 'training_record') AS of_deleted_trainings FROM untraceable WHERE source_table NOT IN ('key_event');
-- DEV-12 in words, newest first; in the language of who is acting
SELECT record_contribution('E010', 'project', '项目B', '2023-05-20', role => '数据建模') > 0 AS recorded, record_training('E010', '数据分析', '2023-04-20', 90, external_id => 'D1') AS recorded;
BEGIN;
SELECT act_as('E010') > 0 AS acting;
SELECT 'DEV-12' AS id, occurred_on, line FROM my_growth WHERE kind IN ('project', 'training') ORDER BY occurred_on DESC, growth_archive_id DESC;
SELECT count(*) AS others FROM growth_record WHERE employee_no <> 'E010';
SELECT act_as('E003') > 0 AS acting;
SELECT count(*) FILTER (WHERE kind = 'raise') AS raises, count(*) > 0 AS lines FROM growth_record WHERE employee_no = 'E010';
SELECT act_as('E031') > 0 AS acting;
SELECT count(*) AS nothing FROM growth_record WHERE employee_no = 'E010';
COMMIT;
SELECT category, kind, title FROM development_record WHERE employee_no = 'E010' ORDER BY occurred_on, growth_archive_id;
-- who records: not oneself, not a colleague; what is wrong
BEGIN;
SELECT act_as('E010') > 0 AS acting;
SAVEPOINT s;
SELECT record_contribution('E010', 'help', '帮助新同事');
ROLLBACK TO s;
SELECT record_contribution('E011', 'help', '帮助新同事');
ROLLBACK TO s;
SELECT act_as('E003') > 0 AS acting, record_contribution('E010', 'help', '帮助新同事', '2023-05-01') > 0 AS recorded;
SELECT record_contribution('E011', 'case', '回款跟踪', '2023-05-01') AS own_case \gset
SELECT cite_contribution(:own_case, 'SH') AS cited, cite_contribution(:own_case, 'SH') AS again;
SELECT act_as('E011') > 0 AS acting;
SAVEPOINT t;
SELECT cite_contribution(:own_case, 'EAST');
ROLLBACK TO t;
SELECT withdraw_contribution(:own_case, '不想要');
ROLLBACK;
SELECT record_contribution('E010', 'party', 'x');
SELECT record_contribution('E010', NULL, NULL);
SELECT record_contribution('E010', 'help', ' 。', '2024-05-01'); \echo :LAST_ERROR_SQLSTATE
SELECT record_contribution('E010', 'help', '帮助', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT record_contribution('E999', 'help', '帮助');
SELECT withdraw_contribution(NULL, 'x'), cite_contribution(NULL, 'SH');
SELECT withdraw_contribution(:case_id, '　'); \echo :LAST_ERROR_SQLSTATE
SELECT record_contribution('E011', 'case', '客户投诉快速响应', '2023-04-20', external_id => 'case-1') = :case_id AS once;

-- verify() finds what was not archived, what should not be there, and what says something else
SELECT * FROM verify();
BEGIN;
ALTER TABLE key_event DISABLE TRIGGER USER;
INSERT INTO key_event (employee_id, occurred_on, event) VALUES (find_employee('E010'), '2023-09-01', '悄悄写入');
UPDATE key_event SET occurred_on = '2023-09-02' WHERE amount = 1200000;
INSERT INTO growth_archive (employee_id, occurred_on, kind, title, source_table, source_id) VALUES (find_employee('E010'), '2023-09-03', 'promotion', '凭空', 'promotion_case', 4711);
SELECT problem, table_name, expected, found FROM verify() ORDER BY 1;
ROLLBACK;
DROP SCHEMA insight_test CASCADE;
