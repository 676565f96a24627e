// SPDX-License-Identifier: MIT
/*
 * parking_live.h - the live business: which vehicles are inside, and what happens next, as SQL.
 *
 * Pure: no connection and no clock. One call makes one transaction that touches several tables:
 * entries (insert a session), exits (close it, insert its payment, and for members lower their
 * balance), corrections (refund or void a recent payment, cancel a session), and the deletion of an
 * entry made in error. Entries outweigh exits until the car parks are as full as the hour asks.
 */
#ifndef MR_FEED_PARKING_LIVE_H
#define MR_FEED_PARKING_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "writer.h"

#define PARKING_OPEN_MAX 65536 /* vehicles inside */

struct mr_parking_visit {
    uint64_t id;
    int64_t entry_ms;
    uint32_t location;
    uint32_t vehicle;
    uint32_t member; /* 0: none */
};

struct mr_parking_live {
    uint64_t random;
    uint64_t next_session;
    uint64_t next_payment;
    struct mr_parking_visit *open; /* PARKING_OPEN_MAX */
    uint32_t open_count;
};

void mr_parking_live_init(struct mr_parking_live *live, uint64_t seed);
void mr_parking_live_done(struct mr_parking_live *live);

/** Takes over a session that is open in the database; ignored past PARKING_OPEN_MAX. */
void mr_parking_live_take(struct mr_parking_live *live, const struct mr_parking_visit *visit);

/** Appends one transaction of about `rows` row changes as statements that end in ";". Returns the
 *  number of row changes. */
uint32_t mr_parking_live_transaction(struct mr_parking_live *live, int64_t now_ms, uint32_t rows,
                                     struct mr_writer *sql);

#endif
