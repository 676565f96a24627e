// SPDX-License-Identifier: MIT
/*
 * codec.c - LZ4 and zstd behind one pair of functions.
 *
 * Why LZ4 by default: column chunks compress to about half at more than 500 MB/s on one core, so
 * the log writes less and the processor is not what holds it back. zstd (level 1) halves the rest
 * again for about twice the work: worth it where the disk is small or slow.
 */
#include "codec.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "memory.h"

#define ZSTD_LEVEL       1
#define LZ4_ACCELERATION 1
#define BODY_BYTES_MIN   128 /* smaller bodies are not worth the attempt */
#define SAVED_FRACTION   8   /* at least one in so many bytes must go */

_Static_assert(MR_FRAME_BODY_BYTES_MAX <= LZ4_MAX_INPUT_SIZE, "LZ4 takes every body");

static size_t compress_lz4(struct mr_codec *codec, struct mr_slice body, uint8_t *to, size_t room)
{
    if (codec->lz4 == NULL) {
        codec->lz4 = mr_memory_new(1, (size_t)LZ4_sizeofState());
    }
    const int size = LZ4_compress_fast_extState(codec->lz4, (const char *)body.bytes, (char *)to,
                                                (int)body.length, (int)room, LZ4_ACCELERATION);
    MR_ASSERT(size <= (int)room);
    return size <= 0 ? 0 : (size_t)size;
}

static size_t compress_zstd(struct mr_codec *codec, struct mr_slice body, uint8_t *to, size_t room)
{
    if (codec->zstd_compress == NULL) {
        codec->zstd_compress = ZSTD_createCCtx();
        MR_ASSERT(codec->zstd_compress != NULL);
    }
    const size_t size =
        ZSTD_compressCCtx(codec->zstd_compress, to, room, body.bytes, body.length, ZSTD_LEVEL);
    return ZSTD_isError(size) != 0 ? 0 : size;
}

enum mr_frame_codec mr_codec_compress(struct mr_codec *codec, enum mr_frame_codec wanted,
                                      struct mr_slice body, struct mr_writer *out)
{
    MR_ASSERT(body.length <= MR_FRAME_BODY_BYTES_MAX);
    if (wanted == MR_CODEC_NONE || body.length < BODY_BYTES_MIN) {
        return MR_CODEC_NONE;
    }
    const size_t start = out->length;
    const size_t room = body.length - body.length / SAVED_FRACTION;
    uint8_t *to = mr_writer_reserve(out, room);
    if (to == NULL) {
        return MR_CODEC_NONE;
    }
    /* Both stop by themselves when the result does not fit in the room it must fit in to pay. */
    const size_t size = wanted == MR_CODEC_LZ4 ? compress_lz4(codec, body, to, room)
                                               : compress_zstd(codec, body, to, room);
    MR_ASSERT(size <= room);
    out->length = start + size;
    return size == 0 ? MR_CODEC_NONE : wanted;
}

static size_t decompress_zstd(struct mr_codec *codec, struct mr_slice payload, uint8_t *to,
                              size_t size)
{
    if (codec->zstd_decompress == NULL) {
        codec->zstd_decompress = ZSTD_createDCtx();
        MR_ASSERT(codec->zstd_decompress != NULL);
    }
    const size_t got =
        ZSTD_decompressDCtx(codec->zstd_decompress, to, size, payload.bytes, payload.length);
    return ZSTD_isError(got) != 0 ? SIZE_MAX : got;
}

bool mr_codec_decompress(struct mr_codec *codec, enum mr_frame_codec kind, struct mr_slice payload,
                         uint8_t *to, size_t size, struct mr_error *err)
{
    MR_ASSERT(size <= MR_FRAME_BODY_BYTES_MAX && payload.length <= MR_FRAME_BODY_BYTES_MAX);
    size_t got = SIZE_MAX;
    switch (kind) {
    case MR_CODEC_NONE:
        got = payload.length;
        if (got == size && size > 0) {
            memcpy(to, payload.bytes, size);
        }
        break;
    case MR_CODEC_LZ4: {
        const int count = LZ4_decompress_safe((const char *)payload.bytes, (char *)to,
                                              (int)payload.length, (int)size);
        got = count < 0 ? SIZE_MAX : (size_t)count;
        break;
    }
    case MR_CODEC_ZSTD:
        got = decompress_zstd(codec, payload, to, size);
        break;
    }
    if (got != size) {
        return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the frame's payload does not decompress");
    }
    return true;
}

void mr_codec_done(struct mr_codec *codec)
{
    free(codec->lz4);
    (void)ZSTD_freeCCtx(codec->zstd_compress);
    (void)ZSTD_freeDCtx(codec->zstd_decompress);
    *codec = (struct mr_codec){0};
}
