/*
 * audit.c - who changed what, in chains that cannot be edited unnoticed.
 *
 * A statement trigger writes one entry for each row that a statement changed, with a
 * hash over the entry and the hash before it (audit_entry.c), in one of several chains
 * (audit_lane.c).
 */
#include "hrloop.h"

#include "audit_entry.h"
#include "audit_erasure.h"
#include "audit_row.h"
#include "books.h"
#include "called.h"
#include "cells.h"
#include "erasure.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_audit);
PG_FUNCTION_INFO_V1(hrloop_audit_guard);

/* A statement whose rows are noted. */
typedef struct Statement
{
	TriggerData *td;
	HrAudit    *audit;
	HrAuditTable table;
	AttrNumber	subject;		/* column that leads to the person; 0: none */
	AttrNumber	reason;
	bool		digest;			/* of an inserted row the hash of some columns is enough */
} Statement;

static const char *
argument(Trigger *trigger, const char *name)
{
	int			length = strlen(name);

	for (int i = 0; i < trigger->tgnargs; i++)
		if (strncmp(trigger->tgargs[i], name, length) == 0 && trigger->tgargs[i][length] == '=')
			return trigger->tgargs[i] + length + 1;
	return NULL;
}

/* One row that a statement wrote; was and is: NULL if there is none. */
static void
audit_row(Statement *statement, TupleTableSlot *was, TupleTableSlot *is)
{
	HrAudit    *audit = statement->audit;
	HrAuditTable *table = &statement->table;
	MemoryContext caller = MemoryContextSwitchTo(audit->slice);
	TupleTableSlot *row = is ? is : was;
	int			i = audit->count;

	Assert(row != NULL);
	audit->no_before[i] = was == NULL;
	audit->no_after[i] = is == NULL;
	if (was && is)
	{
		if (!hr_row_differences(table, was, is, &audit->before[i], &audit->after[i]))
		{
			MemoryContextSwitchTo(caller);
			return;
		}
	}
	else if (was)
		audit->before[i] = hr_row_json(table, was, false, 0);
	else if (statement->digest)
		audit->after[i] = hr_digest_json(table, &audit->sha, is);
	else
		audit->after[i] = hr_row_json(table, is, false, statement->reason);

	audit->no_key[i] = false;
	audit->key[i] = hr_row_key(table, was ? was : is);
	audit->subject.null[i] = true;
	if (statement->subject)
		audit->subject.id[i] = slot_getattr(row, statement->subject, &audit->subject.null[i]);
	audit->no_reason[i] = true;
	if (statement->reason && is)
		audit->reasons[i] = slot_getattr(is, statement->reason, &audit->no_reason[i]);
	if (!audit->no_reason[i])
		audit->reasons[i] = datumCopy(audit->reasons[i], false, -1);
	audit->count++;
	MemoryContextSwitchTo(caller);
	if (audit->count == HR_AUDIT_SLICE)
		hr_audit_flush(audit);
}

static void
audit_rows(Statement *statement)
{
	TriggerData *td = statement->td;
	Tuplestorestate *old = td->tg_oldtable;
	Tuplestorestate *new = td->tg_newtable;
	TupleTableSlot *was = MakeSingleTupleTableSlot(statement->table.desc, &TTSOpsMinimalTuple);
	TupleTableSlot *is = MakeSingleTupleTableSlot(statement->table.desc, &TTSOpsMinimalTuple);

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
		if (old && new && hr_erasing(statement->audit->books))
			hr_audit_redact(statement->audit, &statement->table, was, is);
		else
			audit_row(statement, old ? was : NULL, new ? is : NULL);
	}
	ExecDropSingleTupleTableSlot(was);
	ExecDropSingleTupleTableSlot(is);
}

/* Nothing is left to say which rows they were. */
static void
audit_truncate(HrAudit *audit)
{
	audit->no_key[0] = audit->subject.null[0] = audit->no_before[0] = true;
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
audit_open(Statement *statement, TriggerData *td)
{
	Trigger    *trigger = td->tg_trigger;
	const char *subject = argument(trigger, "subject");
	const char *reason = argument(trigger, "reason");
	const char *digested = argument(trigger, "digest");
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	HrAudit    *audit = hr_audit_new(RelationGetNamespace(td->tg_relation), hr_owner_of(td->tg_relation),
									 RelationGetRelationName(td->tg_relation), action_name(td->tg_event));

	statement->td = td;
	statement->audit = audit;
	statement->digest = digested != NULL;
	audit->via = argument(trigger, "via");
	if (subject)
	{
		statement->subject = hr_column(desc, subject, INT8OID);
		audit->subject_key = NameStr(TupleDescAttr(desc, statement->subject - 1)->attname);
	}
	if (reason)
		statement->reason = hr_column(desc, reason, TEXTOID);
	hr_audit_describe(&statement->table, td->tg_relation, argument(trigger, "ignore"), digested);
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
	Statement	statement = {0};
	int			formats;

	if (hr_erasing(RelationGetNamespace(td->tg_relation)) && argument(td->tg_trigger, "digest") == NULL)
		PG_RETURN_POINTER(NULL);
	formats = NewGUCNestLevel();
	hr_books_check(RelationGetNamespace(td->tg_relation));
	audit_open(&statement, td);
	plain_formats();
	PG_TRY();
	{
		if (TRIGGER_FIRED_BY_TRUNCATE(td->tg_event))
			audit_truncate(statement.audit);
		else
			audit_rows(&statement);
		hr_audit_finish(statement.audit);
	}
	PG_FINALLY();
	{
		hr_audit_free(statement.audit);
	}
	PG_END_TRY();
	hr_audit_leave(statement.audit);
	AtEOXact_GUC(true, formats);
	PG_RETURN_POINTER(NULL);
}

/* hrloop.audit_guard(): nobody but the engine writes the log, and nothing but an erasure changes it. */
Datum
hrloop_audit_guard(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_BEFORE, 0);

	if (TRIGGER_FIRED_BY_UPDATE(td->tg_event) && hr_erasing(RelationGetNamespace(td->tg_relation)))
		PG_RETURN_POINTER(NULL);
	if (hr_audit_writing() && (TRIGGER_FIRED_BY_INSERT(td->tg_event) ||
							   (TRIGGER_FIRED_BY_UPDATE(td->tg_event) &&
								strcmp(RelationGetRelationName(td->tg_relation), "audit_lane") == 0)))
		PG_RETURN_POINTER(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the audit log in \"%s\" is written by the engine alone",
					RelationGetRelationName(td->tg_relation)),
			 errdetail("It is append-only and chained by hashes."),
			 errhint("SELECT * FROM verify_audit() checks it."),
			 errtable(td->tg_relation)));
	PG_RETURN_POINTER(NULL);
}
