/*
 * invalidate.c - what PostgreSQL says has changed, for all who remember something.
 *
 * A backend has ten places for callbacks on relations, 64 for those on system
 * caches, and all extensions share them: who finds none ends the session.  So
 * the library takes one place, however many of its rooms listen (test/lint
 * counts).  Who listens only notes it: a callback comes in the middle of
 * whatever else is going on, where nothing may be read or freed.
 */
#include "hrloop.h"

#include "invalidate.h"

static HrForget listeners[8];
static int	count;

static void
tell(Datum arg, Oid relid)
{
	for (int i = 0; i < count; i++)
		listeners[i] (relid);
}

/* Call this for every relation that changes; InvalidOid stands for all of them. */
void
hr_on_change(HrForget forget)
{
	if (count == lengthof(listeners))
		elog(ERROR, "hrloop: out of places for listeners");
	if (count == 0)
		CacheRegisterRelcacheCallback(tell, (Datum) 0);
	listeners[count++] = forget;
}

void
hr_on_catalogue(int cache, SyscacheCallbackFunction forget)
{
	CacheRegisterSyscacheCallback(cache, forget, (Datum) 0);
}
