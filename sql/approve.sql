-- approve: four eyes on pay, promotions and appeals; delegations; approvals of what was approved.
\set books approve_test
\set by_hand '{salary_adjustment}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
CREATE TEMP VIEW raises AS
  SELECT c.code AS cycle, e.employee_no AS who, a.old_amount AS old, a.percent AS pct, a.new_amount AS new, a.status, a.decided_by
    FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY c.code, e.employee_no, a.adjustment_id;
CREATE TEMP VIEW decisions AS
  SELECT d.kind, e.employee_no AS whose, d.inputs - 'hash' AS inputs, d.outcome - 'id' AS outcome, d.reason, d.decided_by, d.decision_id FROM decision d LEFT JOIN employee e USING (employee_id);

-- one indicator, everybody 85; two of HR, one of finance
SELECT create_indicator('表现', definition => '一切', standard => '0-100分', pass => 0) > 0 AS made, create_template('PLAIN', '[{"indicator": "表现", "weight": 100}]') > 0 AS template, activate_template('PLAIN') > 0 AS active;
SELECT hire('E091', '马人事', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS hr, hire('E092', '财务', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS finance, set_salary('E091', 9500, '2023-01-01') > 0 AS paid;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E091')), ('finance', find_employee('E092'));
SELECT create_cycle('C', '2023-04-01', '2023-06-30', 'PLAIN') > 0 AS made, open_cycle('C') AS reviews;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT r.review_id, find_indicator('表现'), r.manager_id, 85, '按事实评分' FROM review r WHERE r.manager_id IS NOT NULL;
-- E090 calibrates E010, then all are locked
SELECT open_calibration('S', 'C') > 0 AS opened;
BEGIN; SELECT act_as('E090') > 0 AS acting, calibrate('S', 'E010', 90, '与同类门店相比') AS final; COMMIT;
SELECT count(*) AS closed FROM close_calibration('S');
SELECT lock_cycle('C', '2023-07-01', skip_incomplete => true) AS locked;

-- who approves a raise: HR, finance, executives, superiors; nobody who had a part in it ---------
BEGIN; SELECT act_as('E011') > 0 AS a_colleague, approve_adjustment('C', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E021') > 0 AS a_stranger, reject_adjustment('C', 'E010', '不同意'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS who_calibrated, approve_adjustment('C', 'E010'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS hr, approve_adjustment('C', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E092') > 0 AS finance, approve_adjustment('C', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS manager, approve_adjustment('C', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E001') > 0 AS managers_manager, approve_adjustment('C', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS own, approve_adjustment('C', 'E090'); ROLLBACK;
-- in somebody else's name, by the table
BEGIN; SELECT act_as('E011') > 0 AS acting; UPDATE salary_adjustment SET status = 'approved', decided_by = 'E091' WHERE employee_id = find_employee('E010'); ROLLBACK;
UPDATE salary_adjustment SET status = 'approved', decided_by = 'pay.auto_apply' WHERE employee_id = find_employee('E010');
-- the switch: then only one's own is refused
BEGIN; SELECT set_setting('four_eyes.pay', 'false'); SELECT act_as('E090') > 0 AS acting; SELECT approve_adjustment('C', 'E010') AS calibrated, approve_adjustment('C', 'E031') AS other; SELECT approve_adjustment('C', 'E090'); ROLLBACK;

-- in bulk: what is left, and why ------------------------------------------------------------------
BEGIN; SELECT act_as('E090') > 0 AS acting;
SELECT * FROM approvals_left('C');
SELECT approve_cycle('C') AS approved;
SELECT * FROM approvals_left('C');
ROLLBACK;
BEGIN; SELECT act_as('E030') > 0 AS a_head, approve_cycle('C') AS approved; SELECT who, status, decided_by FROM raises WHERE status = 'approved'; SELECT * FROM approvals_left('C'); ROLLBACK;
SELECT * FROM approvals_left('nowhere');

-- delegation: dated, with a reason, of one's own role, revocable ----------------------------------
BEGIN; SELECT act_as('E021') > 0 AS no_role, delegate_role('E031', 'hr', '2031-01-01', '2031-01-07', '休假'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS other, delegate_role('E031', 'hr', current_date, current_date + 7, '休假', delegator => 'E090'); ROLLBACK;
\set VERBOSITY terse
BEGIN; SELECT act_as('E091') > 0 AS acting, delegate_role('E091', 'hr', current_date, current_date + 7, '休假'); ROLLBACK;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E091') > 0 AS acting, delegate_role('E031', 'hr', '2031-01-07', '2031-01-06', '休假'); ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS acting, delegate_role('E031', 'hr', current_date, NULL, '休假'); ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS acting, delegate_role('E031', 'hr', current_date, current_date + 7, ' 。'); ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS acting, delegate_role('E031', 'king', current_date, current_date + 7, '休假'); ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS acting, delegate_role('E999', 'hr', current_date, current_date + 7, '休假'); ROLLBACK;
SELECT delegate_role('E031', 'hr', current_date, current_date + 7, '休假');
BEGIN; SELECT act_as('E091') > 0 AS acting; SELECT delegate_role('E021', 'hr', current_date, current_date + 7, '休假期间代为审批') AS given \gset
COMMIT;
SELECT holds_role('hr', find_employee('E021')) AS holds, (SELECT count(*) FROM role_holder WHERE employee_id = find_employee('E021')) AS of_their_own;
-- twice the same, and handed on once more
\set VERBOSITY terse
SELECT delegate_role('E021', 'hr', current_date + 3, current_date + 9, '再次', delegator => 'E091');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E021') > 0 AS acting, delegate_role('E031', 'hr', '2031-01-01', '2031-01-07', '转授'); ROLLBACK;
UPDATE delegation SET valid = daterange(current_date, current_date + 99);
DELETE FROM delegation;
-- the delegate approves, and it is said for whom
BEGIN; SELECT act_as('E021') > 0 AS delegate, approve_adjustment('C', 'E010'), approve_adjustment('C', 'E031'); COMMIT;
SELECT kind, whose, inputs, outcome, reason, decided_by FROM decisions WHERE kind IN ('pay.approve', 'delegation.use') ORDER BY decision_id;
-- not for themselves, and not for who handed it on
BEGIN; SELECT act_as('E021') > 0 AS delegate, approve_adjustment('C', 'E021'); ROLLBACK;
BEGIN; SELECT act_as('E021') > 0 AS delegate, approve_adjustment('C', 'E091'); ROLLBACK;
BEGIN; SELECT act_as('E021') > 0 AS delegate; SELECT * FROM approvals_left('C'); ROLLBACK;
-- a delegate of who calibrated is as that one; of both, as the other
SELECT delegate_role('E030', 'hr', current_date, current_date, '出差', delegator => 'E090') > 0 AS given;
BEGIN; SELECT reject_adjustment('C', 'E003', '预算') AS owner_decides; SELECT act_as('E030') > 0 AS delegate; SELECT approve_adjustment('C', 'E011') AS not_calibrated; ROLLBACK;
BEGIN; SELECT unlock_review('C', 'E010', '复核') AS open, lock_review('C', 'E010', '2023-07-02') AS locked; SELECT act_as('E030') > 0 AS delegate; SELECT approve_adjustment('C', 'E010'); ROLLBACK;
BEGIN; SELECT unlock_review('C', 'E010', '复核') AS open, lock_review('C', 'E010', '2023-07-02') AS locked; SELECT delegate_role('E030', 'hr', current_date, current_date, '出差', delegator => 'E091') > 0 AS given; SELECT act_as('E030') > 0 AS delegate; SELECT approve_adjustment('C', 'E010'); SELECT inputs FROM decisions WHERE kind = 'delegation.use' ORDER BY decision_id DESC LIMIT 1; ROLLBACK;
-- who opened a result again does not approve what follows
BEGIN; SELECT act_as('E091') > 0 AS hr, unlock_review('C', 'E011', '漏计一家客户') AS open; COMMIT;
SELECT lock_review('C', 'E011', '2023-07-02') AS locked;
BEGIN; SELECT act_as('E091') > 0 AS hr, approve_adjustment('C', 'E011'); ROLLBACK;
BEGIN; SELECT act_as('E021') > 0 AS their_delegate, approve_adjustment('C', 'E011'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS other_hr, approve_adjustment('C', 'E011'); ROLLBACK;
-- it ends: revoked, after its last day, or with the role itself
BEGIN; SELECT act_as('E090') > 0 AS other, revoke_delegation(:given, '提前返岗'); ROLLBACK;
SELECT revoke_delegation(:given, NULL);
SELECT revoke_delegation(-1, '提前返岗');
BEGIN; UPDATE role_holder SET valid = daterange('2019-01-01', current_date) WHERE employee_id = find_employee('E091'); SELECT holds_role('hr', find_employee('E021')) AS without_the_role; ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS acting, revoke_delegation(:given, '提前返岗') AS revoked, revoke_delegation(:given, '提前返岗') AS again; COMMIT;
SELECT holds_role('hr', find_employee('E021')) AS holds;
UPDATE delegation SET revoked_by = NULL;
BEGIN; SELECT act_as('E021') > 0 AS was_delegate, approve_adjustment('C', 'E030'); ROLLBACK;
SELECT kind, whose, inputs - 'until' AS inputs, reason, decided_by FROM decisions WHERE kind IN ('delegation.give', 'delegation.revoke') ORDER BY decision_id;

-- promotions and appeals ---------------------------------------------------------------------------
-- E090 calibrated E010 up to 优秀: neither they nor their delegate decide the promotion
BEGIN; SELECT act_as('E090') > 0 AS who_calibrated, decide_promotion('C', 'E010', true, '业绩突出'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E030') > 0 AS their_delegate, decide_promotion('C', 'E010', true, '业绩突出'); ROLLBACK;
BEGIN; SELECT set_setting('four_eyes.pay', 'false'); SELECT act_as('E030') > 0 AS their_delegate; SELECT decide_promotion('C', 'E010', true, '业绩突出'); SELECT whose, inputs, outcome FROM decisions WHERE kind = 'delegation.use' ORDER BY decision_id DESC LIMIT 1; ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS other_hr, decide_promotion('C', 'E010', true, '业绩突出'); COMMIT;
-- who approved the promotion does not approve the raise
BEGIN; SELECT unlock_review('C', 'E031', '复核') AS open, lock_review('C', 'E031') AS locked; SELECT act_as('E091') > 0 AS hr; SELECT approve_adjustment('C', 'E031') AS another_raise; ROLLBACK;
BEGIN; UPDATE salary_adjustment SET status = 'proposed', decided_by = NULL WHERE adjustment_id = find_adjustment('C', 'E010'); SELECT act_as('E091') > 0 AS hr; SELECT approve_adjustment('C', 'E010'); ROLLBACK;
-- an appeal: not decided by who calibrated, nor by the delegate of who did
SELECT disclose_cycle('C', '2023-07-02') IS NOT NULL AS disclosed;
BEGIN; SELECT act_as('E010') > 0 AS acting, file_appeal('C', 'E010', '应为95分', '2023-07-03') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS who_calibrated, decide_appeal('C', 'E010', false, '维持', on_date => '2023-07-04'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E030') > 0 AS their_delegate, decide_appeal('C', 'E010', false, '维持', on_date => '2023-07-04'); ROLLBACK;
BEGIN; SELECT set_setting('four_eyes.appeal', 'false'); SELECT act_as('E090') > 0 AS who_calibrated; SELECT decide_appeal('C', 'E010', false, '维持', on_date => '2023-07-04') AS final; ROLLBACK;
BEGIN; SELECT act_as('E091') > 0 AS other_hr, decide_appeal('C', 'E010', true, '补计两家', '{"表现": 96}', '2023-07-04') AS final; COMMIT;
-- who upheld it does not approve the raise that follows
BEGIN; SELECT act_as('E091') > 0 AS who_upheld, approve_adjustment('C', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E092') > 0 AS finance, approve_adjustment('C', 'E010'); COMMIT;

-- an approval is of these figures, on this pay ---------------------------------------------------------
SELECT who, old, new, status, decided_by FROM raises WHERE who = 'E010';
SELECT set_salary('E010', 10800, '2023-05-01', '转正') > 0 AS another_pay;
SELECT h.approved AS as_approved FROM adjustment_hash(ARRAY[find_adjustment('C', 'E010')]) h;
UPDATE salary_adjustment SET status = 'applied' WHERE adjustment_id = find_adjustment('C', 'E010'); \echo :LAST_ERROR_SQLSTATE
SELECT apply_adjustment('C', 'E010');
SELECT who, old, new, status, decided_by FROM raises WHERE who = 'E010';
SELECT kind, whose, inputs, outcome FROM decisions WHERE kind = 'pay.void' ORDER BY decision_id;
SELECT n.recipient_role, n.body FROM notification n WHERE n.kind = 'pay.void';
SELECT amount, valid FROM salary WHERE employee_id = find_employee('E010') AND superseded_by IS NULL ORDER BY valid;
SELECT apply_adjustment('C', 'E010'); \echo :LAST_ERROR_SQLSTATE
-- seen again, approved, paid
BEGIN; SELECT act_as('E092') > 0 AS finance, approve_adjustment('C', 'E010'), apply_adjustment('C', 'E010'); COMMIT;
-- in bulk the others are paid; figures that somebody touched behind the rules are not
BEGIN; SELECT act_as('E092') > 0 AS finance, approve_cycle('C') AS approved; COMMIT;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE salary_adjustment SET raise_amount = raise_amount + 5000, new_amount = new_amount + 5000 WHERE employee_id = find_employee('E020') AND status = 'approved';
SET LOCAL session_replication_role = origin;
SELECT (SELECT count(*) FROM raises WHERE status = 'approved') AS approved, apply_cycle('C') AS applied;
SELECT who, status, decided_by FROM raises WHERE status <> 'applied' AND who = 'E020';
ROLLBACK;
SELECT apply_cycle('C') AS applied, apply_cycle('C') AS again;
-- a base that changed before the approval: the raise is proposed from it, and approved as it is now
SELECT create_cycle('D', '2023-07-01', '2023-09-30', 'PLAIN') > 0 AS made, open_cycle('D') > 0 AS opened;
SELECT submit_score('D', 'E031', '表现', 85, '按事实评分', rater => 'E030') AS score, lock_review('D', 'E031', '2023-10-01') AS locked, set_salary('E031', 7000, '2023-10-01', '调岗') > 0 AS another_pay;
SELECT who, old, new, status FROM raises WHERE who = 'E031' ORDER BY old, status;
SELECT approve_cycle('D') AS approved;
SELECT * FROM approvals_left('D');
-- verify() sees what went round the rules
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE salary_adjustment SET decided_by = 'E001' WHERE employee_id = find_employee('E020') AND status = 'applied';
UPDATE salary_adjustment SET decided_by = 'E030' WHERE employee_id = find_employee('E030') AND status = 'applied';
UPDATE delegation SET role = 'finance' WHERE reason = '出差';
SELECT v.problem, v.table_name, v.expected <> v.found AS differs FROM verify_approvals() v ORDER BY 1;
ROLLBACK;
SELECT * FROM verify();
