/*
 * trigger.h - from keys to the functions of the books that follow from them.
 */
#ifndef HRLOOP_TRIGGER_H
#define HRLOOP_TRIGGER_H

#include "ids.h"

/* So many keys, or rows, are handed over at a time. */
#define HR_SLICE 500

/*
 * Call a function of the books with an array, which is freed, and raise the first problem
 * that it returns.  Call it inside a scope.
 */
extern void hr_call_with(Oid books, const char *function, Oid type, Datum array);

/* The same with keys, a slice at a time. */
extern void hr_call(Oid books, const char *function, const HrIds *ids);

#endif
