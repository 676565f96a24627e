// SPDX-License-Identifier: MIT
/*
 * rows_event.c - row images into column chunks, one row at a time.
 *
 * An image is walked once. The before image of a keyed table is stepped over, keeping only where
 * the key's cells lie; it is decoded when the key turns out to have changed.
 */
#include "rows_event.h"

#include <stdlib.h>
#include <string.h>

#include "binlog_payload.h"
#include "event_header.h"
#include "memory.h"
#include "reader.h"
#include "rows_walk.h"
#include "table_map.h"

/** What each type of rows event is. */
struct rows_kind {
    uint8_t kind; /* enum mr_event_kind; 0: no rows event */
    bool has_extra;
    bool is_compressed;
    bool is_partial;
};

static const struct rows_kind rows_kinds[256] = {
    [MR_BINLOG_WRITE_ROWS_V1] = {.kind = MR_EVENT_INSERT},
    [MR_BINLOG_UPDATE_ROWS_V1] = {.kind = MR_EVENT_UPDATE},
    [MR_BINLOG_DELETE_ROWS_V1] = {.kind = MR_EVENT_DELETE},
    [MR_BINLOG_WRITE_ROWS] = {.kind = MR_EVENT_INSERT, .has_extra = true},
    [MR_BINLOG_UPDATE_ROWS] = {.kind = MR_EVENT_UPDATE, .has_extra = true},
    [MR_BINLOG_DELETE_ROWS] = {.kind = MR_EVENT_DELETE, .has_extra = true},
    [MR_BINLOG_PARTIAL_UPDATE_ROWS] = {.kind = MR_EVENT_UPDATE,
                                       .has_extra = true,
                                       .is_partial = true},
    [MR_BINLOG_MARIA_WRITE_ROWS_COMPRESSED_V1] = {.kind = MR_EVENT_INSERT, .is_compressed = true},
    [MR_BINLOG_MARIA_UPDATE_ROWS_COMPRESSED_V1] = {.kind = MR_EVENT_UPDATE, .is_compressed = true},
    [MR_BINLOG_MARIA_DELETE_ROWS_COMPRESSED_V1] = {.kind = MR_EVENT_DELETE, .is_compressed = true},
    [MR_BINLOG_MARIA_WRITE_ROWS_COMPRESSED] = {.kind = MR_EVENT_INSERT,
                                               .has_extra = true,
                                               .is_compressed = true},
    [MR_BINLOG_MARIA_UPDATE_ROWS_COMPRESSED] = {.kind = MR_EVENT_UPDATE,
                                                .has_extra = true,
                                                .is_compressed = true},
    [MR_BINLOG_MARIA_DELETE_ROWS_COMPRESSED] = {.kind = MR_EVENT_DELETE,
                                                .has_extra = true,
                                                .is_compressed = true},
};

bool mr_rows_is_rows_event(uint8_t type)
{
    return rows_kinds[type].kind != 0;
}

bool mr_rows_event_open(uint8_t type, struct mr_slice body, struct mr_rows_event *rows,
                        struct mr_error *err)
{
    const struct rows_kind *kind = &rows_kinds[type];
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    struct mr_rows_event opened = {
        .kind = kind->kind,
        .is_compressed = kind->is_compressed,
        .is_partial = kind->is_partial,
    };
    MR_ASSERT(kind->kind != 0);
    opened.table_id = mr_read_uint_le(&in, 6);
    opened.flags = mr_read_u16_le(&in);
    if (kind->has_extra) {
        const uint16_t extra = mr_read_u16_le(&in); /* counts its own two bytes */
        mr_read_skip(&in, extra >= 2 ? extra - 2u : SIZE_MAX);
    }
    opened.rest = mr_read_slice(&in, mr_reader_left(&in));
    if (!mr_reader_check(&in, mr_binlog_event_name(type), err)) {
        return false;
    }
    *rows = opened;
    return true;
}

static uint16_t count_bits(const uint8_t *bitmap, uint16_t count)
{
    MR_ASSERT(bitmap != NULL && count > 0);
    uint16_t set = 0;
    for (uint16_t i = 0; i < count; i++) {
        set = (uint16_t)(set + (mr_rows_bit(bitmap, i) ? 1 : 0));
    }
    return set;
}

/** Room for the cells of two images; made when the first event needs it. */
static void need_images(struct mr_rows_cursor *cursor)
{
    if (cursor->before.cells != NULL) {
        return;
    }
    cursor->before.cells = mr_memory_new(MR_COLUMN_COUNT_MAX, sizeof(*cursor->before.cells));
    cursor->after.cells = mr_memory_new(MR_COLUMN_COUNT_MAX, sizeof(*cursor->after.cells));
}

