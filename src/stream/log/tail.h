// SPDX-License-Identifier: MIT
/*
 * tail.h - the newest batches in memory: a reader that keeps up gets the very batch that was
 * appended, without a copy and without the disk.
 *
 * The tail may drop any batch at any time: readers then find it in the log. It drops what every
 * reader has seen, and the oldest when it would hold too many bytes or batches, so that a reader
 * that is slow does not keep a source from getting its batches back.
 *
 * Everything here happens under the stream's lock.
 */
#ifndef MR_STREAM_LOG_TAIL_H
#define MR_STREAM_LOG_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"

struct mr_tail_entry {
    uint64_t number; /* of its frame */
    struct mr_batch *batch;
    uint64_t size; /* bytes of its arena */
};

struct mr_tail {
    struct mr_tail_entry *entries; /* a ring */
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    uint64_t size;
    uint64_t size_max;
    uint64_t covered_from; /* every batch from this frame on is here */
};

/** count_max > 0; covered_from: the number of the next frame. */
void mr_tail_init(struct mr_tail *tail, uint32_t count_max, uint64_t size_max,
                  uint64_t covered_from);
void mr_tail_done(struct mr_tail *tail);

/** Takes a reference to the batch of frame `number`, dropping older ones to make room. */
void mr_tail_push(struct mr_tail *tail, struct mr_batch *batch, uint64_t number);

/** Drops every batch of a frame below `number`. */
void mr_tail_drop_before(struct mr_tail *tail, uint64_t number);

/** Drops the batches of an aborted transaction, and its part of the batch it began in (`from`). */
void mr_tail_abort(struct mr_tail *tail, uint64_t from);

/** Whether a reader that wants the batches from a frame on finds them all here. */
static inline bool mr_tail_covers(const struct mr_tail *tail, uint64_t number)
{
    return number >= tail->covered_from;
}

/** The first entry from a frame on; NULL when there is none. */
const struct mr_tail_entry *mr_tail_find(const struct mr_tail *tail, uint64_t number);

/** Takes the transaction that goes on in later frames, and was aborted there, out of a batch. */
void mr_batch_drop_open_transaction(struct mr_batch *batch);

#endif
