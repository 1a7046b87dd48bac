-- The row peer: what a competent DBA writes first, a trigger for each row.
\ir peer.sql
CREATE FUNCTION peer.audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  fresh jsonb := to_jsonb(NEW);
  was jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END;
  entry jsonb;
  employee bigint := coalesce((fresh ->> 'employee_id')::bigint, (SELECT r.employee_id FROM hr.review r WHERE r.review_id = (fresh ->> 'review_id')::bigint),
                              (SELECT p.employee_id FROM hr.development_plan p WHERE p.plan_id = (fresh ->> 'plan_id')::bigint));
BEGIN
  IF TG_OP = 'INSERT' THEN
    entry := CASE WHEN TG_TABLE_NAME = 'decision' THEN jsonb_build_object('sha256', encode(sha256(convert_to(jsonb_strip_nulls(fresh)::text, 'UTF8')), 'hex'))
                  ELSE jsonb_strip_nulls(fresh - TG_ARGV[0] - 'rationale') END;
  ELSE
    entry := peer.changed(fresh, was, TG_ARGV[1]::text[]);
    IF entry IS NULL THEN RETURN NULL; END IF;
  END IF;
  INSERT INTO hr.audit_entry (lane, seq, db_user, table_name, action, row_key, employee_id, before, after, reason, digest, hash)
  VALUES (1, 1, session_user, TG_TABLE_NAME, lower(TG_OP), fresh ->> TG_ARGV[0], employee, peer.changed(was, fresh, TG_ARGV[1]::text[]),
          entry, coalesce(fresh ->> 'rationale', fresh ->> 'reason'), '', '');
  RETURN NULL;
END $$;
SELECT format('CREATE TRIGGER peer_audit_%s AFTER %1$s ON hr.%I FOR EACH ROW EXECUTE FUNCTION peer.audit(%L, %L)', action, name, key, ignored) FROM peer.audited
 WHERE (name, action) <> ('review', 'update')
\gexec
SELECT format('CREATE TRIGGER peer_audit AFTER UPDATE OF status, locked_on, template_id ON hr.review FOR EACH ROW EXECUTE FUNCTION peer.audit(%L, %L)', key, ignored)
  FROM peer.audited WHERE name = 'review'
\gexec

