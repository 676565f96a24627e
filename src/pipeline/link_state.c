// SPDX-License-Identifier: MIT
/*
 * link_state.c - the table behind link_state.h; names are shown in status, metrics and log.
 */
#include "link_state.h"

#define TO(state)                   MR_SM_TO(MR_LINK_##state)
#define STATE(state, text, targets) [MR_LINK_##state] = {.name = (text), .may_move_to = (targets)}

const struct mr_sm_state mr_link_states[MR_LINK_STATE_COUNT] = {
    STATE(IDLE, "idle", TO(CONNECTING) | TO(STOPPED)),
    STATE(CONNECTING, "connecting", TO(STREAMING) | TO(BACKOFF) | TO(STOPPED)),
    STATE(STREAMING, "streaming", TO(BACKOFF) | TO(STOPPED)),
    STATE(BACKOFF, "backoff", TO(CONNECTING) | TO(STOPPED)),
    STATE(STOPPED, "stopped", 0),
};

#undef STATE
#undef TO
