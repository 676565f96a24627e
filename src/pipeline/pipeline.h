// SPDX-License-Identifier: MIT
/*
 * pipeline.h - one pipeline: its sources, their streams, its sinks, and the threads that run them.
 *
 *   a source   link thread (connect, decode) -> inbox -> journal thread (group commit) -> stream
 *   a sink     loader thread: every stream's tail -> groups -> atomic commits
 *   a copy     its own threads while tables are copied (copy.h)
 *
 * Hand-over is by bounded queues; a stage that is behind holds up the one before it and nothing
 * else. Each part is a step function (step.h); this file only assembles, starts and ends threads.
 *
 * Memory: memory_max is divided when the pipeline is opened (pipeline_budget.h).
 */
#ifndef MR_PIPELINE_PIPELINE_H
#define MR_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "env.h"
#include "error.h"
#include "json.h"
#include "sink.h"
#include "stream.h"
#include "writer.h"

struct mr_pipeline;

/** Exit codes of the program (docs: README, "Exit codes"). */
enum mr_exit {
    MR_EXIT_DONE = 0,
    MR_EXIT_INTERNAL = 1,
    MR_EXIT_CONFIG = 2,
    MR_EXIT_SOURCE = 3,
    MR_EXIT_SINK = 4,
    MR_EXIT_QUARANTINED = 5,
};

/**
 * Locks data_dir, opens streams and sinks; starts nothing. *exit_code says which part failed.
 * The configuration is borrowed and must outlive the pipeline.
 */
struct mr_pipeline *mr_pipeline_open(const struct mr_pipeline_config *config,
                                     const struct mr_env *env, enum mr_exit *exit_code,
                                     struct mr_error *err);

void mr_pipeline_start(struct mr_pipeline *pipeline);

/** False once a part has stopped for good, or everything bounded is done. */
bool mr_pipeline_is_running(struct mr_pipeline *pipeline);

/**
 * Ends the threads: sources first, then what they handed on is made durable, then the sinks take
 * it, for at most drain_ms. Returns the exit code; *err holds the error that stopped it, if any.
 */
enum mr_exit mr_pipeline_stop(struct mr_pipeline *pipeline, uint64_t drain_ms,
                              struct mr_error *err);

void mr_pipeline_close(struct mr_pipeline *pipeline); /* accepts NULL; stop() comes first */

/** GET /api/v1/status. */
void mr_pipeline_status(struct mr_pipeline *pipeline, struct mr_json *json);

/** To be called every now and then while it runs: takes the samples of history. One thread. */
void mr_pipeline_tick(struct mr_pipeline *pipeline);

/** Grows with every commit of a sink: what was asked before it may be answered otherwise now. */
uint64_t mr_pipeline_version(const struct mr_pipeline *pipeline);

/** GET /api/v1/history (history.h). */
void mr_pipeline_history(struct mr_pipeline *pipeline, struct mr_json *json);

/** GET /metrics. */
void mr_pipeline_metrics(struct mr_pipeline *pipeline, struct mr_writer *out);

/** GET /readyz: true when every source streams and every sink has applied a first position; the
 *  JSON body says which part is not and why. */
bool mr_pipeline_is_ready(struct mr_pipeline *pipeline, struct mr_json *json);

/**
 * The first sink of that plug-in, for queries on it, kept open until mr_pipeline_let_sink_go().
 * NULL when there is none, or when it is being opened anew: *exists tells which.
 */
struct mr_sink *mr_pipeline_hold_sink(struct mr_pipeline *pipeline, const struct mr_sink_ops *ops,
                                      bool *exists);
void mr_pipeline_let_sink_go(struct mr_pipeline *pipeline, const struct mr_sink_ops *ops);

/** A source's stream by the source's name, for the stream browser; NULL when there is none. */
struct mr_stream *mr_pipeline_stream(struct mr_pipeline *pipeline, const char *source,
                                     const struct mr_stream_ops **ops);

/** Name of source `index`, or NULL past the last. */
const char *mr_pipeline_source_name(const struct mr_pipeline *pipeline, uint32_t index);

/** Table `index` of a source as known so far (from committed changes and copies); NULL past the
 *  last. */
const struct mr_schema *mr_pipeline_table(struct mr_pipeline *pipeline, uint32_t source,
                                          uint32_t index);

#endif
