// SPDX-License-Identifier: MIT
/*
 * status.c - GET /api/v1/status and /readyz: what every part is doing, under the names that the log
 * and the metrics use.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "pipeline_view.h"

#define TIME_TEXT_MAX 40

static void key_uint(struct mr_json *json, const char *key, uint64_t value)
{
    mr_json_key(json, key);
    mr_json_uint(json, value);
}

static void key_string(struct mr_json *json, const char *key, const char *value)
{
    mr_json_key(json, key);
    mr_json_string(json, value);
}

static void key_lag(struct mr_json *json, const char *key, int64_t lag_ms)
{
    mr_json_key(json, key);
    if (lag_ms == MR_LAG_UNKNOWN) {
        mr_json_null(json);
    } else {
        mr_json_int(json, lag_ms);
    }
}

/* Microseconds since 1970 as ISO 8601 UTC; 0 gives null. */
static void key_time(struct mr_json *json, const char *key, int64_t us)
{
    mr_json_key(json, key);
    if (us == 0) {
        mr_json_null(json);
        return;
    }
    const int64_t days = us / INT64_C(86400000000);
    const int64_t in_day_us = us - days * INT64_C(86400000000);
    const time_t seconds = (time_t)(us / 1000000);
    struct tm parts;
    (void)gmtime_r(&seconds, &parts);
    char text[TIME_TEXT_MAX * 2];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
                   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                   (int)(in_day_us % 1000000));
    mr_json_string(json, text);
}

/* Values of the table that became NULL, as on_type_error of their columns has it. */
static uint64_t count_nulled(struct mr_nulled *nulled, const struct mr_schema *schema)
{
    struct mr_nulled_count count;
    uint64_t total = 0;
    for (uint32_t i = 0; mr_nulled_get(nulled, i, &count); i++) {
        total += count.schema->table_id == schema->table_id ? count.count : 0;
    }
    return total;
}

static void put_table(struct mr_json *json, struct mr_nulled *nulled,
                      const struct mr_table_view *view)
{
    const struct mr_schema *schema = view->counts.schema;
    char name[512];
    (void)snprintf(name, sizeof(name), "%s.%s", schema->space, schema->table);
    mr_json_object_begin(json);
    key_string(json, "name", name);
    mr_json_key(json, "captured");
    mr_json_bool(json, true);
    key_string(json, "reason", NULL);
    mr_json_key(json, "snapshot");
    mr_json_object_begin(json);
    key_string(json, "state", view->is_copying ? "copying" : "finished");
    key_uint(json, "rows", view->copy.schema != NULL ? view->copy.rows : view->counts.reads);
    key_uint(json, "rows_estimate", view->copy.rows_estimate);
    mr_json_object_end(json);
    key_uint(json, "rows_copied", view->counts.reads);
    key_uint(json, "inserts", view->counts.inserts);
    key_uint(json, "updates", view->counts.updates);
    key_uint(json, "deletes", view->counts.deletes);
    key_uint(json, "truncates", view->counts.truncates);
    key_uint(json, "values_nulled", count_nulled(nulled, schema));
    key_time(json, "last_change", view->counts.last_change_us);
    key_uint(json, "schema_version", schema->version);
    key_uint(json, "schema_changes", view->counts.schema_changes);
    key_time(json, "last_schema_change", view->counts.schema_change_us);
    key_string(json, "quarantined", view->is_set_aside ? view->set_aside_reason : NULL);
    mr_json_object_end(json);
}

static void put_tables(struct mr_json *json, struct mr_lane *lane)
{
    mr_json_key(json, "tables");
    mr_json_array_begin(json);
    struct mr_table_view view;
    for (uint32_t i = 0; mr_lane_table(lane, i, &view); i++) {
        if (view.counts.schema != NULL) {
            put_table(json, lane->nulled, &view);
        }
    }
    mr_json_array_end(json);
}

