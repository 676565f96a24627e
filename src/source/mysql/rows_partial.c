// SPDX-License-Identifier: MIT
/*
 * rows_partial.c - rows whose images lack columns (binlog_row_image=MINIMAL, NOBLOB), or hold JSON
 * diffs (binlog_row_value_options=PARTIAL_JSON).
 *
 * An image is first taken apart into its cells; a cell that the after image lacks is then
 *   inserted row    the column's default, which is why the server left it out
 *   updated row     the before image's, where that has it: the column was not assigned
 *                   else ABSENT: the target keeps its own value
 * A keyed table needs its key in the before image, one without a key the whole row; the servers log
 * that much unless a table has no primary key but a unique one, which is named as an error.
 *
 * MariaDB logs no virtual column of a row that is not whole. Such a value cannot be had, and the
 * target's old one would be wrong: an error. MySQL leaves out only those that did not change.
 *
 * Source: MySQL manual, "binlog_row_image"; MySQL, sql/rpl_record.cc, pack_row().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_diff.h"
#include "reader.h"
#include "rows_walk.h"
#include "table_map.h"

#define OPTION_PARTIAL_JSON 1
#define DEFAULT_BITS_MAX    64

/* ---- Taking an image apart. ---- */

/** The bits that say which JSON columns hold diffs; *bits NULL when none do. */
static bool read_diff_bits(const struct mr_rows_cursor *cursor, const uint8_t **at,
                           const uint8_t **bits, struct mr_error *err)
{
    struct mr_reader in =
        mr_reader_init(*at, (size_t)(cursor->rows.bytes + cursor->rows.length - *at));
    const uint64_t options = mr_read_lenenc(&in);
    size_t json_count = 0;
    *bits = NULL;
    for (uint16_t i = 0; i < cursor->layout->column_count; i++) {
        json_count += cursor->layout->columns[i].wire == MR_MYSQL_JSON;
    }
    if (options == OPTION_PARTIAL_JSON) {
        *bits = mr_read_bytes(&in, (json_count + 7) / 8);
    }
    if (!mr_reader_ok(&in) || options > OPTION_PARTIAL_JSON) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "a partial update of table \"%s\".\"%s\" has options that are not known",
                       cursor->layout->schema->space, cursor->layout->schema->table);
    }
    *at += in.offset;
    return true;
}

/** Steps over an image, noting its cells. */
static bool read_image(const struct mr_rows_cursor *cursor, struct mr_rows_image *image,
                       const uint8_t **at, bool with_diffs, struct mr_error *err)
{
    MR_ASSERT(image->cells != NULL && image->present != NULL);
    const struct mr_mysql_layout *layout = cursor->layout;
    const uint8_t *diff_bits = NULL;
    struct mr_rows_walk walk;
    if (with_diffs && !read_diff_bits(cursor, at, &diff_bits, err)) {
        return false;
    }
    if (!mr_rows_walk_start(cursor, *at, image->count, &walk)) {
        return mr_rows_fail_cut(cursor, err);
    }
    unsigned present_index = 0;
    unsigned json_index = 0;
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const struct mr_mysql_column *column = &layout->columns[i];
        struct mr_rows_cell cell = {.state = MR_CELL_ABSENT};
        if (diff_bits != NULL && column->wire == MR_MYSQL_JSON) {
            cell.is_diff = mr_rows_bit(diff_bits, json_index++);
        }
        if (mr_rows_bit(image->present, i)) {
            const bool is_null = mr_rows_bit(walk.nulls, present_index++);
            cell.state = is_null ? MR_CELL_NULL : MR_CELL_VALUE;
            if (!is_null && !mr_rows_walk_cell(&walk, column, &cell.bytes)) {
                return mr_rows_fail_cut(cursor, err);
            }
        }
        image->cells[i] = cell;
    }
    *at = walk.at;
    return true;
}

/* ---- What is missing, and why. ---- */

static bool fail_image(const struct mr_rows_cursor *cursor, const char *why, struct mr_error *err)
{
    const struct mr_schema *schema = cursor->layout->schema;
    return mr_fail(err, MR_E_SOURCE, MR_STOP,
                   "table \"%s\".\"%s\": %s; set binlog_row_image=FULL (globally, and in sessions "
                   "that changed it), then copy the table anew",
                   schema->space, schema->table, why);
}

