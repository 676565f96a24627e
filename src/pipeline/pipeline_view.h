// SPDX-License-Identifier: MIT
/*
 * pipeline_view.h - the numbers people see, worked out once for status, readiness and metrics.
 */
#ifndef MR_PIPELINE_PIPELINE_VIEW_H
#define MR_PIPELINE_PIPELINE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline_internal.h"

#define MR_LAG_UNKNOWN INT64_MIN

/** Milliseconds between the newest received change's commit and now; 0 caught up. */
int64_t mr_lane_lag_ms(struct mr_lane *lane, const struct mr_link_view *view);

/** Milliseconds of one source's changes that are durable but not committed in a sink; 0 caught
 * up. */
int64_t mr_outlet_source_lag_ms(struct mr_outlet *outlet, uint32_t source_index);

/** The greatest over all sources; unknown when any is. */
int64_t mr_outlet_lag_ms(struct mr_outlet *outlet);

/** The member "tables_apart" of a source (status_tables.c). */
void mr_status_put_apart(struct mr_json *json, struct mr_lane *lane);

/** What a table's copy is at: "none", "copying", "finished". */
struct mr_table_view {
    struct mr_table_counts counts;
    struct mr_copy_progress copy;
    bool is_copying;
    bool is_set_aside; /* by a sink */
    char set_aside_reason[MR_ERROR_MESSAGE_BYTES_MAX];
};

/** Table `index` (by table id - 1) of a lane, counted in the first sink; false past the last. */
bool mr_lane_table(struct mr_lane *lane, uint32_t index, struct mr_table_view *view);

#endif
