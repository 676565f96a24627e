// SPDX-License-Identifier: MIT
/*
 * mysql_put_binlog.c - cells as they lie in a row of the binlog.
 */
#include "decimal.h"
#include "json_binary.h"
#include "mysql_put.h"
#include "temporal.h"

#include <string.h>

#define SET_LABELS_MAX 64

bool mr_mysql_fail_full(struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP,
                   "the batch has no room for this value; raise memory_max");
}

static uint64_t read_le(struct mr_slice bytes)
{
    uint64_t value = 0;
    MR_ASSERT(bytes.length <= sizeof(value));
    for (size_t i = 0; i < bytes.length; i++) {
        value |= (uint64_t)bytes.bytes[i] << (8 * i);
    }
    return value;
}

/* Integers and floats of 1, 2, 4 and 8 bytes: the wire's form is ours. */
#define PUT_FIXED(size, bits)                                                                      \
    MR_MYSQL_PUT(fixed##size)                                                                      \
    {                                                                                              \
        MR_ASSERT(bytes.length == (size) && column->fixed_size == (size));                         \
        uint##bits##_t value;                                                                      \
        memcpy(&value, bytes.bytes, sizeof(value));                                                \
        mr_put_u##bits(to->cells, to->row, value);                                                 \
        (void)err;                                                                                 \
        return true;                                                                               \
    }
PUT_FIXED(1, 8)
PUT_FIXED(2, 16)
PUT_FIXED(4, 32)
PUT_FIXED(8, 64)
#undef PUT_FIXED

MR_MYSQL_PUT(int24)
{
    (void)err;
    MR_ASSERT(bytes.length == 3);
    const uint32_t value = (uint32_t)read_le(bytes);
    const bool is_negative = !column->is_unsigned && (value & 0x800000) != 0;
    mr_put_u32(to->cells, to->row, is_negative ? value | 0xff000000 : value);
    return true;
}

MR_MYSQL_PUT(decimal)
{
    MR_ASSERT(to->cells->type == MR_TYPE_DECIMAL);
    const struct mr_decimal_shape shape = {column->core.precision, column->core.scale};
    mr_i128 unscaled = 0;
    if (!mr_mysql_decimal_unpack(bytes, shape, &unscaled, err)) {
        return false;
    }
    mr_put_decimal(to->cells, to->row, unscaled);
    return true;
}

MR_MYSQL_PUT(decimal_as_text)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TEXT);
    const struct mr_decimal_shape shape = {.precision = (uint8_t)(column->metadata >> 8),
                                           .scale = (uint8_t)(column->metadata & 0xff)};
    char text[MR_MYSQL_DECIMAL_TEXT_BYTES_MAX];
    size_t length = 0;
    if (!mr_mysql_decimal_print(bytes, shape, text, &length, err)) {
        return false;
    }
    return mr_put_bytes(to->cells, to->arena, to->row, text, length) || mr_mysql_fail_full(err);
}

MR_MYSQL_PUT(bit)
{
    MR_ASSERT(to->cells->type == MR_TYPE_U64);
    (void)column;
    uint64_t value = 0;
    if (bytes.length > sizeof(value)) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "a bit field of %zu bytes", bytes.length);
    }
    for (size_t i = 0; i < bytes.length; i++) {
        value = value << 8 | bytes.bytes[i];
    }
    mr_put_u64(to->cells, to->row, value);
    return true;
}

MR_MYSQL_PUT(year)
{
    MR_ASSERT(to->cells->type == MR_TYPE_U16);
    (void)column;
    (void)err;
    MR_ASSERT(bytes.length == 1);
    const uint8_t year = bytes.bytes[0];
    mr_put_u16(to->cells, to->row, (uint16_t)(year == 0 ? 0 : 1900 + year));
    return true;
}

MR_MYSQL_PUT(date)
{
    MR_ASSERT(to->cells->type == MR_TYPE_DATE);
    (void)column;
    int32_t days = 0;
    if (!mr_mysql_date_unpack(bytes, &days, err)) {
        return false;
    }
    mr_put_i32(to->cells, to->row, days);
    return true;
}

MR_MYSQL_PUT(datetime)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TIMESTAMP);
    int64_t us = 0;
    if (!mr_mysql_datetime_unpack(bytes, column->metadata, &us, err)) {
        return false;
    }
    mr_put_i64(to->cells, to->row, us);
    return true;
}

MR_MYSQL_PUT(timestamp)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TIMESTAMPTZ);
    int64_t us = 0;
    if (!mr_mysql_timestamp_unpack(bytes, column->metadata, &us, err)) {
        return false;
    }
    mr_put_i64(to->cells, to->row, us);
    return true;
}

