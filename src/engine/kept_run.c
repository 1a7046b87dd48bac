/*
 * kept_run.c - a function in SQL, run by its kept plans.
 *
 * This does what fmgr_sql() of PostgreSQL 15 to 17 does: snapshots, results and the
 * context of errors are the same.  But a set is returned whole, where fmgr_sql() hands
 * over row by row what a select list asks for.
 */
#include "hrloop.h"

#include "kept_run.h"

#if PG_VERSION_NUM < 180000

#include "kept_plan.h"
#include "plan_cache.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/datum.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

/* Where what a function returns goes. */
typedef struct Receiver
{
	DestReceiver pub;
	const HrKept *kept;
	MemoryContext context;		/* of a single value */
	Tuplestorestate *rows;		/* of a set */
	bool		arrays;			/* some arguments are arrays */
	bool		found;
	bool		null;
	Datum		value;
} Receiver;

static void
receiver_nothing(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receiver_end(DestReceiver *self)
{
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver   *receiver = (Receiver *) self;
	const HrKept *kept = receiver->kept;
	MemoryContext caller;

	slot_getallattrs(slot);
	if (receiver->rows)
	{
		tuplestore_putvalues(receiver->rows, kept->desc, slot->tts_values, slot->tts_isnull);
		return true;
	}
	if (receiver->found)
		return true;
	caller = MemoryContextSwitchTo(receiver->context);
	receiver->found = true;
	receiver->null = !kept->whole && slot->tts_isnull[0];
	if (kept->whole)
		receiver->value = HeapTupleGetDatum(heap_form_tuple(kept->desc, slot->tts_values, slot->tts_isnull));
	else if (!receiver->null)
		receiver->value = datumCopy(slot->tts_values[0], kept->by_value, kept->length);
	MemoryContextSwitchTo(caller);
	return true;
}

/* Run what is planned, to its end, or if one row is wanted until it is there. */
static void
execute(PlannedStmt *planned, const HrKept *kept, ParamListInfo parameters, Receiver *receiver)
{
	bool		one = receiver && !kept->returns_set && planned->commandType == CMD_SELECT && !planned->hasModifyingCTE;
	QueryDesc  *query;

	if (kept->reads && !CommandIsReadOnly(planned))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s is not allowed in a non-volatile function", CreateCommandName((Node *) planned))));
	query = CreateQueryDesc(planned, "", GetActiveSnapshot(), InvalidSnapshot,
							receiver ? &receiver->pub : None_Receiver, parameters, NULL, 0);
	ExecutorStart(query, one ? EXEC_FLAG_SKIP_TRIGGERS : 0);
	ExecutorRun(query, ForwardScanDirection, one ? 1 : 0, true);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
}

/*
 * The plans of one statement, of which rules can have made several.  The snapshot
 * is as fmgr_sql() has it: what only reads sees what its caller sees, else each
 * statement sees what is committed by now and what was done before it.
 */
static void
run_statement(HrKept *kept, HrKeptStatement *statement, ParamListInfo parameters, Receiver *receiver)
{
	bool		last = statement == &kept->statement[kept->count - 1];
	CachedPlan *plan;
	ListCell   *cell;

	if (!kept->reads)
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	/* how many keys an array has is to be seen, a code that decides for a plan is not */
	plan = hr_plan_of(kept, statement, receiver->arrays ? parameters : NULL);
	foreach(cell, plan->stmt_list)
	{
		PlannedStmt *planned = lfirst_node(PlannedStmt, cell);

		if (!kept->reads && cell != list_head(plan->stmt_list))
		{
			CommandCounterIncrement();
			UpdateActiveSnapshotCommandId();
		}
		execute(planned, kept, parameters, last && planned->canSetTag && kept->type != VOIDOID ? receiver : NULL);
	}
	ReleaseCachedPlan(plan, CurrentResourceOwner);
	if (!kept->reads)
		PopActiveSnapshot();
}

static pg_noinline void
run_each(HrKept *kept, ParamListInfo parameters, Receiver *receiver, HrPlace *place)
{
	for (int i = 0; i < kept->count; i++)
	{
		place->statement = i + 1;
		run_statement(kept, &kept->statement[i], parameters, receiver);
	}
}

static pg_noinline void
leave(HrKept *kept, int planning)
{
	hr_planning = planning;
	hr_release_kept(kept);
}

/* All statements of a function, whatever is just being planned up the stack. */
static void
run_statements(HrKept *kept, ParamListInfo parameters, Receiver *receiver)
{
	HrPlace		place = {.function = kept->name};
	ErrorContextCallback context = {.previous = error_context_stack, .callback = hr_say_place, .arg = &place};
	int			planning = hr_planning;

	error_context_stack = &context;
	hr_planning = 0;
	hr_hold_kept(kept);
	PG_TRY();
	{
		run_each(kept, parameters, receiver, &place);
	}
	PG_CATCH();
	{
		leave(kept, planning);
		PG_RE_THROW();
	}
	PG_END_TRY();
	leave(kept, planning);
	error_context_stack = context.previous;
}

static ParamListInfo
arguments_of(FunctionCallInfo fcinfo, Form_pg_proc function, const HrKnown *known)
{
	ParamListInfo parameters = makeParamList(fcinfo->nargs);

	for (int i = 0; i < fcinfo->nargs; i++)
	{
		ParamExternData *parameter = &parameters->params[i];

		parameter->isnull = fcinfo->args[i].isnull;
		parameter->value = fcinfo->args[i].value;
		if (known->by_pointer >> i & 1)
			parameter->value = MakeExpandedObjectReadOnly(parameter->value, parameter->isnull, -1);
		parameter->pflags = 0;	/* a plan that is kept must not hold it for a constant */
		parameter->ptype = function->proargtypes.values[i];
	}
	return parameters;
}

static bool
has_many(FunctionCallInfo fcinfo, const HrKnown *known)
{
	for (int i = 0; known->arrays >> i != 0; i++)
		if ((known->arrays >> i & 1) && !fcinfo->args[i].isnull && hr_many_keys(fcinfo->args[i].value))
			return true;
	return false;
}

/* A place for the rows of a set, as long as the query that calls. */
static Tuplestorestate *
begin_set(FunctionCallInfo fcinfo, const HrKept *kept)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;

	if (set == NULL || !IsA(set, ReturnSetInfo) ||
		(set->allowedModes & SFRM_ValuePerCall) == 0 || (set->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	caller = MemoryContextSwitchTo(set->econtext->ecxt_per_query_memory);
	set->returnMode = SFRM_Materialize;
	set->setResult = tuplestore_begin_heap(set->allowedModes & SFRM_Materialize_Random, false, work_mem);
	set->setDesc = CreateTupleDescCopy(kept->desc);
	MemoryContextSwitchTo(caller);
	return set->setResult;
}

bool
hr_run_kept(FunctionCallInfo fcinfo, const HrKnown *known, Datum *result)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(known->function));
	Receiver	receiver = {.pub = {receive, receiver_nothing, receiver_end, receiver_end, DestNone}};
	ParamListInfo parameters;
	HrKept	   *kept;

	check_stack_depth();
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", known->function);
	parameters = arguments_of(fcinfo, (Form_pg_proc) GETSTRUCT(tuple), known);
	receiver.arrays = known->arrays != 0;
	kept = hr_find_kept(tuple, has_many(fcinfo, known));
	ReleaseSysCache(tuple);
	if (kept == NULL)
		return false;
	receiver.kept = kept;
	receiver.context = CurrentMemoryContext;
	if (kept->returns_set)
		receiver.rows = begin_set(fcinfo, kept);
	run_statements(kept, parameters, &receiver);
	/* what was kept may be gone by now */
	fcinfo->isnull = receiver.rows != NULL || !receiver.found || receiver.null;
	*result = receiver.value;
	return true;
}

#endif
