-- The loop over a file of real data: "make real CSV=path" runs this beside a
-- temporary server; the file is ./real.csv.  It has the form of the well-known
-- HR promotion data set, whose columns are named below.
\set ON_ERROR_STOP on
\set QUIET on
\set SHOW_CONTEXT never
\pset footer off
\pset linestyle unicode
\pset pager off
\pset null '-'
SET client_min_messages = warning;
\set step  'INSERT INTO pg_temp.step (what) VALUES '

CREATE TEMP TABLE step (n int GENERATED ALWAYS AS IDENTITY, what text, began timestamptz DEFAULT clock_timestamp(), rows bigint);
CREATE TEMP TABLE raw (
  employee_id           bigint  PRIMARY KEY,
  department            text    NOT NULL,
  region                text,
  education             text,
  gender                text,
  recruitment_channel   text,
  no_of_trainings       integer NOT NULL CHECK (no_of_trainings >= 0),
  age                   integer,
  previous_year_rating  numeric CHECK (previous_year_rating BETWEEN 1 AND 5),
  length_of_service     integer NOT NULL CHECK (length_of_service BETWEEN 0 AND 60),
  "KPIs_met _greaterthan_80percent" integer NOT NULL CHECK ("KPIs_met _greaterthan_80percent" IN (0, 1)),
  awards_won            integer NOT NULL CHECK (awards_won IN (0, 1)),
  avg_training_score    numeric NOT NULL CHECK (avg_training_score BETWEEN 0 AND 100),
  is_promoted           integer
);

\echo
\echo '--- reading the file ----------------------------------------------------------'
:step ('read the file');
-- HEADER match: a file of another form is refused, with the column that differs
\copy raw FROM 'real.csv' WITH (FORMAT csv, HEADER match)
UPDATE step SET rows = (SELECT count(*) FROM raw) WHERE what = 'read the file';
SELECT count(*) > 0 AS has_rows FROM raw \gset
\if :has_rows
\else
  DO $$BEGIN RAISE 'real.csv has no lines below its header'; END$$;
\endif
SELECT count(*) AS employees, count(DISTINCT department) AS departments,
       count(*) - count(previous_year_rating) AS without_rating, count(*) - count(education) AS without_education,
       count(*) FILTER (WHERE "KPIs_met _greaterthan_80percent" = 1) AS met_their_kpis
  FROM raw;

\echo 'A rating that the file does not have is missing, not zero: the other indicators then'
\echo 'count in full. The file has no pay: base pay is made from service, training score and'
\echo 'education, the same at every run. It has no names, jobs or managers either: the longest'
\echo 'serving of a department heads it, and a general manager (GM) is added above the heads.'
\echo
\echo '--- making the company --------------------------------------------------------'
:step ('install the books');
CREATE EXTENSION hrloop CASCADE;
\o /dev/null
SELECT hrloop.install('real');
SET search_path = real, pg_catalog;
SELECT set_setting('signal.locale', 'en');
UPDATE book SET company = 'real data';

:step ('units, jobs, employees, pay');
SELECT add_unit('COMPANY', 'The company', 'company', 'functional');
INSERT INTO org_unit (code, name, unit_kind, parent_id)
SELECT department, department,
       CASE WHEN department IN ('Technology', 'Analytics', 'R&D') THEN 'technology'
            WHEN department LIKE 'Sales%' THEN 'marketing'
            WHEN department IN ('Operations', 'Procurement') THEN 'production' ELSE 'functional' END,
       find_unit('COMPANY')
  FROM raw GROUP BY department ORDER BY department;
INSERT INTO job (code, name, job_family) VALUES ('GM', 'General manager', 'management'), ('HEAD', 'Head of department', 'management');
INSERT INTO job (code, name, job_family) SELECT department || ' staff', department || ' staff', 'staff' FROM raw GROUP BY department ORDER BY department;
SELECT hire('GM', 'General manager', 'COMPANY', 'GM', '1990-01-01');

INSERT INTO employee (employee_no, name, hired_on, education)
SELECT employee_id::text, 'Employee ' || employee_id, (date '2021-01-01' - make_interval(years => length_of_service))::date, education
  FROM raw ORDER BY employee_id;
