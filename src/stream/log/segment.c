// SPDX-License-Identifier: MIT
/*
 * segment.c - one append-only file of the stream log.
 *
 * Why files of bounded size: retention deletes whole segments, so space comes back without
 * rewriting anything, and recovery verifies one file, not the log. Why they are preallocated: a
 * fdatasync that does not have to record a new file size costs about a third less.
 *
 * A segment is born under a temporary name, and gets its own only when its first frames are
 * durable. So a file that is called a segment has a sound header, or was damaged later.
 *
 * INVARIANTS
 *   - [MR_SEGMENT_HEADER_SIZE, end) is whole frames; what lies behind `end` is not part of the log.
 *   - append() leaves `end` where it was unless the whole frame was written.
 *
 * FAILURE
 *   - No space: what was written of the frame is cut off again, and the preallocated room with it.
 *   - A failed fsync leaves nobody knowing what is on the disk: the caller must not go on.
 */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crc32c.h"
#include "reader.h"

#define NAME_DIGITS  20
#define NAME_LENGTH  (2 * NAME_DIGITS + 5)
#define NAME_SUFFIX  ".seg"
#define SEGMENT_MODE 0600

_Static_assert(NAME_LENGTH < MR_SEGMENT_NAME_SIZE, "a name fits");

void mr_segment_name(uint64_t first_sequence, uint64_t first_frame, char name[MR_SEGMENT_NAME_SIZE])
{
    const int length =
        snprintf(name, MR_SEGMENT_NAME_SIZE, "%020" PRIu64 "-%020" PRIu64 NAME_SUFFIX,
                 first_sequence, first_frame);
    MR_ASSERT(length == NAME_LENGTH);
}

static bool parse_digits(const char *text, uint64_t *value)
{
    uint64_t found = 0;
    for (int i = 0; i < NAME_DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(found, 10, &found) ||
            __builtin_add_overflow(found, (uint64_t)(text[i] - '0'), &found)) {
            return false;
        }
    }
    *value = found;
    return found > 0;
}

bool mr_segment_parse_name(const char *name, uint64_t *first_sequence, uint64_t *first_frame)
{
    uint64_t sequence = 0;
    uint64_t frame = 0;
    if (strlen(name) != NAME_LENGTH || name[NAME_DIGITS] != '-' ||
        strcmp(name + NAME_LENGTH - strlen(NAME_SUFFIX), NAME_SUFFIX) != 0 ||
        !parse_digits(name, &sequence) || !parse_digits(name + NAME_DIGITS + 1, &frame)) {
        return false;
    }
    *first_sequence = sequence;
    *first_frame = frame;
    return true;
}

static bool read_header(const struct mr_env *env, int fd, struct mr_segment_header *header,
                        struct mr_error *err)
{
    uint8_t bytes[MR_SEGMENT_HEADER_SIZE] = {0};
    size_t count = 0;
    if (!mr_env_read_fully(env, fd, bytes, sizeof(bytes), 0, &count, err)) {
        return false;
    }
    if (count < sizeof(bytes)) {
        return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the file ends at byte %zu, within its header",
                       count);
    }
    return mr_segment_header_read(bytes, header, err);
}

bool mr_segment_open(struct mr_segment *segment, const struct mr_env *env, int dir_fd,
                     const char *name, int flags, struct mr_error *err)
{
    uint64_t first_sequence = 0;
    uint64_t first_frame = 0;
    struct mr_segment_header header = {0};
    const bool is_name = mr_segment_parse_name(name, &first_sequence, &first_frame);
    MR_ASSERT(is_name);
    const int fd = env->open(env, dir_fd, name, flags, SEGMENT_MODE);
    if (fd < 0) {
        return mr_fail_errno(err, "open segment \"%s\"", name);
    }
    const int64_t size = env->file_size(env, fd);
    if (size < 0) {
        (void)mr_fail_errno(err, "size of segment \"%s\"", name);
        goto out;
    }
    if (!read_header(env, fd, &header, err)) {
        if (err->code == MR_E_CORRUPT) {
            (void)mr_fail(err, MR_E_CORRUPT, MR_STOP,
                          "segment \"%s\" is damaged at offset 0: %s; " MR_SEGMENT_CURE, name,
                          err->message);
        } else {
            (void)mr_error_context(err, "segment \"%s\"", name);
        }
        goto out;
    }
    if (header.first_sequence != first_sequence || header.first_frame != first_frame) {
        (void)mr_fail(err, MR_E_CORRUPT, MR_STOP,
                      "segment \"%s\" begins with sequence %" PRIu64 ", frame %" PRIu64
                      "; give the file its own name back",
                      name, header.first_sequence, header.first_frame);
        goto out;
    }
    *segment = (struct mr_segment){
        .env = env,
        .dir_fd = dir_fd,
        .fd = fd,
        .header = header,
        .end = MR_SEGMENT_HEADER_SIZE,
        .allocated = size,
    };
    return true;

out:
    (void)env->close(env, fd);
    return false;
}

/* What was begun behind `end` goes away. Should even that fail, recovery cuts it. */
static void cut_back(struct mr_segment *segment)
{
    if (segment->env->truncate(segment->env, segment->fd, segment->end) == 0) {
        segment->allocated = segment->end;
    }
}

