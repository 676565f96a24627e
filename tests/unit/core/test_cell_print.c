// SPDX-License-Identifier: MIT
/* Cells as text: one row a form that a value can take. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "chunk.h"

static struct mr_arena arena;

static int open_arena(void **state)
{
    struct mr_error err = {0};
    (void)state;
    return mr_arena_init(&arena, (size_t)1 << 20, (size_t)1 << 20, &err) ? 0 : -1;
}

static int close_arena(void **state)
{
    (void)state;
    mr_arena_done(&arena);
    return 0;
}

/* A chunk of one column; the chunk keeps a pointer to the schema, so both live in the arena. */
static struct mr_chunk *chunk_of(struct mr_column column)
{
    mr_arena_reset(&arena);
    struct mr_column *columns = MR_ARENA_NEW(&arena, struct mr_column, 1);
    struct mr_schema *schema = MR_ARENA_NEW(&arena, struct mr_schema, 1);
    *columns = column;
    *schema = (struct mr_schema){.schema_id = 1, .column_count = 1, .columns = columns};
    struct mr_chunk *chunk = mr_chunk_new(&arena, schema, MR_IMAGE_FULL, 16);
    assert_non_null(chunk);
    return chunk;
}

static void expect_text(const struct mr_chunk *chunk, const char *expect)
{
    char text[256];
    const struct mr_column *column = &chunk->schema->columns[0];
    assert_int_equal(mr_cell_print(column, &chunk->columns[0], 0, text, sizeof(text)),
                     strlen(expect));
    assert_string_equal(text, expect);
    /* Whatever the room, the same length, and a terminated prefix. */
    for (size_t size = 0; size <= strlen(expect); size++) {
        memset(text, '#', sizeof(text));
        assert_int_equal(mr_cell_print(column, &chunk->columns[0], 0, text, size), strlen(expect));
        assert_memory_equal(text, expect, size == 0 ? 0 : size - 1);
        assert_true(size == 0 || text[size - 1] == '\0');
        assert_int_equal(text[size], '#');
    }
}

#define US INT64_C(1000000)

static const struct integer_case {
    enum mr_type type;
    int64_t value; /* its low bytes */
    const char *expect;
} integer_cases[] = {
    {MR_TYPE_BOOL, 0, "false"},
    {MR_TYPE_BOOL, 1, "true"},
    {MR_TYPE_I8, INT8_MIN, "-128"},
    {MR_TYPE_I16, INT16_MIN, "-32768"},
    {MR_TYPE_I32, INT32_MIN, "-2147483648"},
    {MR_TYPE_I64, INT64_MIN, "-9223372036854775808"},
    {MR_TYPE_I64, INT64_MAX, "9223372036854775807"},
    {MR_TYPE_U8, -1, "255"},
    {MR_TYPE_U16, -1, "65535"},
    {MR_TYPE_U32, -1, "4294967295"},
    {MR_TYPE_U64, -1, "18446744073709551615"},
    {MR_TYPE_DATE, 0, "1970-01-01"},
    {MR_TYPE_DATE, -1, "1969-12-31"},
    {MR_TYPE_DATE, 11016, "2000-02-29"},
    {MR_TYPE_DATE, 19782, "2024-02-29"},
    {MR_TYPE_DATE, -719528, "0000-01-01"},
    {MR_TYPE_DATE, -719529, "-0001-12-31"},
    {MR_TYPE_DATE, 2932896, "9999-12-31"},
    {MR_TYPE_DATE, 2932897, "+10000-01-01"},
    {MR_TYPE_DATE, INT32_MIN, "-5877641-06-23"},
    {MR_TYPE_DATE, INT32_MAX, "infinity"},
    {MR_TYPE_DATE, -INT32_MAX, "-infinity"},
    {MR_TYPE_TIME, 0, "00:00:00"},
    {MR_TYPE_TIME, 86399999999, "23:59:59.999999"},
    {MR_TYPE_TIME, 86400 * US, "24:00:00"},
    {MR_TYPE_DURATION, -(838 * 3600 + 59 * 60 + 59) * US, "-838:59:59"},
    {MR_TYPE_DURATION, 1, "00:00:00.000001"},
    {MR_TYPE_DURATION, -1, "-00:00:00.000001"},
    {MR_TYPE_DURATION, INT64_MIN, "-2562047788:00:54.775808"},
    {MR_TYPE_TIMESTAMP, 0, "1970-01-01T00:00:00"},
    {MR_TYPE_TIMESTAMP, -1, "1969-12-31T23:59:59.999999"},
    {MR_TYPE_TIMESTAMPTZ, 1704164645 * US + 120000, "2024-01-02T03:04:05.120000Z"},
    {MR_TYPE_TIMESTAMP, INT64_MAX, "infinity"},
    {MR_TYPE_TIMESTAMPTZ, -INT64_MAX, "-infinity"},
    {MR_TYPE_TIMESTAMP, INT64_MAX - 1, "+294247-01-10T04:00:54.775806"},
    {MR_TYPE_TIMESTAMP, INT64_MIN, "-290308-12-21T19:59:05.224192"},
};

