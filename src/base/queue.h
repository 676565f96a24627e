// SPDX-License-Identifier: MIT
/*
 * queue.h - bounded hand-over of pointers between threads.
 *
 * A mutex and two condition variables: one lock a batch, never one a row. Several producers and
 * consumers are allowed. close() wakes everyone; what is queued can still be taken.
 */
#ifndef MR_BASE_QUEUE_H
#define MR_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"

struct mr_queue;

/** A queue of at most capacity (> 0) items. Aborts when libc is out of memory. */
struct mr_queue *mr_queue_open(size_t capacity);

/** Frees the queue; nobody may wait in it. Items left are the caller's loss. Accepts NULL. */
void mr_queue_close(struct mr_queue *queue);

/** Refuses further items and wakes all who wait. */
void mr_queue_shut(struct mr_queue *queue);

/** Waits up to wait_ms for room; false when the time is over or the queue is shut. */
bool mr_queue_push(struct mr_queue *queue, void *item, uint32_t wait_ms);

/** Waits up to wait_ms for an item; NULL when there is none in time, or shut and empty. */
void *mr_queue_pop(struct mr_queue *queue, uint32_t wait_ms);

size_t mr_queue_count(struct mr_queue *queue);

bool mr_queue_is_shut(struct mr_queue *queue);

#endif
