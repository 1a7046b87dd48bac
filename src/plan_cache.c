/*
 * plan_cache.c - SPI plans kept for the life of the backend.
 *
 * A plan belongs to one company's books: the same query text is prepared once
 * per schema.  Like ri_triggers.c we keep a plan until the plan cache says it
 * is no longer valid, and then prepare it anew from the text, so that renamed
 * schemas and migrated tables are found again.  Unlike there, a plan that is
 * replaced may be running further up the stack: a consequence can cause itself.
 * So it is retired, and freed when the transaction ends.
 */
#include "hrloop.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef struct PlanKey
{
	Oid			books;
	char		name[2 * NAMEDATALEN];
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;
	SPIPlanPtr	plan;
} PlanEntry;

static HTAB *plans;
static List *retired;			/* plans, in TopMemoryContext */

static void
retire(PlanEntry *entry)
{
	MemoryContext old;

	if (entry->plan == NULL)
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	retired = lappend(retired, entry->plan);
	entry->plan = NULL;
	MemoryContextSwitchTo(old);
}

static void
free_retired(XactEvent event, void *arg)
{
	ListCell   *cell;

	if (retired == NIL ||
		(event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		 event != XACT_EVENT_PARALLEL_COMMIT && event != XACT_EVENT_PARALLEL_ABORT))
		return;
	foreach(cell, retired)
		SPI_freeplan(lfirst(cell));
	list_free(retired);
	retired = NIL;
}

void
hr_plan_cache_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(PlanKey);
	ctl.entrysize = sizeof(PlanEntry);
	ctl.hcxt = TopMemoryContext;
	plans = hash_create("hrloop plans", 64, &ctl,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	RegisterXactCallback(free_retired, NULL);
}

/* "@table" becomes "books.table"; other uses of @ (operators) are left alone. */
char *
hr_expand(Oid books, const char *sql)
{
	StringInfoData out;
	char	   *schema = get_namespace_name(books);
	const char *quoted;

	if (schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema %u of the books does not exist any more", books)));
	quoted = quote_identifier(schema);
	initStringInfo(&out);
	for (const char *p = sql; *p; p++)
	{
		if (*p == '@' && p[1] >= 'a' && p[1] <= 'z')
			appendStringInfo(&out, "%s.", quoted);
		else
			appendStringInfoChar(&out, *p);
	}
	return out.data;
}

/* The kept plan of a query in these books.  Call it inside a scope. */
SPIPlanPtr
hr_plan(Oid books, const HrQuery *query)
{
	PlanKey		key;
	PlanEntry  *entry;
	bool		found;
	SPIPlanPtr	plan;

	memset(&key, 0, sizeof(key));
	key.books = books;
	strlcpy(key.name, query->name, sizeof(key.name));

	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	if (entry->plan != NULL && SPI_plan_is_valid(entry->plan))
		return entry->plan;
	retire(entry);

	plan = SPI_prepare(hr_expand(books, query->sql), query->nargs,
					   (Oid *) query->argtypes);
	if (plan == NULL)
		elog(ERROR, "hrloop: cannot prepare \"%s\": %s", query->name,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "hrloop: cannot keep plan \"%s\"", query->name);

	/* preparing may have run code that entered plans: look the entry up again */
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	retire(entry);
	entry->plan = plan;
	return plan;
}

/* Run a kept plan to its end and return the number of rows. */
uint64
hr_execute(Oid books, const HrQuery *query, Datum *values, const char *nulls,
		   bool read_only)
{
	int			rc = SPI_execute_plan(hr_plan(books, query), values, nulls,
									  read_only, 0);

	if (rc < 0)
		elog(ERROR, "hrloop: cannot execute \"%s\": %s", query->name,
			 SPI_result_code_string(rc));
	return SPI_processed;
}

/* For a transaction with one snapshot that would compute from what is no longer so. */
void
hr_not_current(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

/*
 * Read with a kept plan what is committed by now, whatever snapshot the
 * transaction has: who locked a row first may have left no trace in it.
 */
uint64
hr_execute_latest(Oid books, const HrQuery *query, Datum *values)
{
	uint64		rows;

	PushActiveSnapshot(GetLatestSnapshot());
	rows = hr_execute(books, query, values, NULL, true);
	PopActiveSnapshot();
	return rows;
}
