-- insight: payslip, own pages (PAY-16, MOB-01).
\set books own_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\i :abs_srcdir/test/fixtures/example.sql
INSERT INTO key_event (employee_id, occurred_on, event, amount) VALUES (find_employee('E010'), '2023-03-30', '项目A 带来 100 万收入', 1000000);
SELECT record_contribution('E010', 'project', '项目B', '2023-05-20', role => '数据建模') > 0 AS recorded, record_training('E010', '数据分析', '2023-04-20', 90, external_id => 'D1') AS recorded;
BEGIN; SELECT act_as('E090') > 0 AS acting, approve_adjustment('2023Q1', 'E010') AS status; COMMIT;
SELECT apply_adjustment('2023Q1', 'E010') AS pay;
SELECT certify('E010', '初级销售', '2022-12-15', source => 'initial') > 0 AS low, certify('E010', '中级销售', '2023-03-15') > 0 AS middle;

-- PAY-16 the payslip ------------------------------------------------------------------------
SELECT 'PAY-16' AS id, line_no, label, amount, total, rule, source_table, cardinality(source_ids) AS sources, explanation FROM payslip('E010', '2023-05-15');
SELECT 'PAY-16' AS id, part_no, label, from_date, until_date, monthly, amount, p.rule, source_table, d.kind AS decision, explanation
  FROM payslip_detail('E010', '2023-05-15', 'en') p LEFT JOIN decision d USING (decision_id) ORDER BY part_no;
-- each source row is there and has the amount
SELECT bool_and(p.monthly = coalesce(s.amount, a.amount)) AS traced
  FROM payslip_detail('E010', '2023-05-15') p LEFT JOIN salary s ON p.source_table = 'salary' AND s.salary_id = p.source_id
  LEFT JOIN skill_allowance a ON p.source_table = 'skill_allowance' AND a.skill_allowance_id = p.source_id;
-- a month before the raise, one before there was pay, and one before the allowance of the course
SELECT m, line_no, amount, total FROM unnest(ARRAY['2022-12-01', '2023-03-31', '2023-04-01', '2023-05-01']::date[]) AS m CROSS JOIN LATERAL payslip('E010', m) ORDER BY m, line_no;
-- a change inside the month counts by days; the sum is rounded once
SELECT set_salary('E010', 11000.00, '2023-06-16', '岗位调整') > 0 AS set;
SELECT from_date, until_date, days, month_days, monthly, amount, rule, explanation FROM payslip_detail('E010', '2023-06-01') WHERE kind = 'base' ORDER BY part_no;
SELECT 'PAY-16' AS id, line_no, amount, total, total = sum(amount) OVER () AS sums FROM payslip('E010', '2023-06-01');
SELECT set_salary('E011', 12345.68, '2023-08-11', '试算') > 0 AS set, set_salary('E011', 12345.67, '2023-08-21', '试算') > 0 AS set;
SELECT days, monthly, amount FROM payslip_detail('E011', '2023-08-01') ORDER BY part_no;
SELECT amount, round((12345.67 * 21 + 12345.68 * 10) / 31, 2) AS expected FROM payslip('E011', '2023-08-01');
-- a correction explains itself
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('2023Q1', 'E090'), find_indicator(i), find_employee('E001'), 95, '招聘准时' FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
SELECT lock_review('2023Q1', 'E090', '2023-04-01') AS locked;
BEGIN; SELECT act_as('E001') > 0 AS acting, approve_adjustment('2023Q1', 'E090') AS status, apply_adjustment('2023Q1', 'E090') AS pay; COMMIT;
SELECT unlock_review('2023Q1', 'E090', '重复统计') AS open;
UPDATE score SET raw_value = 85 WHERE review_id = find_review('2023Q1', 'E090');
SELECT lock_review('2023Q1', 'E090', '2023-04-02') AS locked;
BEGIN; SELECT act_as('E001') > 0 AS acting, approve_adjustment('2023Q1', 'E090') AS status, apply_adjustment('2023Q1', 'E090') AS pay; COMMIT;
SELECT 'PAY-16' AS id, amount, rule, explanation FROM payslip('E090', '2023-05-01');
SELECT kind, detail ? 'corrects' AS corrects, entry, standing FROM archive WHERE who = 'E090' AND kind IN ('result', 'raise');
-- who leaves on the 11th is paid for ten days, and nothing later
SELECT leave('E031', '2023-06-11') > 0 AS left_;
SELECT m, amount, explanation FROM unnest(ARRAY['2023-06-01', '2023-07-01']::date[]) AS m CROSS JOIN LATERAL payslip('E031', m) ORDER BY m;
-- who reads it
BEGIN;
SELECT act_as('E010') > 0 AS own;
SELECT count(*) FROM payslip('E010', '2023-05-01');
SELECT act_as('E003') > 0 AS manager;
SELECT count(*) FROM payslip('E010', '2023-05-01');
SELECT act_as('E021') > 0 AS finance;
SELECT count(*) FROM payslip('E010', '2023-05-01');
SELECT act_as('E090') > 0 AS hr;
SELECT count(*) FROM payslip('E010', '2023-05-01');
SELECT act_as('E011') > 0 AS colleague;
SELECT count(*) FROM payslip('E010', '2023-05-01');
COMMIT;
SELECT * FROM payslip('E999'); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM payslip(NULL);

