// SPDX-License-Identifier: MIT
/*
 * loader_internal.h - what loader.c and loader_copy.c share.
 */
#ifndef MR_PIPELINE_LOADER_INTERNAL_H
#define MR_PIPELINE_LOADER_INTERNAL_H

#include "loader.h"

/** Carries out waiting commands up to a group's size and commits copied rows. */
bool mr_loader_copy(struct mr_loader *loader, bool *worked, struct mr_error *err) MR_MUST_CHECK;

/** Reads what the sink has of a source: reading begins behind that. */
bool mr_loader_take_up(struct mr_loader *loader, uint16_t index,
                       struct mr_error *err) MR_MUST_CHECK;

/** Rolls back and marks the copies that lost rows. */
void mr_loader_roll_back(struct mr_loader *loader);

/** Commits the sink's transaction and publishes the counts of what was in it. */
bool mr_loader_commit(struct mr_loader *loader, struct mr_error *err) MR_MUST_CHECK;

/** Tells the stream what it may forget: all that is committed and that no table still waits for. */
void mr_loader_release(struct mr_loader *loader, uint16_t source_index);

/** Shows people the tables that are apart, as they are committed now. */
void mr_loader_show_apart(struct mr_loader *loader);

/** Shows none: the loader is ending. */
void mr_loader_hide_apart(struct mr_loader *loader);

/** Gives a table that waits a part of what it missed, and commits it. */
bool mr_loader_follow(struct mr_loader *loader, bool *worked, struct mr_error *err) MR_MUST_CHECK;

/** Forgets the table that catches up; it is found again. */
void mr_loader_follow_reset(struct mr_loader *loader);

#endif
