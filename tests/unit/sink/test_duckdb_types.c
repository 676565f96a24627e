// SPDX-License-Identifier: MIT
/*
 * Every core type into DuckDB and out again, by insert and by the way of a row that is read from
 * the target because the source did not send it; and UTF-8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sink_kit.h"
#include "utf8.h"
#include "warehouse_query.h"

#define LONG_TEXT "a text of more than twelve bytes, \xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"

struct type_case {
    const char *name;
    enum mr_type type;
    uint8_t precision, scale;
    int64_t number; /* value of a fixed-width type but DECIMAL(38) and UUID */
    double real;
    const char *bytes; /* value of a variable type */
    size_t length;
    const char *type_name;
    const char *json;
};

#define TEXT(literal) .bytes = (literal), .length = sizeof(literal) - 1

static const struct type_case cases[] = {
    {"bool", MR_TYPE_BOOL, .number = 1, .type_name = "BOOLEAN", .json = "true"},
    {"i8", MR_TYPE_I8, .number = INT8_MIN, .type_name = "TINYINT", .json = "-128"},
    {"i16", MR_TYPE_I16, .number = INT16_MIN, .type_name = "SMALLINT", .json = "-32768"},
    {"i32", MR_TYPE_I32, .number = INT32_MIN, .type_name = "INTEGER", .json = "-2147483648"},
    {"i64", MR_TYPE_I64, .number = INT64_MIN, .type_name = "BIGINT",
     .json = "\"-9223372036854775808\""},
    {"u8", MR_TYPE_U8, .number = UINT8_MAX, .type_name = "UTINYINT", .json = "255"},
    {"u16", MR_TYPE_U16, .number = UINT16_MAX, .type_name = "USMALLINT", .json = "65535"},
    {"u32", MR_TYPE_U32, .number = UINT32_MAX, .type_name = "UINTEGER", .json = "4294967295"},
    {"u64", MR_TYPE_U64, .number = -1, .type_name = "UBIGINT", .json = "\"18446744073709551615\""},
    {"f32", MR_TYPE_F32, .real = 0.1, .type_name = "FLOAT", .json = "0.1"},
    {"f64", MR_TYPE_F64, .real = -1.0 / 3, .type_name = "DOUBLE", .json = "-0.3333333333333333"},
    {"d4", MR_TYPE_DECIMAL, 4, 2, .number = -9999, .type_name = "DECIMAL(4,2)",
     .json = "\"-99.99\""},
    {"d9", MR_TYPE_DECIMAL, 9, 0, .number = 999999999, .type_name = "DECIMAL(9,0)",
     .json = "\"999999999\""},
    {"d18", MR_TYPE_DECIMAL, 18, 18, .number = 1, .type_name = "DECIMAL(18,18)",
     .json = "\"0.000000000000000001\""},
    {"d38", MR_TYPE_DECIMAL, 38, 10, .number = -12345678901234567, .type_name = "DECIMAL(38,10)",
     .json = "\"-1234567.8901234567\""},
    {"date", MR_TYPE_DATE, .number = 19782, .type_name = "DATE", .json = "\"2024-02-29\""},
    {"time", MR_TYPE_TIME, .number = INT64_C(86399999999), .type_name = "TIME",
     .json = "\"23:59:59.999999\""},
    {"midnight", MR_TYPE_TIME, .number = INT64_C(86400000000), .type_name = "TIME",
     .json = "\"24:00:00\""},
    {"duration", MR_TYPE_DURATION, .number = INT64_C(-3020399000000), .type_name = "INTERVAL",
     .json = "\"PT-838H-59M-59S\""},
    {"interval", MR_TYPE_INTERVAL,
     TEXT("\xf1\xff\xff\xff\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"), .type_name = "INTERVAL",
     .json = "\"P-1Y-3M3DT-0.000001S\""},
    {"never", MR_TYPE_DATE, .number = INT32_MAX, .type_name = "DATE", .json = "\"infinity\""},
    {"ever", MR_TYPE_TIMESTAMP, .number = -INT64_MAX, .type_name = "TIMESTAMP",
     .json = "\"-infinity\""},
    {"stamp", MR_TYPE_TIMESTAMP, .number = -1, .type_name = "TIMESTAMP",
     .json = "\"1969-12-31T23:59:59.999999\""},
    {"stamptz", MR_TYPE_TIMESTAMPTZ, .number = 0, .type_name = "TIMESTAMP WITH TIME ZONE",
     .json = "\"1970-01-01T00:00:00Z\""},
    {"uuid", MR_TYPE_UUID, TEXT("\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00"),
     .type_name = "UUID", .json = "\"123e4567-e89b-12d3-a456-426614174000\""},
    {"uuid2", MR_TYPE_UUID,
     TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), .type_name = "UUID",
     .json = "\"ffffffff-ffff-ffff-ffff-ffffffffffff\""},
    {"short", MR_TYPE_TEXT, TEXT("twelve bytes"), .type_name = "VARCHAR",
     .json = "\"twelve bytes\""},
    {"empty", MR_TYPE_TEXT, TEXT(""), .type_name = "VARCHAR", .json = "\"\""},
    {"long", MR_TYPE_TEXT, TEXT(LONG_TEXT), .type_name = "VARCHAR", .json = "\"" LONG_TEXT "\""},
    {"nul", MR_TYPE_TEXT, TEXT("a\0b"), .type_name = "VARCHAR", .json = "\"a\\u0000b\""},
    {"bytes", MR_TYPE_BYTES,
     TEXT("\0\xff"
          "a"),
     .type_name = "BLOB", .json = "\"AP9h\""},
    {"json", MR_TYPE_JSON, TEXT("{\"k\": [1, 2.50]}"), .type_name = "JSON",
     .json = "\"{\\\"k\\\": [1, 2.50]}\""},
};

