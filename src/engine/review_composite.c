/*
 * review_composite.c - the composite of a review, from what its rater groups gave.
 *
 * Nothing here reads or writes the books.
 */
#include "hrloop.h"

#include "exact.h"
#include "review_composite.h"

#include "lib/stringinfo.h"

typedef struct Mean				/* a weighted mean */
{
	Numeric		weight;			/* of all that was added; NULL: nothing was */
	HrFraction	sum;			/* of weight * value; top NULL: of the only part, still in value */
	HrFraction	value;			/* the mean, once settled */
} Mean;

typedef struct Side				/* one item seen from one side */
{
	Mean		score;
	Mean		attained;
} Side;

static Numeric
plus(Numeric sum, Numeric more)
{
	return sum ? hr_add(sum, more) : more;
}

/*
 * One part needs no arithmetic: most items have one group of raters.  Means of
 * means stay fractions until the end: (92 * 50 + 100 * 10) / 60 * 0.885 is 82.6
 * exactly, and falls short of it if the division ends in 93.33.
 */
static void
mean_add(Mean *mean, Numeric weight, HrFraction value)
{
	if (mean->weight == NULL)
	{
		mean->weight = weight;
		mean->value = value;
		return;
	}
	if (mean->sum.top == NULL)
		mean->sum = hr_weighted(mean->weight, mean->value);
	hr_fraction_add(&mean->sum, hr_weighted(weight, value));
	mean->weight = hr_add(mean->weight, weight);
}

static void
mean_settle(Mean *mean)
{
	if (mean->sum.top != NULL)
		mean->value = hr_fraction(mean->sum.top, hr_times(mean->weight, mean->sum.bottom));
}

static HrFraction
mean_of(Numeric sum, int64 count)
{
	return hr_fraction(sum, count == 1 ? NULL : int64_to_numeric(count));
}

static void
side_add(Side *side, Numeric weight, const HrGiven *cell)
{
	mean_add(&side->score, weight, mean_of(cell->sum, cell->count));
	if (cell->attained_count > 0)
		mean_add(&side->attained, weight, mean_of(cell->attained, cell->attained_count));
}

static void
side_settle(Side *side)
{
	mean_settle(&side->score);
	mean_settle(&side->attained);
}

/*
 * One item from the groups that count; it is scored only if all required ones
 * are among them.  Returns false if a group that has to have its minimum of
 * raters has not.
 */
static bool
side_of_groups(Side *side, const HrTemplate *template, const HrGiven *given)
{
	bool		enough = true,
				absent = false;

	for (int g = 0; g < template->nweights; g++)
	{
		const HrWeight *group = &template->weights[g];
		bool		below = given[g].count < group->minimum;

		if (group->weight == NULL)
			continue;
		enough &= !(below && group->below == HR_BELOW_BLOCKS);
		if (given[g].count > 0 && !(below && group->below == HR_BELOW_DROPS))
			side_add(side, group->weight, &given[g]);
		else
			absent |= group->required;
	}
	side_settle(side);
	if (absent)
		memset(side, 0, sizeof(Side));
	return enough;
}

/*
 * Weighted mean of one side, by the scheme for missing parts; NULL if there is
 * none.  Rounded once, here.
 */
static Numeric
compose(const HrTemplate *template, const Side *sides)
{
	Mean		mean = {0};
	int			scored = 0;

	for (int i = 0; i < template->nitems; i++)
	{
		if (sides[i].score.weight != NULL)
		{
			mean_add(&mean, template->items[i].weight, sides[i].score.value);
			scored++;
		}
		else if (template->missing == HR_MISSING_ZERO)
			mean_add(&mean, template->items[i].weight, hr_fraction(int64_to_numeric(0), NULL));
	}
	if (scored == 0 || (scored < template->nitems && template->missing == HR_MISSING_BLOCK))
		return NULL;
	mean_settle(&mean);
	return hr_rounded_fraction(mean.value, 4);
}

/* One indicator of a review: its item, or those of all segments that have it. */
static Side
side_of_indicator(const HrTemplate *template, const Side *sides, int first)
{
	Side		all = {0};
	bool		single = true;

	for (int i = first + 1; i < template->nitems && single; i++)
		single = template->items[i].indicator != template->items[first].indicator;
	if (single)
		return sides[first];
	for (int i = first; i < template->nitems; i++)
	{
		const HrItem *item = &template->items[i];

		if (item->indicator != template->items[first].indicator)
			continue;
		if (sides[i].score.weight != NULL)
			mean_add(&all.score, item->weight, sides[i].score.value);
		if (sides[i].attained.weight != NULL)
			mean_add(&all.attained, item->weight, sides[i].attained.value);
	}
	side_settle(&all);
	return all;
}

static bool
is_missed(const HrRules *rules, const HrItem *item, const Side *side, Numeric value)
{
	if (item->pass == NULL && side->attained.weight == NULL)
		return rules->qualitative_missed != NULL &&
			hr_compare(value, rules->qualitative_missed) <= 0;
	if (side->attained.weight != NULL)
		value = hr_rounded_fraction(side->attained.value, 4);
	return hr_compare(value, item->pass ? item->pass : int64_to_numeric(100)) < 0;
}

static bool
seen_before(const HrTemplate *template, int item)
{
	for (int i = 0; i < item; i++)
		if (template->items[i].indicator == template->items[item].indicator)
			return true;
	return false;
}

static void
append_id(StringInfo array, int64 id)
{
	appendStringInfo(array, "%s" INT64_FORMAT, array->len > 1 ? "," : "", id);
}

static Numeric
lower_of(Numeric a, Numeric b)
{
	return a == NULL || (b != NULL && hr_compare(b, a) < 0) ? b : a;
}

