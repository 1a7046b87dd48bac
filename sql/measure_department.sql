-- measure: departments month by month, cause analysis (LIV-06).
\set books department_test
\set by_hand '{cause_analysis,department_month,notification}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW analysed AS
  SELECT u.code AS unit, i.code AS indicator, m.month, m.attainment, m.peers, m.peers_missed, a.cause, a.action, h.employee_no AS told
    FROM cause_analysis a JOIN department_month m USING (department_month_id) JOIN org_unit u USING (org_unit_id) JOIN indicator i USING (indicator_id)
    LEFT JOIN notification n ON n.decision_id = a.decision_id LEFT JOIN employee h ON h.employee_id = n.recipient_id ORDER BY m.month, u.code COLLATE "C";
SELECT create_indicator('产值', definition => '月产值', standard => '按完成率', kind => 'quantitative', cap => 120, facts => '{"target": "actual"}') > 0 AS made; -- the system that measures says what it planned for the month
-- two people of the production department: 95, 90, 85 % on average in January to March
SELECT count(record_measurement(e, '产值', d::date, jsonb_build_object('actual', a, 'target', 200))) AS stored FROM (VALUES
  ('E030', '2023-01-31', 200), ('E031', '2023-01-31', 180), ('E030', '2023-02-28', 180), ('E031', '2023-02-28', 180), ('E030', '2023-03-31', 160), ('E031', '2023-03-31', 180)) AS m (e, d, a);
SELECT u.code, m.attainment, m.people, m.missed FROM unit_month('2023-01-15') m JOIN org_unit u USING (org_unit_id) ORDER BY u.code;
INSERT INTO department_input (org_unit_id, month, resource_pct, market_index, capability) VALUES (find_unit('PROD'), '2023-03-01', 60, 80, 60);
SELECT close_month('PROD', '2023-01-31') AS january, close_month('PROD', '2023-02-01') AS february;
SELECT count(*) AS analyses FROM analysed;
-- LIV-06.1: at the close of March exactly one; resources at 60 % are the cause
SELECT close_month('PROD', '2023-03-31') AS march;
SELECT 'LIV-06.1' AS id, unit, indicator, month, round(attainment, 2) AS attainment, cause, action, told FROM analysed;
SELECT body FROM notification WHERE kind = 'cause.analysis';
SELECT sentence(kind, args, 'en') FROM notification WHERE kind = 'cause.analysis';
SELECT d.cause, d.rule, d.inputs, d.outcome FROM decision d WHERE d.kind = 'cause.analysis';
-- again: nothing
SELECT close_month('PROD', '2023-03-31') AS march, (SELECT count(*) FROM analysed) AS analyses, (SELECT count(*) FROM department_month) AS months, (SELECT count(*) FROM notification WHERE kind = 'cause.analysis') AS notices;
-- resources 100 %, market 80: the target is too high; and further down the rules
CREATE PROCEDURE pg_temp.cause(r numeric, m numeric, c numeric) LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
  BEGIN
    DELETE FROM notification WHERE kind = 'cause.analysis';
    DELETE FROM cause_analysis;
    UPDATE department_input SET resource_pct = r, market_index = m, capability = c;
    PERFORM close_month('PROD', '2023-03-31');
    RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = (SELECT string_agg(a.cause, ', ') FROM pg_temp.analysed a);
  EXCEPTION WHEN SQLSTATE 'PX001' THEN said := SQLERRM;
  END;
  INSERT INTO pg_temp.said VALUES (r, m, c, said);
END $$;
CREATE TEMP TABLE said (resource numeric, market numeric, capability numeric, cause text);
CALL pg_temp.cause(60, 80, 60);
CALL pg_temp.cause(79.99, 100, 100);
CALL pg_temp.cause(100, 80, 100);
CALL pg_temp.cause(80, 89.99, 60);
CALL pg_temp.cause(80, 90, 69.99);
CALL pg_temp.cause(80, 90, 70);
CALL pg_temp.cause(NULL, NULL, NULL);
SELECT 'LIV-06.1' AS id, * FROM said;
-- LIV-06.2: missed, met, missed, missed: none
SELECT count(record_measurement('E021', '产值', d::date, jsonb_build_object('actual', a, 'target', 100))) AS stored FROM (VALUES
  ('2023-01-31', 99), ('2023-02-28', 100), ('2023-03-31', 95), ('2023-04-30', 90)) AS m (d, a);
