# Every function that SQL can call, with arguments that nobody means: each null,
# each at the ends of its type, and triggers where they do not belong.  What comes
# back is a value or an error that says what is wrong, never an internal error
# (class XX), and the session stays.
#
# HRLOOP_ARGUMENTS=all tries every end of every argument (minutes); by default some,
# others in each run, chosen by HRLOOP_SEED.
use strict;
use warnings;
use utf8;

use Hrloop;
use Test::More;

my $all = ($ENV{HRLOOP_ARGUMENTS} // '') eq 'all';
my $seed = $ENV{HRLOOP_SEED} // time % 100_000;
note "HRLOOP_SEED=$seed";

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');

as_alice($node, $db, <<~'SQL');
    CREATE SCHEMA probe;
    SET search_path = hr, pg_catalog;
    -- books that are none: a table of the name and one that reads like it
    CREATE TABLE probe.book (version text);
    INSERT INTO probe.book VALUES ('0.1.0');

    -- the ends of every type that an argument has
    CREATE TABLE probe.extreme (type regtype, value text);
    INSERT INTO probe.extreme SELECT t::regtype, v FROM (VALUES
      ('text',    ARRAY[$$''$$, $$' '$$, $$U&'\3000\3000'$$, $$repeat('a', 1000000)$$, $$repeat('汉', 70000)$$, $$'%s%n{x}\'''$$, $$'E010'$$, $$'2023Q2'$$]),
      ('name',    ARRAY[$$''$$, $$'hr'$$, $$'pg_catalog'$$, $$'probe'$$, $$'no such'$$]),
      ('bigint',  ARRAY['0', '-1', '9223372036854775807', '-9223372036854775808', '1']),
      ('integer', ARRAY['0', '-1', '2147483647', '-2147483648', '1']),
      ('numeric', ARRAY[$$'NaN'$$, $$'Infinity'$$, $$'-Infinity'$$, '0', '-1', '1e-1000', '1e1000', '99999999999999999999.99', '50']),
      ('boolean', ARRAY['true', 'false']),
      ('date',    ARRAY[$$'infinity'$$, $$'-infinity'$$, $$'4713-01-01 BC'$$, $$'5874897-12-31'$$, $$'2023-07-01'$$]),
      ('timestamptz', ARRAY[$$'infinity'$$, $$'-infinity'$$, $$'4713-01-02 BC'$$, $$'294276-12-31'$$, $$'2023-07-01'$$]),
      ('jsonb',   ARRAY[$$'1'$$, $$'"x"'$$, $$'null'$$, $$'[]'$$, $$'{}'$$, $$'[[1], [{}]]'$$, $$'{"a": {"b": [1, null]}}'$$, $$'[{"range": "[1,2)", "indicator": null, "weight": "x"}]'$$,
                        $$(repeat('[', 1000) || repeat(']', 1000))$$, $$'{"target": 1e1000, "客户拓展": -1, "": "x"}'$$]),
      ('jsonpath', ARRAY[$$'$'$$, $$'$.a.b'$$, $$'strict $.x'$$, $$'1 / 0'$$, $$'$.**.a[last]'$$]),
      ('bigint[]', ARRAY[$$'{}'$$, $$'{NULL}'$$, $$'{1,2,3}'$$, $$'{{1,2},{NULL,4}}'$$, $$'[-5:-4]={1,9223372036854775807}'$$, 'ARRAY(SELECT n::bigint FROM generate_series(-300, 300) n)']),
      ('text[]',  ARRAY[$$'{}'$$, $$'{NULL}'$$, $$'{"", "E010"}'$$, $$'{{a,b},{c,NULL}}'$$, $$ARRAY['COMMIT', 'COPY probe.book FROM stdin']$$]),
      ('numeric[]', ARRAY[$$'{}'$$, $$'{NULL}'$$, $$'{NaN,1}'$$, $$'{1e1000}'$$]),
      ('date[]',  ARRAY[$$'{}'$$, $$'{NULL}'$$, $$'{infinity,2023-07-01}'$$, $$'{2023-07-01,2023-07-01}'$$]),
      ('numrange', ARRAY[$$'empty'$$, $$'(,)'$$, $$'[1,1]'$$]),
      ('daterange', ARRAY[$$'empty'$$, $$'(,)'$$, $$'[infinity,]'$$, $$'[2023-01-01,2023-07-01)'$$]),
      ('regclass', ARRAY['0', '4294967295', $$'hr.book'$$, $$'hr.score'$$, $$'probe.book'$$, $$'pg_class'$$, $$'hr.book_pkey'$$])
    ) AS e (t, v_all), unnest(v_all) v;

    -- what goes into the other arguments: something that is there, by the argument's name or its type
    CREATE TABLE probe.usual (name text, type regtype, value text);
    INSERT INTO probe.usual VALUES
      ('employee', 'text', $$'E010'$$), ('employee_no', 'text', $$'E010'$$), ('mentee', 'text', $$'E010'$$), ('mentor', 'text', $$'E003'$$), ('rater', 'text', $$'E003'$$),
      ('delegate', 'text', $$'E003'$$), ('cycle', 'text', $$'2023Q2'$$), ('session', 'text', $$'2023Q1校准'$$), ('indicator', 'text', $$'客户拓展'$$), ('template', 'text', $$'SALES'$$),
      ('certification', 'text', $$'中级销售'$$), ('course', 'text', $$'数据分析'$$), ('unit', 'text', $$'SH'$$), ('scale', 'text', $$'raise_tech'$$), ('rater_group', 'text', $$'manager'$$),
      ('setting', 'text', $$'plan.score_threshold'$$), ('role', 'text', $$'hr'$$), ('kind', 'text', $$'raise.proposed'$$), ('distribution', 'text', $$'四级'$$),
      (NULL, 'text', $$'说明原因'$$), (NULL, 'name', $$'hr'$$), (NULL, 'bigint', '1'), (NULL, 'integer', '1'), (NULL, 'numeric', '80'), (NULL, 'boolean', 'true'), (NULL, 'date', $$'2023-07-01'$$),
      (NULL, 'timestamptz', $$'2023-07-01'$$), (NULL, 'jsonb', $$'{"客户拓展": 40}'$$), (NULL, 'jsonpath', $$'$.a'$$), (NULL, 'bigint[]', $$'{1,2,3}'$$), (NULL, 'text[]', $$'{E003}'$$),
      (NULL, 'numeric[]', $$'{80}'$$), (NULL, 'date[]', $$'{2023-07-01}'$$), (NULL, 'numrange', $$'[0,1)'$$), (NULL, 'daterange', $$'[2023-01-01,2023-07-01)'$$), (NULL, 'regclass', $$'hr.book'$$);

    -- calls: all null; and each argument null or extreme while the others are usual
    CREATE TABLE probe.call (n bigint GENERATED ALWAYS AS IDENTITY, fn regprocedure, language text, statement text, state text, message text);
    INSERT INTO probe.call (fn, language, statement)
    WITH argument AS (
      SELECT p.oid, p.oid::regprocedure AS fn, format('%s.%I', p.pronamespace::regnamespace, p.proname) AS name, l.lanname, p.pronargs, a.i,
             t.type::regtype AS type,
             coalesce((SELECT u.value FROM probe.usual u WHERE u.type = t.type AND u.name = p.proargnames[a.i]),
                      (SELECT u.value FROM probe.usual u WHERE u.type = t.type AND u.name IS NULL), 'NULL') || '::' || t.type::regtype AS usual
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        LEFT JOIN LATERAL generate_series(1, p.pronargs) a (i) ON true
        LEFT JOIN LATERAL (SELECT p.proargtypes[a.i - 1] AS type) t ON true
       WHERE p.pronamespace IN ('hrloop'::regnamespace, 'hr'::regnamespace) AND p.prokind = 'f'
    ), odd AS (
      SELECT NULL::oid AS oid, NULL::int AS i, NULL::text AS value WHERE false
      UNION ALL SELECT a.oid, a.i, 'NULL::' || a.type FROM argument a WHERE a.i IS NOT NULL
      UNION ALL SELECT a.oid, a.i, e.value || '::' || e.type FROM argument a JOIN probe.extreme e ON e.type = a.type
      UNION ALL SELECT a.oid, a.i, format('ARRAY[NULL]::%s', a.type) FROM argument a JOIN pg_type t ON t.oid = a.type WHERE t.typcategory = 'A'
    )
    SELECT a.fn, min(a.lanname), format('SELECT format(''%%s'', %s(%s))', min(a.name), string_agg('NULL::' || a.type, ', ' ORDER BY a.i)) FROM argument a GROUP BY a.oid, a.fn
    UNION ALL
    SELECT a.fn, min(a.lanname), format('SELECT format(''%%s'', %s(%s))', min(a.name), string_agg(CASE WHEN a.i = o.i THEN o.value ELSE a.usual END, ', ' ORDER BY a.i))
      FROM odd o JOIN argument a ON a.oid = o.oid GROUP BY a.oid, a.fn, o.i, o.value;

    -- triggers: each function on tables it was not made for, and what can be done to them
    CREATE TABLE hr.odd_one (x int);
    CREATE TABLE hr.odd_text (score_id text, review_id text, indicator_id text, rater_group text, rater_id text, raw_value text, scale_max text, facts text, attainment text, value text,
                              rationale text, kind text, locale text, body text, recipient_id text, args text, version text);
    CREATE TABLE hr.odd_score AS TABLE hr.score WITH NO DATA;
    CREATE TABLE hr.odd_notice AS TABLE hr.notification WITH NO DATA;
    CREATE TABLE hr.odd_parts (LIKE hr.odd_score) PARTITION BY LIST (rater_group);
    CREATE TABLE hr.odd_part PARTITION OF hr.odd_parts DEFAULT;
    CREATE TABLE probe.outside (LIKE hr.odd_score);
    -- a row that would do as a score
    CREATE TABLE probe.score AS
      SELECT 1::bigint AS a, r.review_id AS b, i.indicator_id AS c, 'manager' AS d, find_employee('E090') AS e, 50::numeric AS f, 100::numeric AS g, '按事实评分' AS h
        FROM review r JOIN template_item i USING (template_id) WHERE r.status = 'open' LIMIT 1;
    INSERT INTO probe.call (fn, language, statement)
    SELECT p.oid::regprocedure, 'trigger',
           format('CREATE TRIGGER odd %s ON %s %s EXECUTE FUNCTION %s(%s); ', w.at, t.rel, w.each, p.oid::regproc, a.args)
           || CASE WHEN w.does ~ 'UPDATE|DELETE' AND w.does !~ '%' THEN format('ALTER TABLE %s DISABLE TRIGGER odd; %s; ALTER TABLE %1$s ENABLE TRIGGER odd; ', t.rel, t.fill) ELSE '' END
           || replace(replace(w.does, 'FILL', t.fill), 'REL', t.rel)
      FROM pg_proc p,
           (VALUES ('hr.odd_one', 'INSERT INTO hr.odd_one VALUES (1), (NULL)', 'x'),
                   ('hr.odd_text', 'INSERT INTO hr.odd_text (score_id, kind) VALUES (''a'', ''b''), (NULL, NULL)', 'score_id'),
                   ('hr.odd_score', 'INSERT INTO hr.odd_score (score_id, review_id, indicator_id, rater_group, rater_id, raw_value, scale_max, rationale) SELECT * FROM probe.score', 'raw_value'),
                   ('hr.odd_score', 'INSERT INTO hr.odd_score (score_id, review_id, indicator_id, rater_group, rater_id, raw_value, facts) VALUES (2, -1, 0, repeat(''x'', 100), -1, NULL, ''{}''), (3, NULL, NULL, NULL, 1, ''NaN'', NULL)', 'raw_value'),
                   ('hr.odd_notice', 'INSERT INTO hr.odd_notice (notification_id, kind, args, recipient_id, body) VALUES (1, ''none'', ''[1]'', NULL, NULL), (2, NULL, NULL, -1, NULL), (NULL, ''raise.proposed'', ''[1]'', 1, ''b'')', 'kind'),
                   ('hr.odd_parts', 'INSERT INTO hr.odd_parts (score_id, review_id, indicator_id, rater_group, rater_id, raw_value, scale_max, rationale) SELECT * FROM probe.score', 'raw_value'),
                   ('probe.outside', 'INSERT INTO probe.outside (score_id, review_id, indicator_id, rater_group, rater_id, raw_value, scale_max, rationale) SELECT * FROM probe.score', 'raw_value')
           ) AS t (rel, fill, col),
           (VALUES ('BEFORE INSERT', 'FOR EACH ROW', 'FILL'), ('AFTER INSERT', 'FOR EACH ROW', 'FILL'), ('AFTER INSERT', 'FOR EACH STATEMENT', 'FILL'), ('BEFORE TRUNCATE', 'FOR EACH STATEMENT', 'TRUNCATE REL'), ('AFTER TRUNCATE', 'FOR EACH STATEMENT', 'TRUNCATE REL'),
                   ('AFTER INSERT', 'REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT', 'FILL'),
                   ('AFTER UPDATE', 'REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT', 'UPDATE REL SET COL = NULL'), ('AFTER UPDATE', 'REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT', 'UPDATE REL SET COL = NULL'),
                   ('AFTER UPDATE', 'REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT', 'UPDATE REL SET COL = NULL'), ('BEFORE UPDATE', 'FOR EACH ROW', 'UPDATE REL SET COL = NULL'), ('BEFORE DELETE', 'FOR EACH ROW', 'DELETE FROM REL'),
                   ('AFTER DELETE', 'REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT', 'DELETE FROM REL')) AS w (at, each, does),
           (VALUES (''), ($$''$$), ($$'no_such', 'key=score_id'$$), ($$'score_rater_problem', 'key=score_id'$$), ($$'verify', 'rows=old'$$), ($$'score_rater_problem', 'rows=old', 'present=raw_value'$$),
                   ($$'x(1); --', 'key=review_id', 'changed=value,,value,nothing'$$), ($$'score_id'$$), ($$'subject=rater_id', 'via=nowhere'$$), ($$'subject=rater_id', 'via=review.employee_id/x'$$),
                   ($$'subject=review_id', 'via=review.employee_id', 'reason=rationale', 'digest=score_id', 'ignore=score_id,,nothing'$$), ($$'score_rater_problem', 'key=review_id', 'changed=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p'$$)) AS a (args)
     WHERE p.prorettype = 'trigger'::regtype AND p.pronamespace = 'hrloop'::regnamespace
       AND NOT (t.rel = 'hr.odd_parts' AND w.each LIKE 'REFERENCING%ROW') ;
    UPDATE probe.call c SET statement = replace(c.statement, 'COL', CASE WHEN c.statement LIKE '%odd_one%' THEN 'x' WHEN c.statement LIKE '%odd_text%' THEN 'score_id' WHEN c.statement LIKE '%odd_notice%' THEN 'args' ELSE 'raw_value' END) WHERE language = 'trigger';

    -- one call, undone whatever comes of it; after a crash the server's log tells which it was
    CREATE FUNCTION probe.try(INOUT c probe.call) LANGUAGE plpgsql AS $$
    BEGIN
      RAISE LOG 'trying %', c.statement;
      BEGIN
        EXECUTE c.statement;
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
      EXCEPTION WHEN OTHERS THEN
        c.state := SQLSTATE; c.message := SQLERRM;
      END;
    END $$;
    SQL

# Every trigger and every C function is tried whole; SQL functions all null, and some of the rest.
my $sample = $all ? 'true' : "language <> 'sql' OR statement !~ '\\(.*::' OR hashint8extended(n, $seed) % 12 = 0 OR n IN (SELECT min(n) FROM probe.call GROUP BY fn)";
my $calls = as_alice($node, $db, "DELETE FROM probe.call WHERE NOT ($sample); SELECT count(*) FROM probe.call");
cmp_ok($calls, '>', 3000, 'there is a lot to call');
note "$calls calls";
my $session = $node->connstr($db) . ' user=alice';
my $failed = 0;
for my $functions (map { [ split /,/ ] } split /\n/, as_alice($node, $db, q{SELECT string_agg(fn::oid::text, ',') FROM (SELECT DISTINCT fn FROM probe.call) f GROUP BY fn::oid::bigint % 20})) {
    my $list = join ',', @$functions;
    my ($code, $out, $err) = $node->psql($db, <<~"SQL", extra_params => [ '--username' => 'alice' ]);
        SET client_min_messages = error;
        SET statement_timeout = '5min';
        SET search_path = hr, pg_catalog;
        UPDATE probe.call c SET (state, message) = (SELECT t.state, left(t.message, 200) FROM probe.try(c) t) WHERE fn::oid IN ($list);
        SQL
    next if $code == 0;
    $failed++;
    diag "psql returned $code for $list: $err";
    last;
}
is($failed, 0, 'the sessions stay, whatever is called') or BAIL_OUT('the last call is in the log');
is(as_alice($node, $db, q{SELECT state, count(*), min(message), min(statement) FROM probe.call WHERE state ~ '^(XX|00)' OR state IS NULL GROUP BY state, regexp_replace(message, '[0-9]+', '0', 'g')}),
    '', 'no internal error');
note as_alice($node, $db, q{SELECT state, count(*) FROM probe.call GROUP BY state ORDER BY 2 DESC});

# The engine's functions are everybody's: also somebody's who has no right to do what they do.
$node->safe_psql($db, 'CREATE ROLE person LOGIN; GRANT USAGE ON SCHEMA probe, hr TO person; GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA probe TO person');
as_alice($node, $db, q{UPDATE hr.employee SET db_role = 'person' WHERE employee_no = 'E010'; UPDATE probe.call SET state = NULL, message = NULL});
my ($code, undef, $err) = $node->psql($db, <<~'SQL', extra_params => [ '--username' => 'person' ]);
    SET client_min_messages = error;
    SET statement_timeout = '5min';
    UPDATE probe.call c SET (state, message) = (SELECT t.state, left(t.message, 200) FROM probe.try(c) t) WHERE language = 'c';
    SQL
is($code, 0, 'the session of somebody without rights stays as well') or BAIL_OUT("the last call is in the log: $err");
is(as_alice($node, $db, q{SELECT state, count(*), min(message), min(statement) FROM probe.call WHERE language = 'c' AND (state ~ '^(XX|00)' OR state IS NULL) GROUP BY state, regexp_replace(message, '[0-9]+', '0', 'g')}),
    '', 'and has no internal error');
is(as_alice($node, $db, q{SELECT string_agg(DISTINCT fn::text, ', ') FROM probe.call WHERE language = 'c' AND state = 'UNDO0' AND fn::text ~ 'hold_|recompute|erase|define|migrate|install|restore|audit_attach|act_as|\mrun\M' AND statement !~ 'NULL'}),
    '', 'who may do nothing has done nothing');
healthy($node, $db, 'hr', 'and nothing has changed');
done_testing();
