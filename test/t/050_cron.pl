# The clock is wound by pg_cron: a job of the owner of the books calls run_due(), and
# what is due is done once, however many jobs there are (NOT-03).
use strict;
use warnings;
use utf8;

use Hrloop;
use Test::More;

my $node = new_server();
my $version = $node->safe_psql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = 'pg_cron'");
if ($version eq '') {
    plan skip_all => 'there is no pg_cron here (Debian: postgresql-NN-cron)';
}

my $db = new_database($node, 'shop');
$node->append_conf('postgresql.conf', <<~"CONF");
    shared_preload_libraries = 'pg_cron'
    cron.database_name = '$db'
    cron.use_background_workers = on
    CONF
$node->restart;
$node->safe_psql($db, 'CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO alice');
install_company($node, $db, 'hr');
as_alice($node, $db, q{SELECT hr.ask_question('如何评分?', 'E010', now() - interval '25 hours')});

my $overdue = q{SELECT count(*) FROM hr.notification WHERE kind = 'question.overdue'};
my $all = 'SELECT count(*) FROM hr.notification';
is(as_alice($node, $db, $overdue), 0, 'nobody has been told of the question yet');

# Twins: at the same moment the job runs twice.  Before 1.5 pg_cron knows minutes only.
my ($major, $minor) = $version =~ /^(\d+)\.(\d+)/;
my $by_seconds = $major > 1 || $minor >= 5;
my $schedule = $by_seconds ? '5 seconds' : '* * * * *';
as_alice($node, $db, "SELECT cron.schedule('$_', '$schedule', 'SELECT * FROM hr.run_due()')") for qw(due twin);
my $ran = q{SELECT count(DISTINCT jobid) = 2 FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')};
sleep($by_seconds ? 5 : 61 - time % 60);
ok($node->poll_query_until($db, $ran), 'pg_cron ran both jobs');
as_alice($node, $db, "SELECT cron.unschedule('$_')") for qw(due twin);

is(as_alice($node, $db, q{SELECT string_agg(DISTINCT username || ' ' || status, ', ') FROM cron.job_run_details WHERE status <> 'running'}),
    'alice succeeded', 'as the owner of the books, and they succeeded');
is(as_alice($node, $db, $overdue), 2, 'NOT-03: HR and the superior were told of the question by the job, once');
my $notices = as_alice($node, $db, $all);
is(as_alice($node, $db, 'SELECT sum(done) FROM hr.run_due()'), 0, 'NOT-03: nothing is left to do');
is(as_alice($node, $db, $all), $notices, 'and nobody is told again');
healthy($node, $db, 'hr', 'verify() finds nothing');

done_testing();
