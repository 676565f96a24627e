// SPDX-License-Identifier: MIT
/*
 * frame.c - headers of segments and frames to bytes and back.
 *
 * FORMAT, version 1 (integers little-endian; FORMAT.md has the whole of it and a test vector)
 *
 *   segment := header frame* unused
 *   header  := magic "MRSG", u32 version, u64 salt, u64 first_sequence, u64 first_frame,
 *              u64 previous_frame, i64 created_us, u32 flags, u32 epoch_length, u8 epoch[128],
 *              u32 start_count, u32 crc32c of all before
 *   frame   := magic "MRFR", u8 kind, u8 flags, u8 codec, u8 0, u64 number, u64 synced,
 *              u64 first_sequence, u32 transaction_count, u32 row_count, u32 stored_size,
 *              u32 raw_size, u32 payload_crc, i64 commit_us, u32 crc32c of salt, offset and all
 *              before; then stored_size bytes of payload, zeros up to a multiple of 8
 *   unused  := zeros up to the end of the file (preallocated; sealed segments have none)
 *
 * FAILURE
 *   - A header whose checksum holds but that says what we do not know was written by a later
 *     version. It is refused, never skipped.
 */
#include "frame.h"

#include <string.h>

#include "crc32c.h"
#include "reader.h"

#define SEGMENT_MAGIC       UINT32_C(0x4753524d) /* "MRSG" */
#define FRAME_MAGIC         UINT32_C(0x5246524d) /* "MRFR" */
#define SEGMENT_INSIDE      UINT32_C(1)
#define SEGMENT_CRC_OFFSET  (MR_SEGMENT_HEADER_SIZE - 4)
#define START_COUNT_OFFSET  (MR_SEGMENT_HEADER_SIZE - 8)
#define FRAME_CRC_OFFSET    (MR_FRAME_HEADER_SIZE - 4)
#define NUMBER_MAX          (UINT64_MAX / 4) /* so that counting on from it never overflows */
#define FRAME_FLAGS_KNOWN   (MR_FRAME_CONTINUES | MR_FRAME_CONTINUED | MR_FRAME_POSITION)
#define EPOCH_BYTES_ON_DISK 128

_Static_assert(MR_EPOCH_BYTES_MAX == EPOCH_BYTES_ON_DISK, "the epoch's room is part of the format");
_Static_assert(MR_SEGMENT_HEADER_SIZE % MR_FRAME_ALIGN == 0, "frames are aligned");
_Static_assert(MR_FRAME_HEADER_SIZE % MR_FRAME_ALIGN == 0, "frames are aligned");

