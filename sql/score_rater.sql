-- who may rate is decided once: what the engine lets pass may_rate() lets pass, and the other way round (REV-07).
\set books score_rater
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => 'd', standard => 's') > 0 AS made;
INSERT INTO rater_group (rater_group, name, weight, rationale_required, relation) VALUES ('anybody', '任何人', 10, false, 'any'), ('second', '副上级', 10, false, 'superior'), ('colleague', '伙伴', 10, false, 'peer');
SELECT create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT hire('E012', '郑十', 'SH', 'SALES', '2020-01-01', manager => 'E003') > 0 AS hired, hire('E013', '冯离', 'SH', 'SALES', '2020-01-01', manager => 'E003') > 0 AS hired;
SELECT create_cycle('Q', '2024-01-01', '2024-03-31', 'ONE') > 0 AS made, open_cycle('Q') AS reviews;
-- somebody who was transferred, and so is rated in segments
SELECT transfer('E012', '2024-02-01', 'TECH', manager => 'E020') > 0 AS moved;
SELECT leave('E013', '2024-05-01') IS NOT NULL AS gone;
-- all raters in all groups: the engine by an insert that is undone, may_rate() by itself
CREATE TEMP TABLE tried (world text, employee text, rater text, rater_group text, may boolean, did boolean, said text);
CREATE PROCEDURE pg_temp.try(world text) LANGUAGE plpgsql AS $$
DECLARE c record; yes boolean; e text;
BEGIN
  FOR c IN SELECT r.review_id, e.employee_no AS employee, b.employee_no AS rater, b.employee_id AS rater_id, g.rater_group, may_rate(r.review_id, g.rater_group, b.employee_id) AS may
             FROM review r JOIN employee e USING (employee_id), employee b, rater_group g
            WHERE r.status = 'open' AND e.employee_no IN ('E003', 'E010', 'E012', 'E020') ORDER BY 2, 3, 5 LOOP
    BEGIN
      yes := false; e := NULL;
      INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, rationale, scored_at) VALUES (c.review_id, find_indicator('总评'), c.rater_group, c.rater_id, 80, '按事实 ' || c.rater, '2024-04-05');
      yes := true;
      RAISE EXCEPTION USING ERRCODE = 'PX001';
    EXCEPTION WHEN SQLSTATE 'PX001' THEN NULL;
              WHEN OTHERS THEN GET STACKED DIAGNOSTICS e = CONSTRAINT_NAME;
    END;
    INSERT INTO pg_temp.tried VALUES (world, c.employee, c.rater, c.rater_group, c.may, yes, e);
  END LOOP;
END $$;
CALL pg_temp.try('nobody is named');
BEGIN; SELECT assign_raters('Q', 'E010', 'peer', ARRAY['E012', 'E090']), assign_raters('Q', 'E010', 'manager', ARRAY['E002']), assign_raters('Q', 'E020', 'second', ARRAY['E090']); CALL pg_temp.try('named'); COMMIT;
BEGIN; SELECT bar_rater('Q', 'E010', 'E003', '亲属') > 0 AS barred, bar_rater('Q', 'E003', 'E010', '纠纷') > 0 AS barred, bar_rater('Q', 'E012', 'E020', '亲属') > 0 AS barred; CALL pg_temp.try('barred'); COMMIT;
SELECT set_setting('rater.relation', 'false');
CALL pg_temp.try('no relations');
DELETE FROM review_rater;
CALL pg_temp.try('no relations, nobody named');
SELECT set_setting('rater.relation', 'true');
-- the groups change what they are for
UPDATE rater_group SET relation = 'peer' WHERE rater_group = 'manager'; UPDATE rater_group SET relation = 'superior' WHERE rater_group = 'peer'; UPDATE rater_group SET relation = 'any' WHERE rater_group = 'subordinate';
CALL pg_temp.try('other relations');
SELECT world, count(*) AS tried, count(*) FILTER (WHERE did) AS let_pass FROM tried GROUP BY 1 ORDER BY 1;
-- but for oneself, who rates as self and nothing else, both say the same
SELECT world, employee, rater, rater_group, may, did, said FROM tried WHERE may <> did AND NOT (employee = rater OR rater_group = 'self') ORDER BY 1, 2, 3, 4;
SELECT DISTINCT rater_group = 'self' AS as_self, did, said FROM tried WHERE employee = rater ORDER BY 1;
SELECT DISTINCT said FROM tried WHERE NOT did AND employee <> rater ORDER BY 1;
SELECT count(*) AS named_wrongly FROM review r WHERE r.raters_named <> EXISTS (SELECT FROM review_rater n WHERE n.review_id = r.review_id);
SELECT * FROM verify();
DROP SCHEMA score_rater CASCADE;
