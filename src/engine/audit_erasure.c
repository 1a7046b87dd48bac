/*
 * audit_erasure.c - what an erasure leaves in the log: one entry that says what it made of which digest.
 */
#include "hrloop.h"

#include "audit_digest.h"
#include "audit_entry.h"
#include "audit_erasure.h"
#include "audit_row.h"
#include "cells.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static StringInfo redacted;		/* what the erasure that is going on did; NULL: nothing yet */

/* What the chain knows of a row by a digest: an entry, or a decision. */
static void
digest_known(HrAudit *audit, HrAuditTable *table, TupleTableSlot *row, uint8 *digest)
{
	static const char *const name[HR_DIGEST_TEXTS] = {"db_user", "db_role", "before", "after", "reason"};
	const char *texts[HR_DIGEST_TEXTS] = {0};

	if (strcmp(audit->table, "audit_entry") != 0)
	{
		hr_digest_row(table, &audit->sha, row, digest);
		return;
	}
	for (int i = 0; i < HR_DIGEST_TEXTS; i++)
	{
		int			column = hr_column(table->desc, name[i], InvalidOid);
		HrCell		cell = hr_cell(row, column);

		if (!cell.null)
			texts[i] = hr_row_text(table, column, cell.value);
	}
	hr_digest_texts(&audit->sha, texts, digest);
}

/* An erasure takes texts away: no entry may hold them, only what became of which digest. */
void
hr_audit_redact(HrAudit *audit, HrAuditTable *table, TupleTableSlot *was, TupleTableSlot *is)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
	uint8		before[PG_SHA256_DIGEST_LENGTH],
				after[PG_SHA256_DIGEST_LENGTH];

	if (redacted == NULL)
		redacted = makeStringInfo();
	MemoryContextSwitchTo(audit->slice);
	digest_known(audit, table, was, before);
	digest_known(audit, table, is, after);
	appendStringInfo(redacted, "%s[\"%s\", %s, \"", redacted->len == 0 ? "" : ", ",
					 audit->table, TextDatumGetCString(hr_row_key(table, is)));
	hr_append_hex(redacted, before);
	appendStringInfoString(redacted, "\", \"");
	hr_append_hex(redacted, after);
	appendStringInfoString(redacted, "\"]");
	MemoryContextSwitchTo(caller);
	MemoryContextReset(audit->slice);
}

/* An erasure begins: whatever an earlier one that failed had done is undone. */
void
hr_audit_erasing(void)
{
	redacted = NULL;
}

/* It has changed so many rows: the one entry of an erasure. */
void
hr_audit_erased(Oid books, Oid owner, int64 erasure, int64 employee, int64 rows)
{
	HrAudit    *audit = hr_audit_new(books, owner, "erasure_log", "erase");
	StringInfoData after;

	initStringInfo(&after);
	appendStringInfo(&after, "{\"rows\": " INT64_FORMAT ", \"redacted\": [%s]", rows, redacted ? redacted->data : "");
	audit->key[0] = CStringGetTextDatum(psprintf(INT64_FORMAT, erasure));
	audit->subject.id[0] = Int64GetDatum(employee);
	audit->after[0] = hr_json_of(&after);
	audit->no_key[0] = audit->subject.null[0] = audit->no_after[0] = false;
	audit->no_before[0] = audit->no_reason[0] = true;
	audit->count = 1;
	redacted = NULL;
	PG_TRY();
	{
		hr_audit_finish(audit);
	}
	PG_FINALLY();
	{
		hr_audit_free(audit);
	}
	PG_END_TRY();
	hr_audit_leave(audit);
}
