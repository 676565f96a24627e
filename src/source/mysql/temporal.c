// SPDX-License-Identifier: MIT
/*
 * temporal.c - dates and times, packed and printed, to days and microseconds.
 */
#include "temporal.h"

#include <stdio.h>
#include <time.h>

#define US_PER_SECOND  INT64_C(1000000)
#define US_PER_DAY     (INT64_C(86400) * US_PER_SECOND)
#define DATETIME_ZERO  INT64_C(0x8000000000)
#define TIME_HOURS_MAX 838

static const uint32_t fraction_units[MR_MYSQL_FRACTION_DIGITS_MAX + 1] = {0,   10000, 10000, 100,
                                                                          100, 1,     1};

int32_t mr_days_from_civil(uint32_t year, uint32_t month, uint32_t day)
{
    MR_ASSERT(year <= 9999 && month >= 1 && month <= 12);
    /* Years start in March, so that the leap day is the last; eras are 400 years. */
    const int32_t y = (int32_t)year - (month <= 2 ? 1 : 0);
    const int32_t era = (y >= 0 ? y : y - 399) / 400;
    const int32_t year_of_era = y - era * 400;
    const int32_t shifted = (int32_t)month + (month > 2 ? -3 : 9);
    const int32_t day_of_year = (153 * shifted + 2) / 5 + (int32_t)day - 1;
    const int32_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    MR_ASSERT(month >= 1 && month <= 12);
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool is_real_date(const struct mr_mysql_civil *civil)
{
    return civil->year <= 9999 && civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
           civil->day <= days_of_month(civil->year, civil->month);
}

static bool is_real_clock(const struct mr_mysql_civil *civil)
{
    return civil->hour <= 23 && civil->minute <= 59 && civil->second <= 59;
}

static bool fail_date(const struct mr_mysql_civil *civil, struct mr_error *err)
{
    return mr_fail(err, MR_E_TYPE, MR_STOP,
                   "\"%04u-%02u-%02u\" is no day of the calendar; correct the value in the source, "
                   "or set on_type_error of the table or column to text or null",
                   civil->year, civil->month, civil->day);
}

static bool fail_datetime(const struct mr_mysql_civil *civil, struct mr_error *err)
{
    return mr_fail(err, MR_E_TYPE, MR_STOP,
                   "\"%04u-%02u-%02u %02u:%02u:%02u\" is no time of the calendar; correct the "
                   "value in the source, or set on_type_error of the table or column to text or "
                   "null",
                   civil->year, civil->month, civil->day, civil->hour, civil->minute,
                   civil->second);
}

static bool fail_size(const char *type, size_t length, struct mr_error *err)
{
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "%s in %zu bytes", type, length);
}

static uint64_t read_be(const uint8_t *bytes, size_t count)
{
    MR_ASSERT(count <= 8);
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static int64_t datetime_us(const struct mr_mysql_civil *civil)
{
    MR_ASSERT(is_real_date(civil) && is_real_clock(civil));
    const int64_t days = mr_days_from_civil(civil->year, civil->month, civil->day);
    return days * US_PER_DAY +
           ((int64_t)civil->hour * 3600 + (int64_t)civil->minute * 60 + civil->second) *
               US_PER_SECOND +
           civil->us;
}

/* ---- From the binlog. ---- */

bool mr_mysql_date_split(struct mr_slice bytes, struct mr_mysql_civil *civil, struct mr_error *err)
{
    if (bytes.length != 3) {
        return fail_size("date", bytes.length, err);
    }
    const uint32_t packed = (uint32_t)(bytes.bytes[0] | bytes.bytes[1] << 8 | bytes.bytes[2] << 16);
    *civil =
        (struct mr_mysql_civil){.year = packed >> 9, .month = packed >> 5 & 15, .day = packed & 31};
    return true;
}

bool mr_mysql_date_unpack(struct mr_slice bytes, int32_t *days, struct mr_error *err)
{
    struct mr_mysql_civil civil = {0};
    if (!mr_mysql_date_split(bytes, &civil, err)) {
        return false;
    }
    if (!is_real_date(&civil)) {
        return fail_date(&civil, err);
    }
    *days = mr_days_from_civil(civil.year, civil.month, civil.day);
    return true;
}

/** The fraction at the end of a packed value, in microseconds. */
static bool unpack_fraction(const uint8_t *bytes, unsigned digits, uint32_t *us,
                            struct mr_error *err)
{
    MR_ASSERT(digits <= MR_MYSQL_FRACTION_DIGITS_MAX);
    const uint64_t fraction = read_be(bytes, mr_mysql_fraction_size(digits));
    const uint64_t value = fraction * fraction_units[digits];
    if (value >= (uint64_t)US_PER_SECOND) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "fraction of a second: %llu microseconds",
                       (unsigned long long)value);
    }
    *us = (uint32_t)value;
    return true;
}

