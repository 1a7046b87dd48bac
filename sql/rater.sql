-- rater: 360-degree review (REV-07): weights, who belongs to a group, minimum groups, and an attack on the raters' anonymity.
\set books rater_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
-- colleagues of 张三 in the shop, and three people who report to him
SELECT count(hire('P' || n, '同事' || n, 'SH', 'SALES', '2022-01-01', manager => 'E003')) AS peers FROM generate_series(1, 5) n;
SELECT count(hire('S' || n, '下属' || n, 'SH', 'SALES', '2022-01-01', manager => 'E010')) AS subordinates FROM generate_series(1, 3) n;
SELECT create_indicator(i, definition => i, standard => '0-100分', pass => 0) > 0 AS made FROM unnest(ARRAY['总评', '协作', '专业']) AS i;
SELECT create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
SELECT create_cycle('C1', '2023-01-01', '2023-03-31', 'ONE', pay_effective => false) > 0 AS made, open_cycle('C1') AS reviews;
CREATE VIEW standing AS
  SELECT c.code AS cycle, e.employee_no AS employee, r.status, r.composite, round(r.composite, 2) AS rounded, r.complete, r.missing_used
    FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) ORDER BY c.cycle_id, e.employee_no;

-- AMB-24: 50/30/20, anonymous from 3
SELECT rater_group, weight, relation, required, minimum, below_minimum FROM rater_group ORDER BY rater_group;
-- REV-07.1: superior 80, peers 90 and 84, subordinate 76
SELECT submit_score('C1', 'E010', '总评', v, '观察', rater => r, rater_group => g) AS composite FROM (VALUES
  (1, 80, 'E003', 'manager'), (2, 90, 'P1', 'peer'), (3, 84, 'P2', 'peer'), (4, 76, 'S1', 'subordinate')) AS s (n, v, r, g) ORDER BY n;
SELECT 'REV-07.1' AS id, rounded FROM standing WHERE employee = 'E010';
-- REV-07.2: no subordinate
SELECT submit_score('C1', 'E011', '总评', v, '观察', rater => r, rater_group => g) AS composite FROM (VALUES
  (1, 80, 'E003', 'manager'), (2, 90, 'P1', 'peer'), (3, 84, 'P2', 'peer')) AS s (n, v, r, g) ORDER BY n;
SELECT 'REV-07.2' AS id, rounded FROM standing WHERE employee = 'E011';
-- REV-07.3: not as one's own peer, nor by the table
SELECT submit_score('C1', 'E010', '总评', 100, '自己', rater => 'E010', rater_group => 'peer'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value) VALUES (find_review('C1', 'E010'), find_indicator('总评'), 'subordinate', find_employee('E010'), 100);
-- without the superior there is no score, whatever the others say
SELECT submit_score('C1', 'E031', '总评', 90, rater => 'E021', rater_group => 'peer') AS composite;
SELECT composite, complete, missing_used FROM standing WHERE employee = 'E031';
SELECT submit_score('C1', 'E031', '总评', 70, '完成较慢') AS composite;
SELECT count(*) AS differences FROM verify();

