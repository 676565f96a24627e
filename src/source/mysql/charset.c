// SPDX-License-Identifier: MIT
/*
 * charset.c - character sets by name and number, and the way from each to UTF-8.
 */
#include "charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "charset_tables.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

const struct mr_charset *mr_charset_find(struct mr_slice name)
{
    static const struct mr_slice utf8 = {(const uint8_t *)"utf8", 4};
    static const struct mr_slice utf8mb3 = {(const uint8_t *)"utf8mb3", 7};
    name = mr_slice_equals(name, utf8) ? utf8mb3 : name;
    for (uint32_t i = 0; i < mr_charset_count; i++) {
        if (mr_slice_equals(mr_slice_of(mr_charsets[i].name), name)) {
            return &mr_charsets[i];
        }
    }
    return NULL;
}

const struct mr_charset *mr_charset_of_collation(uint32_t collation)
{
    uint32_t low = 0;
    uint32_t high = mr_collation_run_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (mr_collation_runs[middle].last < collation) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == mr_collation_run_count || mr_collation_runs[low].first > collation) {
        return NULL;
    }
    MR_ASSERT(mr_collation_runs[low].charset < mr_charset_count);
    return &mr_charsets[mr_collation_runs[low].charset];
}

size_t mr_ascii_prefix(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    for (; length - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        if ((word & HIGH_BITS) != 0) {
            return at + (size_t)__builtin_ctzll(word & HIGH_BITS) / 8;
        }
    }
    while (at < length && bytes[at] < 0x80) {
        at++;
    }
    return at;
}

/** Bytes of the well-formed sequence at `bytes`, which does not start with ASCII; 0: none. */
static size_t utf8_sequence(const uint8_t *bytes, size_t left)
{
    MR_ASSERT(left > 0 && bytes[0] >= 0x80);
    const uint8_t lead = bytes[0];
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size > left) {
        return 0;
    }
    /* The second byte's range excludes overlong forms, surrogates and what is past U+10FFFF. */
    const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

bool mr_utf8_is_valid(const uint8_t *bytes, size_t length)
{
    size_t at = mr_ascii_prefix(bytes, length);
    while (at < length) {
        const size_t size = utf8_sequence(bytes + at, length - at);
        if (size == 0) {
            return false;
        }
        at += size;
        at += mr_ascii_prefix(bytes + at, length - at);
    }
    return true;
}

static bool fail_bytes(const struct mr_charset *charset, struct mr_slice text, size_t at,
                       struct mr_error *err)
{
    MR_ASSERT(at < text.length);
    return mr_fail(err, MR_E_TYPE, MR_STOP,
                   "byte %zu (0x%02x) is not valid in character set \"%s\"", at + 1, text.bytes[at],
                   charset->name);
}

static bool convert_checked(const struct mr_charset *charset, struct mr_slice text, uint8_t *to,
                            size_t *length, struct mr_error *err)
{
    size_t at = mr_ascii_prefix(text.bytes, text.length);
    while (at < text.length) {
        const size_t size = charset->kind == MR_CHARSET_ASCII
                                ? 0
                                : utf8_sequence(text.bytes + at, text.length - at);
        if (size == 0) {
            return fail_bytes(charset, text, at, err);
        }
        at += size;
        at += mr_ascii_prefix(text.bytes + at, text.length - at);
    }
    memcpy(to, text.bytes, text.length);
    *length = text.length;
    return true;
}

/** Writes a code point of the basic plane, which is all that the tables and runs have. */
static size_t put_code_point(uint16_t code, uint8_t *to)
{
    MR_ASSERT(to != NULL);
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xc0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    to[0] = (uint8_t)(0xe0 | code >> 12);
    to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    to[2] = (uint8_t)(0x80 | (code & 0x3f));
    return 3;
}

static bool convert_table(const struct mr_charset *charset, struct mr_slice text, uint8_t *to,
                          size_t *length, struct mr_error *err)
{
    MR_ASSERT(charset->kind == MR_CHARSET_TABLE && charset->upper != NULL);
    size_t from = 0;
    if (charset->lower == NULL) {
        from = mr_ascii_prefix(text.bytes, text.length);
        memcpy(to, text.bytes, from);
    }
    size_t at = from;
    for (; from < text.length; from++) {
        const uint8_t byte = text.bytes[from];
        uint16_t code = byte;
        if (byte >= 0x80) {
            code = charset->upper[byte - 0x80];
        } else if (charset->lower != NULL) {
            code = charset->lower[byte];
        }
        if (code == 0 && byte != 0) {
            return fail_bytes(charset, text, from, err);
        }
        at += put_code_point(code, to + at);
    }
    *length = at;
    return true;
}

static bool open_converter(const struct mr_charset *charset, struct mr_charset_converter *converter,
                           struct mr_error *err)
{
    MR_ASSERT(charset->kind == MR_CHARSET_ICONV && charset->iconv_name != NULL);
    iconv_t opened = iconv_open("UTF-8", charset->iconv_name);
    if ((intptr_t)opened == -1) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "this system has no converter for character set \"%s\" (iconv \"%s\"); "
                       "install the C library's converters (Debian: libc6; Fedora: "
                       "glibc-gconv-extra)",
                       charset->name, charset->iconv_name);
    }
    converter->iconv = opened;
    return true;
}

