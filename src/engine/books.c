/*
 * books.c - one company's schema: made, brought up to date, listed, restored.
 *
 * The extension owns code only.  Tables, views, functions and triggers are
 * made by a plain SQL script, run here as the caller with the search_path
 * pinned to the new schema, so that they belong to whoever called install()
 * and are dumped and restored like any other table.
 */
#include "hrloop.h"

#include "books.h"
#include "invalidate.h"

#include <unistd.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "jit/jit.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(hrloop_install);
PG_FUNCTION_INFO_V1(hrloop_migrate);
PG_FUNCTION_INFO_V1(hrloop_list_books);
PG_FUNCTION_INFO_V1(hrloop_pre_restore);
PG_FUNCTION_INFO_V1(hrloop_post_restore);
PG_FUNCTION_INFO_V1(hrloop_version);
PG_FUNCTION_INFO_V1(hrloop_define);

/* ---------------------------------------------------------------- version */

typedef struct BooksEntry
{
	Oid			books;			/* hash key: schema */
	Oid			book_table;
	bool		current;		/* version seen to be the library's */
	bool		readable;		/* that, or an older one */
} BooksEntry;

static HTAB *known;
static Oid	migrating;			/* the books that migrate() is at work on */

/* Only flags: nothing may be read or freed inside an invalidation callback. */
static void
forget_version(Oid relid)
{
	HASH_SEQ_STATUS seq;
	BooksEntry *entry;

	hash_seq_init(&seq, known);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relid) || entry->book_table == relid)
			entry->current = entry->readable = false;
}

void
hr_books_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(BooksEntry);
	known = hash_create("hrloop books", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	hr_on_change(forget_version);
}

/*
 * The version that a `book` table states, or NULL.  Read from the heap, so
 * that looking at somebody's schema never runs somebody's code.
 */
static char *
stated_version(Oid book_table)
{
	Relation	rel = try_relation_open(book_table, AccessShareLock);
	TableScanDesc scan;
	TupleTableSlot *slot;
	char	   *version = NULL;
	int			attno;

	if (rel == NULL)
		return NULL;
	attno = rel->rd_rel->relkind == RELKIND_RELATION
		? SPI_fnumber(RelationGetDescr(rel), "version") : 0;
	if (attno > 0 && SPI_gettypeid(RelationGetDescr(rel), attno) == TEXTOID)
	{
		slot = table_slot_create(rel, NULL);
		scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
		if (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		{
			bool		null;
			Datum		value = slot_getattr(slot, attno, &null);

			if (!null)
				version = TextDatumGetCString(value);
		}
		table_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
	}
	table_close(rel, AccessShareLock);
	return version;
}

/* Which of two versions such as 0.10.2 is the later one: > 0 if it is a. */
static int
compare_versions(const char *a, const char *b)
{
	while (*a || *b)
	{
		char	   *rest_a;
		char	   *rest_b;
		long		number_a = strtol(a, &rest_a, 10);
		long		number_b = strtol(b, &rest_b, 10);

		if (number_a != number_b)
			return number_a > number_b ? 1 : -1;
		if (rest_a == a || rest_b == b)
			return strcmp(a, b);
		a = rest_a + (*rest_a == '.');
		b = rest_b + (*rest_b == '.');
	}
	return 0;
}

/*
 * Refuse books that were made for another version of the library.  Books that
 * wait for their migration are read as before; books from a later version are
 * not, as nobody here knows what their columns mean.
 */
static void
require_version(Oid books, bool to_write)
{
	BooksEntry *entry = hash_search(known, &books, HASH_FIND, NULL);
	bool		found;
	Oid			book_table;
	char	   *version;
	int			order;

	if (books == migrating || (entry && (to_write ? entry->current : entry->readable)))
		return;

	book_table = get_relname_relid("book", books);
	version = OidIsValid(book_table) ? stated_version(book_table) : NULL;
	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("schema \"%s\" does not hold books of hrloop",
						get_namespace_name(books)),
				 errhint("Make them with hrloop.install().")));
	order = compare_versions(version, HRLOOP_VERSION);
	if (order > 0 || (order < 0 && to_write))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("books \"%s\" are of version %s, the library is %s",
						get_namespace_name(books), version, HRLOOP_VERSION),
				 order < 0
				 ? errhint("Run ALTER EXTENSION hrloop UPDATE, then SELECT hrloop.migrate(%s).",
						   quote_literal_cstr(get_namespace_name(books)))
				 : errhint("Connect again if hrloop was upgraded after this session began, else install hrloop %s.",
						   version)));

	entry = hash_search(known, &books, HASH_ENTER, &found);
	entry->book_table = book_table;
	entry->current = order == 0;
	entry->readable = true;
}

void
hr_books_check(Oid books)
{
	require_version(books, true);
}

