// SPDX-License-Identifier: MIT
/*
 * pipeline_tables.c - see pipeline_tables.h.
 *
 * Order, on which a restart at any moment rests: what is to outlive it is written to the book
 * first; sinks keep their own part with their commits; the link is told last. A copy that is
 * wanted stays in the book until every sink has its rows, and is asked for again under the same id
 * after a restart, so a sink that has it already says so.
 */
#include "pipeline_tables.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "memory.h"
#include "pipeline_internal.h"

#define WHERE_BYTES_MAX  8192
#define SPACE_BYTES_MAX  512
#define FAILURES_MAX     64
#define US_PER_SECOND    INT64_C(1000000)
#define HTTP_BAD_REQUEST 400
#define HTTP_NOT_FOUND   404
#define HTTP_CONFLICT    409
#define HTTP_GONE        410
#define HTTP_UNAVAILABLE 503

const char *const mr_table_action_names[MR_ACTION_COUNT] = {
    [MR_ACTION_ADD] = "add",       [MR_ACTION_SNAPSHOT] = "snapshot", [MR_ACTION_PAUSE] = "pause",
    [MR_ACTION_RESUME] = "resume", [MR_ACTION_DROP] = "drop",         [MR_ACTION_REWIND] = "rewind",
};

/* ---- Texts. ---- */

/* What a condition must not hold: outside quotes, or (backslash and dollar) anywhere. */
static bool begins_refused(const char *text, bool is_quoted)
{
    static const char *const refused[] = {";", "--", "/*", "#", "\\", "$"};
    for (size_t i = 0; i < MR_ARRAY_LEN(refused); i++) {
        const bool always = refused[i][0] == '\\' || refused[i][0] == '$';
        if ((!is_quoted || always) && strncmp(text, refused[i], strlen(refused[i])) == 0) {
            return true;
        }
    }
    return false;
}

bool mr_condition_check(const char *where, struct mr_error *err)
{
    char quote = '\0';
    int depth = 0;
    bool is_one = where[strspn(where, " \t\n")] != '\0' && strlen(where) <= WHERE_BYTES_MAX;
    for (const char *c = where; is_one && *c != '\0'; c++) {
        is_one = !begins_refused(c, quote != '\0');
        if (quote != '\0') {
            if (*c == quote) {
                quote = '\0'; /* a doubled one closes and opens again */
            }
        } else if (*c == '\'' || *c == '"' || *c == '`') {
            quote = *c;
        } else if (*c == '(' || *c == ')') {
            depth += *c == '(' ? 1 : -1;
            is_one = is_one && depth >= 0;
        }
    }
    return (is_one && quote == '\0' && depth == 0) ||
           mr_fail(err, MR_E_CONFIG, MR_STOP,
                   "the condition must be one SQL expression of at most %d bytes, with its quotes "
                   "and parentheses closed, without \";\", comments, backslashes or \"$\"",
                   WHERE_BYTES_MAX);
}

