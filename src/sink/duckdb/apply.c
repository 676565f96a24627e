// SPDX-License-Identifier: MIT
/*
 * apply.c - which events of a batch count, and for which table: the part of applying that knows
 * transactions, sequences and snapshot marks. Writing is write.c's.
 *
 * Which events count
 *   - transactions at or below the committed sequence are skipped: the target has them;
 *   - a transaction that ends at or before a table's high mark overlaps the table's copy: with a
 *     key its changes are applied as upserts, which converges; an exact copy holds them already.
 */
#include "apply.h"

#include <stdio.h>
#include <string.h>

#include "beside.h"
#include "cells.h"
#include "follow.h"

static bool is_known(struct mr_native_position position)
{
    return position.major != 0 || position.minor != 0;
}

struct mr_target *mr_apply_target(struct mr_apply *apply, uint16_t source_index,
                                  const struct mr_schema *schema, struct mr_error *err)
{
    struct mr_target *target = mr_target_find(apply->targets, source_index, schema, err);
    if (target == NULL || target->mark_is_known) {
        return target;
    }
    const struct mr_state_copy *copy = mr_state_find_copy(apply->state, source_index, schema);
    target->has_mark = copy != NULL && copy->finished;
    target->high = target->has_mark ? copy->mark.high : (struct mr_native_position){0};
    target->exact = target->has_mark && copy->mark.exact;
    const struct mr_apart *apart =
        mr_aparts_find(apply->aparts, source_index, schema, MR_APART_TABLE);
    target->is_apart = apart != NULL && apart->state != MR_APART_JOINED;
    target->mark_is_known = true;
    return target;
}

/* The target of a follower's pass: its own for its table, nobody for the others. */
static struct mr_target *target_of_follower(struct mr_apply *apply, uint16_t source_index,
                                            const struct mr_schema *schema, struct mr_error *err)
{
    struct mr_apart *follower = apply->follower;
    if (source_index != follower->source_index || strcmp(schema->table, follower->table) != 0 ||
        strcmp(schema->space, follower->space) != 0) {
        return &apply->nobody;
    }
    return follower->what == MR_APART_COPY ? mr_beside_target(apply->targets, follower, schema)
                                           : mr_apply_target(apply, source_index, schema, err);
}

/* Where a table's changes go in this pass; `nobody` when it leaves them out. */
static struct mr_target *target_of_table(struct mr_apply *apply, const struct mr_batch *batch,
                                         const struct mr_schema *schema, struct mr_error *err)
{
    if (batch->snapshot_table > 0) {
        return batch->snapshot_beside ? mr_duckdb_copy_target(apply, batch->source_index, schema)
                                      : mr_apply_target(apply, batch->source_index, schema, err);
    }
    if (apply->follower != NULL) {
        return target_of_follower(apply, batch->source_index, schema, err);
    }
    struct mr_target *target = mr_apply_target(apply, batch->source_index, schema, err);
    return target != NULL && target->is_apart ? &apply->nobody : target;
}

struct mr_target *mr_apply_note_target(struct mr_apply *apply, const struct mr_batch *batch,
                                       const struct mr_schema *schema, struct mr_error *err)
{
    return target_of_table(apply, batch, schema, err);
}

/* The target of a chunk's table; the first look at a chunk also checks its text. */
static struct mr_target *target_of_chunk(struct mr_apply *apply, const struct mr_batch *batch,
                                         struct mr_target **by_chunk, uint16_t index,
                                         struct mr_error *err)
{
    MR_ASSERT(index < batch->chunk_count);
    if (MR_LIKELY(by_chunk[index] != NULL)) {
        return by_chunk[index];
    }
    const struct mr_chunk *chunk = batch->chunks[index];
    struct mr_target *target = target_of_table(apply, batch, chunk->schema, err);
    if (target == NULL ||
        (target != &apply->nobody && !mr_cells_check_text(chunk, target->label, err))) {
        return NULL;
    }
    by_chunk[index] = target;
    return target;
}

static struct mr_target *target_of_event(struct mr_apply *apply, const struct mr_batch *batch,
                                         struct mr_target **by_chunk, const struct mr_event *event,
                                         struct mr_error *err)
{
    if (event->kind == MR_EVENT_TRUNCATE) {
        MR_ASSERT(event->chunk < batch->truncated_count);
        return target_of_table(apply, batch, batch->truncated[event->chunk], err);
    }
    if (event->chunk != MR_NO_CHUNK && event->before_chunk != MR_NO_CHUNK &&
        target_of_chunk(apply, batch, by_chunk, event->before_chunk, err) == NULL) {
        return NULL;
    }
    const uint16_t index = event->chunk != MR_NO_CHUNK ? event->chunk : event->before_chunk;
    return target_of_chunk(apply, batch, by_chunk, index, err);
}

enum overlap { OVERLAP_NONE, OVERLAP_UPSERT, OVERLAP_DROP };

