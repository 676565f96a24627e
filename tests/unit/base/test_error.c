// SPDX-License-Identifier: MIT
/* Errors: what is kept of a message, and what becomes of errno. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "error.h"

static void fail_fills_in_everything(void **state)
{
    (void)state;
    struct mr_error err = {.sys_errno = 7};
    assert_false(mr_fail(&err, MR_E_LIMIT, MR_QUARANTINE, "%d of %s", 3, "four"));
    assert_int_equal(err.code, MR_E_LIMIT);
    assert_int_equal(err.recovery, MR_QUARANTINE);
    assert_int_equal(err.sys_errno, 0);
    assert_string_equal(err.message, "3 of four");
}

static const struct errno_case {
    const char *label;
    int sys_errno;
    enum mr_errc code;
    enum mr_recovery recovery;
    const char *message;
} errno_cases[] = {
    {"input/output", EIO, MR_E_IO, MR_STOP, "open x: Input/output error"},
    {"no space", ENOSPC, MR_E_FULL, MR_RETRY, "open x: No space left on device"},
    {"quota", EDQUOT, MR_E_FULL, MR_RETRY, "open x: Disk quota exceeded"},
};

static void errno_becomes_code_and_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(errno_cases); i++) {
        const struct errno_case *c = &errno_cases[i];
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        errno = c->sys_errno;
        assert_false(mr_fail_errno(&err, "open %s", "x"));
        assert_int_equal(err.code, c->code);
        assert_int_equal(err.recovery, c->recovery);
        assert_int_equal(err.sys_errno, c->sys_errno);
        assert_int_equal(errno, c->sys_errno);
        assert_string_equal(err.message, c->message);
    }
}

static void context_goes_in_front(void **state)
{
    (void)state;
    struct mr_error err = {0};
    (void)mr_fail(&err, MR_E_NET, MR_RETRY, "hung up");
    assert_false(mr_error_context(&err, "source \"%s\"", "ops"));
    assert_string_equal(err.message, "source \"ops\": hung up");
    assert_int_equal(err.code, MR_E_NET);
}

static void arguments_may_lie_in_the_error_itself(void **state)
{
    (void)state;
    struct mr_error err = {0};
    (void)mr_fail(&err, MR_E_NET, MR_RETRY, "inner");
    (void)mr_fail(&err, MR_E_SINK, MR_STOP, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
}

static void a_long_message_is_cut_at_a_character(void **state)
{
    (void)state;
    char text[2 * MR_ERROR_MESSAGE_BYTES_MAX];
    for (size_t shift = 0; shift < 3; shift++) {
        struct mr_error err = {0};
        memset(text, 'x', shift);
        size_t length = shift;
        while (length + 3 < sizeof(text)) {
            memcpy(text + length, "\xe2\x82\xac", 3);
            length += 3;
        }
        text[length] = '\0';
        (void)mr_fail(&err, MR_E_IO, MR_STOP, "%s", text);
        const size_t kept = strlen(err.message);
        assert_true(kept < MR_ERROR_MESSAGE_BYTES_MAX && kept + 3 >= MR_ERROR_MESSAGE_BYTES_MAX);
        assert_int_equal((kept - shift) % 3, 0);
    }
}

static void a_message_is_one_line(void **state)
{
    (void)state;
    struct mr_error err = {0};
    (void)mr_fail(&err, MR_E_SOURCE, MR_STOP, "a\nb\tc\x1b[31m");
    assert_string_equal(err.message, "a b c [31m");
}

static void every_code_has_its_own_name(void **state)
{
    (void)state;
    for (int code = MR_OK; code <= MR_E_CANCELLED; code++) {
        assert_string_not_equal(mr_errc_name((enum mr_errc)code), "unknown");
        for (int other = MR_OK; other < code; other++) {
            assert_string_not_equal(mr_errc_name((enum mr_errc)code),
                                    mr_errc_name((enum mr_errc)other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_fills_in_everything),
        cmocka_unit_test(errno_becomes_code_and_text),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(arguments_may_lie_in_the_error_itself),
        cmocka_unit_test(a_long_message_is_cut_at_a_character),
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(every_code_has_its_own_name),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
