/*
 * audit.c - who changed what, in chains that cannot be edited unnoticed.
 *
 * A statement trigger writes one entry for each row that a statement changed,
 * with a hash over the entry and the hash before it.  Of its texts the hash
 * covers a digest, so that an erasure can take them away: it enters what it
 * made of which digest.  One chain would make
 * every writer wait for the one before it until that one commits; so there are
 * several, called lanes.  A transaction takes a lane that nobody holds, by an
 * advisory lock until it ends, and a head row keeps the lane's length and last
 * hash.  Entries and head roll back together: a lane has no gaps, so that one
 * entry less is seen at once, the last one included.
 *
 * And what cannot be a row, since nothing that only reads writes and a refusal
 * rolls its transaction back, is a line of the server log.
 */
#include "hrloop.h"

#include "access.h"
#include "audit.h"
#include "books.h"
#include "books_scope.h"
#include "books_sql.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"
#include "plan_cache.h"
#include "table.h"
#include "transaction.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_audit);
PG_FUNCTION_INFO_V1(hrloop_audit_guard);
PG_FUNCTION_INFO_V1(hrloop_audit_attach);
PG_FUNCTION_INFO_V1(hrloop_fields);
PG_FUNCTION_INFO_V1(hrloop_log_read);

#define SLICE 500				/* entries written at a time */
#define MAX_LANES 10000
#define TEXTS 5					/* db_user, db_role, before, after, reason */

typedef struct AuditColumn
{
	const char *key;			/* its name; NULL: not asked for yet */
	FmgrInfo	output;
	Oid			type;
	bool		left_out;		/* derived: never in an entry */
	bool		in_key;
	bool		in_digest;
} AuditColumn;

typedef struct Audit
{
	TriggerData *td;			/* NULL: the engine itself has something to say */
	Oid			books;
	Oid			owner;
	const char *table;
	TupleDesc	desc;
	AuditColumn *column;
	int			subject;		/* column that leads to the person; 0: none */
	const char *via;			/* through which tables; NULL: it is the person */
	int			reason;
	bool		digest;			/* of an inserted row the hash of some columns is enough */
	const char *action;
	MemoryContext context,
				slice;			/* what becomes of SLICE rows */
	HrScope		scope;
	int			lane;			/* 0: not taken yet */
	int64		length;
	uint8		head[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *sha;
	int			count;			/* of the rows that follow */
	Datum		key[SLICE],
				subjects[SLICE],
				before[SLICE],
				after[SLICE],
				reasons[SLICE];
	bool		no_subject[SLICE],
				no_key[SLICE],
				no_before[SLICE],
				no_after[SLICE],
				no_reason[SLICE];
} Audit;

static Audit *
new_audit(void)
{
	Audit	   *audit = palloc(sizeof(Audit));

	memset(audit, 0, offsetof(Audit, key));
	return audit;
}

static bool writing;			/* the engine itself writes the log */
static StringInfo redacted;		/* what the erasure that is going on did; NULL: nothing yet */

/* Where this part of this transaction left its lane: nobody else can move it. */
static struct
{
	FullTransactionId transaction;
	SubTransactionId part;
	Oid			books;
	int			lane;
	int64		length;
	uint8		head[PG_SHA256_DIGEST_LENGTH];
}			left;

/* ------------------------------------------------------------------- lanes */

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
open_lanes(Audit *audit)
{
	static const HrQuery make = {"audit lane new", "INSERT INTO @audit_lane (lane) VALUES ($1)", 1, {INT4OID}};
	Datum		lane = Int32GetDatum(audit->lane);

	for (int attempt = 0; attempt < 2; attempt++)
	{
		HrTable    *lanes = hr_table_open(audit->books, "audit_lane", RowExclusiveLock);

		CommandCounterIncrement();
		PushActiveSnapshot(GetLatestSnapshot());
		hr_table_scan(lanes, hr_column(RelationGetDescr(lanes->rel), "lane", INT4OID));
		if (hr_table_find(lanes, lane))
			return lanes;
		hr_table_close(lanes);
		PopActiveSnapshot();
		hr_execute(audit->books, &make, &lane, NULL, false);
	}
	elog(ERROR, "hrloop: lane %d of the audit log is not there", audit->lane);
	return NULL;				/* keep compiler quiet */
}

static void
close_lanes(HrTable *lanes)
{
	hr_table_close(lanes);
	PopActiveSnapshot();
}

static void
audit_begin(Audit *audit)
{
	HrTable    *lanes;
	TupleDesc	desc;
	bool		null;

	if (left.books == audit->books && left.part == GetCurrentSubTransactionId() &&
		FullTransactionIdEquals(left.transaction, GetTopFullTransactionId()))
	{
		audit->lane = left.lane;
		audit->length = left.length;
		memcpy(audit->head, left.head, sizeof(left.head));
		return;
	}
	audit->lane = find_lane(get_relname_relid("audit_lane", audit->books));
	lanes = open_lanes(audit);
	desc = RelationGetDescr(lanes->rel);
	audit->length = DatumGetInt64(slot_getattr(lanes->row, hr_column(desc, "length", INT8OID), &null));
	memcpy(audit->head,
		   VARDATA_ANY(DatumGetByteaPP(slot_getattr(lanes->row, hr_column(desc, "head", BYTEAOID), &null))),
		   PG_SHA256_DIGEST_LENGTH);
	close_lanes(lanes);
}

static Datum
digest_datum(const uint8 *digest)
{
	bytea	   *value = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(value), digest, PG_SHA256_DIGEST_LENGTH);
	return PointerGetDatum(value);
}

