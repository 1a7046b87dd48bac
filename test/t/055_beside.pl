# Beside other extensions in the same backends: what they take and hook into leaves
# hrloop what it needs, and figures are the same as without them.
use strict;
use warnings;
use utf8;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

# What watches every statement, nested ones as well.
my $watch = <<~'CONF';
    compute_query_id = on
    track_functions = all
    auto_explain.log_min_duration = 0
    auto_explain.log_nested_statements = on
    auto_explain.log_analyze = on
    auto_explain.log_buffers = on
    auto_explain.log_triggers = on
    auto_explain.log_verbose = on
    auto_explain.log_settings = on
    pg_stat_statements.track = all
    pg_stat_statements.track_planning = on
    plpgsql_check.mode = 'every_start'
    pgaudit.log = 'all'
    cron.use_background_workers = on
    CONF
my $node = new_server(conf => $watch);

# Those that PostgreSQL brings, and those that are installed here.
my ($libraries) = run_command([ 'pg_config', '--pkglibdir' ]);
my @others = ('auto_explain', 'pg_stat_statements',
    grep { -e "$libraries/$_.so" } qw(pg_cron plpgsql_check pgaudit pg_stat_kcache pg_qualstats hypopg plugin_debugger));
note "beside @others";

my @alone = go_round('alone', '', '');
like(join("\n", @alone), qr/^salary\|[1-9]/m, 'there are figures to compare');

# The callbacks: ten places in a backend, of which somebody has six.
go_round('with six of ten callbacks taken', '', 'slots');

# In the postmaster, in a backend's first moment, or when it is first needed; planner
# and executor hooks before hrloop's and after.
my @in_postmaster = grep { !/^hypopg|^plugin_debugger/ } @others;
go_round('after others',  join(',', @in_postmaster, 'hrloop'), 'slots');
go_round('before others', join(',', 'hrloop', @in_postmaster), join ',', grep { /^hypopg/ } @others);
go_round('in each session', '', 'hrloop,auto_explain,slots');
go_round('when it is needed', join(',', @in_postmaster), 'auto_explain,slots');

done_testing();

# What a company's books hold after half a year, and what the demo prints, are what
# they are alone.
sub go_round {
    my ($how, $for_server, $for_session) = @_;
    $node->append_conf('postgresql.conf', <<~"CONF");
        shared_preload_libraries = '$for_server'
        session_preload_libraries = '$for_session'
        CONF
    $node->restart;
    my $db = new_database($node, 'shop');
    install_company($node, $db, 'hr');
    healthy($node, $db, 'hr', "$how: verify() finds nothing");
    my $figures = figures($node, $db, 'hr');
    $db = new_database($node, 'demo');
    my $went = IPC::Run::run [ qw(psql --no-psqlrc --username alice --dbname), $node->connstr($db),
        '--file', "$FindBin::RealBin/../demo.sql" ], '>', \my $story, '2>', \my $err;
    ok($went, "$how: the demo goes round") or diag $err;
    return ($figures, $story) if !@alone;
    same($figures, $alone[0], "$how: the same figures");
    same($story, $alone[1], "$how: the same story");
    return;
}
