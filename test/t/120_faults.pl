# What goes wrong with servers: a backend or the server dies in the middle of each bulk
# operation, a statement runs out of time, memory or disk, a savepoint is rolled back, a
# table is altered.  Nothing is ever half done, and the session that it happened to goes on
# with what is true: in the end it carries each operation out itself.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $people = 90;
# segments of a megabyte: no file of WAL is larger than a table that must not grow
my $node = new_server(extra => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ], conf => "restart_after_crash = on\n");
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
as_alice($node, $db, <<~"SQL");
    SET search_path = hr, pg_catalog;
    SELECT hire('L' || n, '员工' || n, 'SH', 'SALES', '2020-01-01', manager => 'E003'), set_salary('L' || n, 8000 + n, '2023-01-01') FROM generate_series(1, $people) n;
    SELECT create_cycle('F', '2023-07-01', '2023-09-30', 'SALES'), create_cycle('G', '2023-10-01', '2023-12-31', 'SALES'), open_cycle('G');
    SELECT revise_template('SALES', '{"客户拓展": 50, "销售执行": 30}', '重心调整'), activate_template('SALES');
    UPDATE indicator SET warn_below = 70 WHERE code = '客户拓展';
    -- this one calls verify()
    UPDATE due_rule SET active = false WHERE code = 'health_report';
    SQL

my $file = PostgreSQL::Test::Utils::tempdir() . '/scores';
# The bulk operations of a cycle, in the order in which each finds what it needs.
my @operations = (
    [ open     => q{SELECT open_cycle('F')} ],
    # what comes after it has run
    [ scores   => qq{\\copy score (review_id, indicator_id, rater_id, raw_value, facts, rationale) from '$file'},
      qq{\\copy (SELECT r.review_id, i.indicator_id, r.manager_id, CASE WHEN i.facts = '{}' THEN 60 + r.review_id % 40 END,
                 CASE WHEN i.facts <> '{}' THEN jsonb_build_object('actual', 5 + r.review_id % 8) END, '按事实评分 ' || r.review_id FROM review r JOIN template_item i USING (template_id)
                 WHERE r.cycle_id = find_cycle('F') AND r.manager_id IS NOT NULL) to '$file'} =~ s/\s+/ /gr ],
    [ measure  => q{INSERT INTO measurement (employee_id, indicator_id, measured_on, facts, source, external_id)
                    SELECT employee_id, find_indicator('客户拓展'), date '2023-07-15' + n, jsonb_build_object('actual', n), 'load', employee_id || '/' || n
                      FROM employee, generate_series(1, 8, 3) n WHERE employee_no ~ '^L'} ],
    [ reweight => q{SELECT reweight_cycle('F', 'SALES', '重心调整')},
      q{SELECT FROM revise_template('SALES', '{"客户拓展": 60, "销售执行": 20}', '再调整') v, LATERAL (SELECT activate_template('SALES', v)) a} ],
    [ lock     => q{SELECT lock_cycle('F', '2023-10-05', skip_incomplete => true)} ],
    [ approve  => q{SELECT approve_cycle('F')} ],
    [ apply    => q{SELECT apply_cycle('F')} ],
    [ certify  => q{INSERT INTO certification_result (employee_id, certification_id, achieved_on, passed, source, external_id)
                    SELECT employee_id, find_certification('中级销售'), '2023-10-10', true, 'load', employee_no FROM employee WHERE employee_no ~ '^L'} ],
    [ clock    => q{SELECT count(*) FROM run_due('2023-12-09 09:00')} ],
);

my $session;
for my $operation (@operations) {
    my ($name, $sql, $first) = @$operation;
    # what happens to a session happens to the one that carries it out at last
    $session = worker($node, $db);
    $session->ask($first) if $first;
    my $before = rows();
    my $start = time;
    is($session->state("BEGIN;\n$sql;\nROLLBACK"), 'ok', "$name: works");
    my $duration = time - $start;
    $session->end;
    killed($name, $sql, $duration, $_) for qw(TERM KILL);
    immediate($name, $sql, $duration) if $name =~ /^(scores|lock|apply)$/;
    same(rows(), $before, "$name: nothing is half done after the backend and the server died");
    $session = worker($node, $db);
    cancelled($name, $sql, $duration);
    starved($name, $sql);
    full($name, $sql);
    same(rows(), $before, "$name: nor after it ran out of time, memory and disk");
    savepoint($name, $sql, $before);
    is($session->state($sql), 'ok', "$name: is carried out at last");
    ok(rows() ne $before, "$name: does something");
    healthy($node, $db, 'hr', "$name: verify() finds nothing");
    $session->end if $operation != $operations[-1];
}
remembered();
altered();
healthy($node, $db, 'hr', 'verify() finds nothing in the end');
is(as_alice($node, $db, 'SELECT v FROM hr.verify_audit() v'), '', 'nor does verify_audit()');
$session->end;
done_testing();

