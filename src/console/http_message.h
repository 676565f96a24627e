// SPDX-License-Identifier: MIT
/*
 * http_message.h - a request as handlers see it, and the answer they fill in.
 *
 * Paths and parameters are decoded here, strictly and once: a wrong %-sequence, a zero byte, a
 * control character or text that is not UTF-8 is a 400, never something to guess at.
 */
#ifndef MR_CONSOLE_HTTP_MESSAGE_H
#define MR_CONSOLE_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "console.h"
#include "json.h"

#define MR_HTTP_PARAMETERS_MAX 4
#define MR_HTTP_VALUE_BYTES    512 /* of a query parameter, with its NUL */

struct mr_http_parameter {
    const char *name; /* the route's; its value is "" when it was not given */
    char value[MR_HTTP_VALUE_BYTES];
};

struct mr_http_request {
    char topic[MR_CONSOLE_TOPIC_BYTES_MAX + 1]; /* what {...} stands for in the path */
    const char *route;                          /* the path as the table of routes has it */
    struct mr_http_parameter parameters[MR_HTTP_PARAMETERS_MAX];
    size_t parameter_count;
    const char *last_event_id; /* header of a tail that reconnects; NULL: none */
    const char *if_none_match; /* header: the ETag of a kept copy; NULL: none */
    bool takes_gzip;           /* as an encoding of the answer */
    const char *body;          /* length bytes; NULL when there is none */
    size_t body_length;
};

/** An answer: a body, or a stream of pieces. Zeroed before a handler sees it. */
struct mr_http_response {
    unsigned status;
    const char *content_type;
    char *body; /* malloc'ed; the server frees it */
    size_t body_length;
    const char *allow;      /* value of Allow, for 405; or NULL */
    unsigned retry_after_s; /* 0: no such header */
    bool wants_token;       /* adds WWW-Authenticate */
    const char *etag;       /* with it the answer may be kept, and is asked for again; or NULL */
    const char *content_encoding;
    const char *content_policy; /* Content-Security-Policy; NULL: nothing may be loaded */

    /* A stream: writes up to size bytes, returns how many; -1 at the end. It may wait. */
    ssize_t (*stream_next)(void *stream, char *bytes, size_t size);
    void (*stream_close)(void *stream);
    void *stream;
};

/** Makes the answer a problem document. */
void mr_http_problem(struct mr_http_response *response, unsigned status, const char *format, ...)
    MR_PRINTF(3, 4);

/** Makes the answer a JSON document; takes the text out of *json. */
void mr_http_json(struct mr_http_response *response, unsigned status, struct mr_json *json);

/** Makes the answer a copy of constant bytes. */
void mr_http_bytes(struct mr_http_response *response, const char *content_type, const void *bytes,
                   size_t length);

/** Value of a parameter, "" when it was not given. The name must be the route's. */
const char *mr_http_parameter(const struct mr_http_request *request, const char *name);

/**
 * Decodes %XX from length bytes of text into size bytes with a NUL. False: a wrong sequence, a
 * control character, not UTF-8, or too long.
 */
bool mr_http_decode(const char *text, size_t length, char *decoded, size_t size);

/** Parses a decimal number without sign or spaces, at most max. */
bool mr_http_parse_uint(const char *text, uint64_t max, uint64_t *number);

/** The phrase of a status: "Not Found". */
const char *mr_http_status_phrase(unsigned status);

#endif
