// SPDX-License-Identifier: MIT
/*
 * pipeline_view.c - see pipeline_view.h.
 */
#include "pipeline_view.h"

#include <string.h>

static int64_t since_ms(const struct mr_lane *lane, int64_t us)
{
    const struct mr_env *env = lane->pipeline->env;
    const int64_t ms = (env->unix_us(env) - us) / 1000;
    return ms > 0 ? ms : 0;
}

int64_t mr_lane_lag_ms(struct mr_lane *lane, const struct mr_link_view *view)
{
    const int64_t received_us = (int64_t)atomic_load(&lane->link.commit_us_last);
    if (view->state != MR_LINK_STREAMING) {
        return received_us == 0 ? MR_LAG_UNKNOWN : since_ms(lane, received_us);
    }
    if (view->observation.lag_bytes == 0) {
        return 0;
    }
    if (view->observation.lag_bytes == UINT64_MAX || received_us == 0) {
        return MR_LAG_UNKNOWN;
    }
    return since_ms(lane, received_us);
}

int64_t mr_outlet_source_lag_ms(struct mr_outlet *outlet, uint32_t source_index)
{
    struct mr_loader_source *source = &outlet->loader->sources[source_index];
    struct mr_stream_observation observation = {0};
    source->ops->observe(source->stream, &observation);
    if (atomic_load(&source->committed_shown) >= observation.last_sequence) {
        return 0;
    }
    const int64_t commit_us = (int64_t)atomic_load(&source->commit_us_last);
    return commit_us == 0 ? MR_LAG_UNKNOWN
                          : since_ms(&outlet->pipeline->lanes[source_index], commit_us);
}

int64_t mr_outlet_lag_ms(struct mr_outlet *outlet)
{
    int64_t lag_ms = 0;
    for (uint32_t i = 0; i < outlet->loader->source_count; i++) {
        const int64_t one_ms = mr_outlet_source_lag_ms(outlet, i);
        if (one_ms == MR_LAG_UNKNOWN) {
            return MR_LAG_UNKNOWN;
        }
        if (one_ms > lag_ms) {
            lag_ms = one_ms;
        }
    }
    return lag_ms;
}

/* A copy lists tables in its own order: find the one with this table id. */
static bool find_copy(struct mr_lane *lane, uint32_t table_id, struct mr_copy_progress *copy)
{
    for (uint32_t i = 0; mr_link_copy_progress(&lane->link, i, copy); i++) {
        if (copy->schema->table_id == table_id) {
            return true;
        }
    }
    return false;
}

/* The first sink that has set the table aside, and why. */
static void look_aside(struct mr_pipeline *pipeline, uint16_t source_index,
                       struct mr_table_view *view)
{
    for (uint32_t i = 0; i < pipeline->outlet_count && !view->is_set_aside; i++) {
        struct mr_loader *loader = pipeline->loaders[i];
        struct mr_sink *sink =
            loader->ops->is_set_aside != NULL ? mr_loader_hold_sink(loader) : NULL;
        if (sink != NULL) {
            view->is_set_aside =
                loader->ops->is_set_aside(sink, source_index, view->counts.schema,
                                          view->set_aside_reason, sizeof(view->set_aside_reason));
            mr_loader_let_sink_go(loader);
        }
    }
}

bool mr_lane_table(struct mr_lane *lane, uint32_t index, struct mr_table_view *view)
{
    *view = (struct mr_table_view){0};
    struct mr_pipeline *pipeline = lane->pipeline;
    bool within = false;
    if (pipeline->outlet_count > 0) {
        const size_t source = (size_t)(lane - pipeline->lanes);
        within =
            mr_table_stats_get(&pipeline->loaders[0]->sources[source].stats, index, &view->counts);
    }
    struct mr_copy_progress copy = {0};
    if (find_copy(lane, index + 1, &copy)) {
        view->copy = copy;
        view->is_copying = !copy.finished;
        if (view->counts.schema == NULL) {
            view->counts.schema = copy.schema;
        }
        within = true;
    }
    if (view->counts.schema != NULL) {
        look_aside(pipeline, (uint16_t)(lane - pipeline->lanes), view);
    }
    return within;
}

const struct mr_schema *mr_pipeline_table(struct mr_pipeline *pipeline, uint32_t source,
                                          uint32_t index)
{
    uint32_t seen = 0;
    struct mr_table_view view;
    for (uint32_t i = 0;
         source < pipeline->lane_count && mr_lane_table(&pipeline->lanes[source], i, &view); i++) {
        if (view.counts.schema != NULL && seen++ == index) {
            return view.counts.schema;
        }
    }
    return NULL;
}
