// SPDX-License-Identifier: MIT
/*
 * loader.h - feeds one sink from every source's stream: gathers what is there, applies it as one
 * atomic step, and tells the streams what they may forget.
 *
 * Batches form from what arrives while the previous commit runs: an idle sink commits a single
 * transaction at once, a busy one takes up to batch_rows_max rows. The gate of a source stays shut
 * until its snapshot is complete in this sink; its stream gathers durably meanwhile.
 *
 * Copies of tables (snapshot) come as commands, so that the sink is only ever used by this thread.
 *
 * FAILURE
 *   - apply() or commit() fails with MR_RETRY: roll back, read again from the committed sequence.
 *     After LOADER_FAILURES_MAX in a row the sink is closed and opened anew.
 *   - with MR_E_LIMIT, MR_RETRY (memory is short): groups get a quarter of the rows and bytes, down
 *     to one batch, and grow back with every good commit. The sink is not opened anew: it remembers
 *     what it tried, and stops (MR_STOP) when a transaction does not fit however it tries.
 *   - MR_STOP: the loader ends; the pipeline stops with exit code 4.
 *   - The stream has deleted what was not applied yet (retention_force): the source's gate shuts
 *     and it is in a gap, until its tables are copied anew (link_lost.c); other sources go on.
 */
#ifndef MR_PIPELINE_LOADER_H
#define MR_PIPELINE_LOADER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "doorbell.h"
#include "env.h"
#include "error.h"
#include "histogram.h"
#include "promise.h"
#include "queue.h"
#include "sink.h"
#include "step.h"
#include "stream.h"
#include "table_stats.h"

#define MR_LOADER_SOURCES_MAX  64
#define MR_LOADER_GROUP_MAX    256 /* batches a commit */
#define MR_LOADER_COMMANDS_MAX 4   /* copied batches that wait for the sink */

enum mr_load_kind {
    MR_LOAD_IS_FINISHED, /* is the copy of the table (or of mr_schema_whole_source) complete? */
    MR_LOAD_RESERVE,     /* the stream is kept from here on, for a copy that is about to begin */
    MR_LOAD_RELEASE,     /* no more */
    MR_LOAD_PLAN,        /* how was the unfinished copy of a table cut? */
    MR_LOAD_BEGIN,       /* empty the table and begin its copy, or go on with it; the answer says
                            whether it was complete already */
    MR_LOAD_ROWS,        /* a batch of READ events */
    MR_LOAD_PIECE,       /* a piece is begun or done */
    MR_LOAD_FINISH,      /* the copy of the table (or of mr_schema_whole_source) is complete */
    MR_LOAD_RESTART, /* what the stream has up to `sequence` is passed over; copies start anew */
    MR_LOAD_ORDER,   /* what somebody wants of one table */
};

/** Where a source's stream is in a sink: what RESERVE answers. */
struct mr_load_place {
    uint64_t sequence;
    struct mr_native_position native;
};

struct mr_load_command {
    enum mr_load_kind kind;
    uint16_t source_index;
    const struct mr_schema *schema;
    struct mr_batch *batch; /* ROWS: one reference, the loader's from now on */
    struct mr_snapshot_mark mark;
    uint64_t sequence;                     /* RESTART */
    bool beside;                           /* BEGIN, PLAN, PIECE: of a copy beside */
    struct mr_copy_piece piece;            /* PIECE */
    const struct mr_copy_request *request; /* BEGIN; this and what follows are the asker's */
    struct mr_copy_taken *taken;           /* BEGIN */
    char **plan;                           /* PLAN: NULL, or a text to free() */
    struct mr_load_place *place;           /* RESERVE */
    const struct mr_table_order *order;    /* ORDER */
    struct mr_promise *promise;            /* NULL for ROWS and PIECE */
};

/** A table that does not simply go with the stream, as people see it. */
struct mr_apart_seen {
    struct mr_apart_view view; /* its names are these: */
    char *space;
    char *table;
    char error[256]; /* why it cannot catch up; "": it can */
};

#define MR_LOADER_APART_MAX 256 /* shown; more still work */

struct mr_loader_source {
    const struct mr_stream_ops *ops;
    struct mr_stream *stream;        /* borrowed */
    struct mr_stream_reader *reader; /* NULL until the gate is open */
    struct mr_batch *pending;        /* read, did not fit into the last group */
    uint64_t committed;              /* sequence */
    uint64_t applied;                /* sequence, in the open group */
    atomic_bool gate_is_open;
    atomic_bool is_in_gap;             /* the stream lacks what follows `committed` */
    atomic_bool is_consistent;         /* the copy is complete and its high mark was passed */
    struct mr_native_position reached; /* committed, or seen where there was nothing to commit */
    struct mr_native_position catch_up_to; /* the copy's greatest high mark */
    struct mr_native_position found;       /* the stream's position when it was opened, ... */
    uint64_t found_sequence;               /* ... which is reached with this sequence */
    bool copy_is_broken;               /* rows were lost in a rollback: the copy must start over */
    bool has_copied;                   /* rows or pieces of copies are applied and not committed */
    uint64_t reserved;                 /* a copy is about to begin: sequence; UINT64_MAX none */
    atomic_uint_fast64_t pinned_shown; /* the stream is kept behind it; UINT64_MAX: by nobody */
    atomic_bool commit_stamps_are_exact; /* finer than a second: latency is measured from them */
    struct mr_table_stats stats;
    atomic_uint_fast64_t committed_shown;
    atomic_int_fast64_t commit_us_last; /* of the newest applied transaction, our clock */
    atomic_int_fast64_t visible_us_last;
};

