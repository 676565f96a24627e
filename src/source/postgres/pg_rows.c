// SPDX-License-Identifier: MIT
/*
 * pg_rows.c - rows of pgoutput into column chunks.
 *
 *   Insert  'I' u32 oid, 'N' tuple
 *   Update  'U' u32 oid, ['K' tuple | 'O' tuple], 'N' tuple
 *   Delete  'D' u32 oid, ('K' tuple | 'O' tuple)
 *   tuple   := u16 column_count, { 'n' | 'u' | ('t' | 'b') u32 length, bytes[length] }
 *
 * 'K' has the replica identity's columns of the old row (the rest are 'n'), 'O' all of them; 'u' is
 * a TOAST value that the update did not touch. Where the old row has that value, it is filled in,
 * so that `unchanged` reaches a sink only when the server really did not send it.
 *
 * An Insert (and an Update without an old row) goes from the wire to the chunk cell by cell. With
 * an old row both are first noted as slices, since the key may have changed and 'u' looks back.
 *
 * A message is all or nothing: when a cell does not fit, fails, or proves the schema too strict (a
 * null where the catalogs, being ahead of the log, say NOT NULL), the rows it began are taken back.
 *
 * Source: PostgreSQL, src/backend/replication/logical/proto.c, logicalrep_write_tuple().
 */
#include "pg_rows.h"
#include "pg_change.h"

#include <string.h>

/* Room that is made sure of before a message, so that no message stops half-way at these bounds. */
#define EVENTS_SPARE 4
#define CHUNKS_SPARE 4

enum put {
    PUT_OK,
    PUT_FULL,
    PUT_LOOSEN,    /* the schema's column must become nullable; then again */
    PUT_SET_ASIDE, /* the table is to stand still before this transaction: *err says why */
    PUT_FAILED,
};

/* What a message is decoded into. */
struct job {
    struct mr_pgoutput *decoder;
    struct mr_batch *batch;
    struct mr_pg_relation *relation;
    struct mr_reader *in;
    struct mr_error *err;
    uint16_t loosen; /* PUT_LOOSEN: which column */
};

/* A row that was begun; chunk NULL: none. */
struct row {
    struct mr_chunk *chunk;
    uint16_t index; /* of the chunk in the batch */
    uint16_t number;
    bool ended;
};

static const struct row no_row = {.index = MR_NO_CHUNK};

static bool batch_has_more(const struct job *job)
{
    return job->batch->event_count > 0 ||
           job->batch->transaction_count > (job->decoder->is_begun ? 1u : 0u);
}

/* Out of room: another batch may have it, unless this one is empty already. */
static enum put full_or_failed(const struct job *job)
{
    MR_ASSERT(job->relation != NULL);
    if (batch_has_more(job)) {
        *job->err = (struct mr_error){0};
        return PUT_FULL;
    }
    if (job->err->code == MR_OK) {
        (void)mr_fail(job->err, MR_E_LIMIT, MR_STOP,
                      "a row of \"%s.%s\" does not fit into a batch of %zu bytes; raise memory_max",
                      job->relation->schema->space, job->relation->schema->table,
                      job->batch->arena.capacity);
    }
    return PUT_FAILED;
}

/* ---- Cells. ---- */

static void read_cell(struct mr_reader *in, struct mr_pg_wire_cell *cell)
{
    cell->kind = mr_read_u8(in);
    cell->value = (struct mr_slice){0};
    if (MR_LIKELY(cell->kind == 'b' || cell->kind == 't')) {
        const uint32_t length = mr_read_u32_be(in);
        cell->value = mr_read_slice(in, length);
    } else if (cell->kind != 'n' && cell->kind != 'u') {
        in->failed = true;
    }
}

static MR_COLD enum put fail_cell(struct job *job, uint16_t column, enum mr_pg_put result)
{
    MR_ASSERT(column < job->relation->schema->column_count);
    (void)mr_pg_put_fail(result, job->relation->schema, column, job->err);
    return PUT_FAILED;
}

static MR_COLD enum put fail_value_size(struct job *job, uint16_t column, size_t length)
{
    MR_ASSERT(length > job->decoder->value_bytes_max);
    const struct mr_schema *schema = job->relation->schema;
    (void)mr_fail(job->err, MR_E_LIMIT, MR_STOP,
                  "table \"%s.%s\", column \"%s\": a value of %zu bytes is larger than value_max "
                  "(%llu); raise value_max, or exclude the table",
                  schema->space, schema->table, schema->columns[column].name, length,
                  (unsigned long long)job->decoder->value_bytes_max);
    return PUT_FAILED;
}

