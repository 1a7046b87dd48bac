# What test/packages installs, test/pg_config finds and make says, on machines of which
# there are only some files: a root directory, and a PATH of programs that record how they
# are called and install from a store.
use strict;
use warnings;

use Cwd;
use File::Path qw(make_path remove_tree);
use PostgreSQL::Test::Utils;
use Test::More;

my $here = getcwd();
my $dir = PostgreSQL::Test::Utils::tempdir();
my ($root, $bin, $store) = map { "$dir/$_" } qw(root bin store);
my @tools = qw(gcc make prove perl);

sub program {
    my ($file, $script) = @_;
    make_path($file =~ s|/[^/]*$||r);
    append_to_file($file, "#!/bin/sh\n$script");
    chmod 0755, $file or die "$file: $!";
    return;
}

# As Debian has it: pg_config and pgxs.mk come with the client, without which there is
# neither a server nor its headers.
sub client {
    my ($base, $major) = @_;
    return if -e "$base/usr/lib/postgresql/$major/bin/pg_config";
    program("$base/usr/lib/postgresql/$major/bin/pg_config", pg_config($major));
    make_path("$base/usr/lib/postgresql/$major/lib");
    append_to_file("$base/usr/lib/postgresql/$major/lib/pgxs.mk", "all:\n\t\@echo building with \$(PG_CONFIG)\n");
    return;
}

sub pg_config {
    my ($major) = @_;
    return <<~"SH";
        case \$1 in
        --version) echo "PostgreSQL $major.3 (Debian $major.3-1)" ;;
        --pgxs) echo "\$ROOT/usr/lib/postgresql/$major/lib/pgxs.mk" ;;
        --bindir) echo "\$ROOT/usr/lib/postgresql/$major/bin" ;;
        --pkglibdir) echo "\$ROOT/usr/lib/postgresql/$major/lib" ;;
        --includedir-server) echo "\$ROOT/usr/include/postgresql/$major/server" ;;
        esac
        SH
}

sub server {
    my ($base, $major) = @_;
    client($base, $major);
    program("$base/usr/lib/postgresql/$major/bin/initdb", '');
    return;
}

sub headers {
    my ($base, $major) = @_;
    client($base, $major);
    make_path("$base/usr/include/postgresql/$major/server");
    append_to_file("$base/usr/include/postgresql/$major/server/postgres.h", '');
    return;
}

for my $major (14 .. 18) {
    server("$store/postgresql-$major", $major);
    headers("$store/postgresql-server-dev-$major", $major);
}
make_path(map { "$store/$_" } 'postgresql', 'libc6-dev', 'libipc-run-perl', 'valgrind', @tools);

# A machine has clients, servers and headers of some major versions, a pg_config of one in
# PATH or the newest's (Debian's wrapper), packages of some with one that is the
# distribution's own, tools, rights (root, sudo or none), and lists of packages or not yet.
my %machine;

sub machine {
    %machine = (clients => [], servers => [], headers => [], path => undef, packages => [15], own => 15,
        tools => \@tools, rights => 'root', lists => 1, libc => 1, apt => 1, given => undef, @_);
    remove_tree($root, $bin);
    make_path($root, $bin);
    client($root, $_) for @{ $machine{clients} };
    server($root, $_) for @{ $machine{servers} };
    headers($root, $_) for @{ $machine{headers} };
    if ($machine{libc}) {
        make_path("$root/usr/include");
        append_to_file("$root/usr/include/stdio.h", '');
    }
    symlink_tool($_) for qw(sh echo sed find sort head dirname env cp touch), @{ $machine{tools} };
    my $known = join ' ', 'postgresql', 'libc6-dev', 'libipc-run-perl', 'valgrind', @tools,
        map { ("postgresql-$_", "postgresql-server-dev-$_") } @{ $machine{packages} };
    program("$bin/id", $machine{rights} eq 'root' ? "echo 0\n" : "echo 1000\n");
    program("$bin/sudo", qq{echo sudo >>$root/log\nexec "\$@"\n}) if $machine{rights} eq 'sudo';
    program("$bin/apt-cache", <<~"SH") if $machine{apt};
        [ -e $root/lists ] || exit 100
        case \$1 in
        show) case " $known " in *" \$2 "*) ;; *) exit 100 ;; esac ;;
        depends) printf 'postgresql\\n  Depends: postgresql-common\\n  Depends: postgresql-$machine{own}\\n' ;;
        esac
        SH
    program("$bin/apt-get", <<~"SH") if $machine{apt};
        [ \$1 != update ] || exec touch $root/lists
        for package; do
            case \$package in install | -*) continue ;; esac
            case " $known " in *" \$package "*) ;; *) exit 100 ;; esac
            echo \$package >>$root/log
            cp -R $store/\$package/. $root
        done
        SH
    append_to_file("$root/lists", '') if $machine{lists};
    if (($machine{path} // '') eq 'newest') {
        my ($newest) = sort { $b <=> $a } map { @{ $machine{$_} } } qw(clients servers headers);
        program("$bin/pg_config", qq{exec $root/usr/lib/postgresql/$newest/bin/pg_config "\$@"\n}) if $newest;
    }
    elsif (defined $machine{path}) {
        program("$bin/pg_config", pg_config($machine{path}));
    }
    return;
}

