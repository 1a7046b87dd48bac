-- pay: the order in which facts become known does not decide: twins, one in the order of days, one at random (PAY-02).
\set books twin_test
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => '总体表现', standard => '0-100分', pass => 0) > 0 AS made,
       create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active;
CREATE TEMP VIEW pay AS
  SELECT e.employee_no AS who, s.amount, lower(s.valid) AS from_day, upper(s.valid) AS until_day
    FROM salary s JOIN employee e USING (employee_id) WHERE s.superseded_by IS NULL ORDER BY e.employee_no, lower(s.valid);
SELECT setseed(0.16);
SELECT count(hire(g || n, '孪生' || g || n, 'SH', 'SALES', '2023-01-01', manager => 'E003')) AS hired
  FROM unnest(ARRAY['A', 'B']) AS g, generate_series(1, 60) AS n;
SELECT create_cycle('R' || q, d::date, (d + interval '3 months' - interval '1 day')::date, 'ONE') > 0 AS made
  FROM (VALUES (1, '2024-10-01'::timestamp), (2, '2025-01-01'), (3, '2025-04-01')) AS c (q, d);
SELECT create_cycle('RY', '2024-10-01', '2025-06-30', 'ONE', kind => 'yearly') > 0 AS made;
SELECT count(open_cycle(c)) AS opened FROM unnest(ARRAY['R1', 'R2', 'R3', 'RY']) AS c;
INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
SELECT find_review(c, e.employee_no), find_indicator('总评'), find_employee('E003'), 60 + hashint4(substr(e.employee_no, 2)::int * 10 + length(c) + ascii(right(c, 1))) % 40 * sign(hashint4(substr(e.employee_no, 2)::int * 10 + length(c) + ascii(right(c, 1)))), '按事实评分,' || e.employee_no
  FROM unnest(ARRAY['R1', 'R2', 'R3', 'RY']) AS c, employee e WHERE e.name LIKE '孪生%';
SELECT lock_cycle(c, '2025-07-10', skip_incomplete => true) > 0 AS locked FROM unnest(ARRAY['R1', 'R2', 'R3', 'RY']) AS c;
-- facts of each pair: three amounts, four raises, for some a leave
CREATE TEMP TABLE fact AS
SELECT n, k, CASE WHEN k <= 3 THEN 'set' WHEN k <= 7 THEN 'raise' ELSE 'leave' END AS kind,
       CASE WHEN k = 1 THEN '2023-01-01'::date WHEN k <= 3 THEN '2024-06-01'::date + (random() * 500)::int ELSE '2025-02-01'::date + (random() * 200)::int END AS day,
       round((5000 + random() * 9000)::numeric, 2) AS amount, (ARRAY['R1', 'R2', 'R3', 'RY'])[k - 3] AS cycle, random() AS r
  FROM generate_series(1, 60) AS n, generate_series(1, 8) AS k WHERE k < 8 OR n % 3 = 0;
CREATE FUNCTION pg_temp.know(who text, f fact) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF f.kind = 'set' THEN PERFORM twin_test.set_salary(who, f.amount, f.day, '随机');
  ELSIF f.kind = 'leave' THEN PERFORM twin_test.leave(who, f.day);
  ELSE
    PERFORM twin_test.approve_adjustment(f.cycle, who), twin_test.apply_adjustment(f.cycle, who)
       FROM twin_test.salary_adjustment a WHERE a.employee_id = twin_test.find_employee(who) AND a.cycle_id = twin_test.find_cycle(f.cycle)
        AND a.status = 'proposed';
  END IF;
EXCEPTION WHEN check_violation THEN NULL;
END $$;
SELECT count(pg_temp.know('A' || f.n, f)) AS known FROM (SELECT * FROM fact ORDER BY n, kind = 'leave', day, k OFFSET 0) f;
SELECT count(pg_temp.know('B' || f.n, f)) AS known FROM (SELECT * FROM fact ORDER BY n, r OFFSET 0) f;
-- what was not yet known when its raise was to be paid is proposed by now
SELECT count(pg_temp.know(g || f.n, f)) AS again FROM unnest(ARRAY['A', 'B']) AS g, fact f WHERE f.kind = 'raise';
CREATE TEMP VIEW twin AS SELECT left(p.who, 1) AS g, substr(p.who, 2)::int AS n, p.amount, p.from_day, p.until_day FROM pay p WHERE p.who ~ '^[AB][0-9]';
SELECT count(*) FILTER (WHERE g = 'A') AS spans, count(DISTINCT n) AS pairs FROM twin;
(SELECT n, amount, from_day, until_day FROM twin WHERE g = 'A' EXCEPT SELECT n, amount, from_day, until_day FROM twin WHERE g = 'B')
UNION ALL (SELECT n, amount, from_day, until_day FROM twin WHERE g = 'B' EXCEPT SELECT n, amount, from_day, until_day FROM twin WHERE g = 'A');
SELECT * FROM payroll_reconciliation ORDER BY kind;
SELECT * FROM verify();
DROP SCHEMA twin_test CASCADE;
