// SPDX-License-Identifier: MIT
/*
 * decimal.h - MySQL's packed DECIMAL and its text form.
 *
 * Packed: nine digits in four bytes, big-endian, the odd digits before and after in 1 to 4 bytes;
 * the first bit inverted is the sign, and a negative number has all bits inverted.
 *
 * Source: MySQL, strings/decimal.cc, decimal2bin().
 */
#ifndef MR_SOURCE_MYSQL_DECIMAL_H
#define MR_SOURCE_MYSQL_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "chunk.h"
#include "compiler.h"
#include "error.h"
#include "slice.h"

#define MR_MYSQL_DECIMAL_DIGITS_MAX     65
#define MR_MYSQL_DECIMAL_SCALE_MAX      30
#define MR_MYSQL_DECIMAL_TEXT_BYTES_MAX (MR_MYSQL_DECIMAL_DIGITS_MAX + 4) /* "-0." and a NUL */

struct mr_decimal_shape {
    uint8_t precision; /* 1 to 65 digits */
    uint8_t scale;     /* 0 to 30 of them after the point, <= precision */
};

/** Bytes of a packed decimal. */
uint32_t mr_mysql_decimal_size(struct mr_decimal_shape shape);

/**
 * Unpacks into an unscaled integer; precision <= MR_DECIMAL_DIGITS_MAX is the caller's to ensure.
 * Errors: MR_E_PROTOCOL, MR_STOP: digits that are none, or a wrong size.
 */
bool mr_mysql_decimal_unpack(struct mr_slice bytes, struct mr_decimal_shape shape,
                             mr_i128 *unscaled, struct mr_error *err) MR_MUST_CHECK;

/** Unpacks into text as the server prints it ("-0.50"), NUL-terminated; *length without it. */
bool mr_mysql_decimal_print(struct mr_slice bytes, struct mr_decimal_shape shape,
                            char text[MR_MYSQL_DECIMAL_TEXT_BYTES_MAX], size_t *length,
                            struct mr_error *err) MR_MUST_CHECK;

/**
 * Parses "[-]digits[.digits]" into an unscaled integer of the shape; fewer decimals than the scale
 * are filled with zeros, more must be zeros. Errors: MR_E_TYPE, MR_STOP.
 */
bool mr_mysql_decimal_parse(struct mr_slice text, struct mr_decimal_shape shape, mr_i128 *unscaled,
                            struct mr_error *err) MR_MUST_CHECK;

#endif