void mr_rows_cursor_done(struct mr_rows_cursor *cursor)
{
    free(cursor->before.cells);
    free(cursor->after.cells);
    mr_writer_done(&cursor->unpacked);
    *cursor = (struct mr_rows_cursor){0};
}

/** Which columns the images have. */
static void read_bitmaps(struct mr_rows_cursor *cursor, const struct mr_rows_event *rows,
                         struct mr_reader *in)
{
    const uint16_t count = cursor->layout->column_count;
    const size_t size = (count + 7u) / 8;
    struct mr_rows_image *first = rows->kind == MR_EVENT_INSERT ? &cursor->after : &cursor->before;
    first->present = mr_read_bytes(in, size);
    cursor->after.present =
        rows->kind == MR_EVENT_UPDATE ? mr_read_bytes(in, size) : first->present;
    if (!mr_reader_ok(in)) {
        return;
    }
    first->count = count_bits(first->present, count);
    cursor->after.count = count_bits(cursor->after.present, count);
    in->failed = first->count == 0 && cursor->after.count == 0; /* rows of no bytes at all */
    cursor->is_partial = rows->is_partial || first->count != count || cursor->after.count != count;
}

bool mr_rows_cursor_start(struct mr_rows_cursor *cursor, const struct mr_rows_event *rows,
                          struct mr_error *err)
{
    MR_ASSERT(cursor->layout != NULL && cursor->scratch != NULL);
    MR_ASSERT(cursor->value_bytes_max > 0);
    const struct mr_schema *schema = cursor->layout->schema;
    struct mr_reader in = mr_reader_init(rows->rest.bytes, rows->rest.length);
    const uint64_t count = mr_read_lenenc(&in);
    if (!mr_reader_ok(&in) || count != cursor->layout->column_count) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "rows of table \"%s\".\"%s\" have %llu columns, its table map %u",
                       schema->space, schema->table, (unsigned long long)count,
                       cursor->layout->column_count);
    }
    if (schema->key_count > MR_ROWS_KEY_COLUMNS_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "table \"%s\".\"%s\" has a key of %u columns",
                       schema->space, schema->table, schema->key_count);
    }
    read_bitmaps(cursor, rows, &in);
    if (!mr_reader_check(&in, "binlog rows event", err)) {
        return false;
    }
    if (cursor->is_partial) {
        need_images(cursor);
    }
    cursor->rows = mr_read_slice(&in, mr_reader_left(&in));
    cursor->kind = rows->kind;
    cursor->has_diffs = rows->is_partial;
    if (!rows->is_compressed) {
        return true;
    }
    /* At the second call for an event (its batch was full) the rows are unpacked already. */
    if (cursor->at == 0 && !mr_binlog_unpack_maria(cursor->rows, &cursor->unpacked, err)) {
        return mr_error_context(err, "table \"%s\".\"%s\"", schema->space, schema->table);
    }
    cursor->rows = (struct mr_slice){cursor->unpacked.bytes, cursor->unpacked.length};
    return true;
}

/* ---- Walking an image. ---- */

bool mr_rows_fail_cut(const struct mr_rows_cursor *cursor, struct mr_error *err)
{
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a row of table \"%s\".\"%s\" is cut off",
                   cursor->layout->schema->space, cursor->layout->schema->table);
}

/** Steps over an image, noting the key's cells. */
static bool skip_image(const struct mr_rows_cursor *cursor, struct mr_rows_walk *walk,
                       struct mr_rows_key *key)
{
    MR_ASSERT(cursor->layout->schema->key_count > 0);
    const struct mr_mysql_layout *layout = cursor->layout;
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const struct mr_mysql_column *column = &layout->columns[i];
        struct mr_slice cell = {0};
        if (!mr_rows_bit(walk->nulls, i) && !mr_rows_walk_cell(walk, column, &cell)) {
            return false;
        }
        if (column->core.key_index != MR_NOT_IN_KEY) {
            key->cells[column->core.key_index] = cell;
        }
    }
    return true;
}

bool mr_rows_fail_value(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                        struct mr_error *err)
{
    return mr_error_context(err, "table \"%s\".\"%s\", column \"%s\"",
                            cursor->layout->schema->space, cursor->layout->schema->table,
                            column->core.name);
}

bool mr_rows_fail_size(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                       size_t length, struct mr_error *err)
{
    mr_fail(err, MR_E_LIMIT, MR_STOP,
            "a value of %zu bytes exceeds value_max (%llu bytes); raise value_max, or exclude the "
            "table",
            length, (unsigned long long)cursor->value_bytes_max);
    return mr_rows_fail_value(cursor, column, err);
}

