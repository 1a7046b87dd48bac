/*
 * trigger.c - from a statement to its consequences.
 *
 * One mechanism serves every room.  A statement-level trigger gathers the keys
 * of the rows that matter from the transition tables and hands them, sorted,
 * to a function of the same books:
 *
 *	CREATE TRIGGER ... AFTER UPDATE ON review
 *	  REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
 *	  FOR EACH STATEMENT
 *	  EXECUTE FUNCTION hrloop.consequence('propose_raise', 'key=review_id',
 *										  'changed=status', 'present=grade');
 *
 * key		the bigint column whose values are handed over
 * changed	only rows in which one of these columns differs from before
 * present	only rows in which this column is not null, before or after
 * rows=old	instead of a key: the rows themselves, as they were before
 *
 * The function takes a bigint[], or with rows=old an array of the table's row
 * type: a rule about what was there cannot look up a row that is gone.  If it returns rows of type hrloop.problem,
 * the first one is raised as an error; so rules that refuse and rules that act
 * are both written as SQL and obey the same trigger, for one row and for a
 * million.
 */
#include "hrloop.h"

#include "audit_log.h"
#include "books.h"
#include "books_scope.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"
#include "plan_cache.h"
#include "trigger.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_consequence);
PG_FUNCTION_INFO_V1(hrloop_refuse);
PG_FUNCTION_INFO_V1(hrloop_forget);
PG_FUNCTION_INFO_V1(hrloop_fail);

#define MAX_CHANGED 12
#define SLICE 500				/* keys handed over at a time */

typedef enum About				/* whose keys they are */
{
	ABOUT_OTHERS,
	ABOUT_EMPLOYEES,
	ABOUT_REVIEWS,
	ABOUT_ALL					/* a rule's: everybody's */
} About;

typedef struct Spec
{
	const char *function;
	int			key;			/* 0: the old rows are handed over */
	About		about;
	bool		old_rows;
	int			nchanged;
	int			changed[MAX_CHANGED];
	int			present;		/* 0: no such condition */
} Spec;

/* "changed=a,b" into column numbers */
static void
parse_changed(TupleDesc desc, char *list, Spec *spec)
{
	char	   *save;

	for (char *name = strtok_r(list, ",", &save); name;
		 name = strtok_r(NULL, ",", &save))
	{
		if (spec->nchanged == MAX_CHANGED)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("hrloop.consequence() cannot watch more than %d columns",
							MAX_CHANGED)));
		spec->changed[spec->nchanged++] = hr_column(desc, name, InvalidOid);
	}
}

/* Whose the keys of a column are.  What names neither a person nor a review is a rule. */
static About
about(TupleDesc desc, const char *key)
{
	if (strcmp(key, "employee_id") == 0)
		return ABOUT_EMPLOYEES;
	if (strcmp(key, "review_id") == 0)
		return ABOUT_REVIEWS;
	return SPI_fnumber(desc, "employee_id") > 0 || SPI_fnumber(desc, "review_id") > 0 ? ABOUT_OTHERS : ABOUT_ALL;
}

static void
parse_spec(TriggerData *td, Spec *spec)
{
	Trigger    *trigger = td->tg_trigger;
	TupleDesc	desc = RelationGetDescr(td->tg_relation);

	memset(spec, 0, sizeof(*spec));
	for (int i = 1; i < trigger->tgnargs; i++)
	{
		char	   *arg = trigger->tgargs[i];

		if (strncmp(arg, "key=", 4) == 0)
		{
			spec->key = hr_column(desc, arg + 4, INT8OID);
			spec->about = about(desc, arg + 4);
		}
		else if (strncmp(arg, "changed=", 8) == 0)
			parse_changed(desc, pstrdup(arg + 8), spec);
		else if (strncmp(arg, "present=", 8) == 0)
			spec->present = hr_column(desc, arg + 8, InvalidOid);
		else if (strcmp(arg, "rows=old") == 0)
			spec->old_rows = true;
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("hrloop.consequence() does not know argument \"%s\"", arg),
					 errhint("Arguments: function, key=column or rows=old, changed=columns, present=column.")));
	}
	if (trigger->tgnargs < 2 || (spec->key == 0) != spec->old_rows)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" names no function and key", trigger->tgname)));
	spec->function = trigger->tgargs[0];
}

static bool
same_value(TupleTableSlot *a, TupleTableSlot *b, int column)
{
	bool		anull,
				bnull;
	Datum		x = slot_getattr(a, column, &anull);
	Datum		y = slot_getattr(b, column, &bnull);
	Form_pg_attribute att = TupleDescAttr(a->tts_tupleDescriptor, column - 1);

	if (anull || bnull)
		return anull && bnull;
	return datum_image_eq(x, y, att->attbyval, att->attlen);
}

