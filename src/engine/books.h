/*
 * books.h - which schemas hold books, of which version they are, and whose.
 *
 * Books are one company's schema.  They are handed over as their table `book`, or by
 * the oid of the schema.
 */
#ifndef HRLOOP_BOOKS_H
#define HRLOOP_BOOKS_H

/* Called once, when the library is loaded. */
extern void hr_books_init(void);

/* Refuse a schema that does not hold books of the library's version. */
extern void hr_books_check(Oid books);

/* The schema that a `book` table stands for, to write there.  Raises as hr_books_check() does. */
extern Oid	hr_books_of(Oid book_table);

/* The same to read: books that wait for their migration are good enough. */
extern Oid	hr_books_to_read(Oid book_table);

/* The role to which the books of a table belong: whoever owns the table. */
extern Oid	hr_owner_of(Relation table);

/* The same of a `book` table. */
extern Oid	hr_books_owner(Oid book_table);

/* As hr_books_of(), for who has the rights of the owner.  Others are told that they cannot do what. */
extern Oid	hr_owned(Oid book_table, const char *what);

/* The version that a `book` table states, or NULL.  Looking at somebody's schema runs nobody's code. */
extern char *hr_stated_version(Oid book_table);

/* Which of two versions such as 0.10.2 is the later one: > 0 if it is a. */
extern int	hr_compare_versions(const char *a, const char *b);

/* Books whose version is not asked for while they are migrated; InvalidOid ends it. */
extern void hr_books_migrating(Oid books);

#endif
