/*
 * erasure.c - whether an erasure is going on, before which triggers stand aside.
 */
#include "hrloop.h"

#include "erasure.h"

#include "executor/spi.h"
#include "miscadmin.h"

/* The books in which an erasure is going on in this backend. */
static Oid	erasing;

/*
 * Whether the triggers of some books stand aside: only while hrloop_erase()
 * executes its own updates.  No setting and no role can ask for it.
 */
bool
hr_erasing(Oid books)
{
	return OidIsValid(erasing) && erasing == books;
}

static int64
execute_updates(char **statement, uint64 count)
{
	int64		changed = 0;

	for (uint64 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (SPI_execute(statement[i], false, 0) != SPI_OK_UPDATE)
			elog(ERROR, "hrloop: an erasure only updates: %s", statement[i]);
		changed += SPI_processed;
	}
	return changed;
}

/* Updates and nothing else, with the triggers of the books standing aside. */
int64
hr_erase(Oid books, char **statement, uint64 count)
{
	volatile int64 changed = 0;

	PG_TRY();
	{
		erasing = books;
		changed = execute_updates(statement, count);
	}
	PG_FINALLY();
	{
		erasing = InvalidOid;
	}
	PG_END_TRY();
	return changed;
}
