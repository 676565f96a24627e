// SPDX-License-Identifier: MIT
/*
 * run_table.c - the verbs on one table and the doctor, from the console to the pipeline.
 */
#include <string.h>

#include "findings_json.h"
#include "pipeline_tables.h"
#include "run_backend.h"

bool mr_run_findings(void *context, const char *source, struct mr_json *out,
                     struct mr_console_problem *problem)
{
    struct mr_error err = {0};
    unsigned status = 0;

    return mr_pipeline_findings(context, source, out, &status, &err) ||
           mr_run_problem(problem, status, "%s", err.message);
}

bool mr_run_table(void *context, const struct mr_console_table *wanted, struct mr_json *out,
                  struct mr_console_problem *problem)
{
    struct mr_table_request request = {
        .topic = wanted->topic,
        .where = wanted->where,
        .from = wanted->from,
        .purge = wanted->purge,
    };
    struct mr_error err = {0};
    unsigned status = 0;
    size_t action = 0;

    while (action < MR_ACTION_COUNT && strcmp(mr_table_action_names[action], wanted->verb) != 0) {
        action++;
    }
    MR_ASSERT(action < MR_ACTION_COUNT); /* the routes name no other */
    request.action = (enum mr_table_action)action;
    return mr_pipeline_table_act(context, &request, out, &status, &err) ||
           mr_run_problem(problem, status, "%s", err.message);
}
