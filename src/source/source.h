// SPDX-License-Identifier: MIT
/*
 * source.h - the contract between the pipeline and a change source (MySQL, PostgreSQL, ...).
 *
 * A source turns a server's replication stream into batches. It owns its connection and nothing
 * else: threads, retries, checkpoints, metrics and logging belong to the pipeline.
 *
 * Contract, checked for every source by tests/contract:
 *   1. One thread calls, in the order open, next*, close. ack() and observe() come between any two.
 *   2. next() appends whole transactions; only a batch marked `continued` ends inside one. It fills
 *      a batch to target_bytes while data is at hand and returns at once when none is: a single
 *      transaction is handed on without waiting for a second one.
 *   3. A batch's position is the resume position after its last whole transaction. A batch without
 *      transactions may carry a position alone (an idle server moved on).
 *   4. After a crash, open(position) yields every transaction after `position`, in the same order,
 *      and none at or before it.
 *   5. The server may discard its log up to an acked position, so the pipeline calls ack() only
 *      after the stream has synced everything up to there.
 *   6. open() and next() fail with MR_E_LOST, MR_STOP when the server cannot go on from the place
 *      because it lacks what follows it; snapshot_open() with `existing` likewise. Nothing else is
 *      MR_E_LOST: a copy of the tables would replace what the targets have.
 *   7. When a connection is lost, next() fails with MR_E_NET, MR_RETRY; the pipeline closes, backs
 *      off and opens again from the last durable position. If a `continued` batch had been handed
 *      on, the pipeline tells the stream to drop that transaction; the source need not.
 *
 * SNAPSHOT
 *   snapshot_open() fixes the point at which streaming starts and lists the captured tables. Each
 *   reader (one a worker thread) then copies pieces of tables as READ events. For a table, `high`
 *   is a position such that no copied row is newer; the stream starts at or before the oldest row:
 *   changes up to `high` may be in the copy already. A table with a key takes them as upserts by
 *   key, which converges; a table without one is copied `exact`ly at `high` and drops them.
 */
#ifndef MR_SOURCE_SOURCE_H
#define MR_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "batch.h"
#include "compiler.h"
#include "env.h"
#include "error.h"
#include "nulled.h"
#include "options.h"
#include "position.h"
#include "schema.h"
#include "table_choices.h"
#include "table_policy.h"

struct mr_source;
struct mr_snapshot;
struct mr_snapshot_reader;

/** What a snapshot is to be like. Borrowed while the snapshot lives. */
struct mr_snapshot_wish {
    const char *space; /* of the one table to copy; NULL: all that are captured */
    const char *table;
    const char *where; /* a condition in the server's own SQL; NULL: every row */
    /** How an earlier, unfinished copy of a table was cut into pieces; NULL: there was none. */
    const char *(*plan_of)(void *context, const char *space, const char *table);
    void *plan_context;
};

/** What every source is given; borrowed, and outlives it. */
struct mr_source_context {
    const char *pipeline; /* names slots: millrace_<pipeline>_<source> */
    const char *name;     /* the source's name in the configuration */
    const void *config;   /* the plug-in's own struct, filled through its option table */
    const struct mr_env *env;
    struct mr_catalog *catalog; /* only the source's thread interns while it runs; snapshot_open()
                                     and open() are called from that same thread, a wished
                                     snapshot's from any */
    uint64_t target_bytes;      /* of a batch: hand on when this much is in it */
    uint64_t value_bytes_max;   /* value_max: a larger value is MR_E_LIMIT, ... */
    bool nulls_large_values; /* ... or NULL and counted (on_large_value: null), unless in a key */
    uint64_t wait_ms_max;    /* bound of connect and of every query */
    int data_dir_fd;         /* for what a source must put aside (spool/<name>/); 0: none */
    bool starts_anew;        /* snapshot_open(): our position was lost; what the server still
                                     keeps for it (a slot that is of no use) may be replaced */
    const struct mr_policies *policies;  /* by table; NULL: the defaults */
    struct mr_table_choices *choices;    /* beside the configured globs; NULL: none */
    const struct mr_snapshot_wish *wish; /* for snapshot_open(); NULL: all tables, from scratch */
    struct mr_nulled *nulled; /* counts values that became NULL by policy; NULL: nobody does */
};

enum mr_next {
    MR_NEXT_BATCH, /* the batch holds at least one event or a position */
    MR_NEXT_IDLE,  /* nothing within the wait; call again */
    MR_NEXT_END,   /* a bounded read is complete; the batch may hold its last rows */
    MR_NEXT_ERROR, /* *err says why; only close() may follow */
};

/**
 * How long the server still keeps what follows our position: each part UINT64_MAX when it is not
 * known, or has no limit. What is left of a total falls while we do not keep up, or are away.
 */
struct mr_retention {
    uint64_t left_bytes;
    uint64_t total_bytes;
    uint64_t left_s; /* by the clock, or by how fast the log grows */
    uint64_t total_s;
    uint64_t held_bytes; /* of the log, kept for us now */
};
#define MR_RETENTION_UNKNOWN                                                                       \
    ((struct mr_retention){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX})

/** What a source knows of itself and its server, for status, metrics and lag. */
struct mr_source_observation {
    char server[96];               /* "PostgreSQL 15.8", "MariaDB 10.11.6" */
    uint64_t lag_bytes;            /* server's log end minus what we received; UINT64_MAX unknown */
    int64_t clock_skew_us;         /* our clock minus the server's */
    uint64_t commit_resolution_us; /* of the server's commit stamps: 1, or 1,000,000 */
    uint64_t received_bytes;
    uint64_t kept_bytes;        /* of transactions that are not decided yet, in memory and spool */
    uint32_t kept_transactions; /* and how many there are */
    struct mr_retention retention;
};

