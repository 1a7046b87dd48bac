/*
 * kept_plan.h - the kept plans of functions in SQL.
 */
#ifndef HRLOOP_KEPT_PLAN_H
#define HRLOOP_KEPT_PLAN_H

#include "growth.h"

#include "access/htup.h"
#include "catalog/namespace.h"
#include "lib/ilist.h"
#include "nodes/params.h"
#include "storage/itemptr.h"

/* Whose plans they are, and for what. */
typedef struct HrKeptKey
{
	Oid			function;
	Oid			user;
	bool		no_force;		/* row policies do not hold for the owner */
	bool		many;			/* for arrays of many keys */
} HrKeptKey;

/* A statement of a function's body. */
typedef struct HrKeptStatement
{
	CachedPlanSource *source;
	bool		stale;			/* the plan cache would make it anew */
	uint64		roles;			/* as they were */
	HrSizes		sizes;
} HrKeptStatement;

/* A function's plans, and what it returns.  Filled and freed by kept_plan.c alone. */
typedef struct HrKept
{
	HrKeptKey	key;
	dlist_node	node;			/* of all, the last used first */
	struct HrKept *next;		/* for another search_path */
	MemoryContext context;
#if PG_VERSION_NUM < 170000
	OverrideSearchPath *path;
#else
	SearchPathMatcher *path;
#endif
	TransactionId xmin;			/* of the row in pg_proc */
	ItemPointerData tid;
	Datum		body;
	char	   *name;
	bool		returns_set;
	bool		reads;			/* is not VOLATILE */
	bool		whole;			/* returns the row of the last statement, not its first column */
	Oid			type;
	int16		length;
	bool		by_value;
	TupleDesc	desc;			/* of a row, else of one column for a set */
	uint64		row_type;		/* the version of a named row type */
	int			running;		/* how often, up the stack */
	bool		linked;
	Size		bytes;
	int			count;
	HrKeptStatement *statement;
} HrKept;

/* Where in a function an error was raised. */
typedef struct HrPlace
{
	const char *function;
	int			statement;		/* 0: none yet */
} HrPlace;

/* For error_context_stack: says an HrPlace. */
extern void hr_say_place(void *arg);

/* The queries of a function's stored body. */
extern List *hr_queries_of(Datum body);

/* The plans of a function for who calls it; NULL: it is for fmgr_sql(). */
extern HrKept *hr_find_kept(HeapTuple tuple, bool many);

/* From here to hr_release_kept() they stay, whatever is dropped meanwhile. */
extern void hr_hold_kept(HrKept *kept);

/* Once for each hr_hold_kept(). */
extern void hr_release_kept(HrKept *kept);

/* A plan of a statement to run now, which is to be released; view: to estimate by, or NULL. */
extern CachedPlan *hr_plan_of(HrKept *kept, HrKeptStatement *statement, ParamListInfo view);

/* Called once, when the library is loaded. */
extern void hr_kept_plan_init(void);

#endif
