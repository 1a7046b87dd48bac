-- what is computed at and below zero, of nothing and of all, and what no figure is (IND-03).
\set books score_edge
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- IND-03: for more is better, less is better, and a formula of its own: an actual and a target, what it comes to and whether it is missed
SELECT count(create_indicator(c, definition => 'd', standard => 's', kind => 'quantitative', direction => d, cap => 120)) AS made
  FROM (VALUES ('多', 'higher'), ('少', 'lower')) AS i (c, d);
SELECT create_indicator('省', definition => 'd', standard => 's', formula => '($.plan - $.spent) / $.plan * 100', facts => '{"plan": "target"}') > 0 AS made,
       create_indicator('空', definition => 'd', standard => 's', kind => 'quantitative', formula => '$.line / $.stops * 100', direction => 'lower', facts => '{"line": "target"}') > 0 AS made;
CREATE TABLE edge (n int GENERATED ALWAYS AS IDENTITY, indicator text, target numeric, actual numeric);
INSERT INTO edge (indicator, target, actual)
SELECT i, t, a FROM unnest(ARRAY['多', '少', '省']) i, unnest(ARRAY[-2, 0, 2]) t, unnest(ARRAY[-1, 0, 1, 2, 3]::numeric[]) a ORDER BY i COLLATE "C", t, a;
CREATE FUNCTION said(target text, actual text, indicator text) RETURNS TABLE (facts jsonb, targets jsonb) IMMUTABLE LANGUAGE SQL
BEGIN ATOMIC
  SELECT CASE indicator WHEN '省' THEN jsonb_build_object('spent', actual::numeric) ELSE jsonb_build_object('actual', actual::numeric) END,
         CASE indicator WHEN '省' THEN jsonb_build_object('plan', target::numeric) ELSE jsonb_build_object('target', target::numeric) END;
END;
-- each combination in a cycle and a template of its own, as score and as reading; what is refused says why
CREATE TABLE came (n int, score text, live numeric, missed boolean);
DO $$
DECLARE e edge; s record; c text;
BEGIN
  FOR e IN SELECT * FROM edge ORDER BY n LOOP
    c := 'E' || e.n;
    SELECT * INTO s FROM said(e.target::text, e.actual::text, e.indicator);
    BEGIN
      PERFORM create_template(c, jsonb_build_array(jsonb_build_object('indicator', e.indicator, 'weight', 100, 'facts', s.targets))), activate_template(c);
      PERFORM create_cycle(c, '2023-01-01', '2023-01-31', c);
      PERFORM open_cycle(c);
      PERFORM submit_score(c, 'E010', e.indicator, rationale => '按事实评分', facts => s.facts);
      INSERT INTO measurement (employee_id, indicator_id, measured_on, facts)
        VALUES (find_employee('E011'), find_indicator(e.indicator), '2023-01-15', s.facts);
      INSERT INTO came
      SELECT e.n, trim_scale(x.value)::text, (SELECT i.value FROM initial_score i WHERE i.review_id = (SELECT find_review(c, 'E011'))), i.missed
        FROM score x JOIN review_item i ON i.review_id = x.review_id AND i.indicator_id = x.indicator_id WHERE x.review_id = (SELECT find_review(c, 'E010'));
      DELETE FROM measurement WHERE employee_id = find_employee('E011');
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO came VALUES (e.n, SQLSTATE || ' ' || regexp_replace(SQLERRM, '^.* version 1: |: indicator.*$', ''));
    END;
  END LOOP;
END $$;
SELECT e.indicator, e.target, e.actual, c.score, c.live = c.score::numeric AS live_too, c.missed FROM edge e JOIN came c USING (n) WHERE c.live IS NOT NULL ORDER BY e.n;
SELECT e.indicator, e.target, c.score AS refused, count(*) FROM edge e JOIN came c USING (n) WHERE c.live IS NULL GROUP BY 1, 2, 3 ORDER BY e.indicator COLLATE "C", 2, 3;
SELECT hrloop.attainment('$.line / $.stops * 100', '{"line": 2, "stops": 0}', 'lower', 110) AS other_facts, hrloop.attainment('$.target / $.actual * 50', '{"target": 2, "actual": 0}', 'lower', 110) AS other_formula,
       hrloop.attainment('$.target / $.actual * 100', '{"target": 2, "actual": 0}', 'higher', 110) AS more_is_better, hrloop.attainment('$.target / $.actual * 100', '{"actual": 0}', 'lower', 110) AS no_target,
       hrloop.attainment('$.target / $.actual * 100', '{"target": "2", "actual": 0}', 'lower', 110) AS text_target, hrloop.attainment('$.target / $.actual * 100', '{"target": 2, "actual": null}', 'lower', 110) AS no_actual,
       hrloop.attainment('$.target / $.actual * 100', '{"target": -2, "actual": 0}', 'lower', 110) AS below_zero;
-- LIV-04: from nothing to anything worse is all of it, in either direction; from nothing to nothing, or to better, is none
SELECT create_indicator('投诉', definition => 'd', standard => 's', kind => 'quantitative', direction => 'lower') > 0 AS made,
       create_indicator('利润', definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made;
SELECT count(record_measurement(e, i, d::date, jsonb_build_object('actual', v))) AS stored
  FROM (VALUES ('E010', '投诉', '{0,0,0,50}'::numeric[]), ('E011', '投诉', '{0,0,0,0}'), ('E020', '投诉', '{1,-1,0,-5}'), ('E021', '利润', '{0,0,0,-50}'), ('E030', '利润', '{0,0,0,50}'), ('E031', '利润', '{-10,-10,-10,-20}')) AS s (e, i, a),
       unnest(ARRAY['2023-01-31', '2023-02-28', '2023-03-31', '2023-04-30'], s.a) AS r (d, v);
SELECT e.employee_no, i.code, w.attainment, w.threshold, w.worse_pct FROM warning w JOIN employee e USING (employee_id) JOIN indicator i USING (indicator_id) WHERE w.kind = 'decline' ORDER BY 1;
-- a value beside facts that come to something else
SELECT create_cycle('BOTH', '2023-01-01', '2023-03-31', 'SALES') > 0 AS made, open_cycle('BOTH') AS reviews;
SELECT submit_score('BOTH', 'E010', '客户拓展', 90, '按事实评分', facts => '{"actual": 8}');
\echo :LAST_ERROR_SQLSTATE
SELECT submit_score('BOTH', 'E010', '客户拓展', 4, '按事实评分', scale_max => 5, facts => '{"actual": 8}') IS NULL AS the_same;
SELECT * FROM verify();
DROP SCHEMA score_edge CASCADE;
