// SPDX-License-Identifier: MIT
/*
 * pg_pace.h - when to read: at once while little comes, and not too soon while much does.
 *
 * The server's walsender hands every row to the kernel by itself, and what that costs it depends on
 * us. A reader that is woken by each row costs it more than the decoding; one that lets rows gather
 * costs half. Over TCP on one machine even more is to be had: there, sending a row into an open
 * window runs the whole network stack, while a row that finds the window shut is merely put behind
 * the others. So with a backlog, a small receive window and long pauses keep the window shut most
 * of the time, and each read takes what has gathered in both buffers. Figures are in README.md.
 */
#ifndef MR_SOURCE_POSTGRES_PG_PACE_H
#define MR_SOURCE_POSTGRES_PG_PACE_H

#include <stdbool.h>
#include <stdint.h>

/** Of the socket, for PACE_LONG: a window above one segment of the loopback device (64 KiB). */
#define MR_PG_PACE_RECEIVE_BUFFER 100000

struct mr_pg_pace {
    bool may_be_long;     /* TCP to this very machine, with the receive buffer above */
    bool is_streaming;    /* rows came fast in the window before */
    uint64_t window_ns;   /* when the window that is being measured began */
    uint64_t bytes;       /* that came in it */
    uint64_t pause_bytes; /* that came since the last pause */
    uint32_t long_us;     /* the next long pause; 0: the shortest */
};

/** Counts what came. */
void mr_pg_pace_read(struct mr_pg_pace *pace, uint64_t bytes);

/** Microseconds to pause before the next read; 0: wait for the next byte. */
uint32_t mr_pg_pace_next(struct mr_pg_pace *pace, uint64_t now_ns, bool is_backlog);

#endif
