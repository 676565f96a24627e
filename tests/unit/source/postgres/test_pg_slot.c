// SPDX-License-Identifier: MIT
/*
 * test_pg_slot.c - whether a slot can be followed, and where timelines branched off.
 */
#include "check.h"

#include <string.h>

#include "pg_slot.h"

static const struct slot_case {
    const char *label;
    struct mr_pg_slot slot;
    uint64_t resume_lsn;
    enum mr_recovery recovery;
    const char *mentions; /* NULL: it can be followed */
} slot_cases[] = {
    {"at our position", {true, false, false, 0, 100, "pgoutput", "d"}, 100, MR_RETRY, NULL},
    {"behind us", {true, false, false, 0, 50, "pgoutput", "d"}, 100, MR_RETRY, NULL},
    {"no position of ours", {true, false, false, 0, 50, "pgoutput", "d"}, 0, MR_RETRY, NULL},
    {"past us", {true, false, false, 0, 101, "pgoutput", "d"}, 100, MR_STOP, "past our position"},
    {"missing", {false, false, false, 0, 0, "", ""}, 100, MR_STOP, "is gone"},
    {"lost", {true, false, true, 0, 50, "pgoutput", "d"}, 100, MR_STOP, "is lost"},
    {"in use", {true, true, false, 4711, 50, "pgoutput", "d"}, 100, MR_RETRY, "4711"},
    {"another plug-in",
     {true, false, false, 0, 50, "test_decoding", "d"},
     100,
     MR_STOP,
     "test_decoding"},
    {"another database", {true, false, false, 0, 50, "pgoutput", "e"}, 100, MR_STOP, "\"e\""},
};

static void slots_can_be_followed_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(slot_cases); i++) {
        const struct slot_case *c = &slot_cases[i];
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        const bool ok = mr_pg_slot_check(&c->slot, "mine", "d", c->resume_lsn, &err);
        assert_int_equal(ok, c->mentions == NULL);
        if (!ok) {
            const bool is_ours = !c->slot.exists || (strcmp(c->slot.plugin, "pgoutput") == 0 &&
                                                     strcmp(c->slot.database, "d") == 0);
            const bool is_lost = is_ours && c->recovery == MR_STOP;
            assert_int_equal(err.code, is_lost ? MR_E_LOST : MR_E_SOURCE);
            assert_int_equal(err.recovery, c->recovery);
            assert_non_null(strstr(err.message, c->mentions));
            assert_non_null(strstr(err.message, "\"mine\""));
        }
    }
}

static void timelines_are_found_in_their_history(void **state)
{
    (void)state;
    static const char history[] = "1\t0/3000000\tno recovery target specified\n\n"
                                  "2\t16/B374D848\tbefore 2000-01-01\n12\t17/0\t\n";
    assert_int_equal(mr_pg_timeline_left_at(history, 1), 0x3000000);
    assert_int_equal(mr_pg_timeline_left_at(history, 2), UINT64_C(0x16B374D848));
    assert_int_equal(mr_pg_timeline_left_at(history, 12), UINT64_C(0x1700000000));
    assert_int_equal(mr_pg_timeline_left_at(history, 3), 0);
    assert_int_equal(mr_pg_timeline_left_at("", 1), 0);
    assert_int_equal(mr_pg_timeline_left_at("1\tnonsense\n", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_can_be_followed_or_not),
        cmocka_unit_test(timelines_are_found_in_their_history),
    };
    return cmocka_run_group_tests_name("pg_slot", tests, NULL, NULL);
}
