// SPDX-License-Identifier: MIT
/*
 * run_backend.c - see run_backend.h.
 */
#include "run_backend.h"

#include <stdarg.h>
#include <stdio.h>

/* A thread that ended on its own has stopped the pipeline: then the process is about to end too. */
static bool is_alive(void *context, char *detail, size_t size)
{
    MR_ASSERT(size > 0);

    const bool alive = mr_pipeline_is_running(context);

    if (!alive) {
        (void)snprintf(detail, size, "the pipeline has stopped; the log says why");
    }
    return alive;
}

static bool ready(void *context, struct mr_json *out)
{
    return mr_pipeline_is_ready(context, out);
}

static void status(void *context, struct mr_json *out)
{
    mr_pipeline_status(context, out);
}

static void history(void *context, struct mr_json *out)
{
    mr_pipeline_history(context, out);
}

static void metrics(void *context, struct mr_writer *out)
{
    mr_pipeline_metrics(context, out);
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

struct mr_console_backend mr_run_backend(struct mr_pipeline *pipeline)
{
    MR_ASSERT(pipeline != NULL);
    return (struct mr_console_backend){
        .context = pipeline,
        .is_alive = is_alive,
        .ready = ready,
        .status = status,
        .history = history,
        .metrics = metrics,
        .query = mr_run_query,
        .topics = mr_run_topics,
        .records = mr_run_records,
        .tail_open = mr_run_tail_open,
        .tail_next = mr_run_tail_next,
        .tail_close = mr_run_tail_close,
    };
}
