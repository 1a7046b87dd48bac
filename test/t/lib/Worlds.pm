# Two worlds: companies that are the same but for what somebody may not know, and everything that each role can ask of them.
#
# The servers are copies of one, so that whatever is done in both in the same order takes the same keys, transactions and places; each
# transcript runs on a fresh copy of its world.  What the same world says otherwise when it is asked again is noise.
package Worlds;

use strict;
use warnings;
use utf8;

use Exporter 'import';
use Calls;
use FindBin;
use Hrloop;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();
use Test::More;

our @EXPORT = qw(@asks %secret make_company worlds_of make_worlds steps transcripts unsuccessful);

my $dir = "$FindBin::RealBin/../worlds";

# Those who ask, each by a login of their own; the application acts for the employee.
our @asks = qw(employee colleague rater mentor manager finance executive hr application bi nobody);

# Secrets: what makes them in the first world and in the second, and who may know.
sub as { return "BEGIN; SELECT hr.act_as('$_[0]') > 0; SELECT $_[1]; COMMIT;" }

our %secret = (
    # an anonymous peer's score, while others are in: from the composite with and without it, it could be computed
    'a peer\'s score' => {
        sql => sub { as('L9', join ', ', map { "hr.submit_score('SCORED', '$_', '客户满意度', " . (62, 88)[$_[0]] . ", '互评甲乙', rater_group => 'peer')" } qw(L1 L4)) },
        knows => [qw(hr)],
        # who locks publishes: from there on three raters stand for each other
        published => qr/^verb (?:lock_|score and lock)/ },
    'who rated' => {
        sql => sub { my $by = (qw(L7 L9))[$_[0]]; as($by, "hr.submit_score('SCORED', 'L3', '销售执行', 66, '匿名评语', rater_group => 'peer')") },
        knows => [qw(hr)] },
    'a colleague\'s pay' => {
        sql => sub { "SELECT hr.set_salary('L5', " . (9100, 9700)[$_[0]] . ", '2023-09-01', '调整')" },
        knows => [qw(hr finance)] },
    # grades are the same, so that as many rows follow; what they say is not, nor is the raise
    'an undisclosed result' => {
        sql => sub {
            my ($little, $grade) = ([ 81, 93 ], [ 86, 97 ])[$_[0]]->@*;
            <<~"SQL" . as('E090', q{hr.approve_adjustment('HIDDEN', 'L2'), hr.apply_adjustment('HIDDEN', 'L2')});
            SELECT hr.set_setting('review.disclose', 'manual');
            UPDATE hr.score SET raw_value = $little, rationale = '复核 ' || review_id WHERE review_id = hr.find_review('HIDDEN', 'L1') AND indicator_id = hr.find_indicator('销售执行');
            UPDATE hr.score SET raw_value = $grade, rationale = '复核 ' || review_id WHERE review_id = hr.find_review('HIDDEN', 'L2') AND indicator_id = hr.find_indicator('销售执行');
            UPDATE hr.score SET facts = '{"actual": 10}', rationale = '复核 ' || review_id WHERE review_id = hr.find_review('HIDDEN', 'L2') AND indicator_id = hr.find_indicator('客户拓展');
            SELECT hr.lock_review('HIDDEN', e, '2023-12-08') FROM unnest(ARRAY['L1', 'L2']) e;
            SQL
        },
        knows => [qw(hr manager executive finance)] },
    'a barred rater' => {
        sql => sub { "SELECT hr.bar_rater('SCORED', 'L5', '" . (qw(L7 L9))[$_[0]] . "', '亲属关系')" },
        knows => [qw(hr manager executive)] },
    'who asked for an erasure' => {
        sql => sub { as((qw(E090 E091))[$_[0]], q{hr.request_erasure('X4', '来信')}) },
        knows => [qw(hr)] },
    # made from the register: whatever the books hold about somebody whom those who ask have nothing to do with
    'whatever is about somebody else' => {
        cells => 'L5',
        knows => [qw(hr manager executive finance)] },
);