-- MOB-01 own pages -----------------------------------------------------------------------------
SELECT 'MOB-01' AS id, count(*) FROM notification WHERE body = '你的绩效反馈已生成,请及时查看' AND recipient_id = find_employee('E010');
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES', name => '2023年二季度') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT record_measurement('E010', '客户拓展', '2023-05-31', '{"actual": 7}') IS NOT NULL AS measured;
UPDATE employee SET contact = 'ext. 20' WHERE employee_no = 'E020';
SELECT start_mentoring('E010', 'E020', '独立完成大客户谈判', '{谈判技巧,客户分析}', '2023-07-01', '2023-12-31', '{2023-07-15,2023-08-15}') > 0 AS mentored;
BEGIN;
SELECT act_as('E010') > 0 AS acting;
SELECT 'MOB-01' AS id, employee_no, unit_name, manager_name, live_cycle_code, live_score, live_line, cycle_code, final_score, grade, open_plans, plan_progress_pct, plans_to_confirm, results_to_answer FROM my_home;
SELECT 'MOB-01' AS id, cycle_code, origin, indicator_code, weight, completion_pct, value, missed FROM my_indicators ORDER BY cycle_code, indicator_code COLLATE "C";
SELECT 'MOB-01' AS id, cycle_code, name, indicator_code, raters, value, comments FROM my_feedback ORDER BY cycle_code, indicator_code COLLATE "C", rater_group;
SELECT 'MOB-01' AS id, cycle_code, status, position, kind, title, due_on, progress_pct FROM my_plan ORDER BY plan_id, position;
SELECT 'MOB-01' AS id, * FROM my_pay;
SELECT cycle_code, status, final_score, grade, answer FROM my_reviews ORDER BY cycle_code;
SELECT kind, body, read_at IS NULL AS unread FROM my_notices WHERE kind LIKE 'review%' OR kind LIKE 'pay%' ORDER BY notification_id;
SELECT 'MOB-01' AS id, line_no, label, amount, total FROM my_payslip ORDER BY 1, 2;
-- one document of it all, and nothing of others
SELECT 'MOB-01' AS id, string_agg(k, ' ' ORDER BY k) AS keys FROM jsonb_object_keys(self_service()) AS k;
SELECT 'MOB-01' AS id, s @> '{"pay": [{"line": "您的季度绩效得分85分,符合加薪5%的条件,加薪后月薪从10000元调整为10500元"}]}' AS txt_06, s #>> '{plan,0,title}' AS plan,
       jsonb_array_length(s -> 'feedback') AS feedback, s ->> 'live_score' AS score, (s - 'mentoring' - 'notices')::text ~ '李四|周工|E011|E020|E021|E031' AS others FROM self_service() AS s;
SELECT 'MOB-01' AS id, s #- '{mentoring,0,mentorship_id}' -> 'mentoring' AS mentoring FROM self_service() AS s;
SELECT act_as('E011') > 0 AS acting;
SELECT employee_no, cycle_code, final_score FROM my_home;
SELECT (SELECT count(*) FROM my_pay) AS pay, (SELECT count(*) FROM my_plan) AS plan, (SELECT count(*) FROM my_feedback) AS feedback, (SELECT count(*) FROM my_reviews) AS reviews;
COMMIT;
-- nobody is acting: nothing
SELECT (SELECT count(*) FROM my_home) AS home, (SELECT count(*) FROM my_reviews) AS reviews, (SELECT count(*) FROM my_indicators) AS indicators, (SELECT count(*) FROM my_plan) AS plan,
       (SELECT count(*) FROM my_pay) AS pay, (SELECT count(*) FROM my_payslip) AS payslip, (SELECT count(*) FROM my_notices) AS notices, (SELECT count(*) FROM my_growth) AS growth,
       (SELECT count(*) FROM my_feedback) AS feedback, self_service() IS NULL AS nothing;
