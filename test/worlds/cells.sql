-- Everything that these books hold about one person (:'person'), and in one world other than in the other (:world is 1 or 2): each column of each
-- table about people that is no key, as far as its table's own checks let it.  It is made from the register and the catalog.
SET session_replication_role = replica;
DO $$
DECLARE
  w constant integer := current_setting('worlds.world');
  person constant bigint := (SELECT employee_id FROM hr.employee WHERE employee_no = current_setting('worlds.person'));
  r record; done bigint;
BEGIN
  -- a table that holds nothing about the person gets a row like one of somebody else
  FOR r IN
    SELECT c.relname, t.condition, a.attname AS subject, k.attname AS key
      FROM hr.personal_table t JOIN pg_class c ON c.oid = t.relid
      JOIN hr.table_rule u ON u.table_name = c.relname AND u.sees IN ('person', 'pay', 'score', 'hr')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = substring(t.condition FROM '^(\w+) = \$1$')
      JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnatts = 1
      JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0] AND k.attname <> a.attname ORDER BY 1 LOOP
    EXECUTE format('SELECT count(*) FROM hr.%I WHERE %s', r.relname, replace(r.condition, '$1', person::text)) INTO done;
    CONTINUE WHEN done > 0;
    BEGIN
      EXECUTE format('INSERT INTO hr.%1$I SELECT x.* FROM (SELECT * FROM hr.%1$I ORDER BY %2$I LIMIT 1) t,
                      jsonb_populate_record(NULL::hr.%1$I, to_jsonb(t) || jsonb_build_object(%2$L, (SELECT max(%2$I) + 1 FROM hr.%1$I), %3$L, %4$s)) x',
                     r.relname, r.key, r.subject, person);
      GET DIAGNOSTICS done = ROW_COUNT;
      RAISE NOTICE 'row %: %', r.relname, done;
    EXCEPTION WHEN check_violation OR unique_violation OR exclusion_violation OR generated_always THEN
      RAISE NOTICE 'row %: none', r.relname;
    END;
  END LOOP;
  FOR r IN
    SELECT c.oid::regclass::text AS target, quote_ident(a.attname) AS col, t.condition, v.value
      FROM hr.personal_table t JOIN pg_class c ON c.oid = t.relid JOIN hr.table_rule u ON u.table_name = c.relname
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      CROSS JOIN LATERAL (SELECT CASE format_type(a.atttypid, NULL)
        WHEN 'text' THEN format('%I || %L', a.attname, CASE w WHEN 1 THEN '甲' ELSE '乙' END)
        WHEN 'numeric' THEN format('%I + %s * CASE WHEN %1$I > 50 THEN -1 ELSE 1 END', a.attname, w * 0.5)
        WHEN 'jsonb' THEN format('jsonb_set(%I, ''{secret}'', %L)', a.attname, to_jsonb('甲乙'::text || w))
        WHEN 'date' THEN format('%I + %s', a.attname, w)
        WHEN 'timestamp with time zone' THEN format('%I + %L::interval', a.attname, w || ' seconds') END AS value) v
     WHERE v.value IS NOT NULL AND u.sees IN ('person', 'pay', 'score', 'hr')
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f') AND a.attnum = ANY (k.conkey))
       AND a.attname NOT IN ('db_role', 'employee_no')
     ORDER BY 1, 2 LOOP
    BEGIN
      EXECUTE format('UPDATE %s SET %s = %s WHERE (%s) AND %s IS NOT NULL', r.target, r.col, r.value, replace(r.condition, '$1', person::text), r.col);
      GET DIAGNOSTICS done = ROW_COUNT;
      RAISE NOTICE 'cell %.%: %', r.target, r.col, done;
    EXCEPTION WHEN check_violation OR unique_violation OR exclusion_violation THEN
      RAISE NOTICE 'cell %.%: kept', r.target, r.col;
    END;
  END LOOP;
END $$;
SET session_replication_role = origin;
