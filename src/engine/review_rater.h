/*
 * review_rater.h - whether somebody may give the scores that they gave.
 *
 * Call these inside a scope.
 */
#ifndef HRLOOP_REVIEW_RATER_H
#define HRLOOP_REVIEW_RATER_H

#include "ids.h"
#include "review_composite.h"

/*
 * Each new row against its review: the indicator belongs to it, the rater may, or an error
 * is raised.  Adds the raters, the scores about which SQL is to be asked (others), and
 * those from facts (computed).
 */
extern void hr_check_new_rows(TriggerData *td, Oid books, HrReview *review, int count, HrIds *raters, HrIds *others, HrIds *computed);

/* Rules about scores that need SQL; asked only when they can apply. */
extern void hr_check_by_sql(Oid books, const HrIds *reviews, HrIds *raters, const HrIds *others);

#endif
