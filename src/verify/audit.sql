-- verify audit: the audit log and what it says of decisions, hash by hash.

-- The chain of a lane runs with the keys: who writes in it holds it.
CREATE FUNCTION verify_entries(
  from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET timezone = 'UTC' SET jit = off
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  WITH entry AS NOT MATERIALIZED (
    SELECT * FROM audit_entry a WHERE a.audit_id BETWEEN from_id AND until_id
  ), link AS (
    -- of each chain the last entry before the slice, then those in it
    SELECT l.lane, coalesce(b.seq, 0) AS seq,
           coalesce(b.hash, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea) AS hash
      FROM (SELECT DISTINCT e.lane FROM entry e) l
      LEFT JOIN LATERAL (SELECT p.seq, p.hash FROM audit_entry p WHERE p.lane = l.lane AND p.audit_id < from_id
                         ORDER BY p.audit_id DESC LIMIT 1) b ON true
  ), chain AS (
    SELECT a.audit_id, a.lane, a.seq, a.hash, lag(a.seq, 1, k.seq) OVER w AS seq_before,
           sha256(lag(a.hash, 1, k.hash) OVER w
                  || hrloop.fields(a.lane, a.seq, (extract(epoch FROM a.at) * 1000000)::bigint, a.transaction_id,
             a.actor_id, a.table_name, a.action, a.row_key, a.employee_id, encode(a.digest, 'hex'))) AS computed,
           a.digest, audit_digest(a.db_user, a.db_role, a.before, a.after, a.reason) AS digest_now
      FROM entry a JOIN link k USING (lane)
    WINDOW w AS (PARTITION BY a.lane ORDER BY a.audit_id)
  ), redacted AS (
    -- what erasures found, and what they made of it: each found what was entered or what one before it had made
    SELECT s ->> 0 AS table_name, (s ->> 1)::bigint AS row_id, array_agg(decode(s ->> 2, 'hex')) AS found,
           array_agg(decode(s ->> 3, 'hex')) AS made
      FROM audit_entry a CROSS JOIN LATERAL jsonb_array_elements(a.after -> 'redacted') AS s WHERE a.action = 'erase'
        GROUP BY 1, 2
  ), untold AS MATERIALIZED (
    SELECT ARRAY(SELECT c.attname::text FROM pg_attribute c JOIN table_rule u ON u.table_name = 'decision'
                  WHERE c.attrelid = 'decision'::regclass AND c.attnum > 0 AND NOT c.attisdropped
                    AND c.attname <> ALL (u.digest)) AS untold
  )
  SELECT 'audit_changed', 'audit_entry', c.audit_id, encode(c.computed, 'hex'), encode(c.hash, 'hex')
    FROM chain c WHERE c.seq = c.seq_before + 1 AND c.hash <> c.computed
  UNION ALL
  SELECT 'audit_changed', 'audit_entry', c.audit_id, encode(c.digest, 'hex'), encode(c.digest_now, 'hex')
    FROM chain c LEFT JOIN redacted r ON r.table_name = 'audit_entry' AND r.row_id = c.audit_id
   WHERE c.digest_now <> ALL (c.digest || coalesce(r.made, '{}')) OR NOT r.found <@ (c.digest || r.made)
  UNION ALL
  SELECT 'audit_removed', 'audit_entry', c.audit_id,
         format('entry %s of chain %s before it', c.seq_before + 1, c.lane), format('entry %s', c.seq_before)
    FROM chain c WHERE c.seq > c.seq_before + 1
  UNION ALL
  SELECT 'audit_double', 'audit_entry', c.audit_id, 'one entry ' || c.seq, 'another one of chain ' || c.lane
    FROM chain c WHERE c.seq <= c.seq_before
  UNION ALL
  SELECT 'decision_changed', 'decision', a.row_key::bigint, 'as it was entered', CASE
    WHEN d.hash IS NULL THEN 'removed' ELSE 'changed' END
    FROM audit_entry a
    CROSS JOIN untold o
    LEFT JOIN LATERAL (
      -- the document of what is not null, of the columns that are told: nulls by name, for a null inside of a column
      -- stays
      SELECT sha256(convert_to((to_jsonb(k) - (o.untold || array_remove(ARRAY[
               CASE WHEN k.employee_id IS NULL THEN 'employee_id' END, CASE WHEN k.rule IS NULL THEN 'rule' END, CASE
                 WHEN k.rule_id IS NULL THEN 'rule_id' END,
               CASE WHEN k.rule_version IS NULL THEN 'rule_version' END, CASE
                 WHEN k.reason IS NULL THEN 'reason' END], NULL)))::text, 'UTF8')) AS hash
        FROM decision k WHERE k.decision_id = a.row_key::bigint) d ON true
    LEFT JOIN redacted r ON r.table_name = 'decision' AND r.row_id = a.row_key::bigint
   WHERE a.audit_id BETWEEN from_id AND until_id AND a.table_name = 'decision' AND a.action = 'insert'
     AND (coalesce(d.hash <> ALL (decode(a.after ->> 'sha256', 'hex') || coalesce(r.made, '{}')), true)
          OR NOT r.found <@ (decode(a.after ->> 'sha256', 'hex') || r.made));
END;
COMMENT ON FUNCTION verify_entries(bigint, bigint) IS
  'Entries of the audit log, by their keys from the first to the last, that were changed, removed, doubled or '
  'reordered, and decisions that are not what was entered.';

CREATE FUNCTION verify_audit_ends(head text DEFAULT NULL)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT hrloop.fail('22023', 'this is not what audit_head() returned', NULL,
                     'Keep the text as it is: chain:length:hash, with a space between chains.')
   WHERE verify_audit_ends.head !~ '^\d{1,9}:\d{1,18}:[0-9a-f]{64}( \d{1,9}:\d{1,18}:[0-9a-f]{64})*$';
  WITH anchor AS (
    SELECT split_part(h, ':', 1)::integer AS lane, split_part(h, ':', 2)::bigint AS length,
           split_part(h, ':', 3) AS hash
      FROM regexp_split_to_table(verify_audit_ends.head, ' ') AS h
  ), ending AS (
    SELECT e.* FROM (SELECT max(a.audit_id) AS audit_id FROM audit_entry a GROUP BY a.lane) m
      JOIN audit_entry e USING (audit_id)
  )
  SELECT 'audit_tail', 'audit_lane', coalesce(l.lane, c.lane),
         coalesce(l.length || ' entries, ' || encode(l.head, 'hex'), 'a row for the chain'),
         coalesce(c.seq || ' entries, ' || encode(c.hash, 'hex'), 'none')
    FROM audit_lane l FULL JOIN ending c ON c.lane = l.lane
   WHERE coalesce(l.length, -1) <> coalesce(c.seq, 0) OR l.head <> c.hash
  UNION ALL
  SELECT 'audit_anchor', 'audit_lane', h.lane, format('%s entries, the last with %s', h.length, h.hash),
         coalesce(encode(c.hash, 'hex'), 'no such entry')
    FROM anchor h LEFT JOIN audit_entry c ON c.lane = h.lane AND c.seq = h.length
   WHERE h.hash IS DISTINCT FROM encode(c.hash, 'hex');
END;
COMMENT ON FUNCTION verify_audit_ends(text) IS
  'Chains of the audit log that do not end where they should; with a former audit_head(): that were not there already. '
  'Error 22023: not a head.';

CREATE FUNCTION verify_audit(head text DEFAULT NULL)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text)
  STABLE LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT v.* FROM verify_audit_ends(verify_audit.head) v
  UNION ALL
  SELECT v.*
    FROM (SELECT min(a.audit_id) AS low, max(a.audit_id) AS high FROM audit_entry a) k
    CROSS JOIN LATERAL generate_series(k.low::numeric, k.high, greatest(5000, ceil((k.high - k.low::numeric) / 10000)))
      AS g (id)
    CROSS JOIN LATERAL verify_entries(g.id::bigint,
                                      (g.id + greatest(5000, ceil((k.high - k.low::numeric) / 10000)) - 1)::bigint) v;
END;
COMMENT ON FUNCTION verify_audit(text) IS
  'What was done to the audit log behind its back: entries changed, removed, doubled or reordered, chains cut short or '
  'gone, decisions that are not what was entered. What an erasure took away is none of these, what was changed before '
  'it is. With a former audit_head(): also whether all of that is still there. Healthy: no rows. Error 22023: not a '
  'head (SEC-03).';
