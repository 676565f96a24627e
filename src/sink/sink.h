// SPDX-License-Identifier: MIT
/*
 * sink.h - the contract between the pipeline and a target.
 *
 * Contract, checked by tests/contract and by the simulation:
 *   1. One thread calls everything but observe() and query functions.
 *   2. apply() adds batches to the target's open transaction (it opens one when there is none);
 *      commit() makes them visible together with one position a source, in one atomic step. A crash
 *      at any moment leaves the target before or after that step.
 *   3. Batches of a source come in order and without gaps. A batch may begin at or before the
 *      committed sequence: those transactions are skipped. The pipeline does not commit after a
 *      `continued` batch until the rest of that transaction was applied.
 *   4. After a failed call the target's transaction is rolled back by rollback(); the pipeline then
 *      reads again from the committed sequence. MR_RETRY: the same may work later (locked, out of
 *      memory); MR_STOP: it will not.
 *   5. Snapshot rows (READ events) arrive between snapshot_begin() and snapshot_finish() of their
 *      table and are committed like anything else; a table begun and not finished is emptied by the
 *      next snapshot_begin(). Changes of a table up to its high mark are applied as upserts by key,
 *      or dropped where the copy was exact (see source.h).
 *   6. Notes move the position like any event; a sink that need not act on one passes over it. A
 *      schema change is a barrier: rows before it were of the old shape. A table that cannot be
 *      followed is set aside: its events are passed over from that transaction on, all others go
 *      on; snapshot_begin() frees it.
 */
#ifndef MR_SINK_SINK_H
#define MR_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "env.h"
#include "error.h"
#include "options.h"
#include "schema.h"
#include "table_policy.h"

struct mr_sink;

struct mr_sink_context {
    const char *name;   /* the sink's name in the configuration */
    const void *config; /* the plug-in's struct */
    const struct mr_env *env;
    const char *const *source_names; /* by source_index */
    uint32_t source_count;
    uint64_t memory_bytes; /* the engine's share of memory_max */
    uint64_t batch_rows_max;
    const struct mr_policies *policies; /* by table; NULL: the defaults */
};

struct mr_sink_position {
    uint64_t sequence; /* 0: nothing of this source was ever committed */
    struct mr_native_position native;
};

struct mr_snapshot_mark {
    struct mr_native_position high; /* see source.h */
    bool exact;
};

struct mr_sink_observation {
    uint64_t rows_total; /* applied since open, snapshot rows included */
    uint64_t commits_total;
    uint64_t errors_total;
    uint64_t checkpoints_total;
    uint64_t checkpoint_us_last;
    uint64_t commit_us_last;
    uint64_t wal_bytes;
    uint32_t quarantined_count; /* tables that are set aside */
};

struct mr_sink_ops {
    const char *name;
    const char *summary;
    const struct mr_option *options;
    size_t config_size;

    struct mr_sink *(*open)(const struct mr_sink_context *context, struct mr_error *err);
    void (*close)(struct mr_sink *sink); /* accepts NULL; uncommitted work is dropped */

    /** What is committed for a source. */
    bool (*position)(struct mr_sink *sink, uint16_t source_index, struct mr_sink_position *position,
                     struct mr_error *err);

    bool (*apply)(struct mr_sink *sink, struct mr_batch *const *batches, uint32_t count,
                  struct mr_error *err);
    bool (*commit)(struct mr_sink *sink, struct mr_error *err);
    void (*rollback)(struct mr_sink *sink);

    /** Whether a table's copy is complete (then it is not copied again), and its mark if it is.
     *  The schema of this and of snapshot_finish() may be mr_schema_whole_source. */
    bool (*snapshot_is_finished)(struct mr_sink *sink, uint16_t source_index,
                                 const struct mr_schema *schema, bool *finished,
                                 struct mr_snapshot_mark *mark, struct mr_error *err);
    /** Makes the table, empty. Commits. */
    bool (*snapshot_begin)(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, struct mr_error *err);
    /** All rows were applied: records the mark with them. Commits. */
    bool (*snapshot_finish)(struct mr_sink *sink, uint16_t source_index,
                            const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                            struct mr_error *err);

    /**
     * What the source's stream has up to `sequence` will not be applied: its tables are to be
     * copied anew. Forgets which of them were copied and moves the position there. Commits.
     */
    bool (*restart)(struct mr_sink *sink, uint16_t source_index, uint64_t sequence,
                    struct mr_error *err);

    /** Upkeep between commits (checkpoints). `idle`: nothing waits to be applied. */
    bool (*maintain)(struct mr_sink *sink, bool idle, struct mr_error *err);
    void (*observe)(struct mr_sink *sink, struct mr_sink_observation *observation);
    /** Whether a table is set aside, and why; from any thread. NULL: the sink sets none aside. */
    bool (*is_set_aside)(struct mr_sink *sink, uint16_t source_index,
                         const struct mr_schema *schema, char *reason, size_t size);
};

#endif
