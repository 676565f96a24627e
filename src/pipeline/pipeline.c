// SPDX-License-Identifier: MIT
/*
 * pipeline.c - see pipeline.h. Assembly and end; the threads' loops are in pipeline_threads.c.
 */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pipeline_budget.h"
#include "pipeline_internal.h"

#define STOP_POLL_US UINT64_C(5000)

static bool open_stream(struct mr_pipeline *pipeline, struct mr_lane *lane,
                        const struct mr_budget *budget, struct mr_error *err)
{
    const struct mr_pipeline_config *config = pipeline->config;
    const struct mr_stream_context context = {
        .source = lane->config->name,
        .config = config->stream.config,
        .env = pipeline->env,
        .data_dir_fd = pipeline->data_dir.fd,
        .catalog = lane->catalog,
        .tail_bytes_max = budget->tail_bytes,
        .tail_batches_max = MR_BUDGET_TAIL_BATCHES,
        .source_index = (uint16_t)(lane - pipeline->lanes),
        .batch_bytes_max = budget->target_bytes * 2 + config->value_bytes_max * 3,
    };
    lane->stream_ops = config->stream.ops;
    lane->stream = lane->stream_ops->open(&context, err);
    return lane->stream != NULL && mr_journal_init(&lane->journal, lane->stream_ops, lane->stream,
                                                   pipeline->env, MR_BUDGET_INBOX, err);
}

static bool open_loaders(struct mr_pipeline *pipeline, const struct mr_budget *budget,
                         struct mr_error *err)
{
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        struct mr_outlet *outlet = &pipeline->outlets[i];
        const struct mr_sink_config *config = &pipeline->config->sinks[i];
        *outlet = (struct mr_outlet){.pipeline = pipeline, .config = config};
        const struct mr_sink_context context = {
            .name = config->name,
            .config = config->config,
            .env = pipeline->env,
            .source_names = pipeline->source_names,
            .source_count = pipeline->lane_count,
            .memory_bytes = budget->engine_bytes,
            .batch_rows_max = config->batch_rows_max,
            .policies = &pipeline->config->policies,
        };
        outlet->loader = calloc(1, sizeof(*outlet->loader));
        MR_ASSERT(outlet->loader != NULL);
        pipeline->loaders[i] = outlet->loader;
        if (!mr_loader_init(outlet->loader, config->ops, &context, i, err)) {
            return mr_error_context(err, "open sink \"%s\"", config->name);
        }
        if (config->flush_interval_ms != MR_DURATION_AUTO) {
            outlet->loader->flush_ns = config->flush_interval_ms * 1000000;
        }
        for (uint32_t s = 0; s < pipeline->lane_count; s++) {
            struct mr_lane *lane = &pipeline->lanes[s];
            if (!mr_loader_add_source(outlet->loader, lane->stream_ops, lane->stream, err)) {
                return mr_error_context(err, "sink \"%s\", source \"%s\"", config->name,
                                        lane->config->name);
            }
            mr_journal_add_bell(&lane->journal, &outlet->loader->bell);
            if (lane->config->snapshot == MR_SNAPSHOT_NO_DATA) {
                mr_loader_open_gate(outlet->loader, (uint16_t)s);
            }
        }
    }
    return true;
}

static bool open_link(struct mr_pipeline *pipeline, struct mr_lane *lane, uint16_t index,
                      const struct mr_budget *budget, struct mr_error *err)
{
    const struct mr_link_options options = {
        .ops = lane->config->ops,
        .context =
            {
                .pipeline = pipeline->config->pipeline,
                .name = lane->config->name,
                .config = lane->config->config,
                .env = pipeline->env,
                .catalog = lane->catalog,
                .choices = lane->choices,
                .target_bytes = budget->target_bytes,
                .value_bytes_max = pipeline->config->value_bytes_max,
                .wait_ms_max = lane->config->connect_timeout_ms,
                .data_dir_fd = pipeline->data_dir.fd,
                .policies = &pipeline->config->policies,
                .nulled = lane->nulled,
                .nulls_large_values = pipeline->config->on_large_value == MR_ON_LARGE_VALUE_NULL,
            },
        .source_index = index,
        .journal = &lane->journal,
        .loaders = pipeline->loaders,
        .loader_count = pipeline->outlet_count,
        .copies_tables = lane->config->snapshot != MR_SNAPSHOT_NO_DATA,
        .ends_with_copy = lane->config->snapshot == MR_SNAPSHOT_INITIAL_ONLY,
        .recopies = lane->config->on_lost_position == MR_LOST_SNAPSHOT,
        .copy_workers = (uint32_t)lane->config->snapshot_workers,
        .pool_batches = MR_BUDGET_POOL_BATCHES,
        .pool_kept_bytes = budget->pool_kept_bytes,
        .table_copied = mr_lane_table_copied,
        .table_context = lane,
    };
    lane->link_is_ready = mr_link_init(&lane->link, &options, err);
    if (lane->link_is_ready) {
        mr_lane_take_up_tables(lane);
    }
    return lane->link_is_ready;
}

