-- org: people over time, key events, settings, the log of decisions (ORG-02, ORG-07).
\set books org_test
\set by_hand '{decision}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- ORG-02.1: hired 2021-03-01, 本科, 销售代表: two completed years on 2023-03-31
SELECT 'ORG-02.1' AS id, employee_no, name, job_name, education, hired_on, service_years, status, unit_name, manager_no
  FROM employee_on('2023-03-31') WHERE employee_no = 'E010';
SELECT d AS on_date, service_years
  FROM unnest(ARRAY['2021-02-28', '2021-03-01', '2022-02-28', '2022-03-01', '2023-02-28', '2023-03-01', '2024-02-29', '2031-02-28']::date[]) AS d
  LEFT JOIN LATERAL (SELECT * FROM employee_on(d) WHERE employee_no = 'E010') e ON true ORDER BY d;
-- a leap day
SELECT hire('E012', '闰年', 'SH', 'SALES', '2020-02-29', population => 'new_graduate', status => 'probation') > 0 AS hired;
SELECT d AS on_date, service_years, status, population, manager_no
  FROM unnest(ARRAY['2021-02-28', '2021-03-01', '2024-02-28', '2024-02-29']::date[]) AS d
  CROSS JOIN LATERAL (SELECT * FROM employee_on(d) WHERE employee_no = 'E012') e ORDER BY d;

-- ORG-02.2: who left on 2023-04-01 has no review in a cycle that begins on this day
SELECT leave('E011', '2023-04-01') > 0 AS left, leave('E012', '2023-04-02') > 0 AS left_a_day_later;
SELECT create_cycle('2023Q1', '2023-01-01', '2023-03-31', 'SALES') > 0 AS made, create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made;
SELECT assign_template('2023Q2', 'MAKE', unit_kind => 'production') > 0 AS assigned;
SELECT open_cycle('2023Q1') AS q1, open_cycle('2023Q2') AS q2;
SELECT 'ORG-02.2' AS id, e.employee_no, count(*) FILTER (WHERE c.code = '2023Q1') AS q1, count(*) FILTER (WHERE c.code = '2023Q2') AS q2
  FROM employee e LEFT JOIN review r USING (employee_id) LEFT JOIN review_cycle c USING (cycle_id)
 WHERE e.employee_no IN ('E010', 'E011', 'E012') GROUP BY e.employee_no ORDER BY e.employee_no;
SELECT status, valid FROM employee_status WHERE employee_id = find_employee('E011') ORDER BY valid;
-- a year is whole on its day; there is none before the first, nor at infinity
SELECT d, service_years('2020-02-29', d) FROM unnest(ARRAY['-infinity', '2019-01-01', '2021-02-28', '2021-03-01', 'infinity']::date[]) AS d;
SELECT employee_no, status FROM employee_on('2023-03-31') WHERE employee_no IN ('E011', 'E012')
UNION ALL SELECT employee_no, status FROM employee_on('2023-04-01') WHERE employee_no IN ('E011', 'E012') ORDER BY 1, 2;

-- the whole life cycle is kept up to the last day; what was planned after it is gone
SELECT hire('E013', '周期', 'SH', 'SALES', '2022-01-01', status => 'probation') > 0 AS hired;
UPDATE employee_status SET valid = '[2022-01-01,2022-04-01)' WHERE employee_id = find_employee('E013');
INSERT INTO employee_status (employee_id, status, valid) VALUES
  (find_employee('E013'), 'active', '[2022-04-01,2022-09-01)'), (find_employee('E013'), 'on_leave', '[2022-09-01,2023-01-01)'),
  (find_employee('E013'), 'active', '[2023-01-01,)');
SELECT leave('E013', '2022-10-01') > 0 AS left;
SELECT status, valid FROM employee_status WHERE employee_id = find_employee('E013') ORDER BY valid;
INSERT INTO employee_status (employee_id, status, valid) VALUES (find_employee('E013'), 'active', '[2022-03-01,2022-05-01)'); \echo :LAST_ERROR_SQLSTATE

