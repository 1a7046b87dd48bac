# Who may install books, where, and that two sets of books do not meet.
use strict;
use warnings;
use utf8;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');

# Another version in META.json would be published under the wrong number.
my ($version) = slurp_file("$FindBin::RealBin/../../hrloop.control") =~ /^default_version = '(.*)'/m;
my @published = slurp_file("$FindBin::RealBin/../../META.json") =~ /^ +"version": "(.*)"/mg;
is_deeply([ @published[0, 1] ], [ $version, $version ], 'META.json has the version of hrloop.control');

# The owner of a database needs no superuser.
install_company($node, $db, 'hr');
is(as_alice($node, $db, 'SELECT schema, version, needs_migration FROM hrloop.books'),
    "hr|$version|f", 'the books are listed');
like(fingerprint($node, $db, 'hr'), qr/^decision\|[1-9]/m, 'the sample company has gone round the loop');
healthy($node, $db, 'hr', 'verify() finds nothing in the sample company');
as_alice($node, $db, q{SELECT hrloop.migrate('hr')});
healthy($node, $db, 'hr', 'migrate() leaves current books alone');

# Nobody else may install anything.
$node->safe_psql($db, 'CREATE ROLE bob LOGIN');
refused($node, $db, q{SELECT hrloop.install('bobs')}, '42501', 'permission denied',
    'a role that may not create schemas is refused', 'bob');
refused($node, $db, q{SELECT hrloop.migrate('hr')}, '42501', '',
    q{a role cannot migrate somebody else's books}, 'bob');

# Nobody says who they are as they connect (SEC-02).
as_alice($node, $db, 'GRANT USAGE ON SCHEMA hr TO bob; GRANT EXECUTE ON FUNCTION hr.actor TO bob; GRANT SELECT ON hr.review TO bob');
my $actor = as_alice($node, $db, q{SELECT 'hr'::regnamespace::oid || ':' || employee_id || ':E090' FROM hr.employee WHERE employee_no = 'E090'});
{
    local $ENV{PGOPTIONS} = "-c hrloop.actor=$actor";
    my ($code, $out) = $node->psql($db, q{SELECT coalesce(hr.actor()::text, 'nobody'), count(*) FROM hr.review}, extra_params => [ '--username' => 'bob' ]);
    is($out, 'nobody|0', 'PGOPTIONS does not make an actor');
}

# Nobody installs among somebody else's functions, not even a superuser.
$node->safe_psql($db, 'CREATE SCHEMA bobs AUTHORIZATION bob');
refused($node, $db, q{SELECT hrloop.install('bobs')}, '42501', 'belongs to somebody else',
    'a superuser is refused in the schema of another role', $node->safe_psql('postgres', 'SELECT current_user'));
is($node->safe_psql($db, q{SELECT hrloop.install('bobs') LIKE '%are ready%'}, extra_params => [ '--username' => 'bob' ]),
    't', 'that role itself may install there');

# Names.
refused($node, $db, q{SELECT hrloop.install('hr')}, '42P06', 'already holds books',
    'installing twice into one schema is refused');
refused($node, $db, 'SELECT hrloop.install(NULL)', '22004', 'must not be null',
    'a schema without a name is refused');
as_alice($node, $db, q{SELECT hrloop.install('Übung "薪"')});
is(as_alice($node, $db, q{SELECT * FROM "Übung ""薪""".verify()}), '', 'any name will do for the schema');

# Two companies in one database.
my $before = fingerprint($node, $db, 'hr');
install_company($node, $db, 'hr2');
same(fingerprint($node, $db, 'hr'), $before, 'a second company does not change the first');
is(table_sizes('hr2'), table_sizes('hr'), 'and has as many rows of everything');
healthy($node, $db, 'hr2', 'verify() finds nothing in the second company');

# Whatever hangs on an employee goes, as far as the books let it.
as_alice($node, $db, 'UPDATE hr2.employee SET name = name || name');
isnt(fingerprint($node, $db, 'hr2'), fingerprint($node, $db, 'hr'), 'the second company changes');
same(fingerprint($node, $db, 'hr'), $before, 'the first does not');
healthy($node, $db, 'hr', 'verify() still finds nothing in the first');

done_testing();

sub table_sizes {
    my ($schema) = @_;
    return join "\n", map { /^(\w+\|\d+)\|[0-9a-f]{32}$/ ? $1 : () }
        split /\n/, fingerprint($node, $db, $schema);
}
