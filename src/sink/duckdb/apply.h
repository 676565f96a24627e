// SPDX-License-Identifier: MIT
/*
 * apply.h - batches into the open transaction of the warehouse.
 *
 * Work is sorted by table first (tables do not depend on each other inside one transaction), then
 * applied in source order: inserts alone go straight from the batches' chunks into the table; as
 * soon as a table has updates or deletes, its rows are reduced to one change a key (reduce.h), the
 * keys are deleted in one statement and the last images inserted in another.
 *
 * Barriers inside a table: a new schema version, TRUNCATE, and every `rows_max` rows.
 */
#ifndef MR_SINK_DUCKDB_APPLY_H
#define MR_SINK_DUCKDB_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "apart.h"
#include "arena.h"
#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "progress.h"
#include "quarantine.h"
#include "reduce.h"
#include "target.h"

#define MR_APPLY_ROWS_MIN 1024

/** One event of a table, in order. */
struct mr_work {
    const struct mr_event *event;
    const struct mr_batch *batch;
    const struct mr_schema *schema; /* as the target is to see it */
    struct mr_work *next;
    bool overlaps;
};

struct mr_apply {
    struct mr_warehouse *warehouse;
    struct mr_targets *targets;
    struct mr_state *state;
    struct mr_quarantine *quarantine;
    /** Commits what is applied, whole transactions all, and begins anew; NULL: not possible. */
    bool (*settle)(void *context, struct mr_error *err);
    void *settle_context;
    struct mr_progress *progress; /* by source */
    const struct mr_aparts *aparts;
    struct mr_apart *follower;  /* set: only this one's table is applied, along its own way */
    struct mr_target nobody;    /* stands for the tables that a pass leaves out */
    struct mr_arena work_arena; /* the work lists of one apply() */
    struct mr_arena row_arena;  /* one reduction */
    struct mr_target *first_touched, *last_touched;
    uint32_t rows_max;      /* in one reduction */
    uint64_t rows_total;    /* applied since open */
    uint64_t deletes_total; /* rows deleted since open, rolled back or not */

    uint64_t memory_bytes;        /* the engine's limit */
    uint32_t short_count;         /* failures for lack of memory since the last commit */
    uint64_t deletes_looked;      /* deletes_total when the engine's memory was last looked at */
    uint64_t committed_bytes;     /* of tables in memory, held by what was committed before */
    bool deletes_fill_the_memory; /* those of the open transaction */
    bool always_gathers;          /* for tests: every change goes into an overlay */
};

/** Applies batches; the transaction is open. On failure it must be rolled back. */
bool mr_apply_batches(struct mr_apply *apply, struct mr_batch *const *batches, uint32_t count,
                      struct mr_error *err) MR_MUST_CHECK;

/** Before the commit: merges what was gathered beside its table (overlay.h). */
bool mr_apply_finish(struct mr_apply *apply, struct mr_error *err) MR_MUST_CHECK;

/** The target of a table, with its snapshot mark. */
struct mr_target *mr_apply_target(struct mr_apply *apply, uint16_t source_index,
                                  const struct mr_schema *schema, struct mr_error *err);

/** Where an event stands. */
struct mr_apply_place {
    uint64_t sequence;
    struct mr_native_position end; /* of its transaction; 0 unknown */
    bool opens;                    /* it is the first event of a whole transaction */
};

/** Acts on a note (notes.c). */
bool mr_apply_note(struct mr_apply *apply, const struct mr_batch *batch,
                   const struct mr_event *event, const struct mr_apply_place *place,
                   struct mr_error *err) MR_MUST_CHECK;

/**
 * An error that says MR_QUARANTINE: remembers that the table is set aside from that transaction on,
 * and makes it MR_RETRY: everything is rolled back and read again. Returns false.
 */
bool mr_apply_set_aside(struct mr_apply *apply, const struct mr_target *target, uint64_t sequence,
                        struct mr_error *err);

/** Writes all collected work. */
bool mr_apply_flush(struct mr_apply *apply, struct mr_error *err) MR_MUST_CHECK;

/** The target that a note is about in this pass; &apply->nobody: it is left to another one. */
struct mr_target *mr_apply_note_target(struct mr_apply *apply, const struct mr_batch *batch,
                                       const struct mr_schema *schema, struct mr_error *err);

/** Writes one table's collected work (write.c). */
bool mr_apply_write(struct mr_apply *apply, struct mr_target *target,
                    struct mr_error *err) MR_MUST_CHECK;

/** The schema version of an event, as its target is to see it, and as its batch has it. */
static inline const struct mr_schema *mr_work_schema(const struct mr_work *work)
{
    return work->schema;
}

static inline const struct mr_schema *mr_event_schema(const struct mr_batch *batch,
                                                      const struct mr_event *event)
{
    if (event->kind == MR_EVENT_TRUNCATE) {
        return batch->truncated[event->chunk];
    }
    return batch->chunks[event->chunk != MR_NO_CHUNK ? event->chunk : event->before_chunk]->schema;
}

#endif
