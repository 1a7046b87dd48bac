/*
 * access.c - who is asking.
 *
 * act_as() writes a custom setting that no other way can write: its check hook
 * refuses SET, set_config, ALTER ROLE and PGOPTIONS.  The value is local to the
 * transaction, so a connection handed on by a pooler carries nobody along, and
 * it travels into parallel workers.  Value: "<schema oid>:<employee id>:<no>".
 *
 * Without act_as() a direct login is the employee whose db_role it is.  This is
 * remembered until somebody changes employee (its trigger hrloop.forget()).
 */
#include "hrloop.h"

#include "access.h"
#include "books.h"
#include "books_scope.h"
#include "cells.h"
#include "invalidate.h"
#include "plan_cache.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(hrloop_act_as);
PG_FUNCTION_INFO_V1(hrloop_actor);
PG_FUNCTION_INFO_V1(hrloop_who);
PG_FUNCTION_INFO_V1(hrloop_owns);

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

/* Identities and what they see are found anew whenever this has moved. */
static uint64 changes = 1;

static void
assign_actor(const char *value, void *extra)
{
	changes++;
}

typedef struct LoginKey
{
	Oid			books;
	NameData	login;
} LoginKey;

typedef struct Login
{
	LoginKey	key;
	uint64		seen;			/* hr_changes() when it was looked up */
	TimestampTz only;			/* holds for this statement alone, if not 0 */
	bool		known;
	int64		employee;
	char	   *number;
} Login;

static HTAB *logins;
static HrIdentity latest;
static TimestampTz heard;

static List *watched;			/* oids, in TopMemoryContext */

static void
mark_changed(Oid relid)
{
	if (!OidIsValid(relid) || list_member_oid(watched, relid))
		changes++;
}

void
hr_watch(Oid books, const char *const *tables, int count)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	for (int i = 0; i < count; i++)
		watched = list_append_unique_oid(watched, get_relname_relid(tables[i], books));
	MemoryContextSwitchTo(old);
}

/*
 * Moves with every change of what identity and visibility are made of.  An
 * entry is good as long as this is what it was before the entry was read, so
 * that a change which arrives while it is read is not lost.
 */
uint64
hr_changes(void)
{
	return changes;
}

void
hr_access_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(LoginKey);
	ctl.entrysize = sizeof(Login);
	logins = hash_create("hrloop logins", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	hr_on_change(mark_changed);
	DefineCustomStringVariable("hrloop.actor",
							   "Who is acting, set by act_as() for one transaction.",
							   NULL, &actor_setting, "", PGC_USERSET,
							   GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_actor, assign_actor, NULL);
}

/* The setting's parts; false if act_as() named nobody. */
static bool
read_setting(Oid *books, int64 *employee, const char **number)
{
	char	   *end;

	if (actor_setting == NULL || actor_setting[0] == '\0')
		return false;
	*books = (Oid) strtoul(actor_setting, &end, 10);
	if (*end != ':')
		return false;
	*employee = strtoll(end + 1, &end, 10);
	if (*end != ':')
		return false;
	*number = end + 1;
	return true;
}

/* Whom act_as() named in these books. */
static bool
named_actor(HrIdentity *who)
{
	Oid			set_for;

	return read_setting(&set_for, &who->employee, &who->number) && set_for == who->books;
}

static void
look_up_login(Login *login, Oid book_table)
{
	static const HrQuery find = {"login",
	"SELECT employee_id, employee_no FROM @employee WHERE db_role = $1", 1, {TEXTOID}};
	static const char *const employees = "employee";
	Datum		arg = CStringGetTextDatum(NameStr(login->key.login));
	HrScope		scope;

	login->seen = 0;
	hr_watch(login->key.books, &employees, 1);
	login->only = hr_scope_enter_latest(&scope, hr_books_owner(book_table));
	login->known = hr_execute(login->key.books, &find, &arg, NULL, true) == 1;
	if (login->known)
	{
		login->employee = hr_bigint(hr_cell_found(0, 1));
		login->number = MemoryContextStrdup(TopMemoryContext, hr_text_there(hr_cell_found(0, 2)));
	}
	hr_scope_leave_latest(&scope);
}

