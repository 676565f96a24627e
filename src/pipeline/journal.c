// SPDX-License-Identifier: MIT
/*
 * journal.c - see journal.h.
 */
#include "journal.h"

#include <string.h>

#include "crash_point.h"

#define EXPIRE_INTERVAL_NS UINT64_C(1000000000)

bool mr_journal_init(struct mr_journal *journal, const struct mr_stream_ops *ops,
                     struct mr_stream *stream, const struct mr_env *env, size_t inbox_batches,
                     struct mr_error *err)
{
    *journal = (struct mr_journal){.ops = ops, .stream = stream, .env = env};
    MR_ASSERT(pthread_mutex_init(&journal->lock, NULL) == 0);
    journal->inbox = mr_queue_open(inbox_batches);
    const struct mr_position *position = ops->position(stream);
    if (!mr_position_is_set(position)) {
        return true;
    }
    return mr_position_set(&journal->durable, mr_slice_of(position->epoch),
                           mr_slice_of(position->text), position->native, err);
}

void mr_journal_done(struct mr_journal *journal)
{
    if (journal->inbox == NULL) {
        return;
    }
    mr_batch_release(journal->held);
    for (uint32_t i = 0; i < journal->group_count; i++) {
        mr_batch_release(journal->group[i]); /* appended, but the sync failed */
    }
    for (struct mr_batch *batch; (batch = mr_queue_pop(journal->inbox, 0)) != NULL;) {
        mr_batch_release(batch);
    }
    mr_queue_close(journal->inbox);
    mr_position_done(&journal->durable);
    (void)pthread_mutex_destroy(&journal->lock);
    *journal = (struct mr_journal){0};
}

void mr_journal_add_bell(struct mr_journal *journal, struct mr_doorbell *bell)
{
    MR_ASSERT(journal->bell_count < MR_JOURNAL_BELLS_MAX);
    journal->bells[journal->bell_count++] = bell;
}

static void ring_bells(struct mr_journal *journal)
{
    for (uint32_t i = 0; i < journal->bell_count; i++) {
        mr_doorbell_ring(journal->bells[i]);
    }
}

static bool append_one(struct mr_journal *journal, struct mr_batch *batch, struct mr_error *err)
{
    if (batch->aborts) {
        return journal->ops->abort(journal->stream, err);
    }
    return journal->ops->append(journal->stream, batch, err);
}

/* Fills the group from the inbox. False: the batch in `held` could not be appended, see *err. */
static bool gather(struct mr_journal *journal, uint32_t wait_ms, struct mr_error *err)
{
    while (journal->group_count < MR_JOURNAL_GROUP_MAX) {
        struct mr_batch *batch = journal->held;
        journal->held = NULL;
        if (batch == NULL) {
            batch = mr_queue_pop(journal->inbox, journal->group_count == 0 ? wait_ms : 0);
        }
        if (batch == NULL) {
            return true;
        }
        if (!append_one(journal, batch, err)) {
            journal->held = batch;
            return false;
        }
        journal->group[journal->group_count++] = batch;
    }
    return true;
}

static bool publish_position(struct mr_journal *journal, struct mr_error *err)
{
    const struct mr_position *position = journal->ops->position(journal->stream);
    if (!mr_position_is_set(position)) {
        return true;
    }
    MR_ASSERT(pthread_mutex_lock(&journal->lock) == 0);
    const bool set = mr_position_set(&journal->durable, mr_slice_of(position->epoch),
                                     mr_slice_of(position->text), position->native, err);
    (void)pthread_mutex_unlock(&journal->lock);
    return set;
}

/* Makes the group durable, then publishes: never the other way round. */
static bool settle(struct mr_journal *journal, struct mr_error *err)
{
    if (journal->group_count == 0) {
        return true;
    }
    mr_crash_point(MR_CRASH_JOURNAL_BEFORE_SYNC);
    if (!journal->ops->sync(journal->stream, err)) {
        return false;
    }
    if (!publish_position(journal, err)) {
        return false;
    }
    uint64_t rows = 0;
    for (uint32_t i = 0; i < journal->group_count; i++) {
        rows += journal->group[i]->row_count;
        mr_batch_release(journal->group[i]);
    }
    (void)atomic_fetch_add(&journal->rows_total, rows);
    (void)atomic_fetch_add(&journal->settled, journal->group_count);
    journal->group_count = 0;
    ring_bells(journal);
    return true;
}

static bool expire_when_due(struct mr_journal *journal, struct mr_error *err)
{
    const uint64_t now_ns = journal->env->monotonic_ns(journal->env);
    if (now_ns < journal->expire_at_ns) {
        return true;
    }
    journal->expire_at_ns = now_ns + EXPIRE_INTERVAL_NS;
    return journal->ops->expire(journal->stream, err);
}

enum mr_step mr_journal_step(struct mr_journal *journal, uint32_t wait_ms, struct mr_error *err)
{
    struct mr_error append_error = {0};
    const bool was_held = journal->held != NULL;
    const bool gathered = gather(journal, wait_ms, &append_error);
    const bool worked = journal->group_count > 0;

    if (!gathered && append_error.recovery == MR_STOP) {
        *err = append_error;
        return MR_STEP_FAILED;
    }
    if (!settle(journal, err) || !expire_when_due(journal, err)) {
        return MR_STEP_FAILED;
    }
    atomic_store(&journal->is_paused, !gathered);
    if (!gathered) {
        if (!was_held || worked) {
            *err = append_error; /* reported once, when the pause begins */
        }
        return MR_STEP_PAUSED;
    }
    return worked ? MR_STEP_WORKED : MR_STEP_IDLE;
}

bool mr_journal_position(struct mr_journal *journal, struct mr_position *copy, struct mr_error *err)
{
    bool copied = true;
    MR_ASSERT(pthread_mutex_lock(&journal->lock) == 0);
    if (mr_position_is_set(&journal->durable)) {
        copied = mr_position_set(copy, mr_slice_of(journal->durable.epoch),
                                 mr_slice_of(journal->durable.text), journal->durable.native, err);
    }
    (void)pthread_mutex_unlock(&journal->lock);
    return copied;
}

struct mr_native_position mr_journal_native(struct mr_journal *journal)
{
    MR_ASSERT(pthread_mutex_lock(&journal->lock) == 0);
    const struct mr_native_position native = journal->durable.native;
    (void)pthread_mutex_unlock(&journal->lock);
    return native;
}
