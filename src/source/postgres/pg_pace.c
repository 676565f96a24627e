// SPDX-License-Identifier: MIT
/*
 * pg_pace.c - one measured window after the other decides whether to pause; what a long pause
 * brought decides the length of the next.
 *
 * A long pause should bring several receive windows, or the window was open for most of it. It must
 * not bring more than the sender's buffer takes, or the walsender waits for us: that buffer grows
 * to megabytes, so the bounds leave room on both sides.
 */
#include "pg_pace.h"

#include "compiler.h"

#define SHORT_US          200
#define LONG_US_MIN       1000
#define LONG_US_MAX       20000
#define LONG_BYTES_MIN    (UINT64_C(5) * MR_PG_PACE_RECEIVE_BUFFER)
#define LONG_BYTES_MAX    (UINT64_C(12) * MR_PG_PACE_RECEIVE_BUFFER)
#define WINDOW_NS         UINT64_C(1000000)
#define STREAM_BYTES_A_MS 4096 /* some 30,000 rows a second */

void mr_pg_pace_read(struct mr_pg_pace *pace, uint64_t bytes)
{
    pace->bytes += bytes;
    pace->pause_bytes += bytes;
}

static uint32_t next_long(struct mr_pg_pace *pace)
{
    MR_ASSERT(pace->may_be_long && pace->long_us <= LONG_US_MAX);
    if (pace->long_us < LONG_US_MIN) {
        pace->long_us = LONG_US_MIN;
    } else if (pace->pause_bytes < LONG_BYTES_MIN) {
        pace->long_us = pace->long_us > LONG_US_MAX / 2 ? LONG_US_MAX : pace->long_us * 2;
    } else if (pace->pause_bytes > LONG_BYTES_MAX) {
        pace->long_us = pace->long_us < LONG_US_MIN * 2 ? LONG_US_MIN : pace->long_us / 2;
    }
    return pace->long_us;
}

uint32_t mr_pg_pace_next(struct mr_pg_pace *pace, uint64_t now_ns, bool is_backlog)
{
    MR_ASSERT(now_ns >= pace->window_ns);
    const uint64_t elapsed_ns = now_ns - pace->window_ns;
    uint32_t pause_us = 0;
    if (elapsed_ns >= WINDOW_NS) {
        pace->is_streaming = pace->bytes >= STREAM_BYTES_A_MS * (elapsed_ns / WINDOW_NS);
        pace->window_ns = now_ns;
        pace->bytes = 0;
    }
    if (!pace->is_streaming || !pace->may_be_long || !is_backlog) {
        pace->long_us = 0;
        pause_us = pace->is_streaming ? SHORT_US : 0;
    } else {
        pause_us = next_long(pace);
    }
    pace->pause_bytes = 0;
    return pause_us;
}
