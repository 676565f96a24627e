// SPDX-License-Identifier: MIT
/* Dashboard files: what is read, what is refused, how filters are numbered in statements. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "config.h"
#include "dashboard.h"

static char path[64];

static const char *no_variable(const char *name)
{
    (void)name;
    return NULL;
}

static bool load(const char *text, struct mr_dashboard *dashboard, struct mr_error *err)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    const struct mr_config_surroundings around = {.env = &mr_env_posix, .variable = no_variable};
    return mr_dashboard_load(dashboard, path, &around, err);
}

#define FILTERS "title: T\nfilters: [{name: a, title: A}, {name: ab, title: AB, default: '7'}]\n"

static void statements_number_their_filters(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *statement;
        uint8_t filters[3];
        uint8_t count;
    } cases[] = {
        {"SELECT 1", "SELECT 1", {0}, 0},
        {"SELECT $a", "SELECT $1", {0}, 1},
        {"SELECT $ab, $a, $ab", "SELECT $1, $2, $1", {1, 0}, 2},
        {"SELECT '$ab''$a', \\\"$a\\\", $ab", "SELECT '$ab''$a', \"$a\", $1", {1}, 1},
        {"SELECT 1 -- $nothing\\n + $a", "SELECT 1 -- $nothing\n + $1", {0}, 1},
        {"SELECT /* $nothing */ $a", "SELECT /* $nothing */ $1", {0}, 1},
        {"SELECT '$unended", "SELECT '$unended", {0}, 0},
        {"SELECT $ a, 5$", "SELECT $ a, 5$", {0}, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        char text[512];
        struct mr_dashboard dashboard;
        struct mr_error err = {0};
        (void)snprintf(text, sizeof(text), FILTERS "panels: [{title: P, type: bar, sql: \"%s\"}]\n",
                       cases[i].sql);
        print_message("    %s\n", cases[i].sql);
        assert_true(load(text, &dashboard, &err));
        const struct mr_dashboard_panel *panel = &dashboard.panels[0];
        assert_string_equal(panel->statement, cases[i].statement);
        assert_int_equal(panel->filter_count, cases[i].count);
        assert_memory_equal(panel->filters, cases[i].filters, cases[i].count);
        mr_dashboard_done(&dashboard);
    }
}

static void file_is_read_whole(void **state)
{
    (void)state;
    struct mr_dashboard dashboard;
    struct mr_error err = {0};
    assert_true(load(FILTERS
                     "name: parking\npanels:\n- {title: P, type: number, unit: EUR, width: 3, "
                     "sql: SELECT 1}\n- {title: Q, type: map, sql: SELECT 2}\n",
                     &dashboard, &err));
    assert_string_equal(dashboard.name, "parking");
    assert_int_equal(dashboard.filter_count, 2);
    assert_null(dashboard.filters[0].fallback);
    assert_string_equal(dashboard.filters[1].fallback, "7");
    assert_int_equal(dashboard.panel_count, 2);
    assert_int_equal(dashboard.panels[0].width, 3);
    assert_string_equal(dashboard.panels[0].unit, "EUR");
    assert_int_equal(dashboard.panels[1].width, 6);
    assert_string_equal(mr_panel_type_name(dashboard.panels[1].type), "map");
    mr_dashboard_done(&dashboard);
}

static void name_of_the_file_is_the_dashboards(void **state)
{
    (void)state;
    struct mr_dashboard dashboard;
    struct mr_error err = {0};
    assert_true(load("title: T\npanels: [{title: P, type: bar, sql: S}]\n", &dashboard, &err));
    assert_memory_equal(dashboard.name, "millrace-dashboard-", strlen("millrace-dashboard-"));
    assert_null(strchr(dashboard.name, '.'));
    mr_dashboard_done(&dashboard);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted; /* in the message */
    } cases[] = {
        {"panels: [{title: P, type: bar, sql: S}]", "title"},
        {"title: T", "panels"},
        {"title: T\npanels: []", "panels"},
        {"title: T\npanels: {}", "needs a list"},
        {"title: T\npanels: [{title: P, type: pie, sql: S}]", "pie"},
        {"title: T\npanels: [{title: P, type: bar}]", "sql"},
        {"title: T\npanels: [{title: P, type: bar, sql: S, width: 13}]", "width"},
        {"title: T\npanels: [{title: P, type: bar, sql: S, colour: red}]", "colour"},
        {"title: T\npanels:\n- {title: P, type: bar, sql: 'SELECT $b'}",
         ":3: panel \"P\" names $b"},
        {"title: T\nfilters: [{name: 'a b', title: A}]\npanels: [{title: P, type: bar, sql: S}]",
         "letters"},
        {"title: [", "yaml"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_dashboard dashboard;
        struct mr_error err = {0};
        print_message("    %s\n", cases[i].wanted);
        assert_false(load(cases[i].text, &dashboard, &err));
        assert_int_equal(err.code, MR_E_CONFIG);
        if (strstr(err.message, cases[i].wanted) == NULL) {
            fail_msg("\"%s\" is not in: %s", cases[i].wanted, err.message);
        }
        assert_null(dashboard.panels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_number_their_filters),
        cmocka_unit_test(file_is_read_whole),
        cmocka_unit_test(name_of_the_file_is_the_dashboards),
        cmocka_unit_test(wrong_files_are_refused),
    };
    (void)snprintf(path, sizeof(path), "/tmp/millrace-dashboard-%ld.yaml", (long)getpid());
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
