/*
 * cells.h - columns by their names, and what stands in them.
 */
#ifndef HRLOOP_CELLS_H
#define HRLOOP_CELLS_H

/* Number of a column that must exist with this type (InvalidOid: any).  Raises if it does not. */
extern int	hr_column(TupleDesc desc, const char *name, Oid type);

#endif
