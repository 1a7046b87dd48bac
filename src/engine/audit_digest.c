/*
 * audit_digest.c - hashes of entries, and of what an erasure may take away from them.
 */
#include "hrloop.h"

#include "audit_digest.h"
#include "called.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(hrloop_fields);

void
hr_sha256(pg_cryptohash_ctx **sha, const uint8 *before, const char *text, int length, uint8 *digest)
{
	if (*sha == NULL)
		*sha = pg_cryptohash_create(PG_SHA256);
	if (*sha == NULL ||
		pg_cryptohash_init(*sha) < 0 ||
		(before && pg_cryptohash_update(*sha, before, PG_SHA256_DIGEST_LENGTH) < 0) ||
		pg_cryptohash_update(*sha, (const uint8 *) text, length) < 0 ||
		pg_cryptohash_final(*sha, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "hrloop: sha256: %s", pg_cryptohash_error(*sha));
}

/*
 * One field of what is hashed: its length in bytes of UTF-8 and itself, so that
 * no two different entries read the same.
 */
void
hr_field(StringInfo out, const char *value)
{
	char		number[MAXINT8LEN + 2];
	char	   *utf8;
	int			length,
				digits;

	if (value == NULL)
	{
		appendStringInfoChar(out, '-');
		return;
	}
	utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);
	length = strlen(utf8);
	digits = pg_ulltoa_n(length, number);
	number[digits++] = ':';
	appendBinaryStringInfo(out, number, digits);
	appendBinaryStringInfo(out, utf8, length);
	appendStringInfoChar(out, ',');
}

void
hr_number_field(StringInfo out, int64 value)
{
	char		digits[MAXINT8LEN + 1];

	pg_lltoa(value, digits);
	hr_field(out, digits);
}

char *
hr_json_text(Datum value)
{
	Jsonb	   *json = DatumGetJsonbP(value);

	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/* What an erasure may change in an entry.  SQL's audit_digest() does the same. */
void
hr_digest_texts(pg_cryptohash_ctx **sha, const char *const *texts, uint8 *digest)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < HR_DIGEST_TEXTS; i++)
		hr_field(&out, texts[i]);
	hr_sha256(sha, NULL, out.data, out.len, digest);
	pfree(out.data);
}

void
hr_append_hex(StringInfo out, const uint8 *digest)
{
	static const char digit[] = "0123456789abcdef";
	char		hex[2 * PG_SHA256_DIGEST_LENGTH];

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		hex[2 * i] = digit[digest[i] >> 4];
		hex[2 * i + 1] = digit[digest[i] & 0xF];
	}
	appendBinaryStringInfo(out, hex, sizeof(hex));
}

Datum
hr_digest_datum(const uint8 *digest)
{
	bytea	   *value = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(value), digest, PG_SHA256_DIGEST_LENGTH);
	return PointerGetDatum(value);
}

/* fields(value, ...): the same for SQL, of the values as text, so that a digest can be made again from rows. */
Datum
hrloop_fields(PG_FUNCTION_ARGS)
{
	FmgrInfo   *output = fcinfo->flinfo->fn_extra;
	StringInfoData out;

	if (output == NULL)
	{
		output = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, PG_NARGS() * sizeof(FmgrInfo));
		for (int i = 0; i < PG_NARGS(); i++)
		{
			Oid			function;
			bool		varlena;

			getTypeOutputInfo(hr_argument_type(fcinfo, i), &function, &varlena);
			fmgr_info_cxt(function, &output[i], fcinfo->flinfo->fn_mcxt);
		}
		fcinfo->flinfo->fn_extra = output;
	}
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	for (int i = 0; i < PG_NARGS(); i++)
		hr_field(&out, PG_ARGISNULL(i) ? NULL : OutputFunctionCall(&output[i], PG_GETARG_DATUM(i)));
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P((bytea *) out.data);
}
