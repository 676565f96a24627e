// SPDX-License-Identifier: MIT
/*
 * test_parking.c - the feeders' pure parts: prices, times, and the live business as SQL.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "parking.h"
#include "parking_live.h"

static const struct price_case {
    uint32_t location, vehicle, minutes;
    int64_t cents;
} price_cases[] = {
    {1, 2, 1, 250},                             /* a started hour is an hour */
    {1, 2, 60, 250},                            /* and not two */
    {1, 2, 61, 425},          {1, 1, 600, 550}, /* small: 1.00 + 9 * 0.50 */
    {1, 2, 720, 1800},                          /* the daily maximum */
    {3, 2, 61, 850},                            /* airports cost twice */
    {1, 2, 1440, 1800},                         /* a day, nothing started after it */
    {1, 2, 1441, 1800 + 250},                   /* a day and a started hour */
    {1, 6, 30, 600},                            /* large */
};

static void prices_follow_the_tariff(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(price_cases) / sizeof(price_cases[0]); i++) {
        const struct price_case *c = &price_cases[i];
        assert_int_equal(mr_parking_price_cents(c->location, c->vehicle, c->minutes), c->cents);
    }
}

static void times_are_utc_with_milliseconds(void **state)
{
    (void)state;
    char text[PARKING_TIME_BYTES];
    mr_parking_print_time(INT64_C(1767322984007), text);
    assert_string_equal(text, "2026-01-02 03:03:04.007");
}

/* Counts "needle" in bytes that are not terminated. */
static uint32_t count(const struct mr_writer *sql, const char *needle)
{
    uint32_t found = 0;
    const size_t length = strlen(needle);
    for (size_t i = 0; i + length <= sql->length; i++) {
        found += memcmp(sql->bytes + i, needle, length) == 0 ? 1 : 0;
    }
    return found;
}

static void transactions_count_their_rows(void **state)
{
    (void)state;
    struct mr_parking_live live;
    struct mr_writer sql;
    mr_parking_live_init(&live, 7);
    mr_writer_init(&sql, 1 << 20);
    uint32_t deletes = 0;
    uint32_t payments = 0;
    for (int i = 0; i < 400; i++) {
        mr_writer_reset(&sql);
        const uint32_t rows = mr_parking_live_transaction(&live, 1767322984007 + i, 20, &sql);
        assert_false(sql.failed);
        assert_in_range(rows, 20, 22);
        assert_int_equal(count(&sql, "BEGIN;"), 1);
        assert_int_equal(count(&sql, "COMMIT;"), 1);
        const uint32_t changes =
            count(&sql, "INSERT INTO ") + count(&sql, "UPDATE ") + count(&sql, "DELETE FROM ");
        assert_int_equal(changes, rows);
        deletes += count(&sql, "DELETE FROM ");
        payments += count(&sql, "INSERT INTO payment ");
    }
    assert_true(deletes > 10 && payments > 500);
    assert_true(live.open_count > 0);
    mr_writer_done(&sql);
    mr_parking_live_done(&live);
}

static void a_seed_fixes_everything(void **state)
{
    (void)state;
    struct mr_writer sql[2];
    for (int i = 0; i < 2; i++) {
        struct mr_parking_live live;
        mr_parking_live_init(&live, 42);
        mr_writer_init(&sql[i], 1 << 20);
        for (int n = 0; n < 50; n++) {
            (void)mr_parking_live_transaction(&live, 1767322984007, 30, &sql[i]);
        }
        mr_parking_live_done(&live);
    }
    assert_int_equal(sql[0].length, sql[1].length);
    assert_memory_equal(sql[0].bytes, sql[1].bytes, sql[0].length);
    mr_writer_done(&sql[0]);
    mr_writer_done(&sql[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_follow_the_tariff),
        cmocka_unit_test(times_are_utc_with_milliseconds),
        cmocka_unit_test(transactions_count_their_rows),
        cmocka_unit_test(a_seed_fixes_everything),
    };
    return cmocka_run_group_tests_name("parking", tests, NULL, NULL);
}
