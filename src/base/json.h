// SPDX-License-Identifier: MIT
/*
 * json.h - a JSON writer into a growing buffer. Parsing is jansson's.
 *
 * Commas are placed by the writer. Strings are escaped; bytes that are not UTF-8 become U+FFFD.
 */
#ifndef MR_BASE_JSON_H
#define MR_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

struct mr_json {
    char *text; /* NUL-terminated once anything was written; free with mr_json_done() */
    size_t length;
    size_t capacity;
    bool needs_comma;
};

void mr_json_done(struct mr_json *json);
void mr_json_reset(struct mr_json *json);

void mr_json_object_begin(struct mr_json *json);
void mr_json_object_end(struct mr_json *json);
void mr_json_array_begin(struct mr_json *json);
void mr_json_array_end(struct mr_json *json);
void mr_json_key(struct mr_json *json, const char *key);

void mr_json_string(struct mr_json *json, const char *text); /* NULL gives null */
void mr_json_slice(struct mr_json *json, struct mr_slice text);
void mr_json_int(struct mr_json *json, int64_t number);
void mr_json_uint(struct mr_json *json, uint64_t number);
void mr_json_double(struct mr_json *json, double number); /* NaN and infinities give null */
void mr_json_bool(struct mr_json *json, bool value);
void mr_json_null(struct mr_json *json);
void mr_json_raw(struct mr_json *json, const char *text, size_t length); /* already JSON */

#endif
