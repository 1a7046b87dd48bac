/*
 * pay.c - what pay comes to, exactly.
 */
#include "hrloop.h"

#include "exact.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(hrloop_raised);

/* hrloop.raised(amount, percents, digits): one raise on the other, each rounded once. */
Datum
hrloop_raised(PG_FUNCTION_ARGS)
{
	Numeric		amount = PG_GETARG_NUMERIC(0);
	ArrayType  *percents = PG_GETARG_ARRAYTYPE_P(1);
	int			digits = PG_GETARG_INT32(2);
	Numeric		hundredth = int64_div_fast_to_numeric(1, 2);
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(percents, NUMERICOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			PG_RETURN_NULL();
		amount = hr_add(amount, hr_rounded(hr_multiply(hr_multiply(amount, DatumGetNumeric(values[i])), hundredth), digits));
	}
	PG_RETURN_NUMERIC(amount);
}
