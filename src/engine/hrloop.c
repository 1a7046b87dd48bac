/*
 * hrloop.c - the door: what happens when the library is loaded.
 */
#include "hrloop.h"

#include "access.h"
#include "books.h"
#include "cache.h"
#include "follow.h"
#include "kept.h"
#include "plan_cache.h"
#include "table.h"

#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static void
define_settings(void)
{
	DefineCustomBoolVariable("hrloop.keep_plans",
							 "Functions of books are run by kept plans.",
							 "Off, PostgreSQL plans them at each call; on PostgreSQL 18 it keeps plans itself, and this has no effect.",
							 &hr_keep_plans, true, PGC_USERSET, 0, NULL, NULL, NULL);
}

static void
reserve_settings(void)
{
	MarkGUCPrefixReserved("hrloop");
}

/*
 * A library whose start fails for want of memory stays in memory, and is started
 * again when it is next asked for: then it goes on where it was, as nothing of
 * this may be done twice.  So whatever can fail comes first in each of these.
 */
void
_PG_init(void)
{
	static void (*const starts[]) (void) = {
		hr_plan_cache_init,
		hr_table_init,
		hr_books_init,
		hr_follow_init,
		hr_cache_init,
		hr_access_init,
		define_settings,
		hr_kept_init,
		reserve_settings,
	};
	static int	done = 0;

	for (; done < (int) lengthof(starts); done++)
		starts[done] ();
}
