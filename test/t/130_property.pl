# Random lives of a company, compared with a model that knows nothing of hrloop's
# code: what people entered is read back, and composites, grades, plans, raises,
# allowances and live scores are computed from it in exact fractions.
#
# Two sessions take turns, so that what one remembers is what the other changed.
# HRLOOP_SEED=n repeats a run, HRLOOP_STEPS=n makes it longer; what fails is shown with
# its seed and step, and HRLOOP_STEPS=step stops right there.  With HRLOOP_DISCARD=1, on a
# PostgreSQL with assertions (make test-assert), all caches forget whenever they may.
use strict;
use warnings;
use utf8;

use Hrloop;
use IPC::Run;
use JSON::PP;
use List::Util qw(all any first max min shuffle sum0);
use Math::BigInt;
use Math::BigRat;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HRLOOP_SEED} // (time ^ $$) % 1_000_000;
my $steps = $ENV{HRLOOP_STEPS} // 100;
srand $seed;
note "HRLOOP_SEED=$seed HRLOOP_STEPS=$steps";
sub one { return $_[rand @_] }
sub chance { return rand() < $_[0] }
sub whole { my ($from, $to) = @_; return $from + int rand($to - $from + 1) }

my $node = new_server();
my $db = new_database($node, 'shop');
as_alice($node, $db, 'CREATE EXTENSION hrloop CASCADE');
as_alice($node, $db, q{SELECT hrloop.install('hr')});

# ----------------------------------------------------------------- sessions

# A psql that stays.  It answers with the SQLSTATE of the first statement that failed and
# what came out.
package Psql {
    sub new {
        my ($class, $connection) = @_;
        my $self = bless { in => '', out => '', n => 0 }, $class;
        $self->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $connection ], '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
            $self->{patience} = IPC::Run::timeout($ENV{HRLOOP_DISCARD} ? 3600 : $PostgreSQL::Test::Utils::timeout_default));
        $self->ask('SET search_path = hr, pg_catalog; SET client_min_messages = error;');
        return $self;
    }

    sub ask {
        my ($self, $sql, $actor) = @_;
        $self->{out} = $self->{err} = '';
        my $mark = 'mark' . ++$self->{n};
        my $text = $actor ? "BEGIN;\nSELECT act_as('$actor') \\gset\n$sql\n\\set state :SQLSTATE\nCOMMIT;\n" : "$sql\n\\set state :SQLSTATE\n";
        utf8::encode($text);
        $self->{in} .= "$text\\echo $mark :state\n";
        $self->{patience}->start;
        $self->{run}->pump until $self->{out} =~ /^$mark (\w+)\n/m;
        my $state = $1;
        my $out = substr $self->{out}, 0, $-[0];
        utf8::decode($out);
        chomp $out;
        return ($state, $out, $self->{err});
    }
}

my @sessions = map { Psql->new($node->connstr($db) . ' user=alice') } 1, 2;
my $step = 0;
my @trace;

sub answer { return one(@sessions)->ask(@_) }

sub value {
    my ($state, $out, $error) = answer(@_);
    die "step $step, $state: $error\n$_[0]" if $state ne '00000';
    return $out;
}

# The rows of a query, every value as text.
sub rows {
    my ($query) = @_;
    my $json = value("SELECT coalesce(json_agg((SELECT json_object_agg(key, value #>> '{}') FROM jsonb_each(to_jsonb(t)))), '[]') FROM ($query) t;");
    utf8::encode($json);
    return @{ decode_json($json) };
}

# An operation that must succeed, or fail with one of some SQLSTATEs.
my ($accepted, $refused) = (0, 0);
my %states;

sub try {
    my ($what, $sql, %o) = @_;
    push @trace, "$step " . ($o{as} ? "as $o{as}: " : '') . $sql;
    my $log = 'SELECT (SELECT count(*) FROM decision), (SELECT coalesce(sum(length), 0) FROM audit_lane), (SELECT count(*) FROM payroll_feed), (SELECT count(*) FROM notification);';
    my $before = $o{fails} ? value($log) : '';
    my ($state, $out, $error) = answer($sql, $o{as});
    $states{"$what $state"}++;
    my $fine = $o{fails} ? $state =~ /^(?:$o{fails})$/ : $state eq '00000' || ($o{may} && $state =~ /^(?:$o{may})$/);
    $fine &&= $before eq value($log) if $o{fails};
    $state eq '00000' ? $accepted++ : $refused++;
    failed("$what: $state is not " . ($o{fails} ? "refused by $o{fails}, without a trace" : 'accepted'), $error) if !$fine;
    return ($state, $out);
}

sub failed {
    my ($what, @more) = @_;
    fail("HRLOOP_SEED=$seed HRLOOP_STEPS=$step");
    for my $line ($what, @more, @trace > 12 ? @trace[ -12 .. -1 ] : @trace) {
        utf8::encode($line) if utf8::is_utf8($line);
        diag $line;
    }
    done_testing();
    exit 1;
}

# ------------------------------------------------------------------- company

my (@people, @indicators, @templates);
my @cycles = (['C1', '2023-01-01', '2023-03-31'], ['C2', '2023-04-01', '2023-06-30'], ['C3', '2023-07-01', '2023-09-30']);
my $opened = 0;