static enum put put_null(struct job *job, struct mr_chunk *chunk, uint16_t at, uint16_t column)
{
    MR_ASSERT(at < chunk->column_count);
    const struct mr_pg_plan *plan = &job->relation->plans[column];
    if (MR_UNLIKELY(!plan->is_nullable)) {
        if (job->relation->schema->columns[column].key_index != MR_NOT_IN_KEY) {
            return fail_cell(job, column, MR_PG_PUT_MALFORMED);
        }
        job->loosen = column;
        return PUT_LOOSEN;
    }
    mr_put_null(&chunk->columns[at], chunk->row_count);
    return PUT_OK;
}

static enum put put_unchanged(struct job *job, struct mr_chunk *chunk, uint16_t at, uint16_t column)
{
    MR_ASSERT(at < chunk->column_count);
    const struct mr_schema *schema = job->relation->schema;
    if (schema->key_count == 0 || schema->columns[column].key_index != MR_NOT_IN_KEY) {
        return fail_cell(job, column, MR_PG_PUT_MALFORMED);
    }
    return mr_put_state(&chunk->columns[at], &job->batch->arena, chunk->row_count, chunk->capacity,
                        MR_CELL_UNCHANGED)
               ? PUT_OK
               : full_or_failed(job);
}

/* The value becomes NULL, as the column's policy has it, and is counted. */
static MR_COLD enum put put_nulled(struct job *job, struct mr_chunk *chunk, uint16_t at,
                                   uint16_t column)
{
    MR_ASSERT(job->relation->plans[column].is_nullable);
    mr_put_null(&chunk->columns[at], chunk->row_count);
    mr_nulled_add(job->decoder->nulled, job->relation->schema, column);
    return PUT_OK;
}

/* A value past value_max: NULL where that was asked for and can be, else the end. */
static MR_COLD enum put put_large(struct job *job, struct mr_chunk *chunk, uint16_t at,
                                  uint16_t column, size_t length)
{
    const struct mr_schema *schema = job->relation->schema;
    if (!job->decoder->nulls_large_values || schema->columns[column].key_index != MR_NOT_IN_KEY) {
        return fail_value_size(job, column, length);
    }
    const enum put done = put_null(job, chunk, at, column);
    if (done == PUT_OK) {
        mr_nulled_add(job->decoder->nulled, schema, column);
    }
    return done;
}

/* Only the server can read the value: it is asked for its text. */
static MR_COLD enum put put_foreign(struct job *job, struct mr_chunk *chunk, uint16_t at,
                                    uint16_t column, const struct mr_pg_wire_cell *cell)
{
    const struct mr_pg_describer *describer = &job->decoder->describer;
    struct mr_slice text = cell->value; /* of a type that is not known and has no binary form */
    MR_ASSERT(job->relation->plans[column].type != NULL);
    if (cell->kind == 'b' && describer->print == NULL) {
        return fail_cell(job, column, MR_PG_PUT_FOREIGN);
    }
    mr_arena_reset(&job->decoder->scratch);
    if (cell->kind == 'b' &&
        !describer->print(describer->context, job->relation->plans[column].type->oid, cell->value,
                          &job->decoder->scratch, &text, job->err)) {
        const struct mr_schema *schema = job->relation->schema;
        (void)mr_error_context(job->err, "table \"%s.%s\", column \"%s\" of type %s", schema->space,
                               schema->table, schema->columns[column].name,
                               schema->columns[column].source_type);
        return PUT_FAILED;
    }
    if (!mr_pg_text_is_utf8(text.bytes, text.length)) {
        return fail_cell(job, column, MR_PG_PUT_ENCODING);
    }
    return mr_put_bytes(&chunk->columns[at], &job->batch->arena, chunk->row_count, text.bytes,
                        text.length)
               ? PUT_OK
               : full_or_failed(job);
}

/* The type's fields are not what they were: it is learnt anew, and the value tried once more. */
static MR_COLD enum mr_pg_put put_altered(struct job *job, struct mr_chunk *chunk, uint16_t at,
                                          uint16_t column, const struct mr_pg_wire_cell *cell)
{
    const struct mr_pg_describer *describer = &job->decoder->describer;
    struct mr_pg_plan *plan = &job->relation->plans[column];
    MR_ASSERT(plan->type != NULL);
    if (describer->describe_type == NULL ||
        !describer->describe_type(describer->context, plan->type->oid, &job->decoder->types,
                                  job->err)) {
        return MR_PG_PUT_ALTERED;
    }
    plan->type = mr_pg_types_find(&job->decoder->types, plan->type->oid);
    return plan->put(&chunk->columns[at], &job->batch->arena, chunk->row_count, plan, cell->value);
}

