// SPDX-License-Identifier: MIT
/*
 * http_server.c - the console's server: libmicrohttpd, a thread a connection, limits around it.
 *
 * Why a thread a connection: a query or a tail may wait, and must not hold up a health check. The
 * number of connections, queries and tails is bounded, so the number of threads is.
 *
 * A request's way: headers are in -> check() refuses what can be refused without the body (host,
 * token, route, sizes) -> the body is collected -> the route's handler fills a response -> send().
 *
 * libmicrohttpd is told not to decode anything (leave_escaped): http_message.c does that, strictly.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console_internal.h"
#include "listen_address.h"
#include "listen_socket.h"
#include "memory.h"
#include "routes.h"

#define THREAD_STACK_BYTES ((size_t)8 << 20) /* address space; the SQL engine's planner recurses */
#define STREAM_BLOCK_BYTES ((size_t)16 << 10)
#define SILENT_S_MAX       30 /* libmicrohttpd's own limit: nothing sent or received at all */

_Static_assert(MR_CONSOLE_IDLE_MS_MAX <= SILENT_S_MAX * 1000, "the shorter limit is ours");

/* One request and its answer, from the headers on. */
struct exchange {
    const struct mr_route *route;
    struct mr_http_request request;
    struct mr_http_response response;
    char *body;
    size_t body_length;
    bool is_refused; /* response is filled in already */
    bool is_too_large;
};

static struct mr_connection *place_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *about =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return about != NULL ? about->socket_context : NULL;
}

static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

/* ---- What can be refused before the body. ---- */

static bool is_equal_in_constant_time(const char *given, const char *wanted)
{
    MR_ASSERT(wanted[0] != '\0');

    const size_t given_length = strlen(given);
    const size_t wanted_length = strlen(wanted);
    unsigned difference = given_length != wanted_length;

    for (size_t i = 0; i < given_length; i++) {
        difference |= (unsigned char)given[i] ^ (unsigned char)wanted[i % wanted_length];
    }
    return difference == 0;
}

static bool check_token(const struct mr_console *console, struct MHD_Connection *connection,
                        struct exchange *exchange)
{
    MR_ASSERT(exchange->route != NULL);

    static const char scheme[] = "Bearer ";
    const char *header =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

    if (console->settings.token == NULL || exchange->route->is_open) {
        return true;
    }
    if (header != NULL && strncasecmp(header, scheme, sizeof(scheme) - 1) == 0 &&
        is_equal_in_constant_time(header + sizeof(scheme) - 1, console->settings.token)) {
        return true;
    }
    mr_http_problem(&exchange->response, 401,
                    "this console wants its token: Authorization: Bearer ...");
    exchange->response.wants_token = true;
    return false;
}

static bool check_host(const struct mr_console *console, struct MHD_Connection *connection,
                       struct exchange *exchange)
{
    MR_ASSERT(exchange->route != NULL);

    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

    if (!console->is_host_checked || host == NULL || mr_listen_address_is_host_numeric(host)) {
        return true;
    }
    mr_http_problem(&exchange->response, 421,
                    "without a token only requests for an IP address or localhost are answered; "
                    "use the address, or set console.token");
    return false;
}

/* The declared size: known early for most bodies; the rest is counted as it comes. */
static bool check_body(struct MHD_Connection *connection, struct exchange *exchange)
{
    MR_ASSERT(exchange->route != NULL);

    static const char json[] = "application/json";
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *type =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    uint64_t bytes = 0;

    if (length != NULL && !mr_http_parse_uint(length, MR_CONSOLE_BODY_BYTES_MAX, &bytes)) {
        mr_http_problem(&exchange->response, 413, "a body may have at most %zu bytes",
                        MR_CONSOLE_BODY_BYTES_MAX);
        return false;
    }
    if (strcmp(exchange->route->method, "POST") == 0 &&
        (type == NULL || strncasecmp(type, json, sizeof(json) - 1) != 0 ||
         strchr("; \t", type[sizeof(json) - 1]) == NULL)) {
        mr_http_problem(&exchange->response, 415,
                        "the body must be sent as Content-Type: application/json");
        return false;
    }
    return true;
}

