// SPDX-License-Identifier: MIT
/*
 * cmd_feed.c - millrace feed mysql|postgres: the parking example's load generators (src/feed).
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "feed.h"
#include "help.h"
#include "pipeline.h"

static int feed_run(int argc, char **argv)
{
    const bool asks_help = argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;

    MR_ASSERT(argc >= 1);
    if (asks_help) {
        mr_help_command(argc < 2 ? stderr : stdout, &mr_command_feed);
        return argc < 2 ? MR_EXIT_CONFIG : MR_EXIT_DONE;
    }
    return mr_feed_main(argc - 1, argv + 1);
}

const struct mr_command mr_command_feed = {
    .name = "feed",
    .usage = "mysql|postgres [FLAGS]",
    .summary = "loads the parking example: live business, or days of history",
    .details = "`millrace feed mysql --help` and `millrace feed postgres --help` list their flags.",
    .run_raw = feed_run,
};
