// SPDX-License-Identifier: MIT
/*
 * write.c - one table's work into the table: runs of inserts, reduced changes, truncation.
 *
 * A cursor walks the work list; each step takes a segment (same schema version, no TRUNCATE inside,
 * at most rows_max changed rows) and runs at most four statements for it:
 *
 *   keyed     FETCH   rows whose last image lacks cells, from the target
 *             DELETE  keys that the target may hold
 *             INSERT  last images
 *   keyless   DELETE  as many duplicates as the balance says
 *             INSERT  likewise
 *
 * All of them read the batches' chunks through millrace_rows(); nothing is copied before.
 */
#include <string.h>

#include "apply.h"
#include "cells.h"
#include "ddl.h"
#include "result.h"
#include "rows.h"

struct cursor {
    const struct mr_work *work; /* NULL: done */
    uint32_t offset;            /* rows of the event that are done */
};

struct segment {
    struct mr_apply *apply;
    struct mr_target *target;
    struct mr_reducer reducer;
    struct mr_row_run *runs; /* room for every entry, or every event */
    uint32_t run_count;
};

static bool fail_full(const struct mr_target *target, struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "changes of table \"%s\" do not fit the sink's memory",
                   target->label);
}

/* Runs a statement over the runs of the segment; they are empty afterwards. */
static bool run_statement(struct segment *segment, enum mr_target_statement which,
                          const uint32_t *counts, struct mr_error *err)
{
    struct mr_apply *apply = segment->apply;
    struct mr_target *target = segment->target;
    struct mr_rows_registry *rows = mr_warehouse_rows(apply->warehouse);
    const bool by_key = which != MR_TARGET_INSERT && target->shape->key_count > 0;
    const uint32_t slot = by_key ? target->key_slot : target->all_slot;
    const struct mr_row_list list = {segment->runs, segment->run_count, counts};
    uint64_t changed = 0;

    if (segment->run_count == 0) {
        return true;
    }
    duckdb_prepared_statement statement = mr_target_statement(apply->targets, target, which, err);
    if (statement == NULL) {
        return false;
    }
    mr_rows_set(rows, slot, &list);
    const bool done = mr_warehouse_run(apply->warehouse, statement, &changed, err);
    mr_rows_clear(rows, slot);
    segment->run_count = 0;
    if (!done) {
        return mr_error_context(err, "table \"%s\"", target->label);
    }
    if (which == MR_TARGET_INSERT) {
        target->rows_estimate += changed;
    } else {
        apply->deletes_total += changed;
        target->rows_estimate -= changed < target->rows_estimate ? changed : target->rows_estimate;
    }
    return true;
}

static bool same_segment(const struct mr_work *work, const struct mr_schema *schema)
{
    return work != NULL && work->event->kind != MR_EVENT_TRUNCATE && mr_work_schema(work) == schema;
}

static bool new_runs(struct segment *segment, uint32_t count, struct mr_error *err)
{
    segment->run_count = 0;
    segment->runs = mr_arena_alloc(&segment->apply->row_arena, count * sizeof(struct mr_row_run),
                                   _Alignof(struct mr_row_run));
    return segment->runs != NULL || fail_full(segment->target, err);
}

/* Inserts alone: every run of the segment in one statement. */
static bool write_inserts(struct segment *segment, struct cursor *cursor, struct mr_error *err)
{
    const struct mr_schema *schema = segment->target->shape;
    uint32_t event_count = 0;

    for (const struct mr_work *work = cursor->work; same_segment(work, schema); work = work->next) {
        event_count++;
    }
    if (!new_runs(segment, event_count, err)) {
        return false;
    }
    for (; same_segment(cursor->work, schema); cursor->work = cursor->work->next) {
        const struct mr_event *event = cursor->work->event;
        mr_row_run_add(segment->runs, &segment->run_count,
                       cursor->work->batch->chunks[event->chunk], event->row, event->count);
    }
    cursor->offset = 0;
    return run_statement(segment, MR_TARGET_INSERT, NULL, err);
}