-- REV-03 the manager's score is not seen before one's own is in
BEGIN;
SELECT act_as('E003') > 0 AS acting, submit_score('2023Q2', 'E010', '客户拓展', facts => '{"actual": 7}', rationale => '新签7家') AS score, submit_score('2023Q2', 'E010', '客户满意度', 80, '回访80') AS score,
       submit_score('2023Q2', 'E010', '销售执行', 60, '拜访偏少') AS score;
SELECT act_as('E010') > 0 AS acting;
SELECT manager_score, self_score FROM my_reviews WHERE cycle_code = '2023Q2';
SELECT submit_score('2023Q2', 'E010', i, 70, rater_group => 'self') AS score FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
SELECT manager_score, self_score FROM my_reviews WHERE cycle_code = '2023Q2';
COMMIT;
-- REV-08 nothing of the result before it is disclosed: score, items, feedback, archive, profile, raise
SELECT set_setting('review.disclose', 'manual');
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('2023Q2', 'E021'), find_indicator(i), find_employee('E020'), 85, '演示支持' FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
SELECT lock_review('2023Q2', 'E021', '2023-07-01') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acting, approve_adjustment('2023Q2', 'E021') AS status; COMMIT;
SELECT apply_adjustment('2023Q2', 'E021') AS pay;
BEGIN;
SELECT act_as('E021') > 0 AS acting;
CREATE TEMP VIEW seen AS
  SELECT (SELECT final_score FROM my_reviews WHERE cycle_code = '2023Q2') AS score, (SELECT count(*) FROM my_indicators WHERE origin = 'result') AS items, (SELECT count(*) FROM my_feedback) AS feedback,
         (SELECT count(*) FROM my_growth WHERE kind IN ('result', 'raise')) AS archive, jsonb_array_length(profile('E021') #> '{performance,results}') AS profile, (SELECT count(*) FROM my_pay) AS pay,
         (SELECT count(*) FROM profile_line WHERE section = 'performance') AS lines;
SELECT * FROM seen;
-- the money is there, the reason is not
SELECT amount, rule, explanation FROM payslip('E021', '2023-07-01');
SELECT act_as('E020') > 0 AS manager, profile('E021') #> '{performance,results,0,score}' AS score;
SELECT act_as('E090') > 0 AS hr;
SELECT rule, explanation FROM payslip('E021', '2023-07-01');
SELECT disclose_result('2023Q2', 'E021', '2023-07-05');
SELECT act_as('E021') > 0 AS acting;
SELECT * FROM seen;
SELECT explanation FROM payslip('E021', '2023-07-01');
SELECT count(*) AS notices FROM my_notices WHERE kind = 'review.disclosed';
COMMIT;

-- nor does what followed from it tell: pool, promotion, notices
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('2023Q2', 'E030'), find_indicator(i), find_employee('E001'), 95, '达产' FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
SELECT lock_review('2023Q2', 'E030', '2023-07-01') AS locked;
BEGIN;
SELECT act_as('E030') > 0 AS acting;
CREATE TEMP VIEW told AS
  SELECT (SELECT count(*) FROM my_growth WHERE kind IN ('pool', 'promotion')) AS archive, jsonb_array_length(profile('E030') #> '{talent,pools}') AS pools,
         (SELECT count(*) FROM profile_line WHERE section = 'talent') AS lines, (SELECT count(*) FROM my_notices WHERE kind LIKE 'talent%' OR kind LIKE 'review%') AS notices;
SELECT * FROM told;
SELECT act_as('E090') > 0 AS hr;
SELECT jsonb_path_query_array(profile('E030'), '$.talent.pools[*].pool') AS pools, disclose_result('2023Q2', 'E030', '2023-07-05') AS disclosed;
SELECT act_as('E030') > 0 AS acting;
SELECT * FROM told;
COMMIT;

SELECT * FROM verify();
DROP SCHEMA own_test CASCADE;
