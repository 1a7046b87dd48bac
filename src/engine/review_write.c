/*
 * review_write.c - composites written where they differ from what is stored.
 */
#include "hrloop.h"

#include "cells.h"
#include "ids.h"
#include "plan_cache.h"
#include "review_write.h"
#include "table.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* The columns of review that are computed, in the order in which they are written. */
enum
{
	C_COMPOSITE, C_SELF, C_SCORED, C_COMPLETE, C_MISSED, C_LOWEST, C_PLAN_REASON, C_MISSING_USED,
	C_VETOED, C_ANONYMOUS, C_TEMPLATE, COLUMNS
};

static const struct
{
	const char *name;
	Oid			type;
}			derived[COLUMNS] = {
	[C_COMPOSITE] = {"composite", NUMERICOID},
	[C_SELF] = {"self_composite", NUMERICOID},
	[C_SCORED] = {"items_scored", INT4OID},
	[C_COMPLETE] = {"complete", BOOLOID},
	[C_MISSED] = {"missed", INT8ARRAYOID},
	[C_LOWEST] = {"lowest_indicator_id", INT8OID},
	[C_PLAN_REASON] = {"plan_reason", TEXTARRAYOID},
	[C_MISSING_USED] = {"missing_used", TEXTOID},
	[C_VETOED] = {"vetoed", INT8ARRAYOID},
	[C_ANONYMOUS] = {"anonymous", BOOLOID},
	[C_TEMPLATE] = {"template_id", INT8OID}
};

static HrCell
numeric_cell(Numeric number)
{
	return hr_cell_with(NumericGetDatum(number), number == NULL);
}

static HrCell
array_cell(const char *literal, Oid element)
{
	if (literal == NULL)
		return hr_cell_with((Datum) 0, true);
	if (strcmp(literal, "{}") == 0)
		return hr_cell_with(PointerGetDatum(construct_empty_array(element)), false);
	return hr_cell_with(OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(literal), ObjectIdGetDatum(element), Int32GetDatum(-1)), false);
}

/* What a review's outcome is in one of these columns. */
static HrCell
outcome(const HrReview *review, int column)
{
	switch (column)
	{
		case C_COMPOSITE:
			return numeric_cell(review->composite);
		case C_SELF:
			return numeric_cell(review->self_composite);
		case C_SCORED:
			return hr_cell_with(Int32GetDatum(review->scored), false);
		case C_COMPLETE:
			return hr_cell_with(BoolGetDatum(review->complete), false);
		case C_MISSED:
			return array_cell(review->missed, INT8OID);
		case C_LOWEST:
			return hr_cell_with(Int64GetDatum(review->lowest), review->lowest == 0);
		case C_PLAN_REASON:
			return array_cell(review->plan_reason, TEXTOID);
		case C_MISSING_USED:
			if (review->missing_used == NULL)
				return hr_cell_with((Datum) 0, true);
			return hr_cell_with(CStringGetTextDatum(review->missing_used), false);
		case C_VETOED:
			return array_cell(review->vetoed, INT8OID);
		case C_ANONYMOUS:
			return hr_cell_with(BoolGetDatum(review->anonymous), false);
		default:
			return hr_cell_with(Int64GetDatum(review->template), false);
	}
}

/* A column of all outcomes as an array.  An array of arrays is not one of rows, so arrays are handed over as text. */
static Datum
outcomes(const HrReview *review, int count, int column, Oid *type)
{
	Datum	   *value = palloc_extended(sizeof(Datum) * count, MCXT_ALLOC_HUGE);
	bool	   *null = palloc_extended(sizeof(bool) * count, MCXT_ALLOC_HUGE);
	bool		arrays = type_is_array(derived[column].type);
	Oid			element = arrays ? TEXTOID : derived[column].type;
	int			dims[1] = {count},
				bounds[1] = {1};
	int16		length;
	bool		byval;
	char		align;

	for (int i = 0; i < count; i++)
	{
		HrCell		cell = outcome(&review[i], column);

		value[i] = cell.value;
		null[i] = cell.null;
		if (arrays && !cell.null)
			value[i] = CStringGetTextDatum(OidOutputFunctionCall(F_ARRAY_OUT, cell.value));
	}
	*type = get_array_type(element);
	get_typlenbyvalalign(element, &length, &byval, &align);
	return PointerGetDatum(construct_md_array(value, null, 1, dims, bounds, element, length, byval, align));
}

