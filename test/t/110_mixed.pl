# Everything at once: eight writers do for a minute whatever people do with their books, at
# random, on the same sixty people.  Nobody deadlocks, nobody gets an error but those that
# their step may get, and afterwards every figure is what its source rows come to.
#
#   HRLOOP_LOAD_SECONDS=600 HRLOOP_LOAD_SEED=7 make test ONLY=t/110
#
# "make test-restored" runs it with HRLOOP_RESTORED=lower or higher as well, on books that
# were dumped and restored into a cluster with that counter of transactions, and with
# HRLOOP_LOAD_ISOLATION, the level of all steps.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(time);

my $writers = 8;
my $people  = 60;
my $seconds = $ENV{HRLOOP_LOAD_SECONDS} // 60;
my $seed    = $ENV{HRLOOP_LOAD_SEED} // int(time);
my $restored = $ENV{HRLOOP_RESTORED} // '';
my $level    = $ENV{HRLOOP_LOAD_ISOLATION} // '';
note "seed $seed, $seconds seconds";

my %server = (conf => 'log_lock_waits = on');
my $node = new_server(%server, counter => $restored eq 'lower' ? 983040 : 0);
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
# three teams of twenty, three cycles, some readings and certificates to begin with
as_alice($node, $db, <<~"SQL");
    SET search_path = hr, pg_catalog;
    SELECT add_unit('T' || n, '门店' || n, 'department', 'marketing', parent => 'SH'),
           hire('M' || n, '店长' || n, 'T' || n, 'MANAGER', '2019-01-01', manager => 'E003') FROM generate_series(1, 3) n;
    SELECT hire('L' || n, '员工' || n, 'T' || 1 + n % 3, 'SALES', '2020-01-01', manager => 'M' || 1 + n % 3),
           set_salary('L' || n, 8000 + n, '2023-01-01') FROM generate_series(1, $people) n;
    SELECT create_cycle('C1', '2023-07-01', '2023-09-30', 'SALES'), create_cycle('C2', '2023-10-01', '2023-12-31', 'SALES'),
           create_cycle('C3', '2024-01-01', '2024-03-31', 'SALES');
    SELECT assign_template(c, 'MAKE', unit_kind => 'production') FROM unnest(ARRAY['C1', 'C2', 'C3']) c;
    SELECT open_cycle('C1'), open_cycle('C2'), open_calibration('K1', 'C1');
    UPDATE indicator SET warn_below = 70 WHERE code = '客户拓展';
    INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
    SELECT r.review_id, i.indicator_id, r.manager_id, 70 + r.review_id % 30, '按事实评分 ' || r.review_id
      FROM review r JOIN employee e USING (employee_id) JOIN template_item i USING (template_id)
     WHERE r.cycle_id = find_cycle('C1') AND e.employee_no ~ '^L' AND r.manager_id IS NOT NULL;
    SQL

