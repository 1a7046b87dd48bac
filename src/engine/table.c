/*
 * table.c - rows of the books found by key, written without a query.
 *
 * What is computed for every score must not pay for a plan at every score.  So
 * the engine finds and writes the rows that it derives by itself, as logical
 * replication's apply worker does: by the primary key's index, with constraints,
 * indexes, foreign keys and every trigger of the statement, transition tables
 * included.  A table with a trigger BEFORE each row or a generated
 * column, or one that is partitioned, is left to SQL: ask hr_table_plain() first.
 */
#include "hrloop.h"

#include "invalidate.h"
#include "plan_cache.h"
#include "table.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#endif

/* A table of the books, its primary key's index, and one row. */
HrTable *
hr_table_open(Oid books, const char *name, LOCKMODE mode)
{
	Oid			relid = get_relname_relid(name, books);
	HrTable    *table = palloc0(sizeof(HrTable));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of the books does not exist any more", name)));
	table->rel = table_open(relid, mode);
	table->row = table_slot_create(table->rel, NULL);
	return table;
}

/* Whether rows of this table can be found and written here; else SQL has to. */
bool
hr_table_plain(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	return rel->rd_rel->relkind == RELKIND_RELATION &&
		!(triggers && (triggers->trig_insert_before_row || triggers->trig_update_before_row)) &&
		!(rel->rd_att->constr && rel->rd_att->constr->has_generated_stored);
}

/* The index to find rows by a column, which it must begin with. */
static Relation
index_on(Relation rel, AttrNumber column)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" of the books is not a plain table any more", RelationGetRelationName(rel)),
				 errhint("The engine reads it by its key; score and audit_entry are what can be partitioned.")));

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indisvalid && index->rd_index->indkey.values[0] == column &&
			index->rd_rel->relam == BTREE_AM_OID &&
			RelationGetIndexPredicate(index) == NIL)
			return index;
		index_close(index, AccessShareLock);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no index on \"%s\" any more", RelationGetRelationName(rel),
					NameStr(TupleDescAttr(rel->rd_att, column - 1)->attname))));
	return NULL;				/* keep compiler quiet */
}

/* Begin to read rows by a column, as they are now. */
void
hr_table_scan(HrTable *table, AttrNumber column)
{
	table->index = index_on(table->rel, column);
	table->type = TupleDescAttr(table->rel->rd_att, column - 1)->atttypid;
	table->scan = index_beginscan(table->rel, table->index, GetActiveSnapshot(),
#if PG_VERSION_NUM >= 180000
								  NULL,
#endif
								  1, 0);
}

static RegProcedure
equality(Oid type)
{
	return type == INT4OID ? F_INT4EQ : type == TEXTOID ? F_TEXTEQ : type == BOOLOID ? F_BOOLEQ : F_INT8EQ;
}

/* Those with this value come next. */
void
hr_table_seek(HrTable *table, Datum value)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, equality(table->type), value);
	key.sk_collation = table->index->rd_indcollation[0];
	index_rescan(table->scan, &key, 1, NULL, 0);
}

bool
hr_table_next(HrTable *table)
{
	return index_getnext_slot(table->scan, ForwardScanDirection, table->row);
}

bool
hr_table_find(HrTable *table, Datum value)
{
	hr_table_seek(table, value);
	return hr_table_next(table);
}

/*
 * Lock the row that was found, as SELECT ... FOR does: who waited gets it as it has
 * become, or in a transaction with one snapshot an error.  False: it is gone.
 */
bool
hr_table_lock(HrTable *table, LockTupleMode mode)
{
	ItemPointerData tid = table->row->tts_tid;
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_lock(table->rel, &tid, GetActiveSnapshot(), table->row,
							  GetCurrentCommandId(true), mode, LockWaitBlock,
							  TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
							  (IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION), &failure);
	if (result == TM_Updated || (result == TM_Deleted && IsolationUsesXactSnapshot()))
		hr_not_current();
	if (result != TM_Ok && result != TM_Deleted && result != TM_SelfModified)
		elog(ERROR, "hrloop: cannot lock a row of \"%s\" (%d)", RelationGetRelationName(table->rel), result);
	return result == TM_Ok;
}

/* -------------------------------------------------------------------- writing */

