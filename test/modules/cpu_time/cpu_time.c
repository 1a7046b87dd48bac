/*
 * cpu_time.c - the CPU time of this backend to the nanosecond, for benchmarks: what
 * /proc tells of it is by the tick, which is more than a call takes.
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(cpu_time);

Datum
cpu_time(PG_FUNCTION_ARGS)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	PG_RETURN_INT64((int64) now.tv_sec * 1000000000 + now.tv_nsec);
}
