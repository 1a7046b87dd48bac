-- scores of judged indicators: how they are given does not matter (IND-03, AMB-06).
\set books score_judged
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT count(create_cycle(c, '2023-01-01', '2023-03-31', 'SALES')) AS made, count(open_cycle(c)) AS opened
  FROM unnest(ARRAY['VALUE', 'FACTS']) c;
-- 70 and below is missed, above it is not, and no attainment is made of a judgement
CREATE FUNCTION judged(cycle text, given numeric) RETURNS TABLE (value numeric, attainment numeric, missed boolean, plan text[]) VOLATILE LANGUAGE SQL
BEGIN ATOMIC
  SELECT count(submit_score(cycle, 'E010', i, 100, '按事实评分')) FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) i;
  SELECT submit_score(cycle, 'E010', '客户满意度', CASE WHEN cycle = 'VALUE' THEN given END, '按事实评分',
                      facts => CASE WHEN cycle = 'FACTS' THEN jsonb_build_object('score', given) END);
  SELECT i.value, i.attainment, i.missed, r.plan_reason
    FROM review_item i JOIN review r USING (review_id) JOIN review_cycle c ON c.cycle_id = r.cycle_id
   WHERE c.code = judged.cycle AND i.employee_id = find_employee('E010') AND i.indicator_code = '客户满意度';
END;
SELECT 'IND-03' AS id, g AS given, c AS given_as, j.*
  FROM unnest(ARRAY[100, 95, 70.0001, 70, 0]) g, unnest(ARRAY['VALUE', 'FACTS']) c CROSS JOIN LATERAL judged(c, g) j ORDER BY g DESC, c DESC;
-- a line of its own is meant for the score
SELECT create_indicator('主动性', definition => '主动承担', standard => '0-100分', pass => 80) > 0 AS made,
       create_template('LINE', '[{"indicator": "主动性", "weight": 100}]') > 0 AS made;
SELECT activate_template('LINE') > 0 AS active, create_cycle('LINE', '2023-04-01', '2023-06-30', 'LINE') > 0 AS made, open_cycle('LINE') AS opened;
SELECT count(submit_score('LINE', e, '主动性', rationale => '按事实评分', facts => jsonb_build_object('score', s))) AS scored
  FROM (VALUES ('E010', 80), ('E011', 79.9999)) AS f (e, s);
SELECT e.employee_no, i.value, i.attainment, i.missed FROM review_item i JOIN employee e USING (employee_id)
 WHERE i.indicator_code = '主动性' AND i.value IS NOT NULL ORDER BY 1;
-- what kind it is was pinned: the cycle is not judged by what it is made afterwards
UPDATE indicator SET kind = 'quantitative' WHERE code = '客户满意度';
SELECT j.* FROM judged('FACTS', 95) j;
SELECT * FROM verify();
DROP SCHEMA score_judged CASCADE;
