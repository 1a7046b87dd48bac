-- health: one row per check, kept once a month (SEC-06); what is encrypted (SEC-04).
\set books health_test
\set past yes
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- SEC-06.1 one row per check, ok or warn, with what to do ------------------------------------
CREATE VIEW now_warns AS SELECT code, status, value FROM health() WHERE code <> 'biggest_tables' AND status = 'warn';
SELECT lift_guards('{plan_item}') AS lifted;
UPDATE plan_item SET due_on = '2030-01-01' WHERE due_on < '2030-01-01';
SELECT apply_guards() AS put_back;
SELECT code, status, CASE code WHEN 'biggest_tables' THEN value ~ '\d+ kB' ELSE true END AS says, value IS NULL AS silent, hint <> '' AS hint FROM health() ORDER BY 1;
SELECT count(*) = count(DISTINCT code) AS one_row_each FROM health();
SELECT code, value, threshold FROM health(true) WHERE code IN ('differences', 'audit_chain', 'version', 'tls', 'quarantine', 'rule_gaps', 'unsent_feed') ORDER BY 1;
-- each can warn, and stops when its limit is put up
SELECT lift_guards('{notification,payroll_feed,plan_item,review,due_event}') AS lifted;
SELECT * FROM now_warns WHERE code = 'guards';
BEGIN;
UPDATE plan_item SET due_on = current_date - 1, progress = 50
 WHERE plan_item_id = (SELECT min(i.plan_item_id) FROM plan_item i JOIN development_plan p USING (plan_id) WHERE p.status = 'effective' AND i.progress < 100);
SELECT * FROM now_warns WHERE code = 'overdue_items';
SELECT set_setting('health.overdue_items', '1');
SELECT * FROM now_warns WHERE code = 'overdue_items';
ROLLBACK;
BEGIN;
UPDATE payroll_feed SET acknowledged_at = NULL, created_at = now() - interval '4 days' WHERE feed_id = (SELECT min(feed_id) FROM payroll_feed);
SELECT * FROM now_warns WHERE code = 'unsent_feed';
SELECT set_setting('health.feed_days', NULL);
SELECT * FROM now_warns WHERE code = 'unsent_feed';
ROLLBACK;
BEGIN;
UPDATE notification SET created_at = now() - interval '91 days' WHERE notification_id = (SELECT min(notification_id) FROM notification WHERE read_at IS NULL AND withdrawn_at IS NULL);
SELECT * FROM now_warns WHERE code = 'unread_notices';
ROLLBACK;
BEGIN;
INSERT INTO quarantine (source, external_id, payload, problem) VALUES ('lms', '1', '{}', 'unknown course');
SELECT * FROM now_warns WHERE code = 'quarantine';
SELECT create_scale('raise_hole', 'raise', '[{"range": "[90,)", "value": 1}, {"range": "(,80)", "value": 0}]') > 0 AS made;
SELECT * FROM now_warns WHERE code = 'rule_gaps';
SELECT set_setting('health.index_rows', '0');
ANALYZE;
SELECT code, status FROM now_warns WHERE code = 'missing_indexes';
DROP INDEX salary_adjustment_result;
ANALYZE salary_adjustment;
SELECT set_setting('health.index_rows', '3');
SELECT value ~ 'salary_adjustment.salary_adjustment_result_id_fkey' AS found FROM now_warns WHERE code = 'missing_indexes';
ALTER TABLE employee ADD COLUMN phone text;
SELECT * FROM now_warns WHERE code = 'privacy_gaps';
ALTER TABLE score DISABLE TRIGGER score_check;
SELECT code FROM now_warns WHERE code = 'disabled_triggers';
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'employee_status_no_overlap'::regclass;
SELECT * FROM now_warns WHERE code = 'invalid_indexes';
ROLLBACK;
BEGIN;
UPDATE due_rule SET ran_at = now() - interval '40 days';
UPDATE due_event SET happened_at = now() - interval '40 days';
SELECT code FROM now_warns WHERE code = 'clock';
UPDATE due_rule SET ran_at = now() WHERE code = 'review_node';
SELECT code FROM now_warns WHERE code = 'clock';
ROLLBACK;
BEGIN;
ALTER TABLE review DISABLE TRIGGER USER;
UPDATE review SET composite = composite - 1 WHERE review_id = (SELECT min(review_id) FROM review WHERE composite IS NOT NULL);
SELECT code, status, value > '0' AS some FROM health(true) WHERE code = 'differences';
SELECT code, status, value FROM health(false) WHERE code = 'differences';
ROLLBACK;
BEGIN;
SELECT leave('E011', '2023-08-01') > 0 AS left;
SELECT request_erasure('E011', '来信') > 0 AS asked;
SELECT * FROM now_warns WHERE code = 'erasures';
UPDATE book SET version = '0.0.1';
SELECT * FROM now_warns WHERE code = 'version';
ROLLBACK;
-- what was done to the audit log behind its back
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE audit_entry SET reason = '改过' WHERE audit_id = (SELECT min(audit_id) FROM audit_entry);
SELECT code, status, value FROM health(true) WHERE code = 'audit_chain';
ROLLBACK;
\set VERBOSITY sqlstate
SELECT set_setting('health.notice_days', '-1');
SELECT set_setting('health.verify_days', '-1');
\set VERBOSITY default
-- for its owner, HR and executives
BEGIN;
SELECT act_as('E003') > 0 AS acting;
SELECT * FROM health(); \echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SELECT count(*) > 15 AS checks FROM health();
ROLLBACK;

