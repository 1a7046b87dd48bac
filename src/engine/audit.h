/*
 * audit.h - who changed what, and who was refused.
 */
#ifndef HRLOOP_AUDIT_H
#define HRLOOP_AUDIT_H

/* A line of the server log about an attempt that the books refuse: its transaction is lost, the line is not. */
extern void hr_log_refused(const char *message, const char *detail);

/* An erasure begins: whatever an earlier one that failed had done is undone. */
extern void hr_audit_erasing(void);

/* It has changed so many rows: writes the one entry of an erasure. */
extern void hr_audit_erased(Oid books, Oid owner, int64 erasure, int64 employee, int64 rows);

#endif
