/*
 * access.h - who is asking.
 */
#ifndef HRLOOP_ACCESS_H
#define HRLOOP_ACCESS_H

/* Who asks in some books, and under which conditions this was found. */
typedef struct HrIdentity
{
	Oid			book_table;		/* for these it was found ... */
	TimestampTz statement;
	uint64		changes;
	Oid			session;
	Oid			outer;			/* the role that asks: SET ROLE, else the login */
	Oid			books;			/* ... and this is it */
	bool		owner;			/* whether that role has the rights of the owner */
	bool		known;			/* whether somebody acts, and who */
	int64		employee;
	const char *number;
} HrIdentity;

/* Called once, when the library is loaded. */
extern void hr_access_init(void);

/* Who is asking in the books of a `book` table: valid until the next call. */
extern const HrIdentity *hr_identity(Oid book_table);

/* The same for the books by their schema: whether somebody acts, and who (number: may be NULL). */
extern bool hr_actor(Oid books, int64 *employee, const char **number);

/* Who acts, in whichever books: both NULL if nobody does. */
extern void hr_acting(const char **books, const char **number);

/* The role that SET ROLE took; NULL: the login's own. */
extern const char *hr_role(void);

/* Note changes of these tables from now on. */
extern void hr_watch(Oid books, const char *const *tables, int count);

/*
 * Moves with every change of what is watched, and with act_as().  What was read is good
 * as long as this is what it was before the reading began.
 */
extern uint64 hr_changes(void);

#endif