-- who belongs to a group
SELECT submit_score('C1', 'E010', '总评', 60, rater => 'E011', rater_group => 'subordinate'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('C1', 'E010', '总评', 60, rater => 'E003', rater_group => 'peer');
SELECT submit_score('C1', 'E010', '总评', 60, rater => 'S2', rater_group => 'peer');
SELECT submit_score('C1', 'E010', '总评', 60, '观察', rater => 'P1', rater_group => 'manager');
SELECT submit_score('C1', 'E010', '总评', 60, '观察', rater => 'E020', rater_group => 'manager');
-- the manager's manager is a superior as well, and HR corrects
BEGIN;
SELECT submit_score('C1', 'E010', '总评', 90, '观察', rater => 'E002', rater_group => 'manager') AS composite;
SELECT submit_score('C1', 'E010', '总评', 100, '复核', rater => 'E090', rater_group => 'manager') AS composite;
ROLLBACK;
-- indirect subordinates count as subordinates of the shop manager
BEGIN;
SELECT submit_score('C1', 'E003', '总评', 75, '观察') AS composite, submit_score('C1', 'E003', '总评', 60, rater => 'S1', rater_group => 'subordinate') AS composite;
ROLLBACK;
-- one bad row refuses all
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value)
SELECT find_review('C1', 'E010'), find_indicator('总评'), 'peer', find_employee(e), 50 FROM unnest(ARRAY['P3', 'P4', 'S3']) AS e;
SELECT count(*) AS scores FROM score WHERE review_id = find_review('C1', 'E010');
-- named raters: only they, until the list is empty again
SELECT assign_raters('C1', 'E020', 'peer', ARRAY['E030', 'E090']) AS named;
SELECT submit_score('C1', 'E020', '总评', 80, rater => 'E002', rater_group => 'peer');
SELECT submit_score('C1', 'E020', '总评', 80, rater => 'E030', rater_group => 'peer') AS composite;
SELECT assign_raters('C1', 'E020', 'peer', ARRAY['E090', 'E002']); \echo :LAST_ERROR_SQLSTATE
SELECT assign_raters('C1', 'E020', 'peer', ARRAY['E030', 'E002']) AS named, assign_raters('C1', 'E020', 'peer', ARRAY['E030', 'E002']) AS again;
SELECT assign_raters('C1', 'E020', 'peer', ARRAY['E020']);
SELECT assign_raters('C1', 'E020', 'peer', ARRAY['E999']);
SELECT assign_raters('C1', 'E020', 'nobody', ARRAY['E030']);
SELECT assign_raters('C1', 'E020', 'peer', '{}') AS named, submit_score('C1', 'E020', '总评', 90, rater => 'E090', rater_group => 'peer') AS composite;
BEGIN; SELECT act_as('E030') > 0 AS acts, assign_raters('C1', 'E020', 'peer', ARRAY['E030']); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E001') > 0 AS acts, assign_raters('C1', 'E020', 'peer', ARRAY['E030', 'E090']) AS by_the_manager; ROLLBACK;
-- a conflict of interest
SELECT bar_rater('C1', 'E021', 'E030', '亲属') AS groups;
SELECT submit_score('C1', 'E021', '总评', 99, rater => 'E030', rater_group => 'peer');
SELECT bar_rater('C1', 'E010', 'P1', '亲属');
SELECT bar_rater('C1', 'E010', 'P5', '  ');
BEGIN; SELECT act_as('E003') > 0 AS acts, bar_rater('C1', 'E010', 'P5', '亲属'); ROLLBACK;
-- where the relations are not kept here, lists alone count
SELECT set_setting('rater.relation', 'false');
BEGIN; SELECT submit_score('C1', 'E010', '总评', 60, rater => 'E011', rater_group => 'subordinate') AS composite; ROLLBACK;
SELECT submit_score('C1', 'E021', '总评', 99, rater => 'E030', rater_group => 'peer');
SELECT set_setting('rater.relation', 'true');

-- fewer raters than the minimum: drop, block, and weights of one's own
SELECT create_template(t, '[{"indicator": "总评", "weight": 70}, {"indicator": "协作", "weight": 30}]', missing_policy => p) > 0 AS made
  FROM (VALUES ('DROP', 'block'), ('BLOCK', 'renormalise')) AS v (t, p);
INSERT INTO template_rater_group (template_id, rater_group, weight, required, minimum, below_minimum)
SELECT template_id, g, w, g = 'manager', CASE g WHEN 'manager' THEN 0 ELSE 2 END, lower(code) FROM review_template,
       (VALUES ('manager', 60), ('peer', 25), ('subordinate', 15)) AS v (g, w) WHERE code IN ('DROP', 'BLOCK');
