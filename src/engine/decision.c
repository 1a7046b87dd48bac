/*
 * decision.c - only what is listed is decided.
 *
 * What a decision reveals, and to whom, is a row of decision_kind.  A decision
 * of a kind that has none would be nobody's to read, so it is not written.  A
 * foreign key would say the same, and make everybody who decides at the same
 * time lock the same few rows.
 */
#include "hrloop.h"

#include "books.h"
#include "books_scope.h"
#include "cache.h"
#include "called.h"
#include "cells.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(hrloop_decision_known);

static bool
known(const HrRules *rules, const char *kind)
{
	for (int i = 0; i < rules->nkinds; i++)
		if (strcmp(rules->kinds[i], kind) == 0)
			return true;
	return false;
}

/* The rules of the books of a relation, as its owner. */
static const HrRules *
rules_of(Relation rel)
{
	const HrRules *rules = hr_rules_cached(RelationGetNamespace(rel));
	HrScope		scope;

	if (rules == NULL)
	{
		hr_scope_enter(&scope, rel->rd_rel->relowner);
		rules = hr_rules(RelationGetNamespace(rel));
		hr_scope_leave(&scope);
	}
	return rules;
}

static void
unknown(Relation rel, const char *kind)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("there is no kind of decision \"%s\"", kind),
			 errdetail("Who may read a decision depends on what its kind reveals."),
			 errhint("Add a row to decision_kind that says what it reveals."),
			 errtablecol(rel, hr_column(RelationGetDescr(rel), "kind", TEXTOID)),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "decision_kind_known")));
}

/* AFTER INSERT statement: every kind that was written is listed. */
Datum
hrloop_decision_known(PG_FUNCTION_ARGS)
{
	TriggerData *td = hr_trigger(fcinfo, TRIGGER_EVENT_AFTER, 0);
	TupleDesc	desc = RelationGetDescr(td->tg_relation);
	int			column = hr_column(desc, "kind", TEXTOID);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	const HrRules *rules;
	char	   *last = NULL;

	if (td->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has no transition table", td->tg_trigger->tgname)));
	hr_books_check(RelationGetNamespace(td->tg_relation));
	rules = rules_of(td->tg_relation);
	tuplestore_rescan(td->tg_newtable);
	while (tuplestore_gettupleslot(td->tg_newtable, true, false, slot))
	{
		bool		null;
		Datum		kind = slot_getattr(slot, column, &null);
		char	   *name = null ? NULL : text_to_cstring(DatumGetTextPP(kind));

		/* those of a statement are mostly of one kind */
		if (name != NULL && last != NULL && strcmp(name, last) == 0)
			pfree(name);
		else if (name != NULL)
		{
			if (!known(rules, name))
				unknown(td->tg_relation, name);
			last = name;
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	PG_RETURN_POINTER(NULL);
}
