/*
 * plan_cache.c - SPI plans kept for the life of the backend.
 *
 * A plan belongs to one company's books: the same query text is prepared once
 * per schema.  Like ri_triggers.c we keep a plan until the plan cache says it
 * is no longer valid, and then prepare it anew from the text, so that renamed
 * schemas and migrated tables are found again.  Unlike there, a plan that is
 * replaced may be running further up the stack: a consequence can cause itself.
 * Then it is freed when the transaction ends.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "called.h"
#include "growth.h"
#include "plan_cache.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/functions.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(hrloop_run);

typedef struct PlanKey
{
	Oid			books;
	Oid			function;		/* whose plans they are; 0: a query's */
	Oid			types[HR_MAX_ARGUMENTS];	/* of what a query is handed */
	bool		many;			/* of a function: for many keys */
	char		name[2 * NAMEDATALEN];
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;
	MemoryContext context;		/* of the list, and what parsing needs; NULL: no plans */
	List	   *plans;
	int			running;		/* how often, up the stack */
	/* plans of a function: what they were made from, and until when */
	TransactionId xmin;
	ItemPointerData tid;
	HrSizes    *sizes;			/* of each plan, in the context */
} PlanEntry;

static HTAB *plans;
static List *retired_plans;		/* in TopMemoryContext, as these are */
static List *retired_contexts;

static void
free_plans(List *list)
{
	ListCell   *cell;

	foreach(cell, list)
		SPI_freeplan(lfirst(cell));
}

static void
retire(PlanEntry *entry)
{
	MemoryContext old;

	if (entry->context == NULL)
		return;
	if (entry->running == 0)
	{
		free_plans(entry->plans);
		MemoryContextDelete(entry->context);
	}
	else
	{
		old = MemoryContextSwitchTo(TopMemoryContext);
		retired_plans = list_concat(retired_plans, entry->plans);
		retired_contexts = lappend(retired_contexts, entry->context);
		MemoryContextSwitchTo(old);
	}
	entry->context = NULL;
	entry->plans = NIL;
}

static void
free_retired(XactEvent event, void *arg)
{
	ListCell   *cell;

	if (retired_contexts == NIL ||
		(event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE &&
		 event != XACT_EVENT_PARALLEL_COMMIT && event != XACT_EVENT_PARALLEL_ABORT))
		return;
	free_plans(retired_plans);
	foreach(cell, retired_contexts)
		MemoryContextDelete(lfirst(cell));
	list_free(retired_plans);
	list_free(retired_contexts);
	retired_plans = retired_contexts = NIL;
}

static PlanEntry *
plan_entry(Oid books, Oid function, const HrQuery *query, bool many, const char *name)
{
	PlanKey		key;
	PlanEntry  *entry;
	bool		found;

	memset(&key, 0, sizeof(key));
	key.books = books;
	key.function = function;
	key.many = many;
	/* a call of the same name with other types is another one */
	if (query != NULL)
		memcpy(key.types, query->argtypes, sizeof(key.types));
	strlcpy(key.name, name, sizeof(key.name));
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		memset((char *) entry + sizeof(PlanKey), 0, sizeof(PlanEntry) - sizeof(PlanKey));
	return entry;
}

static bool
all_valid(const PlanEntry *entry)
{
	ListCell   *cell;

	foreach(cell, entry->plans)
		if (!SPI_plan_is_valid(lfirst(cell)))
			return false;
	return entry->context != NULL;
}

/* Keep plans that were just made, in place of those that an entry has. */
static void
keep(PlanEntry *entry, List *made, MemoryContext context)
{
	ListCell   *cell;

	foreach(cell, made)
		if (SPI_keepplan(lfirst(cell)) != 0)
			elog(ERROR, "hrloop: cannot keep plan \"%s\"", entry->key.name);
	retire(entry);
	MemoryContextSetParent(context, TopMemoryContext);
	entry->context = context;
	entry->plans = made;
}

/* "@table" becomes "books.table", quoted or not; other uses of @ (operators) are left alone. */
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
		if (*p == '@' && ((p[1] >= 'a' && p[1] <= 'z') || p[1] == '"'))
			appendStringInfo(&out, "%s.", quoted);
		else
			appendStringInfoChar(&out, *p);
	}
	return out.data;
}

static MemoryContext
plan_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "hrloop plans", ALLOCSET_SMALL_SIZES);
}

