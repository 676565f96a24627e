// SPDX-License-Identifier: MIT
/* Widths and names of the core types. */
#include <string.h>

#include "check.h"
#include "compiler.h"
#include "type.h"

static const struct width_case {
    enum mr_type type;
    unsigned precision;
    size_t width;
    const char *name;
} width_cases[] = {
    {MR_TYPE_BOOL, 0, 1, "bool"},
    {MR_TYPE_I8, 0, 1, "i8"},
    {MR_TYPE_I16, 0, 2, "i16"},
    {MR_TYPE_I32, 0, 4, "i32"},
    {MR_TYPE_I64, 0, 8, "i64"},
    {MR_TYPE_U8, 0, 1, "u8"},
    {MR_TYPE_U16, 0, 2, "u16"},
    {MR_TYPE_U32, 0, 4, "u32"},
    {MR_TYPE_U64, 0, 8, "u64"},
    {MR_TYPE_F32, 0, 4, "f32"},
    {MR_TYPE_F64, 0, 8, "f64"},
    {MR_TYPE_DATE, 0, 4, "date"},
    {MR_TYPE_TIME, 6, 8, "time"},
    {MR_TYPE_DURATION, 0, 8, "duration"},
    {MR_TYPE_TIMESTAMP, 6, 8, "timestamp"},
    {MR_TYPE_TIMESTAMPTZ, 6, 8, "timestamptz"},
    {MR_TYPE_UUID, 0, 16, "uuid"},
    {MR_TYPE_TEXT, 0, 0, "text"},
    {MR_TYPE_BYTES, 0, 0, "bytes"},
    {MR_TYPE_JSON, 0, 0, "json"},
    {MR_TYPE_INTERVAL, 0, 16, "interval"},
    {MR_TYPE_DECIMAL, 1, 2, "decimal"},
    {MR_TYPE_DECIMAL, 4, 2, "decimal"},
    {MR_TYPE_DECIMAL, 5, 4, "decimal"},
    {MR_TYPE_DECIMAL, 9, 4, "decimal"},
    {MR_TYPE_DECIMAL, 10, 8, "decimal"},
    {MR_TYPE_DECIMAL, 18, 8, "decimal"},
    {MR_TYPE_DECIMAL, 19, 16, "decimal"},
    {MR_TYPE_DECIMAL, 38, 16, "decimal"},
};

static void every_type_has_its_width_and_name(void **state)
{
    (void)state;
    bool seen[MR_TYPE_COUNT] = {false};
    for (size_t i = 0; i < MR_ARRAY_LEN(width_cases); i++) {
        const struct width_case *c = &width_cases[i];
        assert_int_equal(mr_type_width(c->type, c->precision), c->width);
        assert_string_equal(mr_type_name(c->type), c->name);
        assert_int_equal(mr_type_is_variable(c->type), c->width == 0);
        seen[c->type] = true;
    }
    for (size_t type = 1; type < MR_TYPE_COUNT; type++) {
        assert_true(seen[type]);
    }
}

static void numbers_that_are_no_type_have_no_name(void **state)
{
    (void)state;
    assert_null(mr_type_name((enum mr_type)0));
    assert_null(mr_type_name((enum mr_type)MR_TYPE_COUNT));
    assert_null(mr_type_name((enum mr_type)255));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_width_and_name),
        cmocka_unit_test(numbers_that_are_no_type_have_no_name),
    };
    return cmocka_run_group_tests_name("type", tests, NULL, NULL);
}