static bool open_lanes(struct mr_pipeline *pipeline, const struct mr_budget *budget,
                       struct mr_error *err)
{
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_lane *lane = &pipeline->lanes[i];
        lane->pipeline = pipeline;
        lane->config = &pipeline->config->sources[i];
        pipeline->source_names[i] = lane->config->name;
        lane->catalog = mr_catalog_open();
        lane->nulled = mr_nulled_open();
        lane->choices = mr_table_choices_open();
        if (!open_stream(pipeline, lane, budget, err)) {
            return mr_error_context(err, "open stream of source \"%s\"", lane->config->name);
        }
    }
    return true;
}

static bool assemble(struct mr_pipeline *pipeline, enum mr_exit *exit_code, struct mr_error *err)
{
    const struct mr_budget budget = mr_budget_of(pipeline->config->memory_bytes_max,
                                                 pipeline->lane_count, pipeline->outlet_count);
    *exit_code = MR_EXIT_CONFIG;
    if (!mr_data_dir_open(&pipeline->data_dir, pipeline->env, pipeline->config->data_dir, err)) {
        return false;
    }
    *exit_code = MR_EXIT_INTERNAL;
    pipeline->book = mr_table_book_open(pipeline->env, pipeline->data_dir.fd, err);
    if (pipeline->book == NULL || !open_lanes(pipeline, &budget, err)) {
        return false;
    }
    *exit_code = MR_EXIT_SINK;
    if (!open_loaders(pipeline, &budget, err)) {
        return false;
    }
    *exit_code = MR_EXIT_INTERNAL;
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        if (!open_link(pipeline, &pipeline->lanes[i], (uint16_t)i, &budget, err)) {
            return false;
        }
    }
    *exit_code = MR_EXIT_DONE;
    return true;
}

struct mr_pipeline *mr_pipeline_open(const struct mr_pipeline_config *config,
                                     const struct mr_env *env, enum mr_exit *exit_code,
                                     struct mr_error *err)
{
    MR_ASSERT(config->source_count <= MR_LOADER_SOURCES_MAX);
    MR_ASSERT(config->sink_count <= MR_STREAM_SINKS_MAX);
    struct mr_pipeline *pipeline = calloc(1, sizeof(*pipeline));
    MR_ASSERT(pipeline != NULL);
    pipeline->config = config;
    pipeline->env = env;
    pipeline->data_dir = (struct mr_data_dir){.fd = -1, .lock_fd = -1};
    pipeline->started_us = env->unix_us(env);
    pipeline->lane_count = (uint32_t)config->source_count;
    pipeline->outlet_count = (uint32_t)config->sink_count;
    pipeline->lanes = calloc(pipeline->lane_count + 1, sizeof(*pipeline->lanes));
    pipeline->outlets = calloc(pipeline->outlet_count + 1, sizeof(*pipeline->outlets));
    MR_ASSERT(pipeline->lanes != NULL && pipeline->outlets != NULL);
    MR_ASSERT(pthread_mutex_init(&pipeline->lock, NULL) == 0);
    pipeline->history = mr_history_open(pipeline->lane_count, pipeline->outlet_count);
    if (!assemble(pipeline, exit_code, err)) {
        mr_pipeline_close(pipeline);
        return NULL;
    }
    return pipeline;
}

void mr_pipeline_start(struct mr_pipeline *pipeline)
{
    MR_ASSERT(!pipeline->is_started);
    pipeline->is_started = true;
    atomic_store(&pipeline->links_running, pipeline->lane_count);
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        struct mr_outlet *outlet = &pipeline->outlets[i];
        MR_ASSERT(pthread_create(&outlet->thread, NULL, mr_pipeline_run_loader, outlet) == 0);
    }
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_lane *lane = &pipeline->lanes[i];
        MR_ASSERT(pthread_create(&lane->journal_thread, NULL, mr_pipeline_run_journal, lane) == 0);
        MR_ASSERT(pthread_create(&lane->link_thread, NULL, mr_pipeline_run_link, lane) == 0);
    }
    mr_log(MR_LOG_INFO, "pipeline.started", MR_LOG_S("pipeline", pipeline->config->pipeline),
           MR_LOG_I("sources", pipeline->lane_count), MR_LOG_I("sinks", pipeline->outlet_count));
}

bool mr_pipeline_is_running(struct mr_pipeline *pipeline)
{
    if (atomic_load(&pipeline->has_failed)) {
        return false;
    }
    return pipeline->lane_count == 0 || atomic_load(&pipeline->links_running) > 0;
}

static void join(pthread_t thread)
{
    MR_ASSERT(pthread_join(thread, NULL) == 0);
}

