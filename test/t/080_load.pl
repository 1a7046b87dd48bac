# Many at once (SEC-07): 100 connections lock 1,000 reviews, each of them twice, and
# 1,000 clients work through a pooler; what comes out is what one would have made.
use strict;
use warnings;
use utf8;

use Hrloop;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server(conf => "max_connections = 150\nshared_buffers = 256MB\n");
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');

# a thousand people in twenty units, scored and ready to be locked; NEXT is still open
as_alice($node, $db, <<~'SQL');
    SET search_path = hr, pg_catalog;
    INSERT INTO employee (employee_no, name, hired_on) SELECT 'L' || n, '员工' || n, '2020-01-01' FROM generate_series(1, 1000) n;
    INSERT INTO employee_status (employee_id, status, valid) SELECT employee_id, 'active', daterange(hired_on, NULL) FROM employee WHERE employee_no ~ '^L';
    INSERT INTO assignment (employee_id, org_unit_id, job_id, manager_id, valid)
    SELECT employee_id, find_unit('SH'), find_job('SALES'), find_employee('E003'), daterange(hired_on, NULL) FROM employee WHERE employee_no ~ '^L';
    INSERT INTO salary (employee_id, amount, valid) SELECT employee_id, 8000, '[2023-01-01,)' FROM employee WHERE employee_no ~ '^L';
    SELECT create_cycle('BIG', '2023-10-01', '2023-12-31', 'SALES'), create_cycle('NEXT', '2024-01-01', '2024-03-31', 'SALES');
    SELECT open_cycle('BIG'), open_cycle('NEXT');
    INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
    SELECT r.review_id, i.indicator_id, r.manager_id, 70 + r.review_id % 30, '按事实评分 ' || r.review_id
      FROM review r JOIN employee e USING (employee_id) CROSS JOIN indicator i
     WHERE r.cycle_id = find_cycle('BIG') AND e.employee_no ~ '^L' AND i.code IN ('客户拓展', '客户满意度', '销售执行');
    SQL
# rows of the thousand in BIG
sub count_of {
    my ($from) = @_;
    return as_alice($node, $db, qq{SELECT count(*) FROM hr.employee e JOIN $from WHERE e.employee_no ~ '^L'});
}
my $raises = q{hr.salary_adjustment a ON a.employee_id = e.employee_id AND a.cycle_id = hr.find_cycle('BIG')};
my $feed = q{hr.payroll_feed f ON f.employee_id = e.employee_id AND f.kind = 'raise'};
is(count_of(q{hr.review r ON r.employee_id = e.employee_id AND r.complete AND r.cycle_id = hr.find_cycle('BIG')}), 1000, '1,000 reviews are ready');
is(count_of($raises), 0, 'nobody has a raise yet');

# Clients 2n and 2n+1 lock the same twenty reviews in the same order.
my $dir = PostgreSQL::Test::Utils::tempdir();
script('lock', <<~'PGBENCH');
    \set n :n + 1
    \set k (:client_id / 2) * 20 + :n
    SELECT hr.lock_review('BIG', 'L' || :k);
    PGBENCH
my $report = bench('100 connections call lock_review() 2,000 times', $node->connstr($db),
    qw(--username alice --client 100 --jobs 4 --transactions 20 --define n=0), '--file', "$dir/lock");
like($report, qr{actually processed: 2000/2000}, 'SEC-07: all of them are answered');
is(count_of(q{hr.review r ON r.employee_id = e.employee_id AND r.status = 'locked' AND r.cycle_id = hr.find_cycle('BIG')}), 1000, 'SEC-07: 1,000 reviews are locked');
is(count_of($raises), 1000, 'SEC-07: exactly 1,000 pay proposals');
is(count_of($feed), 1000, 'SEC-07: exactly 1,000 feed rows');
is($node->safe_psql('postgres', 'SELECT sum(deadlocks) FROM pg_stat_database'), 0, 'SEC-07: no deadlock');

# Two approve and apply each of twenty raises at the same time.
my @people = split /\n/, as_alice($node, $db, q{SELECT e.employee_no FROM hr.salary_adjustment a JOIN hr.employee e USING (employee_id)
    WHERE a.cycle_id = hr.find_cycle('BIG') AND a.percent > 0 AND e.employee_no ~ '^L' ORDER BY 1 LIMIT 20});
