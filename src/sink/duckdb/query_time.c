// SPDX-License-Identifier: MIT
/*
 * query_time.c - see query_time.h. Years beyond 9999 and before 0 carry a sign (ISO 8601,
 * expanded).
 */
#include "query_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

#define SECONDS_PER_DAY INT64_C(86400)
#define US_PER_SECOND   INT64_C(1000000)
#define FRACTION_BYTES  16

/* Fraction without its trailing zeros: ".5", "". */
static void print_fraction(int64_t part, int64_t per_second, char text[FRACTION_BYTES])
{
    size_t length = 0;

    MR_ASSERT(part >= 0 && part < per_second);
    if (part > 0) {
        text[length++] = '.';
    }
    for (int64_t unit = per_second / 10; part > 0; unit /= 10) {
        MR_ASSERT(unit > 0 && length + 1 < FRACTION_BYTES);
        text[length++] = (char)('0' + (int)(part / unit));
        part %= unit;
    }
    text[length] = '\0';
}

void mr_query_time_date(int32_t days, char text[MR_QUERY_TIME_BYTES])
{
    if (days == INT32_MAX || days == -INT32_MAX) {
        (void)snprintf(text, MR_QUERY_TIME_BYTES, "%s", days > 0 ? "infinity" : "-infinity");
        return;
    }
    /* Days to civil date, counted from 0000-03-01 in eras of 400 years. */
    const int64_t shifted = (int64_t)days + 719468;
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const int64_t year = year_of_era + era * 400 + (month <= 2);
    const char *sign = year < 0 ? "-" : year > 9999 ? "+" : "";

    MR_ASSERT(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    (void)snprintf(text, MR_QUERY_TIME_BYTES, "%s%04lld-%02lld-%02lld", sign, llabs(year),
                   (long long)month, (long long)day);
}

void mr_query_time_of_day(int64_t count, int64_t per_second, char text[MR_QUERY_TIME_BYTES])
{
    const int64_t seconds = count / per_second;
    char fraction[FRACTION_BYTES];

    print_fraction(count % per_second, per_second, fraction);
    (void)snprintf(text, MR_QUERY_TIME_BYTES, "%02lld:%02lld:%02lld%s", (long long)(seconds / 3600),
                   (long long)(seconds / 60 % 60), (long long)(seconds % 60), fraction);
}

void mr_query_time_stamp(int64_t count, int64_t per_second, const char *zone,
                         char text[MR_QUERY_TIME_BYTES])
{
    char date[MR_QUERY_TIME_BYTES];
    char time[MR_QUERY_TIME_BYTES];

    if (count == INT64_MAX || count == -INT64_MAX) {
        (void)snprintf(text, MR_QUERY_TIME_BYTES, "%s", count > 0 ? "infinity" : "-infinity");
        return;
    }
    const int64_t per_day = per_second * SECONDS_PER_DAY;
    int64_t day = count / per_day;
    int64_t rest = count % per_day;
    if (rest < 0) {
        rest += per_day;
        day--;
    }
    MR_ASSERT(rest >= 0 && rest < per_day);
    mr_query_time_date((int32_t)day, date);
    mr_query_time_of_day(rest, per_second, time);
    (void)snprintf(text, MR_QUERY_TIME_BYTES, "%.30sT%.40s%.4s", date, time, zone);
}

void mr_query_time_with_zone(duckdb_time_tz time, char text[MR_QUERY_TIME_BYTES])
{
    const duckdb_time_tz_struct parts = duckdb_from_time_tz(time);
    const int32_t offset = parts.offset < 0 ? -parts.offset : parts.offset;
    char clock[MR_QUERY_TIME_BYTES];
    char seconds[8] = "";

    mr_query_time_of_day(duckdb_to_time(parts.time).micros, US_PER_SECOND, clock);
    if (offset % 60 != 0) {
        (void)snprintf(seconds, sizeof(seconds), ":%02d", (int)(offset % 60));
    }
    (void)snprintf(text, MR_QUERY_TIME_BYTES, "%.40s%s%02d:%02d%s", clock,
                   parts.offset < 0 ? "-" : "+", (int)(offset / 3600), (int)(offset / 60 % 60),
                   seconds);
}

struct interval_text {
    char *text;
    size_t length;
};

static void add_part(struct interval_text *to, int64_t value, char unit)
{
    if (value != 0) {
        const int length = snprintf(to->text + to->length, MR_QUERY_TIME_BYTES - to->length,
                                    "%lld%c", (long long)value, unit);
        MR_ASSERT(length > 0 && to->length + (size_t)length < MR_QUERY_TIME_BYTES);
        to->length += (size_t)length;
    }
}

void mr_query_time_interval(duckdb_interval interval, char text[MR_QUERY_TIME_BYTES])
{
    struct interval_text to = {.text = text, .length = 1};
    const int64_t seconds = interval.micros / US_PER_SECOND;
    const int64_t micros = interval.micros % US_PER_SECOND;
    char fraction[FRACTION_BYTES];

    (void)snprintf(text, MR_QUERY_TIME_BYTES, "P");
    add_part(&to, interval.months / 12, 'Y');
    add_part(&to, interval.months % 12, 'M');
    add_part(&to, interval.days, 'D');
    if (interval.micros != 0 || to.length == 1) {
        text[to.length++] = 'T';
        add_part(&to, seconds / 3600, 'H');
        add_part(&to, seconds / 60 % 60, 'M');
        print_fraction(micros < 0 ? -micros : micros, US_PER_SECOND, fraction);
        if (seconds % 60 != 0 || micros != 0 || interval.micros == 0) {
            const char *sign = interval.micros < 0 && seconds % 60 == 0 ? "-" : "";
            (void)snprintf(text + to.length, MR_QUERY_TIME_BYTES - to.length, "%s%lld%sS", sign,
                           (long long)(seconds % 60), fraction);
        }
    }
    MR_ASSERT(to.length < MR_QUERY_TIME_BYTES);
}
