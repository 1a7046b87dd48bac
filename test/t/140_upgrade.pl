# From this version to the next and the one after.  There is no next version yet, so
# this test makes one: a copy of the sources with another number and a few changes of
# each kind (a column, a view, a function, a policy, texts and settings, a room), and the
# scripts that lead there, as a developer would write them.  Who upgraded has what who
# installs has; nothing that was changed by hand is lost; and between the day on which
# the package manager replaces the library and hrloop.migrate() nothing goes wrong quietly.
use strict;
use warnings;
use utf8;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $checkout = "$FindBin::RealBin/../..";
my ($now) = slurp_file("$checkout/hrloop.control") =~ /^default_version = '(.*)'/m;
my ($major, $minor) = $now =~ /^(\d+)\.(\d+)/;
my $next = sprintf '%d.%d.0', $major, $minor + 1;
my $later = sprintf '%d.%d.0', $major, $minor + 2;

my $place = private_installation();
my $node = new_server(install_path => $place);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
$node->safe_psql('postgres', 'CREATE ROLE bob LOGIN IN ROLE alice; CREATE ROLE zhang LOGIN; CREATE ROLE carol LOGIN');

# ------------------------------------------------------------ what there is before

# A company, another one that nobody has touched, and a database with the engine alone.
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
as_alice($node, $db, q{SELECT hrloop.install('hr2'); SELECT hrloop.install('hr3')});
as_alice($node, $db, <<~'SQL');
    GRANT USAGE ON SCHEMA hr TO zhang, carol;
    GRANT SELECT ON ALL TABLES IN SCHEMA hr TO zhang;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hr TO zhang;
    REVOKE EXECUTE ON FUNCTION hr.act_as FROM zhang;
    UPDATE hr.employee SET db_role = 'zhang' WHERE employee_no = 'E010';
    SQL
as_alice($node, new_database($node, 'engine'), 'CREATE EXTENSION hrloop CASCADE');

# What a DBA adds, and what the company has changed.
as_alice($node, $db, <<~'SQL');
    ALTER TABLE hr.job ADD COLUMN "our badge" text DEFAULT '?';
    CREATE INDEX our_index ON hr.employee (hired_on);
    CREATE POLICY our_policy ON hr.employee AS RESTRICTIVE FOR SELECT USING (name <> 'nobody');
    CREATE FUNCTION hr.our_function() RETURNS integer LANGUAGE SQL RETURN 7;
    CREATE FUNCTION hr.our_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    SELECT hr.apply_rights();    -- new functions are everybody's until rights are applied
    CREATE TRIGGER our_trigger BEFORE INSERT ON hr.job FOR EACH ROW EXECUTE FUNCTION hr.our_trigger();
    CREATE VIEW hr.our_view AS SELECT * FROM hr.scale_gap;
    CREATE SCHEMA ours;
    CREATE VIEW ours.view AS SELECT employee_no, hr.setting_on('plan.on_missed') FROM hr.employee;
    CREATE PUBLICATION our_publication FOR TABLE hr.employee, hr.job;
    SELECT hr.set_setting('plan.max_items', '5');
    UPDATE hr.message_text SET body = 'No raise, {old} yuan stay' WHERE kind = 'pay.no_raise' AND locale = 'en';
    UPDATE hr.table_rule SET reads = 'true' WHERE table_name = 'question';
    SELECT hr.create_scale('RAISE', 'raise', '[{"range": "[0,90)", "value": 0}, {"range": "[90,101)", "value": 4}]', 'ours');
    SQL
my $ours = <<~'SQL';
    SELECT count(*) FROM hr.job WHERE "our badge" = '?';
    SELECT indexdef FROM pg_indexes WHERE indexname = 'our_index';
    SELECT count(*) FROM pg_policies WHERE policyname = 'our_policy';
    SELECT tgenabled FROM pg_trigger WHERE tgname = 'our_trigger';
    SELECT count(*) FROM hr.our_view; SELECT count(*) FROM ours.view;
    SELECT pg_get_viewdef('hr.our_view'::regclass), pg_get_viewdef('ours.view'::regclass);
    SELECT prattrs, prrelid::regclass FROM pg_publication_rel ORDER BY prrelid::regclass::text;
    SELECT proacl FROM pg_proc WHERE proname = 'our_function';
    SELECT nspacl FROM pg_namespace WHERE nspname = 'hr';
    SELECT proacl FROM pg_proc WHERE oid = 'hr.submit_score'::regproc;
    SELECT value FROM hr.setting WHERE setting = 'plan.max_items';
    SELECT body FROM hr.message_text WHERE kind = 'pay.no_raise' AND locale = 'en';
    SELECT reads FROM hr.table_rule WHERE table_name = 'question';
    SELECT qual FROM pg_policies WHERE schemaname = 'hr' AND tablename = 'question' AND cmd = 'SELECT';
    SELECT hr.find_scale('RAISE'), b.range, b.value FROM hr.band b WHERE b.scale_id = hr.find_scale('RAISE') ORDER BY 2;
    SQL
