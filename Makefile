# hrloop: performance, development and pay loop for PostgreSQL 15 and later.
#
#   make && make install      build and install, by the pg_config that test/pg_config finds: the one in
#                             PATH if the server's headers are with it, or PG_CONFIG=/path/to/pg_config
#   make demo                 a company goes once round the loop (KEEP=1 leaves the server running)
#   make test                 the whole test suite (ONLY=regex runs a part, as in ONLY=sql/pay)
#   make lint                 static analysis of the C files, whether any asks what stands above it, and what is too long: lines and
#                             functions of SQL, expected outputs
#   make layers               draws who asks whom among the C files
#   make format               lays the C files out as PostgreSQL's own, and breaks lines of SQL at 120 characters
#   make test-assert          the suite on a PostgreSQL with assertions (built once, in /var/tmp)
#   make test-valgrind        the suite under valgrind, for a night (ONLY= as above)
#   make test-releases        demo and test on bare Debians of each supported PostgreSQL (RELEASES='bookworm trixie forky')
#   make test-upgrade         pg_upgrade and dump of a company, FROM=15 TO=18
#   make worlds               whether anybody is told what they may not know, secret by secret (half an hour)
#   make test-restored        isolation specs and mixed load on books restored into other clusters (an hour)
#   make compare WITH=revision  what differs in books and rows from those of another revision
#   make smith                random queries of sqlsmith (QUERIES=n, SEED=n)
#   make real CSV=file        the loop over a file of real data
#   make bench                how fast it is, against the same rows written by plain SQL and
#                             by PL/pgSQL triggers (PEOPLE=n, RATERS=n, ROUNDS=n, WORKS='bulk lock')
#   make bench-instructions   the same in instructions, which do not depend on the machine's load
#   make bench-verbs          what one call of a verb costs, beside the INSERT and an application (PEOPLE=n)
#   make growth               whether calls get slower by what they are not about (PEOPLE= CYCLES= MORE_CYCLES= MORE_PEOPLE=)
#   make bench-verify         what verify() costs, part by part, beside reading its tables (PEOPLE=n)
#   make installcheck         the regression scripts against a server that is already running
#
# demo, test, real and bench install nothing but missing Debian packages: they build a
# private copy of PostgreSQL in a temporary directory and remove it afterwards.

EXTENSION  = hrloop
MODULE_big = hrloop

# The C files in four layers, and in each in the order in which they build on each other:
# a file asks only what stands before it (make lint).  The ground knows no room; the guard
# is who acts, what they see, what is noted, and which consequences follow; scores are what
# more than one room knows of them; and of the rooms none knows another.
GROUND    = exact invalidate ids cells called books_scope books books_sql books_privileges books_require \
            books_script books_install books_migrate books_restore transaction growth plan_cache kept_plan kept_run kept table cache
GUARD     = day access visible erasure audit_digest audit_lane audit_subject audit_row audit_entry \
            audit_erasure audit audit_attach audit_log privacy trigger follow
SCORES    = score_row facts
ROOMS_C   = decision signal pay score review_composite review_write review_scores review_lock review_rater review
MODULES_C = $(filter-out exact,$(GROUND)) $(GUARD) $(SCORES) $(ROOMS_C) hrloop

# The rooms of the books, in the order in which they build on each other.  All tables come
# before all code, so that no room waits for another.  A room is one file, in which its tables
# end at the line "-- code"; a large one is a folder: tables, what is set and refused, what
# follows, what is called, what is shown.  What checks a room's figures is
# src/verify/<room>.sql, and comes with the room verify.
ROOMS     = books org signal indicator review rater segment appeal calibrate measure develop learn mentor pay talent approve workflow clock insight period privacy audit verify health access

# hrloop.control is the only place that says which version this is.
# (PostgreSQL's own makefile uses the name VERSION for the server's.)
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" hrloop.control)

