// SPDX-License-Identifier: MIT
/*
 * test_pg_types.c - the binary form of each type into a cell, with the values at the ends of its
 * range and bytes that are none of it.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "pg_types.h"

#define BATCH_BYTES               (4u << 20)
#define NO_MODIFIER               (-1)
#define NUMERIC(precision, scale) ((precision) << 16 | (scale)) + 4

#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct type_case {
    const char *label;
    uint32_t oid;
    int32_t modifier;
    const char *wire;
    size_t length;
    enum mr_pg_put result;
    const char *shown; /* by mr_cell_print(), when it is OK */
} type_cases[] = {
    {"bool", 16, -1, BYTES("\1"), MR_PG_PUT_OK, "true"},
    {"bool, neither", 16, -1, BYTES("\2"), MR_PG_PUT_MALFORMED, NULL},
    {"bool, empty", 16, -1, BYTES(""), MR_PG_PUT_MALFORMED, NULL},
    {"int2, least", 21, -1, BYTES("\x80\0"), MR_PG_PUT_OK, "-32768"},
    {"int2, long", 21, -1, BYTES("\0\0\0"), MR_PG_PUT_MALFORMED, NULL},
    {"int4", 23, -1, BYTES("\xff\xff\xff\xfe"), MR_PG_PUT_OK, "-2"},
    {"int4, short", 23, -1, BYTES("\0\0\0"), MR_PG_PUT_MALFORMED, NULL},
    {"int8, most", 20, -1, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "9223372036854775807"},
    {"oid", 26, -1, BYTES("\xff\xff\xff\xff"), MR_PG_PUT_OK, "4294967295"},
    {"float4", 700, -1, BYTES("\x3f\xc0\0\0"), MR_PG_PUT_OK, "1.5"},
    {"float8", 701, -1, BYTES("\xbf\xf8\0\0\0\0\0\0"), MR_PG_PUT_OK, "-1.5"},
    {"text", 25, -1, BYTES("h\xc3\xa9"), MR_PG_PUT_OK, "h\xc3\xa9"},
    {"text, empty", 25, -1, BYTES(""), MR_PG_PUT_OK, ""},
    {"text, with a NUL", 25, -1, BYTES("a\0b"), MR_PG_PUT_ENCODING, NULL},
    {"text, overlong", 25, -1, BYTES("\xc0\xaf"), MR_PG_PUT_ENCODING, NULL},
    {"text, surrogate", 25, -1, BYTES("\xed\xa0\x80"), MR_PG_PUT_ENCODING, NULL},
    {"text, beyond Unicode", 25, -1, BYTES("\xf4\x90\x80\x80"), MR_PG_PUT_ENCODING, NULL},
    {"text, cut in a character", 25, -1, BYTES("12345678\xf0\x9f\x98"), MR_PG_PUT_ENCODING, NULL},
    {"text, four bytes", 25, -1, BYTES("12345678\xf0\x9f\x98\x80 and on"), MR_PG_PUT_OK,
     "12345678\xf0\x9f\x98\x80 and on"},
    {"varchar", 1043, 44, BYTES("v"), MR_PG_PUT_OK, "v"},
    {"char(n)", 1042, 8, BYTES("ab  "), MR_PG_PUT_OK, "ab  "},
    {"name", 19, -1, BYTES("n"), MR_PG_PUT_OK, "n"},
    {"bytea", 17, -1, BYTES("\0\xff"), MR_PG_PUT_OK, "AP8="},
    {"date", 1082, -1, BYTES("\xff\xff\xff\xff"), MR_PG_PUT_OK, "1999-12-31"},
    {"date, infinity", 1082, -1, BYTES("\x7f\xff\xff\xff"), MR_PG_PUT_INFINITY, NULL},
    {"date, minus infinity", 1082, -1, BYTES("\x80\0\0\0"), MR_PG_PUT_INFINITY, NULL},
    {"date, too late", 1082, -1, BYTES("\x7f\xff\xff\xfe"), MR_PG_PUT_RANGE, NULL},
    {"time", 1083, -1, BYTES("\0\0\0\0\0\0\0\1"), MR_PG_PUT_OK, "00:00:00.000001"},
    {"time, 24:00", 1083, -1, BYTES("\0\0\0\x14\x1d\xd7\x60\0"), MR_PG_PUT_OK, "24:00:00"},
    {"time, later", 1083, -1, BYTES("\0\0\0\x14\x1d\xd7\x60\1"), MR_PG_PUT_MALFORMED, NULL},
    {"time, negative", 1083, -1, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_MALFORMED,
     NULL},
    {"timestamp", 1114, -1, BYTES("\0\0\0\0\0\0\0\0"), MR_PG_PUT_OK, "2000-01-01T00:00:00"},
    {"timestamp, infinity", 1114, -1, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_INFINITY,
     NULL},
    {"timestamptz", 1184, -1, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "1999-12-31T23:59:59.999999Z"},
    {"timestamptz, too late", 1184, -1, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xfe"), MR_PG_PUT_RANGE,
     NULL},
    {"uuid", 2950, -1, BYTES("\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"),
     MR_PG_PUT_OK, "00112233-4455-6677-8899-aabbccddeeff"},
    {"uuid, short", 2950, -1, BYTES("\0"), MR_PG_PUT_MALFORMED, NULL},
    {"json", 114, -1, BYTES("[1]"), MR_PG_PUT_OK, "[1]"},
    {"jsonb", 3802, -1, BYTES("\1[1]"), MR_PG_PUT_OK, "[1]"},
    {"jsonb, another version", 3802, -1, BYTES("\2[1]"), MR_PG_PUT_MALFORMED, NULL},
    {"jsonb, empty", 3802, -1, BYTES(""), MR_PG_PUT_MALFORMED, NULL},

    {"decimal, 12.30", 1700, NUMERIC(12, 2), BYTES("\0\2\0\0\0\0\0\2\0\x0c\x0b\xb8"), MR_PG_PUT_OK,
     "12.30"},
    {"decimal, -0.01", 1700, NUMERIC(12, 2), BYTES("\0\1\xff\xff\x40\0\0\2\0\x64"), MR_PG_PUT_OK,
     "-0.01"},
    {"decimal, zero", 1700, NUMERIC(12, 2), BYTES("\0\0\0\0\0\0\0\2"), MR_PG_PUT_OK, "0.00"},
    {"decimal, 10000", 1700, NUMERIC(12, 2), BYTES("\0\1\0\1\0\0\0\2\0\1"), MR_PG_PUT_OK,
     "10000.00"},
    {"decimal, with zero digits around", 1700, NUMERIC(12, 2),
     BYTES("\0\3\0\1\0\0\0\2\0\0\0\7\0\0"), MR_PG_PUT_OK, "7.00"},
    {"decimal, more digits than its precision", 1700, NUMERIC(4, 2),
     BYTES("\0\1\0\0\0\0\0\2\0\x64"), MR_PG_PUT_RANGE, NULL},
    {"decimal, more digits than its scale", 1700, NUMERIC(12, 2), BYTES("\0\1\xff\xff\0\0\0\4\0\1"),
     MR_PG_PUT_RANGE, NULL},
    {"decimal, far too large", 1700, NUMERIC(38, 0), BYTES("\0\1\x7f\xff\0\0\0\0\0\1"),
     MR_PG_PUT_RANGE, NULL},
    {"decimal, far too small", 1700, NUMERIC(38, 38), BYTES("\0\1\x80\0\0\0\0\0\0\1"),
     MR_PG_PUT_RANGE, NULL},
    {"decimal, 38 nines", 1700, NUMERIC(38, 0),
     BYTES("\0\x0a\0\x09\0\0\0\0\0\x63\x27\x0f\x27\x0f\x27\x0f\x27\x0f\x27\x0f\x27\x0f\x27\x0f"
           "\x27\x0f\x27\x0f"),
     MR_PG_PUT_OK, "99999999999999999999999999999999999999"},
    {"decimal, 39 digits", 1700, NUMERIC(38, 0),
     BYTES("\0\x0a\0\x09\0\0\0\0\3\xe8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), MR_PG_PUT_RANGE,
     NULL},
    {"decimal, NaN", 1700, NUMERIC(12, 2), BYTES("\0\0\0\0\xc0\0\0\0"), MR_PG_PUT_NAN, NULL},
    {"decimal, infinity", 1700, NUMERIC(12, 2), BYTES("\0\0\0\0\xd0\0\0\0"), MR_PG_PUT_INFINITY,
     NULL},
    {"decimal, minus infinity", 1700, NUMERIC(12, 2), BYTES("\0\0\0\0\xf0\0\0\0"),
     MR_PG_PUT_INFINITY, NULL},
    {"decimal, unknown sign", 1700, NUMERIC(12, 2), BYTES("\0\0\0\0\x12\0\0\0"),
     MR_PG_PUT_MALFORMED, NULL},
    {"decimal, digit above 9999", 1700, NUMERIC(12, 2), BYTES("\0\1\0\0\0\0\0\2\x27\x10"),
     MR_PG_PUT_MALFORMED, NULL},
    {"decimal, fewer digits than said", 1700, NUMERIC(12, 2), BYTES("\0\2\0\0\0\0\0\2\0\1"),
     MR_PG_PUT_MALFORMED, NULL},
    {"decimal, more digits than said", 1700, NUMERIC(12, 2), BYTES("\0\0\0\0\0\0\0\2\0\1"),
     MR_PG_PUT_MALFORMED, NULL},

    {"numeric, free", 1700, -1, BYTES("\0\2\0\0\0\0\0\3\0\x0c\x0b\xb8"), MR_PG_PUT_OK, "12.300"},
    {"numeric, no fraction", 1700, -1, BYTES("\0\1\0\1\x40\0\0\0\0\x0c"), MR_PG_PUT_OK, "-120000"},
    {"numeric, small", 1700, -1, BYTES("\0\1\xff\xfe\0\0\0\7\0\x0a"), MR_PG_PUT_OK, "0.0000001"},
    {"numeric, zero", 1700, -1, BYTES("\0\0\0\0\0\0\0\0"), MR_PG_PUT_OK, "0"},
    {"numeric, NaN", 1700, -1, BYTES("\0\0\0\0\xc0\0\0\0"), MR_PG_PUT_OK, "NaN"},
    {"numeric, minus infinity", 1700, -1, BYTES("\0\0\0\0\xf0\0\0\0"), MR_PG_PUT_OK, "-Infinity"},
    {"numeric, scale out of range", 1700, -1, BYTES("\0\0\0\0\0\0\x7f\xff"), MR_PG_PUT_MALFORMED,
     NULL},
    {"numeric of 39 digits", 1700, NUMERIC(39, 0), BYTES("\0\1\0\0\0\0\0\0\0\5"), MR_PG_PUT_OK,
     "5"},
    {"numeric with a negative scale", 1700, NUMERIC(3, 0x7ff), BYTES("\0\1\0\0\0\0\0\0\0\x0a"),
     MR_PG_PUT_OK, "10"},
};

static void check_cell(const struct type_case *c, struct mr_batch *batch,
                       const struct mr_schema *schema, const struct mr_pg_plan *plan)
{
    struct mr_error err = {0};
    uint16_t index = 0;
    char shown[128];
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &index, &err);
    assert_non_null(chunk);
    /* A copy of just that size: a sanitizer sees a read past its end. */
    uint8_t *exact = malloc(c->length == 0 ? 1 : c->length);
    assert_non_null(exact);
    memcpy(exact, c->wire, c->length);
    const enum mr_pg_put result = plan->put(&chunk->columns[0], &batch->arena, 0, plan,
                                            (struct mr_slice){.bytes = exact, .length = c->length});
    free(exact);
    assert_int_equal(result, c->result);
    if (result == MR_PG_PUT_OK) {
        (void)mr_chunk_end_row(chunk);
        (void)mr_cell_print(&schema->columns[0], &chunk->columns[0], 0, shown, sizeof(shown));
        assert_string_equal(shown, c->shown);
    } else {
        assert_false(mr_pg_put_fail(result, schema, 0, &err));
        assert_non_null(strstr(err.message, "\"public.t\""));
        assert_non_null(strstr(err.message, "\"the column\""));
        assert_int_equal(err.code, result == MR_PG_PUT_MALFORMED ? MR_E_PROTOCOL : MR_E_TYPE);
        mr_chunk_drop_row(chunk);
    }
}

