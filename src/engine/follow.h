/*
 * follow.h - the one way from a statement to its consequences.
 */
#ifndef HRLOOP_FOLLOW_H
#define HRLOOP_FOLLOW_H

/* When the library is loaded. */
extern void hr_follow_init(void);

#endif
