/*
 * cells.h - columns by their names, and what stands in them.
 *
 * A cell is a value that may be null, wherever it was found; what kind it is says who
 * reads it, and null is none: 0, false or NULL.
 */
#ifndef HRLOOP_CELLS_H
#define HRLOOP_CELLS_H

#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/datum.h"

/* A value of any type.  It points into the row where it was found. */
typedef struct HrCell
{
	Datum		value;
	bool		null;
} HrCell;

/* Number of a column that must exist with this type (InvalidOid: any).  Raises if it does not. */
extern int	hr_column(TupleDesc desc, const char *name, Oid type);

/* One that is made here. */
static inline HrCell
hr_cell_with(Datum value, bool null)
{
	HrCell		cell = {value, null};

	return cell;
}

/* Of a row in a slot. */
static inline HrCell
hr_cell(TupleTableSlot *slot, AttrNumber column)
{
	HrCell		cell;

	cell.value = slot_getattr(slot, column, &cell.null);
	return cell;
}

/* Of a row by itself, as triggers before a row have it. */
static inline HrCell
hr_cell_of(HeapTuple row, TupleDesc desc, int column)
{
	HrCell		cell;

	cell.value = SPI_getbinval(row, desc, column, &cell.null);
	return cell;
}

/* Of a row among those that a query gave. */
static inline HrCell
hr_cell_in(const SPITupleTable *rows, uint64 row, int column)
{
	return hr_cell_of(rows->vals[row], rows->tupdesc, column);
}

/* Of a row among those that the latest query gave. */
static inline HrCell
hr_cell_found(uint64 row, int column)
{
	return hr_cell_in(SPI_tuptable, row, column);
}

/* Whether two cells of one column hold the same. */
static inline bool
hr_same(HrCell a, HrCell b, Form_pg_attribute column)
{
	return a.null == b.null &&
		(a.null || datum_image_eq(a.value, b.value, column->attbyval, column->attlen));
}

/* A bigint; 0: null. */
static inline int64
hr_bigint(HrCell cell)
{
	return cell.null ? 0 : DatumGetInt64(cell.value);
}

/* A boolean; false: null. */
static inline bool
hr_bool(HrCell cell)
{
	return !cell.null && DatumGetBool(cell.value);
}

/* A numeric, where it stands; NULL: null. */
static inline Numeric
hr_numeric(HrCell cell)
{
	return cell.null ? NULL : DatumGetNumeric(cell.value);
}

/* The same in the current context, to outlive the row. */
static inline Numeric
hr_numeric_copy(HrCell cell)
{
	return cell.null ? NULL : DatumGetNumericCopy(cell.value);
}

/* A text, in the current context; NULL: null. */
static inline char *
hr_text(HrCell cell)
{
	return cell.null ? NULL : TextDatumGetCString(cell.value);
}

#endif
