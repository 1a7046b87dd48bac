/*
 * invalidate.h - what PostgreSQL says has changed.
 */
#ifndef HRLOOP_INVALIDATE_H
#define HRLOOP_INVALIDATE_H

/* Called for every relation that changes; InvalidOid stands for all.  May only note it. */
typedef void (*HrForget) (Oid relid);

/* Have this called until the backend ends.  Raises if there are too many. */
extern void hr_on_change(HrForget forget);

#endif
