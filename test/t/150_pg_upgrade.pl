# pg_upgrade, with copies and with links: the company is what it was, with what its DBA
# added, and goes on.  From a PostgreSQL to the same one, as the way is the same.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_server(name => 'old');
my $db = new_database($old, 'shop');
install_company($old, $db, 'hr');
as_alice($old, $db, <<~'SQL');
    ALTER TABLE hr.employee ADD COLUMN badge text DEFAULT '?';
    ALTER TABLE hr.employee DROP COLUMN badge, ADD COLUMN badge text DEFAULT '!';
    CREATE INDEX our_index ON hr.employee (badge);
    CREATE POLICY our_policy ON hr.employee AS RESTRICTIVE FOR SELECT USING (name <> 'nobody');
    CREATE TABLE hr.our_log (our_log_id serial PRIMARY KEY, review_id bigint REFERENCES hr.review);
    CREATE FUNCTION hr.our_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO hr.our_log (review_id) VALUES (NEW.review_id); RETURN NEW; END';
    CREATE TRIGGER our_trigger AFTER INSERT ON hr.review FOR EACH ROW EXECUTE FUNCTION hr.our_trigger();
    CREATE VIEW hr.our_view AS SELECT * FROM hr.my_reviews;
    CREATE PUBLICATION our_publication FOR TABLE hr.employee;
    SQL
my $rows = fingerprint($old, $db, 'hr');
my $objects = definitions($old, $db, 'hr');
my ($bindir) = run_command([qw(pg_config --bindir)]);
# with links the old cluster is given up: last
for my $mode (qw(copy link)) {
    my $new = PostgreSQL::Test::Cluster->new($mode);
    $new->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
    $old->stop;
    # it leaves its files where it is run
    my $dir = PostgreSQL::Test::Utils::tempdir();
    my $home = Cwd::getcwd();
    chdir $dir;
    my ($out, $err) = run_command([ 'pg_upgrade', ($mode eq 'link' ? '--link' : ()), '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir,
        '--old-bindir', $bindir, '--new-bindir', $bindir, '--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port ]);
    chdir $home;
    like($out, qr/Upgrade Complete/, "pg_upgrade --$mode") or diag $out, $err;
    $new->start;
    same(fingerprint($new, $db, 'hr'), $rows, "$mode: all rows are the same");
    same(definitions($new, $db, 'hr'), $objects, "$mode: all objects are the same");
    is(as_alice($new, $db, 'SELECT schema, needs_migration FROM hrloop.books; SELECT count(*) FROM pg_publication_tables'), "hr|f\n1", "$mode: the books are listed, and the publication is there");
    healthy($new, $db, 'hr', "$mode: verify() finds nothing");
    as_alice($new, $db, <<~'SQL');
        SELECT hr.create_cycle('N1', '2024-01-01', '2024-03-31', 'SALES'), hr.open_cycle('N1');
        SELECT hr.submit_score('N1', 'E010', i, 95, 'seen') FROM unnest(ARRAY['客户拓展', '客户满意度', '销售执行']) AS i;
        SELECT hr.lock_review('N1', 'E010', '2024-04-01'), hr.approve_adjustment('N1', 'E010'), hr.apply_adjustment('N1', 'E010');
        SELECT hrloop.migrate('hr');
        SQL
    is(as_alice($new, $db, 'SELECT count(*) > 5 FROM hr.our_log'), 't', q{the DBA's trigger among others});
    healthy($new, $db, 'hr', "$mode: the loop goes on");
    $new->stop;
    $old->start if $mode eq 'copy';
}

done_testing();