/* The kept plan of a query in these books. */
static pg_noinline PlanEntry *
plan_of_query(Oid books, const HrQuery *query)
{
	PlanEntry  *entry = plan_entry(books, query->function, query, false, query->name);
	MemoryContext context,
				caller;
	List	   *made;
	SPIPlanPtr	plan;

	if (all_valid(entry))
		return entry;
	retire(entry);
	context = plan_context();
	plan = SPI_prepare(hr_expand(books, query->sql), query->nargs,
					   (Oid *) query->argtypes);
	if (plan == NULL)
		elog(ERROR, "hrloop: cannot prepare \"%s\": %s", query->name,
			 SPI_result_code_string(SPI_result));
	caller = MemoryContextSwitchTo(context);
	made = list_make1(plan);
	MemoryContextSwitchTo(caller);
	/* preparing may have run code that entered plans: look the entry up again */
	entry = plan_entry(books, query->function, query, false, query->name);
	keep(entry, made, context);
	return entry;
}

/* Run a kept plan to its end and return the number of rows.  Call it inside a scope. */
uint64
hr_execute(Oid books, const HrQuery *query, Datum *values, const char *nulls,
		   bool read_only)
{
	PlanEntry  *entry = plan_of_query(books, query);
	int			rc = SPI_OK_SELECT;

	entry->running++;
	PG_TRY();
	{
		rc = SPI_execute_plan(linitial(entry->plans), values, nulls, read_only, 0);
	}
	PG_FINALLY();
	{
		entry->running--;
	}
	PG_END_TRY();
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

static char *
only_value(void)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/*
 * Whether what a query says in one value is the same as the transaction sees it
 * and as it is by now.  Own rows are in both.
 */
bool
hr_is_current(Oid books, const HrQuery *query, Datum *values)
{
	char	   *seen;

	hr_execute(books, query, values, NULL, false);
	seen = only_value();
	hr_execute_latest(books, query, values);
	return strcmp(seen, only_value()) == 0;
}

/* ------------------------------------------------------ functions of the books */

/*
 * What a consequence runs is not called at all (kept.c does that for what it calls):
 * its statements are, by plans that are kept here.
 *
 * The planner takes an array that it does not see for ten elements, and loops where
 * it should hash.  So there are plans for few keys and others for many, and either
 * are made with the keys of the call that makes them in view.
 */
#define FEW 16

int			hr_planning;

static planner_hook_type next_planner;
static ParamListInfo in_view;	/* values to estimate by, not to use ... */
static const char *in_view_for; /* ... for the plan of this text: another hook may plan queries of its own */

static ParamListInfo
estimate_by(const char *text, ParamListInfo parameters)
{
	return parameters == NULL && text == in_view_for ? in_view : parameters;
}

static PlannedStmt *
plan_in_view(Query *query, const char *text, int options, ParamListInfo parameters)
{
	PlannedStmt *planned = NULL;

	hr_planning++;
	PG_TRY();
	{
		planned = (next_planner ? next_planner : standard_planner) (query, text, options, estimate_by(text, parameters));
	}
	PG_FINALLY();
	{
		hr_planning--;
	}
	PG_END_TRY();
	return planned;
}

CachedPlan *
hr_plan_in_view(CachedPlanSource *source, ParamListInfo view)
{
	CachedPlan *plan = NULL;
	ParamListInfo outer = in_view;
	const char *outer_for = in_view_for;

	in_view = view;
	in_view_for = source->query_string;
	PG_TRY();
	{
		plan = GetCachedPlan(source, NULL, CurrentResourceOwner, NULL);
	}
	PG_FINALLY();
	{
		in_view = outer;
		in_view_for = outer_for;
	}
	PG_END_TRY();
	return plan;
}

static ParamListInfo
parameters_of(const HrArguments *arguments, bool to_use)
{
	ParamListInfo parameters = makeParamList(arguments->count);

	for (int i = 0; i < arguments->count; i++)
	{
		parameters->params[i].value = arguments->value[i];
		parameters->params[i].isnull = arguments->null[i];
		parameters->params[i].pflags = to_use ? PARAM_FLAG_CONST : 0;
		parameters->params[i].ptype = arguments->type[i];
	}
	return parameters;
}

bool
hr_many_keys(Datum array)
{
	ArrayType  *keys = DatumGetArrayTypeP(array);

	return ArrayGetNItems(ARR_NDIM(keys), ARR_DIMS(keys)) > FEW;
}

/* Whether one of the arguments is an array of many keys. */
static bool
has_many(const HrArguments *arguments)
{
	for (int i = 0; i < arguments->count; i++)
		if (!arguments->null[i] && type_is_array(arguments->type[i]) && hr_many_keys(arguments->value[i]))
			return true;
	return false;
}

/* Plan a statement now, with the function's arguments in view. */
static void
plan_now(SPIPlanPtr plan, const HrArguments *arguments)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	ReleaseCachedPlan(hr_plan_in_view(source, parameters_of(arguments, false)), CurrentResourceOwner);
}

