# The audit log outlives a dump, and what cannot be a row of it (reads of pay, and
# refusals, whose transaction is rolled back) is in the server log (SEC-03).
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');

# What half a year left: whose a row is, also where its table does not say so.
is(as_alice($node, $db, <<~'SQL'), "plan_progress|2|E010,E011\nscore|1|E001", 'entries know whose row it is');
    SELECT t.table_name, count(DISTINCT t.employee_no), string_agg(DISTINCT t.employee_no, ',')
    FROM hr.audit_trail t WHERE t.table_name = 'plan_progress' GROUP BY 1
    UNION ALL
    SELECT t.table_name, 1, min(t.employee_no) FROM hr.audit_trail t WHERE t.table_name = 'score' GROUP BY 1 ORDER BY 1
    SQL
is(as_alice($node, $db, q{SELECT count(*) FROM hr.audit_entry WHERE db_user <> 'alice' OR db_role IS NOT NULL}), '0', 'and who did it');

# Dumped, restored, and written on.
my $head = as_alice($node, $db, 'SELECT hr.audit_head()');
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump';
run_command([ 'pg_dump', '--format=custom', '--file', $file, '--dbname', $node->connstr($db) ]);
new_database($node, 'restored');
run_command([ 'pg_restore', '--username', 'alice', '--dbname', $node->connstr('restored'), $file ]);
is(as_alice($node, 'restored', 'SELECT hr.audit_head()'), $head, 'the chains are where they were');
as_alice($node, 'restored', q{UPDATE hr.employee SET education = 'x' WHERE employee_no = 'E010'});
isnt(as_alice($node, 'restored', 'SELECT hr.audit_head()'), $head, 'they go on');
is(as_alice($node, 'restored', "SELECT count(*) FROM hr.verify_audit('$head')"), '0', 'and nothing is missing');

# Reads of pay.
is_deeply([ logged(q{SELECT count(*) FROM hr.explain_pay('E010')}) ],
    [ '{"event": "read", "books": null, "actor": null, "user": "alice", "role": null, "what": "explain_pay", "of": "hr", "employee_id": N}' ],
    'who reads a pay is noted, once');
is_deeply([ logged(q{BEGIN; SELECT hr.act_as('E010'), hr.allowance_on('E010'); COMMIT}) ],
    [ '{"event": "read", "books": "hr", "actor": "E010", "user": "alice", "role": null, "what": "allowance_on", "of": "hr", "employee_id": N}' ],
    'with who acts');
is_deeply([ logged(q{BEGIN; SELECT hr.act_as('E011'); SELECT count(*) FROM hr.allowance_trail('E010'); ROLLBACK}) ],
    [ '{"event": "denied", "books": "hr", "actor": "E011", "user": "alice", "role": null, "what": "allowance_trail", "of": "hr", "employee_id": N}' ],
    'and so is who may not, also when it is rolled back');
is_deeply([ logged(q{BEGIN READ ONLY; SELECT hr.allowance_on('E010'); COMMIT}) ],
    [ '{"event": "read", "books": null, "actor": null, "user": "alice", "role": null, "what": "allowance_on", "of": "hr", "employee_id": N}' ],
    'reading writes no row: it works in a read-only transaction');
as_alice($node, $db, q{SELECT hr.set_setting('audit.log_reads', 'false')});
is_deeply([ logged(q{SELECT hr.allowance_on('E010')}) ], [], 'unless the setting is off');

# Refusals.
my $own = q{BEGIN; SELECT hr.act_as('E003'); SELECT hr.approve_adjustment('2023Q2', 'E003')};
as_alice($node, $db, q{SELECT hr.unlock_review('2023Q2', 'E003', 'again'), hr.lock_review('2023Q2', 'E003')});
is_deeply([ logged($own, 1) ],
    [ '{"event": "refused", "books": "hr", "actor": "E003", "user": "alice", "role": null, "message": "E003 cannot decide on their own raise", "detail": null}' ],
    'a refusal is noted though its transaction is lost');
is_deeply([ logged(q{SELECT hr.find_employee('nobody')}, 1) ], [], 'an ordinary error is not');

healthy($node, $db, 'hr', 'verify() finds nothing');
done_testing();

# The lines of the audit that a command leaves in the server log, ids as N.
sub logged {
    my ($sql, $fails) = @_;
    my $from = -s $node->logfile;
    my ($code) = $node->psql($db, $sql, extra_params => [ '--username' => 'alice' ]);
    die "unexpected outcome of $sql" if !$fails != !$code;
    open my $log, '<', $node->logfile or die;
    seek $log, $from, 0;
    my @lines = map { /LOG:  hrloop audit: (.*)$/ ? $1 : () } <$log>;
    s/"employee_id": \d+/"employee_id": N/ for @lines;
    return @lines;
}
