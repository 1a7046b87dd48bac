/*
 * kept_run.h - a function in SQL, run by its kept plans.
 */
#ifndef HRLOOP_KEPT_RUN_H
#define HRLOOP_KEPT_RUN_H

/* What is known of a function that is run so. */
typedef struct HrKnown
{
	Oid			function;		/* hash key */
	uint32		hash;			/* as invalidations name it */
	bool		valid;
	bool		runs;			/* by kept plans, if it is called at all */
	bool		hooked;			/* it is never put in place of its call */
	uint64		arrays;			/* which arguments are arrays ... */
	uint64		by_pointer;		/* ... or may be expanded in memory */
} HrKnown;

/*
 * Do what fmgr_sql() does; false: it is for that.  The rights and the settings are
 * by now those that the call has.
 */
extern bool hr_run_kept(FunctionCallInfo fcinfo, const HrKnown *known, Datum *result);

#endif
