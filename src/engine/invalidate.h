/*
 * invalidate.h - what PostgreSQL says has changed.
 */
#ifndef HRLOOP_INVALIDATE_H
#define HRLOOP_INVALIDATE_H

#include "utils/inval.h"

/* Called for every relation that changes; InvalidOid stands for all.  May only note it. */
typedef void (*HrForget) (Oid relid);

/* Have this called until the backend ends.  Raises if there are too many. */
extern void hr_on_change(HrForget forget);

/* The same for the rows of a catalogue, by hash value; 0 stands for all.  Each catalogue is asked for once. */
extern void hr_on_catalogue(int cache, SyscacheCallbackFunction forget);

#endif
