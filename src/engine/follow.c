/*
 * follow.c - from a statement to its consequences.
 *
 * One mechanism serves every room.  A room says beside a function what it follows,
 *
 *	SELECT register_follow('review_result', 'insert', 500, 'propose_raise', key => 'review_id');
 *
 * and the table follow of the books keeps it.  From its rows each table has at most
 * one trigger for each event, after the statement, with transition tables:
 *
 *	EXECUTE FUNCTION hrloop.consequence('disclosure_problem', 'key=result_id', 'changed=disclosed_on',
 *										'withdraw_raise', 'key=review_id', 'changed=reopened_by')
 *
 * In arguments, what follows comes with the relation: it is dumped, disabled and
 * replicated as any trigger is, and a backend learns that it changed as of any
 * other change of the table.  A function stands before its conditions:
 *
 * key		the bigint column whose values are handed over, sorted
 * changed	of an update, only rows in which one of these columns differs from before
 * present	only rows in which this column is not null, before or after
 * rows=old	instead of a key: the rows themselves, as they were before
 *
 * A row that goes over to another key is handed over under both: whom it left has lost
 * something.  The function takes a bigint[], or with rows=old an array of the table's
 * row type: a rule about what was there cannot look up a row that is gone.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"
#include "follow.h"
#include "invalidate.h"
#include "plan_cache.h"
#include "trigger.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_consequence);

#define MAX_WATCHED 64			/* columns of one trigger: bits */

typedef enum About				/* whose keys they are */
{
	ABOUT_OTHERS,
	ABOUT_EMPLOYEES,
	ABOUT_REVIEWS,
	ABOUT_ALL					/* a rule's: everybody's */
} About;

typedef struct Follow			/* a function, and what it follows */
{
	char		function[NAMEDATALEN];
	int			key;			/* 0: the old rows are handed over */
	About		about;
	uint64		changed;		/* of the columns that are watched; 0: whatever changed */
	int			present;		/* 0: no such condition */
	int			same;			/* which one, maybe itself, is the first with these conditions */
} Follow;

typedef struct Follows			/* what a trigger says, in order */
{
	Oid			trigger;		/* hash key */
	Oid			relid;
	bool		valid;
	int			nwatched;
	int			watched[MAX_WATCHED];
	int			count;
	Follow	   *follow;
} Follows;

/* ------------------------------------------------------- what a trigger says */

static HTAB *known;

static void
forget_follows(Oid relid)
{
	HASH_SEQ_STATUS seq;
	Follows    *entry;

	hash_seq_init(&seq, known);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relid) || entry->relid == relid)
			entry->valid = false;
}

void
hr_follow_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(Follows);
	known = hash_create("hrloop follows", 128, &ctl, HASH_ELEM | HASH_BLOBS);
	hr_on_change(forget_follows);
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

/* The bit of a column that is watched. */
static uint64
watch(Follows *follows, int column)
{
	int			i = 0;

	while (i < follows->nwatched && follows->watched[i] != column)
		i++;
	if (i == MAX_WATCHED)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("hrloop.consequence() cannot watch more than %d columns", MAX_WATCHED)));
	follows->watched[i] = column;
	follows->nwatched = Max(follows->nwatched, i + 1);
	return UINT64CONST(1) << i;
}

/* "changed=a,b" */
static uint64
watch_all(Follows *follows, TupleDesc desc, char *list)
{
	uint64		bits = 0;
	char	   *save;

	for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save))
		bits |= watch(follows, hr_column(desc, name, InvalidOid));
	return bits;
}

/* Whether an argument is a function: its key, or rows=old, comes next. */
static bool
is_function(const Trigger *trigger, int i)
{
	return i + 1 < trigger->tgnargs &&
		(strncmp(trigger->tgargs[i + 1], "key=", 4) == 0 || strcmp(trigger->tgargs[i + 1], "rows=old") == 0);
}

static void
parse_condition(Follows *follows, Follow *follow, TupleDesc desc, const char *arg)
{
	if (strncmp(arg, "key=", 4) == 0)
	{
		follow->key = hr_column(desc, arg + 4, INT8OID);
		follow->about = about(desc, arg + 4);
	}
	else if (strncmp(arg, "changed=", 8) == 0)
		follow->changed = watch_all(follows, desc, pstrdup(arg + 8));
	else if (strncmp(arg, "present=", 8) == 0)
		follow->present = hr_column(desc, arg + 8, InvalidOid);
	else if (strcmp(arg, "rows=old") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("hrloop.consequence() does not know argument \"%s\"", arg),
				 errhint("Arguments: function, key=column or rows=old, changed=columns, present=column; then the next function.")));
}

/* The first function that is about the same rows, and so about the same keys. */
static int
first_with(const Follow *follow, int count, const Follow *like)
{
	int			i = 0;

	while (i < count && (follow[i].key != like->key || follow[i].changed != like->changed || follow[i].present != like->present))
		i++;
	return i;
}

