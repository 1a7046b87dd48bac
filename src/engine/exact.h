/*
 * exact.h - exact arithmetic in few words.  No score and no money is ever a
 * floating point number here.
 */
#ifndef HRLOOP_EXACT_H
#define HRLOOP_EXACT_H

#include "utils/builtins.h"
#include "utils/numeric.h"

/* a + b */
static inline Numeric
hr_add(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

/* a * b, with all its decimals */
static inline Numeric
hr_multiply(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a), NumericGetDatum(b)));
}

/* a to so many decimals; halves go away from zero */
static inline Numeric
hr_rounded(Numeric a, int scale)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(a), Int32GetDatum(scale)));
}

/* < 0, 0 or > 0, as a is less than b, equal or greater */
static inline int
hr_compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

/*
 * a / b, b > 0, to some decimals; halves go away from zero.  numeric_div()
 * followed by round() would round twice, and take what lies just below a half
 * for one.
 */
static inline Numeric
hr_quotient(Numeric a, Numeric b, int scale)
{
	Numeric		unit = int64_div_fast_to_numeric(1, scale),
				step = hr_multiply(b, unit),
				half = hr_multiply(step, int64_div_fast_to_numeric(hr_compare(a, int64_to_numeric(0)) < 0 ? -5 : 5, 1));
	Datum		units = DirectFunctionCall2(numeric_div_trunc, NumericGetDatum(hr_add(a, half)), NumericGetDatum(step));

	return hr_multiply(DatumGetNumeric(units), unit);
}

/* A number of which the division has not been made yet. */
typedef struct HrFraction
{
	Numeric		top;
	Numeric		bottom;			/* > 0; NULL: 1 */
} HrFraction;

/* top / bottom */
static inline HrFraction
hr_fraction(Numeric top, Numeric bottom)
{
	HrFraction	fraction = {top, bottom};

	return fraction;
}

/* a * b, where NULL stands for 1 */
static inline Numeric
hr_times(Numeric a, Numeric b)
{
	return a && b ? hr_multiply(a, b) : a ? a : b;
}

/* Add to a sum, which keeps its divisor where both have the same. */
static inline void
hr_fraction_add(HrFraction *sum, HrFraction more)
{
	bool		alike = sum->bottom && more.bottom ? hr_compare(sum->bottom, more.bottom) == 0
	: sum->bottom == more.bottom;

	if (alike)
	{
		sum->top = hr_add(sum->top, more.top);
		return;
	}
	sum->top = hr_add(hr_times(sum->top, more.bottom), hr_times(more.top, sum->bottom));
	sum->bottom = hr_times(sum->bottom, more.bottom);
}

/* weight * value */
static inline HrFraction
hr_weighted(Numeric weight, HrFraction value)
{
	return hr_fraction(hr_multiply(weight, value.top), value.bottom);
}

/* The division made at last, and rounded once. */
static inline Numeric
hr_rounded_fraction(HrFraction x, int scale)
{
	return x.bottom ? hr_quotient(x.top, x.bottom, scale) : hr_rounded(x.top, scale);
}

#endif
