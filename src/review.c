/*
 * review.c - from scores to composites.
 *
 * score_apply (AFTER statement) locks the reviews that were touched in key
 * order, reads their scores in a later command, so that a rater who committed
 * meanwhile is seen, computes in C and writes all composites with one UPDATE
 * for each slice of reviews.
 */
#include "hrloop.h"

#include "catalog/pg_type.h"
#include "exact.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_score_apply);
PG_FUNCTION_INFO_V1(hrloop_recompute);

#define SELF "self"
#define SLICE 5000				/* reviews computed at a time */

/* -------------------------------------------------------------- composite */

typedef struct Review
{
	int64		id;
	int64		employee;
	int64		template;
	Numeric		calibrated;		/* takes the place of the composite */
	/* outcome; NULL pointers stand for null */
	Numeric		composite;
	Numeric		self_composite;
	int			scored;
	bool		complete;
	char	   *missed;			/* bigint[] literal */
	int64		lowest;			/* 0: none */
	char	   *plan_reason;	/* text[] literal or NULL */
} Review;

typedef struct Side				/* one item seen from one side */
{
	Numeric		weight;			/* sum of group weights */
	Numeric		weighted;		/* sum of weight * mean */
	Numeric		attained;		/* sum of weight * attainment */
	Numeric		attained_weight;
} Side;

static void
side_add(Side *side, Numeric weight, Numeric mean, bool has_attainment, Numeric attainment)
{
	Numeric		weighted = multiply(weight, mean);

	side->weighted = side->weight ? add(side->weighted, weighted) : weighted;
	side->weight = side->weight ? add(side->weight, weight) : weight;
	if (has_attainment)
	{
		Numeric		attained = multiply(weight, attainment);

		side->attained = side->attained_weight ? add(side->attained, attained) : attained;
		side->attained_weight = side->attained_weight
			? add(side->attained_weight, weight) : weight;
	}
}

static bool
is_missed(const HrRules *rules, const HrItem *item, const Side *side, Numeric value)
{
	if (item->pass == NULL && side->attained_weight == NULL)
		return rules->qualitative_missed != NULL &&
			compare(value, rules->qualitative_missed) <= 0;
	if (side->attained_weight != NULL)
		value = rounded(divide(side->attained, side->attained_weight), 4);
	return compare(value, item->pass ? item->pass : int64_to_numeric(100)) < 0;
}

/*
 * Weighted mean of one side, by the scheme for missing parts; NULL if there is
 * none.  Rounded once, here.
 */
static Numeric
compose(const HrTemplate *template, const Side *sides)
{
	Numeric		total = NULL,
				present = NULL;
	int			scored = 0;

	for (int i = 0; i < template->nitems; i++)
	{
		const HrItem *item = &template->items[i];
		Numeric		part;

		if (sides[i].weight == NULL)
			continue;
		part = multiply(item->weight, divide(sides[i].weighted, sides[i].weight));
		total = scored ? add(total, part) : part;
		present = scored ? add(present, item->weight) : item->weight;
		scored++;
	}
	if (scored == 0 || (scored < template->nitems && template->missing == HR_MISSING_BLOCK))
		return NULL;
	if (scored < template->nitems && template->missing == HR_MISSING_RENORMALISE)
	{
		if (compare(present, int64_to_numeric(0)) == 0)
			return NULL;		/* only items without weight were scored */
		return rounded(divide(total, present), 4);
	}
	return rounded(divide(total, int64_to_numeric(100)), 4);
}

/* The missed items, and the lowest one, of the side that counts. */
static void
judge_items(Review *review, const HrRules *rules, const HrTemplate *template,
			const Side *sides)
{
	StringInfoData missed;
	Numeric		lowest = NULL;

	initStringInfo(&missed);
	appendStringInfoChar(&missed, '{');
	review->scored = 0;
	review->lowest = 0;
	for (int i = 0; i < template->nitems; i++)
	{
		const HrItem *item = &template->items[i];
		Numeric		value;

		if (sides[i].weight == NULL)
			continue;
		review->scored++;
		value = rounded(divide(sides[i].weighted, sides[i].weight), 4);
		if (is_missed(rules, item, &sides[i], value))
			appendStringInfo(&missed, "%s" INT64_FORMAT, missed.len > 1 ? "," : "",
							 item->indicator);
		if (lowest == NULL || compare(value, lowest) < 0)
		{
			lowest = value;
			review->lowest = item->indicator;
		}
	}
	appendStringInfoChar(&missed, '}');
	review->missed = missed.data;
	review->complete = template->nitems > 0 &&
		(review->scored == template->nitems ||
		 (review->scored > 0 && template->missing != HR_MISSING_BLOCK));
}

