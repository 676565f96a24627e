// SPDX-License-Identifier: MIT
/*
 * data_dir_probe.h - whether a directory can be written to, without leaving anything behind.
 */
#ifndef MR_CLI_DATA_DIR_PROBE_H
#define MR_CLI_DATA_DIR_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"

/**
 * Writes and removes a file in the directory, or, where that is still to be made, in the nearest
 * directory above that is there. *free_bytes is what the file system has left.
 * Errors: MR_E_CONFIG with the directory and the cure.
 */
bool mr_data_dir_probe(const char *path, const struct mr_env *env, int64_t *free_bytes,
                       struct mr_error *err) MR_MUST_CHECK;

#endif
