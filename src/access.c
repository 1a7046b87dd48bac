/*
 * access.c - who is asking.
 *
 * act_as() writes a custom setting that no other way can write: its check hook
 * refuses SET, set_config, ALTER ROLE and PGOPTIONS.  The value is local to the
 * transaction, so a connection handed on by a pooler carries nobody along, and
 * it travels into parallel workers.  Value: "<schema oid>:<employee id>:<no>".
 */
#include "hrloop.h"

#include "access/parallel.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(hrloop_act_as);
PG_FUNCTION_INFO_V1(hrloop_actor);
PG_FUNCTION_INFO_V1(hrloop_who);

static char *actor_setting;
static bool setting_allowed;

static bool
check_actor(char **value, void **extra, GucSource source)
{
	if (**value == '\0' || setting_allowed || InitializingParallelWorker)
		return true;
	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("parameter \"hrloop.actor\" cannot be set directly");
	GUC_check_errhint("Call act_as() of the books.");
	return false;
}

void
hr_access_init(void)
{
	DefineCustomStringVariable("hrloop.actor",
							   "Who is acting, set by act_as() for one transaction.",
							   NULL, &actor_setting, "", PGC_USERSET,
							   GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_actor, NULL, NULL);
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("hrloop");
#endif
}

/* The employee that acts in these books, if act_as() named one. */
bool
hr_actor(Oid books, int64 *employee, const char **number)
{
	Oid			set_for;
	int			offset = 0;

	if (actor_setting == NULL || actor_setting[0] == '\0')
		return false;
	if (sscanf(actor_setting, "%u:" INT64_FORMAT ":%n", &set_for, employee, &offset) < 2 ||
		offset == 0 || set_for != books)
		return false;
	if (number)
		*number = actor_setting + offset;
	return true;
}

/* Who acts, in whichever books: both NULL if nobody does. */
void
hr_acting(const char **books, const char **number)
{
	Oid			set_for;
	int64		employee;
	int			offset = 0;

	*books = *number = NULL;
	if (actor_setting == NULL ||
		sscanf(actor_setting, "%u:" INT64_FORMAT ":%n", &set_for, &employee, &offset) < 2 ||
		offset == 0)
		return;
	*books = get_namespace_name(set_for);
	*number = actor_setting + offset;
}

/* act_as of the engine is worth as much as the EXECUTE right on that of the books. */
static void
require_act_as(Oid books)
{
	Oid			argument = TEXTOID;
	oidvector  *types = buildoidvector(&argument, 1);
	Oid			function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										   CStringGetDatum("act_as"),
										   PointerGetDatum(types),
										   ObjectIdGetDatum(books));

	if (!OidIsValid(function) ||
#if PG_VERSION_NUM >= 160000
		object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK
#else
		pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK
#endif
		)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to act for employees of books \"%s\"",
						get_namespace_name(books)),
				 errhint("The owner of the books grants EXECUTE on function act_as(text).")));
}

static void
set_actor(const char *value)
{
	setting_allowed = true;
	PG_TRY();
	{
		(void) set_config_option("hrloop.actor", value, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
	}
	PG_FINALLY();
	{
		setting_allowed = false;
	}
	PG_END_TRY();
}

/* hrloop.act_as(book, employee_no): until the end of the transaction. */
Datum
hrloop_act_as(PG_FUNCTION_ARGS)
{
	static const HrQuery find = {"actor",
		"SELECT employee_id FROM @employee WHERE employee_no = $1", 1, {TEXTOID}};
	Oid			books;
	char	   *number;
	HrScope		scope;
	Datum		arg;
	bool		null;
	int64		employee;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books must not be null")));
	books = hr_books_of(PG_GETARG_OID(0));
	require_act_as(books);
	if (PG_ARGISNULL(1))
	{
		set_actor("");
		PG_RETURN_NULL();
	}
	arg = PG_GETARG_DATUM(1);
	number = TextDatumGetCString(arg);

	hr_scope_enter(&scope, hr_books_owner(PG_GETARG_OID(0)));
	if (hr_execute(books, &find, &arg, NULL, true) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no employee \"%s\" in books \"%s\"", number,
						get_namespace_name(books))));
	employee = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &null));
	hr_scope_leave(&scope);

	set_actor(psprintf("%u:" INT64_FORMAT ":%s", books, employee, number));
	PG_RETURN_INT64(employee);
}

/* hrloop.actor(book): the acting employee's id, or NULL. */
Datum
hrloop_actor(PG_FUNCTION_ARGS)
{
	int64		employee;

	if (PG_ARGISNULL(0) || !hr_actor(get_rel_namespace(PG_GETARG_OID(0)), &employee, NULL))
		PG_RETURN_NULL();
	PG_RETURN_INT64(employee);
}

/* hrloop.who(book): the acting employee's number, or the database login. */
Datum
hrloop_who(PG_FUNCTION_ARGS)
{
	int64		employee;
	const char *number;

	if (!PG_ARGISNULL(0) && hr_actor(get_rel_namespace(PG_GETARG_OID(0)), &employee, &number))
		PG_RETURN_TEXT_P(cstring_to_text(number));
	PG_RETURN_TEXT_P(cstring_to_text(GetUserNameFromId(GetSessionUserId(), false)));
}