static struct mr_row_ref row_of(const struct mr_batch *batch, uint16_t chunk, uint32_t row)
{
    if (chunk == MR_NO_CHUNK) {
        return (struct mr_row_ref){0};
    }
    MR_ASSERT(chunk < batch->chunk_count && row < batch->chunks[chunk]->row_count);
    return (struct mr_row_ref){.chunk = batch->chunks[chunk], .row = row};
}

/* Reduces at most row_count rows from the cursor on. */
static bool reduce_rows(struct segment *segment, struct cursor *cursor, uint32_t row_count,
                        struct mr_error *err)
{
    while (row_count > 0) {
        MR_ASSERT(cursor->work != NULL);
        const struct mr_work *work = cursor->work;
        const struct mr_event *event = work->event;
        const struct mr_row_change change = {
            .kind = (enum mr_event_kind)event->kind,
            .after = row_of(work->batch, event->chunk, event->row + cursor->offset),
            .before = row_of(work->batch, event->before_chunk, event->before_row + cursor->offset),
            .overlaps = work->overlaps,
        };
        if (!mr_reduce_add(&segment->reducer, &change, err)) {
            return false;
        }
        row_count--;
        if (++cursor->offset == event->count) {
            cursor->work = work->next;
            cursor->offset = 0;
        }
    }
    return true;
}

static uint32_t segment_rows(const struct cursor *cursor, const struct mr_schema *schema,
                             uint32_t rows_max)
{
    uint64_t rows = 0;
    for (const struct mr_work *work = cursor->work; rows < rows_max && same_segment(work, schema);
         work = work->next) {
        rows += work->event->count;
    }
    rows -= cursor->offset;
    return rows < rows_max ? (uint32_t)rows : rows_max;
}

/* One fetched row: puts it into a chunk and completes the entry with it. */
static bool complete_entry(struct segment *segment, struct mr_result *result,
                           struct mr_reduced *entry, struct mr_chunk **fetched,
                           struct mr_error *err)
{
    struct mr_arena *arena = &segment->apply->row_arena;
    struct mr_chunk *chunk = *fetched;

    if (chunk == NULL || chunk->row_count == chunk->capacity) {
        chunk = mr_chunk_new(arena, segment->target->shape, MR_IMAGE_FULL, MR_CHUNK_ROWS_MIN);
        if (chunk == NULL) {
            return fail_full(segment->target, err);
        }
        *fetched = chunk;
    }
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(result->chunk, i + 1u);
        if (!mr_cells_put(&chunk->columns[i], arena, chunk->row_count, vector, result->row)) {
            return fail_full(segment->target, err);
        }
    }
    const struct mr_row_ref older = {.chunk = chunk, .row = mr_chunk_end_row(chunk)};
    entry->origin = MR_REDUCE_NONE;
    return mr_reduce_merge(&segment->reducer, entry->last, older, &entry->last, err);
}

/* Completes the entries listed in `wanted` from the target; by their own key, or their origin's. */
static bool fetch_entries(struct segment *segment, const uint32_t *wanted, uint32_t count,
                          bool by_origin, struct mr_error *err)
{
    struct mr_target *target = segment->target;
    struct mr_rows_registry *rows = mr_warehouse_rows(segment->apply->warehouse);
    struct mr_reduced *entries = segment->reducer.entries;
    struct mr_result result = {0};
    struct mr_chunk *fetched = NULL;
    bool done = false;

    if (count == 0) {
        return true;
    }
    segment->run_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t index = by_origin ? entries[wanted[i]].origin : wanted[i];
        const struct mr_row_ref key = entries[index].key;
        mr_row_run_add(segment->runs, &segment->run_count, key.chunk, key.row, 1);
    }
    const struct mr_row_list list = {segment->runs, segment->run_count, NULL};
    duckdb_prepared_statement statement =
        mr_target_statement(segment->apply->targets, target, MR_TARGET_FETCH, err);
    if (statement == NULL) {
        return false;
    }
    mr_rows_set(rows, target->key_slot, &list);
    if (!mr_result_run(segment->apply->warehouse, statement, &result, err)) {
        goto out;
    }
    while (mr_result_next(&result)) {
        const uint32_t ord = mr_result_u32(&result, 0);
        MR_ASSERT(ord < count);
        if (!complete_entry(segment, &result, &entries[wanted[ord]], &fetched, err)) {
            goto out;
        }
    }
    done = true;

