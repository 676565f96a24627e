// SPDX-License-Identifier: MIT
/* The writer: layout, growth, and the limit. */
#include <string.h>

#include "check.h"
#include "reader.h"
#include "writer.h"

static void what_is_written_reads_back(void **state)
{
    (void)state;
    struct mr_writer out;
    struct mr_error err = {0};
    mr_writer_init(&out, 1000);
    mr_write_u8(&out, 1);
    mr_write_u16_le(&out, 0x0203);
    mr_write_u32_le(&out, 0x04050607);
    mr_write_u64_le(&out, UINT64_C(0x08090a0b0c0d0e0f));
    mr_write_u32_be(&out, 0x10111213);
    mr_write_u64_be(&out, UINT64_C(0x1415161718191a1b));
    mr_write_slice_u32(&out, mr_slice_of("hello"));
    mr_write_slice_u32(&out, (struct mr_slice){0});
    assert_false(out.failed);

    struct mr_reader in = mr_reader_init(out.bytes, out.length);
    assert_int_equal(mr_read_u8(&in), 1);
    assert_int_equal(mr_read_u16_le(&in), 0x0203);
    assert_int_equal(mr_read_u32_le(&in), 0x04050607);
    assert_true(mr_read_u64_le(&in) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(mr_read_u32_be(&in), 0x10111213);
    assert_true(mr_read_u64_be(&in) == UINT64_C(0x1415161718191a1b));
    assert_int_equal(mr_read_u32_le(&in), 5);
    assert_memory_equal(mr_read_bytes(&in, 5), "hello", 5);
    assert_int_equal(mr_read_u32_le(&in), 0);
    assert_true(mr_reader_finish(&in, "writer", &err));
    mr_writer_done(&out);
    mr_writer_done(NULL);
}

static void growth_keeps_what_is_there(void **state)
{
    (void)state;
    struct mr_writer out;
    mr_writer_init(&out, 100000);
    for (uint32_t i = 0; i < 10000; i++) {
        mr_write_u32_le(&out, i);
    }
    struct mr_reader in = mr_reader_init(out.bytes, out.length);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(mr_read_u32_le(&in), i);
    }
    const size_t capacity = out.capacity;
    mr_writer_reset(&out);
    assert_int_equal(out.length, 0);
    assert_int_equal(out.capacity, capacity);
    mr_writer_done(&out);
}

static void the_limit_is_exact_and_sticks(void **state)
{
    (void)state;
    struct mr_writer out;
    mr_writer_init(&out, 1001);
    assert_non_null(mr_writer_reserve(&out, 1000));
    assert_non_null(mr_writer_reserve(&out, 1));
    assert_non_null(mr_writer_reserve(&out, 0));
    assert_null(mr_writer_reserve(&out, 1));
    assert_true(out.failed);
    assert_null(mr_writer_reserve(&out, 0));
    mr_write_u8(&out, 1);
    assert_int_equal(out.length, 1001);
    mr_writer_reset(&out);
    assert_non_null(mr_writer_reserve(&out, 1001));
    assert_null(mr_writer_reserve(&out, SIZE_MAX));
    mr_writer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(growth_keeps_what_is_there),
        cmocka_unit_test(the_limit_is_exact_and_sticks),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
