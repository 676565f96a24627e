// SPDX-License-Identifier: MIT
/*
 * log_reader.c - a reader's place in the stream, and where its next batch comes from.
 *
 * A reader knows one thing: the number of the next frame it has not seen. If the tail in memory
 * covers that frame, the batch is taken from there; if not, from the segments. The choice is made
 * anew for every batch, so a reader that fell behind joins the tail as soon as it has caught up.
 *
 * Invariants:
 *   - next <= visible_frame: a reader never sees what is not durable and decided;
 *   - what lies below the least `next` of all readers is not kept in the tail.
 */
#include "log_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log_read.h"
#include "memory.h"

struct mr_stream_reader {
    struct mr_stream *stream;
    uint64_t next; /* frame; shared: under the stream's lock */
    struct mr_log_read read;
    struct mr_stream_reader *next_reader;
};

/* Releases what every reader has seen. Under the lock. */
static void trim_tail(struct mr_stream *stream)
{
    uint64_t least = UINT64_MAX;
    for (const struct mr_stream_reader *r = stream->readers; r != NULL; r = r->next_reader) {
        least = r->next < least ? r->next : least;
    }
    mr_tail_drop_before(&stream->tail, least);
}

/* Entries for a segment that was written before this start: from its frame headers. */
static bool build_entries(struct mr_stream *stream, uint64_t first_frame, uint64_t end,
                          struct mr_index_segment *built, struct mr_error *err)
{
    struct mr_cursor cursor;
    bool is_built = false;
    mr_cursor_init(&cursor, stream, first_frame);
    for (;;) {
        struct mr_frame frame = {0};
        const enum mr_cursor_step step = mr_cursor_peek(&cursor, end, &frame, err);
        if (step != MR_CURSOR_FRAME) {
            is_built = step == MR_CURSOR_END;
            break;
        }
        mr_index_note(built, stream->index.spacing, &frame, cursor.offset);
        mr_cursor_advance(&cursor, &frame);
    }
    mr_cursor_done(&cursor);
    return is_built;
}

/* Indexes the segment that begins with a frame, if it is not yet and still there. */
static bool index_segment(struct mr_stream *stream, uint64_t first_frame, struct mr_error *err)
{
    struct mr_index_segment built = {0};
    uint64_t end = 0;
    mr_log_state_lock(stream);
    struct mr_index_segment *segment = mr_index_by_frame(&stream->index, first_frame);
    if (segment != NULL && !segment->is_indexed) {
        MR_ASSERT(segment != &stream->index.segments[stream->index.count - 1]);
        end = segment[1].first_frame;
    }
    mr_log_state_unlock(stream);
    if (end == 0) {
        return true;
    }
    if (!build_entries(stream, first_frame, end, &built, err)) {
        free(built.entries);
        return false;
    }
    MR_ASSERT(built.entry_count > 0);
    mr_log_state_lock(stream);
    segment = mr_index_by_frame(&stream->index, first_frame);
    if (segment != NULL && !segment->is_indexed) {
        segment->entries = built.entries;
        segment->entry_count = built.entry_count;
        segment->entry_capacity = built.entry_capacity;
        segment->commit_us_last = built.commit_us_last;
        segment->is_indexed = true;
        built.entries = NULL;
    }
    mr_log_state_unlock(stream);
    free(built.entries);
    return true;
}

/* Whether a sequence can be read at all; then the first frame of the segment to look in. */
static bool check_sequence(struct mr_stream *stream, uint64_t sequence, uint64_t *first_frame,
                           struct mr_error *err)
{
    mr_log_state_lock(stream);
    const uint64_t oldest = mr_index_first_sequence(&stream->index);
    const uint64_t next = stream->durable_sequence;
    *first_frame = mr_index_by_sequence(&stream->index, sequence)->first_frame;
    mr_log_state_unlock(stream);
    if (sequence > next) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "sequence %" PRIu64 " is asked for, but the stream of source \"%s\" ends at "
                       "%" PRIu64 ": its directory was replaced or damaged; restore it, or have "
                       "the source's tables copied anew",
                       sequence, stream->source, next - 1);
    }
    if (sequence < oldest && sequence < next) {
        return mr_fail(err, MR_E_LOST, MR_STOP,
                       "sequence %" PRIu64 " of source \"%s\" was deleted by retention, the oldest "
                       "is %" PRIu64 "; have the source's tables copied anew",
                       sequence, stream->source, oldest);
    }
    return true;
}