static void
parse(Relation rel, const Trigger *trigger, Follows *follows)
{
	Follow	   *follow = NULL;

	if (!is_function(trigger, 0))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" names no function and key", trigger->tgname)));
	for (int i = 0; i < trigger->tgnargs; i++)
		if (i == 0 || is_function(trigger, i))
		{
			follow = &follows->follow[follows->count++];
			strlcpy(follow->function, trigger->tgargs[i], NAMEDATALEN);
		}
		else
			parse_condition(follows, follow, RelationGetDescr(rel), trigger->tgargs[i]);
	for (int i = 0; i < follows->count; i++)
	{
		follow = &follows->follow[i];
		if (follow->changed && follow->key)
			follow->changed |= watch(follows, follow->key);
		follow->same = first_with(follows->follow, i, follow);
	}
}

/*
 * What a trigger says.  A copy: while it is carried out it may be forgotten, and
 * learned anew further down the stack.
 */
static Follows *
follows_of(Relation rel, const Trigger *trigger)
{
	bool		found;
	Follows    *entry = hash_search(known, &trigger->tgoid, HASH_ENTER, &found);
	Follows    *copy = palloc(sizeof(Follows));
	Size		size;

	if (!found)
	{
		entry->valid = false;
		entry->follow = NULL;
	}
	if (!entry->valid)
	{
		Follows		fresh = {.trigger = trigger->tgoid, .relid = RelationGetRelid(rel), .valid = true};

		fresh.follow = palloc0(sizeof(Follow) * Max(trigger->tgnargs, 1));
		parse(rel, trigger, &fresh);
		size = sizeof(Follow) * fresh.count;
		fresh.follow = memcpy(MemoryContextAlloc(TopMemoryContext, size), fresh.follow, size);
		if (entry->follow)
			pfree(entry->follow);
		*entry = fresh;
	}
	*copy = *entry;
	size = sizeof(Follow) * entry->count;
	copy->follow = memcpy(palloc(size), entry->follow, size);
	return copy;
}

/* --------------------------------------------------------- the rows that matter */

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

/* Which of the columns that are watched differ. */
static uint64
differing(const Follows *follows, TupleTableSlot *before, TupleTableSlot *after)
{
	uint64		bits = 0;

	for (int i = 0; i < follows->nwatched; i++)
		if (!same_value(before, after, follows->watched[i]))
			bits |= UINT64CONST(1) << i;
	return bits;
}

static void
add_key(HrIds *ids, TupleTableSlot *row, int key)
{
	bool		null;
	Datum		value = slot_getattr(row, key, &null);

	if (!null)
		hr_ids_add(ids, DatumGetInt64(value));
}

/*
 * An update's transition tables hold the old and the new image of each row at
 * the same place, so the two are read side by side.
 */
static void
collect_changed(TriggerData *td, const Follows *follows, HrIds *ids)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	TupleTableSlot *before = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	TupleTableSlot *after = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);

	tuplestore_rescan(td->tg_oldtable);
	tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_oldtable, true, false, before) &&
		   tuplestore_gettupleslot(td->tg_newtable, true, false, after))
	{
		uint64		bits = differing(follows, before, after);

		for (int i = 0; i < follows->count; i++)
		{
			const Follow *follow = &follows->follow[i];

			if (follow->same != i || follow->key == 0 || (follow->changed && !(follow->changed & bits)) ||
				(follow->present && slot_attisnull(before, follow->present) && slot_attisnull(after, follow->present)))
				continue;
			if (!same_value(before, after, follow->key))
				add_key(&ids[i], before, follow->key);
			add_key(&ids[i], after, follow->key);
		}
	}
	ExecDropSingleTupleTableSlot(before);
	ExecDropSingleTupleTableSlot(after);
}

static void
collect_all(Tuplestorestate *rows, TupleDesc desc, const Follows *follows, HrIds *ids)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);

	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
		for (int i = 0; i < follows->count; i++)
		{
			const Follow *follow = &follows->follow[i];

			if (follow->same == i && follow->key != 0 && !(follow->present && slot_attisnull(slot, follow->present)))
				add_key(&ids[i], slot, follow->key);
		}
	ExecDropSingleTupleTableSlot(slot);
}

/* All keys, before anything runs; false: nothing follows. */
static bool
collect_keys(TriggerData *td, const Follows *follows, HrIds *ids)
{
	bool		any = false;

	if (td->tg_newtable && td->tg_oldtable)
		collect_changed(td, follows, ids);
	else
		collect_all(td->tg_newtable ? td->tg_newtable : td->tg_oldtable,
					RelationGetDescr(td->tg_relation), follows, ids);
	for (int i = 0; i < follows->count; i++)
	{
		hr_ids_settle(&ids[i]);
		any |= ids[i].count > 0 || follows->follow[i].key == 0;
	}
	return any;
}

/* ----------------------------------------------------------------- carried out */

/* Hand over rows of the trigger's table, and forget them. */
static void
call_with_rows(Oid books, const Follow *follow, Oid type, Datum *rows, int count)
{
	hr_call_with(books, follow->function, get_array_type(type),
				 PointerGetDatum(construct_array(rows, count, type, -1, false, TYPALIGN_DOUBLE)));
	for (int i = 0; i < count; i++)
		pfree(DatumGetPointer(rows[i]));
}

