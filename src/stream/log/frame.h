// SPDX-License-Identifier: MIT
/*
 * frame.h - the headers of segments and frames, and the rule by which frames follow one another.
 *
 * FORMAT.md specifies the bytes; this file is the only one that reads or writes them. Two things
 * make a frame belong to its place: the checksum of its header starts from the segment's salt and
 * the frame's offset, so that a copy of a frame (in another file, or inside a BLOB that we log) is
 * never taken for a frame; and its number is one more than that of the frame before.
 */
#ifndef MR_STREAM_LOG_FRAME_H
#define MR_STREAM_LOG_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "position.h"

#define MR_SEGMENT_VERSION      1
#define MR_SEGMENT_HEADER_SIZE  192
#define MR_FRAME_HEADER_SIZE    64
#define MR_FRAME_ALIGN          8
#define MR_FRAME_BODY_BYTES_MAX (UINT32_C(1) << 30)

struct mr_segment_header {
    uint64_t salt;           /* random; the checksums of this file's frames start from it */
    uint64_t first_sequence; /* of the transaction that is open, or comes next, at its start */
    uint64_t first_frame;    /* number of its first frame */
    uint64_t previous_frame; /* the same of the segment before; 0: there never was one */
    int64_t created_us;      /* Unix time */
    bool inside;             /* begins inside a transaction */
    uint32_t start_count;    /* frames that were durable before the file got its name; at least 1 */
    char epoch[MR_EPOCH_BYTES_MAX]; /* of the position at its start; for people */
};

enum mr_frame_kind {
    MR_FRAME_SCHEMA = 1, /* written to disk: append only */
    MR_FRAME_BATCH = 2,
    MR_FRAME_ABORT = 3,
    MR_FRAME_STATE = 4,
};

enum mr_frame_codec {
    MR_CODEC_NONE = 0, /* written to disk: append only */
    MR_CODEC_LZ4 = 1,
    MR_CODEC_ZSTD = 2,
};

#define MR_FRAME_CONTINUES UINT8_C(1) /* its first transaction began in an earlier frame */
#define MR_FRAME_CONTINUED UINT8_C(2) /* its last transaction goes on in a later frame */
#define MR_FRAME_POSITION  UINT8_C(4) /* its body holds a resume position */

struct mr_frame {
    uint8_t kind; /* enum mr_frame_kind */
    uint8_t flags;
    uint8_t codec;           /* enum mr_frame_codec */
    uint64_t number;         /* 1, 2, 3, ... over all segments */
    uint64_t synced;         /* every frame below this number was durable when this was written */
    uint64_t first_sequence; /* of its first transaction; without one, of the next to come */
    uint32_t transaction_count;
    uint32_t row_count;
    uint32_t stored_size; /* bytes of the payload in the file, padding not counted */
    uint32_t raw_size;    /* bytes of the body before compression */
    uint32_t payload_crc; /* of payload and padding */
    int64_t commit_us;    /* of its last whole transaction, source's clock; 0 unknown */
};

/** What must be true of the next frame. */
struct mr_place {
    uint64_t number;
    uint64_t sequence; /* of the open transaction, else of the next one */
    bool inside;       /* a transaction is open */
};

enum mr_frame_look {
    MR_FRAME_IS_VALID,
    MR_FRAME_IS_NOT,     /* no frame, or a damaged one */
    MR_FRAME_IS_UNKNOWN, /* the checksum holds, but a later version wrote it */
};

/** Payload with its padding. */
static inline uint64_t mr_frame_payload_size(const struct mr_frame *frame)
{
    return ((uint64_t)frame->stored_size + MR_FRAME_ALIGN - 1) & ~(uint64_t)(MR_FRAME_ALIGN - 1);
}

/** Bytes of the whole frame in the file. */
static inline uint64_t mr_frame_size(const struct mr_frame *frame)
{
    return MR_FRAME_HEADER_SIZE + mr_frame_payload_size(frame);
}

void mr_segment_header_write(const struct mr_segment_header *header,
                             uint8_t bytes[MR_SEGMENT_HEADER_SIZE]);

/** MR_E_CORRUPT, MR_STOP when it is damaged; MR_E_CONFIG when a later version wrote it. */
bool mr_segment_header_read(const uint8_t bytes[MR_SEGMENT_HEADER_SIZE],
                            struct mr_segment_header *header, struct mr_error *err) MR_MUST_CHECK;

void mr_frame_write(const struct mr_frame *frame, uint64_t salt, int64_t offset,
                    uint8_t bytes[MR_FRAME_HEADER_SIZE]);

/** *frame is set unless the answer is MR_FRAME_IS_NOT. */
enum mr_frame_look mr_frame_read(const uint8_t bytes[MR_FRAME_HEADER_SIZE], uint64_t salt,
                                 int64_t offset, struct mr_frame *frame);

/** Whether the frame may come at *place; if so, moves *place behind it. */
bool mr_place_follow(struct mr_place *place, const struct mr_frame *frame) MR_MUST_CHECK;

#endif
