/*
 * transaction.h - what belongs to this transaction.
 */
#ifndef HRLOOP_TRANSACTION_H
#define HRLOOP_TRANSACTION_H

/* The number of this transaction in these books, given at the first need. */
extern int64 hr_transaction_number(Oid books);

#endif
