/*
 * review_lock.c - reviews, people, and the rules by which they are judged, held until the transaction ends.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"
#include "plan_cache.h"
#include "review_lock.h"
#include "score_row.h"
#include "table.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(hrloop_score_hold);
PG_FUNCTION_INFO_V1(hrloop_hold_rules);
PG_FUNCTION_INFO_V1(hrloop_hold_reviews);
PG_FUNCTION_INFO_V1(hrloop_hold_employees);

static void
not_open(const char *where, const char *status, const char *block_reason)
{
	if (strcmp(status, "not_rated") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("not rated: %s", where),
				 err_generic_string(PG_DIAG_TABLE_NAME, "review"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "review_open"),
				 errdetail("Reason: %s", block_reason ? block_reason : "none"),
				 errhint("HR can have it rated with rate_review(cycle, employee, reason).")));
	if (block_reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("blocked: %s", where),
				 err_generic_string(PG_DIAG_TABLE_NAME, "review"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "review_open"),
				 errdetail("Reason: %s", block_reason),
				 errhint("Clear or waive the employee's review_gate, then call unblock_reviews(cycle).")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("locked, scores cannot change: %s", where),
			 errhint("Unlock it with unlock_review(cycle, employee, reason)."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "review"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "review_open")));
}

/*
 * Lock the reviews in key order; those that were deleted meanwhile are gone.
 * One that is not open is refused, or left out if it is only to be computed
 * anew: its lock has come first.  Whoever was waited for may have changed the
 * rules, so what is remembered of them is looked at afterwards.
 */
