// SPDX-License-Identifier: MIT
/*
 * run_backend.h - the console's backend on a pipeline: the one place that knows both.
 */
#ifndef MR_CLI_RUN_BACKEND_H
#define MR_CLI_RUN_BACKEND_H

#include "console.h"
#include "pipeline.h"

/** The pipeline must outlive the console that uses the backend. */
struct mr_console_backend mr_run_backend(struct mr_pipeline *pipeline);

/* The parts, for run_backend.c alone; context is the pipeline. */
bool mr_run_query(void *context, const struct mr_console_query *query, struct mr_json *out,
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
