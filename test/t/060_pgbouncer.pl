# Behind a pooler that hands the same server connection to one client after another,
# nobody inherits the identity of who was there before (SEC-02).
use strict;
use warnings;
use utf8;

use Hrloop;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

# Debian puts it where only root looks
$ENV{PATH} .= ':/usr/sbin';
plan skip_all => 'there is no pgbouncer here (Debian: pgbouncer)' if !grep { -x "$_/pgbouncer" } split /:/, $ENV{PATH};
plan skip_all => 'pgbouncer does not run as root' if $> == 0;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
$node->safe_psql($db, <<~'SQL');
    CREATE ROLE app LOGIN;
    CREATE ROLE zhang LOGIN;
    GRANT USAGE ON SCHEMA hr TO app, zhang;
    GRANT SELECT ON ALL TABLES IN SCHEMA hr TO app, zhang;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hr TO app;
    GRANT EXECUTE ON FUNCTION hr.who, hr.actor TO zhang;
    SQL
as_alice($node, $db, q{UPDATE hr.employee SET db_role = 'zhang' WHERE employee_no = 'E010'});

# one server connection for each login, shared by transaction; "any" lets everybody in
# under the name that the line of the database says
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $databases = join "\n", map {
    sprintf '%s_%s = host=%s port=%s dbname=%s user=%s pool_size=1', $db, $_, $node->host, $node->port, $db, $_
} qw(app zhang);
PostgreSQL::Test::Utils::append_to_file("$dir/ini", <<~"INI");
    [databases]
    $databases
    [pgbouncer]
    listen_addr =
    listen_port = $port
    unix_socket_dir = $dir
    auth_type = any
    pool_mode = transaction
    server_reset_query =
    logfile = $dir/log
    pidfile = $dir/pid
    ignore_startup_parameters = extra_float_digits
    INI
my $pooler = IPC::Run::start([ 'pgbouncer', '-q', "$dir/ini" ], '>', \my $said, '2>', \my $complained);
END { local $?; $pooler->kill_kill if $pooler }

# Runs statements as a client of its own, returns what they print.
sub client {
    my ($login, $sql) = @_;
    my ($answer, $error) = ('', '');
    IPC::Run::run [ 'psql', '-XAtq', '-d', "host=$dir port=$port dbname=${db}_$login user=$login" ],
        '<', \$sql, '>', \$answer, '2>', \$error;
    chomp $answer;
    return $error eq '' ? $answer : $error;
}
my $up;
for (1 .. 100) {
    last if ($up = client('app', 'SELECT 1')) eq '1';
    select undef, undef, undef, 0.1;
}
is($up, '1', 'the pooler runs') or diag $said, $complained;

my $backend = client('app', 'SELECT pg_backend_pid()');
my $seen = q{SELECT coalesce(hr.actor()::text, 'nobody') || ' ' || (SELECT count(*) FROM hr.review)};
is(client('app', "BEGIN; SELECT count(hr.act_as('E090')); SELECT hr.who() || ' ' || (count(*) > 10) FROM hr.review; COMMIT"),
    "1\nE090 true", 'HR sees everybody in its transaction');
is(client('app', $seen), 'nobody 0', 'the next client is nobody and sees nothing');
is(client('app', q{BEGIN; SELECT count(hr.act_as('E010')); SELECT count(DISTINCT employee_id) FROM hr.review; COMMIT}), "1\n1",
    'one who acts for somebody else sees that one alone');
like(client('app', q{BEGIN; SELECT count(hr.act_as('E090')); SELECT 1/0; COMMIT}), qr/division by zero/, 'a transaction of HR fails');
is(client('app', $seen), 'nobody 0', 'nothing of it is left');
is(client('app', q{SELECT count(hr.act_as('E090'))}), 1, 'acting without a transaction');
is(client('app', $seen), 'nobody 0', 'ends with the statement');
is(client('app', 'SELECT pg_backend_pid()'), $backend, 'all of them had the same server connection');

is(client('zhang', 'SELECT hr.who() || count(DISTINCT employee_id) FROM hr.review'), 'E0101', 'a mapped login is its employee');
# the mapping is taken away by another session while the connection waits
as_alice($node, $db, q{UPDATE hr.employee SET db_role = NULL WHERE employee_no = 'E010'});
is(client('zhang', $seen), 'nobody 0', 'and nobody as soon as the mapping is gone, on the same connection');
as_alice($node, $db, q{UPDATE hr.employee SET db_role = 'zhang' WHERE employee_no = 'E003'});
is(client('zhang', 'SELECT hr.who()'), 'E003', 'and another one as soon as it is theirs');

done_testing();
