// SPDX-License-Identifier: MIT
/*
 * slice.h - a pointer and a length: bytes that belong to somebody else.
 */
#ifndef MR_BASE_SLICE_H
#define MR_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mr_slice {
    const uint8_t *bytes; /* borrowed; may be NULL when length is 0 */
    size_t length;
};

static inline struct mr_slice mr_slice_of(const char *text)
{
    return (struct mr_slice){.bytes = (const uint8_t *)text, .length = strlen(text)};
}

static inline bool mr_slice_equals(struct mr_slice left, struct mr_slice right)
{
    return left.length == right.length &&
           (left.length == 0 || memcmp(left.bytes, right.bytes, left.length) == 0);
}

#endif
