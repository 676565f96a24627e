// SPDX-License-Identifier: MIT
/*
 * reduce.c - a hash table of keys over rows that stay where they are, in the batches' chunks.
 *
 * Open addressing with linear probing; the table has at least twice as many buckets as entries.
 */
#include "reduce.h"

#include <string.h>

#define HASH_SEED  UINT64_C(0x9E3779B97F4A7C15)
#define HASH_PRIME UINT64_C(0xD6E8FEB86659FD93)

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_PRIME;
    return hash ^ hash >> 32;
}

static uint64_t mix_bytes(uint64_t hash, struct mr_slice bytes)
{
    const uint8_t *from = bytes.bytes;
    size_t left = bytes.length;

    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), from += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, from, sizeof(word));
        hash = mix(hash, word);
    }
    uint64_t tail = 0;
    if (left > 0) {
        memcpy(&tail, from, left);
    }
    return mix(hash, tail ^ (uint64_t)bytes.length << 56);
}

/* What identifies a row: its key, or all of it. */
static uint16_t identity_count(const struct mr_reducer *reducer)
{
    const struct mr_schema *schema = reducer->schema;
    return schema->key_count > 0 ? schema->key_count : schema->column_count;
}

static const struct mr_column_chunk *identity_column(const struct mr_reducer *reducer,
                                                     const struct mr_chunk *chunk, uint16_t i)
{
    const bool is_key_of_full = reducer->schema->key_count > 0 && chunk->image == MR_IMAGE_FULL;
    return &chunk->columns[is_key_of_full ? reducer->schema->key[i] : i];
}

static uint32_t hash_row(const struct mr_reducer *reducer, struct mr_row_ref ref)
{
    uint64_t hash = HASH_SEED;
    for (uint16_t i = 0; i < identity_count(reducer); i++) {
        const struct mr_column_chunk *column = identity_column(reducer, ref.chunk, i);
        hash = mr_bit(column->valid, ref.row) ? mix_bytes(hash, mr_cell(column, ref.row))
                                              : mix(hash, HASH_SEED);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static bool rows_equal(const struct mr_reducer *reducer, struct mr_row_ref left,
                       struct mr_row_ref right)
{
    for (uint16_t i = 0; i < identity_count(reducer); i++) {
        const struct mr_column_chunk *a = identity_column(reducer, left.chunk, i);
        const struct mr_column_chunk *b = identity_column(reducer, right.chunk, i);
        const bool is_valid = mr_bit(a->valid, left.row);
        if (is_valid != mr_bit(b->valid, right.row)) {
            return false;
        }
        if (is_valid && !mr_slice_equals(mr_cell(a, left.row), mr_cell(b, right.row))) {
            return false;
        }
    }
    return true;
}

bool mr_reduce_begin(struct mr_reducer *reducer, struct mr_arena *arena,
                     const struct mr_schema *schema, uint32_t row_count_max, struct mr_error *err)
{
    const uint32_t capacity = row_count_max * 2; /* a changed key touches two */
    uint32_t buckets = 16;

    MR_ASSERT(row_count_max > 0 && row_count_max < UINT32_MAX / 8);
    while (buckets < capacity * 2) {
        buckets *= 2;
    }
    *reducer = (struct mr_reducer){
        .arena = arena,
        .schema = schema,
        .table = schema->table,
        .capacity = capacity,
        .bucket_mask = buckets - 1,
        .entries =
            mr_arena_alloc(arena, capacity * sizeof(struct mr_reduced), _Alignof(max_align_t)),
        .buckets = mr_arena_alloc_zero(arena, buckets * sizeof(uint32_t), _Alignof(uint32_t)),
    };
    if (reducer->entries == NULL || reducer->buckets == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "%u changed rows do not fit the sink's memory",
                       row_count_max);
    }
    return true;
}

/* The entry of the row's key; made when new. */
static uint32_t find_or_add(struct mr_reducer *reducer, struct mr_row_ref ref, bool *is_new)
{
    const uint32_t hash = hash_row(reducer, ref);
    uint32_t bucket = hash & reducer->bucket_mask;

    for (;; bucket = (bucket + 1) & reducer->bucket_mask) {
        const uint32_t found = reducer->buckets[bucket];
        if (found == 0) {
            break;
        }
        const struct mr_reduced *entry = &reducer->entries[found - 1];
        if (entry->hash == hash && rows_equal(reducer, entry->key, ref)) {
            *is_new = false;
            return found - 1;
        }
    }
    MR_ASSERT(reducer->entry_count < reducer->capacity);
    const uint32_t index = reducer->entry_count++;
    reducer->entries[index] =
        (struct mr_reduced){.key = ref, .hash = hash, .origin = MR_REDUCE_NONE};
    reducer->buckets[bucket] = index + 1;
    *is_new = true;
    return index;
}

bool mr_reduce_chunk_lacks_cells(const struct mr_chunk *chunk)
{
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        if (chunk->columns[i].unchanged != NULL || chunk->columns[i].absent != NULL) {
            return true;
        }
    }
    return false;
}