/* Call the function with the rows as they were, a slice at a time. */
static void
call_old_rows(Oid books, TriggerData *td, const Follows *follows, const Follow *follow)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	Oid			type = td->tg_relation->rd_rel->reltype;
	TupleTableSlot *before = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	TupleTableSlot *after = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	Datum		rows[HR_SLICE];
	int			count = 0;

	tuplestore_rescan(td->tg_oldtable);
	if (td->tg_newtable)
		tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_oldtable, true, false, before))
	{
		if (td->tg_newtable &&
			!(tuplestore_gettupleslot(td->tg_newtable, true, false, after) &&
			  (!follow->changed || (follow->changed & differing(follows, before, after)))))
			continue;
		if (follow->present && slot_attisnull(before, follow->present))
			continue;
		rows[count++] = ExecFetchSlotHeapTupleDatum(before);
		if (count == HR_SLICE)
		{
			call_with_rows(books, follow, type, rows, count);
			count = 0;
		}
	}
	if (count > 0)
		call_with_rows(books, follow, type, rows, count);
	ExecDropSingleTupleTableSlot(before);
	ExecDropSingleTupleTableSlot(after);
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
	VERSIONS("question") VERSIONS("change_request") VERSIONS("payslip_line") VERSIONS("arrears_due") VERSIONS("mentor_advice") VERSIONS("contribution") VERSIONS("contribution_citation") VERSIONS("suggestion") \
	"   (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', r.xmin," \
	"             (SELECT pg_catalog.count(*) FROM @score s WHERE s.review_id = r.review_id)," \
	"             (SELECT pg_catalog.string_agg(i.xmin::text, ',' ORDER BY i.initial_score_id) FROM @initial_score i WHERE i.review_id = r.review_id))," \
	"             ',' ORDER BY r.review_id) FROM @review r WHERE r.employee_id = ANY (p.ids)))" \
	"  FROM "

/* Whether the transaction sees these people as they are by now. */
static bool
sees_people(Oid books, const Follow *follow, const HrIds *ids)
{
	static const HrQuery employees = {"state of employees", STATE_OF_PEOPLE "(SELECT $1 AS ids) p", 1, {INT8ARRAYOID}};
	static const HrQuery reviews = {"state of the reviewed",
	STATE_OF_PEOPLE "(SELECT ARRAY(SELECT employee_id FROM @review WHERE review_id = ANY ($1)) AS ids) p", 1, {INT8ARRAYOID}};
	static const HrQuery all = {"state of all",
	"SELECT pg_catalog.count(*)::text FROM @decision WHERE $1 IS NOT NULL", 1, {INT8ARRAYOID}};
	const HrQuery *query = follow->about == ABOUT_REVIEWS ? &reviews : follow->about == ABOUT_EMPLOYEES ? &employees : &all;
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
call_current(Oid books, const Follow *follow, const HrIds *ids)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		hr_call(books, follow->function, ids);
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

	if (!sees_people(books, follow, ids))
		hr_not_current();
}

/* Which consequence an error comes from: there is no trigger of its own to tell. */
typedef struct Place
{
	const char *table;
	const char *function;
} Place;

static void
tell_place(void *arg)
{
	Place	   *place = arg;

	errcontext("what follows from table \"%s\": %s", place->table, place->function);
}

static void
carry_out(Oid books, TriggerData *td, const Follows *follows, const HrIds *ids)
{
	Place		place = {.table = RelationGetRelationName(td->tg_relation)};
	ErrorContextCallback context = {.previous = error_context_stack, .callback = tell_place, .arg = &place};

	error_context_stack = &context;
	for (int i = 0; i < follows->count; i++)
	{
		const Follow *follow = &follows->follow[i];
		const HrIds *keys = &ids[follow->same];

		place.function = follow->function;
		if (follow->key == 0)
			call_old_rows(books, td, follows, follow);
		else if (keys->count > 0 && follow->about != ABOUT_OTHERS && IsolationUsesXactSnapshot())
			call_current(books, follow, keys);
		else
			hr_call(books, follow->function, keys);
	}
	error_context_stack = context.previous;
}

Datum
hrloop_consequence(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	Oid			books = RelationGetNamespace(td->tg_relation);
	Follows    *follows;
	HrIds	   *ids;
	HrScope		scope;

	if (hr_erasing(books))
		PG_RETURN_POINTER(NULL);
	hr_books_check(books);
	follows = follows_of(td->tg_relation, td->tg_trigger);
	for (int i = 0; i < follows->count; i++)
		if (!td->tg_oldtable && (follows->follow[i].key == 0 || !td->tg_newtable))
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("trigger \"%s\" has no transition table", td->tg_trigger->tgname)));
	ids = palloc0(sizeof(HrIds) * follows->count);
	if (collect_keys(td, follows, ids))
	{
		hr_scope_enter(&scope, td->tg_relation->rd_rel->relowner);
		carry_out(books, td, follows, ids);
		hr_scope_leave(&scope);
	}
	PG_RETURN_POINTER(NULL);
}
