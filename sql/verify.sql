-- verify: each kind of derived row spoilt on purpose is named; healthy books have nothing to say.
\set books verify_test
\set by_hand '{development_plan,employee_skill_level,growth_archive,notification,payroll_feed,plan_gap,plan_item,review,review_result,salary_adjustment,skill_allowance,decision,verify_slice,salary}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- a little history: scores, locks, plans, raises, levels, allowances
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT e AS who, submit_score('2023Q2', e, i, v, '按事实评分') AS score
  FROM (VALUES ('E010', '客户拓展', 60), ('E010', '客户满意度', 85), ('E010', '销售执行', 85),
               ('E011', '客户拓展', 80), ('E011', '客户满意度', 90), ('E011', '销售执行', 95),
               ('E021', '客户拓展', 60), ('E021', '客户满意度', 60), ('E021', '销售执行', 61)) AS s (e, i, v);
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS locked, lock_review('2023Q2', 'E011', '2023-07-01') AS locked;
BEGIN; SELECT act_as('E090') > 0 AS acting, approve_adjustment('2023Q2', 'E011'), apply_adjustment('2023Q2', 'E011') AS new; COMMIT;
SELECT certify('E010', '初级销售', '2022-12-15') > 0 AS low, certify('E010', '中级销售', '2023-03-15') > 0 AS middle, record_training('E010', '数据分析', '2023-05-02', 90, external_id => 'v-1') AS course;
SELECT record_progress('2023Q2', 'E010', 1, 40) AS progress;
SELECT * FROM verify();

-- What reads whole tables has JIT off, and what calls it: functions that ask who verifies, health(), and whoever depends on them.  The
-- parts of a check ask nobody, and run in one that did.
WITH RECURSIVE whole AS (
  SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'verify_test'::regnamespace AND p.proname = 'health'
  UNION
  SELECT d.objid FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = 'verify_asked'::regproc AND d.classid = 'pg_proc'::regclass
  UNION
  SELECT d.objid FROM whole w JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = w.oid AND d.classid = 'pg_proc'::regclass
)
SELECT w.oid::regprocedure AS jit_is_on FROM whole w JOIN pg_proc p USING (oid) WHERE NOT coalesce('jit=off' = ANY (p.proconfig), false);

-- The same in smaller slices: of each part that has keys four.
CREATE FUNCTION pg_temp.sliced() RETURNS TABLE (problem text, table_name text, row_id bigint, expected text, found text) LANGUAGE SQL AS $$
  SELECT v.* FROM (SELECT s.part, min(s.from_id) AS low, max(s.until_id) AS high FROM verify_slices() s GROUP BY s.part) s
  LEFT JOIN (VALUES ('reviews', 'review_id', (SELECT max(review_id) FROM review)), ('plans', 'review_id', (SELECT max(review_id) FROM review)),
                    ('pay', 'employee_id', (SELECT max(employee_id) FROM employee)), ('skills', 'employee_id', (SELECT max(employee_id) FROM employee)),
                    ('audit', 'audit_id', (SELECT max(audit_id) FROM audit_entry))) AS k (part, key, most) USING (part)
  CROSS JOIN LATERAL (
    SELECT s.low, s.high WHERE k.key IS NULL
    UNION ALL
    SELECT CASE WHEN n = 0 THEN s.low ELSE k.most * n / 4 + 1 END, CASE WHEN n = 3 THEN s.high ELSE k.most * (n + 1) / 4 END FROM generate_series(0, 3) n WHERE k.key IS NOT NULL) c
  CROSS JOIN LATERAL verify_part(s.part, c.low, c.high) v
$$;
SELECT * FROM pg_temp.sliced();

-- Triggers off, one thing wrong at a time, and what verify() says of it, and whether slices say the same.
CREATE TEMP TABLE said (id integer GENERATED ALWAYS AS IDENTITY, what text, problem text, table_name text, expected text, found text);
CREATE PROCEDURE pg_temp.spoil(what text, how text) LANGUAGE plpgsql AS $$
DECLARE
  t regclass;
