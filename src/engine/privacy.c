/*
 * privacy.c - what the rights of a person need of the engine: to read and to
 * change whatever tables hold something about somebody, found by the books in
 * the catalog, and to know how a session is encrypted.
 */
#include "hrloop.h"

#include "audit_erasure.h"
#include "books.h"
#include "books_scope.h"
#include "cells.h"
#include "erasure.h"
#include "plan_cache.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_query_rows);
PG_FUNCTION_INFO_V1(hrloop_scrub);
PG_FUNCTION_INFO_V1(hrloop_replace_text);
PG_FUNCTION_INFO_V1(hrloop_erase);
PG_FUNCTION_INFO_V1(hrloop_tls);

/*
 * hrloop.query_rows(query): as the caller, read only.  A text that is not one
 * query may still parse, to more statements or to other results than ours.
 */
Datum
hrloop_query_rows(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext caller = CurrentMemoryContext;
	HrCell		result = hr_cell_with((Datum) 0, true);

	SPI_connect();
	if (SPI_execute(psprintf("SELECT coalesce(pg_catalog.jsonb_agg(q), '[]') FROM (%s) q", query),
					true, 0) == SPI_OK_SELECT &&
		SPI_processed == 1 && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == JSONBOID)
		result = hr_cell_found(0, 1);
	if (result.null)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a single query: %s", query)));
	MemoryContextSwitchTo(caller);
	result.value = PointerGetDatum(PG_DETOAST_DATUM_COPY(result.value));
	SPI_finish();
	return result.value;
}

/* ------------------------------------------------------------------ scrub */

typedef struct Level
{
	JsonbValue	key;			/* that holds what is at this level */
	JsonbValue	parent;			/* that holds the object of that key */
} Level;

typedef struct Scrub
{
	Datum	   *keys;
	int			nkeys;
	const text *was;			/* NULL: whatever it is */
	JsonbValue	mark;
	Level	   *level;
	int			depth;
	int			room;
} Scrub;

/* "key", or "parent.key" */
static bool
key_matches(const char *wanted, int length, const Level *level)
{
	const JsonbValue *key = &level->key;
	const JsonbValue *parent = &level->parent;
	int			plain = key->val.string.len;

	if (key->type != jbvString)
		return false;
	if (length == plain)
		return memcmp(wanted, key->val.string.val, plain) == 0;
	return parent->type == jbvString &&
		length == parent->val.string.len + 1 + plain &&
		memcmp(wanted, parent->val.string.val, parent->val.string.len) == 0 &&
		wanted[parent->val.string.len] == '.' &&
		memcmp(wanted + parent->val.string.len + 1, key->val.string.val, plain) == 0;
}

static bool
is_the_one(const text *was, const JsonbValue *found)
{
	return found->val.string.len == VARSIZE_ANY_EXHDR(was) &&
		memcmp(found->val.string.val, VARDATA_ANY(was), found->val.string.len) == 0;
}

/* Whether a text at this place is one of those that go. */
static bool
is_scrubbed(const Scrub *scrub, const JsonbValue *found)
{
	if (scrub->was != NULL && !is_the_one(scrub->was, found))
		return false;
	for (int i = 0; i < scrub->nkeys; i++)
	{
		text	   *wanted = DatumGetTextPP(scrub->keys[i]);

		if (key_matches(VARDATA_ANY(wanted), VARSIZE_ANY_EXHDR(wanted),
						&scrub->level[scrub->depth]))
			return true;
	}
	return false;
}

/* "parent.*": the keys of the object that parent holds are texts as well. */
static bool
is_scrubbed_key(const Scrub *scrub, const JsonbValue *found)
{
	const JsonbValue *parent = &scrub->level[scrub->depth].parent;

	if (scrub->was == NULL || parent->type != jbvString || !is_the_one(scrub->was, found))
		return false;
	for (int i = 0; i < scrub->nkeys; i++)
	{
		text	   *wanted = DatumGetTextPP(scrub->keys[i]);
		const char *name = VARDATA_ANY(wanted);
		int			length = parent->val.string.len;

		if (VARSIZE_ANY_EXHDR(wanted) == length + 2 && memcmp(name, parent->val.string.val, length) == 0 &&
			memcmp(name + length, ".*", 2) == 0)
			return true;
	}
	return false;
}

/* An object's keys stand under the key that holds it, an array's elements under its own. */
static void
descend(Scrub *scrub, bool object)
{
	Level		above = scrub->level[scrub->depth];

	if (++scrub->depth == scrub->room)
	{
		scrub->room *= 2;
		scrub->level = repalloc(scrub->level, scrub->room * sizeof(Level));
	}
	scrub->level[scrub->depth] = above;
	if (object)
	{
		scrub->level[scrub->depth].parent = above.key;
		scrub->level[scrub->depth].key.type = jbvNull;
	}
}