static struct mr_mysql_civil split_datetime(uint64_t packed)
{
    MR_ASSERT(packed <= UINT64_MAX >> 24);
    const uint32_t day_part = (uint32_t)(packed >> 17);
    const uint32_t clock = (uint32_t)(packed & 0x1ffff);
    const uint32_t months = day_part >> 5;
    return (struct mr_mysql_civil){.year = months / 13,
                                   .month = months % 13,
                                   .day = day_part & 31,
                                   .hour = clock >> 12,
                                   .minute = clock >> 6 & 63,
                                   .second = clock & 63};
}

bool mr_mysql_datetime_split(struct mr_slice bytes, unsigned digits, struct mr_mysql_civil *civil,
                             struct mr_error *err)
{
    MR_ASSERT(digits <= MR_MYSQL_FRACTION_DIGITS_MAX);
    if (bytes.length != 5 + mr_mysql_fraction_size(digits)) {
        return fail_size("datetime", bytes.length, err);
    }
    const int64_t packed = (int64_t)read_be(bytes.bytes, 5) - DATETIME_ZERO;
    if (packed < 0) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "datetime: negative");
    }
    struct mr_mysql_civil split = split_datetime((uint64_t)packed);
    if (!unpack_fraction(bytes.bytes + 5, digits, &split.us, err)) {
        return false;
    }
    *civil = split;
    return true;
}

bool mr_mysql_datetime_unpack(struct mr_slice bytes, unsigned digits, int64_t *us,
                              struct mr_error *err)
{
    struct mr_mysql_civil civil = {0};
    if (!mr_mysql_datetime_split(bytes, digits, &civil, err)) {
        return false;
    }
    if (!is_real_date(&civil) || !is_real_clock(&civil)) {
        return fail_datetime(&civil, err);
    }
    *us = datetime_us(&civil);
    return true;
}

/** Seconds since 1970 UTC and the fraction; both zero: '0000-00-00 00:00:00'. */
static bool read_timestamp(struct mr_slice bytes, unsigned digits, uint64_t *seconds, uint32_t *us,
                           struct mr_error *err)
{
    MR_ASSERT(digits <= MR_MYSQL_FRACTION_DIGITS_MAX);
    if (bytes.length != 4 + mr_mysql_fraction_size(digits)) {
        return fail_size("timestamp", bytes.length, err);
    }
    *seconds = read_be(bytes.bytes, 4);
    return unpack_fraction(bytes.bytes + 4, digits, us, err);
}

bool mr_mysql_timestamp_unpack(struct mr_slice bytes, unsigned digits, int64_t *us,
                               struct mr_error *err)
{
    uint64_t seconds = 0;
    uint32_t fraction = 0;
    if (!read_timestamp(bytes, digits, &seconds, &fraction, err)) {
        return false;
    }
    if (seconds == 0 && fraction == 0) {
        return fail_datetime(&(struct mr_mysql_civil){0}, err);
    }
    *us = (int64_t)seconds * US_PER_SECOND + fraction;
    return true;
}

bool mr_mysql_timestamp_split(struct mr_slice bytes, unsigned digits, struct mr_mysql_civil *civil,
                              struct mr_error *err)
{
    uint64_t seconds = 0;
    uint32_t fraction = 0;
    if (!read_timestamp(bytes, digits, &seconds, &fraction, err)) {
        return false;
    }
    *civil = (struct mr_mysql_civil){0};
    if (seconds != 0 || fraction != 0) {
        const time_t at = (time_t)seconds;
        struct tm utc;
        struct tm *made = gmtime_r(&at, &utc);
        MR_ASSERT(made != NULL);
        *civil = (struct mr_mysql_civil){.year = (uint32_t)utc.tm_year + 1900,
                                         .month = (uint32_t)utc.tm_mon + 1,
                                         .day = (uint32_t)utc.tm_mday,
                                         .hour = (uint32_t)utc.tm_hour,
                                         .minute = (uint32_t)utc.tm_min,
                                         .second = (uint32_t)utc.tm_sec,
                                         .us = fraction};
    }
    return true;
}

