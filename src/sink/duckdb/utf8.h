// SPDX-License-Identifier: MIT
/*
 * utf8.h - is this UTF-8? One pass, eight ASCII bytes at a time.
 */
#ifndef MR_SINK_DUCKDB_UTF8_H
#define MR_SINK_DUCKDB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mr_utf8 {
    MR_UTF8_ASCII,   /* every byte below 0x80: any cut of it is valid too */
    MR_UTF8_VALID,   /* as a whole; a cut may still part a character */
    MR_UTF8_INVALID, /* overlong, surrogate, above U+10FFFF, truncated or stray bytes */
};

enum mr_utf8 mr_utf8_check(const uint8_t *bytes, size_t length);

#endif
