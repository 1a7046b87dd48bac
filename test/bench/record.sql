-- Notes every row that a statement writes, with the step that bench.step names.
SET client_min_messages = warning;
CREATE FUNCTION bench.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO bench.note_%s (step, op, key, r) SELECT current_setting(''bench.step'')::bigint, $1, ROW(%s)::text, $2', TG_TABLE_NAME, TG_ARGV[0])
    USING TG_OP, CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  RETURN NULL;
END $$;
SELECT format('CREATE TABLE bench.note_%1$s (n bigserial, step bigint, op text, key text, r hr.%1$I)', c.relname),
       format('CREATE TRIGGER zzz_note AFTER INSERT OR UPDATE OR DELETE ON hr.%I FOR EACH ROW EXECUTE FUNCTION bench.note(%L)', c.relname,
              (SELECT string_agg(format('($2).%I', a.attname), ', ' ORDER BY a.attnum) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = c.oid AND i.indisprimary))
  FROM pg_class c WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' ORDER BY c.relname
\gexec