bool mr_time_parse(const char *text, int64_t *us)
{
    struct tm parts = {0};
    double seconds = 0;
    int length = 0;
    char between = '\0';
    const int count = /* numbers of at most four digits; the rest is checked below */
        /* NOLINTNEXTLINE(cert-err34-c) */
        sscanf(text, "%4d-%2d-%2d%n%c%2d:%2d:%lf%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &length, &between, &parts.tm_hour, &parts.tm_min, &seconds, &length);
    const char *rest = text + length;
    if ((count != 3 && count != 7) || (count == 7 && between != 'T' && between != ' ') ||
        (rest[0] != '\0' && strcmp(rest, "Z") != 0) || parts.tm_mon < 1 || parts.tm_mon > 12 ||
        parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
        seconds < 0 || seconds >= 61) {
        return false;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *us = (int64_t)timegm(&parts) * US_PER_SECOND + (int64_t)(seconds * 1e6 + 0.5);
    return true;
}

/* A topic taken apart: lane, space and table. */
struct named_table {
    struct mr_lane *lane;
    char space[SPACE_BYTES_MAX];
    const char *table;
};

static bool find_table(struct mr_pipeline *pipeline, const char *topic, struct named_table *named,
                       struct mr_error *err)
{
    *named = (struct named_table){0};
    for (uint32_t i = 0; i < pipeline->lane_count; i++) {
        const char *name = pipeline->lanes[i].config->name;
        const size_t length = strlen(name);
        if (strncmp(topic, name, length) != 0 || topic[length] != '.') {
            continue;
        }
        const char *rest = topic + length + 1;
        const size_t space = strcspn(rest, ".");
        if (space == 0 || space >= sizeof(named->space) || rest[space] == '\0' ||
            rest[space + 1] == '\0') {
            continue;
        }
        named->lane = &pipeline->lanes[i];
        memcpy(named->space, rest, space);
        named->space[space] = '\0';
        named->table = rest + space + 1;
        return true;
    }
    return mr_fail(err, MR_E_CONFIG, MR_STOP,
                   "\"%s\" names no table of a source; write SOURCE.SCHEMA.TABLE (a database is "
                   "the schema of MySQL and MariaDB)",
                   topic);
}

/* ---- What went wrong with copies. ---- */

void mr_lane_forget_failures(struct mr_lane *lane, const char *space, const char *table)
{
    (void)pthread_mutex_lock(&lane->pipeline->lock);
    struct mr_table_failure **at = &lane->failures;
    while (*at != NULL) {
        struct mr_table_failure *failure = *at;
        if (table != NULL &&
            (strcmp(failure->space, space) != 0 || strcmp(failure->table, table) != 0)) {
            at = &failure->next;
            continue;
        }
        *at = failure->next;
        lane->failure_count--;
        free(failure->space);
        free(failure->table);
        free(failure);
    }
    (void)pthread_mutex_unlock(&lane->pipeline->lock);
}

static void note_failure(struct mr_lane *lane, const struct mr_copy_wish *wish,
                         const struct mr_error *err)
{
    mr_lane_forget_failures(lane, wish->space, wish->table);
    (void)pthread_mutex_lock(&lane->pipeline->lock);
    if (lane->failure_count < FAILURES_MAX) {
        struct mr_table_failure *failure = mr_memory_new(1, sizeof(*failure));
        failure->space = mr_memory_copy_text(wish->space, strlen(wish->space));
        failure->table = mr_memory_copy_text(wish->table, strlen(wish->table));
        (void)snprintf(failure->message, sizeof(failure->message), "%s", err->message);
        failure->next = lane->failures;
        lane->failures = failure;
        lane->failure_count++;
    }
    (void)pthread_mutex_unlock(&lane->pipeline->lock);
}

void mr_lane_table_copied(void *context, const struct mr_copy_wish *wish,
                          const struct mr_error *err)
{
    struct mr_lane *lane = context;
    struct mr_error unsaved = {0};
    if (err != NULL) {
        note_failure(lane, wish, err);
    }
    if (!mr_table_book_end(lane->pipeline->book, lane->config->name, wish->space, wish->table,
                           wish->id, &unsaved)) {
        mr_log(MR_LOG_WARN, "table.book_failed", MR_LOG_S("table", wish->table),
               MR_LOG_S("error", unsaved.message)); /* it is asked for once more, and finished */
    }
}

/* ---- Verbs. ---- */

static bool order_sinks(struct mr_pipeline *pipeline, const struct named_table *named,
                        enum mr_table_verb verb, uint64_t sequence, struct mr_error *err)
{
    const struct mr_table_order order = {
        .verb = verb,
        .space = named->space,
        .table = named->table,
        .sequence = sequence,
    };
    const struct mr_schema schema = {.space = named->space, .table = named->table};
    for (uint32_t i = 0; i < pipeline->outlet_count; i++) {
        const struct mr_load_command command = {
            .kind = MR_LOAD_ORDER,
            .source_index = (uint16_t)(named->lane - pipeline->lanes),
            .schema = &schema,
            .order = &order,
        };
        bool answer = false;
        if (!mr_loader_ask(pipeline->loaders[i], command, &answer, err)) {
            return false;
        }
    }
    return true;
}

static bool want_copy(struct mr_pipeline *pipeline, const struct named_table *named,
                      const char *where, struct mr_error *err)
{
    const struct mr_env *env = pipeline->env;
    char id[48];
    (void)snprintf(id, sizeof(id), "%" PRIx64 "-%08x", (uint64_t)env->unix_us(env),
                   (unsigned)env->random(env));
    const struct mr_copy_wish wish = {
        .space = named->space,
        .table = named->table,
        .id = id,
        .where = where,
    };
    mr_lane_forget_failures(named->lane, named->space, named->table);
    if (!mr_table_book_want(pipeline->book, named->lane->config->name, &wish, err)) {
        return false;
    }
    mr_link_cancel_copy(&named->lane->link, named->space, named->table);
    mr_link_request_copy(&named->lane->link, &wish);
    return true;
}

static bool choose(struct mr_pipeline *pipeline, const struct named_table *named,
                   enum mr_choice choice, struct mr_error *err)
{
    MR_ASSERT(named->lane != NULL);
    if (!mr_table_book_choose(pipeline->book, named->lane->config->name, named->space, named->table,
                              choice, err)) {
        return false;
    }
    mr_table_choices_set(named->lane->choices, named->space, named->table, choice);
    return true;
}

static bool add(struct mr_pipeline *pipeline, const struct named_table *named, struct mr_error *err)
{
    if (!choose(pipeline, named, MR_CHOICE_ADDED, err)) {
        return false;
    }
    mr_link_reopen(&named->lane->link); /* first what is captured, then the copy: see link.c */
    return want_copy(pipeline, named, NULL, err);
}

static bool drop(struct mr_pipeline *pipeline, const struct named_table *named, bool purge,
                 struct mr_error *err)
{
    if (!choose(pipeline, named, MR_CHOICE_DROPPED, err) ||
        !mr_table_book_end(pipeline->book, named->lane->config->name, named->space, named->table,
                           NULL, err)) {
        return false;
    }
    mr_lane_forget_failures(named->lane, named->space, named->table);
    mr_link_cancel_copy(&named->lane->link, named->space, named->table);
    if (!order_sinks(pipeline, named, purge ? MR_TABLE_PURGE : MR_TABLE_DROP, 0, err)) {
        return false;
    }
    mr_link_reopen(&named->lane->link);
    return true;
}

static bool is_apart(struct mr_pipeline *pipeline, const struct named_table *named)
{
    bool found = false;
    for (uint32_t o = 0; o < pipeline->outlet_count; o++) {
        struct mr_apart_seen seen;
        for (uint32_t i = 0; mr_loader_apart(pipeline->loaders[o], i, &seen); i++) {
            found |= !seen.view.is_copy &&
                     seen.view.source_index == (uint16_t)(named->lane - pipeline->lanes) &&
                     strcmp(seen.space, named->space) == 0 && strcmp(seen.table, named->table) == 0;
            free(seen.space);
            free(seen.table);
        }
    }
    return found;
}

static bool snapshot(struct mr_pipeline *pipeline, const struct named_table *named,
                     const char *where, unsigned *status, struct mr_error *err)
{
    MR_ASSERT(named->lane != NULL);
    if (mr_table_choices_get(named->lane->choices, named->space, named->table) ==
        MR_CHOICE_DROPPED) {
        *status = HTTP_CONFLICT;
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the table was dropped; add it instead");
    }
    if (where != NULL && !mr_condition_check(where, err)) {
        *status = HTTP_BAD_REQUEST;
        return false;
    }
    if (where != NULL && is_apart(pipeline, named)) {
        *status = HTTP_CONFLICT;
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "the table does not go with the stream just now: a part of it cannot be "
                       "copied; resume it first, or copy it as a whole");
    }
    return want_copy(pipeline, named, where, err);
}

/* The sequence that "from" names, if the stream still has it. */
static bool find_sequence(const struct named_table *named, const char *from, uint64_t *sequence,
                          unsigned *status, struct mr_error *err)
{
    struct mr_lane *lane = named->lane;
    struct mr_stream_observation seen = {0};
    int64_t us = 0;
    *status = HTTP_BAD_REQUEST;
    if (from != NULL && from[0] != '\0' && strspn(from, "0123456789") == strlen(from)) {
        *sequence = strtoull(from, NULL, 10);
    } else if (from == NULL || !mr_time_parse(from, &us)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "\"from\" must be a sequence, or a time like 2026-03-01T12:00:00Z");
    } else if (!lane->stream_ops->find_time(lane->stream, us, sequence, err)) {
        return false;
    }
    lane->stream_ops->observe(lane->stream, &seen);
    if (*sequence < seen.first_sequence || *sequence == 0 || *sequence > seen.last_sequence + 1) {
        *status = HTTP_GONE;
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "the stream of source \"%s\" holds the sequences %" PRIu64 " to %" PRIu64
                       "; copy the table anew",
                       lane->config->name, seen.first_sequence, seen.last_sequence);
    }
    return true;
}