static enum MHD_Result take_parameter(void *context, enum MHD_ValueKind kind, const char *key,
                                      const char *value)
{
    struct exchange *exchange = context;
    struct mr_http_request *request = &exchange->request;

    (void)kind;
    for (size_t i = 0; i < request->parameter_count; i++) {
        struct mr_http_parameter *parameter = &request->parameters[i];
        if (strcmp(parameter->name, key) != 0) {
            continue;
        }
        if (parameter->value[0] != '\0' || value == NULL ||
            !mr_http_decode(value, strlen(value), parameter->value, sizeof(parameter->value))) {
            mr_http_problem(&exchange->response, 400,
                            "parameter \"%s\" is there twice, too long, or not valid text",
                            parameter->name);
            exchange->is_refused = true;
            return MHD_NO;
        }
        return MHD_YES;
    }
    mr_http_problem(&exchange->response, 400, "unknown parameter in the query string");
    exchange->is_refused = true;
    return MHD_NO;
}

static void check(struct mr_console *console, struct MHD_Connection *connection,
                  struct exchange *exchange, const char *method, const char *path)
{
    struct mr_http_request *request = &exchange->request;

    exchange->route = mr_route_find(method, path, request, &exchange->response);
    if (exchange->route == NULL || !check_host(console, connection, exchange) ||
        !check_token(console, connection, exchange) || !check_body(connection, exchange)) {
        exchange->is_refused = true;
        return;
    }
    for (; exchange->route->parameters[request->parameter_count] != NULL;
         request->parameter_count++) {
        MR_ASSERT(request->parameter_count < MR_HTTP_PARAMETERS_MAX);
        request->parameters[request->parameter_count].name =
            exchange->route->parameters[request->parameter_count];
    }
    request->last_event_id =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
    request->if_none_match =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    const char *encodings =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    request->takes_gzip = encodings != NULL && strstr(encodings, "gzip") != NULL;
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_parameter, exchange);
}

/* ---- The answer. ---- */

static ssize_t send_stream(void *context, uint64_t position, char *bytes, size_t size)
{
    struct mr_http_response *response = context;

    (void)position;
    const ssize_t count = response->stream_next(response->stream, bytes, size);
    MR_ASSERT(count != 0 && count <= (ssize_t)size);
    return count < 0 ? MHD_CONTENT_READER_END_OF_STREAM : count;
}

static void end_stream(void *context)
{
    struct mr_http_response *response = context;

    response->stream_close(response->stream);
    free(response);
}

static struct MHD_Response *make_response(struct mr_http_response *response)
{
    MR_ASSERT(response->stream == NULL || response->body == NULL);

    if (response->stream == NULL) {
        struct MHD_Response *made = MHD_create_response_from_buffer(
            response->body_length, response->body, MHD_RESPMEM_MUST_FREE);
        if (made == NULL) {
            free(response->body);
        }
        response->body = NULL;
        return made;
    }
    struct mr_http_response *copy = mr_memory_new(1, sizeof(*copy));
    *copy = *response;
    response->stream = NULL;
    struct MHD_Response *made = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, send_stream, copy, end_stream);
    if (made == NULL) {
        end_stream(copy);
    }
    return made;
}

