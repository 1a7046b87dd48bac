-- A company of :people, generated: the same rows at every run.  Below each manager
-- are twenty people, in units of a hundred; a cycle is open, every review waits for
-- eight scores of :raters raters, the manager and colleagues.  bench.input holds them, and what else the works put in.
\set ON_ERROR_STOP on
\if :{?raters} \else \set raters 1 \endif
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('hr') \g /dev/null
SET search_path = hr, pg_catalog;

-- people are generated, not hired: no consequences
SET session_replication_role = replica;
INSERT INTO org_unit (org_unit_id, code, name, kind, unit_kind) VALUES (1, 'U0', 'company', 'company', 'functional');
INSERT INTO org_unit (org_unit_id, code, name, kind, unit_kind, parent_id)
SELECT 1 + n, 'U' || n, 'unit ' || n, 'department', 'production', 1 FROM generate_series(1, :people / 100 + 1) n;
INSERT INTO job (job_id, code, name, job_family) VALUES (1, 'J1', 'head', 'management'), (2, 'J2', 'worker', 'production');
-- 1 leads the company, the first of each hundred its unit, the first of each twenty the others of these
INSERT INTO employee (employee_id, employee_no, name, hired_on) SELECT n, 'P' || n, 'Person ' || n, '2020-01-01' FROM generate_series(1, :people) n;
INSERT INTO employee_status (employee_id, status, valid) SELECT n, 'active', daterange('2020-01-01', NULL) FROM generate_series(1, :people) n;
INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, valid)
SELECT n, 2 + (n - 1) / 100, CASE WHEN n % 20 = 1 THEN 1 ELSE 2 END,
       CASE WHEN n = 1 THEN NULL WHEN n % 100 = 1 THEN 1 WHEN n % 20 = 1 THEN n - (n - 1) % 100 ELSE n - (n - 1) % 20 END, daterange('2020-01-01', NULL)
  FROM generate_series(1, :people) n;
INSERT INTO unit_head (org_unit_id, employee_id, valid) SELECT 2 + (n - 1) / 100, n, daterange('2020-01-01', NULL) FROM generate_series(1, :people, 100) n;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', :people), ('executive', 1);
INSERT INTO salary (employee_id, amount, valid) SELECT n, 5000 + n % 500 * 10, daterange('2023-01-01', NULL) FROM generate_series(1, :people) n;
INSERT INTO skill (code, name) VALUES ('S', 'skill');
INSERT INTO skill_level (skill_id, rank, code, name) SELECT find_skill('S'), n, 'L' || n, 'level ' || n FROM generate_series(1, 3) n;
INSERT INTO certification (code, name, skill_level_id) SELECT code, name, skill_level_id FROM skill_level;
INSERT INTO allowance_rule (skill_level_id, amount) SELECT skill_level_id, rank * 500 FROM skill_level;
SET session_replication_role = origin;
ANALYZE;

SELECT create_indicator('I' || n, definition => 'indicator ' || n, standard => '0-100', pass => 60) FROM generate_series(1, 8) n \g /dev/null
INSERT INTO resource (code, name, kind) VALUES ('R1', 'a course', 'course'), ('R2', 'a project', 'project');
INSERT INTO resource_tag (resource_id, indicator_id) SELECT find_resource('R' || r), find_indicator('I' || n) FROM generate_series(1, 8) n, generate_series(1, 2) r;
SELECT create_template('T', (SELECT jsonb_agg(jsonb_build_object('indicator', 'I' || n, 'weight', 12.5)) FROM generate_series(1, 8) n)), activate_template('T') \g /dev/null
-- a cycle before, all scored: tables are not empty, and plans know their size
SELECT create_cycle('B', '2022-10-01', '2022-12-31', 'T'), open_cycle('B') \g /dev/null
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale, scored_at)
SELECT r.review_id, i.indicator_id, coalesce(r.manager_id, 2), 80, 'as agreed', '2023-01-01' FROM review r JOIN template_item i USING (template_id) ORDER BY 1, 2;
SELECT create_cycle('C', '2023-01-01', '2023-03-31', 'T'), open_cycle('C') \g /dev/null
-- for the reweighting
SELECT revise_template('T', '{"I1": 20, "I2": 5}', 'what counts has changed'), activate_template('T') \g /dev/null

CREATE SCHEMA bench;
-- CPU time of this backend in microseconds, or where the system does not tell it, the time
CREATE FUNCTION bench.cpu() RETURNS bigint LANGUAGE SQL AS $$
  SELECT coalesce(split_part(pg_read_file('/proc/self/schedstat', 0, 100, true), ' ', 1)::bigint / 1000, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) $$;
CREATE TABLE bench.rater AS
SELECT r.review_id, 0 AS place, 'manager' AS rater_group, coalesce(r.manager_id, 2) AS rater_id FROM review r WHERE r.cycle_id = find_cycle('C')
UNION ALL
SELECT r.review_id, p.place, 'peer', p.employee_id
  FROM review r
 CROSS JOIN LATERAL (SELECT c.employee_id, row_number() OVER (ORDER BY c.employee_id) AS place FROM review c
                      WHERE c.cycle_id = r.cycle_id AND c.manager_id = r.manager_id AND c.employee_id <> r.employee_id
                      ORDER BY c.employee_id LIMIT :raters - 1) p
 WHERE r.cycle_id = find_cycle('C');
-- Who has no manager is rated by somebody on the review's list: the one outsider would
-- have a plan made for outsiders in the middle of what is measured.
INSERT INTO review_rater (review_id, rater_group, rater_id) SELECT review_id, 'manager', 2 FROM review WHERE cycle_id = find_cycle('C') AND manager_id IS NULL;
-- Nobody falls short in raw; in low one review of ten does, by one indicator.  Who has no
-- manager has no colleagues and comes last: all others have the same number of scores.
CREATE TABLE bench.input AS
SELECT row_number() OVER (ORDER BY r.manager_id IS NULL, r.review_id, i.position, b.place) AS n, r.review_id, i.indicator_id, b.rater_group, b.rater_id,
       80 + hashint8((r.review_id * 8 + i.position) * 5 + b.place) % 1000 * 0.01 AS raw,
       CASE WHEN r.review_id % 10 = 3 AND i.position = 1 + r.review_id / 10 % 8 THEN 50
            ELSE 80 + hashint8((r.review_id * 8 + i.position) * 5 + b.place) % 1000 * 0.01 END AS low,
       'agreed in the talk of ' || r.employee_id AS rationale,
       -- another order, in which neighbours belong to different reviews
       row_number() OVER (ORDER BY i.position, b.place, r.review_id) AS turn
  FROM review r JOIN template_item i USING (template_id) JOIN bench.rater b USING (review_id) WHERE r.cycle_id = find_cycle('C');
CREATE UNIQUE INDEX ON bench.input (n);
CREATE UNIQUE INDEX ON bench.input (turn);
CREATE SEQUENCE bench.turn;
CREATE TABLE bench.certificate AS SELECT n, n AS employee_id, (SELECT certification_id FROM certification WHERE code = 'L1') AS certification_id FROM generate_series(1, :people) n;
CREATE UNIQUE INDEX ON bench.certificate (n);
-- locked in one statement, beside the peers'
SELECT lift_guards('{review}') \g /dev/null
VACUUM ANALYZE;
