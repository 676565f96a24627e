// SPDX-License-Identifier: MIT
/*
 * queue.c - a ring of pointers under one mutex, with a condition for room and one for items.
 *
 * Invariants:
 *   - count <= capacity; items[first] is the oldest;
 *   - once shut, count only falls.
 *
 * Waits are measured on the monotonic clock: a clock that is set must not stretch them. The time is
 * taken here and not through mr_env because pthread_cond_timedwait() compares with the system's
 * clock; the simulation runs in one thread and never waits in a queue.
 */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "memory.h"

struct mr_queue {
    pthread_mutex_t mutex;
    pthread_cond_t has_room;
    pthread_cond_t has_item;
    void **items;
    size_t capacity;
    size_t first;
    size_t count;
    bool is_shut;
};

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(condition, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    MR_ASSERT(failed == 0);
}

static void lock(struct mr_queue *queue)
{
    const int result = pthread_mutex_lock(&queue->mutex);
    MR_ASSERT(result == 0);
    MR_ASSERT(queue->count <= queue->capacity);
}

static void unlock(struct mr_queue *queue)
{
    const int result = pthread_mutex_unlock(&queue->mutex);
    MR_ASSERT(result == 0);
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

/* One wait; false when the deadline has passed. Woken without cause, callers wait again. */
static bool wait_until(struct mr_queue *queue, pthread_cond_t *condition,
                       const struct timespec *deadline)
{
    const int result = pthread_cond_timedwait(condition, &queue->mutex, deadline);
    MR_ASSERT(result == 0 || result == ETIMEDOUT);
    return result == 0;
}

struct mr_queue *mr_queue_open(size_t capacity)
{
    MR_ASSERT(capacity > 0);
    struct mr_queue *queue = mr_memory_new(1, sizeof(*queue));
    queue->items = mr_memory_new(capacity, sizeof(*queue->items));
    queue->capacity = capacity;
    const int failed = pthread_mutex_init(&queue->mutex, NULL);
    MR_ASSERT(failed == 0);
    init_condition(&queue->has_room);
    init_condition(&queue->has_item);
    return queue;
}

void mr_queue_close(struct mr_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    int failed = pthread_cond_destroy(&queue->has_item);
    failed |= pthread_cond_destroy(&queue->has_room);
    failed |= pthread_mutex_destroy(&queue->mutex);
    MR_ASSERT(failed == 0);
    free(queue->items);
    free(queue);
}

void mr_queue_shut(struct mr_queue *queue)
{
    lock(queue);
    queue->is_shut = true;
    int failed = pthread_cond_broadcast(&queue->has_room);
    failed |= pthread_cond_broadcast(&queue->has_item);
    unlock(queue);
    MR_ASSERT(failed == 0);
}

bool mr_queue_push(struct mr_queue *queue, void *item, uint32_t wait_ms)
{
    MR_ASSERT(item != NULL);
    lock(queue);
    if (queue->count == queue->capacity && !queue->is_shut && wait_ms > 0) {
        const struct timespec deadline = deadline_in(wait_ms);
        while (queue->count == queue->capacity && !queue->is_shut) {
            if (!wait_until(queue, &queue->has_room, &deadline)) {
                break;
            }
        }
    }
    const bool pushed = queue->count < queue->capacity && !queue->is_shut;
    if (pushed) {
        queue->items[(queue->first + queue->count) % queue->capacity] = item;
        queue->count++;
        (void)pthread_cond_signal(&queue->has_item);
    }
    unlock(queue);
    return pushed;
}

void *mr_queue_pop(struct mr_queue *queue, uint32_t wait_ms)
{
    void *item = NULL;
    lock(queue);
    if (queue->count == 0 && !queue->is_shut && wait_ms > 0) {
        const struct timespec deadline = deadline_in(wait_ms);
        while (queue->count == 0 && !queue->is_shut) {
            if (!wait_until(queue, &queue->has_item, &deadline)) {
                break;
            }
        }
    }
    if (queue->count > 0) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        (void)pthread_cond_signal(&queue->has_room);
        MR_ASSERT(item != NULL);
    }
    unlock(queue);
    return item;
}

size_t mr_queue_count(struct mr_queue *queue)
{
    lock(queue);
    const size_t count = queue->count;
    unlock(queue);
    return count;
}

bool mr_queue_is_shut(struct mr_queue *queue)
{
    lock(queue);
    const bool is_shut = queue->is_shut;
    unlock(queue);
    return is_shut;
}