# What a writer can do: [how often, SQL, states beyond those that say "not now" or "not so"].
# A step is one transaction.  %1 and %2 are somebody, %c a cycle, %v a value, %i an
# indicator, %d a day, %w the number of the writer, %n a number never seen before.
my @refused = qw(55000 22023 23514 23502 42501);
my %step = (
    score       => [ 12, q{SELECT submit_score('%c', '%1', '%i', %v, '回访 %n', rater => manager_no('%c', '%1'))} ],
    facts       => [ 6, q{SELECT submit_score('%c', '%1', '客户拓展', facts => '{"actual": %f}', rationale => '新签 %n', rater => manager_no('%c', '%1'))} ],
    self        => [ 4, q{SELECT act_as('%1'); SELECT submit_score('%c', '%1', i, %v, rater_group => 'self') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) i} ],
    # peers of many in one statement, up or down: writers cross each other's reviews
    bulk        => [ 4, q{INSERT INTO score (review_id, indicator_id, rater_group, rater_id, raw_value, rationale)
                      SELECT r.review_id, find_indicator('%i'), 'peer', find_employee('L%w'), %v, '互评 %n' FROM review r JOIN review_rater n USING (review_id)
                       WHERE r.cycle_id = find_cycle('%c') AND r.status = 'open' AND r.employee_id % 4 = %v % 4 AND n.rater_id = find_employee('L%w') AND n.barred_because IS NULL
                         AND NOT EXISTS (SELECT FROM score s WHERE s.review_id = r.review_id AND s.rater_id = n.rater_id AND s.indicator_id = find_indicator('%i'))
                       ORDER BY r.review_id %o} ],
    bulk_update => [ 2, q{UPDATE score s SET raw_value = %v FROM review r WHERE r.review_id = s.review_id AND r.status = 'open' AND s.rater_id = find_employee('L%w') AND s.rater_group = 'peer'} ],
    bulk_delete => [ 1, q{DELETE FROM score s USING review r WHERE r.review_id = s.review_id AND r.status = 'open' AND s.rater_id = find_employee('L%w') AND s.rater_group = 'peer'} ],
    savepoint   => [ 3, q{SAVEPOINT s; SELECT submit_score('%c', '%1', '%i', %v, '误评 %n', rater => manager_no('%c', '%1'));
                      ROLLBACK TO s; SELECT submit_score('%c', '%1', '%i', %v, '回访 %n', rater => manager_no('%c', '%1'))} ],
    withdraw    => [ 2, q{DELETE FROM score WHERE review_id = find_review('%c', '%1') AND indicator_id = find_indicator('%i') AND rater_group = 'manager'} ],
    deviation   => [ 2, q{SELECT explain_deviation('%c', '%1', '按事实 %n')} ],
    bar         => [ 1, q{SELECT bar_rater('%c', '%1', '%2', '亲属关系')} ],
    score_lock  => [ 3, q{SELECT submit_score('%c', '%1', '%i', %v, '回访 %n', rater => manager_no('%c', '%1')); SELECT lock_review('%c', '%1', '2024-01-05')} ],
    lock        => [ 8, q{SELECT lock_review('%c', '%1', '2024-01-05')} ],
    lock_cycle  => [ 1, q{SELECT lock_cycle('%c', '2024-01-05', skip_incomplete => true)} ],
    unlock      => [ 6, q{SELECT unlock_review('%c', '%1', '复核 %n')} ],
    calibrate   => [ 3, q{SELECT calibrate('K1', '%1', %v, '横向比较 %n')} ],
    disclose    => [ 1, q{SELECT disclose_cycle('%c', '2024-01-05')} ],
    acknowledge => [ 2, q{SELECT act_as('%1'); SELECT acknowledge_result('%c', '%1', %b, '意见 %n')}, '23505' ],
    appeal      => [ 4, q{SELECT act_as('%1'); SELECT file_appeal('%c', '%1', '有异议 %n', '2024-01-06')}, '23505' ],
    reject      => [ 2, q{SELECT act_as('E090'); SELECT decide_appeal('%c', '%1', false, '依据充分 %n', on_date => '2024-01-07')} ],
    uphold      => [ 3, q{SELECT act_as('E090'); SELECT decide_appeal('%c', '%1', true, '更正 %n', '{"%i": %v}', '2024-01-07')} ],
    approve     => [ 5, q{SELECT act_as('%h'); SELECT approve_adjustment('%c', '%1')} ],
    approve_all => [ 1, q{SELECT act_as('%h'); SELECT approve_cycle('%c')} ],
    pay         => [ 4, q{SELECT act_as('%h'); SELECT approve_adjustment('%c', '%1'), apply_adjustment('%c', '%1')} ],
    refuse      => [ 2, q{SELECT act_as('%h'); SELECT reject_adjustment('%c', '%1', '预算已满 %n')} ],
    apply       => [ 4, q{SELECT apply_adjustment('%c', '%1')} ],
    apply_all   => [ 1, q{SELECT apply_cycle('%c')} ],
    salary      => [ 1, q{SELECT set_salary('%1', 8000 + %v, '%d', '调整 %n')} ],
    promote     => [ 3, q{SELECT act_as('E090'); SELECT decide_promotion('%c', '%1', %b, '讨论 %n', '2024-01-08')} ],
    measure     => [ 5, q{SELECT record_measurement('%1', '客户拓展', '%d', '{"actual": %f}', 'crm', '%n')} ],
    load        => [ 2, q{INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
                      SELECT employee_id, find_indicator('客户拓展'), '%d', '{"actual": %f}', 'load', '%n/' || employee_id
                        FROM employee WHERE employee_no ~ '^L' AND employee_id % 7 = %v % 7 ORDER BY employee_id %o} ],
    correct     => [ 2, q{UPDATE measurement SET facts = '{"actual": %f}' WHERE measurement_id = (SELECT max(measurement_id) FROM measurement WHERE employee_id = find_employee('%1'))} ],
    forget      => [ 1, q{DELETE FROM measurement WHERE measurement_id = (SELECT min(measurement_id) FROM measurement WHERE employee_id = find_employee('%1'))} ],
    handle      => [ 2, q{SELECT handle_warning(max(warning_id), '已沟通 %n') FROM open_warning} ],
    certify     => [ 3, q{SELECT certify('%1', '%l', '%d', external_id => '%n')} ],
    reverse     => [ 1, q{SELECT reverse_certification('%1', '%l', '复核未通过 %n', '%d')} ],
    train       => [ 3, q{SELECT record_training('%1', '%t', '2024-01-09', %v, external_id => '%n')} ],
    allowance   => [ 1, q{UPDATE allowance_rule SET amount = 500 + %v WHERE allowance_rule_id = (SELECT min(allowance_rule_id) FROM allowance_rule)} ],
    confirm     => [ 3, q{SELECT act_as('%1'); SELECT confirm_plan('%c', '%1')} ],
    confirm_too => [ 3, q{SELECT act_as(manager_no('%c', '%1')); SELECT confirm_plan('%c', '%1')} ],
    progress    => [ 3, q{SELECT record_progress('%c', '%1', 1 + %v % 3, %v, '进展 %n')} ],
    item        => [ 3, q{SELECT act_as(manager_no('%c', '%1')); SELECT update_plan_item('%c', '%1', 1 + %v % 3, '目标 %n')} ],
    remove      => [ 2, q{SELECT act_as(manager_no('%c', '%1')); SELECT remove_plan_item('%c', '%1', 1 + %v % 3, '不再需要 %n')} ],
    reweight    => [ 1, q{SELECT revise_template('SALES', '{"客户拓展": %x, "销售执行": %y}', '重心调整 %n'); SELECT activate_template('SALES'); SELECT reweight_cycle('%c', 'SALES', '重心调整 %n')}, '23505' ],
    transfer    => [ 3, q{SELECT transfer('%1', '%d', unit => 'T' || 1 + %v % 3)}, '23P01' ],
    leave       => [ 1, q{SELECT take_leave('%1', '%d', '%d', %b)}, '23P01' ],
    hire        => [ 1, q{SELECT hire('N%n', '新员工', 'T1', 'SALES', '2023-08-01', manager => 'M1'), set_salary('N%n', 7000, '2023-08-01')} ],
    open        => [ 1, q{SELECT open_cycle('%C')} ],
    exempt      => [ 1, q{SELECT act_as('E090'); SELECT CASE WHEN %b THEN exempt_review('%c', '%1', '长假 %n') ELSE rate_review('%c', '%1', '返岗 %n') END} ],
    setting     => [ 2, q{SELECT set_setting('%s')} ],
    move        => [ 1, q{UPDATE org_unit SET parent_id = find_unit(CASE WHEN %b THEN 'SH' ELSE 'EAST' END) WHERE code = 'T1'} ],
    clock       => [ 1, q{SELECT sum(done) FROM run_due('%d 09:00')} ],
    read        => [ 3, q{SELECT act_as('%1'); SELECT self_service() IS NOT NULL; SELECT count(*) FROM explain_score('%c', '%1')} ],
);
# whoever rates somebody by now, and the colleagues who rate them as peers
as_alice($node, $db, <<~"SQL");
    CREATE FUNCTION public.manager_no(cycle text, employee text) RETURNS text STABLE LANGUAGE sql SET search_path = hr AS
      'SELECT m.employee_no FROM review r JOIN employee m ON m.employee_id = r.manager_id WHERE r.review_id = find_review(cycle, employee)';
    SET search_path = hr;
    INSERT INTO review_rater (review_id, rater_group, rater_id)
    SELECT r.review_id, 'peer', p.employee_id FROM review r JOIN employee e USING (employee_id) JOIN employee p ON p.employee_no = ANY (ARRAY(SELECT 'L' || n FROM generate_series(1, $writers) n))
     WHERE r.cycle_id IN (find_cycle('C1'), find_cycle('C2')) AND e.employee_no ~ '^L' AND p.employee_id <> r.employee_id;
    SQL

