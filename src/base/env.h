// SPDX-License-Identifier: MIT
/*
 * env.h - the door to the operating system: files, clock, randomness.
 *
 * Nothing outside base/env.c asks the system for files, time, sleep or randomness, so that a seeded
 * simulation can run the whole pipeline on a disk that forgets what was not synced, a clock that
 * jumps and calls that fail (tests/sim), and a fault walk can fail every single call (tests/fault).
 * Network connections belong to the client libraries (libpq, Connector/C); their seam is the source
 * contract (source/source.h).
 *
 * Calls keep the meaning of their POSIX namesakes: -1 and errno on failure, short reads and writes
 * are possible. File names are relative to a directory handle.
 */
#ifndef MR_BASE_ENV_H
#define MR_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "error.h"

struct mr_env;

/** Called once a directory entry (without "." and ".."); returns false to end the listing. */
typedef bool (*mr_env_entry_fn)(void *context, const char *name);

struct mr_env {
    void *state; /* the implementation's own */

    int (*open_dir)(const struct mr_env *env, int dir_fd, const char *name);
    int (*make_dir)(const struct mr_env *env, int dir_fd, const char *name, mode_t mode);
    int (*list_dir)(const struct mr_env *env, int dir_fd, mr_env_entry_fn entry, void *context);
    int (*open)(const struct mr_env *env, int dir_fd, const char *name, int flags, mode_t mode);
    int (*close)(const struct mr_env *env, int fd);
    ssize_t (*pread)(const struct mr_env *env, int fd, void *bytes, size_t length, int64_t offset);
    ssize_t (*pwrite)(const struct mr_env *env, int fd, const void *bytes, size_t length,
                      int64_t offset);
    int (*fdatasync)(const struct mr_env *env, int fd);
    int (*fsync)(const struct mr_env *env, int fd); /* also for directory handles */
    int (*allocate)(const struct mr_env *env, int fd, int64_t offset, int64_t length);
    int (*truncate)(const struct mr_env *env, int fd, int64_t length);
    int (*rename)(const struct mr_env *env, int dir_fd, const char *from, const char *to);
    int (*unlink)(const struct mr_env *env, int dir_fd, const char *name);
    int (*lock)(const struct mr_env *env, int fd); /* exclusive, does not wait: EWOULDBLOCK */
    int64_t (*file_size)(const struct mr_env *env, int fd);
    int64_t (*free_bytes)(const struct mr_env *env, int dir_fd);

    uint64_t (*monotonic_ns)(const struct mr_env *env);
    int64_t (*unix_us)(const struct mr_env *env); /* wall clock, microseconds since 1970 UTC */
    void (*sleep_us)(const struct mr_env *env, uint64_t us);
    uint64_t (*random)(const struct mr_env *env);
};

/** The real system. */
extern const struct mr_env mr_env_posix;

/** AT_FDCWD, for callers that must not include <fcntl.h>. */
#define MR_ENV_CWD (-100)

/** Writes all bytes at offset, continuing short writes. MR_E_IO or MR_E_FULL. */
bool mr_env_write_fully(const struct mr_env *env, int fd, const void *bytes, size_t length,
                        int64_t offset, struct mr_error *err) MR_MUST_CHECK;

/**
 * Reads up to length bytes at offset, continuing short reads; *count is less than length only at
 * the end of the file.
 */
bool mr_env_read_fully(const struct mr_env *env, int fd, void *bytes, size_t length, int64_t offset,
                       size_t *count, struct mr_error *err) MR_MUST_CHECK;

#endif
