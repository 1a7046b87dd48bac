/*
 * review_write.h - composites written where they differ from what is stored.
 */
#ifndef HRLOOP_REVIEW_WRITE_H
#define HRLOOP_REVIEW_WRITE_H

#include "review_composite.h"

/* Write the outcomes of reviews that are locked, as one statement. */
extern void hr_write_reviews(Oid books, const HrReview *review, int count);

#endif