static uint8_t *put(uint8_t *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

static uint8_t *put_u32(uint8_t *to, uint32_t value)
{
    return put(to, &value, sizeof(value));
}

static uint8_t *put_u64(uint8_t *to, uint64_t value)
{
    return put(to, &value, sizeof(value));
}

void mr_segment_header_write(const struct mr_segment_header *header,
                             uint8_t bytes[MR_SEGMENT_HEADER_SIZE])
{
    const size_t epoch_length = strnlen(header->epoch, sizeof(header->epoch));
    MR_ASSERT(epoch_length < sizeof(header->epoch));
    MR_ASSERT(header->first_frame > 0 && header->first_sequence > 0);
    MR_ASSERT(header->previous_frame < header->first_frame);
    MR_ASSERT(header->start_count > 0);

    memset(bytes, 0, MR_SEGMENT_HEADER_SIZE);
    uint8_t *to = put_u32(bytes, SEGMENT_MAGIC);
    to = put_u32(to, MR_SEGMENT_VERSION);
    to = put_u64(to, header->salt);
    to = put_u64(to, header->first_sequence);
    to = put_u64(to, header->first_frame);
    to = put_u64(to, header->previous_frame);
    to = put_u64(to, (uint64_t)header->created_us);
    to = put_u32(to, header->inside ? SEGMENT_INSIDE : 0);
    to = put_u32(to, (uint32_t)epoch_length);
    to = put(to, header->epoch, epoch_length);
    MR_ASSERT(to < bytes + START_COUNT_OFFSET);
    (void)put_u32(bytes + START_COUNT_OFFSET, header->start_count);
    (void)put_u32(bytes + SEGMENT_CRC_OFFSET, mr_crc32c(0, bytes, SEGMENT_CRC_OFFSET));
}

bool mr_segment_header_read(const uint8_t bytes[MR_SEGMENT_HEADER_SIZE],
                            struct mr_segment_header *header, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(bytes, MR_SEGMENT_HEADER_SIZE);
    const uint32_t magic = mr_read_u32_le(&in);
    const uint32_t version = mr_read_u32_le(&in);
    struct mr_segment_header found = {.salt = mr_read_u64_le(&in)};
    found.first_sequence = mr_read_u64_le(&in);
    found.first_frame = mr_read_u64_le(&in);
    found.previous_frame = mr_read_u64_le(&in);
    found.created_us = (int64_t)mr_read_u64_le(&in);
    const uint32_t flags = mr_read_u32_le(&in);
    const uint32_t epoch_length = mr_read_u32_le(&in);
    const uint8_t *epoch = mr_read_bytes(&in, EPOCH_BYTES_ON_DISK);
    found.start_count = mr_read_u32_le(&in);
    const uint32_t crc = mr_read_u32_le(&in);
    MR_ASSERT(mr_reader_ok(&in) && mr_reader_left(&in) == 0);

    if (magic != SEGMENT_MAGIC || crc != mr_crc32c(0, bytes, SEGMENT_CRC_OFFSET)) {
        return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the segment's header is damaged");
    }
    if (version != MR_SEGMENT_VERSION || (flags & ~SEGMENT_INSIDE) != 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "the segment has format version %u, this program knows %d; run the version "
                       "that wrote it, or a later one",
                       version, MR_SEGMENT_VERSION);
    }
    if (epoch_length >= sizeof(found.epoch) || found.first_frame == 0 ||
        found.first_sequence == 0 || found.previous_frame >= found.first_frame ||
        found.start_count == 0 || found.first_frame > NUMBER_MAX ||
        found.first_sequence > NUMBER_MAX) {
        return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the segment's header contradicts itself");
    }
    found.inside = (flags & SEGMENT_INSIDE) != 0;
    memcpy(found.epoch, epoch, epoch_length);
    *header = found;
    return true;
}

/* The checksum covers the place too: see frame.h. */
static uint32_t frame_crc(const uint8_t *bytes, uint64_t salt, int64_t offset)
{
    uint8_t place[16];
    (void)put_u64(put_u64(place, salt), (uint64_t)offset);
    return mr_crc32c(mr_crc32c(0, place, sizeof(place)), bytes, FRAME_CRC_OFFSET);
}

void mr_frame_write(const struct mr_frame *frame, uint64_t salt, int64_t offset,
                    uint8_t bytes[MR_FRAME_HEADER_SIZE])
{
    MR_ASSERT(frame->kind >= MR_FRAME_SCHEMA && frame->kind <= MR_FRAME_STATE);
    MR_ASSERT((frame->flags & ~FRAME_FLAGS_KNOWN) == 0);
    MR_ASSERT(frame->codec <= MR_CODEC_ZSTD);
    MR_ASSERT(frame->number > 0 && frame->synced <= frame->number);
    MR_ASSERT(frame->raw_size <= MR_FRAME_BODY_BYTES_MAX && frame->stored_size <= frame->raw_size);
    MR_ASSERT(offset >= MR_SEGMENT_HEADER_SIZE && offset % MR_FRAME_ALIGN == 0);

    const uint8_t kinds[4] = {frame->kind, frame->flags, frame->codec, 0};
    uint8_t *to = put_u32(bytes, FRAME_MAGIC);
    to = put(to, kinds, sizeof(kinds));
    to = put_u64(to, frame->number);
    to = put_u64(to, frame->synced);
    to = put_u64(to, frame->first_sequence);
    to = put_u32(to, frame->transaction_count);
    to = put_u32(to, frame->row_count);
    to = put_u32(to, frame->stored_size);
    to = put_u32(to, frame->raw_size);
    to = put_u32(to, frame->payload_crc);
    to = put_u64(to, (uint64_t)frame->commit_us);
    MR_ASSERT(to == bytes + FRAME_CRC_OFFSET);
    (void)put_u32(to, frame_crc(bytes, salt, offset));
}

