// SPDX-License-Identifier: MIT
/*
 * loader_copy.c - the loader's part in copying tables: commands from the copy's threads become
 * calls of the sink, in the order they came.
 *
 * Copied rows are committed in groups of COPY_ROWS_PER_COMMIT, larger than the stream's: nobody
 * waits for a single one of them, and a columnar target takes whole row groups best. The end of a
 * piece commits earlier: what a kill costs is then little more than the pieces at work.
 */
#include <stdlib.h>
#include <string.h>

#include "crash_point.h"
#include "loader_internal.h"
#include "memory.h"

#define COPY_ROWS_PER_COMMIT  250000
#define PIECE_ROWS_PER_COMMIT 20000 /* a piece that is done is worth a commit from here on */
#define ASK_WAIT_MS           1000

static void free_command(struct mr_load_command *command)
{
    mr_batch_release(command->batch);
    free(command);
}

static bool commit_copied(struct mr_loader *loader, struct mr_error *err)
{
    return !loader->has_copied || mr_loader_commit(loader, err);
}

static bool copy_rows(struct mr_loader *loader, const struct mr_load_command *command,
                      struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[command->source_index];
    if (source->copy_is_broken) {
        return true; /* the copy's next question gets the bad news */
    }
    struct mr_batch *batch = command->batch;
    loader->copied_rows += batch->row_count;
    source->has_copied = true;
    loader->has_copied = true;
    mr_table_stats_stage(&source->stats, batch, 0);
    if (!loader->ops->apply(loader->sink, &batch, 1, err)) {
        return false;
    }
    mr_crash_point(MR_CRASH_SNAPSHOT_ROWS);
    return loader->copied_rows < COPY_ROWS_PER_COMMIT || mr_loader_commit(loader, err);
}

static bool check_copy(const struct mr_loader_source *source, struct mr_error *err)
{
    if (source->copy_is_broken) {
        return mr_fail(err, MR_E_SINK, MR_RETRY, "the target rolled back rows of the copy");
    }
    return true;
}

static bool answer_finished(struct mr_loader *loader, const struct mr_load_command *command,
                            bool *answer, struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[command->source_index];
    const bool is_whole = command->schema == &mr_schema_whole_source;
    struct mr_snapshot_mark mark = {0};
    if (is_whole) {
        source->copy_is_broken = false; /* a new copy asks this first */
    }
    if (!loader->ops->snapshot_is_finished(loader->sink, command->source_index, command->schema,
                                           answer, &mark, err)) {
        return false;
    }
    if (is_whole && *answer) {
        source->catch_up_to = mark.high;
        mr_loader_open_gate(loader, command->source_index);
    }
    return true;
}

/* Everything that was read and not committed is let go of: the position it would move is another
 * one now. Other sources read theirs again. */
static bool restart(struct mr_loader *loader, const struct mr_load_command *command,
                    struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[command->source_index];
    if (!commit_copied(loader, err)) {
        return false;
    }
    mr_loader_roll_back(loader);
    if (!loader->ops->restart(loader->sink, command->source_index, command->sequence, err)) {
        return false;
    }
    atomic_store(&source->gate_is_open, false);
    atomic_store(&source->is_consistent, false);
    atomic_store(&source->is_in_gap, false);
    source->copy_is_broken = false;
    source->catch_up_to = (struct mr_native_position){0};
    source->found = (struct mr_native_position){0};
    source->found_sequence = 0;
    for (uint32_t i = 0; i < loader->source_count; i++) {
        if (!mr_loader_take_up(loader, (uint16_t)i, err)) {
            return false;
        }
    }
    mr_loader_show_apart(loader);
    return true;
}

/* Keeps the stream from where the sink is now, for a copy whose rows are read from now on. */
static bool reserve(struct mr_loader *loader, const struct mr_load_command *command,
                    struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[command->source_index];
    struct mr_sink_position position = {0};
    if (loader->ops->order == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the sink \"%s\" cannot copy a single table",
                       loader->context.name);
    }
    if (!commit_copied(loader, err) ||
        !loader->ops->position(loader->sink, command->source_index, &position, err)) {
        return false;
    }
    source->copy_is_broken = false;
    source->reserved = position.sequence;
    command->place->sequence = position.sequence;
    command->place->native = position.native;
    mr_loader_release(loader, command->source_index);
    return true;
}

static bool begin_copy(struct mr_loader *loader, const struct mr_load_command *command,
                       bool *answer, struct mr_error *err)
{
    if (!check_copy(&loader->sources[command->source_index], err) || !commit_copied(loader, err) ||
        !loader->ops->snapshot_begin(loader->sink, command->source_index, command->schema,
                                     command->request, command->taken, err)) {
        return false;
    }
    *answer = command->taken->is_finished;
    mr_loader_show_apart(loader);
    return true;
}

static bool note_piece(struct mr_loader *loader, const struct mr_load_command *command,
                       struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[command->source_index];
    if (source->copy_is_broken) {
        return true;
    }
    source->has_copied = true; /* a piece may hold no row, and is committed all the same */
    loader->has_copied = true;
    if (!loader->ops->snapshot_piece(loader->sink, command->source_index, command->schema,
                                     command->beside, &command->piece, err)) {
        return false;
    }
    if (command->piece.state != MR_PIECE_DONE) {
        return true;
    }
    mr_crash_point(MR_CRASH_SNAPSHOT_PIECE);
    return loader->copied_rows < PIECE_ROWS_PER_COMMIT || mr_loader_commit(loader, err);
}

