// SPDX-License-Identifier: MIT
/*
 * sim_plan.h - what a simulated source commits: a seeded list of transactions over two tables
 * (inserts, updates, deletes, changed keys), and the state that each of them leaves behind.
 */
#ifndef MR_TESTS_SIM_SIM_PLAN_H
#define MR_TESTS_SIM_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_TABLES           2
#define SIM_KEYS             12
#define SIM_CHANGES_MAX      24
#define SIM_TRANSACTIONS_MAX 64

enum sim_op { SIM_INSERT, SIM_UPDATE, SIM_DELETE, SIM_REKEY };

struct sim_change {
    enum sim_op op;
    uint8_t table;
    uint8_t key;
    uint8_t old_key; /* REKEY: the row had this key before */
    int64_t amount;
};

struct sim_transaction {
    struct sim_change changes[SIM_CHANGES_MAX];
    uint32_t change_count;
};

struct sim_state {
    bool present[SIM_TABLES][SIM_KEYS];
    int64_t amount[SIM_TABLES][SIM_KEYS];
};

struct sim_plan {
    struct sim_transaction transactions[SIM_TRANSACTIONS_MAX]; /* [n - 1] is number n */
    struct sim_state states[SIM_TRANSACTIONS_MAX + 1];         /* [n]: after transaction n */
    uint32_t count;
};

void sim_plan_make(struct sim_plan *plan, uint64_t seed);

/** Applies one change; false when the state does not allow it (a row is there, or is not). */
bool sim_state_apply(struct sim_state *state, const struct sim_change *change);

bool sim_state_equals(const struct sim_state *left, const struct sim_state *right);

/** splitmix64: 0 .. below - 1. */
uint64_t sim_draw(uint64_t *state, uint64_t below);

#endif
