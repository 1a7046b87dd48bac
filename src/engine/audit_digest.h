/*
 * audit_digest.h - hashes of entries, and of what an erasure may take away from them.
 */
#ifndef HRLOOP_AUDIT_DIGEST_H
#define HRLOOP_AUDIT_DIGEST_H

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"

/* The texts of an entry: db_user, db_role, before, after, reason. */
#define HR_DIGEST_TEXTS 5

/*
 * SHA-256 over a hash (NULL: none) and a text.  The context is made when *sha is NULL,
 * and is the caller's to free.
 */
extern void hr_sha256(pg_cryptohash_ctx **sha, const uint8 *before, const char *text, int length, uint8 *digest);

/*
 * One field of what is hashed: its length in bytes of UTF-8 and itself, so that
 * no two different entries read the same.  NULL is a field of its own.
 */
extern void hr_field(StringInfo out, const char *value);

/* The same of a number. */
extern void hr_number_field(StringInfo out, int64 value);

/* The texts of an entry as one digest.  SQL's audit_digest() does the same. */
extern void hr_digest_texts(pg_cryptohash_ctx **sha, const char *const *texts, uint8 *digest);

/* A digest in hexadecimal digits. */
extern void hr_append_hex(StringInfo out, const uint8 *digest);

/* A digest as bytea. */
extern Datum hr_digest_datum(const uint8 *digest);

/* A jsonb as text. */
extern char *hr_json_text(Datum value);

#endif