bool mr_mysql_time_unpack(struct mr_slice bytes, unsigned digits, int64_t *us, struct mr_error *err)
{
    MR_ASSERT(digits <= MR_MYSQL_FRACTION_DIGITS_MAX);
    const uint32_t fraction_size = mr_mysql_fraction_size(digits);
    const uint32_t fraction_bits = 8 * fraction_size;
    MR_ASSERT(fraction_bits <= 24);
    if (bytes.length != 3 + fraction_size) {
        return fail_size("time", bytes.length, err);
    }
    /* Whole seconds and fraction are one number, stored with an offset that makes it unsigned. */
    const int64_t zero = INT64_C(0x800000) << fraction_bits;
    const int64_t stored = (int64_t)read_be(bytes.bytes, bytes.length) - zero;
    const bool is_negative = stored < 0;
    const uint64_t packed = (uint64_t)(is_negative ? -stored : stored);
    const uint64_t clock = packed >> fraction_bits;
    const uint64_t fraction = packed & ((UINT64_C(1) << fraction_bits) - 1);
    const uint64_t hours = clock >> 12 & 0x3ff;
    const uint64_t minutes = clock >> 6 & 63;
    const uint64_t seconds = clock & 63;
    const uint64_t fraction_us = fraction * fraction_units[digits];
    if (hours > TIME_HOURS_MAX || minutes > 59 || seconds > 59 ||
        fraction_us >= (uint64_t)US_PER_SECOND || clock >> 22 != 0) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "time: 0x%llx is out of range",
                       (unsigned long long)packed);
    }
    const int64_t value =
        (int64_t)((hours * 3600 + minutes * 60 + seconds) * 1000000 + fraction_us);
    *us = is_negative ? -value : value;
    return true;
}

/* ---- As the server prints them. ---- */

void mr_mysql_date_print(const struct mr_mysql_civil *civil, char text[MR_MYSQL_CIVIL_TEXT_BYTES])
{
    (void)snprintf(text, MR_MYSQL_CIVIL_TEXT_BYTES, "%04u-%02u-%02u", civil->year, civil->month,
                   civil->day);
}

void mr_mysql_datetime_print(const struct mr_mysql_civil *civil, unsigned digits,
                             char text[MR_MYSQL_CIVIL_TEXT_BYTES])
{
    MR_ASSERT(digits <= MR_MYSQL_FRACTION_DIGITS_MAX && civil->us < US_PER_SECOND);
    const int length =
        snprintf(text, MR_MYSQL_CIVIL_TEXT_BYTES, "%04u-%02u-%02u %02u:%02u:%02u.%06u", civil->year,
                 civil->month, civil->day, civil->hour, civil->minute, civil->second, civil->us);
    MR_ASSERT(length > 7 && length < MR_MYSQL_CIVIL_TEXT_BYTES);
    text[length - 6 + (int)digits - (digits == 0 ? 1 : 0)] = '\0';
}

/* ---- From text. ---- */

/** Reads up to `max` digits at *at; false when there are fewer than `min`. */
static bool take_digits(struct mr_slice text, size_t *at, unsigned min, unsigned max,
                        uint32_t *value)
{
    MR_ASSERT(min <= max && max <= 9 && *at <= text.length);
    uint32_t number = 0;
    unsigned count = 0;
    while (count < max && *at < text.length && text.bytes[*at] >= '0' && text.bytes[*at] <= '9') {
        number = number * 10 + (uint32_t)(text.bytes[*at] - '0');
        (*at)++;
        count++;
    }
    *value = number;
    return count >= min;
}

static bool take_char(struct mr_slice text, size_t *at, char c)
{
    MR_ASSERT(*at <= text.length);
    if (*at >= text.length || text.bytes[*at] != (uint8_t)c) {
        return false;
    }
    (*at)++;
    return true;
}

