// SPDX-License-Identifier: MIT
/*
 * link.c - see link.h. This file: streaming, hand-over, errors; connecting is in link_connect.c.
 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "crash_point.h"
#include "link_internal.h"
#include "log.h"

#define ACK_INTERVAL_NS     UINT64_C(250000000)
#define OBSERVE_INTERVAL_NS UINT64_C(500000000)
#define NS_PER_MS           UINT64_C(1000000)
#define POOL_WAIT_MS        50

static uint64_t now_ns(const struct mr_link *link)
{
    const struct mr_env *env = link->options.context.env;
    return env->monotonic_ns(env);
}

bool mr_link_init(struct mr_link *link, const struct mr_link_options *options, struct mr_error *err)
{
    memset(link, 0, sizeof(*link));
    link->options = *options;
    link->copy_is_settled = !options->copies_tables || options->loader_count == 0;
    MR_ASSERT(pthread_mutex_init(&link->lock, NULL) == 0);
    const uint64_t capacity =
        options->context.target_bytes * 2 + options->context.value_bytes_max * 3;
    link->pool = mr_batch_pool_open(options->pool_batches, capacity, options->pool_kept_bytes, err);
    return link->pool != NULL;
}

void mr_link_stop(struct mr_link *link)
{
    link->options.ops->close(link->source);
    link->source = NULL;
    mr_link_close_copy(link);
    mr_link_stop_tables(link);
    mr_batch_release(link->held);
    link->held = NULL;
}

void mr_link_done(struct mr_link *link)
{
    if (link->options.ops == NULL) {
        return;
    }
    mr_link_stop(link);
    mr_batch_pool_close(link->pool);
    mr_position_done(&link->resume);
    free(link->copy_plan);
    (void)pthread_mutex_destroy(&link->lock);
    memset(link, 0, sizeof(*link));
}

void mr_link_move(struct mr_link *link, enum mr_link_state to)
{
    mr_sm_move(mr_link_states, &link->state, to);
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    link->view.state = to;
    link->view.attempt = link->attempt;
    (void)pthread_mutex_unlock(&link->lock);
}

static void show_error(struct mr_link *link, const struct mr_error *err)
{
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    link->view.last_error = *err;
    (void)pthread_mutex_unlock(&link->lock);
}

/*
 * Whether an error that asks to stop is worth another attempt all the same:
 *   - a lost position, when the tables may be copied anew;
 *   - a refusal after we have streamed: the configuration was right, so what changed is the server
 *     (a password that is being rotated, a certificate, a grant), and that may be mended.
 */
static bool may_retry(struct mr_link *link, const struct mr_error *err)
{
    if (err->recovery == MR_RETRY) {
        return true;
    }
    if (err->code == MR_E_LOST && link->options.recopies) {
        mr_log(MR_LOG_ERROR, "source.position_lost", MR_LOG_S("source", link->options.context.name),
               MR_LOG_S("position", link->resume.text), MR_LOG_S("error", err->message),
               MR_LOG_S("next", "its tables are copied anew; their history since then is lost"));
        link->is_lost = true;
        return true;
    }
    return err->code == MR_E_CONFIG && link->has_streamed;
}

/* The one place where an error of a source becomes a decision, a state and a log line. */
enum mr_step mr_link_on_error(struct mr_link *link, const struct mr_error *err)
{
    const char *name = link->options.context.name;
    link->options.ops->close(link->source);
    link->source = NULL;
    show_error(link, err);
    if (!may_retry(link, err)) {
        mr_log(MR_LOG_ERROR, "source.stopped", MR_LOG_S("source", name),
               MR_LOG_S("code", mr_errc_name(err->code)), MR_LOG_S("error", err->message));
        mr_link_move(link, MR_LINK_STOPPED);
        return MR_STEP_FAILED;
    }
    const struct mr_env *env = link->options.context.env;
    link->attempt++;
    const uint64_t wait_ms = mr_backoff_ms(link->attempt, env->random(env));
    link->backoff_until_ns = now_ns(link) + wait_ms * NS_PER_MS;
    mr_log(MR_LOG_WARN, "source.backoff", MR_LOG_S("source", name),
           MR_LOG_I("attempt", link->attempt), MR_LOG_I("wait_ms", wait_ms),
           MR_LOG_S("code", mr_errc_name(err->code)), MR_LOG_S("error", err->message));
    mr_link_move(link, MR_LINK_BACKOFF);
    return MR_STEP_PAUSED;
}

