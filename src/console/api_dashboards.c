// SPDX-License-Identifier: MIT
/*
 * api_dashboards.c - dashboards: their list; one with its data, once or each time that changes.
 *
 * Filters come as one parameter, a JSON object of texts: ?filters={"location":"3"}, %-encoded.
 */
#include "console_internal.h"

#include <jansson.h>
#include <string.h>

#define RETRY_AFTER_S 1
#define WAIT_MS       1000

void mr_api_dashboards(struct mr_console *console, const struct mr_http_request *request,
                       struct mr_http_response *response)
{
    struct mr_json json = {0};

    (void)request;
    console->backend.dashboards(console->backend.context, &json);
    mr_http_json(response, 200, &json);
}

static bool take_filters(json_t *object, struct mr_console_dashboard *wanted)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object) || json_object_size(object) > MR_CONSOLE_FILTERS_MAX) {
        return false;
    }
    json_object_foreach(object, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value)) {
            return false;
        }
        wanted->filters[wanted->filter_count].name = name;
        wanted->filters[wanted->filter_count].value = json_string_value(value);
        wanted->filter_count++;
    }
    return true;
}

/* Opens what the request names; the backend copies the filters, which end with this call. */
static struct mr_console_live *open_live(struct mr_console *console,
                                         const struct mr_http_request *request,
                                         struct mr_http_response *response)
{
    MR_ASSERT(request->topic[0] != '\0');

    struct mr_console_dashboard wanted = {.name = request->topic};
    struct mr_console_problem problem = {0};
    struct mr_console_live *live = NULL;
    const char *text = mr_http_parameter(request, "filters");
    json_t *filters = json_loads(text[0] != '\0' ? text : "{}", JSON_REJECT_DUPLICATES, NULL);

    if (!take_filters(filters, &wanted)) {
        mr_http_problem(
            response, 400,
            "\"filters\" must be a JSON object of at most %d texts: {\"name\": \"value\"}",
            MR_CONSOLE_FILTERS_MAX);
    } else {
        live = console->backend.live_open(console->backend.context, &wanted, &problem);
        if (live == NULL) {
            mr_api_problem(response, &problem);
        }
    }
    json_decref(filters);
    return live;
}

void mr_api_dashboard(struct mr_console *console, const struct mr_http_request *request,
                      struct mr_http_response *response)
{
    struct mr_json json = {0};

    if (!mr_place_take(&console->query_count, MR_CONSOLE_QUERIES_MAX)) {
        mr_http_problem(response, 503, "%d queries are running already; try again",
                        MR_CONSOLE_QUERIES_MAX);
        response->retry_after_s = RETRY_AFTER_S;
        return;
    }
    struct mr_console_live *live = open_live(console, request, response);
    if (live != NULL) {
        const enum mr_console_next next = console->backend.live_next(live, WAIT_MS, &json);
        MR_ASSERT(next == MR_CONSOLE_NEXT_RECORD);
        console->backend.live_close(live);
        mr_http_json(response, 200, &json);
    }
    mr_place_leave(&console->query_count);
}

void mr_api_dashboard_live(struct mr_console *console, const struct mr_http_request *request,
                           struct mr_http_response *response)
{
    if (!mr_place_take(&console->tail_count, MR_CONSOLE_TAILS_MAX)) {
        mr_http_problem(response, 503, "%d viewers follow already; try again later",
                        MR_CONSOLE_TAILS_MAX);
        response->retry_after_s = 5;
        return;
    }
    struct mr_console_live *live = open_live(console, request, response);
    if (live == NULL) {
        mr_place_leave(&console->tail_count);
    } else {
        mr_tail_start_live(console, live, response);
    }
}
