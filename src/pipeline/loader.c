// SPDX-License-Identifier: MIT
/*
 * loader.c - see loader.h. This file: groups of stream batches; copies are in loader_copy.c.
 */
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash_point.h"
#include "loader_internal.h"
#include "log.h"

#define LOADER_FAILURES_MAX 3
#define CONTINUED_WAIT_MS   1000
#define GROUP_BYTES_MAX     (UINT64_C(24) << 20)
#define SHRINK_FACTOR       4

bool mr_loader_init(struct mr_loader *loader, const struct mr_sink_ops *ops,
                    const struct mr_sink_context *context, uint32_t sink_index,
                    struct mr_error *err)
{
    MR_ASSERT(sink_index < MR_STREAM_SINKS_MAX);
    MR_ASSERT(context->batch_rows_max > 0);
    memset(loader, 0, sizeof(*loader));
    loader->ops = ops;
    loader->context = *context;
    loader->sink_index = sink_index;
    loader->env = context->env;
    loader->group_rows_max = context->batch_rows_max;
    loader->group_rows_now = loader->group_rows_max;
    loader->group_bytes_now = GROUP_BYTES_MAX;
    loader->commands = mr_queue_open(MR_LOADER_COMMANDS_MAX);
    mr_doorbell_init(&loader->bell);
    MR_ASSERT(pthread_rwlock_init(&loader->sink_holders, NULL) == 0);
    MR_ASSERT(pthread_mutex_init(&loader->apart_lock, NULL) == 0);
    loader->sink = ops->open(context, err);
    return loader->sink != NULL;
}

void mr_loader_done(struct mr_loader *loader)
{
    if (loader->commands == NULL) {
        return;
    }
    for (uint32_t i = 0; i < loader->group_count; i++) {
        mr_batch_release(loader->group[i]);
    }
    for (uint32_t i = 0; i < loader->source_count; i++) {
        struct mr_loader_source *source = &loader->sources[i];
        mr_batch_release(source->pending);
        source->ops->reader_close(source->reader);
        mr_table_stats_done(&source->stats);
    }
    mr_loader_follow_reset(loader);
    loader->ops->close(loader->sink);
    mr_loader_hide_apart(loader);
    (void)pthread_mutex_destroy(&loader->apart_lock);
    (void)pthread_rwlock_destroy(&loader->sink_holders);
    mr_queue_close(loader->commands);
    mr_doorbell_done(&loader->bell);
    memset(loader, 0, sizeof(*loader));
}

/* What the sink holds is the truth: every (re)start of reading begins there. */
bool mr_loader_take_up(struct mr_loader *loader, uint16_t index, struct mr_error *err)
{
    struct mr_loader_source *source = &loader->sources[index];
    struct mr_sink_position position = {0};
    if (!loader->ops->position(loader->sink, index, &position, err)) {
        return false;
    }
    source->committed = position.sequence;
    source->applied = position.sequence;
    source->reached = position.native;
    atomic_store(&source->committed_shown, position.sequence);
    mr_loader_release(loader, index);
    mr_batch_release(source->pending);
    source->pending = NULL;
    source->ops->reader_close(source->reader);
    source->reader = NULL;
    return true;
}

bool mr_loader_add_source(struct mr_loader *loader, const struct mr_stream_ops *ops,
                          struct mr_stream *stream, struct mr_error *err)
{
    MR_ASSERT(loader->source_count < MR_LOADER_SOURCES_MAX);
    const uint16_t index = (uint16_t)loader->source_count;
    struct mr_loader_source *source = &loader->sources[index];
    source->ops = ops;
    source->stream = stream;
    source->reserved = UINT64_MAX;
    mr_table_stats_init(&source->stats);
    loader->source_count++;
    struct mr_stream_observation observation = {0};
    ops->observe(stream, &observation);
    source->found_sequence = observation.last_sequence;
    source->found = ops->position(stream)->native;
    if (!mr_loader_take_up(loader, index, err)) {
        return false;
    }
    mr_loader_show_apart(loader);
    return true;
}

void mr_loader_open_gate(struct mr_loader *loader, uint16_t source_index)
{
    MR_ASSERT(source_index < loader->source_count);
    loader->sources[source_index].gate_is_open = true;
}