static void each_type_decodes_or_says_why(void **state)
{
    (void)state;
    struct mr_error err = {0};
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    for (size_t i = 0; i < MR_ARRAY_LEN(type_cases); i++) {
        const struct type_case *c = &type_cases[i];
        struct mr_catalog *catalog = mr_catalog_open();
        struct mr_batch *batch = mr_batch_take(pool, 0);
        struct mr_pg_plan plan;
        char name[MR_PG_TYPE_NAME_BYTES];
        struct mr_column column = {
            .name = "the column", .nullable = true, .key_index = MR_NOT_IN_KEY};
        print_message("    %s\n", c->label);
        assert_true(mr_pg_type_resolve((struct mr_pg_type_ref){c->oid, c->modifier, false}, &column,
                                       &plan));
        assert_true(mr_pg_type_format(c->oid, c->modifier, name));
        column.source_type = name;
        const struct mr_schema draft = {
            .column_count = 1, .space = "public", .table = "t", .columns = &column};
        const struct mr_schema *schema = mr_catalog_intern(catalog, &draft, &err);
        assert_non_null(schema);
        check_cell(c, batch, schema, &plan);
        mr_batch_release(batch);
        mr_catalog_close(catalog);
    }
    mr_batch_pool_close(pool);
}

static const struct format_case {
    uint32_t oid;
    int32_t modifier;
    const char *name; /* NULL: not one of ours */
} format_cases[] = {
    {23, -1, "integer"},
    {1700, -1, "numeric"},
    {1700, NUMERIC(12, 2), "numeric(12,2)"},
    {1700, NUMERIC(3, 0x7fe), "numeric(3,-2)"},
    {1043, 44, "character varying(40)"},
    {1043, -1, "character varying"},
    {1042, 5, "character(1)"},
    {1042, -1, "bpchar"},
    {1114, 3, "timestamp(3) without time zone"},
    {1184, -1, "timestamp with time zone"},
    {1083, 0, "time(0) without time zone"},
    {1186, -1, NULL},
    {0, -1, NULL},
};

static void types_are_named_as_the_server_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(format_cases); i++) {
        char name[MR_PG_TYPE_NAME_BYTES];
        const struct format_case *c = &format_cases[i];
        assert_int_equal(mr_pg_type_format(c->oid, c->modifier, name), c->name != NULL);
        if (c->name != NULL) {
            assert_string_equal(name, c->name);
        }
    }
    struct mr_column column = {0};
    struct mr_pg_plan plan;
    assert_false(mr_pg_type_resolve((struct mr_pg_type_ref){1186, -1, false}, &column, &plan));
    assert_true(mr_pg_type_resolve((struct mr_pg_type_ref){70000, -1, true}, &column, &plan));
    assert_int_equal(column.type, MR_TYPE_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_decodes_or_says_why),
        cmocka_unit_test(types_are_named_as_the_server_does),
    };
    return cmocka_run_group_tests_name("pg_types", tests, NULL, NULL);
}
