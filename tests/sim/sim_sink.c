// SPDX-License-Identifier: MIT
/*
 * sim_sink.c - see sim_sink.h.
 */
#include "sim_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct mr_sink {
    struct sim_store *store;
    struct sim_state state; /* of the open transaction */
    uint64_t sequence;
    bool is_open;
};

static struct mr_sink *sim_open(const struct mr_sink_context *context, struct mr_error *err)
{
    (void)err;
    struct mr_sink *sink = mr_memory_new(1, sizeof(*sink));
    sink->store = *(struct sim_store *const *)context->config;
    return sink;
}

static void sim_close(struct mr_sink *sink)
{
    free(sink);
}

static bool sim_position(struct mr_sink *sink, uint16_t source_index,
                         struct mr_sink_position *position, struct mr_error *err)
{
    (void)err;
    MR_ASSERT(source_index == 0);
    *position = (struct mr_sink_position){.sequence = sink->store->sequence};
    return true;
}

static int64_t cell_i64(const struct mr_chunk *chunk, uint16_t column, uint32_t row)
{
    int64_t value;
    MR_ASSERT(row < chunk->row_count);
    memcpy(&value, chunk->columns[column].values + (size_t)row * 8, sizeof(value));
    return value;
}

static struct sim_change change_of(const struct mr_batch *batch, const struct mr_event *event,
                                   uint16_t i)
{
    struct sim_change change = {0};
    const bool has_after = event->chunk != MR_NO_CHUNK;
    const bool has_before = event->before_chunk != MR_NO_CHUNK;
    const struct mr_schema *schema =
        batch->chunks[has_after ? event->chunk : event->before_chunk]->schema;
    change.table = strcmp(schema->table, "saving") == 0 ? 1 : 0;
    if (has_before) {
        change.old_key = (uint8_t)cell_i64(batch->chunks[event->before_chunk], 0,
                                           (uint32_t)event->before_row + i);
        change.key = change.old_key;
    }
    if (has_after) {
        change.key = (uint8_t)cell_i64(batch->chunks[event->chunk], 0, (uint32_t)event->row + i);
        change.amount = cell_i64(batch->chunks[event->chunk], 1, (uint32_t)event->row + i);
    }
    MR_ASSERT(change.key < SIM_KEYS && change.old_key < SIM_KEYS);
    if (event->kind == MR_EVENT_INSERT) {
        change.op = SIM_INSERT;
    } else if (event->kind == MR_EVENT_DELETE) {
        change.op = SIM_DELETE;
    } else {
        change.op = has_before ? SIM_REKEY : SIM_UPDATE;
    }
    return change;
}

/* Notes name the transaction they were sent in. */
static void check_note(struct sim_store *store, const struct mr_note *note, uint64_t sequence)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)sequence);
    if (!mr_slice_equals(note->text, mr_slice_of(text))) {
        store->broken = "a note stands in another transaction than it was sent in";
    }
}

static void apply_batch(struct mr_sink *sink, const struct mr_batch *batch)
{
    for (uint32_t t = 0; t < batch->transaction_count; t++) {
        const struct mr_transaction *transaction = &batch->transactions[t];
        const uint64_t sequence = batch->first_sequence + t;
        if (sequence <= sink->store->sequence) {
            continue;
        }
        const uint32_t end = transaction->first_event + transaction->event_count;
        for (uint32_t e = transaction->first_event; e < end; e++) {
            if (batch->events[e].kind == MR_EVENT_NOTE) {
                check_note(sink->store, &batch->notes[batch->events[e].chunk], sequence);
                continue;
            }
            for (uint16_t i = 0; i < batch->events[e].count; i++) {
                const struct sim_change change = change_of(batch, &batch->events[e], i);
                if (!sim_state_apply(&sink->state, &change)) {
                    sink->store->broken = "a change does not fit: lost or applied twice";
                }
            }
        }
        sink->sequence = sequence;
    }
}

static bool sim_apply(struct mr_sink *sink, struct mr_batch *const *batches, uint32_t count,
                      struct mr_error *err)
{
    struct sim_store *store = sink->store;
    if (!store->is_steady && sim_draw(&store->random, 30) == 0) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target is out of memory");
    }
    if (!sink->is_open) {
        sink->is_open = true;
        sink->state = store->state;
        sink->sequence = store->sequence;
    }
    for (uint32_t i = 0; i < count; i++) {
        apply_batch(sink, batches[i]);
    }
    return true;
}

static void check_store(struct sim_store *store)
{
    if (store->sequence > store->plan->count) {
        store->broken = "the position is past the source's end";
    } else if (!sim_state_equals(&store->state, &store->plan->states[store->sequence])) {
        store->broken = "the target is not what the source was after that transaction";
    }
}

static bool sim_commit(struct mr_sink *sink, struct mr_error *err)
{
    struct sim_store *store = sink->store;
    const uint64_t fate = store->is_steady ? 9 : sim_draw(&store->random, 20);
    MR_ASSERT(sink->is_open);
    if (fate == 0) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target failed before its commit");
    }
    store->state = sink->state;
    if (store->position_is_apart && fate == 1) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target failed before its position");
    }
    store->sequence = sink->sequence;
    store->commits++;
    sink->is_open = false;
    if (store->broken == NULL) {
        check_store(store);
    }
    if (fate == 1) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target failed after its commit");
    }
    return true;
}

static void sim_rollback(struct mr_sink *sink)
{
    sink->is_open = false;
}

static bool sim_maintain(struct mr_sink *sink, bool idle, struct mr_error *err)
{
    (void)sink;
    (void)idle;
    (void)err;
    return true;
}

static void sim_observe(struct mr_sink *sink, struct mr_sink_observation *observation)
{
    observation->commits_total = sink->store->commits;
}

const struct mr_sink_ops sim_sink = {
    .name = "sim",
    .summary = "a target in memory that checks itself",
    .open = sim_open,
    .close = sim_close,
    .position = sim_position,
    .apply = sim_apply,
    .commit = sim_commit,
    .rollback = sim_rollback,
    .maintain = sim_maintain,
    .observe = sim_observe,
};
