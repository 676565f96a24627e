// SPDX-License-Identifier: MIT
/*
 * load.h - what run and check do alike: read the configuration, and the console's part of it.
 */
#ifndef MR_CLI_LOAD_H
#define MR_CLI_LOAD_H

#include <stdbool.h>

#include "compiler.h"
#include "config.h"
#include "console.h"
#include "error.h"

/** Loads a file with the process's environment. MR_E_CONFIG. */
bool mr_cli_load(struct mr_pipeline_config *config, const char *file,
                 struct mr_error *err) MR_MUST_CHECK;

/** False when console.listen is "off". */
bool mr_cli_has_console(const struct mr_pipeline_config *config);

/** The console's settings; strings are the configuration's. */
struct mr_console_settings mr_cli_console_settings(const struct mr_pipeline_config *config);

#endif
