-- talent: an excellent result leads to pool, course, promotion and priority; decided, unlocked (REV-15).
\set books talent_test
\set by_hand '{pool_evidence,pool_membership,promotion_case,recommendation}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

\i :abs_srcdir/test/fixtures/pool.sql
SELECT p.code, p.name, p.training_priority, r.reason, r.grade, r.recommends, r.promotes, r.valid FROM talent_pool p JOIN pool_rule r USING (talent_pool_id);
SELECT e AS who, submit_score('2023Q1', e, '业绩', v, '按事实评分,' || e) IS NULL AS first, submit_score('2023Q1', e, '协作', w, '按事实评分,' || e) AS composite
  FROM (VALUES ('E010', 91, 93), ('E011', 90, 89.98), ('E021', 92, 88), ('E030', 95, 95)) AS s (e, v, w);
SELECT count(lock_review('2023Q1', e, '2023-04-03')) AS locked FROM unnest(ARRAY['E010', 'E011', 'E021', 'E030']) AS e;
-- REV-15 at 92 one membership, one course, one proposal, priority; at 90.00 the same; at 89.99 none of the four
SELECT 'REV-15' AS id, * FROM four;
SELECT 'REV-15' AS id, * FROM members;
-- for the lowest indicator: a course of its own, or one for its skill
SELECT 'REV-15' AS id, * FROM courses;
SELECT 'REV-15' AS id, cycle_code AS cycle, employee_no AS who, kind, version, composite, grade, status FROM promotion_overview ORDER BY employee_no;
-- told, in their language, and HR; nothing to the one at 89.99
SELECT coalesce(e.employee_no, 'HR') AS "to", n.recipient_role AS role, n.kind, n.body FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id
 WHERE n.kind LIKE 'talent.%' OR n.kind LIKE 'promotion.%' ORDER BY e.employee_no, n.notification_id;
SELECT kind, cause, rule, inputs, outcome FROM decision WHERE employee_id = find_employee('E010') AND (kind LIKE 'talent.%' OR kind LIKE 'promotion.%') ORDER BY decision_id;
SELECT cycle_code, line FROM explain_talent('E010');
SELECT line FROM explain_talent('E021', 'en');
SELECT count(*) AS lines FROM explain_talent('E011');
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT count(*) AS own FROM explain_talent('E010'); SELECT count(*) AS of_another FROM explain_talent('E021'); ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS acts; SELECT count(*) AS for_executives FROM explain_talent('E010'); ROLLBACK;
SELECT has_training_priority('E010', '2023-04-02') AS before, has_training_priority('E010', '2023-04-03') AS since;
SELECT has_training_priority('E999'); \echo :LAST_ERROR_SQLSTATE
-- two locks, and results applied again, give no second
SELECT lock_review('2023Q1', 'E010', '2023-04-04') AS again, apply_results('2023Q1') AS more;
SELECT 'REV-15' AS id, * FROM four WHERE who = 'E010';
SELECT * FROM verify();

-- priority matters: members go first, though the others have waited longer
INSERT INTO enrolment (employee_id, resource_id, enrolled_at) VALUES (find_employee('E011'), find_resource('业绩提升'), '2023-01-05'), (find_employee('E031'), find_resource('业绩提升'), '2023-01-04');
SELECT 'REV-15' AS id, course_code, place, employee_no AS who, priority, since, origins FROM training_priority WHERE course_code = '业绩提升' ORDER BY place;

