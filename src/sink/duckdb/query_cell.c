// SPDX-License-Identifier: MIT
/*
 * query_cell.c - one function a family of types.
 *
 * Numbers are written so that reading them back gives the same value: integers as numbers up to
 * 2^53 and as strings beyond, floating point with the fewest digits that do.
 */
#include "query_cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "query_time.h"

#define EXACT_MAX     (INT64_C(1) << 53) /* integers up to here survive in a JSON number */
#define DIGITS_MAX    48
#define PER_SECOND_S  INT64_C(1)
#define PER_SECOND_MS INT64_C(1000)
#define PER_SECOND_US INT64_C(1000000)
#define PER_SECOND_NS INT64_C(1000000000)

__extension__ typedef unsigned __int128 u128;

static bool is_valid(duckdb_vector vector, uint64_t row)
{
    const uint64_t *validity = duckdb_vector_get_validity(vector);
    return validity == NULL || (validity[row >> 6] >> (row & 63) & 1) != 0;
}

/* Digits of a magnitude, with the point `scale` places from the right. */
static void print_decimal(u128 magnitude, bool is_negative, unsigned scale, char *text, size_t size)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof(digits) - 1;
    unsigned count = 0;

    digits[at] = '\0';
    while (magnitude != 0 || count <= scale) {
        if (count == scale && scale > 0) {
            digits[--at] = '.';
        }
        digits[--at] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
        count++;
    }
    MR_ASSERT(at > 0);
    (void)snprintf(text, size, "%s%s", is_negative ? "-" : "", digits + at);
}

static void write_signed(struct mr_json *out, mr_i128 value)
{
    char text[DIGITS_MAX + 2];

    if (value >= -EXACT_MAX && value <= EXACT_MAX) {
        mr_json_int(out, (int64_t)value);
        return;
    }
    print_decimal(value < 0 ? (u128)0 - (u128)value : (u128)value, value < 0, 0, text,
                  sizeof(text));
    mr_json_string(out, text);
}

static void write_unsigned(struct mr_json *out, u128 value)
{
    char text[DIGITS_MAX + 2];

    if (value <= (u128)EXACT_MAX) {
        mr_json_int(out, (int64_t)value);
        return;
    }
    print_decimal(value, false, 0, text, sizeof(text));
    mr_json_string(out, text);
}

/* A signed integer of the given storage. */
static mr_i128 read_signed(duckdb_type storage, const uint8_t *values, uint64_t row)
{
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    mr_i128 i128;

    if (storage == DUCKDB_TYPE_TINYINT) {
        memcpy(&i8, values + row, sizeof(i8));
        return i8;
    }
    if (storage == DUCKDB_TYPE_SMALLINT) {
        memcpy(&i16, values + row * sizeof(i16), sizeof(i16));
        return i16;
    }
    if (storage == DUCKDB_TYPE_INTEGER) {
        memcpy(&i32, values + row * sizeof(i32), sizeof(i32));
        return i32;
    }
    if (storage == DUCKDB_TYPE_BIGINT) {
        memcpy(&i64, values + row * sizeof(i64), sizeof(i64));
        return i64;
    }
    MR_ASSERT(storage == DUCKDB_TYPE_HUGEINT);
    memcpy(&i128, values + row * sizeof(i128), sizeof(i128));
    return i128;
}

static u128 read_unsigned(duckdb_type storage, const uint8_t *values, uint64_t row)
{
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    u128 value;

    if (storage == DUCKDB_TYPE_UTINYINT) {
        return values[row];
    }
    if (storage == DUCKDB_TYPE_USMALLINT) {
        memcpy(&u16, values + row * sizeof(u16), sizeof(u16));
        return u16;
    }
    if (storage == DUCKDB_TYPE_UINTEGER) {
        memcpy(&u32, values + row * sizeof(u32), sizeof(u32));
        return u32;
    }
    if (storage == DUCKDB_TYPE_UBIGINT) {
        memcpy(&u64, values + row * sizeof(u64), sizeof(u64));
        return u64;
    }
    MR_ASSERT(storage == DUCKDB_TYPE_UHUGEINT);
    memcpy(&value, values + row * sizeof(value), sizeof(value));
    return value;
}

static int64_t read_i64(const uint8_t *values, uint64_t row)
{
    return (int64_t)read_signed(DUCKDB_TYPE_BIGINT, values, row);
}

