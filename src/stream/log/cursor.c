// SPDX-License-Identifier: MIT
/*
 * cursor.c - from frame to frame.
 *
 * Finding a frame by its number: the index gives the segment and an entry before the frame; from
 * there the headers are followed. Continuity is checked from the first frame on that the cursor
 * sees: numbers always; sequences and open transactions as soon as one frame has told them.
 *
 * Invariants:
 *   - offset lies within the open segment, at the frame place.number;
 *   - scan.limit covers durable frames only, so that what is read never changes.
 */
#include "cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

/* What the index knows of where a frame is. */
struct lookup {
    uint64_t first_sequence;
    uint64_t first_frame;
    struct mr_index_entry entry; /* number 0: the segment's first frame */
    int64_t limit;
};

void mr_cursor_init(struct mr_cursor *cursor, struct mr_stream *stream, uint64_t number)
{
    MR_ASSERT(number > 0);
    *cursor =
        (struct mr_cursor){.stream = stream, .segment = {.fd = -1}, .place = {.number = number}};
}

void mr_cursor_done(struct mr_cursor *cursor)
{
    mr_segment_close(&cursor->segment);
    mr_scan_done(&cursor->scan);
}

void mr_cursor_seek(struct mr_cursor *cursor, uint64_t number)
{
    MR_ASSERT(number > 0);
    if (cursor->place.number == number) {
        return;
    }
    mr_segment_close(&cursor->segment);
    cursor->place = (struct mr_place){.number = number};
    cursor->knows_inside = false;
}

bool mr_cursor_corrupt(const struct mr_cursor *cursor, const char *what, struct mr_error *err)
{
    const struct mr_segment_header *header = &cursor->segment.header;
    return mr_log_state_corrupt(cursor->stream, header->first_sequence, header->first_frame,
                                cursor->offset, what, err);
}

static bool fail_deleted(const struct mr_cursor *cursor, struct mr_error *err)
{
    return mr_fail(err, MR_E_LOST, MR_STOP,
                   "stream \"%s\": frame %" PRIu64 " was deleted by retention before it was read; "
                   "have the tables copied anew, or raise retention_size",
                   cursor->stream->source, cursor->place.number);
}

static bool look_up(struct mr_cursor *cursor, struct lookup *found)
{
    struct mr_stream *stream = cursor->stream;
    mr_log_state_lock(stream);
    MR_ASSERT(cursor->place.number <= stream->durable_frame);
    const struct mr_index_segment *segment =
        mr_index_by_frame(&stream->index, cursor->place.number);
    if (segment != NULL) {
        const bool is_last = segment == &stream->index.segments[stream->index.count - 1];
        *found = (struct lookup){
            .first_sequence = segment->first_sequence,
            .first_frame = segment->first_frame,
            .limit = is_last ? stream->durable_end : segment->size,
        };
        if (segment->entry_count > 0) {
            found->entry = *mr_index_entry_by_frame(segment, cursor->place.number);
        }
    }
    mr_log_state_unlock(stream);
    return segment != NULL;
}

/* Opens the segment of a lookup. An open transaction must agree with the one before. */
static bool open_segment(struct mr_cursor *cursor, const struct lookup *found, struct mr_error *err)
{
    char name[MR_SEGMENT_NAME_SIZE];
    struct mr_segment segment = {.fd = -1};
    mr_segment_name(found->first_sequence, found->first_frame, name);
    if (!mr_segment_open(&segment, cursor->stream->env, cursor->stream->dir_fd, name, O_RDONLY,
                         err)) {
        struct lookup again;
        const bool is_gone = err->sys_errno == ENOENT &&
                             (!look_up(cursor, &again) || again.first_frame != found->first_frame);
        return is_gone ? fail_deleted(cursor, err) : false;
    }
    const struct mr_place before = cursor->place;
    const bool has_come = cursor->segment.fd >= 0; /* from the segment before, not by a seek */
    mr_segment_close(&cursor->segment);
    cursor->segment = segment;
    cursor->offset = MR_SEGMENT_HEADER_SIZE;
    mr_scan_begin(&cursor->scan, cursor->stream->env, segment.fd, segment.header.salt,
                  found->limit);
    if (has_come && cursor->knows_inside &&
        (before.sequence != segment.header.first_sequence ||
         before.inside != segment.header.inside || before.number != segment.header.first_frame)) {
        return mr_cursor_corrupt(cursor, "the segment does not continue the one before it", err);
    }
    cursor->place = (struct mr_place){.number = segment.header.first_frame,
                                      .sequence = segment.header.first_sequence,
                                      .inside = segment.header.inside};
    cursor->knows_inside = true;
    return true;
}

