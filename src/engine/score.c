/*
 * score.c - one score: its reason, its value, and how messages name it.
 *
 * score_check (BEFORE row) turns what was entered into a value on the scale
 * 0-100 and refuses a score without its rationale.
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
#include "score_row.h"

#include <ctype.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"

PG_FUNCTION_INFO_V1(hrloop_score_check);
PG_FUNCTION_INFO_V1(hrloop_meaningful_chars);
PG_FUNCTION_INFO_V1(hrloop_is_visible);

/* --------------------------------------------------------------- rationale */

/* Characters that say nothing: blanks, punctuation and symbols of any width. */
typedef struct Span
{
	pg_wchar	first,
				last;
} Span;

static const Span silent[] = {
	{0x0000, 0x002F}, {0x003A, 0x0040}, {0x005B, 0x0060}, {0x007B, 0x00A9},
	{0x00AB, 0x00B4}, {0x00B6, 0x00B9}, {0x00BB, 0x00BF}, {0x00D7, 0x00D7},
	{0x00F7, 0x00F7}, {0x02C2, 0x02DF}, {0x0300, 0x036F}, {0x0483, 0x0489},
	{0x0591, 0x05C7}, {0x0600, 0x061F}, {0x064B, 0x065F}, {0x06D4, 0x06E4},
	{0x070F, 0x070F}, {0x0890, 0x0891}, {0x08E2, 0x08E2}, {0x115F, 0x1160},
	{0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x1AB0, 0x1AFF},
	{0x1DC0, 0x1DFF}, {0x2000, 0x206F}, {0x20A0, 0x20FF}, {0x2100, 0x214F}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F}, {0x3000, 0x3004},
	{0x3008, 0x3020}, {0x302A, 0x3030}, {0x303D, 0x303F}, {0x30FB, 0x30FB},
	{0x3099, 0x309C}, {0x3164, 0x3164}, {0xE000, 0xF8FF}, {0xFE00, 0xFE6F}, {0xFEFF, 0xFEFF},
	{0xFF00, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65},
	{0xFFA0, 0xFFA0}, {0xFFE0, 0xFFFF}, {0x13430, 0x13440}, {0x1BCA0, 0x1BCA3},
	{0x1D165, 0x1D1AD}, {0x1F000, 0x1FAFF}, {0xE0000, 0xFFFFF}
};

/* Of these the ones that nobody sees: blanks of any width, controls, marks that have nothing to stand on. */
static const Span blank[] = {
	{0x0000, 0x0020}, {0x007F, 0x00A0}, {0x00AD, 0x00AD}, {0x0300, 0x036F}, {0x0483, 0x0489},
	{0x061C, 0x061C}, {0x115F, 0x1160}, {0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180F},
	{0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F},
	{0x20D0, 0x20FF}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3099, 0x309A}, {0x3164, 0x3164},
	{0xE000, 0xF8FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
	{0xFFF0, 0xFFFF}, {0x13430, 0x13440}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0x10FFFF}
};

static bool
is_among(pg_wchar c, const Span *span, int count)
{
	for (int i = 0; i < count; i++)
		if (c >= span[i].first && c <= span[i].last)
			return true;
	return false;
}

