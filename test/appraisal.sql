-- Second part of "make real": a whole year's appraisal of the same people, with
-- readings, self, manager and peer ratings, other weights, calibration and
-- appeals.  test/real.sql includes it.  The file has no such figures: they are
-- made from what it has, the same at every run.
\echo
\echo '--- a year: readings ------------------------------------------------------------'
\o /dev/null
SELECT create_indicator('DELIVERED', 'Orders delivered', 'orders delivered of those planned', 'attainment', kind => 'quantitative', pass => 80, cap => 120);
SELECT create_indicator('QUALITY', 'Quality', 'good pieces of all', 'share', '$.good / $.total * 100', kind => 'quantitative', pass => 90);
SELECT create_indicator('RESPONSE', 'Response', 'requests answered in time, percent', 'mean of the months', '$.in_time', kind => 'quantitative', aggregation => 'mean', pass => 75);
SELECT create_indicator('LEARNED', 'Learning', 'newest training score', 'as it is', '$.score', kind => 'quantitative', aggregation => 'last', pass => 50);
SELECT create_indicator('TEAMWORK', 'Teamwork', 'judged by manager and colleagues', '0-100', pass => 60);
SELECT create_template('YEAR', '[
  {"indicator": "DELIVERED", "weight": 20, "facts": {"target": 120}}, {"indicator": "QUALITY", "weight": 15}, {"indicator": "RESPONSE", "weight": 15},
  {"indicator": "LEARNED", "weight": 10}, {"indicator": "TEAMWORK", "weight": 40}]', 'The year');
SELECT activate_template('YEAR');
SELECT create_cycle('2021', '2021-01-01', '2021-12-31', 'YEAR', kind => 'yearly');
\o
:step ('year: open');
SELECT open_cycle('2021') AS reviews_opened;
UPDATE step SET rows = (SELECT count(*) FROM review WHERE cycle_id = find_cycle('2021')) WHERE what = 'year: open';

-- one statement a month, as a business system would send it
CREATE TEMP TABLE reading_of_month AS
SELECT e.employee_id, i.indicator_id, i.code, m.month, x.facts
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text
 CROSS JOIN generate_series(1, 12) AS m (month)
 CROSS JOIN LATERAL (SELECT (hashtext(raw.employee_id || ':' || m.month)::bigint + 2147483648) % 21 AS dice) d
 CROSS JOIN LATERAL (VALUES
   ('DELIVERED', jsonb_build_object('actual', 4 + 4 * "KPIs_met _greaterthan_80percent" + d.dice / 5)),
   ('QUALITY',   jsonb_build_object('good', 880 + coalesce(previous_year_rating, 3)::int * 15 + d.dice, 'total', 1000)),
   ('RESPONSE',  jsonb_build_object('in_time', 60 + coalesce(previous_year_rating, 3)::int * 4 + d.dice)),
   ('LEARNED',   jsonb_build_object('score', avg_training_score))) AS x (indicator, facts)
  JOIN indicator i ON i.code = x.indicator;
ANALYZE reading_of_month;
:step ('year: 12 months of readings');
SELECT format($$INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
                SELECT employee_id, indicator_id, date '2021-01-01' + (month - 1) * interval '1 month' + interval '27 days', facts, 'real', month || ':' || code || ':' || employee_id
                  FROM pg_temp.reading_of_month WHERE month = %s ORDER BY employee_id, indicator_id$$, m)
  FROM generate_series(1, 12) AS m
\gexec
UPDATE step SET rows = (SELECT count(*) FROM measurement) WHERE what = 'year: 12 months of readings';
SELECT count(*) AS live_scores, round(avg(value), 2) AS mean, (SELECT count(*) FROM warning) AS warnings FROM initial_score;
:step ('year: analyze');
ANALYZE;

\echo '--- a year: ratings -------------------------------------------------------------'
-- the employees first
:step ('year: self ratings');
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value)
SELECT r.review_id, i.indicator_id, 'self', r.employee_id, LEAST(100, 70 + raw.length_of_service % 10 + 10 * raw.awards_won + 5 * raw."KPIs_met _greaterthan_80percent")
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text JOIN review r ON r.employee_id = e.employee_id AND r.cycle_id = find_cycle('2021')
  JOIN template_item i USING (template_id) ORDER BY r.review_id;
