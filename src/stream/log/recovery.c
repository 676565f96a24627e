// SPDX-License-Identifier: MIT
/*
 * recovery.c - from the files of a log to a stream that can go on.
 *
 * TORN TAIL OR DAMAGE? After a crash, whatever was written since the last sync may be there in any
 * part and order: an invalid frame may well be followed by valid ones. So it is not judged by its
 * neighbours but by what they say: every frame records up to which number all frames were durable
 * when it was written. If any frame behind the invalid one says that the
 * invalid one's number was durable, it was not torn, it was damaged later: that is an error, never
 * a cut. Otherwise nothing at or behind it was ever reported as durable, and it is cut off. (When a
 * stream has been idle for a moment, and when it is closed, a frame is written that says so of all
 * before it.)
 *
 * WHY THE LAST FRAMES ARE WRITTEN AGAIN. If the process before this one saw a sync fail, pages of
 * theirs may be in the cache, marked clean, and not on the disk; another sync would report success.
 * Frames of which no later frame says that they are durable are few; writing them once more makes
 * the next sync mean what it says.
 *
 * INVARIANTS
 *   - a segment that is not the newest is never changed, and verified only when it is read;
 *   - what readers will be shown is durable before this returns.
 */
#include "recovery.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "memory.h"
#include "scan.h"

#define SEGMENTS_MAX  (UINT32_C(1) << 20)
#define REWRITE_BYTES 65536

struct found_segment {
    uint64_t first_sequence;
    uint64_t first_frame;
};

struct listing {
    struct found_segment *segments;
    uint32_t count;
    uint32_t capacity;
    bool has_temporary;
    bool is_full;
};

/* The walk over the newest segment. */
struct walk {
    struct mr_stream *stream;
    struct mr_catalog *catalog;
    struct mr_scan scan;
    struct mr_codec codec;
    struct mr_place place;
    int64_t offset;          /* behind the last valid frame */
    uint64_t proven;         /* frames below it are durable: a later one says so */
    int64_t position_offset; /* of the last frame with a position; 0: none */
    bool is_proven;          /* the last frame was written to say so of all before it */
};

static bool list_entry(void *context, const char *name)
{
    struct listing *listing = context;
    struct found_segment found;
    listing->has_temporary = listing->has_temporary || strcmp(name, MR_SEGMENT_TEMPORARY) == 0;
    if (!mr_segment_parse_name(name, &found.first_sequence, &found.first_frame)) {
        return true;
    }
    if (listing->count == SEGMENTS_MAX) {
        listing->is_full = true;
        return false;
    }
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
        listing->segments =
            mr_memory_resize(listing->segments, listing->capacity, sizeof(*listing->segments));
    }
    listing->segments[listing->count++] = found;
    return true;
}

static int compare_segments(const void *left, const void *right)
{
    const struct found_segment *a = left;
    const struct found_segment *b = right;
    if (a->first_frame != b->first_frame) {
        return a->first_frame < b->first_frame ? -1 : 1;
    }
    return a->first_sequence < b->first_sequence ? -1 : a->first_sequence > b->first_sequence;
}

static bool list_segments(struct mr_stream *stream, struct listing *listing, struct mr_error *err)
{
    const struct mr_env *env = stream->env;
    if (env->list_dir(env, stream->dir_fd, list_entry, listing) != 0) {
        return mr_fail_errno(err, "list the segments");
    }
    if (listing->is_full) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "the directory holds more than %u segments",
                       SEGMENTS_MAX);
    }
    /* A segment that was not finished when the process died: nothing in it was ever durable. */
    if (listing->has_temporary && env->unlink(env, stream->dir_fd, MR_SEGMENT_TEMPORARY) != 0) {
        return mr_fail_errno(err, "delete \"%s\"", MR_SEGMENT_TEMPORARY);
    }
    if (listing->count > 1) {
        qsort(listing->segments, listing->count, sizeof(*listing->segments), compare_segments);
    }
    return true;
}

