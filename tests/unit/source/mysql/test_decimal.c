// SPDX-License-Identifier: MIT
#include <string.h>

#include "check.h"
#include "decimal.h"

#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

static const struct decimal_case {
    const char *label;
    uint8_t precision;
    uint8_t scale;
    const uint8_t *bytes;
    size_t length;
    const char *printed; /* NULL: refused */
} decimal_cases[] = {
    {"the manual's own", 14, 4, BYTES("\x81\x0d\xfb\x38\xd2\x04\xd2"), "1234567890.1234"},
    {"the manual's negative", 14, 4, BYTES("\x7e\xf2\x04\xc7\x2d\xfb\x2d"), "-1234567890.1234"},
    {"zero", 5, 2, BYTES("\x80\x00\x00"), "0.00"},
    {"one digit", 1, 0, BYTES("\x89"), "9"},
    {"minus one digit", 1, 0, BYTES("\x76"), "-9"},
    {"fraction only", 2, 2, BYTES("\xb2"), "0.50"},
    {"nine nines", 9, 0, BYTES("\xbb\x9a\xc9\xff"), "999999999"},
    {"a digit past 9", 1, 0, BYTES("\x8a"), NULL},
    {"a group past 999999999", 9, 0, BYTES("\xbb\x9a\xca\x00"), NULL},
    {"one byte short", 5, 2, BYTES("\x80\x00"), NULL},
    {"one byte over", 5, 2, BYTES("\x80\x00\x00\x00"), NULL},
    {"no bytes", 5, 2, BYTES(""), NULL},
};

static void packed_decimals_print_as_the_server_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(decimal_cases); i++) {
        const struct decimal_case *c = &decimal_cases[i];
        const struct mr_decimal_shape shape = {c->precision, c->scale};
        const struct mr_slice bytes = {c->bytes, c->length};
        char text[MR_MYSQL_DECIMAL_TEXT_BYTES_MAX];
        size_t length = 0;
        mr_i128 unscaled = 0;
        mr_i128 parsed = 0;
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        const bool printed = mr_mysql_decimal_print(bytes, shape, text, &length, &err);
        assert_int_equal(printed, c->printed != NULL);
        assert_int_equal(mr_mysql_decimal_unpack(bytes, shape, &unscaled, &err), printed);
        if (printed) {
            assert_string_equal(text, c->printed);
            assert_int_equal(length, strlen(text));
            assert_true(mr_mysql_decimal_parse(mr_slice_of(text), shape, &parsed, &err));
            assert_true(parsed == unscaled);
        } else {
            assert_int_equal(err.code, MR_E_PROTOCOL);
        }
    }
}

static const struct text_case {
    const char *text;
    uint8_t precision;
    uint8_t scale;
    bool good;
    int64_t unscaled;
} text_cases[] = {
    {"1.5", 5, 2, true, 150},
    {"-0.05", 5, 2, true, -5},
    {"000012.30", 4, 2, true, 1230},
    {"12", 4, 2, true, 1200},
    {"1.500", 5, 2, true, 150}, /* zeros past the scale */
    {"1.505", 5, 2, false, 0},
    {"123456", 5, 0, false, 0},
    {"1234.5", 5, 2, false, 0}, /* does not fit with its scale */
    {"", 5, 2, false, 0},
    {"-", 5, 2, false, 0},
    {".", 5, 2, false, 0},
    {"1.2.3", 5, 2, false, 0},
    {"1e3", 5, 2, false, 0},
    {"+1", 5, 2, false, 0},
};

static void text_decimals_parse_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(text_cases); i++) {
        const struct text_case *c = &text_cases[i];
        mr_i128 unscaled = 0;
        struct mr_error err = {0};
        print_message("    \"%s\"\n", c->text);
        const bool parsed = mr_mysql_decimal_parse(
            mr_slice_of(c->text), (struct mr_decimal_shape){c->precision, c->scale}, &unscaled,
            &err);
        assert_int_equal(parsed, c->good);
        assert_true(unscaled == c->unscaled);
        assert_int_equal(err.code, parsed ? MR_OK : MR_E_TYPE);
    }
}

static void sizes_follow_the_groups(void **state)
{
    (void)state;
    assert_int_equal(mr_mysql_decimal_size((struct mr_decimal_shape){65, 30}), 16 + 14);
    assert_int_equal(mr_mysql_decimal_size((struct mr_decimal_shape){10, 2}), 5);
    assert_int_equal(mr_mysql_decimal_size((struct mr_decimal_shape){1, 1}), 1);
    assert_int_equal(mr_mysql_decimal_size((struct mr_decimal_shape){18, 9}), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_decimals_print_as_the_server_does),
        cmocka_unit_test(text_decimals_parse_or_say_why),
        cmocka_unit_test(sizes_follow_the_groups),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
