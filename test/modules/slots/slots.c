/*
 * slots.c - somebody else's extension, which takes six of the places that a
 * backend of PostgreSQL has for callbacks on changed relations.  There are ten
 * (MAX_RELCACHE_CALLBACKS in PostgreSQL's src/backend/utils/cache/inval.c), of
 * which PostgreSQL itself takes two, and two more while it replicates.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/inval.h"

#define TAKEN 6

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static void
nothing_to_forget(Datum arg, Oid relid)
{
}

void
_PG_init(void)
{
	for (int i = 0; i < TAKEN; i++)
		CacheRegisterRelcacheCallback(nothing_to_forget, (Datum) 0);
}
