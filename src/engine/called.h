/*
 * called.h - whether a function was called as it was made for.
 */
#ifndef HRLOOP_CALLED_H
#define HRLOOP_CALLED_H

/*
 * Every trigger function starts here: anybody may call a C function directly,
 * or put it on a table of their own in a way it was not made for.  Raises if it
 * fires at another time, or for rows where it should for statements.
 */
extern TriggerData *hr_trigger(FunctionCallInfo fcinfo, TriggerEvent timing,
							   TriggerEvent level);

/* The type of an argument "any".  Raises if whoever calls does not tell. */
extern Oid	hr_argument_type(FunctionCallInfo fcinfo, int argument);

#endif