/* The books that a `book` table stands for, to read or to write them. */
static Oid
books_of(Oid book_table, bool to_write)
{
	Oid			books = get_rel_namespace(book_table);
	char	   *name = get_rel_name(book_table);

	if (!OidIsValid(books) || name == NULL || strcmp(name, "book") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 name ? errmsg("\"%s\" is not the book table of any books", name)
				 : errmsg("relation %u does not exist", book_table),
				 errhint("Books are handed over as 'schema.book'::regclass.")));
	require_version(books, to_write);
	return books;
}

Oid
hr_books_of(Oid book_table)
{
	return books_of(book_table, true);
}

Oid
hr_books_to_read(Oid book_table)
{
	return books_of(book_table, false);
}

/* ------------------------------------------------------------------ scope */

Oid
hr_books_owner(Oid book_table)
{
	Relation	rel = relation_open(book_table, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;

	relation_close(rel, AccessShareLock);
	return owner;
}

/* The books, for who has the rights of their owner. */
Oid
hr_owned(Oid book_table, const char *what)
{
	Oid			books = hr_books_of(book_table);

	if (!has_privs_of_role(GetUserId(), hr_books_owner(book_table)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only the owner of the books can %s", what)));
	return books;
}

static void
set_for_scope_as(GucContext who, const char *name, const char *value)
{
	(void) set_config_option(name, value, who, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static void
set_for_scope(const char *name, const char *value)
{
	set_for_scope_as(PGC_USERSET, name, value);
}

static int
pin_search_path(const char *path)
{
	int			level = NewGUCNestLevel();

	set_for_scope("search_path", path);
	return level;
}

void
hr_scope_enter(HrScope *scope, Oid owner)
{
	GetUserIdAndSecContext(&scope->user, &scope->security);
	SetUserIdAndSecContext(owner, scope->security |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	scope->guc_level = pin_search_path("pg_catalog, pg_temp");
	/*
	 * What runs in a scope looks rows up by key, and its plans are kept, those
	 * of foreign keys included: one made on the day a table was empty would
	 * otherwise read all of it for one row.  A table without another way to be
	 * read seems to cost so much then that it would be worth compiling.
	 */
	if (enable_seqscan)
		set_for_scope("enable_seqscan", "off");
	if (jit_enabled)
		set_for_scope("jit", "off");
	/* a plan for one key looks cheaper than one for ten, but not with planning */
	if (plan_cache_mode != PLAN_CACHE_MODE_FORCE_GENERIC_PLAN)
		set_for_scope("plan_cache_mode", "force_generic_plan");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "hrloop: SPI_connect failed");
}

void
hr_scope_leave(HrScope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "hrloop: SPI_finish failed");
	AtEOXact_GUC(true, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->security);
}

/*
 * A scope that reads what is committed now, whatever snapshot the query has:
 * who may see what must not be remembered from the past.  A parallel query can
 * take no new snapshot; what is read there holds for its statement alone, which
 * is then returned, else 0.
 */
TimestampTz
hr_scope_enter_latest(HrScope *scope, Oid owner)
{
	hr_scope_enter(scope, owner);
	if (IsInParallelMode())
	{
		PushActiveSnapshot(GetActiveSnapshot());
		return GetCurrentStatementStartTimestamp();
	}
	PushActiveSnapshot(GetLatestSnapshot());
	return 0;
}

void
hr_scope_leave_latest(HrScope *scope)
{
	PopActiveSnapshot();
	hr_scope_leave(scope);
}

/* ---------------------------------------------------------------- scripts */

static void require_own_schema(Oid books, const char *schema);

/* What a user may have set that would make other books of the same script. */
static const char *const script_settings[][2] = {
	{"standard_conforming_strings", "on"},
	{"escape_string_warning", "off"},
	{"transform_null_equals", "off"},
	{"array_nulls", "on"},
	{"check_function_bodies", "on"},
	{"row_security", "on"},
	{"quote_all_identifiers", "off"},
	{"DateStyle", "ISO, YMD"},
	{"IntervalStyle", "postgres"}
};

/* Unqualified names mean the books', strings and dates what the script's author meant. */
static int
pin_for_script(const char *schema)
{
	int			level = pin_search_path(psprintf("%s, hrloop, pg_temp", quote_identifier(schema)));

	for (int i = 0; i < (int) lengthof(script_settings); i++)
		set_for_scope(script_settings[i][0], script_settings[i][1]);
	/* what a script writes has consequences, also in a session that loads rows without */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		set_for_scope_as(PGC_SUSET, "session_replication_role", "origin");
	return level;
}

/*
 * Places in the server's lock table, with room to grow: to make books, and to drop
 * them.  t/012_conditions counts.
 */
#define LOCKS_TO_INSTALL 2500
#define LOCKS_TO_DROP 5000

/* If the server's lock table is too small for books, say how large it must be. */
static void
hint_at_locks(void)
{
	int			transactions = MaxBackends + max_prepared_xacts;
	int			places = max_locks_per_xact * transactions;

	if (geterrcode() == ERRCODE_OUT_OF_MEMORY && places < LOCKS_TO_INSTALL)
		errhint("Set max_locks_per_transaction to %d or more and start the server again: the books take up to %d locks, and %d to drop them; there is room for some %d.",
				LOCKS_TO_DROP / transactions + 1, LOCKS_TO_INSTALL, LOCKS_TO_DROP, places);
}

/*
 * The texts that books bring are Chinese and English, and what people write is counted
 * by characters, which a database of no encoding cannot tell from bytes.
 */
static void
require_characters(void)
{
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("books cannot be made in a database with encoding SQL_ASCII"),
			 errdetail("It does not tell characters from bytes."),
			 errhint("Make the database with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.")));
}

/* A script in the database's encoding. */
static char *
in_own_encoding(char *text, int length)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *converted = NULL;

	PG_TRY();
	{
		converted = pg_any_to_server(text, length, PG_UTF8);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_UNTRANSLATABLE_CHARACTER &&
			error->sqlerrcode != ERRCODE_UNDEFINED_FUNCTION)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("encoding %s cannot hold the Chinese texts of the books", GetDatabaseEncodingName()),
				 errdetail("%s.", error->message),
				 errhint("Make the database with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.")));
	}
	PG_END_TRY();
	return converted;
}

