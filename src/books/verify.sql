-- verify: every derived figure again from its source rows, in plain SQL written
-- independently of the code that made it (law 9): the parts, room by room, are in
-- src/verify; here they are put together.  Healthy books: no rows.
-- What reads whole tables has thousands of expressions and, without statistics, estimates that
-- call for JIT: compiling them takes longer than running them, so it is off in all of them.

-- Memory and temporary files must not grow with the books: the parts that read much go by slices of their keys.

-- a round of checking, some minutes at a time ------------------------------------------

CREATE TABLE verify_slice (
  part        text    NOT NULL,
  from_id     bigint  NOT NULL,
  until_id    bigint  NOT NULL,
  began_at    timestamptz NOT NULL,
  checked_at  timestamptz,
  differences bigint,
  broken      bigint,
  PRIMARY KEY (part, from_id)
);
COMMENT ON TABLE verify_slice IS
  'The round of verify_for() that goes on, or the last one: what is checked, and what it found.';
COMMENT ON COLUMN verify_slice.part IS 'Part of verify(), as in verify_part().';
COMMENT ON COLUMN verify_slice.from_id IS 'First key of the slice.';
COMMENT ON COLUMN verify_slice.until_id IS 'Last key of the slice.';
COMMENT ON COLUMN verify_slice.began_at IS 'When the round began.';
COMMENT ON COLUMN verify_slice.checked_at IS 'When the slice was checked; null: it waits.';
COMMENT ON COLUMN verify_slice.differences IS 'How many rows verify_part() returned.';
COMMENT ON COLUMN verify_slice.broken IS 'How many of them are about the audit log or decisions that were changed.';
SELECT register_table('verify_slice', kind => 'log', verb => 'verify_for');

-- code ------------------------------------------------------------------------

CREATE FUNCTION verify_slices() RETURNS TABLE (part text, from_id bigint, until_id bigint) STABLE LANGUAGE SQL
  SET jit = off
BEGIN ATOMIC
  WITH sliced (place, part, size, low, high) AS (
    SELECT 1, 'reviews', 2000, min(r.review_id), max(r.review_id) FROM review r
    UNION ALL SELECT 7, 'plans', 1000, min(r.review_id), max(r.review_id) FROM review r
    UNION ALL SELECT 9, 'pay', 1000, min(e.employee_id), max(e.employee_id) FROM employee e
    UNION ALL SELECT 10, 'skills', 1000, min(e.employee_id), max(e.employee_id) FROM employee e
    UNION ALL SELECT 15, 'audit', 5000, min(a.audit_id), max(a.audit_id) FROM audit_entry a
  ), cut AS (
    -- keys may have been given by hand, far apart: never more than ten thousand slices
    SELECT s.place, s.part, g.id, lead(g.id) OVER (PARTITION BY s.part ORDER BY g.id) AS next,
           row_number() OVER (PARTITION BY s.part ORDER BY g.id) AS n
      FROM sliced s
      CROSS JOIN LATERAL (SELECT coalesce(s.low, 0)::numeric AS low, coalesce(s.high, 0)::numeric AS high) k
      CROSS JOIN LATERAL generate_series(k.low, k.high, greatest(s.size, ceil((k.high - k.low) / 10000))) AS g (id)
  )
  -- the ends are open: every row is in one slice, whatever its key
  SELECT w.part, w.from_id, w.until_id
    FROM (SELECT c.place, c.part, CASE WHEN c.n = 1 THEN -9223372036854775808 ELSE c.id END::bigint AS from_id,
                 coalesce(c.next - 1, 9223372036854775807)::bigint AS until_id FROM cut c
          UNION ALL
          SELECT o.place, o.part, -9223372036854775808, 9223372036854775807
            FROM (VALUES (2, 'calibrations'), (3, 'live'), (4, 'warnings'), (5, 'causes'), (6, 'suggestions'),
                  (8, 'disclosure'), (11, 'talent'),
                         (12, 'workflow'), (13, 'archive'), (14, 'approvals'), (16, 'audit_ends'), (17, 'totals'),
                         (18, 'tasks')) AS o (place, part)) w
   ORDER BY w.place, w.from_id;
END;
COMMENT ON FUNCTION verify_slices() IS
  'All that verify() checks, part by part in slices of keys: of reviews for reviews and plans, of employees for pay '
  'and skills, of entries for audit.';

CREATE FUNCTION verify_part(
  part text, from_id bigint DEFAULT -9223372036854775808, until_id bigint DEFAULT 9223372036854775807)
  RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE LANGUAGE SQL
    SET jit = off