int
hr_lock_reviews(Oid books, Oid owner, const HrIds *ids, bool leave_out, HrReview **out)
{
	HrTable    *table = hr_table_open(books, "review", RowShareLock);
	TupleDesc	desc = RelationGetDescr(table->rel);
	AttrNumber	id = hr_column(desc, "review_id", INT8OID),
				employee = hr_column(desc, "employee_id", INT8OID),
				template = hr_column(desc, "template_id", INT8OID),
				status = hr_column(desc, "status", TEXTOID),
				reason = hr_column(desc, "block_reason", TEXTOID),
				manager = hr_column(desc, "manager_id", INT8OID),
				segmented = hr_column(desc, "segmented", BOOLOID),
				named = hr_column(desc, "raters_named", BOOLOID),
				calibrated = hr_column(desc, "calibrated", NUMERICOID);
	HrReview   *review = MemoryContextAllocExtended(CurrentMemoryContext,
													sizeof(HrReview) * Max(ids->count, 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int			kept = 0;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	hr_table_scan(table, id);
	for (int i = 0; i < ids->count; i++)
	{
		HrReview   *r = &review[kept];
		bool		open;

		CHECK_FOR_INTERRUPTS();
		if (!hr_table_find(table, Int64GetDatum(ids->id[i])) || !hr_table_lock(table, LockTupleNoKeyExclusive))
			continue;
		r->id = ids->id[i];
		r->employee = hr_bigint(hr_table_cell(table, employee));
		r->template = hr_bigint(hr_table_cell(table, template));
		r->manager = hr_bigint(hr_table_cell(table, manager));
		r->segmented = hr_bool(hr_table_cell(table, segmented));
		r->named = hr_bool(hr_table_cell(table, named));
		r->calibrated = hr_numeric_copy(hr_table_cell(table, calibrated));
		open = strcmp(hr_text_there(hr_table_cell(table, status)), "open") == 0;
		if (open)
			kept++;
		else if (!leave_out)
			not_open(hr_describe(books, owner, r->id, 0), hr_text(hr_table_cell(table, status)), hr_text(hr_table_cell(table, reason)));
	}
	PopActiveSnapshot();
	hr_table_close(table);
	AcceptInvalidationMessages();
	*out = review;
	return kept;
}

HrReview *
hr_find_review(HrReview *review, int count, int64 id)
{
	int			low = 0,
				high = count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (review[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && review[low].id == id ? &review[low] : NULL;
}

/*
 * Whoever scores shares the rules by which open reviews are judged, whoever changes
 * them has them alone, until the transaction ends.  The lock is on no row: to lock
 * one that all share costs each of them a write.  (PostgreSQL locks tables by another
 * tag, so this one of a table's "column" is free.)
 */
void
hr_hold_rules(Oid book_table, bool change)
{
	LockDatabaseObject(RelationRelationId, book_table, 1, change ? AccessExclusiveLock : AccessShareLock);
}

/*
 * hrloop.hr_hold_rules(book, change).  Who changes them judges all open reviews
 * anew: a transaction with one snapshot may do so only if that shows them as
 * they are.
 */
Datum
hrloop_hold_rules(PG_FUNCTION_ARGS)
{
	static const HrQuery open_reviews = {"open reviews",
		"SELECT pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(xmin::text::bigint * review_id))"
	"  FROM @review WHERE status = 'open'", 0, {0}};
	bool		change;
	Oid			books;
	HrScope		scope;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_VOID();
	books = hr_owned(PG_GETARG_OID(0), "hold the rules");
	change = PG_GETARG_BOOL(1);
	hr_hold_rules(PG_GETARG_OID(0), change);
	if (change && IsolationUsesXactSnapshot())
	{
		hr_scope_enter(&scope, hr_books_owner(PG_GETARG_OID(0)));
		if (!hr_is_current(books, &open_reviews, NULL))
			hr_not_current();
		hr_scope_leave(&scope);
	}
	PG_RETURN_VOID();
}

/*
 * BEFORE INSERT, UPDATE or DELETE statement of score: the rules (see
 * setting_followed), before anything else is touched.  A change waits for scores
 * that it could not see yet.
 */
Datum
hrloop_score_hold(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, 0);
	Oid			books = RelationGetNamespace(td->tg_relation);

	if (hr_erasing(books))
		PG_RETURN_POINTER(NULL);
	hr_books_check(books);
	hr_hold_rules(get_relname_relid("book", books), false);
	PG_RETURN_POINTER(NULL);
}

/*
 * Lock scores from facts, and then their reviews.  False: while a review was waited
 * for, another of its scores came to be from facts, and somebody else has that one.
 */
static bool
try_to_hold(Oid books, Datum reviews)
{
	static const HrQuery facts = {"hold facts",
	"SELECT 1 FROM @score WHERE review_id = ANY ($1) AND facts IS NOT NULL ORDER BY score_id FOR NO KEY UPDATE", 1, {INT8ARRAYOID}};
	static const HrQuery held = {"hold reviews",
	"SELECT 1 FROM @review WHERE review_id = ANY ($1) ORDER BY review_id FOR NO KEY UPDATE", 1, {INT8ARRAYOID}};
	static const HrQuery all = {"hold the rest",
		"SELECT (SELECT pg_catalog.count(*) FROM @score WHERE review_id = ANY ($1) AND facts IS NOT NULL)"
		"     = (SELECT pg_catalog.count(*) FROM (SELECT FROM @score WHERE review_id = ANY ($1) AND facts IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED) l)",
	1, {INT8ARRAYOID}};

	hr_execute(books, &facts, &reviews, NULL, false);
	hr_execute(books, &held, &reviews, NULL, false);
	hr_execute(books, &all, &reviews, NULL, false);
	return hr_bool(hr_cell_found(0, 1));
}

/*
 * hrloop.hold_reviews(book, reviews): locks in the order in which who corrects a score
 * does: the score, then its review.  Who meets a score that somebody else holds, and has
 * its review already, lets all go and begins anew, for that one waits for the review.
 */
Datum
hrloop_hold_reviews(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;
	Oid			books;
	HrScope		scope;
	Datum		reviews;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_VOID();
	books = hr_owned(PG_GETARG_OID(0), "hold reviews");
	reviews = PointerGetDatum(PG_GETARG_ARRAYTYPE_P(1));
	if (ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(reviews)), ARR_DIMS(DatumGetArrayTypeP(reviews))) == 0)
		PG_RETURN_VOID();
	while (!done)
	{
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(caller);
		PG_TRY();
		{
			hr_scope_enter(&scope, hr_books_owner(PG_GETARG_OID(0)));
			done = try_to_hold(books, reviews);
			hr_scope_leave(&scope);
			if (done)
				ReleaseCurrentSubTransaction();
			else
				RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(caller);
			CurrentResourceOwner = owner;
		}
		PG_CATCH();
		{
			ErrorData  *error;

			MemoryContextSwitchTo(caller);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(caller);
			CurrentResourceOwner = owner;
			ReThrowError(error);
		}
		PG_END_TRY();
	}
	PG_RETURN_VOID();
}

/*
 * hrloop.hold_employees(book, employees): the people for whom something follows, in key
 * order.  Before them their readings with a warning: who deletes one has it already, and
 * then wants its person, while a new warning would want the reading.
 */
Datum
hrloop_hold_employees(PG_FUNCTION_ARGS)
{
	static const HrQuery warned = {"hold readings",
		"SELECT 1 FROM @measurement WHERE measurement_id IN (SELECT measurement_id FROM @warning WHERE employee_id = ANY ($1))"
	" ORDER BY measurement_id FOR KEY SHARE", 1, {INT8ARRAYOID}};
	static const HrQuery held = {"hold employees",
	"SELECT 1 FROM @employee WHERE employee_id = ANY ($1) ORDER BY employee_id FOR NO KEY UPDATE", 1, {INT8ARRAYOID}};
	Oid			books;
	HrScope		scope;
	Datum		employees;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_VOID();
	books = hr_owned(PG_GETARG_OID(0), "hold employees");
	employees = PointerGetDatum(PG_GETARG_ARRAYTYPE_P(1));
	hr_scope_enter(&scope, hr_books_owner(PG_GETARG_OID(0)));
	hr_execute(books, &warned, &employees, NULL, false);
	hr_execute(books, &held, &employees, NULL, false);
	hr_scope_leave(&scope);
	PG_RETURN_VOID();
}
