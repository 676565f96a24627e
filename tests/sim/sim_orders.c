// SPDX-License-Identifier: MIT
/*
 * sim_orders.c - see sim_orders.h.
 */
#include "sim_orders.h"

#include <stdio.h>
#include <string.h>

#define POOL_BATCHES 8
#define BATCH_BYTES  (UINT64_C(256) << 10)

static uint64_t draw(struct sim_orders *orders, uint64_t below)
{
    return sim_draw(&orders->wishes->random, below);
}

void sim_orders_init(struct sim_orders *orders, struct sim_wishes *wishes,
                     const struct sim_server *server, struct mr_catalog *catalog)
{
    struct mr_error err = {0};
    memset(orders, 0, sizeof(*orders));
    orders->wishes = wishes;
    orders->plan = server->plan;
    orders->server = server;
    for (uint8_t t = 0; t < SIM_TABLES; t++) {
        orders->schemas[t] = sim_source_table(catalog, t, &err);
        MR_ASSERT(orders->schemas[t] != NULL);
    }
    orders->pool = mr_batch_pool_open(POOL_BATCHES, BATCH_BYTES, BATCH_BYTES, &err);
    MR_ASSERT(orders->pool != NULL);
}

void sim_orders_done(struct sim_orders *orders)
{
    if (orders->waits) {
        mr_promise_done(&orders->promise);
    }
    mr_batch_pool_close(orders->pool);
}

static void ask(struct sim_orders *orders, struct mr_load_command command)
{
    MR_ASSERT(!orders->waits);
    mr_promise_init(&orders->promise);
    command.promise = &orders->promise;
    if (mr_loader_command(orders->loader, &command, 0)) {
        orders->waits = true;
    } else {
        mr_promise_done(&orders->promise); /* full: another time */
    }
}

static struct mr_load_command command_of(const struct sim_orders *orders, enum mr_load_kind kind)
{
    return (struct mr_load_command){.kind = kind, .schema = orders->schemas[orders->table]};
}

/* ---- A copy. ---- */

static void ask_reserve(struct sim_orders *orders)
{
    struct mr_load_command command = command_of(orders, MR_LOAD_RESERVE);
    command.place = &orders->place;
    ask(orders, command);
}

static void ask_begin(struct sim_orders *orders)
{
    struct mr_load_command command = command_of(orders, MR_LOAD_BEGIN);
    orders->request = (struct mr_copy_request){
        .id = orders->wishes->wanted[orders->table],
        .plan = "halves",
        .beside = true,
        .from_sequence = orders->place.sequence,
        .piece_count = SIM_PIECES,
    };
    memset(orders->pieces, 0, sizeof(orders->pieces));
    orders->taken = (struct mr_copy_taken){.pieces = orders->pieces};
    command.request = &orders->request;
    command.taken = &orders->taken;
    command.beside = true;
    ask(orders, command);
}

static bool push_mark(struct sim_orders *orders, enum mr_piece_state state)
{
    struct mr_load_command command = command_of(orders, MR_LOAD_PIECE);
    command.beside = true;
    command.piece = (struct mr_copy_piece){.index = orders->piece, .state = state};
    return mr_loader_command(orders->loader, &command, 0);
}

/* The moment at which rows are read: the source is at least where it has sent to. */
static uint64_t draw_moment(struct sim_orders *orders)
{
    uint64_t least = orders->server->sent;
    least = orders->place.native.major > least ? orders->place.native.major : least;
    least = orders->high > least ? orders->high : least;
    return least + draw(orders, orders->plan->count - least + 1);
}

static bool push_rows(struct sim_orders *orders)
{
    const struct sim_state *state = &orders->plan->states[draw_moment(orders)];
    const uint64_t moment = (uint64_t)(state - orders->plan->states);
    struct mr_batch *batch = mr_batch_take(orders->pool, 0);
    struct mr_error err = {0};
    if (batch == NULL) {
        return false;
    }
    for (uint8_t key = 0; key < SIM_KEYS; key++) {
        uint16_t index = 0;
        if (key % SIM_PIECES != orders->piece || !state->present[orders->table][key]) {
            continue;
        }
        struct mr_chunk *chunk =
            mr_batch_chunk_for(batch, orders->schemas[orders->table], MR_IMAGE_FULL, &index, &err);
        MR_ASSERT(chunk != NULL);
        mr_put_i64(&chunk->columns[0], chunk->row_count, key);
        mr_put_i64(&chunk->columns[1], chunk->row_count, state->amount[orders->table][key]);
        const uint16_t row = mr_chunk_end_row(chunk);
        MR_ASSERT(mr_batch_add_event(batch, MR_EVENT_READ, index, row, MR_NO_CHUNK, 0, &err));
    }
    batch->snapshot_table = (uint32_t)orders->table + 1;
    batch->snapshot_chunk = orders->piece;
    batch->snapshot_beside = true;
    batch->snapshot_again = orders->pieces[orders->piece] == MR_PIECE_BEGUN;
    const struct mr_load_command command = {.kind = MR_LOAD_ROWS, .batch = batch};
    if (!mr_loader_command(orders->loader, &command, 0)) {
        mr_batch_release(batch);
        return false;
    }
    orders->high = moment > orders->high ? moment : orders->high;
    return true;
}

