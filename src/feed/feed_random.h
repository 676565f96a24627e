// SPDX-License-Identifier: MIT
/*
 * feed_random.h - a small seeded generator (splitmix64, Steele, Lea and Flood 2014).
 */
#ifndef MR_FEED_FEED_RANDOM_H
#define MR_FEED_FEED_RANDOM_H

#include <stdint.h>

static inline uint64_t mr_feed_draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/** 0 .. bound - 1. */
static inline uint32_t mr_feed_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(mr_feed_draw(state) % bound);
}

/** True in `percent` of 100 draws. */
static inline int mr_feed_chance(uint64_t *state, uint32_t percent)
{
    return mr_feed_below(state, 100) < percent;
}

#endif
