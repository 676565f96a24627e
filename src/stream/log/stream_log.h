// SPDX-License-Identifier: MIT
/*
 * stream_log.h - the embedded stream: a segment log in a folder of the data directory.
 */
#ifndef MR_STREAM_LOG_STREAM_LOG_H
#define MR_STREAM_LOG_STREAM_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "stream.h"

/** Filled through mr_stream_log.options. */
struct mr_stream_log_config {
    uint64_t segment_bytes_max;
    uint64_t retention_ms; /* MR_DURATION_AUTO: no limit by age */
    uint64_t retention_bytes;
    bool retention_force;
    unsigned compression; /* enum mr_frame_codec, in the order of the option's choices */
};

extern const struct mr_stream_ops mr_stream_log;

#endif
