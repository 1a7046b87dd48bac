/*
 * called.c - whether a function was called as it was made for.
 */
#include "hrloop.h"

#include "called.h"

/*
 * Every trigger function starts here: anybody may call a C function directly,
 * or put it on a table of their own in a way it was not made for.
 */
TriggerData *
hr_trigger(FunctionCallInfo fcinfo, TriggerEvent timing, TriggerEvent level)
{
	TriggerData *td = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("hrloop trigger function called without a trigger"),
				 errhint("These functions are put on tables by hrloop.install().")));
	if ((td->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing ||
		(td->tg_event & TRIGGER_EVENT_ROW) != level)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on \"%s\" fires at a time it was not made for",
						td->tg_trigger->tgname,
						RelationGetRelationName(td->tg_relation))));
	return td;
}

Oid
hr_argument_type(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of argument %d", argument + 1)));
	return type;
}
