// SPDX-License-Identifier: MIT
/*
 * beside.h - tables beside the ones that people read: a copy in the making, under a name of its own
 * in the same schema of the warehouse, and what becomes of it.
 *
 *   "<table>__millrace_copy"   rows of the copy; it follows the stream by itself
 *   "<table>__millrace_gone"   with a condition: the rows of the table that matched it when the
 *                              copy began, and that nothing has changed since
 */
#ifndef MR_SINK_DUCKDB_BESIDE_H
#define MR_SINK_DUCKDB_BESIDE_H

#include "apart.h"
#include "apply.h"

/** The target of an entry's copy, made when there is none; it does not look at the warehouse. */
struct mr_target *mr_beside_target(struct mr_targets *targets, struct mr_apart *entry,
                                   const struct mr_schema *schema);

/** Makes the tables of a copy, empty, in the open transaction. */
bool mr_beside_make(struct mr_targets *targets, struct mr_apart *entry,
                    const struct mr_schema *schema, struct mr_error *err) MR_MUST_CHECK;

/** The copy takes the place of the table, in the open transaction. */
bool mr_beside_swap(struct mr_targets *targets, const struct mr_apart *entry,
                    struct mr_error *err) MR_MUST_CHECK;

/** The copy's rows go into the table, and those that are gone out of it. */
bool mr_beside_merge(struct mr_targets *targets, const struct mr_apart *entry,
                     struct mr_error *err) MR_MUST_CHECK;

/** Drops the tables of a copy, in the open transaction. */
bool mr_beside_drop(struct mr_targets *targets, const struct mr_apart *entry,
                    struct mr_error *err) MR_MUST_CHECK;

/** The copy is over, and committed: its targets are forgotten. */
void mr_beside_forget(struct mr_targets *targets, struct mr_apart *entry);

/** A copy with a condition: takes the keys of the target's work out of both tables. */
bool mr_beside_strike(struct mr_apply *apply, struct mr_target *target,
                      struct mr_error *err) MR_MUST_CHECK;

#endif
