# Logical replication of a company to another server: the rows arrive as they are, the
# subscriber computes nothing again, what its sessions remember follows, and in the end it
# takes over.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $here = new_server(allows_streaming => 'logical', conf => "max_wal_senders = 12\nmax_replication_slots = 12\n");
my $db = new_database($here, 'shop');
install_company($here, $db, 'hr');
as_alice($here, $db, 'CREATE SCHEMA ours; CREATE TABLE ours.thing (id integer PRIMARY KEY); INSERT INTO ours.thing VALUES (1)');
# each table is copied by a worker of its own
my $there = new_server(name => 'there', conf => "max_sync_workers_per_subscription = 6\nmax_logical_replication_workers = 8\nmax_worker_processes = 12\n");
new_database($there, $db);
# the objects, without rows: what install() puts into the rules comes from the publisher
my $schema = PostgreSQL::Test::Utils::tempdir() . '/schema';
run_command([ 'pg_dump', '--schema-only', '--file', $schema, '--dbname', $here->connstr($db) ]);
run_command([ 'psql', '--no-psqlrc', '--quiet', '--output', '/dev/null', '--set', 'ON_ERROR_STOP=1', '--dbname', $there->connstr($db), '--file', $schema ]);

is($here->safe_psql($db, <<~'SQL'), '', 'every table has a key that replication goes by');
    SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r'
       AND (c.relreplident <> 'd' OR NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
    SQL
is($here->safe_psql($db, <<~'SQL'), '', 'and no trigger of the books computes what is replicated');
    SELECT tgrelid::regclass, tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'hr'::regnamespace AND NOT tgisinternal AND NOT (tgenabled = 'O' OR tgenabled = 'R' AND tgfoid = 'hrloop.forget'::regproc)
    SQL

# Subscriptions are the superuser's: row policies do not hold for it.
(my $from = $here->connstr($db)) =~ s/'/''/g;
$here->safe_psql($db, 'CREATE PUBLICATION company FOR TABLES IN SCHEMA hr; CREATE PUBLICATION everything FOR ALL TABLES');
$there->safe_psql($db, "CREATE SUBSCRIPTION company CONNECTION '$from' PUBLICATION company");
$there->wait_for_subscription_sync($here, 'company', $db);
is_there('after the copy');
is($there->safe_psql($db, 'SELECT count(*) FROM ours.thing'), '0', 'FOR TABLES IN SCHEMA: nothing else is replicated');
isnt($here->safe_psql($db, q{SELECT count(*) FROM hr.audit_entry}), '0', 'the audit log is');

# Sessions of the subscriber remember who sees what, and settings.
$_->safe_psql('postgres', 'CREATE ROLE app LOGIN') for $here, $there;
as_alice($there, $db, 'GRANT USAGE ON SCHEMA hr TO app; GRANT SELECT ON ALL TABLES IN SCHEMA hr TO app; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hr TO app');
my $session = session($there, $db);
my $sees = q{BEGIN; SET LOCAL ROLE app; SELECT hr.act_as('E003') > 0; SELECT string_agg(employee_no, ',' ORDER BY employee_no) FROM hr.employee WHERE hrloop.visible('hr.book', employee_id); COMMIT};
$there->safe_psql('postgres', 'GRANT app TO alice');
is(ask($session, $sees), "t\nE003,E010,E011", 'a session of the subscriber knows whom the manager of a shop sees');

# The loop goes on over here: scores, locks, plans, raises, an unlock, a transfer.
as_alice($here, $db, <<~'SQL');
    SELECT hr.create_cycle('N1', '2024-01-01', '2024-03-31', 'SALES'), hr.open_cycle('N1');
    SELECT hr.submit_score('N1', e, i, 95, 'seen') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i, unnest(ARRAY['E010', 'E011']) AS e;
    SELECT hr.lock_review('N1', e, '2024-04-01') FROM unnest(ARRAY['E010', 'E011']) AS e;
    SELECT hr.approve_adjustment('N1', 'E010'), hr.apply_adjustment('N1', 'E010');
    SELECT hr.unlock_review('N1', 'E011', 'one customer was counted twice');
    SELECT hr.submit_score('N1', 'E011', '客户拓展', 60, 'counted again');
    SELECT hr.set_setting('plan.max_items', '3');
    UPDATE hr.assignment SET manager_id = hr.find_employee('E020') WHERE employee_id = hr.find_employee('E011');
    DELETE FROM hr.unit_head WHERE employee_id = hr.find_employee('E003');
    SELECT count(*) FROM hr.run_due('2024-04-02');
    SQL
$here->wait_for_catchup('company');
is_there('after the work of a quarter');
is(ask($session, $sees), "t\nE003,E010", 'who sees what follows a transfer, in sessions that are open');
is(ask($session, 'SELECT count(*) FROM hr.verify_audit()'), '0', 'the chains of the audit log are whole');

# An index and a column of the subscriber's own do no harm.
as_alice($there, $db, q{ALTER TABLE hr.review ADD COLUMN ours text DEFAULT '-'; CREATE INDEX ON hr.review (ours)});
as_alice($here, $db, q{SELECT hr.submit_score('N1', 'E011', '客户满意度', 75, 'asked again')});
$here->wait_for_catchup('company');
is($there->safe_psql($db, 'SELECT count(*), sum(composite) FROM hr.review'), $here->safe_psql($db, 'SELECT count(*), sum(composite) FROM hr.review'), 'a column of its own does not stop it');
as_alice($there, $db, 'ALTER TABLE hr.review DROP COLUMN ours');

# The subscriber takes over: sequences, then the loop.
$there->safe_psql($db, 'DROP SUBSCRIPTION company');
isnt($there->safe_psql($db, sequences_behind()), '', 'sequences are not replicated');
cmp_ok(as_alice($there, $db, 'SELECT hr.take_over()'), '>', 50, 'take_over() looks at each sequence');
is($there->safe_psql($db, sequences_behind()), '', 'none of them gives a key that is there');
as_alice($there, $db, <<~'SQL');
    SELECT hr.submit_score('N1', 'E011', '销售执行', 95, 'seen'), hr.lock_review('N1', 'E011', '2024-04-05');
    SELECT hr.create_cycle('N2', '2024-04-01', '2024-06-30', 'SALES'), hr.open_cycle('N2');
    SELECT hr.submit_score('N2', 'E010', i, 65, 'seen') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
    SELECT hr.lock_review('N2', 'E010', '2024-07-01');
    SQL
healthy($there, $db, 'hr', 'the loop goes on over there, and verify() finds nothing');
refused($there, $db, q{SELECT hr.take_over()}, '42501', '', 'take_over() is for the owner', 'app');

# FOR ALL TABLES brings whatever else there is.
new_database($there, 'all_of_it');
run_command([ 'psql', '--no-psqlrc', '--quiet', '--output', '/dev/null', '--set', 'ON_ERROR_STOP=1', '--dbname', $there->connstr('all_of_it'), '--file', $schema ]);
$there->safe_psql('all_of_it', "CREATE SUBSCRIPTION all_of_it CONNECTION '$from' PUBLICATION everything");
$there->wait_for_subscription_sync($here, 'all_of_it', 'all_of_it');
same(rows_of($there, 'all_of_it', $_), rows_of($here, $db, $_), "FOR ALL TABLES: $_ is the same") for qw(hr ours);
$there->safe_psql('all_of_it', 'DROP SUBSCRIPTION all_of_it');

$session->{in} .= "\\q\n";
$session->{run}->finish;
done_testing();

# Tests: the company is over there as it is here, and healthy.
sub is_there {
    my ($when) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    same(rows_of($there, $db, 'hr'), rows_of($here, $db, 'hr'), "$when: all rows are the same");
    healthy($there, $db, 'hr', "$when: verify() finds nothing");
    return;
}

# Sequences are not replicated.
sub rows_of {
    my ($node, $database, $books) = @_;
    return join "\n", grep { !/_seq\|/ } split /\n/, fingerprint($node, $database, $books);
}

sub sequences_behind {
    return <<~'SQL';
        SELECT format('SELECT %L, max(%I) FROM %s HAVING max(%2$I) > (SELECT last_value FROM %4$s)', c.relname, a.attname, c.oid::regclass, pg_get_serial_sequence(c.oid::regclass::text, a.attname))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL
        \gexec
        SQL
}
