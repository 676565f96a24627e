// SPDX-License-Identifier: MIT
/* Owned positions: replacing, limits, and texts that are the old one. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "position.h"

static void a_position_is_copied_and_replaced(void **state)
{
    (void)state;
    struct mr_position position = {0};
    struct mr_error err = {0};
    const struct mr_native_position native = {.major = 2, .minor = 1234};
    assert_false(mr_position_is_set(&position));
    assert_true(mr_position_set(&position, mr_slice_of("server-1"), mr_slice_of("bin.2:1234"),
                                native, &err));
    assert_true(mr_position_is_set(&position));
    assert_string_equal(position.text, "bin.2:1234");
    assert_string_equal(position.epoch, "server-1");
    assert_int_equal(mr_native_position_compare(position.native, native), 0);
    /* A part of itself. */
    assert_true(mr_position_set(&position, mr_slice_of(position.epoch + 7),
                                mr_slice_of(position.text + 6), native, &err));
    assert_string_equal(position.text, "1234");
    assert_string_equal(position.epoch, "1");
    assert_true(
        mr_position_set(&position, (struct mr_slice){0}, (struct mr_slice){0}, native, &err));
    assert_string_equal(position.text, "");
    mr_position_done(&position);
    assert_false(mr_position_is_set(&position));
    mr_position_done(&position);
}

static void what_is_too_long_changes_nothing(void **state)
{
    (void)state;
    struct mr_position position = {0};
    struct mr_error err = {0};
    const struct mr_native_position native = {0};
    char *text = calloc(1, MR_POSITION_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', MR_POSITION_BYTES_MAX);
    assert_true(mr_position_set(&position, mr_slice_of("e"), mr_slice_of("p"), native, &err));
    assert_false(mr_position_set(&position, mr_slice_of("e"), mr_slice_of(text), native, &err));
    assert_int_equal(err.code, MR_E_LIMIT);
    text[MR_EPOCH_BYTES_MAX] = '\0';
    assert_false(mr_position_set(&position, mr_slice_of(text), mr_slice_of("q"), native, &err));
    assert_string_equal(position.text, "p");
    assert_string_equal(position.epoch, "e");
    text[MR_EPOCH_BYTES_MAX - 1] = '\0';
    assert_true(mr_position_set(&position, mr_slice_of(text), mr_slice_of("q"), native, &err));
    mr_position_done(&position);
    free(text);
}

static void native_positions_are_ordered(void **state)
{
    (void)state;
    static const struct mr_native_position ordered[] = {
        {0, 0}, {0, 1}, {0, UINT64_MAX}, {1, 0}, {UINT64_MAX, 0}};
    for (size_t i = 0; i < MR_ARRAY_LEN(ordered); i++) {
        for (size_t j = 0; j < MR_ARRAY_LEN(ordered); j++) {
            assert_int_equal(mr_native_position_compare(ordered[i], ordered[j]),
                             i < j ? -1 : i > j);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_is_copied_and_replaced),
        cmocka_unit_test(what_is_too_long_changes_nothing),
        cmocka_unit_test(native_positions_are_ordered),
    };
    return cmocka_run_group_tests_name("position", tests, NULL, NULL);
}
