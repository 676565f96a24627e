// SPDX-License-Identifier: MIT
/*
 * writer.h - appends little-endian fields to a growing buffer: the mirror of reader.h, for bytes
 * that we produce (log frames, wire requests). Grows by doubling, up to `limit`; past it the writer
 * fails, sticky, and the caller checks once at the end.
 */
#ifndef MR_BASE_WRITER_H
#define MR_BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "slice.h"

struct mr_writer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    size_t limit; /* bytes; 0 means no writer was initialised */
    bool failed;
};

void mr_writer_init(struct mr_writer *writer, size_t limit);
void mr_writer_done(struct mr_writer *writer);
static inline void mr_writer_reset(struct mr_writer *writer)
{
    writer->length = 0;
    writer->failed = false;
}

/** Makes room for count more bytes and returns where they go, or NULL past the limit. */
uint8_t *mr_writer_reserve(struct mr_writer *writer, size_t count);

void mr_write_u8(struct mr_writer *writer, uint8_t value);
void mr_write_u16_le(struct mr_writer *writer, uint16_t value);
void mr_write_u32_le(struct mr_writer *writer, uint32_t value);
void mr_write_u64_le(struct mr_writer *writer, uint64_t value);
void mr_write_u32_be(struct mr_writer *writer, uint32_t value);
void mr_write_u64_be(struct mr_writer *writer, uint64_t value);
void mr_write_bytes(struct mr_writer *writer, const void *bytes, size_t length);

/** u32 length, then the bytes. */
void mr_write_slice_u32(struct mr_writer *writer, struct mr_slice slice);

#endif
