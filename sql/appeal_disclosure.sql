-- appeal: results are disclosed, employees acknowledge or refuse them; the days to appeal run from then (REV-08).
\set books disclosure_test
\set by_hand '{review_result}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, open_cycle('2023Q1') AS reviews;
CREATE TEMP VIEW results AS
  SELECT e.employee_no AS who, x.version, x.composite, x.locked_on, x.disclosed_on, x.reopened_by IS NULL AS stands
    FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) ORDER BY 1, x.version;
CREATE TEMP VIEW answers AS
  SELECT cycle_code, employee_no AS who, manager_no AS manager, version, disclosed_on, response, remark, answered_at IS NOT NULL AS answered, appeal_until, appeal_status
    FROM result_response ORDER BY cycle_code, employee_no;
CREATE TEMP VIEW notices AS
  SELECT e.employee_no AS to_whom, n.recipient_role AS as_what, n.kind, n.body
    FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id WHERE n.kind IN ('review.disclosed', 'review.refused', 'pay.raise', 'pay.corrected') ORDER BY n.notification_id;
-- what somebody sees of E010's result in 2023Q1
CREATE FUNCTION pg_temp.seen() RETURNS TABLE (explained bigint, manager_score numeric, self_score numeric, deviation bigint, history bigint, feedback bigint, pay bigint, response text) LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM disclosure_test.explain_score('2023Q1', 'E010')), a.manager_score, a.self_score,
         (SELECT count(*) FROM disclosure_test.score_deviation d WHERE d.employee_no = 'E010'),
         (SELECT count(*) FROM disclosure_test.score_history('E010')), (SELECT count(*) FROM disclosure_test.feedback('2023Q1', 'E010')),
         (SELECT count(*) FROM disclosure_test.explain_pay('E010')),
         (SELECT p.response FROM disclosure_test.result_response p WHERE p.employee_no = 'E010')
    FROM disclosure_test.assessment a WHERE a.employee_no = 'E010' AND a.cycle_code = '2023Q1' $$;

-- by default the lock discloses: E031 reads, answers, and has seven days from then
SELECT submit_score('2023Q1', 'E031', '总评', 82, '按事实评分') AS composite;
SELECT lock_review('2023Q1', 'E031', '2023-04-03') AS locked;
SELECT * FROM results;
SELECT * FROM notices;
SELECT * FROM answers;
BEGIN; SELECT act_as('E031') > 0 AS acts; SELECT count(*) > 0 AS explained FROM explain_score('2023Q1', 'E031'); ROLLBACK;
BEGIN; SELECT act_as('E031') > 0 AS acts, acknowledge_result('2023Q1', 'E031') AS answer; COMMIT;
SELECT * FROM answers;
-- disclosed is disclosed: again does nothing, and it is neither moved nor taken back
SELECT disclose_result('2023Q1', 'E031', '2023-05-01') AS disclosed_on;
UPDATE review_result SET disclosed_on = '2023-05-01'; \echo :LAST_ERROR_SQLSTATE
UPDATE review_result SET disclosed_on = NULL; \echo :LAST_ERROR_SQLSTATE
-- acknowledged is no bar to an appeal
BEGIN; SELECT act_as('E031') > 0 AS acts, file_appeal('2023Q1', 'E031', '漏算一批', '2023-04-10') > 0 AS filed; ROLLBACK;

