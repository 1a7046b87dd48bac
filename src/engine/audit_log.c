/*
 * audit_log.c - what cannot be a row of the log, as a line of the server's.
 *
 * Nothing that only reads writes, and a refusal rolls its transaction back.
 */
#include "hrloop.h"

#include "access.h"
#include "audit_log.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_log_read);

static void
log_field(StringInfo out, const char *name, const char *value)
{
	appendStringInfo(out, "%s\"%s\": ", out->len == 0 ? "{" : ", ", name);
	if (value)
		escape_json(out, value);
	else
		appendStringInfoString(out, "null");
}

/* One line "hrloop audit: {json}" of the server log, which no client gets. */
static void
log_line(StringInfo out)
{
	appendStringInfoChar(out, '}');
	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("hrloop audit: %s", out->data),
			 errhidestmt(true), errhidecontext(true)));
}

static void
log_who(StringInfo out, const char *event)
{
	const char *books;
	const char *actor;

	initStringInfo(out);
	log_field(out, "event", event);
	hr_acting(&books, &actor);
	log_field(out, "books", books);
	log_field(out, "actor", actor);
	log_field(out, "user", GetUserNameFromId(GetSessionUserId(), true));
	log_field(out, "role", hr_role());
}

/* An attempt that the books refuse: its transaction is lost, the line is not. */
void
hr_log_refused(const char *message, const char *detail)
{
	StringInfoData out;

	log_who(&out, "refused");
	log_field(&out, "message", message);
	log_field(&out, "detail", detail);
	log_line(&out);
}

/*
 * hrloop.log_read(book, employee, what, allowed): notes that somebody's data
 * were asked for, once for each statement, and returns allowed.
 */
Datum
hrloop_log_read(PG_FUNCTION_ARGS)
{
	static TimestampTz at;
	static int64 whose;
	static char last[NAMEDATALEN];
	static bool was_allowed;
	bool		allowed = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	const char *what = PG_ARGISNULL(2) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(2));
	int64		employee = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	StringInfoData out;

	if (at != GetCurrentStatementStartTimestamp() || whose != employee ||
		was_allowed != allowed || strcmp(last, what) != 0)
	{
		log_who(&out, allowed ? "read" : "denied");
		log_field(&out, "what", what);
		log_field(&out, "of", PG_ARGISNULL(0) ? NULL : get_namespace_name(get_rel_namespace(PG_GETARG_OID(0))));
		appendStringInfo(&out, ", \"employee_id\": " INT64_FORMAT, employee);
		log_line(&out);
		at = GetCurrentStatementStartTimestamp();
		whose = employee;
		was_allowed = allowed;
		strlcpy(last, what, sizeof(last));
	}
	PG_RETURN_BOOL(allowed);
}