BEGIN ATOMIC
  SELECT verify_asked(from_id, until_id);
  SELECT hrloop.fail('22023', format('unknown part "%s" of verify()', part), NULL,
                     'SELECT DISTINCT part FROM verify_slices() lists them.')
   WHERE coalesce(part, '') NOT IN ('reviews', 'calibrations', 'live', 'warnings', 'causes', 'suggestions', 'plans',
                                   'disclosure', 'pay', 'skills', 'talent', 'workflow', 'archive', 'approvals',
                                   'audit', 'audit_ends', 'totals', 'tasks');
  SELECT v.* FROM verify_reviews(from_id, until_id) v WHERE part = 'reviews'
  UNION ALL SELECT v.* FROM verify_calibrations() v WHERE part = 'calibrations'
  UNION ALL SELECT v.* FROM verify_live() v WHERE part = 'live'
  UNION ALL SELECT v.* FROM verify_warnings() v WHERE part = 'warnings'
  UNION ALL SELECT v.* FROM verify_causes() v WHERE part = 'causes'
  UNION ALL SELECT v.* FROM verify_suggestions() v WHERE part = 'suggestions'
  UNION ALL SELECT v.* FROM verify_plans(from_id, until_id) v WHERE part = 'plans'
  UNION ALL SELECT v.* FROM verify_disclosure() v WHERE part = 'disclosure'
  UNION ALL SELECT v.* FROM verify_pay(from_id, until_id) v WHERE part = 'pay'
  UNION ALL SELECT v.* FROM verify_period(from_id, until_id) v WHERE part = 'pay'
  UNION ALL SELECT v.* FROM verify_skills(from_id, until_id) v WHERE part = 'skills'
  UNION ALL SELECT v.* FROM verify_talent() v WHERE part = 'talent'
  UNION ALL SELECT v.* FROM verify_workflow() v WHERE part = 'workflow'
  UNION ALL SELECT v.* FROM verify_archive() v WHERE part = 'archive'
  UNION ALL SELECT v.* FROM verify_approvals() v WHERE part = 'approvals'
  UNION ALL SELECT v.* FROM verify_entries(from_id, until_id) v WHERE part = 'audit'
  UNION ALL SELECT v.* FROM verify_audit_ends() v WHERE part = 'audit_ends'
  UNION ALL SELECT v.* FROM verify_totals() v WHERE part = 'totals'
  UNION ALL SELECT v.* FROM verify_tasks() v WHERE part = 'tasks';
END;
COMMENT ON FUNCTION verify_part(text, bigint, bigint) IS
  'One part of verify(), of the rows whose keys lie in a slice as verify_slices() lists them; left out: all of it. '
  'Error 22023: unknown part.';

CREATE FUNCTION verify() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) STABLE
  LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT v.* FROM verify_slices() s CROSS JOIN LATERAL verify_part(s.part, s.from_id, s.until_id) v;
END;
COMMENT ON FUNCTION verify() IS
  'Recompute every derived figure from its source rows, independently, and return what differs: problem, table, row, '
  'expected, found. Healthy books return no rows. Goes slice by slice; verify_for() does some minutes of it at a time.';

-- a round of checking, some minutes at a time ------------------------------------------

SELECT register_notice('verify.found', '{hr}',
  zh => '核对发现{count}处差异:{parts}',
  en => 'Checking the books found differences: {count} ({parts})');

CREATE FUNCTION verify_for(duration interval DEFAULT '5 minutes')
  RETURNS TABLE (part text, slices bigint, checked bigint, differences bigint) VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT LANGUAGE SQL SET jit = off
BEGIN ATOMIC
  SELECT verify_asked();
  SELECT hrloop.fail('22023', 'verify_for() needs a time that is not negative', NULL,
                     'For example verify_for(duration => ''5 minutes'').')
   WHERE coalesce(duration < interval '0', true);
  -- one at a time: the second one goes on where the first one stopped
  SELECT pg_advisory_xact_lock('verify_slice'::regclass::oid::int, 0);
  DELETE FROM verify_slice WHERE NOT EXISTS (SELECT FROM verify_slice s WHERE s.checked_at IS NULL);
  INSERT INTO verify_slice (part, from_id, until_id, began_at)
  SELECT s.part, s.from_id, s.until_id, now() FROM verify_slices() s WHERE NOT EXISTS (SELECT FROM verify_slice);
  WITH checked AS MATERIALIZED (
    SELECT s.part, s.from_id, v.differences, v.broken
      -- the clock is asked before each slice; at least one is done
      FROM (SELECT w.*, row_number() OVER (ORDER BY w.part, w.from_id) AS n FROM verify_slice w
            WHERE w.checked_at IS NULL ORDER BY w.part, w.from_id OFFSET 0) s
      CROSS JOIN LATERAL (
        SELECT count(*) AS differences, count(*)
          FILTER (WHERE y.table_name IN ('audit_entry', 'audit_lane') OR y.problem = 'decision_changed') AS broken
          FROM verify_part(s.part, s.from_id, s.until_id) y) v
     WHERE s.n = 1 OR clock_timestamp() < statement_timestamp() + duration
  )
  UPDATE verify_slice s SET checked_at = clock_timestamp(), differences = c.differences, broken = c.broken
    FROM checked c WHERE c.part = s.part AND c.from_id = s.from_id;
  INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
  SELECT NULL::bigint, 'hr', 'verify.found', 'verify:' || extract(epoch FROM f.began_at),
         jsonb_build_object('count', f.differences, 'parts', f.parts)
    FROM (SELECT s.began_at, sum(s.differences) AS differences, string_agg(DISTINCT s.part, ', ') AS parts
            FROM verify_slice s WHERE s.differences > 0 GROUP BY s.began_at) f
  ON CONFLICT DO NOTHING;
  SELECT s.part, count(*), count(s.checked_at), coalesce(sum(s.differences), 0)::bigint FROM verify_slice s
    GROUP BY s.part ORDER BY s.part;
END;
COMMENT ON FUNCTION verify_for(interval) IS
  'Some minutes of verify(), for a scheduler: goes on with the slices of the round where the last call stopped, begins '
  'a round when the one before is through, tells HR when something differs, and returns how far each part is. Which '
  'rows differ: verify_part(). Each call is one transaction. Error 22023: no time.';
