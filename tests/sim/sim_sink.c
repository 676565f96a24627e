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
    struct sim_held held; /* of the open transaction */
    bool is_open;
};

static const char *const names[SIM_TABLES] = {"checking", "saving"};

static uint8_t table_of(const struct mr_schema *schema)
{
    return strcmp(schema->table, names[1]) == 0 ? 1 : 0;
}

static void open_transaction(struct mr_sink *sink)
{
    if (!sink->is_open) {
        sink->is_open = true;
        sink->held = sink->store->held;
    }
}

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
    *position = (struct mr_sink_position){
        .sequence = sink->store->held.sequence,
        .native = {.major = sink->store->held.sequence},
    };
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
    change.table = table_of(schema);
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

/* One change into one table's rows; `overlaps`: they may have it already. */
static void change_rows(struct sim_store *store, struct sim_rows *rows,
                        const struct sim_change *change, bool overlaps)
{
    const bool moves = change->op == SIM_REKEY;
    const bool needs_old = change->op != SIM_INSERT;
    const uint8_t old = moves ? change->old_key : change->key;
    const bool fits = rows->present[old] == needs_old && (!moves || !rows->present[change->key]);
    if (!fits && !overlaps) {
        store->broken = "a change does not fit: lost or applied twice";
    }
    if (change->op == SIM_DELETE || moves) {
        rows->present[old] = false;
        rows->amount[old] = 0;
    }
    if (change->op != SIM_DELETE) {
        rows->present[change->key] = true;
        rows->amount[change->key] = change->amount;
    }
}

/* What a pass writes: every table that goes with the stream, or the one that follows. */
struct pass {
    struct sim_table *only; /* NULL: all that are joined */
    bool is_copy;
    uint64_t *sequence;
};

static void apply_change(struct mr_sink *sink, const struct pass *pass,
                         const struct sim_change *change, uint64_t sequence)
{
    struct sim_table *table = &sink->held.tables[change->table];
    if (pass->only == NULL ? table->way != SIM_JOINED : pass->only != table) {
        return;
    }
    if (pass->is_copy) {
        change_rows(sink->store, &table->copy, change, sequence <= table->copy_high);
    } else {
        change_rows(sink->store, &table->rows, change, sequence <= table->high);
    }
}

static void apply_batch(struct mr_sink *sink, const struct mr_batch *batch, const struct pass *pass)
{
    for (uint32_t t = 0; t < batch->transaction_count; t++) {
        const struct mr_transaction *transaction = &batch->transactions[t];
        const uint64_t sequence = batch->first_sequence + t;
        /* Parts of one transaction have one number: it counts when it is whole. */
        const bool is_open = batch->continued && t + 1 == batch->transaction_count;
        if (sequence <= *pass->sequence) {
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
                apply_change(sink, pass, &change, sequence);
            }
        }
        if (!is_open) {
            *pass->sequence = sequence;
        }
    }
}

/* Rows of a copy beside. */
static void apply_rows(struct mr_sink *sink, const struct mr_batch *batch)
{
    for (uint32_t e = 0; e < batch->event_count; e++) {
        const struct mr_event *event = &batch->events[e];
        const struct mr_chunk *chunk = batch->chunks[event->chunk];
        struct sim_table *table = &sink->held.tables[table_of(chunk->schema)];
        MR_ASSERT(event->kind == MR_EVENT_READ && table->copy_way == SIM_COPYING);
        for (uint16_t i = 0; i < event->count; i++) {
            const int64_t key = cell_i64(chunk, 0, (uint32_t)event->row + i);
            MR_ASSERT(key >= 0 && key < SIM_KEYS);
            if (table->copy.present[key] && !batch->snapshot_again) {
                sink->store->broken = "a row was copied twice";
            }
            table->copy.present[key] = true;
            table->copy.amount[key] = cell_i64(chunk, 1, (uint32_t)event->row + i);
        }
    }
}

static bool sim_apply(struct mr_sink *sink, struct mr_batch *const *batches, uint32_t count,
                      struct mr_error *err)
{
    struct sim_store *store = sink->store;
    if (!store->is_steady && sim_draw(&store->random, 30) == 0) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target is out of memory");
    }
    open_transaction(sink);
    const struct pass all = {.sequence = &sink->held.sequence};
    for (uint32_t i = 0; i < count; i++) {
        if (batches[i]->snapshot_table > 0) {
            apply_rows(sink, batches[i]);
        } else {
            apply_batch(sink, batches[i], &all);
        }
    }
    return true;
}

/* A table at a sequence where nothing overlaps any more is what the source was. */
static bool is_right(const struct sim_store *store, const struct sim_rows *rows, int table,
                     uint64_t sequence)
{
    const struct sim_state *state = &store->plan->states[sequence];
    return memcmp(rows->present, state->present[table], sizeof(rows->present)) == 0 &&
           memcmp(rows->amount, state->amount[table], sizeof(rows->amount)) == 0;
}

