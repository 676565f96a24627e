// SPDX-License-Identifier: MIT
/*
 * chunk.h - rows of one table, column by column: the form in which data moves through millrace.
 *
 * A cell is a value, null, unchanged (a TOAST value PostgreSQL did not send) or absent (not in the
 * image). `valid` has a bit per row, set for a value; the two rare states have bitmaps of their own
 * that exist only where they occur. Fixed-width cells lie in values[row * width]; variable ones are
 * heap[offsets[row] .. offsets[row + 1]). Cells that hold no value have zero bytes.
 *
 * Rows are appended: a decoder puts every column of the current row exactly once, in any order, and
 * then calls mr_chunk_end_row(). Capacity grows by doubling from MR_CHUNK_ROWS_MIN, so that a
 * one-row transaction touches little memory; mr_batch_chunk_for() makes the room.
 *
 * Invariants: row_count <= capacity <= MR_CHUNK_ROWS_MAX; offsets has row_count + 1 valid entries;
 * bits past row_count are zero.
 */
#ifndef MR_CORE_CHUNK_H
#define MR_CORE_CHUNK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "compiler.h"
#include "schema.h"
#include "slice.h"

#define MR_CHUNK_ROWS_MIN 16
#define MR_CHUNK_ROWS_MAX 2048

enum mr_image {
    MR_IMAGE_FULL = 0, /* every column of the schema */
    MR_IMAGE_KEY = 1,  /* the key's columns, in key order */
};

enum mr_cell_state { MR_CELL_VALUE, MR_CELL_NULL, MR_CELL_UNCHANGED, MR_CELL_ABSENT };

struct mr_column_chunk {
    uint8_t *values;     /* fixed width; NULL for variable types */
    uint32_t *offsets;   /* variable: capacity + 1 entries */
    uint8_t *heap;       /* variable: the bytes */
    uint64_t *valid;     /* capacity / 64 words, rounded up */
    uint64_t *unchanged; /* NULL while no cell is */
    uint64_t *absent;    /* NULL while no cell is */
    uint32_t heap_size;
    uint32_t heap_capacity;
    uint32_t null_count; /* cells that hold no value, whatever the reason */
    uint8_t width;       /* bytes a cell, 0 for variable */
    uint8_t type;        /* enum mr_type */
};

struct mr_chunk {
    const struct mr_schema *schema;
    struct mr_column_chunk *columns;
    uint32_t row_count;
    uint32_t capacity;
    uint16_t column_count;
    uint8_t image; /* enum mr_image */
};

static inline size_t mr_chunk_words(uint32_t rows)
{
    return ((size_t)rows + 63) / 64;
}

/** The schema's column behind column i of the chunk. */
static inline const struct mr_column *mr_chunk_column(const struct mr_chunk *chunk, uint16_t i)
{
    return &chunk->schema->columns[chunk->image == MR_IMAGE_KEY ? chunk->schema->key[i] : i];
}

/** An empty chunk in the arena; NULL when it does not fit. */
struct mr_chunk *mr_chunk_new(struct mr_arena *arena, const struct mr_schema *schema,
                              enum mr_image image, uint32_t capacity);

/**
 * The chunk that follows a full one of the same table and image: at full size at once, with heaps
 * as large as the full one needed. Small when the arena has no room for that; NULL when for none.
 */
struct mr_chunk *mr_chunk_new_after(struct mr_arena *arena, const struct mr_chunk *full);

/** Doubles the capacity; false at MR_CHUNK_ROWS_MAX or when the arena is full. */
bool mr_chunk_grow(struct mr_chunk *chunk, struct mr_arena *arena);

/** Makes room for length more heap bytes in a column; false when the arena is full. */
bool mr_chunk_grow_heap(struct mr_column_chunk *column, struct mr_arena *arena, size_t length);

/* ---- Putting the cells of the current row (row_count). ---- */

static inline void mr_put_valid(struct mr_column_chunk *column, uint32_t row)
{
    column->valid[row >> 6] |= UINT64_C(1) << (row & 63);
}

#define MR_PUT_FIXED(name, c_type)                                                                 \
    static inline void mr_put_##name(struct mr_column_chunk *column, uint32_t row, c_type value)   \
    {                                                                                              \
        memcpy(column->values + (size_t)row * sizeof(value), &value, sizeof(value));               \
        mr_put_valid(column, row);                                                                 \
    }
