/*
 * books_sql.c - statements that make books, or ask the catalog about them.
 *
 * Anybody may have set anything, and an event trigger may set it anew between two
 * statements: so each is run with its own settings.
 */
#include "hrloop.h"

#include "books_scope.h"
#include "books_sql.h"
#include "cells.h"

#include "utils/builtins.h"
#include "utils/guc.h"

/* What a user may have set that would make other books of the same script. */
static const char *const script_settings[][2] = {
	{"standard_conforming_strings", "on"},
	{"escape_string_warning", "off"},
	{"transform_null_equals", "off"},
	{"array_nulls", "on"},
	{"check_function_bodies", "on"},
	{"row_security", "on"},
	{"quote_all_identifiers", "off"},
	{"DateStyle", "ISO, YMD"},
	{"IntervalStyle", "postgres"}
};

/* Unqualified names mean the books', strings and dates what the script's author meant. */
int
hr_pin_for_script(const char *schema)
{
	int			level = hr_pin_search_path(psprintf("%s, hrloop, pg_temp", quote_identifier(schema)));

	for (int i = 0; i < (int) lengthof(script_settings); i++)
		hr_set_for_scope(script_settings[i][0], script_settings[i][1]);
	/* what a script writes has consequences, also in a session that loads rows without */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		hr_set_for_scope_as(PGC_SUSET, "session_replication_role", "origin");
	return level;
}

void
hr_sql(const char *sql)
{
	int			rc = SPI_execute(sql, false, 0);

	if (rc < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a function cannot run this statement: %s", sql),
				 errdetail("%s.", SPI_result_code_string(rc))));
}

/*
 * A statement of a script.  What it needs is pinned for each of them, as an event trigger
 * that takes part in one may set what it likes.
 */
void
hr_execute_for_script(const char *schema, const char *sql)
{
	int			level = hr_pin_for_script(schema);

	hr_sql(sql);
	AtEOXact_GUC(true, level);
}

/* A query whose names are the catalog's, whatever the caller or an event trigger has set. */
void
hr_sql_plainly(const char *query)
{
	int			level = hr_pin_search_path("pg_catalog, pg_temp");

	hr_sql(query);
	AtEOXact_GUC(true, level);
}

/* The first column of a query's only row, or NULL. */
char *
hr_sql_text(const char *query)
{
	hr_sql_plainly(query);
	return SPI_processed == 1 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
}

int64
hr_sql_count(const char *sql)
{
	hr_sql(sql);
	return hr_bigint(hr_cell_found(0, 1));
}

/* Run each of the statements that a query makes. */
void
hr_sql_each(const char *query)
{
	SPITupleTable *rows;
	uint64		count;

	hr_sql_plainly(query);
	rows = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		hr_sql_plainly(SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
	SPI_freetuptable(rows);
}
