// SPDX-License-Identifier: MIT
/*
 * api_query.c - POST /api/v1/query: {"sql": "...", "params": [...], "limit": n}.
 *
 * What a statement may do is the warehouse's business (sink/duckdb); here the request is taken
 * apart, and few queries run at once, so that the threads that are left answer everything else.
 */
#include "console_internal.h"

#include <jansson.h>
#include <string.h>

#define SQL_BYTES_MAX ((size_t)256 << 10)
#define RETRY_AFTER_S 1

struct body {
    json_t *root;
    const char *sql;
    struct mr_console_parameter parameters[MR_CONSOLE_PARAMETERS_MAX];
    size_t parameter_count;
    uint64_t rows_max;
};

static bool read_parameter(const json_t *value, struct mr_console_parameter *parameter)
{
    MR_ASSERT(value != NULL);

    switch (json_typeof(value)) {
    case JSON_NULL:
        parameter->kind = MR_CONSOLE_NULL;
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        parameter->kind = MR_CONSOLE_BOOL;
        parameter->boolean = json_is_true(value);
        return true;
    case JSON_INTEGER:
        parameter->kind = MR_CONSOLE_INT;
        parameter->integer = json_integer_value(value);
        return true;
    case JSON_REAL:
        parameter->kind = MR_CONSOLE_REAL;
        parameter->real = json_real_value(value);
        return true;
    case JSON_STRING:
        parameter->kind = MR_CONSOLE_TEXT;
        parameter->text = json_string_value(value);
        return true;
    case JSON_OBJECT:
    case JSON_ARRAY:
        return false;
    }
    return false;
}

static bool read_parameters(const json_t *array, struct body *body,
                            struct mr_http_response *response)
{
    if (!json_is_array(array) || json_array_size(array) > MR_CONSOLE_PARAMETERS_MAX) {
        mr_http_problem(response, 400, "\"params\" must be a list of at most %d values",
                        MR_CONSOLE_PARAMETERS_MAX);
        return false;
    }
    body->parameter_count = json_array_size(array);
    for (size_t i = 0; i < body->parameter_count; i++) {
        if (!read_parameter(json_array_get(array, i), &body->parameters[i])) {
            mr_http_problem(response, 400,
                            "\"params\"[%zu] must be null, a boolean, a number or a text", i);
            return false;
        }
    }
    return true;
}

static bool read_limit(const json_t *value, uint64_t rows_max, struct body *body,
                       struct mr_http_response *response)
{
    MR_ASSERT(rows_max > 0);

    const json_int_t limit = json_integer_value(value); /* 0 for what is no integer */

    if (limit < 1 || (uint64_t)limit > rows_max) {
        mr_http_problem(response, 400, "\"limit\" must be a number from 1 to %llu",
                        (unsigned long long)rows_max);
        return false;
    }
    body->rows_max = (uint64_t)limit;
    return true;
}

static bool read_members(struct body *body, uint64_t rows_max, struct mr_http_response *response)
{
    MR_ASSERT(body->root != NULL);

    const char *key;
    json_t *value;

    json_object_foreach(body->root, key, value)
    {
        if (strcmp(key, "sql") == 0) {
            body->sql = json_string_value(value);
        } else if (strcmp(key, "params") == 0) {
            if (!read_parameters(value, body, response)) {
                return false;
            }
        } else if (strcmp(key, "limit") == 0) {
            if (!read_limit(value, rows_max, body, response)) {
                return false;
            }
        } else {
            mr_http_problem(response, 400,
                            "unknown member; known are \"sql\", \"params\", "
                            "\"limit\"");
            return false;
        }
    }
    if (body->sql == NULL || body->sql[0] == '\0' || strlen(body->sql) > SQL_BYTES_MAX) {
        mr_http_problem(response, 400, "\"sql\" must be a text of 1 to %zu bytes", SQL_BYTES_MAX);
        return false;
    }
    return true;
}

static void run_query(struct mr_console *console, const struct body *body,
                      struct mr_http_response *response)
{
    MR_ASSERT(body->sql != NULL);

    struct mr_console_problem problem = {0};
    struct mr_json json = {0};
    const struct mr_console_query query = {
        .sql = body->sql,
        .parameters = body->parameters,
        .parameter_count = body->parameter_count,
        .rows_max = body->rows_max,
        .time_ms_max = console->settings.query_time_ms_max,
    };

    if (!mr_place_take(&console->query_count, MR_CONSOLE_QUERIES_MAX)) {
        mr_http_problem(response, 503, "%d queries are running already; try again",
                        MR_CONSOLE_QUERIES_MAX);
        response->retry_after_s = RETRY_AFTER_S;
        return;
    }
    const bool answered = console->backend.query(console->backend.context, &query, &json, &problem);
    mr_place_leave(&console->query_count);
    if (answered) {
        mr_http_json(response, 200, &json);
    } else {
        mr_json_done(&json);
        mr_api_problem(response, &problem);
    }
}

void mr_api_query(struct mr_console *console, const struct mr_http_request *request,
                  struct mr_http_response *response)
{
    struct body body = {.rows_max = console->settings.query_rows_max};
    json_error_t fault;

    MR_ASSERT(body.rows_max > 0);
    if (request->body == NULL) {
        mr_http_problem(response, 400, "the body must be JSON: {\"sql\": \"SELECT ...\"}");
        return;
    }
    body.root = json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, &fault);
    if (body.root == NULL) {
        mr_http_problem(response, 400, "the body is not JSON: %s (byte %d)", fault.text,
                        fault.position);
        return;
    }
    if (!json_is_object(body.root)) {
        mr_http_problem(response, 400, "the body must be a JSON object: {\"sql\": \"...\"}");
    } else if (read_members(&body, console->settings.query_rows_max, response)) {
        run_query(console, &body, response);
    }
    json_decref(body.root);
}