# Every row of every table; sequences go on after a rollback.
sub rows {
    return join "\n", grep { !/\|[tf]$/ } split /\n/, fingerprint($node, $db, 'hr');
}

# Timeouts spread over its duration: wherever it is, it ends, and the session goes on.
sub cancelled {
    my ($name, $sql, $duration) = @_;
    my %states = (57014 => 0);
    for my $part (1 .. 5) {
        # the shortest first: how long it takes now may be far less than it took
        my $ms = 1 + int($duration * 1000 * ($part - 1) / 7);
        $session->ask('ROLLBACK');    # the last one may have had no time either
        $states{ $session->state("BEGIN;\nSET LOCAL statement_timeout = $ms;\n$sql;\nROLLBACK") }++;
    }
    # it is the faster the better the session knows it
    cmp_ok(delete $states{57014}, '>', 0, "$name: its time is over");
    delete $states{ok};
    return is(join(' ', %states), '', "$name: and nothing else");
}

# A limit on the memory of the backend, near to what it has.
sub starved {
    my ($name, $sql) = @_;
    my %states;
  SKIP: {
        skip 'there is no prlimit here', 1 unless limit($session, 'as', 'unlimited');
        for my $more (64, 512, 2048) {
            # a rollback that had no time or no memory left its transaction open
            $session->ask('ROLLBACK');
            my ($size) = slurp_file("/proc/$session->{backend}/status") =~ /^VmSize:\s+(\d+) kB/m;
            limit($session, 'as', ($size + $more) * 1024);
            my $said = $session->ask("BEGIN;\n$sql;\nROLLBACK");
            limit($session, 'as', 'unlimited');
            # a library that is loaded when it is first needed finds no room: PostgreSQL calls it missing
            my $state = $said =~ /could not load library .*failed to map segment/ ? '53200' : Hrloop::first_state($said);
            $states{$state}++;
            diag $said if $state !~ /^(?:53200|ok)$/;
        }
        $session->ask('ROLLBACK');
        delete @states{qw(53200 ok)};
        is(join(' ', %states), '', "$name: runs out of memory, or does with what there is");
    }
    return;
}

