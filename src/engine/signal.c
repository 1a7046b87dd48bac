/*
 * signal.c - what people are told: texts rendered from figures, once, when
 * the notice is written, and announced to listening programs by NOTIFY.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "cache.h"
#include "called.h"
#include "cells.h"
#include "ids.h"
#include "plan_cache.h"

#include "catalog/pg_type.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(hrloop_render);
PG_FUNCTION_INFO_V1(hrloop_signal_render);
PG_FUNCTION_INFO_V1(hrloop_signal_announce);

#define PAYLOAD_ROOM 7900		/* NOTIFY takes less than 8000 bytes */

/* The value of a placeholder: numbers without trailing zeros. */
static char *
placeholder(Jsonb *args, const char *name, int length, const char *body)
{
	JsonbValue	room;
	JsonbValue *value = args == NULL || !JB_ROOT_IS_OBJECT(args) ? NULL
	: getKeyJsonValueFromContainer(&args->root, name, length, &room);

	if (value != NULL && value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value != NULL && value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   DirectFunctionCall1(numeric_trim_scale,
																	   NumericGetDatum(value->val.numeric))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the text has no value for placeholder {%.*s}", length, name),
			 errdetail("Text: %s", body),
			 errhint("Correct the row of message_text.")));
	return NULL;				/* keep compiler quiet */
}

/* Fill the {placeholders} of a text. */
static char *
render(const char *body, Jsonb *args)
{
	StringInfoData out;
	const char *p = body;

	initStringInfo(&out);
	while (*p)
	{
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (end == NULL)
		{
			appendStringInfoChar(&out, *p++);
			continue;
		}
		appendStringInfoString(&out, placeholder(args, p + 1, (int) (end - p - 1), body));
		p = end + 1;
	}
	return out.data;
}

Datum
hrloop_render(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(render(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											PG_GETARG_JSONB_P(1))));
}

/* The text of a kind in a locale, or in any if there is no other. */
static const HrText *
find_text(const HrRules *rules, const char *kind, const char *locale)
{
	const HrText *any = NULL;

	for (int i = 0; i < rules->ntexts; i++)
	{
		if (strcmp(rules->texts[i].kind, kind) != 0)
			continue;
		if (strcmp(rules->texts[i].locale, locale) == 0)
			return &rules->texts[i];
		any = &rules->texts[i];
	}
	return any;
}

/* Whether a kind of notice is switched off. */
static bool
is_silent(const HrRules *rules, const char *kind)
{
	for (int i = 0; i < rules->nsilent; i++)
		if (strcmp(rules->silent[i].kind, kind) == 0)
			return true;
	return false;
}

/* The recipient's language; roles without a person read the books' own. */
static char *
recipient_locale(Oid books, HrCell recipient)
{
	static const HrQuery query = {"locale",
		"SELECT COALESCE((SELECT e.locale FROM @employee e WHERE e.employee_id = $1),"
		"                (SELECT s.value FROM @setting s WHERE s.setting = 'signal.locale'),"
	"                'zh')", 1, {INT8OID}};

	hr_execute(books, &query, &recipient.value, recipient.null ? "n" : " ", true);
	return hr_text(hr_cell_found(0, 1));
}

/* BEFORE INSERT row: the text of a notice, if it did not bring its own; nothing, if its kind is switched off. */
Datum
hrloop_signal_render(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW);
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	Oid			books = RelationGetNamespace(td->tg_relation);
	HeapTuple	row = td->tg_trigtuple;
	int			column[2] = {hr_column(desc, "body", TEXTOID), hr_column(desc, "locale", TEXTOID)};
	Datum		values[2];
	bool		nulls[2] = {false, false};
	HrScope		scope;
	const HrText *wording;
	char	   *kind = hr_text(hr_cell_of(row, desc, hr_column(desc, "kind", TEXTOID)));
	char	   *locale = hr_text(hr_cell_of(row, desc, column[1]));
	HrCell		args,
				recipient;

	if (kind == NULL)
		return PointerGetDatum(row);

	hr_books_check(books);
	hr_scope_enter(&scope, hr_owner_of(td->tg_relation));
	if (is_silent(hr_rules(books), kind))
		row = NULL;
	if (row == NULL || !hr_cell_of(row, desc, column[0]).null)
	{
		hr_scope_leave(&scope);
		return PointerGetDatum(row);
	}
	recipient = hr_cell_of(row, desc, hr_column(desc, "recipient_id", INT8OID));
	if (locale == NULL)
		locale = recipient_locale(books, recipient);
	wording = find_text(hr_rules(books), kind, locale);
	if (wording == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no text for notices of kind \"%s\"", kind),
				 errhint("Add a row to message_text, or give the notice a body.")));
	args = hr_cell_of(row, desc, hr_column(desc, "args", JSONBOID));
	kind = render(wording->body, args.null ? NULL : DatumGetJsonbP(args.value));
	values[0] = SPI_datumTransfer(CStringGetTextDatum(kind), false, -1);
	values[1] = SPI_datumTransfer(CStringGetTextDatum(wording->locale), false, -1);
	hr_scope_leave(&scope);

	row = heap_modify_tuple_by_cols(row, desc, 2, column, values, nulls);
	return PointerGetDatum(row);
}

/*
 * Whether new rows of these books are announced.  PostgreSQL prepares no transaction
 * that has announced anything, and such transactions commit one after the other.
 */
static bool
announces(Relation rel)
{
	Oid			books = RelationGetNamespace(rel);
	const HrRules *rules = hr_rules_cached(books);
	HrScope		scope;
	bool		announce;

	if (rules != NULL)
		return rules->announce;
	hr_scope_enter(&scope, hr_owner_of(rel));
	announce = hr_rules(books)->announce;
	hr_scope_leave(&scope);
	return announce;
}

/*
 * AFTER INSERT: NOTIFY on the channel named like the schema.  The payload is
 * "<table> <ids>", ids in ranges ("12-40,42"), never a text or a figure.
 */
Datum
hrloop_signal_announce(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	char	   *channel = get_namespace_name(RelationGetNamespace(td->tg_relation));
	const char *table = RelationGetRelationName(td->tg_relation);
	HrIds		ids = {0};
	StringInfoData payload;

	if (td->tg_newtable == NULL || td->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has no transition table or key",
						td->tg_trigger->tgname)));
	if (!announces(td->tg_relation))
		return PointerGetDatum(NULL);
	hr_collect(td->tg_newtable, desc,
			   hr_column(desc, td->tg_trigger->tgargs[0], INT8OID), &ids);
	hr_ids_settle(&ids);

	initStringInfo(&payload);
	for (int i = 0; i < ids.count;)
	{
		int			last = i;

		while (last + 1 < ids.count && ids.id[last + 1] == ids.id[last] + 1)
			last++;
		if (payload.len == 0)
			appendStringInfo(&payload, "%s ", table);
		else
			appendStringInfoChar(&payload, ',');
		if (last == i)
			appendStringInfo(&payload, INT64_FORMAT, ids.id[i]);
		else
			appendStringInfo(&payload, INT64_FORMAT "-" INT64_FORMAT, ids.id[i], ids.id[last]);
		i = last + 1;
		if (payload.len > PAYLOAD_ROOM - 48 || i == ids.count)
		{
			Async_Notify(channel, payload.data);
			resetStringInfo(&payload);
		}
	}
	PG_RETURN_POINTER(NULL);
}
