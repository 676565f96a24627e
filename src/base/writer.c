// SPDX-License-Identifier: MIT
/*
 * writer.c - a growing buffer with a limit and a sticky failure.
 *
 * Invariant: length <= capacity <= limit, and nothing is appended once `failed` is set.
 */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define CAPACITY_MIN 256

void mr_writer_init(struct mr_writer *writer, size_t limit)
{
    MR_ASSERT(limit > 0);
    *writer = (struct mr_writer){.limit = limit};
}

void mr_writer_done(struct mr_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    free(writer->bytes);
    *writer = (struct mr_writer){0};
}

static void grow(struct mr_writer *writer, size_t needed)
{
    MR_ASSERT(needed <= writer->limit);
    size_t capacity = writer->capacity < CAPACITY_MIN ? CAPACITY_MIN : writer->capacity;
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    }
    capacity = capacity > writer->limit ? writer->limit : capacity;
    writer->bytes = mr_memory_resize(writer->bytes, capacity, 1);
    writer->capacity = capacity;
}

uint8_t *mr_writer_reserve(struct mr_writer *writer, size_t count)
{
    MR_ASSERT(writer->limit > 0);
    MR_ASSERT(writer->length <= writer->capacity && writer->capacity <= writer->limit);
    if (writer->failed || count > writer->limit - writer->length) {
        writer->failed = true;
        return NULL;
    }
    if (writer->bytes == NULL || count > writer->capacity - writer->length) {
        grow(writer, writer->length + count);
    }
    uint8_t *to = writer->bytes + writer->length;
    writer->length += count;
    return to;
}

void mr_write_bytes(struct mr_writer *writer, const void *bytes, size_t length)
{
    MR_ASSERT(bytes != NULL || length == 0);
    uint8_t *to = mr_writer_reserve(writer, length);
    if (to != NULL && length > 0) {
        memcpy(to, bytes, length);
    }
}

void mr_write_u8(struct mr_writer *writer, uint8_t value)
{
    mr_write_bytes(writer, &value, sizeof(value));
}

/* reader.h asserts that the host is little-endian. */
void mr_write_u16_le(struct mr_writer *writer, uint16_t value)
{
    mr_write_bytes(writer, &value, sizeof(value));
}

void mr_write_u32_le(struct mr_writer *writer, uint32_t value)
{
    mr_write_bytes(writer, &value, sizeof(value));
}

void mr_write_u64_le(struct mr_writer *writer, uint64_t value)
{
    mr_write_bytes(writer, &value, sizeof(value));
}

void mr_write_u32_be(struct mr_writer *writer, uint32_t value)
{
    mr_write_u32_le(writer, __builtin_bswap32(value));
}

void mr_write_u64_be(struct mr_writer *writer, uint64_t value)
{
    mr_write_u64_le(writer, __builtin_bswap64(value));
}

void mr_write_slice_u32(struct mr_writer *writer, struct mr_slice slice)
{
    if (slice.length > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    mr_write_u32_le(writer, (uint32_t)slice.length);
    mr_write_bytes(writer, slice.bytes, slice.length);
}
