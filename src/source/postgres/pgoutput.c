// SPDX-License-Identifier: MIT
/*
 * pgoutput.c - transactions and relations; rows are pg_rows.c, transactions that have not committed
 * pg_blocks.c.
 *
 * Messages, in the order in which the server sends them (integers big-endian):
 *
 *   Begin     'B' u64 final_lsn, i64 commit_time, u32 xid
 *   Origin    'O' u64 lsn, cstring name
 *   Type      'Y' u32 oid, cstring space, cstring name          before a Relation that needs it
 *   Relation  'R' u32 oid, cstring space, cstring name, u8 identity, u16 column_count,
 *                 { u8 flags, cstring name, u32 type, i32 modifier }
 *   Insert    'I', Update 'U', Delete 'D'                       pg_rows.c
 *   Truncate  'T' u32 relation_count, u8 options, u32 oids[]
 *   Message   'M'                                            pg_message.c
 *   Commit    'C' u8 flags, u64 commit_lsn, u64 end_lsn, i64 commit_time
 *
 * A transaction is begun in the batch with its first event, so that one without any (a server of 14
 * sends those) moves the position and costs nothing else.
 *
 * INVARIANTS
 *   - is_begun implies in_transaction and batch->transaction_open;
 *   - a message that returns MR_PG_BATCH_FULL has left no row and no event of its own, so that it
 *     may be given again (a repeated Truncate aside, which is idempotent).
 *
 * FAILURE: an unknown tag, a message out of place, a short or an overlong one is MR_E_PROTOCOL,
 * MR_STOP. Nothing is skipped.
 *
 * Source: PostgreSQL manual, "Logical Replication Message Formats";
 * src/backend/replication/logical/ proto.c.
 */
#include "pgoutput.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pg_blocks.h"
#include "pg_change.h"
#include "pg_message.h"
#include "pg_rows.h"
#include "reader.h"

#define SCRATCH_BYTES_MAX     (UINT32_C(16) << 20)
#define SCRATCH_BYTES_KEPT    (UINT32_C(64) << 10)
#define RELATION_COLUMN_BYTES 10 /* at least, on the wire */
#define IDENTITY_FLAG         1

void mr_pg_lsn_format(uint64_t lsn, char text[MR_PG_LSN_TEXT_BYTES])
{
    (void)snprintf(text, MR_PG_LSN_TEXT_BYTES, "%X/%X", (unsigned)(lsn >> 32),
                   (unsigned)(lsn & UINT32_MAX));
}

/* One to eight hexadecimal digits; false when there is anything else before `end`. */
static bool parse_half(const char *text, const char *end, uint64_t *half)
{
    MR_ASSERT(text <= end);
    uint64_t value = 0;
    if (text == end || end - text > 8) {
        return false;
    }
    for (const char *c = text; c < end; c++) {
        const char *found = *c == '\0' ? NULL : strchr("0123456789abcdef0123456789ABCDEF", *c);
        if (found == NULL) {
            return false;
        }
        value = value << 4 | ((uint64_t)(found - "0123456789abcdef0123456789ABCDEF") & 15);
    }
    *half = value;
    return true;
}

bool mr_pg_lsn_parse(const char *text, uint64_t *lsn)
{
    const char *slash = strchr(text, '/');
    uint64_t high = 0;
    uint64_t low = 0;
    if (slash == NULL || !parse_half(text, slash, &high) ||
        !parse_half(slash + 1, slash + 1 + strlen(slash + 1), &low)) {
        return false;
    }
    *lsn = high << 32 | low;
    return true;
}

bool mr_pgoutput_init(struct mr_pgoutput *decoder, struct mr_error *err)
{
    MR_ASSERT(decoder->catalog != NULL && decoder->value_bytes_max > 0);
    MR_ASSERT(decoder->old_row == NULL && decoder->new_row == NULL);
    if (!mr_arena_init(&decoder->scratch, SCRATCH_BYTES_MAX, SCRATCH_BYTES_KEPT, err)) {
        return false;
    }
    decoder->described = &decoder->relations;
    decoder->old_row = mr_memory_new(MR_COLUMN_COUNT_MAX, sizeof(*decoder->old_row));
    decoder->new_row = mr_memory_new(MR_COLUMN_COUNT_MAX, sizeof(*decoder->new_row));
    return true;
}

