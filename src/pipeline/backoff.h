// SPDX-License-Identifier: MIT
/*
 * backoff.h - how long to wait before the next attempt: doubling, with a ceiling and a random part
 * that keeps several clients of one server from coming back in step.
 */
#ifndef MR_PIPELINE_BACKOFF_H
#define MR_PIPELINE_BACKOFF_H

#include <stdint.h>

#define MR_BACKOFF_MS_MIN UINT64_C(100)
#define MR_BACKOFF_MS_MAX UINT64_C(30000)

/** Milliseconds before attempt number `attempt` (from 1); `random` is any 64-bit random number. */
static inline uint64_t mr_backoff_ms(uint32_t attempt, uint64_t random)
{
    uint64_t ms = MR_BACKOFF_MS_MIN;
    for (uint32_t i = 1; i < attempt && ms < MR_BACKOFF_MS_MAX; i++) {
        ms *= 2;
    }
    if (ms > MR_BACKOFF_MS_MAX) {
        ms = MR_BACKOFF_MS_MAX;
    }
    return ms / 2 + random % (ms / 2 + 1);
}

#endif
