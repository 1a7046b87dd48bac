# install() where something is unusual: it works, or says in one line what is needed,
# and leaves nothing behind.
use strict;
use warnings;
use utf8;

use FindBin;
use Hrloop;
use Test::More;

my $node = new_server();
my $ready = qr/^books "hr" are ready/;
my $db = new_database($node, 'shop');
# what a report of health says depends on the server's statistics
my $due = q{UPDATE hr.due_rule SET active = false WHERE code = 'health_report'; SELECT sum(done) > 0 FROM hr.run_due('2023-09-01 05:00+00')};
install_company($node, $db, 'hr');
is(as_alice($node, $db, $due), 't', 'something is due');
my $figures = figures($node, $db, 'hr');
my $definitions = definitions($node, $db, 'hr');

# Settings that a user may have, all at once: every switch and every choice of the kind
# that changes what statements mean or how values are written is another one.
my @settings = split /\n/, $node->safe_psql($db, <<~'SQL');
    SELECT format('%I = %L', name, CASE vartype WHEN 'bool' THEN CASE boot_val WHEN 'on' THEN 'off' ELSE 'on' END
                  ELSE (SELECT v FROM unnest(enumvals) v WHERE v <> boot_val ORDER BY v LIMIT 1) END)
      FROM pg_settings
     WHERE context IN ('user', 'superuser') AND vartype IN ('bool', 'enum')
       AND (category LIKE 'Version and Platform Compatibility%' OR category LIKE 'Client Connection Defaults%' OR category LIKE 'Query Tuning%')
       AND name NOT IN ('default_transaction_read_only', 'transaction_read_only', 'transaction_isolation', 'transaction_deferrable',
                        'session_replication_role', 'allow_system_table_mods', 'client_min_messages', 'event_triggers',
                        'row_security', 'plan_cache_mode', 'debug_parallel_query', 'force_parallel_mode', 'default_toast_compression',
                        'gin_pending_list_limit', 'restrict_nonsystem_relation_kind')
     ORDER BY name
    SQL
push @settings, q{DateStyle = 'SQL, DMY'}, q{IntervalStyle = 'sql_standard'}, q{TimeZone = 'Pacific/Apia'}, q{extra_float_digits = '-15'},
    q{search_path = public, pg_temp, pg_catalog}, q{lc_messages = 'C'}, q{lc_numeric = 'C'}, q{work_mem = '64kB'}, q{from_collapse_limit = 1}, q{join_collapse_limit = 1};
cmp_ok(scalar(@settings), '>', 20, 'there are settings to turn');
like("@settings", qr/standard_conforming_strings = 'off'.*transform_null_equals = 'on'/, 'those that change the meaning of a script among them');
$node->safe_psql('postgres', "ALTER ROLE alice SET $_") for @settings;
$db = new_database($node, 'odd');
install_company($node, $db, 'hr');
as_alice($node, $db, $due);
$node->safe_psql('postgres', 'ALTER ROLE alice RESET ALL');
is(as_alice($node, $db, q{SELECT value FROM hr.setting WHERE setting = 'book.timezone'}), 'Pacific/Apia', 'their days are those of who installed them');
$node->safe_psql($db, q{SET session_replication_role = replica; UPDATE hr.setting SET (value, default_value) = (SELECT s, s FROM current_setting('TimeZone') s) WHERE setting = 'book.timezone'});
same(definitions($node, $db, 'hr'), $definitions, 'the books are made as everywhere, whatever a user has set');
same(without_health(figures($node, $db, 'hr')), without_health($figures), 'and hold the same figures');
is(as_alice($node, $db, $due), 'f', 'who has other settings is told of nothing again');
healthy($node, $db, 'hr', 'verify() finds nothing');

