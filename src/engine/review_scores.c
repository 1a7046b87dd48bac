/*
 * review_scores.c - from the scores of reviews to their composites.
 *
 * Scores are read as they are committed by the time that the reviews are locked, so that
 * a rater who came first is seen; composites are computed and written for a slice of
 * reviews at a time.
 */
#include "hrloop.h"

#include "cells.h"
#include "ids.h"
#include "plan_cache.h"
#include "review_composite.h"
#include "review_scores.h"
#include "review_write.h"
#include "score_row.h"
#include "table.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define SLICE 5000				/* reviews computed at a time */

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

/* Add one row of sums to what was given for the items that it concerns. */
static void
add_sums(const HrTemplate *template, HrGiven *given, SPITupleTable *sums, uint64 row)
{
	int64		indicator = hr_bigint(hr_cell_in(sums, row, 2));
	const HrWeight *group = hr_template_weight(template, hr_text_there(hr_cell_in(sums, row, 3)));
	int64		rater = hr_bigint(hr_cell_in(sums, row, 8));

	if (group == NULL)
		return;
	for (int i = 0; i < template->nitems; i++)
		if (template->items[i].indicator == indicator && concerns(template, &template->items[i], rater))
			hr_give(&given[i * template->nweights + (group - template->weights)],
					hr_numeric_there(hr_cell_in(sums, row, 4)), hr_bigint(hr_cell_in(sums, row, 5)),
					hr_numeric(hr_cell_in(sums, row, 6)), hr_bigint(hr_cell_in(sums, row, 7)));
}

/*
 * The items of a review in segments: each segment's, weighted by the days and
 * the FTE it stands for.  The rest is as in the review's own template.
 */
static HrTemplate *
template_of_segments(Oid books, const HrReview *review)
{
	static const HrQuery query = {"items of segments",
		"SELECT i.indicator_id, s.manager_id, s.load * i.effective_weight, i.pass_pct, i.veto_at, i.veto_cap"
		"  FROM @review_segment s JOIN @template_item i ON i.template_id = s.template_id"
	" WHERE s.review_id = $1 AND i.effective_weight IS NOT NULL ORDER BY s.segment_no, i.position, i.indicator_id", 1, {INT8OID}};
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

		item->indicator = hr_bigint(hr_cell_in(rows, i, 1));
		item->superior = hr_bigint(hr_cell_in(rows, i, 2));
		item->weight = hr_numeric_there(hr_cell_in(rows, i, 3));
		item->pass = hr_numeric_copy(hr_cell_in(rows, i, 4));
		item->veto_at = hr_numeric_copy(hr_cell_in(rows, i, 5));
		item->veto_cap = hr_numeric_copy(hr_cell_in(rows, i, 6));
	}
	SPI_freetuptable(rows);
	return template;
}

const HrTemplate *
hr_review_template(Oid books, const HrReview *review)
{
	return review->segmented ? template_of_segments(books, review)
		: hr_template(books, review->template);
}

/*
 * Reviews with segments, where it matters which superior gave a score; all of
 * them where the table of scores is one that only SQL can read.
 */
static void
compute_by_sql(Oid books, HrReview *review, int count, const HrRules *rules, bool all)
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
		HrGiven    *given;

		if (!all && !review[i].segmented)
			continue;
		template = hr_review_template(books, &review[i]);
		given = hr_new_given(template);
		for (; next < rows && hr_bigint(hr_cell_in(sums, next, 1)) == review[i].id; next++)
			add_sums(template, given, sums, next);
		hr_compute_review(&review[i], rules, template, given);
	}
	SPI_freetuptable(sums);
}

/* Add the score that was found to what was given for its item; an indicator is in a template once. */
static void
add_score(const HrTemplate *template, HrGiven *given, HrTable *scores, const HrScoreColumns *column)
{
	int64		indicator = hr_bigint(hr_table_cell(scores, column->indicator));
	HrCell		cell = hr_table_cell(scores, column->group);
	char		code[NAMEDATALEN];
	const HrWeight *group;
	Numeric		attainment;
	int			item = 0;

	if (cell.null)
		hr_cell_unexpected(cell, TEXTOID);
	text_to_cstring_buffer(DatumGetTextPP(cell.value), code, sizeof(code));
	group = hr_template_weight(template, code);
	while (item < template->nitems && template->items[item].indicator != indicator)
		item++;
	if (group == NULL || item == template->nitems)
		return;
	attainment = hr_numeric_copy(hr_table_cell(scores, column->attainment));
	hr_give(&given[item * template->nweights + (group - template->weights)],
			hr_numeric_there(hr_table_cell(scores, column->value)), 1, attainment, attainment != NULL);
}

/* The others: all their scores lie side by side in the index. */
static void
compute_by_index(Oid books, HrReview *review, int count, const HrRules *rules)
{
	HrTable    *scores = hr_table_open(books, "score", AccessShareLock);
	HrScoreColumns *column = hr_score_columns(RelationGetDescr(scores->rel), CurrentMemoryContext);

	hr_table_scan(scores, column->review);
	for (int i = 0; i < count; i++)
	{
		const HrTemplate *template;
		HrGiven    *given;

		if (review[i].segmented)
			continue;
		template = hr_template(books, review[i].template);
		given = hr_new_given(template);
		hr_table_seek(scores, Int64GetDatum(review[i].id));
		while (hr_table_next(scores))
			add_score(template, given, scores, column);
		hr_compute_review(&review[i], rules, template, given);
	}
	hr_table_close(scores);
}

/* Compute some reviews, in key order, from their scores as they are now. */
static void
compute_slice(Oid books, HrReview *review, int count)
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
	hr_write_reviews(books, review, count);
	PopActiveSnapshot();
}

/* Compute all reviews, with memory for a slice of them. */
void
hr_compute_reviews(Oid books, HrReview *review, int count)
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
