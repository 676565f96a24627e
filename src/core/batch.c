// SPDX-License-Identifier: MIT
/*
 * batch.c - filling a batch: chunks by table, the event index, transactions.
 *
 * All arrays lie in the arena and grow by doubling (where they are, when nothing was allocated
 * since). open_chunks alone is libc memory that stays with the batch: a table of every schema's
 * open chunk would cost more to zero than a small transaction to decode, so clearing a batch clears
 * just the entries of the chunks it has.
 *
 * Invariants:
 *   - events of transaction i are [first_event, first_event + event_count), without gaps;
 *   - row_count is the sum of the events' counts;
 *   - an event never spans two transactions, and its rows are consecutive in one chunk (two for
 *     before images).
 */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define EVENTS_MIN       256
#define CHUNKS_MIN       32
#define TRANSACTIONS_MIN 64
#define REFERENCES_MIN   4 /* origins, truncated, notes: grown when the count is a power of two */

/* What an array is made of, and how far it may grow. */
struct growth {
    size_t item_size;
    uint32_t least;
    uint32_t most;
    const char *what;
};

/* Room for one more item after `count`: the array, moved unless it can grow in place; or NULL. */
static void *grow_array(struct mr_arena *arena, void *items, uint32_t count, uint32_t *capacity,
                        const struct growth *growth, struct mr_error *err)
{
    MR_ASSERT(count == *capacity && count <= growth->most);
    MR_ASSERT(items != NULL || count == 0);
    if (count == growth->most) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "a batch holds at most %u %s", growth->most,
                      growth->what);
        return NULL;
    }
    uint32_t wanted = count < growth->least ? growth->least : count * 2;
    wanted = wanted > growth->most ? growth->most : wanted;
    const size_t old_size = count * growth->item_size;
    if (count > 0 && (uint8_t *)items + old_size == arena->base + arena->used &&
        mr_arena_alloc(arena, (wanted - count) * growth->item_size, 1) != NULL) {
        *capacity = wanted;
        return items;
    }
    void *grown = mr_arena_alloc(arena, wanted * growth->item_size, _Alignof(max_align_t));
    if (grown == NULL) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP, "%u %s do not fit into a batch of %zu bytes",
                      wanted, growth->what, arena->capacity);
        return NULL;
    }
    if (count > 0) {
        memcpy(grown, items, old_size);
    }
    *capacity = wanted;
    return grown;
}

void mr_batch_clear(struct mr_batch *batch)
{
    MR_ASSERT(batch->pool != NULL);
    MR_ASSERT(atomic_load_explicit(&batch->references, memory_order_relaxed) <= 1);
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        const struct mr_chunk *chunk = batch->chunks[i];
        const uint32_t slot = chunk->schema->schema_id * 2 + chunk->image;
        if (slot < batch->open_chunks_capacity) {
            batch->open_chunks[slot] = 0;
        }
    }
    mr_arena_reset(&batch->arena);
    const struct mr_batch empty = {
        .arena = batch->arena,
        .source_index = batch->source_index,
        .pool = batch->pool,
        .references = atomic_load_explicit(&batch->references, memory_order_relaxed),
        .open_chunks = batch->open_chunks,
        .open_chunks_capacity = batch->open_chunks_capacity,
    };
    memcpy(batch, &empty, sizeof(*batch));
    batch->origins = MR_ARENA_NEW(&batch->arena, struct mr_slice, REFERENCES_MIN);
    MR_ASSERT(batch->origins != NULL); /* the pool refuses capacities that are too small for it */
    batch->origin_count = 1;
}

bool mr_batch_begin(struct mr_batch *batch, uint64_t number, int64_t commit_us,
                    struct mr_error *err)
{
    static const struct growth growth = {sizeof(struct mr_transaction), TRANSACTIONS_MIN,
                                         MR_BATCH_TRANSACTIONS_MAX, "transactions"};
    MR_ASSERT(!batch->transaction_open);
    MR_ASSERT(!batch->continued && !batch->aborts);
    if (MR_UNLIKELY(batch->transaction_count == batch->transactions_capacity)) {
        void *grown = grow_array(&batch->arena, batch->transactions, batch->transaction_count,
                                 &batch->transactions_capacity, &growth, err);
        if (grown == NULL) {
            return false;
        }
        batch->transactions = grown;
    }
    MR_ASSERT(batch->transactions != NULL);
    batch->transactions[batch->transaction_count++] = (struct mr_transaction){
        .number = number,
        .commit_us = commit_us,
        .first_event = batch->event_count,
    };
    batch->transaction_open = true;
    return true;
}

