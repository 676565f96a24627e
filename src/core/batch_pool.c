// SPDX-License-Identifier: MIT
/*
 * batch_pool.c - batches that are made once and go round.
 *
 * The pool is the bound on memory in flight: when every batch is out, a source waits in
 * mr_batch_take() until a sink has released one. Free batches lie in a queue (base/queue.h), so
 * they may be released by any thread.
 *
 * Invariant: a batch in the free queue is empty and has no references.
 */
#include <stdlib.h>

#include "batch.h"
#include "memory.h"
#include "queue.h"

#define CAPACITY_MIN 65536 /* bytes: room for the fixed arrays of an empty batch, and some rows */

struct mr_batch_pool {
    struct mr_batch *batches;
    struct mr_queue *free;
    uint32_t count;
};

struct mr_batch_pool *mr_batch_pool_open(uint32_t count, size_t capacity, size_t kept,
                                         struct mr_error *err)
{
    MR_ASSERT(count > 0);
    if (capacity < CAPACITY_MIN) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "a batch of %zu bytes is too small; it needs %d",
                      capacity, CAPACITY_MIN);
        return NULL;
    }
    struct mr_batch_pool *pool = mr_memory_new(1, sizeof(*pool));
    pool->batches = mr_memory_new(count, sizeof(*pool->batches));
    pool->free = mr_queue_open(count);
    for (uint32_t i = 0; i < count; i++) {
        struct mr_batch *batch = &pool->batches[i];
        if (!mr_arena_init(&batch->arena, capacity, kept, err)) {
            mr_batch_pool_close(pool);
            return NULL;
        }
        batch->pool = pool;
        mr_batch_clear(batch);
        const bool pushed = mr_queue_push(pool->free, batch, 0);
        MR_ASSERT(pushed);
        pool->count++;
    }
    return pool;
}

void mr_batch_pool_close(struct mr_batch_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    MR_ASSERT(mr_queue_count(pool->free) == pool->count);
    for (uint32_t i = 0; i < pool->count; i++) {
        MR_ASSERT(atomic_load_explicit(&pool->batches[i].references, memory_order_acquire) == 0);
        mr_arena_done(&pool->batches[i].arena);
        free(pool->batches[i].open_chunks);
    }
    mr_queue_close(pool->free);
    free(pool->batches);
    free(pool);
}

struct mr_batch *mr_batch_take(struct mr_batch_pool *pool, uint32_t wait_ms)
{
    struct mr_batch *batch = mr_queue_pop(pool->free, wait_ms);
    if (batch == NULL) {
        return NULL;
    }
    MR_ASSERT(batch->event_count == 0 && batch->transaction_count == 0);
    const int before = atomic_exchange_explicit(&batch->references, 1, memory_order_relaxed);
    MR_ASSERT(before == 0);
    return batch;
}

void mr_batch_release(struct mr_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    /* What others wrote to the batch before they let go of it happens before it is emptied. */
    const int before = atomic_fetch_sub_explicit(&batch->references, 1, memory_order_acq_rel);
    MR_ASSERT(before > 0);
    if (before > 1) {
        return;
    }
    batch->source_index = 0;
    mr_batch_clear(batch);
    const bool pushed = mr_queue_push(batch->pool->free, batch, 0);
    MR_ASSERT(pushed);
}
