// SPDX-License-Identifier: MIT
/* COLUMN_TYPE as printed, and values as the text protocol prints them. */
#include <string.h>

#include "batch.h"
#include "check.h"
#include "mysql_types.h"
#include "table_layout.h"

static const struct type_case {
    const char *column_type;
    const char *charset;
    enum mr_type type; /* 0: refused */
    uint8_t precision;
    uint8_t scale;
    uint16_t metadata;
} type_cases[] = {
    {"tinyint(4)", NULL, MR_TYPE_I8, 0, 0, 0},
    {"tinyint(1)", NULL, MR_TYPE_I8, 0, 0, 0},
    {"tinyint unsigned", NULL, MR_TYPE_U8, 0, 0, 0},
    {"smallint", NULL, MR_TYPE_I16, 0, 0, 0},
    {"mediumint(8) unsigned", NULL, MR_TYPE_U32, 0, 0, 0},
    {"int(10) unsigned zerofill", NULL, MR_TYPE_U32, 0, 0, 0},
    {"int", NULL, MR_TYPE_I32, 0, 0, 0},
    {"bigint(20) unsigned", NULL, MR_TYPE_U64, 0, 0, 0},
    {"decimal(10,2)", NULL, MR_TYPE_DECIMAL, 10, 2, 10 << 8 | 2},
    {"decimal(38,30) unsigned", NULL, MR_TYPE_DECIMAL, 38, 30, 38 << 8 | 30},
    {"decimal(39,0)", NULL, MR_TYPE_TEXT, 0, 0, 39 << 8},
    {"float(7,3)", NULL, MR_TYPE_F32, 0, 0, 4},
    {"double unsigned", NULL, MR_TYPE_F64, 0, 0, 8},
    {"bit(1)", NULL, MR_TYPE_U64, 0, 0, 1},
    {"bit(64)", NULL, MR_TYPE_U64, 0, 0, 8 << 8},
    {"year(4)", NULL, MR_TYPE_U16, 0, 0, 0},
    {"date", NULL, MR_TYPE_DATE, 0, 0, 0},
    {"time(6)", NULL, MR_TYPE_DURATION, 6, 0, 6},
    {"datetime", NULL, MR_TYPE_TIMESTAMP, 0, 0, 0},
    {"timestamp(3)", NULL, MR_TYPE_TIMESTAMPTZ, 3, 0, 3},
    {"char(10)", "utf8mb4", MR_TYPE_TEXT, 0, 0, 40},
    {"varchar(65532)", "latin1", MR_TYPE_TEXT, 0, 0, 65532},
    {"binary(16)", NULL, MR_TYPE_BYTES, 0, 0, 16},
    {"varbinary(300)", NULL, MR_TYPE_BYTES, 0, 0, 300},
    {"tinytext", "utf8mb3", MR_TYPE_TEXT, 0, 0, 1},
    {"longtext", "utf8mb4", MR_TYPE_TEXT, 0, 0, 4},
    {"mediumblob", NULL, MR_TYPE_BYTES, 0, 0, 3},
    {"json", NULL, MR_TYPE_JSON, 0, 0, 4},
    {"geomcollection", NULL, MR_TYPE_BYTES, 0, 0, 4},
    {"vector(3)", NULL, MR_TYPE_TEXT, 0, 0, 4},
    {"uuid", NULL, MR_TYPE_UUID, 0, 0, 16},
    {"inet4", NULL, MR_TYPE_TEXT, 0, 0, 4},
    {"inet6", NULL, MR_TYPE_TEXT, 0, 0, 16},
    {"enum('a','b')", "utf8mb4", MR_TYPE_TEXT, 0, 0, 1},
    {"set('a','b','c','d','e','f','g','h','i')", "utf8mb4", MR_TYPE_TEXT, 0, 0, 2},
    {"varchar(10)", NULL, 0, 0, 0, 0},
    {"varchar(10)", "sjis", MR_TYPE_TEXT, 0, 0, 20},
    {"varchar(10)", "klingon", 0, 0, 0, 0},
    {"varchar(50) /*M!100301 COMPRESSED*/", "utf8mb4", MR_TYPE_TEXT, 0, 0, 200},
    {"blob /*M!100301 COMPRESSED*/", NULL, MR_TYPE_BYTES, 0, 0, 2},
    {"xmltype", NULL, 0, 0, 0, 0},
    {"decimal(66,0)", NULL, 0, 0, 0, 0},
    {"decimal(10", NULL, 0, 0, 0, 0},
    {"decimal(x)", NULL, 0, 0, 0, 0},
    {"bit(65)", NULL, 0, 0, 0, 0},
    {"datetime(7)", NULL, 0, 0, 0, 0},
    {"enum()", "utf8mb4", 0, 0, 0, 0},
    {"enum('a'", "utf8mb4", 0, 0, 0, 0},
    {"enum('a", "utf8mb4", 0, 0, 0, 0},
    {"enum", "utf8mb4", 0, 0, 0, 0},
    {"", NULL, 0, 0, 0, 0},
};

