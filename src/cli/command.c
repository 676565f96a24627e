// SPDX-License-Identifier: MIT
/*
 * command.c - see command.h: the list of commands, and how a command line is taken apart.
 */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "memory.h"
#include "pipeline.h"

#define FLAG_BYTES_MAX 64

static const struct mr_command *const commands[] = {
    &mr_command_run,  &mr_command_check,   &mr_command_status, &mr_command_query,
    &mr_command_tail, &mr_command_table,   &mr_command_feed,   &mr_command_bench,
    &mr_command_help, &mr_command_version,
};

static const struct mr_option no_options[] = {{0}};

const struct mr_command *mr_command_at(size_t index)
{
    return index < MR_ARRAY_LEN(commands) ? commands[index] : NULL;
}

const struct mr_command *mr_command_find(const char *name)
{
    MR_ASSERT(name != NULL);

    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

const char *mr_cli_variable(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nothing sets variables */
}

void mr_cli_complain(const struct mr_error *err)
{
    (void)fprintf(stderr, "millrace: %s\n", err->message);
}

/* ---- Flags. ---- */

/* "--batch-rows=5" gives "batch_rows", and *value "5" (NULL without "="). */
static bool read_flag(const char *word, char name[FLAG_BYTES_MAX], const char **value)
{
    MR_ASSERT(word[0] == '-');

    const char *text = strcmp(word, "-c") == 0 ? "config" : word + 2;
    const size_t length = strcspn(text, "=");

    if (length == 0 || length >= FLAG_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const char letter = text[i];
        name[i] = (char)(letter == '-' ? '_' : letter);
    }
    name[length] = '\0';
    *value = text[length] == '=' ? text + length + 1 : NULL;
    return true;
}

static bool is_flag(const char *word)
{
    return strcmp(word, "-c") == 0 || (strncmp(word, "--", 2) == 0 && word[2] != '\0');
}

/* Takes the flag at argv[*at], and its value when that is the next word. */
static bool take_flag(const struct mr_command *command, char **argv, int argc, int *at,
                      struct mr_command_line *line, struct mr_error *err)
{
    MR_ASSERT(*at < argc);

    char name[FLAG_BYTES_MAX];
    const char *value = NULL;
    const struct mr_option *options = command->options != NULL ? command->options : no_options;

    if (!read_flag(argv[*at], name, &value)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" is no flag", argv[*at]);
    }
    const struct mr_option *option = mr_options_find(options, name);
    if (option == NULL) {
        const char *nearest = mr_options_nearest(options, name);
        return nearest != NULL
                   ? mr_fail(err, MR_E_CONFIG, MR_STOP, "unknown flag \"%s\"; did you mean --%s?",
                             argv[*at], nearest)
                   : mr_fail(err, MR_E_CONFIG, MR_STOP,
                             "unknown flag \"%s\"; `millrace %s --help` lists the flags", argv[*at],
                             command->name);
    }
    if (value == NULL && option->type == MR_OPT_BOOL) {
        value = "true";
    }
    if (value == NULL) {
        if (*at + 1 >= argc) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" needs a value", argv[*at]);
        }
        value = argv[++*at];
    }
    return mr_options_set(options, line->config, &line->memory, name, NULL, value, err);
}

/* What is missing or too much once every word was looked at. */
static bool check_line(const struct mr_command *command, const struct mr_command_line *line,
                       struct mr_error *err)
{
    const size_t count = line->arguments.count;

    for (const struct mr_option *option = command->options; option != NULL && option->name != NULL;
         option++) {
        const void *text = (const char *)line->config + option->offset;
        MR_ASSERT(!option->required || option->type == MR_OPT_STRING);
        if (option->required && *(const char *const *)text == NULL) {
            return mr_fail(err, MR_E_CONFIG, MR_STOP, "--%s is missing: %s", option->name,
                           option->help);
        }
    }
    if (count < command->arguments_min) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "something is missing; usage: millrace %s %s",
                       command->name, command->usage);
    }
    if (count > command->arguments_max) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" is too much; usage: millrace %s %s",
                       line->arguments.items[command->arguments_max], command->name,
                       command->usage);
    }
    return true;
}

enum mr_parse mr_command_parse(const struct mr_command *command, int argc, char **argv,
                               struct mr_command_line *line, struct mr_error *err)
{
    MR_ASSERT(argc >= 1 && line->config == NULL);

    bool flags_end = false;

    line->config = mr_memory_new(1, command->config_size > 0 ? command->config_size : 1);
    if (command->options != NULL &&
        !mr_options_defaults(command->options, line->config, &line->memory, err)) {
        return MR_PARSE_WRONG;
    }
    for (int at = 1; at < argc; at++) {
        if (!flags_end && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
            return MR_PARSE_HELP;
        }
        if (!flags_end && strcmp(argv[at], "--") == 0) {
            flags_end = true;
        } else if (!flags_end && is_flag(argv[at])) {
            if (!take_flag(command, argv, argc, &at, line, err)) {
                return MR_PARSE_WRONG;
            }
        } else if (line->arguments.count < MR_COMMAND_ARGUMENTS_MAX) {
            line->arguments.items[line->arguments.count++] = argv[at];
        }
    }
    return check_line(command, line, err) ? MR_PARSE_DONE : MR_PARSE_WRONG;
}

void mr_command_line_done(struct mr_command_line *line)
{
    free(line->config);
    mr_options_free(&line->memory);
}

/* ---- The program. ---- */

static const struct mr_command *choose_command(const char *word, struct mr_error *err)
{
    MR_ASSERT(word != NULL);

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return &mr_command_help;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        return &mr_command_version;
    }
    const struct mr_command *command = mr_command_find(word);
    if (command == NULL) {
        struct mr_option names[MR_ARRAY_LEN(commands) + 1] = {{0}};
        for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++) {
            names[i].name = commands[i]->name;
        }
        const char *nearest = mr_options_nearest(names, word);
        if (nearest != NULL) {
            mr_fail(err, MR_E_CONFIG, MR_STOP, "there is no command \"%s\"; did you mean \"%s\"?",
                    word, nearest);
        } else {
            mr_fail(err, MR_E_CONFIG, MR_STOP,
                    "there is no command \"%s\"; `millrace help` lists them", word);
        }
    }
    return command;
}

int mr_cli_main(int argc, char **argv)
{
    struct mr_error err = {0};
    struct mr_command_line line = {0};
    int code = MR_EXIT_CONFIG;

    if (argc < 2) {
        mr_help_program(stderr);
        return MR_EXIT_CONFIG;
    }
    const struct mr_command *command = choose_command(argv[1], &err);
    if (command == NULL) {
        mr_cli_complain(&err);
        return MR_EXIT_CONFIG;
    }
    if (command->run_raw != NULL) {
        return command->run_raw(argc - 1, argv + 1);
    }
    switch (mr_command_parse(command, argc - 1, argv + 1, &line, &err)) {
    case MR_PARSE_DONE:
        code = command->run(line.config, &line.arguments);
        break;
    case MR_PARSE_HELP:
        mr_help_command(stdout, command);
        code = MR_EXIT_DONE;
        break;
    case MR_PARSE_WRONG:
        mr_cli_complain(&err);
        break;
    }
    mr_command_line_done(&line);
    return code;
}