CREATE FUNCTION peer.compute(review bigint, template bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE m record;
BEGIN
  SELECT CASE WHEN count(i.value) = count(*) THEN round(sum(i.weight * i.value) / sum(i.weight), 4) END AS composite,
         CASE WHEN count(i.self) = count(*) THEN round(sum(i.weight * i.self) / sum(i.weight), 4) END AS self_composite,
         count(i.value) AS scored, count(i.value) = count(*) AS complete,
         coalesce(array_agg(i.indicator_id ORDER BY i.position) FILTER (WHERE round(i.value, 4) < i.pass_pct), '{}') AS missed,
         (array_agg(i.indicator_id ORDER BY round(i.value, 4), i.position) FILTER (WHERE i.value IS NOT NULL))[1] AS lowest,
         bool_or(i.anonymous) IS TRUE AS anonymous
    INTO m
    FROM (SELECT t.position, t.indicator_id, t.pass_pct, t.effective_weight AS weight,
                 sum(g.weight * v.value) / sum(g.weight) AS value, max(v.value) FILTER (WHERE v.rater_group = 'self') AS self,
                 bool_or(g.minimum > 0) AS anonymous
            FROM hr.template_item t
            LEFT JOIN (SELECT s.indicator_id, s.rater_group, avg(s.value) AS value
                         FROM hr.score s WHERE s.review_id = compute.review GROUP BY s.indicator_id, s.rater_group) v USING (indicator_id)
            LEFT JOIN hr.template_rater_group g ON g.template_id = t.template_id AND g.rater_group = v.rater_group AND g.weight > 0
           WHERE t.template_id = compute.template GROUP BY t.template_item_id) i;
  UPDATE hr.review r
     SET composite = m.composite, self_composite = m.self_composite, items_scored = m.scored, complete = m.complete, missed = m.missed,
         lowest_indicator_id = m.lowest, missing_used = CASE WHEN NOT m.complete THEN 'block' END, anonymous = m.anonymous,
         plan_reason = CASE WHEN m.complete THEN NULLIF(array_remove(ARRAY[
           CASE WHEN m.composite <= hr.setting_number('plan.score_threshold') THEN 'score' END,
           CASE WHEN m.missed <> '{}' AND hr.setting_on('plan.on_missed') THEN 'missed' END], NULL), '{}') END
   WHERE r.review_id = compute.review;
END $$;

CREATE FUNCTION peer.scored() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE r hr.review;
BEGIN
  SELECT * INTO r FROM hr.review WHERE review_id = NEW.review_id FOR NO KEY UPDATE;
  IF r.status <> 'open' THEN
    RAISE EXCEPTION 'review % is %', r.review_id, r.status USING ERRCODE = '55000';
  END IF;
  IF (NEW.rater_group = 'self') <> (NEW.rater_id = r.employee_id) THEN
    RAISE EXCEPTION 'self means self' USING ERRCODE = '23514';
  END IF;
  IF NOT EXISTS (SELECT FROM hr.template_item t WHERE t.template_id = r.template_id AND t.indicator_id = NEW.indicator_id) THEN
    RAISE EXCEPTION 'the template does not have this indicator' USING ERRCODE = '23503';
  END IF;
  PERFORM peer.compute(NEW.review_id, r.template_id);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_scored AFTER INSERT OR UPDATE ON hr.score FOR EACH ROW EXECUTE FUNCTION peer.scored();

CREATE FUNCTION peer.reweighted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM peer.compute(NEW.review_id, NEW.template_id);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_reweighted AFTER UPDATE ON hr.review FOR EACH ROW WHEN (NEW.template_id <> OLD.template_id) EXECUTE FUNCTION peer.reweighted();

CREATE FUNCTION peer.planned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM peer.plan_follow(ARRAY[NEW.review_id]);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_planned AFTER UPDATE ON hr.review FOR EACH ROW
  WHEN ((NEW.plan_reason IS NOT NULL OR OLD.plan_reason IS NOT NULL) AND (NEW.plan_reason, NEW.composite, NEW.missed) IS DISTINCT FROM (OLD.plan_reason, OLD.composite, OLD.missed))
  EXECUTE FUNCTION peer.planned();

CREATE FUNCTION peer.locked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE p record;
BEGIN
  SELECT * INTO p FROM hr.review_status_problem(ARRAY[NEW.review_id]) LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION '%', p.message USING ERRCODE = p.sqlstate; END IF;
  PERFORM peer.review_status_changed(ARRAY[NEW.review_id]);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_locked AFTER UPDATE ON hr.review FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION peer.locked();

CREATE FUNCTION peer.result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM peer.archive_results(ARRAY[NEW.result_id]);
  PERFORM peer.tell_result(ARRAY[NEW.result_id]);
  PERFORM peer.plan_stand(ARRAY[NEW.review_id]);
  PERFORM peer.propose_raise(ARRAY[NEW.review_id]);
  PERFORM peer.talent_due(ARRAY[NEW.result_id]);
  PERFORM peer.talk_due(ARRAY[NEW.result_id]);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_result AFTER INSERT ON hr.review_result FOR EACH ROW EXECUTE FUNCTION peer.result();

CREATE FUNCTION peer.archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM peer.archive_plans(ARRAY[NEW.plan_id]);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_archived AFTER INSERT OR UPDATE OF status, kind, planned_on ON hr.development_plan FOR EACH ROW EXECUTE FUNCTION peer.archived();

CREATE FUNCTION peer.certified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM peer.skill_follow(ARRAY[NEW.employee_id]);
  PERFORM peer.allowance_follow(ARRAY[NEW.employee_id]);
  PERFORM peer.archive_certifications(ARRAY[NEW.certification_result_id]);
  RETURN NULL;
END $$;
CREATE TRIGGER peer_certified AFTER INSERT ON hr.certification_result FOR EACH ROW EXECUTE FUNCTION peer.certified();
