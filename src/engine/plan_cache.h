/*
 * plan_cache.h - queries and functions of the books, run by kept plans.
 *
 * All of these are called inside a scope (books.h), and leave what they found to SPI.
 */
#ifndef HRLOOP_PLAN_CACHE_H
#define HRLOOP_PLAN_CACHE_H

#include "nodes/params.h"
#include "utils/plancache.h"

/* A query of the engine: constant, static, and one plan of it in each books. */
typedef struct HrQuery
{
	const char *name;			/* unique within the engine */
	const char *sql;			/* @table stands for <books>.table */
	int			nargs;
	Oid			argtypes[16];
	Oid			function;		/* which it calls, if it is made for one; 0: the engine's own */
} HrQuery;

/* What hr_run() hands over at most. */
#define HR_MAX_ARGUMENTS 4

/* Arguments of a function of the books; the values stay the caller's. */
typedef struct HrArguments
{
	int			count;
	Oid			type[HR_MAX_ARGUMENTS];
	Datum		value[HR_MAX_ARGUMENTS];
	bool		null[HR_MAX_ARGUMENTS];
} HrArguments;

/* Called once, when the library is loaded. */
extern void hr_plan_cache_init(void);

/* Run a query to its end; the number of rows.  nulls as for SPI: NULL, or 'n' where a value is null. */
extern uint64 hr_execute(Oid books, const HrQuery *query, Datum *values,
						 const char *nulls, bool read_only);

/* The same, reading what is committed by now, whatever snapshot the transaction has. */
extern uint64 hr_execute_latest(Oid books, const HrQuery *query, Datum *values);

/* Whether the one value that a query gives is by now what the transaction sees. */
extern bool hr_is_current(Oid books, const HrQuery *query, Datum *values);

/* Raise that a transaction with one snapshot would compute from what is no longer so. */
extern void hr_not_current(void);

/* Run a function of the books, found by its name and the types of its arguments. */
extern void hr_run(Oid books, const char *function, const HrArguments *arguments);

/* How often the planner is at work, up the stack. */
extern int	hr_planning;

/* Whether an array holds so many keys that another plan is better for them. */
extern bool hr_many_keys(Datum array);

/* A plan, which is to be released; if it has to be made, with these values to estimate by, or NULL. */
extern CachedPlan *hr_plan_in_view(CachedPlanSource *source, ParamListInfo view);

/* A query's text with <books>.table for @table, in the current context. */
extern char *hr_expand(Oid books, const char *sql);

#endif
