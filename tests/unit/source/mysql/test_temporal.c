// SPDX-License-Identifier: MIT
#include <string.h>

#include "check.h"
#include "temporal.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

enum kind { DATE, DATETIME, TIMESTAMP, TIME };

static const struct packed_case {
    const char *label;
    enum kind kind;
    unsigned digits;
    struct mr_slice bytes;
    enum mr_errc expect;
    int64_t value;
} packed_cases[] = {
    {"1970-01-01", DATE, 0, BYTES("\x21\x64\x0f"), MR_OK, 0},
    {"9999-12-31", DATE, 0, BYTES("\x9f\x1f\x4e"), MR_OK, 2932896},
    {"0000-00-00", DATE, 0, BYTES("\0\0\0"), MR_E_TYPE, 0},
    {"2024-00-10", DATE, 0, BYTES("\x0a\xd0\x0f"), MR_E_TYPE, 0},
    {"2023-02-29", DATE, 0, BYTES("\x5d\xce\x0f"), MR_E_TYPE, 0},
    {"2024-02-29", DATE, 0, BYTES("\x5d\xd0\x0f"), MR_OK, 19782},
    {"date of 2 bytes", DATE, 0, BYTES("\0\0"), MR_E_PROTOCOL, 0},
    {"1970-01-01 00:00:00", DATETIME, 0, BYTES("\x99\x02\xc2\0\0"), MR_OK, 0},
    {"1970-01-01 00:00:00.000001", DATETIME, 6, BYTES("\x99\x02\xc2\0\0\0\0\1"), MR_OK, 1},
    {"1970-01-01 00:00:00.5", DATETIME, 1, BYTES("\x99\x02\xc2\0\0\x32"), MR_OK, 500000},
    {"a fraction of a million", DATETIME, 6, BYTES("\x99\x02\xc2\0\0\x0f\x42\x40"), MR_E_PROTOCOL,
     0},
    {"0000-00-00 00:00:00", DATETIME, 0, BYTES("\x80\0\0\0\0"), MR_E_TYPE, 0},
    {"negative", DATETIME, 0, BYTES("\0\0\0\0\0"), MR_E_PROTOCOL, 0},
    {"all ones", DATETIME, 0, BYTES("\xff\xff\xff\xff\xff"), MR_E_TYPE, 0},
    {"short", DATETIME, 3, BYTES("\x99\x02\xc2\0\0"), MR_E_PROTOCOL, 0},
    {"timestamp 1", TIMESTAMP, 0, BYTES("\0\0\0\1"), MR_OK, 1000000},
    {"timestamp past 2038", TIMESTAMP, 0, BYTES("\xff\xff\xff\xff"), MR_OK,
     INT64_C(4294967295000000)},
    {"zero timestamp", TIMESTAMP, 0, BYTES("\0\0\0\0"), MR_E_TYPE, 0},
    {"zero timestamp with fraction", TIMESTAMP, 6, BYTES("\0\0\0\0\0\0\1"), MR_OK, 1},
    {"time 0", TIME, 0, BYTES("\x80\0\0"), MR_OK, 0},
    {"time -00:00:01", TIME, 0, BYTES("\x7f\xff\xff"), MR_OK, -1000000},
    {"time -00:00:00.000001", TIME, 6, BYTES("\x7f\xff\xff\xff\xff\xff"), MR_OK, -1},
    {"time 838:59:59", TIME, 0, BYTES("\xb4\x6e\xfb"), MR_OK, INT64_C(3020399000000)},
    {"time of 1023 hours", TIME, 0, BYTES("\xbf\xf0\0"), MR_E_PROTOCOL, 0},
    {"time of 60 minutes", TIME, 0, BYTES("\x80\x0f\0"), MR_E_PROTOCOL, 0},
    {"time beyond its bits", TIME, 0, BYTES("\0\0\0"), MR_E_PROTOCOL, 0},
};

