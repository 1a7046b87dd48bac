/*
 * audit_row.c - rows of any table as JSON, the same whoever writes it.
 */
#include "hrloop.h"

#include "audit_digest.h"
#include "audit_row.h"
#include "cells.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

void
hr_audit_describe(HrAuditTable *table, Relation rel, const char *ignored, const char *digested)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	char	   *save;

	table->desc = RelationGetDescr(rel);
	table->context = CurrentMemoryContext;
	table->column = palloc0(table->desc->natts * sizeof(HrAuditColumn));
	for (int i = 0; i < table->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(table->desc, i);
		HrAuditColumn *column = &table->column[i];

		column->left_out = att->attisdropped || att->attgenerated != '\0';
		column->in_key = bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, key);
	}
	if (ignored)
		for (char *column = strtok_r(pstrdup(ignored), ",", &save); column; column = strtok_r(NULL, ",", &save))
			table->column[hr_column(table->desc, column, InvalidOid) - 1].left_out = true;
	if (digested)
		for (char *column = strtok_r(pstrdup(digested), ",", &save); column; column = strtok_r(NULL, ",", &save))
			table->column[hr_column(table->desc, column, InvalidOid) - 1].in_digest = true;
}

/* What it takes to write a column; most are never asked for. */
static HrAuditColumn *
column_for(HrAuditTable *table, int i)
{
	HrAuditColumn *column = &table->column[i];
	Form_pg_attribute att = TupleDescAttr(table->desc, i);
	MemoryContext caller;
	Oid			output;
	bool		varlena;

	if (column->key)
		return column;
	caller = MemoryContextSwitchTo(table->context);
	getTypeOutputInfo(att->atttypid, &output, &varlena);
	fmgr_info(output, &column->output);
	column->type = getBaseType(att->atttypid);
	column->key = NameStr(att->attname);
	MemoryContextSwitchTo(caller);
	return column;
}

/* A value of a column, as its type writes it. */
char *
hr_row_text(HrAuditTable *table, AttrNumber column, Datum value)
{
	return OutputFunctionCall(&column_for(table, column - 1)->output, value);
}

static void
set_string(JsonbValue *json, char *string, int length)
{
	json->type = jbvString;
	json->val.string.val = string;
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
json_value(JsonbValue *json, HrAuditColumn *column, Datum value)
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

Datum
hr_json_of(StringInfo text)
{
	appendStringInfoChar(text, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data));
}

static void
append_column(JsonbParseState **out, HrAuditColumn *column, HrCell cell)
{
	JsonbValue	json;

	set_string(&json, (char *) column->key, strlen(column->key));
	pushJsonbValue(out, WJB_KEY, &json);
	if (cell.null)
		json.type = jbvNull;
	else
		json_value(&json, column, cell.value);
	pushJsonbValue(out, WJB_VALUE, &json);
}

static Datum
json_done(JsonbParseState **out)
{
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(out, WJB_END_OBJECT, NULL)));
}

/* Which columns of a row: those that do not stand beside it in the entry, or those that are digested. */
static bool
wanted(const HrAuditTable *table, int i, bool digested, int beside)
{
	const HrAuditColumn *column = &table->column[i];

	if (column->left_out)
		return false;
	return digested ? column->in_digest : !column->in_key && i + 1 != beside;
}

/* What of these is not null. */
Datum
hr_row_json(HrAuditTable *table, TupleTableSlot *row, bool digested, int beside)
{
	JsonbParseState *out = NULL;

	pushJsonbValue(&out, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < table->desc->natts; i++)
	{
		HrCell		cell;

		if (!wanted(table, i, digested, beside))
			continue;
		cell = hr_cell(row, i + 1);
		if (!cell.null)
			append_column(&out, column_for(table, i), cell);
	}
	return json_done(&out);
}

void
hr_digest_row(HrAuditTable *table, pg_cryptohash_ctx **sha, TupleTableSlot *row, uint8 *digest)
{
	char	   *json = hr_json_text(hr_row_json(table, row, true, 0));

	json = pg_server_to_any(json, strlen(json), PG_UTF8);
	hr_sha256(sha, NULL, json, strlen(json), digest);
}

Datum
hr_digest_json(HrAuditTable *table, pg_cryptohash_ctx **sha, TupleTableSlot *row)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	StringInfoData out;

	hr_digest_row(table, sha, row, digest);
	initStringInfo(&out);
	appendStringInfoString(&out, "{\"sha256\": \"");
	hr_append_hex(&out, digest);
	appendStringInfoChar(&out, '"');
	return hr_json_of(&out);
}

/* What an update changed; false if that is nothing worth an entry. */
bool
hr_row_differences(HrAuditTable *table, TupleTableSlot *was, TupleTableSlot *is, Datum *before, Datum *after)
{
	JsonbParseState *old = NULL;
	JsonbParseState *new = NULL;

	for (int i = 0; i < table->desc->natts; i++)
	{
		HrAuditColumn *column = &table->column[i];
		HrCell		x,
					y;

		if (column->left_out)
			continue;
		x = hr_cell(was, i + 1);
		y = hr_cell(is, i + 1);
		if (hr_same(x, y, TupleDescAttr(table->desc, i)))
			continue;
		if (old == NULL)
		{
			pushJsonbValue(&old, WJB_BEGIN_OBJECT, NULL);
			pushJsonbValue(&new, WJB_BEGIN_OBJECT, NULL);
		}
		append_column(&old, column_for(table, i), x);
		append_column(&new, column_for(table, i), y);
	}
	if (old == NULL)
		return false;
	*before = json_done(&old);
	*after = json_done(&new);
	return true;
}

/* The key of a row as text, the columns of a longer one with commas between. */
Datum
hr_row_key(HrAuditTable *table, TupleTableSlot *row)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < table->desc->natts; i++)
	{
		if (!table->column[i].in_key)
			continue;
		if (out.len > 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoString(&out, hr_row_text(table, i + 1, hr_cell(row, i + 1).value));
	}
	return CStringGetTextDatum(out.data);
}
