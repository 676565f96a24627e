// SPDX-License-Identifier: MIT
/*
 * recovery.h - what opening a log does with what it finds.
 */
#ifndef MR_STREAM_LOG_RECOVERY_H
#define MR_STREAM_LOG_RECOVERY_H

#include <stdbool.h>

#include "log_state.h"

/**
 * Lists the segments and looks at their headers, then verifies the newest one frame by frame: fills
 * the stream's index, schemas and catalog, place and position, cuts a torn tail and leaves the
 * segment open for appending, all of it durable. Without a segment nothing is filled in.
 *
 * Errors: MR_E_CORRUPT, MR_STOP: damage that a crash does not explain; names file, offset and cure.
 *         MR_E_CONFIG, MR_STOP: a later version wrote it.
 */
bool mr_recovery_run(struct mr_stream *stream, struct mr_catalog *catalog,
                     struct mr_error *err) MR_MUST_CHECK;

#endif
