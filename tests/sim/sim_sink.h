// SPDX-License-Identifier: MIT
/*
 * sim_sink.h - a target in memory that commits atomically, fails before and after its commit, and
 * checks itself: after every commit each table must be what it was after exactly the transaction
 * that its position names - the target's, or the table's own while it is apart.
 */
#ifndef MR_TESTS_SIM_SIM_SINK_H
#define MR_TESTS_SIM_SIM_SINK_H

#include "sim_plan.h"
#include "sink.h"

#define SIM_PIECES   2
#define SIM_ID_BYTES 16

enum sim_way { SIM_JOINED, SIM_PAUSED, SIM_FOLLOWING, SIM_COPYING };

struct sim_rows {
    bool present[SIM_KEYS];
    int64_t amount[SIM_KEYS];
};

struct sim_table {
    struct sim_rows rows;
    enum sim_way way;
    uint64_t sequence; /* while it is apart */
    uint64_t high;     /* changes up to it are applied as upserts */

    struct sim_rows copy; /* the table beside */
    enum sim_way copy_way;
    uint64_t copy_sequence;
    uint64_t copy_high;
    char copy_id[SIM_ID_BYTES];
    uint8_t pieces[SIM_PIECES];
};

/** What a transaction changes as a whole. */
struct sim_held {
    struct sim_table tables[SIM_TABLES];
    uint64_t sequence;
};

/** What survives a crash. */
struct sim_store {
    const struct sim_plan *plan;
    uint64_t random;
    struct sim_held held;
    bool is_steady;
    bool position_is_apart; /* planted bug: the position is written after the commit, not in it */
    bool pin_is_skipped;    /* planted bug: what tables that are apart need may be deleted */
    bool piece_is_apart;    /* planted bug: a piece is done before its rows are committed */
    const char *broken;     /* the broken promise, NULL while all is well */
    uint32_t commits;
    uint32_t joins;
    uint32_t resumed; /* copies that went on with pieces */
};

/** Its config is a `struct sim_store *`. */
extern const struct mr_sink_ops sim_sink;

/** Everything is committed, and every table goes with the stream. */
bool sim_store_is_whole(const struct sim_store *store);

#endif
