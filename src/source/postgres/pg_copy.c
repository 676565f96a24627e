// SPDX-License-Identifier: MIT
/*
 * pg_copy.c - binary COPY.
 *
 *   stream  := header row* trailer
 *   header  := "PGCOPY\n\377\r\n\0", u32 flags, u32 extension_length, extension
 *   row     := i16 column_count, { i32 length (-1: null), bytes[length] }
 *   trailer := i16 -1
 *
 * The server sends the header together with the first row (or the trailer) and then one row a
 * message. Values have the bytes of the types' binary forms, as in pgoutput.
 *
 * Source: PostgreSQL manual, COPY, "Binary Format"; "COPY Operations" in the protocol chapter.
 */
#include "pg_copy.h"

#include <string.h>

#include "reader.h"

#define SIGNATURE       "PGCOPY\n\377\r\n" /* and the NUL of the literal */
#define SIGNATURE_BYTES 11
#define FLAGS_CRITICAL  UINT32_C(0xFFFF0000)

static bool read_header(struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(in->offset == 0);
    const uint8_t *signature = mr_read_bytes(in, SIGNATURE_BYTES);
    const uint32_t flags = mr_read_u32_be(in);
    const uint32_t extension = mr_read_u32_be(in);
    if (signature != NULL && memcmp(signature, SIGNATURE, SIGNATURE_BYTES) != 0) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "COPY does not start with its signature");
    }
    if ((flags & FLAGS_CRITICAL) != 0) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "COPY header has flags 0x%08x", flags);
    }
    mr_read_skip(in, extension);
    return mr_reader_check(in, "COPY header", err);
}

static MR_COLD bool fail_null(const struct mr_pg_copy *copy, uint16_t column, struct mr_error *err)
{
    MR_ASSERT(column < copy->schema->column_count);
    const struct mr_column *of = &copy->schema->columns[column];
    return mr_fail(
        err, MR_E_SOURCE, MR_RETRY,
        "table \"%s.%s\" was altered while it was copied: \"%s\" is null and must not be",
        copy->schema->space, copy->schema->table, of->name);
}

static MR_COLD bool fail_size(const struct mr_pg_copy *copy, uint16_t column, size_t length,
                              struct mr_error *err)
{
    MR_ASSERT(length > copy->value_bytes_max);
    return mr_fail(err, MR_E_LIMIT, MR_STOP,
                   "table \"%s.%s\", column \"%s\": a value of %zu bytes, found while copying, is "
                   "larger than value_max (%llu); raise value_max, or exclude the table",
                   copy->schema->space, copy->schema->table, copy->schema->columns[column].name,
                   length, (unsigned long long)copy->value_bytes_max);
}

/* A value past value_max: NULL where that was asked for and can be, else the end. */
static MR_COLD enum mr_pg_decoded put_large(const struct mr_pg_copy *copy, struct mr_chunk *chunk,
                                            uint16_t column, size_t length, struct mr_error *err)
{
    if (!copy->nulls_large_values || copy->schema->columns[column].key_index != MR_NOT_IN_KEY) {
        (void)fail_size(copy, column, length, err);
        return MR_PG_FAILED;
    }
    mr_put_null(&chunk->columns[column], chunk->row_count);
    mr_nulled_add(copy->nulled, copy->schema, column);
    return MR_PG_DECODED;
}

/* One cell; FULL when the arena has no room for it. */
static inline enum mr_pg_decoded put_cell(const struct mr_pg_copy *copy, struct mr_batch *batch,
                                          struct mr_chunk *chunk, uint16_t column,
                                          struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(column < chunk->column_count);
    const struct mr_pg_plan *plan = &copy->plans[column];
    const uint32_t length = mr_read_u32_be(in);
    if (length == UINT32_MAX && !in->failed) {
        if (!plan->is_nullable) {
            (void)fail_null(copy, column, err);
            return MR_PG_FAILED;
        }
        mr_put_null(&chunk->columns[column], chunk->row_count);
        return MR_PG_DECODED;
    }
    const struct mr_slice value = mr_read_slice(in, length);
    if (MR_UNLIKELY(in->failed)) {
        (void)!mr_reader_check(in, "COPY row", err);
        return MR_PG_FAILED;
    }
    if (MR_UNLIKELY(length > copy->value_bytes_max)) {
        return put_large(copy, chunk, column, length, err);
    }
    const enum mr_pg_put put =
        plan->put(&chunk->columns[column], &batch->arena, chunk->row_count, plan, value);
    if (MR_LIKELY(put == MR_PG_PUT_OK)) {
        return MR_PG_DECODED;
    }
    if (put == MR_PG_PUT_FULL) {
        return MR_PG_BATCH_FULL;
    }
    if (mr_pg_put_is_type_error(put) && plan->on_error == MR_ON_TYPE_ERROR_NULL) {
        mr_put_null(&chunk->columns[column], chunk->row_count);
        mr_nulled_add(copy->nulled, copy->schema, column);
        return MR_PG_DECODED;
    }
    (void)mr_pg_put_fail(put, copy->schema, column, err);
    return MR_PG_FAILED;
}

