/*
 * transaction.c - what belongs to this transaction.
 *
 * PostgreSQL's own number of a transaction means nothing in another cluster: a
 * dump that carried it on would have rows that seem to be of the future there,
 * and later of whoever is given the same number.  So the books number their
 * transactions by a sequence of their own, which is dumped with them; and
 * whether a row is of this transaction is asked of the row's header, which is
 * not dumped.
 */
#include "hrloop.h"

#include "books.h"
#include "transaction.h"

#include "access/transam.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(hrloop_transaction_number);
PG_FUNCTION_INFO_V1(hrloop_of_this_transaction);

typedef struct Number
{
	Oid			books;
	int64		number;
} Number;

/* The numbers that a transaction has, one in each books that it writes. */
static FullTransactionId numbered;
static List *numbers;			/* in TopTransactionContext; of another transaction: gone */

/* The number of this transaction in these books, given at the first need. */
int64
hr_transaction_number(Oid books)
{
	FullTransactionId now = GetTopFullTransactionId();
	Oid			sequence;
	MemoryContext caller;
	Number	   *entry;
	ListCell   *cell;

	if (!FullTransactionIdEquals(numbered, now))
	{
		numbered = now;
		numbers = NIL;
	}
	foreach(cell, numbers)
	{
		entry = lfirst(cell);
		if (entry->books == books)
			return entry->number;
	}
	sequence = get_relname_relid("transaction_number_seq", books);
	if (!OidIsValid(sequence))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("books \"%s\" have no sequence \"transaction_number_seq\"", get_namespace_name(books)),
				 errhint("A restore of the whole schema brings it back.")));
	caller = MemoryContextSwitchTo(TopTransactionContext);
	entry = palloc(sizeof(Number));
	entry->books = books;
	entry->number = nextval_internal(sequence, false);
	numbers = lappend(numbers, entry);
	MemoryContextSwitchTo(caller);
	return entry->number;
}

/* hrloop.transaction_number(book): what decisions and audit entries of this transaction carry. */
Datum
hrloop_transaction_number(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(hr_transaction_number(hr_books_of(PG_GETARG_OID(0))));
}

/*
 * hrloop.of_this_transaction(xmin, at): whether a row that carries the time of
 * its transaction was made by this one.  An erasure writes rows anew, and a
 * number comes back after four thousand million: their time is another.
 */
Datum
hrloop_of_this_transaction(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(TransactionIdIsCurrentTransactionId(PG_GETARG_TRANSACTIONID(0)) &&
				   PG_GETARG_TIMESTAMPTZ(1) == GetCurrentTransactionStartTimestamp());
}