void mr_batch_commit(struct mr_batch *batch, struct mr_native_position end, int64_t commit_us)
{
    MR_ASSERT(batch->transaction_open && batch->transaction_count > 0);
    struct mr_transaction *transaction = &batch->transactions[batch->transaction_count - 1];
    MR_ASSERT(transaction->first_event + transaction->event_count == batch->event_count);
    transaction->end = end;
    transaction->commit_us = commit_us;
    batch->transaction_open = false;
}

void mr_batch_suspend(struct mr_batch *batch)
{
    MR_ASSERT(batch->transaction_open && batch->transaction_count > 0);
    MR_ASSERT(!batch->continued);
    batch->transaction_open = false;
    batch->continued = true;
}

bool mr_batch_origin(struct mr_batch *batch, struct mr_slice text, uint16_t *index,
                     struct mr_error *err)
{
    MR_ASSERT(batch->origin_count > 0);
    /* The origin of the transaction before is by far the likeliest. */
    for (uint16_t i = batch->origin_count; i-- > 0;) {
        if (mr_slice_equals(batch->origins[i], text)) {
            *index = i;
            return true;
        }
    }
    static const struct growth growth = {sizeof(struct mr_slice), REFERENCES_MIN, UINT16_MAX,
                                         "origins"};
    const uint32_t count = batch->origin_count;
    uint32_t capacity = count;
    if (count >= REFERENCES_MIN && (count & (count - 1)) == 0) {
        void *grown = grow_array(&batch->arena, batch->origins, count, &capacity, &growth, err);
        if (grown == NULL) {
            return false;
        }
        batch->origins = grown;
    }
    const uint8_t *copy = mr_arena_copy(&batch->arena, text.bytes, text.length);
    if (count == UINT16_MAX || copy == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "the batch has no room for %u origins", count + 1);
    }
    batch->origins[count] = (struct mr_slice){.bytes = copy, .length = text.length};
    batch->origin_count++;
    *index = (uint16_t)count;
    return true;
}

static void grow_open_chunks(struct mr_batch *batch, uint32_t slot)
{
    MR_ASSERT(slot / 2 <= MR_CATALOG_COUNT_MAX);
    uint32_t capacity = batch->open_chunks_capacity < 64 ? 64 : batch->open_chunks_capacity;
    while (capacity <= slot) {
        capacity *= 2;
    }
    batch->open_chunks = mr_memory_resize(batch->open_chunks, capacity, sizeof(uint32_t));
    memset(batch->open_chunks + batch->open_chunks_capacity, 0,
           (capacity - batch->open_chunks_capacity) * sizeof(uint32_t));
    batch->open_chunks_capacity = capacity;
}

static struct mr_chunk *add_chunk(struct mr_batch *batch, const struct mr_schema *schema,
                                  enum mr_image image, const struct mr_chunk *full,
                                  struct mr_error *err)
{
    static const struct growth growth = {sizeof(struct mr_chunk *), CHUNKS_MIN, MR_BATCH_CHUNKS_MAX,
                                         "chunks"};
    if (batch->chunk_count == batch->chunks_capacity) {
        void *grown = grow_array(&batch->arena, batch->chunks, batch->chunk_count,
                                 &batch->chunks_capacity, &growth, err);
        if (grown == NULL) {
            return NULL;
        }
        batch->chunks = grown;
    }
    struct mr_chunk *chunk = full != NULL
                                 ? mr_chunk_new_after(&batch->arena, full)
                                 : mr_chunk_new(&batch->arena, schema, image, MR_CHUNK_ROWS_MIN);
    if (chunk == NULL) {
        (void)mr_fail(err, MR_E_LIMIT, MR_STOP,
                      "rows of \"%s.%s\" do not fit into a batch of %zu bytes", schema->space,
                      schema->table, batch->arena.capacity);
        return NULL;
    }
    MR_ASSERT(batch->chunk_count < MR_NO_CHUNK);
    batch->chunks[batch->chunk_count++] = chunk;
    return chunk;
}

/* The slow half of mr_batch_chunk_for(): no chunk yet, or no room in it. */
static struct mr_chunk *make_room(struct mr_batch *batch, const struct mr_schema *schema,
                                  enum mr_image image, uint32_t slot, struct mr_error *err)
{
    const struct mr_chunk *full = NULL;
    if (slot >= batch->open_chunks_capacity) {
        grow_open_chunks(batch, slot);
    }
    if (batch->open_chunks[slot] != 0) {
        struct mr_chunk *chunk = batch->chunks[batch->open_chunks[slot] - 1];
        MR_ASSERT(chunk->schema == schema && chunk->image == image);
        if (chunk->capacity < MR_CHUNK_ROWS_MAX) {
            if (!mr_chunk_grow(chunk, &batch->arena)) {
                (void)mr_fail(err, MR_E_LIMIT, MR_STOP,
                              "rows of \"%s.%s\" do not fit into a batch of %zu bytes",
                              schema->space, schema->table, batch->arena.capacity);
                return NULL;
            }
            return chunk;
        }
        full = chunk;
    }
    struct mr_chunk *chunk = add_chunk(batch, schema, image, full, err);
    if (chunk != NULL) {
        batch->open_chunks[slot] = batch->chunk_count;
    }
    return chunk;
}

