// SPDX-License-Identifier: MIT
/*
 * api_status.c - how it is going: for a supervisor (healthz, readyz), for Prometheus, for people.
 */
#include "console_internal.h"

#define DETAIL_BYTES_MAX 256

void mr_api_healthz(struct mr_console *console, const struct mr_http_request *request,
                    struct mr_http_response *response)
{
    MR_ASSERT(console->backend.is_alive != NULL);

    char detail[DETAIL_BYTES_MAX] = "";
    struct mr_json json = {0};

    (void)request;
    if (!console->backend.is_alive(console->backend.context, detail, sizeof(detail))) {
        mr_http_problem(response, 503, "%s", detail);
        return;
    }
    mr_json_object_begin(&json);
    mr_json_key(&json, "alive");
    mr_json_bool(&json, true);
    mr_json_object_end(&json);
    mr_http_json(response, 200, &json);
}

void mr_api_readyz(struct mr_console *console, const struct mr_http_request *request,
                   struct mr_http_response *response)
{
    struct mr_json json = {0};

    (void)request;
    const bool is_ready = console->backend.ready(console->backend.context, &json);
    mr_http_json(response, is_ready ? 200 : 503, &json);
}

void mr_api_metrics(struct mr_console *console, const struct mr_http_request *request,
                    struct mr_http_response *response)
{
    MR_ASSERT(console->backend.metrics != NULL);

    struct mr_writer out;

    (void)request;
    mr_writer_init(&out, MR_CONSOLE_METRICS_BYTES_MAX);
    console->backend.metrics(console->backend.context, &out);
    if (out.failed) {
        mr_http_problem(response, 500, "the metrics are larger than %zu bytes",
                        MR_CONSOLE_METRICS_BYTES_MAX);
    } else {
        mr_http_bytes(response, "text/plain; version=0.0.4; charset=utf-8", out.bytes, out.length);
    }
    mr_writer_done(&out);
}

void mr_api_status(struct mr_console *console, const struct mr_http_request *request,
                   struct mr_http_response *response)
{
    struct mr_json json = {0};

    (void)request;
    console->backend.status(console->backend.context, &json);
    mr_http_json(response, 200, &json);
}

void mr_api_history(struct mr_console *console, const struct mr_http_request *request,
                    struct mr_http_response *response)
{
    struct mr_json json = {0};

    (void)request;
    console->backend.history(console->backend.context, &json);
    mr_http_json(response, 200, &json);
}