void mr_pgoutput_done(struct mr_pgoutput *decoder)
{
    MR_ASSERT(!decoder->is_begun);
    mr_pg_relations_done(&decoder->relations);
    mr_pg_relations_done(&decoder->replayed_relations);
    mr_pg_types_done(&decoder->types);
    mr_arena_done(&decoder->scratch);
    free(decoder->old_row);
    free(decoder->new_row);
    decoder->old_row = NULL;
    decoder->new_row = NULL;
}

void mr_pgoutput_hand_on(struct mr_pgoutput *decoder, struct mr_batch *batch)
{
    MR_ASSERT(!decoder->is_begun || decoder->in_transaction);
    MR_ASSERT(decoder->is_begun == batch->transaction_open);
    if (decoder->is_begun) {
        mr_batch_suspend(batch);
        decoder->is_begun = false;
        decoder->is_continued = true;
    }
}

/* ---- Transactions. ---- */

static bool to_unix_us(int64_t pg_us, int64_t *unix_us, struct mr_error *err)
{
    if (pg_us > INT64_MAX - MR_PG_EPOCH_US) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "commit time %lld is out of range",
                       (long long)pg_us);
    }
    *unix_us = pg_us + MR_PG_EPOCH_US;
    return true;
}

bool mr_pgoutput_begin(struct mr_pgoutput *decoder, const struct mr_pg_commit *commit,
                       struct mr_error *err)
{
    int64_t commit_us = 0;
    if (decoder->in_transaction || commit->lsn == 0) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput Begin %s",
                       commit->lsn == 0 ? "without a position" : "inside a transaction");
    }
    if (!to_unix_us(commit->time, &commit_us, err)) {
        return mr_error_context(err, "pgoutput Begin");
    }
    MR_ASSERT(!decoder->is_begun && !decoder->is_continued);
    decoder->in_transaction = true;
    decoder->is_skipped = commit->lsn < decoder->resume_lsn;
    decoder->is_foreign = false;
    decoder->xid = commit->xid;
    decoder->final_lsn = commit->lsn;
    decoder->commit_us = commit_us;
    decoder->origin_length = 0;
    return true;
}

static bool decode_begin(struct mr_pgoutput *decoder, struct mr_reader *in, struct mr_error *err)
{
    struct mr_pg_commit commit = {.lsn = mr_read_u64_be(in)};
    commit.time = (int64_t)mr_read_u64_be(in);
    commit.xid = mr_read_u32_be(in);
    return mr_reader_finish(in, "pgoutput Begin", err) && mr_pgoutput_begin(decoder, &commit, err);
}

static bool check_commit(const struct mr_pgoutput *decoder, const struct mr_pg_commit *commit,
                         struct mr_error *err)
{
    MR_ASSERT(decoder->resume_lsn > 0 || !decoder->is_skipped);
    if (!decoder->in_transaction) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput Commit outside a transaction");
    }
    if (commit->flags != 0 || commit->lsn != decoder->final_lsn || commit->end_lsn < commit->lsn) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "pgoutput Commit does not match its Begin (flags %u, %llX, end %llX)",
                       commit->flags, (unsigned long long)commit->lsn,
                       (unsigned long long)commit->end_lsn);
    }
    if (commit->end_lsn < decoder->end_lsn) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput Commit moves back to %llX",
                       (unsigned long long)commit->end_lsn);
    }
    if (decoder->is_skipped != (commit->end_lsn <= decoder->resume_lsn)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "the position %llX to resume from lies inside a commit record",
                       (unsigned long long)decoder->resume_lsn);
    }
    return true;
}

