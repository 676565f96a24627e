// SPDX-License-Identifier: MIT
/* Globs over table names. */
#include "check.h"
#include "compiler.h"
#include "table_filter.h"

static const struct glob_case {
    const char *glob;
    const char *text;
    bool expect;
} glob_cases[] = {
    {"*", "a.b", true},
    {"*", "", true},
    {"", "", true},
    {"", "a", false},
    {"parking.*", "parking.payment", true},
    {"parking.*", "parking.", true},
    {"parking.*", "parkings.payment", false},
    {"parking.*", "parking.a.b", false}, /* a star does not cross a dot */
    {"*.*", "a.b", true},
    {"*.payment", "parking.payment", true},
    {"**", "a.b", false},
    {"**", "ab", true},
    {"a.b*d", "a.bcd", true},
    {"a.b*d", "a.bcdd", true},
    {"a.b*d", "a.bce", false},
    {"a.*b*c*", "a.xbyycz", true},
    {"a.*b*c*", "a.xcyyb", false},
    {"a.?", "a.b", true},
    {"a.?", "a.", false},
    {"a.?", "a.bc", false},
    {"a?b", "a.b", false}, /* nor does a question mark stand for one */
    {"A.b", "a.b", false},
    {"a.*********************b", "a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {"a.[x]", "a.[x]", true},
};

static void globs_match_whole_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(glob_cases); i++) {
        const struct glob_case *c = &glob_cases[i];
        print_message("    %s on %s\n", c->glob, c->text);
        assert_int_equal(mr_glob_matches(c->glob, c->text), c->expect);
    }
}

static void excludes_win_over_includes(void **state)
{
    (void)state;
    const char *include_items[] = {"parking.*", "ops.log"};
    const char *exclude_items[] = {"parking.tmp_*"};
    const struct mr_string_list include = {include_items, 2};
    const struct mr_string_list exclude = {exclude_items, 1};
    const struct mr_string_list none = {NULL, 0};
    const struct mr_table_filter both = {.include = &include, .exclude = &exclude};
    const struct mr_table_filter open = {.include = &none, .exclude = &exclude};
    const struct mr_table_filter all = {0};
    assert_true(mr_table_filter_takes(&both, "parking", "payment"));
    assert_true(mr_table_filter_takes(&both, "ops", "log"));
    assert_false(mr_table_filter_takes(&both, "ops", "logs"));
    assert_false(mr_table_filter_takes(&both, "parking", "tmp_1"));
    assert_true(mr_table_filter_takes(&open, "any", "thing"));
    assert_false(mr_table_filter_takes(&open, "parking", "tmp_1"));
    assert_true(mr_table_filter_takes(&all, "any", "thing"));
}

static void what_people_chose_goes_before_the_globs(void **state)
{
    (void)state;
    const char *include_items[] = {"parking.*"};
    const struct mr_string_list include = {include_items, 1};
    struct mr_table_choices *choices = mr_table_choices_open();
    const struct mr_table_filter filter = {.include = &include, .choices = choices};
    assert_false(mr_table_filter_takes(&filter, "ops", "log"));
    mr_table_choices_set(choices, "ops", "log", MR_CHOICE_ADDED);
    mr_table_choices_set(choices, "parking", "payment", MR_CHOICE_DROPPED);
    assert_true(mr_table_filter_takes(&filter, "ops", "log"));
    assert_false(mr_table_filter_takes(&filter, "ops", "logs"));
    assert_false(mr_table_filter_takes(&filter, "parking", "payment"));
    mr_table_choices_set(choices, "parking", "payment", MR_CHOICE_NONE);
    assert_true(mr_table_filter_takes(&filter, "parking", "payment"));
    mr_table_choices_close(choices);
}

static void it_says_why(void **state)
{
    (void)state;
    const char *include_items[] = {"parking.*"};
    const char *exclude_items[] = {"parking.tmp_*"};
    const struct mr_string_list include = {include_items, 1};
    const struct mr_string_list exclude = {exclude_items, 1};
    struct mr_table_choices *choices = mr_table_choices_open();
    const struct mr_table_filter filter = {
        .include = &include, .exclude = &exclude, .choices = choices};
    static const struct {
        const char *table;
        const char *why;
    } cases[] = {
        {"payment", "\"parking.*\" of \"tables\" matches"},
        {"tmp_1", "\"parking.tmp_*\" of \"exclude\" matches"},
        {"added", "it was added by name"},
        {"dropped", "it was dropped by name"},
    };
    mr_table_choices_set(choices, "parking", "added", MR_CHOICE_ADDED);
    mr_table_choices_set(choices, "parking", "dropped", MR_CHOICE_DROPPED);
    char why[128];
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        mr_table_filter_why(&filter, "parking", cases[i].table, why, sizeof(why));
        assert_string_equal(why, cases[i].why);
    }
    mr_table_filter_why(&filter, "ops", "log", why, sizeof(why));
    assert_string_equal(why, "no pattern of \"tables\" matches");
    mr_table_choices_close(choices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_match_whole_names),
        cmocka_unit_test(excludes_win_over_includes),
        cmocka_unit_test(what_people_chose_goes_before_the_globs),
        cmocka_unit_test(it_says_why),
    };
    return cmocka_run_group_tests_name("table_filter", tests, NULL, NULL);
}