static bool
is_silent(pg_wchar c)
{
	return is_among(c, silent, lengthof(silent));
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

/* Whether there is anything to see in a text. */
Datum
hrloop_is_visible(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	char	   *own = VARDATA_ANY(t);
	int			length = (int) VARSIZE_ANY_EXHDR(t);
	char	   *s = pg_server_to_any(own, length, PG_UTF8);

	if (s != own)
		length = (int) strlen(s);
	for (const char *end = s + length; s < end; s += pg_utf_mblen((unsigned char *) s))
		if (!is_among(utf8_to_unicode((const unsigned char *) s), blank, lengthof(blank)))
			PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(false);
}

/* ------------------------------------------------------------ score_check */

/* No score of a group that must give reasons stands without one. */
static void
check_rationale(const HrScoreRow *row, const HrRules *rules)
{
	char	   *code = hr_text(hr_cell_of(row->tuple, row->desc, row->column->group));
	const HrRaterGroup *group = code ? hr_rater_group(rules, code) : NULL;
	int			needed = Max(rules->rationale_min, 1);
	HrCell		value;
	int			have = 0;
	char	   *where;

	if (group == NULL || !group->rationale)
		return;					/* an unknown group fails its foreign key */
	value = hr_cell_of(row->tuple, row->desc, row->column->rationale);
	if (!value.null)
	{
		text	   *t = DatumGetTextPP(value.value);

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
	Numeric		maximum = hr_numeric(hr_cell_of(row->tuple, row->desc, row->column->scale_max));
	Numeric		zero = int64_to_numeric(0);
	char	   *where;

	if (maximum != NULL && !numeric_is_nan(maximum) &&
		!numeric_is_inf(maximum) && !numeric_is_nan(raw) &&
		hr_compare(maximum, zero) > 0 &&
		hr_compare(raw, zero) >= 0 && hr_compare(raw, maximum) <= 0)
		return hr_compare(maximum, int64_to_numeric(100)) == 0 ? hr_rounded(raw, 4)
			: hr_quotient(hr_multiply(raw, int64_to_numeric(100)), maximum, 4);
	where = hr_describe_row(row);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("score %s is outside 0 to %s: %s", numeric_normalize(raw),
					maximum == NULL ? "null" : numeric_normalize(maximum), where),
			 errhint("Give a value from 0 to scale_max; scale_max must be positive, 100 unless you use another scale."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "raw_value"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_range")));
	return NULL;				/* keep compiler quiet */
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

/* A value beside facts is what they come to. */
static void
check_both(const HrScoreRow *row, Numeric given, Numeric computed)
{
	char	   *where;

	if (hr_compare(given, computed) == 0)
		return;
	where = hr_describe_row(row);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("the value and the facts contradict each other: %s", where),
			 errdetail("The value is %s, the facts come to %s.", numeric_normalize(given), numeric_normalize(computed)),
			 errhint("Give the facts alone, or a value alone with its reason."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "raw_value"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_value_or_facts")));
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
		.owner = hr_owner_of(td->tg_relation),
		.desc = RelationGetDescr(td->tg_relation),
		.tuple = TRIGGER_FIRED_BY_UPDATE(td->tg_event) ? td->tg_newtuple : td->tg_trigtuple
	};
	Datum		values[2];
	bool		nulls[2] = {true, true};
	HrCell		review,
				indicator,
				raw,
				facts;
	int			columns[2];

	if (hr_erasing(row.books))
		return PointerGetDatum(row.tuple);
	hr_books_check(row.books);
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = hr_score_columns(row.desc, fcinfo->flinfo->fn_mcxt);
	row.column = fcinfo->flinfo->fn_extra;
	review = hr_cell_of(row.tuple, row.desc, row.column->review);
	indicator = hr_cell_of(row.tuple, row.desc, row.column->indicator);
	row.review = hr_bigint(review);
	row.indicator = hr_bigint(indicator);
	if (review.null || indicator.null)
		return PointerGetDatum(row.tuple);	/* NOT NULL says it better */

	check_rationale(&row, rules_for(&row));

	raw = hr_cell_of(row.tuple, row.desc, row.column->raw);
	facts = hr_cell_of(row.tuple, row.desc, row.column->facts);
	if (raw.null && facts.null)
		no_value(&row);
	if (!facts.null)
	{
		Numeric		attainment,
					value;

		hr_value_of_facts(&row, facts.value, &attainment, &value);
		values[0] = NumericGetDatum(attainment);
		values[1] = NumericGetDatum(value);
		nulls[0] = attainment == NULL;
		nulls[1] = false;
	}
	if (!raw.null)
	{
		Numeric		given = value_of_raw(&row, hr_numeric(raw));

		if (!facts.null)
			check_both(&row, given, DatumGetNumeric(values[1]));
		values[1] = NumericGetDatum(given);
		nulls[1] = false;
	}
	columns[0] = row.column->attainment;
	columns[1] = row.column->value;
	return PointerGetDatum(heap_modify_tuple_by_cols(row.tuple, row.desc, 2,
													 columns, values, nulls));
}