my $ours_before = as_alice($node, $db, $ours);
my %rows_before = rows($db, 'hr');
my %answers = answers();
isnt($answers{$_}, '', "there is an answer to $_") for questions();
my $decisions = as_alice($node, $db, 'SELECT count(*) FROM hr.decision');

my $dir = PostgreSQL::Test::Utils::tempdir();
run_command([ 'pg_dump', '--format=custom', '--exclude-schema=hr3', '--file', "$dir/old", '--dbname', $node->connstr($db) ]);
run_command([ 'pg_dump', '--data-only', '--schema=hr2', '--file', "$dir/data", '--dbname', $node->connstr($db) ]);

# Two sessions that were there before the package manager came.
my ($old, $older) = (session($node, $db), session($node, $db));
is(ask($_, 'SELECT hrloop.version(), hr.actor() IS NULL'), "$now|t", "a session with the library $now") for $old, $older;

# ------------------------------------------------------- the library is replaced

build_next();
is(as_alice($node, $db, q{SELECT hrloop.version(), extversion FROM pg_extension WHERE extname = 'hrloop'}), "$next|$now",
    'a new library over the engine and the books of the version before');
is_deeply({ answers() }, \%answers, 'everybody reads what they read before');
healthy($node, $db, 'hr', 'and verify() finds nothing');
my $hint = "HINT:  Run ALTER EXTENSION hrloop UPDATE, then SELECT hrloop.migrate\\('hr'\\)";
my $score = q{SELECT hr.submit_score('N1', 'E010', '客户满意度', 80, 'seen')};
my $write = q{SELECT hr.set_setting('rationale.min_chars', '2')};
refused($node, $db, $write, '55000', qq{books "hr" are of version $now, the library is $next.*$hint}, 'writing is refused, and says what to do');
refused($node, $db, q{SELECT hrloop.migrate('hr')}, '55000', qq{extension hrloop is of version $now.*HINT:  Run ALTER EXTENSION hrloop UPDATE first},
    'migrate() waits for ALTER EXTENSION UPDATE');
refused($node, $db, q{SELECT hrloop.install('hr4')}, '55000', 'Run ALTER EXTENSION hrloop UPDATE first', 'and so does install()');
is(ask($old, qq{BEGIN; $write; ROLLBACK}), '2', 'sessions that were there work on');

# ----------------------------------------------------------------- ALTER EXTENSION

as_alice($node, $_, 'ALTER EXTENSION hrloop UPDATE') for $db, 'engine';
as_alice($node, new_database($node, 'fresh'), q{CREATE EXTENSION hrloop CASCADE});
same(members('engine'), members('fresh'), "the engine is what it is in a new database: $next");
is(as_alice($node, 'engine', 'SELECT hrloop.next_one(41)'), '42', 'and calls what only the new library has');
is(as_alice($node, $db, 'SELECT schema, version, needs_migration FROM hrloop.books'),
    join("\n", map { "$_|$now|t" } qw(hr hr2 hr3)), 'hrloop.books says who needs a migration');
is_deeply({ answers() }, \%answers, 'everybody reads');
refused($node, $db, $write, '55000', $hint, 'and still not writing');

# ------------------------------------------------------------------------ migrate

