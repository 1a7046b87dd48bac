-- warnings are those of the right figures, in whatever order these became known (LIV-03, LIV-04).
\set books score_warning
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- LIV-03, LIV-04: whatever the order in which the right figures became known, the same warnings stand
SELECT create_indicator('率', definition => 'd', standard => 's', formula => '$.v', warn_below => 97.5) > 0 AS made,
       create_indicator('时', definition => 'd', standard => 's', kind => 'quantitative', direction => 'lower') > 0 AS made;
CREATE VIEW standing AS
  SELECT e.employee_no AS who, i.code, w.kind, m.measured_on - date '2023-01-01' AS day, w.attainment, w.threshold, w.worse_pct
    FROM warning w JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) JOIN measurement m USING (measurement_id) WHERE w.withdrawn_by IS NULL;
-- 98, 95, 94, of which the middle one becomes 99: the last one crosses
SELECT count(record_measurement('E010', '率', date '2023-01-01' + d, jsonb_build_object('v', v))) AS stored FROM (VALUES (1, 98), (2, 95), (3, 94)) AS m (d, v);
SELECT day, attainment FROM standing WHERE who = 'E010' ORDER BY 1;
UPDATE measurement SET facts = '{"v": 99}' WHERE measured_on = '2023-01-03';
SELECT day, attainment FROM standing WHERE who = 'E010' ORDER BY 1;
-- and is none when the one before is below again, moves away, or goes
BEGIN; UPDATE measurement SET facts = '{"v": 90}' WHERE measured_on = '2023-01-03'; SELECT day, attainment FROM standing WHERE who = 'E010' ORDER BY 1; ROLLBACK;
BEGIN; UPDATE measurement SET measured_on = '2023-01-10' WHERE measured_on = '2023-01-03'; SELECT day, attainment FROM standing WHERE who = 'E010' ORDER BY 1; ROLLBACK;
BEGIN; UPDATE measurement SET facts = '{"v": 90}' WHERE measured_on = '2023-01-03'; DELETE FROM measurement WHERE measured_on = '2023-01-03'; SELECT day, attainment FROM standing WHERE who = 'E010' ORDER BY 1; ROLLBACK;
SELECT n.withdrawn_at IS NULL AS stands, count(*) FROM notification n WHERE n.kind = 'warning.threshold' AND n.recipient_id = find_employee('E010') GROUP BY 1 ORDER BY 1;

-- a hundred random series: E011 gets the right figures in order, E020 wrong ones and late ones that are corrected, moved and deleted until they are right
SELECT setseed(0.25);
CREATE TEMP TABLE wanted AS SELECT s, d, round((85 + 25 * random())::numeric, 1) AS v, random() AS late, random() AS fate FROM generate_series(1, 100) s, generate_series(1, 8) d;
SELECT count(create_indicator('S' || s, definition => 'd', standard => 's', formula => '$.v', warn_below => 97.5)) AS made FROM generate_series(1, 100) s;
SELECT set_setting('decline.pct', '8');
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts) SELECT find_employee('E011'), find_indicator('S' || s), date '2023-01-01' + d, jsonb_build_object('v', v) FROM wanted ORDER BY s, d;
-- two in three at first, half of these wrong or on a wrong day, one too many
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT find_employee('E020'), find_indicator('S' || s), date '2023-01-01' + d + CASE WHEN fate BETWEEN 0.3 AND 0.5 THEN 4 ELSE 0 END, jsonb_build_object('v', CASE WHEN fate < 0.3 THEN 200 - v ELSE v END), 'f', s || '/' || d
  FROM wanted WHERE late < 0.66 ORDER BY s, d;
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT find_employee('E020'), find_indicator('S' || s), '2023-01-05', '{"v": 60}', 'f', s || '/x' FROM generate_series(1, 100) s;
UPDATE measurement m SET facts = jsonb_build_object('v', w.v) FROM wanted w WHERE m.source = 'f' AND m.external_id = w.s || '/' || w.d AND w.fate < 0.3;
DELETE FROM measurement WHERE source = 'f' AND external_id LIKE '%/x';
UPDATE measurement m SET measured_on = date '2023-01-01' + w.d FROM wanted w WHERE m.source = 'f' AND m.external_id = w.s || '/' || w.d AND w.fate BETWEEN 0.3 AND 0.5;
INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
SELECT find_employee('E020'), find_indicator('S' || s), date '2023-01-01' + d, jsonb_build_object('v', v), 'f', s || '/' || d FROM wanted WHERE late >= 0.66 ORDER BY s DESC, d DESC;
SELECT kind, count(*) > 20 AS many FROM standing WHERE who = 'E011' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS differences FROM ((SELECT code, kind, day, attainment, threshold, worse_pct FROM standing WHERE who = 'E011' EXCEPT SELECT code, kind, day, attainment, threshold, worse_pct FROM standing WHERE who = 'E020')
  UNION ALL (SELECT code, kind, day, attainment, threshold, worse_pct FROM standing WHERE who = 'E020' EXCEPT SELECT code, kind, day, attainment, threshold, worse_pct FROM standing WHERE who = 'E011')) d;
-- a target that absence made smaller
SELECT create_indicator('量', definition => 'd', standard => 's', kind => 'quantitative', warn_below => 50) > 0 AS made, create_template('W', '[{"indicator": "量", "weight": 100, "facts": {"target": 10}}]') > 0 AS made;
SELECT activate_template('W') > 0 AS active, create_cycle('W', '2024-01-01', '2024-03-31', 'W') > 0 AS made, open_cycle('W') AS reviews;
SELECT record_measurement('E030', '量', '2024-01-31', '{"actual": 4}') > 0 AS stored;
SELECT attainment FROM standing WHERE who = 'E030';
SELECT take_leave('E030', '2024-01-01', '2024-01-30') > 0 AS away;
SELECT attainment FROM standing WHERE who = 'E030';
UPDATE employee_status SET status = 'active', protected = false WHERE status = 'on_leave';
SELECT attainment FROM standing WHERE who = 'E030';
SELECT * FROM verify();
DROP SCHEMA score_warning CASCADE;
