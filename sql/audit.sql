-- audit: who changed what, when and why, in chains that cannot be edited unnoticed (SEC-03).
\set books audit_test
\set by_hand '{decision}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
CREATE TEMP VIEW entries AS
  SELECT t.table_name, t.row_key, t.action, t.employee_no AS whose, t.actor_no AS actor, t.before, t.after, t.reason, t.audit_id FROM audit_trail t;

-- every table with a person in it has a rule, and what the rules ask for is attached ---------
-- (a new table that this lists is registered without a word about it: audit, and the reason if it is not)
WITH RECURSIVE person AS (
  SELECT 'employee'::regclass::oid AS relid
  UNION SELECT k.conrelid FROM pg_constraint k JOIN person p ON k.confrelid = p.relid WHERE k.contype = 'f'
)
SELECT p.relid::regclass AS without_rule FROM person p
 WHERE NOT EXISTS (SELECT FROM table_rule r WHERE r.table_name = p.relid::regclass::text AND r.audit IS NOT NULL) ORDER BY 1;
SELECT r.table_name AS no_such_table FROM table_rule r WHERE to_regclass(r.table_name) IS NULL;
SELECT c.table_name, c.action FROM audit_command() c WHERE c.command IS NOT NULL;
SELECT r.table_name AS not_audited, r.because FROM table_rule r WHERE r.audit = '{}' ORDER BY 1;
SELECT hrloop.audit_attach('book'::regclass) AS attached_again;
SELECT hrloop.audit_attach(NULL);
SELECT hrloop.audit_attach('employee'::regclass);

