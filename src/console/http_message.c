// SPDX-License-Identifier: MIT
/*
 * http_message.c - see http_message.h.
 */
#include "http_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define DETAIL_BYTES_MAX 700

static const struct status_phrase {
    unsigned status;
    const char *phrase;
} status_phrases[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

const char *mr_http_status_phrase(unsigned status)
{
    MR_ASSERT(status >= 200 && status < 600);

    for (size_t i = 0; i < MR_ARRAY_LEN(status_phrases); i++) {
        if (status_phrases[i].status == status) {
            return status_phrases[i].phrase;
        }
    }
    return status < 500 ? "Client Error" : "Server Error";
}

void mr_http_json(struct mr_http_response *response, unsigned status, struct mr_json *json)
{
    MR_ASSERT(response->body == NULL);

    response->status = status;
    response->content_type = "application/json";
    response->body = json->text;
    response->body_length = json->length;
    *json = (struct mr_json){0};
}

void mr_http_problem(struct mr_http_response *response, unsigned status, const char *format, ...)
{
    char detail[DETAIL_BYTES_MAX];
    struct mr_json json = {0};
    va_list arguments;

    MR_ASSERT(status >= 400 && status < 600);
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);

    mr_json_object_begin(&json);
    mr_json_key(&json, "type");
    mr_json_string(&json, "about:blank");
    mr_json_key(&json, "title");
    mr_json_string(&json, mr_http_status_phrase(status));
    mr_json_key(&json, "status");
    mr_json_uint(&json, status);
    mr_json_key(&json, "detail");
    mr_json_string(&json, detail);
    mr_json_object_end(&json);
    mr_http_json(response, status, &json);
    response->content_type = "application/problem+json";
}

void mr_http_bytes(struct mr_http_response *response, const char *content_type, const void *bytes,
                   size_t length)
{
    MR_ASSERT(response->body == NULL);

    response->status = 200;
    response->content_type = content_type;
    response->body = mr_memory_copy_text(bytes, length);
    response->body_length = length;
}

const char *mr_http_parameter(const struct mr_http_request *request, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < request->parameter_count && value == NULL; i++) {
        if (strcmp(request->parameters[i].name, name) == 0) {
            value = request->parameters[i].value;
        }
    }
    MR_ASSERT(value != NULL); /* the name must be one of the route's */
    return value;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes that the first byte of a UTF-8 sequence announces, 0 when none begins with it. */
static size_t utf8_announced(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes of the UTF-8 sequence at the start of text (RFC 3629), 0 when there is no valid one. */
static size_t utf8_length(const unsigned char *text, size_t length)
{
    MR_ASSERT(length > 0);

    const unsigned char first = text[0];
    const size_t announced = utf8_announced(first);

    if (announced == 0 || announced > length) {
        return 0;
    }
    for (size_t i = 1; i < announced; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    const bool surrogate = first == 0xed && text[1] >= 0xa0;
    const bool beyond = first == 0xf4 && text[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : announced;
}

static bool is_clean_text(const unsigned char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        if (text[i] < 0x20 || text[i] == 0x7f) {
            return false;
        }
        const size_t step = utf8_length(text + i, length - i);
        if (step == 0) {
            return false;
        }
        i += step;
    }
    return true;
}

bool mr_http_decode(const char *text, size_t length, char *decoded, size_t size)
{
    size_t used = 0;

    MR_ASSERT(size > 0);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '%') {
            const int high = i + 1 < length ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            byte = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (used + 1 >= size) {
            return false;
        }
        decoded[used++] = (char)byte;
    }
    decoded[used] = '\0';
    return is_clean_text((const unsigned char *)decoded, used);
}

bool mr_http_parse_uint(const char *text, uint64_t max, uint64_t *number)
{
    MR_ASSERT(text != NULL);

    uint64_t value = 0;

    if (text[0] == '\0') {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
        const uint64_t digit = (uint64_t)(*at - '0');
        if (value > (max - digit) / 10 || digit > max) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}