struct mr_loader {
    const struct mr_sink_ops *ops;
    struct mr_sink *sink;          /* the loader's thread; others only while they hold it */
    pthread_rwlock_t sink_holders; /* written when the sink is opened anew */
    struct mr_sink_context context;
    uint32_t quarantined_seen; /* tables set aside, as last logged */
    uint32_t sink_index;
    const struct mr_env *env;
    uint64_t group_rows_max;
    uint64_t group_rows_now;  /* less while memory is short; 1: one batch a group */
    uint64_t group_bytes_now; /* likewise */
    uint64_t flush_ns;        /* how long a group may wait to grow; 0: committed at once */

    struct mr_loader_source sources[MR_LOADER_SOURCES_MAX];
    uint32_t source_count;
    struct mr_queue *commands; /* struct mr_load_command *, owned */
    struct mr_doorbell bell;

    struct mr_batch *group[MR_LOADER_GROUP_MAX];
    uint32_t group_count;
    uint32_t applied_count; /* of the group, handed to the sink */
    uint64_t group_rows;
    uint64_t applied_rows; /* of stream batches, not committed */
    uint64_t copied_rows;  /* applied from commands, not committed */
    bool has_copied;       /* such rows, or marks of pieces */
    uint32_t failures;     /* in a row */

    /* The table that catches up now: one at a time (loader_follow.c). */
    struct mr_follow follow;
    bool is_following;
    struct mr_stream_reader *follow_reader; /* NULL: none */
    struct mr_batch *follow_pending;
    char follow_error[256];

    pthread_mutex_t apart_lock; /* of what follows */
    struct mr_apart_seen *apart;
    uint32_t apart_count;

    struct mr_histogram commit_to_visible;
    atomic_uint_fast64_t rows_total;
    atomic_uint_fast64_t commits_total;
    atomic_uint_fast64_t errors_total;
};

/** Opens the sink and reads what it has of each source. */
bool mr_loader_init(struct mr_loader *loader, const struct mr_sink_ops *ops,
                    const struct mr_sink_context *context, uint32_t sink_index,
                    struct mr_error *err) MR_MUST_CHECK;
void mr_loader_done(struct mr_loader *loader);

/** Adds the next source, in the order of source_index; before the first step. */
bool mr_loader_add_source(struct mr_loader *loader, const struct mr_stream_ops *ops,
                          struct mr_stream *stream, struct mr_error *err) MR_MUST_CHECK;

/** Hands over a command (the loader frees it); false when the loader is shut or full for
 * wait_ms. */
bool mr_loader_command(struct mr_loader *loader, const struct mr_load_command *command,
                       uint32_t wait_ms);

/** Copies entry `index` of the tables that are apart; false past the last. From any thread; free()
 *  space and table. */
bool mr_loader_apart(struct mr_loader *loader, uint32_t index, struct mr_apart_seen *seen);

/** Sends a command with a promise and waits for its answer. */
bool mr_loader_ask(struct mr_loader *loader, struct mr_load_command command, bool *answer,
                   struct mr_error *err) MR_MUST_CHECK;

/**
 * Keeps the sink from being closed while another thread asks it something; NULL when it is closed
 * just now. Every call that gave a sink is followed by mr_loader_let_sink_go().
 */
struct mr_sink *mr_loader_hold_sink(struct mr_loader *loader);
void mr_loader_let_sink_go(struct mr_loader *loader);

/** Lets a source's stream through; by the loader's own thread, or before it runs. */
void mr_loader_open_gate(struct mr_loader *loader, uint16_t source_index);

/** Whether a source's stream has lost what this sink had not applied yet; from any thread. */
bool mr_loader_is_in_gap(const struct mr_loader *loader, uint16_t source_index);

/** Applies and commits one group; waits up to wait_ms when there is nothing. */
enum mr_step mr_loader_step(struct mr_loader *loader, uint32_t wait_ms, struct mr_error *err);

/** Refuses commands and fails those that wait, so that nobody hangs when the loader has ended. */
void mr_loader_shut(struct mr_loader *loader, const struct mr_error *why);

#endif