typedef struct ScriptPlace
{
	const char *file;
	const char *script;
	int			location;
	const char *event_triggers; /* of the database: they may be to blame */
} ScriptPlace;

static void
script_context(void *arg)
{
	ScriptPlace *place = arg;
	int			line = 1;

	for (int i = 0; i < place->location; i++)
		line += place->script[i] == '\n';
	errcontext("line %d of %s", line, place->file);
	if (place->event_triggers)
		errcontext("event triggers took part: %s", place->event_triggers);
	hint_at_locks();
}

static char *
share_directory(void)
{
	char		share[MAXPGPATH];

	get_share_path(my_exec_path, share);
	return psprintf("%s/extension", share);
}

static char *
read_script(const char *file)
{
	char	   *path = psprintf("%s/%s", share_directory(), file);
	FILE	   *in = AllocateFile(path, PG_BINARY_R);
	StringInfoData text;
	char		buffer[8192];
	size_t		got;

	if (in == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open script \"%s\": %m", path),
				 errhint("The library and its scripts must be installed together.")));
	initStringInfo(&text);
	while ((got = fread(buffer, 1, sizeof(buffer), in)) > 0)
		appendBinaryStringInfo(&text, buffer, got);
	if (ferror(in))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read script \"%s\": %m", path)));
	FreeFile(in);
	return in_own_encoding(text.data, text.len);
}

static void
execute(const char *sql)
{
	int			rc = SPI_execute(sql, false, 0);

	if (rc < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a function cannot run this statement: %s", sql),
				 errdetail("%s.", SPI_result_code_string(rc))));
}

/*
 * A statement of a script.  What it needs is pinned for each of them, as an event trigger
 * that takes part in one may set what it likes.
 */
void
hr_execute_for_script(const char *schema, const char *sql)
{
	int			level = pin_for_script(schema);

	execute(sql);
	AtEOXact_GUC(true, level);
}

/* A query whose names are the catalog's, whatever the caller or an event trigger has set. */
static void
execute_plainly(const char *query)
{
	int			level = pin_search_path("pg_catalog, pg_temp");

	execute(query);
	AtEOXact_GUC(true, level);
}

/* The first column of a query's only row, or NULL. */
static char *
single_text(const char *query)
{
	execute_plainly(query);
	return SPI_processed == 1 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
}

