// SPDX-License-Identifier: MIT
/*
 * link_connect.c - how a link gets from nothing to streaming, and the copy that belongs to it.
 *
 *   settled? -> position known? -- yes -> open -> copy complete in every sink?
 *                    | no                                   | no
 *                    v                                      v
 *        snapshot_open(): fixes the start;            snapshot_open() beside the
 *        the start is made durable;                   stream; the copy starts
 *        the copy starts
 */
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "link_internal.h"
#include "log.h"

#define SETTLE_POLL_US   UINT64_C(500)
#define NS_PER_MS        UINT64_C(1000000)
#define TELL_INTERVAL_NS UINT64_C(2000000000)

static bool is_settled(struct mr_link *link)
{
    return atomic_load(&link->options.journal->settled) == link->pushed;
}

/* A question that opens the loader's gate when the answer is yes. */
static bool ask_copy_complete(struct mr_link *link, bool *complete, struct mr_error *err)
{
    *complete = true;
    for (uint32_t i = 0; i < link->options.loader_count; i++) {
        bool finished = false;
        const struct mr_load_command command = {
            .kind = MR_LOAD_IS_FINISHED,
            .source_index = link->options.source_index,
            .schema = &mr_schema_whole_source,
        };
        if (!mr_loader_ask(link->options.loaders[i], command, &finished, err)) {
            return false;
        }
        *complete = *complete && finished;
    }
    return true;
}

/* Takes ownership of the snapshot. */
static void start_copy(struct mr_link *link, struct mr_snapshot *snapshot)
{
    const struct mr_copy_options options = {
        .ops = link->options.ops,
        .snapshot = snapshot,
        .env = link->options.context.env,
        .loaders = link->options.loaders,
        .loader_count = link->options.loader_count,
        .source_index = link->options.source_index,
        .worker_count = link->options.copy_workers,
        .batch_bytes = link->options.context.target_bytes,
        .value_bytes_max = link->options.context.value_bytes_max,
    };
    mr_log(MR_LOG_INFO, "snapshot.started", MR_LOG_S("source", link->options.context.name),
           MR_LOG_I("workers", options.worker_count));
    struct mr_copy *copy = mr_copy_start(&options);
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    MR_ASSERT(link->copy == NULL);
    link->copy = copy;
    (void)pthread_mutex_unlock(&link->lock);
}

static bool push_start(struct mr_link *link, const struct mr_position *start, struct mr_error *err)
{
    struct mr_batch *batch = mr_batch_take(link->pool, 0);
    if (batch == NULL) {
        return mr_fail(err, MR_E_LIMIT, MR_RETRY, "no batch is free for the start position");
    }
    batch->source_index = link->options.source_index;
    if (!mr_batch_set_position(batch, mr_slice_of(start->epoch), mr_slice_of(start->text),
                               start->native, err)) {
        mr_batch_release(batch);
        return false;
    }
    (void)mr_link_push(link, batch, 0);
    return true;
}

/* How an unfinished copy of a table was cut, so that it goes on with what is missing. */
static const char *plan_of(void *context, const char *space, const char *table)
{
    struct mr_link *link = context;
    const struct mr_schema named = {.space = space, .table = table};
    const struct mr_load_command question = {
        .kind = MR_LOAD_PLAN,
        .source_index = link->options.source_index,
        .schema = &named,
        .plan = &link->copy_plan,
    };
    struct mr_error err = {0};
    bool answer = false;
    free(link->copy_plan);
    link->copy_plan = NULL;
    return mr_loader_ask(link->options.loaders[0], question, &answer, &err) ? link->copy_plan
                                                                            : NULL;
}

