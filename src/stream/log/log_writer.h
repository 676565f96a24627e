// SPDX-License-Identifier: MIT
/*
 * log_writer.h - the writing half of a stream: append, abort, sync, and new segments.
 */
#ifndef MR_STREAM_LOG_LOG_WRITER_H
#define MR_STREAM_LOG_LOG_WRITER_H

#include <stdbool.h>

#include "log_state.h"

/** As mr_stream_ops.append. */
bool mr_log_writer_append(struct mr_stream *stream, struct mr_batch *batch,
                          struct mr_error *err) MR_MUST_CHECK;

/** As mr_stream_ops.abort. */
bool mr_log_writer_abort(struct mr_stream *stream, struct mr_error *err) MR_MUST_CHECK;

/** As mr_stream_ops.sync. */
bool mr_log_writer_sync(struct mr_stream *stream, struct mr_error *err) MR_MUST_CHECK;

/** Begins a segment at stream->place; seals the one before, if there is one. */
bool mr_log_writer_roll(struct mr_stream *stream, struct mr_error *err) MR_MUST_CHECK;

/**
 * Appends a frame that says that everything before it is durable, unless the last one does: from
 * then on damage to what was synced last cannot be taken for a torn tail. Not synced itself.
 */
bool mr_log_writer_prove(struct mr_stream *stream, struct mr_error *err) MR_MUST_CHECK;

/** Everything appended is durable: makes it visible. */
void mr_log_writer_settle(struct mr_stream *stream);

#endif