/* Progress over all tables that are copied: rows, percent, rate, time left. */
static void put_copy(struct mr_json *json, struct mr_lane *lane)
{
    struct mr_copy_totals totals = {0};
    const bool known = mr_link_copy_totals(&lane->link, &totals);
    const bool running = totals.tables > totals.tables_finished;
    mr_json_key(json, "snapshot");
    mr_json_object_begin(json);
    key_string(json, "state", !known ? "none" : running ? "copying" : "finished");
    key_uint(json, "tables", totals.tables);
    key_uint(json, "tables_finished", totals.tables_finished);
    key_uint(json, "rows", totals.rows);
    key_uint(json, "rows_estimate", totals.rows_estimate);
    key_uint(json, "percent", totals.percent);
    key_uint(json, "rows_per_second", running ? totals.rows_per_second : 0);
    mr_json_key(json, "seconds_left");
    if (!running || totals.seconds_left == UINT64_MAX) {
        mr_json_null(json);
    } else {
        mr_json_uint(json, totals.seconds_left);
    }
    mr_json_object_end(json);
}

/* The least sequence that tables which are apart still need; null: none does. */
static void put_pinned(struct mr_json *json, const struct mr_lane *lane)
{
    const struct mr_pipeline *pipeline = lane->pipeline;
    uint64_t pinned = UINT64_MAX;
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        const uint64_t one =
            atomic_load(&pipeline->loaders[i]->sources[lane - pipeline->lanes].pinned_shown);
        pinned = one < pinned ? one : pinned;
    }
    mr_json_key(json, "pinned_sequence");
    if (pinned == UINT64_MAX) {
        mr_json_null(json);
    } else {
        mr_json_uint(json, pinned);
    }
}

static void put_stream(struct mr_json *json, struct mr_lane *lane)
{
    struct mr_stream_observation stream = {0};
    lane->stream_ops->observe(lane->stream, &stream);
    mr_json_key(json, "stream");
    mr_json_object_begin(json);
    key_uint(json, "first_sequence", stream.first_sequence);
    key_uint(json, "last_sequence", stream.last_sequence);
    key_uint(json, "released_sequence", stream.released_sequence);
    put_pinned(json, lane);
    key_uint(json, "size_bytes", stream.size_bytes);
    key_uint(json, "segments", stream.segment_count);
    key_uint(json, "written_bytes", stream.written_bytes);
    key_uint(json, "syncs", stream.sync_count);
    mr_json_key(json, "intake_paused");
    mr_json_bool(json, stream.intake_paused || atomic_load(&lane->journal.is_paused));
    mr_json_object_end(json);
}

static void put_position(struct mr_json *json, struct mr_lane *lane)
{
    struct mr_position position = {0};
    struct mr_error err = {0};
    const bool known = mr_journal_position(&lane->journal, &position, &err);
    key_string(json, "position", known ? position.text : NULL);
    key_string(json, "epoch", known && position.text != NULL ? position.epoch : NULL);
    mr_position_done(&position);
}

static void key_known(struct mr_json *json, const char *key, uint64_t value, bool is_known)
{
    mr_json_key(json, key);
    if (is_known && value != UINT64_MAX) {
        mr_json_uint(json, value);
    } else {
        mr_json_null(json);
    }
}

/* The lag budget: what is left until the server may discard what we need. */
static void put_retention(struct mr_json *json, struct mr_lane *lane,
                          const struct mr_link_view *view)
{
    const struct mr_env *env = lane->pipeline->env;
    const struct mr_retention *retention = &view->observation.retention;
    const bool is_known = view->observed_ns != 0;
    mr_json_key(json, "retention");
    mr_json_object_begin(json);
    key_known(json, "left_bytes", retention->left_bytes, is_known);
    key_known(json, "total_bytes", retention->total_bytes, is_known);
    key_known(json, "left_seconds", mr_retention_left_s(view, env->monotonic_ns(env)), is_known);
    key_known(json, "total_seconds", retention->total_s, is_known);
    key_known(json, "held_bytes", retention->held_bytes, is_known);
    mr_json_object_end(json);
}

