/*
 * visible.c - whom the one who is asking may see.
 *
 * Every row policy of the books comes down to hrloop.visible(book, employee,
 * kind).  What somebody sees is gathered once, as the owner of the books, and
 * kept in the backend for a few actors, until a table that it was read from
 * changes: then this is noted, and it is gathered again at the next question.
 *
 * work		oneself and everybody below, along assignment.manager_id and the units
 *			that one heads; HR and executives: everybody
 * pay		oneself; HR and finance: everybody; managers as in work, if the setting
 *			pay.manager_reads says so
 * name		whose name one may know: as work or pay, those above, and whoever acts
 *			for HR, finance or as an executive
 *
 * Somebody above is never below, in whatever unit they work besides.
 */
#include "hrloop.h"

#include "access.h"
#include "books.h"
#include "books_scope.h"
#include "cells.h"
#include "day.h"
#include "ids.h"
#include "plan_cache.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(hrloop_visible);
PG_FUNCTION_INFO_V1(hrloop_visible_ids);
PG_FUNCTION_INFO_V1(hrloop_acts_for);
PG_FUNCTION_INFO_V1(hrloop_visible_support);

typedef struct Person
{
	int64		id;
	char		status;
} Person;

#define SH_PREFIX people
#define SH_ELEMENT_TYPE Person
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef enum Kind
{
	WORK,
	PAY,
	NAME
} Kind;

/* What an actor of some books sees.  An index condition holds for all kinds. */
typedef struct Sight
{
	Oid			books;
	int64		employee;
	uint64		seen;			/* hr_changes() when it was gathered; 0: not yet */
	TimestampTz only;			/* holds for this statement alone, if not 0 */
	DateADT		day;
	uint64		used;
	bool		all[NAME + 1];
	bool		team_pay;
	List	   *roles;			/* of role_holder, as C strings */
	people_hash *below;			/* oneself, too */
	people_hash *named;			/* whose name is known besides */
	MemoryContext context;
} Sight;

static Sight sights[8];			/* the actors of late */
static uint64 tick;

/* of what somebody sees */
static const char *const sources[] = {"employee", "assignment", "unit_head",
"org_unit", "role_holder", "delegation", "employee_status", "setting"};

/* --------------------------------------------------------------- gathering */

static void
add_person(people_hash *set, int64 id, HrIds *fresh)
{
	bool		found;

	people_insert(set, id, &found);
	if (!found && fresh)
		hr_ids_add(fresh, id);
}

/*
 * Run a query that goes from some keys one step on, a slice of them at a time,
 * and put what is new into the set and into the list.
 */
static void
step(Oid books, const HrQuery *query, const HrIds *from, DateADT day,
	 people_hash *except, people_hash *set, HrIds *fresh)
{
	const int	slice = 1000;

	for (int first = 0; first < from->count; first += slice)
	{
		HrIds		part = {.id = from->id + first, .count = Min(slice, from->count - first)};
		Datum		args[] = {PointerGetDatum(hr_ids_array(&part)), DateADTGetDatum(day)};

		CHECK_FOR_INTERRUPTS();
		hr_execute(books, query, args, NULL, true);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HrCell		id = hr_cell_found(i, 1);

			if (!id.null && !(except && people_lookup(except, hr_bigint(id))))
				add_person(set, hr_bigint(id), fresh);
		}
		SPI_freetuptable(SPI_tuptable);
	}
}

