// SPDX-License-Identifier: MIT
/*
 * charset.h - MySQL's character sets: from a collation's number to UTF-8 bytes.
 *
 * utf8mb3, utf8mb4 and ascii are checked and copied; single-byte sets (latin1, which is cp1252 with
 * its five gaps mapped to U+0081 .. U+009D, cp1250, koi8r, ...) are converted by the server's own
 * tables; the Unicode sets and cp932, euckr, gb2312 and gbk go through iconv, which gives what the
 * server gives for every character of these. big5, eucjpms, gb18030, sjis and ujis have no
 * converter, because iconv disagrees with the server: columns in them are refused.
 * Bytes that the character set does not define are an error, never a replacement character.
 *
 * Source: MySQL manual, "Character Sets, Collations, Unicode"; charset_tables.c says where the
 * tables come from.
 */
#ifndef MR_SOURCE_MYSQL_CHARSET_H
#define MR_SOURCE_MYSQL_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"

enum mr_charset_kind {
    MR_CHARSET_UTF8 = 1, /* utf8mb3 and utf8mb4 */
    MR_CHARSET_ASCII,
    MR_CHARSET_TABLE, /* one byte a character */
    MR_CHARSET_BINARY,
    MR_CHARSET_ICONV,
};

struct mr_charset {
    const char *name;       /* as the servers print it today: "utf8mb3", never "utf8" */
    const char *iconv_name; /* ICONV alone; NULL: no converter, its columns are refused */
    const uint16_t *upper;  /* TABLE: Unicode of bytes 128 to 255, 0 where undefined */
    const uint16_t *lower;  /* TABLE: of bytes 0 to 127; NULL: they are ASCII */
    enum mr_charset_kind kind;
    uint8_t char_bytes_max; /* bytes of the longest character */
};

/** Keeps an iconv handle between conversions; a zeroed one is opened at first use. */
struct mr_charset_converter {
    void *iconv;
};

/** No conversion makes more than this many bytes of one. */
#define MR_CHARSET_GROWTH_MAX 3

/** By name; "utf8" is utf8mb3. NULL when unknown. */
const struct mr_charset *mr_charset_find(struct mr_slice name);

/** The character set a collation belongs to; NULL when the number is unknown. */
const struct mr_charset *mr_charset_of_collation(uint32_t collation);

/** False for the sets whose columns are refused. */
bool mr_charset_is_supported(const struct mr_charset *charset);

/** True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms, <= U+10FFFF). */
bool mr_utf8_is_valid(const uint8_t *bytes, size_t length);

/** Bytes up to the first that has its high bit set, or all. */
size_t mr_ascii_prefix(const uint8_t *bytes, size_t length);

/**
 * Converts text of any character set but BINARY into UTF-8 at `to`, which has room for
 * text.length * MR_CHARSET_GROWTH_MAX bytes; *length is what was written.
 * Errors: MR_E_TYPE, MR_STOP: bytes that are not of the character set; no converter for it.
 */
bool mr_charset_convert(const struct mr_charset *charset, struct mr_charset_converter *converter,
                        struct mr_slice text, uint8_t *to, size_t *length,
                        struct mr_error *err) MR_MUST_CHECK;

/** Closes the handle; accepts a zeroed one. */
void mr_charset_close(struct mr_charset_converter *converter);

#endif
