# Every way to dump and restore a company gives the same company: row for row, with
# nothing computed again, and with all its triggers standing afterwards.
use strict;
use warnings;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
new_database($node, 'shop');
install_company($node, 'shop', 'hr');
# rules and settings that are the company's own (SEC-06)
as_alice($node, 'shop', <<~'SQL');
    SELECT hr.set_setting('plan.score_threshold', '72.5'), hr.set_setting('sec.require_tls', 'true'), hr.set_setting('health.feed_days', NULL);
    UPDATE hr.erasure_rule SET keep_months = 36 WHERE table_name = 'salary_adjustment';
    UPDATE hr.due_rule SET active = false WHERE code = 'health_report';
    UPDATE hr.message_text SET body = body || '!' WHERE kind = 'review.node' AND locale = 'en';
    SQL
my $rows    = fingerprint($node, 'shop', 'hr');
my $objects = definitions($node, 'shop', 'hr');
like($rows, qr/^decision\|[1-9]/m, 'there is something to restore');
like($objects, qr/^CREATE TRIGGER /m, 'and triggers that could get in its way');

my $dir = PostgreSQL::Test::Utils::tempdir();

# Runs one of PostgreSQL's programs on a database; a test only if it fails, since
# what counts is the result.
sub run_on {
    my ($db, $user, $program, @options) = @_;
    my @command = ($program, '--username', $user, '--dbname', $node->connstr($db), @options);
    my ($out, $err);
    IPC::Run::run(\@command, '>', \$out, '2>', \$err) or fail("@command\n$err");
    return;
}

# Tests: 'restored' is as 'shop' was.
sub restored {
    my ($way) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    same(fingerprint($node, 'restored', 'hr'), $rows, "$way: all rows are the same");
    same(definitions($node, 'restored', 'hr'), $objects, "$way: all objects are the same");
    healthy($node, 'restored', 'hr', "$way: verify() finds nothing");
    return;
}

my @psql = qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --output /dev/null --file);
my @pg_restore = qw(pg_restore --exit-on-error);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

my @ways = (
    [ 'plain', [], [@psql] ],
    [ 'single transaction', [], [ 'psql', '--single-transaction', @psql[ 1 .. $#psql ] ] ],
    [ '--inserts', ['--inserts'], [@psql] ],
    [ '--clean', [qw(--clean --if-exists)], [@psql] ],
    [ 'custom', ['--format=custom'], [@pg_restore] ],
    [ 'custom, single transaction', ['--format=custom'], [ @pg_restore, '--single-transaction' ] ],
    [ 'custom, --clean', ['--format=custom'], [ @pg_restore, qw(--clean --if-exists) ] ],
    [ 'directory, parallel', [qw(--format=directory --jobs=2)], [ @pg_restore, '--jobs=4' ] ],
);

for my $user ('alice', $superuser) {
    for (@ways) {
        my ($way, $dump, $restore) = @$_;
        my $file = "$dir/$user $way";
        run_on('shop', $user, 'pg_dump', '--file', $file, @$dump);
        new_database($node, 'restored');
        run_on('restored', $user, @$restore, $file);
        restored("$way, as $user");
        next unless $way =~ /clean/;
        run_on('restored', $user, @$restore, $file);
        restored("$way, over the same, as $user");
    }
}

# A schema alone is moved into a database that has the extension.
run_on('shop', 'alice', 'pg_dump', '--schema=hr', '--file', "$dir/schema");
new_database($node, 'restored');
as_alice($node, 'restored', 'CREATE EXTENSION hrloop CASCADE');
run_on('restored', 'alice', @psql, "$dir/schema");
restored('schema alone');

# Data alone goes into new books, between the two functions that are there for it.
run_on('shop', 'alice', 'pg_dump', '--data-only', '--schema=hr', '--file', "$dir/data");
new_database($node, 'restored');
as_alice($node, 'restored', <<~'SQL');
    CREATE EXTENSION hrloop CASCADE;
    SELECT hrloop.install('hr');
    SELECT hrloop.pre_restore('hr');
    SQL
run_on('restored', 'alice', @psql, "$dir/data");
as_alice($node, 'restored', q{SELECT hrloop.post_restore('hr')});
restored('data alone');

refused($node, 'restored', q{SELECT hrloop.pre_restore('hr')}, '55000', 'already hold employees',
    'pre_restore() is not for books in use');

done_testing();
