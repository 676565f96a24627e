// SPDX-License-Identifier: MIT
/* First what MySQL 8.0.31 logged, with what it answered afterwards; then diffs by hand. */
#include <string.h>

#include "check.h"
#include "json_diff.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

static const struct diff_case {
    const char *label;
    struct mr_slice before;
    struct mr_slice diffs;
    const char *after; /* NULL: refused */
} diff_cases[] = {
    {"replace",
     BYTES("\x00\x03\x00\x86\x00\x19\x00\x01\x00\x1a\x00\x01\x00\x1b\x00\x04\x00\x05\x01\x00"
           "\x02\x1f\x00\x0c=\x00"
           "ablong\x04\x00\x1e\x00\x05\x01\x00\x05\x02\x00\x05\x03"
           "\x00\x00\x10\x00\x01\x00\x0e\x00\x0b\x00\x01\x00\x0c\x0c\x00x\x01yHlllllllllllll"
           "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"),
     BYTES("\x00\x03$.a\x03\x05\x02\x00"),
     "{\"a\": 2, \"b\": [1, 2, 3, {\"x\": \"y\"}], \"long\": \"lllllllllllllllllllllll"
     "lllllllllllllllllllllllllllllllllllllllllllllllll\"}"},
    {"insert a member and replace a cell",
     BYTES("\x00\x03\x00\x86\x00\x19\x00\x01\x00\x1a\x00\x01\x00\x1b\x00\x04\x00\x05\x02\x00"
           "\x02\x1f\x00\x0c=\x00"
           "ablong\x04\x00\x1e\x00\x05\x01\x00\x05\x02\x00\x05\x03"
           "\x00\x00\x10\x00\x01\x00\x0e\x00\x0b\x00\x01\x00\x0c\x0c\x00x\x01yHlllllllllllll"
           "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"),
     BYTES("\x01\x05$.new\x03\x0c\x01v\x00\x06$.b[1]\x13\x00\x01\x00\x12\x00\x0b\x00\x01\x00"
           "\x0f\x0c\x00k\xf6\x04\x02\x01\x81\x05"),
     "{\"a\": 2, \"b\": [1, {\"k\": 1.5}, 3, {\"x\": \"y\"}], \"new\": \"v\", \"long\""
     ": \"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\"}"},
    {"insert past the end of an array",
     BYTES("\x00\x04\x00\xa4\x00 \x00\x01\x00!\x00\x01\x00\"\x00\x03\x00%\x00\x04\x00\x05"
           "\x02\x00\x02)\x00\x0cY\x00\x0c[\x00"
           "abnewlong\x04\x00"
           "0\x00\x05\x01\x00\x00"
           "\x10\x00\x05\x03\x00\x00\"\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c\x00k\xf6"
           "\x04\x02\x01\x81\x05\x01\x00\x0e\x00\x0b\x00\x01\x00\x0c\x0c\x00x\x01y\x01vHllll"
           "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"),
     BYTES("\x01\x08$.b[100]\x05\x0c\x03"
           "end"),
     "{\"a\": 2, \"b\": [1, {\"k\": 1.5}, 3, {\"x\": \"y\"}, \"end\"], \"new\": \"v\","
     " \"long\": \"lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
     "lllll\"}"},
    {"remove the first and the last cell",
     BYTES("\x00\x04\x00\xab\x00 \x00\x01\x00!\x00\x01\x00\"\x00\x03\x00%\x00\x04\x00\x05"
           "\x02\x00\x02)\x00\x0c`\x00\x0c"
           "b\x00"
           "abnewlong\x05\x00"
           "7\x00\x05\x01\x00\x00"
           "\x13\x00\x05\x03\x00\x00%\x00\x0c"
           "3\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c"
           "\x00k\xf6\x04\x02\x01\x81\x05\x01\x00\x0e\x00\x0b\x00\x01\x00\x0c\x0c\x00x\x01y"
           "\x03"
           "end\x01vHlllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
           "lllllll"),
     BYTES("\x02\x06$.b[0]\x02\x09$.b[last]"),
     "{\"a\": 2, \"b\": [{\"k\": 1.5}, 3, {\"x\": \"y\"}], \"new\": \"v\", \"long\": "
     "\"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\"}"},
    {"replace the last cell",
     BYTES("\x00\x04\x00\xab\x00 \x00\x01\x00!\x00\x01\x00\"\x00\x03\x00%\x00\x04\x00\x05"
           "\x02\x00\x02)\x00\x0c`\x00\x0c"
           "b\x00"
           "abnewlong\x03\x00"
           "7\x00\x00\x13\x00\x05"
           "\x03\x00\x00%\x00\x0c"
           "3\x00\x0c"
           "3\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c"
           "\x00k\xf6\x04\x02\x01\x81\x05\x01\x00\x0e\x00\x0b\x00\x01\x00\x0c\x0c\x00x\x01y"
           "\x03"
           "end\x01vHlllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
           "lllllll"),
     BYTES("\x00\x09$.b[last]\x03\x05\x07\x00"),
     "{\"a\": 2, \"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"llllllllllll"
     "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\"}"},
    {"insert under a quoted name",
     BYTES("\x00\x04\x00\xab\x00 \x00\x01\x00!\x00\x01\x00\"\x00\x03\x00%\x00\x04\x00\x05"
           "\x02\x00\x02)\x00\x0c`\x00\x0c"
           "b\x00"
           "abnewlong\x03\x00"
           "7\x00\x00\x13\x00\x05"
           "\x03\x00\x05\x07\x00\x0c"
           "3\x00\x0c"
           "3\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f"
           "\x0c\x00k\xf6\x04\x02\x01\x81\x05\x01\x00\x0e\x00\x0b\x00\x01\x00\x0c\x0c\x00x"
           "\x01y\x03"
           "end\x01vHllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
           "llllllllllll"),
     BYTES("\x01\x1c$.\"quo\\\"ted key\\u0001 \xc3\xa4.[]\"\x03\x05\x01\x00"),
     "{\"a\": 2, \"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"llllllllllll"
     "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\", \"quo\\\"ted key"
     "\\u0001 \xc3\xa4.[]\": 1}"},
    {"an opaque time and decimal",
     BYTES("\x00\x05\x00\xac\x00'\x00\x01\x00(\x00\x01\x00)\x00\x03\x00,\x00\x04\x00"
           "0\x00"
           "\x12\x00\x05\x02\x00\x02"
           "B\x00\x0c"
           "a\x00\x0c"
           "c\x00\x05\x01\x00"
           "abnewlongquo"
           "\"ted key\x01 \xc3\xa4.[]\x03\x00\x1f\x00\x00\x0d\x00\x05\x03\x00\x05\x07\x00"
           "\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c\x00k\xf6\x04\x02\x01\x81\x05\x01vHlllll"
           "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"),
     BYTES("\x00\x1c$.\"quo\\\"ted key\\u0001 \xc3\xa4.[]\"\x0b\x0f\x0c\x08 \xa1\x07\x83\x10"
           "\xba\xb2\x19\x01\x06$.\xc3\xa4\xc3\xb6\x0c\x0f\xf6\x09\x0e\x05\x80\x00\x00\x01"
           "\x00"
           "a\xa8"),
     "{\"a\": 2, \"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"llllllllllll"
     "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\", \"\xc3\xa4\xc3"
     "\xb6\": 1.25000, \"quo\\\"ted key\\u0001 \xc3\xa4.[]\": \"2024-02-29 01:02:03.50"
     "0000\"}"},
    {"replace a long string",
     BYTES("\x00\x06\x00\xcc\x00.\x00\x01\x00/\x00\x01\x00"
           "0\x00\x03\x00"
           "3\x00\x04\x00"
           "7"
           "\x00\x04\x00;\x00\x12\x00\x05\x02\x00\x02M\x00\x0cl\x00\x0cn\x00\x0f\xb7\x00\x0f"
           "\xc2\x00"
           "abnewlong\xc3\xa4\xc3\xb6quo\"ted key\x01 \xc3\xa4.[]\x03\x00\x1f\x00"
           "\x00\x0d\x00\x05\x03\x00\x05\x07\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c\x00"
           "k\xf6\x04\x02\x01\x81\x05\x01vHlllllllllllllllllllllllllllllllllllllllllllllllll"
           "lllllllllllllllllllllll\xf6\x09\x0e\x05\x80\x00\x00\x01\x00"
           "a\xa8\x0c\x08 \xa1"
           "\x07\x83\x10\xba\xb2\x19"),
     BYTES("\x00\x06$.longf\x0c"
           "dxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
     "{\"a\": 2, \"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"xxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxx\", \"\xc3\xa4\xc3\xb6\": 1.25000, \"quo\\\"ted key\\u0001 \xc3\xa4.[]\""
     ": \"2024-02-29 01:02:03.500000\"}"},
    {"remove a member",
     BYTES("\x00\x06\x00\xe8\x00.\x00\x01\x00/\x00\x01\x00"
           "0\x00\x03\x00"
           "3\x00\x04\x00"
           "7"
           "\x00\x04\x00;\x00\x12\x00\x05\x02\x00\x02M\x00\x0cl\x00\x0cn\x00\x0f\xd3\x00\x0f"
           "\xde\x00"
           "abnewlong\xc3\xa4\xc3\xb6quo\"ted key\x01 \xc3\xa4.[]\x03\x00\x1f\x00"
           "\x00\x0d\x00\x05\x03\x00\x05\x07\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c\x00"
           "k\xf6\x04\x02\x01\x81\x05\x01vdxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xf6\x09\x0e\x05\x80\x00\x00"
           "\x01\x00"
           "a\xa8\x0c\x08 \xa1\x07\x83\x10\xba\xb2\x19"),
     BYTES("\x02\x03$.a"),
     "{\"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"xxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""
     ", \"\xc3\xa4\xc3\xb6\": 1.25000, \"quo\\\"ted key\\u0001 \xc3\xa4.[]\": \"2024-0"
     "2-29 01:02:03.500000\"}"},
    {"quoted names with escapes, and the empty name",
     BYTES("\x00\x05\x00\xe8\x00/\x00\x01\x00"
           "0\x00\x03\x00"
           "3\x00\x04\x00"
           "7\x00\x04\x00;"
           "\x00\x12\x00\x02M\x00\x0cl\x00\x0cn\x00\x0f\xd3\x00\x0f\xde\x00\x00\x0f\xd3\x00"
           "\x0f\xde\x00"
           "abnewlong\xc3\xa4\xc3\xb6quo\"ted key\x01 \xc3\xa4.[]\x03\x00\x1f"
           "\x00\x00\x0d\x00\x05\x03\x00\x05\x07\x00\x01\x00\x12\x00\x0b\x00\x01\x00\x0f\x0c"
           "\x00k\xf6\x04\x02\x01\x81\x05\x01vdxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xf6\x09\x0e\x05\x80\x00"
           "\x00\x01\x00"
           "a\xa8\x0c\x08 \xa1\x07\x83\x10\xba\xb2\x19"),
     BYTES("\x01\x0f$.\"back\\\\slash\"\x02\x04\x00\x01\x09$.\"tab\\t\"\x03\x05\x01\x00\x01"
           "\x0a$.\"sl/ash\"\x03\x05\x02\x00\x01\x04$.\"\"\x03\x05\x03\x00"),
     "{\"\": 3, \"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"xxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxx\", \"tab\\t\": 1, \"\xc3\xa4\xc3\xb6\": 1.25000, \"sl/ash\": 2, \"back\\"
     "\\slash\": null, \"quo\\\"ted key\\u0001 \xc3\xa4.[]\": \"2024-02-29 01:02:03.50"
     "0000\"}"},
    {"remove them again",
     BYTES("\x00\x09\x00\x10\x01"
           "C\x00\x00\x00"
           "C\x00\x01\x00"
           "D\x00\x03\x00G\x00\x04\x00K"
           "\x00\x04\x00O\x00\x04\x00S\x00\x06\x00Y\x00\x0a\x00"
           "c\x00\x12\x00\x05\x03\x00"
           "\x02u\x00\x0c\x94\x00\x0c\x96\x00\x05\x01\x00\x0f\xfb\x00\x05\x02\x00\x04\x00"
           "\x00\x0f\x06\x01"
           "bnewlongtab\x09\xc3\xa4\xc3\xb6sl/ashback\\slashquo\"ted key"
           "\x01 \xc3\xa4.[]\x03\x00\x1f\x00\x00\x0d\x00\x05\x03\x00\x05\x07\x00\x01\x00\x12"
           "\x00\x0b\x00\x01\x00\x0f\x0c\x00k\xf6\x04\x02\x01\x81\x05\x01vdxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxx\xf6\x09\x0e\x05\x80\x00\x00\x01\x00"
           "a\xa8\x0c\x08 \xa1\x07\x83\x10\xba\xb2"
           "\x19"),
     BYTES("\x02\x09$.\"tab\\t\"\x02\x04$.\"\""),
     "{\"b\": [{\"k\": 1.5}, 3, 7], \"new\": \"v\", \"long\": \"xxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""
     ", \"\xc3\xa4\xc3\xb6\": 1.25000, \"sl/ash\": 2, \"back\\\\slash\": null, \"quo\\"
     "\"ted key\\u0001 \xc3\xa4.[]\": \"2024-02-29 01:02:03.500000\"}"},
    {"insert an array and a cell into it",
     BYTES("\x00\x07\x00\x10\x01"
           "C\x00\x01\x00"
           "D\x00\x03\x00G\x00\x04\x00O\x00\x04\x00S"
           "\x00\x06\x00Y\x00\x0a\x00"
           "c\x00\x12\x00\x02u\x00\x0c\x94\x00\x0c\x96\x00\x0f"
           "\xfb\x00\x05\x02\x00\x04\x00\x00\x0f\x06\x01\x00\x04\x00\x00\x0f\x06\x01\x00\x04"
           "\x00\x00\x0f\x06\x01"
           "bnewlongtab\x09\xc3\xa4\xc3\xb6sl/ashback\\slashquo\"ted k"
           "ey\x01 \xc3\xa4.[]\x03\x00\x1f\x00\x00\x0d\x00\x05\x03\x00\x05\x07\x00\x01\x00"
           "\x12\x00\x0b\x00\x01\x00\x0f\x0c\x00k\xf6\x04\x02\x01\x81\x05\x01vdxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxx\xf6\x09\x0e\x05\x80\x00\x00\x01\x00"
           "a\xa8\x0c\x08 \xa1\x07\x83\x10\xba"
           "\xb2\x19"),
     BYTES("\x01\x03$.s\x05\x02\x00\x00\x04\x00\x01\x06$.s[0]\x03\x05\x01\x00\x00\x06$.b[0]"
           "\x02\x04\x00"),
     "{\"b\": [null, 3, 7], \"s\": [1], \"new\": \"v\", \"long\": \"xxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xx\", \"\xc3\xa4\xc3\xb6\": 1.25000, \"sl/ash\": 2, \"back\\\\slash\": null, \"q"
     "uo\\\"ted key\\u0001 \xc3\xa4.[]\": \"2024-02-29 01:02:03.500000\"}"},
};

/* {"a": 7, "b": [1, 2]} */
#define DOCUMENT                                                                                   \
    "\0\2\0\x22\0\x12\0\1\0\x13\0\1\0\5\7\0\2\x14\0ab"                                             \
    "\2\0\x0a\0\5\1\0\5\2\0\0\0\0\0"

static const struct small_case {
    const char *label;
    struct mr_slice diffs;
    const char *after; /* NULL: refused */
} small_cases[] = {
    {"nothing changes", BYTES(""), "{\"a\": 7, \"b\": [1, 2]}"},
    {"replace", BYTES("\0\3$.a\3\5\x08\0"), "{\"a\": 8, \"b\": [1, 2]}"},
    {"keys stay in the server's order", BYTES("\1\4$.aa\2\4\0\1\3$.B\2\4\1"),
     "{\"B\": true, \"a\": 7, \"b\": [1, 2], \"aa\": null}"},
    {"insert before the last", BYTES("\1\x09$.b[last]\3\5\x09\0"), "{\"a\": 7, \"b\": [1, 9, 2]}"},
    {"insert before the first", BYTES("\1\x0b$.b[last-5]\3\5\x09\0"),
     "{\"a\": 7, \"b\": [9, 1, 2]}"},
    {"many inserts",
     BYTES("\1\6$.b[9]\2\4\0\1\6$.b[9]\2\4\0\1\6$.b[9]\2\4\0\1\6$.b[9]\2\4\0"
           "\1\6$.b[9]\2\4\0\1\6$.b[9]\2\4\0\1\6$.b[9]\2\4\1"),
     "{\"a\": 7, \"b\": [1, 2, null, null, null, null, null, null, true]}"},
    {"remove all", BYTES("\2\3$.a\2\3$.b"), "{}"},
    {"the root", BYTES("\0\1$\3\5\x08\0"), NULL},
    {"no dollar", BYTES("\0\2.a\3\5\x08\0"), NULL},
    {"no path", BYTES("\0\0\3\5\x08\0"), NULL},
    {"a name that is there", BYTES("\1\3$.a\3\5\x08\0"), NULL},
    {"a name that is not", BYTES("\0\3$.c\3\5\x08\0"), NULL},
    {"removes what is not there", BYTES("\2\3$.c"), NULL},
    {"a cell of an object", BYTES("\0\4$[0]\3\5\x08\0"), NULL},
    {"a member of an array", BYTES("\0\5$.b.a\3\5\x08\0"), NULL},
    {"through a scalar", BYTES("\0\6$.a[0]\3\5\x08\0"), NULL},
    {"through what is not there", BYTES("\0\6$.c[0]\3\5\x08\0"), NULL},
    {"a cell past the end", BYTES("\2\6$.b[2]"), NULL},
    {"an index that is none", BYTES("\2\6$.b[x]"), NULL},
    {"an index past 32 bits", BYTES("\2\x0f$.b[4294967296]"), NULL},
    {"an index without an end", BYTES("\2\5$.b[0"), NULL},
    {"an empty name", BYTES("\2\2$."), NULL},
    {"an unknown leg", BYTES("\2\3$*a"), NULL},
    {"a quote without an end", BYTES("\2\4$.\"a"), NULL},
    {"an escape that is none", BYTES("\2\6$.\"\\x\""), NULL},
    {"a code that is no control's", BYTES("\2\x0a$.\"\\u00e4\""), NULL},
    {"operation 3", BYTES("\3\3$.a"), NULL},
    {"cut in the path", BYTES("\2\4$.a"), NULL},
    {"cut in the value", BYTES("\0\3$.a\4\5\x08\0"), NULL},
    {"no value", BYTES("\0\3$.a\0"), NULL},
    {"a value of no type", BYTES("\0\3$.a\2\x0d\0"), NULL},
};

static void expect_applied(const char *label, struct mr_slice before, struct mr_slice diffs,
                           const char *after)
{
    struct mr_writer out;
    struct mr_error err = {0};
    mr_writer_init(&out, 4096);
    print_message("    %s\n", label);
    const bool good = mr_mysql_json_diff_apply(before, diffs, &out, &err);
    if (good != (after != NULL)) {
        fail_msg("%.*s %s", (int)out.length, (char *)out.bytes, err.message);
    }
    if (good) {
        assert_int_equal(out.length, strlen(after));
        assert_memory_equal(out.bytes, after, out.length);
    } else {
        assert_int_equal(err.code, MR_E_PROTOCOL);
        assert_int_equal(err.recovery, MR_STOP);
    }
    mr_writer_done(&out);
}

static void real_diffs_give_what_the_server_had(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(diff_cases); i++) {
        const struct diff_case *c = &diff_cases[i];
        expect_applied(c->label, c->before, c->diffs, c->after);
    }
}

static void diffs_apply_or_say_why(void **state)
{
    (void)state;
    static const struct mr_slice document = BYTES(DOCUMENT);
    for (size_t i = 0; i < MR_ARRAY_LEN(small_cases); i++) {
        const struct small_case *c = &small_cases[i];
        expect_applied(c->label, document, c->diffs, c->after);
    }
}

static void text_past_the_limit_is_refused(void **state)
{
    (void)state;
    static const struct mr_slice document = BYTES(DOCUMENT);
    struct mr_writer out;
    struct mr_error err = {0};
    mr_writer_init(&out, 8);
    assert_false(mr_mysql_json_diff_apply(document, (struct mr_slice){0}, &out, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    mr_writer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_diffs_give_what_the_server_had),
        cmocka_unit_test(diffs_apply_or_say_why),
        cmocka_unit_test(text_past_the_limit_is_refused),
    };
    return cmocka_run_group_tests_name("json_diff", tests, NULL, NULL);
}
