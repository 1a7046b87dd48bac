/*
 * bare_calls.c - finds calls that the planner might make.
 *
 * To guess how many rows "column = f(argument)" leaves, the planner calls a
 * STABLE function f whose arguments it knows.  From PostgreSQL 18 on it plans
 * the statements of an SQL function one by one, with the parameters' values,
 * under a snapshot that is older than the statements before.  A function that
 * raises for what it does not find then fails for what is there.  What stands in
 * a sub-select, "column = (SELECT f(argument))", is only called when it is run.
 *
 * bare_calls(tree, suspects) returns the suspects that stand where an estimate
 * may call them.  It errs on the strict side: whatever may become part of a
 * condition counts as one, with the select list of what stands in FROM, since
 * sub-selects there are pulled up.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bare_calls);

typedef struct Search
{
	const Oid  *suspect;
	int			count;
	bool		condition;		/* whether estimates are made here */
	List	   *tables;			/* of the query at hand */
	List	   *found;
} Search;

static bool visit(Node *node, Search *search);

/* Whether a table is none to the planner: it is pulled up, and what it selects takes its place. */
static bool
pulled_up(const RangeTblEntry *table)
{
	switch (table->rtekind)
	{
		case RTE_SUBQUERY:
			return table->subquery->limitOffset == NULL && table->subquery->limitCount == NULL;
		case RTE_FUNCTION:
			return !expression_returns_set((Node *) table->functions);
		case RTE_RELATION:
			return false;
		default:
			return true;
	}
}

/* Whether an expression is another for each row: then the planner cannot know it. */
static bool
by_row(Node *node, List *tables)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		return var->varlevelsup > 0 || tables == NIL || !pulled_up(rt_fetch(var->varno, tables));
	}
	return expression_tree_walker(node, by_row, tables);
}

static bool
suspected(Oid function, const Search *search)
{
	for (int i = 0; i < search->count; i++)
		if (search->suspect[i] == function)
			return true;
	return false;
}

/* Visit a part of the tree, a condition or not. */
static void
visit_as(void *part, bool condition, Search *search)
{
	bool		before = search->condition;

	search->condition = condition;
	visit(part, search);
	search->condition = before;
}

/* The select list of a table becomes part of conditions when it is pulled up; what INSERT inserts is in none. */
static void
visit_table(RangeTblEntry *table, bool inserted, Search *search)
{
	visit_as(table->subquery, !inserted, search);
	visit_as(table->functions, true, search);
	visit_as(table->values_lists, true, search);
}

static void
visit_query(Query *query, Search *search)
{
	List	   *tables = search->tables;
	ListCell   *cell;

	search->tables = query->rtable;
	foreach(cell, query->cteList)
		visit_as(lfirst_node(CommonTableExpr, cell)->ctequery, true, search);
	foreach(cell, query->rtable)
		visit_table(lfirst_node(RangeTblEntry, cell), query->commandType == CMD_INSERT, search);
	visit_as(query->targetList, search->condition && query->limitOffset == NULL && query->limitCount == NULL, search);
	visit_as(query->returningList, false, search);
	visit_as(query->jointree, true, search);
	visit_as(query->havingQual, true, search);
	visit_as(query->limitOffset, true, search);
	visit_as(query->limitCount, true, search);
	search->tables = tables;
}

static bool
visit(Node *node, Search *search)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		visit_query((Query *) node, search);
		return false;
	}
	if (IsA(node, SubLink))
	{
		SubLink    *link = (SubLink *) node;

		visit(link->testexpr, search);
		/* IN and EXISTS become joins, what gives a value is only run */
		visit_as(link->subselect, link->subLinkType == ANY_SUBLINK, search);
		return false;
	}
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;

		if (search->condition && suspected(call->funcid, search) &&
			!by_row((Node *) call->args, search->tables))
			search->found = lappend_oid(search->found, call->funcid);
	}
	return expression_tree_walker(node, visit, search);
}

/* bare_calls(tree, suspects, condition): whether the tree as a whole is a condition, as that of a policy is. */
Datum
bare_calls(PG_FUNCTION_ARGS)
{
	Node	   *tree = stringToNode(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ArrayType  *suspects = PG_GETARG_ARRAYTYPE_P(1);
	Search		search = {.suspect = (Oid *) ARR_DATA_PTR(suspects),
	.count = ArrayGetNItems(ARR_NDIM(suspects), ARR_DIMS(suspects)), .condition = PG_GETARG_BOOL(2)};
	Datum	   *found;
	ListCell   *cell;
	int			n = 0;

	visit(tree, &search);
	found = palloc(sizeof(Datum) * Max(list_length(search.found), 1));
	foreach(cell, search.found)
		found[n++] = ObjectIdGetDatum(lfirst_oid(cell));
	PG_RETURN_ARRAYTYPE_P(construct_array(found, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}