bool mr_rows_put_large(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                       size_t length, const struct mr_mysql_cell *to, struct mr_error *err)
{
    if (!cursor->nulls_large_values || column->core.key_index != MR_NOT_IN_KEY) {
        return mr_rows_fail_size(cursor, column, length, err);
    }
    mr_put_null(to->cells, to->row);
    mr_nulled_add(cursor->nulled, cursor->layout->schema,
                  (uint16_t)(column - cursor->layout->columns));
    return true;
}

/** Decodes an image into the current row of a FULL chunk, noting the key's cells. */
static bool put_image(const struct mr_rows_cursor *cursor, struct mr_rows_walk *walk,
                      struct mr_chunk *chunk, struct mr_arena *arena, struct mr_rows_key *key,
                      struct mr_error *err)
{
    const struct mr_mysql_layout *layout = cursor->layout;
    struct mr_mysql_cell to = {.arena = arena, .scratch = cursor->scratch, .row = chunk->row_count};
    MR_ASSERT(chunk->column_count == layout->column_count && chunk->image == MR_IMAGE_FULL);
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const struct mr_mysql_column *column = &layout->columns[i];
        struct mr_slice cell = {0};
        if (MR_UNLIKELY(!mr_rows_bit(walk->nulls, i) && !mr_rows_walk_cell(walk, column, &cell))) {
            return mr_rows_fail_cut(cursor, err);
        }
        to.cells = &chunk->columns[i];
        if (MR_UNLIKELY(!mr_rows_put_cell(cursor, column, cell, &to, err))) {
            return false;
        }
        if (column->core.key_index != MR_NOT_IN_KEY) {
            key->cells[column->core.key_index] = cell;
        }
    }
    return true;
}

/** Decodes the key's cells into the current row of a KEY chunk. */
static bool put_key(const struct mr_rows_cursor *cursor, const struct mr_rows_key *key,
                    struct mr_chunk *chunk, struct mr_arena *arena, struct mr_error *err)
{
    const struct mr_schema *schema = cursor->layout->schema;
    struct mr_mysql_cell to = {.arena = arena, .scratch = cursor->scratch, .row = chunk->row_count};
    MR_ASSERT(chunk->image == MR_IMAGE_KEY && chunk->column_count == schema->key_count);
    for (uint16_t i = 0; i < schema->key_count; i++) {
        const struct mr_mysql_column *column = &cursor->layout->columns[schema->key[i]];
        to.cells = &chunk->columns[i];
        if (!mr_rows_put_cell(cursor, column, key->cells[i], &to, err)) {
            return false;
        }
    }
    return true;
}

/* ---- The three kinds of rows. Each returns with *at behind the row. ---- */

static bool put_full(const struct mr_rows_cursor *cursor, const uint8_t **at,
                     struct mr_batch *batch, struct mr_rows_key *key, struct mr_rows_place *place,
                     struct mr_error *err)
{
    MR_ASSERT(batch->transaction_open);
    struct mr_rows_walk walk;
    struct mr_chunk *chunk =
        mr_batch_chunk_for(batch, cursor->layout->schema, MR_IMAGE_FULL, &place->chunk, err);
    if (chunk == NULL) {
        return false;
    }
    if (!mr_rows_walk_start(cursor, *at, cursor->layout->column_count, &walk)) {
        return mr_rows_fail_cut(cursor, err);
    }
    if (!put_image(cursor, &walk, chunk, &batch->arena, key, err)) {
        mr_chunk_drop_row(chunk);
        return false;
    }
    place->row = mr_chunk_end_row(chunk);
    *at = walk.at;
    return true;
}

bool mr_rows_put_key(const struct mr_rows_cursor *cursor, const struct mr_rows_key *key,
                     struct mr_batch *batch, struct mr_rows_place *place, struct mr_error *err)
{
    MR_ASSERT(cursor->layout->schema->key_count > 0);
    struct mr_chunk *chunk =
        mr_batch_chunk_for(batch, cursor->layout->schema, MR_IMAGE_KEY, &place->chunk, err);
    if (chunk == NULL) {
        return false;
    }
    if (!put_key(cursor, key, chunk, &batch->arena, err)) {
        mr_chunk_drop_row(chunk);
        return false;
    }
    place->row = mr_chunk_end_row(chunk);
    return true;
}

static bool next_insert(struct mr_rows_cursor *cursor, const uint8_t **at, struct mr_batch *batch,
                        struct mr_error *err)
{
    MR_ASSERT(cursor->kind == MR_EVENT_INSERT);
    struct mr_rows_place row;
    return put_full(cursor, at, batch, &cursor->after_key, &row, err) &&
           mr_batch_add_event(batch, MR_EVENT_INSERT, row.chunk, row.row, MR_NO_CHUNK, 0, err);
}