enum mr_pg_decoded mr_pgoutput_end(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                   const struct mr_pg_commit *commit, struct mr_error *err)
{
    MR_ASSERT(!decoder->is_skipped || !decoder->is_begun);
    int64_t commit_us = 0;
    if (!check_commit(decoder, commit, err) || !to_unix_us(commit->time, &commit_us, err)) {
        return MR_PG_FAILED;
    }
    if (decoder->is_continued && !decoder->is_begun) {
        const enum mr_pg_decoded begun = mr_pg_rows_begin(decoder, batch, err);
        if (begun != MR_PG_DECODED) {
            return begun;
        }
    }
    if (decoder->is_begun) {
        const struct mr_native_position end = {.major = commit->end_lsn};
        mr_batch_commit(batch, end, commit_us);
    }
    decoder->in_transaction = false;
    decoder->is_begun = false;
    decoder->is_continued = false;
    decoder->is_skipped = false;
    decoder->is_foreign = false;
    decoder->end_lsn = commit->end_lsn;
    return MR_PG_DECODED;
}

static enum mr_pg_decoded decode_commit(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                        struct mr_reader *in, struct mr_error *err)
{
    struct mr_pg_commit commit = {.xid = decoder->xid, .flags = mr_read_u8(in)};
    commit.lsn = mr_read_u64_be(in);
    commit.end_lsn = mr_read_u64_be(in);
    commit.time = (int64_t)mr_read_u64_be(in);
    return mr_reader_finish(in, "pgoutput Commit", err)
               ? mr_pgoutput_end(decoder, batch, &commit, err)
               : MR_PG_FAILED;
}

static bool decode_origin(struct mr_pgoutput *decoder, struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(decoder->origin_length <= MR_PG_ORIGIN_BYTES_MAX);
    (void)mr_read_u64_be(in); /* where the origin committed it */
    const struct mr_slice name = mr_read_cstring(in);

    if (!mr_reader_finish(in, "pgoutput Origin", err)) {
        return false;
    }
    if (!decoder->in_transaction || decoder->is_begun || decoder->is_continued) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "pgoutput Origin not at a transaction's start");
    }
    if (name.length > MR_PG_ORIGIN_BYTES_MAX || !mr_pg_text_is_utf8(name.bytes, name.length)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "pgoutput Origin: a name of %zu bytes is no origin's", name.length);
    }
    MR_ASSERT(name.bytes != NULL); /* the reader did not fail */
    memcpy(decoder->origin, name.bytes, name.length);
    decoder->origin_length = name.length;
    decoder->is_foreign = decoder->refuses_foreign && name.length > 0;
    return true;
}

/* ---- Relations. ---- */

static bool decode_type(struct mr_reader *in, struct mr_error *err)
{
    /* What a type is comes from the catalogs, with more than its name; see pg_table.h. */
    (void)mr_read_u32_be(in);
    (void)mr_read_cstring(in);
    (void)mr_read_cstring(in);
    return mr_reader_finish(in, "pgoutput Type", err);
}

static const char *read_name(struct mr_reader *in)
{
    const struct mr_slice name = mr_read_cstring(in);
    if (!mr_reader_ok(in) || !mr_pg_text_is_utf8(name.bytes, name.length)) {
        in->failed = true;
        return "";
    }
    return (const char *)name.bytes; /* the NUL follows it in the message */
}

