// SPDX-License-Identifier: MIT
/*
 * log_reader.h - the reading half of a stream: from the tail in memory, or from the segments.
 */
#ifndef MR_STREAM_LOG_LOG_READER_H
#define MR_STREAM_LOG_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "log_state.h"

/** As mr_stream_ops.reader_open. */
struct mr_stream_reader *mr_log_reader_open(struct mr_stream *stream, uint64_t first_sequence,
                                            struct mr_error *err);

/** As mr_stream_ops.reader_next. */
struct mr_batch *mr_log_reader_next(struct mr_stream_reader *reader, uint32_t wait_ms,
                                    struct mr_error *err);

/** As mr_stream_ops.reader_close. */
void mr_log_reader_close(struct mr_stream_reader *reader);

/** As mr_stream_ops.find_time. */
bool mr_log_reader_find_time(struct mr_stream *stream, int64_t commit_us, uint64_t *sequence,
                             struct mr_error *err) MR_MUST_CHECK;

#endif
