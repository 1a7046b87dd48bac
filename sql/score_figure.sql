-- what no figure, no day and no text is: every column of facts and rules, from the catalog.
\set books score_figure
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- a table of its own for the constraints of each, in which one column is written at a time
CREATE TEMP TABLE told (table_name text, column_name text, given text, said text);
DO $$
DECLARE c record; v text;
BEGIN
  FOR c IN SELECT r.table_name, a.attname, format_type(a.atttypid, NULL) AS type
             FROM table_rule r JOIN pg_attribute a ON a.attrelid = r.table_name::regclass AND a.attnum > 0 AND NOT a.attisdropped
            WHERE r.kind IN ('fact', 'rule') ORDER BY r.table_name, a.attnum LOOP
    CONTINUE WHEN c.type NOT IN ('numeric', 'integer', 'date', 'timestamp with time zone', 'text', 'daterange', 'numrange');
    EXECUTE format('CREATE TEMP TABLE bare (LIKE %I INCLUDING CONSTRAINTS)', c.table_name);
    EXECUTE (SELECT coalesce(string_agg(format('ALTER TABLE bare ALTER %I DROP NOT NULL', k.attname), '; '), 'SELECT')
               FROM pg_attribute k WHERE k.attrelid = 'bare'::regclass AND k.attnum > 0 AND k.attnotnull AND NOT k.attisdropped);
    FOREACH v IN ARRAY CASE c.type
        WHEN 'numeric' THEN '{NaN,Infinity,-Infinity,1e15,-1e15,0.00000000001,-1}' WHEN 'integer' THEN '{-1}'
        WHEN 'date' THEN '{infinity,-infinity}' WHEN 'timestamp with time zone' THEN '{infinity,-infinity}'
        WHEN 'text' THEN ARRAY['', ' ', U&'\061C', U&'\20D0', U&'\200B\3000\00A0'] WHEN 'daterange' THEN ARRAY['[infinity,)', '(,infinity]', '[-infinity,2020-01-01)']
        ELSE ARRAY['[NaN,NaN]', '[1,Infinity]', '[1e20,)'] END::text[] LOOP
      BEGIN
        EXECUTE format('INSERT INTO bare (%I) VALUES (%L)', c.attname, v);
        INSERT INTO told VALUES (c.table_name, c.attname, v, 'taken');
      EXCEPTION WHEN OTHERS THEN INSERT INTO told VALUES (c.table_name, c.attname, v, SQLSTATE);
      END;
    END LOOP;
    DROP TABLE bare;
  END LOOP;
END $$;
SELECT said, count(*) > 500 AS many FROM told WHERE said <> 'taken' GROUP BY 1 ORDER BY 1;
-- taken all the same: what may be below zero, and what comes in to be looked at
SELECT table_name, column_name, string_agg(given, ' ' ORDER BY given) AS taken FROM told WHERE said = 'taken' AND table_name NOT IN ('quarantine', 'org_unit_import') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT table_name, count(*) FROM told WHERE said = 'taken' AND table_name IN ('quarantine', 'org_unit_import') GROUP BY 1 ORDER BY 1;
-- scores: looked at by the engine
SELECT create_cycle('Q1', '2023-01-01', '2023-03-31', 'SALES') > 0 AS made, open_cycle('Q1') AS reviews;
\set VERBOSITY terse
SELECT submit_score('Q1', 'E010', '客户满意度', v::numeric, '按事实评分', scale_max => m::numeric) FROM (VALUES ('NaN', '100')) x (v, m); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('Q1', 'E010', '客户满意度', v::numeric, '按事实评分', scale_max => m::numeric) FROM (VALUES ('Infinity', '100')) x (v, m); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('Q1', 'E010', '客户满意度', v::numeric, '按事实评分', scale_max => m::numeric) FROM (VALUES ('-1', '100')) x (v, m); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('Q1', 'E010', '客户满意度', v::numeric, '按事实评分', scale_max => m::numeric) FROM (VALUES ('1', 'NaN')) x (v, m); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('Q1', 'E010', '客户满意度', v::numeric, '按事实评分', scale_max => m::numeric) FROM (VALUES ('1', 'Infinity')) x (v, m); \echo :LAST_ERROR_SQLSTATE
-- REV-05: nor is anything a reason in which nothing is said
SELECT submit_score('Q1', 'E010', '客户满意度', 80, U&'\061C\20D0'); \echo :LAST_ERROR_SQLSTATE
SELECT hrloop.meaningful_chars(U&'\061C\20D0\0489\1AB0\1DC0\200B\FE0F\+0E0100') AS said, hrloop.is_visible(U&'\061C\20D0\0489\1AB0\1DC0\200B\3000\FE0F\+0E0100') AS seen,
       hrloop.meaningful_chars(U&'e\0301\0E01\0E38') AS of_letters, hrloop.is_visible('%') AS sign, hrloop.is_visible('') AS nothing, hrloop.is_visible('好') AS letter;
-- a formula makes a number out of facts
SELECT create_indicator('F1', formula => '"abc"'); \echo :LAST_ERROR_SQLSTATE
SELECT create_indicator('F2', formula => '$.done ? (@ > 1) == true');
SELECT create_indicator('F3', formula => '100');
SELECT create_indicator('F4', formula => '$.a / ($.a - $.b)') > 0 AS made;
UPDATE indicator SET formula = '"abc"' WHERE code = 'F4'; \echo :LAST_ERROR_SQLSTATE
-- a table that a company adds has them too
CREATE TABLE grown (grown_id bigint PRIMARY KEY, amount numeric, since date, note text);
SELECT register_table('grown', kind => 'fact') AS registered, apply_tables() > 0 AS applied;
SELECT conname FROM pg_constraint WHERE conrelid = 'grown'::regclass AND contype = 'c' ORDER BY 1;
SELECT apply_sense() AS again;
SELECT * FROM verify();
DROP SCHEMA score_figure CASCADE;