/* Whether a segment's header may come behind the one before it. */
static bool check_chain(const struct mr_segment_header *before,
                        const struct mr_segment_header *header, struct mr_error *err)
{
    char name[MR_SEGMENT_NAME_SIZE];
    MR_ASSERT(before->first_frame > 0);
    if (header->previous_frame == before->first_frame &&
        header->first_frame > before->first_frame &&
        header->first_sequence >= before->first_sequence) {
        return true;
    }
    mr_segment_name(header->first_sequence, header->first_frame, name);
    return mr_fail(err, MR_E_CORRUPT, MR_STOP,
                   "segment \"%s\" does not follow the one before it: the segment that begins with "
                   "frame %" PRIu64 " is missing; " MR_SEGMENT_CURE,
                   name, header->previous_frame);
}

/* Looks at the headers in order. The newest is left open in stream->active. */
static bool open_segments(struct mr_stream *stream, const struct listing *listing,
                          struct mr_error *err)
{
    struct mr_segment_header before = {0};
    for (uint32_t i = 0; i < listing->count; i++) {
        const bool is_newest = i + 1 == listing->count;
        struct mr_segment segment = {.fd = -1};
        char name[MR_SEGMENT_NAME_SIZE];
        mr_segment_name(listing->segments[i].first_sequence, listing->segments[i].first_frame,
                        name);
        if (!mr_segment_open(&segment, stream->env, stream->dir_fd, name,
                             is_newest ? O_RDWR : O_RDONLY, err)) {
            return false;
        }
        if (i > 0 && !check_chain(&before, &segment.header, err)) {
            mr_segment_close(&segment);
            return false;
        }
        before = segment.header;
        mr_index_add(&stream->index, &segment.header,
                     is_newest ? MR_SEGMENT_HEADER_SIZE : segment.allocated);
        if (is_newest) {
            stream->active = segment;
        } else {
            mr_segment_close(&segment);
        }
    }
    return true;
}

static bool fail_at(const struct walk *walk, int64_t offset, const char *what, struct mr_error *err)
{
    const struct mr_segment_header *header = &walk->stream->active.header;
    return mr_log_state_corrupt(walk->stream, header->first_sequence, header->first_frame, offset,
                                what, err);
}

/* The body of a frame whose payload was checked, in memory that the caller frees. */
static uint8_t *unpack(struct walk *walk, const struct mr_frame *frame, const uint8_t *payload,
                       struct mr_error *err)
{
    uint8_t *body = mr_memory_new((size_t)frame->raw_size + 1, 1);
    const struct mr_slice stored = {payload, frame->stored_size};
    if (!mr_codec_decompress(&walk->codec, (enum mr_frame_codec)frame->codec, stored, body,
                             frame->raw_size, err)) {
        free(body);
        return NULL;
    }
    return body;
}

static bool restore_schemas(struct walk *walk, const struct mr_frame *frame, const uint8_t *payload,
                            struct mr_error *err)
{
    uint8_t *body = unpack(walk, frame, payload, err);
    if (body == NULL) {
        return false;
    }
    const struct mr_slice slice = {body, frame->raw_size};
    const bool restored = mr_schemas_restore(&walk->stream->schemas, slice, walk->catalog, err);
    free(body);
    return restored;
}

/* One frame; *valid false where the valid ones end. */
static bool walk_frame(struct walk *walk, bool *valid, struct mr_error *err)
{
    struct mr_frame frame = {0};
    enum mr_frame_look look = MR_FRAME_IS_NOT;
    const uint8_t *payload = NULL;
    struct mr_place place = walk->place;
    *valid = false;
    if (!mr_scan_frame(&walk->scan, walk->offset, &frame, &look, err)) {
        return false;
    }
    if (look == MR_FRAME_IS_UNKNOWN) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "a frame at offset %lld is of a kind that this program does not know; run "
                       "the version that wrote it, or a later one",
                       (long long)walk->offset);
    }
    if (look == MR_FRAME_IS_NOT || !mr_place_follow(&place, &frame)) {
        return true;
    }
    if (!mr_scan_payload(&walk->scan, walk->offset, &frame, &payload, err)) {
        return false;
    }
    if (payload == NULL) {
        return true;
    }
    if (frame.kind == MR_FRAME_SCHEMA && !restore_schemas(walk, &frame, payload, err)) {
        return fail_at(walk, walk->offset, err->message, err);
    }
    if ((frame.flags & MR_FRAME_POSITION) != 0) {
        walk->position_offset = walk->offset;
    }
    mr_index_append(&walk->stream->index, &frame, walk->offset);
    MR_ASSERT(frame.synced <= frame.number && frame.number + 1 == place.number);
    walk->proven = frame.synced > walk->proven ? frame.synced : walk->proven;
    walk->place = place;
    walk->offset += (int64_t)mr_frame_size(&frame);
    walk->is_proven = frame.kind == MR_FRAME_STATE && walk->proven >= frame.number;
    const struct mr_segment_header *header = &walk->stream->active.header;
    if (frame.number < header->first_frame + header->start_count) {
        walk->stream->active_start = walk->offset;
    }
    *valid = true;
    return true;
}