static bool rewind_table(struct mr_pipeline *pipeline, const struct named_table *named,
                         const char *from, unsigned *status, struct mr_error *err)
{
    MR_ASSERT(named->lane != NULL);
    const struct mr_schema *schema =
        mr_catalog_latest(named->lane->catalog, named->space, named->table);
    uint64_t sequence = 0;
    if (schema == NULL) {
        *status = HTTP_NOT_FOUND;
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the stream knows no such table");
    }
    if (schema->key_count == 0) {
        *status = HTTP_CONFLICT;
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "the table has no key: changes cannot be applied to it twice; copy it anew");
    }
    if (!find_sequence(named, from, &sequence, status, err)) {
        return false;
    }
    *status = HTTP_CONFLICT;
    return order_sinks(pipeline, named, MR_TABLE_REWIND, sequence, err);
}

static bool act(struct mr_pipeline *pipeline, const struct mr_table_request *request,
                const struct named_table *named, unsigned *status, struct mr_error *err)
{
    *status = HTTP_CONFLICT;
    switch (request->action) {
    case MR_ACTION_ADD:
        return add(pipeline, named, err);
    case MR_ACTION_SNAPSHOT:
        return snapshot(pipeline, named, request->where, status, err);
    case MR_ACTION_PAUSE:
        return order_sinks(pipeline, named, MR_TABLE_PAUSE, 0, err);
    case MR_ACTION_RESUME:
        return order_sinks(pipeline, named, MR_TABLE_RESUME, 0, err);
    case MR_ACTION_DROP:
        return drop(pipeline, named, request->purge, err);
    case MR_ACTION_REWIND:
        return rewind_table(pipeline, named, request->from, status, err);
    case MR_ACTION_COUNT:
        break;
    }
    MR_ASSERT(false && "a known action");
    return false;
}

