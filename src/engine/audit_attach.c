/*
 * audit_attach.c - the triggers that write the log, on the tables that its rules name.
 */
#include "hrloop.h"

#include "books.h"
#include "books_sql.h"
#include "plan_cache.h"

#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_audit_attach);

/* hrloop.audit_attach(book): the triggers that the rows of table_rule ask for. */
Datum
hrloop_audit_attach(PG_FUNCTION_ARGS)
{
	Oid			books;
	char	   *schema;
	SPITupleTable *rows;
	uint64		count;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books must not be null")));
	books = hr_books_of(PG_GETARG_OID(0));
	schema = get_namespace_name(books);
	SPI_connect();
	hr_execute_for_script(schema, hr_expand(books, "SELECT command FROM @audit_command() WHERE command IS NOT NULL"));
	rows = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		hr_execute_for_script(schema, SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
	SPI_finish();
	PG_RETURN_INT64((int64) count);
}
