# With PostgreSQL's own settings: JIT on, nothing analysed, no autovacuum in time.  What
# reads whole tables compiles nothing, whatever its estimates are; else verify() takes
# minutes where it should take seconds.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server(conf => "jit = on\nautovacuum = off\n");
my $db = new_database($node, 'defaults');
if ($node->safe_psql($db, 'SELECT pg_jit_available()') ne 't') {
    plan skip_all => 'this PostgreSQL has no JIT';
}
install_company($node, $db, 'hr');

# auto_explain says of each statement, also of those in functions, what was compiled
sub compiled {
    my ($sql) = @_;
    my ($out, $err);
    $node->psql($db, <<~"SQL", stdout => \$out, stderr => \$err, on_error_stop => 1);
        LOAD 'auto_explain';
        SET search_path = hr, pg_catalog;
        SET auto_explain.log_min_duration = 0;
        SET auto_explain.log_analyze = on;
        SET auto_explain.log_timing = off;
        SET auto_explain.log_nested_statements = on;
        SET jit_above_cost = 0;
        SET client_min_messages = log;
        $sql;
        SQL
    like($err, qr/Query Text/, "auto_explain tells of $sql");
    return scalar(() = $err =~ /^\s*JIT:/mg);
}

cmp_ok(compiled('SELECT count(*) FROM score WHERE value > 0'), '>', 0, 'what was compiled is seen');
# the statement that calls them is the caller's, and compiled as the caller wants
for my $call ('verify()', 'health(true)', 'verify_audit()', 'verify_for()', 'verify_reviews()', 'verify_pay()') {
    cmp_ok(compiled("SELECT count(*) FROM $call"), '<=', 1, "nothing in $call is compiled");
}
healthy($node, $db, 'hr', 'verify() finds nothing');

done_testing();
