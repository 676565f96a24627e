// SPDX-License-Identifier: MIT
/*
 * copy.h - the copy of a source's tables into the sinks (the initial snapshot), or of one table
 * anew, beside the stream.
 *
 * A coordinator thread asks every sink which tables it has already, empties the rest, and lets
 * worker threads copy pieces side by side, also of one big table. Rows go to the loaders as
 * commands, so each sink is still used by one thread only. A table is finished, with its high mark,
 * in one commit after its last rows; after a crash finished tables are not copied again, and
 * unfinished ones go on with the pieces that are missing where the source can cut them alike. See
 * source.h, SNAPSHOT, for why the result is exact.
 *
 * One table (options.wish) is copied beside the one that people read, which goes on with the
 * stream; the sink lets it take that place (sink.h, 7). Its order of steps: every sink keeps the
 * stream from where it is (RESERVE); only then the rows are read, so nothing is missing between
 * the two.
 */
#ifndef MR_PIPELINE_COPY_H
#define MR_PIPELINE_COPY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "env.h"
#include "error.h"
#include "journal.h"
#include "loader.h"
#include "source.h"

#define MR_COPY_WORKERS_MAX 16

enum mr_copy_state {
    MR_COPY_RUNNING,
    MR_COPY_DONE,   /* every table is complete in every sink */
    MR_COPY_FAILED, /* the error says whether it may be tried again */
};

/** One table to be copied anew. Texts are copied. */
struct mr_copy_wish {
    const char *space;
    const char *table;
    const char *id;    /* names this copy, over restarts */
    const char *where; /* NULL: every row */
};

struct mr_copy_options {
    const struct mr_source_ops *ops;
    struct mr_snapshot *snapshot;            /* owned by the copy from now on; NULL with a wish */
    const struct mr_copy_wish *wish;         /* one table; NULL: all that the snapshot lists */
    const struct mr_source_context *context; /* with a wish: what the snapshot is opened with */
    struct mr_journal *journal;              /* with a wish: where the stream is */
    const struct mr_env *env;
    struct mr_loader *const *loaders;
    uint32_t loader_count;
    uint16_t source_index;
    uint32_t worker_count;
    uint64_t batch_bytes; /* target of a batch */
    uint64_t value_bytes_max;
};

/** What people see of a table's copy. */
struct mr_copy_progress {
    const struct mr_schema *schema;
    uint64_t rows;          /* copied so far */
    uint64_t rows_estimate; /* 0 unknown */
    bool finished;
    bool skipped; /* was complete before */
};

struct mr_copy;

/** Starts the threads. Never fails: what goes wrong is the copy's error. */
struct mr_copy *mr_copy_start(const struct mr_copy_options *options);

enum mr_copy_state mr_copy_state(const struct mr_copy *copy);

/** The error of a failed copy. */
void mr_copy_error(const struct mr_copy *copy, struct mr_error *err);

/** Progress of table `index`; false past the last. From any thread while the copy lives. */
bool mr_copy_progress(const struct mr_copy *copy, uint32_t index,
                      struct mr_copy_progress *progress);

/** Milliseconds since the copy began. */
uint64_t mr_copy_elapsed_ms(const struct mr_copy *copy);

/** Progress over all tables; those that were complete before count as finished only. */
struct mr_copy_totals {
    uint32_t tables;
    uint32_t tables_finished;
    uint64_t rows;
    uint64_t rows_estimate;   /* never below rows */
    uint64_t percent;         /* 0 while nothing is known */
    uint64_t rows_per_second; /* since the start */
    uint64_t seconds_left;    /* UINT64_MAX unknown */
};
struct mr_copy_totals mr_copy_totals(const struct mr_copy *copy);

/** Cancels what runs, waits for the threads and frees it. Accepts NULL. */
void mr_copy_close(struct mr_copy *copy);

#endif
