// SPDX-License-Identifier: MIT
/*
 * Cutting a table into pieces: bounds cover every key once, and SQL text is quoted.
 */
#include <stdio.h>

#include "check.h"

#include <string.h>

#include "mysql_info.h"
#include "mysql_pieces.h"

static const struct divide_case {
    const char *label;
    mr_i128 low, high;
    uint64_t rows;
    uint64_t piece_rows;
    uint32_t count;
} divide_cases[] = {
    {"one row", 5, 5, 1, 250000, 1},
    {"no estimate", 1, 1000000, 0, 250000, 1},
    {"just one piece", 1, 250000, 250000, 250000, 1},
    {"one row more", 1, 250001, 250001, 250000, 2},
    {"a million", 1, 1000000, 1000000, 250000, 4},
    {"sparse keys", 0, INT64_MAX, 1000000, 250000, 4},
    {"estimate beyond the keys", 1, 3, 1000000, 1000, 3},
    {"negative keys", -500, 499, 1000, 100, 10},
    {"all signed keys", INT64_MIN, INT64_MAX, 10000000, 1000, 4096},
    {"all unsigned keys", 0, UINT64_MAX, 10000000, 1000, 4096},
};

static void bounds_cover_every_key_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(divide_cases); i++) {
        const struct divide_case *c = &divide_cases[i];
        print_message("    %s\n", c->label);
        struct mr_mysql_pieces pieces =
            mr_mysql_pieces_divide(c->low, c->high, c->rows, c->piece_rows);
        assert_int_equal(pieces.count, c->count);
        mr_i128 before = c->low;
        for (uint32_t piece = 1; piece < pieces.count; piece++) {
            mr_i128 bound = mr_mysql_pieces_bound(&pieces, piece);
            assert_true(bound > before); /* no piece is empty by design */
            assert_true(bound <= c->high);
            before = bound;
        }
    }
}

static const struct quote_case {
    const char *text;
    const char *literal;
    const char *name;
} quote_cases[] = {
    {"plain", "'plain'", "`plain`"},
    {"", "''", "``"},
    {"it's", "'it''s'", "`it's`"},
    {"back\\slash", "'back\\\\slash'", "`back\\slash`"},
    {"tick`tock", "'tick`tock'", "`tick``tock`"},
    {"'; DROP TABLE t; --", "'''; DROP TABLE t; --'", "`'; DROP TABLE t; --`"},
};

static void names_and_literals_are_quoted(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(quote_cases); i++) {
        struct mr_writer sql = {0};
        mr_writer_init(&sql, 1024);
        mr_mysql_write_literal(&sql, quote_cases[i].text);
        mr_write_u8(&sql, 0);
        assert_string_equal((const char *)sql.bytes, quote_cases[i].literal);
        mr_writer_reset(&sql);
        mr_mysql_write_name(&sql, quote_cases[i].text);
        mr_write_u8(&sql, 0);
        assert_string_equal((const char *)sql.bytes, quote_cases[i].name);
        mr_writer_done(&sql);
    }
}

static void each_piece_selects_its_range(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "SELECT `id`, `t` FROM `s`.`o``k` FORCE INDEX (PRIMARY) WHERE `id` < -167",
        "SELECT `id`, `t` FROM `s`.`o``k` FORCE INDEX (PRIMARY) WHERE `id` >= -167 AND `id` < 167",
        "SELECT `id`, `t` FROM `s`.`o``k` FORCE INDEX (PRIMARY) WHERE `id` >= 167",
    };
    static const struct mr_mysql_column_info columns[] = {
        {.name = "id", .column_type = "int"},
        {.name = "t", .column_type = "text", .charset = "utf8mb4", .nullable = true},
    };
    static const uint16_t key[] = {0};
    static const struct mr_mysql_table_info table = {
        .space = "s",
        .table = "o`k",
        .columns = columns,
        .key = key,
        .column_count = 2,
        .key_count = 1,
    };
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_mysql_layout *layout = mr_mysql_layout_from_info(
        &table, &(const struct mr_mysql_layout_terms){.catalog = catalog}, &err);
    assert_non_null(layout);
    struct mr_mysql_pieces pieces = mr_mysql_pieces_divide(-500, 500, 3000, 1000);
    assert_int_equal(pieces.count, 3);
    for (uint32_t i = 0; i < pieces.count; i++) {
        struct mr_writer sql = {0};
        mr_writer_init(&sql, 4096);
        mr_mysql_pieces_select(&pieces, layout, i, NULL, &sql);
        assert_string_equal((const char *)sql.bytes, wanted[i]);
        mr_writer_reset(&sql);
        mr_mysql_pieces_select(&pieces, layout, i, "t > 'a' OR id = 1", &sql);
        char with_condition[400];
        (void)snprintf(with_condition, sizeof(with_condition), "%s AND (t > 'a' OR id = 1)",
                       wanted[i]);
        assert_string_equal((const char *)sql.bytes, with_condition);
        mr_writer_done(&sql);
    }
    char plan[MR_MYSQL_PLAN_BYTES_MAX];
    struct mr_mysql_pieces again = {0};
    mr_mysql_pieces_print(&pieces, plan);
    assert_string_equal(plan, "keys -500 500 3");
    assert_true(mr_mysql_pieces_parse(plan, layout, &again));
    assert_true(again.low == -500 && again.high == 500 && again.count == 3);
    static const char *const no_plans[] = {"",           "keys 1 2",    "keys 2 1 1",
                                           "keys 1 2 0", "keys 1 2 3x", "keys 1 2 5000"};
    for (size_t i = 0; i < MR_ARRAY_LEN(no_plans); i++) {
        assert_false(mr_mysql_pieces_parse(no_plans[i], layout, &again));
    }
    mr_mysql_layout_close(layout);
    mr_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_cover_every_key_once),
        cmocka_unit_test(names_and_literals_are_quoted),
        cmocka_unit_test(each_piece_selects_its_range),
    };
    return cmocka_run_group_tests_name("mysql_pieces", tests, NULL, NULL);
}