/* Whose login this is in these books. */
static bool
login_actor(HrIdentity *who)
{
	LoginKey	key;
	Login	   *login;
	bool		found;
	uint64		before = changes;

	memset(&key, 0, sizeof(key));
	key.books = who->books;
	namestrcpy(&key.login, GetUserNameFromId(who->session, false));
	login = hash_search(logins, &key, HASH_ENTER, &found);
	if (!found)
	{
		login->seen = 0;
		login->number = NULL;
	}
	if (login->seen != before || (login->only != 0 && login->only != who->statement))
	{
		if (login->number)
			pfree(login->number);
		login->number = NULL;
		look_up_login(login, who->book_table);
		login->seen = before;
	}
	who->employee = login->employee;
	who->number = login->number;
	return login->known;
}

/*
 * Who is asking in the books of a `book` table: valid until the next call.
 *
 * What other backends changed is heard once in a statement at least, also in a
 * transaction that holds all its locks already and would not listen again.
 */
const HrIdentity *
hr_identity(Oid book_table)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	HrIdentity	who = {0};

	if (statement != heard)
	{
		heard = statement;
		AcceptInvalidationMessages();
	}
	if (latest.book_table == book_table && latest.statement == statement &&
		latest.changes == changes && latest.session == GetSessionUserId() &&
		latest.outer == GetOuterUserId())
		return &latest;

	/* from here on it is found anew */
	who.book_table = book_table;
	who.statement = statement;
	who.changes = changes;
	who.session = GetSessionUserId();
	who.outer = GetOuterUserId();
	who.books = hr_books_to_read(book_table);
	who.known = named_actor(&who) || login_actor(&who);
	who.owner = has_privs_of_role(who.outer, hr_books_owner(book_table));
	latest = who;
	return &latest;
}

/* The same for the books by their schema. */
bool
hr_actor(Oid books, int64 *employee, const char **number)
{
	const HrIdentity *who = hr_identity(get_relname_relid("book", books));

	*employee = who->employee;
	if (number)
		*number = who->number;
	return who->known;
}

/* Who acts, in whichever books: both NULL if nobody does. */
void
hr_acting(const char **books, const char **number)
{
	Oid			set_for;
	int64		employee;

	*books = *number = NULL;
	if (read_setting(&set_for, &employee, number))
		*books = get_namespace_name(set_for);
}

const char *
hr_role(void)
{
	const char *role = GetConfigOption("role", true, false);

	return role == NULL || strcmp(role, "none") == 0 ? NULL : role;
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

static Oid
book_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books must not be null")));
	return PG_GETARG_OID(0);
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
	int64		employee;

	books = hr_books_to_read(book_argument(fcinfo));
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
	employee = hr_bigint(hr_cell_found(0, 1));
	hr_scope_leave(&scope);

	set_actor(psprintf("%u:" INT64_FORMAT ":%s", books, employee, number));
	PG_RETURN_INT64(employee);
}

/* hrloop.actor(book): the acting employee's id, or NULL. */
Datum
hrloop_actor(PG_FUNCTION_ARGS)
{
	const HrIdentity *who = hr_identity(book_argument(fcinfo));

	if (!who->known)
		PG_RETURN_NULL();
	PG_RETURN_INT64(who->employee);
}

/* hrloop.who(book): the acting employee's number, or the database login. */
Datum
hrloop_who(PG_FUNCTION_ARGS)
{
	const HrIdentity *who = hr_identity(book_argument(fcinfo));

	PG_RETURN_TEXT_P(cstring_to_text(who->known ? who->number
									 : GetUserNameFromId(who->session, false)));
}

/* hrloop.owns(book): whether the role that asks has the rights of the owner of the books. */
Datum
hrloop_owns(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(hr_identity(book_argument(fcinfo))->owner);
}
