# What follows from a change: in order by place alone, one trigger for each table and event, and
# through the whole life of a fact.  A fact that is corrected, withdrawn or deleted leaves what there
# would be if it had never been written, or the change is refused.
use strict;
use warnings;

use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = company('shop');
sub sql { my ($sql) = @_; return as_alice($node, $db, $sql) }

# ------------------------------------------------------------------ what is registered

is(sql(q{SELECT count(*) > 100 FROM hr.follow}), 't', 'functions follow tables');
is(sql(<<~'SQL'), '', 'each is a function of the books by its very arguments, bound when it was made, with a comment');
    SELECT f.table_name, f.function FROM hr.follow f
      JOIN pg_class c ON c.relnamespace = 'hr'::regnamespace AND c.relname = f.table_name
      LEFT JOIN pg_type t ON t.oid = CASE WHEN f.key IS NULL THEN c.reltype ELSE 'bigint'::regtype END
      LEFT JOIN pg_proc p ON p.pronamespace = c.relnamespace AND p.proname = f.function AND p.pronargs = 1 AND p.proargtypes[0] = t.typarray
     WHERE p.prosqlbody IS NULL OR p.prokind <> 'f' OR obj_description(p.oid, 'pg_proc') IS NULL
        OR (SELECT count(*) FROM pg_proc o WHERE o.pronamespace = c.relnamespace AND o.proname = f.function) > 1
    SQL
is(sql(<<~'SQL'), '', 'rules stand below 500, and are what refuses');
    SELECT f.table_name, f.function FROM hr.follow f JOIN pg_proc p ON p.pronamespace = 'hr'::regnamespace AND p.proname = f.function
     WHERE f.place < 500 AND NOT (p.prorettype = 'hrloop.problem'::regtype AND p.proretset)
    SQL
is(sql(<<~'SQL'), '', 'of a table and event no two stand at one place');
    SELECT f.table_name, e, f.place FROM hr.follow f, unnest(f.events) e GROUP BY 1, 2, 3 HAVING count(*) > 1
    SQL
is(sql(<<~'SQL'), '', 'and there is one trigger for each table and event, the last to fire');
    SELECT t.tgrelid::regclass, t.tgtype, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = 'hr'::regnamespace AND t.tgfoid = 'hrloop.consequence'::regproc GROUP BY 1, 2 HAVING count(*) > 1
    UNION ALL
    SELECT t.tgrelid::regclass, t.tgtype, 0 FROM pg_trigger t JOIN pg_trigger o USING (tgrelid) JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = 'hr'::regnamespace AND t.tgfoid = 'hrloop.consequence'::regproc AND o.tgname COLLATE "C" > t.tgname COLLATE "C" AND o.tgname !~ '^what_follows'
    SQL
is(sql('SELECT * FROM hr.follow_statement()'), '', 'they are what the rows say');
note sql(q{SELECT count(*) || ' functions follow, by ' || (SELECT count(*) FROM pg_trigger WHERE tgfoid = 'hrloop.consequence'::regproc) || ' triggers' FROM hr.follow});

# ------------------------------------------------------------------------ registering

refused($node, $db, q{SELECT hr.register_follow('nowhere', '{insert}', 500, 'plan_stand', key => 'review_id')}, '22023', 'unknown table "nowhere"', 'no such table');
refused($node, $db, q{SELECT hr.register_follow('review', '{insert}', 500, 'plan', key => 'review_id')}, '22023', 'unknown function "plan\(bigint\[\]\)"', 'no such function');
refused($node, $db, q{SELECT hr.register_follow('review', '{insert}', 500, 'plan_stand')}, '22023', 'unknown function "plan_stand\(hr.review\[\]\)"', 'none that takes rows');
refused($node, $db, q{SELECT hr.register_follow('review', '{insert}', 500, 'plan_stand', key => 'status')}, '22023', 'unknown column "review.status"', 'no key');
refused($node, $db, q{SELECT hr.register_follow('review', '{update}', 500, 'plan_stand', key => 'review_id', changed => '{status,mood}')}, '22023', 'unknown column "review.mood"', 'no such column');
refused($node, $db, q{SELECT hr.register_follow('review', '{insert}', 450, 'plan_stand', key => 'review_id')}, '22023', 'is no rule', 'no rule');
refused($node, $db, q{SELECT hr.register_follow('review', '{truncate}', 500, 'plan_stand', key => 'review_id')}, '23514', 'follow_events_check', 'no such event');
$node->safe_psql($db, 'CREATE ROLE hand LOGIN; GRANT USAGE ON SCHEMA hr TO hand');
as_alice($node, $db, q{SELECT hr.map_role('hr', 'hand')});
refused($node, $db, q{SELECT hr.register_follow('review', '{insert}', 500, 'plan_stand', key => 'review_id')}, '42501', 'follow', 'HR registers nothing', 'hand');
refused($node, $db, q{SELECT hr.apply_follows()}, '42501', 'permission denied for function apply_follows', 'nor applies', 'hand');