UPDATE step SET rows = (SELECT count(*) FROM score WHERE rater_group = 'self') WHERE what = 'year: self ratings';
-- three colleagues of the same department, each about teamwork
:step ('year: peer ratings');
INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, rationale)
SELECT r.review_id, find_indicator('TEAMWORK'), 'peer', p.employee_id, 60 + (r.review_id * 7 + p.employee_id) % 36, NULL
  FROM (SELECT r.review_id, r.employee_id, r.org_unit_id, row_number() OVER w AS n, count(*) OVER (PARTITION BY r.org_unit_id) AS of
          FROM review r JOIN assignment a ON a.employee_id = r.employee_id AND a.is_primary JOIN job j ON j.job_id = a.job_id AND j.job_family = 'staff'
         WHERE r.cycle_id = find_cycle('2021') WINDOW w AS (PARTITION BY r.org_unit_id ORDER BY r.employee_id)) r
  JOIN (SELECT r.employee_id, r.org_unit_id, row_number() OVER w AS n
          FROM review r JOIN assignment a ON a.employee_id = r.employee_id AND a.is_primary JOIN job j ON j.job_id = a.job_id AND j.job_family = 'staff'
         WHERE r.cycle_id = find_cycle('2021') WINDOW w AS (PARTITION BY r.org_unit_id ORDER BY r.employee_id)) p
    ON p.org_unit_id = r.org_unit_id AND p.n IN (r.n % r.of + 1, (r.n + 6) % r.of + 1, (r.n + 30) % r.of + 1) AND p.employee_id <> r.employee_id
 ORDER BY r.review_id;
UPDATE step SET rows = (SELECT count(*) FROM score WHERE rater_group = 'peer') WHERE what = 'year: peer ratings';
-- the managers: the figures as the readings gave them, and their own judgement
:step ('year: manager ratings');
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, facts, rationale)
SELECT r.review_id, s.indicator_id, r.manager_id, NULL, s.facts, 'as measured in the year'
  FROM review r JOIN initial_score s USING (review_id) WHERE r.cycle_id = find_cycle('2021') AND r.manager_id IS NOT NULL AND s.value IS NOT NULL
UNION ALL
SELECT r.review_id, find_indicator('TEAMWORK'), r.manager_id, 50 + 8 * coalesce(raw.previous_year_rating, 3) + 5 * raw.awards_won, NULL,
       'works with others as one rated ' || coalesce(raw.previous_year_rating, 3)
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text JOIN review r ON r.employee_id = e.employee_id AND r.cycle_id = find_cycle('2021')
 ORDER BY 1;
UPDATE step SET rows = (SELECT count(*) FROM score s JOIN review r USING (review_id) WHERE r.cycle_id = find_cycle('2021') AND s.rater_group = 'manager')
 WHERE what = 'year: manager ratings';
SELECT count(composite) AS composites, round(avg(composite), 2) AS mean, count(self_composite) AS self, round(avg(self_composite), 2) AS self_mean,
       count(*) FILTER (WHERE abs(composite - self_composite) > 5) AS deviate, count(*) FILTER (WHERE cardinality(plan_reason) > 0) AS plans_due
  FROM review WHERE cycle_id = find_cycle('2021');

\echo '--- a year: other weights -------------------------------------------------------'
:step ('year: what if');
SELECT * FROM what_if_summary('YEAR', '{"TEAMWORK": 30, "DELIVERED": 30}', '2021');
:step ('year: reweight');
\o /dev/null
SELECT revise_template('YEAR', '{"TEAMWORK": 30, "DELIVERED": 30}', 'delivery came first this year');
\o
SELECT reweight_cycle('2021', 'YEAR', 'delivery came first this year') AS reviews_reweighted;
UPDATE step SET rows = (SELECT count(*) FROM review WHERE cycle_id = find_cycle('2021')) WHERE what = 'year: reweight';
-- one reason for each who is far from their own view, in one statement and not by explain_deviation()
SELECT lift_guards('{review}') AS lifted \gset
:step ('year: deviations explained');
UPDATE review SET deviation_reason = 'the employee and the manager talked about it: ' || round(abs(composite - self_composite)) || ' points'
 WHERE cycle_id = find_cycle('2021') AND abs(composite - self_composite) > 5;
UPDATE step SET rows = (SELECT count(deviation_reason) FROM review WHERE cycle_id = find_cycle('2021')) WHERE what = 'year: deviations explained';

