// SPDX-License-Identifier: MIT
/*
 * config.h - the pipeline's configuration: one YAML file, checked against option tables.
 *
 * Every key comes from a table (core/options.h): the ones below for what all plug-ins of a kind
 * share, the plug-in's own for the rest. The same tables make --help and docs/OPTIONS.md, so that
 * no key can exist without its documentation.
 *
 * Invariants of a loaded configuration:
 *   - every value lies within its option's bounds, every required one is there, and every plug-in
 *     has cross-checked its own part (check_config);
 *   - names of sources and sinks are unique, also without regard to case: they become schema names
 *     in targets that do not tell cases apart;
 *   - no policy asks for behaviour that this version does not have: that is refused, not ignored.
 *
 * FAILURE: MR_E_CONFIG, MR_STOP, with a message that starts with "file:line: ". A message never
 * holds a secret, nor what a ${...} stands for.
 */
#ifndef MR_PIPELINE_CONFIG_H
#define MR_PIPELINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "dashboard.h"
#include "env.h"
#include "error.h"
#include "options.h"
#include "sink.h"
#include "source.h"
#include "stream.h"
#include "table_policy.h"

#define MR_CONFIG_BYTES_MAX      (UINT64_C(1) << 20) /* of the file */
#define MR_CONFIG_SOURCES_MAX    64
#define MR_CONFIG_DASHBOARDS_MAX 32
#define MR_CONFIG_SINKS_MAX      MR_STREAM_SINKS_MAX
#define MR_CONFIG_POLICIES_MAX   1024 /* tables, and columns of one of them */
#define MR_CONFIG_NAME_MAX       48   /* bytes of a pipeline's, source's or sink's name */

/** What to do when the server lacks what follows our position. */
enum mr_lost_policy {
    MR_LOST_STOP,
    MR_LOST_SNAPSHOT, /* copy the source's tables anew */
};

/** Debezium's words. "never" is read as no_data. */
enum mr_snapshot_mode {
    MR_SNAPSHOT_INITIAL,      /* copy the tables once, then follow */
    MR_SNAPSHOT_INITIAL_ONLY, /* copy the tables once, then stop */
    MR_SNAPSHOT_NO_DATA,      /* follow from now on */
    MR_SNAPSHOT_WHEN_NEEDED,  /* as initial, and again when the log to resume from is gone */
    MR_SNAPSHOT_NEVER,        /* as written only: a loaded configuration says NO_DATA */
};

enum mr_on_large_value {
    MR_ON_LARGE_VALUE_STOP,
    MR_ON_LARGE_VALUE_QUARANTINE,
    MR_ON_LARGE_VALUE_NULL,
};

struct mr_source_config {
    const char *name;
    const char *type;
    const struct mr_source_ops *ops;
    void *config;      /* ops->config_size bytes, filled through ops->options */
    unsigned snapshot; /* enum mr_snapshot_mode, never MR_SNAPSHOT_NEVER */
    uint64_t snapshot_workers;
    uint64_t connect_timeout_ms;
    unsigned on_lost_position; /* enum mr_lost_policy */
    unsigned line;             /* in the file */
};

struct mr_stream_config {
    const char *type;
    const struct mr_stream_ops *ops;
    void *config;
};

struct mr_sink_config {
    const char *name;
    const char *type;
    const struct mr_sink_ops *ops;
    void *config;
    uint64_t batch_rows_max;
    uint64_t flush_interval_ms; /* MR_DURATION_AUTO: at once when idle */
    unsigned line;
};

struct mr_console_config {
    const char *listen;                    /* "address:port", or "off" */
    const char *token;                     /* secret; NULL: none is asked for */
    struct mr_string_list dashboard_files; /* relative to the configuration's folder */
    uint64_t query_rows_max;
    uint64_t query_time_ms_max;
};

struct mr_pipeline_config {
    const char *file; /* as given, for messages */
    uint64_t version;
    const char *pipeline;
    const char *data_dir;
    uint64_t memory_bytes_max;
    uint64_t value_bytes_max;
    unsigned on_large_value; /* enum mr_on_large_value */

    struct mr_source_config *sources;
    size_t source_count;
    struct mr_stream_config stream;
    struct mr_sink_config *sinks;
    size_t sink_count;
    unsigned on_type_error; /* enum mr_on_type_error, where a table says nothing */
    struct mr_policies policies;
    struct mr_console_config console;
    struct mr_dashboard *dashboards;
    uint32_t dashboard_count;

    struct mr_option_memory memory; /* owns every string above */
};

/** What loading may ask of the world around it. */
struct mr_config_surroundings {
    const struct mr_env *env;                  /* reads the file, and ${file:...} */
    const char *(*variable)(const char *name); /* ${NAME}; NULL when it is not set */
};

/* The option tables of what is not a plug-in's; each ends with {0}. */
extern const struct mr_option mr_config_pipeline_options[]; /* struct mr_pipeline_config */
extern const struct mr_option mr_config_source_options[];   /* struct mr_source_config */
extern const struct mr_option mr_config_stream_options[];   /* struct mr_stream_config */
extern const struct mr_option mr_config_sink_options[];     /* struct mr_sink_config */
extern const struct mr_option mr_config_policy_options[];   /* struct mr_table_policy */
extern const struct mr_option mr_config_column_options[];   /* struct mr_column_policy */

/** Loads a file. On failure *config is empty. Call mr_pipeline_config_done() in either case. */
bool mr_pipeline_config_load(struct mr_pipeline_config *config, const char *file,
                             const struct mr_config_surroundings *around,
                             struct mr_error *err) MR_MUST_CHECK;

/** As mr_pipeline_config_load(), from text; `file` is only shown in messages. */
bool mr_pipeline_config_parse(struct mr_pipeline_config *config, const char *file,
                              struct mr_slice text, const struct mr_config_surroundings *around,
                              struct mr_error *err) MR_MUST_CHECK;

/** Frees everything. Accepts a zeroed struct. */
void mr_pipeline_config_done(struct mr_pipeline_config *config);

#endif
