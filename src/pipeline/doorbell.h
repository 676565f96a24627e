// SPDX-License-Identifier: MIT
/*
 * doorbell.h - wakes one thread that waits for work from several others.
 *
 * A bell rung while nobody waits is remembered, so a ring between "nothing to do" and "wait" is not
 * lost.
 */
#ifndef MR_PIPELINE_DOORBELL_H
#define MR_PIPELINE_DOORBELL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct mr_doorbell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    bool pending;
};

void mr_doorbell_init(struct mr_doorbell *bell);
void mr_doorbell_done(struct mr_doorbell *bell);
void mr_doorbell_ring(struct mr_doorbell *bell);

/** Waits up to wait_ms for a ring; true when there was one, which is used up. */
bool mr_doorbell_wait(struct mr_doorbell *bell, uint32_t wait_ms);

#endif
