/*
 * cells.c - columns by their names, and what stands in them.
 */
#include "hrloop.h"

#include "cells.h"

#include "utils/builtins.h"

void
hr_cell_unexpected(HrCell cell, Oid type)
{
	ereport(ERROR,
			(errcode(cell.null ? ERRCODE_NULL_VALUE_NOT_ALLOWED : ERRCODE_DATATYPE_MISMATCH),
			 cell.null ? errmsg("a value of type %s is missing in the books", format_type_be(type))
			 : errmsg("the books hold a value of type %s in place of %s", format_type_be(cell.type), format_type_be(type)),
			 errdetail("A table of the books, or what it refers to, is not as hrloop.install() made it."),
			 errhint("Compare its columns with those of freshly installed books.")));
}

/* Number of a column that must exist with this type. */
int
hr_column(TupleDesc desc, const char *name, Oid type)
{
	int			attno = 1;

	/* asked for every statement: most names are told apart by how they begin */
	for (; attno <= desc->natts; attno++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, attno - 1);

		if (NameStr(att->attname)[0] == name[0] && !att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			break;
	}
	if (attno > desc->natts)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("hrloop trigger: column \"%s\" does not exist", name)));
	if (OidIsValid(type) && TupleDescAttr(desc, attno - 1)->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("hrloop trigger: column \"%s\" is not of type %s",
						name, format_type_be(type))));
	return attno;
}
