# The order in which everybody locks (doc/design.md, "Order of locks"), derived from what each
# verb locks: two verbs that take rows of two tables in opposite orders can wait for each other
# for ever.  The write-ahead log says which rows a transaction locked or changed, in order.
#
# Each verb is called in a transaction that is rolled back, on a company where everything is
# going on at once (test/fixtures/busy.sql), and whose rows lie in their tables in the opposite
# order of their keys: who locks many without saying in which order takes them in the wrong one.
#
#   HRLOOP_LOCKS=approve make test ONLY=t/115    keeps in results/tap what these verbs lock, and the order that is derived
use strict;
use warnings;
use utf8;

use Calls;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

# What locks no row that others change, or stops the work of all.
my %apart = (
    act_as           => 'says who acts, and writes nothing',
    apply_tables     => 'the owner makes row policies, audit triggers and grants anew: DDL',
    lift_guards      => 'the owner repairs: DDL',
    register_table   => 'the owner says what a table is that is made now',
    register_notice  => 'the owner says what there is to tell',
    create_roles     => 'the owner makes roles and grants: DDL',
    map_role         => 'the owner grants: DDL',
    take_over        => 'the owner makes books ready after a restore: DDL',
    confirm_erasure  => 'of somebody who has left: names and texts of what nobody changes any more',
    reapply_erasures => 'after a restore, before anybody works',
    archive_follow   => 'called by consequences, by a name that is computed',
    register_follow  => 'the owner makes a trigger: DDL',
    plan_withdraw    => 'called by consequences through hrloop.run',
    plan_write       => 'called by consequences through hrloop.run',
);

my %strength = ('key share' => 1, share => 2, 'no key update' => 3, update => 4);
my %without_row = ('hr.book' => 'rules', 'hr.certification' => 'allowance rules', 'hr.due_rule' => 'clock', 'hr.verify_slice' => 'verification', 'hr.department_month' => 'months', 'hr.org_unit' => 'organisation');

my $node = new_server(conf => 'autovacuum = off');
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
load_fixture($node, $db, 'hr', 'busy');
$node->safe_psql($db, 'CREATE EXTENSION pg_walinspect');
$node->safe_psql($db, tracing());
$node->safe_psql($db, 'CALL trace.turn()');
$node->safe_psql($db, 'CALL trace.look()');
my $session = worker($node, $db);
my $other   = worker($node, $db);

# Every verb that there is has its call: what is granted, is not a consequence of a trigger, and is called by no other function.
my @verbs = split /\n/, as_alice($node, $db, <<~'SQL');
    SELECT DISTINCT p.proname FROM pg_proc p
     WHERE p.pronamespace = 'hr'::regnamespace AND p.provolatile = 'v' AND p.prokind = 'f'
       AND NOT EXISTS (SELECT FROM hr.follow f WHERE f.function = p.proname)
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND d.classid = 'pg_proc'::regclass AND d.objid <> p.oid)
    SQL
my %called = map { s{/.*}{}r => 1 } keys %call;
none('each verb is called here, or said to stand apart', grep { !$called{$_} && !$apart{$_} } @verbs);
my %verb = map { $_ => 1 } @verbs;
none('and what stands apart exists', grep { !$verb{$_} } sort keys %apart);