INSERT INTO employee_status (employee_id, status, valid)
SELECT e.employee_id, 'active', daterange(e.hired_on, NULL) FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text ORDER BY 1;
CREATE TEMP TABLE head AS
SELECT DISTINCT ON (raw.department) raw.department, e.employee_id
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text
 ORDER BY raw.department, raw.length_of_service DESC, raw.age DESC, raw.employee_id;
INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, valid)
SELECT e.employee_id, u.org_unit_id, j.job_id, CASE WHEN h.employee_id = e.employee_id THEN g.employee_id ELSE h.employee_id END,
       daterange(e.hired_on, NULL)
  FROM raw
  JOIN employee e ON e.employee_no = raw.employee_id::text
  JOIN head h USING (department)
  JOIN org_unit u ON u.code = raw.department
  JOIN job j ON j.code = CASE WHEN h.employee_id = e.employee_id THEN 'HEAD' ELSE raw.department || ' staff' END
  JOIN employee g ON g.employee_no = 'GM'
 ORDER BY e.employee_id;
INSERT INTO unit_head (org_unit_id, employee_id, valid)
SELECT find_unit(department), employee_id, daterange('2020-01-01', NULL) FROM head
UNION ALL SELECT find_unit('COMPANY'), find_employee('GM'), daterange('2020-01-01', NULL);
INSERT INTO role_holder (role, employee_id)
SELECT 'hr', employee_id FROM head WHERE department = 'HR';
INSERT INTO salary (employee_id, amount, valid)
SELECT e.employee_id,
       round(4000 + 260.55 * raw.length_of_service + 45.37 * raw.avg_training_score
             + CASE WHEN raw.education LIKE 'Master%' THEN 1500 WHEN raw.education LIKE 'Bachelor%' THEN 800 ELSE 0 END, 2),
       daterange('2021-01-01', NULL)
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text ORDER BY 1;
UPDATE step SET rows = (SELECT count(*) FROM employee) WHERE what LIKE 'units%';

:step ('indicators, template, skills, resources');
SELECT create_indicator('KPI', 'KPIs met', 'More than 80 % of the KPIs were met', 'met 95, not met 60', '$.met * 35 + 60', pass => 80);
SELECT create_indicator('TRAINING', 'Training score', 'Mean score of the trainings, 0-100', 'as it was', pass => 60);
SELECT create_indicator('RATING', 'Previous rating', 'Rating of the year before, 1-5', 'on a 5-point scale', pass => 60);
SELECT create_indicator('AWARDS', 'Awards', 'An award in the year', 'won 100, none 75', pass => 60);
SELECT create_indicator('TAKEPART', 'Trainings attended', 'Number of trainings', '60 and 10 for each', '$.trainings * 10 + 60', pass => 60);
SELECT create_template('REAL', '[
  {"indicator": "KPI", "weight": 40}, {"indicator": "RATING", "weight": 25}, {"indicator": "TRAINING", "weight": 20},
  {"indicator": "TAKEPART", "weight": 10}, {"indicator": "AWARDS", "weight": 5}]',
  'Performance', missing_policy => 'renormalise');
SELECT activate_template('REAL');
INSERT INTO skill (code, name) VALUES ('TARGETS', 'Working to targets'), ('LEARNING', 'Learning');
INSERT INTO indicator_skill (indicator_id, skill_id, required) VALUES
  (find_indicator('KPI'), find_skill('TARGETS'), 60), (find_indicator('TRAINING'), find_skill('LEARNING'), 60);
-- what is known of a skill: the training score speaks for learning
INSERT INTO skill_rating (employee_id, skill_id, rating, rated_on, source)
SELECT e.employee_id, find_skill('LEARNING'), raw.avg_training_score, '2021-03-31', 'training'
  FROM raw JOIN employee e ON e.employee_no = raw.employee_id::text ORDER BY 1;
INSERT INTO resource (code, name, kind, duration, every, topic) VALUES
  ('C1', 'Course: planning and priorities', 'course', '1 month', NULL, NULL),
  ('P1', 'Project: one KPI of the own team', 'project', '3 months', NULL, NULL),
  ('M1', 'Talks with the head of department', 'mentor', '2 months', '14 days', 'Last year''s rating'),
  ('C2', 'Course: learning to learn', 'course', '1 month', NULL, NULL);
