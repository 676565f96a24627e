// SPDX-License-Identifier: MIT
/*
 * rules_calls.c - calls that nobody may make, and the system's doors, which only base/env.c opens.
 */
#include <stdio.h>
#include <string.h>

#include "tidy.h"

/* Unbounded, or silent about errors: nowhere. NULL-terminated, as are the other lists. */
static const char *const unsafe_calls[] = {
    "gets",   "strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf",
    "strtok", "atoi",   "atol",   "atoll",   "atof",    "alloca",  NULL,
};

/* Not thread-safe, or a shell between us and what we call: not in the program. */
static const char *const banned_calls[] = {
    "localtime", "gmtime", "ctime",  "asctime", "strerror", "mktemp", "tmpnam",
    "rand",      "srand",  "random", "popen",   "system",   NULL,
};

static const char *const door_calls[] = {
    "open",          "openat",    "creat",      "fopen",        "fdopen",          "freopen",
    "read",          "write",     "pread",      "pwrite",       "readv",           "writev",
    "fsync",         "fdatasync", "syncfs",     "rename",       "renameat",        "unlink",
    "unlinkat",      "mkdir",     "mkdirat",    "opendir",      "fdopendir",       "ftruncate",
    "fallocate",     "flock",     "statvfs",    "fstatvfs",     "posix_fallocate", "mmap",
    "clock_gettime", "time",      "usleep",     "gettimeofday", "clock_nanosleep", "sleep",
    "nanosleep",     "getrandom", "arc4random", NULL,
};

static bool is_listed(const char *const *names, const char *name, size_t length)
{
    for (; *names != NULL; names++) {
        if (strlen(*names) == length && memcmp(*names, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* A member of that name (env->open, ops.open) is not the system's function. */
static bool is_member(const char *code, size_t at)
{
    while (at > 0 && code[at - 1] == ' ') {
        at--;
    }
    return at > 0 &&
           (code[at - 1] == '.' || (at > 1 && code[at - 1] == '>' && code[at - 2] == '-'));
}

void tidy_check_calls(struct tidy_tree *tree, const struct tidy_file *file)
{
    const bool is_source = tidy_starts_with(file->path, "src/");
    const bool is_door = strcmp(file->path, "src/base/env.c") == 0;
    for (size_t at = 0; at < file->length;) {
        if (!tidy_is_word(file->code[at])) {
            at++;
            continue;
        }
        size_t end = at;
        while (tidy_is_word(file->code[end])) {
            end++;
        }
        const char *name = file->code + at;
        const size_t length = end - at;
        const bool is_call = file->code[end] == '(' && !is_member(file->code, at);
        if (is_call && (is_listed(unsafe_calls, name, length) ||
                        (is_source && is_listed(banned_calls, name, length)))) {
            tidy_report(tree, file->path, tidy_line_at(file, at), "banned", "%.*s()", (int)length,
                        name);
        }
        if (is_call && is_source && !is_door && is_listed(door_calls, name, length)) {
            tidy_report(tree, file->path, tidy_line_at(file, at), "door",
                        "%.*s() outside base/env.c: go through mr_env", (int)length, name);
        }
        at = end;
    }
}
