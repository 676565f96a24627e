// SPDX-License-Identifier: MIT
/*
 * api_client.c - see api_client.h. libcurl does the work; every answer is bounded.
 */
#include "api_client.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "memory.h"
#include "pipeline.h"

#define URL_DEFAULT      "http://127.0.0.1:8989"
#define URL_BYTES_MAX    4096
#define CONNECT_MS_MAX   5000
#define ANSWER_S_MAX     3900 /* longer than any query may take: the server ends it */
#define LINE_BYTES_MAX   ((size_t)64 << 20)
#define SILENT_S_MAX     60 /* a tail says something every 10 s */
#define HEADER_BYTES_MAX 1024

struct mr_api_client {
    CURL *curl;
    char base[URL_BYTES_MAX / 2];
    struct curl_slist *headers;
};

static bool is_scheme_known(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

/* Bytes that cannot be sent in a header are no token. */
static bool add_token(struct mr_api_client *client, struct mr_error *err)
{
    const char *token = mr_cli_variable("MILLRACE_TOKEN");
    char header[HEADER_BYTES_MAX];

    if (token == NULL || token[0] == '\0') {
        return true;
    }
    if (strpbrk(token, "\r\n") != NULL || strlen(token) > sizeof(header) - 64) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "MILLRACE_TOKEN is too long, or holds a line end");
    }
    (void)snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
    client->headers = curl_slist_append(client->headers, header);
    MR_ASSERT(client->headers != NULL);
    return true;
}

struct mr_api_client *mr_api_client_open(const char *url, struct mr_error *err)
{
    struct mr_api_client *client = NULL;

    if (url == NULL) {
        url = mr_cli_variable("MILLRACE_URL");
    }
    if (url == NULL || url[0] == '\0') {
        url = URL_DEFAULT;
    }
    if (!is_scheme_known(url) || strlen(url) >= sizeof(client->base)) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "\"%s\" is no address; write http://host:port", url);
        return NULL;
    }
    client = mr_memory_new(1, sizeof(*client));
    (void)snprintf(client->base, sizeof(client->base), "%s", url);
    for (size_t length = strlen(client->base); length > 0 && client->base[length - 1] == '/';) {
        client->base[--length] = '\0';
    }
    if (!add_token(client, err)) {
        goto failed;
    }
    client->headers = curl_slist_append(client->headers, "Content-Type: application/json");
    client->curl = curl_easy_init();
    MR_ASSERT(client->headers != NULL && client->curl != NULL);
    return client;

failed:
    mr_api_client_close(client);
    return NULL;
}

void mr_api_client_close(struct mr_api_client *client)
{
    if (client != NULL) {
        curl_slist_free_all(client->headers);
        curl_easy_cleanup(client->curl);
        free(client);
    }
}

void mr_api_answer_done(struct mr_api_answer *answer)
{
    free(answer->body);
    *answer = (struct mr_api_answer){0};
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    MR_ASSERT(size == 1 || count <= SIZE_MAX / size);

    struct mr_api_answer *answer = context;
    const size_t length = size * count;

    if (length > MR_API_ANSWER_BYTES_MAX - answer->length) {
        return 0;
    }
    answer->body = mr_memory_resize(answer->body, answer->length + length + 1, 1);
    memcpy(answer->body + answer->length, bytes, length);
    answer->length += length;
    answer->body[answer->length] = '\0';
    return length;
}

static void prepare(struct mr_api_client *client, const char *path, char reason[CURL_ERROR_SIZE])
{
    char url[URL_BYTES_MAX];
    CURL *curl = client->curl;

    MR_ASSERT(path[0] == '/');
    (void)snprintf(url, sizeof(url), "%s%s", client->base, path);
    curl_easy_reset(curl);
    reason[0] = '\0';
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS_MAX);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
}

static bool fail_request(const struct mr_api_client *client, CURLcode code, const char *reason,
                         struct mr_error *err)
{
    return mr_fail(err, MR_E_NET, MR_STOP,
                   "%s does not answer: %s; is `millrace run` running there? --url or MILLRACE_URL "
                   "names another address",
                   client->base, reason[0] != '\0' ? reason : curl_easy_strerror(code));
}