/* Where a conversion stands. */
struct conversion {
    const struct mr_charset *charset;
    iconv_t iconv;
    struct mr_slice text;
    size_t from; /* bytes of text converted */
    uint8_t *to;
    size_t at; /* bytes written */
};

/** Converts up to `end` by iconv. */
static bool convert_until(struct conversion *conversion, size_t end, struct mr_error *err)
{
    MR_ASSERT(conversion->from <= end && end <= conversion->text.length);
    if (conversion->from == end) {
        return true;
    }
    (void)iconv(conversion->iconv, NULL, NULL, NULL, NULL);
    /* iconv() does not write to its input; its type is older than const. */
    const uint8_t *start = conversion->text.bytes + conversion->from;
    char *in = NULL;
    memcpy(&in, &start, sizeof(in));
    size_t in_left = end - conversion->from;
    char *out = (char *)conversion->to + conversion->at;
    const size_t room = in_left * MR_CHARSET_GROWTH_MAX;
    size_t out_left = room;
    if (iconv(conversion->iconv, &in, &in_left, &out, &out_left) == (size_t)-1) {
        MR_ASSERT(errno != E2BIG);
        return fail_bytes(conversion->charset, conversion->text, end - in_left, err);
    }
    MR_ASSERT(in_left == 0);
    conversion->from = end;
    conversion->at += room - out_left;
    return true;
}

/** Bytes of the character at `bytes`; past `left` when it is cut off, which iconv will say. */
static size_t character_size(enum mr_charset_form form, const uint8_t *bytes, size_t left)
{
    MR_ASSERT(left > 0);
    const uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    switch (form) {
    case MR_CHARSET_SHIFT_JIS:
        return lead >= 0xa1 && lead <= 0xdf ? 1 : 2;
    case MR_CHARSET_EUC_JAPAN:
        return lead == 0x8f ? 3 : lead == 0x8e || lead >= 0xa1 ? 2 : 1;
    case MR_CHARSET_GB_18030:
        return left > 1 && bytes[1] >= '0' && bytes[1] <= '9' ? 4 : 2;
    case MR_CHARSET_WHOLE:
    case MR_CHARSET_PAIRS:
        break;
    }
    return 2;
}

/** The run a character belongs to; NULL: iconv is right about it. */
static const struct mr_charset_run *find_run(const struct mr_charset *charset, uint32_t code)
{
    MR_ASSERT(charset->run_count > 0);
    uint32_t low = 0;
    uint32_t high = charset->run_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct mr_charset_run *run = &charset->runs[middle];
        if (code < run->first) {
            high = middle;
        } else if (code - run->first < run->count) {
            return run;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static uint32_t code_of(const uint8_t *bytes, size_t size)
{
    MR_ASSERT(size >= 1 && size <= 4);
    uint32_t code = 0;
    for (size_t i = 0; i < size; i++) {
        code = code << 8 | bytes[i];
    }
    return code;
}

static bool convert_iconv(const struct mr_charset *charset, struct mr_charset_converter *converter,
                          struct mr_slice text, uint8_t *to, size_t *length, struct mr_error *err)
{
    MR_ASSERT(charset->kind == MR_CHARSET_ICONV);
    if (converter->iconv == NULL && !open_converter(charset, converter, err)) {
        return false;
    }
    struct conversion conversion = {
        .charset = charset, .iconv = converter->iconv, .text = text, .to = to};
    size_t at = charset->run_count == 0 ? text.length : 0;
    while (at < text.length) {
        const size_t left = text.length - at;
        const size_t size = character_size(charset->form, text.bytes + at, left);
        const struct mr_charset_run *run = NULL;
        uint32_t code = 0;
        if (size <= left) {
            code = code_of(text.bytes + at, size);
            run = find_run(charset, code);
        }
        if (run != NULL && run->unicode == 0) {
            return fail_bytes(charset, text, at, err);
        }
        if (run != NULL) {
            if (!convert_until(&conversion, at, err)) {
                return false;
            }
            conversion.at +=
                put_code_point((uint16_t)(run->unicode + (code - run->first)), to + conversion.at);
            conversion.from = at + size;
        }
        at += size <= left ? size : left;
    }
    if (!convert_until(&conversion, text.length, err)) {
        return false;
    }
    *length = conversion.at;
    return true;
}

bool mr_charset_convert(const struct mr_charset *charset, struct mr_charset_converter *converter,
                        struct mr_slice text, uint8_t *to, size_t *length, struct mr_error *err)
{
    if (text.length == 0) {
        *length = 0;
        return true;
    }
    switch (charset->kind) {
    case MR_CHARSET_UTF8:
    case MR_CHARSET_ASCII:
        return convert_checked(charset, text, to, length, err);
    case MR_CHARSET_TABLE:
        return convert_table(charset, text, to, length, err);
    case MR_CHARSET_ICONV:
        return convert_iconv(charset, converter, text, to, length, err);
    case MR_CHARSET_BINARY:
        break;
    }
    MR_ASSERT(false);
    return false;
}

void mr_charset_close(struct mr_charset_converter *converter)
{
    if (converter != NULL && converter->iconv != NULL) {
        (void)iconv_close(converter->iconv);
        converter->iconv = NULL;
    }
}