static void put_source(struct mr_json *json, struct mr_lane *lane)
{
    struct mr_link_view view;
    mr_link_look(&lane->link, &view);
    mr_json_object_begin(json);
    key_string(json, "name", lane->config->name);
    key_string(json, "type", lane->config->type);
    key_string(json, "state", mr_link_states[view.state].name);
    key_string(json, "server", view.observation.server[0] != '\0' ? view.observation.server : NULL);
    put_position(json, lane);
    key_lag(json, "lag_ms", mr_lane_lag_ms(lane, &view));
    mr_json_key(json, "lag_bytes");
    if (view.observation.lag_bytes == UINT64_MAX || view.observation.server[0] == '\0') {
        mr_json_null(json);
    } else {
        mr_json_uint(json, view.observation.lag_bytes);
    }
    put_retention(json, lane, &view);
    key_uint(json, "rows_total", atomic_load(&lane->link.rows_total));
    key_uint(json, "transactions_total", atomic_load(&lane->link.transactions_total));
    key_uint(json, "kept_transactions", view.observation.kept_transactions);
    key_uint(json, "kept_bytes", view.observation.kept_bytes);
    key_uint(json, "commit_resolution_us", view.observation.commit_resolution_us);
    mr_json_key(json, "clock_skew_us");
    mr_json_int(json, view.observation.clock_skew_us);
    const bool has_error = view.last_error.code != MR_OK;
    key_string(json, "error", has_error ? view.last_error.message : NULL);
    key_string(json, "error_code", has_error ? mr_errc_name(view.last_error.code) : NULL);
    put_copy(json, lane);
    put_stream(json, lane);
    put_tables(json, lane);
    mr_status_put_apart(json, lane);
    mr_json_object_end(json);
}

static void put_sink_sources(struct mr_json *json, struct mr_outlet *outlet)
{
    mr_json_key(json, "sources");
    mr_json_array_begin(json);
    for (uint32_t i = 0; i < outlet->loader->source_count; i++) {
        const struct mr_loader_source *source = &outlet->loader->sources[i];
        mr_json_object_begin(json);
        key_string(json, "name", outlet->pipeline->lanes[i].config->name);
        key_string(json, "state",
                   atomic_load(&source->is_in_gap)      ? "gap"
                   : atomic_load(&source->gate_is_open) ? "streaming"
                                                        : "copying");
        key_uint(json, "sequence", atomic_load(&source->committed_shown));
        key_lag(json, "lag_ms", mr_outlet_source_lag_ms(outlet, i));
        mr_json_object_end(json);
    }
    mr_json_array_end(json);
}

/* The position of a sink, in one string: "source=sequence ..." for people; the parts are in
 * sources. */
static void put_sink_position(struct mr_json *json, struct mr_outlet *outlet)
{
    char text[1024] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < outlet->loader->source_count && length < sizeof(text); i++) {
        const uint64_t sequence = atomic_load(&outlet->loader->sources[i].committed_shown);
        const int more =
            snprintf(text + length, sizeof(text) - length, "%s%s=%" PRIu64, i == 0 ? "" : " ",
                     outlet->pipeline->lanes[i].config->name, sequence);
        length += more > 0 ? (size_t)more : 0;
    }
    key_string(json, "position", text);
}

static void put_sink(struct mr_json *json, struct mr_outlet *outlet)
{
    struct mr_loader *loader = outlet->loader;
    mr_json_object_begin(json);
    key_string(json, "name", outlet->config->name);
    key_string(json, "type", outlet->config->type);
    key_string(json, "state", mr_queue_is_shut(loader->commands) ? "stopped" : "running");
    put_sink_position(json, outlet);
    key_lag(json, "lag_ms", mr_outlet_lag_ms(outlet));
    key_uint(json, "rows_total", atomic_load(&loader->rows_total));
    key_uint(json, "commits_total", atomic_load(&loader->commits_total));
    key_uint(json, "errors", atomic_load(&loader->errors_total));
    struct mr_sink_observation sink = {0};
    struct mr_sink *held = mr_loader_hold_sink(loader);
    if (held != NULL) {
        loader->ops->observe(held, &sink);
        mr_loader_let_sink_go(loader);
    }
    key_uint(json, "checkpoints_total", sink.checkpoints_total);
    key_uint(json, "checkpoint_us_last", sink.checkpoint_us_last);
    key_uint(json, "commit_us_last", sink.commit_us_last);
    key_uint(json, "wal_bytes", sink.wal_bytes);
    key_uint(json, "quarantined_tables", sink.quarantined_count);
    mr_json_key(json, "commit_to_visible_ms");
    mr_json_object_begin(json);
    const double percents[] = {50, 95, 99, 99.9};
    const char *const names[] = {"p50", "p95", "p99", "p99_9"};
    for (size_t i = 0; i < MR_ARRAY_LEN(percents); i++) {
        mr_json_key(json, names[i]);
        mr_json_double(json,
                       mr_histogram_percentile_us(&loader->commit_to_visible, percents[i]) / 1000);
    }
    key_uint(json, "count", mr_histogram_count(&loader->commit_to_visible));
    mr_json_object_end(json);
    put_sink_sources(json, outlet);
    mr_json_object_end(json);
}