as_alice($node, 'fresh', q{SELECT hrloop.install('hr2')});
like(stderr_of($db, q{SELECT hrloop.migrate('hr2')}), qr/NOTICE:  migrating books "hr2" from version \Q$now to $next\E$/m, 'migrate() says what it does');
same(definitions($node, $db, 'hr2'), definitions($node, 'fresh', 'hr2'), 'migrated books have the objects of new ones');
my %fresh = rows('fresh', 'hr2');
my %migrated = rows($db, 'hr2');
same(join("\n", map { "$_: $migrated{$_}" } sort keys %migrated), join("\n", map { "$_: $fresh{$_}" } sort keys %fresh), 'and their rules');
healthy($node, $db, 'hr2', 'verify() finds nothing');
is(as_alice($node, $db, q{SELECT * FROM hr2.visibility_problem; SELECT * FROM hr2.privacy_gap}), '', 'nothing new is left unguarded');
is(as_alice($node, $db, q{SELECT hr2.add_unit('GROUP', '集团', 'company') > 0}), 't', 'they can be written');
refused($node, $db, $write, '55000', $hint, 'those of another company wait for theirs');

# A transaction as any other.
refused($node, $db, "BEGIN; SELECT hrloop.migrate('hr'); SELECT hr.set_setting('plan.max_items', '6'); ROLLBACK; $write", '55000', $hint,
    'what was migrated and rolled back, was not');
is(as_alice($node, $db, q{SELECT schema FROM hrloop.books WHERE needs_migration}), "hr\nhr3", 'nor do the books say so');

# Who may: the owner, and members of it, whoever they are.
refused($node, $db, q{SELECT hrloop.migrate('hr')}, '42501', 'belongs to somebody else', 'carol is refused', 'carol');
refused($node, $db, q{SELECT hrloop.migrate('hr')}, '42501', 'belongs to somebody else', 'the superuser is refused', $superuser);
is($node->safe_psql($db, q{SELECT hrloop.migrate('hr')}, extra_params => [ '--username' => 'bob' ]), qq{books "hr" are of version $next}, 'bob, a member of alice, may');
is(as_alice($node, $db, <<~'SQL'), 'alice', 'and all belongs to alice');
    SELECT DISTINCT o::regrole FROM (SELECT relowner FROM pg_class WHERE relnamespace = 'hr'::regnamespace
      UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'hr'::regnamespace) AS w (o)
    SQL

# Two at once: the second waits, and finds it done.
my @two = (session($node, $db), session($node, $db));
ask($two[0], q{BEGIN; SELECT hrloop.migrate('hr3')});
$two[1]{in} .= "SELECT hrloop.migrate('hr3'), 'second';\n";
$two[1]{run}->pump_nb;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'});
ask($two[0], 'COMMIT');
is(ask($two[1], 'SELECT'), qq{books "hr3" are of version $next|second}, 'of two who migrate the same books the second finds it done');
like($two[0]{err}, qr/\A.*NOTICE:  migrating.*\n\z/, 'the first told what it did');
is($two[1]{err}, '', 'the second had nothing to do');

# A session with the library of before must not touch what it does not know.
ask($old, $write);
like($old->{err}, qr/ERROR:  books "hr" are of version \Q$next, the library is $now\E.*HINT:  Connect again/s, 'a session from before is refused, and told why');
ask($older, 'SELECT hr.actor()');
like($older->{err}, qr/ERROR:  books "hr" are of version \Q$next, the library is $now\E/, 'reading as well');

# -------------------------------------------------------- what came of the company