static void answer_plan(struct mr_loader *loader, const struct mr_load_command *command)
{
    const char *plan = loader->ops->snapshot_plan(loader->sink, command->source_index,
                                                  command->schema, command->beside);
    *command->plan = plan == NULL ? NULL : mr_memory_copy_text(plan, strlen(plan));
}

static bool obey(struct mr_loader *loader, const struct mr_load_command *command,
                 struct mr_error *err)
{
    const struct mr_table_order *order = command->order;
    if (loader->ops->order == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_RETRY, "the sink \"%s\" cannot treat tables apart",
                       loader->context.name);
    }
    if (!commit_copied(loader, err) ||
        !loader->ops->order(loader->sink, command->source_index, order, err)) {
        return false;
    }
    if (order->verb == MR_TABLE_DROP || order->verb == MR_TABLE_PURGE) {
        loader->sources[command->source_index].copy_is_broken = true; /* of its rows, too */
    }
    mr_loader_follow_reset(loader);
    loader->follow_error[0] = '\0';
    mr_loader_release(loader, command->source_index);
    mr_loader_show_apart(loader);
    return true;
}

static bool carry_out(struct mr_loader *loader, const struct mr_load_command *command, bool *answer,
                      struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[command->source_index];
    const struct mr_schema *schema = command->schema;
    switch (command->kind) {
    case MR_LOAD_ROWS:
        return copy_rows(loader, command, err);
    case MR_LOAD_IS_FINISHED:
        return answer_finished(loader, command, answer, err);
    case MR_LOAD_RESERVE:
        return reserve(loader, command, err);
    case MR_LOAD_RELEASE:
        source->reserved = UINT64_MAX;
        mr_loader_release(loader, command->source_index);
        return true;
    case MR_LOAD_PLAN:
        answer_plan(loader, command);
        return true;
    case MR_LOAD_BEGIN:
        return begin_copy(loader, command, answer, err);
    case MR_LOAD_PIECE:
        return note_piece(loader, command, err);
    case MR_LOAD_ORDER:
        return obey(loader, command, err);
    case MR_LOAD_FINISH:
        if (!check_copy(source, err) || !commit_copied(loader, err) ||
            !loader->ops->snapshot_finish(loader->sink, command->source_index, schema,
                                          &command->mark, err)) {
            return false;
        }
        if (schema == &mr_schema_whole_source) {
            source->catch_up_to = command->mark.high;
            mr_loader_open_gate(loader, command->source_index);
        }
        mr_loader_show_apart(loader);
        return true;
    case MR_LOAD_RESTART:
        return restart(loader, command, err);
    }
    MR_ASSERT(false && "a known command");
    return false;
}

bool mr_loader_copy(struct mr_loader *loader, bool *worked, struct mr_error *err)
{
    for (uint32_t i = 0; i < MR_LOADER_GROUP_MAX; i++) {
        struct mr_load_command *command = mr_queue_pop(loader->commands, 0);
        if (command == NULL) {
            break;
        }
        *worked = true;
        bool answer = false;
        const bool done = carry_out(loader, command, &answer, err);
        if (!done) {
            mr_loader_roll_back(loader);
        }
        const bool asked = command->promise != NULL;
        if (asked) {
            mr_promise_settle(command->promise, answer, done ? NULL : err);
        }
        free_command(command);
        if (!done && (!asked || err->recovery == MR_STOP)) {
            return false;
        }
        if (!done) {
            *err = (struct mr_error){0}; /* the asker decides */
        }
    }
    return commit_copied(loader, err);
}

bool mr_loader_command(struct mr_loader *loader, const struct mr_load_command *command,
                       uint32_t wait_ms)
{
    MR_ASSERT((command->kind == MR_LOAD_ROWS) == (command->batch != NULL));
    MR_ASSERT((command->kind == MR_LOAD_ROWS || command->kind == MR_LOAD_PIECE) ==
              (command->promise == NULL));
    struct mr_load_command *owned = malloc(sizeof(*owned));
    MR_ASSERT(owned != NULL);
    *owned = *command;
    if (!mr_queue_push(loader->commands, owned, wait_ms)) {
        free(owned);
        return false;
    }
    mr_doorbell_ring(&loader->bell);
    return true;
}

bool mr_loader_ask(struct mr_loader *loader, struct mr_load_command command, bool *answer,
                   struct mr_error *err)
{
    struct mr_promise promise;
    mr_promise_init(&promise);
    command.promise = &promise;
    bool sent = false;
    while (!sent && !mr_queue_is_shut(loader->commands)) {
        sent = mr_loader_command(loader, &command, ASK_WAIT_MS);
    }
    bool succeeded = false;
    if (sent) {
        succeeded = mr_promise_wait(&promise, answer, err);
    } else {
        mr_fail(err, MR_E_CANCELLED, MR_STOP, "the sink \"%s\" has ended", loader->context.name);
    }
    mr_promise_done(&promise);
    return succeeded;
}

void mr_loader_shut(struct mr_loader *loader, const struct mr_error *why)
{
    mr_queue_shut(loader->commands);
    for (struct mr_load_command *command; (command = mr_queue_pop(loader->commands, 0)) != NULL;) {
        if (command->promise != NULL) {
            mr_promise_settle(command->promise, false, why);
        }
        free_command(command);
    }
}