#define CASE_COUNT MR_ARRAY_LEN(cases)

static const struct mr_schema *all_types(struct kit *kit)
{
    struct mr_column columns[CASE_COUNT * 2 + 1] = {0};
    for (size_t i = 0; i <= CASE_COUNT * 2; i++) {
        static char names[CASE_COUNT * 2 + 1][24];
        const struct type_case *c = i == 0 ? &cases[4] : &cases[(i - 1) / 2];
        (void)snprintf(names[i], sizeof(names[i]), "%s%s", i == 0 ? "key" : c->name,
                       i % 2 == 1 ? "" : "_null");
        columns[i] = (struct mr_column){
            .name = names[i],
            .source_type = c->name,
            .type = c->type,
            .precision = c->precision,
            .scale = c->scale,
            .nullable = i > 0,
            .key_index = i == 0 ? 0 : MR_NOT_IN_KEY,
        };
    }
    const struct mr_schema draft = {
        .space = "t", .table = "t", .columns = columns, .column_count = CASE_COUNT * 2 + 1};
    return mr_catalog_intern(kit->catalogs[0], &draft, &kit->err);
}

static void put_value(struct mr_batch *batch, struct mr_column_chunk *column, uint32_t row,
                      const struct type_case *c)
{
    if (c->type == MR_TYPE_F32) {
        mr_put_f32(column, row, (float)c->real);
    } else if (c->type == MR_TYPE_F64) {
        mr_put_f64(column, row, c->real);
    } else if (c->type == MR_TYPE_DECIMAL) {
        mr_put_decimal(column, row, c->number);
    } else if (c->type == MR_TYPE_UUID || c->type == MR_TYPE_INTERVAL) {
        memcpy(column->values + (size_t)row * 16, c->bytes, 16);
        mr_put_valid(column, row);
    } else if (column->width == 0) {
        assert_true(mr_put_bytes(column, &batch->arena, row, c->bytes, c->length));
    } else {
        memcpy(column->values + (size_t)row * column->width, &c->number, column->width);
        mr_put_valid(column, row);
    }
}

/* A row with every value, then NULL beside each; or with every cell but the key's not sent. */
static void put_row(struct kit *kit, struct mr_batch *batch, const struct mr_schema *schema,
                    bool unchanged)
{
    uint16_t index;
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &kit->err);
    assert_non_null(chunk);
    const uint32_t row = chunk->row_count;
    mr_put_i64(&chunk->columns[0], row, 7);
    for (uint16_t i = 1; i < chunk->column_count; i++) {
        if (unchanged) {
            assert_true(mr_put_state(&chunk->columns[i], &batch->arena, row, chunk->capacity,
                                     MR_CELL_UNCHANGED));
        } else if (i % 2 == 0) {
            mr_put_null(&chunk->columns[i], row);
        } else {
            put_value(batch, &chunk->columns[i], row, &cases[(i - 1) / 2]);
        }
    }
    const uint16_t number = mr_chunk_end_row(chunk);
    assert_true(mr_batch_add_event(batch, unchanged ? MR_EVENT_UPDATE : MR_EVENT_INSERT, index,
                                   number, MR_NO_CHUNK, 0, &kit->err));
}

static void expect_values(struct kit *kit)
{
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const struct type_case *c = &cases[i];
        struct mr_json out = {0};
        char sql[128];
        char expected[256];
        (void)snprintf(sql, sizeof(sql), "SELECT \"%s\", \"%s_null\" FROM ops_t.t", c->name,
                       c->name);
        const struct mr_query query = {
            .sql = sql, .rows_max = 10, .bytes_max = 10000, .time_ms_max = 5000, .wait_ms = 1000};

        print_message("    %s\n", c->name);
        if (!mr_warehouse_query(kit->sink, &query, &out, &kit->err)) {
            fail_msg("%s", kit->err.message);
        }
        (void)snprintf(expected, sizeof(expected), "\"rows\":[[%s,null]]", c->json);
        if (strstr(out.text, expected) == NULL) {
            assert_string_equal(out.text, expected);
        }
        (void)snprintf(expected, sizeof(expected), "\"type\":\"%s\"", c->type_name);
        assert_non_null(strstr(out.text, expected));
        mr_json_done(&out);
    }
}

