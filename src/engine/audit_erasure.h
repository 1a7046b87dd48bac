/*
 * audit_erasure.h - what an erasure leaves in the log.
 */
#ifndef HRLOOP_AUDIT_ERASURE_H
#define HRLOOP_AUDIT_ERASURE_H

#include "audit_entry.h"
#include "audit_row.h"

/* An erasure begins: whatever an earlier one that failed had done is undone. */
extern void hr_audit_erasing(void);

/* It takes texts of a row away: no entry may hold them, only what became of which digest. */
extern void hr_audit_redact(HrAudit *audit, HrAuditTable *table, TupleTableSlot *was, TupleTableSlot *is);

/* It has changed so many rows: writes the one entry of an erasure. */
extern void hr_audit_erased(Oid books, Oid owner, int64 erasure, int64 employee, int64 rows);

#endif
