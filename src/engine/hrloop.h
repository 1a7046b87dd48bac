/*
 * hrloop.h - what the rooms of the engine share.
 *
 * The engine knows no schema by name.  Everything it does for a company is
 * done in that company's books, the schema of the relation that fired the
 * trigger or of the `book` table that was handed in (see DESIGN in README).
 */
#ifndef HRLOOP_H
#define HRLOOP_H

#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* invalidate.c: the one callback on changed relations */
typedef void (*HrForget) (Oid relid);
extern void hr_on_change(HrForget forget);

/* plan_cache.c: SPI plans kept per (books, query name) */
typedef struct HrQuery
{
	const char *name;			/* unique within the engine */
	const char *sql;			/* @table stands for <books>.table */
	int			nargs;
	Oid			argtypes[16];
} HrQuery;

#define HR_MAX_ARGUMENTS 4

typedef struct HrArguments		/* of a function of the books */
{
	int			count;
	Oid			type[HR_MAX_ARGUMENTS];
	Datum		value[HR_MAX_ARGUMENTS];
	bool		null[HR_MAX_ARGUMENTS];
} HrArguments;

extern void hr_plan_cache_init(void);
extern uint64 hr_execute(Oid books, const HrQuery *query, Datum *values,
						 const char *nulls, bool read_only);
extern void hr_run(Oid books, const char *function, const HrArguments *arguments);
extern void hr_not_current(void);
extern uint64 hr_execute_latest(Oid books, const HrQuery *query, Datum *values);
extern bool hr_is_current(Oid books, const HrQuery *query, Datum *values);
extern char *hr_expand(Oid books, const char *sql);

/*
 * books.c: one company's schema.  A scope runs SPI as the owner of the books
 * with a pinned search_path, as foreign key triggers do.
 */
typedef struct HrScope
{
	Oid			user;
	int			security;
	int			guc_level;
} HrScope;

extern void hr_books_init(void);
extern void hr_books_check(Oid books);
extern Oid	hr_books_of(Oid book_table);
extern Oid	hr_books_to_read(Oid book_table);
extern Oid	hr_books_owner(Oid book_table);
extern Oid	hr_owned(Oid book_table, const char *what);
extern void hr_execute_for_script(const char *schema, const char *sql);
extern void hr_scope_enter(HrScope *scope, Oid owner);
extern void hr_scope_leave(HrScope *scope);
extern TimestampTz hr_scope_enter_latest(HrScope *scope, Oid owner);
extern void hr_scope_leave_latest(HrScope *scope);

/* table.c: rows found by key, written without a query */
typedef struct HrTable
{
	Relation	rel;
	Relation	index;
	struct IndexScanDescData *scan;
	Oid			type;			/* of the column that is looked up */
	TupleTableSlot *row;		/* the row that was found */
	CmdType		command;
	EState	   *estate;
	ResultRelInfo *result;
	TransitionCaptureState *capture;
	TupleTableSlot *fresh;		/* the row that is written */
} HrTable;

extern void hr_table_init(void);
extern HrTable *hr_table_open(Oid books, const char *name, LOCKMODE mode);
extern bool hr_table_plain(Relation rel);
extern void hr_table_scan(HrTable *table, AttrNumber column);
extern void hr_table_seek(HrTable *table, Datum value);
extern bool hr_table_next(HrTable *table);
extern bool hr_table_find(HrTable *table, Datum value);
extern bool hr_table_lock(HrTable *table, LockTupleMode mode);
extern Oid	hr_table_sequence(HrTable *table, AttrNumber column);
extern void hr_table_begin(HrTable *table, CmdType command, const AttrNumber *columns, int count);
extern void hr_table_update(HrTable *table, const Datum *values, const bool *nulls, const bool *replace);
extern void hr_table_insert(HrTable *table, Datum *values, bool *nulls);
extern void hr_table_end(HrTable *table);
extern void hr_table_close(HrTable *table);

/* trigger.c: the one way from a statement to its consequences */
typedef struct HrIds
{
	int64	   *id;
	int			count;
	int			room;
} HrIds;

extern TriggerData *hr_trigger(FunctionCallInfo fcinfo, TriggerEvent timing,
							   TriggerEvent level);
extern int	hr_column(TupleDesc desc, const char *name, Oid type);
extern void hr_ids_add(HrIds *ids, int64 id);
extern void hr_ids_settle(HrIds *ids);
extern ArrayType *hr_ids_array(const HrIds *ids);
extern void hr_call(Oid books, const char *function, const HrIds *ids);
extern void hr_collect(Tuplestorestate *rows, TupleDesc desc, int column, HrIds *ids);

