// SPDX-License-Identifier: MIT
/*
 * rows_event.c - row images into column chunks, one row at a time.
 *
 * An image is walked once. The before image of a keyed table is stepped over, keeping only where
 * the key's cells lie; it is decoded when the key turns out to have changed.
 */
#include "rows_event.h"

#include <string.h>

#include "event_header.h"
#include "reader.h"
#include "table_map.h"

/* A walk through one image. */
struct walk {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *nulls;
};

bool mr_rows_event_open(uint8_t type, struct mr_slice body, struct mr_rows_event *rows,
                        struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    struct mr_rows_event opened = {0};
    opened.table_id = mr_read_uint_le(&in, 6);
    opened.flags = mr_read_u16_le(&in);
    if (type >= MR_BINLOG_WRITE_ROWS) {
        const uint16_t extra = mr_read_u16_le(&in); /* counts its own two bytes */
        mr_read_skip(&in, extra >= 2 ? extra - 2u : SIZE_MAX);
    }
    opened.rest = mr_read_slice(&in, mr_reader_left(&in));
    switch (type) {
    case MR_BINLOG_WRITE_ROWS_V1:
    case MR_BINLOG_WRITE_ROWS:
        opened.kind = MR_EVENT_INSERT;
        break;
    case MR_BINLOG_UPDATE_ROWS_V1:
    case MR_BINLOG_UPDATE_ROWS:
        opened.kind = MR_EVENT_UPDATE;
        break;
    default:
        MR_ASSERT(type == MR_BINLOG_DELETE_ROWS_V1 || type == MR_BINLOG_DELETE_ROWS);
        opened.kind = MR_EVENT_DELETE;
        break;
    }
    if (!mr_reader_check(&in, mr_binlog_event_name(type), err)) {
        return false;
    }
    *rows = opened;
    return true;
}

static bool is_full_bitmap(const uint8_t *bitmap, uint16_t count)
{
    MR_ASSERT(bitmap != NULL && count > 0);
    for (uint16_t i = 0; i < count; i++) {
        if ((bitmap[i / 8] >> (i % 8) & 1) == 0) {
            return false;
        }
    }
    return true;
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
    const size_t bitmap_size = (count + 7) / 8;
    const unsigned images = rows->kind == MR_EVENT_UPDATE ? 2 : 1;
    for (unsigned i = 0; i < images; i++) {
        const uint8_t *bitmap = mr_read_bytes(&in, bitmap_size);
        if (bitmap != NULL && !is_full_bitmap(bitmap, cursor->layout->column_count)) {
            return mr_fail(err, MR_E_SOURCE, MR_STOP,
                           "rows of table \"%s\".\"%s\" are logged without some columns; set "
                           "binlog_row_image=FULL (globally, and in sessions that changed it), "
                           "then copy the table anew",
                           schema->space, schema->table);
        }
    }
    cursor->rows = mr_read_slice(&in, mr_reader_left(&in));
    cursor->at = 0;
    cursor->kind = rows->kind;
    return mr_reader_check(&in, "binlog rows event", err);
}

/* ---- Walking an image. ---- */

static bool fail_cut(const struct mr_rows_cursor *cursor, struct mr_error *err)
{
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a row of table \"%s\".\"%s\" is cut off",
                   cursor->layout->schema->space, cursor->layout->schema->table);
}

static inline bool start_walk(const struct mr_rows_cursor *cursor, const uint8_t *at,
                              struct walk *walk)
{
    MR_ASSERT(at >= cursor->rows.bytes && at <= cursor->rows.bytes + cursor->rows.length);
    const size_t size = (cursor->layout->column_count + 7u) / 8;
    walk->end = cursor->rows.bytes + cursor->rows.length;
    if ((size_t)(walk->end - at) < size) {
        return false;
    }
    walk->nulls = at;
    walk->at = at + size;
    return true;
}

static inline bool walk_is_null(const struct walk *walk, uint16_t index)
{
    return (walk->nulls[index / 8] >> (index % 8) & 1) != 0;
}

/** Steps over the next cell; false when it is cut off. */
static inline bool walk_cell(struct walk *walk, const struct mr_mysql_column *column,
                             struct mr_slice *cell)
{
    MR_ASSERT(walk->at <= walk->end);
    const size_t left = (size_t)(walk->end - walk->at);
    size_t prefix = 0;
    size_t size = column->fixed_size;
    if (size == 0) {
        prefix = column->length_size;
        if (MR_UNLIKELY(left < prefix)) {
            return false;
        }
        size = walk->at[0];
        if (prefix > 1) {
            size |= (size_t)walk->at[1] << 8;
        }
        if (prefix > 2) {
            size |= (size_t)walk->at[2] << 16;
        }
        if (prefix > 3) {
            size |= (size_t)walk->at[3] << 24;
        }
    }
    if (MR_UNLIKELY(left - prefix < size || left < prefix)) {
        return false;
    }
    *cell = (struct mr_slice){walk->at + prefix, size};
    walk->at += prefix + size;
    return true;
}

/** Steps over an image, noting the key's cells. */
static bool skip_image(const struct mr_rows_cursor *cursor, struct walk *walk,
                       struct mr_rows_key *key)
{
    MR_ASSERT(cursor->layout->schema->key_count > 0);
    const struct mr_mysql_layout *layout = cursor->layout;
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const struct mr_mysql_column *column = &layout->columns[i];
        struct mr_slice cell = {0};
        if (!walk_is_null(walk, i) && !walk_cell(walk, column, &cell)) {
            return false;
        }
        if (column->core.key_index != MR_NOT_IN_KEY) {
            key->cells[column->core.key_index] = cell;
        }
    }
    return true;
}

