// SPDX-License-Identifier: MIT
/*
 * sim_sink.h - a target in memory that commits atomically, fails before and after its commit, and
 * checks itself: after every commit its state must be the state after exactly the transaction that
 * its position names.
 */
#ifndef MR_TESTS_SIM_SIM_SINK_H
#define MR_TESTS_SIM_SIM_SINK_H

#include "sim_plan.h"
#include "sink.h"

/** What survives a crash. */
struct sim_store {
    const struct sim_plan *plan;
    uint64_t random;
    struct sim_state state;
    uint64_t sequence;
    bool is_steady;
    bool position_is_apart; /* planted bug: the position is written after the commit, not in it */
    const char *broken;     /* the broken promise, NULL while all is well */
    uint32_t commits;
};

/** Its config is a `struct sim_store *`. */
extern const struct mr_sink_ops sim_sink;

#endif
