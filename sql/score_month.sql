-- a department's month by people or by totals, capped or not (LIV-06).
\set books score_month
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('额', definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made,
       create_indicator('时长', definition => 'd', standard => 's', kind => 'quantitative', direction => 'lower', cap => 120) > 0 AS made;
SELECT create_cycle('M', '2024-01-01', '2024-03-31') > 0 AS made;
SELECT count(set_target('M', e, i, jsonb_build_object('target', t))) AS set FROM (VALUES ('E003', '额', 100000), ('E010', '额', 20000), ('E011', '额', 1000), ('E010', '时长', 2), ('E011', '时长', 4)) AS t (e, i, t);
SELECT count(record_measurement(e, i, d::date, jsonb_build_object('actual', a))) AS stored
  FROM (VALUES ('E003', '额', '2024-01-10', 15000), ('E003', '额', '2024-01-20', 5000), ('E010', '额', '2024-01-10', 20000), ('E011', '额', '2024-01-10', 3000), ('E010', '时长', '2024-01-10', 0), ('E011', '时长', '2024-01-10', 8)) AS m (e, i, d, a);
CREATE VIEW months AS SELECT u.code, i.code AS indicator, m.attainment, m.people, m.missed FROM unit_month('2024-01-15') m JOIN org_unit u USING (org_unit_id) JOIN indicator i USING (indicator_id) WHERE u.code IN ('SH', 'EAST') ORDER BY 1, 2;
SELECT 'LIV-06' AS id, * FROM months;
SELECT set_setting('month.capped', 'false'); SELECT * FROM months;
SELECT set_setting('month.by', 'totals'); SELECT * FROM months;
SELECT set_setting('month.capped', 'true'); SELECT * FROM months;
SELECT close_month('SH', '2024-01-31') AS closed; SELECT i.code, m.attainment, m.missed FROM department_month m JOIN indicator i USING (indicator_id) ORDER BY 1;
\set VERBOSITY sqlstate
SELECT set_setting('month.by', 'heads'); \echo :LAST_ERROR_SQLSTATE
SELECT set_setting('month.by', NULL); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();
DROP SCHEMA score_month CASCADE;
