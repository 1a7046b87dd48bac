# Who may write: what the engine alone writes is written by nobody else, whoever they are, whatever
# rights they have and by whatever kind of statement; verbs ask who acts, and what they are made of
# is nobody's to call (SEC-01).
use strict;
use warnings;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
as_alice($node, $db, 'SELECT hrloop.install(\'empty\')');
sub sql { my ($sql) = @_; return as_alice($node, $db, $sql) }
sub dba { my ($sql) = @_; return $node->safe_psql($db, $sql) }

# Logins, each with the rights of the company's roles and an employee.
my %login = (hr => 'E090', finance => 'E020', executive => 'E001', manager => 'E002', employee => 'E010', mentor => 'E030');
dba('ALTER ROLE alice CREATEROLE');
sql('SELECT count(*) FROM hr.create_roles()');
sql(qq{SET search_path = hr; INSERT INTO role_holder (role, employee_id) VALUES ('finance', find_employee('E020')), ('executive', find_employee('E001'))});
for my $role (sort keys %login) {
    dba("CREATE ROLE the_$role LOGIN IN ROLE hr_employee, hr_$role");
    sql("UPDATE hr.employee SET db_role = 'the_$role' WHERE employee_no = '$login{$role}'");
}

# ------------------------------------------------------------------ what is registered

is(sql(q{SELECT table_name FROM hr.table_rule WHERE kind IN ('consequence', 'log') AND verb IS NULL}), '',
    'each table of consequences and each log names the verb that leads to it');
is(sql(<<~'SQL'), '', 'which is a function that somebody may call');
    SELECT r.table_name, r.verb FROM hr.table_rule r
     WHERE r.verb IS NOT NULL AND NOT EXISTS (SELECT FROM hr.role_right x WHERE x.action = 'EXECUTE' AND split_part(x.object, '(', 1) = r.verb)
    SQL
is(sql('SELECT * FROM hr.guard_statement()'), '', 'and has its guard');
is(sql(<<~'SQL'), '', 'no role has a right to write it, but for the columns that people enter');
    SELECT x.role, x.object, x.action, x.columns FROM hr.role_right x JOIN hr.table_rule r ON r.table_name = x.object
     WHERE r.verb IS NOT NULL AND x.action <> 'SELECT' AND NOT (x.action = 'UPDATE' AND x.columns <@ r.entered) AND NOT (x.action = 'INSERT' AND r.kind = 'fact')
    SQL

# ------------------------------------------------------------------ who writes by hand

