// SPDX-License-Identifier: MIT
/*
 * sim_world.h - one seeded life of a pipeline: a scripted source, the real link, journal, stream
 * log and loader, a model target, on a disk that forgets what was not synced; it crashes at any
 * call and starts again until everything is through.
 *
 * Everything runs in one thread; every choice is drawn from the seed, so a seed replays exactly.
 *
 * Checked after every commit: the target equals the source after exactly the transaction that its
 * position names (a prefix, nothing lost, nothing twice). Checked at every connection: the source
 * is never asked for what it was told to forget. All the while single tables are paused, rewound
 * and copied anew (sim_orders.h), and each must be a prefix of its own. Checked at the end, once
 * faults stop: the target becomes the whole (liveness).
 */
#ifndef MR_TESTS_SIM_SIM_WORLD_H
#define MR_TESTS_SIM_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

/** Bugs that a test plants to see them caught. */
enum sim_bug {
    SIM_BUG_NONE,
    SIM_BUG_SYNC_SKIPPED,     /* acknowledge before sync: fdatasync does nothing */
    SIM_BUG_POSITION_APART,   /* the target's position is not in its transaction */
    SIM_BUG_DIR_SYNC_SKIPPED, /* a directory's sync does nothing: new segments can vanish */
    SIM_BUG_PIN_SKIPPED,      /* what a table that is apart still needs is deleted */
    SIM_BUG_PIECE_APART,      /* a piece of a copy counts as done before its rows are committed */
    SIM_BUG_COUNT,
};

struct sim_outcome {
    const char *broken; /* NULL: every promise was kept */
    uint32_t crashes;
    uint32_t connections;
    uint32_t commits;
    uint32_t joins;   /* tables that caught up, copies that took a place */
    uint32_t resumed; /* copies that went on with pieces */
};

struct sim_outcome sim_run(uint64_t seed, enum sim_bug bug);

#endif