bool mr_link_open_snapshot(struct mr_link *link, bool has_position, struct mr_error *err)
{
    bool complete = link->copy_is_settled;
    if (!complete && !ask_copy_complete(link, &complete, err)) {
        return false;
    }
    link->copy_is_settled = complete;
    if (has_position && complete) {
        return true;
    }
    if (has_position && !mr_journal_position(link->options.journal, &link->resume, err)) {
        return false; /* afresh: the stream may have gone over to another server meanwhile */
    }
    struct mr_position start = {0};
    link->copy_wish = (struct mr_snapshot_wish){.plan_of = plan_of, .plan_context = link};
    link->copy_context = link->options.context;
    link->copy_context.wish = &link->copy_wish;
    struct mr_snapshot *snapshot = link->options.ops->snapshot_open(
        &link->copy_context, !complete, has_position ? &link->resume : NULL, &start, err);
    if (snapshot == NULL) {
        mr_position_done(&start);
        return false;
    }
    bool opened = true;
    if (!has_position) {
        MR_ASSERT(mr_position_is_set(&start));
        opened = push_start(link, &start, err);
    }
    mr_position_done(&start);
    if (opened && !complete) {
        start_copy(link, snapshot);
    } else {
        link->options.ops->snapshot_close(snapshot);
    }
    return opened;
}

/* Once a process: what is set wrongly is told with its cure, before the server's own refusal. */
static bool look_at_server(struct mr_link *link, struct mr_error *err)
{
    if (link->is_looked_at || link->options.ops->preflight == NULL) {
        return true;
    }
    struct mr_findings findings = {0};
    if (!link->options.ops->preflight(&link->options.context, &findings, err)) {
        mr_findings_done(&findings);
        return false;
    }
    for (uint32_t i = 0; i < findings.count; i++) {
        const struct mr_finding *finding = &findings.items[i];
        if (finding->level == MR_FINDING_ERROR && !finding->is_lost) {
            const bool is_first = err->code == MR_OK;
            char before[MR_ERROR_MESSAGE_BYTES_MAX];
            memcpy(before, err->message, sizeof(before));
            mr_fail(err, MR_E_CONFIG, MR_STOP, "%s%s%s: %s", is_first ? "" : before,
                    is_first ? "" : "; and ", finding->what, finding->detail);
        }
        if (finding->level == MR_FINDING_WARNING) {
            mr_log(MR_LOG_WARN, "source.warned", MR_LOG_S("source", link->options.context.name),
                   MR_LOG_S("what", finding->what), MR_LOG_S("detail", finding->detail));
        }
    }
    mr_findings_done(&findings);
    link->is_looked_at = err->code == MR_OK;
    return link->is_looked_at;
}

static bool open_source(struct mr_link *link, struct mr_error *err)
{
    link->source = link->options.ops->open(&link->options.context, &link->resume, err);
    if (link->source == NULL) {
        return false;
    }
    link->acked = (struct mr_native_position){0};
    link->ack_at_ns = 0;
    link->observe_at_ns = 0;
    mr_log(MR_LOG_INFO, "source.connected", MR_LOG_S("source", link->options.context.name),
           MR_LOG_S("position", link->resume.text), MR_LOG_S("epoch", link->resume.epoch));
    link->has_streamed = true;
    mr_link_move(link, MR_LINK_STREAMING);
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    link->view.last_error = (struct mr_error){0};
    (void)pthread_mutex_unlock(&link->lock);
    return true;
}

enum mr_step mr_link_connect(struct mr_link *link, struct mr_error *err)
{
    const struct mr_env *env = link->options.context.env;
    if (link->held != NULL && !mr_link_push(link, link->held, 0)) {
        return MR_STEP_IDLE;
    }
    if (!is_settled(link)) {
        env->sleep_us(env, SETTLE_POLL_US);
        return MR_STEP_IDLE;
    }
    if (link->is_lost) {
        return mr_link_start_anew(link, err);
    }
    if (!look_at_server(link, err) ||
        !mr_journal_position(link->options.journal, &link->resume, err)) {
        return mr_link_on_error(link, err);
    }
    const bool has_position = mr_position_is_set(&link->resume);
    if (!has_position) {
        return mr_link_open_snapshot(link, false, err) /* open once the start is durable */
                   ? MR_STEP_WORKED
                   : mr_link_on_error(link, err);
    }
    return open_source(link, err) ? MR_STEP_WORKED : mr_link_on_error(link, err);
}

