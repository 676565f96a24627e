// SPDX-License-Identifier: MIT
/*
 * data_dir.h - the pipeline's directory: made when missing, durable, and locked by one process.
 */
#ifndef MR_PIPELINE_DATA_DIR_H
#define MR_PIPELINE_DATA_DIR_H

#include <stdbool.h>

#include "compiler.h"
#include "env.h"
#include "error.h"

struct mr_data_dir {
    int fd;      /* -1: not open */
    int lock_fd; /* -1: not locked */
};

/**
 * Makes every missing folder of the path and syncs the folder above each, so that a crash cannot
 * take the directory with all that was synced in it; then locks it.
 * Errors: MR_E_CONFIG (cannot be made or written), MR_E_LOCKED (another process has it).
 */
bool mr_data_dir_open(struct mr_data_dir *dir, const struct mr_env *env, const char *path,
                      struct mr_error *err) MR_MUST_CHECK;

void mr_data_dir_close(struct mr_data_dir *dir, const struct mr_env *env);

#endif
