// SPDX-License-Identifier: MIT
/*
 * pg_text_time.c - dates, times and intervals as the server prints them (DateStyle ISO, TimeZone
 * UTC, IntervalStyle postgres).
 *
 * Days and microseconds count from 2000-01-01; the largest and the smallest number are the
 * infinities. An interval is i64 microseconds, i32 days, i32 months; infinite (17 and later) when
 * all three are the largest, or the smallest. A year before 1 is printed as a year BC.
 *
 * Source: PostgreSQL, src/backend/utils/adt/datetime.c, EncodeDateTime() and EncodeInterval().
 */
#include <inttypes.h>
#include <stdlib.h>

#include "pg_text.h"
#include "reader.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

static int64_t floor_divide(int64_t number, int64_t by)
{
    return number / by - (number % by < 0 ? 1 : 0);
}

/*
 * Days since 2000-01-01. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * civil_from_days. The answer: whether the year is one BC.
 */
static bool print_day(struct mr_pg_out *out, int64_t pg_days)
{
    const int64_t days = pg_days + MR_PG_EPOCH_DAYS + 719468;
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
    mr_pg_out_format(out, "%04" PRId64 "-%02d-%02d", year > 0 ? year : 1 - year, month, day);
    return year <= 0;
}

/* ".5", without zeros at the end; nothing for a whole second. */
static void print_fraction(struct mr_pg_out *out, int64_t us)
{
    MR_ASSERT(us >= 0 && us < SECOND_US);
    int digits = 6;
    if (us == 0) {
        return;
    }
    while (us % 10 == 0) {
        us /= 10;
        digits--;
    }
    mr_pg_out_format(out, ".%0*" PRId64, digits, us);
}

static void print_clock(struct mr_pg_out *out, int64_t us)
{
    MR_ASSERT(us >= 0);
    const int64_t seconds = us / SECOND_US;
    mr_pg_out_format(out, "%02" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
                     (int)(seconds % 60));
    print_fraction(out, us % SECOND_US);
}

static bool print_infinity(struct mr_pg_out *out, bool is_plus, bool is_minus)
{
    MR_ASSERT(!is_plus || !is_minus);
    if (is_plus || is_minus) {
        mr_pg_out_text(out, is_plus ? "infinity" : "-infinity");
    }
    return is_plus || is_minus;
}

enum mr_pg_put mr_pg_print_date(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const int32_t days = (int32_t)mr_read_u32_be(&in);
    (void)scale;
    if (wire.length != sizeof(days)) {
        return MR_PG_PUT_MALFORMED;
    }
    if (!print_infinity(out, days == INT32_MAX, days == INT32_MIN) && print_day(out, days)) {
        mr_pg_out_text(out, " BC");
    }
    return MR_PG_PUT_OK;
}

static enum mr_pg_put print_stamp(struct mr_pg_out *out, struct mr_slice wire, const char *zone)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const int64_t us = (int64_t)mr_read_u64_be(&in);
    if (wire.length != sizeof(us)) {
        return MR_PG_PUT_MALFORMED;
    }
    if (print_infinity(out, us == INT64_MAX, us == INT64_MIN)) {
        return MR_PG_PUT_OK;
    }
    const int64_t days = floor_divide(us, DAY_US);
    const int64_t in_day = us % DAY_US;
    const bool is_bc = print_day(out, days);
    mr_pg_out_char(out, ' ');
    print_clock(out, in_day < 0 ? in_day + DAY_US : in_day);
    mr_pg_out_text(out, zone);
    mr_pg_out_text(out, is_bc ? " BC" : "");
    return MR_PG_PUT_OK;
}

enum mr_pg_put mr_pg_print_timestamp(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    return print_stamp(out, wire, "");
}

enum mr_pg_put mr_pg_print_timestamptz(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    (void)scale;
    return print_stamp(out, wire, "+00");
}

enum mr_pg_put mr_pg_print_time(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const int64_t us = (int64_t)mr_read_u64_be(&in);
    (void)scale;
    if (wire.length != sizeof(us) || us < 0 || us > DAY_US) {
        return MR_PG_PUT_MALFORMED;
    }
    print_clock(out, us);
    return MR_PG_PUT_OK;
}

/* The zone is in seconds west of UTC. */
enum mr_pg_put mr_pg_print_timetz(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const int64_t us = (int64_t)mr_read_u64_be(&in);
    const int32_t west_s = (int32_t)mr_read_u32_be(&in);
    (void)scale;
    if (wire.length != sizeof(us) + sizeof(west_s) || us < 0 || us > DAY_US ||
        west_s <= -DAY_US / SECOND_US || west_s >= DAY_US / SECOND_US) {
        return MR_PG_PUT_MALFORMED;
    }
    const int seconds = abs(west_s);
    print_clock(out, us);
    mr_pg_out_format(out, "%c%02d", west_s > 0 ? '-' : '+', seconds / 3600);
    if (seconds % 3600 != 0) {
        mr_pg_out_format(out, ":%02d", seconds / 60 % 60);
    }
    if (seconds % 60 != 0) {
        mr_pg_out_format(out, ":%02d", seconds % 60);
    }
    return MR_PG_PUT_OK;
}

/* What was printed of an interval so far. */
struct interval_text {
    struct mr_pg_out *out;
    bool is_empty;
    bool was_negative; /* the part before: a positive one then shows its sign */
};

static void print_part(struct interval_text *text, int32_t value, const char *unit)
{
    if (value == 0) {
        return;
    }
    mr_pg_out_format(text->out, "%s%s%" PRId32 " %s%s", text->is_empty ? "" : " ",
                     text->was_negative && value > 0 ? "+" : "", value, unit,
                     value == 1 ? "" : "s");
    text->was_negative = value < 0;
    text->is_empty = false;
}

enum mr_pg_put mr_pg_print_interval(struct mr_pg_out *out, uint8_t scale, struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    const int64_t us = (int64_t)mr_read_u64_be(&in);
    const int32_t days = (int32_t)mr_read_u32_be(&in);
    const int32_t months = (int32_t)mr_read_u32_be(&in);
    struct interval_text text = {.out = out, .is_empty = true};
    (void)scale;
    if (wire.length != sizeof(us) + sizeof(days) + sizeof(months)) {
        return MR_PG_PUT_MALFORMED;
    }
    if (print_infinity(out, us == INT64_MAX && days == INT32_MAX && months == INT32_MAX,
                       us == INT64_MIN && days == INT32_MIN && months == INT32_MIN)) {
        return MR_PG_PUT_OK;
    }
    print_part(&text, months / 12, "year");
    print_part(&text, months % 12, "mon");
    print_part(&text, days, "day");
    if (text.is_empty || us != 0) {
        const uint64_t magnitude = us < 0 ? -(uint64_t)us : (uint64_t)us;
        const uint64_t seconds = magnitude / (uint64_t)SECOND_US;
        mr_pg_out_format(out, "%s%s%02" PRIu64 ":%02d:%02d", text.is_empty ? "" : " ",
                         us < 0              ? "-"
                         : text.was_negative ? "+"
                                             : "",
                         seconds / 3600, (int)(seconds / 60 % 60), (int)(seconds % 60));
        print_fraction(out, (int64_t)(magnitude % (uint64_t)SECOND_US));
    }
    return MR_PG_PUT_OK;
}
