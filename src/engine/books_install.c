/*
 * books_install.c - books made for a company, and what they derive from their own rows.
 */
#include "hrloop.h"

#include "books.h"
#include "books_privileges.h"
#include "books_require.h"
#include "books_script.h"
#include "books_sql.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_install);
PG_FUNCTION_INFO_V1(hrloop_define);

static Oid
create_schema(const char *schema)
{
	Oid			books;

	hr_sql(psprintf("CREATE SCHEMA %s", quote_identifier(schema)));
	books = get_namespace_oid(schema, true);
	hr_require_whole(books, schema, NULL);
	hr_sql_each(psprintf("SELECT pg_catalog.format('REVOKE ALL ON SCHEMA %%I FROM %%s', %s, g.grantee) FROM %s"
						 " UNION ALL SELECT pg_catalog.format('GRANT ALL ON SCHEMA %%I TO %%I', %s, pg_catalog.pg_get_userbyid(d.defaclrole))"
						 " FROM pg_catalog.pg_default_acl d WHERE d.defaclrole OPERATOR(pg_catalog.=) %u AND d.defaclobjtype OPERATOR(pg_catalog.=) 'n'",
						 quote_literal_cstr(schema), hr_default_privileges(books, "n"), quote_literal_cstr(schema), GetUserId()));
	return books;
}

/* hrloop.install(schema, roles): a new, empty set of books, owned by the caller. */
Datum
hrloop_install(PG_FUNCTION_ARGS)
{
	char	   *schema = hr_schema_argument(fcinfo);
	Oid			books = get_namespace_oid(schema, true);
	char	   *before;

	hr_require_schema_for_books(schema);
	hr_require_writable("hrloop.install()");
	if (OidIsValid(books) && OidIsValid(get_relname_relid("book", books)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_SCHEMA),
				 errmsg("schema \"%s\" already holds books", schema),
				 errhint("Use hrloop.migrate() to bring them to the installed version, or another schema name for another company.")));
	if (OidIsValid(books))
		hr_require_own_schema(books, schema);
	hr_require_characters();
	SPI_connect();
	hr_require_engine();
	if (!OidIsValid(books))
		books = create_schema(schema);
	before = hr_objects(books);
	hr_run_script(schema, psprintf("hrloop-books--%s.sql", HRLOOP_VERSION));
	hr_close_to_public(books, before);
	hr_require_whole(books, schema, before);
	if (PG_NARGS() > 1 && !PG_ARGISNULL(1))
		hr_sql(psprintf("SELECT pg_catalog.count(*) FROM %s.create_roles(%s)", quote_identifier(schema),
						quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(1)))));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("books \"%s\" are ready, version %s",
											  schema, HRLOOP_VERSION)));
}

/*
 * hrloop.define(book, statements): what the books derive from their own rows,
 * policies and grants.  As the caller, who could run each of them as well.
 */
Datum
hrloop_define(PG_FUNCTION_ARGS)
{
	Oid			books;
	char	   *schema;
	Datum	   *statement;
	bool	   *null;
	int			count;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books and the statements must not be null")));
	books = hr_books_of(PG_GETARG_OID(0));
	schema = get_namespace_name(books);
	hr_require_own_schema(books, schema);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &statement, &null, &count);
	SPI_connect();
	for (int i = 0; i < count; i++)
		if (!null[i])
			hr_execute_for_script(schema, TextDatumGetCString(statement[i]));
	SPI_finish();
	PG_RETURN_INT32(count);
}