PARTS      = rule follow verb view
CHECKS     = $(patsubst %,src/verify/%.sql,$(filter $(patsubst src/verify/%.sql,%,$(wildcard src/verify/*.sql)),$(ROOMS)))
tables_of  = $(or $(wildcard src/books/$(1)/table.sql),$(if $(findstring -- code -,$(file <src/books/$(1).sql)),src/books/$(1).sql))
code_of    = $(or $(wildcard $(PARTS:%=src/books/$(1)/%.sql)),src/books/$(1).sql)
TABLE_FILES = src/books/register.sql $(foreach room,$(ROOMS),$(call tables_of,$(room)))
CODE_FILES  = $(foreach room,$(ROOMS),$(if $(filter verify,$(room)),$(CHECKS)) $(call code_of,$(room)))

OBJS       = $(MODULES_C:%=src/engine/%.o)
ENGINE_SQL = hrloop--$(EXTVERSION).sql
BOOKS_SQL  = hrloop-books--$(EXTVERSION).sql
DATA_built = $(ENGINE_SQL) $(BOOKS_SQL)

# What leads here from earlier versions: hrloop--OLD--NEW.sql for the engine,
# hrloop-books--OLD--NEW.sql for the books.
DATA       = $(wildcard src/upgrade/*.sql)

# The define goes into CPPFLAGS because bitcode for the JIT is compiled with
# those alone.  The last three warnings are off as PostgreSQL's own headers and
# its calling convention set them off.  "make WERROR=" is for a compiler that
# knows warnings we have not met.
WERROR      ?= -Werror
PG_CPPFLAGS  = -DHRLOOP_VERSION='"$(EXTVERSION)"'
PG_CFLAGS    = -Wall -Wextra $(WERROR) \
               -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

# Only what PostgreSQL looks up by name leaves the library.  -fvisibility=hidden
# cannot do this before PostgreSQL 16, whose PG_FUNCTION_INFO_V1 is the first
# that exports the function itself.
SHLIB_EXPORTS = exports.txt

# A script about a room runs at that room's turn, any other after them.
scripts      = $(patsubst sql/%.sql,%,$(wildcard sql/*.sql))
REGRESS      = $(filter $(scripts),$(ROOMS)) $(sort $(filter-out $(ROOMS),$(scripts)))
REGRESS_OPTS = --encoding=UTF8

# Also what an earlier version built.
EXTRA_CLEAN = $(wildcard hrloop--*.sql hrloop-books--*.sql)

# Empty where building is not possible, or not yet: demo, test and their like install
# what is missing, and by then this file has been read.
USABLE := $(shell PG_CONFIG='$(PG_CONFIG)' test/pg_config 2>/dev/null)

ifneq (,$(USABLE))

override PG_CONFIG := $(USABLE)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS tracks headers only if PostgreSQL was configured to; these are few and small.
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/engine/*.h) Makefile hrloop.control

$(ENGINE_SQL): src/engine/engine.sql Makefile hrloop.control
	sed 's/@VERSION@/$(EXTVERSION)/g' $< > $@

# What hrloop.install() runs.  PostgreSQL itself never reads this file: by its
# name it would belong to an extension "hrloop-books", and there is none.
$(BOOKS_SQL): $(TABLE_FILES) $(CODE_FILES) Makefile hrloop.control
	set -e; exec > $@; \
	for file in $(TABLE_FILES); do echo "-- $$file"; sed '/^-- code -/,$$d' $$file; done; \
	for file in $(CODE_FILES); do echo "-- $$file"; \
		if grep -q '^-- code -' $$file; then sed '1,/^-- code -/d' $$file; else cat $$file; fi; done

.DELETE_ON_ERROR:

else

all install uninstall installcheck clean:
	$(error $(shell PG_CONFIG='$(PG_CONFIG)' test/pg_config 2>&1))

endif

.PHONY: demo test worlds test-assert test-valgrind test-restored test-releases test-upgrade compare smith lint layers format real bench bench-instructions bench-verify bench-verbs growth

demo:
	@test/packages
	@test/server psql -X -q -P pager=off -v ON_ERROR_STOP=1 -f test/demo.sql

test:
	@test/packages test
	@SANITIZE=undefined WITH_MODULES=1 REGRESS='$(REGRESS)' test/server test/run

# For the night: the suite on a PostgreSQL with assertions, and under valgrind.
# Its first run builds that PostgreSQL.  SETTINGS="debug_discard_caches=1" makes
# every cache forget at every occasion; it and valgrind are slow, so take a part.
test-assert:
	@test/packages debug
	@PG_CONFIG=$$(test/debug-postgres) && export PG_CONFIG && WITH_MODULES=1 REGRESS='$(REGRESS)' test/server test/run

test-valgrind:
	@test/packages debug
	@PG_CONFIG=$$(test/debug-postgres) && export PG_CONFIG && VALGRIND=1 JOBS=1 WITH_MODULES=1 REGRESS='$(REGRESS)' test/server test/run

# Other releases in their own directories, made by debootstrap and kept in /var/tmp.
test-releases:
	@test/packages releases
	@test/releases

test-upgrade:
	$(if $(and $(FROM),$(TO)),,$(error say from which PostgreSQL to which: make test-upgrade FROM=15 TO=18))
	@test/packages releases
	@test/upgrade $(FROM) $(TO)

# Each secret by itself, and everybody who asks.
worlds:
	@test/packages test
	@HRLOOP_WORLDS=all ONLY=t/190 WITH_MODULES=1 REGRESS= test/server test/run

# Books that were restored into a cluster that counts otherwise (an hour).
test-restored:
	@test/packages test
	@test/server test/restored

compare:
	$(if $(WITH),,$(error say with which revision: make compare WITH=main))
	@test/packages
	@test/compare '$(WITH)'

smith:
	@test/packages smith
	@PG_CONFIG=$$(test/debug-postgres) && export PG_CONFIG && SANITIZE=undefined test/server test/smith

lint:
	@test/packages lint
	@test/lint

layers:
	@test/layers draw

format:
	@test/packages format
	@test/format
	@test/sql_lines src/books/*.sql src/books/*/*.sql src/verify/*.sql src/engine/engine.sql

# The script reads the copy that test/server makes, ./real.csv: the server's
# unprivileged user may not be able to read the original.
real:
	$(if $(CSV),,$(error say which file to read: make real CSV=path/to/file.csv))
	$(if $(wildcard $(CSV)),,$(error there is no file $(CSV)))
	@test/packages
	@CSV='$(CSV)' test/server psql -X -q -P pager=off -v ON_ERROR_STOP=1 -f test/real.sql

# Compiling differs from run to run by more than what is measured.
define newline


endef
bench bench-instructions bench-verbs growth: export SETTINGS := $(SETTINGS)$(newline)jit = off
bench:
	@test/packages
	@test/server test/bench/run

bench-instructions:
	@test/packages bench
	@INSTRUCTIONS=1 PEOPLE=$${PEOPLE:-400} test/server test/bench/run

bench-verify:
	@test/packages
	@test/server psql -X -q -v people=$${PEOPLE:-1000} -f test/bench/verify.sql

bench-verbs:
	@test/packages
	@WITH_MODULES=1 test/server psql -X -q -v people=$${PEOPLE:-500} -f test/bench/verbs.sql

# Sizes that are not given are those of the script.
growth:
	@test/packages
	@test/server psql -X -q -f test/bench/growth.sql \
		$(foreach v,people cycles more_cycles more_people verify,$(if $($(shell echo $v | tr a-z A-Z)),-v $v=$($(shell echo $v | tr a-z A-Z))))
