/*
 * cells.h - columns by their names, and what stands in them.
 *
 * A cell is a value that may be null, wherever it was found; what kind it is says who
 * reads it, and null is none: 0, false or NULL.  Books are what their owner makes of
 * them, and anybody may own some: so a cell is read as what it is, or not at all.
 */
#ifndef HRLOOP_CELLS_H
#define HRLOOP_CELLS_H

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/datum.h"

/* A value of any type.  It points into the row where it was found. */
typedef struct HrCell
{
	Datum		value;
	bool		null;
	Oid			type;
} HrCell;

/* Number of a column that must exist with this type (InvalidOid: any).  Raises if it does not. */
extern int	hr_column(TupleDesc desc, const char *name, Oid type);

/* Raise that a cell is of another type than who reads it expects, or null where that cannot be. */
pg_attribute_noreturn() extern void hr_cell_unexpected(HrCell cell, Oid type);

/* One that is made here, to be written. */
static inline HrCell
hr_cell_with(Datum value, bool null)
{
	HrCell		cell = {value, null, InvalidOid};

	return cell;
}

/* Of a row in a slot. */
static inline HrCell
hr_cell(TupleTableSlot *slot, AttrNumber column)
{
	HrCell		cell;

	cell.value = slot_getattr(slot, column, &cell.null);
	cell.type = TupleDescAttr(slot->tts_tupleDescriptor, column - 1)->atttypid;
	return cell;
}

/* Of a row by itself, as triggers before a row have it. */
static inline HrCell
hr_cell_of(HeapTuple row, TupleDesc desc, int column)
{
	HrCell		cell;

	cell.value = SPI_getbinval(row, desc, column, &cell.null);
	cell.type = SPI_gettypeid(desc, column);
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

/* Raise if a cell is of another type. */
static inline void
hr_cell_expect(HrCell cell, Oid type)
{
	if (cell.type != type && !cell.null)
		hr_cell_unexpected(cell, type);
}

/* A bigint; 0: null. */
static inline int64
hr_bigint(HrCell cell)
{
	hr_cell_expect(cell, INT8OID);
	return cell.null ? 0 : DatumGetInt64(cell.value);
}

/* A boolean; false: null. */
static inline bool
hr_bool(HrCell cell)
{
	hr_cell_expect(cell, BOOLOID);
	return !cell.null && DatumGetBool(cell.value);
}

/* A numeric, where it stands; NULL: null. */
static inline Numeric
hr_numeric(HrCell cell)
{
	hr_cell_expect(cell, NUMERICOID);
	return cell.null ? NULL : DatumGetNumeric(cell.value);
}

/* The same in the current context, to outlive the row. */
static inline Numeric
hr_numeric_copy(HrCell cell)
{
	hr_cell_expect(cell, NUMERICOID);
	return cell.null ? NULL : DatumGetNumericCopy(cell.value);
}

/* A text, in the current context; NULL: null. */
static inline char *
hr_text(HrCell cell)
{
	hr_cell_expect(cell, TEXTOID);
	return cell.null ? NULL : TextDatumGetCString(cell.value);
}

/* One that cannot be null. */
static inline char *
hr_text_there(HrCell cell)
{
	if (cell.null)
		hr_cell_unexpected(cell, TEXTOID);
	return hr_text(cell);
}

/* A numeric that cannot be null, in the current context. */
static inline Numeric
hr_numeric_there(HrCell cell)
{
	if (cell.null)
		hr_cell_unexpected(cell, NUMERICOID);
	return hr_numeric_copy(cell);
}

#endif
