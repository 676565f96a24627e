// SPDX-License-Identifier: MIT
/*
 * config_options.c - the option tables of the configuration's own parts (plug-ins bring theirs).
 */
#include "config.h"

static const char *const large_value_choices[] = {"stop", "quarantine", "null", NULL};
static const char *const lost_choices[] = {"stop", "snapshot", NULL};
static const char *const snapshot_choices[] = {"initial",     "initial_only", "no_data",
                                               "when_needed", "never",        NULL};
static const char *const mode_choices[] = {"current", "append", "history", NULL};
static const char *const schema_change_choices[] = {"evolve", "lenient", "quarantine", "stop",
                                                    NULL};
static const char *const type_error_choices[] = {"inherit", "stop", "quarantine",
                                                 "text",    "null", NULL};

const struct mr_option mr_config_pipeline_options[] = {
    {
        .name = "version",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_pipeline_config, version),
        .required = true,
        .help = "of this file's format: 1",
    },
    {
        .name = "pipeline",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_pipeline_config, pipeline),
        .required = true,
        .help = "the pipeline's name: letters, digits, _ and -; it names slots on the servers",
    },
    {
        .name = "data_dir",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_pipeline_config, data_dir),
        .fallback = "./data",
        .help =
            "directory of stream segments, checkpoints and spool; used by one process at a time",
    },
    {
        .name = "memory_max",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_pipeline_config, memory_bytes_max),
        .fallback = "256MiB",
        .min = UINT64_C(64) << 20,
        .help = "memory of everything together, but for one value that is being received",
    },
    {
        .name = "value_max",
        .type = MR_OPT_SIZE,
        .offset = offsetof(struct mr_pipeline_config, value_bytes_max),
        .fallback = "64MiB",
        .min = 1024,
        .max = UINT64_C(1) << 30,
        .help = "size of the largest value that is taken",
    },
    {
        .name = "on_large_value",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_pipeline_config, on_large_value),
        .fallback = "stop",
        .choices = large_value_choices,
        .help =
            "what a value above value_max does; null: NULL, counted, unless it is in a key (this "
            "version: not quarantine)",
    },
    {
        .name = "on_type_error",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_pipeline_config, on_type_error),
        .fallback = "stop",
        .choices = type_error_choices,
        .help = "what a value does that its column's type cannot hold, where tables[] says nothing "
                "else (docs/TYPES.md)",
    },
    {
        .name = "console.listen",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_pipeline_config, console.listen),
        .fallback = "127.0.0.1:8989",
        .help =
            "address:port of REST, metrics and pages; off for none; port 0 takes a free one; an "
            "address other than loopback needs console.token",
    },
    {
        .name = "console.token",
        .type = MR_OPT_SECRET,
        .offset = offsetof(struct mr_pipeline_config, console.token),
        .help = "asked of every request (Authorization: Bearer), health checks aside; at least 16 "
                "characters",
    },
    {
        .name = "console.dashboards",
        .type = MR_OPT_LIST,
        .offset = offsetof(struct mr_pipeline_config, console.dashboard_files),
        .help = "dashboard files (docs/DASHBOARDS.md), relative to this file's folder",
    },
    {
        .name = "console.query_rows_max",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_pipeline_config, console.query_rows_max),
        .fallback = "10000",
        .min = 1,
        .max = 1000000,
        .help = "rows that one query may return",
    },
    {
        .name = "console.query_time_max",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct mr_pipeline_config, console.query_time_ms_max),
        .fallback = "30s",
        .min = 100,
        .max = 3600000,
        .help = "time after which a query is interrupted",
    },
    {0},
};

const struct mr_option mr_config_source_options[] = {
    {
        .name = "name",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_source_config, name),
        .required = true,
        .help = "the source's name: letters, digits, _ and -; first part of topics and schemas",
    },
    {
        .name = "type",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_source_config, type),
        .required = true,
        .help = "the kind of source, see below",
    },
    {
        .name = "snapshot",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_source_config, snapshot),
        .fallback = "initial",
        .choices = snapshot_choices,
        .help = "copy of what the tables hold already; never is another word for no_data",
    },
    {
        .name = "connect_timeout",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct mr_source_config, connect_timeout_ms),
        .fallback = "10s",
        .min = 100,
        .max = 600000,
        .help = "bound of connecting to one host, and of each short query",
    },
    {
        .name = "on_lost_position",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_source_config, on_lost_position),
        .fallback = "stop",
        .choices = lost_choices,
        .help = "when the server, or a stream under retention_force, lacks what follows our "
                "position: stop, or snapshot: copy the source's tables anew (snapshot: when_needed "
                "means the latter)",
    },
    {
        .name = "snapshot_workers",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_source_config, snapshot_workers),
        .fallback = "2",
        .min = 1,
        .max = 16,
        .help = "connections that copy side by side",
    },
    {0},
};

const struct mr_option mr_config_stream_options[] = {
    {
        .name = "type",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_stream_config, type),
        .fallback = "log",
        .help = "the kind of stream, see below",
    },
    {0},
};

const struct mr_option mr_config_sink_options[] = {
    {
        .name = "name",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_sink_config, name),
        .required = true,
        .help = "the sink's name: letters, digits, _ and -",
    },
    {
        .name = "type",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_sink_config, type),
        .required = true,
        .help = "the kind of sink, see below",
    },
    {
        .name = "batch_rows_max",
        .type = MR_OPT_UINT,
        .offset = offsetof(struct mr_sink_config, batch_rows_max),
        .fallback = "50000",
        .min = 1,
        .max = 10000000,
        .help = "rows after which a commit is closed, at the next transaction's end",
    },
    {
        .name = "flush_interval",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct mr_sink_config, flush_interval_ms),
        .fallback = "auto",
        .help = "auto commits at once when idle, in larger batches under load; a duration is the "
                "longest wait",
    },
    {0},
};

const struct mr_option mr_config_policy_options[] = {
    {
        .name = "match",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_table_policy, match),
        .required = true,
        .help = "glob over source.schema.table; the first entry that matches a table holds",
    },
    {
        .name = "mode",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_table_policy, mode),
        .fallback = "current",
        .choices = mode_choices,
        .help = "what the target table shows (this version: current)",
    },
    {
        .name = "on_schema_change",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_table_policy, on_schema_change),
        .fallback = "evolve",
        .choices = schema_change_choices,
        .help = "what a change of the table does (docs/SCHEMA_CHANGES.md)",
    },
    {
        .name = "on_type_error",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_table_policy, on_type_error),
        .fallback = "inherit",
        .choices = type_error_choices,
        .help = "what a value does that its column's type cannot hold; inherit: what the file's "
                "top says (docs/TYPES.md)",
    },
    {
        .name = "key",
        .type = MR_OPT_LIST,
        .offset = offsetof(struct mr_table_policy, key),
        .help = "columns that tell rows apart, for tables without a key (not in this version)",
    },
    {
        .name = "retention.column",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_table_policy, retention_column),
        .help = "time column by which old rows leave the target (not in this version)",
    },
    {
        .name = "retention.keep",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct mr_table_policy, retention_keep_ms),
        .help = "age at which they leave (not in this version)",
    },
    {0},
};

const struct mr_option mr_config_column_options[] = {
    {
        .name = "match",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct mr_column_policy, match),
        .required = true,
        .help = "glob over a column's name; the first entry that matches a column holds",
    },
    {
        .name = "on_type_error",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct mr_column_policy, on_type_error),
        .fallback = "inherit",
        .choices = type_error_choices,
        .help = "as the table's, for these columns; inherit: what the table says",
    },
    {0},
};
