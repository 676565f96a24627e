// SPDX-License-Identifier: MIT
/*
 * env.c - the real system behind struct mr_env: POSIX calls, one a function.
 *
 * Interrupted calls are continued here, so that no caller has to think of EINTR.
 */
#include "env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

// NOLINTNEXTLINE(misc-redundant-expression): that they are equivalent is what it says
_Static_assert(MR_ENV_CWD == AT_FDCWD, "env.h repeats the value of AT_FDCWD");
_Static_assert(sizeof(off_t) == 8, "files may be larger than 2 GiB");

static int posix_open_dir(const struct mr_env *env, int dir_fd, const char *name)
{
    (void)env;
    return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int posix_make_dir(const struct mr_env *env, int dir_fd, const char *name, mode_t mode)
{
    (void)env;
    return mkdirat(dir_fd, name, mode);
}

static int posix_list_dir(const struct mr_env *env, int dir_fd, mr_env_entry_fn entry,
                          void *context)
{
    (void)env;
    /* A handle of its own: the listing must not move the caller's. */
    const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    DIR *listing = fdopendir(fd);
    if (listing == NULL) {
        (void)close(fd);
        return -1;
    }
    int result = 0;
    for (;;) {
        errno = 0;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this listing
        const struct dirent *found = readdir(listing);
        if (found == NULL) {
            result = errno == 0 ? 0 : -1;
            break;
        }
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) {
            continue;
        }
        if (!entry(context, found->d_name)) {
            break;
        }
    }
    const int sys_errno = errno;
    (void)closedir(listing);
    errno = sys_errno;
    return result;
}