static void check_store(struct sim_store *store)
{
    if (store->held.sequence > store->plan->count) {
        store->broken = "the position is past the source's end";
        return;
    }
    for (int t = 0; t < SIM_TABLES; t++) {
        const struct sim_table *table = &store->held.tables[t];
        const uint64_t sequence = table->way == SIM_JOINED ? store->held.sequence : table->sequence;
        if (sequence > store->held.sequence) {
            store->broken = "a table that is apart is ahead of the others";
        } else if (sequence >= table->high && !is_right(store, &table->rows, t, sequence)) {
            store->broken = "the target is not what the source was after that transaction";
        } else if (table->copy_way == SIM_FOLLOWING && table->copy_sequence >= table->copy_high &&
                   !is_right(store, &table->copy, t, table->copy_sequence)) {
            store->broken = "a copy that follows is not what the source was";
        }
    }
}

bool sim_store_is_whole(const struct sim_store *store)
{
    bool whole = store->held.sequence == store->plan->count;
    for (int t = 0; t < SIM_TABLES; t++) {
        whole = whole && store->held.tables[t].way == SIM_JOINED &&
                store->held.tables[t].copy_way == SIM_JOINED;
    }
    return whole;
}

static bool sim_commit(struct mr_sink *sink, struct mr_error *err)
{
    struct sim_store *store = sink->store;
    const uint64_t fate = store->is_steady ? 9 : sim_draw(&store->random, 20);
    MR_ASSERT(sink->is_open);
    if (fate == 0) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target failed before its commit");
    }
    const uint64_t former = store->held.sequence;
    store->held = sink->held;
    if (store->position_is_apart && fate == 1) {
        store->held.sequence = former;
    }
    if (store->position_is_apart && fate == 1) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target failed before its position");
    }
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

/* ---- One table. ---- */

static bool sim_is_finished(struct mr_sink *sink, uint16_t source_index,
                            const struct mr_schema *schema, bool *finished,
                            struct mr_snapshot_mark *mark, struct mr_error *err)
{
    (void)sink;
    (void)source_index;
    (void)schema;
    (void)err;
    *finished = true; /* no first copy in this world */
    *mark = (struct mr_snapshot_mark){0};
    return true;
}

static bool sim_copy_begin(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, const struct mr_copy_request *request,
                           struct mr_copy_taken *taken, struct mr_error *err)
{
    (void)source_index;
    open_transaction(sink);
    struct sim_table *table = &sink->held.tables[table_of(schema)];
    const bool same = strcmp(table->copy_id, request->id) == 0;
    MR_ASSERT(request->beside && request->piece_count == SIM_PIECES);
    taken->is_finished = same && table->copy_way != SIM_COPYING;
    if (taken->is_finished) {
        return true;
    }
    if (same && request->plan != NULL) {
        memcpy(taken->pieces, table->pieces, SIM_PIECES);
        sink->store->resumed += memchr(table->pieces, MR_PIECE_DONE, SIM_PIECES) != NULL;
        return true;
    }
    table->copy = (struct sim_rows){0};
    table->copy_way = SIM_COPYING;
    table->copy_sequence = request->from_sequence;
    table->copy_high = 0;
    (void)snprintf(table->copy_id, sizeof(table->copy_id), "%s", request->id);
    memset(table->pieces, 0, sizeof(table->pieces));
    return sim_commit(sink, err);
}

static bool sim_copy_piece(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, bool beside,
                           const struct mr_copy_piece *piece, struct mr_error *err)
{
    (void)source_index;
    (void)err;
    MR_ASSERT(beside && piece->index < SIM_PIECES);
    open_transaction(sink);
    sink->held.tables[table_of(schema)].pieces[piece->index] = (uint8_t)piece->state;
    if (sink->store->piece_is_apart) {
        sink->store->held.tables[table_of(schema)].pieces[piece->index] = (uint8_t)piece->state;
    }
    return true;
}

static const char *sim_copy_plan(struct mr_sink *sink, uint16_t source_index,
                                 const struct mr_schema *named, bool beside)
{
    (void)source_index;
    (void)beside;
    return sink->store->held.tables[table_of(named)].copy_way == SIM_COPYING ? "halves" : NULL;
}

static bool sim_copy_finish(struct mr_sink *sink, uint16_t source_index,
                            const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                            struct mr_error *err)
{
    (void)source_index;
    open_transaction(sink);
    struct sim_table *table = &sink->held.tables[table_of(schema)];
    MR_ASSERT(mark->beside && table->copy_way == SIM_COPYING);
    table->copy_way = SIM_FOLLOWING;
    table->copy_high = mark->high.major;
    return sim_commit(sink, err);
}

