// SPDX-License-Identifier: MIT
/*
 * log_read.c - frames of segments become batches again.
 *
 * A frame that ends inside a transaction (`continued`) is visible only once that transaction has
 * ended or was aborted; which of the two, the frame headers that follow tell. They are read once a
 * transaction: the answer holds for all frames of its middle.
 *
 * Small frames are joined to batches of up to JOIN_BYTES, so that a reader that has to catch up
 * with many one-row transactions does not pass them on one by one.
 *
 * Invariants:
 *   - a batch leaves here with whole transactions, except that its first may have begun, and its
 *     last may end, in a neighbour that is shown as well;
 *   - *number moves only over frames that were shown, or that there is nothing to show of.
 */
#include "log_read.h"

#include "body.h"

#define JOIN_BYTES        ((size_t)512 << 10) /* in the arena */
#define JOIN_TRANSACTIONS 8192
#define ARENA_BYTES_KEPT  ((size_t)1 << 20)

void mr_log_read_init(struct mr_log_read *read, struct mr_stream *stream, uint64_t number)
{
    *read = (struct mr_log_read){.stream = stream};
    mr_cursor_init(&read->cursor, stream, number);
    mr_cursor_init(&read->ahead, stream, number);
}

void mr_log_read_done(struct mr_log_read *read)
{
    mr_cursor_done(&read->cursor);
    mr_cursor_done(&read->ahead);
    mr_codec_done(&read->codec);
    mr_batch_pool_close(read->pool);
    read->pool = NULL;
}

static const struct mr_schema *find_schema(void *context, uint32_t schema_id)
{
    struct mr_stream *stream = context;
    mr_log_state_lock(stream);
    const struct mr_schema *schema = mr_schemas_find(&stream->schemas, schema_id);
    mr_log_state_unlock(stream);
    return schema;
}

/* A frame in which an open transaction ends: it goes on with it, and does not just hand it on. */
static bool ends_transaction(const struct mr_frame *frame)
{
    MR_ASSERT((frame->flags & MR_FRAME_CONTINUES) != 0);
    return (frame->flags & MR_FRAME_CONTINUED) == 0 || frame->transaction_count > 1;
}

/* What becomes of the transaction that is open behind `frame`. */
static bool look_ahead(struct mr_log_read *read, const struct mr_frame *frame, struct mr_error *err)
{
    struct mr_stream *stream = read->stream;
    if (frame->number < read->fate_until) {
        return true;
    }
    mr_log_state_lock(stream);
    const uint64_t end = stream->durable_frame;
    mr_log_state_unlock(stream);
    MR_ASSERT(frame->number < end);
    mr_cursor_seek(&read->ahead, frame->number + 1);
    for (;;) {
        struct mr_frame later = {0};
        switch (mr_cursor_peek(&read->ahead, end, &later, err)) {
        case MR_CURSOR_ERROR:
            return false;
        case MR_CURSOR_END:
            /* It was visible, so the end must be there. */
            return mr_cursor_corrupt(&read->ahead, "an open transaction has no end", err);
        case MR_CURSOR_FRAME:
            break;
        }
        mr_cursor_advance(&read->ahead, &later);
        const bool is_abort = later.kind == MR_FRAME_ABORT;
        if (is_abort || (later.kind == MR_FRAME_BATCH && ends_transaction(&later))) {
            read->fate_until = later.number;
            read->is_aborted = is_abort;
            return true;
        }
    }
}

static struct mr_batch *take_batch(struct mr_log_read *read, struct mr_error *err)
{
    const uint64_t capacity = read->stream->batch_bytes_max;
    if (read->pool == NULL) {
        read->pool = mr_batch_pool_open(MR_LOG_READ_BATCHES, capacity, ARENA_BYTES_KEPT, err);
    }
    struct mr_batch *batch = read->pool == NULL ? NULL : mr_batch_take(read->pool, 0);
    if (batch != NULL) {
        batch->source_index = read->stream->source_index;
    }
    return batch;
}

static bool fail_room(const struct mr_frame *frame, const struct mr_batch *batch,
                      struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP,
                   "a frame of %u bytes does not fit into a batch of %zu bytes; raise memory_max",
                   frame->raw_size, batch->arena.capacity);
}

