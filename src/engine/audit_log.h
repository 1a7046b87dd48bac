/*
 * audit_log.h - what cannot be a row of the log, as a line of the server's.
 */
#ifndef HRLOOP_AUDIT_LOG_H
#define HRLOOP_AUDIT_LOG_H

/* A line about an attempt that the books refuse: its transaction is lost, the line is not. */
extern void hr_log_refused(const char *message, const char *detail);

#endif
