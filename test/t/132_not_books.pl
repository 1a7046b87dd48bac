# Books that are none.  Whoever may make a table may make one that is called "book", hand
# it to the engine, and put the engine's triggers on tables of their own: so each column that
# the engine reads is tried with other types, null and gone.  What comes back is an error
# that says so, or a value, never a crash, which would end the sessions of everybody.
#
# HRLOOP_ARGUMENTS=all tries every change (minutes); by default some, others in each run,
# chosen by HRLOOP_SEED.
use strict;
use warnings;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $all = ($ENV{HRLOOP_ARGUMENTS} // '') eq 'all';
my $seed = $ENV{HRLOOP_SEED} // time % 100_000;
note "HRLOOP_SEED=$seed";

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');
$node->safe_psql($db, 'CREATE ROLE mallory LOGIN; CREATE SCHEMA fake AUTHORIZATION mallory; CREATE SCHEMA probe AUTHORIZATION mallory');

# What the engine reads, by its sources.
my %read;
for my $file (glob "$FindBin::RealBin/../../src/engine/*.c") {
    my $source = slurp_file($file);
    $read{$_} = 1 for $source =~ /\@([a-z_]+)/g;
    $read{$_} = 1 for map { /"([a-z_]+)"/g } $source =~ /(?:hr_table_open|open_by)\([^;]*;/g;
}
my $tables = join ', ', map { "'$_'" } sort keys %read;

# Tables like those, with what makes them found and with the engine's triggers, but mallory's.
$node->safe_psql($db, <<~"SQL");
    SET client_min_messages = warning;
    SET session_replication_role = replica;
    DO \$\$
    DECLARE t record; g record;
    BEGIN
      FOR t IN SELECT relname::text AS name, oid FROM pg_class
                WHERE relnamespace = 'hr'::regnamespace AND relkind = 'r' AND relname IN ('book', 'notification', $tables) ORDER BY 1 LOOP
        EXECUTE format('CREATE TABLE fake.%I (LIKE hr.%1\$I INCLUDING IDENTITY INCLUDING INDEXES)', t.name);
        EXECUTE format('INSERT INTO fake.%I OVERRIDING SYSTEM VALUE SELECT * FROM hr.%1\$I', t.name);
        EXECUTE format('ALTER TABLE fake.%I OWNER TO mallory', t.name);
        FOR g IN SELECT pg_get_triggerdef(r.oid) AS made FROM pg_trigger r JOIN pg_proc p ON p.oid = r.tgfoid
                  WHERE r.tgrelid = t.oid AND p.pronamespace = 'hrloop'::regnamespace AND p.proname NOT IN ('guard', 'refuse', 'audit_guard') AND NOT r.tgisinternal LOOP
          EXECUTE replace(g.made, ' ON hr.', ' ON fake.');
        END LOOP;
      END LOOP;
    END \$\$;
    CREATE SEQUENCE fake.transaction_number_seq;
    ALTER SEQUENCE fake.transaction_number_seq OWNER TO mallory;
    SELECT setval(pg_get_serial_sequence('fake.audit_entry', 'audit_id'), 1000000);
    UPDATE fake.employee SET db_role = 'mallory' WHERE employee_no = 'E003';
    UPDATE fake.review SET status = 'open';
    -- what follows a change, and what scores are asked: it does nothing, or returns what is no problem
    SELECT format('CREATE FUNCTION fake.%I(anyarray) RETURNS void LANGUAGE plpgsql AS ''BEGIN END''; ALTER FUNCTION fake.%1\$I OWNER TO mallory', name)
      FROM (SELECT DISTINCT function AS name FROM hr.follow) f \\gexec
    SELECT format('DROP FUNCTION IF EXISTS fake.%I(anyarray); CREATE FUNCTION fake.%1\$I(bigint[]) RETURNS TABLE (a bigint, b bigint, c bigint, d bigint, e int[], f record, g bigint) LANGUAGE plpgsql AS ''BEGIN RETURN; END'';'
                  'ALTER FUNCTION fake.%1\$I OWNER TO mallory', name)
      FROM unnest('{score_rater_problem,score_rationale_problem,score_outsider_problem}'::text[]) name \\gexec
    SQL

sub as_mallory {
    my ($sql) = @_;
    return $node->safe_psql($db, $sql, extra_params => [ '--username' => 'mallory' ]);
}

as_mallory(<<~'SQL');
    CREATE TABLE fake.statement (made text);
    INSERT INTO fake.statement VALUES ('UPDATE fake.employee SET name = name');
    CREATE FUNCTION fake.erasure_statement(bigint) RETURNS TABLE (statement text) LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT made FROM fake.statement; END';
    CREATE FUNCTION fake.audit_command() RETURNS TABLE (command text) LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT made FROM fake.statement; END';
    CREATE FUNCTION fake.act_as(text) RETURNS bigint LANGUAGE SQL RETURN 1;
    CREATE FUNCTION fake.f(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION fake.f(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION fake.f(bigint[]) RETURNS SETOF hrloop.problem LANGUAGE plpgsql AS 'BEGIN RETURN; END';
    CREATE FUNCTION fake.f(anyelement) RETURNS anyelement LANGUAGE SQL AS 'SELECT $1';

    CREATE TABLE probe.work (n int GENERATED ALWAYS AS IDENTITY, statement text);
    INSERT INTO probe.work (statement) VALUES
      ($$SELECT hrloop.actor('fake.book'), hrloop.who('fake.book'), hrloop.owns('fake.book')$$),
      ($$SELECT hrloop.visible('fake.book', e.id, k.kind), hrloop.visible_ids('fake.book', k.kind) FROM unnest('{1,2,NULL}'::bigint[]) e (id), unnest('{work,pay,name}'::text[]) k (kind)$$),
      ($$SELECT count(*) FROM fake.employee WHERE hrloop.visible('fake.book', employee_id)$$),
      ($$SELECT hrloop.acts_for('fake.book', 'hr')$$),
      ($$SELECT hrloop.run('fake.book', 'f', 'hello'::text)$$),
      ($$SELECT hrloop.run('fake.book', 'f', 42::bigint)$$),
      ($$SELECT hrloop.run('fake.book', 'f', 'a literal')$$),
      ($$SELECT hrloop.run('fake.book', 'f', ARRAY[1::bigint])$$),
      ($$SELECT hrloop.run('fake.book', 'f', 1.5)$$),
      ($$SELECT hrloop.fields(ROW(1, 'x'), 'y', NULL, ARRAY[1.5])$$),
      ($$SELECT hrloop.act_as('fake.book', 'E001'), hrloop.visible_ids('fake.book'), hrloop.acts_for('fake.book', 'hr')$$),
      ($$SELECT hrloop.log_read('fake.book', 1, 'pay', false)$$),
      ($$SELECT hrloop.transaction_number('fake.book')$$),
      ($$SELECT hrloop.hold_rules('fake.book', true)$$),
      ($$SELECT hrloop.hold_reviews('fake.book', ARRAY(SELECT generate_series(1, 50)::bigint))$$),
      ($$SELECT hrloop.recompute('fake.book', ARRAY(SELECT generate_series(1, 50)::bigint))$$),
      ($$SELECT hrloop.recompute('fake.book', ARRAY(SELECT generate_series(1, 50)::bigint), 1)$$),
      ($$SELECT hrloop.erase('fake.book', 1)$$),
      ($$SELECT hrloop.audit_attach('fake.book')$$),
      ($$SELECT hrloop.define('fake.book', ARRAY['SELECT 1', NULL, ''])$$),
      ($$SELECT hrloop.migrate('fake')$$),
      ($$SELECT count(*) FROM hrloop.books$$),
      ($$INSERT INTO fake.score SELECT (jsonb_populate_record(s, '{"score_id": -1, "rater_group": "peer", "rater_id": 2, "raw_value": 50}')).* FROM fake.score s WHERE facts IS NULL LIMIT 1$$),
      ($$INSERT INTO fake.score SELECT (jsonb_populate_record(s, '{"score_id": -2, "rater_group": "peer", "rater_id": 5, "raw_value": null}')).* FROM fake.score s WHERE facts IS NOT NULL LIMIT 1$$),
      ($$UPDATE fake.review SET status = 'open'$$),
      ($$UPDATE fake.score SET rationale = rationale || '。' WHERE score_id = 1$$),
      ($$DELETE FROM fake.score WHERE score_id < 5$$),
      ($$INSERT INTO fake.notification SELECT (jsonb_populate_record(n, '{"notification_id": -1, "event_key": "x", "body": null, "locale": null}')).* FROM fake.notification n LIMIT 1$$),
      ($$INSERT INTO fake.decision SELECT (jsonb_populate_record(d, '{"decision_id": -1}')).* FROM fake.decision d LIMIT 1$$),
      ($$UPDATE fake.employee SET name = name || 'x'$$),
      ($$UPDATE fake.setting SET value = value WHERE setting LIKE 'r%'$$),
      ($$DELETE FROM fake.assignment WHERE assignment_id = 1$$),
      ($$TRUNCATE fake.erasure_log$$);

    -- what is done to the tables, one thing at a time: REL, COL and KEY are a table, one of its columns and its primary key
    CREATE TABLE probe.change (n int GENERATED ALWAYS AS IDENTITY, statement text, said text, outcome text[]);
    INSERT INTO probe.change (statement) VALUES ('SELECT 1');
    INSERT INTO probe.change (statement)
    SELECT replace(replace(replace(v.statement, 'REL', format('fake.%I', c.relname)), 'COL', quote_ident(a.attname)), 'KEY', quote_ident(c.relname || '_pkey'))
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     CROSS JOIN (
       SELECT t.type, format('ALTER TABLE REL ALTER COL DROP IDENTITY IF EXISTS, ALTER COL TYPE %s USING %s', t.type, t.value)
         FROM (VALUES ('text', 'COL::text'), ('name', 'COL::text'), ('bigint', '1'), ('integer', '1'), ('numeric', '1'), ('jsonb', $$'"x"'$$), ('bytea', $$'x'$$),
                      ('boolean', 'true'), ('bigint[]', $$'{1}'$$)) AS t (type, value)
       UNION ALL
       SELECT NULL, 'ALTER TABLE REL DISABLE TRIGGER USER; ALTER TABLE REL DROP CONSTRAINT IF EXISTS KEY; ALTER TABLE REL ALTER COL DROP IDENTITY IF EXISTS, ALTER COL DROP NOT NULL;'
                    ' UPDATE REL SET COL = NULL; ALTER TABLE REL ENABLE TRIGGER USER'
       UNION ALL
       SELECT NULL, 'ALTER TABLE REL DROP COL') AS v (type, statement)
     WHERE c.relnamespace = 'fake'::regnamespace AND c.relkind = 'r' AND v.type IS DISTINCT FROM format_type(a.atttypid, NULL);
    INSERT INTO probe.change (statement)
    SELECT format(v.statement, c.relname)
      FROM pg_class c, (VALUES ('DROP TABLE fake.%I'), ('DELETE FROM fake.%I'), ('ALTER TABLE fake.%I DISABLE TRIGGER USER; DELETE FROM fake.%1$I; ALTER TABLE fake.%1$I ENABLE TRIGGER USER'),
                               ('ALTER TABLE fake.%I RENAME TO before; CREATE VIEW fake.%1$I AS SELECT * FROM fake.before')) AS v (statement)
     WHERE c.relnamespace = 'fake'::regnamespace AND c.relkind = 'r';

    -- everything is called after it, and all of it is undone; what is kept is what came back.  After a crash the log tells of what.
    CREATE FUNCTION probe.walk(INOUT c probe.change) LANGUAGE plpgsql AS $$
    DECLARE w record;
    BEGIN
      RAISE LOG 'after %', c.statement;
      EXECUTE c.statement;
      FOR w IN SELECT statement FROM probe.work ORDER BY n LOOP
        BEGIN
          EXECUTE w.statement;
          c.outcome := c.outcome || '00000'::text;
        EXCEPTION WHEN OTHERS THEN
          c.outcome := c.outcome || concat_ws(' ', SQLSTATE, w.statement, SQLERRM);
        END;
      END LOOP;
      RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN OTHERS THEN
      c.said := concat_ws(' ', SQLSTATE, SQLERRM);
    END $$;
    SQL

as_mallory("DELETE FROM probe.change WHERE n > 1 AND hashint8extended(n, $seed) % 8 <> 0") unless $all;
my $changes = as_mallory('SELECT count(*) FROM probe.change');
my $last = as_mallory('SELECT max(n) FROM probe.change');
cmp_ok($changes, '>', 200, 'there is a lot to change');
my $part = 500;
for (my $first = 0; $first < $last; $first += $part) {
    my ($code, $out, $err) = $node->psql($db, <<~"SQL", extra_params => [ '--username' => 'mallory' ]);
        SET client_min_messages = error;
        SET statement_timeout = '10min';
        UPDATE probe.change c SET (said, outcome) = (SELECT w.said, w.outcome FROM probe.walk(c) w) WHERE n > $first AND n <= $first + $part;
        SQL
    next if $code == 0;
    fail("the session stays: $err");
    BAIL_OUT('the last change is in the log');
}
is(as_mallory(q{SELECT state, count(*), min(o), min(c.statement) FROM probe.change c, unnest(c.outcome) o, left(o, 5) AS state WHERE state ~ '^XX' GROUP BY state}), '', 'no internal error');
my %found = map { split /\|/ } split /\n/, as_mallory(q{SELECT left(said, 5), count(*) FROM probe.change GROUP BY 1});
note join ', ', map { "$_: $found{$_}" } sort keys %found;
cmp_ok($found{UNDO0}, '>', 0.7 * $changes, 'nearly all of it could be done');
is(as_mallory(q{SELECT string_agg(o, E'\n') FROM probe.change c, unnest(c.outcome) o WHERE c.statement = 'SELECT 1' AND o NOT LIKE '00000%'}), '', 'and without a change all of it works');
note as_mallory(q{SELECT left(o, 5), count(*) FROM probe.change c, unnest(c.outcome) o GROUP BY 1 ORDER BY 2 DESC});
done_testing();
