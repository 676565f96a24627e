// SPDX-License-Identifier: MIT
/*
 * encoder.h - from a body to the bytes of a frame, in buffers that are used again.
 */
#ifndef MR_STREAM_LOG_ENCODER_H
#define MR_STREAM_LOG_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"
#include "compiler.h"
#include "error.h"
#include "frame.h"
#include "writer.h"

struct mr_encoder {
    enum mr_frame_codec wanted;
    struct mr_codec codec;
    struct mr_writer body;   /* room for a frame header, then the body */
    struct mr_writer packed; /* the same, compressed */
};

void mr_encoder_init(struct mr_encoder *encoder, enum mr_frame_codec wanted);
void mr_encoder_done(struct mr_encoder *encoder);

/** The writer to write the next body to; its length is where the body begins. */
struct mr_writer *mr_encoder_begin(struct mr_encoder *encoder);

/**
 * Compresses what was written, if that pays. Sets codec and sizes of the frame, and *bytes to
 * mr_frame_size(frame) bytes whose header is still to be filled in. Valid until the next begin().
 */
bool mr_encoder_finish(struct mr_encoder *encoder, struct mr_frame *frame, uint8_t **bytes,
                       struct mr_error *err) MR_MUST_CHECK;

/** Gives buffers back that an unusually large body has grown. */
void mr_encoder_trim(struct mr_encoder *encoder);

#endif
