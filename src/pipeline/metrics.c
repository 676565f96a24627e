// SPDX-License-Identifier: MIT
/*
 * metrics.c - GET /metrics: Prometheus text. Names are API (docs/API.md); base units only.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exposition.h"
#include "pipeline_view.h"

static double seconds(int64_t ms)
{
    return ms == MR_LAG_UNKNOWN ? (double)NAN : (double)ms / 1000;
}

static void put_source_gauges(struct mr_pipeline *pipeline, struct mr_writer *out)
{
    mr_exposition_family(out, "millrace_source_up", "gauge", "1 while the source streams.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_link_view view;
        mr_link_look(&pipeline->lanes[i].link, &view);
        const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
        mr_exposition_uint(out, "millrace_source_up", labels, view.state == MR_LINK_STREAMING);
    }
    mr_exposition_family(out, "millrace_source_recopies_total", "counter",
                         "Times that a lost position was replaced by a copy of the tables.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
        mr_exposition_uint(out, "millrace_source_recopies_total", labels,
                           atomic_load(&pipeline->lanes[i].link.recopies_total));
    }
    mr_exposition_family(out, "millrace_source_lag_seconds", "gauge",
                         "Age of the newest received change while the server has more; 0 caught "
                         "up; NaN unknown.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_link_view view;
        mr_link_look(&pipeline->lanes[i].link, &view);
        const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
        mr_exposition_double(out, "millrace_source_lag_seconds", labels,
                             seconds(mr_lane_lag_ms(&pipeline->lanes[i], &view)));
    }
    mr_exposition_family(out, "millrace_source_lag_bytes", "gauge",
                         "Bytes of the server's log not received yet; NaN unknown.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_link_view view;
        mr_link_look(&pipeline->lanes[i].link, &view);
        const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
        const uint64_t lag = view.observation.lag_bytes;
        mr_exposition_double(out, "millrace_source_lag_bytes", labels,
                             lag == UINT64_MAX ? (double)NAN : (double)lag);
    }
    mr_exposition_family(out, "millrace_source_kept_bytes", "gauge",
                         "Bytes kept of transactions that are not decided yet.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_link_view view;
        mr_link_look(&pipeline->lanes[i].link, &view);
        const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
        mr_exposition_uint(out, "millrace_source_kept_bytes", labels, view.observation.kept_bytes);
    }
}

/* The lag budget; NaN where it is not known or has no limit. */
static void put_retention(struct mr_pipeline *pipeline, struct mr_writer *out)
{
    static const char *const names[] = {"millrace_source_retention_left_bytes",
                                        "millrace_source_retention_left_seconds",
                                        "millrace_source_retention_held_bytes"};
    static const char *const helps[] = {
        "Bytes that the server may still log until it may discard what we need; NaN no limit.",
        "Seconds until then, by the server's rule or by its log's growth; NaN unknown.",
        "Bytes of its log that the server keeps for us; NaN unknown."};
    const struct mr_env *env = pipeline->env;
    for (size_t f = 0; f < MR_ARRAY_LEN(names); f++) {
        mr_exposition_family(out, names[f], "gauge", helps[f]);
        for (uint32_t i = 0; i < pipeline->lane_count; i++) {
            struct mr_link_view view;
            mr_link_look(&pipeline->lanes[i].link, &view);
            const uint64_t values[] = {view.observation.retention.left_bytes,
                                       mr_retention_left_s(&view, env->monotonic_ns(env)),
                                       view.observation.retention.held_bytes};
            const bool is_known = view.observed_ns != 0 && values[f] != UINT64_MAX;
            const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
            mr_exposition_double(out, names[f], labels, is_known ? (double)values[f] : (double)NAN);
        }
    }
}

static void put_table_rows(struct mr_lane *lane, struct mr_writer *out)
{
    struct mr_table_view view;
    for (uint32_t i = 0; mr_lane_table(lane, i, &view); i++) {
        const struct mr_table_counts *counts = &view.counts;
        if (counts->schema == NULL) {
            continue;
        }
        char table[512];
        (void)snprintf(table, sizeof(table), "%s.%s", counts->schema->space, counts->schema->table);
        const struct {
            const char *op;
            uint64_t count;
        } ops[] = {{"read", counts->reads},
                   {"insert", counts->inserts},
                   {"update", counts->updates},
                   {"delete", counts->deletes},
                   {"truncate", counts->truncates}};
        for (size_t o = 0; o < MR_ARRAY_LEN(ops); o++) {
            const struct mr_label labels[] = {
                {"source", lane->config->name}, {"table", table}, {"op", ops[o].op}, {0}};
            mr_exposition_uint(out, "millrace_rows_total", labels, ops[o].count);
        }
    }
}

static void put_nulled(struct mr_pipeline *pipeline, struct mr_writer *out)
{
    mr_exposition_family(out, "millrace_values_nulled_total", "counter",
                         "Values that became NULL because the column's on_type_error says so.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_nulled_count count;
        for (uint32_t n = 0; mr_nulled_get(pipeline->lanes[i].nulled, n, &count); n++) {
            char table[512];
            (void)snprintf(table, sizeof(table), "%s.%s", count.schema->space, count.schema->table);
            const struct mr_label labels[] = {
                {"source", pipeline->lanes[i].config->name},
                {"table", table},
                {"column", count.schema->columns[count.column].name},
                {0},
            };
            mr_exposition_uint(out, "millrace_values_nulled_total", labels, count.count);
        }
    }
}