static void
audit_end(Audit *audit)
{
	HrTable    *lanes = open_lanes(audit);
	TupleDesc	desc = RelationGetDescr(lanes->rel);
	AttrNumber	column[2] = {hr_column(desc, "length", INT8OID), hr_column(desc, "head", BYTEAOID)};
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc0(desc->natts * sizeof(bool));
	bool	   *replace = palloc0(desc->natts * sizeof(bool));

	values[column[0] - 1] = Int64GetDatum(audit->length);
	values[column[1] - 1] = digest_datum(audit->head);
	replace[column[0] - 1] = replace[column[1] - 1] = true;
	hr_table_begin(lanes, CMD_UPDATE, column, 2);
	hr_table_update(lanes, values, nulls, replace);
	hr_table_end(lanes);
	close_lanes(lanes);
	left.transaction = GetTopFullTransactionId();
	left.part = GetCurrentSubTransactionId();
	left.books = audit->books;
	left.lane = audit->lane;
	left.length = audit->length;
	memcpy(left.head, audit->head, sizeof(left.head));
}

/* ------------------------------------------------------------------ hashes */

static void
sha256(Audit *audit, const uint8 *before, const char *text, int length, uint8 *digest)
{
	if (audit->sha == NULL)
		audit->sha = pg_cryptohash_create(PG_SHA256);
	if (audit->sha == NULL ||
		pg_cryptohash_init(audit->sha) < 0 ||
		(before && pg_cryptohash_update(audit->sha, before, PG_SHA256_DIGEST_LENGTH) < 0) ||
		pg_cryptohash_update(audit->sha, (const uint8 *) text, length) < 0 ||
		pg_cryptohash_final(audit->sha, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "hrloop: sha256: %s", pg_cryptohash_error(audit->sha));
}

/*
 * One field of what is hashed: its length in bytes of UTF-8 and itself, so that
 * no two different entries read the same.
 */
static void
field(StringInfo out, const char *value)
{
	char		number[MAXINT8LEN + 2];
	char	   *utf8;
	int			length,
				digits;

	if (value == NULL)
	{
		appendStringInfoChar(out, '-');
		return;
	}
	utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);
	length = strlen(utf8);
	digits = pg_ulltoa_n(length, number);
	number[digits++] = ':';
	appendBinaryStringInfo(out, number, digits);
	appendBinaryStringInfo(out, utf8, length);
	appendStringInfoChar(out, ',');
}

static void
number_field(StringInfo out, int64 value)
{
	char		text[MAXINT8LEN + 1];

	pg_lltoa(value, text);
	field(out, text);
}

static char *
json_text(Datum value)
{
	Jsonb	   *json = DatumGetJsonbP(value);

	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/* What an erasure may change in an entry.  SQL's audit_digest() does the same. */
static void
digest_texts(Audit *audit, const char *const *texts, uint8 *digest)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < TEXTS; i++)
		field(&out, texts[i]);
	sha256(audit, NULL, out.data, out.len, digest);
	pfree(out.data);
}

static void
append_hex(StringInfo out, const uint8 *digest)
{
	static const char digit[] = "0123456789abcdef";
	char		hex[2 * PG_SHA256_DIGEST_LENGTH];

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		hex[2 * i] = digit[digest[i] >> 4];
		hex[2 * i + 1] = digit[digest[i] & 0xF];
	}
	appendBinaryStringInfo(out, hex, sizeof(hex));
}

