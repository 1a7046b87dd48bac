-- The set peer: what a very good DBA writes, triggers for each statement, set-based
-- over its transition tables.
\ir peer.sql
-- Many keys at a time: plans are made for their number.
SELECT format('ALTER FUNCTION %s SET plan_cache_mode = force_custom_plan', p.oid::regprocedure) FROM pg_proc p
 WHERE p.pronamespace = 'peer'::regnamespace AND pg_get_function_arguments(p.oid) LIKE '%bigint[]%'
\gexec
CREATE FUNCTION peer.audit_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hr.audit_entry (lane, seq, db_user, table_name, action, row_key, employee_id, after, reason, digest, hash)
  SELECT 1, 1, session_user, TG_TABLE_NAME, 'insert', e.fresh ->> TG_ARGV[0],
         coalesce((e.fresh ->> 'employee_id')::bigint, (SELECT r.employee_id FROM hr.review r WHERE r.review_id = (e.fresh ->> 'review_id')::bigint)),
         CASE WHEN TG_TABLE_NAME = 'decision' THEN jsonb_build_object('sha256', encode(sha256(convert_to(jsonb_strip_nulls(e.fresh)::text, 'UTF8')), 'hex'))
              ELSE jsonb_strip_nulls(e.fresh - TG_ARGV[0] - 'rationale') END,
         coalesce(e.fresh ->> 'rationale', e.fresh ->> 'reason'), '', ''
    FROM (SELECT to_jsonb(n) AS fresh FROM new_row n) e;
  RETURN NULL;
END $$;
SELECT format('CREATE TRIGGER peer_audit_insert AFTER INSERT ON hr.%I REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.audit_insert(%L)', name, key)
  FROM peer.audited WHERE action = 'insert'
\gexec

CREATE FUNCTION peer.audit_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hr.audit_entry (lane, seq, db_user, table_name, action, row_key, employee_id, before, after, reason, digest, hash)
  SELECT 1, 1, session_user, TG_TABLE_NAME, 'update', e.fresh ->> TG_ARGV[0],
         coalesce((e.fresh ->> 'employee_id')::bigint, (SELECT r.employee_id FROM hr.review r WHERE r.review_id = (e.fresh ->> 'review_id')::bigint),
                  (SELECT p.employee_id FROM hr.development_plan p WHERE p.plan_id = (e.fresh ->> 'plan_id')::bigint)),
         c.before, c.after, coalesce(e.fresh ->> 'rationale', e.fresh ->> 'reason'), '', ''
    FROM (SELECT to_jsonb(n) AS fresh FROM new_row n) e
    JOIN (SELECT to_jsonb(o) AS was FROM old_row o) o ON o.was ->> TG_ARGV[0] = e.fresh ->> TG_ARGV[0]
    CROSS JOIN LATERAL (SELECT peer.changed(o.was, e.fresh, TG_ARGV[1]::text[]) AS before, peer.changed(e.fresh, o.was, TG_ARGV[1]::text[]) AS after) c
   WHERE c.after IS NOT NULL;
  RETURN NULL;
END $$;
SELECT format('CREATE TRIGGER peer_audit_update AFTER UPDATE ON hr.%I REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.audit_update(%L, %L)', name, key, ignored)
  FROM peer.audited WHERE action = 'update' AND name <> 'review'
\gexec

CREATE FUNCTION peer.audit_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hr.audit_entry (lane, seq, db_user, table_name, action, row_key, employee_id, before, after, digest, hash)
  SELECT 1, 1, session_user, 'review', 'update', n.review_id::text, n.employee_id, peer.changed(j.was, j.fresh, j.ignored), peer.changed(j.fresh, j.was, j.ignored), '', ''
    FROM new_row n JOIN old_row o USING (review_id)
    CROSS JOIN LATERAL (SELECT to_jsonb(o) AS was, to_jsonb(n) AS fresh,
      '{composite,self_composite,items_scored,complete,missed,lowest_indicator_id,plan_reason,missing_used,vetoed,anonymous}'::text[] AS ignored) j
   WHERE (n.status, n.locked_on, n.template_id) IS DISTINCT FROM (o.status, o.locked_on, o.template_id);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_audit AFTER UPDATE ON hr.review REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.audit_review();

