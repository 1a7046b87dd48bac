-- How much memory of its own does a backend take that copies all scores of a cycle in one
-- statement?
--
--   test/server psql -X -f test/bench/memory.sql                    625,000 people, 5,000,000 scores: an hour, 15 GB of disk
--   test/server psql -X -v people=12500 -f test/bench/memory.sql    100,000 scores
--
-- VmHWM is the most that the backend ever had, with what it touched of the server's shared
-- buffers; RssAnon is its own memory alone, when the statement has ended.
\if :{?people} \else \set people 625000 \endif
\ir company.sql
SELECT current_setting('data_directory') || '/bench_scores' AS file \gset
COPY (SELECT review_id, indicator_id, rater_id, raw, rationale, '2023-04-01' FROM bench.input ORDER BY n) TO :'file';
-- a backend that has done nothing yet
\connect
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE FUNCTION bench.memory(what text) RETURNS numeric LANGUAGE SQL AS $$
  SELECT round(substring(pg_read_file('/proc/self/status') FROM what || ':\s*(\d+) kB')::numeric / 1024) $$;
SELECT bench.memory('VmHWM') AS peak, bench.memory('RssAnon') AS own, bench.cpu() AS cpu \gset before_
COPY hr.score (review_id, indicator_id, rater_id, raw_value, rationale, scored_at) FROM :'file';
SELECT bench.memory('VmHWM') AS peak, bench.memory('RssAnon') AS own, bench.cpu() AS cpu \gset after_
SELECT count(*) AS scores, (:after_cpu - :before_cpu) / 1000000 AS s_cpu, round((:after_cpu - :before_cpu)::numeric / count(*), 1) AS us_per_score,
       :before_peak AS mb_peak_before, :after_peak AS mb_peak, :before_own AS mb_own_before, :after_own AS mb_own_after,
       pg_size_bytes(current_setting('shared_buffers')) / 1048576 AS mb_shared_buffers
  FROM bench.input;
