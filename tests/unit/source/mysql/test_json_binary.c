// SPDX-License-Identifier: MIT
/* What real documents print is in tests/golden/mysql; here are forms by hand, and broken ones. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "json_binary.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

static const struct json_case {
    const char *label;
    struct mr_slice bytes;
    const char *printed; /* NULL: refused */
} json_cases[] = {
    {"no bytes", BYTES(""), "null"},
    {"null", BYTES("\4\0"), "null"},
    {"true", BYTES("\4\1"), "true"},
    {"false", BYTES("\4\2"), "false"},
    {"literal 3", BYTES("\4\3"), NULL},
    {"literal missing", BYTES("\4"), NULL},
    {"int16", BYTES("\5\xff\xff"), "-1"},
    {"uint16", BYTES("\6\xff\xff"), "65535"},
    {"int32", BYTES("\7\0\0\0\x80"), "-2147483648"},
    {"uint32", BYTES("\x08\xff\xff\xff\xff"), "4294967295"},
    {"int64", BYTES("\x09\0\0\0\0\0\0\0\x80"), "-9223372036854775808"},
    {"uint64", BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615"},
    {"int64 cut", BYTES("\x09\0\0\0"), NULL},
    {"double", BYTES("\x0b\0\0\0\0\0\0\xf8\x3f"), "1.5"},
    {"double cut", BYTES("\x0b\0"), NULL},
    {"string", BYTES("\x0c\3abc"), "\"abc\""},
    {"string with escapes", BYTES("\x0c\6\"\\\n\x01/\x7f"), "\"\\\"\\\\\\n\\u0001/\x7f\""},
    {"string cut", BYTES("\x0c\4abc"), NULL},
    {"string not UTF-8", BYTES("\x0c\1\xff"), NULL},
    {"length of 6 bytes", BYTES("\x0c\x80\x80\x80\x80\x80\1a"), NULL},
    {"empty array", BYTES("\2\0\0\4\0"), "[]"},
    {"empty object", BYTES("\0\0\0\4\0"), "{}"},
    {"array of inlined", BYTES("\2\2\0\x0a\0\5\1\0\4\1\0"), "[1, true]"},
    {"array of a string", BYTES("\2\1\0\x0a\0\x0c\7\0\2hi"), "[\"hi\"]"},
    {"object", BYTES("\0\1\0\x0c\0\x0b\0\1\0\5\7\0a"), "{\"a\": 7}"},
    {"size past the end", BYTES("\2\1\0\xff\0\5\1\0"), NULL},
    {"count past the size", BYTES("\2\xff\xff\x07\0\5\1\0"), NULL},
    {"size below its own header", BYTES("\2\0\0\1\0"), NULL},
    {"value in the header", BYTES("\2\1\0\x0a\0\x0c\0\0\2hi"), NULL},
    {"value past the end", BYTES("\2\1\0\x0a\0\x0c\x0a\0\2hi"), NULL},
    {"key in the header", BYTES("\0\1\0\x0c\0\0\0\1\0\5\7\0a"), NULL},
    {"key past the end", BYTES("\0\1\0\x0c\0\x0b\0\2\0\5\7\0a"), NULL},
    {"large array inlines 32 bits", BYTES("\3\1\0\0\0\x0d\0\0\0\x08\xff\xff\xff\xff"),
     "[4294967295]"},
    {"decimal", BYTES("\x0f\xf6\4\3\2\x81\x17"), "1.23"},
    {"decimal a byte short", BYTES("\x0f\xf6\3\3\2\x81"), NULL},
    {"decimal good", BYTES("\x0f\xf6\5\5\2\x80\x0c\x22"), "12.34"},
    {"decimal of no digits", BYTES("\x0f\xf6\2\0\0"), NULL},
    {"date", BYTES("\x0f\x0a\x08\0\0\0\0\0\xba\xb2\x19"), "\"2024-02-29\""},
    {"zero date prints", BYTES("\x0f\x0a\x08\0\0\0\0\0\0\0\0"), "\"0000-00-00\""},
    {"time cut", BYTES("\x0f\x0b\7\0\0\0\0\0\0\0"), NULL},
    {"opaque blob", BYTES("\x0f\xfc\3abc"), "\"base64:type252:YWJj\""},
    {"opaque of 1", BYTES("\x0f\xfc\1a"), "\"base64:type252:YQ==\""},
    {"opaque cut", BYTES("\x0f"), NULL},
    {"type 13", BYTES("\x0d\0"), NULL},
    {"type 255", BYTES("\xff"), NULL},
};

static void documents_print_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(json_cases); i++) {
        const struct json_case *c = &json_cases[i];
        struct mr_writer out;
        struct mr_error err = {0};
        mr_writer_init(&out, 4096);
        print_message("    %s\n", c->label);
        const bool good = mr_json_binary_print(c->bytes, &out, &err);
        if (good != (c->printed != NULL)) {
            fail_msg("%.*s %s", (int)out.length, (char *)out.bytes, err.message);
        }
        if (good) {
            assert_int_equal(out.length, strlen(c->printed));
            assert_memory_equal(out.bytes, c->printed, out.length);
        } else {
            assert_true(err.code == MR_E_PROTOCOL || err.code == MR_E_TYPE);
        }
        mr_writer_done(&out);
    }
}