-- by setting people disclose
\set VERBOSITY sqlstate
SELECT set_setting('review.disclose', 'later');
SELECT set_setting('review.disclose', NULL);
\set VERBOSITY default
SELECT set_setting('review.disclose', 'manual') AS setting;
SELECT e, submit_score('2023Q1', e, '总评', v, '按事实评分,' || e) AS composite FROM (VALUES ('E010', 78), ('E011', 85), ('E020', 85), ('E090', 88)) AS p (e, v);
SELECT submit_score('2023Q1', 'E010', '总评', 80, rater_group => 'self') AS composite;
-- not while it is open, though both sides are in; the manager sees both
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT * FROM pg_temp.seen(); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM pg_temp.seen(); ROLLBACK;
SELECT disclose_result('2023Q1', 'E010', '2023-04-05'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('2023Q1', e, '2023-04-03') AS locked FROM unnest(ARRAY['E010', 'E011', 'E020', 'E090']) AS e;
SELECT * FROM results;
-- nothing of the result for the employee: neither score, nor history, nor the raise; HR and the manager as before
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT * FROM pg_temp.seen(); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT * FROM pg_temp.seen(); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT * FROM pg_temp.seen(); ROLLBACK;
-- one of HR reads nothing of their own either
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT count(*) AS own FROM explain_score('2023Q1', 'E090'); SELECT count(*) AS own FROM answers WHERE who = 'E090'; ROLLBACK;
SELECT * FROM notices WHERE to_whom <> 'E031';
-- by the rows, too: HR everybody's results but their own, a manager those of the team, the employee none; nobody acts, nobody reads
CREATE ROLE disclosure_app;
GRANT USAGE ON SCHEMA disclosure_test TO disclosure_app;
GRANT SELECT ON ALL TABLES IN SCHEMA disclosure_test TO disclosure_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA disclosure_test TO disclosure_app;
PREPARE visible_results AS SELECT e.employee_no AS who FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) ORDER BY 1;
SET ROLE disclosure_app;
BEGIN; SELECT act_as('E090') > 0 AS acts; EXECUTE visible_results; ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; EXECUTE visible_results; ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts; EXECUTE visible_results; ROLLBACK;
EXECUTE visible_results;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT (SELECT count(*) FROM plan_item) = (SELECT count(*) FROM plan_item i JOIN development_plan p USING (plan_id)) AS items_of_plans_read, holds_role('hr', actor()), owns_books(); ROLLBACK;
RESET ROLE;
SELECT owns_books(), hrloop.owns('book'::regclass) AS owner;
SELECT hrloop.owns(NULL); \echo :LAST_ERROR_SQLSTATE
DEALLOCATE visible_results;
DROP OWNED BY disclosure_app;
DROP ROLE disclosure_app;
-- nor can they answer, or appeal
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q1', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-04'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
BEGIN; SELECT act_as('E010') > 0 AS acts; INSERT INTO acknowledgement (result_id, answer) SELECT x.result_id, 'acknowledged' FROM review_result x WHERE x.review_id = find_review('2023Q1', 'E010'); ROLLBACK;
\set VERBOSITY default
-- a raise that is paid before is not told before
SELECT approve_adjustment('2023Q1', 'E011') AS approved, apply_adjustment('2023Q1', 'E011') AS pay;
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT count(*) AS lines FROM explain_pay('E011'); ROLLBACK;
SELECT count(*) AS notices FROM notices WHERE to_whom = 'E011';

