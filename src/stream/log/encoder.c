// SPDX-License-Identifier: MIT
/*
 * encoder.c - two growing buffers and a codec.
 *
 * Invariant: both buffers begin with MR_FRAME_HEADER_SIZE bytes of room, so that a frame is written
 * with one call.
 */
#include "encoder.h"

#include <string.h>

#include "body.h"

#define BUFFER_BYTES_MAX  ((size_t)MR_FRAME_BODY_BYTES_MAX + 2 * (size_t)MR_FRAME_HEADER_SIZE)
#define BUFFER_BYTES_KEPT ((size_t)8 << 20)

_Static_assert(MR_FRAME_HEADER_SIZE % MR_BODY_ALIGN_WIDE == 0, "bodies begin aligned");

void mr_encoder_init(struct mr_encoder *encoder, enum mr_frame_codec wanted)
{
    *encoder = (struct mr_encoder){.wanted = wanted};
    mr_writer_init(&encoder->body, BUFFER_BYTES_MAX);
    mr_writer_init(&encoder->packed, BUFFER_BYTES_MAX);
}

void mr_encoder_done(struct mr_encoder *encoder)
{
    mr_writer_done(&encoder->body);
    mr_writer_done(&encoder->packed);
    mr_codec_done(&encoder->codec);
}

static void begin(struct mr_writer *writer)
{
    mr_writer_reset(writer);
    const uint8_t *room = mr_writer_reserve(writer, MR_FRAME_HEADER_SIZE);
    MR_ASSERT(room != NULL);
}

struct mr_writer *mr_encoder_begin(struct mr_encoder *encoder)
{
    begin(&encoder->body);
    MR_ASSERT(encoder->body.length % MR_BODY_ALIGN_WIDE == 0);
    return &encoder->body;
}

bool mr_encoder_finish(struct mr_encoder *encoder, struct mr_frame *frame, uint8_t **bytes,
                       struct mr_error *err)
{
    MR_ASSERT(encoder->body.length >= MR_FRAME_HEADER_SIZE);
    const size_t raw_size = encoder->body.length - MR_FRAME_HEADER_SIZE;
    if (encoder->body.failed || raw_size > MR_FRAME_BODY_BYTES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "a frame of the log holds at most %u bytes",
                       MR_FRAME_BODY_BYTES_MAX);
    }
    const struct mr_slice body = {encoder->body.bytes + MR_FRAME_HEADER_SIZE, raw_size};
    begin(&encoder->packed);
    const enum mr_frame_codec codec =
        mr_codec_compress(&encoder->codec, encoder->wanted, body, &encoder->packed);
    struct mr_writer *chosen = codec == MR_CODEC_NONE ? &encoder->body : &encoder->packed;
    frame->codec = (uint8_t)codec;
    frame->raw_size = (uint32_t)raw_size;
    frame->stored_size = (uint32_t)(chosen->length - MR_FRAME_HEADER_SIZE);
    MR_ASSERT(frame->stored_size <= frame->raw_size);

    const size_t size = (size_t)mr_frame_size(frame);
    const size_t padding = size - chosen->length;
    MR_ASSERT(padding < MR_FRAME_ALIGN);
    uint8_t *to = mr_writer_reserve(chosen, padding);
    MR_ASSERT(to != NULL);
    memset(to, 0, padding);
    *bytes = chosen->bytes;
    return true;
}

static void trim(struct mr_writer *writer)
{
    if (writer->capacity > BUFFER_BYTES_KEPT) {
        mr_writer_done(writer);
        mr_writer_init(writer, BUFFER_BYTES_MAX);
    }
}

void mr_encoder_trim(struct mr_encoder *encoder)
{
    trim(&encoder->body);
    trim(&encoder->packed);
    MR_ASSERT(encoder->body.capacity <= BUFFER_BYTES_KEPT);
}
