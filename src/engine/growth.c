/*
 * growth.c - whether a kept plan was made for tables that have grown since.
 *
 * A company begins with empty tables, and a plan that was right for them may
 * read for each key all that there is.  PostgreSQL makes a plan anew when a
 * table was analysed or vacuumed, which in the session that fills it comes too
 * late.  So the sizes that the planner saw are noted, and looked at again now
 * and then; a plan whose tables have become several times as large is made anew.
 */
#include "hrloop.h"

#include "growth.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "nodes/plannodes.h"
#include "storage/bufmgr.h"

#define OFTEN 8					/* uses from one look to the next */
#define TIMES 4					/* as large is grown ... */
#define SMALL 10				/* ... from what the planner takes for the least, in pages */
#define SPARE 20000				/* microseconds from one plan made anew to the next */

static BlockNumber
pages_of(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	BlockNumber pages = 0;

	if (rel == NULL)
		return 0;
	if (RELKIND_HAS_TABLE_AM(rel->rd_rel->relkind))
		pages = RelationGetNumberOfBlocks(rel);
	relation_close(rel, AccessShareLock);
	return pages;
}

void
hr_sizes_forget(HrSizes *sizes)
{
	sizes->generation = 0;
}

static void
note(HrSizes *sizes, const CachedPlanSource *source)
{
	List	   *relations = NIL;
	ListCell   *cell;

	foreach(cell, source->gplan->stmt_list)
		relations = list_concat_unique_oid(relations, lfirst_node(PlannedStmt, cell)->relationOids);
	if (list_length(relations) > sizes->room)
	{
		sizes->room = list_length(relations);
		sizes->table = MemoryContextAlloc(sizes->context, sizes->room * sizeof(HrSize));
	}
	sizes->count = 0;
	foreach(cell, relations)
	{
		HrSize	   *size = &sizes->table[sizes->count++];

		size->relid = lfirst_oid(cell);
		size->pages = pages_of(size->relid);
	}
	sizes->generation = source->generation;
	sizes->uses = 0;
	list_free(relations);
}

static bool
have_grown(const HrSizes *sizes)
{
	for (int i = 0; i < sizes->count; i++)
		if (pages_of(sizes->table[i].relid) / TIMES > Max(sizes->table[i].pages, SMALL))
			return true;
	return false;
}

/*
 * Tables that belong together grow together, and all that was planned for them
 * would be made anew in the same moment, for somebody who waits.  An old plan is
 * slow at worst: one in a statement is made anew, and then one in a while.
 */
static bool
may_wait(void)
{
	static TimestampTz statement;
	static TimestampTz last;
	TimestampTz now = GetCurrentTimestamp();

	if (statement == GetCurrentStatementStartTimestamp() && now - last < SPARE)
		return false;
	statement = GetCurrentStatementStartTimestamp();
	last = now;
	return true;
}

bool
hr_outgrown(HrSizes *sizes, CachedPlanSource *source, bool many)
{
	if (source->gplan == NULL || !source->gplan->is_valid)
		return false;
	if (sizes->generation != source->generation)
	{
		note(sizes, source);
		return false;
	}
	if (!many && ++sizes->uses % OFTEN != 0)
		return false;
	if (!have_grown(sizes) || (!many && !may_wait()))
		return false;
	source->gplan->is_valid = false;
	return true;
}
