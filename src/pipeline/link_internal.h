// SPDX-License-Identifier: MIT
/*
 * link_internal.h - what link.c and link_connect.c share.
 */
#ifndef MR_PIPELINE_LINK_INTERNAL_H
#define MR_PIPELINE_LINK_INTERNAL_H

#include "link.h"

void mr_link_move(struct mr_link *link, enum mr_link_state to);

/** Closes the connection and decides: back off (PAUSED) or stop (FAILED). */
enum mr_step mr_link_on_error(struct mr_link *link, const struct mr_error *err);

/** Hands a batch to the journal; false: it is held, and to be pushed again. */
bool mr_link_push(struct mr_link *link, struct mr_batch *batch, uint32_t wait_ms);

/** One step of CONNECTING. */
enum mr_step mr_link_connect(struct mr_link *link, struct mr_error *err);

/** Looks after a running copy: settles it when done, starts it again when it failed. */
enum mr_step mr_link_tend_copy(struct mr_link *link, struct mr_error *err);

#endif
