// SPDX-License-Identifier: MIT
/*
 * help_options.h - one option in words: its type, default and bounds.
 */
#ifndef MR_CLI_HELP_OPTIONS_H
#define MR_CLI_HELP_OPTIONS_H

#include <stddef.h>

#include "options.h"

/** "size", "duration", "initial | initial_only | ..."; how a value of the option is written. */
void mr_help_type(const struct mr_option *option, char *text, size_t size);

/** "required", "default 256MiB", "no default"; with bounds: "default 2, from 1 to 16". */
void mr_help_default(const struct mr_option *option, char *text, size_t size);

/** A section of the configuration file: where its options stand, and whose they are. */
struct mr_help_section {
    const char *path;    /* "sources[]", "" for the top of the file */
    const char *plugin;  /* type of the plug-in; NULL: all share the options */
    const char *summary; /* one line; or NULL */
    const struct mr_option *options;
    const struct mr_option *shared; /* of a plug-in: the rows above it; NULL otherwise */
};

/** Whether a plug-in's option repeats a shared one, and so needs no row of its own. */
bool mr_help_is_repeated(const struct mr_help_section *section, const struct mr_option *option);

/** Fills *section with the section at an index from 0; false past the last. */
bool mr_help_section_at(size_t index, struct mr_help_section *section);

#endif
