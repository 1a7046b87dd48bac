/*
 * review.c - from scores to composites.
 *
 * score_apply (AFTER statement) locks the reviews that were touched in key
 * order, reads their scores as they are committed by then, so that a rater who
 * came first is seen, computes in C and writes all composites with one UPDATE
 * for each slice of reviews.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "cache.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"
#include "exact.h"
#include "facts.h"
#include "ids.h"
#include "plan_cache.h"
#include "score_row.h"
#include "table.h"
#include "trigger.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_score_hold);
PG_FUNCTION_INFO_V1(hrloop_score_apply);
PG_FUNCTION_INFO_V1(hrloop_recompute);
PG_FUNCTION_INFO_V1(hrloop_hold_rules);
PG_FUNCTION_INFO_V1(hrloop_hold_reviews);

#define SELF "self"
#define SLICE 5000				/* reviews computed at a time */
#define COLUMNS 12				/* that are written for a review, with its key */

/* -------------------------------------------------------------- composite */

typedef struct Review
{
	int64		id;
	int64		employee;
	int64		manager;		/* 0: none */
	int64		template;
	bool		segmented;
	Numeric		calibrated;		/* takes the place of the composite */
	/* outcome; NULL pointers stand for null */
	Numeric		composite;
	Numeric		self_composite;
	int			scored;
	bool		complete;
	const char *missing_used;
	char	   *missed;			/* bigint[] literal */
	char	   *vetoed;			/* bigint[] literal */
	bool		anonymous;		/* scores of anonymous raters are among those that count */
	int64		lowest;			/* 0: none */
	char	   *plan_reason;	/* text[] literal or NULL */
} Review;

typedef struct Cell				/* what one rater group gave for one item */
{
	Numeric		sum;
	int64		count;
	Numeric		attained;
	int64		attained_count;
} Cell;

typedef struct Mean				/* a weighted mean */
{
	Numeric		weight;			/* of all that was added; NULL: nothing was */
	HrFraction	sum;			/* of weight * value; top NULL: of the only part, still in value */
	HrFraction	value;			/* the mean, once settled */
} Mean;

typedef struct Side				/* one item seen from one side */
{
	Mean		score;
	Mean		attained;
} Side;

static Numeric
plus(Numeric sum, Numeric more)
{
	return sum ? hr_add(sum, more) : more;
}

/*
 * One part needs no arithmetic: most items have one group of raters.  Means of
 * means stay fractions until the end: (92 * 50 + 100 * 10) / 60 * 0.885 is 82.6
 * exactly, and falls short of it if the division ends in 93.33.
 */
static void
mean_add(Mean *mean, Numeric weight, HrFraction value)
{
	if (mean->weight == NULL)
	{
		mean->weight = weight;
		mean->value = value;
		return;
	}
	if (mean->sum.top == NULL)
		mean->sum = hr_weighted(mean->weight, mean->value);
	hr_fraction_add(&mean->sum, hr_weighted(weight, value));
	mean->weight = hr_add(mean->weight, weight);
}

static void
mean_settle(Mean *mean)
{
	if (mean->sum.top != NULL)
		mean->value = (HrFraction) {mean->sum.top, hr_times(mean->weight, mean->sum.bottom)};
}

static HrFraction
mean_of(Numeric sum, int64 count)
{
	return (HrFraction) {sum, count == 1 ? NULL : int64_to_numeric(count)};
}

static void
side_add(Side *side, Numeric weight, const Cell *cell)
{
	mean_add(&side->score, weight, mean_of(cell->sum, cell->count));
	if (cell->attained_count > 0)
		mean_add(&side->attained, weight, mean_of(cell->attained, cell->attained_count));
}

static void
side_settle(Side *side)
{
	mean_settle(&side->score);
	mean_settle(&side->attained);
}

/*
 * One item from the groups that count; it is scored only if all required ones
 * are among them.  Returns false if a group that has to have its minimum of
 * raters has not.
 */
static bool
side_of_groups(Side *side, const HrTemplate *template, const Cell *cells)
{
	bool		enough = true,
				absent = false;

	for (int g = 0; g < template->nweights; g++)
	{
		const HrWeight *group = &template->weights[g];
		bool		below = cells[g].count < group->minimum;

		if (group->weight == NULL)
			continue;
		enough &= !(below && group->below == HR_BELOW_BLOCKS);
		if (cells[g].count > 0 && !(below && group->below == HR_BELOW_DROPS))
			side_add(side, group->weight, &cells[g]);
		else
			absent |= group->required;
	}
	side_settle(side);
	if (absent)
		memset(side, 0, sizeof(Side));
	return enough;
}

