# An outside program hears of new notices by LISTEN: after the commit only, ids and
# nothing else (NOT-01).
use strict;
use warnings;
use utf8;

use Hrloop;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
as_alice($node, $db, <<~'SQL');
    SELECT hr.create_cycle('N1', '2024-01-01', '2024-03-31', 'SALES'), hr.open_cycle('N1')
    SQL

my $listener = session($node, $db);
my $writer = session($node, $db);
is(ask($listener, 'LISTEN hr'), '', 'an outside program listens');

# What the writer does is heard of once it is committed, neither before nor without.
ask($writer, 'BEGIN');
ask($writer, score('E010'));
is(ask($writer, q{SELECT count(*) > 0 FROM hr.notification WHERE event_key LIKE 'plan:%' AND decision_id = (SELECT max(decision_id) FROM hr.decision)}), 't',
    'a notice was written');
is_deeply([ heard() ], [], 'NOT-01: nothing is heard before the commit');
ask($writer, 'ROLLBACK');
is_deeply([ heard() ], [], 'NOT-01: nor after a rollback');

ask($writer, 'BEGIN');
ask($writer, score('E010'));
ask($writer, 'COMMIT');
my @heard = heard();
is(scalar(@heard), 1, 'NOT-01: one announcement after the commit');
like($heard[0] // '', qr/^notification \d+$/, 'of a table and a key, no text and no figure');
my ($id) = ($heard[0] // '') =~ /(\d+)/;
is(ask($listener, "SELECT kind FROM hr.notification WHERE notification_id = @{[ $id // -1 ]}"), 'plan.draft',
    'NOT-01: the listener finds the row by the key');

# The same event again is no event.
ask($writer, score('E010'));
is_deeply([ heard() ], [], 'NOT-01: the same scores again announce nothing');

# A lock: notices to both sides, and a row for payroll.
ask($writer, q{SELECT hr.lock_review('N1', 'E010', '2024-04-01')});
@heard = sort(heard());
is(scalar(@heard), 3, 'a lock announces the disclosure, the notices of the plan and the payroll feed, each once');
like($heard[0] // '', qr/^notification \d+$/, 'one key');
like($heard[1] // '', qr/^notification (\d+)-(\d+)$/, 'keys that follow each other as a range');
like($heard[2] // '', qr/^payroll_feed \d+$/, 'and the feed');
ask($writer, q{SELECT hr.lock_review('N1', 'E010', '2024-04-01')});
is_deeply([ heard() ], [], 'the lock again announces nothing');

# Many keys that do not follow each other: NOTIFY takes less than 8000 bytes at a time.
ask($writer, q{SELECT hr.lift_guards('{notification}')});
ask($writer, <<~'SQL');
    INSERT INTO hr.notification (notification_id, recipient_id, recipient_role, kind, event_key)
    SELECT 1000000 + 2 * n, hr.find_employee('E010'), 'employee', 'plan.updated', 'many:' || n FROM generate_series(1, 5000) AS n
    SQL
@heard = heard();
cmp_ok(scalar(@heard), '>', 1, 'many keys come in more than one announcement');
is(scalar(grep { length >= 8000 } @heard), 0, 'none of them too long');
my %announced = map { $_ => 1 } map { /^notification (.*)$/ ? split(/,/, $1) : () } @heard;
is(scalar(keys %announced), 5000, 'and every key is there');

# Who listens to one company hears nothing of another.
install_company($node, $db, 'hr2');
heard();
as_alice($node, $db, <<~'SQL');
    SELECT hr2.lift_guards('{notification}');
    INSERT INTO hr2.notification (recipient_id, recipient_role, kind, event_key)
    VALUES (hr2.find_employee('E010'), 'employee', 'plan.updated', 'two')
    SQL
is_deeply([ heard() ], [], 'another company has a channel of its own');

for my $session ($listener, $writer) {
    $session->{in} .= "\\q\n";
    $session->{run}->finish;
    is($session->{err}, '', 'no session had an error');
}
healthy($node, $db, 'hr', 'verify() finds nothing');
done_testing();

# Scores of somebody that call for a plan.
sub score {
    my ($who) = @_;
    return join '; ', map { qq{SELECT hr.submit_score('N1', '$who', '$_->[0]', $_->[1], 'seen')} }
        ([ '客户拓展', 60 ], [ '客户满意度', 85 ], [ '销售执行', 85 ]);
}

# The payloads that the listener got since the last time.  psql looks for them after
# every command.
sub heard {
    my $answer = ask($listener, 'SELECT') . "\n" . ask($listener, 'SELECT');
    return $answer =~ /^Asynchronous notification "hr" with payload "([^"]*)" received/mg;
}
