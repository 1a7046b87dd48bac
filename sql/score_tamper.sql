-- verify() sees what somebody who went past the rules did to scores, results and weights.
\set books score_tamper
\set by_hand '{review_result}'
\set past yes
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT * FROM verify();
CREATE PROCEDURE tamper(what text, by text) LANGUAGE plpgsql AS $$
DECLARE f record; n int := 0;
BEGIN
  BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE by;
    FOR f IN SELECT v.problem, v.table_name, v.expected, v.found FROM verify() v WHERE v.table_name IN ('score', 'review_result', 'template_item', 'review_template') ORDER BY 1, 3, 4 LIMIT 3 LOOP
      RAISE NOTICE '%: % of %: % instead of %', what, f.problem, f.table_name, f.found, f.expected; n := n + 1;
    END LOOP;
    IF n = 0 THEN RAISE NOTICE '%: not seen', what; END IF;
    RAISE EXCEPTION USING ERRCODE = 'PX001';
  EXCEPTION WHEN SQLSTATE 'PX001' THEN NULL;
  END;
END $$;
SET client_min_messages = notice;
CALL tamper('value', $$UPDATE score SET value = value - 1 WHERE score_id = (SELECT max(score_id) FROM score WHERE raw_value IS NOT NULL)$$);
CALL tamper('raw value', $$UPDATE score SET raw_value = raw_value - 1 WHERE score_id = (SELECT max(score_id) FROM score WHERE raw_value IS NOT NULL)$$);
CALL tamper('scale', $$UPDATE score SET scale_max = scale_max * 2 WHERE score_id = (SELECT max(score_id) FROM score WHERE raw_value IS NOT NULL)$$);
CALL tamper('rationale', $$UPDATE score SET rationale = ' ' WHERE score_id = (SELECT min(score_id) FROM score WHERE rater_group = 'manager')$$);
CALL tamper('oneself as manager', $$UPDATE score s SET rater_id = r.employee_id FROM review r WHERE r.review_id = s.review_id AND s.score_id = (SELECT min(score_id) FROM score WHERE rater_group = 'manager')$$);
CALL tamper('indicator', $$UPDATE score SET indicator_id = (SELECT indicator_id FROM indicator i WHERE NOT EXISTS (SELECT FROM template_item t WHERE t.indicator_id = i.indicator_id) LIMIT 1) WHERE score_id = (SELECT min(score_id) FROM score)$$);
CALL tamper('version', $$UPDATE review_result SET version = 7 WHERE result_id = (SELECT min(result_id) FROM review_result)$$);
CALL tamper('a result that went', $$DELETE FROM review_result WHERE result_id = (SELECT max(result_id) FROM review_result WHERE reopened_by IS NOT NULL)$$);
CALL tamper('weight', $$UPDATE template_item SET weight = weight + 1 WHERE template_item_id = (SELECT min(template_item_id) FROM template_item)$$);
CALL tamper('effective weight', $$UPDATE template_item SET effective_weight = effective_weight + 1 WHERE template_item_id = (SELECT min(template_item_id) FROM template_item)$$);
CALL tamper('an item that went', $$DELETE FROM template_item WHERE template_item_id = (SELECT min(template_item_id) FROM template_item)$$);
SELECT count(*) AS differences FROM verify();
SET client_min_messages = warning;
DROP SCHEMA score_tamper CASCADE;
