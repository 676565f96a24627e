// SPDX-License-Identifier: MIT
/*
 * pg_reader.c - one connection that copies pieces of tables at the snapshot's point.
 *
 * Binary COPY: the server skips the output functions (a timestamp's alone costs as much as the rest
 * of a row) and we decode integers instead of digits; figures are in README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pg_copy.h"
#include "pg_snapshot.h"
#include "writer.h"

#define COMMAND_BYTES_MAX (UINT32_C(4) << 20)
#define US_PER_MS         UINT64_C(1000)
#define GATHER_US         100 /* lets the server fill the socket while we have time */
#define GATHER_BYTES_MIN  16384

struct mr_snapshot_reader {
    struct mr_snapshot *snapshot;
    struct mr_pg_connection connection;
    struct mr_pg_copy copy;
    uint32_t table;
    uint32_t piece;
    bool is_copying;
    char *message; /* taken from libpq and not decoded whole; NULL: none */
    size_t message_length;
    uint64_t brought_bytes; /* since the socket was last empty */
};

static bool import_snapshot(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    MR_ASSERT(reader->connection.pg != NULL);
    char name[2 * MR_PG_NAME_BYTES_MAX + 3];
    char command[192 + sizeof(name)];
    mr_pg_quote_literal(reader->snapshot->point.snapshot, name, sizeof(name));
    (void)snprintf(command, sizeof(command), "SET TRANSACTION SNAPSHOT %s", name);
    if (!mr_pg_run(&reader->connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err)) {
        return false;
    }
    if (!mr_pg_run(&reader->connection, command, err)) {
        err->recovery = MR_RETRY; /* it ended with its session: the next try exports another one */
        return mr_error_context(err, "import the snapshot");
    }
    return true;
}

struct mr_snapshot_reader *mr_pg_reader_open(struct mr_snapshot *snapshot, struct mr_error *err)
{
    MR_ASSERT(snapshot->point.snapshot[0] != '\0');
    struct mr_snapshot_reader *reader = mr_memory_new(1, sizeof(*reader));
    reader->snapshot = snapshot;
    if (!mr_pg_connection_open(&reader->connection, snapshot->context, MR_PG_CONNECTION_SQL, err) ||
        !mr_pg_connection_widen(&reader->connection, err) || !import_snapshot(reader, err)) {
        mr_pg_reader_close(reader);
        return NULL;
    }
    return reader;
}

void mr_pg_reader_close(struct mr_snapshot_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    PQfreemem(reader->message);
    mr_pg_connection_close(&reader->connection);
    free(reader);
}

/* Which leaf a table's piece belongs to; *piece is then the leaf's own. */
static const struct mr_pg_leaf *find_leaf(const struct mr_pg_copied *copied, uint32_t *piece)
{
    MR_ASSERT(copied->leaf_count > 0);
    uint32_t i = 0;
    while (*piece >= copied->leaves[i].piece_count) {
        *piece -= copied->leaves[i].piece_count;
        i++;
        MR_ASSERT(i < copied->leaf_count);
    }
    return &copied->leaves[i];
}

static void append(struct mr_writer *writer, const char *text)
{
    mr_write_bytes(writer, text, strlen(text));
}

/* " WHERE ctid >= '(n,0)' AND ctid < '(m,0)'", open at both ends of the table. */
static void append_range(struct mr_writer *writer, const struct mr_pg_leaf *leaf, uint32_t piece,
                         uint64_t piece_blocks)
{
    MR_ASSERT(piece < leaf->piece_count);
    char text[64];
    if (piece > 0) {
        (void)snprintf(text, sizeof(text), " AND ctid >= '(%llu,0)'::pg_catalog.tid",
                       (unsigned long long)(piece * piece_blocks));
        append(writer, text);
    }
    if (piece + 1 < leaf->piece_count) {
        (void)snprintf(text, sizeof(text), " AND ctid < '(%llu,0)'::pg_catalog.tid",
                       (unsigned long long)((piece + 1) * piece_blocks));
        append(writer, text);
    }
}

/* A whole plain table goes without the executor; a part of one, or a tree of tables, needs it. */
static void write_command(struct mr_snapshot_reader *reader, struct mr_writer *writer)
{
    const struct mr_pg_copied *copied = &reader->snapshot->copied[reader->table];
    const struct mr_pg_config *config = reader->snapshot->context->config;
    uint32_t piece = reader->piece;
    const struct mr_pg_leaf *leaf = find_leaf(copied, &piece);
    const bool is_plain = leaf->filenode != 0;
    append(writer, "COPY ");
    if (is_plain && leaf->piece_count == 1 && leaf->filter == NULL && copied->columns[0] != '\0' &&
        !copied->is_selected) {
        append(writer, leaf->qualified);
        append(writer, " (");
        append(writer, copied->columns);
        append(writer, ")");
    } else {
        append(writer, "(SELECT ");
        append(writer, copied->columns);
        append(writer, is_plain ? " FROM ONLY " : " FROM ");
        append(writer, leaf->qualified);
        append(writer, " WHERE true");
        append_range(writer, leaf, piece, config->snapshot_piece_bytes / 8192);
        if (leaf->filter != NULL) {
            append(writer, " AND (");
            append(writer, leaf->filter);
            append(writer, ")");
        }
        append(writer, ")");
    }
    append(writer, " TO STDOUT (FORMAT binary)");
    mr_write_u8(writer, '\0');
}

