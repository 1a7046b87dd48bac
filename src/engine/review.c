/*
 * review.c - composites, when scores or rules change.
 *
 * score_apply (AFTER statement) locks the reviews that were touched in key order
 * (review_lock.c), asks whether the raters may (review_rater.c), reads all scores of these
 * reviews, computes (review_scores.c, review_composite.c) and writes all composites with
 * one UPDATE for each slice of reviews (review_write.c).
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"
#include "facts.h"
#include "ids.h"
#include "review_lock.h"
#include "review_rater.h"
#include "review_scores.h"

#include "catalog/pg_type.h"

PG_FUNCTION_INFO_V1(hrloop_score_apply);
PG_FUNCTION_INFO_V1(hrloop_recompute);

/* AFTER INSERT, UPDATE or DELETE statement of score. */
Datum
hrloop_score_apply(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	Oid			books = RelationGetNamespace(td->tg_relation);
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	int			column = hr_column(desc, "review_id", INT8OID);
	HrIds		ids = {0},
				raters = {0},
				others = {0},
				computed = {0};
	Oid			owner = hr_owner_of(td->tg_relation);
	HrScope		scope;
	HrReview   *review;
	int			count;

	if (hr_erasing(books))
		PG_RETURN_POINTER(NULL);
	hr_books_check(books);
	if (td->tg_oldtable)
		hr_collect(td->tg_oldtable, desc, column, &ids);
	if (td->tg_newtable)
		hr_collect(td->tg_newtable, desc, column, &ids);
	hr_ids_settle(&ids);
	if (ids.count == 0)
		PG_RETURN_POINTER(NULL);

	hr_scope_enter(&scope, owner);
	count = hr_lock_reviews(books, owner, &ids, false, &review);
	if (td->tg_newtable)
	{
		hr_check_new_rows(td, books, review, count, &raters, &others, &computed);
		hr_check_by_sql(books, &ids, &raters, &others);
		hr_facts_settle(books, &computed);
	}
	hr_compute_reviews(books, review, count);
	hr_scope_leave(&scope);
	PG_RETURN_POINTER(NULL);
}

/* hrloop.recompute(book, reviews, template): composites anew, when rules changed or by another template. */
Datum
hrloop_recompute(PG_FUNCTION_ARGS)
{
	ArrayType  *array;
	Oid			books,
				owner;
	HrScope		scope;
	HrIds		ids = {0};
	HrReview   *review;
	int			count;
	Datum	   *elements;
	bool	   *nulls;
	int			length;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	books = hr_owned(PG_GETARG_OID(0), "recompute reviews");
	owner = hr_books_owner(PG_GETARG_OID(0));
	array = PG_GETARG_ARRAYTYPE_P(1);
	deconstruct_array(array, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, &nulls, &length);
	for (int i = 0; i < length; i++)
		if (!nulls[i])
			hr_ids_add(&ids, DatumGetInt64(elements[i]));
	hr_ids_settle(&ids);

	hr_scope_enter(&scope, owner);
	count = hr_lock_reviews(books, owner, &ids, true, &review);
	if (PG_NARGS() > 2 && !PG_ARGISNULL(2))
		for (int i = 0; i < count; i++)
			review[i].template = PG_GETARG_INT64(2);
	hr_compute_reviews(books, review, count);
	hr_scope_leave(&scope);
	PG_RETURN_INT32(count);
}
