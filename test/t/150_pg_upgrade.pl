# pg_upgrade, with copies and with links, and pg_dump: the company is what it was, with what
# its DBA added, and goes on.  From a PostgreSQL to the same one, or from the earlier one that
# make test-upgrade puts beside it.
use strict;
use warnings;
use utf8;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my ($bindir) = run_command([qw(pg_config --bindir)]);
my $from = $ENV{FROM_BINDIR} // $bindir;
my $old = new_server(name => 'old', $from eq $bindir ? () : (install_path => $from =~ s|/bin$||r));
note 'from ' . $old->safe_psql('postgres', 'SHOW server_version') . ', ' . (run_command([qw(pg_config --version)]))[0];
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
my $rows = fingerprint($old, $db, 'hr', 'with views');
my $objects = objects($old);
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
my $carried = plain_table_is_carried();
run_command([ $carried ? 'pg_dumpall' : "$from/pg_dumpall", '--dbname', $old->connstr('postgres'), '--file', $dump ]);

# with links the old cluster is given up: last
for my $mode (qw(dump copy link)) {
    if ($mode ne 'dump' && !$carried) {
        SKIP: { skip 'PostgreSQL itself carries no table from the one to the other; its own pg_dumpall was used for the dump', 1 }
        next;
    }
    my $new = PostgreSQL::Test::Cluster->new($mode);
    $new->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8', checksums() ]);
    $mode eq 'dump' ? restore($new) : upgrade($new, $mode);
    same(fingerprint($new, $db, 'hr', 'with views'), $rows, "$mode: all rows of tables and views are the same");
    same(objects($new), $objects, "$mode: all objects are the same");
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
}

# Whether pg_dump of the new one, of which pg_upgrade makes use, reads any table of the old one
# so that the new one takes it: 18.6 writes a parameter (pg_attver) for 15.20's that it does not know.
sub plain_table_is_carried {
    my $new = PostgreSQL::Test::Cluster->new('plain');
    $new->init;
    $new->start;
    $old->safe_psql('postgres', 'CREATE DATABASE plain');
    $old->safe_psql('plain', 'CREATE TABLE plain (plain integer)');
    my ($script) = run_command([ 'pg_dump', '--dbname', $old->connstr('plain') ]);
    my ($status, $out, $err) = $new->psql('postgres', $script, on_error_stop => 1);
    $old->safe_psql('postgres', 'DROP DATABASE plain');
    $new->stop;
    note "a plain table is not carried: $err" if $status != 0;
    return $status == 0;
}

# Their definitions; from one version to another their names, as each prints expressions in its own way.
sub objects {
    my ($node) = @_;
    my $definitions = definitions($node, $db, 'hr');
    return $from eq $bindir ? $definitions : join "\n", $definitions =~ /^(-- Name: .*)/mg;
}

sub restore {
    my ($new) = @_;
    $new->start;
    # but for the superuser, who is there
    my (undef, $err) = run_command([ qw(psql --no-psqlrc --quiet --output /dev/null), '--dbname', $new->connstr('postgres'), '--file', $dump ]);
    is(join("\n", grep { /ERROR/ && !/role ".*" already exists/ } split /\n/, $err), '', 'dump: restored without an error');
    return;
}

sub upgrade {
    my ($new, $mode) = @_;
    $old->stop;
    # it leaves its files where it is run
    my $dir = PostgreSQL::Test::Utils::tempdir();
    my $home = Cwd::getcwd();
    chdir $dir;
    my ($out, $err) = run_command([ 'pg_upgrade', ($mode eq 'link' ? '--link' : ()), '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir,
        '--old-bindir', $from, '--new-bindir', $bindir, '--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port ]);
    chdir $home;
    like($out, qr/Upgrade Complete/, "pg_upgrade --$mode") or diag $out, $err;
    $new->start;
    $old->start if $mode eq 'copy';
    return;
}

# A new cluster must have checksums if the old one has, which from 18 on is what initdb does.
sub checksums {
    my ($version) = (run_command([qw(pg_config --version)]))[0] =~ /(\d+)/;
    return $version >= 18 && $old->safe_psql('postgres', 'SHOW data_checksums') eq 'off' ? '--no-data-checksums' : ();
}

done_testing();
