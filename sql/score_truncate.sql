-- TRUNCATE obeys what DELETE obeys, for every table; and what is renamed or belongs to somebody else is followed.
\set books score_truncate
\set by_hand '{review}'
\set past yes
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- from the catalog: whatever a DELETE meets (rules, consequences, scores that are computed, evidence that stays), a TRUNCATE meets something as well
SELECT c.relname AS table_that_truncate_empties
  FROM table_rule r JOIN pg_class c ON c.oid = r.table_name::regclass
 WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 8 > 0 AND t.tgfoid NOT IN ('hrloop.audit()'::regprocedure, 'hrloop.forget()'::regprocedure) AND NOT t.tgisinternal)
   AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 32 > 0 AND t.tgfoid NOT IN ('hrloop.audit()'::regprocedure, 'hrloop.forget()'::regprocedure)) ORDER BY 1;
-- each way in turn, and undone: what is refused is refused alike, what is left is the same
CREATE TEMP TABLE outcome (table_name text, act text, said text);
DO $$
DECLARE t text; a text; s text;
BEGIN
  FOR t IN SELECT r.table_name FROM table_rule r ORDER BY 1 LOOP
    FOREACH a IN ARRAY ARRAY['DELETE FROM', 'TRUNCATE'] LOOP
      BEGIN
        EXECUTE format('%s %I', a, t);
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = (SELECT format('done %s %s %s', (SELECT count(*) FROM initial_score), (SELECT count(*) FROM review WHERE composite IS NULL), (SELECT count(*) FROM warning WHERE withdrawn_by IS NULL)));
      -- another table refers to it: TRUNCATE says so by itself, before anything
      EXCEPTION WHEN feature_not_supported OR foreign_key_violation THEN s := 'referred to';
                WHEN SQLSTATE 'PX001' THEN s := SQLERRM;
                WHEN OTHERS THEN s := SQLSTATE;
      END;
      INSERT INTO outcome VALUES (t, a, s);
    END LOOP;
  END LOOP;
END $$;
SELECT d.table_name, d.said AS delete, t.said AS truncate FROM outcome d JOIN outcome t USING (table_name) WHERE d.act = 'DELETE FROM' AND t.act = 'TRUNCATE' AND d.said <> t.said
   AND NOT (d.said LIKE 'done%' AND t.said = 'referred to') ORDER BY 1;
SELECT d.said, count(*) > 0 AS some FROM outcome d WHERE d.act = 'TRUNCATE' AND d.said NOT LIKE 'done%' GROUP BY 1 ORDER BY 1;
TRUNCATE score; \echo :LAST_ERROR_SQLSTATE
TRUNCATE target; \echo :LAST_ERROR_SQLSTATE
TRUNCATE review CASCADE; \echo :LAST_ERROR_SQLSTATE
-- where DELETE is let through, what follows it follows: a suggestion that goes takes its reading along
SELECT create_indicator('提案', definition => 'd', standard => 's', kind => 'quantitative') > 0 AS made, set_setting('suggestion.indicator', '提案') AS counted;
CREATE VIEW counted AS SELECT e.employee_no, m.measured_on, m.facts FROM measurement m JOIN employee e USING (employee_id) WHERE m.source = 'suggestion';
SELECT accept_suggestion(suggest('E031', '改进夹具', '2024-05-05')) AS status;
SELECT * FROM counted;
TRUNCATE suggestion;
SELECT count(*) AS left FROM counted;

-- IND-12: a revision is made from the newest active version, not from somebody's draft
SELECT create_template('REV', '[{"indicator": "客户满意度", "weight": 60}, {"indicator": "销售执行", "weight": 40}]') > 0 AS made;
SELECT revise_template('REV', '{"客户满意度": 50, "销售执行": 50}', '重心调整'); \echo :LAST_ERROR_SQLSTATE
SELECT activate_template('REV') > 0 AS active, create_template('REV', '[{"indicator": "客户拓展", "weight": 100}]', reason => '还在商量') > 0 AS draft;
SELECT revise_template('REV', '{"客户满意度": 50, "销售执行": 50}', '重心调整') AS version;
SELECT revise_template('REV', '{"客户拓展": 50, "销售执行": 50}', '重心调整'); \echo :LAST_ERROR_SQLSTATE
SELECT t.version, t.status, i.code, p.weight FROM review_template t JOIN template_item p USING (template_id) JOIN indicator i USING (indicator_id) WHERE t.code = 'REV' ORDER BY 1, i.code COLLATE "C";
-- an indicator that is renamed keeps its reasons in earlier results
SELECT create_cycle('NAMES', '2024-04-01', '2024-06-30', 'MAKE') > 0 AS made, open_cycle('NAMES') AS reviews;
SELECT count(submit_score('NAMES', 'E031', i, v, i || '的依据')) AS scores FROM (VALUES ('创新提案', 90), ('客户反馈', 95), ('产量', 95), ('质量', 91), ('团队协作', 92)) AS s (i, v);
SELECT lock_review('NAMES', 'E031', '2024-07-01') AS locked;
SELECT line FROM explain_score('NAMES', 'E031');
UPDATE indicator SET code = '合格率', name = '合格率' WHERE code = '质量';
SELECT line FROM explain_score('NAMES', 'E031');
-- LIV-07: a suggestion counts for whom it is of, on its day
SELECT accept_suggestion(suggest('E031', '改进夹具', '2024-05-05')) AS status;
SELECT * FROM counted;
UPDATE suggestion SET employee_id = find_employee('E030') WHERE suggestion = '改进夹具';
SELECT * FROM counted;
UPDATE suggestion SET suggested_on = '2024-06-06' WHERE suggestion = '改进夹具';
SELECT * FROM counted;
SELECT * FROM verify();
DROP SCHEMA score_truncate CASCADE;
