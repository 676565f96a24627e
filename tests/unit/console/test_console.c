// SPDX-License-Identifier: MIT
/*
 * The console's server in this process, spoken to over a real socket: what it answers, and what it
 * does with requests that are too large, too slow, malformed, or not meant for it.
 */
#include "check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "console.h"
#include "fake_backend.h"
#include "http_client.h"
#include "routes.h"

#define ANSWER_BYTES_MAX (4 << 20)
#define HOST             "Host: 127.0.0.1\r\n"
#define JSON             HOST "Content-Type: application/json\r\n"
#define RECEIVE_MS_MAX   1500
#define TOKEN            "0123456789abcdef0123"

struct fixture {
    struct fake_backend fake;
    struct mr_console_backend backend;
    struct mr_console *console;
    uint16_t port;
    char *answer;
};

static void open_console(struct fixture *fixture, const char *token)
{
    const struct mr_console_settings settings = {
        .listen = "127.0.0.1:0",
        .token = token,
        .query_rows_max = 1000,
        .query_time_ms_max = 1000,
        .receive_ms_max = RECEIVE_MS_MAX,
        .env = &mr_env_posix,
    };
    struct mr_error err = {0};
    fixture->backend = fake_backend_make(&fixture->fake);
    fixture->console = mr_console_open(&settings, &fixture->backend, &err);
    if (fixture->console == NULL) {
        fail_msg("%s", err.message);
    }
    fixture->port = mr_console_port(fixture->console);
    assert_int_not_equal(fixture->port, 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->answer = malloc(ANSWER_BYTES_MAX);
    open_console(fixture, NULL);
    *state = fixture;
    return 0;
}

static int set_up_token(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->answer = malloc(ANSWER_BYTES_MAX);
    open_console(fixture, TOKEN);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    atomic_store(&fixture->fake.query_is_held, false);
    mr_console_close(fixture->console);
    assert_int_equal(atomic_load(&fixture->fake.tails_open), 0);
    free(fixture->answer);
    free(fixture);
    return 0;
}

static void exchange(struct fixture *fixture, const char *request)
{
    (void)client_exchange(fixture->port, request, fixture->answer, ANSWER_BYTES_MAX);
}

/* A POST of a body that fits into a small buffer, with its length. */
static void post(struct fixture *fixture, const char *body)
{
    char request[8192];
    (void)snprintf(request, sizeof(request),
                   "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    exchange(fixture, request);
}

static void assert_problem(const struct fixture *fixture, unsigned status)
{
    json_error_t fault;
    assert_int_equal(client_status(fixture->answer), status);
    assert_non_null(strcasestr(fixture->answer, "Content-Type: application/problem+json"));
    json_t *problem = json_loads(client_body(fixture->answer), 0, &fault);
    assert_non_null(problem);
    assert_int_equal(json_integer_value(json_object_get(problem, "status")), status);
    assert_true(json_string_length(json_object_get(problem, "detail")) > 0);
    assert_string_equal(json_string_value(json_object_get(problem, "type")), "about:blank");
    json_decref(problem);
}

/* ---- What it answers. ---- */

static const struct answer_case {
    const char *label;
    const char *request;
    unsigned status;
    const char *part; /* of the answer; NULL: anything */
} answer_cases[] = {
    {"page", "GET / HTTP/1.1\r\n" HOST "\r\n", 200, "text/html"},
    {"page's policy", "GET / HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Security-Policy: default"},
    {"page for a browser that takes gzip",
     "GET / HTTP/1.1\r\n" HOST "Accept-Encoding: br, gzip\r\n\r\n", 200, "Content-Encoding: gzip"},
    {"a script", "GET /assets/app.js HTTP/1.1\r\n" HOST "\r\n", 200, "text/javascript"},
    {"a script's tag", "GET /assets/app.js HTTP/1.1\r\n" HOST "\r\n", 200, "ETag: \""},
    {"no such file", "GET /assets/app.map HTTP/1.1\r\n" HOST "\r\n", 404, "there is no such file"},
    {"history", "GET /api/v1/history HTTP/1.1\r\n" HOST "\r\n", 200, "\"interval_ms\":5000"},
    {"dashboards", "GET /api/v1/dashboards HTTP/1.1\r\n" HOST "\r\n", 200, "\"dashboards\":[]"},
    {"a dashboard with a filter",
     "GET /api/v1/dashboards/parking?filters=%7B%22location%22%3A%22a%20b%22%7D HTTP/1.1\r\n" HOST
     "\r\n",
     200, "\"filter\":\"a b\",\"count\":1"},
    {"no such dashboard", "GET /api/v1/dashboards/other HTTP/1.1\r\n" HOST "\r\n", 404, "no such"},
    {"filters that are no object",
     "GET /api/v1/dashboards/parking?filters=%5B%5D HTTP/1.1\r\n" HOST "\r\n", 400, "filters"},
    {"a filter that is no text",
     "GET /api/v1/dashboards/parking?filters=%7B%22a%22%3A1%7D HTTP/1.1\r\n" HOST "\r\n", 400,
     "filters"},
    {"a dashboard that is pushed", "GET /api/v1/dashboards/parking/live HTTP/1.1\r\n" HOST "\r\n",
     200, "data: {\"filter\":\"\",\"count\":2}\n\n"},
    {"alive", "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, "\"alive\":true"},
    {"ready", "GET /readyz HTTP/1.1\r\n" HOST "\r\n", 200, "\"ready\":true"},
    {"metrics", "GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200, "millrace_up 1\n"},
    {"metrics' type", "GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200, "text/plain; version=0.0.4"},
    {"status", "GET /api/v1/status HTTP/1.1\r\n" HOST "\r\n", 200, "\"parking\""},
    {"not sniffed", "GET /api/v1/status HTTP/1.1\r\n" HOST "\r\n", 200, "nosniff"},
    {"topics", "GET /api/v1/topics HTTP/1.1\r\n" HOST "\r\n", 200, "\"topics\":[]"},
    {"openapi", "GET /api/v1/openapi.json HTTP/1.1\r\n" HOST "\r\n", 200, "\"openapi\""},
    {"head", "HEAD /api/v1/status HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200, NULL},
    {"no host, HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 200, NULL},
    {"no host, HTTP/1.1", "GET /healthz HTTP/1.1\r\n\r\n", 400, NULL},
    {"unknown path", "GET /nope HTTP/1.1\r\n" HOST "\r\n", 404, "problem+json"},
    {"path too long by one", "GET /healthz/ HTTP/1.1\r\n" HOST "\r\n", 404, NULL},
    {"path traversal", "GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404, NULL},
    {"escaped path is another path", "GET /health%7a HTTP/1.1\r\n" HOST "\r\n", 404, NULL},
    {"wrong method", "POST /healthz HTTP/1.1\r\n" JSON "Content-Length: 2\r\n\r\n{}", 405,
     "Allow: GET, HEAD"},
    {"wrong method the other way", "GET /api/v1/query HTTP/1.1\r\n" HOST "\r\n", 405,
     "Allow: POST"},
    {"unheard-of method", "BREW /healthz HTTP/1.1\r\n" HOST "\r\n", 405, NULL},
    {"unknown parameter", "GET /api/v1/status?x=1 HTTP/1.1\r\n" HOST "\r\n", 400,
     "unknown parameter"},
    {"parameter twice", "GET /api/v1/topics/t/records?limit=1&limit=2 HTTP/1.1\r\n" HOST "\r\n",
     400, "twice"},
    {"parameter without a value", "GET /api/v1/topics/t/records?limit HTTP/1.1\r\n" HOST "\r\n",
     400, NULL},
    {"parameter too long",
     "GET /api/v1/topics/t/"
     "records?from=1111111111111111111111111111111111111111111111111111111111111111111111 "
     "HTTP/1.1\r\n" HOST "\r\n",
     400, NULL},
    {"limit of zero", "GET /api/v1/topics/t/records?limit=0 HTTP/1.1\r\n" HOST "\r\n", 400,
     "from 1 to 1000"},
    {"limit too large", "GET /api/v1/topics/t/records?limit=1001 HTTP/1.1\r\n" HOST "\r\n", 400,
     "from 1 to 1000"},
    {"wrong place", "GET /api/v1/topics/t/records?from=-1 HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"topic with a zero byte", "GET /api/v1/topics/a%00b/records HTTP/1.1\r\n" HOST "\r\n", 400,
     NULL},
    {"topic that is not UTF-8", "GET /api/v1/topics/%ff/records HTTP/1.1\r\n" HOST "\r\n", 400,
     NULL},
    {"empty topic", "GET /api/v1/topics//records HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"topic that is gone", "GET /api/v1/topics/gone/records HTTP/1.1\r\n" HOST "\r\n", 404,
     "no such topic"},
    {"tail of a topic that is gone", "GET /api/v1/topics/gone/tail HTTP/1.1\r\n" HOST "\r\n", 404,
     "no such topic"},
    {"tail from nowhere", "GET /api/v1/topics/t/tail?from=x HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"head of a tail", "HEAD /api/v1/topics/t/tail HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
     405, NULL},
    {"another site's name", "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421,
     "problem+json"},
    {"a form from another site",
     "POST /api/v1/query HTTP/1.1\r\n" HOST
     "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
     415, "problem+json"},
    {"a type that only begins alike",
     "POST /api/v1/query HTTP/1.1\r\n" HOST
     "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}",
     415, NULL},
    {"no type", "POST /api/v1/query HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 415, NULL},
    {"declared too large", "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: 1048577\r\n\r\n",
     413, "1048576"},
    {"declared absurdly",
     "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: 99999999999\r\n\r\n", 413, NULL},
    {"no body", "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: 0\r\n\r\n", 400,
     "must be JSON"},
};

static void requests_get_their_answers(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < MR_ARRAY_LEN(answer_cases); i++) {
        const struct answer_case *c = &answer_cases[i];
        print_message("    %s\n", c->label);
        exchange(fixture, c->request);
        if (client_status(fixture->answer) != c->status ||
            (c->part != NULL && strstr(fixture->answer, c->part) == NULL)) {
            fail_msg("wanted %u with %s, got:\n%s", c->status, c->part, fixture->answer);
        }
    }
    exchange(fixture, "GET /nope HTTP/1.1\r\n" HOST "\r\n");
    assert_problem(fixture, 404);
}

static void health_and_readiness_say_why(void **state)
{
    struct fixture *fixture = *state;
    fixture->fake.is_dead = true;
    fixture->fake.is_not_ready = true;
    exchange(fixture, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_problem(fixture, 503);
    assert_non_null(strstr(fixture->answer, "loader"));
    exchange(fixture, "GET /readyz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(client_status(fixture->answer), 503);
    assert_non_null(strstr(fixture->answer, "\"ready\":false"));
}

static void query_arrives_whole(void **state)
{
    struct fixture *fixture = *state;
    post(fixture, "{\"sql\": \"SELECT ?\", \"limit\": 7, \"params\": [null, true, -5, 1.5, "
                  "\"\\u20ac\"]}");
    assert_int_equal(client_status(fixture->answer), 200);
    assert_string_equal(fixture->fake.sql, "SELECT ?");
    assert_int_equal(fixture->fake.rows_max, 7);
    assert_int_equal(fixture->fake.parameter_count, 5);
    assert_int_equal(fixture->fake.parameters[0].kind, MR_CONSOLE_NULL);
    assert_true(fixture->fake.parameters[1].boolean);
    assert_int_equal(fixture->fake.parameters[2].integer, -5);
    assert_true(fixture->fake.parameters[3].real > 1.4 && fixture->fake.parameters[3].real < 1.6);
    assert_string_equal(fixture->fake.texts[4], "\xe2\x82\xac");
    post(fixture, "{\"sql\": \"x\"}");
    assert_int_equal(fixture->fake.rows_max, 1000);
    post(fixture, "{\"sql\": \"bad\"}");
    assert_problem(fixture, 400);
    assert_non_null(strstr(fixture->answer, "no such table: \\\"bad\\\""));
}

static void wrong_query_bodies_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bodies[] = {
        "x",
        "[]",
        "{}",
        "{\"sql\": 5}",
        "{\"sql\": \"\"}",
        "{\"sql\": \"a\\u0000b\"}",
        "{\"sql\": \"a\", \"sql\": \"b\"}",
        "{\"sql\": \"a\", \"more\": 1}",
        "{\"sql\": \"a\", \"limit\": 0}",
        "{\"sql\": \"a\", \"limit\": 1001}",
        "{\"sql\": \"a\", \"limit\": -1}",
        "{\"sql\": \"a\", \"limit\": \"7\"}",
        "{\"sql\": \"a\", \"params\": {}}",
        "{\"sql\": \"a\", \"params\": [[]]}",
        "{\"sql\": \"a\"} trailing",
        "{\"sql\": \"\xff\"}",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bodies); i++) {
        fixture->fake.sql[0] = '\0';
        print_message("    %s\n", bodies[i]);
        post(fixture, bodies[i]);
        assert_problem(fixture, 400);
        assert_string_equal(fixture->fake.sql, ""); /* the backend never saw it */
    }
}

static void records_arrive_decoded(void **state)
{
    struct fixture *fixture = *state;
    exchange(fixture, "GET /api/v1/topics/ops.a%2Fb.%E2%82%AC/records?from=12-3&limit=5 "
                      "HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(client_status(fixture->answer), 200);
    assert_string_equal(fixture->fake.topic, "ops.a/b.\xe2\x82\xac");
    assert_int_equal(fixture->fake.from.sequence, 12);
    assert_int_equal(fixture->fake.from.index, 3);
    assert_int_equal(fixture->fake.limit, 5);
    exchange(fixture, "GET /api/v1/topics/t/records HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(fixture->fake.from.from, MR_CONSOLE_FROM_EARLIEST);
    assert_int_equal(fixture->fake.limit, 100);
}

/* ---- Hostile. ---- */

static void chunked_body_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    static const char head[] =
        "POST /api/v1/query HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n";
    char *chunk = malloc(0x10000 + 16);
    memcpy(chunk, "10000\r\n", 7);
    memset(chunk + 7, 'x', 0x10000);
    memcpy(chunk + 7 + 0x10000, "\r\n", 2);
    const int fd = client_connect(fixture->port);
    client_send(fd, head, strlen(head));
    for (int i = 0; i < 17; i++) { /* 1 MiB and 64 KiB */
        client_send(fd, chunk, 7 + 0x10000 + 2);
    }
    client_send(fd, "0\r\n\r\n", 5);
    (void)client_receive(fd, fixture->answer, ANSWER_BYTES_MAX, 5000, 1);
    assert_problem(fixture, 413);
    (void)close(fd);
    free(chunk);
}

#define PADDING_BYTES 150000
#define REQUEST_BYTES 200000

/* A request with far too much between its two ends. */
static void fill_request(char *request, const char *before, const char *after)
{
    const size_t length = strlen(before);
    memcpy(request, before, length);
    memset(request + length, 'x', PADDING_BYTES);
    memcpy(request + length + PADDING_BYTES, after, strlen(after) + 1);
}

static void large_headers_are_refused(void **state)
{
    struct fixture *fixture = *state;
    char *request = malloc(REQUEST_BYTES);
    fill_request(request, "GET /healthz HTTP/1.1\r\n" HOST "X-Padding: ", "\r\n\r\n");
    exchange(fixture, request);
    const unsigned status = client_status(fixture->answer);
    assert_true(status == 431 || status == 400 || status == 413 || status == 0);
    fill_request(request, "GET /", " HTTP/1.1\r\n" HOST "\r\n");
    exchange(fixture, request);
    assert_true(client_status(fixture->answer) != 200);
    free(request);
    exchange(fixture, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(client_status(fixture->answer), 200);
}

static void noise_gets_no_answer_of_ours(void **state)
{
    struct fixture *fixture = *state;
    static const char *const noises[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
        "GET /healthz HTTP/9.9\r\n" HOST "\r\n",
        "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
        "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: -5\r\n\r\n",
        "POST /api/v1/query HTTP/1.1\r\n" JSON
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "POST /api/v1/query HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "POST /api/v1/query HTTP/1.1\r\n" JSON
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(noises); i++) {
        const int fd = client_connect(fixture->port);
        print_message("    noise %zu\n", i);
        client_send(fd, noises[i], strlen(noises[i]));
        (void)client_receive(fd, fixture->answer, ANSWER_BYTES_MAX, 300, 1);
        assert_true(client_status(fixture->answer) != 200);
        (void)close(fd);
    }
    exchange(fixture, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(client_status(fixture->answer), 200);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *fixture = *state;
    static const char requests[] =
        "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
        "GET /nope HTTP/1.1\r\n" HOST "\r\n"
        "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: 12\r\n\r\n{\"sql\":\"x1\"}"
        "GET /api/v1/status HTTP/1.1\r\n" HOST "\r\n";
    const int fd = client_connect(fixture->port);
    client_send(fd, requests, strlen(requests));
    (void)client_receive(fd, fixture->answer, ANSWER_BYTES_MAX, 5000, 4);
    const char *alive = strstr(fixture->answer, "\"alive\"");
    const char *missing = strstr(fixture->answer, " 404 ");
    const char *rows = strstr(fixture->answer, "\"rows\"");
    const char *parking = strstr(fixture->answer, "\"parking\"");
    assert_true(alive != NULL && missing != NULL && rows != NULL && parking != NULL);
    assert_true(alive < missing && missing < rows && rows < parking);
    (void)close(fd);
}

/* One byte every 100 ms never is silent, and must still lose its place. */
static void slow_sender_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    static const char request[] = "GET /healthz HTTP/1.1\r\nX-Slow: ";
    const uint64_t start_ns = mr_env_posix.monotonic_ns(&mr_env_posix);
    const int fd = client_connect(fixture->port);
    client_send(fd, request, strlen(request));
    uint64_t ms = 0;
    while (ms < 3 * RECEIVE_MS_MAX) {
        client_send(fd, "x", 1);
        if (client_receive(fd, fixture->answer, 2, 0, 1) != 0) {
            break;
        }
        char byte;
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) {
            break;
        }
        mr_env_posix.sleep_us(&mr_env_posix, 100000);
        ms = (mr_env_posix.monotonic_ns(&mr_env_posix) - start_ns) / 1000000;
    }
    print_message("    cut off after %llu ms\n", (unsigned long long)ms);
    assert_in_range(ms, RECEIVE_MS_MAX - 200, RECEIVE_MS_MAX + 2000);
    (void)close(fd);
}

static void too_many_connections_leave_the_rest_alone(void **state)
{
    struct fixture *fixture = *state;
    int fds[MR_CONSOLE_CONNECTIONS_MAX + 20];
    for (size_t i = 0; i < MR_ARRAY_LEN(fds); i++) {
        fds[i] = client_connect(fixture->port);
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(fds); i++) {
        (void)close(fds[i]);
    }
    unsigned status = 0;
    for (int i = 0; i < 50 && status != 200; i++) {
        exchange(fixture, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        status = client_status(fixture->answer);
        mr_env_posix.sleep_us(&mr_env_posix, 20000);
    }
    assert_int_equal(status, 200);
}

static void queries_that_hang_leave_health_alone(void **state)
{
    struct fixture *fixture = *state;
    static const char request[] =
        "POST /api/v1/query HTTP/1.1\r\n" JSON "Content-Length: 12\r\n\r\n{\"sql\":\"x1\"}";
    int fds[MR_CONSOLE_QUERIES_MAX];
    atomic_store(&fixture->fake.query_is_held, true);
    for (size_t i = 0; i < MR_ARRAY_LEN(fds); i++) {
        fds[i] = client_connect(fixture->port);
        client_send(fds[i], request, strlen(request));
    }
    for (int i = 0; i < 500 && atomic_load(&fixture->fake.queries_inside) < MR_ARRAY_LEN(fds);
         i++) {
        mr_env_posix.sleep_us(&mr_env_posix, 10000);
    }
    assert_int_equal(atomic_load(&fixture->fake.queries_inside), MR_ARRAY_LEN(fds));
    exchange(fixture, request);
    assert_problem(fixture, 503);
    assert_non_null(strstr(fixture->answer, "Retry-After: 1"));
    exchange(fixture, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(client_status(fixture->answer), 200);
    atomic_store(&fixture->fake.query_is_held, false);
    for (size_t i = 0; i < MR_ARRAY_LEN(fds); i++) {
        (void)client_receive(fds[i], fixture->answer, ANSWER_BYTES_MAX, 5000, 1);
        assert_int_equal(client_status(fixture->answer), 200);
        (void)close(fds[i]);
    }
}

/* ---- Tails. ---- */

static size_t receive_until(int fd, char *buffer, size_t size, const char *wanted)
{
    size_t used = 0;
    for (int i = 0; i < 500 && used + 1 < size; i++) {
        used += client_receive(fd, buffer + used, size - used, 20, 1);
        if (strstr(buffer, wanted) != NULL) {
            break;
        }
    }
    return used;
}

static void tail_sends_records_and_resumes(void **state)
{
    struct fixture *fixture = *state;
    static const char first[] = "GET /api/v1/topics/*/tail?from=earliest HTTP/1.1\r\n" HOST "\r\n";
    static const char again[] =
        "GET /api/v1/topics/t/tail HTTP/1.1\r\n" HOST "Last-Event-ID: 2-0\r\n\r\n";
    fixture->fake.tail_records = 3;
    int fd = client_connect(fixture->port);
    client_send(fd, first, strlen(first));
    (void)receive_until(fd, fixture->answer, ANSWER_BYTES_MAX, "\"n\":3");
    assert_non_null(strstr(fixture->answer, "text/event-stream"));
    assert_non_null(strstr(fixture->answer, "id: 1-0\ndata: {\"n\":1}\n\n"));
    assert_non_null(strstr(fixture->answer, "id: 3-0\ndata: {\"n\":3}\n\n"));
    (void)close(fd);
    fd = client_connect(fixture->port);
    client_send(fd, again, strlen(again));
    (void)receive_until(fd, fixture->answer, ANSWER_BYTES_MAX, "\"n\":3");
    assert_int_equal(fixture->fake.from.sequence, 2);
    assert_null(strstr(fixture->answer, "id: 2-0")); /* the viewer has that one */
    assert_non_null(strstr(fixture->answer, "id: 3-0"));
    (void)close(fd);
}

static void large_records_come_in_pieces(void **state)
{
    struct fixture *fixture = *state;
    static const char request[] =
        "GET /api/v1/topics/t/tail?from=earliest HTTP/1.1\r\n" HOST "\r\n";
    fixture->fake.tail_records = 2;
    fixture->fake.record_bytes = 300000;
    const int fd = client_connect(fixture->port);
    client_send(fd, request, strlen(request));
    const size_t used = receive_until(fd, fixture->answer, ANSWER_BYTES_MAX, "xxx\"}\n\n\r\n");
    assert_true(used > 300000);
    (void)close(fd);
}

static void viewers_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    static const char request[] = "GET /api/v1/topics/t/tail HTTP/1.1\r\n" HOST "\r\n";
    int fds[MR_CONSOLE_TAILS_MAX];
    for (size_t i = 0; i < MR_ARRAY_LEN(fds); i++) {
        fds[i] = client_connect(fixture->port);
        client_send(fds[i], request, strlen(request));
        (void)receive_until(fds[i], fixture->answer, ANSWER_BYTES_MAX, ": following");
        assert_int_equal(client_status(fixture->answer), 200);
    }
    exchange(fixture, request);
    assert_problem(fixture, 503);
    for (size_t i = 0; i < MR_ARRAY_LEN(fds); i++) {
        (void)close(fds[i]);
    }
    /* tear_down() closes the console with the tails open, and sees that each was closed. */
}

/* ---- Embedded files. ---- */

static void kept_copy_is_not_sent_again(void **state)
{
    struct fixture *fixture = *state;
    char request[256];
    exchange(fixture, "GET /assets/app.css HTTP/1.1\r\n" HOST "\r\n");
    const char *tag = strstr(fixture->answer, "ETag: ");
    assert_non_null(tag);
    (void)snprintf(request, sizeof(request),
                   "GET /assets/app.css HTTP/1.1\r\n" HOST "If-None-Match: %.*s\r\n\r\n",
                   (int)strcspn(tag + 6, "\r\n"), tag + 6);
    exchange(fixture, request);
    assert_int_equal(client_status(fixture->answer), 304);
    exchange(fixture, "GET /assets/app.css HTTP/1.1\r\n" HOST "If-None-Match: \"another\"\r\n\r\n");
    assert_int_equal(client_status(fixture->answer), 200);
}

/* ---- Tokens. ---- */

static void token_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = {
        {"GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200},
        {"GET /readyz HTTP/1.1\r\n" HOST "\r\n", 200},
        {"GET /metrics HTTP/1.1\r\n" HOST "\r\n", 401},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "\r\n", 401},
        {"GET /api/v1/history HTTP/1.1\r\n" HOST "\r\n", 401},
        /* The page itself holds nothing secret: it asks for the token. */
        {"GET / HTTP/1.1\r\n" HOST "\r\n", 200},
        {"GET /assets/app.js HTTP/1.1\r\n" HOST "\r\n", 200},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "Authorization: Bearer " TOKEN "\r\n\r\n", 200},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "Authorization: bearer " TOKEN "\r\n\r\n", 200},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "Authorization: Bearer " TOKEN "x\r\n\r\n", 401},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "Authorization: Bearer 0123456789abcdef\r\n\r\n",
         401},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "Authorization: Bearer \r\n\r\n", 401},
        {"GET /api/v1/status HTTP/1.1\r\n" HOST "Authorization: Basic " TOKEN "\r\n\r\n", 401},
        {"GET /api/v1/status HTTP/1.1\r\nHost: any.name\r\nAuthorization: Bearer " TOKEN "\r\n\r\n",
         200},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        exchange(fixture, cases[i].request);
        print_message("    case %zu\n", i);
        assert_int_equal(client_status(fixture->answer), cases[i].status);
    }
    exchange(fixture, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
    assert_problem(fixture, 401);
    assert_non_null(strstr(fixture->answer, "WWW-Authenticate: Bearer"));
    assert_null(strstr(fixture->answer, TOKEN));
}

/* ---- Its own description. ---- */

static void openapi_has_every_route_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    json_error_t fault;
    size_t count = 0;
    exchange(fixture, "GET /api/v1/openapi.json HTTP/1.1\r\n" HOST "\r\n");
    json_t *document = json_loads(client_body(fixture->answer), 0, &fault);
    assert_non_null(document);
    json_t *paths = json_object_get(document, "paths");
    for (; mr_route_at(count) != NULL; count++) {
        const struct mr_route *route = mr_route_at(count);
        const char *method = strcmp(route->method, "GET") == 0 ? "get" : "post";
        print_message("    %s %s\n", route->method, route->path);
        json_t *operation = json_object_get(json_object_get(paths, route->path), method);
        assert_non_null(operation);
        assert_int_equal(route->is_open, json_object_get(operation, "security") != NULL);
    }
    assert_int_equal(json_object_size(paths), count);
    json_decref(document);
}

static void api_page_has_every_route(void **state)
{
    (void)state;
    FILE *file = fopen(MR_API_PAGE, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 18);
    assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
    (void)fclose(file);
    for (size_t i = 0; mr_route_at(i) != NULL; i++) {
        char wanted[200];
        (void)snprintf(wanted, sizeof(wanted), "`%s %s`", mr_route_at(i)->method,
                       mr_route_at(i)->path);
        if (strstr(text, wanted) == NULL) {
            fail_msg("docs/API.md does not tell of %s", wanted);
        }
    }
    free(text);
}

static void second_server_on_the_port_is_told(void **state)
{
    struct fixture *fixture = *state;
    char listen[32];
    struct mr_error err = {0};
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", fixture->port);
    const struct mr_console_settings settings = {
        .listen = listen, .query_rows_max = 1, .query_time_ms_max = 1, .env = &mr_env_posix};
    assert_null(mr_console_open(&settings, &fixture->backend, &err));
    assert_int_equal(err.code, MR_E_IO);
    assert_non_null(strstr(err.message, listen));
    assert_non_null(strstr(err.message, "in use"));
}

#define WITH_CONSOLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONSOLE(requests_get_their_answers),
        WITH_CONSOLE(health_and_readiness_say_why),
        WITH_CONSOLE(kept_copy_is_not_sent_again),
        WITH_CONSOLE(query_arrives_whole),
        WITH_CONSOLE(wrong_query_bodies_are_refused),
        WITH_CONSOLE(records_arrive_decoded),
        WITH_CONSOLE(chunked_body_is_bounded),
        WITH_CONSOLE(large_headers_are_refused),
        WITH_CONSOLE(noise_gets_no_answer_of_ours),
        WITH_CONSOLE(pipelined_requests_are_answered_in_order),
        WITH_CONSOLE(too_many_connections_leave_the_rest_alone),
        WITH_CONSOLE(queries_that_hang_leave_health_alone),
        WITH_CONSOLE(tail_sends_records_and_resumes),
        WITH_CONSOLE(large_records_come_in_pieces),
        WITH_CONSOLE(viewers_are_bounded),
        WITH_CONSOLE(openapi_has_every_route_and_no_other),
        WITH_CONSOLE(second_server_on_the_port_is_told),
        WITH_CONSOLE(slow_sender_is_cut_off),
        cmocka_unit_test(api_page_has_every_route),
        cmocka_unit_test_setup_teardown(token_is_asked_for, set_up_token, tear_down),
    };
    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
