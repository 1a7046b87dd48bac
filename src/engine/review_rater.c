/*
 * review_rater.c - whether somebody may give the scores that they gave.
 */
#include "hrloop.h"

#include "books.h"
#include "cache.h"
#include "cells.h"
#include "ids.h"
#include "review_lock.h"
#include "review_rater.h"
#include "review_scores.h"
#include "score_row.h"
#include "table.h"
#include "trigger.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

/* Self means self, and nobody else is. */
static void
check_rater(const HrScoreRow *row, const HrReview *review, const char *group, int64 rater)
{
	bool		is_self = strcmp(group, HR_SELF) == 0;
	char	   *where;

	if (is_self == (rater == review->employee))
		return;
	where = hr_describe_row(row);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 is_self ? errmsg("only the employee can give a self score: %s", where)
			 : errmsg("nobody can rate themselves as \"%s\": %s", group, where),
			 errhint("Use rater_group 'self' for the employee's own scores, and only for them."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "rater_id"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_rater")));
}

static bool
has_item(const HrTemplate *template, int64 indicator)
{
	for (int i = 0; i < template->nitems; i++)
		if (template->items[i].indicator == indicator)
			return true;
	return false;
}

/* What tells whether a rater belongs to a group; opened when somebody asks. */
typedef struct Circle
{
	HrTable    *named;			/* review_rater */
	AttrNumber	group,
				rater,
				barred;
	HrTable    *result;			/* review_result */
	HrTable    *assignment;
	AttrNumber	manager;
	int64		review;			/* the last one that was asked about: */
	bool		has_names;
	bool		has_result;
} Circle;

static HrTable *
open_by(Oid books, const char *name, const char *column)
{
	HrTable    *table = hr_table_open(books, name, AccessShareLock);

	hr_table_scan(table, hr_column(RelationGetDescr(table->rel), column, INT8OID));
	return table;
}

/* As it is now: who was waited for may have named or barred somebody. */
static void
circle_open(Circle *circle, Oid books)
{
	TupleDesc	desc;

	PushActiveSnapshot(GetTransactionSnapshot());
	circle->named = open_by(books, "review_rater", "review_id");
	desc = RelationGetDescr(circle->named->rel);
	circle->group = hr_column(desc, "rater_group", TEXTOID);
	circle->rater = hr_column(desc, "rater_id", INT8OID);
	circle->barred = hr_column(desc, "barred_because", TEXTOID);
	circle->result = open_by(books, "review_result", "review_id");
	circle->assignment = open_by(books, "assignment", "employee_id");
	circle->manager = hr_column(RelationGetDescr(circle->assignment->rel), "manager_id", INT8OID);
}

static void
circle_close(Circle *circle)
{
	if (circle->named == NULL)
		return;
	hr_table_close(circle->named);
	hr_table_close(circle->result);
	hr_table_close(circle->assignment);
	PopActiveSnapshot();
}

static bool
has_reported_to(Circle *circle, int64 employee, int64 manager)
{
	hr_table_seek(circle->assignment, Int64GetDatum(employee));
	while (hr_table_next(circle->assignment))
		if (hr_bigint(hr_table_cell(circle->assignment, circle->manager)) == manager)
			return true;
	return false;
}

/*
 * Whether somebody may rate in a group beyond doubt: the manager of a review that names
 * nobody, who is on its list, or where it has none for the group, a colleague.  Whatever is
 * let pass here may_rate() lets pass (sql/score_rater.sql); what is doubtful SQL decides
 * (score_outsider_problem), and whether scores are closed because a result stands.
 */
static bool
may_surely_rate(Circle *circle, Oid books, const HrReview *of, const char *code, int64 rater)
{
	const HrRaterGroup *group = hr_rater_group(hr_rules(books), code);
	bool		peers = group != NULL && group->peers;
	bool		named = false,
				listed = false;

	if (!of->named && rater == of->manager && group != NULL && group->superiors)
		return true;
	if (circle->named == NULL)
		circle_open(circle, books);
	if (circle->review != of->id)
	{
		circle->review = of->id;
		circle->has_names = of->named && hr_table_find(circle->named, Int64GetDatum(of->id));
		circle->has_result = hr_table_find(circle->result, Int64GetDatum(of->id));
	}
	if (circle->has_result)
		return false;
	if (circle->has_names)
		hr_table_seek(circle->named, Int64GetDatum(of->id));
	while (circle->has_names && hr_table_next(circle->named))
	{
		bool		this = hr_bigint(hr_table_cell(circle->named, circle->rater)) == rater;

		if (!slot_attisnull(circle->named->row, circle->barred))
		{
			if (this)
				return false;
		}
		else if (strcmp(hr_text_there(hr_table_cell(circle->named, circle->group)), code) == 0)
		{
			named = true;
			listed |= this;
		}
	}
	if (named)
		return listed;
	return peers && !of->segmented && rater != of->manager && !has_reported_to(circle, rater, of->employee);
}

/*
 * Each new row against its review: the indicator belongs to it, the rater may.
 * Who is not simply the manager, the employee, a colleague or named is left to SQL,
 * by the keys of the scores; so is who gave facts.
 */
void
hr_check_new_rows(TriggerData *td, Oid books, HrReview *review, int count, HrIds *raters, HrIds *others, HrIds *computed)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	HrScoreColumns *column = hr_score_columns(desc, CurrentMemoryContext);
	HrScoreRow	row = {.books = books, .owner = hr_owner_of(td->tg_relation), .desc = desc};
	char		group[NAMEDATALEN];
	Circle		circle = {0};

	tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_newtable, true, false, slot))
	{
		const HrReview *of;
		HrCell		code;
		int64		rater;

		row.review = hr_bigint(hr_cell(slot, column->review));
		row.indicator = hr_bigint(hr_cell(slot, column->indicator));
		rater = hr_bigint(hr_cell(slot, column->rater));
		of = hr_find_review(review, count, row.review);
		code = hr_cell(slot, column->group);
		if (of == NULL || code.null)
			continue;			/* its foreign key or NOT NULL will say so */
		text_to_cstring_buffer(DatumGetTextPP(code.value), group, sizeof(group));
		check_rater(&row, of, group, rater);
		hr_ids_add(raters, rater);
		if (rater != of->employee && !may_surely_rate(&circle, books, of, group, rater))
			hr_ids_add(others, hr_bigint(hr_cell(slot, column->key)));
		if (!slot_attisnull(slot, column->facts))
			hr_ids_add(computed, hr_bigint(hr_cell(slot, column->key)));
		if (!has_item(hr_template(books, of->template), row.indicator) &&
			(!of->segmented || !has_item(hr_review_template(books, of), row.indicator)))
			hr_no_such_item(&row);
	}
	ExecDropSingleTupleTableSlot(slot);
	circle_close(&circle);
	hr_ids_settle(others);
	hr_ids_settle(computed);
}

/* Whether one of these people has left, now or in the past. */
static bool
has_left(Oid books, const HrIds *people)
{
	HrTable    *table = open_by(books, "employee_status", "employee_id");
	AttrNumber	status = hr_column(RelationGetDescr(table->rel), "status", TEXTOID);
	bool		left = false;

	for (int i = 0; i < people->count && !left; i++)
	{
		hr_table_seek(table, Int64GetDatum(people->id[i]));
		while (!left && hr_table_next(table))
			left = strcmp(hr_text_there(hr_table_cell(table, status)), "left") == 0;
	}
	hr_table_close(table);
	return left;
}

/* Rules about scores that need SQL; asked only when they can apply. */
void
hr_check_by_sql(Oid books, const HrIds *reviews, HrIds *raters, const HrIds *others)
{
	hr_ids_settle(raters);
	if (has_left(books, raters))
		hr_call(books, "score_rater_problem", reviews);
	if (raters->count > 0 && hr_rules(books)->rationale_same > 0)
		hr_call(books, "score_rationale_problem", reviews);
	if (others->count > 0)
		hr_call(books, "score_outsider_problem", others);
}