out:
    mr_rows_clear(rows, target->key_slot);
    segment->run_count = 0;
    mr_result_done(&result);
    return done || mr_error_context(err, "table \"%s\"", target->label);
}

static uint32_t list_incomplete(const struct mr_reducer *reducer, uint32_t *wanted)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < reducer->entry_count; i++) {
        if (reducer->entries[i].origin != MR_REDUCE_NONE) {
            MR_ASSERT(reducer->entries[i].last.chunk != NULL);
            wanted[count++] = i;
        }
    }
    return count;
}

/*
 * Reads from the target what the source did not send. A row that is not there is an error, unless
 * its table's copy was made after the change: then the row has been deleted since, or lives under
 * its later key, and a later change of this same stretch says so.
 */
static bool complete_from_target(struct segment *segment, struct mr_error *err)
{
    struct mr_reducer *reducer = &segment->reducer;
    uint32_t *wanted = MR_ARENA_NEW(&segment->apply->row_arena, uint32_t, reducer->entry_count);

    if (wanted == NULL) {
        return fail_full(segment->target, err);
    }
    uint32_t count = list_incomplete(reducer, wanted);
    if (!fetch_entries(segment, wanted, count, true, err)) {
        return false;
    }
    count = list_incomplete(reducer, wanted);
    for (uint32_t i = 0; i < count; i++) {
        if (!reducer->entries[wanted[i]].may_miss) {
            return mr_fail(
                err, MR_E_SINK, MR_STOP,
                "table \"%s\": the source sent a row without its unchanged large values, "
                "and the warehouse has no such row to take them from; copy the table, or "
                "set REPLICA IDENTITY FULL",
                segment->target->label);
        }
    }
    if (!fetch_entries(segment, wanted, count, false, err)) {
        return false;
    }
    count = list_incomplete(reducer, wanted);
    for (uint32_t i = 0; i < count; i++) {
        reducer->entries[wanted[i]].last = (struct mr_row_ref){0};
    }
    return true;
}

static bool write_keyed(struct segment *segment, struct mr_error *err)
{
    const struct mr_reducer *reducer = &segment->reducer;

    if (!complete_from_target(segment, err)) {
        return false;
    }
    for (uint32_t i = 0; i < reducer->entry_count; i++) {
        const struct mr_reduced *entry = &reducer->entries[i];
        if (entry->needs_delete) {
            mr_row_run_add(segment->runs, &segment->run_count, entry->key.chunk, entry->key.row, 1);
        }
    }
    if (!run_statement(segment, MR_TARGET_DELETE, NULL, err)) {
        return false;
    }
    for (uint32_t i = 0; i < reducer->entry_count; i++) {
        const struct mr_row_ref last = reducer->entries[i].last;
        if (last.chunk != NULL) {
            mr_row_run_add(segment->runs, &segment->run_count, last.chunk, last.row, 1);
        }
    }
    return run_statement(segment, MR_TARGET_INSERT, NULL, err);
}

