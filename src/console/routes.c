// SPDX-License-Identifier: MIT
/*
 * routes.c - see routes.h.
 */
#include "routes.h"

#include <string.h>

static const struct mr_route routes[] = {
    {
        .method = "GET",
        .path = "/",
        .handle = mr_api_index,
        .is_open = true,
        .summary = "The web UI.",
    },
    {
        .method = "GET",
        .path = "/assets/{file}",
        .handle = mr_api_asset,
        .is_open = true,
        .summary = "Scripts and styles of the web UI.",
    },
    {
        .method = "GET",
        .path = "/healthz",
        .handle = mr_api_healthz,
        .is_open = true,
        .summary = "200 while the process and its threads live.",
    },
    {
        .method = "GET",
        .path = "/readyz",
        .handle = mr_api_readyz,
        .is_open = true,
        .summary = "200 once every source streams and every sink has applied a first position.",
    },
    {
        .method = "GET",
        .path = "/metrics",
        .handle = mr_api_metrics,
        .summary = "Metrics in Prometheus' text format.",
    },
    {
        .method = "GET",
        .path = "/api/v1/status",
        .handle = mr_api_status,
        .summary = "What every source, table and sink is doing.",
    },
    {
        .method = "GET",
        .path = "/api/v1/history",
        .handle = mr_api_history,
        .summary = "Counters and lags of the last hour, sampled every few seconds.",
    },
    {
        .method = "POST",
        .path = "/api/v1/query",
        .handle = mr_api_query,
        .summary = "Runs one reading SQL statement on the warehouse.",
    },
    {
        .method = "GET",
        .path = "/api/v1/sources/{name}/findings",
        .handle = mr_api_findings,
        .summary = "What the doctor says of a source: settings, privileges, retention, each table.",
    },
    {
        .method = "POST",
        .path = "/api/v1/tables/{topic}/add",
        .handle = mr_api_table,
        .summary = "Captures a table that no pattern takes, and copies it.",
    },
    {
        .method = "POST",
        .path = "/api/v1/tables/{topic}/snapshot",
        .handle = mr_api_table,
        .summary = "Copies a table anew while it goes on being read and followed.",
    },
    {
        .method = "POST",
        .path = "/api/v1/tables/{topic}/pause",
        .handle = mr_api_table,
        .summary = "Lets a table's changes wait in the stream.",
    },
    {
        .method = "POST",
        .path = "/api/v1/tables/{topic}/resume",
        .handle = mr_api_table,
        .summary = "Gives a paused table what it missed.",
    },
    {
        .method = "POST",
        .path = "/api/v1/tables/{topic}/drop",
        .handle = mr_api_table,
        .summary = "Captures a table no more.",
    },
    {
        .method = "POST",
        .path = "/api/v1/tables/{topic}/rewind",
        .handle = mr_api_table,
        .summary = "Applies a table's changes once more from a sequence or time on.",
    },
    {
        .method = "GET",
        .path = "/api/v1/topics",
        .handle = mr_api_topics,
        .summary = "The streams by table.",
    },
    {
        .method = "GET",
        .path = "/api/v1/topics/{topic}/records",
        .handle = mr_api_records,
        .parameters = {"from", "limit"},
        .summary = "Changes of one table, a page at a time.",
    },
    {
        .method = "GET",
        .path = "/api/v1/topics/{topic}/tail",
        .handle = mr_api_tail,
        .parameters = {"from"},
        .summary = "Changes of one table (or of all, for *) as they come, as server-sent events.",
    },
    {
        .method = "GET",
        .path = "/api/v1/dashboards",
        .handle = mr_api_dashboards,
        .summary = "The dashboards of the configuration.",
    },
    {
        .method = "GET",
        .path = "/api/v1/dashboards/{dashboard}",
        .handle = mr_api_dashboard,
        .parameters = {"filters"},
        .summary = "A dashboard's panels with their data.",
    },
    {
        .method = "GET",
        .path = "/api/v1/dashboards/{dashboard}/live",
        .handle = mr_api_dashboard_live,
        .parameters = {"filters"},
        .summary = "The same each time the warehouse has changed, as server-sent events.",
    },
    {
        .method = "GET",
        .path = "/api/v1/openapi.json",
        .handle = mr_api_openapi,
        .summary = "The description of all of these.",
    },
};

const struct mr_route *mr_route_at(size_t index)
{
    return index < MR_ARRAY_LEN(routes) ? &routes[index] : NULL;
}

/* Compares segment by segment; *topic and *length are set to what {...} stands for. */
static bool path_matches(const char *pattern, const char *path, const char **topic, size_t *length)
{
    MR_ASSERT(pattern[0] == '/');

    while (*pattern != '\0') {
        if (*pattern == '{') {
            *topic = path;
            *length = strcspn(path, "/");
            path += *length;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool method_matches(const struct mr_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0 &&
            route->handle != mr_api_tail && route->handle != mr_api_dashboard_live);
}

const struct mr_route *mr_route_find(const char *method, const char *path,
                                     struct mr_http_request *request,
                                     struct mr_http_response *response)
{
    const struct mr_route *at_path = NULL;

    MR_ASSERT(method != NULL && path != NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(routes); i++) {
        const char *topic = NULL;
        size_t length = 0;
        if (!path_matches(routes[i].path, path, &topic, &length)) {
            continue;
        }
        at_path = &routes[i];
        if (!method_matches(at_path, method)) {
            continue;
        }
        if (topic != NULL && (length == 0 || !mr_http_decode(topic, length, request->topic,
                                                             sizeof(request->topic)))) {
            mr_http_problem(response, 400, "the name in the path is not valid text, or too long");
            return NULL;
        }
        request->route = at_path->path;
        return at_path;
    }
    if (at_path == NULL) {
        mr_http_problem(response, 404,
                        "there is nothing at this path; /api/v1/openapi.json lists what there is");
        return NULL;
    }
    mr_http_problem(response, 405, "this path answers %s only", at_path->method);
    response->allow = strcmp(at_path->method, "GET") == 0 ? "GET, HEAD" : at_path->method;
    return NULL;
}