/* Who is above: direct managers and heads of the units, and so on. */
static void
gather_above(const Sight *sight, people_hash *above)
{
	static const HrQuery managers = {"managers",
		"SELECT manager_id FROM @assignment WHERE employee_id = ANY ($1) AND is_primary AND valid @> $2",
	2, {INT8ARRAYOID, DATEOID}};
	static const HrQuery heads = {"heads above",
		"WITH RECURSIVE unit AS ("
		"  SELECT org_unit_id FROM @assignment WHERE employee_id = ANY ($1) AND is_primary AND valid @> $2"
		"  UNION SELECT u.parent_id FROM unit JOIN @org_unit u USING (org_unit_id) WHERE u.parent_id IS NOT NULL)"
		"SELECT h.employee_id FROM unit JOIN @unit_head h USING (org_unit_id) WHERE h.valid @> $2",
	2, {INT8ARRAYOID, DATEOID}};
	int64		self = sight->employee;
	HrIds		from = {.id = &self, .count = 1};
	people_hash *oneself = people_create(CurrentMemoryContext, 1, NULL);

	add_person(oneself, self, NULL);
	while (from.count > 0)
	{
		HrIds		fresh = {0};

		step(sight->books, &managers, &from, sight->day, oneself, above, &fresh);
		step(sight->books, &heads, &from, sight->day, oneself, above, &fresh);
		from = fresh;
	}
}

static bool
has_left(const Sight *sight)
{
	static const HrQuery left = {"left",
		"SELECT 1 FROM @employee_status WHERE employee_id = $1 AND status = 'left' AND valid @> $2",
	2, {INT8OID, DATEOID}};
	Datum		args[] = {Int64GetDatum(sight->employee), DateADTGetDatum(sight->day)};

	return hr_execute(sight->books, &left, args, NULL, true) > 0;
}

/*
 * Who is below: reports, and whoever works in the units that one heads, and so on.  Who
 * has left has nobody, whatever assignments still say.
 */
static void
gather_below(Sight *sight, people_hash *above)
{
	static const HrQuery reports = {"reports",
		"SELECT employee_id FROM @assignment WHERE manager_id = ANY ($1) AND valid @> $2",
	2, {INT8ARRAYOID, DATEOID}};
	static const HrQuery headed = {"units headed",
		"SELECT org_unit_id FROM @unit_head WHERE employee_id = ANY ($1) AND valid @> $2",
	2, {INT8ARRAYOID, DATEOID}};
	static const HrQuery units = {"units below",
		"SELECT org_unit_id FROM @org_unit WHERE parent_id = ANY ($1) AND $2 IS NOT NULL",
	2, {INT8ARRAYOID, DATEOID}};
	static const HrQuery members = {"members",
		"SELECT employee_id FROM @assignment WHERE org_unit_id = ANY ($1) AND valid @> $2",
	2, {INT8ARRAYOID, DATEOID}};
	people_hash *known = people_create(CurrentMemoryContext, 64, NULL);
	HrIds		from = {0};

	add_person(sight->below, sight->employee, &from);
	if (has_left(sight))
		return;
	while (from.count > 0)
	{
		HrIds		fresh = {0};
		HrIds		unit = {0};

		step(sight->books, &reports, &from, sight->day, above, sight->below, &fresh);
		step(sight->books, &headed, &from, sight->day, NULL, known, &unit);
		while (unit.count > 0)
		{
			HrIds		next = {0};

			step(sight->books, &members, &unit, sight->day, above, sight->below, &fresh);
			step(sight->books, &units, &unit, sight->day, NULL, known, &next);
			unit = next;
		}
		from = fresh;
	}
}

static bool
holds(const Sight *sight, const char *role)
{
	ListCell   *cell;

	foreach(cell, sight->roles)
		if (strcmp(lfirst(cell), role) == 0)
			return true;
	return false;
}

