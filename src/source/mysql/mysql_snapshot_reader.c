// SPDX-License-Identifier: MIT
/*
 * mysql_snapshot_reader.c - copies pieces of tables as READ events, one connection a reader.
 *
 * Rows come unbuffered (mysql_use_result) in text form and are decoded from the library's packet
 * into column chunks. Text comes in its column's own character set, as in the binlog: the server's
 * conversion would put '?' where it knows no character. A row that no longer fits a batch stays
 * current and opens the next one.
 *
 * A reader that is closed in the middle of a piece drops its connection without reading the rest.
 */
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "memory.h"
#include "mysql_snapshot.h"

#define SELECT_BYTES_MAX (4u << 20) /* 4,096 names of 64 characters, quoted */

/* What is undone when a piece ends. */
enum reader_hold {
    READER_HOLDS_NOTHING,
    READER_HOLDS_TRANSACTION,
    READER_HOLDS_LOCK,
};

struct mr_snapshot_reader {
    struct mr_snapshot *snapshot;
    struct mr_mysql_connection *connection;
    struct mr_mysql_column *columns; /* of the current table: the layout's, with own converters */
    struct mr_charset_converter *converters;
    uint16_t column_count;
    MYSQL_RES *result; /* of the current piece; NULL between pieces */
    MYSQL_ROW row;     /* read and not yet in a batch; NULL none */
    enum reader_hold hold;
    uint32_t table;
    uint32_t piece;
};

struct mr_snapshot_reader *mr_mysql_snapshot_reader_open(struct mr_snapshot *snapshot,
                                                         struct mr_error *err)
{
    MR_ASSERT(snapshot->endpoint != NULL);
    struct mr_snapshot_reader *reader = mr_memory_new(1, sizeof(*reader));
    reader->snapshot = snapshot;
    reader->connection =
        mr_mysql_connect(&snapshot->context, MR_MYSQL_SNAPSHOT, snapshot->endpoint, err);
    if (reader->connection == NULL ||
        !mr_mysql_execute(reader->connection,
                          "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", err) ||
        !mr_mysql_execute(reader->connection, "SET SESSION character_set_results = NULL", err)) {
        mr_mysql_snapshot_reader_close(reader);
        return NULL;
    }
    return reader;
}

static void drop_columns(struct mr_snapshot_reader *reader)
{
    for (uint16_t i = 0; i < reader->column_count; i++) {
        mr_charset_close(&reader->converters[i]);
    }
    free(reader->columns);
    free(reader->converters);
    reader->columns = NULL;
    reader->converters = NULL;
    reader->column_count = 0;
}

/** Readers share a table's layout, but a converter has a state: each reader needs its own. */
static void take_columns(struct mr_snapshot_reader *reader, const struct mr_mysql_layout *layout)
{
    drop_columns(reader);
    MR_ASSERT(layout->column_count > 0);
    reader->column_count = layout->column_count;
    reader->columns = mr_memory_new(layout->column_count, sizeof(*reader->columns));
    reader->converters = mr_memory_new(layout->column_count, sizeof(*reader->converters));
    for (uint16_t i = 0; i < layout->column_count; i++) {
        reader->columns[i] = layout->columns[i];
        reader->columns[i].converter = &reader->converters[i];
    }
}

/** Gives the result up without reading what is left of it: the connection is closed next. */
static void abandon_result(struct mr_snapshot_reader *reader)
{
    if (reader->result != NULL) {
        reader->result->handle = NULL; /* or the library would read to the end */
        mysql_free_result(reader->result);
        reader->result = NULL;
    }
}

void mr_mysql_snapshot_reader_close(struct mr_snapshot_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    abandon_result(reader);
    drop_columns(reader);
    mr_mysql_disconnect(reader->connection);
    free(reader);
}

static bool set_exact_high(struct mr_snapshot_reader *reader, const struct mr_mysql_place *place,
                           struct mr_error *err)
{
    MR_ASSERT(reader->snapshot->tables[reader->table].exact);
    struct mr_native_position native = {0};
    if (!mr_mysql_snapshot_native(reader->snapshot, place, &native, err)) {
        return false;
    }
    reader->snapshot->parts[reader->table].exact_high = native;
    return true;
}