/* Why a development plan is due: {score}, {missed}, both, or NULL. */
static char *
plan_reason(const Review *review, const HrRules *rules, bool all_scored)
{
	Numeric		final = review->calibrated ? review->calibrated : review->composite;
	bool		score,
				missed;

	if (review->composite == NULL || !all_scored)
		return NULL;
	score = rules->plan_threshold && compare(final, rules->plan_threshold) <= 0;
	missed = rules->plan_on_missed && strcmp(review->missed, "{}") != 0 &&
		(rules->plan_ceiling == NULL || compare(final, rules->plan_ceiling) < 0);
	if (score)
		return missed ? "{score,missed}" : "{score}";
	return missed ? "{missed}" : NULL;
}

static Numeric
find_weight(const HrTemplate *template, const char *group)
{
	for (int i = 0; i < template->nweights; i++)
		if (strcmp(template->weights[i].code, group) == 0)
			return template->weights[i].weight;
	return NULL;
}

/*
 * One review from its aggregated scores (rows first..last of the SPI result
 * ordered by review).
 */
static void
compute_review(Review *review, const HrRules *rules, const HrTemplate *template,
			   SPITupleTable *means, uint64 first, uint64 last)
{
	Side	   *counted = palloc0(sizeof(Side) * Max(template->nitems, 1));
	Side	   *own = palloc0(sizeof(Side) * Max(template->nitems, 1));

	for (uint64 i = first; i < last; i++)
	{
		bool		null,
					no_attainment;
		int64		indicator = DatumGetInt64(SPI_getbinval(means->vals[i], means->tupdesc, 2, &null));
		char	   *code = TextDatumGetCString(SPI_getbinval(means->vals[i], means->tupdesc, 3, &null));
		Numeric		mean = DatumGetNumeric(SPI_getbinval(means->vals[i], means->tupdesc, 4, &null));
		Datum		attainment = SPI_getbinval(means->vals[i], means->tupdesc, 5, &no_attainment);
		Numeric		weight = find_weight(template, code);
		int			item = 0;

		while (item < template->nitems && template->items[item].indicator != indicator)
			item++;
		if (item == template->nitems)
			continue;
		if (weight != NULL && compare(weight, int64_to_numeric(0)) > 0)
			side_add(&counted[item], weight, mean, !no_attainment,
					 no_attainment ? NULL : DatumGetNumeric(attainment));
		if (strcmp(code, SELF) == 0)
			side_add(&own[item], int64_to_numeric(1), mean, false, NULL);
	}
	judge_items(review, rules, template, counted);
	review->composite = compose(template, counted);
	review->self_composite = compose(template, own);
	review->plan_reason = plan_reason(review, rules, review->complete);
}

/* ------------------------------------------------- reading and writing back */

