-- signal: notices, their texts, recipients and languages (NOT-01).  That they are
-- announced after the commit only: test/t/040_notify.pl.
\set books signal_test
\set by_hand '{notification}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql

CREATE TEMP VIEW notices AS
  SELECT n.recipient_role AS role, e.employee_no AS who, n.kind, n.locale, n.body, n.read_at IS NOT NULL AS read, n.withdrawn_at IS NOT NULL AS withdrawn
    FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id ORDER BY n.notification_id;

-- NOT-01 one event, one row per recipient and kind; the same event again adds none ------
SELECT create_cycle('2023Q2', '2023-04-01', '2023-06-30', 'SALES') > 0 AS made, open_cycle('2023Q2') AS reviews;
SELECT submit_score('2023Q2', 'E010', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT role, who, kind, body, withdrawn FROM notices;
-- the same scores once more: nothing new
SELECT submit_score('2023Q2', 'E010', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT 'NOT-01' AS id, count(*) FROM notices;
SELECT lock_review('2023Q2', 'E010', '2023-07-01') AS locked, lock_review('2023Q2', 'E010', '2023-07-01') AS twice;
SELECT 'NOT-01' AS id, role, who, kind, body, withdrawn FROM notices;
SELECT 'NOT-01' AS id, recipient_id, kind, event_key, count(*) FROM notification GROUP BY recipient_id, kind, event_key HAVING count(*) > 1;
-- events of another room: an allowance, and a raise of 0 %
SELECT certify('E010', '初级销售', '2023-03-15') > 0 AS certified, certify('E010', '初级销售', '2023-05-15') > 0 AS again;
BEGIN; SELECT act_as('E090') > 0 AS acting, approve_adjustment('2023Q2', 'E010'), apply_adjustment('2023Q2', 'E010'), apply_adjustment('2023Q2', 'E010') AS again; COMMIT;
SELECT 'NOT-01' AS id, role, who, kind, body FROM notices WHERE kind NOT LIKE 'plan.%';
-- an event that is handed in twice by an application
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args) VALUES (find_employee('E011'), 'employee', 'plan.updated', 'app:1', '{}');
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args) VALUES (find_employee('E011'), 'employee', 'plan.updated', 'app:1', '{}') ON CONFLICT DO NOTHING;
INSERT INTO notification (recipient_role, kind, event_key, args) VALUES ('hr', 'plan.no_resource', 'app:2', '{"employee": "张三", "gap": "产量"}');
INSERT INTO notification (recipient_role, kind, event_key, args) VALUES ('hr', 'plan.no_resource', 'app:2', '{"employee": "张三", "gap": "产量"}') ON CONFLICT DO NOTHING;
SELECT 'NOT-01' AS id, event_key, count(*) FROM notification WHERE event_key LIKE 'app:%' GROUP BY event_key ORDER BY event_key;
\set VERBOSITY sqlstate
INSERT INTO notification (recipient_role, kind, event_key, args) VALUES ('hr', 'plan.no_resource', 'app:2', '{"employee": "张三", "gap": "产量"}');
\set VERBOSITY default

-- every placeholder is filled, of every text there is -----------------------------------------
SELECT 'NOT-01' AS id, count(*) AS notices, count(*) FILTER (WHERE body ~ '[{}]') AS with_holes FROM notification;
SELECT m.kind, m.locale, hrloop.render(m.body, (SELECT jsonb_object_agg(x[1], '7.50'::numeric) FROM regexp_matches(m.body, '\{(\w+)\}', 'g') x)) AS body
  FROM message_text m WHERE m.body ~ '\{' AND m.kind LIKE 'plan.%' ORDER BY m.kind, m.locale;
-- both languages have every kind, with the same figures in it
SELECT m.kind, array_agg(m.locale) FROM message_text m GROUP BY m.kind HAVING count(*) <> 2 ORDER BY m.kind;
SELECT z.kind FROM message_text z JOIN message_text e ON e.kind = z.kind AND e.locale = 'en'
 WHERE z.locale = 'zh'
   AND ARRAY(SELECT DISTINCT x[1] FROM regexp_matches(z.body, '\{(\w+)\}', 'g') x ORDER BY 1) <> ARRAY(SELECT DISTINCT x[1] FROM regexp_matches(e.body, '\{(\w+)\}', 'g') x ORDER BY 1) ORDER BY 1;
-- the texts of the catalogue's appendix A, to the letter
SELECT m.source AS id, m.kind, m.body, m.body = t.body AS to_the_letter
  FROM (VALUES ('plan.updated', '您的季度发展计划已更新,请查看'), ('plan.confirm', '请确认员工的发展计划'), ('review.disclosed', '你的绩效反馈已生成,请及时查看')) AS t (kind, body)
  JOIN message_text m ON m.kind = t.kind AND m.locale = 'zh' ORDER BY 1;
