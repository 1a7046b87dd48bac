# At REPEATABLE READ a consequence goes on from one snapshot.  Whatever people said of somebody
# in the meantime, in any table, it is told to try again (40001).
use strict;
use warnings;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'state');
install_company($node, $db, 'hr');

# All tables about a person but logs.  What always points to a decision comes and goes with it.
my @tables = split /\n/, $node->safe_psql($db, <<~'SQL');
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'employee_id'
     WHERE c.relnamespace = 'hr'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('audit_entry', 'erasure_log', 'growth_archive', 'payroll_feed')
       AND NOT EXISTS (SELECT FROM pg_attribute d WHERE d.attrelid = c.oid AND d.attname = 'decision_id' AND d.attnotnull)
     ORDER BY 1
    SQL
cmp_ok(scalar(@tables), '>', 15, 'there are tables about people');

# a company does not have rows in all of them
my ($state) = slurp_file("$FindBin::RealBin/../../src/engine/follow.c") =~ /#define STATE_OF_PEOPLE(.*?)\n\n/s;
is(join(' ', grep { $state !~ /VERSIONS\("$_"\)|\@$_ / } @tables), '', 'all of them are looked at');

for my $table (@tables) {
    my $employee = $node->safe_psql($db, "SELECT min(x.employee_id) FROM hr.$table x JOIN hr.assignment USING (employee_id)");
    next if $employee eq '';
    my $follow = "UPDATE hr.assignment SET fte = fte WHERE employee_id = $employee";
    my $worker = worker($node, $db);
    $worker->ask('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    $node->safe_psql($db, "SET session_replication_role = replica; UPDATE hr.$table SET employee_id = employee_id WHERE employee_id = $employee")
        if $table ne 'measurement';
    $node->safe_psql($db, "SET session_replication_role = replica; DELETE FROM hr.measurement WHERE employee_id = $employee") if $table eq 'measurement';
    is($worker->state($follow), '40001', "$table is not as it was");
    is($worker->state("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; $follow"), 'ok', "$table is as it was");
    $worker->ask('ROLLBACK');
    $worker->end;
}

done_testing();