BEGIN
  BEGIN
    FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'verify_test'::regnamespace AND c.relkind = 'r' LOOP
      EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t);
    END LOOP;
    EXECUTE how;
    CREATE TEMP TABLE now_said AS SELECT v.problem, v.table_name, v.expected, v.found FROM verify_test.verify() v;
    INSERT INTO pg_temp.now_said SELECT 'SLICES DIFFER', coalesce(w.problem, s.problem), w.found, s.found
      FROM (SELECT v.*, row_number() OVER (PARTITION BY v) AS n FROM verify_test.verify() v) w
      FULL JOIN (SELECT v.*, row_number() OVER (PARTITION BY v) AS n FROM pg_temp.sliced() v) s
        ON (concat_ws('|', w.problem, w.table_name, coalesce(w.row_id, 0), coalesce(w.expected, '-'), coalesce(w.found, '-')), w.n)
         = (concat_ws('|', s.problem, s.table_name, coalesce(s.row_id, 0), coalesce(s.expected, '-'), coalesce(s.found, '-')), s.n)
     WHERE w.problem IS NULL OR s.problem IS NULL;
    RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = coalesce((SELECT json_agg(n ORDER BY n.problem COLLATE "C", n.expected COLLATE "C", n.found COLLATE "C") FROM pg_temp.now_said n)::text, '[]');
  EXCEPTION WHEN SQLSTATE 'PX001' THEN
    -- everything is as it was before; only the message is left
    INSERT INTO pg_temp.said (what, problem, table_name, expected, found)
    SELECT spoil.what, x ->> 'problem', x ->> 'table_name', x ->> 'expected', x ->> 'found'
      FROM json_array_elements(CASE SQLERRM WHEN '[]' THEN '[{"problem": "NOTHING"}]' ELSE SQLERRM END::json) AS x;
  END;
