// SPDX-License-Identifier: MIT
/*
 * chunk.c - making and growing column chunks in an arena.
 *
 * An arena frees nothing singly, so growth leaves the old arrays behind until the batch is reset:
 * doubling wastes at most what the chunk then holds. Two things keep that small: a heap that is the
 * arena's last allocation grows where it is, and a chunk that follows a full one of the same table
 * starts at full size (mr_chunk_new_after()).
 *
 * Invariants (beside those in chunk.h):
 *   - a variable column's heap is never NULL, so that an empty value has a place;
 *   - after a failed growth the chunk is as it was.
 */
#include "chunk.h"

#define HEAP_BYTES_A_ROW 16
#define ARRAY_ALIGN      16

static bool new_column(struct mr_column_chunk *column, struct mr_arena *arena,
                       const struct mr_column *of, uint32_t capacity, uint32_t heap_capacity)
{
    const size_t width = mr_type_width(of->type, of->precision);
    *column = (struct mr_column_chunk){.width = (uint8_t)width, .type = (uint8_t)of->type};
    column->valid =
        mr_arena_alloc_zero(arena, mr_chunk_words(capacity) * sizeof(uint64_t), sizeof(uint64_t));
    if (column->valid == NULL) {
        return false;
    }
    if (width != 0) {
        column->values = mr_arena_alloc(arena, capacity * width, ARRAY_ALIGN);
        return column->values != NULL;
    }
    column->offsets =
        mr_arena_alloc(arena, ((size_t)capacity + 1) * sizeof(uint32_t), sizeof(uint32_t));
    column->heap = mr_arena_alloc(arena, heap_capacity, 1);
    column->heap_capacity = heap_capacity;
    if (column->offsets == NULL || column->heap == NULL) {
        return false;
    }
    column->offsets[0] = 0;
    return true;
}

/* `like` is an earlier chunk of the same table and image, for the sizes of its heaps, or NULL. */
static struct mr_chunk *new_chunk(struct mr_arena *arena, const struct mr_schema *schema,
                                  enum mr_image image, uint32_t capacity,
                                  const struct mr_chunk *like)
{
    MR_ASSERT(capacity > 0 && capacity <= MR_CHUNK_ROWS_MAX);
    const uint16_t column_count = image == MR_IMAGE_KEY ? schema->key_count : schema->column_count;
    struct mr_chunk *chunk = MR_ARENA_NEW(arena, struct mr_chunk, 1);
    struct mr_column_chunk *columns =
        mr_arena_alloc(arena, column_count * sizeof(*columns), _Alignof(struct mr_column_chunk));
    if (chunk == NULL || columns == NULL) {
        return NULL;
    }
    *chunk = (struct mr_chunk){
        .schema = schema,
        .columns = columns,
        .capacity = capacity,
        .column_count = column_count,
        .image = (uint8_t)image,
    };
    for (uint16_t i = 0; i < column_count; i++) {
        uint32_t heap_capacity = capacity * HEAP_BYTES_A_ROW;
        if (like != NULL && like->columns[i].heap_size > heap_capacity / 2) {
            const uint32_t used = like->columns[i].heap_size;
            heap_capacity = used > UINT32_MAX - used / 8 - 1 ? used : used + used / 8 + 1;
        }
        if (!new_column(&columns[i], arena, mr_chunk_column(chunk, i), capacity, heap_capacity)) {
            return NULL;
        }
    }
    return chunk;
}

struct mr_chunk *mr_chunk_new(struct mr_arena *arena, const struct mr_schema *schema,
                              enum mr_image image, uint32_t capacity)
{
    return new_chunk(arena, schema, image, capacity, NULL);
}

struct mr_chunk *mr_chunk_new_after(struct mr_arena *arena, const struct mr_chunk *full)
{
    MR_ASSERT(full->row_count == MR_CHUNK_ROWS_MAX);
    const size_t used = arena->used;
    struct mr_chunk *chunk =
        new_chunk(arena, full->schema, (enum mr_image)full->image, MR_CHUNK_ROWS_MAX, full);
    if (chunk != NULL) {
        return chunk;
    }
    /* Not at full size: what is left of the arena may still do for a few rows. */
    arena->used = used;
    return mr_chunk_new(arena, full->schema, (enum mr_image)full->image, MR_CHUNK_ROWS_MIN);
}

static bool grow_bitmap(uint64_t **words, struct mr_arena *arena, uint32_t from, uint32_t to)
{
    const size_t old_count = mr_chunk_words(from);
    const size_t new_count = mr_chunk_words(to);
    if (*words == NULL || new_count == old_count) {
        return true;
    }
    uint64_t *grown = MR_ARENA_NEW(arena, uint64_t, new_count);
    if (grown == NULL) {
        return false;
    }
    memcpy(grown, *words, old_count * sizeof(uint64_t));
    *words = grown;
    return true;
}