/*
 * Weighted mean of one side, by the scheme for missing parts; NULL if there is
 * none.  Rounded once, here.
 */
static Numeric
compose(const HrTemplate *template, const Side *sides)
{
	Mean		mean = {0};
	int			scored = 0;

	for (int i = 0; i < template->nitems; i++)
	{
		if (sides[i].score.weight != NULL)
		{
			mean_add(&mean, template->items[i].weight, sides[i].score.value);
			scored++;
		}
		else if (template->missing == HR_MISSING_ZERO)
			mean_add(&mean, template->items[i].weight, (HrFraction) {int64_to_numeric(0)});
	}
	if (scored == 0 || (scored < template->nitems && template->missing == HR_MISSING_BLOCK))
		return NULL;
	mean_settle(&mean);
	return hr_rounded_fraction(mean.value, 4);
}

/* One indicator of a review: its item, or those of all segments that have it. */
static Side
side_of_indicator(const HrTemplate *template, const Side *sides, int first)
{
	Side		all = {0};
	bool		single = true;

	for (int i = first + 1; i < template->nitems && single; i++)
		single = template->items[i].indicator != template->items[first].indicator;
	if (single)
		return sides[first];
	for (int i = first; i < template->nitems; i++)
	{
		const HrItem *item = &template->items[i];

		if (item->indicator != template->items[first].indicator)
			continue;
		if (sides[i].score.weight != NULL)
			mean_add(&all.score, item->weight, sides[i].score.value);
		if (sides[i].attained.weight != NULL)
			mean_add(&all.attained, item->weight, sides[i].attained.value);
	}
	side_settle(&all);
	return all;
}

static bool
is_missed(const HrRules *rules, const HrItem *item, const Side *side, Numeric value)
{
	if (item->pass == NULL && side->attained.weight == NULL)
		return rules->qualitative_missed != NULL &&
			hr_compare(value, rules->qualitative_missed) <= 0;
	if (side->attained.weight != NULL)
		value = hr_rounded_fraction(side->attained.value, 4);
	return hr_compare(value, item->pass ? item->pass : int64_to_numeric(100)) < 0;
}

static bool
seen_before(const HrTemplate *template, int item)
{
	for (int i = 0; i < item; i++)
		if (template->items[i].indicator == template->items[item].indicator)
			return true;
	return false;
}

static void
append_id(StringInfo array, int64 id)
{
	appendStringInfo(array, "%s" INT64_FORMAT, array->len > 1 ? "," : "", id);
}

static Numeric
lower_of(Numeric a, Numeric b)
{
	return a == NULL || (b != NULL && hr_compare(b, a) < 0) ? b : a;
}

/*
 * An indicator's pass line and veto.  The templates of segments may differ: the
 * lowest line that one of them has is that of the whole.
 */
static HrItem
lines_of_indicator(const HrTemplate *template, int first)
{
	HrItem		lines = template->items[first];

	for (int i = first + 1; i < template->nitems; i++)
	{
		const HrItem *item = &template->items[i];

		if (item->indicator != lines.indicator)
			continue;
		lines.pass = lower_of(lines.pass, item->pass);
		lines.veto_at = lower_of(lines.veto_at, item->veto_at);
		lines.veto_cap = lower_of(lines.veto_cap, item->veto_cap);
	}
	return lines;
}

/* The missed, the vetoing and the lowest indicators of the side that counts. */
static void
judge_items(Review *review, const HrRules *rules, const HrTemplate *template, const Side *sides)
{
	StringInfoData missed,
				vetoed;
	Numeric		lowest = NULL,
				cap = NULL;

	initStringInfo(&missed);
	initStringInfo(&vetoed);
	appendStringInfoChar(&missed, '{');
	appendStringInfoChar(&vetoed, '{');
	review->scored = 0;
	review->lowest = 0;
	for (int i = 0; i < template->nitems; i++)
	{
		HrItem		item;
		Side		side;
		Numeric		value;

		if (seen_before(template, i))
			continue;
		side = side_of_indicator(template, sides, i);
		if (side.score.weight == NULL)
			continue;
		item = lines_of_indicator(template, i);
		review->scored++;
		value = hr_rounded_fraction(side.score.value, 4);
		if (is_missed(rules, &item, &side, value))
			append_id(&missed, item.indicator);
		if (item.veto_at != NULL && hr_compare(value, item.veto_at) <= 0)
		{
			append_id(&vetoed, item.indicator);
			cap = lower_of(cap, item.veto_cap);
		}
		if (lowest == NULL || hr_compare(value, lowest) < 0)
		{
			lowest = value;
			review->lowest = item.indicator;
		}
	}
	appendStringInfoChar(&missed, '}');
	appendStringInfoChar(&vetoed, '}');
	review->missed = missed.data;
	review->vetoed = vetoed.data;
	if (cap != NULL && review->composite != NULL && hr_compare(cap, review->composite) < 0)
		review->composite = hr_rounded(cap, 4);
}

