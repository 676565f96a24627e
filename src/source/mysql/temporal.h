// SPDX-License-Identifier: MIT
/*
 * temporal.h - MySQL's dates and times, from the binlog and from text, as core values.
 *
 * Formats since 5.6 (MySQL, mysys/my_time.cc, my_datetime_packed_from_binary and its neighbours):
 *   DATE        u24 little-endian: day 5 bits, month 4, year 15
 *   DATETIME2   u40 big-endian - 0x8000000000: year * 13 + month 17 bits, day 5, hour 5, minute 6,
 *               second 6; then the fraction
 *   TIMESTAMP2  u32 big-endian seconds since 1970 UTC; then the fraction
 *   TIME2       u24 big-endian - 0x800000: hour 10 bits, minute 6, second 6; then the fraction;
 *               whole and fraction count as one signed number
 *   fraction    (f + 1) / 2 bytes big-endian, f = 0 .. 6, in units of 10^-2, 10^-4, 10^-6 s
 *
 * '0000-00-00', months or days that are zero, and days the month does not have are values MySQL
 * stores and the core's dates cannot hold: MR_E_TYPE, MR_STOP, with the value in the message. As
 * parts and as text there is nothing that does not fit.
 */
#ifndef MR_SOURCE_MYSQL_TEMPORAL_H
#define MR_SOURCE_MYSQL_TEMPORAL_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"

#define MR_MYSQL_FRACTION_DIGITS_MAX 6

struct mr_mysql_civil {
    uint32_t year, month, day, hour, minute, second, us;
};

/** Bytes of a fraction with that many digits, 0 to 6. */
static inline uint32_t mr_mysql_fraction_size(unsigned digits)
{
    return (digits + 1) / 2;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar, years 0 to 9999. */
int32_t mr_days_from_civil(uint32_t year, uint32_t month, uint32_t day);

/* From the binlog. `digits` is the column's fraction, 0 to 6; sizes must match (MR_E_PROTOCOL). */
bool mr_mysql_date_unpack(struct mr_slice bytes, int32_t *days, struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_datetime_unpack(struct mr_slice bytes, unsigned digits, int64_t *us,
                              struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_timestamp_unpack(struct mr_slice bytes, unsigned digits, int64_t *us,
                               struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_time_unpack(struct mr_slice bytes, unsigned digits, int64_t *us,
                          struct mr_error *err) MR_MUST_CHECK;

/* The same as parts, whatever they say: '0000-00-00' and the 31st of February too. */
bool mr_mysql_date_split(struct mr_slice bytes, struct mr_mysql_civil *civil,
                         struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_datetime_split(struct mr_slice bytes, unsigned digits, struct mr_mysql_civil *civil,
                             struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_timestamp_split(struct mr_slice bytes, unsigned digits, struct mr_mysql_civil *civil,
                              struct mr_error *err) MR_MUST_CHECK;

#define MR_MYSQL_CIVIL_TEXT_BYTES 80 /* more than any parts print */

/* As the server prints them, with `digits` of the fraction. */
void mr_mysql_date_print(const struct mr_mysql_civil *civil, char text[MR_MYSQL_CIVIL_TEXT_BYTES]);
void mr_mysql_datetime_print(const struct mr_mysql_civil *civil, unsigned digits,
                             char text[MR_MYSQL_CIVIL_TEXT_BYTES]);

/* From text: "YYYY-MM-DD", "YYYY-MM-DD HH:MM:SS[.ffffff]", "[-]H+:MM:SS[.ffffff]". */
bool mr_mysql_date_parse(struct mr_slice text, int32_t *days, struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_datetime_parse(struct mr_slice text, int64_t *us, struct mr_error *err) MR_MUST_CHECK;
bool mr_mysql_time_parse(struct mr_slice text, int64_t *us, struct mr_error *err) MR_MUST_CHECK;

/*
 * The packed form inside binary JSON: i64, (value << 24) + microseconds. For dates and datetimes
 * value is as in DATETIME2 without its offset, for times as in TIME2. Nothing is refused here but
 * what no server writes: JSON is text, so '0000-00-00' prints.
 */
struct mr_mysql_civil mr_mysql_packed_datetime(int64_t packed);
struct mr_mysql_civil mr_mysql_packed_time(int64_t packed, bool *is_negative);

#endif
