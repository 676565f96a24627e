// SPDX-License-Identifier: MIT
/*
 * command.h - what a command of the program is: a table of flags (core/options.h), a run function,
 * and texts, from which its --help comes too.
 *
 * Flags are options: --name value or --name=value; a BOOL flag needs no value. "_" in an option's
 * name is written "-". -c stands for --config, -h for --help.
 */
#ifndef MR_CLI_COMMAND_H
#define MR_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "compiler.h"
#include "error.h"
#include "options.h"

#define MR_COMMAND_ARGUMENTS_MAX 64

struct mr_arguments {
    const char *items[MR_COMMAND_ARGUMENTS_MAX]; /* what is left when flags are taken out */
    size_t count;
};

struct mr_command {
    const char *name;
    const char *usage;   /* behind the name: "[--url URL] SQL" */
    const char *summary; /* one line */
    const char *details; /* more, for its own --help; or NULL */
    const struct mr_option *options;
    size_t config_size; /* of the struct that options fill */
    size_t arguments_min;
    size_t arguments_max;

    /** Returns the program's exit code (pipeline.h, enum mr_exit). */
    int (*run)(const void *config, const struct mr_arguments *arguments);

    /** Instead of run: takes argv as it is, the command's name at [0]. */
    int (*run_raw)(int argc, char **argv);
};

extern const struct mr_command mr_command_run;
extern const struct mr_command mr_command_check;
extern const struct mr_command mr_command_status;
extern const struct mr_command mr_command_query;
extern const struct mr_command mr_command_tail;
extern const struct mr_command mr_command_table;
extern const struct mr_command mr_command_feed;
extern const struct mr_command mr_command_bench;
extern const struct mr_command mr_command_help;
extern const struct mr_command mr_command_version;

/** The command at an index from 0, in the order of the help; NULL past the last. */
const struct mr_command *mr_command_at(size_t index);

/** By name, or NULL. */
const struct mr_command *mr_command_find(const char *name);

/** Result of taking a command line apart. */
enum mr_parse { MR_PARSE_DONE, MR_PARSE_HELP, MR_PARSE_WRONG };

struct mr_command_line {
    void *config; /* command->config_size bytes, filled from the flags */
    struct mr_arguments arguments;
    struct mr_option_memory memory;
};

/**
 * Fills a zeroed *line from argv[1..]; free it in any case. MR_PARSE_HELP when --help
 * or -h is there; MR_PARSE_WRONG with MR_E_CONFIG for anything that does not fit the command.
 */
enum mr_parse mr_command_parse(const struct mr_command *command, int argc, char **argv,
                               struct mr_command_line *line, struct mr_error *err);

void mr_command_line_done(struct mr_command_line *line);

/** Runs the program: argv[1] names the command. Returns the exit code. */
int mr_cli_main(int argc, char **argv);

/** An environment variable; NULL when it is not set. */
const char *mr_cli_variable(const char *name);

/** Prints "millrace: message" on stderr. */
void mr_cli_complain(const struct mr_error *err);

#endif