SELECT activate_template('DROP') > 0 AS active, activate_template('BLOCK') > 0 AS active;
SELECT create_cycle(t, '2023-01-01', '2023-03-31', t, pay_effective => false) > 0 AS made, open_cycle(t) AS reviews FROM unnest(ARRAY['DROP', 'BLOCK']) AS t;
SELECT c, submit_score(c, 'E010', '总评', 80, '观察') AS composite, submit_score(c, 'E010', '协作', 60, '观察') AS composite FROM unnest(ARRAY['DROP', 'BLOCK']) AS c;
-- one peer: (70 × 80 + 30 × 60) / 100 without, (70 × (60×80 + 25×100)/85 + 30 × 60) / 100 with
SELECT c, submit_score(c, 'E010', '总评', 100, rater => 'P1', rater_group => 'peer') AS one FROM unnest(ARRAY['DROP', 'BLOCK']) AS c;
SELECT c, submit_score(c, 'E010', '总评', 90, rater => 'P2', rater_group => 'peer') AS two FROM unnest(ARRAY['DROP', 'BLOCK']) AS c;
SELECT lock_review('BLOCK', 'E010', '2023-04-01'); \echo :LAST_ERROR_SQLSTATE
SELECT 'BLOCK' AS c, submit_score('BLOCK', 'E010', i, 90, rater => r, rater_group => g) AS composite FROM (VALUES
  (1, '总评', 'S1', 'subordinate'), (2, '总评', 'S2', 'subordinate'), (3, '协作', 'S1', 'subordinate'), (4, '协作', 'S2', 'subordinate'),
  (5, '协作', 'P1', 'peer'), (6, '协作', 'P2', 'peer')) AS s (n, i, r, g) ORDER BY n;
SELECT cycle, composite, complete, missing_used FROM standing WHERE cycle IN ('DROP', 'BLOCK') AND employee = 'E010';
SELECT count(*) AS differences FROM verify();

-- what is shown after the lock --------------------------------------------------------

-- 2 peers and 1 subordinate are shown as one group of 3; two peers alone only in the total
SELECT lock_review('C1', 'E010', '2023-04-01') AS locked, lock_review('C1', 'E011', '2023-04-01') AS locked;
BEGIN;
SELECT act_as('E010') AS acts \gset
SELECT * FROM feedback('C1', 'E010');
SELECT line FROM explain_score('C1', 'E010');
SELECT act_as('E011') AS acts \gset
SELECT * FROM feedback('C1', 'E011', 'en');
-- nobody else's
SELECT * FROM feedback('C1', 'E010');
SELECT act_as('E003') AS acts \gset
SELECT rater_group, raters, value FROM feedback('C1', 'E010');
SELECT act_as('E090') AS acts \gset
SELECT rater_group, raters, value FROM feedback('C1', 'E010');
COMMIT;
SELECT feedback('C1', 'E999');

-- the attack -------------------------------------------------------------------------------
-- A role of an application that may act for everybody, but not read the tables.
CREATE ROLE regress_rater_app;
GRANT USAGE ON SCHEMA rater_test TO regress_rater_app;
GRANT EXECUTE ON FUNCTION act_as, feedback TO regress_rater_app;
SET ROLE regress_rater_app;
BEGIN;
SELECT act_as('E010') AS acts \gset
SELECT rater_group, raters, value FROM feedback('C1', 'E010');
SELECT rater_id, raw_value FROM score;
ROLLBACK;
BEGIN;
SELECT act_as('E010') AS acts \gset
SELECT * FROM review_item;
ROLLBACK;
-- without acting for anybody, the role is nobody
SELECT count(*) AS shown FROM feedback('C1', 'E010');
RESET ROLE;

-- 1. watching scores come in: what the manager and the employee see before and after one peer is the same
CREATE FUNCTION seen(reader text, cycle text, employee text) RETURNS text LANGUAGE sql AS $$
  SELECT rater_test.act_as(reader);
  SELECT concat_ws(' | ', (SELECT concat_ws('/', a.self_score, a.manager_score, a.both_in) FROM rater_test.assessment a WHERE a.cycle_code = cycle AND a.employee_no = employee),
                   (SELECT string_agg(line, ' ; ' ORDER BY line_no) FROM rater_test.explain_score(cycle, employee, 'en')),
                   (SELECT count(*) FROM rater_test.feedback(cycle, employee)) || ' rows of feedback',
                   (SELECT count(*) FROM rater_test.notification n WHERE n.recipient_id = rater_test.find_employee(reader)) || ' notices',
                   (SELECT string_agg(d.deviation::text, ',') FROM rater_test.score_deviation d WHERE d.cycle_code = cycle AND d.employee_no = employee))