bool mr_link_push(struct mr_link *link, struct mr_batch *batch, uint32_t wait_ms)
{
    MR_ASSERT(link->held == NULL || link->held == batch);
    const uint64_t rows = batch->row_count;
    const uint64_t transactions = batch->transaction_count;
    const bool continued = batch->continued;
    if (!mr_queue_push(link->options.journal->inbox, batch, wait_ms)) {
        link->held = batch;
        return false;
    }
    link->held = NULL;
    link->pushed++;
    link->transaction_is_open = continued;
    (void)atomic_fetch_add(&link->rows_total, rows);
    (void)atomic_fetch_add(&link->transactions_total, transactions);
    return true;
}

/* Tells the server what is durable: when that moved on, and as a sign of life while we hold. */
static bool acknowledge(struct mr_link *link, struct mr_error *err)
{
    const uint64_t now = now_ns(link);
    const struct mr_native_position durable = mr_journal_native(link->options.journal);
    if (now < link->ack_at_ns) {
        return true;
    }
    link->ack_at_ns = now + ACK_INTERVAL_NS;
    MR_ASSERT(mr_native_position_compare(durable, link->acked) >= 0);
    if (mr_native_position_compare(durable, link->acked) > 0) {
        mr_crash_point(MR_CRASH_LINK_BEFORE_ACK);
    }
    link->acked = durable;
    return link->options.ops->ack(link->source, durable, err);
}

static void observe(struct mr_link *link)
{
    const uint64_t now = now_ns(link);
    if (now < link->observe_at_ns) {
        return;
    }
    link->observe_at_ns = now + OBSERVE_INTERVAL_NS;
    struct mr_source_observation observation = {0};
    link->options.ops->observe(link->source, &observation);
    link->clock_skew_us = observation.clock_skew_us;
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    link->view.observation = observation;
    link->view.observed_ns = now;
    (void)pthread_mutex_unlock(&link->lock);
    mr_link_watch_budget(link);
    for (uint32_t i = 0; i < link->options.loader_count; i++) {
        atomic_store(
            &link->options.loaders[i]->sources[link->options.source_index].commit_stamps_are_exact,
            observation.commit_resolution_us < 1000000);
    }
}

static void note_commit_time(struct mr_link *link, const struct mr_batch *batch)
{
    if (batch->transaction_count == 0) {
        return;
    }
    const int64_t commit_us = batch->transactions[batch->transaction_count - 1].commit_us;
    if (commit_us != 0) {
        atomic_store(&link->commit_us_last, commit_us + batch->clock_skew_us);
    }
}

static enum mr_step receive(struct mr_link *link, uint32_t wait_ms, struct mr_error *err)
{
    struct mr_batch *batch = mr_batch_take(link->pool, POOL_WAIT_MS);
    if (batch == NULL) {
        return MR_STEP_IDLE; /* all are on their way: the journal or a sink is behind */
    }
    batch->source_index = link->options.source_index;
    batch->continues = link->transaction_is_open;
    switch (link->options.ops->next(link->source, batch, wait_ms, err)) {
    case MR_NEXT_BATCH:
        batch->received_ns = now_ns(link);
        batch->clock_skew_us = link->clock_skew_us;
        note_commit_time(link, batch);
        link->attempt = 0;
        (void)mr_link_push(link, batch, wait_ms);
        return MR_STEP_WORKED;
    case MR_NEXT_IDLE:
        mr_batch_release(batch);
        return MR_STEP_IDLE;
    case MR_NEXT_END:
        mr_batch_release(batch);
        mr_link_move(link, MR_LINK_STOPPED);
        return MR_STEP_IDLE;
    case MR_NEXT_ERROR:
        mr_batch_release(batch);
        return mr_link_on_error(link, err);
    }
    MR_ASSERT(false && "a known result");
    return MR_STEP_FAILED;
}

