// SPDX-License-Identifier: MIT
/*
 * data_dir.c - see data_dir.h.
 */
#include "data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define LOCK_NAME      "LOCK"
#define PATH_BYTES_MAX 4096
#define DIR_MODE       0700
#define LOCK_MODE      0600

static bool fail_config(struct mr_error *err, const char *what, const char *path)
{
    mr_fail_errno(err, "%s \"%s\"", what, path);
    err->code = MR_E_CONFIG;
    err->recovery = MR_STOP;
    return false;
}

/* Makes the names in a directory durable. */
static bool sync_dir(const struct mr_env *env, const char *path, struct mr_error *err)
{
    const int fd = env->open_dir(env, MR_ENV_CWD, path);
    if (fd < 0) {
        return fail_config(err, "open the folder above data_dir", path);
    }
    const bool synced = env->fsync(env, fd) == 0;
    const int sync_errno = errno;
    (void)env->close(env, fd);
    errno = sync_errno;
    return synced || fail_config(err, "sync the folder above data_dir", path);
}

/* The folder that holds the last part of prefix[0 .. length). */
static void parent_of(const char *prefix, size_t length, char *parent)
{
    size_t end = length;
    while (end > 0 && prefix[end - 1] != '/') {
        end--;
    }
    if (end == 0) {
        memcpy(parent, ".", 2);
        return;
    }
    const size_t kept = end == 1 ? 1 : end - 1;
    memcpy(parent, prefix, kept);
    parent[kept] = '\0';
}

static bool make_folder(const struct mr_env *env, const char *prefix, size_t length,
                        struct mr_error *err)
{
    if (env->make_dir(env, MR_ENV_CWD, prefix, DIR_MODE) != 0) {
        return errno == EEXIST || fail_config(err, "create data_dir", prefix);
    }
    char parent[PATH_BYTES_MAX];
    parent_of(prefix, length, parent);
    return sync_dir(env, parent, err);
}

static bool make_path(const struct mr_env *env, const char *path, struct mr_error *err)
{
    char prefix[PATH_BYTES_MAX];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof(prefix)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "data_dir \"%s\" is empty or too long", path);
    }
    for (size_t i = 1; i <= length; i++) {
        if ((i < length && path[i] != '/') || path[i - 1] == '/') {
            continue;
        }
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (!make_folder(env, prefix, i, err)) {
            return false;
        }
    }
    return true;
}

static bool lock(struct mr_data_dir *dir, const struct mr_env *env, const char *path,
                 struct mr_error *err)
{
    dir->lock_fd = env->open(env, dir->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);
    if (dir->lock_fd < 0) {
        return fail_config(err, "data_dir is not writable", path);
    }
    if (env->lock(env, dir->lock_fd) != 0) {
        return mr_fail(err, MR_E_LOCKED, MR_STOP,
                       "data_dir \"%s\" is in use by another millrace process; stop that one or "
                       "give this pipeline a data_dir of its own",
                       path);
    }
    return true;
}

bool mr_data_dir_open(struct mr_data_dir *dir, const struct mr_env *env, const char *path,
                      struct mr_error *err)
{
    *dir = (struct mr_data_dir){.fd = -1, .lock_fd = -1};
    if (!make_path(env, path, err)) {
        return false;
    }
    dir->fd = env->open_dir(env, MR_ENV_CWD, path);
    if (dir->fd < 0) {
        return fail_config(err, "open data_dir", path);
    }
    return lock(dir, env, path, err);
}

void mr_data_dir_close(struct mr_data_dir *dir, const struct mr_env *env)
{
    if (dir->lock_fd >= 0) {
        (void)env->close(env, dir->lock_fd);
    }
    if (dir->fd >= 0) {
        (void)env->close(env, dir->fd);
    }
    *dir = (struct mr_data_dir){.fd = -1, .lock_fd = -1};
}
