// SPDX-License-Identifier: MIT
/*
 * retention.c - deletes segments that nobody needs any more.
 *
 * Each deletion is made durable before the next: after a crash the segments that are left follow
 * one another without a hole, whatever order the file system would have chosen.
 *
 * A segment's age counts from when the next one began: it then held nothing newer.
 */
#include "retention.h"

#include "options.h"

uint64_t mr_retention_released(const struct mr_stream *stream)
{
    uint64_t released = UINT64_MAX;
    for (uint32_t i = 0; i < MR_STREAM_SINKS_MAX; i++) {
        if (stream->is_registered[i] && stream->released[i] < released) {
            released = stream->released[i];
        }
    }
    return released;
}

bool mr_retention_is_full(struct mr_stream *stream)
{
    mr_log_state_lock(stream);
    MR_ASSERT(stream->index.size > 0);
    const bool is_full = (uint64_t)stream->index.size >= stream->config.retention_bytes;
    mr_log_state_unlock(stream);
    return is_full;
}

static bool is_older(const struct mr_stream *stream, int64_t sealed_us, int64_t now_us)
{
    const uint64_t keep_ms = stream->config.retention_ms;
    if (keep_ms == MR_DURATION_AUTO || now_us <= sealed_us) {
        return false;
    }
    return (uint64_t)(now_us - sealed_us) / 1000 >= keep_ms;
}

/* Whether the oldest segment may go; then its name. Under the lock. */
static bool may_delete(const struct mr_stream *stream, int64_t now_us,
                       char name[MR_SEGMENT_NAME_SIZE])
{
    const struct mr_index *index = &stream->index;
    if (index->count < 2) {
        return false;
    }
    const struct mr_index_segment *oldest = &index->segments[0];
    const struct mr_index_segment *next = &index->segments[1];
    MR_ASSERT(oldest->first_frame < next->first_frame);
    if (!is_older(stream, next->created_us, now_us) &&
        (uint64_t)index->size < stream->config.retention_bytes) {
        return false;
    }
    const uint64_t last_sequence = next->first_sequence - (next->inside ? 0 : 1);
    MR_ASSERT(next->first_sequence > 0 && oldest->first_sequence <= next->first_sequence);
    if (mr_retention_released(stream) < last_sequence && !stream->config.retention_force) {
        return false;
    }
    mr_segment_name(oldest->first_sequence, oldest->first_frame, name);
    return true;
}

bool mr_retention_expire(struct mr_stream *stream, struct mr_error *err)
{
    const struct mr_env *env = stream->env;
    MR_ASSERT(stream->active.fd >= 0);
    if (stream->is_poisoned) {
        return true;
    }
    const int64_t now_us = env->unix_us(env);
    char name[MR_SEGMENT_NAME_SIZE];
    for (;;) {
        mr_log_state_lock(stream);
        const bool may = may_delete(stream, now_us, name);
        mr_log_state_unlock(stream);
        if (!may) {
            return true;
        }
        if (env->unlink(env, stream->dir_fd, name) != 0) {
            return mr_fail_errno(err, "delete segment \"%s\"", name);
        }
        if (env->fsync(env, stream->dir_fd) != 0) {
            /* The file may come back after a crash, when later ones are gone: stop deleting. */
            (void)mr_fail_errno(err, "fsync the directory of segment \"%s\"", name);
            return mr_log_state_poison(stream, err);
        }
        mr_log_state_lock(stream);
        mr_index_drop_first(&stream->index);
        mr_log_state_unlock(stream);
    }
}