static void
not_open(const char *where, const char *block_reason)
{
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

/* Lock the reviews in key order; those that were deleted meanwhile are gone. */
static int
lock_reviews(Oid books, Oid owner, const HrIds *ids, Review **out)
{
	static const HrQuery query = {"lock reviews",
		"SELECT review_id, employee_id, template_id, status, block_reason, calibrated FROM @review"
		" WHERE review_id = ANY ($1) ORDER BY review_id FOR NO KEY UPDATE", 1, {INT8ARRAYOID}};
	Datum		arg = PointerGetDatum(hr_ids_array(ids));
	int			count = (int) hr_execute(books, &query, &arg, NULL, false);
	SPITupleTable *rows = SPI_tuptable;
	Review	   *review = MemoryContextAllocExtended(CurrentMemoryContext,
													sizeof(Review) * Max(count, 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < count; i++)
	{
		HeapTuple	row = rows->vals[i];
		TupleDesc	desc = rows->tupdesc;
		char	   *status = SPI_getvalue(row, desc, 4);
		Datum		calibrated;
		bool		null;

		review[i].id = DatumGetInt64(SPI_getbinval(row, desc, 1, &null));
		review[i].employee = DatumGetInt64(SPI_getbinval(row, desc, 2, &null));
		review[i].template = DatumGetInt64(SPI_getbinval(row, desc, 3, &null));
		calibrated = SPI_getbinval(row, desc, 6, &null);
		review[i].calibrated = null ? NULL : DatumGetNumericCopy(calibrated);
		if (strcmp(status, "open") != 0)
			not_open(hr_describe(books, owner, review[i].id, 0), SPI_getvalue(row, desc, 5));
	}
	SPI_freetuptable(rows);
	*out = review;
	return count;
}

static Review *
find_review(Review *review, int count, int64 id)
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

static ArrayType *
build_array(Datum *values, bool *nulls, int count, Oid type, int16 length, bool byval, char align)
{
	int			dims[1] = {count},
				bounds[1] = {1};

	if (count == 0)
		return construct_empty_array(type);
	return construct_md_array(values, nulls, 1, dims, bounds, type, length, byval, align);
}

/* Write every outcome that differs from what is stored, with one statement. */
static void
write_reviews(Oid books, Review *review, int count)
{
	static const HrQuery query = {"write composites",
		"UPDATE @review r SET composite = u.composite, self_composite = u.self_composite,"
		"       items_scored = u.scored, complete = u.complete, missed = u.missed::bigint[],"
		"       lowest_indicator_id = u.lowest, plan_reason = u.plan_reason::text[]"
		"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
		"       AS u(review_id, composite, self_composite, scored, complete, missed, lowest, plan_reason)"
		" WHERE r.review_id = u.review_id"
		"   AND (r.composite, r.self_composite, r.items_scored, r.complete, r.missed,"
		"        r.lowest_indicator_id, r.plan_reason)"
		"       IS DISTINCT FROM (u.composite, u.self_composite, u.scored, u.complete,"
		"        u.missed::bigint[], u.lowest, u.plan_reason::text[])", 8,
		{INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, INT4ARRAYOID, BOOLARRAYOID,
	TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID}};
	Datum	   *cell[8];
	bool	   *null[8];
	Datum		args[8];
	static const struct
	{
		Oid			type;
		int16		length;
		bool		byval;
		char		align;
	}			column[8] = {
		{INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}, {NUMERICOID, -1, false, TYPALIGN_INT},
		{NUMERICOID, -1, false, TYPALIGN_INT}, {INT4OID, 4, true, TYPALIGN_INT},
		{BOOLOID, 1, true, TYPALIGN_CHAR}, {TEXTOID, -1, false, TYPALIGN_INT},
		{INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}, {TEXTOID, -1, false, TYPALIGN_INT}
	};

	if (count == 0)
		return;
	for (int c = 0; c < 8; c++)
	{
		cell[c] = palloc_extended(sizeof(Datum) * count, MCXT_ALLOC_HUGE);
		null[c] = palloc_extended(sizeof(bool) * count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	for (int i = 0; i < count; i++)
	{
		cell[0][i] = Int64GetDatum(review[i].id);
		cell[1][i] = NumericGetDatum(review[i].composite);
		null[1][i] = review[i].composite == NULL;
		cell[2][i] = NumericGetDatum(review[i].self_composite);
		null[2][i] = review[i].self_composite == NULL;
		cell[3][i] = Int32GetDatum(review[i].scored);
		cell[4][i] = BoolGetDatum(review[i].complete);
		cell[5][i] = CStringGetTextDatum(review[i].missed);
		cell[6][i] = Int64GetDatum(review[i].lowest);
		null[6][i] = review[i].lowest == 0;
		null[7][i] = review[i].plan_reason == NULL;
		cell[7][i] = null[7][i] ? (Datum) 0 : CStringGetTextDatum(review[i].plan_reason);
	}
	for (int c = 0; c < 8; c++)
		args[c] = PointerGetDatum(build_array(cell[c], null[c], count, column[c].type,
											  column[c].length, column[c].byval, column[c].align));
	hr_execute(books, &query, args, NULL, false);
}

/* Compute some reviews, in key order, from their scores as they are now. */
static void
compute_slice(Oid books, Review *review, int count)
{
	static const HrQuery query = {"mean scores",
		"SELECT review_id, indicator_id, rater_group, pg_catalog.avg(value), pg_catalog.avg(attainment)"
		"  FROM @score WHERE review_id = ANY ($1)"
		" GROUP BY review_id, indicator_id, rater_group ORDER BY review_id", 1, {INT8ARRAYOID}};
	HrIds		ids = {0};
	Datum		arg;
	uint64		rows,
				next = 0;
	SPITupleTable *means;
	const HrRules *rules = hr_rules(books);

	for (int i = 0; i < count; i++)
		hr_ids_add(&ids, review[i].id);
	arg = PointerGetDatum(hr_ids_array(&ids));
	rows = hr_execute(books, &query, &arg, NULL, false);
	means = SPI_tuptable;
	for (int i = 0; i < count; i++)
	{
		uint64		first = next;
		bool		null;

		while (next < rows &&
			   DatumGetInt64(SPI_getbinval(means->vals[next], means->tupdesc, 1, &null)) == review[i].id)
			next++;
		compute_review(&review[i], rules, hr_template(books, review[i].template),
					   means, first, next);
	}
	SPI_freetuptable(means);
	write_reviews(books, review, count);
}

/* Compute all reviews, with memory for a slice of them. */
static void
compute_reviews(Oid books, Review *review, int count)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hrloop composites",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	for (int first = 0; first < count; first += SLICE)
	{
		CHECK_FOR_INTERRUPTS();
		compute_slice(books, review + first, Min(SLICE, count - first));
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ------------------------------------------------------------ score_apply */

/* Self means self, and nobody else is. */
static void
check_rater(const HrScoreRow *row, const Review *review, const char *group, int64 rater)
{
	bool		is_self = strcmp(group, SELF) == 0;
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

/* Each new row against its review: the indicator belongs to it, the rater may. */
static void
check_new_rows(TriggerData *td, Oid books, Review *review, int count, HrIds *raters)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	HrScoreColumns *column = hr_score_columns(desc, CurrentMemoryContext);
	HrScoreRow	row = {.books = books, .owner = td->tg_relation->rd_rel->relowner, .desc = desc};
	char		group[NAMEDATALEN];

	tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_newtable, true, false, slot))
	{
		bool		null;
		const Review *of;
		const HrTemplate *template;
		text	   *code;
		int64		rater;
		int			item = 0;

		row.review = DatumGetInt64(slot_getattr(slot, column->review, &null));
		row.indicator = DatumGetInt64(slot_getattr(slot, column->indicator, &null));
		code = DatumGetTextPP(slot_getattr(slot, column->group, &null));
		rater = DatumGetInt64(slot_getattr(slot, column->rater, &null));
		of = find_review(review, count, row.review);
		if (of == NULL)
			continue;			/* its foreign key will say so */
		text_to_cstring_buffer(code, group, sizeof(group));
		check_rater(&row, of, group, rater);
		hr_ids_add(raters, rater);

		template = hr_template(books, of->template);
		while (item < template->nitems && template->items[item].indicator != row.indicator)
			item++;
		if (item == template->nitems)
			hr_no_such_item(&row);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Rules about scores that need SQL; asked only when they can apply. */
static void
check_by_sql(Oid books, const HrIds *reviews, HrIds *raters)
{
	static const HrQuery left = {"raters who left",
		"SELECT 1 FROM @employee_status WHERE employee_id = ANY ($1) AND status = 'left' LIMIT 1",
		1, {INT8ARRAYOID}};
	Datum		arg;

	hr_ids_settle(raters);
	arg = PointerGetDatum(hr_ids_array(raters));
	if (raters->count > 0 && hr_execute(books, &left, &arg, NULL, true) > 0)
		hr_call(books, "score_rater_problem", reviews);
	if (raters->count > 0 && hr_rules(books)->rationale_same > 0)
		hr_call(books, "score_rationale_problem", reviews);
}

/* AFTER INSERT, UPDATE or DELETE statement of score. */
Datum
hrloop_score_apply(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	Oid			books = RelationGetNamespace(td->tg_relation);
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	int			column = hr_column(desc, "review_id", INT8OID);
	HrIds		ids = {0},
				raters = {0};
	Oid			owner = td->tg_relation->rd_rel->relowner;
	HrScope		scope;
	Review	   *review;
	int			count;

	hr_books_check(books);
	if (td->tg_oldtable)
		hr_collect(td->tg_oldtable, desc, column, &ids);
	if (td->tg_newtable)
		hr_collect(td->tg_newtable, desc, column, &ids);
	hr_ids_settle(&ids);
	if (ids.count == 0)
		PG_RETURN_POINTER(NULL);

	hr_scope_enter(&scope, owner);
	count = lock_reviews(books, owner, &ids, &review);
	if (td->tg_newtable)
	{
		check_new_rows(td, books, review, count, &raters);
		check_by_sql(books, &ids, &raters);
	}
	compute_reviews(books, review, count);
	hr_scope_leave(&scope);
	PG_RETURN_POINTER(NULL);
}

/* hrloop.recompute(book, reviews): composites anew, when rules or templates changed. */
Datum
hrloop_recompute(PG_FUNCTION_ARGS)
{
	ArrayType  *array;
	Oid			books,
				owner;
	HrScope		scope;
	HrIds		ids = {0};
	Review	   *review;
	int			count;
	Datum	   *elements;
	bool	   *nulls;
	int			length;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	books = hr_books_of(PG_GETARG_OID(0));
	owner = hr_books_owner(PG_GETARG_OID(0));
	array = PG_GETARG_ARRAYTYPE_P(1);
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only the owner of the books can recompute reviews")));
	deconstruct_array(array, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, &nulls, &length);
	for (int i = 0; i < length; i++)
		if (!nulls[i])
			hr_ids_add(&ids, DatumGetInt64(elements[i]));
	hr_ids_settle(&ids);

	hr_scope_enter(&scope, owner);
	count = lock_reviews(books, owner, &ids, &review);
	compute_reviews(books, review, count);
	hr_scope_leave(&scope);
	PG_RETURN_INT32(count);
}
