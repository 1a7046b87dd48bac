-- books: days are those of the books, by setting book.timezone, whatever the session's time zone is (SEC-01, NOT-03).
\set books day_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT value AS zone FROM setting WHERE setting = 'book.timezone';
-- a moment has one day, at both ends of the earth
CREATE TEMP TABLE seen (zone text, kind text, answer text);
CREATE FUNCTION pg_temp.look(zone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('timezone', zone, true);
  INSERT INTO seen SELECT zone, 'day', day_of('2024-01-01 00:30:00+08')::text;
  INSERT INTO seen SELECT zone, 'today', today()::text;
  INSERT INTO seen SELECT zone, 'now', day_of(now())::text;
  INSERT INTO seen SELECT zone, 'acting', string_agg(a::text, ' ') FROM authority(find_employee('E003'), '{hr}') a;
  INSERT INTO seen SELECT zone, 'sees', count(*)::text FROM employee e WHERE hrloop.visible('book'::regclass, e.employee_id);
END $$;
-- HR handed its role on until yesterday, and to somebody else until today
SELECT delegate_role('E003', 'hr', today() - 3, today() - 1, '出差', 'E090') > 0 AS ended, delegate_role('E020', 'hr', today() - 3, today(), '出差', 'E090') > 0 AS goes_on;
SELECT count(pg_temp.look(z)) AS looks FROM unnest(ARRAY['Etc/GMT+12', 'UTC', 'Asia/Shanghai', 'Pacific/Kiritimati']) z;
SELECT kind, count(DISTINCT coalesce(answer, '')) AS answers, min(answer) FILTER (WHERE kind = 'day') AS day, min(answer) IS NULL AS nobody FROM seen GROUP BY kind ORDER BY kind;
SELECT z AS zone, count(a) AS goes_on FROM unnest(ARRAY['Etc/GMT+12', 'Pacific/Kiritimati']) z, LATERAL set_config('timezone', z, true) s, LATERAL authority(find_employee('E020'), '{hr}') a GROUP BY z ORDER BY z;
-- another zone is another day, at once
BEGIN; SELECT set_setting('book.timezone', 'UTC') AS zone; SELECT day_of('2024-01-01 00:30:00+08') AS day; ROLLBACK;
SELECT day_of('2024-01-01 00:30:00+08') AS day, day_of('infinity') AS never, day_of(NULL) IS NULL AS nothing;
-- one that nobody knows, or none
SELECT set_setting('book.timezone', 'Asia/Xanadu'); \echo :LAST_ERROR_SQLSTATE
SELECT set_setting('book.timezone', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();