/* How a transaction that ends at `end` (zero: not known yet) meets the copy of a table. */
static enum overlap overlap_of(struct mr_progress *progress, const struct mr_target *target,
                               uint64_t sequence, struct mr_native_position end)
{
    if (!target->has_mark) {
        return OVERLAP_NONE;
    }
    if (is_known(end)) {
        const bool is_after = mr_native_position_compare(end, target->high) > 0;
        return is_after ? OVERLAP_NONE : target->exact ? OVERLAP_DROP : OVERLAP_UPSERT;
    }
    if (mr_native_position_compare(progress->pending.place.native, target->high) >= 0) {
        return OVERLAP_NONE; /* it ends after what came before it */
    }
    if (!target->exact) {
        return OVERLAP_UPSERT;
    }
    progress->guess_sequence = sequence;
    if (mr_native_position_compare(target->high, progress->guess_high) > 0) {
        progress->guess_high = target->high;
    }
    return OVERLAP_NONE;
}

/* What this pass moves along: the source, or one table that goes its own way. */
static struct mr_progress *progress_of(const struct mr_apply *apply, const struct mr_batch *batch)
{
    return apply->follower != NULL ? &apply->follower->progress
                                   : &apply->progress[batch->source_index];
}

static bool fail_full(struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "too many events at once for the sink's memory");
}

static void add_work(struct mr_apply *apply, struct mr_target *target, struct mr_work *work)
{
    const struct mr_event *event = work->event;
    const bool is_insert = event->kind == MR_EVENT_INSERT || event->kind == MR_EVENT_READ;

    if (target->first_work == NULL) {
        target->first_work = work;
        target->has_changes = false;
        target->next_touched = NULL;
        if (apply->last_touched == NULL) {
            apply->first_touched = target;
        } else {
            apply->last_touched->next_touched = target;
        }
        apply->last_touched = target;
    } else {
        target->last_work->next = work;
    }
    target->last_work = work;
    if (event->kind == MR_EVENT_TRUNCATE) {
        return;
    }
    apply->rows_total += event->count;
    if (!is_insert || work->overlaps ||
        mr_reduce_chunk_lacks_cells(work->batch->chunks[event->chunk])) {
        target->has_changes = true;
    }
}

/* The event is of a table that was set aside. */
static bool is_passed_over(const struct mr_apply *apply, const struct mr_batch *batch,
                           const struct mr_event *event, uint64_t sequence)
{
    if (MR_LIKELY(apply->quarantine->all == NULL) ||
        (apply->follower != NULL && apply->follower->what == MR_APART_COPY)) {
        return false; /* a copy is what cures it */
    }
    const struct mr_schema *schema = mr_batch_event_schema(batch, event);
    return schema != NULL &&
           mr_quarantine_holds(apply->quarantine, batch->source_index, schema, sequence);
}

static enum overlap overlap_of_copied(const struct mr_batch *batch)
{
    return batch->snapshot_again ? OVERLAP_UPSERT : OVERLAP_NONE;
}

/* Collects the events first .. first + count of a transaction (or of a snapshot batch). */
static bool collect_events(struct mr_apply *apply, const struct mr_batch *batch,
                           struct mr_target **by_chunk, const struct mr_transaction *transaction,
                           uint64_t sequence, struct mr_error *err)
{
    struct mr_progress *progress = progress_of(apply, batch);
    struct mr_native_position end = transaction->end;

    if (!is_known(end) && progress->known_sequence == sequence) {
        end = progress->known_end;
    }
    MR_ASSERT(transaction->first_event + transaction->event_count <= batch->event_count);
    for (uint32_t i = 0; i < transaction->event_count; i++) {
        const struct mr_event *event = &batch->events[transaction->first_event + i];
        if (is_passed_over(apply, batch, event, sequence)) {
            continue;
        }
        if (event->kind == MR_EVENT_NOTE) {
            const struct mr_apply_place place = {
                .sequence = sequence,
                .end = end,
                .opens = i == 0 && progress->open_sequence == 0,
            };
            if (!mr_apply_note(apply, batch, event, &place, err)) {
                return false;
            }
            continue;
        }
        struct mr_target *target = target_of_event(apply, batch, by_chunk, event, err);
        if (target == NULL) {
            return false;
        }
        if (target == &apply->nobody) {
            continue;
        }
        const enum overlap overlap =
            sequence == 0 ? overlap_of_copied(batch) : overlap_of(progress, target, sequence, end);
        if (overlap == OVERLAP_DROP) {
            continue;
        }
        struct mr_work *work = MR_ARENA_NEW(&apply->work_arena, struct mr_work, 1);
        if (work == NULL) {
            return fail_full(err);
        }
        work->event = event;
        work->batch = batch;
        work->schema = mr_target_schema(target, mr_event_schema(batch, event));
        work->overlaps = overlap == OVERLAP_UPSERT;
        add_work(apply, target, work);
    }
    return true;
}

