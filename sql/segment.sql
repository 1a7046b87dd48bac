-- segment: transfers within a cycle, several assignments, short service, leave.
\set books segment_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_indicator('新签', definition => '新签客户', standard => '按完成率', kind => 'quantitative', pass => 0) > 0 AS made;
SELECT create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT create_template('MIX', '[{"indicator": "总评", "weight": 40}, {"indicator": "新签", "weight": 60, "facts": {"target": 10}}]') > 0 AS made, activate_template('MIX') > 0 AS active;
CREATE VIEW standing AS
  SELECT c.code AS cycle, e.employee_no AS employee, r.status, r.segmented AS parts, r.composite, r.self_composite AS self, r.complete, r.missing_used AS missing, r.block_reason
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY c.cycle_id, e.employee_no;
CREATE VIEW parts AS
  SELECT c.code AS cycle, e.employee_no AS employee, g.segment_no AS n, t.code AS template, m.employee_no AS manager, u.code AS unit, j.code AS job,
         g.fte, g.days, g.load, g.from_date, g.until_date
    FROM review_segment g JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id) JOIN employee e ON e.employee_id = r.employee_id
    JOIN review_template t ON t.template_id = g.template_id LEFT JOIN employee m ON m.employee_id = g.manager_id
    JOIN org_unit u ON u.org_unit_id = g.org_unit_id JOIN job j ON j.job_id = g.job_id ORDER BY c.cycle_id, e.employee_no, g.segment_no;

-- a transfer after 60 of 90 days: each manager rates, 80 × 60 and 95 × 30 are 85
SELECT transfer('E010', '2023-03-02', unit => 'TECH', manager => 'E020') > 0 AS moved;
SELECT create_cycle('Q1', '2023-01-01', '2023-03-31', 'ONE') > 0 AS made, open_cycle('Q1') AS reviews;
SELECT * FROM parts;
SELECT submit_score('Q1', 'E010', '总评', 80, '前两个月', rater => 'E003') AS first, submit_score('Q1', 'E010', '总评', 95, '三月', rater => 'E020') AS both;
SELECT * FROM standing WHERE employee = 'E010';
SELECT indicator_code, weight, value, points FROM review_item WHERE review_id = find_review('Q1', 'E010');
-- peers and the employee see the whole
SELECT submit_score('Q1', 'E010', '总评', 90, rater_group => 'self') AS composite;
-- peers: two segments, each (80 or 95 × 50 + 70 × 30) / 80
BEGIN; SELECT submit_score('Q1', 'E010', '总评', 70, rater => 'E011', rater_group => 'peer') AS composite; SELECT composite FROM standing WHERE employee = 'E010'; ROLLBACK;
-- who is neither manager is not let in; the one above both, and HR, rate both
SELECT submit_score('Q1', 'E010', '总评', 50, '观察', rater => 'E030');
BEGIN; SELECT submit_score('Q1', 'E010', '总评', 65, '总经理看法', rater => 'E001') AS composite; ROLLBACK;
SELECT lock_review('Q1', 'E010', '2023-04-01') AS locked;
SELECT line FROM explain_score('Q1', 'E010', 'en');
SELECT old_amount, percent, new_amount FROM salary_adjustment WHERE employee_id = find_employee('E010');
-- an upheld appeal: HR's score stands for both
BEGIN; SELECT act_as('E010') > 0 AS acts, file_appeal('Q1', 'E010', '二月业绩未计入', '2023-04-02') > 0 AS filed; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS acts, decide_appeal('Q1', 'E010', true, '二月补计', '{"总评": 91}', '2023-04-03'); COMMIT;
SELECT * FROM verify();

-- different templates: sales until mid-May, then production
SELECT transfer('E011', '2023-05-17', unit => 'PROD', job => 'WORKER', manager => 'E030') > 0 AS moved;
SELECT create_cycle('Q2', '2023-04-01', '2023-06-30', 'ONE', pay_effective => false) > 0 AS made, assign_template('Q2', 'MIX', unit_kind => 'marketing') > 0 AS assigned, open_cycle('Q2') AS reviews;
SELECT * FROM parts WHERE cycle = 'Q2';
-- 46 days of MIX, 45 of ONE: (46 × (40 % × 70 + 60 % × 90) + 45 × 88) / 91
SELECT submit_score('Q2', 'E011', '总评', 70, '四月五月', rater => 'E003') AS one, submit_score('Q2', 'E011', '新签', facts => '{"actual": 9}', rationale => '9家', rater => 'E003') AS two,
       submit_score('Q2', 'E011', '总评', 88, '六月', rater => 'E030') AS three;
