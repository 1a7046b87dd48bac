-- The second half of verify.sql: each part of verify() slice by slice, as verify() goes, beside reading its
-- tables once, with jit on and off.  Nothing is changed, so that it can be run again.
SET search_path = hr, pg_catalog;
SET client_min_messages = warning;
\pset pager off
DROP TABLE IF EXISTS bench.verified;
CREATE TABLE bench.verified (jit text, part text, slices bigint, differences bigint, ms numeric, reading_ms numeric);
-- Every column of every row, and nothing else: what a part cannot do without.
CREATE OR REPLACE FUNCTION bench.reading(tables text[]) RETURNS numeric STRICT LANGUAGE plpgsql AS $$
DECLARE t text; start timestamptz := clock_timestamp(); n bigint;
BEGIN
  FOREACH t IN ARRAY tables LOOP EXECUTE format('SELECT sum(length(t::text)) FROM %I t', t) INTO n; END LOOP;
  RETURN extract(epoch FROM clock_timestamp() - start) * 1000;
END $$;
CREATE OR REPLACE PROCEDURE bench.verify_parts(with_jit text) LANGUAGE plpgsql AS $$
DECLARE p record; start timestamptz; n bigint; ms numeric;
BEGIN
  PERFORM set_config('jit', with_jit, false);
  FOR p IN SELECT s.part, count(*) AS slices, r.tables
             FROM verify_slices() s
             LEFT JOIN (VALUES ('reviews', '{review,score,review_result,decision}'), ('plans', '{review,development_plan,plan_item,plan_gap,decision}'),
                               ('pay', '{salary_adjustment,salary,payroll_feed,review_result,review,decision}'),
                               ('skills', '{certification_result,employee_skill_level,skill_allowance,training_record}'),
                               ('audit', '{audit_entry,decision}'), ('archive', '{growth_archive,decision}'), ('calibrations', '{review,review_result,decision}'),
                               ('totals', '{notification,payroll_feed}')) AS r (part, tables) ON r.part = s.part
            GROUP BY s.part, r.tables ORDER BY s.part LOOP
    start := clock_timestamp();
    SELECT count(*) INTO n FROM verify_slices() s CROSS JOIN LATERAL verify_part(s.part, s.from_id, s.until_id) v WHERE s.part = p.part;
    ms := extract(epoch FROM clock_timestamp() - start) * 1000;
    INSERT INTO bench.verified VALUES (with_jit, p.part, p.slices, n, ms, bench.reading(p.tables::text[]));
    COMMIT;
  END LOOP;
  COMMIT;
END $$;
CALL bench.verify_parts('on');
CALL bench.verify_parts('off');
-- a session reports its temporary files between two statements, a second apart at the earliest
SELECT pg_sleep(1.1) \g /dev/null
SELECT d.temp_bytes AS temporary FROM pg_stat_database d WHERE d.datname = current_database() \gset
SELECT count(*) AS differences FROM verify() \gset
SELECT pg_sleep(1.1) \g /dev/null
SELECT d.temp_bytes - :temporary AS temporary FROM pg_stat_database d WHERE d.datname = current_database() \gset
\echo 'Each part of verify(), in ms, beside reading every column of its tables once.'
SELECT f.part, f.slices, f.differences, round(n.ms) AS jit_on, round(f.ms) AS jit_off, round(f.reading_ms) AS reading, round(f.ms / NULLIF(f.reading_ms, 0), 1) AS ratio
  FROM bench.verified f JOIN bench.verified n ON n.part = f.part AND n.jit = 'on' WHERE f.jit = 'off' ORDER BY f.ms DESC;
SELECT f.jit, round(sum(f.ms)) AS ms FROM bench.verified f GROUP BY f.jit ORDER BY f.jit;
SELECT :differences AS differences, pg_size_pretty(:temporary::bigint) AS temporary_files_of_verify;