\echo '--- a year: calibration ---------------------------------------------------------'
-- nobody rates the general manager, and a hard session takes nobody who is not scored
:step ('year: calibration');
\o /dev/null
SELECT exempt_review('2021', 'GM', 'nobody rates the general manager');
SELECT create_distribution('COMPANY', '{"优秀": 10, "良好": 40, "合格": 40, "待改进": 10}');
SELECT open_calibration('2021', '2021', distribution => 'COMPANY', mode => 'hard');
\o
SELECT apply_calibration('2021', 'the company''s distribution') AS calibrated;
SELECT * FROM close_calibration('2021');
UPDATE step SET rows = (SELECT count(*) FROM calibration) WHERE what = 'year: calibration';
:step ('year: analyze again');
ANALYZE;
:step ('year: lock');
SELECT lock_cycle('2021', '2022-01-05') AS reviews_locked;
UPDATE step SET rows = (SELECT count(*) FROM review_result x JOIN review r USING (review_id) WHERE r.cycle_id = find_cycle('2021')) WHERE what = 'year: lock';
:step ('year: analyze after the lock');
ANALYZE;

\echo '--- a year: appeals -------------------------------------------------------------'
-- 500 people outside HR; those who appeal at once, and those who appeal after they were paid
CREATE TEMP TABLE appellant AS
SELECT e.employee_no, e.employee_id, row_number() OVER (ORDER BY md5(e.employee_no)) AS n
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text
 WHERE raw.department <> 'HR' AND e.employee_id NOT IN (SELECT h.employee_id FROM head h)
 ORDER BY n LIMIT 500;
SELECT employee_no AS judge FROM employee WHERE employee_id = (SELECT employee_id FROM role_holder WHERE role = 'hr' ORDER BY employee_id LIMIT 1) \gset
:step ('year: 250 appeals before payment');
BEGIN;
\o /dev/null
SELECT act_as(employee_no), file_appeal('2021', employee_no, 'my deliveries of December are missing', '2022-01-07') FROM appellant WHERE n <= 250 ORDER BY n;
SELECT act_as(:'judge');
SELECT decide_appeal('2021', employee_no, n % 5 < 2, CASE WHEN n % 5 < 2 THEN 'December was delivered' ELSE 'December was counted' END,
                     CASE WHEN n % 5 < 2 THEN '{"TEAMWORK": 95, "DELIVERED": {"actual": 140}}'::jsonb END, '2022-01-10') FROM appellant WHERE n <= 250 ORDER BY n;
\o
COMMIT;
UPDATE step SET rows = (SELECT count(*) FROM appeal) WHERE what = 'year: 250 appeals before payment';
:step ('year: approve and apply');
BEGIN;
\o /dev/null
SELECT act_as('GM');
\o
SELECT approve_cycle('2021') AS raises_approved;
COMMIT;
SELECT apply_cycle('2021') AS raises_applied;
:step ('year: 250 appeals after payment');
BEGIN;
\o /dev/null
SELECT act_as(employee_no), file_appeal('2021', employee_no, 'my deliveries of December are missing', '2022-01-11') FROM appellant WHERE n > 250 ORDER BY n;
SELECT act_as(:'judge');
SELECT decide_appeal('2021', employee_no, n % 5 < 2, CASE WHEN n % 5 < 2 THEN 'December was delivered' ELSE 'December was counted' END,
                     CASE WHEN n % 5 < 2 THEN '{"TEAMWORK": 95, "DELIVERED": {"actual": 140}}'::jsonb END, '2022-01-14') FROM appellant WHERE n > 250 ORDER BY n;
SELECT act_as('GM');
SELECT approve_cycle('2021');
\o
COMMIT;
SELECT apply_cycle('2021') AS corrections_applied;
UPDATE step SET rows = (SELECT count(*) FROM appeal) - 250 WHERE what = 'year: 250 appeals after payment';
SELECT a.status AS appeal, count(*) AS people, round(avg(x.composite), 2) AS mean_before, round(avg(z.composite), 2) AS mean_after,
       count(*) FILTER (WHERE z.grade <> x.grade) AS other_grade
  FROM appeal a JOIN review_result x USING (result_id) JOIN review_result z ON z.review_id = a.review_id AND z.reopened_by IS NULL GROUP BY a.status ORDER BY 1;
SELECT s.status, count(*) AS adjustments, to_char(sum(s.raise_amount), 'FM999,999,990.00') AS raise_total
  FROM salary_adjustment s WHERE s.cycle_id = find_cycle('2021') GROUP BY s.status ORDER BY 1;