SELECT round((46 * (0.4 * 70 + 0.6 * 90) + 45 * 88) / 91, 4) AS by_hand, composite, parts FROM standing WHERE cycle = 'Q2' AND employee = 'E011';
SELECT indicator_code, weight, value, attainment, points FROM review_item WHERE review_id = find_review('Q2', 'E011') ORDER BY position;
SELECT submit_score('Q2', 'E011', '产量', 88, '不在任何模板', rater => 'E030');
SELECT * FROM verify();

-- a transfer that becomes known after the opening, and is taken back
SELECT transfer('E021', '2023-06-01', manager => 'E001') > 0 AS moved;
SELECT n, manager, days, load FROM parts WHERE cycle = 'Q2' AND employee = 'E021';
SELECT submit_score('Q2', 'E021', '总评', 80, '四五月', rater => 'E020') AS one, submit_score('Q2', 'E021', '总评', 60, '六月', rater => 'E001') AS two;
SELECT round((80.0 * 61 + 60 * 30) / 91, 4) AS by_hand;
DELETE FROM assignment WHERE employee_id = find_employee('E021') AND valid @> '2023-06-01'::date;
UPDATE assignment SET valid = daterange(lower(valid), NULL) WHERE employee_id = find_employee('E021');
SELECT count(*) AS segments FROM parts WHERE employee = 'E021';
-- now the scores of both are those of two superiors
SELECT parts, composite FROM standing WHERE cycle = 'Q2' AND employee = 'E021';
SELECT d.kind, jsonb_array_length(d.inputs -> 'segments') AS before, jsonb_array_length(d.outcome -> 'segments') AS after FROM decision d
 WHERE d.kind = 'review.segment' AND d.employee_id = find_employee('E021') ORDER BY d.decision_id;
-- a locked review keeps what it was
SELECT lock_review('Q2', 'E021', '2023-07-01') AS locked, transfer('E021', '2023-06-10', manager => 'E001') > 0 AS moved;
SELECT parts FROM standing WHERE cycle = 'Q2' AND employee = 'E021';
SELECT * FROM verify();

-- two assignments at once: each rated, weighted by FTE; a third manager for a few days is too little
UPDATE assignment SET fte = 0.6 WHERE employee_id = find_employee('E031');
INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, fte, is_primary, valid)
VALUES (find_employee('E031'), find_unit('TECH'), find_job('TECHNICIAN'), find_employee('E020'), 0.4, false, '[2023-07-01,)'),
       (find_employee('E031'), find_unit('SH'), find_job('SALES'), find_employee('E003'), 0.2, false, '[2023-09-21,)');
SELECT set_setting('review.segment_min_days', '15');
SELECT create_cycle('Q3', '2023-07-01', '2023-09-30', 'ONE', pay_effective => false) > 0 AS made, open_cycle('Q3') AS reviews;
SELECT * FROM parts WHERE cycle = 'Q3';
SELECT submit_score('Q3', 'E031', '总评', 90, '生产', rater => 'E030') AS one, submit_score('Q3', 'E031', '总评', 70, '技术', rater => 'E020') AS both;
SELECT set_setting('review.segment_min_days', '0');
SELECT set_setting('review.segment_min_days', NULL);
SELECT set_setting('review.segment_min_days', '1');

