// SPDX-License-Identifier: MIT
/*
 * cmd_help.c - millrace help [COMMAND | options], and millrace version.
 */
#include <string.h>

#include "command.h"
#include "help.h"
#include "pipeline.h"

struct help_flags {
    bool markdown;
};

static const struct mr_option help_flags[] = {
    {
        .name = "markdown",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct help_flags, markdown),
        .fallback = "false",
        .help = "options as a page: docs/OPTIONS.md",
    },
    {0},
};

static int help_run(const void *config, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count <= 1);

    const struct help_flags *flags = config;

    if (arguments->count == 0) {
        mr_help_program(stdout);
        return MR_EXIT_DONE;
    }
    if (strcmp(arguments->items[0], "options") == 0) {
        if (flags->markdown) {
            mr_help_options_markdown(stdout);
        } else {
            mr_help_options_text(stdout);
        }
        return MR_EXIT_DONE;
    }
    const struct mr_command *command = mr_command_find(arguments->items[0]);
    if (command == NULL) {
        (void)fprintf(stderr, "millrace: there is no command \"%s\"; `millrace help` lists them\n",
                      arguments->items[0]);
        return MR_EXIT_CONFIG;
    }
    mr_help_command(stdout, command);
    return MR_EXIT_DONE;
}

static int version_run(const void *config, const struct mr_arguments *arguments)
{
    (void)config;
    (void)arguments;
    (void)printf("millrace %s\n", MR_VERSION);
    return MR_EXIT_DONE;
}

const struct mr_command mr_command_help = {
    .name = "help",
    .usage = "[COMMAND | options [--markdown]]",
    .summary = "tells about a command, or lists the configuration's keys",
    .options = help_flags,
    .config_size = sizeof(struct help_flags),
    .arguments_max = 1,
    .run = help_run,
};

const struct mr_command mr_command_version = {
    .name = "version",
    .usage = "",
    .summary = "prints the version",
    .run = version_run,
};
