// SPDX-License-Identifier: MIT
/*
 * progress.h - how far something has come along the stream of a source: the source's tables
 * together, or one that goes its own way for a while (apart.h).
 */
#ifndef MR_SINK_DUCKDB_PROGRESS_H
#define MR_SINK_DUCKDB_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "state.h"

/** `pending` is what the next commit makes `committed`. */
struct mr_progress {
    struct mr_sink_position committed;
    struct mr_state_position pending;
    bool moved;             /* pending differs from committed */
    uint64_t open_sequence; /* a transaction was applied up to its middle; 0: none */

    /* A transaction whose end is not known yet was applied to a table that was copied exactly, as
     * if it came after the copy. Should its end turn out to lie before the table's high mark, it is
     * rolled back and read again, this time with the end known. */
    uint64_t guess_sequence;
    struct mr_native_position guess_high;
    uint64_t known_sequence;
    struct mr_native_position known_end;
};

/** The transaction was rolled back: what is known of an end stays. */
static inline void mr_progress_roll_back(struct mr_progress *progress)
{
    progress->pending.place = progress->committed;
    progress->moved = false;
    progress->open_sequence = 0;
    progress->guess_sequence = 0;
    progress->guess_high = (struct mr_native_position){0};
}

static inline void mr_progress_commit(struct mr_progress *progress)
{
    progress->committed = progress->pending.place;
    progress->moved = false;
}

#endif
