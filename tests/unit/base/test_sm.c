// SPDX-License-Identifier: MIT
/* State tables: allowed moves are made, others end the process. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sm.h"

enum door { DOOR_OPEN, DOOR_CLOSED, DOOR_COUNT };

static const struct mr_sm_state doors[DOOR_COUNT] = {
    [DOOR_OPEN] = {.name = "open", .may_move_to = MR_SM_TO(DOOR_CLOSED)},
    [DOOR_CLOSED] = {.name = "closed"},
};

static void an_allowed_move_is_made(void **state)
{
    (void)state;
    enum door door = DOOR_OPEN;
    assert_true(mr_sm_may_move(doors, DOOR_OPEN, DOOR_CLOSED));
    assert_false(mr_sm_may_move(doors, DOOR_CLOSED, DOOR_OPEN));
    mr_sm_move(doors, &door, DOOR_CLOSED);
    assert_int_equal(door, DOOR_CLOSED);
}

static void a_forbidden_move_aborts(void **state)
{
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enum door door = DOOR_CLOSED;
        (void)close(STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        mr_sm_move(doors, &door, DOOR_OPEN);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allowed_move_is_made),
        cmocka_unit_test(a_forbidden_move_aborts),
    };
    return cmocka_run_group_tests_name("sm", tests, NULL, NULL);
}
