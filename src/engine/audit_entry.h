/*
 * audit_entry.h - entries of the log, gathered, chained and written.
 *
 *	audit = hr_audit_new(...);
 *	PG_TRY: fill rows, count++, hr_audit_flush() when there are HR_AUDIT_SLICE; hr_audit_finish()
 *	PG_FINALLY: hr_audit_free()
 *	hr_audit_leave()
 */
#ifndef HRLOOP_AUDIT_ENTRY_H
#define HRLOOP_AUDIT_ENTRY_H

#include "audit_lane.h"
#include "audit_subject.h"
#include "books_scope.h"
#include "common/cryptohash.h"

/* Entries of one statement.  What the rows point to is in memory of the slice. */
typedef struct HrAudit
{
	Oid			books;
	Oid			owner;
	const char *table;
	const char *action;
	const char *subject_key;	/* the column that leads to the person */
	const char *via;			/* through which tables; NULL: it is the person */
	MemoryContext slice;		/* what becomes of HR_AUDIT_SLICE rows */
	HrScope		scope;			/* entered when the lane is taken */
	HrLane		lane;
	pg_cryptohash_ctx *sha;
	int			count;			/* of the rows that follow */
	Datum		key[HR_AUDIT_SLICE],
				before[HR_AUDIT_SLICE],
				after[HR_AUDIT_SLICE],
				reasons[HR_AUDIT_SLICE];
	bool		no_key[HR_AUDIT_SLICE],
				no_before[HR_AUDIT_SLICE],
				no_after[HR_AUDIT_SLICE],
				no_reason[HR_AUDIT_SLICE];
	HrSubjects	subject;
} HrAudit;

/* No entries yet, about a table by its name. */
extern HrAudit *hr_audit_new(Oid books, Oid owner, const char *table, const char *action);

/* Write the entries that were gathered, and forget them. */
extern void hr_audit_flush(HrAudit *audit);

/* Write the last ones, and how far the lane has come. */
extern void hr_audit_finish(HrAudit *audit);

/* Give back what an error would not, and that the engine writes the log. */
extern void hr_audit_free(HrAudit *audit);

/* Leave the scope, if one was entered. */
extern void hr_audit_leave(HrAudit *audit);

/* Whether it is the engine itself that writes the log just now. */
extern bool hr_audit_writing(void);

#endif
