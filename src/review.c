/*
 * review.c - scores and their composite.
 *
 * score_check (BEFORE row) turns what was entered into a value on the scale
 * 0-100 and refuses a score without its rationale.  score_apply (AFTER
 * statement) locks the reviews that were touched in key order, reads their
 * scores in a later command, so that a rater who committed meanwhile is seen,
 * computes in C and writes all composites with one UPDATE.
 */
#include "hrloop.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_score_check);
PG_FUNCTION_INFO_V1(hrloop_score_apply);
PG_FUNCTION_INFO_V1(hrloop_recompute);
PG_FUNCTION_INFO_V1(hrloop_meaningful_chars);

#define SELF "self"
#define SLICE 5000				/* reviews computed at a time */

/* -------------------------------------------------------- exact arithmetic */

static Numeric
add(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

static Numeric
multiply(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a), NumericGetDatum(b)));
}

static Numeric
divide(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_div, NumericGetDatum(a), NumericGetDatum(b)));
}

static Numeric
rounded(Numeric a, int scale)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(a), Int32GetDatum(scale)));
}

static int
compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

/* --------------------------------------------------------------- rationale */

/* Characters that say nothing: blanks, punctuation and symbols of any width. */
static const struct
{
	pg_wchar	first,
				last;
}			silent[] = {
	{0x0000, 0x002F}, {0x003A, 0x0040}, {0x005B, 0x0060}, {0x007B, 0x00A9},
	{0x00AB, 0x00B4}, {0x00B6, 0x00B9}, {0x00BB, 0x00BF}, {0x00D7, 0x00D7},
	{0x00F7, 0x00F7}, {0x02C2, 0x02DF}, {0x0300, 0x036F}, {0x115F, 0x1160},
	{0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180E}, {0x2000, 0x206F},
	{0x20A0, 0x20CF}, {0x2100, 0x214F}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F}, {0x3000, 0x3004},
	{0x3008, 0x3020}, {0x302A, 0x3030}, {0x303D, 0x303F}, {0x30FB, 0x30FB},
	{0x3164, 0x3164}, {0xE000, 0xF8FF}, {0xFE00, 0xFE6F}, {0xFEFF, 0xFEFF},
	{0xFF00, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65},
	{0xFFA0, 0xFFA0}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0xFFFFF}
};

static bool
is_silent(pg_wchar c)
{
	for (int i = 0; i < (int) lengthof(silent); i++)
		if (c >= silent[i].first && c <= silent[i].last)
			return true;
	return false;
}

/* Letters and digits of a text, in any script; a database that is not UTF-8 counts bytes beyond ASCII. */
static int
meaningful_chars(const char *s, int length)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	int			count = 0;

	for (const char *end = s + length; s < end; s += pg_mblen(s))
	{
		pg_wchar	c = utf8 ? utf8_to_unicode((const unsigned char *) s)
			: (unsigned char) *s;

		if (!is_silent(c) || (!utf8 && c >= 0x80))
			count++;
	}
	return count;
}

Datum
hrloop_meaningful_chars(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);

	PG_RETURN_INT32(meaningful_chars(VARDATA_ANY(t), (int) VARSIZE_ANY_EXHDR(t)));
}

/* ---------------------------------------------------------------- wording */

