// SPDX-License-Identifier: MIT
/*
 * log_read.h - batches out of segments, for a reader that the tail in memory cannot serve.
 */
#ifndef MR_STREAM_LOG_LOG_READ_H
#define MR_STREAM_LOG_LOG_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"
#include "cursor.h"
#include "log_state.h"

#define MR_LOG_READ_BATCHES 8 /* out at once, a reader */

struct mr_log_read {
    struct mr_stream *stream;
    struct mr_cursor cursor;
    struct mr_cursor ahead; /* looks for the end of an open transaction */
    struct mr_codec codec;
    struct mr_batch_pool *pool; /* made when first needed */
    uint64_t fate_until;        /* frames below it that continue a transaction share its fate */
    bool is_aborted;            /* that fate */
};

void mr_log_read_init(struct mr_log_read *read, struct mr_stream *stream, uint64_t number);
void mr_log_read_done(struct mr_log_read *read);

/**
 * The batch of the next frames, from *number on and below `visible`; small frames are joined. Moves
 * *number behind them. NULL with err->code MR_OK: there was nothing to show below `visible`, or all
 * batches are out (then *number stays below it).
 */
struct mr_batch *mr_log_read_next(struct mr_log_read *read, uint64_t *number, uint64_t visible,
                                  struct mr_error *err);

#endif
