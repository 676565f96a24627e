// SPDX-License-Identifier: MIT
/*
 * routes.h - every path of the console, as a table: what the server serves, what the OpenAPI
 * document and docs/API.md must hold (tests compare all three).
 */
#ifndef MR_CONSOLE_ROUTES_H
#define MR_CONSOLE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "console_internal.h"
#include "http_message.h"

typedef void (*mr_route_fn)(struct mr_console *console, const struct mr_http_request *request,
                            struct mr_http_response *response);

struct mr_route {
    const char *method; /* "GET" (HEAD is answered too) or "POST" */
    const char *path;   /* "{topic}", "{file}": one segment, request->topic */
    mr_route_fn handle;
    const char *parameters[MR_HTTP_PARAMETERS_MAX + 1]; /* of the query string; NULL-terminated */
    bool is_open;                                       /* answered without a token */
    const char *summary;
};

/** The route at an index from 0; NULL past the last. */
const struct mr_route *mr_route_at(size_t index);

/**
 * Finds the route of a raw (not decoded) path and decodes {...} into the request. NULL with the
 * response made a problem: 404, 405 with Allow, or 400 for a wrong name.
 */
const struct mr_route *mr_route_find(const char *method, const char *path,
                                     struct mr_http_request *request,
                                     struct mr_http_response *response);

#endif
