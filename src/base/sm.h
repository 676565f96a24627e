// SPDX-License-Identifier: MIT
/*
 * sm.h - state machines as tables: every allowed move is one bit, any other move is a bug of ours.
 */
#ifndef MR_BASE_SM_H
#define MR_BASE_SM_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

struct mr_sm_state {
    const char *name;
    uint32_t may_move_to; /* MR_SM_TO() bits */
};

#define MR_SM_TO(state) (UINT32_C(1) << (state))

static inline bool mr_sm_may_move(const struct mr_sm_state *states, unsigned from, unsigned to)
{
    return (states[from].may_move_to & MR_SM_TO(to)) != 0;
}

// NOLINTNEXTLINE(readability-identifier-naming): called like a function
#define mr_sm_move(states, current, to)                                                            \
    do {                                                                                           \
        MR_ASSERT(mr_sm_may_move((states), (unsigned)*(current), (unsigned)(to)));                 \
        *(current) = (to);                                                                         \
    } while (0)

#endif