# A limit on the size of files stands for a full disk: the largest table cannot grow.
sub full {
    my ($name, $sql) = @_;
  SKIP: {
        my $size = $node->safe_psql($db, q{SELECT max(pg_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'hr'::regnamespace});
        skip "$name: no table is larger than a segment of WAL yet", 1 if $size <= 1024 * 1024;
        skip 'there is no prlimit here', 1 unless limit($session, 'fsize', $size);
        my $state = $session->state("BEGIN;\n$sql;\nROLLBACK");
        limit($session, 'fsize', 'unlimited');
        like($state, qr/^(53100|XX000|ok)$/, "$name: the disk is full");
    }
    return;
}

# Changes the soft limit of a backend; false if that cannot be done here.
sub limit {
    my ($of, $what, $value) = @_;
    return system("prlimit --pid $of->{backend} --$what=$value: 2>/dev/null") == 0;
}

# Its backend is told to go, or is killed, which restarts the server.
sub killed {
    my ($name, $sql, $duration, $signal) = @_;
    my ($victim, $witness) = map { worker($node, $db) } 1, 2;
    $_->begin("BEGIN;\n" . ($_ == $victim ? "$sql;\n" : '') . 'SELECT pg_sleep(100)') for $victim, $witness;
    sleep $duration * ($signal eq 'TERM' ? 0.7 : 0.4);
    kill $signal, $victim->{backend};
    like(Hrloop::first_state($victim->finish), qr/^(57P01|lost)$/, "$name: its backend gets SIG$signal");
    # who is sent away by the restart knows that it has begun
    $signal eq 'KILL' ? $witness->finish : kill 'TERM', $witness->{backend};
    $_->end for $victim, $witness;
    $node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
    return;
}

sub immediate {
    my ($name, $sql, $duration) = @_;
    my $victim = worker($node, $db);
    $victim->begin("BEGIN;\n$sql;\nSELECT pg_sleep(100)");
    sleep $duration * 0.6;
    $node->stop('immediate');
    isnt(Hrloop::first_state($victim->finish), 'ok', "$name: the server is stopped at once");
    $victim->end;
    $node->start;
    return;
}

# Done and undone in one transaction, between scores of another cycle.
sub savepoint {
    my ($name, $sql, $before) = @_;
    my $score = q{SELECT submit_score('G', 'L1', '客户满意度', %d, '回访 %d', rater => 'E003')};
    is($session->state(join ";\n", 'BEGIN', sprintf($score, 61, 61), 'SAVEPOINT s', $sql, sprintf($score, 62, 62), 'ROLLBACK TO s', sprintf($score, 63, 63),
        $name =~ /^(scores|lock|apply)$/ ? 'SELECT hrloop.fail(\'22023\', v.problem) FROM verify() v' : (), 'DELETE FROM score WHERE rationale = \'回访 63\'', 'ROLLBACK'), 'ok', "$name: a savepoint takes it back");
    return same(rows(), $before, "$name: and leaves nothing");
}

# What a session remembers is what is true after ROLLBACK TO, and what others commit.
sub remembered {
    my $try = q{SAVEPOINT t; SELECT count(submit_score('G', 'L2', i, 74, '%s', rater => 'E003')) FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) i;
                SELECT composite, plan_reason FROM review WHERE review_id = find_review('G', 'L2'); ROLLBACK TO t};
    my %case = (
        'a setting'      => [ q{SELECT set_setting('plan.score_threshold', '90')}, sprintf $try, '按事实' ],
        'the weights'    => [ q{UPDATE score SET raw_value = 1 WHERE false; SELECT reweight_cycle('G', 'SALES', '重心调整')},
                              q{SAVEPOINT t; SELECT submit_score('G', 'L3', '客户拓展', 100, '好', rater => 'E003'), submit_score('G', 'L3', '客户满意度', 50, '好', rater => 'E003'),
                                submit_score('G', 'L3', '销售执行', 50, '好', rater => 'E003'); ROLLBACK TO t} ],
        'a rater group'  => [ q{UPDATE rater_group SET rationale_required = false WHERE rater_group = 'manager'}, sprintf $try, '' ],
        'a text'         => [ q{UPDATE message_text SET body = '?' WHERE kind = 'pay.void'}, q{SELECT sentence('pay.void', '{"employee": "x", "cycle": "y"}', 'en')} ],
        'who acts'       => [ q{SELECT act_as('L5')}, q{SELECT who()} ],
        'who sees whom'  => [ q{UPDATE assignment SET manager_id = find_employee('E020') WHERE employee_id = find_employee('L6')},
                              q{SAVEPOINT t; SELECT act_as('E020'); SELECT hrloop.visible('book', find_employee('L6')); ROLLBACK TO t} ],
        'a lock'         => [ q{SELECT count(submit_score('G', 'L2', i, 80, '好', rater => 'E003')) FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) i;
                                SELECT lock_review('G', 'L2', '2024-01-05')}, q{SELECT status, composite FROM review WHERE review_id = find_review('G', 'L2')} ],
        'a certificate'  => [ q{SELECT certify('L7', '高级销售', '2023-10-20')}, q{SELECT allowance_on('L7', '2024-01-01')} ],
        'the audit log'  => [ q{SELECT set_salary('L8', 9999, '2023-12-01')}, q{SELECT count(*) FROM verify_audit()} ],
        'an allowance'   => [ q{UPDATE allowance_rule SET amount = 1234 WHERE skill_level_id IS NOT NULL}, q{SELECT allowance_on('L9', '2024-01-01')} ],
    );
    for my $what (sort keys %case) {
        my ($change, $probe) = @{ $case{$what} };
        my $others = worker($node, $db);
        my @seen;
        for my $part ($probe, "SAVEPOINT s;\n$change", $probe, 'ROLLBACK TO s', $probe) {
            $session->ask('BEGIN') unless @seen;
            # an error of a probe is an answer too
            my $text = $session->ask($part eq $probe ? "SAVEPOINT p;\n$part;\nROLLBACK TO p" : $part);
            push @seen, $text =~ /ERROR:  (\w{5})/ ? $1 : $text;
        }
        $session->ask('ROLLBACK');
        $others->ask('BEGIN');
        my $fresh = $others->ask("SAVEPOINT p;\n$probe;\nROLLBACK TO p");
        $fresh = $1 if $fresh =~ /ERROR:  (\w{5})/;
        $others->ask('ROLLBACK');
        $others->end;
        is($seen[4], $seen[0], "$what: as before after ROLLBACK TO");
        is($seen[4], $fresh, "$what: as a new session has it");
        isnt($seen[2], $seen[0], "$what: another one in between") if $what ne 'the audit log';
    }
    return;
}

# Plans that are kept meet tables that are altered.
sub altered {
    my $score = q{SELECT submit_score('G', 'L10', '客户拓展', facts => '{"actual": 9}', rationale => '新签 9', rater => 'E003')};
    for my $ddl ('CREATE INDEX review_new ON hr.review (status)', 'ALTER TABLE hr.score ADD COLUMN remark text', 'ALTER TABLE hr.review ADD COLUMN remark text',
        'ALTER TABLE hr.review ALTER COLUMN block_reason SET STATISTICS 10', 'DROP INDEX hr.review_new', 'ALTER TABLE hr.score DROP COLUMN remark',
        'ALTER SCHEMA hr RENAME TO hr2', 'ALTER SCHEMA hr2 RENAME TO hr', 'VACUUM FULL hr.setting') {
        as_alice($node, $db, $ddl);
        next if $ddl =~ /RENAME TO hr2/;
        is($session->state($score), 'ok', "a session scores after $ddl");
    }
    return;
}
