// SPDX-License-Identifier: MIT
/*
 * pg_numeric.h - PostgreSQL's binary numeric: to a fixed-point integer, or to text without loss.
 */
#ifndef MR_SOURCE_POSTGRES_PG_NUMERIC_H
#define MR_SOURCE_POSTGRES_PG_NUMERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunk.h"
#include "compiler.h"
#include "slice.h"

enum mr_pg_numeric_kind {
    MR_PG_NUMERIC_FINITE,
    MR_PG_NUMERIC_NAN,
    MR_PG_NUMERIC_INFINITY,
    MR_PG_NUMERIC_MINUS_INFINITY,
    MR_PG_NUMERIC_MALFORMED, /* not the bytes of a numeric */
};

/** A numeric taken apart; `digits` borrows the wire's bytes (two each, big-endian, 0 to 9999). */
struct mr_pg_numeric {
    const uint8_t *digits;
    uint32_t digit_count;
    int32_t weight; /* of the first digit: its value is digit * 10000^weight */
    uint32_t scale; /* digits shown after the point */
    bool negative;
};

/** Takes the wire form apart; *numeric is set for FINITE alone. */
enum mr_pg_numeric_kind mr_pg_numeric_parse(struct mr_slice wire, struct mr_pg_numeric *numeric);

/**
 * The value times 10^scale. False, with *unscaled untouched, when that is not a whole number or has
 * more than `precision` (at most 38) digits.
 */
bool mr_pg_numeric_unscaled(const struct mr_pg_numeric *numeric, unsigned precision, unsigned scale,
                            mr_i128 *unscaled) MR_MUST_CHECK;

/** Length of the text form, as numeric_out() of the server prints it. */
size_t mr_pg_numeric_text_length(const struct mr_pg_numeric *numeric);

/** Writes the text form: exactly mr_pg_numeric_text_length() bytes, no NUL. */
void mr_pg_numeric_text(const struct mr_pg_numeric *numeric, uint8_t *text);

#endif
