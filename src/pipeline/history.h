// SPDX-License-Identifier: MIT
/*
 * history.h - the last hour in samples: what every part had counted, and its lag, every few
 * seconds. Kept in memory, so that a page shows where things come from as soon as it is opened.
 *
 * Counters are kept as they were, not as rates: who reads them chooses what to divide by. A sample
 * costs 32 bytes a source and 24 a sink; MR_HISTORY_SAMPLES_MAX of them are kept.
 */
#ifndef MR_PIPELINE_HISTORY_H
#define MR_PIPELINE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

#define MR_HISTORY_INTERVAL_MS 5000
#define MR_HISTORY_SAMPLES_MAX 720 /* an hour */

struct mr_history;
struct mr_pipeline;

struct mr_history *mr_history_open(uint32_t source_count, uint32_t sink_count);
void mr_history_close(struct mr_history *history); /* accepts NULL */

/** Takes a sample when one is due; cheap otherwise. One thread calls it. */
void mr_history_tick(struct mr_history *history, struct mr_pipeline *pipeline);

/**
 * Writes {"interval_ms", "at_ms": [...], "resident_bytes": [...],
 *   "sources": [{"name", "rows": [...], "bytes": [...], "lag_ms": [...], "lag_bytes": [...]}],
 *   "sinks": [{"name", "rows": [...], "commits": [...], "lag_ms": [...]}]},
 * oldest first; null where a lag was unknown. Any thread.
 */
void mr_history_write(struct mr_history *history, const struct mr_pipeline *pipeline,
                      struct mr_json *json);

/** Bytes of memory that the process has resident; 0 where the system does not tell. */
uint64_t mr_resident_bytes(const struct mr_pipeline *pipeline);

#endif
