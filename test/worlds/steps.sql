-- What those who ask try, as lines "name, tab, statements": made from the catalog, so that what comes later is tried as well.  :'different' says
-- in which columns the two worlds differ and by which values, {"table": {"column": ["value", …]}}; what is there elsewhere is asked for anyhow.
SET search_path = hr, pg_catalog;

CREATE TEMP TABLE step (n bigint GENERATED ALWAYS AS IDENTITY, name text, statements text[]);
CREATE TEMP TABLE relation AS
  SELECT c.oid, c.relname::text AS name, c.relkind FROM pg_class c WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind IN ('r', 'p', 'v') ORDER BY c.relname;
CREATE TEMP TABLE col AS
  SELECT r.name AS relation, r.relkind, a.attnum, a.attname::text AS name, quote_ident(a.attname) AS quoted, format_type(a.atttypid, NULL) AS type,
         (SELECT array_agg(v) FROM (SELECT v FROM jsonb_array_elements_text(:'different'::jsonb -> r.name -> a.attname) v LIMIT 3) v) AS differs
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped;
-- a column of a view is asked by what differs in columns of that name
UPDATE col c SET differs = (SELECT array_agg(v) FROM (SELECT DISTINCT v FROM col t, unnest(t.differs) v WHERE t.relkind <> 'v' AND t.name = c.name AND t.type = c.type ORDER BY 1 LIMIT 3) v)
 WHERE c.relkind = 'v';

-- whole, counted, and by the place where rows lie; each column by itself, as rights may be on columns
INSERT INTO step (name, statements)
SELECT 'read ' || name, ARRAY[format('SELECT * FROM hr.%I', name), format('SELECT count(*) FROM hr.%I', name)] FROM relation;
INSERT INTO step (name, statements)
SELECT format('read %s.%s', relation, name), ARRAY[format('SELECT ctid, xmin, xmax, %s FROM hr.%I', quoted, relation)]
  FROM col WHERE relkind <> 'v' ORDER BY relation, attnum;
