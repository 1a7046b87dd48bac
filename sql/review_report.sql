-- review: the history of scores and the report of a cycle (REV-13).
\set books report_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT c, create_cycle(c, f, u, 'ONE', kind => k) > 0 AS made, open_cycle(c) AS reviews
  FROM (VALUES ('2023Q1', '2023-01-01'::date, '2023-03-31'::date, 'quarterly'), ('2023Q2', '2023-04-01', '2023-06-30', 'quarterly'),
               ('2023Q3', '2023-07-01', '2023-09-30', 'quarterly'), ('2023Q4', '2023-10-01', '2023-12-31', 'quarterly'), ('2023', '2023-01-01', '2023-12-31', 'yearly')) AS c (c, f, u, k);
-- locked in another order than they happened; the fourth is open
SELECT c, submit_score(c, 'E010', '总评', v, '按事实,' || c) AS composite
  FROM (VALUES (1, '2023Q3', 82), (2, '2023Q1', 80), (3, '2023Q2', 70), (4, '2023Q4', 99), (5, '2023', 88)) AS s (n, c, v) ORDER BY n;
SELECT c, lock_review(c, 'E010', '2024-01-05') AS locked FROM unnest(ARRAY['2023Q3', '2023Q2', '2023Q1', '2023']) AS c;
-- a corrected score counts in its last version
SELECT unlock_review('2023Q2', 'E010', '漏算') AS open, submit_score('2023Q2', 'E010', '总评', 85, '补算') AS composite, lock_review('2023Q2', 'E010', '2024-01-06') AS locked;

-- REV-13.1 80, 85, 82: three rows in order and a mean of 82.33
SELECT 'REV-13.1' AS id, * FROM score_history('E010') WHERE kind = 'quarterly';
SELECT * FROM score_history('E010') WHERE kind = 'yearly';
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT count(*) AS own FROM score_history('E010'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT count(*) AS as_manager FROM score_history('E010'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT count(*) AS as_hr FROM score_history('E010'); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acts; SELECT count(*) AS as_a_colleague FROM score_history('E010'); ROLLBACK;
SELECT count(*) AS none_yet FROM score_history('E011');
SELECT * FROM score_history('E999'); \echo :LAST_ERROR_SQLSTATE

-- REV-13.2 the cycle locks: one row for each unit, and the grades add up to the reviews
SELECT count(submit_score('2023Q4', e, '总评', v, '按事实,' || e, rater => CASE e WHEN 'E001' THEN 'E090' END)) AS scored
  FROM (VALUES ('E001', 90), ('E002', 89.9999), ('E003', 75), ('E011', 70), ('E020', 95), ('E021', 81), ('E030', 60), ('E031', 80)) AS s (e, v);
SELECT lock_review('2023Q4', 'E021', '2024-01-05') AS one;
-- before: what is locked, and how many are not
SELECT * FROM cycle_report('2023Q4');
SELECT submit_score('2023Q4', 'E090', '总评', 50, '按事实,E090') AS composite;
SELECT lock_cycle('2023Q4', '2024-01-05') AS locked;
SELECT 'REV-13.2' AS id, * FROM cycle_report('2023Q4');
SELECT 'REV-13.2' AS id, sum(c.reviews) AS reviews, sum(c.not_locked) AS not_locked,
       sum((SELECT sum(g.value::int) FROM jsonb_each_text(c.grades) g)) AS grades,
       (SELECT count(*) FROM review WHERE cycle_id = find_cycle('2023Q4')) AS there_are FROM cycle_report('2023Q4') c;
-- heads read their own unit, employees none
BEGIN; SELECT act_as('E003') > 0 AS acts; SELECT unit_code, reviews FROM cycle_report('2023Q4'); ROLLBACK;
BEGIN; SELECT act_as('E010') > 0 AS acts; SELECT count(*) AS units FROM cycle_report('2023Q4'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS acts; SELECT count(*) AS units FROM cycle_report('2023Q4'); ROLLBACK;
SELECT * FROM cycle_report('none'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM verify();
DROP SCHEMA report_test CASCADE;
