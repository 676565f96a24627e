// SPDX-License-Identifier: MIT
/*
 * mysql_put_text.c - cells as the text protocol prints them: the snapshot's side.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "mysql_put.h"
#include "temporal.h"

#define FLOAT_TEXT_BYTES_MAX 400 /* double(255,30) prints some 310 digits */

static bool fail_text(const struct mr_mysql_column *column, struct mr_slice text,
                      struct mr_error *err)
{
    MR_ASSERT(column->core.source_type != NULL);
    const int shown = text.length > 60 ? 60 : (int)text.length;
    return mr_fail(err, MR_E_TYPE, MR_STOP, "\"%.*s\" is no %s", shown,
                   shown == 0 ? "" : (const char *)text.bytes, column->core.source_type);
}

/** Digits and nothing else, up to UINT64_MAX. */
static bool parse_digits(struct mr_slice text, uint64_t *value)
{
    MR_ASSERT(text.bytes != NULL || text.length == 0);
    uint64_t number = 0;
    for (size_t i = 0; i < text.length; i++) {
        const uint8_t c = text.bytes[i];
        const uint64_t digit = (uint64_t)c - '0';
        if (c < '0' || c > '9' || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *value = number;
    return text.length > 0;
}

MR_MYSQL_PUT(text_integer)
{
    const bool is_negative = bytes.length > 0 && bytes.bytes[0] == '-';
    const struct mr_slice digits = {bytes.bytes + (is_negative ? 1 : 0),
                                    bytes.length - (is_negative ? 1 : 0)};
    const unsigned bits = to->cells->width * 8u;
    const uint64_t limit = (UINT64_C(1) << (bits - 1)) - (is_negative ? 0 : 1);
    uint64_t magnitude = 0;
    MR_ASSERT(bits >= 8 && bits <= 64);
    if (!parse_digits(digits, &magnitude) || magnitude > limit) {
        return fail_text(column, bytes, err);
    }
    const uint64_t value = is_negative ? 0 - magnitude : magnitude;
    memcpy(to->cells->values + (size_t)to->row * to->cells->width, &value, to->cells->width);
    mr_put_valid(to->cells, to->row);
    return true;
}

MR_MYSQL_PUT(text_unsigned)
{
    const unsigned bits = to->cells->width * 8u;
    uint64_t value = 0;
    MR_ASSERT(bits >= 8 && bits <= 64);
    if (!parse_digits(bytes, &value) || (bits < 64 && value >> bits != 0)) {
        return fail_text(column, bytes, err);
    }
    memcpy(to->cells->values + (size_t)to->row * to->cells->width, &value, to->cells->width);
    mr_put_valid(to->cells, to->row);
    return true;
}

static bool parse_double(const struct mr_mysql_column *column, struct mr_slice text, double *value,
                         struct mr_error *err)
{
    MR_ASSERT(column->core.type == MR_TYPE_F32 || column->core.type == MR_TYPE_F64);
    char buffer[FLOAT_TEXT_BYTES_MAX];
    if (text.length == 0 || text.length >= sizeof(buffer)) {
        return fail_text(column, text, err);
    }
    memcpy(buffer, text.bytes, text.length);
    buffer[text.length] = '\0';
    char *end = NULL;
    const double number = strtod(buffer, &end);
    if (end != buffer + text.length || !isfinite(number) || strpbrk(buffer, "xXnN ") != NULL) {
        return fail_text(column, text, err);
    }
    *value = number;
    return true;
}

MR_MYSQL_PUT(text_f32)
{
    MR_ASSERT(to->cells->type == MR_TYPE_F32);
    double value = 0;
    if (!parse_double(column, bytes, &value, err)) {
        return false;
    }
    const float narrow = (float)value;
    if (!isfinite(narrow)) {
        return fail_text(column, bytes, err);
    }
    mr_put_f32(to->cells, to->row, narrow);
    return true;
}

MR_MYSQL_PUT(text_f64)
{
    MR_ASSERT(to->cells->type == MR_TYPE_F64);
    double value = 0;
    if (!parse_double(column, bytes, &value, err)) {
        return false;
    }
    mr_put_f64(to->cells, to->row, value);
    return true;
}

MR_MYSQL_PUT(text_decimal)
{
    MR_ASSERT(to->cells->type == MR_TYPE_DECIMAL);
    const struct mr_decimal_shape shape = {column->core.precision, column->core.scale};
    mr_i128 unscaled = 0;
    if (!mr_mysql_decimal_parse(bytes, shape, &unscaled, err)) {
        return false;
    }
    mr_put_decimal(to->cells, to->row, unscaled);
    return true;
}

/** Decimals beyond 38 digits stay text; only their form is checked. */
MR_MYSQL_PUT(text_decimal_as_text)
{
    size_t digits = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        const uint8_t c = bytes.bytes[i];
        digits += c >= '0' && c <= '9' ? 1 : 0;
        if ((c < '0' || c > '9') && c != '.' && !(c == '-' && i == 0)) {
            return fail_text(column, bytes, err);
        }
    }
    if (digits == 0) {
        return fail_text(column, bytes, err);
    }
    /* ZEROFILL (unsigned) pads with zeros that are not in the binlog. */
    size_t padding = 0;
    while (padding + 1 < bytes.length && bytes.bytes[padding] == '0' &&
           bytes.bytes[padding + 1] != '.') {
        padding++;
    }
    const struct mr_slice plain = {bytes.bytes + padding, bytes.length - padding};
    return mr_mysql_put_bytes(column, plain, to, err);
}

MR_MYSQL_PUT(text_date)
{
    MR_ASSERT(to->cells->type == MR_TYPE_DATE);
    (void)column;
    int32_t days = 0;
    if (!mr_mysql_date_parse(bytes, &days, err)) {
        return false;
    }
    mr_put_i32(to->cells, to->row, days);
    return true;
}

MR_MYSQL_PUT(text_datetime)
{
    (void)column;
    int64_t us = 0;
    if (!mr_mysql_datetime_parse(bytes, &us, err)) {
        return false;
    }
    mr_put_i64(to->cells, to->row, us);
    return true;
}

MR_MYSQL_PUT(text_time)
{
    MR_ASSERT(to->cells->type == MR_TYPE_DURATION);
    (void)column;
    int64_t us = 0;
    if (!mr_mysql_time_parse(bytes, &us, err)) {
        return false;
    }
    mr_put_i64(to->cells, to->row, us);
    return true;
}

MR_MYSQL_PUT(text_utf8)
{
    if (!mr_utf8_is_valid(bytes.bytes, bytes.length)) {
        return mr_fail(err, MR_E_TYPE, MR_STOP, "the text is not UTF-8");
    }
    return mr_mysql_put_bytes(column, bytes, to, err);
}

bool mr_mysql_put_text(const struct mr_mysql_column *column, const struct mr_mysql_cell *to,
                       struct mr_slice text, struct mr_error *err)
{
    MR_ASSERT(column->put_text != NULL);
    return column->put_text(column, text, to, err);
}