/* Run each of the statements that a query makes. */
static void
execute_each(const char *query)
{
	SPITupleTable *rows;
	uint64		count;

	execute_plainly(query);
	rows = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		execute_plainly(SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
	SPI_freetuptable(rows);
}

/* Tables and routines of some books, with what grants and default privileges call their kind. */
static char *
objects_query(Oid books)
{
	return psprintf("(SELECT pg_catalog.concat('c', c.oid) AS key, CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END AS kind,"
					"        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word, c.oid::pg_catalog.regclass::text AS name, c.relowner AS owner"
					"   FROM pg_catalog.pg_class c"
					"  WHERE c.relnamespace OPERATOR(pg_catalog.=) %u AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,S}'::\"char\"[])"
					" UNION ALL SELECT pg_catalog.concat('p', p.oid), 'f', 'ROUTINE', p.oid::pg_catalog.regprocedure::text, p.proowner"
					"   FROM pg_catalog.pg_proc p WHERE p.pronamespace OPERATOR(pg_catalog.=) %u) o", books, books);
}

/* Which there are, for the next ones. */
static char *
objects(Oid books)
{
	return single_text(psprintf("SELECT coalesce(pg_catalog.array_agg(o.key), '{}')::text FROM %s",
								objects_query(books)));
}

/*
 * Functions are callable by PUBLIC unless told otherwise; the books are not.
 * Those that stood before, the owner's own among them, keep their grants.
 */
static void
close_to_public(Oid books, const char *before)
{
	execute_each(psprintf("SELECT pg_catalog.format('REVOKE EXECUTE ON ROUTINE %%s FROM PUBLIC', pg_catalog.string_agg(o.name, ', ')) FROM %s"
						  " WHERE o.kind OPERATOR(pg_catalog.=) 'f' AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[])"
						  " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0",
						  objects_query(books), before));
}

/* Default privileges of who runs a script, for some kinds in some books: whom they give something. */
static char *
default_privileges(Oid books, const char *kinds)
{
	return psprintf("pg_catalog.pg_default_acl d"
					" CROSS JOIN LATERAL (SELECT DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'"
					"     ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END"
					"     FROM pg_catalog.aclexplode(d.defaclacl) a WHERE a.grantee OPERATOR(pg_catalog.<>) d.defaclrole) AS g (grantee)"
					" WHERE d.defaclrole OPERATOR(pg_catalog.=) %u AND d.defaclnamespace OPERATOR(pg_catalog.=) ANY ('{0,%u}'::pg_catalog.oid[])"
					"   AND d.defaclobjtype OPERATOR(pg_catalog.=) ANY ('{%s}'::\"char\"[])",
					GetUserId(), books, kinds);
}

/*
 * New books are their owner's, wholly, and nobody else's: what default privileges
 * gave of an object, or kept from its owner, is undone.  Soon: a later statement of the
 * script may need it, or grant it to somebody.
 */
static void
undo_default_privileges(Oid books, const char *before)
{
	execute_each(psprintf("SELECT pg_catalog.format('REVOKE ALL ON %%s %%s FROM %%s', o.word, pg_catalog.string_agg(DISTINCT o.name, ', '),"
						  "   pg_catalog.string_agg(DISTINCT g.grantee, ', ')) FROM %s, %s"
						  "   AND d.defaclobjtype OPERATOR(pg_catalog.=) o.kind::\"char\""
						  "   AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[]) GROUP BY o.word"
						  " UNION ALL SELECT pg_catalog.format('GRANT ALL ON %%s %%s TO %%I', o.word, pg_catalog.string_agg(o.name, ', '), pg_catalog.pg_get_userbyid(o.owner)) FROM %s"
						  " WHERE o.owner OPERATOR(pg_catalog.=) %u AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[]) GROUP BY o.word, o.owner",
						  objects_query(books), default_privileges(books, "r,S,f"), before,
						  objects_query(books), GetUserId(), before));
}

/* Whether there are default privileges to undo; who has something by them is told. */
static bool
have_default_privileges(Oid books)
{
	char	   *others;

	execute_plainly(psprintf("SELECT FROM pg_catalog.pg_default_acl d WHERE d.defaclrole OPERATOR(pg_catalog.=) %u"
					 "   AND d.defaclnamespace OPERATOR(pg_catalog.=) ANY ('{0,%u}'::pg_catalog.oid[])",
					 GetUserId(), books));
	if (SPI_processed == 0)
		return false;
	/* that everybody may call functions is what there is without them as well */
	others = single_text(psprintf("SELECT pg_catalog.string_agg(DISTINCT g.grantee, ', ') FROM %s"
								  "   AND NOT (g.grantee OPERATOR(pg_catalog.=) 'PUBLIC' AND d.defaclobjtype OPERATOR(pg_catalog.=) 'f')",
								  default_privileges(books, "r,S,f,n")));
	if (others)
		ereport(NOTICE,
				(errmsg("default privileges of \"%s\" are not given on the books: %s",
						GetUserNameFromId(GetUserId(), false), others),
				 errhint("Grant what they shall have, or let map_role() of the books do it.")));
	return true;
}

static bool
makes_objects(RawStmt *raw)
{
	switch (nodeTag(raw->stmt))
	{
		case T_CreateStmt:
		case T_CreateTableAsStmt:
		case T_CreateSeqStmt:
		case T_AlterTableStmt:	/* a column's sequence */
		case T_ViewStmt:
		case T_CreateFunctionStmt:
			return true;
		default:
			return false;
	}
}

static List *
parse_script(const char *schema, const char *script)
{
	int			level = pin_for_script(schema);
	List	   *statements = pg_parse_query(script);

	AtEOXact_GUC(true, level);
	return statements;
}

/* Whether a statement of a script works as well without privileges on what the script just made. */
static bool
needs_no_privileges(RawStmt *raw)
{
	switch (nodeTag(raw->stmt))
	{
		case T_CommentStmt:
		case T_CreateFunctionStmt:
		case T_CreateSeqStmt:
		case T_IndexStmt:
		case T_ViewStmt:
			return true;
		default:
			return false;
	}
}

/* Run a script statement by statement, so that an error shows its own. */
static void
run_script(const char *schema, const char *file)
{
	Oid			books = get_namespace_oid(schema, false);
	char	   *script = read_script(file);
	ScriptPlace place = {.file = file, .script = script};
	ErrorContextCallback context = {.previous = error_context_stack,
		.callback = script_context, .arg = &place};
	bool		undo = have_default_privileges(books);
	char	   *before = NULL;	/* what there was before those whose privileges are still to be undone */
	ListCell   *cell;

	place.event_triggers = single_text("SELECT pg_catalog.string_agg(e.evtname, ', ' ORDER BY e.evtname) FROM pg_catalog.pg_event_trigger e"
									   " WHERE e.evtenabled OPERATOR(pg_catalog.=) ANY ('{O,A}'::\"char\"[])"
									   "   AND e.evtevent OPERATOR(pg_catalog.<>) 'login'::name");
	error_context_stack = &context;
	foreach(cell, parse_script(schema, script))
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);
		int			length = raw->stmt_len ? raw->stmt_len
			: (int) strlen(script) - raw->stmt_location;

		place.location = raw->stmt_location;
		while (isspace((unsigned char) script[place.location]))
			place.location++;
		length -= place.location - raw->stmt_location;
		CHECK_FOR_INTERRUPTS();
		if (before && !needs_no_privileges(raw))
		{
			undo_default_privileges(books, before);
			before = NULL;
		}
		if (undo && !before && makes_objects(raw))
			before = objects(books);
		hr_execute_for_script(schema, pnstrdup(script + place.location, length));
	}
	if (before)
		undo_default_privileges(books, before);
	error_context_stack = context.previous;
}