/* A cell that could not just be put. */
static MR_COLD enum put put_otherwise(struct job *job, struct mr_chunk *chunk, uint16_t at,
                                      uint16_t column, const struct mr_pg_wire_cell *cell,
                                      enum mr_pg_put result)
{
    MR_ASSERT(result != MR_PG_PUT_OK);
    if (result == MR_PG_PUT_ALTERED) {
        result = put_altered(job, chunk, at, column, cell);
        if (job->err->code != MR_OK) {
            return PUT_FAILED;
        }
    }
    if (result == MR_PG_PUT_OK) {
        return PUT_OK;
    }
    if (result == MR_PG_PUT_FULL) {
        return full_or_failed(job);
    }
    if (result == MR_PG_PUT_FOREIGN) {
        return put_foreign(job, chunk, at, column, cell);
    }
    const struct mr_pg_plan *plan = &job->relation->plans[column];
    if (mr_pg_put_is_type_error(result) && plan->on_error == MR_ON_TYPE_ERROR_NULL) {
        return put_nulled(job, chunk, at, column);
    }
    (void)fail_cell(job, column, result);
    return mr_pg_put_is_type_error(result) && plan->on_error == MR_ON_TYPE_ERROR_QUARANTINE
               ? PUT_SET_ASIDE
               : PUT_FAILED;
}

/* Puts a cell of schema column `column` into the chunk's column `at`. */
static inline enum put put_cell(struct job *job, struct mr_chunk *chunk, uint16_t at,
                                uint16_t column, const struct mr_pg_wire_cell *cell)
{
    MR_ASSERT(at < chunk->column_count);
    const struct mr_pg_plan *plan = &job->relation->plans[column];
    if (MR_UNLIKELY(cell->kind == 'n')) {
        return put_null(job, chunk, at, column);
    }
    if (MR_UNLIKELY(cell->kind == 'u')) {
        return put_unchanged(job, chunk, at, column);
    }
    if (MR_UNLIKELY(cell->kind == 't' && !plan->text_is_same &&
                    !mr_pg_tree_is_foreign(plan->type))) {
        return fail_cell(job, column, MR_PG_PUT_MALFORMED);
    }
    if (MR_UNLIKELY(cell->value.length > job->decoder->value_bytes_max)) {
        return put_large(job, chunk, at, column, cell->value.length);
    }
    const enum mr_pg_put result =
        plan->put(&chunk->columns[at], &job->batch->arena, chunk->row_count, plan, cell->value);
    if (MR_LIKELY(result == MR_PG_PUT_OK)) {
        return PUT_OK;
    }
    return put_otherwise(job, chunk, at, column, cell, result);
}

/* ---- Rows. ---- */

static enum put begin_row(struct job *job, enum mr_image image, struct row *row)
{
    MR_ASSERT(row->chunk == NULL);
    row->ended = false;
    row->chunk =
        mr_batch_chunk_for(job->batch, job->relation->schema, image, &row->index, job->err);
    if (MR_UNLIKELY(row->chunk == NULL)) {
        return full_or_failed(job);
    }
    return PUT_OK;
}

static void end_row(struct row *row)
{
    MR_ASSERT(row->chunk != NULL && !row->ended);
    row->number = mr_chunk_end_row(row->chunk);
    row->ended = true;
}

static void take_back(struct row *row)
{
    if (row->chunk == NULL) {
        return;
    }
    if (row->ended) {
        MR_ASSERT(row->chunk->row_count == row->number + 1u);
        row->chunk->row_count--;
    }
    mr_chunk_drop_row(row->chunk);
    *row = no_row;
}

/* From the wire to the chunk, without a stop in between. */
static enum put put_wire_row(struct job *job, struct row *row, bool may_be_unchanged)
{
    MR_ASSERT(row->chunk == NULL);
    const uint16_t column_count = mr_read_u16_be(job->in);
    enum put done = PUT_OK;
    if (column_count != job->relation->column_count) {
        job->in->failed = true;
        return PUT_OK;
    }
    done = begin_row(job, MR_IMAGE_FULL, row);
    for (uint16_t i = 0; done == PUT_OK && i < column_count; i++) {
        struct mr_pg_wire_cell cell;
        read_cell(job->in, &cell);
        if (MR_UNLIKELY(job->in->failed || (cell.kind == 'u' && !may_be_unchanged))) {
            job->in->failed = true;
            return PUT_OK;
        }
        done = put_cell(job, row->chunk, i, i, &cell);
    }
    return done;
}