/* Not an error: the connection is given up between two batches and made again at once. */
static enum mr_step connect_anew(struct mr_link *link)
{
    link->options.ops->close(link->source);
    link->source = NULL;
    link->backoff_until_ns = 0;
    mr_link_move(link, MR_LINK_BACKOFF);
    return MR_STEP_WORKED;
}

static enum mr_step stream(struct mr_link *link, uint32_t wait_ms, struct mr_error *err)
{
    if (!acknowledge(link, err)) {
        return mr_link_on_error(link, err);
    }
    observe(link);
    if (link->held != NULL) {
        return mr_link_push(link, link->held, wait_ms) ? MR_STEP_WORKED : MR_STEP_IDLE;
    }
    if (!mr_link_tend_gaps(link, err)) {
        return mr_link_on_error(link, err);
    }
    const enum mr_step copy = mr_link_tend_copy(link, err);
    if (copy == MR_STEP_FAILED || link->state != MR_LINK_STREAMING) {
        return copy;
    }
    if (atomic_exchange(&link->reopen_wanted, false)) {
        return connect_anew(link);
    }
    mr_link_tend_tables(link);
    return receive(link, wait_ms, err);
}

/* What a broken connection left behind is cleared before the next one: first what could not be
 * handed on, then the mark that drops a transaction handed on in part. */
static bool clear_up(struct mr_link *link, uint32_t wait_ms)
{
    if (link->held != NULL && !mr_link_push(link, link->held, wait_ms)) {
        return false;
    }
    if (!link->transaction_is_open) {
        return true;
    }
    struct mr_batch *abort = mr_batch_take(link->pool, POOL_WAIT_MS);
    if (abort == NULL) {
        return false;
    }
    abort->source_index = link->options.source_index;
    abort->aborts = true;
    return mr_link_push(link, abort, wait_ms);
}

enum mr_step mr_link_step(struct mr_link *link, uint32_t wait_ms, struct mr_error *err)
{
    const struct mr_env *env = link->options.context.env;
    switch (link->state) {
    case MR_LINK_IDLE:
        mr_link_move(link, MR_LINK_CONNECTING);
        return MR_STEP_WORKED;
    case MR_LINK_CONNECTING:
        return mr_link_connect(link, err);
    case MR_LINK_STREAMING:
        return stream(link, wait_ms, err);
    case MR_LINK_BACKOFF:
        if (!clear_up(link, wait_ms)) {
            return MR_STEP_IDLE;
        }
        if (now_ns(link) < link->backoff_until_ns) {
            mr_link_watch_budget(link);
            env->sleep_us(env, (uint64_t)wait_ms * 1000);
            return MR_STEP_IDLE;
        }
        mr_link_move(link, MR_LINK_CONNECTING);
        return MR_STEP_WORKED;
    case MR_LINK_STOPPED:
    case MR_LINK_STATE_COUNT:
        break;
    }
    env->sleep_us(env, (uint64_t)wait_ms * 1000);
    return MR_STEP_IDLE;
}

void mr_link_look(struct mr_link *link, struct mr_link_view *view)
{
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    *view = link->view;
    (void)pthread_mutex_unlock(&link->lock);
}

bool mr_link_copy_progress(struct mr_link *link, uint32_t index, struct mr_copy_progress *progress)
{
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    const bool found = link->copy != NULL && mr_copy_progress(link->copy, index, progress);
    (void)pthread_mutex_unlock(&link->lock);
    return found;
}

bool mr_link_copy_totals(struct mr_link *link, struct mr_copy_totals *totals)
{
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    const bool found = link->copy != NULL;
    if (found) {
        *totals = mr_copy_totals(link->copy);
    }
    (void)pthread_mutex_unlock(&link->lock);
    return found;
}
