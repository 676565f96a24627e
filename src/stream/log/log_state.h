// SPDX-License-Identifier: MIT
/*
 * log_state.h - what one open stream is made of. Only the files of this folder include this.
 *
 * Three kinds of members: fixed at open; the writer's own, touched by the one thread that appends,
 * syncs, aborts and expires; and shared ones, under the lock. A frame goes through these stages:
 *
 *   appended   below place.number: in the file, may be lost
 *   durable    below durable_frame: synced
 *   visible    below visible_frame: durable, and not part of a run of frames whose last one still
 *              ends inside a transaction; readers are given nothing else
 */
#ifndef MR_STREAM_LOG_LOG_STATE_H
#define MR_STREAM_LOG_LOG_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "encoder.h"
#include "env.h"
#include "index.h"
#include "position.h"
#include "schema.h"
#include "schemas.h"
#include "segment.h"
#include "stream_log.h"
#include "tail.h"

struct mr_stream_reader;

struct mr_stream {
    /* Fixed at open. */
    const struct mr_env *env;
    struct mr_stream_log_config config;
    char *source; /* owned */
    uint16_t source_index;
    uint64_t batch_bytes_max;
    int64_t segment_bytes_max; /* segment_size, but never more than a part of retention_size */
    int dir_fd;                /* owned, as is the next; -1: not open */
    int lock_fd;

    /* The writer's own. */
    struct mr_segment active;
    int64_t active_start;   /* where the frames end with which it began */
    struct mr_place place;  /* of the next frame */
    uint64_t open_frame;    /* where the open transaction began; 0: none, or before the start */
    uint64_t chain_frame;   /* where the frames that each end inside a transaction began: a reader
                               given one of them must be given all, so none is visible yet */
    uint64_t synced;        /* = durable_frame */
    bool is_proven;         /* the last frame says that everything before it is durable */
    bool is_poisoned;       /* a sync failed */
    uint64_t expire_frame;  /* place.number at the last expire() */
    struct mr_encoder main; /* for batches */
    struct mr_encoder side; /* for what goes between them */
    struct mr_position appended;
    struct mr_position durable;
    bool position_moved;

    /* Shared: under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t moved; /* visible_frame has */
    struct mr_index index;
    struct mr_tail tail;
    struct mr_schemas schemas;
    const struct mr_catalog *catalog;
    uint32_t catalog_seen; /* ids up to this one are in the log, where they exist */
    uint64_t durable_frame;
    uint64_t durable_sequence; /* of the transaction that is open or next at durable_frame */
    int64_t durable_end;       /* bytes of the last segment that are durable */
    uint64_t visible_frame;
    struct mr_stream_reader *readers; /* a list */
    uint64_t released[MR_STREAM_SINKS_MAX];
    bool is_registered[MR_STREAM_SINKS_MAX];
    uint64_t written_bytes;
    uint64_t sync_count;
    uint64_t cut_bytes;
    bool intake_paused;
};

static inline void mr_log_state_lock(struct mr_stream *stream)
{
    const int result = pthread_mutex_lock(&stream->lock);
    MR_ASSERT(result == 0);
}

static inline void mr_log_state_unlock(struct mr_stream *stream)
{
    const int result = pthread_mutex_unlock(&stream->lock);
    MR_ASSERT(result == 0);
}

/** Bytes by which a segment is preallocated. */
static inline int64_t mr_log_state_step(const struct mr_stream *stream)
{
    return stream->segment_bytes_max < MR_SEGMENT_STEP_BYTES ? stream->segment_bytes_max
                                                             : MR_SEGMENT_STEP_BYTES;
}

/**
 * A sync failed: nobody knows what is on the disk, and the next sync would not tell. Makes *err one
 * that stops: even a full disk may have cost what was written.
 */
static inline bool mr_log_state_poison(struct mr_stream *stream, struct mr_error *err)
{
    stream->is_poisoned = true;
    err->code = MR_E_IO;
    err->recovery = MR_STOP;
    return false;
}

/** Fails with MR_E_CORRUPT, MR_STOP, naming the file, the offset and the cure. */
bool mr_log_state_corrupt(const struct mr_stream *stream, uint64_t first_sequence,
                          uint64_t first_frame, int64_t offset, const char *what,
                          struct mr_error *err);

#endif