SELECT 'TXT-06' AS id, x = '您的季度绩效得分85分,符合加薪5%的条件,加薪后月薪从10000元调整为10500元' AS to_the_letter
  FROM sentence('pay.raise', '{"score": 85.0000, "percent": 5, "old": 10000.00, "new": 10500.00}', 'zh') x;
SELECT 'TXT-15' AS id, x = '您的良品率指标未达标,请查看生产记录调整流程' AS to_the_letter FROM sentence('warning.threshold', '{"indicator": "良品率"}', 'zh') x;
-- a figure that is missing is an error, not a hole
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args) VALUES (find_employee('E010'), 'manager', 'plan.draft', 'app:3', '{"employee": "张三"}'); \echo :LAST_ERROR_SQLSTATE
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) VALUES (find_employee('E010'), 'employee', 'no.such.kind', 'app:3'); \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO notification (recipient_role, kind, event_key) VALUES ('employee', 'plan.updated', 'app:3');
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) VALUES (find_employee('E010'), 'boss', 'plan.updated', 'app:3');
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) VALUES (find_employee('E010'), 'employee', NULL, 'app:3');
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, body) VALUES (find_employee('E010'), 'employee', 'own.kind', 'app:3', '');
\set VERBOSITY default
-- a text of one's own needs no kind that is known
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, body) VALUES (find_employee('E010'), 'employee', 'own.kind', 'app:4', '下周一例会 {不填}');
SELECT kind, locale, body FROM notices WHERE kind = 'own.kind';
DELETE FROM notification WHERE kind = 'own.kind';

-- in the reader's language; edited texts hold from then on -----------------------------------------
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) SELECT find_employee(e), 'employee', 'plan.updated', 'app:5' FROM unnest(ARRAY['E010', 'E021']) AS e;
SELECT who, locale, body FROM notices WHERE kind = 'plan.updated' AND who IN ('E010', 'E021');
BEGIN;
SELECT set_setting('signal.locale', 'en');
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) SELECT find_employee(e), 'employee', 'plan.updated', 'app:6' FROM unnest(ARRAY['E010', 'E021']) AS e;
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, locale) VALUES (find_employee('E021'), 'employee', 'plan.updated', 'app:7', 'zh');
INSERT INTO notification (recipient_role, kind, event_key, args) VALUES ('hr', 'plan.no_resource', 'app:6', '{"employee": "张三", "gap": "产量"}');
SELECT e.employee_no, n.event_key, n.locale, n.body FROM notification n LEFT JOIN employee e ON e.employee_id = n.recipient_id WHERE n.event_key IN ('app:6', 'app:7') ORDER BY n.notification_id;
ROLLBACK;
BEGIN;
UPDATE message_text SET body = '计划已更新' WHERE kind = 'plan.updated' AND locale = 'zh';
DELETE FROM message_text WHERE kind = 'plan.updated' AND locale = 'en';
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) SELECT find_employee(e), 'employee', 'plan.updated', 'app:8' FROM unnest(ARRAY['E010', 'E021']) AS e;
SELECT e.employee_no, n.locale, n.body FROM notification n JOIN employee e ON e.employee_id = n.recipient_id WHERE n.event_key = 'app:8' ORDER BY n.notification_id;
ROLLBACK;
\set VERBOSITY terse
INSERT INTO message_text (kind, locale, body) VALUES ('x', 'fr', 'x');
INSERT INTO message_text (kind, locale, body) VALUES ('x', 'zh', '');
\set VERBOSITY default
-- a kind that is switched off is not written; the others are, and so is what an application words itself
BEGIN;
UPDATE notice SET active = false WHERE kind IN ('plan.updated', 'plan.confirm');
SELECT count(*) AS notices FROM notification \gset
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) VALUES (find_employee('E010'), 'employee', 'plan.updated', 'app:9') RETURNING kind;
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, body) VALUES (find_employee('E010'), 'employee', 'plan.confirm', 'app:9', '请确认') RETURNING kind;
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, body) VALUES (find_employee('E010'), 'employee', 'own.kind', 'app:9', '下周一例会') RETURNING kind;
SELECT count(*) - :notices AS written FROM notification;
UPDATE notice SET active = true;
INSERT INTO notification (recipient_id, recipient_role, kind, event_key) VALUES (find_employee('E010'), 'employee', 'plan.updated', 'app:9') RETURNING kind;
ROLLBACK;
-- a kind of one's own, in every language; who is told is checked
BEGIN;
SELECT register_notice('party', '{employee}', zh => '{on}聚餐', en => 'Dinner on {on}');
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args) VALUES (find_employee('E010'), 'employee', 'party', 'app:9', '{"on": "2023-12-24"}') RETURNING body;
INSERT INTO notification (recipient_role, kind, event_key, args) VALUES ('hr', 'party', 'app:9', '{"on": "2023-12-24"}');
SELECT problem, expected, found FROM verify();
ROLLBACK;
\set VERBOSITY sqlstate
SELECT register_notice('pay.raise', '{employee}', zh => '加薪', en => 'A raise');
SELECT register_notice('party', '{}', zh => '聚餐', en => 'Dinner');
SELECT register_notice('party', '{boss}', zh => '聚餐', en => 'Dinner');
SELECT register_notice('party', '{hr}', zh => '聚餐', en => NULL);
\set VERBOSITY default
-- every kind of notice has a text in every language
SELECT k.kind, l.locale AS without FROM notice k CROSS JOIN (SELECT DISTINCT locale FROM message_text) l
 WHERE NOT EXISTS (SELECT FROM message_text m WHERE m.kind = k.kind AND m.locale = l.locale);
