# A restore does not bring erased people back: erasure_log is dumped by itself and loaded
# over the older state, and reapply_erasures() does the rest (SEC-05).
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
as_alice($node, $db, <<~'SQL');
    INSERT INTO hr.role_holder (role, employee_id) VALUES ('executive', hr.find_employee('E001'));
    SELECT hr.leave('E011', '2023-08-01');
    SQL

my $dir = PostgreSQL::Test::Utils::tempdir();
sub run_ok {
    my (@command) = @_;
    my ($out, $err);
    IPC::Run::run(\@command, ">", \$out, "2>", \$err) or fail("@command\n$err");
    return;
}
my @from = ('--username', 'alice', '--dbname', $node->connstr($db));
run_ok('pg_dump', @from, '--format=custom', '--file', "$dir/older");

as_alice($node, $db, q{BEGIN; SELECT hr.act_as('E090'); SELECT hr.request_erasure('E011', '来信'); SELECT hr.act_as('E001'); SELECT hr.confirm_erasure('E011'); COMMIT});
my $person = q{FROM hr.employee WHERE employee_id = (SELECT employee_id FROM hr.erasure_log)};
is(said("SELECT name $person"), '已删除', 'SEC-05: erased');
my $erased = everything();
ok($erased !~ /李四|E011|两起投诉/, 'nothing of the person is left');
run_ok('pg_dump', @from, '--data-only', '--table=hr.erasure_log', '--file', "$dir/log");
run_ok('pg_dump', @from, '--format=custom', '--file', "$dir/newer");

# a dump made after the erasure keeps it
new_database($node, $db);
run_ok('pg_restore', @from, '--exit-on-error', "$dir/newer");
same(everything(), $erased, 'a newer dump brings nobody back');
is(as_alice($node, $db, 'SELECT hr.reapply_erasures()'), 0, 'nothing to erase again');

# an older one does, and the log puts it right
new_database($node, $db);
run_ok('pg_restore', @from, '--exit-on-error', "$dir/older");
ok(everything() =~ /李四.*两起投诉/s, 'an older dump brings the person back');
as_alice($node, $db, 'ALTER TABLE hr.erasure_log DISABLE TRIGGER USER');
run_ok(qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1), @from, '--file', "$dir/log");
as_alice($node, $db, 'ALTER TABLE hr.erasure_log ENABLE TRIGGER USER');
is(as_alice($node, $db, 'SELECT hr.reapply_erasures()'), 1, 'SEC-05: reapply_erasures() erases again');
is(said("SELECT name, employee_no = (SELECT pseudonym FROM hr.erasure_log) $person"), '已删除|t', 'under the same pseudonym');
ok(everything() !~ /李四|E011|两起投诉/, 'SEC-05: nothing of the person is left');
is(as_alice($node, $db, q{SELECT count(*) FROM hr.decision WHERE kind = 'person.erase'}), 1, 'SEC-05: one decision says so');
is(as_alice($node, $db, q{SELECT count(*), count(*) FILTER (WHERE after -> 'rows' > '0') FROM hr.audit_entry WHERE action = 'erase'}), '1|1', 'SEC-05: and one row of the audit log');
is(as_alice($node, $db, 'SELECT count(*) FROM hr.verify_audit()'), 0, 'whose chains hold');
healthy($node, $db, 'hr', 'verify() finds nothing');
is(as_alice($node, $db, 'SELECT hr.reapply_erasures()'), 0, 'once is enough');

done_testing();

# What a query prints, as the superuser sees it.
sub said {
    my $text = $node->safe_psql($db, shift);
    utf8::decode($text);
    return $text;
}

# All rows of all tables.
sub everything {
    return said(q{SELECT format('SELECT %L, t FROM hr.%I t ORDER BY t::text COLLATE "C"', relname, relname) FROM pg_class
        WHERE relnamespace = 'hr'::regnamespace AND relkind = 'r' ORDER BY relname \gexec});
}