static void add_headers(struct MHD_Response *made, const struct mr_http_response *response)
{
    MR_ASSERT(response->content_type != NULL);

    char seconds[16];

    (void)MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type);
    (void)MHD_add_response_header(made, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  response->etag != NULL ? "no-cache" : "no-store");
    (void)MHD_add_response_header(made, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(made, "Referrer-Policy", "no-referrer");
    (void)MHD_add_response_header(made, "Content-Security-Policy",
                                  response->content_policy != NULL
                                      ? response->content_policy
                                      : "default-src 'none'; frame-ancestors 'none'");
    if (response->etag != NULL) {
        (void)MHD_add_response_header(made, MHD_HTTP_HEADER_ETAG, response->etag);
        (void)MHD_add_response_header(made, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    }
    if (response->content_encoding != NULL) {
        (void)MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_ENCODING,
                                      response->content_encoding);
    }
    if (response->allow != NULL) {
        (void)MHD_add_response_header(made, MHD_HTTP_HEADER_ALLOW, response->allow);
    }
    if (response->wants_token) {
        (void)MHD_add_response_header(made, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    }
    if (response->retry_after_s > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%u", response->retry_after_s);
        (void)MHD_add_response_header(made, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
}

static enum MHD_Result send_response(struct mr_console *console, struct MHD_Connection *connection,
                                     struct mr_http_response *response)
{
    const bool is_stream = response->stream != NULL;

    MR_ASSERT(response->status >= 200 && response->content_type != NULL);
    struct MHD_Response *made = make_response(response);
    if (made == NULL) {
        return MHD_NO;
    }
    add_headers(made, response);
    mr_connections_move(&console->connections, place_of(connection),
                        is_stream ? MR_CONNECTION_ANSWERING : MR_CONNECTION_SENDING);
    const enum MHD_Result queued = MHD_queue_response(connection, response->status, made);
    MHD_destroy_response(made);
    return queued;
}

/* While a handler runs nothing is sent or received: libmicrohttpd's clock starts anew after it. */
static enum MHD_Result answer(struct mr_console *console, struct MHD_Connection *connection,
                              struct exchange *exchange)
{
    MR_ASSERT(exchange->route != NULL && !exchange->is_refused);

    if (exchange->is_too_large) {
        mr_http_problem(&exchange->response, 413, "a body may have at most %zu bytes",
                        MR_CONSOLE_BODY_BYTES_MAX);
    } else {
        exchange->request.body = exchange->body;
        exchange->request.body_length = exchange->body_length;
        mr_connections_move(&console->connections, place_of(connection), MR_CONNECTION_ANSWERING);
        (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
        exchange->route->handle(console, &exchange->request, &exchange->response);
        (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                        (unsigned)SILENT_S_MAX);
    }
    return send_response(console, connection, &exchange->response);
}

/* ---- libmicrohttpd's callbacks. ---- */

/* False once a sender ignores the limit so far that the connection is better closed. */
static bool take_body(struct exchange *exchange, const char *bytes, size_t length)
{
    MR_ASSERT(length > 0);

    if (exchange->is_too_large || length > MR_CONSOLE_BODY_BYTES_MAX - exchange->body_length) {
        exchange->body_length += length;
        exchange->is_too_large = true;
        return exchange->body_length <= 4 * MR_CONSOLE_BODY_BYTES_MAX;
    }
    exchange->body = mr_memory_resize(exchange->body, exchange->body_length + length, 1);
    memcpy(exchange->body + exchange->body_length, bytes, length);
    exchange->body_length += length;
    return true;
}

/* Answering before a body was read ends the connection; without one there is no reason to. */
static bool has_body(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length != NULL && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/* NOLINTNEXTLINE(readability-function-size): the eight parameters are libmicrohttpd's */
static enum MHD_Result handle_request(void *context, struct MHD_Connection *connection,
                                      const char *path, const char *method, const char *version,
                                      const char *upload, size_t *upload_size, void **slot)
{
    struct mr_console *console = context;
    struct exchange *exchange = *slot;

    (void)version;
    if (exchange == NULL) {
        exchange = mr_memory_new(1, sizeof(*exchange));
        *slot = exchange;
        mr_connections_move(&console->connections, place_of(connection), MR_CONNECTION_RECEIVING);
        check(console, connection, exchange, method, path);
        return exchange->is_refused && has_body(connection)
                   ? send_response(console, connection, &exchange->response)
                   : MHD_YES;
    }
    if (*upload_size > 0) {
        const bool taken = take_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    return exchange->is_refused ? send_response(console, connection, &exchange->response)
                                : answer(console, connection, exchange);
}

static void end_request(void *context, struct MHD_Connection *connection, void **slot,
                        enum MHD_RequestTerminationCode why)
{
    struct mr_console *console = context;
    struct exchange *exchange = *slot;

    (void)why;
    if (exchange == NULL) {
        return;
    }
    mr_connections_move(&console->connections, place_of(connection), MR_CONNECTION_IDLE);
    if (exchange->response.stream != NULL) {
        exchange->response.stream_close(exchange->response.stream);
    }
    free(exchange->response.body);
    free(exchange->body);
    free(exchange);
    *slot = NULL;
}

static void watch_connection(void *context, struct MHD_Connection *connection, void **slot,
                             enum MHD_ConnectionNotificationCode what)
{
    struct mr_console *console = context;

    switch (what) {
    case MHD_CONNECTION_NOTIFY_STARTED: {
        const union MHD_ConnectionInfo *about =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        MR_ASSERT(about != NULL);
        *slot = mr_connections_add(&console->connections, about->connect_fd);
        break;
    }
    case MHD_CONNECTION_NOTIFY_CLOSED:
        mr_connections_move(&console->connections, *slot, MR_CONNECTION_FREE);
        *slot = NULL;
        break;
    }
}

/* ---- Open and close. ---- */

bool mr_console_check_settings(const struct mr_console_settings *settings, struct mr_error *err)
{
    MR_ASSERT(settings->listen != NULL);

    struct mr_listen_address address;

    if (!mr_listen_address_parse(settings->listen, &address, err)) {
        return mr_error_context(err, "console.listen");
    }
    if (!address.is_loopback && settings->token == NULL && !settings->open_to_network) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "console.listen: on \"%s\" everybody who reaches this machine could read "
                       "the warehouse; set console.token, or listen on 127.0.0.1, or set "
                       "MILLRACE_CONSOLE_INSECURE=1 where the network itself keeps others out",
                       settings->listen);
    }
    return true;
}

static struct MHD_Daemon *start_daemon(struct mr_console *console, int listen_fd, int family)
{
    MR_ASSERT(listen_fd >= 0);

    const unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                           (family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0);

    return MHD_start_daemon(
        flags, 0, NULL, NULL, handle_request, console, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MR_CONSOLE_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        MR_CONSOLE_HEADER_BYTES_MAX, MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, end_request, console, MHD_OPTION_NOTIFY_CONNECTION,
        watch_connection, console, MHD_OPTION_END);
}

struct mr_console *mr_console_open(const struct mr_console_settings *settings,
                                   const struct mr_console_backend *backend, struct mr_error *err)
{
    struct mr_listen_address address;
    struct mr_console *console = NULL;

    MR_ASSERT(settings->env != NULL && settings->query_rows_max > 0);
    if (!mr_console_check_settings(settings, err) ||
        !mr_listen_address_parse(settings->listen, &address, err)) {
        return NULL;
    }
    console = mr_memory_new(1, sizeof(*console));
    console->settings = *settings;
    console->backend = *backend;
    console->is_host_checked = settings->token == NULL && !settings->open_to_network;

    const int listen_fd = mr_listen_socket_open(&address, &console->port, err);
    if (listen_fd < 0) {
        mr_error_context(err, "console.listen \"%s\"", settings->listen);
        goto failed;
    }
    mr_connections_init(&console->connections,
                        settings->receive_ms_max != 0 ? settings->receive_ms_max
                                                      : MR_CONSOLE_RECEIVE_MS_MAX,
                        settings->env);
    console->daemon = start_daemon(console, listen_fd, address.socket.any.sa_family);
    if (console->daemon == NULL) {
        mr_fail(err, MR_E_IO, MR_STOP, "console.listen \"%s\": the server does not start",
                settings->listen);
        goto failed;
    }
    return console;

failed:
    mr_console_close(console);
    return NULL;
}

uint16_t mr_console_port(const struct mr_console *console)
{
    return console->port;
}

void mr_console_close(struct mr_console *console)
{
    if (console == NULL) {
        return;
    }
    atomic_store(&console->is_closing, true);
    if (console->daemon != NULL) {
        MHD_stop_daemon(console->daemon); /* also closes the listening socket */
    }
    mr_connections_done(&console->connections);
    free(console);
}
