/*
 * growth.h - whether a kept plan was made for tables that have grown since.
 */
#ifndef HRLOOP_GROWTH_H
#define HRLOOP_GROWTH_H

#include "storage/block.h"
#include "utils/plancache.h"

/* A table, as large as the planner saw it. */
typedef struct HrSize
{
	Oid			relid;
	BlockNumber pages;
} HrSize;

/* How large the tables of a plan were.  Zero but for the context, which keeps them: none noted. */
typedef struct HrSizes
{
	MemoryContext context;
	int			generation;		/* of the plan; 0: none */
	int			uses;
	int			count;
	int			room;
	HrSize	   *table;
} HrSizes;

/* For a plan source that is not the one whose sizes were noted. */
extern void hr_sizes_forget(HrSizes *sizes);

/*
 * Whether the plan that a source has is to be made anew; then it is marked so.  A
 * plan for many keys is looked at whenever it is used.
 */
extern bool hr_outgrown(HrSizes *sizes, CachedPlanSource *source, bool many);

#endif