/** The key's cells of an image; those that it lacks from `other` (may be NULL). */
static bool take_key(const struct mr_rows_cursor *cursor, const struct mr_rows_image *image,
                     const struct mr_rows_image *other, struct mr_rows_key *key,
                     struct mr_error *err)
{
    const struct mr_schema *schema = cursor->layout->schema;
    MR_ASSERT(schema->key_count > 0 && schema->key_count <= MR_ROWS_KEY_COLUMNS_MAX);
    for (uint16_t i = 0; i < schema->key_count; i++) {
        const struct mr_rows_cell *cell = &image->cells[schema->key[i]];
        if (cell->state == MR_CELL_ABSENT && other != NULL) {
            cell = &other->cells[schema->key[i]];
        }
        if (cell->state == MR_CELL_ABSENT) {
            return fail_image(cursor, "its changes are logged without its primary key", err);
        }
        key->cells[i] = cell->bytes;
    }
    return true;
}

static bool is_whole(const struct mr_rows_cursor *cursor, const struct mr_rows_image *image)
{
    return image->count == cursor->layout->column_count;
}

/* ---- Defaults. ---- */

/** "b'101'": a bit string's bytes as the binlog has them. */
static bool parse_bits(struct mr_slice text, uint8_t bytes[DEFAULT_BITS_MAX / 8], size_t size)
{
    uint64_t value = 0;
    if (text.length < 3 || (text.bytes[0] | 0x20) != 'b' || text.bytes[1] != '\'' ||
        text.bytes[text.length - 1] != '\'' || text.length - 3 > DEFAULT_BITS_MAX || size > 8) {
        return false;
    }
    for (size_t i = 2; i + 1 < text.length; i++) {
        if (text.bytes[i] != '0' && text.bytes[i] != '1') {
            return false;
        }
        value = value << 1 | (uint64_t)(text.bytes[i] - '0');
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    return true;
}

static bool is_number(struct mr_slice text)
{
    return text.length > 0 &&
           (text.bytes[0] == '-' || (text.bytes[0] >= '0' && text.bytes[0] <= '9'));
}

/** The byte that a backslash and a letter stand for. */
static uint8_t escaped_byte(uint8_t letter)
{
    static const char letters[] = "ntr0";
    static const char bytes[] = "\n\t\r";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    return found == NULL ? letter : (uint8_t)bytes[found - letters];
}

/** Takes quotes and escapes off MariaDB's way to print a default; false: it is an expression. */
static bool unquote(struct mr_slice text, struct mr_writer *to)
{
    mr_writer_reset(to);
    if (is_number(text)) {
        mr_write_bytes(to, text.bytes, text.length);
        return !to->failed;
    }
    if (text.length < 2 || text.bytes[0] != '\'' || text.bytes[text.length - 1] != '\'') {
        return false;
    }
    for (size_t i = 1; i + 1 < text.length; i++) {
        const uint8_t c = text.bytes[i];
        const bool is_pair = i + 2 < text.length && (c == '\'' || c == '\\');
        i += is_pair ? 1 : 0;
        mr_write_u8(to, is_pair && c == '\\' ? escaped_byte(text.bytes[i]) : text.bytes[i]);
    }
    return !to->failed;
}

/** "0x6162": how MySQL prints the default of a binary column. */
static bool unhex(struct mr_slice text, struct mr_writer *to)
{
    mr_writer_reset(to);
    for (size_t i = 2; i + 1 < text.length; i += 2) {
        const char pair[3] = {(char)text.bytes[i], (char)text.bytes[i + 1], '\0'};
        mr_write_u8(to, (uint8_t)strtoul(pair, NULL, 16));
    }
    return !to->failed && text.length % 2 == 0;
}

/** What a NOT NULL column without a default holds when it was not named (no strict mode). */
static bool implicit_default(const struct mr_mysql_column *column, struct mr_writer *to)
{
    mr_writer_reset(to);
    if (column->wire == MR_MYSQL_ENUM && column->label_count > 0) {
        mr_write_bytes(to, column->labels[0].bytes, column->labels[0].length);
        return true;
    }
    return column->core.type == MR_TYPE_TEXT || column->core.type == MR_TYPE_BYTES;
}

/** The default of a column as the text protocol would have it; false: it is not known. */
static bool print_default(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                          struct mr_writer *to)
{
    MR_ASSERT(to->limit > 0);
    if (!column->is_described || column->is_generated) {
        return false;
    }
    if (column->core.fallback == NULL) {
        return implicit_default(column, to);
    }
    const struct mr_slice text = mr_slice_of(column->core.fallback);
    if (column->wire == MR_MYSQL_BIT) {
        uint8_t bytes[DEFAULT_BITS_MAX / 8];
        mr_writer_reset(to);
        mr_write_bytes(to, bytes,
                       parse_bits(text, bytes, column->fixed_size) ? column->fixed_size : 0);
        return to->length > 0;
    }
    if (cursor->is_maria) {
        return unquote(text, to);
    }
    if (column->core.type == MR_TYPE_BYTES && text.length >= 2 &&
        memcmp(text.bytes, "0x", 2) == 0) {
        return unhex(text, to);
    }
    mr_writer_reset(to);
    mr_write_bytes(to, text.bytes, text.length);
    return !to->failed;
}

/** Puts the default of a column that an inserted row does not have. */
static bool put_default(const struct mr_rows_cursor *cursor, const struct mr_mysql_column *column,
                        const struct mr_mysql_cell *to, struct mr_error *err)
{
    struct mr_writer *text = cursor->scratch;
    const char *fallback = column->core.fallback;
    const bool is_null = fallback == NULL || (cursor->is_maria && strcmp(fallback, "NULL") == 0);
    if (is_null && column->core.nullable && column->is_described && !column->is_generated) {
        mr_put_null(to->cells, to->row);
        return true;
    }
    if (!print_default(cursor, column, text)) {
        char why[256];
        (void)snprintf(why, sizeof(why), "an inserted row is logged without column \"%.150s\"%s",
                       column->core.name, column->is_generated ? ", which is generated" : "");
        return fail_image(cursor, why, err);
    }
    const struct mr_slice value = {text->bytes, text->length};
    if (column->wire == MR_MYSQL_BIT) {
        return mr_rows_put_cell(cursor, column, value, to, err);
    }
    return mr_mysql_put_text(column, to, value, err) || mr_rows_fail_value(cursor, column, err);
}

/* ---- Putting rows. ---- */

/** The document of the before image with the diffs applied. */
static bool put_diff(struct mr_rows_cursor *cursor, uint16_t index, const struct mr_mysql_cell *to,
                     struct mr_error *err)
{
    const struct mr_mysql_column *column = &cursor->layout->columns[index];
    const struct mr_rows_cell *before = &cursor->before.cells[index];
    struct mr_writer *text = cursor->scratch;
    if (before->state != MR_CELL_VALUE) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "table \"%s\".\"%s\", column \"%s\": a partial update is logged without the "
                       "value before it; set binlog_row_value_options='' or binlog_row_image=FULL "
                       "(globally, and in sessions that changed it), then copy the table anew",
                       cursor->layout->schema->space, cursor->layout->schema->table,
                       column->core.name);
    }
    mr_writer_reset(text);
    if (!mr_mysql_json_diff_apply(before->bytes, cursor->after.cells[index].bytes, text, err)) {
        return mr_rows_fail_value(cursor, column, err);
    }
    if (text->length > cursor->value_bytes_max) {
        return mr_rows_put_large(cursor, column, text->length, to, err);
    }
    return mr_mysql_put_text(column, to, (struct mr_slice){text->bytes, text->length}, err) ||
           mr_rows_fail_value(cursor, column, err);
}