/* "indicator 产量 in the review of employee E001, cycle 2023Q1", for messages. */
static char *
describe(Oid books, Oid owner, int64 review, int64 indicator)
{
	static const HrQuery query = {"describe",
		"SELECT pg_catalog.format('%sreview of employee %s, cycle %s',"
		" CASE WHEN $2 <> 0 THEN COALESCE((SELECT 'indicator ' || i.code FROM @indicator i WHERE i.indicator_id = $2),"
		"                                 'unknown indicator ' || $2) || ' in the ' END, e.employee_no, c.code)"
		" FROM @review r JOIN @employee e ON e.employee_id = r.employee_id"
		" JOIN @review_cycle c ON c.cycle_id = r.cycle_id WHERE r.review_id = $1",
		2, {INT8OID, INT8OID}};
	Datum		args[2] = {Int64GetDatum(review), Int64GetDatum(indicator)};
	MemoryContext caller = CurrentMemoryContext;
	HrScope		scope;
	char	   *text;

	hr_scope_enter(&scope, owner);
	if (hr_execute(books, &query, args, NULL, true) == 1)
		text = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0],
														SPI_tuptable->tupdesc, 1));
	else
		text = MemoryContextStrdup(caller, psprintf("review " INT64_FORMAT, review));
	hr_scope_leave(&scope);
	return text;
}

/* ------------------------------------------------------------ score_check */

typedef struct ScoreColumns
{
	int			review,
				indicator,
				group,
				rater,
				raw,
				scale_max,
				facts,
				attainment,
				value,
				rationale;
} ScoreColumns;

static ScoreColumns *
score_columns(TupleDesc desc, MemoryContext context)
{
	ScoreColumns *c = MemoryContextAlloc(context, sizeof(ScoreColumns));

	c->review = hr_column(desc, "review_id", INT8OID);
	c->indicator = hr_column(desc, "indicator_id", INT8OID);
	c->group = hr_column(desc, "rater_group", TEXTOID);
	c->rater = hr_column(desc, "rater_id", INT8OID);
	c->raw = hr_column(desc, "raw_value", NUMERICOID);
	c->scale_max = hr_column(desc, "scale_max", NUMERICOID);
	c->facts = hr_column(desc, "facts", JSONBOID);
	c->attainment = hr_column(desc, "attainment", NUMERICOID);
	c->value = hr_column(desc, "value", NUMERICOID);
	c->rationale = hr_column(desc, "rationale", TEXTOID);
	return c;
}

typedef struct ScoreRow
{
	Oid			books;
	Oid			owner;
	TupleDesc	desc;
	HeapTuple	tuple;
	const ScoreColumns *column;
	int64		review;
	int64		indicator;
} ScoreRow;

static const HrRaterGroup *
find_group(const HrRules *rules, const char *code)
{
	for (int i = 0; i < rules->ngroups; i++)
		if (strcmp(rules->groups[i].code, code) == 0)
			return &rules->groups[i];
	return NULL;
}

static char *
describe_row(const ScoreRow *row)
{
	return describe(row->books, row->owner, row->review, row->indicator);
}

