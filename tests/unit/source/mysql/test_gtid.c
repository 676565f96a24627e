// SPDX-License-Identifier: MIT
#include <string.h>

#include "check.h"
#include "gtid.h"

#define U1 "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define U2 "ffffffff-71ca-11e1-9e33-c80aa9429562"

/* Text in, the server's own form out; NULL: refused. */
static const struct set_case {
    const char *label;
    const char *text;
    const char *printed;
} set_cases[] = {
    {"nothing", "", ""},
    {"one", U1 ":5", U1 ":5"},
    {"an interval", U1 ":1-5", U1 ":1-5"},
    {"intervals meet", U1 ":1-5:6-9", U1 ":1-9"},
    {"intervals overlap", U1 ":4-9:1-5", U1 ":1-9"},
    {"a gap stays", U1 ":1-5:7", U1 ":1-5:7"},
    {"a number joins two", U1 ":1-5:7-9:6", U1 ":1-9"},
    {"one swallows many", U1 ":2:4:6:1-9", U1 ":1-9"},
    {"upper case and blanks", " 3E11FA47-71CA-11E1-9E33-C80AA9429562 : 1 - 3 ,\n " U2 ":1",
     U1 ":1-3," U2 ":1"},
    {"sources are sorted", U2 ":1," U1 ":1", U1 ":1," U2 ":1"},
    {"a tag", U1 ":1-3:Tag_1:5-6", U1 ":1-3:tag_1:5-6"},
    {"tags are sorted", U1 ":b:1:a:2", U1 ":a:2:b:1"},
    {"commas alone", ",,", ""},
    {"largest number", U1 ":9223372036854775806", U1 ":9223372036854775806"},
    {"number zero", U1 ":0", NULL},
    {"number too large", U1 ":9223372036854775807", NULL},
    {"number endless", U1 ":99999999999999999999999", NULL},
    {"backwards", U1 ":5-4", NULL},
    {"no numbers", U1, NULL},
    {"no number after colon", U1 ":", NULL},
    {"half an interval", U1 ":1-", NULL},
    {"tag without numbers", U1 ":tag", NULL},
    {"tag of 33", U1 ":a23456789012345678901234567890123:1", NULL},
    {"short uuid", "3e11fa47-71ca-11e1-9e33-c80aa942956:1", NULL},
    {"bad digit", "3e11fa47-71ca-11e1-9e33-c80aa942956g:1", NULL},
    {"hyphens misplaced", "3e11fa4771-ca-11e1-9e33-c80aa9429562:1", NULL},
    {"rubbish behind", U1 ":1 x", NULL},
};

static void sets_parse_and_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(set_cases); i++) {
        const struct set_case *c = &set_cases[i];
        struct mr_gtid_set set = {0};
        struct mr_error err = {0};
        struct mr_writer out;
        mr_writer_init(&out, 4096);
        print_message("    %s\n", c->label);
        const bool parsed = mr_gtid_set_parse(&set, mr_slice_of(c->text), &err);
        assert_int_equal(parsed, c->printed != NULL);
        if (parsed) {
            mr_gtid_set_print(&set, &out);
            assert_int_equal(out.length, strlen(c->printed));
            assert_memory_equal(out.length == 0 ? (const void *)"" : out.bytes, c->printed,
                                out.length);
        } else {
            assert_int_equal(err.code, MR_E_PROTOCOL);
            assert_true(err.message[0] != '\0');
        }
        mr_gtid_set_done(&set);
        mr_writer_done(&out);
    }
}

static void sets_survive_the_wire(void **state)
{
    static const char *const texts[] = {"", U1 ":1-5:7", U1 ":1," U2 ":3-4",
                                        U1 ":1:tag:2-3," U2 ":x:9"};
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++) {
        struct mr_gtid_set set = {0};
        struct mr_gtid_set back = {0};
        struct mr_error err = {0};
        struct mr_writer out;
        mr_writer_init(&out, 4096);
        assert_true(mr_gtid_set_parse(&set, mr_slice_of(texts[i]), &err));
        mr_gtid_set_encode(&set, &out);
        assert_int_equal(out.bytes[7],
                         strstr(texts[i], "tag") != NULL); /* the tagged form's mark */
        assert_true(mr_gtid_set_decode(&back, (struct mr_slice){out.bytes, out.length}, &err));
        assert_true(mr_gtid_set_includes(&set, &back) && mr_gtid_set_includes(&back, &set));
        for (size_t cut = 0; cut < out.length; cut++) {
            struct mr_gtid_set part = {0};
            assert_false(mr_gtid_set_decode(&part, (struct mr_slice){out.bytes, cut}, &err));
            mr_gtid_set_done(&part);
        }
        mr_gtid_set_done(&set);
        mr_gtid_set_done(&back);
        mr_writer_done(&out);
    }
}

