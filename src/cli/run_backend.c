// SPDX-License-Identifier: MIT
/*
 * run_backend.c - see run_backend.h.
 */
#include "run_backend.h"

#include <stdarg.h>
#include <stdio.h>

static struct mr_pipeline *pipeline_of(void *context)
{
    const struct mr_run *run = context;

    MR_ASSERT(run->pipeline != NULL);
    return run->pipeline;
}

/* A thread that ended on its own has stopped the pipeline: then the process is about to end too. */
static bool is_alive(void *context, char *detail, size_t size)
{
    MR_ASSERT(size > 0);

    const bool alive = mr_pipeline_is_running(pipeline_of(context));

    if (!alive) {
        (void)snprintf(detail, size, "the pipeline has stopped; the log says why");
    }
    return alive;
}

static bool ready(void *context, struct mr_json *out)
{
    return mr_pipeline_is_ready(pipeline_of(context), out);
}

static void status(void *context, struct mr_json *out)
{
    mr_pipeline_status(pipeline_of(context), out);
}

static void history(void *context, struct mr_json *out)
{
    mr_pipeline_history(pipeline_of(context), out);
}

static void metrics(void *context, struct mr_writer *out)
{
    mr_pipeline_metrics(pipeline_of(context), out);
}

static bool query(void *context, const struct mr_console_query *query, struct mr_json *out,
                  struct mr_console_problem *problem)
{
    return mr_run_query(pipeline_of(context), query, out, problem);
}

static bool findings(void *context, const char *source, struct mr_json *out,
                     struct mr_console_problem *problem)
{
    return mr_run_findings(pipeline_of(context), source, out, problem);
}

static bool table(void *context, const struct mr_console_table *wanted, struct mr_json *out,
                  struct mr_console_problem *problem)
{
    return mr_run_table(pipeline_of(context), wanted, out, problem);
}

static void topics(void *context, struct mr_json *out)
{
    mr_run_topics(pipeline_of(context), out);
}

static bool records(void *context, const struct mr_console_records *wanted, struct mr_json *out,
                    struct mr_console_problem *problem)
{
    return mr_run_records(pipeline_of(context), wanted, out, problem);
}

static struct mr_console_tail *tail_open(void *context, const char *topic,
                                         const struct mr_console_cursor *from,
                                         struct mr_console_problem *problem)
{
    return mr_run_tail_open(pipeline_of(context), topic, from, problem);
}

static void dashboards(void *context, struct mr_json *out)
{
    const struct mr_run *run = context;

    mr_dashboards_list(run->dashboards, out);
}

static struct mr_console_live *live_open(void *context, const struct mr_console_dashboard *wanted,
                                         struct mr_console_problem *problem)
{
    const struct mr_run *run = context;

    return mr_dashboards_look(run->dashboards, wanted, problem);
}

bool mr_run_problem(struct mr_console_problem *problem, unsigned http_status, const char *format,
                    ...)
{
    va_list arguments;

    MR_ASSERT(http_status >= 400 && http_status < 600);
    problem->status = http_status;
    va_start(arguments, format);
    (void)vsnprintf(problem->detail, sizeof(problem->detail), format, arguments);
    va_end(arguments);
    return false;
}

struct mr_console_backend mr_run_backend(struct mr_run *run)
{
    MR_ASSERT(run->pipeline != NULL && run->dashboards != NULL);
    return (struct mr_console_backend){
        .context = run,
        .is_alive = is_alive,
        .ready = ready,
        .status = status,
        .history = history,
        .metrics = metrics,
        .query = query,
        .findings = findings,
        .table = table,
        .topics = topics,
        .records = records,
        .tail_open = tail_open,
        .tail_next = mr_run_tail_next,
        .tail_close = mr_run_tail_close,
        .dashboards = dashboards,
        .live_open = live_open,
        .live_next = mr_run_live_next,
        .live_close = mr_run_live_close,
    };
}
