// SPDX-License-Identifier: MIT
/*
 * reduce.h - many changes of one table become one change a key: what a columnar target needs.
 *
 * Rows are given in source order. For a table with a key each key that was touched becomes one
 * entry: its last image (or none, when it was deleted) and whether the target may hold an older row
 * of it. Cells that the source did not send (`unchanged`, `absent`) are taken from an earlier image
 * of the row where there is one; an image that still lacks cells names the entry under whose key
 * the target holds them (the key before a key change).
 *
 * For a table without a key each distinct row becomes one entry with a balance: how many equal rows
 * are to be added (> 0) or removed (< 0). Order does not matter for them: equal rows are the same.
 *
 * Nothing here touches a target: a reduction that runs out of arena (MR_E_LIMIT) is thrown away and
 * done again with fewer rows.
 *
 * Invariants: entry_count <= capacity; every entry's key differs from all others'; entries stand in
 * the order in which their keys were first touched.
 */
#ifndef MR_SINK_REDUCE_H
#define MR_SINK_REDUCE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "batch.h"
#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "schema.h"

#define MR_REDUCE_NONE UINT32_MAX

struct mr_row_ref {
    const struct mr_chunk *chunk; /* NULL: no row */
    uint32_t row;
};

struct mr_reduced {
    struct mr_row_ref key;  /* a row that holds the key; without a key: the row itself */
    struct mr_row_ref last; /* the last image; no row: deleted */
    uint32_t hash;
    uint32_t origin;   /* `last` lacks cells: the target has them under this entry's key */
    int32_t balance;   /* tables without a key */
    bool needs_delete; /* the target may hold a row of this key */
    bool may_miss;     /* `last` lacks cells, and the target may rightly lack the row */
};

/** One row of an event. */
struct mr_row_change {
    enum mr_event_kind kind; /* anything but TRUNCATE and NOTE */
    struct mr_row_ref after;
    struct mr_row_ref before;
    bool overlaps; /* at or before the table's high mark: the copy may hold it already */
};

struct mr_reducer {
    struct mr_arena *arena;
    const struct mr_schema *schema;
    const char *table; /* for messages */
    struct mr_reduced *entries;
    uint32_t entry_count;
    uint32_t capacity;
    uint32_t *buckets; /* entry + 1; 0: empty */
    uint32_t bucket_mask;
    struct mr_chunk *merged; /* rows put together from several images */
};

/** Starts a reduction of at most row_count_max rows. MR_E_LIMIT when it does not fit the arena. */
bool mr_reduce_begin(struct mr_reducer *reducer, struct mr_arena *arena,
                     const struct mr_schema *schema, uint32_t row_count_max,
                     struct mr_error *err) MR_MUST_CHECK;

/** Adds one row. MR_E_LIMIT: arena full. MR_E_SINK, MR_STOP: an image that cannot be. */
bool mr_reduce_add(struct mr_reducer *reducer, const struct mr_row_change *change,
                   struct mr_error *err) MR_MUST_CHECK;

/** A row with the newer image's cells, and the older one's where the newer has none. */
bool mr_reduce_merge(struct mr_reducer *reducer, struct mr_row_ref newer, struct mr_row_ref older,
                     struct mr_row_ref *merged, struct mr_error *err) MR_MUST_CHECK;

/** Whether a chunk has cells that were not sent, and whether a row has. */
bool mr_reduce_chunk_lacks_cells(const struct mr_chunk *chunk);
bool mr_reduce_row_lacks_cells(struct mr_row_ref ref);

#endif
