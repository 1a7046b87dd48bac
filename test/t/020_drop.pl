# The extension cannot be dropped from under a company by mistake, and even on
# purpose takes no row with it.
use strict;
use warnings;

use Hrloop;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
my $before = fingerprint($node, $db, 'hr');

refused($node, $db, 'DROP EXTENSION hrloop', '2BP01', 'other objects depend on it',
    'DROP EXTENSION is refused while there are books');
same(fingerprint($node, $db, 'hr'), $before, 'and changes nothing');

like($before, qr/^decision\|[1-9]/m, 'there is something to lose');
as_alice($node, $db, 'DROP EXTENSION hrloop CASCADE');
same(fingerprint($node, $db, 'hr'), $before, 'DROP EXTENSION CASCADE keeps every row of every table');
is(as_alice($node, $db, <<~'SQL'), '', 'and leaves no trigger that could fail');
    SELECT tgrelid::regclass, tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE NOT tgisinternal AND relnamespace = 'hr'::regnamespace
    SQL

done_testing();
