// SPDX-License-Identifier: MIT
/*
 * pg_numeric.c - PostgreSQL's binary numeric.
 *
 *   numeric := i16 digit_count, i16 weight, u16 sign, u16 scale, u16 digits[digit_count]
 *
 * all big-endian; a digit counts in base 10,000 and the first one is worth 10000^weight. Signs:
 * 0x0000 plus, 0x4000 minus, 0xC000 NaN, 0xD000 infinity, 0xF000 minus infinity (14 and later).
 * `scale` is how many decimal digits are shown after the point; digits past the last one sent are
 * zero, and so are those before the first.
 *
 * Bounds: weight and scale are limited by the server (131,072 digits before the point, 16,383
 * after), so that a printed numeric never exceeds TEXT_DIGITS_MAX; a wire that says otherwise is
 * malformed.
 *
 * Source: PostgreSQL, src/backend/utils/adt/numeric.c, numeric_recv() and the comment above
 * NumericVar.
 */
#include "pg_numeric.h"

#include <string.h>

#include "reader.h"

#define BASE              10000
#define BASE_DIGITS       4
#define SIGN_PLUS         0x0000
#define SIGN_MINUS        0x4000
#define SIGN_NAN          0xC000
#define SIGN_INFINITY     0xD000
#define SIGN_MINUS_INF    0xF000
#define SCALE_MAX         16383
#define WEIGHT_MAX        32767
#define HEADER_BYTES      8
#define DIGIT_COUNT_FAST  4 /* 10^16 fits 64 bits */
#define DECIMAL_POWER_MAX 38

static unsigned digit_at(const struct mr_pg_numeric *numeric, uint32_t index)
{
    MR_ASSERT(index < numeric->digit_count);
    const uint8_t *digit = numeric->digits + (size_t)index * 2;
    return (unsigned)digit[0] << 8 | digit[1];
}

enum mr_pg_numeric_kind mr_pg_numeric_parse(struct mr_slice wire, struct mr_pg_numeric *numeric)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const uint16_t digit_count = mr_read_u16_be(&in);
    const int16_t weight = (int16_t)mr_read_u16_be(&in);
    const uint16_t sign = mr_read_u16_be(&in);
    const uint16_t scale = mr_read_u16_be(&in);

    if (!mr_reader_ok(&in) || mr_reader_left(&in) != (size_t)digit_count * 2) {
        return MR_PG_NUMERIC_MALFORMED;
    }
    if (sign != SIGN_PLUS && sign != SIGN_MINUS) {
        if (digit_count != 0) {
            return MR_PG_NUMERIC_MALFORMED;
        }
        return sign == SIGN_NAN         ? MR_PG_NUMERIC_NAN
               : sign == SIGN_INFINITY  ? MR_PG_NUMERIC_INFINITY
               : sign == SIGN_MINUS_INF ? MR_PG_NUMERIC_MINUS_INFINITY
                                        : MR_PG_NUMERIC_MALFORMED;
    }
    const struct mr_pg_numeric parsed = {
        .digits = mr_read_bytes(&in, (size_t)digit_count * 2),
        .digit_count = digit_count,
        .weight = weight,
        .scale = scale,
        .negative = sign == SIGN_MINUS,
    };
    bool ok = scale <= SCALE_MAX;
    for (uint32_t i = 0; i < digit_count; i++) {
        ok = ok && digit_at(&parsed, i) < BASE;
    }
    if (!ok) {
        return MR_PG_NUMERIC_MALFORMED;
    }
    *numeric = parsed;
    return MR_PG_NUMERIC_FINITE;
}