static int posix_open(const struct mr_env *env, int dir_fd, const char *name, int flags,
                      mode_t mode)
{
    (void)env;
    int fd;
    do {
        fd = openat(dir_fd, name, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static int posix_close(const struct mr_env *env, int fd)
{
    (void)env;
    /* Linux has released the descriptor even when it reports EINTR. */
    return close(fd) == 0 || errno == EINTR ? 0 : -1;
}

static ssize_t posix_pread(const struct mr_env *env, int fd, void *bytes, size_t length,
                           int64_t offset)
{
    (void)env;
    ssize_t count;
    do {
        count = pread(fd, bytes, length, offset);
    } while (count < 0 && errno == EINTR);
    return count;
}

static ssize_t posix_pwrite(const struct mr_env *env, int fd, const void *bytes, size_t length,
                            int64_t offset)
{
    (void)env;
    ssize_t count;
    do {
        count = pwrite(fd, bytes, length, offset);
    } while (count < 0 && errno == EINTR);
    return count;
}

/* A sync that was interrupted is not repeated: the first answer is the one that counts. */
static int posix_fdatasync(const struct mr_env *env, int fd)
{
    (void)env;
    return fdatasync(fd);
}

static int posix_fsync(const struct mr_env *env, int fd)
{
    (void)env;
    return fsync(fd);
}

static int posix_allocate(const struct mr_env *env, int fd, int64_t offset, int64_t length)
{
    (void)env;
    int result;
    do {
        result = posix_fallocate(fd, offset, length);
    } while (result == EINTR);
    errno = result;
    return result == 0 ? 0 : -1;
}

static int posix_truncate(const struct mr_env *env, int fd, int64_t length)
{
    (void)env;
    int result;
    do {
        result = ftruncate(fd, length);
    } while (result < 0 && errno == EINTR);
    return result;
}

static int posix_rename(const struct mr_env *env, int dir_fd, const char *from, const char *to)
{
    (void)env;
    return renameat(dir_fd, from, dir_fd, to);
}

static int posix_unlink(const struct mr_env *env, int dir_fd, const char *name)
{
    (void)env;
    return unlinkat(dir_fd, name, 0);
}

static int posix_lock(const struct mr_env *env, int fd)
{
    (void)env;
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int64_t posix_file_size(const struct mr_env *env, int fd)
{
    (void)env;
    struct stat status;
    return fstat(fd, &status) == 0 ? (int64_t)status.st_size : -1;
}

static int64_t posix_free_bytes(const struct mr_env *env, int dir_fd)
{
    (void)env;
    struct statvfs status;
    const int result = dir_fd == MR_ENV_CWD ? statvfs(".", &status) : fstatvfs(dir_fd, &status);
    if (result != 0) {
        return -1;
    }
    int64_t bytes;
    return __builtin_mul_overflow(status.f_bavail, status.f_frsize, &bytes) ? INT64_MAX : bytes;
}

static uint64_t posix_monotonic_ns(const struct mr_env *env)
{
    (void)env;
    struct timespec now;
    const int result = clock_gettime(CLOCK_MONOTONIC, &now);
    MR_ASSERT(result == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int64_t posix_unix_us(const struct mr_env *env)
{
    (void)env;
    struct timespec now;
    const int result = clock_gettime(CLOCK_REALTIME, &now);
    MR_ASSERT(result == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void posix_sleep_us(const struct mr_env *env, uint64_t us)
{
    (void)env;
    struct timespec left = {
        .tv_sec = (time_t)(us / 1000000),
        .tv_nsec = (long)(us % 1000000) * 1000,
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

static uint64_t posix_random(const struct mr_env *env)
{
    (void)env;
    uint64_t value = 0;
    ssize_t count;
    do {
        count = getrandom(&value, sizeof(value), 0);
    } while (count < 0 && errno == EINTR);
    MR_ASSERT(count == (ssize_t)sizeof(value));
    return value;
}

const struct mr_env mr_env_posix = {
    .open_dir = posix_open_dir,
    .make_dir = posix_make_dir,
    .list_dir = posix_list_dir,
    .open = posix_open,
    .close = posix_close,
    .pread = posix_pread,
    .pwrite = posix_pwrite,
    .fdatasync = posix_fdatasync,
    .fsync = posix_fsync,
    .allocate = posix_allocate,
    .truncate = posix_truncate,
    .rename = posix_rename,
    .unlink = posix_unlink,
    .lock = posix_lock,
    .file_size = posix_file_size,
    .free_bytes = posix_free_bytes,
    .monotonic_ns = posix_monotonic_ns,
    .unix_us = posix_unix_us,
    .sleep_us = posix_sleep_us,
    .random = posix_random,
};

bool mr_env_write_fully(const struct mr_env *env, int fd, const void *bytes, size_t length,
                        int64_t offset, struct mr_error *err)
{
    MR_ASSERT(bytes != NULL || length == 0);
    MR_ASSERT(offset >= 0);
    const uint8_t *from = bytes;
    while (length > 0) {
        const ssize_t count = env->pwrite(env, fd, from, length, offset);
        if (count < 0) {
            return mr_fail_errno(err, "write %zu bytes at offset %lld", length, (long long)offset);
        }
        if (count == 0) {
            return mr_fail(err, MR_E_IO, MR_STOP, "write at offset %lld makes no progress",
                           (long long)offset);
        }
        MR_ASSERT((size_t)count <= length);
        from += count;
        offset += count;
        length -= (size_t)count;
    }
    return true;
}

// NOLINTNEXTLINE(readability-function-size): pread()'s four, the env, a count and an error
bool mr_env_read_fully(const struct mr_env *env, int fd, void *bytes, size_t length, int64_t offset,
                       size_t *count, struct mr_error *err)
{
    MR_ASSERT(bytes != NULL || length == 0);
    MR_ASSERT(offset >= 0);
    uint8_t *to = bytes;
    size_t total = 0;
    while (total < length) {
        const ssize_t got =
            env->pread(env, fd, to + total, length - total, offset + (int64_t)total);
        if (got < 0) {
            return mr_fail_errno(err, "read %zu bytes at offset %lld", length, (long long)offset);
        }
        if (got == 0) {
            break;
        }
        MR_ASSERT((size_t)got <= length - total);
        total += (size_t)got;
    }
    *count = total;
    return true;
}
