/*
 * review_scores.h - from the scores of reviews to their composites.
 *
 * Call these inside a scope, for reviews in key order that are locked.
 */
#ifndef HRLOOP_REVIEW_SCORES_H
#define HRLOOP_REVIEW_SCORES_H

#include "review_composite.h"

/* The items of a review: its template's, or those of its segments, each weighted by what it stands for. */
extern const HrTemplate *hr_review_template(Oid books, const HrReview *review);

/* Compute all of these reviews from their scores as they are now, and write what differs. */
extern void hr_compute_reviews(Oid books, HrReview *review, int count);

#endif
