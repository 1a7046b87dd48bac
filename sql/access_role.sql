-- access: what roles may do (SEC-01), and a cycle that people go through with their own logins (SEC-02).
\set books access_role_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- install makes no role; create_roles does, and again it changes nothing
SELECT count(*) AS roles FROM pg_roles WHERE rolname LIKE 'access\_role\_%';
SELECT * FROM create_roles('access_role');
SELECT * FROM create_roles('something_else');
-- SEC-01: one row for each role, object and action; declared is effective
SELECT count(*) = count(DISTINCT (role, object, action)) AS once, count(*) = 7 * (SELECT count(*) FROM right_object) AS complete,
       count(DISTINCT role) AS roles, count(*) FILTER (WHERE difference) AS differences FROM permission_report();
BEGIN;
GRANT SELECT ON salary TO access_role_employee;
SELECT role, object, action, declared, effective FROM permission_report() WHERE difference;
ROLLBACK;
BEGIN;
REVOKE SELECT ON review FROM access_role_manager;
GRANT UPDATE (grade) ON review_result TO access_role_employee;
GRANT EXECUTE ON FUNCTION act_as TO PUBLIC;
SELECT object, action, left(declared, 10) AS declared, effective, array_agg(role ORDER BY role) AS roles FROM permission_report() WHERE difference GROUP BY 1, 2, 3, 4 ORDER BY 1;
SELECT apply_rights() > 0 AS statements;
SELECT object, action, effective, array_agg(role ORDER BY role) AS roles FROM permission_report() WHERE difference GROUP BY 1, 2, 3 ORDER BY 1;
ROLLBACK;
-- the matrix is data
BEGIN;
INSERT INTO role_right (role, object, action) VALUES ('manager', 'salary', 'SELECT');
SELECT count(*) AS differences FROM permission_report() WHERE difference;
SELECT apply_rights() > 0 AS statements;
SELECT count(*) AS differences FROM permission_report() WHERE difference;
ROLLBACK;
SELECT map_role('manager', 'access_role_nobody'); \echo :LAST_ERROR_SQLSTATE
SELECT map_role('boss', 'access_role_hr'); \echo :LAST_ERROR_SQLSTATE
SELECT map_role('manager', 'access_role_hr'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO role_right (role, object, action, columns) VALUES ('bi', 'salary', 'DELETE', ARRAY['amount']); \echo :LAST_ERROR_SQLSTATE
-- every right names something that is there
SELECT r.role, r.object, r.action FROM role_right r WHERE NOT EXISTS (SELECT FROM right_object o WHERE o.object = r.object AND o.action = r.action) ORDER BY 1, 2, 3;

-- logins of people in their roles
CREATE TABLE person (role text, login text, employee_no text);
INSERT INTO person VALUES ('employee', 'access_role_zhang', 'E010'), ('employee', 'access_role_li', 'E011'), ('mentor', 'access_role_qian', 'E031'), ('manager', 'access_role_zhao', 'E003'),
  ('hr', 'access_role_liu', 'E090'), ('finance', 'access_role_wu', 'E021'), ('executive', 'access_role_wang', 'E001'), ('bi', 'access_role_zhou', 'E020');
GRANT SELECT ON person TO PUBLIC;
SELECT format('CREATE ROLE %I LOGIN IN ROLE %I', login, 'access_role_' || role) FROM person ORDER BY login \gexec
UPDATE employee e SET db_role = p.login FROM person p WHERE p.employee_no = e.employee_no;
INSERT INTO role_holder (role, employee_id) VALUES ('finance', find_employee('E021')), ('executive', find_employee('E001')), ('executive', find_employee('E020'));

-- each role over every table, view and function: what is declared works, what is not is refused; no row is
-- touched, but the executor is asked
CREATE FUNCTION pg_temp.attempt(object text, oid oid, action text, declared text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE action
           WHEN 'SELECT' THEN format('SELECT count(*) FROM (SELECT %s FROM access_role_test.%I OFFSET 0) t', CASE WHEN c.some THEN c.names ELSE '*' END, object)
           WHEN 'INSERT' THEN format('INSERT INTO access_role_test.%I (%s) SELECT %s WHERE false', object, c.names, c.nulls)
           WHEN 'UPDATE' THEN format('UPDATE access_role_test.%I SET (%s) = ROW(%s) WHERE false', object, c.names, c.nulls)
           WHEN 'DELETE' THEN format('DELETE FROM access_role_test.%I WHERE false', object)
           WHEN 'EXECUTE' THEN (SELECT format('SELECT access_role_test.%I(%s) FROM (SELECT %s) t WHERE false', p.proname,
                                              string_agg('t.a' || n, ', ' ORDER BY n), coalesce(string_agg(format('NULL::%s AS a%s', t::regtype, n), ', ' ORDER BY n) FILTER (WHERE n > 0), '1'))
                                  FROM pg_proc p LEFT JOIN unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ON true WHERE p.oid = attempt.oid GROUP BY p.proname) END
    FROM (SELECT declared NOT IN ('yes', 'no') AS some, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names,
                 string_agg(format('NULL::%s', format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) AS nulls
            FROM pg_attribute a WHERE a.attrelid = attempt.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             AND (declared IN ('yes', 'no') OR a.attname = ANY (string_to_array(declared, ', ')))) c
$$;
CREATE FUNCTION pg_temp.walk(OUT tried bigint, OUT wrong text[]) LANGUAGE plpgsql AS $$
DECLARE o record; ok boolean;
BEGIN
  tried := 0; wrong := '{}';
  FOR o IN SELECT p.login, r.role, r.object, r.action, r.declared, pg_temp.attempt(r.object, x.oid, r.action, r.declared) AS attempt
             FROM person p JOIN permission_report() r USING (role) JOIN right_object x USING (object, action) WHERE r.object <> 'person' LOOP
    EXECUTE format('SET SESSION AUTHORIZATION %I', o.login);
    BEGIN
      ok := true; tried := tried + 1;
      EXECUTE o.attempt;
    EXCEPTION WHEN OTHERS THEN
      ok := SQLERRM NOT LIKE 'permission denied%';   -- a guard of the table comes after the right
      IF ok AND SQLSTATE NOT IN ('42501', '55000') THEN wrong := wrong || concat_ws(' ', o.role, o.action, o.object, SQLERRM); END IF;
    END;
    RESET SESSION AUTHORIZATION;
    IF ok <> (o.declared <> 'no') THEN wrong := wrong || concat_ws(' ', o.role, o.action, o.object); END IF;
  END LOOP;
END $$;
SELECT tried = (SELECT count(*) FROM person JOIN permission_report() USING (role) WHERE object <> 'person') AS all_tried, cardinality(wrong) AS wrongs, wrong[1:20] AS wrong FROM pg_temp.walk();
-- BI sees no column that says who somebody is
SELECT object, declared FROM permission_report() WHERE role = 'bi' AND kind = 'table' AND object IN ('employee', 'score', 'salary', 'notification', 'assignment') AND action = 'SELECT' ORDER BY 1;

-- a cycle with peers, each with their own login and no more
SELECT create_template('ONE', '[{"indicator": "质量", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active, create_cycle('C', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made;
SELECT open_cycle('C') AS reviews;
SET SESSION AUTHORIZATION access_role_zhang;
SELECT submit_score('C', 'E010', '质量', 90, '准时', rater_group => 'self') AS told;
-- a peer rates a review that he may not read
SET SESSION AUTHORIZATION access_role_li;
SELECT count(*) AS mine, count(*) FILTER (WHERE employee_id = find_employee('E010')) AS of_others FROM review;
SELECT submit_score('C', 'E010', '质量', 60, rater_group => 'peer') AS told;
SELECT submit_score('C', 'E010', '质量', 60, rater => 'E003');
SELECT count(*) AS my_scores FROM score;
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value) VALUES (find_review('C', 'E010'), find_indicator('质量'), 'manager', find_employee('E003'), 100);
-- REV-03: the manager does not see the employee's own score first, neither in the view nor in the table
SET SESSION AUTHORIZATION access_role_zhao;
SELECT self_score, manager_score, both_in FROM assessment WHERE employee_no = 'E010';
SELECT rater_group, value FROM score ORDER BY 1;
SELECT composite FROM review; \echo :LAST_ERROR_SQLSTATE
SELECT self_composite FROM review;
SELECT submit_score('C', 'E010', '质量', 70, '有返工') AS told;
SELECT self_score, manager_score, both_in FROM assessment WHERE employee_no = 'E010';
-- REV-07: the anonymous score is nobody's but HR's before the lock, nor does the composite tell of it
SELECT rater_group, value FROM score ORDER BY 1;
SELECT shown_composite(find_review('C', 'E010')) AS told;
SELECT anonymous FROM review; \echo :LAST_ERROR_SQLSTATE
SELECT explain_deviation('C', 'E010', '返工未计') AS deviation;
SELECT kind FROM decision WHERE employee_id = find_employee('E010') ORDER BY 1;
SELECT line FROM explain_score('C', 'E010', 'en');
SET SESSION AUTHORIZATION access_role_wang;
SELECT count(*) AS anonymous FROM score WHERE rater_group = 'peer';
SET SESSION AUTHORIZATION access_role_liu;
SELECT rater_group, value FROM score ORDER BY 1;
SELECT composite FROM review WHERE employee_id = find_employee('E010');
SET SESSION AUTHORIZATION access_role_zhang;
SELECT rater_group, value FROM score ORDER BY 1;
SELECT self_score, manager_score FROM assessment;
-- HR locks as of another day; the employee reads the result, the raise in words, and the notices; the manager no pay
SET SESSION AUTHORIZATION access_role_liu;
SELECT lock_review('C', 'E010', '2023-04-03', '季度末') AS locked;
SET SESSION AUTHORIZATION access_role_zhao;
SELECT composite, grade FROM review_result;
SELECT count(*) AS pay FROM salary; \echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS pay FROM explain_pay('E010');
SELECT count(*) AS pay FROM decision WHERE kind LIKE 'pay.%';
SET SESSION AUTHORIZATION access_role_zhang;
SELECT composite, grade FROM review_result;
SELECT line FROM explain_score('C', 'E010', 'en');
SELECT count(*) AS sentences FROM explain_pay('E010');
SELECT count(*) AS pay FROM decision WHERE kind LIKE 'pay.%';
SELECT count(*) > 0 AS notices, count(*) FILTER (WHERE recipient_id <> actor()) AS of_others FROM notification;
SELECT count(*) > 0 AS notices, bool_and(body <> '') AS told FROM my_notices;
-- bodies are in no table that people read: a comparison would be asked before the row policy
SELECT count(*) FROM notification WHERE body > 'a';
\echo :LAST_ERROR_SQLSTATE
SELECT mark_read(notification_id) IS NOT NULL AS read FROM notification ORDER BY notification_id LIMIT 1;
SELECT acknowledge_result('C', 'E010') AS answer, confirm_plan('C', 'E010') AS plan;
SELECT confirm_plan('C', 'E011');
UPDATE development_plan SET status = 'active';
SELECT ask_question('如何评分?') > 0 AS asked, file_appeal('C', 'E010', '漏算一项', '2023-04-05') > 0 AS filed;
SET SESSION AUTHORIZATION access_role_li;
SELECT (SELECT count(*) FROM question) AS questions, (SELECT count(*) FROM appeal) AS appeals, (SELECT count(*) FROM review_result) AS results, (SELECT count(*) FROM development_plan) AS plans;
SET SESSION AUTHORIZATION access_role_zhao;
SELECT confirm_plan('C', 'E010') AS plan;
SELECT answer_question(question_id, '见模板') AS in_time FROM question;
SET SESSION AUTHORIZATION access_role_liu;
SELECT decide_appeal('C', 'E010', false, '已核对', on_date => '2023-04-06'), approve_adjustment('C', 'E010') AS status;
SELECT count(*) AS notices_of_hr FROM notification WHERE recipient_role <> 'hr' AND recipient_id <> actor();
SET SESSION AUTHORIZATION access_role_wu;
SELECT e.employee_no, a.status, a.raise_amount FROM salary_adjustment a JOIN employee e USING (employee_id);
SELECT count(*) AS reviews FROM review;
SELECT apply_adjustment('C', 'E010') AS new_pay;
-- finance signs what it is asked to sign
RESET SESSION AUTHORIZATION;
UPDATE workflow_stage SET roles = '{hr,finance}' WHERE code = 'scheme';
SET SESSION AUTHORIZATION access_role_wu;
SELECT sign_stage('C', 'scheme') IS NOT NULL AS signed;
SELECT signed_as FROM cycle_signature;
-- an employee gets what is known of them, and of nobody else
SET SESSION AUTHORIZATION access_role_zhang;
SELECT count(*) > 20 AS tables, count(*) FILTER (WHERE x.value <> '[]') > 5 AS filled FROM jsonb_each(export_person('E010')) AS x;
SELECT x -> 'employee' -> 0 ? 'contact' AS contact, x -> 'review' -> 0 ?| '{composite,anonymous}' AS hidden, jsonb_array_length(x -> 'salary') > 0 AS pay,
       x -> 'score' @> '[{"rater_group": "peer"}]' AS peers FROM export_person('E010') AS x;
SELECT export_person('E011'); \echo :LAST_ERROR_SQLSTATE
SET SESSION AUTHORIZATION access_role_zhou;
SELECT avg(composite) AS mean FROM review_result; \echo :LAST_ERROR_SQLSTATE
SELECT * FROM unit_result;
SELECT name FROM employee;
-- who does not see all rows is not told that the books are healthy
SELECT * FROM verify();
SELECT * FROM verify_part('skills');
SELECT * FROM verify_audit();
SELECT * FROM verify_for();
SET SESSION AUTHORIZATION access_role_wu;
SELECT * FROM verify_skills();
SELECT * FROM verify_archive();
SET SESSION AUTHORIZATION access_role_liu;
SELECT count(*) AS differences FROM verify();
-- whole cycles: an executive's login locks, HR's approves, finance's applies
BEGIN;
RESET SESSION AUTHORIZATION;
SELECT unlock_review('C', 'E010', '复核') AS open;
SET SESSION AUTHORIZATION access_role_zhao;
SELECT submit_score('C', 'E010', '质量', 95, '返工不是他的') AS told, explain_deviation('C', 'E010', '自评低于事实') AS deviation;
SET SESSION AUTHORIZATION access_role_wang;
SELECT lock_cycle('C', skip_incomplete => true) AS locked;
SET SESSION AUTHORIZATION access_role_liu;
SELECT approve_cycle('C') AS approved;
SET SESSION AUTHORIZATION access_role_wu;
SELECT apply_cycle('C') AS applied;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT count(*) AS differences FROM verify();

-- the roles of a company can come with its books, for an owner who may make roles
CREATE ROLE access_role_owner LOGIN CREATEROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO access_role_owner', current_database()) \gexec
SET SESSION AUTHORIZATION access_role_owner;
SELECT hrloop.install('access_asked', roles => 'access_role_asked') IS NOT NULL AS installed;
SELECT rolname FROM pg_roles WHERE rolname LIKE 'access\_role\_asked\_%' ORDER BY 1;
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE difference) AS differences FROM access_asked.permission_report();
RESET SESSION AUTHORIZATION;

SET client_min_messages = error;
DROP SCHEMA access_asked CASCADE;
SELECT format('REVOKE ALL ON DATABASE %I FROM access_role_owner', current_database()) \gexec
DROP SCHEMA access_role_test CASCADE;
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname LIKE 'access\_role\_%' ORDER BY 1 \gexec