/* Appends the frame that was just peeked at to the batch. */
static bool decode(struct mr_log_read *read, const struct mr_frame *frame, struct mr_batch *batch,
                   struct mr_error *err)
{
    struct mr_slice payload;
    const uint32_t transactions = batch->transaction_count;
    MR_ASSERT(frame->kind == MR_FRAME_BATCH && !batch->continued);
    uint8_t *body = mr_arena_alloc(&batch->arena, frame->raw_size, MR_BODY_ALIGN_WIDE);
    if (body == NULL) {
        return fail_room(frame, batch, err);
    }
    if (!mr_cursor_payload(&read->cursor, frame, &payload, err)) {
        return false;
    }
    if (!mr_codec_decompress(&read->codec, (enum mr_frame_codec)frame->codec, payload, body,
                             frame->raw_size, err) ||
        !mr_body_read(body, frame->raw_size, batch, find_schema, read->stream, err)) {
        return err->code == MR_E_CORRUPT ? mr_cursor_corrupt(&read->cursor, err->message, err)
                                         : false;
    }
    if (batch->transaction_count - transactions != frame->transaction_count) {
        return mr_cursor_corrupt(&read->cursor, "header and body disagree", err);
    }
    if (transactions == 0) {
        batch->first_sequence = frame->first_sequence;
        batch->continues = (frame->flags & MR_FRAME_CONTINUES) != 0;
    }
    batch->continued = (frame->flags & MR_FRAME_CONTINUED) != 0;
    return true;
}

static bool is_empty(const struct mr_batch *batch)
{
    return batch->transaction_count == 0 && batch->position.length == 0;
}

static bool may_join(const struct mr_batch *batch, const struct mr_frame *frame)
{
    if (is_empty(batch)) {
        return true;
    }
    return !batch->continued && (frame->flags & MR_FRAME_CONTINUES) == 0 &&
           mr_batch_bytes(batch) + frame->raw_size <= JOIN_BYTES &&
           batch->chunk_count <= MR_BATCH_CHUNKS_MAX / 2 &&
           batch->event_count <= MR_BATCH_EVENTS_MAX / 2 &&
           batch->transaction_count + frame->transaction_count <= JOIN_TRANSACTIONS;
}

/* Whether a frame is nothing but the middle of a transaction that was aborted later. */
static bool is_dropped(const struct mr_log_read *read, const struct mr_frame *frame)
{
    return (frame->flags & MR_FRAME_CONTINUES) != 0 && !ends_transaction(frame) && read->is_aborted;
}

/* Takes one BATCH frame in. *is_taken false: it does not go into this batch any more. */
static bool take_frame(struct mr_log_read *read, const struct mr_frame *frame,
                       struct mr_batch *batch, bool *is_taken, struct mr_error *err)
{
    const bool is_continued = (frame->flags & MR_FRAME_CONTINUED) != 0;
    MR_ASSERT(frame->number == read->cursor.place.number);
    *is_taken = may_join(batch, frame);
    if (!*is_taken) {
        return true;
    }
    if (is_continued && !look_ahead(read, frame, err)) {
        return false;
    }
    if (is_continued && is_dropped(read, frame)) {
        return true;
    }
    if (!decode(read, frame, batch, err)) {
        if (err->code == MR_E_LIMIT && !is_empty(batch)) {
            *err = (struct mr_error){0};
            *is_taken = false;
            return true;
        }
        return false;
    }
    if (is_continued && read->is_aborted) {
        mr_batch_drop_open_transaction(batch);
    }
    return true;
}

/* Fills the batch with frames from the cursor on, as long as they go together. */
static bool fill(struct mr_log_read *read, struct mr_batch *batch, uint64_t *number,
                 uint64_t visible, struct mr_error *err)
{
    bool is_taken = true;
    while (is_taken) {
        struct mr_frame frame = {0};
        switch (mr_cursor_peek(&read->cursor, visible, &frame, err)) {
        case MR_CURSOR_ERROR:
            return false;
        case MR_CURSOR_END:
            return true;
        case MR_CURSOR_FRAME:
            break;
        }
        if (frame.kind == MR_FRAME_BATCH && !take_frame(read, &frame, batch, &is_taken, err)) {
            return false;
        }
        if (is_taken) {
            mr_cursor_advance(&read->cursor, &frame);
            *number = read->cursor.place.number;
        }
    }
    return true;
}

struct mr_batch *mr_log_read_next(struct mr_log_read *read, uint64_t *number, uint64_t visible,
                                  struct mr_error *err)
{
    MR_ASSERT(*number > 0 && *number < visible);
    struct mr_batch *batch = take_batch(read, err);
    if (batch == NULL) {
        return NULL;
    }
    mr_cursor_seek(&read->cursor, *number);
    MR_ASSERT(read->cursor.place.number == *number);
    const bool filled = fill(read, batch, number, visible, err);
    if (is_empty(batch)) {
        mr_batch_release(batch);
        return NULL;
    }
    MR_ASSERT(read->cursor.place.number <= visible);
    if (!filled) {
        /* What is in the batch is sound. The error comes again when it is the next to be read. */
        *err = (struct mr_error){0};
    }
    return batch;
}