MR_MYSQL_PUT(time)
{
    MR_ASSERT(to->cells->type == MR_TYPE_DURATION);
    int64_t us = 0;
    if (!mr_mysql_time_unpack(bytes, column->metadata, &us, err)) {
        return false;
    }
    mr_put_i64(to->cells, to->row, us);
    return true;
}

MR_MYSQL_PUT(bytes)
{
    (void)column;
    return mr_put_bytes(to->cells, to->arena, to->row, bytes.bytes, bytes.length) ||
           mr_mysql_fail_full(err);
}

/** binary(n): the binlog leaves trailing zero bytes out. */
MR_MYSQL_PUT(padded)
{
    MR_ASSERT(to->cells->type == MR_TYPE_BYTES);
    const size_t size = column->pad_size > bytes.length ? column->pad_size : bytes.length;
    uint8_t *cell = mr_put_reserve(to->cells, to->arena, to->row, size);
    if (cell == NULL) {
        return mr_mysql_fail_full(err);
    }
    memcpy(cell, bytes.bytes, bytes.length);
    memset(cell + bytes.length, 0, size - bytes.length);
    return true;
}

MR_MYSQL_PUT(utf8)
{
    if (MR_UNLIKELY(!mr_utf8_is_valid(bytes.bytes, bytes.length))) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "the text is not valid in character set \"%s\"",
                       column->charset->name);
    }
    return mr_put_bytes(to->cells, to->arena, to->row, bytes.bytes, bytes.length) ||
           mr_mysql_fail_full(err);
}

MR_MYSQL_PUT(other_charset)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TEXT || to->cells->type == MR_TYPE_JSON);
    /* ASCII is the same everywhere but in sets that have a table for it, or go through iconv. */
    if (column->charset->kind != MR_CHARSET_ICONV && column->charset->lower == NULL &&
        mr_ascii_prefix(bytes.bytes, bytes.length) == bytes.length) {
        return mr_mysql_put_bytes(column, bytes, to, err);
    }
    const size_t room = bytes.length * MR_CHARSET_GROWTH_MAX;
    uint8_t *cell = mr_put_reserve(to->cells, to->arena, to->row, room);
    if (cell == NULL) {
        return mr_mysql_fail_full(err);
    }
    size_t length = 0;
    if (!mr_charset_convert(column->charset, column->converter, bytes, cell, &length, err)) {
        return false;
    }
    MR_ASSERT(length <= room);
    to->cells->heap_size -= (uint32_t)(room - length);
    to->cells->offsets[to->row + 1] = to->cells->heap_size;
    return true;
}

MR_MYSQL_PUT(enum)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TEXT);
    const uint64_t index = read_le(bytes);
    if (index > column->label_count) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "enum value %llu of %u labels; the table's definition does not fit its "
                       "events: set binlog_row_metadata=FULL",
                       (unsigned long long)index, column->label_count);
    }
    const struct mr_slice label = index == 0 ? (struct mr_slice){0} : column->labels[index - 1];
    return mr_put_bytes(to->cells, to->arena, to->row,
                        label.length == 0 ? "" : (const char *)label.bytes, label.length) ||
           mr_mysql_fail_full(err);
}

MR_MYSQL_PUT(set)
{
    MR_ASSERT(to->cells->type == MR_TYPE_TEXT);
    const uint64_t members = read_le(bytes);
    MR_ASSERT(column->label_count <= SET_LABELS_MAX);
    if (column->label_count < SET_LABELS_MAX && members >> column->label_count != 0) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "set value 0x%llx of %u labels; the table's definition does not fit its "
                       "events: set binlog_row_metadata=FULL",
                       (unsigned long long)members, column->label_count);
    }
    size_t length = 0;
    for (uint16_t i = 0; i < column->label_count; i++) {
        length += (members >> i & 1) != 0 ? column->labels[i].length + 1 : 0;
    }
    length -= length > 0 ? 1 : 0;
    uint8_t *cell = mr_put_reserve(to->cells, to->arena, to->row, length);
    if (cell == NULL) {
        return mr_mysql_fail_full(err);
    }
    size_t at = 0;
    for (uint16_t i = 0; i < column->label_count; i++) {
        if ((members >> i & 1) == 0) {
            continue;
        }
        if (at > 0) {
            cell[at++] = ',';
        }
        memcpy(cell + at, column->labels[i].bytes, column->labels[i].length);
        at += column->labels[i].length;
    }
    MR_ASSERT(at == length || (length == 0 && at <= 1));
    return true;
}

MR_MYSQL_PUT(json)
{
    MR_ASSERT(to->cells->type == MR_TYPE_JSON);
    (void)column;
    MR_ASSERT(to->scratch != NULL);
    mr_writer_reset(to->scratch);
    if (!mr_json_binary_print(bytes, to->scratch, err)) {
        return false;
    }
    return mr_put_bytes(to->cells, to->arena, to->row, to->scratch->bytes, to->scratch->length) ||
           mr_mysql_fail_full(err);
}