static void advance(struct mr_native_position *reached, struct mr_native_position to)
{
    if (mr_native_position_compare(to, *reached) > 0) {
        *reached = to;
    }
}

/* A source's tables agree with each other once what was copied later than others is caught up
 * with. */
static void note_consistency(struct mr_loader_source *source)
{
    if (source->committed >= source->found_sequence) {
        advance(&source->reached, source->found);
    }
    const bool passed = mr_native_position_compare(source->reached, source->catch_up_to) >= 0;
    atomic_store(&source->is_consistent, source->gate_is_open && passed);
}

bool mr_loader_is_in_gap(const struct mr_loader *loader, uint16_t source_index)
{
    MR_ASSERT(source_index < loader->source_count);
    return atomic_load(&loader->sources[source_index].is_in_gap);
}

/* The stream has nothing for us any more until the tables are copied anew; whatever else failed is
 * the caller's. */
static void fall_into_gap(struct mr_loader *loader, struct mr_loader_source *source,
                          struct mr_error *err)
{
    if (err->code != MR_E_LOST) {
        return;
    }
    mr_log(MR_LOG_ERROR, "sink.gap_opened", MR_LOG_S("sink", loader->context.name),
           MR_LOG_S("source", loader->context.source_names[source - loader->sources]),
           MR_LOG_I("committed", source->committed), MR_LOG_S("error", err->message));
    source->ops->reader_close(source->reader);
    source->reader = NULL;
    atomic_store(&source->gate_is_open, false);
    atomic_store(&source->is_consistent, false);
    atomic_store(&source->is_in_gap, true);
    *err = (struct mr_error){0};
}

/* The next batch of a source that holds anything new; NULL with err->code MR_OK when there is
 * none. */
static struct mr_batch *next_batch(struct mr_loader_source *source, uint32_t wait_ms,
                                   struct mr_error *err)
{
    if (source->pending != NULL) {
        struct mr_batch *batch = source->pending;
        source->pending = NULL;
        return batch;
    }
    if (source->reader == NULL) {
        source->reader = source->ops->reader_open(source->stream, source->committed + 1, err);
        if (source->reader == NULL) {
            return NULL;
        }
    }
    for (;;) {
        struct mr_batch *batch = source->ops->reader_next(source->reader, wait_ms, err);
        if (batch == NULL) {
            return NULL;
        }
        const uint64_t last = batch->first_sequence + batch->transaction_count;
        if (batch->transaction_count > 0 && (last > source->applied + 1 || batch->continues)) {
            return batch;
        }
        if (batch->position.length > 0 && source->applied == source->committed) {
            advance(&source->reached, batch->native);
        }
        mr_batch_release(batch); /* a position alone, or applied before a restart */
    }
}

/* People hear of schema changes when they are applied. */
static void log_changes(const struct mr_loader *loader, const struct mr_batch *batch,
                        uint32_t from_transaction)
{
    const uint32_t first = batch->transactions[from_transaction].first_event;
    for (uint32_t i = first; batch->note_count > 0 && i < batch->event_count; i++) {
        const struct mr_event *event = &batch->events[i];
        if (event->kind != MR_EVENT_NOTE ||
            batch->notes[event->chunk].kind != MR_NOTE_SCHEMA_CHANGE) {
            continue;
        }
        const struct mr_note *note = &batch->notes[event->chunk];
        const struct mr_schema *schema = note->after != NULL ? note->after : note->before;
        char change[32];
        char statement[256];
        (void)snprintf(change, sizeof(change), "%.*s", (int)note->name.length,
                       (const char *)note->name.bytes);
        (void)snprintf(statement, sizeof(statement), "%.*s",
                       note->text.length < sizeof(statement) ? (int)note->text.length
                                                             : (int)sizeof(statement) - 1,
                       (const char *)note->text.bytes);
        if (schema != NULL) {
            mr_log(MR_LOG_INFO, "table.altered",
                   MR_LOG_S("source", loader->context.source_names[batch->source_index]),
                   MR_LOG_S("schema", schema->space), MR_LOG_S("table", schema->table),
                   MR_LOG_S("change", change), MR_LOG_S("statement", statement),
                   MR_LOG_I("version", schema->version));
        }
    }
}