static bool
in_plain_sql(Form_pg_proc function)
{
	return function->prolang == SQLlanguageId && !function->prosecdef;
}

/* The statements of a function's body, each as a plan. */
static List *
plans_of_body(HeapTuple tuple, char *body, MemoryContext context)
{
	SQLFunctionParseInfoPtr parameters;
	List	   *made = NIL;
	ListCell   *cell;
	MemoryContext caller = MemoryContextSwitchTo(context);

	parameters = prepare_sql_fn_parse_info(tuple, NULL, InvalidOid);
	MemoryContextSwitchTo(caller);
	foreach(cell, raw_parser(body, RAW_PARSE_DEFAULT))
	{
		RawStmt    *statement = lfirst_node(RawStmt, cell);
		const char *start = body + statement->stmt_location;
		char	   *sql = statement->stmt_len > 0 ? pnstrdup(start, statement->stmt_len) : pstrdup(start);
		SPIPlanPtr	plan;

		while (isspace((unsigned char) *sql))
			sql++;				/* for who reads the context of an error */
		plan = SPI_prepare_params(sql, (ParserSetupHook) sql_fn_parser_setup, parameters, 0);
		if (plan == NULL)
			elog(ERROR, "hrloop: cannot prepare a statement of \"%s\": %s",
				 parameters->fname, SPI_result_code_string(SPI_result));
		MemoryContextSwitchTo(context);
		made = lappend(made, plan);
		MemoryContextSwitchTo(caller);
	}
	return made;
}

/* What stands between BEGIN ATOMIC and END, with all names as they are today; NULL: nothing does. */
static char *
body_of(Oid function)
{
	static const char begin[] = "BEGIN ATOMIC",
				end[] = "END";

	LOCAL_FCINFO(fcinfo, 1);
	Datum		whole;
	char	   *body;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(function);
	fcinfo->args[0].isnull = false;
	whole = pg_get_function_sqlbody(fcinfo);
	if (fcinfo->isnull)
		return NULL;
	body = TextDatumGetCString(whole);
	if (strncmp(body, begin, strlen(begin)) != 0)
		return NULL;			/* RETURN expression */
	body[strlen(body) - strlen(end)] = '\0';
	return body + strlen(begin);
}

/* The kept plans of a function; NULL: it has to be called. */
static pg_noinline PlanEntry *
plans_of_function(Oid books, const HrArguments *arguments, HeapTuple tuple)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);
	bool		many = has_many(arguments);
	PlanEntry  *entry = plan_entry(books, function->oid, NULL, many, NameStr(function->proname));
	MemoryContext context;
	List	   *made;
	ListCell   *cell;
	char	   *body;

	if (all_valid(entry) &&
		entry->xmin == HeapTupleHeaderGetRawXmin(tuple->t_data) &&
		ItemPointerEquals(&entry->tid, &tuple->t_self))
		return entry;
	body = in_plain_sql(function) && heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL) ? body_of(function->oid) : NULL;
	if (body == NULL)
		return NULL;
	context = plan_context();
	made = plans_of_body(tuple, body, context);
	entry = plan_entry(books, function->oid, NULL, many, NameStr(function->proname));
	keep(entry, made, context);
	foreach(cell, made)
		plan_now(lfirst(cell), arguments);
	entry->sizes = MemoryContextAllocZero(context, Max(list_length(made), 1) * sizeof(HrSizes));
	for (int i = 0; i < list_length(made); i++)
		entry->sizes[i].context = context;
	entry->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	entry->tid = tuple->t_self;
	return entry;
}

static HeapTuple
find_function(Oid books, const char *name, const HrArguments *arguments)
{
	oidvector  *types = buildoidvector(arguments->type, arguments->count);

	return SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum(name), PointerGetDatum(types), ObjectIdGetDatum(books));
}

