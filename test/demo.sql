-- The loop as a story: "make demo" runs this beside a temporary server.
-- The statements that matter are shown as they run, the queries that only look
-- at their results are not.
\set ON_ERROR_STOP on
\set QUIET on
\set SHOW_CONTEXT never
\set ask   '\\set ECHO queries'
\set look  '\\set ECHO none'
\pset border 1
\pset footer off
\pset linestyle unicode
\pset null ''
\pset pager off
SET client_min_messages = warning;

\echo
\echo '================================================================================'
\echo ' hrloop: a company goes once round the loop - performance, development, pay'
\echo '================================================================================'
\echo
\echo 'One extension for the database, one schema for the company.'
\echo
:ask
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('hr');
:look

\o /dev/null
\set books hr
\ir fixtures/company.sql
RESET search_path;
SELECT hr.create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES');
SELECT hr.create_cycle('2023Q3', '2023-07-01', '2023-09-30', 'SALES');
SELECT hr.certify('E010', '初级销售', '2022-12-15', source => 'initial');
UPDATE hr.notification SET read_at = now();
\o

\echo 'A small sample company is loaded. This is the sales team in Shanghai:'
\echo
SELECT e.employee_no, e.name, e.job_name AS job, e.manager_no AS manager, s.amount AS base_pay,
       hr.allowance_on(e.employee_no, '2023-06-30') AS allowance
  FROM hr.employee_on('2023-06-30') e
  JOIN hr.salary s ON s.employee_id = e.employee_id AND s.superseded_by IS NULL
 WHERE e.unit_code = 'SH' ORDER BY 1;
\echo 'What counts in sales - winning customers, their satisfaction, execution - and what'
\echo 'a score is worth at pay time. Both are rows that HR edits, not program code:'
\echo
SELECT indicator_name AS indicator, trim_scale(weight) || ' %' AS weight, definition, standard
  FROM hr.template_checklist WHERE template_code = 'SALES' ORDER BY position;
SELECT concat_ws(' and ', CASE WHEN lower_inc(b.range) THEN 'from ' WHEN NOT lower_inf(b.range) THEN 'above ' END || lower(b.range),
                          CASE WHEN upper_inc(b.range) THEN 'up to ' WHEN NOT upper_inf(b.range) THEN 'below ' END || upper(b.range)) AS score,
       b.value || ' %' AS raise, b.label
  FROM hr.scale s JOIN hr.band b USING (scale_id) WHERE s.code = 'raise' ORDER BY b.range DESC;

\echo '--- 1. The second quarter is scored -------------------------------------------'
\echo
\echo 'Opening the cycle gives everybody a review and freezes the rules.'
\echo
:ask
SELECT hr.open_cycle('2023Q2') AS reviews;
:look
\echo '张三 signed 8 new customers of the 10 he was to win. His manager 赵店长 (E003) scores'
\echo 'him, and first tries to do it without giving a reason:'
\echo
:ask
\set ON_ERROR_STOP off
BEGIN;
SELECT hr.act_as('E003');
SELECT hr.submit_score('2023Q2', 'E010', '客户拓展', facts => '{"actual": 8}', rationale => ' 。 ');
ROLLBACK;
\set ON_ERROR_STOP on
:look
\echo
\echo 'With reasons the scores are taken. 8 of 10 makes 80; the total is there at once.'
\echo
\o /dev/null
BEGIN;
SELECT hr.act_as('E003');
\o
:ask
SELECT hr.submit_score('2023Q2', 'E010', '客户拓展', facts => '{"actual": 8}', rationale => '目标10家,新签8家') AS score_so_far;
SELECT hr.submit_score('2023Q2', 'E010', '客户满意度', 71, '回访平均71分') AS score_so_far;
SELECT hr.submit_score('2023Q2', 'E010', '销售执行', 72, '按周计划执行,一次回款逾期') AS score;
:look
COMMIT;