/* fields(value, ...): the same for SQL, of the values as text, so that a digest can be made again from rows. */
Datum
hrloop_fields(PG_FUNCTION_ARGS)
{
	FmgrInfo   *output = fcinfo->flinfo->fn_extra;
	StringInfoData out;

	if (output == NULL)
	{
		output = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, PG_NARGS() * sizeof(FmgrInfo));
		for (int i = 0; i < PG_NARGS(); i++)
		{
			Oid			function;
			bool		varlena;

			getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, i), &function, &varlena);
			fmgr_info_cxt(function, &output[i], fcinfo->flinfo->fn_mcxt);
		}
		fcinfo->flinfo->fn_extra = output;
	}
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	for (int i = 0; i < PG_NARGS(); i++)
		field(&out, PG_ARGISNULL(i) ? NULL : OutputFunctionCall(&output[i], PG_GETARG_DATUM(i)));
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P((bytea *) out.data);
}

/* ------------------------------------------------------------------ writing */

/* One step from the subjects so far to the next: the row with that key, and a column of it. */
static void
follow_step(Audit *audit, const char *name, const char *key, const char *column)
{
	HrTable    *table = hr_table_open(audit->books, name, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(table->rel);
	int			target = hr_column(desc, column, INT8OID);
	int64		found;
	int64	   *last = NULL;
	Datum		value = (Datum) 0;
	bool		null = true;

	hr_table_scan(table, hr_column(desc, key, INT8OID));
	for (int i = 0; i < audit->count; i++)
	{
		if (audit->no_subject[i])
			continue;
		/* the rows of one parent mostly follow each other */
		if (last == NULL || *last != DatumGetInt64(audit->subjects[i]))
		{
			found = DatumGetInt64(audit->subjects[i]);
			last = &found;
			null = !hr_table_find(table, audit->subjects[i]);
			if (!null)
				value = slot_getattr(table->row, target, &null);
		}
		audit->subjects[i] = value;
		audit->no_subject[i] = null;
	}
	hr_table_close(table);
}

/* Whose rows these are, where their own column does not say it. */
static void
find_subjects(Audit *audit)
{
	char	   *steps = pstrdup(audit->via);
	const char *key = NameStr(TupleDescAttr(audit->desc, audit->subject - 1)->attname);
	char	   *save;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	/* "review.employee_id", "plan_item.plan_id/development_plan.employee_id" */
	for (char *step = strtok_r(steps, "/", &save); step; step = strtok_r(NULL, "/", &save))
	{
		char	   *column = step;
		const char *table = strsep(&column, ".");

		if (column == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("hrloop.audit() does not know the way \"%s\"", audit->via),
					 errhint("Give via=table.column, or more of them with / between.")));
		follow_step(audit, table, key, column);
		key = column;
	}
	PopActiveSnapshot();
}

static const char *
role_name(void)
{
	const char *role = GetConfigOption("role", true, false);

	return role == NULL || strcmp(role, "none") == 0 ? NULL : role;
}

