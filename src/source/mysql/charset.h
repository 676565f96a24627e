// SPDX-License-Identifier: MIT
/*
 * charset.h - MySQL's character sets: from a collation's number to UTF-8 bytes.
 *
 * utf8mb3, utf8mb4 and ascii are checked and copied; single-byte sets (latin1, which is cp1252 with
 * its five gaps mapped to U+0081 .. U+009D, cp1250, koi8r, ...) are converted by the server's own
 * tables; the Unicode sets and the Asian ones go through iconv, corrected where the server
 * disagrees with it (charset_runs.c), so that every character comes out as the server shows it.
 * One exception: seven characters of big5 that the server shows as U+FFFD, all alike, come out as
 * the characters that they are.
 * Bytes that the character set does not define are an error, never a replacement character.
 *
 * Verified over all characters of all sets by tests/e2e/mysql_charsets.py.
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

/** How long a character is; ASCII is one byte, but in the sets of WHOLE. */
enum mr_charset_form {
    MR_CHARSET_WHOLE = 0, /* not looked at: no runs */
    MR_CHARSET_PAIRS,     /* 0x80 and up: two bytes */
    MR_CHARSET_SHIFT_JIS, /* 0xa1 to 0xdf: one byte; other high bytes: two */
    MR_CHARSET_EUC_JAPAN, /* 0x8f: three bytes; 0x8e, 0xa1 to 0xfe: two; other high bytes: one */
    MR_CHARSET_GB_18030,  /* two, or four when the second byte is a digit */
};

/** Consecutive codes where iconv does not give what the server gives. */
struct mr_charset_run {
    uint32_t first;   /* the character's bytes, big-endian */
    uint16_t count;   /* of codes */
    uint16_t unicode; /* of the first, the others count on; 0: none of them is defined */
};

struct mr_charset {
    const char *name;                  /* as the servers print it today: "utf8mb3", never "utf8" */
    const char *iconv_name;            /* ICONV alone */
    const struct mr_charset_run *runs; /* ICONV: ordered by `first`; NULL: none */
    uint16_t run_count;
    uint8_t form;          /* enum mr_charset_form: of the sets with runs */
    const uint16_t *upper; /* TABLE: Unicode of bytes 128 to 255, 0 where undefined */
    const uint16_t *lower; /* TABLE: of bytes 0 to 127; NULL: they are ASCII */
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

/** True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms, <= U+10FFFF). */
bool mr_utf8_is_valid(const uint8_t *bytes, size_t length);

/** Bytes up to the first that has its high bit set, or all. */
size_t mr_ascii_prefix(const uint8_t *bytes, size_t length);

/**
 * Converts text of any character set but BINARY into UTF-8 at `to`, which has room for
 * text.length * MR_CHARSET_GROWTH_MAX bytes; *length is what was written.
 * Errors: MR_E_TYPE, MR_STOP: bytes that are not of the character set; MR_E_CONFIG when this system
 * has no converter for it.
 */
bool mr_charset_convert(const struct mr_charset *charset, struct mr_charset_converter *converter,
                        struct mr_slice text, uint8_t *to, size_t *length,
                        struct mr_error *err) MR_MUST_CHECK;

/** Closes the handle; accepts a zeroed one. */
void mr_charset_close(struct mr_charset_converter *converter);

#endif
