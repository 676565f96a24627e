// SPDX-License-Identifier: MIT
/*
 * pipeline_tables.h - the verbs that act on one table while all the others go on (docs/TABLES.md).
 */
#ifndef MR_PIPELINE_PIPELINE_TABLES_H
#define MR_PIPELINE_PIPELINE_TABLES_H

#include <stdbool.h>

#include "compiler.h"
#include "error.h"
#include "json.h"

struct mr_pipeline;
struct mr_lane;

enum mr_table_action {
    MR_ACTION_ADD,      /* capture it, though no pattern takes it */
    MR_ACTION_SNAPSHOT, /* copy it anew */
    MR_ACTION_PAUSE,
    MR_ACTION_RESUME,
    MR_ACTION_DROP, /* capture it no more */
    MR_ACTION_REWIND,
    MR_ACTION_COUNT,
};

/** "add", "snapshot", ... by action. */
extern const char *const mr_table_action_names[MR_ACTION_COUNT];

struct mr_table_request {
    enum mr_table_action action;
    const char *topic; /* "source.space.table" */
    const char *where; /* SNAPSHOT: a condition in the source's SQL; NULL: every row */
    const char *from;  /* REWIND: a sequence, or a time (ISO 8601, UTC) */
    bool purge;        /* DROP: the warehouse's table goes, too */
};

/**
 * Carries out what can be done at once and starts the rest. False: *status is the HTTP status that
 * says why. From any thread.
 */
bool mr_pipeline_table_act(struct mr_pipeline *pipeline, const struct mr_table_request *request,
                           struct mr_json *out, unsigned *status, struct mr_error *err);

/** Takes up what the book has of a lane's tables: before its link runs. */
void mr_lane_take_up_tables(struct mr_lane *lane);

/** A wished copy is over: struct mr_link_options.table_copied, its context is the lane. */
struct mr_copy_wish;
void mr_lane_table_copied(void *context, const struct mr_copy_wish *wish,
                          const struct mr_error *err);

/** Forgets what went wrong with a table; frees all with table NULL. */
void mr_lane_forget_failures(struct mr_lane *lane, const char *space, const char *table);

/** Whether a text is one condition and nothing else: quotes and parentheses in balance, no end of a
 *  statement, no comment. MR_E_CONFIG otherwise. */
bool mr_condition_check(const char *where, struct mr_error *err) MR_MUST_CHECK;

/** A time as ISO 8601 in UTC ("2026-03-01", "2026-03-01T12:00:00Z"), in microseconds since 1970. */
bool mr_time_parse(const char *text, int64_t *us) MR_MUST_CHECK;

#endif