/* As SELECT CAST('...' AS JSON) prints them on MySQL 8.0.31. */
static void doubles_print_as_the_server_does(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {0.1, "0.1"},
        {1e15, "1e15"},
        {123456789012345.0, "123456789012345.0"},
        {1e14, "100000000000000.0"},
        {1234567890123456.7, "1234567890123456.8"},
        {1e-5, "0.00001"},
        {1e-14, "0.00000000000001"},
        {1e-15, "0.000000000000001"},
        {1e-16, "1e-16"},
        {1.5e300, "1.5e300"},
        {5e-324, "5e-324"},
        {-1.7976931348623157e308, "-1.7976931348623157e308"},
    };
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_writer out;
        mr_writer_init(&out, 64);
        mr_json_binary_print_double(cases[i].number, &out);
        mr_write_u8(&out, 0);
        assert_string_equal((const char *)out.bytes, cases[i].text);
        mr_writer_done(&out);
    }
}

/* Arrays in arrays, each one byte shorter than the one around it. */
static void depth_is_bounded(void **state)
{
    enum { LEVELS = MR_JSON_DEPTH_MAX + 1, HEADER = 7 };
    (void)state;
    for (size_t levels = MR_JSON_DEPTH_MAX; levels <= LEVELS; levels++) {
        uint8_t bytes[1 + LEVELS * HEADER + 4];
        const size_t length = 1 + levels * HEADER;
        struct mr_writer out;
        struct mr_error err = {0};
        bytes[0] = 2;
        for (size_t i = 0; i < levels; i++) {
            const size_t size = length - 1 - i * HEADER;
            const bool last = i + 1 == levels;
            const uint8_t header[HEADER] = {
                1, 0, (uint8_t)size, (uint8_t)(size >> 8), last ? 4 : 2, last ? 1 : HEADER, 0};
            memcpy(bytes + 1 + i * HEADER, header, HEADER);
        }
        mr_writer_init(&out, 4096);
        const bool good = mr_json_binary_print((struct mr_slice){bytes, length}, &out, &err);
        assert_int_equal(good, levels == MR_JSON_DEPTH_MAX);
        mr_writer_done(&out);
    }
}

/* Every element points at the same big string: the text may not outgrow its limit. */
static void text_is_bounded(void **state)
{
    uint8_t bytes[1 + 4 + 100 * 3 + 1 + 100];
    struct mr_writer out;
    struct mr_error err = {0};
    const size_t size = sizeof(bytes) - 1;
    (void)state;
    bytes[0] = 2;
    bytes[1] = 100;
    bytes[2] = 0;
    bytes[3] = (uint8_t)size;
    bytes[4] = (uint8_t)(size >> 8);
    for (size_t i = 0; i < 100; i++) {
        const size_t at = 4 + 100 * 3;
        bytes[5 + i * 3] = 12;
        bytes[6 + i * 3] = (uint8_t)at;
        bytes[7 + i * 3] = (uint8_t)(at >> 8);
    }
    bytes[5 + 300] = 100;
    memset(bytes + 6 + 300, 'x', 100);
    mr_writer_init(&out, 5000);
    assert_false(mr_json_binary_print((struct mr_slice){bytes, sizeof(bytes)}, &out, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    mr_writer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_print_or_say_why),
        cmocka_unit_test(doubles_print_as_the_server_does),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(text_is_bounded),
    };
    return cmocka_run_group_tests_name("json_binary", tests, NULL, NULL);
}