$$;
SELECT create_template('TWO', '[{"indicator": "协作", "weight": 60}, {"indicator": "专业", "weight": 40}]') > 0 AS made, activate_template('TWO') > 0 AS active;
SELECT create_cycle('C2', '2023-04-01', '2023-06-30', 'TWO', pay_effective => false) > 0 AS made, open_cycle('C2') AS reviews;
BEGIN; SELECT act_as('E010') > 0 AS acts, submit_score('C2', 'E010', i, 90, rater_group => 'self') FROM unnest(ARRAY['协作', '专业']) AS i; COMMIT;
BEGIN; SELECT act_as('E003') > 0 AS acts, submit_score('C2', 'E010', i, 80, '观察') AS told FROM unnest(ARRAY['协作', '专业']) AS i; COMMIT;
CREATE TABLE watched (at integer, reader text, saw text);
BEGIN; INSERT INTO watched SELECT 1, r, seen(r, 'C2', 'E010') FROM unnest(ARRAY['E003', 'E010']) AS r; COMMIT;
BEGIN; SELECT act_as('P1') > 0 AS acts, submit_score('C2', 'E010', i, 20, '不回复邮件', rater_group => 'peer') AS told FROM unnest(ARRAY['协作', '专业']) AS i; COMMIT;
BEGIN; INSERT INTO watched SELECT 2, r, seen(r, 'C2', 'E010') FROM unnest(ARRAY['E003', 'E010']) AS r; COMMIT;
SELECT reader, saw FROM watched WHERE at = 1 ORDER BY reader;
SELECT a.reader, a.saw = b.saw AS same, r.composite AS truth FROM watched a JOIN watched b USING (reader), standing r
 WHERE a.at = 1 AND b.at = 2 AND r.cycle = 'C2' AND r.employee = 'E010' ORDER BY a.reader;
-- nor by trying: the manager gives the score again, or locks and reads the refusal
BEGIN; SELECT act_as('E003') > 0 AS acts, submit_score('C2', 'E010', '协作', 80, '再看一眼') AS told; SELECT lock_review('C2', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS acts, explain_deviation('C2', 'E010', '自评偏高') AS told; COMMIT;

-- 2. subtraction: over many mixtures of raters, the fewest anonymous raters about whom an equation can be made
SELECT create_cycle('C3', '2023-04-01', '2023-06-30', 'TWO', pay_effective => false) > 0 AS made, open_cycle('C3') AS reviews, set_setting('rater.relation', 'false');
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, rationale)
SELECT r.review_id, find_indicator(i), g.rater_group, x.employee_id, (r.review_id * 7 + x.employee_id * 13 + length(i)) % 101, i || x.employee_no
  FROM review r JOIN employee e USING (employee_id) CROSS JOIN unnest(ARRAY['协作', '专业']) AS i CROSS JOIN rater_group g
  JOIN LATERAL (SELECT b.*, row_number() OVER (ORDER BY b.employee_id) AS n FROM employee b WHERE b.employee_id <> r.employee_id) x
    -- 0 to 4 peers and subordinates, another number for each review and indicator
    ON CASE g.rater_group WHEN 'manager' THEN x.n = 1 WHEN 'peer' THEN x.n BETWEEN 2 AND 1 + (r.review_id + length(i) * (i = '协作')::int) % 5
                          WHEN 'subordinate' THEN x.n BETWEEN 8 AND 7 + (r.review_id / 5 + (i = '专业')::int) % 5 ELSE false END
 WHERE r.cycle_id = find_cycle('C3');
