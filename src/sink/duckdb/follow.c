// SPDX-License-Identifier: MIT
/*
 * follow.c - see follow.h and apart.h.
 *
 * A table that is apart is skipped by the stream's own pass over the batches; what it misses is
 * read again for it alone, from where it stands up to where the stream is, and there it joins. A
 * copy beside goes that way too, and then takes its table's place: people who read the table see it
 * as it was, going with the stream, and from one commit to the next the new one.
 *
 * Failure: whatever fails between here and a commit is rolled back, and what the warehouse holds is
 * read again before anything else (outcome_is_unknown): entries never run ahead of it.
 */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "ddl.h"
#include "memory.h"

static bool fail(struct mr_sink *sink, struct mr_error *err)
{
    sink->outcome_is_unknown = true;
    return mr_duckdb_fail(sink, err);
}

/* The main target of a table looks its state up again. */
static void look_again(struct mr_sink *sink, const struct mr_apart *entry)
{
    for (struct mr_target *target = sink->targets.all; target != NULL; target = target->next) {
        if (target->source_index == entry->source_index && target->beside == NULL &&
            strcmp(target->space, entry->space) == 0 && strcmp(target->table, entry->table) == 0) {
            target->mark_is_known = false;
        }
    }
}

/* ---- Copies. ---- */

