-- privacy: an erasure goes by keys, in places that are known to hold somebody: people whose numbers and names are the
-- commonest texts of the books are erased, and nobody else's rows change (SEC-05).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hrloop CASCADE;
SELECT hrloop.install('privacy_keys_test') IS NOT NULL AS installed;
\getenv abs_srcdir PG_ABS_SRCDIR
\set company :abs_srcdir '/test/fixtures/company.sql'
\set history :abs_srcdir '/test/fixtures/history.sql'
\set busy :abs_srcdir '/test/fixtures/busy.sql'
\set books privacy_keys_test
\set ECHO none
\o /dev/null
\i :company
\i :history
\i :busy
SELECT lift_guards('{notification,decision}');
\o
\set ECHO all
\set SHOW_CONTEXT never

-- every text of every row, with the key of a document that holds it
CREATE FUNCTION pg_temp.leaves(d jsonb, key text) RETURNS TABLE (k text, v text) LANGUAGE plpgsql AS $$
DECLARE x record;
BEGIN
  CASE jsonb_typeof(d)
    WHEN 'object' THEN FOR x IN SELECT * FROM jsonb_each(d) LOOP RETURN QUERY SELECT coalesce(leaves.key, '') || '.*', x.key UNION ALL SELECT * FROM pg_temp.leaves(x.value, x.key); END LOOP;
    WHEN 'array' THEN FOR x IN SELECT value FROM jsonb_array_elements(d) LOOP RETURN QUERY SELECT * FROM pg_temp.leaves(x.value, leaves.key); END LOOP;
    WHEN 'string' THEN RETURN QUERY SELECT leaves.key, d #>> '{}';
    ELSE NULL;
  END CASE;
END $$;
CREATE FUNCTION pg_temp.rows() RETURNS TABLE (relid oid, at text, line jsonb) LANGUAGE plpgsql AS $$
DECLARE t record;
BEGIN
  FOR t IN SELECT c.oid, string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS key
             FROM pg_class c JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p' JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (p.conkey)
            WHERE c.relnamespace = 'privacy_keys_test'::regnamespace AND c.relkind = 'r' GROUP BY c.oid LOOP
    RETURN QUERY EXECUTE format('SELECT %s::oid, concat_ws('','', %s), to_jsonb(t) FROM %s t', t.oid, t.key, t.oid::regclass);
  END LOOP;
END $$;

-- where documents say who somebody is, the rules say so: by numbers and names that are nothing else
SELECT DISTINCT r.relid::regclass AS table_name, d.key AS column_name, l.k AS not_listed
  FROM pg_temp.rows() r CROSS JOIN LATERAL jsonb_each(r.line) AS d (key, value) CROSS JOIN LATERAL pg_temp.leaves(d.value, NULL) l
  JOIN erasure_rule e ON (e.table_name, e.column_name, e.action) = (r.relid::regclass::text, d.key, 'pseudonym')
  JOIN employee p ON l.v IN (p.employee_no, p.name)
 WHERE jsonb_typeof(d.value) IN ('object', 'array') AND l.k <> ALL (e.keys) AND NOT (r.relid = 'audit_entry'::regclass AND l.k = 'name')
 ORDER BY 1, 2, 3;