static bool lacks_cell(const struct mr_column_chunk *column, uint32_t row)
{
    const enum mr_cell_state state = mr_cell_state(column, row);
    return state == MR_CELL_UNCHANGED || state == MR_CELL_ABSENT;
}

bool mr_reduce_row_lacks_cells(struct mr_row_ref ref)
{
    for (uint16_t i = 0; i < ref.chunk->column_count; i++) {
        if (lacks_cell(&ref.chunk->columns[i], ref.row)) {
            return true;
        }
    }
    return false;
}

static bool fail_full(const struct mr_reducer *reducer, struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "changes of table \"%s\" do not fit the sink's memory",
                   reducer->table);
}

/* Room for one more merged row. */
static struct mr_chunk *merge_chunk(struct mr_reducer *reducer)
{
    struct mr_chunk *chunk = reducer->merged;
    if (chunk == NULL || chunk->row_count == MR_CHUNK_ROWS_MAX) {
        chunk = mr_chunk_new(reducer->arena, reducer->schema, MR_IMAGE_FULL, MR_CHUNK_ROWS_MIN);
        reducer->merged = chunk;
    } else if (chunk->row_count == chunk->capacity && !mr_chunk_grow(chunk, reducer->arena)) {
        return NULL;
    }
    return chunk;
}

static bool merge_cell(struct mr_reducer *reducer, struct mr_chunk *chunk, uint16_t i,
                       struct mr_row_ref from)
{
    struct mr_column_chunk *to = &chunk->columns[i];
    const struct mr_column_chunk *column = &from.chunk->columns[i];
    const enum mr_cell_state state = mr_cell_state(column, from.row);
    const uint32_t row = chunk->row_count;

    switch (state) {
    case MR_CELL_VALUE:
        break;
    case MR_CELL_NULL:
        mr_put_null(to, row);
        return true;
    case MR_CELL_UNCHANGED:
    case MR_CELL_ABSENT:
        return mr_put_state(to, reducer->arena, row, chunk->capacity, state);
    }
    const struct mr_slice value = mr_cell(column, from.row);
    if (to->width == 0) {
        return mr_put_bytes(to, reducer->arena, row, value.bytes, value.length);
    }
    MR_ASSERT(to->width == value.length);
    memcpy(to->values + (size_t)row * to->width, value.bytes, value.length);
    mr_put_valid(to, row);
    return true;
}

bool mr_reduce_merge(struct mr_reducer *reducer, struct mr_row_ref newer, struct mr_row_ref older,
                     struct mr_row_ref *merged, struct mr_error *err)
{
    struct mr_chunk *chunk = merge_chunk(reducer);

    MR_ASSERT(newer.chunk->image == MR_IMAGE_FULL && older.chunk->image == MR_IMAGE_FULL);
    if (chunk == NULL) {
        return fail_full(reducer, err);
    }
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        const bool is_lacking = lacks_cell(&newer.chunk->columns[i], newer.row);
        if (!merge_cell(reducer, chunk, i, is_lacking ? older : newer)) {
            return fail_full(reducer, err);
        }
    }
    *merged = (struct mr_row_ref){.chunk = chunk, .row = mr_chunk_end_row(chunk)};
    return true;
}

/*
 * Makes `change->after` the entry's last image. `old` is the entry of the row before the change:
 * the same one, or that of the old key.
 */
