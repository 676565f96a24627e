// SPDX-License-Identifier: MIT
/*
 * discard_sink.c - counts and forgets: what everything before a sink costs, measured alone.
 *
 * It keeps the contract as far as a sink without a target can: transactions at or below the
 * committed sequence are skipped, positions move at commit and go back at rollback, copies are
 * remembered. All of it is lost when the process ends.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sink.h"

struct discard_config {
    uint64_t batch_rows_max;
    uint64_t flush_interval_ms;
};

struct discard_copy {
    struct discard_copy *next;
    uint16_t source_index;
    uint32_t table_id;
    bool finished;
};

struct mr_sink {
    uint32_t source_count;
    struct mr_sink_position *committed;
    struct mr_sink_position *pending;
    struct discard_copy *copies;
    uint64_t pending_rows;
    bool in_transaction;
    atomic_uint_fast64_t rows_total;
    atomic_uint_fast64_t commits_total;
};

static const struct mr_option discard_options[] = {
    {
        .name = "batch_rows_max",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct discard_config, batch_rows_max),
        .fallback = "50000",
        .min = 1,
        .max = 1000000,
        .help = "rows after which a commit is closed at the next transaction's end",
    },
    {
        .name = "flush_interval",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct discard_config, flush_interval_ms),
        .fallback = "auto",
        .help = "auto: commit at once when idle, larger batches under load; else an upper bound",
    },
    {0},
};

static void discard_close(struct mr_sink *sink)
{
    if (sink == NULL) {
        return;
    }
    while (sink->copies != NULL) {
        struct discard_copy *copy = sink->copies;
        sink->copies = copy->next;
        free(copy);
    }
    free(sink->committed);
    free(sink->pending);
    free(sink);
}

static struct mr_sink *discard_open(const struct mr_sink_context *context, struct mr_error *err)
{
    struct mr_sink *sink = mr_memory_new(1, sizeof(*sink));

    (void)err;
    sink->source_count = context->source_count;
    sink->committed = mr_memory_new(context->source_count + 1, sizeof(*sink->committed));
    sink->pending = mr_memory_new(context->source_count + 1, sizeof(*sink->pending));
    return sink;
}

static bool discard_position(struct mr_sink *sink, uint16_t source_index,
                             struct mr_sink_position *position, struct mr_error *err)
{
    (void)err;
    MR_ASSERT(source_index < sink->source_count);
    *position = sink->committed[source_index];
    return true;
}

static bool apply_batch(struct mr_sink *sink, const struct mr_batch *batch, struct mr_error *err)
{
    MR_ASSERT(batch->source_index < sink->source_count && !batch->aborts);
    struct mr_sink_position *pending = &sink->pending[batch->source_index];

    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        const uint64_t sequence = batch->first_sequence + i;
        if (sequence <= pending->sequence) {
            continue;
        }
        if (pending->sequence != 0 && sequence > pending->sequence + 1) {
            return mr_fail(err, MR_E_SINK, MR_STOP,
                           "transaction %llu follows %llu; what lies between is missing",
                           (unsigned long long)sequence, (unsigned long long)pending->sequence);
        }
        sink->pending_rows += transaction->row_count;
        if (!batch->continued || i + 1 < batch->transaction_count) {
            pending->sequence = sequence;
            pending->native = transaction->end;
        }
    }
    if (batch->transaction_count == 0) {
        sink->pending_rows += batch->row_count;
    }
    return true;
}

static bool discard_apply(struct mr_sink *sink, struct mr_batch *const *batches, uint32_t count,
                          struct mr_error *err)
{
    sink->in_transaction = true;
    for (uint32_t i = 0; i < count; i++) {
        if (!apply_batch(sink, batches[i], err)) {
            return false;
        }
    }
    return true;
}

static bool discard_commit(struct mr_sink *sink, struct mr_error *err)
{
    (void)err;
    if (sink->in_transaction) {
        memcpy(sink->committed, sink->pending, sink->source_count * sizeof(*sink->pending));
        atomic_fetch_add(&sink->rows_total, sink->pending_rows);
        atomic_fetch_add(&sink->commits_total, 1);
        sink->pending_rows = 0;
        sink->in_transaction = false;
    }
    return true;
}

static void discard_rollback(struct mr_sink *sink)
{
    memcpy(sink->pending, sink->committed, sink->source_count * sizeof(*sink->pending));
    sink->pending_rows = 0;
    sink->in_transaction = false;
}

static struct discard_copy *find_copy(struct mr_sink *sink, uint16_t source_index,
                                      const struct mr_schema *schema)
{
    struct discard_copy *copy = sink->copies;
    while (copy != NULL &&
           (copy->source_index != source_index || copy->table_id != schema->table_id)) {
        copy = copy->next;
    }
    return copy;
}

static void set_copy(struct mr_sink *sink, uint16_t source_index, const struct mr_schema *schema,
                     bool finished)
{
    struct discard_copy *copy = find_copy(sink, source_index, schema);
    if (copy == NULL) {
        copy = mr_memory_new(1, sizeof(*copy));
        *copy = (struct discard_copy){
            .next = sink->copies, .source_index = source_index, .table_id = schema->table_id};
        sink->copies = copy;
    }
    copy->finished = finished;
}

static bool discard_snapshot_is_finished(struct mr_sink *sink, uint16_t source_index,
                                         const struct mr_schema *schema, bool *finished,
                                         struct mr_snapshot_mark *mark, struct mr_error *err)
{
    const struct discard_copy *copy = find_copy(sink, source_index, schema);
    (void)err;
    *finished = copy != NULL && copy->finished;
    *mark = (struct mr_snapshot_mark){0}; /* nothing can be looked at: nothing to catch up with */
    return true;
}