-- a part without a score: block, renormalise, zero
SELECT create_template('P-' || p, '[{"indicator": "总评", "weight": 100}]', missing_policy => p) > 0 AS made, activate_template('P-' || p) > 0 AS active FROM unnest(ARRAY['block', 'renormalise', 'zero']) AS p;
SELECT create_cycle('P-' || p, '2023-01-01', '2023-03-31', 'P-' || p, pay_effective => false) > 0 AS made, open_cycle('P-' || p) AS reviews FROM unnest(ARRAY['block', 'renormalise', 'zero']) AS p;
SELECT p, submit_score('P-' || p, 'E010', '总评', 90, '三月', rater => 'E020') AS last_third FROM unnest(ARRAY['block', 'renormalise', 'zero']) AS p;
SELECT cycle, composite, complete, missing FROM standing WHERE cycle LIKE 'P-%' AND employee = 'E010';
SELECT lock_review('P-block', 'E010', '2023-04-01'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();

-- other weights take the segments along
SELECT create_cycle('RW', '2023-04-01', '2023-06-30', 'ONE', pay_effective => false) > 0 AS made, assign_template('RW', 'MIX', unit_kind => 'marketing') > 0 AS assigned, open_cycle('RW') AS reviews;
SELECT submit_score('RW', 'E011', i, v, '评分', rater => r) AS composite FROM (VALUES (1, '总评', 70, 'E003'), (2, '新签', 90, 'E003'), (3, '总评', 88, 'E030')) AS s (n, i, v, r) ORDER BY n;
SELECT revise_template('MIX', '{"总评": 90, "新签": 10}', '重心转移') AS version;
SELECT before, after FROM what_if('MIX', '{"总评": 90, "新签": 10}', 'RW') WHERE employee_no = 'E011';
SELECT before, after FROM what_if('ONE', '{"总评": 100}', 'RW') WHERE employee_no = 'E011';
SELECT reweight_cycle('RW', 'MIX', '重心转移') AS reviews;
SELECT round((46 * (0.9 * 70 + 0.1 * 90) + 45 * 88) / 91, 4) AS by_hand, composite FROM standing WHERE cycle = 'RW' AND employee = 'E011';
SELECT * FROM verify();

-- leave -----------------------------------------------------------------------------------

-- days of leave weigh nothing; protected leave shrinks the target: 10 × 46 / 92 is 5
SELECT take_leave('E003', '2023-10-01', '2023-11-15') > 0 AS on_leave;
SELECT status, valid, protected FROM employee_status WHERE employee_id = find_employee('E003') ORDER BY valid;
SELECT create_cycle('Q4', '2023-10-01', '2023-12-31', 'MIX', pay_effective => false) > 0 AS made, open_cycle('Q4') AS reviews;
SELECT e.employee_no, t.facts, d.inputs FROM target t JOIN employee e USING (employee_id) JOIN decision d USING (decision_id) WHERE t.cycle_id = find_cycle('Q4');
SELECT submit_score('Q4', 'E003', '新签', facts => '{"actual": 5}', rationale => '5家'), submit_score('Q4', 'E002', '新签', facts => '{"actual": 5}', rationale => '5家');
SELECT e.employee_no, s.attainment, s.value FROM score s JOIN review r USING (review_id) JOIN employee e USING (employee_id) WHERE r.cycle_id = find_cycle('Q4') ORDER BY 1;
-- it turns out to be longer: 10 × 23 / 92; then it is over after all
UPDATE employee_status SET valid = '[2023-12-09,)' WHERE employee_id = find_employee('E003') AND lower(valid) = '2023-11-16';
UPDATE employee_status SET valid = '[2023-10-01,2023-12-09)' WHERE employee_id = find_employee('E003') AND protected;
SELECT t.facts FROM target t WHERE t.cycle_id = find_cycle('Q4') AND t.employee_id = find_employee('E003');
SELECT s.attainment FROM score s WHERE s.review_id = find_review('Q4', 'E003');
UPDATE employee_status SET protected = false WHERE employee_id = find_employee('E003') AND protected;
SELECT t.facts FROM target t WHERE t.cycle_id = find_cycle('Q4') AND t.employee_id = find_employee('E003');
SELECT s.attainment FROM score s WHERE s.review_id = find_review('Q4', 'E003');
-- a target that somebody set shrinks as well; what was set is kept beside it
SELECT create_cycle('Y', '2023-01-01', '2023-12-31', 'MIX', kind => 'yearly', pay_effective => false) > 0 AS made, set_target('Y', 'E090', '新签', '{"target": 3}') > 0 AS set, open_cycle('Y') AS reviews;
SELECT take_leave('E090', '2023-02-01', '2023-03-31') > 0 AS on_leave, take_leave('E002', '2023-02-01', '2023-03-31') > 0 AS on_leave;
SELECT e.employee_no, t.facts, t.given FROM target t JOIN employee e USING (employee_id) WHERE t.cycle_id = find_cycle('Y') ORDER BY 1;
-- bad leave
SELECT take_leave('E090', '2023-03-01', '2023-03-10'); \echo :LAST_ERROR_SQLSTATE
SELECT take_leave('E090', '2023-05-10', '2023-05-01');
SELECT take_leave('E090', NULL, '2023-05-01');
SELECT take_leave('E999', '2023-05-01', '2023-05-02');
INSERT INTO employee_status (employee_id, status, valid, protected) VALUES (find_employee('E001'), 'active', '[2000-01-01,2000-02-01)', true);
SELECT * FROM verify();

DELETE FROM assignment WHERE NOT is_primary;

-- service ---------------------------------------------------------------------------------

SELECT set_setting('review.min_service_days', '60');
SELECT set_setting('review.min_service_days', '0');
SELECT hire('N1', '新人一', 'SH', 'SALES', '2024-02-01', manager => 'E003') > 0 AS hired, hire('N2', '新人二', 'SH', 'SALES', '2024-02-02', manager => 'E003') > 0 AS hired;
SELECT leave('E030', '2024-02-15') > 0 AS gone, take_leave('E021', '2024-01-10', '2024-03-20') > 0 AS on_leave;
SELECT create_cycle('Q1-24', '2024-01-01', '2024-03-31', 'ONE', pay_effective => false) > 0 AS made, open_cycle('Q1-24') AS reviews;
-- 2024-02-01 to 03-31 are 60 days, one less is too few
SELECT employee, status, block_reason FROM standing WHERE cycle = 'Q1-24' AND employee IN ('N1', 'N2', 'E030', 'E021') ORDER BY employee;
SELECT submit_score('Q1-24', 'N2', '总评', 80, '表现'); \echo :LAST_ERROR_SQLSTATE
SELECT lock_review('Q1-24', 'N2');
-- the leave is cut short: 80 of 91 days worked
UPDATE employee_status SET valid = '[2024-01-10,2024-01-21)' WHERE employee_id = find_employee('E021') AND protected;
UPDATE employee_status SET valid = '[2024-01-21,)' WHERE employee_id = find_employee('E021') AND lower(valid) = '2024-03-21';
SELECT employee, status, block_reason FROM standing WHERE cycle = 'Q1-24' AND employee = 'E021';
-- HR decides otherwise, with a reason, and back
SELECT rate_review('Q1-24', 'N2', NULL);
BEGIN; SELECT act_as('E003') > 0 AS acts, rate_review('Q1-24', 'N2', '表现突出'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acts, rate_review('Q1-24', 'N2', '转正考核'); COMMIT;
SELECT submit_score('Q1-24', 'N2', '总评', 60, '尚在学习') AS composite;
SELECT p.status AS plan FROM development_plan p WHERE p.review_id = find_review('Q1-24', 'N2');
SELECT exempt_review('Q1-24', 'N2', ' ');
SELECT exempt_review('Q1-24', 'N2', '培训期'), exempt_review('Q1-24', 'N2', '培训期') AS again;
SELECT p.status AS plan FROM development_plan p WHERE p.review_id = find_review('Q1-24', 'N2');
-- not rated reviews do not hold up the cycle
SELECT count(submit_score('Q1-24', employee, '总评', 80, '季度表现' || employee, rater => 'E001')) AS scored FROM standing WHERE cycle = 'Q1-24' AND status = 'open' AND employee <> 'E001';
SELECT submit_score('Q1-24', 'E001', '总评', 90, '董事会', rater => 'E090') AS composite;
SELECT lock_cycle('Q1-24', '2024-04-01') AS locked;
SELECT c.status, count(*) FILTER (WHERE r.status = 'locked') AS locked, count(*) FILTER (WHERE r.status = 'not_rated') AS not_rated FROM review r JOIN review_cycle c USING (cycle_id) WHERE c.code = 'Q1-24' GROUP BY c.status;
SELECT exempt_review('Q1-24', 'N1', '已锁定'); \echo :LAST_ERROR_SQLSTATE
SELECT kind, inputs, outcome, reason FROM decision WHERE kind IN ('review.not_rated', 'review.rated', 'review.rate', 'review.exempt') ORDER BY decision_id;
-- who is not rated follows neither segments nor settings before they are rated again
SELECT transfer('N2', '2024-03-01', unit => 'TECH') > 0 AS moved, set_setting('indicator.qualitative_missed', '50') AS missed;
SELECT * FROM verify();
SELECT set_setting('indicator.qualitative_missed', '70') AS missed;
SELECT * FROM verify();
-- only the later segment's template has a veto: it holds for the indicator as a whole
SELECT create_template('VETO', '[{"indicator": "总评", "weight": 100, "veto": {"at": 60, "cap": 50}}]') > 0 AS made, activate_template('VETO') > 0 AS active;
SELECT create_cycle('V', '2023-04-01', '2023-06-30', 'ONE', pay_effective => false) > 0 AS made, assign_template('V', 'VETO', unit_kind => 'production') > 0 AS assigned, open_cycle('V') > 0 AS opened;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale, scored_at)
SELECT find_review('V', 'E011'), find_indicator('总评'), find_employee(r), 60, '各段平平', '2023-07-01' FROM unnest(ARRAY['E003', 'E030']) AS r;
SELECT composite, vetoed <> '{}' AS vetoed FROM review WHERE review_id = find_review('V', 'E011');
SELECT * FROM verify();
-- what was scored from facts meets the target of the day on which the review opens again: 46 of 92 days
SELECT create_cycle('W', '2024-07-01', '2024-09-30', 'MIX', pay_effective => false) > 0 AS made, open_cycle('W') > 0 AS opened;
SELECT submit_score('W', 'E011', '总评', 80, '平稳', rater => manager_no) AS one, submit_score('W', 'E011', '新签', facts => '{"actual": 4}', rationale => '4家', rater => manager_no) AS two
  FROM (SELECT m.employee_no AS manager_no FROM review r JOIN employee m ON m.employee_id = r.manager_id WHERE r.review_id = find_review('W', 'E011')) m;
SELECT exempt_review('W', 'E011', '长期病假'), take_leave('E011', '2024-08-16', '2024-09-30') > 0 AS on_leave, rate_review('W', 'E011', '提前返岗');
SELECT s.value, t.facts, r.composite FROM review r JOIN score s USING (review_id) JOIN target t USING (cycle_id, employee_id) WHERE r.review_id = find_review('W', 'E011') AND s.facts IS NOT NULL;
SELECT * FROM verify();
-- what is entered while it is locked is followed when it opens again: then two managers rate; a leave ends earlier
SELECT lock_review('W', 'E011', '2024-10-01') AS result;
SELECT transfer('E011', '2024-08-01', unit => 'SH') > 0 AS moved;
SELECT count(*) AS segments FROM review_segment WHERE review_id = find_review('W', 'E011');
SELECT unlock_review('W', 'E011', '8月1日的调动是补录的') AS open;
SELECT u.code, m.employee_no AS manager_no, g.days, g.from_date, g.until_date FROM review_segment g JOIN org_unit u USING (org_unit_id) JOIN employee m ON m.employee_id = g.manager_id
 WHERE g.review_id = find_review('W', 'E011') ORDER BY g.segment_no;
SELECT r.composite, r.complete FROM review r WHERE r.review_id = find_review('W', 'E011');
SELECT * FROM verify();
SELECT count(submit_score('W', 'E011', i, 70, '接任后看', rater => 'E003')) AS scored FROM unnest(ARRAY['总评', '新签']) AS i;
SELECT lock_review('W', 'E011', '2024-10-02') AS result;
UPDATE employee_status SET status = 'active', protected = false WHERE employee_id = find_employee('E011') AND lower(valid) = '2024-08-16';
SELECT unlock_review('W', 'E011', '没有休假') AS open;
SELECT u.code, g.days FROM review_segment g JOIN org_unit u USING (org_unit_id) WHERE g.review_id = find_review('W', 'E011') ORDER BY g.segment_no;
SELECT * FROM verify();