-- the manager and HR disclose, nobody else, and not before the lock
BEGIN; SELECT act_as('E010') > 0 AS acts, disclose_result('2023Q1', 'E010', '2023-04-05'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E020') > 0 AS acts, disclose_result('2023Q1', 'E010', '2023-04-05'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts, disclose_result('2023Q1', 'E090', '2023-04-05'); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acts, disclose_cycle('2023Q1', '2023-04-05'); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acts; UPDATE review_result SET disclosed_on = '2023-04-05' WHERE review_id = find_review('2023Q1', 'E011'); ROLLBACK;
SELECT disclose_result('2023Q1', 'E010', '2023-04-02'); \echo :LAST_ERROR_SQLSTATE
SELECT disclose_cycle('2023Q1', '2023-04-02');
\set VERBOSITY sqlstate
SELECT disclose_result('2023Q1', 'E010', NULL);
SELECT disclose_cycle('2023Q1', NULL);
SELECT disclose_result('2023Q1', NULL);
SELECT disclose_cycle('2023Q9');
UPDATE review_result SET disclosed_on = '2023-04-02' WHERE review_id = find_review('2023Q1', 'E010');
\set VERBOSITY default
BEGIN; SELECT act_as('E003') > 0 AS acts, disclose_result('2023Q1', 'E010', '2023-04-10') AS once, disclose_result('2023Q1', 'E010', '2023-04-11') AS again; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT * FROM pg_temp.seen(); SELECT line FROM explain_score('2023Q1', 'E010') LIMIT 1; ROLLBACK;
-- HR discloses the rest at once, but for their own
BEGIN; SELECT act_as('E090') > 0 AS acts, disclose_cycle('2023Q1', '2023-04-10') AS disclosed, disclose_cycle('2023Q1', '2023-04-11') AS again; COMMIT;
SELECT * FROM results;
SELECT * FROM notices WHERE to_whom <> 'E031';
BEGIN; SELECT act_as('E001') > 0 AS acts, disclose_cycle('2023Q1', '2023-04-12') AS of_their_people; COMMIT;
SELECT kind, decided_by, inputs, outcome FROM decision WHERE kind = 'review.disclose' AND employee_id = find_employee('E010');
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT line FROM explain_pay('E011'); ROLLBACK;

-- the employee answers, once for each version; a refusal says why, and HR is told: it is no appeal
BEGIN; SELECT act_as('E011') > 0 AS acts, acknowledge_result('2023Q1', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
SELECT acknowledge_result('2023Q1', 'E010');
\set VERBOSITY sqlstate
INSERT INTO acknowledgement (result_id, answer) SELECT x.result_id, 'acknowledged' FROM review_result x WHERE x.review_id = find_review('2023Q1', 'E010');
\set VERBOSITY default
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q1', 'E010', false, ' 。'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q1', 'E010', NULL); ROLLBACK;
\set VERBOSITY sqlstate
BEGIN; SELECT act_as('E010') > 0 AS acts; INSERT INTO acknowledgement (result_id, answer) SELECT x.result_id, 'refused' FROM review_result x WHERE x.review_id = find_review('2023Q1', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q9', 'E010'); ROLLBACK;
\set VERBOSITY default
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q1', 'E010', false, '两家客户没有计入') AS answer; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q1', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- a blank remark is none
BEGIN; SELECT act_as('E020') > 0 AS acts, acknowledge_result('2023Q1', 'E020', remark => ' ') AS answer; COMMIT;
UPDATE acknowledgement SET answer = 'acknowledged'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM acknowledgement;
SELECT kind, decided_by, inputs, outcome, reason FROM decision WHERE cause = 'acknowledgement' ORDER BY decision_id;
SELECT to_whom IS NULL AS to_hr, as_what, body FROM notices WHERE kind = 'review.refused';
-- who has not answered; everybody reads what concerns them
SELECT * FROM answers;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT who, response FROM answers; ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT who, response FROM answers; ROLLBACK;
BEGIN; SELECT act_as('E030') > 0 AS acts; SELECT who, response FROM answers; ROLLBACK;

-- REV-08.2 the days run from the disclosure: day 7 is the 17th, day 8 is too late
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-18'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-09'); ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts, 'REV-08.2' AS id, file_appeal('2023Q1', 'E010', '漏算两家客户', '2023-04-17') > 0 AS filed; COMMIT;
-- upheld: version 2 is disclosed and answered anew; what was read of version 1 stays only in the decisions
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('2023Q1', 'E010', true, '核对合同', '{"总评": 82}', '2023-04-20') AS composite; COMMIT;
SELECT * FROM results WHERE who = 'E010';
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT * FROM pg_temp.seen(); ROLLBACK;
SELECT * FROM answers WHERE who = 'E010';
UPDATE review_result SET disclosed_on = '2023-05-01' WHERE version = 1 AND review_id = find_review('2023Q1', 'E010');
BEGIN; SELECT act_as('E090') > 0 AS acts, disclose_cycle('2023Q1', '2023-04-21') AS disclosed; COMMIT;
BEGIN; SELECT act_as('E010') > 0 AS acts, acknowledge_result('2023Q1', 'E010', remark => '谢谢') AS answer; SELECT * FROM pg_temp.seen(); COMMIT;
SELECT * FROM answers WHERE who = 'E010';
-- a version that was closed before it was disclosed stays closed
SELECT unlock_review('2023Q1', 'E020', '复核') AS open, lock_review('2023Q1', 'E020', '2023-04-22') AS locked, unlock_review('2023Q1', 'E020', '再复核') AS open;
UPDATE review_result SET disclosed_on = '2023-04-23' WHERE review_id = find_review('2023Q1', 'E020') AND version = 2; \echo :LAST_ERROR_SQLSTATE
SELECT disclose_result('2023Q1', 'E020', '2023-04-23');
-- back to the default: what waits goes on waiting, the next lock discloses
SELECT set_setting('review.disclose', 'lock') AS setting;
SELECT lock_review('2023Q1', 'E020', '2023-04-24') AS locked;
SELECT * FROM results WHERE who IN ('E020', 'E090');
-- it is told once to everybody, for each version
SELECT to_whom, count(*) FROM notices WHERE kind = 'review.disclosed' GROUP BY 1 ORDER BY 1;
SELECT * FROM verify();
-- verify() sees what was tampered with
BEGIN; SET LOCAL session_replication_role = replica; UPDATE review_result SET disclosed_on = '2023-06-01' WHERE review_id = find_review('2023Q1', 'E011'); SELECT problem, expected, found FROM verify(); ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica; UPDATE review_result SET disclosed_on = NULL WHERE review_id = find_review('2023Q1', 'E010') AND version = 1; SELECT problem, expected, found FROM verify() ORDER BY 1, 3; ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica; UPDATE acknowledgement SET answer = 'acknowledged', remark = NULL WHERE answer = 'refused'; SELECT problem, expected, found FROM verify(); ROLLBACK;
DROP SCHEMA disclosure_test CASCADE;
