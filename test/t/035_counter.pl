# A cluster counts its transactions, and a dump goes to a cluster that counts otherwise.
# What was decided before is of the past there, whichever of the two is ahead: at every
# isolation level the loop goes on, numbers of transactions stay the books' own, and no
# old decision is taken for one of now.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my %counter = (lower => 0, origin => 491520, higher => 983040);
my %node = map { $_ => new_server(name => $_, counter => $counter{$_}) } keys %counter;
my $dir = PostgreSQL::Test::Utils::tempdir();
my $db = 'shop';

new_database($node{origin}, $db);
install_company($node{origin}, $db, 'hr');
# a cycle to go on with
as_alice($node{origin}, $db, <<~'SQL');
    SET search_path = hr, pg_catalog;
    SELECT create_cycle('NEXT', '2024-01-01', '2024-03-31', 'SALES'), open_cycle('NEXT');
    SQL
run_command([ 'pg_dump', '--dbname', $node{origin}->connstr($db), '--file', "$dir/books" ]);

# What people do next, a transaction a line.  Each meets decisions about E010 that came with the dump.
my @steps = map { s/^\s+//r } split /\n/, <<~'SQL';
    SELECT certify('E010', '中级销售', '2024-02-01', external_id => 'counter-%n')
    SELECT record_measurement('E010', '客户拓展', '2024-02-0%n', '{"actual": 9}', 'crm', 'counter-%n')
    SELECT record_training('E010', '客户拓展技巧', '2024-02-0%n', 80, external_id => 'counter-%n')
    SELECT set_salary('E010', 20000 + %n, '2024-0%n-01', '调整')
    SELECT submit_score('NEXT', 'E010', i, 90, '季度目标全部达成', rater => 'E003') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) i
    SELECT lock_review('NEXT', 'E010', '2024-04-0%n')
    SELECT unlock_review('NEXT', 'E010', '复核 %n')
    SQL

for my $where (qw(lower higher)) {
    my $node = $node{$where};
    new_database($node, $db);
    my $err;
    IPC::Run::run([ qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1), '--dbname', $node->connstr($db), '--file', "$dir/books" ],
        '>', \my $out, '2>', \$err) or die "cannot restore: $err";
    my $last = as_alice($node, $db, 'SELECT max(transaction_id) FROM hr.decision');
    my $n = 0;
    for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE') {
        ++$n;
        my $worker = worker($node, $db);
        for my $step (@steps) {
            my $sql = $step =~ s/%n/$n/gr;
            my $said = $worker->ask("BEGIN ISOLATION LEVEL $level;\n$sql;\nCOMMIT");
            # a test's name is ASCII: newer Perls die of others
            is(Hrloop::first_state($said), 'ok', "counter $where, $level, $n: " . $sql =~ s/\(.*//r) or diag $said;
        }
        $worker->end;
    }
    is(as_alice($node, $db, "SELECT count(*) > 0, min(transaction_id) > $last FROM hr.decision WHERE decided_at > (SELECT max(decided_at) FROM hr.decision WHERE transaction_id = $last)"),
        't|t', "counter $where: new transactions have new numbers");
    is(as_alice($node, $db, <<~'SQL'), '', 'and what has one number has one time');
        SELECT transaction_id FROM (SELECT transaction_id, decided_at AS at FROM hr.decision UNION ALL SELECT transaction_id, at FROM hr.audit_entry) t
         GROUP BY 1 HAVING count(DISTINCT at) > 1
        SQL
    is(as_alice($node, $db, 'SELECT count(*) FROM hr.decision WHERE hrloop.of_this_transaction(xmin, decided_at)'), 0,
        'no old decision is of this transaction');
    healthy($node, $db, 'hr', "counter $where: verify() finds nothing");
    is(as_alice($node, $db, 'SELECT v FROM hr.verify_audit() v'), '', 'nor does verify_audit()');
}

# Nothing in the books holds what is a cluster's own: a number of a transaction, an oid, a place in the log.
is($node{origin}->safe_psql($db, <<~'SQL'), '', 'no column holds a number of the cluster');
    SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
       AND a.atttypid = ANY ('{xid,xid8,cid,tid,oid,pg_lsn,pg_snapshot,txid_snapshot,regclass,regproc,regtype}'::regtype[])
    SQL
is($node{origin}->safe_psql($db, <<~'SQL'), '', 'no function asks for one');
    SELECT DISTINCT d.objid::regprocedure FROM pg_depend d JOIN pg_proc f ON f.oid = d.objid JOIN pg_proc u ON u.oid = d.refobjid
     WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_proc'::regclass AND f.pronamespace = 'hr'::regnamespace
       AND u.proname ~ '^(pg_current_xact|txid_|pg_snapshot|pg_visible_in|pg_xact|pg_current_wal)'
    SQL

# A digest is of the columns that it was made of: what a DBA adds to the table changes none.
as_alice($node{origin}, $db, <<~'SQL');
    ALTER TABLE hr.decision ADD COLUMN our_mark text DEFAULT 'x', ADD COLUMN our_length integer GENERATED ALWAYS AS (length(kind)) STORED;
    ALTER TABLE hr.audit_entry ADD COLUMN our_mark text DEFAULT 'x';
    SELECT hr.certify('E010', '中级销售', '2024-02-01', external_id => 'digest');
    SQL
is(as_alice($node{origin}, $db, 'SELECT v FROM hr.verify_audit() v'), '', 'columns that a DBA adds are in no digest');
as_alice($node{origin}, $db, <<~'SQL');
    ALTER TABLE hr.decision DISABLE TRIGGER USER;
    UPDATE hr.decision SET rule = coalesce(rule, '') || '!' WHERE decision_id = (SELECT min(decision_id) FROM hr.decision);
    ALTER TABLE hr.decision ENABLE TRIGGER USER;
    SQL
is(as_alice($node{origin}, $db, 'SELECT DISTINCT problem FROM hr.verify_audit()'), 'decision_changed', 'what is named is');

done_testing();