sql(<<~'SQL');
    CREATE TABLE hr.ours (ours_id bigint PRIMARY KEY, about bigint, note text);
    CREATE TABLE hr.seen (n int GENERATED ALWAYS AS IDENTITY, what text);
    CREATE FUNCTION hr.ours_one(ids bigint[]) RETURNS void LANGUAGE SQL BEGIN ATOMIC INSERT INTO hr.seen (what) SELECT 'one ' || ids::text; END;
    CREATE FUNCTION hr.ours_two(was hr.ours[]) RETURNS void LANGUAGE SQL BEGIN ATOMIC INSERT INTO hr.seen (what) SELECT 'two ' || string_agg(w.note, ',' ORDER BY w.ours_id) FROM unnest(was) w; END;
    CREATE FUNCTION hr.ours_last(ids bigint[]) RETURNS void LANGUAGE SQL BEGIN ATOMIC INSERT INTO hr.seen (what) SELECT 'last ' || ids::text; END;
    SELECT hr.register_follow('ours', '{insert,update,delete}', 700, 'ours_last', key => 'about', changed => '{note}');
    SELECT hr.register_follow('ours', '{insert,update}', 600, 'ours_one', key => 'ours_id', present => 'note');
    SELECT hr.register_follow('ours', '{update,delete}', 500, 'ours_two', changed => '{note}');
    SQL
sub seen { my ($sql) = @_; return sql("TRUNCATE hr.seen; $sql; SELECT string_agg(what, '; ' ORDER BY n) FROM hr.seen") }
is(seen(q{INSERT INTO hr.ours VALUES (3, 7, 'c'), (2, 7, 'b'), (1, 8, NULL), (4, NULL, 'd')}), 'one {2,3,4}; last {7,8}', 'in the order of places, keys in theirs');
is(seen(q{UPDATE hr.ours SET note = note}), 'one {2,3,4}', 'what nobody watches has changed');
is(seen(q{UPDATE hr.ours SET about = 9 WHERE ours_id = 3}), 'one {3}; last {7,9}', 'whom a row leaves, and to whom it comes');
is(seen(q{DELETE FROM hr.ours WHERE ours_id = 2}), 'two b; last {7}', 'rows as they were');
is(seen(q{DELETE FROM hr.ours WHERE false}), '', 'nothing follows nothing');
sql(q{ALTER TABLE hr.ours DISABLE TRIGGER what_follows_update; SELECT hr.register_follow('ours', '{insert,update}', 600, 'ours_one', key => 'about')});
is(seen(q{UPDATE hr.ours SET note = 'x'}), '', 'what is switched off stays so');
sql(q{ALTER TABLE hr.ours ENABLE TRIGGER what_follows_update});
is(seen(q{UPDATE hr.ours SET note = 'y' WHERE ours_id = 3}), 'two x; one {9}; last {9}', 'registered again: other conditions');
sql(q{DELETE FROM hr.follow WHERE table_name = 'ours' AND function = 'ours_last'});
is(sql(q{SELECT value FROM hr.health() WHERE code = 'follows'}), 'ours', 'health() says what was not applied');
is(sql(q{SELECT hr.apply_follows(), hr.apply_follows()}), '3|0', 'it is');
is(seen(q{DELETE FROM hr.ours}), 'two x,y,x', 'and is so');
my ($code, $out, $err) = $node->psql($db, q{SELECT hr.lift_guards('{review}'); UPDATE hr.review SET status = 'open' WHERE status = 'locked'}, extra_params => [ '--username' => 'alice' ]);
like($err, qr/CONTEXT:  what follows from table "review": review_status_problem/, 'an error says from where it comes');
sql(q{DELETE FROM hr.follow WHERE table_name = 'ours'; DROP TABLE hr.ours CASCADE; DROP TABLE hr.seen CASCADE});

# ---------------------------------------------------- under other names, in another order