static mr_i128 power_of_ten(unsigned exponent)
{
    MR_ASSERT(exponent <= DECIMAL_POWER_MAX);
    static const uint64_t powers[] = {
        UINT64_C(1),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    return exponent < MR_ARRAY_LEN(powers) ? (mr_i128)powers[exponent]
                                           : (mr_i128)powers[19] * (mr_i128)powers[exponent - 19];
}

/*
 * Adds up the digits; the last one is divided by 10^drop (it may reach past the column's scale, and
 * must then end in zeros). False when the sum does not fit 38 digits or does not divide.
 */
static bool sum_digits(const struct mr_pg_numeric *numeric, unsigned drop, mr_i128 *sum)
{
    MR_ASSERT(drop < BASE_DIGITS && numeric->digit_count > 0);
    const mr_i128 most = power_of_ten(DECIMAL_POWER_MAX);
    const unsigned divisor = (unsigned)power_of_ten(drop);
    const unsigned factor = BASE / divisor;
    const uint32_t last = numeric->digit_count - 1;
    mr_i128 total = 0;
    if (numeric->digit_count <= DIGIT_COUNT_FAST) {
        uint64_t small = 0;
        for (uint32_t i = 0; i < last; i++) {
            small = small * BASE + digit_at(numeric, i);
        }
        total = (mr_i128)small;
    } else {
        for (uint32_t i = 0; i < last; i++) {
            if (total > most / BASE) {
                return false;
            }
            total = total * BASE + (mr_i128)digit_at(numeric, i);
        }
    }
    const unsigned digit = digit_at(numeric, last);
    if (digit % divisor != 0 || total > most / (mr_i128)factor) {
        return false;
    }
    *sum = total * (mr_i128)factor + (mr_i128)(digit / divisor);
    return true;
}

/* The same number without leading and trailing zero digits. */
static struct mr_pg_numeric strip_zeros(const struct mr_pg_numeric *numeric)
{
    MR_ASSERT(numeric->scale <= SCALE_MAX);
    struct mr_pg_numeric stripped = *numeric;
    while (stripped.digit_count > 0 && digit_at(&stripped, stripped.digit_count - 1) == 0) {
        stripped.digit_count--;
    }
    while (stripped.digit_count > 0 && digit_at(&stripped, 0) == 0) {
        stripped.digits += 2;
        stripped.digit_count--;
        stripped.weight--;
    }
    return stripped;
}

bool mr_pg_numeric_unscaled(const struct mr_pg_numeric *numeric, unsigned precision, unsigned scale,
                            mr_i128 *unscaled)
{
    MR_ASSERT(precision > 0 && precision <= DECIMAL_POWER_MAX && scale <= precision);
    const struct mr_pg_numeric stripped = strip_zeros(numeric);
    if (stripped.digit_count == 0) {
        *unscaled = 0;
        return true;
    }
    /* What the sum of the digits, taken as one integer, is to be multiplied with: 10^exponent. */
    const int32_t exponent =
        BASE_DIGITS * (stripped.weight - (int32_t)(stripped.digit_count - 1)) + (int32_t)scale;
    if (exponent <= -BASE_DIGITS || exponent > DECIMAL_POWER_MAX) {
        return false;
    }
    mr_i128 sum = 0;
    if (!sum_digits(&stripped, exponent < 0 ? (unsigned)-exponent : 0, &sum)) {
        return false;
    }
    const mr_i128 bound = power_of_ten(precision);
    const mr_i128 factor = power_of_ten(exponent < 0 ? 0 : (unsigned)exponent);
    if (sum > (bound - 1) / factor) {
        return false;
    }
    sum *= factor;
    *unscaled = numeric->negative ? -sum : sum;
    return true;
}

size_t mr_pg_numeric_text_length(const struct mr_pg_numeric *numeric)
{
    MR_ASSERT(numeric->scale <= SCALE_MAX);
    size_t length = numeric->negative ? 1 : 0;
    if (numeric->weight < 0 || numeric->digit_count == 0) {
        length++;
    } else {
        const unsigned first = digit_at(numeric, 0);
        length += (size_t)numeric->weight * BASE_DIGITS;
        length += first >= 1000 ? 4 : first >= 100 ? 3 : first >= 10 ? 2 : 1;
    }
    return length + (numeric->scale > 0 ? 1 + numeric->scale : 0);
}

static void put_four(uint8_t *text, unsigned digit)
{
    MR_ASSERT(digit < BASE);
    text[0] = (uint8_t)('0' + digit / 1000);
    text[1] = (uint8_t)('0' + digit / 100 % 10);
    text[2] = (uint8_t)('0' + digit / 10 % 10);
    text[3] = (uint8_t)('0' + digit % 10);
}

/* The digit worth 10000^power; zero outside those that were sent. */
static unsigned digit_of_power(const struct mr_pg_numeric *numeric, int32_t power)
{
    MR_ASSERT(numeric->digit_count <= UINT16_MAX);
    const int32_t index = numeric->weight - power;
    return index < 0 || index >= (int32_t)numeric->digit_count ? 0
                                                               : digit_at(numeric, (uint32_t)index);
}

/* The point and `scale` digits after it; the answer is the place behind them. */
static uint8_t *put_fraction(const struct mr_pg_numeric *numeric, uint8_t *at)
{
    MR_ASSERT(numeric->scale > 0);
    uint8_t four[BASE_DIGITS];
    *at++ = '.';
    for (uint32_t written = 0; written < numeric->scale; written += BASE_DIGITS) {
        const uint32_t left = numeric->scale - written;
        put_four(four, digit_of_power(numeric, -1 - (int32_t)(written / BASE_DIGITS)));
        memcpy(at, four, left < BASE_DIGITS ? left : BASE_DIGITS);
        at += left < BASE_DIGITS ? left : BASE_DIGITS;
    }
    return at;
}

void mr_pg_numeric_text(const struct mr_pg_numeric *numeric, uint8_t *text)
{
    uint8_t *at = text;
    uint8_t four[BASE_DIGITS];
    MR_ASSERT(numeric->weight <= WEIGHT_MAX);

    if (numeric->negative) {
        *at++ = '-';
    }
    if (numeric->weight < 0 || numeric->digit_count == 0) {
        *at++ = '0';
    } else {
        put_four(four, digit_at(numeric, 0));
        const unsigned zeros = four[0] != '0' ? 0 : four[1] != '0' ? 1 : four[2] != '0' ? 2 : 3;
        memcpy(at, four + zeros, BASE_DIGITS - zeros);
        at += BASE_DIGITS - zeros;
        for (int32_t power = numeric->weight - 1; power >= 0; power--) {
            put_four(at, digit_of_power(numeric, power));
            at += BASE_DIGITS;
        }
    }
    if (numeric->scale > 0) {
        at = put_fraction(numeric, at);
    }
    MR_ASSERT((size_t)(at - text) == mr_pg_numeric_text_length(numeric));
}