INSERT INTO resource_tag (resource_id, indicator_id) VALUES
  (find_resource('C1'), find_indicator('KPI')), (find_resource('P1'), find_indicator('KPI')),
  (find_resource('M1'), find_indicator('RATING')), (find_resource('C2'), find_indicator('TRAINING'));
SELECT create_scale('raise_tech', 'raise', '[
  {"range": "[90,)", "value": 10}, {"range": "[80,90)", "value": 8}, {"range": "(,80)", "value": 0}]', 'Raises in technology');
SELECT add_raise_rule('raise_tech', unit_kind => 'technology');
\o

:step ('analyze');
ANALYZE;

\echo '--- one cycle -----------------------------------------------------------------'
:step ('open the cycle');
\o /dev/null
SELECT create_cycle('2021Q1', '2021-01-01', '2021-03-31', 'REAL');
\o
SELECT open_cycle('2021Q1') AS reviews_opened;
UPDATE step SET rows = (SELECT count(*) FROM review) WHERE what = 'open the cycle';

-- every score in one statement: composites and draft plans come of it
:step ('score everybody');
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, scale_max, facts, rationale)
SELECT r.review_id, i.indicator_id, r.manager_id, s.value, s.scale_max, s.facts, s.rationale
  FROM raw
  JOIN employee e ON e.employee_no = raw.employee_id::text
  JOIN review r ON r.employee_id = e.employee_id
  CROSS JOIN LATERAL (VALUES
    ('KPI', NULL::numeric, 100, jsonb_build_object('met', "KPIs_met _greaterthan_80percent"),
     CASE "KPIs_met _greaterthan_80percent" WHEN 1 THEN 'met more than 80 % of the KPIs' ELSE 'met 80 % of the KPIs or less' END),
    ('RATING', previous_year_rating, 5, NULL, 'was rated ' || previous_year_rating || ' of 5 in the year before'),
    ('TRAINING', avg_training_score, 100, NULL, 'mean training score ' || avg_training_score),
    ('TAKEPART', NULL, 100, jsonb_build_object('trainings', no_of_trainings), 'attended ' || no_of_trainings || ' trainings'),
    ('AWARDS', CASE awards_won WHEN 1 THEN 100 ELSE 75 END, 100, NULL, CASE awards_won WHEN 1 THEN 'won an award' ELSE 'won no award' END)
  ) AS s (indicator, value, scale_max, facts, rationale)
  JOIN indicator i ON i.code = s.indicator
 WHERE s.rationale IS NOT NULL
 ORDER BY r.review_id;
UPDATE step SET rows = (SELECT count(*) FROM score) WHERE what = 'score everybody';
SELECT (SELECT count(*) FROM score) AS scores, count(composite) AS composites, round(avg(composite), 2) AS mean_score,
       count(*) FILTER (WHERE items_scored = 4) AS without_rating, (SELECT count(*) FROM development_plan) AS draft_plans
  FROM review;

:step ('analyze again');
ANALYZE;
-- nobody rates the general manager: that review stays open
:step ('lock the cycle');
SELECT lock_cycle('2021Q1', '2021-04-01', skip_incomplete => true) AS reviews_locked;
UPDATE step SET rows = (SELECT count(*) FROM review_result) WHERE what = 'lock the cycle';

:step ('analyze a third time');
ANALYZE;
:step ('approve all raises');
BEGIN;
\o /dev/null
SELECT act_as('GM');
\o
SELECT approve_cycle('2021Q1') AS raises_approved;
COMMIT;
UPDATE step SET rows = (SELECT count(*) FROM salary_adjustment WHERE status = 'approved') WHERE what LIKE 'approve%';
:step ('apply all raises');
SELECT apply_cycle('2021Q1') AS raises_applied;
UPDATE step SET rows = (SELECT count(*) FROM salary_adjustment WHERE status = 'applied') WHERE what LIKE 'apply%';

