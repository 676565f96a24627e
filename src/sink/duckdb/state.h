// SPDX-License-Identifier: MIT
/*
 * state.h - what the sink keeps in the warehouse about itself: the schema `millrace`.
 *
 *   millrace.position(source, seq, major, minor, epoch, position, committed_at)
 *       One row a commit and source, appended in the same transaction as the data. The highest seq
 *       of a source is what is committed. Rows below it are deleted now and then.
 *   millrace.snapshot(seq, source, space, name, state, high_major, high_minor, exact)
 *       One row when a table's copy begins and one when it is finished; the highest seq of a table
 *       counts.
 *
 * Rows are appended and never updated: an UPDATE, even of one row, keeps every checkpoint from
 * happening while a reader is open.
 */
#ifndef MR_SINK_DUCKDB_STATE_H
#define MR_SINK_DUCKDB_STATE_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "sink.h"
#include "warehouse.h"

#define MR_STATE_TEXT_BYTES_MAX 1024 /* a longer position text is not repeated in the warehouse */

/** What one commit says about one source. */
struct mr_state_position {
    struct mr_sink_position place;
    char epoch[128];
    char text[MR_STATE_TEXT_BYTES_MAX];
    int64_t committed_us; /* at the source; 0 unknown */
};

struct mr_state_copy {
    struct mr_state_copy *next;
    uint16_t source_index;
    char *space;
    char *table;
    bool finished;
    struct mr_snapshot_mark mark;
};

struct mr_state {
    struct mr_warehouse *warehouse;
    const char *const *source_names;
    uint32_t source_count;
    duckdb_prepared_statement append_position;
    duckdb_prepared_statement append_copy;
    struct mr_state_copy *copies;
    uint64_t next_copy_seq;
    uint64_t position_rows; /* appended since the last compaction */
};

/** Makes the schema `millrace` when it is not there; reads positions[source_count] and copies. */
bool mr_state_open(struct mr_state *state, struct mr_warehouse *warehouse,
                   const char *const *source_names, uint32_t source_count,
                   struct mr_sink_position *positions, struct mr_error *err) MR_MUST_CHECK;

/** Destroys statements; must come before the database is closed. Accepts a zeroed struct. */
void mr_state_done(struct mr_state *state);

/** Appends a position row in the open transaction. */
bool mr_state_append_position(struct mr_state *state, uint16_t source_index,
                              const struct mr_state_position *position,
                              struct mr_error *err) MR_MUST_CHECK;

/** The state of a table's copy; NULL when none was ever begun. */
const struct mr_state_copy *mr_state_find_copy(const struct mr_state *state, uint16_t source_index,
                                               const struct mr_schema *schema);

/** Appends a snapshot row in the open transaction. mark NULL: begun. */
bool mr_state_append_copy(struct mr_state *state, uint16_t source_index,
                          const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                          struct mr_error *err) MR_MUST_CHECK;

/** The transaction of mr_state_append_copy() was committed: remembers it. */
void mr_state_note_copy(struct mr_state *state, uint16_t source_index,
                        const struct mr_schema *schema, const struct mr_snapshot_mark *mark);

/** In the open transaction: no copy of the source counts, and no position of it. */
bool mr_state_append_restart(struct mr_state *state, uint16_t source_index,
                             struct mr_error *err) MR_MUST_CHECK;

/** The transaction of mr_state_append_restart() was committed: remembers it. */
void mr_state_note_restart(struct mr_state *state, uint16_t source_index);

/** Deletes position rows that count no more, in a transaction of its own. */
bool mr_state_compact(struct mr_state *state, struct mr_error *err) MR_MUST_CHECK;

#endif
