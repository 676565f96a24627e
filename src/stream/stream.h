// SPDX-License-Identifier: MIT
/*
 * stream.h - the contract of the durable middle: one ordered sequence of transactions a source.
 *
 * Contract, checked by tests/contract and by the simulation (tests/sim):
 *   1. append() numbers the batch's transactions 1, 2, 3, ... and writes it; nothing is durable
 *      before sync() returns true. What was synced survives any crash.
 *   2. Readers see only synced batches, in order, each whole transaction once. A batch that ends
 *      inside a transaction is shown only with those that go on with it, up to one that does not
 *      end inside a transaction; a transaction that was dropped (abort) is never shown. So sinks
 *      see no aborts, and a reader that was given a part need not wait for the rest.
 *   3. sync() failing poisons the stream for good: the kernel may have dropped the dirty pages and
 *      report success the next time (MR_STOP). A full disk in append() is MR_E_FULL, MR_RETRY: the
 *      tail is cut back to the last whole frame and the same batch can be appended again.
 *   4. The position after the last durable whole transaction is kept: the source resumes there.
 *   5. Nothing is deleted before every registered sink has committed it, `retention_force` aside.
 *
 * Threads: one writer calls append, sync and abort; each reader belongs to one thread; release()
 * and observe() may be called from any.
 */
#ifndef MR_STREAM_STREAM_H
#define MR_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "env.h"
#include "error.h"
#include "options.h"
#include "position.h"
#include "schema.h"

struct mr_stream;
struct mr_stream_reader;

struct mr_stream_context {
    const char *source; /* the stream's name: a folder of the data directory */
    const void *config; /* the plug-in's struct */
    const struct mr_env *env;
    int data_dir_fd;            /* borrowed */
    struct mr_catalog *catalog; /* filled from the log at open, before the source interns */
    uint64_t tail_bytes_max;    /* synced batches kept in memory for readers that keep up */
    uint64_t batch_bytes_max;   /* address space of a batch that is read back */
    uint32_t tail_batches_max;  /* as tail_bytes_max, in batches (they belong to the source's pool,
                                   which must be larger); 0: a small default */
    uint16_t source_index;      /* goes into batches that are read back */
};

struct mr_stream_observation {
    uint64_t first_sequence; /* oldest that can still be read */
    uint64_t last_sequence;  /* newest durable */
    uint64_t size_bytes;
    uint64_t segment_count;
    uint64_t written_bytes; /* since open */
    uint64_t sync_count;
    uint64_t released_sequence; /* least over all sinks */
    bool intake_paused;         /* retention_size or the disk is full */
    uint64_t cut_bytes;         /* torn tail that was cut off at open; 0: it was whole */
};

struct mr_stream_ops {
    const char *name;
    const char *summary;
    const struct mr_option *options;
    size_t config_size;

    /** Opens or makes the stream: recovers, cuts a torn tail, fills the catalog. MR_E_LOCKED when
     *  another process has it; MR_E_CORRUPT names file and offset. */
    struct mr_stream *(*open)(const struct mr_stream_context *context, struct mr_error *err);
    void (*close)(struct mr_stream *stream); /* accepts NULL */

    /** Where the source resumes; unset when nothing was ever written. */
    const struct mr_position *(*position)(struct mr_stream *stream);

    bool (*append)(struct mr_stream *stream, struct mr_batch *batch, struct mr_error *err);
    /** Drops the transaction that the last appended batch left open; without one, does nothing. */
    bool (*abort)(struct mr_stream *stream, struct mr_error *err);
    /** Makes everything appended durable, and visible to readers. Retains batches for the tail. */
    bool (*sync)(struct mr_stream *stream, struct mr_error *err);

    /** Reads transactions from `first_sequence` on. MR_E_LOST when they are deleted already:
     *  here, or by reader_next() where retention_force has outrun the reader. */
    struct mr_stream_reader *(*reader_open)(struct mr_stream *stream, uint64_t first_sequence,
                                            struct mr_error *err);
    /** The next batch, with a reference for the caller (mr_batch_release); NULL with err->code
     *  MR_OK when there is none within wait_ms. It may start before first_sequence: callers skip.
     *  A reader that is behind has a few batches: while all are out, it gives none. */
    struct mr_batch *(*reader_next)(struct mr_stream_reader *reader, uint32_t wait_ms,
                                    struct mr_error *err);
    /** Accepts NULL. Its batches must have been released. */
    void (*reader_close)(struct mr_stream_reader *reader);

    /** A sink (by index, < MR_STREAM_SINKS_MAX) has committed everything up to `sequence`. */
    void (*release)(struct mr_stream *stream, uint32_t sink, uint64_t sequence);
    /** Deletes what retention allows. Called by the writer's thread now and then. */
    bool (*expire)(struct mr_stream *stream, struct mr_error *err);
    void (*observe)(struct mr_stream *stream, struct mr_stream_observation *observation);

    /** Where to open a reader for what was committed at or after a time (source's clock): at or
     *  not far before its first transaction. Any thread. */
    bool (*find_time)(struct mr_stream *stream, int64_t commit_us, uint64_t *sequence,
                      struct mr_error *err);
};

#define MR_STREAM_SINKS_MAX 16

#endif