/*
 * Looks through what lies behind the valid frames; *used_end is where the last of it that is not
 * zero ends (walk->offset when all is). Fails if something says that frame number place.number was
 * durable.
 */
static bool search_rest(struct walk *walk, int64_t *used_end, struct mr_error *err)
{
    struct mr_scan *scan = &walk->scan;
    MR_ASSERT(walk->offset % MR_FRAME_ALIGN == 0);
    *used_end = walk->offset;
    if (walk->place.number < walk->proven) {
        return fail_at(walk, walk->offset, "a frame with which the segment began is damaged", err);
    }
    for (int64_t at = walk->offset; at < scan->limit; at += MR_FRAME_ALIGN) {
        const uint8_t *bytes = NULL;
        const int64_t left = scan->limit - at;
        const size_t look_size = left < MR_FRAME_HEADER_SIZE ? (size_t)left : MR_FRAME_HEADER_SIZE;
        if (!mr_scan_bytes(scan, at, look_size, &bytes, err)) {
            return false;
        }
        uint64_t word = 0;
        memcpy(&word, bytes, look_size < sizeof(word) ? look_size : sizeof(word));
        if (word == 0) {
            continue;
        }
        *used_end = at + (left < MR_FRAME_ALIGN ? left : MR_FRAME_ALIGN);
        struct mr_frame frame = {0};
        if (look_size == MR_FRAME_HEADER_SIZE &&
            mr_frame_read(bytes, scan->salt, at, &frame) != MR_FRAME_IS_NOT &&
            frame.synced > walk->place.number) {
            return fail_at(walk, walk->offset,
                           "the frame was written and synced, and is damaged now", err);
        }
    }
    return true;
}

/* Where the first frame lies that no later one calls durable. */
static bool find_unproven(struct walk *walk, int64_t *offset, struct mr_error *err)
{
    int64_t at = MR_SEGMENT_HEADER_SIZE;
    while (at < walk->offset) {
        struct mr_frame frame = {0};
        enum mr_frame_look look = MR_FRAME_IS_NOT;
        if (!mr_scan_frame(&walk->scan, at, &frame, &look, err)) {
            return false;
        }
        if (look != MR_FRAME_IS_VALID) {
            return fail_at(walk, at, "the frame changed while it was read", err);
        }
        if (frame.number >= walk->proven) {
            break;
        }
        at += (int64_t)mr_frame_size(&frame);
    }
    MR_ASSERT(at <= walk->offset);
    *offset = at;
    return true;
}

/* See the head of this file. */
static bool rewrite_unproven(struct walk *walk, struct mr_error *err)
{
    const struct mr_segment *active = &walk->stream->active;
    int64_t at = 0;
    if (!find_unproven(walk, &at, err)) {
        return false;
    }
    while (at < walk->offset) {
        const uint8_t *bytes = NULL;
        const int64_t left = walk->offset - at;
        const size_t size = left < REWRITE_BYTES ? (size_t)left : REWRITE_BYTES;
        if (!mr_scan_bytes(&walk->scan, at, size, &bytes, err) ||
            !mr_env_write_fully(active->env, active->fd, bytes, size, at, err)) {
            return false;
        }
        at += (int64_t)size;
    }
    MR_ASSERT(at == walk->offset);
    return true;
}