/* cache.c: templates, rater groups, settings and texts in backend memory */
typedef struct HrItem
{
	int64		indicator;
	int64		superior;		/* who rates it as superior in a segment; 0: not in one */
	Numeric		weight;			/* effective: a share of the sum of all */
	Numeric		pass;			/* NULL: qualitative, missed at or below the setting */
	Numeric		veto_at;		/* NULL: no veto */
	Numeric		veto_cap;
} HrItem;

typedef enum HrMissing
{
	HR_MISSING_BLOCK,
	HR_MISSING_RENORMALISE,
	HR_MISSING_ZERO
} HrMissing;

typedef enum HrBelow			/* a group with fewer raters than its minimum */
{
	HR_BELOW_COUNTS,
	HR_BELOW_DROPS,
	HR_BELOW_BLOCKS
} HrBelow;

typedef struct HrWeight
{
	char		code[NAMEDATALEN];	/* rater group */
	Numeric		weight;			/* in the score of an indicator; NULL: not counted */
	bool		required;
	int			minimum;
	HrBelow		below;
} HrWeight;

typedef struct HrTemplate
{
	int64		id;				/* hash key */
	bool		loaded;
	HrMissing	missing;
	int			nitems;
	HrItem	   *items;
	int			nweights;
	HrWeight   *weights;
} HrTemplate;

typedef struct HrRaterGroup
{
	char		code[NAMEDATALEN];
	bool		rationale;		/* compulsory? */
	bool		peers;			/* colleagues of the employee? */
} HrRaterGroup;

typedef struct HrText
{
	char	   *kind;
	char	   *locale;
	char	   *body;
} HrText;

typedef struct HrRules
{
	int			ngroups;
	HrRaterGroup *groups;
	int			ntexts;
	HrText	   *texts;
	int			rationale_min;	/* meaningful characters */
	int			rationale_same; /* reviews of one rater that may share a text; 0: any */
	Numeric		qualitative_missed; /* NULL: never */
	Numeric		plan_threshold; /* NULL: off */
	Numeric		plan_ceiling;	/* NULL: none */
	bool		plan_on_missed;
	bool		announce;		/* by NOTIFY */
} HrRules;

extern void hr_cache_init(void);
extern const HrRaterGroup *hr_rater_group(const HrRules *rules, const char *code);
extern const HrRules *hr_rules_cached(Oid books);
extern const HrRules *hr_rules(Oid books);
extern const HrTemplate *hr_template(Oid books, int64 id);
extern const HrWeight *hr_template_weight(const HrTemplate *template, const char *group);

/* score.c: one score, and how messages name it */
typedef struct HrScoreColumns
{
	int			key,
				review,
				indicator,
				group,
				rater,
				raw,
				scale_max,
				facts,
				attainment,
				value,
				rationale;
} HrScoreColumns;

typedef struct HrScoreRow
{
	Oid			books;
	Oid			owner;
	TupleDesc	desc;
	HeapTuple	tuple;
	const HrScoreColumns *column;
	int64		review;
	int64		indicator;
} HrScoreRow;

extern HrScoreColumns *hr_score_columns(TupleDesc desc, MemoryContext context);
extern char *hr_describe(Oid books, Oid owner, int64 review, int64 indicator);
extern char *hr_describe_row(const HrScoreRow *row);
extern void hr_no_such_item(const HrScoreRow *row);
extern void hr_facts_settle(Oid books, HrIds *scores);

/* access.c: who is asking */
typedef struct HrIdentity
{
	Oid			book_table;		/* for these it was found ... */
	TimestampTz statement;
	uint64		changes;
	Oid			session;
	Oid			outer;			/* the role that asks: SET ROLE, else the login */
	Oid			books;			/* ... and this is it */
	bool		owner;			/* whether that role has the rights of the owner */
	bool		known;			/* whether somebody acts, and who */
	int64		employee;
	const char *number;
} HrIdentity;

extern void hr_access_init(void);
extern const HrIdentity *hr_identity(Oid book_table);
extern uint64 hr_changes(void);
extern bool hr_actor(Oid books, int64 *employee, const char **number);
extern void hr_acting(const char **books, const char **number);

/* transaction.c: what belongs to this transaction */
extern int64 hr_transaction_number(Oid books);

/* visible.c: whom they see */
extern void hr_watch(Oid books);
extern bool hr_watched(Oid relid);

/* audit.c: who changed what, and who was refused */
extern void hr_log_refused(const char *message, const char *detail);
extern void hr_audit_erasing(void);
extern void hr_audit_erased(Oid books, Oid owner, int64 erasure, int64 employee, int64 rows);

/* privacy.c: whether the triggers of some books stand aside for an erasure */
extern bool hr_erasing(Oid books);

#endif
