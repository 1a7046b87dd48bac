/*
 * kept_plan.c - the kept plans of functions in SQL.
 *
 * A statement of a function's stored body is a query tree without a text, and the
 * plan cache makes a plan anew from the text.  So it is given an empty SELECT
 * instead, and tells by the hook for parsing it (needs_anew()) that what it holds is
 * no longer valid; then the statement is taken out of the body again, as PostgreSQL
 * does at each call.
 *
 * A plan is for a user, as row policies are, and for a search_path, as functions
 * whose body is a text are put in place of their call by it.
 */
#include "hrloop.h"

#include "kept_plan.h"

#if PG_VERSION_NUM < 180000

#include "invalidate.h"
#include "plan_cache.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/functions.h"
#include "funcapi.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "parser/parse_node.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#if PG_VERSION_NUM < 170000
#define GetSearchPathMatcher GetOverrideSearchPath
#define SearchPathMatchesCurrentEnvironment OverrideSearchPathMatchesCurrent
#define check_result(queries, type, desc) check_sql_fn_retval(queries, type, desc, true, NULL)
#else
#define check_result(queries, type, desc) check_sql_fn_retval(queries, type, desc, PROKIND_FUNCTION, true, NULL)
#endif

#define ROOM (12 * 1024 * 1024) /* for all plans of a backend; what was not used for longest goes */

typedef struct Head
{
	HrKeptKey	key;
	HrKept	   *first;			/* of those for different search_paths */
} Head;

static HTAB *heads;
static dlist_head all = DLIST_STATIC_INIT(all);
static Size all_bytes;
static uint64 roles;			/* counts changes of roles and memberships */

List *
hr_queries_of(Datum body)
{
	Node	   *node = stringToNode(TextDatumGetCString(body));

	/* BEGIN ATOMIC makes a list of a list of queries, RETURN a query */
	return IsA(node, List) ? linitial_node(List, castNode(List, node)) : list_make1(node);
}

static void
forget_roles(Datum arg, int cache, uint32 hash)
{
	roles++;
}

void
hr_say_place(void *arg)
{
	HrPlace    *place = arg;

	/* a position in a text that nobody wrote */
	if (geterrposition() > 0)
		errposition(0);
	if (place->statement > 0)
		errcontext("SQL function \"%s\" statement %d", place->function, place->statement);
	else
		errcontext("SQL function \"%s\" during startup", place->function);
}

static void
free_kept(HrKept *kept)
{
	for (int i = 0; i < kept->count; i++)
		if (kept->statement[i].source)
			DropCachedPlan(kept->statement[i].source);
	MemoryContextDelete(kept->context);
}

/* Take a function's plans out of all lists; who still runs them frees them. */
static void
unlink_kept(HrKept *kept)
{
	Head	   *head = hash_search(heads, &kept->key, HASH_FIND, NULL);
	HrKept	  **place = &head->first;

	while (*place != kept)
		place = &(*place)->next;
	*place = kept->next;
	dlist_delete(&kept->node);
	all_bytes -= kept->bytes;
	kept->linked = false;
	if (kept->running == 0)
		free_kept(kept);
}

/* What a function's plans take by now, and what was not used for longest goes for it. */
static void
weigh(HrKept *kept)
{
	Size		bytes = MemoryContextMemAllocated(kept->context, true);

	for (int i = 0; i < kept->count; i++)
	{
		CachedPlanSource *source = kept->statement[i].source;

		bytes += MemoryContextMemAllocated(source->context, true) +
			(source->gplan ? MemoryContextMemAllocated(source->gplan->context, true) : 0);
	}
	if (!kept->linked)
		return;
	all_bytes += bytes - kept->bytes;
	kept->bytes = bytes;
	while (all_bytes > ROOM)
	{
		/* cppcheck-suppress nullPointer ; it is offsetof() that looks like one */
		HrKept	   *last = dlist_tail_element(HrKept, node, &all);

		if (last == kept)
			break;
		unlink_kept(last);
	}
}

/* The plan cache asks for a parser, as it holds a statement to be no longer valid. */
static void
needs_anew(ParseState *state, void *statement)
{
	((HrKeptStatement *) statement)->stale = true;
}

