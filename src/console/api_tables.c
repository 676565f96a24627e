// SPDX-License-Identifier: MIT
/*
 * api_tables.c - GET /api/v1/sources/{name}/findings: what the doctor says of a source.
 * POST /api/v1/tables/{topic}/VERB: acts on one table. The body is JSON, or missing:
 * {"where": "..."} for snapshot, {"from": "..."} for rewind, {"purge": true} for drop.
 */
#include "console_internal.h"

#include <jansson.h>
#include <string.h>

static bool read_member(const char *key, const json_t *value, struct mr_console_table *wanted)
{
    if (strcmp(key, "where") == 0 && strcmp(wanted->verb, "snapshot") == 0) {
        wanted->where = json_string_value(value);
        return wanted->where != NULL;
    }
    if (strcmp(key, "from") == 0 && strcmp(wanted->verb, "rewind") == 0) {
        wanted->from = json_string_value(value);
        return wanted->from != NULL;
    }
    if (strcmp(key, "purge") == 0 && strcmp(wanted->verb, "drop") == 0) {
        wanted->purge = json_is_true(value);
        return json_is_boolean(value);
    }
    return false;
}

static bool read_body(const json_t *root, struct mr_console_table *wanted,
                      struct mr_http_response *response)
{
    const char *key;
    json_t *value;

    if (!json_is_object(root)) {
        mr_http_problem(response, 400, "the body must be a JSON object");
        return false;
    }
    /* The macro of jansson takes a json_t *, though it changes nothing. */
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the way past -Wcast-qual */
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        if (!read_member(key, value, wanted)) {
            mr_http_problem(response, 400,
                            "known are \"where\" (a text, for snapshot), \"from\" (a text, for "
                            "rewind) and \"purge\" (a boolean, for drop)");
            return false;
        }
    }
    return true;
}

void mr_api_table(struct mr_console *console, const struct mr_http_request *request,
                  struct mr_http_response *response)
{
    struct mr_console_problem problem = {0};
    struct mr_json json = {0};
    json_t *root = NULL;
    json_error_t fault;

    MR_ASSERT(request->route != NULL && strrchr(request->route, '/') != NULL);
    struct mr_console_table wanted = {
        .topic = request->topic,
        .verb = strrchr(request->route, '/') + 1,
    };
    if (request->body_length > 0) {
        root = json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, &fault);
        if (root == NULL) {
            mr_http_problem(response, 400, "the body is not JSON: %s (byte %d)", fault.text,
                            fault.position);
            return;
        }
        if (!read_body(root, &wanted, response)) {
            json_decref(root);
            return;
        }
    }
    if (console->backend.table(console->backend.context, &wanted, &json, &problem)) {
        mr_http_json(response, 200, &json);
    } else {
        mr_json_done(&json);
        mr_api_problem(response, &problem);
    }
    json_decref(root);
}

void mr_api_findings(struct mr_console *console, const struct mr_http_request *request,
                     struct mr_http_response *response)
{
    struct mr_console_problem problem = {0};
    struct mr_json json = {0};

    if (!mr_place_take(&console->query_count, MR_CONSOLE_QUERIES_MAX)) {
        mr_http_problem(response, 503, "%d queries are running already; try again",
                        MR_CONSOLE_QUERIES_MAX);
        return;
    }
    const bool looked =
        console->backend.findings(console->backend.context, request->topic, &json, &problem);
    mr_place_leave(&console->query_count);
    if (looked) {
        mr_http_json(response, 200, &json);
    } else {
        mr_json_done(&json);
        mr_api_problem(response, &problem);
    }
}
