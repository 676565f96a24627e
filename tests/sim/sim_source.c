// SPDX-License-Identifier: MIT
/*
 * sim_source.c - see sim_source.h. Position n (text "n", native {n, 0}): transaction n is taken.
 */
#include "sim_source.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

#define EPOCH             "sim"
#define COMMIT_US(number) (INT64_C(1700000000000000) + (int64_t)(number)*1000)

struct mr_source {
    struct sim_server *server;
    const struct mr_schema *schemas[SIM_TABLES];
    uint64_t done;      /* transactions sent whole on this connection */
    uint32_t part_done; /* changes of the next one that were sent already */
};

struct mr_snapshot {
    int unused;
};

static const struct mr_schema *intern_table(struct mr_catalog *catalog, const char *table,
                                            struct mr_error *err)
{
    const struct mr_column columns[] = {
        {.name = "id", .source_type = "bigint", .type = MR_TYPE_I64, .key_index = 0},
        {.name = "amount",
         .source_type = "bigint",
         .type = MR_TYPE_I64,
         .key_index = MR_NOT_IN_KEY,
         .nullable = true},
    };
    const struct mr_schema draft = {
        .column_count = 2, .space = "bank", .table = table, .columns = columns};
    return mr_catalog_intern(catalog, &draft, err);
}

const struct mr_schema *sim_source_table(struct mr_catalog *catalog, uint8_t table,
                                         struct mr_error *err)
{
    return intern_table(catalog, table == 0 ? "checking" : "saving", err);
}

static struct mr_source *sim_open(const struct mr_source_context *context,
                                  const struct mr_position *resume, struct mr_error *err)
{
    struct sim_server *server = *(struct sim_server *const *)context->config;
    const uint64_t from = resume->native.major;
    MR_ASSERT(mr_position_is_set(resume));
    if (!server->is_steady && sim_draw(&server->random, 8) == 0) {
        mr_fail(err, MR_E_NET, MR_RETRY, "the server refuses");
        return NULL;
    }
    if (from < server->acked) {
        server->broken = "resumed before what was acknowledged: the server has forgotten it";
    }
    if (from > server->sent) {
        server->broken = "resumed after what was ever sent";
    }
    struct mr_source *source = mr_memory_new(1, sizeof(*source));
    source->server = server;
    source->done = from;
    server->connections++;
    source->schemas[0] = intern_table(context->catalog, "checking", err);
    source->schemas[1] = intern_table(context->catalog, "saving", err);
    MR_ASSERT(source->schemas[0] != NULL && source->schemas[1] != NULL);
    return source;
}

static void put_row(struct mr_chunk *chunk, int64_t key, int64_t amount)
{
    mr_put_i64(&chunk->columns[0], chunk->row_count, key);
    if (chunk->image == MR_IMAGE_FULL) {
        mr_put_i64(&chunk->columns[1], chunk->row_count, amount);
    }
}

static void put_change(struct mr_source *source, struct mr_batch *batch,
                       const struct sim_change *change)
{
    static const enum mr_event_kind kinds[] = {
        [SIM_INSERT] = MR_EVENT_INSERT,
        [SIM_UPDATE] = MR_EVENT_UPDATE,
        [SIM_DELETE] = MR_EVENT_DELETE,
        [SIM_REKEY] = MR_EVENT_UPDATE,
    };
    struct mr_error err = {0};
    const struct mr_schema *schema = source->schemas[change->table];
    uint16_t before = MR_NO_CHUNK;
    uint16_t before_row = 0;
    uint16_t after = MR_NO_CHUNK;
    uint16_t row = 0;
    if (change->op == SIM_DELETE || change->op == SIM_REKEY) {
        struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_KEY, &before, &err);
        MR_ASSERT(chunk != NULL);
        put_row(chunk, change->op == SIM_REKEY ? change->old_key : change->key, 0);
        before_row = mr_chunk_end_row(chunk);
    }
    if (change->op != SIM_DELETE) {
        struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, MR_IMAGE_FULL, &after, &err);
        MR_ASSERT(chunk != NULL);
        put_row(chunk, change->key, change->amount);
        row = mr_chunk_end_row(chunk);
    }
    MR_ASSERT(mr_batch_add_event(batch, kinds[change->op], after, row, before, before_row, &err));
}