static bool make_column(const char *type, const char *charset, struct mr_arena *arena,
                        struct mr_mysql_column *column, struct mr_error *err)
{
    const struct mr_mysql_column_info info = {
        .name = "c", .column_type = type, .charset = charset, .nullable = true};
    return mr_mysql_column_from_info(&info, arena, column, err);
}

static void column_types_become_core_types(void **state)
{
    struct mr_arena arena = {0};
    struct mr_error err = {0};
    (void)state;
    assert_true(mr_arena_init(&arena, 1 << 20, 0, &err));
    for (size_t i = 0; i < MR_ARRAY_LEN(type_cases); i++) {
        const struct type_case *c = &type_cases[i];
        struct mr_mysql_column column = {0};
        err = (struct mr_error){0};
        print_message("    %s\n", c->column_type);
        const bool good = make_column(c->column_type, c->charset, &arena, &column, &err);
        assert_int_equal(good, c->type != 0);
        if (good) {
            assert_int_equal(column.core.type, c->type);
            assert_int_equal(column.core.precision, c->precision);
            assert_int_equal(column.core.scale, c->scale);
            assert_int_equal(column.metadata, c->metadata);
            assert_string_equal(column.core.source_type, c->column_type);
            assert_true((column.fixed_size > 0) != (column.length_size > 0));
        } else {
            assert_non_null(strstr(err.message, "column \"c\""));
        }
    }
    mr_arena_done(&arena);
}

static void labels_are_unquoted(void **state)
{
    static const char *const expected[] = {"a", "it's", "c,d", "back\\slash", "", "new\nline"};
    struct mr_arena arena = {0};
    struct mr_mysql_column column = {0};
    struct mr_error err = {0};
    (void)state;
    assert_true(mr_arena_init(&arena, 1 << 20, 0, &err));
    assert_true(make_column("enum('a','it''s','c,d','back\\\\slash','','new\\nline')", "utf8mb4",
                            &arena, &column, &err));
    assert_int_equal(column.label_count, MR_ARRAY_LEN(expected));
    for (size_t i = 0; i < MR_ARRAY_LEN(expected); i++) {
        assert_true(mr_slice_equals(column.labels[i], mr_slice_of(expected[i])));
    }
    assert_string_equal(column.core.labels, "a\x1fit's\x1f"
                                            "c,d\x1f"
                                            "back\\slash\x1f\x1fnew\nline");
    mr_arena_done(&arena);
}

#define NULLED "(null)"

