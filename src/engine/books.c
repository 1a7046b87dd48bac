/*
 * books.c - which schemas hold books, of which version they are, and whose.
 */
#include "hrloop.h"

#include "books.h"
#include "cells.h"
#include "invalidate.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(hrloop_list_books);
PG_FUNCTION_INFO_V1(hrloop_version);

typedef struct BooksEntry
{
	Oid			books;			/* hash key: schema */
	Oid			book_table;
	bool		current;		/* version seen to be the library's */
	bool		readable;		/* that, or an older one */
} BooksEntry;

static HTAB *known;

static Oid	migrating;			/* the books that migrate() is at work on */

/* Only flags: nothing may be read or freed inside an invalidation callback. */
static void
forget_version(Oid relid)
{
	HASH_SEQ_STATUS seq;
	BooksEntry *entry;

	hash_seq_init(&seq, known);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relid) || entry->book_table == relid)
			entry->current = entry->readable = false;
}

void
hr_books_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(BooksEntry);
	known = hash_create("hrloop books", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	hr_on_change(forget_version);
}

/*
 * The version that a `book` table states, or NULL.  Read from the heap, so
 * that looking at somebody's schema never runs somebody's code.
 */
char *
hr_stated_version(Oid book_table)
{
	Relation	rel = try_relation_open(book_table, AccessShareLock);
	TableScanDesc scan;
	TupleTableSlot *slot;
	char	   *version = NULL;
	int			attno;

	if (rel == NULL)
		return NULL;
	attno = rel->rd_rel->relkind == RELKIND_RELATION
		? SPI_fnumber(RelationGetDescr(rel), "version") : 0;
	if (attno > 0 && SPI_gettypeid(RelationGetDescr(rel), attno) == TEXTOID)
	{
		slot = table_slot_create(rel, NULL);
		scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
		if (table_scan_getnextslot(scan, ForwardScanDirection, slot))
			version = hr_text(hr_cell(slot, attno));
		table_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
	}
	table_close(rel, AccessShareLock);
	return version;
}

/* Which of two versions such as 0.10.2 is the later one: > 0 if it is a. */
int
hr_compare_versions(const char *a, const char *b)
{
	while (*a || *b)
	{
		char	   *rest_a;
		char	   *rest_b;
		long		number_a = strtol(a, &rest_a, 10);
		long		number_b = strtol(b, &rest_b, 10);

		if (number_a != number_b)
			return number_a > number_b ? 1 : -1;
		if (rest_a == a || rest_b == b)
			return strcmp(a, b);
		a = rest_a + (*rest_a == '.');
		b = rest_b + (*rest_b == '.');
	}
	return 0;
}

/*
 * Refuse books that were made for another version of the library.  Books that
 * wait for their migration are read as before; books from a later version are
 * not, as nobody here knows what their columns mean.
 */
static void
require_version(Oid books, bool to_write)
{
	BooksEntry *entry = hash_search(known, &books, HASH_FIND, NULL);
	bool		found;
	Oid			book_table;
	char	   *version;
	int			order;

	if (books == migrating || (entry && (to_write ? entry->current : entry->readable)))
		return;

	book_table = get_relname_relid("book", books);
	version = OidIsValid(book_table) ? hr_stated_version(book_table) : NULL;
	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("schema \"%s\" does not hold books of hrloop",
						get_namespace_name(books)),
				 errhint("Make them with hrloop.install().")));
	order = hr_compare_versions(version, HRLOOP_VERSION);
	if (order > 0 || (order < 0 && to_write))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("books \"%s\" are of version %s, the library is %s",
						get_namespace_name(books), version, HRLOOP_VERSION),
				 order < 0
				 ? errhint("Run ALTER EXTENSION hrloop UPDATE, then SELECT hrloop.migrate(%s).",
						   quote_literal_cstr(get_namespace_name(books)))
				 : errhint("Connect again if hrloop was upgraded after this session began, else install hrloop %s.",
						   version)));

	entry = hash_search(known, &books, HASH_ENTER, &found);
	entry->book_table = book_table;
	entry->current = order == 0;
	entry->readable = true;
}

void
hr_books_check(Oid books)
{
	require_version(books, true);
}

/* The books that a `book` table stands for, to read or to write them. */
static Oid
books_of(Oid book_table, bool to_write)
{
	Oid			books = get_rel_namespace(book_table);
	char	   *name = get_rel_name(book_table);

	if (!OidIsValid(books) || name == NULL || strcmp(name, "book") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 name ? errmsg("\"%s\" is not the book table of any books", name)
				 : errmsg("relation %u does not exist", book_table),
				 errhint("Books are handed over as 'schema.book'::regclass.")));
	require_version(books, to_write);
	return books;
}

Oid
hr_books_of(Oid book_table)
{
	return books_of(book_table, true);
}

Oid
hr_books_to_read(Oid book_table)
{
	return books_of(book_table, false);
}

/*
 * migrate() is at work on these books, whose version is not the library's until it is
 * done; InvalidOid: it has ended.
 */
void
hr_books_migrating(Oid books)
{
	migrating = books;
}

Oid
hr_owner_of(Relation table)
{
	return table->rd_rel->relowner;
}

Oid
hr_books_owner(Oid book_table)
{
	Relation	rel = relation_open(book_table, AccessShareLock);
	Oid			owner = hr_owner_of(rel);

	relation_close(rel, AccessShareLock);
	return owner;
}

/* The books, for who has the rights of their owner. */
Oid
hr_owned(Oid book_table, const char *what)
{
	Oid			books = hr_books_of(book_table);

	if (!has_privs_of_role(GetUserId(), hr_books_owner(book_table)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only the owner of the books can %s", what)));
	return books;
}

/* hrloop.list_books(): every schema that holds books, whoever owns it. */
Datum
hrloop_list_books(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	SPI_execute("SELECT c.oid, n.nspname::text, pg_catalog.pg_get_userbyid(n.nspowner)::text"
				"  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
				" WHERE c.relname OPERATOR(pg_catalog.=) 'book'::name AND c.relkind OPERATOR(pg_catalog.=) 'r'::\"char\""
				" ORDER BY n.nspname", true, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Oid			book_table = DatumGetObjectId(hr_cell_of(row, desc, 1).value);
		char	   *version = hr_stated_version(book_table);
		Datum		values[4];
		bool		nulls[4] = {false};

		if (version == NULL)
			continue;
		values[0] = hr_cell_of(row, desc, 2).value;
		values[1] = CStringGetTextDatum(version);
		values[2] = BoolGetDatum(hr_compare_versions(version, HRLOOP_VERSION) < 0);
		values[3] = hr_cell_of(row, desc, 3).value;
		tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
	}
	SPI_finish();
	PG_RETURN_NULL();
}

Datum
hrloop_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(HRLOOP_VERSION));
}