/* The fewest digits that read back as the same number. */
static void write_real(struct mr_json *out, double value, bool is_float)
{
    char text[40];

    if (!isfinite(value)) {
        mr_json_string(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        const double back = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (back == value) {
            break;
        }
    }
    mr_json_raw(out, text, strlen(text));
}

static void write_number(struct mr_json *out, const struct mr_query_type *type,
                         const uint8_t *values, uint64_t row)
{
    char text[DIGITS_MAX + 2];

    if (type->id == DUCKDB_TYPE_BOOLEAN) {
        mr_json_bool(out, values[row] != 0);
    } else if (type->id == DUCKDB_TYPE_FLOAT) {
        float value;
        memcpy(&value, values + row * sizeof(value), sizeof(value));
        write_real(out, (double)value, true);
    } else if (type->id == DUCKDB_TYPE_DOUBLE) {
        double value;
        memcpy(&value, values + row * sizeof(value), sizeof(value));
        write_real(out, value, false);
    } else if (type->id == DUCKDB_TYPE_DECIMAL) {
        const mr_i128 value = read_signed(type->storage, values, row);
        print_decimal(value < 0 ? (u128)0 - (u128)value : (u128)value, value < 0, type->scale, text,
                      sizeof(text));
        mr_json_string(out, text);
    } else if (type->id == DUCKDB_TYPE_UTINYINT || type->id == DUCKDB_TYPE_USMALLINT ||
               type->id == DUCKDB_TYPE_UINTEGER || type->id == DUCKDB_TYPE_UBIGINT ||
               type->id == DUCKDB_TYPE_UHUGEINT) {
        write_unsigned(out, read_unsigned(type->id, values, row));
    } else {
        write_signed(out, read_signed(type->id, values, row));
    }
}

static bool write_time(struct mr_json *out, duckdb_type id, const uint8_t *values, uint64_t row)
{
    char text[MR_QUERY_TIME_BYTES];

    if (id == DUCKDB_TYPE_DATE) {
        mr_query_time_date((int32_t)read_signed(DUCKDB_TYPE_INTEGER, values, row), text);
    } else if (id == DUCKDB_TYPE_TIME) {
        mr_query_time_of_day(read_i64(values, row), PER_SECOND_US, text);
    } else if (id == DUCKDB_TYPE_TIME_NS) {
        mr_query_time_of_day(read_i64(values, row), PER_SECOND_NS, text);
    } else if (id == DUCKDB_TYPE_TIME_TZ) {
        duckdb_time_tz time;
        memcpy(&time, values + row * sizeof(time), sizeof(time));
        mr_query_time_with_zone(time, text);
    } else if (id == DUCKDB_TYPE_TIMESTAMP || id == DUCKDB_TYPE_TIMESTAMP_TZ) {
        mr_query_time_stamp(read_i64(values, row), PER_SECOND_US,
                            id == DUCKDB_TYPE_TIMESTAMP_TZ ? "Z" : "", text);
    } else if (id == DUCKDB_TYPE_TIMESTAMP_S) {
        mr_query_time_stamp(read_i64(values, row), PER_SECOND_S, "", text);
    } else if (id == DUCKDB_TYPE_TIMESTAMP_MS) {
        mr_query_time_stamp(read_i64(values, row), PER_SECOND_MS, "", text);
    } else if (id == DUCKDB_TYPE_TIMESTAMP_NS) {
        mr_query_time_stamp(read_i64(values, row), PER_SECOND_NS, "", text);
    } else if (id == DUCKDB_TYPE_INTERVAL) {
        duckdb_interval interval;
        memcpy(&interval, values + row * sizeof(interval), sizeof(interval));
        mr_query_time_interval(interval, text);
    } else {
        return false;
    }
    mr_json_string(out, text);
    return true;
}

static void write_base64(struct mr_json *out, const uint8_t *bytes, size_t length)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    struct mr_sql text = {0};
    char four[5] = {0};

    mr_sql_add(&text, "");
    for (size_t i = 0; i < length; i += 3) {
        const size_t left = length - i;
        const uint32_t word = (uint32_t)bytes[i] << 16 |
                              (uint32_t)(left > 1 ? bytes[i + 1] : 0) << 8 |
                              (uint32_t)(left > 2 ? bytes[i + 2] : 0);
        four[0] = digits[word >> 18 & 63];
        four[1] = digits[word >> 12 & 63];
        four[2] = digits[64];
        four[3] = digits[64];
        if (left > 1) {
            four[2] = digits[word >> 6 & 63];
        }
        if (left > 2) {
            four[3] = digits[word & 63];
        }
        mr_sql_add(&text, four);
    }
    mr_json_string(out, text.text);
    mr_sql_done(&text);
}

/* DuckDB's bit string: a byte that counts the padding bits, then the bits, padding first. */
static void write_bits(struct mr_json *out, const uint8_t *bytes, size_t length)
{
    struct mr_sql text = {0};

    MR_ASSERT(length > 0);
    mr_sql_add(&text, "");
    for (size_t bit = bytes[0]; bit < (length - 1) * 8; bit++) {
        mr_sql_add(&text, (bytes[1 + bit / 8] >> (7 - bit % 8) & 1) != 0 ? "1" : "0");
    }
    mr_json_string(out, text.text);
    mr_sql_done(&text);
}

static void write_uuid(struct mr_json *out, const uint8_t *values, uint64_t row)
{
    duckdb_hugeint uuid;
    char text[40];

    memcpy(&uuid, values + row * sizeof(uuid), sizeof(uuid));
    const uint64_t upper = (uint64_t)uuid.upper ^ UINT64_C(1) << 63;
    (void)snprintf(text, sizeof(text),
                   "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                   upper >> 32, upper >> 16 & 0xFFFF, upper & 0xFFFF, uuid.lower >> 48,
                   uuid.lower & UINT64_C(0xFFFFFFFFFFFF));
    mr_json_string(out, text);
}