static bool discard_snapshot_begin(struct mr_sink *sink, uint16_t source_index,
                                   const struct mr_schema *schema,
                                   const struct mr_copy_request *request,
                                   struct mr_copy_taken *taken, struct mr_error *err)
{
    (void)request;
    (void)taken; /* what was copied before is forgotten like everything */
    set_copy(sink, source_index, schema, false);
    return discard_commit(sink, err);
}

static bool discard_snapshot_piece(struct mr_sink *sink, uint16_t source_index,
                                   const struct mr_schema *schema, bool beside,
                                   const struct mr_copy_piece *piece, struct mr_error *err)
{
    (void)sink;
    (void)source_index;
    (void)schema;
    (void)beside;
    (void)piece;
    (void)err;
    return true;
}

static const char *discard_snapshot_plan(struct mr_sink *sink, uint16_t source_index,
                                         const struct mr_schema *named, bool beside)
{
    (void)sink;
    (void)source_index;
    (void)named;
    (void)beside;
    return NULL;
}

static bool discard_snapshot_finish(struct mr_sink *sink, uint16_t source_index,
                                    const struct mr_schema *schema,
                                    const struct mr_snapshot_mark *mark, struct mr_error *err)
{
    MR_ASSERT(mark != NULL);
    set_copy(sink, source_index, schema, true);
    return discard_commit(sink, err);
}

static bool discard_restart(struct mr_sink *sink, uint16_t source_index, uint64_t sequence,
                            struct mr_error *err)
{
    MR_ASSERT(source_index < sink->source_count);
    for (struct discard_copy *copy = sink->copies; copy != NULL; copy = copy->next) {
        copy->finished = copy->finished && copy->source_index != source_index;
    }
    sink->pending[source_index] = (struct mr_sink_position){.sequence = sequence};
    sink->in_transaction = true;
    return discard_commit(sink, err);
}

static bool discard_maintain(struct mr_sink *sink, bool idle, struct mr_error *err)
{
    (void)sink;
    (void)idle;
    (void)err;
    return true;
}

static void discard_observe(struct mr_sink *sink, struct mr_sink_observation *observation)
{
    *observation = (struct mr_sink_observation){
        .rows_total = atomic_load(&sink->rows_total),
        .commits_total = atomic_load(&sink->commits_total),
    };
}

const struct mr_sink_ops mr_sink_discard = {
    .name = "discard",
    .summary = "counts and forgets, for measuring what comes before a sink",
    .options = discard_options,
    .config_size = sizeof(struct discard_config),
    .open = discard_open,
    .close = discard_close,
    .position = discard_position,
    .apply = discard_apply,
    .commit = discard_commit,
    .rollback = discard_rollback,
    .snapshot_is_finished = discard_snapshot_is_finished,
    .snapshot_begin = discard_snapshot_begin,
    .snapshot_piece = discard_snapshot_piece,
    .snapshot_plan = discard_snapshot_plan,
    .snapshot_finish = discard_snapshot_finish,
    .restart = discard_restart,
    .maintain = discard_maintain,
    .observe = discard_observe,
};