/* A table that a sink sets aside is told of once it is committed. */
static void log_quarantine(struct mr_loader *loader)
{
    struct mr_sink_observation seen = {0};
    if (loader->ops->is_set_aside == NULL) {
        return;
    }
    loader->ops->observe(loader->sink, &seen);
    if (seen.quarantined_count > loader->quarantined_seen) {
        mr_log(MR_LOG_WARN, "table.quarantined", MR_LOG_S("sink", loader->context.name),
               MR_LOG_I("tables", seen.quarantined_count));
    }
    loader->quarantined_seen = seen.quarantined_count;
}

/* Hands the gathered group to the sink; the references stay until the commit, for its counts. */
static bool apply_group(struct mr_loader *loader, struct mr_error *err)
{
    MR_ASSERT(loader->applied_count == 0);
    if (loader->group_count == 0) {
        return true;
    }
    if (!loader->ops->apply(loader->sink, loader->group, loader->group_count, err)) {
        return false;
    }
    loader->applied_count = loader->group_count;
    for (uint32_t i = 0; i < loader->group_count; i++) {
        const struct mr_batch *batch = loader->group[i];
        struct mr_loader_source *source = &loader->sources[batch->source_index];
        uint32_t from = 0;
        if (batch->first_sequence <= source->committed) {
            from = (uint32_t)(source->committed + 1 - batch->first_sequence);
        }
        if (from < batch->transaction_count) {
            mr_table_stats_stage(&source->stats, batch, from);
            log_changes(loader, batch, from);
            loader->applied_rows += batch->row_count;
            source->applied = batch->first_sequence + batch->transaction_count - 1;
        }
    }
    return true;
}

static void release_group(struct mr_loader *loader)
{
    for (uint32_t i = 0; i < loader->group_count; i++) {
        mr_batch_release(loader->group[i]);
    }
    loader->group_count = 0;
    loader->applied_count = 0;
    loader->group_rows = 0;
}

/* A transaction larger than a batch: its parts go to the sink one by one, in one commit. */
static bool finish_continued(struct mr_loader *loader, struct mr_loader_source *source,
                             struct mr_error *err)
{
    bool continued = true;
    while (continued) {
        if (!apply_group(loader, err)) {
            return false;
        }
        release_group(loader);
        struct mr_batch *batch = next_batch(source, CONTINUED_WAIT_MS, err);
        if (batch == NULL) {
            fall_into_gap(loader, source, err);
            if (err->code != MR_OK) {
                return false;
            }
            return mr_fail(err, MR_E_CORRUPT, MR_RETRY,
                           "the rest of transaction %llu did not come from the stream",
                           (unsigned long long)source->applied);
        }
        loader->group[loader->group_count++] = batch;
        continued = batch->continued;
    }
    return true;
}

static bool group_is_full(const struct mr_loader *loader, uint64_t bytes)
{
    return loader->group_rows >= loader->group_rows_now || bytes >= loader->group_bytes_now ||
           loader->group_count == MR_LOADER_GROUP_MAX;
}

/* Takes what is at hand from one source. A batch that would overfill the group waits for the
 * next. */
static bool gather_from(struct mr_loader *loader, struct mr_loader_source *source, uint64_t *bytes,
                        struct mr_error *err)
{
    while (!group_is_full(loader, *bytes)) {
        struct mr_batch *batch = next_batch(source, 0, err);
        if (batch == NULL) {
            fall_into_gap(loader, source, err);
            return err->code == MR_OK;
        }
        if (loader->group_count > 0 &&
            loader->group_rows + batch->row_count > loader->group_rows_now) {
            source->pending = batch;
            loader->group_rows = loader->group_rows_now;
            return true;
        }
        const bool continued = batch->continued;
        loader->group[loader->group_count++] = batch;
        loader->group_rows += batch->row_count;
        *bytes += mr_batch_bytes(batch);
        if (continued) {
            return finish_continued(loader, source, err);
        }
    }
    return true;
}