SELECT close_month('TECH', m) AS analyses FROM unnest(ARRAY['2023-01-31', '2023-02-28', '2023-03-31', '2023-04-30']::date[]) AS m;
SELECT 'LIV-06.2' AS id, count(*) AS analyses FROM analysed WHERE unit = 'TECH';
SELECT m.month, round(m.attainment, 2) AS attainment, m.missed, m.peers, m.peers_missed FROM department_month m WHERE m.org_unit_id = find_unit('TECH') ORDER BY m.month;
-- one month more: half of the peers or more missed too (PROD did)
SELECT record_measurement('E021', '产值', '2023-05-31', '{"actual": 90, "target": 100}') > 0 AS stored, record_measurement('E030', '产值', '2023-05-31', '{"actual": 90, "target": 100}') > 0 AS stored;
SELECT close_month(NULL, '2023-05-31') AS of_all_units;
SELECT unit, month, peers, peers_missed, cause FROM analysed WHERE unit = 'TECH';
-- a gap is no missed month; the next analysis comes after three more
SELECT count(record_measurement('E030', '产值', d::date, '{"actual": 90, "target": 100}')) AS stored FROM unnest(ARRAY['2023-04-30', '2023-06-30', '2023-07-31']) AS d;
SELECT close_month('PROD', m) AS analyses FROM unnest(ARRAY['2023-04-30', '2023-06-30', '2023-07-31']::date[]) AS m;
SELECT unit, month, cause FROM analysed WHERE unit = 'PROD';
-- closed is closed: a reading that comes late does not open it
SELECT record_measurement('E030', '产值', '2023-03-30', '{"actual": 900, "target": 1}') > 0 AS stored, close_month('PROD', '2023-03-01') AS march;
SELECT attainment FROM department_month WHERE org_unit_id = find_unit('PROD') AND month = '2023-03-01';
-- another number of months, off
BEGIN; SELECT set_setting('rootcause.months', '2') AS months, record_measurement('E021', '产值', '2023-06-30', '{"actual": 90, "target": 100}') > 0 AS stored; SELECT close_month('TECH', '2023-06-30') AS one_since_may; ROLLBACK;
BEGIN; SELECT set_setting('rootcause.months', NULL) IS NULL AS off; SELECT close_month(NULL, '2023-08-31') AS none; ROLLBACK;
-- rules of one's own
BEGIN; UPDATE cause_rule SET rule = '$.attainment < 85', cause = '目标过高', action = '谈话' WHERE position = 4; INSERT INTO cause_rule (position, rule, cause, action) VALUES (5, '1 == 1', '其他', '观察');
DELETE FROM notification WHERE kind = 'cause.analysis'; DELETE FROM cause_analysis WHERE cause = '待人工判断'; SELECT close_month('PROD', '2023-06-01') AS analyses; SELECT cause, action FROM analysed WHERE unit = 'PROD' AND month = '2023-06-01'; ROLLBACK;
-- errors
SELECT close_month('NOWHERE', '2023-03-31'); \echo :LAST_ERROR_SQLSTATE
SELECT close_month('PROD', NULL); \echo :LAST_ERROR_SQLSTATE
INSERT INTO department_input (org_unit_id, month) VALUES (find_unit('PROD'), '2023-04-02'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();
BEGIN; UPDATE department_month SET missed = false WHERE month = '2023-02-01' AND org_unit_id = find_unit('PROD'); SELECT problem, expected, found FROM verify(); ROLLBACK;
BEGIN; UPDATE cause_analysis SET cause = 'x' WHERE cause = '资源支持不足'; SELECT problem, expected, found FROM verify(); ROLLBACK;
DROP SCHEMA department_test CASCADE;