/* What any version that we know would have written. */
static bool is_known(const struct mr_frame *frame, uint8_t reserved)
{
    return frame->kind >= MR_FRAME_SCHEMA && frame->kind <= MR_FRAME_STATE &&
           (frame->flags & ~FRAME_FLAGS_KNOWN) == 0 && frame->codec <= MR_CODEC_ZSTD &&
           reserved == 0 && frame->number > 0 && frame->synced <= frame->number &&
           frame->raw_size <= MR_FRAME_BODY_BYTES_MAX && frame->stored_size <= frame->raw_size &&
           (frame->codec != MR_CODEC_NONE || frame->stored_size == frame->raw_size);
}

enum mr_frame_look mr_frame_read(const uint8_t bytes[MR_FRAME_HEADER_SIZE], uint64_t salt,
                                 int64_t offset, struct mr_frame *frame)
{
    struct mr_reader in = mr_reader_init(bytes, MR_FRAME_HEADER_SIZE);
    if (mr_read_u32_le(&in) != FRAME_MAGIC) {
        return MR_FRAME_IS_NOT;
    }
    struct mr_frame found = {.kind = mr_read_u8(&in)};
    found.flags = mr_read_u8(&in);
    found.codec = mr_read_u8(&in);
    const uint8_t reserved = mr_read_u8(&in);
    found.number = mr_read_u64_le(&in);
    found.synced = mr_read_u64_le(&in);
    found.first_sequence = mr_read_u64_le(&in);
    found.transaction_count = mr_read_u32_le(&in);
    found.row_count = mr_read_u32_le(&in);
    found.stored_size = mr_read_u32_le(&in);
    found.raw_size = mr_read_u32_le(&in);
    found.payload_crc = mr_read_u32_le(&in);
    found.commit_us = (int64_t)mr_read_u64_le(&in);
    const uint32_t crc = mr_read_u32_le(&in);
    MR_ASSERT(mr_reader_ok(&in) && mr_reader_left(&in) == 0);
    if (crc != frame_crc(bytes, salt, offset)) {
        return MR_FRAME_IS_NOT;
    }
    *frame = found;
    return is_known(&found, reserved) ? MR_FRAME_IS_VALID : MR_FRAME_IS_UNKNOWN;
}

static bool follow_batch(struct mr_place *place, const struct mr_frame *frame)
{
    const bool continues = (frame->flags & MR_FRAME_CONTINUES) != 0;
    const bool continued = (frame->flags & MR_FRAME_CONTINUED) != 0;
    if (continues != place->inside) {
        return false;
    }
    if ((continues || continued) && frame->transaction_count == 0) {
        return false;
    }
    if (frame->transaction_count > UINT64_MAX - place->sequence) {
        return false;
    }
    place->sequence += frame->transaction_count - (continued ? 1 : 0);
    place->inside = continued;
    return true;
}

bool mr_place_follow(struct mr_place *place, const struct mr_frame *frame)
{
    struct mr_place next = *place;
    MR_ASSERT(next.number > 0 && next.sequence > 0);
    if (frame->number != next.number || frame->first_sequence != next.sequence ||
        next.number == UINT64_MAX) {
        return false;
    }
    next.number++;
    bool follows = false;
    switch ((enum mr_frame_kind)frame->kind) {
    case MR_FRAME_SCHEMA:
    case MR_FRAME_STATE:
        follows = frame->transaction_count == 0;
        break;
    case MR_FRAME_BATCH:
        follows = follow_batch(&next, frame);
        break;
    case MR_FRAME_ABORT:
        follows = next.inside && frame->transaction_count == 0;
        next.inside = false;
        break;
    }
    if (follows) {
        *place = next;
    }
    return follows;
}
