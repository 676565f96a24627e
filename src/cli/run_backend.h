// SPDX-License-Identifier: MIT
/*
 * run_backend.h - the console's backend on a pipeline: the one place that knows both.
 */
#ifndef MR_CLI_RUN_BACKEND_H
#define MR_CLI_RUN_BACKEND_H

#include "console.h"
#include "pipeline.h"

struct mr_dashboards;

/** What the backend's functions are given; it must outlive the console that uses the backend. */
struct mr_run {
    struct mr_pipeline *pipeline;
    struct mr_dashboards *dashboards;
};

struct mr_console_backend mr_run_backend(struct mr_run *run);

/** The configuration's dashboards; borrows everything. */
struct mr_dashboards *mr_dashboards_open(struct mr_pipeline *pipeline,
                                         const struct mr_pipeline_config *config,
                                         const struct mr_env *env);
void mr_dashboards_close(struct mr_dashboards *dashboards); /* accepts NULL */

/* The parts, for run_backend.c alone; context is the pipeline. */
void mr_dashboards_list(const struct mr_dashboards *dashboards, struct mr_json *out);
struct mr_console_live *mr_dashboards_look(struct mr_dashboards *dashboards,
                                           const struct mr_console_dashboard *wanted,
                                           struct mr_console_problem *problem);
enum mr_console_next mr_run_live_next(struct mr_console_live *live, uint32_t wait_ms,
                                      struct mr_json *out);
void mr_run_live_close(struct mr_console_live *live);
bool mr_run_query(void *context, const struct mr_console_query *query, struct mr_json *out,
                  struct mr_console_problem *problem);
bool mr_run_findings(void *context, const char *source, struct mr_json *out,
                     struct mr_console_problem *problem);
bool mr_run_table(void *context, const struct mr_console_table *wanted, struct mr_json *out,
                  struct mr_console_problem *problem);
void mr_run_topics(void *context, struct mr_json *out);
bool mr_run_records(void *context, const struct mr_console_records *wanted, struct mr_json *out,
                    struct mr_console_problem *problem);
struct mr_console_tail *mr_run_tail_open(void *context, const char *topic,
                                         const struct mr_console_cursor *from,
                                         struct mr_console_problem *problem);
enum mr_console_next mr_run_tail_next(struct mr_console_tail *tail, uint32_t wait_ms,
                                      struct mr_json *record, struct mr_console_cursor *cursor);
void mr_run_tail_close(struct mr_console_tail *tail);

/** Fills *problem and returns false. */
bool mr_run_problem(struct mr_console_problem *problem, unsigned http_status, const char *format,
                    ...) MR_PRINTF(3, 4);

#endif