/* Each array is replaced only by one that is larger: a failure midway leaves a valid column. */
static bool grow_column(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row_count,
                        uint32_t from, uint32_t to)
{
    if (!grow_bitmap(&column->valid, arena, from, to) ||
        !grow_bitmap(&column->unchanged, arena, from, to) ||
        !grow_bitmap(&column->absent, arena, from, to)) {
        return false;
    }
    if (column->width == 0) {
        uint32_t *offsets =
            mr_arena_alloc(arena, ((size_t)to + 1) * sizeof(uint32_t), sizeof(uint32_t));
        if (offsets == NULL) {
            return false;
        }
        memcpy(offsets, column->offsets, ((size_t)row_count + 1) * sizeof(uint32_t));
        column->offsets = offsets;
        return true;
    }
    uint8_t *values = mr_arena_alloc(arena, (size_t)to * column->width, ARRAY_ALIGN);
    if (values == NULL) {
        return false;
    }
    memcpy(values, column->values, (size_t)row_count * column->width);
    column->values = values;
    return true;
}

bool mr_chunk_grow(struct mr_chunk *chunk, struct mr_arena *arena)
{
    MR_ASSERT(chunk->row_count <= chunk->capacity);
    MR_ASSERT(chunk->capacity <= MR_CHUNK_ROWS_MAX);
    if (chunk->capacity == MR_CHUNK_ROWS_MAX) {
        return false;
    }
    uint32_t capacity = chunk->capacity * 2;
    capacity = capacity > MR_CHUNK_ROWS_MAX ? MR_CHUNK_ROWS_MAX : capacity;
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        if (!grow_column(&chunk->columns[i], arena, chunk->row_count, chunk->capacity, capacity)) {
            return false;
        }
    }
    chunk->capacity = capacity;
    return true;
}

bool mr_chunk_grow_heap(struct mr_column_chunk *column, struct mr_arena *arena, size_t length)
{
    MR_ASSERT(column->width == 0 && column->heap != NULL);
    MR_ASSERT(column->heap_size <= column->heap_capacity);
    if (length > UINT32_MAX - (size_t)column->heap_size) {
        return false;
    }
    const uint32_t needed = column->heap_size + (uint32_t)length;
    uint32_t wanted =
        column->heap_capacity > UINT32_MAX / 2 ? UINT32_MAX : column->heap_capacity * 2;
    wanted = wanted < needed ? needed : wanted;
    if (column->heap + column->heap_capacity == arena->base + arena->used) {
        const uint32_t steps[] = {wanted, needed};
        for (size_t i = 0; i < MR_ARRAY_LEN(steps); i++) {
            if (mr_arena_alloc(arena, steps[i] - column->heap_capacity, 1) != NULL) {
                column->heap_capacity = steps[i];
                return true;
            }
        }
        return false;
    }
    uint8_t *heap = mr_arena_alloc(arena, wanted, 1);
    if (heap == NULL) {
        wanted = needed;
        heap = mr_arena_alloc(arena, wanted, 1);
    }
    if (heap == NULL) {
        return false;
    }
    memcpy(heap, column->heap, column->heap_size);
    column->heap = heap;
    column->heap_capacity = wanted;
    return true;
}

void mr_put_decimal(struct mr_column_chunk *column, uint32_t row, mr_i128 unscaled)
{
    MR_ASSERT(column->type == MR_TYPE_DECIMAL);
    switch (column->width) {
    case 2:
        MR_ASSERT(unscaled >= INT16_MIN && unscaled <= INT16_MAX);
        mr_put_i16(column, row, (int16_t)unscaled);
        return;
    case 4:
        MR_ASSERT(unscaled >= INT32_MIN && unscaled <= INT32_MAX);
        mr_put_i32(column, row, (int32_t)unscaled);
        return;
    case 8:
        MR_ASSERT(unscaled >= INT64_MIN && unscaled <= INT64_MAX);
        mr_put_i64(column, row, (int64_t)unscaled);
        return;
    case 16:
        mr_put_i128(column, row, unscaled);
        return;
    default:
        mr_assert_failed("a decimal is 2, 4, 8 or 16 bytes wide", __FILE__, __LINE__);
    }
}

bool mr_put_state(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                  uint32_t capacity, enum mr_cell_state state)
{
    MR_ASSERT(row < capacity && capacity <= MR_CHUNK_ROWS_MAX);
    MR_ASSERT(state != MR_CELL_VALUE);
    if (state != MR_CELL_NULL) {
        uint64_t **words = state == MR_CELL_UNCHANGED ? &column->unchanged : &column->absent;
        if (*words == NULL) {
            *words = MR_ARENA_NEW(arena, uint64_t, mr_chunk_words(capacity));
        }
        if (*words == NULL) {
            return false;
        }
        (*words)[row >> 6] |= UINT64_C(1) << (row & 63);
    }
    mr_put_null(column, row);
    return true;
}

static void clear_bit(uint64_t *words, uint32_t row)
{
    if (words != NULL) {
        words[row >> 6] &= ~(UINT64_C(1) << (row & 63));
    }
}

void mr_chunk_drop_row(struct mr_chunk *chunk)
{
    MR_ASSERT(chunk->row_count < chunk->capacity);
    const uint32_t row = chunk->row_count;
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        struct mr_column_chunk *column = &chunk->columns[i];
        clear_bit(column->valid, row);
        clear_bit(column->unchanged, row);
        clear_bit(column->absent, row);
        if (column->width == 0) {
            column->heap_size = column->offsets[row];
        }
        /* Which columns had been put is not recorded, so the count is taken anew. */
        uint32_t values = 0;
        for (size_t word = 0; word < mr_chunk_words(chunk->capacity); word++) {
            values += (uint32_t)__builtin_popcountll(column->valid[word]);
        }
        MR_ASSERT(values <= row);
        column->null_count = row - values;
    }
}