\echo '--- 2. A missed target becomes a development plan -----------------------------'
\echo
\echo '客户拓展 was missed, so a plan was drafted with the last score. The lock makes it stand.'
\echo
:ask
SELECT hr.lock_review('2023Q2', 'E010', on_date => '2023-07-01') AS locked;
:look
\echo 'Why a plan - the missed indicator and the weakest skill behind it:'
\echo
SELECT i.name AS missed, s.name AS weakest_skill, g.rating, g.required, g.gap
  FROM hr.plan_gap g JOIN hr.indicator i USING (indicator_id) JOIN hr.skill s USING (skill_id);
\echo 'What is to be done - a course, a project and a mentor:'
\echo
SELECT i.position AS item, i.kind, i.title, i.quantity, i.topic, i.due_on,
       (SELECT string_agg(to_char(s.session_on, 'MM-DD'), ' ' ORDER BY s.session_on)
          FROM hr.plan_session s WHERE s.plan_item_id = i.plan_item_id) AS sessions
  FROM hr.plan_item i JOIN hr.development_plan p USING (plan_id) WHERE p.status = 'proposed' ORDER BY 1;
\echo 'Who was told:'
\echo
SELECT e.name AS recipient, n.recipient_role AS as_the, n.body || E'\n' || hr.sentence(n.kind, n.args, 'en') AS "what it says, and the same in English"
  FROM hr.notification n JOIN hr.employee e ON e.employee_id = n.recipient_id
 WHERE n.read_at IS NULL ORDER BY n.notification_id;
\echo 'Where the 75 comes from, in the words of the lock itself, and what it means for pay:'
\echo
:ask
SELECT line FROM hr.explain_score('2023Q2', 'E010', locale => 'en');
SELECT line FROM hr.explain_pay('E010', '2023Q2', locale => 'en');
:look
\o /dev/null
UPDATE hr.notification SET read_at = now() WHERE read_at IS NULL;
\o

\echo '--- 3. The plan is agreed and carried out --------------------------------------'
\echo
\echo 'It takes effect when both have confirmed it, each for themselves.'
\echo
:ask
BEGIN;  SELECT hr.act_as('E010') AS acting, hr.confirm_plan('2023Q2', 'E010') AS plan;  COMMIT;
BEGIN;  SELECT hr.act_as('E003') AS acting, hr.confirm_plan('2023Q2', 'E010') AS plan;  COMMIT;
:look
\echo
\echo 'The training platform reports the finished course; nobody has to tick off the item.'
\echo 'The project and the mentor are reported by hand.'
\echo
:ask
SELECT hr.record_training('E010', '客户拓展技巧', '2023-07-28', score => 88);
SELECT hr.record_progress('2023Q2', 'E010', item => 2, progress => 100) AS plan_percent;
SELECT hr.record_progress('2023Q2', 'E010', item => 3, progress => 75) AS plan_percent;
:look

\echo '--- 4. A certification becomes an allowance ------------------------------------'
\echo
\echo 'On 20 August 张三 is certified 中级销售 (intermediate sales). The allowance follows from'
\echo 'the first of the next month, by itself.'
\echo
:ask
SELECT hr.certify('E010', '中级销售', '2023-08-20') > 0 AS certified;
:look
SELECT day::date AS on_day, hr.allowance_on('E010', day::date) AS allowance
  FROM unnest(ARRAY['2023-08-31', '2023-09-01']::date[]) AS day;
SELECT n.body AS what_he_reads FROM hr.notification n WHERE n.read_at IS NULL AND n.kind = 'pay.allowance';

