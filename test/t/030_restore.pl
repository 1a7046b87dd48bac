# Every way to dump and restore a company gives the same company: row for row, with
# nothing computed again, and with all its triggers standing afterwards.
use strict;
use warnings;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
new_database($node, 'shop');
install_company($node, 'shop', 'hr');
# rules and settings that are the company's own (SEC-06)
as_alice($node, 'shop', <<~'SQL');
    SELECT hr.set_setting('plan.score_threshold', '72.5'), hr.set_setting('sec.require_tls', 'true'), hr.set_setting('health.feed_days', NULL);
    UPDATE hr.erasure_rule SET keep_months = 36 WHERE table_name = 'salary_adjustment';
    UPDATE hr.due_rule SET active = false WHERE code = 'health_report';
    UPDATE hr.message_text SET body = body || '!' WHERE kind = 'review.node' AND locale = 'en';
    SQL
my $dir = PostgreSQL::Test::Utils::tempdir();
run_on('shop', 'alice', 'pg_dump', '--data-only', '--schema=hr', '--file', "$dir/data");
run_on('shop', 'alice', 'pg_dump', '--schema-only', '--schema=hr', '--file', "$dir/bare");
my @data = (fingerprint($node, 'shop', 'hr'), definitions($node, 'shop', 'hr'));

# what a DBA adds: a column, an index, a policy, a trigger, views, a publication
as_alice($node, 'shop', <<~'SQL');
    ALTER TABLE hr.employee ADD COLUMN "Badge №" text DEFAULT '?' CHECK ("Badge №" <> '');
    CREATE INDEX our_index ON hr.review (employee_id) WHERE status = 'open';
    CREATE POLICY our_policy ON hr.employee AS RESTRICTIVE FOR SELECT USING (name <> 'nobody');
    CREATE TABLE hr.our_log (our_log_id serial PRIMARY KEY, review_id bigint REFERENCES hr.review);
    CREATE FUNCTION hr.our_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO hr.our_log (review_id) VALUES (NEW.review_id); RETURN NEW; END';
    CREATE TRIGGER our_trigger AFTER INSERT ON hr.review FOR EACH ROW EXECUTE FUNCTION hr.our_trigger();
    CREATE VIEW hr.our_view AS SELECT p.*, hr.shown_composite(r.review_id) AS composite FROM hr.my_reviews p JOIN hr.review r ON r.review_id = p.review_id;
    INSERT INTO hr.our_log (review_id) SELECT min(review_id) FROM hr.review;
    ALTER TABLE hr.setting DISABLE TRIGGER setting_forget;
    CREATE PUBLICATION our_publication FOR TABLE hr.employee (employee_id, name), hr.decision WHERE (kind LIKE 'pay.%');
    SQL
my $rows    = fingerprint($node, 'shop', 'hr');
my $objects = definitions($node, 'shop', 'hr');
like($rows, qr/^decision\|[1-9]/m, 'there is something to restore');
like($objects, qr/^CREATE TRIGGER /m, 'and triggers that could get in its way');
like($objects, qr/ENABLE REPLICA TRIGGER/, 'not all of them for everything');

# Runs one of PostgreSQL's programs on a database; a test only if it fails, since
# what counts is the result.
sub run_on {
    my ($db, $user, $program, @options) = @_;
    my @command = ($program, '--username', $user, '--dbname', $node->connstr($db), @options);
    my ($out, $err);
    IPC::Run::run(\@command, '>', \$out, '2>', \$err) or fail("@command\n$err");
    return;
}

# Tests: 'restored' is as 'shop' was.
sub restored {
    my ($way, $rows, $objects) = (@_, $rows, $objects);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    same(fingerprint($node, 'restored', 'hr'), $rows, "$way: all rows are the same");
    same(definitions($node, 'restored', 'hr'), $objects, "$way: all objects are the same");
    healthy($node, 'restored', 'hr', "$way: verify() finds nothing");
    return;
}