static const struct value_case {
    const char *column_type;
    const char *charset;
    const char *text;
    const char *printed; /* NULL: refused; NULLED: by policy */
} value_cases[] = {
    {"tinyint", NULL, "-128", "-128"},
    {"tinyint", NULL, "128", NULL},
    {"tinyint unsigned", NULL, "255", "255"},
    {"tinyint unsigned", NULL, "256", NULL},
    {"tinyint unsigned", NULL, "-1", NULL},
    {"bigint", NULL, "-9223372036854775808", "-9223372036854775808"},
    {"bigint", NULL, "9223372036854775808", NULL},
    {"bigint unsigned", NULL, "18446744073709551615", "18446744073709551615"},
    {"bigint unsigned", NULL, "18446744073709551616", NULL},
    {"int", NULL, "", NULL},
    {"int", NULL, "-", NULL},
    {"int", NULL, "1 ", NULL},
    {"int(5) unsigned zerofill", NULL, "00042", "42"},
    {"float", NULL, "0.10000000149011612", "0.1"},
    {"float", NULL, "1e39", NULL},
    {"double", NULL, "1.7976931348623157e308", "1.7976931348623157e+308"},
    {"double", NULL, "nan", NULL},
    {"double", NULL, "0x10", NULL},
    {"double", NULL, "1e999", NULL},
    {"decimal(5,2)", NULL, "-0.05", "-0.05"},
    {"decimal(65,30)", NULL, "-1.000000000000000000000000000000",
     "-1.000000000000000000000000000000"},
    {"decimal(65,30)", NULL, "1e3", NULL},
    {"decimal(65,30)", NULL, "", NULL},
    {"bit(10)", NULL, "\x02\x01", "513"},
    {"bit(10)", NULL, "123456789", NULL},
    {"year", NULL, "2155", "2155"},
    {"date", NULL, "2024-02-29", "2024-02-29"},
    {"date", NULL, "0000-00-00", NULL},
    {"datetime", NULL, "2024-00-10 00:00:00", NULL},
    {"timestamp", NULL, "0000-00-00 00:00:00", NULL},
    {"time", NULL, "-838:59:59", "-838:59:59"},
    {"varchar(5)", "latin1", "\xe4", "ä"}, /* text comes in its column's character set */
    {"varchar(5)", "utf8mb4", "\xe4", NULL},
    {"varchar(5)", "cp1250", "a\x81", NULL},
    {"text", "sjis", "\x83\x5c", "ソ"},
    {"enum('x')", "utf8mb4", "", ""},
    {"enum('x','ä')", "latin1", "\xe4", "ä"},
    {"set('x','ä')", "latin1", "x,\xe4", "x,ä"},
    {"json", NULL, "{\"a\": 1}", "{\"a\": 1}"},
    {"blob", NULL, "\xff", "/w=="},
    {"decimal(40,2) unsigned zerofill", NULL, "00000000000000000000000000000000000042.50", "42.50"},
    {"decimal(40,2) unsigned zerofill", NULL, "00000000000000000000000000000000000000.50", "0.50"},
    {"decimal(40,0) unsigned zerofill", NULL, "0000000000000000000000000000000000000000", "0"},
    {"uuid", NULL, "f47ac10b-58cc-4372-8567-0e02b2c3d479", "f47ac10b-58cc-4372-8567-0e02b2c3d479"},
    {"uuid", NULL, "F47AC10B-58CC-4372-8567-0E02B2C3D479", "f47ac10b-58cc-4372-8567-0e02b2c3d479"},
    {"uuid", NULL, "f47ac10b-58cc-4372-8567-0e02b2c3d47", NULL},
    {"uuid", NULL, "f47ac10b-58cc-4372-8567-0e02b2c3d4790", NULL},
    {"uuid", NULL, "f47ac10b058cc-4372-8567-0e02b2c3d479", NULL},
    {"uuid", NULL, "f47ac10b-58cc-4372-8567-0e02b2c3d47g", NULL},
    {"inet6", NULL, "::1", "::1"},
    {"vector(1)", NULL, "\xcd\xcc\xcc\x3d", "[0.1]"},
    {"vector(2)", NULL, "\x01\x01\x80\x3f\xff\xff\x7f\xff", "[1.0000306,-3.4028235e+38]"},
    {"vector(1)", NULL, "\xcd\xcc\xcc", NULL},
    {"vector(1)", NULL, "", "[]"},
};

static const struct policy_case {
    enum mr_on_type_error on_type_error;
    struct value_case value;
} policy_cases[] = {
    {MR_ON_TYPE_ERROR_TEXT, {"date", NULL, "0000-00-00", "0000-00-00"}},
    {MR_ON_TYPE_ERROR_TEXT, {"date", NULL, "2024-02-29", "2024-02-29"}},
    {MR_ON_TYPE_ERROR_TEXT,
     {"datetime(2)", NULL, "2024-00-10 00:00:00.00", "2024-00-10 00:00:00.00"}},
    {MR_ON_TYPE_ERROR_TEXT, {"timestamp", NULL, "0000-00-00 00:00:00", "0000-00-00 00:00:00"}},
    {MR_ON_TYPE_ERROR_NULL, {"date", NULL, "0000-00-00", NULLED}},
    {MR_ON_TYPE_ERROR_NULL, {"date", NULL, "2024-02-29", "2024-02-29"}},
    {MR_ON_TYPE_ERROR_NULL, {"datetime", NULL, "2024-00-10 00:00:00", NULLED}},
    {MR_ON_TYPE_ERROR_NULL, {"timestamp", NULL, "0000-00-00 00:00:00", NULLED}},
    {MR_ON_TYPE_ERROR_NULL, {"varchar(5)", "cp1250", "a\x81", NULLED}},
    {MR_ON_TYPE_ERROR_TEXT, {"varchar(5)", "cp1250", "a\x81", NULL}},
    {MR_ON_TYPE_ERROR_NULL, {"varchar(5)", "utf8mb4", "\xe4", NULLED}},
    {MR_ON_TYPE_ERROR_NULL, {"tinyint", NULL, "128", NULL}},
};

