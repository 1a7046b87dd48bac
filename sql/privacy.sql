-- privacy: what the books hold about a person is handed out and erased (SEC-05).
\set books privacy_test
\set by_hand '{growth_archive,review_result,decision}'
\set past yes
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- nothing about people that neither an export nor an erasure would reach; a table with a person
-- in it that is not thought of is a row here
SELECT gap, table_name, column_name FROM privacy_gap ORDER BY 1, 2, 3;
-- and the view would say so
BEGIN;
CREATE TABLE locker (locker_id bigint PRIMARY KEY, holder_id bigint REFERENCES employee, key_no text, opened_by text);
CREATE TABLE visit (visit_id bigint PRIMARY KEY, employee_id bigint REFERENCES employee, why text, kind text CHECK (kind IN ('a', 'b')));
CREATE TABLE visit_note (visit_id bigint NOT NULL REFERENCES visit, body text);
INSERT INTO erasure_rule (table_name, column_name, action, reason) VALUES ('visitor', 'x', 'keep', 'no such table');
SELECT gap, table_name, column_name, hint FROM privacy_gap ORDER BY 1, 2, 3;
SELECT table_name, depth, replace(condition, 'privacy_test.', '') AS condition FROM personal_table WHERE table_name ~ 'visit|locker' ORDER BY 1;
INSERT INTO visit VALUES (1, find_employee('E010'), '体检', 'a');
INSERT INTO visit_note VALUES (1, '血压正常');
-- a table that a DBA added is exported as well
SELECT export_person('E010') -> 'visit' AS visit, export_person('E010') -> 'visit_note' AS note;
ROLLBACK;