/* Whether there is nothing at or after a sequence in a frame. */
static bool is_before(const struct mr_frame *frame, uint64_t sequence)
{
    if (frame->kind != MR_FRAME_BATCH) {
        return true;
    }
    /* A position alone that comes right before the sequence is still worth to be shown. */
    return frame->transaction_count == 0
               ? frame->first_sequence < sequence
               : frame->first_sequence + frame->transaction_count <= sequence;
}

/* The first frame with something at or after a sequence, from a frame on; else the visible end. */
static bool find_frame(struct mr_stream *stream, uint64_t from, uint64_t sequence, uint64_t *found,
                       struct mr_error *err)
{
    struct mr_cursor cursor;
    bool is_found = true;
    mr_log_state_lock(stream);
    const uint64_t visible = stream->visible_frame;
    const struct mr_index_segment *segment = mr_index_by_frame(&stream->index, from);
    if (segment != NULL && segment->is_indexed && segment->entry_count > 0) {
        from = mr_index_entry_by_sequence(segment, sequence)->number;
    }
    mr_log_state_unlock(stream);
    if (from >= visible) {
        *found = visible;
        return true;
    }
    mr_cursor_init(&cursor, stream, from);
    for (;;) {
        struct mr_frame frame = {0};
        const enum mr_cursor_step step = mr_cursor_peek(&cursor, visible, &frame, err);
        if (step != MR_CURSOR_FRAME) {
            is_found = step == MR_CURSOR_END;
            break;
        }
        if (!is_before(&frame, sequence)) {
            break;
        }
        mr_cursor_advance(&cursor, &frame);
    }
    *found = cursor.place.number;
    mr_cursor_done(&cursor);
    return is_found;
}

struct mr_stream_reader *mr_log_reader_open(struct mr_stream *stream, uint64_t first_sequence,
                                            struct mr_error *err)
{
    uint64_t segment = 0;
    uint64_t number = 0;
    const uint64_t sequence = first_sequence == 0 ? 1 : first_sequence;
    if (!check_sequence(stream, sequence, &segment, err) || !index_segment(stream, segment, err) ||
        !find_frame(stream, segment, sequence, &number, err)) {
        return NULL;
    }
    struct mr_stream_reader *reader = mr_memory_new(1, sizeof(*reader));
    reader->stream = stream;
    reader->next = number;
    mr_log_read_init(&reader->read, stream, number);
    mr_log_state_lock(stream);
    MR_ASSERT(reader->next <= stream->visible_frame);
    reader->next_reader = stream->readers;
    stream->readers = reader;
    mr_log_state_unlock(stream);
    return reader;
}

/* The next batch of the tail, if the tail has it; else moves on as far as there is none. Locked. */
static struct mr_batch *take_from_tail(struct mr_stream_reader *reader)
{
    struct mr_stream *stream = reader->stream;
    const struct mr_tail_entry *entry = mr_tail_find(&stream->tail, reader->next);
    if (entry == NULL || entry->number >= stream->visible_frame) {
        reader->next = stream->visible_frame;
        return NULL;
    }
    struct mr_batch *batch = entry->batch;
    MR_ASSERT(entry->number >= reader->next);
    mr_batch_retain(batch);
    reader->next = entry->number + 1;
    trim_tail(stream);
    return batch;
}

static struct timespec deadline_in(uint32_t wait_ms)
{
    struct timespec deadline;
    const int result = clock_gettime(CLOCK_MONOTONIC, &deadline);
    MR_ASSERT(result == 0);
    const long ns = deadline.tv_nsec + (long)(wait_ms % 1000) * 1000000;
    deadline.tv_sec += (time_t)(wait_ms / 1000) + ns / 1000000000;
    deadline.tv_nsec = ns % 1000000000;
    return deadline;
}

