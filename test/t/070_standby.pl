# A physical standby answers every question as its primary does: views, explanations,
# exports, verify() and health() only read (SEC-06).
use strict;
use warnings;
use utf8;

use Hrloop;
use Test::More;

my $node = new_server(allows_streaming => 1);
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
as_alice($node, $db, q{SELECT hr.set_setting('privacy.min_cell', '3')});
as_alice($node, $db, 'SELECT * FROM hr.run_due()');

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
is($standby->safe_psql($db, 'SELECT pg_is_in_recovery()'), 't', 'the standby runs');

# what each view shows, as text
my @views = split /\n/, $node->safe_psql($db,
    q{SELECT relname FROM pg_class WHERE relnamespace = 'hr'::regnamespace AND relkind = 'v' ORDER BY 1});
cmp_ok(scalar @views, '>', 20, 'there are views to read');
alike("view $_", qq{SELECT string_agg(v::text, chr(10) ORDER BY v::text COLLATE "C") FROM hr."$_" v}) for @views;
alike('table sizes', 'SELECT table_name, growth IS NULL FROM hr.table_size ORDER BY 1');

# what functions answer, to the owner and to people
my %questions = (
    explain_score   => q{SELECT x FROM hr.explain_score('2023Q1', 'E010') x},
    explain_pay     => q{SELECT x FROM hr.explain_pay('E010') x},
    explain_talent  => q{SELECT x FROM hr.explain_talent('E003') x},
    score_history   => q{SELECT x FROM hr.score_history('E010') x},
    allowance_trail => q{SELECT x FROM hr.allowance_trail('E010') x},
    employee_on     => q{SELECT x FROM hr.employee_on('2023-05-01') x},
    cycle_report    => q{SELECT x FROM hr.cycle_report('2023Q1') x},
    export_person   => q{SELECT hr.export_person('E011')},
    verify          => q{SELECT count(*) FROM hr.verify()},
    health          => q{SELECT h FROM hr.health(true) h WHERE code <> 'stale_statistics'},
);
alike($_, $questions{$_}) for sort keys %questions;
alike("$_ to HR", "BEGIN; SELECT hr.act_as('E090'); $questions{$_}; COMMIT") for qw(explain_score explain_pay explain_talent health);
alike("$_ to the person", "BEGIN; SELECT hr.act_as('E010'); $questions{$_}; COMMIT") for qw(explain_score explain_pay score_history);

refused($standby, $db, q{SELECT hr.submit_score('2023Q1', 'E010', '客户满意度', 80, '回访')}, '25006', 'read-only', 'the standby takes no scores');
refused($standby, $db, 'SELECT * FROM hr.run_due()', '25006', '', 'and its clock stands still');

# what the primary writes arrives
as_alice($node, $db, q{SELECT hr.set_setting('health.overdue_items', '99')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
is(as_alice($standby, $db, q{SELECT status FROM hr.health() WHERE code = 'overdue_items'}), 'ok', 'health() of the standby follows the primary');

# promoted, it is a primary like any other
$standby->promote;
as_alice($standby, $db, <<~'SQL');
    SELECT hr.create_cycle('N1', '2024-01-01', '2024-03-31', 'SALES'), hr.open_cycle('N1');
    SELECT hr.submit_score('N1', 'E010', i, 95, 'seen') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
    SELECT hr.lock_review('N1', 'E010', '2024-04-01'), hr.approve_adjustment('N1', 'E010'), hr.apply_adjustment('N1', 'E010');
    SELECT * FROM hr.run_due('2024-04-02');
    SQL
healthy($standby, $db, 'hr', 'promoted, it goes on with the loop');

done_testing();

# Both answer the same, and something.
sub alike {
    my ($name, $sql) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $said = as_alice($node, $db, $sql);
    return is(as_alice($standby, $db, $sql), $said, "$name: the standby says the same");
}