is(scalar @people, 20, 'there are raises to approve');
my @pairs = map {
    my $sql = join '', map { "SELECT hr.approve_adjustment('BIG', '$_');\nSELECT hr.apply_adjustment('BIG', '$_');\n" } @people;
    IPC::Run::start([ qw(psql --no-psqlrc --quiet --username alice --dbname), $node->connstr($db) ], '<', \$sql, '>', \my $out, '2>', \$_);
} my ($one, $two);
$_->finish for @pairs;
unlike($one . $two, qr/deadlock|server closed/, 'SEC-07: two at once approve and apply the same raises without a deadlock');
my $list = join ',', map { "'$_'" } @people;
my $paid = qq{(SELECT hr.find_employee(unnest(ARRAY[$list])))};
is(as_alice($node, $db, qq{SELECT count(*) FROM hr.salary_adjustment WHERE employee_id IN $paid AND cycle_id = hr.find_cycle('BIG') AND status = 'applied'}), 20, 'all are applied');
is(as_alice($node, $db, qq{SELECT count(*) FROM hr.payroll_feed f JOIN hr.decision d USING (decision_id) WHERE f.employee_id IN $paid AND f.kind = 'salary' AND f.entry = 'post' AND f.effective_until IS NULL AND d.kind = 'pay.apply'}), 20, 'SEC-07: each of them once, as payroll sees it');
is(as_alice($node, $db, qq{SELECT count(*), count(DISTINCT cause_id) FROM hr.decision WHERE employee_id IN $paid AND kind = 'pay.apply'}), '20|20', 'and one decision each');
healthy($node, $db, 'hr', 'SEC-07: verify() finds nothing');

SKIP: {
    my ($pooler, $why) = start_pooler($node, $db, 40, 'alice');
    skip $why, 4 unless $pooler;
    # people look up their results and read their notices; a manager scores
    script('look', <<~'PGBENCH');
        \set k random(1, 1000)
        BEGIN;
        SELECT hr.act_as('L' || :k);
        SELECT count(*) FROM hr.explain_score('BIG', 'L' || :k);
        SELECT count(*) FROM hr.explain_pay('L' || :k);
        SELECT count(hr.mark_read(notification_id)) FROM hr.notification WHERE recipient_id = hr.actor() AND read_at IS NULL;
        COMMIT;
        PGBENCH
    script('score', <<~'PGBENCH');
        \set k random(1, 1000)
        \set value random(60, 100)
        BEGIN;
        SELECT hr.act_as('E003');
        SELECT hr.submit_score('NEXT', 'L' || :k, '客户满意度', :value, '回访 ' || :value);
        COMMIT;
        PGBENCH
    my $said = bench('1,000 clients work through a pooler', "host=$pooler->{host} port=$pooler->{port} dbname=alice",
        qw(--username alice --client 1000 --jobs 2 --time 8), '--file', "$dir/look\@4", '--file', "$dir/score\@1");
    like($said, qr/^number of clients: 1000$/m, 'SEC-07: all thousand were connected');
    like($said, qr/^number of failed transactions: 0 /m, 'SEC-07: none of their transactions failed');
    my ($done) = $said =~ /transactions actually processed: (\d+)/;
    cmp_ok($done, '>=', 1000, "SEC-07: they did $done transactions");
    healthy($node, $db, 'hr', 'SEC-07: verify() finds nothing afterwards');
}
is($node->safe_psql('postgres', 'SELECT sum(deadlocks) FROM pg_stat_database'), 0, 'no deadlock in all of it');

done_testing();

sub script {
    my ($name, $text) = @_;
    utf8::encode($text);
    PostgreSQL::Test::Utils::append_to_file("$dir/$name", $text);
    return;
}

# Runs pgbench, which must not complain; returns its report.
sub bench {
    my ($name, $where, @options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @command = (qw(pgbench --no-vacuum), @options, $where);
    my $good = IPC::Run::run(\@command, '>', \my $out, '2>', \my $err);
    ok($good && $err !~ /error|abort/i, $name) or diag $err, $out;
    return $out;
}