/* One piece in one go, when the loader has room for it; else the copy is given up for now. */
static void copy_piece(struct sim_orders *orders)
{
    if (orders->piece == SIM_PIECES) {
        orders->step = SIM_COPY_FINISH;
        return;
    }
    if (orders->pieces[orders->piece] == MR_PIECE_DONE) {
        orders->piece++;
        return;
    }
    if (mr_queue_count(orders->loader->commands) > 0) {
        return;
    }
    if (!push_mark(orders, MR_PIECE_BEGUN) || !push_rows(orders) ||
        !push_mark(orders, MR_PIECE_DONE)) {
        orders->step = SIM_COPY_NONE;
        return;
    }
    orders->piece++;
}

static void ask_finish(struct sim_orders *orders)
{
    struct mr_load_command command = command_of(orders, MR_LOAD_FINISH);
    /* Rows of an earlier life may be newer than any of this one. */
    command.mark = (struct mr_snapshot_mark){
        .high = {.major = draw_moment(orders)},
        .beside = true,
    };
    ask(orders, command);
}

static void go_on_with_copy(struct sim_orders *orders)
{
    switch (orders->step) {
    case SIM_COPY_RESERVE:
        ask_reserve(orders);
        return;
    case SIM_COPY_BEGIN:
        ask_begin(orders);
        return;
    case SIM_COPY_RELEASE:
        ask(orders, command_of(orders, MR_LOAD_RELEASE));
        return;
    case SIM_COPY_ROWS:
        copy_piece(orders);
        return;
    case SIM_COPY_FINISH:
        ask_finish(orders);
        return;
    case SIM_COPY_NONE:
        break;
    }
}

static void end_copy(struct sim_orders *orders)
{
    orders->wishes->wanted[orders->table][0] = '\0';
    orders->step = SIM_COPY_NONE;
}

/* The answer is here: the next step, or all from the start when it was no. */
static void take_answer(struct sim_orders *orders)
{
    const bool succeeded = orders->promise.succeeded;
    const bool answer = orders->promise.answer;
    const bool was_order = orders->order.table != NULL;
    mr_promise_done(&orders->promise);
    orders->waits = false;
    orders->order.table = NULL;
    if (was_order || orders->step == SIM_COPY_NONE) {
        return;
    }
    if (!succeeded) {
        orders->step = SIM_COPY_NONE;
    } else if (orders->step == SIM_COPY_RESERVE) {
        orders->step = SIM_COPY_BEGIN;
    } else if (orders->step == SIM_COPY_BEGIN) {
        orders->piece = 0;
        orders->high = 0;
        orders->step = SIM_COPY_RELEASE;
        if (answer) {
            end_copy(orders);
        }
    } else if (orders->step == SIM_COPY_RELEASE) {
        orders->step = SIM_COPY_ROWS;
    } else if (orders->step == SIM_COPY_FINISH) {
        end_copy(orders);
    }
}

/* ---- Orders. ---- */

static void give_order(struct sim_orders *orders, uint8_t table, enum mr_table_verb verb)
{
    struct mr_stream_observation seen = {0};
    orders->stream_ops->observe(orders->stream, &seen);
    const uint64_t first = seen.first_sequence > 0 ? seen.first_sequence : 1;
    orders->order = (struct mr_table_order){
        .verb = verb,
        .space = orders->schemas[table]->space,
        .table = orders->schemas[table]->table,
        .sequence = first,
    };
    if (verb == MR_TABLE_REWIND && seen.last_sequence > first) {
        orders->order.sequence += draw(orders, seen.last_sequence - first + 1);
    }
    const struct mr_load_command command = {
        .kind = MR_LOAD_ORDER, .schema = orders->schemas[table], .order = &orders->order};
    ask(orders, command);
    if (!orders->waits) {
        orders->order.table = NULL;
    }
}

static void start_copy(struct sim_orders *orders, uint8_t table)
{
    char *wanted = orders->wishes->wanted[table];
    if (wanted[0] == '\0') {
        (void)snprintf(wanted, SIM_ID_BYTES, "copy %u", ++orders->wishes->number % 10000);
    }
    orders->table = table;
    orders->step = SIM_COPY_RESERVE;
}

static void think_of_something(struct sim_orders *orders)
{
    static const enum mr_table_verb verbs[] = {MR_TABLE_PAUSE, MR_TABLE_RESUME, MR_TABLE_RESUME,
                                               MR_TABLE_REWIND};
    const uint8_t table = (uint8_t)draw(orders, SIM_TABLES);
    if (orders->wishes->is_steady) {
        if (orders->wishes->wanted[table][0] != '\0') {
            start_copy(orders, table);
        } else if (draw(orders, 10) == 0) {
            give_order(orders, table, MR_TABLE_RESUME);
        }
        return;
    }
    if (draw(orders, 6) > 0) {
        return;
    }
    if (orders->wishes->wanted[table][0] != '\0' || draw(orders, 2) == 0) {
        start_copy(orders, table);
    } else {
        give_order(orders, table, verbs[draw(orders, MR_ARRAY_LEN(verbs))]);
    }
}

void sim_orders_step(struct sim_orders *orders)
{
    if (orders->waits) {
        if (orders->promise.is_settled) {
            take_answer(orders);
        }
    } else if (orders->step != SIM_COPY_NONE) {
        go_on_with_copy(orders);
    } else {
        think_of_something(orders);
    }
}