# Calls in a row: what the first ones change makes the next ones answer.
my %sequence = (
    'calibrate and withdraw' => [ map { "SELECT calibrate('K1', 'L4', $_, '横向比较')" } 80, 'NULL', 'NULL', 79 ],
    'calibrate and report'   => [ "SELECT calibrate('K1', 'L4', 80, '横向比较')", "SELECT * FROM suggest_calibration('K1')", "SELECT * FROM calibration_report('K1')", "SELECT apply_calibration('K1', '按分布')",
                                  "SELECT * FROM calibration_history", "SELECT * FROM close_calibration('K1')" ],
    'try weights'            => [ map { "SELECT * FROM what_if('SALES', '$_', 'SCORED')" } '{"客户满意度": 0, "客户拓展": 60}', '{"客户满意度": 60, "客户拓展": 0}' ],
    'score and look'         => [ (map { "SELECT submit_score('SCORED', 'L1', '客户满意度', $_, '复核')" } 70, 90), "SELECT * FROM explain_score('SCORED', 'L1')", "SELECT explain_deviation('SCORED', 'L1', '自评偏高')",
                                  "SELECT * FROM shown_items(find_review('SCORED', 'L1'))", "SELECT * FROM live_board", "SELECT * FROM cycle_report('SCORED')" ],
    'sign'                   => [ "SELECT sign_stage('SIGNED', 'reward')", "SELECT * FROM cycle_workflow" ],
);

# The company with everything, in a server that is stopped so that it can be copied.
sub make_company {
    my $node = new_server(name => 'company', conf => "autovacuum = off\nstats_fetch_consistency = none\njit = off\nlog_statement = none\n");
    $node->safe_psql('postgres', 'ALTER ROLE alice CREATEROLE');
    new_database($node, 'company');
    install_company($node, 'company', 'hr');
    load_fixture($node, 'company', 'hr', 'busy');
    load_fixture($node, 'company', 'hr', '../worlds/company');
    $node->safe_psql('company', slurp_file("$dir/probe.sql"));
    $node->stop;
    return $node;
}

# Copies of that server, one for each name.
sub worlds_of {
    my ($company, @names) = @_;
    my @worlds;
    mkdir $company->backup_dir;
    system_or_bail('cp', '-a', $company->data_dir, $company->backup_dir . '/cold');
    for my $name (@names) {
        my $world = PostgreSQL::Test::Cluster->new($name);
        $world->init_from_backup($company, 'cold');
        $world->start;
        push @worlds, $world;
    }
    return @worlds;
}

# A database in each server in which these secrets are made, as of world 1 or 2; returns what was heard by NOTIFY meanwhile.
sub make_worlds {
    my ($name, $secrets, $worlds, $which) = @_;
    my @heard;
    for my $i (0 .. $#$worlds) {
        my ($node, $w) = ($worlds->[$i], $which->[$i]);
        $node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE company OWNER alice");
        my $listener = session($node, $name, 'world_nobody_login');
        ask($listener, 'LISTEN hr');
        for my $s (map { $secret{$_} } @$secrets) {
            as_alice($node, $name, $s->{sql}->($w)) if $s->{sql};
            if ($s->{cells}) {
                local $ENV{PGOPTIONS} = "-c client_min_messages=warning -c worlds.person=$s->{cells} -c worlds.world=" . ($w + 1);
                $node->safe_psql($name, slurp_file("$dir/cells.sql"));
            }
            # both go on with the same number of transactions
            $node->safe_psql($name, q{DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint % 500 <> 0 LOOP COMMIT; END LOOP; END $$});
        }
        push @heard, join '', ask($listener, 'SELECT 1') =~ /(payload "[^"]*")/g;
        $listener->{in} .= "\\q\n";
        $listener->{run}->finish;
        $node->safe_psql($name, 'ANALYZE');
    }
    return @heard;
}

# The columns in which two databases differ, and by which values, as JSON.
sub differences {
    my ($name, $one, $two) = @_;
    my @found = map { my $node = $_; +{ map { split /\t/, $_, 2 } split /\n/, $node->safe_psql($name, <<~'SQL') } } $one, $two;
        SELECT format($q$SELECT %L || E'\t' || coalesce(array_to_json(array_agg(DISTINCT v ORDER BY v))::text, '[]') FROM (SELECT %I::text COLLATE "C" AS v FROM hr.%I) x WHERE v IS NOT NULL$q$,
                      c.relname || '.' || a.attname, a.attname, c.relname)
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' ORDER BY 1
        \gexec
        SQL
    my %differs;
    for my $column (sort keys %{ $found[0] }) {
        next if $found[0]{$column} eq $found[1]{$column};
        my @values = map { JSON::PP::decode_json($_->{$column}) } @found;
        my @both = map { my %h = map { $_ => 1 } @$_; \%h } @values;
        my @only = sort grep { !$both[0]{$_} || !$both[1]{$_} } map { @$_ } @values;
        my ($table, $name) = split /\./, $column;
        $differs{$table}{$name} = \@only;
    }
    return \%differs;
}