/*
 * An indicator's pass line and veto.  The templates of segments may differ: the
 * lowest line that one of them has is that of the whole.
 */
static HrItem
lines_of_indicator(const HrTemplate *template, int first)
{
	HrItem		lines = template->items[first];

	for (int i = first + 1; i < template->nitems; i++)
	{
		const HrItem *item = &template->items[i];

		if (item->indicator != lines.indicator)
			continue;
		lines.pass = lower_of(lines.pass, item->pass);
		lines.veto_at = lower_of(lines.veto_at, item->veto_at);
		lines.veto_cap = lower_of(lines.veto_cap, item->veto_cap);
	}
	return lines;
}

/* The missed, the vetoing and the lowest indicators of the side that counts. */
static void
judge_items(HrReview *review, const HrRules *rules, const HrTemplate *template, const Side *sides)
{
	StringInfoData missed,
				vetoed;
	Numeric		lowest = NULL,
				cap = NULL;

	initStringInfo(&missed);
	initStringInfo(&vetoed);
	appendStringInfoChar(&missed, '{');
	appendStringInfoChar(&vetoed, '{');
	review->scored = 0;
	review->lowest = 0;
	for (int i = 0; i < template->nitems; i++)
	{
		HrItem		item;
		Side		side;
		Numeric		value;

		if (seen_before(template, i))
			continue;
		side = side_of_indicator(template, sides, i);
		if (side.score.weight == NULL)
			continue;
		item = lines_of_indicator(template, i);
		review->scored++;
		value = hr_rounded_fraction(side.score.value, 4);
		if (is_missed(rules, &item, &side, value))
			append_id(&missed, item.indicator);
		if (item.veto_at != NULL && hr_compare(value, item.veto_at) <= 0)
		{
			append_id(&vetoed, item.indicator);
			cap = lower_of(cap, item.veto_cap);
		}
		if (lowest == NULL || hr_compare(value, lowest) < 0)
		{
			lowest = value;
			review->lowest = item.indicator;
		}
	}
	appendStringInfoChar(&missed, '}');
	appendStringInfoChar(&vetoed, '}');
	review->missed = missed.data;
	review->vetoed = vetoed.data;
	if (cap != NULL && review->composite != NULL && hr_compare(cap, review->composite) < 0)
		review->composite = hr_rounded(cap, 4);
}

/* What became of items without a score; NULL: there is none. */
static const char *
missing_used(const HrTemplate *template, const Side *sides)
{
	for (int i = 0; i < template->nitems; i++)
		if (sides[i].score.weight == NULL)
			return template->missing == HR_MISSING_BLOCK ? "block"
				: template->missing == HR_MISSING_ZERO ? "zero" : "renormalise";
	return NULL;
}

/* Why a development plan is due: {score}, {missed}, both, or NULL. */
static char *
plan_reason(const HrReview *review, const HrRules *rules, bool all_scored)
{
	Numeric		final = review->calibrated ? review->calibrated : review->composite;
	bool		score,
				missed;

	if (review->composite == NULL || !all_scored)
		return NULL;
	score = rules->plan_threshold && hr_compare(final, rules->plan_threshold) <= 0;
	missed = rules->plan_on_missed && strcmp(review->missed, "{}") != 0 &&
		(rules->plan_ceiling == NULL || hr_compare(final, rules->plan_ceiling) < 0);
	if (score)
		return missed ? "{score,missed}" : "{score}";
	return missed ? "{missed}" : NULL;
}

/* Whether scores of a group whose raters are anonymous count. */
static bool
has_anonymous(const HrTemplate *template, const HrGiven *given)
{
	for (int i = 0; i < template->nitems * template->nweights; i++)
	{
		const HrWeight *group = &template->weights[i % template->nweights];

		if (group->minimum > 0 && group->weight != NULL && given[i].count > 0)
			return true;
	}
	return false;
}

HrGiven *
hr_new_given(const HrTemplate *template)
{
	return palloc0(sizeof(HrGiven) * Max(template->nitems, 1) * Max(template->nweights, 1));
}

void
hr_give(HrGiven *cell, Numeric sum, int64 count, Numeric attained, int64 attained_count)
{
	cell->sum = plus(cell->sum, sum);
	cell->count += count;
	if (attained_count > 0)
		cell->attained = plus(cell->attained, attained);
	cell->attained_count += attained_count;
}

/* One review from what its rater groups gave. */
void
hr_compute_review(HrReview *review, const HrRules *rules, const HrTemplate *template, const HrGiven *given)
{
	int			nitems = Max(template->nitems, 1);
	int			self = 0;
	Side	   *counted = palloc0(sizeof(Side) * nitems);
	Side	   *own = palloc0(sizeof(Side) * nitems);
	bool		enough = true;

	while (self < template->nweights && strcmp(template->weights[self].code, HR_SELF) != 0)
		self++;
	for (int i = 0; i < template->nitems; i++)
	{
		const HrGiven *of_item = &given[i * template->nweights];

		enough &= side_of_groups(&counted[i], template, of_item);
		if (self < template->nweights && of_item[self].count > 0)
			side_add(&own[i], int64_to_numeric(1), &of_item[self]);
	}
	review->composite = enough ? compose(template, counted) : NULL;
	review->self_composite = compose(template, own);
	review->missing_used = missing_used(template, counted);
	review->anonymous = has_anonymous(template, given);
	judge_items(review, rules, template, counted);
	review->complete = enough && template->nitems > 0 && review->scored > 0 &&
		(review->missing_used == NULL || template->missing != HR_MISSING_BLOCK);
	review->plan_reason = plan_reason(review, rules, review->complete);
}
