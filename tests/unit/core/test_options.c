// SPDX-License-Identifier: MIT
/* Option tables: every type, its limits, and what people are told when they are wrong. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "options.h"

struct config {
    const char *host;
    const char *password;
    bool enabled;
    uint64_t port;
    uint64_t bytes;
    uint64_t wait_ms;
    unsigned mode;
    struct mr_string_list tables;
    struct mr_string_map properties;
};

static const char *const modes[] = {"disable", "prefer", "require", NULL};

static const struct mr_option options[] = {
    {.name = "host",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct config, host),
     .fallback = "127.0.0.1"},
    {.name = "password", .type = MR_OPT_SECRET, .offset = offsetof(struct config, password)},
    {.name = "enabled",
     .type = MR_OPT_BOOL,
     .offset = offsetof(struct config, enabled),
     .fallback = "true"},
    {.name = "port",
     .type = MR_OPT_UINT,
     .offset = offsetof(struct config, port),
     .fallback = "3306",
     .min = 1,
     .max = 65535},
    {.name = "bytes",
     .type = MR_OPT_SIZE,
     .offset = offsetof(struct config, bytes),
     .fallback = "64MiB",
     .min = 1024},
    {.name = "wait",
     .type = MR_OPT_DURATION_MS,
     .offset = offsetof(struct config, wait_ms),
     .fallback = "10s",
     .max = 86400000},
    {.name = "tls.mode",
     .type = MR_OPT_CHOICE,
     .offset = offsetof(struct config, mode),
     .fallback = "prefer",
     .choices = modes},
    {.name = "tables", .type = MR_OPT_LIST, .offset = offsetof(struct config, tables)},
    {.name = "properties", .type = MR_OPT_MAP, .offset = offsetof(struct config, properties)},
    {0},
};

static void defaults_fill_the_struct(void **state)
{
    (void)state;
    struct config config = {0};
    struct mr_option_memory memory = {0};
    struct mr_error err = {0};
    assert_true(mr_options_defaults(options, &config, &memory, &err));
    assert_string_equal(config.host, "127.0.0.1");
    assert_null(config.password);
    assert_true(config.enabled);
    assert_int_equal(config.port, 3306);
    assert_int_equal(config.bytes, 64 << 20);
    assert_int_equal(config.wait_ms, 10000);
    assert_int_equal(config.mode, 1);
    assert_int_equal(config.tables.count, 0);
    mr_options_free(&memory);
    mr_options_free(&memory);
}

static const struct value_case {
    const char *name;
    const char *text;
    bool accepted;
    uint64_t expect; /* of the number that name stands for */
} value_cases[] = {
    {"port", "1", true, 1},
    {"port", "65535", true, 65535},
    {"port", "0", false, 0},
    {"port", "65536", false, 0},
    {"port", "-1", false, 0},
    {"port", "+1", false, 0},
    {"port", "1 ", false, 0},
    {"port", "0x10", false, 0},
    {"port", "", false, 0},
    {"port", "18446744073709551616", false, 0},
    {"bytes", "1024", true, 1024},
    {"bytes", "1023", false, 0},
    {"bytes", "1KiB", true, 1024},
    {"bytes", "2 KB", true, 2000},
    {"bytes", "3mib", true, 3 << 20},
    {"bytes", "1GB", true, 1000000000},
    {"bytes", "20GiB", true, UINT64_C(20) << 30},
    {"bytes", "2TiB", true, UINT64_C(2) << 40},
    {"bytes", "4096B", true, 4096},
    {"bytes", "18446744073709551615", true, UINT64_MAX},
    {"bytes", "18446744073709551615KiB", false, 0},
    {"bytes", "1.5GiB", false, 0},
    {"bytes", "64M", false, 0},
    {"bytes", "MiB", false, 0},
    {"bytes", "", false, 0},
    {"wait", "0", true, 0},
    {"wait", "500ms", true, 500},
    {"wait", "10s", true, 10000},
    {"wait", "5m", true, 300000},
    {"wait", "12h", true, 43200000},
    {"wait", "1d", true, 86400000},
    {"wait", "2d", false, 0},
    {"wait", "auto", true, MR_DURATION_AUTO},
    {"wait", "10", false, 0},
    {"wait", "s", false, 0},
    {"wait", "-1s", false, 0},
    {"wait", "18446744073709551615ms", false, 0},
    {"wait", "99999999999999999999d", false, 0},
    {"enabled", "true", true, 1},
    {"enabled", "false", true, 0},
    {"enabled", "yes", false, 0},
    {"enabled", "TRUE", false, 0},
    {"tls.mode", "disable", true, 0},
    {"tls.mode", "require", true, 2},
    {"tls.mode", "requir", false, 0},
};

static uint64_t number_of(const struct config *config, const char *name)
{
    if (strcmp(name, "port") == 0) {
        return config->port;
    }
    if (strcmp(name, "bytes") == 0) {
        return config->bytes;
    }
    if (strcmp(name, "wait") == 0) {
        return config->wait_ms;
    }
    return strcmp(name, "enabled") == 0 ? config->enabled : config->mode;
}