/* What became of items without a score; NULL: there is none. */
static const char *
missing_used(const HrTemplate *template, const Side *sides)
{
	for (int i = 0; i < template->nitems; i++)
		if (sides[i].score.weight == NULL)
			return template->missing == HR_MISSING_BLOCK ? "block"
				: template->missing == HR_MISSING_ZERO ? "zero" : "renormalise";
	return NULL;
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
	score = rules->plan_threshold && hr_compare(final, rules->plan_threshold) <= 0;
	missed = rules->plan_on_missed && strcmp(review->missed, "{}") != 0 &&
		(rules->plan_ceiling == NULL || hr_compare(final, rules->plan_ceiling) < 0);
	if (score)
		return missed ? "{score,missed}" : "{score}";
	return missed ? "{missed}" : NULL;
}

/* --------------------------------------------------- from scores to outcome */

/* Does the score of this rater concern the item?  In segments each superior rates their own. */
static bool
concerns(const HrTemplate *template, const HrItem *item, int64 rater)
{
	if (rater == 0 || item->superior == rater)
		return true;
	for (int i = 0; i < template->nitems; i++)
		if (template->items[i].superior == rater)
			return false;
	return true;				/* somebody above all segments */
}

static Numeric
numeric_cell(SPITupleTable *rows, uint64 row, int column)
{
	bool		null;
	Datum		value = SPI_getbinval(rows->vals[row], rows->tupdesc, column, &null);

	return null ? NULL : DatumGetNumeric(value);
}

/* The same, to outlive the rows. */
static Numeric
numeric_copy(SPITupleTable *rows, uint64 row, int column)
{
	bool		null;
	Datum		value = SPI_getbinval(rows->vals[row], rows->tupdesc, column, &null);

	return null ? NULL : DatumGetNumericCopy(value);
}

static int64
int_cell(SPITupleTable *rows, uint64 row, int column)
{
	bool		null;
	Datum		value = SPI_getbinval(rows->vals[row], rows->tupdesc, column, &null);

	return null ? 0 : DatumGetInt64(value);
}

/* The same of a row that was found by its key. */
static int64
int_of_row(HrTable *table, AttrNumber column)
{
	bool		null;
	Datum		value = slot_getattr(table->row, column, &null);

	return null ? 0 : DatumGetInt64(value);
}

static bool
bool_of_row(HrTable *table, AttrNumber column)
{
	bool		null;
	Datum		value = slot_getattr(table->row, column, &null);

	return !null && DatumGetBool(value);
}

static char *
text_of_row(HrTable *table, AttrNumber column)
{
	bool		null;
	Datum		value = slot_getattr(table->row, column, &null);

	return null ? NULL : TextDatumGetCString(value);
}

static Numeric
numeric_of_row(HrTable *table, AttrNumber column)
{
	bool		null;
	Datum		value = slot_getattr(table->row, column, &null);

	return null ? NULL : DatumGetNumericCopy(value);
}

/* Add one row of sums to the cells of the items that it concerns. */
static void
fill_cells(const HrTemplate *template, Cell *cells, SPITupleTable *sums, uint64 row)
{
	int64		indicator = int_cell(sums, row, 2);
	bool		null;
	const HrWeight *group;
	int64		rater = int_cell(sums, row, 8);

	group = hr_template_weight(template,
							   TextDatumGetCString(SPI_getbinval(sums->vals[row], sums->tupdesc, 3, &null)));
	if (group == NULL)
		return;
	for (int i = 0; i < template->nitems; i++)
	{
		Cell	   *cell = &cells[i * template->nweights + (group - template->weights)];

		if (template->items[i].indicator != indicator ||
			!concerns(template, &template->items[i], rater))
			continue;
		cell->sum = plus(cell->sum, numeric_cell(sums, row, 4));
		cell->count += int_cell(sums, row, 5);
		if (int_cell(sums, row, 7) > 0)
			cell->attained = plus(cell->attained, numeric_cell(sums, row, 6));
		cell->attained_count += int_cell(sums, row, 7);
	}
}

