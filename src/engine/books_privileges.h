/*
 * books_privileges.h - what was given of new books, without a word, to others.
 */
#ifndef HRLOOP_BOOKS_PRIVILEGES_H
#define HRLOOP_BOOKS_PRIVILEGES_H

/*
 * Tables and routines of some books as a FROM item "o" with key, kind, word, name and owner:
 * what grants and default privileges call their kind.
 */
extern char *hr_objects_query(Oid books);

/* Which there are, as text[]: the next ones are those that are not among them. */
extern char *hr_objects(Oid books);

/* Default privileges of who runs a script, for some kinds, as a FROM item "d" with grantees "g". */
extern char *hr_default_privileges(Oid books, const char *kinds);

/* Whether there are default privileges to undo; who has something by them is told. */
extern bool hr_have_default_privileges(Oid books);

/* New objects are their owner's, wholly, and nobody else's. */
extern void hr_undo_default_privileges(Oid books, const char *before);

/* New routines are not callable by PUBLIC. */
extern void hr_close_to_public(Oid books, const char *before);

#endif
