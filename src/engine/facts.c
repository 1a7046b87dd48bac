/*
 * facts.c - what facts are worth as a score, by the rules of their review.
 */
#include "hrloop.h"

#include "books_scope.h"
#include "cells.h"
#include "facts.h"
#include "plan_cache.h"

#include "access/xact.h"
#include "catalog/pg_type.h"

/*
 * A score computed from facts: the indicator's pinned formula over the facts
 * given and the targets, of this employee or of everybody: whoever gives facts
 * gives no others.
 */
#define VALUE_OF_FACTS(review, indicator, given, rater) \
	"SELECT CASE WHEN w.kind <> 'qualitative' THEN w.result END AS attainment, w.formula, w.facts," \
	"       CASE WHEN w.result IS NOT NULL THEN pg_catalog.round(LEAST(GREATEST(w.result, w.floor_pct), w.cap_pct), 4) END AS value" \
	"  FROM (SELECT pg_catalog.round(hrloop.attainment(i.formula, f.facts, i.direction, i.cap_pct), 4) AS result," \
	"               i.kind, i.floor_pct, i.cap_pct, i.formula, f.facts" \
	"          FROM @review r" \
	"          JOIN @template_item i ON i.indicator_id = " indicator " AND i.template_id = CASE WHEN r.segmented THEN" \
	"               (SELECT s.template_id FROM @review_segment s" \
	"                  JOIN @template_item n ON n.template_id = s.template_id AND n.indicator_id = " indicator \
	"                 WHERE s.review_id = r.review_id ORDER BY s.manager_id IS NOT DISTINCT FROM " rater " DESC, s.segment_no LIMIT 1)" \
	"               ELSE r.template_id END" \
	"          LEFT JOIN @target t ON t.cycle_id = r.cycle_id AND t.employee_id = r.employee_id" \
	"                             AND t.indicator_id = i.indicator_id" \
	"         CROSS JOIN LATERAL (SELECT " given " || i.facts || COALESCE(t.facts, '{}') AS facts) f" \
	"         WHERE r.review_id = " review ") w"

/* A fact that raters do not give, or that is no figure; NULL: none. */
static const char *
refused_fact(const HrScoreRow *row, Datum facts, bool *unknown)
{
	static const HrQuery query = {"facts given",
		"SELECT g.key, g.role IS DISTINCT FROM 'actual'"
		"  FROM (SELECT k.key, k.value, (SELECT f.role FROM @indicator_fact f WHERE f.indicator_id = $1 AND f.fact = k.key) AS role"
		"          FROM pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof($2) WHEN 'object' THEN $2 ELSE '{}' END) k) g"
		" WHERE g.role IS DISTINCT FROM 'actual'"
		"    OR pg_catalog.jsonb_typeof(g.value) = 'number' AND NOT hrloop.figure((g.value #>> '{}')::numeric)"
	" ORDER BY g.key LIMIT 1", 2, {INT8OID, JSONBOID}};
	Datum		args[2] = {Int64GetDatum(row->indicator), facts};

	if (hr_execute(row->books, &query, args, NULL, true) == 0)
		return NULL;
	*unknown = hr_bool(hr_cell_found(0, 2));
	return hr_text(hr_cell_found(0, 1));
}

static void
check_facts(const HrScoreRow *row, Datum facts)
{
	bool		unknown;
	const char *fact = refused_fact(row, facts, &unknown);
	char	   *where;

	if (fact == NULL)
		return;
	where = hr_describe_row(row);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 unknown ? errmsg("\"%s\" is not a fact that raters give: %s", fact, where)
			 : errmsg("fact \"%s\" has too many digits: %s", fact, where),
			 unknown ? errhint("Table indicator_fact lists the actuals of each indicator; targets are set before the cycle opens.")
			 : errhint("At most 15 digits stand before the point and 10 behind it."),
			 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "facts"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_fact_given")));
}

/* Sets both results, or fails. */
void
hr_value_of_facts(const HrScoreRow *row, Datum facts, Numeric *attainment, Numeric *value)
{
	static const HrQuery query = {"attainment",
		"SELECT a.attainment, a.value, a.formula::text, a.facts::text FROM (" VALUE_OF_FACTS("$1", "$2", "$3", "$4") ") a",
	4, {INT8OID, INT8OID, JSONBOID, INT8OID}};
	Datum		args[4] = {Int64GetDatum(row->review), Int64GetDatum(row->indicator), facts,
	hr_cell_of(row->tuple, row->desc, row->column->rater).value};	/* none is refused after this */
	HrScope		scope;
	HrCell		found[2];

	hr_scope_enter(&scope, row->owner);
	check_facts(row, facts);
	if (hr_execute(row->books, &query, args, NULL, false) != 1)
		hr_no_such_item(row);
	found[0] = hr_cell_found(0, 1);
	found[1] = hr_cell_found(0, 2);
	if (found[1].null)
	{
		char	   *formula = hr_text(hr_cell_found(0, 3));
		char	   *over = hr_text(hr_cell_found(0, 4));
		char	   *where = hr_describe_row(row);

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the facts give no attainment: %s", where),
				 errdetail("Formula %s over %s; a fact is missing or a divisor is zero.",
						   formula, over),
				 errhint("Give the missing fact, or a score."),
				 err_generic_string(PG_DIAG_TABLE_NAME, "score"),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "facts"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "score_facts")));
	}
	*attainment = found[0].null ? NULL
		: DatumGetNumeric(SPI_datumTransfer(NumericGetDatum(hr_numeric(found[0])), false, -1));
	*value = DatumGetNumeric(SPI_datumTransfer(NumericGetDatum(hr_numeric(found[1])), false, -1));
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
		hr_ids_add(&found, hr_bigint(hr_cell_found(row, 1)));
	arg = PointerGetDatum(hr_ids_array(&found));
	hr_execute(books, &again, &arg, NULL, false);
}