/** One line of a preflight: what was looked at, how it stands, the statement that mends it. */
struct mr_finding {
    enum { MR_FINDING_OK, MR_FINDING_WARNING, MR_FINDING_ERROR } level;
    bool is_lost; /* the position: open() says so again, and the pipeline's policy decides */
    char what[128];
    char detail[512]; /* for an error: what is wrong, and the exact statement that cures it */
};

#define MR_FINDINGS_MAX 20000 /* a line a table; what comes after is left out, and said so */

/** A zeroed struct is empty. */
struct mr_findings {
    struct mr_finding *items;
    uint32_t count;
    uint32_t capacity;
};

struct mr_snapshot_table {
    const struct mr_schema *schema;
    uint64_t rows_estimate; /* the server's statistics; 0 unknown */
    uint32_t piece_count;   /* pieces that readers can copy side by side; at least 1 */
    bool exact;             /* copied at one position (tables without a key) */
    const char *plan; /* how it is cut, for the `plan` of a later wish: pieces that were copied then
                         need not be copied again. NULL: a copy that is interrupted starts over */
};

struct mr_source_ops {
    const char *name;    /* as in the configuration: "mysql" */
    const char *summary; /* one line, for --help and the docs */
    const struct mr_option *options;
    size_t config_size;
    /** Leaves out a row that its table cannot take, with a QUARANTINE note, by policy. */
    bool sets_aside;

    /** Cross-checks a filled configuration (URL parts, contradictions). */
    bool (*check_config)(void *config, struct mr_option_memory *memory, struct mr_error *err);

    /** Connects and looks at everything capture needs. False only when it could not even look. */
    bool (*preflight)(const struct mr_source_context *context, struct mr_findings *findings,
                      struct mr_error *err);

    /** Connects and starts to follow after `resume` (which must be set: see snapshot_open). */
    struct mr_source *(*open)(const struct mr_source_context *context,
                              const struct mr_position *resume, struct mr_error *err);
    enum mr_next (*next)(struct mr_source *source, struct mr_batch *batch, uint32_t wait_ms,
                         struct mr_error *err);
    bool (*ack)(struct mr_source *source, struct mr_native_position durable_up_to,
                struct mr_error *err);
    void (*observe)(struct mr_source *source, struct mr_source_observation *observation);
    void (*close)(struct mr_source *source); /* accepts NULL */

    /**
     * Fixes the start of streaming and, unless tables_wanted is false (snapshot: no_data), lists
     * the tables to copy. `existing` is set when streaming has begun before (a resumed snapshot):
     * then *start is left alone.
     *
     * A wish for one table lists that one whatever the globs say (none when it is not there), and
     * sets *start always: every change at or before it is in what the readers will see.
     */
    struct mr_snapshot *(*snapshot_open)(const struct mr_source_context *context,
                                         bool tables_wanted, const struct mr_position *existing,
                                         struct mr_position *start, struct mr_error *err);
    const struct mr_snapshot_table *(*snapshot_tables)(struct mr_snapshot *snapshot,
                                                       uint32_t *count);
    /** Opens one more connection; called by the thread that will use it. All readers are opened
     *  before snapshot_release(). */
    struct mr_snapshot_reader *(*reader_open)(struct mr_snapshot *snapshot, struct mr_error *err);
    /** All readers are open: the control connection may be given up. */
    void (*snapshot_release)(struct mr_snapshot *snapshot);
    /** Starts a piece. A table's pieces may be copied by different readers at the same time. */
    bool (*reader_begin)(struct mr_snapshot_reader *reader, uint32_t table, uint32_t piece,
                         struct mr_error *err);
    /** Fills the batch with READ events of the current piece; END after its last row. */
    enum mr_next (*reader_next)(struct mr_snapshot_reader *reader, struct mr_batch *batch,
                                struct mr_error *err);
    void (*reader_close)(struct mr_snapshot_reader *reader); /* accepts NULL */
    /** After all pieces of a table: its high mark. */
    bool (*snapshot_high)(struct mr_snapshot *snapshot, uint32_t table,
                          struct mr_native_position *high, struct mr_error *err);
    void (*snapshot_close)(struct mr_snapshot *snapshot); /* accepts NULL; readers closed before */
};

/** The table that a wish narrows to, if it does. */
static inline const struct mr_snapshot_wish *
mr_wished_table(const struct mr_source_context *context)
{
    return context->wish != NULL && context->wish->space != NULL ? context->wish : NULL;
}

/** How an earlier copy of a table was cut; NULL when nobody knows of one. */
static inline const char *mr_wished_plan(const struct mr_source_context *context, const char *space,
                                         const char *table)
{
    const struct mr_snapshot_wish *wish = context->wish;
    return wish == NULL || wish->plan_of == NULL ? NULL
                                                 : wish->plan_of(wish->plan_context, space, table);
}

/** Adds a finding; at MR_FINDINGS_MAX the last one says that more were left out. */
void mr_findings_add(struct mr_findings *findings, int level, const char *what, const char *format,
                     ...) MR_PRINTF(4, 5);
static inline void mr_findings_done(struct mr_findings *findings)
{
    free(findings->items);
    *findings = (struct mr_findings){0};
}

/** The statement that cures a finding: what its detail says behind "run"; NULL: none. */
const char *mr_finding_cure(const struct mr_finding *finding);

#endif
