# Two-phase commit.  PostgreSQL prepares no transaction that has announced something by
# NOTIFY; books that announce nothing go round the whole loop in one that is prepared.
use strict;
use warnings;
use utf8;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server(conf => 'max_prepared_transactions = 5');
my $db = new_database($node, 'shop');

# What the same statements give without a second phase.
install_company($node, $db, 'plain');
my $plain = figures($node, $db, 'plain');

as_alice($node, $db, q{SELECT hrloop.install('hr')});
my $loop = prepared(map { slurp_file("$FindBin::RealBin/../fixtures/$_.sql") } qw(company history));
my ($ok, $err) = run($loop);
ok(!$ok, 'with announcements a loop is not prepared');
like($err, qr/cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/, 'as PostgreSQL says');
is(as_alice($node, $db, 'SELECT count(*) FROM hr.notification'), 0, 'and nothing is left of it');

# Without, it is: each transaction of half a year, and whatever stands between them.
as_alice($node, $db, q{DROP SCHEMA hr CASCADE; SELECT hrloop.install('hr'); SELECT hr.set_setting('signal.announce', 'false')});
my $listener = session($node, $db);
ask($listener, 'LISTEN hr');
($ok, $err) = run($loop);
ok($ok, 'without announcements it is') or diag $err;
healthy($node, $db, 'hr', 'verify() finds nothing once it is committed');
same(setting_aside(figures($node, $db, 'hr')), setting_aside($plain), 'and the figures are those of a loop without a second phase');
is(heard($listener), '', 'who listens hears nothing');
is(as_alice($node, $db, 'SELECT count(*) > 0 FROM hr.notification'), 't', 'the notices are there to read');

# Between the phases.
my $before = fingerprint($node, $db, 'hr');
my $raise = q{SET search_path = hr; BEGIN; SELECT set_salary('E010', 9000, '2024-01-01', reason => 'two phases'), certify('E011', '中级销售', '2023-11-20', source => 'exam');};
($ok, $err) = run("$raise PREPARE TRANSACTION 'raise'");
ok($ok, 'a raise is prepared') or diag $err;
same(tables(fingerprint($node, $db, 'hr')), tables($before), 'nobody sees it yet');
as_alice($node, $db, q{SET search_path = hr; SELECT set_salary('E031', 9000, '2024-01-01', reason => 'meanwhile')});
healthy($node, $db, 'hr', 'somebody else is paid meanwhile');
$before = fingerprint($node, $db, 'hr');
$node->stop('immediate');
$node->start;
refused($node, $db, q{SET lock_timeout = '1s'; SET search_path = hr; SELECT set_salary('E010', 9500, '2024-02-01', reason => 'too early')}, '55P03', 'lock timeout',
    'the same person waits, after a crash as well');
as_alice($node, $db, q{ROLLBACK PREPARED 'raise'});
same(tables(fingerprint($node, $db, 'hr')), tables($before), 'rolled back it leaves nothing but gaps in numbers');
($ok, $err) = run("$raise PREPARE TRANSACTION 'raise'");
ok($ok, 'and is prepared again') or diag $err;
as_alice($node, $db, q{COMMIT PREPARED 'raise'});
is(as_alice($node, $db, q{SET search_path = hr; SELECT amount FROM salary WHERE employee_id = find_employee('E010') AND superseded_by IS NULL ORDER BY valid DESC LIMIT 1}),
    '9000', 'committed it is in force');
healthy($node, $db, 'hr', 'and verify() finds nothing');

# The switch holds from the statement after it, in both directions.
$listener = session($node, $db);
ask($listener, 'LISTEN hr');
as_alice($node, $db, q{SELECT hr.lift_guards('{notification}'); SELECT hr.set_setting('signal.announce', 'true')});
as_alice($node, $db, q{INSERT INTO hr.notification (recipient_role, kind, event_key) VALUES ('hr', 'plan.updated', 'heard')});
like(heard($listener), qr/Asynchronous notification "hr" with payload "notification \d+"/, 'switched on again it is heard');
as_alice($node, $db, q{SELECT hr.set_setting('signal.announce', NULL)});
as_alice($node, $db, q{INSERT INTO hr.notification (recipient_role, kind, event_key) VALUES ('hr', 'plan.updated', 'unheard')});
is(heard($listener), '', 'null is off, as for other switches');
# books from before the setting
as_alice($node, $db, q{DELETE FROM hr.setting WHERE setting = 'signal.announce'});
as_alice($node, $db, q{INSERT INTO hr.notification (recipient_role, kind, event_key) VALUES ('hr', 'plan.updated', 'old')});
like(heard($listener), qr/payload "notification \d+"/, 'without a row it is on');

done_testing();

# A script whose every transaction is prepared before it is committed; what stands
# between two of them is a transaction as well.
sub prepared {
    my $script = join "\n", @_;
    my $commit = "PREPARE TRANSACTION 'loop'; COMMIT PREPARED 'loop';";
    $script =~ s/\b(?:BEGIN|COMMIT);/$commit BEGIN;/g;
    return "BEGIN; $script $commit";
}

# Runs a script as alice until its first error.
sub run {
    my ($script) = @_;
    utf8::encode($script) if utf8::is_utf8($script);
    my $ok = IPC::Run::run [ qw(psql --no-psqlrc --quiet --username alice --set ON_ERROR_STOP=1 --set books=hr --dbname), $node->connstr($db) ],
        '<', \$script, '>', \my $out, '2>', \my $err;
    return ($ok, $err);
}

sub heard {
    my ($listener) = @_;
    return ask($listener, 'SELECT') . ask($listener, 'SELECT');
}

sub tables {
    my ($fingerprint) = @_;
    return join "\n", grep { /^\w+\|\d+\|[0-9a-f]{32}$/ } split /\n/, $fingerprint;
}

# The switch itself, and that it was thrown.
sub setting_aside {
    my ($figures) = @_;
    return join "\n", grep { !/^(?:setting|audit_lane)\|/ } split /\n/, $figures;
}
