// SPDX-License-Identifier: MIT
/*
 * decimal.c - packed decimals, group by group.
 *
 * A number is a run of groups: the odd digits before the point, nine at a time up to the point,
 * nine at a time behind it, the odd digits at the end.
 */
#include "decimal.h"

#include <string.h>

#define GROUP_DIGITS 9
#define GROUPS_MAX   (MR_MYSQL_DECIMAL_DIGITS_MAX / GROUP_DIGITS + 3)

static const uint8_t group_size[GROUP_DIGITS + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const uint32_t powers_of_ten[GROUP_DIGITS + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

struct groups {
    uint32_t values[GROUPS_MAX];
    uint8_t digits[GROUPS_MAX];
    uint32_t count;
    bool is_negative;
};

uint32_t mr_mysql_decimal_size(struct mr_decimal_shape shape)
{
    MR_ASSERT(shape.scale <= shape.precision && shape.precision <= MR_MYSQL_DECIMAL_DIGITS_MAX);
    const uint32_t whole = (uint32_t)(shape.precision - shape.scale);
    return whole / GROUP_DIGITS * 4 + group_size[whole % GROUP_DIGITS] +
           shape.scale / GROUP_DIGITS * 4 + group_size[shape.scale % GROUP_DIGITS];
}

/** Reads a group of `digits` digits at *at; false when it holds a larger number. */
static bool read_group(struct mr_slice bytes, size_t *at, uint8_t digits, struct groups *groups)
{
    MR_ASSERT(digits >= 1 && digits <= GROUP_DIGITS && groups->count < GROUPS_MAX);
    const uint32_t size = group_size[digits];
    uint32_t value = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = bytes.bytes[*at + i];
        byte = *at + i == 0 ? byte ^ 0x80 : byte;
        value = value << 8 | (groups->is_negative ? (uint8_t)~byte : byte);
    }
    *at += size;
    groups->values[groups->count] = value;
    groups->digits[groups->count] = digits;
    groups->count++;
    return value < powers_of_ten[digits];
}

static bool read_groups(struct mr_slice bytes, struct mr_decimal_shape shape, struct groups *groups,
                        struct mr_error *err)
{
    if (bytes.length != mr_mysql_decimal_size(shape) || bytes.length == 0) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "decimal(%u,%u) in %zu bytes", shape.precision,
                       shape.scale, bytes.length);
    }
    const uint8_t whole = (uint8_t)(shape.precision - shape.scale);
    const uint8_t lead = whole % GROUP_DIGITS;
    const uint8_t tail = shape.scale % GROUP_DIGITS;
    const uint32_t full = (uint32_t)(whole / GROUP_DIGITS + shape.scale / GROUP_DIGITS);
    size_t at = 0;
    groups->count = 0;
    groups->is_negative = (bytes.bytes[0] & 0x80) == 0;
    bool good = lead == 0 || read_group(bytes, &at, lead, groups);
    for (uint32_t i = 0; i < full; i++) {
        good = read_group(bytes, &at, GROUP_DIGITS, groups) && good;
    }
    good = (tail == 0 || read_group(bytes, &at, tail, groups)) && good;
    MR_ASSERT(at == bytes.length && groups->count <= GROUPS_MAX);
    return good || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "decimal(%u,%u): digits past 9",
                           shape.precision, shape.scale);
}

bool mr_mysql_decimal_unpack(struct mr_slice bytes, struct mr_decimal_shape shape,
                             mr_i128 *unscaled, struct mr_error *err)
{
    MR_ASSERT(shape.precision <= MR_DECIMAL_DIGITS_MAX);
    struct groups groups = {0};
    if (!read_groups(bytes, shape, &groups, err)) {
        return false;
    }
    if (shape.precision <= 18) {
        int64_t small = 0;
        for (uint32_t i = 0; i < groups.count; i++) {
            small = small * powers_of_ten[groups.digits[i]] + groups.values[i];
        }
        *unscaled = groups.is_negative ? -small : small;
        return true;
    }
    mr_i128 value = 0;
    for (uint32_t i = 0; i < groups.count; i++) {
        value = value * powers_of_ten[groups.digits[i]] + groups.values[i];
    }
    *unscaled = groups.is_negative ? -value : value;
    return true;
}