static Datum
array_of(Audit *audit, Datum *values, bool *nulls, Oid type, int length, bool byval, char align)
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
chain_entry(Audit *audit, const Writer *by, int i, StringInfo content, Datum *digest_value, Datum *hash_value)
{
	const char *const texts[TEXTS] = {
		by->user, by->role,
		audit->no_before[i] ? NULL : json_text(audit->before[i]),
		audit->no_after[i] ? NULL : json_text(audit->after[i]),
		audit->no_reason[i] ? NULL : TextDatumGetCString(audit->reasons[i])
	};
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	StringInfoData hex;

	resetStringInfo(content);
	number_field(content, audit->lane);
	number_field(content, audit->length + i + 1);
	number_field(content, GetCurrentTransactionStartTimestamp() +
				 (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
	number_field(content, hr_transaction_number(audit->books));
	if (by->acting)
		number_field(content, by->actor);
	else
		field(content, NULL);
	field(content, audit->table);
	field(content, audit->action);
	field(content, audit->no_key[i] ? NULL : TextDatumGetCString(audit->key[i]));
	if (audit->no_subject[i])
		field(content, NULL);
	else
		number_field(content, DatumGetInt64(audit->subjects[i]));
	digest_texts(audit, texts, digest);
	*digest_value = digest_datum(digest);
	initStringInfo(&hex);
	append_hex(&hex, digest);
	field(content, hex.data);
	sha256(audit, audit->head, content->data, content->len, audit->head);
	*hash_value = digest_datum(audit->head);
}

static void
insert_by_sql(Audit *audit, const Writer *by, Datum *digests, Datum *hashes)
{
	static const HrQuery insert = {"audit insert",
		"INSERT INTO @audit_entry (lane, seq, actor_id, db_user, db_role, table_name, action,"
		"                          row_key, employee_id, before, after, reason, digest, hash)"
		" SELECT $1, $2 + r.n, $3, $4, $5, $6, $7, r.row_key, r.employee_id, r.before, r.after, r.reason, r.digest, r.hash"
		"   FROM unnest($8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY"
		"        AS r (row_key, employee_id, before, after, reason, digest, hash, n)", 14,
	{INT4OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	TEXTARRAYOID, INT8ARRAYOID, JSONBARRAYOID, JSONBARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID}};
	bool		no_hash[SLICE] = {false};
	Datum		values[14];
	char		nulls[14];

	values[0] = Int32GetDatum(audit->lane);
	values[1] = Int64GetDatum(audit->length);
	values[2] = Int64GetDatum(by->actor);
	values[3] = CStringGetTextDatum(by->user);
	values[4] = by->role ? CStringGetTextDatum(by->role) : (Datum) 0;
	values[5] = CStringGetTextDatum(audit->table);
	values[6] = CStringGetTextDatum(audit->action);
	values[7] = array_of(audit, audit->key, audit->no_key, TEXTOID, -1, false, TYPALIGN_INT);
	values[8] = array_of(audit, audit->subjects, audit->no_subject, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
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
insert_entries(Audit *audit, const Writer *by, Datum *digests, Datum *hashes)
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
	value[E_LANE] = Int32GetDatum(audit->lane);
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
		value[E_SEQ] = Int64GetDatum(audit->length + i + 1);
		value[E_KEY] = audit->key[i];
		null[E_KEY] = audit->no_key[i];
		value[E_SUBJECT] = audit->subjects[i];
		null[E_SUBJECT] = audit->no_subject[i];
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
static void
audit_flush(Audit *audit)
{
	Writer		by = {.user = GetUserNameFromId(GetSessionUserId(), false), .role = role_name()};
	MemoryContext caller;
	Datum		digests[SLICE],
				hashes[SLICE];
	StringInfoData content;

	by.acting = hr_actor(audit->books, &by.actor, NULL);
	writing = true;
	if (audit->lane == 0)
	{
		hr_scope_enter(&audit->scope, audit->owner);
		audit_begin(audit);
	}
	caller = MemoryContextSwitchTo(audit->slice);
	if (audit->via)
		find_subjects(audit);

	initStringInfo(&content);
	for (int i = 0; i < audit->count; i++)
		chain_entry(audit, &by, i, &content, &digests[i], &hashes[i]);
	insert_entries(audit, &by, digests, hashes);
	audit->length += audit->count;
	audit->count = 0;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(audit->slice);
}

/* ------------------------------------------------------------------- reading */

static const char *
argument(Trigger *trigger, const char *name)
{
	int			length = strlen(name);

	for (int i = 0; i < trigger->tgnargs; i++)
		if (strncmp(trigger->tgargs[i], name, length) == 0 && trigger->tgargs[i][length] == '=')
			return trigger->tgargs[i] + length + 1;
	return NULL;
}

static void
describe_columns(Audit *audit, const char *ignored, const char *digested)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(audit->td->tg_relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	char	   *save;

	audit->column = palloc0(audit->desc->natts * sizeof(AuditColumn));
	for (int i = 0; i < audit->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(audit->desc, i);
		AuditColumn *column = &audit->column[i];

		column->left_out = att->attisdropped || att->attgenerated != '\0';
		column->in_key = bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, key);
	}
	if (ignored)
		for (char *column = strtok_r(pstrdup(ignored), ",", &save); column; column = strtok_r(NULL, ",", &save))
			audit->column[hr_column(audit->desc, column, InvalidOid) - 1].left_out = true;
	if (digested)
		for (char *column = strtok_r(pstrdup(digested), ",", &save); column; column = strtok_r(NULL, ",", &save))
			audit->column[hr_column(audit->desc, column, InvalidOid) - 1].in_digest = true;
}

/* What it takes to write a column; most are never asked for. */
static AuditColumn *
column_for(Audit *audit, int i)
{
	AuditColumn *column = &audit->column[i];
	Form_pg_attribute att = TupleDescAttr(audit->desc, i);
	MemoryContext caller;
	Oid			output;
	bool		varlena;

	if (column->key)
		return column;
	caller = MemoryContextSwitchTo(audit->context);
	getTypeOutputInfo(att->atttypid, &output, &varlena);
	fmgr_info(output, &column->output);
	column->type = getBaseType(att->atttypid);
	column->key = NameStr(att->attname);
	MemoryContextSwitchTo(caller);
	return column;
}

static void
set_string(JsonbValue *json, char *text, int length)
{
	json->type = jbvString;
	json->val.string.val = text;
	json->val.string.len = length;
}

static void
set_number(JsonbValue *json, Numeric number)
{
	json->type = jbvNumeric;
	json->val.numeric = number;
}

static char *
utc_moment(Datum value, Oid type)
{
	int			utc = 0;

	return JsonEncodeDateTime(NULL, value, type, &utc);
}

/* A value as JSON: numbers and booleans as such, moments in UTC, the rest as text. */
static void
json_value(JsonbValue *json, AuditColumn *column, Datum value)
{
	Jsonb	   *whole;
	char	   *string;

	switch (column->type)
	{
		case BOOLOID:
			json->type = jbvBool;
			json->val.boolean = DatumGetBool(value);
			return;
		case INT2OID:
			set_number(json, int64_to_numeric(DatumGetInt16(value)));
			return;
		case INT4OID:
			set_number(json, int64_to_numeric(DatumGetInt32(value)));
			return;
		case INT8OID:
			set_number(json, int64_to_numeric(DatumGetInt64(value)));
			return;
		case NUMERICOID:
			if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
				break;			/* no JSON */
			set_number(json, DatumGetNumericCopy(value));
			return;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			string = utc_moment(value, column->type);
			set_string(json, string, strlen(string));
			return;
		case TEXTOID:
			string = TextDatumGetCString(value);
			set_string(json, string, strlen(string));
			return;
		case JSONOID:
			value = DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(value)));
			/* fall through */
		case JSONBOID:
			whole = DatumGetJsonbPCopy(value);
			json->type = jbvBinary;
			json->val.binary.data = &whole->root;
			json->val.binary.len = VARSIZE(whole) - VARHDRSZ;
			return;
	}
	string = OutputFunctionCall(&column->output, value);
	set_string(json, string, strlen(string));
}

static Datum
json_of(StringInfo text)
{
	appendStringInfoChar(text, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data));
}

