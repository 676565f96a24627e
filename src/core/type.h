// SPDX-License-Identifier: MIT
/*
 * type.h - the core types: what a column's values look like between a source and a sink.
 *
 * Each has one physical form, chosen so that a columnar target can take it as it is:
 *
 *   type         bytes a cell  form
 *   BOOL         1             0 or 1
 *   I8..I64      1, 2, 4, 8    two's complement, native order
 *   U8..U64      1, 2, 4, 8
 *   F32, F64     4, 8          IEEE 754
 *   DECIMAL      2, 4, 8, 16   unscaled integer; width by precision: <= 4, 9, 18, 38 digits
 *   DATE         4             i32 days since 1970-01-01
 *   TIME         8             i64 microseconds since midnight, 0 .. 86,400,000,000
 *   DURATION     8             i64 microseconds, signed (MySQL TIME: -838:59:59 .. 838:59:59)
 *   INTERVAL     16            struct mr_interval: months, days and microseconds, each signed and
 *                              none turned into another
 *   TIMESTAMP    8             i64 microseconds since 1970-01-01 00:00, no zone
 *   TIMESTAMPTZ  8             i64 microseconds since 1970-01-01 00:00 UTC
 *   UUID         16            big-endian bytes
 *   TEXT         variable      UTF-8
 *   BYTES        variable      anything
 *   JSON         variable      UTF-8 JSON text
 *
 * A DATE, TIMESTAMP or TIMESTAMPTZ may be infinite: MR_DATE_INFINITY, MR_TIMESTAMP_INFINITY or the
 * negative of it, which no finite value has (the numbers are DuckDB's). The numbers below the
 * negative ones are not used.
 */
#ifndef MR_CORE_TYPE_H
#define MR_CORE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mr_type {
    MR_TYPE_BOOL = 1, /* numbers are written to the log: append only, never renumber */
    MR_TYPE_I8 = 2,
    MR_TYPE_I16 = 3,
    MR_TYPE_I32 = 4,
    MR_TYPE_I64 = 5,
    MR_TYPE_U8 = 6,
    MR_TYPE_U16 = 7,
    MR_TYPE_U32 = 8,
    MR_TYPE_U64 = 9,
    MR_TYPE_F32 = 10,
    MR_TYPE_F64 = 11,
    MR_TYPE_DECIMAL = 12,
    MR_TYPE_DATE = 13,
    MR_TYPE_TIME = 14,
    MR_TYPE_DURATION = 15,
    MR_TYPE_TIMESTAMP = 16,
    MR_TYPE_TIMESTAMPTZ = 17,
    MR_TYPE_UUID = 18,
    MR_TYPE_TEXT = 19,
    MR_TYPE_BYTES = 20,
    MR_TYPE_JSON = 21,
    MR_TYPE_INTERVAL = 22,
};

#define MR_TYPE_COUNT         23
#define MR_DECIMAL_DIGITS_MAX 38

#define MR_DATE_INFINITY      INT32_MAX
#define MR_TIMESTAMP_INFINITY INT64_MAX

/** A cell of type INTERVAL. */
struct mr_interval {
    int32_t months;
    int32_t days;
    int64_t us;
};

/** Bytes of one cell, or 0 for a variable-length type. precision matters for DECIMAL alone. */
size_t mr_type_width(enum mr_type type, unsigned precision);

static inline bool mr_type_is_variable(enum mr_type type)
{
    return type == MR_TYPE_TEXT || type == MR_TYPE_BYTES || type == MR_TYPE_JSON;
}

/** Stable lower-case name ("i64", "timestamptz"); NULL for a number that is no type. */
const char *mr_type_name(enum mr_type type);

#endif
