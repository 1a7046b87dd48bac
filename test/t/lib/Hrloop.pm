# What the TAP tests share: a server, companies, and ways to compare them.
#
# Everything is done as alice, an ordinary role that owns her databases, since
# nothing in hrloop may need a superuser.  The server's superuser makes the
# databases, and takes the fingerprints, as row policies hide nothing from it.
package Hrloop;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use IPC::Open2;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
    new_server new_database private_installation install_company load_fixture as_alice session ask start_pooler
    fingerprint figures definitions refused same healthy worker
);

# Options are those of init(); conf adds to postgresql.conf, name is main if not given,
# install_path says where another PostgreSQL is installed than that in PATH, counter how
# many transactions the server believes to have had (a multiple of 32768).
sub new_server {
    my (%options) = @_;
    my $conf = delete $options{conf};
    my $counter = delete $options{counter};
    my $node = PostgreSQL::Test::Cluster->new(delete $options{name} // 'main',
        exists $options{install_path} ? (install_path => delete $options{install_path}) : ());
    $node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ], %options);
    $node->append_conf('postgresql.conf', $conf) if defined $conf;
    run_command([ 'pg_resetwal', '--next-transaction-id', $counter, $node->data_dir ]) if $counter;
    $node->start;
    $node->safe_psql('postgres', 'CREATE ROLE alice LOGIN');
    return $node;
}

# A copy of the installation under test, for libraries that come and go.
sub private_installation {
    my $to = PostgreSQL::Test::Utils::tempdir();
    my $bindir;
    for my $what (qw(bindir pkglibdir sharedir)) {
        my ($from) = run_command([ $ENV{PG_CONFIG}, "--$what" ]);
        $bindir = "$to$from" if $what eq 'bindir';
        system_or_bail('mkdir', '-p', "$to$from");
        system_or_bail('cp', '-a', "$ENV{WORK}$from/.", "$to$from");
    }
    $ENV{DESTDIR} = $to;
    return $bindir =~ s{/bin$}{}r;
}

# An empty database of alice's, made anew if there was one.
sub new_database {
    my ($node, $db) = @_;
    $node->safe_psql('postgres', "DROP DATABASE IF EXISTS $db");
    $node->safe_psql('postgres', "CREATE DATABASE $db OWNER alice TEMPLATE template0");
    return $db;
}

# Runs SQL as alice, returns what it prints, dies on an error.
sub as_alice {
    my ($node, $db, $sql) = @_;
    return $node->safe_psql($db, $sql, extra_params => [ '--username' => 'alice' ]);
}

# Installs books, loads the sample company and half a year of its history, so
# that there are locked results, plans, raises, notifications and decisions.
sub install_company {
    my ($node, $db, $books) = @_;
    as_alice($node, $db, 'CREATE EXTENSION IF NOT EXISTS hrloop CASCADE');
    as_alice($node, $db, 'SELECT hrloop.install(' . quote_literal($books) . ')');
    load_fixture($node, $db, $books, $_) for qw(company history);
    return;
}

# Runs a script of test/fixtures in the books.
sub load_fixture {
    my ($node, $db, $books, $name) = @_;
    my $loaded = IPC::Run::run [
        qw(psql --no-psqlrc --quiet --username alice --set ON_ERROR_STOP=1),
        '--set', "books=$books", '--dbname', $node->connstr($db), '--file', "$FindBin::RealBin/../fixtures/$name.sql" ],
        '>', \my $out, '2>', \my $err;
    die "$name.sql did not load into $books:\n$err" unless $loaded;
    return;
}