/* What the roles that somebody holds, and the settings, open. */
static void
gather_roles(Sight *sight)
{
	static const HrQuery held = {"roles held",
		"SELECT w.role FROM (SELECT h.role, h.employee_id FROM @role_holder h WHERE h.employee_id = $1 AND h.valid @> $2 "
		"UNION ALL SELECT g.role, g.delegator_id FROM @delegation g"
		"  JOIN @role_holder h ON h.employee_id = g.delegator_id AND h.role = g.role AND h.valid @> $2"
		" WHERE g.delegate_id = $1 AND g.valid @> $2 AND g.revoked_by IS NULL) w"
		" WHERE NOT EXISTS (SELECT 1 FROM @employee_status s WHERE s.employee_id IN ($1, w.employee_id) AND s.status = 'left' AND s.valid @> $2)",
	2, {INT8OID, DATEOID}};
	static const HrQuery setting = {"pay.manager_reads",
	"SELECT 1 FROM @setting WHERE setting = 'pay.manager_reads' AND value = 'true'", 0, {0}};
	Datum		args[] = {Int64GetDatum(sight->employee), DateADTGetDatum(sight->day)};
	MemoryContext old;

	hr_execute(sight->books, &held, args, NULL, true);
	old = MemoryContextSwitchTo(sight->context);
	sight->roles = NIL;
	for (uint64 i = 0; i < SPI_processed; i++)
		sight->roles = lappend(sight->roles, hr_text_there(hr_cell_found(i, 1)));
	MemoryContextSwitchTo(old);
	sight->all[WORK] = holds(sight, "hr") || holds(sight, "executive");
	sight->all[PAY] = holds(sight, "hr") || holds(sight, "finance");
	sight->all[NAME] = sight->all[WORK] || sight->all[PAY];
	sight->team_pay = hr_execute(sight->books, &setting, NULL, NULL, true) > 0;
}

static void
gather(Sight *sight)
{
	static const HrQuery holders = {"role holders",
		"SELECT employee_id FROM @role_holder WHERE $1 IS NOT NULL AND valid @> $2",
	2, {INT8ARRAYOID, DATEOID}};
	HrIds		any = {.id = &sight->employee, .count = 1};

	gather_roles(sight);
	sight->below = people_create(sight->context, 16, NULL);
	sight->named = people_create(sight->context, 16, NULL);
	gather_above(sight, sight->named);
	gather_below(sight, sight->named);
	step(sight->books, &holders, &any, sight->day, NULL, sight->named, NULL);
}

/* The one of these books and this actor, else the one not used for longest. */
static Sight *
place_for(Oid books, int64 employee)
{
	Sight	   *oldest = &sights[0];

	for (int i = 0; i < (int) lengthof(sights); i++)
	{
		if (sights[i].books == books && sights[i].employee == employee)
			return &sights[i];
		if (sights[i].used < oldest->used)
			oldest = &sights[i];
	}
	return oldest;
}

/* What who is asking sees. */
static const Sight *
sight_of(const HrIdentity *who)
{
	Sight	   *sight = place_for(who->books, who->employee);
	DateADT		day = hr_today(who->books);
	uint64		before = hr_changes();
	Sight		fresh = {.books = who->books, .employee = who->employee,
	.seen = before, .day = day, .used = ++tick};
	HrScope		scope;

	sight->used = tick;
	if (sight->books == who->books && sight->employee == who->employee &&
		sight->seen == before && sight->day == day &&
		(sight->only == 0 || sight->only == who->statement))
		return sight;

	/* reading can fail, and what is read can ask the same: it takes its place when it is whole */
	fresh.context = AllocSetContextCreate(CurrentMemoryContext, "hrloop sight",
										  ALLOCSET_DEFAULT_SIZES);
	hr_watch(who->books, sources, lengthof(sources));
	fresh.only = hr_scope_enter_latest(&scope, hr_books_owner(who->book_table));
	gather(&fresh);
	hr_scope_leave_latest(&scope);
	if (sight->context)
		MemoryContextDelete(sight->context);
	MemoryContextSetParent(fresh.context, TopMemoryContext);
	*sight = fresh;
	return sight;
}

/* --------------------------------------------------------------- answering */

static Kind
kind_argument(Datum value)
{
	text	   *kind = DatumGetTextPP(value);
	const char *name = VARDATA_ANY(kind);
	int			length = VARSIZE_ANY_EXHDR(kind);

	if (length == 4 && memcmp(name, "work", 4) == 0)
		return WORK;
	if (length == 3 && memcmp(name, "pay", 3) == 0)
		return PAY;
	if (length == 4 && memcmp(name, "name", 4) == 0)
		return NAME;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of visibility \"%s\"", text_to_cstring(kind)),
			 errhint("Kinds: work, pay, name.")));
}