bool mr_api_client_request(struct mr_api_client *client, const char *path, const char *json,
                           struct mr_api_answer *answer, struct mr_error *err)
{
    MR_ASSERT(client->curl != NULL && path != NULL);

    char reason[CURL_ERROR_SIZE];

    *answer = (struct mr_api_answer){0};
    prepare(client, path, reason);
    (void)curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, (long)ANSWER_S_MAX);
    (void)curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, answer);
    if (json != NULL) {
        (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(json));
        (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, json);
    }
    const CURLcode code = curl_easy_perform(client->curl);
    if (code != CURLE_OK) {
        mr_api_answer_done(answer);
        return fail_request(client, code, reason, err);
    }
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (answer->body == NULL) {
        answer->body = mr_memory_copy_text("", 0);
    }
    return true;
}

bool mr_api_answer_fail(const struct mr_api_answer *answer, struct mr_error *err)
{
    MR_ASSERT(answer->status != 0);

    json_t *problem = json_loads(answer->body != NULL ? answer->body : "", 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    if (answer->status == 401) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "the console wants its token; set MILLRACE_TOKEN");
    } else if (detail != NULL) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "%s", detail);
    } else {
        mr_fail(err, MR_E_NET, MR_STOP, "the server answered with status %ld", answer->status);
    }
    json_decref(problem);
    return false;
}

/* ---- Streams, line by line. ---- */

struct follower {
    CURL *curl;
    mr_api_line_fn line;
    void *context;
    struct mr_api_answer text; /* the line that is being received, or a whole problem */
    bool is_ended;
};

static size_t take_lines(char *bytes, size_t size, size_t count, void *context)
{
    MR_ASSERT(context != NULL);

    struct follower *follower = context;
    struct mr_api_answer *text = &follower->text;
    const size_t length = size * count;

    (void)curl_easy_getinfo(follower->curl, CURLINFO_RESPONSE_CODE, &text->status);
    if (length > LINE_BYTES_MAX - text->length || take_body(bytes, 1, length, text) != length) {
        return 0;
    }
    if (text->status != 200) {
        return length;
    }
    char *start = text->body;
    for (char *end; (end = strchr(start, '\n')) != NULL; start = end + 1) {
        *end = '\0';
        if (!follower->line(follower->context, start)) {
            follower->is_ended = true;
            return 0; /* makes libcurl stop */
        }
    }
    text->length -= (size_t)(start - text->body);
    memmove(text->body, start, text->length + 1);
    return length;
}

bool mr_api_client_follow(struct mr_api_client *client, const char *path, mr_api_line_fn line,
                          void *context, struct mr_error *err)
{
    MR_ASSERT(client->curl != NULL && line != NULL);

    char reason[CURL_ERROR_SIZE];
    struct follower follower = {.curl = client->curl, .line = line, .context = context};
    bool followed = false;

    prepare(client, path, reason);
    (void)curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S_MAX);
    (void)curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, take_lines);
    (void)curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &follower);
    const CURLcode code = curl_easy_perform(client->curl);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &follower.text.status);
    if (code != CURLE_OK && !follower.is_ended) {
        fail_request(client, code, reason, err);
    } else if (follower.text.status != 200) {
        mr_api_answer_fail(&follower.text, err);
    } else {
        followed = true;
    }
    mr_api_answer_done(&follower.text);
    return followed;
}

char *mr_api_escape(const char *text)
{
    MR_ASSERT(text != NULL);

    static const char hex[] = "0123456789ABCDEF";
    const size_t length = strlen(text);
    char *escaped = mr_memory_new(3 * length + 1, 1);
    char *to = escaped;

    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || strchr("-._*", byte) != NULL;
        if (is_plain) {
            *to++ = *at;
        } else {
            *to++ = '%';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    return escaped;
}