/* No room: the next batch takes the row, unless this one is empty and it would not fit there. */
static enum mr_pg_decoded full_or_failed(const struct mr_pg_copy *copy,
                                         const struct mr_batch *batch, struct mr_error *err)
{
    *err = (struct mr_error){0};
    if (batch->event_count > 0) {
        return MR_PG_BATCH_FULL;
    }
    (void)mr_fail(err, MR_E_LIMIT, MR_STOP,
                  "a row of \"%s.%s\" does not fit into a batch of %zu bytes; raise memory_max",
                  copy->schema->space, copy->schema->table, batch->arena.capacity);
    return MR_PG_FAILED;
}

static enum mr_pg_decoded decode_row(const struct mr_pg_copy *copy, struct mr_batch *batch,
                                     struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(copy->has_header);
    uint16_t index = MR_NO_CHUNK;
    const uint16_t column_count = copy->schema->column_count;
    if (MR_UNLIKELY(batch->event_count >= MR_BATCH_EVENTS_MAX - 1 ||
                    batch->chunk_count >= MR_BATCH_CHUNKS_MAX - 1)) {
        return MR_PG_BATCH_FULL;
    }
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, copy->schema, MR_IMAGE_FULL, &index, err);
    if (MR_UNLIKELY(chunk == NULL)) {
        return full_or_failed(copy, batch, err);
    }
    for (uint16_t i = 0; i < column_count; i++) {
        const enum mr_pg_decoded put = put_cell(copy, batch, chunk, i, in, err);
        if (MR_UNLIKELY(put != MR_PG_DECODED)) {
            mr_chunk_drop_row(chunk);
            return put == MR_PG_BATCH_FULL ? full_or_failed(copy, batch, err) : put;
        }
    }
    const uint16_t row = mr_chunk_end_row(chunk);
    if (MR_UNLIKELY(!mr_batch_add_event(batch, MR_EVENT_READ, index, row, MR_NO_CHUNK, 0, err))) {
        chunk->row_count--;
        mr_chunk_drop_row(chunk);
        return full_or_failed(copy, batch, err);
    }
    return MR_PG_DECODED;
}

enum mr_pg_decoded mr_pg_copy_decode(struct mr_pg_copy *copy, struct mr_batch *batch,
                                     const void *bytes, size_t length, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(bytes, length);
    MR_ASSERT(copy->offset <= length && copy->schema != NULL);
    in.offset = copy->offset;
    if (!copy->has_header) {
        if (!read_header(&in, err)) {
            return MR_PG_FAILED;
        }
        copy->has_header = true;
        copy->offset = in.offset;
    }
    while (mr_reader_left(&in) > 0) {
        const uint16_t count = mr_read_u16_be(&in);
        if (copy->has_trailer || (count != UINT16_MAX && count != copy->schema->column_count)) {
            (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP, "COPY of \"%s.%s\": a row of %u columns%s",
                          copy->schema->space, copy->schema->table, count,
                          copy->has_trailer ? " after the last one" : "");
            return MR_PG_FAILED;
        }
        if (count == UINT16_MAX) {
            copy->has_trailer = true;
        } else {
            const enum mr_pg_decoded row = decode_row(copy, batch, &in, err);
            if (row != MR_PG_DECODED) {
                return row;
            }
        }
        copy->offset = in.offset;
    }
    copy->offset = 0;
    if (!mr_reader_finish(&in, "COPY", err)) {
        return MR_PG_FAILED;
    }
    return MR_PG_DECODED;
}