static void
require_arguments(FunctionCallInfo fcinfo, int kind)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(kind))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the books and the kind of visibility must not be null")));
}

static bool
sees(const Sight *sight, int64 employee, Kind kind)
{
	if (sight->all[kind] || employee == sight->employee)
		return true;
	if (kind == PAY && !sight->team_pay)
		return false;
	return people_lookup(sight->below, employee) != NULL ||
		(kind == NAME && people_lookup(sight->named, employee) != NULL);
}

/*
 * hrloop.visible(book, employee_id, kind): no employee is seen by those alone
 * who see everybody.
 *
 * The sight at hand is good for the statement as long as nothing has changed.
 */
Datum
hrloop_visible(PG_FUNCTION_ARGS)
{
	static const Sight *sight;
	static TimestampTz statement;
	const HrIdentity *who;
	Kind		kind;

	require_arguments(fcinfo, 2);
	kind = kind_argument(PG_GETARG_DATUM(2));
	who = hr_identity(PG_GETARG_OID(0));
	if (!who->known)
		PG_RETURN_BOOL(who->owner);
	if (sight == NULL || sight->books != who->books || sight->employee != who->employee ||
		sight->seen != who->changes || statement != who->statement)
	{
		sight = sight_of(who);
		statement = who->statement;
	}
	PG_RETURN_BOOL(PG_ARGISNULL(1) ? sight->all[kind] : sees(sight, PG_GETARG_INT64(1), kind));
}

