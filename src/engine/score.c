/*
 * score.c - one score: its reason, its value, and how messages name it.
 *
 * score_check (BEFORE row) turns what was entered into a value on the scale
 * 0-100 and refuses a score without its rationale.
 */
#include "hrloop.h"

#include <ctype.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "exact.h"
#include "mb/pg_wchar.h"

PG_FUNCTION_INFO_V1(hrloop_score_check);
PG_FUNCTION_INFO_V1(hrloop_meaningful_chars);

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

/* Letters and digits of a text, in any script. */
static int
meaningful_chars(const char *text, int length)
{
	char	   *own = unconstify(char *, text);
	char	   *s = pg_server_to_any(own, length, PG_UTF8);
	int			count = 0;

	if (s != own)
		length = (int) strlen(s);
	for (const char *end = s + length; s < end; s += pg_utf_mblen((unsigned char *) s))
	{
		pg_wchar	c;

		for (; s < end && !IS_HIGHBIT_SET(*s); s++)
			count += isalnum((unsigned char) *s) != 0;
		if (s == end)
			break;
		c = utf8_to_unicode((const unsigned char *) s);
		if (!is_silent(c))
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
char *
hr_describe(Oid books, Oid owner, int64 review, int64 indicator)
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

HrScoreColumns *
hr_score_columns(TupleDesc desc, MemoryContext context)
{
	HrScoreColumns *c = MemoryContextAlloc(context, sizeof(HrScoreColumns));

	c->key = hr_column(desc, "score_id", INT8OID);
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

char *
hr_describe_row(const HrScoreRow *row)
{
	return hr_describe(row->books, row->owner, row->review, row->indicator);
}

void
hr_no_such_item(const HrScoreRow *row)
{
	char	   *where = hr_describe_row(row);

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
check_rationale(const HrScoreRow *row, const HrRules *rules)
{
	char	   *code = SPI_getvalue(row->tuple, row->desc, row->column->group);
	const HrRaterGroup *group = code ? hr_rater_group(rules, code) : NULL;
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
	where = hr_describe_row(row);
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
value_of_raw(const HrScoreRow *row, Numeric raw)
{
	bool		null;
	Datum		maximum = SPI_getbinval(row->tuple, row->desc, row->column->scale_max, &null);
	Numeric		zero = int64_to_numeric(0);
	char	   *where;

	if (!null && !numeric_is_nan(DatumGetNumeric(maximum)) &&
		!numeric_is_inf(DatumGetNumeric(maximum)) && !numeric_is_nan(raw) &&
		compare(DatumGetNumeric(maximum), zero) > 0 &&
		compare(raw, zero) >= 0 && compare(raw, DatumGetNumeric(maximum)) <= 0)
		return compare(DatumGetNumeric(maximum), int64_to_numeric(100)) == 0 ? rounded(raw, 4)
			: quotient(multiply(raw, int64_to_numeric(100)), DatumGetNumeric(maximum), 4);
	where = hr_describe_row(row);
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
 * given and the target of this employee.
 */
#define VALUE_OF_FACTS(review, indicator, given, rater) \
	"SELECT w.*, pg_catalog.round(LEAST(GREATEST(w.attainment, w.floor_pct), w.cap_pct), 4) AS value" \
	"  FROM (SELECT pg_catalog.round(hrloop.evaluate(i.formula, f.facts), 4) AS attainment," \
	"               i.floor_pct, i.cap_pct, i.formula, f.facts" \
	"          FROM @review r" \
	"          JOIN @template_item i ON i.indicator_id = " indicator " AND i.template_id = CASE WHEN r.segmented THEN" \
	"               (SELECT s.template_id FROM @review_segment s" \
	"                  JOIN @template_item n ON n.template_id = s.template_id AND n.indicator_id = " indicator \
	"                 WHERE s.review_id = r.review_id ORDER BY s.manager_id IS NOT DISTINCT FROM " rater " DESC, s.segment_no LIMIT 1)" \
	"               ELSE r.template_id END" \
	"          LEFT JOIN @target t ON t.cycle_id = r.cycle_id AND t.employee_id = r.employee_id" \
	"                             AND t.indicator_id = i.indicator_id" \
	"         CROSS JOIN LATERAL (SELECT i.facts || COALESCE(t.facts, '{}') || " given " AS facts) f" \
	"         WHERE r.review_id = " review ") w"

/* Sets both results, or fails. */
static void
value_of_facts(const HrScoreRow *row, Datum facts, Datum *attainment, Datum *value)
{
	static const HrQuery query = {"attainment",
		"SELECT a.attainment, a.value, a.formula::text, a.facts::text FROM (" VALUE_OF_FACTS("$1", "$2", "$3", "$4") ") a",
		4, {INT8OID, INT8OID, JSONBOID, INT8OID}};
	bool		no_rater;		/* refused after this */
	Datum		args[4] = {Int64GetDatum(row->review), Int64GetDatum(row->indicator), facts,
	SPI_getbinval(row->tuple, row->desc, row->column->rater, &no_rater)};
	HrScope		scope;
	bool		missing,
				novalue;

	hr_scope_enter(&scope, row->owner);
	if (hr_execute(row->books, &query, args, NULL, false) != 1)
		hr_no_such_item(row);
	*attainment = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &missing);
	*value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &novalue);
	if (missing || novalue)
	{
		char	   *formula = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
		char	   *over = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4);
		char	   *where = hr_describe_row(row);

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

/*
 * Once their reviews are locked: scores whose facts were read by rules that
 * have changed since, a template, a segment or a target.
 */
void
hr_facts_settle(Oid books, HrIds *scores)
{
	static const HrQuery stale = {"scores by former rules",
		"SELECT k.score_id FROM @score k"
		"  LEFT JOIN LATERAL (" VALUE_OF_FACTS("k.review_id", "k.indicator_id", "k.facts", "k.rater_id") ") a ON true"
		" WHERE k.score_id = ANY ($1) AND k.facts IS NOT NULL"
		"   AND (k.attainment IS DISTINCT FROM a.attainment OR k.raw_value IS NULL AND k.value IS DISTINCT FROM a.value)",
		1, {INT8ARRAYOID}};
	static const HrQuery again = {"scores by present rules",
		"UPDATE @score SET facts = facts WHERE score_id = ANY ($1)", 1, {INT8ARRAYOID}};
	Datum		arg;
	HrIds		found = {0};
	uint64		rows;

	if (scores->count == 0)
		return;
	arg = PointerGetDatum(hr_ids_array(scores));
	rows = hr_execute_latest(books, &stale, &arg);
	if (rows == 0)
		return;
	/* a transaction with one snapshot would compute the same again */
	if (IsolationUsesXactSnapshot())
		hr_not_current();
	for (uint64 row = 0; row < rows; row++)
	{
		bool		null;

		hr_ids_add(&found, DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &null)));
	}
	arg = PointerGetDatum(hr_ids_array(&found));
	hr_execute(books, &again, &arg, NULL, false);
}

static void
no_value(const HrScoreRow *row)
{
	char	   *where = hr_describe_row(row);

	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a score needs a value or facts: %s", where),
			 errhint("Missing is not zero: leave the row out, or give raw_value or facts."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "raw_value")));
}

/* The rules, at hand or read now. */
static const HrRules *
rules_for(const HrScoreRow *row)
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
	HrScoreRow	row = {
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

	if (hr_erasing(row.books))
		return PointerGetDatum(row.tuple);
	hr_books_check(row.books);
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = hr_score_columns(row.desc, fcinfo->flinfo->fn_mcxt);
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
