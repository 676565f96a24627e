// SPDX-License-Identifier: MIT
/*
 * config_expand.h - ${NAME} and ${file:/path} in the values of a configuration.
 *
 *   ${NAME}        an environment variable; one that is not set is an error, an empty one is empty
 *   ${file:/path}  a file's text without its last line feed, at most MR_EXPAND_FILE_BYTES_MAX
 *   $${            stands for ${
 *
 * What is put in is not looked at again, and never shown in a message.
 */
#ifndef MR_PIPELINE_CONFIG_EXPAND_H
#define MR_PIPELINE_CONFIG_EXPAND_H

#include <stdbool.h>

#include "config.h"

#define MR_EXPAND_FILE_BYTES_MAX  ((size_t)64 << 10)
#define MR_EXPAND_VALUE_BYTES_MAX ((size_t)256 << 10) /* of a value when everything is put in */

/**
 * Replaces what a value refers to. *expanded is kept in memory; *is_replaced says whether anything
 * was put in: such a value may be a secret. MR_E_CONFIG without file and line: the caller adds
 * them.
 */
bool mr_config_expand(const char *text, const struct mr_config_surroundings *around,
                      struct mr_option_memory *memory, const char **expanded, bool *is_replaced,
                      struct mr_error *err) MR_MUST_CHECK;

#endif