static bool is_same_text(const char *left, const char *right)
{
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

/* Whether an unfinished copy goes on as it was begun. */
static bool goes_on(const struct mr_sink *sink, const struct mr_apart *entry,
                    const struct mr_schema *schema, const struct mr_copy_request *request)
{
    if (entry->state != MR_APART_COPYING || !is_same_text(entry->copy, request->id) ||
        !is_same_text(entry->plan, request->plan)) {
        return false;
    }
    const struct mr_state_copy *first =
        mr_state_find_copy(&sink->state, entry->source_index, schema);
    return request->beside || (first != NULL && !first->finished);
}

static void set_keys(struct mr_apart *entry, const struct mr_schema *schema)
{
    struct mr_sql keys = {0};
    mr_sql_add(&keys, "");
    for (uint16_t i = 0; i < schema->key_count; i++) {
        mr_sql_add(&keys, i == 0 ? "" : MR_APART_KEY_SEPARATOR);
        mr_sql_add(&keys, schema->columns[schema->key[i]].name);
    }
    mr_apart_set_text(&entry->keys, keys.text);
    mr_sql_done(&keys);
}

static bool make_tables(struct mr_sink *sink, struct mr_apart *entry,
                        const struct mr_schema *schema, struct mr_error *err)
{
    if (entry->what == MR_APART_COPY) {
        mr_beside_forget(&sink->targets, entry);
        return mr_beside_make(&sink->targets, entry, schema, err);
    }
    struct mr_target *target = mr_apply_target(&sink->apply, entry->source_index, schema, err);
    if (target == NULL) {
        return false;
    }
    target->mark_is_known = false;
    return mr_quarantine_lift(&sink->quarantine, entry->source_index, schema, err) &&
           mr_target_remake(&sink->targets, target, schema, err);
}

static bool begin_anew(struct mr_sink *sink, struct mr_apart *entry, const struct mr_schema *schema,
                       const struct mr_copy_request *request, struct mr_error *err)
{
    mr_apart_set_text(&entry->copy, request->id);
    mr_apart_set_text(&entry->plan, request->plan);
    mr_apart_set_text(&entry->where, request->where);
    entry->mark = (struct mr_snapshot_mark){0};
    set_keys(entry, schema);
    if (!make_tables(sink, entry, schema, err) ||
        !mr_aparts_forget_pieces(&sink->aparts, entry, err) ||
        !mr_aparts_append(&sink->aparts, entry, MR_APART_COPYING, request->from_sequence, err) ||
        (!request->beside &&
         !mr_state_append_copy(&sink->state, entry->source_index, schema, NULL, err)) ||
        !mr_duckdb_commit(sink, err)) {
        return false;
    }
    if (!request->beside) {
        mr_state_note_copy(&sink->state, entry->source_index, schema, NULL);
    }
    entry->state = MR_APART_COPYING;
    entry->progress = (struct mr_progress){.committed.sequence = request->from_sequence};
    entry->progress.pending.place = entry->progress.committed;
    return true;
}

bool mr_duckdb_copy_begin(struct mr_sink *sink, uint16_t source_index,
                          const struct mr_schema *schema, const struct mr_copy_request *request,
                          struct mr_copy_taken *taken, struct mr_error *err)
{
    MR_ASSERT(request->where == NULL || (request->beside && schema->key_count > 0));
    if (!mr_duckdb_begin(sink, err)) {
        return fail(sink, err);
    }
    struct mr_apart *entry = mr_aparts_take(&sink->aparts, source_index, schema,
                                            request->beside ? MR_APART_COPY : MR_APART_FIRST);
    taken->is_finished = request->beside && is_same_text(entry->copy, request->id) &&
                         (entry->state == MR_APART_FOLLOWING || entry->state == MR_APART_JOINED);
    if (taken->is_finished) {
        return true;
    }
    if (goes_on(sink, entry, schema, request)) {
        return mr_aparts_read_pieces(&sink->aparts, entry, taken->pieces, request->piece_count,
                                     err) ||
               fail(sink, err);
    }
    return begin_anew(sink, entry, schema, request, err) || fail(sink, err);
}

bool mr_duckdb_copy_piece(struct mr_sink *sink, uint16_t source_index,
                          const struct mr_schema *schema, bool beside,
                          const struct mr_copy_piece *piece, struct mr_error *err)
{
    if (!mr_duckdb_begin(sink, err)) {
        return fail(sink, err);
    }
    const struct mr_apart *entry = mr_aparts_find(&sink->aparts, source_index, schema,
                                                  beside ? MR_APART_COPY : MR_APART_FIRST);
    MR_ASSERT(entry != NULL && entry->state == MR_APART_COPYING);
    return entry->plan == NULL ||
           mr_aparts_append_piece(&sink->aparts, entry, piece->index, piece->state, err) ||
           fail(sink, err);
}

bool mr_duckdb_copy_finish(struct mr_sink *sink, uint16_t source_index,
                           const struct mr_schema *schema, const struct mr_snapshot_mark *mark,
                           struct mr_error *err)
{
    if (!mr_duckdb_begin(sink, err)) {
        return fail(sink, err);
    }
    struct mr_apart *entry = mr_aparts_find(&sink->aparts, source_index, schema, MR_APART_COPY);
    MR_ASSERT(entry != NULL && entry->state == MR_APART_COPYING);
    entry->mark = *mark;
    if (!mr_aparts_append(&sink->aparts, entry, MR_APART_FOLLOWING,
                          entry->progress.committed.sequence, err) ||
        !mr_duckdb_commit(sink, err)) {
        return fail(sink, err);
    }
    entry->state = MR_APART_FOLLOWING;
    return true;
}

struct mr_target *mr_duckdb_copy_target(struct mr_apply *apply, uint16_t source_index,
                                        const struct mr_schema *schema)
{
    struct mr_apart *entry = mr_aparts_find(apply->aparts, source_index, schema, MR_APART_COPY);
    MR_ASSERT(entry != NULL && entry->state == MR_APART_COPYING);
    return mr_beside_target(apply->targets, entry, schema);
}

/* ---- Orders. ---- */

static bool append_state(struct mr_sink *sink, struct mr_apart *entry, enum mr_apart_state state,
                         uint64_t sequence, struct mr_error *err)
{
    return mr_aparts_append(&sink->aparts, entry, state, sequence, err) &&
           mr_duckdb_commit(sink, err);
}

static void note_state(struct mr_sink *sink, struct mr_apart *entry, enum mr_apart_state state,
                       uint64_t sequence)
{
    entry->state = state;
    entry->progress = (struct mr_progress){.committed.sequence = sequence};
    entry->progress.pending.place = entry->progress.committed;
    entry->target = entry->what == MR_APART_COPY ? entry->target : NULL;
    look_again(sink, entry);
}

static bool order_drop(struct mr_sink *sink, struct mr_apart *entry, struct mr_apart *copy,
                       bool purges, struct mr_error *err)
{
    const struct mr_schema named = {.space = entry->space, .table = entry->table};
    if (copy != NULL && !mr_beside_drop(&sink->targets, copy, err)) {
        return false;
    }
    if (purges) {
        struct mr_sql sql = {0};
        mr_sql_add(&sql, "DROP TABLE IF EXISTS ");
        mr_ddl_add_target(&sql, sink->source_names[entry->source_index], &named);
        const bool dropped = mr_warehouse_exec(sink->warehouse, sql.text, err);
        mr_sql_done(&sql);
        if (!dropped) {
            return false;
        }
        mr_target_forget_named(&sink->targets, entry->source_index, &named);
    }
    if ((copy != NULL && !mr_aparts_append(&sink->aparts, copy, MR_APART_JOINED, 0, err)) ||
        !append_state(sink, entry, MR_APART_DROPPED, 0, err)) {
        return false;
    }
    if (copy != NULL) {
        mr_beside_forget(&sink->targets, copy);
        note_state(sink, copy, MR_APART_JOINED, 0);
    }
    note_state(sink, entry, MR_APART_DROPPED, 0);
    return true;
}

/* Everything of the table from `first` on once more, as upserts up to where the stream is now. */
static bool order_rewind(struct mr_sink *sink, struct mr_apart *entry, uint64_t first,
                         struct mr_error *err)
{
    const struct mr_schema named = {.space = entry->space, .table = entry->table};
    const struct mr_state_copy *copy =
        mr_state_find_copy(&sink->state, entry->source_index, &named);
    const bool waits = entry->state == MR_APART_PAUSED || entry->state == MR_APART_FOLLOWING;
    const uint64_t stands = waits ? entry->progress.committed.sequence
                                  : sink->progress[entry->source_index].committed.sequence;
    struct mr_snapshot_mark mark = {.high = sink->progress[entry->source_index].committed.native};
    /* The stream may hold more than the sink has: nothing is skipped by going "back" to there. */
    const uint64_t sequence = first - 1 < stands ? first - 1 : stands;
    MR_ASSERT(first > 0);
    if (copy != NULL && copy->finished &&
        mr_native_position_compare(copy->mark.high, mark.high) > 0) {
        mark.high = copy->mark.high;
    }
    if (!mr_state_append_copy(&sink->state, entry->source_index, &named, &mark, err) ||
        !append_state(sink, entry, MR_APART_FOLLOWING, sequence, err)) {
        return false;
    }
    mr_state_note_copy(&sink->state, entry->source_index, &named, &mark);
    note_state(sink, entry, MR_APART_FOLLOWING, sequence);
    return true;
}

static bool order_pause(struct mr_sink *sink, struct mr_apart *entry, struct mr_error *err)
{
    uint64_t sequence = entry->progress.committed.sequence;
    if (entry->state == MR_APART_JOINED) {
        sequence = sink->progress[entry->source_index].committed.sequence;
    }
    if (!append_state(sink, entry, MR_APART_PAUSED, sequence, err)) {
        return false;
    }
    note_state(sink, entry, MR_APART_PAUSED, sequence);
    return true;
}

static bool order_resume(struct mr_sink *sink, struct mr_apart *entry, struct mr_error *err)
{
    const uint64_t sequence = entry->progress.committed.sequence;
    if (entry->state != MR_APART_PAUSED) {
        return true;
    }
    if (!append_state(sink, entry, MR_APART_FOLLOWING, sequence, err)) {
        return false;
    }
    note_state(sink, entry, MR_APART_FOLLOWING, sequence);
    return true;
}

bool mr_duckdb_order(struct mr_sink *sink, uint16_t source_index,
                     const struct mr_table_order *order, struct mr_error *err)
{
    const struct mr_schema named = {.space = order->space, .table = order->table};
    if (!mr_duckdb_begin(sink, err)) {
        return fail(sink, err);
    }
    struct mr_apart *entry = mr_aparts_take(&sink->aparts, source_index, &named, MR_APART_TABLE);
    struct mr_apart *copy = mr_aparts_find(&sink->aparts, source_index, &named, MR_APART_COPY);
    bool done = false;
    if (copy != NULL && copy->state == MR_APART_JOINED) {
        copy = NULL;
    }
    if (entry->state == MR_APART_DROPPED && order->verb != MR_TABLE_DROP &&
        order->verb != MR_TABLE_PURGE) {
        mr_fail(err, MR_E_CONFIG, MR_RETRY, "the table was dropped; add it first");
        return fail(sink, err);
    }
    switch (order->verb) {
    case MR_TABLE_PAUSE:
        done = order_pause(sink, entry, err);
        break;
    case MR_TABLE_RESUME:
        done = order_resume(sink, entry, err);
        break;
    case MR_TABLE_REWIND:
        done = order_rewind(sink, entry, order->sequence, err);
        break;
    case MR_TABLE_DROP:
    case MR_TABLE_PURGE:
        done = order_drop(sink, entry, copy, order->verb == MR_TABLE_PURGE, err);
        break;
    }
    return done || fail(sink, err);
}

bool mr_duckdb_restart_apart(struct mr_sink *sink, uint16_t source_index, uint64_t sequence,
                             struct mr_error *err)
{
    for (struct mr_apart *entry = sink->aparts.all; entry != NULL; entry = entry->next) {
        const bool counts = entry->source_index == source_index &&
                            entry->state != MR_APART_JOINED && entry->state != MR_APART_DROPPED;
        const enum mr_apart_state state =
            entry->state == MR_APART_PAUSED ? MR_APART_PAUSED : MR_APART_JOINED;
        if (counts &&
            ((entry->what == MR_APART_COPY && !mr_beside_drop(&sink->targets, entry, err)) ||
             !mr_aparts_forget_pieces(&sink->aparts, entry, err) ||
             !mr_aparts_append(&sink->aparts, entry, state, sequence, err))) {
            return false;
        }
        if (counts && entry->what == MR_APART_COPY) {
            mr_beside_forget(&sink->targets, entry);
        }
    }
    return true;
}

bool mr_duckdb_apart(struct mr_sink *sink, uint32_t index, struct mr_apart_view *view)
{
    static const enum mr_apart_shown shown[] = {
        [MR_APART_PAUSED] = MR_SHOWN_PAUSED,
        [MR_APART_FOLLOWING] = MR_SHOWN_FOLLOWING,
        [MR_APART_COPYING] = MR_SHOWN_COPYING,
        [MR_APART_DROPPED] = MR_SHOWN_DROPPED,
    };
    for (const struct mr_apart *entry = sink->aparts.all; entry != NULL; entry = entry->next) {
        if (entry->state == MR_APART_JOINED || entry->what == MR_APART_FIRST || index-- > 0) {
            continue;
        }
        *view = (struct mr_apart_view){
            .source_index = entry->source_index,
            .space = entry->space,
            .table = entry->table,
            .state = shown[entry->state],
            .is_copy = entry->what == MR_APART_COPY,
            .sequence = entry->progress.committed.sequence,
        };
        return true;
    }
    return false;
}

uint64_t mr_duckdb_pinned(struct mr_sink *sink, uint16_t source_index)
{
    return mr_aparts_pinned(&sink->aparts, source_index);
}

/* ---- Following. ---- */

/* A copy that cannot follow the changes of its table's shape. */
static bool drop_copy(struct mr_sink *sink, struct mr_apart *copy, struct mr_error *err)
{
    if (!mr_beside_drop(&sink->targets, copy, err) ||
        !mr_aparts_forget_pieces(&sink->aparts, copy, err) ||
        !append_state(sink, copy, MR_APART_JOINED, 0, err)) {
        return false;
    }
    mr_beside_forget(&sink->targets, copy);
    copy->is_given_up = false;
    note_state(sink, copy, MR_APART_JOINED, 0);
    return true;
}

bool mr_duckdb_follow_next(struct mr_sink *sink, struct mr_follow *follow, bool *found,
                           struct mr_error *err)
{
    *found = false;
    if (!mr_duckdb_ensure_open(sink, err)) {
        return fail(sink, err);
    }
    struct mr_apart *entry = sink->aparts.all;
    while (entry != NULL && entry->state != MR_APART_FOLLOWING) {
        entry = entry->next;
    }
    if (entry != NULL && entry->is_given_up) {
        return mr_duckdb_begin(sink, err) && drop_copy(sink, entry, err) ? true : fail(sink, err);
    }
    if (entry != NULL) {
        *found = true;
        *follow = (struct mr_follow){
            .source_index = entry->source_index,
            .space = entry->space,
            .table = entry->table,
            .sequence = entry->progress.committed.sequence,
            .entry = entry,
        };
    }
    return true;
}

bool mr_duckdb_follow_apply(struct mr_sink *sink, struct mr_follow *follow,
                            struct mr_batch *const *batches, uint32_t count, struct mr_error *err)
{
    struct mr_apart *entry = follow->entry;
    if (!mr_duckdb_begin(sink, err)) {
        return fail(sink, err);
    }
    MR_ASSERT(entry->state == MR_APART_FOLLOWING);
    sink->apply.follower = entry;
    const bool applied = mr_apply_batches(&sink->apply, batches, count, err);
    sink->apply.follower = NULL;
    follow->sequence = entry->progress.pending.place.sequence;
    return applied || mr_duckdb_fail(sink, err);
}

/* The table that people read goes with the stream again, unless somebody paused it. */
static bool join_table(struct mr_sink *sink, const struct mr_apart *copy, uint64_t sequence,
                       struct mr_apart **table, enum mr_apart_state *state, struct mr_error *err)
{
    const struct mr_schema named = {.space = copy->space, .table = copy->table};
    *table = mr_aparts_find(&sink->aparts, copy->source_index, &named, MR_APART_TABLE);
    if (*table == NULL || (*table)->state == MR_APART_JOINED) {
        *table = NULL;
        return true;
    }
    *state = (*table)->state == MR_APART_PAUSED ? MR_APART_PAUSED : MR_APART_JOINED;
    return mr_aparts_append(&sink->aparts, *table, *state, sequence, err);
}

static bool end_copy(struct mr_sink *sink, struct mr_apart *entry, struct mr_error *err)
{
    const struct mr_schema named = {.space = entry->space, .table = entry->table};
    const uint64_t sequence = entry->progress.committed.sequence;
    enum mr_apart_state state = MR_APART_JOINED;
    struct mr_apart *table = NULL;
    const bool placed = entry->where == NULL ? mr_beside_swap(&sink->targets, entry, err)
                                             : mr_beside_merge(&sink->targets, entry, err);
    if (!placed ||
        (entry->where == NULL &&
         (!join_table(sink, entry, sequence, &table, &state, err) ||
          !mr_quarantine_lift(&sink->quarantine, entry->source_index, &named, err) ||
          !mr_state_append_copy(&sink->state, entry->source_index, &named, &entry->mark, err))) ||
        !mr_aparts_forget_pieces(&sink->aparts, entry, err) ||
        !mr_aparts_append(&sink->aparts, entry, MR_APART_JOINED, sequence, err) ||
        !mr_duckdb_commit(sink, err)) {
        return false;
    }
    if (entry->where == NULL) {
        mr_state_note_copy(&sink->state, entry->source_index, &named, &entry->mark);
    }
    if (table != NULL) {
        note_state(sink, table, state, sequence);
    }
    mr_beside_forget(&sink->targets, entry);
    note_state(sink, entry, MR_APART_JOINED, sequence);
    mr_target_forget_named(&sink->targets, entry->source_index, &named);
    return true;
}

bool mr_duckdb_follow_end(struct mr_sink *sink, const struct mr_follow *follow,
                          struct mr_native_position reached, bool *joined, struct mr_error *err)
{
    struct mr_apart *entry = follow->entry;
    *joined = false;
    if (entry->what == MR_APART_COPY && entry->where != NULL &&
        mr_native_position_compare(reached, entry->mark.high) < 0) {
        return true; /* rows of the copy may be newer than the table: the stream must pass them */
    }
    if (!mr_duckdb_begin(sink, err)) {
        return fail(sink, err);
    }
    if (entry->what == MR_APART_COPY) {
        *joined = end_copy(sink, entry, err);
    } else {
        const uint64_t sequence = entry->progress.committed.sequence;
        *joined = append_state(sink, entry, MR_APART_JOINED, sequence, err);
        if (*joined) {
            note_state(sink, entry, MR_APART_JOINED, sequence);
        }
    }
    return *joined || fail(sink, err);
}
