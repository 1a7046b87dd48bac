/*
 * hrloop.h - what every C file begins with: PostgreSQL's own headers that all need.
 *
 * The engine knows no schema by name.  Everything it does for a company is
 * done in that company's books, the schema of the relation that fired the
 * trigger or of the `book` table that was handed in.  What a file offers to
 * others is in the header beside it; which may ask which is in Makefile.
 */
#ifndef HRLOOP_H
#define HRLOOP_H

#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#endif
