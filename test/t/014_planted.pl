# A schema hrloop that somebody else made, or may write: what is planted there must not be
# found by the extension's script, nor by those that make books.
use strict;
use warnings;

use FindBin;
use Hrloop;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server();
my $db = new_database($node, 'shop');
my $super = $node->safe_psql('postgres', 'SELECT current_user');
$node->safe_psql($db, 'CREATE ROLE mallory LOGIN; CREATE ROLE carol LOGIN');
# a better match for a call of a function of pg_catalog than that itself
my $trap = 'CREATE FUNCTION hrloop.jsonb_path_match(jsonb, jsonpath, text, boolean) RETURNS boolean LANGUAGE SQL RETURN true';

# who makes it, what is there, who creates the extension, and whether that is refused
my @cases = (
    [ 'an empty schema of somebody else', 'CREATE SCHEMA hrloop AUTHORIZATION mallory', 'alice', 'belongs to "mallory"' ],
    [ 'the same, for a superuser', 'CREATE SCHEMA hrloop AUTHORIZATION mallory', $super, 'belongs to "mallory"' ],
    [ 'a planted function', "CREATE SCHEMA hrloop AUTHORIZATION mallory; SET ROLE mallory; $trap", 'alice', 'belongs to "mallory"' ],
    [ 'a planted function, as if restored', "CREATE SCHEMA hrloop AUTHORIZATION mallory; SET ROLE mallory; $trap", $super, 'belongs to "mallory"', 'SET row_security = off;' ],
    [ 'a function in the place of the engine\'s own', "CREATE SCHEMA hrloop AUTHORIZATION mallory; CREATE FUNCTION hrloop.fail(text, text, text, text, text, text, text) RETURNS boolean LANGUAGE SQL RETURN true", 'alice', 'already exists' ],
    [ 'a function of somebody else in one\'s own schema', "CREATE SCHEMA hrloop AUTHORIZATION alice; GRANT CREATE ON SCHEMA hrloop TO mallory; SET ROLE mallory; $trap; RESET ROLE; REVOKE CREATE ON SCHEMA hrloop FROM mallory", 'alice', 'holds something that belongs to "mallory"' ],
    [ 'a schema in which somebody else may create', 'CREATE SCHEMA hrloop AUTHORIZATION alice; GRANT CREATE ON SCHEMA hrloop TO mallory', 'alice', '"mallory" may create in it' ],
    [ 'one in which everybody may', 'CREATE SCHEMA hrloop AUTHORIZATION alice; GRANT CREATE ON SCHEMA hrloop TO PUBLIC', 'alice', 'may create in it' ],
    [ 'one\'s own schema', 'CREATE SCHEMA hrloop AUTHORIZATION alice; CREATE TABLE hrloop.mine ()', 'alice', undef ],
    [ 'the schema of the owner of the database', 'CREATE SCHEMA hrloop AUTHORIZATION alice', $super, undef ],
    [ 'a schema that a restore brings', 'CREATE SCHEMA hrloop AUTHORIZATION carol', $super, undef, 'SET row_security = off;' ],
    [ 'no schema', 'SELECT 1', 'alice', undef ]);
for my $case (@cases) {
    my ($name, $made, $by, $why, $set) = @$case;
    $node->safe_psql($db, "DROP EXTENSION IF EXISTS hrloop CASCADE; DROP SCHEMA IF EXISTS hrloop CASCADE; $made");
    my ($code, $out, $err) = $node->psql($db, ($set // '') . 'CREATE EXTENSION hrloop CASCADE', extra_params => [ '--username' => $by ]);
    if (defined $why) {
        like($err, qr/ERROR:  .*\Q$why\E/, "$name: refused");
        is($node->safe_psql($db, q{SELECT count(*) FROM pg_extension WHERE extname = 'hrloop'}), 0, 'and there is no extension');
    }
    else { is($code, 0, "$name: the extension is made") or diag $err }
}

# Books are made in the name of who calls, with the engine's schema on the search_path.
refused($node, $db, q{SELECT hrloop.install('of_super')}, '42501', 'schema "hrloop" belongs to "alice"', 'a superuser makes no books where somebody else can put functions', $super);
like(as_alice($node, $db, q{SELECT hrloop.install('hr')}), qr/are ready/, 'its owner does');
$node->safe_psql($db, 'ALTER SCHEMA hrloop OWNER TO carol');
$node->safe_psql($db, 'GRANT CREATE ON DATABASE shop TO mallory');
refused($node, $db, q{SELECT hrloop.install('of_mallory')}, '42501', 'schema "hrloop" belongs to "carol"', 'nor does anybody where the schema came to somebody else', 'mallory');

# Nothing in the script depends on what is found on the way.
my $script = slurp_file("$FindBin::RealBin/../../src/engine/engine.sql");
my @bare = grep { !/hrloop\./ } $script =~ /^((?:CREATE|COMMENT ON|ALTER|DROP) (?:OR REPLACE )?(?:FUNCTION|TYPE|VIEW|COLUMN|TABLE|DOMAIN|OPERATOR|CAST|AGGREGATE)\b[^\n(]*)/mg;
is("@bare", '', 'every object of the script has its schema');
is($node->safe_psql($db, <<~'SQL'), '', 'and the functions use what is of PostgreSQL or of the extension alone');
    SELECT p.oid::regprocedure, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
      FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
     WHERE p.pronamespace = 'hrloop'::regnamespace AND d.deptype = 'n' AND d.refclassid <> 'pg_namespace'::regclass
       AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = d.refclassid AND m.objid = d.refobjid AND m.deptype = 'e')
     ORDER BY 1, 2
    SQL
my @calls = grep { !/^(?:hrloop|pg_catalog|IF|VALUES|IN|COALESCE|CASE|AND|ON|ANY|SELECT|EXISTS|FROM|AS|WHERE|LATERAL|NOT|FUNCTION)\b/i } map { /RETURN\b/ ? /(?<![.\w"'])([a-z_]+)\(/g : () } $script =~ /^(?!COMMENT|GRANT)[^\n]*RETURN \(?[^;]*;/mg;
is("@calls", '', 'by their schema');
done_testing();
