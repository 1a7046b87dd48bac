/*
 * books_script.h - the scripts that are installed with the library, and how they are run.
 */
#ifndef HRLOOP_BOOKS_SCRIPT_H
#define HRLOOP_BOOKS_SCRIPT_H

/* Where they are. */
extern char *hr_share_directory(void);

/* Run one in a schema, as the caller, statement by statement: an error shows its own. */
extern void hr_run_script(const char *schema, const char *file);

#endif
