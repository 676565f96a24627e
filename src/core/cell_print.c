// SPDX-License-Identifier: MIT
/*
 * cell_print.c - cells as text, for people and tests.
 *
 * Dates are of the proleptic Gregorian calendar; a year beyond four digits has a sign (ISO 8601,
 * expanded form). Fractions of a second are printed with six digits, and only where there are any.
 * Infinite dates and times are the numbers DuckDB uses for them: the largest of the type, and its
 * negative.
 */
#include "chunk.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

/* What snprintf does for one call, for several: counts on when the buffer is full. */
struct printer {
    char *buffer;
    size_t size;
    size_t length;
};

static void print_bytes(struct printer *out, const void *bytes, size_t length)
{
    if (out->length < out->size) {
        const size_t room = out->size - out->length;
        memcpy(out->buffer + out->length, bytes, length < room ? length : room);
    }
    out->length += length;
}

static void print_text(struct printer *out, const char *text)
{
    print_bytes(out, text, strlen(text));
}

MR_PRINTF(2, 3)
static void print_format(struct printer *out, const char *format, ...)
{
    char text[96];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    MR_ASSERT(length >= 0 && (size_t)length < sizeof(text));
    print_bytes(out, text, (size_t)length);
}

static int64_t floor_divide(int64_t number, int64_t by)
{
    return number / by - (number % by < 0 ? 1 : 0);
}

/*
 * Days since 1970 to year, month, day. After Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days: eras of 400 years, years that begin in March.
 */
static void print_date(struct printer *out, int64_t days)
{
    days += 719468;
    const int64_t era = floor_divide(days, 146097);
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const int day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    const int month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    MR_ASSERT(day >= 1 && day <= 31 && month >= 1 && month <= 12);
    if (year >= 0 && year <= 9999) {
        print_format(out, "%04d-%02d-%02d", (int)year, month, day);
    } else {
        print_format(out, "%c%04" PRId64 "-%02d-%02d", year < 0 ? '-' : '+',
                     year < 0 ? -year : year, month, day);
    }
}

/* Hours may have more than two digits: a duration. us is not negative. */
static void print_clock(struct printer *out, uint64_t us)
{
    const uint64_t seconds = us / (uint64_t)SECOND_US;
    print_format(out, "%02" PRIu64 ":%02u:%02u", seconds / 3600, (unsigned)(seconds / 60 % 60),
                 (unsigned)(seconds % 60));
    if (us % (uint64_t)SECOND_US != 0) {
        print_format(out, ".%06u", (unsigned)(us % (uint64_t)SECOND_US));
    }
}

static void print_timestamp(struct printer *out, int64_t us, const char *zone)
{
    if (us == INT64_MAX || us == -INT64_MAX) {
        print_text(out, us > 0 ? "infinity" : "-infinity");
        return;
    }
    const int64_t days = floor_divide(us, DAY_US);
    print_date(out, days);
    print_text(out, "T");
    /* The first day of the range begins before it: its product does not fit 64 bits. */
    const int64_t in_day = us % DAY_US;
    print_clock(out, (uint64_t)(in_day < 0 ? in_day + DAY_US : in_day));
    print_text(out, zone);
}

__extension__ typedef unsigned __int128 uint128;

static void print_decimal(struct printer *out, mr_i128 unscaled, unsigned scale)
{
    uint128 left = unscaled < 0 ? -(uint128)unscaled : (uint128)unscaled;
    char text[96];
    size_t at = sizeof(text);
    MR_ASSERT(scale <= MR_DECIMAL_DIGITS_MAX);
    for (unsigned digit = 0; left != 0 || digit <= scale; digit++) {
        if (digit == scale && scale > 0) {
            text[--at] = '.';
        }
        text[--at] = (char)('0' + (unsigned)(left % 10));
        left /= 10;
    }
    if (unscaled < 0) {
        text[--at] = '-';
    }
    print_bytes(out, text + at, sizeof(text) - at);
}

/* The shortest digits that read back as the same number; `single` has 24 bits of them. */
static void print_real(struct printer *out, double number, bool single)
{
    if (isnan(number) || isinf(number)) {
        print_text(out, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    char text[48];
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
        const double read = single ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (read == number) {
            break;
        }
    }
    print_text(out, text);
}

/* RFC 4648, section 4, with padding. */
static void print_base64(struct printer *out, struct mr_slice cell)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    for (size_t i = 0; i < cell.length; i += 3) {
        const size_t left = cell.length - i;
        const uint32_t bits = (uint32_t)cell.bytes[i] << 16 |
                              (left > 1 ? (uint32_t)cell.bytes[i + 1] << 8 : 0) |
                              (left > 2 ? cell.bytes[i + 2] : 0);
        const char group[4] = {
            alphabet[bits >> 18],
            alphabet[bits >> 12 & 63],
            alphabet[left > 1 ? bits >> 6 & 63 : 64],
            alphabet[left > 2 ? bits & 63 : 64],
        };
        print_bytes(out, group, sizeof(group));
    }
}

static void print_uuid(struct printer *out, struct mr_slice cell)
{
    MR_ASSERT(cell.length == 16);
    for (size_t i = 0; i < cell.length; i++) {
        const bool is_after_group = i == 4 || i == 6 || i == 8 || i == 10;
        print_format(out, "%s%02x", is_after_group ? "-" : "", cell.bytes[i]);
    }
}