static Cell *
new_cells(const HrTemplate *template)
{
	return palloc0(sizeof(Cell) * Max(template->nitems, 1) * Max(template->nweights, 1));
}

/* Whether scores of a group whose raters are anonymous count. */
static bool
has_anonymous(const HrTemplate *template, const Cell *cells)
{
	for (int i = 0; i < template->nitems * template->nweights; i++)
	{
		const HrWeight *group = &template->weights[i % template->nweights];

		if (group->minimum > 0 && group->weight != NULL && cells[i].count > 0)
			return true;
	}
	return false;
}

/* One review from what its rater groups gave. */
static void
compute_review(Review *review, const HrRules *rules, const HrTemplate *template, const Cell *cells)
{
	int			nitems = Max(template->nitems, 1);
	int			self = 0;
	Side	   *counted = palloc0(sizeof(Side) * nitems);
	Side	   *own = palloc0(sizeof(Side) * nitems);
	bool		enough = true;

	while (self < template->nweights && strcmp(template->weights[self].code, SELF) != 0)
		self++;
	for (int i = 0; i < template->nitems; i++)
	{
		const Cell *of_item = &cells[i * template->nweights];

		enough &= side_of_groups(&counted[i], template, of_item);
		if (self < template->nweights && of_item[self].count > 0)
			side_add(&own[i], int64_to_numeric(1), &of_item[self]);
	}
	review->composite = enough ? compose(template, counted) : NULL;
	review->self_composite = compose(template, own);
	review->missing_used = missing_used(template, counted);
	review->anonymous = has_anonymous(template, cells);
	judge_items(review, rules, template, counted);
	review->complete = enough && template->nitems > 0 && review->scored > 0 &&
		(review->missing_used == NULL || template->missing != HR_MISSING_BLOCK);
	review->plan_reason = plan_reason(review, rules, review->complete);
}

/* ------------------------------------------------- reading and writing back */

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
static int
lock_reviews(Oid books, Oid owner, const HrIds *ids, bool leave_out, Review **out)
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
				calibrated = hr_column(desc, "calibrated", NUMERICOID);
	Review	   *review = MemoryContextAllocExtended(CurrentMemoryContext,
													sizeof(Review) * Max(ids->count, 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int			kept = 0;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	hr_table_scan(table, id);
	for (int i = 0; i < ids->count; i++)
	{
		Review	   *r = &review[kept];
		bool		open;

		CHECK_FOR_INTERRUPTS();
		if (!hr_table_find(table, Int64GetDatum(ids->id[i])) || !hr_table_lock(table, LockTupleNoKeyExclusive))
			continue;
		r->id = ids->id[i];
		r->employee = int_of_row(table, employee);
		r->template = int_of_row(table, template);
		r->manager = int_of_row(table, manager);
		r->segmented = bool_of_row(table, segmented);
		r->calibrated = numeric_of_row(table, calibrated);
		open = strcmp(text_of_row(table, status), "open") == 0;
		if (open)
			kept++;
		else if (!leave_out)
			not_open(hr_describe(books, owner, r->id, 0), text_of_row(table, status), text_of_row(table, reason));
	}
	PopActiveSnapshot();
	hr_table_close(table);
	AcceptInvalidationMessages();
	*out = review;
	return kept;
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

/* Write every outcome that differs from what is stored, with one query. */
static void
write_by_sql(Oid books, Review *review, int count)
{
	static const HrQuery query = {"write composites",
		"UPDATE @review r SET composite = u.composite, self_composite = u.self_composite,"
		"       items_scored = u.scored, complete = u.complete, missed = u.missed::bigint[],"
		"       lowest_indicator_id = u.lowest, plan_reason = u.plan_reason::text[],"
		"       missing_used = u.missing_used, vetoed = u.vetoed::bigint[], anonymous = u.anonymous, template_id = u.template_id"
		"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
		"       AS u(review_id, composite, self_composite, scored, complete, missed, lowest, plan_reason, missing_used, vetoed, anonymous, template_id)"
		" WHERE r.review_id = u.review_id"
		"   AND (r.composite, r.self_composite, r.items_scored, r.complete, r.missed,"
		"        r.lowest_indicator_id, r.plan_reason, r.missing_used, r.vetoed, r.anonymous, r.template_id)"
		"       IS DISTINCT FROM (u.composite, u.self_composite, u.scored, u.complete,"
		"        u.missed::bigint[], u.lowest, u.plan_reason::text[], u.missing_used, u.vetoed::bigint[], u.anonymous, u.template_id)", COLUMNS,
		{INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, INT4ARRAYOID, BOOLARRAYOID,
		TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, BOOLARRAYOID, INT8ARRAYOID}};
	static const struct
	{
		Oid			type;
		int16		length;
		bool		byval;
		char		align;
	}			column[COLUMNS] = {
		{INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}, {NUMERICOID, -1, false, TYPALIGN_INT},
		{NUMERICOID, -1, false, TYPALIGN_INT}, {INT4OID, 4, true, TYPALIGN_INT},
		{BOOLOID, 1, true, TYPALIGN_CHAR}, {TEXTOID, -1, false, TYPALIGN_INT},
		{INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}, {TEXTOID, -1, false, TYPALIGN_INT},
		{TEXTOID, -1, false, TYPALIGN_INT}, {TEXTOID, -1, false, TYPALIGN_INT},
		{BOOLOID, 1, true, TYPALIGN_CHAR}, {INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE}
	};
	Datum	   *cell[COLUMNS];
	bool	   *null[COLUMNS];
	Datum		args[COLUMNS];

	if (count == 0)
		return;
	for (int c = 0; c < COLUMNS; c++)
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
		null[8][i] = review[i].missing_used == NULL;
		cell[8][i] = null[8][i] ? (Datum) 0 : CStringGetTextDatum(review[i].missing_used);
		cell[9][i] = CStringGetTextDatum(review[i].vetoed);
		cell[10][i] = BoolGetDatum(review[i].anonymous);
		cell[11][i] = Int64GetDatum(review[i].template);
	}
	for (int c = 0; c < COLUMNS; c++)
		args[c] = PointerGetDatum(build_array(cell[c], null[c], count, column[c].type,
											  column[c].length, column[c].byval, column[c].align));
	hr_execute(books, &query, args, NULL, false);
}

static Datum
array_datum(const char *literal, Oid element)
{
	if (strcmp(literal, "{}") == 0)
		return PointerGetDatum(construct_empty_array(element));
	return OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(literal), ObjectIdGetDatum(element), Int32GetDatum(-1));
}