-- the commonest texts, and some besides: a grade, a digit, a quote, an indicator
CREATE TEMP TABLE common AS
  SELECT text, row_number() OVER (ORDER BY text) AS n
    FROM (SELECT text FROM (SELECT l.v AS text FROM pg_temp.rows() r CROSS JOIN LATERAL pg_temp.leaves(r.line, NULL) l
                             WHERE l.k NOT LIKE '%.*' IS NOT FALSE AND length(l.v) BETWEEN 1 AND 20 AND r.relid NOT IN ('employee'::regclass, 'role_right'::regclass, 'table_rule'::regclass)
                               AND NOT EXISTS (SELECT FROM employee e WHERE l.v IN (e.employee_no, e.name, e.db_role)) AND l.v <> session_user) x
           GROUP BY text ORDER BY count(*) DESC, text LIMIT 40) c
   UNION SELECT t, 100 + row_number() OVER () FROM unnest(ARRAY['良好', '1', '0', '{', '"', $$'$$, '\', '%', 'null', 'true', '$1', '客户拓展', 'E01']) t;
DELETE FROM common a USING common b WHERE a.text = b.text AND a.n > b.n;
SELECT count(*) > 40 AS numbers, bool_or(text = 'employee') AS employee, bool_or(text = 'insert') AS action FROM common;
INSERT INTO role_holder (role, employee_id) SELECT 'hr', find_employee(e) FROM unnest(ARRAY['L1', 'L2']) e ON CONFLICT DO NOTHING;
-- the number of each is one of them, the name the next
SELECT count(hire(c.text, (SELECT o.text FROM common o ORDER BY o.n <= c.n, o.n LIMIT 1), 'SH', 'SALES', '2020-01-01', manager => 'E003')) = (SELECT count(*) FROM common) AS hired FROM common c;
SELECT count(leave(text, '2023-08-01')) > 40 AS gone FROM common;
CREATE TEMP TABLE victim AS SELECT e.employee_id, e.employee_no, e.name FROM employee e JOIN common c ON c.text = e.employee_no;
BEGIN; SELECT act_as('L1') > 0 AS acting; SELECT count(request_erasure(employee_no, '来函')) > 40 AS asked FROM victim; COMMIT;
-- who asked does not confirm, under another number either
BEGIN; UPDATE employee SET employee_no = 'L1a' WHERE employee_no = 'L1'; SELECT act_as('L1a') > 0 AS acting; SELECT confirm_erasure('1'); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.rows();
-- what is to come, row by row, and then what came: the same rows
CREATE TEMP TABLE preview (employee_id bigint, table_name text, column_name text, row_key text, was text, becomes text);
BEGIN; SELECT act_as('L2') > 0 AS acting; INSERT INTO preview SELECT v.employee_id, p.* FROM victim v CROSS JOIN LATERAL erasure_preview(v.employee_no) p; COMMIT;
BEGIN; SELECT act_as('L2') > 0 AS acting; SELECT count(confirm_erasure(employee_no)) > 40 AS erased FROM victim; COMMIT;
CREATE TEMP TABLE changed AS
  SELECT b.relid, b.at, b.line AS was, a.line AS is FROM before b LEFT JOIN pg_temp.rows() a USING (relid, at) WHERE a.line IS DISTINCT FROM b.line;
SELECT c.relid::regclass AS table_name, count(*) > 0 AS changed,
       count(*) FILTER (WHERE NOT EXISTS (SELECT FROM preview p WHERE p.table_name = c.relid::regclass::text AND p.row_key = c.at)) AS not_previewed,
       count(*) FILTER (WHERE NOT EXISTS (SELECT FROM victim v WHERE v.employee_id IN ((c.was ->> 'employee_id')::bigint, (c.was ->> 'recipient_id')::bigint))) AS of_others
  FROM changed c WHERE c.relid NOT IN ('erasure_log'::regclass, 'audit_lane'::regclass) GROUP BY c.relid ORDER BY 1;
SELECT p.table_name, p.column_name, count(*) FROM preview p
 WHERE NOT EXISTS (SELECT FROM changed c WHERE c.relid = p.table_name::regclass AND c.at = p.row_key AND c.was ->> p.column_name IS DISTINCT FROM c.is ->> p.column_name)
 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE e.employee_no <> g.pseudonym) AS numbers_left, count(*) FILTER (WHERE e.name <> '已删除') AS names_left FROM victim v JOIN employee e USING (employee_id) JOIN erasure_log g USING (employee_id);
SELECT * FROM verify_audit();

-- two of one name: the one whom a notice is about
SELECT hire('N1', '重名', 'SH', 'SALES', '2020-01-01', manager => 'E003') > 0 AS hired, hire('N2', '重名', 'SH', 'SALES', '2020-01-01', manager => 'E003') > 0 AS hired;
WITH d AS (
  INSERT INTO decision (kind, employee_id, cause, cause_id, inputs, outcome) SELECT 'person.erase', find_employee(e), 'employee', find_employee(e), '{}', '{}' FROM unnest(ARRAY['N1', 'N2']) e RETURNING decision_id, employee_id
)
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args, decision_id)
SELECT find_employee('E003'), 'manager', 'plan.withdrawn', 'test:' || e.employee_no, '{"employee": "重名"}', d.decision_id FROM d JOIN employee e USING (employee_id);
SELECT leave('N1', '2023-08-01') IS NOT NULL AS gone;
BEGIN; SELECT act_as('L1') > 0 AS acting; SELECT request_erasure('N1', '来函') > 0 AS asked; COMMIT;
BEGIN; SELECT act_as('L2') > 0 AS acting; SELECT confirm_erasure('N1') <> '' AS erased; COMMIT;
SELECT event_key, args, body FROM notification WHERE event_key LIKE 'test:%' ORDER BY 1;
-- a text that was edited meanwhile is not taken apart
UPDATE message_text SET body = '通知:{employee}的计划已撤回' WHERE kind = 'plan.withdrawn' AND locale = 'zh';
SELECT leave('N2', '2023-08-01') IS NOT NULL AS gone;
BEGIN; SELECT act_as('L1') > 0 AS acting; SELECT request_erasure('N2', '来函') > 0 AS asked; COMMIT;
BEGIN; SELECT act_as('L2') > 0 AS acting; SELECT confirm_erasure('N2') <> '' AS erased; COMMIT;
SELECT event_key, args, body FROM notification WHERE event_key LIKE 'test:%' ORDER BY 1;

-- one text under one key
SELECT hrloop.replace_text('{"by": "1", "n": "1", "a": [{"by": "1"}, {"x": {"by": ["1", "2"]}}], "m": 1}', '{by}', '1', 'P');
SELECT hrloop.replace_text('{"people": {"1": [1], "2": "1"}, "1": {"1": "1"}}', '{people.*}', '1', 'P'), hrloop.replace_text('{"people": {"1": {"1": 2}}}', '{people.*}', '1', 'P');
SELECT hrloop.replace_text('{"by": ""}', '{by}', '', 'P'), hrloop.replace_text('{"by": "x"}', '{}', 'x', 'P'), hrloop.replace_text('"x"', '{by}', 'x', 'P');
DROP SCHEMA privacy_keys_test CASCADE;
