/*
 * books_script.c - the script that makes books, run statement by statement.
 *
 * It is plain SQL, run as the caller with the search_path pinned to the new schema,
 * so that tables, views, functions and triggers belong to whoever called install()
 * and are dumped and restored like any other.
 */
#include "hrloop.h"

#include "books_privileges.h"
#include "books_script.h"
#include "books_sql.h"

#include <ctype.h>
#include <unistd.h>

#include "access/twophase.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/fd.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"

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

char *
hr_share_directory(void)
{
	char		share[MAXPGPATH];

	get_share_path(my_exec_path, share);
	return psprintf("%s/extension", share);
}

static char *
read_script(const char *file)
{
	char	   *path = psprintf("%s/%s", hr_share_directory(), file);
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
	int			level = hr_pin_for_script(schema);
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
void
hr_run_script(const char *schema, const char *file)
{
	Oid			books = get_namespace_oid(schema, false);
	char	   *script = read_script(file);
	ScriptPlace place = {.file = file, .script = script};
	ErrorContextCallback context = {.previous = error_context_stack,
	.callback = script_context, .arg = &place};
	bool		undo = hr_have_default_privileges(books);
	char	   *before = NULL;	/* what there was before those whose privileges are still to be undone */
	ListCell   *cell;

	place.event_triggers = hr_sql_text("SELECT pg_catalog.string_agg(e.evtname, ', ' ORDER BY e.evtname) FROM pg_catalog.pg_event_trigger e"
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
			hr_undo_default_privileges(books, before);
			before = NULL;
		}
		if (undo && !before && makes_objects(raw))
			before = hr_objects(books);
		hr_execute_for_script(schema, pnstrdup(script + place.location, length));
	}
	if (before)
		hr_undo_default_privileges(books, before);
	error_context_stack = context.previous;
}