/*
 * What an event trigger may have done to new books: they must be under their name and
 * of one owner, or they would not work.
 */
static void
require_whole(Oid books, const char *schema, const char *before)
{
	char	   *owner;

	if (!OidIsValid(books) || get_namespace_oid(schema, true) != books)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("schema \"%s\" was renamed or dropped while the books were made", schema),
				 errhint("Look for an event trigger that does so: SELECT evtname, evtfoid FROM pg_event_trigger.")));
	require_own_schema(books, schema);
	if (before == NULL)
		return;
	owner = GetUserNameFromId(hr_books_owner(get_relname_relid("book", books)), false);
	execute_plainly(psprintf("SELECT o.name, pg_catalog.pg_get_userbyid(o.owner) FROM %s"
					 " WHERE pg_catalog.pg_get_userbyid(o.owner) OPERATOR(pg_catalog.<>) %s::name"
					 "   AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[]) LIMIT 1",
					 objects_query(books), quote_literal_cstr(owner), before));
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("books \"%s\" would belong to \"%s\" and \"%s\"", schema, owner,
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errdetail("An event trigger changed whose they are, or not that of all: %s.",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("SET ROLE first to whom all shall belong, or leave them out in the event trigger: SELECT evtname, evtfoid FROM pg_event_trigger.")));
}

/*
 * Scripts look names up in the engine's schema as well.  One that stood before the
 * extension may be somebody's who could put functions there.
 */
static void
require_trusted_engine(void)
{
	execute("SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n"
			"  JOIN pg_catalog.pg_extension e ON e.extnamespace OPERATOR(pg_catalog.=) n.oid"
			"  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner"
			" WHERE e.extname OPERATOR(pg_catalog.=) 'hrloop' AND NOT r.rolsuper"
			"   AND n.nspowner OPERATOR(pg_catalog.<>) e.extowner"
	/* after a restore by a superuser the extension is the superuser's */
			"   AND NOT pg_catalog.pg_has_role(n.nspowner, 'USAGE')"
			"   AND n.nspowner OPERATOR(pg_catalog.<>) (SELECT d.datdba FROM pg_catalog.pg_database d"
			" WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())");
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("schema \"hrloop\" belongs to \"%s\", the extension does not",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("DROP EXTENSION hrloop, drop or rename that schema, and create the extension again.")));
}

/*
 * What scripts call is in the extension's own SQL, so that must be of the
 * library's version; a new library may be there hours before.
 */
static void
require_engine(void)
{
	char	   *version;

	require_trusted_engine();
	execute("SELECT extversion FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'hrloop'");
	version = SPI_processed == 1 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
	if (version == NULL || strcmp(version, HRLOOP_VERSION) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("extension hrloop is of version %s, the library is %s",
					version, HRLOOP_VERSION),
			 compare_versions(version, HRLOOP_VERSION) < 0
			 ? errhint("Run ALTER EXTENSION hrloop UPDATE first.")
			 : errhint("Connect again if hrloop was upgraded after this session began, else install hrloop %s.",
					   version)));
}

static char *
schema_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || NameStr(*PG_GETARG_NAME(0))[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of the schema must not be null or empty"),
				 errhint("For example: SELECT hrloop.install('hr').")));
	return pstrdup(NameStr(*PG_GETARG_NAME(0)));
}

/*
 * Scripts run with the schema on their search_path, and verify() is a function
 * in it, so the schema must be the caller's own: not even a superuser runs what
 * somebody else may have put there.
 */