static void
no_such_item(const ScoreRow *row)
{
	char	   *where = describe_row(row);

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("the template of the review does not have this indicator: %s", where),
			 errhint("View template_checklist lists the indicators of every template."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "indicator_id"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_item")));
}

/* No score of a group that must give reasons stands without one. */
static void
check_rationale(const ScoreRow *row, const HrRules *rules)
{
	char	   *code = SPI_getvalue(row->tuple, row->desc, row->column->group);
	const HrRaterGroup *group = code ? find_group(rules, code) : NULL;
	int			needed = Max(rules->rationale_min, 1);
	bool		null;
	Datum		value;
	int			have = 0;
	char	   *where;

	if (group == NULL || !group->rationale)
		return;					/* an unknown group fails its foreign key */
	value = SPI_getbinval(row->tuple, row->desc, row->column->rationale, &null);
	if (!null)
	{
		text	   *t = DatumGetTextPP(value);

		have = meaningful_chars(VARDATA_ANY(t), (int) VARSIZE_ANY_EXHDR(t));
	}
	if (have >= needed)
		return;
	where = describe_row(row);
	ereport(ERROR,
			(errcode(have == 0 ? ERRCODE_NOT_NULL_VIOLATION : ERRCODE_CHECK_VIOLATION),
			 have == 0 ? errmsg("a score needs a rationale: %s", where)
			 : errmsg("the rationale is too short: %s", where),
			 errdetail("It has %d letters or digits, at least %d are needed; blanks and punctuation do not count.",
					   have, needed),
			 errhint("Say what was observed, for example the result that was reached. Setting rationale.min_chars holds the minimum."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "rationale"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_rationale")));
}

/* A score given by a person: raw of scale_max, brought to 0-100. */
static Numeric
value_of_raw(const ScoreRow *row, Numeric raw)
{
	bool		null;
	Datum		maximum = SPI_getbinval(row->tuple, row->desc, row->column->scale_max, &null);
	Numeric		zero = int64_to_numeric(0);
	char	   *where;

	if (!null && !numeric_is_nan(DatumGetNumeric(maximum)) &&
		!numeric_is_inf(DatumGetNumeric(maximum)) && !numeric_is_nan(raw) &&
		compare(DatumGetNumeric(maximum), zero) > 0 &&
		compare(raw, zero) >= 0 && compare(raw, DatumGetNumeric(maximum)) <= 0)
		return rounded(divide(multiply(raw, int64_to_numeric(100)),
							  DatumGetNumeric(maximum)), 4);
	where = describe_row(row);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("score %s is outside 0 to %s: %s", numeric_normalize(raw),
					null ? "null" : numeric_normalize(DatumGetNumeric(maximum)), where),
			 errhint("Give a value from 0 to scale_max; scale_max must be positive, 100 unless you use another scale."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "raw_value"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_range")));
	return NULL;				/* keep compiler quiet */
}

/*
 * A score computed from facts: the indicator's pinned formula over the facts
 * given and the target of this employee.  Sets both results, or fails.
 */
static void
value_of_facts(const ScoreRow *row, Datum facts, Datum *attainment, Datum *value)
{
	static const HrQuery query = {"attainment",
		"SELECT a.attainment, pg_catalog.round(LEAST(GREATEST(a.attainment, a.floor_pct), a.cap_pct), 4), a.formula::text, a.facts::text"
		"  FROM (SELECT pg_catalog.round(hrloop.evaluate(i.formula, f.facts), 4) AS attainment,"
		"               i.floor_pct, i.cap_pct, i.formula, f.facts"
		"          FROM @review r"
		"          JOIN @template_item i ON i.template_id = r.template_id AND i.indicator_id = $2"
		"          LEFT JOIN @target t ON t.cycle_id = r.cycle_id AND t.employee_id = r.employee_id"
		"                             AND t.indicator_id = i.indicator_id"
		"         CROSS JOIN LATERAL (SELECT i.facts || COALESCE(t.facts, '{}') || $3 AS facts) f"
		"         WHERE r.review_id = $1) a", 3, {INT8OID, INT8OID, JSONBOID}};
	Datum		args[3] = {Int64GetDatum(row->review), Int64GetDatum(row->indicator), facts};
	HrScope		scope;
	bool		missing,
				novalue;

	hr_scope_enter(&scope, row->owner);
	if (hr_execute(row->books, &query, args, NULL, false) != 1)
		no_such_item(row);
	*attainment = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &missing);
	*value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &novalue);
	if (missing || novalue)
	{
		char	   *formula = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
		char	   *over = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4);
		char	   *where = describe_row(row);

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the facts give no attainment: %s", where),
				 errdetail("Formula %s over %s; a fact is missing or the target is zero.",
						   formula, over),
				 errhint("Give the missing fact, or set a target that is not zero."),
				 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "facts"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_facts")));
	}
	*attainment = SPI_datumTransfer(*attainment, false, -1);
	*value = SPI_datumTransfer(*value, false, -1);
	hr_scope_leave(&scope);
}

static void
no_value(const ScoreRow *row)
{
	char	   *where = describe_row(row);

	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a score needs a value or facts: %s", where),
			 errhint("Missing is not zero: leave the row out, or give raw_value or facts."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "raw_value")));
}