static void record_latency(struct mr_loader *loader, const struct mr_batch *batch, int64_t now_us,
                           uint64_t now_ns)
{
    struct mr_loader_source *source = &loader->sources[batch->source_index];
    const uint64_t since_received_us = (now_ns - batch->received_ns) / 1000;
    for (uint32_t t = 0; t < batch->transaction_count; t++) {
        int64_t us = (int64_t)since_received_us;
        const int64_t commit_us = batch->transactions[t].commit_us;
        if (commit_us != 0 && source->commit_stamps_are_exact) {
            us = now_us - (commit_us + batch->clock_skew_us);
        }
        mr_histogram_record(&loader->commit_to_visible, us);
    }
    if (batch->transaction_count > 0) {
        const int64_t commit_us = batch->transactions[batch->transaction_count - 1].commit_us;
        atomic_store(&source->commit_us_last,
                     commit_us == 0 ? 0 : commit_us + batch->clock_skew_us);
        atomic_store(&source->visible_us_last, now_us);
    }
}

bool mr_loader_commit(struct mr_loader *loader, struct mr_error *err)
{
    mr_crash_point(MR_CRASH_LOADER_BEFORE_COMMIT);
    if (!loader->ops->commit(loader->sink, err)) {
        return false;
    }
    const int64_t now_us = loader->env->unix_us(loader->env);
    const uint64_t now_ns = loader->env->monotonic_ns(loader->env);
    for (uint32_t i = 0; i < loader->applied_count; i++) {
        record_latency(loader, loader->group[i], now_us, now_ns);
        if (loader->group[i]->position.length > 0) {
            advance(&loader->sources[loader->group[i]->source_index].reached,
                    loader->group[i]->native);
        }
    }
    (void)atomic_fetch_add(&loader->rows_total, loader->applied_rows + loader->copied_rows);
    loader->applied_rows = 0;
    loader->copied_rows = 0;
    loader->has_copied = false;
    for (uint32_t i = 0; i < loader->source_count; i++) {
        struct mr_loader_source *source = &loader->sources[i];
        mr_table_stats_publish(&source->stats);
        source->has_copied = false;
        source->committed = source->applied;
        atomic_store(&source->committed_shown, source->committed);
        mr_loader_release(loader, (uint16_t)i);
    }
    mr_loader_show_apart(loader);
    (void)atomic_fetch_add(&loader->commits_total, 1);
    log_quarantine(loader);
    return true;
}

/* Memory was short: less at once. */
static void shrink_groups(struct mr_loader *loader)
{
    const uint64_t rows = loader->group_rows_now / SHRINK_FACTOR;
    const uint64_t bytes = loader->group_bytes_now / SHRINK_FACTOR;
    loader->group_rows_now = rows == 0 ? 1 : rows;
    loader->group_bytes_now = bytes == 0 ? 1 : bytes;
}

/* A group was committed: twice as much at once, up to what is usual. */
static void grow_groups(struct mr_loader *loader)
{
    const uint64_t rows = loader->group_rows_now * 2;
    const uint64_t bytes = loader->group_bytes_now * 2;
    loader->group_rows_now = rows > loader->group_rows_max ? loader->group_rows_max : rows;
    loader->group_bytes_now = bytes > GROUP_BYTES_MAX ? GROUP_BYTES_MAX : bytes;
}

/* With a flush_interval a group that is not full waits to grow, counted from its oldest batch. */
static bool may_grow(const struct mr_loader *loader, uint64_t bytes)
{
    if (loader->flush_ns == 0 || loader->group_count == 0 || group_is_full(loader, bytes)) {
        return false;
    }
    const uint64_t age_ns = loader->env->monotonic_ns(loader->env) - loader->group[0]->received_ns;
    return age_ns < loader->flush_ns;
}

