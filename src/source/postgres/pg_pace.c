// SPDX-License-Identifier: MIT
/*
 * pg_pace.c - one measured window after the other decides how the next one is read.
 */
#include "pg_pace.h"

#include "compiler.h"

#define PAUSE_US          200
#define WINDOW_NS         UINT64_C(1000000)
#define STREAM_BYTES_A_MS 4096 /* some 30,000 rows a second */

void mr_pg_pace_read(struct mr_pg_pace *pace, uint64_t bytes)
{
    pace->bytes += bytes;
}

uint32_t mr_pg_pace_next(struct mr_pg_pace *pace, uint64_t now_ns)
{
    MR_ASSERT(now_ns >= pace->window_ns);
    const uint64_t elapsed_ns = now_ns - pace->window_ns;
    if (elapsed_ns >= WINDOW_NS) {
        pace->is_streaming = pace->bytes >= STREAM_BYTES_A_MS * (elapsed_ns / WINDOW_NS);
        pace->window_ns = now_ns;
        pace->bytes = 0;
    }
    return pace->is_streaming ? PAUSE_US : 0;
}
