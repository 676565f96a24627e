// SPDX-License-Identifier: MIT
/*
 * apart.h - tables that do not go with the stream of their source just now, and copies in the
 * making, as the schema `millrace` has them:
 *
 *   millrace.apart(seq, source, space, name, what, state, sequence, copy, plan, condition, keys,
 *                  high_major, high_minor, exact)
 *       what 'table'   the table itself: 'paused' or 'following' (catches up) from `sequence` on,
 *                      'dropped', or 'joined': goes with the stream
 *       what 'copy'    a table beside: 'copying', then 'following' until it takes the place of the
 *                      table that people read ('joined')
 *       what 'first'   the first copy of a source's table, cut as `plan` says: 'copying', 'joined'
 *       The highest seq of (source, space, name, what) counts. `sequence`: everything up to it is
 *       in the table.
 *   millrace.piece(source, space, name, what, piece, state)
 *       Pieces of a copy that were 'begun' and 'done', each in the commit of its rows.
 *
 * Rows are appended, as in state.h. An entry that waits for changes pins the stream at `sequence`.
 */
#ifndef MR_SINK_DUCKDB_APART_H
#define MR_SINK_DUCKDB_APART_H

#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "progress.h"
#include "sink.h"
#include "target.h"
#include "warehouse.h"

#define MR_APART_KEY_SEPARATOR "\x1f"

enum mr_apart_what { MR_APART_TABLE, MR_APART_COPY, MR_APART_FIRST };

enum mr_apart_state {
    MR_APART_JOINED,
    MR_APART_PAUSED,
    MR_APART_FOLLOWING,
    MR_APART_COPYING,
    MR_APART_DROPPED,
};

struct mr_apart {
    struct mr_apart *next;
    uint16_t source_index;
    char *space;
    char *table;
    enum mr_apart_what what;
    enum mr_apart_state state;
    struct mr_progress progress; /* FOLLOWING: its own way along the stream */
    char *copy;                  /* the request's id; "" */
    char *plan;                  /* NULL: none */
    char *where;                 /* NULL: every row */
    char *keys;                  /* names of the key columns; NULL unknown */
    struct mr_snapshot_mark mark;
    bool is_given_up;         /* a copy that cannot go on; it is dropped */
    struct mr_target *target; /* what is written to; NULL: not looked up yet */
    struct mr_target *gone;   /* with a condition: rows of the table that may be gone */
};

struct mr_aparts {
    struct mr_warehouse *warehouse;
    const char *const *source_names;
    uint32_t source_count;
    struct mr_apart *all;
    duckdb_prepared_statement append;
    duckdb_prepared_statement append_piece;
    uint64_t next_seq;
    uint64_t rows; /* appended since the last compaction */
};

/** Makes the tables when they are not there, and reads what they hold. */
bool mr_aparts_open(struct mr_aparts *aparts, struct mr_warehouse *warehouse,
                    const char *const *source_names, uint32_t source_count,
                    struct mr_error *err) MR_MUST_CHECK;
/** Destroys statements and entries; their targets belong to mr_targets. Accepts a zeroed struct. */
void mr_aparts_done(struct mr_aparts *aparts);

/** The entry of a table, whatever its state; NULL: there never was one. */
struct mr_apart *mr_aparts_find(const struct mr_aparts *aparts, uint16_t source_index,
                                const struct mr_schema *schema, enum mr_apart_what what);

/** The entry of a table, made (joined) when there is none. */
struct mr_apart *mr_aparts_take(struct mr_aparts *aparts, uint16_t source_index,
                                const struct mr_schema *schema, enum mr_apart_what what);

/** Appends an entry as it is to be, in the open transaction. */
bool mr_aparts_append(struct mr_aparts *aparts, const struct mr_apart *entry,
                      enum mr_apart_state state, uint64_t sequence,
                      struct mr_error *err) MR_MUST_CHECK;

/** Appends a piece's state in the open transaction; forgets all pieces of an entry; reads them. */
bool mr_aparts_append_piece(struct mr_aparts *aparts, const struct mr_apart *entry, uint32_t piece,
                            enum mr_piece_state state, struct mr_error *err) MR_MUST_CHECK;
bool mr_aparts_forget_pieces(struct mr_aparts *aparts, const struct mr_apart *entry,
                             struct mr_error *err) MR_MUST_CHECK;
bool mr_aparts_read_pieces(struct mr_aparts *aparts, const struct mr_apart *entry, uint8_t *pieces,
                           uint32_t piece_count, struct mr_error *err) MR_MUST_CHECK;

/** The least sequence that an entry of the source still needs the stream from; UINT64_MAX. */
uint64_t mr_aparts_pinned(const struct mr_aparts *aparts, uint16_t source_index);

/** Deletes rows that count no more, in a transaction of its own. */
bool mr_aparts_compact(struct mr_aparts *aparts, struct mr_error *err) MR_MUST_CHECK;

/** Sets a text that the entry owns; NULL is fine. */
void mr_apart_set_text(char **text, const char *value);

#endif