/* uuid:1-5:7 by hand, after the layout in gtid.c: half-open intervals. */
static void the_wire_form_is_the_servers(void **state)
{
    static const uint8_t expected[] =
        "\1\0\0\0\0\0\0\0\x3e\x11\xfa\x47\x71\xca\x11\xe1\x9e\x33\xc8\x0a\xa9\x42\x95\x62"
        "\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\x08\0\0\0\0\0\0";
    struct mr_gtid_set set = {0};
    struct mr_error err = {0};
    struct mr_writer out;
    (void)state;
    mr_writer_init(&out, 4096);
    assert_true(mr_gtid_set_parse(&set, mr_slice_of(U1 ":1-5:7"), &err));
    mr_gtid_set_encode(&set, &out);
    assert_int_equal(out.length, sizeof(expected));
    assert_memory_equal(out.bytes, expected, sizeof(expected));
    mr_gtid_set_done(&set);
    mr_writer_done(&out);
}

static void hostile_counts_do_not_drive_loops(void **state)
{
    uint8_t bytes[8 + 16 + 8] = {1};
    struct mr_gtid_set set = {0};
    struct mr_error err = {0};
    (void)state;
    memset(bytes + 24, 0x7f, 8);
    assert_false(mr_gtid_set_decode(&set, (struct mr_slice){bytes, sizeof(bytes)}, &err));
    memset(bytes, 0x7f, 8);
    assert_false(mr_gtid_set_decode(&set, (struct mr_slice){bytes, sizeof(bytes)}, &err));
    mr_gtid_set_done(&set);
}

static void membership_is_exact(void **state)
{
    struct mr_gtid_set set = {0};
    struct mr_gtid_origin origin = {0};
    struct mr_error err = {0};
    (void)state;
    assert_true(mr_gtid_uuid_parse(mr_slice_of(U1), origin.uuid));
    assert_true(mr_gtid_set_parse(&set, mr_slice_of(U1 ":2-4:8-9"), &err));
    static const bool expected[] = {false, false, true, true, true, false,
                                    false, false, true, true, false};
    for (uint64_t i = 0; i < MR_ARRAY_LEN(expected); i++) {
        assert_int_equal(mr_gtid_set_contains(&set, &origin, i), expected[i]);
    }
    memcpy(origin.tag, "tag", 3);
    assert_false(mr_gtid_set_contains(&set, &origin, 2));
    mr_gtid_set_done(&set);
}

static const struct maria_case {
    const char *text;
    const char *printed; /* NULL: refused */
} maria_cases[] = {
    {"", ""},
    {"0-1-100", "0-1-100"},
    {"1-2-5,0-1-100", "0-1-100,1-2-5"},
    {" 0-1-1 , 4294967295-4294967295-18446744073709551615",
     "0-1-1,4294967295-4294967295-18446744073709551615"},
    {"0-1-1,0-2-2", NULL},
    {"0-1", NULL},
    {"0-1-1,", NULL},
    {"0-1-1x", NULL},
    {"4294967296-1-1", NULL},
    {"0-1-18446744073709551616", NULL},
};

static void maria_positions_parse_and_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(maria_cases); i++) {
        struct mr_maria_position position = {0};
        struct mr_error err = {0};
        struct mr_writer out;
        mr_writer_init(&out, 4096);
        print_message("    \"%s\"\n", maria_cases[i].text);
        const bool parsed =
            mr_maria_position_parse(&position, mr_slice_of(maria_cases[i].text), &err);
        assert_int_equal(parsed, maria_cases[i].printed != NULL);
        if (parsed) {
            mr_maria_position_print(&position, &out);
            assert_int_equal(out.length, strlen(maria_cases[i].printed));
            assert_memory_equal(out.length == 0 ? (const void *)"" : out.bytes,
                                maria_cases[i].printed, out.length);
        }
        mr_maria_position_done(&position);
        mr_writer_done(&out);
    }
}

static void maria_positions_follow_the_log(void **state)
{
    struct mr_maria_position position = {0};
    struct mr_error err = {0};
    (void)state;
    assert_true(mr_maria_position_advance(&position, (struct mr_maria_gtid){1, 7, 50}, &err));
    assert_true(mr_maria_position_advance(&position, (struct mr_maria_gtid){0, 7, 3}, &err));
    assert_true(mr_maria_position_advance(&position, (struct mr_maria_gtid){1, 8, 49}, &err));
    assert_int_equal(position.count, 2);
    assert_int_equal(position.gtids[1].sequence, 49); /* the last one wins, not the largest */
    assert_int_equal(position.gtids[1].server, 8);
    mr_maria_position_done(&position);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_parse_and_print),
        cmocka_unit_test(sets_survive_the_wire),
        cmocka_unit_test(the_wire_form_is_the_servers),
        cmocka_unit_test(hostile_counts_do_not_drive_loops),
        cmocka_unit_test(membership_is_exact),
        cmocka_unit_test(maria_positions_parse_and_print),
        cmocka_unit_test(maria_positions_follow_the_log),
    };
    return cmocka_run_group_tests_name("gtid", tests, NULL, NULL);
}