/* Whether one of the columns to watch differs, or there are none to watch. */
static bool
differs(const Spec *spec, TupleTableSlot *before, TupleTableSlot *after)
{
	for (int i = 0; i < spec->nchanged; i++)
		if (!same_value(before, after, spec->changed[i]))
			return true;
	return spec->nchanged == 0;
}

/*
 * An update's transition tables hold the old and the new image of each row at
 * the same place, so the two are read side by side.
 */
static void
collect_changed(TriggerData *td, const Spec *spec, HrIds *ids)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	TupleTableSlot *before = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	TupleTableSlot *after = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);

	tuplestore_rescan(td->tg_oldtable);
	tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_oldtable, true, false, before) &&
		   tuplestore_gettupleslot(td->tg_newtable, true, false, after))
	{
		bool		null;

		if (!differs(spec, before, after))
			continue;
		if (spec->present &&
			slot_attisnull(before, spec->present) &&
			slot_attisnull(after, spec->present))
			continue;
		hr_ids_add(ids, DatumGetInt64(slot_getattr(after, spec->key, &null)));
	}
	ExecDropSingleTupleTableSlot(before);
	ExecDropSingleTupleTableSlot(after);
}

static void
collect_all(Tuplestorestate *rows, TupleDesc desc, const Spec *spec, HrIds *ids)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);

	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		bool		null;
		Datum		key = slot_getattr(slot, spec->key, &null);

		if (!null && !(spec->present && slot_attisnull(slot, spec->present)))
			hr_ids_add(ids, DatumGetInt64(key));
	}
	ExecDropSingleTupleTableSlot(slot);
}

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

/* Call a function of the books with an array; a problem it returns is raised. */
static void
call_with(Oid books, const char *function, Oid type, Datum array)
{
	HrArguments arguments = {.count = 1, .type = {type}, .value = {array}};

	hr_run(books, function, &arguments);
	raise_found();
	SPI_freetuptable(SPI_tuptable);
	pfree(DatumGetPointer(array));
}

/*
 * Call a function of the books with keys, a slice at a time.  Call it inside
 * a scope.
 *
 * The planner takes an array it does not see for ten elements and may well
 * join by nested loops; slices keep that cheap, bound the memory, and leave a
 * million rows interruptible.
 */
void
hr_call(Oid books, const char *function, const HrIds *ids)
{

	for (int first = 0; first < ids->count; first += SLICE)
	{
		HrIds		slice = {.id = ids->id + first, .count = Min(SLICE, ids->count - first)};

		call_with(books, function, INT8ARRAYOID, PointerGetDatum(hr_ids_array(&slice)));
	}
}

/* Hand over rows of the trigger's table, and forget them. */
static void
call_with_rows(Oid books, const Spec *spec, Oid type, Datum *rows, int count)
{
	call_with(books, spec->function, get_array_type(type),
			  PointerGetDatum(construct_array(rows, count, type, -1, false, TYPALIGN_DOUBLE)));
	for (int i = 0; i < count; i++)
		pfree(DatumGetPointer(rows[i]));
}

/* Call the function with the rows as they were, a slice at a time. */
static void
call_old_rows(Oid books, TriggerData *td, const Spec *spec)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	Oid			type = td->tg_relation->rd_rel->reltype;
	TupleTableSlot *before = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	TupleTableSlot *after = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	Datum		rows[SLICE];
	int			count = 0;

	tuplestore_rescan(td->tg_oldtable);
	if (td->tg_newtable)
		tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_oldtable, true, false, before))
	{
		if (td->tg_newtable &&
			!(tuplestore_gettupleslot(td->tg_newtable, true, false, after) &&
			  differs(spec, before, after)))
			continue;
		if (spec->present && slot_attisnull(before, spec->present))
			continue;
		rows[count++] = ExecFetchSlotHeapTupleDatum(before);
		if (count == SLICE)
		{
			call_with_rows(books, spec, type, rows, count);
			count = 0;
		}
	}
	if (count > 0)
		call_with_rows(books, spec, type, rows, count);
	ExecDropSingleTupleTableSlot(before);
	ExecDropSingleTupleTableSlot(after);
}

/* The keys of the rows that matter. */
static void
collect_keys(TriggerData *td, const Spec *spec, HrIds *ids)
{
	if (td->tg_newtable && td->tg_oldtable)
		collect_changed(td, spec, ids);
	else
		collect_all(td->tg_newtable ? td->tg_newtable : td->tg_oldtable,
					RelationGetDescr(td->tg_relation), spec, ids);
	hr_ids_settle(ids);
}

/*
 * What there is about these people that a consequence may go on from: the
 * versions of all that people say of them, and decisions, readings and scores,
 * which are many and never change unseen, by number; and of rules.  What points
 * to a decision is counted with it.  t/111_state.pl finds a table that is missing.
 */
