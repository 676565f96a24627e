// SPDX-License-Identifier: MIT
/*
 * help.h - every help text of the program, and docs/OPTIONS.md, made from the option tables that
 * the program itself reads: they cannot disagree. tests/unit/cli fails when docs/OPTIONS.md is
 * stale; `millrace help options --markdown > docs/OPTIONS.md` renews it.
 */
#ifndef MR_CLI_HELP_H
#define MR_CLI_HELP_H

#include <stdio.h>

#include "command.h"

/** millrace --help */
void mr_help_program(FILE *out);

/** millrace COMMAND --help */
void mr_help_command(FILE *out, const struct mr_command *command);

/** millrace help options: the configuration file's keys, as plain text. */
void mr_help_options_text(FILE *out);

/** The same as docs/OPTIONS.md, with the commands' flags. */
void mr_help_options_markdown(FILE *out);

#endif
