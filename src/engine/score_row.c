/*
 * score_row.c - the columns of a score, and how messages name it.
 */
#include "hrloop.h"

#include "books_scope.h"
#include "cells.h"
#include "plan_cache.h"
#include "score_row.h"

#include "catalog/pg_type.h"

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
	char	   *said;

	hr_scope_enter(&scope, owner);
	if (hr_execute(books, &query, args, NULL, true) == 1)
		said = MemoryContextStrdup(caller, hr_text(hr_cell_found(0, 1)));
	else
		said = MemoryContextStrdup(caller, psprintf("review " INT64_FORMAT, review));
	hr_scope_leave(&scope);
	return said;
}

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
