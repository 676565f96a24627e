// SPDX-License-Identifier: MIT
/*
 * stream_walk.c - see stream_walk.h.
 */
#include "stream_walk.h"

bool mr_stream_walk_open(struct mr_stream_walk *walk, const struct mr_stream_ops *ops,
                         struct mr_stream *stream, struct mr_stream_place from,
                         struct mr_error *err)
{
    MR_ASSERT(from.sequence > 0);

    struct mr_stream_reader *reader = ops->reader_open(stream, from.sequence, err);
    if (reader == NULL) {
        return false;
    }
    *walk = (struct mr_stream_walk){.ops = ops, .reader = reader, .from = from};
    return true;
}

void mr_stream_walk_close(struct mr_stream_walk *walk)
{
    mr_batch_release(walk->batch);
    if (walk->ops != NULL) {
        walk->ops->reader_close(walk->reader);
    }
    *walk = (struct mr_stream_walk){0};
}

static const struct mr_chunk *chunk_at(const struct mr_batch *batch, uint16_t index)
{
    MR_ASSERT(index == MR_NO_CHUNK || index < batch->chunk_count);
    return index != MR_NO_CHUNK ? batch->chunks[index] : NULL;
}

static void fill_row(const struct mr_batch *batch, const struct mr_event *event, uint32_t row,
                     struct mr_stream_row *out)
{
    out->kind = (enum mr_event_kind)event->kind;
    out->schema = mr_batch_event_schema(batch, event);
    if (out->kind == MR_EVENT_TRUNCATE) {
        return;
    }
    if (out->kind == MR_EVENT_NOTE) {
        out->note = &batch->notes[event->chunk];
        return;
    }
    out->after = chunk_at(batch, event->chunk);
    out->after_row = event->row + row;
    out->before = chunk_at(batch, event->before_chunk);
    out->before_row = event->before_row + row;
    MR_ASSERT(out->after != NULL || out->before != NULL);
}

static uint32_t rows_of(const struct mr_event *event)
{
    return event->count == 0 ? 1 : event->count;
}

static bool is_before(struct mr_stream_place left, struct mr_stream_place right)
{
    return left.sequence != right.sequence ? left.sequence < right.sequence
                                           : left.index < right.index;
}

/* The next row of the batch that is held; false when it is walked through. */
static bool next_in_batch(struct mr_stream_walk *walk, struct mr_stream_row *row)
{
    MR_ASSERT(walk->batch != NULL);

    const struct mr_batch *batch = walk->batch;

    while (walk->transaction < batch->transaction_count) {
        const struct mr_transaction *transaction = &batch->transactions[walk->transaction];
        if (walk->event >= transaction->event_count) {
            const bool goes_on =
                batch->continued && walk->transaction + 1 == batch->transaction_count;
            walk->index = goes_on ? walk->index : 0;
            walk->transaction++;
            walk->event = 0;
            continue;
        }
        const struct mr_event *event = &batch->events[transaction->first_event + walk->event];
        *row = (struct mr_stream_row){
            .place = {batch->first_sequence + walk->transaction, walk->index++},
            .commit_us = transaction->commit_us,
        };
        fill_row(batch, event, walk->row, row);
        if (++walk->row >= rows_of(event)) {
            walk->row = 0;
            walk->event++;
        }
        if (!is_before(row->place, walk->from)) {
            return true;
        }
    }
    return false;
}

enum mr_walk mr_stream_walk_next(struct mr_stream_walk *walk, uint32_t wait_ms,
                                 struct mr_stream_row *row, struct mr_error *err)
{
    MR_ASSERT(walk->reader != NULL);

    for (;;) {
        if (walk->batch != NULL && next_in_batch(walk, row)) {
            return MR_WALK_ROW;
        }
        mr_batch_release(walk->batch);
        walk->batch = walk->ops->reader_next(walk->reader, wait_ms, err);
        if (walk->batch == NULL) {
            return err->code == MR_OK ? MR_WALK_IDLE : MR_WALK_ERROR;
        }
        walk->transaction = 0;
        walk->event = 0;
        walk->row = 0;
        walk->index = walk->batch->continues ? walk->index : 0;
    }
}
