// SPDX-License-Identifier: MIT
/* The reader: every width, the end of the bytes, and the error that sticks. */
#include <string.h>

#include "check.h"
#include "reader.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0};

static void every_width_is_read(void **state)
{
    (void)state;
    struct mr_reader in = mr_reader_init(bytes, sizeof(bytes));
    assert_int_equal(mr_read_u8(&in), 1);
    in = mr_reader_init(bytes, sizeof(bytes));
    assert_int_equal(mr_read_u16_be(&in), 0x0102);
    assert_int_equal(mr_read_u16_le(&in), 0x0403);
    assert_int_equal(mr_read_u32_be(&in), 0x05060708);
    in = mr_reader_init(bytes, sizeof(bytes));
    assert_int_equal(mr_read_u32_le(&in), 0x04030201);
    in = mr_reader_init(bytes, sizeof(bytes));
    assert_true(mr_read_u64_be(&in) == UINT64_C(0x0102030405060708));
    in = mr_reader_init(bytes, sizeof(bytes));
    assert_true(mr_read_u64_le(&in) == UINT64_C(0x0807060504030201));
    assert_int_equal(mr_reader_left(&in), 2);
}

static void odd_widths_are_read_and_nine_refused(void **state)
{
    (void)state;
    uint64_t expect_be = 0;
    uint64_t expect_le = 0;
    for (size_t width = 0; width <= 8; width++) {
        struct mr_reader in = mr_reader_init(bytes, sizeof(bytes));
        assert_true(mr_read_uint_be(&in, width) == expect_be);
        in = mr_reader_init(bytes, sizeof(bytes));
        assert_true(mr_read_uint_le(&in, width) == expect_le);
        assert_true(mr_reader_ok(&in));
        expect_be = expect_be << 8 | bytes[width];
        expect_le |= width < 8 ? (uint64_t)bytes[width] << (8 * width) : 0;
    }
    struct mr_reader in = mr_reader_init(bytes, sizeof(bytes));
    assert_true(mr_read_uint_le(&in, 9) == 0);
    assert_false(mr_reader_ok(&in));
}

static void a_failure_sticks(void **state)
{
    (void)state;
    struct mr_reader in = mr_reader_init(bytes, 3);
    struct mr_error err = {0};
    assert_int_equal(mr_read_u32_le(&in), 0);
    assert_int_equal(mr_read_u8(&in), 0);
    assert_null(mr_read_bytes(&in, 0));
    assert_int_equal(mr_reader_left(&in), 0);
    assert_int_equal(in.offset, 0);
    assert_false(mr_reader_check(&in, "thing", &err));
    assert_int_equal(err.code, MR_E_PROTOCOL);
    assert_int_equal(err.recovery, MR_STOP);
    assert_non_null(strstr(err.message, "thing"));
}

static void huge_counts_do_not_wrap(void **state)
{
    (void)state;
    struct mr_reader in = mr_reader_init(bytes, sizeof(bytes));
    mr_read_skip(&in, 4);
    assert_null(mr_read_bytes(&in, SIZE_MAX));
    assert_false(mr_reader_ok(&in));
    in = mr_reader_init(bytes, sizeof(bytes));
    assert_int_equal(mr_read_slice(&in, SIZE_MAX - 3).length, 0);
}

static void strings_end_with_nul(void **state)
{
    (void)state;
    static const char texts[] = "ab\0\0cd";
    struct mr_reader in = mr_reader_init(texts, 6);
    struct mr_slice text = mr_read_cstring(&in);
    assert_int_equal(text.length, 2);
    assert_memory_equal(text.bytes, "ab", 2);
    assert_int_equal(mr_read_cstring(&in).length, 0);
    assert_true(mr_reader_ok(&in));
    assert_null(mr_read_cstring(&in).bytes);
    assert_false(mr_reader_ok(&in));
    in = mr_reader_init("", 0);
    assert_null(mr_read_cstring(&in).bytes);
    assert_false(mr_reader_ok(&in));
}

static void leftovers_are_refused(void **state)
{
    (void)state;
    struct mr_reader in = mr_reader_init(bytes, 2);
    struct mr_error err = {0};
    (void)mr_read_u8(&in);
    assert_true(mr_reader_check(&in, "thing", &err));
    assert_false(mr_reader_finish(&in, "thing", &err));
    assert_int_equal(err.code, MR_E_PROTOCOL);
    (void)mr_read_u8(&in);
    assert_true(mr_reader_finish(&in, "thing", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_is_read),
        cmocka_unit_test(odd_widths_are_read_and_nine_refused),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(huge_counts_do_not_wrap),
        cmocka_unit_test(strings_end_with_nul),
        cmocka_unit_test(leftovers_are_refused),
    };
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