/** MySQL: opens the reader's snapshot while the control connection keeps commits out. */
static bool begin_behind_barrier(struct mr_snapshot_reader *reader,
                                 const struct mr_mysql_barrier *barrier,
                                 struct mr_mysql_place *place, struct mr_error *err)
{
    MR_ASSERT(!reader->connection->is_maria && barrier->table_count == 1);
    struct mr_error leaving = {0};
    struct mr_mysql_connection *control = mr_mysql_snapshot_control(reader->snapshot, err);
    if (control == NULL || !mr_mysql_barrier_enter(control, barrier, err)) {
        return false;
    }
    bool begun =
        mr_mysql_execute(reader->connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT", err) &&
        mr_mysql_place_read(control, place, err);
    bool left = mr_mysql_barrier_leave(control, &leaving);
    if (begun && !left) {
        *err = leaving;
    }
    return begun && left;
}

/** Brings the reader to a state in which the table is read at one known place. */
static bool begin_exact(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    MR_ASSERT(reader->hold == READER_HOLDS_NOTHING);
    struct mr_snapshot *snapshot = reader->snapshot;
    struct mr_mysql_barrier barrier = {
        .tables = &snapshot->list.tables[reader->table],
        .table_count = 1,
        .by_name_only = !snapshot->list.tables[reader->table].is_transactional,
    };
    struct mr_mysql_place place = {0};
    bool begun = false;

    (void)pthread_mutex_lock(&snapshot->mutex);
    if (barrier.by_name_only) {
        begun = mr_mysql_barrier_enter(reader->connection, &barrier, err) &&
                mr_mysql_place_read(reader->connection, &place, err);
        reader->hold = READER_HOLDS_LOCK;
    } else if (reader->connection->is_maria) {
        begun = mr_mysql_barrier_maria_snapshot(reader->connection, &place, err);
        reader->hold = READER_HOLDS_TRANSACTION;
    } else {
        begun = begin_behind_barrier(reader, &barrier, &place, err);
        reader->hold = READER_HOLDS_TRANSACTION;
    }
    begun = begun && set_exact_high(reader, &place, err);
    (void)pthread_mutex_unlock(&snapshot->mutex);
    mr_mysql_place_done(&place);
    return begun;
}

static bool fail_read(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    const struct mr_schema *schema = reader->snapshot->tables[reader->table].schema;
    unsigned number = mr_mysql_error_number(reader->connection);
    (void)mr_mysql_fail(reader->connection, "copy", err);
    if (number == ER_NO_SUCH_TABLE || number == ER_BAD_FIELD_ERROR ||
        number == ER_KEY_DOES_NOT_EXISTS) {
        err->recovery = MR_RETRY; /* dropped or altered since it was listed: list again */
        (void)mr_error_context(err, "the table was dropped or altered during its copy");
    }
    return mr_error_context(err, "table \"%s\".\"%s\"", schema->space, schema->table);
}

bool mr_mysql_snapshot_reader_begin(struct mr_snapshot_reader *reader, uint32_t table,
                                    uint32_t piece, struct mr_error *err)
{
    struct mr_snapshot *snapshot = reader->snapshot;
    MR_ASSERT(table < snapshot->table_count && piece < snapshot->tables[table].piece_count);
    MR_ASSERT(reader->result == NULL && reader->hold == READER_HOLDS_NOTHING);
    const struct mr_mysql_snapshot_part *part = &snapshot->parts[table];
    struct mr_writer sql = {0};

    reader->table = table;
    reader->piece = piece;
    reader->row = NULL;
    take_columns(reader, part->layout);
    if (snapshot->tables[table].exact && !begin_exact(reader, err)) {
        return mr_error_context(err, "copy \"%s\".\"%s\"", snapshot->list.tables[table].space,
                                snapshot->list.tables[table].table);
    }
    mr_writer_init(&sql, SELECT_BYTES_MAX);
    const struct mr_snapshot_wish *wish = mr_wished_table(&snapshot->context);
    mr_mysql_pieces_select(&part->pieces, part->layout, piece, wish == NULL ? NULL : wish->where,
                           &sql);
    MR_ASSERT(!sql.failed && sql.length > 0);
    bool sent =
        mysql_real_query(reader->connection->mysql, (const char *)sql.bytes, sql.length - 1) == 0;
    mr_writer_done(&sql);
    reader->result = sent ? mysql_use_result(reader->connection->mysql) : NULL;
    if (reader->result == NULL) {
        return fail_read(reader, err);
    }
    if (mysql_num_fields(reader->result) != part->layout->column_count) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "the server answered with other columns");
    }
    return true;
}

