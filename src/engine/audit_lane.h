/*
 * audit_lane.h - which chain a transaction writes, and how far it has come.
 */
#ifndef HRLOOP_AUDIT_LANE_H
#define HRLOOP_AUDIT_LANE_H

#include "common/sha2.h"

/* A lane of the log that is ours until the transaction ends. */
typedef struct HrLane
{
	Oid			books;
	int			number;			/* 0: not taken yet */
	int64		length;			/* entries */
	uint8		head[PG_SHA256_DIGEST_LENGTH];	/* hash of the last one */
} HrLane;

/* Take one, the transaction's own if it has one.  Call it inside a scope.  Raises if 10,000 are taken. */
extern void hr_lane_take(HrLane *lane, Oid books);

/* Write how far it has come. */
extern void hr_lane_leave(const HrLane *lane);

#endif