SELECT lock_cycle('C3', '2023-07-01') > 0 AS locked;
WITH given AS (
  SELECT v.review_id, i.code, count(*) FILTER (WHERE s.rater_group = 'peer') AS peers, count(*) FILTER (WHERE s.rater_group = 'subordinate') AS subordinates
    FROM review v JOIN score s USING (review_id) JOIN indicator i USING (indicator_id) WHERE v.cycle_id = find_cycle('C3') GROUP BY v.review_id, i.code
), shown AS (
  SELECT v.review_id, f.indicator_code AS code, array_agg(f.rater_group ORDER BY f.rater_group) AS headings,
         min(f.raters) FILTER (WHERE f.rater_group IN ('peer', 'subordinate', 'others')) AS fewest,
         bool_or(f.rater_group = 'manager') AS manager_shown
    FROM review v JOIN employee e USING (employee_id) CROSS JOIN LATERAL feedback('C3', e.employee_no) f WHERE v.cycle_id = find_cycle('C3')
   GROUP BY v.review_id, f.indicator_code
)
SELECT CASE WHEN peers + subordinates = 0 THEN 'none' WHEN peers + subordinates < 3 THEN '1 or 2' ELSE '3 and more' END AS anonymous, headings, count(*) AS indicators, min(fewest) AS fewest,
       -- with the total and the manager's figure known, the rest can be solved for
       count(*) FILTER (WHERE peers + subordinates BETWEEN 1 AND 2 AND manager_shown) AS solved
  FROM given JOIN shown USING (review_id, code) GROUP BY 1, 2 ORDER BY 1, 2;
-- comments without enough authors are not there either
SELECT count(*) AS comments_of_too_few
  FROM review v JOIN employee e USING (employee_id) CROSS JOIN LATERAL feedback('C3', e.employee_no) f CROSS JOIN LATERAL unnest(f.comments) c
 WHERE v.cycle_id = find_cycle('C3') AND f.rater_group = 'total' AND c NOT IN (SELECT s.rationale FROM score s WHERE s.review_id = v.review_id AND s.rater_group = 'manager');

-- 3. order: is who wrote first more often than by chance first in the list, or in the same place for both indicators?
WITH listed AS (
  SELECT v.review_id, f.indicator_code, c.text, c.n, count(*) OVER (PARTITION BY v.review_id, f.indicator_code) AS of,
         rank() OVER (PARTITION BY v.review_id, f.indicator_code ORDER BY s.score_id) AS written, s.rater_id
    FROM review v JOIN employee e USING (employee_id) CROSS JOIN LATERAL feedback('C3', e.employee_no) f
    CROSS JOIN LATERAL unnest(f.comments) WITH ORDINALITY AS c (text, n)
    JOIN score s ON s.review_id = v.review_id AND s.rationale = c.text
   WHERE v.cycle_id = find_cycle('C3') AND f.rater_group IN ('peer', 'subordinate', 'others')
)
SELECT count(*) > 60 AS enough_lists, (avg((n = written)::int) < 0.45) AS no_better_than_chance,
       (SELECT avg((a.n = b.n)::int) < 0.45 FROM listed a JOIN listed b USING (review_id, rater_id) WHERE a.indicator_code < b.indicator_code) AS nor_across_indicators
  FROM listed;
-- reading again tells nothing new
SELECT (SELECT array_agg(f ORDER BY f.indicator_code, f.rater_group) FROM feedback('C3', 'E010') f) = (SELECT array_agg(f ORDER BY f.indicator_code, f.rater_group) FROM feedback('C3', 'E010') f) AS same;

-- 4. before and after: a result that was shown cannot be taken again with one rater more, less or other
SELECT set_setting('rater.relation', 'true'), lock_review('C2', 'E010', '2023-07-01') AS locked, unlock_review('C2', 'E010', '复核') AS open;
SELECT submit_score('C2', 'E010', '协作', 100, rater => 'P2', rater_group => 'peer'); \echo :LAST_ERROR_SQLSTATE
SELECT submit_score('C2', 'E010', '协作', 21, rater => 'P1', rater_group => 'peer');
DELETE FROM score WHERE review_id = find_review('C2', 'E010') AND rater_id = find_employee('P1'); \echo :LAST_ERROR_SQLSTATE
-- the manager's own can be corrected
SELECT submit_score('C2', 'E010', '协作', 85, '补充证据') AS composite, explain_deviation('C2', 'E010', '自评偏高') < 0 AS below, lock_review('C2', 'E010', '2023-07-02') AS locked;

