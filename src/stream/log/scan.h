// SPDX-License-Identifier: MIT
/*
 * scan.h - reads frames of a segment file through a window, so that many small frames cost one
 * read. Nothing is looked at beyond `limit`: of the segment that is being written, only what is
 * finished is in there, and that never changes.
 */
#ifndef MR_STREAM_LOG_SCAN_H
#define MR_STREAM_LOG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"
#include "frame.h"

struct mr_scan {
    const struct mr_env *env;
    int fd; /* borrowed */
    uint64_t salt;
    int64_t limit;   /* bytes of the file that may be read */
    uint8_t *window; /* owned */
    size_t capacity;
    int64_t window_offset;
    size_t window_length;
};

/** Forgets the window; the memory stays. Accepts a zeroed scan. */
void mr_scan_begin(struct mr_scan *scan, const struct mr_env *env, int fd, uint64_t salt,
                   int64_t limit);
void mr_scan_done(struct mr_scan *scan);

/** *bytes = the bytes [offset, offset + length) of the file, which must lie below the limit. Valid
 *  until the next call. MR_E_CORRUPT when the file is shorter than its limit. */
bool mr_scan_bytes(struct mr_scan *scan, int64_t offset, size_t length, const uint8_t **bytes,
                   struct mr_error *err) MR_MUST_CHECK;

/** *look tells whether a frame's header lies at offset and the frame ends within the limit. */
bool mr_scan_frame(struct mr_scan *scan, int64_t offset, struct mr_frame *frame,
                   enum mr_frame_look *look, struct mr_error *err) MR_MUST_CHECK;

/** The payload of a frame whose header was read at offset; *payload NULL: its checksum is wrong. */
bool mr_scan_payload(struct mr_scan *scan, int64_t offset, const struct mr_frame *frame,
                     const uint8_t **payload, struct mr_error *err) MR_MUST_CHECK;

#endif