my $other = company('other', <<~'SQL');
    CREATE TABLE public.was AS SELECT * FROM hr.follow;
    SELECT format('CREATE FUNCTION hr.%I(%s) RETURNS %s LANGUAGE SQL AS %L', 'f_' || md5(function), pg_get_function_arguments(p.oid),
                  CASE WHEN p.proretset THEN 'SETOF hrloop.problem' ELSE 'void' END,
                  CASE WHEN p.proretset THEN format('SELECT * FROM hr.%I($1)', function) ELSE format('SELECT hr.%I($1)', function) END)
      FROM (SELECT DISTINCT function FROM public.was) w JOIN pg_proc p ON p.pronamespace = 'hr'::regnamespace AND p.proname = w.function
    \gexec
    DELETE FROM hr.follow;
    SELECT hr.apply_follows();
    SELECT hr.register_follow(table_name, events, place, 'f_' || md5(function), key, changed, present) FROM public.was ORDER BY md5(function || table_name);
    SQL
same(those_of_people(figures($node, $other, 'hr')), those_of_people(figures($node, company('same'), 'hr')), 'the same figures whatever functions are called');
$node->safe_psql('postgres', "DROP DATABASE $_") for qw(other same);

# ------------------------------------------------------------------- a fact's whole life

load_fixture($node, $db, 'hr', 'busy');
sql(<<~'SQL');
    SET search_path = hr, pg_catalog;
    BEGIN; SELECT act_as('E003'); SELECT add_plan_item('2023Q2', 'E010', 'visits', 'project', due_on => '2023-09-30', reason => 'agreed', on_date => '2023-07-10'); COMMIT;
    BEGIN; SELECT act_as('E010'); SELECT acknowledge_result('2023Q1', 'E010'); COMMIT;
    BEGIN; SELECT act_as('E090'); SELECT request_login('E010', NULL, 'another job'); COMMIT;
    SQL
load_fixture($node, $db, 'hr', 'probe');
my @facts = split /\n/, sql('SELECT table_name FROM probe.fact ORDER BY 1');
cmp_ok(scalar @facts, '>', 30, 'tables of facts');
for my $fact (@facts) {
    sql(qq{SET client_min_messages = error; SET jit = off; CALL probe.all_of('$fact', 2)});
    my $changes = sql("SELECT count(*), count(*) FILTER (WHERE state = 'ok') FROM probe.outcome WHERE t = '$fact'");
    note "$fact: tried and done $changes";
    isnt($changes, '0|0', "$fact: there is something to change");
    # what is set by hand has no decision, or one that says otherwise: that is what verify() is for.  It takes the kind of a unit
    # as it is today, also for raises of the past; and a plan does not follow a plan_change that is written past the verbs.
    is(sql(<<~"SQL"), '', "$fact: nothing stays of what was taken back");
        SELECT op, key, string_agg(d, ' ') FROM probe.outcome, unnest(differs) d WHERE t = '$fact' AND d !~ '^verify .(suggestion_status|[a-z]+_decision|raise_rule|plan_change),' GROUP BY n, op, key ORDER BY n LIMIT 10
        SQL
    # a foreign key refuses what is under something that people said, or decided: never what was derived
    is(sql(<<~"SQL"), '', "$fact: and what is refused, is for a reason");
        SELECT op, key, state, message FROM probe.outcome WHERE t = '$fact' AND state <> 'ok'
           AND (state !~ '^(23[0-9A-Z]{3}|55000|42501|22023|22P02)\$' OR state = '23503' AND op ~ 'delete' AND message ~ '^update or delete'
                AND by_table NOT IN (SELECT table_name FROM probe.fact) AND by_table <> 'decision') ORDER BY n LIMIT 10
        SQL
}
is(sql(q{SELECT count(*) > 300 FROM probe.outcome WHERE state = 'ok'}), 't', 'much was changed and taken back');

done_testing();

# ---------------------------------------------------------------------------- helpers

# A database with a company; something is done before it has any people.
sub company {
    my ($name, $first) = @_;
    new_database($node, $name);
    as_alice($node, $name, q{CREATE EXTENSION hrloop CASCADE; SELECT hrloop.install('hr')});
    as_alice($node, $name, $first) if $first;
    load_fixture($node, $name, 'hr', $_) for qw(company courses history);
    return $name;
}

sub those_of_people {
    my ($figures) = @_;
    return join "\n", grep { !/^(?:follow|audit_lane)\|/ } split /\n/, $figures;
}
