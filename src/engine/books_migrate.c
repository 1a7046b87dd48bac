/*
 * books_migrate.c - older books brought to the installed version.
 */
#include "hrloop.h"

#include "books.h"
#include "books_privileges.h"
#include "books_require.h"
#include "books_script.h"
#include "books_sql.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(hrloop_migrate);

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
	DIR		   *dir = AllocateDir(hr_share_directory());
	struct dirent *file;

	while ((file = ReadDir(dir, hr_share_directory())) != NULL)
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
	char	   *before = hr_objects(books);
	Oid			user;
	int			security;
	ListCell   *cell;

	GetUserIdAndSecContext(&user, &security);
	if (owner != user)
		SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	hr_books_migrating(books);
	PG_TRY();
	{
		foreach(cell, way)
		{
			Step	   *step = lfirst(cell);

			ereport(NOTICE,
					(errmsg("migrating books \"%s\" from version %s to %s",
							schema, step->from, step->to)));
			hr_run_script(schema, step->file);
			hr_sql(psprintf("UPDATE %s.book SET version = %s",
							quote_identifier(schema), quote_literal_cstr(step->to)));
		}
		hr_close_to_public(books, before);
		hr_require_whole(books, schema, before);
	}
	PG_FINALLY();
	{
		hr_books_migrating(InvalidOid);
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, security);
}

/*
 * hrloop.migrate(schema): bring older books to the installed version.  All in
 * the caller's transaction: a step that fails leaves the books as they were.
 */
Datum
hrloop_migrate(PG_FUNCTION_ARGS)
{
	char	   *schema = hr_schema_argument(fcinfo);
	Oid			books = get_namespace_oid(schema, false);
	Oid			book_table = get_relname_relid("book", books);
	char	   *version = OidIsValid(book_table) ? hr_stated_version(book_table) : NULL;

	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("schema \"%s\" does not hold books of hrloop", schema),
				 errhint("SELECT * FROM hrloop.books lists those that do.")));
	hr_require_own_schema(books, schema);
	hr_require_member(hr_books_owner(book_table), schema);

	if (strcmp(version, HRLOOP_VERSION) != 0)
		hr_require_writable("hrloop.migrate()");
	if (!XactReadOnly)
	{
		/* two at once: the second finds what the first has done */
		LockRelationOid(book_table, ShareUpdateExclusiveLock);
		PushActiveSnapshot(GetLatestSnapshot());
		version = hr_stated_version(book_table);
		PopActiveSnapshot();
	}
	if (version == NULL || strcmp(version, HRLOOP_VERSION) != 0)
	{
		List	   *way;

		SPI_connect();
		hr_require_engine();
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