\echo '--- 5. The next quarter: 85, five percent, 10,500 -------------------------------'
\echo
\o /dev/null
SELECT hr.open_cycle('2023Q3');
BEGIN;
SELECT hr.act_as('E003');
SELECT hr.submit_score('2023Q3', 'E010', '客户拓展', facts => '{"actual": 10}', rationale => '目标10家,新签10家');
SELECT hr.submit_score('2023Q3', 'E010', '客户满意度', 80, '回访平均80分');
\o
\echo 'Now he has won all ten. Two of three indicators are scored as before; the third:'
\echo
:ask
SELECT hr.submit_score('2023Q3', 'E010', '销售执行', 72.5, '周计划完成,回款准时') AS score;
COMMIT;
SELECT hr.lock_review('2023Q3', 'E010', on_date => '2023-10-01') AS locked;
:look
\echo 'The lock only proposes the raise. People decide: HR (E090) approves, then it is paid.'
\echo
:ask
BEGIN;  SELECT hr.act_as('E090') AS acting, hr.approve_adjustment('2023Q3', 'E010') AS raise;  COMMIT;
SELECT hr.apply_adjustment('2023Q3', 'E010') AS new_base_pay;
:look
\echo 'The sentence that 张三 reads, and the same in English:'
\echo
SELECT n.body AS sentence FROM hr.notification n WHERE n.kind = 'pay.raise'
UNION ALL
SELECT line FROM hr.explain_pay('E010', '2023Q3', locale => 'en');
\echo 'His base pay over time. A raise never edits a row, it supersedes it by a decision:'
\echo
SELECT lower(s.valid) AS from_day, upper(s.valid) AS until_day, s.amount, d.kind AS decision, d.inputs ->> 'decided_by' AS approved_by
  FROM hr.salary s JOIN hr.employee e USING (employee_id) LEFT JOIN hr.decision d USING (decision_id)
 WHERE e.employee_no = 'E010' AND s.superseded_by IS NULL ORDER BY 1;
\echo 'Locking, approving and applying once more changes nothing: nobody is paid twice.'
\echo
:ask
SELECT hr.lock_review('2023Q3', 'E010'), hr.approve_adjustment('2023Q3', 'E010'), hr.apply_adjustment('2023Q3', 'E010');
:look
\echo 'And skills have paid off as well:'
\echo
:ask
SELECT trail, total_increase FROM hr.allowance_trail('E010');
:look

\echo '--- 6. Can it be trusted? --------------------------------------------------------'
\echo
\echo 'verify() computes every figure again from its source rows, by other code than the'
\echo 'code that made it, and returns what differs. No rows: all is well.'
\echo
\pset footer on
:ask
SELECT * FROM hr.verify();
:look
\pset footer off
\echo 'Had somebody with enough rights written to the tables behind its back, it would tell:'
\echo
:ask
BEGIN;
SELECT hr.lift_guards('{review}');
UPDATE hr.review SET composite = 95 WHERE review_id = hr.find_review('2023Q2', 'E010');
SELECT * FROM hr.verify();
ROLLBACK;
:look
\echo
\echo '--- Your turn ----------------------------------------------------------------------'
\echo
\echo 'make demo KEEP=1 leaves this server running and says how to connect to it. Then try:'
\echo
\echo '  -- why is a figure what it is? every decision with its rule, inputs and outcome'
\echo '  SELECT kind, rule, inputs, outcome FROM hr.decision ORDER BY decision_id DESC;'
\echo '  -- the review has a mistake: unlock it with a reason, score again, lock again'
\echo '  SELECT hr.unlock_review(''2023Q2'', ''E010'', ''one customer was not counted'');'
\echo '  -- 李四 (E011) is still to be scored by 赵店长; 90 and more makes 10 %'
\echo '  SELECT * FROM hr.explain_score(''2023Q3'', ''E011'');'
\echo '  -- the certification turns out to be void: level and allowance go back, from today'
\echo '  SELECT hr.reverse_certification(''E010'', ''中级销售'', ''exam paper mixed up'');'
\echo '  -- ask for longer reasons from now on; all settings have a comment'
\echo '  SELECT hr.set_setting(''rationale.min_chars'', ''10'');  SELECT * FROM hr.setting;'
\echo '  -- what can be called: \\df hr.*   what can be read: \\dv hr.*   with comments: \\df+ \\dv+'
\echo
