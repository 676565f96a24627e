// SPDX-License-Identifier: MIT
/*
 * json.c - writing JSON (RFC 8259) into a growing buffer.
 *
 * Invariants:
 *   - text[length] is NUL once anything was written; length < capacity;
 *   - the output is always valid UTF-8: bytes that are not become U+FFFD, one for each byte that
 *     starts no valid sequence.
 */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "memory.h"

#define CAPACITY_MIN     256
#define REPLACEMENT      "\xef\xbf\xbd" /* U+FFFD in UTF-8 */
#define NUMBER_BYTES_MAX 32

void mr_json_done(struct mr_json *json)
{
    if (json == NULL) {
        return;
    }
    free(json->text);
    *json = (struct mr_json){0};
}

void mr_json_reset(struct mr_json *json)
{
    json->length = 0;
    json->needs_comma = false;
    if (json->text != NULL) {
        json->text[0] = '\0';
    }
}

static void append(struct mr_json *json, const void *bytes, size_t length)
{
    MR_ASSERT(length < SIZE_MAX / 4 && json->length < SIZE_MAX / 4);
    if (json->capacity - json->length <= length) {
        size_t capacity = json->capacity < CAPACITY_MIN ? CAPACITY_MIN : json->capacity;
        while (capacity - json->length <= length) {
            capacity *= 2;
        }
        json->text = mr_memory_resize(json->text, capacity, 1);
        json->capacity = capacity;
    }
    if (length > 0) {
        memcpy(json->text + json->length, bytes, length);
    }
    json->length += length;
    json->text[json->length] = '\0';
}

static void begin_value(struct mr_json *json)
{
    if (json->needs_comma) {
        append(json, ",", 1);
    }
    json->needs_comma = true;
}

static void open_with(struct mr_json *json, const char *bracket)
{
    begin_value(json);
    append(json, bracket, 1);
    json->needs_comma = false;
}

static void close_with(struct mr_json *json, const char *bracket)
{
    MR_ASSERT(json->length > 0);
    append(json, bracket, 1);
    json->needs_comma = true;
}

void mr_json_object_begin(struct mr_json *json)
{
    open_with(json, "{");
}

void mr_json_object_end(struct mr_json *json)
{
    close_with(json, "}");
}

void mr_json_array_begin(struct mr_json *json)
{
    open_with(json, "[");
}

void mr_json_array_end(struct mr_json *json)
{
    close_with(json, "]");
}

/*
 * Length of the valid UTF-8 sequence at bytes, or 0. Ranges of the second byte: Unicode standard,
 * table 3-7, which leaves out overlong forms, surrogates and what is past U+10FFFF.
 */
static size_t utf8_sequence(const uint8_t *bytes, size_t left)
{
    const uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || length > left) {
        return 0;
    }
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : low;
    high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : high;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static void append_escaped(struct mr_json *json, uint8_t byte)
{
    static const char short_forms[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[8];
    if (byte == '"' || byte == '\\') {
        append(json, (const char[]){'\\', (char)byte}, 2);
        return;
    }
    MR_ASSERT(byte < sizeof(short_forms));
    if (short_forms[byte] != 0) {
        append(json, (const char[]){'\\', short_forms[byte]}, 2);
        return;
    }
    const int length = snprintf(text, sizeof(text), "\\u%04x", byte);
    append(json, text, (size_t)length);
}

static void append_string(struct mr_json *json, const uint8_t *bytes, size_t length)
{
    size_t plain = 0; /* start of the run of bytes that are copied as they are */
    size_t i = 0;
    append(json, "\"", 1);
    while (i < length) {
        const bool escaped = bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\';
        const size_t step = escaped ? 0 : utf8_sequence(bytes + i, length - i);
        if (step > 0) {
            i += step;
            continue;
        }
        append(json, bytes + plain, i - plain);
        if (escaped) {
            append_escaped(json, bytes[i]);
        } else {
            append(json, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        }
        plain = ++i;
    }
    if (length > 0) {
        append(json, bytes + plain, length - plain);
    }
    append(json, "\"", 1);
}

void mr_json_key(struct mr_json *json, const char *key)
{
    MR_ASSERT(key != NULL);
    begin_value(json);
    append_string(json, (const uint8_t *)key, strlen(key));
    append(json, ":", 1);
    json->needs_comma = false;
}

void mr_json_string(struct mr_json *json, const char *text)
{
    if (text == NULL) {
        mr_json_null(json);
        return;
    }
    mr_json_slice(json, mr_slice_of(text));
}

void mr_json_slice(struct mr_json *json, struct mr_slice text)
{
    MR_ASSERT(text.bytes != NULL || text.length == 0);
    begin_value(json);
    append_string(json, text.bytes, text.length);
}

void mr_json_int(struct mr_json *json, int64_t number)
{
    char text[NUMBER_BYTES_MAX];
    const int length = snprintf(text, sizeof(text), "%" PRId64, number);
    mr_json_raw(json, text, (size_t)length);
}

void mr_json_uint(struct mr_json *json, uint64_t number)
{
    char text[NUMBER_BYTES_MAX];
    const int length = snprintf(text, sizeof(text), "%" PRIu64, number);
    mr_json_raw(json, text, (size_t)length);
}

void mr_json_double(struct mr_json *json, double number)
{
    if (!isfinite(number)) {
        mr_json_null(json);
        return;
    }
    char text[NUMBER_BYTES_MAX];
    int length = 0;
    /* The shortest form that reads back as the same number. */
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    MR_ASSERT(length > 0 && (size_t)length < sizeof(text));
    mr_json_raw(json, text, (size_t)length);
}

void mr_json_bool(struct mr_json *json, bool value)
{
    mr_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void mr_json_null(struct mr_json *json)
{
    mr_json_raw(json, "null", 4);
}

void mr_json_raw(struct mr_json *json, const char *text, size_t length)
{
    MR_ASSERT(text != NULL);
    begin_value(json);
    append(json, text, length);
}
