# doc/contributing.md by its very lines: what it says to write makes a room in a scratch copy of the sources.
use strict;
use warnings;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file("$FindBin::RealBin/../../doc/contributing.md");
my $room = join "\n", $text =~ /^```sql\n(.*?)^```/msg;
like($room, qr/CREATE TABLE.*register_table.*INSERT INTO setting.*register_follow.*register_notice.*register_follow/s, 'there is something to add');

# The room stands last, as one that a company adds.
my $path = private_installation();
my $source = "$ENV{DESTDIR}/source";
system_or_bail('cp', '-a', "$FindBin::RealBin/../..", $source);
my $makefile = slurp_file("$source/Makefile");
$makefile =~ s/^(ROOMS\s*=.*)$/$1 volunteer/m or die 'there are no ROOMS';
write_to("$source/Makefile", $makefile);
write_to("$source/src/books/volunteer.sql", $room);
system_or_bail('make', '-s', '-C', $source, "PG_CONFIG=$ENV{PG_CONFIG}", 'with_llvm=no', 'install');

my $node = new_server(install_path => $path);
my $db = new_database($node, 'scratch');
install_company($node, $db, 'hr');
my $figures = figures($node, $db, 'hr');
is(as_alice($node, $db, 'SELECT * FROM hr.privacy_gap'), '', 'an erasure knows the table');
is(as_alice($node, $db, q{SELECT c.relname FROM pg_class c WHERE relnamespace = 'hr'::regnamespace AND relkind IN ('r', 'v') AND obj_description(c.oid) IS NULL}), '', 'all is explained');

my $serve = sub { 'SET search_path = hr; INSERT INTO volunteer_day (employee_id, served_on, hours, purpose) '
    . "SELECT find_employee('E010'), date '2023-03-01' + n, 8, 'a home' FROM generate_series(1, $_[0]) n" };
my $thanked = q{SELECT body, withdrawn_at IS NOT NULL FROM hr.notification WHERE kind = 'volunteer.thanks'};
as_alice($node, $db, $serve->(4));
is(as_alice($node, $db, $thanked), '', 'the setting holds');
as_alice($node, $db, q{UPDATE hr.volunteer_day SET hours = hours + 2});
is(as_alice($node, $db, $thanked), '您今年已服务40小时,谢谢!|f', 'a correction is followed, and somebody is told');
is(as_alice($node, $db, q{SELECT count(*) FROM hr.audit_trail WHERE table_name = 'volunteer_day'}), 8, 'it is audited');
refused($node, $db, q{SET search_path = hr; SELECT leave('E011', '2023-02-01'); INSERT INTO volunteer_day (employee_id, served_on, hours, purpose) VALUES (find_employee('E011'), '2023-03-01', 8, 'x')},
    '23514', 'was not employed on 2023-03-01.*volunteer_day_employed', 'the rule is asked');
as_alice($node, $db, 'DELETE FROM hr.volunteer_day');
is(as_alice($node, $db, $thanked), '您今年已服务40小时,谢谢!|t', 'and so is a deletion');
healthy($node, $db, 'hr', 'verify() finds nothing');
done_testing();

sub write_to {
    my ($file, $content) = @_;
    open my $to, '>', $file or die "$file: $!";
    print $to $content;
    close $to or die "$file: $!";
    return;
}
