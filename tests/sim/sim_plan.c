// SPDX-License-Identifier: MIT
/*
 * sim_plan.c - see sim_plan.h.
 */
#include "sim_plan.h"

#include <string.h>

#include "compiler.h"

uint64_t sim_draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

bool sim_state_apply(struct sim_state *state, const struct sim_change *change)
{
    bool *present = state->present[change->table];
    int64_t *amount = state->amount[change->table];
    switch (change->op) {
    case SIM_INSERT:
        if (present[change->key]) {
            return false;
        }
        break;
    case SIM_UPDATE:
        if (!present[change->key]) {
            return false;
        }
        break;
    case SIM_DELETE:
        if (!present[change->key]) {
            return false;
        }
        present[change->key] = false;
        amount[change->key] = 0;
        return true;
    case SIM_REKEY:
        if (!present[change->old_key] || present[change->key]) {
            return false;
        }
        present[change->old_key] = false;
        amount[change->old_key] = 0;
        break;
    }
    present[change->key] = true;
    amount[change->key] = change->amount;
    return true;
}

bool sim_state_equals(const struct sim_state *left, const struct sim_state *right)
{
    return memcmp(left->present, right->present, sizeof(left->present)) == 0 &&
           memcmp(left->amount, right->amount, sizeof(left->amount)) == 0;
}

/* One change that the state allows. */
static struct sim_change draw_change(const struct sim_state *state, uint64_t *random)
{
    struct sim_change change = {
        .table = (uint8_t)sim_draw(random, SIM_TABLES),
        .key = (uint8_t)sim_draw(random, SIM_KEYS),
        .amount = (int64_t)sim_draw(random, 1000000),
    };
    const bool *present = state->present[change.table];
    if (!present[change.key]) {
        const uint8_t other = (uint8_t)sim_draw(random, SIM_KEYS);
        change.op = SIM_INSERT;
        if (present[other] && sim_draw(random, 2) == 0) {
            change.op = SIM_REKEY;
            change.old_key = other;
        }
        return change;
    }
    change.op = sim_draw(random, 3) == 0 ? SIM_DELETE : SIM_UPDATE;
    return change;
}

void sim_plan_make(struct sim_plan *plan, uint64_t seed)
{
    uint64_t random = seed ^ UINT64_C(0x5eed);
    memset(plan, 0, sizeof(*plan));
    plan->count = 20 + (uint32_t)sim_draw(&random, SIM_TRANSACTIONS_MAX - 20);
    for (uint32_t t = 0; t < plan->count; t++) {
        struct sim_transaction *transaction = &plan->transactions[t];
        struct sim_state state = plan->states[t];
        const uint64_t wanted = 1 + (sim_draw(&random, 6) == 0 ? sim_draw(&random, SIM_CHANGES_MAX)
                                                               : sim_draw(&random, 4));
        while (transaction->change_count < wanted) {
            const struct sim_change change = draw_change(&state, &random);
            MR_ASSERT(sim_state_apply(&state, &change));
            transaction->changes[transaction->change_count++] = change;
        }
        plan->states[t + 1] = state;
    }
}
