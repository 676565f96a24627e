// SPDX-License-Identifier: MIT
/*
 * pipeline_threads.c - the loops around the step functions, and when they end.
 *
 * Order of the end: links, then journals (what was handed on becomes durable), then loaders (what
 * is durable is committed). Each loop looks at its own flag only.
 */
#include <string.h>

#include "log.h"
#include "pipeline_internal.h"

#define LINK_WAIT_MS    50
#define JOURNAL_WAIT_MS 100
#define LOADER_WAIT_MS  100
#define PAUSE_US        UINT64_C(200000)

void mr_pipeline_fail(struct mr_pipeline *pipeline, enum mr_exit exit_code,
                      const struct mr_error *err)
{
    MR_ASSERT(pthread_mutex_lock(&pipeline->lock) == 0);
    if (pipeline->exit_code == MR_EXIT_DONE) {
        pipeline->exit_code = exit_code;
        pipeline->failure = *err;
    }
    (void)pthread_mutex_unlock(&pipeline->lock);
    atomic_store(&pipeline->has_failed, true);
}

void *mr_pipeline_run_link(void *argument)
{
    struct mr_lane *lane = argument;
    struct mr_pipeline *pipeline = lane->pipeline;
    while (!atomic_load(&pipeline->links_stop) && lane->link.state != MR_LINK_STOPPED) {
        struct mr_error err = {0};
        if (mr_link_step(&lane->link, LINK_WAIT_MS, &err) == MR_STEP_FAILED) {
            mr_pipeline_fail(pipeline, MR_EXIT_SOURCE, &err);
        }
    }
    mr_link_stop(&lane->link);
    (void)atomic_fetch_sub(&pipeline->links_running, 1);
    return NULL;
}

static void log_pause(const struct mr_lane *lane, const struct mr_error *err)
{
    if (err->code != MR_OK) {
        mr_log(MR_LOG_WARN, "stream.paused", MR_LOG_S("source", lane->config->name),
               MR_LOG_S("code", mr_errc_name(err->code)), MR_LOG_S("error", err->message));
    }
}

void *mr_pipeline_run_journal(void *argument)
{
    struct mr_lane *lane = argument;
    struct mr_pipeline *pipeline = lane->pipeline;
    const struct mr_env *env = pipeline->env;
    bool paused = false;
    for (;;) {
        const bool stopping = atomic_load(&pipeline->journals_stop);
        struct mr_error err = {0};
        const enum mr_step step = mr_journal_step(&lane->journal, JOURNAL_WAIT_MS, &err);
        if (step == MR_STEP_FAILED) {
            mr_log(MR_LOG_ERROR, "stream.stopped", MR_LOG_S("source", lane->config->name),
                   MR_LOG_S("code", mr_errc_name(err.code)), MR_LOG_S("error", err.message));
            mr_pipeline_fail(pipeline, MR_EXIT_INTERNAL, &err);
            return NULL;
        }
        if (stopping && step != MR_STEP_WORKED) {
            return NULL; /* drained, or full: the source sends it again */
        }
        if (step == MR_STEP_PAUSED) {
            log_pause(lane, &err);
            env->sleep_us(env, PAUSE_US);
        } else if (paused && step == MR_STEP_WORKED) {
            mr_log(MR_LOG_INFO, "stream.resumed", MR_LOG_S("source", lane->config->name));
        }
        paused = step == MR_STEP_PAUSED || (paused && step != MR_STEP_WORKED);
    }
}

bool mr_outlet_is_drained(struct mr_outlet *outlet)
{
    struct mr_loader *loader = outlet->loader;
    for (uint32_t i = 0; i < loader->source_count; i++) {
        const struct mr_loader_source *source = &loader->sources[i];
        struct mr_stream_observation observation = {0};
        source->ops->observe(source->stream, &observation);
        if (source->gate_is_open && source->committed < observation.last_sequence) {
            return false;
        }
    }
    return true;
}

void *mr_pipeline_run_loader(void *argument)
{
    struct mr_outlet *outlet = argument;
    struct mr_pipeline *pipeline = outlet->pipeline;
    const struct mr_env *env = pipeline->env;
    while (!atomic_load(&pipeline->loaders_stop)) {
        const bool draining = atomic_load(&pipeline->loaders_drain);
        struct mr_error err = {0};
        const enum mr_step step =
            mr_loader_step(outlet->loader, draining ? 1 : LOADER_WAIT_MS, &err);
        if (step == MR_STEP_FAILED) {
            mr_log(MR_LOG_ERROR, "sink.stopped", MR_LOG_S("sink", outlet->config->name),
                   MR_LOG_S("code", mr_errc_name(err.code)), MR_LOG_S("error", err.message));
            mr_loader_shut(outlet->loader, &err);
            mr_pipeline_fail(pipeline, MR_EXIT_SINK, &err);
            return NULL;
        }
        if (step == MR_STEP_PAUSED) {
            mr_log(MR_LOG_WARN, "sink.backoff", MR_LOG_S("sink", outlet->config->name),
                   MR_LOG_S("code", mr_errc_name(err.code)), MR_LOG_S("error", err.message));
            env->sleep_us(env, PAUSE_US);
        }
        if (draining && step == MR_STEP_IDLE && mr_outlet_is_drained(outlet)) {
            break;
        }
    }
    const struct mr_error ended = {
        .code = MR_E_CANCELLED, .recovery = MR_STOP, .message = "the pipeline is stopping"};
    mr_loader_shut(outlet->loader, &ended);
    return NULL;
}
