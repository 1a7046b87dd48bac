/*
 * called.h - whether a trigger function was called as the trigger that it is.
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

#endif
