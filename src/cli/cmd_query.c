// SPDX-License-Identifier: MIT
/*
 * cmd_query.c - millrace query SQL: asks the warehouse of a running millrace.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_client.h"
#include "command.h"
#include "json.h"
#include "memory.h"
#include "pipeline.h"
#include "query_text.h"

#define SQL_BYTES_MAX ((size_t)256 << 10)

enum query_format { QUERY_TABLE, QUERY_CSV, QUERY_JSON };

struct query_flags {
    const char *url;
    unsigned format; /* enum query_format */
    uint64_t limit;
};

static const char *const formats[] = {"table", "csv", "json", NULL};

static const struct mr_option query_flags[] = {
    MR_API_URL_FLAG(struct query_flags),
    {
        .name = "format",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct query_flags, format),
        .fallback = "table",
        .choices = formats,
        .help = "how rows are printed",
    },
    {
        .name = "limit",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct query_flags, limit),
        .min = 1,
        .help = "rows at most; the server has its own bound (console.query_rows_max)",
    },
    {0},
};

/* "-" reads the statement from standard input. Returns a copy; NULL when it is too long. */
static char *read_sql(const char *argument)
{
    MR_ASSERT(argument != NULL);

    if (strcmp(argument, "-") != 0) {
        return mr_memory_copy_text(argument, strlen(argument));
    }
    char *sql = mr_memory_new(1, SQL_BYTES_MAX + 2);
    const size_t length = fread(sql, 1, SQL_BYTES_MAX + 1, stdin);
    if (length > SQL_BYTES_MAX) {
        free(sql);
        return NULL;
    }
    sql[length] = '\0';
    return sql;
}

static bool print_answer(const struct mr_api_answer *answer, unsigned format, struct mr_error *err)
{
    MR_ASSERT(answer->body != NULL);

    bool printed = false;

    if (answer->status != 200) {
        return mr_api_answer_fail(answer, err);
    }
    if (format == QUERY_JSON) {
        (void)printf("%s\n", answer->body);
        return true;
    }
    json_t *root = json_loadb(answer->body, answer->length, 0, NULL);
    printed = root != NULL && (format == QUERY_CSV ? mr_query_text_csv(stdout, root)
                                                   : mr_query_text_table(stdout, root));
    json_decref(root);
    return printed ||
           mr_fail(err, MR_E_PROTOCOL, MR_STOP, "the server's answer is not a query's result");
}

static bool ask(const struct query_flags *flags, const char *sql, struct mr_error *err)
{
    MR_ASSERT(sql != NULL);

    struct mr_json body = {0};
    struct mr_api_answer answer = {0};
    bool answered = false;
    struct mr_api_client *client = mr_api_client_open(flags->url, err);

    if (client == NULL) {
        return false;
    }
    mr_json_object_begin(&body);
    mr_json_key(&body, "sql");
    mr_json_string(&body, sql);
    if (flags->limit != 0) {
        mr_json_key(&body, "limit");
        mr_json_uint(&body, flags->limit);
    }
    mr_json_object_end(&body);
    if (mr_api_client_request(client, "/api/v1/query", body.text, &answer, err)) {
        answered = print_answer(&answer, flags->format, err);
    }
    mr_api_answer_done(&answer);
    mr_json_done(&body);
    mr_api_client_close(client);
    return answered;
}

static int query_run(const void *config, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count == 1);

    struct mr_error err = {0};
    char *sql = read_sql(arguments->items[0]);

    if (sql == NULL) {
        (void)fprintf(stderr, "millrace: the statement is longer than 256 KiB\n");
        return MR_EXIT_CONFIG;
    }
    const bool answered = ask(config, sql, &err);
    free(sql);
    if (!answered) {
        mr_cli_complain(&err);
        return err.code == MR_E_CONFIG ? MR_EXIT_CONFIG : MR_EXIT_INTERNAL;
    }
    return MR_EXIT_DONE;
}

const struct mr_command mr_command_query = {
    .name = "query",
    .usage = "[--url URL] [--format table|csv|json] [--limit N] SQL",
    .summary = "runs one reading SQL statement on the warehouse of a running millrace",
    .details = "\"-\" in place of SQL reads the statement from standard input.",
    .options = query_flags,
    .config_size = sizeof(struct query_flags),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = query_run,
};
