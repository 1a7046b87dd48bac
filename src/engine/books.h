/*
 * books.h - one company's schema, and how the engine works in it.
 */
#ifndef HRLOOP_BOOKS_H
#define HRLOOP_BOOKS_H

/* What a scope puts back when it is left. */
typedef struct HrScope
{
	Oid			user;
	int			security;
	int			guc_level;
} HrScope;

/* Called once, when the library is loaded. */
extern void hr_books_init(void);

/* Refuse a schema that does not hold books of the library's version. */
extern void hr_books_check(Oid books);

/* The schema that a `book` table stands for, to write there.  Raises as hr_books_check() does. */
extern Oid	hr_books_of(Oid book_table);

/* The same to read: books that wait for their migration are good enough. */
extern Oid	hr_books_to_read(Oid book_table);

/* The role to which a table of the books belongs, and with it the books. */
extern Oid	hr_books_owner(Oid book_table);

/* As hr_books_of(), for who has the rights of the owner.  Others are told that they cannot do what. */
extern Oid	hr_owned(Oid book_table, const char *what);

/* A statement of the books' own making, with unqualified names.  Call it between SPI_connect() and SPI_finish(). */
extern void hr_execute_for_script(const char *schema, const char *sql);

/*
 * A scope runs SPI as the owner of the books with a pinned search_path, as
 * foreign key triggers do.  An error leaves it by itself.
 */
extern void hr_scope_enter(HrScope *scope, Oid owner);

/* Leave it: what is to last must be in the caller's memory by then. */
extern void hr_scope_leave(HrScope *scope);

/*
 * A scope that reads what is committed now.  What comes back is 0, or the statement
 * for which alone that holds which is read.
 */
extern TimestampTz hr_scope_enter_latest(HrScope *scope, Oid owner);

/* Leave such a scope. */
extern void hr_scope_leave_latest(HrScope *scope);

#endif