static bool fail_value(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                       struct mr_error *err)
{
    return mr_error_context(err, "table \"%s\".\"%s\", column \"%s\"",
                            cursor->layout->schema->space, cursor->layout->schema->table,
                            column->core.name);
}

static bool fail_size(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                      size_t length, struct mr_error *err)
{
    mr_fail(err, MR_E_LIMIT, MR_STOP,
            "a value of %zu bytes exceeds value_max (%llu bytes); raise value_max, or exclude the "
            "table",
            length, (unsigned long long)cursor->value_bytes_max);
    return fail_value(cursor, column, err);
}

/** Puts one cell, or NULL when it has no bytes pointer. */
static inline bool put_cell(const struct mr_rows_cursor *cursor,
                            const struct mr_mysql_column *column, struct mr_slice cell,
                            const struct mr_mysql_cell *to, struct mr_error *err)
{
    if (cell.bytes == NULL) {
        mr_put_null(to->cells, to->row);
        return true;
    }
    if (MR_UNLIKELY(cell.length > cursor->value_bytes_max)) {
        return fail_size(cursor, column, cell.length, err);
    }
    if (MR_UNLIKELY(!column->put_binlog(column, cell, to, err))) {
        return fail_value(cursor, column, err);
    }
    return true;
}

/** Decodes an image into the current row of a FULL chunk, noting the key's cells. */
static bool put_image(const struct mr_rows_cursor *cursor, struct walk *walk,
                      struct mr_chunk *chunk, struct mr_arena *arena, struct mr_rows_key *key,
                      struct mr_error *err)
{
    const struct mr_mysql_layout *layout = cursor->layout;
    struct mr_mysql_cell to = {.arena = arena, .scratch = cursor->scratch, .row = chunk->row_count};
    MR_ASSERT(chunk->column_count == layout->column_count && chunk->image == MR_IMAGE_FULL);
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const struct mr_mysql_column *column = &layout->columns[i];
        struct mr_slice cell = {0};
        if (MR_UNLIKELY(!walk_is_null(walk, i) && !walk_cell(walk, column, &cell))) {
            return fail_cut(cursor, err);
        }
        to.cells = &chunk->columns[i];
        if (MR_UNLIKELY(!put_cell(cursor, column, cell, &to, err))) {
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
        if (!put_cell(cursor, column, key->cells[i], &to, err)) {
            return false;
        }
    }
    return true;
}

/* ---- The three kinds of rows. Each returns with *at behind the row. ---- */

/** A row in a chunk of the batch. */
struct place {
    uint16_t chunk;
    uint16_t row;
};

static bool put_full(const struct mr_rows_cursor *cursor, const uint8_t **at,
                     struct mr_batch *batch, struct mr_rows_key *key, struct place *place,
                     struct mr_error *err)
{
    MR_ASSERT(batch->transaction_open);
    struct walk walk;
    struct mr_chunk *chunk =
        mr_batch_chunk_for(batch, cursor->layout->schema, MR_IMAGE_FULL, &place->chunk, err);
    if (chunk == NULL) {
        return false;
    }
    if (!start_walk(cursor, *at, &walk)) {
        return fail_cut(cursor, err);
    }
    if (!put_image(cursor, &walk, chunk, &batch->arena, key, err)) {
        mr_chunk_drop_row(chunk);
        return false;
    }
    place->row = mr_chunk_end_row(chunk);
    *at = walk.at;
    return true;
}

static bool put_before_key(const struct mr_rows_cursor *cursor, const struct mr_rows_key *key,
                           struct mr_batch *batch, struct place *place, struct mr_error *err)
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
    struct place row;
    return put_full(cursor, at, batch, &cursor->after_key, &row, err) &&
           mr_batch_add_event(batch, MR_EVENT_INSERT, row.chunk, row.row, MR_NO_CHUNK, 0, err);
}

static bool next_delete(struct mr_rows_cursor *cursor, const uint8_t **at, struct mr_batch *batch,
                        struct mr_error *err)
{
    MR_ASSERT(cursor->kind == MR_EVENT_DELETE);
    struct mr_rows_key *key = &cursor->before_key;
    struct place before;
    struct walk walk;
    if (cursor->layout->schema->key_count == 0) {
        return put_full(cursor, at, batch, key, &before, err) &&
               mr_batch_add_event(batch, MR_EVENT_DELETE, MR_NO_CHUNK, 0, before.chunk, before.row,
                                  err);
    }
    if (!start_walk(cursor, *at, &walk) || !skip_image(cursor, &walk, key)) {
        return fail_cut(cursor, err);
    }
    *at = walk.at;
    return put_before_key(cursor, key, batch, &before, err) &&
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

static bool keys_are_equal(const struct mr_rows_cursor *cursor, const struct mr_rows_key *left,
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
    struct place before = {.chunk = MR_NO_CHUNK};
    struct place row;
    struct walk walk;
    if (cursor->layout->schema->key_count == 0) {
        return put_full(cursor, at, batch, before_key, &before, err) &&
               put_full(cursor, at, batch, key, &row, err) &&
               mr_batch_add_event(batch, MR_EVENT_UPDATE, row.chunk, row.row, before.chunk,
                                  before.row, err);
    }
    if (!start_walk(cursor, *at, &walk) || !skip_image(cursor, &walk, before_key)) {
        return fail_cut(cursor, err);
    }
    *at = walk.at;
    return put_full(cursor, at, batch, key, &row, err) &&
           (keys_are_equal(cursor, before_key, key) ||
            put_before_key(cursor, before_key, batch, &before, err)) &&
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