-- a comparison that PostgreSQL asks before the row policy, and the rows that it expects
INSERT INTO step (name, statements)
SELECT format('plan %s.%s', relation, name),
       ARRAY[format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT 1 FROM hr.%I WHERE %s IS NULL', relation, quoted)]
       || CASE WHEN type IN ('text', 'bigint', 'integer', 'numeric', 'boolean', 'date', 'timestamp with time zone', 'uuid', 'bytea') THEN ARRAY(
            SELECT format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT 1 FROM hr.%I WHERE %s %s %L::%s', relation, quoted, o, v, type)
              FROM unnest(differs) v, unnest(ARRAY['=', '<', '>']) o ORDER BY v, o) ELSE '{}' END
  FROM col WHERE relkind <> 'v' OR differs IS NOT NULL ORDER BY relation, attnum;
-- what the database itself knows
INSERT INTO step (name, statements) VALUES
  ('statistics', ARRAY[$$SELECT tablename, attname, null_frac, n_distinct, most_common_vals, most_common_freqs, histogram_bounds, correlation FROM pg_stats WHERE schemaname = 'hr' ORDER BY 1, 2$$]),
  ('sizes', ARRAY[$$SELECT relname, relpages, reltuples FROM pg_class WHERE relnamespace = 'hr'::regnamespace ORDER BY 1$$,
                  $$SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = 'hr'::regnamespace ORDER BY 1$$]),
  ('sequences', ARRAY[$$SELECT * FROM pg_sequences WHERE schemaname = 'hr' ORDER BY 1$$]),
  ('activity', ARRAY[$$SELECT usename, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()$$]);

-- What functions are called with: by the name of an argument, by its type, or the keys of the table that it stands for.
CREATE TEMP TABLE usual (name text, type text, v text);
INSERT INTO usual
SELECT n, 'text', v FROM (VALUES
  ('employee', '{L1,L2,L4,L5,E010}'::text[]), ('cycle', '{SCORED,LOCKED,HIDDEN,2023Q2}'), ('session', '{K1,2023Q1校准}'), ('employee_no', '{L1,L5}'), ('mentee', '{L1}'), ('mentor', '{L4}'),
  ('rater', '{L9}'), ('delegate', '{L8}'), ('delegator', '{E090}'), ('manager', '{E003}'), ('indicator', '{客户满意度,客户拓展}'), ('template', '{SALES}'), ('certification', '{中级销售}'),
  ('course', '{客户谈判}'), ('resource', '{数据分析}'), ('unit', '{SH}'), ('unit_kind', '{marketing}'), ('job', '{SALES}'), ('job_family', '{sales}'), ('scale', '{grade}'),
  ('rater_group', '{peer,manager,self}'), ('setting', '{review.disclose}'), ('role', '{hr}'), ('kind', '{raise.proposed}'), ('distribution', '{两级}'), ('stage', '{reward}'),
  ('locale', '{zh}'), ('cause', '{review,review_result}'), ('source_table', '{review_result}'), ('table_name', '{score}'), ('part', '{score}'), ('effective', '{next_month}'),
  ('what', '{pay}'), ('record', '{已谈}'), ('status', '{accepted}'), ('mode', '{soft}'), ('tie_rule', '{up}'), ('about', '{review}'), ('source', '{manual}'),
  ('find_calibration.code', '{K1}'), ('find_certification.code', '{中级销售}'), ('find_cycle.code', '{SCORED}'), ('find_distribution.code', '{两级}'), ('find_indicator.code', '{客户拓展}'),
  ('find_job.code', '{SALES}'), ('find_resource.code', '{数据分析}'), ('find_scale.code', '{grade}'), ('find_skill.code', '{销售}'), ('find_stage.code', '{reward}'), ('find_unit.code', '{SH}'),
  ('setting_number.setting', '{plan.score_threshold}'), ('setting_on.setting', '{four_eyes.pay}'),
  (NULL, '{说明原因}')) AS u (n, vs), unnest(u.vs) v
UNION ALL
SELECT NULL, t, v FROM (VALUES ('bigint', '1'), ('integer', '1'), ('numeric', '80'), ('boolean', 'true'), ('date', '2023-11-20'), ('timestamp with time zone', '2023-11-20 09:00+00'),
  ('interval', '1 second'), ('jsonpath', '$.a'), ('bigint[]', '{1,2,3}'), ('text[]', '{L9}'), ('numeric[]', '{80}'), ('date[]', '{2023-11-20}'), ('numrange', '[0,100]'),
  ('daterange', '[2023-10-01,2024-01-01)'), ('regclass', 'hr.book'), ('name', 'hr'), ('integer[]', '{1}')) AS u (t, v)
UNION ALL
SELECT n, 'jsonb', v FROM (VALUES (NULL, '{"客户满意度": 70}'), ('weights', '{"客户拓展": 30, "销售执行": 50}'), ('items', '[{"indicator": "客户拓展", "weight": 100}]'), ('facts', '{"actual": 5, "target": 10}'),
  ('shares', '{"优秀": 20, "良好": 80}'), ('bands', '[{"range": "[90,)", "label": "A"}, {"range": "(,90)", "label": "B"}]')) AS u (n, v)
UNION ALL
SELECT 'employee', 'bigint', employee_id::text FROM employee WHERE employee_no IN ('L1', 'L2', 'L4', 'L5', 'E010')
UNION ALL
SELECT 'cycle', 'bigint', cycle_id::text FROM review_cycle WHERE code IN ('SCORED', 'HIDDEN', 'LOCKED')
UNION ALL
SELECT 'review', 'bigint', review_id::text FROM review JOIN employee USING (employee_id) JOIN review_cycle c USING (cycle_id) WHERE employee_no IN ('L1', 'L2', 'L4', 'L5') AND c.code IN ('SCORED', 'HIDDEN')
UNION ALL
SELECT n, 'bigint', employee_id::text FROM employee, unnest(ARRAY['rater', 'manager', 'mentor', 'decider', 'subject', 'superior', 'mentee']) n WHERE employee_no = 'E003'
UNION ALL
SELECT 'cause_id', 'bigint', v::text FROM (SELECT max(review_id) FROM review UNION ALL SELECT max(result_id) FROM review_result) x (v)
UNION ALL
SELECT 'template', 'bigint', max(template_id)::text FROM review_template WHERE code = 'SALES' AND version = 1
UNION ALL
SELECT 'indicator', 'bigint', find_indicator('客户满意度')::text
UNION ALL
SELECT 'unit', 'bigint', find_unit('SH')::text
UNION ALL
SELECT 'session', 'bigint', find_calibration('K1')::text;
-- bigint and bigint[] of a table: adjustment, adjustments: salary_adjustment by adjustment_id
CREATE TEMP TABLE key_of AS
  SELECT c.relname::text AS table_name, a.attname::text AS column_name, regexp_replace(a.attname, '_id$', '') AS one
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
   WHERE i.indisprimary AND i.indnatts = 1 AND c.relnamespace = 'hr'::regnamespace AND a.atttypid = 'bigint'::regtype;
INSERT INTO key_of SELECT k.table_name, k.column_name, o.one
  FROM (VALUES ('record', 'training_record'), ('item', 'plan_item'), ('membership', 'pool_membership'), ('plan', 'development_plan'), ('case', 'promotion_case'), ('signature', 'cycle_signature'),
               ('reading', 'measurement'), ('course', 'resource'), ('assignment', 'assignment')) AS o (one, table_name) JOIN key_of k USING (table_name)
 WHERE NOT EXISTS (SELECT FROM key_of x WHERE x.one = o.one);
CREATE TEMP TABLE keys (table_name text, newest text, every text);
SELECT format('INSERT INTO keys SELECT %L, max(%2$I)::text, (array_agg(%2$I ORDER BY %2$I DESC))[1:300]::text FROM %1$I', table_name, column_name) FROM (SELECT DISTINCT table_name, column_name FROM key_of) k \gexec

CREATE TEMP TABLE argument AS
  SELECT p.oid, p.proname::text AS function, p.pronamespace::regnamespace::text AS schema, a.i, coalesce(p.proargnames[a.i], '') AS name, format_type(p.proargtypes[a.i - 1], NULL) AS type,
         p.proargtypes[a.i - 1] AS type_oid, p.proretset
    FROM pg_proc p LEFT JOIN LATERAL generate_series(1, p.pronargs) a (i) ON true
   WHERE p.pronamespace = 'hr'::regnamespace AND p.prokind = 'f';
UPDATE argument a SET name = u.name FROM usual u WHERE u.name = a.function || '.' || a.name;
CREATE TEMP TABLE candidate AS
  SELECT a.oid, a.i, v.v, row_number() OVER (PARTITION BY a.oid, a.i ORDER BY v.n, v.v) AS n
    FROM argument a CROSS JOIN LATERAL (
      SELECT u.v, 1 AS n FROM usual u WHERE u.name = a.name AND u.type = a.type
      UNION ALL
      -- consequences are called with keys of what they follow
      SELECT k.every, 2 FROM follow f JOIN keys k USING (table_name) JOIN key_of o ON o.table_name = f.table_name AND o.column_name = f.key
       WHERE f.function = a.function AND a.type = 'bigint[]' AND NOT EXISTS (SELECT FROM usual u WHERE u.name = a.name AND u.type = a.type)
      UNION ALL
      SELECT CASE a.type WHEN 'bigint' THEN k.newest ELSE k.every END, 3 FROM key_of o JOIN keys k USING (table_name)
       WHERE CASE a.type WHEN 'bigint' THEN o.one = a.name WHEN 'bigint[]' THEN o.one || 's' = a.name OR o.one = regexp_replace(a.name, 'ies$', 'y') END
         AND NOT EXISTS (SELECT FROM usual u WHERE u.name = a.name AND u.type = a.type)
      UNION ALL
      SELECT u.v, 4 FROM usual u WHERE u.name IS NULL AND u.type = a.type
         AND NOT EXISTS (SELECT FROM usual x WHERE x.name = a.name AND x.type = a.type)) v
   WHERE a.i IS NOT NULL AND v.v IS NOT NULL;
DELETE FROM candidate c WHERE c.n > 1 AND NOT EXISTS (SELECT FROM argument a JOIN usual u ON u.name = a.name AND u.type = a.type WHERE a.oid = c.oid AND a.i = c.i);
-- rows of a table, as they are
CREATE TEMP TABLE some_rows (type_oid oid, v text);
SELECT format('INSERT INTO some_rows SELECT %s, (SELECT array_agg(x)::text FROM (SELECT t FROM hr.%I t LIMIT 5) x (x))', t.typarray, c.relname)
  FROM (SELECT DISTINCT type_oid FROM argument) a JOIN pg_type t ON t.typarray = a.type_oid JOIN pg_class c ON c.oid = t.typrelid WHERE t.typrelid <> 0 \gexec
INSERT INTO candidate SELECT a.oid, a.i, s.v, 1 FROM argument a JOIN some_rows s USING (type_oid) WHERE s.v IS NOT NULL AND NOT EXISTS (SELECT FROM candidate c WHERE c.oid = a.oid AND c.i = a.i);
INSERT INTO candidate SELECT a.oid, a.i, NULL, 1 FROM argument a WHERE a.i IS NOT NULL AND NOT EXISTS (SELECT FROM candidate c WHERE c.oid = a.oid AND c.i = a.i);

-- each function by all that its arguments can be, up to 24 calls
INSERT INTO step (name, statements)
WITH RECURSIVE call AS (
  SELECT a.oid, 0 AS i, '' AS list FROM argument a WHERE coalesce(a.i, 1) = 1
  UNION ALL
  SELECT c.oid, a.i, c.list || CASE WHEN a.i > 1 THEN ', ' ELSE '' END || format('%L::%s', x.v, a.type)
    FROM call c JOIN argument a ON a.oid = c.oid AND a.i = c.i + 1 JOIN candidate x ON x.oid = a.oid AND x.i = a.i
), numbered AS (
  SELECT a.schema, a.function, c.list, row_number() OVER (PARTITION BY a.oid ORDER BY c.list) AS n, a.oid
    FROM call c JOIN (SELECT oid, schema, function, count(i) AS arguments FROM argument GROUP BY 1, 2, 3) a ON a.oid = c.oid AND c.i = a.arguments
)
SELECT format('call %s %s', oid::regprocedure, n), ARRAY[format('SELECT * FROM %s.%I(%s)', schema, function, list)]
  FROM numbered WHERE n <= 24 ORDER BY oid::regprocedure::text, n;

SELECT format(E'%s\t%s', name, array_to_string(ARRAY(SELECT quote_literal(s) FROM unnest(statements) s), ', ')) FROM step ORDER BY n;