static bool next_delete(struct mr_rows_cursor *cursor, const uint8_t **at, struct mr_batch *batch,
                        struct mr_error *err)
{
    MR_ASSERT(cursor->kind == MR_EVENT_DELETE);
    struct mr_rows_key *key = &cursor->before_key;
    struct mr_rows_place before;
    struct mr_rows_walk walk;
    if (cursor->layout->schema->key_count == 0) {
        return put_full(cursor, at, batch, key, &before, err) &&
               mr_batch_add_event(batch, MR_EVENT_DELETE, MR_NO_CHUNK, 0, before.chunk, before.row,
                                  err);
    }
    if (!mr_rows_walk_start(cursor, *at, cursor->layout->column_count, &walk) ||
        !skip_image(cursor, &walk, key)) {
        return mr_rows_fail_cut(cursor, err);
    }
    *at = walk.at;
    return mr_rows_put_key(cursor, key, batch, &before, err) &&
           mr_batch_add_event(batch, MR_EVENT_DELETE, MR_NO_CHUNK, 0, before.chunk, before.row,
                              err);
}

static bool cells_are_equal(struct mr_slice left, struct mr_slice right)
{
    if (left.bytes == NULL || right.bytes == NULL) {
        return left.bytes == right.bytes; /* NULLs, not empty ones */
    }
    return mr_slice_equals(left, right);
}

bool mr_rows_keys_are_equal(const struct mr_rows_cursor *cursor, const struct mr_rows_key *left,
                            const struct mr_rows_key *right)
{
    MR_ASSERT(cursor->layout->schema->key_count <= MR_ROWS_KEY_COLUMNS_MAX);
    for (uint16_t i = 0; i < cursor->layout->schema->key_count; i++) {
        if (!cells_are_equal(left->cells[i], right->cells[i])) {
            return false;
        }
    }
    return true;
}

static bool next_update(struct mr_rows_cursor *cursor, const uint8_t **at, struct mr_batch *batch,
                        struct mr_error *err)
{
    MR_ASSERT(cursor->kind == MR_EVENT_UPDATE);
    struct mr_rows_key *before_key = &cursor->before_key;
    struct mr_rows_key *key = &cursor->after_key;
    struct mr_rows_place before = {.chunk = MR_NO_CHUNK};
    struct mr_rows_place row;
    struct mr_rows_walk walk;
    if (cursor->layout->schema->key_count == 0) {
        return put_full(cursor, at, batch, before_key, &before, err) &&
               put_full(cursor, at, batch, key, &row, err) &&
               mr_batch_add_event(batch, MR_EVENT_UPDATE, row.chunk, row.row, before.chunk,
                                  before.row, err);
    }
    if (!mr_rows_walk_start(cursor, *at, cursor->layout->column_count, &walk) ||
        !skip_image(cursor, &walk, before_key)) {
        return mr_rows_fail_cut(cursor, err);
    }
    *at = walk.at;
    return put_full(cursor, at, batch, key, &row, err) &&
           (mr_rows_keys_are_equal(cursor, before_key, key) ||
            mr_rows_put_key(cursor, before_key, batch, &before, err)) &&
           mr_batch_add_event(batch, MR_EVENT_UPDATE, row.chunk, row.row, before.chunk, before.row,
                              err);
}

bool mr_rows_cursor_next(struct mr_rows_cursor *cursor, struct mr_batch *batch,
                         struct mr_error *err)
{
    MR_ASSERT(cursor->at < cursor->rows.length);
    MR_ASSERT(batch->transaction_open);
    const uint8_t *at = cursor->rows.bytes + cursor->at;
    bool good = false;
    if (MR_UNLIKELY(cursor->is_partial)) {
        good = mr_rows_partial_next(cursor, &at, batch, err);
        cursor->at = good ? (size_t)(at - cursor->rows.bytes) : cursor->at;
        return good;
    }
    switch ((enum mr_event_kind)cursor->kind) {
    case MR_EVENT_INSERT:
        good = next_insert(cursor, &at, batch, err);
        break;
    case MR_EVENT_UPDATE:
        good = next_update(cursor, &at, batch, err);
        break;
    case MR_EVENT_DELETE:
        good = next_delete(cursor, &at, batch, err);
        break;
    case MR_EVENT_TRUNCATE:
    case MR_EVENT_READ:
    case MR_EVENT_NOTE:
        MR_ASSERT(false);
        break;
    }
    if (good) {
        cursor->at = (size_t)(at - cursor->rows.bytes);
    }
    return good;
}
