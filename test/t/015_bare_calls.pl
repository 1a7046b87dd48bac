# No function that can raise stands where the planner would call it to make an
# estimate (test/modules/bare_calls says why): from PostgreSQL 18 on it would do
# so with a snapshot from before the statements that ran just now.  What can
# raise is whatever leads to hrloop.fail(), by what PostgreSQL knows of bodies.
use strict;
use warnings;

use Hrloop;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');

$node->safe_psql($db, <<~'SQL');
    CREATE FUNCTION bare_calls(tree text, suspects oid[], condition boolean) RETURNS oid[]
      STRICT LANGUAGE C AS 'bare_calls';
    CREATE FUNCTION dependent(root regproc) RETURNS SETOF oid LANGUAGE SQL AS $$
      WITH RECURSIVE raising AS (
        SELECT root::oid AS oid
        UNION
        SELECT d.objid FROM raising r JOIN pg_depend d ON d.refobjid = r.oid
         WHERE d.refclassid = 'pg_proc'::regclass AND d.classid = 'pg_proc'::regclass
      )
      SELECT oid FROM raising JOIN pg_proc USING (oid) WHERE provolatile = 's' AND NOT proretset;
    $$;
    CREATE VIEW tree AS
      SELECT pronamespace AS schema, oid::regprocedure::text AS object, prosqlbody::text AS tree, false AS condition
        FROM pg_proc
      UNION ALL
      SELECT relnamespace, ev_class::regclass::text, ev_action::text, false
        FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class
      UNION ALL
      SELECT relnamespace, format('policy %I on %s', polname, polrelid::regclass), t, true
        FROM pg_policy JOIN pg_class c ON c.oid = polrelid, LATERAL (VALUES (polqual::text), (polwithcheck::text)) v (t);
    CREATE VIEW bare AS
      SELECT t.schema, t.object, f::regproc AS calls
        FROM tree t, unnest(bare_calls(t.tree, ARRAY(SELECT dependent('hrloop.fail')), t.condition)) f;
    SQL

