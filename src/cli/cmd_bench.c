// SPDX-License-Identifier: MIT
/*
 * cmd_bench.c - millrace bench [NAME]: lists or runs the measurements of a checkout's bench/.
 *
 * The measurements need servers and take minutes, so they are scripts that can be read; this is the
 * short way to find them. docs/BENCHMARKS.md has their results.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "env.h"
#include "pipeline.h"

#define HEAD_BYTES_MAX 2048 /* of a script, for its first comment */

struct bench_flags {
    const char *dir;
};

static const struct mr_option bench_flags[] = {
    {
        .name = "dir",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct bench_flags, dir),
        .fallback = "bench",
        .help = "directory of the scripts",
    },
    {0},
};

struct listing {
    int dir_fd;
    size_t count;
};

/* The first comment line that is not #! or a licence; "" when there is none. */
static void read_summary(int dir_fd, const char *name, char *summary, size_t size)
{
    MR_ASSERT(dir_fd >= 0 && size > 0);

    char head[HEAD_BYTES_MAX + 1];
    struct mr_error err = {0};
    size_t length = 0;
    const int fd = mr_env_posix.open(&mr_env_posix, dir_fd, name, O_RDONLY | O_CLOEXEC, 0);

    summary[0] = '\0';
    if (fd < 0) {
        return;
    }
    if (mr_env_read_fully(&mr_env_posix, fd, head, HEAD_BYTES_MAX, 0, &length, &err)) {
        head[length] = '\0';
        for (const char *line = head; line != NULL && *line == '#';
             line = strchr(line, '\n'), line += line != NULL) {
            if (strncmp(line, "# ", 2) == 0 && strncmp(line, "# SPDX", 6) != 0) {
                (void)snprintf(summary, size, "%.*s", (int)strcspn(line + 2, "\n"), line + 2);
                break;
            }
        }
    }
    (void)mr_env_posix.close(&mr_env_posix, fd);
}

static bool list_script(void *context, const char *name)
{
    MR_ASSERT(context != NULL && name[0] != '\0');

    struct listing *listing = context;
    const char *end = strrchr(name, '.');
    char summary[200];

    if (end != NULL && strcmp(end, ".sh") == 0) {
        read_summary(listing->dir_fd, name, summary, sizeof(summary));
        (void)printf("  %-20.*s %s\n", (int)(end - name), name, summary);
        listing->count++;
    }
    return true;
}

static int list_scripts(const char *dir)
{
    MR_ASSERT(dir != NULL);

    struct listing listing = {
        .dir_fd = mr_env_posix.open_dir(&mr_env_posix, MR_ENV_CWD, dir),
    };

    if (listing.dir_fd < 0) {
        (void)fprintf(stderr,
                      "millrace: there is no directory \"%s\"; run this in a checkout, or say "
                      "--dir\n",
                      dir);
        return MR_EXIT_CONFIG;
    }
    (void)printf("millrace bench NAME runs one of:\n");
    (void)mr_env_posix.list_dir(&mr_env_posix, listing.dir_fd, list_script, &listing);
    (void)mr_env_posix.close(&mr_env_posix, listing.dir_fd);
    if (listing.count == 0) {
        (void)printf("  (\"%s\" holds no script)\n", dir);
    }
    return MR_EXIT_DONE;
}

static int bench_run(const void *config, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count <= MR_COMMAND_ARGUMENTS_MAX);

    const struct bench_flags *flags = config;
    char path[PATH_MAX];
    char *argv[MR_COMMAND_ARGUMENTS_MAX + 1] = {path};

    if (arguments->count == 0) {
        return list_scripts(flags->dir);
    }
    if (strchr(arguments->items[0], '/') != NULL ||
        snprintf(path, sizeof(path), "%s/%s.sh", flags->dir, arguments->items[0]) >=
            (int)sizeof(path)) {
        (void)fprintf(stderr, "millrace: \"%s\" is no name of a script\n", arguments->items[0]);
        return MR_EXIT_CONFIG;
    }
    for (size_t i = 1; i < arguments->count; i++) {
        memcpy(&argv[i], &arguments->items[i], sizeof(argv[i])); /* execv() changes nothing */
    }
    (void)execv(path, argv);
    (void)fprintf(stderr, "millrace: cannot run \"%s\"; `millrace bench` lists what there is\n",
                  path);
    return MR_EXIT_CONFIG;
}

const struct mr_command mr_command_bench = {
    .name = "bench",
    .usage = "[--dir DIR] [NAME [-- FLAGS]]",
    .summary = "lists or runs the reproducible measurements",
    .options = bench_flags,
    .config_size = sizeof(struct bench_flags),
    .arguments_max = MR_COMMAND_ARGUMENTS_MAX,
    .run = bench_run,
};