static void values_are_taken_or_refused_with_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(value_cases); i++) {
        const struct value_case *c = &value_cases[i];
        struct config config = {.port = 7, .bytes = 7, .wait_ms = 7, .mode = 7, .enabled = true};
        struct mr_option_memory memory = {0};
        struct mr_error err = {0};
        const uint64_t before = number_of(&config, c->name);
        print_message("    %s: %s\n", c->name, c->text);
        assert_int_equal(mr_options_set(options, &config, &memory, c->name, NULL, c->text, &err),
                         c->accepted);
        if (c->accepted) {
            assert_true(number_of(&config, c->name) == c->expect);
        } else {
            assert_int_equal(err.code, MR_E_CONFIG);
            assert_non_null(strstr(err.message, c->name));
            assert_non_null(strstr(err.message, c->text));
            assert_true(number_of(&config, c->name) == before);
        }
        mr_options_free(&memory);
    }
}

static void a_wrong_choice_is_told_the_right_ones(void **state)
{
    (void)state;
    struct config config = {0};
    struct mr_option_memory memory = {0};
    struct mr_error err = {0};
    assert_false(mr_options_set(options, &config, &memory, "tls.mode", NULL, "on", &err));
    assert_string_equal(
        err.message,
        "option \"tls.mode\" cannot be \"on\"; it takes one of disable prefer require");
    mr_options_free(&memory);
}

static void lists_and_maps_take_one_more(void **state)
{
    (void)state;
    struct config config = {0};
    struct mr_option_memory memory = {0};
    struct mr_error err = {0};
    char text[16];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof(text), "t%d", i);
        assert_true(mr_options_set(options, &config, &memory, "tables", NULL, text, &err));
        assert_true(mr_options_set(options, &config, &memory, "properties", text, text, &err));
        assert_true(mr_options_set(options, &config, &memory, "properties", text, "last", &err));
    }
    assert_int_equal(config.tables.count, 100);
    assert_string_equal(config.tables.items[0], "t0");
    assert_string_equal(config.tables.items[99], "t99");
    assert_int_equal(config.properties.count, 100);
    assert_string_equal(config.properties.keys[63], "t63");
    assert_string_equal(config.properties.values[63], "last");
    assert_false(mr_options_set(options, &config, &memory, "tables", "key", "x", &err));
    assert_false(mr_options_set(options, &config, &memory, "properties", NULL, "x", &err));
    mr_options_free(&memory);
}

static const struct nearest_case {
    const char *name;
    const char *nearest;
} nearest_cases[] = {
    {"hosts", "host"},
    {"prot", "port"},
    {"tls.mod", "tls.mode"},
    {"tsl.mode", "tls.mode"},
    {"propertys", "properties"},
    {"Enabled", "enabled"},
    {"xylophone", NULL},
    {"x", NULL},
    {"", NULL},
};

static void unknown_names_get_the_nearest(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(nearest_cases); i++) {
        const struct nearest_case *c = &nearest_cases[i];
        const char *nearest = mr_options_nearest(options, c->name);
        print_message("    %s -> %s\n", c->name, nearest == NULL ? "none" : nearest);
        if (c->nearest == NULL) {
            assert_null(nearest);
        } else {
            assert_non_null(nearest);
            assert_string_equal(nearest, c->nearest);
        }
    }
    char longest[300];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(mr_options_nearest(options, longest));

    struct config config = {0};
    struct mr_option_memory memory = {0};
    struct mr_error err = {0};
    assert_false(mr_options_set(options, &config, &memory, "hosts", NULL, "x", &err));
    assert_string_equal(err.message, "there is no option \"hosts\"; did you mean \"host\"?");
    assert_false(mr_options_set(options, &config, &memory, "xylophone", NULL, "x", &err));
    assert_string_equal(err.message, "there is no option \"xylophone\"");
}

static void a_broken_table_is_found(void **state)
{
    (void)state;
    static const struct mr_option broken[][2] = {
        {{.name = "a", .type = MR_OPT_LIST, .fallback = "x"}, {0}},
        {{.name = "a", .type = MR_OPT_UINT, .fallback = "x"}, {0}},
        {{.name = "a", .type = MR_OPT_UINT, .fallback = "1", .required = true}, {0}},
        {{.name = "a", .type = (enum mr_option_type)77, .fallback = "1"}, {0}},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(broken); i++) {
        struct config config = {0};
        struct mr_option_memory memory = {0};
        struct mr_error err = {0};
        assert_false(mr_options_defaults(broken[i], &config, &memory, &err));
        assert_int_equal(err.code, MR_E_CONFIG);
        mr_options_free(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_the_struct),
        cmocka_unit_test(values_are_taken_or_refused_with_reason),
        cmocka_unit_test(a_wrong_choice_is_told_the_right_ones),
        cmocka_unit_test(lists_and_maps_take_one_more),
        cmocka_unit_test(unknown_names_get_the_nearest),
        cmocka_unit_test(a_broken_table_is_found),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