static void read_row(struct job *job, struct mr_pg_wire_cell *cells)
{
    MR_ASSERT(job->relation->column_count <= MR_COLUMN_COUNT_MAX);
    const uint16_t column_count = mr_read_u16_be(job->in);
    if (column_count != job->relation->column_count) {
        job->in->failed = true;
    }
    for (uint16_t i = 0; mr_reader_ok(job->in) && i < column_count; i++) {
        read_cell(job->in, &cells[i]);
    }
}

static enum put put_row(struct job *job, enum mr_image image, const struct mr_pg_wire_cell *cells,
                        struct row *row)
{
    MR_ASSERT(image == MR_IMAGE_FULL || job->relation->schema->key_count > 0);
    const struct mr_schema *schema = job->relation->schema;
    enum put done = begin_row(job, image, row);
    const uint16_t count = image == MR_IMAGE_KEY ? schema->key_count : schema->column_count;
    for (uint16_t i = 0; done == PUT_OK && i < count; i++) {
        const uint16_t column = image == MR_IMAGE_KEY ? schema->key[i] : i;
        done = put_cell(job, row->chunk, i, column, &cells[column]);
    }
    if (done == PUT_OK) {
        end_row(row);
    }
    return done;
}

/* ---- Messages. ---- */

static enum put fail_without_old_row(struct job *job, const char *what)
{
    MR_ASSERT(job->relation->schema->key_count == 0);
    const struct mr_schema *schema = job->relation->schema;
    (void)mr_fail(job->err, MR_E_SOURCE, MR_STOP,
                  "%s of table \"%s.%s\", which has no key, came without its old row; run: ALTER "
                  "TABLE \"%s\".\"%s\" REPLICA IDENTITY FULL; then copy the table anew",
                  what, schema->space, schema->table, schema->space, schema->table);
    return PUT_FAILED;
}

static enum put add_event(struct job *job, enum mr_event_kind kind, const struct row *row,
                          const struct row *before)
{
    MR_ASSERT(row->chunk == NULL || row->ended);
    return mr_batch_add_event(job->batch, kind, row->index, row->number, before->index,
                              before->number, job->err)
               ? PUT_OK
               : full_or_failed(job);
}

/* The after image alone: an Insert, or an Update whose key did not change. */
static enum put decode_after(struct job *job, enum mr_event_kind kind)
{
    MR_ASSERT(job->decoder->is_begun);
    struct row row = no_row;
    enum put done = put_wire_row(job, &row, kind == MR_EVENT_UPDATE);
    if (done == PUT_OK && !mr_reader_finish(job->in, "pgoutput row", job->err)) {
        done = PUT_FAILED;
    }
    if (done == PUT_OK) {
        end_row(&row);
        done = add_event(job, kind, &row, &no_row);
    }
    if (MR_UNLIKELY(done != PUT_OK)) {
        take_back(&row);
    }
    return done;
}

/* Fills in what the new row left out and the old one has; says whether the key is another one. */
static bool merge_old_row(const struct job *job, bool old_is_whole)
{
    MR_ASSERT(job->relation->schema->column_count == job->relation->column_count);
    const struct mr_schema *schema = job->relation->schema;
    const struct mr_pg_wire_cell *old_row = job->decoder->old_row;
    struct mr_pg_wire_cell *new_row = job->decoder->new_row;
    bool key_changed = false;
    for (uint16_t i = 0; i < schema->column_count; i++) {
        const bool in_key = schema->columns[i].key_index != MR_NOT_IN_KEY;
        if (new_row[i].kind == 'u' && (old_is_whole || in_key)) {
            new_row[i] = old_row[i];
        }
        key_changed =
            key_changed || (in_key && !mr_slice_equals(new_row[i].value, old_row[i].value));
    }
    return key_changed;
}

