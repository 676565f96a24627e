// SPDX-License-Identifier: MIT
/*
 * retention.h - what may be deleted, and when.
 *
 * Only whole sealed segments go, the oldest first: those older than `retention`, and as many as it
 * takes to be below `retention_size`; but none that a registered sink has not committed, unless
 * `retention_force` says so.
 */
#ifndef MR_STREAM_LOG_RETENTION_H
#define MR_STREAM_LOG_RETENTION_H

#include <stdbool.h>

#include "log_state.h"

/** Deletes what may go. */
bool mr_retention_expire(struct mr_stream *stream, struct mr_error *err) MR_MUST_CHECK;

/** Whether retention_size is reached. */
bool mr_retention_is_full(struct mr_stream *stream);

/** The least sequence that all registered sinks have committed; UINT64_MAX without sinks. Under the
 *  lock. */
uint64_t mr_retention_released(const struct mr_stream *stream);

#endif
