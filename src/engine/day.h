/*
 * day.h - days as the books count them: by the setting book.timezone, not by the session.
 */
#ifndef HRLOOP_DAY_H
#define HRLOOP_DAY_H

#include "utils/date.h"

/* The day of a moment in these books. */
extern DateADT hr_day_of(Oid books, TimestampTz moment);

/* Today: the day on which the transaction began. */
extern DateADT hr_today(Oid books);

#endif