-- scrub: texts under a key, or under a key below another one
SELECT hrloop.scrub('{"a": "x", "b": {"a": ["y", {"c": "z"}], "n": 1}, "c": "keep"}', '{a,b.c}', '-'), hrloop.scrub('{"b": {"c": "gone", "d": [{"c": "stays"}]}, "c": "stays"}', '{b.c}', '-');
SELECT hrloop.scrub('"a"', '{a}', '-'), hrloop.scrub('[]', '{a}', '-'), hrloop.scrub('{"a": null, "b": 1.50}', '{a,b}', '-');
SELECT hrloop.scrub('{}', ARRAY['a', NULL], '-'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.query_rows('SELECT 1 AS a UNION ALL SELECT 2'), hrloop.query_rows('SELECT WHERE false');
SELECT hrloop.query_rows('DELETE FROM setting');
SELECT hrloop.query_rows('SELECT 1) q; SELECT 2 --');
SELECT hrloop.query_rows('SELECT 1) q HAVING false --');
SELECT hrloop.query_rows('SELECT 1) q; SELECT null::jsonb --');
SELECT hrloop.query_rows('WITH x AS (DELETE FROM setting RETURNING 1) SELECT * FROM x');

-- SEC-05.1 a document with every table's rows about somebody who has left -----------------
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E020')), ('executive', find_employee('E001'));
SELECT leave('E011', '2023-08-01') IS NOT NULL AS left;
CREATE TEMP TABLE document AS SELECT export_person('E011') AS d;
SELECT count(*) = (SELECT count(*) FROM personal_table) AS every_table FROM document, jsonb_object_keys(d);
SELECT k.key, jsonb_array_length(k.value) AS rows FROM document, jsonb_each(d) k WHERE k.value <> '[]' ORDER BY 1;
-- counted another way, for the tables that refer to the person or to the reviews
SELECT (SELECT count(*) FROM salary WHERE employee_id = find_employee('E011')) = jsonb_array_length(d -> 'salary') AS salaries,
       (SELECT count(*) FROM score s JOIN review r USING (review_id) WHERE r.employee_id = find_employee('E011')) = jsonb_array_length(d -> 'score') AS scores,
       (SELECT count(*) FROM plan_item i JOIN development_plan p USING (plan_id) WHERE p.employee_id = find_employee('E011')) = jsonb_array_length(d -> 'plan_item') AS items
  FROM document;
SELECT d #>> '{employee,0,name}' AS name, d #>> '{score,0,rationale}' AS rationale FROM document;
-- the person gets it without what is not disclosed and without keys of who acted; others do not
BEGIN;
SELECT act_as('E011') AS acting \gset
SELECT jsonb_array_length(d -> 'score') AS scores, d #> '{score,0}' ? 'rater_id' AS rater, d #> '{review,0}' ? 'manager_id' AS manager, jsonb_array_length(d -> 'review_rater') AS raters
  FROM (SELECT export_person('E011') AS d) x;
SELECT export_person('E010'); \echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
ALTER TABLE review_result DISABLE TRIGGER USER;
UPDATE review_result SET disclosed_on = NULL FROM review r WHERE r.review_id = review_result.review_id AND r.employee_id = find_employee('E011');
SELECT act_as('E011') AS acting \gset
SELECT jsonb_array_length(d -> 'score') AS scores, jsonb_array_length(d -> 'review') AS reviews, jsonb_array_length(d -> 'review_result') AS results,
       d::text ~ '两起投诉' AS told FROM (SELECT export_person('E011') AS d) x;
ROLLBACK;
SELECT export_person('nobody');
SELECT export_person(NULL);

-- SEC-05.2 erased: asked for by HR, confirmed by somebody else ------------------------------
SELECT request_erasure('E010', '来信') ; \echo :LAST_ERROR_SQLSTATE
SELECT request_erasure('E011', '　'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, request_erasure('E011', '来信'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting, request_erasure('E011', '2023-09-01来信') > 0 AS asked; COMMIT;
SELECT kind, body ~ '待另一人确认' AS told FROM notification WHERE kind = 'erasure.requested';
SELECT request_erasure('E011', '再次来信'); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting, confirm_erasure('E011'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E003') > 0 AS acting, confirm_erasure('E011'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- directly into the table: the same rules
INSERT INTO erasure_log (employee_id, reason, requested_by) VALUES (find_employee('E011'), 'x', 'E090');
INSERT INTO erasure_log (employee_id, reason, confirmed_by, confirmed_at) VALUES (0, 'x', 'E020', now());
UPDATE erasure_log SET confirmed_by = 'E020', confirmed_at = now();
UPDATE erasure_log SET employee_id = find_employee('E010');
DELETE FROM erasure_log;
TRUNCATE erasure_log;
-- not confirmed: nothing to be done, and the engine is not for everybody
SELECT (SELECT count(*) FROM erasure_statement(e.erasure_id)), hrloop.erase('privacy_test.book', e.erasure_id) AS changed FROM erasure_log e;
CREATE ROLE privacy_stranger;
GRANT USAGE ON SCHEMA privacy_test TO privacy_stranger;
BEGIN;
SET LOCAL ROLE privacy_stranger;
SELECT hrloop.erase('privacy_test.book', 1);
ROLLBACK;
REVOKE USAGE ON SCHEMA privacy_test FROM privacy_stranger;
DROP ROLE privacy_stranger;
-- withdrawn, and asked for again
SELECT withdraw_erasure('E011') > 0 AS withdrawn;
SELECT confirm_erasure('E011');
SELECT withdraw_erasure('E011');
BEGIN; SELECT act_as('E090') > 0 AS acting, request_erasure('E011', '2023-09-02来信') > 0 AS asked; COMMIT;

CREATE TEMP TABLE before AS
  SELECT cycle_code, unit_code, unit_name, people, (SELECT round(avg(x.composite), 4) FROM review r JOIN review_result x USING (review_id) JOIN review_cycle c USING (cycle_id)
                                                     JOIN org_unit o USING (org_unit_id) WHERE c.code = u.cycle_code AND o.code = u.unit_code AND x.reopened_by IS NULL) AS mean,
         (SELECT sum(amount) FROM salary) AS pay, (SELECT sum(amount) FROM payroll_feed) AS fed
    FROM unit_result u;
SELECT find_employee('E011') AS person \gset
-- the audit log holds texts about the person, as a login, too
INSERT INTO key_event (employee_id, occurred_on, event) VALUES (:person, '2023-05-05', '两起投诉');
BEGIN; SELECT act_as('E011') > 0 AS acting; INSERT INTO contribution (employee_id, kind, title, occurred_on) VALUES (find_employee('E010'), 'help', '帮助新人', '2023-05-22'); COMMIT;
UPDATE key_event SET event = '两起投诉，已处理' WHERE employee_id = :person AND event = '两起投诉';
CREATE ROLE privacy_login;
GRANT USAGE ON SCHEMA privacy_test TO privacy_login;
GRANT ALL ON ALL TABLES IN SCHEMA privacy_test TO privacy_login;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA privacy_test TO privacy_login;
SET ROLE privacy_login;
BEGIN; SELECT act_as('E090') > 0 AS acting; UPDATE employee SET education = '硕士' WHERE employee_id = :person; COMMIT;
RESET ROLE;
UPDATE employee SET db_role = 'privacy_login', education = '本科' WHERE employee_id = :person;
DROP OWNED BY privacy_login;
DROP ROLE privacy_login;
SELECT table_name, count(*) AS entries FROM audit_entry WHERE employee_id = :person AND concat(db_role, before, after, reason) ~ 'privacy_login|李四|E011|两起投诉|硕士' GROUP BY 1 ORDER BY 1;
SELECT audit_head() AS head \gset
-- rows of others do not change, but for the name
CREATE TEMP TABLE others AS SELECT (SELECT md5(string_agg(s::text, '' ORDER BY score_id)) FROM score s JOIN review r USING (review_id) WHERE r.employee_id <> :person) AS scores,
  (SELECT md5(string_agg(replace(replace(d::text, '李四', '已删除'), '"E011"', '-'), '' ORDER BY decision_id)) FROM decision d WHERE d.employee_id <> :person AND d.decided_by <> 'E011') AS decisions;
-- what was changed before the erasure is not made good by it
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE audit_entry SET after = after || '{"value": 99}' WHERE audit_id = (SELECT min(audit_id) FROM audit_entry WHERE table_name = 'score' AND employee_id = :person);
UPDATE decision SET rule = '改过' WHERE decision_id = (SELECT min(decision_id) FROM decision WHERE concat(inputs, outcome, reason, decided_by) ~ 'E011|试卷复核');
SET LOCAL session_replication_role = origin;
SELECT v.problem, count(*) FROM verify_audit() v GROUP BY 1 ORDER BY 1;
SELECT act_as('E001') AS acting \gset
SELECT confirm_erasure('E011') IS NOT NULL AS confirmed;
SELECT v.problem, count(*) FROM verify_audit() v GROUP BY 1 ORDER BY 1;
ROLLBACK;
BEGIN;
SELECT act_as('E001') AS acting \gset
SELECT confirm_erasure('E011') AS pseudonym \gset
COMMIT;
SELECT :'pseudonym' ~ '^P[0-9A-F]{12}$' AS pseudonym;
SELECT employee_no = :'pseudonym' AS pseudonym, name, education, db_role FROM employee WHERE employee_id = :person;
SELECT s.*, n.*, g.*, d.*, c.* FROM (SELECT DISTINCT rationale FROM score JOIN review USING (review_id) WHERE employee_id = :person) s,
       (SELECT DISTINCT body, args FROM notification WHERE recipient_id = :person) n, (SELECT DISTINCT title FROM growth_archive WHERE employee_id = :person) g,
       (SELECT DISTINCT reason FROM decision WHERE employee_id = :person) d, (SELECT DISTINCT reason FROM certification_reversal WHERE employee_id = :person) c;
-- neither name nor number is left anywhere
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'privacy_test'::regnamespace AND c.relkind = 'r'
   AND hrloop.query_rows(format('SELECT t FROM privacy_test.%I t WHERE t::text ~ $x$李四|\mE011\M|两起投诉|试卷复核|privacy_login|硕士$x$', c.relname)) <> '[]' ORDER BY 1;
-- means and sums are what they were
SELECT count(*) AS changed FROM (
  SELECT cycle_code, unit_code, people, mean, pay, fed FROM before
  EXCEPT
  SELECT cycle_code, unit_code, people, (SELECT round(avg(x.composite), 4) FROM review r JOIN review_result x USING (review_id) JOIN review_cycle c USING (cycle_id)
                                 JOIN org_unit o USING (org_unit_id) WHERE c.code = u.cycle_code AND o.code = u.unit_code AND x.reopened_by IS NULL),
         (SELECT sum(amount) FROM salary), (SELECT sum(amount) FROM payroll_feed)
    FROM unit_result u) d;
SELECT scores = (SELECT md5(string_agg(s::text, '' ORDER BY score_id)) FROM score s JOIN review r USING (review_id) WHERE r.employee_id <> :person) AS same_scores,
       decisions = (SELECT md5(string_agg(replace(replace(d::text, '李四', '已删除'), to_jsonb(:'pseudonym'::text)::text, '-'), '' ORDER BY decision_id)) FROM decision d
                     WHERE d.employee_id <> :person AND d.decided_by <> :'pseudonym') AS same_decisions FROM others;
-- the audit log: neither a text nor a number of the person, the figures are there; one row of it is the erasure
SELECT t.table_name, t.action, t.before, replace(t.after::text, :'pseudonym', 'P…')::jsonb - 'review_id' - 'rater_id' - 'indicator_id' AS after, t.reason FROM audit_trail t
 WHERE t.employee_no = :'pseudonym' AND t.table_name IN ('score', 'employee', 'key_event') ORDER BY t.audit_id;
SELECT count(*) AS entries, bool_and(db_role = :'pseudonym') AS pseudonym FROM audit_entry WHERE db_role IS NOT NULL;
SELECT t.employee_no, t.after ->> 'title' AS title, t.after ->> 'recorded_by' = :'pseudonym' AS pseudonym FROM audit_trail t WHERE t.after ->> 'title' = '帮助新人';
SELECT 'SEC-05' AS id, count(*) AS audit_rows, bool_and(t.employee_no = :'pseudonym' AND t.actor_no = 'E001' AND t.before IS NULL AND (t.after ->> 'rows')::int > 0) AS told
  FROM audit_trail t WHERE t.action = 'erase';
SELECT count(*) AS entries_of_updates FROM audit_entry a WHERE a.action <> 'erase' AND a.table_name <> 'decision'
   AND a.transaction_id = (SELECT k.transaction_id FROM audit_entry k WHERE k.action = 'erase');
SELECT * FROM verify_audit() UNION ALL SELECT * FROM verify_audit(:'head');
-- what somebody changes behind its back is found: of others, of the person, blanked without an erasure, or more than it blanked
BEGIN; SET LOCAL session_replication_role = replica;
UPDATE audit_entry SET after = after || '{"value": 99}' WHERE audit_id = (SELECT min(audit_id) FROM audit_entry WHERE table_name = 'score' AND employee_id <> :person);
UPDATE audit_entry SET after = after || '{"value": 99}' WHERE audit_id = (SELECT min(audit_id) FROM audit_entry WHERE table_name = 'score' AND employee_id = :person);
UPDATE audit_entry SET reason = '已删除' WHERE audit_id = (SELECT max(audit_id) FROM audit_entry WHERE reason <> '已删除' AND employee_id <> :person);
UPDATE audit_entry SET reason = NULL WHERE audit_id = (SELECT max(audit_id) FROM audit_entry WHERE reason = '已删除' AND employee_id = :person);
SELECT v.problem, a.employee_id = :person AS erased, count(*) FROM verify_audit() v JOIN audit_entry a ON a.audit_id = v.row_id GROUP BY 1, 2 ORDER BY 2;
UPDATE decision SET reason = '改过' WHERE decision_id = (SELECT min((s ->> 1)::bigint) FROM audit_entry a, jsonb_array_elements(a.after -> 'redacted') s WHERE s ->> 0 = 'decision');
SELECT v.problem, count(*) FROM verify_audit() v GROUP BY 1 ORDER BY 1;
ROLLBACK;
-- an entry of an erasure cannot be made up
INSERT INTO audit_entry (lane, seq, db_user, table_name, action, after, digest, hash) VALUES (1, 1, 'x', 'erasure_log', 'erase', '{"redacted": []}', '\x00', '\x00');
UPDATE audit_entry SET reason = NULL;
-- one decision says so
SELECT kind, cause, rule, inputs, (outcome ->> 'rows')::int > 0 AS rows, reason, decided_by FROM decision WHERE kind = 'person.erase';
SELECT requested_by, confirmed_by, reason FROM erasure_log WHERE confirmed_at IS NOT NULL;
SELECT * FROM verify();
-- the export shows what is left
SELECT export_person(:'pseudonym') #>> '{employee,0,name}' AS name;
-- append-only tables are closed again
UPDATE decision SET reason = 'x';
DELETE FROM decision;
UPDATE growth_archive SET title = 'x';
\set VERBOSITY sqlstate
UPDATE erasure_log SET withdrawn_at = now() WHERE confirmed_at IS NOT NULL;
-- nothing is left to do, and once only
SELECT reapply_erasures();
SELECT request_erasure(:'pseudonym', '再次来信');
SELECT confirm_erasure(:'pseudonym');
\set VERBOSITY default
SELECT confirm_erasure('E011');

-- retention: the reasons of raises stay for two years after leaving -------------------------
SELECT employee_no AS who, employee_id AS recent FROM salary_adjustment JOIN employee USING (employee_id) WHERE reason IS NOT NULL ORDER BY adjustment_id LIMIT 1 \gset
SELECT leave(:'who', current_date - 1) IS NOT NULL AS left;
CREATE TEMP TABLE adjustment AS SELECT adjustment_id, reason FROM salary_adjustment WHERE employee_id = :recent AND reason IS NOT NULL;
BEGIN;
SELECT act_as('E090') AS acting \gset
SELECT request_erasure(:'who', '来信') > 0 AS asked;
SELECT act_as('E001') AS acting \gset
SELECT confirm_erasure(:'who') IS NOT NULL AS confirmed;
COMMIT;
SELECT a.reason = b.reason AS kept FROM salary_adjustment a JOIN adjustment b USING (adjustment_id) ORDER BY a.adjustment_id;
SELECT * FROM verify();
SELECT reapply_erasures();
-- two years later the clock does it
UPDATE employee_status SET valid = daterange(lower(valid), (current_date - interval '25 months')::date) WHERE employee_id = :recent AND status <> 'left';
UPDATE employee_status SET valid = daterange((current_date - interval '25 months')::date, NULL) WHERE employee_id = :recent AND status = 'left';
SELECT reapply_erasures();
SELECT DISTINCT reason FROM salary_adjustment a JOIN adjustment b USING (adjustment_id, reason);
SELECT a.reason FROM salary_adjustment a JOIN adjustment b USING (adjustment_id) ORDER BY a.adjustment_id;
-- what a restore brings back is erased by the clock, once a month
ALTER TABLE score DISABLE TRIGGER USER;
UPDATE score SET rationale = '恢复' WHERE review_id IN (SELECT review_id FROM review WHERE employee_id = :person);
ALTER TABLE score ENABLE TRIGGER USER;
SELECT rule, done FROM run_due('2023-10-02 09:00+08') WHERE rule = 'erasure';
SELECT DISTINCT rationale FROM score JOIN review USING (review_id) WHERE employee_id = :person;
SELECT rule, done FROM run_due('2023-10-03 09:00+08') WHERE rule = 'erasure';
SELECT count(*) FROM decision WHERE kind = 'person.erase';

-- small cells: no figures below five people, by setting -------------------------------------
SELECT cycle_code, unit_code, people, suppressed, mean, deviation FROM unit_result ORDER BY 1, 2;
SELECT set_setting('privacy.min_cell', '3');
SELECT cycle_code, unit_code, people, suppressed, mean, deviation FROM unit_result ORDER BY 1, 2;
SELECT unit_code, people, suppressed, mean FROM unit_pay ORDER BY 1;
\set VERBOSITY sqlstate
SELECT set_setting('privacy.min_cell', '0');
SELECT set_setting('privacy.min_cell', NULL);
\set VERBOSITY default
DROP SCHEMA privacy_test CASCADE;