static void expect_cell(const struct value_case *c, enum mr_on_type_error on_type_error,
                        struct mr_catalog *catalog, struct mr_batch *batch)
{
    const struct mr_mysql_column_info column = {
        .name = "c", .column_type = c->column_type, .charset = c->charset};
    const struct mr_mysql_table_info info = {
        .space = "s", .table = "t", .columns = &column, .column_count = 1};
    const struct mr_policies policies = {
        .fallback = {.match = "*", .on_type_error = on_type_error}};
    struct mr_nulled *nulled = mr_nulled_open();
    const struct mr_mysql_layout_terms terms = {
        .catalog = catalog, .policies = &policies, .source = "x", .nulled = nulled};
    struct mr_nulled_count count = {0};
    struct mr_error err = {0};
    uint16_t index;
    char text[200] = "";
    print_message("    %s: %s\n", c->column_type, c->text);
    struct mr_mysql_layout *layout = mr_mysql_layout_from_info(&info, &terms, &err);
    assert_non_null(layout);
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, layout->schema, MR_IMAGE_FULL, &index, &err);
    const struct mr_mysql_cell to = {.cells = chunk->columns, .arena = &batch->arena};
    const bool good = mr_mysql_put_text(&layout->columns[0], &to, mr_slice_of(c->text), &err);
    assert_int_equal(good, c->printed != NULL);
    if (good) {
        const size_t length =
            mr_cell_print(&layout->schema->columns[0], chunk->columns, 0, text, sizeof(text) - 1);
        text[length] = '\0';
        const bool is_null = !mr_bit(chunk->columns[0].valid, 0);
        const bool is_counted = mr_nulled_get(nulled, 0, &count);
        assert_string_equal(is_null ? NULLED : text, c->printed);
        assert_int_equal(is_counted, is_null);
        assert_true(!is_null || (count.schema == layout->schema && count.count == 1));
    } else {
        assert_int_equal(err.code, MR_E_TYPE);
    }
    mr_mysql_layout_close(layout);
    mr_nulled_close(nulled);
}

static void text_values_become_cells(void **state)
{
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_batch_pool *pool = mr_batch_pool_open(1, 16 << 20, 0, &err);
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(value_cases) + MR_ARRAY_LEN(policy_cases); i++) {
        const bool is_plain = i < MR_ARRAY_LEN(value_cases);
        const struct policy_case *c =
            is_plain ? NULL : &policy_cases[i - MR_ARRAY_LEN(value_cases)];
        struct mr_batch *batch = mr_batch_take(pool, 0);
        expect_cell(is_plain ? &value_cases[i] : &c->value,
                    is_plain ? MR_ON_TYPE_ERROR_STOP : c->on_type_error, catalog, batch);
        mr_batch_release(batch);
    }
    mr_batch_pool_close(pool);
    mr_catalog_close(catalog);
}

static void select_lists_are_quoted(void **state)
{
    struct mr_arena arena = {0};
    struct mr_mysql_column column = {0};
    struct mr_error err = {0};
    struct mr_writer sql;
    (void)state;
    assert_true(mr_arena_init(&arena, 1 << 20, 0, &err));
    mr_writer_init(&sql, 200);
    assert_true(make_column("float", NULL, &arena, &column, &err));
    column.core.name = "a`b";
    mr_mysql_column_select(&column, &sql);
    mr_write_u8(&sql, 0);
    assert_string_equal((const char *)sql.bytes, "`a``b`*1e0");
    mr_writer_done(&sql);
    mr_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(column_types_become_core_types),
        cmocka_unit_test(labels_are_unquoted),
        cmocka_unit_test(text_values_become_cells),
        cmocka_unit_test(select_lists_are_quoted),
    };
    return cmocka_run_group_tests_name("mysql_types", tests, NULL, NULL);
}
