-- org: the tree of units, in books that begin empty (ORG-01).
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

-- ORG-01.1: 1, 2 and 3 people directly in 集团, 华东分公司 and 上海门店
SELECT hrloop.install('org_tree') IS NOT NULL AS installed;
SET search_path = org_tree, pg_catalog;
INSERT INTO job (code, name) VALUES ('J', '员工');
SELECT add_unit('G', '集团', 'company') > 0 AS added, add_unit('E', '华东分公司', 'branch', parent => 'G') > 0 AS added,
       add_unit('S', '上海门店', 'branch', parent => 'E') > 0 AS added;
SELECT count(hire('P' || n, 'person ' || n, u, 'J', '2022-01-01')) AS hired
  FROM (VALUES (1, 'G'), (2, 'E'), (3, 'E'), (4, 'S'), (5, 'S'), (6, 'S')) AS p (n, u);
SELECT 'ORG-01.1' AS id, code, name, direct, total FROM unit_headcount('2023-01-01');
-- other days and other people: nobody yet; one left, one on leave (still counted), one moved, a second assignment
SELECT code, direct, total FROM unit_headcount('2021-12-31');
SELECT leave('P6', '2023-05-01') > 0 AS left;
UPDATE employee_status SET valid = '[2022-01-01,2023-05-01)' WHERE employee_id = find_employee('P5');
INSERT INTO employee_status (employee_id, status, valid) VALUES (find_employee('P5'), 'on_leave', '[2023-05-01,)');
SELECT transfer('P2', '2023-05-01', unit => 'S') > 0 AS moved;
INSERT INTO assignment (employee_id, org_unit_id, job_id, fte, is_primary, valid)
VALUES (find_employee('P1'), find_unit('S'), find_job('J'), 0.5, false, '[2022-01-01,)');
SELECT code, direct, total FROM unit_headcount('2023-04-30');
SELECT code, direct, total FROM unit_headcount('2023-05-01');

-- ORG-01.2: no circle, and no row changes
UPDATE org_unit SET parent_id = find_unit('S') WHERE code = 'G'; \echo :LAST_ERROR_SQLSTATE
SELECT 'ORG-01.2' AS id, u.code, p.code AS parent FROM org_unit u LEFT JOIN org_unit p ON p.org_unit_id = u.parent_id ORDER BY u.code;
-- ... neither by one's own parent, nor by several rows of one statement that are right one by one
UPDATE org_unit SET parent_id = org_unit_id WHERE code = 'E';
INSERT INTO org_unit (org_unit_id, code, name, parent_id) VALUES (101, 'X1', 'X1', 102), (102, 'X2', 'X2', 101);
SELECT add_unit('N', '宁波门店', 'branch', parent => 'E') > 0 AS added;
UPDATE org_unit u SET parent_id = p.org_unit_id
  FROM (VALUES ('N', 'S'), ('S', 'N')) AS v (code, parent) JOIN org_unit p ON p.code = v.parent WHERE u.code = v.code;
-- a swap of parent and child is no circle
UPDATE org_unit u SET parent_id = p.org_unit_id
  FROM (VALUES ('S', 'G'), ('E', 'S')) AS v (code, parent) JOIN org_unit p ON p.code = v.parent WHERE u.code = v.code;
SELECT u.code, p.code AS parent FROM org_unit u LEFT JOIN org_unit p ON p.org_unit_id = u.parent_id ORDER BY u.code;
SELECT code, direct, total FROM unit_headcount('2023-05-01');

-- what keeps the tree from being complete (AMB-46)
INSERT INTO unit_head (org_unit_id, employee_id, valid) VALUES
  (find_unit('G'), find_employee('P1'), '[2022-01-01,)'), (find_unit('E'), find_employee('P3'), '[2022-01-01,2022-06-01)');
SELECT * FROM org_integrity ORDER BY problem, code;
SELECT add_unit('G2', '第二集团', 'company') > 0 AS added;
UPDATE org_unit SET active = false WHERE code IN ('G2', 'E');
SELECT * FROM org_integrity ORDER BY problem, code;
UPDATE org_unit SET active = true WHERE code = 'G2';
SELECT * FROM org_integrity WHERE problem = 'no_single_root';

-- ORG-01.3: a staged import with one unknown parent of four
INSERT INTO org_unit_import (code, name, kind, parent_code) VALUES
  ('W', '西部', 'branch', 'G'), ('W1', '西部一店', 'branch', 'W'), ('W2', '西部二店', 'branch', 'NOWHERE'), ('W3', '西部三店', NULL, 'W1');
SELECT 'ORG-01.3' AS id, * FROM check_org_import();
SELECT load_org_import(); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS loaded FROM org_unit WHERE code LIKE 'W%';
-- ... the other things that may be wrong with a line
INSERT INTO org_unit_import (code, name, kind, parent_code) VALUES
  ('C1', 'circle', 'team', 'C2'), ('C2', 'circle', 'team', 'C1'), ('C3', 'below a circle', 'team', 'C1'),
  ('C4', 'own parent', 'team', 'C4'), ('G', 'taken', 'company', NULL), ('W1', 'twice', 'branch', 'W'),
  (NULL, 'no code', 'team', 'W'), ('Q', '', 'team', 'W'), ('Q1', 'no such kind', 'galaxy', 'W');
SELECT line_no, code, problem, detail FROM check_org_import();
DELETE FROM org_unit_import WHERE line_no > 4;
UPDATE org_unit_import SET parent_code = 'W' WHERE code = 'W2';
SELECT * FROM check_org_import();
SELECT load_org_import() AS loaded;
SELECT u.code, u.name, u.kind, p.code AS parent FROM org_unit u JOIN org_unit p ON p.org_unit_id = u.parent_id WHERE u.code LIKE 'W%' ORDER BY u.code;
SELECT count(*) AS waiting FROM org_unit_import;
SELECT load_org_import() AS nothing_to_load;

-- errors of add_unit
SELECT add_unit('Z', 'Z', parent => 'NOWHERE'); \echo :LAST_ERROR_SQLSTATE
SELECT add_unit('G', 'again'); \echo :LAST_ERROR_SQLSTATE
SELECT add_unit('', 'no code');
SELECT add_unit('Z', 'Z', 'galaxy');
SELECT add_unit(NULL, 'Z');
SELECT add_unit('Z', NULL);
DELETE FROM org_unit WHERE code = 'S';
SELECT count(*) AS differences FROM verify();
DROP SCHEMA org_tree CASCADE;
