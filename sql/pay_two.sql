-- pay: two people set base pay by hand, whoever they are, and nobody their own (SEC-01, PAY-02).
\set books two_test
\set past yes
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT hire('E091', '马人事', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS hr, hire('E092', '财务', 'GROUP', 'HRBP', '2019-01-01', manager => 'E001') > 0 AS finance;
INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E091')), ('finance', find_employee('E092'));
CREATE TEMP VIEW pay AS SELECT lower(valid) AS from_day, upper(valid) AS until_day, amount FROM salary WHERE employee_id = find_employee('E011') AND superseded_by IS NULL ORDER BY valid;
CREATE TEMP VIEW waiting AS SELECT e.employee_no AS who, q.what, q.amount, q.from_date, r.employee_no AS asked, c.employee_no AS confirmed, q.withdrawn_at IS NOT NULL AS withdrawn FROM change_request q JOIN employee e USING (employee_id) LEFT JOIN employee r ON r.employee_id = q.requested_by LEFT JOIN employee c ON c.employee_id = q.confirmed_by ORDER BY q.change_request_id;
SELECT * FROM pay;
-- the first one asks: nothing changes, HR is told that it waits
BEGIN; SELECT act_as('E090') > 0 AS acting, set_salary('E011', 15000, '2024-01-01', '调岗') AS row; COMMIT;
SELECT * FROM waiting;
SELECT count(*) AS standing, max(amount) AS most FROM pay;
SELECT recipient_role, body FROM notification WHERE kind LIKE '%.requested' ORDER BY 1;
-- asking twice is not two people, nor are other figures the same; who gets it is refused by name
BEGIN; SELECT act_as('E090') > 0 AS acting, set_salary('E011', 15000, '2024-01-01', '调岗'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E092') > 0 AS acting, set_salary('E011', 15001, '2024-01-01', '调岗'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E011') > 0 AS acting, set_salary('E011', 15000, '2024-01-01', '调岗'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E031') > 0 AS acting, set_salary('E011', 15000, '2024-01-01', '调岗'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- nor does a row of the request written by hand confirm it
BEGIN; SELECT act_as('E090') > 0 AS acting; UPDATE change_request SET confirmed_by = find_employee('E091'), confirmed_at = now() WHERE what = 'salary'; ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E090') > 0 AS acting; UPDATE change_request SET amount = 99999 WHERE what = 'salary'; ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- the second one says the same, and it is done: the decision names both
BEGIN; SELECT act_as('E092') > 0 AS acting, set_salary('E011', 15000.00, '2024-01-01', '同意') > 0 AS set; COMMIT;
SELECT * FROM waiting;
SELECT * FROM pay;
SELECT d.kind, d.inputs, d.outcome, d.reason, d.decided_by FROM decision d WHERE d.employee_id = find_employee('E011') AND d.kind = 'salary.set' ORDER BY decision_id DESC LIMIT 1;
-- taking it back takes two as well; and what waits can be withdrawn, by who asked for it or HR
BEGIN; SELECT act_as('E092') > 0 AS acting, withdraw_salary('E011', '2024-01-01', '误操作') AS pay; COMMIT;
BEGIN; SELECT act_as('E031') > 0 AS acting, withdraw_request(max(change_request_id)) FROM change_request; ROLLBACK; \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E092') > 0 AS acting, withdraw_request((SELECT max(change_request_id) FROM change_request)) AS withdrawn; COMMIT;
SELECT withdraw_request((SELECT max(change_request_id) FROM change_request)); \echo :LAST_ERROR_SQLSTATE
BEGIN; SELECT act_as('E092') > 0 AS acting, withdraw_salary('E011', '2024-01-01', '误操作') AS pay; SELECT act_as('E090') > 0 AS acting, withdraw_salary('E011', '2024-01-01', '误操作') AS pay; COMMIT;
SELECT * FROM waiting;
-- nor is it entered in the table by one person
BEGIN; SELECT act_as('E090') > 0 AS acting; INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E091'), 9000, '[2019-01-01,)'); ROLLBACK; \echo :LAST_ERROR_SQLSTATE
-- without four eyes, and by the owner of the books, one is enough
BEGIN; SELECT set_setting('four_eyes.pay', 'false') AS off, act_as('E090') > 0 AS acting; SELECT set_salary('E011', 15500, '2024-02-01', '调岗') > 0 AS set; SELECT * FROM pay; ROLLBACK;
SELECT set_salary('E011', 15600, '2024-03-01', '导入') > 0 AS set;
SELECT * FROM verify();