static void
set_numeric(Datum *value, bool *null, Numeric number)
{
	*null = number == NULL;
	*value = NumericGetDatum(number);
}

/* The outcome of a review as values of the columns below, in their order. */
static void
outcome_values(const Review *review, Datum *value, bool *null)
{
	memset(null, 0, sizeof(bool) * (COLUMNS - 1));
	set_numeric(&value[0], &null[0], review->composite);
	set_numeric(&value[1], &null[1], review->self_composite);
	value[2] = Int32GetDatum(review->scored);
	value[3] = BoolGetDatum(review->complete);
	value[4] = array_datum(review->missed, INT8OID);
	value[5] = Int64GetDatum(review->lowest);
	null[5] = review->lowest == 0;
	null[6] = review->plan_reason == NULL;
	value[6] = null[6] ? (Datum) 0 : array_datum(review->plan_reason, TEXTOID);
	null[7] = review->missing_used == NULL;
	value[7] = null[7] ? (Datum) 0 : CStringGetTextDatum(review->missing_used);
	value[8] = array_datum(review->vetoed, INT8OID);
	value[9] = BoolGetDatum(review->anonymous);
	value[10] = Int64GetDatum(review->template);
}

/* One review that was found; true if it is written, as something differs. */
static bool
write_row(HrTable *table, const AttrNumber *column, const Review *review)
{
	TupleDesc	desc = RelationGetDescr(table->rel);
	Datum		outcome[COLUMNS - 1];
	bool		null[COLUMNS - 1];
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	bool	   *replace = palloc0(desc->natts * sizeof(bool));
	bool		any = false;

	outcome_values(review, outcome, null);
	for (int i = 0; i < COLUMNS - 1; i++)
	{
		int			at = column[i] - 1;
		Form_pg_attribute att = TupleDescAttr(desc, at);
		bool		wasnull;
		Datum		was = slot_getattr(table->row, column[i], &wasnull);

		values[at] = outcome[i];
		nulls[at] = null[i];
		replace[at] = wasnull != null[i] ||
			(!wasnull && !datum_image_eq(was, outcome[i], att->attbyval, att->attlen));
		any |= replace[at];
	}
	if (any)
		hr_table_update(table, values, nulls, replace);
	return any;
}

