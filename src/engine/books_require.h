/*
 * books_require.h - what must be so before books are made, migrated or restored.
 *
 * All raise an error that says what to do.
 */
#ifndef HRLOOP_BOOKS_REQUIRE_H
#define HRLOOP_BOOKS_REQUIRE_H

/* The name of the schema that a function was given first. */
extern char *hr_schema_argument(FunctionCallInfo fcinfo);

/* That the transaction can write; else one line for what would fail at its first statement. */
extern void hr_require_writable(const char *what);

/* That the database tells characters from bytes. */
extern void hr_require_characters(void);

/* That a schema of this name can hold books. */
extern void hr_require_schema_for_books(const char *schema);

/* That the schema is the caller's own. */
extern void hr_require_own_schema(Oid books, const char *schema);

/* That the caller is a member of the role to which the books belong. */
extern void hr_require_member(Oid role, const char *schema);

/* That new books are under their name and of one owner; before: what there was, NULL: only the schema. */
extern void hr_require_whole(Oid books, const char *schema, const char *before);

/* That the extension's own SQL is of the library's version, and nobody else's. */
extern void hr_require_engine(void);

#endif
