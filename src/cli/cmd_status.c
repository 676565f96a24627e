// SPDX-License-Identifier: MIT
/*
 * cmd_status.c - millrace status: what every stage of a running millrace is doing.
 */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "api_client.h"
#include "command.h"
#include "env.h"
#include "pipeline.h"
#include "status_text.h"

#define WATCH_US     1000000
#define CLEAR_SCREEN "\033[H\033[2J"

struct status_flags {
    const char *url;
    bool json;
    bool watch;
};

static const struct mr_option status_flags[] = {
    MR_API_URL_FLAG(struct status_flags),
    {
        .name = "json",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct status_flags, json),
        .fallback = "false",
        .help = "prints the server's JSON as it is",
    },
    {
        .name = "watch",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct status_flags, watch),
        .fallback = "false",
        .help = "prints it again every second until it is interrupted",
    },
    {0},
};

static bool print_status(const struct mr_api_answer *answer, bool as_json, struct mr_error *err)
{
    MR_ASSERT(answer->body != NULL);

    if (answer->status != 200) {
        return mr_api_answer_fail(answer, err);
    }
    if (as_json) {
        return printf("%s\n", answer->body) >= 0;
    }
    json_t *status = json_loadb(answer->body, answer->length, 0, NULL);
    if (status == NULL) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "the server's answer is not JSON");
    }
    mr_status_text_page(stdout, status);
    json_decref(status);
    return true;
}

static bool show(struct mr_api_client *client, const struct status_flags *flags,
                 struct mr_error *err)
{
    struct mr_api_answer answer = {0};

    if (!mr_api_client_request(client, "/api/v1/status", NULL, &answer, err)) {
        return false;
    }
    if (flags->watch && !flags->json && isatty(STDOUT_FILENO)) {
        (void)fputs(CLEAR_SCREEN, stdout);
    }
    const bool shown = print_status(&answer, flags->json, err);
    mr_api_answer_done(&answer);
    return shown && fflush(stdout) == 0;
}

static int status_run(const void *config, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count == 0);

    const struct status_flags *flags = config;
    struct mr_error err = {0};
    bool shown = false;
    struct mr_api_client *client = mr_api_client_open(flags->url, &err);

    (void)arguments;
    if (client != NULL) {
        shown = show(client, flags, &err);
        while (shown && flags->watch) {
            mr_env_posix.sleep_us(&mr_env_posix, WATCH_US);
            shown = show(client, flags, &err);
        }
    }
    mr_api_client_close(client);
    if (!shown && err.code != MR_OK) {
        mr_cli_complain(&err);
        return err.code == MR_E_CONFIG ? MR_EXIT_CONFIG : MR_EXIT_INTERNAL;
    }
    return MR_EXIT_DONE;
}

const struct mr_command mr_command_status = {
    .name = "status",
    .usage = "[--url URL] [--json] [--watch]",
    .summary = "shows what every stage of a running millrace is doing",
    .options = status_flags,
    .config_size = sizeof(struct status_flags),
    .run = status_run,
};
