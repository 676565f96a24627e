// SPDX-License-Identifier: MIT
/*
 * link_state.h - life of a source's link to its server.
 *
 *   IDLE --> CONNECTING --> STREAMING
 *               ^   |           |
 *               |   +-----------+--> BACKOFF (transient error; timer, then retry)
 *               +-----------------------'
 *   every state --> STOPPED (operator, end of a bounded source, an error not to be retried)
 *
 * Copying tables (snapshot) goes on beside STREAMING and has a state of its own (copy.h).
 */
#ifndef MR_PIPELINE_LINK_STATE_H
#define MR_PIPELINE_LINK_STATE_H

#include "sm.h"

enum mr_link_state {
    MR_LINK_IDLE,
    MR_LINK_CONNECTING,
    MR_LINK_STREAMING,
    MR_LINK_BACKOFF,
    MR_LINK_STOPPED,
    MR_LINK_STATE_COUNT,
};

extern const struct mr_sm_state mr_link_states[MR_LINK_STATE_COUNT];

#endif