static void
require_own_schema(Oid books, const char *schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(books));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for namespace %u", books);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	if (!is_member_of_role_nosuper(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("schema \"%s\" belongs to somebody else", schema),
				 errhint("Let its owner do it, or SET ROLE to the owner first.")));
}

/*
 * Books are not kept where pg_dump takes no table along, nor beside the
 * engine's own functions.
 */
static void
require_schema_for_books(const char *schema)
{
	if (IsReservedName(schema) || strcmp(schema, "information_schema") == 0 || strcmp(schema, "hrloop") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema \"%s\" cannot hold books", schema),
				 errdetail("It belongs to PostgreSQL, whose schemas are not dumped, or to the engine."),
				 errhint("For example: SELECT hrloop.install('hr').")));
}

static Oid
create_schema(const char *schema)
{
	Oid			books;

	execute(psprintf("CREATE SCHEMA %s", quote_identifier(schema)));
	books = get_namespace_oid(schema, true);
	require_whole(books, schema, NULL);
	execute_each(psprintf("SELECT pg_catalog.format('REVOKE ALL ON SCHEMA %%I FROM %%s', %s, g.grantee) FROM %s"
						  " UNION ALL SELECT pg_catalog.format('GRANT ALL ON SCHEMA %%I TO %%I', %s, pg_catalog.pg_get_userbyid(d.defaclrole))"
						  " FROM pg_catalog.pg_default_acl d WHERE d.defaclrole OPERATOR(pg_catalog.=) %u AND d.defaclobjtype OPERATOR(pg_catalog.=) 'n'",
						  quote_literal_cstr(schema), default_privileges(books, "n"), quote_literal_cstr(schema), GetUserId()));
	return books;
}

/* One line for what would fail at its first statement. */
static void
require_writable(const char *what)
{
	if (!XactReadOnly)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 errmsg("cannot execute %s in a read-only transaction", what),
			 RecoveryInProgress() ? errhint("Run it on the primary server; this one follows.")
			 : errhint("SET default_transaction_read_only = off first, or BEGIN READ WRITE.")));
}

/* hrloop.install(schema, roles): a new, empty set of books, owned by the caller. */
Datum
hrloop_install(PG_FUNCTION_ARGS)
{
	char	   *schema = schema_argument(fcinfo);
	Oid			books = get_namespace_oid(schema, true);
	char	   *before;

	require_schema_for_books(schema);
	require_writable("hrloop.install()");
	if (OidIsValid(books) && OidIsValid(get_relname_relid("book", books)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_SCHEMA),
				 errmsg("schema \"%s\" already holds books", schema),
				 errhint("Use hrloop.migrate() to bring them to the installed version, or another schema name for another company.")));
	if (OidIsValid(books))
		require_own_schema(books, schema);
	require_characters();
	SPI_connect();
	require_engine();
	if (!OidIsValid(books))
		books = create_schema(schema);
	before = objects(books);
	run_script(schema, psprintf("hrloop-books--%s.sql", HRLOOP_VERSION));
	close_to_public(books, before);
	require_whole(books, schema, before);
	if (PG_NARGS() > 1 && !PG_ARGISNULL(1))
		execute(psprintf("SELECT pg_catalog.count(*) FROM %s.create_roles(%s)", quote_identifier(schema),
						 quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(1)))));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("books \"%s\" are ready, version %s",
											  schema, HRLOOP_VERSION)));
}

/*
 * hrloop.define(book, statements): what the books derive from their own rows,
 * policies and grants.  As the caller, who could run each of them as well.
 */
Datum
hrloop_define(PG_FUNCTION_ARGS)
{
	Oid			books;
	char	   *schema;
	Datum	   *statement;
	bool	   *null;
	int			count;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books and the statements must not be null")));
	books = hr_books_of(PG_GETARG_OID(0));
	schema = get_namespace_name(books);
	require_own_schema(books, schema);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &statement, &null, &count);
	SPI_connect();
	for (int i = 0; i < count; i++)
		if (!null[i])
			hr_execute_for_script(schema, TextDatumGetCString(statement[i]));
	SPI_finish();
	PG_RETURN_INT32(count);
}

typedef struct Step
{
	char	   *file;
	char	   *from;
	char	   *to;
	struct Step *before;		/* by which step one comes here */
	bool		reached;
} Step;

/* All scripts hrloop-books--FROM--TO.sql that are installed. */
static List *
list_steps(void)
{
	static const char prefix[] = "hrloop-books--";
	List	   *steps = NIL;
	DIR		   *dir = AllocateDir(share_directory());
	struct dirent *file;

	while ((file = ReadDir(dir, share_directory())) != NULL)
	{
		size_t		length = strlen(file->d_name);
		char	   *from;
		char	   *to;
		Step	   *step;

		if (strncmp(file->d_name, prefix, strlen(prefix)) != 0 ||
			length <= strlen(prefix) + 4 || strcmp(file->d_name + length - 4, ".sql") != 0)
			continue;
		from = pnstrdup(file->d_name + strlen(prefix), length - strlen(prefix) - 4);
		to = strstr(from, "--");
		if (to == NULL)
			continue;			/* what install() runs */
		*to = '\0';
		step = palloc0(sizeof(Step));
		step->file = pstrdup(file->d_name);
		step->from = from;
		step->to = to + 2;
		steps = lappend(steps, step);
	}
	FreeDir(dir);
	return steps;
}