# Every encoding that a database can have: the loop goes round, or one line says what to do.
my %went;
for my $encoding (split /\n/, $node->safe_psql('postgres', q{SELECT pg_encoding_to_char(n) FROM generate_series(0, 34) n WHERE pg_encoding_to_char(n) <> '' ORDER BY n})) {
    $node->safe_psql('postgres', qq{DROP DATABASE IF EXISTS encoded; CREATE DATABASE encoded OWNER alice TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'});
    as_alice($node, 'encoded', 'CREATE EXTENSION hrloop CASCADE');
    my ($code, $out, $err) = install($node, 'encoded');
    $went{$encoding} = $out =~ $ready ? 'works' : $err =~ /^psql:\S+ ERROR:  (?:22P05|0A000): .*\Q$encoding\E.*HINT:  Make the database with .* ENCODING 'UTF8'/s ? 'says' : $err;
    next if $went{$encoding} eq 'says' && as_alice($node, 'encoded', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'hr'}) == 0;
    last if $went{$encoding} !~ /works/;
    as_alice($node, 'encoded', 'DROP SCHEMA hr CASCADE');
    local $ENV{PGCLIENTENCODING} = 'UTF8';
    install_company($node, 'encoded', 'hr');
    healthy($node, 'encoded', 'hr', "$encoding: the loop goes round");
    is(as_alice($node, 'encoded', q{SELECT hrloop.meaningful_chars('好。，！ab'), hrloop.meaningful_chars('。、！'), length('好好')}), '3|0|2', "$encoding: characters are counted");
}
is($went{$_}, 'works', "$_ holds books") for qw(UTF8 EUC_CN);
is($went{$_}, 'says',  "$_ does not, and one line says so") for qw(SQL_ASCII LATIN1 WIN1252);
is(join(' ', grep { $went{$_} !~ /^(?:works|says)$/ } sort keys %went), '', 'nor is there anything else in ' . keys(%went) . ' encodings') or diag explain \%went;

# A schema hrloop or hr that was there before.
$db = new_database($node, 'taken');
as_alice($node, $db, 'CREATE SCHEMA hr; CREATE TABLE hr.mine AS SELECT 1 AS n; CREATE TABLE hr.employee (n int)');
as_alice($node, $db, 'CREATE SCHEMA hrloop; CREATE TABLE hrloop.mine AS SELECT 1 AS n; CREATE EXTENSION hrloop CASCADE');
is(as_alice($node, $db, 'SELECT n FROM hrloop.mine'), 1, 'in a schema hrloop of one\'s own there is room for the engine');
my ($code, $out, $err) = install($node, $db);
like($err, qr/ERROR:  42P07: relation "employee" already exists/, 'a table that is in the way is named');
is(as_alice($node, $db, q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'hr'::regnamespace}), 'employee mine', 'and nothing is left behind');
as_alice($node, $db, 'DROP TABLE hr.employee');
($code, $out, $err) = install($node, $db);
like($out, $ready, 'among tables that are not in the way there are books');
is(as_alice($node, $db, 'SELECT n FROM hr.mine'), 1, 'which leave them alone');

# Small lock tables.
$db = new_database($node, 'small');
as_alice($node, $db, 'CREATE EXTENSION hrloop CASCADE');
my $held = sub { as_alice($node, $db, "BEGIN; SET client_min_messages = warning; $_[0]; SELECT count(DISTINCT (locktype, relation, classid, objid)) FROM pg_locks WHERE pid = pg_backend_pid(); ROLLBACK") };
my ($to_install) = $held->(q{SELECT hrloop.install('hr')}) =~ /^(\d+)$/m;
install($node, $db);
my ($to_drop) = $held->('DROP SCHEMA hr CASCADE') =~ /^(\d+)$/m;
as_alice($node, $db, 'DROP SCHEMA hr CASCADE');
$node->append_conf('postgresql.conf', "max_locks_per_transaction = 10\nmax_connections = 10");
$node->restart;
($code, $out, $err) = install($node, $db);
like($err, qr/ERROR:  53200: .*HINT:  Set max_locks_per_transaction to \d+ or more/s, 'a lock table that is too small: the setting is named, and a figure');
my ($enough, $install, $drop) = $err =~ /transaction to (\d+) or more.* up to (\d+) locks, and (\d+) to drop/;
is(as_alice($node, $db, q{SELECT count(*) FROM pg_namespace WHERE nspname = 'hr'}), 0, 'and nothing is left behind');
cmp_ok($to_install, '<=', $install, 'as many locks as it says are enough to install (LOCKS_TO_INSTALL in src/engine/books_script.c)');
cmp_ok($to_drop, '<=', $drop, 'and to drop (LOCKS_TO_DROP)');
cmp_ok($drop, '<=', 2 * $to_drop, 'not far too many');
$node->append_conf('postgresql.conf', "max_locks_per_transaction = $enough");
$node->restart;
($code, $out, $err) = install($node, $db);
like($out, $ready, 'with that figure books are made') or diag $err;
as_alice($node, $db, 'DROP SCHEMA hr CASCADE');
pass('and dropped');

done_testing();

# What a report of health measures is the server's.
sub without_health {
    my ($figures) = @_;
    return join "\n", grep { !/^health_report\|/ } split /\n/, $figures;
}

sub install {
    my ($node, $db) = @_;
    return $node->psql($db, q{SELECT hrloop.install('hr')}, extra_params => [ qw(--username alice --set VERBOSITY=verbose) ]);
}
