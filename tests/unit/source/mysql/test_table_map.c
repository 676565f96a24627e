// SPDX-License-Identifier: MIT
#include <string.h>

#include "arena.h"
#include "check.h"
#include "mysql_types.h"
#include "table_map.h"

#define BYTES(literal) (literal), sizeof(literal) - 1
#define HEAD           "\7\0\0\0\0\0\1\0\2db\0\1t\0"

/* id int unsigned, c char(255) utf8mb4, e enum, s set, d decimal(10,2), b bit(10), t datetime(3), g
 * geometry, x text latin1; FULL metadata with a prefix key on (x, id). */
static const char full_map[] = HEAD "\x09\3\xfe\xfe\xfe\xf6\x10\x12\xff\xfc"
                                    "\x0d\xce\xfc\xf7\1\xf8\1\x0a\2\2\1\3\4\2\xfe\1"
                                    "\1\1\x80"
                                    "\3\2\xff\x08"
                                    "\4\x13\2id\1c\1e\1s\1d\1b\1t\1g\1x"
                                    "\6\5\2\1a\1b"
                                    "\5\3\1\1z"
                                    "\7\1\1"
                                    "\x09\4\x08\x0a\0\0"
                                    "\x0a\1\x2d";

static void a_full_map_is_read(void **state)
{
    struct mr_arena arena = {0};
    struct mr_table_map map;
    struct mr_error err = {0};
    char bytes[sizeof(full_map) + 8];
    (void)state;
    /* The metadata word is 13 bytes; collation 255 needs three bytes as a length-encoded number. */
    size_t length = 0;
    const char *collations = memmem(full_map, sizeof(full_map), "\3\2\xff\x08", 4);
    const size_t before = (size_t)(collations - full_map);
    memcpy(bytes, full_map, before);
    length = before;
    memcpy(bytes + length, "\3\4\xfc\xff\0\x08", 6);
    length += 6;
    memcpy(bytes + length, collations + 4, sizeof(full_map) - 1 - before - 4);
    length += sizeof(full_map) - 1 - before - 4;

    assert_true(mr_arena_init(&arena, 1 << 20, 0, &err));
    const struct mr_slice body = {(const uint8_t *)bytes, length};
    assert_true(mr_table_map_peek(body, &map, &err));
    if (!mr_table_map_read(&map, &arena, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(map.table_id, 7);
    assert_int_equal(map.column_count, 9);
    assert_true(map.has_names && map.has_signs && map.has_charsets);
    assert_true(map.columns[0].is_unsigned && !map.columns[4].is_unsigned);
    assert_int_equal(map.columns[1].wire, MR_MYSQL_STRING);
    assert_int_equal(map.columns[1].metadata,
                     1020); /* char(255) of 4 bytes: bits hide in the type */
    assert_int_equal(map.columns[1].collation, 255);
    assert_int_equal(map.columns[2].wire, MR_MYSQL_ENUM);
    assert_int_equal(map.columns[2].collation, 45);
    assert_int_equal(map.columns[3].wire, MR_MYSQL_SET);
    assert_int_equal(map.columns[8].collation, 8);
    assert_int_equal(map.columns[7].geometry, 1);
    assert_int_equal(map.key_count, 2);
    assert_int_equal(map.key[0], 8);
    assert_int_equal(map.key[1], 0);
    assert_true(mr_slice_equals(map.columns[8].name, mr_slice_of("x")));

    /* Every cut and every changed byte: read or refused, never past the end. */
    for (size_t i = 0; i < length; i++) {
        mr_arena_reset(&arena);
        if (mr_table_map_peek((struct mr_slice){(const uint8_t *)bytes, i}, &map, &err)) {
            (void)!mr_table_map_read(&map, &arena, &err);
        }
        for (unsigned change = 1; change < 256; change <<= 1) {
            bytes[i] = (char)(bytes[i] ^ (char)change);
            mr_arena_reset(&arena);
            if (mr_table_map_peek(body, &map, &err)) {
                (void)!mr_table_map_read(&map, &arena, &err);
            }
            bytes[i] = (char)(bytes[i] ^ (char)change);
        }
    }
    mr_arena_done(&arena);
}

static const struct refused_case {
    const char *label;
    const char *bytes;
    size_t length;
} refused_cases[] = {
    {"nothing", BYTES("")},
    {"no table", BYTES("\7\0\0\0\0\0\1\0\2db\0")},
    {"empty name", BYTES("\7\0\0\0\0\0\1\0\0\0\1t\0\1\3\0\0")},
    {"name without NUL", BYTES("\7\0\0\0\0\0\1\0\2dbx\1t\0\1\3\0\0")},
    {"NUL in a name", BYTES("\7\0\0\0\0\0\1\0\2d\0\0\1t\0\1\3\0\0")},
    {"no columns", BYTES(HEAD "\0\0")},
    {"more columns than bytes", BYTES(HEAD "\xfd\xff\xff\xff\3")},
    {"2^64 columns", BYTES(HEAD "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\3")},
    {"columns NULL", BYTES(HEAD "\xfb\3\0\0")},
    {"metadata short", BYTES(HEAD "\1\x0f\1\x28\0")},
    {"metadata long", BYTES(HEAD "\1\3\1\0\0")},
    {"typed array", BYTES(HEAD "\1\x14\4\0\0\0\0\0")},
    {"key past the columns", BYTES(HEAD "\1\3\0\0\x08\1\1")},
    {"key twice", BYTES(HEAD "\1\3\0\0\x08\2\0\0")},
    {"name with NUL", BYTES(HEAD "\1\3\0\0\4\2\1\0")},
    {"names short", BYTES(HEAD "\1\3\0\0\4\1\5")},
    {"labels endless", BYTES(HEAD "\1\xfe\2\xf7\1\0\6\3\xfc\xff\xff")},
    {"field past the end", BYTES(HEAD "\1\3\0\0\4\x09\1a")},
};

static void broken_maps_are_refused(void **state)
{
    struct mr_arena arena = {0};
    struct mr_error err = {0};
    (void)state;
    assert_true(mr_arena_init(&arena, 1 << 20, 0, &err));
    for (size_t i = 0; i < MR_ARRAY_LEN(refused_cases); i++) {
        const struct mr_slice body = {(const uint8_t *)refused_cases[i].bytes,
                                      refused_cases[i].length};
        struct mr_table_map map;
        err = (struct mr_error){0};
        mr_arena_reset(&arena);
        print_message("    %s\n", refused_cases[i].label);
        assert_false(mr_table_map_peek(body, &map, &err) && mr_table_map_read(&map, &arena, &err));
        assert_int_equal(err.code, MR_E_PROTOCOL);
    }
    mr_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_map_is_read),
        cmocka_unit_test(broken_maps_are_refused),
    };
    return cmocka_run_group_tests_name("table_map", tests, NULL, NULL);
}
