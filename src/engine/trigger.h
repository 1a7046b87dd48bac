/*
 * trigger.h - from keys to the functions of the books that follow from them.
 */
#ifndef HRLOOP_TRIGGER_H
#define HRLOOP_TRIGGER_H

#include "ids.h"

/*
 * Call a function of the books with keys, a slice at a time, and raise the first problem
 * that it returns.  Call it inside a scope.
 */
extern void hr_call(Oid books, const char *function, const HrIds *ids);

#endif