static const char *pipeline_state(struct mr_pipeline *pipeline)
{
    if (atomic_load(&pipeline->has_failed)) {
        return "failed";
    }
    if (atomic_load(&pipeline->links_stop)) {
        return "draining";
    }
    return pipeline->is_started ? "running" : "stopped";
}

void mr_pipeline_status(struct mr_pipeline *pipeline, struct mr_json *json)
{
    const struct mr_env *env = pipeline->env;
    mr_json_object_begin(json);
    key_string(json, "pipeline", pipeline->config->pipeline);
    key_string(json, "version", MR_VERSION);
    key_string(json, "state", pipeline_state(pipeline));
    key_uint(json, "uptime_ms", (uint64_t)(env->unix_us(env) - pipeline->started_us) / 1000);
    mr_json_key(json, "memory");
    mr_json_object_begin(json);
    key_uint(json, "resident_bytes", mr_resident_bytes(pipeline));
    key_uint(json, "max_bytes", pipeline->config->memory_bytes_max);
    mr_json_object_end(json);
    mr_json_key(json, "sources");
    mr_json_array_begin(json);
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        put_source(json, &pipeline->lanes[i]);
    }
    mr_json_array_end(json);
    mr_json_key(json, "sinks");
    mr_json_array_begin(json);
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        put_sink(json, &pipeline->outlets[i]);
    }
    mr_json_array_end(json);
    mr_json_object_end(json);
}

static void put_unready(struct mr_json *json, const char *part, const char *name,
                        const char *format, const char *detail)
{
    char reason[MR_ERROR_MESSAGE_BYTES_MAX + 64];
    (void)snprintf(reason, sizeof(reason), "%s%s%s", format, detail[0] != '\0' ? ": " : "", detail);
    mr_json_object_begin(json);
    key_string(json, "part", part);
    key_string(json, "name", name);
    key_string(json, "reason", reason);
    mr_json_object_end(json);
}

static bool list_unready_sources(struct mr_pipeline *pipeline, struct mr_json *json)
{
    bool ready = true;
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        struct mr_link_view view;
        mr_link_look(&pipeline->lanes[i].link, &view);
        if (view.state != MR_LINK_STREAMING) {
            ready = false;
            put_unready(json, "source", pipeline->lanes[i].config->name,
                        mr_link_states[view.state].name, view.last_error.message);
        }
    }
    return ready;
}

static bool list_unready_sinks(struct mr_pipeline *pipeline, struct mr_json *json)
{
    bool ready = true;
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        const struct mr_loader *loader = pipeline->loaders[i];
        for (uint32_t s = 0; s < loader->source_count; s++) {
            if (!atomic_load(&loader->sources[s].is_consistent)) {
                ready = false;
                put_unready(json, "sink", pipeline->outlets[i].config->name,
                            "the snapshot is not complete, or not caught up with, of source",
                            pipeline->lanes[s].config->name);
            }
        }
    }
    return ready;
}

bool mr_pipeline_is_ready(struct mr_pipeline *pipeline, struct mr_json *json)
{
    mr_json_object_begin(json);
    mr_json_key(json, "parts");
    mr_json_array_begin(json);
    const bool sources_ready = list_unready_sources(pipeline, json);
    const bool sinks_ready = list_unready_sinks(pipeline, json);
    mr_json_array_end(json);
    const bool ready = sources_ready && sinks_ready && !atomic_load(&pipeline->has_failed);
    mr_json_key(json, "ready");
    mr_json_bool(json, ready);
    mr_json_object_end(json);
    return ready;
}