bool mr_mysql_decimal_print(struct mr_slice bytes, struct mr_decimal_shape shape,
                            char text[MR_MYSQL_DECIMAL_TEXT_BYTES_MAX], size_t *length,
                            struct mr_error *err)
{
    struct groups groups = {0};
    if (!read_groups(bytes, shape, &groups, err)) {
        return false;
    }
    char digits[MR_MYSQL_DECIMAL_DIGITS_MAX] = {0};
    size_t count = 0;
    bool is_zero = true;
    for (uint32_t i = 0; i < groups.count; i++) {
        uint32_t value = groups.values[i];
        is_zero = is_zero && value == 0;
        for (size_t j = groups.digits[i]; j > 0; j--) {
            digits[count + j - 1] = (char)('0' + value % 10);
            value /= 10;
        }
        count += groups.digits[i];
    }
    MR_ASSERT(count == shape.precision);

    const size_t whole = (size_t)(shape.precision - shape.scale);
    size_t first = 0;
    while (first + 1 < whole && digits[first] == '0') {
        first++;
    }
    size_t at = 0;
    if (groups.is_negative && !is_zero) {
        text[at++] = '-';
    }
    if (whole == 0) {
        text[at++] = '0';
    }
    memcpy(text + at, digits + first, whole - first);
    at += whole - first;
    if (shape.scale > 0) {
        text[at++] = '.';
        memcpy(text + at, digits + whole, shape.scale);
        at += shape.scale;
    }
    text[at] = '\0';
    *length = at;
    return true;
}

static bool fail_text(struct mr_slice text, struct mr_decimal_shape shape, struct mr_error *err)
{
    const int shown = text.length > 80 ? 80 : (int)text.length;
    return mr_fail(err, MR_E_TYPE, MR_STOP, "\"%.*s\" is no decimal(%u,%u)", shown,
                   shown == 0 ? "" : (const char *)text.bytes, shape.precision, shape.scale);
}

/* A decimal's text, digit by digit. */
struct digits {
    mr_i128 value;
    unsigned count; /* significant ones */
    unsigned scale; /* of them, or of zeros, after the point */
    bool any;
    bool point;
};

/** Takes one more character; false when it has no place in a decimal of the shape. */
static bool take_character(struct digits *digits, uint8_t c, struct mr_decimal_shape shape)
{
    MR_ASSERT(digits->count <= shape.precision && digits->scale <= shape.scale);
    if (c == '.' && !digits->point) {
        digits->point = true;
        return true;
    }
    if (c < '0' || c > '9') {
        return false;
    }
    digits->any = true;
    if (digits->point && digits->scale == shape.scale) {
        return c == '0'; /* past the scale there may be zeros */
    }
    digits->scale += digits->point ? 1 : 0;
    digits->count += digits->count > 0 || c != '0' ? 1 : 0;
    if (digits->count > shape.precision) {
        return false;
    }
    digits->value = digits->value * 10 + (c - '0');
    return true;
}

bool mr_mysql_decimal_parse(struct mr_slice text, struct mr_decimal_shape shape, mr_i128 *unscaled,
                            struct mr_error *err)
{
    MR_ASSERT(shape.precision <= MR_DECIMAL_DIGITS_MAX && shape.scale <= shape.precision);
    const bool is_negative = text.length > 0 && text.bytes[0] == '-';
    struct digits digits = {0};
    for (size_t i = is_negative ? 1 : 0; i < text.length; i++) {
        if (!take_character(&digits, text.bytes[i], shape)) {
            return fail_text(text, shape, err);
        }
    }
    digits.point = true;
    while (digits.any && digits.scale < shape.scale) {
        if (!take_character(&digits, '0', shape)) {
            return fail_text(text, shape, err);
        }
    }
    if (!digits.any) {
        return fail_text(text, shape, err);
    }
    *unscaled = is_negative ? -digits.value : digits.value;
    return true;
}