void mr_link_close_copy(struct mr_link *link)
{
    MR_ASSERT(pthread_mutex_lock(&link->lock) == 0);
    struct mr_copy *copy = link->copy;
    link->copy = NULL;
    (void)pthread_mutex_unlock(&link->lock);
    mr_copy_close(copy);
}

/* The stream goes on while the copy waits for its next attempt. */
static enum mr_step put_copy_off(struct mr_link *link, struct mr_error *err)
{
    const struct mr_env *env = link->options.context.env;
    if (err->recovery != MR_RETRY) {
        (void)mr_error_context(err, "copy tables of source \"%s\"", link->options.context.name);
        return mr_link_on_error(link, err);
    }
    link->copy_attempt++;
    const uint64_t wait_ms = mr_backoff_ms(link->copy_attempt, env->random(env));
    link->copy_retry_at_ns = env->monotonic_ns(env) + wait_ms * NS_PER_MS;
    mr_log(MR_LOG_WARN, "snapshot.backoff", MR_LOG_S("source", link->options.context.name),
           MR_LOG_I("wait_ms", wait_ms), MR_LOG_S("error", err->message));
    return MR_STEP_IDLE;
}

static enum mr_step on_copy_failed(struct mr_link *link, struct mr_error *err)
{
    mr_copy_error(link->copy, err);
    mr_link_close_copy(link);
    return put_copy_off(link, err);
}

static void tell_progress(struct mr_link *link)
{
    const struct mr_env *env = link->options.context.env;
    const uint64_t now_ns = env->monotonic_ns(env);
    if (now_ns < link->copy_told_at_ns) {
        return;
    }
    link->copy_told_at_ns = now_ns + TELL_INTERVAL_NS;
    const struct mr_copy_totals totals = mr_copy_totals(link->copy);
    mr_log(MR_LOG_INFO, "snapshot.progressed", MR_LOG_S("source", link->options.context.name),
           MR_LOG_I("tables", totals.tables), MR_LOG_I("tables_finished", totals.tables_finished),
           MR_LOG_I("rows", totals.rows), MR_LOG_I("percent", totals.percent),
           MR_LOG_I("rows_per_second", totals.rows_per_second),
           MR_LOG_I("seconds_left",
                    totals.seconds_left == UINT64_MAX ? -1 : (int64_t)totals.seconds_left));
}

enum mr_step mr_link_tend_copy(struct mr_link *link, struct mr_error *err)
{
    const struct mr_env *env = link->options.context.env;
    if (link->copy_is_settled) {
        return MR_STEP_IDLE;
    }
    if (link->copy == NULL) {
        if (env->monotonic_ns(env) < link->copy_retry_at_ns) {
            return MR_STEP_IDLE;
        }
        return mr_link_open_snapshot(link, true, err) ? MR_STEP_IDLE : put_copy_off(link, err);
    }
    switch (mr_copy_state(link->copy)) {
    case MR_COPY_RUNNING:
        tell_progress(link);
        return MR_STEP_IDLE;
    case MR_COPY_FAILED:
        return on_copy_failed(link, err);
    case MR_COPY_DONE:
        break;
    }
    mr_log(MR_LOG_INFO, "snapshot.finished", MR_LOG_S("source", link->options.context.name),
           MR_LOG_I("elapsed_ms", mr_copy_elapsed_ms(link->copy)));
    link->copy_is_settled = true;
    link->copy_attempt = 0;
    if (link->options.ends_with_copy) {
        mr_link_move(link, MR_LINK_STOPPED);
    }
    return MR_STEP_IDLE;
}