static bool sim_order(struct mr_sink *sink, uint16_t source_index,
                      const struct mr_table_order *order, struct mr_error *err)
{
    (void)source_index;
    const struct mr_schema named = {.table = order->table};
    open_transaction(sink);
    struct sim_table *table = &sink->held.tables[table_of(&named)];
    switch (order->verb) {
    case MR_TABLE_PAUSE:
        table->sequence = table->way == SIM_JOINED ? sink->held.sequence : table->sequence;
        table->way = SIM_PAUSED;
        break;
    case MR_TABLE_RESUME:
        table->way = table->way == SIM_PAUSED ? SIM_FOLLOWING : table->way;
        break;
    case MR_TABLE_REWIND:
        table->sequence = table->way == SIM_JOINED ? sink->held.sequence : table->sequence;
        if (table->sequence > order->sequence - 1) {
            table->sequence = order->sequence - 1;
        }
        table->high = sink->held.sequence > table->high ? sink->held.sequence : table->high;
        table->way = SIM_FOLLOWING;
        break;
    case MR_TABLE_DROP:
    case MR_TABLE_PURGE:
        return mr_fail(err, MR_E_CONFIG, MR_RETRY, "nothing is dropped in this world");
    }
    return sim_commit(sink, err);
}

static bool sim_apart(struct mr_sink *sink, uint32_t index, struct mr_apart_view *view)
{
    (void)sink;
    (void)index;
    (void)view;
    return false; /* what people see is no part of this */
}

static uint64_t sim_pinned(struct mr_sink *sink, uint16_t source_index)
{
    uint64_t least = UINT64_MAX;
    (void)source_index;
    for (int t = 0; t < SIM_TABLES && !sink->store->pin_is_skipped; t++) {
        const struct sim_table *table = &sink->store->held.tables[t];
        if (table->way != SIM_JOINED && table->sequence < least) {
            least = table->sequence;
        }
        if (table->copy_way != SIM_JOINED && table->copy_sequence < least) {
            least = table->copy_sequence;
        }
    }
    return least;
}

static bool sim_follow_next(struct mr_sink *sink, struct mr_follow *follow, bool *found,
                            struct mr_error *err)
{
    (void)err;
    *found = false;
    for (int t = 0; t < SIM_TABLES && !*found; t++) {
        const struct sim_table *table = &sink->store->held.tables[t];
        const bool is_copy = table->copy_way == SIM_FOLLOWING;
        *found = is_copy || table->way == SIM_FOLLOWING;
        *follow = (struct mr_follow){
            .space = "bank",
            .table = names[t],
            .sequence = is_copy ? table->copy_sequence : table->sequence,
            .entry = is_copy ? &sink->held.tables[t].copy : NULL,
        };
    }
    return true;
}

static bool sim_follow_apply(struct mr_sink *sink, struct mr_follow *follow,
                             struct mr_batch *const *batches, uint32_t count, struct mr_error *err)
{
    const struct mr_schema named = {.table = follow->table};
    struct sim_table *table = &sink->held.tables[table_of(&named)];
    const struct pass pass = {
        .only = table,
        .is_copy = follow->entry != NULL,
        .sequence = follow->entry != NULL ? &table->copy_sequence : &table->sequence,
    };
    if (!sink->store->is_steady && sim_draw(&sink->store->random, 30) == 0) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target is out of memory");
    }
    open_transaction(sink);
    for (uint32_t i = 0; i < count; i++) {
        apply_batch(sink, batches[i], &pass);
    }
    follow->sequence = *pass.sequence;
    return true;
}

static bool sim_follow_end(struct mr_sink *sink, const struct mr_follow *follow,
                           struct mr_native_position reached, bool *joined, struct mr_error *err)
{
    const struct mr_schema named = {.table = follow->table};
    (void)reached;
    open_transaction(sink);
    struct sim_table *table = &sink->held.tables[table_of(&named)];
    if (follow->sequence != sink->held.sequence) {
        sink->store->broken = "a table joins that is not where the others are";
    }
    if (follow->entry == NULL) {
        table->way = SIM_JOINED;
    } else {
        table->rows = table->copy;
        table->high = table->copy_high;
        table->copy_way = SIM_JOINED;
        table->sequence = table->copy_sequence;
        table->way = table->way == SIM_PAUSED ? SIM_PAUSED : SIM_JOINED;
    }
    *joined = sim_commit(sink, err);
    sink->store->joins += *joined;
    return *joined;
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
    .snapshot_is_finished = sim_is_finished,
    .snapshot_begin = sim_copy_begin,
    .snapshot_piece = sim_copy_piece,
    .snapshot_plan = sim_copy_plan,
    .snapshot_finish = sim_copy_finish,
    .order = sim_order,
    .apart = sim_apart,
    .pinned = sim_pinned,
    .follow_next = sim_follow_next,
    .follow_apply = sim_follow_apply,
    .follow_end = sim_follow_end,
    .maintain = sim_maintain,
    .observe = sim_observe,
};