/* "r.a, r.b, ..." of the columns; casts: where they come as text, what they are. */
static void
append_columns(StringInfo sql, const char *prefix, bool casts)
{
	for (int c = 0; c < COLUMNS; c++)
	{
		appendStringInfo(sql, "%s%s%s", c > 0 ? ", " : "", prefix, derived[c].name);
		if (casts && type_is_array(derived[c].type))
			appendStringInfo(sql, "::%s", format_type_be(derived[c].type));
	}
}

/* Write every outcome that differs from what is stored, with one query: where a DBA has made the table another. */
static void
write_by_sql(Oid books, const HrReview *review, int count)
{
	HrQuery		query = {.name = "write composites", .nargs = COLUMNS + 1, .argtypes = {INT8ARRAYOID}};
	HrIds		ids = {0};
	Datum		args[COLUMNS + 1];
	StringInfoData sql;

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
		hr_ids_add(&ids, review[i].id);
	args[0] = PointerGetDatum(hr_ids_array(&ids));
	for (int c = 0; c < COLUMNS; c++)
		args[c + 1] = outcomes(review, count, c, &query.argtypes[c + 1]);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "UPDATE @review r SET (");
	append_columns(&sql, "", false);
	appendStringInfoString(&sql, ") = ROW(");
	append_columns(&sql, "u.", true);
	appendStringInfoString(&sql, ") FROM unnest($1");
	for (int c = 0; c < COLUMNS; c++)
		appendStringInfo(&sql, ", $%d", c + 2);
	appendStringInfoString(&sql, ") AS u(review_id, ");
	append_columns(&sql, "", false);
	appendStringInfoString(&sql, ") WHERE r.review_id = u.review_id AND (");
	append_columns(&sql, "r.", false);
	appendStringInfoString(&sql, ") IS DISTINCT FROM (");
	append_columns(&sql, "u.", true);
	appendStringInfoChar(&sql, ')');
	query.sql = sql.data;
	hr_execute(books, &query, args, NULL, false);
}

/* The review that was found, if something differs. */
static void
write_row(HrTable *table, const AttrNumber *column, const HrReview *review)
{
	TupleDesc	desc = RelationGetDescr(table->rel);
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	bool	   *replace = palloc0(desc->natts * sizeof(bool));
	bool		any = false;

	for (int c = 0; c < COLUMNS; c++)
	{
		int			at = column[c] - 1;
		HrCell		is = outcome(review, c);

		values[at] = is.value;
		nulls[at] = is.null;
		replace[at] = !hr_same(hr_table_cell(table, column[c]), is, TupleDescAttr(desc, at));
		any |= replace[at];
	}
	if (any)
		hr_table_update(table, values, nulls, replace);
}

/*
 * Write every outcome that differs from what is stored, as one statement.  The
 * reviews are locked, so they are what this snapshot shows.
 */
void
hr_write_reviews(Oid books, const HrReview *review, int count)
{
	HrTable    *table = hr_table_open(books, "review", RowExclusiveLock);
	AttrNumber	column[COLUMNS];

	if (!hr_table_plain(table->rel))
	{
		hr_table_close(table);
		write_by_sql(books, review, count);
		return;
	}
	for (int c = 0; c < COLUMNS; c++)
		column[c] = hr_column(RelationGetDescr(table->rel), derived[c].name, derived[c].type);
	hr_table_scan(table, hr_column(RelationGetDescr(table->rel), "review_id", INT8OID));
	hr_table_begin(table, CMD_UPDATE, column, COLUMNS);
	for (int i = 0; i < count; i++)
		if (hr_table_find(table, Int64GetDatum(review[i].id)))
			write_row(table, column, &review[i]);
	hr_table_end(table);
	hr_table_close(table);
}