static void put_schema_changes(struct mr_lane *lane, struct mr_writer *out)
{
    struct mr_table_view view;
    for (uint32_t i = 0; mr_lane_table(lane, i, &view); i++) {
        const struct mr_schema *schema = view.counts.schema;
        if (schema != NULL) {
            char table[512];
            (void)snprintf(table, sizeof(table), "%s.%s", schema->space, schema->table);
            const struct mr_label labels[] = {
                {"source", lane->config->name}, {"table", table}, {0}};
            mr_exposition_uint(out, "millrace_schema_changes_total", labels,
                               view.counts.schema_changes);
        }
    }
}

static void put_streams(struct mr_pipeline *pipeline, struct mr_writer *out)
{
    struct mr_stream_observation streams[MR_LOADER_SOURCES_MAX];
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        streams[i] = (struct mr_stream_observation){0};
        pipeline->lanes[i].stream_ops->observe(pipeline->lanes[i].stream, &streams[i]);
    }
    const struct {
        const char *name;
        const char *type;
        const char *help;
        size_t offset;
    } families[] = {
        {"millrace_stream_size_bytes", "gauge", "Size of the stream on disk.",
         offsetof(struct mr_stream_observation, size_bytes)},
        {"millrace_stream_written_bytes_total", "counter", "Bytes written since the start.",
         offsetof(struct mr_stream_observation, written_bytes)},
        {"millrace_stream_syncs_total", "counter", "Group commits since the start.",
         offsetof(struct mr_stream_observation, sync_count)},
        {"millrace_stream_last_sequence", "gauge", "Newest durable transaction.",
         offsetof(struct mr_stream_observation, last_sequence)},
    };
    for (size_t f = 0; f < MR_ARRAY_LEN(families); f++) {
        mr_exposition_family(out, families[f].name, families[f].type, families[f].help);
        for (uint32_t i = 0; i < pipeline->lane_count; i++) {
            const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
            uint64_t value = 0;
            memcpy(&value, (const char *)&streams[i] + families[f].offset, sizeof(value));
            mr_exposition_uint(out, families[f].name, labels, value);
        }
    }
    mr_exposition_family(out, "millrace_stream_intake_paused", "gauge",
                         "1 while the disk or retention_size is full.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        const struct mr_label labels[] = {{"source", pipeline->lanes[i].config->name}, {0}};
        mr_exposition_uint(out, "millrace_stream_intake_paused", labels, streams[i].intake_paused);
    }
}

static void put_sinks(struct mr_pipeline *pipeline, struct mr_writer *out)
{
    const struct {
        const char *name;
        const char *help;
        size_t offset;
    } counters[] = {
        {"millrace_sink_commits_total", "Atomic commits.",
         offsetof(struct mr_loader, commits_total)},
        {"millrace_sink_rows_total", "Rows committed.", offsetof(struct mr_loader, rows_total)},
        {"millrace_sink_errors_total", "Failed applies and commits.",
         offsetof(struct mr_loader, errors_total)},
    };
    for (size_t c = 0; c < MR_ARRAY_LEN(counters); c++) {
        mr_exposition_family(out, counters[c].name, "counter", counters[c].help);
        for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
            const struct mr_label labels[] = {{"sink", pipeline->outlets[i].config->name}, {0}};
            const char *at = (const char *)pipeline->loaders[i] + counters[c].offset;
            const atomic_uint_fast64_t *counter = (const atomic_uint_fast64_t *)(const void *)at;
            mr_exposition_uint(out, counters[c].name, labels, atomic_load(counter));
        }
    }
    mr_exposition_family(out, "millrace_sink_gap", "gauge",
                         "1 while retention_force has deleted what the sink had not applied.");
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        for (uint32_t s = 0; s < pipeline->lane_count; s++) {
            const struct mr_label labels[] = {{"sink", pipeline->outlets[i].config->name},
                                              {"source", pipeline->lanes[s].config->name},
                                              {0}};
            mr_exposition_uint(out, "millrace_sink_gap", labels,
                               mr_loader_is_in_gap(pipeline->loaders[i], (uint16_t)s));
        }
    }
    mr_exposition_family(out, "millrace_sink_lag_seconds", "gauge",
                         "Age of the oldest durable change not committed; 0 caught up.");
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        const struct mr_label labels[] = {{"sink", pipeline->outlets[i].config->name}, {0}};
        mr_exposition_double(out, "millrace_sink_lag_seconds", labels,
                             seconds(mr_outlet_lag_ms(&pipeline->outlets[i])));
    }
    mr_exposition_family(out, "millrace_commit_to_visible_seconds", "histogram",
                         "From the source's commit to the target's, clock skew corrected; from "
                         "arrival where the server stamps whole seconds.");
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        const struct mr_label labels[] = {{"sink", pipeline->outlets[i].config->name}, {0}};
        mr_histogram_expose(&pipeline->loaders[i]->commit_to_visible,
                            "millrace_commit_to_visible_seconds", labels, out);
    }
}

void mr_pipeline_metrics(struct mr_pipeline *pipeline, struct mr_writer *out)
{
    mr_exposition_family(out, "millrace_build_info", "gauge", "The version that runs.");
    const struct mr_label build[] = {{"version", MR_VERSION}, {0}};
    mr_exposition_uint(out, "millrace_build_info", build, 1);
    put_source_gauges(pipeline, out);
    put_retention(pipeline, out);
    mr_exposition_family(out, "millrace_rows_total", "counter",
                         "Rows committed to the first sink, by table and kind.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        put_table_rows(&pipeline->lanes[i], out);
    }
    put_nulled(pipeline, out);
    mr_exposition_family(out, "millrace_schema_changes_total", "counter",
                         "Schema changes committed to the first sink, by table.");
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        put_schema_changes(&pipeline->lanes[i], out);
    }
    put_streams(pipeline, out);
    put_sinks(pipeline, out);
}