/* The rules, at hand or read now. */
static const HrRules *
rules_for(const ScoreRow *row)
{
	const HrRules *rules = hr_rules_cached(row->books);
	HrScope		scope;

	if (rules == NULL)
	{
		hr_scope_enter(&scope, row->owner);
		rules = hr_rules(row->books);
		hr_scope_leave(&scope);
	}
	return rules;
}

/* BEFORE INSERT OR UPDATE row of score. */
Datum
hrloop_score_check(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW);
	ScoreRow	row = {
		.books = RelationGetNamespace(td->tg_relation),
		.owner = td->tg_relation->rd_rel->relowner,
		.desc = RelationGetDescr(td->tg_relation),
		.tuple = TRIGGER_FIRED_BY_UPDATE(td->tg_event) ? td->tg_newtuple : td->tg_trigtuple
	};
	Datum		values[2];
	bool		nulls[2] = {true, true};
	bool		review_null,
				indicator_null,
				raw_null,
				facts_null;
	Datum		raw,
				facts;
	int			columns[2];

	hr_books_check(row.books);
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = score_columns(row.desc, fcinfo->flinfo->fn_mcxt);
	row.column = fcinfo->flinfo->fn_extra;
	row.review = DatumGetInt64(SPI_getbinval(row.tuple, row.desc, row.column->review, &review_null));
	row.indicator = DatumGetInt64(SPI_getbinval(row.tuple, row.desc, row.column->indicator, &indicator_null));
	if (review_null || indicator_null)
		return PointerGetDatum(row.tuple);	/* NOT NULL says it better */

	check_rationale(&row, rules_for(&row));

	raw = SPI_getbinval(row.tuple, row.desc, row.column->raw, &raw_null);
	facts = SPI_getbinval(row.tuple, row.desc, row.column->facts, &facts_null);
	if (raw_null && facts_null)
		no_value(&row);
	if (!facts_null)
	{
		value_of_facts(&row, facts, &values[0], &values[1]);
		nulls[0] = nulls[1] = false;
	}
	if (!raw_null)
	{
		values[1] = NumericGetDatum(value_of_raw(&row, DatumGetNumeric(raw)));
		nulls[1] = false;
	}
	columns[0] = row.column->attainment;
	columns[1] = row.column->value;
	return PointerGetDatum(heap_modify_tuple_by_cols(row.tuple, row.desc, 2,
													 columns, values, nulls));
}

/* -------------------------------------------------------------- composite */

typedef struct Review
{
	int64		id;
	int64		employee;
	int64		template;
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
	bool		score,
				missed;

	if (review->composite == NULL || !all_scored)
		return NULL;
	score = rules->plan_threshold &&
		compare(review->composite, rules->plan_threshold) <= 0;
	missed = rules->plan_on_missed && strcmp(review->missed, "{}") != 0 &&
		(rules->plan_ceiling == NULL || compare(review->composite, rules->plan_ceiling) < 0);
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
		"SELECT review_id, employee_id, template_id, status, block_reason FROM @review"
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
		bool		null;

		review[i].id = DatumGetInt64(SPI_getbinval(row, desc, 1, &null));
		review[i].employee = DatumGetInt64(SPI_getbinval(row, desc, 2, &null));
		review[i].template = DatumGetInt64(SPI_getbinval(row, desc, 3, &null));
		if (strcmp(status, "open") != 0)
			not_open(describe(books, owner, review[i].id, 0), SPI_getvalue(row, desc, 5));
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
check_rater(const ScoreRow *row, const Review *review, const char *group, int64 rater)
{
	bool		is_self = strcmp(group, SELF) == 0;
	char	   *where;

	if (is_self == (rater == review->employee))
		return;
	where = describe_row(row);
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
	ScoreColumns *column = score_columns(desc, CurrentMemoryContext);
	ScoreRow	row = {.books = books, .owner = td->tg_relation->rd_rel->relowner, .desc = desc};
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
			no_such_item(&row);
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
	hr_scope_by_index();
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
