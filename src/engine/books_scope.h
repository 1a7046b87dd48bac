/*
 * books_scope.h - the conditions in which the engine works in some books.
 */
#ifndef HRLOOP_BOOKS_SCOPE_H
#define HRLOOP_BOOKS_SCOPE_H

#include "utils/guc.h"

/* What a scope puts back when it is left. */
typedef struct HrScope
{
	Oid			user;
	int			security;
	int			guc_level;
} HrScope;

/*
 * A scope runs SPI as the owner of the books with a pinned search_path, as
 * foreign key triggers do.  An error leaves it by itself.
 */
extern void hr_scope_enter(HrScope *scope, Oid owner);

/* Leave it: what is to last must be in the caller's memory by then. */
extern void hr_scope_leave(HrScope *scope);

/*
 * A scope that reads what is committed now.  What comes back is 0, or the statement
 * for which alone that holds which is read.
 */
extern TimestampTz hr_scope_enter_latest(HrScope *scope, Oid owner);

/* Leave such a scope. */
extern void hr_scope_leave_latest(HrScope *scope);

/* Begin a level of settings with this search_path; AtEOXact_GUC(true, level) ends it. */
extern int	hr_pin_search_path(const char *path);

/* A setting that lasts as long as the level, as the caller could set it. */
extern void hr_set_for_scope(const char *name, const char *value);

/* The same of a setting that is not for everybody. */
extern void hr_set_for_scope_as(GucContext who, const char *name, const char *value);

#endif