/* Waits for something to read until the deadline. Locked before and after. */
static bool wait_for_frames(struct mr_stream_reader *reader, const struct timespec *deadline)
{
    struct mr_stream *stream = reader->stream;
    while (reader->next == stream->visible_frame) {
        const int result = pthread_cond_timedwait(&stream->moved, &stream->lock, deadline);
        MR_ASSERT(result == 0 || result == ETIMEDOUT);
        if (result == ETIMEDOUT) {
            return reader->next < stream->visible_frame;
        }
    }
    return true;
}

/* As take_from_tail(), from the segments; gives the lock up for the time that takes. */
static struct mr_batch *take_from_log(struct mr_stream_reader *reader, bool *is_stuck,
                                      struct mr_error *err)
{
    struct mr_stream *stream = reader->stream;
    uint64_t next = reader->next;
    const uint64_t visible = stream->visible_frame;
    mr_log_state_unlock(stream);
    struct mr_batch *batch = mr_log_read_next(&reader->read, &next, visible, err);
    mr_log_state_lock(stream);
    MR_ASSERT(next >= reader->next && next <= visible);
    *is_stuck = batch == NULL && next == reader->next;
    reader->next = next;
    if (batch != NULL) {
        trim_tail(stream);
    }
    return batch;
}

struct mr_batch *mr_log_reader_next(struct mr_stream_reader *reader, uint32_t wait_ms,
                                    struct mr_error *err)
{
    struct mr_stream *stream = reader->stream;
    struct mr_batch *batch = NULL;
    const struct timespec deadline = wait_ms > 0 ? deadline_in(wait_ms) : (struct timespec){0};
    *err = (struct mr_error){0};
    mr_log_state_lock(stream);
    bool is_stuck = false;
    while (batch == NULL && err->code == MR_OK && !is_stuck) {
        MR_ASSERT(reader->next <= stream->visible_frame);
        if (reader->next == stream->visible_frame) {
            if (wait_ms == 0 || !wait_for_frames(reader, &deadline)) {
                break;
            }
        } else if (mr_tail_covers(&stream->tail, reader->next)) {
            batch = take_from_tail(reader);
        } else {
            batch = take_from_log(reader, &is_stuck, err);
        }
    }
    mr_log_state_unlock(stream);
    if (is_stuck && err->code == MR_OK && wait_ms > 0) {
        /* All its batches are out. Somebody else may be about to release one. */
        stream->env->sleep_us(stream->env, 1000);
    }
    return batch;
}

void mr_log_reader_close(struct mr_stream_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    struct mr_stream *stream = reader->stream;
    mr_log_state_lock(stream);
    struct mr_stream_reader **link = &stream->readers;
    while (*link != reader) {
        MR_ASSERT(*link != NULL);
        link = &(*link)->next_reader;
    }
    *link = reader->next_reader;
    trim_tail(stream);
    mr_log_state_unlock(stream);
    mr_log_read_done(&reader->read);
    free(reader);
}

bool mr_log_reader_find_time(struct mr_stream *stream, int64_t commit_us, uint64_t *sequence,
                             struct mr_error *err)
{
    mr_log_state_lock(stream);
    const uint64_t first_frame = mr_index_by_time(&stream->index, commit_us)->first_frame;
    mr_log_state_unlock(stream);
    if (!index_segment(stream, first_frame, err)) {
        return false;
    }
    mr_log_state_lock(stream);
    const uint64_t oldest = mr_index_first_sequence(&stream->index);
    const struct mr_index_segment *segment = mr_index_by_frame(&stream->index, first_frame);
    uint64_t found = oldest;
    if (segment != NULL && segment->entry_count > 0) {
        found = mr_index_entry_by_time(segment, commit_us)->sequence;
    }
    *sequence = found < oldest ? oldest : found;
    mr_log_state_unlock(stream);
    return true;
}
