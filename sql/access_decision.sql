-- access: who reads which decision is what its kind reveals, kind by kind, role by role, state by state (SEC-02).
\set books access_decision_test
\set by_hand '{review,decision}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
\o /dev/null
SELECT * FROM create_roles('access_decision');
\o

-- what is not listed is not decided, and what is listed without a word is HR's alone
SELECT new_decision('bonus.grant', find_employee('E010'), 'employee', find_employee('E010'), '{}', '{"amount": 9000}'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO decision (kind, employee_id, cause, cause_id)
SELECT k, find_employee('E010'), 'employee', 1 FROM unnest(ARRAY['salary.set', 'salary.set', 'allowance', 'salary', 'salary.set']) AS k; \echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO decision_kind (kind, comment) VALUES ('bonus.grant', 'A bonus') RETURNING reveals;
SELECT count(*) FROM new_decision('bonus.grant', find_employee('E010'), 'employee', find_employee('E010'), '{}', '{"amount": 9000}');
ROLLBACK;
-- by who saw it in this session already, too
SELECT new_decision('bonus.grant', find_employee('E010'), 'employee', find_employee('E010'), '{}', '{}');
INSERT INTO decision_kind (kind, reveals, comment) VALUES ('bonus.hint', 'everything', 'A hint'); \echo :LAST_ERROR_SQLSTATE
SELECT reveals, count(*) > 0 AS kinds FROM decision_kind GROUP BY reveals ORDER BY reveals;

-- one decision of each kind about one person that follows from a review, and one that follows from nothing that leads to one
SELECT create_cycle('C', '2023-01-01', '2023-03-31', 'SALES') > 0 AS made, open_cycle('C') AS reviews;
SELECT set_setting('review.disclose', 'manual');
INSERT INTO decision_kind (kind, comment) VALUES ('bonus.grant', 'A bonus');
INSERT INTO decision (kind, employee_id, cause, cause_id, reason)
SELECT k.kind, CASE WHEN k.reveals <> 'nothing' THEN find_employee('E010') END, c.cause, find_review('C', 'E010'), 'of ' || c.cause
  FROM decision_kind k CROSS JOIN unnest(ARRAY['review', 'elsewhere']) AS c (cause);
INSERT INTO decision_kind (kind, reveals, comment) VALUES ('bonus.gone', 'person', 'A kind that somebody takes out of the list');
INSERT INTO decision (kind, employee_id, cause, cause_id, reason) SELECT 'bonus.gone', find_employee('E010'), 'review', find_review('C', 'E010'), 'of review';
DELETE FROM decision_kind WHERE kind = 'bonus.gone';
INSERT INTO role_holder (role, employee_id) VALUES ('finance', find_employee('E021')), ('executive', find_employee('E001'));

CREATE TABLE reader (who text, role text, employee_no text);
INSERT INTO reader VALUES ('person', 'employee', 'E010'), ('manager', 'manager', 'E003'), ('above', 'manager', 'E002'), ('colleague', 'employee', 'E011'), ('manager elsewhere', 'manager', 'E030'),
  ('hr', 'hr', 'E090'), ('finance', 'finance', 'E021'), ('executive', 'executive', 'E001'), ('nobody', 'employee', NULL);
CREATE TABLE seen (state text, who text, kind text, cause text);
GRANT SELECT ON reader TO PUBLIC;
SELECT format('CREATE ROLE %I LOGIN IN ROLE %I', 'access_decision_login_' || who, 'access_decision_' || role) FROM reader ORDER BY who \gexec
UPDATE employee e SET db_role = 'access_decision_login_' || r.who FROM reader r WHERE r.employee_no = e.employee_no;
CREATE FUNCTION look(state text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r record; found jsonb; n bigint := 0;
BEGIN
  FOR r IN SELECT * FROM reader LOOP
    EXECUTE format('SET SESSION AUTHORIZATION %I', 'access_decision_login_' || r.who);
    SELECT jsonb_agg(to_jsonb(d)) INTO found FROM (SELECT d.kind, d.cause FROM decision d WHERE d.reason IN ('of review', 'of elsewhere')) d;
    RESET SESSION AUTHORIZATION;
    INSERT INTO seen SELECT look.state, r.who, s.kind, s.cause FROM jsonb_to_recordset(found) AS s (kind text, cause text);
    n := n + coalesce(jsonb_array_length(found), 0);
  END LOOP;
  RETURN n;
END $$;
SELECT look('open') > 0 AS looked;
BEGIN; SET LOCAL session_replication_role = replica; UPDATE review SET anonymous = true WHERE review_id = find_review('C', 'E010'); COMMIT;
SELECT look('open, anonymous') > 0 AS looked;
BEGIN; SET LOCAL session_replication_role = replica; UPDATE review SET anonymous = false WHERE review_id = find_review('C', 'E010'); COMMIT;
SELECT count(*) AS scores FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i CROSS JOIN LATERAL submit_score('C', 'E010', i, 75, '按事实', rater => 'E003') s;
SELECT lock_review('C', 'E010') IS NOT NULL AS locked;
SELECT look('locked') > 0 AS looked;
SELECT disclose_result('C', 'E010') IS NOT NULL AS disclosed;
SELECT look('disclosed') > 0 AS looked;

-- what each kind says, row by row, and what was seen
CREATE VIEW due AS
  SELECT s.state, r.who, k.kind, c.cause
    FROM unnest(ARRAY['open', 'open, anonymous', 'locked', 'disclosed']) AS s (state) CROSS JOIN reader r CROSS JOIN unnest(ARRAY['review', 'elsewhere']) AS c (cause)
    CROSS JOIN (SELECT kind, reveals FROM decision_kind UNION ALL SELECT 'bonus.gone', 'secret') k
   WHERE (k.kind <> 'bonus.gone' OR c.cause = 'review')
     AND CASE k.reveals
           WHEN 'nothing' THEN r.who <> 'nobody'
           WHEN 'person'  THEN r.who IN ('person', 'manager', 'above', 'hr', 'executive')
           WHEN 'result'  THEN r.who = 'hr' OR c.cause = 'review' AND (r.who IN ('manager', 'above', 'executive') AND s.state <> 'open, anonymous' OR r.who = 'person' AND s.state = 'disclosed')
           WHEN 'pay'     THEN r.who IN ('person', 'hr', 'finance')
           WHEN 'raise'   THEN r.who IN ('hr', 'finance') OR r.who = 'person' AND c.cause = 'review' AND s.state = 'disclosed'
           WHEN 'secret'  THEN r.who = 'hr' END;
SELECT coalesce(d.state, s.state) AS state, coalesce(d.who, s.who) AS who, coalesce(d.kind, s.kind) AS kind, coalesce(d.cause, s.cause) AS cause,
       CASE WHEN d.kind IS NULL THEN 'seen' ELSE 'not seen' END AS wrong
  FROM due d FULL JOIN seen s ON (s.state, s.who, s.kind, s.cause) = (d.state, d.who, d.kind, d.cause)
 WHERE d.kind IS NULL OR s.kind IS NULL ORDER BY 1, 2, 3, 4;
SELECT count(*) = (SELECT count(*) FROM due) AND count(*) = count(DISTINCT (state, who, kind, cause)) AS all_of_it, count(DISTINCT who) AS readers FROM seen;
-- what the export hands to the person is what they read
BEGIN;
SELECT act_as('E010') > 0 AS acting;
SELECT d ->> 'kind' AS kind, d ->> 'cause' AS cause FROM jsonb_array_elements(export_person('E010') -> 'decision') AS d WHERE d ->> 'reason' IN ('of review', 'of elsewhere')
EXCEPT SELECT s.kind, s.cause FROM seen s WHERE s.state = 'disclosed' AND s.who = 'person';
SELECT s.kind, s.cause FROM seen s JOIN decision_kind USING (kind) WHERE s.state = 'disclosed' AND s.who = 'person' AND reveals <> 'nothing'
EXCEPT SELECT d ->> 'kind', d ->> 'cause' FROM jsonb_array_elements(export_person('E010') -> 'decision') AS d;
ROLLBACK;
-- it is read once in a query, whoever asks
SET SESSION AUTHORIZATION access_decision_login_person;
SELECT count(*) > 0 AS some FROM decision;
UPDATE decision_kind SET reveals = 'nothing';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION access_decision_login_hr;
UPDATE decision_kind SET reveals = 'nothing';
RESET SESSION AUTHORIZATION;
-- a company changes what a kind reveals
BEGIN;
UPDATE decision_kind SET reveals = 'secret' WHERE kind = 'suggestion.accepted';
SELECT action, row_key, before, after FROM audit_trail WHERE table_name = 'decision_kind' AND transaction_id = hrloop.transaction_number('book');
SET LOCAL SESSION AUTHORIZATION access_decision_login_person;
SELECT count(*) FROM decision WHERE kind = 'suggestion.accepted';
ROLLBACK;
SET client_min_messages = error;
DROP SCHEMA access_decision_test CASCADE;
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname LIKE 'access\_decision\_%' ORDER BY 1 \gexec