my $dir = PostgreSQL::Test::Utils::tempdir();
$node = restored_elsewhere() if $restored;
my @lots = map { ($_) x $step{$_}[0] } sort keys %step;
my $until = time + $seconds;
my @children;
for my $writer (1 .. $writers) {
    my $pid = fork // die "cannot fork: $!";
    if (!$pid) { write_until($writer); POSIX::_exit(0) }
    push @children, $pid;
}
waitpid $_, 0 for @children;

# Which steps went how, of all writers.
my (%done, %errors);
for my $writer (1 .. $writers) {
    for (split /\n/, slurp_file("$dir/$writer")) {
        my ($name, $isolation, $state, $message) = split /\t/, $_, 4;
        if ($state eq 'ok') { $done{$name}++; next }
        $errors{$state}++;
        my %may = map { $_ => 1 } @refused, $step{$name}[2] // (), $isolation ? '40001' : ();
        fail("$name: $state $message") unless $may{$state};
    }
}
my $total = 0;
$total += $_ for values %done;
cmp_ok($total, '>=', $seconds, "$total steps of $writers writers were carried out (seed $seed)");
note join ', ', map { "$_ $done{$_}" } sort keys %done;
note 'refused: ', join ', ', map { "$_ $errors{$_}" } sort keys %errors;
# at higher levels many are told to try again
cmp_ok(scalar(keys %done), '>=', ($level ? 0.5 : 0.8) * keys %step, 'nearly each of them at least once');
# who waited for whom, doing what
is($node->safe_psql('postgres', 'SELECT sum(deadlocks) FROM pg_stat_database'), 0, 'no deadlock')
    or diag told('still waiting'), told('deadlock detected');