/* Takes up the frame's word for what the cursor does not know, then checks the frame against it. */
static bool follow(struct mr_cursor *cursor, const struct mr_frame *frame, struct mr_place *place)
{
    struct mr_place next = cursor->place;
    if (!cursor->knows_inside) {
        next.sequence = frame->first_sequence;
        next.inside = frame->kind == MR_FRAME_ABORT || (frame->flags & MR_FRAME_CONTINUES) != 0;
    }
    if (next.sequence == 0 || !mr_place_follow(&next, frame)) {
        return false;
    }
    *place = next;
    return true;
}

static bool read_frame(struct mr_cursor *cursor, struct mr_frame *frame, struct mr_error *err)
{
    enum mr_frame_look look = MR_FRAME_IS_NOT;
    struct mr_place place;
    if (!mr_scan_frame(&cursor->scan, cursor->offset, frame, &look, err)) {
        return err->code == MR_E_CORRUPT ? mr_cursor_corrupt(cursor, err->message, err) : false;
    }
    switch (look) {
    case MR_FRAME_IS_VALID:
        if (follow(cursor, frame, &place)) {
            return true;
        }
        return mr_cursor_corrupt(cursor, "the frame does not follow the one before it", err);
    case MR_FRAME_IS_NOT:
        return mr_cursor_corrupt(cursor, "the frame is damaged", err);
    case MR_FRAME_IS_UNKNOWN:
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "a frame at offset %lld is of a kind that this program does not know; run "
                       "the version that wrote it, or a later one",
                       (long long)cursor->offset);
    }
    return false;
}

void mr_cursor_advance(struct mr_cursor *cursor, const struct mr_frame *frame)
{
    struct mr_place place = {0};
    const bool follows = follow(cursor, frame, &place);
    MR_ASSERT(follows); /* it was peeked at */
    cursor->knows_inside =
        cursor->knows_inside || frame->kind == MR_FRAME_BATCH || frame->kind == MR_FRAME_ABORT;
    cursor->place = place;
    cursor->offset += (int64_t)mr_frame_size(frame);
}

/* Follows headers from the segment's start, or from an index entry, up to frame `number`. */
static bool walk_to(struct mr_cursor *cursor, const struct mr_index_entry *entry, uint64_t number,
                    struct mr_error *err)
{
    if (entry->number > cursor->place.number) {
        MR_ASSERT(entry->number <= number && entry->offset >= cursor->offset);
        cursor->place = (struct mr_place){.number = entry->number};
        cursor->knows_inside = false;
        cursor->offset = entry->offset;
    }
    while (cursor->place.number < number) {
        struct mr_frame frame = {0};
        if (!read_frame(cursor, &frame, err)) {
            return false;
        }
        mr_cursor_advance(cursor, &frame);
    }
    MR_ASSERT(cursor->place.number == number);
    return true;
}

/* Makes sure that the next frame is in the open segment, below the scan's limit. */
static bool find_place(struct mr_cursor *cursor, struct mr_error *err)
{
    const uint64_t number = cursor->place.number;
    struct lookup found = {0};
    if (cursor->segment.fd >= 0 && cursor->offset < cursor->scan.limit) {
        return true;
    }
    if (!look_up(cursor, &found)) {
        return fail_deleted(cursor, err);
    }
    if (cursor->segment.fd >= 0 && cursor->segment.header.first_frame == found.first_frame) {
        MR_ASSERT(found.limit >= cursor->scan.limit);
        cursor->scan.limit = found.limit;
        return cursor->offset < found.limit ||
               mr_cursor_corrupt(cursor, "the segment ends before its last frame", err);
    }
    if (!open_segment(cursor, &found, err)) {
        return false;
    }
    return walk_to(cursor, &found.entry, number, err);
}

enum mr_cursor_step mr_cursor_peek(struct mr_cursor *cursor, uint64_t end, struct mr_frame *frame,
                                   struct mr_error *err)
{
    if (cursor->place.number >= end) {
        return MR_CURSOR_END;
    }
    const uint64_t number = cursor->place.number;
    if (!find_place(cursor, err)) {
        /* It starts anew the next time: an error may pass (no descriptors left). */
        mr_segment_close(&cursor->segment);
        cursor->place = (struct mr_place){.number = number};
        cursor->knows_inside = false;
        return MR_CURSOR_ERROR;
    }
    MR_ASSERT(cursor->place.number == number);
    return read_frame(cursor, frame, err) ? MR_CURSOR_FRAME : MR_CURSOR_ERROR;
}

bool mr_cursor_payload(struct mr_cursor *cursor, const struct mr_frame *frame,
                       struct mr_slice *payload, struct mr_error *err)
{
    const uint8_t *bytes = NULL;
    MR_ASSERT(frame->number == cursor->place.number);
    if (!mr_scan_payload(&cursor->scan, cursor->offset, frame, &bytes, err)) {
        return err->code == MR_E_CORRUPT ? mr_cursor_corrupt(cursor, err->message, err) : false;
    }
    if (bytes == NULL) {
        return mr_cursor_corrupt(cursor, "the frame's payload fails its checksum", err);
    }
    *payload = (struct mr_slice){bytes, frame->stored_size};
    return true;
}