#define VERSIONS(table) \
	"   (SELECT pg_catalog.string_agg(x.xmin::text, ',' ORDER BY x.ctid) FROM @" table " x WHERE x.employee_id = ANY (p.ids)),"
#define STATE_OF_PEOPLE \
	"SELECT pg_catalog.concat_ws(';'," \
	"   (SELECT pg_catalog.count(*) FROM @decision d WHERE d.employee_id = ANY (p.ids))," \
	"   (SELECT pg_catalog.count(*) FROM @measurement m WHERE m.employee_id = ANY (p.ids))," \
	"   (SELECT pg_catalog.string_agg(a.xmin::text, ',' ORDER BY a.allowance_rule_id) FROM @allowance_rule a)," \
	"   (SELECT pg_catalog.string_agg(g.xmin::text, ',' ORDER BY g.setting_id) FROM @setting g)," \
	VERSIONS("employee") VERSIONS("employee_status") VERSIONS("assignment") VERSIONS("unit_head") VERSIONS("role_holder") \
	VERSIONS("key_event") VERSIONS("salary") VERSIONS("target") VERSIONS("review_gate") VERSIONS("skill_rating") VERSIONS("development_request") \
	VERSIONS("enrolment") VERSIONS("training_record") VERSIONS("certification_result") VERSIONS("certification_reversal") \
	VERSIONS("question") VERSIONS("mentor_advice") VERSIONS("contribution") VERSIONS("contribution_citation") VERSIONS("suggestion") \
	"   (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', r.xmin," \
	"             (SELECT pg_catalog.count(*) FROM @score s WHERE s.review_id = r.review_id)," \
	"             (SELECT pg_catalog.string_agg(i.xmin::text, ',' ORDER BY i.initial_score_id) FROM @initial_score i WHERE i.review_id = r.review_id))," \
	"             ',' ORDER BY r.review_id) FROM @review r WHERE r.employee_id = ANY (p.ids)))" \
	"  FROM "

/* Whether the transaction sees these people as they are by now. */
static bool
sees_people(Oid books, const Spec *spec, const HrIds *ids)
{
	static const HrQuery employees = {"state of employees", STATE_OF_PEOPLE "(SELECT $1 AS ids) p", 1, {INT8ARRAYOID}};
	static const HrQuery reviews = {"state of the reviewed",
	STATE_OF_PEOPLE "(SELECT ARRAY(SELECT employee_id FROM @review WHERE review_id = ANY ($1)) AS ids) p", 1, {INT8ARRAYOID}};
	static const HrQuery all = {"state of all",
	"SELECT pg_catalog.count(*)::text FROM @decision WHERE $1 IS NOT NULL", 1, {INT8ARRAYOID}};
	const HrQuery *query = spec->about == ABOUT_REVIEWS ? &reviews : spec->about == ABOUT_EMPLOYEES ? &employees : &all;
	Datum		arg = PointerGetDatum(hr_ids_array(ids));

	return hr_is_current(books, query, &arg);
}

/*
 * Consequences for the same person come one after the other: each locks the
 * employee, or the review, first.  That lock leaves no trace, so a transaction
 * with one snapshot may have gone on from what is no longer so, and met what it
 * does not see.  It is told to try again if anything about these people is
 * other by now than it sees it.
 */
static void
call_current(Oid books, const Spec *spec, const HrIds *ids)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		hr_call(books, spec->function, ids);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION && error->sqlerrcode != ERRCODE_EXCLUSION_VIOLATION)
			PG_RE_THROW();
		FlushErrorState();
		hr_not_current();
	}
	PG_END_TRY();

	if (!sees_people(books, spec, ids))
		hr_not_current();
}

Datum
hrloop_consequence(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	Oid			books = RelationGetNamespace(td->tg_relation);
	Spec		spec;
	HrScope		scope;
	HrIds		ids = {0};

	if (hr_erasing(books))
		PG_RETURN_POINTER(NULL);
	hr_books_check(books);
	parse_spec(td, &spec);
	if (!td->tg_oldtable && (spec.old_rows || !td->tg_newtable))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has no transition table",
						td->tg_trigger->tgname)));
	if (!spec.old_rows)
		collect_keys(td, &spec, &ids);
	if (spec.old_rows || ids.count > 0)
	{
		hr_scope_enter(&scope, td->tg_relation->rd_rel->relowner);
		if (spec.old_rows)
			call_old_rows(books, td, &spec);
		else if (spec.about != ABOUT_OTHERS && IsolationUsesXactSnapshot())
			call_current(books, &spec, &ids);
		else
			hr_call(books, spec.function, &ids);
		hr_scope_leave(&scope);
	}
	PG_RETURN_POINTER(NULL);
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
