/*
 * cache.c - rules in backend memory.
 *
 * What every score needs (template weights, rater groups, settings, texts) is
 * read once and kept until one of its tables says, through hrloop.forget(),
 * that it changed.  It is read as it is committed by now, whatever snapshot the
 * transaction has.  A generation of the cache lives in one memory context.  A
 * stale generation is retired, not freed, because a caller further up the
 * stack may still look at it; retired ones go when the transaction ends.
 */
#include "hrloop.h"

#include "cache.h"
#include "cells.h"
#include "invalidate.h"
#include "plan_cache.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct RulesEntry
{
	Oid			books;			/* hash key */
	bool		loaded;
	HrRules		rules;
} RulesEntry;

typedef struct TemplateKey
{
	Oid			books;
	int64		id;
} TemplateKey;

typedef struct TemplateEntry
{
	TemplateKey key;
	HrTemplate	template;
} TemplateEntry;

/* the tables a generation was read from */
static const char *const sources[] = {"setting", "rater_group", "message_text", "notice", "decision_kind",
"review_template", "template_item", "template_rater_group"};

static MemoryContext generation;
static HTAB *rules_cache;
static HTAB *template_cache;
static List *watched;			/* oids, in the generation */
static List *retired;			/* contexts, in TopMemoryContext */
static bool stale;

static void
mark_stale(Oid relid)
{
	if (!OidIsValid(relid) || list_member_oid(watched, relid))
		stale = true;
}

static void
drop_retired(XactEvent event, void *arg)
{
	ListCell   *cell;

	if (retired == NIL ||
		(event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE &&
		 event != XACT_EVENT_PARALLEL_COMMIT && event != XACT_EVENT_PARALLEL_ABORT))
		return;
	foreach(cell, retired)
		MemoryContextDelete(lfirst(cell));
	list_free(retired);
	retired = NIL;
}

void
hr_cache_init(void)
{
	RegisterXactCallback(drop_retired, NULL);
	hr_on_change(mark_stale);
}

