// SPDX-License-Identifier: MIT
/*
 * reader.h - a bounds-checked cursor over untrusted bytes, with a sticky error.
 *
 * A read past the end sets `failed`, returns zero and moves nothing; every later read does the
 * same. So a decoder is a straight list of reads with ONE check at the end, mr_reader_finish(). Two
 * rules remain with the decoder: check mr_reader_ok() before a value read from the wire drives a
 * loop or an allocation, and never use a decoded struct unless the final check returned true.
 */
#ifndef MR_BASE_READER_H
#define MR_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"

struct mr_reader {
    const uint8_t *base;
    size_t length;
    size_t offset; /* offset <= length, always */
    bool failed;
};

static inline struct mr_reader mr_reader_init(const void *bytes, size_t length)
{
    return (struct mr_reader){.base = bytes, .length = length};
}

static inline bool mr_reader_ok(const struct mr_reader *reader)
{
    return !reader->failed;
}

static inline size_t mr_reader_left(const struct mr_reader *reader)
{
    return reader->failed ? 0 : reader->length - reader->offset;
}

/** Returns the next count bytes and steps over them; NULL once the reader has failed. */
static inline const uint8_t *mr_read_bytes(struct mr_reader *reader, size_t count)
{
    if (MR_UNLIKELY(reader->failed || count > reader->length - reader->offset)) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->base + reader->offset;
    reader->offset += count;
    return bytes;
}

static inline struct mr_slice mr_read_slice(struct mr_reader *reader, size_t count)
{
    const uint8_t *bytes = mr_read_bytes(reader, count);
    return (struct mr_slice){.bytes = bytes, .length = bytes == NULL ? 0 : count};
}

static inline void mr_read_skip(struct mr_reader *reader, size_t count)
{
    (void)mr_read_bytes(reader, count);
}

/* One pair of functions a width: memcpy and byte swap compile to single instructions. */
#define MR_READER_FIXED(bits)                                                                      \
    static inline uint##bits##_t mr_read_u##bits##_be(struct mr_reader *reader)                    \
    {                                                                                              \
        const uint8_t *bytes = mr_read_bytes(reader, (bits) / 8);                                  \
        uint##bits##_t value = 0;                                                                  \
        if (MR_LIKELY(bytes != NULL)) {                                                            \
            memcpy(&value, bytes, sizeof(value));                                                  \
            value = __builtin_bswap##bits(value);                                                  \
        }                                                                                          \
        return value;                                                                              \
    }                                                                                              \
    static inline uint##bits##_t mr_read_u##bits##_le(struct mr_reader *reader)                    \
    {                                                                                              \
        const uint8_t *bytes = mr_read_bytes(reader, (bits) / 8);                                  \
        uint##bits##_t value = 0;                                                                  \
        if (MR_LIKELY(bytes != NULL)) {                                                            \
            memcpy(&value, bytes, sizeof(value));                                                  \
        }                                                                                          \
        return value;                                                                              \
    }
MR_READER_FIXED(16)
MR_READER_FIXED(32)
MR_READER_FIXED(64)
#undef MR_READER_FIXED

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "millrace supports little-endian hosts");

static inline uint8_t mr_read_u8(struct mr_reader *reader)
{
    const uint8_t *bytes = mr_read_bytes(reader, 1);
    return bytes == NULL ? 0 : *bytes;
}

/** An unsigned integer of width 0 to 8 bytes, little-endian (MySQL's int<3>, int<6>, ...). */
static inline uint64_t mr_read_uint_le(struct mr_reader *reader, size_t width)
{
    const uint8_t *bytes = width <= 8 ? mr_read_bytes(reader, width) : NULL;
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < width; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    reader->failed = reader->failed || width > 8;
    return value;
}

/** An unsigned integer of width 0 to 8 bytes, big-endian. */
static inline uint64_t mr_read_uint_be(struct mr_reader *reader, size_t width)
{
    const uint8_t *bytes = width <= 8 ? mr_read_bytes(reader, width) : NULL;
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < width; i++) {
        value = value << 8 | bytes[i];
    }
    reader->failed = reader->failed || width > 8;
    return value;
}

/** Bytes up to a NUL, without it; the NUL is stepped over. Fails when there is none. */
static inline struct mr_slice mr_read_cstring(struct mr_reader *reader)
{
    size_t left = mr_reader_left(reader);
    const uint8_t *start = reader->base + reader->offset;
    const uint8_t *nul = left == 0 ? NULL : memchr(start, 0, left);
    if (nul == NULL) {
        reader->failed = true;
        return (struct mr_slice){0};
    }
    struct mr_slice text = mr_read_slice(reader, (size_t)(nul - start));
    mr_read_skip(reader, 1);
    return text;
}

/** True if every read succeeded; otherwise fails with MR_E_PROTOCOL, MR_STOP. */
bool mr_reader_check(const struct mr_reader *reader, const char *what,
                     struct mr_error *err) MR_MUST_CHECK;

/** As mr_reader_check(), and no byte may be left over. */
bool mr_reader_finish(const struct mr_reader *reader, const char *what,
                      struct mr_error *err) MR_MUST_CHECK;

#endif
