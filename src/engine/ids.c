/*
 * ids.c - keys: gathered, put in order, handed over as bigint[].
 */
#include "hrloop.h"

#include "ids.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

void
hr_ids_add(HrIds *ids, int64 id)
{
	/* the rows of one parent mostly follow each other */
	if (ids->count > 0 && ids->id[ids->count - 1] == id)
		return;
	if (ids->room == 0)
	{
		ids->room = 64;
		ids->id = palloc(ids->room * sizeof(int64));
	}
	else if (ids->count == ids->room)
	{
		ids->room *= 2;
		ids->id = repalloc_huge(ids->id, (Size) ids->room * sizeof(int64));
	}
	ids->id[ids->count++] = id;
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Sort and remove repeats: rows are always locked in key order. */
void
hr_ids_settle(HrIds *ids)
{
	int			kept = 0;

	if (ids->count < 2)
		return;
	qsort(ids->id, ids->count, sizeof(int64), compare_ids);
	for (int i = 1; i < ids->count; i++)
		if (ids->id[i] != ids->id[kept])
			ids->id[++kept] = ids->id[i];
	ids->count = kept + 1;
}

ArrayType *
hr_ids_array(const HrIds *ids)
{
	Datum	   *datums = palloc_extended(Max(ids->count, 1) * sizeof(Datum),
										 MCXT_ALLOC_HUGE);

	for (int i = 0; i < ids->count; i++)
		datums[i] = Int64GetDatum(ids->id[i]);
	return construct_array(datums, ids->count, INT8OID, 8, FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}

/* The values of one bigint column of a transition table. */
void
hr_collect(Tuplestorestate *rows, TupleDesc desc, int column, HrIds *ids)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	bool		null;

	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		Datum		key = slot_getattr(slot, column, &null);

		if (!null)
			hr_ids_add(ids, DatumGetInt64(key));
	}
	ExecDropSingleTupleTableSlot(slot);
}