static void copy_text(char *to, size_t size, struct mr_slice from)
{
    const size_t length = from.length < size ? from.length : 0; /* too long: left out */
    if (length > 0) {
        memcpy(to, from.bytes, length);
    }
    to[length] = '\0';
}

/* A transaction ended: the position moves over it. */
static bool end_transaction(struct mr_progress *progress, const struct mr_transaction *transaction,
                            uint64_t sequence, struct mr_error *err)
{
    if (progress->guess_sequence == sequence &&
        mr_native_position_compare(transaction->end, progress->guess_high) <= 0) {
        progress->known_sequence = sequence;
        progress->known_end = transaction->end;
        return mr_fail(err, MR_E_SINK, MR_RETRY,
                       "a large transaction turned out to lie before the end of a table's copy; "
                       "it is read again");
    }
    progress->pending.place.sequence = sequence;
    progress->pending.place.native = transaction->end;
    progress->pending.committed_us = transaction->commit_us;
    progress->open_sequence = 0;
    progress->guess_sequence = 0;
    progress->guess_high = (struct mr_native_position){0};
    progress->moved = true;
    return true;
}

static bool check_order(const struct mr_apply *apply, const struct mr_batch *batch,
                        uint64_t sequence, struct mr_error *err)
{
    const struct mr_progress *progress = progress_of(apply, batch);
    const uint64_t last = progress->pending.place.sequence;

    if (last != 0 && sequence > last + 1) {
        return mr_fail(err, MR_E_SINK, MR_STOP,
                       "source \"%s\": transaction %llu follows %llu; what lies between is missing",
                       apply->targets->source_names[batch->source_index],
                       (unsigned long long)sequence, (unsigned long long)last);
    }
    return true;
}

static bool collect_transactions(struct mr_apply *apply, const struct mr_batch *batch,
                                 struct mr_target **by_chunk, struct mr_error *err)
{
    struct mr_progress *progress = progress_of(apply, batch);

    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        const uint64_t sequence = batch->first_sequence + i;
        const bool is_open = batch->continued && i + 1 == batch->transaction_count;
        if (sequence <= progress->pending.place.sequence) {
            continue;
        }
        if (!check_order(apply, batch, sequence, err) ||
            !mr_quarantine_write(apply->quarantine, batch->source_index, sequence,
                                 progress->pending.text, err) ||
            !collect_events(apply, batch, by_chunk, transaction, sequence, err)) {
            return false;
        }
        if (is_open) {
            progress->open_sequence = sequence;
        } else if (!end_transaction(progress, transaction, sequence, err)) {
            return false;
        }
    }
    if (progress->moved && batch->position.length > 0) {
        copy_text(progress->pending.text, sizeof(progress->pending.text), batch->position);
        copy_text(progress->pending.epoch, sizeof(progress->pending.epoch), batch->epoch);
    }
    return true;
}

static bool collect_batch(struct mr_apply *apply, const struct mr_batch *batch,
                          struct mr_error *err)
{
    struct mr_target **by_chunk =
        MR_ARENA_NEW(&apply->work_arena, struct mr_target *, batch->chunk_count + 1);

    if (by_chunk == NULL) {
        return fail_full(err);
    }
    MR_ASSERT(!batch->aborts); /* the stream shows no aborts (stream.h, 2) */
    if (batch->transaction_count > 0) {
        MR_ASSERT(batch->first_sequence > 0);
        return collect_transactions(apply, batch, by_chunk, err);
    }
    const struct mr_transaction all = {.event_count = batch->event_count};
    MR_ASSERT(batch->event_count == 0 || batch->snapshot_table > 0);
    return collect_events(apply, batch, by_chunk, &all, 0, err);
}

/* Writes the tables' work, or only forgets it. */
static bool write_touched(struct mr_apply *apply, bool is_wanted, struct mr_error *err)
{
    bool applied = is_wanted;

    while (apply->first_touched != NULL) {
        struct mr_target *target = apply->first_touched;
        if (applied) {
            applied = target->gone != NULL && apply->follower != NULL
                          ? mr_beside_strike(apply, target, err)
                          : mr_apply_write(apply, target, err);
        }
        apply->first_touched = target->next_touched;
        target->next_touched = NULL;
        target->first_work = NULL;
        target->last_work = NULL;
    }
    apply->last_touched = NULL;
    return applied;
}

bool mr_apply_flush(struct mr_apply *apply, struct mr_error *err)
{
    return write_touched(apply, true, err);
}

bool mr_apply_batches(struct mr_apply *apply, struct mr_batch *const *batches, uint32_t count,
                      struct mr_error *err)
{
    MR_ASSERT(apply->first_touched == NULL);
    mr_arena_reset(&apply->work_arena);
    for (uint32_t i = 0; i < count; i++) {
        if (!collect_batch(apply, batches[i], err)) {
            (void)write_touched(apply, false, err);
            return false;
        }
    }
    return mr_apply_flush(apply, err);
}