# where a review is wrong, with all that was decided about it
healthy($node, $db, 'hr', 'verify() finds nothing') or diag as_alice($node, $db, <<~'SQL');
    SELECT jsonb_pretty(to_jsonb(r) || jsonb_build_object('employee', e.employee_no,
             'scores', (SELECT jsonb_agg(to_jsonb(s) ORDER BY score_id) FROM hr.score s WHERE s.review_id = r.review_id),
             'segments', (SELECT jsonb_agg(to_jsonb(g) ORDER BY segment_no) FROM hr.review_segment g WHERE g.review_id = r.review_id),
             'decisions', (SELECT jsonb_agg(d.kind || ' ' || d.decided_at ORDER BY d.decision_id) FROM hr.decision d WHERE d.cause = 'review' AND d.cause_id = r.review_id)))
      FROM hr.review r JOIN hr.employee e USING (employee_id) WHERE r.review_id IN (SELECT row_id FROM hr.verify() WHERE table_name = 'review' LIMIT 1)
    SQL
is(as_alice($node, $db, 'SELECT v FROM hr.verify_audit() v'), '', 'nor does verify_audit()');
done_testing();

# Blocks of the server's log that say so, without the text of our SQL.
sub told {
    my ($what) = @_;
    return grep { !/^\t +/ } map { "$_\n" } map { split /\n/ } slurp_file($node->logfile) =~ /^.*$what.*\n(?:(?!.*(?:LOG|ERROR):).*\n)*/mg;
}

# Another server, whose counter is lower or higher, with the books of this one.
sub restored_elsewhere {
    my $other = new_server(%server, name => $restored, counter => $restored eq 'higher' ? 983040 : 0);
    new_database($other, $db);
    run_command([ 'pg_dump', '--dbname', $node->connstr($db), '--file', "$dir/books" ]);
    my $err;
    IPC::Run::run([ qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1), '--dbname', $other->connstr($db), '--file', "$dir/books" ],
        '>', \my $out, '2>', \$err) or die "cannot restore: $err";
    $node->stop;
    return $other;
}

# One writer: steps at random, one in ten at REPEATABLE READ if no level is given, until the time is over.
sub write_until {
    my ($writer) = @_;
    srand($seed * 100 + $writer);
    open my $log, '>:utf8', "$dir/$writer" or die;
    my $session = worker($node, $db);
    my $n = 0;
    while (time < $until) {
        my $name = $lots[rand @lots];
        my $isolation = $level ? " ISOLATION LEVEL $level" : rand() < 0.1 ? ' ISOLATION LEVEL REPEATABLE READ' : '';
        my $sql = fill($step{$name}[1], $writer, ++$n);
        my $text = $session->ask("BEGIN$isolation;\n$sql;\nCOMMIT");
        my $state = Hrloop::first_state($text);
        my ($message) = $text =~ /(?:ERROR|FATAL|PANIC):  (.*)/;
        print {$log} join("\t", $name, $isolation, $state, $message // ''), "\n";
        last if $state eq 'lost';
    }
    $session->end;
    close $log;
    return;
}

sub one_of { return $_[rand @_] }

sub fill {
    my ($sql, $writer, $n) = @_;
    my $share = 20 + int rand 50;
    my %value = (
        1 => 'L' . (1 + int rand $people), 2 => 'L' . (1 + int rand $people), w => $writer, n => "$writer-$n",
        c => one_of(qw(C1 C1 C2)), C => one_of(qw(C1 C2 C3)), v => 40 + int rand 60, f => int rand 15, b => one_of(qw(true false)), o => one_of(qw(ASC DESC)),
        i => one_of('客户拓展', '客户满意度', '销售执行'), d => sprintf('2023-%02d-%02d', 7 + int rand 6, 1 + int rand 28),
        h => one_of(qw(E090 E001)), l => one_of('初级销售', '中级销售', '高级销售'), t => one_of('客户拓展技巧', '数据分析', '客户谈判'),
        x => $share, y => 80 - $share,
        s => one_of((map { "plan.score_threshold', '$_" } 60, 70, 80), (map { "plan.on_missed', '$_" } qw(true false)),
            (map { "indicator.qualitative_missed', '$_" } 60, 70), (map { "review.tolerance', '$_" } 5, 40), (map { "pay.auto_apply', '$_" } qw(false false true))),
    );
    $sql =~ s/%([12a-zA-Z])/$value{$1} \/\/ die "what is %$1?"/ge;
    return $sql;
}
