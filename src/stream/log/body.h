// SPDX-License-Identifier: MIT
/*
 * body.h - a batch as the body of a frame, and back.
 *
 * Writing gathers whole arrays (events, transactions, column values, bitmaps, heaps) behind one
 * another; reading points a batch's chunks at them where they lie. Nothing is done a row, except a
 * check that offsets rise, which guards every later access. FORMAT.md specifies the bytes.
 */
#ifndef MR_STREAM_LOG_BODY_H
#define MR_STREAM_LOG_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "compiler.h"
#include "error.h"
#include "position.h"
#include "schema.h"
#include "slice.h"
#include "writer.h"

#define MR_BODY_HEAD_SIZE   64
#define MR_BODY_ALIGN       8
#define MR_BODY_ALIGN_WIDE  16 /* of 16-byte values; what a body in memory must be aligned to */
#define MR_BODY_CHUNK_SIZE  16
#define MR_BODY_COLUMN_SIZE 16
#define MR_BODY_NOTE_SIZE   24 /* before its texts */

#define MR_BODY_HAS_UNCHANGED UINT8_C(1)
#define MR_BODY_HAS_ABSENT    UINT8_C(2)

/** The first MR_BODY_HEAD_SIZE bytes of a body. */
struct mr_body_head {
    uint32_t chunk_count;
    uint32_t event_count;
    uint32_t transaction_count;
    uint32_t row_count;
    uint16_t truncated_count;
    uint16_t origin_count; /* origins[0] is the empty one and not written */
    uint32_t epoch_length;
    uint32_t position_length;
    uint32_t column_count; /* of all chunks */
    struct mr_native_position native;
    int64_t clock_skew_us;
    uint32_t note_count;
};

/**
 * Appends the batch to `out`, whose length must be a multiple of MR_BODY_ALIGN_WIDE. MR_E_LIMIT,
 * MR_STOP past the writer's limit: `out` is then to be reset.
 */
bool mr_body_write(const struct mr_batch *batch, struct mr_writer *out,
                   struct mr_error *err) MR_MUST_CHECK;

/** As the body of a batch that holds nothing but this position (which may be unset). */
bool mr_body_write_position(const struct mr_position *position, struct mr_writer *out,
                            struct mr_error *err) MR_MUST_CHECK;

/** Gives a schema by its id, or NULL. */
typedef const struct mr_schema *(*mr_body_schema_fn)(void *context, uint32_t schema_id);

/**
 * Appends what a body holds to the batch, which need not be empty (but not `continued`). `body`
 * lies in the batch's arena, aligned to MR_BODY_ALIGN_WIDE, and is borrowed.
 *
 * Errors: MR_E_CORRUPT, MR_STOP; MR_E_LIMIT, MR_STOP when the arena is full. The batch is as it was
 *         then, except for arena memory.
 */
bool mr_body_read(uint8_t *body, size_t size, struct mr_batch *batch, mr_body_schema_fn schema,
                  void *context, struct mr_error *err) MR_MUST_CHECK;

/** Reads the position alone; *position stays as it is when the body holds none. */
bool mr_body_read_position(struct mr_slice body, struct mr_position *position,
                           struct mr_error *err) MR_MUST_CHECK;

/** Reads and checks a head, and steps over it. */
bool mr_body_read_head(struct mr_reader *in, struct mr_body_head *head,
                       struct mr_error *err) MR_MUST_CHECK;

#endif