static bool set_last(struct mr_reducer *reducer, uint32_t index, uint32_t old,
                     const struct mr_row_change *change, struct mr_error *err)
{
    struct mr_reduced *entry = &reducer->entries[index];
    const struct mr_reduced *former = &reducer->entries[old];
    struct mr_row_ref last = change->after;
    uint32_t origin = MR_REDUCE_NONE;

    if (MR_UNLIKELY(mr_reduce_row_lacks_cells(last))) {
        const bool has_full_before =
            change->before.chunk != NULL && change->before.chunk->image == MR_IMAGE_FULL;
        if (change->kind != MR_EVENT_UPDATE) {
            return mr_fail(err, MR_E_SINK, MR_STOP,
                           "table \"%s\": an inserted row lacks cells; the source must send whole "
                           "rows",
                           reducer->table);
        }
        if (has_full_before && !mr_reduce_merge(reducer, last, change->before, &last, err)) {
            return false;
        }
        if (former->last.chunk != NULL && mr_reduce_row_lacks_cells(last) &&
            !mr_reduce_merge(reducer, last, former->last, &last, err)) {
            return false;
        }
        if (mr_reduce_row_lacks_cells(last)) {
            origin = former->origin != MR_REDUCE_NONE ? former->origin : old;
        }
    }
    entry->last = last;
    entry->origin = origin;
    entry->may_miss = change->overlaps;
    return true;
}

static bool add_keyed(struct mr_reducer *reducer, const struct mr_row_change *change,
                      struct mr_error *err)
{
    bool is_new = false;

    if (change->kind == MR_EVENT_INSERT || change->kind == MR_EVENT_READ) {
        const uint32_t index = find_or_add(reducer, change->after, &is_new);
        if (is_new) {
            reducer->entries[index].needs_delete = change->overlaps;
        }
        return set_last(reducer, index, index, change, err);
    }
    const bool has_before = change->before.chunk != NULL;
    const uint32_t old = find_or_add(reducer, has_before ? change->before : change->after, &is_new);
    if (is_new) {
        reducer->entries[old].needs_delete = true;
    }
    if (change->kind == MR_EVENT_DELETE) {
        reducer->entries[old].last = (struct mr_row_ref){0};
        reducer->entries[old].origin = MR_REDUCE_NONE;
        return true;
    }
    MR_ASSERT(change->kind == MR_EVENT_UPDATE);
    const uint32_t index = has_before ? find_or_add(reducer, change->after, &is_new) : old;
    if (is_new && index != old) {
        reducer->entries[index].needs_delete = true;
    }
    if (!set_last(reducer, index, old, change, err)) {
        return false;
    }
    if (index != old) {
        reducer->entries[old].last = (struct mr_row_ref){0};
        reducer->entries[old].origin = MR_REDUCE_NONE;
    }
    return true;
}

/* Without a key: the old row goes, the new one comes; equal rows cancel out. */
static bool add_keyless(struct mr_reducer *reducer, const struct mr_row_change *change,
                        struct mr_error *err)
{
    struct mr_row_ref after = change->after;
    bool is_new = false;

    if (change->before.chunk != NULL) {
        if (change->before.chunk->image != MR_IMAGE_FULL ||
            mr_reduce_row_lacks_cells(change->before)) {
            return mr_fail(err, MR_E_SINK, MR_STOP,
                           "table \"%s\" has no key and the source sent only a part of the old "
                           "row; have it send whole rows (REPLICA IDENTITY FULL, "
                           "binlog_row_image=FULL)",
                           reducer->table);
        }
        reducer->entries[find_or_add(reducer, change->before, &is_new)].balance--;
    }
    if (after.chunk == NULL) {
        return true;
    }
    if (mr_reduce_row_lacks_cells(after)) {
        if (change->before.chunk == NULL) {
            return mr_fail(err, MR_E_SINK, MR_STOP, "table \"%s\": an inserted row lacks cells",
                           reducer->table);
        }
        if (!mr_reduce_merge(reducer, after, change->before, &after, err)) {
            return false;
        }
    }
    reducer->entries[find_or_add(reducer, after, &is_new)].balance++;
    return true;
}

bool mr_reduce_add(struct mr_reducer *reducer, const struct mr_row_change *change,
                   struct mr_error *err)
{
    const bool has_after = change->after.chunk != NULL;
    const bool has_before = change->before.chunk != NULL;

    MR_ASSERT(change->kind != MR_EVENT_TRUNCATE && change->kind != MR_EVENT_NOTE);
    MR_ASSERT(has_after == (change->kind != MR_EVENT_DELETE));
    if (change->kind == MR_EVENT_DELETE && !has_before) {
        return mr_fail(err, MR_E_SINK, MR_STOP, "table \"%s\": a delete without its old row",
                       reducer->table);
    }
    if (reducer->schema->key_count > 0) {
        return add_keyed(reducer, change, err);
    }
    if (change->kind == MR_EVENT_UPDATE && !has_before) {
        return mr_fail(err, MR_E_SINK, MR_STOP,
                       "table \"%s\" has no key and an update without its old row", reducer->table);
    }
    return add_keyless(reducer, change, err);
}
