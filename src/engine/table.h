/*
 * table.h - rows of the books found by key, and written without a query.
 */
#ifndef HRLOOP_TABLE_H
#define HRLOOP_TABLE_H

#include "cells.h"

#include "nodes/execnodes.h"
#include "nodes/lockoptions.h"

/* A table that is open.  Its slots are its own: a value that is to outlive the next row is copied. */
typedef struct HrTable
{
	Relation	rel;
	Relation	index;
	struct IndexScanDescData *scan;
	Oid			type;			/* of the column that is looked up */
	TupleTableSlot *row;		/* the row that was found */
	CmdType		command;
	EState	   *estate;
	ResultRelInfo *result;
	TransitionCaptureState *capture;
	TupleTableSlot *fresh;		/* the row that is written */
} HrTable;

/* Called once, when the library is loaded. */
extern void hr_table_init(void);

/* A table of the books by its name.  Raises if it is gone. */
extern HrTable *hr_table_open(Oid books, const char *name, LOCKMODE mode);

/* Whether rows of this table can be found and written here; else SQL has to. */
extern bool hr_table_plain(Relation rel);

/* Begin to read rows by a column, as the active snapshot shows them.  Raises if no index begins with it. */
extern void hr_table_scan(HrTable *table, AttrNumber column);

/* Those with this value come next. */
extern void hr_table_seek(HrTable *table, Datum value);

/* The next of them is table->row; false: there is none. */
extern bool hr_table_next(HrTable *table);

/* Both: the first row with this value. */
extern bool hr_table_find(HrTable *table, Datum value);

/* What stands in a column of the row that was found. */
static inline HrCell
hr_table_cell(HrTable *table, AttrNumber column)
{
	return hr_cell(table->row, column);
}

/* Lock the row that was found, as SELECT ... FOR does.  False: it is gone. */
extern bool hr_table_lock(HrTable *table, LockTupleMode mode);

/* The sequence of an identity column. */
extern Oid	hr_table_sequence(HrTable *table, AttrNumber column);

/* Begin a statement, CMD_INSERT or CMD_UPDATE, that writes these columns. */
extern void hr_table_begin(HrTable *table, CmdType command, const AttrNumber *columns, int count);

/* Write the row that was found, with other values where replace says so; arrays by column. */
extern void hr_table_update(HrTable *table, const Datum *values, const bool *nulls, const bool *replace);

/* Write a new row of these values, all columns in order. */
extern void hr_table_insert(HrTable *table, Datum *values, bool *nulls);

/* The statement ends, and its triggers fire. */
extern void hr_table_end(HrTable *table);

/* Close it; locks stay until the transaction ends. */
extern void hr_table_close(HrTable *table);

#endif
