// SPDX-License-Identifier: MIT
/*
 * doorbell.c - see doorbell.h. The condition counts on the monotonic clock, so a changed wall clock
 * neither hurries nor stalls a wait.
 */
#include "doorbell.h"

#include <errno.h>
#include <time.h>

#include "compiler.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

void mr_doorbell_init(struct mr_doorbell *bell)
{
    pthread_condattr_t attributes;
    MR_ASSERT(pthread_condattr_init(&attributes) == 0);
    MR_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    MR_ASSERT(pthread_cond_init(&bell->rung, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    MR_ASSERT(pthread_mutex_init(&bell->lock, NULL) == 0);
    bell->pending = false;
}

void mr_doorbell_done(struct mr_doorbell *bell)
{
    (void)pthread_cond_destroy(&bell->rung);
    (void)pthread_mutex_destroy(&bell->lock);
}

void mr_doorbell_ring(struct mr_doorbell *bell)
{
    MR_ASSERT(pthread_mutex_lock(&bell->lock) == 0);
    bell->pending = true;
    (void)pthread_cond_signal(&bell->rung);
    (void)pthread_mutex_unlock(&bell->lock);
}

/* The deadline of a condition wait, the one place here that reads a clock: pthread asks for it. */
static struct timespec deadline_after(uint32_t wait_ms)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    int64_t ns = deadline.tv_nsec + (int64_t)wait_ms * NS_PER_MS;
    deadline.tv_sec += (time_t)(ns / NS_PER_S);
    deadline.tv_nsec = (long)(ns % NS_PER_S);
    return deadline;
}

bool mr_doorbell_wait(struct mr_doorbell *bell, uint32_t wait_ms)
{
    const struct timespec deadline = deadline_after(wait_ms);
    MR_ASSERT(pthread_mutex_lock(&bell->lock) == 0);
    int result = 0;
    while (!bell->pending && wait_ms > 0 && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&bell->rung, &bell->lock, &deadline);
        MR_ASSERT(result == 0 || result == ETIMEDOUT);
    }
    const bool rung = bell->pending;
    bell->pending = false;
    (void)pthread_mutex_unlock(&bell->lock);
    return rung;
}
