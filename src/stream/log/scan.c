// SPDX-License-Identifier: MIT
/*
 * scan.c - the window over a segment file.
 *
 * Invariants:
 *   - window_offset + window_length <= limit as it was when the window was filled; the limit only
 *     grows while a file is scanned, and bytes below it do not change;
 *   - the window is at most as large as the largest frame met, and small again after the next one
 *     that is small.
 */
#include "scan.h"

#include <stdlib.h>

#include "crc32c.h"
#include "memory.h"

#define WINDOW_BYTES      65536
#define WINDOW_BYTES_KEPT (UINT64_C(4) << 20)

void mr_scan_begin(struct mr_scan *scan, const struct mr_env *env, int fd, uint64_t salt,
                   int64_t limit)
{
    MR_ASSERT(limit >= 0);
    scan->env = env;
    scan->fd = fd;
    scan->salt = salt;
    scan->limit = limit;
    scan->window_offset = 0;
    scan->window_length = 0;
}

void mr_scan_done(struct mr_scan *scan)
{
    free(scan->window);
    *scan = (struct mr_scan){.fd = -1};
}

static void make_room(struct mr_scan *scan, size_t length)
{
    const bool is_oversized = scan->capacity > WINDOW_BYTES_KEPT && length <= WINDOW_BYTES;
    if (length <= scan->capacity && !is_oversized) {
        return;
    }
    free(scan->window);
    scan->capacity = length < WINDOW_BYTES ? WINDOW_BYTES : length;
    scan->window = mr_memory_new(scan->capacity, 1);
}

bool mr_scan_bytes(struct mr_scan *scan, int64_t offset, size_t length, const uint8_t **bytes,
                   struct mr_error *err)
{
    MR_ASSERT(offset >= 0 && length > 0);
    MR_ASSERT(offset <= scan->limit && length <= (uint64_t)(scan->limit - offset));
    if (offset < scan->window_offset ||
        offset + (int64_t)length > scan->window_offset + (int64_t)scan->window_length) {
        const uint64_t left = (uint64_t)(scan->limit - offset);
        size_t wanted = length < WINDOW_BYTES ? WINDOW_BYTES : length;
        wanted = wanted > left ? (size_t)left : wanted;
        scan->window_length = 0;
        make_room(scan, wanted);
        size_t count = 0;
        if (!mr_env_read_fully(scan->env, scan->fd, scan->window, wanted, offset, &count, err)) {
            return false;
        }
        if (count < length) {
            return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the file ends at byte %lld",
                           (long long)offset + (long long)count);
        }
        scan->window_offset = offset;
        scan->window_length = count;
    }
    *bytes = scan->window + (offset - scan->window_offset);
    return true;
}

bool mr_scan_frame(struct mr_scan *scan, int64_t offset, struct mr_frame *frame,
                   enum mr_frame_look *look, struct mr_error *err)
{
    const uint8_t *bytes = NULL;
    MR_ASSERT(offset >= MR_SEGMENT_HEADER_SIZE && offset % MR_FRAME_ALIGN == 0);
    *look = MR_FRAME_IS_NOT;
    if (offset > scan->limit || scan->limit - offset < MR_FRAME_HEADER_SIZE) {
        return true;
    }
    if (!mr_scan_bytes(scan, offset, MR_FRAME_HEADER_SIZE, &bytes, err)) {
        return false;
    }
    struct mr_frame found;
    const enum mr_frame_look seen = mr_frame_read(bytes, scan->salt, offset, &found);
    if (seen == MR_FRAME_IS_NOT ||
        (seen == MR_FRAME_IS_VALID && mr_frame_size(&found) > (uint64_t)(scan->limit - offset))) {
        return true;
    }
    *frame = found;
    *look = seen;
    return true;
}

bool mr_scan_payload(struct mr_scan *scan, int64_t offset, const struct mr_frame *frame,
                     const uint8_t **payload, struct mr_error *err)
{
    static const uint8_t nothing[1];
    const size_t size = (size_t)mr_frame_payload_size(frame);
    MR_ASSERT(offset + (int64_t)mr_frame_size(frame) <= scan->limit);
    const uint8_t *bytes = nothing;
    if (size > 0 && !mr_scan_bytes(scan, offset + MR_FRAME_HEADER_SIZE, size, &bytes, err)) {
        return false;
    }
    MR_ASSERT(bytes != NULL);
    *payload = mr_crc32c(0, bytes, size) == frame->payload_crc ? bytes : NULL;
    return true;
}
