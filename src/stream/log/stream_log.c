// SPDX-License-Identifier: MIT
/*
 * stream_log.c - the embedded segment log as a stream: options, opening, closing, observation.
 *
 *   data_dir/stream/<source>/LOCK                     held while a process has the stream open
 *   data_dir/stream/<source>/<sequence>-<frame>.seg   segments; FORMAT.md specifies them
 *   data_dir/stream/<source>/new.tmp                  a segment that is being made
 *
 * The parts: frame and body (bytes), codec and encoder (compression), segment and scan (one file),
 * index, recovery, retention, tail (memory), cursor (frame to frame), log_writer, log_reader.
 */
#include "stream_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "log_reader.h"
#include "log_state.h"
#include "log_writer.h"
#include "memory.h"
#include "recovery.h"
#include "retention.h"

#define FOLDER               "stream"
#define LOCK_NAME            "LOCK"
#define FOLDER_MODE          0700
#define LOCK_MODE            0600
#define TAIL_BATCHES_DEFAULT 16
#define SEGMENT_BYTES_LEAST  4096
#define RETENTION_FRACTION   4 /* so many segments at least make up retention_size */

static const char *const compressions[] = {
    [MR_CODEC_NONE] = "none", [MR_CODEC_LZ4] = "lz4", [MR_CODEC_ZSTD] = "zstd", NULL};

static const struct mr_option stream_log_options[] = {
    {
        .name = "retention",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct mr_stream_log_config, retention_ms),
        .fallback = "7d",
        .help = "how long changes are kept once every sink has committed them",
    },
    {
        .name = "retention_size",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_stream_log_config, retention_bytes),
        .fallback = "20GiB",
        .min = 65536,
        .help = "how much is kept of each source; intake waits when a sink holds more back",
    },
    {
        .name = "retention_force",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct mr_stream_log_config, retention_force),
        .fallback = "false",
        .help = "delete what retention says even before every sink has committed it",
    },
    {
        .name = "compression",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_stream_log_config, compression),
        .fallback = "lz4",
        .choices = compressions,
        .help = "of what is written: lz4 is fast, zstd smaller",
    },
    {
        .name = "segment_size",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_stream_log_config, segment_bytes_max),
        .fallback = "64MiB",
        .min = 65536,
        .max = UINT64_C(1) << 40,
        .help = "size of one file; retention deletes whole files",
    },
    {0},
};

bool mr_log_state_corrupt(const struct mr_stream *stream, uint64_t first_sequence,
                          uint64_t first_frame, int64_t offset, const char *what,
                          struct mr_error *err)
{
    char name[MR_SEGMENT_NAME_SIZE];
    mr_segment_name(first_sequence, first_frame, name);
    return mr_fail(err, MR_E_CORRUPT, MR_STOP,
                   "\"" FOLDER "/%s/%s\" is damaged at offset %lld: %s; " MR_SEGMENT_CURE,
                   stream->source, name, (long long)offset, what);
}

/* Opens a folder, making it first if need be; the name is durable when this returns. */
static int open_folder(const struct mr_env *env, int parent_fd, const char *name,
                       struct mr_error *err)
{
    if (env->make_dir(env, parent_fd, name, FOLDER_MODE) != 0 && errno != EEXIST) {
        (void)mr_fail_errno(err, "create directory \"%s\"", name);
        return -1;
    }
    const int fd = env->open_dir(env, parent_fd, name);
    if (fd < 0) {
        (void)mr_fail_errno(err, "open directory \"%s\"", name);
        return -1;
    }
    if (env->fsync(env, parent_fd) != 0) {
        (void)mr_fail_errno(err, "fsync the directory of \"%s\"", name);
        (void)env->close(env, fd);
        return -1;
    }
    return fd;
}

static bool open_directory(struct mr_stream *stream, int data_dir_fd, struct mr_error *err)
{
    const struct mr_env *env = stream->env;
    const int folder_fd = open_folder(env, data_dir_fd, FOLDER, err);
    if (folder_fd < 0) {
        return false;
    }
    stream->dir_fd = open_folder(env, folder_fd, stream->source, err);
    (void)env->close(env, folder_fd);
    return stream->dir_fd >= 0;
}

static bool take_lock(struct mr_stream *stream, struct mr_error *err)
{
    const struct mr_env *env = stream->env;
    stream->lock_fd = env->open(env, stream->dir_fd, LOCK_NAME, O_RDWR | O_CREAT, LOCK_MODE);
    if (stream->lock_fd < 0) {
        return mr_fail_errno(err, "open \"" LOCK_NAME "\"");
    }
    if (env->lock(env, stream->lock_fd) == 0) {
        return true;
    }
    if (errno != EWOULDBLOCK) {
        return mr_fail_errno(err, "lock \"" LOCK_NAME "\"");
    }
    return mr_fail(err, MR_E_LOCKED, MR_STOP,
                   "\"" FOLDER "/%s\" is in use by another process; stop that one, or give this "
                   "one a data_dir of its own",
                   stream->source);
}

