// SPDX-License-Identifier: MIT
/* How command lines are taken apart, and what is said to those that do not fit. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "help_options.h"

struct flags {
    const char *config;
    const char *url;
    bool follow;
    uint64_t batch_rows;
    unsigned format;
};

static const char *const formats[] = {"table", "csv", NULL};

static const struct mr_option flag_table[] = {
    {.name = "config",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct flags, config),
     .required = true,
     .help = "the file"},
    {.name = "url", .type = MR_OPT_STRING, .offset = offsetof(struct flags, url)},
    {.name = "follow",
     .type = MR_OPT_BOOL,
     .offset = offsetof(struct flags, follow),
     .fallback = "false"},
    {.name = "batch_rows",
     .type = MR_OPT_UINT,
     .offset = offsetof(struct flags, batch_rows),
     .fallback = "7"},
    {.name = "format",
     .type = MR_OPT_CHOICE,
     .offset = offsetof(struct flags, format),
     .fallback = "table",
     .choices = formats},
    {0},
};

static const struct mr_command command = {
    .name = "test",
    .usage = "-c FILE [TOPIC]",
    .options = flag_table,
    .config_size = sizeof(struct flags),
    .arguments_max = 1,
};

#define WORDS_MAX 8

static enum mr_parse parse(const char *const *words, struct mr_command_line *line,
                           struct mr_error *err)
{
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (; words[argc] != NULL; argc++) {
        argv[argc] = strdup(words[argc]);
    }
    const enum mr_parse result = mr_command_parse(&command, argc, argv, line, err);
    /* Arguments are borrowed from argv: keep what the test looks at. */
    for (size_t i = 0; i < line->arguments.count; i++) {
        line->arguments.items[i] = mr_options_keep(&line->memory, line->arguments.items[i]);
    }
    for (int i = 0; i < argc; i++) {
        free(argv[i]);
    }
    return result;
}

static void flags_and_arguments_are_told_apart(void **state)
{
    (void)state;
    static const char *const words[] = {"test", "-c",       "a.yaml",       "ops.t", "--batch-rows",
                                        "5",    "--follow", "--format=csv", NULL};
    struct mr_command_line line = {0};
    struct mr_error err = {0};
    assert_int_equal(parse(words, &line, &err), MR_PARSE_DONE);
    const struct flags *flags = line.config;
    assert_string_equal(flags->config, "a.yaml");
    assert_null(flags->url);
    assert_true(flags->follow);
    assert_int_equal(flags->batch_rows, 5);
    assert_int_equal(flags->format, 1);
    assert_int_equal(line.arguments.count, 1);
    assert_string_equal(line.arguments.items[0], "ops.t");
    mr_command_line_done(&line);
}

static void wrong_lines_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX];
        enum mr_parse result;
        const char *message;
    } cases[] = {
        {{"test"}, MR_PARSE_WRONG, "--config is missing: the file"},
        {{"test", "-c"}, MR_PARSE_WRONG, "\"-c\" needs a value"},
        {{"test", "-c", "a", "--folow"}, MR_PARSE_WRONG, "did you mean --follow?"},
        {{"test", "-c", "a", "--zzzzzzzzzz"}, MR_PARSE_WRONG, "`millrace test --help`"},
        {{"test", "-c", "a", "--follow=maybe"}, MR_PARSE_WRONG, "true or false"},
        {{"test", "-c", "a", "--batch-rows", "many"}, MR_PARSE_WRONG, "a whole number"},
        {{"test", "-c", "a", "--format", "xml"}, MR_PARSE_WRONG, "table csv"},
        {{"test", "-c", "a", "x", "y"}, MR_PARSE_WRONG, "\"y\" is too much"},
        {{"test", "--=x"}, MR_PARSE_WRONG, "is no flag"},
        {{"test", "--help"}, MR_PARSE_HELP, ""},
        {{"test", "-c", "a", "-h"}, MR_PARSE_HELP, ""},
        {{"test", "-c", "a", "--", "--help"}, MR_PARSE_DONE, ""},
        {{"test", "-c", "a", "-"}, MR_PARSE_DONE, ""},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_command_line line = {0};
        struct mr_error err = {0};
        print_message("    case %zu: %s\n", i, cases[i].message);
        assert_int_equal(parse(cases[i].words, &line, &err), cases[i].result);
        if (strstr(err.message, cases[i].message) == NULL) {
            fail_msg("wanted %s, got %s", cases[i].message, err.message);
        }
        mr_command_line_done(&line);
    }
}

static void options_are_put_into_words(void **state)
{
    (void)state;
    static const struct {
        struct mr_option option;
        const char *type;
        const char *fallback;
    } cases[] = {
        {{.name = "a", .type = MR_OPT_CHOICE, .choices = formats, .fallback = "csv"},
         "table | csv",
         "default csv"},
        {{.name = "a", .type = MR_OPT_STRING, .required = true}, "text", "required"},
        {{.name = "a", .type = MR_OPT_SECRET}, "secret", "no default"},
        {{.name = "a", .type = MR_OPT_SIZE, .fallback = "1GiB", .min = 64 << 20},
         "size",
         "default 1GiB, at least 64MiB"},
        {{.name = "a", .type = MR_OPT_DURATION_MS, .min = 100, .max = 3600000},
         "duration",
         "no default, from 100ms to 1h"},
        {{.name = "a", .type = MR_OPT_UINT, .fallback = "2", .max = 16},
         "number",
         "default 2, at most 16"},
        {{.name = "a", .type = MR_OPT_BOOL, .fallback = "false"}, "true | false", "default false"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        char type[100];
        char fallback[100];
        mr_help_type(&cases[i].option, type, sizeof(type));
        mr_help_default(&cases[i].option, fallback, sizeof(fallback));
        assert_string_equal(type, cases[i].type);
        assert_string_equal(fallback, cases[i].fallback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_arguments_are_told_apart),
        cmocka_unit_test(wrong_lines_are_explained),
        cmocka_unit_test(options_are_put_into_words),
    };
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
