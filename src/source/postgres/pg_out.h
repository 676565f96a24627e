// SPDX-License-Identifier: MIT
/*
 * pg_out.h - a text cell that is written piece by piece, when its length is not known before.
 *
 * The pieces go to the end of the column's heap; what was written since a mark can be turned in
 * place into a JSON string or a quoted bound of a range. A column chunk whose arena is full makes
 * the whole cell fail: the pieces are then dropped, and mr_pg_out_end() says so.
 */
#ifndef MR_SOURCE_POSTGRES_PG_OUT_H
#define MR_SOURCE_POSTGRES_PG_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "chunk.h"
#include "compiler.h"

struct mr_pg_out {
    struct mr_column_chunk *column;
    struct mr_arena *arena;
    bool is_full; /* nothing is written any more */
};

/** Room for length more bytes, counted as written; NULL when there is none. */
uint8_t *mr_pg_out_reserve(struct mr_pg_out *out, size_t length);

void mr_pg_out_bytes(struct mr_pg_out *out, const void *bytes, size_t length);
void mr_pg_out_text(struct mr_pg_out *out, const char *text);
void mr_pg_out_format(struct mr_pg_out *out, const char *format, ...) MR_PRINTF(2, 3);

static inline void mr_pg_out_char(struct mr_pg_out *out, char c)
{
    mr_pg_out_bytes(out, &c, 1);
}

/** Where the next piece will lie. */
static inline uint32_t mr_pg_out_mark(const struct mr_pg_out *out)
{
    return out->column->heap_size;
}

/** Makes what was written since the mark one JSON string, with its quotes. */
void mr_pg_out_to_json(struct mr_pg_out *out, uint32_t mark);

/** Quotes what was written since the mark where a bound of a range needs it. */
void mr_pg_out_to_bound(struct mr_pg_out *out, uint32_t mark);

/** Completes the cell of `row`; false, and the pieces are dropped, when it did not fit. */
bool mr_pg_out_end(struct mr_pg_out *out, uint32_t row) MR_MUST_CHECK;

/** Drops the pieces. */
void mr_pg_out_drop(struct mr_pg_out *out, uint32_t row);

#endif
