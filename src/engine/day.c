/*
 * day.c - days as the books count them.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "cache.h"
#include "cells.h"
#include "day.h"
#include "plan_cache.h"

#include "access/xact.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(hrloop_day_of);
PG_FUNCTION_INFO_V1(hrloop_today);

static const char *
timezone_of(Oid books)
{
	const HrRules *rules = hr_rules_cached(books);
	HrScope		scope;

	if (rules == NULL && IsInParallelMode())
	{
		/* nothing is kept there: the rules would be read as they are by now */
		static const HrQuery query = {"time zone",
		"SELECT value FROM @setting WHERE setting = 'book.timezone'", 0, {0}};
		char	   *name = NULL;

		hr_scope_enter(&scope, hr_books_owner(get_relname_relid("book", books)));
		if (hr_execute(books, &query, NULL, NULL, true) > 0 && !hr_cell_found(0, 1).null)
			name = MemoryContextStrdup(CurTransactionContext, hr_text_there(hr_cell_found(0, 1)));
		hr_scope_leave(&scope);
		return name;
	}
	if (rules == NULL)
	{
		hr_scope_enter(&scope, hr_books_owner(get_relname_relid("book", books)));
		rules = hr_rules(books);
		hr_scope_leave(&scope);
	}
	return rules->timezone;
}

DateADT
hr_day_of(Oid books, TimestampTz moment)
{
	const char *name = timezone_of(books);
	pg_tz	   *zone = name == NULL ? session_timezone : pg_tzset(name);
	struct pg_tm tm;
	fsec_t		fraction;
	int			offset;
	DateADT		day;

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("Set book.timezone to a name of pg_timezone_names."),
				 err_generic_string(PG_DIAG_TABLE_NAME, "setting")));
	if (TIMESTAMP_IS_NOBEGIN(moment))
		DATE_NOBEGIN(day);
	else if (TIMESTAMP_IS_NOEND(moment))
		DATE_NOEND(day);
	else
	{
		if (timestamp2tm(moment, &offset, &tm, &fraction, NULL, zone) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range")));
		day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
	}
	return day;
}

/* Policies ask for every row: what was said last is kept. */
DateADT
hr_today(Oid books)
{
	static Oid	said_for = InvalidOid;
	static const HrRules *said_by = NULL;
	static TimestampTz said_at;
	static DateADT said;
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	/* while others work at the same query nothing changes */
	if (said_for != books || said_at != now ||
		(!IsInParallelMode() && (said_by == NULL || said_by != hr_rules_cached(books))))
	{
		said = hr_day_of(books, now);
		said_for = books;
		said_by = hr_rules_cached(books);
		said_at = now;
	}
	return said;
}

/* hrloop.day_of(book, moment) */
Datum
hrloop_day_of(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(hr_day_of(hr_books_of(PG_GETARG_OID(0)), PG_GETARG_TIMESTAMPTZ(1)));
}

/* hrloop.today(book) */
Datum
hrloop_today(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(hr_today(hr_books_of(PG_GETARG_OID(0))));
}
