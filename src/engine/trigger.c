/*
 * trigger.c - what the triggers of all rooms share, and those that need no more.
 *
 * What follows from a statement is follow.c's.  Here is how a function of the books is
 * called with keys: if it returns rows of type hrloop.problem, the first one is raised as
 * an error, so that rules that refuse are written as SQL.
 */
#include "hrloop.h"

#include "audit_log.h"
#include "books.h"
#include "called.h"
#include "erasure.h"
#include "plan_cache.h"
#include "trigger.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_guard);
PG_FUNCTION_INFO_V1(hrloop_refuse);
PG_FUNCTION_INFO_V1(hrloop_forget);
PG_FUNCTION_INFO_V1(hrloop_truncated);
PG_FUNCTION_INFO_V1(hrloop_fail);

/* Raise an error whose parts were put together by SQL. */
static void
raise_problem(char **part)
{
	const char *state = part[0] && strlen(part[0]) == 5 ? part[0] : "23514";

	if (strcmp(state, "42501") == 0)
		hr_log_refused(part[1], part[2]);
	ereport(ERROR,
			(errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
			 errmsg_internal("%s", part[1] ? part[1] : "refused by a rule of the books"),
			 part[2] ? errdetail_internal("%s", part[2]) : 0,
			 part[3] ? errhint("%s", part[3]) : 0,
			 part[4] ? err_generic_string(PG_DIAG_TABLE_NAME, part[4]) : 0,
			 part[5] ? err_generic_string(PG_DIAG_COLUMN_NAME, part[5]) : 0,
			 part[6] ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, part[6]) : 0));
}

/*
 * BEFORE TRUNCATE statement: the rows are deleted one by one, so that what follows a
 * DELETE, and what refuses it, is the same for a TRUNCATE.
 */
Datum
hrloop_truncated(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, 0);
	Relation	table = td->tg_relation;
	char	   *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table));

	hr_books_check(RelationGetNamespace(table));
	if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(psprintf("DELETE FROM %s", name), false, 0) != SPI_OK_DELETE ||
		SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not delete the rows of %s", name);
	PG_RETURN_POINTER(NULL);
}

/* If the function that just ran found problems, raise the first. */
static void
raise_found(void)
{
	char	   *part[7];

	if (SPI_processed == 0 || SPI_tuptable == NULL ||
		SPI_tuptable->tupdesc->natts != 7)
		return;
	for (int i = 0; i < 7; i++)
		part[i] = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1);
	raise_problem(part);
}

void
hr_call_with(Oid books, const char *function, Oid type, Datum array)
{
	HrArguments arguments = {.count = 1, .type = {type}, .value = {array}};

	hr_run(books, function, &arguments);
	raise_found();
	SPI_freetuptable(SPI_tuptable);
	pfree(DatumGetPointer(array));
}

/*
 * The planner takes an array it does not see for ten elements and may well
 * join by nested loops; slices keep that cheap, bound the memory, and leave a
 * million rows interruptible.
 */
void
hr_call(Oid books, const char *function, const HrIds *ids)
{
	for (int first = 0; first < ids->count; first += HR_SLICE)
	{
		HrIds		slice = {.id = ids->id + first, .count = Min(HR_SLICE, ids->count - first)};

		hr_call_with(books, function, INT8ARRAYOID, PointerGetDatum(hr_ids_array(&slice)));
	}
}

/*
 * hrloop.refuse(hint): for tables that only grow.  A BEFORE statement trigger,
 * so that even a statement that would touch no row is refused.
 */
Datum
hrloop_refuse(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, 0);
	const char *verb = TRIGGER_FIRED_BY_DELETE(td->tg_event) ? "deleted" :
	TRIGGER_FIRED_BY_TRUNCATE(td->tg_event) ? "truncated" : "changed";

	if (TRIGGER_FIRED_BY_UPDATE(td->tg_event) &&
		hr_erasing(RelationGetNamespace(td->tg_relation)))
		PG_RETURN_POINTER(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of \"%s\" cannot be %s",
					RelationGetRelationName(td->tg_relation), verb),
			 errdetail("This table is append-only: it is the evidence behind every figure."),
			 td->tg_trigger->tgnargs > 0 ? errhint("%s", td->tg_trigger->tgargs[0]) : 0,
			 errtable(td->tg_relation)));
	PG_RETURN_POINTER(NULL);
}

/*
 * hrloop.guard(verb): what the engine alone writes.  It writes in a scope, and verbs that write
 * it are SECURITY DEFINER: as the owner of the table, who is not the one who asked.  Whoever asks
 * in their own name is refused, the owner and a superuser too, whatever their rights are.
 * A BEFORE statement trigger, so that COPY, MERGE and a statement that would touch no row are met.
 */
Datum
hrloop_guard(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, 0);
	Relation	rel = td->tg_relation;
	char	   *message;

	if (InLocalUserIdChange() && GetUserId() == rel->rd_rel->relowner)
		PG_RETURN_POINTER(NULL);
	message = psprintf("rows of \"%s\" are %s by the engine alone", RelationGetRelationName(rel),
					   TRIGGER_FIRED_BY_INSERT(td->tg_event) ? "written" :
					   TRIGGER_FIRED_BY_UPDATE(td->tg_event) ? "changed" : "removed");
	hr_log_refused(message, NULL);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg_internal("%s", message),
			 errdetail("They follow from facts and rules, or say what a verb did."),
			 td->tg_trigger->tgnargs > 0 ?
			 errhint("Call %s().", quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), td->tg_trigger->tgargs[0])) : 0,
			 errtable(rel)));
	PG_RETURN_POINTER(NULL);
}

/*
 * hrloop.forget(): rules changed, every backend drops what it remembers of them.
 * For a statement, or for each row that logical replication brings: that fires
 * no statement triggers.
 */
Datum
hrloop_forget(PG_FUNCTION_ARGS)
{
	TriggerEvent level = CALLED_AS_TRIGGER(fcinfo)
	? ((TriggerData *) fcinfo->context)->tg_event & TRIGGER_EVENT_ROW : 0;
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, level);

	CacheInvalidateRelcache(td->tg_relation);
	PG_RETURN_POINTER(NULL);
}

/* hrloop.fail(...): how a SQL function raises an error. */
Datum
hrloop_fail(PG_FUNCTION_ARGS)
{
	char	   *part[7];

	for (int i = 0; i < 7; i++)
		part[i] = i < PG_NARGS() && !PG_ARGISNULL(i)
			? text_to_cstring(PG_GETARG_TEXT_PP(i)) : NULL;
	raise_problem(part);
	PG_RETURN_NULL();
}