-- a promotion is decided by HR or an executive, as themselves, not about themselves, once, with a reason
SELECT decide_promotion('2023Q1', 'E010', true, '无人代理'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acts, decide_promotion('2023Q1', 'E010', true, '我的员工'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('2023Q1', 'E010', true, ' …'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('2023Q1', 'E010', NULL, '同意'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('2023Q1', 'E011', true, '同意'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('没有', 'E010', true, '同意'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- nor by the table
UPDATE promotion_case SET status = 'approved', decided_by = find_employee('E090'), decided_on = '2023-04-05', reason = '直接写表' WHERE employee_id = find_employee('E010');
BEGIN; SELECT act_as('E003') > 0 AS acts;
UPDATE promotion_case SET status = 'approved', decided_by = find_employee('E003'), decided_on = '2023-04-05', reason = '直接写表' WHERE employee_id = find_employee('E010'); ROLLBACK;
UPDATE promotion_case SET status = 'withdrawn' WHERE employee_id = find_employee('E010');
UPDATE promotion_case SET employee_id = find_employee('E011') WHERE employee_id = find_employee('E010');
\set VERBOSITY terse
UPDATE promotion_case SET status = 'approved' WHERE employee_id = find_employee('E010');
INSERT INTO promotion_case (employee_id, review_id, result_id, decision_id, status, decided_by, decided_on, reason)
SELECT r.employee_id, r.review_id, x.result_id, x.decision_id, 'approved', find_employee('E090'), '2023-04-05', '直接写表' FROM review r JOIN review_result x USING (review_id) WHERE r.employee_id = find_employee('E011');
DELETE FROM promotion_case; DELETE FROM pool_membership; TRUNCATE pool_evidence; DELETE FROM recommendation;
UPDATE pool_rule SET grade = '良好';
\set VERBOSITY default
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('2023Q1', 'E021', true, '贡献突出', '2023-04-06') AS status; COMMIT;
BEGIN; SELECT act_as('E001') > 0 AS acts, decide_promotion('2023Q1', 'E030', false, '刚晋升过', '2023-04-06') AS status; COMMIT;
BEGIN; SELECT act_as('E001') > 0 AS acts, decide_promotion('2023Q1', 'E030', true, '改主意'); ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS acts; UPDATE promotion_case SET status = 'approved', decided_by = actor() WHERE employee_id = find_employee('E030'); ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS acts; UPDATE promotion_case SET reason = '改写' WHERE employee_id = find_employee('E030'); ROLLBACK;
SELECT employee_no AS who, status, decided_by, decided_on, reason FROM promotion_overview ORDER BY employee_no;
SELECT e.employee_no AS "to", n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind IN ('promotion.approved', 'promotion.rejected') ORDER BY n.notification_id;
SELECT kind, decided_by, inputs - 'decision' AS inputs, outcome, reason FROM decision WHERE kind IN ('promotion.approved', 'promotion.rejected') ORDER BY decision_id;
SELECT line FROM explain_talent('E030');
-- it does not change pay by itself
SELECT count(*) AS salaries_since FROM salary WHERE decision_id IS NOT NULL;
-- one of HR is excellent: not about oneself
SELECT submit_score('2023Q1', 'E090', '业绩', 96, '按事实评分,E090') IS NULL AS first, submit_score('2023Q1', 'E090', '协作', 96, '按事实评分,E090') AS composite, lock_review('2023Q1', 'E090', '2023-04-03') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_promotion('2023Q1', 'E090', true, '同意'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE

-- unlocked: what version 1 led to is withdrawn, nothing is deleted; at 92 again exactly one of each
SELECT unlock_review('2023Q1', 'E021', '复核数据') AS open;
SELECT * FROM four WHERE who = 'E021';
SELECT * FROM members WHERE who = 'E021';
SELECT * FROM courses WHERE who = 'E021';
SELECT status, decided_by, reason FROM promotion_overview WHERE employee_no = 'E021';
SELECT kind, cause, inputs - 'decision' AS inputs, CASE outcome ->> 'until' WHEN current_date::text THEN '"today"' ELSE outcome END AS outcome, reason
  FROM decision WHERE kind IN ('talent.withdraw', 'promotion.withdraw') ORDER BY decision_id;
SELECT coalesce(e.employee_no, 'HR') AS "to", n.kind, replace(n.body, current_date::text, 'today') AS body, n.withdrawn_at IS NOT NULL AS withdrawn
  FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id
 WHERE (n.kind LIKE 'talent.%' OR n.kind LIKE 'promotion.%') AND (e.employee_no = 'E021' OR e.employee_no IS NULL AND n.args ->> 'employee' = '吴技') ORDER BY n.notification_id;
SELECT count(*) AS lines FROM explain_talent('E021');
SELECT has_training_priority('E021') AS priority;
SELECT * FROM verify();
SELECT submit_score('2023Q1', 'E021', '协作', 92, '复核后评分') AS composite, lock_review('2023Q1', 'E021', current_date) AS locked;
SELECT 'REV-15' AS id, * FROM four WHERE who = 'E021';
SELECT who, pool, joined_on = current_date AS joined_today, left_on, results FROM members WHERE who = 'E021' AND joined_on > '2023-04-03';
SELECT version, status FROM promotion_overview WHERE employee_no = 'E021' ORDER BY version;
-- in and out on one day: nothing overlaps; at 89.99 afterwards none of the four
SELECT unlock_review('2023Q1', 'E021', '再次复核') AS open, submit_score('2023Q1', 'E021', '协作', 87.98, '再次复核') AS composite, lock_review('2023Q1', 'E021', current_date) AS locked;
SELECT 'REV-15' AS id, * FROM four WHERE who = 'E021';
SELECT valid = 'empty' AS empty, count(*) FROM pool_membership WHERE employee_id = find_employee('E021') GROUP BY 1 ORDER BY 1;
SELECT * FROM verify();
-- rejected stays rejected; the next version has a case of its own
SELECT unlock_review('2023Q1', 'E030', '复核数据') AS open, lock_review('2023Q1', 'E030', '2023-04-10') AS locked;
SELECT version, status, reason FROM promotion_overview WHERE employee_no = 'E030' ORDER BY version;

SELECT * FROM verify();
DROP SCHEMA talent_test CASCADE;