static bool write_bytes(struct mr_json *out, const struct mr_query_type *type,
                        const uint8_t *values, uint64_t row)
{
    if (type->id == DUCKDB_TYPE_UUID) {
        write_uuid(out, values, row);
        return true;
    }
    if (type->id == DUCKDB_TYPE_ENUM) {
        char *label = duckdb_enum_dictionary_value(
            type->logical, (idx_t)read_unsigned(type->storage, values, row));
        mr_json_string(out, label);
        duckdb_free(label);
        return true;
    }
    if (type->id != DUCKDB_TYPE_VARCHAR && type->id != DUCKDB_TYPE_BLOB &&
        type->id != DUCKDB_TYPE_BIT) {
        return false;
    }
    duckdb_string_t string;
    memcpy(&string, values + row * sizeof(string), sizeof(string));
    const uint8_t *bytes = (const uint8_t *)duckdb_string_t_data(&string);
    const size_t length = duckdb_string_t_length(string);
    if (type->id == DUCKDB_TYPE_VARCHAR) {
        mr_json_slice(out, (struct mr_slice){bytes, length});
    } else if (type->id == DUCKDB_TYPE_BLOB) {
        write_base64(out, bytes, length);
    } else {
        write_bits(out, bytes, length);
    }
    return true;
}

static void write_list(struct mr_json *out, const struct mr_query_type *type, duckdb_vector vector,
                       uint64_t row)
{
    const duckdb_list_entry *entries = duckdb_vector_get_data(vector);
    duckdb_vector child = duckdb_list_vector_get_child(vector);

    mr_json_array_begin(out);
    for (uint64_t i = 0; i < entries[row].length; i++) {
        mr_query_cell_write(out, &type->children[0], child, entries[row].offset + i);
    }
    mr_json_array_end(out);
}

/* A map is a list of (key, value): an object where keys are text, else an array of pairs. */
static void write_map(struct mr_json *out, const struct mr_query_type *type, duckdb_vector vector,
                      uint64_t row)
{
    const duckdb_list_entry *entries = duckdb_vector_get_data(vector);
    duckdb_vector pairs = duckdb_list_vector_get_child(vector);
    duckdb_vector keys = duckdb_struct_vector_get_child(pairs, 0);
    duckdb_vector values = duckdb_struct_vector_get_child(pairs, 1);

    mr_json_array_begin(out);
    for (uint64_t i = 0; i < entries[row].length; i++) {
        mr_json_object_begin(out);
        mr_json_key(out, "key");
        mr_query_cell_write(out, &type->children[0], keys, entries[row].offset + i);
        mr_json_key(out, "value");
        mr_query_cell_write(out, &type->children[1], values, entries[row].offset + i);
        mr_json_object_end(out);
    }
    mr_json_array_end(out);
}

static void write_nested(struct mr_json *out, const struct mr_query_type *type,
                         duckdb_vector vector, uint64_t row)
{
    if (type->id == DUCKDB_TYPE_LIST) {
        write_list(out, type, vector, row);
    } else if (type->id == DUCKDB_TYPE_MAP) {
        write_map(out, type, vector, row);
    } else if (type->id == DUCKDB_TYPE_ARRAY) {
        duckdb_vector child = duckdb_array_vector_get_child(vector);
        mr_json_array_begin(out);
        for (uint64_t i = 0; i < type->array_size; i++) {
            mr_query_cell_write(out, &type->children[0], child, row * type->array_size + i);
        }
        mr_json_array_end(out);
    } else if (type->id == DUCKDB_TYPE_STRUCT) {
        mr_json_object_begin(out);
        for (uint64_t i = 0; i < type->child_count; i++) {
            mr_json_key(out, type->names[i] == NULL ? "" : type->names[i]);
            mr_query_cell_write(out, &type->children[i], duckdb_struct_vector_get_child(vector, i),
                                row);
        }
        mr_json_object_end(out);
    } else {
        /* A union is a struct of a tag and the members. */
        MR_ASSERT(type->id == DUCKDB_TYPE_UNION);
        const uint8_t *tags = duckdb_vector_get_data(duckdb_struct_vector_get_child(vector, 0));
        MR_ASSERT(tags[row] < type->child_count);
        mr_query_cell_write(out, &type->children[tags[row]],
                            duckdb_struct_vector_get_child(vector, tags[row] + 1u), row);
    }
}

void mr_query_cell_write(struct mr_json *out, const struct mr_query_type *type,
                         duckdb_vector vector, uint64_t row)
{
    MR_ASSERT(type->is_supported);
    if (type->id == DUCKDB_TYPE_SQLNULL || !is_valid(vector, row)) {
        mr_json_null(out);
        return;
    }
    if (type->child_count > 0) {
        write_nested(out, type, vector, row);
        return;
    }
    const uint8_t *values = duckdb_vector_get_data(vector);
    if (!write_time(out, type->id, values, row) && !write_bytes(out, type, values, row)) {
        write_number(out, type, values, row);
    }
}
