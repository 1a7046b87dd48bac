/*
 * facts.h - what facts are worth as a score.
 */
#ifndef HRLOOP_FACTS_H
#define HRLOOP_FACTS_H

#include "ids.h"
#include "score_row.h"

/*
 * A score computed from facts, jsonb: sets attainment (NULL: of a judged indicator there is
 * none) and value, in the caller's context, or raises.
 */
extern void hr_value_of_facts(const HrScoreRow *row, Datum facts, Numeric *attainment, Numeric *value);

/*
 * Once their reviews are locked: compute scores anew whose facts were read by rules that
 * have changed since, a template, a segment or a target.  Call it inside a scope.
 */
extern void hr_facts_settle(Oid books, HrIds *scores);

#endif