static bool read_relation(struct mr_reader *in, struct mr_pg_table *table, struct mr_arena *scratch,
                          struct mr_error *err)
{
    MR_ASSERT(table->columns == NULL);
    table->oid = mr_read_u32_be(in);
    table->space = read_name(in);
    table->name = read_name(in);
    table->identity = (char)mr_read_u8(in);
    table->column_count = mr_read_u16_be(in);
    if (!mr_reader_check(in, "pgoutput Relation", err)) {
        return false;
    }
    table->space = table->space[0] == '\0' ? "pg_catalog" : table->space;
    if (strchr("dnfi", table->identity) == NULL || table->identity == '\0' ||
        table->column_count > MR_COLUMN_COUNT_MAX ||
        mr_reader_left(in) < (size_t)table->column_count * RELATION_COLUMN_BYTES) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "pgoutput Relation of \"%s.%s\": identity 0x%02x, %u columns in %zu bytes",
                       table->space, table->name, (unsigned char)table->identity,
                       table->column_count, mr_reader_left(in));
    }
    table->columns = MR_ARENA_NEW(scratch, struct mr_pg_column, table->column_count);
    if (table->columns == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "pgoutput Relation of %u columns is too large",
                       table->column_count);
    }
    for (uint16_t i = 0; i < table->column_count; i++) {
        struct mr_pg_column *column = &table->columns[i];
        const uint8_t flags = mr_read_u8(in);
        column->in_identity = (flags & IDENTITY_FLAG) != 0;
        column->name = read_name(in);
        column->type_oid = mr_read_u32_be(in);
        column->modifier = (int32_t)mr_read_u32_be(in);
        in->failed = in->failed || (flags & ~IDENTITY_FLAG) != 0 || column->type_oid == 0;
    }
    return mr_reader_finish(in, "pgoutput Relation", err);
}

bool mr_pgoutput_decode_relation(struct mr_pgoutput *decoder, struct mr_reader *in,
                                 struct mr_error *err)
{
    const struct mr_slice message = {in->base + in->offset, mr_reader_left(in)};
    struct mr_pg_table table = {.types = &decoder->types};
    mr_arena_reset(&decoder->scratch);
    if (!read_relation(in, &table, &decoder->scratch, err)) {
        return false;
    }
    const struct mr_schema *before =
        mr_pg_change_before(decoder, table.oid, table.space, table.name);
    struct mr_pg_relation *relation =
        mr_pg_relations_replace(decoder->described, table.oid, table.column_count, err);
    if (relation == NULL) {
        return false;
    }
    const bool keeps_name = before != NULL && strcmp(before->table, table.name) == 0 &&
                            strcmp(before->space, table.space) == 0;
    table.follows =
        keeps_name ? before : mr_catalog_current(decoder->catalog, table.space, table.name);
    relation->described_at =
        decoder->replayed == NULL ? decoder->message_number : decoder->replayed_number;
    if (decoder->keeps_relations) {
        mr_pg_relation_keep(relation, message);
    }
    relation->identity = table.identity;
    relation->is_captured = table.column_count > 0 && /* a row of nothing is not kept */
                            mr_table_filter_takes(&decoder->filter, table.space, table.name);
    if (!relation->is_captured) {
        return true;
    }
    if (decoder->describer.describe != NULL &&
        !decoder->describer.describe(decoder->describer.context, &table, &decoder->scratch, err)) {
        return mr_error_context(err, "describe \"%s.%s\"", table.space, table.name);
    }
    if (decoder->source != NULL) {
        table.policy =
            mr_policies_find(decoder->policies, decoder->source, table.space, table.name);
    }
    relation->schema =
        mr_pg_table_intern(&table, decoder->catalog, &decoder->scratch, relation->plans, err);
    /* What is stepped over need not be understood; rows to come need a new description then. */
    if (relation->schema == NULL && decoder->is_skipped && err->code == MR_E_TYPE) {
        *err = (struct mr_error){0};
        return true;
    }
    /* A block that was kept may describe a table as it was before what the stream said since. */
    const struct mr_pg_relation *later = mr_pg_relations_find(&decoder->relations, table.oid);
    const bool is_past = later != NULL && later->described_at > relation->described_at;
    relation->changed_from = relation->schema != before && !is_past ? before : NULL;
    decoder->described->has_changed = true;
    return relation->schema != NULL;
}