/* What the executor knows of the one table of a statement, and of its columns. */
static EState *
executor_state(Relation rel, CmdType command, Bitmapset *columns)
{
	EState	   *estate = CreateExecutorState();
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	rte->rtekind = RTE_RELATION;
	rte->relid = RelationGetRelid(rel);
	rte->relkind = rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
	{
		List	   *permissions = NIL;
		RTEPermissionInfo *info = addRTEPermissionInfo(&permissions, rte);

		if (command == CMD_UPDATE)
			info->updatedCols = columns;
		else
			info->insertedCols = columns;
#if PG_VERSION_NUM >= 180000
		ExecInitRangeTable(estate, list_make1(rte), permissions, bms_make_singleton(1));
#else
		ExecInitRangeTable(estate, list_make1(rte), permissions);
#endif
	}
#else
	if (command == CMD_UPDATE)
		rte->updatedCols = columns;
	else
		rte->insertedCols = columns;
	ExecInitRangeTable(estate, list_make1(rte));
#endif
	estate->es_output_cid = GetCurrentCommandId(true);
	return estate;
}

/*
 * What is dear to find out for every statement, remembered until the table changes:
 * which columns its CHECK constraints mention, as an update of others cannot break
 * them, and the sequence of its key.
 */
typedef struct Known
{
	Oid			relid;			/* hash key */
	bool		valid;
	Bitmapset  *checked;
	Oid			sequence;		/* InvalidOid: not asked for yet */
} Known;

static HTAB *known;

static void
forget_known(Oid relid)
{
	HASH_SEQ_STATUS seq;
	Known	   *entry;

	hash_seq_init(&seq, known);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relid) || entry->relid == relid)
			entry->valid = false;
}

void
hr_table_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(Known);
	known = hash_create("hrloop tables", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	hr_on_change(forget_known);
}

static Known *
known_of(Relation rel)
{
	TupleConstr *constr = rel->rd_att->constr;
	Oid			relid = RelationGetRelid(rel);
	Bitmapset  *columns = NULL;
	bool		found;
	Known	   *entry = hash_search(known, &relid, HASH_ENTER, &found);
	MemoryContext caller;

	if (found && entry->valid)
		return entry;
	if (!found)
		entry->checked = NULL;
	entry->valid = false;
	entry->sequence = InvalidOid;
	for (int i = 0; constr && i < constr->num_check; i++)
		pull_varattnos(stringToNode(constr->check[i].ccbin), 1, &columns);
	caller = MemoryContextSwitchTo(TopMemoryContext);
	bms_free(entry->checked);
	entry->checked = bms_copy(columns);
	MemoryContextSwitchTo(caller);
	entry->valid = true;
	return entry;
}

/* The sequence of an identity column. */
Oid
hr_table_sequence(HrTable *table, AttrNumber column)
{
	Known	   *entry = known_of(table->rel);
	Oid			sequence = entry->sequence;

	if (OidIsValid(sequence))
		return sequence;
#if PG_VERSION_NUM >= 170000
	sequence = getIdentitySequence(table->rel, column, true);
#else
	sequence = getIdentitySequence(RelationGetRelid(table->rel), column, true);
#endif
	if (!OidIsValid(sequence))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of \"%s\" is no identity any more",
						NameStr(TupleDescAttr(table->rel->rd_att, column - 1)->attname), RelationGetRelationName(table->rel))));
	known_of(table->rel)->sequence = sequence;
	return sequence;
}

/* Whether an update of these columns could break a constraint. */
static bool
can_break(Relation rel, const bool *nulls, const bool *replace)
{
	const Bitmapset *columns = known_of(rel)->checked;

	if (bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns))
		return true;			/* the whole row */
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
		if (replace[i] &&
			((nulls[i] && TupleDescAttr(RelationGetDescr(rel), i)->attnotnull) ||
			 bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, columns)))
			return true;
	return false;
}

/* Begin a statement that writes these columns. */
void
hr_table_begin(HrTable *table, CmdType command, const AttrNumber *columns, int count)
{
	Bitmapset  *written = NULL;

	for (int i = 0; i < count; i++)
		written = bms_add_member(written, columns[i] - FirstLowInvalidHeapAttributeNumber);
	table->command = command;
	table->estate = executor_state(table->rel, command, written);
	table->result = makeNode(ResultRelInfo);
	InitResultRelInfo(table->result, table->rel, 1, NULL, 0);
	ExecOpenIndices(table->result, false);
	table->fresh = table_slot_create(table->rel, NULL);
	AfterTriggerBeginQuery();
	if (command == CMD_UPDATE)
		ExecBSUpdateTriggers(table->estate, table->result);
	else
		ExecBSInsertTriggers(table->estate, table->result);
	table->capture = MakeTransitionCaptureState(table->rel->trigdesc, RelationGetRelid(table->rel), command);
}