static enum put decode_update_with_old(struct job *job, bool old_is_whole)
{
    MR_ASSERT(job->decoder->is_begun);
    struct row before = no_row;
    struct row after = no_row;
    enum put done = PUT_OK;
    read_row(job, job->decoder->old_row);
    const uint8_t tag = mr_read_u8(job->in);
    if (mr_reader_ok(job->in) && tag == 'N') {
        read_row(job, job->decoder->new_row);
    } else {
        job->in->failed = true;
    }
    if (!mr_reader_finish(job->in, "pgoutput Update", job->err)) {
        return PUT_FAILED;
    }
    const bool is_keyed = job->relation->schema->key_count > 0;
    if (!is_keyed && !old_is_whole) {
        return fail_without_old_row(job, "an update");
    }
    const bool key_changed = merge_old_row(job, old_is_whole);
    if (!is_keyed || key_changed) {
        done =
            put_row(job, is_keyed ? MR_IMAGE_KEY : MR_IMAGE_FULL, job->decoder->old_row, &before);
    }
    if (done == PUT_OK) {
        done = put_row(job, MR_IMAGE_FULL, job->decoder->new_row, &after);
    }
    if (done == PUT_OK) {
        done = add_event(job, MR_EVENT_UPDATE, &after, &before);
    }
    if (done != PUT_OK) {
        take_back(&after);
        take_back(&before);
    }
    return done;
}

static enum put decode_update(struct job *job)
{
    const uint8_t tag = mr_read_u8(job->in);
    if (tag == 'K' || tag == 'O') {
        return decode_update_with_old(job, tag == 'O');
    }
    if (tag == 'N' && job->relation->schema->key_count == 0) {
        return fail_without_old_row(job, "an update");
    }
    job->in->failed = job->in->failed || tag != 'N'; /* decode_after() reports it */
    return decode_after(job, MR_EVENT_UPDATE);
}

static enum put decode_delete(struct job *job)
{
    MR_ASSERT(job->decoder->is_begun);
    struct row before = no_row;
    const uint8_t tag = mr_read_u8(job->in);
    if (tag == 'K' || tag == 'O') {
        read_row(job, job->decoder->old_row);
    } else {
        job->in->failed = true;
    }
    if (!mr_reader_finish(job->in, "pgoutput Delete", job->err)) {
        return PUT_FAILED;
    }
    const bool is_keyed = job->relation->schema->key_count > 0;
    if (!is_keyed && tag != 'O') {
        return fail_without_old_row(job, "a delete");
    }
    enum put done =
        put_row(job, is_keyed ? MR_IMAGE_KEY : MR_IMAGE_FULL, job->decoder->old_row, &before);
    if (done == PUT_OK) {
        done = add_event(job, MR_EVENT_DELETE, &no_row, &before);
    }
    if (done != PUT_OK) {
        take_back(&before);
    }
    return done;
}

static enum put decode_insert(struct job *job)
{
    if (mr_read_u8(job->in) != 'N') {
        job->in->failed = true; /* decode_after() reports it */
    }
    return decode_after(job, MR_EVENT_INSERT);
}

/* ---- What pgoutput.c calls. ---- */

static enum mr_pg_decoded to_decoded(enum put done)
{
    MR_ASSERT(done != PUT_LOOSEN);
    return done == PUT_OK ? MR_PG_DECODED : done == PUT_FULL ? MR_PG_BATCH_FULL : MR_PG_FAILED;
}

enum mr_pg_decoded mr_pg_rows_begin(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                    struct mr_error *err)
{
    uint16_t origin = 0;
    MR_ASSERT(decoder->in_transaction && !decoder->is_begun);
    if (batch->transaction_count >= MR_BATCH_TRANSACTIONS_MAX) {
        return MR_PG_BATCH_FULL;
    }
    const struct mr_slice name = {(const uint8_t *)decoder->origin, decoder->origin_length};
    if (!mr_batch_origin(batch, name, &origin, err) ||
        !mr_batch_begin(batch, decoder->xid, decoder->commit_us, err)) {
        if (batch->event_count == 0) {
            return MR_PG_FAILED;
        }
        *err = (struct mr_error){0};
        return MR_PG_BATCH_FULL;
    }
    batch->transactions[batch->transaction_count - 1].origin = origin;
    if (decoder->is_continued) {
        MR_ASSERT(batch->transaction_count == 1);
        batch->continues = true;
    }
    decoder->is_begun = true;
    return MR_PG_DECODED;
}

