/*
 * audit_entry.c - entries of the log, chained by hashes and written.
 *
 * An entry's hash is over the entry and the hash before it.  Of its texts the hash
 * covers a digest, so that an erasure can take them away.
 */
#include "hrloop.h"

#include "access.h"
#include "audit_digest.h"
#include "audit_entry.h"
#include "audit_lane.h"
#include "audit_subject.h"
#include "books_scope.h"
#include "cells.h"
#include "plan_cache.h"
#include "table.h"
#include "transaction.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

static bool writing;			/* the engine itself writes the log */

HrAudit *
hr_audit_new(Oid books, Oid owner, const char *table, const char *action)
{
	HrAudit    *audit = palloc(sizeof(HrAudit));

	memset(audit, 0, offsetof(HrAudit, key));
	audit->books = books;
	audit->owner = owner;
	audit->table = table;
	audit->action = action;
	audit->slice = AllocSetContextCreate(CurrentMemoryContext, "hrloop audit", ALLOCSET_DEFAULT_SIZES);
	return audit;
}

static Datum
array_of(HrAudit *audit, Datum *values, bool *nulls, Oid type, int length, bool byval, char align)
{
	int			dims[1] = {audit->count};
	int			lbs[1] = {1};

	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, type, length, byval, align));
}

/* Who writes: the same for every entry of a statement. */
typedef struct Writer
{
	const char *user;
	const char *role;			/* NULL: the login's own */
	bool		acting;
	int64		actor;
} Writer;