# What is tried in these worlds: [name, psql's input] in order.
sub steps {
    my ($name, $one, $two) = @_;
    require JSON::PP;
    my $differs = JSON::PP->new->canonical->encode(differences($name, $one, $two));
    my $out = run_psql($one, $name, 'postgres', slurp_file("$dir/steps.sql"), '--set', "different=$differs", '--set', 'ON_ERROR_STOP=1');
    utf8::decode($out);
    my @steps = map { [ split /\t/, $_, 2 ] } split /\n/, $out;
    # verbs, and what is told after them
    my $after = join ', ', map { "'SELECT * FROM hr.$_'" } qw(notification decision assessment review);
    for my $call (sort keys %call) {
        my $sql = $call{$call}[1];
        $sql = "SELECT $sql" unless $sql =~ /^[A-Z]{4}/;
        $sql =~ s/'/''/g;
        push @steps, [ "verb $call", "'$sql', $after" ];
    }
    # what only several calls in a row tell
    for my $name (sort keys %sequence) {
        push @steps, [ "sequence $name", join ', ', map { "'" . s/'/''/gr . "'" } @{ $sequence{$name} } ];
    }
    return @steps;
}


# What each of these is told in each server, one process a server: {login}[server]{step} = text.
sub transcripts {
    my ($name, $logins, $nodes, @steps) = @_;
    my $script = "SET search_path = hr, pg_catalog;\n" . join '', map { "\\echo #step $_->[0]\nSELECT * FROM probe.ask($_->[1]);\n" } @steps;
    my $files = PostgreSQL::Test::Utils::tempdir();
    my $since = $nodes->[0]->safe_psql('postgres', 'SELECT now()');
    my @children;
    for my $i (0 .. $#$nodes) {
        my $pid = fork // die "fork: $!";
        push(@children, $pid), next if $pid;
        my $failed = 0;
        for my $login (@$logins) {
            eval { append_to_file("$files/$i.$login", transcript($nodes->[$i], $name, $login, $script)); 1 } or $failed = warn $@;
        }
        POSIX::_exit($failed ? 1 : 0);
    }
    for (@children) { waitpid $_, 0; die "a transcript failed" if $? }
    my %told;
    for my $login (@$logins) {
        $told{$login} = [ map { said(slurp_file("$files/$_.$login"), $since) } 0 .. $#$nodes ];
    }
    return \%told;
}

sub transcript {
    my ($node, $name, $login, $script) = @_;
    # everybody begins with the same number of transactions
    $node->safe_psql('postgres', q{DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint % 5000 <> 0 LOOP COMMIT; END LOOP; END $$});
    $node->safe_psql('postgres', "CREATE DATABASE run TEMPLATE $name OWNER alice");
    local $ENV{PGOPTIONS} = $login eq 'application' ? '-c probe.acts_for=L1' : '';
    my $text = run_psql($node, 'run', "world_${login}_login", $script);
    $node->safe_psql('postgres', 'DROP DATABASE run');
    return $text;
}

# The functions that a role calls: how many there are, and those that never did what they are for, of these those that were never
# refused for want of a right either.
sub unsuccessful {
    my ($told) = @_;
    my (%answered, %refused);
    for my $step (sort keys %$told) {
        my ($function) = $step =~ /^(?:call|verb) (\w+)/ or next;
        my ($first) = split /^(?=done$|ERROR )/m, $told->{$step} =~ s/\A(?!done$|ERROR ).*?(?=^(?:done$|ERROR ))//msr;
        $answered{$function} ||= 0;
        $answered{$function} = 1 if ($first // '') =~ /\Adone/;
        $refused{$function} = 1 if ($first // '') =~ /\AERROR (?:42501|28000)/;
    }
    my @never = grep { !$answered{$_} } sort keys %answered;
    return (scalar keys %answered, \@never, [ grep { !$refused{$_} } @never ]);
}

# A transcript by its steps, without the moments since the worlds were copied.
sub said {
    my ($text, $since) = @_;
    $since = substr $since, 0, 19;
    $text =~ s{(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.\d+)?(?:[+]00(?::00)?)?}{"$1 $3" ge $since ? '(moment)' : $&}ge;
    my ($first, @parts) = split /^#step (.*)\n/m, $text;
    return {@parts};
}

sub run_psql {
    my ($node, $db, $login, $sql, @options) = @_;
    utf8::encode($sql) if utf8::is_utf8($sql);
    my ($out, $err);
    IPC::Run::run([ qw(psql --no-psqlrc --quiet --no-align --tuples-only --username), $login, @options, '--dbname', $node->connstr($db), '--file', '-' ],
        '<', \$sql, '>', \$out, '2>', \$err, IPC::Run::timeout(900)) or die "psql of $login: $err";
    return $out . ($err eq '' ? '' : "#step messages\n$err");
}

1;