/* Some sink has set a table aside. The loaders have ended. */
static bool has_quarantined(struct mr_pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        struct mr_sink_observation seen = {0};
        struct mr_sink *sink = mr_loader_hold_sink(pipeline->loaders[i]);
        if (sink != NULL) {
            pipeline->loaders[i]->ops->observe(sink, &seen);
            mr_loader_let_sink_go(pipeline->loaders[i]);
        }
        if (seen.quarantined_count > 0) {
            return true;
        }
    }
    return false;
}

enum mr_exit mr_pipeline_stop(struct mr_pipeline *pipeline, uint64_t drain_ms, struct mr_error *err)
{
    MR_ASSERT(pipeline->is_started);
    const struct mr_env *env = pipeline->env;
    atomic_store(&pipeline->links_stop, true);
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        join(pipeline->lanes[i].link_thread);
    }
    atomic_store(&pipeline->journals_stop, true);
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        join(pipeline->lanes[i].journal_thread);
    }
    const uint64_t deadline_ns = env->monotonic_ns(env) + drain_ms * 1000000;
    atomic_store(&pipeline->loaders_drain, true);
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        struct mr_outlet *outlet = &pipeline->outlets[i];
        while (!mr_queue_is_shut(outlet->loader->commands) &&
               env->monotonic_ns(env) < deadline_ns) {
            env->sleep_us(env, STOP_POLL_US);
        }
    }
    atomic_store(&pipeline->loaders_stop, true);
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        join(pipeline->outlets[i].thread);
    }
    pipeline->is_started = false;
    if (pipeline->exit_code == MR_EXIT_DONE && has_quarantined(pipeline)) {
        pipeline->exit_code = MR_EXIT_QUARANTINED;
    }
    *err = pipeline->failure;
    mr_log(MR_LOG_INFO, "pipeline.stopped", MR_LOG_S("pipeline", pipeline->config->pipeline),
           MR_LOG_I("exit_code", pipeline->exit_code));
    return pipeline->exit_code;
}

void mr_pipeline_close(struct mr_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return;
    }
    MR_ASSERT(!pipeline->is_started);
    const struct mr_env *env = pipeline->env;
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        if (pipeline->outlets[i].loader != NULL) {
            mr_loader_done(pipeline->outlets[i].loader);
            free(pipeline->outlets[i].loader);
        }
    }
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_lane *lane = &pipeline->lanes[i];
        mr_journal_done(&lane->journal);
        if (lane->stream != NULL) {
            lane->stream_ops->close(lane->stream); /* lets go of the batches of its tail */
        }
        if (lane->link_is_ready) {
            mr_link_done(&lane->link);
        }
        mr_catalog_close(lane->catalog);
        mr_nulled_close(lane->nulled);
        mr_table_choices_close(lane->choices);
        if (lane->pipeline != NULL) {
            mr_lane_forget_failures(lane, NULL, NULL);
        }
    }
    mr_table_book_close(pipeline->book);
    mr_data_dir_close(&pipeline->data_dir, env);
    (void)pthread_mutex_destroy(&pipeline->lock);
    mr_history_close(pipeline->history);
    free(pipeline->lanes);
    free(pipeline->outlets);
    free(pipeline);
}

void mr_pipeline_tick(struct mr_pipeline *pipeline)
{
    MR_ASSERT(pipeline->is_started);
    mr_history_tick(pipeline->history, pipeline);
}

uint64_t mr_pipeline_version(const struct mr_pipeline *pipeline)
{
    uint64_t version = 0;
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        version += atomic_load(&pipeline->loaders[i]->commits_total);
    }
    return version;
}

void mr_pipeline_history(struct mr_pipeline *pipeline, struct mr_json *json)
{
    mr_history_write(pipeline->history, pipeline, json);
}

static struct mr_loader *find_loader(struct mr_pipeline *pipeline, const struct mr_sink_ops *ops)
{
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        if (pipeline->outlets[i].config->ops == ops) {
            return pipeline->loaders[i];
        }
    }
    return NULL;
}

struct mr_sink *mr_pipeline_hold_sink(struct mr_pipeline *pipeline, const struct mr_sink_ops *ops,
                                      bool *exists)
{
    struct mr_loader *loader = find_loader(pipeline, ops);
    *exists = loader != NULL;
    return loader == NULL ? NULL : mr_loader_hold_sink(loader);
}

void mr_pipeline_let_sink_go(struct mr_pipeline *pipeline, const struct mr_sink_ops *ops)
{
    struct mr_loader *loader = find_loader(pipeline, ops);
    MR_ASSERT(loader != NULL);
    mr_loader_let_sink_go(loader);
}

struct mr_stream *mr_pipeline_stream(struct mr_pipeline *pipeline, const char *source,
                                     const struct mr_stream_ops **ops)
{
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        if (strcmp(pipeline->lanes[i].config->name, source) == 0) {
            *ops = pipeline->lanes[i].stream_ops;
            return pipeline->lanes[i].stream;
        }
    }
    return NULL;
}

const char *mr_pipeline_source_name(const struct mr_pipeline *pipeline, uint32_t index)
{
    return index < pipeline->lane_count ? pipeline->lanes[index].config->name : NULL;
}