bool mr_pg_reader_begin(struct mr_snapshot_reader *reader, uint32_t table, uint32_t piece,
                        struct mr_error *err)
{
    struct mr_writer writer;
    const struct mr_snapshot *snapshot = reader->snapshot;
    MR_ASSERT(!reader->is_copying && table < snapshot->table_count);
    MR_ASSERT(piece < snapshot->tables[table].piece_count);
    reader->table = table;
    reader->piece = piece;
    reader->copy = (struct mr_pg_copy){
        .schema = snapshot->tables[table].schema,
        .plans = snapshot->copied[table].plans,
        .value_bytes_max = snapshot->context->value_bytes_max,
        .nulls_large_values = snapshot->context->nulls_large_values,
        .nulled = snapshot->context->nulled,
    };
    mr_writer_init(&writer, COMMAND_BYTES_MAX);
    write_command(reader, &writer);
    PGresult *result = NULL;
    if (writer.failed) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "the statement is too long");
    } else {
        result = mr_pg_command(&reader->connection, (const char *)writer.bytes, err);
    }
    mr_writer_done(&writer);
    if (result == NULL) {
        return mr_error_context(err, "copy table \"%s.%s\", piece %u", reader->copy.schema->space,
                                reader->copy.schema->table, piece);
    }
    reader->is_copying = PQresultStatus(result) == PGRES_COPY_OUT;
    PQclear(result);
    return reader->is_copying || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "COPY did not start a copy");
}

/* The copy is over: END if the server says that it was complete. */
static enum mr_next finish(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    MR_ASSERT(reader->is_copying);
    reader->is_copying = false;
    PGresult *result = mr_pg_collect(&reader->connection, err);
    PQclear(result);
    if (result == NULL) {
        return MR_NEXT_ERROR;
    }
    if (!reader->copy.has_trailer) {
        (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP, "COPY ended without its trailer");
        return MR_NEXT_ERROR;
    }
    return MR_NEXT_END;
}

/* Waits for bytes; when many came since the last wait, it lets more of them gather first. */
static bool receive(struct mr_snapshot_reader *reader, struct mr_error *err)
{
    MR_ASSERT(reader->is_copying && reader->message == NULL);
    const struct mr_env *env = reader->snapshot->context->env;
    const uint64_t wait_ms = reader->snapshot->context->wait_ms_max;
    if (reader->brought_bytes >= GATHER_BYTES_MIN) {
        env->sleep_us(env, GATHER_US);
    } else if (!mr_pg_connection_wait(&reader->connection, false, wait_ms * US_PER_MS)) {
        return mr_fail(err, MR_E_NET, MR_RETRY, "the server sent nothing for %llu ms",
                       (unsigned long long)wait_ms);
    }
    reader->brought_bytes = 0;
    return PQconsumeInput(reader->connection.pg) != 0 ||
           mr_pg_fail_result(&reader->connection, NULL, "COPY", err);
}

/* One message more, or a wait for it; IDLE: go on. */
static enum mr_next step(struct mr_snapshot_reader *reader, struct mr_batch *batch,
                         struct mr_error *err)
{
    MR_ASSERT(reader->is_copying);
    if (reader->message == NULL) {
        const int length = PQgetCopyData(reader->connection.pg, &reader->message, 1);
        if (length == -1) {
            return finish(reader, err);
        }
        if (length < 0) {
            (void)mr_pg_fail_result(&reader->connection, NULL, "COPY", err);
            return MR_NEXT_ERROR;
        }
        if (length == 0) {
            return receive(reader, err) ? MR_NEXT_IDLE : MR_NEXT_ERROR;
        }
        reader->message_length = (size_t)length;
        reader->brought_bytes += (uint64_t)length;
    }
    switch (mr_pg_copy_decode(&reader->copy, batch, reader->message, reader->message_length, err)) {
    case MR_PG_BATCH_FULL:
        return MR_NEXT_BATCH;
    case MR_PG_FAILED:
        return MR_NEXT_ERROR;
    case MR_PG_DECODED:
        break;
    }
    PQfreemem(reader->message);
    reader->message = NULL;
    return MR_NEXT_IDLE;
}

enum mr_next mr_pg_reader_next(struct mr_snapshot_reader *reader, struct mr_batch *batch,
                               struct mr_error *err)
{
    const struct mr_source_context *context = reader->snapshot->context;
    MR_ASSERT(reader->is_copying);
    MR_ASSERT(batch->event_count == 0);
    enum mr_next next = MR_NEXT_IDLE;
    while (next == MR_NEXT_IDLE) {
        next = step(reader, batch, err);
        if (next == MR_NEXT_IDLE && batch->event_count > 0 &&
            mr_batch_bytes(batch) >= context->target_bytes) {
            next = MR_NEXT_BATCH;
        }
    }
    batch->snapshot_table = reader->table + 1;
    batch->snapshot_chunk = reader->piece;
    batch->received_ns = context->env->monotonic_ns(context->env);
    if (next == MR_NEXT_ERROR) {
        (void)mr_error_context(err, "copy table \"%s.%s\", piece %u", reader->copy.schema->space,
                               reader->copy.schema->table, reader->piece);
    }
    return next;
}