/*
 * Write every outcome that differs from what is stored, as one statement.  The
 * reviews are locked, so they are what this snapshot shows.
 */
static void
write_reviews(Oid books, Review *review, int count)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			derived[COLUMNS - 1] = {
		{"composite", NUMERICOID}, {"self_composite", NUMERICOID}, {"items_scored", INT4OID},
		{"complete", BOOLOID}, {"missed", INT8ARRAYOID}, {"lowest_indicator_id", INT8OID},
		{"plan_reason", TEXTARRAYOID}, {"missing_used", TEXTOID}, {"vetoed", INT8ARRAYOID}, {"anonymous", BOOLOID},
		{"template_id", INT8OID}
	};
	HrTable    *table = hr_table_open(books, "review", RowExclusiveLock);
	AttrNumber	column[COLUMNS - 1];

	if (!hr_table_plain(table->rel))
	{
		hr_table_close(table);
		write_by_sql(books, review, count);
		return;
	}
	for (int i = 0; i < COLUMNS - 1; i++)
		column[i] = hr_column(RelationGetDescr(table->rel), derived[i].name, derived[i].type);
	hr_table_scan(table, hr_column(RelationGetDescr(table->rel), "review_id", INT8OID));
	hr_table_begin(table, CMD_UPDATE, column, COLUMNS - 1);
	for (int i = 0; i < count; i++)
		if (hr_table_find(table, Int64GetDatum(review[i].id)))
			write_row(table, column, &review[i]);
	hr_table_end(table);
	hr_table_close(table);
}

/*
 * The items of a review in segments: each segment's, weighted by the days and
 * the FTE it stands for.  The rest is as in the review's own template.
 */
static HrTemplate *
template_of_segments(Oid books, const Review *review)
{
	static const HrQuery query = {"items of segments",
		"SELECT i.indicator_id, s.manager_id, s.load * i.effective_weight, i.pass_pct, i.veto_at, i.veto_cap"
		"  FROM @review_segment s JOIN @template_item i ON i.template_id = s.template_id"
		" WHERE s.review_id = $1 ORDER BY s.segment_no, i.position, i.indicator_id", 1, {INT8OID}};
	HrTemplate *template = palloc(sizeof(HrTemplate));
	Datum		arg = Int64GetDatum(review->id);
	SPITupleTable *rows;

	memcpy(template, hr_template(books, review->template), sizeof(HrTemplate));
	template->nitems = (int) hr_execute(books, &query, &arg, NULL, false);
	template->items = palloc0(sizeof(HrItem) * Max(template->nitems, 1));
	rows = SPI_tuptable;
	for (int i = 0; i < template->nitems; i++)
	{
		HrItem	   *item = &template->items[i];

		item->indicator = int_cell(rows, i, 1);
		item->superior = int_cell(rows, i, 2);
		item->weight = numeric_copy(rows, i, 3);
		item->pass = numeric_copy(rows, i, 4);
		item->veto_at = numeric_copy(rows, i, 5);
		item->veto_cap = numeric_copy(rows, i, 6);
	}
	SPI_freetuptable(rows);
	return template;
}

static const HrTemplate *
template_of(Oid books, const Review *review)
{
	return review->segmented ? template_of_segments(books, review)
		: hr_template(books, review->template);
}

/*
 * Reviews with segments, where it matters which superior gave a score; all of
 * them where the table of scores is one that only SQL can read.
 */
static void
compute_by_sql(Oid books, Review *review, int count, const HrRules *rules, bool all)
{
	static const HrQuery query = {"sums of scores in segments",
		"SELECT s.review_id, s.indicator_id, s.rater_group, pg_catalog.sum(s.value), pg_catalog.count(*),"
		"       pg_catalog.sum(s.attainment), pg_catalog.count(s.attainment), w.rater"
		"  FROM @score s JOIN @rater_group g ON g.rater_group = s.rater_group"
		" CROSS JOIN LATERAL (SELECT CASE g.relation WHEN 'superior' THEN s.rater_id ELSE 0 END AS rater) w"
		" WHERE s.review_id = ANY ($1)"
		" GROUP BY s.review_id, s.indicator_id, s.rater_group, w.rater ORDER BY s.review_id", 1, {INT8ARRAYOID}};
	HrIds		ids = {0};
	Datum		arg;
	uint64		rows,
				next = 0;
	SPITupleTable *sums;

	for (int i = 0; i < count; i++)
		if (all || review[i].segmented)
			hr_ids_add(&ids, review[i].id);
	if (ids.count == 0)
		return;
	arg = PointerGetDatum(hr_ids_array(&ids));
	rows = hr_execute_latest(books, &query, &arg);
	sums = SPI_tuptable;
	for (int i = 0; i < count; i++)
	{
		const HrTemplate *template;
		Cell	   *cells;

		if (!all && !review[i].segmented)
			continue;
		template = template_of(books, &review[i]);
		cells = new_cells(template);
		for (; next < rows && int_cell(sums, next, 1) == review[i].id; next++)
			fill_cells(template, cells, sums, next);
		compute_review(&review[i], rules, template, cells);
	}
	SPI_freetuptable(sums);
}

