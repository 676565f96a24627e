// SPDX-License-Identifier: MIT
/*
 * test_pg_types.c - the binary form of each type into a cell, with the values at the ends of its
 * range and bytes that are none of it.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "pg_tree.h"
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
    {"date, infinity", 1082, -1, BYTES("\x7f\xff\xff\xff"), MR_PG_PUT_OK, "infinity"},
    {"date, minus infinity", 1082, -1, BYTES("\x80\0\0\0"), MR_PG_PUT_OK, "-infinity"},
    {"date, finite where infinity is", 1082, -1, BYTES("\x7f\xff\xd5\x32"), MR_PG_PUT_RANGE, NULL},
    {"date, the last", 1082, -1, BYTES("\x7f\xff\xd5\x31"), MR_PG_PUT_OK, "+5881580-07-10"},
    {"date, too late", 1082, -1, BYTES("\x7f\xff\xff\xfe"), MR_PG_PUT_RANGE, NULL},
    {"time", 1083, -1, BYTES("\0\0\0\0\0\0\0\1"), MR_PG_PUT_OK, "00:00:00.000001"},
    {"time, 24:00", 1083, -1, BYTES("\0\0\0\x14\x1d\xd7\x60\0"), MR_PG_PUT_OK, "24:00:00"},
    {"time, later", 1083, -1, BYTES("\0\0\0\x14\x1d\xd7\x60\1"), MR_PG_PUT_MALFORMED, NULL},
    {"time, negative", 1083, -1, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_MALFORMED,
     NULL},
    {"timestamp", 1114, -1, BYTES("\0\0\0\0\0\0\0\0"), MR_PG_PUT_OK, "2000-01-01T00:00:00"},
    {"timestamp, infinity", 1114, -1, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "infinity"},
    {"timestamptz, minus infinity", 1184, -1, BYTES("\x80\0\0\0\0\0\0\0"), MR_PG_PUT_OK,
     "-infinity"},
    {"interval", 1186, -1, BYTES("\0\0\0\0\0\0\0\1\xff\xff\xff\xfe\0\0\0\x0d"), MR_PG_PUT_OK,
     "P1Y1M-2DT0.000001S"},
    {"interval, zero", 1186, -1, BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), MR_PG_PUT_OK, "PT0S"},
    {"interval, infinite", 1186, -1,
     BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff"), MR_PG_PUT_INFINITY,
     NULL},
    {"interval, minus infinite", 1186, -1, BYTES("\x80\0\0\0\0\0\0\0\x80\0\0\0\x80\0\0\0"),
     MR_PG_PUT_INFINITY, NULL},
    {"interval, short", 1186, -1, BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), MR_PG_PUT_MALFORMED, NULL},
    {"money", 790, -1, BYTES("\xff\xff\xff\xff\xff\xff\xff\x9b"), MR_PG_PUT_OK, "-1.01"},
    {"money, short", 790, -1, BYTES("\0\0\0\1"), MR_PG_PUT_MALFORMED, NULL},
    {"xid", 28, -1, BYTES("\xff\xff\xff\xff"), MR_PG_PUT_OK, "4294967295"},
    {"xid8", 5069, -1, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "18446744073709551615"},
    {"regclass", 2205, -1, BYTES("\0\0\4\xeb"), MR_PG_PUT_OK, "1259"},
    {"tid", 27, -1, BYTES("\0\0\0\7\0\2"), MR_PG_PUT_OK, "(7,2)"},
    {"tid, long", 27, -1, BYTES("\0\0\0\7\0\2\0"), MR_PG_PUT_MALFORMED, NULL},
    {"\"char\"", 18, -1, BYTES("a"), MR_PG_PUT_OK, "a"},
    {"\"char\", zero", 18, -1, BYTES("\0"), MR_PG_PUT_OK, ""},
    {"\"char\", beyond ASCII", 18, -1, BYTES("\xe9"), MR_PG_PUT_OK, "\\351"},
    {"\"char\", two", 18, -1, BYTES("ab"), MR_PG_PUT_MALFORMED, NULL},
    {"bit", 1560, 3, BYTES("\0\0\0\3\xa0"), MR_PG_PUT_OK, "101"},
    {"varbit, empty", 1562, -1, BYTES("\0\0\0\0"), MR_PG_PUT_OK, ""},
    {"varbit, fewer bytes than bits", 1562, -1, BYTES("\0\0\0\x9\xa0"), MR_PG_PUT_MALFORMED, NULL},
    {"varbit, more bits than a value has", 1562, -1, BYTES("\xff\xff\xff\xff"), MR_PG_PUT_MALFORMED,
     NULL},
    {"timetz", 1266, -1, BYTES("\0\0\0\0\0\0\0\0\xff\xff\xf1\xf0"), MR_PG_PUT_OK, "00:00:00+01"},
    {"timetz, west, with seconds", 1266, -1, BYTES("\0\0\0\0\0\0\0\1\0\0\x0e\x11"), MR_PG_PUT_OK,
     "00:00:00.000001-01:00:01"},
    {"timetz, a zone of days", 1266, -1, BYTES("\0\0\0\0\0\0\0\0\x7f\xff\xff\xff"),
     MR_PG_PUT_MALFORMED, NULL},
    {"inet", 869, -1, BYTES("\2\x20\0\4\x7f\0\0\1"), MR_PG_PUT_OK, "127.0.0.1"},
    {"inet, with bits", 869, -1, BYTES("\2\x18\0\4\x0a\0\0\1"), MR_PG_PUT_OK, "10.0.0.1/24"},
    {"inet, too many bits", 869, -1, BYTES("\2\x21\0\4\x0a\0\0\1"), MR_PG_PUT_MALFORMED, NULL},
    {"inet, another family", 869, -1, BYTES("\4\x18\0\4\x0a\0\0\1"), MR_PG_PUT_MALFORMED, NULL},
    {"inet, fewer bytes than said", 869, -1, BYTES("\2\x18\0\4\x0a\0\0"), MR_PG_PUT_MALFORMED,
     NULL},
    {"cidr", 650, -1, BYTES("\3\x20\1\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0"), MR_PG_PUT_OK,
     "2001:db8::/32"},
    {"macaddr", 829, -1, BYTES("\x08\0\x2b\1\2\3"), MR_PG_PUT_OK, "08:00:2b:01:02:03"},
    {"macaddr8, short", 774, -1, BYTES("\x08\0\x2b\1\2\3"), MR_PG_PUT_MALFORMED, NULL},
    {"pg_lsn", 3220, -1, BYTES("\0\0\0\x16\xb3\x74\xd8\x48"), MR_PG_PUT_OK, "16/B374D848"},
    {"jsonpath", 4072, -1, BYTES("\1$.\"a\""), MR_PG_PUT_OK, "$.\"a\""},
    {"xml, not UTF-8", 142, -1, BYTES("<\xff>"), MR_PG_PUT_ENCODING, NULL},
    {"point", 600, -1, BYTES("\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0"), MR_PG_PUT_OK, "(1,-2)"},
    {"point, short", 600, -1, BYTES("\x3f\xf0\0\0\0\0\0\0"), MR_PG_PUT_MALFORMED, NULL},
    {"path, a count that is not there", 602, -1, BYTES("\1\x10\0\0\1"), MR_PG_PUT_MALFORMED, NULL},
    {"polygon, empty", 604, -1, BYTES("\0\0\0\0"), MR_PG_PUT_OK, "()"},
    {"tsvector", 3614, -1, BYTES("\0\0\0\2a'\0\0\2\xc0\1\0\2b\0\0\0"), MR_PG_PUT_OK,
     "'a''':1A,2 'b'"},
    {"tsvector, fewer lexemes than said", 3614, -1, BYTES("\0\0\0\2a\0\0\0"), MR_PG_PUT_MALFORMED,
     NULL},
    {"tsvector, more positions than said", 3614, -1, BYTES("\0\0\0\1a\0\0\0\0"),
     MR_PG_PUT_MALFORMED, NULL},
    {"bool array", 1000, -1,
     BYTES("\0\0\0\1\0\0\0\1\0\0\0\x10\0\0\0\2\0\0\0\1\0\0\0\1\1\xff\xff\xff\xff"), MR_PG_PUT_OK,
     "[true,null]"},
    {"tsquery", 3615, -1, BYTES("\0\0\0\0"), MR_PG_PUT_FOREIGN, NULL},
    {"a type of number 0", 0, -1, BYTES("x"), MR_PG_PUT_FOREIGN, NULL},
    {"an extension's type", 99999, -1, BYTES("x"), MR_PG_PUT_FOREIGN, NULL},
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
    {"numeric with a negative scale, most", 1700, NUMERIC(3, 0x7ff),
     BYTES("\0\1\0\0\0\0\0\0\x27\x06"), MR_PG_PUT_OK, "9990"},
    {"numeric with a negative scale, too large", 1700, NUMERIC(3, 0x7ff),
     BYTES("\0\1\0\1\0\0\0\0\0\1"), MR_PG_PUT_RANGE, NULL},
    {"numeric with a scale beyond its digits", 1700, NUMERIC(2, 5),
     BYTES("\0\2\xff\xff\0\0\0\5\0\x09\x23\x28"), MR_PG_PUT_OK, "0.00099"},
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
        struct mr_pg_types types = {0};
        const struct mr_pg_type_ref ref = {.oid = c->oid, .modifier = c->modifier, .types = &types};
        assert_true(mr_pg_type_resolve(ref, &column, &plan));
        if (!mr_pg_type_format(c->oid, c->modifier, name)) {
            assert_int_equal(c->result, MR_PG_PUT_FOREIGN);
            (void)snprintf(name, sizeof(name), "a type");
        }
        column.source_type = name;
        const struct mr_schema draft = {
            .column_count = 1, .space = "public", .table = "t", .columns = &column};
        const struct mr_schema *schema = mr_catalog_intern(catalog, &draft, &err);
        assert_non_null(schema);
        check_cell(c, batch, schema, &plan);
        mr_batch_release(batch);
        mr_catalog_close(catalog);
        mr_pg_types_done(&types);
    }
    mr_batch_pool_close(pool);
}

/* ---- on_type_error. ---- */

