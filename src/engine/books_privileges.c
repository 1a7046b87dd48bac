/*
 * books_privileges.c - what was given of new books, without a word, to others than
 * their owner: by PostgreSQL to PUBLIC, and by default privileges.
 */
#include "hrloop.h"

#include "books_privileges.h"
#include "books_sql.h"

#include "miscadmin.h"
#include "utils/builtins.h"

/* Tables and routines of some books, with what grants and default privileges call their kind. */
char *
hr_objects_query(Oid books)
{
	return psprintf("(SELECT pg_catalog.concat('c', c.oid) AS key, CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END AS kind,"
					"        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word, c.oid::pg_catalog.regclass::text AS name, c.relowner AS owner"
					"   FROM pg_catalog.pg_class c"
					"  WHERE c.relnamespace OPERATOR(pg_catalog.=) %u AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,S}'::\"char\"[])"
					" UNION ALL SELECT pg_catalog.concat('p', p.oid), 'f', 'ROUTINE', p.oid::pg_catalog.regprocedure::text, p.proowner"
					"   FROM pg_catalog.pg_proc p WHERE p.pronamespace OPERATOR(pg_catalog.=) %u) o", books, books);
}

/* Which there are, for the next ones. */
char *
hr_objects(Oid books)
{
	return hr_sql_text(psprintf("SELECT coalesce(pg_catalog.array_agg(o.key), '{}')::text FROM %s",
								hr_objects_query(books)));
}

/*
 * Functions are callable by PUBLIC unless told otherwise; the books are not.
 * Those that stood before, the owner's own among them, keep their grants.
 */
void
hr_close_to_public(Oid books, const char *before)
{
	hr_sql_each(psprintf("SELECT pg_catalog.format('REVOKE EXECUTE ON ROUTINE %%s FROM PUBLIC', pg_catalog.string_agg(o.name, ', ')) FROM %s"
						 " WHERE o.kind OPERATOR(pg_catalog.=) 'f' AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[])"
						 " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0",
						 hr_objects_query(books), before));
}

/* Default privileges of who runs a script, for some kinds in some books: whom they give something. */
char *
hr_default_privileges(Oid books, const char *kinds)
{
	return psprintf("pg_catalog.pg_default_acl d"
					" CROSS JOIN LATERAL (SELECT DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'"
					"     ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END"
					"     FROM pg_catalog.aclexplode(d.defaclacl) a WHERE a.grantee OPERATOR(pg_catalog.<>) d.defaclrole) AS g (grantee)"
					" WHERE d.defaclrole OPERATOR(pg_catalog.=) %u AND d.defaclnamespace OPERATOR(pg_catalog.=) ANY ('{0,%u}'::pg_catalog.oid[])"
					"   AND d.defaclobjtype OPERATOR(pg_catalog.=) ANY ('{%s}'::\"char\"[])",
					GetUserId(), books, kinds);
}

/*
 * New books are their owner's, wholly, and nobody else's: what default privileges
 * gave of an object, or kept from its owner, is undone.  Soon: a later statement of the
 * script may need it, or grant it to somebody.
 */
void
hr_undo_default_privileges(Oid books, const char *before)
{
	hr_sql_each(psprintf("SELECT pg_catalog.format('REVOKE ALL ON %%s %%s FROM %%s', o.word, pg_catalog.string_agg(DISTINCT o.name, ', '),"
						 "   pg_catalog.string_agg(DISTINCT g.grantee, ', ')) FROM %s, %s"
						 "   AND d.defaclobjtype OPERATOR(pg_catalog.=) o.kind::\"char\""
						 "   AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[]) GROUP BY o.word"
						 " UNION ALL SELECT pg_catalog.format('GRANT ALL ON %%s %%s TO %%I', o.word, pg_catalog.string_agg(o.name, ', '), pg_catalog.pg_get_userbyid(o.owner)) FROM %s"
						 " WHERE o.owner OPERATOR(pg_catalog.=) %u AND o.key OPERATOR(pg_catalog.<>) ALL ('%s'::text[]) GROUP BY o.word, o.owner",
						 hr_objects_query(books), hr_default_privileges(books, "r,S,f"), before,
						 hr_objects_query(books), GetUserId(), before));
}

/* Whether there are default privileges to undo; who has something by them is told. */
bool
hr_have_default_privileges(Oid books)
{
	char	   *others;

	hr_sql_plainly(psprintf("SELECT FROM pg_catalog.pg_default_acl d WHERE d.defaclrole OPERATOR(pg_catalog.=) %u"
							"   AND d.defaclnamespace OPERATOR(pg_catalog.=) ANY ('{0,%u}'::pg_catalog.oid[])",
							GetUserId(), books));
	if (SPI_processed == 0)
		return false;
	/* that everybody may call functions is what there is without them as well */
	others = hr_sql_text(psprintf("SELECT pg_catalog.string_agg(DISTINCT g.grantee, ', ') FROM %s"
								  "   AND NOT (g.grantee OPERATOR(pg_catalog.=) 'PUBLIC' AND d.defaclobjtype OPERATOR(pg_catalog.=) 'f')",
								  hr_default_privileges(books, "r,S,f,n")));
	if (others)
		ereport(NOTICE,
				(errmsg("default privileges of \"%s\" are not given on the books: %s",
						GetUserNameFromId(GetUserId(), false), others),
				 errhint("Grant what they shall have, or let map_role() of the books do it.")));
	return true;
}
