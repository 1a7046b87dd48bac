cd test/bench; export PGOPTIONS='--client_min_messages=warning --timezone=UTC'
n=8000; createdb c$n; psql -X -q -d c$n -v people=$n -f company.sql >/dev/null
psql -X -q -A -t -d c$n > ../../zy.log 2>&1 <<S
PREPARE work(bigint, bigint) AS INSERT INTO hr.certification_result (employee_id, certification_id, achieved_on, source, external_id) SELECT employee_id, certification_id, '2023-02-20', 'exam', n FROM bench.certificate WHERE n BETWEEN \$1 AND \$2 ORDER BY n;
EXECUTE work(1,20); EXECUTE work(21,40); EXECUTE work(41,60); EXECUTE work(61,80); EXECUTE work(81,100);
LOAD 'auto_explain'; SET auto_explain.log_min_duration = '3ms'; SET auto_explain.log_nested_statements = on; SET auto_explain.log_analyze=on; SET auto_explain.log_timing=on; SET client_min_messages = log;
EXECUTE work(101,$n);
S
mkdir -p ../../results; cp ../../zy.log ../../results/
