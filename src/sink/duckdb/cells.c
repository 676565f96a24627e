// SPDX-License-Identifier: MIT
/*
 * cells.c - see cells.h for the table of types.
 *
 * Cells without a value are copied with their zero bytes and marked invalid, so that runs need no
 * look at single rows; only validity and strings are walked row by row.
 */
#include "cells.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

#define STRING_INLINE_MAX 12
#define UUID_BYTES        16

_Static_assert(sizeof(duckdb_string_t) == 16, "strings are 16 bytes in a vector");
_Static_assert(sizeof(duckdb_interval) == sizeof(struct mr_interval) &&
                   offsetof(duckdb_interval, days) == offsetof(struct mr_interval, days) &&
                   offsetof(duckdb_interval, micros) == offsetof(struct mr_interval, us),
               "intervals are months, days, microseconds");

struct type_row {
    const char *name; /* as DuckDB prints it in duckdb_columns().data_type */
    duckdb_type id;
};

static const struct type_row type_rows[MR_TYPE_COUNT] = {
    [MR_TYPE_BOOL] = {"BOOLEAN", DUCKDB_TYPE_BOOLEAN},
    [MR_TYPE_I8] = {"TINYINT", DUCKDB_TYPE_TINYINT},
    [MR_TYPE_I16] = {"SMALLINT", DUCKDB_TYPE_SMALLINT},
    [MR_TYPE_I32] = {"INTEGER", DUCKDB_TYPE_INTEGER},
    [MR_TYPE_I64] = {"BIGINT", DUCKDB_TYPE_BIGINT},
    [MR_TYPE_U8] = {"UTINYINT", DUCKDB_TYPE_UTINYINT},
    [MR_TYPE_U16] = {"USMALLINT", DUCKDB_TYPE_USMALLINT},
    [MR_TYPE_U32] = {"UINTEGER", DUCKDB_TYPE_UINTEGER},
    [MR_TYPE_U64] = {"UBIGINT", DUCKDB_TYPE_UBIGINT},
    [MR_TYPE_F32] = {"FLOAT", DUCKDB_TYPE_FLOAT},
    [MR_TYPE_F64] = {"DOUBLE", DUCKDB_TYPE_DOUBLE},
    [MR_TYPE_DECIMAL] = {"DECIMAL", DUCKDB_TYPE_DECIMAL},
    [MR_TYPE_DATE] = {"DATE", DUCKDB_TYPE_DATE},
    [MR_TYPE_TIME] = {"TIME", DUCKDB_TYPE_TIME},
    [MR_TYPE_DURATION] = {"INTERVAL", DUCKDB_TYPE_INTERVAL},
    [MR_TYPE_TIMESTAMP] = {"TIMESTAMP", DUCKDB_TYPE_TIMESTAMP},
    [MR_TYPE_TIMESTAMPTZ] = {"TIMESTAMP WITH TIME ZONE", DUCKDB_TYPE_TIMESTAMP_TZ},
    [MR_TYPE_UUID] = {"UUID", DUCKDB_TYPE_UUID},
    [MR_TYPE_TEXT] = {"VARCHAR", DUCKDB_TYPE_VARCHAR},
    [MR_TYPE_BYTES] = {"BLOB", DUCKDB_TYPE_BLOB},
    [MR_TYPE_JSON] = {"JSON", DUCKDB_TYPE_VARCHAR},
    [MR_TYPE_INTERVAL] = {"INTERVAL", DUCKDB_TYPE_INTERVAL},
};

void mr_cells_type_name(const struct mr_column *column, char *text, size_t size)
{
    MR_ASSERT(column->type > 0 && column->type < MR_TYPE_COUNT);
    MR_ASSERT(size >= MR_DUCKDB_TYPE_BYTES_MAX);
    if (column->type == MR_TYPE_DECIMAL) {
        (void)snprintf(text, size, "DECIMAL(%u,%u)", (unsigned)column->precision,
                       (unsigned)column->scale);
    } else {
        (void)snprintf(text, size, "%s", type_rows[column->type].name);
    }
}

duckdb_logical_type mr_cells_logical_type(const struct mr_column *column)
{
    MR_ASSERT(column->type > 0 && column->type < MR_TYPE_COUNT);
    if (column->type == MR_TYPE_DECIMAL) {
        return duckdb_create_decimal_type(column->precision, column->scale);
    }
    duckdb_logical_type type = duckdb_create_logical_type(type_rows[column->type].id);
    if (column->type == MR_TYPE_JSON) {
        /* DuckDB's JSON is VARCHAR under another name; without the name INSERT would cast, that is
         * parse every value again. */
        duckdb_logical_type_set_alias(type, "JSON");
    }
    return type;
}

static uint64_t read_u64_be(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap64(value);
}

static void copy_uuids(duckdb_hugeint *to, const uint8_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, from += UUID_BYTES) {
        const uint64_t upper = read_u64_be(from) ^ UINT64_C(1) << 63;
        to[i].lower = read_u64_be(from + 8);
        memcpy(&to[i].upper, &upper, sizeof(upper));
    }
}