struct mr_chunk *mr_batch_chunk_for(struct mr_batch *batch, const struct mr_schema *schema,
                                    enum mr_image image, uint16_t *index, struct mr_error *err)
{
    MR_ASSERT(schema->schema_id > 0);
    const uint32_t slot = schema->schema_id * 2 + (uint32_t)image;
    struct mr_chunk *chunk = NULL;
    if (MR_LIKELY(slot < batch->open_chunks_capacity && batch->open_chunks[slot] != 0)) {
        chunk = batch->chunks[batch->open_chunks[slot] - 1];
    }
    if (MR_UNLIKELY(chunk == NULL || chunk->row_count == chunk->capacity)) {
        chunk = make_room(batch, schema, image, slot, err);
        if (chunk == NULL) {
            return NULL;
        }
    }
    MR_ASSERT(chunk->schema == schema && chunk->row_count < chunk->capacity);
    *index = (uint16_t)(batch->open_chunks[slot] - 1);
    return chunk;
}

/* Whether the row at (event->chunk, event->row), with its before row, follows the last event's. */
static bool continues_event(const struct mr_event *last, const struct mr_event *event)
{
    return last->kind == event->kind && last->chunk == event->chunk &&
           last->before_chunk == event->before_chunk &&
           (event->chunk == MR_NO_CHUNK || event->row == last->row + last->count) &&
           (event->before_chunk == MR_NO_CHUNK ||
            event->before_row == last->before_row + last->count);
}

static void assert_images(const struct mr_batch *batch, const struct mr_event *event)
{
    const bool has_row = event->kind != MR_EVENT_DELETE;
    const bool has_before = event->kind == MR_EVENT_DELETE;
    const bool may_have_before = has_before || event->kind == MR_EVENT_UPDATE;
    MR_ASSERT((event->chunk != MR_NO_CHUNK) == has_row);
    MR_ASSERT(event->before_chunk != MR_NO_CHUNK || !has_before);
    MR_ASSERT(event->before_chunk == MR_NO_CHUNK || may_have_before);
    MR_ASSERT(!has_row || (event->chunk < batch->chunk_count &&
                           event->row < batch->chunks[event->chunk]->row_count));
    MR_ASSERT(event->before_chunk == MR_NO_CHUNK ||
              (event->before_chunk < batch->chunk_count &&
               event->before_row < batch->chunks[event->before_chunk]->row_count));
}

/* The last event, if it belongs to the open transaction (or, in a snapshot batch, to none). */
static struct mr_event *last_event(struct mr_batch *batch)
{
    const uint32_t first = batch->transaction_count == 0
                               ? 0
                               : batch->transactions[batch->transaction_count - 1].first_event;
    return batch->event_count > first ? &batch->events[batch->event_count - 1] : NULL;
}

static bool append_event(struct mr_batch *batch, const struct mr_event *event, struct mr_error *err)
{
    static const struct growth growth = {sizeof(struct mr_event), EVENTS_MIN, MR_BATCH_EVENTS_MAX,
                                         "events"};
    if (MR_UNLIKELY(batch->event_count == batch->events_capacity)) {
        void *grown = grow_array(&batch->arena, batch->events, batch->event_count,
                                 &batch->events_capacity, &growth, err);
        if (grown == NULL) {
            return false;
        }
        batch->events = grown;
    }
    MR_ASSERT(batch->events != NULL);
    batch->events[batch->event_count++] = *event;
    if (batch->transaction_open) {
        batch->transactions[batch->transaction_count - 1].event_count++;
    }
    return true;
}

// NOLINTNEXTLINE(readability-function-size): called once a row, from registers
bool mr_batch_add_event(struct mr_batch *batch, enum mr_event_kind kind, uint16_t chunk,
                        uint16_t row, uint16_t before_chunk, uint16_t before_row,
                        struct mr_error *err)
{
    const struct mr_event event = {
        .kind = (uint8_t)kind,
        .count = 1,
        .chunk = chunk,
        .row = chunk == MR_NO_CHUNK ? 0 : row,
        .before_chunk = before_chunk,
        .before_row = before_chunk == MR_NO_CHUNK ? 0 : before_row,
    };
    MR_ASSERT(kind != MR_EVENT_TRUNCATE && kind != MR_EVENT_NOTE);
    MR_ASSERT(batch->transaction_open || kind == MR_EVENT_READ);
    assert_images(batch, &event);
    struct mr_event *last = last_event(batch);
    if (last != NULL && continues_event(last, &event)) {
        MR_ASSERT(last->count < MR_CHUNK_ROWS_MAX);
        last->count++;
    } else if (!append_event(batch, &event, err)) {
        return false;
    }
    batch->row_count++;
    if (batch->transaction_open) {
        batch->transactions[batch->transaction_count - 1].row_count++;
    }
    return true;
}

