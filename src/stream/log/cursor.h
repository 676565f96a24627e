// SPDX-License-Identifier: MIT
/*
 * cursor.h - walks over the frames of the log from one to the next, over the ends of segments, and
 * checks on the way that they follow one another.
 *
 * A cursor belongs to one thread. It takes the stream's lock for a moment when it comes to a new
 * segment or to the end of what it knew to be durable.
 */
#ifndef MR_STREAM_LOG_CURSOR_H
#define MR_STREAM_LOG_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "log_state.h"
#include "scan.h"

struct mr_cursor {
    struct mr_stream *stream;
    struct mr_scan scan;
    struct mr_segment segment; /* the one it is in; not open: it must find its place first */
    struct mr_place place;     /* of the next frame; sequence 0: not known */
    bool knows_inside;         /* place.inside is */
    int64_t offset;            /* of the next frame */
};

enum mr_cursor_step { MR_CURSOR_FRAME, MR_CURSOR_END, MR_CURSOR_ERROR };

void mr_cursor_init(struct mr_cursor *cursor, struct mr_stream *stream, uint64_t number);
void mr_cursor_done(struct mr_cursor *cursor);

/** Goes to a frame, which is found when it is needed. */
void mr_cursor_seek(struct mr_cursor *cursor, uint64_t number);

/**
 * Reads the header of the next frame; MR_CURSOR_END at frame number `end`, which is durable. Stays
 * there until mr_cursor_advance().
 *
 * Errors: MR_E_CORRUPT, MR_STOP; MR_E_LIMIT, MR_STOP when retention has deleted the segment.
 */
enum mr_cursor_step mr_cursor_peek(struct mr_cursor *cursor, uint64_t end, struct mr_frame *frame,
                                   struct mr_error *err);

/** Steps over the frame that was just peeked at. */
void mr_cursor_advance(struct mr_cursor *cursor, const struct mr_frame *frame);

/** The checked payload of the frame that was just peeked at; valid until the next call. */
bool mr_cursor_payload(struct mr_cursor *cursor, const struct mr_frame *frame,
                       struct mr_slice *payload, struct mr_error *err) MR_MUST_CHECK;

/** MR_E_CORRUPT, MR_STOP, naming where the cursor is. */
bool mr_cursor_corrupt(const struct mr_cursor *cursor, const char *what, struct mr_error *err);

#endif