# calls of one kind each, and whether an estimate makes them
my @sample = (
    [1, 'bare in a comparison', 'SELECT 1 FROM hr.employee WHERE employee_id = hr.find_employee($1)'],
    [1, 'bare in what is joined on', 'SELECT 1 FROM hr.job j JOIN hr.assignment a ON a.job_id = j.job_id AND a.employee_id < hr.find_employee($1)'],
    [1, 'within an expression', 'SELECT 1 FROM hr.employee WHERE employee_id = coalesce(hr.find_employee($1), 1) + 1'],
    [1, 'in a function that calls it', 'SELECT 1 FROM hr.review WHERE review_id = hr.find_review($1, $1)'],
    [1, 'in a table that is pulled up', 'SELECT 1 FROM hr.employee e JOIN (SELECT hr.find_employee($1) AS id) k ON k.id = e.employee_id'],
    [1, 'in a CTE', 'WITH k AS (SELECT hr.find_employee($1) AS id) SELECT 1 FROM hr.employee e JOIN k ON k.id = e.employee_id'],
    [1, 'in IN', 'SELECT 1 FROM hr.employee WHERE employee_id IN (SELECT hr.find_employee($1))'],
    [1, 'in EXISTS', 'SELECT 1 WHERE EXISTS (SELECT FROM hr.employee WHERE employee_id = hr.find_employee($1))'],
    [1, 'as a limit', 'SELECT 1 FROM hr.employee LIMIT hr.find_employee($1)'],
    [1, 'of a constant that seems to be a row', 'SELECT 1 FROM (SELECT $1 AS no) k, hr.employee WHERE employee_id = hr.find_employee(k.no)'],
    [0, 'in a sub-select', 'SELECT 1 FROM hr.employee WHERE employee_id = (SELECT hr.find_employee($1))'],
    [0, 'in what is only returned', 'SELECT hr.find_employee($1)::integer FROM hr.employee'],
    [0, 'of a column', 'SELECT 1 FROM hr.employee WHERE employee_id = hr.find_employee(name)'],
    [0, 'in a table that is not pulled up', 'SELECT 1 FROM hr.employee e JOIN (SELECT hr.find_employee($1) AS id OFFSET 0) k ON k.id = e.employee_id'],
    [0, 'inserted', 'INSERT INTO hr.assignment (employee_id) SELECT hr.find_employee($1) RETURNING 1'],
);
$node->safe_psql($db, 'CREATE SCHEMA sample');
for my $i (0 .. $#sample)
{
    my ($bare, $where, $statement) = @{ $sample[$i] };
    # parameters of what is in $$, not of psql
    $node->safe_psql($db, "CREATE FUNCTION sample.f$i(no text) RETURNS integer LANGUAGE SQL BEGIN ATOMIC $statement; END");
    is($node->safe_psql($db, "SELECT count(*) > 0 FROM bare WHERE object LIKE 'sample.f$i(%'"), $bare ? 't' : 'f', "a call $where");
}

is($node->safe_psql($db, "SELECT object || ' calls ' || calls FROM bare WHERE schema IN ('hr'::regnamespace, 'hrloop'::regnamespace) ORDER BY 1"),
    '', 'none stands bare in the books or the engine');

# What is named is bound when it is made; a name in a string would be looked up by whoever calls, on their search_path.
# A string that PostgreSQL has not turned into an object stands as text in what it stored, and its body is a text if a
# function has not been parsed at all.
$node->safe_psql($db, <<~'SQL');
    CREATE VIEW stored AS
      SELECT pronamespace AS schema, oid::regprocedure::text AS object, coalesce(pg_get_function_sqlbody(oid), prosrc) AS body
        FROM pg_proc WHERE prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))
      UNION ALL
      SELECT relnamespace, oid::regclass::text, pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm')
      UNION ALL
      SELECT relnamespace, format('policy %I on %s', polname, polrelid::regclass), concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
        FROM pg_policy JOIN pg_class c ON c.oid = polrelid
      UNION ALL
      SELECT relnamespace, format('default of %s', adrelid::regclass), pg_get_expr(adbin, adrelid)
        FROM pg_attrdef JOIN pg_class c ON c.oid = adrelid
      UNION ALL
      SELECT connamespace, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'
      UNION ALL
      SELECT relnamespace, indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid
      UNION ALL
      SELECT relnamespace, tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal;
    CREATE VIEW looked_up AS
      SELECT schema, object, m[1] AS what FROM stored,
             regexp_matches(body, $$((?:\m(?:pg_get_serial_sequence|to_reg[a-z]+|has_[a-z]+_privilege)\((?:[^(),']*, )?'[^']*'::text|\('[^']*'::text\)::reg[a-z]+|\mset_config\('search_path'))$$, 'g') AS m;
    SQL
@sample = (
    [1, q{pg_get_serial_sequence('hr.decision', 'decision_id')}],
    [1, q{to_regclass('decision')}],
    [1, q{has_table_privilege('hr.decision', 'SELECT')}],
    [1, q{has_table_privilege(current_user, 'hr.decision', 'SELECT')}],
    [1, q{'hr.decision'::text::regclass}],
    [1, q{nextval('hr.decision_decision_id_seq'::text::regclass)}],
    [0, q{nextval('hr.decision_decision_id_seq')}],
    [0, q{'hr.decision'::regclass}],
    [0, q{pg_get_serial_sequence('hr.decision'::regclass::text, 'decision_id')}],
    [0, q{has_table_privilege('hr.decision'::regclass, 'SELECT')}]);
for my $i (0 .. $#sample)
{
    my ($found, $call) = @{ $sample[$i] };
    $node->safe_psql($db, "CREATE FUNCTION sample.n$i() RETURNS text LANGUAGE SQL RETURN ($call)::text");
    is($node->safe_psql($db, "SELECT count(*) > 0 FROM looked_up WHERE object = 'sample.n$i()'"), $found ? 't' : 'f', ($found ? 'looked up at run time: ' : 'bound: ') . $call);
}
is($node->safe_psql($db, q{SELECT object || ': ' || what FROM looked_up WHERE schema IN ('hr'::regnamespace, 'hrloop'::regnamespace) ORDER BY 1}),
    '', 'nothing in the books or the engine looks a table, a sequence or a function up by a string');
is($node->safe_psql($db, <<~'SQL'), '', 'and no function of theirs is a text that is parsed when it is called');
    SELECT oid::regprocedure FROM pg_proc
     WHERE pronamespace IN ('hr'::regnamespace, 'hrloop'::regnamespace) AND prosqlbody IS NULL
       AND prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('c', 'internal')) ORDER BY 1
    SQL
as_alice($node, $db, <<~'SQL');
    SET search_path = pg_catalog;
    INSERT INTO hr.role_holder (role, employee_id) VALUES ('hr', hr.find_employee('E003'));
    SELECT hr.delegate_role('E001', 'hr', current_date, current_date + 1, 'holiday', delegator => 'E003');
    SELECT hr.start_mentoring('E010', 'E003', 'goal', ARRAY['content'], current_date, current_date + 30);
    SQL
is(as_alice($node, $db, 'SELECT count(*) FROM hr.delegation d, hr.mentorship m'), 1, 'and they work without the books on the search_path');

done_testing();