/* Add the score that was found to the cells of its item; an indicator is in a template once. */
static void
add_score(const HrTemplate *template, Cell *cells, HrTable *scores, const HrScoreColumns *column)
{
	bool		null;
	int64		indicator = DatumGetInt64(slot_getattr(scores->row, column->indicator, &null));
	char		code[NAMEDATALEN];
	const HrWeight *group;
	Cell	   *cell;
	Numeric		attainment;
	int			item = 0;

	text_to_cstring_buffer(DatumGetTextPP(slot_getattr(scores->row, column->group, &null)), code, sizeof(code));
	group = hr_template_weight(template, code);
	while (item < template->nitems && template->items[item].indicator != indicator)
		item++;
	if (group == NULL || item == template->nitems)
		return;
	cell = &cells[item * template->nweights + (group - template->weights)];
	cell->sum = plus(cell->sum, numeric_of_row(scores, column->value));
	cell->count++;
	attainment = numeric_of_row(scores, column->attainment);
	if (attainment == NULL)
		return;
	cell->attained = plus(cell->attained, attainment);
	cell->attained_count++;
}

/* The others: all their scores lie side by side in the index. */
static void
compute_by_index(Oid books, Review *review, int count, const HrRules *rules)
{
	HrTable    *scores = hr_table_open(books, "score", AccessShareLock);
	HrScoreColumns *column = hr_score_columns(RelationGetDescr(scores->rel), CurrentMemoryContext);

	hr_table_scan(scores, column->review);
	for (int i = 0; i < count; i++)
	{
		const HrTemplate *template;
		Cell	   *cells;

		if (review[i].segmented)
			continue;
		template = hr_template(books, review[i].template);
		cells = new_cells(template);
		hr_table_seek(scores, Int64GetDatum(review[i].id));
		while (hr_table_next(scores))
			add_score(template, cells, scores, column);
		compute_review(&review[i], rules, template, cells);
	}
	hr_table_close(scores);
}

/* Compute some reviews, in key order, from their scores as they are now. */
static void
compute_slice(Oid books, Review *review, int count)
{
	const HrRules *rules = hr_rules(books);
	bool		plain = get_rel_relkind(get_relname_relid("score", books)) == RELKIND_RELATION;

	for (int i = 0; i < count; i++)
		(void) hr_template(books, review[i].template);	/* read those that are not at hand */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	compute_by_sql(books, review, count, rules, !plain);
	if (plain)
		compute_by_index(books, review, count, rules);
	write_reviews(books, review, count);
	PopActiveSnapshot();
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
		if (int_of_row(circle->assignment, circle->manager) == manager)
			return true;
	return false;
}

/*
 * Whether somebody may rate in a group beyond doubt: on the list of the review, or
 * where it has none for the group, a colleague.  What is doubtful SQL decides
 * (score_outsider_problem), and whether scores are closed because a result stands.
 */
