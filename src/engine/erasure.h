/*
 * erasure.h - whether an erasure is going on, before which triggers stand aside.
 */
#ifndef HRLOOP_ERASURE_H
#define HRLOOP_ERASURE_H

/*
 * Whether the triggers of some books stand aside: only while hr_erase() executes
 * its updates.  No setting and no role can ask for it.
 */
extern bool hr_erasing(Oid books);

/* Execute updates and nothing else with the triggers standing aside; the number of rows changed. */
extern int64 hr_erase(Oid books, char **statement, uint64 count);

#endif