-- errors of hire: nothing is stored by halves
SELECT hire('E100', 'nobody', 'NOWHERE', 'SALES', '2023-01-01'); \echo :LAST_ERROR_SQLSTATE
SELECT hire('E100', 'nobody', 'SH', 'NOTHING', '2023-01-01');
SELECT hire('E100', 'nobody', 'SH', 'SALES', '2023-01-01', manager => 'E999');
SELECT hire('E010', 'twice', 'SH', 'SALES', '2023-01-01'); \echo :LAST_ERROR_SQLSTATE
SELECT hire('E100', 'nobody', 'SH', 'SALES', '2023-01-01', fte => 0);
SELECT hire('E100', 'nobody', 'SH', 'SALES', '2023-01-01', fte => 1.5);
SELECT hire('E100', 'nobody', 'SH', 'SALES', '2023-01-01', status => 'happy');
SELECT hire('E100', 'nobody', 'SH', 'SALES', '2023-01-01', population => 'happy');
SELECT hire('', 'nobody', 'SH', 'SALES', '2023-01-01');
SELECT hire(NULL, 'nobody', 'SH', 'SALES', '2023-01-01');
SELECT hire('E100', 'nobody', NULL, 'SALES', '2023-01-01');
SELECT hire('E100', 'nobody', 'SH', NULL, '2023-01-01');
SELECT hire('E100', 'nobody', 'SH', 'SALES', NULL);
SELECT count(*) AS stored FROM employee WHERE employee_no NOT LIKE 'E0%';

-- errors of leave
SELECT leave('E999', '2023-06-01');
SELECT leave('E010', NULL);
SELECT leave('E010', '2021-03-01');
SELECT leave('E011', '2023-06-01');
SELECT leave(NULL, '2023-06-01');

-- transfer: what is not given stays; a new unit brings its own head
SELECT transfer('E010', '2023-06-01', unit => 'TECH', job => 'TECHNICIAN') > 0 AS moved;
SELECT d AS on_date, unit_code, job_code, manager_no AS named_manager,
       (SELECT employee_no FROM employee WHERE employee_id = manager_of(e.employee_id, d)) AS manager
  FROM unnest(ARRAY['2023-05-31', '2023-06-01']::date[]) AS d
  CROSS JOIN LATERAL (SELECT * FROM employee_on(d) WHERE employee_no = 'E010') e ORDER BY d;
SELECT transfer('E010', '2023-07-01', manager => 'E021') > 0 AS moved;
SELECT transfer('E010', '2023-08-01', job => 'SALES') > 0 AS moved;
SELECT u.code, j.code AS job, m.employee_no AS manager, a.valid FROM assignment a JOIN org_unit u USING (org_unit_id) JOIN job j USING (job_id)
  LEFT JOIN employee m ON m.employee_id = a.manager_id WHERE a.employee_id = find_employee('E010') ORDER BY a.valid;
-- the head of a unit answers to the next head above; the head of the root to nobody
SELECT transfer('E020', '2023-06-01', unit => 'TECH') > 0 AS moved;
SELECT e.employee_no, m.employee_no AS manager
  FROM employee e LEFT JOIN employee m ON m.employee_id = manager_of(e.employee_id, '2023-06-01')
 WHERE e.employee_no IN ('E001', 'E020', 'E021') ORDER BY e.employee_no;
-- who has left manages nobody from this day on: the next head above does
SELECT leave('E003', '2023-06-15') > 0 AS left;
SELECT d AS on_date, e.employee_no, m.employee_no AS manager
  FROM unnest(ARRAY['2023-06-14', '2023-06-15']::date[]) AS d CROSS JOIN employee e LEFT JOIN employee m ON m.employee_id = manager_of(e.employee_id, d)
 WHERE e.employee_no IN ('E003', 'E012') ORDER BY d, e.employee_no;
-- errors of transfer
SELECT transfer('E999', '2023-09-01');
SELECT transfer('E010', '2023-08-01', unit => 'SH');
SELECT transfer('E010', '2020-01-01', unit => 'SH');
SELECT transfer('E010', NULL, unit => 'SH');
SELECT transfer(NULL, '2023-09-01', unit => 'SH');
SELECT transfer('E010', '2023-09-01', unit => 'NOWHERE');
SELECT transfer('E010', '2023-09-01', manager => 'E010'); \echo :LAST_ERROR_SQLSTATE