my @psql = qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --output /dev/null --file);
my @pg_restore = qw(pg_restore --exit-on-error);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# One dump serves several ways back.  The superuser's dumps are no others, but owners
# are given back by another role.
my %dumps = (
    plain     => [],
    inserts   => ['--inserts'],
    clean     => [qw(--clean --if-exists)],
    custom    => ['--format=custom'],
    directory => [qw(--format=directory --jobs=2)],
);
my @ways = (
    # as whom, which dump, how it is restored, over what is there?
    [ 'alice', 'plain',     [ 'psql', '--single-transaction', @psql[ 1 .. $#psql ] ] ],
    [ 'alice', 'inserts',   [@psql] ],
    [ 'alice', 'clean',     [@psql] ],
    [ 'alice', 'clean',     [@psql], 'over' ],
    [ 'alice', 'custom',    [ @pg_restore, '--single-transaction' ] ],
    [ 'alice', 'custom',    [ @pg_restore, qw(--clean --if-exists) ], 'over' ],
    [ 'alice', 'directory', [ @pg_restore, '--jobs=4' ] ],
    [ $superuser, 'plain',     [@psql] ],
    [ $superuser, 'directory', [ @pg_restore, '--jobs=4' ] ],
);
my %made;
for (@ways) {
    my ($user, $dump, $restore, $over) = @$_;
    my $file = "$dir/$user $dump";
    run_on('shop', $user, 'pg_dump', '--file', $file, @{ $dumps{$dump} }) unless $made{$file}++;
    new_database($node, 'restored') unless $over;
    run_on('restored', $user, @$restore, $file);
    restored("$dump, $restore->[0]" . (' ' . $restore->[-1]) x ($restore->[-1] =~ /^--[^f]/) . ", as $user" . ', over the same' x !!$over);
    is($node->safe_psql('restored', 'SELECT count(*), string_agg(rowfilter, NULL) FROM pg_publication_tables'), q{2|(kind ~~ 'pay.%'::text)}, 'and the publication') unless $over;
}

# A schema alone is moved into a database that has the extension, and another company.
run_on('shop', 'alice', 'pg_dump', '--schema=hr', '--file', "$dir/schema");
new_database($node, 'restored');
as_alice($node, 'restored', q{CREATE EXTENSION hrloop CASCADE; SELECT hrloop.install('hr2')});
my $neighbour = fingerprint($node, 'restored', 'hr2');
run_on('restored', 'alice', @psql, "$dir/schema");
restored('schema alone');
same(fingerprint($node, 'restored', 'hr2'), $neighbour, 'the company that was there is as it was');
is(as_alice($node, 'restored', 'SELECT schema, needs_migration FROM hrloop.books'), "hr|f\nhr2|f", 'there are two');

# Under another name, when the old one is taken: it goes on.
as_alice($node, 'restored', 'DROP TRIGGER our_trigger ON hr.review; ALTER SCHEMA hr RENAME TO "East branch"; ALTER SCHEMA hr2 RENAME TO hr');
same(fingerprint($node, 'restored', 'East branch'), $rows, 'renamed: all rows are the same');
healthy($node, 'restored', 'East branch', 'renamed: verify() finds nothing');
as_alice($node, 'restored', <<~'SQL');
    SET search_path = "East branch";
    SELECT set_setting('sec.require_tls', 'false');
    SELECT create_cycle('N1', '2024-01-01', '2024-03-31', 'SALES'), open_cycle('N1');
    SELECT submit_score('N1', 'E010', i, 95, 'seen') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
    SELECT lock_review('N1', 'E010', '2024-04-01');
    BEGIN; SELECT act_as('E010'); SELECT * FROM explain_pay('E010'); SELECT * FROM profile('E010'); COMMIT;
    SQL
healthy($node, 'restored', 'East branch', 'renamed: the loop goes on');
is(as_alice($node, 'restored', 'SELECT count(*) FROM hr.decision; SELECT count(*) FROM hr.review'), "0\n0", 'and nothing of it comes to the company that has the name now');

# Data alone goes into new books, between the two functions that are there for it.
new_database($node, 'restored');
as_alice($node, 'restored', <<~'SQL');
    CREATE EXTENSION hrloop CASCADE;
    SELECT hrloop.install('hr');
    SQL
as_alice($node, 'restored', q{SELECT hrloop.pre_restore('hr')});
run_on('restored', 'alice', @psql, "$dir/data");
as_alice($node, 'restored', q{SELECT hrloop.post_restore('hr')});
restored('data alone', @data);

refused($node, 'restored', q{SELECT hrloop.pre_restore('hr')}, '55000', 'already hold employees',
    'pre_restore() is not for books in use');

# ... or into what a dump of the schema alone made, whatever PostgreSQL's own tools need for both.
new_database($node, 'restored');
as_alice($node, 'restored', 'CREATE EXTENSION hrloop CASCADE');
run_on('restored', 'alice', @psql, "$dir/bare");
refused($node, 'restored', q{SELECT hrloop.post_restore('hr')}, '55000', 'no rows were restored', 'post_restore() wants rows');
as_alice($node, 'restored', q{SELECT hrloop.pre_restore('hr')});
run_on('restored', 'alice', @psql, "$dir/data");
is(as_alice($node, 'restored', q{SELECT hrloop.post_restore('hr')}), 0, 'schema and data one after the other: no differences');
restored('schema and data one after the other', @data);

# A column more in every table: they are the company's own.
new_database($node, 'wide');
as_alice($node, 'wide', q{CREATE EXTENSION hrloop CASCADE; SELECT hrloop.install('hr')});
as_alice($node, 'wide', <<~'SQL');
    SELECT format('ALTER TABLE hr.%I ADD COLUMN ours text', relname) FROM pg_class
     WHERE relnamespace = 'hr'::regnamespace AND relkind = 'r' ORDER BY relname
    \gexec
    SQL
load_fixture($node, 'wide', 'hr', $_) for qw(company history);
as_alice($node, 'wide', q{SET search_path = hr; SELECT set_salary('E020', 9100, '2023-12-01'), band_of(find_scale('grade'), 90)});
healthy($node, 'wide', 'hr', 'a column more in every table: the loop goes round');

done_testing();