-- SEC-03 a score 80, then 85 -------------------------------------------------------------------
SELECT create_cycle('C', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, open_cycle('C') AS reviews;
BEGIN; SELECT act_as('E003') > 0 AS acting, submit_score('C', 'E010', '客户满意度', 80, '回访平均80分'); COMMIT;
SELECT max(audit_id) AS mark FROM audit_entry \gset
BEGIN; SELECT act_as('E003') > 0 AS acting, submit_score('C', 'E010', '客户满意度', 85, '补交两份回访记录'); COMMIT;
SELECT 'SEC-03' AS id, t.actor_no, t.employee_no, t.action, t.before ->> 'value' AS before, t.after ->> 'value' AS after, t.reason,
       t.at BETWEEN now() - interval '1 hour' AND now() AS at, t.db_user = session_user AS login, t.db_role
  FROM audit_trail t WHERE t.table_name = 'score' AND t.audit_id > :mark;
-- that and its review's derived composite are all that happened: nothing else is told
SELECT table_name, action FROM entries WHERE audit_id > :mark ORDER BY audit_id;
-- the same again is at most another time of scoring
SELECT max(audit_id) AS mark FROM audit_entry \gset
BEGIN; SELECT act_as('E003') > 0 AS acting, submit_score('C', 'E010', '客户满意度', 85, '补交两份回访记录'); COMMIT;
SELECT count(*) AS entries_for_nothing FROM entries WHERE audit_id > :mark AND table_name = 'score' AND before - 'scored_at' <> '{}';
-- what is rolled back leaves nothing, also in part
SELECT count(*) AS entries, (SELECT sum(length) FROM audit_lane) AS length FROM audit_entry \gset before_
BEGIN; SELECT act_as('E003') > 0 AS acting, submit_score('C', 'E010', '客户满意度', 12, '写错了'); ROLLBACK;
SELECT 'SEC-03' AS id, count(*) - :before_entries AS entries_left, (SELECT sum(length) FROM audit_lane) - :before_length AS length_left FROM audit_entry;
BEGIN;
SAVEPOINT s; UPDATE key_event SET event = 'x'; INSERT INTO key_event (employee_id, occurred_on, event) VALUES (find_employee('E010'), '2023-05-01', '第一稿'); ROLLBACK TO s;
INSERT INTO key_event (employee_id, occurred_on, event) VALUES (find_employee('E010'), '2023-05-01', '挽回1个流失客户');
SAVEPOINT s; UPDATE key_event SET evidence = 'CRM'; RELEASE s;
COMMIT;
SELECT action, whose, before, after FROM entries WHERE table_name = 'key_event' ORDER BY audit_id;
SELECT * FROM verify_audit();

-- each action, who it is about, and through which tables ----------------------------------------
SELECT max(audit_id) AS mark FROM audit_entry \gset
SET ROLE NONE;
UPDATE employee SET name = '张叁', education = NULL WHERE employee_no = 'E010';
UPDATE employee SET name = name;
SELECT set_salary('E010', 10500, '2024-01-01', '转正') > 0 AS paid;
DELETE FROM score WHERE review_id = find_review('C', 'E010');
SELECT set_setting('plan.score_threshold', '65');
UPDATE role_holder SET valid = daterange('2018-01-01', NULL) WHERE role = 'hr';
SELECT table_name, action, whose, before - 'scored_at' AS before, after - 'decision_id' - 'superseded_by' - 'sha256' AS after, reason FROM entries WHERE audit_id > :mark ORDER BY audit_id;
BEGIN;
TRUNCATE key_event;
SELECT table_name, action, row_key, whose, before, after FROM entries ORDER BY audit_id DESC LIMIT 1;
ROLLBACK;
-- keys of more than one column, and texts that JSON has to escape
BEGIN;
UPDATE job SET job_family = E'a"b\\c\n' WHERE code = 'SALES';
UPDATE template_rater_group SET minimum = 4 WHERE rater_group = 'peer' AND template_id = find_template('SALES');
SELECT table_name, row_key, before, after FROM entries WHERE action = 'update' ORDER BY audit_id DESC LIMIT 2;
SELECT count(*) AS problems FROM verify_audit();
ROLLBACK;
-- dates are written in one form, whoever writes them
SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Shanghai';
SELECT hire('E900', '新人', 'SH', 'SALES', '2023-02-01') > 0 AS hired;
RESET datestyle; RESET timezone; SET datestyle = ISO;
SELECT table_name, after - 'employee_id' - 'org_unit_id' - 'job_id' - 'manager_id' AS after FROM entries ORDER BY audit_id DESC LIMIT 3;
SELECT * FROM verify_audit();

-- nobody writes the log but the engine -------------------------------------------------------------
INSERT INTO audit_entry (lane, seq, db_user, table_name, action, hash) VALUES (1, 1, 'x', 'score', 'update', '\x00'); \echo :LAST_ERROR_SQLSTATE
UPDATE audit_entry SET reason = 'x' WHERE false; \echo :LAST_ERROR_SQLSTATE
DELETE FROM audit_entry;
TRUNCATE audit_entry;
UPDATE audit_lane SET length = 0;
DELETE FROM audit_lane;
-- not even a role that was granted everything
CREATE ROLE regress_audit;
GRANT USAGE ON SCHEMA audit_test TO regress_audit;
GRANT ALL ON ALL TABLES IN SCHEMA audit_test TO regress_audit;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit_test TO regress_audit;
SET ROLE regress_audit;
UPDATE audit_entry SET reason = 'x';
DELETE FROM audit_entry;
TRUNCATE audit_entry;
ALTER TABLE score DISABLE TRIGGER audit_update;
BEGIN; SELECT act_as('E090') > 0 AS acts; UPDATE employee SET education = '硕士' WHERE employee_no = 'E010'; COMMIT;
RESET ROLE;
SELECT t.db_role, t.before, t.after FROM audit_trail t ORDER BY t.audit_id DESC LIMIT 1;
-- and without grants nobody reads it
REVOKE ALL ON audit_entry, audit_trail FROM regress_audit;
SET ROLE regress_audit;
SELECT count(*) FROM audit_entry;
RESET ROLE;

-- what the owner of the books or a superuser does behind its back is found -------------------------
SELECT audit_head() AS head \gset
SELECT count(*) AS problems FROM verify_audit(:'head');
-- a value that was put right
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE audit_entry SET after = jsonb_set(after, '{value}', '90') WHERE table_name = 'score' AND after ->> 'value' = '85.0000';
SET LOCAL session_replication_role = origin;
SELECT v.problem, v.table_name, v.row_id = a.audit_id AS that_one, v.expected <> v.found AS differs FROM verify_audit() v, audit_entry a WHERE a.table_name = 'score' AND a.after ->> 'value' = '90';
ROLLBACK;
-- an actor, a time or a reason
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE audit_entry SET actor_id = find_employee('E001') WHERE audit_id = (SELECT min(audit_id) FROM audit_entry WHERE actor_id IS NOT NULL);
UPDATE audit_entry SET at = at - interval '1 microsecond' WHERE audit_id = (SELECT min(audit_id) FROM audit_entry);
UPDATE audit_entry SET reason = '转正了' WHERE reason = '转正' AND table_name <> 'decision';
SELECT v.problem, count(*) FROM verify_audit() v GROUP BY 1;
ROLLBACK;
-- an entry that is gone, in the middle or at the end
BEGIN; SET LOCAL session_replication_role = replica;
DELETE FROM audit_entry WHERE seq = 7;
SELECT v.problem, v.table_name, v.expected, v.found FROM verify_audit() v;
ROLLBACK;
BEGIN; SET LOCAL session_replication_role = replica;
DELETE FROM audit_entry WHERE (lane, seq) IN (SELECT lane, max(seq) FROM audit_entry GROUP BY lane);
SELECT v.problem, v.table_name, v.row_id, v.expected <> v.found AS differs FROM verify_audit() v;
ROLLBACK;
-- two that changed places
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE audit_entry SET seq = CASE seq WHEN 7 THEN 8 ELSE 7 END WHERE seq IN (7, 8);
SELECT v.problem, count(*) FROM verify_audit() v GROUP BY 1;
ROLLBACK;
-- the end cut off together with the head: the chain alone cannot tell, a head that was kept can
BEGIN; SET LOCAL session_replication_role = replica;
DELETE FROM audit_entry WHERE seq > 10;
UPDATE audit_lane l SET length = 10, head = (SELECT a.hash FROM audit_entry a WHERE a.lane = l.lane AND a.seq = 10) WHERE l.length > 0;
SELECT count(*) AS unnoticed FROM verify_audit() v WHERE v.problem LIKE 'audit%';
SELECT v.problem, v.table_name, v.found FROM verify_audit(:'head') v WHERE v.problem LIKE 'audit%';
TRUNCATE audit_entry, audit_lane;
SELECT v.problem, v.found FROM verify_audit(:'head') v WHERE v.problem LIKE 'audit%';
ROLLBACK;
SELECT * FROM verify_audit('rubbish');
-- what is hashed: the length in bytes of UTF-8, a colon, the text, a comma; null is a hyphen
SELECT encode(hrloop.fields(7, NULL::text, '绩效', '', 1.50, true), 'escape') AS fields;
SELECT hrloop.fields('1,2') <> hrloop.fields('1', '2') AS unlike;
-- a decision that was edited, or removed
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE decision SET outcome = '{"amount": 99999}' WHERE kind = 'salary.set';
SELECT v.problem, v.table_name, v.expected, v.found FROM verify_audit() v;
DELETE FROM decision WHERE kind = 'salary.set';
SELECT v.problem, v.table_name, v.expected, v.found FROM verify_audit() v;
ROLLBACK;
-- verify() looks, too
BEGIN; SET LOCAL session_replication_role = replica;
DELETE FROM audit_entry WHERE seq = 7;
SELECT v.problem FROM verify() v;
ROLLBACK;
SELECT * FROM verify();
SELECT * FROM verify_audit(:'head');

DROP OWNED BY regress_audit;
DROP ROLE regress_audit;