-- two primary assignments at a time
INSERT INTO assignment (employee_id, org_unit_id, job_id, valid) VALUES (find_employee('E021'), find_unit('SH'), find_job('SALES'), '[2023-01-01,2023-02-01)'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO assignment (employee_id, org_unit_id, job_id, valid) VALUES (find_employee('E021'), find_unit('SH'), find_job('SALES'), '(,2019-04-01)');
INSERT INTO assignment (employee_id, org_unit_id, job_id, valid) VALUES (find_employee('E021'), find_unit('SH'), find_job('SALES'), 'empty');
-- two heads of a unit, two terms of a role
INSERT INTO unit_head (org_unit_id, employee_id, valid) VALUES (find_unit('TECH'), find_employee('E021'), '[2023-01-01,)');
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E090'));
INSERT INTO role_holder (role, employee_id) VALUES ('king', find_employee('E090'));

-- ORG-07: two key events inside the cycle, one outside (its second half belongs to DQ-03's view)
INSERT INTO key_event (employee_id, occurred_on, event, evidence, indicator_id, amount) VALUES
  (find_employee('E010'), '2023-02-10', '挽回1个流失客户', 'CRM 4711', find_indicator('客户满意度'), NULL),
  (find_employee('E010'), '2023-03-31', '成功完成项目A,为公司带来100万收入', NULL, NULL, 1000000.00),
  (find_employee('E010'), '2023-04-01', '项目B', NULL, NULL, NULL),
  (find_employee('E021'), '2023-01-01', '第一天', NULL, NULL, NULL),
  (find_employee('E021'), '2022-12-31', '前一天', NULL, NULL, NULL);
SELECT 'ORG-07' AS id, employee_no, occurred_on, event, evidence, indicator_code, amount
  FROM review_key_event WHERE cycle_code = '2023Q1' ORDER BY employee_no, occurred_on;
SELECT cycle_code, count(*) FROM review_key_event WHERE employee_no = 'E010' GROUP BY cycle_code ORDER BY cycle_code;
-- what is no event
INSERT INTO key_event (employee_id, occurred_on, event) VALUES (find_employee('E010'), '2023-02-10', '  。');
INSERT INTO key_event (employee_id, occurred_on, event, amount) VALUES (find_employee('E010'), '2023-02-10', 'x', 0.001);
INSERT INTO key_event (employee_id, occurred_on, event, indicator_id) VALUES (find_employee('E010'), '2023-02-10', 'x', 4711);
-- the same event of another system is stored once, events by hand as often as they happen
INSERT INTO key_event (employee_id, occurred_on, event, source, external_id) VALUES (find_employee('E010'), '2023-02-11', '大单', 'crm', '1');
INSERT INTO key_event (employee_id, occurred_on, event, source, external_id) VALUES (find_employee('E010'), '2023-02-11', '大单', 'crm', '1') ON CONFLICT DO NOTHING;
INSERT INTO key_event (employee_id, occurred_on, event, source, external_id) VALUES (find_employee('E010'), '2023-02-11', '大单', 'crm', '1'); \echo :LAST_ERROR_SQLSTATE

-- settings and the log of decisions
SELECT set_setting('no.such', '1'); \echo :LAST_ERROR_SQLSTATE
SELECT set_setting('rationale.min_chars', 'many'); \echo :LAST_ERROR_SQLSTATE
SELECT set_setting('plan.on_missed', 'yes');
SELECT set_setting('pay.minor_digits', '7');
SELECT set_setting('rationale.min_chars', '3') AS three;
SELECT setting_number('rationale.min_chars') AS number, setting_on('plan.on_missed') AS is_on, setting_text('plan.missed_max_score') AS switched_off;
SELECT set_setting(NULL, '1');
SELECT kind FROM new_decision('cycle.sign', find_employee('E010'), 'employee', find_employee('E010'), '{}', '{}', 'for the test');
UPDATE decision SET reason = 'another'; \echo :LAST_ERROR_SQLSTATE
DELETE FROM decision;
TRUNCATE decision CASCADE;

-- who may: a role without rights, and one with just what it needs
CREATE ROLE regress_org_clerk;
SET ROLE regress_org_clerk;
SELECT org_test.hire('E101', 'nobody', 'SH', 'SALES', '2023-01-01'); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON SCHEMA org_test TO regress_org_clerk;
SET ROLE regress_org_clerk;
SELECT hire('E101', 'nobody', 'SH', 'SALES', '2023-01-01'); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM employee;
RESET ROLE;
GRANT EXECUTE ON FUNCTION add_unit, find_unit, unknown_code TO regress_org_clerk;
GRANT SELECT, INSERT, UPDATE ON org_unit TO regress_org_clerk;
-- for somebody of HR alone, whatever rights the role has
SET ROLE regress_org_clerk;
SELECT add_unit('SH2', '上海二店', 'branch', parent => 'SH'); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SET LOCAL ROLE regress_org_clerk;
SELECT add_unit('SH2', '上海二店', 'branch', parent => 'SH') > 0 AS added;
COMMIT;
BEGIN;
SELECT act_as('E090') > 0 AS acting;
SET LOCAL ROLE regress_org_clerk;
UPDATE org_unit SET parent_id = (SELECT org_unit_id FROM org_unit WHERE code = 'SH2') WHERE code = 'GROUP';
ROLLBACK;
SET ROLE regress_org_clerk;
SELECT count(*) FROM salary;
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA org_test FROM regress_org_clerk;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA org_test FROM regress_org_clerk;
REVOKE ALL ON SCHEMA org_test FROM regress_org_clerk;
DROP ROLE regress_org_clerk;

SELECT count(*) AS differences FROM verify();
DROP SCHEMA org_test CASCADE;