is(as_alice($node, $db, $ours), $ours_before, 'what the DBA added and what the company changed is as it was');
my %rows_after = rows($db, 'hr');
my %changed = map { $_ => 1 } grep { $rows_before{$_} ne ($rows_after{$_} // '') } keys %rows_before;
is(join(' ', sort keys %changed), 'book erasure_rule follow job message_text role_right setting table_rule', 'no other row was touched');
is(as_alice($node, $db, 'SELECT count(*) FROM hr.decision'), $decisions, 'nothing was computed again');
is(as_alice($node, $db, q{SELECT string_agg(DISTINCT t.table_name || ' ' || t.action, ', ') FROM hr.audit_trail t WHERE t.row_key LIKE '%hobby%' OR t.after::text LIKE '%hobby%'}),
    'follow insert, role_right insert, setting insert, table_rule insert', 'the audit log has what the migration changed in rules');
is_deeply({ answers() }, \%answers, 'everybody reads what they read before');
healthy($node, $db, 'hr', 'verify() finds nothing');
is(as_alice($node, $db, q{SELECT setting, value, default_value FROM hr.setting WHERE setting IN ('plan.max_items', 'hobby.longest') ORDER BY 1}),
    "hobby.longest|20|20\nplan.max_items|5|9", 'a new default replaces the old one, not a choice');
refused($node, $db, q{INSERT INTO hr.hobby (employee_id, name) VALUES (hr.find_employee('E010'), repeat('x', 21))}, '22023', 'too long', 'the new rule holds');
as_alice($node, $db, "SELECT hr.create_cycle('N1', '2024-01-01', '2024-03-31', 'SALES'), hr.open_cycle('N1'); $score");
healthy($node, $db, 'hr', 'the loop goes on');
my ($definitions, %rows) = (definitions($node, $db, 'hr'), rows($db, 'hr'));
is(stderr_of($db, q{SELECT hrloop.migrate('hr')}), '', 'migrated once more: nothing to do');
same(definitions($node, $db, 'hr'), $definitions, 'nor was anything done');

# ------------------------------------------ backups of before, and two versions at once

# A dump of before, into a server that has moved on.
new_database($node, 'restored');
run_command([ 'pg_restore', '--exit-on-error', '--username', 'alice', '--dbname', $node->connstr('restored'), "$dir/old" ]);
is(as_alice($node, 'restored', q{SELECT version, needs_migration FROM hrloop.books WHERE schema = 'hr'}), "$now|t", 'an old dump is restored, and to be migrated');
refused($node, 'restored', $write, '55000', $hint, 'until then it is not written');
as_alice($node, new_database($node, 'part'), q{CREATE EXTENSION hrloop CASCADE; SELECT hrloop.install('hr2'); SELECT hrloop.pre_restore('hr2')});
run_command([ 'psql', '--no-psqlrc', '--quiet', '--username', 'alice', '--output', '/dev/null', '--dbname', $node->connstr('part'), '--file', "$dir/data" ]);
refused($node, 'part', q{SELECT hrloop.post_restore('hr2')}, '55000', "rows of version $now were restored into books of version $next",
    'old data alone does not go into new books');

build_later();
my $before = whole('restored');
as_alice($node, 'restored', 'ALTER EXTENSION hrloop UPDATE');
refused($node, 'restored', q{SELECT hrloop.migrate('hr')}, '22012', qq{division by zero.*CONTEXT:.*line 2 of hrloop-books--$next--$later.sql}, 'a step that fails says where');
same(whole('restored'), $before, 'and leaves the version of before whole');
write_later('');
like(stderr_of('restored', q{SELECT hrloop.migrate('hr')}), qr/from version \Q$now to $next\E\n.*from version \Q$next to $later\E\n?\z/, 'two steps in one go, and no way that leads nowhere');
is(as_alice($node, 'restored', $ours), $ours_before, 'what the DBA added is there');
healthy($node, 'restored', 'hr', 'verify() finds nothing');
as_alice($node, 'restored', q{SELECT hrloop.migrate('hr2')});
as_alice($node, 'engine', 'ALTER EXTENSION hrloop UPDATE');
as_alice($node, new_database($node, 'fresh'), 'CREATE EXTENSION hrloop CASCADE');
same(members('engine'), members('fresh'), "the engine of $now ends where a new one begins");
as_alice($node, 'fresh', q{SELECT hrloop.install('hr2')});
same(definitions($node, 'restored', 'hr2'), definitions($node, 'fresh', 'hr2'), 'and so do the books');

# Books that come from the future.
$node->safe_psql('fresh', q{UPDATE hr2.book SET version = '99.0.0'});
refused($node, 'fresh', q{SELECT hr2.actor()}, '55000', 'the library is .*install hrloop 99.0.0', 'books of a later version are not read');
refused($node, 'fresh', q{SELECT hrloop.migrate('hr2')}, '0A000', 'no way from version 99.0.0 of the books', 'and there is no way back');
is(as_alice($node, 'fresh', q{SELECT needs_migration FROM hrloop.books}), 'f', 'no migration would help them');

for my $session ($old, $older, @two) {
    $session->{in} .= "\\q\n";
    $session->{run}->finish;
}
done_testing();

# ---------------------------------------------------------------------------- helpers

# What must be answered whatever the state of an upgrade, by whom it is asked.
sub questions {
    return (
        'SELECT count(*) FROM hr.review',
        q{SELECT string_agg(x::text, chr(10)) FROM hr.explain_score('2023Q2', 'E003') x},
        q{SELECT string_agg(x::text, chr(10)) FROM hr.explain_pay('E010') x},
        q{BEGIN; SELECT hr.act_as('E003') > 0; SELECT string_agg(x::text, chr(10)) FROM hr.explain_score('2023Q2', 'E010') x; COMMIT},
        q{SELECT count(*), min(employee_no) FROM hr.employee; SELECT count(*) FROM hr.my_reviews},
    );
}

sub answers {
    return map { $_ => $node->safe_psql($db, $_, extra_params => [ '--username', /my_reviews/ ? 'zhang' : 'alice' ]) } questions();
}

# Objects and rows of the company; sequences are never rolled back.
sub whole {
    my ($database) = @_;
    return join "\n", definitions($node, $database, 'hr'), grep { !/_seq\|/ } split /\n/, fingerprint($node, $database, 'hr');
}

sub stderr_of {
    my ($database, $sql) = @_;
    my ($code, $out, $err) = $node->psql($database, $sql, extra_params => [ '--username' => 'alice' ]);
    return $err;
}

# The members of the extension, with all there is to know about them.
sub members {
    my ($database) = @_;
    my ($dump) = run_command([ qw(pg_dump --binary-upgrade --schema-only), '--dbname', $node->connstr($database) ]);
    # keys of the catalogs, which differ from database to database
    return join "\n", grep { !/^\\(un)?restrict |binary_upgrade_set_next_|^-- For binary upgrade/ } split /\n/, $dump;
}

# Table => its rows as text, in order, without keys that a sequence gave, and without
# what tells when; audited, so the log is left out.
sub rows {
    my ($database, $schema) = @_;
    my $rows = $node->safe_psql($database, <<~"SQL");
        SELECT format('SELECT %L, string_agg(r, %L ORDER BY r COLLATE "C") FROM (SELECT (to_jsonb(t) - %L::text[])::text AS r FROM %I.%I t) s',
               c.relname, '; ', coalesce((SELECT array_agg(a.attname) FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND (a.attidentity <> '' OR a.attname = 'installed_at')), '{}'), '$schema', c.relname)
        FROM pg_class c WHERE c.relnamespace = '$schema'::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE 'audit\\_%y' AND c.relname <> 'audit_lane'
        ORDER BY c.relname
        \\gexec
        SQL
    return map { split /\|/, $_, 2 } split /\n/, $rows;
}

# Replaces the first place of each text in a file of the copied sources.
sub edit {
    my ($file, @edits) = @_;
    my $path = "$ENV{DESTDIR}/source/$file";
    my $text = slurp_file($path);
    while (my ($what, $by) = splice @edits, 0, 2) {
        # blanks that align are no change
        my $pattern = join '\s+', map { quotemeta } split /\s+/, $what;
        $text =~ s/$pattern/$by/ or die "$file has no '$what' any more: change this test";
    }
    write_file($path, $text);
    return;
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    utf8::encode($text) if utf8::is_utf8($text);
    print $file $text;
    close $file or die "$path: $!";
    return;
}

sub install {
    delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
    run_command([ 'make', '-s', '-C', "$ENV{DESTDIR}/source", 'with_llvm=no', 'PG_CFLAGS=-O0', 'install' ]);
    ok($? == 0, 'the next version is installed') or BAIL_OUT('make install');
    return;
}

# The sources of the next version, and the scripts that lead there.
sub build_next {
    my $source = "$ENV{DESTDIR}/source";
    system_or_bail('mkdir', '-p', "$source");
    system_or_bail('cp', '-a', "$checkout/$_", $source) for qw(src Makefile exports.txt hrloop.control);
    # all that Makefile takes from there
    system_or_bail('mkdir', "$source/test");
    system_or_bail('cp', '-a', "$checkout/test/pg_config", "$source/test");
    system_or_bail('mkdir', '-p', "$source/src/upgrade");
    edit('hrloop.control', "'$now'", "'$next'");
    edit('Makefile', 'health access', 'health access hobby');

    # what is changed, as new books have it
    my $max_items = q{('plan.max_items',              'integer', '};
    my $no_raise = 'Your quarterly score of {score} does not meet the condition for a raise';
    my $on = 'coalesce(setting_text(setting)::boolean, false)';
    my $hint = 'A correction is a new decision; see unlock_review() and the withdraw functions.';
    my $range = q{WHEN 'boolean' THEN value IN ('true', 'false')};
    my $gap = 'SELECT s.scale_id, s.code, s.version, s.kind, gap, gap::text AS gap_text';
    my $asked = '(SELECT hrloop.actor(\'book\'::regclass)) IN (replier_id, answered_by)';
    edit('src/books/books.sql', $max_items . '8', $max_items . '9', $on, "setting_text(setting) IS NOT DISTINCT FROM 'true'", $hint, 'Never.', $range, "$range AND value <> default_value || '.'",
        'IS \'Whether a switch is on.\'', 'IS \'Whether a switch is on (a new comment).\'');
    edit('src/books/org.sql', "  job_family text\n);", "  job_family text,\n  outlook    text NOT NULL DEFAULT 'stable'\n);\nCOMMENT ON COLUMN job.outlook IS 'What becomes of it.';");
    edit('src/books/signal.sql', $no_raise, 'No raise at {score}');
    edit('src/books/indicator.sql', $gap, "$gap, upper(gap) - lower(gap) AS width", "COMMENT ON COLUMN scale_gap.gap IS", "COMMENT ON COLUMN scale_gap.width IS 'How wide.';\nCOMMENT ON COLUMN scale_gap.gap IS");
    edit('src/books/learn/table.sql', $asked, "answered_by = (SELECT hrloop.actor('book'::regclass))");
    # a room of its own reads the same in new books and in old ones
    write_file("$source/src/books/hobby.sql", my $hobby = <<~'SQL');
        CREATE TABLE hobby (
          hobby_id    bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
          employee_id bigint NOT NULL REFERENCES employee,
          name        text   NOT NULL
        );
        CREATE INDEX hobby_employee ON hobby (employee_id);
        COMMENT ON TABLE hobby IS 'What people like.';
        COMMENT ON COLUMN hobby.hobby_id IS 'Key.';
        COMMENT ON COLUMN hobby.employee_id IS 'Who.';
        COMMENT ON COLUMN hobby.name IS 'What.';
        CREATE FUNCTION check_hobby(hobbies bigint[]) RETURNS SETOF hrloop.problem STABLE LANGUAGE SQL
        BEGIN ATOMIC
          SELECT '22023', 'a name of ' || hrloop.next_one(length(h.name)) - 1 || ' characters is too long', NULL::text, NULL::text, 'hobby', 'name', NULL::text
            FROM hobby h WHERE h.hobby_id = ANY (hobbies) AND length(h.name) > setting_number('hobby.longest');
        END;
        COMMENT ON FUNCTION check_hobby(bigint[]) IS 'Names of hobbies are short.';
        SELECT register_follow('hobby', '{insert}', 200, 'check_hobby', key => 'hobby_id');
        INSERT INTO setting (setting, kind, value, default_value, comment) VALUES ('hobby.longest', 'integer', '20', '20', 'Longest name of a hobby');
        INSERT INTO message_text (kind, locale, body) VALUES ('hobby.new', 'en', 'A new hobby: {name}'), ('hobby.new', 'zh', '新爱好:{name}');
        SELECT register_table('hobby', kind => 'fact', sees => 'person', about => 'employee_id', audit => '{insert,update,delete}', because => 'about a person',
          texts => '{"name": {"action": "blank", "leaves": "-", "because": "nobody else''s business"}}');
        INSERT INTO role_right (role, object, action) VALUES ('hr', 'check_hobby(bigint[])', 'EXECUTE');
        SELECT apply_tables();
        SQL
    edit('src/engine/engine.sql', "IS 'Version of the loaded library.'", "IS 'Version of the library.'", "\nGRANT USAGE ON SCHEMA hrloop", <<~'SQL' . "\nGRANT USAGE ON SCHEMA hrloop");

        CREATE FUNCTION next_one(integer) RETURNS integer
          LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_next_one';
        COMMENT ON FUNCTION next_one(integer) IS 'One more.';
        SQL
    write_file("$source/src/engine/hrloop.c", slurp_file("$source/src/engine/hrloop.c") . <<~'C');

        PG_FUNCTION_INFO_V1(hrloop_next_one);

        Datum
        hrloop_next_one(PG_FUNCTION_ARGS)
        {
            PG_RETURN_INT32(PG_GETARG_INT32(0) + 1);
        }
        C

    # and as old ones come by it: structure first, then rows, only those that nobody has changed
    write_file("$source/src/upgrade/hrloop--$now--$next.sql", <<~'SQL');
        \echo Use "ALTER EXTENSION hrloop UPDATE" to load this file. \quit
        COMMENT ON FUNCTION hrloop.version() IS 'Version of the library.';
        CREATE FUNCTION next_one(integer) RETURNS integer
          LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hrloop_next_one';
        COMMENT ON FUNCTION next_one(integer) IS 'One more.';
        SQL
    write_file("$source/src/upgrade/hrloop-books--$now--$next.sql", <<~"SQL" . $hobby);
        ALTER TABLE job ADD COLUMN outlook text NOT NULL DEFAULT 'stable';
        COMMENT ON COLUMN job.outlook IS 'What becomes of it.';
        CREATE OR REPLACE FUNCTION setting_on(setting text) RETURNS boolean STABLE LANGUAGE SQL
          RETURN setting_text(setting) IS NOT DISTINCT FROM 'true';
        COMMENT ON FUNCTION setting_on(text) IS 'Whether a switch is on (a new comment).';
        CREATE OR REPLACE TRIGGER decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
          FOR EACH STATEMENT EXECUTE FUNCTION hrloop.refuse('Never.');
        CREATE OR REPLACE VIEW scale_gap WITH (security_invoker) AS
          $gap, upper(gap) - lower(gap) AS width
            FROM scale s
            CROSS JOIN LATERAL unnest(nummultirange(s.domain)
                   - coalesce((SELECT range_agg(b.range) FROM band b WHERE b.scale_id = s.scale_id), '{}')) AS gap;
        COMMENT ON COLUMN scale_gap.width IS 'How wide.';
        ALTER TABLE setting DROP CONSTRAINT setting_value, ADD CONSTRAINT setting_value CHECK (CASE kind
          WHEN 'integer' THEN value ~ '^-?[0-9]{1,9}\$'
          WHEN 'number'  THEN value ~ '^-?[0-9]{1,12}(\\.[0-9]{1,6})?\$'
          WHEN 'boolean' THEN value IN ('true', 'false') AND value <> default_value || '.'
          ELSE true END);
        UPDATE setting SET value = CASE WHEN value IS NOT DISTINCT FROM default_value THEN '9' ELSE value END, default_value = '9' WHERE setting = 'plan.max_items';
        UPDATE message_text SET body = replace(body, '$no_raise', 'No raise at {score}') WHERE kind = 'pay.no_raise' AND locale = 'en';
        UPDATE table_rule SET reads = replace(reads, \$\$$asked\$\$, \$\$answered_by = (SELECT hrloop.actor('book'::regclass))\$\$) WHERE table_name = 'question';
        SQL
    install();
    return;
}

# The version after that, whose step for the books fails at first; and a way that
# leads nowhere.
sub build_later {
    my $source = "$ENV{DESTDIR}/source";
    edit('hrloop.control', "'$next'", "'$later'");
    edit('src/books/hobby.sql', "name        text   NOT NULL\n", "name        text   NOT NULL,\n  since       date\n", "COMMENT ON COLUMN hobby.name", "COMMENT ON COLUMN hobby.since IS 'When it began.';\nCOMMENT ON COLUMN hobby.name");
    edit('src/engine/engine.sql', "IS 'One more.'", "IS 'The next number.'");
    write_file("$source/src/upgrade/hrloop--$next--$later.sql", <<~'SQL');
        COMMENT ON FUNCTION hrloop.next_one(integer) IS 'The next number.';
        SQL
    write_file("$source/src/upgrade/hrloop-books--$now--$now.1.sql", "SELECT 1/0;\n");
    write_later("\nSELECT 1/0;\n");
    return;
}

sub write_later {
    my ($and) = @_;
    write_file("$ENV{DESTDIR}/source/src/upgrade/hrloop-books--$next--$later.sql",
        "ALTER TABLE hobby ADD COLUMN since date;$and\nCOMMENT ON COLUMN hobby.since IS 'When it began.';\nSELECT apply_tables();\n");
    install();
    return;
}
