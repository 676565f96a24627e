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
 *   7. One table may go its own way (the functions from `order` on; a sink without them leaves them
 *      NULL): a copy `beside` takes the place of the table that people read only when it is
 *      complete and has followed the stream up to where the sink is; a paused table misses what
 *      comes and is given it again. apply() leaves such tables out; follow_apply() brings them,
 *      and them alone, from where they stand. All of that survives a crash, by commits like any
 *      other.
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
    bool beside; /* of a copy beside: not kept with it */
};

/** A table's copy that begins, or goes on after an interruption. */
struct mr_copy_request {
    const char *id;    /* names the copy over restarts */
    const char *plan;  /* how it is cut: an unfinished copy of the same id and plan goes on. NULL:
                          it is begun anew */
    const char *where; /* beside only: rows that match replace those of the table that do */
    bool beside;
    uint64_t from_sequence; /* beside only: what the stream has after it may not be in the rows */
    uint32_t piece_count;
};

enum mr_piece_state { MR_PIECE_NONE, MR_PIECE_BEGUN, MR_PIECE_DONE };

struct mr_copy_piece {
    uint32_t index;
    enum mr_piece_state state;
};

/** What the sink has of a copy that goes on. */
struct mr_copy_taken {
    uint8_t *pieces;  /* the caller's, request->piece_count zeros: gets enum mr_piece_state */
    bool is_finished; /* every row of this very copy was applied: nothing is to be read */
};

/** What somebody wants of one table. */
enum mr_table_verb {
    MR_TABLE_PAUSE,  /* its changes wait in the stream */
    MR_TABLE_RESUME, /* it is given what it missed, and joins */
    MR_TABLE_REWIND, /* it is given everything from `sequence` on once more, as upserts */
    MR_TABLE_DROP,   /* its changes are left out for good; the table stays as it is */
    MR_TABLE_PURGE,  /* likewise, and the table goes */
};

struct mr_table_order {
    enum mr_table_verb verb;
    const char *space;
    const char *table;
    uint64_t sequence;
};

enum mr_apart_shown { MR_SHOWN_PAUSED, MR_SHOWN_FOLLOWING, MR_SHOWN_COPYING, MR_SHOWN_DROPPED };

/** A table that does not simply go with the stream. */
struct mr_apart_view {
    uint16_t source_index;
    const char *space; /* both the sink's, until its next call */
    const char *table;
    enum mr_apart_shown state;
    bool is_copy;      /* not the table itself, but the copy that is to take its place */
    uint64_t sequence; /* it has everything up to there */
};

/** A table that waits to be given what it missed; valid until a call of the sink fails. */
struct mr_follow {
    uint16_t source_index;
    const char *space;
    const char *table;
    uint64_t sequence; /* it has everything up to there, in the open transaction */
    void *entry;       /* the sink's own */
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
    /** Makes the table, empty, unless an unfinished copy goes on. Commits. */
    bool (*snapshot_begin)(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, const struct mr_copy_request *request,
                           struct mr_copy_taken *taken, struct mr_error *err);
    /** Notes a piece's state, to be committed with the rows before it. */
    bool (*snapshot_piece)(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, bool beside,
                           const struct mr_copy_piece *piece, struct mr_error *err);
    /** How an unfinished copy was cut; NULL when there is none that could go on. */
    const char *(*snapshot_plan)(struct mr_sink *sink, uint16_t source_index,
                                 const struct mr_schema *named, bool beside);
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
    /** Carries out an order, and commits. MR_E_CONFIG, MR_RETRY: not of such a table. */
    bool (*order)(struct mr_sink *sink, uint16_t source_index, const struct mr_table_order *order,
                  struct mr_error *err);
    /** Entry `index` of the tables that are apart; false past the last. */
    bool (*apart)(struct mr_sink *sink, uint32_t index, struct mr_apart_view *view);
    /** The stream is needed behind this sequence for tables that are apart; UINT64_MAX: none. */
    uint64_t (*pinned)(struct mr_sink *sink, uint16_t source_index);
    /** A table that is to catch up, if there is one. */
    bool (*follow_next)(struct mr_sink *sink, struct mr_follow *follow, bool *found,
                        struct mr_error *err);
    /** As apply(), for that table alone and from follow->sequence on. */
    bool (*follow_apply)(struct mr_sink *sink, struct mr_follow *follow,
                         struct mr_batch *const *batches, uint32_t count, struct mr_error *err);
    /** It has what the sink has committed of its source, and joins. Commits. Not *joined: it must
     *  wait until the stream has `reached` more. */
    bool (*follow_end)(struct mr_sink *sink, const struct mr_follow *follow,
                       struct mr_native_position reached, bool *joined, struct mr_error *err);

    /** Upkeep between commits (checkpoints). `idle`: nothing waits to be applied. */
    bool (*maintain)(struct mr_sink *sink, bool idle, struct mr_error *err);
    void (*observe)(struct mr_sink *sink, struct mr_sink_observation *observation);
    /** Whether a table is set aside, and why; from any thread. NULL: the sink sets none aside. */
    bool (*is_set_aside)(struct mr_sink *sink, uint16_t source_index,
                         const struct mr_schema *schema, char *reason, size_t size);
};

#endif
