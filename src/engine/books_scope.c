/*
 * books_scope.c - the conditions in which the engine works in some books: as their
 * owner, with a pinned search_path, reading by key.
 */
#include "hrloop.h"

#include "books_scope.h"

#include "access/xact.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

void
hr_set_for_scope_as(GucContext who, const char *name, const char *value)
{
	(void) set_config_option(name, value, who, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
hr_set_for_scope(const char *name, const char *value)
{
	hr_set_for_scope_as(PGC_USERSET, name, value);
}

int
hr_pin_search_path(const char *path)
{
	int			level = NewGUCNestLevel();

	hr_set_for_scope("search_path", path);
	return level;
}

void
hr_scope_enter(HrScope *scope, Oid owner)
{
	GetUserIdAndSecContext(&scope->user, &scope->security);
	SetUserIdAndSecContext(owner, scope->security |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	scope->guc_level = hr_pin_search_path("pg_catalog, pg_temp");

	/*
	 * What runs in a scope looks rows up by key, and its plans are kept, those of foreign keys included: one
	 * made on the day a table was empty would otherwise read all of it for one row.  A table without another
	 * way to be read seems to cost so much then that it would be worth compiling.
	 */
	if (enable_seqscan)
		hr_set_for_scope("enable_seqscan", "off");
	if (jit_enabled)
		hr_set_for_scope("jit", "off");
	/* a plan for one key looks cheaper than one for ten, but not with planning */
	if (plan_cache_mode != PLAN_CACHE_MODE_FORCE_GENERIC_PLAN)
		hr_set_for_scope("plan_cache_mode", "force_generic_plan");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "hrloop: SPI_connect failed");
}

void
hr_scope_leave(HrScope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "hrloop: SPI_finish failed");
	AtEOXact_GUC(true, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->security);
}

/*
 * A scope that reads what is committed now, whatever snapshot the query has:
 * who may see what must not be remembered from the past.  A parallel query can
 * take no new snapshot; what is read there holds for its statement alone, which
 * is then returned, else 0.
 */
TimestampTz
hr_scope_enter_latest(HrScope *scope, Oid owner)
{
	hr_scope_enter(scope, owner);
	if (IsInParallelMode())
	{
		PushActiveSnapshot(GetActiveSnapshot());
		return GetCurrentStatementStartTimestamp();
	}
	PushActiveSnapshot(GetLatestSnapshot());
	return 0;
}

void
hr_scope_leave_latest(HrScope *scope)
{
	PopActiveSnapshot();
	hr_scope_leave(scope);
}