-- exactly half goes up, though a mean of three does not end: (50 × 70 + 30 × 210.0004 / 3) / 80 = 70.00005
SELECT create_template('HALF', '[{"indicator": "协作", "weight": 100}]') > 0 AS made, activate_template('HALF') > 0 AS active,
       create_cycle('HALF', '2023-07-01', '2023-09-30', 'HALF', pay_effective => false) > 0 AS made, open_cycle('HALF') > 0 AS opened,
       set_setting('rater.relation', 'false'), submit_score('HALF', 'E010', '协作', 70, '按事实') AS manager;
SELECT max(submit_score('HALF', 'E010', '协作', v, rater => r, rater_group => 'peer')) AS composite FROM (VALUES ('P1', 70.0001), ('P2', 70.0001), ('P3', 70.0002)) AS s (r, v);
SELECT r.composite, i.value, i.points FROM review r JOIN review_item i USING (review_id) WHERE r.review_id = find_review('HALF', 'E010');
-- nor when means are averaged again: 91 × 4.91% + 66.5 × 7.59% + (50 × 92 + 20 × 100) / 70 × 87.5% = 92.01545
SELECT create_template('HALVES', '[{"indicator": "总评", "weight": 4.91}, {"indicator": "专业", "weight": 7.59}, {"indicator": "协作", "weight": 87.5}]') > 0 AS made, activate_template('HALVES') > 0 AS active,
       create_cycle('HALVES', '2024-01-01', '2024-03-31', 'HALVES', pay_effective => false) > 0 AS made, open_cycle('HALVES') > 0 AS opened;
SELECT submit_score('HALVES', 'E010', i, v, '按事实') AS composite FROM (VALUES (1, '总评', 91), (2, '专业', 66.5), (3, '协作', 92)) AS s (n, i, v) ORDER BY n;
SELECT submit_score('HALVES', 'E010', '协作', 100, rater => 'S1', rater_group => 'subordinate') IS NOT NULL AS subordinate;
SELECT indicator_code, value, points FROM review_item WHERE review_id = find_review('HALVES', 'E010') ORDER BY position;
SELECT r.composite, w.before, w.after FROM review r, what_if('HALVES', '{"总评": 4.91}', 'HALVES') w WHERE r.review_id = find_review('HALVES', 'E010') AND w.employee_no = 'E010';
SELECT * FROM verify();
-- a draft waits while anonymous scores count; once they do not, or nothing does, it goes with its cause
SELECT set_setting('rater.relation', 'true'), create_cycle('WAIT', '2023-10-01', '2023-12-31', 'ONE', pay_effective => false) > 0 AS made, open_cycle('WAIT') > 0 AS opened;
SELECT e, submit_score('WAIT', e, '总评', 60, '完成较慢') AS draft,
       submit_score('WAIT', e, '总评', 60, rater => 'P1', rater_group => 'peer') AS peer, submit_score('WAIT', e, '总评', 95, '补交') AS raised FROM unnest(ARRAY['E010', 'E011']) AS e;
CREATE VIEW waiting AS
  SELECT e.employee_no AS employee, r.status, r.anonymous, r.plan_reason, p.status AS plan
    FROM review r JOIN employee e USING (employee_id) LEFT JOIN development_plan p USING (review_id)
   WHERE r.cycle_id = find_cycle('WAIT') AND e.employee_no IN ('E010', 'E011') ORDER BY e.employee_no;
SELECT * FROM waiting;
DELETE FROM score WHERE review_id = find_review('WAIT', 'E010') AND rater_group = 'peer';
SELECT exempt_review('WAIT', 'E011', '长期休假') IS NOT NULL AS exempted;
SELECT * FROM waiting;
SELECT * FROM verify();
REVOKE ALL ON SCHEMA rater_test FROM regress_rater_app;
DROP OWNED BY regress_rater_app;
DROP ROLE regress_rater_app;
