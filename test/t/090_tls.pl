# Pay is shown over encrypted connections only, where the switch asks for it (SEC-04).
use strict;
use warnings;
use utf8;

use Hrloop;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $made = eval {
    IPC::Run::run([ qw(openssl req -new -x509 -nodes -days 2 -newkey rsa:2048 -subj /CN=localhost),
        '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', "$dir/key", '-out', "$dir/certificate" ], '>', \my $out, '2>', \my $err);
};
plan skip_all => 'there is no openssl here to make a certificate' unless $made;
chmod 0600, "$dir/key";

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = eval { new_server(conf => <<~"CONF") };
    listen_addresses = '127.0.0.1'
    ssl = on
    ssl_cert_file = '$dir/certificate'
    ssl_key_file = '$dir/key'
    CONF
plan skip_all => 'this PostgreSQL is built without TLS' unless $node;
$node->append_conf('pg_hba.conf', "host all all 127.0.0.1/32 trust\n");
$node->reload;
my $db = new_database($node, 'shop');
install_company($node, $db, 'hr');

# Runs SQL over TCP with options of libpq; returns what it prints, or the error.
sub over {
    my ($options, $sql) = @_;
    utf8::encode($sql);
    my $connstr = 'host=localhost hostaddr=127.0.0.1 port=' . $node->port . " dbname=$db user=alice $options";
    IPC::Run::run [ qw(psql --no-psqlrc --quiet --no-align --tuples-only --set VERBOSITY=verbose --command), $sql, $connstr ],
        '>', \my $out, '2>', \my $err;
    chomp $out;
    return $err eq '' ? $out : $err;
}
my $pay = q{SELECT count(*) > 0 FROM hr.explain_pay('E010')};
my $tls = "sslmode=verify-full sslrootcert=$dir/certificate";
my $cipher = over($tls, 'SELECT version, cipher, bits FROM hrloop.tls()');
like($cipher, qr/^TLSv1\.3\|TLS_AES_256_GCM_SHA384\|256$/, 'the session has TLS_AES_256_GCM_SHA384');
is(over($tls, 'SELECT version, cipher, bits FROM pg_stat_ssl WHERE pid = pg_backend_pid()'), $cipher, 'as PostgreSQL says');
is(over('sslmode=disable', $pay), 't', 'with the switch off, pay is shown without TLS');
is(over('sslmode=disable', q{SELECT status, value FROM hr.health() WHERE code = 'tls'}), 'ok|none', 'and the health report says so');

as_alice($node, $db, q{SELECT hr.set_setting('sec.require_tls', 'true')});
for my $question ($pay, q{SELECT hr.allowance_on('E010', '2023-06-01')}, q{SELECT * FROM hr.payroll_pending}, q{SELECT hr.export_person('E010')},
    q{BEGIN; SELECT hr.act_as('E010'); SELECT * FROM hr.explain_pay('E010')})
{
    like(over('sslmode=disable', $question), qr/ERROR:  28000: pay is shown over encrypted connections only.*no TLS/s, "SEC-04: rejected without TLS: $question");
}
refused($node, $db, $pay, '28000', 'pay is shown', 'SEC-04: and through a local socket');
is(over($tls, $pay), 't', 'SEC-04: shown with TLS_AES_256_GCM_SHA384');
is(over($tls, qq{BEGIN; SELECT count(hr.act_as('E010')); $pay; COMMIT}), "1\nt", 'to the person, too');
is(over($tls, q{SELECT status, value, threshold FROM hr.health() WHERE code = 'tls'}),
    'ok|TLSv1.3 TLS_AES_256_GCM_SHA384 256|256 bits, required', 'SEC-04: the health report shows the cipher');
is(over('sslmode=disable', q{SELECT status, value FROM hr.health() WHERE code = 'tls'}), 'warn|none', 'and warns without');
is(over('sslmode=disable', q{SELECT count(*) > 0 FROM hr.explain_score('2023Q1', 'E010')}), 't', 'what is not pay is shown');
# a role that was only taken, which pg_stat_ssl would not tell
$node->safe_psql($db, 'CREATE ROLE reader; GRANT reader TO alice; GRANT USAGE ON SCHEMA hr TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA hr TO reader; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hr TO reader');
is(over($tls, qq{BEGIN; SET LOCAL ROLE reader; SELECT count(hr.act_as('E010')); $pay; COMMIT}), "1\nt", 'a role that was taken by SET ROLE is not taken for one without TLS');

# tables and notices with pay in them, for those who read them directly
$node->safe_psql($db, q{CREATE ROLE hr_reader; GRANT hr_reader TO alice; GRANT USAGE ON SCHEMA hr TO hr_reader; GRANT SELECT ON ALL TABLES IN SCHEMA hr TO hr_reader; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hr TO hr_reader});
sub read_by { my ($who, $from) = @_; return qq{BEGIN; SELECT count(hr.act_as('$who')); SET LOCAL ROLE hr_reader; SELECT count(*) > 0 FROM hr.$from; COMMIT} }
for ([ E010 => 'salary' ], [ E090 => 'salary' ], [ E090 => 'salary_adjustment' ], [ E090 => 'skill_allowance' ], [ E090 => 'payroll_feed' ], [ E090 => q{decision WHERE kind = 'pay.propose'} ],
     [ E090 => q{audit_entry WHERE table_name = 'salary'} ], [ E010 => q{my_notices WHERE kind LIKE 'pay%'} ])
{
    my ($who, $from) = @$_;
    like(over('sslmode=disable', read_by($who, $from)), qr/28000: pay is shown/, "SEC-04: rejected without TLS: $from, read by $who");
    is(over($tls, read_by($who, $from)), "1\nt", 'shown with it');
}
is(over('sslmode=disable', read_by(E090 => q{decision WHERE kind = 'review.lock'})), "1\nt", 'other decisions are shown without');

# AES of 128 bits is not enough
$node->append_conf('postgresql.conf', "ssl_ciphers = 'ECDHE-RSA-AES128-GCM-SHA256'\nssl_max_protocol_version = 'TLSv1.2'\n");
$node->reload;
$node->poll_query_until($db, q{SELECT setting = 'TLSv1.2' FROM pg_settings WHERE name = 'ssl_max_protocol_version'});
like(over($tls, $pay), qr/28000.*AES128-GCM-SHA256/s, 'SEC-04: a cipher of 128 bits is rejected');
as_alice($node, $db, q{SELECT hr.set_setting('sec.tls_bits', '128')});
is(over($tls, $pay), 't', 'unless sec.tls_bits allows it');

done_testing();
