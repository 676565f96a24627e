// SPDX-License-Identifier: MIT
/* Checksums against published vectors, and the table against the instruction. */
#include <string.h>

#include "check.h"
#include "compiler.h"
#include "crc32c.h"

/* RFC 3720, B.4, and the check value of the CRC catalogue ("123456789"). */
static void vectors_match(void **state)
{
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(mr_crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(mr_crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
    for (uint8_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i;
    }
    assert_int_equal(mr_crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
    for (uint8_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(mr_crc32c(0, bytes, sizeof(bytes)), 0x113fdb5c);
    assert_int_equal(mr_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(mr_crc32(0, "123456789", 9), 0xcbf43926);
}

static void nothing_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(mr_crc32c(0, NULL, 0), 0);
    assert_int_equal(mr_crc32c(0x12345678, "", 0), 0x12345678);
    assert_int_equal(mr_crc32(0x12345678, NULL, 0), 0x12345678);
}

/* Every length and alignment, in one piece and in two: three ways to the same number. */
static void pieces_tables_and_instruction_agree(void **state)
{
    (void)state;
    uint8_t bytes[128];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 131 + 7);
    }
    for (size_t from = 0; from < 9; from++) {
        for (size_t length = 0; length <= 100; length++) {
            const uint32_t whole = mr_crc32c(0, bytes + from, length);
            assert_int_equal(mr_crc32c_portable(0, bytes + from, length), whole);
            for (size_t cut = 0; cut <= length; cut += 5) {
                const uint32_t first = mr_crc32c(0, bytes + from, cut);
                assert_int_equal(mr_crc32c(first, bytes + from + cut, length - cut), whole);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_match),
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(pieces_tables_and_instruction_agree),
    };
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
