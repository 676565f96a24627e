// SPDX-License-Identifier: MIT
/*
 * json_walk.h - the parts of a binary JSON document; what json_binary.c and json_diff.c share.
 */
#ifndef MR_SOURCE_MYSQL_JSON_WALK_H
#define MR_SOURCE_MYSQL_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "writer.h"

enum mr_json_type {
    MR_JSON_SMALL_OBJECT = 0,
    MR_JSON_LARGE_OBJECT = 1,
    MR_JSON_SMALL_ARRAY = 2,
    MR_JSON_LARGE_ARRAY = 3,
    MR_JSON_LITERAL = 4,
    MR_JSON_INT16 = 5,
    MR_JSON_UINT16 = 6,
    MR_JSON_INT32 = 7,
    MR_JSON_UINT32 = 8,
    MR_JSON_INT64 = 9,
    MR_JSON_UINT64 = 10,
    MR_JSON_DOUBLE = 11,
    MR_JSON_STRING = 12,
    MR_JSON_OPAQUE = 15,
};

/** An object or array, checked against its size. */
struct mr_json_container {
    struct mr_slice bytes; /* cut to the size it states */
    uint64_t count;
    size_t width;       /* of counts and offsets: 2 or 4 bytes */
    size_t keys_at;     /* key entries; the same as values_at in an array */
    size_t values_at;   /* value entries */
    size_t header_size; /* where the first key or value may start */
    bool is_object;
};

/** A value and what kind it is; `bytes` may go on past its end. */
struct mr_json_value {
    struct mr_slice bytes;
    uint8_t type; /* enum mr_json_type, not checked */
};

struct mr_json_printer {
    struct mr_writer *to;
    struct mr_error *err;
    unsigned depth;
};

static inline bool mr_json_is_container(uint8_t type)
{
    return type <= MR_JSON_LARGE_ARRAY;
}

/** MR_E_PROTOCOL, MR_STOP. */
bool mr_json_fail(struct mr_error *err, const char *what);

/** MR_E_LIMIT once the text has outgrown its writer. */
bool mr_json_fits(const struct mr_json_printer *printer) MR_MUST_CHECK;

bool mr_json_container_open(struct mr_json_value value, struct mr_json_container *container,
                            struct mr_error *err) MR_MUST_CHECK;
bool mr_json_container_key(const struct mr_json_container *container, uint64_t index,
                           struct mr_slice *key, struct mr_error *err) MR_MUST_CHECK;
bool mr_json_container_value(const struct mr_json_container *container, uint64_t index,
                             struct mr_json_value *value, struct mr_error *err) MR_MUST_CHECK;

/** A string in quotes, checked to be UTF-8. */
bool mr_json_print_string(struct mr_json_printer *printer, struct mr_slice text) MR_MUST_CHECK;
bool mr_json_print_value(struct mr_json_printer *printer, struct mr_json_value value) MR_MUST_CHECK;

#endif