-- SEC-06.2 kept once a month, and HR is told ------------------------------------------------
SELECT rule, done FROM run_due('2023-09-04 09:00+08') WHERE rule = 'health_report';
SELECT rule, done FROM run_due('2023-09-20 09:00+08') WHERE rule = 'health_report';
SELECT rule, done FROM run_due('2023-10-02 09:00+08') WHERE rule = 'health_report';
SELECT month, checks = (SELECT count(*) FROM health()) AS all_checks, warnings = (SELECT count(*) FROM jsonb_array_elements(report) h WHERE h ->> 'status' = 'warn') AS counted,
       jsonb_array_length(report) = checks AS kept, sizes ? 'employee' AS sizes FROM health_report ORDER BY 1;
SELECT recipient_id, recipient_role, event_key, regexp_replace(body, '\d+项', 'n项', 'g') ~ '系统健康检查:n项检查,n项需要关注' AS body FROM notification WHERE kind = 'health.report' ORDER BY event_key;
SELECT bool_and(growth IS NOT NULL) AS grown FROM table_size WHERE table_name IN ('employee', 'decision');

-- SEC-04 without TLS, and this is a local socket, pay is not shown while the switch is on -----
SELECT version, cipher, bits FROM hrloop.tls();
SELECT require_tls();
SELECT set_setting('sec.require_tls', 'true');
SELECT count(*) FROM explain_pay('E010'); \echo :LAST_ERROR_SQLSTATE
SELECT allowance_on('E010', '2023-06-01');
SELECT count(*) FROM allowance_trail('E010');
SELECT count(*) FROM payroll_pending;
-- what maintains the books goes on
SELECT count(*) FROM payroll_reconciliation;
SELECT * FROM verify();
SELECT sum(done) > 0 AS done FROM run_due('2023-11-06 09:00+08') WHERE rule = 'health_report';
SELECT count(*) FROM unit_pay;
SELECT export_person('E010');
SELECT code, status, value, threshold FROM health() WHERE code = 'tls';
SELECT set_setting('sec.require_tls', 'false');
SELECT count(*) > 0 AS shown FROM explain_pay('E010');
SELECT set_setting('sec.tls_bits', '128');
\set VERBOSITY sqlstate
SELECT set_setting('sec.tls_bits', '0');
SELECT set_setting('sec.tls_bits', NULL);
SELECT set_setting('sec.require_tls', 'yes');
\set VERBOSITY default
DROP SCHEMA health_test CASCADE;