static bool unpack(const struct packed_case *c, int64_t *value, struct mr_error *err)
{
    int32_t days = 0;
    switch (c->kind) {
    case DATE:
        if (!mr_mysql_date_unpack(c->bytes, &days, err)) {
            return false;
        }
        *value = days;
        return true;
    case DATETIME:
        return mr_mysql_datetime_unpack(c->bytes, c->digits, value, err);
    case TIMESTAMP:
        return mr_mysql_timestamp_unpack(c->bytes, c->digits, value, err);
    case TIME:
        return mr_mysql_time_unpack(c->bytes, c->digits, value, err);
    }
    return false;
}

static void packed_times_unpack_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(packed_cases); i++) {
        const struct packed_case *c = &packed_cases[i];
        int64_t value = 0;
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        const bool good = unpack(c, &value, &err);
        assert_int_equal(err.code, c->expect);
        assert_int_equal(good, c->expect == MR_OK);
        assert_true(value == c->value);
    }
}

static const struct text_case {
    const char *text;
    enum kind kind;
    enum mr_errc expect;
    int64_t value;
} text_cases[] = {
    {"1970-01-02", DATE, MR_OK, 1},
    {"0001-01-01", DATE, MR_OK, -719162},
    {"0000-00-00", DATE, MR_E_TYPE, 0},
    {"2024-1-2", DATE, MR_E_TYPE, 0},
    {"2024-01-02 ", DATE, MR_E_TYPE, 0},
    {"", DATE, MR_E_TYPE, 0},
    {"1970-01-01 00:00:01.5", DATETIME, MR_OK, 1500000},
    {"1970-01-01 00:00:01.000001", DATETIME, MR_OK, 1000001},
    {"1969-12-31 23:59:59.999999", DATETIME, MR_OK, -1},
    {"1970-01-01 24:00:00", DATETIME, MR_E_TYPE, 0},
    {"1970-01-01 00:60:00", DATETIME, MR_E_TYPE, 0},
    {"1970-01-01 00:00:01.", DATETIME, MR_E_TYPE, 0},
    {"1970-01-01 00:00:01.1234567", DATETIME, MR_E_TYPE, 0},
    {"1970-02-30 00:00:00", DATETIME, MR_E_TYPE, 0},
    {"1970-01-01T00:00:00", DATETIME, MR_E_TYPE, 0},
    {"-838:59:59.000000", TIME, MR_OK, INT64_C(-3020399000000)},
    {"00:00:00.1", TIME, MR_OK, 100000},
    {"839:00:00", TIME, MR_E_TYPE, 0},
    {"1:2:3", TIME, MR_E_TYPE, 0},
    {"--1:00:00", TIME, MR_E_TYPE, 0},
};

static void text_times_parse_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(text_cases); i++) {
        const struct text_case *c = &text_cases[i];
        const struct mr_slice text = mr_slice_of(c->text);
        int64_t value = 0;
        int32_t days = 0;
        bool good = false;
        struct mr_error err = {0};
        print_message("    \"%s\"\n", c->text);
        if (c->kind == DATE) {
            good = mr_mysql_date_parse(text, &days, &err);
            value = days;
        } else if (c->kind == DATETIME) {
            good = mr_mysql_datetime_parse(text, &value, &err);
        } else {
            good = mr_mysql_time_parse(text, &value, &err);
        }
        assert_int_equal(err.code, c->expect);
        assert_int_equal(good, c->expect == MR_OK);
        assert_true(value == c->value);
    }
}

static void every_day_follows_the_one_before(void **state)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t expected = mr_days_from_civil(0, 1, 1);
    (void)state;
    for (uint32_t year = 0; year <= 9999; year++) {
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (uint32_t month = 1; month <= 12; month++) {
            for (uint32_t day = 1; day <= lengths[month - 1] + (month == 2 && leap ? 1u : 0);
                 day++) {
                assert_int_equal(mr_days_from_civil(year, month, day), expected);
                expected++;
            }
        }
    }
    assert_int_equal(mr_days_from_civil(1970, 1, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_times_unpack_or_say_why),
        cmocka_unit_test(text_times_parse_or_say_why),
        cmocka_unit_test(every_day_follows_the_one_before),
    };
    return cmocka_run_group_tests_name("temporal", tests, NULL, NULL);
}
