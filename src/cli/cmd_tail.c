// SPDX-License-Identifier: MIT
/*
 * cmd_tail.c - millrace tail [TOPIC]: prints changes, one JSON object a line.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_client.h"
#include "command.h"
#include "pipeline.h"

#define PATH_BYTES_MAX 2048
#define PAGE_ROWS_MAX  1000 /* the server's bound */

struct tail_flags {
    const char *url;
    const char *from;
    uint64_t limit;
    bool follow;
};

static const struct mr_option tail_flags[] = {
    MR_API_URL_FLAG(struct tail_flags),
    {
        .name = "from",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct tail_flags, from),
        .help = "earliest, latest, or a record's place (1234 or 1234-5); latest, or earliest with "
                "--follow=false",
    },
    {
        .name = "limit",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct tail_flags, limit),
        .help = "records after which it ends",
    },
    {
        .name = "follow",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct tail_flags, follow),
        .fallback = "true",
        .help = "false prints what is there and ends",
    },
    {0},
};

struct progress {
    uint64_t limit; /* 0: none */
    uint64_t count;
};

static bool is_enough(const struct progress *progress)
{
    return progress->limit != 0 && progress->count >= progress->limit;
}

/* A line of server-sent events: the data lines are the records. */
static bool take_line(void *context, const char *line)
{
    MR_ASSERT(context != NULL && line != NULL);

    static const char prefix[] = "data: ";
    struct progress *progress = context;

    if (strncmp(line, prefix, sizeof(prefix) - 1) == 0) {
        const bool printed = printf("%s\n", line + sizeof(prefix) - 1) >= 0 && fflush(stdout) == 0;
        progress->count++;
        return printed && !is_enough(progress);
    }
    return true;
}

static bool follow(struct mr_api_client *client, const struct tail_flags *flags, const char *topic,
                   struct mr_error *err)
{
    MR_ASSERT(topic[0] != '\0');

    char path[PATH_BYTES_MAX];
    struct progress progress = {.limit = flags->limit};
    char *from = mr_api_escape(flags->from != NULL ? flags->from : "latest");

    (void)snprintf(path, sizeof(path), "/api/v1/topics/%s/tail?from=%s", topic, from);
    free(from);
    return mr_api_client_follow(client, path, take_line, &progress, err);
}

/* Prints a page; *next is replaced by the place of the following one. False: there is no more. */
static bool print_page(json_t *page, struct progress *progress, char *next, size_t size)
{
    MR_ASSERT(next[0] != '\0');

    const json_t *records = json_object_get(page, "records");
    const char *place = json_string_value(json_object_get(page, "next"));

    for (size_t i = 0; i < json_array_size(records) && !is_enough(progress); i++) {
        char *text = json_dumps(json_array_get(records, i), JSON_COMPACT);
        (void)printf("%s\n", text);
        free(text);
        progress->count++;
    }
    const bool goes_on = place != NULL && strcmp(place, next) != 0 && !is_enough(progress);
    if (goes_on) {
        (void)snprintf(next, size, "%s", place);
    }
    return goes_on;
}

static bool print_pages(struct mr_api_client *client, const struct tail_flags *flags,
                        const char *topic, struct mr_error *err)
{
    MR_ASSERT(topic[0] != '\0');

    struct progress progress = {.limit = flags->limit};
    char next[64];

    (void)snprintf(next, sizeof(next), "%s", flags->from != NULL ? flags->from : "earliest");
    for (bool goes_on = true; goes_on;) {
        char path[PATH_BYTES_MAX];
        struct mr_api_answer answer = {0};
        char *from = mr_api_escape(next);
        (void)snprintf(path, sizeof(path), "/api/v1/topics/%s/records?from=%s&limit=%d", topic,
                       from, PAGE_ROWS_MAX);
        free(from);
        if (!mr_api_client_request(client, path, NULL, &answer, err)) {
            return false;
        }
        json_t *page =
            answer.status == 200 ? json_loadb(answer.body, answer.length, 0, NULL) : NULL;
        goes_on = print_page(page, &progress, next, sizeof(next));
        const bool failed = page == NULL && !mr_api_answer_fail(&answer, err);
        json_decref(page);
        mr_api_answer_done(&answer);
        if (failed) {
            return false;
        }
    }
    return true;
}

static int tail_run(const void *config, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count <= 1);

    const struct tail_flags *flags = config;
    struct mr_error err = {0};
    bool done = false;
    char *topic = NULL;
    struct mr_api_client *client = mr_api_client_open(flags->url, &err);

    if (client == NULL) {
        goto out;
    }
    if (arguments->count == 0 && !flags->follow) {
        mr_fail(&err, MR_E_CONFIG, MR_STOP,
                "--follow=false needs a topic; GET /api/v1/topics lists "
                "them");
        goto out;
    }
    topic = mr_api_escape(arguments->count > 0 ? arguments->items[0] : "*");
    if (strlen(topic) > PATH_BYTES_MAX / 2) {
        mr_fail(&err, MR_E_CONFIG, MR_STOP, "the topic's name is too long");
        goto out;
    }
    done = flags->follow ? follow(client, flags, topic, &err)
                         : print_pages(client, flags, topic, &err);

out:
    free(topic);
    mr_api_client_close(client);
    if (!done) {
        mr_cli_complain(&err);
        return err.code == MR_E_CONFIG ? MR_EXIT_CONFIG : MR_EXIT_INTERNAL;
    }
    return MR_EXIT_DONE;
}

const struct mr_command mr_command_tail = {
    .name = "tail",
    .usage = "[--url URL] [--from PLACE] [--limit N] [--follow=false] [TOPIC]",
    .summary = "follows the changes of one table, or of all, as JSON lines",
    .details = "A topic is source.schema.table, such as ops.parking.payment.",
    .options = tail_flags,
    .config_size = sizeof(struct tail_flags),
    .arguments_max = 1,
    .run = tail_run,
};