sub symlink_tool {
    my ($name) = @_;
    my ($there) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH};
    # a compiler is asked for, and not called
    return $there ? symlink($there, "$bin/$name") : program("$bin/$name", '');
}

# Runs a command there: how it ended, what it said.
sub there {
    my (@command) = @_;
    local %ENV = (PATH => $bin, ROOT => $root, defined $machine{given} ? (PG_CONFIG => $machine{given}) : ());
    my $out = '';
    my $ok = IPC::Run::run(\@command, '>', \$out, '2>&1');
    return ($ok, $out);
}

# What was installed, in order of the alphabet, "sudo" if by it.
sub installed { return -e "$root/log" ? join ' ', sort split /\n/, slurp_file("$root/log") : '' }

# What becomes of a machine: what is installed for "make demo", which pg_config is used
# then (by its major version), or why not.
sub becomes {
    my ($ok, $said) = there("$here/test/packages", 'demo');
    return (installed(), $said) unless $ok;
    my ($found, $path) = there("$here/test/pg_config");
    return (installed(), 'found none: ' . $path) unless $found;
    chomp $path;
    my (undef, $version) = there($path, '--version');
    return (installed(), $version =~ /PostgreSQL (\d+)/);
}

# ------------------------------------------------- machines that people have

my @cases = (
    [ 'all is there',
        { servers => [15], headers => [15], path => 'newest' }, '', 15 ],
    [ 'Debian 12 with nothing',
        { lists => 0, tools => [], libc => 0 }, 'gcc libc6-dev make postgresql-15 postgresql-server-dev-15', 15 ],
    [ 'a server and libpq-dev, but no headers',
        { servers => [15], path => 'newest' }, 'postgresql-server-dev-15', 15 ],
    [ 'headers and no server',
        { headers => [15], path => 'newest' }, 'postgresql-15', 15 ],
    [ 'no pg_config in PATH',
        { servers => [15], headers => [15] }, '', 15 ],
    [ 'a server and no pg_config',
        { servers => [15] }, 'postgresql-server-dev-15', 15 ],
    [ q{libpq-dev is of a later version than the server, as from PostgreSQL's repository},
        { servers => [15], path => 18, packages => [ 15 .. 18 ], own => 18 }, 'postgresql-server-dev-15', 15 ],
    [ 'so is a client',
        { servers => [15], headers => [15], clients => [17], path => 'newest', packages => [ 15 .. 18 ] }, '', 15 ],
    [ 'a server of an earlier Debian, whose headers are gone',
        { servers => [15], path => 'newest', packages => [17], own => 17 }, 'postgresql-17 postgresql-server-dev-17', 17 ],
    [ 'headers of two, a server of one',
        { servers => [16], headers => [ 16, 17 ], path => 'newest', packages => [ 15 .. 18 ] }, '', 16 ],
    [ 'headers and server of 14, and 15 can be had',
        { servers => [14], headers => [14], path => 'newest' }, 'postgresql-15 postgresql-server-dev-15', 15 ],
    [ 'PG_CONFIG says which headers',
        { servers => [ 15, 17 ], headers => [ 15, 17 ], path => 'newest', given => "$root/usr/lib/postgresql/15/bin/pg_config" }, '', 15 ],
    [ 'PG_CONFIG says which to complete',
        { servers => [ 15, 17 ], headers => [17], path => 'newest', given => "$root/usr/lib/postgresql/15/bin/pg_config" }, 'postgresql-server-dev-15', 15 ],
    [ 'PG_CONFIG of 14',
        { servers => [ 14, 15 ], headers => [ 14, 15 ], given => "$root/usr/lib/postgresql/14/bin/pg_config" }, '', qr/15 or later, and .* belongs to 14/ ],
    [ 'PG_CONFIG is not there', { given => '/nowhere/pg_config' }, '', qr/^PG_CONFIG=\S+ is not there$/ ],
    [ 'PG_CONFIG is something else', { given => "$bin/sed" }, '', qr/headers.* are missing/ ],
    [ 'packages of 14 only', { packages => [14], own => 14 }, '', qr/15 or later.*seen: 14/ ],
    [ 'somebody with sudo', { rights => 'sudo', lists => 0 }, 'postgresql-15 postgresql-server-dev-15 sudo sudo', 15 ],
    [ 'somebody without', { rights => 'none' }, '', qr/as root:\n +apt-get install postgresql-server-dev-15 postgresql-15$/ ],
    [ 'somebody without, on a new machine', { rights => 'none', lists => 0, libc => 0 }, '', qr/apt-get update && apt-get install libc6-dev postgresql postgresql-server-dev-all$/ ],
    [ 'another system', { apt => 0 }, '', qr/missing here.*postgresql-NN postgresql-server-dev-NN.*dnf install/s ],
    [ 'another system, with all', { apt => 0, servers => [16], headers => [16], path => 16, libc => 0 }, '', 16 ],
);
for my $case (@cases) {
    my ($name, $machine, $packages, $end) = @$case;
    machine(%$machine);
    my ($installs, $becomes) = becomes();
    is($installs, $packages, "$name: what is installed");
    ref $end ? like($becomes, $end, "$name: what is said") : is($becomes, $end, "$name: what is used");
}

# The other targets' packages.
machine(servers => [15], headers => [15]);
there("$here/test/packages", 'bench');
is(installed(), -x "$bin/valgrind" ? '' : 'valgrind', 'make bench-instructions wants valgrind');

# -------------------------------------------------------------- plain make

for my $case (
    [ {}, qr/postgresql-server-dev-15 or later \(Debian/ ],
    [ { servers => [17], path => 'newest' }, qr/postgresql-server-dev-17 \(Debian/ ],
    [ { servers => [14], headers => [14], path => 'newest' }, qr/needs PostgreSQL 15 or later/ ],
    [ { headers => [15], given => '/nowhere' }, qr|PG_CONFIG=/nowhere is not there| ])
{
    machine(%{ $case->[0] });
    for my $target (qw(all install)) {
        my ($ok, $said) = there('make', $target);
        like($said, qr/^Makefile:\d+: \*\*\* .*$case->[1].*  Stop\.\n\z/, "make $target says in one line what is missing");
    }
    my ($ok, $said) = there('make', '-n', 'demo', 'test', 'lint', 'bench');
    ok($ok, 'and make demo, test, lint and bench get as far as installing it') or diag $said;
}
machine(servers => [15], headers => [15], clients => [17], path => 'newest');
my ($ok, $said) = there('make', 'all');
is($said, "building with $root/usr/lib/postgresql/15/bin/pg_config\n", 'make builds where the headers are');
($ok, $said) = there('make', 'all', 'PG_CONFIG=pg_config');
is($said, "building with $root/usr/lib/postgresql/15/bin/pg_config\n", 'also if told to use the one in PATH');

# ---------------------------------------------- all that can be put together
# Whatever a machine has: it can be completed if there is a version that can; then its
# headers and server are there; nothing is installed that need not be, and nothing at all
# if it cannot be completed.

my ($machines, $wrong) = (0, 0);
for my $servers ([], [15], [ 14, 16 ]) {
    for my $headers ([], [14], [15], [ 15, 17 ]) {
        for my $path (undef, 'newest', 17) {
            for my $packages ([14], [15], [ 16, 17 ]) {
                for my $given (undef, 15, 16) {
                    my $own = $packages->[-1];
                    next if defined $given && !grep { $_ == $given } @$servers, @$headers;
                    machine(servers => $servers, headers => $headers, path => $path, packages => $packages, own => $own, lists => $machines % 2,
                        rights => $machines % 3 ? 'root' : 'sudo',
                        defined $given ? (given => "$root/usr/lib/postgresql/$given/bin/pg_config") : ());
                    $machines++;
                    my ($installs, $becomes) = becomes();
                    $installs =~ s/ ?\bsudo\b ?//g;
                    my $has = sub { my ($list, $major) = @_; return scalar grep { $_ == $major } @$list };
                    my @majors = grep { $_ >= 15 } defined $given ? $given : (@$servers, @$headers, $own);
                    my @can = grep { ($has->($servers, $_) || $has->($packages, $_)) && ($has->($headers, $_) || $has->($packages, $_)) } @majors;
                    my @whole = grep { $has->($servers, $_) && $has->($headers, $_) } @majors;
                    my $well;
                    if (@can) {
                        my $used = $becomes =~ /^(1[5-9])$/ ? $1 : 0;
                        my $lacks = join ' ', $has->($servers, $used) ? () : "postgresql-$used", $has->($headers, $used) ? () : "postgresql-server-dev-$used";
                        $well = $has->(\@can, $used) && $installs eq $lacks && (!@whole || $lacks eq '');
                    }
                    else {
                        $well = $installs eq '' && $becomes =~ /15 or later|missing/;
                    }
                    next if $well;
                    $wrong++;
                    diag explain(\%machine), "installs $installs\nbecomes $becomes";
                }
            }
        }
    }
}
is($wrong, 0, "$machines machines");

done_testing();
