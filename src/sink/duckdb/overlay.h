// SPDX-License-Identifier: MIT
/*
 * overlay.h - the changes of one table, gathered beside it and merged once, at the commit.
 *
 * Why: a row that is deleted costs the engine memory until the commit, which it cannot spill (16
 * KiB for every 2,048 rows of the table that lost one, see docs/decisions/0003-duckdb-apply.md). A
 * transaction that deletes all over a large table does not fit, however it is cut up. An overlay is
 * a temporary table, which spills: it holds the last images of each reduction in order, and the
 * keys that are gone. The merge writes the table anew in the same transaction: what the overlay
 * does not name, then the newest image of each key. That costs a pass over the table, so it is done
 * only when deletes hold too much memory (choose_way() in write.c).
 *
 * Tables without a key: the overlay holds rows with how many are added or taken away.
 *
 * Invariants: while an overlay is open nothing else writes to its table, and it is merged (or the
 * transaction rolled back) before the shape of its target changes.
 */
#ifndef MR_SINK_DUCKDB_OVERLAY_H
#define MR_SINK_DUCKDB_OVERLAY_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "rows.h"
#include "target.h"

/** Opens the overlay of a target that was ensured; it has none. */
bool mr_overlay_open(struct mr_targets *targets, struct mr_target *target,
                     struct mr_error *err) MR_MUST_CHECK;

/** Begins a reduction: what is added now is newer than all before. */
void mr_overlay_begin_step(struct mr_target *target);

/** Adds whole rows, `sign` (1, -1) times each row's count. */
bool mr_overlay_add_rows(struct mr_targets *targets, struct mr_target *target,
                         const struct mr_row_list *list, int sign,
                         struct mr_error *err) MR_MUST_CHECK;

/** Adds keys that are gone. */
bool mr_overlay_add_gone(struct mr_targets *targets, struct mr_target *target,
                         const struct mr_row_list *list, struct mr_error *err) MR_MUST_CHECK;

/** A statement that yields ord, n (0: gone) and all columns of the listed keys that the overlay
 *  has, newest first; NULL with *err set. The list is given by the target's key slot. Not before
 *  the first step: prepared on an empty table, it would be planned for strings of no length, and
 *  cut those that came later (the engine packs what it sorts by the statistics of that moment). */
duckdb_prepared_statement mr_overlay_fetch(struct mr_targets *targets, struct mr_target *target,
                                           struct mr_error *err);

/** Writes the table anew with the overlay's changes, and closes the overlay. */
bool mr_overlay_merge(struct mr_targets *targets, struct mr_target *target,
                      struct mr_error *err) MR_MUST_CHECK;

/** The table was emptied: what was gathered before does not count. */
bool mr_overlay_clear(struct mr_targets *targets, struct mr_target *target,
                      struct mr_error *err) MR_MUST_CHECK;

#endif
