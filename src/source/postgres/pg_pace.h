// SPDX-License-Identifier: MIT
/*
 * pg_pace.h - when to read: at once while little comes, and not too soon while much does.
 *
 * The server's walsender hands every row to the kernel by itself. A reader that is woken by each of
 * them costs the walsender more than the decoding (see README.md here). So while rows stream in,
 * the reader pauses before each read and lets them gather; as soon as they come slowly it waits for
 * the very next byte instead. What decides is the rate, since a prompt read never brings much.
 */
#ifndef MR_SOURCE_POSTGRES_PG_PACE_H
#define MR_SOURCE_POSTGRES_PG_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct mr_pg_pace {
    uint64_t window_ns; /* when the window that is being measured began; 0: none yet */
    uint64_t bytes;     /* that came in it */
    bool is_streaming;
};

/** Counts what came. */
void mr_pg_pace_read(struct mr_pg_pace *pace, uint64_t bytes);

/** Microseconds to pause before the next read; 0: wait for the next byte. */
uint32_t mr_pg_pace_next(struct mr_pg_pace *pace, uint64_t now_ns);

#endif