static void integers_and_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(integer_cases); i++) {
        const struct integer_case *c = &integer_cases[i];
        struct mr_chunk *chunk =
            chunk_of((struct mr_column){.name = "c", .type = c->type, .precision = 6});
        print_message("    %s\n", c->expect);
        memcpy(chunk->columns[0].values, &c->value, chunk->columns[0].width);
        mr_put_valid(&chunk->columns[0], 0);
        (void)mr_chunk_end_row(chunk);
        expect_text(chunk, c->expect);
    }
}

static const struct interval_case {
    struct mr_interval interval;
    const char *expect;
} interval_cases[] = {
    {{0, 0, 0}, "PT0S"},
    {{14, -3, 0}, "P1Y2M-3D"},
    {{-14, 0, 1}, "P-1Y-2MT0.000001S"},
    {{0, 0, -1}, "PT-0.000001S"},
    {{0, 0, 3723500000}, "PT1H2M3.500000S"},
    {{0, 0, -60000000}, "PT-1M"},
    {{0, 1, INT64_MIN}, "P1DT-2562047788H-54.775808S"},
    {{INT32_MAX, INT32_MIN, INT64_MAX}, "P178956970Y7M-2147483648DT2562047788H54.775807S"},
};

static void intervals_keep_their_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(interval_cases); i++) {
        const struct interval_case *c = &interval_cases[i];
        struct mr_chunk *chunk =
            chunk_of((struct mr_column){.name = "c", .type = MR_TYPE_INTERVAL});
        print_message("    %s\n", c->expect);
        mr_put_interval(&chunk->columns[0], 0, c->interval);
        (void)mr_chunk_end_row(chunk);
        expect_text(chunk, c->expect);
    }
}

static const struct decimal_case {
    uint8_t precision, scale;
    int64_t high; /* value = high * 10^18 + low */
    int64_t low;
    const char *expect;
} decimal_cases[] = {
    {4, 0, 0, 0, "0"},
    {4, 2, 0, 0, "0.00"},
    {4, 2, 0, -5, "-0.05"},
    {4, 2, 0, 1234, "12.34"},
    {4, 4, 0, 1, "0.0001"},
    {2, 5, 0, 12, "0.00012"}, /* a scale larger than the precision, as PostgreSQL 15 allows */
    {9, 3, 0, -999999999, "-999999.999"},
    {18, 0, 0, 999999999999999999, "999999999999999999"},
    {38, 2, INT64_C(123456789012345678), 901234567890123456,
     "1234567890123456789012345678901234.56"},
    {38, 0, INT64_C(-123456789012345678), -1, "-123456789012345678000000000000000001"},
};

static void decimals_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(decimal_cases); i++) {
        const struct decimal_case *c = &decimal_cases[i];
        struct mr_chunk *chunk = chunk_of((struct mr_column){
            .name = "c", .type = MR_TYPE_DECIMAL, .precision = c->precision, .scale = c->scale});
        print_message("    %s\n", c->expect);
        mr_put_decimal(&chunk->columns[0], 0,
                       (mr_i128)c->high * INT64_C(1000000000000000000) + c->low);
        (void)mr_chunk_end_row(chunk);
        expect_text(chunk, c->expect);
    }
}