static HTAB *
new_hash(const char *name, Size key, Size entry)
{
	HASHCTL		ctl = {0};

	ctl.keysize = key;
	ctl.entrysize = entry;
	ctl.hcxt = generation;
	return hash_create(name, 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* A generation that is not stale. */
static void
refresh(void)
{
	MemoryContext old;

	if (generation && stale)
	{
		old = MemoryContextSwitchTo(TopMemoryContext);
		retired = lappend(retired, generation);
		MemoryContextSwitchTo(old);
		generation = NULL;
	}
	if (generation)
		return;
	watched = NIL;
	generation = AllocSetContextCreate(TopMemoryContext, "hrloop rules",
									   ALLOCSET_SMALL_SIZES);
	rules_cache = new_hash("hrloop rules", sizeof(Oid), sizeof(RulesEntry));
	template_cache = new_hash("hrloop templates", sizeof(TemplateKey), sizeof(TemplateEntry));
	stale = false;
}

static void
watch(Oid books)
{
	MemoryContext old = MemoryContextSwitchTo(generation);

	for (int i = 0; i < (int) lengthof(sources); i++)
		watched = list_append_unique_oid(watched, get_relname_relid(sources[i], books));
	MemoryContextSwitchTo(old);
}

/* ------------------------------------------------------- reading SPI rows */

/* What is kept is in memory of the generation. */
static char *
text_at(uint64 row, int column)
{
	return MemoryContextStrdup(generation, hr_text_there(hr_cell_found(row, column)));
}

static Numeric
numeric_at(uint64 row, int column)
{
	MemoryContext caller = MemoryContextSwitchTo(generation);
	Numeric		copy = hr_numeric_copy(hr_cell_found(row, column));

	MemoryContextSwitchTo(caller);
	return copy;
}

/* ------------------------------------------------------------------ rules */

static void
load_settings(Oid books, HrRules *rules)
{
	static const HrQuery query = {"settings",
		"SELECT pg_catalog.max(value) FILTER (WHERE setting = 'rationale.min_chars')::bigint,"
		"       pg_catalog.max(value) FILTER (WHERE setting = 'rationale.max_same')::bigint,"
		"       pg_catalog.max(value) FILTER (WHERE setting = 'indicator.qualitative_missed')::numeric,"
		"       pg_catalog.max(value) FILTER (WHERE setting = 'plan.score_threshold')::numeric,"
		"       pg_catalog.max(value) FILTER (WHERE setting = 'plan.missed_max_score')::numeric,"
		"       pg_catalog.bool_or(value::boolean) FILTER (WHERE setting = 'plan.on_missed'),"
		/* books that do not have it yet */
		"       COALESCE(pg_catalog.bool_or(COALESCE(value, 'false')::boolean) FILTER (WHERE setting = 'signal.announce'), true),"
		"       pg_catalog.max(value) FILTER (WHERE setting = 'book.timezone')"
	"  FROM @setting", 0, {0}};

	hr_execute_latest(books, &query, NULL);
	rules->rationale_min = (int) hr_bigint(hr_cell_found(0, 1));
	rules->rationale_same = (int) hr_bigint(hr_cell_found(0, 2));
	rules->qualitative_missed = numeric_at(0, 3);
	rules->plan_threshold = numeric_at(0, 4);
	rules->plan_ceiling = numeric_at(0, 5);
	rules->plan_on_missed = hr_bool(hr_cell_found(0, 6));
	rules->announce = hr_bool(hr_cell_found(0, 7));
	rules->timezone = hr_cell_found(0, 8).null ? NULL : text_at(0, 8);
}

static void
load_groups(Oid books, HrRules *rules)
{
	static const HrQuery query = {"rater groups",
	"SELECT rater_group, rationale_required, relation = 'peer', relation = 'superior' FROM @rater_group", 0, {0}};

	hr_execute_latest(books, &query, NULL);
	rules->ngroups = (int) SPI_processed;
	rules->groups = MemoryContextAllocZero(generation,
										   sizeof(HrRaterGroup) * Max(rules->ngroups, 1));
	for (int i = 0; i < rules->ngroups; i++)
	{
		strlcpy(rules->groups[i].code, text_at(i, 1), NAMEDATALEN);
		rules->groups[i].rationale = hr_bool(hr_cell_found(i, 2));
		rules->groups[i].peers = hr_bool(hr_cell_found(i, 3));
		rules->groups[i].superiors = hr_bool(hr_cell_found(i, 4));
	}
}

/* A rater group; NULL: unknown. */
const HrRaterGroup *
hr_rater_group(const HrRules *rules, const char *code)
{
	for (int i = 0; i < rules->ngroups; i++)
		if (strcmp(rules->groups[i].code, code) == 0)
			return &rules->groups[i];
	return NULL;
}

static void
load_texts(Oid books, HrRules *rules)
{
	static const HrQuery query = {"texts",
	"SELECT kind, locale, body FROM @message_text ORDER BY kind, locale", 0, {0}};

	hr_execute_latest(books, &query, NULL);
	rules->ntexts = (int) SPI_processed;
	rules->texts = MemoryContextAllocZero(generation,
										  sizeof(HrText) * Max(rules->ntexts, 1));
	for (int i = 0; i < rules->ntexts; i++)
	{
		rules->texts[i].kind = text_at(i, 1);
		rules->texts[i].locale = text_at(i, 2);
		rules->texts[i].body = text_at(i, 3);
	}
}

static void
load_silent(Oid books, HrRules *rules)
{
	static const HrQuery query = {"silent",
	"SELECT kind FROM @notice WHERE NOT active ORDER BY kind", 0, {0}};

	hr_execute_latest(books, &query, NULL);
	rules->nsilent = (int) SPI_processed;
	rules->silent = MemoryContextAllocZero(generation,
										   sizeof(HrSilent) * Max(rules->nsilent, 1));
	for (int i = 0; i < rules->nsilent; i++)
		rules->silent[i].kind = text_at(i, 1);
}

static void
load_kinds(Oid books, HrRules *rules)
{
	static const HrQuery query = {"kinds of decisions",
	"SELECT kind FROM @decision_kind ORDER BY kind", 0, {0}};

	hr_execute_latest(books, &query, NULL);
	rules->nkinds = (int) SPI_processed;
	rules->kinds = MemoryContextAllocZero(generation, sizeof(char *) * Max(rules->nkinds, 1));
	for (int i = 0; i < rules->nkinds; i++)
		rules->kinds[i] = text_at(i, 1);
}

/* The rules of these books if they are at hand, else NULL: no scope needed. */
const HrRules *
hr_rules_cached(Oid books)
{
	RulesEntry *entry = generation == NULL || stale ? NULL
	: hash_search(rules_cache, &books, HASH_FIND, NULL);

	return entry && entry->loaded ? &entry->rules : NULL;
}

/* The rules of these books.  Call it inside a scope. */
const HrRules *
hr_rules(Oid books)
{
	RulesEntry *entry;
	bool		found;

	refresh();
	entry = hash_search(rules_cache, &books, HASH_ENTER, &found);
	if (found && entry->loaded)
		return &entry->rules;

	entry->loaded = false;		/* until it is filled: reading can fail */
	watch(books);
	memset(&entry->rules, 0, sizeof(HrRules));
	load_settings(books, &entry->rules);
	load_groups(books, &entry->rules);
	load_texts(books, &entry->rules);
	load_silent(books, &entry->rules);
	load_kinds(books, &entry->rules);
	entry->loaded = true;
	return &entry->rules;
}

/* -------------------------------------------------------------- templates */

static void
load_weights(Oid books, HrTemplate *template)
{
	static const HrQuery query = {"template weights",
		"SELECT rater_group, NULLIF(weight, 0), required AND weight > 0, minimum::bigint, below_minimum"
	"  FROM @template_rater_group WHERE template_id = $1 ORDER BY rater_group", 1, {INT8OID}};
	Datum		arg = Int64GetDatum(template->id);

	template->nweights = (int) hr_execute_latest(books, &query, &arg);
	template->weights = MemoryContextAllocZero(generation,
											   sizeof(HrWeight) * Max(template->nweights, 1));
	for (int i = 0; i < template->nweights; i++)
	{
		HrWeight   *weight = &template->weights[i];
		const char *below = text_at(i, 5);

		strlcpy(weight->code, text_at(i, 1), NAMEDATALEN);
		weight->weight = numeric_at(i, 2);
		weight->required = hr_bool(hr_cell_found(i, 3));
		weight->minimum = (int) hr_bigint(hr_cell_found(i, 4));
		weight->below = strcmp(below, "drop") == 0 ? HR_BELOW_DROPS
			: strcmp(below, "block") == 0 ? HR_BELOW_BLOCKS : HR_BELOW_COUNTS;
	}
}

/* What a template says of a rater group; NULL: it does not know it. */
const HrWeight *
hr_template_weight(const HrTemplate *template, const char *group)
{
	for (int i = 0; i < template->nweights; i++)
		if (strcmp(template->weights[i].code, group) == 0)
			return &template->weights[i];
	return NULL;
}

/* A template with its pinned items.  Call it inside a scope. */
const HrTemplate *
hr_template(Oid books, int64 id)
{
	static const HrQuery query = {"template",
		"SELECT i.indicator_id, i.effective_weight, i.pass_pct, t.missing_policy, i.veto_at, i.veto_cap"
		"  FROM @review_template t JOIN @template_item i ON i.template_id = t.template_id"
		" WHERE t.template_id = $1 AND i.effective_weight IS NOT NULL"
	" ORDER BY i.position, i.indicator_id", 1, {INT8OID}};
	TemplateKey key;
	TemplateEntry *entry;
	HrTemplate *template;
	Datum		arg = Int64GetDatum(id);
	bool		found;

	memset(&key, 0, sizeof(key));
	key.books = books;
	key.id = id;
	refresh();
	entry = hash_search(template_cache, &key, HASH_ENTER, &found);
	template = &entry->template;
	if (found && template->loaded)
		return template;

	memset(template, 0, sizeof(HrTemplate));
	watch(books);
	template->id = id;
	template->nitems = (int) hr_execute_latest(books, &query, &arg);
	template->items = MemoryContextAllocZero(generation,
											 sizeof(HrItem) * Max(template->nitems, 1));
	for (int i = 0; i < template->nitems; i++)
	{
		template->items[i].indicator = hr_bigint(hr_cell_found(i, 1));
		template->items[i].weight = numeric_at(i, 2);
		template->items[i].pass = numeric_at(i, 3);
		template->items[i].veto_at = numeric_at(i, 5);
		template->items[i].veto_cap = numeric_at(i, 6);
	}
	if (template->nitems > 0)
	{
		const char *policy = text_at(0, 4);

		template->missing = strcmp(policy, "renormalise") == 0 ? HR_MISSING_RENORMALISE
			: strcmp(policy, "zero") == 0 ? HR_MISSING_ZERO : HR_MISSING_BLOCK;
	}
	load_weights(books, template);
	template->loaded = true;
	return template;
}