static bool load_streams(struct mr_loader *loader, bool *worked, struct mr_error *err)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < loader->group_count; i++) {
        bytes += mr_batch_bytes(loader->group[i]);
    }
    for (uint32_t i = 0; i < loader->source_count; i++) {
        struct mr_loader_source *source = &loader->sources[i];
        if (source->gate_is_open && !gather_from(loader, source, &bytes, err)) {
            return false;
        }
    }
    if (may_grow(loader, bytes)) {
        return true;
    }
    if (loader->group_count > 0) {
        if (!apply_group(loader, err) || !mr_loader_commit(loader, err)) {
            return false;
        }
        release_group(loader);
        grow_groups(loader);
        *worked = true;
    }
    for (uint32_t i = 0; i < loader->source_count; i++) {
        note_consistency(&loader->sources[i]);
    }
    return true;
}

void mr_loader_roll_back(struct mr_loader *loader)
{
    loader->ops->rollback(loader->sink);
    mr_loader_follow_reset(loader);
    release_group(loader);
    for (uint32_t i = 0; i < loader->source_count; i++) {
        mr_table_stats_discard(&loader->sources[i].stats);
        loader->sources[i].copy_is_broken |= loader->sources[i].has_copied;
        loader->sources[i].has_copied = false;
    }
    loader->applied_rows = 0;
    loader->copied_rows = 0;
    loader->has_copied = false;
}

/* Closes the sink, once nobody holds it, and opens it again. */
static bool open_anew(struct mr_loader *loader, struct mr_error *err)
{
    MR_ASSERT(pthread_rwlock_wrlock(&loader->sink_holders) == 0);
    loader->ops->close(loader->sink);
    loader->sink = loader->ops->open(&loader->context, err);
    (void)pthread_rwlock_unlock(&loader->sink_holders);
    return loader->sink != NULL;
}

struct mr_sink *mr_loader_hold_sink(struct mr_loader *loader)
{
    if (pthread_rwlock_tryrdlock(&loader->sink_holders) != 0) {
        return NULL;
    }
    struct mr_sink *sink = loader->sink;
    if (sink == NULL) {
        (void)pthread_rwlock_unlock(&loader->sink_holders);
    }
    return sink;
}

void mr_loader_let_sink_go(struct mr_loader *loader)
{
    (void)pthread_rwlock_unlock(&loader->sink_holders);
}

/* After a failure everything is read again from what the sink holds. */
static bool start_over(struct mr_loader *loader, struct mr_error *err)
{
    if (loader->failures >= LOADER_FAILURES_MAX) {
        if (!open_anew(loader, err)) {
            return false;
        }
        loader->failures = 0;
    }
    for (uint32_t i = 0; i < loader->source_count; i++) {
        if (!mr_loader_take_up(loader, (uint16_t)i, err)) {
            return false;
        }
    }
    return true;
}

static enum mr_step on_failure(struct mr_loader *loader, struct mr_error *err)
{
    (void)atomic_fetch_add(&loader->errors_total, 1);
    if (err->code == MR_E_LIMIT) {
        shrink_groups(loader); /* a sink opened anew would have no more memory */
    } else {
        loader->failures++;
    }
    if (loader->sink != NULL) {
        mr_loader_roll_back(loader);
    }
    if (err->recovery == MR_STOP) {
        return MR_STEP_FAILED;
    }
    struct mr_error again = {0};
    if (!start_over(loader, &again)) {
        loader->failures = LOADER_FAILURES_MAX; /* next time with a sink opened anew */
        if (again.recovery == MR_STOP) {
            *err = again;
            return MR_STEP_FAILED;
        }
    }
    return MR_STEP_PAUSED;
}

enum mr_step mr_loader_step(struct mr_loader *loader, uint32_t wait_ms, struct mr_error *err)
{
    bool worked = false;
    if (loader->sink == NULL) { /* opening it anew failed: try again */
        if (!open_anew(loader, err) || !start_over(loader, err)) {
            return err->recovery == MR_STOP ? MR_STEP_FAILED : MR_STEP_PAUSED;
        }
    }
    if (!mr_loader_copy(loader, &worked, err) || !load_streams(loader, &worked, err) ||
        !mr_loader_follow(loader, &worked, err) ||
        !loader->ops->maintain(loader->sink, !worked, err)) {
        return on_failure(loader, err);
    }
    loader->failures = 0;
    if (worked) {
        return MR_STEP_WORKED;
    }
    (void)mr_doorbell_wait(&loader->bell, wait_ms);
    return MR_STEP_IDLE;
}
