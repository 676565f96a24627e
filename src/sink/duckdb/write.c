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
 * When deletes hold too much of the engine's memory, a table's changes go into an overlay instead
 * (overlay.h), which is merged before the commit.
 *
 * All of them read the batches' chunks through millrace_rows(); nothing is copied before.
 */
#include <string.h>

#include "apply.h"
#include "cells.h"
#include "ddl.h"
#include "overlay.h"
#include "result.h"
#include "rows.h"

#define DELETES_TO_LOOK       UINT64_C(1000) /* 16 MiB at worst */
#define DELETES_FULL_PERCENT  40             /* of the engine's memory: the merge needs the rest */
#define SHORT_COUNT_TO_GATHER 3              /* the loader has made its groups smaller by then */
#define TRUNCATE_ROWS_MIN     UINT64_C(100000) /* more are faster to forget than to delete */

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
        target->has_deleted = target->has_deleted || changed > 0;
        apply->deletes_total += changed;
        target->deletes += changed;
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
static bool complete_entry(struct segment *segment, struct mr_result *result, uint16_t first,
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
        duckdb_vector vector = duckdb_data_chunk_get_vector(result->chunk, (idx_t)first + i);
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
        if (!complete_entry(segment, &result, 1, &entries[wanted[ord]], &fetched, err)) {
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

/* As fetch_entries(), from the overlay. The table is not to be asked for rows that are gone. */
static bool fetch_gathered(struct segment *segment, const uint32_t *wanted, uint32_t count,
                           bool by_origin, bool *is_gone, struct mr_error *err)
{
    struct mr_target *target = segment->target;
    struct mr_reduced *entries = segment->reducer.entries;
    struct mr_result result = {0};
    struct mr_chunk *fetched = NULL;
    bool done = false;

    segment->run_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t index = by_origin ? entries[wanted[i]].origin : wanted[i];
        const struct mr_row_ref key = entries[index].key;
        mr_row_run_add(segment->runs, &segment->run_count, key.chunk, key.row, 1);
    }
    const struct mr_row_list list = {segment->runs, segment->run_count, NULL};
    duckdb_prepared_statement statement = mr_overlay_fetch(segment->apply->targets, target, err);
    if (statement == NULL) {
        return false;
    }
    mr_rows_set(mr_warehouse_rows(segment->apply->warehouse), target->key_slot, &list);
    if (!mr_result_run(segment->apply->warehouse, statement, &result, err)) {
        goto out;
    }
    while (mr_result_next(&result)) {
        const uint32_t ord = mr_result_u32(&result, 0);
        MR_ASSERT(ord < count);
        if (is_gone[ord] || entries[wanted[ord]].origin == MR_REDUCE_NONE) {
            continue; /* an older image */
        }
        is_gone[ord] = mr_result_u64(&result, 1) == 0;
        if (!is_gone[ord] &&
            !complete_entry(segment, &result, 2, &entries[wanted[ord]], &fetched, err)) {
            goto out;
        }
    }
    done = true;

out:
    mr_rows_clear(mr_warehouse_rows(segment->apply->warehouse), target->key_slot);
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

/* Leaves in `wanted` what is to be looked for in the table. */
static bool fetch_from_overlay(struct segment *segment, uint32_t *wanted, uint32_t *count,
                               bool by_origin, struct mr_error *err)
{
    const struct mr_reduced *entries = segment->reducer.entries;
    bool *is_gone = mr_arena_alloc_zero(&segment->apply->row_arena, *count + 1, 1);
    uint32_t left = 0;

    if (is_gone == NULL) {
        return fail_full(segment->target, err);
    }
    if (*count > 0 && !fetch_gathered(segment, wanted, *count, by_origin, is_gone, err)) {
        return false;
    }
    for (uint32_t i = 0; i < *count; i++) {
        if (!is_gone[i] && entries[wanted[i]].origin != MR_REDUCE_NONE) {
            wanted[left++] = wanted[i];
        }
    }
    *count = left;
    return true;
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
    if (segment->target->overlay.step > 0 &&
        !fetch_from_overlay(segment, wanted, &count, true, err)) {
        return false;
    }
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
    if (segment->target->overlay.step > 0 &&
        !fetch_from_overlay(segment, wanted, &count, false, err)) {
        return false;
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

static void list_rows(struct segment *segment, bool gone)
{
    const struct mr_reducer *reducer = &segment->reducer;

    segment->run_count = 0;
    for (uint32_t i = 0; i < reducer->entry_count; i++) {
        const struct mr_reduced *entry = &reducer->entries[i];
        const struct mr_row_ref ref = gone ? entry->key : entry->last;
        const bool is_wanted =
            gone ? entry->last.chunk == NULL && entry->needs_delete : entry->last.chunk != NULL;
        if (is_wanted) {
            mr_row_run_add(segment->runs, &segment->run_count, ref.chunk, ref.row, 1);
        }
    }
}

/* The last images, and the keys that are gone, into the overlay. */
static bool gather_keyed(struct segment *segment, struct mr_error *err)
{
    struct mr_targets *targets = segment->apply->targets;
    struct mr_target *target = segment->target;

    mr_overlay_begin_step(target);
    list_rows(segment, false);
    const struct mr_row_list rows = {segment->runs, segment->run_count, NULL};
    if (rows.run_count > 0 && !mr_overlay_add_rows(targets, target, &rows, 1, err)) {
        return false;
    }
    list_rows(segment, true);
    const struct mr_row_list gone = {segment->runs, segment->run_count, NULL};
    segment->run_count = 0;
    return gone.run_count == 0 || mr_overlay_add_gone(targets, target, &gone, err);
}

static bool write_keyed(struct segment *segment, struct mr_error *err)
{
    const struct mr_reducer *reducer = &segment->reducer;

    if (!complete_from_target(segment, err)) {
        return false;
    }
    if (segment->target->overlay.is_open) {
        return gather_keyed(segment, err);
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

/* What is added, and what is taken away, into the overlay: each row with its count. */
static bool gather_keyless(struct segment *segment, uint32_t *counts, struct mr_error *err)
{
    const struct mr_reducer *reducer = &segment->reducer;

    mr_overlay_begin_step(segment->target);
    for (int sign = -1; sign <= 1; sign += 2) {
        uint32_t count = 0;
        segment->run_count = 0;
        for (uint32_t i = 0; i < reducer->entry_count; i++) {
            const struct mr_reduced *entry = &reducer->entries[i];
            if (entry->balance * sign > 0) {
                counts[count++] = (uint32_t)(entry->balance * sign);
                mr_row_run_add(segment->runs, &segment->run_count, entry->key.chunk, entry->key.row,
                               1);
            }
        }
        const struct mr_row_list list = {segment->runs, segment->run_count, counts};
        segment->run_count = 0;
        if (count > 0 &&
            !mr_overlay_add_rows(segment->apply->targets, segment->target, &list, sign, err)) {
            return false;
        }
    }
    return true;
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
    if (segment->target->overlay.is_open) {
        return gather_keyless(segment, counts, err);
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

/* Looks at what deletes hold, now and then: only they stay in memory for sure. */
static bool look_at_memory(struct mr_apply *apply, struct mr_error *err)
{
    struct mr_result result = {0};

    if (apply->deletes_fill_the_memory ||
        apply->deletes_total - apply->deletes_looked < DELETES_TO_LOOK) {
        return true;
    }
    apply->deletes_looked = apply->deletes_total;
    if (!mr_result_query(apply->warehouse,
                         "SELECT coalesce(sum(memory_usage_bytes), 0)::UBIGINT "
                         "FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'",
                         &result, err)) {
        return mr_error_context(err, "look at the engine's memory");
    }
    if (mr_result_next(&result)) {
        const uint64_t held = mr_result_u64(&result, 0);
        const uint64_t most = apply->memory_bytes / 100 * DELETES_FULL_PERCENT;
        apply->deletes_fill_the_memory = held >= apply->committed_bytes + most;
    }
    mr_result_done(&result);
    return true;
}

/* Before a table's next changes: from now on beside the table, when deleting takes too much. */
static bool choose_way(struct segment *segment, uint32_t rows, struct mr_error *err)
{
    struct mr_apply *apply = segment->apply;
    struct mr_target *target = segment->target;

    if (target->overlay.is_open) {
        return true;
    }
    if (!look_at_memory(apply, err)) {
        return false;
    }
    const bool is_short =
        apply->deletes_fill_the_memory || apply->short_count >= SHORT_COUNT_TO_GATHER;
    const bool is_much = target->deletes + rows >= DELETES_TO_LOOK;
    if (!(is_short && is_much) && !apply->always_gathers) {
        return true;
    }
    return mr_overlay_open(apply->targets, target, err);
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
    if (!choose_way(segment, rows, err)) {
        return false;
    }
    return schema->key_count > 0 ? write_keyed(segment, err) : write_keyless(segment, err);
}

/* A row that is deleted costs memory (overlay.h): many are forgotten with their table instead. */
static void truncate_sql(const struct mr_target *target, struct mr_sql *sql)
{
    const bool is_large = target->rows_estimate >= TRUNCATE_ROWS_MIN || target->overlay.is_open;
    mr_sql_add(sql, is_large ? "CREATE OR REPLACE TABLE " : "DELETE FROM ");
    mr_ddl_add_target(sql, target->source, target->shape);
    if (is_large) {
        mr_sql_add(sql, " AS SELECT * FROM ");
        mr_ddl_add_target(sql, target->source, target->shape);
        mr_sql_add(sql, " LIMIT 0");
    }
}

/* The transaction that a work item is of; 0: a copy's. */
static uint64_t sequence_of(const struct mr_work *work)
{
    const struct mr_batch *batch = work->batch;
    const uint32_t index = (uint32_t)(work->event - batch->events);
    uint32_t i = 0;
    if (batch->transaction_count == 0) {
        return 0;
    }
    while (i + 1 < batch->transaction_count && batch->transactions[i + 1].first_event <= index) {
        i++;
    }
    return batch->first_sequence + i;
}

static bool ensure(struct segment *segment, const struct mr_work *work, struct mr_error *err)
{
    struct mr_apply *apply = segment->apply;
    return mr_target_ensure(apply->targets, segment->target, mr_work_schema(work), work->overlaps,
                            err) ||
           mr_apply_set_aside(apply, segment->target, sequence_of(work), err);
}

static bool truncate(struct segment *segment, const struct mr_work *work, struct mr_error *err)
{
    struct mr_target *target = segment->target;
    struct mr_sql sql = {0};

    if (!ensure(segment, work, err)) {
        return false;
    }
    target->has_deleted = true;
    target->provisional = true; /* it may be another table from here on */
    truncate_sql(target, &sql);
    const bool done = mr_warehouse_exec(segment->apply->warehouse, sql.text, err);
    mr_sql_done(&sql);
    target->rows_estimate = 0;
    if (done && target->overlay.is_open) {
        return mr_overlay_clear(segment->apply->targets, target, err);
    }
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
        if (target->overlay.is_open && target->shape != mr_work_schema(work) &&
            !mr_overlay_merge(apply->targets, target, err)) {
            return false;
        }
        if (work->event->kind == MR_EVENT_TRUNCATE) {
            if (!truncate(&segment, work, err)) {
                return false;
            }
            cursor.work = work->next;
            continue;
        }
        if (!ensure(&segment, work, err)) {
            return false;
        }
        const bool changes = target->has_changes || target->overlay.is_open;
        const bool written =
            changes ? write_changes(&segment, &cursor, err) : write_inserts(&segment, &cursor, err);
        if (!written) {
            return false;
        }
    }
    return true;
}

bool mr_apply_finish(struct mr_apply *apply, struct mr_error *err)
{
    for (struct mr_target *target = apply->targets->all; target != NULL; target = target->next) {
        if (target->overlay.is_open && !mr_overlay_merge(apply->targets, target, err)) {
            return false;
        }
    }
    return true;
}
