/*
 * kept.h - functions in SQL are run by kept plans.
 */
#ifndef HRLOOP_KEPT_H
#define HRLOOP_KEPT_H

/* The setting hrloop.keep_plans. */
extern bool hr_keep_plans;

/* Called once, when the library is loaded. */
extern void hr_kept_init(void);

#endif