/* Chain the entry for row i to the one before; both hashes come out as values. */
static void
chain_entry(HrAudit *audit, const Writer *by, int i, StringInfo content, Datum *digest_value, Datum *hash_value)
{
	const char *const texts[HR_DIGEST_TEXTS] = {
		by->user, by->role,
		audit->no_before[i] ? NULL : hr_json_text(audit->before[i]),
		audit->no_after[i] ? NULL : hr_json_text(audit->after[i]),
		audit->no_reason[i] ? NULL : TextDatumGetCString(audit->reasons[i])
	};
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	StringInfoData hex;

	resetStringInfo(content);
	hr_number_field(content, audit->lane.number);
	hr_number_field(content, audit->lane.length + i + 1);
	hr_number_field(content, GetCurrentTransactionStartTimestamp() +
					(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
	hr_number_field(content, hr_transaction_number(audit->books));
	if (by->acting)
		hr_number_field(content, by->actor);
	else
		hr_field(content, NULL);
	hr_field(content, audit->table);
	hr_field(content, audit->action);
	hr_field(content, audit->no_key[i] ? NULL : TextDatumGetCString(audit->key[i]));
	if (audit->subject.null[i])
		hr_field(content, NULL);
	else
		hr_number_field(content, DatumGetInt64(audit->subject.id[i]));
	hr_digest_texts(&audit->sha, texts, digest);
	*digest_value = hr_digest_datum(digest);
	initStringInfo(&hex);
	hr_append_hex(&hex, digest);
	hr_field(content, hex.data);
	hr_sha256(&audit->sha, audit->lane.head, content->data, content->len, audit->lane.head);
	*hash_value = hr_digest_datum(audit->lane.head);
}

static void
insert_by_sql(HrAudit *audit, const Writer *by, Datum *digests, Datum *hashes)
{
	static const HrQuery insert = {"audit insert",
		"INSERT INTO @audit_entry (lane, seq, actor_id, db_user, db_role, table_name, action,"
		"                          row_key, employee_id, before, after, reason, digest, hash)"
		" SELECT $1, $2 + r.n, $3, $4, $5, $6, $7, r.row_key, r.employee_id, r.before, r.after, r.reason, r.digest, r.hash"
		"   FROM unnest($8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY"
		"        AS r (row_key, employee_id, before, after, reason, digest, hash, n)", 14,
		{INT4OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	TEXTARRAYOID, INT8ARRAYOID, JSONBARRAYOID, JSONBARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID}};
	bool		no_hash[HR_AUDIT_SLICE] = {false};
	Datum		values[14];
	char		nulls[14];

	values[0] = Int32GetDatum(audit->lane.number);
	values[1] = Int64GetDatum(audit->lane.length);
	values[2] = Int64GetDatum(by->actor);
	values[3] = CStringGetTextDatum(by->user);
	values[4] = by->role ? CStringGetTextDatum(by->role) : (Datum) 0;
	values[5] = CStringGetTextDatum(audit->table);
	values[6] = CStringGetTextDatum(audit->action);
	values[7] = array_of(audit, audit->key, audit->no_key, TEXTOID, -1, false, TYPALIGN_INT);
	values[8] = array_of(audit, audit->subject.id, audit->subject.null, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	values[9] = array_of(audit, audit->before, audit->no_before, JSONBOID, -1, false, TYPALIGN_INT);
	values[10] = array_of(audit, audit->after, audit->no_after, JSONBOID, -1, false, TYPALIGN_INT);
	values[11] = array_of(audit, audit->reasons, audit->no_reason, TEXTOID, -1, false, TYPALIGN_INT);
	values[12] = array_of(audit, digests, no_hash, BYTEAOID, -1, false, TYPALIGN_INT);
	values[13] = array_of(audit, hashes, no_hash, BYTEAOID, -1, false, TYPALIGN_INT);
	memset(nulls, ' ', sizeof(nulls));
	if (!by->acting)
		nulls[2] = 'n';
	if (by->role == NULL)
		nulls[4] = 'n';
	hr_execute(audit->books, &insert, values, nulls, false);
}

/* The columns of audit_entry in the order in which they are set. */
enum
{
	E_ID, E_LANE, E_SEQ, E_AT, E_TRANSACTION, E_ACTOR, E_USER, E_ROLE, E_TABLE, E_ACTION,
	E_KEY, E_SUBJECT, E_BEFORE, E_AFTER, E_REASON, E_DIGEST, E_HASH, E_COLUMNS
};

/* Whether the log has the columns that it was made with, and no others; where they are. */
static bool
entry_columns(Relation entries, AttrNumber *column)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			known[E_COLUMNS] = {
		{"audit_id", INT8OID}, {"lane", INT4OID}, {"seq", INT8OID}, {"at", TIMESTAMPTZOID},
		{"transaction_id", INT8OID}, {"actor_id", INT8OID}, {"db_user", TEXTOID}, {"db_role", TEXTOID},
		{"table_name", TEXTOID}, {"action", TEXTOID}, {"row_key", TEXTOID}, {"employee_id", INT8OID},
		{"before", JSONBOID}, {"after", JSONBOID}, {"reason", TEXTOID}, {"digest", BYTEAOID}, {"hash", BYTEAOID}
	};
	TupleDesc	desc = RelationGetDescr(entries);
	int			live = 0;

	for (int i = 0; i < desc->natts; i++)
		live += !TupleDescAttr(desc, i)->attisdropped;
	for (int i = 0; i < E_COLUMNS; i++)
		column[i] = hr_column(desc, known[i].name, known[i].type);
	return live == E_COLUMNS && hr_table_plain(entries);
}

static void
insert_entries(HrAudit *audit, const Writer *by, Datum *digests, Datum *hashes)
{
	HrTable    *entries = hr_table_open(audit->books, "audit_entry", RowExclusiveLock);
	int			natts = RelationGetDescr(entries->rel)->natts;
	AttrNumber	column[E_COLUMNS];
	Datum		value[E_COLUMNS];
	bool		null[E_COLUMNS] = {false};
	Datum	   *values = palloc0(natts * sizeof(Datum));
	bool	   *nulls = palloc(natts * sizeof(bool));
	Oid			sequence;

	if (!entry_columns(entries->rel, column))
	{
		hr_table_close(entries);
		insert_by_sql(audit, by, digests, hashes);
		return;
	}
	memset(nulls, true, natts * sizeof(bool));
	sequence = hr_table_sequence(entries, column[E_ID]);
	value[E_LANE] = Int32GetDatum(audit->lane.number);
	value[E_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	value[E_TRANSACTION] = Int64GetDatum(hr_transaction_number(audit->books));
	value[E_ACTOR] = Int64GetDatum(by->actor);
	null[E_ACTOR] = !by->acting;
	value[E_USER] = CStringGetTextDatum(by->user);
	null[E_ROLE] = by->role == NULL;
	value[E_ROLE] = by->role ? CStringGetTextDatum(by->role) : (Datum) 0;
	value[E_TABLE] = CStringGetTextDatum(audit->table);
	value[E_ACTION] = CStringGetTextDatum(audit->action);
	hr_table_begin(entries, CMD_INSERT, column, E_COLUMNS);
	for (int i = 0; i < audit->count; i++)
	{
		value[E_ID] = Int64GetDatum(nextval_internal(sequence, false));
		value[E_SEQ] = Int64GetDatum(audit->lane.length + i + 1);
		value[E_KEY] = audit->key[i];
		null[E_KEY] = audit->no_key[i];
		value[E_SUBJECT] = audit->subject.id[i];
		null[E_SUBJECT] = audit->subject.null[i];
		value[E_BEFORE] = audit->before[i];
		null[E_BEFORE] = audit->no_before[i];
		value[E_AFTER] = audit->after[i];
		null[E_AFTER] = audit->no_after[i];
		value[E_REASON] = audit->reasons[i];
		null[E_REASON] = audit->no_reason[i];
		value[E_DIGEST] = digests[i];
		value[E_HASH] = hashes[i];
		for (int c = 0; c < E_COLUMNS; c++)
		{
			values[column[c] - 1] = value[c];
			nulls[column[c] - 1] = null[c];
		}
		hr_table_insert(entries, values, nulls);
	}
	hr_table_end(entries);
	hr_table_close(entries);
}

/* Write the entries that were gathered, and forget them. */
void
hr_audit_flush(HrAudit *audit)
{
	Writer		by = {.user = GetUserNameFromId(GetSessionUserId(), false), .role = hr_role()};
	MemoryContext caller;
	Datum		digests[HR_AUDIT_SLICE],
				hashes[HR_AUDIT_SLICE];
	StringInfoData content;

	by.acting = hr_actor(audit->books, &by.actor, NULL);
	writing = true;
	if (audit->lane.number == 0)
	{
		hr_scope_enter(&audit->scope, audit->owner);
		hr_lane_take(&audit->lane, audit->books);
	}
	caller = MemoryContextSwitchTo(audit->slice);
	if (audit->via)
		hr_find_subjects(&audit->subject, audit->count, audit->books, audit->subject_key, audit->via);

	initStringInfo(&content);
	for (int i = 0; i < audit->count; i++)
		chain_entry(audit, &by, i, &content, &digests[i], &hashes[i]);
	insert_entries(audit, &by, digests, hashes);
	audit->lane.length += audit->count;
	audit->count = 0;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(audit->slice);
}

void
hr_audit_finish(HrAudit *audit)
{
	if (audit->count > 0)
		hr_audit_flush(audit);
	if (audit->lane.number != 0)
		hr_lane_leave(&audit->lane);
}

void
hr_audit_free(HrAudit *audit)
{
	writing = false;
	if (audit->sha)
		pg_cryptohash_free(audit->sha);
}

void
hr_audit_leave(HrAudit *audit)
{
	if (audit->lane.number != 0)
		hr_scope_leave(&audit->scope);
}

bool
hr_audit_writing(void)
{
	return writing;
}
