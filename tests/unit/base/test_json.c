// SPDX-License-Identifier: MIT
/* The JSON writer: commas, escapes, bytes that are not UTF-8, numbers. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "compiler.h"
#include "json.h"

static void commas_are_placed(void **state)
{
    (void)state;
    struct mr_json json = {0};
    mr_json_object_begin(&json);
    mr_json_key(&json, "a");
    mr_json_int(&json, -1);
    mr_json_key(&json, "b");
    mr_json_array_begin(&json);
    mr_json_uint(&json, UINT64_MAX);
    mr_json_null(&json);
    mr_json_bool(&json, true);
    mr_json_array_begin(&json);
    mr_json_array_end(&json);
    mr_json_object_begin(&json);
    mr_json_object_end(&json);
    mr_json_array_end(&json);
    mr_json_key(&json, "c");
    mr_json_string(&json, NULL);
    mr_json_key(&json, "d");
    mr_json_raw(&json, "{\"x\":1}", 7);
    mr_json_object_end(&json);
    assert_string_equal(json.text, "{\"a\":-1,\"b\":[18446744073709551615,null,true,[],{}],"
                                   "\"c\":null,\"d\":{\"x\":1}}");
    mr_json_reset(&json);
    assert_string_equal(json.text, "");
    mr_json_bool(&json, false);
    assert_string_equal(json.text, "false");
    mr_json_done(&json);
    mr_json_done(&json);
}

static const struct text_case {
    const char *label;
    const char *bytes;
    size_t length;
    const char *expect;
} text_cases[] = {
#define BYTES(literal) (literal), sizeof(literal) - 1
#define BAD            "\xef\xbf\xbd"
    {"empty", BYTES(""), "\"\""},
    {"quotes and backslash", BYTES("a\"b\\c"), "\"a\\\"b\\\\c\""},
    {"named escapes", BYTES("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
    {"control characters", BYTES("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
    {"two, three, four bytes", BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x97"),
     "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x97\""},
    {"lone continuation", BYTES("a\x80z"), "\"a" BAD "z\""},
    {"cut sequence", BYTES("\xe2\x82"), "\"" BAD BAD "\""},
    {"overlong", BYTES("\xc0\xaf\xe0\x80\xaf"), "\"" BAD BAD BAD BAD BAD "\""},
    {"surrogate", BYTES("\xed\xa0\x80"), "\"" BAD BAD BAD "\""},
    {"past U+10FFFF", BYTES("\xf4\x90\x80\x80\xf5"), "\"" BAD BAD BAD BAD BAD "\""},
    {"last code point", BYTES("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\""},
    {"broken, then fine", BYTES("\xe2(\xc3\xa9"), "\"" BAD "(\xc3\xa9\""},
#undef BAD
#undef BYTES
};

static void strings_are_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(text_cases); i++) {
        const struct text_case *c = &text_cases[i];
        struct mr_json json = {0};
        print_message("    %s\n", c->label);
        mr_json_slice(&json, (struct mr_slice){(const uint8_t *)c->bytes, c->length});
        assert_string_equal(json.text, c->expect);
        mr_json_done(&json);
    }
}

static const struct double_case {
    double number;
    const char *expect;
} double_cases[] = {
    {0.0, "0"},
    {0.1, "0.1"},
    {-2.5, "-2.5"},
    {1.0 / 3, "0.3333333333333333"},
    {1e300, "1e+300"},
    {123456789012345678.0, "1.2345678901234568e+17"},
    {(double)NAN, "null"},
    {(double)INFINITY, "null"},
    {-(double)INFINITY, "null"},
};

static void doubles_are_short_and_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(double_cases); i++) {
        struct mr_json json = {0};
        mr_json_double(&json, double_cases[i].number);
        assert_string_equal(json.text, double_cases[i].expect);
        mr_json_done(&json);
    }
}

static void the_buffer_grows_at_every_size(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof(text));
    for (size_t length = 0; length < sizeof(text); length += 7) {
        struct mr_json json = {0};
        mr_json_slice(&json, (struct mr_slice){(const uint8_t *)text, length});
        assert_int_equal(json.length, length + 2);
        assert_int_equal(strlen(json.text), json.length);
        mr_json_done(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_are_placed),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(doubles_are_short_and_exact),
        cmocka_unit_test(the_buffer_grows_at_every_size),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