/* hrloop.acts_for(book, role): whether who is asking holds a role of role_holder today. */
Datum
hrloop_acts_for(PG_FUNCTION_ARGS)
{
	const HrIdentity *who;

	if (PG_ARGISNULL(0))
		require_arguments(fcinfo, 0);
	who = hr_identity(PG_GETARG_OID(0));
	if (!who->known)
		PG_RETURN_BOOL(who->owner);
	PG_RETURN_BOOL(!PG_ARGISNULL(1) && holds(sight_of(who), text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

static void
collect_people(people_hash *set, HrIds *ids)
{
	people_iterator at;
	Person	   *person;

	people_start_iterate(set, &at);
	while ((person = people_iterate(set, &at)) != NULL)
		hr_ids_add(ids, person->id);
}

/* Everybody: where a plan made for somebody who sees few is used by HR. */
static void
collect_everybody(const HrIdentity *who, HrIds *ids, MemoryContext context)
{
	static const HrQuery everybody = {"everybody", "SELECT employee_id FROM @employee", 0, {0}};
	HrScope		scope;

	hr_scope_enter(&scope, hr_books_owner(who->book_table));
	hr_execute(who->books, &everybody, NULL, NULL, true);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < SPI_processed; i++)
		hr_ids_add(ids, hr_bigint(hr_cell_found(i, 1)));
	hr_scope_leave(&scope);
	MemoryContextSwitchTo(context);
}

/* hrloop.visible_ids(book, kind): what visible() is true for, as an index condition. */
Datum
hrloop_visible_ids(PG_FUNCTION_ARGS)
{
	const HrIdentity *who;
	const Sight *sight;
	Kind		kind;
	HrIds		ids = {0};

	require_arguments(fcinfo, 1);
	kind = kind_argument(PG_GETARG_DATUM(1));
	who = hr_identity(PG_GETARG_OID(0));
	if (who->known)
	{
		sight = sight_of(who);
		if (sight->all[kind])
			collect_everybody(who, &ids, CurrentMemoryContext);
		else if (kind == PAY && !sight->team_pay)
			hr_ids_add(&ids, sight->employee);
		else
			collect_people(sight->below, &ids);
		if (kind == NAME && !sight->all[kind])
			collect_people(sight->named, &ids);
	}
	else if (who->owner)
		collect_everybody(who, &ids, CurrentMemoryContext);
	hr_ids_settle(&ids);
	PG_RETURN_ARRAYTYPE_P(hr_ids_array(&ids));
}

/* ---------------------------------------------------------------- planning */

/*
 * How many of all employees the one for whom a plan is made sees; -1 if it
 * cannot be told yet.
 */
static double
visible_share(List *args, double *count)
{
	Node	   *book = linitial(args);
	Node	   *kind_node = lthird(args);
	const HrIdentity *who;
	const Sight *sight;
	Kind		kind = NAME;
	HeapTuple	tuple;
	double		everybody;

	if (!IsA(book, Const) || ((Const *) book)->constisnull || !ActiveSnapshotSet())
		return -1;
	if (IsA(kind_node, Const))
	{
		if (((Const *) kind_node)->constisnull)
			return -1;
		kind = kind_argument(((Const *) kind_node)->constvalue);
	}
	who = hr_identity(DatumGetObjectId(((Const *) book)->constvalue));
	*count = 0;
	if (!who->known)
		return who->owner ? 1 : 0;
	sight = sight_of(who);
	if (sight->all[kind])
		return 1;
	*count = kind == PAY && !sight->team_pay ? 1 : sight->below->members;
	if (kind == NAME)
		*count += sight->named->members;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(get_relname_relid("employee", who->books)));
	if (!HeapTupleIsValid(tuple))
		return -1;
	everybody = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return everybody > *count ? *count / everybody : 1;
}

/*
 * employee_id = ANY (hrloop.visible_ids(book, kind)) in place of visible(): for
 * whoever runs the plan, the ids are those of that actor.  The function itself
 * stays as a filter.
 */
static List *
index_condition(SupportRequestIndexCondition *req, List *args)
{
	Node	   *column = lsecond(args);
	Node	   *kind = lthird(args);
	Oid			equal = get_opfamily_member(req->opfamily, INT8OID, INT8OID, BTEqualStrategyNumber);
	Oid			types[] = {REGCLASSOID, TEXTOID};
	Oid			ids;
	double		count;
	double		share = visible_share(args, &count);
	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);

	/* one in fifty at most: beyond that a whole scan is cheaper */
	if (req->indexarg != 1 || req->index->relam != BTREE_AM_OID || !OidIsValid(equal) ||
		!IsA(kind, Const) || share < 0 || share > 0.02)
		return NIL;
	ids = LookupFuncName(list_make2(makeString("hrloop"), makeString("visible_ids")), 2, types, true);
	if (!OidIsValid(ids))
		return NIL;
	any->opno = equal;
	any->opfuncid = get_opcode(equal);
	any->useOr = true;
	any->inputcollid = InvalidOid;
	any->args = list_make2(column,
						   makeFuncExpr(ids, INT8ARRAYOID, list_make2(linitial(args), kind),
										InvalidOid, exprCollation(kind), COERCE_EXPLICIT_CALL));
	any->location = -1;
	return list_make1(any);
}

Datum
hrloop_visible_support(PG_FUNCTION_ARGS)
{
	Node	   *raw = (Node *) PG_GETARG_POINTER(0);

	if (IsA(raw, SupportRequestSelectivity))
	{
		SupportRequestSelectivity *req = (SupportRequestSelectivity *) raw;
		double		count;
		double		share = req->is_join || list_length(req->args) != 3 ? -1
		: visible_share(req->args, &count);

		if (share < 0)
			PG_RETURN_POINTER(NULL);
		req->selectivity = share;
		PG_RETURN_POINTER(req);
	}
	if (IsA(raw, SupportRequestIndexCondition))
	{
		SupportRequestIndexCondition *req = (SupportRequestIndexCondition *) raw;

		if (is_funcclause(req->node) && list_length(((FuncExpr *) req->node)->args) == 3)
			PG_RETURN_POINTER(index_condition(req, ((FuncExpr *) req->node)->args));
	}
	PG_RETURN_POINTER(NULL);
}
