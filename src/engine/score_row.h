/*
 * score_row.h - the columns of a score, and how messages name it.
 */
#ifndef HRLOOP_SCORE_ROW_H
#define HRLOOP_SCORE_ROW_H

/* Column numbers of the table of scores. */
typedef struct HrScoreColumns
{
	int			key,
				review,
				indicator,
				group,
				rater,
				raw,
				scale_max,
				facts,
				attainment,
				value,
				rationale;
} HrScoreColumns;

/* A score that is looked at, and where. */
typedef struct HrScoreRow
{
	Oid			books;
	Oid			owner;
	TupleDesc	desc;
	HeapTuple	tuple;
	const HrScoreColumns *column;
	int64		review;
	int64		indicator;
} HrScoreRow;

/* The columns, in memory of this context.  Raises if one is not as it should be. */
extern HrScoreColumns *hr_score_columns(TupleDesc desc, MemoryContext context);

/* "indicator 产量 in the review of employee E001, cycle 2023Q1", for messages; indicator 0: none. */
extern char *hr_describe(Oid books, Oid owner, int64 review, int64 indicator);

/* The same of a score. */
extern char *hr_describe_row(const HrScoreRow *row);

/* Raise that the template of the review does not have this indicator. */
extern void hr_no_such_item(const HrScoreRow *row);

#endif