/* The shortest way from a version of the books to the library's, or NIL. */
static List *
find_way(const char *version)
{
	List	   *steps = list_steps();
	List	   *reached = NIL;
	List	   *way = NIL;
	ListCell   *cell;
	Step	   *last = NULL;

	for (int next = -1; next < list_length(reached); next++)
	{
		Step	   *before = next < 0 ? NULL : list_nth(reached, next);
		const char *here = before ? before->to : version;

		if (before && strcmp(here, HRLOOP_VERSION) == 0)
		{
			last = before;
			break;
		}
		foreach(cell, steps)
		{
			Step	   *step = lfirst(cell);

			if (step->reached || strcmp(step->from, here) != 0)
				continue;
			step->reached = true;
			step->before = before;
			reached = lappend(reached, step);
		}
	}
	for (; last; last = last->before)
		way = lcons(last, way);
	return way;
}

/* The steps, as the owner of the books, whom new tables shall belong to as well. */
static void
run_steps(Oid books, Oid owner, List *way)
{
	char	   *schema = get_namespace_name(books);
	char	   *before = objects(books);
	Oid			user;
	int			security;
	ListCell   *cell;

	GetUserIdAndSecContext(&user, &security);
	if (owner != user)
		SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	migrating = books;
	PG_TRY();
	{
		foreach(cell, way)
		{
			Step	   *step = lfirst(cell);

			ereport(NOTICE,
					(errmsg("migrating books \"%s\" from version %s to %s",
							schema, step->from, step->to)));
			run_script(schema, step->file);
			execute(psprintf("UPDATE %s.book SET version = %s",
							 quote_identifier(schema), quote_literal_cstr(step->to)));
		}
		close_to_public(books, before);
		require_whole(books, schema, before);
	}
	PG_FINALLY();
	{
		migrating = InvalidOid;
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, security);
}

static void
require_member(Oid role, const char *schema)
{
	if (!is_member_of_role_nosuper(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("books \"%s\" belong to somebody else", schema),
				 errhint("Let their owner do it, or SET ROLE to the owner first.")));
}

/*
 * hrloop.migrate(schema): bring older books to the installed version.  All in
 * the caller's transaction: a step that fails leaves the books as they were.
 */
Datum
hrloop_migrate(PG_FUNCTION_ARGS)
{
	char	   *schema = schema_argument(fcinfo);
	Oid			books = get_namespace_oid(schema, false);
	Oid			book_table = get_relname_relid("book", books);
	char	   *version = OidIsValid(book_table) ? stated_version(book_table) : NULL;

	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("schema \"%s\" does not hold books of hrloop", schema),
				 errhint("SELECT * FROM hrloop.books lists those that do.")));
	require_own_schema(books, schema);
	require_member(hr_books_owner(book_table), schema);

	if (strcmp(version, HRLOOP_VERSION) != 0)
		require_writable("hrloop.migrate()");
	if (!XactReadOnly)
	{
		/* two at once: the second finds what the first has done */
		LockRelationOid(book_table, ShareUpdateExclusiveLock);
		PushActiveSnapshot(GetLatestSnapshot());
		version = stated_version(book_table);
		PopActiveSnapshot();
	}
	if (version == NULL || strcmp(version, HRLOOP_VERSION) != 0)
	{
		List	   *way;

		SPI_connect();
		require_engine();
		way = version ? find_way(version) : NIL;
		if (way == NIL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("there is no way from version %s of the books to %s",
							version ? version : "?", HRLOOP_VERSION),
					 errhint("Install the version of hrloop that wrote these books, or a later one.")));
		run_steps(books, hr_books_owner(book_table), way);
		SPI_finish();
		/* what backends remember of these books, and of their rules, is old */
		CacheInvalidateRelcacheAll();
	}
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("books \"%s\" are of version %s",
											  schema, HRLOOP_VERSION)));
}

/* hrloop.list_books(): every schema that holds books, whoever owns it. */
Datum
hrloop_list_books(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	SPI_execute("SELECT c.oid, n.nspname::text, pg_catalog.pg_get_userbyid(n.nspowner)::text"
				"  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
				" WHERE c.relname OPERATOR(pg_catalog.=) 'book'::name AND c.relkind OPERATOR(pg_catalog.=) 'r'::\"char\""
				" ORDER BY n.nspname", true, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		null;
		Oid			book_table = DatumGetObjectId(SPI_getbinval(row, desc, 1, &null));
		char	   *version = stated_version(book_table);
		Datum		values[4];
		bool		nulls[4] = {false};

		if (version == NULL)
			continue;
		values[0] = SPI_getbinval(row, desc, 2, &null);
		values[1] = CStringGetTextDatum(version);
		values[2] = BoolGetDatum(compare_versions(version, HRLOOP_VERSION) < 0);
		values[3] = SPI_getbinval(row, desc, 3, &null);
		tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
	}
	SPI_finish();
	PG_RETURN_NULL();
}

