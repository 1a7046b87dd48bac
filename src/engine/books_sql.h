/*
 * books_sql.h - statements that make books, or ask the catalog about them.
 *
 * All are called between SPI_connect() and SPI_finish(), as the caller of the function.
 */
#ifndef HRLOOP_BOOKS_SQL_H
#define HRLOOP_BOOKS_SQL_H

/* A statement with the settings that there are.  Raises for what a function cannot run. */
extern void hr_sql(const char *sql);

/* A query whose names are the catalog's, whatever the caller or an event trigger has set. */
extern void hr_sql_plainly(const char *query);

/* The first column of such a query's only row, or NULL. */
extern char *hr_sql_text(const char *query);

/* The bigint that is a statement's only value. */
extern int64 hr_sql_count(const char *sql);

/* Run each of the statements that such a query makes. */
extern void hr_sql_each(const char *query);

/* A statement of the books' own making: unqualified names are the books'. */
extern void hr_execute_for_script(const char *schema, const char *sql);

/* Begin a level of settings for these; AtEOXact_GUC(true, level) ends it. */
extern int	hr_pin_for_script(const char *schema);

#endif