sub text { my ($t) = @_; $t =~ s/'/''/g; return "'$t'" }

# Weights of some parts that sum to 100.
sub weights {
    my ($n) = @_;
    my @cut = sort { $a <=> $b } (shuffle(1 .. 199))[ 0 .. $n - 2 ];
    my @w = map { ($cut[$_] // 200) - ($_ ? $cut[ $_ - 1 ] : 0) } 0 .. $n - 1;
    return map { $_ / 2 } @w;
}

sub make_company {
    value(q{SELECT add_unit('ALL', '公司', 'company'), add_unit('SHOP', '门店', 'branch', 'marketing', parent => 'ALL'), add_unit('LAB', '研发', 'department', 'technology', parent => 'ALL');
        INSERT INTO job (code, name, job_family) VALUES ('BOSS', '总经理', 'management'), ('SALES', '销售', 'sales'), ('DEV', '工程师', 'technology');
        SELECT hire('B', '总', 'ALL', 'BOSS', '2015-01-01'), hire('H', '人事', 'ALL', 'BOSS', '2015-01-01', manager => 'B'), hire('M1', '店长', 'SHOP', 'SALES', '2016-01-01', manager => 'B'), hire('M2', '主任', 'LAB', 'DEV', '2016-01-01', manager => 'B');
        INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('H')), ('executive', find_employee('B'));
        SELECT set_setting('rater.relation', 'false');});
    hire_somebody($_) for 1 .. 7;
    value(q{SELECT set_salary('M1', 15000, '2020-01-01'), set_salary('M2', 16000.01, '2020-01-01');});
    for my $n (1 .. 6) {
        my $kind = $n <= 4 ? 'qualitative' : 'quantitative';
        my $pass = chance(0.4) ? whole(40, 90) : 'NULL';
        my $limits = $n > 4 ? sprintf(', cap => %s, floor => %s, direction => %s', one(100, 120, 150), one(0, -20, 30), one(q{'higher'}, q{'lower'})) : '';
        value("SELECT create_indicator('I$n', definition => 'd', standard => 's', kind => '$kind', pass => $pass$limits);");
        push @indicators, "I$n";
        value("INSERT INTO resource (code, name, kind) VALUES ('R$n', 'R$n', 'course'); INSERT INTO resource_tag (resource_id, indicator_id) VALUES (find_resource('R$n'), find_indicator('I$n'));");
    }
    make_template($_) for qw(T1 T2);
    value(q{SELECT create_scale('pay_lab', 'raise', '[{"range": "[85,)", "value": 7.5}, {"range": "[60,80)", "value": 3.333}]'), add_raise_rule('pay_lab', unit_kind => 'technology');
        INSERT INTO skill (code, name) VALUES ('S', 'S'), ('T', 'T');
        INSERT INTO skill_level (skill_id, rank, code, name) SELECT skill_id, n, code || n, code || n FROM skill, generate_series(1, 3) n;
        INSERT INTO certification (code, name, skill_level_id) SELECT code, name, skill_level_id FROM skill_level;
        INSERT INTO allowance_rule (skill_level_id, amount) SELECT skill_level_id, rank * 111.11 FROM skill_level;});
    for my $c (@cycles) {
        value("SELECT create_cycle('$c->[0]', '$c->[1]', '$c->[2]', 'T1'), assign_template('$c->[0]', 'T2', unit_kind => 'technology');");
    }
    return;
}

sub hire_somebody {
    my ($n) = @_;
    my ($unit, $job, $manager) = @{ one([ 'SHOP', 'SALES', 'M1' ], [ 'LAB', 'DEV', 'M2' ]) };
    try('hire', "SELECT hire('E$n', '员工$n', '$unit', '$job', '" . one('2020-01-01', '2022-06-15') . "', manager => '$manager'), set_salary('E$n', " . one('3333.33', '10000', '8888.88', '12345.67', '0.01', '7000.5') . ", '2022-07-01');");
    push @people, "E$n";
    return;
}

sub make_template {
    my ($code) = @_;
    my @chosen = (shuffle @indicators)[ 0 .. whole(1, 4) ];
    my @weight = weights(scalar @chosen);
    my @items = map {
        my %i = (indicator => $chosen[$_], weight => $weight[$_], facts => $chosen[$_] =~ m{^I[56]$} ? { target => whole(1, 12) } : {});
        if (chance(0.2)) { $i{veto} = { at => whole(20, 60), cap => whole(30, 80) } }
        \%i;
    } 0 .. $#chosen;
    my ($groups, @in) = ('{}');
    if (@items > 2 && chance(0.4)) {    # the first two in a group
        my ($g, @rest) = weights(@items - 1);
        my ($x, $y) = weights(2);
        @{ $items[0] }{qw(group weight)} = ('G', $x);
        @{ $items[1] }{qw(group weight)} = ('G', $y);
        $items[ $_ + 2 ]{weight} = $rest[$_] for 0 .. $#rest;
        $groups = "{\"G\": $g}";
    }
    my $json = JSON::PP->new->canonical->encode(\@items);
    my $policy = one(qw(block renormalise zero));
    value("SELECT create_template('$code', '$json', groups => '$groups', missing_policy => '$policy', reason => '新版');");
    for my $g (qw(manager self peer subordinate)) {
        next if chance(0.5);
        my $below = one(qw(rollup drop block));
        value("INSERT INTO template_rater_group (template_id, rater_group, weight, required, minimum, below_minimum)
            SELECT max(template_id), '$g', " . one(0, 10, 33.3, 50, 100) . ", " . ($g eq 'manager' || chance(0.2) ? 'true' : 'false') . ", " . ($g =~ /peer|sub/ ? whole(0, 2) : 0) . ", '$below' FROM review_template WHERE code = '$code';");
    }
    value("SELECT activate_template('$code');");
    return;
}

# ---------------------------------------------------------------- operations

# Some review with what an operation has to know of it.
sub some_review {
    my ($where) = @_;
    my @r = rows("SELECT r.review_id, c.code AS cycle, e.employee_no AS employee, m.employee_no AS manager, r.status, r.complete, r.segmented, r.template_id,
        r.composite, r.self_composite, coalesce(r.deviation_explained = r.composite - r.self_composite, false) AS explained, EXISTS (SELECT FROM review_result x WHERE x.review_id = r.review_id) AS published
        FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) LEFT JOIN employee m ON m.employee_id = r.manager_id
        WHERE $where");
    return one(@r);
}

sub some_item {
    my ($review) = @_;
    return one(rows("SELECT i.indicator_id, n.code, n.kind FROM template_item i JOIN indicator n USING (indicator_id) WHERE i.template_id = $review->{template_id}"));
}

sub score_value { return one(0, 100, 70, 80, 90, '70.00005', '79.99995', whole(0, 100), whole(0, 100), whole(50, 95), sprintf('%.4f', rand 100)) }

sub score {
    my ($r, $group) = @_;
    my $item = some_item($r) or return;
    my @others = grep { $_ ne $r->{employee} && $_ ne ($r->{manager} // '') } @people, qw(M1 M2 B);
    my $rater = $group eq 'self' ? $r->{employee} : $group eq 'manager' ? $r->{manager} // 'H' : one(@others);
    my $value = score_value();
    my $how = $item->{kind} eq 'quantitative' && chance(0.7) ? 'facts => \'{"actual": ' . one(0.5, 3, 7, 10, 12, whole(1, 20)) . '}\''
        : chance(0.2) ? sprintf('value => %s, scale_max => 5', one(0, 1, 2.5, 3, '4.33', 5)) : "value => $value";
    return ($item, "SELECT submit_score('$r->{cycle}', '$r->{employee}', '$item->{code}', $how, rationale => '观察到的事实', rater => '$rater', rater_group => '$group');");
}

my %operation = (
    score => [ 30, sub {
        my $r = some_review("r.status = 'open'") or return;
        my $group = one(qw(manager manager manager self peer subordinate));
        my (undef, $sql) = score($r, $group);
        # what was published is closed for anonymous groups
        try("score $group", $sql, $r->{published} eq 'true' && $group ne 'manager' ? (may => '55000') : ());
    } ],
    everything => [ 5, sub {    # one statement for all open reviews, by the manager
        try('score everything', "INSERT INTO score (review_id, indicator_id, rater_id, raw_value, rationale)
            SELECT r.review_id, i.indicator_id, coalesce(r.manager_id, find_employee('H')), (r.review_id * 7 + i.indicator_id * 13 + " . whole(0, 50) . ") % 51 + 50, '按事实评分'
              FROM review r JOIN template_item i USING (template_id) WHERE r.status = 'open' AND NOT r.segmented ORDER BY 1, 2
            ON CONFLICT ON CONSTRAINT score_once DO UPDATE SET raw_value = excluded.raw_value, facts = NULL, scale_max = 100;");
    } ],
    change => [ 6, sub {
        my $d = one(-5, -1, 1, '0.0001', '0.5', 10);
        try('change scores', "UPDATE score s SET raw_value = least(s.scale_max, greatest(0, s.raw_value + $d)) FROM review r
            WHERE r.review_id = s.review_id AND r.status = 'open' AND s.rater_group = 'manager' AND s.raw_value IS NOT NULL AND (s.score_id + $step) % 3 = 0;");
    } ],
    remove => [ 3, sub {
        try('remove scores', "DELETE FROM score s USING review r WHERE r.review_id = s.review_id AND r.status = 'open' AND s.rater_group IN ('manager', 'self') AND (s.score_id + $step) % 5 = 0;", may => '55000');
    } ],
    wrong_score => [ 10, sub {
        my $r = some_review("r.status = 'open'") or return;
        my $item = some_item($r) or return;
        my $call = "SELECT submit_score('$r->{cycle}', '$r->{employee}', %s, rater => '" . ($r->{manager} // 'H') . "', %s);";
        my ($args, $state) = @{ one(
            [ 'value => 100.0001, rationale => \'好\'', '23514' ], [ 'value => -0.0001, rationale => \'好\'', '23514' ], [ 'value => \'NaN\', rationale => \'好\'', '23514' ],
            [ 'value => \'Infinity\', rationale => \'好\'', '23514' ], [ 'rationale => \'好\'', '23502' ], [ 'value => 80', '23502' ], [ 'value => 80, rationale => \' 　。\'', '23502' ],
            [ 'value => 6, scale_max => 5, rationale => \'好\'', '23514' ], [ 'value => 0, scale_max => 0, rationale => \'好\'', '23514' ], [ 'facts => \'{"actual": null}\', rationale => \'好\'', '22023|23514' ],
            [ 'facts => \'[]\', rationale => \'好\'', '22023|23514' ], [ 'value => 80, rationale => \'好\', rater_group => \'self\'', '23514' ], [ 'value => 80, rationale => \'好\', rater_group => \'nobody\'', '23503|22023' ]) };
        try("wrong score", sprintf($call, "'$item->{code}'", $args), fails => $state);
        try("wrong indicator", sprintf($call, "'none'", 'value => 80, rationale => \'好\''), fails => '22023');
        try("score oneself", "SELECT submit_score('$r->{cycle}', '$r->{employee}', '$item->{code}', 80, '好', rater => '$r->{employee}', rater_group => 'peer');", fails => '23514');
    } ],
    locked_score => [ 4, sub {
        my $r = some_review("r.status = 'locked'") or return;
        my (undef, $sql) = score($r, 'manager');
        try('score a locked review', $sql, fails => '55000');
        try('change what is locked', "UPDATE score SET raw_value = 1, facts = NULL WHERE review_id = $r->{review_id};", fails => '55000') if value("SELECT EXISTS (SELECT FROM score WHERE review_id = $r->{review_id});") eq 't';
    } ],
    setting => [ 5, sub {
        my $s = one([ 'plan.score_threshold', score_value() ], [ 'plan.score_threshold', undef ], [ 'indicator.qualitative_missed', whole(0, 100) ], [ 'plan.on_missed', one('true', 'false') ],
            [ 'plan.missed_max_score', one(undef, whole(0, 100)) ]);
        try('setting', "SELECT set_setting('$s->[0]', " . (defined $s->[1] ? "'$s->[1]'" : 'NULL') . ');');
        my $w = one([ 'plan.max_items', 0 ], [ 'plan.on_missed', 'perhaps' ], [ 'plan.score_threshold', 'x' ], [ 'no.such', 1 ]);
        try('wrong setting', "SELECT set_setting('$w->[0]', '$w->[1]');", fails => '22023|23514|22P02');
    } ],
    lock => [ 10, sub {
        my $r = some_review("r.status = 'open'") or return;
        my $call = "SELECT lock_review('$r->{cycle}', '$r->{employee}', '2023-10-01');";
        return try('lock incomplete', $call, fails => '55000') if $r->{complete} ne 'true';
        my $apart = defined $r->{self_composite} && defined $r->{composite} && abs(Math::BigRat->new($r->{composite}) - Math::BigRat->new($r->{self_composite})) > 5;
        if ($apart && $r->{explained} ne 'true') {
            try('lock apart', $call, fails => '23514');
            try('explain', "SELECT explain_deviation('$r->{cycle}', '$r->{employee}', '看法不同');", as => $r->{manager} // 'H');
        }
        try('lock', $call);
    } ],
    lock_cycle => [ 2, sub {
        my $c = $cycles[ whole(0, max($opened - 1, 0)) ];
        try('lock cycle', "SELECT lock_cycle('$c->[0]', '2023-10-01', skip_incomplete => true);", may => '23514');
    } ],
    unlock => [ 6, sub {
        my $r = some_review("r.status = 'locked'") or return;
        try('unlock without reason', "SELECT unlock_review('$r->{cycle}', '$r->{employee}', ' 　');", fails => '23502|23514');
        try('unlock', "SELECT unlock_review('$r->{cycle}', '$r->{employee}', '数据有误');", may => '55000');
    } ],
    open => [ 3, sub {
        return try('open again', "SELECT open_cycle('C1');", may => '55000') if $opened == @cycles;
        my $c = $cycles[$opened];
        if (chance(0.5)) {
            my $e = one(@people);
            try('target', "SELECT set_target('$c->[0]', '$e', 'I5', '{\"target\": " . whole(2, 9) . "}');");
            try('target below zero', "SELECT set_target('$c->[0]', '$e', 'I5', '{\"target\": -1}');", fails => '22023');
        }
        try('open', "SELECT open_cycle('$c->[0]');");
        $opened++;
    } ],
    reweight => [ 4, sub {
        my ($code, $c) = (one('T1', 'T2'), $cycles[ whole(0, max($opened - 1, 0)) ][0]);
        my @items = rows("SELECT n.code FROM template_item i JOIN indicator n USING (indicator_id) WHERE i.template_id = (SELECT max(template_id) FROM review_template WHERE code = '$code') AND i.template_group_id IS NULL");
        my $rest = value("SELECT 100 - coalesce(sum(weight), 0) FROM template_group WHERE template_id = (SELECT max(template_id) FROM review_template WHERE code = '$code');");
        my @w = @items > 1 ? weights(scalar @items) : (100);
        my $json = join ', ', map { sprintf '"%s": %.10g', $items[$_]{code}, $w[$_] * $rest / 100 } 0 .. $#items;
        try('revise', "SELECT revise_template('$code', '{$json}', '新目标');");
        try('revise to other than 100', "SELECT revise_template('$code', '{\"$items[0]{code}\": 99.9}', '新目标');", fails => '23514') if @items > 1;
        try('reweight', "SELECT reweight_cycle('$c', '$code', '新目标');", may => '55000|22023');
    } ],
    pay => [ 8, sub {
        my $a = one(rows("SELECT c.code AS cycle, e.employee_no AS employee, a.status FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) WHERE a.status IN ('proposed', 'approved')")) or return;
        my $of = "'$a->{cycle}', '$a->{employee}'";
        return try('apply', "SELECT apply_adjustment($of);", may => '55000') if $a->{status} eq 'approved';
        try('apply before it is approved', "SELECT apply_adjustment($of);", fails => '55000');
        try('approve one\'s own', "SELECT approve_adjustment($of);", as => $a->{employee}, fails => '42501');
        chance(0.85) ? try('approve', "SELECT approve_adjustment($of);", as => $a->{employee} eq 'B' ? 'H' : 'B', may => '42501')
            : try('reject', "SELECT reject_adjustment($of, '预算');", as => 'B', may => '42501');
    } ],
    appeal => [ 3, sub {
        my $r = some_review("r.status = 'locked'") or return;
        my ($state) = try('appeal', "SELECT file_appeal('$r->{cycle}', '$r->{employee}', '不同意', '2023-10-02');", as => $r->{employee}, may => '55000|23505|23514');
        return if $state ne '00000';
        my $item = some_item($r);
        my $upheld = chance(0.6);
        my $scores = $upheld ? ", scores => '[{\"indicator\": \"$item->{code}\", \"value\": 88}]'" : '';
        try('decide', "SELECT decide_appeal('$r->{cycle}', '$r->{employee}', " . ($upheld ? 'true' : 'false') . ", '已核实'$scores, on_date => '2023-10-03');", as => 'H', may => '55000|42501|22023|23514');
    } ],
    certify => [ 5, sub {
        my ($e, $c) = (one(@people), one(qw(S T)) . whole(1, 3));
        try('certify', "SELECT certify('$e', '$c', '2023-0" . whole(1, 9) . '-' . one('01', '15', '28') . "', external_id => 'X$step');", may => '55000|23505|23514');
        my $last = one(rows('SELECT e.employee_no AS employee, c.code FROM certification_result x JOIN employee e USING (employee_id) JOIN certification c USING (certification_id)
            WHERE NOT EXISTS (SELECT FROM certification_reversal v WHERE v.certification_result_id = x.certification_result_id)'));
        try('reverse', "SELECT reverse_certification('$last->{employee}', '$last->{code}', '作废', '2023-10-05');", may => '55000') if $last && chance(0.4);
        try('reverse what is not there', "SELECT reverse_certification('B', '$c', '作废');", fails => '55000');
    } ],
    measure => [ 6, sub {
        my ($e, $i) = (one(@people), one('I5', 'I6'));
        try('measure', "SELECT record_measurement('$e', '$i', '2023-0" . whole(1, 9) . '-' . whole(10, 28) . "', '{\"actual\": " . one(0.5, 1, 2, 3.25) . "}', external_id => 'M$step');");
        try('correct a reading', "UPDATE measurement SET facts = '{\"actual\": 4}' WHERE measurement_id = (SELECT max(measurement_id) FROM measurement);", may => '55000') if chance(0.3);
        try('delete a reading', 'DELETE FROM measurement WHERE measurement_id = (SELECT min(measurement_id) FROM measurement);', may => '55000') if chance(0.1);
        try('measure nobody', "SELECT record_measurement('E999', '$i', '2023-05-01', '{\"actual\": 1}');", fails => '22023');
    } ],
    move => [ 3, sub {
        my ($unit, $job, $manager) = @{ one([ 'SHOP', 'SALES', 'M1' ], [ 'LAB', 'DEV', 'M2' ]) };
        try('transfer', "SELECT transfer('" . one(@people) . "', '2023-0" . whole(4, 9) . '-' . one('01', '11') . "', unit => '$unit', job => '$job', manager => '$manager');", may => '55000|23514|22023');
        hire_somebody(@people + 1) if @people < 10;
    } ],
);

# --------------------------------------------------------------------- model

sub ratio { return defined $_[0] ? Math::BigRat->new("$_[0]") : undef }

# Half up (away from zero) to some digits.
sub rounded {
    my ($x, $digits) = @_;
    my $scale = Math::BigInt->new(10)**$digits;
    my $y = ($x->copy->babs * $scale + Math::BigRat->new('1/2'))->bfloor / Math::BigRat->new($scale);
    return $x < 0 ? -$y : $y;
}

sub total { my $t = ratio(0); $t += $_ for @_; return $t }
sub decimal { return defined $_[0] ? $_[0]->copy->numify : 'null' }

sub equal {
    my ($what, $expected, $found) = @_;
    $found = ratio($found) if defined $found;
    return if !defined $expected && !defined $found || defined $expected && defined $found && $expected == $found;
    failed("$what: expected " . decimal($expected) . ', found ' . decimal($found));
}

sub same_set {
    my ($what, $expected, $found) = @_;
    my ($x, $y) = map { join ' ', sort @$_ } $expected, $found;
    failed("$what: expected [$x], found [$y]") if $x ne $y;
    return;
}

# One indicator or part from its scores: undef unless all required groups are there.
sub value_of_groups {
    my ($groups, $scores, $short) = @_;
    my (%by, $absent, $weight, $sum, $attained, $attained_weight);
    push @{ $by{ $_->{rater_group} } }, $_ for @$scores;
    for my $g (@$groups) {
        next if $g->{weight} == 0;
        my $mine = $by{ $g->{rater_group} } // [];
        my $below = @$mine < $g->{minimum};
        $$short = 1 if $below && $g->{below_minimum} eq 'block';
        if (!@$mine || $below && $g->{below_minimum} eq 'drop') {
            $absent = 1 if $g->{required} eq 'true';
            next;
        }
        my $w = ratio($g->{weight});
        $weight += $w;
        $sum += $w * total(map { $_->{v} } @$mine) / @$mine;
        my @a = grep { defined } map { $_->{a} } @$mine;
        next if !@a;
        $attained += $w * total(@a) / @a;
        $attained_weight += $w;
    }
    return if $absent || !defined $weight;
    return ($sum / $weight, defined $attained ? $attained / $attained_weight : undef);
}

sub check_all {
    my %setting = map { $_->{setting} => $_->{value} } rows('SELECT setting, value FROM setting');
    my (%items, %groups, %scores, %targets, %segments, %template_groups);
    push @{ $items{ $_->{template_id} } }, $_ for rows('SELECT i.*, n.direction, n.kind, n.code FROM template_item i JOIN indicator n USING (indicator_id) ORDER BY position, indicator_id');
    $template_groups{ $_->{template_group_id} } = $_->{weight} for rows('SELECT * FROM template_group');
    push @{ $groups{ $_->{template_id} } }, $_ for rows('SELECT * FROM template_rater_group');
    push @{ $segments{ $_->{review_id} } }, $_ for rows('SELECT * FROM review_segment ORDER BY segment_no');
    $targets{"$_->{cycle_id} $_->{employee_id} $_->{indicator_id}"} = decode_json($_->{facts}) for rows('SELECT * FROM target');
    push @{ $scores{ $_->{review_id} } }, $_ for rows('SELECT * FROM score');
    my %policy = map { $_->{template_id} => $_->{missing_policy} } rows('SELECT * FROM review_template');
    my %superior = map { $_->{rater_group} => 1 } rows(q{SELECT rater_group FROM rater_group WHERE relation = 'superior'});
    my %bands;
    for my $b (rows('SELECT b.band_id, b.scale_id, s.code, lower(b.range) AS lo, upper(b.range) AS hi, lower_inc(b.range) AS lo_inc, upper_inc(b.range) AS hi_inc, b.value, b.label FROM band b JOIN scale s USING (scale_id)')) {
        push @{ $bands{ $b->{scale_id} } }, $b;
    }
    my $band = sub {
        my ($scale, $x) = @_;
        return first {
            (!defined $_->{lo} || $x > ratio($_->{lo}) || $_->{lo_inc} eq 'true' && $x == ratio($_->{lo})) &&
                (!defined $_->{hi} || $x < ratio($_->{hi}) || $_->{hi_inc} eq 'true' && $x == ratio($_->{hi}))
        } @{ $bands{$scale} };
    };
    # actual over target, or the other way round where lower is better
    my $attainment = sub {
        my ($r, $i, $facts) = @_;
        my %f = (%{ decode_json($i->{facts}) }, %{ $targets{"$r->{cycle_id} $r->{employee_id} $i->{indicator_id}"} // {} }, %$facts);
        return if !$f{target} || !defined $f{actual} || $i->{direction} eq 'lower' && !$f{actual};
        my ($actual, $target) = (ratio($f{actual}), ratio($f{target}));
        return rounded(100 * ($i->{direction} eq 'lower' ? $target / $actual : $actual / $target), 4);
    };
    my $clamped = sub {
        my ($i, $a) = @_;
        my ($cap, $floor) = (ratio($i->{cap_pct}), ratio($i->{floor_pct}));
        return $a > $cap ? $cap : $a < $floor ? $floor : $a;
    };
    my $weight_of = sub {
        my ($i) = @_;
        my $w = ratio($i->{weight});
        return defined $i->{template_group_id} ? $w * ratio($template_groups{ $i->{template_group_id} }) / 100 : $w;
    };

    my @reviews = rows(q{SELECT r.*, c.code AS cycle, e.employee_no AS employee, c.grade_scale_id, c.pay_effective, x.composite AS final, x.grade, x.result_id, x.original
        FROM review r JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) LEFT JOIN review_result x ON x.review_id = r.review_id AND x.reopened_by IS NULL});
    for my $r (@reviews) {
        my $who = "$r->{employee} in $r->{cycle}";
        my $groups = $groups{ $r->{template_id} };
        my @parts = map { +{ item => $_, load => ratio(1), manager => undef } } @{ $items{ $r->{template_id} } };
        if ($r->{segmented} eq 'true') {
            @parts = map { my $s = $_; map { +{ item => $_, load => ratio($s->{days}) * ratio($s->{fte}), manager => $s->{manager_id} // 0 } } @{ $items{ $s->{template_id} } } } @{ $segments{ $r->{review_id} } };
        }
        my %manages = map { ($_->{manager_id} // 0) => 1 } @{ $segments{ $r->{review_id} } // [] };
        my @mine = @{ $scores{ $r->{review_id} } // [] };
        for my $s (@mine) {
            $s->{a} = $s->{v} = undef;
            # in segments the item is that of the rater's own, else of the first that has the indicator
            my ($p) = sort { (($b->{manager} // 0) == $s->{rater_id}) <=> (($a->{manager} // 0) == $s->{rater_id}) } grep { $_->{item}{indicator_id} == $s->{indicator_id} } @parts;
            next if !$p;    # transferred away from it
            if (defined $s->{facts}) {
                $s->{a} = $attainment->($r, $p->{item}, decode_json($s->{facts}));
                $s->{v} = rounded($clamped->($p->{item}, $s->{a}), 4);
            }
            $s->{v} = rounded(100 * ratio($s->{raw_value}) / ratio($s->{scale_max}), 4) if defined $s->{raw_value};
            next if $r->{segmented} eq 'true';
            equal("value of score $s->{score_id} of $who", $s->{v}, $s->{value});
            equal("attainment of score $s->{score_id} of $who", $s->{a}, $s->{attainment});
        }
        if ($r->{segmented} eq 'true') { ($_->{v}, $_->{a}) = (ratio($_->{value}), ratio($_->{attainment})) for @mine }
        my ($short, %indicator, @order);
        my ($present, $sum, $all, $n) = (ratio(0), ratio(0), ratio(0), 0);
        my ($own_present, $own_sum, $own_n) = (ratio(0), ratio(0), 0);
        for my $p (@parts) {
            my $i = $p->{item};
            my $w = $weight_of->($i) * $p->{load};
            my @heard = grep {
                $_->{indicator_id} == $i->{indicator_id}
                    && (!defined $p->{manager} || !$superior{ $_->{rater_group} } || $_->{rater_id} == $p->{manager} || !$manages{ $_->{rater_id} })
            } @mine;
            my ($v, $a) = value_of_groups($groups, \@heard, \$short);
            my @self = grep { $_->{rater_group} eq 'self' } @heard;
            $all += $w;
            if (@self) { $own_n++; $own_present += $w; $own_sum += $w * $self[0]{v} }
            push @order, $i->{indicator_id} if !$indicator{ $i->{indicator_id} };
            my $x = $indicator{ $i->{indicator_id} } //= { item => $i };
            # templates of segments may differ: the lowest line is that of the whole
            for my $line (qw(pass_pct veto_at veto_cap)) {
                $x->{$line} = $i->{$line} if defined $i->{$line} && (!defined $x->{$line} || ratio($i->{$line}) < ratio($x->{$line}));
            }
            next if !defined $v;
            $n++;
            $present += $w;
            $sum += $w * $v;
            $x->{w} += $w;
            $x->{v} += $w * $v;
            if (defined $a) { $x->{aw} += $w; $x->{a} += $w * $a }
        }
        my $policy = $policy{ $r->{template_id} };
        my $composite = !$n || $short || $n < @parts && $policy eq 'block' ? undef : rounded($sum / ($policy eq 'renormalise' ? $present : $all), 4);
        my $self = !$own_n || $own_n < @parts && $policy eq 'block' ? undef : rounded($own_sum / ($policy eq 'renormalise' ? $own_present : $all), 4);
        my (@missed, @vetoed, $lowest, $cap);
        for my $id (@order) {
            my $x = $indicator{$id};
            next if !defined $x->{w};
            my $v = rounded($x->{v} / $x->{w}, 4);
            my $pass = ratio($x->{pass_pct});
            my $missed = $x->{aw} ? rounded($x->{a} / $x->{aw}, 4) < ($pass // 100) : defined $pass ? $v < $pass
                : defined $setting{'indicator.qualitative_missed'} && $v <= ratio($setting{'indicator.qualitative_missed'});
            push @missed, $id if $missed;
            if (defined $x->{veto_at} && $v <= ratio($x->{veto_at})) {
                push @vetoed, $id;
                my $c = ratio($x->{veto_cap});
                $cap = $c if !defined $cap || $c < $cap;
            }
            $lowest = [ $v, $id ] if !$lowest || $v < $lowest->[0];
        }
        $composite = rounded($cap, 4) if defined $cap && defined $composite && $cap < $composite;
        my $complete = !$short && $n && ($n == @parts || $policy ne 'block');
        next if $r->{status} eq 'blocked';
        equal("composite of $who", $composite, $r->{composite});
        equal("self composite of $who", $self, $r->{self_composite});
        failed("complete of $who: $r->{complete}") if ($complete ? 'true' : 'false') ne $r->{complete};
        same_set("vetoed of $who", \@vetoed, decode_json($r->{vetoed}));
        equal("lowest of $who", $lowest && ratio($lowest->[1]), $r->{lowest_indicator_id});
        my $reasons = defined $r->{plan_reason} ? decode_json($r->{plan_reason}) : [];
        my $final = defined $r->{calibrated} ? ratio($r->{calibrated}) : $composite;
        if ($r->{status} eq 'open') {    # a locked one keeps what the settings of that day said
            same_set("missed of $who", \@missed, decode_json($r->{missed}));
            my @why;
            push @why, 'score' if $complete && defined $composite && defined $setting{'plan.score_threshold'} && $final <= ratio($setting{'plan.score_threshold'});
            push @why, 'missed' if $complete && defined $composite && @missed && $setting{'plan.on_missed'} eq 'true' && (!defined $setting{'plan.missed_max_score'} || $final < ratio($setting{'plan.missed_max_score'}));
            same_set("plan reasons of $who", \@why, $reasons);
        }
        check_locked($r, $who, $final, $reasons, $band) if $r->{status} eq 'locked';
    }
    check_pay($band, \%setting);
    check_allowances();
    check_live(\%items, \%targets, $attainment, $clamped, \@reviews);
    return;
}

# Result, grade, and a plan with a course for every missed indicator.
sub check_locked {
    my ($r, $who, $final, $reasons, $band) = @_;
    equal("result of $who", $final, $r->{final});
    my $grade = $band->($r->{grade_scale_id}, $final);
    failed("grade of $who: $r->{grade}") if ($grade ? $grade->{label} : '') ne ($r->{grade} // '');
    my @plans = rows("SELECT p.plan_id, p.status, p.reasons FROM development_plan p WHERE p.review_id = $r->{review_id} AND p.status NOT IN ('withdrawn', 'draft')");
    failed("plans of $who: " . @plans) if @plans != (@$reasons ? 1 : 0);
    return if !@plans;
    same_set("reasons of the plan of $who", $reasons, decode_json($plans[0]{reasons}));
    my @for = "@$reasons" eq 'score' ? ($r->{lowest_indicator_id}) : @{ decode_json($r->{missed}) };
    my @have = map { $_->{indicator_id} } rows("SELECT DISTINCT t.indicator_id FROM plan_item i JOIN resource_tag t USING (resource_id) WHERE i.plan_id = $plans[0]{plan_id}");
    same_set("courses in the plan of $who", \@for, \@have) if $r->{segmented} ne 'true';
    return;
}

sub check_pay {
    my ($band, $setting) = @_;
    my @raises = rows(q{SELECT a.*, c.code AS cycle, e.employee_no AS employee, x.composite AS score, x.reopened_by IS NULL AS stands, u.unit_kind, r.review_id,
            (SELECT s.amount FROM salary s WHERE s.employee_id = a.employee_id AND s.superseded_by IS NULL AND s.valid @> a.base_on) AS base_now,
            (SELECT s.amount FROM salary s WHERE s.employee_id = a.employee_id AND s.superseded_by IS NULL AND s.valid @> a.effective_on) AS paid,
            (SELECT sum(f.amount) FROM payroll_feed f WHERE f.kind = 'raise' AND f.source_table = 'salary_adjustment' AND f.source_id = a.adjustment_id) AS fed
        FROM salary_adjustment a JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id) JOIN review_result x USING (result_id) JOIN review r USING (review_id)
        LEFT JOIN org_unit u ON u.org_unit_id = r.org_unit_id ORDER BY a.adjustment_id});
    my %scale = map { $_->{code} => $_->{scale_id} } rows(q{SELECT DISTINCT ON (code) code, scale_id FROM scale WHERE kind = 'raise' AND status = 'active' ORDER BY code, version DESC});
    my ($default) = grep { $_ ne 'pay_lab' } keys %scale;
    my %chain;
    for my $a (@raises) {
        my $who = "raise $a->{adjustment_id} of $a->{employee} in $a->{cycle}";
        my $scale = ($a->{unit_kind} // '') eq 'technology' ? 'pay_lab' : $default;
        my $b = $band->($scale{$scale}, ratio($a->{composite}));
        my $percent = ratio($b ? $b->{value} : 0);
        equal("score of $who", ratio($a->{score}), $a->{composite});
        equal("percent of $who", $percent, $a->{percent});
        equal("new pay by $who", ratio($a->{base_amount}) + rounded(ratio($a->{base_amount}) * $percent / 100, 2), $a->{new_amount});
        equal("raise by $who", ratio($a->{new_amount}) - ratio($a->{old_amount}), $a->{raise_amount});
        equal("feed of $who", $a->{status} =~ /^(withdrawn|rejected)$/ ? ratio(0) : ratio($a->{raise_amount}), $a->{fed} // 0);
        next if $a->{status} =~ /^(withdrawn|rejected)$/;
        # what is held follows its base when the appeal is decided
        equal("base of $who", ratio($a->{base_now}), $a->{base_amount}) if $a->{status} =~ /^(proposed|approved)$/ && $a->{base_on} lt $a->{effective_on};
        failed("$who waits for a result that does not stand") if $a->{status} ne 'applied' && $a->{stands} ne 'true';
        push @{ $chain{"$a->{employee} $a->{cycle}"} }, $a;
    }
    for my $chain (values %chain) {
        my @applied = grep { $_->{status} eq 'applied' } @$chain;
        next if !@applied;
        my $last = $applied[-1];
        # what no raise of the cycle ever moved runs on, whatever it is by now
        my $due = grep({ ratio($_->{raise_amount}) != 0 } @applied) ? $last->{new_amount} : $last->{base_now};
        equal("pay of $last->{employee} after $last->{cycle}", ratio($due), $last->{paid});
    }
    # every locked result of somebody who is paid has a raise to decide, or one that was decided
    my @without = rows(q{SELECT e.employee_no FROM review_result x JOIN review r USING (review_id) JOIN review_cycle c USING (cycle_id) JOIN employee e USING (employee_id)
        WHERE x.reopened_by IS NULL AND c.pay_effective AND EXISTS (SELECT FROM salary s WHERE s.employee_id = r.employee_id AND s.superseded_by IS NULL AND s.valid @> upper(c.period))
          AND NOT EXISTS (SELECT FROM salary_adjustment a WHERE a.employee_id = r.employee_id AND a.cycle_id = r.cycle_id AND a.status <> 'withdrawn')});
    failed('locked without a raise to decide: ' . join ' ', map { $_->{employee_no} } @without) if @without;
    return;
}

# The highest level of each skill counts.
sub check_allowances {
    my %want;
    for my $c (rows('SELECT x.employee_id, l.skill_id, max(l.rank) AS rank FROM certification_result x JOIN certification c USING (certification_id) JOIN skill_level l USING (skill_level_id)
            WHERE x.passed AND NOT EXISTS (SELECT FROM certification_reversal v WHERE v.certification_result_id = x.certification_result_id) GROUP BY 1, 2')) {
        $want{ $c->{employee_id} } += ratio('111.11') * $c->{rank};
    }
    my %have = map { $_->{employee_id} => $_->{amount} } rows("SELECT employee_id, sum(amount) AS amount FROM skill_allowance WHERE superseded_by IS NULL AND valid @> date '2030-01-01' GROUP BY 1");
    equal("allowances of employee $_", $want{$_}, $have{$_}) for keys %{ { %want, %have } };
    return;
}

# Readings of the cycle summed, through the formula.
sub check_live {
    my ($items, $targets, $attainment, $clamped, $reviews) = @_;
    my %measured = map { ("$_->{review_id} $_->{indicator_id}" => $_->{actual}) }
        rows(q{SELECT r.review_id, m.indicator_id, sum((m.facts ->> 'actual')::numeric) AS actual FROM review r JOIN review_cycle c USING (cycle_id)
            JOIN measurement m ON m.employee_id = r.employee_id AND m.measured_on <@ c.period GROUP BY 1, 2});
    my %live = map { ("$_->{review_id} $_->{indicator_id}" => $_->{value}) } rows('SELECT * FROM initial_score');
    for my $r (grep { $_->{status} eq 'open' } @$reviews) {
        for my $i (@{ $items->{ $r->{template_id} } }) {
            my $key = "$r->{review_id} $i->{indicator_id}";
            next if !defined $measured{$key} && !defined $live{$key};
            my $a = $attainment->($r, $i, { defined $measured{$key} ? (actual => $measured{$key}) : () });
            equal("live score of $i->{code} of $r->{employee} in $r->{cycle}", defined $a ? $clamped->($i, $a) : undef, $live{$key});
        }
    }
    return;
}

# ---------------------------------------------------------------------- run

make_company();
if ($ENV{HRLOOP_DISCARD}) {
    $node->safe_psql('postgres', 'GRANT SET ON PARAMETER debug_discard_caches TO alice');
    $_->ask('SET debug_discard_caches = 1;') for @sessions;
    is(value('SHOW debug_discard_caches;'), 1, 'caches forget');
}
my @lot = map { ($_) x $operation{$_}[0] } sort keys %operation;
$operation{open}[1]->();
for (1 .. $steps) {
    $step = $_;
    $operation{ one(@lot) }[1]->();
    check_all() if $step % 5 == 0 || $step == $steps;
}
is(value('SELECT v FROM verify() v;'), '', "after $step steps verify() finds nothing (HRLOOP_SEED=$seed)");
is(value('SELECT v FROM verify_audit() v;'), '', 'nor verify_audit()');
cmp_ok($accepted, '>', $steps / 3, "$accepted operations were accepted");
cmp_ok($refused, '>', $steps / 10, "$refused were refused");
note join "\n", map { "$_: $states{$_}" } sort keys %states;
ok(0) if $ENV{HRLOOP_SHOW};
done_testing();
