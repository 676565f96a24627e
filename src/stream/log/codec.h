// SPDX-License-Identifier: MIT
/*
 * codec.h - block compression of frame bodies: LZ4, zstd or none, with working memory kept.
 *
 * One codec belongs to one thread. What does not become at least an eighth smaller is stored as it
 * is: reading it back is then a plain copy.
 */
#ifndef MR_STREAM_LOG_CODEC_H
#define MR_STREAM_LOG_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "frame.h"
#include "slice.h"
#include "writer.h"

struct mr_codec {
    void *lz4;             /* compression state */
    void *zstd_compress;   /* ZSTD_CCtx */
    void *zstd_decompress; /* ZSTD_DCtx */
};

/**
 * Appends the compressed body to `out` and returns the codec used; MR_CODEC_NONE when compression
 * does not pay or was not asked for: then nothing is appended. body.length <=
 * MR_FRAME_BODY_BYTES_MAX.
 */
enum mr_frame_codec mr_codec_compress(struct mr_codec *codec, enum mr_frame_codec wanted,
                                      struct mr_slice body, struct mr_writer *out);

/** Fills exactly size bytes at `to`. MR_E_CORRUPT, MR_STOP when the payload is not that. */
bool mr_codec_decompress(struct mr_codec *codec, enum mr_frame_codec kind, struct mr_slice payload,
                         uint8_t *to, size_t size, struct mr_error *err) MR_MUST_CHECK;

/** Accepts a zeroed codec. */
void mr_codec_done(struct mr_codec *codec);

#endif
