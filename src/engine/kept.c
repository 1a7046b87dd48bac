/*
 * kept.c - functions in SQL are run by kept plans.
 *
 * PostgreSQL before 18 reads and plans the statements of a function in SQL anew
 * in each query that calls it, unless it can put the function's expression or
 * query in place of the call.  For one person that is dearer than all that a
 * verb does.  So where PostgreSQL would start such a function of the books, by
 * then with the rights and the settings that the call has, it starts run_kept()
 * instead (the hook for that is fmgr_hook), which does what fmgr_sql() does, by
 * plans that the plan cache keeps: one for each statement, by function and user
 * and search_path.  The catalogue has the function as ever, and whatever does
 * not fit is left to fmgr_sql().
 *
 * Until the library is loaded, with the first call of something that is in it,
 * PostgreSQL does it all.
 */
#include "hrloop.h"

#include "kept.h"

bool		hr_keep_plans = true;

#if PG_VERSION_NUM < 180000

#include "invalidate.h"
#include "kept_plan.h"
#include "kept_run.h"
#include "plan_cache.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/functions.h"
#include "funcapi.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static fmgr_hook_type next_fmgr;
static needs_fmgr_hook_type next_needs_fmgr;
static HTAB *known;

static void
forget_function(Datum arg, int cache, uint32 hash)
{
	HASH_SEQ_STATUS seq;
	HrKnown    *entry;

	hash_seq_init(&seq, known);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (hash == 0 || entry->hash == hash)
			entry->valid = false;
}

/* Whether a schema holds books of this owner, whatever their version. */
static bool
holds_books_of(Oid schema, Oid owner)
{
	Oid			book_table = get_relname_relid("book", schema);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(book_table));
	bool		holds;

	if (!HeapTupleIsValid(tuple))
		return false;
	holds = ((Form_pg_class) GETSTRUCT(tuple))->relowner == owner &&
		((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_RELATION;
	ReleaseSysCache(tuple);
	return holds && get_atttype(book_table, get_attnum(book_table, "version")) == TEXTOID;
}

/* The arguments, if there is no polymorphic one, nor more than fit. */
static bool
look_at_arguments(Form_pg_proc function, HrKnown *entry)
{
	if (function->pronargs > 64)
		return false;
	for (int i = 0; i < function->pronargs; i++)
	{
		Oid			type = function->proargtypes.values[i];

		if (IsPolymorphicType(type))
			return false;
		if (type_is_array(type))
			entry->arrays |= UINT64CONST(1) << i;
		if (get_typlen(type) == -1)
			entry->by_pointer |= UINT64CONST(1) << i;
	}
	return true;
}

/* Whether what a function returns is the same for each call, and fit to be put together here. */
static bool
returns_known_type(HeapTuple tuple)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);
	Oid			type = function->prorettype;

	if (IsPolymorphicType(type) || (type == VOIDOID && function->proretset))
		return false;
	if (type == RECORDOID)
		return build_function_result_tupdesc_t(tuple) != NULL;
	return get_typtype(type) != TYPTYPE_DOMAIN || !type_is_rowtype(type);
}

/* Whether the planner may put a function's expression in place of its call, as inline_function() does. */
static bool
is_expression(Form_pg_proc function, Datum body)
{
	List	   *queries;
	Query	   *query;

	if (function->proretset || function->prorettype == RECORDOID || function->prorettype == VOIDOID)
		return false;
	queries = hr_queries_of(body);
	if (list_length(queries) != 1)
		return false;
	query = linitial_node(Query, queries);
	if (function->provolatile == PROVOLATILE_IMMUTABLE ? contain_mutable_functions((Node *) query->targetList)
		: function->provolatile == PROVOLATILE_STABLE && contain_volatile_functions((Node *) query->targetList))
		return false;
	return query->commandType == CMD_SELECT && query->rtable == NIL && query->cteList == NIL && !query->hasSubLinks &&
		!query->hasAggs && !query->hasWindowFuncs && !query->hasTargetSRFs && list_length(query->targetList) == 1;
}

/*
 * A function that is put in place of its call says no more where a call of it is
 * planned: an index on an expression would not be found.  For one that returns a
 * set that is known of the call alone, so hook_needed() asks whether a query is
 * just being planned.
 */
static void
look_at(HeapTuple tuple, HrKnown *entry)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);
	bool		null;
	Datum		body;

	if (function->prolang != SQLlanguageId || function->prokind != PROKIND_FUNCTION)
		return;
	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &null);
	if (null || !holds_books_of(function->pronamespace, function->proowner) ||
		!look_at_arguments(function, entry) || !returns_known_type(tuple))
		return;
	entry->hooked = !is_expression(function, body);
	/* with rights or settings of its own it comes by the hook anyway */
	entry->runs = true;
}

static HrKnown *
known_function(Oid function)
{
	HrKnown    *entry = hash_search(known, &function, HASH_FIND, NULL);
	HrKnown		fresh = {.function = function};
	HeapTuple	tuple;

	if (entry != NULL && entry->valid)
		return entry;
	if (!IsTransactionState())
		return NULL;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	look_at(tuple, &fresh);
	ReleaseSysCache(tuple);
	fresh.hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function));
	fresh.valid = true;
	entry = hash_search(known, &function, HASH_ENTER, NULL);
	*entry = fresh;
	return entry;
}

/* --------------------------------------------------------------------- hooks */

/* In place of fmgr_sql(). */
static Datum
run_kept(PG_FUNCTION_ARGS)
{
	const HrKnown *entry = known_function(fcinfo->flinfo->fn_oid);
	Datum		result;

	if (entry != NULL && entry->runs && hr_run_kept(fcinfo, entry, &result))
		return result;
	fcinfo->flinfo->fn_addr = fmgr_sql;
	return fmgr_sql(fcinfo);
}

/*
 * Whether a function is called by the hook.  Who asks while a query is planned
 * wants to put it in place of the call, which is better still.
 */
static bool
hook_needed(Oid function)
{
	HrKnown    *entry;

	if (next_needs_fmgr && next_needs_fmgr(function))
		return true;
	if (!hr_keep_plans || hr_planning > 0)
		return false;
	entry = known_function(function);
	return entry != NULL && entry->hooked;
}

static void
start_function(FmgrHookEventType event, FmgrInfo *flinfo, Datum *arg)
{
	if (next_fmgr)
		next_fmgr(event, flinfo, arg);
	if (event == FHET_START && flinfo->fn_addr == fmgr_sql && flinfo->fn_extra == NULL && hr_keep_plans)
	{
		HrKnown    *entry = known_function(flinfo->fn_oid);

		if (entry != NULL && entry->runs)
			flinfo->fn_addr = run_kept;
	}
}

void
hr_kept_init(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(HrKnown), .hcxt = TopMemoryContext};

	hr_kept_plan_init();
	known = hash_create("hrloop functions", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	hr_on_catalogue(PROCOID, forget_function);
	next_needs_fmgr = needs_fmgr_hook;
	needs_fmgr_hook = hook_needed;
	next_fmgr = fmgr_hook;
	fmgr_hook = start_function;
}

#else							/* PostgreSQL 18 keeps such plans itself */

void
hr_kept_init(void)
{
}

#endif
