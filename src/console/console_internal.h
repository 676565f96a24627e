// SPDX-License-Identifier: MIT
/*
 * console_internal.h - the console's state, and the handlers of its routes; for this folder only.
 */
#ifndef MR_CONSOLE_CONSOLE_INTERNAL_H
#define MR_CONSOLE_CONSOLE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "connections.h"
#include "console.h"
#include "http_message.h"

struct MHD_Daemon;

struct mr_console {
    struct mr_console_settings settings;
    struct mr_console_backend backend;
    struct MHD_Daemon *daemon;
    uint16_t port;
    bool is_host_checked; /* only requests for an IP address or "localhost" */
    struct mr_connections connections;
    atomic_bool is_closing;
    atomic_uint query_count; /* running now */
    atomic_uint tail_count;
};

#define MR_API_HANDLER(name)                                                                       \
    void name(struct mr_console *console, const struct mr_http_request *request,                   \
              struct mr_http_response *response)

MR_API_HANDLER(mr_api_index);
MR_API_HANDLER(mr_api_asset);
MR_API_HANDLER(mr_api_openapi);
MR_API_HANDLER(mr_api_healthz);
MR_API_HANDLER(mr_api_readyz);
MR_API_HANDLER(mr_api_metrics);
MR_API_HANDLER(mr_api_status);
MR_API_HANDLER(mr_api_history);
MR_API_HANDLER(mr_api_query);
MR_API_HANDLER(mr_api_findings);
MR_API_HANDLER(mr_api_table);
MR_API_HANDLER(mr_api_topics);
MR_API_HANDLER(mr_api_records);
MR_API_HANDLER(mr_api_tail);
MR_API_HANDLER(mr_api_dashboards);
MR_API_HANDLER(mr_api_dashboard);
MR_API_HANDLER(mr_api_dashboard_live);

/** Makes the answer what the backend said; a status outside 400 to 599 is our own fault (500). */
void mr_api_problem(struct mr_http_response *response, const struct mr_console_problem *problem);

/** "earliest", "latest", "1234" or "1234-5"; "" gives the fallback. False for anything else. */
bool mr_cursor_parse(const char *text, struct mr_console_cursor fallback,
                     struct mr_console_cursor *cursor);

/** Makes the answer a stream of events from a dashboard; the tail owns `live` from now on. */
void mr_tail_start_live(struct mr_console *console, struct mr_console_live *live,
                        struct mr_http_response *response);

/** Takes one of `max` places; false when all are taken. Give it back with mr_place_leave(). */
bool mr_place_take(atomic_uint *count, unsigned max);
void mr_place_leave(atomic_uint *count);

#endif
