// SPDX-License-Identifier: MIT
/*
 * pipeline_internal.h - the pipeline's inside, shared by assembly, threads, status and metrics.
 */
#ifndef MR_PIPELINE_PIPELINE_INTERNAL_H
#define MR_PIPELINE_PIPELINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "data_dir.h"
#include "history.h"
#include "journal.h"
#include "link.h"
#include "loader.h"
#include "pipeline.h"
#include "pipeline_tables.h"
#include "table_book.h"

/** A table whose copy was given up. */
struct mr_table_failure {
    struct mr_table_failure *next;
    char *space;
    char *table;
    char message[MR_ERROR_MESSAGE_BYTES_MAX];
};

/** One source with everything that is its own. */
struct mr_lane {
    struct mr_pipeline *pipeline;
    const struct mr_source_config *config;
    struct mr_catalog *catalog;
    struct mr_nulled *nulled;
    struct mr_table_choices *choices;
    struct mr_table_failure *failures; /* under the pipeline's lock */
    uint32_t failure_count;
    const struct mr_stream_ops *stream_ops;
    struct mr_stream *stream;
    struct mr_journal journal;
    struct mr_link link;
    pthread_t link_thread;
    pthread_t journal_thread;
    bool link_is_ready; /* initialised */
};

struct mr_outlet {
    struct mr_pipeline *pipeline;
    const struct mr_sink_config *config;
    struct mr_loader *loader;
    pthread_t thread;
};

struct mr_pipeline {
    const struct mr_pipeline_config *config;
    const struct mr_env *env;
    struct mr_data_dir data_dir;
    struct mr_table_book *book;
    struct mr_lane *lanes;
    uint32_t lane_count;
    struct mr_outlet *outlets;
    uint32_t outlet_count;
    struct mr_loader *loaders[MR_STREAM_SINKS_MAX];
    const char *source_names[MR_LOADER_SOURCES_MAX];
    int64_t started_us;
    struct mr_history *history;
    bool is_started;

    atomic_bool links_stop;
    atomic_bool journals_stop;
    atomic_bool loaders_drain; /* end once nothing is left to apply */
    atomic_bool loaders_stop;

    pthread_mutex_t lock; /* of failure and exit_code, and of the lanes' failures */
    struct mr_error failure;
    enum mr_exit exit_code;
    atomic_bool has_failed;
    atomic_uint links_running;
};

/** Records the first failure; the cli then stops the pipeline. */
void mr_pipeline_fail(struct mr_pipeline *pipeline, enum mr_exit exit_code,
                      const struct mr_error *err);

/** The bodies of the threads; the argument is a lane or an outlet. */
void *mr_pipeline_run_link(void *argument);
void *mr_pipeline_run_journal(void *argument);
void *mr_pipeline_run_loader(void *argument);

/** Everything durable of every open source is committed in this sink. */
bool mr_outlet_is_drained(struct mr_outlet *outlet);

#endif