# A psql of alice's, or of another login, that stays.
sub session {
    my ($node, $db, $login) = @_;
    my %session = (in => '', out => '', err => '', n => 0);
    $session{run} = IPC::Run::start([
        qw(psql --no-psqlrc --quiet --no-align --tuples-only --username), $login // 'alice', '--dbname', $node->connstr($db) ],
        '<', \$session{in}, '>', \$session{out}, '2>', \$session{err}, IPC::Run::timeout(900));
    return \%session;
}

# Runs SQL in a session and returns what it prints.
sub ask {
    my ($session, $sql) = @_;
    my $end = 'end of answer ' . ++$session->{n};
    $session->{out} = '';
    utf8::encode(my $bytes = "$sql;\n\\echo $end\n");
    $session->{in} .= $bytes;
    $session->{run}->pump until $session->{out} =~ /^\Q$end\E$/m;
    my ($answer) = $session->{out} =~ /\A(.*?)\n?^\Q$end\E$/ms;
    return $answer;
}

# Starts a pgbouncer that pools by transaction, with one database "login" for each
# login, all of them $db.  Returns where it listens (host and port), or a reason why it
# cannot be had.  It stops with the test.
my @poolers;
END { local $?; $_->kill_kill for @poolers }

sub start_pooler {
    my ($node, $db, $pool_size, @logins) = @_;
    # Debian puts it where only root looks
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    return (undef, 'there is no pgbouncer here (Debian: pgbouncer)') if !grep { -x "$_/pgbouncer" } split /:/, $ENV{PATH};
    return (undef, 'pgbouncer does not run as root') if $> == 0;
    my $dir = PostgreSQL::Test::Utils::tempdir_short();
    my $port = PostgreSQL::Test::Cluster::get_free_port();
    # "any" lets everybody in under the name that the line of the database says
    my $databases = join "\n", map {
        sprintf '%s = host=%s port=%s dbname=%s user=%s pool_size=%d', $_, $node->host, $node->port, $db, $_, $pool_size
    } @logins;
    append_to_file("$dir/ini", <<~"INI");
        [databases]
        $databases
        [pgbouncer]
        listen_addr =
        listen_port = $port
        unix_socket_dir = $dir
        auth_type = any
        pool_mode = transaction
        max_client_conn = 2000
        server_reset_query =
        logfile = $dir/log
        pidfile = $dir/pid
        ignore_startup_parameters = extra_float_digits
        INI
    push @poolers, IPC::Run::start([ 'pgbouncer', '-q', "$dir/ini" ], '>', \my $out, '2>', \my $err);
    for (1 .. 100) {
        my $up = IPC::Run::run([ 'psql', '-XAtqc', 'SELECT 1', "host=$dir port=$port dbname=$logins[0] user=$logins[0]" ], '>', \my $one, '2>', \my $no);
        return { host => $dir, port => $port } if $up;
        select undef, undef, undef, 0.1;
    }
    return (undef, "pgbouncer does not answer: $err");
}

# Every table of a schema with its number of rows and the md5 of all of them in a
# fixed order, and every sequence with its state.  If asked for, every view as well, without
# what is the database's and not the company's: oids, and what tables take on disk.
sub fingerprint {
    my ($node, $db, $schema, $views) = @_;
    my $kinds = $views ? q{'r', 'S', 'v'} : q{'r', 'S'};
    $schema = quote_literal($schema);
    return $node->safe_psql($db, <<~"SQL");
        SELECT CASE relkind
               WHEN 'S' THEN format('SELECT %L, last_value, is_called FROM %I.%I',
                   relname, nspname, relname)
               ELSE format('SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM (SELECT %s FROM %I.%I) t',
                   relname, (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND atttypid <> 'oid'::regtype), nspname, relname)
               END
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = $schema AND relkind IN ($kinds) AND relname <> 'table_size'
        ORDER BY relname
        \\gexec
        SQL
}

# The same of what does not depend on when and where it was written: for tables alone,
# and without columns that hold moments, transactions and digests of these. What was audited
# keeps whole rows, moments and all, and is left out.
sub figures {
    my ($node, $db, $schema) = @_;
    $schema = quote_literal($schema);
    return $node->safe_psql($db, <<~"SQL");
        SELECT format('SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM (SELECT %s FROM %I.%I) t',
                   relname, string_agg(quote_ident(attname), ', ' ORDER BY attnum), nspname, relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
             AND atttypid NOT IN ('timestamptz'::regtype, 'tstzrange'::regtype, 'bytea'::regtype) AND attname <> 'transaction_id'
        WHERE nspname = $schema AND relkind = 'r' AND relname <> 'audit_entry'
        GROUP BY nspname, relname ORDER BY relname
        \\gexec
        SQL
}

# The schema as pg_dump would make it again: tables, constraints, triggers and
# whether they are enabled, policies, views, functions, comments, grants.
sub definitions {
    my ($node, $db, $schema) = @_;
    my ($dump) = run_command([
        qw(pg_dump --schema-only --schema), qq{"$schema"}, '--dbname', $node->connstr($db) ]);
    # PostgreSQL prints an expression in a form that it reads back as the same, but
    # may print that one a little differently: with other parentheses, and with the
    # name of its type for a constant that had none.
    $dump =~ s/ AS (?:text|int[48]|date|"numeric")(,?)$/$1/mg;
    $dump =~ s/[()]//g;
    # pg_dump fences its scripts with a word that is another one each time
    return join "\n", grep { !/^\\(un)?restrict / } split /\n/, $dump;
}

# A session of alice's that may fail and die: ask() runs SQL in it and returns what it prints, state()
# the SQLSTATE of its first error, or ok; begin() does not wait, finish() waits for that.
sub worker {
    my ($node, $db) = @_;
    my $pid = open2(my $out, my $in, 'exec psql --no-psqlrc --quiet --no-align --tuples-only --set VERBOSITY=verbose --username alice --dbname '
        . q{'} . $node->connstr($db) . q{' 2>&1});
    binmode $_, ':utf8' for $in, $out;
    $in->autoflush(1);
    my $self = bless { pid => $pid, in => $in, out => $out }, 'Hrloop::Worker';
    ($self->{backend}) = $self->ask('SET search_path = hr, public; SELECT pg_backend_pid()') =~ /(\d+)/;
    return $self;
}

sub Hrloop::Worker::begin {
    my ($self, $sql) = @_;
    print { $self->{in} } "$sql\n;\n\\echo that was it\n";
    return;
}

sub Hrloop::Worker::finish {
    my ($self) = @_;
    my ($text, $line) = ('');
    $text .= $line while defined($line = readline $self->{out}) && $line ne "that was it\n";
    $text .= "the session is lost\n" unless defined $line;
    return $text;
}

sub Hrloop::Worker::ask {
    my ($self, $sql) = @_;
    $self->begin($sql);
    return $self->finish;
}

sub Hrloop::Worker::state {
    my ($self, $sql) = @_;
    return first_state($self->ask($sql));
}

sub Hrloop::Worker::end {
    my ($self) = @_;
    close $self->{in};
    waitpid $self->{pid}, 0;
    return;
}

# those after the first one say that the transaction is aborted
sub first_state {
    my ($text) = @_;
    return $text =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): / ? $1 : $text =~ /the session is lost/ ? 'lost' : 'ok';
}

sub quote_literal {
    my ($text) = @_;
    $text =~ s/'/''/g;
    return "'$text'";
}

# The rest are tests, each of them one; a failure is reported at the caller's line.

# SQL fails with an SQLSTATE and a message that matches.  $user is alice if not given.
sub refused {
    my ($node, $db, $sql, $sqlstate, $message, $name, $user) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($code, $out, $err) = $node->psql($db, $sql,
        extra_params => [ '--username', $user // 'alice', '--set', 'VERBOSITY=verbose' ]);
    return like($err, qr/ERROR:  $sqlstate: .*$message/s, $name);
}

# Two texts are the same, line by line; if not, only what differs is shown.
sub same {
    my ($got, $expected, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return 1 if ok($got eq $expected, $name);
    my %got      = map { $_ => 1 } split /\n/, $got;
    my %expected = map { $_ => 1 } split /\n/, $expected;
    diag "expected $_" for grep { !$got{$_} } sort keys %expected;
    diag "got      $_" for grep { !$expected{$_} } sort keys %got;
    return 0;
}

# verify() finds no difference.
sub healthy {
    my ($node, $db, $schema, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(as_alice($node, $db, qq{SELECT v FROM "$schema".verify() v}), '', $name);
}

1;
