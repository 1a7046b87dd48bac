# What a call does must not grow with what it is not about: test/bench/growth.sql at a
# small size, where an index is taken wherever there is one.  "make growth" is the same at
# any size.
use strict;
use warnings;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'growth');
my $file = "$FindBin::RealBin/../bench/growth.sql";
my %size = (people => 60, cycles => 2, more_cycles => 8, more_people => 300, seqscan => 'off');
my ($out, $err) = run_command([ qw(psql --no-psqlrc --quiet --dbname), $node->connstr($db), '--file', $file, map { ('-v', "$_=$size{$_}") } sort keys %size ]);
is($err, '', 'a company grows') or BAIL_OUT('no company');

is($node->safe_psql($db, <<~'SQL'), '', 'no call grows with what it is not about');
    SELECT call, by_history, by_people, read_with_history, read_with_people FROM bench.growth WHERE by_history > 1.7 OR by_people > 1.7
    SQL
my ($calls) = slurp_file($file) =~ /^INSERT INTO bench\.call.*?VALUES\n(.*?)^\) AS c/ms;
is($node->safe_psql($db, 'SELECT count(*) FROM bench.growth'), scalar(() = $calls =~ /^  \(/mg), 'each of them was measured');
is($node->safe_psql($db, 'SELECT * FROM growth.verify()'), '', 'verify() finds nothing');

done_testing();
