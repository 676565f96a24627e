// SPDX-License-Identifier: MIT
#include <string.h>

#include "charset.h"
#include "check.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

static const struct convert_case {
    const char *label;
    const char *charset;
    struct mr_slice text;
    const char *utf8; /* NULL: refused */
} convert_cases[] = {
    {"ascii", "ascii", BYTES("abc"), "abc"},
    {"ascii with a high bit", "ascii", BYTES("ab\x80"), NULL},
    {"utf8mb4 of 1 to 4 bytes", "utf8mb4", BYTES("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x97"), "aä€🚗"},
    {"overlong", "utf8mb4", BYTES("\xc0\x80"), NULL},
    {"overlong of 3", "utf8mb4", BYTES("\xe0\x9f\xbf"), NULL},
    {"surrogate", "utf8mb4", BYTES("\xed\xa0\x80"), NULL},
    {"past U+10FFFF", "utf8mb4", BYTES("\xf4\x90\x80\x80"), NULL},
    {"cut off", "utf8mb4", BYTES("12345678\xe2\x82"), NULL},
    {"lone continuation", "utf8mb4", BYTES("\x80"), NULL},
    {"latin1 is cp1252", "latin1", BYTES("\x80\xe4\xff"), "€äÿ"},
    {"latin1's gaps", "latin1", BYTES("\x81\x8d\x8f\x90\x9d"),
     "\xc2\x81\xc2\x8d\xc2\x8f\xc2\x90\xc2\x9d"},
    {"cp1250 undefined", "cp1250", BYTES("a\x81"), NULL},
    {"koi8r", "koi8r", BYTES("\xf0"), "П"},
    {"cp866 as the server has it", "cp866", BYTES("\xfc"), "ⁿ"},
    {"swe7 differs below 128", "swe7", BYTES("A[\\]"), "AÄÖÅ"},
    {"utf16", "utf16", BYTES("\0a\xd8\x3d\xde\x97"), "a🚗"},
    {"utf16 odd", "utf16", BYTES("\0a\0"), NULL},
    {"utf32", "utf32", BYTES("\0\1\xf6\x97"), "🚗"},
    {"ucs2", "ucs2", BYTES("\x20\xac"), "€"},
    {"gbk", "gbk", BYTES("\xcd\xa3"), "停"},
    {"gbk broken", "gbk", BYTES("\xcd"), NULL},
    {"sjis: 0x5c and 0x7e are ASCII, as the server has them", "sjis", BYTES("\\~\x81\x5f\xb1"),
     "\\~\\ｱ"},
    {"sjis: a second byte of 0x5c", "sjis", BYTES("\x83\x5c\\"), "ソ\\"},
    {"sjis cut", "sjis", BYTES("a\x83"), NULL},
    {"big5, iconv's and the server's own", "big5", BYTES("\xa4\x40\xa1\x45\xc6\xa6z"), "一•あz"},
    {"big5 that the server lacks", "big5", BYTES("\xa4\x40\xa3\xe1"), NULL},
    {"big5 where the server has no character", "big5", BYTES("\xa1\x5a"), "╴"},
    {"ujis of 1 to 3 bytes", "ujis", BYTES("a\x8e\xb1\xa4\xa2\x8f\xb0\xa1"), "aｱあ丂"},
    {"ujis, private use", "ujis", BYTES("\xf5\xa2\x8f\xfe\xfe"), "\xee\x80\x81\xee\x9d\x97"},
    {"eucjpms, 0x80 is no character", "eucjpms", BYTES("\x80"), NULL},
    {"eucjpms", "eucjpms", BYTES("\xad\xa1\xa1\xc1"), "①～"},
    {"gb18030 of 1, 2 and 4 bytes", "gb18030", BYTES("a\xcd\xa3\x94\x39\xda\x33\x84\x31\x82\x36"),
     "a停\xf0\x9f\x92\xa9\xef\xb8\x90"},
    {"gb18030 cut", "gb18030", BYTES("\x94\x39\xda"), NULL},
    {"empty", "latin1", BYTES(""), ""},
};

static void text_converts_or_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(convert_cases); i++) {
        const struct convert_case *c = &convert_cases[i];
        const struct mr_charset *charset = mr_charset_find(mr_slice_of(c->charset));
        struct mr_charset_converter converter = {0};
        uint8_t to[64];
        size_t length = 0;
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        assert_non_null(charset);
        const bool good = mr_charset_convert(charset, &converter, c->text, to, &length, &err);
        assert_int_equal(good, c->utf8 != NULL);
        if (good) {
            assert_int_equal(length, strlen(c->utf8));
            assert_memory_equal(to, c->utf8, length);
            assert_true(mr_utf8_is_valid(to, length));
        } else {
            assert_int_equal(err.code, MR_E_TYPE);
        }
        mr_charset_close(&converter);
    }
}

static void collations_lead_to_character_sets(void **state)
{
    static const struct {
        uint32_t collation;
        const char *name;
    } cases[] = {{8, "latin1"},     {33, "utf8mb3"},   {45, "utf8mb4"},  {63, "binary"},
                 {255, "utf8mb4"},  {1, "big5"},       {323, "utf8mb4"}, {2048, "utf8mb3"},
                 {2304, "utf8mb4"}, {1270, "utf8mb4"}, {248, "gb18030"}};
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        const struct mr_charset *charset = mr_charset_of_collation(cases[i].collation);
        assert_non_null(charset);
        assert_string_equal(charset->name, cases[i].name);
    }
    assert_null(mr_charset_of_collation(0));
    assert_null(mr_charset_of_collation(17));
    assert_null(mr_charset_of_collation(UINT32_MAX));
    assert_ptr_equal(mr_charset_find(mr_slice_of("utf8")), mr_charset_find(mr_slice_of("utf8mb3")));
    assert_null(mr_charset_find(mr_slice_of("klingon")));
    assert_null(mr_charset_find(mr_slice_of("")));
}

/* The fast path looks at eight bytes at once: a bad byte must be found wherever it lies. */
static void bad_bytes_are_found_everywhere(void **state)
{
    (void)state;
    for (size_t length = 1; length < 40; length++) {
        for (size_t at = 0; at < length; at++) {
            uint8_t text[40];
            memset(text, 'a', sizeof(text));
            text[at] = 0xff;
            assert_int_equal(mr_ascii_prefix(text, length), at);
            assert_false(mr_utf8_is_valid(text, length));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_converts_or_says_why),
        cmocka_unit_test(collations_lead_to_character_sets),
        cmocka_unit_test(bad_bytes_are_found_everywhere),
    };
    return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