bool mr_pipeline_table_act(struct mr_pipeline *pipeline, const struct mr_table_request *request,
                           struct mr_json *out, unsigned *status, struct mr_error *err)
{
    struct named_table named;
    *status = HTTP_NOT_FOUND;
    if (!find_table(pipeline, request->topic, &named, err)) {
        return false;
    }
    if (pipeline->outlet_count == 0) {
        *status = HTTP_UNAVAILABLE;
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the pipeline has no sink");
    }
    if (!act(pipeline, request, &named, status, err)) {
        return false;
    }
    const bool starts = request->action == MR_ACTION_ADD || request->action == MR_ACTION_SNAPSHOT ||
                        request->action == MR_ACTION_RESUME || request->action == MR_ACTION_REWIND;
    mr_log(MR_LOG_INFO, "table.ordered", MR_LOG_S("table", request->topic),
           MR_LOG_S("verb", mr_table_action_names[request->action]));
    mr_json_object_begin(out);
    mr_json_key(out, "table");
    mr_json_string(out, request->topic);
    mr_json_key(out, "verb");
    mr_json_string(out, mr_table_action_names[request->action]);
    mr_json_key(out, "state");
    mr_json_string(out, starts ? "started" : "done");
    mr_json_object_end(out);
    return true;
}

/* ---- After a restart. ---- */

static void take_choice(void *context, const char *space, const char *table, enum mr_choice choice)
{
    struct mr_lane *lane = context;
    mr_table_choices_set(lane->choices, space, table, choice);
}

static void take_wish(void *context, const struct mr_copy_wish *wish)
{
    struct mr_lane *lane = context;
    mr_link_request_copy(&lane->link, wish);
}

void mr_lane_take_up_tables(struct mr_lane *lane)
{
    mr_table_book_each(lane->pipeline->book, lane->config->name, take_choice, take_wish, lane);
}
