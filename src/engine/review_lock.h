/*
 * review_lock.h - reviews, and the rules by which they are judged, held until the transaction ends.
 */
#ifndef HRLOOP_REVIEW_LOCK_H
#define HRLOOP_REVIEW_LOCK_H

#include "ids.h"
#include "review_composite.h"

/*
 * Lock the reviews in key order; how many there are still.  One that is not open is refused,
 * or left out if it is only to be computed anew.  Call it inside a scope.
 */
extern int	hr_lock_reviews(Oid books, Oid owner, const HrIds *ids, bool leave_out, HrReview **out);

/* One of these, in key order; NULL: it is not among them. */
extern HrReview *hr_find_review(HrReview *review, int count, int64 id);

/* The rules by which open reviews are judged: shared, or alone to change them. */
extern void hr_hold_rules(Oid book_table, bool change);

#endif
