-- the day of a lock is not for the parties to choose (REV-06).
\set books score_day
\set by_hand '{review}'
\getenv abs_srcdir PG_ABS_SRCDIR
\i :abs_srcdir/test/fixtures/start.sql
SELECT create_indicator('总评', definition => 'd', standard => 's', pass => 0) > 0 AS made;
SELECT create_template('ONE', '[{"indicator": "总评", "weight": 100}]') > 0 AS made, activate_template('ONE') > 0 AS active, create_cycle('Q', current_date - 40, current_date - 5, 'ONE') > 0 AS made, open_cycle('Q') AS reviews;
SELECT count(submit_score('Q', e, '总评', 85, '按事实评分 ' || e)) AS scored FROM unnest(ARRAY['E010', 'E011', 'E020', 'E021', 'E030']) e;
\set VERBOSITY sqlstate
-- before the cycle, in the future, never: by nobody, whatever the way
SELECT lock_review('Q', 'E010', current_date - 41);
SELECT lock_review('Q', 'E010', current_date + 1);
SELECT lock_review('Q', 'E010', 'infinity');
SELECT lock_cycle('Q', '-infinity', skip_incomplete => true);
UPDATE review SET status = 'locked', locked_on = current_date + 1 WHERE review_id = find_review('Q', 'E010');
-- a manager closes no window of days that are over: today it is
BEGIN; SELECT act_as('E003') > 0 AS manager; SELECT lock_review('Q', 'E010', current_date - 8); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS manager; SELECT lock_review('Q', 'E010', current_date - 8, '上周已谈'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS manager; UPDATE review SET status = 'locked', locked_on = current_date - 8 WHERE review_id = find_review('Q', 'E010'); ROLLBACK;
BEGIN; SELECT act_as('E003') > 0 AS manager; SELECT lock_review('Q', 'E010') AS today; COMMIT;
-- HR does with a reason, which a decision keeps; the owner loads what was
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT lock_review('Q', 'E011', current_date - 2); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT lock_review('Q', 'E011', current_date - 2, ' '); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; UPDATE review SET status = 'locked', locked_on = current_date - 2 WHERE review_id = find_review('Q', 'E011'); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT lock_review('Q', 'E011', current_date - 2, '系统停机') AS locked; COMMIT;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT lock_cycle('Q', current_date - 3, skip_incomplete => true); ROLLBACK;
BEGIN; SELECT act_as('E090') > 0 AS hr; SELECT lock_cycle('Q', current_date - 3, skip_incomplete => true, reason => '系统停机') AS locked; ROLLBACK;
SELECT lock_review('Q', 'E020', current_date - 4) AS owner;
SELECT e.employee_no, current_date - x.locked_on AS days_ago, x.disclosed_on = x.locked_on AS disclosed FROM review_result x JOIN review r USING (review_id) JOIN employee e USING (employee_id) ORDER BY 1;
SELECT e.employee_no, d.decided_by, current_date - (d.outcome ->> 'locked_on')::date AS days_ago, d.reason FROM decision d JOIN employee e USING (employee_id) WHERE d.kind = 'review.backdate' ORDER BY 1;
SELECT * FROM verify();
DROP SCHEMA score_day CASCADE;