/** A cell of an updated row that the after image lacks. */
static bool put_missing(struct mr_rows_cursor *cursor, uint16_t index, struct mr_chunk *chunk,
                        const struct mr_mysql_cell *to, struct mr_error *err)
{
    MR_ASSERT(cursor->kind == MR_EVENT_UPDATE);
    const struct mr_mysql_column *column = &cursor->layout->columns[index];
    const struct mr_rows_cell *before = &cursor->before.cells[index];
    if (column->is_generated && cursor->is_maria) {
        char why[256];
        (void)snprintf(why, sizeof(why),
                       "an updated row is logged without column \"%.150s\", which is generated",
                       column->core.name);
        return fail_image(cursor, why, err);
    }
    if (before->state != MR_CELL_ABSENT) {
        return mr_rows_put_cell(cursor, column, before->bytes, to, err);
    }
    return mr_put_state(to->cells, to->arena, to->row, chunk->capacity, MR_CELL_ABSENT) ||
           mr_fail(err, MR_E_LIMIT, MR_STOP, "the batch is full");
}

/** Puts one image into the current row of a FULL chunk. */
static bool put_cells(struct mr_rows_cursor *cursor, const struct mr_rows_image *image,
                      struct mr_chunk *chunk, struct mr_arena *arena, struct mr_error *err)
{
    MR_ASSERT(chunk->image == MR_IMAGE_FULL);
    const struct mr_mysql_layout *layout = cursor->layout;
    struct mr_mysql_cell to = {.arena = arena, .scratch = cursor->scratch, .row = chunk->row_count};
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const struct mr_rows_cell *cell = &image->cells[i];
        bool good = false;
        to.cells = &chunk->columns[i];
        if (cell->state == MR_CELL_VALUE && cell->is_diff) {
            good = put_diff(cursor, i, &to, err);
        } else if (cell->state != MR_CELL_ABSENT) {
            good = mr_rows_put_cell(cursor, &layout->columns[i], cell->bytes, &to, err);
        } else if (cursor->kind == MR_EVENT_INSERT) {
            good = put_default(cursor, &layout->columns[i], &to, err);
        } else {
            good = put_missing(cursor, i, chunk, &to, err);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool put_row(struct mr_rows_cursor *cursor, const struct mr_rows_image *image,
                    struct mr_batch *batch, struct mr_rows_place *place, struct mr_error *err)
{
    struct mr_chunk *chunk =
        mr_batch_chunk_for(batch, cursor->layout->schema, MR_IMAGE_FULL, &place->chunk, err);
    if (chunk == NULL) {
        return false;
    }
    if (!put_cells(cursor, image, chunk, &batch->arena, err)) {
        mr_chunk_drop_row(chunk);
        return false;
    }
    place->row = mr_chunk_end_row(chunk);
    return true;
}

/** The row before a change, of a table without a key. */
static bool put_whole_before(struct mr_rows_cursor *cursor, struct mr_batch *batch,
                             struct mr_rows_place *place, struct mr_error *err)
{
    MR_ASSERT(cursor->layout->schema->key_count == 0);
    if (!is_whole(cursor, &cursor->before)) {
        return fail_image(cursor,
                          "it has no primary key, and its changes are logged without the whole row "
                          "before them",
                          err);
    }
    return put_row(cursor, &cursor->before, batch, place, err);
}

static bool next_delete(struct mr_rows_cursor *cursor, struct mr_batch *batch, struct mr_error *err)
{
    struct mr_rows_place before = {.chunk = MR_NO_CHUNK};
    bool good = false;
    if (cursor->layout->schema->key_count == 0) {
        good = put_whole_before(cursor, batch, &before, err);
    } else {
        good = take_key(cursor, &cursor->before, NULL, &cursor->before_key, err) &&
               mr_rows_put_key(cursor, &cursor->before_key, batch, &before, err);
    }
    return good && mr_batch_add_event(batch, MR_EVENT_DELETE, MR_NO_CHUNK, 0, before.chunk,
                                      before.row, err);
}

static bool next_update(struct mr_rows_cursor *cursor, struct mr_batch *batch, struct mr_error *err)
{
    struct mr_rows_place before = {.chunk = MR_NO_CHUNK};
    struct mr_rows_place row = {.chunk = MR_NO_CHUNK};
    if (cursor->layout->schema->key_count == 0) {
        return put_whole_before(cursor, batch, &before, err) &&
               put_row(cursor, &cursor->after, batch, &row, err) &&
               mr_batch_add_event(batch, MR_EVENT_UPDATE, row.chunk, row.row, before.chunk,
                                  before.row, err);
    }
    return take_key(cursor, &cursor->before, NULL, &cursor->before_key, err) &&
           take_key(cursor, &cursor->after, &cursor->before, &cursor->after_key, err) &&
           put_row(cursor, &cursor->after, batch, &row, err) &&
           (mr_rows_keys_are_equal(cursor, &cursor->before_key, &cursor->after_key) ||
            mr_rows_put_key(cursor, &cursor->before_key, batch, &before, err)) &&
           mr_batch_add_event(batch, MR_EVENT_UPDATE, row.chunk, row.row, before.chunk, before.row,
                              err);
}

bool mr_rows_partial_next(struct mr_rows_cursor *cursor, const uint8_t **at, struct mr_batch *batch,
                          struct mr_error *err)
{
    MR_ASSERT(cursor->is_partial && cursor->before.cells != NULL);
    const uint8_t *behind = *at;
    struct mr_rows_place row = {0};
    bool good = false;
    if (cursor->kind != MR_EVENT_INSERT &&
        !read_image(cursor, &cursor->before, &behind, false, err)) {
        return false;
    }
    if (cursor->kind != MR_EVENT_DELETE &&
        !read_image(cursor, &cursor->after, &behind, cursor->has_diffs, err)) {
        return false;
    }
    if (cursor->kind == MR_EVENT_INSERT) {
        good = put_row(cursor, &cursor->after, batch, &row, err) &&
               mr_batch_add_event(batch, MR_EVENT_INSERT, row.chunk, row.row, MR_NO_CHUNK, 0, err);
    } else if (cursor->kind == MR_EVENT_UPDATE) {
        good = next_update(cursor, batch, err);
    } else {
        good = next_delete(cursor, batch, err);
    }
    if (good) {
        MR_ASSERT(behind > *at);
        *at = behind;
    }
    return good;
}
