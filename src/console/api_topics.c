// SPDX-License-Identifier: MIT
/*
 * api_topics.c - the stream browser: topics, and a topic's records page by page.
 */
#include "console_internal.h"

#include <string.h>

#define RECORDS_DEFAULT 100

void mr_api_problem(struct mr_http_response *response, const struct mr_console_problem *problem)
{
    const bool is_valid = problem->status >= 400 && problem->status < 600;

    mr_http_problem(response, is_valid ? problem->status : 500, "%s", problem->detail);
}

bool mr_place_take(atomic_uint *count, unsigned max)
{
    if (atomic_fetch_add(count, 1) < max) {
        return true;
    }
    mr_place_leave(count);
    return false;
}

void mr_place_leave(atomic_uint *count)
{
    const unsigned before = atomic_fetch_sub(count, 1);
    MR_ASSERT(before > 0);
}

bool mr_cursor_parse(const char *text, struct mr_console_cursor fallback,
                     struct mr_console_cursor *cursor)
{
    MR_ASSERT(text != NULL);

    struct mr_console_cursor parsed = {.from = MR_CONSOLE_FROM_SEQUENCE};
    char sequence[MR_HTTP_VALUE_BYTES];
    uint64_t index = 0;
    const size_t length = strcspn(text, "-");

    if (text[0] == '\0') {
        *cursor = fallback;
        return true;
    }
    if (strcmp(text, "earliest") == 0 || strcmp(text, "latest") == 0) {
        *cursor = (struct mr_console_cursor){
            .from = text[0] == 'e' ? MR_CONSOLE_FROM_EARLIEST : MR_CONSOLE_FROM_LATEST,
        };
        return true;
    }
    if (length >= sizeof(sequence)) {
        return false;
    }
    memcpy(sequence, text, length);
    sequence[length] = '\0';
    if (!mr_http_parse_uint(sequence, UINT64_MAX, &parsed.sequence) ||
        (text[length] == '-' && !mr_http_parse_uint(text + length + 1, UINT32_MAX, &index))) {
        return false;
    }
    parsed.index = (uint32_t)index;
    *cursor = parsed;
    return true;
}

void mr_api_topics(struct mr_console *console, const struct mr_http_request *request,
                   struct mr_http_response *response)
{
    struct mr_json json = {0};

    (void)request;
    console->backend.topics(console->backend.context, &json);
    mr_http_json(response, 200, &json);
}

void mr_api_records(struct mr_console *console, const struct mr_http_request *request,
                    struct mr_http_response *response)
{
    MR_ASSERT(request->topic[0] != '\0');

    struct mr_console_records wanted = {.topic = request->topic, .limit = RECORDS_DEFAULT};
    const struct mr_console_cursor earliest = {.from = MR_CONSOLE_FROM_EARLIEST};
    const char *limit = mr_http_parameter(request, "limit");
    struct mr_console_problem problem = {0};
    struct mr_json json = {0};
    uint64_t number = RECORDS_DEFAULT;

    if (!mr_cursor_parse(mr_http_parameter(request, "from"), earliest, &wanted.from)) {
        mr_http_problem(response, 400,
                        "\"from\" must be earliest, latest, or a record's place: 1234 or 1234-5");
        return;
    }
    if (limit[0] != '\0' &&
        (!mr_http_parse_uint(limit, MR_CONSOLE_RECORDS_MAX, &number) || number == 0)) {
        mr_http_problem(response, 400, "\"limit\" must be a number from 1 to %d",
                        MR_CONSOLE_RECORDS_MAX);
        return;
    }
    wanted.limit = (uint32_t)number;
    if (console->backend.records(console->backend.context, &wanted, &json, &problem)) {
        mr_http_json(response, 200, &json);
    } else {
        mr_json_done(&json);
        mr_api_problem(response, &problem);
    }
}
