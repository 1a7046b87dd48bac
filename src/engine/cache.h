/*
 * cache.h - templates, rater groups, settings and texts in backend memory.
 *
 * What is handed out stays as it is until the transaction ends, also if the rules change.
 */
#ifndef HRLOOP_CACHE_H
#define HRLOOP_CACHE_H

/* An indicator of a template; in a review with segments, of one segment's. */
typedef struct HrItem
{
	int64		indicator;
	int64		superior;		/* who rates it as superior in a segment; 0: not in one */
	Numeric		weight;			/* effective: a share of the sum of all */
	Numeric		pass;			/* NULL: qualitative, missed at or below the setting */
	Numeric		veto_at;		/* NULL: no veto */
	Numeric		veto_cap;
} HrItem;

/* What a template does about items without a score. */
typedef enum HrMissing
{
	HR_MISSING_BLOCK,
	HR_MISSING_RENORMALISE,
	HR_MISSING_ZERO
} HrMissing;

/* What becomes of a group with fewer raters than its minimum. */
typedef enum HrBelow
{
	HR_BELOW_COUNTS,
	HR_BELOW_DROPS,
	HR_BELOW_BLOCKS
} HrBelow;

/* What a template says of a rater group. */
typedef struct HrWeight
{
	char		code[NAMEDATALEN];	/* rater group */
	Numeric		weight;			/* in the score of an indicator; NULL: not counted */
	bool		required;
	int			minimum;		/* raters */
	HrBelow		below;
} HrWeight;

/* A template with its pinned items. */
typedef struct HrTemplate
{
	int64		id;				/* hash key */
	bool		loaded;
	HrMissing	missing;
	int			nitems;
	HrItem	   *items;
	int			nweights;
	HrWeight   *weights;
} HrTemplate;

/* A rater group of the books. */
typedef struct HrRaterGroup
{
	char		code[NAMEDATALEN];
	bool		rationale;		/* compulsory? */
	bool		peers;			/* colleagues of the employee? */
	bool		superiors;		/* those above? */
} HrRaterGroup;

/* A text of message_text, with its {placeholders}. */
typedef struct HrText
{
	char	   *kind;
	char	   *locale;
	char	   *body;
} HrText;

/* A kind of notice that is switched off. */
typedef struct HrSilent
{
	char	   *kind;
} HrSilent;

/* What the engine asks of a company's rules. */
typedef struct HrRules
{
	int			ngroups;
	HrRaterGroup *groups;
	int			ntexts;
	HrText	   *texts;
	int			nsilent;
	HrSilent   *silent;
	int			nkinds;
	char	  **kinds;			/* of decisions */
	int			rationale_min;	/* meaningful characters */
	int			rationale_same; /* reviews of one rater that may share a text; 0: any */
	Numeric		qualitative_missed; /* NULL: never */
	Numeric		plan_threshold; /* NULL: off */
	Numeric		plan_ceiling;	/* NULL: none */
	bool		plan_on_missed;
	bool		announce;		/* by NOTIFY */
	char	   *timezone;		/* of days; NULL: the session's, in books that do not have it yet */
} HrRules;

/* Called once, when the library is loaded. */
extern void hr_cache_init(void);

/* The rules of these books if they are at hand, else NULL: no scope needed. */
extern const HrRules *hr_rules_cached(Oid books);

/* The rules of these books.  Call it inside a scope. */
extern const HrRules *hr_rules(Oid books);

/* A rater group; NULL: unknown. */
extern const HrRaterGroup *hr_rater_group(const HrRules *rules, const char *code);

/* A template.  Call it inside a scope. */
extern const HrTemplate *hr_template(Oid books, int64 id);

/* What a template says of a rater group; NULL: it does not know it. */
extern const HrWeight *hr_template_weight(const HrTemplate *template, const char *group);

#endif