static int64_t read_signed(struct mr_slice cell)
{
    int64_t number = 0;
    MR_ASSERT(cell.length > 0 && cell.length <= sizeof(number));
    memcpy(&number, cell.bytes, cell.length);
    const unsigned shift = 64 - 8 * (unsigned)cell.length;
    return (int64_t)((uint64_t)number << shift) >> shift;
}

static uint64_t read_unsigned(struct mr_slice cell)
{
    uint64_t number = 0;
    MR_ASSERT(cell.length > 0 && cell.length <= sizeof(number));
    memcpy(&number, cell.bytes, cell.length);
    return number;
}

static mr_i128 read_decimal(struct mr_slice cell)
{
    if (cell.length < sizeof(mr_i128)) {
        return read_signed(cell);
    }
    mr_i128 number;
    memcpy(&number, cell.bytes, sizeof(number));
    return number;
}

static void print_time_value(struct printer *out, enum mr_type type, int64_t number)
{
    if (type == MR_TYPE_DATE) {
        if (number == INT32_MAX || number == -INT32_MAX) {
            print_text(out, number > 0 ? "infinity" : "-infinity");
            return;
        }
        print_date(out, number);
    } else if (type == MR_TYPE_TIMESTAMP || type == MR_TYPE_TIMESTAMPTZ) {
        print_timestamp(out, number, type == MR_TYPE_TIMESTAMPTZ ? "Z" : "");
    } else {
        print_text(out, number < 0 ? "-" : "");
        print_clock(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
    }
}

static void print_part(struct printer *out, int64_t value, char unit)
{
    if (value != 0) {
        print_format(out, "%" PRId64 "%c", value, unit);
    }
}

/* ISO 8601, with a sign at each part: "P1Y2M-3DT4H-5.5S"; "PT0S" for nothing at all. */
static void print_interval(struct printer *out, struct mr_interval interval)
{
    const int64_t seconds = interval.us / SECOND_US;
    const int64_t fraction = interval.us % SECOND_US;
    print_text(out, "P");
    print_part(out, interval.months / 12, 'Y');
    print_part(out, interval.months % 12, 'M');
    print_part(out, interval.days, 'D');
    if (interval.us == 0 && (interval.months != 0 || interval.days != 0)) {
        return;
    }
    print_text(out, "T");
    print_part(out, seconds / 3600, 'H');
    print_part(out, seconds / 60 % 60, 'M');
    if (fraction != 0) {
        print_format(out, "%s%d.%06dS", fraction < 0 ? "-" : "", abs((int)(seconds % 60)),
                     abs((int)fraction));
    } else if (seconds % 60 != 0 || seconds == 0) {
        print_format(out, "%dS", (int)(seconds % 60));
    }
}

static void print_value(struct printer *out, const struct mr_column *column, enum mr_type type,
                        struct mr_slice cell)
{
    float single;
    double real;
    struct mr_interval interval;
    switch (type) {
    case MR_TYPE_BOOL:
        print_text(out, cell.bytes[0] != 0 ? "true" : "false");
        return;
    case MR_TYPE_I8:
    case MR_TYPE_I16:
    case MR_TYPE_I32:
    case MR_TYPE_I64:
        print_format(out, "%" PRId64, read_signed(cell));
        return;
    case MR_TYPE_U8:
    case MR_TYPE_U16:
    case MR_TYPE_U32:
    case MR_TYPE_U64:
        print_format(out, "%" PRIu64, read_unsigned(cell));
        return;
    case MR_TYPE_F32:
        memcpy(&single, cell.bytes, sizeof(single));
        print_real(out, (double)single, true);
        return;
    case MR_TYPE_F64:
        memcpy(&real, cell.bytes, sizeof(real));
        print_real(out, real, false);
        return;
    case MR_TYPE_DECIMAL:
        print_decimal(out, read_decimal(cell), column->scale);
        return;
    case MR_TYPE_DATE:
    case MR_TYPE_TIME:
    case MR_TYPE_DURATION:
    case MR_TYPE_TIMESTAMP:
    case MR_TYPE_TIMESTAMPTZ:
        print_time_value(out, type, read_signed(cell));
        return;
    case MR_TYPE_INTERVAL:
        memcpy(&interval, cell.bytes, sizeof(interval));
        print_interval(out, interval);
        return;
    case MR_TYPE_UUID:
        print_uuid(out, cell);
        return;
    case MR_TYPE_TEXT:
    case MR_TYPE_JSON:
        print_bytes(out, cell.bytes, cell.length);
        return;
    case MR_TYPE_BYTES:
        print_base64(out, cell);
        return;
    }
}

size_t mr_cell_print(const struct mr_column *column, const struct mr_column_chunk *chunk,
                     uint32_t row, char *buffer, size_t size)
{
    MR_ASSERT(buffer != NULL || size == 0);
    MR_ASSERT(column->type == (enum mr_type)chunk->type);
    struct printer out = {.buffer = buffer, .size = size == 0 ? 0 : size - 1};
    switch (mr_cell_state(chunk, row)) {
    case MR_CELL_VALUE:
        print_value(&out, column, (enum mr_type)chunk->type, mr_cell(chunk, row));
        break;
    case MR_CELL_NULL:
        print_text(&out, "null");
        break;
    case MR_CELL_UNCHANGED:
        print_text(&out, "unchanged");
        break;
    case MR_CELL_ABSENT:
        print_text(&out, "absent");
        break;
    }
    if (size > 0) {
        buffer[out.length < size ? out.length : size - 1] = '\0';
    }
    return out.length;
}