static JsonbValue *
scrub_document(Jsonb *document, Scrub *scrub)
{
	JsonbIterator *it = JsonbIteratorInit(&document->root);
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	JsonbValue	v;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
			descend(scrub, token == WJB_BEGIN_OBJECT);
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			scrub->depth--;
		else if (token == WJB_KEY)
		{
			scrub->level[scrub->depth].key = v;
			if (is_scrubbed_key(scrub, &v))
				v = scrub->mark;
		}
		else if (v.type == jbvString && is_scrubbed(scrub, &v))
			v = scrub->mark;
		result = pushJsonbValue(&state, token, token < WJB_BEGIN_ARRAY ? &v : NULL);
	}
	return result;
}

static Jsonb *
scrubbed(Jsonb *document, ArrayType *keys, text *was, text *mark)
{
	Scrub		scrub = {.room = 16, .was = was};
	bool	   *nulls;

	if (JB_ROOT_IS_SCALAR(document))
		return document;
	deconstruct_array(keys, TEXTOID, -1, false, TYPALIGN_INT,
					  &scrub.keys, &nulls, &scrub.nkeys);
	for (int i = 0; i < scrub.nkeys; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a key to scrub must not be null")));
	scrub.mark.type = jbvString;
	scrub.mark.val.string.val = VARDATA_ANY(mark);
	scrub.mark.val.string.len = VARSIZE_ANY_EXHDR(mark);
	scrub.level = palloc0(scrub.room * sizeof(Level));
	return JsonbValueToJsonb(scrub_document(document, &scrub));
}

/* hrloop.scrub(document, keys, mark): the texts under these keys become the mark. */
Datum
hrloop_scrub(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(scrubbed(PG_GETARG_JSONB_P(0), PG_GETARG_ARRAYTYPE_P(1), NULL, PG_GETARG_TEXT_PP(2)));
}

/* hrloop.replace_text(document, keys, was, becomes): one text under these keys becomes another. */
Datum
hrloop_replace_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(scrubbed(PG_GETARG_JSONB_P(0), PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_TEXT_PP(2), PG_GETARG_TEXT_PP(3)));
}

/* ------------------------------------------------------------------ erase */

/*
 * hrloop.erase(book, erasure): carries out an erasure that two people agreed
 * on, even in tables that are append-only; the number of rows that changed.
 *
 * What is to be done is data (erasure_rule) from which the books make the
 * statements; none come out for an erasure that is not confirmed.  They are
 * all made before the first one runs, since it takes away the name and the
 * number by which others find their rows.
 */
Datum
hrloop_erase(PG_FUNCTION_ARGS)
{
	static const HrQuery statements = {"erasure statements",
	"SELECT statement FROM @erasure_statement($1)", 1, {INT8OID}};
	static const HrQuery whose = {"erasure whose",
	"SELECT employee_id FROM @erasure_log WHERE erasure_id = $1", 1, {INT8OID}};
	Oid			books;
	Oid			owner;
	Datum		arg = PG_GETARG_DATUM(1);
	HrScope		scope;
	uint64		count;
	char	  **statement;
	int64		changed;

	books = hr_books_of(PG_GETARG_OID(0));
	owner = hr_books_owner(PG_GETARG_OID(0));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to erase in books \"%s\"", get_namespace_name(books)),
				 errhint("Use request_erasure() and confirm_erasure() of the books.")));
	hr_scope_enter(&scope, owner);
	count = hr_execute(books, &statements, &arg, NULL, false);
	statement = palloc(Max(count, 1) * sizeof(char *));
	for (uint64 i = 0; i < count; i++)
		statement[i] = hr_text_there(hr_cell_found(i, 1));
	hr_audit_erasing();
	changed = hr_erase(books, statement, count);
	if (changed > 0 && hr_execute(books, &whose, &arg, NULL, false) > 0)
		hr_audit_erased(books, owner, DatumGetInt64(arg), hr_bigint(hr_cell_found(0, 1)), changed);
	hr_scope_leave(&scope);
	PG_RETURN_INT64(changed);
}

/* -------------------------------------------------------------------- tls */

/*
 * hrloop.tls(): how this session's own connection is encrypted; nulls if it is
 * not.  pg_stat_ssl would not tell a role that the session has only taken.
 */
Datum
hrloop_tls(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "hrloop: return type must be a row type");
#ifdef USE_SSL
	if (MyBEEntry && MyBEEntry->st_ssl)
	{
		values[0] = CStringGetTextDatum(MyBEEntry->st_sslstatus->ssl_version);
		values[1] = CStringGetTextDatum(MyBEEntry->st_sslstatus->ssl_cipher);
		values[2] = Int32GetDatum(MyBEEntry->st_sslstatus->ssl_bits);
		memset(nulls, 0, sizeof(nulls));
	}
#endif
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