\ir appraisal.sql
:step ('verify everything');
\pset footer on
CREATE TEMP TABLE difference AS SELECT * FROM verify();
SELECT count(*) AS differences FROM difference;
SELECT * FROM difference ORDER BY problem, table_name, row_id LIMIT 20;
\pset footer off
:step ('reports');

\echo '--- by department -------------------------------------------------------------'
SELECT coalesce(u.name, 'all') AS department, count(*) AS people, round(avg(x.composite), 2) AS mean_score,
       count(p.plan_id) AS plans, count(*) FILTER (WHERE a.raise_amount > 0) AS raises,
       to_char(sum(a.old_amount), 'FM999,999,999,990.00') AS pay_before, to_char(sum(a.raise_amount), 'FM999,999,990.00') AS raise_total,
       round(100 * sum(a.raise_amount) / sum(a.old_amount), 2) AS percent
  FROM review r
  JOIN review_result x USING (review_id)
  JOIN org_unit u ON u.org_unit_id = r.org_unit_id
  JOIN salary_adjustment a USING (result_id)
  LEFT JOIN development_plan p ON p.review_id = r.review_id AND p.status <> 'withdrawn'
 GROUP BY ROLLUP (u.name) ORDER BY grouping(u.name), u.name;
\echo '--- by grade ------------------------------------------------------------------'
SELECT x.grade, min(x.composite) AS lowest, max(x.composite) AS highest, count(*) AS people,
       count(*) FILTER (WHERE a.raise_amount > 0) AS raises, count(p.plan_id) AS plans
  FROM review_result x JOIN salary_adjustment a USING (result_id)
  LEFT JOIN development_plan p ON p.review_id = x.review_id AND p.status <> 'withdrawn'
 GROUP BY x.grade ORDER BY 2 DESC;
\echo '--- plans by indicator: why they are there, and what is to be done --------------'
SELECT i.name AS indicator, count(*) AS plans, count(g.skill_id) AS with_known_skill_gap, round(avg(g.gap), 2) AS mean_gap
  FROM plan_gap g JOIN indicator i USING (indicator_id) GROUP BY i.name ORDER BY 2 DESC;
SELECT i.kind, i.title, count(*) AS items, min(i.due_on) AS due_on, sum((SELECT count(*) FROM plan_session s WHERE s.plan_item_id = i.plan_item_id)) AS sessions
  FROM plan_item i GROUP BY i.kind, i.title ORDER BY 3 DESC;

-- somebody without a rating, with a plan and a raise, if there is such a person
SELECT e.employee_no AS someone
  FROM review r JOIN employee e USING (employee_id) JOIN salary_adjustment a USING (employee_id)
  LEFT JOIN development_plan p USING (review_id)
 WHERE r.status = 'locked'
 ORDER BY (r.items_scored = 4)::int + (p.plan_id IS NOT NULL)::int + 2 * (a.raise_amount > 0)::int DESC, e.employee_id LIMIT 1 \gset
\echo '--- one employee: number' :someone '---------------------------------------------------'
SELECT n.recipient_role AS as_the, n.body AS notice
  FROM notification n WHERE n.recipient_id = find_employee(:'someone') ORDER BY n.notification_id;
SELECT line AS why_this_score FROM explain_score('2021Q1', :'someone');
SELECT line AS why_this_pay FROM explain_pay(:'someone');

\echo '--- payroll, and what HR should look after -------------------------------------'
SELECT kind, feed_rows, to_char(feed_total, 'FM999,999,999,990.00') AS feed_total, difference FROM payroll_reconciliation WHERE feed_rows > 0 ORDER BY kind;
SELECT problem, count(*) FROM data_quality GROUP BY problem ORDER BY 2 DESC;
:step ('end');

\echo '--- time ------------------------------------------------------------------------'
SELECT what AS step, round(extract(epoch FROM next - began), 1) AS seconds, rows,
       round(rows / nullif(extract(epoch FROM next - began), 0)) AS rows_a_second
  FROM (SELECT *, lead(began) OVER (ORDER BY n) AS next FROM step) s WHERE next IS NOT NULL
UNION ALL
SELECT 'all', round(extract(epoch FROM max(began) - min(began)), 1), NULL, NULL FROM step;
SELECT pg_size_pretty(pg_database_size(current_database())) AS database_size;