END $$;
CALL pg_temp.spoil('composite of an open review', $$UPDATE review SET composite = 61 WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('composite of a locked review', $$UPDATE review SET composite = 76 WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('a score behind the engine''s back', $$UPDATE score SET value = 71 WHERE review_id = find_review('2023Q2', 'E021') AND indicator_id = find_indicator('客户满意度')$$);
CALL pg_temp.spoil('a score that went', $$DELETE FROM score WHERE review_id = find_review('2023Q2', 'E021') AND indicator_id = find_indicator('客户满意度')$$);
CALL pg_temp.spoil('missed indicators', $$UPDATE review SET missed = '{}' WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('missed indicators of a locked review', $$UPDATE review SET missed = '{}' WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('number of scored indicators', $$UPDATE review SET items_scored = 1 WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('lowest indicator', $$UPDATE review SET lowest_indicator_id = find_indicator('销售执行') WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('completeness', $$UPDATE review SET complete = false WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('completeness', $$UPDATE review SET complete = true WHERE review_id = find_review('2023Q2', 'E030')$$);
CALL pg_temp.spoil('self score', $$UPDATE review SET self_composite = 99 WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('plan reason', $$UPDATE review SET plan_reason = '{score}' WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('plan reason', $$UPDATE review SET plan_reason = NULL WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('plan reason of a locked review', $$UPDATE review SET plan_reason = NULL WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('lock without a result', $$DELETE FROM review_result WHERE review_id = find_review('2023Q2', 'E021'); UPDATE review SET status = 'locked' WHERE review_id = find_review('2023Q2', 'E021')$$);
CALL pg_temp.spoil('result', $$UPDATE review_result SET composite = 90 WHERE review_id = find_review('2023Q2', 'E011')$$);
CALL pg_temp.spoil('grade', $$UPDATE review_result SET grade = '优秀' WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('decision of a lock', $$UPDATE decision SET outcome = jsonb_set(outcome, '{score}', '88') WHERE kind = 'review.lock' AND employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('breakdown of a lock', $$UPDATE decision SET inputs = jsonb_set(inputs, '{items,0,points}', '30') WHERE kind = 'review.lock' AND employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('a plan that went', $$UPDATE development_plan SET status = 'withdrawn' WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('a draft after the lock', $$UPDATE development_plan SET status = 'draft' WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('a plan item that went', $$DELETE FROM plan_item i USING development_plan p WHERE p.plan_id = i.plan_id AND p.review_id = find_review('2023Q2', 'E010') AND i.position = 2$$);
CALL pg_temp.spoil('title of a plan item', $$UPDATE plan_item i SET title = 'x' FROM development_plan p WHERE p.plan_id = i.plan_id AND p.review_id = find_review('2023Q2', 'E010') AND i.position = 2$$);
CALL pg_temp.spoil('a plan gap that went', $$DELETE FROM plan_gap g USING development_plan p WHERE p.plan_id = g.plan_id AND p.review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('plan document', $$UPDATE development_plan SET document = jsonb_set(document, '{reasons}', '["x"]') WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('reasons of a plan', $$UPDATE development_plan SET reasons = '{score}' WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('progress of a plan item', $$UPDATE plan_item i SET progress = 50 FROM development_plan p WHERE p.plan_id = i.plan_id AND p.review_id = find_review('2023Q2', 'E010') AND i.position = 1$$);
CALL pg_temp.spoil('a plan completed too early', $$UPDATE development_plan SET status = 'completed' WHERE review_id = find_review('2023Q2', 'E010')$$);
CALL pg_temp.spoil('raise', $$UPDATE salary_adjustment SET new_amount = new_amount + 1, raise_amount = raise_amount + 1 WHERE employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('percent of a raise', $$UPDATE salary_adjustment SET percent = 50 WHERE employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('band of a raise', $$UPDATE salary_adjustment SET band_id = NULL WHERE employee_id = find_employee('E011')$$);
CALL pg_temp.spoil('rule of a raise', $$UPDATE salary_adjustment SET raise_rule_id = NULL WHERE employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('score of a raise', $$UPDATE salary_adjustment SET composite = 79 WHERE employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('base pay in a raise', $$UPDATE salary_adjustment SET base_amount = 11000, old_amount = 11000, new_amount = 11000 WHERE employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('a raise that went', $$DELETE FROM payroll_feed WHERE employee_id = find_employee('E010') AND kind = 'raise'; DELETE FROM salary_adjustment WHERE employee_id = find_employee('E010')$$);
CALL pg_temp.spoil('base pay of an applied raise', $$UPDATE salary SET amount = amount + 0.01 WHERE employee_id = find_employee('E011') AND upper_inf(valid) AND superseded_by IS NULL$$);
CALL pg_temp.spoil('base pay with a tenth of a fen', $$UPDATE salary SET amount = 9000.001 WHERE employee_id = find_employee('E090')$$);
CALL pg_temp.spoil('two feed rows that make up for each other', $$UPDATE payroll_feed SET amount = amount + CASE WHEN employee_id = find_employee('E011') THEN 1 ELSE -1 END WHERE kind = 'raise'$$);
CALL pg_temp.spoil('feed', $$UPDATE payroll_feed SET amount = amount + 1 WHERE kind = 'raise' AND employee_id = find_employee('E011')$$);
CALL pg_temp.spoil('a feed row that went', $$DELETE FROM payroll_feed WHERE kind = 'allowance' AND entry = 'post' AND employee_id = find_employee('E010') AND amount = 300$$);
CALL pg_temp.spoil('skill level', $$UPDATE employee_skill_level SET skill_level_id = (SELECT skill_level_id FROM skill_level WHERE code = '高级销售') WHERE employee_id = find_employee('E010') AND upper_inf(valid) AND superseded_by IS NULL$$);
CALL pg_temp.spoil('days of a skill level', $$UPDATE employee_skill_level SET valid = '[2023-03-20,)' WHERE employee_id = find_employee('E010') AND upper_inf(valid) AND superseded_by IS NULL$$);
CALL pg_temp.spoil('a skill level that went', $$DELETE FROM employee_skill_level WHERE employee_id = find_employee('E010') AND upper_inf(valid) AND superseded_by IS NULL$$);
CALL pg_temp.spoil('a skill level out of nothing', $$INSERT INTO employee_skill_level (employee_id, skill_id, skill_level_id, valid, certification_result_id, decision_id) SELECT find_employee('E090'), l.skill_id, l.skill_level_id, '[2023-01-01,)', x.certification_result_id, x.decision_id FROM skill_level l, employee_skill_level x WHERE l.code = '高级销售' LIMIT 1$$);
CALL pg_temp.spoil('allowance', $$UPDATE skill_allowance SET amount = 1001 WHERE employee_id = find_employee('E010') AND amount = 1000 AND superseded_by IS NULL$$);
CALL pg_temp.spoil('days of an allowance', $$UPDATE skill_allowance SET valid = '[2023-05-01,)' WHERE employee_id = find_employee('E010') AND amount = 1000 AND superseded_by IS NULL$$);
CALL pg_temp.spoil('an allowance out of nothing', $$INSERT INTO skill_allowance (employee_id, component, amount, valid, allowance_rule_id, cause, cause_id, decision_id) SELECT find_employee('E090'), 'skill 1', 500, '[2023-01-01,)', allowance_rule_id, cause, cause_id, decision_id FROM skill_allowance LIMIT 1$$);
CALL pg_temp.spoil('a notice with a hole', $$UPDATE notification SET body = '您的{score}分' WHERE kind = 'plan.updated'$$);
CALL pg_temp.spoil('weights of a template', $$UPDATE template_item SET effective_weight = effective_weight + 1 WHERE template_id = (SELECT max(template_id) FROM review_template WHERE code = 'MAKE') AND position = 1$$);
CALL pg_temp.spoil('an entry of the audit log', $$UPDATE audit_entry SET reason = 'x' WHERE audit_id = (SELECT max(audit_id) / 2 FROM audit_entry)$$);
CALL pg_temp.spoil('its hash', $$UPDATE audit_entry SET hash = sha256('x') WHERE audit_id = (SELECT max(audit_id) / 2 FROM audit_entry)$$);
CALL pg_temp.spoil('an entry that went', $$DELETE FROM audit_entry WHERE audit_id = (SELECT max(audit_id) / 2 FROM audit_entry)$$);
CALL pg_temp.spoil('the end of a chain', $$UPDATE audit_lane SET length = length + 1 WHERE length > 0$$);
CALL pg_temp.spoil('a line of the archive that went', $$DELETE FROM growth_archive WHERE growth_archive_id = (SELECT min(growth_archive_id) FROM growth_archive)$$);
-- of a long hash its kind is enough
SELECT what, problem, table_name, CASE WHEN expected ~ '[0-9a-f]{64}' THEN 'a hash' ELSE left(expected, 40) END AS expected,
       CASE WHEN found ~ '[0-9a-f]{64}' THEN 'a hash' ELSE left(found, 40) END AS found FROM said ORDER BY id;
-- and nothing is passed over
SELECT what FROM said WHERE problem = 'NOTHING' ORDER BY id;
SELECT * FROM verify();

-- Some minutes at a time: without any, one slice a call; the round goes on where it stopped, and HR is told once of what it finds.
SELECT sum(checked) AS checked, sum(slices) > 1 AS more, sum(differences) AS differences FROM verify_for(duration => '0');
SELECT sum(checked) AS checked FROM verify_for('0');
SELECT sum(checked) = sum(slices) AS through, sum(differences) AS differences FROM verify_for();
SELECT code, status, value FROM health() WHERE code IN ('differences', 'audit_chain') ORDER BY 1;
ALTER TABLE review DISABLE TRIGGER USER;
UPDATE review SET composite = 61 WHERE review_id = find_review('2023Q2', 'E021');
ALTER TABLE review ENABLE TRIGGER USER;
SELECT sum(checked) AS a_new_round, sum(differences) AS differences FROM verify_for('0');
SELECT part, differences FROM verify_for() WHERE differences > 0;
SELECT code, status, value FROM health() WHERE code IN ('differences', 'audit_chain') ORDER BY 1;
SELECT recipient_role, body FROM notification WHERE kind = 'verify.found';
-- old rounds are no rounds
UPDATE verify_slice SET checked_at = now() - interval '36 days';
UPDATE verify_slice SET differences = 0;
SELECT code, status, value FROM health() WHERE code = 'differences';
SELECT * FROM verify_for('-1 second');
SELECT * FROM verify_for(NULL);
SELECT * FROM verify_part('wages');
SELECT * FROM verify_part(NULL);
SELECT * FROM verify_part('pay', NULL, NULL);
SELECT * FROM verify_pay(1, NULL);
DROP SCHEMA verify_test CASCADE;
