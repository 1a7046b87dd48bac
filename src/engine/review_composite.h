/*
 * review_composite.h - the composite of a review, from what its rater groups gave.
 */
#ifndef HRLOOP_REVIEW_COMPOSITE_H
#define HRLOOP_REVIEW_COMPOSITE_H

#include "cache.h"

/* The rater group of the employee's own scores. */
#define HR_SELF "self"

/* A review, and what comes of its scores.  NULL pointers stand for null. */
typedef struct HrReview
{
	int64		id;
	int64		employee;
	int64		manager;		/* 0: none */
	int64		template;
	bool		segmented;
	bool		named;			/* review_rater says who rates, or who does not */
	Numeric		calibrated;		/* takes the place of the composite */
	/* outcome */
	Numeric		composite;		/* 0 to 100, to 4 decimals */
	Numeric		self_composite;
	int			scored;			/* indicators */
	bool		complete;
	const char *missing_used;
	char	   *missed;			/* bigint[] literal */
	char	   *vetoed;			/* bigint[] literal */
	bool		anonymous;		/* scores of anonymous raters are among those that count */
	int64		lowest;			/* 0: none */
	char	   *plan_reason;	/* text[] literal or NULL */
} HrReview;

/* What one rater group gave for one item. */
typedef struct HrGiven
{
	Numeric		sum;
	int64		count;
	Numeric		attained;		/* sum of the attainments */
	int64		attained_count;
} HrGiven;

/* Nothing yet, for each item and group: that of item i and group g is at i * nweights + g. */
extern HrGiven *hr_new_given(const HrTemplate *template);

/* Add scores to what was given. */
extern void hr_give(HrGiven *given, Numeric sum, int64 count, Numeric attained, int64 attained_count);

/* The outcome of one review, in the current context. */
extern void hr_compute_review(HrReview *review, const HrRules *rules, const HrTemplate *template, const HrGiven *given);

#endif