static bool references_are_full(uint32_t count)
{
    return count == 0 || (count >= REFERENCES_MIN && (count & (count - 1)) == 0);
}

bool mr_batch_add_truncate(struct mr_batch *batch, const struct mr_schema *schema,
                           struct mr_error *err)
{
    static const struct growth growth = {sizeof(const struct mr_schema *), REFERENCES_MIN,
                                         MR_NO_CHUNK, "truncated tables"};
    MR_ASSERT(batch->transaction_open);
    MR_ASSERT(schema->schema_id > 0);
    const uint32_t count = batch->truncated_count;
    uint32_t capacity = count;
    if (references_are_full(count)) {
        void *grown = grow_array(&batch->arena, batch->truncated, count, &capacity, &growth, err);
        if (grown == NULL) {
            return false;
        }
        batch->truncated = grown;
    }
    const struct mr_event event = {
        .kind = MR_EVENT_TRUNCATE,
        .chunk = (uint16_t)count,
        .before_chunk = MR_NO_CHUNK,
    };
    if (!append_event(batch, &event, err)) {
        return false;
    }
    batch->truncated[count] = schema;
    batch->truncated_count++;
    return true;
}

bool mr_batch_add_note(struct mr_batch *batch, const struct mr_note *note, struct mr_error *err)
{
    static const struct growth growth = {sizeof(struct mr_note), REFERENCES_MIN, MR_NO_CHUNK,
                                         "notes"};
    MR_ASSERT(batch->transaction_open);
    MR_ASSERT(note->before == NULL || note->before->schema_id > 0);
    MR_ASSERT(note->after == NULL || note->after->schema_id > 0);
    const uint32_t count = batch->note_count;
    uint32_t capacity = count;
    if (references_are_full(count)) {
        void *grown = grow_array(&batch->arena, batch->notes, count, &capacity, &growth, err);
        if (grown == NULL) {
            return false;
        }
        batch->notes = grown;
    }
    const uint8_t *name = mr_arena_copy(&batch->arena, note->name.bytes, note->name.length);
    const uint8_t *text = mr_arena_copy(&batch->arena, note->text.bytes, note->text.length);
    const uint8_t *renamed =
        mr_arena_copy(&batch->arena, note->renamed.bytes, note->renamed.length);
    if (name == NULL || text == NULL || renamed == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "a note of %zu bytes does not fit into a batch of %zu bytes",
                       note->name.length + note->text.length, batch->arena.capacity);
    }
    const struct mr_event event = {
        .kind = MR_EVENT_NOTE,
        .chunk = (uint16_t)count,
        .before_chunk = MR_NO_CHUNK,
    };
    if (!append_event(batch, &event, err)) {
        return false;
    }
    batch->notes[count] = *note;
    batch->notes[count].name = (struct mr_slice){name, note->name.length};
    batch->notes[count].text = (struct mr_slice){text, note->text.length};
    batch->notes[count].renamed = (struct mr_slice){renamed, note->renamed.length};
    batch->note_count++;
    return true;
}

const struct mr_schema *mr_batch_event_schema(const struct mr_batch *batch,
                                              const struct mr_event *event)
{
    if (event->kind == MR_EVENT_TRUNCATE) {
        MR_ASSERT(event->chunk < batch->truncated_count);
        return batch->truncated[event->chunk];
    }
    if (event->kind == MR_EVENT_NOTE) {
        MR_ASSERT(event->chunk < batch->note_count);
        const struct mr_note *note = &batch->notes[event->chunk];
        return note->after != NULL ? note->after : note->before;
    }
    const uint16_t index = event->chunk != MR_NO_CHUNK ? event->chunk : event->before_chunk;
    MR_ASSERT(index < batch->chunk_count);
    return batch->chunks[index]->schema;
}

bool mr_batch_set_position(struct mr_batch *batch, struct mr_slice epoch, struct mr_slice position,
                           struct mr_native_position native, struct mr_error *err)
{
    const uint8_t *epoch_copy = mr_arena_copy(&batch->arena, epoch.bytes, epoch.length);
    const uint8_t *position_copy = mr_arena_copy(&batch->arena, position.bytes, position.length);
    if (epoch_copy == NULL || position_copy == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "a position of %zu bytes does not fit into a batch of %zu bytes",
                       position.length, batch->arena.capacity);
    }
    batch->epoch = (struct mr_slice){.bytes = epoch_copy, .length = epoch.length};
    batch->position = (struct mr_slice){.bytes = position_copy, .length = position.length};
    batch->native = native;
    return true;
}
