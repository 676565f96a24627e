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

/** Fixes the start of streaming when there is none, and starts the copy when one is wanted. */
bool mr_link_open_snapshot(struct mr_link *link, bool has_position,
                           struct mr_error *err) MR_MUST_CHECK;

/** One step of starting anew after the position was lost; everything handed on is settled. */
enum mr_step mr_link_start_anew(struct mr_link *link, struct mr_error *err);

/** Sinks that are in a gap get the source's tables anew, when the policy says so. */
bool mr_link_tend_gaps(struct mr_link *link, struct mr_error *err) MR_MUST_CHECK;

/** Tells the log when the lag budget gets short (link_budget.c). */
void mr_link_watch_budget(struct mr_link *link);

/** Ends the copy that runs, if one does. */
void mr_link_close_copy(struct mr_link *link);
/** Looks after copies of single tables: starts the next one, notes the end of another. */
void mr_link_tend_tables(struct mr_link *link);

/** Cancels the running one and forgets those that wait. */
void mr_link_stop_tables(struct mr_link *link);

/** Looks after a running copy: settles it when done, starts it again when it failed. */
enum mr_step mr_link_tend_copy(struct mr_link *link, struct mr_error *err);

#endif