static void
append_column(JsonbParseState **out, AuditColumn *column, Datum value, bool null)
{
	JsonbValue	json;

	set_string(&json, (char *) column->key, strlen(column->key));
	pushJsonbValue(out, WJB_KEY, &json);
	if (null)
		json.type = jbvNull;
	else
		json_value(&json, column, value);
	pushJsonbValue(out, WJB_VALUE, &json);
}

static Datum
json_done(JsonbParseState **out)
{
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(out, WJB_END_OBJECT, NULL)));
}

/* Which columns of a row: those that do not stand beside it in the entry, or those that are digested. */
static bool
wanted(const Audit *audit, int i, bool digested, int beside)
{
	const AuditColumn *column = &audit->column[i];

	if (column->left_out)
		return false;
	return digested ? column->in_digest : !column->in_key && i + 1 != beside;
}

/* What of these is not null. */
static Datum
row_json(Audit *audit, TupleTableSlot *row, bool digested, int beside)
{
	JsonbParseState *out = NULL;

	pushJsonbValue(&out, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < audit->desc->natts; i++)
	{
		bool		null;
		Datum		value;

		if (!wanted(audit, i, digested, beside))
			continue;
		value = slot_getattr(row, i + 1, &null);
		if (!null)
			append_column(&out, column_for(audit, i), value, false);
	}
	return json_done(&out);
}

static void
digest_row(Audit *audit, TupleTableSlot *row, uint8 *digest)
{
	char	   *text = json_text(row_json(audit, row, true, 0));

	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	sha256(audit, NULL, text, strlen(text), digest);
}

static Datum
digest_of(Audit *audit, TupleTableSlot *row)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	StringInfoData out;

	digest_row(audit, row, digest);
	initStringInfo(&out);
	appendStringInfoString(&out, "{\"sha256\": \"");
	append_hex(&out, digest);
	appendStringInfoChar(&out, '"');
	return json_of(&out);
}

/* What an update changed; false if that is nothing worth an entry. */
static bool
differences(Audit *audit, TupleTableSlot *was, TupleTableSlot *is, Datum *before, Datum *after)
{
	JsonbParseState *old = NULL;
	JsonbParseState *new = NULL;

	for (int i = 0; i < audit->desc->natts; i++)
	{
		AuditColumn *column = &audit->column[i];
		bool		wasnull,
					isnull;
		Datum		x,
					y;

		if (column->left_out)
			continue;
		x = slot_getattr(was, i + 1, &wasnull);
		y = slot_getattr(is, i + 1, &isnull);
		if (wasnull == isnull &&
			(isnull || datum_image_eq(x, y, TupleDescAttr(audit->desc, i)->attbyval, TupleDescAttr(audit->desc, i)->attlen)))
			continue;
		if (old == NULL)
		{
			pushJsonbValue(&old, WJB_BEGIN_OBJECT, NULL);
			pushJsonbValue(&new, WJB_BEGIN_OBJECT, NULL);
		}
		append_column(&old, column_for(audit, i), x, wasnull);
		append_column(&new, column_for(audit, i), y, isnull);
	}
	if (old == NULL)
		return false;
	*before = json_done(&old);
	*after = json_done(&new);
	return true;
}

