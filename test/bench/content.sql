-- What the books hold, table by table: rows and a hash that does not depend on their
-- order.  Left out is what depends on who came first (keys of decisions, results, plans and
-- notices: a peer takes reviews as they lie), when it was, and the chain of hashes.
CREATE FUNCTION pg_temp.content(name text, columns text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || coalesce(sum(hashtextextended(ROW(%s)::text, 0)), 0) FROM hr.%I', columns, name) INTO line;
  RETURN line;
END $$;
SELECT c.relname || ' ' || pg_temp.content(c.relname, string_agg(
         CASE WHEN c.relname = 'audit_entry' AND a.attname IN ('before', 'after') THEN format('CASE WHEN table_name <> ''decision'' THEN %I - ''{decision_id,superseded_by,written_for}''::text[] END', a.attname)
              WHEN c.relname = 'audit_entry' AND a.attname = 'row_key' THEN format('CASE WHEN table_name NOT IN (''decision'') THEN %I END', a.attname)
              WHEN c.relname = 'notification' AND a.attname = 'event_key' THEN 'regexp_replace(event_key, ''\d+'', '''', ''g'')'
              WHEN c.relname = 'decision' AND a.attname = 'cause_id' THEN 'CASE WHEN cause <> ''review_result'' THEN cause_id END'
              ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum))
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum]
 WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' AND c.relname <> 'audit_lane'
   AND a.attidentity = '' AND a.atttypid NOT IN ('timestamptz'::regtype, 'xid8'::regtype, 'bytea'::regtype)
   AND a.attname NOT IN ('lane', 'seq', 'source_id')
   AND (f.oid IS NULL OR f.confrelid NOT IN ('hr.decision'::regclass, 'hr.review_result'::regclass, 'hr.development_plan'::regclass, 'hr.plan_item'::regclass))
 GROUP BY c.relname ORDER BY c.relname;