CREATE FUNCTION peer.compute(reviews bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hr.review r
     SET composite = m.composite, self_composite = m.self_composite, items_scored = m.scored, complete = m.complete, missed = m.missed,
         lowest_indicator_id = m.lowest, missing_used = CASE WHEN NOT m.complete THEN 'block' END, anonymous = m.anonymous,
         plan_reason = CASE WHEN m.complete THEN NULLIF(array_remove(ARRAY[CASE WHEN m.composite <= k.threshold THEN 'score' END,
                                                                           CASE WHEN m.missed <> '{}' AND k.on_missed THEN 'missed' END], NULL), '{}') END
    FROM (SELECT i.review_id,
                 CASE WHEN count(i.value) = count(*) THEN round(sum(i.weight * i.value) / sum(i.weight), 4) END AS composite,
                 CASE WHEN count(i.self) = count(*) THEN round(sum(i.weight * i.self) / sum(i.weight), 4) END AS self_composite,
                 count(i.value) AS scored, count(i.value) = count(*) AS complete,
                 coalesce(array_agg(i.indicator_id ORDER BY i.position) FILTER (WHERE round(i.value, 4) < i.pass_pct), '{}') AS missed,
                 (array_agg(i.indicator_id ORDER BY round(i.value, 4), i.position) FILTER (WHERE i.value IS NOT NULL))[1] AS lowest,
                 bool_or(i.anonymous) IS TRUE AS anonymous
            FROM (SELECT v.review_id, t.position, t.indicator_id, t.pass_pct, t.effective_weight AS weight,
                         sum(g.weight * s.value) / sum(g.weight) AS value, max(s.value) FILTER (WHERE s.rater_group = 'self') AS self,
                         bool_or(g.minimum > 0) AS anonymous
                    FROM hr.review v
                    JOIN hr.template_item t ON t.template_id = v.template_id
                    LEFT JOIN (SELECT x.review_id, x.indicator_id, x.rater_group, avg(x.value) AS value
                                 FROM hr.score x WHERE x.review_id = ANY (reviews)
                                GROUP BY x.review_id, x.indicator_id, x.rater_group) s ON s.review_id = v.review_id AND s.indicator_id = t.indicator_id
                    LEFT JOIN hr.template_rater_group g ON g.template_id = t.template_id AND g.rater_group = s.rater_group AND g.weight > 0
                   WHERE v.review_id = ANY (reviews)
                   GROUP BY v.review_id, t.template_item_id) i
           GROUP BY i.review_id) m,
         (SELECT hr.setting_number('plan.score_threshold') AS threshold, hr.setting_on('plan.on_missed') AS on_missed) k
   WHERE r.review_id = m.review_id;
END $$;

CREATE FUNCTION peer.scored() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE reviews bigint[]; bad bigint;
BEGIN
  SELECT array_agg(l.review_id), min(l.review_id) FILTER (WHERE l.status <> 'open') INTO reviews, bad
    FROM (SELECT r.review_id, r.status FROM hr.review r WHERE r.review_id IN (SELECT n.review_id FROM new_row n) ORDER BY r.review_id FOR NO KEY UPDATE) l;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'review % is not open', bad USING ERRCODE = '55000';
  END IF;
  IF EXISTS (SELECT FROM new_row n JOIN hr.review r USING (review_id) WHERE (n.rater_group = 'self') <> (n.rater_id = r.employee_id)) THEN
    RAISE EXCEPTION 'self means self' USING ERRCODE = '23514';
  END IF;
  IF EXISTS (SELECT FROM new_row n JOIN hr.review r USING (review_id)
               LEFT JOIN hr.template_item t ON t.template_id = r.template_id AND t.indicator_id = n.indicator_id WHERE t.template_item_id IS NULL) THEN
    RAISE EXCEPTION 'the template does not have this indicator' USING ERRCODE = '23503';
  END IF;
  PERFORM peer.compute(reviews);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_scored_insert AFTER INSERT ON hr.score REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.scored();
CREATE TRIGGER peer_scored_update AFTER UPDATE ON hr.score REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.scored();

CREATE FUNCTION peer.review_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE reweighted bigint[]; planned bigint[]; locked bigint[]; p record;
BEGIN
  SELECT array_agg(n.review_id ORDER BY n.review_id) FILTER (WHERE n.template_id <> o.template_id),
         array_agg(n.review_id ORDER BY n.review_id) FILTER (WHERE (n.plan_reason IS NOT NULL OR o.plan_reason IS NOT NULL)
                                         AND (n.plan_reason, n.composite, n.missed) IS DISTINCT FROM (o.plan_reason, o.composite, o.missed)),
         array_agg(n.review_id ORDER BY n.review_id) FILTER (WHERE n.status <> o.status)
    INTO reweighted, planned, locked
    FROM new_row n JOIN old_row o USING (review_id);
  IF reweighted IS NOT NULL THEN PERFORM peer.compute(reweighted); END IF;
  IF planned IS NOT NULL THEN PERFORM peer.plan_follow(planned); END IF;
  IF locked IS NOT NULL THEN
    SELECT * INTO p FROM hr.review_status_problem(locked) LIMIT 1;
    IF FOUND THEN RAISE EXCEPTION '%', p.message USING ERRCODE = p.sqlstate; END IF;
    PERFORM peer.review_status_changed(locked);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER peer_changed AFTER UPDATE ON hr.review REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.review_changed();

CREATE FUNCTION peer.result() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE results bigint[]; reviews bigint[];
BEGIN
  SELECT array_agg(n.result_id ORDER BY n.result_id), array_agg(n.review_id ORDER BY n.review_id) INTO results, reviews FROM new_row n;
  IF results IS NULL THEN RETURN NULL; END IF;
  PERFORM peer.archive_results(results);
  PERFORM peer.tell_result(results);
  PERFORM peer.plan_stand(reviews);
  PERFORM peer.propose_raise(reviews);
  PERFORM peer.talent_due(results);
  PERFORM peer.talk_due(results);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_result AFTER INSERT ON hr.review_result REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.result();

CREATE FUNCTION peer.archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM peer.archive_plans(p.ids) FROM (SELECT array_agg(n.plan_id ORDER BY n.plan_id) AS ids FROM new_row n) p WHERE p.ids IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER peer_archived_insert AFTER INSERT ON hr.development_plan REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.archived();
CREATE TRIGGER peer_archived_update AFTER UPDATE ON hr.development_plan REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.archived();

CREATE FUNCTION peer.certified() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE employees bigint[]; results bigint[];
BEGIN
  SELECT array_agg(DISTINCT n.employee_id), array_agg(n.certification_result_id ORDER BY n.certification_result_id) INTO employees, results FROM new_row n;
  PERFORM peer.skill_follow(employees);
  PERFORM peer.allowance_follow(employees);
  PERFORM peer.archive_certifications(results);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_certified AFTER INSERT ON hr.certification_result REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION peer.certified();