/* Cuts what is behind the valid frames, and makes what is left durable. */
static bool settle_segment(struct walk *walk, struct mr_error *err)
{
    struct mr_stream *stream = walk->stream;
    struct mr_segment *active = &stream->active;
    const struct mr_env *env = stream->env;
    int64_t used_end = 0;
    if (!search_rest(walk, &used_end, err) || !rewrite_unproven(walk, err)) {
        return false;
    }
    MR_ASSERT(used_end >= walk->offset && walk->offset >= MR_SEGMENT_HEADER_SIZE);
    active->end = walk->offset;
    if (used_end > active->end) {
        if (env->truncate(env, active->fd, active->end) != 0) {
            return mr_fail_errno(err, "cut the torn tail at offset %lld", (long long)active->end);
        }
        stream->cut_bytes = (uint64_t)(used_end - active->end);
        active->allocated = active->end;
    }
    active->step = mr_log_state_step(stream);
    if (env->fsync(env, active->fd) != 0) {
        return mr_fail_errno(err, "fsync the newest segment");
    }
    if (env->fsync(env, stream->dir_fd) != 0) {
        return mr_fail_errno(err, "fsync the directory of the segments");
    }
    return true;
}

static bool read_position(struct walk *walk, struct mr_error *err)
{
    struct mr_frame frame = {0};
    enum mr_frame_look look = MR_FRAME_IS_NOT;
    const uint8_t *payload = NULL;
    struct mr_stream *stream = walk->stream;
    if (walk->position_offset == 0) {
        return true;
    }
    if (!mr_scan_frame(&walk->scan, walk->position_offset, &frame, &look, err)) {
        return false;
    }
    if (look != MR_FRAME_IS_VALID) {
        return fail_at(walk, walk->position_offset, "the frame changed while it was read", err);
    }
    if (!mr_scan_payload(&walk->scan, walk->position_offset, &frame, &payload, err)) {
        return false;
    }
    uint8_t *body = payload == NULL ? NULL : unpack(walk, &frame, payload, err);
    const struct mr_slice slice = {body, frame.raw_size};
    const bool read = body != NULL && mr_body_read_position(slice, &stream->durable, err);
    free(body);
    if (!read || !mr_position_is_set(&stream->durable)) {
        return fail_at(walk, walk->position_offset, "its position cannot be read", err);
    }
    return mr_position_set(&stream->appended, mr_slice_of(stream->durable.epoch),
                           mr_slice_of(stream->durable.text), stream->durable.native, err);
}

static bool verify_newest(struct mr_stream *stream, struct mr_catalog *catalog,
                          struct mr_error *err)
{
    const struct mr_segment *active = &stream->active;
    MR_ASSERT(active->fd >= 0 && active->end == MR_SEGMENT_HEADER_SIZE);
    struct walk walk = {
        .stream = stream,
        .catalog = catalog,
        .place = {.number = active->header.first_frame,
                  .sequence = active->header.first_sequence,
                  .inside = active->header.inside},
        .offset = MR_SEGMENT_HEADER_SIZE,
        .proven = active->header.first_frame + active->header.start_count,
    };
    bool verified = false;
    bool valid = true;
    mr_scan_begin(&walk.scan, stream->env, active->fd, active->header.salt, active->allocated);
    while (valid) {
        if (!walk_frame(&walk, &valid, err)) {
            goto out;
        }
    }
    if (!settle_segment(&walk, err) || !read_position(&walk, err)) {
        goto out;
    }
    MR_ASSERT(walk.place.number >= walk.proven && stream->active_start > 0);
    stream->place = walk.place;
    stream->is_proven = walk.is_proven;
    verified = true;

out:
    mr_scan_done(&walk.scan);
    mr_codec_done(&walk.codec);
    return verified;
}

bool mr_recovery_run(struct mr_stream *stream, struct mr_catalog *catalog, struct mr_error *err)
{
    struct listing listing = {0};
    bool recovered = false;
    MR_ASSERT(stream->active.fd < 0 && stream->index.count == 0);
    MR_ASSERT(stream->schemas.used == 0);
    if (!list_segments(stream, &listing, err) || !open_segments(stream, &listing, err)) {
        goto out;
    }
    recovered = listing.count == 0 || verify_newest(stream, catalog, err);

out:
    free(listing.segments);
    return recovered;
}
