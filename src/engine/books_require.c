/*
 * books_require.c - what must be so before books are made, migrated or restored.
 */
#include "hrloop.h"

#include "books.h"
#include "books_privileges.h"
#include "books_require.h"
#include "books_sql.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

char *
hr_schema_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || NameStr(*PG_GETARG_NAME(0))[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of the schema must not be null or empty"),
				 errhint("For example: SELECT hrloop.install('hr').")));
	return pstrdup(NameStr(*PG_GETARG_NAME(0)));
}

/* One line for what would fail at its first statement. */
void
hr_require_writable(const char *what)
{
	if (!XactReadOnly)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 errmsg("cannot execute %s in a read-only transaction", what),
			 RecoveryInProgress() ? errhint("Run it on the primary server; this one follows.")
			 : errhint("SET default_transaction_read_only = off first, or BEGIN READ WRITE.")));
}

/*
 * The texts that books bring are Chinese and English, and what people write is counted
 * by characters, which a database of no encoding cannot tell from bytes.
 */
void
hr_require_characters(void)
{
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("books cannot be made in a database with encoding SQL_ASCII"),
			 errdetail("It does not tell characters from bytes."),
			 errhint("Make the database with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.")));
}

/*
 * Books are not kept where pg_dump takes no table along, nor beside the
 * engine's own functions.
 */
void
hr_require_schema_for_books(const char *schema)
{
	if (IsReservedName(schema) || strcmp(schema, "information_schema") == 0 || strcmp(schema, "hrloop") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema \"%s\" cannot hold books", schema),
				 errdetail("It belongs to PostgreSQL, whose schemas are not dumped, or to the engine."),
				 errhint("For example: SELECT hrloop.install('hr').")));
}

/*
 * Scripts run with the schema on their search_path, and verify() is a function
 * in it, so the schema must be the caller's own: not even a superuser runs what
 * somebody else may have put there.
 */
void
hr_require_own_schema(Oid books, const char *schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(books));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for namespace %u", books);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	if (!is_member_of_role_nosuper(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("schema \"%s\" belongs to somebody else", schema),
				 errhint("Let its owner do it, or SET ROLE to the owner first.")));
}

void
hr_require_member(Oid role, const char *schema)
{
	if (!is_member_of_role_nosuper(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("books \"%s\" belong to somebody else", schema),
				 errhint("Let their owner do it, or SET ROLE to the owner first.")));
}

/*
 * What an event trigger may have done to new books: they must be under their name and
 * of one owner, or they would not work.
 */
void
hr_require_whole(Oid books, const char *schema, const char *before)
{
	char	   *owner;

	if (!OidIsValid(books) || get_namespace_oid(schema, true) != books)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("schema \"%s\" was renamed or dropped while the books were made", schema),
				 errhint("Look for an event trigger that does so: SELECT evtname, evtfoid FROM pg_event_trigger.")));
	hr_require_own_schema(books, schema);
	if (before == NULL)
		return;
	owner = GetUserNameFromId(hr_books_owner(get_relname_relid("book", books)), false);
	hr_sql_plainly(psprintf("SELECT o.name, pg_catalog.pg_get_userbyid(o.owner) FROM %s"
							" WHERE pg_catalog.pg_get_userbyid(o.owner) OPERATOR(pg_catalog.<>) %s::name"
							"   AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[]) LIMIT 1",
							hr_objects_query(books), quote_literal_cstr(owner), before));
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("books \"%s\" would belong to \"%s\" and \"%s\"", schema, owner,
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errdetail("An event trigger changed whose they are, or not that of all: %s.",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("SET ROLE first to whom all shall belong, or leave them out in the event trigger: SELECT evtname, evtfoid FROM pg_event_trigger.")));
}

/*
 * Scripts look names up in the engine's schema as well.  One that stood before the
 * extension may be somebody's who could put functions there.
 */
static void
require_trusted_engine(void)
{
	hr_sql("SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n"
		   "  JOIN pg_catalog.pg_extension e ON e.extnamespace OPERATOR(pg_catalog.=) n.oid"
		   "  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner"
		   "  JOIN pg_catalog.pg_roles u ON u.rolname OPERATOR(pg_catalog.=) CURRENT_USER"
		   " WHERE e.extname OPERATOR(pg_catalog.=) 'hrloop' AND NOT r.rolsuper"
	/* a superuser has every role, and trusts none of them with being superuser */
		   "   AND (u.rolsuper OR NOT pg_catalog.pg_has_role(n.nspowner, 'USAGE')"
	/* after a restore by a superuser the extension is the superuser's */
		   "                      AND n.nspowner OPERATOR(pg_catalog.<>) e.extowner"
		   "                      AND n.nspowner OPERATOR(pg_catalog.<>) (SELECT d.datdba FROM pg_catalog.pg_database d"
		   " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))");
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("schema \"hrloop\" belongs to \"%s\", who could put functions beside the engine's",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Do it as that role, or ALTER SCHEMA hrloop OWNER TO who is trusted with the database.")));
}

/*
 * What scripts call is in the extension's own SQL, so that must be of the
 * library's version; a new library may be there hours before.
 */
void
hr_require_engine(void)
{
	char	   *version;

	require_trusted_engine();
	hr_sql("SELECT extversion FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'hrloop'");
	version = SPI_processed == 1 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
	if (version == NULL || strcmp(version, HRLOOP_VERSION) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("extension hrloop is of version %s, the library is %s",
					version, HRLOOP_VERSION),
			 hr_compare_versions(version, HRLOOP_VERSION) < 0
			 ? errhint("Run ALTER EXTENSION hrloop UPDATE first.")
			 : errhint("Connect again if hrloop was upgraded after this session began, else install hrloop %s.",
					   version)));
}