/** Puts the current row into a chunk. On failure the row's cells are dropped again. */
static bool put_row(struct mr_snapshot_reader *reader, struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(reader->row != NULL);
    const struct mr_mysql_layout *layout = reader->snapshot->parts[reader->table].layout;
    const unsigned long *lengths = mysql_fetch_lengths(reader->result);
    uint16_t index = 0;
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, layout->schema, MR_IMAGE_FULL, &index, err);
    if (chunk == NULL) {
        return false;
    }
    struct mr_mysql_cell to = {.arena = &batch->arena, .row = chunk->row_count};
    for (uint16_t i = 0; i < layout->column_count; i++) {
        to.cells = &chunk->columns[i];
        if (reader->row[i] == NULL) {
            mr_put_null(to.cells, to.row);
            continue;
        }
        struct mr_slice text = {(const uint8_t *)reader->row[i], lengths[i]};
        if (!mr_mysql_put_text(&reader->columns[i], &to, text, err)) {
            mr_chunk_drop_row(chunk);
            return mr_error_context(err, "table \"%s\".\"%s\", column \"%s\"",
                                    layout->schema->space, layout->schema->table,
                                    layout->columns[i].core.name);
        }
    }
    uint16_t row = mr_chunk_end_row(chunk);
    if (!mr_batch_add_event(batch, MR_EVENT_READ, index, row, MR_NO_CHUNK, 0, err)) {
        chunk->row_count--;
        mr_chunk_drop_row(chunk);
        return false;
    }
    return true;
}

/** A value past the limit fails for good, whatever room a batch has; or it becomes NULL. */
static bool check_values(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    const struct mr_mysql_layout *layout = reader->snapshot->parts[reader->table].layout;
    const unsigned long *lengths = mysql_fetch_lengths(reader->result);
    const struct mr_source_context *context = &reader->snapshot->context;
    uint64_t limit = context->value_bytes_max;
    for (uint16_t i = 0; i < layout->column_count; i++) {
        const bool is_key = layout->columns[i].core.key_index != MR_NOT_IN_KEY;
        if (lengths[i] > limit && context->nulls_large_values && !is_key) {
            reader->row[i] = NULL;
            mr_nulled_add(context->nulled, layout->schema, i);
        } else if (lengths[i] > limit) {
            return mr_fail(
                err, MR_E_LIMIT, MR_STOP,
                "table \"%s\".\"%s\", column \"%s\": a value of %lu bytes is larger than "
                "value_max (%llu bytes); raise value_max",
                layout->schema->space, layout->schema->table, layout->columns[i].core.name,
                lengths[i], (unsigned long long)limit);
        }
    }
    return true;
}

/** All rows were read: gives back what the piece held. */
static bool end_piece(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    MR_ASSERT(reader->row == NULL);
    if (mr_mysql_error_number(reader->connection) != 0) {
        return fail_read(reader, err);
    }
    mysql_free_result(reader->result);
    reader->result = NULL;
    enum reader_hold held = reader->hold;
    reader->hold = READER_HOLDS_NOTHING;
    switch (held) {
    case READER_HOLDS_NOTHING:
        return true;
    case READER_HOLDS_TRANSACTION:
        return mr_mysql_execute(reader->connection, "COMMIT", err);
    case READER_HOLDS_LOCK:
        return mr_mysql_barrier_leave(reader->connection, err);
    }
    return true;
}

enum mr_next mr_mysql_snapshot_reader_next(struct mr_snapshot_reader *reader,
                                           struct mr_batch *batch, struct mr_error *err)
{
    const struct mr_snapshot *snapshot = reader->snapshot;
    const struct mr_env *env = snapshot->context.env;
    MR_ASSERT(reader->result != NULL);
    batch->snapshot_table = reader->table + 1;
    batch->snapshot_chunk = reader->piece;

    while (mr_batch_bytes(batch) < snapshot->context.target_bytes) {
        if (reader->row == NULL) {
            reader->row = mysql_fetch_row(reader->result);
            if (reader->row == NULL) {
                batch->received_ns = env->monotonic_ns(env);
                return end_piece(reader, err) ? MR_NEXT_END : MR_NEXT_ERROR;
            }
            if (!check_values(reader, err)) {
                return MR_NEXT_ERROR;
            }
        }
        if (!put_row(reader, batch, err)) {
            if (err->code != MR_E_LIMIT || batch->row_count == 0) {
                return MR_NEXT_ERROR;
            }
            break; /* the batch is full: the row opens the next one */
        }
        reader->row = NULL;
    }
    batch->received_ns = env->monotonic_ns(env);
    return MR_NEXT_BATCH;
}