/* A balance of 3 is three equal rows: runs of one row each, as many as it says. */
static bool write_keyless(struct segment *segment, struct mr_error *err)
{
    const struct mr_reducer *reducer = &segment->reducer;
    uint32_t *counts = MR_ARENA_NEW(&segment->apply->row_arena, uint32_t, reducer->entry_count);
    uint64_t added = 0;

    if (counts == NULL) {
        return fail_full(segment->target, err);
    }
    uint32_t removed = 0;
    for (uint32_t i = 0; i < reducer->entry_count; i++) {
        const struct mr_reduced *entry = &reducer->entries[i];
        if (entry->balance < 0) {
            counts[removed++] = (uint32_t)-entry->balance;
            mr_row_run_add(segment->runs, &segment->run_count, entry->key.chunk, entry->key.row, 1);
        } else {
            added += (uint32_t)entry->balance;
        }
    }
    if (!run_statement(segment, MR_TARGET_DELETE, counts, err)) {
        return false;
    }
    MR_ASSERT(added <= reducer->capacity);
    for (uint32_t i = 0; i < reducer->entry_count; i++) {
        const struct mr_reduced *entry = &reducer->entries[i];
        for (int32_t k = 0; k < entry->balance; k++) {
            mr_row_run_add(segment->runs, &segment->run_count, entry->key.chunk, entry->key.row, 1);
        }
    }
    return run_statement(segment, MR_TARGET_INSERT, NULL, err);
}

/*
 * Reduces and writes up to rows_max rows. A reduction that does not fit the arena is done again
 * with half the rows: nothing has touched the target by then.
 */
static bool write_changes(struct segment *segment, struct cursor *cursor, struct mr_error *err)
{
    struct mr_apply *apply = segment->apply;
    const struct mr_schema *schema = segment->target->shape;
    uint32_t rows = segment_rows(cursor, schema, apply->rows_max);
    struct cursor next = *cursor;

    for (;;) {
        next = *cursor;
        mr_arena_reset(&apply->row_arena);
        MR_ASSERT(rows > 0);
        if (mr_reduce_begin(&segment->reducer, &apply->row_arena, schema, rows, err) &&
            new_runs(segment, rows * 2, err) && reduce_rows(segment, &next, rows, err)) {
            break;
        }
        if (err->code != MR_E_LIMIT || rows == 1) {
            return mr_error_context(err, "table \"%s\"", segment->target->label);
        }
        rows /= 2;
    }
    *cursor = next;
    return schema->key_count > 0 ? write_keyed(segment, err) : write_keyless(segment, err);
}

static bool truncate(struct segment *segment, const struct mr_work *work, struct mr_error *err)
{
    struct mr_target *target = segment->target;
    struct mr_sql sql = {0};

    if (!mr_target_ensure(segment->apply->targets, target, mr_work_schema(work), work->overlaps,
                          err)) {
        return false;
    }
    mr_sql_add(&sql, "DELETE FROM ");
    mr_ddl_add_target(&sql, target->source, target->shape);
    const bool done = mr_warehouse_exec(segment->apply->warehouse, sql.text, err);
    mr_sql_done(&sql);
    target->rows_estimate = 0;
    return done || mr_error_context(err, "truncate \"%s\"", target->label);
}

bool mr_apply_write(struct mr_apply *apply, struct mr_target *target, struct mr_error *err)
{
    struct segment segment = {.apply = apply, .target = target};
    struct cursor cursor = {.work = target->first_work};

    MR_ASSERT(cursor.work != NULL && apply->rows_max > 0);
    while (cursor.work != NULL) {
        const struct mr_work *work = cursor.work;
        mr_arena_reset(&apply->row_arena);
        if (work->event->kind == MR_EVENT_TRUNCATE) {
            if (!truncate(&segment, work, err)) {
                return false;
            }
            cursor.work = work->next;
            continue;
        }
        if (!mr_target_ensure(apply->targets, target, mr_work_schema(work), work->overlaps, err)) {
            return false;
        }
        const bool written = target->has_changes ? write_changes(&segment, &cursor, err)
                                                 : write_inserts(&segment, &cursor, err);
        if (!written) {
            return false;
        }
    }
    return true;
}