static bool
may_surely_rate(Circle *circle, Oid books, const Review *of, const char *code, int64 rater)
{
	const HrRaterGroup *group = hr_rater_group(hr_rules(books), code);
	bool		peers = group != NULL && group->peers;
	bool		named = false,
				listed = false;

	if (circle->named == NULL)
		circle_open(circle, books);
	if (circle->review != of->id)
	{
		circle->review = of->id;
		circle->has_names = hr_table_find(circle->named, Int64GetDatum(of->id));
		circle->has_result = hr_table_find(circle->result, Int64GetDatum(of->id));
	}
	if (circle->has_result)
		return false;
	if (circle->has_names)
		hr_table_seek(circle->named, Int64GetDatum(of->id));
	while (circle->has_names && hr_table_next(circle->named))
	{
		bool		this = int_of_row(circle->named, circle->rater) == rater;

		if (!slot_attisnull(circle->named->row, circle->barred))
		{
			if (this)
				return false;
		}
		else if (strcmp(text_of_row(circle->named, circle->group), code) == 0)
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
static void
check_new_rows(TriggerData *td, Oid books, Review *review, int count, HrIds *raters, HrIds *others, HrIds *computed)
{
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	HrScoreColumns *column = hr_score_columns(desc, CurrentMemoryContext);
	HrScoreRow	row = {.books = books, .owner = td->tg_relation->rd_rel->relowner, .desc = desc};
	char		group[NAMEDATALEN];
	Circle		circle = {0};

	tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_newtable, true, false, slot))
	{
		bool		null;
		const Review *of;
		Datum		code;
		int64		rater;

		row.review = DatumGetInt64(slot_getattr(slot, column->review, &null));
		row.indicator = DatumGetInt64(slot_getattr(slot, column->indicator, &null));
		rater = DatumGetInt64(slot_getattr(slot, column->rater, &null));
		of = find_review(review, count, row.review);
		code = slot_getattr(slot, column->group, &null);
		if (of == NULL || null)
			continue;			/* its foreign key or NOT NULL will say so */
		text_to_cstring_buffer(DatumGetTextPP(code), group, sizeof(group));
		check_rater(&row, of, group, rater);
		hr_ids_add(raters, rater);
		if (rater != of->employee && (rater != of->manager || strcmp(group, "manager") != 0) &&
			!may_surely_rate(&circle, books, of, group, rater))
			hr_ids_add(others, DatumGetInt64(slot_getattr(slot, column->key, &null)));
		if (!slot_attisnull(slot, column->facts))
			hr_ids_add(computed, DatumGetInt64(slot_getattr(slot, column->key, &null)));
		if (!has_item(hr_template(books, of->template), row.indicator) &&
			(!of->segmented || !has_item(template_of(books, of), row.indicator)))
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
			left = strcmp(text_of_row(table, status), "left") == 0;
	}
	hr_table_close(table);
	return left;
}

/* Rules about scores that need SQL; asked only when they can apply. */
static void
check_by_sql(Oid books, const HrIds *reviews, HrIds *raters, const HrIds *others)
{
	hr_ids_settle(raters);
	if (has_left(books, raters))
		hr_call(books, "score_rater_problem", reviews);
	if (raters->count > 0 && hr_rules(books)->rationale_same > 0)
		hr_call(books, "score_rationale_problem", reviews);
	if (others->count > 0)
		hr_call(books, "score_outsider_problem", others);
}

/*
 * Whoever scores shares the rules by which open reviews are judged, whoever changes
 * them has them alone, until the transaction ends.  The lock is on no row: to lock
 * one that all share costs each of them a write.  (PostgreSQL locks tables by another
 * tag, so this one of a table's "column" is free.)
 */
static void
hold_rules(Oid book_table, bool change)
{
	LockDatabaseObject(RelationRelationId, book_table, 1, change ? AccessExclusiveLock : AccessShareLock);
}

/*
 * hrloop.hold_rules(book, change).  Who changes them judges all open reviews
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
	hold_rules(PG_GETARG_OID(0), change);
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
	hold_rules(get_relname_relid("book", books), false);
	PG_RETURN_POINTER(NULL);
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
				raters = {0},
				others = {0},
				computed = {0};
	Oid			owner = td->tg_relation->rd_rel->relowner;
	HrScope		scope;
	Review	   *review;
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
	count = lock_reviews(books, owner, &ids, false, &review);
	if (td->tg_newtable)
	{
		check_new_rows(td, books, review, count, &raters, &others, &computed);
		check_by_sql(books, &ids, &raters, &others);
		hr_facts_settle(books, &computed);
	}
	compute_reviews(books, review, count);
	hr_scope_leave(&scope);
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
	bool		null;

	hr_execute(books, &facts, &reviews, NULL, false);
	hr_execute(books, &held, &reviews, NULL, false);
	hr_execute(books, &all, &reviews, NULL, false);
	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
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

/* hrloop.recompute(book, reviews, template): composites anew, when rules changed or by another template. */
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
	count = lock_reviews(books, owner, &ids, true, &review);
	if (PG_NARGS() > 2 && !PG_ARGISNULL(2))
		for (int i = 0; i < count; i++)
			review[i].template = PG_GETARG_INT64(2);
	compute_reviews(books, review, count);
	hr_scope_leave(&scope);
	PG_RETURN_INT32(count);
}