static void copy_durations(duckdb_interval *to, const uint8_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, from += sizeof(int64_t)) {
        to[i] = (duckdb_interval){.months = 0, .days = 0};
        memcpy(&to[i].micros, from, sizeof(int64_t));
    }
}

static void copy_strings(duckdb_string_t *to, const struct mr_column_chunk *column, uint32_t row,
                         uint32_t count)
{
    const uint32_t *offsets = column->offsets + row;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = offsets[i + 1] - offsets[i];
        uint8_t *bytes = column->heap + offsets[i];
        duckdb_string_t string = {.value = {.inlined = {.length = length}}};
        if (length <= STRING_INLINE_MAX) {
            if (length > 0) {
                memcpy(string.value.inlined.inlined, bytes, length);
            }
        } else {
            memcpy(string.value.pointer.prefix, bytes, sizeof(string.value.pointer.prefix));
            string.value.pointer.ptr = (char *)bytes;
        }
        to[i] = string;
    }
}

static void copy_validity(duckdb_vector vector, uint32_t at, const struct mr_column_chunk *column,
                          uint32_t row, uint32_t count)
{
    if (column->null_count == 0) {
        return; /* the vector starts out all valid */
    }
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    for (uint32_t i = 0; i < count; i++) {
        if (!mr_bit(column->valid, row + i)) {
            validity[(at + i) >> 6] &= ~(UINT64_C(1) << ((at + i) & 63));
        }
    }
}

void mr_cells_copy(duckdb_vector vector, uint32_t at, const struct mr_column_chunk *column,
                   uint32_t row, uint32_t count)
{
    uint8_t *to = duckdb_vector_get_data(vector);

    MR_ASSERT(count > 0 && row + count <= MR_CHUNK_ROWS_MAX);
    if (column->width == 0) {
        copy_strings((duckdb_string_t *)(void *)to + at, column, row, count);
    } else if (column->type == MR_TYPE_UUID) {
        copy_uuids((duckdb_hugeint *)(void *)to + at, column->values + (size_t)row * UUID_BYTES,
                   count);
    } else if (column->type == MR_TYPE_DURATION) {
        copy_durations((duckdb_interval *)(void *)to + at,
                       column->values + (size_t)row * sizeof(int64_t), count);
    } else {
        const size_t width = column->width;
        memcpy(to + at * width, column->values + row * width, count * width);
    }
    copy_validity(vector, at, column, row, count);
}

static bool put_string(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                       duckdb_string_t *string)
{
    return mr_put_bytes(column, arena, row, duckdb_string_t_data(string),
                        duckdb_string_t_length(*string));
}

bool mr_cells_put(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                  duckdb_vector vector, uint64_t at)
{
    const uint64_t *validity = duckdb_vector_get_validity(vector);
    uint8_t *values = duckdb_vector_get_data(vector);

    if (validity != NULL && (validity[at >> 6] >> (at & 63) & 1) == 0) {
        mr_put_null(column, row);
        return true;
    }
    if (column->width == 0) {
        return put_string(column, arena, row, (duckdb_string_t *)(void *)values + at);
    }
    uint8_t *to = column->values + (size_t)row * column->width;
    if (column->type == MR_TYPE_UUID) {
        const duckdb_hugeint *uuid = (const duckdb_hugeint *)(const void *)values + at;
        const uint64_t upper = __builtin_bswap64((uint64_t)uuid->upper ^ UINT64_C(1) << 63);
        const uint64_t lower = __builtin_bswap64(uuid->lower);
        memcpy(to, &upper, sizeof(upper));
        memcpy(to + sizeof(upper), &lower, sizeof(lower));
    } else if (column->type == MR_TYPE_DURATION) {
        const duckdb_interval *interval = (const duckdb_interval *)(const void *)values + at;
        memcpy(to, &interval->micros, sizeof(interval->micros));
    } else {
        memcpy(to, values + at * column->width, column->width);
    }
    mr_put_valid(column, row);
    return true;
}

/* The heap is valid as a whole; so is each cell, unless one begins inside a character. */
static bool cells_begin_characters(const struct mr_column_chunk *column, uint32_t row_count)
{
    for (uint32_t row = 0; row < row_count; row++) {
        const uint32_t from = column->offsets[row];
        if (from < column->heap_size && (column->heap[from] & 0xC0) == 0x80) {
            return false;
        }
    }
    return true;
}

bool mr_cells_check_text(const struct mr_chunk *chunk, const char *table, struct mr_error *err)
{
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        const struct mr_column_chunk *column = &chunk->columns[i];
        if (column->type != MR_TYPE_TEXT && column->type != MR_TYPE_JSON) {
            continue;
        }
        const size_t used = column->offsets[chunk->row_count];
        MR_ASSERT(used <= column->heap_size);
        const enum mr_utf8 utf8 = mr_utf8_check(column->heap, used);
        if (utf8 == MR_UTF8_INVALID ||
            (utf8 == MR_UTF8_VALID && !cells_begin_characters(column, chunk->row_count))) {
            return mr_fail(err, MR_E_TYPE, MR_STOP,
                           "table \"%s\", column \"%s\": a text value is not valid UTF-8; mend the "
                           "value at the source, or exclude the column",
                           table, mr_chunk_column(chunk, i)->name);
        }
    }
    return true;
}
