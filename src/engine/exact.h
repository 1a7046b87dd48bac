/*
 * exact.h - exact arithmetic in few words.  No score and no money is ever a
 * floating point number here.
 */
#ifndef HRLOOP_EXACT_H
#define HRLOOP_EXACT_H

#include "utils/builtins.h"
#include "utils/numeric.h"

static inline Numeric
add(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
multiply(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
rounded(Numeric a, int scale)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(a), Int32GetDatum(scale)));
}

static inline int
compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

/*
 * a / b, b > 0, to some decimals; halves go away from zero.  numeric_div()
 * followed by round() would round twice, and take what lies just below a half
 * for one.
 */
static inline Numeric
quotient(Numeric a, Numeric b, int scale)
{
	Numeric		unit = int64_div_fast_to_numeric(1, scale),
				step = multiply(b, unit),
				half = multiply(step, int64_div_fast_to_numeric(compare(a, int64_to_numeric(0)) < 0 ? -5 : 5, 1));
	Datum		units = DirectFunctionCall2(numeric_div_trunc, NumericGetDatum(add(a, half)), NumericGetDatum(step));

	return multiply(DatumGetNumeric(units), unit);
}

typedef struct Fraction			/* what a division has not been made of yet */
{
	Numeric		top;
	Numeric		bottom;			/* > 0; NULL: 1 */
} Fraction;

/* a * b, where NULL stands for 1 */
static inline Numeric
times(Numeric a, Numeric b)
{
	return a && b ? multiply(a, b) : a ? a : b;
}

static inline void
fraction_add(Fraction *sum, Fraction more)
{
	bool		alike = sum->bottom && more.bottom ? compare(sum->bottom, more.bottom) == 0
		: sum->bottom == more.bottom;

	if (alike)
	{
		sum->top = add(sum->top, more.top);
		return;
	}
	sum->top = add(times(sum->top, more.bottom), times(more.top, sum->bottom));
	sum->bottom = times(sum->bottom, more.bottom);
}

static inline Fraction
weighted(Numeric weight, Fraction value)
{
	return (Fraction) {multiply(weight, value.top), value.bottom};
}

static inline Numeric
rounded_fraction(Fraction x, int scale)
{
	return x.bottom ? quotient(x.top, x.bottom, scale) : rounded(x.top, scale);
}

#endif