Datum
hrloop_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(HRLOOP_VERSION));
}

/* ---------------------------------------------------------------- restore */

/*
 * Switch the engine's own triggers of some books; a DBA's own are left alone.
 * ALTER TABLE asks for ownership, so nobody else can switch them.
 */
static void
switch_triggers(const char *schema, const char *verb)
{
	execute_each(psprintf(
					 "SELECT pg_catalog.format('ALTER TABLE %%I.%%I %s TRIGGER %%I', n.nspname, c.relname, t.tgname)"
					 "  FROM pg_catalog.pg_trigger t"
					 "  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid"
					 "  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
					 "  JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid"
					 " WHERE n.nspname OPERATOR(pg_catalog.=) %s::name"
					 "   AND p.pronamespace OPERATOR(pg_catalog.=) 'hrloop'::pg_catalog.regnamespace"
					 "   AND NOT t.tgisinternal"
	/* those that fire for replicated rows alone compute nothing */
					 "   AND t.tgenabled OPERATOR(pg_catalog.<>) 'R'"
					 " ORDER BY c.relname, t.tgname",
					 verb, quote_literal_cstr(schema)));
}

static int64
single_count(const char *sql)
{
	bool		null;

	execute(sql);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &null));
}

/*
 * hrloop.pre_restore(schema): make freshly installed books ready for a
 * data-only restore: no rows, no consequences.
 */
Datum
hrloop_pre_restore(PG_FUNCTION_ARGS)
{
	char	   *schema = schema_argument(fcinfo);
	const char *quoted = quote_identifier(schema);
	Oid			books;
	char	   *tables;

	require_writable("hrloop.pre_restore()");
	require_own_schema(get_namespace_oid(schema, false), schema);
	books = get_namespace_oid(schema, false);
	SPI_connect();
	/* tables that a dump of the schema alone made have no version yet: that of the rows is asked for later */
	if (!OidIsValid(get_relname_relid("book", books)) || !OidIsValid(get_relname_relid("employee", books)) ||
		single_count(psprintf("SELECT pg_catalog.count(*) FROM %s.book", quoted)) > 0)
		hr_books_check(books);
	if (single_count(psprintf("SELECT pg_catalog.count(*) FROM %s.employee", quoted)) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("books \"%s\" already hold employees", schema),
				 errdetail("A data-only restore replaces all rows, so it is made into freshly installed books."),
				 errhint("Install new books under this name, or restore into another schema.")));
	switch_triggers(schema, "DISABLE");
	execute(psprintf("SELECT pg_catalog.string_agg(pg_catalog.format('%%I.%%I', schemaname, tablename), ', ')"
					 "  FROM pg_catalog.pg_tables WHERE schemaname OPERATOR(pg_catalog.=) %s::name",
					 quote_literal_cstr(schema)));
	tables = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	execute(psprintf("TRUNCATE %s", tables));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * hrloop.post_restore(schema): consequences on again; the number of
 * differences that verify() finds in what was restored.
 */
Datum
hrloop_post_restore(PG_FUNCTION_ARGS)
{
	char	   *schema = schema_argument(fcinfo);
	Oid			books = get_namespace_oid(schema, false);
	Oid			book_table = get_relname_relid("book", books);
	char	   *version = OidIsValid(book_table) ? stated_version(book_table) : NULL;
	int64		differences;

	require_writable("hrloop.post_restore()");
	require_own_schema(books, schema);
	/* the tables are of the library's version, since pre_restore() asked for it */
	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no rows were restored into schema \"%s\"", schema),
				 errhint("Call hrloop.pre_restore(), restore the data, and then this function.")));
	if (strcmp(version, HRLOOP_VERSION) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows of version %s were restored into books of version %s",
						version, HRLOOP_VERSION),
				 errhint("A dump of data alone goes into books of its own version. Restore a whole dump and migrate it, or install hrloop %s, restore there and dump the whole.",
						 version)));
	SPI_connect();
	switch_triggers(schema, "ENABLE");
	hr_books_check(books);
	differences = single_count(psprintf("SELECT pg_catalog.count(*) FROM %s.verify()",
										quote_identifier(schema)));
	SPI_finish();
	if (differences > 0)
		ereport(WARNING,
				(errmsg("the restored books \"%s\" show " INT64_FORMAT " differences",
						schema, differences),
				 errhint("SELECT * FROM %s.verify().", quote_identifier(schema))));
	PG_RETURN_INT64(differences);
}
