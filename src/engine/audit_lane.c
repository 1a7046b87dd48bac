/*
 * audit_lane.c - which chain a transaction writes, and how far it has come.
 *
 * One chain would make every writer wait for the one before it until that one
 * commits; so there are several, called lanes.  A transaction takes a lane that
 * nobody holds, by an advisory lock until it ends, and a head row keeps the lane's
 * length and last hash.  Entries and head roll back together: a lane has no gaps,
 * so that one entry less is seen at once, the last one included.
 */
#include "hrloop.h"

#include "audit_digest.h"
#include "audit_lane.h"
#include "cells.h"
#include "plan_cache.h"
#include "table.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#define MAX_LANES 10000

/* Where this part of this transaction left its lane: nobody else can move it. */
static struct
{
	FullTransactionId transaction;
	SubTransactionId part;
	HrLane		lane;
}			left;

/* Until the transaction ends, or its part that took it is rolled back. */
static bool
take_lane(Oid lanes, int lane)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, lanes, (uint32) lane, 2);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* The lane this session had before, or the first that is free. */
static int
find_lane(Oid lanes)
{
	static int	latest = 1;

	if (take_lane(lanes, latest))
		return latest;
	for (int lane = 1; lane <= MAX_LANES; lane++)
		if (take_lane(lanes, lane))
			return latest = lane;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("no lane of the audit log is free"),
			 errdetail("More than %d transactions write at the same time, or somebody holds the advisory locks.", MAX_LANES)));
	return 0;					/* keep compiler quiet */
}

/*
 * The lanes, with ours found: as it is committed now, also in a transaction that
 * otherwise keeps to an older snapshot.  Who holds the lane is alone with it.
 * One that was never used, or that a restore has just emptied, is made.
 */
static HrTable *
open_lanes(const HrLane *own)
{
	static const HrQuery make = {"audit lane new", "INSERT INTO @audit_lane (lane) VALUES ($1)", 1, {INT4OID}};
	Datum		lane = Int32GetDatum(own->number);

	for (int attempt = 0; attempt < 2; attempt++)
	{
		HrTable    *lanes = hr_table_open(own->books, "audit_lane", RowExclusiveLock);

		CommandCounterIncrement();
		PushActiveSnapshot(GetLatestSnapshot());
		hr_table_scan(lanes, hr_column(RelationGetDescr(lanes->rel), "lane", INT4OID));
		if (hr_table_find(lanes, lane))
			return lanes;
		hr_table_close(lanes);
		PopActiveSnapshot();
		hr_execute(own->books, &make, &lane, NULL, false);
	}
	elog(ERROR, "hrloop: lane %d of the audit log is not there", own->number);
	return NULL;				/* keep compiler quiet */
}

static void
close_lanes(HrTable *lanes)
{
	hr_table_close(lanes);
	PopActiveSnapshot();
}

void
hr_lane_take(HrLane *lane, Oid books)
{
	HrTable    *lanes;
	TupleDesc	desc;
	HrCell		head;

	if (left.lane.books == books && left.part == GetCurrentSubTransactionId() &&
		FullTransactionIdEquals(left.transaction, GetTopFullTransactionId()))
	{
		*lane = left.lane;
		return;
	}
	lane->books = books;
	lane->number = find_lane(get_relname_relid("audit_lane", books));
	lanes = open_lanes(lane);
	desc = RelationGetDescr(lanes->rel);
	lane->length = hr_bigint(hr_table_cell(lanes, hr_column(desc, "length", INT8OID)));
	head = hr_table_cell(lanes, hr_column(desc, "head", BYTEAOID));
	if (head.null || VARSIZE_ANY_EXHDR(DatumGetByteaPP(head.value)) != PG_SHA256_DIGEST_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the head of lane %d of the audit log is no hash", lane->number),
				 errhint("SELECT * FROM verify_audit() tells what else was changed.")));
	memcpy(lane->head, VARDATA_ANY(DatumGetByteaPP(head.value)), PG_SHA256_DIGEST_LENGTH);
	close_lanes(lanes);
}

void
hr_lane_leave(const HrLane *lane)
{
	HrTable    *lanes = open_lanes(lane);
	TupleDesc	desc = RelationGetDescr(lanes->rel);
	AttrNumber	column[2] = {hr_column(desc, "length", INT8OID), hr_column(desc, "head", BYTEAOID)};
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc0(desc->natts * sizeof(bool));
	bool	   *replace = palloc0(desc->natts * sizeof(bool));

	values[column[0] - 1] = Int64GetDatum(lane->length);
	values[column[1] - 1] = hr_digest_datum(lane->head);
	replace[column[0] - 1] = replace[column[1] - 1] = true;
	hr_table_begin(lanes, CMD_UPDATE, column, 2);
	hr_table_update(lanes, values, nulls, replace);
	hr_table_end(lanes);
	close_lanes(lanes);
	left.transaction = GetTopFullTransactionId();
	left.part = GetCurrentSubTransactionId();
	left.lane = *lane;
}