static void init_lock(struct mr_stream *stream)
{
    pthread_condattr_t attributes;
    int failed = pthread_mutex_init(&stream->lock, NULL);
    failed |= pthread_condattr_init(&attributes);
    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(&stream->moved, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    MR_ASSERT(failed == 0);
}

/* A segment is never more than a part of what may be kept: only whole ones are deleted. */
static int64_t segment_bytes_max(const struct mr_stream_log_config *config)
{
    const uint64_t part = config->retention_bytes / RETENTION_FRACTION;
    uint64_t size = config->segment_bytes_max < part ? config->segment_bytes_max : part;
    size = size < SEGMENT_BYTES_LEAST ? SEGMENT_BYTES_LEAST : size;
    MR_ASSERT(size <= INT64_MAX / 2);
    return (int64_t)size;
}

static struct mr_stream *new_stream(const struct mr_stream_context *context)
{
    const struct mr_stream_log_config *config = context->config;
    MR_ASSERT(config->compression <= MR_CODEC_ZSTD);
    MR_ASSERT(context->batch_bytes_max > 0);
    struct mr_stream *stream = mr_memory_new(1, sizeof(*stream));
    stream->env = context->env;
    stream->catalog = context->catalog;
    stream->config = *config;
    stream->source = mr_memory_copy_text(context->source, strlen(context->source));
    stream->source_index = context->source_index;
    stream->batch_bytes_max = context->batch_bytes_max;
    stream->segment_bytes_max = segment_bytes_max(config);
    stream->dir_fd = -1;
    stream->lock_fd = -1;
    stream->active.fd = -1;
    stream->place = (struct mr_place){.number = 1, .sequence = 1};
    stream->index.spacing = stream->segment_bytes_max / MR_INDEX_ENTRIES_MAX + MR_FRAME_ALIGN;
    init_lock(stream);
    mr_encoder_init(&stream->main, (enum mr_frame_codec)config->compression);
    mr_encoder_init(&stream->side, (enum mr_frame_codec)config->compression);
    return stream;
}

static void free_stream(struct mr_stream *stream)
{
    const struct mr_env *env = stream->env;
    MR_ASSERT(stream->readers == NULL);
    mr_segment_close(&stream->active);
    if (stream->lock_fd >= 0) {
        (void)env->close(env, stream->lock_fd);
    }
    if (stream->dir_fd >= 0) {
        (void)env->close(env, stream->dir_fd);
    }
    mr_tail_done(&stream->tail);
    mr_index_done(&stream->index);
    mr_schemas_done(&stream->schemas);
    mr_encoder_done(&stream->main);
    mr_encoder_done(&stream->side);
    mr_position_done(&stream->appended);
    mr_position_done(&stream->durable);
    int failed = pthread_cond_destroy(&stream->moved);
    failed |= pthread_mutex_destroy(&stream->lock);
    MR_ASSERT(failed == 0);
    free(stream->source);
    free(stream);
}

/* Recovers, or begins the first segment; drops a transaction that will not be continued. */
static bool start(struct mr_stream *stream, const struct mr_stream_context *context,
                  struct mr_error *err)
{
    if (!mr_recovery_run(stream, context->catalog, err)) {
        return false;
    }
    const bool is_new = stream->active.fd < 0;
    mr_tail_init(&stream->tail,
                 context->tail_batches_max > 0 ? context->tail_batches_max : TAIL_BATCHES_DEFAULT,
                 context->tail_bytes_max, stream->place.number);
    if (is_new) {
        return mr_log_writer_roll(stream, err);
    }
    stream->synced = stream->place.number; /* recovery has synced the segment */
    if (stream->place.inside && !mr_log_writer_abort(stream, err)) {
        return mr_error_context(err, "drop an unfinished transaction");
    }
    if (!mr_log_writer_sync(stream, err)) {
        return false;
    }
    mr_log_writer_settle(stream);
    return true;
}

static bool check_name(const char *source, struct mr_error *err)
{
    if (source[0] != '\0' && source[0] != '.' && strchr(source, '/') == NULL) {
        return true;
    }
    return mr_fail(err, MR_E_CONFIG, MR_STOP,
                   "source name \"%s\" cannot name a directory; use letters, digits, - and _",
                   source);
}

static struct mr_stream *stream_log_open(const struct mr_stream_context *context,
                                         struct mr_error *err)
{
    if (!check_name(context->source, err)) {
        return NULL;
    }
    struct mr_stream *stream = new_stream(context);
    if (!open_directory(stream, context->data_dir_fd, err) || !take_lock(stream, err) ||
        !start(stream, context, err)) {
        (void)mr_error_context(err, "stream \"%s\"", context->source);
        free_stream(stream);
        return NULL;
    }
    MR_ASSERT(!stream->place.inside && stream->synced == stream->place.number);
    return stream;
}

static void stream_log_close(struct mr_stream *stream)
{
    struct mr_error err = {0};
    if (stream == NULL) {
        return;
    }
    /* Best effort: what was reported as durable is. This only tells torn from damaged later. */
    const bool is_closed = !stream->is_poisoned && mr_log_writer_sync(stream, &err) &&
                           mr_log_writer_prove(stream, &err) && mr_log_writer_sync(stream, &err);
    (void)is_closed;
    free_stream(stream);
}

static const struct mr_position *stream_log_position(struct mr_stream *stream)
{
    return &stream->durable;
}

static bool in_context(const struct mr_stream *stream, bool succeeded, struct mr_error *err)
{
    return succeeded || mr_error_context(err, "stream \"%s\"", stream->source);
}

static bool stream_log_append(struct mr_stream *stream, struct mr_batch *batch,
                              struct mr_error *err)
{
    return in_context(stream, mr_log_writer_append(stream, batch, err), err);
}

static bool stream_log_abort(struct mr_stream *stream, struct mr_error *err)
{
    return in_context(stream, mr_log_writer_abort(stream, err), err);
}

static bool stream_log_sync(struct mr_stream *stream, struct mr_error *err)
{
    return in_context(stream, mr_log_writer_sync(stream, err), err);
}

static void stream_log_release(struct mr_stream *stream, uint32_t sink, uint64_t sequence)
{
    MR_ASSERT(sink < MR_STREAM_SINKS_MAX);
    mr_log_state_lock(stream);
    stream->is_registered[sink] = true;
    stream->released[sink] = sequence;
    mr_log_state_unlock(stream);
}

static bool stream_log_expire(struct mr_stream *stream, struct mr_error *err)
{
    /* Nothing was appended since the last call: the stream is idle. */
    const bool is_idle = stream->expire_frame == stream->place.number;
    bool expired = mr_retention_expire(stream, err);
    if (expired && is_idle) {
        expired = mr_log_writer_prove(stream, err);
    }
    stream->expire_frame = stream->place.number;
    return in_context(stream, expired, err);
}

static void stream_log_observe(struct mr_stream *stream, struct mr_stream_observation *observation)
{
    mr_log_state_lock(stream);
    const uint64_t last_sequence = stream->durable_sequence - 1;
    const uint64_t released = mr_retention_released(stream);
    MR_ASSERT(stream->durable_sequence > 0 && stream->index.count > 0);
    *observation = (struct mr_stream_observation){
        .first_sequence = mr_index_first_sequence(&stream->index),
        .last_sequence = last_sequence,
        .size_bytes = (uint64_t)stream->index.size,
        .segment_count = stream->index.count,
        .written_bytes = stream->written_bytes,
        .sync_count = stream->sync_count,
        .released_sequence = released < last_sequence ? released : last_sequence,
        .intake_paused = stream->intake_paused,
        .cut_bytes = stream->cut_bytes,
    };
    mr_log_state_unlock(stream);
}

static struct mr_stream_reader *
stream_log_reader_open(struct mr_stream *stream, uint64_t first_sequence, struct mr_error *err)
{
    struct mr_stream_reader *reader = mr_log_reader_open(stream, first_sequence, err);
    (void)in_context(stream, reader != NULL, err);
    return reader;
}

static struct mr_batch *stream_log_reader_next(struct mr_stream_reader *reader, uint32_t wait_ms,
                                               struct mr_error *err)
{
    return mr_log_reader_next(reader, wait_ms, err);
}

static void stream_log_reader_close(struct mr_stream_reader *reader)
{
    mr_log_reader_close(reader);
}

static bool stream_log_find_time(struct mr_stream *stream, int64_t commit_us, uint64_t *sequence,
                                 struct mr_error *err)
{
    return in_context(stream, mr_log_reader_find_time(stream, commit_us, sequence, err), err);
}

const struct mr_stream_ops mr_stream_log = {
    .name = "log",
    .summary = "embedded segment log in data_dir",
    .options = stream_log_options,
    .config_size = sizeof(struct mr_stream_log_config),
    .open = stream_log_open,
    .close = stream_log_close,
    .position = stream_log_position,
    .append = stream_log_append,
    .abort = stream_log_abort,
    .sync = stream_log_sync,
    .reader_open = stream_log_reader_open,
    .reader_next = stream_log_reader_next,
    .reader_close = stream_log_reader_close,
    .release = stream_log_release,
    .expire = stream_log_expire,
    .observe = stream_log_observe,
    .find_time = stream_log_find_time,
};
