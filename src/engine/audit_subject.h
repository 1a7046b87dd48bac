/*
 * audit_subject.h - whose rows they are, where their own column does not say it.
 */
#ifndef HRLOOP_AUDIT_SUBJECT_H
#define HRLOOP_AUDIT_SUBJECT_H

/* How many rows are noted at a time. */
#define HR_AUDIT_SLICE 500

/* The people to whom rows belong; before they are found, what leads to them. */
typedef struct HrSubjects
{
	Datum		id[HR_AUDIT_SLICE];
	bool		null[HR_AUDIT_SLICE];
} HrSubjects;

/*
 * Go from the column `key` by "table.column", or more of them with / between, each time
 * to the row with that key.  Raises for a way that it does not know.
 */
extern void hr_find_subjects(HrSubjects *subjects, int count, Oid books, const char *key, const char *via);

#endif
