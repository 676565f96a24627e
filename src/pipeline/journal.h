// SPDX-License-Identifier: MIT
/*
 * journal.h - the writer of one source's stream: takes batches from the source's link, appends what
 * has gathered, syncs once (group commit), and says how far the source may be acknowledged.
 *
 * Order, and the promise that hangs on it (architecture, promise 1): append, sync, and only then
 * publish the durable position that the link acknowledges to the server, and wake the loaders.
 *
 * FAILURE
 *   - Disk or retention_size full: the batch is held and tried again; the queue behind it fills and
 *     the link stops reading. Nothing is lost and the server's own log holds what we do not take.
 *   - A failed sync stops the pipeline: the kernel may have dropped the dirty pages.
 */
#ifndef MR_PIPELINE_JOURNAL_H
#define MR_PIPELINE_JOURNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "doorbell.h"
#include "env.h"
#include "error.h"
#include "position.h"
#include "queue.h"
#include "step.h"
#include "stream.h"

#define MR_JOURNAL_GROUP_MAX 64 /* batches a sync */
#define MR_JOURNAL_BELLS_MAX MR_STREAM_SINKS_MAX

struct mr_journal {
    const struct mr_stream_ops *ops;
    struct mr_stream *stream; /* borrowed */
    const struct mr_env *env;
    struct mr_queue *inbox; /* struct mr_batch *, from the link */
    struct mr_doorbell *bells[MR_JOURNAL_BELLS_MAX];
    uint32_t bell_count;

    struct mr_batch *held; /* could not be appended: full */
    struct mr_batch *group[MR_JOURNAL_GROUP_MAX];
    uint32_t group_count;
    uint64_t expire_at_ns;

    pthread_mutex_t lock;         /* of `durable` */
    struct mr_position durable;   /* after the last sync */
    atomic_uint_fast64_t settled; /* batches taken from the inbox and made durable (or dropped) */
    atomic_uint_fast64_t rows_total;
    atomic_bool is_paused;
};

/** The inbox holds at most inbox_batches. The stream must be open; its position is taken over. */
bool mr_journal_init(struct mr_journal *journal, const struct mr_stream_ops *ops,
                     struct mr_stream *stream, const struct mr_env *env, size_t inbox_batches,
                     struct mr_error *err) MR_MUST_CHECK;
void mr_journal_done(struct mr_journal *journal);

/** Adds a bell to ring after each sync; before the first step. */
void mr_journal_add_bell(struct mr_journal *journal, struct mr_doorbell *bell);

/** Appends and syncs what is in the inbox; waits up to wait_ms for the first batch. */
enum mr_step mr_journal_step(struct mr_journal *journal, uint32_t wait_ms, struct mr_error *err);

/** Copies the durable position; from any thread. */
bool mr_journal_position(struct mr_journal *journal, struct mr_position *copy,
                         struct mr_error *err) MR_MUST_CHECK;

/** The ordered part alone; zero when there is none. From any thread. */
struct mr_native_position mr_journal_native(struct mr_journal *journal);

#endif
