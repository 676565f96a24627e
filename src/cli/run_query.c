// SPDX-License-Identifier: MIT
/*
 * run_query.c - the console's queries, on the pipeline's DuckDB sink.
 */
#include <stdlib.h>

#include "memory.h"
#include "registry.h"
#include "run_backend.h"
#include "warehouse_query.h"

#define ANSWER_BYTES_MAX (UINT64_C(32) << 20)
#define WAIT_MS_MAX      1000 /* for another query to end */

_Static_assert(MR_CONSOLE_PARAMETERS_MAX <= MR_QUERY_PARAMETERS_MAX, "all can be handed on");

static unsigned status_of(const struct mr_error *err)
{
    MR_ASSERT(err->code != MR_OK);

    switch (err->code) {
    case MR_E_CONFIG:
    case MR_E_TYPE:
        return 400;
    case MR_E_CANCELLED:
        return 408;
    case MR_E_LIMIT:
        return err->recovery == MR_RETRY ? 503 : 413;
    case MR_E_SINK:
    case MR_E_LOCKED:
    case MR_E_FULL:
        return 503;
    case MR_OK:
    case MR_E_IO:
    case MR_E_NET:
    case MR_E_PROTOCOL:
    case MR_E_CORRUPT:
    case MR_E_SOURCE:
    case MR_E_LOST:
        return 500;
    }
    return 500;
}

static struct mr_query_parameter *copy_parameters(const struct mr_console_query *query)
{
    MR_ASSERT(query->parameter_count <= MR_CONSOLE_PARAMETERS_MAX);

    struct mr_query_parameter *copies = mr_memory_new(query->parameter_count + 1, sizeof(*copies));

    for (size_t i = 0; i < query->parameter_count; i++) {
        const struct mr_console_parameter *from = &query->parameters[i];
        copies[i].boolean = from->boolean;
        copies[i].integer = from->integer;
        copies[i].real = from->real;
        copies[i].text = from->text;
        switch (from->kind) {
        case MR_CONSOLE_NULL:
            copies[i].kind = MR_QUERY_NULL;
            break;
        case MR_CONSOLE_BOOL:
            copies[i].kind = MR_QUERY_BOOL;
            break;
        case MR_CONSOLE_INT:
            copies[i].kind = MR_QUERY_INT;
            break;
        case MR_CONSOLE_REAL:
            copies[i].kind = MR_QUERY_REAL;
            break;
        case MR_CONSOLE_TEXT:
            copies[i].kind = MR_QUERY_TEXT;
            break;
        }
    }
    return copies;
}

bool mr_run_query(void *context, const struct mr_console_query *query, struct mr_json *out,
                  struct mr_console_problem *problem)
{
    MR_ASSERT(query->sql != NULL && query->rows_max > 0);

    struct mr_error err = {0};
    bool exists = false;
    const struct mr_sink_ops *duckdb = mr_registry_find_sink("duckdb");
    struct mr_sink *sink = mr_pipeline_hold_sink(context, duckdb, &exists);

    if (sink == NULL) {
        return mr_run_problem(problem, 503,
                              exists ? "the warehouse is being opened anew; ask again"
                                     : "this pipeline has no DuckDB sink to query");
    }
    struct mr_query_parameter *parameters = copy_parameters(query);
    const struct mr_query asked = {
        .sql = query->sql,
        .parameters = parameters,
        .parameter_count = query->parameter_count,
        .rows_max = query->rows_max,
        .bytes_max = ANSWER_BYTES_MAX,
        .time_ms_max = query->time_ms_max,
        .wait_ms = WAIT_MS_MAX,
    };
    const bool answered = mr_warehouse_query(sink, &asked, out, &err);
    mr_pipeline_let_sink_go(context, duckdb);
    free(parameters);
    return answered || mr_run_problem(problem, status_of(&err), "%s", err.message);
}
