/*
 * ids.h - keys of rows: gathered, put in order, handed over.
 */
#ifndef HRLOOP_IDS_H
#define HRLOOP_IDS_H

#include "utils/array.h"
#include "utils/tuplestore.h"

/* Keys, in memory of the context of the first that was added; {0} is an empty list. */
typedef struct HrIds
{
	int64	   *id;
	int			count;
	int			room;			/* for so many there is memory; 0: id is somebody else's */
} HrIds;

/* One key more; one that repeats the last is left out. */
extern void hr_ids_add(HrIds *ids, int64 id);

/* Sort and remove repeats: rows are always locked in key order. */
extern void hr_ids_settle(HrIds *ids);

/* As a bigint[], in the current context. */
extern ArrayType *hr_ids_array(const HrIds *ids);

/* Add the values of one bigint column of a transition table, without nulls. */
extern void hr_collect(Tuplestorestate *rows, TupleDesc desc, int column, HrIds *ids);

#endif
