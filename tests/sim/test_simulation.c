// SPDX-License-Identifier: MIT
/*
 * test_simulation.c - many seeds of sim_world.h, and bugs planted to show that the checkers see.
 *
 *   test_simulation              seeds 1 to 500, then the planted bugs
 *   test_simulation SEED [BUG]   one seed, told in a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "log.h"
#include "sim_world.h"

#define SEEDS 500

static void every_seed_keeps_the_promises(void **state)
{
    (void)state;
    uint64_t crashes = 0;
    uint64_t connections = 0;
    uint64_t commits = 0;
    uint64_t joins = 0;
    uint64_t resumed = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct sim_outcome outcome = sim_run(seed, SIM_BUG_NONE);
        if (outcome.broken != NULL) {
            print_error("seed %llu: %s; replay: test_simulation %llu\n", (unsigned long long)seed,
                        outcome.broken, (unsigned long long)seed);
        }
        assert_null(outcome.broken);
        crashes += outcome.crashes;
        connections += outcome.connections;
        commits += outcome.commits;
        joins += outcome.joins;
        resumed += outcome.resumed;
    }
    print_message("    %d seeds, %llu crashes, %llu connections, %llu commits, %llu joins, %llu "
                  "copies resumed\n",
                  SEEDS, (unsigned long long)crashes, (unsigned long long)connections,
                  (unsigned long long)commits, (unsigned long long)joins,
                  (unsigned long long)resumed);
    assert_true(crashes > SEEDS && commits > SEEDS * 10);
    assert_true(joins > SEEDS && resumed > SEEDS / 20);
}

/* In a process of its own: a bug may also end in one of our own assertions. */
static bool is_caught(uint64_t seed, enum sim_bug bug)
{
    (void)fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)fclose(stderr);
        _exit(sim_run(seed, bug).broken != NULL);
    }
    int status = 0;
    assert_true(waitpid(child, &status, 0) == child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void planted_bugs_are_caught(void **state)
{
    (void)state;
    static const char *const names[SIM_BUG_COUNT] = {
        [SIM_BUG_SYNC_SKIPPED] = "acknowledge before sync",
        [SIM_BUG_POSITION_APART] = "position outside the transaction",
        [SIM_BUG_DIR_SYNC_SKIPPED] = "lost directory sync",
        [SIM_BUG_PIN_SKIPPED] = "retention deletes what a table needs",
        [SIM_BUG_PIECE_APART] = "a piece is done before its rows",
    };
    for (int bug = SIM_BUG_NONE + 1; bug < SIM_BUG_COUNT; bug++) {
        uint64_t seed = 1;
        while (seed <= SEEDS && !is_caught(seed, (enum sim_bug)bug)) {
            seed++;
        }
        print_message("    %s: caught at seed %llu\n", names[bug], (unsigned long long)seed);
        assert_true(seed <= SEEDS);
    }
}

int main(int argc, char **argv)
{
    mr_log_configure(STDERR_FILENO, MR_LOG_ERROR);
    if (argc > 1) {
        const uint64_t seed = strtoull(argv[1], NULL, 10);
        const int bug = argc > 2 ? (int)strtol(argv[2], NULL, 10) : SIM_BUG_NONE;
        const struct sim_outcome outcome = sim_run(seed, (enum sim_bug)bug);
        (void)printf("seed %llu: %s; %u crashes, %u connections, %u commits\n",
                     (unsigned long long)seed, outcome.broken == NULL ? "kept" : outcome.broken,
                     outcome.crashes, outcome.connections, outcome.commits);
        return outcome.broken == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seed_keeps_the_promises),
        cmocka_unit_test(planted_bugs_are_caught),
    };
    return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
