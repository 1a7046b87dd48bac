/*
 * audit_row.h - rows of any table as JSON, the same whoever writes it.
 *
 * What comes back is in the current context.
 */
#ifndef HRLOOP_AUDIT_ROW_H
#define HRLOOP_AUDIT_ROW_H

#include "common/cryptohash.h"
#include "lib/stringinfo.h"

/* A column, and what it takes to write it. */
typedef struct HrAuditColumn
{
	const char *key;			/* its name; NULL: not asked for yet */
	FmgrInfo	output;
	Oid			type;
	bool		left_out;		/* derived: never in an entry */
	bool		in_key;
	bool		in_digest;
} HrAuditColumn;

/* A table whose rows are written; what is found out of its columns is kept in the context. */
typedef struct HrAuditTable
{
	TupleDesc	desc;
	HrAuditColumn *column;
	MemoryContext context;
} HrAuditTable;

/* Its columns, with lists "a,b" of those that are left out and of those that are digested; either may be NULL. */
extern void hr_audit_describe(HrAuditTable *table, Relation rel, const char *ignored, const char *digested);

/* A value of a column, as its type writes it. */
extern char *hr_row_text(HrAuditTable *table, AttrNumber column, Datum value);

/* The key of a row as text, the columns of a longer one with commas between. */
extern Datum hr_row_key(HrAuditTable *table, TupleTableSlot *row);

/*
 * What of a row is not null: the digested columns, or those that are neither in the key
 * nor the one that stands beside the row in its entry.
 */
extern Datum hr_row_json(HrAuditTable *table, TupleTableSlot *row, bool digested, int beside);

/* The hash of the digested columns. */
extern void hr_digest_row(HrAuditTable *table, pg_cryptohash_ctx **sha, TupleTableSlot *row, uint8 *digest);

/* The same as {"sha256": ...}. */
extern Datum hr_digest_json(HrAuditTable *table, pg_cryptohash_ctx **sha, TupleTableSlot *row);

/* What an update changed; false if that is nothing worth an entry. */
extern bool hr_row_differences(HrAuditTable *table, TupleTableSlot *was, TupleTableSlot *is, Datum *before, Datum *after);

/* A text that lacks only its last brace as jsonb. */
extern Datum hr_json_of(StringInfo text);

#endif
