-- review: one-vote vetoes (一票否决).
\set books veto_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator(i, definition => i, standard => '0-100分') > 0 AS made FROM unnest(ARRAY['安全', '合规', '业绩']) AS i;
SELECT create_template('SAFE', '[{"indicator": "业绩", "weight": 90}, {"indicator": "安全", "weight": 5, "veto": {"at": 60, "cap": 59.5}}, {"indicator": "合规", "weight": 5, "veto": {"at": 0, "cap": 0}}]') > 0 AS made,
       activate_template('SAFE') > 0 AS active;
SELECT create_template('HALF', '[{"indicator": "业绩", "weight": 100, "veto": {"at": 60}}]'); \echo :LAST_ERROR_SQLSTATE
SELECT create_template('HALF', '[{"indicator": "业绩", "weight": 100, "veto": {"at": -1, "cap": 50}}]');
SELECT create_cycle('Q1', '2023-01-01', '2023-03-31', 'SAFE') > 0 AS made, open_cycle('Q1') AS reviews;
CREATE VIEW standing AS
  SELECT e.employee_no AS employee, r.composite, ARRAY(SELECT i.code FROM indicator i WHERE i.indicator_id = ANY (r.vetoed) ORDER BY 1) AS vetoed, r.complete
    FROM review r JOIN employee e USING (employee_id) WHERE r.items_scored > 0 ORDER BY e.employee_no;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review('Q1', e), find_indicator(i), coalesce(manager_of(find_employee(e)), find_employee('E090')), v, i || '评价'
  FROM (VALUES ('E010', 95, 60.0001, 100), ('E011', 95, 60, 100), ('E020', 95, 30, 0), ('E021', 50, 60, 100), ('E030', 95, 100, 0.0001)) AS s (e, p, s, c)
 CROSS JOIN LATERAL (VALUES ('业绩', p), ('安全', s), ('合规', c)) AS x (i, v);
-- just above is no veto; at the line, and below two of them, the lowest cap; a cap does not raise what is below it
SELECT * FROM standing;
-- a correction lifts it
SELECT submit_score('Q1', 'E011', '安全', 61, '复查后无责') AS composite;
SELECT submit_score('Q1', 'E011', '安全', 60, '再复查') AS composite;
-- with a part missing nothing is final, the veto is there all the same
DELETE FROM score WHERE review_id = find_review('Q1', 'E020') AND indicator_id = find_indicator('业绩');
SELECT * FROM standing WHERE employee = 'E020';
SELECT lock_review('Q1', 'E011', '2023-04-01') AS locked;
SELECT line FROM explain_score('Q1', 'E011');
SELECT line FROM explain_score('Q1', 'E011', 'en');
SELECT x.composite, x.grade, d.inputs -> 'vetoed' AS vetoed FROM review_result x JOIN decision d USING (decision_id);
-- other weights meet the same veto
SELECT employee_no, before, after FROM what_if('SAFE', '{"业绩": 50, "安全": 25, "合规": 25}', 'Q1');
SELECT revise_template('SAFE', '{"业绩": 50, "安全": 25, "合规": 25}', '安全优先') AS version, reweight_cycle('Q1', 'SAFE', '安全优先') AS reviews;
SELECT * FROM standing;
SELECT * FROM verify();