static const struct real_case {
    double value;
    bool single;
    const char *expect;
} real_cases[] = {
    {0.1, false, "0.1"},
    {(double)0.1F, true, "0.1"},
    {1.0 / 3, false, "0.3333333333333333"},
    {(double)(1.0F / 3), true, "0.33333334"},
    {1e300, false, "1e+300"},
    {-0.0, false, "-0"},
    {(double)NAN, false, "NaN"},
    {(double)INFINITY, true, "Infinity"},
    {-(double)INFINITY, false, "-Infinity"},
};

static void reals_are_short_and_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(real_cases); i++) {
        const struct real_case *c = &real_cases[i];
        struct mr_chunk *chunk = chunk_of(
            (struct mr_column){.name = "c", .type = c->single ? MR_TYPE_F32 : MR_TYPE_F64});
        print_message("    %s\n", c->expect);
        if (c->single) {
            mr_put_f32(&chunk->columns[0], 0, (float)c->value);
        } else {
            mr_put_f64(&chunk->columns[0], 0, c->value);
        }
        (void)mr_chunk_end_row(chunk);
        expect_text(chunk, c->expect);
    }
}

static const struct text_case {
    enum mr_type type;
    const char *bytes;
    size_t length;
    const char *expect;
} text_cases[] = {
#define BYTES(literal) (literal), sizeof(literal) - 1
    {MR_TYPE_TEXT, BYTES(""), ""},
    {MR_TYPE_TEXT, BYTES("h\xc3\xa9"), "h\xc3\xa9"},
    {MR_TYPE_JSON, BYTES("{\"a\": 1}"), "{\"a\": 1}"},
    {MR_TYPE_BYTES, BYTES(""), ""},
    {MR_TYPE_BYTES, BYTES("f"), "Zg=="},
    {MR_TYPE_BYTES, BYTES("fo"), "Zm8="},
    {MR_TYPE_BYTES, BYTES("foo"), "Zm9v"},
    {MR_TYPE_BYTES, BYTES("foob"), "Zm9vYg=="},
    {MR_TYPE_BYTES, BYTES("\xff\xfe\xfd\0"), "//79AA=="},
    {MR_TYPE_UUID, BYTES("\x12\x34\x56\x78\x9a\xbc\xde\xf0\x01\x23\x45\x67\x89\xab\xcd\xef"),
     "12345678-9abc-def0-0123-456789abcdef"},
#undef BYTES
};

static void texts_bytes_and_uuids(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(text_cases); i++) {
        const struct text_case *c = &text_cases[i];
        struct mr_chunk *chunk = chunk_of((struct mr_column){.name = "c", .type = c->type});
        if (c->type == MR_TYPE_UUID) {
            memcpy(chunk->columns[0].values, c->bytes, 16);
            mr_put_valid(&chunk->columns[0], 0);
        } else {
            assert_true(mr_put_bytes(&chunk->columns[0], &arena, 0, c->bytes, c->length));
        }
        (void)mr_chunk_end_row(chunk);
        expect_text(chunk, c->expect);
    }
}

static void cells_without_a_value_say_so(void **state)
{
    (void)state;
    static const char *const names[] = {
        [MR_CELL_NULL] = "null", [MR_CELL_UNCHANGED] = "unchanged", [MR_CELL_ABSENT] = "absent"};
    for (int cell = MR_CELL_NULL; cell <= MR_CELL_ABSENT; cell++) {
        struct mr_chunk *chunk = chunk_of((struct mr_column){.name = "c", .type = MR_TYPE_I32});
        assert_true(mr_put_state(&chunk->columns[0], &arena, 0, 16, (enum mr_cell_state)cell));
        (void)mr_chunk_end_row(chunk);
        expect_text(chunk, names[cell]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_and_times),    cmocka_unit_test(intervals_keep_their_parts),
        cmocka_unit_test(decimals_are_exact),    cmocka_unit_test(reals_are_short_and_exact),
        cmocka_unit_test(texts_bytes_and_uuids), cmocka_unit_test(cells_without_a_value_say_so),
    };
    return cmocka_run_group_tests_name("cell_print", tests, open_arena, close_arena);
}