/* The relation of a row to be decoded; NULL with MR_PG_DECODED in *done: step over it. */
static struct mr_pg_relation *prepare(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                      uint32_t oid, enum mr_pg_decoded *done, struct mr_error *err)
{
    struct mr_pg_relation *relation = mr_pg_relations_find(decoder->described, oid);
    *done = MR_PG_FAILED;
    if (MR_UNLIKELY(relation == NULL || !decoder->in_transaction)) {
        (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput row of relation %u %s", oid,
                      relation == NULL ? "that was not described" : "outside a transaction");
        return NULL;
    }
    if (decoder->is_skipped || decoder->is_foreign || !relation->is_captured) {
        *done = MR_PG_DECODED;
        return NULL;
    }
    if (MR_UNLIKELY(relation->schema == NULL)) {
        (void)mr_fail(err, MR_E_TYPE, MR_STOP,
                      "relation %u has a column whose type is not captured; exclude the table",
                      oid);
        return NULL;
    }
    if (MR_UNLIKELY(batch->event_count > MR_BATCH_EVENTS_MAX - EVENTS_SPARE ||
                    batch->chunk_count > MR_BATCH_CHUNKS_MAX - CHUNKS_SPARE)) {
        *done = MR_PG_BATCH_FULL;
        return NULL;
    }
    *done = decoder->is_begun ? MR_PG_DECODED : mr_pg_rows_begin(decoder, batch, err);
    if (*done == MR_PG_DECODED) {
        *done = mr_pg_change_tell(relation, batch, err);
    }
    return *done == MR_PG_DECODED ? relation : NULL;
}

/* The catalogs said NOT NULL, the log says null: the log is right for its own rows. */
static bool loosen(struct job *job)
{
    struct mr_pg_relation *relation = job->relation;
    MR_ASSERT(!relation->plans[job->loosen].is_nullable);
    mr_arena_reset(&job->decoder->scratch);
    const struct mr_schema *loose = mr_pg_schema_loosen(
        relation->schema, job->loosen, job->decoder->catalog, &job->decoder->scratch, job->err);
    if (loose == NULL) {
        return false;
    }
    relation->schema = loose;
    relation->plans[job->loosen].is_nullable = true;
    return true;
}

/*
 * The row is left out, and a note says that its table cannot be taken further: a sink sets the
 * table aside from this transaction on. Later rows are sent all the same, since a copy of the table
 * may have lifted that meanwhile.
 */
static enum put set_aside(struct job *job)
{
    MR_ASSERT(job->err->code != MR_OK);
    const struct mr_note note = {
        .kind = MR_NOTE_QUARANTINE,
        .before = job->relation->schema,
        .text = mr_slice_of(job->err->message),
    };
    struct mr_error ignored = {0};
    if (!mr_batch_add_note(job->batch, &note, &ignored)) {
        return full_or_failed(job);
    }
    *job->err = (struct mr_error){0};
    return PUT_OK;
}

enum mr_pg_decoded mr_pg_rows_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                     uint8_t tag, struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(tag == 'I' || tag == 'U' || tag == 'D');
    enum mr_pg_decoded ready = MR_PG_FAILED;
    const uint32_t oid = mr_read_u32_be(in);
    if (!mr_reader_check(in, "pgoutput row", err)) {
        return MR_PG_FAILED;
    }
    struct job job = {
        .decoder = decoder,
        .batch = batch,
        .relation = prepare(decoder, batch, oid, &ready, err),
        .in = in,
        .err = err,
    };
    if (job.relation == NULL) {
        return ready;
    }
    const size_t start = in->offset;
    enum put done = PUT_LOOSEN;
    /* Each turn makes one more column nullable, so there are at most as many as columns. */
    while (done == PUT_LOOSEN) {
        in->offset = start;
        done = tag == 'I'   ? decode_insert(&job)
               : tag == 'U' ? decode_update(&job)
                            : decode_delete(&job);
        if (done == PUT_LOOSEN && !loosen(&job)) {
            done = PUT_FAILED;
        }
        if (done == PUT_SET_ASIDE) {
            done = set_aside(&job);
        }
    }
    return to_decoded(done);
}

enum mr_pg_decoded mr_pg_rows_truncate(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                       uint32_t oid, struct mr_error *err)
{
    enum mr_pg_decoded ready = MR_PG_FAILED;
    struct job job = {.decoder = decoder, .batch = batch, .err = err};
    job.relation = prepare(decoder, batch, oid, &ready, err);
    if (job.relation == NULL) {
        return ready;
    }
    return to_decoded(
        mr_batch_add_truncate(batch, job.relation->schema, err) ? PUT_OK : full_or_failed(&job));
}