# Every kind of statement, for every table; facts are entered, but not edited.
my %facts = map { $_ => 1 } split /\n/, sql(q{SELECT table_name FROM hr.table_rule WHERE kind = 'fact' AND verb IS NOT NULL});
# What COPY reads ends at once.
sub statements {
    my ($table, $column) = @_;
    return grep { !$facts{$table} || !/\A(?:WITH w AS \()?INSERT|\ACOPY|THEN INSERT/ } (
        "INSERT INTO hr.$table DEFAULT VALUES;",
        "INSERT INTO hr.$table DEFAULT VALUES ON CONFLICT DO NOTHING;",
        "UPDATE hr.$table SET $column = $column;",
        "UPDATE hr.$table SET $column = $column WHERE false;",
        "DELETE FROM hr.$table;",
        "DELETE FROM hr.$table WHERE false RETURNING 1;",
        "TRUNCATE hr.$table CASCADE;",
        "COPY hr.$table FROM STDIN;\n\\.",
        "MERGE INTO hr.$table t USING (SELECT 1) s ON false WHEN NOT MATCHED THEN INSERT DEFAULT VALUES;",
        "MERGE INTO hr.$table t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE;",
        "WITH w AS (INSERT INTO hr.$table DEFAULT VALUES RETURNING 1) SELECT count(*) FROM w;",
        "DO \$\$BEGIN DELETE FROM hr.$table WHERE false; END\$\$;",
    );
}
my %tables = map { split /\|/ } split /\n/, sql(<<~'SQL');
    SELECT r.table_name, min(a.attname) FROM hr.table_rule r JOIN pg_attribute a ON a.attrelid = format('hr.%I', r.table_name)::regclass
     WHERE r.verb IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (r.entered) GROUP BY 1
    SQL
my %verbs = map { $_ => 1 } split /\n/, sql(q{SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'hr'::regnamespace});

# What a login is told, statement by statement: those that are not refused as they should be.
sub passed {
    my ($user, $hint) = @_;
    my ($script, @statements) = ("\\set VERBOSITY verbose\n");
    for my $table (sort keys %tables) {
        for my $statement (statements($table, $tables{$table})) {
            push @statements, $statement;
            $script .= "\\warn === $#statements\nBEGIN;\n$statement\nROLLBACK;\n";
        }
    }
    my (undef, undef, $err) = $node->psql($db, $script, on_error_stop => 0, extra_params => [ '--username', $user ]);
    my %told = $err =~ /^=== (\d+)\n(.*?)(?=^=== |\z)/msg;
    return map {
        my $told = $told{$_} // '';
        my ($verb) = $told =~ /^HINT:  .*?(\w+)\(\)/m;
        # PostgreSQL refuses COPY into a table with row policies before anything else
        $statements[$_] =~ /^COPY/ && $told =~ /ERROR:  0A000: / || $told =~ /ERROR:  42501: / && ($hint ? $told =~ /by the engine alone/ && $verbs{ $verb // '' } : 1)
            ? () : "$user: $statements[$_]\n$told"
    } 0 .. $#statements;
}
my $before = fingerprint($node, $db, 'hr');
is(join('', passed("the_$_", 0)), '', "$_ writes none of it") for sort keys %login;
is(join('', passed('alice', 1)), '', 'nor does the owner of the books, who is told which verb to call');
is(join('', passed($node->safe_psql('postgres', 'SELECT current_user'), 1)), '', 'nor a superuser');
dba("GRANT ALL ON ALL TABLES IN SCHEMA hr TO hr_employee; GRANT ALL ON ALL SEQUENCES IN SCHEMA hr TO hr_employee");
is(join('', passed("the_$_", 1)), '', "nor $_ with all rights on all tables") for sort keys %login;
dba('CREATE ROLE deputy LOGIN IN ROLE alice');
is(join('', passed('deputy', 1)), '', 'nor who has the rights of the owner');
same(fingerprint($node, $db, 'hr'), $before, 'and nothing was written');

# By a function of one's own, whoever it runs as.
dba('CREATE SCHEMA mine; GRANT CREATE, USAGE ON SCHEMA mine TO the_hr; GRANT USAGE ON SCHEMA mine TO alice');
$node->safe_psql($db, <<~'SQL', extra_params => [ '--username', 'the_hr' ]);
    CREATE FUNCTION mine.forge() RETURNS void SECURITY DEFINER LANGUAGE SQL AS 'DELETE FROM hr.salary WHERE false';
    CREATE FUNCTION mine.forged() RETURNS void LANGUAGE SQL AS 'DELETE FROM hr.salary WHERE false';
    SQL
refused($node, $db, 'SELECT mine.forge()', '42501', 'by the engine alone', 'nor by a function that runs as who made it', 'the_hr');
refused($node, $db, 'SELECT mine.forged()', '42501', 'by the engine alone', 'nor by one that the owner is made to call');
sql('SELECT hr.apply_rights()');

# ---------------------------------------------------------------------- who may write

# What hangs on a row goes with it, a table is rewritten, replicas and restores write what was written.
dba(q{ALTER TABLE hr.warning ADD COLUMN ours timestamptz DEFAULT clock_timestamp(); ALTER TABLE hr.warning DROP COLUMN ours});
dba(q{SET session_replication_role = replica; UPDATE hr.warning SET kind = kind});
is(sql('SELECT count(*) FROM hr.guard_statement()'), 0, 'a table that was rewritten is guarded');

# The owner lifts a guard, and is reminded of it.
is(sql(q{SELECT value FROM hr.health() WHERE code = 'guards'}), 'none', 'healthy books have all guards');
refused($node, $db, q{SELECT hr.lift_guards('{salary}')}, '42501', 'permission denied for function lift_guards', 'HR lifts none', 'the_hr');
refused($node, $db, q{SELECT hr.lift_guards('{salary,setting}')}, '22023', 'table "setting" has no guard', 'a table without one');
is(sql(q{SELECT hr.lift_guards('{salary,warning}')}), 2, 'the owner does');
is(sql(q{SELECT status, value FROM hr.health() WHERE code = 'guards'}), 'warn|salary, warning', 'health() says so');
is(sql(q{WITH u AS (UPDATE hr.salary SET amount = amount RETURNING 1) SELECT count(*) > 0 FROM u}), 't', 'writes by hand');
is(sql(q{SELECT hr.apply_guards()}), 2, 'and puts them back');
refused($node, $db, q{UPDATE hr.salary SET amount = amount}, '42501', 'by the engine alone', 'as it was');
is(sql(q{SELECT hr.lift_guards() = count(*) FROM pg_trigger WHERE tgname = 'a_guard' AND tgrelid::regclass::text LIKE 'hr.%'}), 't', 'or all');
is(sql(q{SELECT hr.apply_guards() > 20}), 't', 'and all of them back');
is(sql(q{UPDATE hr.table_rule SET verb = NULL WHERE table_name = 'hr_task'; SELECT hr.apply_guards(); SELECT value FROM hr.health() WHERE code = 'guards'}), "1\nhr_task", 'or for good');
is(sql(q{UPDATE hr.table_rule SET verb = 'close_talk', entered = '{done_on}' WHERE table_name = 'hr_task'; SELECT hr.apply_guards()}), 1, 'with another verb, and a column that people enter');
sql(q{UPDATE hr.hr_task SET done_on = done_on});
refused($node, $db, q{UPDATE hr.hr_task SET done_on = done_on, status = 'done'}, '42501', 'by the engine alone', 'that column alone');
is(sql(q{UPDATE hr.table_rule SET entered = '{}' WHERE table_name = 'hr_task'; SELECT hr.apply_guards(); SELECT hr.apply_guards()}), "1\n0", 'and back');

# -------------------------------------------------------------------- who calls what

is(sql(<<~'SQL'), '', 'nobody may call what writes in the rights of its caller, or makes others wait');
    SELECT r.role, r.object FROM hr.role_right r
     WHERE r.action = 'EXECUTE' AND (r.object IN (SELECT w.function FROM hr.writes_as_caller w) OR r.object LIKE 'hold\_%')
    SQL
# a function that is not found by its text: C, or one that puts statements together
is(sql(<<~'SQL'), '', 'and what they may call does not need it');
    SET search_path = hr, public; SELECT r.role, r.object, q.oid::regprocedure FROM hr.role_right r
      JOIN hr.right_object o ON o.object = r.object AND o.kind = 'function' JOIN pg_proc p ON p.oid = o.oid AND NOT p.prosecdef
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
      JOIN pg_proc q ON q.oid = d.refobjid AND q.pronamespace = 'hr'::regnamespace
     WHERE r.action = 'EXECUTE' AND r.role <> 'bi'
       AND NOT EXISTS (SELECT FROM hr.role_right x WHERE x.role = r.role AND x.object = format('%s(%s)', q.proname, oidvectortypes(q.proargtypes)))
    SQL
is(sql(<<~'SQL'), '', 'what runs as the owner has its own search_path');
    SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'hr'::regnamespace AND p.prosecdef
       AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%')
    SQL
sql(<<~'SQL');
    SET search_path = empty;
    CREATE FUNCTION hasty(review bigint) RETURNS void LANGUAGE SQL BEGIN ATOMIC UPDATE review r SET status = 'locked' WHERE r.review_id = hasty.review; END;
    CREATE FUNCTION hastier() RETURNS void LANGUAGE SQL BEGIN ATOMIC SELECT hasty(r.review_id) FROM review r; END;
    SQL
is(sql(q{SELECT function, tables FROM empty.writes_as_caller WHERE function ~ '^hast'  ORDER BY 1}), "hastier()|{review}\nhasty(bigint)|{review}", 'a verb that forgot it is found, through others too');

# Verbs that run as the owner let nobody do more: who is nobody, does not see the person, or is the person.
dba('CREATE ROLE stranger LOGIN IN ROLE hr_employee, hr_manager, hr_hr, hr_finance, hr_executive');
my ($someone, $cycle) = split /\|/, sql(q{SELECT e.employee_no, c.code FROM hr.review r JOIN hr.employee e USING (employee_id) JOIN hr.review_cycle c USING (cycle_id) WHERE r.status = 'locked' ORDER BY 1, 2 LIMIT 1});
for my $call (
    "lock_review('$cycle', '$someone')", "unlock_review('$cycle', '$someone', 'x1')", "open_cycle('$cycle')", "lock_cycle('$cycle')", "unblock_reviews('$cycle')",
    "exempt_review('$cycle', '$someone', 'x1')", "rate_review('$cycle', '$someone', 'x1')", "waive_gate('$cycle', '$someone', 'x1')", "disclose_result('$cycle', '$someone')",
    "disclose_cycle('$cycle')", "decide_appeal('$cycle', '$someone', false, 'x1')", "score_initial('$cycle')", "close_month(NULL, '2023-01-01')", "close_talk('$cycle', '$someone', 'x1')",
    "remind_unfinished('$cycle')", "start_mentoring('E010', 'E011', 'x1', '{x1}', '2023-01-01', '2023-02-01')", "set_salary('$someone', 9000, '2024-01-01')",
    "approve_adjustment('$cycle', '$someone')", "reject_adjustment('$cycle', '$someone', 'x1')", "apply_adjustment('$cycle', '$someone')", "apply_cycle('$cycle')", "approve_cycle('$cycle')",
    'acknowledge_feed(\'{1}\')', "apply_results('$cycle')", "decide_promotion('$cycle', '$someone', true, 'x1')", "sign_stage('$cycle', 'scheme')", "reopen_cycle('$cycle', 'x1')", 'run_due()', 'verify_for()',
    "add_plan_item('$cycle', '$someone', 'x1')", "record_session('$cycle', '$someone', '2023-05-01', 'x1')", "record_progress('$cycle', '$someone', 1, 50)", "reweight_cycle('$cycle', 'SALES', 'x1')",
    "reverse_certification('$someone', '初级销售', 'x1')", 'mark_read(1)', "delegate_role('E010', 'hr', '2023-01-01', '2023-02-01', 'x1', 'E090')", 'reapply_erasures()', "handle_warning(1, 'x1')",
    "explain_deviation('$cycle', '$someone', 'x1')", "confirm_plan('$cycle', '$someone')") {
    refused($node, $db, "SET search_path = hr, public; SELECT $call", '42501', '.', "a login that is nobody: $call", 'stranger');
}
# E010 sees herself alone; with the rights of all roles she is still E010
dba('GRANT hr_manager, hr_hr, hr_finance, hr_executive TO the_employee');
for my $call (
    "lock_review('$cycle', '%s')", "unlock_review('$cycle', '%s', 'x1')", "set_salary('%s', 9000, '2024-01-01')", "approve_adjustment('$cycle', '%s')", "reject_adjustment('$cycle', '%s', 'x1')",
    "apply_adjustment('$cycle', '%s')", "decide_promotion('$cycle', '%s', true, 'x1')", "decide_appeal('$cycle', '%s', false, 'x1')", "exempt_review('$cycle', '%s', 'x1')", "rate_review('$cycle', '%s', 'x1')",
    "waive_gate('$cycle', '%s', 'x1')", "disclose_result('$cycle', '%s')", "close_talk('$cycle', '%s', 'x1')", "reverse_certification('%s', '初级销售', 'x1')") {
    refused($node, $db, 'SET search_path = hr, public; SELECT ' . sprintf($call, $_), '42501', '.', "with every right, a colleague or oneself: " . sprintf($call, $_), 'the_employee') for 'E011', 'E010';
}
# Written directly, facts obey the same: nobody decides for themselves.
for my $direct (
    [ the_hr => q{INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E090'), 90000, '[1999-01-01,1999-02-01)')}, 'salary_own', 'their pay' ],
    [ the_hr => q{INSERT INTO salary (employee_id, amount, valid) VALUES (find_employee('E010'), 90000, '[1999-01-01,1999-02-01)')}, 'salary_decided', 'pay without a decision' ],
    [ the_hr => q{INSERT INTO certification_result (employee_id, certification_id, achieved_on) VALUES (find_employee('E090'), find_certification('初级销售'), '2024-01-01')}, 'certification_result_own', 'their level' ],
    [ the_hr => q{INSERT INTO suggestion (employee_id, suggestion, status) VALUES (find_employee('E090'), 'tea', 'accepted')}, 'suggestion_decided', 'their suggestion' ],
    [ the_hr => q{INSERT INTO suggestion (employee_id, suggestion, status, decision_id) SELECT find_employee('E090'), 'tea', 'accepted', max(decision_id) FROM decision}, 'suggestion_decided', 'their suggestion, by another decision' ],
    [ the_employee => q{INSERT INTO suggestion (employee_id, suggestion, status) VALUES (find_employee('E010'), 'tea', 'accepted')}, 'suggestion_decided', 'their suggestion, as an employee' ],
    [ the_hr => q{INSERT INTO development_request (employee_id, resource_id, status, decided_by) SELECT find_employee('E090'), min(resource_id), 'approved', find_employee('E001') FROM resource}, 'development_request_decider', 'their request, in the name of another' ],
    [ the_hr => q{INSERT INTO review_gate (cycle_id, employee_id, reason, waived_because) SELECT max(cycle_id), find_employee('E090'), 'x1', 'x2' FROM review_cycle}, 'review_gate_own', 'their gate' ],
    [ the_hr => q{INSERT INTO role_holder (role, employee_id) VALUES ('executive', find_employee('E090'))}, 'role_holder_own', 'a role' ],
    [ the_hr => q{UPDATE employee SET db_role = NULL WHERE employee_no = 'E090'}, 'employee_login\w*', 'their login, to nobody' ],
    [ the_hr => q{UPDATE employee SET db_role = 'the_hr' WHERE employee_no = 'E011'}, 'employee_login\w*|employee_db_role\w*', 'their login, to somebody else' ]) {
    my ($user, $sql, $constraint, $what) = @$direct;
    refused($node, $db, "SET search_path = hr, public; $sql", '(?:42501|23505)', "CONSTRAINT NAME:  (?:$constraint)", "nobody decides about themselves: $what", $user);
}
# Who has left holds no role, whatever the rows say, and hands on none.
sql(q{SET search_path = hr; SELECT count(hire('E095', '临时人事', 'GROUP', 'HRBP', '2019-01-01')); INSERT INTO role_holder (role, employee_id) VALUES ('hr', find_employee('E095'));
      UPDATE employee SET db_role = 'the_leaver' WHERE employee_no = 'E095'});
dba('CREATE ROLE the_leaver LOGIN IN ROLE hr_employee, hr_hr');
my $hr_today = q{SET search_path = hr, public; SELECT holds_role('hr', find_employee('E095')), holds_role('hr', actor()), (SELECT count(*) > 1 FROM review), (SELECT count(*) FROM delegation)};
sub leaver { my ($sql) = @_; return scalar $node->safe_psql($db, $sql, extra_params => [ '--username' => 'the_leaver' ]) }
is(leaver($hr_today), 't|t|t|0', 'who is there holds a role');
is(leaver(q{SET search_path = hr, public; SELECT delegate_role('E011', 'hr', current_date, current_date + 9, 'on leave') > 0}), 't', 'and hands it on');
my $handed = q{SELECT hr.holds_role('hr', hr.find_employee('E011')), (SELECT count(*) FROM hr.authority(hr.find_employee('E011'), '{hr}'))};
is(sql($handed), 't|1', 'whose delegate has it');
sql(q{SET search_path = hr; SELECT leave('E095', current_date)});
is(leaver($hr_today), 'f|f|f|1', 'who has left holds none');
is(sql($handed), 'f|0', 'nor does the delegate of who has left');
refused($node, $db, q{SET search_path = hr, public; SELECT delegate_role('E021', 'hr', current_date, current_date + 9, 'gone')}, '42501', 'delegation_', 'who has left hands on nothing', 'the_leaver');

healthy($node, $db, 'hr', 'verify() finds nothing');

done_testing();
