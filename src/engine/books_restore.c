/*
 * books_restore.c - rows restored without consequences, and looked at afterwards.
 */
#include "hrloop.h"

#include "books.h"
#include "books_require.h"
#include "books_sql.h"

#include "catalog/namespace.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_pre_restore);
PG_FUNCTION_INFO_V1(hrloop_post_restore);

/*
 * Switch the engine's own triggers of some books; a DBA's own are left alone.
 * ALTER TABLE asks for ownership, so nobody else can switch them.
 */
static void
switch_triggers(const char *schema, const char *verb)
{
	hr_sql_each(psprintf(
						 "SELECT pg_catalog.format('ALTER TABLE %%I.%%I %s TRIGGER %%I', n.nspname, c.relname, t.tgname)"
						 "  FROM pg_catalog.pg_trigger t"
						 "  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid"
						 "  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
						 "  JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid"
						 " WHERE n.nspname OPERATOR(pg_catalog.=) %s::name"
						 "   AND p.pronamespace OPERATOR(pg_catalog.=) 'hrloop'::pg_catalog.regnamespace"
						 "   AND NOT t.tgisinternal"
	/* those that fire for replicated rows alone compute nothing */
						 "   AND t.tgenabled OPERATOR(pg_catalog.<>) 'R'"
						 " ORDER BY c.relname, t.tgname",
						 verb, quote_literal_cstr(schema)));
}

/*
 * hrloop.pre_restore(schema): make freshly installed books ready for a
 * data-only restore: no rows, no consequences.
 */
Datum
hrloop_pre_restore(PG_FUNCTION_ARGS)
{
	char	   *schema = hr_schema_argument(fcinfo);
	const char *quoted = quote_identifier(schema);
	Oid			books;
	char	   *tables;

	hr_require_writable("hrloop.pre_restore()");
	hr_require_own_schema(get_namespace_oid(schema, false), schema);
	books = get_namespace_oid(schema, false);
	SPI_connect();
	/* tables that a dump of the schema alone made have no version yet: that of the rows is asked for later */
	if (!OidIsValid(get_relname_relid("book", books)) || !OidIsValid(get_relname_relid("employee", books)) ||
		hr_sql_count(psprintf("SELECT pg_catalog.count(*) FROM %s.book", quoted)) > 0)
		hr_books_check(books);
	if (hr_sql_count(psprintf("SELECT pg_catalog.count(*) FROM %s.employee", quoted)) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("books \"%s\" already hold employees", schema),
				 errdetail("A data-only restore replaces all rows, so it is made into freshly installed books."),
				 errhint("Install new books under this name, or restore into another schema.")));
	switch_triggers(schema, "DISABLE");
	hr_sql(psprintf("SELECT pg_catalog.string_agg(pg_catalog.format('%%I.%%I', schemaname, tablename), ', ')"
					"  FROM pg_catalog.pg_tables WHERE schemaname OPERATOR(pg_catalog.=) %s::name",
					quote_literal_cstr(schema)));
	tables = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	hr_sql(psprintf("TRUNCATE %s", tables));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * hrloop.post_restore(schema): consequences on again; the number of
 * differences that verify() finds in what was restored.
 */
Datum
hrloop_post_restore(PG_FUNCTION_ARGS)
{
	char	   *schema = hr_schema_argument(fcinfo);
	Oid			books = get_namespace_oid(schema, false);
	Oid			book_table = get_relname_relid("book", books);
	char	   *version = OidIsValid(book_table) ? hr_stated_version(book_table) : NULL;
	int64		differences;

	hr_require_writable("hrloop.post_restore()");
	hr_require_own_schema(books, schema);
	/* the tables are of the library's version, since pre_restore() asked for it */
	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no rows were restored into schema \"%s\"", schema),
				 errhint("Call hrloop.pre_restore(), restore the data, and then this function.")));
	if (strcmp(version, HRLOOP_VERSION) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows of version %s were restored into books of version %s",
						version, HRLOOP_VERSION),
				 errhint("A dump of data alone goes into books of its own version. Restore a whole dump and migrate it, or install hrloop %s, restore there and dump the whole.",
						 version)));
	SPI_connect();
	switch_triggers(schema, "ENABLE");
	hr_books_check(books);
	differences = hr_sql_count(psprintf("SELECT pg_catalog.count(*) FROM %s.verify()",
										quote_identifier(schema)));
	SPI_finish();
	if (differences > 0)
		ereport(WARNING,
				(errmsg("the restored books \"%s\" show " INT64_FORMAT " differences",
						schema, differences),
				 errhint("SELECT * FROM %s.verify().", quote_identifier(schema))));
	PG_RETURN_INT64(differences);
}
