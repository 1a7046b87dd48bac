# What the TAP tests share: a server, companies, and ways to compare them.
#
# Everything is done as alice, an ordinary role that owns her databases, because
# nothing in hrloop may need a superuser; the server's superuser only makes
# databases and looks (row policies do not hide anything from it).
package Hrloop;

use strict;
use warnings;

use Exporter 'import';
use File::Spec;
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
    new_server new_database install_company as_alice refused
    fingerprint definitions healthy same_company
);

# The options of psql that make it alice's.
my @alice = ('--username' => 'alice');

sub new_server {
    my $node = PostgreSQL::Test::Cluster->new('main');
    $node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
    $node->start;
    $node->safe_psql('postgres', 'CREATE ROLE alice LOGIN');
    return $node;
}

# An empty database of alice's, made anew if there was one.
sub new_database {
    my ($node, $db) = @_;
    $node->safe_psql('postgres', qq{DROP DATABASE IF EXISTS "$db"});
    $node->safe_psql('postgres', qq{CREATE DATABASE "$db" OWNER alice TEMPLATE template0});
    return $db;
}

# Runs SQL as alice, returns what it prints, dies on an error.
sub as_alice {
    my ($node, $db, $sql) = @_;
    return $node->safe_psql($db, $sql, extra_params => \@alice);
}

# Installs books and loads the sample company, whose file also runs the loop: there
# are locked results, plans, adjustments, notifications and decisions afterwards.
sub install_company {
    my ($node, $db, $books) = @_;
    my $fixture = File::Spec->catfile($FindBin::RealBin, '..', 'fixtures', 'company.sql');
    as_alice($node, $db, 'CREATE EXTENSION IF NOT EXISTS hrloop CASCADE');
    as_alice($node, $db, 'SELECT hrloop.install(' . literal($books) . ')');
    my $done = IPC::Run::run [
        'psql', '--no-psqlrc', '--quiet', '--set' => 'ON_ERROR_STOP=1', @alice,
        '--dbname' => $node->connstr($db), '--set' => "books=$books", '--file' => $fixture ],
        '>', \my $out, '2>', \my $err;
    die "the sample company did not load into $books:\n$err" unless $done;
    return;
}

# One test: SQL fails with this SQLSTATE, and a message that tells what is wrong.
# $user is alice unless given.
sub refused {
    my ($node, $db, $sql, $sqlstate, $message, $name, $user) = @_;
    my ($code, $out, $err) = $node->psql($db, $sql,
        extra_params => [ '--username' => $user // 'alice', '--set' => 'VERBOSITY=verbose' ]);
    return like($err, qr/ERROR:  $sqlstate: .*$message/s, $name);
}

sub literal {
    my ($text) = @_;
    $text =~ s/'/''/g;
    return "'$text'";
}

# Every table of a schema as "table rows md5", where the md5 is that of all rows
# in a fixed order, and every sequence's state.
sub fingerprint {
    my ($node, $db, $schema) = @_;
    my $queries = $node->safe_psql($db, <<~"SQL");
        SELECT CASE relkind
               WHEN 'S' THEN format(
                   'SELECT %L, last_value::text, is_called::text FROM %I.%I',
                   relname, nspname, relname)
               ELSE format(
                   'SELECT %L, count(*)::text, md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM %I.%I t',
                   relname, nspname, relname)
               END
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = @{[literal($schema)]} AND relkind IN ('r', 'S')
        ORDER BY relname
        SQL
    return join "\n", map { $node->safe_psql($db, $_) } split /\n/, $queries;
}

# Triggers, constraints, policies, views, functions, comments and grants: the
# schema as pg_dump would make it again.
sub definitions {
    my ($node, $db, $schema) = @_;
    my ($dump) = run_command([
        'pg_dump', '--schema-only', '--schema' => qq{"$schema"}, '--dbname' => $node->connstr($db) ]);
    # newer minor versions of pg_dump fence a dump with a random word
    return join "\n", grep { !/^\\(un)?restrict / } split /\n/, $dump;
}

# One test: verify() finds nothing.
sub healthy {
    my ($node, $db, $schema, $name) = @_;
    return is(as_alice($node, $db, qq{SELECT v::text FROM "$schema".verify() v}), '', $name);
}