/* The key of a row as text, the columns of a longer one with commas between. */
static Datum
row_key(Audit *audit, TupleTableSlot *row)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < audit->desc->natts; i++)
	{
		bool		null;
		Datum		value;

		if (!audit->column[i].in_key)
			continue;
		value = slot_getattr(row, i + 1, &null);
		if (out.len > 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoString(&out, OutputFunctionCall(&column_for(audit, i)->output, value));
	}
	return CStringGetTextDatum(out.data);
}

/* What the chain knows of a row by a digest: an entry, or a decision. */
static void
digest_known(Audit *audit, TupleTableSlot *row, uint8 *digest)
{
	static const char *const name[TEXTS] = {"db_user", "db_role", "before", "after", "reason"};
	const char *texts[TEXTS] = {0};

	if (strcmp(audit->table, "audit_entry") != 0)
	{
		digest_row(audit, row, digest);
		return;
	}
	for (int i = 0; i < TEXTS; i++)
	{
		int			column = hr_column(audit->desc, name[i], InvalidOid);
		bool		null;
		Datum		value = slot_getattr(row, column, &null);

		if (!null)
			texts[i] = OutputFunctionCall(&column_for(audit, column - 1)->output, value);
	}
	digest_texts(audit, texts, digest);
}

/* An erasure takes texts away: no entry may hold them, only what became of which digest. */
static void
redact_row(Audit *audit, TupleTableSlot *was, TupleTableSlot *is)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
	uint8		before[PG_SHA256_DIGEST_LENGTH],
				after[PG_SHA256_DIGEST_LENGTH];

	if (redacted == NULL)
		redacted = makeStringInfo();
	MemoryContextSwitchTo(audit->slice);
	digest_known(audit, was, before);
	digest_known(audit, is, after);
	appendStringInfo(redacted, "%s[\"%s\", %s, \"", redacted->len == 0 ? "" : ", ",
					 audit->table, TextDatumGetCString(row_key(audit, is)));
	append_hex(redacted, before);
	appendStringInfoString(redacted, "\", \"");
	append_hex(redacted, after);
	appendStringInfoString(redacted, "\"]");
	MemoryContextSwitchTo(caller);
	MemoryContextReset(audit->slice);
}

/* One row that a statement wrote; was and is: NULL if there is none. */
static void
audit_row(Audit *audit, TupleTableSlot *was, TupleTableSlot *is)
{
	MemoryContext caller = MemoryContextSwitchTo(audit->slice);
	TupleTableSlot *row = is ? is : was;
	int			i = audit->count;

	Assert(row != NULL);
	audit->no_before[i] = was == NULL;
	audit->no_after[i] = is == NULL;
	if (was && is)
	{
		if (!differences(audit, was, is, &audit->before[i], &audit->after[i]))
		{
			MemoryContextSwitchTo(caller);
			return;
		}
	}
	else if (was)
		audit->before[i] = row_json(audit, was, false, 0);
	else if (audit->digest)
		audit->after[i] = digest_of(audit, is);
	else
		audit->after[i] = row_json(audit, is, false, audit->reason);

	audit->no_key[i] = false;
	audit->key[i] = row_key(audit, was ? was : is);
	audit->no_subject[i] = true;
	if (audit->subject)
		audit->subjects[i] = slot_getattr(row, audit->subject, &audit->no_subject[i]);
	audit->no_reason[i] = true;
	if (audit->reason && is)
		audit->reasons[i] = slot_getattr(is, audit->reason, &audit->no_reason[i]);
	if (!audit->no_reason[i])
		audit->reasons[i] = datumCopy(audit->reasons[i], false, -1);
	audit->count++;
	MemoryContextSwitchTo(caller);
	if (audit->count == SLICE)
		audit_flush(audit);
}