-- sentence(): the language asked for, else that of who is acting, else the books'
SELECT sentence('trail.when', '{"year": 2023, "quarter": 1}') AS books, sentence('trail.when', '{"year": 2023, "quarter": 1}', 'en') AS asked, sentence('no.such', '{}') AS none;
BEGIN; SELECT act_as('E021') > 0 AS acting, sentence('trail.when', '{"year": 2023, "quarter": 1}') AS actor; COMMIT;

-- marking read stores the time, once ------------------------------------------------------------------
SELECT n.notification_id AS mine FROM notification n WHERE n.recipient_id = find_employee('E010') AND n.kind = 'plan.updated' AND n.event_key LIKE 'plan:%' \gset
SELECT n.notification_id AS hrs FROM notification n WHERE n.event_key = 'app:2' \gset
BEGIN; SELECT act_as('E010') > 0 AS acting, 'NOT-01' AS id, mark_read(:mine) = now() AS now; COMMIT;
SELECT pg_sleep(0.01) IS NOT NULL AS later;
BEGIN; SELECT act_as('E010') > 0 AS acting, 'NOT-01' AS id, mark_read(:mine) < now() AS as_before; COMMIT;
SELECT 'NOT-01' AS id, who, kind, read FROM notices WHERE read;
-- not somebody else's
\set VERBOSITY sqlstate
BEGIN; SELECT act_as('E011') > 0 AS acting, mark_read(:mine); ROLLBACK;
BEGIN; SELECT act_as('E011') > 0 AS acting, mark_read(:hrs); ROLLBACK;
\set VERBOSITY default
BEGIN; SELECT act_as('E090') > 0 AS acting, mark_read(:hrs) = now() AS now; COMMIT;
SELECT mark_read(-1); \echo :LAST_ERROR_SQLSTATE
SELECT mark_read(NULL);

-- a cause that goes: its notice is marked, not deleted ---------------------------------------------------
SELECT submit_score('2023Q2', 'E011', i, v, '按事实评分') AS score FROM (VALUES ('客户拓展', 60), ('客户满意度', 85), ('销售执行', 85)) AS s (i, v);
SELECT submit_score('2023Q2', 'E011', '客户拓展', 75, '更正') AS score;
SELECT role, who, kind, body, withdrawn FROM notices WHERE body LIKE '%李四%';
-- a bulk of notices in one statement
INSERT INTO notification (recipient_id, recipient_role, kind, event_key, args)
SELECT find_employee('E010'), 'employee', 'pay.no_raise', 'bulk:' || n, jsonb_build_object('score', n / 100.0, 'old', n) FROM generate_series(1, 2000) AS n;
SELECT count(*) FROM notification WHERE event_key LIKE 'bulk:%';
SELECT event_key, body FROM notification WHERE event_key IN ('bulk:1', 'bulk:900', 'bulk:2000') ORDER BY notification_id;
SELECT * FROM verify();
-- a text names what is filled, or it is refused when it is written, not when somebody is told
UPDATE message_text SET body = 'A raise of {amount}' WHERE kind = 'pay.raise' AND locale = 'en';
\echo :LAST_ERROR_SQLSTATE
UPDATE message_text SET body = '{}' WHERE kind = 'pay.raise' AND locale = 'en';
UPDATE message_text SET body = '{percent} % {more' WHERE kind = 'pay.raise' AND locale = 'en';
UPDATE message_text SET body = body || '{score}{score}' WHERE kind = 'score.total';
UPDATE message_text SET kind = 'plan.updated', locale = 'zh' WHERE kind = 'pay.raise' AND locale = 'en';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO message_text (kind, locale, body) VALUES ('own.kind', 'en', 'Hello {you}');
-- every kind of the rooms says what it fills
SELECT DISTINCT kind FROM message_text m WHERE NOT EXISTS (SELECT FROM message_kind k WHERE k.kind = m.kind);
SELECT message_placeholders('{b} {a}{b} {c'), message_fills('{a}{b}', '{"a": 1, "b": "x"}') AS fills, message_fills('{a}{b}', '{"a": 1, "b": null}') AS not, message_fills('{a}', NULL) AS nothing;
DROP SCHEMA signal_test CASCADE;