static bool take_date(struct mr_slice text, size_t *at, struct mr_mysql_civil *civil)
{
    return take_digits(text, at, 4, 4, &civil->year) && take_char(text, at, '-') &&
           take_digits(text, at, 2, 2, &civil->month) && take_char(text, at, '-') &&
           take_digits(text, at, 2, 2, &civil->day);
}

/** ":MM:SS[.ffffff]" up to the end of the text. */
static bool take_clock_rest(struct mr_slice text, size_t *at, struct mr_mysql_civil *civil)
{
    MR_ASSERT(*at <= text.length);
    if (!take_char(text, at, ':') || !take_digits(text, at, 2, 2, &civil->minute) ||
        !take_char(text, at, ':') || !take_digits(text, at, 2, 2, &civil->second)) {
        return false;
    }
    if (take_char(text, at, '.')) {
        const size_t start = *at;
        if (!take_digits(text, at, 1, 6, &civil->us)) {
            return false;
        }
        for (size_t digits = *at - start; digits < 6; digits++) {
            civil->us *= 10;
        }
    }
    return *at == text.length && civil->minute <= 59 && civil->second <= 59;
}

static bool fail_text(struct mr_slice text, const char *type, struct mr_error *err)
{
    const int shown = text.length > 40 ? 40 : (int)text.length;
    return mr_fail(err, MR_E_TYPE, MR_STOP, "\"%.*s\" is no %s", shown,
                   shown == 0 ? "" : (const char *)text.bytes, type);
}

bool mr_mysql_date_parse(struct mr_slice text, int32_t *days, struct mr_error *err)
{
    struct mr_mysql_civil civil = {0};
    size_t at = 0;
    if (!take_date(text, &at, &civil) || at != text.length) {
        return fail_text(text, "date", err);
    }
    if (!is_real_date(&civil)) {
        return fail_date(&civil, err);
    }
    *days = mr_days_from_civil(civil.year, civil.month, civil.day);
    return true;
}

bool mr_mysql_datetime_parse(struct mr_slice text, int64_t *us, struct mr_error *err)
{
    struct mr_mysql_civil civil = {0};
    size_t at = 0;
    if (!take_date(text, &at, &civil) || !take_char(text, &at, ' ') ||
        !take_digits(text, &at, 2, 2, &civil.hour) || !take_clock_rest(text, &at, &civil) ||
        civil.hour > 23) {
        return fail_text(text, "datetime", err);
    }
    if (!is_real_date(&civil)) {
        return fail_datetime(&civil, err);
    }
    *us = datetime_us(&civil);
    return true;
}

bool mr_mysql_time_parse(struct mr_slice text, int64_t *us, struct mr_error *err)
{
    struct mr_mysql_civil civil = {0};
    size_t at = 0;
    const bool is_negative = take_char(text, &at, '-');
    if (!take_digits(text, &at, 1, 3, &civil.hour) || !take_clock_rest(text, &at, &civil) ||
        civil.hour > TIME_HOURS_MAX) {
        return fail_text(text, "time", err);
    }
    const int64_t value =
        ((int64_t)civil.hour * 3600 + (int64_t)civil.minute * 60 + civil.second) * US_PER_SECOND +
        civil.us;
    *us = is_negative ? -value : value;
    return true;
}

/* ---- Inside binary JSON. ---- */

struct mr_mysql_civil mr_mysql_packed_datetime(int64_t packed)
{
    const uint64_t value = packed < 0 ? 0 : (uint64_t)packed;
    struct mr_mysql_civil civil = split_datetime(value >> 24);
    civil.us = (uint32_t)(value & 0xffffff);
    return civil;
}

struct mr_mysql_civil mr_mysql_packed_time(int64_t packed, bool *is_negative)
{
    *is_negative = packed < 0;
    const uint64_t value = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    const uint64_t clock = value >> 24;
    return (struct mr_mysql_civil){.hour = (uint32_t)(clock >> 12 & 0x3ff),
                                   .minute = (uint32_t)(clock >> 6 & 63),
                                   .second = (uint32_t)(clock & 63),
                                   .us = (uint32_t)(value & 0xffffff)};
}
