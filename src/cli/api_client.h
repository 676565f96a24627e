// SPDX-License-Identifier: MIT
/*
 * api_client.h - requests to a running millrace, for the commands that look at one.
 *
 * The address is --url, else MILLRACE_URL, else http://127.0.0.1:8989; MILLRACE_TOKEN is sent when
 * it is set. Proxies are not used for loopback addresses.
 */
#ifndef MR_CLI_API_CLIENT_H
#define MR_CLI_API_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "options.h"

#define MR_API_ANSWER_BYTES_MAX ((size_t)256 << 20)

struct mr_api_client;

struct mr_api_answer {
    long status;
    char *body; /* NUL-terminated */
    size_t length;
};

/** url may be NULL. Returns NULL with MR_E_CONFIG when it is not http:// or https://. */
struct mr_api_client *mr_api_client_open(const char *url, struct mr_error *err);
void mr_api_client_close(struct mr_api_client *client); /* accepts NULL */

/**
 * GET path (with its query string), or POST when json is not NULL. False when there was no answer:
 * MR_E_NET with the address and what to look at. Any status counts as an answer.
 */
bool mr_api_client_request(struct mr_api_client *client, const char *path, const char *json,
                           struct mr_api_answer *answer, struct mr_error *err) MR_MUST_CHECK;

void mr_api_answer_done(struct mr_api_answer *answer);

/** Fills *err from a problem document, or from the status alone. Returns false. */
bool mr_api_answer_fail(const struct mr_api_answer *answer, struct mr_error *err);

/** Called for each line of a stream, without its line feed; false ends the stream. */
typedef bool (*mr_api_line_fn)(void *context, const char *line);

/** GET path and hand on its lines until the server, or the callback, ends. */
bool mr_api_client_follow(struct mr_api_client *client, const char *path, mr_api_line_fn line,
                          void *context, struct mr_error *err) MR_MUST_CHECK;

/** text with everything but letters, digits, "-", "." and "_" as %XX. free() it. */
char *mr_api_escape(const char *text);

/** The --url flag, for the commands' tables: the struct's `const char *url`. */
#define MR_API_URL_FLAG(type_name)                                                                 \
    {                                                                                              \
        .name = "url", .type = MR_OPT_STRING, .offset = offsetof(type_name, url),                  \
        .help = "address of the running millrace; MILLRACE_URL, or http://127.0.0.1:8989"          \
    }

#endif
