#!/bin/bash
# What the audit log costs: one score, 100,000 in one statement, and eight writers
# at once, each with its triggers and without.  Needs a few minutes:
#   test/server test/bench/audit.sh
set -euo pipefail
people=${PEOPLE:-20000}
seconds=${SECONDS_EACH:-10}
export PGOPTIONS='--search_path=hr,public --client_min_messages=warning'
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

sql -o /dev/null <<SQL
CREATE EXTENSION hrloop CASCADE;
SELECT hrloop.install('hr');
SELECT add_unit('U', 'Unit', 'company');
INSERT INTO job (code, name) VALUES ('J', 'Job');
SELECT hire('BOSS', 'Boss', 'U', 'J', '2020-01-01');
INSERT INTO employee (employee_no, name, hired_on) SELECT 'P' || n, 'Person ' || n, '2020-01-01' FROM generate_series(1, $people) n;
INSERT INTO employee_status (employee_id, status, valid) SELECT employee_id, 'active', daterange('2020-01-01', NULL) FROM employee WHERE employee_no LIKE 'P%';
INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, fte, valid)
SELECT employee_id, find_unit('U'), find_job('J'), find_employee('BOSS'), 1, daterange('2020-01-01', NULL) FROM employee WHERE employee_no LIKE 'P%';
SELECT create_indicator('I' || n, definition => 'indicator ' || n, standard => '0-100', pass => 0) FROM generate_series(1, 5) n;
SELECT create_template('T', (SELECT jsonb_agg(jsonb_build_object('indicator', 'I' || n, 'weight', 20)) FROM generate_series(1, 5) n)), activate_template('T');
SELECT create_cycle('C', '2023-01-01', '2023-03-31', 'T'), open_cycle('C');
ANALYZE;
SQL

audit() {  # ENABLE or DISABLE
    sql -o /dev/null <<SQL
SELECT format('ALTER TABLE %s $1 TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger WHERE tgname LIKE 'audit\_%' AND tgname NOT LIKE '%guard'
\gexec
SQL
}

bulk() {
    sql -o /dev/null -c "CHECKPOINT"
    local start
    start=$(date +%s%N)
    sql -o /dev/null -c "INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale, scored_at)
        SELECT r.review_id, i.indicator_id, r.manager_id, 80, 'as agreed for ' || r.employee_id, '2023-04-01'
          FROM review r JOIN template_item i USING (template_id) WHERE r.manager_id IS NOT NULL"
    echo "$1 bulk of $(sql -c 'SELECT count(*) FROM score') scores: $((($(date +%s%N) - start) / 1000000)) ms," \
         "score $(sql -c "SELECT pg_size_pretty(pg_total_relation_size('score'))")," \
         "its entries $(sql -c "SELECT pg_size_pretty(pg_total_relation_size('audit_entry'))")"
}

unload() {
    sql -o /dev/null <<SQL
SET session_replication_role = replica;
TRUNCATE score, audit_entry, audit_lane;
SET session_replication_role = origin;
SELECT lift_guards('{review}');
UPDATE review SET composite = NULL, items_scored = 0, complete = false;
SELECT apply_guards();
VACUUM FULL review;
SQL
}

writers() {  # name, clients
    cat >writer.sql <<SQL
\set id random(1, $people * 5)
\set to random(60, 99)
UPDATE hr.score SET raw_value = :to, rationale = 'seen again: ' || :to WHERE score_id = :first + :id;
SQL
    sql -o /dev/null -c "VACUUM ANALYZE" -c "CHECKPOINT"
    echo "$1, writers: $2: $(pgbench -n -M prepared -D first="$(sql -c 'SELECT min(score_id) - 1 FROM score')" -c "$2" -j 2 -T "$seconds" -f writer.sql 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p') updates of a score a second"
}

audit DISABLE
bulk "without audit,"
unload
audit ENABLE
bulk "with audit,   "
sql -o /dev/null -c "SET session_replication_role = replica" -c "TRUNCATE audit_entry, audit_lane"
for round in 1 2; do
    for clients in 1 8; do
        audit DISABLE; writers "without audit, round $round" $clients
        audit ENABLE;  writers "with audit,    round $round" $clients
    done
done
echo "entries: $(sql -c 'SELECT count(*) FROM audit_entry'), chains: $(sql -c 'SELECT count(*) FROM audit_lane WHERE length > 0')"
start=$(date +%s%N)
echo "verify_audit() finds $(sql -c 'SELECT count(*) FROM verify_audit()') in $((($(date +%s%N) - start) / 1000000)) ms"