static const struct policy_case {
    uint32_t oid;
    int32_t modifier;
    enum mr_type type;    /* with "stop" and "null" */
    enum mr_type as_text; /* with "text" */
} policy_cases[] = {
    {1700, NUMERIC(12, 2), MR_TYPE_DECIMAL, MR_TYPE_TEXT},
    {1700, -1, MR_TYPE_TEXT, MR_TYPE_TEXT},
    {1700, NUMERIC(38, 0x7ff), MR_TYPE_TEXT, MR_TYPE_TEXT}, /* 39 digits */
    {1700, NUMERIC(2, 5), MR_TYPE_DECIMAL, MR_TYPE_TEXT},
    {1114, -1, MR_TYPE_TIMESTAMP, MR_TYPE_TEXT},
    {1184, -1, MR_TYPE_TIMESTAMPTZ, MR_TYPE_TEXT},
    {1186, -1, MR_TYPE_INTERVAL, MR_TYPE_TEXT},
    {1082, -1, MR_TYPE_DATE, MR_TYPE_DATE}, /* every value of the server fits */
    {790, -1, MR_TYPE_DECIMAL, MR_TYPE_DECIMAL},
    {23, -1, MR_TYPE_I32, MR_TYPE_I32},
    {1007, -1, MR_TYPE_JSON, MR_TYPE_JSON},
};

