// SPDX-License-Identifier: MIT
/*
 * tail.c - a ring of references to batches.
 *
 * Invariants:
 *   - numbers rise from entry to entry; none is below covered_from;
 *   - size is the sum of the entries' sizes, and at most size_max unless there is one entry alone.
 */
#include "tail.h"

#include <stdlib.h>

#include "memory.h"

void mr_tail_init(struct mr_tail *tail, uint32_t count_max, uint64_t size_max,
                  uint64_t covered_from)
{
    MR_ASSERT(count_max > 0);
    *tail = (struct mr_tail){
        .entries = mr_memory_new(count_max, sizeof(*tail->entries)),
        .capacity = count_max,
        .size_max = size_max,
        .covered_from = covered_from,
    };
}

static struct mr_tail_entry *entry_at(const struct mr_tail *tail, uint32_t i)
{
    MR_ASSERT(i < tail->count);
    return &tail->entries[(tail->first + i) % tail->capacity];
}

static void drop_first(struct mr_tail *tail)
{
    struct mr_tail_entry *entry = entry_at(tail, 0);
    MR_ASSERT(tail->size >= entry->size && entry->number >= tail->covered_from);
    tail->size -= entry->size;
    tail->covered_from = entry->number + 1;
    mr_batch_release(entry->batch);
    *entry = (struct mr_tail_entry){0};
    tail->first = (tail->first + 1) % tail->capacity;
    tail->count--;
}

static void drop_last(struct mr_tail *tail)
{
    struct mr_tail_entry *entry = entry_at(tail, tail->count - 1);
    MR_ASSERT(tail->size >= entry->size);
    tail->size -= entry->size;
    mr_batch_release(entry->batch);
    *entry = (struct mr_tail_entry){0};
    tail->count--;
}

void mr_tail_done(struct mr_tail *tail)
{
    while (tail->count > 0) {
        drop_first(tail);
    }
    MR_ASSERT(tail->size == 0);
    free(tail->entries);
    *tail = (struct mr_tail){0};
}

void mr_tail_push(struct mr_tail *tail, struct mr_batch *batch, uint64_t number)
{
    const uint64_t size = mr_batch_bytes(batch);
    MR_ASSERT(number >= tail->covered_from);
    MR_ASSERT(tail->count == 0 || entry_at(tail, tail->count - 1)->number < number);
    while (tail->count == tail->capacity ||
           (tail->count > 0 && tail->size + size > tail->size_max)) {
        drop_first(tail);
    }
    if (size > tail->size_max) {
        tail->covered_from = number + 1;
        return;
    }
    mr_batch_retain(batch);
    tail->count++;
    *entry_at(tail, tail->count - 1) =
        (struct mr_tail_entry){.number = number, .batch = batch, .size = size};
    tail->size += size;
}

void mr_tail_drop_before(struct mr_tail *tail, uint64_t number)
{
    while (tail->count > 0 && entry_at(tail, 0)->number < number) {
        drop_first(tail);
    }
}

void mr_tail_abort(struct mr_tail *tail, uint64_t from)
{
    while (tail->count > 0 && entry_at(tail, tail->count - 1)->number > from) {
        MR_ASSERT(entry_at(tail, tail->count - 1)->batch->continued);
        drop_last(tail);
    }
    if (tail->count == 0 || entry_at(tail, tail->count - 1)->number < from) {
        return; /* the batch it began in is no longer here */
    }
    struct mr_batch *batch = entry_at(tail, tail->count - 1)->batch;
    mr_batch_drop_open_transaction(batch);
    if (batch->transaction_count == 0 && batch->position.length == 0) {
        drop_last(tail);
    }
}

const struct mr_tail_entry *mr_tail_find(const struct mr_tail *tail, uint64_t number)
{
    MR_ASSERT(mr_tail_covers(tail, number));
    uint32_t low = 0;
    uint32_t high = tail->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (entry_at(tail, middle)->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == tail->count ? NULL : entry_at(tail, low);
}

void mr_batch_drop_open_transaction(struct mr_batch *batch)
{
    MR_ASSERT(batch->continued && batch->transaction_count > 0);
    const struct mr_transaction *open = &batch->transactions[batch->transaction_count - 1];
    MR_ASSERT(open->first_event + open->event_count == batch->event_count);
    for (uint32_t i = open->first_event; i < batch->event_count; i++) {
        MR_ASSERT(batch->row_count >= batch->events[i].count);
        batch->row_count -= batch->events[i].count;
    }
    batch->event_count = open->first_event;
    batch->transaction_count--;
    batch->continued = false;
}