static enum mr_pg_decoded decode_truncate(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                          struct mr_reader *in, struct mr_error *err)
{
    const uint32_t count = mr_read_u32_be(in);
    const uint8_t options = mr_read_u8(in); /* CASCADE, RESTART IDENTITY: the list has all tables */
    if (!mr_reader_check(in, "pgoutput Truncate", err)) {
        return MR_PG_FAILED;
    }
    if (options > 3 || mr_reader_left(in) != (size_t)count * sizeof(uint32_t)) {
        (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                      "pgoutput Truncate: options 0x%02x, %u relations in %zu bytes", options,
                      count, mr_reader_left(in));
        return MR_PG_FAILED;
    }
    for (uint32_t i = 0; i < count; i++) {
        const enum mr_pg_decoded done =
            mr_pg_rows_truncate(decoder, batch, mr_read_u32_be(in), err);
        if (done != MR_PG_DECODED) {
            return done;
        }
    }
    return MR_PG_DECODED;
}

/* ---- Dispatch. ---- */

enum mr_pg_decoded mr_pgoutput_decode_change(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                             uint8_t tag, struct mr_reader *in,
                                             struct mr_error *err)
{
    switch (tag) {
    case 'I':
    case 'U':
    case 'D':
        return mr_pg_rows_decode(decoder, batch, tag, in, err);
    case 'R':
        return mr_pgoutput_decode_relation(decoder, in, err) ? MR_PG_DECODED : MR_PG_FAILED;
    case 'Y':
        return decode_type(in, err) ? MR_PG_DECODED : MR_PG_FAILED;
    case 'O':
        return decode_origin(decoder, in, err) ? MR_PG_DECODED : MR_PG_FAILED;
    case 'T':
        return decode_truncate(decoder, batch, in, err);
    case 'M':
        return mr_pg_message_decode(decoder, batch, in, err);
    default:
        (void)mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                      "pgoutput message with tag 0x%02x of %zu bytes is none we asked for", tag,
                      in->length);
        return MR_PG_FAILED;
    }
}

static enum mr_pg_decoded decode_any(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                     struct mr_reader *in, struct mr_error *err)
{
    MR_ASSERT(in->offset == 0);
    const uint8_t tag = mr_read_u8(in);
    if (MR_UNLIKELY(decoder->block != NULL)) {
        return mr_pg_blocks_take(decoder, tag, in, err) ? MR_PG_DECODED : MR_PG_FAILED;
    }
    switch (tag) {
    case 'I':
    case 'U':
    case 'D':
        return mr_pg_rows_decode(decoder, batch, tag, in, err);
    case 'B':
        return decode_begin(decoder, in, err) ? MR_PG_DECODED : MR_PG_FAILED;
    case 'C':
        return decode_commit(decoder, batch, in, err);
    case 'S':
    case 'c':
    case 'A':
    case 'b':
    case 'p':
    case 'K':
    case 'r':
        return mr_pg_blocks_decode(decoder, batch, tag, in, err);
    default:
        return mr_pgoutput_decode_change(decoder, batch, tag, in, err);
    }
}

uint64_t mr_pgoutput_held_lsn(const struct mr_pgoutput *decoder)
{
    return decoder->spool == NULL ? UINT64_MAX : mr_pg_spool_prepared_lsn(decoder->spool);
}

enum mr_pg_decoded mr_pgoutput_decode(struct mr_pgoutput *decoder, struct mr_batch *batch,
                                      const void *bytes, size_t length, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(bytes, length);
    MR_ASSERT(decoder->is_begun == batch->transaction_open);
    decoder->message_number++;
    const enum mr_pg_decoded decoded = decode_any(decoder, batch, &in, err);
    if (MR_UNLIKELY(decoded == MR_PG_FAILED) && decoder->in_transaction) {
        char lsn[MR_PG_LSN_TEXT_BYTES];
        mr_pg_lsn_format(decoder->final_lsn, lsn);
        (void)mr_error_context(err, "transaction %u that commits at %s", decoder->xid, lsn);
    }
    MR_ASSERT(decoder->is_begun == batch->transaction_open);
    return decoded;
}