static void only_types_that_may_hold_less_become_text(void **state)
{
    (void)state;
    static const enum mr_on_type_error policies[] = {MR_ON_TYPE_ERROR_STOP, MR_ON_TYPE_ERROR_NULL,
                                                     MR_ON_TYPE_ERROR_TEXT};
    for (size_t i = 0; i < MR_ARRAY_LEN(policy_cases) * MR_ARRAY_LEN(policies); i++) {
        const struct policy_case *c = &policy_cases[i / MR_ARRAY_LEN(policies)];
        struct mr_pg_types types = {0};
        struct mr_column column = {0};
        struct mr_pg_plan plan;
        const struct mr_pg_type_ref ref = {.oid = c->oid,
                                           .modifier = c->modifier,
                                           .types = &types,
                                           .on_type_error = policies[i % MR_ARRAY_LEN(policies)]};
        assert_true(mr_pg_type_resolve(ref, &column, &plan));
        assert_int_equal(column.type,
                         ref.on_type_error == MR_ON_TYPE_ERROR_TEXT ? c->as_text : c->type);
        assert_int_equal(plan.on_error, ref.on_type_error);
        mr_pg_types_done(&types);
    }
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
    {1186, -1, "interval"},
    {1186, 3, NULL}, /* fields and digits: the server names it */
    {1007, -1, "integer[]"},
    {1231, NUMERIC(12, 2), "numeric(12,2)[]"},
    {1561, 3, "bit(3)[]"},
    {1560, -1, "\"bit\""},
    {1266, 0, "time(0) with time zone"},
    {869, -1, "inet"},
    {3904, -1, NULL}, /* ranges: likewise */
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
    struct mr_pg_types types = {0};
    struct mr_column column = {0};
    struct mr_pg_plan plan;
    const struct mr_pg_type_ref ref = {
        .oid = 70000, .modifier = -1, .is_enum = true, .types = &types};
    assert_true(mr_pg_type_resolve(ref, &column, &plan));
    assert_int_equal(column.type, MR_TYPE_TEXT);
    assert_int_equal(types.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_decodes_or_says_why),
        cmocka_unit_test(only_types_that_may_hold_less_become_text),
        cmocka_unit_test(types_are_named_as_the_server_does),
    };
    return cmocka_run_group_tests_name("pg_types", tests, NULL, NULL);
}
