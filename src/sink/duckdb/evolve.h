// SPDX-License-Identifier: MIT
/*
 * evolve.h - the warehouse's tables follow the shapes of their sources, in the open transaction.
 *
 * How the table becomes what a schema version says
 *   columns renamed (the note says which), gone, new, of another type: ALTER TABLE where they are;
 *   a table from which this transaction deleted rows: a copy that takes its place, because the
 *   engine refuses the commit of a transaction that deletes rows and then alters their table
 *   (measured; inserts before, and deletes after an ALTER are fine).
 *   Old rows of a new column get its default as a constant, or what the server fills in for a
 *   column that is NOT NULL without a default.
 *
 * What is not guessed. The server changes old rows without telling (a default that is an
 * expression, a conversion that rounds or formats): where the value it has now cannot be known from
 * the one here, the error is MR_QUARANTINE: the table is set aside until it is copied anew. A table
 * without rows follows anything.
 *
 * Lenient tables lose nothing: columns and tables that are gone stay, wider types stay.
 */
#ifndef MR_SINK_DUCKDB_EVOLVE_H
#define MR_SINK_DUCKDB_EVOLVE_H

#include <stdbool.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"
#include "slice.h"
#include "target.h"

struct mr_evolve_wish {
    struct mr_slice renamed; /* as in struct mr_note */
    bool is_lenient;
    bool adds_only; /* rows from before the table's copy: new columns are NULL, types stay */
};

/** Whether the table differs from what the schema version asks for. It has been described. */
bool mr_evolve_is_needed(struct mr_target *target, const struct mr_schema *schema,
                         const struct mr_evolve_wish *wish);

/** Alters or rebuilds the table. Errors: MR_E_TYPE, MR_QUARANTINE; those of the engine. */
bool mr_evolve_shape(struct mr_targets *targets, struct mr_target *target,
                     const struct mr_schema *schema, const struct mr_evolve_wish *wish,
                     struct mr_error *err) MR_MUST_CHECK;

/** The table `from` is now called as `to`, of which there is no table. */
bool mr_evolve_rename(struct mr_targets *targets, struct mr_target *from, struct mr_target *to,
                      struct mr_error *err) MR_MUST_CHECK;

bool mr_evolve_drop(struct mr_targets *targets, struct mr_target *target,
                    struct mr_error *err) MR_MUST_CHECK;

#endif