static List *
index_entries(HrTable *table, bool update, bool summarizing)
{
	return ExecInsertIndexTuples(table->result, table->fresh, table->estate, update, false, NULL, NIL
#if PG_VERSION_NUM >= 160000
								 ,summarizing
#endif
		);
}

/* The row that was found, with other values where replace says so. */
void
hr_table_update(HrTable *table, const Datum *values, const bool *nulls, const bool *replace)
{
	TupleTableSlot *fresh = table->fresh;
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	result;
	List	   *recheck = NIL;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes indexes;
#else
	bool		indexes;
#endif

	ExecCopySlot(fresh, table->row);
	slot_getallattrs(fresh);
	for (int i = 0; i < fresh->tts_tupleDescriptor->natts; i++)
		if (replace[i])
		{
			fresh->tts_values[i] = values[i];
			fresh->tts_isnull[i] = nulls[i];
		}
	/* the values go on in a tuple made of them */
	{
		HeapTuple	tuple = heap_form_tuple(fresh->tts_tupleDescriptor, fresh->tts_values, fresh->tts_isnull);

		tuple->t_self = table->row->tts_tid;
		tuple->t_tableOid = RelationGetRelid(table->rel);
		ExecForceStoreHeapTuple(tuple, fresh, true);
		fresh->tts_tableOid = RelationGetRelid(table->rel);
	}
	if (can_break(table->rel, nulls, replace))
		ExecConstraints(table->result, fresh, table->estate);
	result = table_tuple_update(table->rel, &table->row->tts_tid, fresh, table->estate->es_output_cid,
								GetActiveSnapshot(), InvalidSnapshot, true, &failure, &mode, &indexes);
	if (result != TM_Ok)
		elog(ERROR, "hrloop: a row of \"%s\" that is locked was changed (%d)",
			 RelationGetRelationName(table->rel), result);
#if PG_VERSION_NUM >= 160000
	if (indexes != TU_None)
		recheck = index_entries(table, true, indexes == TU_Summarizing);
#else
	if (indexes)
		recheck = index_entries(table, true, false);
#endif
	ExecARUpdateTriggers(table->estate, table->result, NULL, NULL, &table->row->tts_tid, NULL,
						 fresh, recheck, table->capture, false);
	list_free(recheck);
	ResetPerTupleExprContext(table->estate);
}

/* A new row of these values, all columns in order. */
void
hr_table_insert(HrTable *table, Datum *values, bool *nulls)
{
	TupleTableSlot *fresh = table->fresh;
	List	   *recheck;

	ExecForceStoreHeapTuple(heap_form_tuple(fresh->tts_tupleDescriptor, values, nulls), fresh, true);
	fresh->tts_tableOid = RelationGetRelid(table->rel);
	if (table->rel->rd_att->constr)
		ExecConstraints(table->result, fresh, table->estate);
	table_tuple_insert(table->rel, fresh, table->estate->es_output_cid, 0, NULL);
	recheck = index_entries(table, false, false);
	ExecARInsertTriggers(table->estate, table->result, fresh, recheck, table->capture);
	list_free(recheck);
	ResetPerTupleExprContext(table->estate);
}

/* The statement ends, and its triggers fire. */
void
hr_table_end(HrTable *table)
{
	if (table->command == CMD_UPDATE)
		ExecASUpdateTriggers(table->estate, table->result, table->capture);
	else
		ExecASInsertTriggers(table->estate, table->result, table->capture);
	AfterTriggerEndQuery(table->estate);
	ExecDropSingleTupleTableSlot(table->fresh);
	ExecCloseIndices(table->result);
	ExecCloseResultRelations(table->estate);
	ExecResetTupleTable(table->estate->es_tupleTable, false);
	FreeExecutorState(table->estate);
	table->estate = NULL;
}

/* Locks stay until the transaction ends. */
void
hr_table_close(HrTable *table)
{
	if (table->scan)
		index_endscan(table->scan);
	if (table->index)
		index_close(table->index, NoLock);
	ExecDropSingleTupleTableSlot(table->row);
	table_close(table->rel, NoLock);
	pfree(table);
}
