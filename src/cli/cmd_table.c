// SPDX-License-Identifier: MIT
/*
 * cmd_table.c - millrace table VERB SOURCE.SCHEMA.TABLE: acts on one table of a running millrace.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_client.h"
#include "command.h"
#include "env.h"
#include "pipeline.h"
#include "pipeline_tables.h"

#define PATH_BYTES_MAX 2048
#define WAIT_US        100000

struct table_flags {
    const char *url;
    const char *where;
    const char *from;
    bool purge;
    bool wait;
};

static const struct mr_option table_flags[] = {
    MR_API_URL_FLAG(struct table_flags),
    {
        .name = "where",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct table_flags, where),
        .help = "snapshot: copies only rows that match this SQL condition",
    },
    {
        .name = "from",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct table_flags, from),
        .help = "rewind: a sequence of the stream, or a time like 2026-03-01T12:00:00Z",
    },
    {
        .name = "purge",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct table_flags, purge),
        .fallback = "false",
        .help = "drop: the warehouse's table goes, too",
    },
    {
        .name = "wait",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct table_flags, wait),
        .fallback = "false",
        .help = "add, snapshot, resume, rewind: returns when the table goes with the stream",
    },
    {0},
};

static char *make_body(const char *verb, const struct table_flags *flags)
{
    json_t *body = json_object();
    if (flags->where != NULL) {
        (void)json_object_set_new(body, "where", json_string(flags->where));
    }
    if (flags->from != NULL) {
        (void)json_object_set_new(body, "from", json_string(flags->from));
    }
    if (flags->purge) {
        (void)json_object_set_new(body, "purge", json_true());
    }
    char *text = json_dumps(body, JSON_COMPACT);
    (void)verb;
    MR_ASSERT(text != NULL);
    json_decref(body);
    return text;
}

/* The entry of "source.space.table" among the tables that are apart; NULL: there is none. */
static const json_t *find_apart(const json_t *status, const char *topic)
{
    size_t s;
    size_t t;
    json_t *source;
    json_t *entry;
    json_array_foreach(json_object_get(status, "sources"), s, source)
    {
        const char *name = json_string_value(json_object_get(source, "name"));
        const size_t length = name == NULL ? 0 : strlen(name);
        if (length == 0 || strncmp(topic, name, length) != 0 || topic[length] != '.') {
            continue;
        }
        json_array_foreach(json_object_get(source, "tables_apart"), t, entry)
        {
            const char *table = json_string_value(json_object_get(entry, "name"));
            if (table != NULL && strcmp(table, topic + length + 1) == 0) {
                return entry;
            }
        }
    }
    return NULL;
}

/* Asks until the table goes with the stream, or its copy is given up. */
static bool wait_for(struct mr_api_client *client, const char *topic, struct mr_error *err)
{
    for (;;) {
        struct mr_api_answer answer = {0};
        if (!mr_api_client_request(client, "/api/v1/status", NULL, &answer, err)) {
            return false;
        }
        json_t *status = json_loadb(answer.body, answer.length, 0, NULL);
        mr_api_answer_done(&answer);
        const json_t *entry = find_apart(status, topic);
        const char *problem = json_string_value(json_object_get(entry, "error"));
        const bool is_over = entry == NULL || problem != NULL;
        if (problem != NULL) {
            mr_fail(err, MR_E_SOURCE, MR_STOP, "%s", problem);
        }
        json_decref(status);
        if (is_over) {
            return err->code == MR_OK;
        }
        mr_env_posix.sleep_us(&mr_env_posix, WAIT_US);
    }
}

static bool act(struct mr_api_client *client, const struct mr_arguments *arguments,
                const struct table_flags *flags, struct mr_error *err)
{
    struct mr_api_answer answer = {0};
    char path[PATH_BYTES_MAX];
    char *topic = mr_api_escape(arguments->items[1]);
    char *body = make_body(arguments->items[0], flags);
    (void)snprintf(path, sizeof(path), "/api/v1/tables/%s/%s", topic, arguments->items[0]);
    bool done = mr_api_client_request(client, path, body, &answer, err);
    if (done && answer.status != 200) {
        done = mr_api_answer_fail(&answer, err);
        err->code = MR_E_CONFIG;
    }
    if (done) {
        (void)printf("%s\n", answer.body);
    }
    free(topic);
    free(body);
    mr_api_answer_done(&answer);
    return done && (!flags->wait || wait_for(client, arguments->items[1], err));
}

static bool is_verb(const char *text)
{
    for (size_t i = 0; i < MR_ACTION_COUNT; i++) {
        if (strcmp(mr_table_action_names[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static int table_run(const void *config, const struct mr_arguments *arguments)
{
    const struct table_flags *flags = config;
    struct mr_error err = {0};
    struct mr_api_client *client = NULL;
    bool done = false;

    MR_ASSERT(arguments->count == 2);
    if (!is_verb(arguments->items[0])) {
        mr_fail(&err, MR_E_CONFIG, MR_STOP,
                "\"%s\" is no verb; add, snapshot, pause, resume, drop and rewind are",
                arguments->items[0]);
    } else {
        client = mr_api_client_open(flags->url, &err);
        done = client != NULL && act(client, arguments, flags, &err);
    }
    mr_api_client_close(client);
    if (!done) {
        mr_cli_complain(&err);
        return err.code == MR_E_CONFIG   ? MR_EXIT_CONFIG
               : err.code == MR_E_SOURCE ? MR_EXIT_SOURCE
                                         : MR_EXIT_INTERNAL;
    }
    return MR_EXIT_DONE;
}

const struct mr_command mr_command_table = {
    .name = "table",
    .usage = "add|snapshot|pause|resume|drop|rewind SOURCE.SCHEMA.TABLE [FLAGS]",
    .summary = "acts on one table of a running millrace while the others go on",
    .details =
        "add: captures a table that no pattern takes. snapshot: copies it anew, beside the one "
        "that people read. pause, resume: its changes wait in the stream, and come. drop: "
        "captures it no more. rewind: applies its changes once more. See docs/TABLES.md.",
    .options = table_flags,
    .config_size = sizeof(struct table_flags),
    .arguments_min = 2,
    .arguments_max = 2,
    .run = table_run,
};
