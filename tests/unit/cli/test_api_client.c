// SPDX-License-Identifier: MIT
/* The commands' HTTP client, against the real console in this process (with a backend of fixed
 * texts). */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_client.h"
#include "console.h"
#include "fake_backend.h"

#define TOKEN "0123456789abcdef0123"

struct fixture {
    struct fake_backend fake;
    struct mr_console_backend backend;
    struct mr_console *console;
    char url[64];
};

static int set_up_with(void **state, const char *token)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const struct mr_console_settings settings = {
        .listen = "127.0.0.1:0",
        .token = token,
        .query_rows_max = 1000,
        .query_time_ms_max = 1000,
        .env = &mr_env_posix,
    };
    struct mr_error err = {0};
    fixture->backend = fake_backend_make(&fixture->fake);
    fixture->console = mr_console_open(&settings, &fixture->backend, &err);
    assert_non_null(fixture->console);
    (void)snprintf(fixture->url, sizeof(fixture->url), "http://127.0.0.1:%u/",
                   mr_console_port(fixture->console));
    *state = fixture;
    return 0;
}

static int set_up(void **state)
{
    (void)unsetenv("MILLRACE_TOKEN");
    return set_up_with(state, NULL);
}

static int set_up_token(void **state)
{
    return set_up_with(state, TOKEN);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    mr_console_close(fixture->console);
    free(fixture);
    return 0;
}

/* GET, or POST when json is given; the status, 0 when nobody answered. */
static long request(const char *url, const char *path, const char *json, struct mr_error *err)
{
    long status = 0;
    struct mr_api_answer answer = {0};
    struct mr_api_client *client = mr_api_client_open(url, err);
    assert_non_null(client);
    if (mr_api_client_request(client, path, json, &answer, err)) {
        status = answer.status;
        if (status != 200) {
            (void)mr_api_answer_fail(&answer, err);
        }
    }
    mr_api_answer_done(&answer);
    mr_api_client_close(client);
    return status;
}

static void answers_and_problems_arrive(void **state)
{
    const struct fixture *fixture = *state;
    struct mr_error err = {0};
    assert_int_equal(request(fixture->url, "/api/v1/status", NULL, &err), 200);
    assert_int_equal(request(fixture->url, "/api/v1/query", "{\"sql\":\"a\"}", &err), 200);
    assert_string_equal(fixture->fake.sql, "a");
    assert_int_equal(request(fixture->url, "/api/v1/query", "{\"sql\":\"bad\"}", &err), 400);
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_string_equal(err.message, "no such table: \"bad\"");
}

static void address_comes_from_the_environment(void **state)
{
    const struct fixture *fixture = *state;
    struct mr_error err = {0};
    assert_int_equal(setenv("MILLRACE_URL", fixture->url, 1), 0);
    assert_int_equal(request(NULL, "/healthz", NULL, &err), 200);
    (void)unsetenv("MILLRACE_URL");
}

static void token_is_sent(void **state)
{
    const struct fixture *fixture = *state;
    struct mr_error err = {0};
    (void)unsetenv("MILLRACE_TOKEN");
    assert_int_equal(request(fixture->url, "/api/v1/status", NULL, &err), 401);
    assert_non_null(strstr(err.message, "MILLRACE_TOKEN"));
    assert_int_equal(setenv("MILLRACE_TOKEN", TOKEN, 1), 0);
    assert_int_equal(request(fixture->url, "/api/v1/status", NULL, &err), 200);
    assert_int_equal(setenv("MILLRACE_TOKEN", "a\r\nX: y", 1), 0);
    assert_null(mr_api_client_open(fixture->url, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    (void)unsetenv("MILLRACE_TOKEN");
}

static void nobody_there_is_said(void **state)
{
    struct mr_error err = {0};
    (void)state;
    assert_int_equal(request("http://127.0.0.1:1", "/healthz", NULL, &err), 0);
    assert_int_equal(err.code, MR_E_NET);
    assert_non_null(strstr(err.message, "http://127.0.0.1:1 does not answer"));
    assert_null(mr_api_client_open("ftp://x", &err));
    assert_int_equal(err.code, MR_E_CONFIG);
}

struct lines {
    unsigned count;
    unsigned wanted;
    char last[256];
};

static bool take_line(void *context, const char *line)
{
    struct lines *lines = context;
    if (strncmp(line, "data: ", 6) == 0) {
        lines->count++;
        (void)snprintf(lines->last, sizeof(lines->last), "%s", line);
    }
    return lines->count < lines->wanted;
}

static void stream_comes_line_by_line(void **state)
{
    struct fixture *fixture = *state;
    struct lines lines = {.wanted = 3};
    struct mr_error err = {0};
    fixture->fake.tail_records = 5;
    fixture->fake.record_bytes = 50000;
    struct mr_api_client *client = mr_api_client_open(fixture->url, &err);
    assert_true(mr_api_client_follow(client, "/api/v1/topics/*/tail?from=earliest", take_line,
                                     &lines, &err));
    assert_int_equal(lines.count, 3);
    assert_non_null(strstr(lines.last, "{\"n\":3,"));
    assert_false(mr_api_client_follow(client, "/api/v1/topics/gone/tail", take_line, &lines, &err));
    assert_string_equal(err.message, "no such topic");
    mr_api_client_close(client);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    char *escaped = mr_api_escape("ops.a/b ?\xe2\x82\xac*-_");
    assert_string_equal(escaped, "ops.a%2Fb%20%3F%E2%82%AC*-_");
    free(escaped);
}

#define WITH_CONSOLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONSOLE(answers_and_problems_arrive),
        WITH_CONSOLE(address_comes_from_the_environment),
        cmocka_unit_test_setup_teardown(token_is_sent, set_up_token, tear_down),
        cmocka_unit_test(nobody_there_is_said),
        WITH_CONSOLE(stream_comes_line_by_line),
        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests_name("api_client", tests, NULL, NULL);
}
