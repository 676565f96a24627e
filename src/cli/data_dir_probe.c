// SPDX-License-Identifier: MIT
/*
 * data_dir_probe.c - see data_dir_probe.h.
 */
#include "data_dir_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Cuts the last part off a path: "a/b" to "a", "a" to ".", "/a" to "/". False at the top. */
static bool go_up(char *path)
{
    MR_ASSERT(path[0] != '\0');

    char *slash = strrchr(path, '/');

    if (strcmp(path, ".") == 0 || strcmp(path, "/") == 0) {
        return false;
    }
    if (slash == NULL) {
        (void)snprintf(path, 2, ".");
    } else if (slash == path) {
        path[1] = '\0';
    } else {
        *slash = '\0';
    }
    return true;
}

static bool write_probe(int dir_fd, const char *dir, const struct mr_env *env, struct mr_error *err)
{
    MR_ASSERT(dir_fd >= 0);

    char name[64];
    bool written = false;

    (void)snprintf(name, sizeof(name), ".millrace-check-%016llx",
                   (unsigned long long)env->random(env));
    const int fd = env->open(env, dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        mr_fail_errno(err, "data_dir: cannot write in \"%s\"", dir);
        goto out;
    }
    written = mr_env_write_fully(env, fd, "probe", 5, 0, err) ||
              mr_error_context(err, "data_dir: cannot write in \"%s\"", dir);
    (void)env->close(env, fd);
    (void)env->unlink(env, dir_fd, name);

out:
    if (!written) {
        const size_t length = strlen(err->message);
        (void)snprintf(err->message + length, sizeof(err->message) - length,
                       "; give this user the directory, or set another data_dir");
        err->code = MR_E_CONFIG;
        err->recovery = MR_STOP;
    }
    return written;
}

bool mr_data_dir_probe(const char *path, const struct mr_env *env, int64_t *free_bytes,
                       struct mr_error *err)
{
    char dir[PATH_MAX];
    int dir_fd = -1;

    MR_ASSERT(path[0] != '\0');
    (void)snprintf(dir, sizeof(dir), "%s", path);
    for (size_t length = strlen(dir); length > 1 && dir[length - 1] == '/';) {
        dir[--length] = '\0';
    }
    for (;;) {
        dir_fd = env->open_dir(env, MR_ENV_CWD, dir);
        if (dir_fd >= 0 || errno != ENOENT || !go_up(dir)) {
            break;
        }
    }
    if (dir_fd < 0) {
        mr_fail_errno(err, "data_dir: cannot open \"%s\"", dir);
        err->code = MR_E_CONFIG;
        return false;
    }
    const bool written = write_probe(dir_fd, dir, env, err);
    *free_bytes = env->free_bytes(env, dir_fd);
    (void)env->close(env, dir_fd);
    return written;
}
