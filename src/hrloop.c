/*
 * hrloop.c - the door: what happens when the library is loaded.
 */
#include "hrloop.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	hr_plan_cache_init();
	hr_table_init();
	hr_books_init();
	hr_cache_init();
	hr_access_init();
}