static void every_type_goes_in_and_out(void **state)
{
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    const struct mr_schema *schema = all_types(&kit);
    assert_non_null(schema);
    struct mr_batch *batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    put_row(&kit, batch, schema, false);
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    expect_values(&kit);
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    put_row(&kit, batch, schema, true);
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    print_message("    and read from the target\n");
    expect_values(&kit);
    kit_reopen(&kit); /* the table that is there fits the schema */
    batch = kit_batch(&kit, 0);
    kit_begin(&kit, batch);
    put_row(&kit, batch, schema, true);
    kit_commit(&kit, batch);
    kit_apply_commit(&kit, batch);
    kit_close(&kit);
}

/* Every type as a key: the delete must find its row. */
static void every_type_can_be_a_key(void **state)
{
    struct kit kit;

    (void)state;
    kit_open(&kit, &mr_sink_duckdb, NULL);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const struct type_case *c = &cases[i];
        const struct mr_column column = {.name = "k",
                                         .source_type = c->name,
                                         .type = c->type,
                                         .precision = c->precision,
                                         .scale = c->scale};
        const struct mr_schema draft = {
            .space = "k", .table = c->name, .columns = &column, .column_count = 1};
        const struct mr_schema *schema = mr_catalog_intern(kit.catalogs[0], &draft, &kit.err);
        char sql[64];

        print_message("    %s\n", c->name);
        assert_non_null(schema);
        for (int step = 0; step < 2; step++) {
            const enum mr_image image = step == 0 ? MR_IMAGE_FULL : MR_IMAGE_KEY;
            uint16_t index;
            struct mr_batch *batch = kit_batch(&kit, 0);
            kit_begin(&kit, batch);
            struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, image, &index, &kit.err);
            put_value(batch, &chunk->columns[0], 0, c);
            (void)mr_chunk_end_row(chunk);
            assert_true(step == 0 ? mr_batch_add_event(batch, MR_EVENT_INSERT, index, 0,
                                                       MR_NO_CHUNK, 0, &kit.err)
                                  : mr_batch_add_event(batch, MR_EVENT_DELETE, MR_NO_CHUNK, 0,
                                                       index, 0, &kit.err));
            kit_commit(&kit, batch);
            kit_apply_commit(&kit, batch);
            (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM ops_k.\"%s\"", c->name);
            assert_int_equal(kit_number(&kit, sql), 1 - step);
        }
    }
    kit_close(&kit);
}

static const struct utf8_case {
    const char *label;
    const char *bytes;
    size_t length;
    enum mr_utf8 expect;
} utf8_cases[] = {
#define BYTES(literal) (literal), sizeof(literal) - 1
    {"empty", BYTES(""), MR_UTF8_ASCII},
    {"ascii, with NUL", BYTES("abc\0defghijklmno"), MR_UTF8_ASCII},
    {"two bytes", BYTES("\xc2\x80"), MR_UTF8_VALID},
    {"three bytes after a long ascii run", BYTES("0123456789abcdef\xe2\x82\xac"), MR_UTF8_VALID},
    {"four bytes, highest", BYTES("\xf4\x8f\xbf\xbf"), MR_UTF8_VALID},
    {"stray continuation", BYTES("\x80"), MR_UTF8_INVALID},
    {"overlong two", BYTES("\xc0\x80"), MR_UTF8_INVALID},
    {"overlong three", BYTES("\xe0\x9f\xbf"), MR_UTF8_INVALID},
    {"overlong four", BYTES("\xf0\x8f\xbf\xbf"), MR_UTF8_INVALID},
    {"surrogate", BYTES("\xed\xa0\x80"), MR_UTF8_INVALID},
    {"above the range", BYTES("\xf4\x90\x80\x80"), MR_UTF8_INVALID},
    {"lead byte f5", BYTES("\xf5\x80\x80\x80"), MR_UTF8_INVALID},
    {"cut after one of two", BYTES("ab\xc3"), MR_UTF8_INVALID},
    {"cut after two of three", BYTES("ab\xe2\x82"), MR_UTF8_INVALID},
    {"cut after three of four", BYTES("ab\xf0\x9f\x98"), MR_UTF8_INVALID},
    {"latin1", BYTES("caf\xe9 au lait"), MR_UTF8_INVALID},
#undef BYTES
};

static void utf8_is_told_from_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(utf8_cases); i++) {
        const struct utf8_case *c = &utf8_cases[i];
        print_message("    %s\n", c->label);
        assert_int_equal(mr_utf8_check((const uint8_t *)c->bytes, c->length), c->expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_goes_in_and_out),
        cmocka_unit_test(every_type_can_be_a_key),
        cmocka_unit_test(utf8_is_told_from_the_rest),
    };
    return cmocka_run_group_tests_name("duckdb_types", tests, NULL, NULL);
}