static void set_position(struct mr_batch *batch, uint64_t number)
{
    char text[32];
    struct mr_error err = {0};
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    MR_ASSERT(mr_batch_set_position(batch, mr_slice_of(EPOCH), mr_slice_of(text),
                                    (struct mr_native_position){.major = number}, &err));
}

/* A note that says which transaction it is of: parts of one have it again. */
static void put_note(struct mr_source *source, struct mr_batch *batch, uint64_t number)
{
    char text[32];
    struct mr_error err = {0};
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    const struct mr_note note = {
        .kind = number % 10 == 0 ? MR_NOTE_MESSAGE : MR_NOTE_SCHEMA_CHANGE,
        .after = number % 10 == 0 ? NULL : source->schemas[0],
        .name = mr_slice_of("transaction"),
        .text = mr_slice_of(text),
    };
    MR_ASSERT(mr_batch_add_note(batch, &note, &err));
}

/* Sends the next transaction, or a part of it; true when it ended in this batch. */
static bool put_transaction(struct mr_source *source, struct mr_batch *batch)
{
    struct sim_server *server = source->server;
    const uint64_t number = source->done + 1;
    const struct sim_transaction *transaction = &server->plan->transactions[number - 1];
    struct mr_error err = {0};
    MR_ASSERT(mr_batch_begin(batch, number, COMMIT_US(number), &err));
    if (number % 5 == 0) {
        put_note(source, batch, number);
    }
    while (source->part_done < transaction->change_count) {
        put_change(source, batch, &transaction->changes[source->part_done++]);
        const bool more = source->part_done < transaction->change_count;
        if (more && sim_draw(&server->random, 12) == 0) {
            mr_batch_suspend(batch);
            return false;
        }
    }
    mr_batch_commit(batch, (struct mr_native_position){.major = number}, COMMIT_US(number));
    source->done = number;
    source->part_done = 0;
    if (number > server->sent) {
        server->sent = number;
    }
    return true;
}

static enum mr_next sim_next(struct mr_source *source, struct mr_batch *batch, uint32_t wait_ms,
                             struct mr_error *err)
{
    (void)wait_ms;
    struct sim_server *server = source->server;
    if (!server->is_steady && sim_draw(&server->random, 25) == 0) {
        mr_fail(err, MR_E_NET, MR_RETRY, "the connection broke");
        return MR_NEXT_ERROR;
    }
    if (source->done == server->plan->count) {
        if (source->part_done == 0 && sim_draw(&server->random, 4) == 0) {
            set_position(batch, source->done);
            return MR_NEXT_BATCH;
        }
        return MR_NEXT_IDLE;
    }
    const uint64_t wanted = 1 + sim_draw(&server->random, 4);
    const uint64_t before = source->done;
    for (uint64_t i = 0; i < wanted && source->done < server->plan->count; i++) {
        if (!put_transaction(source, batch)) {
            break;
        }
    }
    if (source->done > before) {
        set_position(batch, source->done);
    }
    return MR_NEXT_BATCH;
}

static bool sim_ack(struct mr_source *source, struct mr_native_position durable,
                    struct mr_error *err)
{
    (void)err;
    if (durable.major > source->server->acked) {
        source->server->acked = durable.major;
    }
    return true;
}

static void sim_observe(struct mr_source *source, struct mr_source_observation *observation)
{
    (void)source;
    observation->commit_resolution_us = 1;
}

static void sim_close(struct mr_source *source)
{
    free(source);
}

static struct mr_snapshot *sim_snapshot_open(const struct mr_source_context *context,
                                             bool tables_wanted, const struct mr_position *existing,
                                             struct mr_position *start, struct mr_error *err)
{
    (void)context;
    MR_ASSERT(!tables_wanted && existing == NULL);
    if (!mr_position_set(start, mr_slice_of(EPOCH), mr_slice_of("0"),
                         (struct mr_native_position){0}, err)) {
        return NULL;
    }
    return mr_memory_new(1, sizeof(struct mr_snapshot));
}

static void sim_snapshot_close(struct mr_snapshot *snapshot)
{
    free(snapshot);
}

const struct mr_source_ops sim_source = {
    .name = "sim",
    .summary = "plays a seeded plan",
    .open = sim_open,
    .next = sim_next,
    .ack = sim_ack,
    .observe = sim_observe,
    .close = sim_close,
    .snapshot_open = sim_snapshot_open,
    .snapshot_close = sim_snapshot_close,
};