static void
audit_rows(Audit *audit)
{
	TriggerData *td = audit->td;
	Tuplestorestate *old = td->tg_oldtable;
	Tuplestorestate *new = td->tg_newtable;
	TupleTableSlot *was = MakeSingleTupleTableSlot(audit->desc, &TTSOpsMinimalTuple);
	TupleTableSlot *is = MakeSingleTupleTableSlot(audit->desc, &TTSOpsMinimalTuple);

	if (old == NULL && new == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has no transition table", td->tg_trigger->tgname)));
	if (old)
		tuplestore_rescan(old);
	if (new)
		tuplestore_rescan(new);
	while ((old == NULL || tuplestore_gettupleslot(old, true, false, was)) &&
		   (new == NULL || tuplestore_gettupleslot(new, true, false, is)))
	{
		CHECK_FOR_INTERRUPTS();
		if (old && new && hr_erasing(audit->books))
			redact_row(audit, was, is);
		else
			audit_row(audit, old ? was : NULL, new ? is : NULL);
	}
	ExecDropSingleTupleTableSlot(was);
	ExecDropSingleTupleTableSlot(is);
}

/* Nothing is left to say which rows they were. */
static void
audit_truncate(Audit *audit)
{
	audit->no_key[0] = audit->no_subject[0] = audit->no_before[0] = true;
	audit->no_after[0] = audit->no_reason[0] = true;
	audit->count = 1;
}

static const char *
action_name(TriggerEvent event)
{
	return TRIGGER_FIRED_BY_INSERT(event) ? "insert" :
		TRIGGER_FIRED_BY_UPDATE(event) ? "update" :
		TRIGGER_FIRED_BY_DELETE(event) ? "delete" : "truncate";
}

/* The form of dates in an entry must not depend on who writes it. */
static void
plain_formats(void)
{
	if (DateStyle != USE_ISO_DATES)
		(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (IntervalStyle != INTSTYLE_POSTGRES)
		(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

static void
audit_open(Audit *audit, TriggerData *td)
{
	Trigger    *trigger = td->tg_trigger;
	const char *subject = argument(trigger, "subject");
	const char *reason = argument(trigger, "reason");
	const char *digested = argument(trigger, "digest");

	audit->td = td;
	audit->books = RelationGetNamespace(td->tg_relation);
	audit->owner = td->tg_relation->rd_rel->relowner;
	audit->table = RelationGetRelationName(td->tg_relation);
	audit->desc = RelationGetDescr(td->tg_relation);
	audit->action = action_name(td->tg_event);
	audit->via = argument(trigger, "via");
	audit->digest = digested != NULL;
	if (subject)
		audit->subject = hr_column(audit->desc, subject, INT8OID);
	if (reason)
		audit->reason = hr_column(audit->desc, reason, TEXTOID);
	describe_columns(audit, argument(trigger, "ignore"), digested);
	audit->context = CurrentMemoryContext;
	audit->slice = AllocSetContextCreate(CurrentMemoryContext, "hrloop audit", ALLOCSET_DEFAULT_SIZES);
}

/*
 * hrloop.audit('subject=column', 'via=table.column/...', 'reason=column',
 * 'ignore=columns', 'digest=columns'): entries for what a statement wrote.  An
 * erasure, which only updates, has one entry of its own instead.
 */
Datum
hrloop_audit(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	Audit	   *audit = new_audit();
	int			formats;

	if (hr_erasing(RelationGetNamespace(td->tg_relation)) && argument(td->tg_trigger, "digest") == NULL)
		PG_RETURN_POINTER(NULL);
	formats = NewGUCNestLevel();
	hr_books_check(RelationGetNamespace(td->tg_relation));
	audit_open(audit, td);
	plain_formats();
	PG_TRY();
	{
		if (TRIGGER_FIRED_BY_TRUNCATE(td->tg_event))
			audit_truncate(audit);
		else
			audit_rows(audit);
		if (audit->count > 0)
			audit_flush(audit);
		if (audit->lane != 0)
			audit_end(audit);
	}
	PG_FINALLY();
	{
		writing = false;
		if (audit->sha)
			pg_cryptohash_free(audit->sha);
	}
	PG_END_TRY();
	if (audit->lane != 0)
		hr_scope_leave(&audit->scope);
	AtEOXact_GUC(true, formats);
	PG_RETURN_POINTER(NULL);
}

/* An erasure begins: whatever an earlier one that failed had done is undone. */
void
hr_audit_erasing(void)
{
	redacted = NULL;
}

/* It has changed so many rows: the one entry of an erasure. */
void
hr_audit_erased(Oid books, Oid owner, int64 erasure, int64 employee, int64 rows)
{
	Audit	   *audit = new_audit();
	StringInfoData after;

	audit->books = books;
	audit->owner = owner;
	audit->table = "erasure_log";
	audit->action = "erase";
	audit->context = CurrentMemoryContext;
	audit->slice = AllocSetContextCreate(CurrentMemoryContext, "hrloop audit", ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&after);
	appendStringInfo(&after, "{\"rows\": " INT64_FORMAT ", \"redacted\": [%s]", rows, redacted ? redacted->data : "");
	audit->key[0] = CStringGetTextDatum(psprintf(INT64_FORMAT, erasure));
	audit->subjects[0] = Int64GetDatum(employee);
	audit->after[0] = json_of(&after);
	audit->no_key[0] = audit->no_subject[0] = audit->no_after[0] = false;
	audit->no_before[0] = audit->no_reason[0] = true;
	audit->count = 1;
	redacted = NULL;
	PG_TRY();
	{
		audit_flush(audit);
		audit_end(audit);
	}
	PG_FINALLY();
	{
		writing = false;
		if (audit->sha)
			pg_cryptohash_free(audit->sha);
	}
	PG_END_TRY();
	hr_scope_leave(&audit->scope);
}

/* hrloop.audit_guard(): nobody but the engine writes the log, and nothing but an erasure changes it. */
Datum
hrloop_audit_guard(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, 0);

	if (TRIGGER_FIRED_BY_UPDATE(td->tg_event) && hr_erasing(RelationGetNamespace(td->tg_relation)))
		PG_RETURN_POINTER(NULL);
	if (writing && (TRIGGER_FIRED_BY_INSERT(td->tg_event) ||
					(TRIGGER_FIRED_BY_UPDATE(td->tg_event) &&
					 strcmp(RelationGetRelationName(td->tg_relation), "audit_lane") == 0)))
		PG_RETURN_POINTER(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the audit log in \"%s\" is written by the engine alone",
					RelationGetRelationName(td->tg_relation)),
			 errdetail("It is append-only and chained by hashes."),
			 errhint("SELECT * FROM verify_audit() checks it."),
			 errtable(td->tg_relation)));
	PG_RETURN_POINTER(NULL);
}

/* hrloop.audit_attach(book): the triggers that the rows of audit_rule ask for. */
Datum
hrloop_audit_attach(PG_FUNCTION_ARGS)
{
	Oid			books;
	char	   *schema;
	SPITupleTable *rows;
	uint64		count;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books must not be null")));
	books = hr_books_of(PG_GETARG_OID(0));
	schema = get_namespace_name(books);
	SPI_connect();
	hr_execute_for_script(schema, hr_expand(books, "SELECT command FROM @audit_command() WHERE command IS NOT NULL"));
	rows = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		hr_execute_for_script(schema, SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
	SPI_finish();
	PG_RETURN_INT64((int64) count);
}

/* ---------------------------------------------------------------- server log */

static void
log_field(StringInfo out, const char *name, const char *value)
{
	appendStringInfo(out, "%s\"%s\": ", out->len == 0 ? "{" : ", ", name);
	if (value)
		escape_json(out, value);
	else
		appendStringInfoString(out, "null");
}

/* One line "hrloop audit: {json}" of the server log, which no client gets. */
static void
log_line(StringInfo out)
{
	appendStringInfoChar(out, '}');
	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("hrloop audit: %s", out->data),
			 errhidestmt(true), errhidecontext(true)));
}

