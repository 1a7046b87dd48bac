-- Makes of what record.sql noted the floor: bench.gone_TABLE, set_TABLE and new_TABLE hold
-- the rows to delete, to update and to insert as they were at the end of each step, and
-- bench.floor the parts of the one statement that writes them all.  No trigger is left but those of foreign keys.
SET client_min_messages = warning;
SELECT format('ALTER TABLE hr.%I DISABLE TRIGGER USER', c.relname) FROM pg_class c WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r'
\gexec
CREATE TABLE bench.floor (n serial, name text, sql text);
CREATE FUNCTION bench.replay(name text, key text, all_columns text, other_columns text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE what text; found bigint;
BEGIN
  EXECUTE format('CREATE INDEX ON bench.note_%s (step, key)', name);
  FOREACH what IN ARRAY ARRAY['gone', 'set', 'new'] LOOP
    EXECUTE format('CREATE TABLE bench.%1$s_%2$s AS SELECT e.step, (e.r).* FROM (SELECT DISTINCT ON (step, key) * FROM bench.note_%2$s ORDER BY step, key, n DESC) e
                     WHERE e.op %3$s ''DELETE'' AND %4$s EXISTS (SELECT FROM bench.note_%2$s b WHERE b.step = e.step AND b.key = e.key AND b.op = ''INSERT'')
                     ORDER BY e.step, e.n', what, name, CASE what WHEN 'gone' THEN '=' ELSE '<>' END, CASE what WHEN 'new' THEN '' ELSE 'NOT' END);
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found > 0 THEN
      EXECUTE format('CREATE INDEX ON bench.%1$s_%2$s (step)', what, name);
      INSERT INTO bench.floor (name, sql) VALUES (what || '_' || name,
        CASE what WHEN 'new' THEN format('INSERT INTO hr.%I (%s) SELECT %2$s FROM bench.new_%1$s WHERE step = $1', name, all_columns)
                  WHEN 'gone' THEN format('DELETE FROM hr.%I t USING bench.gone_%1$s s WHERE s.step = $1 AND (%2$s) = (%3$s)', name,
                                          't.' || replace(key, ', ', ', t.'), 's.' || replace(key, ', ', ', s.'))
                  ELSE format('UPDATE hr.%I t SET (%s) = ROW(%s) FROM bench.set_%1$s s WHERE s.step = $1 AND (%4$s) = (%5$s)', name, other_columns,
                              's.' || replace(other_columns, ', ', ', s.'), 't.' || replace(key, ', ', ', t.'), 's.' || replace(key, ', ', ', s.')) END);
    END IF;
  END LOOP;
  EXECUTE format('DROP TABLE bench.note_%s', name);
END $$;
SELECT bench.replay(c.relname, key, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
                    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (i.indkey)))
  FROM pg_class c
  JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  CROSS JOIN LATERAL (SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY k.attnum) AS key FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attnum = ANY (i.indkey)) k
 WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' GROUP BY c.relname, key ORDER BY c.relname \g /dev/null
DROP FUNCTION bench.replay(text, text, text, text);
VACUUM ANALYZE;
