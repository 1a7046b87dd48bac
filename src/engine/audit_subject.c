/*
 * audit_subject.c - whose rows they are, where their own column does not say it.
 */
#include "hrloop.h"

#include "audit_subject.h"
#include "cells.h"
#include "table.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

/* One step from the subjects so far to the next: the row with that key, and a column of it. */
static void
follow_step(HrSubjects *subjects, int count, Oid books, const char *name, const char *key, const char *column)
{
	HrTable    *table = hr_table_open(books, name, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(table->rel);
	int			target = hr_column(desc, column, INT8OID);
	int64		found;
	int64	   *last = NULL;
	HrCell		cell = hr_cell_with((Datum) 0, true);

	hr_table_scan(table, hr_column(desc, key, INT8OID));
	for (int i = 0; i < count; i++)
	{
		if (subjects->null[i])
			continue;
		/* the rows of one parent mostly follow each other */
		if (last == NULL || *last != DatumGetInt64(subjects->id[i]))
		{
			found = DatumGetInt64(subjects->id[i]);
			last = &found;
			cell.null = !hr_table_find(table, subjects->id[i]);
			if (!cell.null)
				cell = hr_table_cell(table, target);
		}
		subjects->id[i] = cell.value;
		subjects->null[i] = cell.null;
	}
	hr_table_close(table);
}

/* Whose rows these are, where their own column does not say it. */
void
hr_find_subjects(HrSubjects *subjects, int count, Oid books, const char *key, const char *via)
{
	char	   *steps = pstrdup(via);
	char	   *save;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	/* "review.employee_id", "plan_item.plan_id/development_plan.employee_id" */
	for (char *step = strtok_r(steps, "/", &save); step; step = strtok_r(NULL, "/", &save))
	{
		char	   *column = step;
		const char *table = strsep(&column, ".");

		if (column == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("hrloop.audit() does not know the way \"%s\"", via),
					 errhint("Give via=table.column, or more of them with / between.")));
		follow_step(subjects, count, books, table, key, column);
		key = column;
	}
	PopActiveSnapshot();
}