static void
run_plans(PlanEntry *entry, const HrArguments *arguments)
{
	ParamListInfo parameters = parameters_of(arguments, true);
	List	   *list = entry->plans;	/* whatever comes in their place meanwhile */
	HrSizes    *sizes = entry->sizes;
	bool		many = entry->key.many;
	ListCell   *cell;

	foreach(cell, list)
	{
		int			rc;

		if (hr_outgrown(&sizes[foreach_current_index(cell)], linitial(SPI_plan_get_plan_sources(lfirst(cell))), many))
			plan_now(lfirst(cell), arguments);
		rc = SPI_execute_plan_with_paramlist(lfirst(cell), parameters, false, 0);

		if (rc < 0)
			elog(ERROR, "hrloop: cannot execute a statement: %s", SPI_result_code_string(rc));
		if (lnext(list, cell))
			SPI_freetuptable(SPI_tuptable);
	}
}

/* A function that is not in SQL, or whose arguments need a cast. */
static void
call_function(Oid books, Oid function, const char *name, const HrArguments *arguments)
{
	HrQuery		query = {.name = psprintf("call %s", name), .nargs = arguments->count, .function = function};
	StringInfoData sql;
	char	   *nulls = palloc(arguments->count + 1);

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT * FROM @%s(", quote_identifier(name));
	for (int i = 0; i < arguments->count; i++)
	{
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
		query.argtypes[i] = arguments->type[i];
		nulls[i] = arguments->null[i] ? 'n' : ' ';
	}
	appendStringInfoChar(&sql, ')');
	query.sql = sql.data;
	hr_execute(books, &query, (Datum *) arguments->value, nulls, false);
}

/* Run a function of the books, and leave what it returns to SPI.  Call it inside a scope. */
void
hr_run(Oid books, const char *name, const HrArguments *arguments)
{
	HeapTuple	tuple = find_function(books, name, arguments);
	PlanEntry  *entry = NULL;
	Oid			function = InvalidOid;
	bool		tells = true;

	CHECK_FOR_INTERRUPTS();
	if (HeapTupleIsValid(tuple))
	{
		function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
		tells = ((Form_pg_proc) GETSTRUCT(tuple))->prorettype != VOIDOID;
		entry = plans_of_function(books, arguments, tuple);
		ReleaseSysCache(tuple);
	}
	if (entry != NULL)
	{
		entry->running++;
		PG_TRY();
		{
			run_plans(entry, arguments);
		}
		PG_FINALLY();
		{
			entry->running--;
		}
		PG_END_TRY();
	}
	else
		call_function(books, function, name, arguments);
	if (!tells)
	{
		SPI_freetuptable(SPI_tuptable);
		SPI_tuptable = NULL;
		SPI_processed = 0;
	}
}

/*
 * hrloop.run(book, function, arguments...): how one consequence calls another,
 * for it to have kept plans as well.
 */
Datum
hrloop_run(PG_FUNCTION_ARGS)
{
	HrArguments arguments = {.count = PG_NARGS() - 2};
	char	   *name;
	Oid			books;
	HrScope		scope;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("hrloop.run() needs the books and a function")));
	if (arguments.count > HR_MAX_ARGUMENTS || get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ARGUMENTS),
				 errmsg("hrloop.run() takes at most %d arguments, one by one", HR_MAX_ARGUMENTS)));
	books = hr_owned(PG_GETARG_OID(0), "run functions");
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	for (int i = 0; i < arguments.count; i++)
	{
		arguments.type[i] = hr_argument_type(fcinfo, i + 2);
		arguments.null[i] = PG_ARGISNULL(i + 2);
		arguments.value[i] = PG_GETARG_DATUM(i + 2);
		if (arguments.type[i] == UNKNOWNOID)
		{						/* a literal, as a C string */
			arguments.type[i] = TEXTOID;
			if (!arguments.null[i])
				arguments.value[i] = CStringGetTextDatum(DatumGetCString(arguments.value[i]));
		}
		if (!arguments.null[i] && type_is_array(arguments.type[i]))
			arguments.value[i] = PointerGetDatum(PG_GETARG_ARRAYTYPE_P(i + 2));
	}
	hr_scope_enter(&scope, hr_books_owner(PG_GETARG_OID(0)));
	hr_run(books, name, &arguments);
	hr_scope_leave(&scope);
	PG_RETURN_VOID();
}

/* ----------------------------------------------------------------------- start */

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
	next_planner = planner_hook;
	planner_hook = plan_in_view;
}