/* One statement for the plan cache; false: rules have made something of it that is not for here. */
static bool
make_statement(HrKept *kept, HrKeptStatement *statement, Query *query)
{
	RawStmt    *nothing = makeNode(RawStmt);
	bool		last = statement == &kept->statement[kept->count - 1];
	List	   *queries;
	ListCell   *cell;
	CachedPlanSource *source;

	AcquireRewriteLocks(query, true, false);
	queries = pg_rewrite_query(query);
	if (queries == NIL)
		return false;
	foreach(cell, queries)
		if (lfirst_node(Query, cell)->commandType == CMD_UTILITY)
			return false;
	if (last && kept->type != VOIDOID)
	{
		if (!llast_node(Query, queries)->canSetTag)
			return false;
		kept->whole = check_result(list_make1(queries), kept->type, type_is_rowtype(kept->type) ? kept->desc : NULL);
		/* a set of one column that is a row itself can only be handed over row by row */
		if (!kept->whole && kept->returns_set && type_is_rowtype(kept->type))
			return false;
	}
	nothing->stmt = (Node *) makeNode(SelectStmt);
	source = CreateCachedPlan(nothing, "", CreateCommandTag((Node *) linitial(queries)));
	CompleteCachedPlan(source, queries, NULL, NULL, 0, needs_anew, statement,
					   CURSOR_OPT_GENERIC_PLAN | CURSOR_OPT_PARALLEL_OK, false);
	SaveCachedPlan(source);
	if (statement->source)
		DropCachedPlan(statement->source);
	statement->source = source;
	statement->stale = false;
	statement->roles = roles;
	hr_sizes_forget(&statement->sizes);
	return true;
}

static bool
make_again(HrKept *kept, HrKeptStatement *statement)
{
	return make_statement(kept, statement, list_nth_node(Query, hr_queries_of(kept->body), statement - kept->statement));
}

static void
describe_result(HrKept *kept, Oid function)
{
	TupleDesc	desc = NULL;

	get_func_result_type(function, &kept->type, &desc);
	get_typlenbyval(kept->type, &kept->length, &kept->by_value);
	if (desc != NULL)
		kept->desc = CreateTupleDescCopy(desc);
	else if (kept->returns_set)
	{
		kept->desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(kept->desc, 1, kept->name, kept->type, -1, 0);
	}
	if (type_is_rowtype(kept->type) && kept->type != RECORDOID)
		kept->row_type = assign_record_type_identifier(kept->type, -1);
}

/* What the catalogue says of a function, in a context of its own. */
static HrKept *
new_kept(const HrKeptKey *key, HeapTuple tuple)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hrloop kept function", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	HrKept	   *kept = palloc0(sizeof(HrKept));
	bool		null;

	kept->key = *key;
	kept->context = context;
	kept->path = GetSearchPathMatcher(context);
	kept->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	kept->tid = tuple->t_self;
	/* as it is stored, compressed */
	kept->body = datumCopy(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &null), false, -1);
	kept->name = pstrdup(NameStr(function->proname));
	MemoryContextSetIdentifier(context, kept->name);
	kept->returns_set = function->proretset;
	kept->reads = function->provolatile != PROVOLATILE_VOLATILE;
	describe_result(kept, function->oid);
	MemoryContextSwitchTo(caller);
	return kept;
}