# The order as it is written down, and what has no place in it since it stands under the lock of something that has.
my $text = slurp_file('doc/design.md') =~ s/.*^## Order of locks\n(.*?)(?=^## |\z).*/$1/msr;
my (%place, %guards);
for ($text =~ /^(\d+\. .*)$/mg) { my ($n) = /^(\d+)/; $place{$_} = $n for /`([a-z_ ]+)`/g }
for ($text =~ /^\| (`.*) \|$/mg) {
    my ($what, @under) = split / \| /;
    my @found = map { my ($guard, @columns) = s/ of its.*//r =~ /`([a-z_ ]+)`/g; [ $guard, /of its `([a-z_]+)`/ ? $1 : undef, @columns ] } @under;
    $guards{$_} = \@found for $what =~ /`([a-z_]+)`/g;
}
cmp_ok(scalar keys %place, '>', 10, 'the order is written in doc/design.md');
$node->safe_psql($db, guards());

# The locks of each verb, in order.
my %locks;
my $show = $ENV{HRLOOP_LOCKS};
for my $name (sort keys %call) {
    my ($state, @locks) = locks_of(@{ $call{$name} });
    is($state, 'ok', "$name can be called");
    $locks{$name} = \@locks;
    diag "$name: ", join ', ', map { "$_->{table} $_->{key} ($_->{mode})" } @locks if defined $show && $name =~ /$show/;
}

# Modes that do not go together.  A lock waits for who has the row in such a mode, but not for whom the same transaction
# has waited already; it is contended if there is a verb that has rows of this table in such a mode.
my %conflict;
$conflict{$_->[0]}{$_->[1]} = $conflict{$_->[1]}{$_->[0]} = 1
    for map { [ split /, / ] } 'key share, update', 'share, no key update', 'share, update', 'no key update, no key update',
        'no key update, update', 'update, update';
my %modes;
for my $lock (map { @$_ } values %locks) { $modes{$lock->{table}}{$lock->{mode}} = 1 }
for my $lock (map { @$_ } values %locks) {
    $lock->{waits} = [ grep { $conflict{$lock->{mode}}{$_} && !($lock->{had} && $conflict{$lock->{had}}{$_}) } keys %{ $modes{$lock->{table}} } ];
}

# What is under the lock of something else is locked with that, or as the last thing.
my (%free, %bare);
for my $name (sort keys %locks) {
    my (%held, @without);
    for my $lock (@{ $locks{$name} }) {
        $held{"$lock->{table} $lock->{key}"} = 1 if $lock->{mode} ne 'key share';
        next unless @{ $lock->{waits} };
        $bare{"$name: $without[0], and then $lock->{table}"} = 1 if @without;
        @without = ();
        push @{ $free{$name} }, $lock if !$guards{$lock->{table}};
        @without = ($lock->{table}) if $guards{$lock->{table}} && !grep { $held{$_} } @{ $lock->{under} };
    }
}
none('what is under the lock of something else is locked with that, or last', sort keys %bare);

# Everything else: each pair of tables in one order, by whatever verbs.
my (%wanted, %before);
for my $lock (map { @$_ } values %locks) { $wanted{$lock->{table}}{$_} = 1 for @{ $lock->{waits} } }
for my $name (sort keys %locks) {
    my @locks = @{ $locks{$name} };
    for my $second (@{ $free{$name} // [] }) {
        for my $first (@locks) {
            last if $first == $second;
            next unless $wanted{$first->{table}}{$first->{mode}};
            next if $name =~ / \Q$first->{table}\E$/;    # as below
            next if $guards{$first->{table}} || $first->{table} eq $second->{table};
            $before{$first->{table}}{$second->{table}}{$name}{"$first->{mode} @{ $second->{waits} }"} //= [ $first->{mode}, $second->{waits} ];
        }
    }
}
my @opposite;
for my $one (sort keys %before) {
    for my $two (grep { $one lt $_ && $before{$_}{$one} } sort keys %{ $before{$one} }) {
        my ($there, $back) = ($before{$one}{$two}, $before{$two}{$one});
        for my $x (sort keys %$there) {
            my @with = grep { meet($there->{$x}, $back->{$_}) } sort keys %$back;
            push @opposite, "$one, then $two: $x; the other way round: @with[0 .. ($#with < 3 ? $#with : 3)]" if @with;
        }
    }
}
none('no two verbs lock rows of two tables in opposite orders', @opposite);

# And in the order that is written; rows of one table by their keys.
my (@misplaced, %unknown);
for my $name (sort keys %locks) {
    my $last = { table => '', key => 0 };
    for my $lock (@{ $free{$name} // [] }) {
        my ($table, $key) = @$lock{qw(table key)};
        next if $name =~ / \Q$table\E$/;    # a statement of the caller's own locks its rows as they come
        if (!$place{$table}) { $unknown{$table}{$name} = 1; next }
        push @misplaced, "$name: $last->{table} $last->{key}, then $table $key"
            if $last->{table} && ($place{$last->{table}} > $place{$table} || $last->{table} eq $table && $key =~ /^\d+$/ && $last->{key} > $key);
        $last = $lock;
    }
}
none('every verb locks in the order of doc/design.md, and rows of a table by their keys', @misplaced);
none('everything that two can want has its place there', map { "$_: " . join ', ', sort keys %{ $unknown{$_} } } sort keys %unknown);
my %seen = map { $_ => 1 } map { map { $_->{table} } @$_ } values %locks;
none('and everything that has a place there is locked by somebody', grep { !$seen{$_} } sort(keys %place, keys %guards));

# The order as it is derived: what comes before what, for any verb.
note 'derived: ', join ', ', derived();
done_testing();

# A test that a list is empty; what is in it is shown.
sub none {
    my ($name, @list) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!@list, $name) || diag join "\n", @list;
}

# What a call locks, in order; all of it is undone.  Locks without a row are not in the log:
# another session has each of them, the call runs again, and stops where it comes to that one.
sub locks_of {
    my ($who, $sql) = @_;
    $sql = "SELECT $sql" unless $sql =~ /^[A-Z]{4}/;
    $sql = "BEGIN; SELECT act_as('$who') > 0;\n$sql" if $who;
    $sql = "BEGIN;\n$sql" unless $who;
    my $since = lsn();
    my $text = $session->ask($sql);
    my @held = rows("SELECT name, locktype, classid, objid, alone FROM trace.held WHERE pid = $session->{backend}");
    $session->ask('ROLLBACK');
    my @rows = logged($since);
    my @rowless;
    for my $lock (@held) {
        my ($name, $type, $class, $object, $alone) = @$lock;
        $other->ask('BEGIN; ' . ($type eq 'object' ? sprintf q{SELECT hrloop.hold_rules('hr.book', %s)}, $alone eq 't' ? 'false' : 'true'
            : sprintf 'SELECT pg_advisory_xact_lock%s(%s, %s)', $alone eq 't' ? '_shared' : '', $class, $object));
        $since = lsn();
        $session->begin($sql);
        my $waits;
        for (1 .. 1000) {
            last if ($waits) = rows("SELECT 1 FROM trace.held WHERE pid = $session->{backend} AND NOT granted");
            usleep(10_000);
        }
        die "nobody waits for $name: $sql" unless $waits;
        my $before = @{ [ rows("SELECT 1 FROM trace.held WHERE pid = $session->{backend} AND granted") ] };
        my $rows = @{ [ logged($since) ] };
        $node->safe_psql($db, "SELECT pg_cancel_backend($session->{backend})");
        $session->finish;
        $_->ask('ROLLBACK') for $session, $other;
        push @rowless, [ $rows, $before, { table => $without_row{$name} // $name, key => '', mode => $alone eq 't' ? 'update' : 'share' } ];
    }
    # the last one first, so that the places of the others stay
    splice @rows, $_->[0], 0, $_->[2] for sort { $b->[0] <=> $a->[0] || $b->[1] <=> $a->[1] } @rowless;
    return (Hrloop::first_state($text) eq 'ok' ? 'ok' : $text, first_of(@rows));
}

# Each row as it is locked first, and again where a stronger lock is taken.
sub first_of {
    my (%had, @first);
    for my $lock (@_) {
        my $had = \$had{"$lock->{table} $lock->{key}"};
        next if defined $$had && $strength{$lock->{mode}} <= $strength{$$had};
        push @first, { %$lock, had => $$had };
        $$had = $lock->{mode};
    }
    return @first;
}

# Whether each of two has what the other waits for, one way or another.
sub meet {
    my ($these, $those) = @_;
    for my $this (values %$these) {
        return 1 if grep { my $that = $_; (grep { $_ eq $that->[0] } @{ $this->[1] }) && (grep { $_ eq $this->[0] } @{ $that->[1] }) } values %$those;
    }
    return 0;
}

# The tables that are contended, each after those that some verb locks before it.
sub derived {
    my %left = map { my $one = $_; $one => { map { $_ => 1 } grep { $before{$_}{$one} } keys %before } } map { $_, keys %{ $before{$_} } } keys %before;
    my @order;
    while (%left) {
        my ($next) = sort { keys %{ $left{$a} } <=> keys %{ $left{$b} } || $a cmp $b } keys %left;
        push @order, $next;
        delete $left{$next};
        delete $_->{$next} for values %left;
    }
    return @order;
}

# For each row that is under the lock of others: which rows these are.  They are found by the
# columns that are named, of the same name there, or by those of a row in between.
sub guards {
    my @select;
    for my $table (sort keys %guards) {
        for my $under (@{ $guards{$table} }) {
            my ($guard, $between, @columns) = @$under;
            if (!@columns) { push @select, "SELECT '$table', k.key, '$guard ' FROM trace.known k WHERE k.table_name = '$table'"; next }
            my $from = 'hr.' . $table . ' t' . ($between ? " JOIN hr.$between b USING (${between}_id)" : '');
            my $on = join ' AND ', map { ($between ? 'b' : 't') . ".$_ = g.$_" } @columns;
            push @select, "SELECT '$table', (SELECT key FROM trace.key_of('$table', t.ctid)), '$guard ' || (SELECT key FROM trace.key_of('$guard', g.ctid)) FROM $from JOIN hr.$guard g ON $on";
        }
    }
    return 'CREATE TABLE trace.guard (table_name, key, held) AS ' . join(' UNION ALL ', @select) . '; CREATE INDEX ON trace.guard (table_name, key)';
}

sub lsn { return $node->safe_psql($db, 'SELECT pg_current_wal_insert_lsn()') }

# The rows that were there before, as the log says they were locked.  A commit brings the log to where it can be read.
sub logged {
    my ($since) = @_;
    my $until = $node->safe_psql($db, 'CREATE TEMP TABLE committed (x int); SELECT pg_current_wal_flush_lsn()');
    return map { { table => $_->[0], key => $_->[1], mode => $_->[2], under => [ split /,/, $_->[3] // '' ] } } rows(<<~"SQL");
        SELECT table_name, key, mode, (SELECT string_agg(g.held, ',') FROM trace.guard g WHERE (g.table_name, g.key) = (l.table_name, l.key))
          FROM trace.locks('$since', '$until') l
        SQL
}

sub rows { my ($sql) = @_; return map { [ split /\|/ ] } split /\n/, $node->safe_psql($db, $sql) }

# The functions by which locks are read: which rows there were before a call, and which of
# them the log says were locked or changed between two places of it.
sub tracing {
    return <<~'SQL';
        CREATE SCHEMA trace;
        CREATE TABLE trace.known (filenode oid, block bigint, item int, table_name text, key text, number bigint);
        -- each table by the columns of its primary key
        CREATE VIEW trace.keyed AS
          SELECT c.oid, c.relname, pg_relation_filenode(c.oid) AS filenode,
                 (SELECT string_agg(quote_ident(a.attname) || '::text', $$ || '/' || $$ ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k (attnum, n)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum) AS key,
                 CASE WHEN i.indnkeyatts = 1 THEN (SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = i.indkey[0] AND a.atttypid = 'bigint'::regtype) END AS number
            FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
           WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r';
        CREATE PROCEDURE trace.look() LANGUAGE plpgsql AS $$
        DECLARE t record;
        BEGIN
          TRUNCATE trace.known;
          FOR t IN SELECT * FROM trace.keyed LOOP
            EXECUTE format('INSERT INTO trace.known SELECT %s, (ctid::text::point)[0], (ctid::text::point)[1], %L, %s, %s FROM hr.%I',
                           t.filenode, t.relname, t.key, coalesce(t.number, 'NULL'), t.relname);
          END LOOP;
        END $$;
        -- every row anew, the last one first: so they lie against their keys
        CREATE PROCEDURE trace.turn() LANGUAGE plpgsql AS $$
        DECLARE t record; n bigint;
        BEGIN
          SET LOCAL session_replication_role = replica;
          FOR t IN SELECT * FROM trace.keyed WHERE number IS NOT NULL AND relname NOT LIKE 'audit%' LOOP
            FOR n IN EXECUTE format('SELECT %I FROM hr.%I ORDER BY 1 DESC', t.number, t.relname) LOOP
              EXECUTE format('UPDATE hr.%2$I SET %1$I = %1$I WHERE %1$I = $1', t.number, t.relname) USING n;
            END LOOP;
          END LOOP;
        END $$;
        CREATE FUNCTION trace.key_of(name text, at tid) RETURNS TABLE (key text) LANGUAGE sql STABLE AS $$
          SELECT k.key FROM trace.known k WHERE k.table_name = name AND (k.block, k.item) = ((at::text::point)[0]::bigint, (at::text::point)[1]::int)
        $$;
        CREATE FUNCTION trace.locks(since pg_lsn, until pg_lsn) RETURNS TABLE (table_name text, key text, number bigint, mode text) LANGUAGE sql AS $$
          SELECT k.table_name, k.key, k.number,
                 CASE WHEN r.record_type ~ 'DELETE' OR r.description ~ 'KEYS_UPDATED' THEN 'update'
                      WHEN r.record_type ~ 'UPDATE' THEN 'no key update'
                      WHEN r.description ~ 'EXCL_LOCK' AND r.description ~ 'KEYSHR_LOCK' THEN 'share'
                      WHEN r.description ~ 'EXCL_LOCK' THEN 'no key update'
                      WHEN r.description ~ 'KEYSHR_LOCK' THEN 'key share'
                      ELSE r.description END
            FROM pg_get_wal_records_info(since, until) r
            -- of an update into another block the old one comes last
            CROSS JOIN LATERAL (SELECT m[1]::oid AS filenode, m[2]::bigint AS block
                                  FROM regexp_matches(r.block_ref, 'rel \d+/\d+/(\d+) (?:fork main )?blk (\d+)', 'g') WITH ORDINALITY AS x (m, n) ORDER BY n DESC LIMIT 1) b
            JOIN trace.known k ON k.table_name <> 'audit_lane' AND k.filenode = b.filenode AND k.block = b.block AND k.item = substring(r.description FROM 'off:? (\d+)')::int
           WHERE r.resource_manager IN ('Heap', 'Heap2') AND r.record_type ~ '^(LOCK|UPDATE|HOT_UPDATE|DELETE)'
           ORDER BY r.start_lsn
        $$;
        CREATE VIEW trace.held AS
          SELECT l.pid, l.granted, CASE l.locktype WHEN 'object' THEN l.objid ELSE l.classid END::regclass::text AS name,
                 l.locktype, l.classid, l.objid, l.mode ~ 'Exclusive' AS alone
            FROM pg_locks l
           WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND (l.locktype = 'advisory' OR l.locktype = 'object' AND l.classid = 'pg_class'::regclass AND l.objsubid = 1)
             AND NOT (l.locktype = 'advisory' AND l.classid::regclass::text ~ 'audit_lane|pay_period');
        SQL
}