MR_PUT_FIXED(u8, uint8_t)
MR_PUT_FIXED(u16, uint16_t)
MR_PUT_FIXED(u32, uint32_t)
MR_PUT_FIXED(u64, uint64_t)
MR_PUT_FIXED(i8, int8_t)
MR_PUT_FIXED(i16, int16_t)
MR_PUT_FIXED(i32, int32_t)
MR_PUT_FIXED(i64, int64_t)
MR_PUT_FIXED(f32, float)
MR_PUT_FIXED(f64, double)
__extension__ typedef __int128 mr_i128;
MR_PUT_FIXED(i128, mr_i128)
MR_PUT_FIXED(interval, struct mr_interval)
#undef MR_PUT_FIXED

/** Puts an unscaled decimal into a column of 2, 4, 8 or 16 bytes; the value must fit (asserted). */
void mr_put_decimal(struct mr_column_chunk *column, uint32_t row, mr_i128 unscaled);

/** Room for `length` bytes of the current row's variable cell, to be filled in. NULL: full. */
static inline uint8_t *mr_put_reserve(struct mr_column_chunk *column, struct mr_arena *arena,
                                      uint32_t row, size_t length)
{
    if (MR_UNLIKELY(length > column->heap_capacity - column->heap_size) &&
        !mr_chunk_grow_heap(column, arena, length)) {
        return NULL;
    }
    uint8_t *bytes = column->heap + column->heap_size;
    column->heap_size += (uint32_t)length;
    column->offsets[row + 1] = column->heap_size;
    mr_put_valid(column, row);
    return bytes;
}

static inline bool mr_put_bytes(struct mr_column_chunk *column, struct mr_arena *arena,
                                uint32_t row, const void *bytes, size_t length)
{
    uint8_t *to = mr_put_reserve(column, arena, row, length);
    if (MR_UNLIKELY(to == NULL)) {
        return false;
    }
    memcpy(to, bytes, length);
    return true;
}

/** NULL. A fixed-width cell's bytes are zeroed; a variable cell is empty. */
static inline void mr_put_null(struct mr_column_chunk *column, uint32_t row)
{
    if (column->width != 0) {
        memset(column->values + (size_t)row * column->width, 0, column->width);
    } else {
        column->offsets[row + 1] = column->heap_size;
    }
    column->null_count++;
}

/** Unchanged or absent: as null, with its bitmap made on first use. False: arena full. */
bool mr_put_state(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                  uint32_t capacity, enum mr_cell_state state);

/** Completes the current row and returns its number. */
static inline uint16_t mr_chunk_end_row(struct mr_chunk *chunk)
{
    return (uint16_t)chunk->row_count++;
}

/** Forgets the cells put for the current, incomplete row (a decoder that must start it over). */
void mr_chunk_drop_row(struct mr_chunk *chunk);

/* ---- Reading. ---- */

static inline bool mr_bit(const uint64_t *words, uint32_t row)
{
    return (words[row >> 6] >> (row & 63) & 1) != 0;
}

static inline enum mr_cell_state mr_cell_state(const struct mr_column_chunk *column, uint32_t row)
{
    if (MR_LIKELY(mr_bit(column->valid, row))) {
        return MR_CELL_VALUE;
    }
    if (column->unchanged != NULL && mr_bit(column->unchanged, row)) {
        return MR_CELL_UNCHANGED;
    }
    return column->absent != NULL && mr_bit(column->absent, row) ? MR_CELL_ABSENT : MR_CELL_NULL;
}

/** The bytes of a cell (empty unless it holds a value). */
static inline struct mr_slice mr_cell(const struct mr_column_chunk *column, uint32_t row)
{
    if (column->width != 0) {
        return (struct mr_slice){column->values + (size_t)row * column->width, column->width};
    }
    uint32_t from = column->offsets[row];
    return (struct mr_slice){column->heap + from, column->offsets[row + 1] - from};
}

/**
 * Prints a cell as text into buffer for people and tests (ISO 8601 times, decimals exact, bytes as
 * base64; "null", "unchanged", "absent" for cells without a value). Terminated with NUL when size
 * is not 0. Returns the length without it, even when that did not fit.
 */
size_t mr_cell_print(const struct mr_column *column, const struct mr_column_chunk *chunk,
                     uint32_t row, char *buffer, size_t size);

#endif