/* All statements; if one does not fit, none. */
static bool
make_statements(HrKept *kept, List *queries)
{
	volatile bool fits = kept->count > 0 || kept->type == VOIDOID;

	PG_TRY();
	{
		for (int i = 0; fits && i < kept->count; i++)
			fits = make_statement(kept, &kept->statement[i], list_nth_node(Query, queries, i));
	}
	PG_CATCH();
	{
		free_kept(kept);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (!fits)
		free_kept(kept);
	return fits;
}

/* Plans for a function, still without those; NULL: it is for fmgr_sql(). */
static HrKept *
make_kept(const HrKeptKey *key, HeapTuple tuple)
{
	HrKept	   *kept = new_kept(key, tuple);
	List	   *queries = hr_queries_of(kept->body);
	Head	   *head;
	bool		found;

	kept->statement = MemoryContextAllocZero(kept->context, Max(list_length(queries), 1) * sizeof(HrKeptStatement));
	kept->count = list_length(queries);
	for (int i = 0; i < kept->count; i++)
		kept->statement[i].sizes.context = kept->context;
	if (!make_statements(kept, queries))
		return NULL;
	MemoryContextSetParent(kept->context, CacheMemoryContext);
	head = hash_search(heads, key, HASH_ENTER, &found);
	kept->next = found ? head->first : NULL;
	head->first = kept;
	dlist_push_head(&all, &kept->node);
	kept->linked = true;
	return kept;
}

/* Whether plans are of the function as it is, and of the row type that it returns. */
static bool
is_current(const HrKept *kept, HeapTuple tuple)
{
	return kept->xmin == HeapTupleHeaderGetRawXmin(tuple->t_data) &&
		ItemPointerEquals((ItemPointer) &kept->tid, &tuple->t_self) &&
		(kept->row_type == 0 || kept->row_type == assign_record_type_identifier(kept->type, -1));
}

/* Whether a plan is for the roles as they were. */
static bool
depends_on_roles(const CachedPlanSource *source)
{
	return source->dependsOnRLS || (source->gplan && source->gplan->dependsOnRole);
}

static bool
is_valid(const HrKeptStatement *statement)
{
	return !statement->stale && statement->source->is_valid &&
		(statement->roles == roles || !depends_on_roles(statement->source));
}

/* Make anew what is no longer valid; false: it is for fmgr_sql() by now. */
static bool
refresh(HrKept *kept)
{
	for (int i = 0; i < kept->count; i++)
		if (!is_valid(&kept->statement[i]) && !make_again(kept, &kept->statement[i]))
			return false;
	return true;
}

/* The plans of a function for who calls it; NULL: it is for fmgr_sql(). */
HrKept *
hr_find_kept(HeapTuple tuple, bool many)
{
	HrPlace		place = {.function = NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname)};
	ErrorContextCallback context = {.previous = error_context_stack, .callback = hr_say_place, .arg = &place};
	HrKeptKey	key;
	Head	   *head;
	HrKept	   *kept;

	memset(&key, 0, sizeof(key));
	key.function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	key.user = GetUserId();
	key.no_force = InNoForceRLSOperation();
	key.many = many;
	head = hash_search(heads, &key, HASH_FIND, NULL);
	kept = head ? head->first : NULL;
	while (kept != NULL && !SearchPathMatchesCurrentEnvironment(kept->path))
		kept = kept->next;
	error_context_stack = &context;
	if (kept != NULL && !(is_current(kept, tuple) && refresh(kept)))
	{
		unlink_kept(kept);
		kept = NULL;
	}
	if (kept == NULL)
		kept = make_kept(&key, tuple);
	else
		dlist_move_head(&all, &kept->node);
	error_context_stack = context.previous;
	return kept;
}

static void
switch_off(const char *setting)
{
	(void) set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * What a verb does is looked up by key, as in a scope (books.c): its plan is not to
 * read a table that was small, nor to be compiled at each call.
 */
static CachedPlan *
plan_by_key(HrKeptStatement *statement, ParamListInfo view)
{
	int			level = NewGUCNestLevel();
	CachedPlan *plan;

	if (enable_seqscan)
		switch_off("enable_seqscan");
	if (jit_enabled)
		switch_off("jit");
	plan = hr_plan_in_view(statement->source, view);
	AtEOXact_GUC(true, level);
	return plan;
}

static CachedPlan *
plan_once(HrKept *kept, HrKeptStatement *statement, ParamListInfo view)
{
	CachedPlan *had = statement->source->gplan;
	bool		at_hand = had != NULL && had->is_valid;
	CachedPlan *plan = at_hand || kept->reads ? hr_plan_in_view(statement->source, view) : plan_by_key(statement, view);

	if (!at_hand)
		weigh(kept);
	return plan;
}

/* A plan to run now, which is to be released. */
CachedPlan *
hr_plan_of(HrKept *kept, HrKeptStatement *statement, ParamListInfo view)
{
	for (int tries = 0; tries < 10; tries++)
	{
		CachedPlan *plan;

		if (!is_valid(statement) && !make_again(kept, statement))
			break;
		plan = plan_once(kept, statement, view);
		if (!statement->stale && !hr_outgrown(&statement->sizes, statement->source, kept->key.many))
			return plan;
		ReleaseCachedPlan(plan, CurrentResourceOwner);
		CHECK_FOR_INTERRUPTS();
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("what function \"%s\" uses is changed while it runs", kept->name)));
	return NULL;
}

void
hr_hold_kept(HrKept *kept)
{
	kept->running++;
}

void
hr_release_kept(HrKept *kept)
{
	if (--kept->running == 0 && !kept->linked)
		free_kept(kept);
}

void
hr_kept_plan_init(void)
{
	HASHCTL		ctl = {.keysize = sizeof(HrKeptKey), .entrysize = sizeof(Head), .hcxt = TopMemoryContext};

	heads = hash_create("hrloop kept functions", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	hr_on_catalogue(AUTHOID, forget_roles);
	hr_on_catalogue(AUTHMEMROLEMEM, forget_roles);
}

#endif