static void
log_who(StringInfo out, const char *event)
{
	const char *books;
	const char *actor;

	initStringInfo(out);
	log_field(out, "event", event);
	hr_acting(&books, &actor);
	log_field(out, "books", books);
	log_field(out, "actor", actor);
	log_field(out, "user", GetUserNameFromId(GetSessionUserId(), true));
	log_field(out, "role", role_name());
}

/* An attempt that the books refuse: its transaction is lost, the line is not. */
void
hr_log_refused(const char *message, const char *detail)
{
	StringInfoData out;

	log_who(&out, "refused");
	log_field(&out, "message", message);
	log_field(&out, "detail", detail);
	log_line(&out);
}

/*
 * hrloop.log_read(book, employee, what, allowed): notes that somebody's data
 * were asked for, once for each statement, and returns allowed.
 */
Datum
hrloop_log_read(PG_FUNCTION_ARGS)
{
	static TimestampTz at;
	static int64 whose;
	static char last[NAMEDATALEN];
	static bool was_allowed;
	bool		allowed = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	const char *what = PG_ARGISNULL(2) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(2));
	int64		employee = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	StringInfoData out;

	if (at != GetCurrentStatementStartTimestamp() || whose != employee ||
		was_allowed != allowed || strcmp(last, what) != 0)
	{
		log_who(&out, allowed ? "read" : "denied");
		log_field(&out, "what", what);
		log_field(&out, "of", PG_ARGISNULL(0) ? NULL : get_namespace_name(get_rel_namespace(PG_GETARG_OID(0))));
		appendStringInfo(&out, ", \"employee_id\": " INT64_FORMAT, employee);
		log_line(&out);
		at = GetCurrentStatementStartTimestamp();
		whose = employee;
		was_allowed = allowed;
		strlcpy(last, what, sizeof(last));
	}
	PG_RETURN_BOOL(allowed);
}