static bool allocate(struct mr_segment *segment, int64_t size)
{
    MR_ASSERT(size >= segment->allocated);
    if (size == segment->allocated) {
        return true;
    }
    if (segment->env->allocate(segment->env, segment->fd, segment->allocated,
                               size - segment->allocated) != 0) {
        return false;
    }
    segment->allocated = size;
    return true;
}

/* Room for the file to be `size` bytes long: a step more when there is space, else just that. */
static bool make_room(struct mr_segment *segment, int64_t size, struct mr_error *err)
{
    if (size <= segment->allocated || segment->step == 0) {
        return true;
    }
    const int64_t stepped = (size + segment->step - 1) / segment->step * segment->step;
    if (allocate(segment, stepped) || (errno == ENOSPC && allocate(segment, size))) {
        return true;
    }
    if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS) {
        segment->step = 0; /* this file system cannot: it goes without, only slower */
        return true;
    }
    (void)mr_fail_errno(err, "make room for %lld bytes", (long long)(size - segment->end));
    cut_back(segment);
    return false;
}

static bool write_at_end(struct mr_segment *segment, const uint8_t *bytes, size_t size,
                         struct mr_error *err)
{
    MR_ASSERT(segment->fd >= 0);
    MR_ASSERT(size > 0 && size % MR_FRAME_ALIGN == 0);
    if (!make_room(segment, segment->end + (int64_t)size, err)) {
        return false;
    }
    if (!mr_env_write_fully(segment->env, segment->fd, bytes, size, segment->end, err)) {
        cut_back(segment);
        return false;
    }
    segment->end += (int64_t)size;
    segment->allocated = segment->allocated < segment->end ? segment->end : segment->allocated;
    return true;
}

bool mr_segment_create(struct mr_segment *segment, const struct mr_env *env, int dir_fd,
                       const struct mr_segment_header *header, int64_t step, struct mr_error *err)
{
    MR_ASSERT(step >= 0);
    uint8_t bytes[MR_SEGMENT_HEADER_SIZE];
    struct mr_segment created = {.env = env, .dir_fd = dir_fd, .header = *header, .step = step};
    created.fd =
        env->open(env, dir_fd, MR_SEGMENT_TEMPORARY, O_RDWR | O_CREAT | O_TRUNC, SEGMENT_MODE);
    if (created.fd < 0) {
        return mr_fail_errno(err, "create a segment");
    }
    mr_segment_header_write(header, bytes);
    if (!write_at_end(&created, bytes, sizeof(bytes), err)) {
        mr_segment_close(&created);
        (void)env->unlink(env, dir_fd, MR_SEGMENT_TEMPORARY);
        return mr_error_context(err, "create a segment");
    }
    MR_ASSERT(created.end == MR_SEGMENT_HEADER_SIZE);
    *segment = created;
    return true;
}

bool mr_segment_publish(struct mr_segment *segment, bool *is_named, struct mr_error *err)
{
    const struct mr_env *env = segment->env;
    char name[MR_SEGMENT_NAME_SIZE];
    mr_segment_name(segment->header.first_sequence, segment->header.first_frame, name);
    *is_named = false;
    if (env->fsync(env, segment->fd) != 0) {
        (void)mr_fail_errno(err, "fsync segment \"%s\"", name);
        goto out;
    }
    *is_named = true;
    if (env->rename(env, segment->dir_fd, MR_SEGMENT_TEMPORARY, name) != 0) {
        *is_named = false;
        (void)mr_fail_errno(err, "name segment \"%s\"", name);
        goto out;
    }
    /* Until the directory is durable too, a crash may forget the file. */
    if (env->fsync(env, segment->dir_fd) != 0) {
        return mr_fail_errno(err, "fsync the directory of segment \"%s\"", name);
    }
    return true;

out:
    (void)env->unlink(env, segment->dir_fd, MR_SEGMENT_TEMPORARY);
    return false;
}

bool mr_segment_append(struct mr_segment *segment, struct mr_frame *frame, uint8_t *bytes,
                       struct mr_error *err)
{
    const size_t size = (size_t)mr_frame_size(frame);
    MR_ASSERT(segment->end >= MR_SEGMENT_HEADER_SIZE);
    MR_ASSERT(frame->number >= segment->header.first_frame);
    frame->payload_crc = mr_crc32c(0, bytes + MR_FRAME_HEADER_SIZE, size - MR_FRAME_HEADER_SIZE);
    mr_frame_write(frame, segment->header.salt, segment->end, bytes);
    return write_at_end(segment, bytes, size, err);
}

bool mr_segment_sync(struct mr_segment *segment, struct mr_error *err)
{
    MR_ASSERT(segment->fd >= 0);
    if (segment->env->fdatasync(segment->env, segment->fd) != 0) {
        return mr_fail_errno(err, "fdatasync");
    }
    return true;
}

bool mr_segment_seal(struct mr_segment *segment, struct mr_error *err)
{
    MR_ASSERT(segment->end <= segment->allocated);
    if (segment->allocated > segment->end &&
        segment->env->truncate(segment->env, segment->fd, segment->end) != 0) {
        return mr_fail_errno(err, "truncate a sealed segment");
    }
    segment->allocated = segment->end;
    if (segment->env->fsync(segment->env, segment->fd) != 0) {
        return mr_fail_errno(err, "fsync a sealed segment");
    }
    return true;
}

void mr_segment_close(struct mr_segment *segment)
{
    if (segment->env != NULL && segment->fd >= 0) {
        (void)segment->env->close(segment->env, segment->fd);
    }
    segment->fd = -1;
}
