-- What both peers start from: the same tables and keys without hrloop's triggers, but
-- for the one that renders a notice.  What is no row of the loop they leave out: the
-- chain of hashes, raters who left, outsiders, segments, veto, 360 minimums, NaN.
-- Plans, results, raises, levels and allowances they make by the same SQL as the books,
-- here in PL/pgSQL, so that what is compared is the way from a row to its consequence.
SET client_min_messages = warning;
CREATE SCHEMA peer;

-- Of what changes an entry is kept: table, action, key, what is derived.
CREATE TABLE peer.audited (name text, action text, key text, ignored text[] DEFAULT '{}');
INSERT INTO peer.audited SELECT r.table_name, a.action, k.attname, r.ignored
  FROM hr.table_rule r CROSS JOIN LATERAL unnest(r.audit) AS a (action)
  JOIN pg_index i ON i.indrelid = format('hr.%I', r.table_name)::regclass AND i.indisprimary JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]
 WHERE a.action <> 'delete'
   AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = i.indrelid AND t.tgname = 'audit_' || a.action AND t.tgenabled <> 'D')
   AND r.table_name IN ('score', 'review', 'decision', 'review_result', 'development_plan', 'plan_item', 'cycle_template', 'certification_result', 'employee_skill_level', 'skill_allowance');
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND c.relnamespace = 'hr'::regnamespace AND t.tgname <> 'notification_render'
\gexec
CREATE FUNCTION peer.score_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.rationale IS NULL OR NEW.rationale !~ '[[:alnum:]]' THEN
    RAISE EXCEPTION 'a score needs a rationale' USING ERRCODE = '23502';
  END IF;
  IF NEW.raw_value < 0 OR NEW.raw_value > NEW.scale_max THEN
    RAISE EXCEPTION 'score % is outside 0 to %', NEW.raw_value, NEW.scale_max USING ERRCODE = '23514';
  END IF;
  NEW.value := round(NEW.raw_value * 100 / NEW.scale_max, 4);
  RETURN NEW;
END $$;
CREATE TRIGGER peer_check BEFORE INSERT OR UPDATE ON hr.score FOR EACH ROW EXECUTE FUNCTION peer.score_check();

-- what an update changed, without what is derived
CREATE FUNCTION peer.changed(a jsonb, b jsonb, ignored text[]) RETURNS jsonb IMMUTABLE LANGUAGE SQL AS $$
  SELECT jsonb_object_agg(k, v) FROM jsonb_each(a - ignored) AS e (k, v) WHERE v IS DISTINCT FROM b -> k $$;

-- The SQL functions of the books as PL/pgSQL, which keeps their plans.
DO $$
DECLARE f record; body text; name text;
  names text[] := '{plan_withdraw,plan_decided,plan_filled,plan_told,plan_write,plan_follow,plan_stand,review_status_changed,archive_results,tell_result,propose_raise,correct_raise,pool_entered,course_recommended,promotion_proposed,talent_due,talk_due,archive_plans,skill_follow,allowance_follow,archive_certifications}';
BEGIN
  SET check_function_bodies = off;
  FOR f IN SELECT p.oid, p.proname, pg_get_function_arguments(p.oid) AS arguments FROM pg_proc p WHERE p.pronamespace = 'hr'::regnamespace AND p.proname = ANY (names) LOOP
    body := regexp_replace(pg_get_function_sqlbody(f.oid), '^BEGIN ATOMIC', 'BEGIN');
    body := regexp_replace(body, '(BEGIN|;)(\n) SELECT ', '\1\2 PERFORM ', 'g');
    body := regexp_replace(body, 'hrloop\.run\(''hr\.book''::regclass, ''(\w+)''(::text)?, ', 'hr.\1(', 'g');
    FOREACH name IN ARRAY names LOOP
      body := replace(body, 'hr.' || name || '(', 'peer.' || name || '(');
    END LOOP;
    EXECUTE format('CREATE FUNCTION peer.%I(%s) RETURNS void LANGUAGE plpgsql AS %L', f.proname, f.arguments, '#variable_conflict use_column' || chr(10) || body);
  END LOOP;
END $$;

-- a reweighted cycle takes its reviews along
CREATE FUNCTION peer.version_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hr.review r SET template_id = n.template_id
    FROM hr.review_template o, hr.review_template n
   WHERE r.cycle_id = NEW.cycle_id AND r.status = 'open' AND o.template_id = r.template_id
     AND n.template_id = NEW.template_id AND n.code = o.code AND n.version > o.version;
  RETURN NULL;
END $$;
CREATE TRIGGER peer_version AFTER UPDATE ON hr.cycle_template FOR EACH ROW WHEN (NEW.template_id <> OLD.template_id) EXECUTE FUNCTION peer.version_changed();
